/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way out for a table of connections: socket, pace, and what comes back. Used by the second thread of the ipvs
 * process (ipvs_scan.c); what is on its way is kept by ipvs_window.c. */
#include "ipvs_sender.h"
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* The sender may run ahead of its pace by this much, so that it does not sleep after every datagram; and what it has
 * slept too long (some kernels wake in steps of 10 ms) or read instead of sending it may make good up to the second
 * one. */
#define BURST_US (2 * US_PER_MS)
#define CREDIT_US (20 * US_PER_MS)
/* A flood of anything else must not hold up the table. */
#define RECEIPTS_AT_ONCE 64
/* The longest wait without asking whether the work ends early. */
#define LOOK_MS 100

/* ---- pace ---- */

static void wait_until(struct ipvs_sender *s, struct mono due)
{
	const struct timespec at = {.tv_sec = due.us / US_PER_S, .tv_nsec = due.us % US_PER_S * 1000};
	struct mono begun = mono_now();

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
	s->waited_us += mono_diff_us(mono_now(), begun);
}

static void keep_pace(struct ipvs_sender *s, size_t bytes)
{
	struct mono now = mono_now();

	if (mono_before(mono_add(s->free_at, CREDIT_US), now))
		s->free_at = mono_add(now, -CREDIT_US);
	s->free_at = mono_add(s->free_at, (int64_t)bytes * 8 * 1000 / s->kbit_per_s);
	if (mono_diff_us(s->free_at, now) > BURST_US)
		wait_until(s, s->free_at);
}

/* ---- out and in ---- */

static bool transmit(struct ipvs_sender *s, const uint8_t *bytes, size_t size)
{
	bool sent = sendto(s->line.sock, bytes, size, 0, (const struct sockaddr *)&s->line.to, s->line.size) ==
		    (ssize_t)size;

	s->datagrams += sent;
	s->bytes += sent ? size : 0;
	s->errors += !sent;
	keep_pace(s, size);
	return sent;
}

static void take_receipts(struct ipvs_sender *s)
{
	uint8_t buf[SYNC_RECEIPT_SIZE + 1];
	struct sync_receipt receipt;
	ssize_t n;

	for (int i = 0; i < RECEIPTS_AT_ONCE; i++) {
		n = recv(s->line.sock, buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0)
			return;
		if (sync_receipt_decode(buf, (size_t)n, &receipt) == 0)
			ipvs_window_take(&s->window, &receipt, mono_now());
	}
}

static void wait_for_receipts(struct ipvs_sender *s)
{
	struct pollfd in = {.fd = s->line.sock, .events = POLLIN};
	struct mono begun = mono_now();
	int64_t wait_ms = mono_diff_us(ipvs_window_due(&s->window), begun) / US_PER_MS + 1;

	if (wait_ms > 0)
		(void)poll(&in, 1, wait_ms < LOOK_MS ? (int)wait_ms : LOOK_MS);
	s->waited_us += mono_diff_us(mono_now(), begun);
}

/* Receipts come in, and what was lost goes out again, until at most so many are on their way. */
static void attend(struct ipvs_sender *s, uint32_t most)
{
	const struct ipvs_window_slot *again;

	for (;;) {
		take_receipts(s);
		while ((again = ipvs_window_repeat(&s->window, mono_now())) != NULL)
			transmit(s, again->bytes, again->size);
		if (ipvs_window_outstanding(&s->window) <= most || s->is_over(s->arg))
			return;
		wait_for_receipts(s);
	}
}

void ipvs_sender_begin(
	struct ipvs_sender *s, const struct ipvs_line *line, uint32_t kbit_per_s, enum ipvs_sender_mode mode)
{
	ipvs_window_begin(&s->window, mode == IPVS_SENDER_ASKED);
	s->line = *line;
	s->kbit_per_s = kbit_per_s > 0 ? kbit_per_s : 1;
	s->mode = mode;
	s->free_at = MONO_NEVER;
	s->sent = 0;
	s->datagrams = s->bytes = s->errors = 0;
	s->waited_us = 0;
}

void ipvs_sender_put(struct ipvs_sender *s, const struct ipvs_sync_message *m)
{
	if (s->mode != IPVS_SENDER_BLIND && ipvs_window_wants_receipts(&s->window))
		attend(s, IPVS_WINDOW - 1);
	if (transmit(s, m->bytes, m->size))
		s->sent += m->n;
	if (s->mode != IPVS_SENDER_BLIND)
		ipvs_window_add(&s->window, m, mono_now());
}

void ipvs_sender_finish(struct ipvs_sender *s)
{
	if (s->mode != IPVS_SENDER_BLIND)
		attend(s, 0);
}

/* ---- the socket ---- */

static int set_group4(int fd, int ifindex, int ttl)
{
	const struct ip_mreqn mreq = {.imr_ifindex = ifindex};
	const int off = 0;

	if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &mreq, sizeof(mreq)) < 0 ||
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &off, sizeof(off)) < 0 ||
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl)) < 0)
		return -errno;
	return 0;
}

static int set_group6(int fd, int ifindex, int hops)
{
	const int off = 0;

	if (setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &ifindex, sizeof(ifindex)) < 0 ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &off, sizeof(off)) < 0 ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)) < 0)
		return -errno;
	return 0;
}

/* Bound to the port that it sends to, so that receipts come to a port which a firewall between the nodes has open
 * anyway; what the kernels tell each other there does not get in. */
static int bind_line(int fd, uint8_t family, uint16_t port, const char *interface)
{
	const struct addr any = {.family = family};
	struct sockaddr_storage at;
	socklen_t size = addr_to_sockaddr(&any, port, 0, &at);
	const int on = 1, off = 0;
	int rc = family == AF_INET ? setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof(off))
				   : setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, &off, sizeof(off));

	if (rc < 0 || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		bind(fd, (const struct sockaddr *)&at, size) < 0)
		return -errno;
	return 0;
}

int ipvs_line_open(struct ipvs_line *line, const struct ipvs_sender_target *target)
{
	const uint32_t usual = htonl(IPVS_SYNC_GROUP);
	struct addr group = addr_is_set(&target->group) ? target->group : addr_from_bytes(AF_INET, &usual);
	int ifindex = (int)if_nametoindex(target->interface), ttl = target->ttl ? (int)target->ttl : 1;
	uint16_t port = target->port ? target->port : IPVS_SYNC_PORT;
	int error;

	line->sock = -1;
	if (ifindex == 0)
		return -ENODEV;
	line->size = addr_to_sockaddr(&group, port, (unsigned)ifindex, &line->to);
	line->sock = socket(group.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (line->sock < 0)
		return -errno;
	error = group.family == AF_INET ? set_group4(line->sock, ifindex, ttl) : set_group6(line->sock, ifindex, ttl);
	if (error == 0)
		error = bind_line(line->sock, group.family, port, target->interface);
	if (error == 0)
		return 0;
	close(line->sock);
	line->sock = -1;
	return error;
}
