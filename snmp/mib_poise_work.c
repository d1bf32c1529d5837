/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POISE-MIB: how the work goes: connection sync, the kernel's table, checking, notifications and their receivers.
 * Read-only. Runs in the snmp role. */
#include "mib_poise.h"
#include <string.h>

static bool load(const struct mib_view *view, enum role role, unsigned table, uint32_t i, void *record, size_t size)
{
	return view->boards[role] && board_load(view->boards[role], table, i, record, size) == 0;
}

/* ---- connection sync, and the other node ---- */
static bool peer_value(const struct mib_view *view, uint32_t column, struct mib_value *v)
{
	struct status_pair st;

	if (!load(view, ROLE_PAIR, PAIR_TABLE_PEER, 0, &st, sizeof(st)))
		return false;
	switch (column) {
	case 13:
		return st.peer_node[0] && mib_octets(v, st.peer_node, strnlen(st.peer_node, sizeof(st.peer_node)));
	case 14:
		return mib_integer(v, (int64_t)st.state + 1);
	case 15:
		return st.coverage_known && mib_unsigned(v, st.coverage);
	case 16:
		return mib_octets(v, st.why, strnlen(st.why, sizeof(st.why)));
	}
	return false;
}

bool poise_sync_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	const struct conf_global *g = view->conf->global;
	struct status_sync st;

	(void)row;
	if (column >= 13)
		return peer_value(view, column, v);
	if (!g->sync_interface)
		return false;
	switch (column) {
	case 1:
		return mib_text(v, conf_string(view->conf, g->sync_interface));
	case 2:
		return mib_unsigned(v, g->sync_id);
	case 3: /* kernel(1) full(2) */
		return mib_integer(v, (int64_t)g->connection_sync + 1);
	}
	if (!load(view, ROLE_IPVS, IPVS_TABLE_SYNC, 0, &st, sizeof(st)))
		return false;
	switch (column) {
	case 4:
		return mib_truth(v, st.is_ready);
	case 5:
		return mib_unsigned(v, st.own);
	case 6:
		return mib_unsigned(v, st.foreign);
	case 7:
		return mib_unsigned(v, st.unsendable);
	case 8:
		return mib_counter64(v, st.entries_sent);
	case 9:
		return mib_counter64(v, st.bytes_sent);
	case 10:
		return mib_counter64(v, st.send_errors);
	case 11:
		return mib_date(v, st.last_send_real_us);
	case 12:
		return mib_octets(v, st.why, strnlen(st.why, sizeof(st.why)));
	}
	return false;
}

const uint16_t poise_sync_columns[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0};

/* ---- the kernel's table ---- */
bool poise_kernel_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	struct status_ipvs st;

	(void)row;
	if (!load(view, ROLE_IPVS, IPVS_TABLE_ROLE, 0, &st, sizeof(st)))
		return false;
	switch (column) {
	case 1:
		return mib_truth(v, st.kernel_ok);
	case 2:
		return mib_date(v, st.last_audit_real_us);
	case 3:
		return mib_counter64(v, st.drift_total);
	case 4:
		return mib_counter64(v, st.operations_total);
	case 5:
		return mib_counter64(v, st.errors_total);
	case 6:
		return mib_octets(v, st.why, strnlen(st.why, sizeof(st.why)));
	}
	return false;
}

const uint16_t poise_kernel_columns[] = {1, 2, 3, 4, 5, 6, 0};

/* ---- checking ---- */
bool poise_checking_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	struct status_checks st;

	(void)row;
	if (!mib_load_checks(view, &st))
		return false;
	switch (column) {
	case 1:
		return mib_unsigned(v, st.checks);
	case 2:
		return mib_unsigned(v, st.probes);
	case 3:
		return mib_unsigned(v, st.late);
	case 4:
		return mib_unsigned(v, st.pools_in_panic);
	case 5:
		return mib_counter64(v, st.runs);
	case 6:
		return mib_unsigned(v, (uint64_t)st.lateness_p99_us);
	case 7:
		return mib_octets(v, st.why, strnlen(st.why, sizeof(st.why)));
	}
	return false;
}

const uint16_t poise_checking_columns[] = {1, 2, 3, 4, 5, 6, 7, 0};

/* ---- notifications ---- */
bool poise_traps_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	struct status_snmp st;

	(void)row;
	if (!load(view, ROLE_SNMP, SNMP_TABLE_AGENT, 0, &st, sizeof(st)))
		return false;
	switch (column) {
	case 1:
		return mib_counter64(v, st.traps_sent);
	case 2:
		return mib_counter64(v, st.traps_rolled);
	case 3:
		return mib_counter64(v, st.traps_held);
	case 4:
		return mib_counter64(v, st.traps_left_out);
	case 5:
		return mib_counter64(v, st.events_dropped);
	}
	return false;
}

const uint16_t poise_traps_columns[] = {1, 2, 3, 4, 5, 0};

/* ---- receivers ---- */
void poise_receiver_rows(const struct mib_view *view, struct mib_rows *rows)
{
	mib_rows_numbered(rows, view->conf->n_trap_targets);
}

static bool receiver_progress(const struct status_trap_target *st, uint32_t column, struct mib_value *v)
{
	switch (column) {
	case 7:
		return mib_integer(v, st->state + 1);
	case 8:
		return mib_counter64(v, st->sent);
	case 9:
		return mib_counter64(v, st->acknowledged);
	case 10:
		return mib_counter64(v, st->failed);
	case 11:
		return mib_unsigned(v, st->waiting);
	case 12:
		return mib_date(v, st->since_real_us);
	case 13:
		return mib_octets(v, st->why, strnlen(st->why, sizeof(st->why)));
	}
	return false;
}

bool poise_receiver_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	const struct conf_trap_target *t = &view->conf->trap_targets[row->object];
	struct status_trap_target st;

	switch (column) {
	case 2:
		return mib_inet_type(v, t->addr.family);
	case 3:
		return mib_inet_address(v, &t->addr);
	case 4:
		return mib_unsigned(v, t->port);
	case 5: /* v2c(1) v3(2) */
		return mib_integer(v, t->user ? 2 : 1);
	case 6:
		return mib_truth(v, t->inform);
	}
	return load(view, ROLE_SNMP, SNMP_TABLE_TARGET, row->object, &st, sizeof(st)) &&
	       receiver_progress(&st, column, v);
}

const uint16_t poise_receiver_columns[] = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0};
