/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks the AgentX master for a sign of life over a non-blocking socket. Runs in the snmp role, before the SNMP library
 * is allowed to connect; opens no session. */
#include "agentx_probe.h"
#include "addr.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define AGENTX_PORT 705
#define AGENTX_VERSION 1
#define AGENTX_PING 13
#define AGENTX_RESPONSE 18
#define AGENTX_NETWORK_BYTE_ORDER 0x10

static int address_unix(const char *path, struct agentx_address *out)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&out->ss;
	size_t length = strlen(path);

	if (length == 0 || length >= sizeof(un->sun_path))
		return -1;
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, length + 1);
	out->length = sizeof(*un);
	snprintf(out->spec, sizeof(out->spec), "unix:%s", path);
	return 0;
}

static int address_tcp(const char *text, struct agentx_address *out)
{
	static const char localhost[] = "localhost";
	char spec[ADDR_TEXT + sizeof(out->spec) / 2], numeric[ADDR_TEXT];
	uint16_t port;
	struct addr a;

	if (strlen(text) >= sizeof(spec))
		return -1;
	if (strncmp(text, localhost, strlen(localhost)) == 0)
		snprintf(spec, sizeof(spec), "127.0.0.1%s", text + strlen(localhost));
	else
		snprintf(spec, sizeof(spec), "%s", text);
	if (addr_parse_port(spec, &a, &port) < 0)
		return -1;
	if (port == 0)
		port = AGENTX_PORT;
	out->length = addr_to_sockaddr(&a, port, 0, &out->ss);
	snprintf(out->spec, sizeof(out->spec), "%s:%s", a.family == AF_INET6 ? "tcp6" : "tcp",
		addr_format_port(&a, port, numeric));
	return 0;
}

int agentx_address_parse(const char *text, struct agentx_address *out)
{
	*out = (struct agentx_address){0};
	if (strncmp(text, "unix:", 5) == 0)
		return address_unix(text + 5, out);
	if (text[0] == '/')
		return address_unix(text, out);
	if (strncmp(text, "tcp:", 4) == 0)
		return address_tcp(text + 4, out);
	if (strncmp(text, "tcp6:", 5) == 0)
		return address_tcp(text + 5, out);
	return address_tcp(text, out);
}

void agentx_ping_encode(uint8_t packet[AGENTX_HEADER_SIZE])
{
	memset(packet, 0, AGENTX_HEADER_SIZE); /* session, transaction, packet id and payload length are all 0 */
	packet[0] = AGENTX_VERSION;
	packet[1] = AGENTX_PING;
	packet[2] = AGENTX_NETWORK_BYTE_ORDER;
}

bool agentx_is_response(const uint8_t *packet, size_t size)
{
	return size >= AGENTX_HEADER_SIZE && packet[0] == AGENTX_VERSION && packet[1] == AGENTX_RESPONSE;
}

void agentx_probe_init(struct agentx_probe *probe, struct loop *loop, void (*done)(void *arg, int error), void *arg)
{
	*probe = (struct agentx_probe){.loop = loop, .done = done, .arg = arg, .fd = -1};
}

void agentx_probe_cancel(struct agentx_probe *probe)
{
	if (probe->io)
		loop_io_remove(probe->io);
	if (probe->fd >= 0)
		close(probe->fd);
	probe->io = NULL;
	probe->fd = -1;
}

static void probe_end(struct agentx_probe *probe, int error)
{
	agentx_probe_cancel(probe);
	probe->done(probe->arg, error);
}

static void probe_send(struct agentx_probe *probe)
{
	uint8_t packet[AGENTX_HEADER_SIZE];
	socklen_t length = sizeof(int);
	int error = 0;

	getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	if (error != 0) {
		probe_end(probe, error);
		return;
	}
	agentx_ping_encode(packet);
	if (send(probe->fd, packet, sizeof(packet), MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof(packet)) {
		probe_end(probe, errno);
		return;
	}
	probe->is_sent = true;
	loop_io_events(probe->io, EPOLLIN);
}

static void probe_ready(int fd, uint32_t events, void *arg)
{
	struct agentx_probe *probe = arg;
	uint8_t packet[64];
	ssize_t n;

	(void)events;
	if (!probe->is_sent) {
		probe_send(probe);
		return;
	}
	n = recv(fd, packet, sizeof(packet), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* A response of this size is never split on a fresh connection; anything else is not a master. */
	if (n <= 0)
		probe_end(probe, n < 0 ? errno : ECONNRESET);
	else
		probe_end(probe, agentx_is_response(packet, (size_t)n) ? 0 : EPROTO);
}

void agentx_probe_start(struct agentx_probe *probe, const struct agentx_address *address)
{
	const struct sockaddr *sa = (const struct sockaddr *)&address->ss;

	agentx_probe_cancel(probe);
	probe->is_sent = false;
	probe->fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (probe->fd < 0 || (connect(probe->fd, sa, address->length) < 0 && errno != EINPROGRESS)) {
		probe_end(probe, errno);
		return;
	}
	probe->io = loop_io_add(probe->loop, probe->fd, EPOLLOUT, probe_ready, probe);
	if (!probe->io)
		probe_end(probe, errno ? errno : ENOMEM);
}
