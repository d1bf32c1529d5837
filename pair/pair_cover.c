/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Coverage of the other node's connections. Runs in the pair role and its unit tests; touches nothing but its record.
 */
#include "pair_cover.h"
#include <string.h>

#define ALL_PARTS ((1u << DIGEST_RECORDS) - 1)

void pair_cover_begin(struct pair_cover *c, uint64_t first_number)
{
	memset(c, 0, sizeof(*c));
	c->numbers = first_number;
}

void pair_cover_forget(struct pair_cover *c)
{
	c->want = 0;
	c->has_met = false;
	c->met_walk = c->walk = c->complete = 0;
	c->parts = 0;
	c->count_at = c->ask_again = MONO_NEVER;
	c->pause_us = 0;
	c->lacking_since = MONO_NEVER;
}

void pair_cover_hurry(struct pair_cover *c)
{
	c->pause_us = 0;
	c->ask_again = MONO_NEVER;
	/* Long ago: it is taken for more than churn. */
	if (mono_is_set(c->lacking_since))
		c->lacking_since = (struct mono){1};
}

void pair_cover_meet(struct pair_cover *c, uint64_t walk)
{
	if (!c->has_met)
		c->met_walk = walk;
	c->has_met = true;
}

void pair_cover_take_part(struct pair_cover *c, const struct pair_digest *part, struct mono now)
{
	if (part->part >= DIGEST_RECORDS || part->walk == 0 || part->walk == c->complete)
		return;
	/* "All of nothing" is no coverage of a table that has grown since. */
	if (!c->has_met || part->walk == c->met_walk)
		return;
	if (part->walk != c->walk) {
		c->walk = part->walk;
		c->parts = 0;
	}
	memcpy(c->theirs + (size_t)part->part * DIGEST_RECORD_BUCKETS, part->buckets, sizeof(part->buckets));
	c->parts |= 1u << part->part;
	if (c->parts != ALL_PARTS)
		return;
	c->complete = c->walk;
	c->count_at = mono_add(now, PAIR_SETTLE_US);
}

static bool is_good(const struct pair_cover *c, const struct pair_cover_facts *f)
{
	return c->known && c->held >= f->enough && !mono_before(c->at, f->not_before);
}

/* It takes as long as it takes: a wish that was not answered is not repeated under another number, but one whose answer
 * did not help is. */
static void ask(struct pair_cover *c, const struct pair_cover_facts *f)
{
	bool is_counting = mono_is_set(c->count_at) || c->count != c->compared;

	if (c->want != 0 || is_counting || is_good(c, f))
		return;
	if (mono_is_set(c->ask_again) && mono_before(f->now, c->ask_again))
		return;
	c->want = ++c->numbers;
	c->asked = f->now;
	c->pause_us = c->pause_us == 0 ? PAIR_ASK_US : c->pause_us * 2;
	if (c->pause_us > PAIR_ASK_LONGEST_US)
		c->pause_us = PAIR_ASK_LONGEST_US;
	c->ask_again = mono_add(f->now, c->pause_us);
}

/* A walk through a large table costs the other node much: what took long is not asked for again at once. */
static void take_answer(struct pair_cover *c, const struct pair_cover_facts *f)
{
	struct mono earliest = mono_add(f->now, mono_diff_us(f->now, c->asked) * PAIR_ASK_SHARE);

	c->want = 0;
	if (f->taken_known && f->taken >= f->enough) {
		c->known = true;
		c->held = f->taken;
		c->total = f->total;
		c->at = c->asked;
	}
	if (mono_before(c->ask_again, earliest))
		c->ask_again = earliest;
}

/* Counted a moment ago, and too little: it may be mere churn for a while yet. Returns until when. */
static struct mono look_at_lack(struct pair_cover *c, const struct pair_cover_facts *f)
{
	bool is_lacking = c->known && !mono_before(c->at, f->not_before) && c->held < f->enough;

	if (!is_lacking)
		c->lacking_since = MONO_NEVER;
	else if (!mono_is_set(c->lacking_since))
		c->lacking_since = f->now;
	return is_lacking ? mono_add(c->lacking_since, PAIR_CHURN_US) : MONO_NEVER;
}

static struct mono earlier(struct mono a, struct mono b)
{
	if (!mono_is_set(a) || !mono_is_set(b))
		return mono_is_set(a) ? a : b;
	return mono_before(a, b) ? a : b;
}

struct mono pair_cover_step(struct pair_cover *c, const struct pair_cover_facts *f)
{
	struct mono again, churn_end;

	if (!f->can) {
		pair_cover_forget(c);
		return MONO_NEVER;
	}
	if (c->want != 0 && f->answered == c->want)
		take_answer(c, f);
	if (is_good(c, f))
		c->pause_us = 0;
	if (mono_is_set(c->count_at) && !mono_before(f->now, c->count_at)) {
		c->count_at = MONO_NEVER;
		c->count = ++c->numbers;
	}
	churn_end = look_at_lack(c, f);
	if (mono_is_set(churn_end) && mono_before(f->now, churn_end))
		return earlier(churn_end, c->count_at);
	ask(c, f);
	again = c->count_at;
	if (c->want == 0 && !is_good(c, f) && mono_is_set(c->ask_again) && mono_before(f->now, c->ask_again))
		again = earlier(again, c->ask_again);
	return again;
}

/* In equal buckets everything is held. In others: what is missing by count, and at least one. */
void pair_cover_compare(struct pair_cover *c, const struct status_bucket ours[DIGEST_BUCKETS], uint64_t count,
	uint32_t taken, struct mono now)
{
	uint64_t total = 0, held = 0;

	for (size_t i = 0; i < DIGEST_BUCKETS; i++) {
		const struct status_bucket *a = &c->theirs[i], *b = &ours[i];

		total += a->count;
		if (a->count == b->count && a->sum == b->sum)
			held += a->count;
		else if (b->count < a->count)
			held += b->count;
		else if (a->count > 0)
			held += a->count - 1;
	}
	c->compared = count;
	c->known = true;
	c->total = (uint32_t)total;
	c->held = total ? (uint32_t)(held * 1000 / total) : 1000;
	if (taken > c->held && taken - c->held <= PAIR_ENDED)
		c->held = taken;
	c->at = now;
}

enum pair_cover_news pair_cover_judge(bool *had, bool known, uint32_t held, uint32_t enough)
{
	bool has = held >= enough;

	if (!known || has == *had)
		return PAIR_COVER_SAME;
	*had = has;
	return has ? PAIR_COVER_REACHED : PAIR_COVER_LOST;
}
