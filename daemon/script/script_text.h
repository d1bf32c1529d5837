/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events as lines of a notification FIFO, in keepalived's formats, and as mail. Pure. */
#ifndef POISE_SCRIPT_TEXT_H
#define POISE_SCRIPT_TEXT_H

#include "conf.h"
#include "status.h"
#include <stdbool.h>
#include <stddef.h>

enum script_fifo { SCRIPT_FIFO_NONE, SCRIPT_FIFO_VRRP, SCRIPT_FIFO_LVS };

/* The line of an event, with \n; conf has to be of the event's generation (NULL: it is gone, then only what the event
 * itself says can be told). Returns which FIFO it is for, SCRIPT_FIFO_NONE when it is for none. */
#define SCRIPT_LINE_SIZE 512
enum script_fifo script_text_line(const struct conf *conf, const struct event *event, char line[SCRIPT_LINE_SIZE]);
/* The line that says the state of an instance or a group (after a reload). */
void script_text_state(bool is_group, const char *name, uint32_t state, uint32_t priority, char line[SCRIPT_LINE_SIZE]);

/* A whole mail (RFC 5322) about an event, with \r\n: whether its object asks for one. *out is malloc'ed, the caller
 * frees it. now: seconds since 1970. */
bool script_text_mail(const struct conf *conf, const struct event *event, int64_t now, char **out);

#endif
