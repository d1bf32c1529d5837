/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counters of the kernel's table, kept apart from its settings; used by the ipvs role. It adds nothing up and decides
 * nothing. */
#include "ipvs_tally.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct ipvs_tally nothing;

void ipvs_tallies_clear(struct ipvs_tallies *tallies)
{
	free(tallies->list);
	*tallies = (struct ipvs_tallies){0};
}

void ipvs_tallies_reserve(struct ipvs_tallies *tallies, uint32_t n)
{
	struct ipvs_tally *list;

	if (n <= tallies->room)
		return;
	list = reallocarray(tallies->list, n, sizeof(*list));
	if (!list)
		return; /* the next add tries again, and says so */
	tallies->list = list;
	tallies->room = n;
}

int ipvs_tallies_add(struct ipvs_tallies *tallies, const struct ipvs_tally *tally, uint32_t *number)
{
	*number = 0;
	if (memcmp(tally, &nothing, sizeof(nothing)) == 0)
		return 0;
	if (tallies->n == tallies->room)
		ipvs_tallies_reserve(tallies, tallies->room + tallies->room / 2 + 4);
	if (tallies->n == tallies->room)
		return -ENOMEM;
	tallies->list[tallies->n++] = *tally;
	*number = tallies->n;
	return 0;
}

const struct ipvs_tally *ipvs_tallies_get(const struct ipvs_tallies *tallies, uint32_t number)
{
	return number > 0 && number <= tallies->n ? &tallies->list[number - 1] : &nothing;
}

uint64_t ipvs_tally_connections(const struct ipvs_tally *tally)
{
	return (uint64_t)tally->active + tally->inactive + tally->persistent;
}
