/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Datagrams between the two nodes of a pair. Pure and fuzzed: bytes in, a record out, and back.
 *
 *   "Pois" (4), version 1 (1), type (1), size of the whole (2), session of the sender (8), number in it (8),
 *   the sender's challenge (8), echo of the receiver's challenge (8), then fields of type (2), length (2) and data,
 *   then HMAC-SHA256 (32) of all before under the pair's key. Numbers in network order.
 *
 * Types and fields that are not known are skipped, so that an older and a newer node understand what both know. */
#ifndef POISE_PAIR_MESSAGE_H
#define POISE_PAIR_MESSAGE_H

#include "status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAIR_VERSION 1
#define PAIR_SIZE 1400 /* of a datagram, at most */
#define PAIR_HEADER 40
#define PAIR_MAC 32
#define PAIR_NAME 192 /* of an object, with its end */

enum pair_type {
	PAIR_STATE = 1,   /* once a second and when something changes: everything that is short */
	PAIR_DIGEST = 2,  /* a part of the digest of the sender's connections */
	PAIR_OBJECTS = 3, /* digests of configured objects */
	PAIR_ADMIN = 4,   /* what an operator wants of a server */
	PAIR_POOL = 5,    /* a server that was added or removed at run time */
};

/* Bits of pair_state.flags. */
#define PAIR_ACTIVE 1u /* master of an instance: has connections to tell of */
#define PAIR_READY 2u  /* connection_sync full is in force: can send and take them */

struct pair_state {
	char node[64], software[32];
	uint32_t flags;
	uint64_t want;        /* a number that was not answered yet asks for the whole table; 0 = nothing was asked */
	uint64_t answered;    /* the last number of the receiver that was answered */
	uint64_t walk;        /* number of the digest of the sender's own connections, 0 = none */
	uint32_t own;         /* entries in it */
	uint32_t taken_known; /* taken is known, and not nothing */
	uint32_t taken;       /* 1/1000 of what was sent for that number: the receiver's kernel took it */
	uint64_t have;        /* the last digest of the receiver's that is complete here */
	uint32_t held_known;  /* held is known */
	uint32_t held;        /* 1/1000 of the receiver's connections that the sender holds */
	uint64_t config;      /* digest of the configuration as far as it is to be the same */
	uint32_t objects;     /* configured objects in it */
	uint64_t config_have; /* the receiver's configuration whose objects are complete here */
	uint32_t layout;      /* version of the tables that the digests are of; 0 = not told */
	uint64_t clock;       /* the sender's real time in microseconds, 0 = not told */
};

struct pair_digest {
	uint64_t walk;
	uint32_t part; /* of DIGEST_RECORDS */
	struct status_bucket buckets[DIGEST_RECORD_BUCKETS];
};

struct pair_object {
	uint64_t digest;
	char name[PAIR_NAME];
};

/* As many as fit a datagram. */
#define PAIR_OBJECTS_MAX 64
struct pair_objects {
	uint64_t config; /* that they belong to */
	uint32_t first;  /* number of the first of them */
	uint32_t n;
	struct pair_object list[PAIR_OBJECTS_MAX];
};

struct pair_admin {
	char service[PAIR_NAME], server[PAIR_NAME];
	struct status_admin admin;
};

struct pair_pool {
	char service[PAIR_NAME], server[64];
	struct status_pool pool; /* without its names */
};

struct pair_message {
	uint8_t type; /* others than the above: valid, and nothing in them is known */
	uint64_t session, number, challenge, echo;
	union {
		struct pair_state state;
		struct pair_digest digest;
		struct pair_objects objects;
		struct pair_admin admin;
		struct pair_pool pool;
	} u;
};

/* Writes and signs; returns the size. Objects that do not fit are left out: m->u.objects.n becomes what was written. */
size_t pair_message_encode(struct pair_message *m, const uint8_t *key, size_t key_size, uint8_t buf[PAIR_SIZE]);

enum pair_verdict {
	PAIR_GOOD,
	PAIR_NOT_OURS, /* another protocol, or damaged */
	PAIR_VERSION_UNKNOWN,
	PAIR_FORGED, /* the key does not fit */
};
/* Checks and reads; m is valid after PAIR_GOOD only. */
enum pair_verdict pair_message_decode(
	const uint8_t *data, size_t size, const uint8_t *key, size_t key_size, struct pair_message *m);
/* Reads the fields of a message whose signature is taken for good (the fuzz target goes here). */
enum pair_verdict pair_message_parse(const uint8_t *data, size_t size, struct pair_message *m);

#endif
