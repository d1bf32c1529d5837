/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the boards say of this generation, and why one says nothing; for every part of the status document. */
#include "control_source.h"
#include "needed.h"

#include <stdio.h>
#include <string.h>

/* The board of a role, if it speaks of the configuration's generation. */
static const struct board *current(const struct status_source *source, enum role role)
{
	const struct board *board = source->boards[role];

	return board && board_generation(board) == source->conf->generation ? board : NULL;
}

bool status_load(
	const struct status_source *source, enum role role, unsigned table, uint32_t index, void *record, size_t size)
{
	const struct board *board = current(source, role);

	memset(record, 0, size);
	if (!board)
		return false;
	if (board_load(board, table, index, record, size) == 0)
		return true;
	memset(record, 0, size);
	return false;
}

bool status_find_server(const struct status_source *source, conf_index_t server, struct status_server *status)
{
	const struct board *board = current(source, ROLE_IPVS);

	if (board && status_load_server(board, server, status) == 0)
		return true;
	memset(status, 0, sizeof(*status));
	return false;
}

void status_find_admin(const struct status_source *source, conf_index_t server, struct status_admin *admin)
{
	const struct board *board = current(source, ROLE_PARENT);

	if (!board || status_load_admin(board, server, admin) < 0)
		*admin = (struct status_admin){.weight = -1};
}

bool status_find_checks(const struct status_source *source, struct status_checks *sum)
{
	bool any = false;

	*sum = (struct status_checks){0};
	for (unsigned i = 0; i < conf_checkers(source->conf); i++) {
		struct status_checks one;

		if (!status_load(source, role_checker(i), HEALTH_TABLE_ROLE, 0, &one, sizeof(one)))
			continue;
		status_add_checks(sum, &one);
		any = true;
	}
	return any;
}

const char *status_absence(const struct status_source *source, enum role role, char why[WHY_SIZE])
{
	const struct board *board = source->boards[role];

	if (!board && needed_why_not(source->conf, role))
		snprintf(why, WHY_SIZE, "%s", needed_why_not(source->conf, role));
	else if (!board)
		snprintf(why, WHY_SIZE, "%s is not running", role_name(role));
	else if (board_generation(board) != source->conf->generation)
		snprintf(why, WHY_SIZE, "%s has not switched to generation %llu yet", role_name(role),
			(unsigned long long)source->conf->generation);
	else
		snprintf(why, WHY_SIZE, "%s has said nothing about it yet", role_name(role));
	return why;
}

bool status_is_settled(const struct status_source *source)
{
	if (!source->conf)
		return false;
	for (int role = 0; role < ROLE_COUNT; role++) {
		/* Nobody waits for snmp, whose library may block; control's own board has no records. */
		if (role == ROLE_SNMP || role == ROLE_CONTROL || !source->boards[role])
			continue;
		if (board_generation(source->boards[role]) != source->conf->generation)
			return false;
	}
	return true;
}
