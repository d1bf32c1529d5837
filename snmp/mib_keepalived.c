/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KEEPALIVED-MIB, global and VRRP part: what dashboards and checks made for keepalived read. Read-only. Runs in the
 * snmp role. Rows count from 1 in the order of the configuration; absent values are left out, as those readers expect.
 */
#include "config.h"
#include "mib.h"
#include <linux/rtnetlink.h>
#include <net/if.h>

/* VrrpState: init(0) backup(1) master(2) fault(3), the numbers of enum vrrp_state. */
_Static_assert(VRRP_INIT == 0 && VRRP_BACKUP == 1 && VRRP_MASTER == 2 && VRRP_FAULT == 3, "VrrpState");

/* ---- global scalars ---- */
static bool global_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	const struct conf_global *g = view->conf->global;

	(void)row;
	switch (column) {
	case 1: /* version: its presence is how several tools recognise the MIB */
		return mib_text(v, "Poise v" PACKAGE_VERSION);
	case 2: /* routerId */
		return mib_text(v, conf_string(view->conf, g->node));
	case 4: /* trapEnable */
		return mib_truth(v, g->snmp_traps);
	case 5: /* linkBeat: netlink */
		return mib_integer(v, 1);
	case 6: /* lvsFlush */
		return mib_truth(v, g->lvs_flush);
	case 7: /* ipvs64BitStats */
		return mib_truth(v, true);
	case 9: /* dbus */
		return mib_truth(v, false);
	case 10: /* dynamicInterfaces */
		return mib_truth(v, true);
	case 11: /* lvsFlushOnStop */
		return mib_truth(v, g->lvs_flush_on_stop);
	}
	return false;
}

static const uint16_t global_columns[] = {1, 2, 4, 5, 6, 7, 9, 10, 11, 0};

/* ---- sync groups ---- */
static void group_rows(const struct mib_view *view, struct mib_rows *rows)
{
	mib_rows_numbered(rows, view->conf->n_groups);
}

static bool group_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	const struct conf_group *g = &view->conf->groups[row->object];
	struct status_group st;

	switch (column) {
	case 2:
		return mib_text(v, conf_string(view->conf, g->name));
	case 3:
		return mib_integer(v, mib_load_group(view, row->object, &st) ? (int32_t)st.state : VRRP_INIT);
	case 4:
		return mib_truth(v, g->smtp_alert);
	case 5:
		return mib_truth(v, g->notifies.count > 0);
	case 6:
		return mib_notify(v, view->conf, g->notifies, CONF_NOTIFY_MASTER);
	case 7:
		return mib_notify(v, view->conf, g->notifies, CONF_NOTIFY_BACKUP);
	case 8:
		return mib_notify(v, view->conf, g->notifies, CONF_NOTIFY_FAULT);
	case 9:
		return mib_notify(v, view->conf, g->notifies, CONF_NOTIFY_ANY);
	case 10:
		return mib_truth(v, g->track_weights);
	case 11:
		return mib_notify(v, view->conf, g->notifies, CONF_NOTIFY_STOP);
	}
	return false;
}

static const uint16_t group_columns[] = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0};

static void group_member_rows(const struct mib_view *view, struct mib_rows *rows)
{
	for (uint32_t i = 0; i < view->conf->n_groups; i++) {
		const struct conf_range *members = &view->conf->groups[i].members;

		for (uint32_t j = 0; j < members->count; j++)
			mib_rows_add(
				rows, view->conf->group_members[members->first + j], 0, 2, (uint32_t[]){i + 1, j + 1});
	}
}

static bool group_member_value(
	const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	return column == 2 && mib_text(v, conf_string(view->conf, view->conf->instances[row->object].name));
}

static const uint16_t name_columns[] = {2, 0};

/* ---- instances ---- */
static void instance_rows(const struct mib_view *view, struct mib_rows *rows)
{
	mib_rows_numbered(rows, view->conf->n_instances);
}

static bool instance_addresses_are_set(const struct mib_view *view, const struct conf_instance *ci)
{
	const struct board *board = view->boards[ROLE_VRRP];
	struct status_address st;

	for (uint32_t i = 0; i < ci->addresses.count; i++) {
		if (!board || board_load(board, VRRP_TABLE_ADDRESS, ci->addresses.first + i, &st, sizeof(st)) < 0 ||
			!st.is_set)
			return false;
	}
	return true;
}

static bool instance_state(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	const struct conf_instance *ci = &view->conf->instances[row->object];
	struct status_instance st;
	uint32_t initial = ci->initial == CONF_INITIAL_MASTER ? VRRP_MASTER : VRRP_BACKUP;

	if (!mib_load_instance(view, row->object, &st))
		st = (struct status_instance){.state = VRRP_INIT, .effective_priority = ci->priority};
	switch (column) {
	case 4:
		return mib_integer(v, st.state);
	case 5:
		return mib_integer(v, initial);
	case 6: /* WantedState: templates alarm when it differs from the state */
		if (st.state == VRRP_INIT)
			return mib_integer(v, initial);
		return mib_integer(v, st.state == VRRP_FAULT ? VRRP_BACKUP : st.state);
	case 7:
		return mib_integer(v, ci->priority);
	case 8:
		return mib_integer(v, st.effective_priority);
	case 9:
		return mib_truth(v, instance_addresses_are_set(view, ci));
	}
	return false;
}

static bool instance_scripts(
	const struct mib_view *view, const struct conf_instance *ci, uint32_t column, struct mib_value *v)
{
	static const enum conf_notify_event events[] = {
		CONF_NOTIFY_MASTER, CONF_NOTIFY_BACKUP, CONF_NOTIFY_FAULT, CONF_NOTIFY_STOP, CONF_NOTIFY_ANY};

	return mib_notify(v, view->conf, ci->notifies, events[column - 22]);
}

static bool instance_multicast(const struct conf_instance *ci, uint32_t column, struct mib_value *v)
{
	if (ci->unicast)
		return false;
	return column == 34 ? mib_inet_type(v, ci->family) : mib_inet_address(v, &ci->group_address);
}

static bool instance_protocol(
	const struct mib_view *view, const struct conf_instance *ci, uint32_t column, struct mib_value *v)
{
	switch (column) {
	case 11:
		return mib_truth(v, ci->track_primary);
	case 12: /* seconds for version 2, centiseconds for version 3 */
		return mib_unsigned(v, (uint64_t)ci->advert_us / (ci->version == 2 ? US_PER_S : 10 * US_PER_MS));
	case 13:
		return mib_truth(v, ci->preempt);
	case 14:
		return mib_unsigned(v, (uint64_t)(ci->preempt_delay_us / US_PER_S));
	case 15: /* none(0) password(1) ah(2) */
		return mib_integer(v, ci->auth == CONF_AUTH_HMAC ? CONF_AUTH_NONE : ci->auth);
	case 16: /* LvsSyncDaemon */
		return mib_truth(v, false);
	case 18:
		return ci->group != CONF_NONE &&
		       mib_text(v, conf_string(view->conf, view->conf->groups[ci->group].name));
	case 19:
		return mib_unsigned(v, (uint64_t)(ci->garp_delay_us / US_PER_S));
	case 20:
		return mib_truth(v, ci->smtp_alert);
	case 21:
		return mib_truth(v, ci->notifies.count > 0);
	case 27: /* Accept: 0 where the protocol has no such mode */
		return mib_integer(v, ci->version == 2 ? 0 : ci->no_accept ? 2 : 1);
	case 28: /* PromoteSecondaries */
	case 29: /* UseLinkbeat */
	case 33: /* NotifyDeleted */
		return mib_truth(v, false);
	case 30:
		return mib_integer(v, ci->version);
	case 36:
		return mib_truth(v, ci->checksum_message_only);
	}
	return false;
}

static bool instance_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	const struct conf_instance *ci = &view->conf->instances[row->object];

	switch (column) {
	case 2:
		return mib_text(v, conf_string(view->conf, ci->name));
	case 3:
		return mib_unsigned(v, ci->vrid);
	case 10:
		return mib_text(v, conf_string(view->conf, ci->interface));
	}
	if (column >= 4 && column <= 9)
		return instance_state(view, row, column, v);
	if (column >= 22 && column <= 26)
		return instance_scripts(view, ci, column, v);
	if (column == 34 || column == 35)
		return instance_multicast(ci, column, v);
	return instance_protocol(view, ci, column, v);
}

static const uint16_t instance_columns[] = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23,
	24, 25, 26, 27, 28, 29, 30, 33, 34, 35, 36, 0};

/* ---- tracked interfaces and scripts ---- */

/* Who is not there has no index, and no row. */
static void track_interface_rows(const struct mib_view *view, struct mib_rows *rows)
{
	for (uint32_t i = 0; i < view->conf->n_tracks; i++) {
		const struct conf_track *track = &view->conf->tracks[i];
		uint32_t index;

		if (track->kind != CONF_TRACK_INTERFACE || track->instance == CONF_NONE)
			continue;
		index = if_nametoindex(conf_string(view->conf, track->name));
		if (index > 0)
			mib_rows_add(rows, i, 0, 2, (uint32_t[]){track->instance + 1, index});
	}
}

static bool track_interface_value(
	const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	const struct conf_track *track = &view->conf->tracks[row->object];

	switch (column) {
	case 1:
		return mib_text(v, conf_string(view->conf, track->name));
	case 2:
		return mib_integer(v, track->weight);
	case 3:
		return mib_truth(v, track->reverse);
	}
	return false;
}

static const uint16_t track_interface_columns[] = {1, 2, 3, 0};

static void track_rows(const struct mib_view *view, struct mib_rows *rows)
{
	for (uint32_t i = 0; i < view->conf->n_tracks; i++) {
		const struct conf_track *track = &view->conf->tracks[i];

		if (track->kind == CONF_TRACK_SCRIPT && track->instance != CONF_NONE && track->script != CONF_NONE)
			mib_rows_add(rows, i, 0, 2, (uint32_t[]){track->instance + 1, track->script + 1});
	}
}

static bool track_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	const struct conf_track *track = &view->conf->tracks[row->object];

	switch (column) {
	case 2:
		return mib_text(v, conf_string(view->conf, track->name));
	case 3:
		return mib_integer(v, track->weight);
	case 4:
		return mib_truth(v, track->reverse);
	}
	return false;
}

static const uint16_t track_columns[] = {2, 3, 4, 0};

/* ---- addresses ---- */
static void address_rows(const struct mib_view *view, struct mib_rows *rows)
{
	for (uint32_t i = 0; i < view->conf->n_instances; i++) {
		const struct conf_range *addresses = &view->conf->instances[i].addresses;

		for (uint32_t j = 0; j < addresses->count; j++)
			mib_rows_add(rows, addresses->first + j, i, 2, (uint32_t[]){i + 1, j + 1});
	}
}

/* The scope names of IPv6 (RFC 4007): interface-local(1) link-local(2) site-local(5) global(14). */
static uint32_t address_scope(uint8_t rt_scope)
{
	switch (rt_scope) {
	case RT_SCOPE_HOST:
		return 1;
	case RT_SCOPE_LINK:
		return 2;
	case RT_SCOPE_SITE:
		return 5;
	}
	return 14;
}

static bool address_place(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	const struct conf_address *ca = &view->conf->addresses[row->object];
	const struct conf_instance *ci = &view->conf->instances[row->member];
	struct status_instance instance;
	struct status_address st;

	if (!view->boards[ROLE_VRRP] ||
		board_load(view->boards[ROLE_VRRP], VRRP_TABLE_ADDRESS, row->object, &st, sizeof(st)) < 0)
		st = (struct status_address){0};
	switch (column) {
	case 7:
		if (st.ifindex == 0 && !ca->interface && mib_load_instance(view, row->member, &instance))
			st.ifindex = instance.ifindex;
		return st.ifindex > 0 && mib_integer(v, st.ifindex);
	case 8:
		return mib_text(v, conf_string(view->conf, ca->interface ? ca->interface : ci->interface));
	case 10:
		return mib_truth(v, st.is_set);
	}
	return false;
}

static bool address_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	static const uint8_t no_broadcast[4];
	const struct conf_address *ca = &view->conf->addresses[row->object];

	switch (column) {
	case 2:
		return mib_inet_type(v, ca->addr.family);
	case 3:
		return mib_inet_address(v, &ca->addr);
	case 4:
		if (ca->addr.family != AF_INET)
			return false;
		return mib_inet_address(v, &ca->broadcast) || mib_octets(v, no_broadcast, sizeof(no_broadcast));
	case 5:
		return mib_unsigned(v, ca->prefix);
	case 6:
		return mib_integer(v, address_scope(ca->scope));
	case 9:
		return ca->label && mib_text(v, conf_string(view->conf, ca->label));
	case 11:
		return mib_truth(v, !ca->excluded);
	case 12:
		return mib_inet_address(v, &ca->peer);
	}
	return address_place(view, row, column, v);
}

static const uint16_t address_columns[] = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0};

/* ---- scripts ---- */
static void script_rows(const struct mib_view *view, struct mib_rows *rows)
{
	mib_rows_numbered(rows, view->conf->n_scripts);
}

/* init(1) bad(2) good(3) */
static int32_t script_result(const struct mib_view *view, uint32_t script)
{
	const struct board *board = view->boards[ROLE_SCRIPT];
	struct status_script st;

	if (!board || board_load(board, SCRIPT_TABLE_SCRIPT, script, &st, sizeof(st)) < 0)
		return 1;
	return st.result == SCRIPT_GOOD ? 3 : st.result == SCRIPT_BAD ? 2 : 1;
}

static bool script_value(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
{
	const struct conf_script *cs = &view->conf->scripts[row->object];
	const char *argv[2];

	switch (column) {
	case 2:
		return mib_text(v, conf_string(view->conf, cs->name));
	case 3:
		return mib_command(v, view->conf, &cs->command);
	case 4:
		return mib_unsigned(v, (uint64_t)(cs->interval_us / US_PER_S));
	case 5:
		return mib_integer(v, cs->weight);
	case 6:
		return mib_integer(v, script_result(view, row->object));
	case 7:
		return mib_unsigned(v, cs->rise);
	case 8:
		return mib_unsigned(v, cs->fall);
	case 9:
		return mib_truth(v, cs->weight_reverse);
	case 10: { /* the program alone */
		struct conf_command program = {.argv = cs->command.argv, .argc = 1};

		return cs->command.argc > 0 && conf_argv(view->conf, &program, argv, 2) == 1 && mib_text(v, argv[0]);
	}
	case 11:
		return mib_unsigned(v, (uint64_t)cs->interval_us);
	case 12:
		return mib_unsigned(v, (uint64_t)cs->timeout_us);
	}
	return false;
}

static const uint16_t script_columns[] = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0};

/* ---- the subtrees ---- */
static const struct mib_table global_tables[] = {
	{MIB_OID(MIB_KEEPALIVED, 1), global_columns, mib_rows_scalar, global_value},
};

const struct mib mib_keepalived_global = {"KEEPALIVED-MIB global", MIB_OID(MIB_KEEPALIVED, 1), global_tables, 1};

static const struct mib_table vrrp_tables[] = {
	{MIB_OID(MIB_KEEPALIVED, 2, 1, 1), group_columns, group_rows, group_value},
	{MIB_OID(MIB_KEEPALIVED, 2, 2, 1), name_columns, group_member_rows, group_member_value},
	{MIB_OID(MIB_KEEPALIVED, 2, 3, 1), instance_columns, instance_rows, instance_value},
	{MIB_OID(MIB_KEEPALIVED, 2, 4, 1), track_interface_columns, track_interface_rows, track_interface_value},
	{MIB_OID(MIB_KEEPALIVED, 2, 5, 1), track_columns, track_rows, track_value},
	{MIB_OID(MIB_KEEPALIVED, 2, 6, 1), address_columns, address_rows, address_value},
	{MIB_OID(MIB_KEEPALIVED, 2, 9, 1), script_columns, script_rows, script_value},
};

const struct mib mib_keepalived_vrrp = {
	"KEEPALIVED-MIB vrrp", MIB_OID(MIB_KEEPALIVED, 2), vrrp_tables, sizeof(vrrp_tables) / sizeof(vrrp_tables[0])};
