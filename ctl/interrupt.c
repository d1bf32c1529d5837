/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting that SIGINT and SIGTERM can end: the signals are blocked except while waiting, so none is missed. */
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

static volatile sig_atomic_t came;
static sigset_t mask_while_waiting;
static bool is_caught;

static void on_signal(int signo)
{
	(void)signo;
	came = 1;
}

void interrupt_catch(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t both;

	sigemptyset(&both);
	sigaddset(&both, SIGINT);
	sigaddset(&both, SIGTERM);
	sigprocmask(SIG_BLOCK, &both, &mask_while_waiting);
	sigdelset(&mask_while_waiting, SIGINT);
	sigdelset(&mask_while_waiting, SIGTERM);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	is_caught = true;
}

bool interrupt_came(void)
{
	return came;
}

int interrupt_poll(int fd, short events, int64_t patience_us)
{
	struct timespec left = {.tv_sec = patience_us / 1000000, .tv_nsec = patience_us % 1000000 * 1000};
	struct pollfd poll = {.fd = fd, .events = events};
	int rc;

	if (came)
		return -1;
	rc = ppoll(&poll, fd >= 0 ? 1 : 0, &left, is_caught ? &mask_while_waiting : NULL);
	if (rc < 0)
		return came ? -1 : 0;
	return rc;
}

bool interrupt_sleep(int64_t us)
{
	return interrupt_poll(-1, 0, us) < 0;
}
