/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The second thread of the ipvs process: reads /proc/net/ip_vs_conn line by line, sends and counts. It touches nothing
 * of the process but the job that it was handed, and decides nothing but what belongs to whom. */
#include "ipvs_scan.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TABLE "/proc/net/ip_vs_conn"
#define READ_SIZE 16384
#define LINE_SIZE 1024
/* The sender may run ahead of its pace by this much, so that it does not sleep after every datagram; and what it has
 * slept too long (some kernels wake in steps of 10 ms) or read instead of sending it may make good up to the second
 * one. */
#define BURST_US (2 * US_PER_MS)
#define CREDIT_US (20 * US_PER_MS)
/* Below everything else of the process. */
#define NICE 10

/* ---- whose is it ---- */

static int compare_addresses(const void *a, const void *b)
{
	return addr_compare(&((const struct ipvs_scan_address *)a)->addr, &((const struct ipvs_scan_address *)b)->addr);
}

static int compare_services(const void *a, const void *b)
{
	return ipvs_key_compare(a, b);
}

static int compare_marks(const void *a, const void *b)
{
	return ipvs_dest_key_compare(
		&((const struct ipvs_scan_mark *)a)->dest, &((const struct ipvs_scan_mark *)b)->dest);
}

void ipvs_scan_view_sort(struct ipvs_scan_view *view)
{
	if (view->n_addresses > 0)
		qsort(view->addresses, view->n_addresses, sizeof(*view->addresses), compare_addresses);
	if (view->n_services > 0)
		qsort(view->services, view->n_services, sizeof(*view->services), compare_services);
	if (view->n_marks > 0)
		qsort(view->marks, view->n_marks, sizeof(*view->marks), compare_marks);
}

void ipvs_scan_view_free(struct ipvs_scan_view *view)
{
	free(view->addresses);
	free(view->services);
	free(view->marks);
	memset(view, 0, sizeof(*view));
}

bool ipvs_scan_is_ours(const struct ipvs_scan_view *view, const struct ipvs_conn *conn)
{
	const struct ipvs_scan_address wanted = {.addr = conn->virtual};
	const struct ipvs_scan_address *found = NULL;

	if (view->n_addresses > 0)
		found = bsearch(&wanted, view->addresses, view->n_addresses, sizeof(wanted), compare_addresses);
	return found ? found->is_ours : view->rest_is_ours;
}

static bool has_service(const struct ipvs_scan_view *view, const struct ipvs_conn *conn)
{
	struct ipvs_key key = {.family = conn->virtual.family,
		.protocol = conn->protocol,
		.port = conn->virtual_port,
		.addr = conn->virtual};

	if (view->n_services == 0)
		return false;
	if (bsearch(&key, view->services, view->n_services, sizeof(key), compare_services))
		return true;
	key.port = 0;
	return bsearch(&key, view->services, view->n_services, sizeof(key), compare_services) != NULL;
}

uint32_t ipvs_scan_fwmark(const struct ipvs_scan_view *view, const struct ipvs_conn *conn)
{
	struct ipvs_scan_mark wanted = {.dest = {.addr = conn->dest, .port = conn->dest_port}}, *found;
	uint32_t mark;

	if (conn->is_template && conn->protocol == IPPROTO_IP) {
		memcpy(&mark, conn->virtual.bytes, sizeof(mark));
		return ntohl(mark);
	}
	if (view->n_marks == 0 || has_service(view, conn))
		return 0;
	found = bsearch(&wanted, view->marks, view->n_marks, sizeof(wanted), compare_marks);
	if (!found) {
		/* A service by mark usually keeps the port of the packet. */
		wanted.dest.port = 0;
		found = bsearch(&wanted, view->marks, view->n_marks, sizeof(wanted), compare_marks);
	}
	return found ? found->fwmark : 0;
}

/* ---- sending at a pace ---- */

struct pace {
	struct mono due; /* when the line is free again */
	uint32_t kbit_per_s;
};

static void wait_until(struct mono due)
{
	const struct timespec at = {.tv_sec = due.us / US_PER_S, .tv_nsec = due.us % US_PER_S * 1000};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

static void keep_pace(struct pace *pace, size_t bytes)
{
	struct mono now = mono_now();

	if (mono_before(mono_add(pace->due, CREDIT_US), now))
		pace->due = mono_add(now, -CREDIT_US);
	pace->due = mono_add(pace->due, (int64_t)bytes * 8 * 1000 / pace->kbit_per_s);
	if (mono_diff_us(pace->due, now) > BURST_US)
		wait_until(pace->due);
}

struct run {
	struct ipvs_scan *scan;
	struct ipvs_sync_message message;
	struct pace pace;
};

static void flush(struct run *run)
{
	struct ipvs_scan_result *result = &run->scan->result;
	struct ipvs_sync_message *m = &run->message;

	if (m->n == 0)
		return;
	ipvs_sync_message_end(m);
	if (send(run->scan->job.sock, m->bytes, m->size, 0) == (ssize_t)m->size) {
		result->datagrams++;
		result->bytes += m->size;
		result->sent += m->n;
	} else {
		result->send_errors++;
	}
	keep_pace(&run->pace, m->size);
	ipvs_sync_message_begin(m, run->scan->job.sync_id, run->scan->job.maxlen);
}

/* ---- the table ---- */

static void count(struct ipvs_scan_result *result, const struct ipvs_conn *conn)
{
	uint64_t hash = ipvs_sync_hash(conn);
	struct status_bucket *bucket = &result->buckets[hash % DIGEST_BUCKETS];

	bucket->count++;
	bucket->sum += hash;
	result->counted++;
}

static void take_line(struct run *run, const char *line)
{
	struct ipvs_scan *scan = run->scan;
	bool sends = scan->job.kind == SYNC_SCAN_SEND;
	struct ipvs_conn conn;
	uint32_t fwmark;

	if (ipvs_conn_parse(line, &conn) < 0)
		return;
	scan->result.seen++;
	if (ipvs_scan_is_ours(&scan->job.view, &conn) != sends)
		return;
	if (!ipvs_sync_is_sendable(&conn)) {
		scan->result.unsendable += conn.virtual.family != conn.dest.family;
		return;
	}
	if (ipvs_sync_is_lasting(&conn))
		count(&scan->result, &conn);
	if (!sends)
		return;
	fwmark = ipvs_scan_fwmark(&scan->job.view, &conn);
	if (ipvs_sync_message_add(&run->message, &conn, fwmark))
		return;
	flush(run);
	if (!ipvs_sync_message_add(&run->message, &conn, fwmark))
		scan->result.unsendable++; /* larger than maxlen */
}

/* The kernel gives a page at a time. What was read is sent before the next page, so that it is fresh when it arrives.
 */
static int read_table(struct run *run, int fd)
{
	static char buf[READ_SIZE + 1]; /* the only thread that reads */
	char line[LINE_SIZE];
	size_t used = 0;

	for (;;) {
		ssize_t n = read(fd, buf, READ_SIZE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] != '\n') {
				if (used < sizeof(line) - 1)
					line[used++] = buf[i];
				continue;
			}
			line[used] = '\0';
			used = 0;
			take_line(run, line);
		}
		flush(run);
		if (worker_is_ending(&run->scan->worker) || __atomic_load_n(&run->scan->is_cancelled, __ATOMIC_RELAXED))
			return -ECANCELED;
	}
}

static int64_t cpu_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

static void run_job(void *arg)
{
	struct ipvs_scan *scan = arg;
	struct run run = {.scan = scan, .pace.kbit_per_s = scan->job.kbit_per_s > 0 ? scan->job.kbit_per_s : 1};
	struct mono begun = mono_now();
	int64_t cpu = cpu_now_us();
	int fd = open(TABLE, O_RDONLY | O_CLOEXEC);

	memset(&scan->result, 0, sizeof(scan->result));
	ipvs_sync_message_begin(&run.message, scan->job.sync_id, scan->job.maxlen);
	scan->result.error = fd < 0 ? -errno : read_table(&run, fd);
	if (fd >= 0)
		close(fd);
	scan->result.duration_us = mono_diff_us(mono_now(), begun);
	scan->result.cpu_us = cpu_now_us() - cpu;
}

/* ---- the process's side ---- */

int ipvs_scan_start(struct ipvs_scan *scan)
{
	worker_init(&scan->worker, run_job, scan);
	return worker_start(&scan->worker, NICE);
}

void ipvs_scan_send(struct ipvs_scan *scan, struct ipvs_scan_job *job)
{
	ipvs_scan_view_free(&scan->job.view);
	scan->job = *job;
	memset(job, 0, sizeof(*job));
	__atomic_store_n(&scan->is_cancelled, false, __ATOMIC_RELAXED);
	worker_send(&scan->worker);
}

int ipvs_scan_fd(const struct ipvs_scan *scan)
{
	return worker_fd(&scan->worker);
}

bool ipvs_scan_take(struct ipvs_scan *scan)
{
	return worker_take(&scan->worker);
}

void ipvs_scan_cancel(struct ipvs_scan *scan)
{
	__atomic_store_n(&scan->is_cancelled, true, __ATOMIC_RELAXED);
}

void ipvs_scan_end(struct ipvs_scan *scan)
{
	worker_end(&scan->worker);
	ipvs_scan_view_free(&scan->job.view);
}

static int set_group4(int fd, int ifindex, int ttl)
{
	const struct ip_mreqn mreq = {.imr_ifindex = ifindex};
	const int off = 0;

	if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &mreq, sizeof(mreq)) < 0 ||
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &off, sizeof(off)) < 0 ||
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl)) < 0)
		return -errno;
	return 0;
}

static int set_group6(int fd, int ifindex, int hops)
{
	const int off = 0;

	if (setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &ifindex, sizeof(ifindex)) < 0 ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &off, sizeof(off)) < 0 ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)) < 0)
		return -errno;
	return 0;
}

int ipvs_scan_socket(const struct ipvs_scan_target *target)
{
	const uint32_t usual = htonl(IPVS_SYNC_GROUP);
	struct addr group = addr_is_set(&target->group) ? target->group : addr_from_bytes(AF_INET, &usual);
	int ifindex = (int)if_nametoindex(target->interface), ttl = target->ttl ? (int)target->ttl : 1;
	struct sockaddr_storage to;
	socklen_t size = addr_to_sockaddr(&group, target->port ? target->port : IPVS_SYNC_PORT, (unsigned)ifindex, &to);
	int fd, error;

	if (ifindex == 0)
		return -ENODEV;
	fd = socket(group.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	error = group.family == AF_INET ? set_group4(fd, ifindex, ttl) : set_group6(fd, ifindex, ttl);
	if (error == 0 && connect(fd, (const struct sockaddr *)&to, size) < 0)
		error = -errno;
	if (error == 0)
		return fd;
	close(fd);
	return error;
}
