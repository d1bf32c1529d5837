/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two settings of the kernel that a drain may need; used by the ipvs role. They are of the whole namespace, so they are
 * set only while a drain needs them, found values are put back, and a value that is already right is left alone:
 *   expire_nodest_conn         the next packet of a connection to a server that is not there ends it (a reset), where
 *                              it would otherwise be swallowed until the connection times out
 *   expire_quiescent_template  a client that persistence knows is not sent to a server of weight 0 */
#include "ipvs_process.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CUT_NODEST, CUT_TEMPLATE, CUT_SETTINGS };

static const char *const paths[CUT_SETTINGS] = {
	[CUT_NODEST] = "/proc/sys/net/ipv4/vs/expire_nodest_conn",
	[CUT_TEMPLATE] = "/proc/sys/net/ipv4/vs/expire_quiescent_template",
};

/* Returns 0 or 1, or -errno. */
static int read_setting(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char digit = '0';
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, &digit, 1);
	close(fd);
	return n == 1 ? digit != '0' : -EIO;
}

static int write_setting(const char *path, int value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	char digit = value ? '1' : '0';
	int rc;

	if (fd < 0)
		return -errno;
	rc = write(fd, &digit, 1) == 1 ? 0 : -errno;
	close(fd);
	return rc;
}

static void want(struct ipvs *v, int setting, bool on)
{
	int before = v->cut_before[setting] - 1, rc;

	if (!on && before >= 0) {
		v->cut_before[setting] = 0;
		write_setting(paths[setting], before);
	}
	if (!on || before >= 0)
		return;
	before = read_setting(paths[setting]);
	rc = before < 0 ? before : before == 1 ? 0 : write_setting(paths[setting], 1);
	if (rc < 0) {
		log_warning("ipvs: %s cannot be set: %s: a drain may last longer than it was asked to", paths[setting],
			strerror(-rc));
		before = 1; /* told once; nothing to put back but what is there */
	}
	v->cut_before[setting] = before + 1;
}

void ipvs_cut_step(struct ipvs *v)
{
	const struct conf *conf = v->now->conf;
	bool cuts = false, forgets = false, keeps = false;

	for (uint32_t i = 0; i < conf->n_servers; i++) {
		const struct ipvs_server_state *state = &v->now->servers[i];

		if (state->admin != ADMIN_DRAIN)
			continue;
		cuts |= state->drain_end != DRAIN_KEEP && state->drain_until_real_us > 0;
		if (conf->services[conf->servers[i].service].persistence_us > 0)
			*(state->keep_known ? &keeps : &forgets) = true;
	}
	want(v, CUT_NODEST, cuts);
	/* The kernel knows one answer for all: whoever asked to be kept is. */
	want(v, CUT_TEMPLATE, forgets && !keeps);
}

void ipvs_cut_stop(struct ipvs *v)
{
	want(v, CUT_NODEST, false);
	want(v, CUT_TEMPLATE, false);
}
