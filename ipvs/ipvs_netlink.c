/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands to the kernel's IPVS and its dumps, over one socket of the ipvs role. Thin: bytes come from ipvs_codec,
 * exchanges from lib/netlink. It decides nothing and logs nothing. */
#include "ipvs_netlink.h"
#include "mono.h"
#include "netlink.h"
#include <errno.h>
#include <linux/ip_vs.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_US (800 * US_PER_MS) /* shorter than the parent waits for a sign of life */

struct ipvs_kernel {
	struct nl_sock *sock;
	struct netlink_batch *batch;
	int family; /* 0 = not resolved */
	uint32_t version;
};

struct ipvs_kernel *ipvs_kernel_open(void)
{
	struct ipvs_kernel *kernel = calloc(1, sizeof(*kernel));
	int error;

	if (!kernel)
		return NULL;
	kernel->batch = netlink_batch_new();
	kernel->sock = kernel->batch ? netlink_open(NETLINK_GENERIC, NULL) : NULL;
	if (kernel->sock)
		return kernel;
	error = errno;
	ipvs_kernel_close(kernel);
	errno = error;
	return NULL;
}

void ipvs_kernel_close(struct ipvs_kernel *kernel)
{
	if (!kernel)
		return;
	netlink_batch_free(kernel->batch);
	if (kernel->sock)
		nl_socket_free(kernel->sock);
	free(kernel);
}

void ipvs_kernel_trim(struct ipvs_kernel *kernel)
{
	netlink_batch_trim(kernel->batch);
}

/* One finished request with its answers. */
static int exchange(struct ipvs_kernel *kernel, struct nl_msg *msg, bool dump, netlink_dump_fn *fn, void *arg)
{
	if (dump)
		return netlink_dump(kernel->sock, msg, TIMEOUT_US, fn, arg);
	return netlink_get(kernel->sock, msg, TIMEOUT_US, fn, arg);
}

/* A request that consists of the command alone. */
static int exchange_command(struct ipvs_kernel *kernel, uint8_t cmd, bool dump, netlink_dump_fn *fn, void *arg)
{
	struct nl_msg *msg = nlmsg_alloc_simple(kernel->family, 0);
	int rc;

	if (!msg)
		return -ENOMEM;
	rc = ipvs_codec_put_command(msg, cmd);
	if (rc == 0)
		rc = exchange(kernel, msg, dump, fn, arg);
	nlmsg_free(msg);
	return rc;
}

static void take_version(void *arg, struct nlmsghdr *nlh)
{
	ipvs_codec_get_version(nlh, arg);
}

int ipvs_kernel_resolve(struct ipvs_kernel *kernel)
{
	int family = netlink_family(kernel->sock, IPVS_GENL_NAME);

	kernel->family = family > 0 ? family : 0;
	kernel->version = 0;
	if (family < 0)
		return family;
	return exchange_command(kernel, IPVS_CMD_GET_INFO, false, take_version, &kernel->version);
}

uint32_t ipvs_kernel_version(const struct ipvs_kernel *kernel)
{
	return kernel->version;
}

/* ---- dumps ---- */

struct service_dump {
	struct ipvs_image *image;
	int error;
};

static void take_service(void *arg, struct nlmsghdr *nlh)
{
	struct service_dump *dump = arg;
	struct ipvs_service service;
	struct ipvs_tally tally;

	if (ipvs_codec_get_service(nlh, &service, &tally) < 0)
		return; /* of a kind that we do not know: certainly not ours */
	if (ipvs_tallies_add(&dump->image->tallies, &tally, &service.tally) < 0 ||
		!ipvs_image_add(dump->image, &service))
		dump->error = -ENOMEM;
}

int ipvs_kernel_dump_services(struct ipvs_kernel *kernel, struct ipvs_image *image)
{
	struct service_dump dump = {.image = image};
	int rc;

	ipvs_image_empty(image);
	rc = exchange_command(kernel, IPVS_CMD_GET_SERVICE, true, take_service, &dump);
	if (rc == 0)
		rc = dump.error;
	if (rc < 0) {
		ipvs_image_clear(image);
		return rc;
	}
	ipvs_image_sort(image);
	ipvs_image_trim(image);
	return 0;
}

int ipvs_kernel_add_service(struct ipvs_kernel *kernel, const struct ipvs_key *key, struct ipvs_image *image)
{
	const struct ipvs_service service = {.key = *key};
	struct service_dump dump = {.image = image};
	struct nl_msg *msg = nlmsg_alloc_simple(kernel->family, 0);
	int rc;

	if (!msg)
		return -ENOMEM;
	rc = ipvs_codec_put_service(msg, IPVS_CMD_GET_SERVICE, &service);
	if (rc == 0)
		rc = exchange(kernel, msg, false, take_service, &dump);
	nlmsg_free(msg);
	return rc < 0 ? rc : dump.error;
}

struct dest_dump {
	struct ipvs_service service; /* only its servers and family */
	int error;
};

static void take_dest(void *arg, struct nlmsghdr *nlh)
{
	struct dest_dump *dump = arg;
	struct ipvs_dest dest;
	struct ipvs_tally tally;

	if (ipvs_codec_get_dest(nlh, dump->service.key.family, &dest, &tally) < 0)
		return;
	if (ipvs_tallies_add(&dump->service.tallies, &tally, &dest.tally) < 0 ||
		!ipvs_service_add(&dump->service, &dest))
		dump->error = -ENOMEM;
}

int ipvs_kernel_dump_dests(struct ipvs_kernel *kernel, struct ipvs_service *service)
{
	struct nl_msg *msg = nlmsg_alloc_simple(kernel->family, 0);
	struct dest_dump dump = {.service = {.key = service->key}};
	int rc;

	if (!msg)
		return -ENOMEM;
	ipvs_service_reserve(&dump.service, service->n_dests);
	ipvs_tallies_reserve(&dump.service.tallies, service->tallies.n);
	rc = ipvs_codec_put_service(msg, IPVS_CMD_GET_DEST, service);
	if (rc == 0)
		rc = exchange(kernel, msg, true, take_dest, &dump);
	nlmsg_free(msg);
	if (rc == 0)
		rc = dump.error;
	if (rc < 0) {
		ipvs_service_clear(&dump.service);
		return rc;
	}
	ipvs_service_sort(&dump.service);
	ipvs_service_clear(service);
	ipvs_service_take_dests(service, &dump.service);
	return 0;
}

int ipvs_kernel_dump(struct ipvs_kernel *kernel, struct ipvs_image *image)
{
	int rc = ipvs_kernel_dump_services(kernel, image);

	for (uint32_t i = 0; i < image->n_services && rc == 0; i++)
		rc = ipvs_kernel_dump_dests(kernel, &image->services[i]);
	if (rc < 0)
		ipvs_image_clear(image);
	return rc;
}

/* ---- commands ---- */

static uint8_t op_command(enum ipvs_op_kind kind)
{
	switch (kind) {
	case IPVS_OP_NEW_SERVICE:
		return IPVS_CMD_NEW_SERVICE;
	case IPVS_OP_SET_SERVICE:
		return IPVS_CMD_SET_SERVICE;
	case IPVS_OP_DEL_SERVICE:
		return IPVS_CMD_DEL_SERVICE;
	case IPVS_OP_NEW_DEST:
		return IPVS_CMD_NEW_DEST;
	case IPVS_OP_SET_DEST:
		return IPVS_CMD_SET_DEST;
	case IPVS_OP_DEL_DEST:
		return IPVS_CMD_DEL_DEST;
	}
	return IPVS_CMD_UNSPEC;
}

static int put_op(
	struct nl_msg *msg, const struct ipvs_op *op, const struct ipvs_image *desired, const struct ipvs_image *actual)
{
	const struct ipvs_service *service = ipvs_op_service(op, desired, actual);
	const struct ipvs_dest *dest = ipvs_op_dest(op, desired, actual);
	uint8_t cmd = op_command(op->kind);

	return dest ? ipvs_codec_put_dest(msg, cmd, &service->key, dest) : ipvs_codec_put_service(msg, cmd, service);
}

struct refusals {
	ipvs_refused_fn *fn;
	void *arg;
};

static void on_refused(void *arg, size_t number, int error, const char *text)
{
	struct refusals *refusals = arg;

	(void)text; /* IPVS gives none for a refused setting */
	refusals->fn(refusals->arg, number, error);
}

int ipvs_kernel_apply(struct ipvs_kernel *kernel, const struct ipvs_image *desired, const struct ipvs_image *actual,
	const struct ipvs_op *ops, size_t n, ipvs_refused_fn *fn, void *arg)
{
	struct refusals refusals = {fn, arg};
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		struct nl_msg *msg = netlink_batch_add(kernel->batch, kernel->family, 0);

		rc = msg ? put_op(msg, &ops[i], desired, actual) : -ENOMEM;
	}
	if (rc == 0)
		return netlink_batch_send(kernel->sock, kernel->batch, TIMEOUT_US, on_refused, &refusals);
	/* Nothing was sent; a half-filled batch must not go out later. */
	netlink_batch_empty(kernel->batch);
	return rc;
}

/* ---- synchronisation daemons, timeouts ---- */

struct daemon_dump {
	struct ipvs_daemon *out;
	int n;
};

static void take_daemon(void *arg, struct nlmsghdr *nlh)
{
	struct daemon_dump *dump = arg;

	if (dump->n < 2 && ipvs_codec_get_daemon(nlh, &dump->out[dump->n]) == 0)
		dump->n++;
}

int ipvs_kernel_dump_daemons(struct ipvs_kernel *kernel, struct ipvs_daemon out[2])
{
	struct daemon_dump dump = {.out = out};
	int rc = exchange_command(kernel, IPVS_CMD_GET_DAEMON, true, take_daemon, &dump);

	return rc < 0 ? rc : dump.n;
}

static void take_nothing(void *arg, struct nlmsghdr *nlh)
{
	(void)arg;
	(void)nlh;
}

int ipvs_kernel_set_daemon(struct ipvs_kernel *kernel, const struct ipvs_daemon *daemon, bool run)
{
	struct nl_msg *msg = nlmsg_alloc_simple(kernel->family, 0);
	int rc;

	if (!msg)
		return -ENOMEM;
	rc = ipvs_codec_put_daemon(msg, run ? IPVS_CMD_NEW_DAEMON : IPVS_CMD_DEL_DAEMON, daemon);
	if (rc == 0)
		rc = exchange(kernel, msg, false, take_nothing, NULL);
	nlmsg_free(msg);
	return rc;
}

static void take_timeouts(void *arg, struct nlmsghdr *nlh)
{
	ipvs_codec_get_timeouts(nlh, arg);
}

int ipvs_kernel_get_timeouts(struct ipvs_kernel *kernel, struct ipvs_timeouts *out)
{
	*out = (struct ipvs_timeouts){0};
	return exchange_command(kernel, IPVS_CMD_GET_CONFIG, false, take_timeouts, out);
}

int ipvs_kernel_set_timeouts(struct ipvs_kernel *kernel, const struct ipvs_timeouts *timeouts)
{
	struct nl_msg *msg = nlmsg_alloc_simple(kernel->family, 0);
	int rc;

	if (!msg)
		return -ENOMEM;
	rc = ipvs_codec_put_timeouts(msg, timeouts);
	if (rc == 0)
		rc = exchange(kernel, msg, false, take_nothing, NULL);
	nlmsg_free(msg);
	return rc;
}
