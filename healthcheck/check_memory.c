/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Remembers verdicts over the end of the daemon. Runs in poise-healthcheck; what it recalls is an assumption that the
 * first result replaces. */
#include "check_memory.h"
#include "ledger.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void check_memory_init(struct check_memory *memory)
{
	*memory = (struct check_memory){.fd = -1};
}

static void forget(struct check_memory *memory)
{
	free(memory->known);
	free(memory->stored);
	memory->known = memory->stored = NULL;
	memory->n = 0;
}

void check_memory_free(struct check_memory *memory)
{
	forget(memory);
	if (memory->fd >= 0)
		close(memory->fd);
	memory->fd = -1;
}

void check_memory_set_file(struct check_memory *memory, int fd)
{
	if (memory->fd >= 0)
		close(memory->fd);
	memory->fd = fd;
}

static uint64_t mix(uint64_t sum, const char *text)
{
	/* FNV-1a, the end of the text included */
	do
		sum = (sum ^ (unsigned char)*text) * 0x100000001b3ULL;
	while (*text++);
	return sum;
}

static uint64_t key_of(const struct conf *conf, conf_index_t server)
{
	char name[CONF_NAME_SIZE];
	uint64_t sum = mix(0xcbf29ce484222325ULL, conf_service_name(conf, conf->servers[server].service, name));

	return mix(sum, conf_server_name(conf, server, name));
}

static bool is_asked(const struct conf *conf)
{
	for (uint32_t i = 0; i < conf->n_checks; i++)
		if (conf->checks[i].initial == CONF_CHECK_INITIAL_LAST)
			return true;
	return false;
}

int check_memory_reserve(struct check_memory *memory, const struct conf *conf)
{
	forget(memory);
	if (!is_asked(conf))
		return 0;
	memory->known = calloc(conf->n_servers, sizeof(*memory->known));
	memory->stored = calloc(conf->n_servers, sizeof(*memory->stored));
	if (!memory->known || !memory->stored) {
		forget(memory);
		return -ENOMEM;
	}
	memory->n = conf->n_servers;
	for (uint32_t i = 0; i < memory->n; i++)
		memory->known[i].key = key_of(conf, i);
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct known_server *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static void recall_one(struct check *c, enum health health)
{
	c->verdict.health = health;
	c->status.health = health;
	snprintf(c->status.why, WHY_SIZE, "not checked yet: %s as last known before the start", health_name(health));
}

uint32_t check_memory_recall(const struct check_memory *memory, struct check_set *set)
{
	struct known_server *records = NULL;
	uint32_t recalled = 0;
	size_t count = 0;

	if (memory->n == 0 || memory->fd < 0 ||
		ledger_load(memory->fd, LEDGER_HEALTH, sizeof(*records), (void **)&records, &count) < 0)
		return 0;
	if (count == 0) {
		free(records);
		return 0;
	}
	qsort(records, count, sizeof(*records), by_key);
	for (uint32_t i = 0; i < set->n_checks; i++) {
		struct check *c = set->checks[i];
		const struct conf_check *check = &set->conf->checks[i];
		const struct known_server *was;

		if (!c || check->initial != CONF_CHECK_INITIAL_LAST || c->is_dead || c->status.runs > 0 ||
			c->verdict.health != HEALTH_UNKNOWN)
			continue;
		was = bsearch(&memory->known[check->server], records, count, sizeof(*records), by_key);
		if (!was || (was->health != HEALTH_UP && was->health != HEALTH_DOWN))
			continue;
		recall_one(c, (enum health)was->health);
		recalled++;
	}
	free(records);
	return recalled;
}

static uint32_t health_of(const struct check_set *set, conf_index_t server, struct board *const *boards)
{
	const struct board *board = boards ? boards[conf_checker(set->conf, server)] : NULL;
	struct status_health heard;

	if (check_set_owns(set, server))
		return set->servers[server].health;
	if (!board || board_generation(board) != set->conf->generation ||
		board_load(board, HEALTH_TABLE_SERVER, server, &heard, sizeof(heard)) < 0)
		return HEALTH_UNKNOWN;
	return heard.health;
}

void check_memory_store(struct check_memory *memory, const struct check_set *set, struct board *const *boards)
{
	if (memory->n == 0 || memory->n != set->n_servers || memory->fd < 0 || set->checker != ROLE_HEALTHCHECK)
		return;
	/* What is not known yet does not replace what was. */
	for (uint32_t i = 0; i < memory->n; i++) {
		uint32_t health = health_of(set, i, boards);

		if (health != HEALTH_UNKNOWN)
			memory->known[i].health = health;
	}
	if (memcmp(memory->known, memory->stored, memory->n * sizeof(*memory->known)) == 0)
		return;
	if (ledger_store(memory->fd, LEDGER_HEALTH, sizeof(*memory->known), memory->known, memory->n) == 0)
		memcpy(memory->stored, memory->known, memory->n * sizeof(*memory->known));
}
