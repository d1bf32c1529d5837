/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page faults in advance. Runs in whoever fills much memory once: the config role. */
#include "pages.h"
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* Below this pages may come one by one. */
#define FEW 16384
/* Up to this an array grows fast. */
#define MANY 65536

uint32_t pages_more_room(uint32_t room, size_t size)
{
	if (room < 16)
		return 16;
	return room * size < MANY ? room * 4 : room + room / 2;
}

void pages_ready(void *from, size_t size)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t begin = (uintptr_t)from & ~(page - 1), end = ((uintptr_t)from + size + page - 1) & ~(page - 1);
	int error = errno;

	/* A kernel before 5.14 does not know it. What is there stays as it is. */
	if (size >= FEW)
		madvise((void *)begin, end - begin, MADV_POPULATE_WRITE);
	errno = error;
}
