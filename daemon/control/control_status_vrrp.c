/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of the status document about virtual routers: instances, sync groups, tracked scripts; runs in the control
 * process. Authentication keys never come here: this process does not have them. */
#include "control_status.h"

#include <stdio.h>

static void write_address_or_null(struct writer *w, const char *key, const struct addr *addr)
{
	char text[ADDR_TEXT];

	if (addr_is_set(addr))
		writer_string(w, key, addr_format(addr, text));
	else
		writer_null(w, key);
}

/* The addresses of an instance from `first` on; *held counts those that the kernel has. */
static void write_addresses(struct writer *w, const char *key, const struct status_source *source, uint32_t first,
	uint32_t count, uint32_t *held)
{
	struct status_address status;
	char text[ADDR_TEXT];

	writer_array(w, key);
	for (uint32_t i = first; i < first + count; i++) {
		writer_string(w, NULL, addr_format(&source->conf->addresses[i].addr, text));
		if (status_load(source, ROLE_VRRP, VRRP_TABLE_ADDRESS, i, &status, sizeof(status)) && status.is_set)
			++*held;
	}
	writer_end(w);
}

/* The names of routes or rules, and how many of them the kernel holds. */
static void write_paths(struct writer *w, const char *key, const struct status_source *source, unsigned table,
	const struct conf_range *range, uint32_t *held)
{
	struct status_address status;
	char name[CONF_NAME_SIZE];

	writer_array(w, key);
	for (uint32_t i = range->first; i < range->first + range->count; i++) {
		writer_string(w, NULL,
			table == VRRP_TABLE_ROUTE ? conf_route_name(source->conf, i, name)
						  : conf_rule_name(source->conf, i, name));
		if (status_load(source, ROLE_VRRP, table, i, &status, sizeof(status)) && status.is_set)
			++*held;
	}
	writer_end(w);
}

static const char *track_kind_name(enum conf_track_kind kind)
{
	switch (kind) {
	case CONF_TRACK_INTERFACE:
		return "interface";
	case CONF_TRACK_SCRIPT:
		return "script";
	case CONF_TRACK_PROCESS:
		return "process";
	case CONF_TRACK_FILE:
		return "file";
	case CONF_TRACK_SERVICE:
		return "service";
	case CONF_TRACK_BFD:
		return "bfd";
	case CONF_TRACK_STATIC:
		return "static_group";
	}
	return "unknown";
}

static void write_tracks(struct writer *w, const struct status_source *source, const struct conf_range *range)
{
	const struct conf *conf = source->conf;
	struct status_track status;
	char name[CONF_NAME_SIZE];

	writer_array(w, "tracks");
	for (uint32_t i = range->first; i < range->first + range->count; i++) {
		const struct conf_track *track = &conf->tracks[i];
		bool known = status_load(source, ROLE_VRRP, VRRP_TABLE_TRACK, i, &status, sizeof(status));

		writer_object(w, NULL);
		writer_string(w, "kind", track_kind_name((enum conf_track_kind)track->kind));
		writer_string(w, "name",
			track->kind == CONF_TRACK_SERVICE && track->service != CONF_NONE
				? conf_service_name(conf, track->service, name)
				: conf_string(conf, track->name));
		if (known)
			writer_bool(w, "up", status.is_up != 0);
		else
			writer_null(w, "up");
		writer_number(w, "weight", track->weight);
		writer_number(w, "weight_now", status.weight_now);
		writer_time(w, "since", status.since_real_us);
		writer_string(w, "why", status.why);
		writer_end(w);
	}
	writer_end(w);
}

/* What became of advertisements that came in: dropped by reason, accepted by the form of their checksum; only what
 * occurred. */
static void write_received(struct writer *w, const struct status_instance *status)
{
	static const char *const forms[] = {"message_only", "pseudo_header", "group_pseudo_header"};

	writer_object(w, "dropped");
	for (uint32_t i = VRRP_DROP_NONE + 1; i < VRRP_DROP_COUNT; i++)
		if (status->dropped[i])
			writer_count(w, vrrp_drop_name((enum vrrp_drop)i), status->dropped[i]);
	writer_end(w);
	writer_object(w, "checksums_received");
	for (uint32_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (status->checksums[i])
			writer_count(w, forms[i], status->checksums[i]);
	writer_end(w);
}

static void write_authentication(
	struct writer *w, const struct conf_instance *instance, const struct status_instance *status)
{
	static const char *const kinds[] = {
		[CONF_AUTH_NONE] = "none", [CONF_AUTH_PASS] = "pass", [CONF_AUTH_AH] = "ah", [CONF_AUTH_HMAC] = "hmac"};
	static const char *const modes[] = {[CONF_HMAC_ENFORCE] = "enforce",
		[CONF_HMAC_PERMISSIVE] = "permissive",
		[CONF_HMAC_RECEIVE_ONLY] = "receive-only"};

	writer_string(w, "authentication", kinds[instance->auth]);
	if (instance->auth != CONF_AUTH_HMAC)
		return;
	writer_object(w, "auth_hmac");
	writer_string(w, "mode", modes[instance->hmac_mode]);
	writer_number(w, "active_key", instance->hmac_active);
	writer_count(w, "signed_received", status->signed_received);
	writer_count(w, "unsigned_received", status->unsigned_received);
	writer_end(w);
}

static void write_instance(struct writer *w, const struct status_source *source, conf_index_t index)
{
	const struct conf *conf = source->conf;
	const struct conf_instance *instance = &conf->instances[index];
	struct status_instance status;
	char absence[WHY_SIZE];
	bool known = status_load(source, ROLE_VRRP, VRRP_TABLE_INSTANCE, index, &status, sizeof(status));
	uint32_t held = 0, routes = 0, rules = 0, excluded = instance->addresses.count - instance->n_advertised;

	writer_object(w, NULL);
	writer_string(w, "name", conf_string(conf, instance->name));
	writer_string(w, "state", vrrp_state_name((enum vrrp_state)status.state));
	writer_string(w, "interface", conf_string(conf, instance->interface));
	writer_number(w, "vrid", instance->vrid);
	writer_number(w, "version", instance->version);
	writer_string(w, "family", instance->family == AF_INET6 ? "ipv6" : "ipv4");
	writer_number(w, "priority", instance->priority);
	writer_count(w, "effective_priority", known ? status.effective_priority : instance->priority);
	if (instance->group == CONF_NONE || instance->group >= conf->n_groups)
		writer_null(w, "group");
	else
		writer_string(w, "group", conf_string(conf, conf->groups[instance->group].name));
	writer_time(w, "since", status.since_real_us);
	writer_string(w, "why", known ? status.why : status_absence(source, ROLE_VRRP, absence));
	write_address_or_null(w, "source", &status.source);
	write_address_or_null(w, "master", &status.master);
	writer_count(w, "master_priority", status.master_priority);
	writer_count(w, "became_master", status.became_master);
	writer_count(w, "adverts_sent", status.adverts_sent);
	writer_count(w, "adverts_received", status.adverts_received);
	writer_count(w, "priority_zero_sent", status.priority_zero_sent);
	writer_count(w, "priority_zero_received", status.priority_zero_received);
	write_received(w, &status);
	write_authentication(w, instance, &status);
	write_addresses(w, "addresses", source, instance->addresses.first, instance->n_advertised, &held);
	write_addresses(
		w, "excluded_addresses", source, instance->addresses.first + instance->n_advertised, excluded, &held);
	writer_count(w, "addresses_held", held);
	write_paths(w, "routes", source, VRRP_TABLE_ROUTE, &instance->routes, &routes);
	writer_count(w, "routes_held", routes);
	write_paths(w, "rules", source, VRRP_TABLE_RULE, &instance->rules, &rules);
	writer_count(w, "rules_held", rules);
	write_tracks(w, source, &instance->tracks);
	writer_end(w);
}

static void write_group(struct writer *w, const struct status_source *source, conf_index_t index)
{
	const struct conf *conf = source->conf;
	const struct conf_group *group = &conf->groups[index];
	struct status_group status;
	char absence[WHY_SIZE];
	bool known = status_load(source, ROLE_VRRP, VRRP_TABLE_GROUP, index, &status, sizeof(status));

	writer_object(w, NULL);
	writer_string(w, "name", conf_string(conf, group->name));
	writer_string(w, "state", vrrp_state_name((enum vrrp_state)status.state));
	writer_time(w, "since", status.since_real_us);
	writer_string(w, "why", known ? status.why : status_absence(source, ROLE_VRRP, absence));
	writer_array(w, "members");
	for (uint32_t i = group->members.first; i < group->members.first + group->members.count; i++)
		writer_string(w, NULL, conf_string(conf, conf->instances[conf->group_members[i]].name));
	writer_end(w);
	write_tracks(w, source, &group->tracks);
	writer_end(w);
}

static const char *script_result_name(enum script_result result)
{
	switch (result) {
	case SCRIPT_UNKNOWN:
		return "unknown";
	case SCRIPT_GOOD:
		return "good";
	case SCRIPT_BAD:
		return "bad";
	}
	return "unknown";
}

static void write_script(struct writer *w, const struct status_source *source, conf_index_t index)
{
	struct status_script status;
	char absence[WHY_SIZE];
	bool known = status_load(source, ROLE_SCRIPT, SCRIPT_TABLE_SCRIPT, index, &status, sizeof(status));

	writer_object(w, NULL);
	writer_string(w, "name", conf_string(source->conf, source->conf->scripts[index].name));
	writer_string(w, "result", script_result_name((enum script_result)status.result));
	writer_number(w, "last_exit", status.last_exit);
	writer_count(w, "runs", status.runs);
	writer_time(w, "since", status.since_real_us);
	writer_string(w, "why", known ? status.why : status_absence(source, ROLE_SCRIPT, absence));
	writer_end(w);
}

void status_write_vrrp(struct writer *w, const struct status_source *source)
{
	writer_array(w, "vrrp");
	for (conf_index_t i = 0; i < source->conf->n_instances; i++)
		write_instance(w, source, i);
	writer_end(w);
	writer_array(w, "groups");
	for (conf_index_t i = 0; i < source->conf->n_groups; i++)
		write_group(w, source, i);
	writer_end(w);
	writer_array(w, "scripts");
	for (conf_index_t i = 0; i < source->conf->n_scripts; i++)
		write_script(w, source, i);
	writer_end(w);
}

static void write_heard(struct writer *w, const char *instance, const struct status_heard *heard)
{
	char buf[ADDR_TEXT];

	writer_object(w, NULL);
	writer_string(w, "kind", "advertisements");
	writer_string(w, "object", instance);
	writer_string(w, "sender", addr_format(&heard->sender, buf));
	if (heard->drop == VRRP_DROP_NONE)
		writer_count(w, "priority", heard->priority);
	else
		writer_string(w, "dropped", vrrp_drop_name((enum vrrp_drop)heard->drop));
	writer_count(w, "count", heard->count);
	writer_number(w, "interval_ms", heard->interval_us / US_PER_MS);
	writer_time(w, "since", heard->first_real_us);
	writer_time(w, "time", heard->last_real_us);
	writer_end(w);
}

void status_write_heard(struct writer *w, const struct status_source *source)
{
	struct status_heard heard;

	writer_array(w, "heard");
	for (uint32_t i = 0; source->conf && i < source->conf->n_instances * HEARD_SENDERS; i++) {
		if (status_load(source, ROLE_VRRP, VRRP_TABLE_HEARD, i, &heard, sizeof(heard)) &&
			addr_is_set(&heard.sender))
			write_heard(
				w, conf_string(source->conf, source->conf->instances[i / HEARD_SENDERS].name), &heard);
	}
	writer_end(w);
}
