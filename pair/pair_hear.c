/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listens beside the kernel's receiver while a table of connections comes in, and gives the sender receipts for what
 * the kernel has taken. Runs in the pair process; takes nothing from the datagrams but their hash. */
#include "pair_process.h"
#include "pair_receiver.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The kernels' own, where nothing else is configured. */
#define USUAL_GROUP 0xe0000051
#define USUAL_PORT 8848
#define BUDGET 64
/* What waits in the kernel's receiver before receipts are held back: with what a sender may have on its way it still
 * fits the smallest buffer that a kernel gives by itself. */
#define WAITING_MOST 65536
#define LOOK_AGAIN_US (2 * US_PER_MS)

/* ---- receipts ---- */

static struct pair_receiver look_at_receiver(const struct pair_ear *ear)
{
	struct pair_receiver receiver = {0};
	FILE *list = fopen(ear->group.family == AF_INET6 ? "/proc/net/udp6" : "/proc/net/udp", "re");
	char *line = NULL;
	size_t room = 0;

	if (!list)
		return receiver;
	while (getline(&line, &room, list) > 0)
		pair_receiver_take_line(&receiver, line, &ear->group, ear->port, ear->inode);
	free(line);
	fclose(list);
	return receiver;
}

/* Something was dropped since the last look, and nobody knows what: what came since then gets no receipt, and comes
 * again. */
static void settle(struct pair_ear *ear)
{
	uint8_t buf[SYNC_RECEIPT_SIZE];
	struct pair_receiver receiver;
	size_t size;

	if (ear->receipt.n == 0)
		return;
	receiver = look_at_receiver(ear);
	if (!receiver.is_there || receiver.dropped != ear->dropped)
		ear->receipt.n = 0;
	ear->dropped = receiver.dropped;
	if (ear->receipt.n == 0)
		return;
	if (receiver.waiting > WAITING_MOST) {
		loop_timer_set(ear->loop, &ear->due, mono_add(mono_now(), LOOK_AGAIN_US));
		return;
	}
	size = sync_receipt_encode(&ear->receipt, buf);
	/* One that is lost is made good by the same datagrams once more. */
	(void)sendto(
		ear->sock, buf, size, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&ear->sender, ear->sender_size);
	ear->receipt.n = 0;
}

static void on_due(struct timer *timer, void *arg)
{
	(void)timer;
	settle(arg);
}

static void take_datagram(struct pair_ear *ear, const uint8_t *data, size_t size, const struct sockaddr_storage *from,
	socklen_t from_size)
{
	if (!sync_receipt_is_wanted(data, size, ear->sync_id))
		return;
	if (ear->receipt.n == SYNC_RECEIPT_MAX || from_size != ear->sender_size ||
		memcmp(from, &ear->sender, from_size) != 0)
		settle(ear);
	if (ear->receipt.n == SYNC_RECEIPT_MAX)
		return;
	ear->sender = *from;
	ear->sender_size = from_size;
	ear->receipt.names[ear->receipt.n++] = sync_receipt_name(data, size);
}

static void on_datagrams(int fd, uint32_t events, void *arg)
{
	struct pair_ear *ear = arg;
	struct sockaddr_storage from;
	uint8_t buf[2048];

	(void)events;
	for (int i = 0; i < BUDGET; i++) {
		socklen_t from_size = sizeof(from);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&from, &from_size);

		if (n < 0)
			break;
		take_datagram(ear, buf, (size_t)n, &from, from_size);
	}
	settle(ear);
}

/* ---- the socket ---- */

/* Only what wants a receipt wakes us: the first connection's flags, behind 8 bytes of UDP and 8 of the header. */
static int set_filter(int sock)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8 + 8 + 4),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, SYNC_WANTS_RECEIPT >> 24, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	return setsockopt(sock, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int join4(int sock, const struct addr *group, unsigned ifindex)
{
	struct ip_mreqn mreq = {.imr_ifindex = (int)ifindex};
	const int off = 0;

	memcpy(&mreq.imr_multiaddr, group->bytes, sizeof(mreq.imr_multiaddr));
	return setsockopt(sock, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof(off)) < 0 ||
			       setsockopt(sock, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq, sizeof(mreq)) < 0
		       ? -1
		       : 0;
}

static int join6(int sock, const struct addr *group, unsigned ifindex)
{
	struct ipv6_mreq mreq = {.ipv6mr_interface = ifindex};
	const int off = 0;

	memcpy(&mreq.ipv6mr_multiaddr, group->bytes, sizeof(mreq.ipv6mr_multiaddr));
	return setsockopt(sock, IPPROTO_IPV6, IPV6_MULTICAST_ALL, &off, sizeof(off)) < 0 ||
			       setsockopt(sock, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &mreq, sizeof(mreq)) < 0
		       ? -1
		       : 0;
}

/* The kernel's receiver allows others at its port. */
static int open_socket(struct pair_ear *ear)
{
	struct sockaddr_storage at;
	socklen_t size = addr_to_sockaddr(&ear->group, ear->port, ear->ifindex, &at);
	const int on = 1;
	struct stat st;

	ear->sock = socket(ear->group.family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ear->sock < 0)
		return -1;
	if (set_filter(ear->sock) == 0 && setsockopt(ear->sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
		bind(ear->sock, (struct sockaddr *)&at, size) == 0 &&
		(ear->group.family == AF_INET ? join4 : join6)(ear->sock, &ear->group, ear->ifindex) == 0 &&
		fstat(ear->sock, &st) == 0) {
		ear->inode = st.st_ino;
		ear->io = loop_io_add(ear->loop, ear->sock, EPOLLIN, on_datagrams, ear);
	}
	return ear->io ? 0 : -1;
}

void pair_ear_close(struct pair_ear *ear)
{
	loop_timer_cancel(ear->loop, &ear->due);
	if (ear->io)
		loop_io_remove(ear->io);
	if (ear->sock >= 0)
		close(ear->sock);
	ear->io = NULL;
	ear->sock = -1;
	ear->ifindex = 0;
	ear->receipt.n = 0;
}

void pair_ear_keep(struct pair_ear *ear, const struct conf *conf)
{
	const struct conf_global *global = conf->global;
	const uint32_t usual = htonl(USUAL_GROUP);
	struct addr group = addr_is_set(&global->sync_group) ? global->sync_group : addr_from_bytes(AF_INET, &usual);
	uint16_t port = global->sync_port ? global->sync_port : USUAL_PORT;
	unsigned ifindex = 0;

	if (global->connection_sync == CONF_SYNC_FULL && global->sync_interface)
		ifindex = if_nametoindex(conf_string(conf, global->sync_interface));
	ear->sync_id = (uint8_t)global->sync_id;
	if (ear->sock >= 0 && ifindex == ear->ifindex && port == ear->port && addr_equal(&group, &ear->group))
		return;
	pair_ear_close(ear);
	if (ifindex == 0)
		return;
	ear->ifindex = ifindex;
	ear->group = group;
	ear->port = port;
	/* Tried again with the next beat; until then the sender goes by its bandwidth alone. */
	if (open_socket(ear) < 0)
		pair_ear_close(ear);
	else
		ear->dropped = look_at_receiver(ear).dropped;
}

void pair_ear_init(struct pair_ear *ear, struct loop *loop)
{
	*ear = (struct pair_ear){.sock = -1, .loop = loop, .due = {.fire = on_due, .arg = ear}};
}
