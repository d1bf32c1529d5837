/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An epoll set inside the loop's: thousands of short-lived sockets cost one source there and one round for many events.
 * Runs in poise-healthcheck; it never reads or writes a descriptor. */
#include "poller.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Small, because each event may be a TLS handshake step, and the beat of the process must not wait for all of them. */
#define BATCH 64
#define WATCHED (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)
#define WATCHED_ONCE (EPOLLOUT | EPOLLONESHOT)

struct entry {
	poller_fn *fn; /* NULL = not watched */
	bool once;
	void *arg;
	uint32_t use; /* counts the owners of this number, so that an event of a former one is recognised */
};

struct poller {
	int epoll_fd;
	struct loop_io *io;
	uint32_t size;
	struct entry entries[];
};

static struct epoll_event event_of(const struct poller *poller, int fd)
{
	const struct entry *entry = &poller->entries[fd];

	return (struct epoll_event){
		.events = entry->once ? WATCHED_ONCE : WATCHED, .data.u64 = (uint64_t)entry->use << 32 | (uint32_t)fd};
}

static void on_ready(int epoll_fd, uint32_t events, void *arg)
{
	struct poller *poller = arg;
	struct epoll_event batch[BATCH];
	int n = epoll_wait(epoll_fd, batch, BATCH, 0);

	(void)events;
	for (int i = 0; i < n; i++) {
		int fd = (int)(uint32_t)batch[i].data.u64;
		const struct entry *entry = &poller->entries[fd];

		if (entry->fn && entry->use == batch[i].data.u64 >> 32)
			entry->fn(fd, batch[i].events, entry->arg);
	}
}

struct poller *poller_new(struct loop *loop, uint32_t size)
{
	struct poller *poller = calloc(1, sizeof(*poller) + size * sizeof(poller->entries[0]));

	if (!poller)
		return NULL;
	poller->size = size;
	poller->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (poller->epoll_fd >= 0)
		poller->io = loop_io_add(loop, poller->epoll_fd, EPOLLIN, on_ready, poller);
	if (poller->io)
		return poller;
	poller_free(poller);
	return NULL;
}

void poller_free(struct poller *poller)
{
	if (!poller)
		return;
	if (poller->io)
		loop_io_remove(poller->io);
	if (poller->epoll_fd >= 0)
		close(poller->epoll_fd);
	free(poller);
}

int poller_add(struct poller *poller, int fd, bool once, poller_fn *fn, void *arg)
{
	struct epoll_event event;

	if ((uint32_t)fd >= poller->size)
		return -EMFILE;
	poller->entries[fd].once = once;
	event = event_of(poller, fd);
	if (epoll_ctl(poller->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	poller->entries[fd].fn = fn;
	poller->entries[fd].arg = arg;
	return 0;
}

void poller_forget(struct poller *poller, int fd)
{
	struct entry *entry = &poller->entries[fd];

	entry->fn = NULL;
	entry->use++;
	/* One that waited for a single event has had it, and a failed call only costs a wake-up more. */
	if (!entry->once)
		epoll_ctl(poller->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

void poller_again(struct poller *poller, int fd)
{
	struct epoll_event event = event_of(poller, fd);

	epoll_ctl(poller->epoll_fd, EPOLL_CTL_MOD, fd, &event);
}

void poller_close(struct poller *poller, int fd)
{
	if ((uint32_t)fd < poller->size) {
		poller->entries[fd].fn = NULL;
		poller->entries[fd].use++;
	}
	close(fd);
}
