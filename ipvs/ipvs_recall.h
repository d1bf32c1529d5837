/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the last walk through the table of connections has read, as it went out: a node that asks is sent it at once,
 * while another walk through a large table would take minutes. Bounded in memory. What it may lack by now is counted by
 * the kernel's own numbers, so that what is said of it holds. Containers and arithmetic: no system call. */
#ifndef POISE_IPVS_RECALL_H
#define POISE_IPVS_RECALL_H

#include "ipvs_image.h"
#include "mono.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of one; there are two while a walk goes on. Some 400,000 connections of IPv4 or 200,000 of IPv6. */
#define IPVS_RECALL_LIMIT ((size_t)14 << 20)
/* What has run out since it was read is handed on for this long: a packet that came meanwhile has prolonged it, and
 * when there was none it does no harm for longer. */
#define IPVS_RECALL_LEFT_S 120

struct ipvs_recall_chunk;

struct ipvs_recall {
	struct ipvs_recall_chunk *first, *last;
	size_t size;       /* bytes in use */
	uint32_t n;        /* connections */
	bool is_truncated; /* not all of them had room */
};

/* Makes it empty and frees its memory. */
void ipvs_recall_clear(struct ipvs_recall *r);
/* Keeps a connection as it stands in a message. When it has no room the recall is truncated. */
void ipvs_recall_add(struct ipvs_recall *r, const uint8_t *entry, size_t size, struct mono now);

struct ipvs_recall_cursor {
	const struct ipvs_recall_chunk *chunk; /* NULL: at the beginning */
	size_t at;
};
struct ipvs_recall_entry {
	const uint8_t *bytes;
	size_t size;
	struct mono read; /* not later than it was read */
};
/* The next one in the order of the walk, which wants them to stay as they are meanwhile. */
bool ipvs_recall_next(const struct ipvs_recall *r, struct ipvs_recall_cursor *c, struct ipvs_recall_entry *out);
/* Seconds until a connection expires that had `seconds` left when it was read. */
uint32_t ipvs_recall_left(uint32_t seconds, struct mono read, struct mono now);

/* The kernel's numbers of the services of which this node is master. */
struct ipvs_recall_count {
	uint64_t entries;     /* connections and templates that its servers have */
	uint64_t connections; /* that were ever accepted */
	uint64_t services;    /* a digest of which services these are */
	bool is_persistent;   /* a connection may bring a template with it */
};
void ipvs_recall_count_service(
	struct ipvs_recall_count *count, const struct ipvs_image *image, const struct ipvs_service *service);

/* What part of the table at least, 1/1000, is among `lasting` connections that a walk has read, when the kernel counted
 * `then` before the walk and `now` afterwards. Lacking is what was accepted since, what came in another way, and at
 * most as many as have ended, because the walk passes over an entry for each that ends before its place. */
uint32_t ipvs_recall_covers(
	const struct ipvs_recall_count *then, const struct ipvs_recall_count *now, uint32_t lasting);

#endif
