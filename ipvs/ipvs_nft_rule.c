/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of our nftables table as messages; used by the ipvs role. A rule that drops carries a counter and, as its
 * comment, the keyword that it comes from. */
#include <netinet/in.h> /* before the kernel's own */

#include "ipvs_nft_draft.h"
#include <errno.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <stdarg.h>
#include <string.h>

#define END UINT32_MAX
#define TCP_NEW_MASK 0x17 /* FIN SYN RST ACK */
#define TCP_SYN 0x02
#define CT_NEW 8 /* NF_CT_STATE_BIT(IP_CT_NEW) */

static struct nftnl_rule *rule_begin(struct nft_draft *d, const char *chain)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule) {
		d->error = -ENOMEM;
		return NULL;
	}
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, NFT_TABLE);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
	nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
	return rule;
}

static void rule_end(struct nft_draft *d, struct nftnl_rule *rule)
{
	nftnl_rule_nlmsg_build_payload(nft_begin(d, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND), rule);
	nftnl_rule_free(rule);
	nft_end(d);
}

static void comment(struct nft_draft *d, struct nftnl_rule *rule, const char *text)
{
	struct nftnl_udata_buf *buf = nftnl_udata_buf_alloc(128);

	if (!buf) {
		d->error = -ENOMEM;
		return;
	}
	nftnl_udata_put_strz(buf, NFTNL_UDATA_RULE_COMMENT, text);
	nftnl_rule_set_data(rule, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(buf), nftnl_udata_buf_len(buf));
	nftnl_udata_buf_free(buf);
}

/* An expression with numbers: pairs of attribute and value, ended by END. */
static struct nftnl_expr *numbers(struct nft_draft *d, const char *kind, ...)
{
	struct nftnl_expr *e = nftnl_expr_alloc(kind);
	va_list ap;

	if (!e) {
		d->error = -ENOMEM;
		return NULL;
	}
	va_start(ap, kind);
	for (uint32_t attr = va_arg(ap, uint32_t); attr != END; attr = va_arg(ap, uint32_t))
		nftnl_expr_set_u32(e, (uint16_t)attr, va_arg(ap, uint32_t));
	va_end(ap);
	return e;
}

static void add(struct nftnl_rule *rule, struct nftnl_expr *e)
{
	if (e)
		nftnl_rule_add_expr(rule, e);
}

static void add_compare(struct nft_draft *d, struct nftnl_rule *rule, uint32_t op, const void *data, uint32_t size)
{
	struct nftnl_expr *e = numbers(d, "cmp", NFTNL_EXPR_CMP_SREG, NFT_REG_1, NFTNL_EXPR_CMP_OP, op, END);

	if (e)
		nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, data, size);
	add(rule, e);
}

static void add_meta_equals(struct nft_draft *d, struct nftnl_rule *rule, uint32_t key, uint8_t value, bool is_not)
{
	add(rule, numbers(d, "meta", NFTNL_EXPR_META_KEY, key, NFTNL_EXPR_META_DREG, NFT_REG_1, END));
	add_compare(d, rule, is_not ? NFT_CMP_NEQ : NFT_CMP_EQ, &value, 1);
}

static void add_payload(
	struct nft_draft *d, struct nftnl_rule *rule, uint32_t base, uint32_t offset, uint32_t length, uint32_t reg)
{
	add(rule, numbers(d, "payload", NFTNL_EXPR_PAYLOAD_BASE, base, NFTNL_EXPR_PAYLOAD_OFFSET, offset,
			  NFTNL_EXPR_PAYLOAD_LEN, length, NFTNL_EXPR_PAYLOAD_DREG, reg, END));
}

static void add_family(struct nft_draft *d, struct nftnl_rule *rule, bool v6)
{
	add_meta_equals(d, rule, NFT_META_NFPROTO, v6 ? NFPROTO_IPV6 : NFPROTO_IPV4, false);
}

/* ---- destinations ---- */

/* The key of the maps, from register 1 on. */
static void add_destination(struct nft_draft *d, struct nftnl_rule *rule, bool with_port, bool v6)
{
	uint32_t protocol = v6 ? NFT_REG32_04 : NFT_REG32_01;

	add_family(d, rule, v6);
	add_payload(d, rule, NFT_PAYLOAD_NETWORK_HEADER, v6 ? 24 : 16, v6 ? 16 : 4, NFT_REG_1);
	add(rule, numbers(d, "meta", NFTNL_EXPR_META_KEY, NFT_META_L4PROTO, NFTNL_EXPR_META_DREG, protocol, END));
	if (with_port)
		add_payload(d, rule, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, protocol + 1);
}

static void add_lookup(struct nft_draft *d, struct nftnl_rule *rule, const char *set, uint32_t reg)
{
	struct nftnl_expr *e = numbers(d, "lookup", NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1, END);

	if (e) {
		nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set);
		if (reg != END)
			nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, reg);
	}
	add(rule, e);
}

void nft_put_dispatch_rule(struct nft_draft *d, bool with_port, bool v6)
{
	struct nftnl_rule *rule = rule_begin(d, NFT_CHAIN_GUARD);
	char map[32];

	if (!rule)
		return;
	add_destination(d, rule, with_port, v6);
	add_lookup(d, rule, nft_map_name(map, "rails", with_port, v6), NFT_REG_VERDICT);
	rule_end(d, rule);
}

void nft_put_mark_dispatch_rule(struct nft_draft *d, bool v6)
{
	struct nftnl_rule *rule = rule_begin(d, NFT_CHAIN_GUARD);

	if (!rule)
		return;
	add_family(d, rule, v6);
	add(rule, numbers(d, "meta", NFTNL_EXPR_META_KEY, NFT_META_MARK, NFTNL_EXPR_META_DREG, NFT_REG_1, END));
	add_lookup(d, rule, nft_mark_map_name(v6), NFT_REG_VERDICT);
	rule_end(d, rule);
}

void nft_put_mark_rule(struct nft_draft *d, const char *chain, bool with_port, bool v6)
{
	struct nftnl_rule *rule = rule_begin(d, chain);
	char map[32];

	if (!rule)
		return;
	add_destination(d, rule, with_port, v6);
	add_lookup(d, rule, nft_map_name(map, "marks", with_port, v6), NFT_REG_1);
	add(rule, numbers(d, "meta", NFTNL_EXPR_META_KEY, NFT_META_MARK, NFTNL_EXPR_META_SREG, NFT_REG_1, END));
	rule_end(d, rule);
}

/* ---- rails ---- */

static void add_source(struct nft_draft *d, struct nftnl_rule *rule, bool v6)
{
	add_payload(d, rule, NFT_PAYLOAD_NETWORK_HEADER, v6 ? 8 : 12, v6 ? 16 : 4, NFT_REG_1);
}

/* Counts and drops, and ends the rule. */
static void drop(struct nft_draft *d, struct nftnl_rule *rule, const char *keyword)
{
	struct nftnl_expr *e = nftnl_expr_alloc("counter");

	add(rule, e);
	add(rule, numbers(d, "immediate", NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT, NFTNL_EXPR_IMM_VERDICT, NF_DROP, END));
	comment(d, rule, keyword);
	rule_end(d, rule);
}

static void put_list_rule(struct nft_draft *d, const struct guard *g, bool allow, bool v6)
{
	struct nftnl_rule *rule = rule_begin(d, g->name);
	struct nftnl_expr *e;
	char set[128];

	if (!rule)
		return;
	add_family(d, rule, v6);
	add_source(d, rule, v6);
	e = numbers(d, "lookup", NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1, NFTNL_EXPR_LOOKUP_FLAGS,
		allow ? NFT_LOOKUP_F_INV : 0, END);
	if (e)
		nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, nft_set_name(set, g, allow ? "allow" : "deny", v6));
	add(rule, e);
	drop(d, rule, allow ? "allow_clients" : "deny_clients");
}

/* A connection begins: TCP shows it by itself, for the rest connection tracking is asked. */
static void add_begins(struct nft_draft *d, struct nftnl_rule *rule, bool tcp)
{
	static const uint8_t mask = TCP_NEW_MASK, none = 0, syn = TCP_SYN;
	static const uint32_t is_new = CT_NEW, zero = 0;
	struct nftnl_expr *e;

	add_meta_equals(d, rule, NFT_META_L4PROTO, IPPROTO_TCP, !tcp);
	if (tcp)
		add_payload(d, rule, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1, NFT_REG_1);
	else
		add(rule, numbers(d, "ct", NFTNL_EXPR_CT_KEY, NFT_CT_STATE, NFTNL_EXPR_CT_DREG, NFT_REG_1, END));
	e = numbers(d, "bitwise", NFTNL_EXPR_BITWISE_SREG, NFT_REG_1, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1,
		NFTNL_EXPR_BITWISE_LEN, tcp ? 1 : 4, END);
	if (e) {
		nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, tcp ? (const void *)&mask : &is_new, tcp ? 1 : 4);
		nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, tcp ? (const void *)&none : &zero, tcp ? 1 : 4);
	}
	add(rule, e);
	if (tcp)
		add_compare(d, rule, NFT_CMP_EQ, &syn, 1);
	else
		add_compare(d, rule, NFT_CMP_NEQ, &zero, 4);
}

static struct nftnl_expr *limit_over(struct nft_draft *d, uint32_t rate, uint32_t burst)
{
	struct nftnl_expr *e = numbers(d, "limit", NFTNL_EXPR_LIMIT_BURST, burst, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS,
		NFTNL_EXPR_LIMIT_FLAGS, NFT_LIMIT_F_INV, END);

	if (e) {
		nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_RATE, rate);
		nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_UNIT, 1); /* a second */
	}
	return e;
}

static void put_service_rate(struct nft_draft *d, const struct guard *g, bool tcp)
{
	struct nftnl_rule *rule = rule_begin(d, g->name);

	if (!rule)
		return;
	add_begins(d, rule, tcp);
	add(rule, limit_over(d, g->service_rate, g->service_burst));
	drop(d, rule, "service_rate_limit");
}

/* The set has an element for each client, with a limit of its own. Takes over `limit`. */
static void put_client_rule(struct nft_draft *d, const struct guard *g, bool tcp, bool v6, const char *of, uint32_t op,
	struct nftnl_expr *limit, const char *keyword)
{
	struct nftnl_rule *rule = rule_begin(d, g->name);
	struct nftnl_expr *e;
	char set[128];

	if (!rule)
		return;
	add_family(d, rule, v6);
	add_begins(d, rule, tcp);
	add_source(d, rule, v6);
	e = numbers(d, "dynset", NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1, NFTNL_EXPR_DYNSET_OP, op, END);
	if (e && limit) {
		nftnl_expr_set_str(e, NFTNL_EXPR_DYNSET_SET_NAME, nft_set_name(set, g, of, v6));
		nftnl_expr_set(e, NFTNL_EXPR_DYNSET_EXPR, limit, 0);
	}
	add(rule, e);
	drop(d, rule, keyword);
}

static void put_limits(struct nft_draft *d, const struct guard *g, bool tcp)
{
	for (int v6 = 0; v6 < 2 && g->client_rate; v6++)
		put_client_rule(d, g, tcp, v6, "rate", NFT_DYNSET_OP_UPDATE,
			limit_over(d, g->client_rate, g->client_burst), "client_rate_limit");
	if (g->service_rate)
		put_service_rate(d, g, tcp);
	for (int v6 = 0; v6 < 2 && g->client_connections; v6++)
		put_client_rule(d, g, tcp, v6, "conn", NFT_DYNSET_OP_ADD,
			numbers(d, "connlimit", NFTNL_EXPR_CONNLIMIT_COUNT, g->client_connections,
				NFTNL_EXPR_CONNLIMIT_FLAGS, NFT_CONNLIMIT_F_INV, END),
			"client_connection_limit");
}

void nft_put_service_rules(struct nft_draft *d, const struct guard *g)
{
	for (int v6 = 0; v6 < 2; v6++)
		put_list_rule(d, g, false, v6);
	for (int v6 = 0; v6 < 2 && g->has_allow; v6++)
		put_list_rule(d, g, true, v6);
	if (g->protocol == 0 || g->protocol == IPPROTO_TCP)
		put_limits(d, g, true);
	if (g->protocol != IPPROTO_TCP)
		put_limits(d, g, false);
}

void nft_put_rules_removal(struct nft_draft *d, const char *chain)
{
	struct nftnl_rule *rule = rule_begin(d, chain);

	if (!rule)
		return;
	nftnl_rule_nlmsg_build_payload(nft_begin(d, NFT_MSG_DELRULE, 0), rule);
	nftnl_rule_free(rule);
	nft_end(d);
}
