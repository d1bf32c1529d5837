/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The snmp role: answers SNMP requests from the boards and tells of events by notifications, through AgentX to the
 * machine's snmpd. Runs as a process of its own because the SNMP library blocks; reads boards and event rings only,
 * asks no other process, holds no privilege, writes nothing but its own board. */
#include "agent.h"
#include "agentx_link.h"
#include "agentx_probe.h"
#include "log.h"
#include "role.h"
#include "trap.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_SOCKET "unix:/var/agentx/master"
#define EVENTS_AT_ONCE 32                /* between two looks at what else is to be done */
#define SEND_RETRY_US (20 * US_PER_MS)   /* while the master is merely busy */
#define STUCK_RETRY_US (500 * US_PER_MS) /* once it is clear that it reads nothing */
#define STUCK_AFTER_US (3 * US_PER_S)
#define HOUSEKEEP_US (400 * US_PER_MS) /* a little more than the library waits for an answer */
#define DESCRIPTORS_MAX 8

struct snmp_role {
	struct role_process *p;
	struct agentx_address address;
	char socket[140];       /* as configured when the agent was prepared */
	bool is_prepared;       /* the library is; it cannot be taken back */
	struct mono full_since; /* the buffer towards the master */
	bool is_stuck;          /* for so long that it was said */
	struct link link;
	struct agentx_probe probe;
	struct loop_io *io[DESCRIPTORS_MAX];
	uint32_t n_io;
	struct timer link_timer, pump_timer, housekeep_timer, descriptor_timer;
	struct trap_feed feed;
	struct mib_view view;
	struct status_snmp status;
	char last_problem[320]; /* logged already */
};

/* ---- own board ---- */
static void status_store(struct snmp_role *s)
{
	memcpy(s->status.last_seq, s->feed.seq, sizeof(s->status.last_seq));
	s->status.events_dropped = s->feed.dropped;
	role_store(s->p, SNMP_TABLE_AGENT, 0, &s->status, sizeof(s->status));
}

static void status_change(struct snmp_role *s, bool is_connected, const char *why)
{
	if (s->status.is_connected != is_connected || s->status.since_real_us == 0)
		s->status.since_real_us = real_now_us();
	s->status.is_connected = is_connected;
	snprintf(s->status.why, sizeof(s->status.why), "%s", why);
	status_store(s);
}

/* Says the same reason once, however often it is met again. */
static void problem(struct snmp_role *s, const char *what)
{
	char text[320];

	snprintf(text, sizeof(text), "no AgentX master at %s: %s", s->address.spec, what);
	status_change(s, false, text);
	if (strcmp(text, s->last_problem) == 0)
		return;
	memcpy(s->last_problem, text, sizeof(text));
	log_warning("snmp: %s; trying again at least every %lld s, events wait meanwhile", text,
		LINK_RETRY_MAX_US / US_PER_S);
}

/* ---- the library's descriptors ---- */
static void on_descriptor(int fd, uint32_t events, void *arg)
{
	struct snmp_role *s = arg;

	(void)fd;
	(void)events;
	agent_read();
	/* The library may have closed and opened descriptors, even with the same number. */
	loop_timer_set(s->p->loop, &s->descriptor_timer, mono_now());
}

static void descriptors_watch(struct snmp_role *s)
{
	int fds[DESCRIPTORS_MAX];
	int n = s->is_prepared ? agent_descriptors(fds, DESCRIPTORS_MAX) : 0;

	for (uint32_t i = 0; i < s->n_io; i++)
		loop_io_remove(s->io[i]);
	s->n_io = 0;
	for (int i = 0; i < n; i++) {
		struct loop_io *io = loop_io_add(s->p->loop, fds[i], EPOLLIN, on_descriptor, s);

		if (io)
			s->io[s->n_io++] = io;
	}
}

static void on_descriptor_timer(struct timer *timer, void *arg)
{
	(void)timer;
	descriptors_watch(arg);
}

/* ---- what answers are computed from ---- */
static const struct mib_view *role_view(void *arg)
{
	struct snmp_role *s = arg;
	struct role_process *p = s->p;

	if (!p->conf)
		return NULL;
	s->view.conf = p->conf;
	s->view.now = mono_now();
	s->view.agent_uptime_cs = agent_uptime_cs();
	for (unsigned r = 0; r < ROLE_COUNT; r++) {
		const struct board *board = p->boards[r];

		/* Indices are those of one generation; what the parent says of its roles has none. */
		if (board && r != ROLE_PARENT && board_generation(board) != p->conf->generation)
			board = NULL;
		s->view.boards[r] = board;
	}
	return &s->view;
}

/* ---- events ---- */
static void event_tell(struct snmp_role *s, const struct event *ev)
{
	const struct mib_view *view = role_view(s);
	struct trap_facts facts;
	struct trap_list list;

	trap_facts_collect(view, ev, &facts);
	trap_build(view->conf, ev, &facts, &list);
	for (uint32_t i = 0; i < list.n; i++) {
		if (agent_send(&list.trap[i]) < 0)
			return;
		s->status.traps_sent++;
	}
	log_debug("snmp: %s: %u notifications (%s)", ev->name, list.n, ev->why);
}

static void drops_report(struct snmp_role *s)
{
	if (s->feed.dropped == s->status.events_dropped)
		return;
	log_warning("snmp: %llu events were overwritten before they could be told to the AgentX master",
		(unsigned long long)(s->feed.dropped - s->status.events_dropped));
}

/* The master's buffer is full: try again soon, and say so when that lasts. */
static void send_wait(struct snmp_role *s)
{
	struct mono now = mono_now();

	if (!mono_is_set(s->full_since))
		s->full_since = now;
	if (!s->is_stuck && mono_diff_us(now, s->full_since) >= STUCK_AFTER_US) {
		s->is_stuck = true;
		log_warning("snmp: the AgentX master at %s reads nothing: events wait", s->address.spec);
	}
	loop_timer_set(s->p->loop, &s->pump_timer, mono_add(now, s->is_stuck ? STUCK_RETRY_US : SEND_RETRY_US));
}

static void send_goes_on(struct snmp_role *s)
{
	if (s->is_stuck)
		log_info("snmp: the AgentX master at %s reads again", s->address.spec);
	s->is_stuck = false;
	s->full_since = MONO_NEVER;
}

/* Tells at most `budget` events. Returns false when more are waiting. */
static bool events_tell(struct snmp_role *s, unsigned budget)
{
	struct event ev;
	enum role role;
	bool all = false;

	for (unsigned i = 0; i < budget && agent_is_open(); i++) {
		if (!agent_can_send()) {
			send_wait(s);
			return true;
		}
		send_goes_on(s);
		if (!trap_feed_next(&s->feed, s->p->boards, &ev, &role)) {
			all = true;
			break;
		}
		event_tell(s, &ev);
		loop_timer_set(s->p->loop, &s->housekeep_timer, mono_add(mono_now(), HOUSEKEEP_US));
	}
	drops_report(s);
	status_store(s);
	return all || !agent_is_open();
}

static void pump(struct snmp_role *s)
{
	if (!s->p->conf)
		return;
	if (!s->status.is_enabled || !s->p->conf->global->snmp_traps) {
		trap_feed_skip(&s->feed, s->p->boards);
		return;
	}
	if (agent_is_open() && !events_tell(s, EVENTS_AT_ONCE))
		loop_timer_set(s->p->loop, &s->pump_timer, mono_now());
}

static void on_pump_timer(struct timer *timer, void *arg)
{
	(void)timer;
	pump(arg);
}

static void on_housekeep_timer(struct timer *timer, void *arg)
{
	struct snmp_role *s = arg;

	(void)timer;
	agent_housekeep();
	descriptors_watch(s);
}

/* ---- the connection ---- */
static void link_act(struct snmp_role *s, enum link_event event);

static void link_open(struct snmp_role *s)
{
	char why[320];

	if (agent_open() < 0) {
		problem(s, "it answers, but gives no session");
		link_act(s, LINK_OPEN_FAILED);
		return;
	}
	link_act(s, LINK_OPENED);
	s->last_problem[0] = '\0';
	snprintf(why, sizeof(why), "connected to the AgentX master at %s", s->address.spec);
	log_info("snmp: %s", why);
	status_change(s, true, why);
	descriptors_watch(s);
	pump(s);
}

static void link_act(struct snmp_role *s, enum link_event event)
{
	struct mono now = mono_now();
	enum link_action action = link_step(&s->link, event, now);

	if (mono_is_set(s->link.deadline))
		loop_timer_set(s->p->loop, &s->link_timer, s->link.deadline);
	else
		loop_timer_cancel(s->p->loop, &s->link_timer);
	switch (action) {
	case LINK_DO_NOTHING:
		return;
	case LINK_DO_PROBE:
		agentx_probe_start(&s->probe, &s->address);
		return;
	case LINK_DO_CANCEL_PROBE:
		agentx_probe_cancel(&s->probe);
		problem(s, "it accepts connections, but does not answer");
		return;
	case LINK_DO_OPEN:
		link_open(s);
		return;
	}
}

static void on_link_timer(struct timer *timer, void *arg)
{
	(void)timer;
	link_act(arg, LINK_TIMER);
}

static void on_probe(void *arg, int error)
{
	struct snmp_role *s = arg;

	if (error == 0) {
		link_act(s, LINK_PROBE_ANSWERED);
		return;
	}
	problem(s, error == EAGAIN ? "it accepts no connections" : strerror(error));
	link_act(s, LINK_PROBE_FAILED);
}

static void on_lost(void *arg)
{
	struct snmp_role *s = arg;

	problem(s, "it closed the session");
	link_act(s, LINK_LOST);
	loop_timer_set(s->p->loop, &s->descriptor_timer, mono_now());
}

static const struct agent_ops agent_ops = {.view = role_view, .lost = on_lost};

/* ---- configuration ---- */
static bool conf_wants_snmp(const struct conf *conf)
{
	const struct conf_global *g = conf->global;

	return g->snmp_vrrp || g->snmp_checker || g->snmp_rfcv2 || g->snmp_rfcv3;
}

static const char *conf_socket(const struct conf *conf)
{
	const char *socket = conf_string(conf, conf->global->snmp_socket);

	return *socket ? socket : DEFAULT_SOCKET;
}

static void mibs_enable(const struct conf *conf)
{
	const struct conf_global *g = conf->global;
	const struct {
		const struct mib *mib;
		bool enable;
	} mibs[] = {
		{&mib_keepalived_global, g->snmp_vrrp || g->snmp_checker},
		{&mib_keepalived_vrrp, g->snmp_vrrp},
		{&mib_keepalived_check, g->snmp_checker},
		{&mib_vrrp2, g->snmp_rfcv2},
		{&mib_vrrp3, g->snmp_rfcv3},
		{&mib_poise, conf_wants_snmp(conf)},
	};

	for (unsigned i = 0; i < sizeof(mibs) / sizeof(mibs[0]); i++) {
		int rc = agent_enable(mibs[i].mib, mibs[i].enable);

		if (rc < 0)
			log_error("snmp: %s cannot be registered: %s", mibs[i].mib->name, strerror(-rc));
	}
}

/* The library is prepared at the first configuration that wants SNMP: until then the role is idle. */
static void agent_prepare(struct snmp_role *s, const struct conf *conf)
{
	int rc;

	snprintf(s->socket, sizeof(s->socket), "%s", conf_socket(conf));
	if (agentx_address_parse(s->socket, &s->address) < 0) {
		log_error("snmp: snmp_socket %s: unix:PATH or tcp:ADDRESS:PORT is needed; there is no SNMP until then",
			s->socket);
		return;
	}
	rc = agent_init(s->address.spec, &agent_ops, s);
	if (rc < 0) {
		log_error("snmp: the SNMP library does not start: %s", strerror(-rc));
		return;
	}
	s->is_prepared = true;
}

/* The first board continues where the predecessor stopped, so that no event is told twice or forgotten. */
static void board_publish(struct snmp_role *s, const struct conf *next)
{
	struct role_process *p = s->p;
	const struct board_shape shape = {.record_size = {sizeof(s->status)}, .count = {1}};
	struct board *board = board_create(ROLE_SNMP, next->generation, &shape);
	struct status_snmp old;

	if (!p->board) {
		bool have = p->boards[ROLE_SNMP] &&
			    board_load(p->boards[ROLE_SNMP], SNMP_TABLE_AGENT, 0, &old, sizeof(old)) == 0;

		trap_feed_init(&s->feed, real_now_us(), have ? old.last_seq : NULL);
		if (have)
			s->feed.dropped = s->status.events_dropped = old.events_dropped;
		s->status.traps_sent = have ? old.traps_sent : 0;
	}
	if (!board) {
		log_error("snmp: no memory for a board: %s", strerror(errno));
		role_exit(p, 1);
		return;
	}
	board_store(board, SNMP_TABLE_AGENT, 0, &s->status, sizeof(s->status));
	role_publish_board(p, board);
}

static void snmp_commit(struct role_process *p, const struct conf *next)
{
	struct snmp_role *s = p->ctx;
	bool wanted = conf_wants_snmp(next);

	if (s->is_prepared && strcmp(conf_socket(next), s->socket) != 0) {
		log_info("snmp: the AgentX socket is another one now: starting again");
		role_exit(p, 0); /* the library takes a socket once in its life */
	}
	s->status.is_enabled = wanted;
	if (!wanted)
		snprintf(s->status.why, sizeof(s->status.why), "not asked for by the configuration");
	else if (!s->is_prepared)
		snprintf(s->status.why, sizeof(s->status.why), "not connected yet");
	board_publish(s, next);
	if (wanted && !s->is_prepared)
		agent_prepare(s, next);
	if (!s->is_prepared)
		return;
	mibs_enable(next);
	link_act(s, LINK_START);
	loop_timer_set(p->loop, &s->pump_timer, mono_now());
}

/* ---- the role ---- */
static int snmp_open(struct role_process *p)
{
	struct snmp_role *s = p->ctx;

	s->p = p;
	s->link_timer = (struct timer){.fire = on_link_timer, .arg = s};
	s->pump_timer = (struct timer){.fire = on_pump_timer, .arg = s};
	s->housekeep_timer = (struct timer){.fire = on_housekeep_timer, .arg = s};
	s->descriptor_timer = (struct timer){.fire = on_descriptor_timer, .arg = s};
	agentx_probe_init(&s->probe, p->loop, on_probe, s);
	return 0;
}

static void snmp_changed(struct role_process *p, enum role role, uint32_t table, uint32_t record)
{
	/* Values are read when they are asked for. */
	(void)p;
	(void)role;
	(void)table;
	(void)record;
}

static void snmp_events(struct role_process *p, enum role role)
{
	(void)role;
	pump(p->ctx);
}

/* vrrp has stopped before: its last transitions are in its ring and are told here. */
static void snmp_stop(struct role_process *p, bool keep)
{
	struct snmp_role *s = p->ctx;

	(void)keep;
	agentx_probe_cancel(&s->probe);
	if (s->is_prepared && agent_is_open()) {
		if (p->conf && p->conf->global->snmp_traps)
			events_tell(s, BOARD_EVENTS);
		/* Closing waits for an answer: not with a master that does not even read. */
		if (agent_can_send())
			agent_close();
	}
	role_exit(p, 0);
}

static const struct role_ops ops = {
	.role = ROLE_SNMP,
	.open = snmp_open,
	.commit = snmp_commit,
	.changed = snmp_changed,
	.events = snmp_events,
	.stop = snmp_stop,
};

int main(int argc, char **argv)
{
	static struct snmp_role role;

	return role_main(&ops, &role, argc, argv);
}
