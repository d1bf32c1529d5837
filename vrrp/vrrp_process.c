/* SPDX-License-Identifier: GPL-2.0-or-later */
/* poise-vrrp: the process that speaks VRRP and holds the virtual addresses. Here are its start, its privileges, the
 * switch between configurations and the order of work in a round of the loop; it waits for nothing but the kernel's
 * answer to a batch of addresses, and never for another process. */
#include "vrrp_process.h"
#include "vrrp_ear.h"
#include <errno.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef POISE_SANITIZERS
#define POISE_SANITIZERS 0
#endif

/* The shadow memory of the sanitizers is larger than any machine's. */
static const bool locks_memory = !POISE_SANITIZERS;

#define USUAL_RT_PRIORITY 50
#define TIMERS_AN_INSTANCE 2
#define TIMERS_BESIDE 12
#define RETRY_US (1 * US_PER_S)
#define PATHS_REST_US (5 * US_PER_MS)

/* ---- the round ---- */

/* Notifications wait in their socket until the fresh image is there: they are newer. */
static void read_interfaces_anew(struct vrrp_process *process)
{
	struct mono now = mono_now(), next = process->addresses.read_not_before;

	if (mono_before(now, process->addresses.not_before))
		return; /* the addresses wait for that, too */
	if (mono_before(now, next))
		loop_timer_set(process->role->loop, &process->retry, next);
	else if (vrrp_addresses_read_anew(&process->addresses) == 0)
		loop_io_events(process->monitor_io, 0);
	else
		loop_timer_set(process->role->loop, &process->retry, mono_add(now, RETRY_US));
}

/* Whether the object of this instance has to be there; what belongs to none always has. */
static bool is_held(const struct vrrp_process *process, conf_index_t instance)
{
	return instance == CONF_NONE || process->set->instances[instance].holds;
}

/* Routes and rules come after the addresses that they may speak from. */
static void pave(struct vrrp_process *process)
{
	struct vrrp_set *set = process->set;
	const struct conf *conf = set->conf;
	struct mono next;

	for (uint32_t i = 0; i < conf->n_routes; i++)
		set->ways[i].is_wanted = is_held(process, conf->routes[i].instance);
	for (uint32_t i = 0; i < conf->n_rules; i++)
		set->ways[conf->n_routes + i].is_wanted = is_held(process, conf->rules[i].instance);
	for (uint32_t i = 0; i < conf->n_links; i++)
		set->ways[conf->n_routes + conf->n_rules + i].is_wanted = true;
	next = vrrp_pave_apply(&process->pave, conf, set->ways, mono_now(), vrrp_report_way, process);
	if (mono_is_set(next))
		loop_timer_set(process->role->loop, &process->paths_due, next);
	else
		loop_timer_cancel(process->role->loop, &process->paths_due);
}

/* What has to go first goes first: facts change states, states change addresses, and announcements (timers of their
 * own) follow when the addresses are there. */
void vrrp_process_round(struct vrrp_process *process)
{
	struct loop *loop = process->role->loop;
	int changes = process->monitor.changes;
	struct mono next;

	if (!process->set)
		return;
	process->monitor.changes = 0;
	if (changes & (LINK_STATE | LINK_ADDRESS_GONE))
		process->addresses_changed = process->pave.must_look = true;
	if (changes || process->facts_changed) {
		process->facts_changed = false;
		vrrp_facts_evaluate(process);
	}
	/* While the courier is out it stays noted; his return goes on here. */
	if (vrrp_courier_is_out(&process->addresses.courier))
		return;
	if (!process->addresses_changed) {
		pave(process);
		return;
	}
	process->addresses_changed = false;
	for (uint32_t i = 0; i < process->set->conf->n_addresses; i++)
		process->set->wishes[i].is_wanted = is_held(process, process->set->conf->addresses[i].instance);
	if (process->monitor.is_stale)
		read_interfaces_anew(process);
	next = vrrp_addresses_apply(&process->addresses, process->set->conf, process->set->wishes, mono_now(),
		vrrp_report_address, process);
	if (mono_is_set(next))
		loop_timer_set(loop, &process->addresses_due, next);
	else
		loop_timer_cancel(loop, &process->addresses_due);
	if (process->monitor.changes)
		vrrp_process_round_soon(process);
	pave(process);
}

void vrrp_process_round_soon(struct vrrp_process *process)
{
	if (!process->round.slot)
		loop_timer_set(process->role->loop, &process->round, mono_now());
}

static void on_round(struct timer *timer, void *arg)
{
	(void)timer;
	vrrp_process_round(arg);
}

static void on_addresses_due(struct timer *timer, void *arg)
{
	struct vrrp_process *process = arg;

	(void)timer;
	process->addresses_changed = true;
	vrrp_process_round(process);
}

static void on_paths_due(struct timer *timer, void *arg)
{
	(void)timer;
	vrrp_process_round(arg);
}

/* A route or rule changed; not at once, since they often change many at a time. */
static void on_paths(int fd, uint32_t events, void *arg)
{
	struct vrrp_process *process = arg;

	(void)events;
	vrrp_pave_heard(&process->pave, vrrp_ear_read(fd));
	if (!process->paths_due.slot || mono_before(mono_add(mono_now(), PATHS_REST_US), process->paths_due.at))
		loop_timer_set(process->role->loop, &process->paths_due, mono_add(mono_now(), PATHS_REST_US));
}

static void on_retry(struct timer *timer, void *arg)
{
	struct vrrp_process *process = arg;

	(void)timer;
	process->facts_changed = process->addresses_changed = true;
	vrrp_process_round(process);
}

static void on_facts_due(struct timer *timer, void *arg)
{
	struct vrrp_process *process = arg;

	(void)timer;
	process->facts_changed = true;
	vrrp_process_round(process);
}

static void on_monitor(int fd, uint32_t events, void *arg)
{
	struct vrrp_process *process = arg;

	(void)fd;
	(void)events;
	/* What is known stays in force until it can be read anew. */
	if (vrrp_monitor_read(&process->monitor) < 0)
		process->addresses_changed = true;
	if (process->monitor.changes || process->addresses_changed)
		vrrp_process_round(process);
}

/* Announcements may have waited for what the courier was out for, or for their turn after it. */
static void go_on_announcing(struct vrrp_process *process)
{
	for (uint32_t i = 0; i < process->set->conf->n_instances; i++) {
		struct vrrp_instance *instance = &process->set->instances[i];

		if (mono_is_set(instance->announcer.next) && !instance->announce.slot)
			loop_timer_set(process->role->loop, &instance->announce, instance->announcer.next);
	}
}

/* What the kernel answered. */
static void on_courier(int fd, uint32_t events, void *arg)
{
	struct vrrp_process *process = arg;
	struct mono now = mono_now();

	(void)fd;
	(void)events;
	if (vrrp_pave_is_out(&process->pave)) {
		if (!vrrp_pave_back(&process->pave, process->set->ways, now, vrrp_report_way, process))
			return;
	} else {
		if (!vrrp_addresses_back(&process->addresses, process->set->wishes, now, vrrp_report_address, process))
			return;
		loop_io_events(process->monitor_io, EPOLLIN);
		process->addresses_changed = true;
	}
	vrrp_process_round(process);
	go_on_announcing(process);
}

/* ---- start ---- */

/* The threads work for the heartbeat, which goes first; but one that waits for a processor may hold what the heartbeat
 * needs, such as the allocator's lock. Born with our priority, they may lower that in any case. */
int32_t vrrp_process_thread_priority(int32_t priority)
{
	return priority > 1 ? priority - 1 : priority;
}

/* The priority is configured later, when only a raised limit allows to take it. Where the limit cannot be raised the
 * usual priority is taken at once: to lower it is always allowed. */
static void allow_rt_priority(struct vrrp_process *process)
{
	const struct rlimit limit = {99, 99};
	const struct sched_param usual = {.sched_priority = USUAL_RT_PRIORITY};

	if (setrlimit(RLIMIT_RTPRIO, &limit) == 0)
		return;
	if (sched_setscheduler(0, SCHED_RR, &usual) == 0)
		process->rt_priority = usual.sched_priority;
}

/* Without a raised limit a later allocation would fail rather than stay unlocked, so only what is there is locked. */
static void lock_memory(void)
{
	const struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
	int flags = MCL_CURRENT;

	if (!locks_memory)
		return;
	if (setrlimit(RLIMIT_MEMLOCK, &limit) == 0)
		flags |= MCL_FUTURE;
	if (mlockall(flags) < 0)
		log_warning("vrrp: memory cannot be locked (%s): a machine that swaps may miss advertisements",
			strerror(errno));
}

static void init_timers(struct vrrp_process *process)
{
	process->round = (struct timer){.fire = on_round, .arg = process};
	process->addresses_due = (struct timer){.fire = on_addresses_due, .arg = process};
	process->paths_due = (struct timer){.fire = on_paths_due, .arg = process};
	process->retry = (struct timer){.fire = on_retry, .arg = process};
	process->hold_due = (struct timer){.fire = on_facts_due, .arg = process};
	process->links_due = (struct timer){.fire = on_facts_due, .arg = process};
	process->firewall_due = (struct timer){.fire = vrrp_protect_on_due, .arg = process};
}

static int vrrp_open(struct role_process *role)
{
	struct vrrp_process *process = role->ctx;
	int error;

	process->role = role;
	init_timers(process);
	vrrp_firewall_init(&process->firewall);
	process->quiet = (struct vrrp_quiet){.loop = role->loop, .heard = vrrp_facts_on_heard, .arg = process};
	process->bfd = (struct bfd_speaker){.loop = role->loop, .report = vrrp_report_bfd, .arg = process};
	error = vrrp_sockets_open(&process->sockets, role->loop, vrrp_receive, vrrp_facts_on_joined, process);
	if (error) {
		log_error("vrrp: no raw socket: %s (poised has to be started as root)", strerror(-error));
		return error;
	}
	error = vrrp_ledger_init(&process->ledger);
	if (!error)
		error = vrrp_monitor_open(&process->monitor);
	if (!error)
		error = vrrp_monitor_resync(&process->monitor);
	if (!error)
		error = vrrp_addresses_init(&process->addresses, &process->monitor);
	if (error) {
		log_error("vrrp: interfaces cannot be read from the kernel: %s", strerror(-error));
		return error;
	}
	vrrp_pave_init(&process->pave, &process->addresses.courier, process->addresses.batch, &process->monitor.links);
	process->paths_fd = -1;
	process->monitor_io = loop_io_add(role->loop, vrrp_monitor_fd(&process->monitor), EPOLLIN, on_monitor, process);
	if (!process->monitor_io)
		return -errno;
	allow_rt_priority(process);
	lock_memory();
	return 0;
}

static void set_rt_priority(struct vrrp_process *process, int32_t priority)
{
	struct sched_param param = {.sched_priority = priority};

	vrrp_courier_set_priority(&process->addresses.courier, vrrp_process_thread_priority(priority));
	worker_set_priority(&process->firewall.worker, vrrp_process_thread_priority(priority));
	vrrp_sockets_set_priority(&process->sockets, vrrp_process_thread_priority(priority));
	process->quiet.priority = vrrp_process_thread_priority(priority);
	worker_set_priority(&process->quiet.closer, process->quiet.priority);
	if (priority == process->rt_priority)
		return;
	process->rt_priority = priority;
	if (sched_setscheduler(0, priority > 0 ? SCHED_RR : SCHED_OTHER, &param) < 0)
		log_warning("vrrp: real-time priority %d refused (%s): a busy machine may delay advertisements",
			priority, strerror(errno));
}

/* ---- configurations ---- */

/* Not before the privileges are dropped: a thread keeps those it was born with. */
static int start_courier(struct vrrp_process *process)
{
	struct vrrp_courier *courier = &process->addresses.courier;
	int error;

	if (courier->worker.has_thread)
		return 0;
	error = vrrp_courier_start(courier);
	if (error)
		return error;
	process->courier_io = loop_io_add(process->role->loop, vrrp_courier_fd(courier), EPOLLIN, on_courier, process);
	return process->courier_io ? 0 : -errno;
}

static int vrrp_prepare(struct role_process *role, const struct conf *next, char *why)
{
	struct vrrp_process *process = role->ctx;
	int error = start_courier(process);

	if (error) {
		snprintf(why, 240, "vrrp: no second thread: %s", strerror(-error));
		return -1;
	}
	process->next = vrrp_set_new(process, next);
	if (process->next && vrrp_addresses_reserve(&process->addresses, next->n_addresses) == 0 &&
		vrrp_pave_reserve(&process->pave, vrrp_pave_count(next)) == 0 &&
		loop_timer_reserve(
			role->loop, TIMERS_AN_INSTANCE * (size_t)next->n_instances + next->n_bfds + TIMERS_BESIDE) == 0)
		return 0;
	vrrp_set_free(process->next);
	process->next = NULL;
	snprintf(why, 240, "vrrp: no memory for %u instances", next->n_instances);
	return -1;
}

static void vrrp_abort(struct role_process *role)
{
	struct vrrp_process *process = role->ctx;

	vrrp_set_free(process->next);
	process->next = NULL;
}

/* Anew with each generation, because the filter is made for the protocols of its routes. */
static void hear_of_paths(struct vrrp_process *process, const struct conf *conf)
{
	if (process->paths_io)
		loop_io_remove(process->paths_io);
	process->paths_io = NULL;
	if (process->paths_fd >= 0)
		close(process->paths_fd);
	process->paths_fd = -1;
	if (conf->n_routes + conf->n_rules == 0)
		return;
	process->paths_fd = vrrp_ear_open(conf);
	if (process->paths_fd >= 0)
		process->paths_io = loop_io_add(process->role->loop, process->paths_fd, EPOLLIN, on_paths, process);
	if (!process->paths_io)
		log_warning("vrrp: the kernel does not tell of changes of routes and rules (%s): they are looked at "
			    "now and then",
			strerror(process->paths_fd < 0 ? -process->paths_fd : ENOMEM));
}

static void vrrp_commit(struct role_process *role, const struct conf *next)
{
	struct vrrp_process *process = role->ctx;
	struct vrrp_set *old = process->set, *set = process->next;
	struct board *board;

	vrrp_set_take_over(process, set, old);
	vrrp_addresses_forget_wishes(&process->addresses);
	vrrp_pave_forget(&process->pave);
	vrrp_handover_abandon(process, "the configuration was reloaded meanwhile: see poisectl status");
	process->set = set;
	process->next = NULL;
	vrrp_set_free(old);
	board = vrrp_report_board(set);
	if (board)
		role_publish_board(role, board);
	else
		log_error("vrrp: no board, nobody sees the state of generation %llu: %s",
			(unsigned long long)next->generation, strerror(errno));
	if (process->addresses.lifetime_us != next->global->address_lifetime_us) {
		process->addresses.lifetime_us = next->global->address_lifetime_us;
		process->addresses.refresh_now = true;
	}
	if (next->n_instances > VRRP_HEART_INSTANCES)
		log_warning(
			"vrrp: only the first %d of %u instances are remembered when every process is killed at once: "
			"the others listen first then",
			VRRP_HEART_INSTANCES, next->n_instances);
	set_rt_priority(process, next->global->vrrp_rt_priority);
	hear_of_paths(process, next);
	vrrp_protect(process);
	process->facts_changed = process->addresses_changed = process->listeners_changed = true;
	/* In a round of its own: the notification scripts of the new generation are known by then. */
	vrrp_process_round_soon(process);
}

/* ---- the others ---- */

static void vrrp_changed(struct role_process *role, enum role other, uint32_t table, uint32_t record)
{
	struct vrrp_process *process = role->ctx;

	(void)table;
	(void)record;
	if (other != ROLE_SCRIPT && other != ROLE_IPVS && other != ROLE_PAIR)
		return;
	process->facts_changed = true;
	vrrp_process_round_soon(process);
}

static void vrrp_file(struct role_process *role, enum msg_purpose purpose, uint32_t index, int fd)
{
	struct vrrp_process *process = role->ctx;
	int error;

	(void)index;
	if (purpose == MSG_PURPOSE_MARKS) {
		error = vrrp_ledger_set_file(&process->ledger, fd);
		if (error)
			log_error("vrrp: what was seen of signed advertisements is kept in memory only: %s",
				strerror(-error));
		return;
	}
	if (purpose == MSG_PURPOSE_HEART) {
		error = vrrp_heart_open(&process->heart, fd);
		if (error)
			log_error(
				"vrrp: the last heartbeats cannot be kept: %s: after a kill of every process this node "
				"listens first",
				strerror(-error));
		return;
	}
	if (purpose != MSG_PURPOSE_LEDGER && purpose != MSG_PURPOSE_PATHS) {
		close(fd);
		return;
	}
	error = purpose == MSG_PURPOSE_PATHS ? vrrp_pave_set_ledger(&process->pave, fd)
					     : vrrp_addresses_set_ledger(&process->addresses, fd);
	if (error)
		log_error("vrrp: the ledger of %s cannot be read: %s",
			purpose == MSG_PURPOSE_PATHS ? "routes and rules" : "virtual addresses", strerror(-error));
	process->addresses_changed = true;
	vrrp_process_round_soon(process);
}

/* ---- the end ---- */

/* No member moves a group that stops with all of them. */
static void end_groups(struct vrrp_process *process)
{
	for (uint32_t g = 0; g < process->set->conf->n_groups; g++) {
		struct vrrp_group *group = &process->set->groups[g];
		uint32_t before = group->state;

		group->state = VRRP_INIT;
		if (before != VRRP_INIT)
			vrrp_report_group_transition(process, group, before);
	}
}

static void end(struct vrrp_process *process)
{
	int error = vrrp_pave_release(&process->pave);

	bfd_speaker_close(&process->bfd);
	vrrp_ledger_end(&process->ledger);
	if (error < 0)
		log_error("vrrp: routes and rules could not be removed: %s", strerror(-error));
	error = vrrp_addresses_release(&process->addresses);
	if (error < 0)
		log_error("vrrp: virtual addresses could not be removed: %s", strerror(-error));
	role_exit(process->role, 0);
}

void vrrp_process_end_if_idle(struct vrrp_process *process)
{
	if (!process->is_leaving)
		return;
	for (uint32_t i = 0; i < process->set->conf->n_instances; i++) {
		if (process->set->instances[i].vr.state != VRRP_INIT)
			return;
	}
	process->is_leaving = false;
	end_groups(process);
	end(process);
}

/* A master serves on until its successor is heard; the last one to let go ends the process. */
static void vrrp_stop(struct role_process *role, bool keep)
{
	struct vrrp_process *process = role->ctx;

	if (keep || !process->set) {
		role_exit(role, 0);
		return;
	}
	vrrp_handover_warn(process);
	process->groups_rest = true;
	for (uint32_t i = 0; i < process->set->conf->n_instances; i++) {
		struct vrrp_event event = {.kind = VRRP_EVENT_LEAVE};

		if (process->set->instances[i].is_started)
			vrrp_instance_step(&process->set->instances[i], &event);
	}
	process->is_leaving = true;
	vrrp_handover_abandon(process, "poised is stopping");
	vrrp_process_end_if_idle(process);
}

static const char *parse_release(int argc, char **argv)
{
	bool is_release = argc == 4 && strcmp(argv[1], "--release") == 0 && strcmp(argv[2], "--ledger") == 0;

	return is_release ? argv[3] : NULL;
}

int main(int argc, char **argv)
{
	static const struct msg_handlers handlers = {.handover = vrrp_handover_on_message};
	static const struct role_ops ops = {.role = ROLE_VRRP,
		.open = vrrp_open,
		.prepare = vrrp_prepare,
		.commit = vrrp_commit,
		.abort = vrrp_abort,
		.changed = vrrp_changed,
		.file = vrrp_file,
		.handlers = &handlers,
		.stop = vrrp_stop};
	static struct vrrp_process process;
	const char *ledger = parse_release(argc, argv);

	/* Memory is locked: a second arena for the courier would be, too. */
	mallopt(M_ARENA_MAX, 1);
	return ledger ? vrrp_release_main(ledger) : role_main(&ops, &process, argc, argv);
}
