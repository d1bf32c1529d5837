/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs in a thread of the parent, which shares nothing with it but the queue and what log_to_...() has chosen. What
 * comes from other processes is not trusted: a line stays one line, and holds nothing that a terminal would obey. */
#include "scribe.h"
#include "log.h"
#include "mono.h"
#include "thread.h"
#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define QUEUE_SIZE (1 << 20)

static enum log_level level_of(uint8_t level)
{
	if (level < LOG_LEVEL_ERROR)
		return LOG_LEVEL_ERROR;
	if (level > LOG_LEVEL_INFO)
		return LOG_LEVEL_DEBUG;
	return level > LOG_LEVEL_WARNING ? LOG_LEVEL_INFO : (enum log_level)level;
}

static void write_line(const struct log_record *record, size_t length)
{
	enum log_level level = level_of(record->level);
	char text[sizeof(record->text) + 1];
	size_t n;

	if (level > log_get_level())
		return;
	for (n = 0; n < length && record->text[n]; n++) {
		unsigned char c = (unsigned char)record->text[n];

		text[n] = c < ' ' || c == 0x7f ? '?' : (char)c;
	}
	text[n] = '\0';
	log_deliver(level, text);
}

static void *scribe_main(void *arg)
{
	struct scribe *scribe = arg;

	for (;;) {
		struct log_record record;
		ssize_t n = recv(scribe->queue[0], &record, sizeof(record), 0);

		if (n < 0 && errno != EINTR)
			return NULL;
		if (n > (ssize_t)offsetof(struct log_record, text))
			write_line(&record, (size_t)n - offsetof(struct log_record, text));
		else if (n == 0 && __atomic_load_n(&scribe->is_ending, __ATOMIC_ACQUIRE))
			return NULL;
	}
}

static void enlarge(int fd)
{
	int size = QUEUE_SIZE;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

int scribe_start(struct scribe *scribe)
{
	int error;

	scribe->is_ending = false;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, scribe->queue) < 0)
		return -errno;
	enlarge(scribe->queue[1]);
	error = thread_start(&scribe->thread, scribe_main, scribe);
	if (error < 0) {
		close(scribe->queue[0]);
		close(scribe->queue[1]);
		return error;
	}
	log_to_queue(scribe->queue[1]);
	return 0;
}

void scribe_end(struct scribe *scribe, int64_t patience_us)
{
	const struct timeval patience = {.tv_sec = patience_us / US_PER_S, .tv_usec = patience_us % US_PER_S};
	struct timespec until;

	__atomic_store_n(&scribe->is_ending, true, __ATOMIC_RELEASE);
	/* An empty one: what was put in before is written first. */
	setsockopt(scribe->queue[1], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (send(scribe->queue[1], "", 0, MSG_NOSIGNAL) < 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += patience.tv_sec + 1;
	if (pthread_clockjoin_np(scribe->thread, NULL, CLOCK_MONOTONIC, &until) != 0)
		return;
	log_to_queue(-1);
	close(scribe->queue[0]);
	close(scribe->queue[1]);
}
