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

struct intents {
	struct intent *list; /* sorted by service, server */
	size_t count;
};

void intents_free(struct intents *all);
/* The intent for a server, or NULL. */
const struct intent *intents_find(const struct intents *all, const char *service, const char *server);
/* Sets (or, when the wish is the normal one, removes) an intent. Returns 0 or -ENOMEM. */
int intents_set(struct intents *all, const char *service, const char *server, const struct status_admin *admin);
/* One line an intent, fields separated by tabs. Reads what it understands; *bad_lines counts the rest. A missing file
 * is an empty list. Returns 0 or -errno. */
int intents_read(struct intents *all, const char *path, unsigned *bad_lines);
/* The same for text in memory (changed while reading). */
void intents_parse(struct intents *all, char *text, unsigned *bad_lines);
/* Writes a new file beside the old one and renames it. Returns 0 or -errno. */
int intents_write(const struct intents *all, const char *path);

#endif
