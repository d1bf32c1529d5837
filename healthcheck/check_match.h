/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which check of a new configuration is which check of the old one. Pure but for the memory of its tables. */
#ifndef POISE_CHECK_MATCH_H
#define POISE_CHECK_MATCH_H

#include "conf.h"
#include <stdbool.h>

enum check_origin_kind {
	CHECK_IS_NEW,  /* nothing to go by but its server, if that is an old one */
	CHECK_IS_AKIN, /* of the same server, kind and target, but with other parameters: its verdict is taken over */
	CHECK_IS_SAME  /* equal in everything that a run depends on: it goes on undisturbed */
};

struct check_origin {
	enum check_origin_kind kind;
	conf_index_t check;  /* in the old generation; CONF_NONE for a new one */
	conf_index_t server; /* of the old generation; CONF_NONE when the server is new */
};

bool check_is_same(const struct conf *a, conf_index_t i, const struct conf *b, conf_index_t j);
/* Fills one origin for each check of `next`, and server_from (one for each server of `next`). No old check is the
 * origin of two. old may be NULL (all new). Returns 0 or -ENOMEM. */
int check_match(const struct conf *next, const struct conf *old, struct check_origin *out, conf_index_t *server_from);

#endif
