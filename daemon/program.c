/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where our programs lie. Runs in the parent. A poised in a folder `daemon` beside the other folders of the source tree
 * uses those, so that a build needs no installation. */
#include "parent.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The folder two levels above the running program, when it looks like a build tree. */
static bool build_tree(char root[PATH_MAX])
{
	char probe[PATH_MAX + 32];
	ssize_t n = readlink("/proc/self/exe", root, PATH_MAX - 1);
	char *slash;

	if (n <= 0)
		return false;
	root[n] = '\0';
	slash = strrchr(root, '/');
	if (!slash)
		return false;
	*slash = '\0';
	slash = strrchr(root, '/');
	if (!slash || strcmp(slash, "/daemon") != 0)
		return false;
	*slash = '\0';
	snprintf(probe, sizeof(probe), "%s/vrrp/poise-vrrp", root);
	return access(probe, F_OK) == 0;
}

int program_path(const char *folder, const char *name, char buf[PATH_MAX])
{
	char root[PATH_MAX];
	int n;

	if (build_tree(root))
		n = snprintf(buf, PATH_MAX, "%s/%s/%s", root, folder, name);
	else
		n = snprintf(buf, PATH_MAX, "%s/%s", LIBEXECDIR, name);
	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int program_path_role(enum role role, char buf[PATH_MAX])
{
	static const char *const folders[] = {[ROLE_PARENT] = "daemon",
		[ROLE_VRRP] = "vrrp",
		[ROLE_IPVS] = "ipvs",
		[ROLE_HEALTHCHECK] = "healthcheck",
		[ROLE_CONTROL] = "daemon/control",
		[ROLE_SNMP] = "snmp",
		[ROLE_SCRIPT] = "daemon/script",
		[ROLE_PAIR] = "pair"};
	enum role kind = role_kind(role);
	char name[32];

	snprintf(name, sizeof(name), "poise-%s", role_name(kind));
	return program_path(folders[kind], name, buf);
}
