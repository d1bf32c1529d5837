/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes good what event rings lost, from the records on the board of the health checker. Runs in the snmp role; sends
 * nothing. */
#include "trap_level.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVEL_UNKNOWN 0x7f  /* there was no record yet */
#define LEVEL_REPAIRED 0x80 /* with the health: told from the board; its event may be still to come */

void trap_level_free(struct trap_level *l)
{
	free(l->told);
	*l = (struct trap_level){0};
}

static uint8_t level_now(const struct mib_view *view, conf_index_t server, struct status_health *st)
{
	return mib_load_health(view, server, st) ? (uint8_t)st->health : LEVEL_UNKNOWN;
}

static bool knows_all(const struct mib_view *view)
{
	for (unsigned i = 0; i < conf_checkers(view->conf); i++)
		if (!view->boards[role_checker(i)])
			return false;
	return true;
}

void trap_level_follow(struct trap_level *l, const struct mib_view *view)
{
	struct status_health st;

	if (!knows_all(view) || (l->told && l->generation == view->conf->generation))
		return;
	trap_level_free(l);
	l->told = malloc(view->conf->n_servers);
	if (!l->told)
		return;
	l->n = view->conf->n_servers;
	l->generation = view->conf->generation;
	for (conf_index_t i = 0; i < l->n; i++)
		l->told[i] = level_now(view, i, &st);
}

bool trap_level_hear(struct trap_level *l, const struct conf *conf, const struct event *ev)
{
	bool is_told;

	if (ev->kind != EVENT_SERVER || ev->generation != l->generation || ev->object >= l->n ||
		conf->generation != l->generation)
		return true;
	is_told = l->told[ev->object] == (LEVEL_REPAIRED | ev->to);
	l->told[ev->object] = (uint8_t)ev->to;
	return !is_told;
}

static void event_from_board(
	const struct conf *conf, conf_index_t server, uint32_t from, const struct status_health *st, struct event *ev)
{
	char service[CONF_NAME_SIZE], name[CONF_NAME_SIZE], both[2 * CONF_NAME_SIZE];

	*ev = (struct event){.kind = EVENT_SERVER,
		.generation = conf->generation,
		.object = server,
		.from = from,
		.to = st->health,
		.real_us = st->since_real_us};
	snprintf(both, sizeof(both), "%s %s", conf_service_name(conf, conf->servers[server].service, service),
		conf_server_name(conf, server, name));
	snprintf(ev->name, sizeof(ev->name), "%.*s", (int)sizeof(ev->name) - 1, both);
	memcpy(ev->why, st->why, sizeof(ev->why));
}

bool trap_level_next(struct trap_level *l, const struct mib_view *view, conf_index_t *server, struct event *ev)
{
	struct status_health st;

	if (l->generation != view->conf->generation)
		return false;
	for (; *server < l->n; ++*server) {
		uint8_t was = l->told[*server] & ~LEVEL_REPAIRED, now = level_now(view, *server, &st);

		if (now == LEVEL_UNKNOWN || now == was)
			continue;
		event_from_board(view->conf, *server, was == LEVEL_UNKNOWN ? HEALTH_UNKNOWN : was, &st, ev);
		l->told[(*server)++] = LEVEL_REPAIRED | now;
		return true;
	}
	return false;
}
