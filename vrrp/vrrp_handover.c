/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mastership handed over or taken back because somebody asked: which instances move, and what came of it in words. Runs
 * in the vrrp process; the state machines decide how (vrrp_leave.c). Waits for nobody: the answer goes out when the
 * last one of them has a successor, or has found none. */
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

	for (uint32_t i = 0; i < set->conf->n_instances; i++) {
		if (is_chosen(set->conf, order->instance, i))
			judge(&outcome, &set->instances[i], order);
	}
	if (outcome.moved + outcome.stayed + outcome.other > NAMED_AT_MOST)
		snprintf(outcome.named, sizeof(outcome.named),
			"%u instances %s, %u stayed, %u had nothing to do: see poisectl status", outcome.moved,
			order->back ? "taken back" : "handed over", outcome.stayed, outcome.other);
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

	if (!order->is_open || process->groups_rest)
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
	process->handover.is_open = false;
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
	process->handover = (struct vrrp_handover){
		.is_open = true, .back = m->back != 0, .request = m->request, .instance = m->instance};
	process->groups_rest = true;
	for (uint32_t i = 0; i < set->conf->n_instances; i++) {
		struct vrrp_event event = {.kind = m->back ? VRRP_EVENT_TAKE_BACK : VRRP_EVENT_HANDOVER};

		if (!is_chosen(set->conf, m->instance, i))
			continue;
		set->instances[i].handover_from = set->instances[i].vr.state;
		vrrp_instance_step(&set->instances[i], &event);
	}
	process->groups_rest = false;
	for (uint32_t g = 0; g < set->conf->n_groups; g++)
		vrrp_instance_settle_group(process, &set->groups[g]);
	vrrp_handover_look(process);
}
