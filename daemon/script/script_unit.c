/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Both ends of the connection between the script role's place in the daemon and the role itself in a unit of its own.
 * Runs in the relay and, once at its start, in the script process. It never interprets what the parent says: the role's
 * channel goes over as a descriptor. */
#include "script_unit.h"
#include "log.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CHANNEL, LOG, DESCRIPTORS };

/* What a role is started with, as the parent's child sends it to the unit. Both are of one installation. */
struct hand_over {
	char magic[8];
	char user[40], level[16], beat_us[24];
};

static const char magic[8] = "poise-1";

static int connect_unit(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

static int send_hand_over(int fd, const struct hand_over *h, const int fds[DESCRIPTORS])
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int) * DESCRIPTORS)];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int) * DESCRIPTORS),
			     .cmsg_level = SOL_SOCKET,
			     .cmsg_type = SCM_RIGHTS}};
	struct iovec data = {(void *)(uintptr_t)h, sizeof(*h)};
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};

	memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * DESCRIPTORS);
	return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Sorts the arguments that a role gets; the path after --through is the first of them. */
static int read_arguments(int argc, char **argv, struct hand_over *h, int fds[DESCRIPTORS])
{
	for (int i = 3; i + 1 < argc; i += 2) {
		const char *value = argv[i + 1];

		if (strcmp(argv[i], "--channel") == 0)
			fds[CHANNEL] = atoi(value);
		else if (strcmp(argv[i], "--log") == 0)
			fds[LOG] = atoi(value);
		else if (strcmp(argv[i], "--user") == 0)
			snprintf(h->user, sizeof(h->user), "%s", value);
		else if (strcmp(argv[i], "--level") == 0)
			snprintf(h->level, sizeof(h->level), "%s", value);
		else if (strcmp(argv[i], "--beat-us") == 0)
			snprintf(h->beat_us, sizeof(h->beat_us), "%s", value);
		else
			return -EINVAL;
	}
	return fds[CHANNEL] < 0 || fds[LOG] < 0 ? -EINVAL : 0;
}

int script_unit_relay(int argc, char **argv)
{
	struct hand_over h = {0};
	int fds[DESCRIPTORS] = {-1, -1};
	char end;
	int fd, rc;

	memcpy(h.magic, magic, sizeof(magic));
	rc = read_arguments(argc, argv, &h, fds);
	if (fds[LOG] >= 0)
		log_to_parent("script", fds[LOG]);
	if (rc < 0) {
		log_error("script: the relay to %s does not know all of its arguments: two versions are mixed, install "
			  "Poise "
			  "anew",
			argv[2]);
		return 2;
	}
	fd = connect_unit(argv[2]);
	rc = fd < 0 ? fd : send_hand_over(fd, &h, fds);
	if (rc < 0) {
		log_error("script: %s: %s: no script runs and no notification is sent; see systemctl status "
			  "poise-script.socket",
			argv[2], strerror(-rc));
		return 1;
	}
	/* The parent ends a role by a message to it; its signals are for the role too. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	close(fds[CHANNEL]);
	/* The role says one byte when it has come to its end by itself. */
	do
		rc = (int)recv(fd, &end, 1, 0);
	while (rc < 0 && errno == EINTR);
	return rc == 1 ? 0 : 1;
}

static int take_descriptors(struct msghdr *message, int fds[DESCRIPTORS])
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);

	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
		header->cmsg_len != CMSG_LEN(sizeof(int) * DESCRIPTORS))
		return -EPROTO;
	memcpy(fds, CMSG_DATA(header), sizeof(int) * DESCRIPTORS);
	return 0;
}

static int receive_hand_over(int fd, struct hand_over *h, int fds[DESCRIPTORS])
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int) * DESCRIPTORS)];
	} control;
	struct iovec data = {h, sizeof(*h)};
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	struct timeval patience = {.tv_sec = 5};
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	n = recvmsg(fd, &message, 0);
	if (n < 0)
		return -errno;
	if (n != sizeof(*h) || memcmp(h->magic, magic, sizeof(magic)) != 0)
		return -EPROTO;
	h->user[sizeof(h->user) - 1] = h->level[sizeof(h->level) - 1] = h->beat_us[sizeof(h->beat_us) - 1] = '\0';
	return take_descriptors(&message, fds);
}

/* The kernel kills us when the relay hangs up, whatever we are doing, also stopped: it sends nothing that could be
 * read.
 */
static int die_with(int fd)
{
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETSIG, SIGKILL) < 0 ||
		fcntl(fd, F_SETOWN, getpid()) < 0 || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC) < 0)
		return -errno;
	return 0;
}

int script_unit_take(int fd, char *args[SCRIPT_UNIT_ARGS + 1])
{
	static struct hand_over h;
	static char numbers[DESCRIPTORS][16];
	int fds[DESCRIPTORS];
	int rc = receive_hand_over(fd, &h, fds);
	int n = 0;

	if (rc == 0)
		rc = die_with(fd);
	if (rc < 0) {
		log_error("script: the daemon handed nothing over: %s", strerror(-rc));
		return rc;
	}
	for (int i = 0; i < DESCRIPTORS; i++) {
		fcntl(fds[i], F_SETFD, FD_CLOEXEC);
		snprintf(numbers[i], sizeof(numbers[i]), "%d", fds[i]);
	}
	args[n++] = (char *)"poise-script";
	args[n++] = (char *)"--channel";
	args[n++] = numbers[CHANNEL];
	args[n++] = (char *)"--log";
	args[n++] = numbers[LOG];
	args[n++] = (char *)"--user";
	args[n++] = h.user;
	args[n++] = (char *)"--level";
	args[n++] = h.level;
	args[n++] = (char *)"--beat-us";
	args[n++] = h.beat_us;
	args[n] = NULL;
	return n;
}
