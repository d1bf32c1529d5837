/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names the program behind an rtnetlink request, from what the kernel tells of its sender. Runs in the vrrp process;
 * reads one small file of /proc, which never waits for a device. It blames nobody for certain. */
#include "vrrp_culprit.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROCESS_MAX (1u << 22) /* the kernel's own limit; ports above are not processes */
#define NAME_SIZE 16           /* TASK_COMM_LEN */

static ssize_t read_name(uint32_t process, char *name)
{
	char path[32];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/comm", process);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, name, NAME_SIZE - 1);
	close(fd);
	return n;
}

const char *vrrp_culprit(uint32_t port, char *text, size_t size)
{
	char name[NAME_SIZE] = "";
	ssize_t n;

	snprintf(text, size, "somebody else");
	if (port == 0 || port > PROCESS_MAX)
		return text;
	n = read_name(port, name);
	if (n <= 0) {
		snprintf(text, size, "somebody else (it seems process %u, which has ended)", port);
		return text;
	}
	/* Whoever chose that name may have put anything into it, and it goes to a log. */
	for (ssize_t i = 0; i < n; i++) {
		if (name[i] == '\n')
			name[i] = '\0';
		else if ((unsigned char)name[i] < ' ' || (unsigned char)name[i] > '~')
			name[i] = '?';
	}
	snprintf(text, size, "somebody else (it seems %s, process %u)", name, port);
	return text;
}
