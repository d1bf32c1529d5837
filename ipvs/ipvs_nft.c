/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drafts of transactions on our nftables table: tables, chains, sets, elements. Their rules are in ipvs_nft_rule.c.
 * Used by the ipvs role. It sends nothing and decides nothing. */
#include <netinet/in.h> /* before the kernel's own */

#include "ipvs_nft_draft.h"
#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The numbers by which nft(8) knows how to print keys; a concatenation has six bits for each part. */
#define TYPE_IPV4 7
#define TYPE_IPV6 8
#define TYPE_PROTOCOL 12
#define TYPE_SERVICE 13
#define TYPE_MARK 19
#define HOST_ORDER 1
#define TYPE_VERDICT 0xffffff00u

#define BEFORE_ROUTING (-140)  /* behind connection tracking and whoever sets marks */
#define CLIENT_MEMORY_MS 60000 /* how long a client that is quiet is remembered by its rate */
#define CLIENTS_MAX 65535
#define CHUNK 200 /* elements in one message */

/* Each as large as the largest message can be. */
#define ROOM_FIXED 65536
#define ROOM_GUARD 16384
#define ROOM_ELEMENT 320

struct nft_draft *nft_draft_new(size_t elements, size_t guards)
{
	size_t size = ROOM_FIXED + guards * ROOM_GUARD + elements * ROOM_ELEMENT;
	struct nft_draft *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->buffer = malloc(2 * size);
	d->batch = d->buffer ? mnl_nlmsg_batch_start(d->buffer, size) : NULL;
	if (!d->batch) {
		nft_draft_free(d);
		return NULL;
	}
	nftnl_batch_begin(mnl_nlmsg_batch_current(d->batch), d->messages++);
	mnl_nlmsg_batch_next(d->batch);
	return d;
}

void nft_draft_free(struct nft_draft *d)
{
	if (!d)
		return;
	if (d->batch)
		mnl_nlmsg_batch_stop(d->batch);
	free(d->buffer);
	free(d);
}

struct nlmsghdr *nft_begin(struct nft_draft *d, uint16_t type, uint16_t flags)
{
	d->last = nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(d->batch), type, NFPROTO_INET, flags, d->messages++);
	return d->last;
}

void nft_end(struct nft_draft *d)
{
	if (!mnl_nlmsg_batch_next(d->batch))
		d->error = -EMSGSIZE;
}

/* ---- table and chains ---- */

static void put_table(struct nft_draft *d, uint16_t type, uint16_t flags, const char *name)
{
	struct nftnl_table *table = nftnl_table_alloc();

	if (!table) {
		d->error = -ENOMEM;
		return;
	}
	nftnl_table_set_str(table, NFTNL_TABLE_NAME, name);
	nftnl_table_nlmsg_build_payload(nft_begin(d, type, flags), table);
	nftnl_table_free(table);
	nft_end(d);
}

/* hook < 0: a chain that only others jump to. */
static void put_chain(
	struct nft_draft *d, uint16_t type, const char *name, const char *kind, int hook, int32_t priority)
{
	struct nftnl_chain *chain = nftnl_chain_alloc();

	if (!chain) {
		d->error = -ENOMEM;
		return;
	}
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, NFT_TABLE);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, name);
	if (hook >= 0) {
		nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, kind);
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, (uint32_t)hook);
		nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, priority);
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	}
	nftnl_chain_nlmsg_build_payload(nft_begin(d, type, type == NFT_MSG_NEWCHAIN ? NLM_F_CREATE : 0), chain);
	nftnl_chain_free(chain);
	nft_end(d);
}

/* ---- sets ---- */

static struct nftnl_set *set_named(struct nft_draft *d, const char *name)
{
	struct nftnl_set *set = nftnl_set_alloc();

	if (!set) {
		d->error = -ENOMEM;
		return NULL;
	}
	nftnl_set_set_str(set, NFTNL_SET_TABLE, NFT_TABLE);
	nftnl_set_set_str(set, NFTNL_SET_NAME, name);
	nftnl_set_set_u32(set, NFTNL_SET_FAMILY, NFPROTO_INET);
	return set;
}

struct set_shape {
	uint32_t flags, key_type, key_length;
	uint8_t parts[3]; /* bytes of each part of a concatenation, else 0 */
	uint32_t data_type, data_length;
	uint64_t timeout_ms;
	uint32_t size;
};

/* Marks are numbers of this machine's byte order, which nft(8) has to be told. */
static void put_byte_order(struct nft_draft *d, struct nftnl_set *set, const struct set_shape *shape)
{
	struct nftnl_udata_buf *buf;

	if (shape->key_type != TYPE_MARK && shape->data_type != TYPE_MARK)
		return;
	buf = nftnl_udata_buf_alloc(64);
	if (!buf) {
		d->error = -ENOMEM;
		return;
	}
	nftnl_udata_put_u32(buf,
		shape->key_type == TYPE_MARK ? NFTNL_UDATA_SET_KEYBYTEORDER : NFTNL_UDATA_SET_DATABYTEORDER,
		HOST_ORDER);
	nftnl_set_set_data(set, NFTNL_SET_USERDATA, nftnl_udata_buf_data(buf), nftnl_udata_buf_len(buf));
	nftnl_udata_buf_free(buf);
}

static void put_set(struct nft_draft *d, const char *name, const struct set_shape *shape)
{
	struct nftnl_set *set = set_named(d, name);

	if (!set)
		return;
	nftnl_set_set_u32(set, NFTNL_SET_ID, ++d->sets);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, shape->flags);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, shape->key_type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, shape->key_length);
	if (shape->parts[0])
		nftnl_set_set_data(set, NFTNL_SET_DESC_CONCAT, shape->parts, shape->parts[2] ? 3 : 2);
	if (shape->flags & NFT_SET_MAP) {
		nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, shape->data_type);
		nftnl_set_set_u32(set, NFTNL_SET_DATA_LEN, shape->data_length);
	}
	if (shape->timeout_ms)
		nftnl_set_set_u64(set, NFTNL_SET_TIMEOUT, shape->timeout_ms);
	put_byte_order(d, set, shape);
	if (shape->size)
		nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, shape->size);
	nftnl_set_nlmsg_build_payload(nft_begin(d, NFT_MSG_NEWSET, NLM_F_CREATE), set);
	nftnl_set_free(set);
	nft_end(d);
}

static void put_set_removal(struct nft_draft *d, const char *name)
{
	struct nftnl_set *set = set_named(d, name);

	if (!set)
		return;
	nftnl_set_nlmsg_build_payload(nft_begin(d, NFT_MSG_DELSET, 0), set);
	nftnl_set_free(set);
	nft_end(d);
}

/* Elements for one set, sent in chunks. */
struct elements {
	struct nft_draft *d;
	const char *set_name;
	uint16_t type; /* NFT_MSG_NEWSETELEM or _DELSETELEM */
	struct nftnl_set *set;
	unsigned n;
};

static void flush_elements(struct elements *e)
{
	if (e->n) {
		nftnl_set_elems_nlmsg_build_payload(
			nft_begin(e->d, e->type, e->type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0), e->set);
		nft_end(e->d);
	}
	if (e->set)
		nftnl_set_free(e->set);
	e->set = NULL;
	e->n = 0;
}

static struct nftnl_set_elem *next_element(struct elements *e)
{
	struct nftnl_set_elem *element;

	if (e->n >= CHUNK)
		flush_elements(e);
	if (!e->set)
		e->set = set_named(e->d, e->set_name);
	element = e->set ? nftnl_set_elem_alloc() : NULL;
	if (!element) {
		e->d->error = -ENOMEM;
		return NULL;
	}
	nftnl_set_elem_add(e->set, element);
	e->n++;
	return element;
}

/* ---- destinations: address . protocol [. port] -> chain or mark ---- */

/* The maps are named by what is in them: rails or marks, with a port or for all ports, IPv4 or IPv6. */
const char *nft_map_name(char buf[32], const char *of, bool with_port, bool v6)
{
	snprintf(buf, 32, "%s%s%s", of, with_port ? "" : "_all", v6 ? "6" : "4");
	return buf;
}

const char *nft_mark_map_name(bool v6)
{
	return v6 ? "rails_mark6" : "rails_mark4";
}

static void put_destination_map(struct nft_draft *d, const char *of, bool with_port, bool v6, bool verdicts)
{
	uint32_t address = v6 ? 16 : 4, type = v6 ? TYPE_IPV6 : TYPE_IPV4;
	struct set_shape shape = {.flags = NFT_SET_INTERVAL | NFT_SET_CONCAT | NFT_SET_MAP,
		.key_type = type << 6 | TYPE_PROTOCOL,
		.key_length = address + 4,
		.parts = {(uint8_t)address, 1, with_port ? 2 : 0},
		.data_type = verdicts ? TYPE_VERDICT : TYPE_MARK,
		.data_length = verdicts ? 16 : 4};
	char name[32];

	if (with_port) {
		shape.key_type = shape.key_type << 6 | TYPE_SERVICE;
		shape.key_length += 4;
	}
	put_set(d, nft_map_name(name, of, with_port, v6), &shape);
}

static uint32_t fill_key(uint8_t *out, const struct addr *addr, const struct guard_key *key)
{
	uint32_t n = (uint32_t)addr_len(addr);
	uint16_t port = htons(key->port);

	memcpy(out, addr->bytes, n);
	out[n] = key->protocol;
	memcpy(out + n + 4, &port, key->port ? 2 : 0);
	return n + (key->port ? 8 : 4);
}

static void put_destination(struct nft_draft *d, uint16_t type, const struct guard_key *key, const char *of,
	const char *chain, uint32_t mark)
{
	uint8_t first[24] = {0}, last[24] = {0};
	struct nftnl_set_elem *element;
	char name[32];
	struct elements e = {.d = d,
		.type = type,
		.set_name = nft_map_name(name, of, key->port != 0, key->dest.first.family == AF_INET6)};
	uint32_t length = fill_key(first, &key->dest.first, key);

	fill_key(last, &key->dest.last, key);
	element = next_element(&e);
	if (element) {
		nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, first, length);
		nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY_END, last, length);
		if (type == NFT_MSG_NEWSETELEM && chain) {
			nftnl_set_elem_set_u32(element, NFTNL_SET_ELEM_VERDICT, (uint32_t)NFT_JUMP);
			nftnl_set_elem_set_str(element, NFTNL_SET_ELEM_CHAIN, chain);
		} else if (type == NFT_MSG_NEWSETELEM) {
			nftnl_set_elem_set(element, NFTNL_SET_ELEM_DATA, &mark, sizeof(mark));
		}
	}
	flush_elements(&e);
}

static void put_mark_key(struct nft_draft *d, uint16_t type, const struct guard_key *key, const char *chain)
{
	struct elements e = {.d = d, .type = type, .set_name = nft_mark_map_name(key->dest.first.family == AF_INET6)};
	struct nftnl_set_elem *element = next_element(&e);

	if (element) {
		nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, &key->mark, sizeof(key->mark));
		if (type == NFT_MSG_NEWSETELEM) {
			nftnl_set_elem_set_u32(element, NFTNL_SET_ELEM_VERDICT, (uint32_t)NFT_JUMP);
			nftnl_set_elem_set_str(element, NFTNL_SET_ELEM_CHAIN, chain);
		}
	}
	flush_elements(&e);
}

static void put_destinations(struct nft_draft *d, uint16_t type, const struct guard *g)
{
	for (uint32_t i = 0; g->has_rails && i < g->n_keys; i++) {
		if (g->keys[i].mark)
			put_mark_key(d, type, &g->keys[i], g->name);
		else
			put_destination(d, type, &g->keys[i], "rails", g->name, 0);
	}
	for (uint32_t i = 0; i < g->n_folds; i++)
		put_destination(d, type, &g->folds[i], "marks", NULL, g->mark);
}

/* ---- lists of clients ---- */

const char *nft_set_name(char buf[128], const struct guard *g, const char *of, bool v6)
{
	snprintf(buf, 128, "%s_%s%s", g->name, of, v6 ? "6" : "4");
	return buf;
}

struct listing {
	struct elements e;
	uint8_t family;
};

/* A range is its first address, and the one behind its last as an end; none when there is none behind. */
static void put_range(void *arg, const struct guard_range *range)
{
	struct listing *l = arg;
	uint32_t length = (uint32_t)addr_len(&range->first);
	struct addr behind = range->last;
	struct nftnl_set_elem *element;
	size_t i = length;

	if (range->first.family != l->family)
		return;
	element = next_element(&l->e);
	if (element)
		nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, range->first.bytes, length);
	while (i > 0 && ++behind.bytes[i - 1] == 0)
		i--;
	if (i == 0)
		return;
	element = next_element(&l->e);
	if (!element)
		return;
	nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, behind.bytes, length);
	nftnl_set_elem_set_u32(element, NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
}

/* What `list` has and `besides` has not. */
static void put_list(struct nft_draft *d, uint16_t type, const struct guard *g, const char *of,
	const struct guard_list *list, const struct guard_list *besides)
{
	for (int v6 = 0; v6 < 2; v6++) {
		char name[128];
		struct listing l = {.e = {.d = d, .type = type, .set_name = nft_set_name(name, g, of, v6)},
			.family = v6 ? AF_INET6 : AF_INET};

		guard_list_only(list, besides, put_range, &l);
		flush_elements(&l.e);
	}
}

/* ---- digests ---- */

static void put_digest(struct nft_draft *d, uint16_t type, uint64_t digest)
{
	struct elements e = {.d = d, .type = type, .set_name = NFT_SET_DIGESTS};
	struct nftnl_set_elem *element = next_element(&e);

	if (element)
		nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, &digest, sizeof(digest));
	flush_elements(&e);
}

/* ---- services ---- */

static void put_client_sets(struct nft_draft *d, const struct guard *g)
{
	char name[128];

	for (int v6 = 0; v6 < 2; v6++) {
		struct set_shape shape = {
			.flags = NFT_SET_INTERVAL, .key_type = v6 ? TYPE_IPV6 : TYPE_IPV4, .key_length = v6 ? 16 : 4};

		put_set(d, nft_set_name(name, g, "deny", v6), &shape);
		put_set(d, nft_set_name(name, g, "allow", v6), &shape);
		shape.size = CLIENTS_MAX;
		shape.flags = NFT_SET_EVAL;
		if (g->client_connections)
			put_set(d, nft_set_name(name, g, "conn", v6), &shape);
		shape.flags = NFT_SET_EVAL | NFT_SET_TIMEOUT;
		shape.timeout_ms = CLIENT_MEMORY_MS;
		if (g->client_rate)
			put_set(d, nft_set_name(name, g, "rate", v6), &shape);
	}
}

static void put_client_set_removals(struct nft_draft *d, const struct guard *g)
{
	char name[128];

	for (int v6 = 0; v6 < 2; v6++) {
		put_set_removal(d, nft_set_name(name, g, "deny", v6));
		put_set_removal(d, nft_set_name(name, g, "allow", v6));
		if (g->client_connections)
			put_set_removal(d, nft_set_name(name, g, "conn", v6));
		if (g->client_rate)
			put_set_removal(d, nft_set_name(name, g, "rate", v6));
	}
}

void nft_put_guard(struct nft_draft *d, const struct guard *g)
{
	if (g->has_rails) {
		put_chain(d, NFT_MSG_NEWCHAIN, g->name, NULL, -1, 0);
		put_client_sets(d, g);
		put_list(d, NFT_MSG_NEWSETELEM, g, "deny", &g->deny, NULL);
		put_list(d, NFT_MSG_NEWSETELEM, g, "allow", &g->allow, NULL);
		nft_put_service_rules(d, g);
	}
	put_destinations(d, NFT_MSG_NEWSETELEM, g);
	put_digest(d, NFT_MSG_NEWSETELEM, g->digest);
}

void nft_put_guard_removal(struct nft_draft *d, const struct guard *g)
{
	put_destinations(d, NFT_MSG_DELSETELEM, g);
	put_digest(d, NFT_MSG_DELSETELEM, g->digest);
	if (!g->has_rails)
		return;
	nft_put_rules_removal(d, g->name);
	put_client_set_removals(d, g);
	put_chain(d, NFT_MSG_DELCHAIN, g->name, NULL, -1, 0);
}

void nft_put_lists(struct nft_draft *d, const struct guard *old, const struct guard *new)
{
	put_list(d, NFT_MSG_DELSETELEM, old, "deny", &old->deny, &new->deny);
	put_list(d, NFT_MSG_DELSETELEM, old, "allow", &old->allow, &new->allow);
	put_list(d, NFT_MSG_NEWSETELEM, new, "deny", &new->deny, &old->deny);
	put_list(d, NFT_MSG_NEWSETELEM, new, "allow", &new->allow, &old->allow);
	put_digest(d, NFT_MSG_DELSETELEM, old->digest);
	put_digest(d, NFT_MSG_NEWSETELEM, new->digest);
}

/* ---- what all share ---- */

void nft_put_table(struct nft_draft *d)
{
	/* Two marks together are as long as a digest, and something that nft(8) can print. */
	const struct set_shape digests = {.flags = NFT_SET_CONCAT,
		.key_type = TYPE_MARK << 6 | TYPE_MARK,
		.key_length = sizeof(uint64_t),
		.parts = {4, 4}};

	put_table(d, NFT_MSG_NEWTABLE, NLM_F_CREATE, NFT_TABLE);
	put_set(d, NFT_SET_DIGESTS, &digests);
}

/* Also when it is not there: made and removed in one. */
void nft_put_table_removal(struct nft_draft *d)
{
	put_table(d, NFT_MSG_NEWTABLE, NLM_F_CREATE, NFT_TABLE);
	put_table(d, NFT_MSG_DELTABLE, 0, NFT_TABLE);
}

void nft_put_trial(struct nft_draft *d)
{
	put_table(d, NFT_MSG_NEWTABLE, NLM_F_CREATE, NFT_TABLE "_trial");
	put_table(d, NFT_MSG_DELTABLE, 0, NFT_TABLE "_trial");
}

void nft_put_rails(struct nft_draft *d)
{
	const struct set_shape marks = {.flags = NFT_SET_MAP,
		.key_type = TYPE_MARK,
		.key_length = 4,
		.data_type = TYPE_VERDICT,
		.data_length = 16};

	for (int v6 = 0; v6 < 2; v6++)
		put_set(d, nft_mark_map_name(v6), &marks);
	for (int i = 0; i < 4; i++)
		put_destination_map(d, "rails", i & 1, i & 2, true);
	put_chain(d, NFT_MSG_NEWCHAIN, NFT_CHAIN_GUARD, "filter", NF_INET_PRE_ROUTING, BEFORE_ROUTING);
	for (int i = 0; i < 4; i++)
		nft_put_dispatch_rule(d, i & 1, i & 2);
	for (int v6 = 0; v6 < 2; v6++)
		nft_put_mark_dispatch_rule(d, v6);
}

/* Clients on this machine are marked on their way out. */
void nft_put_folds(struct nft_draft *d, int32_t priority)
{
	for (int i = 0; i < 4; i++)
		put_destination_map(d, "marks", i & 1, i & 2, false);
	put_chain(d, NFT_MSG_NEWCHAIN, NFT_CHAIN_MARK, "filter", NF_INET_PRE_ROUTING, priority);
	put_chain(d, NFT_MSG_NEWCHAIN, NFT_CHAIN_MARK "_local", "route", NF_INET_LOCAL_OUT, priority);
	for (int i = 0; i < 4; i++) {
		nft_put_mark_rule(d, NFT_CHAIN_MARK, i & 1, i & 2);
		nft_put_mark_rule(d, NFT_CHAIN_MARK "_local", i & 1, i & 2);
	}
}
