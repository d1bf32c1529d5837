/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watches processes for the script role: the kernel's process events tell of each that starts, changes its name or
 * ends; /proc says what it is. Where there are no events (in a network namespace or a container) it looks at /proc
 * every second instead. It signals nobody. */
#include "script_processes.h"

#include "log.h"
#include "script_match.h"
#include "status.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SCAN_US (1 * US_PER_S)   /* without events */
#define AUDIT_US (10 * US_PER_S) /* with them: what was lost is found then */
#define SCAN_SOON_US (50 * US_PER_MS)
#define LINE_SIZE 4096
#define READ_BUDGET 256
#define BUFFER_SIZE (1 << 20)

/* A process that is one of the tracked ones; one that is several has several. */
struct match {
	pid_t pid;
	conf_index_t process;
};

struct watched {
	struct script_processes *processes;
	conf_index_t index;
	uint32_t count;
	struct script_quorum quorum;
	struct status_watch status;
	struct timer delay;
};

struct script_processes {
	struct role_process *role;
	const struct conf *conf;
	struct watched *watched;
	struct match *matches;
	size_t n_matches, room;
	bool needs_line;
	int fd; /* of the process events, -1 = none */
	struct loop_io *io;
	struct timer scan;
};

/* ---- /proc ---- */

static ssize_t read_small(pid_t pid, const char *what, char *buffer, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, buffer, size);
	close(fd);
	return n;
}

/* One that has ended and waits for its parent does not run any more. */
static bool is_zombie(pid_t pid)
{
	char stat[512], *state;
	ssize_t n = read_small(pid, "stat", stat, sizeof(stat) - 1);

	if (n <= 0)
		return true;
	stat[n] = '\0';
	/* The name is in parentheses and may hold anything. */
	state = strrchr(stat, ')');
	return !state || state[1] == '\0' || state[2] == 'Z' || state[2] == 'X';
}

static void add_match(struct script_processes *p, pid_t pid, conf_index_t process)
{
	if (p->n_matches == p->room) {
		size_t room = p->room ? 2 * p->room : 32;
		struct match *matches = reallocarray(p->matches, room, sizeof(*matches));

		if (!matches)
			return;
		p->matches = matches;
		p->room = room;
	}
	p->matches[p->n_matches++] = (struct match){pid, process};
	p->watched[process].count++;
}

static void forget(struct script_processes *p, pid_t pid)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n_matches; i++) {
		if (p->matches[i].pid == pid)
			p->watched[p->matches[i].process].count--;
		else
			p->matches[kept++] = p->matches[i];
	}
	p->n_matches = kept;
}

static void look_at(struct script_processes *p, pid_t pid)
{
	char name[64], line[LINE_SIZE];
	ssize_t n = read_small(pid, "comm", name, sizeof(name) - 1), size = 0;

	forget(p, pid);
	if (n <= 0)
		return;
	name[n] = '\0';
	name[strcspn(name, "\n")] = '\0';
	if (p->needs_line)
		size = read_small(pid, "cmdline", line, sizeof(line));
	/* What is longer than that is cut; a tracked line is not so long. */
	if (size == (ssize_t)sizeof(line))
		line[size - 1] = '\0';
	for (uint32_t i = 0; i < p->conf->n_processes; i++) {
		if (script_match_process(p->conf, &p->conf->processes[i], name, line, size > 0 ? (size_t)size : 0) &&
			!is_zombie(pid))
			add_match(p, pid, i);
	}
}

static void look_at_all(struct script_processes *p)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	if (!proc)
		return;
	p->n_matches = 0;
	for (uint32_t i = 0; i < p->conf->n_processes; i++)
		p->watched[i].count = 0;
	while ((entry = readdir(proc))) {
		if (isdigit((unsigned char)entry->d_name[0]))
			look_at(p, (pid_t)atoi(entry->d_name));
	}
	closedir(proc);
}

/* ---- the board ---- */

static void describe(struct watched *w)
{
	const struct conf_process *c = &w->processes->conf->processes[w->index];
	char wanted[64] = "";

	if (c->quorum != 1 || c->quorum_max != UINT32_MAX)
		snprintf(wanted, sizeof(wanted), ", %u to %u are wanted", c->quorum, c->quorum_max);
	if (c->quorum_max == UINT32_MAX && c->quorum != 1)
		snprintf(wanted, sizeof(wanted), ", %u are wanted", c->quorum);
	snprintf(w->status.why, sizeof(w->status.why), "%u %.80s running%s", w->count,
		conf_string(w->processes->conf, c->command.argv), wanted);
}

/* Returns true when somebody wants to know of it. */
static bool judge(struct watched *w)
{
	struct script_processes *p = w->processes;
	int64_t next_us;
	bool changed = script_quorum_step(&w->quorum, &p->conf->processes[w->index], w->count, mono_now().us, &next_us);

	if (next_us)
		loop_timer_set(p->role->loop, &w->delay, (struct mono){next_us});
	else
		loop_timer_cancel(p->role->loop, &w->delay);
	changed |= w->status.value != (int32_t)w->count;
	if (w->status.is_known && !changed)
		return false;
	if (w->status.is_up != w->quorum.is_up || !w->status.is_known)
		w->status.since_real_us = real_now_us();
	w->status.is_known = 1;
	w->status.is_up = w->quorum.is_up;
	w->status.value = (int32_t)w->count;
	describe(w);
	return true;
}

static void judge_all(struct script_processes *p)
{
	for (uint32_t i = 0; i < p->conf->n_processes; i++) {
		struct watched *w = &p->watched[i];

		if (judge(w))
			role_store(p->role, SCRIPT_TABLE_PROCESS, i, &w->status, sizeof(w->status));
	}
}

static void on_delay(struct timer *timer, void *arg)
{
	struct watched *w = arg;

	(void)timer;
	if (judge(w))
		role_store(w->processes->role, SCRIPT_TABLE_PROCESS, w->index, &w->status, sizeof(w->status));
}

static void on_scan(struct timer *timer, void *arg)
{
	struct script_processes *p = arg;

	look_at_all(p);
	judge_all(p);
	loop_timer_set(p->role->loop, timer, mono_add(mono_now(), p->fd < 0 ? SCAN_US : AUDIT_US));
}

/* ---- events ---- */

static void take_event(struct script_processes *p, const struct proc_event *event)
{
	/* Threads come and go, too; they are no processes. */
	switch ((unsigned)event->what) {
	case PROC_EVENT_FORK:
		if (event->event_data.fork.child_pid == event->event_data.fork.child_tgid)
			look_at(p, event->event_data.fork.child_pid);
		return;
	case PROC_EVENT_EXEC:
		look_at(p, event->event_data.exec.process_tgid);
		return;
	case PROC_EVENT_COMM:
		if (event->event_data.comm.process_pid == event->event_data.comm.process_tgid)
			look_at(p, event->event_data.comm.process_pid);
		return;
	case PROC_EVENT_EXIT:
		if (event->event_data.exit.process_pid == event->event_data.exit.process_tgid)
			forget(p, event->event_data.exit.process_pid);
		return;
	}
}

/* The structures of the connector are packed and ours need not be aligned: copied out. */
static void take_datagram(struct script_processes *p, const char *data, size_t size)
{
	const size_t head = NLMSG_HDRLEN + sizeof(struct cn_msg);
	struct proc_event event;
	struct cn_msg message;

	if (size < head + sizeof(event))
		return;
	memcpy(&message, data + NLMSG_HDRLEN, sizeof(message));
	if (message.id.idx != CN_IDX_PROC || message.id.val != CN_VAL_PROC)
		return;
	memcpy(&event, data + head, sizeof(event));
	take_event(p, &event);
}

static void on_events(int fd, uint32_t events, void *arg)
{
	struct script_processes *p = arg;
	char buffer[4096] __attribute__((aligned(NLMSG_ALIGNTO)));

	(void)events;
	for (int i = 0; i < READ_BUDGET; i++) {
		struct sockaddr_nl from;
		socklen_t length = sizeof(from);
		ssize_t n = recvfrom(fd, buffer, sizeof(buffer), MSG_DONTWAIT, (struct sockaddr *)&from, &length);

		if (n < 0 && errno == EAGAIN)
			break;
		/* Some were lost: /proc knows. */
		if (n < 0 && errno == ENOBUFS)
			loop_timer_set(p->role->loop, &p->scan, mono_add(mono_now(), SCAN_SOON_US));
		if (n > 0 && from.nl_pid == 0)
			take_datagram(p, buffer, (size_t)n);
	}
	judge_all(p);
}

/* Returns a socket that is subscribed, or -errno. */
static int subscribe(void)
{
	struct sockaddr_nl local = {.nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC};
	struct {
		struct nlmsghdr head;
		struct cn_msg message;
		enum proc_cn_mcast_op op;
	} __attribute__((packed)) request = {.head = {.nlmsg_len = sizeof(request), .nlmsg_type = NLMSG_DONE},
		.message = {.id = {CN_IDX_PROC, CN_VAL_PROC}, .len = sizeof(enum proc_cn_mcast_op)},
		.op = PROC_CN_MCAST_LISTEN};
	const int size = BUFFER_SIZE;
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR), error;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&local, sizeof(local)) == 0 &&
		send(fd, &request, sizeof(request), 0) == (ssize_t)sizeof(request))
		return fd;
	error = -errno;
	close(fd);
	return error;
}

static void listen_to_events(struct script_processes *p)
{
	int fd = subscribe();

	if (fd >= 0)
		p->io = loop_io_add(p->role->loop, fd, EPOLLIN, on_events, p);
	if (p->io) {
		p->fd = fd;
		return;
	}
	if (fd >= 0)
		close(fd);
	log_info("script: no process events here (%s): tracked processes are looked for every second",
		strerror(fd < 0 ? -fd : ENOMEM));
}

/* ---- life ---- */

struct script_processes *script_processes_begin(struct role_process *role, const struct conf *conf, struct board *fresh)
{
	struct script_processes *p;

	if (conf->n_processes == 0)
		return NULL;
	p = calloc(1, sizeof(*p));
	if (p)
		p->watched = calloc(conf->n_processes, sizeof(*p->watched));
	if (!p || !p->watched) {
		free(p);
		log_error("script: processes are not tracked: out of memory");
		return NULL;
	}
	p->role = role;
	p->conf = conf;
	p->fd = -1;
	p->scan = (struct timer){.fire = on_scan, .arg = p};
	/* Before the first look, so that nothing is missed in between. */
	listen_to_events(p);
	for (uint32_t i = 0; i < conf->n_processes; i++) {
		p->watched[i] = (struct watched){.processes = p, .index = i};
		p->watched[i].delay = (struct timer){.fire = on_delay, .arg = &p->watched[i]};
		p->needs_line |= script_match_needs_line(&conf->processes[i]);
	}
	look_at_all(p);
	for (uint32_t i = 0; i < conf->n_processes; i++) {
		judge(&p->watched[i]);
		board_store(fresh, SCRIPT_TABLE_PROCESS, i, &p->watched[i].status, sizeof(struct status_watch));
	}
	loop_timer_set(role->loop, &p->scan, mono_add(mono_now(), p->fd < 0 ? SCAN_US : AUDIT_US));
	return p;
}

void script_processes_free(struct script_processes *p)
{
	if (!p)
		return;
	loop_timer_cancel(p->role->loop, &p->scan);
	for (uint32_t i = 0; i < p->conf->n_processes; i++)
		loop_timer_cancel(p->role->loop, &p->watched[i].delay);
	if (p->io)
		loop_io_remove(p->io);
	if (p->fd >= 0)
		close(p->fd);
	free(p->matches);
	free(p->watched);
	free(p);
}
