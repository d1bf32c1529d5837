/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chains of causes as indented lines, each with the time since when it holds. */
#ifndef POISECTL_VIEW_CHAIN_H
#define POISECTL_VIEW_CHAIN_H

#include "view.h"

void view_chain_server(struct text *t, struct json_object *service, struct json_object *server);
void view_chain_service(struct text *t, struct json_object *service);
void view_chain_instance(struct text *t, struct json_object *status, struct json_object *instance);
/* The daemon as a whole: its start, its configuration, its processes, its virtual routers, its problems. */
void view_chain_node(struct text *t, struct json_object *status);

#endif
