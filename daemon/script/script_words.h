/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a notification is about, in words: for its arguments, for the order of notifications, and for log lines. Pure.
 */
#ifndef POISE_SCRIPT_WORDS_H
#define POISE_SCRIPT_WORDS_H

#include "conf.h"

/* The further arguments of a script: TYPE NAME STATE PRIORITY for `notify`, none for the others. Returns how many; out
 * has room for four and a final NULL, priority_text for ten digits. */
#define WORDS_PRIORITY_SIZE 12
int script_words_arguments(const struct conf *conf, const struct conf_notify *notify, enum conf_notify_event event,
	uint32_t priority, char priority_text[WORDS_PRIORITY_SIZE], const char *out[5]);

/* "instance web", "group G", "server 10.1.0.2:80", "service 192.0.2.1:80/tcp". Returns buf. */
#define WORDS_OWNER_SIZE (CONF_NAME_SIZE + 16)
const char *script_words_owner(const struct conf *conf, const struct conf_notify *notify, char *buf);

/* The same number for the same object in every generation. */
uint64_t script_words_key(const struct conf *conf, const struct conf_notify *notify);

/* "MASTER", "BACKUP", "FAULT", "STOP", "UP", "DOWN", "QUORUM_UP", "QUORUM_DOWN" */
const char *script_words_event(enum conf_notify_event event);

#endif
