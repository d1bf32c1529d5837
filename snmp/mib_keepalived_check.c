/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KEEPALIVED-MIB, checker part: virtual servers and real servers with the columns and numbers that tools made for
 * keepalived read. Read-only. Runs in the snmp role. Rates are absent: the kernel's averages are not on the boards. */
#include "mib.h"
#include <netinet/in.h>
#include <string.h>

/* ---- groups of virtual servers ---- */
static void service_group_rows(const struct mib_view *view, struct mib_rows *rows)
{
	for (uint32_t i = 0; i < view->conf->n_service_groups; i++)
		mib_rows_add(rows, i, 0, 1, (uint32_t[]){i + 1});
}

static bool service_group_value(
	const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	return column == 2 && mib_text(v, conf_string(view->conf, view->conf->service_groups[row->object].name));
}

static const uint16_t name_columns[] = {2, 0};

static void group_entry_rows(const struct mib_view *view, struct mib_rows *rows)
{
	for (uint32_t i = 0; i < view->conf->n_service_groups; i++) {
		const struct conf_range *entries = &view->conf->service_groups[i].entries;

		for (uint32_t j = 0; j < entries->count; j++)
			mib_rows_add(rows, entries->first + j, 0, 2, (uint32_t[]){i + 1, j + 1});
	}
}

static bool group_entry_value(
	const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	const struct conf_group_entry *e = &view->conf->group_entries[row->object];
	bool is_range = !addr_equal(&e->first, &e->last);

	if (column == 2) /* fwmark(1) ip(2) iprange(3) */
		return mib_integer(v, e->fwmark ? 1 : is_range ? 3 : 2);
	if (e->fwmark)
		return column == 3 && mib_unsigned(v, e->fwmark);
	switch (column) {
	case 4:
		return mib_inet_type(v, e->first.family);
	case 5:
		return !is_range && mib_inet_address(v, &e->first);
	case 6:
		return is_range && mib_inet_address(v, &e->first);
	case 7:
		return is_range && mib_inet_address(v, &e->last);
	case 8:
		return mib_unsigned(v, e->port);
	}
	return false;
}

static const uint16_t group_entry_columns[] = {2, 3, 4, 5, 6, 7, 8, 0};

/* ---- virtual servers ---- */
static void service_rows(const struct mib_view *view, struct mib_rows *rows)
{
	for (uint32_t i = 0; i < view->conf->n_services; i++)
		mib_rows_add(rows, i, 0, 1, (uint32_t[]){i + 1});
}

static int32_t scheduler_number(const char *name)
{
	static const char *const names[] = {
		"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos"};

	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			return (int32_t)i + 1;
	}
	return 99;
}

/* tcp(1) udp(2) sctp(3) none(4) */
static int32_t protocol_number(uint16_t protocol)
{
	return protocol == IPPROTO_TCP ? 1 : protocol == IPPROTO_UDP ? 2 : protocol == IPPROTO_SCTP ? 3 : 4;
}

/* nat(1) dr(2) tun(3) */
static int32_t forward_number(uint32_t forward)
{
	return forward == CONF_FORWARD_DR ? 2 : forward == CONF_FORWARD_TUN ? 3 : 1;
}

/* fwmark(1) ip(2) group(3) */
static int32_t kind_number(uint32_t kind)
{
	return kind == CONF_SERVICE_FWMARK ? 1 : kind == CONF_SERVICE_GROUP ? 3 : 2;
}

static bool service_identity(
	const struct mib_view *view, const struct conf_service *cs, uint32_t column, struct mib_value *v)
{
	const struct conf *conf = view->conf;

	switch (column) {
	case 2:
		return mib_integer(v, kind_number(cs->kind));
	case 3:
		return cs->kind == CONF_SERVICE_GROUP && cs->group != CONF_NONE &&
		       mib_text(v, conf_string(conf, conf->service_groups[cs->group].name));
	case 4:
		return cs->kind == CONF_SERVICE_FWMARK && mib_unsigned(v, cs->fwmark);
	case 5:
		return cs->kind == CONF_SERVICE_ADDRESS && mib_inet_type(v, cs->addr.family);
	case 6:
		return cs->kind == CONF_SERVICE_ADDRESS && mib_inet_address(v, &cs->addr);
	case 7:
		return cs->kind == CONF_SERVICE_ADDRESS && mib_unsigned(v, cs->port);
	case 8:
		return cs->kind != CONF_SERVICE_FWMARK && mib_integer(v, protocol_number(cs->protocol));
	}
	return false;
}

static bool service_setting(
	const struct mib_view *view, const struct conf_service *cs, uint32_t column, struct mib_value *v)
{
	const struct conf *conf = view->conf;

	switch (column) {
	case 9:
		return mib_integer(v, scheduler_number(conf_string(conf, cs->scheduler)));
	case 10:
		return mib_integer(v, forward_number(cs->forward));
	case 12:
		return cs->virtualhost && mib_text(v, conf_string(conf, cs->virtualhost));
	case 13:
		return mib_truth(v, cs->persistence_us > 0);
	case 14:
		return cs->persistence_us > 0 && mib_unsigned(v, (uint64_t)(cs->persistence_us / US_PER_S));
	case 17:
		return mib_truth(v, cs->ha_suspend);
	case 18:
		return mib_truth(v, cs->alpha);
	case 19:
		return mib_truth(v, cs->omega);
	case 22:
		return mib_unsigned(v, cs->quorum);
	case 24:
		return mib_notify(v, conf, cs->notifies, CONF_NOTIFY_QUORUM_UP);
	case 25:
		return mib_notify(v, conf, cs->notifies, CONF_NOTIFY_QUORUM_DOWN);
	case 26:
		return mib_unsigned(v, cs->hysteresis);
	case 37:
		return mib_truth(v, cs->one_packet);
	case 61:
		return mib_truth(v, cs->smtp_alert);
	}
	return false;
}

/* Every counter twice: as 32 bits from `narrow` on, as 64 bits from `wide` on; bytes are always 64. */
static bool traffic_value(
	uint32_t column, uint32_t narrow, uint32_t wide, const uint64_t counters[5], struct mib_value *v)
{
	if (column >= wide && column < wide + 3)
		return mib_counter64(v, counters[column - wide]);
	switch (column - narrow) {
	case 0:
	case 1:
		return mib_counter32(v, counters[1 + column - narrow]);
	case 2:
	case 3:
		return mib_counter64(v, counters[1 + column - narrow]);
	}
	return false;
}

static bool service_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	const struct conf_service *cs = &view->conf->services[row->object];
	struct status_service st;

	if (column <= 8)
		return service_identity(view, cs, column, v);
	if (!mib_load_service(view, row->object, &st))
		st = (struct status_service){0};
	switch (column) {
	case 11: /* alive(1) even with every server dead, as readers know it; 20, 21 and 23 tell of the servers */
		return mib_truth(v, st.is_programmed);
	case 20:
		return mib_unsigned(v, cs->servers.count);
	case 21:
		return mib_unsigned(v, mib_servers_up(view, row->object));
	case 23:
		return mib_truth(v, st.quorum_met);
	case 27:
		return mib_unsigned(v, st.connections);
	}
	return service_setting(view, cs, column, v) ||
	       traffic_value(column, 28, 38,
		       (uint64_t[]){st.connections, st.packets_in, st.packets_out, st.bytes_in, st.bytes_out}, v);
}

static const uint16_t service_columns[] = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 17, 18, 19, 20, 21, 22, 23, 24,
	25, 26, 27, 28, 29, 30, 31, 37, 38, 39, 40, 61, 0};

/* ---- real servers: the sorry server, if any, comes first ---- */
static void server_rows(const struct mib_view *view, struct mib_rows *rows)
{
	for (uint32_t i = 0; i < view->conf->n_services; i++) {
		const struct conf_service *cs = &view->conf->services[i];
		uint32_t n = 1;

		if (cs->sorry != CONF_NONE)
			mib_rows_add(rows, cs->sorry, i, 2, (uint32_t[]){i + 1, n++});
		for (uint32_t j = 0; j < cs->servers.count; j++)
			mib_rows_add(rows, cs->servers.first + j, i, 2, (uint32_t[]){i + 1, n++});
	}
}

static uint32_t failed_checks(const struct mib_view *view, const struct conf_server *cs)
{
	const struct board *board = view->boards[ROLE_HEALTHCHECK];
	struct status_check st;
	uint32_t failed = 0;

	for (uint32_t i = 0; board && i < cs->checks.count; i++) {
		if (board_load(board, HEALTH_TABLE_CHECK, cs->checks.first + i, &st, sizeof(st)) == 0)
			failed += st.health == HEALTH_DOWN;
	}
	return failed;
}

/* What a sorry server does not have: it is never checked and takes over only when all others are gone. */
static bool server_regular(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	const struct conf_server *cs = &view->conf->servers[row->object];
	struct status_server st;

	switch (column) {
	case 6:
		return mib_truth(v, mib_server_is_up(view, row->object));
	case 7:
		return mib_integer(v, mib_load_server(view, row->object, &st) ? st.effective_weight : cs->weight);
	case 8:
		return cs->upper_threshold > 0 && mib_unsigned(v, cs->upper_threshold);
	case 9:
		return cs->lower_threshold > 0 && mib_unsigned(v, cs->lower_threshold);
	case 10: /* remove(1) inhibit(2) */
		return mib_integer(v, cs->inhibit_on_failure ? 2 : 1);
	case 11:
		return mib_notify(v, view->conf, cs->notifies, CONF_NOTIFY_UP);
	case 12:
		return mib_notify(v, view->conf, cs->notifies, CONF_NOTIFY_DOWN);
	case 13:
		return mib_unsigned(v, failed_checks(view, cs));
	case 42:
		return mib_truth(v, cs->alpha);
	case 47:
		return mib_truth(v, cs->smtp_alert);
	}
	return false;
}

static bool server_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	const struct conf_server *cs = &view->conf->servers[row->object];
	struct status_server st;

	switch (column) {
	case 2: /* regular(1) sorry(2) */
		return mib_integer(v, cs->is_sorry ? 2 : 1);
	case 3:
		return mib_inet_type(v, cs->addr.family);
	case 4:
		return mib_inet_address(v, &cs->addr);
	case 5:
		return mib_unsigned(v, cs->port);
	case 40:
		return mib_integer(v, forward_number(cs->forward));
	case 55:
		return cs->name && mib_text(v, conf_string(view->conf, cs->name));
	}
	if (!cs->is_sorry && server_regular(view, row, column, v))
		return true;
	if (!mib_load_server(view, row->object, &st))
		st = (struct status_server){0};
	switch (column) {
	case 14:
		return mib_unsigned(v, st.connections);
	case 15:
		return mib_unsigned(v, st.active);
	case 16:
		return mib_unsigned(v, st.inactive);
	case 17:
		return mib_unsigned(v, st.persistent);
	}
	return traffic_value(column, 18, 27,
		(uint64_t[]){st.connections, st.packets_in, st.packets_out, st.bytes_in, st.bytes_out}, v);
}

static const uint16_t server_columns[] = {
	2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 27, 28, 29, 40, 42, 47, 55, 0};

/* ---- time limits of the kernel's connection table ---- */
static bool timeout_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	const struct conf_global *g = view->conf->global;
	const int64_t timeouts[] = {g->lvs_timeout_tcp_us, g->lvs_timeout_tcpfin_us, g->lvs_timeout_udp_us};

	(void)row;
	return timeouts[column - 1] > 0 && mib_unsigned(v, (uint64_t)(timeouts[column - 1] / US_PER_S));
}

static const uint16_t timeout_columns[] = {1, 2, 3, 0};

static const struct mib_table check_tables[] = {
	{MIB_OID(MIB_KEEPALIVED, 3, 1, 1), name_columns, service_group_rows, service_group_value},
	{MIB_OID(MIB_KEEPALIVED, 3, 2, 1), group_entry_columns, group_entry_rows, group_entry_value},
	{MIB_OID(MIB_KEEPALIVED, 3, 3, 1), service_columns, service_rows, service_value},
	{MIB_OID(MIB_KEEPALIVED, 3, 4, 1), server_columns, server_rows, server_value},
	{MIB_OID(MIB_KEEPALIVED, 3, 7), timeout_columns, mib_rows_scalar, timeout_value},
};

const struct mib mib_keepalived_check = {"KEEPALIVED-MIB check", MIB_OID(MIB_KEEPALIVED, 3), check_tables,
	sizeof(check_tables) / sizeof(check_tables[0])};
