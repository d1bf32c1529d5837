/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chains of causes: an effect, indented what caused it, and so on, each with the time since when it holds. A chain is
 * an array of {"depth", "since", "text"}, for people and for programs. */
#ifndef POISECTL_VIEW_CHAIN_H
#define POISECTL_VIEW_CHAIN_H

#include "view.h"

/* These add links to a chain. */
void view_chain_server(
	struct json_object *chain, struct json_object *service, struct json_object *server, bool is_sorry);
void view_chain_service(struct json_object *chain, struct json_object *service);
void view_chain_instance(struct json_object *chain, struct json_object *status, struct json_object *instance);
void view_chain_group(struct json_object *chain, struct json_object *status, struct json_object *group);
/* The daemon as a whole: its start, its configuration, its processes, its virtual routers, its problems. */
void view_chain_node(struct json_object *chain, struct json_object *status);

/* Shows a chain. */
void view_chain(struct text *t, struct json_object *chain, int64_t now_us);

#endif
