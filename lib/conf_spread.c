/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Spreads the servers of a generation over several health checkers. Pure but for the memory of its tables; used by the
 * checkers and by all who read their boards. */
#include "conf.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Sets of servers that belong together, as a forest: a root is its own parent. */
struct sets {
	conf_index_t *parent;
	uint64_t *key; /* of a root: what its set is known by in other generations */
};

static uint64_t mix(uint64_t sum, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	/* FNV-1a, and a finish that spreads its upper bits (those of SplitMix64) */
	while (size-- > 0)
		sum = (sum ^ *bytes++) * 0x100000001b3ULL;
	sum = (sum ^ (sum >> 30)) * 0xbf58476d1ce4e5b9ULL;
	sum = (sum ^ (sum >> 27)) * 0x94d049bb133111ebULL;
	return sum ^ (sum >> 31);
}

static uint64_t hash_target(const struct addr *addr, uint16_t port)
{
	return mix(mix(0xcbf29ce484222325ULL, addr, sizeof(*addr)), &port, sizeof(port));
}

static conf_index_t find_root(struct sets *sets, conf_index_t server)
{
	while (sets->parent[server] != server) {
		sets->parent[server] = sets->parent[sets->parent[server]];
		server = sets->parent[server];
	}
	return server;
}

/* The smallest key of its members is the set's: it outlives the coming and going of all others. */
static void join(struct sets *sets, conf_index_t a, conf_index_t b)
{
	a = find_root(sets, a);
	b = find_root(sets, b);
	if (a == b)
		return;
	if (sets->key[b] < sets->key[a])
		sets->key[a] = sets->key[b];
	sets->parent[b] = a;
}

static bool same_target(const struct conf_check *a, const struct conf_check *b)
{
	return a->port == b->port && addr_equal(&a->target, &b->target);
}

/* Checks of one target may be identical, and identical ones run once. */
static int join_targets(struct sets *sets, const struct conf *conf)
{
	uint64_t size = 16;
	conf_index_t *slots;

	while (size < 2 * (uint64_t)conf->n_checks)
		size *= 2;
	slots = malloc(size * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	memset(slots, 0xff, size * sizeof(*slots));
	for (conf_index_t i = 0; i < conf->n_checks; i++) {
		const struct conf_check *c = &conf->checks[i];
		uint64_t at = hash_target(&c->target, c->port) & (size - 1);

		if (c->server >= conf->n_servers || !addr_is_set(&c->target))
			continue;
		while (slots[at] != CONF_NONE && !same_target(&conf->checks[slots[at]], c))
			at = (at + 1) & (size - 1);
		if (slots[at] == CONF_NONE)
			slots[at] = i;
		else
			join(sets, conf->checks[slots[at]].server, c->server);
	}
	free(slots);
	return 0;
}

static void join_pools(struct sets *sets, const struct conf *conf)
{
	for (conf_index_t i = 0; i < conf->n_services; i++) {
		const struct conf_service *s = &conf->services[i];

		if (!s->panic_threshold && !s->adaptive_weight)
			continue;
		for (uint32_t k = 1; k < s->servers.count; k++)
			join(sets, s->servers.first, s->servers.first + k);
	}
}

/* Rendezvous: each process bids for the set, and what one that comes or goes has bid changes nobody else's order. */
static uint8_t choose(uint64_t key, unsigned processes)
{
	uint64_t best = 0;
	uint8_t chosen = 0;

	for (uint8_t i = 0; i < processes; i++) {
		uint64_t bid = mix(key, &i, sizeof(i));

		if (bid > best) {
			best = bid;
			chosen = i;
		}
	}
	return chosen;
}

unsigned conf_checkers(const struct conf *conf)
{
	uint32_t wanted = conf->global->check_processes;

	if (wanted < 1)
		return 1;
	return wanted < CHECKERS_MAX ? wanted : CHECKERS_MAX;
}

int conf_spread(struct conf *conf)
{
	struct sets sets = {NULL, NULL};
	uint8_t *checkers = NULL;
	int rc = -ENOMEM;

	if (conf_checkers(conf) == 1 || conf->checkers)
		return 0;
	sets.parent = calloc((size_t)conf->n_servers + 1, sizeof(*sets.parent));
	sets.key = calloc((size_t)conf->n_servers + 1, sizeof(*sets.key));
	checkers = calloc((size_t)conf->n_servers + 1, sizeof(*checkers));
	if (!sets.parent || !sets.key || !checkers)
		goto out;
	for (conf_index_t i = 0; i < conf->n_servers; i++) {
		sets.parent[i] = i;
		sets.key[i] = hash_target(&conf->servers[i].addr, conf->servers[i].port);
	}
	rc = join_targets(&sets, conf);
	if (rc < 0)
		goto out;
	join_pools(&sets, conf);
	for (conf_index_t i = 0; i < conf->n_servers; i++)
		checkers[i] = choose(sets.key[find_root(&sets, i)], conf_checkers(conf));
	conf->checkers = checkers;
	checkers = NULL;
out:
	free(sets.parent);
	free(sets.key);
	free(checkers);
	return rc;
}

enum role conf_checker(const struct conf *conf, conf_index_t server)
{
	return role_checker(conf->checkers && server < conf->n_servers ? conf->checkers[server] : 0);
}
