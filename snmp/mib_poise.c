/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POISE-MIB: the daemon, its roles, VRRP instances and groups, with the cause of every state in words; the rest is in
 * mib_poise_service.c and mib_poise_work.c. Read-only, described in POISE-MIB.txt. Runs in the snmp role. */
#include "mib_poise.h"
#include <string.h>

/* ---- the daemon ---- */
static bool daemon_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	struct status_daemon st;

	(void)row;
	if (column == 2)
		return mib_text(v, conf_string(view->conf, view->conf->global->node));
	if (!view->boards[ROLE_PARENT] ||
		board_load(view->boards[ROLE_PARENT], PARENT_TABLE_DAEMON, 0, &st, sizeof(st)) < 0)
		return false;
	switch (column) {
	case 1:
		return mib_octets(v, st.version, strnlen(st.version, sizeof(st.version)));
	case 3:
		return mib_counter64(v, st.generation);
	case 4:
		return mib_date(v, st.started_real_us);
	case 5:
		return mib_date(v, st.loaded_real_us);
	case 6:
		return mib_truth(v, st.last_reload_ok);
	case 7:
		return mib_octets(v, st.config_file, strnlen(st.config_file, sizeof(st.config_file)));
	case 8:
		return mib_octets(v, st.why, strnlen(st.why, sizeof(st.why)));
	}
	return false;
}

static const uint16_t daemon_columns[] = {1, 2, 3, 4, 5, 6, 7, 8, 0};

/* ---- roles ---- */
static void role_rows(const struct mib_view *view, struct mib_rows *rows)
{
	for (uint32_t role = ROLE_PARENT + 1; view->boards[ROLE_PARENT] && role < ROLE_COUNT; role++)
		if (role_kind(role) == role || role_checker_number(role) < conf_checkers(view->conf))
			mib_rows_add(rows, role, 0, 1, &role);
}

static bool role_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	struct status_role st;

	if (column == 2)
		return mib_text(v, role_name((enum role)row->object));
	if (!view->boards[ROLE_PARENT] ||
		board_load(view->boards[ROLE_PARENT], PARENT_TABLE_ROLE, row->object, &st, sizeof(st)) < 0)
		return false;
	switch (column) {
	case 3:
		return mib_integer(v, st.state + 1);
	case 4:
		return mib_integer(v, st.pid);
	case 5:
		return mib_counter32(v, st.restarts);
	case 6:
		return mib_date(v, st.since_real_us);
	case 7:
		return mib_octets(v, st.why, strnlen(st.why, sizeof(st.why)));
	}
	return false;
}

static const uint16_t role_columns[] = {2, 3, 4, 5, 6, 7, 0};

/* ---- instances and groups ---- */
static void instance_rows(const struct mib_view *view, struct mib_rows *rows)
{
	mib_rows_numbered(rows, view->conf->n_instances);
}

static bool instance_counter(const struct status_instance *st, uint32_t column, struct mib_value *v)
{
	uint64_t dropped = 0;

	for (unsigned i = 0; i < VRRP_DROP_COUNT; i++)
		dropped += st->dropped[i];
	switch (column) {
	case 12:
		return mib_counter64(v, st->adverts_sent);
	case 13:
		return mib_counter64(v, st->adverts_received);
	case 14:
		return mib_counter64(v, dropped);
	case 15:
		return mib_counter32(v, st->became_master);
	case 16:
		return addr_is_set(&st->rival) && mib_inet_type(v, st->rival.family);
	case 17:
		return mib_inet_address(v, &st->rival);
	}
	return false;
}

static bool instance_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	const struct conf_instance *ci = &view->conf->instances[row->object];
	struct status_instance st;

	switch (column) {
	case 2:
		return mib_text(v, conf_string(view->conf, ci->name));
	case 3:
		return mib_text(v, conf_string(view->conf, ci->interface));
	case 4:
		return mib_unsigned(v, ci->vrid);
	case 6:
		return mib_unsigned(v, ci->priority);
	}
	if (!mib_load_instance(view, row->object, &st))
		return false;
	switch (column) {
	case 5:
		return mib_integer(v, st.state + 1);
	case 7:
		return mib_unsigned(v, st.effective_priority);
	case 8:
		return mib_date(v, st.since_real_us);
	case 9:
		return mib_octets(v, st.why, strnlen(st.why, sizeof(st.why)));
	case 10:
		return mib_inet_type(v, st.master.family);
	case 11:
		return mib_inet_address(v, &st.master);
	}
	return instance_counter(&st, column, v);
}

static const uint16_t instance_columns[] = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 0};

static void group_rows(const struct mib_view *view, struct mib_rows *rows)
{
	mib_rows_numbered(rows, view->conf->n_groups);
}

static bool group_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	struct status_group st;

	if (column == 2)
		return mib_text(v, conf_string(view->conf, view->conf->groups[row->object].name));
	if (!mib_load_group(view, row->object, &st))
		return false;
	switch (column) {
	case 3:
		return mib_integer(v, st.state + 1);
	case 4:
		return mib_date(v, st.since_real_us);
	case 5:
		return mib_octets(v, st.why, strnlen(st.why, sizeof(st.why)));
	}
	return false;
}

static const uint16_t group_columns[] = {2, 3, 4, 5, 0};

static const struct mib_table poise_tables[] = {
	{MIB_OID(MIB_POISE, 1, 1), daemon_columns, mib_rows_scalar, daemon_value},
	{MIB_OID(MIB_POISE, 1, 2, 1), role_columns, role_rows, role_value},
	{MIB_OID(MIB_POISE, 1, 3, 1), instance_columns, instance_rows, instance_value},
	{MIB_OID(MIB_POISE, 1, 4, 1), group_columns, group_rows, group_value},
	{MIB_OID(MIB_POISE, 1, 5, 1), poise_service_columns, poise_service_rows, poise_service_value},
	{MIB_OID(MIB_POISE, 1, 6, 1), poise_server_columns, poise_server_rows, poise_server_value},
	{MIB_OID(MIB_POISE, 1, 8, 1), poise_check_columns, poise_check_rows, poise_check_value},
	{MIB_OID(MIB_POISE, 1, 9, 1), poise_drain_columns, poise_drain_rows, poise_drain_value},
	{MIB_OID(MIB_POISE, 1, 10), poise_sync_columns, mib_rows_scalar, poise_sync_value},
	{MIB_OID(MIB_POISE, 1, 11), poise_kernel_columns, mib_rows_scalar, poise_kernel_value},
	{MIB_OID(MIB_POISE, 1, 12), poise_checking_columns, mib_rows_scalar, poise_checking_value},
	{MIB_OID(MIB_POISE, 1, 13), poise_traps_columns, mib_rows_scalar, poise_traps_value},
	{MIB_OID(MIB_POISE, 1, 14, 1), poise_receiver_columns, poise_receiver_rows, poise_receiver_value},
};

const struct mib mib_poise = {
	"POISE-MIB", MIB_OID(MIB_POISE), poise_tables, sizeof(poise_tables) / sizeof(poise_tables[0])};
