/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The world of the model: routers with real state machines, packets in flight, and everything that can happen next. */
#ifndef POISE_TEST_VRRP_WORLD_H
#define POISE_TEST_VRRP_WORLD_H

#include "../../vrrp/vrrp_group.h"
#include <stdbool.h>
#include <stdint.h>

#define ROUTERS 3
#define SEGMENTS 2
#define FLIGHTS 24
#define MS US_PER_MS

/* What the adversary may still do. */
struct budget {
	uint8_t losses, delays, crashes, reboots, stops, stalls, faults, priorities, holds, pauses;
};

struct scenario {
	const char *name;
	uint8_t version, routers, segments;
	uint8_t priority[ROUTERS];
	bool nopreempt[ROUTERS];
	int64_t advert_us[ROUTERS]; /* 0 = a second */
	int64_t preempt_delay_us;
	struct budget budget;
};

struct flight {
	uint8_t from, to, segment, priority;
	bool is_delayed;
};

struct router {
	struct vrrp_vr vr[SEGMENTS];
	struct vrrp_past past[SEGMENTS];
	bool holds[SEGMENTS];
	bool is_up, is_stalled, has_past, is_lowered;
};

struct world {
	struct mono now;
	struct router router[ROUTERS];
	struct flight flight[FLIGHTS];
	uint32_t flights;
	struct budget left;
	bool was_disturbed; /* a packet was lost or late, or someone slept */
};

enum move_kind {
	DELIVER,
	LOSE,
	DELAY,
	FIRE,
	ADVANCE,
	PAUSE,
	CRASH,
	REBOOT,
	STOP,
	RESTART,
	STALL,
	WAKE,
	FAULT,
	PRIORITY,
	HOLD
};

struct move {
	uint8_t kind, a, b;
};

#define DEPTH 200000

/* The scenario under way, its configurations, the way to the present state, and the longest list of actions so far. */
extern const struct scenario *sc;
extern struct conf_instance conf[ROUTERS];
extern struct move path[DEPTH];
extern uint32_t path_length, busiest;

/* Prints the way and the world, and ends the program. */
void __attribute__((noreturn)) world_violated(const struct world *w, const char *what);

void world_start(struct world *w, int r);
void world_wake(struct world *w, int r);
void world_deliver(struct world *w, uint32_t i);
void world_fire(struct world *w, int r, int s);
void world_apply(struct world *w, const struct move *m);

#define MOVES (FLIGHTS * 3 + ROUTERS * 11 + 2)
/* Everything that can happen next; returns how many. */
uint32_t world_moves(const struct world *w, struct move *out);

bool world_is_awake(const struct world *w, int r);
/* Router r's timer on segment s is due; something is that must happen before time goes on. */
bool world_is_due(const struct world *w, int r, int s);
bool world_is_pressing(const struct world *w);
/* The next timer of anybody who is awake; not set when nobody has one. */
struct mono world_next_deadline(const struct world *w);

#endif
