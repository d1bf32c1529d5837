/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs of advertisements, by sender. Pure; decides nothing about mastership. */
#include "vrrp_heard.h"

#define SILENCE_INTERVALS 3

/* The sender's place, or the place of who was heard longest ago. */
static uint32_t place_of(const struct vrrp_heard *heard, const struct addr *sender)
{
	uint32_t oldest = 0;

	for (uint32_t i = 0; i < HEARD_SENDERS; i++) {
		const struct status_heard *run = &heard->runs[i];

		if (addr_is_set(&run->sender) && addr_equal(&run->sender, sender))
			return i;
		if (mono_before(run->last, heard->runs[oldest].last)) /* not set comes before everything */
			oldest = i;
	}
	return oldest;
}

static enum vrrp_heard_news news_of(const struct status_heard *run, const struct vrrp_heard_advert *advert)
{
	if (!addr_is_set(&run->sender) || !addr_equal(&run->sender, &advert->sender))
		return HEARD_NEW;
	if (run->drop != advert->drop)
		return HEARD_JUDGED;
	if (mono_diff_us(advert->now, run->last) > SILENCE_INTERVALS * run->interval_us)
		return HEARD_AGAIN;
	return run->priority != advert->priority ? HEARD_PRIORITY : HEARD_SAME;
}

enum vrrp_heard_news vrrp_heard_take(
	struct vrrp_heard *heard, const struct vrrp_heard_advert *advert, uint32_t *at, struct status_heard *before)
{
	struct status_heard *run;
	enum vrrp_heard_news news;

	*at = place_of(heard, &advert->sender);
	run = &heard->runs[*at];
	news = news_of(run, advert);
	if (news != HEARD_SAME) {
		*before = news == HEARD_NEW ? (struct status_heard){0} : *run;
		*run = (struct status_heard){.sender = advert->sender, .first_real_us = advert->real_us};
	}
	run->priority = advert->priority;
	run->drop = advert->drop;
	run->interval_us = advert->interval_us;
	run->count++;
	run->last = advert->now;
	run->last_real_us = advert->real_us;
	return news;
}

bool vrrp_heard_may_tell(struct vrrp_heard *heard, struct mono now)
{
	int64_t since_us = mono_is_set(heard->refilled) ? mono_diff_us(now, heard->refilled) : 0;
	int64_t back = since_us / HEARD_REFILL_US;

	if (!mono_is_set(heard->refilled) || back >= heard->spent) {
		heard->spent = 0;
		heard->refilled = now;
	} else {
		heard->spent -= (uint32_t)back;
		heard->refilled = mono_add(heard->refilled, back * HEARD_REFILL_US);
	}
	if (heard->spent >= HEARD_BURST)
		return false;
	heard->spent++;
	return true;
}
