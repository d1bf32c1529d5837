/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a table that the parent hands over would do, told to who asked: a client's job, or the parent itself for a
 * signal. Runs in the control process; it decides nothing. */
#include "control_weigh.h"

#include "control_plan.h"
#include "log.h"
#include <stdlib.h>

/* Less than the parent waits, which then goes on without knowing. */
#define SETTLE_US US_PER_S
#define SETTLE_STEP_US (20 * US_PER_MS)

struct waiting_table {
	struct waiting_table *next;
	struct msg_candidate message;
	struct conf *to;
	struct mono since;
};

static void tell_parent(struct weigher *weigher, const struct waiting_table *w, const struct status_source *now)
{
	struct msg_weighed answer = {.generation = w->message.request};
	struct plan plan;

	plan_make(&plan, now, w->to);
	answer.cuts = plan_verdict(&plan) == PLAN_CUTS;
	if (answer.cuts)
		plan_summary(&plan, answer.text, sizeof(answer.text));
	plan_free(&plan);
	if (msg_send_weighed(&weigher->admin->process->parent, &answer, -1) < 0)
		log_warning("control: the parent takes no message: it will not know what the reload would cut");
}

/* Everything that can be judged by now. */
static void look(struct weigher *weigher)
{
	struct administration *admin = weigher->admin;
	struct status_source now = {.conf = admin->conf, .boards = admin->process->boards};
	struct waiting_table *w;

	while ((w = weigher->waiting)) {
		if (!status_is_settled(&now) && mono_diff_us(mono_now(), w->since) < SETTLE_US) {
			loop_timer_set(admin->process->loop, &weigher->timer, mono_add(mono_now(), SETTLE_STEP_US));
			return;
		}
		weigher->waiting = w->next;
		if (!w->message.weigh) {
			admin_candidate(admin, &w->message, w->to);
		} else {
			if (now.conf && w->to)
				tell_parent(weigher, w, &now);
			conf_close(w->to);
		}
		free(w);
	}
}

static void on_timer(struct timer *timer, void *arg)
{
	(void)timer;
	look(arg);
}

void weigher_take(struct weigher *weigher, const struct msg_candidate *m, struct conf *to)
{
	struct waiting_table *w = malloc(sizeof(*w));
	struct waiting_table **end = &weigher->waiting;

	if (!w) {
		conf_close(to);
		return;
	}
	*w = (struct waiting_table){.message = *m, .to = to, .since = mono_now()};
	while (*end)
		end = &(*end)->next;
	*end = w;
	weigher->timer.fire = on_timer;
	weigher->timer.arg = weigher;
	look(weigher);
}

void weigher_free(struct weigher *weigher)
{
	struct waiting_table *w;

	loop_timer_cancel(weigher->admin->process->loop, &weigher->timer);
	while ((w = weigher->waiting)) {
		weigher->waiting = w->next;
		conf_close(w->to);
		free(w);
	}
}
