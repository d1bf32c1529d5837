/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups identical checks of a set. Runs in poise-healthcheck; it only sets links and never touches a verdict. */
#include "check_share.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t sum, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	/* FNV-1a */
	while (size-- > 0)
		sum = (sum ^ *bytes++) * 0x100000001b3ULL;
	return sum;
}

/* Equal for checks that are the same; that they are is found out by comparing them. */
static uint64_t hash_check(const struct check *c)
{
	const struct conf_check *conf = check_spec_conf(&c->spec);
	uint64_t sum = mix(0xcbf29ce484222325ULL, &conf->target, sizeof(conf->target));

	sum = mix(sum, &conf->kind, sizeof(conf->kind));
	sum = mix(sum, &conf->port, sizeof(conf->port));
	return mix(sum, &conf->interval_us, sizeof(conf->interval_us));
}

static void lead_yourself(struct check *c)
{
	c->leader = c;
	c->users = NULL;
	c->next_user = NULL;
}

/* 0: leads and runs already, 1: is there but has not led, 2: new. */
static unsigned seniority(const struct check *c)
{
	if (!c->checker)
		return 2;
	return c->was_user ? 1 : 0;
}

/* What other processes find out, they do for each itself; what a file says may be reckoned with the weight of the
 * server; a dead check runs for nobody. */
static bool is_shareable(const struct check *c)
{
	const struct conf_check *conf = check_spec_conf(&c->spec);

	return !c->is_dead && !check_is_told(conf) && conf->kind != CONF_CHECK_FILE;
}

static bool join(struct check_set *set, struct check **table, uint32_t mask, struct check *c)
{
	for (uint32_t at = (uint32_t)hash_check(c) & mask;; at = (at + 1) & mask) {
		struct check *other = table[at];

		if (!other) {
			table[at] = c;
			return false;
		}
		if (!check_is_same(set->conf, other->spec.index, set->conf, c->spec.index))
			continue;
		c->leader = other;
		c->next_user = other->users;
		other->users = c;
		return true;
	}
}

int check_share(struct check_set *set)
{
	uint32_t size = 16, running = 0;
	struct check **table;

	while (size < 2 * set->n_own)
		size *= 2;
	table = calloc(size, sizeof(struct check *));
	for (uint32_t i = 0; i < set->n_checks; i++) {
		struct check *c = set->checks[i];

		if (!c)
			continue;
		c->was_user = c->leader && c->leader != c;
		lead_yourself(c);
	}
	if (!table)
		return -ENOMEM;
	for (unsigned round = 0; round < 3; round++)
		for (uint32_t i = 0; i < set->n_checks; i++)
			if (set->checks[i] && seniority(set->checks[i]) == round && is_shareable(set->checks[i]))
				running += !join(set, table, size - 1, set->checks[i]);
	free(table);
	return (int)running;
}
