/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables that the parent gives away: roles that may see the same ones share one piece of memory. Runs in the
 * parent; a generation that nobody is given any more is forgotten. */
#include "parent.h"
#include <errno.h>
#include <unistd.h>

int share_table(struct parent *p, const struct conf *conf, enum role role)
{
	uint64_t filled = conf_filled(conf, role_conf_tables(role));
	struct share *place = NULL;

	for (unsigned i = 0; i < SHARES; i++) {
		struct share *s = &p->shares[i];

		if (s->generation == conf->generation && s->filled == filled)
			return s->fd;
		if (!place && !s->generation)
			place = s;
	}
	/* Two generations are in use at most, and each has fewer cuts than there are roles. */
	if (!place)
		return -ENOSPC;
	place->fd = conf_cut(conf, conf->generation, role_conf_tables(role));
	if (place->fd < 0)
		return place->fd;
	place->generation = conf->generation;
	place->filled = filled;
	return place->fd;
}

void share_forget(struct parent *p, uint64_t but)
{
	for (unsigned i = 0; i < SHARES; i++) {
		struct share *s = &p->shares[i];

		if (!s->generation || s->generation == but)
			continue;
		close(s->fd);
		*s = (struct share){0};
	}
}
