/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one-shot mode of the vrrp program: when nobody is left to hold virtual addresses, it takes those that the ledger
 * names off the kernel. Run by the parent or the service manager, never while a vrrp process lives. */
#include "log.h"
#include "vrrp_process.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Routes and rules are named by a second ledger beside the first. */
static int release_paths(const char *path, struct vrrp_addresses *addresses, struct vrrp_monitor *monitor)
{
	struct vrrp_pave pave;
	char name[PATH_MAX];
	int fd, result;

	snprintf(name, sizeof(name), "%s.paths", path);
	fd = open(name, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	vrrp_pave_init(&pave, &addresses->courier, addresses->batch, &monitor->links);
	result = vrrp_pave_set_ledger(&pave, fd);
	if (result == 0)
		result = vrrp_pave_release(&pave);
	vrrp_pave_free(&pave);
	return result;
}

int vrrp_release_main(const char *path)
{
	struct vrrp_monitor monitor;
	struct vrrp_addresses addresses;
	int paths = 0;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	int result;

	log_to_console("poise-vrrp");
	if (fd < 0) {
		/* Never written: nothing is ours. */
		if (errno == ENOENT)
			return 0;
		log_error("vrrp: ledger %s cannot be opened: %s", path, strerror(errno));
		return 1;
	}
	result = vrrp_monitor_open(&monitor);
	if (result < 0) {
		log_error("vrrp: no rtnetlink socket: %s", strerror(-result));
		return 1;
	}
	result = vrrp_addresses_init(&addresses, &monitor);
	if (result == 0) {
		paths = release_paths(path, &addresses, &monitor);
		result = vrrp_addresses_set_ledger(&addresses, fd);
	}
	if (result == 0)
		result = vrrp_addresses_release(&addresses);
	if (result < 0)
		log_error("vrrp: virtual addresses of ledger %s not removed: %s", path, strerror(-result));
	else if (result > 0)
		log_info("vrrp: removed %d virtual addresses that were left behind", result);
	if (paths < 0)
		log_error("vrrp: routes and rules of ledger %s.paths not removed: %s", path, strerror(-paths));
	else if (paths > 0)
		log_info("vrrp: removed %d routes and rules that were left behind", paths);
	vrrp_addresses_free(&addresses);
	vrrp_monitor_close(&monitor);
	return result < 0 || paths < 0 ? 1 : 0;
}
