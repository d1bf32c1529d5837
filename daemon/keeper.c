/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs in the parent, and where it says so in its thread, which has a copy of its own of what it writes. It decides
 * nothing and logs nothing. */
#include "keeper.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A disk that works is faster; the watchdog of the service manager is not heard of for longer than this. */
#define PATIENCE_US (500 * US_PER_MS)

/* In the thread. */
static void run(void *arg)
{
	struct keeper *keeper = arg;

	keeper->result = intents_write(&keeper->copy, keeper->path);
}

int keeper_start(struct keeper *keeper, const char *path)
{
	*keeper = (struct keeper){0};
	snprintf(keeper->path, sizeof(keeper->path), "%s", path);
	worker_init(&keeper->worker, run, keeper);
	return worker_start(&keeper->worker, 0);
}

static void *copy_of(const void *list, size_t n, size_t size)
{
	void *copy = malloc((n + 1) * size);

	if (copy && n > 0)
		memcpy(copy, list, n * size);
	return copy;
}

static int copy_intents(struct intents *copy, const struct intents *all)
{
	*copy = *all;
	copy->list = copy_of(all->list, all->count, sizeof(*all->list));
	copy->pool = copy_of(all->pool, all->n_pool, sizeof(*all->pool));
	if (copy->list && copy->pool)
		return 0;
	intents_free(copy);
	return -ENOMEM;
}

/* False when the time is over and the thread is not back. */
static bool wait_for(const struct keeper *keeper, int64_t patience_us)
{
	struct mono end = mono_add(mono_now(), patience_us);
	struct pollfd back = {.fd = worker_fd(&keeper->worker), .events = POLLIN};
	int64_t left_us = patience_us;
	int rc;

	if (!keeper->worker.has_thread || !keeper->worker.is_out)
		return true;
	do {
		rc = poll(&back, 1, (int)(left_us / US_PER_MS) + 1);
		left_us = mono_diff_us(end, mono_now());
	} while (rc < 0 && errno == EINTR && left_us > 0);
	return rc > 0;
}

bool keeper_take(struct keeper *keeper, int *result)
{
	if (!worker_take(&keeper->worker))
		return false;
	intents_free(&keeper->copy);
	*result = keeper->result;
	return true;
}

int keeper_write(struct keeper *keeper, const struct intents *all)
{
	int rc;

	if (keeper->worker.is_out) {
		keeper->is_owed = true;
		return -EINPROGRESS;
	}
	keeper->is_owed = false;
	rc = copy_intents(&keeper->copy, all);
	if (rc < 0)
		return rc;
	worker_send(&keeper->worker);
	if (!wait_for(keeper, PATIENCE_US))
		return -EINPROGRESS;
	keeper_take(keeper, &rc);
	return rc;
}

int keeper_fd(const struct keeper *keeper)
{
	return worker_fd(&keeper->worker);
}

bool keeper_end(struct keeper *keeper, int64_t patience_us)
{
	int rc;

	if (!wait_for(keeper, patience_us))
		return false;
	keeper_take(keeper, &rc);
	worker_end(&keeper->worker);
	return true;
}
