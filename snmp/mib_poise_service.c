/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POISE-MIB: services, their servers, the checks of those, and drains. Read-only. Runs in the snmp role. */
#include "mib_poise.h"
#include <string.h>

/* ---- services ---- */
void poise_service_rows(const struct mib_view *view, struct mib_rows *rows)
{
	mib_rows_numbered(rows, view->conf->n_services);
}

bool poise_service_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	const struct conf_service *cs = &view->conf->services[row->object];
	struct status_service st;
	char name[CONF_NAME_SIZE];

	switch (column) {
	case 2:
		return mib_text(v, conf_service_name(view->conf, row->object, name));
	case 3:
		return mib_text(v, conf_string(view->conf, cs->scheduler));
	case 5:
		return mib_unsigned(v, cs->servers.count);
	case 6:
		return mib_unsigned(v, mib_servers_up(view, row->object));
	case 7:
		return mib_unsigned(v, cs->quorum);
	}
	if (!mib_load_service(view, row->object, &st))
		return false;
	switch (column) {
	case 4:
		return mib_truth(v, st.is_programmed);
	case 8:
		return mib_truth(v, st.quorum_met);
	case 9:
		return mib_truth(v, st.sorry_active);
	case 10:
		return mib_counter64(v, st.connections);
	case 11:
		return mib_counter64(v, st.bytes_in);
	case 12:
		return mib_counter64(v, st.bytes_out);
	case 13:
		return mib_date(v, st.since_real_us);
	case 14:
		return mib_octets(v, st.why, strnlen(st.why, sizeof(st.why)));
	case 15:
		return mib_counter64(v, st.packets_in);
	case 16:
		return mib_counter64(v, st.packets_out);
	}
	return false;
}

const uint16_t poise_service_columns[] = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0};

/* ---- servers ---- */
void poise_server_rows(const struct mib_view *view, struct mib_rows *rows)
{
	struct mib_walk walk = {0};

	while (mib_walk_servers(view->conf, false, &walk))
		mib_rows_add(rows, walk.server, walk.service, 2, walk.index);
}

static bool server_health(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	struct status_health st;

	if (!mib_load_health(view, row->object, &st))
		return false;
	switch (column) {
	case 6:
		return mib_integer(v, st.health + 1);
	case 12:
		return mib_date(v, st.since_real_us);
	case 13:
		return mib_octets(v, st.why, strnlen(st.why, sizeof(st.why)));
	case 19:
		return mib_truth(v, st.is_held);
	case 20:
		return st.response_us > 0 && mib_unsigned(v, st.response_us);
	}
	return false;
}

static bool server_traffic(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	struct status_server st;

	if (!mib_load_server(view, row->object, &st))
		return false;
	switch (column) {
	case 7:
		return mib_integer(v, st.admin + 1);
	case 9:
		return mib_integer(v, st.effective_weight);
	case 10:
		return mib_unsigned(v, st.active);
	case 11:
		return mib_unsigned(v, st.inactive);
	case 14:
		return mib_counter64(v, st.connections);
	case 15:
		return mib_truth(v, st.is_drained);
	case 17:
		return mib_counter64(v, st.bytes_in);
	case 18:
		return mib_counter64(v, st.bytes_out);
	}
	return false;
}

bool poise_server_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	const struct conf_server *cs = &view->conf->servers[row->object];

	switch (column) {
	case 3:
		return mib_inet_type(v, cs->addr.family);
	case 4:
		return mib_inet_address(v, &cs->addr);
	case 5:
		return mib_unsigned(v, cs->port);
	case 8:
		return mib_integer(v, cs->weight);
	case 16:
		return cs->name && mib_text(v, conf_string(view->conf, cs->name));
	}
	return server_health(view, row, column, v) || server_traffic(view, row, column, v);
}

const uint16_t poise_server_columns[] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 0};

/* ---- checks ---- */
void poise_check_rows(const struct mib_view *view, struct mib_rows *rows)
{
	struct mib_walk walk = {0};

	while (mib_walk_servers(view->conf, false, &walk)) {
		const struct conf_range *checks = &view->conf->servers[walk.server].checks;

		for (uint32_t k = 0; k < checks->count; k++)
			mib_rows_add(rows, checks->first + k, walk.service, 3,
				(uint32_t[]){walk.index[0], walk.index[1], k + 1});
	}
}

static bool check_counter(const struct status_check *st, uint32_t column, struct mib_value *v)
{
	switch (column) {
	case 6:
		return mib_unsigned(v, st->failures);
	case 7:
		return mib_unsigned(v, st->successes);
	case 8:
		return mib_counter64(v, st->runs);
	case 9:
		return mib_counter64(v, st->failed_runs);
	case 10:
		return st->runs > 0 && mib_unsigned(v, (uint64_t)st->last_duration_us);
	case 11: /* the board has it plus one, and 0 for unknown */
		return st->cert_days > 0 && mib_unsigned(v, st->cert_days - 1);
	case 12:
		return mib_truth(v, st->is_late);
	}
	return false;
}

bool poise_check_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	struct status_check st;

	if (column == 4)
		return mib_integer(v, (int64_t)view->conf->checks[row->object].kind + 1);
	if (!mib_load_check(view, row->object, &st))
		return false;
	switch (column) {
	case 5:
		return mib_integer(v, st.health + 1);
	case 13:
		return mib_date(v, st.since_real_us);
	case 14:
		return mib_octets(v, st.why, strnlen(st.why, sizeof(st.why)));
	}
	return check_counter(&st, column, v);
}

const uint16_t poise_check_columns[] = {4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0};

/* ---- drains: the servers that an operator wants otherwise than in use ---- */
static bool load_admin(const struct mib_view *view, conf_index_t server, struct status_admin *st)
{
	const struct board *board = view->boards[ROLE_PARENT];

	/* What the parent says of its roles has no generation, what it says of servers has. */
	return board && board_generation(board) == view->conf->generation && status_load_admin(board, server, st) == 0;
}

void poise_drain_rows(const struct mib_view *view, struct mib_rows *rows)
{
	struct mib_walk walk = {0};
	struct status_admin st;

	while (mib_walk_servers(view->conf, false, &walk)) {
		if (load_admin(view, walk.server, &st) && st.admin != ADMIN_NORMAL)
			mib_rows_add(rows, walk.server, walk.service, 2, walk.index);
	}
}

static bool drain_progress(const struct status_server *st, uint32_t column, struct mib_value *v)
{
	switch (column) {
	case 5:
		return mib_unsigned(v, (uint64_t)st->active + st->inactive);
	case 6:
		return mib_truth(v, st->is_drained);
	case 7:
		return mib_truth(v, st->drain_over);
	case 8:
		return mib_counter64(v, st->drain_cut);
	}
	return false;
}

bool poise_drain_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	struct status_server server;
	struct status_admin st;

	if (!load_admin(view, row->object, &st))
		return false;
	switch (column) {
	case 1:
		return mib_integer(v, st.admin + 1);
	case 2:
		return mib_date(v, st.since_real_us);
	case 3:
		return mib_date(v, st.until_real_us);
	case 4:
		return mib_integer(v, st.drain_end + 1);
	case 9:
		return mib_octets(v, st.why, strnlen(st.why, sizeof(st.why)));
	}
	return mib_load_server(view, row->object, &server) && drain_progress(&server, column, v);
}

const uint16_t poise_drain_columns[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 0};
