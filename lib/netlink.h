/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netlink requests in batches over a libnl socket without its caches: many messages in one send, only errors and the
 * last one answered. Messages are built with libnl's nlmsg and nla functions, so codecs are tested on bytes. */
#ifndef POISE_NETLINK_H
#define POISE_NETLINK_H

#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdbool.h>
#include <stdint.h>

/* A connected socket of the protocol (NETLINK_ROUTE, NETLINK_GENERIC) with large buffers, extended acks and strict
 * checks; NULL with errno. groups: rtnetlink multicast groups to join, ended by 0 (or NULL). */
struct nl_sock *netlink_open(int protocol, const int *groups);

/* A batch collects messages until it is sent. */
struct netlink_batch;
struct netlink_batch *netlink_batch_new(void);
void netlink_batch_free(struct netlink_batch *batch);
/* Drops what was collected and is not to be sent. */
void netlink_batch_empty(struct netlink_batch *batch);
/* Frees the messages that are kept for the next use. */
void netlink_batch_trim(struct netlink_batch *batch);
/* Starts a message (1024 bytes at most); returns it for nlmsg_append() and nla_put() calls, NULL when out of memory;
 * flags beside NLM_F_REQUEST. The batch owns it. */
struct nl_msg *netlink_batch_add(struct netlink_batch *batch, int type, int flags);
size_t netlink_batch_count(const struct netlink_batch *batch);

/* Sends everything (in chunks that fit the buffers) and waits, bounded by timeout_us, for the acknowledgement of the
 * last message of each chunk. fn is called for each message that the kernel refused: its number in the batch and the
 * errno (positive), extended text or NULL. Empties the batch. Returns 0 (also with refusals), -ETIMEDOUT, -ENOBUFS or
 * another -errno when the outcome is not known: then dump and compare. */
typedef void netlink_refused_fn(void *arg, size_t number, int error, const char *text);
int netlink_batch_send(
	struct nl_sock *sock, struct netlink_batch *batch, int64_t timeout_us, netlink_refused_fn *fn, void *arg);

/* One dump request (it stays the caller's); fn for each message of the answer, once the answer is complete. Retries a
 * dump that was interrupted (NLM_F_DUMP_INTR), three times in all. Returns 0, or -errno (-EINTR: the kernel's tables
 * changed under every try); then fn was not called. */
typedef void netlink_dump_fn(void *arg, struct nlmsghdr *msg);
int netlink_dump(struct nl_sock *sock, struct nl_msg *request, int64_t timeout_us, netlink_dump_fn *fn, void *arg);

/* One request that is answered by a single message and an acknowledgement; otherwise like netlink_dump(). */
int netlink_get(struct nl_sock *sock, struct nl_msg *request, int64_t timeout_us, netlink_dump_fn *fn, void *arg);

/* The number of a generic netlink family, -ENOENT when the kernel has none (loading its module is tried by the kernel).
 */
int netlink_family(struct nl_sock *sock, const char *name);

#endif
