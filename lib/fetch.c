/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs in the health checker and in the parent, and where it says so in a thread, which has one fetch until it is back.
 * What a file means is known to others. */
#include "fetch.h"
#include "worker.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fetch {
	struct fetch *next; /* in fetcher->waiting */
	struct fetcher *fetcher;
	fetch_done_fn *done; /* NULL: nobody waits for it */
	void *arg;
	enum fetch_kind kind;
	bool is_out, is_closing;
	int fd, error;
	size_t length;
	char text[FETCH_TEXT_SIZE];
	char path[];
};

struct lane {
	struct fetcher *fetcher;
	struct worker worker;
	struct loop_io *io; /* NULL: not started yet */
	struct fetch *now;
};

struct fetcher {
	struct loop *loop;
	struct lane lanes[FETCH_LANES];
	struct fetch *waiting, **last;
};

/* ---- in the thread ---- */

static void open_it(struct fetch *fetch)
{
	struct stat st;

	if (fetch->fd < 0)
		fetch->fd = open(fetch->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fetch->fd < 0 || fstat(fetch->fd, &st) < 0)
		fetch->error = -errno;
	else if (!S_ISREG(st.st_mode))
		fetch->error = -ENOTSUP;
}

/* To close may take as long as anything else. */
static void close_it(struct fetch *fetch)
{
	if (fetch->fd >= 0)
		close(fetch->fd);
	fetch->fd = -1;
}

static void run(void *arg)
{
	struct lane *lane = arg;
	struct fetch *fetch = lane->now;
	ssize_t n;

	if (fetch->is_closing) {
		close_it(fetch);
		return;
	}
	open_it(fetch);
	if (!fetch->error && fetch->kind == FETCH_OPEN)
		return;
	n = fetch->error ? 0 : read(fetch->fd, fetch->text, sizeof(fetch->text));
	if (n < 0)
		fetch->error = -errno;
	else
		fetch->length = (size_t)n;
	close_it(fetch);
}

/* ---- the process's side ---- */

bool fetch_is_same_folder(const char *a, const char *b)
{
	const char *end_a = strrchr(a, '/'), *end_b = strrchr(b, '/');

	return end_a && end_b && end_a - a == end_b - b && memcmp(a, b, (size_t)(end_a - a)) == 0;
}

static void on_back(int fd, uint32_t events, void *arg);

/* Never without a thread: that would be waiting. */
static bool is_ready(struct lane *lane)
{
	if (lane->io)
		return true;
	worker_init(&lane->worker, run, lane);
	if (worker_start(&lane->worker, 0) < 0)
		return false;
	lane->io = loop_io_add(lane->fetcher->loop, worker_fd(&lane->worker), EPOLLIN, on_back, lane);
	if (!lane->io)
		worker_end(&lane->worker);
	return lane->io != NULL;
}

/* A lane for this fetch; NULL when all are out, or one is out for the same folder. */
static struct lane *find_lane(struct fetcher *fetcher, const struct fetch *fetch)
{
	struct lane *idle = NULL;

	for (unsigned i = FETCH_LANES; i > 0; i--) {
		struct lane *lane = &fetcher->lanes[i - 1];

		if (!lane->now)
			idle = lane;
		else if (fetch_is_same_folder(lane->now->path, fetch->path))
			return NULL;
	}
	return idle && is_ready(idle) ? idle : NULL;
}

static bool has_any_out(const struct fetcher *fetcher)
{
	for (unsigned i = 0; i < FETCH_LANES; i++)
		if (fetcher->lanes[i].now)
			return true;
	return false;
}

static void send_out(struct lane *lane, struct fetch *fetch)
{
	fetch->is_out = true;
	lane->now = fetch;
	worker_send(&lane->worker);
}

static void take_from_queue(struct fetcher *fetcher, struct fetch **at)
{
	struct fetch *fetch = *at;

	*at = fetch->next;
	if (!fetch->next)
		fetcher->last = at;
	fetch->next = NULL;
}

static void send_waiting(struct fetcher *fetcher)
{
	struct fetch **at = &fetcher->waiting;

	while (*at) {
		struct fetch *fetch = *at;
		struct lane *lane = find_lane(fetcher, fetch);

		if (!lane) {
			at = &fetch->next;
			continue;
		}
		take_from_queue(fetcher, at);
		send_out(lane, fetch);
	}
}

static void tell(struct fetch *fetch)
{
	struct fetched file = {.error = fetch->error,
		.fd = fetch->error ? -1 : fetch->fd,
		.text = fetch->text,
		.length = fetch->length};
	fetch_done_fn *done = fetch->done;

	fetch->done = NULL;
	if (done)
		done(fetch->arg, &file);
}

static void on_back(int fd, uint32_t events, void *arg)
{
	struct lane *lane = arg;
	struct fetch *fetch = lane->now;

	(void)fd;
	(void)events;
	if (!worker_take(&lane->worker))
		return;
	/* It stays out while the one who asked is told, so that he may ask anew, and cancel this one. */
	tell(fetch);
	if (fetch->fd >= 0) {
		fetch->is_closing = true;
		send_out(lane, fetch);
		return;
	}
	lane->now = NULL;
	free(fetch);
	send_waiting(lane->fetcher);
}

struct fetcher *fetcher_new(struct loop *loop)
{
	struct fetcher *fetcher = calloc(1, sizeof(*fetcher));

	if (!fetcher)
		return NULL;
	fetcher->loop = loop;
	fetcher->last = &fetcher->waiting;
	for (unsigned i = 0; i < FETCH_LANES; i++)
		fetcher->lanes[i].fetcher = fetcher;
	return fetcher;
}

void fetcher_free(struct fetcher *fetcher)
{
	bool is_any_out = false;

	if (!fetcher)
		return;
	while (fetcher->waiting) {
		struct fetch *fetch = fetcher->waiting;

		take_from_queue(fetcher, &fetcher->waiting);
		close_it(fetch);
		free(fetch);
	}
	for (unsigned i = 0; i < FETCH_LANES; i++) {
		struct lane *lane = &fetcher->lanes[i];

		loop_io_remove(lane->io);
		is_any_out |= lane->now != NULL;
		if (lane->io && !lane->now)
			worker_end(&lane->worker);
	}
	if (!is_any_out)
		free(fetcher);
}

struct fetch *fetch_begin(
	struct fetcher *fetcher, enum fetch_kind kind, const char *path, int fd, fetch_done_fn *done, void *arg)
{
	size_t size = strlen(path) + 1;
	struct fetch *fetch = fetcher ? calloc(1, sizeof(*fetch) + size) : NULL;
	struct lane *lane;

	if (!fetch) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	*fetch = (struct fetch){.fetcher = fetcher, .done = done, .arg = arg, .kind = kind, .fd = fd};
	memcpy(fetch->path, path, size);
	lane = find_lane(fetcher, fetch);
	if (lane) {
		send_out(lane, fetch);
		return fetch;
	}
	/* No thread can be had: nobody would come back for it. */
	if (!has_any_out(fetcher)) {
		if (fd >= 0)
			close(fd);
		free(fetch);
		return NULL;
	}
	*fetcher->last = fetch;
	fetcher->last = &fetch->next;
	return fetch;
}

void fetch_cancel(struct fetch *fetch)
{
	struct fetch **at = &fetch->fetcher->waiting;

	fetch->done = NULL;
	/* A descriptor is closed by a thread, too. */
	if (fetch->is_out || fetch->fd >= 0)
		return;
	while (*at != fetch)
		at = &(*at)->next;
	take_from_queue(fetch->fetcher, at);
	free(fetch);
}
