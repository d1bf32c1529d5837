/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of routes and rules for log lines and status. Used by every process that speaks of them; the full text is the
 * configuration's. */
#include "conf.h"
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

static void add(char *buf, const char *word, const char *value)
{
	size_t n = strlen(buf);

	snprintf(buf + n, CONF_NAME_SIZE - n, "%s%s", word, value);
}

static void add_prefix(char *buf, const char *word, const struct addr *addr, uint8_t prefix)
{
	char text[ADDR_TEXT], both[ADDR_TEXT + 8];

	snprintf(both, sizeof(both), "%s/%u", addr_format(addr, text), prefix);
	add(buf, word, prefix ? both : "default");
}

static void add_number(char *buf, const char *word, uint32_t number)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	add(buf, word, text);
}

const char *conf_route_name(const struct conf *conf, conf_index_t route, char *buf)
{
	const struct conf_route *r = &conf->routes[route];
	char text[ADDR_TEXT];

	snprintf(buf, CONF_NAME_SIZE, "route ");
	add_prefix(buf, "", &r->to, r->to_prefix);
	for (uint32_t i = r->nexthops.first; i < r->nexthops.first + r->nexthops.count; i++) {
		if (addr_is_set(&conf->nexthops[i].via))
			add(buf, " via ", addr_format(&conf->nexthops[i].via, text));
		if (conf->nexthops[i].interface)
			add(buf, " dev ", conf_string(conf, conf->nexthops[i].interface));
	}
	if (r->table != RT_TABLE_MAIN)
		add_number(buf, " table ", r->table);
	return buf;
}

const char *conf_rule_name(const struct conf *conf, conf_index_t rule, char *buf)
{
	const struct conf_rule *r = &conf->rules[rule];

	snprintf(buf, CONF_NAME_SIZE, "rule %u:", r->priority);
	if (r->from_prefix)
		add_prefix(buf, " from ", &r->from, r->from_prefix);
	if (r->to_prefix)
		add_prefix(buf, " to ", &r->to, r->to_prefix);
	if (r->action == FR_ACT_TO_TBL && r->table)
		add_number(buf, " table ", r->table);
	return buf;
}
