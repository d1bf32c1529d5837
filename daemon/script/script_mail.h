/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mails on their way: one at a time, in order, tried again when the server is not there. Nothing waits for them. */
#ifndef POISE_SCRIPT_MAIL_H
#define POISE_SCRIPT_MAIL_H

#include "role.h"

struct script_mails;

/* lost and sent are counted there. NULL when out of memory. */
struct script_mails *script_mails_new(struct role_process *p, uint64_t *sent, uint64_t *lost);
/* Queues a mail to the people of the configuration; takes text over (malloc'ed). */
void script_mails_send(struct script_mails *mails, const struct conf *conf, char *text);

#endif
