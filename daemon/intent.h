/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Intent: what the operator wants of single servers (drain, maint, another weight), by name, so that it outlives
 * generations, restarts and reboots. Owned by the parent, kept in one small file. */
#ifndef POISE_INTENT_H
#define POISE_INTENT_H

#include "conf.h"
#include "status.h"
#include <stddef.h>

struct intent {
	char service[CONF_NAME_SIZE];
	char server[CONF_NAME_SIZE];
	struct status_admin admin;
};

/* A server that was added or removed at run time. */
struct pool_intent {
	char service[CONF_NAME_SIZE];
	char server[CONF_NAME_SIZE]; /* ADDRESS:PORT */
	bool is_removed;
	int32_t weight; /* of an added one, -1 = that of its like */
	int64_t since_real_us;
	char why[WHY_SIZE];
};

struct intents {
	struct intent *list; /* sorted by service, server */
	size_t count;
	struct pool_intent *pool; /* in the order in which they were asked for */
	size_t n_pool;
};

void intents_free(struct intents *all);
/* The intent for a server, or NULL. */
const struct intent *intents_find(const struct intents *all, const char *service, const char *server);
/* Sets (or, when the wish is the normal one, removes) an intent. Returns 0 or -ENOMEM. */
int intents_set(struct intents *all, const char *service, const char *server, const struct status_admin *admin);
/* Adds a change to the pool, or takes back the one that it undoes (a removal of what was added, an addition of what was
 * removed). Returns 0 or -ENOMEM. */
int intents_change_pool(struct intents *all, const struct pool_intent *change);
/* Forgets a change (by its place). */
void intents_forget_pool(struct intents *all, size_t at);
/* One line an intent, fields separated by tabs. Reads what it understands; *bad_lines counts the rest. A missing file
 * is an empty list. Returns 0 or -errno. */
int intents_read(struct intents *all, const char *path, unsigned *bad_lines);
/* The same for text in memory (changed while reading). */
void intents_parse(struct intents *all, char *text, unsigned *bad_lines);
/* Writes a new file beside the old one and renames it. Returns 0 or -errno. */
int intents_write(const struct intents *all, const char *path);

#endif
