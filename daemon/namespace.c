/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_namespace: the network namespace that the daemon works in, and net_namespace_ipvs: the one whose IPVS table is
 * programmed. Runs in the parent, when the first configuration is there and no role has been started; roles that it
 * starts later are born into its namespace. A namespace cannot change while the daemon runs. */
#include "parent.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OWN_NAMESPACE "/proc/self/ns/net"

/* Opens a namespace by the name that `ip netns` gave it. Returns a descriptor or -errno, with the reason in why. */
static int open_named(const char *keyword, const char *name, char why[WHY_SIZE])
{
	char path[PATH_MAX];
	int fd = -EINVAL;

	if (!strchr(name, '/') && snprintf(path, sizeof(path), "/run/netns/%s", name) < (int)sizeof(path)) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		fd = fd < 0 ? -errno : fd;
	}
	if (fd < 0)
		snprintf(why, WHY_SIZE, "%s %.64s: %s: make it (ip netns add)", keyword, name, strerror(-fd));
	return fd;
}

static int enter(const char *name, char why[WHY_SIZE])
{
	int fd = open_named("net_namespace", name, why), error;

	if (fd < 0)
		return fd;
	error = setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
	if (error)
		snprintf(why, WHY_SIZE, "net_namespace %.64s cannot be entered: %s", name, strerror(-error));
	close(fd);
	return error;
}

/* Which one the ipvs role is born into, when that is another one. */
static int open_for_ipvs(const struct conf *conf, char why[WHY_SIZE])
{
	const char *name = conf_string(conf, conf->global->net_namespace_ipvs);
	int fd;

	if (*name)
		return open_named("net_namespace_ipvs", name, why);
	fd = open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	fd = -errno;
	snprintf(why, WHY_SIZE, OWN_NAMESPACE ": %s", strerror(-fd));
	return fd;
}

int namespace_enter(struct parent *p, const struct conf *conf, char why[WHY_SIZE])
{
	const struct conf_global *g = conf->global;
	int error = 0, ipvs = -1;

	if (g->ipvs_namespace_given) {
		ipvs = open_for_ipvs(conf, why);
		if (ipvs < 0)
			return ipvs;
	}
	if (g->net_namespace)
		error = enter(conf_string(conf, g->net_namespace), why);
	if (error && ipvs >= 0)
		close(ipvs);
	p->ipvs_namespace_fd = error ? -1 : ipvs;
	return error;
}

static bool same_text(const struct conf *a, conf_string_t text_a, const struct conf *b, conf_string_t text_b)
{
	return strcmp(conf_string(a, text_a), conf_string(b, text_b)) == 0;
}

void namespace_compare(const struct conf *old, const struct conf *next)
{
	const struct conf_global *a = old->global, *b = next->global;

	if (!same_text(old, a->net_namespace, next, b->net_namespace) ||
		a->ipvs_namespace_given != b->ipvs_namespace_given ||
		!same_text(old, a->net_namespace_ipvs, next, b->net_namespace_ipvs))
		log_warning("configuration: a new net_namespace or net_namespace_ipvs counts from the next start on: "
			    "restart poised");
}
