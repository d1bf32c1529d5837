/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nftables table of the vrrp process, which its third thread writes. It holds two sets of addresses and one chain
 * behind IPVS: what IPVS takes never comes there. Sets are changed in one transaction; nothing of anybody else's is
 * touched. */
#include "vrrp_firewall.h"
#include "mono.h"
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/icmp6.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define TABLE "poise_vrrp"
#define CHAIN "input"
#define SET4 "no_accept4"
#define SET6 "no_accept6"
/* IPVS takes its packets at 98 and 99 of the input hook. */
#define BEHIND_IPVS 110
#define TYPE_IPV4 7 /* the numbers by which nft(8) knows how to print the elements */
#define TYPE_IPV6 8
#define MESSAGES_SIZE 16384 /* everything but the elements */
#define ELEMENT_SIZE 64
/* In one message: a list of attributes cannot be longer than 64 kB. */
#define ELEMENTS_MAX 1000
#define TIMEOUT_US (2 * US_PER_S)

/* One transaction under construction. */
struct draft {
	struct mnl_nlmsg_batch *batch;
	uint32_t *seq;
	struct nlmsghdr *last;
	int error;
};

uint32_t vrrp_firewall_wanted(const struct conf *conf, struct addr *out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < conf->n_addresses; i++) {
		conf_index_t owner = conf->addresses[i].instance;
		uint32_t j = 0;

		if (owner == CONF_NONE || !conf->instances[owner].no_accept)
			continue;
		while (j < n && !addr_equal(&out[j], &conf->addresses[i].addr))
			j++;
		if (j == n)
			out[n++] = conf->addresses[i].addr;
	}
	return n;
}

/* ---- messages ---- */

static struct nlmsghdr *begin(struct draft *draft, uint16_t type, uint16_t flags)
{
	draft->last = nftnl_nlmsg_build_hdr(
		mnl_nlmsg_batch_current(draft->batch), type, NFPROTO_INET, flags, (*draft->seq)++);
	return draft->last;
}

static void end(struct draft *draft)
{
	if (!mnl_nlmsg_batch_next(draft->batch))
		draft->error = -EMSGSIZE;
}

static void put_table(struct draft *draft)
{
	struct nftnl_table *table = nftnl_table_alloc();

	if (!table) {
		draft->error = -ENOMEM;
		return;
	}
	nftnl_table_set_str(table, NFTNL_TABLE_NAME, TABLE);
	nftnl_table_set_u32(table, NFTNL_TABLE_FLAGS, NFT_TABLE_F_OWNER);
	nftnl_table_nlmsg_build_payload(begin(draft, NFT_MSG_NEWTABLE, NLM_F_CREATE), table);
	nftnl_table_free(table);
	end(draft);
}

static void put_chain(struct draft *draft)
{
	struct nftnl_chain *chain = nftnl_chain_alloc();

	if (!chain) {
		draft->error = -ENOMEM;
		return;
	}
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, TABLE);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, CHAIN);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "filter");
	nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, NF_INET_LOCAL_IN);
	nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, BEHIND_IPVS);
	nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	nftnl_chain_nlmsg_build_payload(begin(draft, NFT_MSG_NEWCHAIN, NLM_F_CREATE), chain);
	nftnl_chain_free(chain);
	end(draft);
}

static struct nftnl_set *set_named(const char *name)
{
	struct nftnl_set *set = nftnl_set_alloc();

	if (!set)
		return NULL;
	nftnl_set_set_str(set, NFTNL_SET_TABLE, TABLE);
	nftnl_set_set_str(set, NFTNL_SET_NAME, name);
	nftnl_set_set_u32(set, NFTNL_SET_FAMILY, NFPROTO_INET);
	return set;
}

static void put_set(struct draft *draft, const char *name, uint32_t id, uint32_t type, uint32_t length)
{
	struct nftnl_set *set = set_named(name);

	if (!set) {
		draft->error = -ENOMEM;
		return;
	}
	nftnl_set_set_u32(set, NFTNL_SET_ID, id);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, length);
	nftnl_set_nlmsg_build_payload(begin(draft, NFT_MSG_NEWSET, NLM_F_CREATE), set);
	nftnl_set_free(set);
	end(draft);
}

static void put_set_elements(struct draft *draft, uint16_t type, struct nftnl_set *set)
{
	nftnl_set_elems_nlmsg_build_payload(begin(draft, type, NLM_F_CREATE), set);
	nftnl_set_free(set);
	end(draft);
}

/* Adds or removes the elements of one family that are in `list` and not in `besides`. */
static void put_elements(struct draft *draft, uint16_t type, const char *name, uint8_t family, const struct addr *list,
	uint32_t n, const struct addr *besides, uint32_t n_besides)
{
	struct nftnl_set *set = NULL;
	uint32_t elements = 0;

	for (uint32_t i = 0; i < n && !draft->error; i++) {
		struct nftnl_set_elem *element;
		uint32_t j = 0;

		while (j < n_besides && !addr_equal(&list[i], &besides[j]))
			j++;
		if (list[i].family != family || j < n_besides)
			continue;
		element = nftnl_set_elem_alloc();
		if (!set)
			set = set_named(name);
		if (!element || !set) {
			draft->error = -ENOMEM;
			break;
		}
		nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, list[i].bytes, (uint32_t)addr_len(&list[i]));
		nftnl_set_elem_add(set, element);
		if (++elements % ELEMENTS_MAX != 0)
			continue;
		put_set_elements(draft, type, set);
		set = NULL;
	}
	if (set)
		put_set_elements(draft, type, set);
}

/* ---- rules ---- */

static void add(struct nftnl_rule *rule, const char *kind, uint16_t a1, uint32_t v1, uint16_t a2, uint32_t v2,
	uint16_t a3, uint32_t v3, uint16_t a4, uint32_t v4)
{
	struct nftnl_expr *e = nftnl_expr_alloc(kind);

	if (!e)
		return;
	nftnl_expr_set_u32(e, a1, v1);
	nftnl_expr_set_u32(e, a2, v2);
	if (a3)
		nftnl_expr_set_u32(e, a3, v3);
	if (a4)
		nftnl_expr_set_u32(e, a4, v4);
	nftnl_rule_add_expr(rule, e);
}

static void add_equals(struct nftnl_rule *rule, uint8_t value)
{
	struct nftnl_expr *e = nftnl_expr_alloc("cmp");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, &value, sizeof(value));
	nftnl_rule_add_expr(rule, e);
}

static void add_meta(struct nftnl_rule *rule, uint32_t key, uint8_t value)
{
	add(rule, "meta", NFTNL_EXPR_META_KEY, key, NFTNL_EXPR_META_DREG, NFT_REG_1, 0, 0, 0, 0);
	add_equals(rule, value);
}

static void add_payload(struct nftnl_rule *rule, uint32_t base, uint32_t offset, uint32_t length)
{
	add(rule, "payload", NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1, NFTNL_EXPR_PAYLOAD_OFFSET, offset,
		NFTNL_EXPR_PAYLOAD_BASE, base, NFTNL_EXPR_PAYLOAD_LEN, length);
}

static void add_lookup(struct nftnl_rule *rule, const char *name, uint32_t id)
{
	struct nftnl_expr *e = nftnl_expr_alloc("lookup");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, name);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SET_ID, id);
	nftnl_rule_add_expr(rule, e);
}

static void add_verdict(struct nftnl_rule *rule, uint32_t verdict)
{
	add(rule, "immediate", NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT, NFTNL_EXPR_IMM_VERDICT, verdict, 0, 0, 0, 0);
}

static struct nftnl_rule *rule_new(struct draft *draft)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule) {
		draft->error = -ENOMEM;
		return NULL;
	}
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, TABLE);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, CHAIN);
	return rule;
}

static void put_rule(struct draft *draft, struct nftnl_rule *rule)
{
	nftnl_rule_nlmsg_build_payload(begin(draft, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND), rule);
	nftnl_rule_free(rule);
	end(draft);
}

/* Without an answer to neighbour discovery nobody would find the router (RFC 9568, 8.2.2). */
static void put_accept_discovery(struct draft *draft, uint8_t type)
{
	struct nftnl_rule *rule = rule_new(draft);

	if (!rule)
		return;
	add_meta(rule, NFT_META_L4PROTO, IPPROTO_ICMPV6);
	add_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1);
	add_equals(rule, type);
	add_verdict(rule, NF_ACCEPT);
	put_rule(draft, rule);
}

static void put_drop(
	struct draft *draft, uint8_t nfproto, uint32_t offset, uint32_t length, const char *set, uint32_t id)
{
	struct nftnl_rule *rule = rule_new(draft);

	if (!rule)
		return;
	add_meta(rule, NFT_META_NFPROTO, nfproto);
	add_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, offset, length);
	add_lookup(rule, set, id);
	add_verdict(rule, NF_DROP);
	put_rule(draft, rule);
}

/* ---- exchange ---- */

/* Waits for the answer to the last message; any error before it undoes the whole transaction. */
static int wait_for_answer(struct mnl_socket *socket, uint32_t seq)
{
	char buffer[8192] __attribute__((aligned(4)));
	struct mono deadline = mono_add(mono_now(), TIMEOUT_US);

	for (;;) {
		struct pollfd pfd = {mnl_socket_get_fd(socket), POLLIN, 0};
		int64_t left_us = mono_diff_us(deadline, mono_now());
		int n;

		if (left_us <= 0 || poll(&pfd, 1, (int)(left_us / US_PER_MS) + 1) == 0)
			return -ETIMEDOUT;
		n = (int)mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		if (n < 0 && errno != EINTR)
			return -errno;
		for (struct nlmsghdr *nlh = (struct nlmsghdr *)buffer; n > 0 && mnl_nlmsg_ok(nlh, n);
			nlh = mnl_nlmsg_next(nlh, &n)) {
			const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);

			if (nlh->nlmsg_type == NLMSG_ERROR && (err->error || nlh->nlmsg_seq == seq))
				return err->error;
		}
	}
}

static int transact(struct vrrp_firewall *firewall, const struct addr *wanted, uint32_t n)
{
	size_t size = MESSAGES_SIZE + (size_t)ELEMENT_SIZE * (n + firewall->n);
	bool is_first = firewall->n == 0;
	char *buffer = malloc(2 * size);
	struct draft draft = {.seq = &firewall->seq};
	int error;

	if (!buffer)
		return -ENOMEM;
	draft.batch = mnl_nlmsg_batch_start(buffer, size);
	if (!draft.batch) {
		free(buffer);
		return -ENOMEM;
	}
	nftnl_batch_begin(mnl_nlmsg_batch_current(draft.batch), firewall->seq++);
	mnl_nlmsg_batch_next(draft.batch);
	if (is_first) {
		put_table(&draft);
		put_set(&draft, SET4, 1, TYPE_IPV4, 4);
		put_set(&draft, SET6, 2, TYPE_IPV6, 16);
		put_chain(&draft);
		put_accept_discovery(&draft, ND_NEIGHBOR_SOLICIT);
		put_accept_discovery(&draft, ND_NEIGHBOR_ADVERT);
		put_drop(&draft, NFPROTO_IPV4, 16, 4, SET4, 1);
		put_drop(&draft, NFPROTO_IPV6, 24, 16, SET6, 2);
	}
	put_elements(&draft, NFT_MSG_DELSETELEM, SET4, AF_INET, firewall->addresses, firewall->n, wanted, n);
	put_elements(&draft, NFT_MSG_DELSETELEM, SET6, AF_INET6, firewall->addresses, firewall->n, wanted, n);
	put_elements(&draft, NFT_MSG_NEWSETELEM, SET4, AF_INET, wanted, n, firewall->addresses, firewall->n);
	put_elements(&draft, NFT_MSG_NEWSETELEM, SET6, AF_INET6, wanted, n, firewall->addresses, firewall->n);
	if (draft.last)
		draft.last->nlmsg_flags |= NLM_F_ACK;
	nftnl_batch_end(mnl_nlmsg_batch_current(draft.batch), firewall->seq++);
	mnl_nlmsg_batch_next(draft.batch);
	error = draft.error;
	if (!error && mnl_socket_sendto(firewall->socket, mnl_nlmsg_batch_head(draft.batch),
			      mnl_nlmsg_batch_size(draft.batch)) < 0)
		error = -errno;
	if (!error && draft.last)
		error = wait_for_answer(firewall->socket, draft.last->nlmsg_seq);
	mnl_nlmsg_batch_stop(draft.batch);
	free(buffer);
	return error;
}

/* The table goes with the socket; the kernel takes its lock for that, too. */
static void close_table(struct vrrp_firewall *firewall)
{
	if (firewall->socket)
		mnl_socket_close(firewall->socket);
	firewall->socket = NULL;
	free(firewall->addresses);
	firewall->addresses = NULL;
	firewall->n = 0;
}

static int open_socket(struct vrrp_firewall *firewall)
{
	firewall->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (firewall->socket && mnl_socket_bind(firewall->socket, 0, MNL_SOCKET_AUTOPID) == 0)
		return 0;
	return -errno;
}

/* In the thread. */
static void run(void *arg)
{
	struct vrrp_firewall *firewall = arg;

	firewall->result = 0;
	if (firewall->n_wanted == 0) {
		close_table(firewall);
		return;
	}
	if (!firewall->socket)
		firewall->result = open_socket(firewall);
	if (!firewall->result)
		firewall->result = transact(firewall, firewall->wanted, firewall->n_wanted);
	if (firewall->result) {
		if (firewall->n == 0)
			close_table(firewall);
		return;
	}
	free(firewall->addresses);
	firewall->addresses = firewall->wanted;
	firewall->n = firewall->n_wanted;
	firewall->wanted = NULL;
}

/* ---- the process's side ---- */

void vrrp_firewall_init(struct vrrp_firewall *firewall)
{
	*firewall = (struct vrrp_firewall){0};
	worker_init(&firewall->worker, run, firewall);
}

int vrrp_firewall_start(struct vrrp_firewall *firewall)
{
	return worker_start(&firewall->worker, 0);
}

int vrrp_firewall_fd(const struct vrrp_firewall *firewall)
{
	return worker_fd(&firewall->worker);
}

bool vrrp_firewall_is_out(const struct vrrp_firewall *firewall)
{
	return firewall->worker.is_out;
}

int vrrp_firewall_want(struct vrrp_firewall *firewall, const struct conf *conf)
{
	struct addr *wanted = calloc(conf->n_addresses + 1, sizeof(*wanted));
	uint32_t n;

	if (!wanted)
		return -ENOMEM;
	n = vrrp_firewall_wanted(conf, wanted);
	free(firewall->wanted);
	firewall->wanted = wanted;
	firewall->n_wanted = n;
	return n != firewall->n || (n > 0 && memcmp(wanted, firewall->addresses, n * sizeof(*wanted)) != 0);
}

void vrrp_firewall_send(struct vrrp_firewall *firewall)
{
	worker_send(&firewall->worker);
}

bool vrrp_firewall_take(struct vrrp_firewall *firewall, int *result)
{
	if (!worker_take(&firewall->worker))
		return false;
	*result = firewall->result;
	return true;
}
