/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds objects in a status document by what a person calls them. It never talks to the daemon. */
#include "find.h"
#include "addr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 300

static bool is(struct json_object *object, const char *key, const char *value)
{
	return json_has(object, key) && strcmp(json_text(object, key), value) == 0;
}

/* Has the object this address, and the port, where one is named? */
static bool is_at(struct json_object *object, const char *words)
{
	struct addr wanted, own;
	uint16_t port;

	return addr_parse_port(words, &wanted, &port) == 0 && addr_parse(json_text(object, "address"), &own) == 0 &&
	       addr_equal(&wanted, &own) && (port == 0 || port == json_number(object, "port"));
}

/* "fwmark 5", "fwmark:5" and "fwmark=5" are the same. */
static const char *after_word(const char *words, const char *word)
{
	size_t length = strlen(word);

	return strncmp(words, word, length) == 0 && words[length] && strchr(" :=", words[length]) ? words + length + 1
												  : NULL;
}

static bool is_service(struct json_object *service, const char *name)
{
	char words[NAME_SIZE];
	const char *rest;
	char *slash; /* or what follows a number */

	if (is(service, "name", name))
		return true;
	snprintf(words, sizeof(words), "%s", name);
	slash = strrchr(words, '/');
	if (slash && is(service, "protocol", slash + 1))
		*slash = '\0';
	if ((rest = after_word(words, "fwmark")))
		return json_has(service, "fwmark") && strtoll(rest, &slash, 0) == json_number(service, "fwmark") &&
		       !*slash;
	if ((rest = after_word(words, "group")))
		return is(service, "group", rest);
	return is_at(service, words);
}

static bool is_plain_server(struct json_object *server, const char *name)
{
	return is(server, "name", name) || is_at(server, name);
}

/* Also as "192.0.2.1:80/10.1.0.2". */
static bool is_server(struct json_object *service, struct json_object *server, const char *name)
{
	const char *slash = strrchr(name, '/');
	char before[NAME_SIZE];

	if (is_plain_server(server, name))
		return true;
	if (!slash || slash == name || (size_t)(slash - name) >= sizeof(before))
		return false;
	memcpy(before, name, (size_t)(slash - name));
	before[slash - name] = '\0';
	return is_plain_server(server, slash + 1) && is_service(service, before);
}

static int find_in_list(
	struct json_object *status, const char *list, enum found_kind kind, const char *name, found_fn *fn, void *arg)
{
	int found = 0;

	for (size_t i = 0; i < json_count(status, list); i++) {
		struct found f = {.kind = kind, .object = json_element(status, list, i)};

		if (!is(f.object, "name", name))
			continue;
		fn(&f, arg);
		found++;
	}
	return found;
}

static int find_servers(
	struct json_object *service, const char *list, bool is_sorry, const char *name, found_fn *fn, void *arg)
{
	int found = 0;

	for (size_t i = 0; i < json_count(service, list); i++) {
		struct found f = {.kind = FOUND_SERVER, .service = service, .is_sorry = is_sorry};

		f.object = json_element(service, list, i);
		if (!is_server(service, f.object, name))
			continue;
		fn(&f, arg);
		found++;
	}
	return found;
}

int find_named(struct json_object *status, const char *name, found_fn *fn, void *arg)
{
	struct found node = {.kind = FOUND_NODE, .object = status};
	int found = 0;

	if (strcmp(name, "node") == 0 || is(status, "node", name)) {
		fn(&node, arg);
		found++;
	}
	found += find_in_list(status, "vrrp", FOUND_INSTANCE, name, fn, arg);
	found += find_in_list(status, "groups", FOUND_GROUP, name, fn, arg);
	for (size_t i = 0; i < json_count(status, "services"); i++) {
		struct found f = {.kind = FOUND_SERVICE, .object = json_element(status, "services", i)};

		if (is_service(f.object, name)) {
			fn(&f, arg);
			found++;
		}
		found += find_servers(f.object, "servers", false, name, fn, arg);
		found += find_servers(f.object, "sorry_servers", true, name, fn, arg);
	}
	return found;
}

/* ---- a smaller document ---- */

static struct json_object *list_of(struct json_object *parent, const char *key)
{
	struct json_object *list = json_member(parent, key);

	if (list)
		return list;
	list = json_object_new_array();
	json_object_object_add(parent, key, list);
	return list;
}

/* A copy of an object without one of its lists, or two. */
static struct json_object *without(struct json_object *object, const char *list, const char *other)
{
	struct json_object *copy = json_object_new_object();

	json_object_object_foreach(object, key, value)
	{
		if (strcmp(key, list) != 0 && strcmp(key, other) != 0)
			json_object_object_add(copy, key, json_object_get(value));
	}
	return copy;
}

static void keep(const struct found *f, void *arg)
{
	struct json_object *narrow = arg, *services = list_of(narrow, "services"), *service;
	size_t n = json_object_array_length(services);

	switch (f->kind) {
	case FOUND_NODE:
		return;
	case FOUND_INSTANCE:
		json_object_array_add(list_of(narrow, "vrrp"), json_object_get(f->object));
		return;
	case FOUND_GROUP:
		json_object_array_add(list_of(narrow, "groups"), json_object_get(f->object));
		return;
	case FOUND_SERVICE:
		json_object_array_add(services, json_object_get(f->object));
		return;
	case FOUND_SERVER:
		break;
	}
	/* Its service is the last one that came, whole or for another server. */
	service = n ? json_object_array_get_idx(services, n - 1) : NULL;
	if (service == f->service)
		return;
	if (!service || strcmp(json_text(service, "name"), json_text(f->service, "name")) != 0) {
		service = without(f->service, "servers", "sorry_servers");
		json_object_array_add(services, service);
	}
	json_object_array_add(list_of(service, f->is_sorry ? "sorry_servers" : "servers"), json_object_get(f->object));
}

struct json_object *find_narrow(struct json_object *status, const char *name)
{
	struct json_object *narrow;

	if (!json_object_is_type(status, json_type_object))
		return NULL;
	narrow = without(status, "services", "vrrp");
	json_object_object_del(narrow, "groups");
	if (find_named(status, name, keep, narrow) > 0) {
		list_of(narrow, "vrrp");
		list_of(narrow, "groups");
		return narrow;
	}
	json_object_put(narrow);
	return NULL;
}
