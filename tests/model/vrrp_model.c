/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exhaustive model of the VRRP state machine: two or three routers on one or two segments, every order of deliveries
 * and timers, with a bounded number of losses, delays, crashes, stops, stalls, faults and changes of priority anywhere.
 * All reachable states are visited once (times are relative, so the states repeat). In each of them the invariants
 * below are checked, and the world is then left in peace: it must settle on one master, the best one, in the time that
 * the protocol promises. A violation prints the way that led there. */
#include "vrrp_world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef POISE_SANITIZERS
#define POISE_SANITIZERS 0
#endif

/* States of each scenario at most, 0 = all. With sanitizers it is their findings that count. */
static const uint32_t usual_limit = POISE_SANITIZERS ? 20000 : 0;

/* ---- what must hold ---- */

static bool is_able(const struct world *w, int r)
{
	if (!world_is_awake(w, r))
		return false;
	for (int s = 0; s < sc->segments; s++)
		if (w->router[r].vr[s].state == VRRP_FAULT)
			return false;
	return true;
}

static int masters(const struct world *w, int s)
{
	int n = 0;

	for (int r = 0; r < sc->routers; r++)
		n += world_is_awake(w, r) && w->router[r].vr[s].state == VRRP_MASTER;
	return n;
}

/* Not with two owners, who do not listen first; nor with different intervals, as long as a newcomer has not learned the
 * other one's; nor when a group waits for its other segment. */
static bool promises_one_master(void)
{
	return sc->segments == 1 && sc->priority[1] != VRRP_PRIORITY_OWNER && conf[0].advert_us == conf[1].advert_us;
}

static void check_world(const struct world *w)
{
	for (int s = 0; s < sc->segments; s++) {
		for (int r = 0; r < sc->routers; r++) {
			const struct router *router = &w->router[r];

			if (!router->is_up)
				continue;
			if (router->holds[s] != (router->vr[s].state == VRRP_MASTER))
				world_violated(w, "addresses are held exactly by a master");
			if ((router->vr[s].faults != 0) != (router->vr[s].state == VRRP_FAULT))
				world_violated(w, "FAULT exactly with a fault");
			if (router->vr[s].state != router->vr[0].state)
				world_violated(w, "the members of a group share one state");
		}
		if (!w->was_disturbed && w->flights == 0 && promises_one_master() && masters(w, s) > 1)
			world_violated(w, "two masters although nothing was lost");
	}
}

/* Everything goes well from here on: in order, without a loss. */
static void quiet_until(struct world *w, struct mono end)
{
	for (;;) {
		bool fired = false;
		struct mono next;

		while (w->flights > 0)
			world_deliver(w, 0);
		for (int r = 0; r < sc->routers && !fired; r++)
			for (int s = 0; s < sc->segments && !fired; s++)
				if (world_is_due(w, r, s)) {
					world_fire(w, r, s);
					fired = true;
				}
		if (fired)
			continue;
		next = world_next_deadline(w);
		if (!mono_is_set(next) || mono_before(end, next))
			break;
		w->now = next;
	}
	w->now = end;
}

static void check_settled(const struct world *w)
{
	int able = 0;

	for (int r = 0; r < sc->routers; r++)
		able += is_able(w, r);
	for (int s = 0; s < sc->segments; s++) {
		int best = -1;

		if (masters(w, s) != (able > 0 ? 1 : 0))
			world_violated(w, "a quiet segment has exactly one master");
		for (int r = 0; r < sc->routers; r++)
			if (w->router[r].vr[s].state == VRRP_MASTER)
				best = r;
		for (int r = 0; r < sc->routers && best >= 0; r++) {
			const struct vrrp_vr *vr = &w->router[r].vr[s], *master = &w->router[best].vr[s];

			if (!is_able(w, r) || r == best)
				continue;
			if (conf[r].preempt && !vr->is_held && vr->priority > master->priority)
				world_violated(w, "the master of a quiet segment is the best router");
			if (vr->master.bytes[3] != best + 1)
				world_violated(w, "everybody knows the master of a quiet segment");
		}
	}
}

static uint64_t transitions(const struct world *w)
{
	uint64_t n = 0;

	for (int r = 0; r < sc->routers; r++)
		for (int s = 0; s < sc->segments; s++)
			n += w->router[r].vr[s].became_master;
	return n;
}

/* Two masters of the highest priority that meet, and nothing else going on: the higher address, which is the later
 * router here, must stay. Returns it, or -1 when this is not such a state. */
static int winner_of_tie(const struct world *w)
{
	int best = -1, n = 0;

	if (w->flights > 0 || world_is_pressing(w) || sc->segments > 1)
		return -1;
	for (int r = 0; r < sc->routers; r++) {
		const struct vrrp_vr *vr = &w->router[r].vr[0];

		if (!is_able(w, r))
			return -1;
		if (best >= 0 && vr->priority < w->router[best].vr[0].priority)
			continue;
		if (best < 0 || vr->priority > w->router[best].vr[0].priority)
			n = 0;
		if (vr->state == VRRP_MASTER)
			n++;
		if (vr->state == VRRP_MASTER || n == 0)
			best = r;
	}
	return n > 1 ? best : -1;
}

/* From any state: one election, or the one that follows it, and then nothing changes any more. */
static void check_convergence(const struct world *from)
{
	static struct world w;
	int64_t bound = 0;
	uint64_t before;
	int winner;

	w = *from;
	memset(&w.left, 0, sizeof(w.left));
	for (int r = 0; r < sc->routers; r++) {
		int64_t down = vrrp_down_us(&conf[r], 1, conf[r].advert_us);

		if (w.router[r].is_stalled)
			world_wake(&w, r);
		if (down > bound)
			bound = down;
	}
	winner = winner_of_tie(&w);
	bound = (sc->segments > 1 ? 3 : 1) * bound + sc->preempt_delay_us + US_PER_S;
	if (sc->preempt_delay_us > 0)
		bound *= 2;
	quiet_until(&w, mono_add(w.now, bound));
	check_settled(&w);
	if (winner >= 0 && w.router[winner].vr[0].state != VRRP_MASTER)
		world_violated(&w, "of two equal masters the one with the higher address stays");
	before = transitions(&w);
	quiet_until(&w, mono_add(w.now, bound));
	check_settled(&w);
	if (transitions(&w) != before)
		world_violated(&w, "a quiet segment stays as it is");
}

/* ---- states that were visited ---- */

#define TABLE (1u << 23)
static uint64_t *table;
static uint32_t visited;

static uint64_t mix(uint64_t hash, int64_t value)
{
	hash ^= (uint64_t)value + 0x9e3779b97f4a7c15ULL + (hash << 6) + (hash >> 2);
	hash *= 0xff51afd7ed558ccdULL;
	return hash ^ hash >> 32;
}

/* Longer sleep makes no difference. */
#define SLEEP_US (10 * US_PER_S)

/* A time counts as far as it can still matter. */
static uint64_t mix_age(uint64_t hash, const struct world *w, struct mono t, int64_t matters_us)
{
	int64_t age = mono_diff_us(w->now, t);

	return mix(hash, !mono_is_set(t) || age > matters_us ? -1 : age);
}

static uint64_t mix_vr(uint64_t hash, const struct world *w, int r, int s)
{
	const struct vrrp_vr *vr = &w->router[r].vr[s];
	int64_t left = mono_diff_us(vr->deadline, w->now);

	hash = mix(hash, vr->state | vr->priority << 4 | vr->faults << 12 | (uint32_t)vr->is_ready << 30 |
				 (uint32_t)vr->is_held << 31);
	hash = mix(hash, mono_is_set(vr->deadline) ? (left > -SLEEP_US ? left : -SLEEP_US) : -SLEEP_US - 1);
	hash = mix(hash, vr->master_interval_us | (int64_t)vr->doubts << 40);
	hash = mix(hash, vr->master.bytes[3]);
	hash = mix_age(hash, w, vr->last_sent, vr->state == VRRP_MASTER ? SLEEP_US : -1);
	hash = mix_age(hash, w, vr->listening_from, vr->state == VRRP_MASTER ? 2 * conf[r].advert_us : -1);
	hash = mix_age(hash, w, vr->last_reaction, conf[r].advert_us / 4);
	return mix_age(hash, w, vr->preempt_from, sc->preempt_delay_us);
}

static uint64_t hash_world(const struct world *w)
{
	uint64_t hash = 1, flights = 0;

	for (int r = 0; r < sc->routers; r++) {
		const struct router *router = &w->router[r];

		hash = mix(hash,
			router->is_up | router->is_stalled << 1 | router->has_past << 2 | router->is_lowered << 3);
		for (int s = 0; s < sc->segments; s++) {
			hash = mix_vr(hash, w, r, s);
			hash = mix(hash, router->holds[s]);
			hash = mix(hash, router->past[s].state);
			hash = mix_age(hash, w, router->past[s].last_sent, 4 * conf[r].advert_us);
			hash = mix(hash, router->past[s].master_interval_us);
		}
	}
	/* in flight: a set, its order does not matter */
	for (uint32_t i = 0; i < w->flights; i++) {
		const struct flight *f = &w->flight[i];

		flights += mix(7, f->from | f->to << 2 | f->segment << 4 | f->priority << 5 | f->is_delayed << 13);
	}
	hash = mix(hash, (int64_t)flights);
	for (size_t i = 0; i < sizeof(w->left); i++)
		hash = mix(hash, ((const uint8_t *)&w->left)[i]);
	hash = mix(hash, w->was_disturbed);
	return hash ? hash : 1;
}

/* True when the state is new. */
static bool visit(const struct world *w)
{
	uint64_t hash = hash_world(w);
	uint32_t at = (uint32_t)(hash >> 20) % TABLE;

	while (table[at] != 0) {
		if (table[at] == hash)
			return false;
		at = (at + 1) % TABLE;
	}
	table[at] = hash;
	visited++;
	return true;
}

/* ---- the search ---- */

struct frame {
	struct world world;
	struct move moves[MOVES];
	uint32_t n, at;
};

static void push(struct frame *frame)
{
	check_world(&frame->world);
	check_convergence(&frame->world);
	frame->n = world_moves(&frame->world, frame->moves);
	frame->at = 0;
}

/* Depth first. Returns whether everything reachable was seen within the limit. */
static bool search(const struct world *first, uint32_t limit)
{
	static struct frame *stack;
	static uint32_t room;
	uint32_t depth = 1;

	if (!stack)
		stack = malloc((room = 64) * sizeof(*stack));
	stack[0].world = *first;
	visit(first);
	path_length = 0;
	push(&stack[0]);
	while (depth > 0 && visited < limit) {
		struct frame *top = &stack[depth - 1];

		if (top->at == top->n) {
			depth--;
			path_length = depth ? depth - 1 : 0;
			continue;
		}
		if (depth == room)
			stack = realloc(stack, (room *= 2) * sizeof(*stack));
		top = &stack[depth - 1];
		if (depth == DEPTH)
			world_violated(&top->world, "a path without end");
		stack[depth].world = top->world;
		path[depth - 1] = top->moves[top->at++];
		path_length = depth;
		world_apply(&stack[depth].world, &path[depth - 1]);
		if (!visit(&stack[depth].world)) {
			path_length = depth - 1;
			continue;
		}
		push(&stack[depth++]);
	}
	return depth == 0;
}

static void configure(void)
{
	memset(conf, 0, sizeof(conf));
	for (int r = 0; r < sc->routers; r++) {
		conf[r].version = sc->version;
		conf[r].family = AF_INET;
		conf[r].vrid = 1;
		conf[r].priority = sc->priority[r];
		conf[r].preempt = !sc->nopreempt[r];
		conf[r].preempt_delay_us = sc->preempt_delay_us;
		conf[r].advert_us = sc->advert_us[r] ? sc->advert_us[r] : US_PER_S;
		conf[r].down_timer_adverts = 3;
		conf[r].group = sc->segments > 1 ? 0 : CONF_NONE;
	}
}

static bool run(const struct scenario *scenario, uint32_t limit)
{
	static struct world w;
	bool is_complete;

	sc = scenario;
	configure();
	memset(table, 0, TABLE * sizeof(*table));
	memset(&w, 0, sizeof(w));
	visited = 0;
	w.now = (struct mono){1000 * US_PER_S};
	w.left = sc->budget;
	path_length = 0;
	for (int r = 0; r < sc->routers; r++)
		world_start(&w, r);
	is_complete = search(&w, limit);
	printf("%-34s %8u states%s\n", sc->name, visited, is_complete ? "" : " (limit; not all)");
	fflush(stdout);
	return is_complete;
}

static const struct scenario scenarios[] = {
#include "scenarios.h"
};

/* Argument: how many states of each scenario at most; 0: all that fit the table. */
int main(int argc, char **argv)
{
	uint32_t limit = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : usual_limit;
	int incomplete = 0;

	table = malloc(TABLE * sizeof(*table));
	if (!table)
		return EXIT_FAILURE;
	if (limit == 0 || limit > TABLE / 2)
		limit = TABLE / 2;
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(*scenarios); i++)
		incomplete += !run(&scenarios[i], limit);
	printf("no violation; at most %u actions in a step; %d scenarios cut short\n", busiest, incomplete);
	free(table);
	return EXIT_SUCCESS;
}
