/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends notifications to their receivers and keeps account of informs until they are acknowledged or given up. Runs in
 * the snmp role. The library sends again what is on its way; what waits for a receiver's engine waits here. */
#include "sender.h"
#include "log.h"
#include "sender_usm.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TICK_US (50 * US_PER_MS)
#define LOG_US (10 * US_PER_S) /* one line about what was given up, for each receiver */

struct target;

/* An inform that is not acknowledged yet. */
struct inform {
	struct inform *next, **link; /* in target->informs */
	struct target *target;
	netsnmp_pdu *pdu; /* the library gets copies */
	struct mono since;
	bool is_sent;    /* to the library; else it waits for the engine */
	const char *why; /* it was not acknowledged so far */
	char about[128];
};

struct target {
	struct sender *sender;
	uint32_t index;
	const struct conf_trap_target *conf;
	void *session; /* of the library; NULL = cannot be opened, or not yet */
	struct loop_io *io;
	bool is_probe; /* the session only asks for the engine */
	bool is_stale; /* what is known of the engine is doubtful: ask again */
	struct mono asked;
	struct sender_engine engine;
	struct inform *informs;
	struct status_trap_target status;
	struct log_limit limit;
	char name[ADDR_TEXT];
};

struct sender {
	struct loop *loop;
	const struct sender_ops *ops;
	void *arg;
	const struct conf *conf;
	struct sender_engine engine; /* ours */
	struct mono started;         /* snmpEngineTime counts from here */
	struct target *targets;
	uint32_t n;
	struct timer tick;
};

static void on_readable(int fd, uint32_t events, void *arg);

/* ---- the state of a receiver ---- */
static void status_change(struct target *t, enum trap_target_state state, const char *why)
{
	if (t->status.state != state || t->status.since_real_us == 0)
		t->status.since_real_us = real_now_us();
	t->status.state = state;
	snprintf(t->status.why, sizeof(t->status.why), "%s", why);
	t->sender->ops->changed(t->sender->arg, t->index, &t->status);
}

static void target_works(struct target *t, enum trap_target_state state, const char *why)
{
	bool was_silent = t->status.state == TRAP_TARGET_SILENT;

	if (was_silent)
		log_info("snmp: %s: %s again; %llu notifications were given up", t->name, why,
			(unsigned long long)t->status.failed);
	if (t->status.state != state)
		status_change(t, state, why);
	else
		t->sender->ops->changed(t->sender->arg, t->index, &t->status);
}

/* A notification is lost to this receiver. */
static void target_fails(struct target *t, const char *about, const char *why)
{
	uint32_t held_back;

	t->status.failed++;
	status_change(t, TRAP_TARGET_SILENT, why);
	if (!log_limit_pass(&t->limit, LOG_US, &held_back))
		return;
	if (held_back > 0)
		log_warning("snmp: %s: given up: %s (and %u before it): %s", t->name, about, held_back, why);
	else
		log_warning("snmp: %s: given up: %s: %s", t->name, about, why);
}

/* ---- the session ---- */
static void session_use(struct target *t, void *session)
{
	int fd = session ? sender_session_fd(session) : -1;

	t->session = session;
	if (!session)
		return;
	snmp_sess_session(session)->myvoid = t;
	if (fd >= 0 && fd < FD_SETSIZE)
		t->io = loop_io_add(t->sender->loop, fd, EPOLLIN, on_readable, t);
}

static void session_close(struct target *t)
{
	if (t->io)
		loop_io_remove(t->io);
	t->io = NULL;
	if (!t->session)
		return;
	snmp_sess_session(t->session)->myvoid = NULL; /* no answers from now on */
	snmp_sess_close(t->session);
	t->session = NULL;
}

/* ---- informs ---- */
static struct inform *inform_new(struct target *t, netsnmp_pdu *pdu, const char *about)
{
	struct inform *inform = calloc(1, sizeof(*inform));

	if (!inform)
		return NULL;
	inform->target = t;
	inform->pdu = pdu;
	inform->since = mono_now();
	inform->why = "its engine does not answer";
	snprintf(inform->about, sizeof(inform->about), "%s", about);
	inform->next = t->informs;
	inform->link = &t->informs;
	if (t->informs)
		t->informs->link = &inform->next;
	t->informs = inform;
	t->status.waiting++;
	return inform;
}

static void inform_free(struct inform *inform)
{
	*inform->link = inform->next;
	if (inform->next)
		inform->next->link = inform->link;
	inform->target->status.waiting--;
	snmp_free_pdu(inform->pdu);
	free(inform);
}

static void inform_fail(struct inform *inform, const char *why)
{
	target_fails(inform->target, inform->about, why);
	inform_free(inform);
}

static bool is_over(const struct inform *inform, struct mono now)
{
	const struct conf_trap_target *conf = inform->target->conf;

	return mono_diff_us(now, inform->since) > conf->timeout_us * (conf->retries + 1);
}

/* What is on its way waits for the engine anew: the receiver may have another one now. */
static void target_rediscover(struct target *t)
{
	const char *why;

	t->is_stale = false;
	if (!t->conf->user || !t->conf->inform || t->is_probe)
		return;
	for (struct inform *i = t->informs; i; i = i->next)
		i->is_sent = false;
	session_close(t);
	sender_session_forget(t->sender->conf, t->conf, &t->engine);
	t->is_probe = true;
	t->asked = MONO_NEVER;
	t->engine.length = 0;
	session_use(t, sender_session_open_probe(t->conf, &why));
}

static bool is_known(const struct target *t, const struct inform *inform)
{
	for (const struct inform *i = t->informs; i; i = i->next) {
		if (i == inform)
			return true;
	}
	return false;
}

static int inform_answered(int operation, netsnmp_session *session, int id, netsnmp_pdu *pdu, void *magic)
{
	struct inform *inform = magic; /* which may be gone when the session is closing */
	struct target *t = session->myvoid;

	(void)id;
	if (!t || operation == NETSNMP_CALLBACK_OP_RESEND || !is_known(t, inform) || !inform->is_sent)
		return 1;
	if (operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE && pdu->command == SNMP_MSG_RESPONSE) {
		inform_free(inform);
		t->status.acknowledged++;
		target_works(t, TRAP_TARGET_ANSWERING, "acknowledges informs");
		return 1;
	}
	inform->why = "no acknowledgement";
	if (t->conf->user)
		inform->why = operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE
				      ? "it refuses the user, the passphrase or the time"
				      : "no acknowledgement (not there, or it does not know the user)";
	t->is_stale = true;
	/* A receiver that was started anew has another engine, which the library takes for a failure long before the
	 * inform's time is over. */
	if (t->conf->user && !is_over(inform, mono_now()))
		inform->is_sent = false;
	else
		inform_fail(inform, inform->why);
	return 1;
}

static void inform_send(struct target *t, struct inform *inform)
{
	netsnmp_pdu *copy = snmp_clone_pdu(inform->pdu);

	inform->is_sent = true;
	if (copy && snmp_sess_async_send(t->session, copy, inform_answered, inform) != 0)
		return;
	if (copy)
		snmp_free_pdu(copy);
	inform_fail(inform, "it cannot be sent");
}

/* ---- sessions ---- */

/* The engine is known: what waited for it goes out, in order. */
static void target_discovered(struct target *t)
{
	const char *why = "it cannot be opened";
	struct inform *inform, *oldest;

	session_close(t);
	t->is_probe = false;
	session_use(t, sender_session_open(t->sender->conf, t->conf, &t->engine, &why));
	do {
		oldest = NULL;
		for (inform = t->informs; inform; inform = inform->next)
			oldest = inform->is_sent ? oldest : inform; /* new ones are put at the front */
		if (oldest && t->session)
			inform_send(t, oldest);
		else if (oldest)
			inform_fail(oldest, why);
	} while (oldest);
}

static void look_for_engine(struct target *t)
{
	if (t->is_probe && t->engine.length > 0)
		target_discovered(t);
}

static void on_readable(int fd, uint32_t events, void *arg)
{
	struct target *t = arg;
	fd_set set;

	(void)events;
	FD_ZERO(&set);
	FD_SET(fd, &set);
	snmp_sess_read(t->session, &set);
	look_for_engine(t);
}

static void ask_for_engine(struct target *t)
{
	struct mono now = mono_now();

	if (!t->is_probe || !t->session || !t->informs)
		return;
	if (mono_is_set(t->asked) && mono_diff_us(now, t->asked) < t->conf->timeout_us)
		return;
	t->asked = now;
	sender_session_ask(t->session, &t->engine);
}

/* ---- time ---- */
/* Those that wait for the engine are not known to the library. */
static void give_up_waiting(struct target *t, struct mono now)
{
	struct inform *next;

	for (struct inform *i = t->informs; i; i = next) {
		next = i->next;
		if (!i->is_sent && is_over(i, now))
			inform_fail(i, i->why);
	}
}

static void target_tick(struct target *t)
{
	if (t->session)
		snmp_sess_timeout(t->session);
	give_up_waiting(t, mono_now());
	if (t->is_stale)
		target_rediscover(t);
	ask_for_engine(t);
}

static void on_tick(struct timer *timer, void *arg)
{
	struct sender *s = arg;
	bool is_waiting = false;

	for (uint32_t i = 0; i < s->n; i++) {
		if (s->targets[i].informs)
			target_tick(&s->targets[i]);
		is_waiting |= s->targets[i].informs != NULL;
	}
	if (is_waiting)
		loop_timer_set(s->loop, timer, mono_add(mono_now(), TICK_US));
}

/* ---- sending ---- */
static netsnmp_pdu *make_pdu(int command, const struct trap *trap, uint32_t uptime_cs)
{
	static const oid uptime_name[] = {1, 3, 6, 1, 2, 1, 1, 3, 0}; /* sysUpTime.0 */
	netsnmp_pdu *pdu = snmp_pdu_create(command);
	u_long uptime = uptime_cs;

	if (!pdu)
		return NULL;
	snmp_varlist_add_variable(
		&pdu->variables, uptime_name, OID_LENGTH(uptime_name), ASN_TIMETICKS, &uptime, sizeof(uptime));
	if (pdu->variables)
		pdu->variables->next_variable = library_variables(trap);
	if (pdu->variables && pdu->variables->next_variable)
		return pdu;
	snmp_free_pdu(pdu);
	return NULL;
}

static void trap_send(struct target *t, netsnmp_pdu *pdu, const char *about)
{
	if (t->session && snmp_sess_send(t->session, pdu) != 0) {
		target_works(t, TRAP_TARGET_SENDING, "notifications are sent");
		return;
	}
	target_fails(t, about, errno ? strerror(errno) : "it cannot be sent");
	snmp_free_pdu(pdu);
}

static void target_send(struct target *t, const struct trap *trap, uint32_t uptime_cs, const char *about)
{
	netsnmp_pdu *pdu = make_pdu(t->conf->inform ? SNMP_MSG_INFORM : SNMP_MSG_TRAP2, trap, uptime_cs);
	struct inform *inform;

	t->status.sent++;
	errno = 0;
	if (!pdu) {
		target_fails(t, about, "memory is short");
		return;
	}
	if (!t->conf->inform) {
		trap_send(t, pdu, about);
		return;
	}
	inform = t->status.waiting < SENDER_WAITING_MAX ? inform_new(t, pdu, about) : NULL;
	if (!inform) {
		target_fails(t, about, "too many wait for its acknowledgement");
		snmp_free_pdu(pdu);
	} else if (!t->is_probe && t->session) {
		inform_send(t, inform);
	} else {
		ask_for_engine(t);
	}
}

void sender_send(struct sender *s, const struct trap *trap, uint32_t uptime_cs, const char *about)
{
	for (uint32_t i = 0; i < s->n; i++) {
		target_send(&s->targets[i], trap, uptime_cs, about);
		if (s->targets[i].informs)
			loop_timer_set(s->loop, &s->tick, mono_add(mono_now(), TICK_US));
	}
}

/* ---- configuration ---- */
static void target_open(struct target *t)
{
	const char *why = "it cannot be opened";

	t->is_probe = t->conf->inform && t->conf->user;
	if (!t->is_probe)
		t->engine = t->sender->engine;
	session_use(t, t->is_probe ? sender_session_open_probe(t->conf, &why)
				   : sender_session_open(t->sender->conf, t->conf, &t->engine, &why));
	if (!t->session) {
		log_error("snmp: %s: no notifications can be sent: %s", t->name, why);
		status_change(t, TRAP_TARGET_SILENT, why);
		return;
	}
	status_change(t, TRAP_TARGET_UNKNOWN, "nothing was sent yet");
}

static void target_close(struct target *t)
{
	while (t->informs)
		inform_fail(t->informs, "the receiver is no longer configured like this");
	session_close(t);
	sender_session_forget(t->sender->conf, t->conf, &t->engine);
}

static bool secrets_equal(const struct conf *a, conf_index_t i, const struct conf *b, conf_index_t j)
{
	if (i == CONF_NONE || j == CONF_NONE)
		return i == j;
	return i < a->n_trap_secrets && j < b->n_trap_secrets &&
	       memcmp(&a->trap_secrets[i], &b->trap_secrets[j], sizeof(struct conf_secret)) == 0;
}

static bool target_is_same(const struct conf *a, const struct conf *b, uint32_t i)
{
	const struct conf_trap_target *x = &a->trap_targets[i], *y = &b->trap_targets[i];

	return addr_equal(&x->addr, &y->addr) && x->port == y->port && x->inform == y->inform && x->auth == y->auth &&
	       x->priv == y->priv && x->retries == y->retries && x->timeout_us == y->timeout_us &&
	       strcmp(conf_string(a, x->user), conf_string(b, y->user)) == 0 &&
	       secrets_equal(a, x->community, b, y->community) && secrets_equal(a, x->auth_secret, b, y->auth_secret) &&
	       secrets_equal(a, x->priv_secret, b, y->priv_secret);
}

static bool all_same(const struct sender *s, const struct conf *next)
{
	struct sender_engine engine;

	engine.length = sender_engine_id(next, engine.id);
	if (!s->conf || s->n != next->n_trap_targets || engine.length != s->engine.length ||
		memcmp(engine.id, s->engine.id, engine.length) != 0)
		return false;
	for (uint32_t i = 0; i < s->n; i++) {
		if (!target_is_same(s->conf, next, i))
			return false;
	}
	return true;
}

static void targets_close(struct sender *s)
{
	loop_timer_cancel(s->loop, &s->tick);
	for (uint32_t i = 0; i < s->n; i++)
		target_close(&s->targets[i]);
	free(s->targets);
	s->targets = NULL;
	s->n = 0;
}

static void targets_open(struct sender *s, const struct conf *next, uint32_t boots)
{
	s->conf = next;
	s->targets = calloc(next->n_trap_targets, sizeof(*s->targets));
	s->n = s->targets ? next->n_trap_targets : 0;
	if (s->n == 0)
		return;
	library_start();
	s->engine.length = sender_engine_id(next, s->engine.id);
	set_enginetime(s->engine.id, (u_int)s->engine.length, boots,
		(u_int)(mono_diff_us(mono_now(), s->started) / US_PER_S), TRUE);
	for (uint32_t i = 0; i < s->n; i++) {
		struct target *t = &s->targets[i];

		*t = (struct target){.sender = s, .index = i, .conf = &next->trap_targets[i]};
		addr_format_port(&t->conf->addr, t->conf->port, t->name);
		target_open(t);
	}
}

void sender_configure(struct sender *s, const struct conf *next, uint32_t boots)
{
	if (!all_same(s, next)) {
		targets_close(s);
		targets_open(s, next, boots);
		return;
	}
	s->conf = next;
	for (uint32_t i = 0; i < s->n; i++) {
		s->targets[i].conf = &next->trap_targets[i];
		s->ops->changed(s->arg, i, &s->targets[i].status);
	}
}

uint32_t sender_targets(const struct sender *s)
{
	return s->n;
}

bool sender_is_waiting(const struct sender *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		if (s->targets[i].informs)
			return true;
	}
	return false;
}

struct sender *sender_new(struct loop *loop, const struct sender_ops *ops, void *arg)
{
	struct sender *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->loop = loop;
	s->ops = ops;
	s->arg = arg;
	s->started = mono_now();
	s->tick = (struct timer){.fire = on_tick, .arg = s};
	return s;
}

void sender_free(struct sender *s)
{
	if (!s)
		return;
	targets_close(s);
	free(s);
}
