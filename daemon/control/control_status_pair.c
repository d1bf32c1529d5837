/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of the status document about the other node: the channel to it, what part of its connections is held here,
 * how the table of connections is told, in what the configurations differ. Runs in the control process. */
#include "control_status.h"
#include "needed.h"

static void write_differences(struct writer *w, const struct status_source *source)
{
	static const char *const kinds[] = {"only here", "only there", "not the same"};
	struct status_difference d;

	writer_array(w, "differences");
	for (uint32_t i = 0; i < PAIR_DIFFERENCES; i++) {
		if (!status_load(source, ROLE_PAIR, PAIR_TABLE_DIFFERENCE, i, &d, sizeof(d)) || !d.is_used ||
			d.kind > PAIR_DIFFERENT)
			break;
		writer_object(w, NULL);
		writer_string(w, "object", d.name);
		writer_string(w, "what", kinds[d.kind]);
		writer_end(w);
	}
	writer_end(w);
}

/* Percent, rounded down: 100 means everything. */
static void write_coverage(struct writer *w, const char *key, uint32_t known, uint32_t thousandths)
{
	if (known)
		writer_count(w, key, thousandths / 10);
	else
		writer_null(w, key);
}

static void write_pair(struct writer *w, const struct status_source *source)
{
	struct status_pair pair;
	char absence[WHY_SIZE];
	bool known = status_load(source, ROLE_PAIR, PAIR_TABLE_PEER, 0, &pair, sizeof(pair));
	bool off = !known && needed_why_not(source->conf, ROLE_PAIR);

	writer_object(w, "pair");
	writer_string(w, "state", known || off ? pair_state_name((enum pair_state_kind)pair.state) : "unknown");
	writer_string(w, "node", pair.peer_node);
	writer_string(w, "version", pair.peer_version);
	writer_bool(w, "active", pair.peer_active != 0);
	writer_time(w, "since", pair.since_real_us);
	write_coverage(w, "coverage_percent", pair.coverage_known, pair.coverage);
	writer_count(w, "coverage_of", pair.coverage_known ? pair.coverage_total : 0);
	write_coverage(w, "peer_coverage_percent", pair.peer_coverage_known, pair.peer_coverage);
	writer_bool(w, "configuration_compared", pair.config_known != 0);
	writer_count(w, "configuration_differences", pair.config_differs);
	write_differences(w, source);
	if (pair.clock_known)
		writer_number(w, "clock_ahead_seconds", pair.clock_ahead_us / US_PER_S);
	else
		writer_null(w, "clock_ahead_seconds");
	writer_count(w, "messages_sent", pair.sent);
	writer_count(w, "messages_received", pair.received);
	writer_count(w, "messages_forged", pair.forged);
	writer_count(w, "messages_stale", pair.stale);
	writer_string(w, "why", known ? pair.why : status_absence(source, ROLE_PAIR, absence));
	writer_end(w);
}

/* What the kernel's protocol has no room for, in words, as far as it concerns this configuration. */
static void write_limits(struct writer *w, const struct status_source *source)
{
	const struct conf *conf = source->conf;
	bool has_mark = false, has_other_family = false;

	for (uint32_t i = 0; i < conf->n_services; i++)
		has_mark |= conf->services[i].fwmark != 0;
	for (uint32_t i = 0; i < conf->n_servers; i++)
		has_other_family |= conf->servers[i].addr.family != conf->services[conf->servers[i].service].family;
	writer_array(w, "limits");
	writer_string(w, NULL, "sequence numbers that a NAT helper (FTP) has shifted are not known to the other node");
	if (has_mark)
		writer_string(w, NULL,
			"the mark of a connection is guessed from its server where several marks share one server");
	if (has_other_family)
		writer_string(
			w, NULL, "connections to servers of the other address family cannot be told to the other node");
	writer_end(w);
}

static void write_sync(struct writer *w, const struct status_source *source)
{
	static const char *const running[] = {"nothing", "sending", "counting"};
	struct status_sync sync;
	char absence[WHY_SIZE];
	bool known = status_load(source, ROLE_IPVS, IPVS_TABLE_SYNC, 0, &sync, sizeof(sync));

	writer_object(w, "connection_sync");
	writer_string(w, "mode", source->conf->global->connection_sync == CONF_SYNC_FULL ? "full" : "kernel");
	writer_bool(w, "ready", sync.is_ready != 0);
	writer_string(w, "running", running[sync.running <= SYNC_SCAN_COUNT ? sync.running : SYNC_SCAN_NONE]);
	writer_count(w, "own_connections", sync.own);
	writer_count(w, "held_for_others", sync.foreign);
	writer_count(w, "remembered_connections", sync.remembered);
	writer_count(w, "tables_sent", sync.sends);
	writer_count(w, "connections_sent", sync.entries_sent);
	writer_count(w, "datagrams_sent", sync.datagrams_sent);
	writer_count(w, "bytes_sent", sync.bytes_sent);
	writer_count(w, "datagrams_repeated", sync.repeated);
	writer_count(w, "send_errors", sync.send_errors);
	writer_count(w, "unsendable", sync.unsendable);
	writer_time(w, "last_sent", sync.last_send_real_us);
	write_coverage(w, "last_taken_percent", sync.last_taken > 0, status_sync_taken(&sync));
	writer_count(w, "last_duration_ms", (uint64_t)(sync.last_send_us / US_PER_MS));
	writer_count(w, "last_cpu_ms", (uint64_t)(sync.last_cpu_us / US_PER_MS));
	write_limits(w, source);
	writer_string(w, "why", known ? sync.why : status_absence(source, ROLE_IPVS, absence));
	writer_end(w);
}

void status_write_pair(struct writer *w, const struct status_source *source)
{
	write_pair(w, source);
	write_sync(w, source);
}
