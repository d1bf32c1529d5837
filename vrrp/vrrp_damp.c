/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Delays changes of links where the configuration says so. Runs in the vrrp role; pure. */
#include "vrrp_damp.h"
#include <net/if.h>

static bool runs(uint32_t flags)
{
	return (flags & IFF_UP) && (flags & IFF_RUNNING);
}

static struct mono damp(struct vrrp_damp *d, const struct conf_link_delay *delay, struct link *link, struct mono now)
{
	int64_t wait_us = runs(link->flags) ? delay->up_us : delay->down_us;

	if (!d->is_known || d->line != link->line)
		*d = (struct vrrp_damp){.line = link->line, .counted = link->flags, .is_known = true};
	if (runs(link->flags) == runs(d->counted))
		d->since = MONO_NEVER;
	else if (!mono_is_set(d->since))
		d->since = now;
	if (!mono_is_set(d->since) || mono_diff_us(now, d->since) >= wait_us) {
		d->counted = link->flags;
		d->since = MONO_NEVER;
	}
	link->counted = d->counted;
	return mono_is_set(d->since) ? mono_add(d->since, wait_us) : MONO_NEVER;
}

struct mono vrrp_damp_apply(const struct conf *conf, struct vrrp_damp *damps, struct links *links, struct mono now)
{
	struct mono next = MONO_NEVER;

	for (uint32_t i = 0; i < links->count; i++)
		links->all[i].counted = links->all[i].flags;
	for (uint32_t i = 0; i < conf->n_link_delays; i++) {
		const struct conf_link_delay *delay = &conf->link_delays[i];
		/* The image is the caller's own. */
		struct link *link = (struct link *)links_find_name(links, conf_string(conf, delay->interface));
		struct mono due;

		if (!link) {
			damps[i] = (struct vrrp_damp){0};
			continue;
		}
		due = damp(&damps[i], delay, link, now);
		if (mono_is_set(due) && (!mono_is_set(next) || mono_before(due, next)))
			next = due;
	}
	return next;
}
