/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are brought into use for a while: what is gone back to when nobody confirms, and the table that was read
 * for a plan and may be brought into use next. Runs in the parent; it keeps tables, so that going back needs no file.
 */
#include "parent.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TRY_AGAIN_US (200 * US_PER_MS)

static void forget_before(struct parent *p)
{
	struct confirmation *c = &p->confirmation;

	loop_timer_cancel(p->loop, &c->timer);
	conf_close(c->before);
	c->before = NULL;
	p->daemon.confirm_until_real_us = 0;
}

static void on_unconfirmed(struct timer *timer, void *arg)
{
	struct parent *p = arg;
	struct reload_order order = {.goal = RELOAD_BACK};
	struct event event = {.kind = EVENT_COMMAND};

	snprintf(order.file, sizeof(order.file), "%s", p->confirmation.file_before);
	if (reload_begin(p, &order) < 0) {
		loop_timer_set(p->loop, timer, mono_add(mono_now(), TRY_AGAIN_US));
		return;
	}
	snprintf(event.why, sizeof(event.why), "not confirmed in time: going back to %.120s",
		order.file[0] ? order.file : p->options.config_file);
	snprintf(event.name, sizeof(event.name), "%.63s", p->daemon.applied_file);
	parent_event(p, &event);
	log_warning("configuration: %s was %s", p->daemon.applied_file, event.why);
}

/* Nobody has confirmed the file before this one yet, if there is one: that is still where it would go back to. */
static void await_confirmation(struct parent *p, const struct reload_order *order, struct conf *old_base)
{
	struct confirmation *c = &p->confirmation;

	if (c->before) {
		conf_close(old_base);
	} else {
		c->before = old_base;
		snprintf(c->file_before, sizeof(c->file_before), "%s", p->daemon.applied_file);
	}
	c->timer.fire = on_unconfirmed;
	c->timer.arg = p;
	loop_timer_set(p->loop, &c->timer, mono_add(mono_now(), order->confirm_us));
	p->daemon.confirm_until_real_us = real_now_us() + order->confirm_us;
}

void apply_committed(struct parent *p, const struct reload_order *order, struct conf *old_base)
{
	struct confirmation *c = &p->confirmation;

	switch (order->goal) {
	case RELOAD_APPLY:
		if (order->confirm_us > 0 && old_base) {
			await_confirmation(p, order, old_base);
		} else {
			forget_before(p);
			conf_close(old_base);
		}
		snprintf(p->daemon.applied_file, sizeof(p->daemon.applied_file), "%s", order->file);
		return;
	case RELOAD_BACK:
		snprintf(p->daemon.applied_file, sizeof(p->daemon.applied_file), "%s", c->file_before);
		c->before = NULL; /* it is in use */
		forget_before(p);
		conf_close(old_base);
		return;
	case RELOAD_FILE:
		forget_before(p);
		p->daemon.applied_file[0] = '\0';
		conf_close(old_base);
		return;
	case RELOAD_POOL:
	case RELOAD_PLAN:
		return;
	}
}

void apply_confirm(struct parent *p, const struct msg_command *m, const char *who)
{
	struct event event = {.kind = EVENT_COMMAND, .to = 1, .name = "confirm"};

	if (!p->confirmation.before) {
		admin_answer(p, m->request, MSG_STATUS_REFUSED,
			"nothing waits to be confirmed: either the time was over, or the file was applied to stay");
		return;
	}
	forget_before(p);
	parent_store(p, PARENT_TABLE_DAEMON, 0, &p->daemon, sizeof(p->daemon));
	log_info("configuration: %s confirmed by %s", p->daemon.applied_file, who);
	snprintf(event.why, sizeof(event.why), "by %s: %.60s stays", who, p->daemon.applied_file);
	parent_event(p, &event);
	admin_answer(p, m->request, MSG_STATUS_OK, "%s stays in use until the next reload or restart",
		p->daemon.applied_file);
}

void apply_keep_candidate(struct parent *p, struct conf *base, const struct reload *r)
{
	struct candidate *c = &p->candidate;

	conf_close(c->base);
	c->base = base;
	c->request = r->order.request;
	snprintf(c->file, sizeof(c->file), "%s", r->order.file);
}

struct conf *apply_take_candidate(struct parent *p, const struct reload_order *order)
{
	struct candidate *c = &p->candidate;
	struct conf *base = c->base;

	if (!base || !order->request || c->request != order->request || strcmp(c->file, order->file) != 0)
		return NULL;
	c->base = NULL;
	return base;
}

void apply_free(struct parent *p)
{
	conf_close(p->candidate.base);
	conf_close(p->confirmation.before);
}
