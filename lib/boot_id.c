/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the boot id. Used by the vrrp role for the files that it leaves to its successors; keeps nothing. */
#include "boot_id.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define LENGTH 36 /* without the newline */

void boot_id_read(char id[BOOT_ID_SIZE])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	memset(id, 0, BOOT_ID_SIZE);
	if (fd < 0)
		return;
	if (read(fd, id, LENGTH) != LENGTH)
		memset(id, 0, BOOT_ID_SIZE);
	close(fd);
}
