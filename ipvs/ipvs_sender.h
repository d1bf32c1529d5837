/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends datagrams of a table of connections to the other node: no faster than the configured bandwidth, and no faster
 * than that node takes them. Runs in the thread that reads the table. */
#ifndef POISE_IPVS_SENDER_H
#define POISE_IPVS_SENDER_H

#include "ipvs_sync_message.h"
#include "ipvs_window.h"
#include "mono.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Where the kernels of both nodes tell each other of connections. */
struct ipvs_sender_target {
	const char *interface;
	struct addr group; /* not set: 224.0.0.81 */
	uint16_t port;     /* 0: 8848 */
	uint32_t ttl;      /* 0: 1 */
};

struct ipvs_line {
	int sock;
	socklen_t size;
	struct sockaddr_storage to;
};

enum ipvs_sender_mode {
	IPVS_SENDER_BLIND, /* there is no time to wait for receipts */
	IPVS_SENDER_HEARS, /* waits for them, where anybody gave some last time */
	IPVS_SENDER_ASKED  /* somebody waits for this table */
};

struct ipvs_sender {
	struct ipvs_window window; /* what it knows of the other node lasts from one table to the next */
	/* of this table */
	struct ipvs_line line;
	bool (*is_over)(void *arg); /* does the work end early? */
	void *arg;
	enum ipvs_sender_mode mode;
	uint32_t kbit_per_s;
	struct mono free_at; /* when the line is free again by its bandwidth */
	uint32_t sent;       /* entries, each once */
	uint64_t datagrams, bytes, errors;
	int64_t waited_us; /* for the bandwidth and for receipts */
};

/* A socket for the target; own messages do not come back. Returns 0 or -errno; line->sock is the caller's to close. */
int ipvs_line_open(struct ipvs_line *line, const struct ipvs_sender_target *target);

/* Begins a table. */
void ipvs_sender_begin(
	struct ipvs_sender *s, const struct ipvs_line *line, uint32_t kbit_per_s, enum ipvs_sender_mode mode);
/* Sends a message that is complete, and waits as long as it must. */
void ipvs_sender_put(struct ipvs_sender *s, const struct ipvs_sync_message *m);
/* Waits until everything was taken, or nobody says so. */
void ipvs_sender_finish(struct ipvs_sender *s);

#endif
