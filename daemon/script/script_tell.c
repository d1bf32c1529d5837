/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads what vrrp and ipvs write into their event rings and passes it on: to notification FIFOs as lines, to people as
 * mail. Part of the script process. Rings are numbered and ordered, so nothing is told twice nor out of order, also
 * when this process dies; what was overwritten before it was read is counted and said. */
#include "script_tell.h"

#include "log.h"
#include "script_fifo.h"
#include "script_mail.h"
#include "script_text.h"
#include "status.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_A_ROUND 512

enum { ALL, VRRP, LVS, FIFOS };

struct script_teller {
	struct role_process *role;
	struct conf *current, *previous; /* mapped for ourselves: events may be of the generation before */
	struct script_fifo_pipe *fifos[FIFOS];
	struct script_mails *mails;
	struct status_told status;
	bool has_begun;
};

static const struct conf *conf_of(const struct script_teller *t, uint64_t generation)
{
	if (t->current && t->current->generation == generation)
		return t->current;
	return t->previous && t->previous->generation == generation ? t->previous : NULL;
}

static void write_line(struct script_teller *t, enum script_fifo kind, const char *line)
{
	script_fifo_write(t->fifos[ALL], line);
	if (kind == SCRIPT_FIFO_VRRP)
		script_fifo_write(t->fifos[VRRP], line);
	else
		script_fifo_write(t->fifos[LVS], line);
}

static void tell(struct script_teller *t, const struct event *event)
{
	const struct conf *conf = conf_of(t, event->generation);
	char line[SCRIPT_LINE_SIZE], *mail;
	enum script_fifo kind = script_text_line(conf, event, line);

	if (kind != SCRIPT_FIFO_NONE)
		write_line(t, kind, line);
	if (conf && t->mails && script_text_mail(conf, event, real_now_us() / US_PER_S, &mail))
		script_mails_send(t->mails, conf, mail);
}

static void store(struct script_teller *t)
{
	role_store_quiet(t->role, SCRIPT_TABLE_TOLD, 0, &t->status, sizeof(t->status));
}

void script_teller_events(struct script_teller *t, enum role role)
{
	const struct board *board = t->role->boards[role];
	struct event event;
	int n = 1;

	if (!board || (role != ROLE_VRRP && role != ROLE_IPVS) || !t->has_begun)
		return;
	for (int i = 0; i < EVENTS_A_ROUND && n != 0; i++) {
		n = board_next_event(board, &t->status.last_seq[role], &event);
		if (n > 0)
			tell(t, &event);
		if (n >= 0)
			continue;
		t->status.events_lost += (uint64_t)-n;
		log_warning("notifications: %d events of %s were overwritten before they could be told", -n,
			role_name(role));
	}
	store(t);
}

/* ---- generations ---- */

static const struct conf_fifo *configured(const struct conf *conf, int i)
{
	return i == ALL ? &conf->global->fifo_all : i == VRRP ? &conf->global->fifo_vrrp : &conf->global->fifo_lvs;
}

static void switch_fifos(struct script_teller *t, const struct conf *next)
{
	bool kept[FIFOS];

	/* Closed first: one may get the path of another. */
	for (int i = 0; i < FIFOS; i++) {
		kept[i] = script_fifo_keep(t->fifos[i], next, configured(next, i));
		if (kept[i])
			continue;
		script_fifo_close(t->fifos[i]);
		t->fifos[i] = NULL;
	}
	for (int i = 0; i < FIFOS; i++) {
		if (!kept[i])
			t->fifos[i] = script_fifo_open(t->role, next, configured(next, i));
	}
}

/* A process that takes over goes on where its predecessor was. */
static void begin(struct script_teller *t)
{
	const struct board *own = t->role->boards[ROLE_SCRIPT];

	if (t->has_begun)
		return;
	t->has_begun = true;
	if (own)
		board_load(own, SCRIPT_TABLE_TOLD, 0, &t->status, sizeof(t->status));
}

static void tell_states(struct script_teller *t)
{
	const struct board *board = t->role->boards[ROLE_VRRP];
	char line[SCRIPT_LINE_SIZE];

	if (!board || !t->previous || board_generation(board) != t->previous->generation)
		return;
	for (uint32_t i = 0; i < t->previous->n_groups; i++) {
		struct status_group group;

		if (board_load(board, VRRP_TABLE_GROUP, i, &group, sizeof(group)) < 0)
			continue;
		script_text_state(true, conf_string(t->previous, t->previous->groups[i].name), group.state, 0, line);
		write_line(t, SCRIPT_FIFO_VRRP, line);
	}
	for (uint32_t i = 0; i < t->previous->n_instances; i++) {
		struct status_instance instance;

		if (board_load(board, VRRP_TABLE_INSTANCE, i, &instance, sizeof(instance)) < 0)
			continue;
		script_text_state(false, conf_string(t->previous, t->previous->instances[i].name), instance.state,
			instance.effective_priority, line);
		write_line(t, SCRIPT_FIFO_VRRP, line);
	}
}

void script_teller_switch(struct script_teller *t, const struct conf *next, struct board *fresh)
{
	bool is_reload = t->current != NULL;

	begin(t);
	/* What happened under the old generation is told under it. */
	script_teller_events(t, ROLE_VRRP);
	script_teller_events(t, ROLE_IPVS);
	conf_close(t->previous);
	t->previous = t->current;
	t->current = conf_open_checked(fcntl(next->fd, F_DUPFD_CLOEXEC, 3));
	switch_fifos(t, next);
	if (is_reload && next->global->fifo_states_on_reload)
		tell_states(t);
	board_store(fresh, SCRIPT_TABLE_TOLD, 0, &t->status, sizeof(t->status));
}

struct script_teller *script_teller_new(struct role_process *p)
{
	struct script_teller *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->role = p;
	t->mails = script_mails_new(p, &t->status.mails_sent, &t->status.mails_lost);
	return t;
}

void script_teller_end(struct script_teller *t)
{
	script_teller_events(t, ROLE_VRRP);
	script_teller_events(t, ROLE_IPVS);
	for (int i = 0; i < FIFOS; i++) {
		script_fifo_close(t->fifos[i]);
		t->fifos[i] = NULL;
	}
}
