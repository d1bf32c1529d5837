/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Preloaded into one daemon of the lab: its wall clock is off by as many seconds as the file $LAB_CLOCK says, at this
 * moment. A kernel has one wall clock for all namespaces, and a pair whose clocks differ needs two. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offset_s;
static int (*real)(clockid_t, struct timespec *);

__attribute__((constructor)) static void map_offset(void)
{
	const char *path = getenv("LAB_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*offset_s), PROT_READ, MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	if (map != MAP_FAILED)
		offset_s = map;
	real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
}

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	int rc;

	if (!real)
		map_offset();
	rc = real(clock, ts);
	if (rc == 0 && clock == CLOCK_REALTIME && offset_s)
		ts->tv_sec += *offset_s;
	return rc;
}
