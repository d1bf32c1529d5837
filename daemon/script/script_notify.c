/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts notification scripts and watches their time; part of the script process. What a script does or answers changes
 * nothing here: it is told, not asked. */
#include "script_notify.h"

#include "log.h"
#include "script_queue.h"
#include "script_spawn.h"
#include "script_words.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A notification that another one waits for may take so long; one that nobody waits for, longer. */
#define AWAITED_LIMIT_US (60 * US_PER_S)
#define LIMIT_US (600 * US_PER_S)
#define GRACE_US (2 * US_PER_S)
/* Messages about a generation that this process does not have yet: a few for each instance of a large configuration. */
#define EARLY_MAX 65536

/* A generation, mapped for ourselves, as long as a notification of it waits or runs. */
struct view {
	struct conf *conf;
	unsigned users;
};

struct notification {
	struct script_notifies *notifies;
	struct queue_entry entry;
	struct view *view;
	const struct conf_notify *notify;
	struct msg_notify message;
	struct spawn spawn;
	struct timer limit;
	struct mono started;
	bool is_late;
};

struct script_notifies {
	struct role_process *process;
	struct queue queue;
	struct view *current, *previous;
	struct msg_notify *early;
	unsigned n_early, early_room;
	struct timer settle;
	void (*settled)(void *arg);
	void *settled_arg;
};

static void release(struct view *view)
{
	if (!view || --view->users > 0)
		return;
	conf_close(view->conf);
	free(view);
}

static struct view *view_new(const struct conf *conf)
{
	struct view *view = calloc(1, sizeof(*view));

	if (!view)
		return NULL;
	view->users = 1;
	view->conf = conf_open_checked(fcntl(conf->fd, F_DUPFD_CLOEXEC, 3));
	if (view->conf)
		return view;
	free(view);
	return NULL;
}

static void describe(const struct notification *n, char *text, size_t size)
{
	const struct conf *conf = n->view->conf;
	char owner[WORDS_OWNER_SIZE];

	snprintf(text, size, "notify %s %s: %s", script_words_owner(conf, n->notify, owner),
		script_words_event((enum conf_notify_event)n->message.event),
		conf_string(conf, n->notify->command.argv));
}

static void discard(struct notification *n)
{
	loop_timer_cancel(n->notifies->process->loop, &n->limit);
	release(n->view);
	free(n);
}

static void start_waiting(struct script_notifies *s);

static void on_end(pid_t pid, const siginfo_t *info, void *arg)
{
	struct notification *n = arg;
	struct script_notifies *s = n->notifies;
	char why[SPAWN_WHY_SIZE], text[512];
	int result;

	if (n->is_late)
		kill(-pid, SIGKILL); /* what it started and did not end */
	result = spawn_finish(&n->spawn, info, why);
	describe(n, text, sizeof(text));
	if (n->is_late)
		log_warning("%s: ended after %lld s: it took too long", text,
			(long long)(mono_diff_us(mono_now(), n->started) / US_PER_S));
	else if (result != 0)
		log_warning("%s: %s", text, why);
	else
		log_debug("%s: done", text);
	queue_done(&s->queue, &n->entry);
	discard(n);
	start_waiting(s);
}

static void on_limit(struct timer *timer, void *arg)
{
	struct notification *n = arg;

	spawn_signal(&n->spawn, n->is_late ? SIGKILL : SIGTERM);
	if (!n->is_late)
		loop_timer_set(n->notifies->process->loop, timer, mono_add(mono_now(), GRACE_US));
	n->is_late = true;
}

/* Sets the end of its time, which comes closer when another one begins to wait. */
static void set_limit(struct notification *n)
{
	int64_t limit_us = queue_is_awaited(&n->notifies->queue, &n->entry) ? AWAITED_LIMIT_US : LIMIT_US;

	if (!n->is_late)
		loop_timer_set(n->notifies->process->loop, &n->limit, mono_add(n->started, limit_us));
}

/* Returns 0, or -1 and the reason. */
static int start(struct notification *n, char *why)
{
	const struct conf *conf = n->view->conf;
	char priority[WORDS_PRIORITY_SIZE];
	const char *further[5];

	script_words_arguments(
		conf, n->notify, (enum conf_notify_event)n->message.event, n->message.priority, priority, further);
	/* Not with_parent: what was begun on a change of state is finished even when this process ends. */
	if (spawn_start(&n->spawn, conf, &n->notify->command, further, false, why) < 0)
		return -1;
	if (loop_child_add(n->notifies->process->loop, n->spawn.pid, on_end, n) < 0) {
		spawn_abandon(&n->spawn);
		snprintf(why, SPAWN_WHY_SIZE, "out of descriptors");
		return -1;
	}
	n->started = mono_now();
	set_limit(n);
	return 0;
}

static void start_waiting(struct script_notifies *s)
{
	char why[SPAWN_WHY_SIZE], text[512];
	struct queue_entry *entry;

	while ((entry = queue_next(&s->queue))) {
		struct notification *n = entry->item;

		describe(n, text, sizeof(text));
		if (start(n, why) == 0) {
			log_debug("%s: started", text);
			continue;
		}
		log_warning("%s: not run: %s", text, why);
		queue_done(&s->queue, entry);
		discard(n);
	}
	if (s->settled && s->queue.n_waiting == 0)
		loop_timer_set(s->process->loop, &s->settle, mono_now());
}

/* Those of the same object that run have less time from now on. */
static void hurry(struct script_notifies *s, uint64_t owner)
{
	struct queue_entry *e;

	TAILQ_FOREACH (e, &s->queue.running, link)
		if (e->owner == owner)
			set_limit(e->item);
}

static void enqueue(struct script_notifies *s, struct view *view, const struct msg_notify *m)
{
	struct notification *n;
	struct queue_entry *fallen;
	char text[512];

	if (m->notify >= view->conf->n_notifies) {
		log_error("notify: there is no notification %u in generation %llu", m->notify,
			(unsigned long long)m->generation);
		return;
	}
	n = calloc(1, sizeof(*n));
	if (!n) {
		log_error("notify: a script is not run: out of memory");
		return;
	}
	view->users++;
	n->notifies = s;
	n->view = view;
	n->notify = &view->conf->notifies[m->notify];
	n->message = *m;
	n->limit.fire = on_limit;
	n->limit.arg = n;
	n->entry = (struct queue_entry){.owner = script_words_key(view->conf, n->notify), .item = n};
	fallen = queue_add(&s->queue, &n->entry);
	if (fallen) {
		describe(fallen->item, text, sizeof(text));
		log_error("%s: not run: %u notifications wait already (%llu were dropped since the start)", text,
			s->queue.n_waiting, (unsigned long long)s->queue.dropped);
		discard(fallen->item);
	}
	hurry(s, n->entry.owner);
	start_waiting(s);
}

/* Keeps it until its generation comes. Returns false when there is no room. */
static bool keep_early(struct script_notifies *s, const struct msg_notify *m)
{
	unsigned room = s->early_room ? 2 * s->early_room : 64;
	struct msg_notify *more;

	if (s->n_early == s->early_room) {
		more = room <= EARLY_MAX ? reallocarray(s->early, room, sizeof(*more)) : NULL;
		if (!more)
			return false;
		s->early = more;
		s->early_room = room;
	}
	s->early[s->n_early++] = *m;
	return true;
}

void script_notifies_ask(struct script_notifies *s, const struct msg_notify *m)
{
	bool is_early = !s->current || m->generation > s->current->conf->generation;

	if (s->current && s->current->conf->generation == m->generation) {
		enqueue(s, s->current, m);
	} else if (s->previous && s->previous->conf->generation == m->generation) {
		enqueue(s, s->previous, m);
	} else if (!is_early) {
		log_error("notify: a script is not run: it belongs to generation %llu, which is long gone",
			(unsigned long long)m->generation);
	} else if (!keep_early(s, m)) {
		log_error("notify: a script is not run: %u wait already for generation %llu, which is not here yet",
			s->n_early, (unsigned long long)m->generation);
	}
}

void script_notifies_switch(struct script_notifies *s, const struct conf *next)
{
	struct msg_notify *early = s->early;
	unsigned n_early = s->n_early;

	release(s->previous);
	s->previous = s->current;
	s->current = view_new(next);
	if (s->current)
		queue_make_room(&s->queue, next->n_notifies);
	else
		log_error("notify: no scripts are run for generation %llu: %s", (unsigned long long)next->generation,
			strerror(errno));
	/* What is still early after this is put back by script_notifies_ask(). */
	s->early = NULL;
	s->n_early = s->early_room = 0;
	for (unsigned i = 0; i < n_early; i++)
		script_notifies_ask(s, &early[i]);
	free(early);
}

static void on_settle(struct timer *timer, void *arg)
{
	struct script_notifies *s = arg;

	(void)timer;
	if (s->queue.n_waiting > 0)
		log_warning("notify: %u notifications are not run: poised stops", s->queue.n_waiting);
	s->settled(s->settled_arg);
}

void script_notifies_settle(struct script_notifies *s, int64_t limit_us, void (*done)(void *arg), void *arg)
{
	s->settled = done;
	s->settled_arg = arg;
	loop_timer_set(s->process->loop, &s->settle, mono_add(mono_now(), s->queue.n_waiting > 0 ? limit_us : 0));
}

struct script_notifies *script_notifies_new(struct role_process *p)
{
	struct script_notifies *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->process = p;
	queue_init(&s->queue);
	s->settle.fire = on_settle;
	s->settle.arg = s;
	return s;
}
