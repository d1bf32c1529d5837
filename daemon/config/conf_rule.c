/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads routing rules. Runs in the config role. A rule that is not understood refuses the file, as a route does;
 * one without a valid address is left out, as keepalived does. */
#include "conf_rule.h"
#include "conf_iproute.h"
#include "conf_route.h"
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define KEEPALIVED_PROTOCOL 18
/* Rules without a preference count down from here in each family, so a later one comes first. This is what keepalived
 * gives them and what the kernel would: a new rule stands before the others. */
#define FIRST_PRIORITY 16384

struct reader {
	struct conf_load *load;
	const struct conf_node *node;
	uint32_t at;
	struct conf_rule rule;
	const struct conf_word *track_group;
	bool has_priority, has_action, is_wrong;
};

static const char *word(const struct reader *r)
{
	return conf_word(r->node, r->at);
}

static void fail(struct reader *r, const char *what)
{
	if (!r->is_wrong)
		conf_error(r->load, r->node, r->at, "%s, not \"%s\"", what, word(r));
	r->is_wrong = true;
}

static void read_prefix(struct reader *r, struct addr *addr, uint8_t *prefix)
{
	if (!conf_route_prefix(word(r), AF_UNSPEC, addr, prefix)) {
		/* keepalived's own samples have such a rule. */
		if (!r->is_wrong)
			conf_warn(r->load, r->node, r->at,
				"from and to must be followed by ADDRESS[/PREFIX] or all, not \"%s\"" CONF_MEANING
				"the rule is left out",
				word(r));
		r->is_wrong = true;
		return;
	}
	if (addr->family == AF_UNSPEC)
		return;
	if (r->rule.family != AF_UNSPEC && r->rule.family != addr->family)
		fail(r, "all addresses of a rule have the same family");
	r->rule.family = addr->family;
}

static uint32_t read_number(struct reader *r, uint32_t high, const char *what)
{
	uint32_t value = 0;

	if (!conf_iproute_plain(word(r), high, &value))
		fail(r, what);
	return value;
}

static uint32_t read_named(struct reader *r, enum conf_iproute kind, uint32_t high, const char *what)
{
	uint32_t value = 0;

	if (!conf_iproute_number(r->load, kind, word(r), high, &value))
		fail(r, what);
	return value;
}

/* A-B or A; both into first and last. */
static void read_range(struct reader *r, uint32_t high, uint32_t *first, uint32_t *last, const char *what)
{
	char text[64];
	char *dash;

	snprintf(text, sizeof(text), "%s", word(r));
	dash = strchr(text, '-');
	if (dash)
		*dash = '\0';
	*first = *last = 0;
	if (!conf_iproute_plain(text, high, first) || !conf_iproute_plain(dash ? dash + 1 : text, high, last) ||
		*first > *last)
		fail(r, what);
}

static void read_ports(struct reader *r, uint16_t ports[2])
{
	uint32_t first, last;

	read_range(r, 65535, &first, &last, "ports are written FIRST-LAST or as one number");
	ports[0] = (uint16_t)first;
	ports[1] = (uint16_t)last;
}

static void read_mark(struct reader *r)
{
	char text[64];
	char *slash;

	snprintf(text, sizeof(text), "%s", word(r));
	slash = strchr(text, '/');
	if (slash)
		*slash = '\0';
	r->rule.has_mark = 1;
	r->rule.mask = UINT32_MAX;
	if (!conf_iproute_plain(text, UINT32_MAX, &r->rule.mark) ||
		(slash && !conf_iproute_plain(slash + 1, UINT32_MAX, &r->rule.mask)))
		fail(r, "fwmark must be followed by MARK[/MASK]");
}

static void read_realms(struct reader *r)
{
	char text[64];
	char *slash;
	uint32_t from = 0, to = 0;

	snprintf(text, sizeof(text), "%s", word(r));
	slash = strchr(text, '/');
	if (slash)
		*slash = '\0';
	if ((slash && !conf_iproute_number(r->load, CONF_IPROUTE_REALM, text, 65535, &from)) ||
		!conf_iproute_number(r->load, CONF_IPROUTE_REALM, slash ? slash + 1 : text, 65535, &to))
		fail(r, "realms must be followed by [FROM/]TO, names or numbers up to 65535");
	r->rule.realms = from << 16 | to;
}

static void read_ip_protocol(struct reader *r)
{
	static const char *const names[] = {"tcp", "udp", "icmp", "icmpv6", "ipv6-icmp", "sctp", "gre", "esp", "ah",
		"TCP", "UDP", "ICMP", "SCTP", NULL};
	static const uint8_t numbers[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_ICMPV6,
		IPPROTO_SCTP, IPPROTO_GRE, IPPROTO_ESP, IPPROTO_AH, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP,
		IPPROTO_SCTP};
	int i = conf_parse_choice(word(r), names);

	r->rule.ip_protocol =
		i >= 0 ? numbers[i] : (uint8_t)read_number(r, 255, "ipproto must be a name such as tcp, or a number");
}

static void set_action(struct reader *r, uint8_t action)
{
	r->rule.action = action;
	r->has_action = true;
}

/* A word with a value behind it, which r->at then is at. */
static bool read_pair(struct reader *r, const char *keyword)
{
	static const char *const keywords[] = {"from", "to", "table", "lookup", "preference", "priority", "pref",
		"order", "iif", "dev", "oif", "fwmark", "tos", "dsfield", "realms", "goto", "suppress_prefixlength",
		"suppress_ifgroup", "tun_id", "protocol", "uidrange", "ipproto", "ip_proto", "sport", "dport",
		"track_group", "sup_pl", "sup_group", NULL};
	struct conf_rule *rule = &r->rule;
	int i = conf_parse_choice(keyword, keywords);

	if (i < 0)
		return false;
	r->at++;
	if (!*word(r)) {
		r->at--;
		fail(r, "this word needs a value behind it");
		return true;
	}
	if (i == 0)
		read_prefix(r, &rule->from, &rule->from_prefix);
	else if (i == 1)
		read_prefix(r, &rule->to, &rule->to_prefix);
	else if (i == 2 || i == 3) {
		rule->table = read_named(r, CONF_IPROUTE_TABLE, UINT32_MAX,
			"table must be a number, or a name of /etc/iproute2/rt_tables");
		set_action(r, FR_ACT_TO_TBL);
	} else if (i <= 7) {
		rule->priority = read_number(r, UINT32_MAX, "preference must be a number");
		r->has_priority = true;
	} else if (i == 8 || i == 9)
		rule->iif = conf_text(r->load, word(r));
	else if (i == 10)
		rule->oif = conf_text(r->load, word(r));
	else if (i == 11)
		read_mark(r);
	else if (i == 12 || i == 13)
		rule->tos = (uint8_t)read_named(r, CONF_IPROUTE_DSFIELD, 255,
			"tos must be a number up to 255, or a name of /etc/iproute2/rt_dsfield");
	else if (i == 14)
		read_realms(r);
	else if (i == 15) {
		rule->target = read_number(r, UINT32_MAX, "goto must be followed by the preference of a rule");
		set_action(r, FR_ACT_GOTO);
	} else if (i == 16 || i == 26)
		rule->suppress_prefix = (int32_t)read_number(r, 128, "suppress_prefixlength must be a number to 128");
	else if (i == 17 || i == 27)
		rule->suppress_group = (int32_t)read_number(r, INT32_MAX, "suppress_ifgroup must be a number");
	else if (i == 18)
		rule->tunnel = read_number(r, UINT32_MAX, "tun_id must be a number");
	else if (i == 19)
		rule->protocol = (uint8_t)read_named(r, CONF_IPROUTE_PROTOCOL, 255,
			"protocol must be a number up to 255, or a name of /etc/iproute2/rt_protos");
	else if (i == 20) {
		rule->has_uids = 1;
		read_range(r, UINT32_MAX - 1, &rule->uid_first, &rule->uid_last,
			"uidrange is written FIRST-LAST, in numbers");
	} else if (i <= 22)
		read_ip_protocol(r);
	else if (i == 23)
		read_ports(r, rule->sport);
	else if (i == 24)
		read_ports(r, rule->dport);
	else if (i == 25)
		r->track_group = &r->node->words[r->at];
	return true;
}

static bool read_bare(struct reader *r, const char *keyword)
{
	static const char *const actions[] = {"nop", "blackhole", "unreachable", "prohibit", NULL};
	static const uint8_t numbers[] = {FR_ACT_NOP, FR_ACT_BLACKHOLE, FR_ACT_UNREACHABLE, FR_ACT_PROHIBIT};
	int action = conf_parse_choice(keyword, actions);

	if (action >= 0)
		set_action(r, numbers[action]);
	else if (strcmp(keyword, "inet6") == 0)
		r->rule.family = AF_INET6;
	else if (strcmp(keyword, "inet") == 0)
		r->rule.family = AF_INET;
	else if (strcmp(keyword, "not") == 0)
		r->rule.is_inverted = 1;
	else if (strcmp(keyword, "l3mdev") == 0)
		r->rule.l3mdev = 1;
	else if (strcmp(keyword, "no_track") == 0)
		r->rule.no_track = 1;
	else
		/* The usual action, by the name that ip(8) gives it. */
		return strcmp(keyword, "unicast") == 0 || strcmp(keyword, "type") == 0;
	return true;
}

static void complete(struct reader *r)
{
	struct conf_rule *rule = &r->rule;

	if (r->is_wrong)
		return;
	if (rule->family == AF_UNSPEC)
		rule->family = AF_INET;
	rule->from.family = rule->to.family = rule->family;
	if (!r->has_action && !rule->l3mdev) {
		r->at = 0;
		fail(r, "a rule needs table TABLE, goto PREFERENCE, l3mdev, nop, blackhole, unreachable or prohibit");
		return;
	}
	if (!r->has_action)
		rule->action = FR_ACT_TO_TBL;
	if (r->has_priority)
		return;
	rule->priority = FIRST_PRIORITY - r->load->unplaced_rules[rule->family == AF_INET6]++;
	conf_warn(r->load, r->node, 0, "this rule has no preference" CONF_MEANING "%u is taken", rule->priority);
}

static void add_rule(struct conf_load *load, const struct conf_node *node, conf_index_t instance)
{
	struct reader r = {.load = load, .node = node};

	r.rule.instance = instance;
	r.rule.protocol = KEEPALIVED_PROTOCOL;
	r.rule.suppress_prefix = r.rule.suppress_group = -1;
	for (r.at = 0; r.at < node->n_words && !r.is_wrong; r.at++) {
		const char *keyword = word(&r);

		if (!read_pair(&r, keyword) && !read_bare(&r, keyword))
			fail(&r, "this word means nothing in a rule");
	}
	complete(&r);
	if (r.is_wrong)
		return;
	*(struct conf_rule *)conf_record_add(load, CONF_TABLE_RULE, node) = r.rule;
	if (r.track_group)
		conf_last_extra_write(load, CONF_TABLE_RULE)->reference = r.track_group;
}

void conf_rule_virtual(struct conf_load *load, const struct conf_node *node)
{
	add_rule(load, node, load->current[CONF_TABLE_INSTANCE]);
}

void conf_rule_static(struct conf_load *load, const struct conf_node *node)
{
	add_rule(load, node, CONF_NONE);
}

/* ---- canonical print ---- */

static void print_selectors(struct conf_printer *p, FILE *out, const struct conf_rule *rule)
{
	conf_route_print_prefix(out, "from", &rule->from, rule->from_prefix);
	conf_route_print_prefix(out, "to", &rule->to, rule->to_prefix);
	if (rule->iif)
		fprintf(out, " iif %s", conf_print_text(p, rule->iif));
	if (rule->oif)
		fprintf(out, " oif %s", conf_print_text(p, rule->oif));
	if (rule->has_mark)
		fprintf(out, " fwmark %u/%u", rule->mark, rule->mask);
	if (rule->tos)
		fprintf(out, " tos %u", rule->tos);
	if (rule->tunnel)
		fprintf(out, " tun_id %u", (unsigned)rule->tunnel);
	if (rule->has_uids)
		fprintf(out, " uidrange %u-%u", rule->uid_first, rule->uid_last);
	if (rule->ip_protocol)
		fprintf(out, " ipproto %u", rule->ip_protocol);
	if (rule->sport[0])
		fprintf(out, " sport %u-%u", rule->sport[0], rule->sport[1]);
	if (rule->dport[0])
		fprintf(out, " dport %u-%u", rule->dport[0], rule->dport[1]);
}

static void print_rule(struct conf_printer *p, FILE *out, const void *record)
{
	const struct conf_rule *rule = record;
	static const char *const actions[] = {[FR_ACT_NOP] = " nop",
		[FR_ACT_BLACKHOLE] = " blackhole",
		[FR_ACT_UNREACHABLE] = " unreachable",
		[FR_ACT_PROHIBIT] = " prohibit"};

	fprintf(out, "%s%s", rule->family == AF_INET6 ? "inet6" : "inet", rule->is_inverted ? " not" : "");
	print_selectors(p, out, rule);
	fprintf(out, " preference %u protocol %u", rule->priority, rule->protocol);
	if (rule->realms)
		fprintf(out, " realms %u/%u", rule->realms >> 16, rule->realms & 0xffff);
	if (rule->suppress_prefix >= 0)
		fprintf(out, " suppress_prefixlength %d", rule->suppress_prefix);
	if (rule->suppress_group >= 0)
		fprintf(out, " suppress_ifgroup %d", rule->suppress_group);
	if (rule->l3mdev)
		fprintf(out, " l3mdev");
	if (rule->action == FR_ACT_GOTO)
		fprintf(out, " goto %u", rule->target);
	else if (rule->action != FR_ACT_TO_TBL)
		fprintf(out, "%s", actions[rule->action]);
	else if (rule->table)
		fprintf(out, " table %u", rule->table);
	if (rule->no_track)
		fprintf(out, " no_track");
	conf_print_track_group(p, out, rule->track_group);
}

static bool owns_rule(const void *record, conf_index_t instance)
{
	return ((const struct conf_rule *)record)->instance == instance;
}

void conf_print_rules(struct conf_printer *p, conf_index_t instance, const char *keyword)
{
	conf_print_owned(p, CONF_TABLE_RULE, keyword, instance, owns_rule, print_rule);
}
