/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vrrp_file.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int vrrp_file_make_room(int fd, size_t size)
{
	return ftruncate(fd, (off_t)size) < 0 ? -errno : -posix_fallocate(fd, 0, (off_t)size);
}
