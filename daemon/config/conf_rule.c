/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads routing rules. Runs in the config role. A rule that is not understood refuses the file, as a route does;
 * one without a valid address is left out, as keepalived does. */
#include "conf_rule.h"
#include "conf_phrase.h"
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
	struct conf_phrase in;
	struct conf_rule rule;
	const struct conf_word *track_group;
	bool has_priority, has_action;
};

static void read_prefix(struct reader *r, struct addr *addr, uint8_t *prefix)
{
	if (!conf_route_prefix(phrase_word(&r->in), AF_UNSPEC, addr, prefix)) {
		/* keepalived's own samples have such a rule. */
		if (!r->in.is_wrong)
			conf_warn(r->in.load, r->in.node, r->in.at,
				"from and to must be followed by ADDRESS[/PREFIX] or all, not \"%s\"" CONF_MEANING
				"the rule is left out",
				phrase_word(&r->in));
		r->in.is_wrong = true;
		return;
	}
	if (addr->family == AF_UNSPEC)
		return;
	if (r->rule.family != AF_UNSPEC && r->rule.family != addr->family)
		phrase_fail(&r->in, "all addresses of a rule have the same family");
	r->rule.family = addr->family;
}

/* A-B or A; both into first and last. */
static void read_range(struct reader *r, uint32_t high, uint32_t *first, uint32_t *last, const char *what)
{
	char text[64];
	char *dash;

	snprintf(text, sizeof(text), "%s", phrase_word(&r->in));
	dash = strchr(text, '-');
	if (dash)
		*dash = '\0';
	*first = *last = 0;
	if (!conf_iproute_plain(text, high, first) || !conf_iproute_plain(dash ? dash + 1 : text, high, last) ||
		*first > *last)
		phrase_fail(&r->in, what);
}

static void read_ports(struct reader *r, uint16_t ports[2])
{
	uint32_t first, last;

	read_range(r, 65535, &first, &last, "ports are written FIRST-LAST or as one number");
	ports[0] = (uint16_t)first;
	ports[1] = (uint16_t)last;
}

static void set_action(struct reader *r, uint8_t action)
{
	r->rule.action = action;
	r->has_action = true;
}

/* ---- words with a value behind them ---- */

static void read_from(void *reader)
{
	struct reader *r = reader;

	read_prefix(r, &r->rule.from, &r->rule.from_prefix);
}

static void read_to(void *reader)
{
	struct reader *r = reader;

	read_prefix(r, &r->rule.to, &r->rule.to_prefix);
}

static void read_table(void *reader)
{
	struct reader *r = reader;

	r->rule.table = phrase_table(&r->in);
	set_action(r, FR_ACT_TO_TBL);
}

static void read_preference(void *reader)
{
	struct reader *r = reader;

	r->rule.priority = phrase_number(&r->in, 0, UINT32_MAX, "preference must be a number");
	r->has_priority = true;
}

static void read_iif(void *reader)
{
	struct reader *r = reader;

	r->rule.iif = conf_text(r->in.load, phrase_word(&r->in));
}

static void read_oif(void *reader)
{
	struct reader *r = reader;

	r->rule.oif = conf_text(r->in.load, phrase_word(&r->in));
}

static void read_mark(void *reader)
{
	struct reader *r = reader;
	char text[64];
	char *slash;

	snprintf(text, sizeof(text), "%s", phrase_word(&r->in));
	slash = strchr(text, '/');
	if (slash)
		*slash = '\0';
	r->rule.has_mark = 1;
	r->rule.mask = UINT32_MAX;
	if (!conf_iproute_plain(text, UINT32_MAX, &r->rule.mark) ||
		(slash && !conf_iproute_plain(slash + 1, UINT32_MAX, &r->rule.mask)))
		phrase_fail(&r->in, "fwmark must be followed by MARK[/MASK]");
}

static void read_tos(void *reader)
{
	struct reader *r = reader;

	r->rule.tos = phrase_tos(&r->in);
}

static void read_realms(void *reader)
{
	struct reader *r = reader;

	r->rule.realms = phrase_realms(&r->in);
}

static void read_goto(void *reader)
{
	struct reader *r = reader;

	r->rule.target = phrase_number(&r->in, 0, UINT32_MAX, "goto must be followed by the preference of a rule");
	set_action(r, FR_ACT_GOTO);
}

static void read_suppress_prefix(void *reader)
{
	struct reader *r = reader;

	r->rule.suppress_prefix =
		(int32_t)phrase_number(&r->in, 0, 128, "suppress_prefixlength must be a number to 128");
}

static void read_suppress_group(void *reader)
{
	struct reader *r = reader;

	r->rule.suppress_group = (int32_t)phrase_number(&r->in, 0, INT32_MAX, "suppress_ifgroup must be a number");
}

static void read_tunnel(void *reader)
{
	struct reader *r = reader;

	r->rule.tunnel = phrase_number(&r->in, 0, UINT32_MAX, "tun_id must be a number");
}

static void read_protocol(void *reader)
{
	struct reader *r = reader;

	r->rule.protocol = phrase_protocol(&r->in);
}

static void read_uids(void *reader)
{
	struct reader *r = reader;

	r->rule.has_uids = 1;
	read_range(
		r, UINT32_MAX - 1, &r->rule.uid_first, &r->rule.uid_last, "uidrange is written FIRST-LAST, in numbers");
}

static void read_ip_protocol(void *reader)
{
	static const char *const names[] = {"tcp", "udp", "icmp", "icmpv6", "ipv6-icmp", "sctp", "gre", "esp", "ah",
		"TCP", "UDP", "ICMP", "SCTP", NULL};
	static const uint8_t numbers[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_ICMPV6,
		IPPROTO_SCTP, IPPROTO_GRE, IPPROTO_ESP, IPPROTO_AH, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP,
		IPPROTO_SCTP};
	struct reader *r = reader;
	int i = conf_parse_choice(phrase_word(&r->in), names);

	r->rule.ip_protocol =
		i >= 0 ? numbers[i]
		       : (uint8_t)phrase_number(&r->in, 0, 255, "ipproto must be a name such as tcp, or a number");
}

static void read_sport(void *reader)
{
	struct reader *r = reader;

	read_ports(r, r->rule.sport);
}

static void read_dport(void *reader)
{
	struct reader *r = reader;

	read_ports(r, r->rule.dport);
}

static void read_track_group(void *reader)
{
	struct reader *r = reader;

	r->track_group = &r->in.node->words[r->in.at];
}

static const struct phrase_pair pairs[] = {
	{"from", read_from},
	{"to", read_to},
	{"table", read_table},
	{"lookup", read_table},
	{"preference", read_preference},
	{"priority", read_preference},
	{"pref", read_preference},
	{"order", read_preference},
	{"iif", read_iif},
	{"dev", read_iif},
	{"oif", read_oif},
	{"fwmark", read_mark},
	{"tos", read_tos},
	{"dsfield", read_tos},
	{"realms", read_realms},
	{"goto", read_goto},
	{"suppress_prefixlength", read_suppress_prefix},
	{"sup_pl", read_suppress_prefix},
	{"suppress_ifgroup", read_suppress_group},
	{"sup_group", read_suppress_group},
	{"tun_id", read_tunnel},
	{"protocol", read_protocol},
	{"uidrange", read_uids},
	{"ipproto", read_ip_protocol},
	{"ip_proto", read_ip_protocol},
	{"sport", read_sport},
	{"dport", read_dport},
	{"track_group", read_track_group},
	{0},
};

/* ---- words that stand alone ---- */

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

	if (r->in.is_wrong)
		return;
	if (rule->family == AF_UNSPEC)
		rule->family = AF_INET;
	rule->from.family = rule->to.family = rule->family;
	if (!r->has_action && !rule->l3mdev) {
		r->in.at = 0;
		phrase_fail(&r->in,
			"a rule needs table TABLE, goto PREFERENCE, l3mdev, nop, blackhole, unreachable or prohibit");
		return;
	}
	if (!r->has_action)
		rule->action = FR_ACT_TO_TBL;
	if (r->has_priority)
		return;
	rule->priority = FIRST_PRIORITY - r->in.load->unplaced_rules[rule->family == AF_INET6]++;
	conf_warn(r->in.load, r->in.node, 0, "this rule has no preference" CONF_MEANING "%u is taken", rule->priority);
}

static void add_rule(struct conf_load *load, const struct conf_node *node, conf_index_t instance)
{
	struct reader r = {.in = {.load = load, .node = node}};

	r.rule.instance = instance;
	r.rule.protocol = KEEPALIVED_PROTOCOL;
	r.rule.suppress_prefix = r.rule.suppress_group = -1;
	for (r.in.at = 0; r.in.at < node->n_words && !r.in.is_wrong; r.in.at++) {
		const char *keyword = phrase_word(&r.in);

		if (!phrase_read_pair(&r.in, pairs, &r) && !read_bare(&r, keyword))
			phrase_fail(&r.in, "this word means nothing in a rule");
	}
	complete(&r);
	if (r.in.is_wrong)
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
