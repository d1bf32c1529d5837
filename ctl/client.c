/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Talks to the daemon's control socket. It blocks only as long as it was told to, and explains what went wrong: object
 * first, cause, what to do. */
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* A status document of 40,000 servers has about 20 MB. */
#define ANSWER_MAX (256u << 20)

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

bool client_init(struct client *client, const char *rundir)
{
	*client = (struct client){.fd = -1};
	return snprintf(client->path, sizeof(client->path), "%s/control.sock", rundir) < (int)sizeof(client->path);
}

static void disconnect(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	client->in_length = 0;
}

void client_close(struct client *client)
{
	disconnect(client);
	free(client->in);
	client->in = NULL;
	client->in_size = 0;
}

static enum client_result __attribute__((format(printf, 2, 3))) lost(struct client *client, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(client->error, sizeof(client->error), fmt, ap);
	va_end(ap);
	disconnect(client);
	return CLIENT_UNREACHABLE;
}

static const char *connect_advice(int error)
{
	switch (error) {
	case ENOENT:
		return "poised is not running, or runs with another -r";
	case ECONNREFUSED:
		return "poised has ended without cleaning up, or is just starting: see its log";
	case EACCES:
	case EPERM:
		return "become root, or join the group poise, whose members may look";
	case EAGAIN:
		return "too many connections wait for poised: try again";
	default:
		return "see the log of poised";
	}
}

static enum client_result connect_socket(struct client *client)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	if (client->fd >= 0)
		return CLIENT_OK;
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		return lost(client, "no socket: %s", strerror(errno));
	memcpy(sa.sun_path, client->path, sizeof(client->path));
	if (connect(client->fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return CLIENT_OK;
	if (errno == ENOENT)
		return lost(client, "%s: no such file: %s", client->path, connect_advice(ENOENT));
	return lost(client, "%s: %s: %s", client->path, strerror(errno), connect_advice(errno));
}

static enum client_result send_line(struct client *client, const char *line)
{
	struct iovec parts[2] = {{(void *)(uintptr_t)line, strlen(line)}, {(void *)(uintptr_t) "\n", 1}};
	struct msghdr msg = {.msg_iov = parts, .msg_iovlen = 2};

	/* A request is far smaller than a socket's buffer. */
	if (sendmsg(client->fd, &msg, MSG_NOSIGNAL) == (ssize_t)(parts[0].iov_len + 1))
		return CLIENT_OK;
	return lost(client, "%s: poised closed the connection: see its log", client->path);
}

static bool grow(struct client *client)
{
	size_t size = client->in_size ? client->in_size * 2 : 65536;
	char *in = size <= ANSWER_MAX ? realloc(client->in, size) : NULL;

	if (!in)
		return false;
	client->in = in;
	client->in_size = size;
	return true;
}

/* Reads until the line is complete; it stays in client->in without its newline. */
static enum client_result receive_line(struct client *client, int64_t patience_us)
{
	int64_t end_us = now_us() + patience_us;

	client->in_length = 0;
	for (;;) {
		int64_t left_us = end_us - now_us();
		int rc = interrupt_poll(client->fd, POLLIN, left_us > 0 ? left_us : 0);
		ssize_t n;

		if (rc < 0) {
			lost(client, "interrupted");
			return CLIENT_INTERRUPTED;
		}
		if (rc == 0 && left_us <= 0)
			return lost(client, "%s: no answer within %lld s: see the log of poised", client->path,
				(long long)(patience_us / 1000000));
		if (rc == 0)
			continue;
		if (client->in_size - client->in_length < 2 && !grow(client))
			return lost(client, "%s: the answer is too long", client->path);
		n = read(client->fd, client->in + client->in_length, client->in_size - client->in_length - 1);
		if (n <= 0)
			return lost(
				client, "%s: poised closed the connection: it was stopped or restarted", client->path);
		client->in_length += (size_t)n;
		client->in[client->in_length] = '\0';
		if (client->in[client->in_length - 1] == '\n')
			return CLIENT_OK;
	}
}

static enum client_result read_answer(struct client *client, struct json_object **result)
{
	struct json_object *answer = json_tokener_parse(client->in);
	enum client_result rc = CLIENT_OK;

	if (!json_object_is_type(answer, json_type_object)) {
		json_object_put(answer);
		return lost(client, "%s: the answer is not that of poised", client->path);
	}
	if (!json_flag(answer, "ok")) {
		snprintf(client->error, sizeof(client->error), "%s", json_text(answer, "error"));
		rc = CLIENT_REFUSED;
	}
	*result = json_object_get(json_member(answer, "result"));
	json_object_put(answer);
	return rc;
}

enum client_result client_ask(
	struct client *client, struct json_object *request, int64_t patience_us, struct json_object **result)
{
	enum client_result rc = connect_socket(client);

	*result = NULL;
	if (rc == CLIENT_OK)
		rc = send_line(client, json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN));
	if (rc == CLIENT_OK)
		rc = receive_line(client, patience_us);
	if (rc == CLIENT_OK)
		rc = read_answer(client, result);
	return rc;
}

/* How an answer with a result begins. Whatever begins otherwise is taken apart. */
#define RESULT_PREFIX "{\"ok\":true,\"result\":"

enum client_result client_ask_text(
	struct client *client, struct json_object *request, int64_t patience_us, const char **text)
{
	enum client_result rc = connect_socket(client);
	struct json_object *result = NULL;
	size_t prefix = strlen(RESULT_PREFIX);

	*text = NULL;
	if (rc == CLIENT_OK)
		rc = send_line(client, json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN));
	if (rc == CLIENT_OK)
		rc = receive_line(client, patience_us);
	if (rc != CLIENT_OK)
		return rc;
	if (client->in_length > prefix + 2 && strncmp(client->in, RESULT_PREFIX, prefix) == 0 &&
		strcmp(client->in + client->in_length - 2, "}\n") == 0) {
		client->in[client->in_length - 2] = '\0';
		*text = client->in + prefix;
		return CLIENT_OK;
	}
	rc = read_answer(client, &result);
	json_object_put(result);
	return rc == CLIENT_OK ? lost(client, "%s: the answer is not that of poised", client->path) : rc;
}
