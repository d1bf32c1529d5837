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
	daemon.maxlen = global->sync_maxlen;
	daemon.port = global->sync_port;
	daemon.ttl = (uint8_t)global->sync_ttl;
	daemon.group = global->sync_group;
	out[0] = out[1] = daemon;
	if (global->sync_instance != CONF_NONE && global->connection_sync != CONF_SYNC_FULL)
		return follow_instance(v, &out[0]);
	out[1].state = IP_VS_STATE_MASTER;
	return 2;
}

static bool contains(const struct ipvs_daemon *list, int n, const struct ipvs_daemon *running)
{
	for (int i = 0; i < n; i++)
		if (ipvs_daemon_matches(&list[i], running))
			return true;
	return false;
}

static bool runs(const struct ipvs_daemon *running, int n, const struct ipvs_daemon *wanted)
{
	for (int i = 0; i < n; i++)
		if (ipvs_daemon_matches(wanted, &running[i]))
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
			ipvs_error_daemon(error, daemon, text));
	v->daemon_error = error;
}

static void set(struct ipvs *v, const struct ipvs_daemon *daemon, bool run)
{
	int rc = ipvs_kernel_set_daemon(v->kernel, daemon, run);

	tell(v, daemon, run, -rc);
	if (rc == 0 && run && daemon->state == IP_VS_STATE_BACKUP)
		v->receiving_since = mono_now();
}

/* What the other node told meanwhile is lost; the pair role asks for all of it (receiving_since). */
static void start_again(struct ipvs *v, const struct ipvs_daemon *daemon)
{
	if (v->daemon_error == 0 && contains(v->daemons, v->n_daemons, daemon))
		log_warning("ipvs sync: %s on %s: somebody else has stopped it: it is started again",
			daemon->state == IP_VS_STATE_MASTER ? "sender" : "receiver", daemon->interface);
	set(v, daemon, true);
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
		if (!runs(have, n_have, &want[w]))
			start_again(v, &want[w]);
	memcpy(v->daemons, want, sizeof(want[0]) * (size_t)n_want);
	v->n_daemons = n_want;
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
	step_daemons(v);
	step_timeouts(v);
}

void ipvs_sync_stop(struct ipvs *v)
{
	for (int i = 0; i < v->n_daemons && v->usable; i++)
		set(v, &v->daemons[i], false);
	v->n_daemons = 0;
}
