/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compares the generation in use with one that may follow it; runs in the control process. It never changes anything,
 * and it counts connections only where something would end them. */
#include "control_plan.h"
#include "control_plan_members.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the list ---- */

static struct plan_step *add(struct plan *plan, enum plan_kind kind)
{
	static struct plan_step waste;

	if (plan->count == plan->room) {
		size_t room = plan->room ? plan->room * 2 : 64;
		struct plan_step *steps = reallocarray(plan->steps, room, sizeof(*steps));

		if (!steps) {
			plan->failed = true;
			waste = (struct plan_step){0};
			return &waste;
		}
		plan->steps = steps;
		plan->room = room;
	}
	plan->steps[plan->count] = (struct plan_step){.kind = kind};
	return &plan->steps[plan->count++];
}

static void __attribute__((format(printf, 2, 3))) say(struct plan_step *step, const char *fmt, ...)
{
	size_t used = strlen(step->detail);
	va_list ap;

	if (used > 0 && used + 3 < sizeof(step->detail))
		used += (size_t)snprintf(step->detail + used, sizeof(step->detail) - used, ", ");
	va_start(ap, fmt);
	vsnprintf(step->detail + used, sizeof(step->detail) - used, fmt, ap);
	va_end(ap);
}

/* ---- connections ---- */

uint64_t plan_connections(const struct status_source *now, conf_index_t server)
{
	struct status_server status;

	status_find_server(now, server, &status);
	return status.active;
}

static uint64_t connections_of_service(const struct status_source *now, conf_index_t service)
{
	const struct conf_service *s = &now->conf->services[service];
	uint64_t n = s->sorry == CONF_NONE ? 0 : plan_connections(now, s->sorry);

	for (uint32_t i = s->servers.first; i < s->servers.first + s->servers.count; i++)
		n += plan_connections(now, i);
	return n;
}

/* Of all services that are reached through this address. */
static uint64_t connections_of_address(const struct status_source *now, const struct addr *addr)
{
	uint64_t n = 0;

	for (conf_index_t i = 0; i < now->conf->n_services; i++)
		if (now->conf->services[i].kind == CONF_SERVICE_ADDRESS &&
			addr_equal(&now->conf->services[i].addr, addr))
			n += connections_of_service(now, i);
	return n;
}

static uint64_t kernel_services(const struct conf *conf, conf_index_t service)
{
	const struct conf_service *s = &conf->services[service];
	uint64_t n = 0;

	if (s->kind != CONF_SERVICE_GROUP || s->group == CONF_NONE)
		return 1;
	for (uint32_t i = 0; i < conf->service_groups[s->group].entries.count; i++) {
		const struct conf_group_entry *e =
			&conf->group_entries[conf->service_groups[s->group].entries.first + i];
		const uint8_t *first = e->first.bytes, *last = e->last.bytes;
		size_t end = addr_len(&e->first);

		/* Ranges differ in the last two bytes at most. */
		n += 1 + (end >= 2 ? (uint64_t)((last[end - 2] << 8 | last[end - 1]) -
						(first[end - 2] << 8 | first[end - 1]))
				   : 0);
	}
	return n;
}

/* ---- services and servers ---- */

/* The addresses of a group that go, go with their connections. */
static void say_members(struct plan_step *step, const struct status_source *now, conf_index_t i,
	const struct plan_members *lost, const struct conf *to, conf_index_t k)
{
	if (lost->is_rekeyed) {
		say(step, "the mark that stands for its group is another");
		step->operations = kernel_services(to, k) * (1 + to->services[k].servers.count);
		step->connections = connections_of_service(now, i);
	} else if (lost->count) {
		say(step, "%u member%s of its group leave%s", lost->count, lost->count == 1 ? "" : "s",
			lost->count == 1 ? "s" : "");
		step->operations += lost->count;
		step->connections = lost->connections;
	}
	step->cuts = step->connections > 0;
}

static void compare_service(
	struct plan *plan, const struct status_source *now, conf_index_t i, const struct conf *to, conf_index_t k)
{
	const struct conf *from = now->conf;
	const struct plan_members lost = plan_members_lost(now, i, to, k);
	const struct conf_service *old = &from->services[i], *new = &to->services[k];
	const char *scheduler = conf_string(to, new->scheduler);
	struct plan_step *step;
	char name[CONF_NAME_SIZE];

	if (conf_same_record(from, i, to, k, CONF_TABLE_SERVICE) && !lost.count)
		return;
	step = add(plan, PLAN_CHANGE);
	snprintf(step->object, sizeof(step->object), "service %.120s", conf_service_name(to, k, name));
	if (strcmp(conf_string(from, old->scheduler), scheduler) != 0)
		say(step, "scheduler %s -> %s", conf_string(from, old->scheduler), scheduler);
	if (old->persistence_us != new->persistence_us)
		say(step, "persistence %lld s -> %lld s", (long long)(old->persistence_us / US_PER_S),
			(long long)(new->persistence_us / US_PER_S));
	if (old->scheduler_flags != new->scheduler_flags || old->one_packet != new->one_packet ||
		old->persistence_mask4 != new->persistence_mask4 ||
		old->persistence_prefix6 != new->persistence_prefix6)
		say(step, "flags");
	if (step->detail[0])
		step->operations = kernel_services(to, k);
	say_members(step, now, i, &lost, to, k);
	if (old->quorum != new->quorum)
		say(step, "quorum %u -> %u", old->quorum, new->quorum);
	if (old->servers.count != new->servers.count)
		say(step, "%u servers -> %u", old->servers.count, new->servers.count);
	if (!step->detail[0])
		say(step, "settings that the kernel does not see");
}

static void compare_server(
	struct plan *plan, const struct status_source *now, conf_index_t i, const struct conf *to, conf_index_t k)
{
	static const char *const forwards[] = {"nat", "dr", "tun", "inherit"};
	const struct conf_server *old = &now->conf->servers[i], *new = &to->servers[k];
	char service[CONF_NAME_SIZE], server[CONF_NAME_SIZE];
	struct plan_step *step;

	if (conf_same_record(now->conf, i, to, k, CONF_TABLE_SERVER))
		return;
	step = add(plan, PLAN_CHANGE);
	snprintf(step->object, sizeof(step->object), "server %.60s of %.80s", conf_server_name(to, k, server),
		conf_service_name(to, new->service, service));
	if (old->weight != new->weight)
		say(step, "weight %d -> %d", old->weight, new->weight);
	if (old->forward != new->forward)
		say(step, "%s -> %s (connections keep theirs)", forwards[old->forward], forwards[new->forward]);
	if (old->upper_threshold != new->upper_threshold || old->lower_threshold != new->lower_threshold)
		say(step, "thresholds %u, %u -> %u, %u", old->upper_threshold, old->lower_threshold,
			new->upper_threshold, new->lower_threshold);
	if (step->detail[0])
		step->operations = kernel_services(to, new->service);
	else
		say(step, "settings that the kernel does not see");
}

static void remove_server(
	struct plan *plan, const struct status_source *now, conf_index_t i, const struct conf *to, conf_index_t service)
{
	struct plan_step *step = add(plan, PLAN_REMOVE);
	char service_name[CONF_NAME_SIZE], server[CONF_NAME_SIZE];

	snprintf(step->object, sizeof(step->object), "server %.60s of %.80s", conf_server_name(now->conf, i, server),
		conf_service_name(to, service, service_name));
	step->operations = kernel_services(to, service);
	step->connections = plan_connections(now, i);
	step->cuts = step->connections > 0 && conf_removal_cuts(to, service);
	if (step->cuts)
		say(step, "removed at once: drain it first, or give the service a drain_timeout and a scheduler that "
			  "honours weight 0");
	else if (step->connections > 0)
		say(step, "its connections are given %lld s to end",
			(long long)(to->services[service].drain_timeout_us / US_PER_S));
	else
		say(step, "it has no connection");
}

static void add_server(struct plan *plan, const struct conf *to, conf_index_t k)
{
	struct plan_step *step = add(plan, PLAN_ADD);
	char service[CONF_NAME_SIZE], server[CONF_NAME_SIZE];

	snprintf(step->object, sizeof(step->object), "server %.60s of %.80s", conf_server_name(to, k, server),
		conf_service_name(to, to->servers[k].service, service));
	step->operations = kernel_services(to, to->servers[k].service);
	say(step, "weight %d, %u check%s", to->servers[k].weight, to->servers[k].checks.count,
		to->servers[k].checks.count == 1 ? "" : "s");
}

/* new_of[i]: where service or server i of `now` is in `to`, from the matches the other way round. */
static conf_index_t *invert(const conf_index_t *old_of, uint32_t n_to, uint32_t n_from)
{
	conf_index_t *new_of = malloc(((size_t)n_from + 1) * sizeof(*new_of));

	if (!new_of)
		return NULL;
	memset(new_of, 0xff, ((size_t)n_from + 1) * sizeof(*new_of));
	for (uint32_t i = 0; i < n_to; i++)
		if (old_of[i] != CONF_NONE)
			new_of[old_of[i]] = i;
	return new_of;
}

static void plan_services(struct plan *plan, const struct status_source *now, const struct conf *to,
	const conf_index_t *old_of, const conf_index_t *new_of)
{
	char name[CONF_NAME_SIZE];

	for (conf_index_t i = 0; i < now->conf->n_services; i++) {
		struct plan_step *step;

		if (new_of[i] != CONF_NONE) {
			compare_service(plan, now, i, to, new_of[i]);
			continue;
		}
		step = add(plan, PLAN_REMOVE);
		snprintf(step->object, sizeof(step->object), "service %.120s", conf_service_name(now->conf, i, name));
		step->operations = kernel_services(now->conf, i);
		step->connections = connections_of_service(now, i);
		step->cuts = step->connections > 0;
		say(step, "with its %u servers", now->conf->services[i].servers.count);
	}
	for (conf_index_t k = 0; k < to->n_services; k++) {
		struct plan_step *step;

		if (old_of[k] != CONF_NONE)
			continue;
		step = add(plan, PLAN_ADD);
		snprintf(step->object, sizeof(step->object), "service %.120s", conf_service_name(to, k, name));
		step->operations = kernel_services(to, k) * (1 + to->services[k].servers.count);
		say(step, "%s, with %u servers", conf_string(to, to->services[k].scheduler),
			to->services[k].servers.count);
	}
}

static void plan_servers(struct plan *plan, const struct status_source *now, const struct conf *to,
	const conf_index_t *new_service, const conf_index_t *old_service, const conf_index_t *old_of,
	const conf_index_t *new_of)
{
	for (conf_index_t i = 0; i < now->conf->n_servers; i++) {
		conf_index_t service = now->conf->servers[i].service;

		/* Those of a service that goes went with it. */
		if (service == CONF_NONE || new_service[service] == CONF_NONE)
			continue;
		if (new_of[i] != CONF_NONE)
			compare_server(plan, now, i, to, new_of[i]);
		else
			remove_server(plan, now, i, to, new_service[service]);
	}
	for (conf_index_t k = 0; k < to->n_servers; k++)
		if (old_of[k] == CONF_NONE && to->servers[k].service != CONF_NONE &&
			old_service[to->servers[k].service] != CONF_NONE)
			add_server(plan, to, k);
}

static void plan_ipvs(struct plan *plan, const struct status_source *now, const struct conf *to)
{
	conf_index_t *old_service = calloc((size_t)to->n_services + 1, sizeof(*old_service));
	conf_index_t *old_server = calloc((size_t)to->n_servers + 1, sizeof(*old_server));
	conf_index_t *new_service = NULL, *new_server = NULL;

	if (old_service && old_server && conf_match_services(to, now->conf, old_service) == 0 &&
		conf_match_servers(to, now->conf, old_server) == 0) {
		new_service = invert(old_service, to->n_services, now->conf->n_services);
		new_server = invert(old_server, to->n_servers, now->conf->n_servers);
	}
	if (new_service && new_server) {
		plan_services(plan, now, to, old_service, new_service);
		plan_servers(plan, now, to, new_service, old_service, old_server, new_server);
	} else {
		plan->failed = true;
	}
	free(old_service);
	free(old_server);
	free(new_service);
	free(new_server);
}

/* ---- virtual routers ---- */

static bool has_address(const struct conf *conf, const struct conf_instance *in, const struct conf_address *wanted)
{
	for (uint32_t i = in->addresses.first; i < in->addresses.first + in->addresses.count; i++)
		if (addr_equal(&conf->addresses[i].addr, &wanted->addr) && conf->addresses[i].prefix == wanted->prefix)
			return true;
	return false;
}

/* Addresses of instance i of a that instance k of b lacks (b NULL: all of them). */
static void plan_addresses(struct plan *plan, const struct status_source *now, const struct conf *a, conf_index_t i,
	const struct conf *b, const struct conf_instance *other, enum plan_kind kind, bool is_master)
{
	const struct conf_instance *in = &a->instances[i];
	char text[ADDR_TEXT];

	for (uint32_t n = in->addresses.first; n < in->addresses.first + in->addresses.count; n++) {
		struct plan_step *step;

		if (other && has_address(b, other, &a->addresses[n]))
			continue;
		step = add(plan, kind);
		snprintf(step->object, sizeof(step->object), "address %s/%u of %.80s",
			addr_format(&a->addresses[n].addr, text), a->addresses[n].prefix, conf_string(a, in->name));
		step->operations = is_master;
		if (kind == PLAN_REMOVE && is_master)
			step->connections = connections_of_address(now, &a->addresses[n].addr);
		step->cuts = step->connections > 0;
		say(step, is_master ? "this router holds it" : "this router does not hold it");
	}
}

static void compare_instance(
	struct plan *plan, const struct status_source *now, conf_index_t i, const struct conf *to, conf_index_t k)
{
	const struct conf_instance *old = &now->conf->instances[i], *new = &to->instances[k];
	struct status_instance status;
	struct plan_step *step;
	bool is_master, restarts;

	status_load(now, ROLE_VRRP, VRRP_TABLE_INSTANCE, i, &status, sizeof(status));
	is_master = status.state == VRRP_MASTER;
	plan_addresses(plan, now, now->conf, i, to, new, PLAN_REMOVE, is_master);
	plan_addresses(plan, now, to, k, now->conf, old, PLAN_ADD, is_master);
	if (conf_same_record(now->conf, i, to, k, CONF_TABLE_INSTANCE))
		return;
	step = add(plan, PLAN_CHANGE);
	snprintf(step->object, sizeof(step->object), "instance %.120s", conf_string(to, new->name));
	restarts = old->vrid != new->vrid || old->family != new->family || old->version != new->version ||
		   strcmp(conf_string(now->conf, old->interface), conf_string(to, new->interface)) != 0;
	if (old->vrid != new->vrid)
		say(step, "virtual router %u -> %u", old->vrid, new->vrid);
	if (old->version != new->version)
		say(step, "VRRP version %u -> %u", old->version, new->version);
	if (strcmp(conf_string(now->conf, old->interface), conf_string(to, new->interface)) != 0)
		say(step, "interface %s -> %s", conf_string(now->conf, old->interface),
			conf_string(to, new->interface));
	if (old->priority != new->priority)
		say(step, "priority %u -> %u", old->priority, new->priority);
	if (old->advert_us != new->advert_us)
		say(step, "advertisements every %lld ms -> %lld ms", (long long)(old->advert_us / US_PER_MS),
			(long long)(new->advert_us / US_PER_MS));
	step->changes_state =
		(restarts && status.state != VRRP_INIT) || (is_master && new->priority < old->priority) ||
		(status.state == VRRP_BACKUP &&
			new->preempt &&new->priority > old->priority &&new->priority > status.master_priority);
	if (step->changes_state)
		say(step, is_master ? "may be master no more" : "may become master");
	if (!step->detail[0])
		say(step, "settings");
}

static void plan_vrrp(struct plan *plan, const struct status_source *now, const struct conf *to)
{
	const struct conf *from = now->conf;
	struct status_instance status;

	for (conf_index_t i = 0; i < from->n_instances; i++) {
		conf_index_t k = conf_find_instance(to, from, i);
		struct plan_step *step;
		bool is_master;

		if (k != CONF_NONE) {
			compare_instance(plan, now, i, to, k);
			continue;
		}
		status_load(now, ROLE_VRRP, VRRP_TABLE_INSTANCE, i, &status, sizeof(status));
		is_master = status.state == VRRP_MASTER;
		step = add(plan, PLAN_REMOVE);
		snprintf(step->object, sizeof(step->object), "instance %.120s",
			conf_string(from, from->instances[i].name));
		say(step, is_master ? "it is master: its addresses go" : "it is %s",
			vrrp_state_name((enum vrrp_state)status.state));
		step->changes_state = is_master;
		plan_addresses(plan, now, from, i, to, NULL, PLAN_REMOVE, is_master);
	}
	for (conf_index_t k = 0; k < to->n_instances; k++) {
		struct plan_step *step;

		if (conf_find_instance(from, to, k) != CONF_NONE)
			continue;
		step = add(plan, PLAN_ADD);
		snprintf(step->object, sizeof(step->object), "instance %.120s", conf_string(to, to->instances[k].name));
		say(step, "%u addresses, priority %u", to->instances[k].addresses.count, to->instances[k].priority);
	}
}

/* ---- all else ---- */

static void plan_rest(struct plan *plan, const struct conf *from, const struct conf *to)
{
	static const struct {
		enum conf_table table;
		const char *what;
		bool goes_with_servers; /* differs whenever servers come or go */
	} rest[] = {
		{CONF_TABLE_GLOBAL, "global settings", false},
		{CONF_TABLE_PEER, "unicast peers", false},
		{CONF_TABLE_TRACK, "tracking", false},
		{CONF_TABLE_GROUP, "sync groups", false},
		{CONF_TABLE_SCRIPT, "track scripts", false},
		{CONF_TABLE_SERVICE_GROUP, "service groups", false},
		{CONF_TABLE_GROUP_ENTRY, "members of service groups", false},
		{CONF_TABLE_NOTIFY, "notifications", true},
		{CONF_TABLE_CHECK, "health checks", true},
		{CONF_TABLE_URL, "health checks' URLs", true},
		{CONF_TABLE_STATUS_RANGE, "health checks' status codes", true},
		{CONF_TABLE_STEP, "health checks' conversations", true},
	};

	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++) {
		struct plan_step *step;

		if ((rest[i].goes_with_servers && from->n_servers != to->n_servers) ||
			conf_same_table(from, to, rest[i].table))
			continue;
		step = add(plan, PLAN_CHANGE);
		snprintf(step->object, sizeof(step->object), "%s", rest[i].what);
		say(step, "settings");
	}
}

/* ---- the whole ---- */

void plan_make(struct plan *plan, const struct status_source *now, const struct conf *to)
{
	*plan = (struct plan){0};
	plan_vrrp(plan, now, to);
	plan_ipvs(plan, now, to);
	plan_rest(plan, now->conf, to);
	for (size_t i = 0; i < plan->count; i++) {
		plan->operations += plan->steps[i].operations;
		plan->state_changes += plan->steps[i].changes_state;
		plan->connections_cut += plan->steps[i].cuts ? plan->steps[i].connections : 0;
	}
}

void plan_free(struct plan *plan)
{
	free(plan->steps);
	*plan = (struct plan){0};
}

enum plan_verdict plan_verdict(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].cuts)
			return PLAN_CUTS;
	return plan->count || plan->failed ? PLAN_HARMLESS : PLAN_NOTHING;
}

const char *plan_verdict_name(enum plan_verdict verdict)
{
	switch (verdict) {
	case PLAN_NOTHING:
		return "nothing";
	case PLAN_HARMLESS:
		return "harmless";
	case PLAN_CUTS:
		return "cuts";
	}
	return "?";
}

const char *plan_summary(const struct plan *plan, char *buf, size_t size)
{
	const struct plan_step *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < plan->count; i++) {
		if (!plan->steps[i].cuts)
			continue;
		first = first ? first : &plan->steps[i];
		n++;
	}
	snprintf(buf, size, "%llu connection%s would be cut: %s (%s)%s", (unsigned long long)plan->connections_cut,
		plan->connections_cut == 1 ? "" : "s", first ? first->object : "", first ? first->detail : "",
		n > 1 ? ", and more" : "");
	return buf;
}

static void write_step(struct writer *w, const struct plan_step *step)
{
	static const char *const kinds[] = {[PLAN_ADD] = "add", [PLAN_CHANGE] = "change", [PLAN_REMOVE] = "remove"};

	writer_object(w, NULL);
	writer_string(w, "kind", kinds[step->kind]);
	writer_string(w, "object", step->object);
	writer_string(w, "detail", step->detail);
	writer_count(w, "operations", step->operations);
	writer_count(w, "connections", step->connections);
	writer_bool(w, "cuts", step->cuts);
	writer_bool(w, "changes_state", step->changes_state);
	writer_end(w);
}

void plan_write(struct writer *w, const char *key, const struct plan *plan)
{
	size_t written = 0;

	writer_object(w, key);
	writer_count(w, "warnings", plan->warnings);
	if (plan->warnings)
		writer_string(w, "first_warning", plan->first_warning);
	else
		writer_null(w, "first_warning");
	writer_string(w, "verdict", plan_verdict_name(plan_verdict(plan)));
	writer_count(w, "operations", plan->operations);
	writer_count(w, "connections_cut", plan->connections_cut);
	writer_count(w, "state_changes", plan->state_changes);
	writer_array(w, "steps");
	for (int cuts = 1; cuts >= 0; cuts--) {
		for (size_t i = 0; i < plan->count && written < PLAN_STEPS_MAX; i++) {
			if (plan->steps[i].cuts != cuts)
				continue;
			write_step(w, &plan->steps[i]);
			written++;
		}
	}
	writer_end(w);
	writer_count(w, "steps_total", plan->count);
	writer_end(w);
}
