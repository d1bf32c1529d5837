/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reload_file: a file that is there while the configuration is read. Who writes configurations makes it, asks for a
 * reload, and waits until it is gone. Runs in the parent. */
#include "parent.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char *path_in(const struct conf *conf)
{
	return conf ? conf_string(conf, conf->global->reload_file) : "";
}

void read_mark_set(const struct parent *p)
{
	const char *path = path_in(p->conf);
	int fd;

	/* Nobody waits for the end of a plan for its own sake. */
	if (!path[0] || p->reload.order.is_quiet)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	if (fd < 0)
		log_warning("reload_file %s: cannot be made: %s", path, strerror(errno));
	else
		close(fd);
}

void read_mark_clear(const struct parent *p, const struct conf *conf)
{
	const char *path = path_in(conf);

	if (path[0] && !p->reload.order.is_quiet && unlink(path) < 0 && errno != ENOENT)
		log_warning("reload_file %s: cannot be removed: %s", path, strerror(errno));
}
