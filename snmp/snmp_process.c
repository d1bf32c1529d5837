/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The snmp role: answers SNMP requests from the boards and tells of events by notifications, through AgentX to the
 * machine's snmpd and directly to receivers. Runs as a process of its own because the SNMP library blocks; reads boards
 * and event rings only, asks no other process, holds no privilege, writes nothing but its own board. */
#include "agent.h"
#include "agentx_link.h"
#include "agentx_probe.h"
#include "log.h"
#include "outlet.h"
#include "role.h"
#include "sender.h"
#include "snmp_conf.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SEND_RETRY_US (20 * US_PER_MS)   /* while the master is merely busy */
#define STUCK_RETRY_US (500 * US_PER_MS) /* once it is clear that it reads nothing */
#define STUCK_AFTER_US (3 * US_PER_S)
#define HOUSEKEEP_US (400 * US_PER_MS) /* a little more than the library waits for an answer */
#define DESCRIPTORS_MAX 8
#define STOP_SENDS_MAX 500
#define STOP_WAIT_US (300 * US_PER_MS) /* for the acknowledgement of the last informs */

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
	ino_t watched[DESCRIPTORS_MAX]; /* which socket that is: numbers come again */
	int watched_fd[DESCRIPTORS_MAX];
	uint32_t n_io;
	struct timer link_timer, pump_timer, housekeep_timer, descriptor_timer, direct_timer, stop_timer;
	struct outlet master, direct; /* through the AgentX master; to the receivers of snmp_trap_to */
	struct sender *sender;
	struct mib_view view;
	struct status_snmp status;
	uint64_t past_held, past_rolled, past_left_out; /* of predecessors */
	char last_problem[320];                         /* logged already */
};

/* ---- own board ---- */
static void status_store(struct snmp_role *s)
{
	const struct trap_roll *a = &s->master.roll, *b = &s->direct.roll;

	memcpy(s->status.last_seq, s->master.feed.seq, sizeof(s->status.last_seq));
	memcpy(s->status.direct_seq, s->direct.feed.seq, sizeof(s->status.direct_seq));
	s->status.traps_sent += s->master.sent;
	s->master.sent = 0;
	s->status.events_dropped = s->master.feed.dropped + s->direct.feed.dropped;
	s->status.traps_held = s->past_held + a->held + b->held;
	s->status.traps_rolled = s->past_rolled + a->rolled + b->rolled;
	s->status.traps_left_out = s->past_left_out + a->left_out + b->left_out;
	role_store(s->p, SNMP_TABLE_AGENT, 0, &s->status, sizeof(s->status));
}

static void status_change(struct snmp_role *s, bool is_connected, const char *why)
{
	if (s->status.is_connected != is_connected || s->status.since_real_us == 0)
		s->status.since_real_us = real_now_us();
	s->status.is_connected = is_connected;
	snprintf(s->status.why, sizeof(s->status.why), "%.*s", WHY_SIZE - 1, why);
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
static void descriptors_watch(struct snmp_role *s);

static void on_descriptor(int fd, uint32_t events, void *arg)
{
	struct snmp_role *s = arg;

	(void)fd;
	(void)events;
	/* Else the library may have closed and opened descriptors, even with the same number. */
	if (!agent_read())
		descriptors_watch(s);
}

static ino_t socket_number(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

static bool descriptors_are_same(const struct snmp_role *s, const int *fds, int n)
{
	if ((uint32_t)n != s->n_io)
		return false;
	for (int i = 0; i < n; i++) {
		if (fds[i] != s->watched_fd[i] || socket_number(fds[i]) != s->watched[i])
			return false;
	}
	return true;
}

static void descriptors_watch(struct snmp_role *s)
{
	int fds[DESCRIPTORS_MAX];
	int n = s->is_prepared ? agent_descriptors(fds, DESCRIPTORS_MAX) : 0;

	if (descriptors_are_same(s, fds, n))
		return;
	for (uint32_t i = 0; i < s->n_io; i++)
		loop_io_remove(s->io[i]);
	s->n_io = 0;
	for (int i = 0; i < n; i++) {
		struct loop_io *io = loop_io_add(s->p->loop, fds[i], EPOLLIN, on_descriptor, s);

		if (!io)
			continue;
		s->watched[s->n_io] = socket_number(fds[i]);
		s->watched_fd[s->n_io] = fds[i];
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
	s->view.boards[ROLE_SNMP] = p->board;
	return &s->view;
}

/* ---- events, to the AgentX master ---- */
static void drops_report(struct snmp_role *s)
{
	uint64_t dropped = s->master.feed.dropped + s->direct.feed.dropped;

	if (dropped == s->status.events_dropped)
		return;
	log_warning("snmp: %llu events were overwritten before they could be told",
		(unsigned long long)(dropped - s->status.events_dropped));
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

static bool master_can_send(void *arg)
{
	(void)arg;
	return agent_can_send();
}

static bool master_send(void *arg, const struct trap *trap, const char *about)
{
	struct snmp_role *s = arg;

	if (agent_send(trap) < 0)
		return false;
	log_debug("snmp: told the AgentX master of %s", about);
	loop_timer_set(s->p->loop, &s->housekeep_timer, mono_add(mono_now(), HOUSEKEEP_US));
	return true;
}

static const struct outlet_ops master_ops = {.can_send = master_can_send, .send = master_send};

static void master_pump(struct snmp_role *s)
{
	const struct mib_view *view = role_view(s);
	struct mono next;
	bool is_blocked;

	if (!view || !s->status.is_enabled || !view->conf->global->snmp_traps) {
		outlet_skip(&s->master, s->p->boards);
		return;
	}
	if (!agent_is_open())
		return;
	next = outlet_pump(&s->master, view, s->p->boards, &is_blocked);
	if (!is_blocked)
		send_goes_on(s);
	if (is_blocked && agent_is_open())
		send_wait(s);
	else if (mono_is_set(next))
		loop_timer_set(s->p->loop, &s->pump_timer, next);
}

/* ---- events, to the receivers ---- */
static bool direct_can_send(void *arg)
{
	(void)arg;
	return true;
}

/* sysUpTime of notifications that no agent sends: since the daemon was started. */
static uint32_t daemon_uptime_cs(const struct snmp_role *s)
{
	const struct board *board = s->p->boards[ROLE_PARENT];
	struct status_daemon st;

	if (!board || board_load(board, PARENT_TABLE_DAEMON, 0, &st, sizeof(st)) < 0)
		return 0;
	return (uint32_t)(mono_diff_us(mono_now(), st.started) / (10 * US_PER_MS));
}

static bool direct_send(void *arg, const struct trap *trap, const char *about)
{
	struct snmp_role *s = arg;

	sender_send(s->sender, trap, daemon_uptime_cs(s), about);
	return true;
}

static const struct outlet_ops direct_ops = {.can_send = direct_can_send, .send = direct_send};

static void direct_pump(struct snmp_role *s)
{
	const struct mib_view *view = role_view(s);
	struct mono next;
	bool is_blocked;

	if (!view || sender_targets(s->sender) == 0) {
		outlet_skip(&s->direct, s->p->boards);
		return;
	}
	next = outlet_pump(&s->direct, view, s->p->boards, &is_blocked);
	if (mono_is_set(next))
		loop_timer_set(s->p->loop, &s->direct_timer, next);
}

static void target_changed(void *arg, uint32_t target, const struct status_trap_target *status)
{
	struct snmp_role *s = arg;

	if (s->p->board && target < board_count(s->p->board, SNMP_TABLE_TARGET))
		role_store(s->p, SNMP_TABLE_TARGET, target, status, sizeof(*status));
}

static const struct sender_ops sender_ops = {.changed = target_changed};

static void pump(struct snmp_role *s)
{
	if (!s->p->conf)
		return;
	master_pump(s);
	direct_pump(s);
	drops_report(s);
	status_store(s);
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

/* The library is prepared at the first configuration that wants SNMP: until then the role is idle. */
static void agent_prepare(struct snmp_role *s, const struct conf *conf)
{
	int rc;

	snprintf(s->socket, sizeof(s->socket), "%s", snmp_conf_socket(conf));
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
static void adopt(struct snmp_role *s)
{
	struct status_snmp old = {0};
	bool have = s->p->boards[ROLE_SNMP] &&
		    board_load(s->p->boards[ROLE_SNMP], SNMP_TABLE_AGENT, 0, &old, sizeof(old)) == 0;

	trap_feed_init(&s->master.feed, real_now_us(), have ? old.last_seq : NULL);
	trap_feed_init(&s->direct.feed, real_now_us(), have ? old.direct_seq : NULL);
	s->master.feed.dropped = s->status.events_dropped = old.events_dropped;
	s->status.traps_sent = old.traps_sent;
	s->past_held = old.traps_held;
	s->past_rolled = old.traps_rolled;
	s->past_left_out = old.traps_left_out;
	s->status.engine_boots = snmp_conf_boots(&old);
}

static void board_publish(struct snmp_role *s, const struct conf *next)
{
	struct role_process *p = s->p;
	const struct board_shape shape = {.record_size = {sizeof(s->status), sizeof(struct status_trap_target)},
		.count = {1, next->n_trap_targets}};
	struct board *board = board_create(ROLE_SNMP, next->generation, &shape);

	if (!p->board)
		adopt(s);
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
	bool wanted = snmp_conf_wants(next);

	if (s->is_prepared && strcmp(snmp_conf_socket(next), s->socket) != 0) {
		log_info("snmp: the AgentX socket is another one now: starting again");
		role_exit(p, 0); /* the library takes a socket once in its life */
	}
	s->status.is_enabled = wanted;
	if (!wanted)
		snprintf(s->status.why, sizeof(s->status.why), "not asked for by the configuration");
	else if (!s->is_prepared)
		snprintf(s->status.why, sizeof(s->status.why), "not connected yet");
	board_publish(s, next);
	trap_roll_rate(&s->master.roll, next->global->snmp_trap_rate);
	trap_roll_rate(&s->direct.roll, next->global->snmp_trap_rate);
	sender_configure(s->sender, next, s->status.engine_boots);
	loop_timer_set(p->loop, &s->pump_timer, mono_now());
	if (wanted && !s->is_prepared)
		agent_prepare(s, next);
	if (!s->is_prepared)
		return;
	snmp_conf_enable(next);
	link_act(s, LINK_START);
}

/* ---- the role ---- */
static void on_stop_timer(struct timer *timer, void *arg)
{
	struct snmp_role *s = arg;

	(void)timer;
	sender_free(s->sender);
	s->sender = NULL;
	outlet_free(&s->master);
	outlet_free(&s->direct);
	role_exit(s->p, 0);
}

static int snmp_open(struct role_process *p)
{
	struct snmp_role *s = p->ctx;

	s->p = p;
	s->link_timer = (struct timer){.fire = on_link_timer, .arg = s};
	s->pump_timer = (struct timer){.fire = on_pump_timer, .arg = s};
	s->housekeep_timer = (struct timer){.fire = on_housekeep_timer, .arg = s};
	s->descriptor_timer = (struct timer){.fire = on_descriptor_timer, .arg = s};
	s->direct_timer = (struct timer){.fire = on_pump_timer, .arg = s};
	s->stop_timer = (struct timer){.fire = on_stop_timer, .arg = s};
	agentx_probe_init(&s->probe, p->loop, on_probe, s);
	outlet_init(&s->master, &master_ops, s);
	outlet_init(&s->direct, &direct_ops, s);
	s->sender = sender_new(p->loop, &sender_ops, s);
	return s->sender ? 0 : -ENOMEM;
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
	const struct mib_view *view = role_view(s);

	(void)keep;
	agentx_probe_cancel(&s->probe);
	if (view && sender_targets(s->sender) > 0)
		outlet_flush(&s->direct, view, p->boards, STOP_SENDS_MAX);
	if (s->is_prepared && agent_is_open()) {
		if (view && view->conf->global->snmp_traps)
			outlet_flush(&s->master, view, p->boards, STOP_SENDS_MAX);
		/* Closing waits for an answer: not with a master that does not even read. */
		if (agent_can_send())
			agent_close();
	}
	loop_timer_set(p->loop, &s->stop_timer, mono_add(mono_now(), sender_is_waiting(s->sender) ? STOP_WAIT_US : 0));
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
