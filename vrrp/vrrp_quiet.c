/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listens on links that just came up for the first frame of anybody. Runs in the vrrp role; what it hears it does not
 * look at, it only says that there was something. */
#include "vrrp_quiet.h"
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct vrrp_quiet_link {
	struct vrrp_quiet_link *next;
	struct vrrp_quiet *owner;
	struct loop_io *io;
	int fd;
	uint32_t ifindex;
	struct mono until;
};

/* Neither what we send ourselves nor what the switch itself sends (01:80:c2:..., which a blocked port sends, too). */
static struct sock_filter others_only[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_PKTTYPE),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 4, 0),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffffff00),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x0180c200, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, 1),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

/* ---- closing ---- */

/* In the thread, which has the list until it is back. */
static void run_closer(void *arg)
{
	struct vrrp_quiet *quiet = arg;

	for (struct vrrp_quiet_link *link = quiet->closing; link; link = link->next)
		close(link->fd);
}

static void close_used(struct vrrp_quiet *quiet);

static void on_closed(int fd, uint32_t events, void *arg)
{
	struct vrrp_quiet *quiet = arg;

	(void)fd;
	(void)events;
	if (!worker_take(&quiet->closer))
		return;
	while (quiet->closing) {
		struct vrrp_quiet_link *link = quiet->closing;

		quiet->closing = link->next;
		free(link);
	}
	close_used(quiet);
}

/* Without a thread it is done at once. */
static void start_closer(struct vrrp_quiet *quiet)
{
	worker_init(&quiet->closer, run_closer, quiet);
	if (worker_start(&quiet->closer, 0) < 0)
		return;
	worker_set_priority(&quiet->closer, quiet->priority);
	quiet->closer_io = loop_io_add(quiet->loop, worker_fd(&quiet->closer), EPOLLIN, on_closed, quiet);
	if (!quiet->closer_io)
		worker_end(&quiet->closer);
}

static void close_used(struct vrrp_quiet *quiet)
{
	if (!quiet->used || quiet->closer.is_out)
		return;
	if (!quiet->closer_io)
		start_closer(quiet);
	quiet->closing = quiet->used;
	quiet->used = NULL;
	worker_send(&quiet->closer);
	if (!quiet->closer.has_thread)
		on_closed(-1, 0, quiet);
}

/* ---- listening ---- */

static void forget(struct vrrp_quiet_link *link)
{
	struct vrrp_quiet *quiet = link->owner;
	struct vrrp_quiet_link **at = &quiet->links;

	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	if (link->io)
		loop_io_remove(link->io);
	if (link->fd < 0) {
		free(link);
		return;
	}
	link->next = quiet->used;
	quiet->used = link;
	close_used(quiet);
}

static void on_frame(int fd, uint32_t events, void *arg)
{
	struct vrrp_quiet_link *link = arg;
	struct vrrp_quiet *quiet = link->owner;
	uint32_t ifindex = link->ifindex;
	uint8_t byte;

	(void)events;
	/* An error is that of an interface that went away; it will come up as another one. */
	if (recv(fd, &byte, 1, MSG_DONTWAIT) < 0)
		ifindex = 0;
	forget(link);
	if (ifindex)
		quiet->heard(quiet->arg, ifindex);
}

static int open_listener(uint32_t ifindex)
{
	const struct sock_fprog program = {sizeof(others_only) / sizeof(others_only[0]), others_only};
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)ifindex};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0 &&
		bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

struct mono vrrp_quiet_listen(struct vrrp_quiet *quiet, uint32_t ifindex, struct mono now)
{
	struct vrrp_quiet_link *link = quiet->links;

	while (link && link->ifindex != ifindex)
		link = link->next;
	if (link && mono_before(now, link->until))
		return link->until;
	if (link)
		forget(link);
	link = calloc(1, sizeof(*link));
	if (!link)
		return MONO_NEVER;
	*link = (struct vrrp_quiet_link){.next = quiet->links,
		.owner = quiet,
		.fd = open_listener(ifindex),
		.ifindex = ifindex,
		.until = mono_add(now, VRRP_QUIET_US)};
	quiet->links = link;
	link->io = link->fd < 0 ? NULL : loop_io_add(quiet->loop, link->fd, EPOLLIN, on_frame, link);
	if (link->io)
		return link->until;
	forget(link);
	return MONO_NEVER;
}

int64_t vrrp_quiet_uptime_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}
