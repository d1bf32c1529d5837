/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control process: the socket of poisectl. It reads boards to answer questions and forwards changes to the parent;
 * it holds no privilege, keeps no state of its own, and whatever its clients do, nobody else waits for it. */
#include "config.h"

#include "control_access.h"
#include "control_admin.h"
#include "control_client.h"
#include "control_disk.h"
#include "control_events.h"
#include "control_match.h"
#include "control_status.h"
#include "control_weigh.h"
#include "log.h"
#include "role.h"
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX 256
/* The last places are kept for those who may change things, so that onlookers cannot lock the operator out. */
#define CLIENTS_RESERVED 32
/* How long an answer waits for boards of two generations to agree, in the middle of a reload. */
#define SETTLE_US US_PER_S
#define SETTLE_STEP_US (20 * US_PER_MS)
/* How long an answer waits to hear how the files of the configuration stand on disk. */
#define DISK_US (250 * US_PER_MS)
#define LOG_INTERVAL_US (10 * US_PER_S)
/* Answers that clients have not read yet may take this much memory together (and one more); who may only look has half
 * of it. Who asks beyond that waits for his turn. */
#define OWED_MAX ((size_t)64 << 20)
#define TURN_US (10 * US_PER_S)

struct control {
	struct role_process *process;
	const struct conf *conf; /* what numbers refer to: the next generation from commit() on */
	struct loop_io *listener_io;
	int listener;
	struct access access;
	struct administration admin;
	struct weigher weigher;
	struct disk disk;
	struct client *clients;
	unsigned n_clients;
	uint64_t last_client;
	struct log_limit full_limit, refused_limit;
};

static struct status_source source_of(const struct control *c)
{
	return (struct status_source){.conf = c->conf, .boards = c->process->boards};
}

static void answer_error(struct client *client, const char *reason, const char *error)
{
	size_t length = 0;
	char *text = admin_error(reason, error, &length);

	client_answer(client, text, length);
}

static void begin_result(struct writer *w)
{
	writer_object(w, NULL);
	writer_bool(w, "ok", true);
}

static void end_result(struct writer *w, struct client *client)
{
	size_t length = 0;
	char *text;

	writer_end(w);
	text = writer_take(w, &length);
	client_answer(client, text, length);
}

/* ---- questions ---- */

static void answer_status(struct control *c, struct client *client)
{
	struct status_source source = source_of(c);
	struct writer w = {0};

	if (!mono_before(c->disk.begun, client->asked)) {
		source.disk_mtime_real_us = c->disk.file_mtime_real_us;
		source.origins_changed = c->disk.has_changed_origins;
	}
	begin_result(&w);
	status_write(&w, "result", &source);
	end_result(&w, client);
}

static void answer_servers(struct control *c, struct client *client)
{
	struct status_source source = source_of(c);
	struct match match;
	struct writer w = {0};
	char error[MATCH_ERROR_SIZE];

	if (match_servers(c->conf, client->request.server, client->request.service, &match, error) < 0) {
		answer_error(client, "refused", error);
		return;
	}
	begin_result(&w);
	writer_object(&w, "result");
	status_write_kernel(&w, &source);
	writer_array(&w, "servers");
	for (size_t i = 0; i < match.count; i++)
		status_write_server(&w, &source, match.servers[i], true);
	writer_end(&w);
	writer_end(&w);
	match_free(&match);
	end_result(&w, client);
}

static void answer_show(struct control *c, struct client *client)
{
	struct status_source source = source_of(c);
	struct writer w = {0};

	begin_result(&w);
	writer_object(&w, "result");
	status_write_sysctls(&w, &source);
	status_write_guards(&w, &source);
	writer_end(&w);
	end_result(&w, client);
}

static void answer_events(struct control *c, struct client *client)
{
	struct status_source source = source_of(c);
	struct writer w = {0};

	begin_result(&w);
	events_write(&w, "result", &source, client->request.after);
	end_result(&w, client);
}

static void answer_version(struct control *c, struct client *client)
{
	struct writer w = {0};

	begin_result(&w);
	writer_object(&w, "result");
	writer_string(&w, "version", PACKAGE_VERSION);
	writer_count(&w, "generation", c->conf->generation);
	writer_end(&w);
	end_result(&w, client);
}

/* ---- changes ---- */

static void begin_change(struct control *c, struct client *client)
{
	const struct access_peer *peer = &client->peer;
	char error[MATCH_ERROR_SIZE];
	uint32_t held_back;

	if (!peer->may_change) {
		if (log_limit_pass(&c->refused_limit, LOG_INTERVAL_US, &held_back))
			log_warning("control: %s by %s (uid %u, pid %d) refused: neither root nor in group %s",
				request_name(client->request.command), peer->name, peer->uid, peer->pid, ACCESS_GROUP);
		snprintf(error, sizeof(error), "user %s may look but not change anything: become root or join group %s",
			peer->name, ACCESS_GROUP);
		answer_error(client, "denied", error);
		return;
	}
	if (admin_start(&c->admin, &client->request, peer, client->id, error) < 0)
		answer_error(client, "refused", error);
}

static void on_change_done(void *ctx, uint64_t id, char *answer, size_t length)
{
	struct control *c = ctx;

	for (struct client *client = c->clients; client; client = client->next) {
		if (client->id == id) {
			client_answer(client, answer, length);
			return;
		}
	}
	/* The client did not wait for the result; the log has it. */
	free(answer);
}

/* ---- requests ---- */

static void perform(struct control *c, struct client *client)
{
	switch (client->request.command) {
	case REQUEST_STATUS:
		answer_status(c, client);
		return;
	case REQUEST_SERVERS:
		answer_servers(c, client);
		return;
	case REQUEST_EVENTS:
		answer_events(c, client);
		return;
	case REQUEST_VERSION:
		answer_version(c, client);
		return;
	case REQUEST_SHOW:
		answer_show(c, client);
		return;
	case REQUEST_DRAIN:
	case REQUEST_UNDRAIN:
	case REQUEST_MAINT:
	case REQUEST_READY:
	case REQUEST_WEIGHT:
	case REQUEST_RELOAD:
	case REQUEST_PLAN:
	case REQUEST_APPLY:
	case REQUEST_CONFIRM:
	case REQUEST_SERVER_ADD:
	case REQUEST_SERVER_REMOVE:
	case REQUEST_HANDOVER:
		begin_change(c, client);
		return;
	case REQUEST_COMMAND_COUNT:
		break;
	}
	answer_error(client, "usage", "no such command");
}

/* A question that tells of the files on disk was asked after the last look at them. */
static bool must_look(struct control *c, const struct client *client, struct mono now)
{
	struct status_source source = source_of(c);
	struct status_daemon daemon;

	if (client->request.command != REQUEST_STATUS || mono_diff_us(now, client->asked) >= DISK_US ||
		!status_load(&source, ROLE_PARENT, PARENT_TABLE_DAEMON, 0, &daemon, sizeof(daemon)))
		return false;
	if (mono_before(c->disk.begun, client->asked))
		disk_look(&c->disk, daemon.config_file, c->conf);
	return mono_before(c->disk.begun, client->asked);
}

/* Is there memory for one more answer? */
static bool has_room(const struct control *c, const struct client *client)
{
	size_t owed = 0;

	for (const struct client *other = c->clients; other; other = other->next)
		owed += client_owed(other);
	return owed < OWED_MAX / (client->peer.may_change ? 1 : 2);
}

/* Performs the request, or tries again soon when boards and configuration do not agree yet, or others do not read what
 * they have asked for. */
static void perform_when_settled(struct control *c, struct client *client)
{
	struct status_source source = source_of(c);
	bool is_settled = status_is_settled(&source), has_turn = has_room(c, client);
	struct mono now = mono_now();
	bool waits_for_disk = c->conf && must_look(c, client, now);
	int64_t waited_us = mono_diff_us(now, client->asked);

	if ((!is_settled && waited_us < SETTLE_US) || (!has_turn && waited_us < TURN_US)) {
		loop_timer_set(c->process->loop, &client->retry, mono_add(now, SETTLE_STEP_US));
		return;
	}
	if (!has_turn)
		answer_error(client, "busy", "too much waits to be read by other clients of poised: try again");
	else if (waits_for_disk)
		loop_timer_set(c->process->loop, &client->retry, mono_add(client->asked, DISK_US));
	else if (c->conf)
		perform(c, client);
	else
		answer_error(client, "busy", "poised is still loading its configuration: try again");
}

static void on_retry(struct timer *timer, void *arg)
{
	struct client *client = (struct client *)(void *)((char *)timer - offsetof(struct client, retry));

	perform_when_settled(arg, client);
}

static void on_looked(void *arg)
{
	struct control *c = arg;
	struct client *next;

	for (struct client *client = c->clients; client; client = next) {
		next = client->next;
		if (!client->retry.slot || client->request.command != REQUEST_STATUS)
			continue;
		loop_timer_cancel(c->process->loop, &client->retry);
		perform_when_settled(c, client);
	}
}

static void on_line(struct client *client, const char *line, size_t length, void *arg)
{
	char error[REQUEST_ERROR_SIZE];

	if (request_parse(line, length, &client->request, error) < 0) {
		answer_error(client, "usage", error);
		return;
	}
	perform_when_settled(arg, client);
}

/* ---- clients ---- */

static void on_closed(struct client *client, void *arg)
{
	struct control *c = arg;

	*client->link = client->next;
	if (client->next)
		client->next->link = client->link;
	c->n_clients--;
}

static const struct client_ops client_ops = {.line = on_line, .closed = on_closed};

static void turn_away(struct control *c, int fd)
{
	size_t length = 0;
	char *text = admin_error("busy", "too many connections to poised: close some or try again", &length);
	uint32_t held_back;

	/* It fits into a fresh socket's buffer; if not, the client sees the end of the connection. */
	if (text && send(fd, text, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_debug("control: a client could not be told that all places are taken: %s", strerror(errno));
	free(text);
	close(fd);
	if (log_limit_pass(&c->full_limit, LOG_INTERVAL_US, &held_back))
		log_warning("control: a connection was turned away: %u clients are connected", c->n_clients);
}

static void welcome(struct control *c, int fd)
{
	struct access_peer peer;
	struct client *client;

	if (access_identify(&c->access, fd, &peer) < 0) {
		close(fd);
		return;
	}
	if (c->n_clients >= CLIENTS_MAX - (peer.may_change ? 0 : CLIENTS_RESERVED)) {
		turn_away(c, fd);
		return;
	}
	client = client_new(c->process->loop, fd, &client_ops, c);
	if (!client) {
		log_warning("control: a connection could not be taken: %s", strerror(errno));
		return;
	}
	client->id = ++c->last_client;
	client->peer = peer;
	client->retry.fire = on_retry;
	client->retry.arg = c;
	client->next = c->clients;
	client->link = &c->clients;
	if (client->next)
		client->next->link = &client->next;
	c->clients = client;
	c->n_clients++;
}

static void on_connection(int listener, uint32_t events, void *arg)
{
	(void)events;
	/* A bounded number for each round; the loop comes back when there are more. */
	for (int i = 0; i < 16; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		welcome(arg, fd);
	}
}

/* ---- the role ---- */

static int control_open(struct role_process *p)
{
	struct control *c = p->ctx;

	c->process = p;
	c->admin.process = p;
	access_load(&c->access);
	disk_init(&c->disk, p->loop, on_looked, c);
	return 0;
}

static int control_prepare(struct role_process *p, const struct conf *next, char *why)
{
	(void)p;
	(void)next;
	(void)why;
	return 0; /* nothing here depends on what the configuration says */
}

static void control_commit(struct role_process *p, const struct conf *next)
{
	const struct board_shape empty = {0};
	struct control *c = p->ctx;
	struct board *board = board_create(ROLE_CONTROL, next->generation, &empty);

	c->conf = next;
	admin_switch(&c->admin, next);
	/* The board of this role is only its beat. */
	if (board)
		role_publish_board(p, board);
	else
		log_error("control: no board for generation %llu: %s", (unsigned long long)next->generation,
			strerror(errno));
}

static void control_file(struct role_process *p, enum msg_purpose purpose, uint32_t index, int fd)
{
	struct control *c = p->ctx;

	(void)index;
	if (purpose != MSG_PURPOSE_LISTENER || c->listener_io) {
		close(fd);
		return;
	}
	c->listener = fd;
	c->listener_io = loop_io_add(p->loop, fd, EPOLLIN, on_connection, c);
	if (!c->listener_io)
		log_error("control: poisectl will find nobody: %s", strerror(errno));
}

static void control_stop(struct role_process *p, bool keep)
{
	struct control *c = p->ctx;

	(void)keep;
	loop_io_remove(c->listener_io);
	c->listener_io = NULL;
	if (c->listener >= 0)
		close(c->listener);
	c->listener = -1;
	while (c->clients)
		client_close(c->clients);
	weigher_free(&c->weigher);
	access_free(&c->access);
	role_exit(p, 0);
}

static void on_answer(void *ctx, const struct msg_answer *m, int fd)
{
	struct role_process *p = ctx;
	struct control *c = p->ctx;

	(void)fd;
	admin_answer(&c->admin, m);
}

static void on_candidate(void *ctx, const struct msg_candidate *m, int fd)
{
	struct role_process *p = ctx;
	struct control *c = p->ctx;

	weigher_take(&c->weigher, m, conf_open_checked(fd));
}

static const struct msg_handlers handlers = {.answer = on_answer, .candidate = on_candidate};

static const struct role_ops ops = {
	.role = ROLE_CONTROL,
	.open = control_open,
	.prepare = control_prepare,
	.commit = control_commit,
	.file = control_file,
	.handlers = &handlers,
	.stop = control_stop,
};

int main(int argc, char **argv)
{
	static struct control control = {.listener = -1};

	control.admin.done = on_change_done;
	control.admin.ctx = &control;
	control.weigher.admin = &control.admin;
	/* The memory of large answers goes back to the system when they are read. */
	mallopt(M_MMAP_THRESHOLD, 256 << 10);
	return role_main(&ops, &control, argc, argv);
}
