/* SPDX-License-Identifier: GPL-2.0-or-later */
/* poise-ipvs --release --ledger FILE: takes the services of a ledger out of the kernel when no role runs any more. A
 * program run of its own, by hand or by the service manager; it touches nothing that is not in the ledger. */
#include "ipvs_error.h"
#include "ipvs_process.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void on_refused(void *arg, size_t op, int error)
{
	int *worst = arg;

	(void)op;
	if (error != ESRCH)
		*worst = error;
}

/* Deletes what is marked as ours. Returns 0 or -errno. */
static int delete_ours(struct ipvs_kernel *kernel, const struct ipvs_image *actual, size_t *removed)
{
	const struct ipvs_image nothing = {0};
	size_t room = ipvs_plan(&nothing, actual, NULL, 0);
	struct ipvs_op *ops = calloc(room + 1, sizeof(*ops));
	int worst = 0, rc;

	if (!ops)
		return -ENOMEM;
	*removed = ipvs_plan(&nothing, actual, ops, room);
	rc = ipvs_kernel_apply(kernel, &nothing, actual, ops, *removed, on_refused, &worst);
	free(ops);
	return rc < 0 ? rc : -worst;
}

static int release(struct ipvs_kernel *kernel, const struct ipvs_owned *owned, size_t *removed)
{
	struct ipvs_image actual = {0};
	int rc = ipvs_kernel_resolve(kernel);

	if (rc == -ENOENT)
		return 0; /* no IPVS, nothing to remove */
	if (rc == 0)
		rc = ipvs_kernel_dump_services(kernel, &actual);
	for (uint32_t i = 0; i < actual.n_services; i++)
		ipvs_owned_mark(owned, &actual.services[i]);
	if (rc == 0)
		rc = delete_ours(kernel, &actual, removed);
	ipvs_image_clear(&actual);
	return rc;
}

static int release_file(const char *path)
{
	struct ipvs_owned owned = {0}, nothing = {0};
	struct ipvs_kernel *kernel = ipvs_kernel_open();
	int fd = open(path, O_RDWR | O_CLOEXEC);
	size_t removed = 0;
	int rc;

	if (fd < 0 || !kernel)
		rc = -errno;
	else
		rc = ipvs_owned_load(&owned, fd);
	if (rc == 0 && !ipvs_owned_is_empty(&owned))
		rc = release(kernel, &owned, &removed);
	ipvs_firewall_release();
	if (rc == 0 && ipvs_sysctl_release(&owned))
		log_info("ipvs: kernel settings are as they were before");
	if (rc == 0 && !ipvs_owned_is_empty(&owned))
		rc = ipvs_owned_store(&nothing, fd);
	if (rc < 0)
		log_error("ipvs: the services of %s cannot be removed: %s", path, strerror(-rc));
	else if (removed)
		log_info("ipvs: %zu services are removed", removed);
	ipvs_owned_clear(&owned);
	ipvs_kernel_close(kernel);
	if (fd >= 0)
		close(fd);
	return rc < 0;
}

int ipvs_release_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"release", no_argument, NULL, 'r'}, {"ledger", required_argument, NULL, 'l'}, {NULL, 0, NULL, 0}};
	const char *path = NULL;
	int option;

	log_to_console("ipvs");
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == 'l')
			path = optarg;
		else if (option != 'r')
			return 2;
	}
	if (!path) {
		log_error("poise-ipvs: --release needs --ledger FILE, the file ledger.ipvs of the run directory");
		return 2;
	}
	return release_file(path);
}
