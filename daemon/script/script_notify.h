/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notification scripts: run in the order they were asked for, one at a time for each object, with a time limit. */
#ifndef POISE_SCRIPT_NOTIFY_H
#define POISE_SCRIPT_NOTIFY_H

#include "role.h"

struct script_notifies;

struct script_notifies *script_notifies_new(struct role_process *p); /* NULL when out of memory */
/* A `notify` message: takes what it needs out of the generation at once. Messages about the generation before are
 * understood; about a later one they wait for script_notifies_switch(). */
void script_notifies_ask(struct script_notifies *n, const struct msg_notify *m);
/* From now on numbers of `next` are meant (it is mapped once more; the caller's may go). */
void script_notifies_switch(struct script_notifies *n, const struct conf *next);
/* Calls done(arg) as soon as no notification waits to be started, at the latest after limit_us. Those that run go on.
 */
void script_notifies_settle(struct script_notifies *n, int64_t limit_us, void (*done)(void *arg), void *arg);

#endif
