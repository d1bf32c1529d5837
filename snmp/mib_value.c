/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of cells: from C types, configuration and board records to what SMI knows. Used by the tables and by the traps
 * of the snmp role; never blocks. */
#include "mib.h"
#include <string.h>

static bool value_number(struct mib_value *v, enum mib_type type, uint64_t number)
{
	v->type = type;
	v->number = number;
	return true;
}

bool mib_integer(struct mib_value *v, int64_t x)
{
	v->type = MIB_INTEGER;
	v->integer = x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? INT32_MIN : (int32_t)x;
	return true;
}

bool mib_unsigned(struct mib_value *v, uint64_t x)
{
	return value_number(v, MIB_UNSIGNED, x > UINT32_MAX ? UINT32_MAX : x);
}

bool mib_counter32(struct mib_value *v, uint64_t x)
{
	return value_number(v, MIB_COUNTER32, (uint32_t)x);
}

bool mib_counter64(struct mib_value *v, uint64_t x)
{
	return value_number(v, MIB_COUNTER64, x);
}

bool mib_timeticks(struct mib_value *v, int64_t cs)
{
	return value_number(v, MIB_TIMETICKS, cs < 0 ? 0 : (uint32_t)cs);
}

bool mib_octets(struct mib_value *v, const void *bytes, size_t n)
{
	v->type = MIB_OCTETS;
	v->length = n > MIB_OCTETS_MAX ? MIB_OCTETS_MAX : (uint32_t)n;
	if (v->length > 0)
		memcpy(v->octets, bytes, v->length);
	return true;
}

bool mib_text(struct mib_value *v, const char *text)
{
	return mib_octets(v, text, strlen(text));
}

bool mib_inet_address(struct mib_value *v, const struct addr *a)
{
	return addr_is_set(a) && mib_octets(v, a->bytes, addr_len(a));
}

bool mib_inet_type(struct mib_value *v, uint8_t family)
{
	return mib_integer(v, family == AF_INET ? 1 : family == AF_INET6 ? 2 : 0);
}

bool mib_ip_address(struct mib_value *v, const struct addr *a)
{
	static const uint8_t none[4];

	mib_octets(v, a->family == AF_INET ? a->bytes : none, 4);
	v->type = MIB_IPADDRESS;
	return true;
}

/* RFC 2579: year (two octets), month, day, hour, minute, second, deciseconds, then the direction from UTC. */
bool mib_date(struct mib_value *v, int64_t real_us)
{
	time_t seconds = real_us / US_PER_S;
	struct tm tm;
	uint8_t d[11];

	if (real_us <= 0 || !gmtime_r(&seconds, &tm))
		return false;
	d[0] = (uint8_t)((tm.tm_year + 1900) >> 8);
	d[1] = (uint8_t)(tm.tm_year + 1900);
	d[2] = (uint8_t)(tm.tm_mon + 1);
	d[3] = (uint8_t)tm.tm_mday;
	d[4] = (uint8_t)tm.tm_hour;
	d[5] = (uint8_t)tm.tm_min;
	d[6] = (uint8_t)tm.tm_sec;
	d[7] = (uint8_t)(real_us % US_PER_S / (100 * US_PER_MS));
	d[8] = '+';
	d[9] = d[10] = 0;
	return mib_octets(v, d, sizeof(d));
}

bool mib_truth(struct mib_value *v, bool yes)
{
	return mib_integer(v, yes ? 1 : 2);
}

bool mib_command(struct mib_value *v, const struct conf *conf, const struct conf_command *command)
{
	const char *argv[64];
	char text[MIB_OCTETS_MAX + 1];
	size_t length = 0;
	int argc = conf_argv(conf, command, argv, 64);

	if (argc <= 0)
		return false;
	for (int i = 0; i < argc && length < sizeof(text); i++) {
		size_t n = strlen(argv[i]);

		if (i > 0)
			text[length++] = ' ';
		if (n > sizeof(text) - length)
			n = sizeof(text) - length;
		memcpy(text + length, argv[i], n);
		length += n;
	}
	return mib_octets(v, text, length);
}

bool mib_notify(struct mib_value *v, const struct conf *conf, struct conf_range notifies, enum conf_notify_event event)
{
	for (uint32_t i = 0; i < notifies.count && notifies.first + i < conf->n_notifies; i++) {
		const struct conf_notify *notify = &conf->notifies[notifies.first + i];

		if (notify->event == (uint32_t)event)
			return mib_command(v, conf, &notify->command);
	}
	return false;
}

static bool view_load(
	const struct mib_view *view, enum role role, unsigned table, uint32_t i, void *record, size_t size)
{
	return view->boards[role] && board_load(view->boards[role], table, i, record, size) == 0;
}

bool mib_load_instance(const struct mib_view *view, conf_index_t i, struct status_instance *st)
{
	return view_load(view, ROLE_VRRP, VRRP_TABLE_INSTANCE, i, st, sizeof(*st));
}

bool mib_load_group(const struct mib_view *view, conf_index_t i, struct status_group *st)
{
	return view_load(view, ROLE_VRRP, VRRP_TABLE_GROUP, i, st, sizeof(*st));
}

bool mib_load_service(const struct mib_view *view, conf_index_t i, struct status_service *st)
{
	return view_load(view, ROLE_IPVS, IPVS_TABLE_SERVICE, i, st, sizeof(*st));
}

bool mib_load_server(const struct mib_view *view, conf_index_t i, struct status_server *st)
{
	return view->boards[ROLE_IPVS] && status_load_server(view->boards[ROLE_IPVS], i, st) == 0;
}

bool mib_load_health(const struct mib_view *view, conf_index_t i, struct status_health *st)
{
	if (view_load(view, conf_checker(view->conf, i), HEALTH_TABLE_SERVER, i, st, sizeof(*st)))
		return true;
	if (view->conf->servers[i].checks.count > 0)
		return false;
	*st = status_unchecked();
	return true;
}

bool mib_load_check(const struct mib_view *view, conf_index_t i, struct status_check *st)
{
	return view_load(
		view, conf_checker(view->conf, view->conf->checks[i].server), HEALTH_TABLE_CHECK, i, st, sizeof(*st));
}

bool mib_load_checks(const struct mib_view *view, struct status_checks *sum)
{
	bool any = false;

	*sum = (struct status_checks){0};
	for (unsigned i = 0; i < conf_checkers(view->conf); i++) {
		struct status_checks one;

		if (!view_load(view, role_checker(i), HEALTH_TABLE_ROLE, 0, &one, sizeof(one)))
			continue;
		status_add_checks(sum, &one);
		any = true;
	}
	return any;
}

bool mib_server_is_up(const struct mib_view *view, conf_index_t server)
{
	const struct conf_server *cs = &view->conf->servers[server];
	struct status_health st;

	if (!mib_load_health(view, server, &st) || st.health == HEALTH_UNKNOWN)
		return !cs->alpha || cs->checks.count == 0;
	return st.health == HEALTH_UP;
}

uint32_t mib_servers_up(const struct mib_view *view, conf_index_t service)
{
	const struct conf_service *cs = &view->conf->services[service];
	uint32_t up = 0;

	for (uint32_t i = 0; i < cs->servers.count; i++)
		up += mib_server_is_up(view, cs->servers.first + i);
	return up;
}
