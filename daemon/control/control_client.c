/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines in and out of one local connection; runs in the control process. It knows nothing of what the lines mean, never
 * waits for a client, and ends a connection that says nothing or reads nothing for too long. */
#include "control_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A client that asks nothing for so long is ended; `--watch` and `--follow` ask every second or more often. */
#define IDLE_US (120 * US_PER_S)
/* A client that does not read its answer: all of it within this time, so that nobody holds memory by reading in drips.
 */
#define STALLED_US (20 * US_PER_S)

void client_close(struct client *client)
{
	loop_timer_cancel(client->loop, &client->idle);
	loop_timer_cancel(client->loop, &client->retry);
	loop_io_remove(client->io);
	close(client->fd);
	client->ops->closed(client, client->arg);
	free(client->out);
	free(client);
}

static void on_idle(struct timer *timer, void *arg)
{
	(void)timer;
	client_close(arg);
}

/* Sends what fits. Returns 1 when all is out, 0 when not, -1 when the connection is over. */
static int flush(struct client *client)
{
	while (client->out_sent < client->out_length) {
		ssize_t n = send(client->fd, client->out + client->out_sent, client->out_length - client->out_sent,
			MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
		if (n <= 0)
			return -1;
		client->out_sent += (size_t)n;
	}
	free(client->out);
	client->out = NULL;
	client->out_length = client->out_sent = 0;
	return 1;
}

/* Delivers the next complete line; false when there is none. */
static bool deliver(struct client *client)
{
	char *newline = memchr(client->in, '\n', client->in_length);
	char line[sizeof(client->in)];
	size_t length;

	if (!newline)
		return false;
	length = (size_t)(newline - client->in);
	memcpy(line, client->in, length);
	client->in_length -= length + 1;
	memmove(client->in, newline + 1, client->in_length);
	client->is_busy = true;
	client->asked = mono_now();
	client->ops->line(client, line, length, client->arg);
	return true;
}

/* A line without end: the owner sees that it is too long and says so; nothing more is taken from this client. */
static void overflow(struct client *client)
{
	client->is_busy = client->is_ending = true;
	client->in_length = 0;
	client->ops->line(client, client->in, sizeof(client->in), client->arg);
}

/* Until `end`, and then it is over; without one for as long as it takes. */
static void wait_for(struct client *client, uint32_t events, const struct mono *end)
{
	loop_io_events(client->io, events);
	if (end)
		loop_timer_set(client->loop, &client->idle, *end);
	else
		loop_timer_cancel(client->loop, &client->idle);
}

/* Goes on with whatever can go on: output first, then the next line. The client may be gone afterwards. */
static void pump(struct client *client)
{
	struct mono end;

	client->is_pumping = true;
	for (;;) {
		int rc = client->out ? flush(client) : 1;

		if (rc == 0) {
			end = mono_add(client->answered, STALLED_US);
			wait_for(client, EPOLLOUT, &end);
			break;
		}
		if (rc < 0 || client->is_ending) {
			client_close(client);
			return;
		}
		if (client->is_busy) {
			wait_for(client, 0, NULL);
			break;
		}
		if (deliver(client))
			continue;
		if (client->at_end) {
			client_close(client);
			return;
		}
		if (client->in_length == sizeof(client->in)) {
			overflow(client);
			continue;
		}
		end = mono_add(mono_now(), IDLE_US);
		wait_for(client, EPOLLIN, &end);
		break;
	}
	client->is_pumping = false;
}

static void on_io(int fd, uint32_t events, void *arg)
{
	struct client *client = arg;
	ssize_t n;

	/* Nobody is left to read an answer. */
	if (events & (EPOLLERR | EPOLLHUP) && !(events & EPOLLIN)) {
		client_close(client);
		return;
	}
	if (events & EPOLLIN) {
		n = read(fd, client->in + client->in_length, sizeof(client->in) - client->in_length);
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			client_close(client);
			return;
		}
		if (n == 0)
			client->at_end = true;
		if (n > 0)
			client->in_length += (size_t)n;
	}
	pump(client);
}

struct client *client_new(struct loop *loop, int fd, const struct client_ops *ops, void *arg)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client) {
		close(fd);
		return NULL;
	}
	client->loop = loop;
	client->fd = fd;
	client->ops = ops;
	client->arg = arg;
	client->idle.fire = on_idle;
	client->idle.arg = client;
	client->io = loop_io_add(loop, fd, EPOLLIN, on_io, client);
	if (!client->io) {
		close(fd);
		free(client);
		return NULL;
	}
	loop_timer_set(loop, &client->idle, mono_add(mono_now(), IDLE_US));
	return client;
}

void client_answer(struct client *client, char *text, size_t length)
{
	if (!text)
		client->is_ending = true;
	client->out = text;
	client->out_length = length;
	client->out_sent = 0;
	client->answered = mono_now();
	client->is_busy = false;
	if (!client->is_pumping)
		pump(client);
}

void client_answer_and_close(struct client *client, char *text, size_t length)
{
	client->is_ending = true;
	client_answer(client, text, length);
}

size_t client_owed(const struct client *client)
{
	return client->out_length - client->out_sent;
}
