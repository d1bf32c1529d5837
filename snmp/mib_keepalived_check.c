/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KEEPALIVED-MIB, checker part: virtual servers and real servers with the columns and numbers that tools made for
 * keepalived read. Read-only. Runs in the snmp role. What a service says of the timing of checks is that of its first
 * server's first check, because here every check has its own. */
#include "mib.h"
#include <linux/ip_vs.h>
#include <netinet/in.h>
#include <string.h>

/* ---- groups of virtual servers ---- */
static void service_group_rows(const struct mib_view *view, struct mib_rows *rows)
{
	mib_rows_numbered(rows, view->conf->n_service_groups);
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
	mib_rows_numbered(rows, view->conf->n_services);
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

/* ---- the timing of checks ---- */
static const struct conf_check *first_check(const struct conf *conf, const struct conf_server *server)
{
	return server && server->checks.count > 0 ? &conf->checks[server->checks.first] : NULL;
}

/* The columns of retry, then of three times in seconds, then of four in microseconds. */
struct timing_columns {
	uint32_t retry, delay_s, warmup_s, interval_s, interval_us, delay_us, warmup_us, connect_us;
};

static bool timing_value(
	const struct timing_columns *c, const struct conf_check *check, uint32_t column, struct mib_value *v)
{
	if (!check)
		return false;
	if (column == c->retry)
		return mib_unsigned(v, check->retry);
	if (column == c->delay_s)
		return mib_unsigned(v, (uint64_t)(check->delay_before_retry_us / US_PER_S));
	if (column == c->warmup_s)
		return mib_unsigned(v, (uint64_t)(check->warmup_us / US_PER_S));
	if (column == c->interval_s)
		return mib_unsigned(v, (uint64_t)(check->interval_us / US_PER_S));
	if (column == c->interval_us)
		return mib_unsigned(v, (uint64_t)check->interval_us);
	if (column == c->delay_us)
		return mib_unsigned(v, (uint64_t)check->delay_before_retry_us);
	if (column == c->warmup_us)
		return mib_unsigned(v, (uint64_t)check->warmup_us);
	return column == c->connect_us && mib_unsigned(v, (uint64_t)check->connect_timeout_us);
}

static bool service_timing(
	const struct mib_view *view, const struct conf_service *cs, uint32_t column, struct mib_value *v)
{
	static const struct timing_columns columns = {57, 58, 59, 16, 64, 65, 66, 67};
	const struct conf_server *first = cs->servers.count > 0 ? &view->conf->servers[cs->servers.first] : NULL;

	return timing_value(&columns, first_check(view->conf, first), column, v);
}

/* The schedulers' flags go by other names for sh and for mh. */
static bool service_flags(
	const struct mib_view *view, const struct conf_service *cs, uint32_t column, struct mib_value *v)
{
	bool is_mh = strcmp(conf_string(view->conf, cs->scheduler), "mh") == 0;
	bool is_sh = strcmp(conf_string(view->conf, cs->scheduler), "sh") == 0;
	uint32_t flags = cs->scheduler_flags;

	switch (column) {
	case 53:
		return mib_truth(v, is_sh && (flags & IP_VS_SVC_F_SCHED1));
	case 54:
		return mib_truth(v, is_sh && (flags & IP_VS_SVC_F_SCHED2));
	case 55:
		return mib_truth(v, flags & IP_VS_SVC_F_SCHED3);
	case 62:
		return mib_truth(v, is_mh && (flags & IP_VS_SVC_F_SCHED1));
	case 63:
		return mib_truth(v, is_mh && (flags & IP_VS_SVC_F_SCHED2));
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
	case 15:
		return cs->persistence_us > 0 && cs->family == AF_INET &&
		       mib_octets(v, &cs->persistence_mask4, sizeof(cs->persistence_mask4));
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
	case 51:
		return cs->persistence_us > 0 && cs->family == AF_INET6 && mib_unsigned(v, cs->persistence_prefix6);
	case 56: /* remove(1) inhibit(2) */
		return mib_integer(v, cs->inhibit_on_failure ? 2 : 1);
	case 61:
		return mib_truth(v, cs->smtp_alert);
	}
	return service_timing(view, cs, column, v) || service_flags(view, cs, column, v);
}

/* Every rate in three forms: clamped to 32 bits, as a pair of 32 bits each, as 64 bits. */
static bool rate_value(uint32_t column, uint32_t narrow, uint32_t pairs, uint32_t wide,
	const struct status_rates *rates, struct mib_value *v)
{
	const uint64_t rate[] = {
		rates->connections, rates->packets_in, rates->packets_out, rates->bytes_in, rates->bytes_out};

	if (column >= narrow && column < narrow + 5)
		return mib_unsigned(v, rate[column - narrow]);
	if (column >= pairs && column < pairs + 10) {
		uint64_t x = rate[(column - pairs) / 2];

		return mib_unsigned(v, (column - pairs) % 2 ? x >> 32 : (uint32_t)x);
	}
	return column >= wide && column < wide + 5 && mib_counter64(v, rate[column - wide]);
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
	return service_setting(view, cs, column, v) || rate_value(column, 32, 41, 74, &st.rates, v) ||
	       traffic_value(column, 28, 38,
		       (uint64_t[]){st.connections, st.packets_in, st.packets_out, st.bytes_in, st.bytes_out}, v);
}

static const uint16_t service_columns[] = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
	23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50,
	51, 53, 54, 55, 56, 57, 58, 59, 61, 62, 63, 64, 65, 66, 67, 74, 75, 76, 77, 78, 0};

/* ---- real servers: the sorry server, if any, comes first ---- */
static void server_rows(const struct mib_view *view, struct mib_rows *rows)
{
	struct mib_walk walk = {0};

	while (mib_walk_servers(view->conf, true, &walk))
		mib_rows_add(rows, walk.server, walk.service, 2, walk.index);
}

static uint32_t failed_checks(const struct mib_view *view, const struct conf_server *cs)
{
	struct status_check st;
	uint32_t failed = 0;

	for (uint32_t i = 0; i < cs->checks.count; i++) {
		if (mib_load_check(view, cs->checks.first + i, &st))
			failed += st.health == HEALTH_DOWN;
	}
	return failed;
}

/* What a sorry server does not have: it is never checked and takes over only when all others are gone. */
static bool server_regular(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	static const struct timing_columns columns = {43, 44, 45, 46, 50, 48, 49, 51};
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
	return timing_value(&columns, first_check(view->conf, cs), column, v);
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
	return rate_value(column, 22, 30, 58, &st.rates, v) ||
	       traffic_value(column, 18, 27,
		       (uint64_t[]){st.connections, st.packets_in, st.packets_out, st.bytes_in, st.bytes_out}, v);
}

static const uint16_t server_columns[] = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
	23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51,
	55, 58, 59, 60, 61, 62, 0};

/* ---- the sync daemon ---- */
static bool sync_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	const struct conf_global *g = view->conf->global;

	(void)row;
	if (column == 1)
		return mib_truth(v, g->sync_interface != 0);
	if (!g->sync_interface)
		return false;
	switch (column) {
	case 2:
		return mib_text(v, conf_string(view->conf, g->sync_interface));
	case 3:
		return g->sync_instance < view->conf->n_instances &&
		       mib_text(v, conf_string(view->conf, view->conf->instances[g->sync_instance].name));
	case 4:
		return mib_integer(v, g->sync_id);
	}
	return false;
}

static const uint16_t sync_columns[] = {1, 2, 3, 4, 0};

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
	{MIB_OID(MIB_KEEPALIVED, 3, 6), sync_columns, mib_rows_scalar, sync_value},
	{MIB_OID(MIB_KEEPALIVED, 3, 7), timeout_columns, mib_rows_scalar, timeout_value},
};

const struct mib mib_keepalived_check = {"KEEPALIVED-MIB check", MIB_OID(MIB_KEEPALIVED, 3), check_tables,
	sizeof(check_tables) / sizeof(check_tables[0])};
