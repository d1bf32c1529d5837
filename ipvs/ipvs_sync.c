/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Synchronisation of the connection table between the routers (the kernel's master and backup daemons follow a VRRP
 * instance) and the table's timeouts. Runs in the ipvs process. Daemons that it did not start are left alone. */
#include "ipvs_error.h"
#include "ipvs_process.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/ip_vs.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The daemon that goes with the state of the named instance. While that is not known (the vrrp role is being started
 * again), it stays as it is. Returns how many daemons: 0 or 1. */
static int follow_instance(const struct ipvs *v, struct ipvs_daemon *out)
{
	const struct board *board = v->p->boards[ROLE_VRRP];
	struct status_instance instance;

	if (board && board_generation(board) == v->now->conf->generation &&
		board_load(board, VRRP_TABLE_INSTANCE, v->now->conf->global->sync_instance, &instance,
			sizeof(instance)) == 0) {
		out->state = instance.state == VRRP_MASTER ? IP_VS_STATE_MASTER : IP_VS_STATE_BACKUP;
		return 1;
	}
	if (v->n_daemons == 0)
		return 0;
	out->state = v->daemons[0].state;
	return 1;
}

/* Which daemons shall run: none, the one of the instance's state, or both when no instance is named or nothing is to be
 * lost: a sender that was started with the state would miss the packets in between. */
static int wanted_daemons(const struct ipvs *v, struct ipvs_daemon out[2])
{
	const struct conf_global *global = v->now->conf->global;
	struct ipvs_daemon daemon = {.state = IP_VS_STATE_BACKUP, .sync_id = global->sync_id};

	if (!global->sync_interface)
		return 0;
	strncpy(daemon.interface, conf_string(v->now->conf, global->sync_interface), sizeof(daemon.interface) - 1);
	out[0] = out[1] = daemon;
	if (global->sync_instance != CONF_NONE && global->connection_sync != CONF_SYNC_FULL)
		return follow_instance(v, &out[0]);
	out[1].state = IP_VS_STATE_MASTER;
	return 2;
}

static bool contains(const struct ipvs_daemon *list, int n, const struct ipvs_daemon *daemon)
{
	for (int i = 0; i < n; i++)
		if (memcmp(&list[i], daemon, sizeof(*daemon)) == 0)
			return true;
	return false;
}

static void tell(struct ipvs *v, const struct ipvs_daemon *daemon, bool run, int error)
{
	const char *kind = daemon->state == IP_VS_STATE_MASTER ? "sender" : "receiver";
	char text[IPVS_ERROR_TEXT];

	if (error == 0)
		log_info("ipvs sync: %s on %s (id %u) %s", kind, daemon->interface, daemon->sync_id,
			run ? "started" : "stopped");
	else if (v->daemon_error != error)
		log_error("ipvs sync: %s on %s cannot be %s: %s", kind, daemon->interface, run ? "started" : "stopped",
			ipvs_error_daemon(error, daemon->interface, text));
	v->daemon_error = error;
}

static void set(struct ipvs *v, const struct ipvs_daemon *daemon, bool run)
{
	tell(v, daemon, run, -ipvs_kernel_set_daemon(v->kernel, daemon, run));
}

static void step_daemons(struct ipvs *v)
{
	struct ipvs_daemon want[2], have[2];
	int n_want = wanted_daemons(v, want), n_have;

	if (n_want == 0 && v->n_daemons == 0)
		return;
	n_have = ipvs_kernel_dump_daemons(v->kernel, have);
	if (n_have < 0)
		return;
	for (int i = 0; i < n_have; i++) {
		bool replaced = false; /* the kernel runs one daemon of a kind */

		for (int w = 0; w < n_want; w++)
			replaced |= want[w].state == have[i].state;
		if (!contains(want, n_want, &have[i]) && (replaced || contains(v->daemons, v->n_daemons, &have[i])))
			set(v, &have[i], false);
	}
	for (int w = 0; w < n_want; w++)
		if (!contains(have, n_have, &want[w]))
			set(v, &want[w], true);
	memcpy(v->daemons, want, sizeof(want[0]) * (size_t)n_want);
	v->n_daemons = n_want;
}

/* What the kernel has to do for connection_sync full: every new connection and every change of state is told at once,
 * a living connection again when its time has moved by the refresh period; one port, so that both nodes agree; room for
 * a whole table in a burst. Taken over by the daemons when they start. */
static const struct {
	const char *name, *value;
} settings[] = {
	{"sync_threshold", "0\t0"},
	{"sync_refresh_period", "10"},
	{"sync_retries", "1"},
	{"sync_ports", "1"},
	{"sync_sock_size", "4194304"},
};

/* Returns 0 or an errno. Nothing is written that is right already. */
static int set_sysctl(const char *name, const char *value)
{
	char path[96], now[64] = "";
	ssize_t n;
	int fd, error = 0;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/vs/%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno;
	n = read(fd, now, sizeof(now) - 1);
	if (n <= 0 || strncmp(now, value, strlen(value)) != 0 || now[strlen(value)] != '\n') {
		if (pwrite(fd, value, strlen(value), 0) < 0)
			error = errno;
		else
			log_info("ipvs sync: net.ipv4.vs.%s = %s (was %.*s), for connection_sync full", name, value,
				(int)strcspn(now, "\n"), now);
	}
	close(fd);
	return error;
}

static void step_settings(struct ipvs *v)
{
	uint32_t before = v->resync.status.settings_error;

	v->resync.status.settings_error = 0;
	if (v->now->conf->global->connection_sync != CONF_SYNC_FULL)
		return;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		int error = set_sysctl(settings[i].name, settings[i].value);

		if (error && before != (uint32_t)error)
			log_error(
				"ipvs sync: net.ipv4.vs.%s cannot be set to %s: %s: some connections may be told late "
				"or not at all",
				settings[i].name, settings[i].value, strerror(error));
		if (error)
			v->resync.status.settings_error = (uint32_t)error;
	}
}

static void step_timeouts(struct ipvs *v)
{
	const struct conf_global *global = v->now->conf->global;
	struct ipvs_timeouts want = {.tcp = (uint32_t)(global->lvs_timeout_tcp_us / US_PER_S),
		.tcp_fin = (uint32_t)(global->lvs_timeout_tcpfin_us / US_PER_S),
		.udp = (uint32_t)(global->lvs_timeout_udp_us / US_PER_S)};
	struct ipvs_timeouts have;
	int rc;

	if ((!want.tcp && !want.tcp_fin && !want.udp) || ipvs_kernel_get_timeouts(v->kernel, &have) < 0)
		return;
	want.tcp = want.tcp ? want.tcp : have.tcp;
	want.tcp_fin = want.tcp_fin ? want.tcp_fin : have.tcp_fin;
	want.udp = want.udp ? want.udp : have.udp;
	if (memcmp(&want, &have, sizeof(want)) == 0)
		return;
	rc = ipvs_kernel_set_timeouts(v->kernel, &want);
	if (rc < 0)
		log_error("ipvs: timeouts of the connection table cannot be set: %s", strerror(-rc));
	else
		log_info("ipvs: timeouts of the connection table: tcp %u s, tcpfin %u s, udp %u s (were %u, %u, %u)",
			want.tcp, want.tcp_fin, want.udp, have.tcp, have.tcp_fin, have.udp);
}

void ipvs_sync_step(struct ipvs *v)
{
	if (!v->usable)
		return;
	step_settings(v);
	step_daemons(v);
	step_timeouts(v);
}

void ipvs_sync_stop(struct ipvs *v)
{
	for (int i = 0; i < v->n_daemons && v->usable; i++)
		set(v, &v->daemons[i], false);
	v->n_daemons = 0;
}
