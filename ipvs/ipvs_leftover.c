/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Servers that left the configuration with connections: which they are, after a reload. They stay with weight 0 until
 * ipvs_follow.c has seen their last connection. Part of the ipvs process. */
#include "ipvs_process.h"
#include <errno.h>
#include <stdlib.h>

/* Returns 0 or -ENOMEM. */
static int add_leftover(
	struct ipvs *v, const struct ipvs_service *service, const struct ipvs_dest *dest, struct mono until)
{
	struct ipvs_leftover *list = reallocarray(v->leftovers, v->n_leftovers + 1, sizeof(*list));
	uint64_t connections = ipvs_tally_connections(ipvs_dest_tally(service, dest));
	char key[IPVS_KEY_TEXT], text[ADDR_TEXT];

	if (!list)
		return -ENOMEM;
	v->leftovers = list;
	list[v->n_leftovers] = (struct ipvs_leftover){.service = service->key, .dest = *dest, .until = until};
	list[v->n_leftovers].dest.weight = 0;
	list[v->n_leftovers].dest.tally = 0;
	v->n_leftovers++;
	v->ledger_stale = true;
	log_info("ipvs %s: server %s left the configuration with %llu connections: weight 0 until they end, for at "
		 "most %lld s",
		ipvs_key_format(&service->key, key), ipvs_dest_format(&dest->key, text),
		(unsigned long long)connections,
		(long long)((mono_diff_us(until, mono_now()) + US_PER_S - 1) / US_PER_S));
	return 0;
}

static bool is_leftover(const struct ipvs *v, const struct ipvs_key *service, const struct ipvs_dest_key *dest)
{
	for (size_t i = 0; i < v->n_leftovers; i++)
		if (ipvs_key_compare(&v->leftovers[i].service, service) == 0 &&
			ipvs_dest_key_compare(&v->leftovers[i].dest.key, dest) == 0)
			return true;
	return false;
}

static bool has_left(const struct ipvs *v, const struct ipvs_service *service, const struct ipvs_dest *dest)
{
	return dest->ours && !ipvs_owned_has(&v->now->configured, &service->key, &dest->key) &&
	       !is_leftover(v, &service->key, &dest->key);
}

/* Returns 0 or -errno. */
static int look_for_leftovers(struct ipvs *v, struct ipvs_service *have, const struct ipvs_service *want)
{
	const struct conf_service *s = &v->now->conf->services[want->service];
	uint32_t n = 0;
	int rc;

	if (s->drain_timeout_us <= 0 || !ipvs_weight_zero_is_safe(want->scheduler, want->flags))
		return 0;
	for (uint32_t i = 0; i < have->n_dests; i++)
		n += has_left(v, have, &have->dests[i]);
	if (n == 0)
		return 0;
	/* The counters of the last audit may be seconds old. What is ours is known better than the ledger knows it,
	 * which may be one that cannot be written. */
	rc = ipvs_audit_refresh(v, (uint32_t)(have - v->actual.services));
	if (rc < 0)
		return rc;
	rc = 0;
	for (uint32_t i = 0; i < have->n_dests && rc == 0; i++) {
		int64_t until_us = ipvs_owned_until_us(&v->ledger, &have->key, &have->dests[i].key);
		struct mono until = mono_add(mono_now(), s->drain_timeout_us);

		if (until_us)
			until.us = until_us;
		if (has_left(v, have, &have->dests[i]) &&
			!ipvs_drain_leftover_ends(
				mono_now(), until, ipvs_tally_connections(ipvs_dest_tally(have, &have->dests[i]))))
			rc = add_leftover(v, have, &have->dests[i], until);
	}
	return rc;
}

/* What the new configuration no longer has, and what is not given time. */
static void tell_removals(const struct ipvs *v, const struct ipvs_service *have)
{
	char key[IPVS_KEY_TEXT], text[ADDR_TEXT];

	if (!have->ours)
		return;
	if (!ipvs_image_find(&v->desired, &have->key)) {
		log_info("ipvs %s: service removed: it left the configuration", ipvs_key_format(&have->key, key));
		return;
	}
	for (uint32_t i = 0; i < have->n_dests; i++)
		if (has_left(v, have, &have->dests[i]))
			log_info("ipvs %s: server %s removed: it left the configuration",
				ipvs_key_format(&have->key, key), ipvs_dest_format(&have->dests[i].key, text));
}

/* Drops leftovers that are configured again or whose service is gone; true when there were some. */
static bool drop_leftovers(struct ipvs *v)
{
	size_t n = 0, before = v->n_leftovers;

	for (size_t i = 0; i < before; i++) {
		const struct ipvs_leftover *l = &v->leftovers[i];

		if (ipvs_owned_has(&v->now->configured, &l->service, NULL) &&
			!ipvs_owned_has(&v->now->configured, &l->service, &l->dest.key))
			v->leftovers[n++] = *l;
	}
	v->n_leftovers = n;
	return n < before;
}

int ipvs_leftover_update(struct ipvs *v, bool *changed)
{
	size_t before;
	int rc = 0;

	*changed |= drop_leftovers(v);
	if (!v->switched)
		return 0;
	before = v->n_leftovers;
	for (uint32_t i = 0; i < v->desired.n_services && rc == 0; i++) {
		struct ipvs_service *have = ipvs_image_find(&v->actual, &v->desired.services[i].key);

		if (have)
			rc = look_for_leftovers(v, have, &v->desired.services[i]);
		board_beat(v->p->board);
	}
	*changed |= v->n_leftovers > before;
	if (rc < 0)
		return rc;
	v->switched = false;
	for (uint32_t i = 0; i < v->actual.n_services; i++)
		tell_removals(v, &v->actual.services[i]);
	return 0;
}
