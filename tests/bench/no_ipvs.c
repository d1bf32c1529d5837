/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Preloaded into keepalived where the kernel has no IPVS: every request to IPVS is acknowledged and does nothing. Its
 * checker then runs as it would elsewhere, minus what IPVS costs it. */
#include <stddef.h>

struct nl_sock;
struct nl_msg;
typedef int callback_fn(struct nl_msg *msg, void *arg);

/* libnl's numbers: 1 = the end of a dump, 4 = an acknowledgement. */
#define KINDS 16

static struct {
	callback_fn *fn;
	void *arg;
} callbacks[KINDS];

int genl_ctrl_resolve(struct nl_sock *sock, const char *name);
int nl_socket_modify_cb(struct nl_sock *sock, unsigned type, unsigned kind, callback_fn *fn, void *arg);
int nl_send_auto(struct nl_sock *sock, struct nl_msg *msg);
int nl_recvmsgs_default(struct nl_sock *sock);

int genl_ctrl_resolve(struct nl_sock *sock, const char *name)
{
	(void)sock;
	(void)name;
	return 64;
}

int nl_socket_modify_cb(struct nl_sock *sock, unsigned type, unsigned kind, callback_fn *fn, void *arg)
{
	(void)sock;
	(void)kind;
	if (type < KINDS) {
		callbacks[type].fn = fn;
		callbacks[type].arg = arg;
	}
	return 0;
}

int nl_send_auto(struct nl_sock *sock, struct nl_msg *msg)
{
	(void)sock;
	(void)msg;
	return 1;
}

int nl_recvmsgs_default(struct nl_sock *sock)
{
	static const unsigned ends[] = {1, 4};

	(void)sock;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (callbacks[ends[i]].fn)
			callbacks[ends[i]].fn(NULL, callbacks[ends[i]].arg);
	return 0;
}
