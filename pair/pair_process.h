/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the pair process share.
 *   pair_process.c  the role: generations, boards, socket, the beat of messages, start and stop
 *   pair_talk.c     messages out and in
 *   pair_look.c     facts from the boards of vrrp, ipvs and the parent; coverage; what is wished of ipvs
 *   pair_hear.c     receipts for a table of connections that comes in */
#ifndef POISE_PAIR_PROCESS_H
#define POISE_PAIR_PROCESS_H

#include "log.h"
#include "pair_conf.h"
#include "pair_cover.h"
#include "pair_list.h"
#include "pair_message.h"
#include "pair_session.h"
#include "role.h"
#include "status.h"
#include "sync_receipt.h"
#include <sys/socket.h>

/* A node that was not heard for this long is silent; it speaks every second. */
#define PAIR_PATIENCE_US (3 * US_PER_S + US_PER_S / 2)
#define PAIR_BEAT_US US_PER_S

/* What the other node last said, and its configured objects as they come in. */
struct pair_other {
	bool is_heard;
	struct pair_state state;
	struct mono last_heard;
	struct pair_list list;
};

/* A list that is told in turns. */
struct pair_cycle {
	uint64_t sum; /* over all of it: a change begins a cycle */
	uint32_t at, left;
};

/* Beside the kernel's receiver. */
struct pair_ear {
	struct loop *loop;
	int sock;
	struct loop_io *io;
	uint64_t inode; /* of the socket */
	unsigned ifindex;
	struct addr group;
	uint16_t port;
	uint8_t sync_id;
	struct sync_receipt receipt; /* that is being gathered, for this sender */
	struct sockaddr_storage sender;
	socklen_t sender_size;
	uint64_t dropped; /* by the kernel's receiver, as last seen */
	struct timer due;
};

struct pair {
	struct role_process *p;
	const struct conf *conf; /* in force */
	struct pair_conf own, next_own;
	struct board *next_board;
	int sock;
	struct loop_io *io;
	struct addr bound; /* to which the socket is bound */
	uint32_t bound_port;
	uint8_t key[64];
	size_t key_size;
	struct pair_ear ear;
	struct pair_session session;
	struct pair_cover cover;
	struct pair_other other;
	struct timer beat, cover_due, soon;
	uint32_t standing; /* servers in the kernel's table; connections are bound to what stands when they come */
	struct mono standing_since;
	struct pair_list_teller teller; /* of the own objects */
	struct pair_cycle admin_cycle, pool_cycle;
	uint64_t told_answered, told_walk; /* in the last message of state */
	unsigned beats;
	uint64_t wish_seen; /* of vrrp: somebody waits for coverage */
	bool is_covered;    /* enough of the other node's connections were held when it was last known */
	struct log_limit trouble;
	struct mono last_forged, last_unknown; /* a message with another signature, of another version */
	struct status_pair status;
};

/* ---- pair_process.c ---- */
/* In the next round of the loop: look at everything, and speak if something is new. */
void pair_look_soon(struct pair *pair);
/* A random number, never 0. */
uint64_t pair_random(void);

/* ---- pair_talk.c ---- */
/* Tells the own state and what the other one is seen to lack. */
void pair_talk_beat(struct pair *pair);
/* The own state, and the digest when there is a new one. */
void pair_talk_news(struct pair *pair);
void pair_talk_state(struct pair *pair);
void pair_talk_admin(struct pair *pair);
void pair_talk_receive(struct pair *pair);

/* ---- pair_look.c ---- */
/* Facts of the moment for the own state message. */
void pair_look_state(const struct pair *pair, struct pair_state *out);
/* Brings coverage, wishes and the board up to date. Returns true when the other node should be told. */
bool pair_look(struct pair *pair);
/* Compares configurations when both are known and publishes the differences. */
void pair_look_config(struct pair *pair);

/* ---- pair_hear.c ---- */
void pair_ear_init(struct pair_ear *ear, struct loop *loop);
/* Opens, moves or closes it as the configuration and the interfaces are by now. */
void pair_ear_keep(struct pair_ear *ear, const struct conf *conf);
void pair_ear_close(struct pair_ear *ear);

#endif
