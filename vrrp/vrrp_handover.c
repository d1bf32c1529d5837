/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mastership handed over or taken back because somebody asked: which instances move, and what came of it in words. Runs
 * in the vrrp process; the state machines decide how (vrrp_leave.c). Waits for nobody: the answer goes out when the
 * last one of them has a successor, or has found none. */
#include "vrrp_hold.h"
#include "vrrp_process.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAMED_AT_MOST 4 /* in an answer; of more only the numbers are told */

static void answer(struct vrrp_process *process, uint64_t request, enum msg_status status, const char *text)
{
	struct msg_answer m = {.request = request, .status = status};

	snprintf(m.text, sizeof(m.text), "%s", text);
	if (msg_send_answer(&process->role->parent, &m, -1) < 0)
		log_warning("vrrp: an answer about a handover was lost: %s", text);
}

/* Instances of a sync group move together. */
static bool is_chosen(const struct conf *conf, uint32_t wanted, uint32_t i)
{
	if (wanted == UINT32_MAX || wanted == i)
		return true;
	return conf->instances[i].group != CONF_NONE && conf->instances[i].group == conf->instances[wanted].group;
}

static bool is_moving(const struct vrrp_instance *instance, const struct vrrp_handover *order)
{
	if (!order->back)
		return instance->vr.leaving != VRRP_STAYING;
	return instance->vr.is_taking_back && instance->vr.state == VRRP_BACKUP;
}

struct outcome {
	uint32_t moved, stayed, other; /* other: had nothing to give, or nothing to take */
	char named[400];
	size_t used;
};

static void __attribute__((format(printf, 2, 3))) name_it(struct outcome *outcome, const char *fmt, ...)
{
	va_list args;
	int n;

	if (outcome->used >= sizeof(outcome->named))
		return;
	va_start(args, fmt);
	n = vsnprintf(outcome->named + outcome->used, sizeof(outcome->named) - outcome->used, fmt, args);
	va_end(args);
	outcome->used += n > 0 ? (size_t)n : 0;
}

static void judge(struct outcome *outcome, const struct vrrp_instance *instance, const struct vrrp_handover *order)
{
	uint32_t wanted_state = order->back ? VRRP_MASTER : VRRP_BACKUP;
	const char *gap = outcome->used ? "; " : "";
	char why[WHY_SIZE], who[ADDR_TEXT] = "nobody";
	bool could = instance->handover_from == (order->back ? VRRP_BACKUP : VRRP_MASTER);

	vrrp_why(&instance->vr.cause, why, sizeof(why));
	if (addr_is_set(&instance->vr.master))
		addr_format(&instance->vr.master, who);
	if (could && instance->vr.state == wanted_state) {
		outcome->moved++;
		name_it(outcome, "%s%s: %s", gap, instance->name, why);
	} else if (!could) {
		outcome->other++;
		name_it(outcome, "%s%s: nothing to do, %s is master", gap, instance->name, who);
	} else if (order->back && instance->vr.master_priority < instance->vr.priority) {
		outcome->stayed++;
		name_it(outcome, "%s%s: not taken back, others of its sync group cannot be master", gap,
			instance->name);
	} else if (order->back) {
		outcome->stayed++;
		name_it(outcome, "%s%s: not taken back, %s has priority %u and we have %u", gap, instance->name, who,
			instance->vr.master_priority, instance->vr.priority);
	} else {
		outcome->stayed++;
		name_it(outcome, "%s%s: nobody took over, still served here", gap, instance->name);
	}
}

static void finish(struct vrrp_process *process, struct vrrp_handover *order)
{
	const struct vrrp_set *set = process->set;
	struct outcome outcome = {0};
	enum msg_status status;

	if (order->coverage[0])
		name_it(&outcome, "%s", order->coverage);
	for (uint32_t i = 0; i < set->conf->n_instances; i++) {
		if (is_chosen(set->conf, order->instance, i))
			judge(&outcome, &set->instances[i], order);
	}
	if (outcome.moved + outcome.stayed + outcome.other > NAMED_AT_MOST)
		snprintf(outcome.named, sizeof(outcome.named),
			"%s%s%u instances %s, %u stayed, %u had nothing to do: see poisectl status", order->coverage,
			order->coverage[0] ? "; " : "", outcome.moved, order->back ? "taken back" : "handed over",
			outcome.stayed, outcome.other);
	if (outcome.moved + outcome.stayed + outcome.other == 0)
		snprintf(outcome.named, sizeof(outcome.named), "there is no vrrp_instance");
	status = outcome.moved > 0 && outcome.stayed == 0 ? MSG_STATUS_OK : MSG_STATUS_REFUSED;
	log_info("vrrp: %s: %s", order->back ? "taken back" : "handover", outcome.named);
	answer(process, order->request, status, outcome.named);
	order->is_open = false;
}

void vrrp_handover_look(struct vrrp_process *process)
{
	struct vrrp_handover *order = &process->handover;
	bool is_any_moving = false;

	if (!order->is_open || order->is_waiting || process->groups_rest)
		return;
	for (uint32_t i = 0; i < process->set->conf->n_instances && !is_any_moving; i++)
		is_any_moving = is_chosen(process->set->conf, order->instance, i) &&
				is_moving(&process->set->instances[i], order);
	if (!is_any_moving)
		finish(process, order);
}

void vrrp_handover_abandon(struct vrrp_process *process, const char *why)
{
	if (process->handover.is_open)
		answer(process, process->handover.request, MSG_STATUS_REFUSED, why);
	process->handover.is_open = process->handover.is_waiting = false;
}

static void begin(struct vrrp_process *process)
{
	struct vrrp_set *set = process->set;
	struct vrrp_handover *order = &process->handover;

	process->groups_rest = true;
	for (uint32_t i = 0; i < set->conf->n_instances; i++) {
		struct vrrp_event event = {.kind = order->back ? VRRP_EVENT_TAKE_BACK : VRRP_EVENT_HANDOVER};

		if (!is_chosen(set->conf, order->instance, i))
			continue;
		set->instances[i].handover_from = set->instances[i].vr.state;
		vrrp_instance_step(&set->instances[i], &event);
	}
	process->groups_rest = false;
	for (uint32_t g = 0; g < set->conf->n_groups; g++)
		vrrp_instance_settle_group(process, &set->groups[g]);
	vrrp_handover_look(process);
}

/* ---- what the successor holds ---- */

static struct vrrp_hold look_at_coverage(const struct vrrp_process *process, bool back, struct mono asked)
{
	const struct board *pair_board = process->role->boards[ROLE_PAIR], *ipvs = process->role->boards[ROLE_IPVS];
	struct status_pair pair;
	struct status_sync sync;
	bool known = pair_board && board_load(pair_board, PAIR_TABLE_PEER, 0, &pair, sizeof(pair)) == 0;
	bool syncs = ipvs && board_load(ipvs, IPVS_TABLE_SYNC, 0, &sync, sizeof(sync)) == 0 && sync.is_ready;

	return vrrp_hold_handover(process->set->conf->global, back, syncs, asked, known ? &pair : NULL, mono_now());
}

/* The records say whether the connections are wished to be sent. */
static void publish_wish(struct vrrp_process *process)
{
	for (uint32_t i = 0; i < process->set->conf->n_instances; i++)
		if (is_chosen(process->set->conf, process->handover.instance, i))
			vrrp_report_instance(&process->set->instances[i], true);
}

uint64_t vrrp_handover_wish(const struct vrrp_process *process, uint32_t instance)
{
	const struct vrrp_handover *order = &process->handover;

	if (!order->is_waiting || !is_chosen(process->set->conf, order->instance, instance))
		return 0;
	return (uint64_t)order->asked.us;
}

/* Something moves when the order is carried out; an order without effect waits for nothing. */
static bool has_anything_to_move(const struct vrrp_process *process)
{
	const struct vrrp_handover *order = &process->handover;
	uint32_t from = order->back ? VRRP_BACKUP : VRRP_MASTER;

	for (uint32_t i = 0; i < process->set->conf->n_instances; i++)
		if (is_chosen(process->set->conf, order->instance, i) && process->set->instances[i].vr.state == from)
			return true;
	return false;
}

void vrrp_handover_consider(struct vrrp_process *process)
{
	struct vrrp_handover *order = &process->handover;
	struct vrrp_hold hold;

	if (!order->is_open || !order->is_waiting)
		return;
	hold = look_at_coverage(process, order->back, order->asked);
	if (hold.is_held && has_anything_to_move(process)) {
		if (!process->hold_due.slot || mono_before(hold.look_again, process->hold_due.at))
			loop_timer_set(process->role->loop, &process->hold_due, hold.look_again);
		return;
	}
	memcpy(order->coverage, hold.text, sizeof(order->coverage));
	order->is_waiting = false;
	publish_wish(process);
	begin(process);
}

void vrrp_handover_warn(const struct vrrp_process *process)
{
	struct vrrp_hold hold = look_at_coverage(process, false, mono_now());

	for (uint32_t i = 0; hold.is_held && i < process->set->conf->n_instances; i++) {
		if (process->set->instances[i].vr.state != VRRP_MASTER)
			continue;
		log_warning("vrrp: stopping as master, though %s", hold.text);
		return;
	}
}

void vrrp_handover_on_message(void *ctx, const struct msg_handover *m, int fd)
{
	struct vrrp_process *process = ((struct role_process *)ctx)->ctx;
	struct vrrp_set *set = process->set;

	(void)fd;
	if (process->handover.is_open) {
		answer(process, m->request, MSG_STATUS_BUSY, "another handover is under way");
		return;
	}
	if (!set || set->conf->generation != m->generation ||
		(m->instance != UINT32_MAX && m->instance >= set->conf->n_instances)) {
		answer(process, m->request, MSG_STATUS_STALE, "the configuration has changed meanwhile: try again");
		return;
	}
	process->handover = (struct vrrp_handover){.is_open = true,
		.is_waiting = true,
		.back = m->back != 0,
		.request = m->request,
		.instance = m->instance,
		.asked = mono_now()};
	vrrp_handover_consider(process);
	if (!process->handover.is_waiting)
		return;
	log_info("vrrp: the handover waits until the successor holds the connections, which are sent again");
	publish_wish(process);
}
