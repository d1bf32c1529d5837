/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The second thread of the ipvs process: reads /proc/net/ip_vs_conn line by line, sends and counts. It touches nothing
 * of the process but the job that it was handed, and decides nothing but what belongs to whom. */
#include "ipvs_scan.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TABLE "/proc/net/ip_vs_conn"
#define READ_SIZE 16384
#define LINE_SIZE 1024
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

bool ipvs_scan_is_ours(const struct ipvs_scan_view *view, const struct addr *virtual)
{
	const struct ipvs_scan_address wanted = {.addr = *virtual};
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

static void forget_oldest(struct ipvs_scan_recent *recent, uint32_t slot)
{
	uint16_t *link = &recent->first[recent->hashes[slot] % IPVS_SCAN_RECENT];

	while (*link != slot + 1)
		link = &recent->next[*link - 1];
	*link = recent->next[slot];
}

bool ipvs_scan_was_read(struct ipvs_scan_recent *recent, uint64_t hash)
{
	uint16_t *first = &recent->first[hash % IPVS_SCAN_RECENT];
	uint32_t slot = recent->n % IPVS_SCAN_RECENT;

	for (uint16_t i = *first; i != 0; i = recent->next[i - 1])
		if (recent->hashes[i - 1] == hash)
			return true;
	if (recent->n >= IPVS_SCAN_RECENT)
		forget_oldest(recent, slot);
	recent->hashes[slot] = hash;
	recent->next[slot] = *first;
	*first = (uint16_t)(slot + 1);
	recent->n++;
	return false;
}

struct run {
	struct ipvs_scan *scan;
	struct ipvs_sync_message message;
	struct ipvs_recall recall; /* grows */
	struct mono page;          /* when the last page was asked for */
};

static bool is_over(void *arg)
{
	const struct ipvs_scan *scan = arg;

	return worker_is_ending(&scan->worker) || __atomic_load_n(&scan->is_cancelled, __ATOMIC_RELAXED);
}

static void begin_message(struct run *run)
{
	const struct ipvs_scan_job *job = &run->scan->job;

	ipvs_sync_message_begin(&run->message, job->sync_id, job->maxlen);
	run->message.wants_receipt = job->mode != IPVS_SENDER_BLIND;
}

static void flush(struct run *run)
{
	if (run->message.n == 0)
		return;
	ipvs_sync_message_end(&run->message);
	ipvs_sender_put(&run->scan->sender, &run->message);
	begin_message(run);
}

/* ---- the table ---- */

static void count(struct ipvs_scan_result *result, uint64_t hash)
{
	struct status_bucket *bucket = &result->buckets[hash % DIGEST_BUCKETS];

	bucket->count++;
	bucket->sum += hash;
	result->counted++;
}

/* Returns what was written, or NULL. */
static const uint8_t *write_entry(struct run *run, const struct ipvs_conn *conn, uint32_t fwmark)
{
	struct ipvs_sync_message *m = &run->message;
	size_t at = m->size;

	if (ipvs_sync_message_add(m, conn, fwmark))
		return m->bytes + at;
	flush(run);
	at = m->size;
	return ipvs_sync_message_add(m, conn, fwmark) ? m->bytes + at : NULL;
}

static void send_entry(struct run *run, const struct ipvs_conn *conn)
{
	struct ipvs_scan *scan = run->scan;
	const uint8_t *entry = write_entry(run, conn, ipvs_scan_fwmark(&scan->job.view, conn));

	if (!entry)
		scan->result.unsendable++; /* larger than maxlen */
	else if (scan->job.remembers && ipvs_sync_is_lasting(conn))
		ipvs_recall_add(
			&run->recall, entry, (size_t)(run->message.bytes + run->message.size - entry), run->page);
}

static void take_line(struct run *run, const char *line)
{
	struct ipvs_scan *scan = run->scan;
	bool sends = scan->job.kind == SYNC_SCAN_SEND;
	struct ipvs_conn conn;
	uint64_t hash;

	if (ipvs_conn_parse(line, &conn) < 0)
		return;
	if (ipvs_scan_is_ours(&scan->job.view, &conn.virtual) != sends) {
		scan->result.seen++;
		return;
	}
	hash = ipvs_sync_hash(&conn);
	if (ipvs_scan_was_read(&scan->recent, hash))
		return;
	scan->result.seen++;
	if (!ipvs_sync_is_sendable(&conn)) {
		scan->result.unsendable += conn.virtual.family != conn.dest.family;
		return;
	}
	if (ipvs_sync_is_lasting(&conn))
		count(&scan->result, hash);
	if (sends)
		send_entry(run, &conn);
}

/* The kernel gives a page at a time. What was read is sent as soon as it fills a datagram, so that it is fresh when it
 * arrives. */
static int read_table(struct run *run, int fd)
{
	static char buf[READ_SIZE + 1]; /* the only thread that reads */
	char line[LINE_SIZE];
	size_t used = 0;

	for (;;) {
		ssize_t n;

		run->page = mono_now();
		n = read(fd, buf, READ_SIZE);
		run->scan->result.read_us += mono_diff_us(mono_now(), run->page);
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
		if (is_over(run->scan))
			return -ECANCELED;
	}
}

static int64_t cpu_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

static void take_figures(struct ipvs_scan *scan)
{
	const struct ipvs_sender *sender = &scan->sender;
	struct ipvs_scan_result *result = &scan->result;

	result->sent = sender->sent;
	result->datagrams = sender->datagrams;
	result->bytes = sender->bytes;
	result->send_errors = sender->errors;
	result->taken = sender->window.taken;
	result->repeated = sender->window.repeated;
	result->waited_us = sender->waited_us;
}

/* Everything, or as far as there is time. */
static int walk(struct run *run)
{
	int fd = open(TABLE, O_RDONLY | O_CLOEXEC);
	int rc = fd < 0 ? -errno : read_table(run, fd);

	if (fd >= 0)
		close(fd);
	if (rc == 0)
		flush(run);
	return rc;
}

/* ---- what is remembered ---- */

static int recall(struct run *run)
{
	struct ipvs_scan *scan = run->scan;
	struct ipvs_recall_cursor cursor = {0};
	struct ipvs_recall_entry entry;
	struct mono now = mono_now();

	while (ipvs_recall_next(&scan->recall, &cursor, &entry)) {
		struct addr virtual = ipvs_sync_entry_virtual(entry.bytes);
		uint32_t left = ipvs_recall_left(ipvs_sync_entry_expires_s(entry.bytes), entry.read, now);

		if (!ipvs_scan_is_ours(&scan->job.view, &virtual))
			continue;
		scan->result.seen++;
		if (ipvs_sync_message_add_kept(&run->message, entry.bytes, entry.size, left))
			continue;
		flush(run);
		if (is_over(scan))
			return -ECANCELED;
		now = mono_now();
		if (!ipvs_sync_message_add_kept(&run->message, entry.bytes, entry.size, left))
			scan->result.unsendable++; /* maxlen has shrunk */
	}
	flush(run);
	return 0;
}

static void remember(struct run *run)
{
	struct ipvs_scan *scan = run->scan;

	if (scan->job.remembers && scan->result.error == 0) {
		ipvs_recall_clear(&scan->recall);
		scan->recall = run->recall;
	} else {
		ipvs_recall_clear(&run->recall);
	}
}

static void run_job(void *arg)
{
	struct ipvs_scan *scan = arg;
	struct run run = {.scan = scan};
	struct mono begun = mono_now();
	int64_t cpu = cpu_now_us();

	memset(&scan->result, 0, sizeof(scan->result));
	memset(&scan->recent, 0, sizeof(scan->recent));
	ipvs_sender_begin(&scan->sender, &scan->job.line, scan->job.kbit_per_s, scan->job.mode);
	begin_message(&run);
	scan->result.error = scan->job.is_recall ? recall(&run) : walk(&run);
	if (scan->job.kind == SYNC_SCAN_SEND && scan->result.error == 0)
		ipvs_sender_finish(&scan->sender);
	take_figures(scan);
	remember(&run);
	scan->result.duration_us = mono_diff_us(mono_now(), begun);
	scan->result.cpu_us = cpu_now_us() - cpu;
}

/* ---- the process's side ---- */

int ipvs_scan_start(struct ipvs_scan *scan)
{
	worker_init(&scan->worker, run_job, scan);
	scan->sender.is_over = is_over;
	scan->sender.arg = scan;
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

void ipvs_scan_forget(struct ipvs_scan *scan)
{
	ipvs_recall_clear(&scan->recall);
}

void ipvs_scan_end(struct ipvs_scan *scan)
{
	worker_end(&scan->worker);
	ipvs_recall_clear(&scan->recall);
	ipvs_scan_view_free(&scan->job.view);
}
