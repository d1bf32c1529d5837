/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What part of the other node's connections this node holds: when to ask for the whole table, when to count, and what
 * comes out when the two digests are compared. Pure: numbers and times in, decisions in the record. */
#ifndef POISE_PAIR_COVER_H
#define POISE_PAIR_COVER_H

#include "mono.h"
#include "pair_message.h"
#include "status.h"
#include <stdbool.h>

/* Between the last datagram of a table and the count: the kernel takes them in meanwhile. */
#define PAIR_SETTLE_US (200 * US_PER_MS)
/* Asking again while it is not enough: after this, doubled each time up to the longest. */
#define PAIR_ASK_US (1 * US_PER_S)
/* What was counted is too little: connections that have just come are on their way, and the next sweep tells. */
#define PAIR_CHURN_US (3 * US_PER_S)
#define PAIR_ASK_LONGEST_US (30 * US_PER_S)
/* And not before so many times the time that the last answer took. */
#define PAIR_ASK_SHARE 3
/* Between a walk and the count connections end and others begin: what our kernel took of the walk and the count misses
 * by no more than this, 1/1000, is held as far as it still exists. */
#define PAIR_ENDED 100

struct pair_cover {
	uint64_t numbers; /* last one given out; begins with something that no former process used */
	uint64_t want;    /* asked for and not answered, 0 = nothing */
	struct mono asked, ask_again;
	int64_t pause_us;
	struct mono lacking_since; /* counted, and too little; not set: enough, or not counted */
	/* the other's digest as it comes in */
	bool has_met;
	uint64_t met_walk; /* its last walk when we met, 0 = none: that may be old, and is not gone by */
	uint64_t walk;
	uint32_t parts; /* bits of DIGEST_RECORDS */
	struct status_bucket theirs[DIGEST_BUCKETS];
	uint64_t complete;    /* number of the last complete one */
	struct mono count_at; /* not set, or when to count */
	uint64_t count;       /* number of the wish to count, for the ipvs role */
	uint64_t compared;    /* the last count that was compared */
	/* the result */
	bool known;
	uint32_t held; /* 1/1000 */
	uint32_t total;
	struct mono at;
};

/* Whether enough is held, and when that is news. */
enum pair_cover_news { PAIR_COVER_SAME, PAIR_COVER_REACHED, PAIR_COVER_LOST };

struct pair_cover_facts {
	struct mono now;
	bool can;               /* the other one is heard, active and ready, we are ready and standby for something */
	struct mono not_before; /* a result older than this is not worth anything: state changes, new servers */
	uint32_t enough;        /* 1/1000 */
	uint64_t answered;      /* the last wish of ours that the other one carried out */
	bool taken_known;       /* it knows how much of that our kernel took, of how many, 1/1000 */
	uint32_t taken, total;
	uint64_t counted; /* the last count that the ipvs role carried out */
};

void pair_cover_begin(struct pair_cover *c, uint64_t first_number);
/* The other one is another process now, or is gone: what it was asked for is forgotten. */
void pair_cover_forget(struct pair_cover *c);
/* Somebody waits: what would be asked for after a pause is asked for now. */
void pair_cover_hurry(struct pair_cover *c);
/* The other one's state was heard, with the number of its last walk. Before that no digest is taken. */
void pair_cover_meet(struct pair_cover *c, uint64_t walk);
/* A part of the other's digest. */
void pair_cover_take_part(struct pair_cover *c, const struct pair_digest *part, struct mono now);
/* What our kernel took of a table that we asked for is held until it is counted, where it is enough: counting a large
 * table takes as long as sending it.
 * Decides; returns when to look again (MONO_NEVER: when something comes). A count that is back is compared by the
 * caller with pair_cover_compare() while c->compared != facts->counted. */
struct mono pair_cover_step(struct pair_cover *c, const struct pair_cover_facts *facts);
/* *had: enough was held when it was last known. Losing what was never reached is no news, and what is not known is no
 * loss: the other node may be gone, and we active. held and enough: 1/1000. */
enum pair_cover_news pair_cover_judge(bool *had, bool known, uint32_t held, uint32_t enough);
/* Compares with the own count (all buckets) and keeps the result. taken: 1/1000 of the walk that our kernel took, as
 * the sender says; 0 = it does not. */
void pair_cover_compare(struct pair_cover *c, const struct status_bucket ours[DIGEST_BUCKETS], uint64_t count,
	uint32_t taken, struct mono now);

#endif
