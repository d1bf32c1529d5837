/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POISE-MIB: the daemon, its roles, VRRP instances and groups, services and servers, with the cause of every state in
 * words. Read-only, described in POISE-MIB.txt. Runs in the snmp role. */
#include "mib.h"
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
	for (uint32_t i = 0; i < view->conf->n_instances; i++)
		mib_rows_add(rows, i, 0, 1, (uint32_t[]){i + 1});
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
	return false;
}

static const uint16_t instance_columns[] = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0};

static void group_rows(const struct mib_view *view, struct mib_rows *rows)
{
	for (uint32_t i = 0; i < view->conf->n_groups; i++)
		mib_rows_add(rows, i, 0, 1, (uint32_t[]){i + 1});
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

/* ---- services ---- */
static void service_rows(const struct mib_view *view, struct mib_rows *rows)
{
	for (uint32_t i = 0; i < view->conf->n_services; i++)
		mib_rows_add(rows, i, 0, 1, (uint32_t[]){i + 1});
}

static bool service_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
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
	}
	return false;
}

static const uint16_t service_columns[] = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0};

/* ---- servers ---- */
static void server_rows(const struct mib_view *view, struct mib_rows *rows)
{
	for (uint32_t i = 0; i < view->conf->n_services; i++) {
		const struct conf_service *cs = &view->conf->services[i];

		for (uint32_t j = 0; j < cs->servers.count; j++)
			mib_rows_add(rows, cs->servers.first + j, i, 2, (uint32_t[]){i + 1, j + 1});
	}
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
	}
	return false;
}

static bool server_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
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
	}
	return server_health(view, row, column, v) || server_traffic(view, row, column, v);
}

static const uint16_t server_columns[] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0};

static const struct mib_table poise_tables[] = {
	{MIB_OID(MIB_POISE, 1, 1), daemon_columns, mib_rows_scalar, daemon_value},
	{MIB_OID(MIB_POISE, 1, 2, 1), role_columns, role_rows, role_value},
	{MIB_OID(MIB_POISE, 1, 3, 1), instance_columns, instance_rows, instance_value},
	{MIB_OID(MIB_POISE, 1, 4, 1), group_columns, group_rows, group_value},
	{MIB_OID(MIB_POISE, 1, 5, 1), service_columns, service_rows, service_value},
	{MIB_OID(MIB_POISE, 1, 6, 1), server_columns, server_rows, server_value},
};

const struct mib mib_poise = {
	"POISE-MIB", MIB_OID(MIB_POISE), poise_tables, sizeof(poise_tables) / sizeof(poise_tables[0])};
