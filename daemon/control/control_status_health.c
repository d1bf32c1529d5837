/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of the status document about health checks: each one, and how punctual they are as a whole; runs in the
 * control process. */
#include "check_reason.h"
#include "control_status.h"

static const char *check_kind_name(uint32_t kind)
{
	static const char *const names[CONF_CHECK_KINDS] = {
		[CONF_CHECK_TCP] = "TCP_CHECK",
		[CONF_CHECK_HTTP] = "HTTP_GET",
		[CONF_CHECK_SSL] = "SSL_GET",
		[CONF_CHECK_MISC] = "MISC_CHECK",
		[CONF_CHECK_TLS] = "TLS_CHECK",
		[CONF_CHECK_SMTP] = "SMTP_CHECK",
		[CONF_CHECK_DNS] = "DNS_CHECK",
		[CONF_CHECK_UDP] = "UDP_CHECK",
		[CONF_CHECK_PING] = "PING_CHECK",
		[CONF_CHECK_FILE] = "FILE_CHECK",
		[CONF_CHECK_AGENT] = "AGENT_CHECK",
		[CONF_CHECK_GRPC] = "GRPC_CHECK",
		[CONF_CHECK_BFD] = "BFD_CHECK",
	};

	return kind < CONF_CHECK_KINDS ? names[kind] : "unknown";
}

/* The last runs, the newest first: "." passed, "x" failed. */
static void write_history(struct writer *w, const struct status_check *s)
{
	char text[33];
	unsigned n = s->runs < 32 ? (unsigned)s->runs : 32;

	for (unsigned i = 0; i < n; i++)
		text[i] = s->history >> i & 1 ? 'x' : '.';
	text[n] = '\0';
	writer_string(w, "history", text);
}

void status_write_check(struct writer *w, const struct status_source *source, conf_index_t index)
{
	const struct conf_check *check = &source->conf->checks[index];
	char text[ADDR_TEXT], absence[WHY_SIZE];
	struct status_check s;
	enum role checker = conf_checker(source->conf, check->server);
	bool known = status_load(source, checker, HEALTH_TABLE_CHECK, index, &s, sizeof(s));

	writer_object(w, NULL);
	writer_string(w, "kind", check_kind_name(check->kind));
	if (addr_is_set(&check->target))
		writer_string(w, "target", addr_format_port(&check->target, check->port, text));
	writer_string(w, "health", health_name((enum health)s.health));
	writer_string(w, "reason", known ? reason_name((enum reason)s.last_reason) : "");
	writer_string(w, "why", known ? s.why : status_absence(source, checker, absence));
	writer_time(w, "since", s.since_real_us);
	writer_count(w, "runs", s.runs);
	writer_count(w, "failed_runs", s.failed_runs);
	writer_count(w, "failures_in_a_row", s.failures);
	writer_count(w, "successes_in_a_row", s.successes);
	write_history(w, &s);
	writer_number(w, "interval_ms", check->interval_us / US_PER_MS);
	writer_number(w, "duration_us", s.last_duration_us);
	writer_count(w, "connect_us", s.connect_us);
	writer_count(w, "handshake_us", s.handshake_us);
	writer_count(w, "first_byte_us", s.first_byte_us);
	if (s.cert_days)
		writer_number(w, "certificate_days", (int64_t)s.cert_days - 1);
	if (known && s.weight >= 0)
		writer_number(w, "weight", s.weight);
	writer_number(w, "weight_percent", known ? s.weight_percent : 100);
	writer_bool(w, "draining", s.is_draining != 0);
	writer_bool(w, "late", s.is_late != 0);
	writer_bool(w, "shared", s.is_shared != 0);
	writer_end(w);
}

void status_write_health(struct writer *w, const struct status_source *source)
{
	struct status_checks s;
	char absence[WHY_SIZE];
	bool known = status_find_checks(source, &s);

	writer_object(w, "health_checks");
	writer_count(w, "checks", s.checks);
	writer_count(w, "probes", s.probes);
	writer_count(w, "runs", s.runs);
	writer_count(w, "late", s.late);
	writer_number(w, "lateness_p50_us", s.lateness_p50_us);
	writer_number(w, "lateness_p99_us", s.lateness_p99_us);
	writer_number(w, "lateness_max_us", s.lateness_max_us);
	writer_count(w, "pools_in_panic", s.pools_in_panic);
	writer_string(w, "why", known ? s.why : status_absence(source, ROLE_HEALTHCHECK, absence));
	writer_end(w);
}
