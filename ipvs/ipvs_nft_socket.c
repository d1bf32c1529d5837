/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Transactions on our nftables table, and looks at what stands there, over one socket, in a thread of the
 * ipvs role. Thin: it decides nothing and logs nothing. */
#include <netinet/in.h> /* before the kernel's own */

#include "ipvs_nft_draft.h"
#include "mono.h"
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/gen.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TIMEOUT_US US_PER_S /* the kernel has done its work when it has taken the request */
#define BUFFER 65536
#define SOCKET_BUFFER (16 << 20)

struct nft {
	struct mnl_socket *socket;
	uint32_t seq;
	char buffer[BUFFER];
};

struct nft *nft_open(void)
{
	struct nft *nft = calloc(1, sizeof(*nft));
	int size = SOCKET_BUFFER;

	if (!nft)
		return NULL;
	nft->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!nft->socket || mnl_socket_bind(nft->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int error = errno;

		nft_close(nft);
		errno = error;
		return NULL;
	}
	/* One transaction is one message; without the privilege the system's limit has to do. */
	setsockopt(mnl_socket_get_fd(nft->socket), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	setsockopt(mnl_socket_get_fd(nft->socket), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	nft->seq = 1;
	return nft;
}

void nft_close(struct nft *nft)
{
	if (!nft)
		return;
	if (nft->socket)
		mnl_socket_close(nft->socket);
	free(nft);
}

/* Waits for the next datagram; its length or -errno. */
static ssize_t receive(struct nft *nft, struct mono deadline)
{
	for (;;) {
		struct pollfd poll_fd = {.fd = mnl_socket_get_fd(nft->socket), .events = POLLIN};
		int64_t left = mono_diff_us(deadline, mono_now());
		ssize_t n;

		if (left <= 0 || poll(&poll_fd, 1, (int)(left / US_PER_MS) + 1) == 0)
			return -ETIMEDOUT;
		n = mnl_socket_recvfrom(nft->socket, nft->buffer, sizeof(nft->buffer));
		if (n >= 0)
			return n;
		if (errno != EINTR)
			return -errno;
	}
}

/* ---- transactions ---- */

/* Refusals come first, the acknowledgement of the last message comes in any case. */
static int wait_for_answer(struct nft *nft, uint32_t first, uint32_t last)
{
	struct mono deadline = mono_add(mono_now(), TIMEOUT_US);
	int error = 0;

	for (;;) {
		ssize_t n = receive(nft, deadline);
		int length = (int)n;

		if (n < 0)
			return error ? error : (int)n;
		for (struct nlmsghdr *nlh = (struct nlmsghdr *)nft->buffer; mnl_nlmsg_ok(nlh, length);
			nlh = mnl_nlmsg_next(nlh, &length)) {
			const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);

			if (nlh->nlmsg_type != NLMSG_ERROR || nlh->nlmsg_seq < first || nlh->nlmsg_seq > last)
				continue; /* late answers to something before */
			if (err->error && !error)
				error = err->error;
			/* A refused frame has no acknowledgement of the last message. */
			if (nlh->nlmsg_seq == last || nlh->nlmsg_seq == first)
				return error;
		}
	}
}

int nft_commit(struct nft *nft, struct nft_draft *d)
{
	uint32_t first = nft->seq, last = 0;
	int error;

	d->last->nlmsg_flags |= NLM_F_ACK;
	nftnl_batch_end(mnl_nlmsg_batch_current(d->batch), d->messages++);
	if (!mnl_nlmsg_batch_next(d->batch))
		d->error = -EMSGSIZE;
	error = d->error;
	if (!error) {
		char *head = mnl_nlmsg_batch_head(d->batch);
		int length = (int)mnl_nlmsg_batch_size(d->batch);

		last = first + d->last->nlmsg_seq;
		for (struct nlmsghdr *nlh = (struct nlmsghdr *)head; mnl_nlmsg_ok(nlh, length);
			nlh = mnl_nlmsg_next(nlh, &length))
			nlh->nlmsg_seq += first;
		nft->seq += d->messages;
		if (mnl_socket_sendto(nft->socket, head, mnl_nlmsg_batch_size(d->batch)) < 0)
			error = -errno;
	}
	if (!error)
		error = wait_for_answer(nft, first, last);
	nft_draft_free(d);
	return error;
}

/* ---- looking ---- */

/* Sends one request and hands every message of the answer to fn. */
static int ask(struct nft *nft, struct nlmsghdr *request, mnl_cb_t fn, void *arg)
{
	struct mono deadline = mono_add(mono_now(), TIMEOUT_US);
	uint32_t seq = nft->seq++;
	ssize_t n;
	int rc;

	request->nlmsg_seq = seq;
	if (mnl_socket_sendto(nft->socket, request, request->nlmsg_len) < 0)
		return -errno;
	do {
		n = receive(nft, deadline);
		if (n < 0)
			return (int)n;
		if (((struct nlmsghdr *)nft->buffer)->nlmsg_seq != seq) {
			rc = MNL_CB_OK; /* a late answer to something before */
			continue;
		}
		rc = mnl_cb_run(nft->buffer, (size_t)n, seq, mnl_socket_get_portid(nft->socket), fn, arg);
	} while (rc > MNL_CB_STOP);
	return rc < 0 ? -errno : 0;
}

static int take_generation(const struct nlmsghdr *nlh, void *arg)
{
	struct nftnl_gen *gen = nftnl_gen_alloc();

	if (gen && nftnl_gen_nlmsg_parse(nlh, gen) >= 0)
		*(int64_t *)arg = nftnl_gen_get_u32(gen, NFTNL_GEN_ID);
	if (gen)
		nftnl_gen_free(gen);
	return MNL_CB_STOP;
}

int64_t nft_generation(struct nft *nft)
{
	char buffer[256];
	struct nlmsghdr *request = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETGEN, NFPROTO_UNSPEC, 0, 0);
	int64_t generation = -EPROTO;
	int rc = ask(nft, request, take_generation, &generation);

	return rc < 0 ? rc : generation;
}

/* libnftnl ends the process at a message that breaks its format; what may simply be missing is looked at here. */
static bool is_ours(const char *table)
{
	return table && strcmp(table, NFT_TABLE) == 0;
}

static int take_chain(const struct nlmsghdr *nlh, void *arg)
{
	struct nftnl_chain *chain = nftnl_chain_alloc();
	struct nft_found *found = arg;
	const char *name;

	if (!chain)
		return MNL_CB_OK;
	if (nftnl_chain_nlmsg_parse(nlh, chain) >= 0 && is_ours(nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE)) &&
		nftnl_chain_is_set(chain, NFTNL_CHAIN_NAME)) {
		name = nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME);
		found->has_rails |= strcmp(name, NFT_CHAIN_GUARD) == 0;
		found->has_folds |= strcmp(name, NFT_CHAIN_MARK) == 0;
		found->chains += strncmp(name, "s_", 2) == 0;
	}
	nftnl_chain_free(chain);
	return MNL_CB_OK;
}

static int take_digest(struct nftnl_set_elem *element, void *arg)
{
	struct nft_found *found = arg;
	uint32_t length;
	const void *key = nftnl_set_elem_get(element, NFTNL_SET_ELEM_KEY, &length);

	if (!key || length != sizeof(uint64_t))
		return 0;
	if (found->n == found->room) {
		uint64_t *digests = reallocarray(found->digests, found->room * 2 + 64, sizeof(*digests));

		if (!digests)
			return 0; /* fewer than there are: not what is wanted, so all is made anew */
		found->digests = digests;
		found->room = found->room * 2 + 64;
	}
	memcpy(&found->digests[found->n++], key, sizeof(uint64_t));
	return 0;
}

static int take_digests(const struct nlmsghdr *nlh, void *arg)
{
	struct nftnl_set *set = nftnl_set_alloc();

	if (set && nftnl_set_elems_nlmsg_parse(nlh, set) >= 0)
		nftnl_set_elem_foreach(set, take_digest, arg);
	if (set)
		nftnl_set_free(set);
	return MNL_CB_OK;
}

int nft_look(struct nft *nft, struct nft_found *found)
{
	char buffer[1024];
	struct nlmsghdr *request = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETCHAIN, NFPROTO_INET, NLM_F_DUMP, 0);
	struct nftnl_set *set;
	int rc;

	*found = (struct nft_found){0};
	rc = ask(nft, request, take_chain, found);
	if (rc < 0)
		return rc;
	set = nftnl_set_alloc();
	if (!set)
		return -ENOMEM;
	nftnl_set_set_str(set, NFTNL_SET_TABLE, NFT_TABLE);
	nftnl_set_set_str(set, NFTNL_SET_NAME, NFT_SET_DIGESTS);
	request = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETSETELEM, NFPROTO_INET, NLM_F_DUMP, 0);
	nftnl_set_elems_nlmsg_build_payload(request, set);
	nftnl_set_free(set);
	return ask(nft, request, take_digests, found);
}

/* ---- counters ---- */

struct counting {
	nft_count_fn *fn;
	void *arg;
};

static int take_comment(const struct nftnl_udata *attr, void *arg)
{
	const char *text = nftnl_udata_get(attr);

	/* Whoever may change our table may write anything there. */
	if (nftnl_udata_type(attr) == NFTNL_UDATA_RULE_COMMENT && nftnl_udata_len(attr) > 0 &&
		text[nftnl_udata_len(attr) - 1] == '\0')
		*(const char **)arg = text;
	return 0;
}

static int take_counter(struct nftnl_expr *e, void *arg)
{
	if (strcmp(nftnl_expr_get_str(e, NFTNL_EXPR_NAME), "counter") == 0)
		*(uint64_t *)arg += nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_PACKETS);
	return 0;
}

static int take_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();
	struct counting *c = arg;
	const char *keyword = NULL;
	uint64_t packets = 0;
	uint32_t length = 0;
	const void *data;

	if (!rule)
		return MNL_CB_OK;
	if (nftnl_rule_nlmsg_parse(nlh, rule) >= 0 && nftnl_rule_is_set(rule, NFTNL_RULE_USERDATA) &&
		is_ours(nftnl_rule_get_str(rule, NFTNL_RULE_TABLE)) && nftnl_rule_is_set(rule, NFTNL_RULE_CHAIN)) {
		data = nftnl_rule_get_data(rule, NFTNL_RULE_USERDATA, &length);
		nftnl_udata_parse(data, length, take_comment, &keyword);
		nftnl_expr_foreach(rule, take_counter, &packets);
		if (keyword)
			c->fn(c->arg, nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN), keyword, packets);
	}
	nftnl_rule_free(rule);
	return MNL_CB_OK;
}

int nft_count(struct nft *nft, nft_count_fn *fn, void *arg)
{
	char buffer[1024];
	struct nlmsghdr *request = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETRULE, NFPROTO_INET, NLM_F_DUMP, 0);
	struct counting counting = {fn, arg};
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule)
		return -ENOMEM;
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, NFT_TABLE);
	nftnl_rule_nlmsg_build_payload(request, rule);
	nftnl_rule_free(rule);
	return ask(nft, request, take_rule, &counting);
}
