/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes results into the state of a check. Runs in poise-healthcheck; it never plans, never reports, and never asks
 * whose result it was. */
#include "check_result.h"
#include <stdio.h>
#include <string.h>

const char *checker_describe(const struct check *check, uint32_t step, char *buf)
{
	const struct check_spec *spec = &check->spec;
	const struct conf_check *c = check_spec_conf(spec);
	const struct conf_server *server = &spec->conf->servers[c->server];
	const struct probe_kind *kind = probe_kind_of(c->kind);
	char text[ADDR_TEXT];
	size_t used;

	if (!kind) {
		snprintf(buf, CHECK_TEXT_SIZE, "MISC_CHECK %s", conf_string(spec->conf, c->command.argv));
		return buf;
	}
	kind->describe(spec, step, buf, CHECK_TEXT_SIZE);
	if (!addr_is_set(&c->target) || (addr_equal(&c->target, &server->addr) && c->port == server->port))
		return buf;
	used = strlen(buf);
	snprintf(buf + used, CHECK_TEXT_SIZE - used, " at %s", addr_format_port(&c->target, c->port, text));
	return buf;
}

static void tell_state(
	struct check *c, const struct verdict_step *step, const struct probe_result *result, struct mono now)
{
	char what[CHECK_TEXT_SIZE], time[REASON_TIME_SIZE];
	bool is_recovering = step->to == HEALTH_DOWN && result->reason == REASON_OK;

	checker_describe(c, result->step, what);
	if (step->is_doubt)
		snprintf(c->status.why, WHY_SIZE, "in doubt: %.80s (%.40s, %u of %u tries failed)", result->why, what,
			step->tries, step->tries_needed);
	else if (is_recovering && flap_is_held(&c->flap, now))
		snprintf(c->status.why, WHY_SIZE,
			"passes, but fell %u times in a row: kept down for another %s (%.50s)", c->flap.falls,
			reason_time(mono_diff_us(c->flap.held_until, now), time), what);
	else if (is_recovering)
		snprintf(c->status.why, WHY_SIZE, "recovering: %.70s (%.40s, %u of %u tries passed)", result->why, what,
			step->tries, step->tries_needed);
	else
		snprintf(c->status.why, WHY_SIZE, "%.*s (%.50s)", WHY_SIZE - 4 - (int)strnlen(what, 50), result->why,
			what);
}

/* Says nothing about the server: the verdict stays, the sentence tells. */
static void take_own_trouble(struct check *c, const struct probe_result *result)
{
	char what[CHECK_TEXT_SIZE];

	c->status.last_reason = result->reason;
	snprintf(c->status.why, WHY_SIZE, "%.110s (%.40s)", result->why, checker_describe(c, result->step, what));
}

/* What the server said of itself counts until it says something else. */
static void take_wishes(struct check *c, const struct probe_result *result)
{
	c->status.connect_us = result->connect_us;
	c->status.handshake_us = result->handshake_us;
	c->status.first_byte_us = result->first_byte_us;
	if (result->cert_days)
		c->status.cert_days = result->cert_days;
	if (result->reason != REASON_OK)
		return;
	c->status.is_draining = result->is_draining;
	if (result->has_weight)
		c->status.weight = result->weight;
	if (result->has_percent)
		c->status.weight_percent = result->percent;
}

bool check_result_take(struct check *c, const struct probe_result *result, struct mono now, struct verdict_step *step)
{
	const struct conf_check *conf = check_spec_conf(&c->spec);
	struct verdict_rule rule = {.retry = conf->retry, .rise = conf->rise};
	bool passed = result->reason == REASON_OK, was_draining = c->status.is_draining;
	int32_t weight = c->status.weight, percent = c->status.weight_percent;
	/* A check that goes on passing keeps the sentence that says since when and how it came up. */
	bool is_quiet = passed && c->verdict.health == HEALTH_UP && c->verdict.failures == 0 && c->status.runs > 0;

	c->status.last_duration_us = mono_diff_us(now, c->status.last_start);
	if (reason_is_own(result->reason)) {
		take_own_trouble(c, result);
		return false;
	}
	if (flap_is_held(&c->flap, now))
		rule.rise = UINT32_MAX;
	*step = verdict_take(&rule, &c->verdict, passed);
	if (step->is_changed && step->to == HEALTH_DOWN)
		flap_fall(&c->flap, conf->flap_backoff_us, now);
	c->status.runs++;
	c->status.failed_runs += !passed;
	c->status.history = c->status.history << 1 | !passed;
	c->status.health = c->verdict.health;
	c->status.failures = c->verdict.failures;
	c->status.successes = c->verdict.successes;
	c->status.last_reason = result->reason;
	take_wishes(c, result);
	if (step->is_changed)
		c->status.since_real_us = real_now_us();
	if (!is_quiet || was_draining != (c->status.is_draining != 0) || weight != c->status.weight ||
		percent != c->status.weight_percent || c->status.is_late ||
		(conf->cert_expiry_warning && c->status.cert_days))
		tell_state(c, step, result, now);
	return true;
}
