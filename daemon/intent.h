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
	bool is_settled; /* nothing is to be done; kept so that the other node's older word is known to be older */
	int32_t weight;  /* of an added one, -1 = that of its like */
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
/* Sets an intent. The normal wish is kept like any other, because the other node may still hold an older one; without a
 * time it was never wished and removes the intent. Returns 0 or -ENOMEM. */
int intents_set(struct intents *all, const char *service, const char *server, const struct status_admin *admin);
/* What was last said of a server in the pool, or NULL. */
const struct pool_intent *intents_find_pool(const struct intents *all, const char *service, const char *server);
/* Puts a change in the place of what was said of the server before. One that undoes the former (a removal of what was
 * added, an addition of what was removed) is settled. Returns 0 or -ENOMEM. */
int intents_change_pool(struct intents *all, const struct pool_intent *change);
/* Changes that are in force. */
size_t intents_count_pool(const struct intents *all);
/* Forgets what asks for nothing and was said before this time. */
void intents_prune(struct intents *all, int64_t before_real_us);
/* One line an intent, fields separated by tabs. Reads what it understands; *bad_lines counts the rest. A missing file
 * is an empty list. Returns 0 or -errno (-EFBIG: nobody's file of intents is that large), and then nothing was taken
 * from it. */
int intents_read(struct intents *all, const char *path, unsigned *bad_lines);
/* The same for text in memory (changed while reading). */
void intents_parse(struct intents *all, char *text, unsigned *bad_lines);
/* Gives a file that was not understood a second name, `kept`, because intents_write() puts another in its place.
 * Returns 0 or -errno. */
int intents_keep_file(const char *path, char *kept, size_t size);
/* Writes a new file beside the old one and renames it. Returns 0 or -errno. */
int intents_write(const struct intents *all, const char *path);

#endif
