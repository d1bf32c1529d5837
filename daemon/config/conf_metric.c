/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the metrics of a route: what the kernel's TCP is told of the way. Runs in the config role. */
#include "conf_metric.h"
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

enum metric_kind { METRIC_PLAIN, METRIC_RTT, METRIC_RTTVAR, METRIC_TIME };

const struct conf_metric conf_metrics[] = {
	{"mtu", RTAX_MTU, METRIC_PLAIN},
	{"advmss", RTAX_ADVMSS, METRIC_PLAIN},
	{"rtt", RTAX_RTT, METRIC_RTT},
	{"rttvar", RTAX_RTTVAR, METRIC_RTTVAR},
	{"reordering", RTAX_REORDERING, METRIC_PLAIN},
	{"window", RTAX_WINDOW, METRIC_PLAIN},
	{"cwnd", RTAX_CWND, METRIC_PLAIN},
	{"ssthresh", RTAX_SSTHRESH, METRIC_PLAIN},
	{"rto_min", RTAX_RTO_MIN, METRIC_TIME},
	{"initcwnd", RTAX_INITCWND, METRIC_PLAIN},
	{"initrwnd", RTAX_INITRWND, METRIC_PLAIN},
	{"quickack", RTAX_QUICKACK, METRIC_PLAIN},
	{"hoplimit", RTAX_HOPLIMIT, METRIC_PLAIN},
	{"fastopen_no_cookie", RTAX_FASTOPEN_NO_COOKIE, METRIC_PLAIN},
	{0},
};

/* keepalived raises every time of a route to this. */
#define METRIC_TIME_LOW_MS 200

/* A bare number is the kernel's unit; with s or ms behind it, a time, which the kernel counts in eighths (rtt) or
 * quarters (rttvar) of a millisecond. */
static const uint32_t parts[] = {[METRIC_PLAIN] = 1, [METRIC_RTT] = 8, [METRIC_RTTVAR] = 4, [METRIC_TIME] = 1};

static uint32_t read_value(struct conf_phrase *p, enum metric_kind kind)
{
	double time;
	uint32_t value = 0;
	char *end;

	if (conf_iproute_plain(phrase_word(p), UINT32_MAX, &value))
		return value;
	time = strtod(phrase_word(p), &end);
	if (kind != METRIC_PLAIN && end != phrase_word(p) && time >= 0 && time < 1e6) {
		if (strcmp(end, "s") == 0 || strcmp(end, "sec") == 0 || strcmp(end, "secs") == 0)
			return (uint32_t)(time * 1000 * parts[kind]);
		if (strcmp(end, "ms") == 0 || strcmp(end, "msec") == 0 || strcmp(end, "msecs") == 0)
			return (uint32_t)(time * parts[kind]);
	}
	phrase_fail(p, "a metric needs a number");
	return 0;
}

/* What keepalived makes of a time: an operator's file means that. */
static uint32_t at_least(struct conf_phrase *p, enum metric_kind kind, uint32_t value)
{
	uint32_t low = METRIC_TIME_LOW_MS * parts[kind];

	if (kind == METRIC_PLAIN || value >= low || p->is_wrong || p->load->dialect != CONF_DIALECT_KEEPALIVED)
		return value;
	conf_warn(
		p->load, p->node, p->at, "this is less than 200 ms" CONF_MEANING "200 ms is taken, as keepalived does");
	return low;
}

bool conf_metric_read(struct conf_phrase *p, struct conf_route *route)
{
	for (const struct conf_metric *m = conf_metrics; m->name; m++) {
		if (strcmp(phrase_word(p), m->name) != 0)
			continue;
		p->at++;
		if (strcmp(phrase_word(p), "lock") == 0) {
			route->metrics_locked |= 1u << m->number;
			p->at++;
		}
		route->metrics_given |= 1u << m->number;
		route->metrics[m->number] = at_least(p, m->kind, read_value(p, m->kind));
		return true;
	}
	if (strcmp(phrase_word(p), "congctl") == 0) {
		p->at++;
		if (strcmp(phrase_word(p), "lock") == 0) {
			route->metrics_locked |= 1u << RTAX_CC_ALGO;
			p->at++;
		}
		route->congctl = conf_text(p->load, phrase_word(p));
		return true;
	}
	if (strcmp(phrase_word(p), "features") == 0) {
		p->at++;
		if (strcmp(phrase_word(p), "ecn") != 0)
			phrase_fail(p, "features must be followed by ecn");
		/* keepalived's manual writes `features ecn add` in one place. */
		if (strcmp(conf_word(p->node, p->at + 1), "add") == 0)
			route->place = CONF_ROUTE_ADD, p->at++;
		route->metrics_given |= 1u << RTAX_FEATURES;
		route->metrics[RTAX_FEATURES] = RTAX_FEATURE_ECN;
		return true;
	}
	return false;
}
