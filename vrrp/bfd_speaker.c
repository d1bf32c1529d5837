/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets and timers of BFD sessions. Runs in the vrrp role, at its priority: what detects the death of a neighbour in
 * 30 ms must itself not be late. What follows from a packet is decided in bfd_fsm.c; it never waits. */
#include "bfd_speaker.h"
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define TOS_INTERNETWORK_CONTROL 0xc0
#define PRIORITY_CONTROL 7
#define FIRST_PORT 49152 /* RFC 5881, 4 */
#define PORTS (65536 - FIRST_PORT)
#define PORT_TRIES 32
#define RECEIVE_BUDGET 64
#define RETRY_US (1 * US_PER_S)
#define LOG_US (60 * US_PER_S)

static uint32_t chance(void)
{
	uint32_t value = 0;

	/* Without any entropy the intervals are merely not spread. */
	if (getrandom(&value, sizeof(value), GRND_NONBLOCK) < 0)
		return 0;
	return value;
}

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* ---- sending ---- */

static int mouth_bind(int fd, struct bfd_talk *talk)
{
	struct addr from = talk->conf->source;
	struct sockaddr_storage at;
	uint16_t port = (uint16_t)talk->status.local_port;

	if (!addr_is_set(&from))
		from.family = talk->conf->neighbor.family;
	for (int i = 0; i < PORT_TRIES; i++) {
		socklen_t size;

		if (!port)
			port = (uint16_t)(FIRST_PORT + chance() % PORTS);
		size = addr_to_sockaddr(&from, port, 0, &at);
		if (bind(fd, (struct sockaddr *)&at, size) == 0) {
			talk->status.local_port = port;
			return 0;
		}
		if (errno != EADDRINUSE)
			return -errno;
		port = 0;
	}
	return -EADDRINUSE;
}

/* An own address that is not there yet is no reason to give up: it may come. */
static int mouth_open(struct bfd_talk *talk)
{
	bool is_ip6 = talk->conf->neighbor.family == AF_INET6;
	int fd = socket(talk->conf->neighbor.family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error;
	struct sock_filter refuse = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = {1, &refuse};

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
	set_int(fd, SOL_SOCKET, SO_PRIORITY, PRIORITY_CONTROL);
	if (is_ip6) {
		error = set_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, talk->conf->ttl);
		set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, TOS_INTERNETWORK_CONTROL);
		set_int(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
	} else {
		error = set_int(fd, IPPROTO_IP, IP_TTL, talk->conf->ttl);
		set_int(fd, IPPROTO_IP, IP_TOS, TOS_INTERNETWORK_CONTROL);
		set_int(fd, IPPROTO_IP, IP_FREEBIND, 1);
	}
	if (!error)
		error = mouth_bind(fd, talk);
	if (!error)
		talk->fd = fd;
	else
		close(fd);
	return error;
}

static void say(struct bfd_talk *talk, bool is_final)
{
	struct bfd_packet packet = bfd_packet_of(talk->conf, &talk->status.session, is_final);
	uint8_t data[BFD_PACKET_SIZE];
	struct sockaddr_storage to;
	socklen_t size = addr_to_sockaddr(&talk->conf->neighbor, BFD_PORT, 0, &to);
	uint32_t held_back;
	int error = talk->fd < 0 ? mouth_open(talk) : 0;

	bfd_packet_encode(&packet, data);
	if (!error && sendto(talk->fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&to, size) < 0)
		error = -errno;
	if (!error)
		talk->status.sent++;
	else if (log_limit_pass(&talk->send_limit, LOG_US, &held_back))
		log_warning("bfd %s: cannot be sent: %s", talk->name, strerror(-error));
}

/* ---- steps ---- */

static struct bfd_actions advance(struct bfd_talk *talk, struct bfd_event *event)
{
	struct bfd_speaker *speaker = talk->speaker;
	struct bfd_session *session = &talk->status.session;
	struct bfd_actions actions;

	event->chance = chance();
	actions = bfd_fsm(talk->conf, session, event);
	if (actions.send)
		say(talk, actions.is_final);
	if (mono_is_set(bfd_deadline(session)))
		loop_timer_set(speaker->loop, &talk->timer, bfd_deadline(session));
	else
		loop_timer_cancel(speaker->loop, &talk->timer);
	if (actions.is_changed) {
		talk->status.since_real_us = real_now_us();
		talk->status.ups += session->state == BFD_UP;
	}
	bfd_why(talk->conf, session, talk->status.why, sizeof(talk->status.why));
	return actions;
}

static void step(struct bfd_talk *talk, struct bfd_event *event)
{
	struct bfd_speaker *speaker = talk->speaker;
	struct bfd_actions actions = advance(talk, event);

	speaker->report(speaker->arg, (uint32_t)(talk - speaker->talks->all), actions.is_changed, actions.from);
}

/* ---- hearing ---- */

/* By its discriminator when it names one, else by where it comes from; where from has to be right in any case. */
static struct bfd_talk *find_talk(struct bfd_talks *talks, const struct bfd_packet *packet, const struct addr *source,
	const struct addr *destination)
{
	for (uint32_t i = 0; i < talks->n; i++) {
		struct bfd_talk *talk = &talks->all[i];

		if (!addr_equal(&talk->conf->neighbor, source))
			continue;
		if (addr_is_set(&talk->conf->source) && !addr_equal(&talk->conf->source, destination))
			continue;
		if (packet->your_discriminator && packet->your_discriminator != talk->status.session.discriminator)
			continue;
		return talk;
	}
	return NULL;
}

static struct bfd_talk *find_neighbor(struct bfd_talks *talks, const struct addr *source)
{
	for (uint32_t i = 0; i < talks->n; i++) {
		if (addr_equal(&talks->all[i].conf->neighbor, source))
			return &talks->all[i];
	}
	return NULL;
}

static void drop(struct bfd_speaker *speaker, const struct addr *source, enum bfd_drop why)
{
	struct bfd_talk *talk = find_neighbor(speaker->talks, source);
	char text[ADDR_TEXT];
	uint32_t held_back;

	if (talk)
		talk->status.dropped++;
	if (log_limit_pass(&speaker->drop_limits[why], LOG_US, &held_back))
		log_warning("bfd%s%s: packet from %s dropped: %s", talk ? " " : "", talk ? talk->name : "",
			addr_format(source, text), bfd_drop_text(why));
}

struct arrival {
	struct addr source, destination;
	int ttl;
};

static void read_ancillary(struct msghdr *mh, struct arrival *arrival)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		struct in_pktinfo info4;
		struct in6_pktinfo info6;

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&info4, CMSG_DATA(c), sizeof(info4));
			arrival->destination = addr_from_bytes(AF_INET, &info4.ipi_addr);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info6, CMSG_DATA(c), sizeof(info6));
			arrival->destination = addr_from_bytes(AF_INET6, &info6.ipi6_addr);
		} else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) ||
			   (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)) {
			memcpy(&arrival->ttl, CMSG_DATA(c), sizeof(arrival->ttl));
		}
	}
}

static void hear(struct bfd_speaker *speaker, const uint8_t *data, size_t size, const struct arrival *arrival)
{
	struct bfd_packet packet;
	struct bfd_event event = {.kind = BFD_EVENT_PACKET, .now = mono_now(), .packet = &packet};
	enum bfd_drop why = bfd_packet_decode(data, size, &packet);
	struct bfd_talk *talk = why == BFD_DROP_NONE
					? find_talk(speaker->talks, &packet, &arrival->source, &arrival->destination)
					: NULL;

	if (why == BFD_DROP_NONE && !talk)
		why = BFD_DROP_SESSION;
	if (talk && arrival->ttl < talk->conf->least_ttl)
		why = BFD_DROP_TTL;
	if (why != BFD_DROP_NONE) {
		drop(speaker, &arrival->source, why);
		return;
	}
	talk->status.received++;
	step(talk, &event);
}

/* Returns false when there was nothing. */
static bool hear_one(struct bfd_speaker *speaker, int fd)
{
	uint8_t data[64]; /* a control packet with room for authentication; a longer one is cut and refused */
	char control[256] __attribute__((aligned(sizeof(size_t))));
	struct sockaddr_storage from;
	struct iovec iov = {data, sizeof(data)};
	struct msghdr mh = {.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct arrival arrival = {.ttl = -1};
	uint16_t port;
	ssize_t n = recvmsg(fd, &mh, MSG_DONTWAIT);

	if (n < 0)
		return errno == EINTR;
	if (addr_from_sockaddr((struct sockaddr *)&from, &arrival.source, &port) == 0) {
		read_ancillary(&mh, &arrival);
		hear(speaker, data, (size_t)n, &arrival);
	}
	return true;
}

static void on_readable(int fd, uint32_t events, void *arg)
{
	(void)events;
	for (int i = 0; i < RECEIVE_BUDGET; i++) {
		if (!hear_one(arg, fd))
			return;
	}
}

/* Timers run before descriptors: what has arrived counts as heard. */
static void on_timer(struct timer *timer, void *arg)
{
	struct bfd_talk *talk = arg;
	struct bfd_speaker *speaker = talk->speaker;
	struct bfd_event event = {.kind = BFD_EVENT_TIMER, .now = mono_now()};
	int ear = talk->conf->neighbor.family == AF_INET6;

	(void)timer;
	if (mono_is_set(talk->status.session.expires_at) && !mono_before(event.now, talk->status.session.expires_at) &&
		speaker->ears[ear])
		on_readable(speaker->ear_fds[ear], EPOLLIN, speaker);
	event.now = mono_now();
	step(talk, &event);
}

static int ear_open(struct bfd_speaker *speaker, int ear)
{
	uint8_t family = ear ? AF_INET6 : AF_INET;
	struct addr any = {.family = family};
	struct sockaddr_storage at;
	socklen_t size = addr_to_sockaddr(&any, BFD_PORT, 0, &at);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error;

	if (fd < 0)
		return -errno;
	if (ear) {
		error = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		error = error ? error : set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
		error = error ? error : set_int(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
	} else {
		error = set_int(fd, IPPROTO_IP, IP_PKTINFO, 1);
		error = error ? error : set_int(fd, IPPROTO_IP, IP_RECVTTL, 1);
	}
	if (!error && bind(fd, (struct sockaddr *)&at, size) < 0)
		error = -errno;
	if (!error) {
		speaker->ears[ear] = loop_io_add(speaker->loop, fd, EPOLLIN, on_readable, speaker);
		error = speaker->ears[ear] ? 0 : -ENOMEM;
	}
	if (error)
		close(fd);
	else
		speaker->ear_fds[ear] = fd;
	return error;
}

static void ear_close(struct bfd_speaker *speaker, int ear)
{
	if (!speaker->ears[ear])
		return;
	loop_io_remove(speaker->ears[ear]);
	close(speaker->ear_fds[ear]);
	speaker->ears[ear] = NULL;
}

/* Opens what the sessions need and closes what none does. */
static void reconcile_ears(struct bfd_speaker *speaker)
{
	for (int ear = 0; ear < 2; ear++) {
		bool is_needed = false;
		int error;

		for (uint32_t i = 0; i < speaker->talks->n; i++)
			is_needed |= (speaker->talks->all[i].conf->neighbor.family == AF_INET6) == ear;
		if (!is_needed) {
			ear_close(speaker, ear);
			continue;
		}
		error = speaker->ears[ear] ? 0 : ear_open(speaker, ear);
		if (error && !speaker->is_deaf[ear])
			log_error("bfd: UDP port %d cannot be had for IPv%d: %s%s; trying again", BFD_PORT, ear ? 6 : 4,
				strerror(-error), error == -EADDRINUSE ? " (by another BFD daemon?)" : "");
		else if (!error && speaker->is_deaf[ear])
			log_info("bfd: UDP port %d for IPv%d could be had now", BFD_PORT, ear ? 6 : 4);
		speaker->is_deaf[ear] = error != 0;
	}
	if (speaker->is_deaf[0] || speaker->is_deaf[1])
		loop_timer_set(speaker->loop, &speaker->retry, mono_add(mono_now(), RETRY_US));
	else
		loop_timer_cancel(speaker->loop, &speaker->retry);
}

static void on_retry(struct timer *timer, void *arg)
{
	(void)timer;
	reconcile_ears(arg);
}

/* ---- generations ---- */

int bfd_talks_init(struct bfd_talks *talks, const struct conf *conf)
{
	talks->n = conf->n_bfds;
	talks->all = calloc(conf->n_bfds + 1, sizeof(*talks->all));
	if (!talks->all)
		return -ENOMEM;
	for (uint32_t i = 0; i < talks->n; i++)
		talks->all[i] = (struct bfd_talk){
			.conf = &conf->bfds[i], .name = conf_string(conf, conf->bfds[i].name), .fd = -1};
	return 0;
}

void bfd_talks_free(struct bfd_talks *talks)
{
	for (uint32_t i = 0; talks->all && i < talks->n; i++) {
		if (talks->all[i].fd >= 0)
			close(talks->all[i].fd);
	}
	free(talks->all);
	*talks = (struct bfd_talks){0};
}

static uint32_t new_discriminator(const struct bfd_talks *talks)
{
	uint32_t value = chance();

	for (uint32_t i = 0; i < talks->n; i++) {
		if (value != 0 && value != talks->all[i].status.session.discriminator)
			continue;
		value++;
		i = (uint32_t)-1;
	}
	return value;
}

static bool is_same_session(const struct conf_bfd *a, const struct conf_bfd *b)
{
	return addr_equal(&a->neighbor, &b->neighbor) && addr_equal(&a->source, &b->source) && a->ttl == b->ttl;
}

static struct bfd_talk *find_old(struct bfd_talks *old, const struct conf_bfd *conf)
{
	for (uint32_t i = 0; old && i < old->n; i++) {
		if (is_same_session(old->all[i].conf, conf))
			return &old->all[i];
	}
	return NULL;
}

static void begin(struct bfd_talk *talk, struct bfd_talk *old, const struct status_bfd *past)
{
	struct bfd_event event = {.kind = BFD_EVENT_START, .now = mono_now()};

	if (old) {
		talk->status = old->status;
		talk->fd = old->fd;
		old->fd = -1;
		event.kind = BFD_EVENT_RELOAD;
	} else if (past && past->session.discriminator) {
		talk->status = *past;
		event.kind = BFD_EVENT_RESUME;
	}
	event.discriminator = new_discriminator(talk->speaker->talks);
	if (!old)
		talk->status.since_real_us = real_now_us();
	advance(talk, &event);
	if (event.kind == BFD_EVENT_RESUME)
		log_info("bfd %s: %s: %s", talk->name,
			talk->status.session.state == BFD_UP ? "goes on after a crash" : "begins anew after a crash",
			talk->status.why);
}

/* The state is told to nobody any more but the neighbour. */
static void end(struct bfd_talk *talk)
{
	struct bfd_event event = {.kind = BFD_EVENT_STOP, .now = mono_now()};
	struct bfd_actions actions = bfd_fsm(talk->conf, &talk->status.session, &event);

	if (actions.send)
		say(talk, false);
}

void bfd_speaker_switch(struct bfd_speaker *speaker, struct bfd_talks *talks, const struct status_bfd *past)
{
	struct bfd_talks *old = speaker->talks;

	speaker->talks = talks;
	speaker->retry.fire = on_retry;
	speaker->retry.arg = speaker;
	for (uint32_t i = 0; old && i < old->n; i++)
		loop_timer_cancel(speaker->loop, &old->all[i].timer);
	reconcile_ears(speaker);
	for (uint32_t i = 0; i < talks->n; i++) {
		struct bfd_talk *talk = &talks->all[i];

		talk->speaker = speaker;
		talk->timer = (struct timer){.fire = on_timer, .arg = talk};
		begin(talk, find_old(old, talk->conf), old ? NULL : past ? &past[i] : NULL);
	}
	for (uint32_t i = 0; old && i < old->n; i++) {
		if (!find_old(talks, old->all[i].conf))
			end(&old->all[i]);
	}
}

void bfd_speaker_close(struct bfd_speaker *speaker)
{
	for (uint32_t i = 0; speaker->talks && i < speaker->talks->n; i++) {
		loop_timer_cancel(speaker->loop, &speaker->talks->all[i].timer);
		end(&speaker->talks->all[i]);
	}
}
