/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lab tool: has the real kernel refuse what it refuses, one command at a time, and prints for each "case: errno: the
 * sentence that an operator would read". Usage: ipvs_refusals [INTERFACE of a sync daemon]. */
#include "ipvs_error.h"
#include "ipvs_netlink.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/ip_vs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ipvs_kernel *kernel;

static void on_refused(void *arg, size_t op, int error)
{
	(void)op;
	*(int *)arg = error;
}

/* One command about a service, or about a server of it. Returns the errno, 0 when it was carried out. */
static int command(enum ipvs_op_kind kind, struct ipvs_service service, const struct ipvs_dest *dest)
{
	struct ipvs_op op = {.kind = kind,
		.desired_service = 0,
		.actual_service = IPVS_NO_INDEX,
		.desired_dest = dest ? 0 : IPVS_NO_INDEX,
		.actual_dest = IPVS_NO_INDEX};
	struct ipvs_image image = {0}, none = {0};
	struct ipvs_service *added = ipvs_image_add(&image, &service);
	int error = 0, rc;

	if (dest)
		ipvs_service_add(added, dest);
	rc = ipvs_kernel_apply(kernel, &image, &none, &op, 1, on_refused, &error);
	ipvs_image_clear(&image);
	if (rc < 0) {
		fprintf(stderr, "ipvs_refusals: no answer: %s\n", strerror(-rc));
		exit(1);
	}
	return error;
}

static void show(const char *name, enum ipvs_op_kind kind, struct ipvs_service service, const struct ipvs_dest *dest)
{
	char text[IPVS_ERROR_TEXT];
	int error = command(kind, service, dest);

	printf("%s: %s: %s\n", name, error ? strerrorname_np(error) : "carried out",
		error ? ipvs_error_sentence(kind, error, &service, dest, text) : "");
}

static struct ipvs_service service(const char *address, uint16_t port)
{
	struct ipvs_service s = {.key = {.protocol = IPPROTO_TCP, .port = port}, .scheduler = "wlc"};

	addr_parse(address, &s.key.addr);
	s.key.family = s.key.addr.family;
	s.netmask = s.key.family == AF_INET6 ? 128 : htonl(INADDR_NONE);
	return s;
}

static struct ipvs_dest dest(const char *address, uint32_t forward)
{
	struct ipvs_dest d = {.key = {.port = 80}, .forward = forward, .weight = 1};

	addr_parse(address, &d.key.addr);
	return d;
}

static void services(void)
{
	struct ipvs_service s = service("192.0.2.1", 80);

	strcpy(s.scheduler, "nosuch");
	show("scheduler", IPVS_OP_NEW_SERVICE, s, NULL);
	s = service("192.0.2.1", 80);
	s.flags = IP_VS_SVC_F_PERSISTENT;
	s.timeout_s = 60;
	strcpy(s.engine, "nosuch");
	show("engine", IPVS_OP_NEW_SERVICE, s, NULL);
	s = service("192.0.2.1", 0);
	show("port 0", IPVS_OP_NEW_SERVICE, s, NULL);
	command(IPVS_OP_DEL_SERVICE, s, NULL);
	s = service("2001:db8::1", 80);
	s.flags = IP_VS_SVC_F_PERSISTENT;
	s.timeout_s = 60;
	s.netmask = 129;
	show("granularity", IPVS_OP_NEW_SERVICE, s, NULL);
	s = service("192.0.2.1", 80);
	s.key.family = AF_UNIX;
	show("family", IPVS_OP_NEW_SERVICE, s, NULL);
	s = service("192.0.2.1", 80);
	show("set a missing service", IPVS_OP_SET_SERVICE, s, NULL);
	show("delete a missing service", IPVS_OP_DEL_SERVICE, s, NULL);
	show("a service", IPVS_OP_NEW_SERVICE, s, NULL);
	show("a service again", IPVS_OP_NEW_SERVICE, s, NULL);
	strcpy(s.scheduler, "nosuch");
	show("change of scheduler", IPVS_OP_SET_SERVICE, s, NULL);
}

static void servers(void)
{
	struct ipvs_service s = service("192.0.2.1", 80);
	struct ipvs_dest d = dest("10.1.0.1", IP_VS_CONN_F_MASQ);
	struct ipvs_service missing = service("192.0.2.2", 80);

	show("server of a missing service", IPVS_OP_NEW_DEST, missing, &d);
	show("set a missing server", IPVS_OP_SET_DEST, s, &d);
	show("delete a missing server", IPVS_OP_DEL_DEST, s, &d);
	d.weight = -1;
	show("weight", IPVS_OP_NEW_DEST, s, &d);
	d.weight = 1;
	d.upper = 5;
	d.lower = 9;
	show("thresholds", IPVS_OP_NEW_DEST, s, &d);
	d.upper = d.lower = 0;
	show("a server", IPVS_OP_NEW_DEST, s, &d);
	show("a server again", IPVS_OP_NEW_DEST, s, &d);
	d = dest("255.255.255.255", IP_VS_CONN_F_DROUTE);
	show("broadcast", IPVS_OP_NEW_DEST, s, &d);
	d = dest("224.0.0.5", IP_VS_CONN_F_DROUTE);
	show("multicast", IPVS_OP_NEW_DEST, s, &d);
	d = dest("2001:db8:1::1", IP_VS_CONN_F_MASQ);
	show("other family by NAT", IPVS_OP_NEW_DEST, s, &d);
	d = dest("10.1.0.9", IP_VS_CONN_F_TUNNEL);
	d.tunnel_type = IP_VS_CONN_F_TUNNEL_TYPE_GUE;
	show("GUE without a port", IPVS_OP_NEW_DEST, s, &d);
	d.tunnel_type = 9;
	show("type of tunnel", IPVS_OP_NEW_DEST, s, &d);
	d = dest("fe80::1", IP_VS_CONN_F_DROUTE);
	s = service("2001:db8::1", 80);
	command(IPVS_OP_NEW_SERVICE, s, NULL);
	show("address of a link", IPVS_OP_NEW_DEST, s, &d);
}

static void show_daemon(const char *name, const struct ipvs_daemon *daemon, bool run)
{
	int rc = ipvs_kernel_set_daemon(kernel, daemon, run);
	char text[IPVS_ERROR_TEXT];

	printf("%s: %s: %s\n", name, rc ? strerrorname_np(-rc) : "carried out",
		rc ? ipvs_error_daemon(-rc, daemon, text) : "");
}

static void daemons(const char *interface)
{
	struct ipvs_daemon daemon = {.state = IP_VS_STATE_BACKUP, .sync_id = 7, .interface = "nosuch0"};
	struct ipvs_service s = service("192.0.2.1", 80);
	struct ipvs_dest d = dest("2001:db8:1::1", IP_VS_CONN_F_TUNNEL);

	show_daemon("daemon without an interface", &daemon, true);
	snprintf(daemon.interface, sizeof(daemon.interface), "%.15s", interface);
	show_daemon("stop of a daemon that does not run", &daemon, false);
	addr_parse("192.0.2.77", &daemon.group);
	show_daemon("group of a daemon", &daemon, true);
	daemon.group = (struct addr){0};
	show_daemon("a daemon", &daemon, true);
	show_daemon("a daemon again", &daemon, true);
	show("other family beside a daemon", IPVS_OP_NEW_DEST, s, &d);
	show_daemon("stop of a daemon", &daemon, false);
	show("other family", IPVS_OP_NEW_DEST, s, &d);
	show_daemon("daemon beside another family", &daemon, true);
}

int main(int argc, char **argv)
{
	char text[IPVS_ERROR_TEXT];
	int rc;

	kernel = ipvs_kernel_open();
	rc = kernel ? ipvs_kernel_resolve(kernel) : -errno;
	if (rc < 0) {
		printf("no IPVS for us: %s: %s\n", strerrorname_np(-rc), ipvs_error_unusable(rc, text));
		return 1;
	}
	services();
	servers();
	daemons(argc > 1 ? argv[1] : "lo");
	ipvs_kernel_close(kernel);
	return 0;
}
