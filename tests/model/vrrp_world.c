/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can happen in the world of the model, and what each step of a machine must not do. */
#include "vrrp_world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const move_names[] = {"deliver", "lose", "delay", "timer", "advance", "pause", "crash", "reboot",
	"stop", "restart", "stall", "wake", "fault", "priority"};

const struct scenario *sc;
struct conf_instance conf[ROUTERS];
struct move path[DEPTH];
uint32_t path_length, busiest;

/* ---- reporting ---- */

static const char *who(int r, int s)
{
	static char text[32];

	snprintf(text, sizeof(text), "R%d%s", r + 1, sc->segments > 1 ? (s ? "b" : "a") : "");
	return text;
}

static void print_world(const struct world *w)
{
	for (int r = 0; r < sc->routers; r++)
		for (int s = 0; s < sc->segments; s++) {
			const struct vrrp_vr *vr = &w->router[r].vr[s];
			char why[WHY_SIZE];

			printf("  %s %s%s %s priority %u deadline %+lld us%s (%s)\n", who(r, s),
				w->router[r].is_up ? "up" : "dead", w->router[r].is_stalled ? " asleep" : "",
				vrrp_state_name(vr->state), vr->priority,
				(long long)(mono_is_set(vr->deadline) ? mono_diff_us(vr->deadline, w->now) : 0),
				vr->is_ready ? " ready" : "", vrrp_why(&vr->cause, why, sizeof(why)));
		}
}

void __attribute__((noreturn)) world_violated(const struct world *w, const char *what)
{
	printf("%s: VIOLATED: %s\n", sc->name, what);
	for (uint32_t i = 0; i < path_length; i++)
		printf(" %s(%u,%u)", move_names[path[i].kind], path[i].a, path[i].b);
	printf("\n");
	print_world(w);
	exit(EXIT_FAILURE);
}

/* ---- one step of one machine ---- */

static struct addr address_of(int r)
{
	struct addr a = {.family = AF_INET, .bytes = {192, 0, 2, (uint8_t)(r + 1)}};

	return a;
}

static void put_in_flight(struct world *w, int r, int s, uint32_t priority)
{
	for (int to = 0; to < sc->routers; to++) {
		/* A sleeper is deaf: the worst case, a machine that stands still with its network interface. */
		if (to == r || !w->router[to].is_up || w->router[to].is_stalled)
			continue;
		if (w->flights == FLIGHTS)
			world_violated(w, "a storm of advertisements");
		w->flight[w->flights++] =
			(struct flight){(uint8_t)r, (uint8_t)to, (uint8_t)s, (uint8_t)priority, false};
	}
}

/* A master that was silent until every successor must have spoken looks for one before it goes on. */
static void check_speech(const struct world *w, int r, const struct vrrp_vr *before, const struct vrrp_action *a)
{
	struct mono awake =
		mono_before(before->last_sent, before->listening_from) ? before->listening_from : before->last_sent;

	if (before->state == VRRP_MASTER && before->priority != VRRP_PRIORITY_OWNER && a->priority > 0 &&
		mono_diff_us(w->now, awake) >= before->patience_us + conf[r].advert_us)
		world_violated(w, "a master spoke after a long silence");
}

static void check_timer(const struct world *w, int r, int s)
{
	const struct vrrp_vr *vr = &w->router[r].vr[s];
	bool runs = vr->state == VRRP_BACKUP || vr->state == VRRP_MASTER;
	int64_t left = mono_diff_us(vr->deadline, w->now), longest = 0;

	if (mono_is_set(vr->deadline) != runs)
		world_violated(w, "a timer runs exactly in BACKUP and MASTER");
	for (int i = 0; i < sc->routers; i++)
		if (conf[i].advert_us > longest)
			longest = conf[i].advert_us;
	if (runs && (left < 0 || left > 3 * longest + (longest > US_PER_S ? longest : US_PER_S)))
		world_violated(w, "a deadline lies in the past or too far away");
	if (vr->state == VRRP_MASTER && left > conf[r].advert_us)
		world_violated(w, "a master is silent for longer than its interval");
}

static void step(struct world *w, int r, int s, struct vrrp_event *ev)
{
	struct router *router = &w->router[r];
	struct vrrp_vr before = router->vr[s];
	struct vrrp_actions out;

	ev->now = w->now;
	out = vrrp_fsm(&conf[r], &router->vr[s], ev);
	if (out.n > busiest)
		busiest = out.n;
	if (out.n >= VRRP_ACTIONS_MAX - 1)
		world_violated(w, "too many actions in one step");
	for (uint32_t i = 0; i < out.n; i++) {
		const struct vrrp_action *a = &out.list[i];

		if (a->kind == VRRP_ACTION_SEND) {
			check_speech(w, r, &before, a);
			put_in_flight(w, r, s, a->priority);
		} else if (a->kind == VRRP_ACTION_ACQUIRE) {
			router->holds[s] = true;
		} else if (a->kind == VRRP_ACTION_RELEASE) {
			router->holds[s] = false;
		}
	}
	check_timer(w, r, s);
}

/* The sync group of a router, as the vrrp role settles it. */
static void settle(struct world *w, int r)
{
	const struct vrrp_vr *members[SEGMENTS];
	uint32_t n = sc->segments;

	for (uint32_t i = 0; i < n; i++)
		members[i] = &w->router[r].vr[i];
	for (int round = 0; n > 1; round++) {
		struct vrrp_group_verdict verdict = vrrp_group_decide(members, n);
		struct vrrp_event events[SEGMENTS];
		bool is_for[SEGMENTS];

		if (verdict.order == VRRP_GROUP_STAY)
			break;
		if (round > 2)
			world_violated(w, "a sync group does not settle");
		for (uint32_t i = 0; i < n; i++)
			is_for[i] = vrrp_group_event(&verdict, members, n, i, w->now, "G", "M", &events[i]);
		for (uint32_t i = 0; i < n; i++)
			if (is_for[i])
				step(w, r, (int)i, &events[i]);
	}
}

static void step_all(struct world *w, int r, struct vrrp_event *ev)
{
	for (int s = 0; s < sc->segments; s++)
		step(w, r, s, ev);
	settle(w, r);
}

/* ---- moves ---- */

void world_start(struct world *w, int r)
{
	struct router *router = &w->router[r];

	router->is_up = true;
	for (int s = 0; s < sc->segments; s++) {
		struct vrrp_event ev = {.kind = router->has_past ? VRRP_EVENT_RESUME : VRRP_EVENT_START};

		memset(&router->vr[s], 0, sizeof(router->vr[s]));
		router->vr[s].priority = sc->priority[r];
		ev.source = address_of(r);
		ev.past = router->past[s];
		step(w, r, s, &ev);
	}
	router->has_past = router->is_lowered = false;
	memset(router->past, 0, sizeof(router->past));
	settle(w, r);
}

/* The process dies. Its board survives, and so do its addresses, until it comes back; a reboot leaves nothing. */
static void die(struct world *w, int r, bool is_reboot)
{
	struct router *router = &w->router[r];
	uint32_t kept = 0;

	for (int s = 0; s < sc->segments; s++) {
		const struct vrrp_vr *vr = &router->vr[s];

		router->past[s] = (struct vrrp_past){
			vr->state, vr->last_sent, vr->master, vr->master_priority, vr->master_interval_us, 0, 0};
		memset(&router->vr[s], 0, sizeof(router->vr[s]));
		if (is_reboot)
			router->holds[s] = false;
	}
	router->has_past = !is_reboot;
	if (is_reboot)
		memset(router->past, 0, sizeof(router->past));
	router->is_up = router->is_stalled = router->is_lowered = false;
	for (uint32_t i = 0; i < w->flights; i++)
		if (w->flight[i].to != r)
			w->flight[kept++] = w->flight[i];
	w->flights = kept;
}

static struct flight take(struct world *w, uint32_t i)
{
	struct flight f = w->flight[i];

	memmove(&w->flight[i], &w->flight[i + 1], (w->flights - i - 1) * sizeof(f));
	w->flights--;
	return f;
}

void world_deliver(struct world *w, uint32_t i)
{
	struct flight f = take(w, i);
	struct vrrp_event ev = {.kind = VRRP_EVENT_ADVERT};

	ev.advert_source = address_of(f.from);
	ev.advert_priority = f.priority;
	ev.advert_interval_us = conf[f.from].advert_us;
	step(w, f.to, f.segment, &ev);
	settle(w, f.to);
}

void world_fire(struct world *w, int r, int s)
{
	struct vrrp_event ev = {.kind = VRRP_EVENT_TIMER};

	step(w, r, s, &ev);
	settle(w, r);
}

static void fall_asleep(struct world *w, int r)
{
	uint32_t kept = 0;

	w->router[r].is_stalled = true;
	for (uint32_t i = 0; i < w->flights; i++)
		if (w->flight[i].to != r)
			w->flight[kept++] = w->flight[i];
	w->flights = kept;
}

void world_wake(struct world *w, int r)
{
	w->router[r].is_stalled = false;
	for (int s = 0; s < sc->segments; s++)
		world_fire(w, r, s);
}

static void toggle_fault(struct world *w, int r)
{
	struct vrrp_event ev = {.kind = VRRP_EVENT_FAULTS, .text = "eth0"};

	ev.faults = w->router[r].vr[0].faults & VRRP_FAULTS_OWN ? 0 : VRRP_FAULT_BIT(VRRP_FAULT_NO_CARRIER);
	step(w, r, 0, &ev);
	settle(w, r);
}

static void toggle_priority(struct world *w, int r)
{
	struct vrrp_event ev = {.kind = VRRP_EVENT_PRIORITY};

	w->router[r].is_lowered = !w->router[r].is_lowered;
	ev.priority = w->router[r].is_lowered ? 50 : sc->priority[r];
	step_all(w, r, &ev);
}

/* Connections of a lower master come to be known here, or not any more. */
static void toggle_hold(struct world *w, int r)
{
	struct vrrp_event ev = {.kind = VRRP_EVENT_HOLD, .faults = !w->router[r].vr[0].is_held};

	step_all(w, r, &ev);
}

bool world_is_awake(const struct world *w, int r)
{
	return w->router[r].is_up && !w->router[r].is_stalled;
}

struct mono world_next_deadline(const struct world *w)
{
	struct mono next = MONO_NEVER;

	for (int r = 0; r < sc->routers; r++)
		for (int s = 0; s < sc->segments && world_is_awake(w, r); s++) {
			struct mono at = w->router[r].vr[s].deadline;

			if (mono_is_set(at) && (!mono_is_set(next) || mono_before(at, next)))
				next = at;
		}
	return next;
}

bool world_is_due(const struct world *w, int r, int s)
{
	const struct vrrp_vr *vr = &w->router[r].vr[s];

	return world_is_awake(w, r) && mono_is_set(vr->deadline) && !mono_before(w->now, vr->deadline);
}

bool world_is_pressing(const struct world *w)
{
	for (uint32_t i = 0; i < w->flights; i++)
		if (!w->flight[i].is_delayed)
			return true;
	for (int r = 0; r < sc->routers; r++)
		for (int s = 0; s < sc->segments; s++)
			if (world_is_due(w, r, s))
				return true;
	return false;
}

void world_apply(struct world *w, const struct move *m)
{
	struct vrrp_event stop = {.kind = VRRP_EVENT_STOP};

	switch ((enum move_kind)m->kind) {
	case DELIVER:
		world_deliver(w, m->a);
		break;
	case LOSE:
		take(w, m->a);
		w->left.losses--;
		w->was_disturbed = true;
		break;
	case DELAY:
		w->flight[m->a].is_delayed = true;
		w->left.delays--;
		w->was_disturbed = true;
		break;
	case FIRE:
		world_fire(w, m->a, m->b);
		break;
	case ADVANCE:
		w->now = world_next_deadline(w);
		break;
	case PAUSE:
		w->now.us += mono_diff_us(world_next_deadline(w), w->now) / 2;
		w->left.pauses--;
		break;
	case CRASH:
		/* In the middle of an election what it does not hear counts as lost. */
		w->was_disturbed |= world_is_pressing(w);
		die(w, m->a, false);
		w->left.crashes--;
		break;
	case REBOOT:
		die(w, m->a, true);
		w->left.reboots--;
		break;
	case STOP:
		step_all(w, m->a, &stop);
		die(w, m->a, true);
		w->left.stops--;
		break;
	case RESTART:
		world_start(w, m->a);
		break;
	case STALL:
		fall_asleep(w, m->a);
		w->left.stalls--;
		w->was_disturbed = true;
		break;
	case WAKE:
		world_wake(w, m->a);
		break;
	case FAULT:
		toggle_fault(w, m->a);
		w->left.faults--;
		break;
	case PRIORITY:
		toggle_priority(w, m->a);
		w->left.priorities--;
		break;
	case HOLD:
		toggle_hold(w, m->a);
		w->left.holds--;
		break;
	}
}

/* ---- what can happen next ---- */

static uint32_t router_moves(const struct world *w, int r, struct move *out)
{
	const struct router *router = &w->router[r];
	const struct budget *left = &w->left;
	uint32_t n = 0;
	uint8_t a = (uint8_t)r;

	if (!router->is_up) {
		out[n++] = (struct move){RESTART, a, 0};
		return n;
	}
	if (router->is_stalled) {
		out[n++] = (struct move){WAKE, a, 0};
		return n;
	}
	for (int s = 0; s < sc->segments; s++)
		if (world_is_due(w, r, s))
			out[n++] = (struct move){FIRE, a, (uint8_t)s};
	if (left->crashes > 0)
		out[n++] = (struct move){CRASH, a, 0};
	if (left->reboots > 0)
		out[n++] = (struct move){REBOOT, a, 0};
	if (left->stops > 0)
		out[n++] = (struct move){STOP, a, 0};
	if (left->stalls > 0)
		out[n++] = (struct move){STALL, a, 0};
	if (left->faults > 0)
		out[n++] = (struct move){FAULT, a, 0};
	if (left->priorities > 0 && sc->priority[r] != VRRP_PRIORITY_OWNER)
		out[n++] = (struct move){PRIORITY, a, 0};
	if (left->holds > 0)
		out[n++] = (struct move){HOLD, a, 0};
	return n;
}

uint32_t world_moves(const struct world *w, struct move *out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->flights; i++) {
		out[n++] = (struct move){DELIVER, (uint8_t)i, 0};
		if (w->left.losses > 0)
			out[n++] = (struct move){LOSE, (uint8_t)i, 0};
		if (w->left.delays > 0 && !w->flight[i].is_delayed)
			out[n++] = (struct move){DELAY, (uint8_t)i, 0};
	}
	for (int r = 0; r < sc->routers; r++)
		n += router_moves(w, r, out + n);
	if (world_is_pressing(w) || !mono_is_set(world_next_deadline(w)))
		return n;
	out[n++] = (struct move){ADVANCE, 0, 0};
	if (w->left.pauses > 0)
		out[n++] = (struct move){PAUSE, 0, 0};
	return n;
}
