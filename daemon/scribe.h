/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scribe: the thread of the parent that takes log lines of all processes out of their queue and writes them. A
 * journal, a syslog daemon or a terminal that takes nothing holds up this thread and nobody else. */
#ifndef POISE_SCRIBE_H
#define POISE_SCRIBE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct scribe {
	int queue[2]; /* [0] is read here, [1] written by everybody, the children as well; datagrams of struct
			 log_record */
	pthread_t thread;
	bool is_ending;
};

/* Makes the queue, and sends the lines of this process through it from now on. Returns 0 or -errno. */
int scribe_start(struct scribe *scribe);
/* Writes what is in the queue and ends the thread; lines are written at once again. A thread that is held up for longer
 * than patience_us is left behind with what it has: the process is about to end. */
void scribe_end(struct scribe *scribe, int64_t patience_us);

#endif
