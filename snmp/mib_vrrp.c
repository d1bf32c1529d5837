/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The standard VRRP MIBs, read-only: VRRPV3-MIB (RFC 6527 with errata 4168 and 5086) lists every instance, VRRP-MIB
 * (RFC 2787) those of version 2 over IPv4. Rows appear once the interface exists. Runs in the snmp role. */
#include "mib.h"

#define ROW_ACTIVE 1

/* ---- what both have in common ---- */

/* Neither MIB knows fault: it is initialize(1). */
static int32_t row_state(uint32_t state)
{
	return state == VRRP_MASTER ? 3 : state == VRRP_BACKUP ? 2 : 1;
}

static bool virtual_mac(struct mib_value *v, const struct conf_instance *ci)
{
	const uint8_t mac[6] = {0x00, 0x00, 0x5e, 0x00, ci->family == AF_INET6 ? 0x02 : 0x01, ci->vrid};

	return mib_octets(v, mac, sizeof(mac));
}

/* Centiseconds since the instance left initialize. */
static int64_t row_uptime_cs(const struct mib_view *view, const struct status_instance *st)
{
	struct mono from = mono_is_set(st->up_since) ? st->up_since : st->since;

	if (row_state(st->state) == 1 || !mono_is_set(from))
		return 0;
	return mono_diff_us(view->now, from) / (10 * US_PER_MS);
}

/* Errors that a packet shows before its instance is known are counted for the whole node. */
static uint64_t node_errors(const struct mib_view *view, enum vrrp_drop drop)
{
	struct status_instance st;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < view->conf->n_instances; i++) {
		if (mib_load_instance(view, i, &st))
			sum += st.dropped[drop];
	}
	return sum;
}

static bool is_vrrp2(const struct conf_instance *ci)
{
	return ci->version == 2 && ci->family == AF_INET;
}

/* ---- VRRPV3-MIB ---- */
static void v3_rows(const struct mib_view *view, struct mib_rows *rows)
{
	struct status_instance st;

	for (uint32_t i = 0; i < view->conf->n_instances; i++) {
		const struct conf_instance *ci = &view->conf->instances[i];

		if (mib_load_instance(view, i, &st) && st.ifindex > 0)
			mib_rows_add(rows, i, 0, 3, (uint32_t[]){st.ifindex, ci->vrid, ci->family == AF_INET6 ? 2 : 1});
	}
}

static bool v3_operations_value(
	const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	const struct conf_instance *ci = &view->conf->instances[row->object];
	struct status_instance st;

	if (!mib_load_instance(view, row->object, &st))
		return false;
	switch (column) {
	case 3:
		return mib_inet_address(v, &st.master);
	case 4:
		return mib_inet_address(v, &st.source);
	case 5:
		return virtual_mac(v, ci);
	case 6:
		return mib_integer(v, row_state(st.state));
	case 7:
		return mib_unsigned(v, st.effective_priority);
	case 8:
		return mib_integer(v, ci->n_advertised);
	case 9:
		return mib_integer(v, ci->advert_us / (10 * US_PER_MS));
	case 10:
		return mib_truth(v, ci->preempt);
	case 11:
		return mib_truth(v, !ci->no_accept);
	case 12:
		return mib_timeticks(v, row_uptime_cs(view, &st));
	case 13:
		return mib_integer(v, ROW_ACTIVE);
	}
	return false;
}

static const uint16_t v3_operations_columns[] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0};

/* The address in the index has its length before it: it is neither fixed nor IMPLIED. */
static void v3_address_rows(const struct mib_view *view, struct mib_rows *rows)
{
	struct status_instance st;

	for (uint32_t i = 0; i < view->conf->n_instances; i++) {
		const struct conf_instance *ci = &view->conf->instances[i];

		if (!mib_load_instance(view, i, &st) || st.ifindex == 0)
			continue;
		for (uint32_t j = 0; j < ci->n_advertised && j < ci->addresses.count; j++) {
			const struct addr *a = &view->conf->addresses[ci->addresses.first + j].addr;
			uint32_t index[MIB_INDEX_MAX] = {
				st.ifindex, ci->vrid, ci->family == AF_INET6 ? 2 : 1, (uint32_t)addr_len(a)};

			for (uint32_t k = 0; k < addr_len(a); k++)
				index[4 + k] = a->bytes[k];
			mib_rows_add(rows, i, j, 4 + (uint32_t)addr_len(a), index);
		}
	}
}

static bool active_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	(void)view;
	(void)row;
	return column == 2 && mib_integer(v, ROW_ACTIVE);
}

static const uint16_t active_columns[] = {2, 0};

static bool v3_scalar_value(
	const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	(void)row;
	switch (column) {
	case 1:
		return mib_counter64(v, node_errors(view, VRRP_DROP_CHECKSUM));
	case 2:
		return mib_counter64(v, node_errors(view, VRRP_DROP_VERSION));
	case 3:
		return mib_counter64(v, node_errors(view, VRRP_DROP_VRID));
	case 4: /* DiscontinuityTime: the counters go on over restarts of the role */
		return mib_timeticks(v, 0);
	}
	return false;
}

static const uint16_t v3_scalar_columns[] = {1, 2, 3, 4, 0};

static bool v3_statistics_value(
	const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	struct status_instance st;

	if (!mib_load_instance(view, row->object, &st))
		return false;
	switch (column) {
	case 1:
		return mib_counter32(v, st.became_master);
	case 2:
		return mib_integer(v, st.new_master_reason);
	case 3:
		return mib_counter64(v, st.adverts_received);
	case 4:
		return mib_counter64(v, st.dropped[VRRP_DROP_INTERVAL]);
	case 5:
		return mib_counter64(v, st.dropped[VRRP_DROP_TTL]);
	case 6:
		return mib_integer(v, st.last_protocol_error);
	case 7:
		return mib_counter64(v, st.priority_zero_received);
	case 8:
		return mib_counter64(v, st.priority_zero_sent);
	case 9:
		return mib_counter64(v, st.dropped[VRRP_DROP_TYPE]);
	case 10:
		return mib_counter64(v, st.dropped[VRRP_DROP_ADDRESS_LIST]);
	case 11:
		return mib_counter64(v, st.dropped[VRRP_DROP_LENGTH]);
	case 12:
		return mib_timeticks(v, 0);
	case 13: /* RefreshRate, milliseconds */
		return mib_unsigned(v, (uint64_t)(view->conf->instances[row->object].advert_us / US_PER_MS));
	}
	return false;
}

static const uint16_t v3_statistics_columns[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0};

static const struct mib_table v3_tables[] = {
	{MIB_OID(MIB_VRRP3, 1, 1, 1, 1), v3_operations_columns, v3_rows, v3_operations_value},
	{MIB_OID(MIB_VRRP3, 1, 1, 2, 1), active_columns, v3_address_rows, active_value},
	{MIB_OID(MIB_VRRP3, 1, 2), v3_scalar_columns, mib_rows_scalar, v3_scalar_value},
	{MIB_OID(MIB_VRRP3, 1, 2, 5, 1), v3_statistics_columns, v3_rows, v3_statistics_value},
};

const struct mib mib_vrrp3 = {"VRRPV3-MIB", MIB_OID(MIB_VRRP3), v3_tables, sizeof(v3_tables) / sizeof(v3_tables[0])};

/* ---- VRRP-MIB ---- */
static bool v2_node_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	(void)row;
	if (column == 1) /* vrrpNodeVersion */
		return mib_integer(v, 2);
	return column == 2 && mib_truth(v, view->conf->global->snmp_traps); /* vrrpNotificationCntl */
}

static const uint16_t v2_node_columns[] = {1, 2, 0};

static void v2_rows(const struct mib_view *view, struct mib_rows *rows)
{
	struct status_instance st;

	for (uint32_t i = 0; i < view->conf->n_instances; i++) {
		const struct conf_instance *ci = &view->conf->instances[i];

		if (is_vrrp2(ci) && mib_load_instance(view, i, &st) && st.ifindex > 0)
			mib_rows_add(rows, i, 0, 2, (uint32_t[]){st.ifindex, ci->vrid});
	}
}

static bool v2_oper_setting(const struct conf_instance *ci, uint32_t column, struct mib_value *v)
{
	switch (column) {
	case 2:
		return virtual_mac(v, ci);
	case 4: /* AdminState: up */
		return mib_integer(v, 1);
	case 6:
		return mib_integer(v, ci->n_advertised);
	case 9: /* none(1) simpleText(2) ah(3) */
		return mib_integer(v, (ci->auth == CONF_AUTH_HMAC ? CONF_AUTH_NONE : ci->auth) + 1);
	case 10: /* AuthKey: never told */
		return mib_text(v, "");
	case 11:
		return mib_integer(v, ci->advert_us / US_PER_S);
	case 12:
		return mib_truth(v, ci->preempt);
	case 14: /* Protocol: ip */
		return mib_integer(v, 1);
	case 15:
		return mib_integer(v, ROW_ACTIVE);
	}
	return false;
}

static bool v2_oper_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	struct status_instance st;

	if (!mib_load_instance(view, row->object, &st))
		return false;
	switch (column) {
	case 3:
		return mib_integer(v, row_state(st.state));
	case 5:
		return mib_integer(v, st.effective_priority);
	case 7:
		return mib_ip_address(v, &st.master);
	case 8:
		return mib_ip_address(v, &st.source);
	case 13: /* sysUpTime when it left initialize */
		return mib_timeticks(
			v, row_state(st.state) == 1 ? 0 : (int64_t)view->agent_uptime_cs - row_uptime_cs(view, &st));
	}
	return v2_oper_setting(&view->conf->instances[row->object], column, v);
}

static const uint16_t v2_oper_columns[] = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0};

static void v2_address_rows(const struct mib_view *view, struct mib_rows *rows)
{
	struct status_instance st;

	for (uint32_t i = 0; i < view->conf->n_instances; i++) {
		const struct conf_instance *ci = &view->conf->instances[i];

		if (!is_vrrp2(ci) || !mib_load_instance(view, i, &st) || st.ifindex == 0)
			continue;
		for (uint32_t j = 0; j < ci->n_advertised && j < ci->addresses.count; j++) {
			const uint8_t *b = view->conf->addresses[ci->addresses.first + j].addr.bytes;

			mib_rows_add(rows, i, j, 6, (uint32_t[]){st.ifindex, ci->vrid, b[0], b[1], b[2], b[3]});
		}
	}
}

static bool v2_scalar_value(
	const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	static const enum vrrp_drop drops[] = {VRRP_DROP_CHECKSUM, VRRP_DROP_VERSION, VRRP_DROP_VRID};

	(void)row;
	return mib_counter32(v, node_errors(view, drops[column - 1]));
}

static const uint16_t v2_scalar_columns[] = {1, 2, 3, 0};

static bool v2_statistics_value(
	const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	struct status_instance st;

	if (!mib_load_instance(view, row->object, &st))
		return false;
	switch (column) {
	case 1:
		return mib_counter32(v, st.became_master);
	case 2:
		return mib_counter32(v, st.adverts_received);
	case 3:
		return mib_counter32(v, st.dropped[VRRP_DROP_INTERVAL]);
	case 4:
		return mib_counter32(v, st.dropped[VRRP_DROP_AUTH_FAILURE]);
	case 5:
		return mib_counter32(v, st.dropped[VRRP_DROP_TTL]);
	case 6:
		return mib_counter32(v, st.priority_zero_received);
	case 7:
		return mib_counter32(v, st.priority_zero_sent);
	case 8:
		return mib_counter32(v, st.dropped[VRRP_DROP_TYPE]);
	case 9:
		return mib_counter32(v, st.dropped[VRRP_DROP_ADDRESS_LIST]);
	case 10:
		return mib_counter32(v, st.dropped[VRRP_DROP_AUTH_TYPE]);
	case 11:
		return mib_counter32(v, st.dropped[VRRP_DROP_AUTH_MISMATCH]);
	case 12:
		return mib_counter32(v, st.dropped[VRRP_DROP_LENGTH]);
	}
	return false;
}

static const uint16_t v2_statistics_columns[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0};

static const struct mib_table v2_tables[] = {
	{MIB_OID(MIB_VRRP2, 1), v2_node_columns, mib_rows_scalar, v2_node_value},
	{MIB_OID(MIB_VRRP2, 1, 3, 1), v2_oper_columns, v2_rows, v2_oper_value},
	{MIB_OID(MIB_VRRP2, 1, 4, 1), active_columns, v2_address_rows, active_value},
	{MIB_OID(MIB_VRRP2, 2), v2_scalar_columns, mib_rows_scalar, v2_scalar_value},
	{MIB_OID(MIB_VRRP2, 2, 4, 1), v2_statistics_columns, v2_rows, v2_statistics_value},
};

const struct mib mib_vrrp2 = {"VRRP-MIB", MIB_OID(MIB_VRRP2), v2_tables, sizeof(v2_tables) / sizeof(v2_tables[0])};
