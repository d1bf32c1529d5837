/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Administration: what a client wants of servers becomes an intent, a record on the parent's board, and a line in the
 * intent file. Runs in the parent; the ipvs role acts on the record. */
#include "parent.h"
#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DEFAULT_RUN_DIR "/run/poise"
#define STATE_DIR "/var/lib/poise"

const char *admin_file(const struct parent *p, char buf[PATH_MAX])
{
	const char *dir = p->options.run_dir;

	if (strcmp(dir, DEFAULT_RUN_DIR) == 0) {
		dir = STATE_DIR;
		mkdir(dir, 0755);
	}
	snprintf(buf, PATH_MAX, "%s/intent", dir);
	return buf;
}

void admin_answer(struct parent *p, uint64_t request, enum msg_status status, const char *fmt, ...)
{
	struct msg_answer m = {.request = request, .status = status};
	struct child *control = &p->children[ROLE_CONTROL];
	va_list args;

	va_start(args, fmt);
	vsnprintf(m.text, sizeof(m.text), fmt, args);
	va_end(args);
	if (control->pid)
		msg_send_answer(&control->channel, &m, -1);
}

/* By the machine's own file: a directory service may take its time, and nobody looks after the roles meanwhile. */
void admin_describe(const struct msg_command *m, char *buf, size_t size)
{
	FILE *users = fopen("/etc/passwd", "re");
	const struct passwd *pw = NULL;

	do
		pw = users ? fgetpwent(users) : NULL;
	while (pw && pw->pw_uid != m->uid);
	if (pw)
		snprintf(buf, size, "%s (process %d)", pw->pw_name, m->pid);
	else
		snprintf(buf, size, "uid %u (process %d)", m->uid, m->pid);
	if (users)
		fclose(users);
}

static void tell_written(const struct parent *p, int rc)
{
	if (rc == -EINPROGRESS)
		log_warning("%s: the disk takes its time: what poisectl was told is not written yet", p->keeper.path);
	else if (rc < 0)
		log_error("%s: cannot be written: %s: what poisectl was told will be forgotten at a restart",
			p->keeper.path, strerror(-rc));
}

void admin_write_intents(struct parent *p)
{
	bool was_slow = p->keeper.worker.is_out;
	int rc = keeper_write(&p->keeper, &p->intents);

	if (!was_slow)
		tell_written(p, rc);
}

/* What took its time is written. */
static void on_kept(int fd, uint32_t events, void *arg)
{
	struct parent *p = arg;
	int rc;

	(void)fd;
	(void)events;
	if (!keeper_take(&p->keeper, &rc))
		return;
	tell_written(p, rc);
	if (rc == 0)
		log_info("%s: written", p->keeper.path);
	if (p->keeper.is_owed)
		admin_write_intents(p);
}

void admin_read_intents(struct parent *p)
{
	char path[PATH_MAX], kept[PATH_MAX];
	unsigned bad;
	int rc = intents_read(&p->intents, admin_file(p, path), &bad), error;

	if (rc == 0 && bad == 0)
		return;
	error = intents_keep_file(path, kept, sizeof(kept));
	if (rc < 0)
		log_error("%s: cannot be read: %s: drains, weights and pool changes asked for before are not in force",
			path, strerror(-rc));
	else
		log_error("%s: %u lines are not understood: what they asked for is not in force", path, bad);
	if (error)
		log_error("%s: the next command of poisectl writes it anew, and it cannot be kept: %s: copy it now",
			path, strerror(-error));
	else
		log_error("%s: kept as %s: ask again with poisectl for what is missing", path, kept);
}

void admin_keep_intents(struct parent *p)
{
	char path[PATH_MAX];
	int rc = keeper_start(&p->keeper, admin_file(p, path));

	if (rc == 0 && !loop_io_add(p->loop, keeper_fd(&p->keeper), EPOLLIN, on_kept, p))
		rc = -errno;
	if (rc < 0)
		log_warning(
			"%s: no thread to write it: a disk that takes its time takes ours: %s", path, strerror(-rc));
}

static void forget_end(struct status_admin *admin)
{
	admin->until_real_us = 0;
	admin->drain_end = DRAIN_KEEP;
	admin->keep_known = 0;
}

/* The new record for a server; false when the verb is not about servers. */
static bool decide(const struct msg_command *m, struct status_admin *admin)
{
	if (m->verb == MSG_VERB_UNDRAIN || m->verb == MSG_VERB_MAINT)
		forget_end(admin);
	switch ((enum msg_verb)m->verb) {
	case MSG_VERB_DRAIN:
		admin->admin = ADMIN_DRAIN;
		admin->until_real_us = m->time_us > 0 ? real_now_us() + m->time_us : 0;
		admin->drain_end = m->drain_end;
		admin->keep_known = m->keep_known != 0;
		return true;
	case MSG_VERB_MAINT:
		admin->admin = ADMIN_MAINT;
		return true;
	case MSG_VERB_UNDRAIN:
		admin->admin = ADMIN_NORMAL;
		return true;
	case MSG_VERB_WEIGHT:
		admin->weight = m->value;
		return true;
	case MSG_VERB_HANDOVER:
	case MSG_VERB_TAKE_BACK:
	case MSG_VERB_RELOAD:
	case MSG_VERB_STOP:
	case MSG_VERB_PLAN:
	case MSG_VERB_APPLY:
	case MSG_VERB_CONFIRM:
	case MSG_VERB_SERVER_ADD:
	case MSG_VERB_SERVER_REMOVE:
	case MSG_VERB_COUNT:
		break;
	}
	return false;
}

/* Control says who did what: "drained by root (pid 812)". It becomes part of a file of lines and of log lines, and the
 * process that wrote it parses what strangers say, so only printable characters get through. */
static void set_reason(struct status_admin *admin, const char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size && i < sizeof(admin->why) - 1 && text[i]; i++)
		admin->why[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i];
	memset(admin->why + i, 0, sizeof(admin->why) - i);
}

static void take_reason(struct status_admin *admin, const struct msg_command *m)
{
	/* Never before what was said last, whatever the clocks: the last word is what counts on both nodes. */
	admin->asked_real_us = real_now_us() > admin->asked_real_us ? real_now_us() : admin->asked_real_us + 1;
	/* Why a server is out is worth more than why it would have another weight. */
	if (m->verb == MSG_VERB_WEIGHT && admin->admin != ADMIN_NORMAL)
		return;
	admin->since_real_us = real_now_us();
	set_reason(admin, m->text, sizeof(m->text));
}

/* Into the intents, the file (or the caller writes it), the log, the board and the ring. */
static void keep(struct parent *p, conf_index_t i, const struct status_admin *admin, uint32_t from, bool writes)
{
	struct event event = {.kind = EVENT_ADMIN, .object = i, .from = from, .to = admin->admin};
	char service[CONF_NAME_SIZE], server[CONF_NAME_SIZE];

	conf_service_name(p->conf, p->conf->servers[i].service, service);
	conf_server_name(p->conf, i, server);
	if (intents_set(&p->intents, service, server, admin) < 0)
		log_error("%s %s: %s, but it will be forgotten at a restart: no memory", service, server, admin->why);
	else if (writes)
		admin_write_intents(p);
	log_info("%s %s: %s", service, server, admin->why);
	snprintf(event.name, sizeof(event.name), "%.31s %.31s", service, server);
	snprintf(event.why, sizeof(event.why), "%s", admin->why);
	parent_store(p, PARENT_TABLE_ADMIN, i, admin, sizeof(*admin));
	parent_event(p, &event);
}

static void set_server(struct parent *p, const struct msg_command *m)
{
	struct status_admin admin;
	char service[CONF_NAME_SIZE], server[CONF_NAME_SIZE];
	uint32_t from;

	if (m->generation != p->generation && m->generation != p->conf->generation) {
		admin_answer(p, m->request, MSG_STATUS_STALE, "the configuration has changed meanwhile: try again");
		return;
	}
	if (m->server >= p->conf->n_servers || m->value < -1 || m->value > 65535 || m->drain_end > DRAIN_REMOVE ||
		m->time_us < 0 || m->time_us > 366LL * 86400 * US_PER_S ||
		status_load_admin(p->board, m->server, &admin) < 0) {
		admin_answer(p, m->request, MSG_STATUS_REFUSED, "no such server, or a weight not between 0 and 65535");
		return;
	}
	from = admin.admin;
	decide(m, &admin);
	take_reason(&admin, m);
	keep(p, m->server, &admin, from, true);
	conf_service_name(p->conf, p->conf->servers[m->server].service, service);
	conf_server_name(p->conf, m->server, server);
	admin_answer(p, m->request, MSG_STATUS_OK, "%s %s: %s", service, server, admin.why);
}

/* Of this name in the generation in force, or CONF_NONE. A sorry server may have the address of a real one. */
static conf_index_t find_server(const struct conf *conf, const char *service, const char *server)
{
	char name[CONF_NAME_SIZE];
	struct addr addr;
	uint16_t port;

	/* A node that was away hears of all of them at once: numbers are compared before words are made. */
	if (addr_parse_port(server, &addr, &port) < 0)
		return CONF_NONE;
	for (uint32_t i = 0; i < conf->n_servers; i++) {
		const struct conf_server *s = &conf->servers[i];

		if (s->port == port && !s->is_sorry && addr_equal(&s->addr, &addr) &&
			strcmp(conf_server_name(conf, i, name), server) == 0 &&
			strcmp(conf_service_name(conf, s->service, name), service) == 0)
			return i;
	}
	return CONF_NONE;
}

void admin_hear_peer(struct parent *p, const struct msg_peer_admin *m)
{
	struct status_admin admin = {.admin = m->admin,
		.weight = m->weight,
		.since_real_us = m->since_real_us,
		.asked_real_us = m->asked_real_us,
		.until_real_us = m->until_real_us,
		.drain_end = m->drain_end,
		.keep_known = m->keep_known};
	struct status_admin own;
	struct msg_peer_admin text = *m; /* its ends are made sure of */
	conf_index_t i;

	text.service[sizeof(text.service) - 1] = text.server[sizeof(text.server) - 1] = '\0';
	i = p->conf ? find_server(p->conf, text.service, text.server) : CONF_NONE;
	if (i == CONF_NONE || m->admin > ADMIN_MAINT || m->weight < -1 || m->weight > 65535 ||
		m->drain_end > DRAIN_REMOVE || m->since_real_us <= 0 || m->asked_real_us <= 0 || m->until_real_us < 0 ||
		status_load_admin(p->board, i, &own) < 0 || own.asked_real_us >= m->asked_real_us)
		return;
	set_reason(&admin, m->why, sizeof(m->why));
	keep(p, i, &admin, own.admin, false);
	pool_owe(p);
}

static void tell_command(struct parent *p, const char *name, const char *who)
{
	struct event event = {.kind = EVENT_COMMAND, .to = 1};

	snprintf(event.name, sizeof(event.name), "%s", name);
	snprintf(event.why, sizeof(event.why), "by %s", who);
	parent_event(p, &event);
}

static void begin_reload(struct parent *p, const struct msg_command *m, const char *who)
{
	static const enum reload_goal goals[] = {
		[MSG_VERB_RELOAD] = RELOAD_FILE, [MSG_VERB_PLAN] = RELOAD_PLAN, [MSG_VERB_APPLY] = RELOAD_APPLY};
	struct reload_order order = {.goal = goals[m->verb],
		.request = m->request,
		.is_quiet = m->verb == MSG_VERB_PLAN && m->value == 1,
		.confirm_us = m->verb == MSG_VERB_APPLY ? m->time_us : 0};

	/* Control says where a message ends; what it parses is strangers' words. */
	snprintf(order.file, sizeof(order.file), "%.*s", (int)sizeof(m->file) - 1, m->file);
	snprintf(order.who, sizeof(order.who), "%s", who);
	if (order.confirm_us < 0 || order.confirm_us > 366LL * 86400 * US_PER_S) {
		admin_answer(p, m->request, MSG_STATUS_REFUSED, "no such time to confirm");
		return;
	}
	if (reload_begin(p, &order) < 0)
		admin_answer(p, m->request, MSG_STATUS_BUSY, "another configuration is being loaded");
	else if (order.goal != RELOAD_PLAN)
		log_info("configuration: %s asked for by %s", order.goal == RELOAD_APPLY ? order.file : "reload", who);
}

/* vrrp answers when it is done. */
static void pass_handover(struct parent *p, const struct msg_command *m, const char *who)
{
	struct child *vrrp = &p->children[ROLE_VRRP];
	struct msg_handover order = {.request = m->request,
		.generation = m->generation,
		.instance = m->instance,
		.back = m->verb == MSG_VERB_TAKE_BACK};

	if (m->generation != p->generation && m->generation != p->conf->generation) {
		admin_answer(p, m->request, MSG_STATUS_STALE, "the configuration has changed meanwhile: try again");
		return;
	}
	log_info("vrrp: %s asked for by %s", order.back ? "taking back" : "a handover", who);
	tell_command(p, order.back ? "take back" : "handover", who);
	if (!vrrp->pid || msg_send_handover(&vrrp->channel, &order, -1) < 0)
		admin_answer(p, m->request, MSG_STATUS_REFUSED, "the vrrp role does not run: see poisectl status");
}

void admin_command(struct parent *p, const struct msg_command *m)
{
	char who[80];

	admin_describe(m, who, sizeof(who));
	switch ((enum msg_verb)m->verb) {
	case MSG_VERB_DRAIN:
	case MSG_VERB_UNDRAIN:
	case MSG_VERB_MAINT:
	case MSG_VERB_WEIGHT:
		set_server(p, m);
		return;
	case MSG_VERB_RELOAD:
	case MSG_VERB_PLAN:
	case MSG_VERB_APPLY:
		begin_reload(p, m, who);
		return;
	case MSG_VERB_CONFIRM:
		apply_confirm(p, m, who);
		return;
	case MSG_VERB_SERVER_ADD:
	case MSG_VERB_SERVER_REMOVE:
		pool_command(p, m, who);
		return;
	case MSG_VERB_HANDOVER:
	case MSG_VERB_TAKE_BACK:
		pass_handover(p, m, who);
		return;
	case MSG_VERB_STOP:
		log_info("poised: stop asked for by %s", who);
		tell_command(p, "stop", who);
		admin_answer(p, m->request, MSG_STATUS_OK, "stopping");
		stop_begin(p);
		return;
	case MSG_VERB_COUNT:
		break;
	}
	admin_answer(p, m->request, MSG_STATUS_REFUSED, "this poised does not know that command");
}

void admin_fill_board(struct parent *p, struct board *board)
{
	char service[CONF_NAME_SIZE], server[CONF_NAME_SIZE];

	for (uint32_t i = 0; i < p->conf->n_servers && p->intents.count > 0; i++) {
		const struct intent *intent;

		/* A sorry server may have the address of a real one: it is not the one that was meant. */
		if (p->conf->servers[i].is_sorry)
			continue;
		conf_service_name(p->conf, p->conf->servers[i].service, service);
		conf_server_name(p->conf, i, server);
		intent = intents_find(&p->intents, service, server);
		if (intent)
			board_store(board, PARENT_TABLE_ADMIN, i, &intent->admin, sizeof(intent->admin));
	}
}
