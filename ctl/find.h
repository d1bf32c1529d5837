/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person means by a name, in a status document: as the daemon understands it for `drain` (control_match), and
 * virtual routers and groups besides. */
#ifndef POISECTL_FIND_H
#define POISECTL_FIND_H

#include "json.h"

enum found_kind { FOUND_NODE, FOUND_INSTANCE, FOUND_GROUP, FOUND_SERVICE, FOUND_SERVER };

struct found {
	enum found_kind kind;
	struct json_object *object;  /* its record; the whole document for the node */
	struct json_object *service; /* of a server: that of its service */
	bool is_sorry;               /* a server that serves when all others are down */
};

typedef void found_fn(const struct found *found, void *arg);

/* Calls fn for everything that bears the name: "node" or the node's own; an instance, a group; a service
 * ("192.0.2.1:80", with or without its protocol, "192.0.2.1", "fwmark 5", "fwmark:5", "group web"); a server by address
 * (in any notation), ADDRESS:PORT, SERVICE/ADDRESS or its name. Returns how many there were. */
int find_named(struct json_object *status, const char *name, found_fn *fn, void *arg);

/* A new document with those virtual routers, groups, services and servers only that bear the name; NULL when none does.
 * A service brings all its servers, a server its service. */
struct json_object *find_narrow(struct json_object *status, const char *name);

#endif
