/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables that may come into use, handed over by the parent: each is compared with what runs as soon as all boards speak
 * of one generation, because a board of another one knows no connections and would make every plan harmless. */
#ifndef POISE_CONTROL_WEIGH_H
#define POISE_CONTROL_WEIGH_H

#include "control_admin.h"

struct waiting_table;

struct weigher {
	struct administration *admin;
	struct waiting_table *waiting; /* oldest first */
	struct timer timer;
};

/* Takes the table over (NULL when it was none). Its job hears of it by admin_candidate(), the parent by `weighed`. */
void weigher_take(struct weigher *weigher, const struct msg_candidate *m, struct conf *to);
void weigher_free(struct weigher *weigher);

#endif
