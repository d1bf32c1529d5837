/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The board in shared memory: one writer, many readers, sequence locks with bounded retries, an event ring and a beat.
 * Used by every process; a reader trusts nothing in a board that it has not checked against its mapping. */
#include "board.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOARD_MAGIC 0x64726f42u /* "Bord" */
#define READ_TRIES 64

struct board_table {
	uint64_t stored; /* offset of a bit for each record: one that was never stored is zero, and needs no memory */
	uint64_t offset;
	uint32_t record_size; /* of the payload */
	uint32_t stride;      /* payload and lock, rounded up */
	uint32_t count;
	uint32_t zero;
};

struct board_header {
	uint32_t magic;
	uint32_t layout;
	uint32_t role;
	uint32_t zero;
	_Atomic uint64_t generation;
	uint64_t size;
	struct board_table tables[BOARD_TABLES];
	uint64_t ring_offset;
	_Atomic uint64_t beats;
	_Atomic uint64_t cpu_us;
	_Atomic uint64_t last_event;
};

struct board_lock {
	_Atomic uint32_t sequence;
	uint32_t zero;
};

struct board_slot {
	struct board_lock lock;
	struct event event;
};

struct board {
	int fd;
	bool writer;
	size_t size;
	struct board_header *shared;
	struct board_header checked; /* the reader's own copy of the layout: the writer may be hostile */
};

static size_t align_up(size_t n)
{
	return (n + 63) & ~(size_t)63;
}

static struct board_lock *record_lock(const struct board *b, const struct board_table *t, uint32_t index)
{
	return (struct board_lock *)((char *)b->shared + t->offset + (size_t)index * t->stride);
}

static _Atomic uint8_t *stored_byte(const struct board *b, const struct board_table *t, uint32_t index)
{
	return (_Atomic uint8_t *)((char *)b->shared + t->stored + index / 8);
}

static bool is_stored(const struct board *b, const struct board_table *t, uint32_t index)
{
	return atomic_load_explicit(stored_byte(b, t, index), memory_order_acquire) & (1u << index % 8);
}

static bool is_zero(const void *data, size_t size)
{
	const char *bytes = data;

	return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

static struct board_slot *ring_slot(const struct board *b, uint64_t seq)
{
	return (struct board_slot *)((char *)b->shared + b->checked.ring_offset) + (seq & (BOARD_EVENTS - 1));
}

/* Writer side of a sequence lock. An odd number says: being written. */
static uint32_t lock_begin(struct board_lock *lock)
{
	uint32_t seq = atomic_load_explicit(&lock->sequence, memory_order_relaxed);

	atomic_store_explicit(&lock->sequence, seq | 1u, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	return seq | 1u;
}

static void lock_end(struct board_lock *lock, uint32_t seq)
{
	atomic_store_explicit(&lock->sequence, seq + 1u, memory_order_release);
}

/* Copies what the lock guards; false when it was not stable within the tries. */
static bool lock_copy(struct board_lock *lock, void *to, size_t size)
{
	for (int i = 0; i < READ_TRIES; i++) {
		uint32_t before = atomic_load_explicit(&lock->sequence, memory_order_acquire);

		if (before & 1u)
			continue;
		memcpy(to, lock + 1, size);
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&lock->sequence, memory_order_relaxed) == before)
			return true;
	}
	return false;
}

static void lay_out(struct board_header *h, enum role role, uint64_t generation, const struct board_shape *shape)
{
	size_t at = align_up(sizeof(*h));

	memset(h, 0, sizeof(*h));
	h->magic = BOARD_MAGIC;
	h->layout = BOARD_LAYOUT;
	h->role = role;
	h->generation = generation;
	for (unsigned t = 0; t < BOARD_TABLES; t++) {
		struct board_table *table = &h->tables[t];

		table->stored = at;
		at = align_up(at + (shape->count[t] + 7) / 8);
		table->offset = at;
		table->record_size = shape->record_size[t];
		table->stride = (uint32_t)(sizeof(struct board_lock) + shape->record_size[t] + 7) & ~7u;
		table->count = shape->count[t];
		at = align_up(at + (size_t)table->stride * table->count);
	}
	h->ring_offset = at;
	h->size = h->ring_offset + BOARD_EVENTS * sizeof(struct board_slot);
}

struct board *board_create(enum role role, uint64_t generation, const struct board_shape *shape)
{
	struct board *b = calloc(1, sizeof(*b));
	int error;

	if (!b)
		return NULL;
	lay_out(&b->checked, role, generation, shape);
	b->size = b->checked.size;
	b->writer = true;
	b->fd = memfd_create(role_name(role), MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (b->fd < 0 || ftruncate(b->fd, (off_t)b->size) < 0 || fchmod(b->fd, 0600) < 0)
		goto fail;
	b->shared = mmap(NULL, b->size, PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, 0);
	if (b->shared == MAP_FAILED)
		goto fail;
	memcpy(b->shared, &b->checked, sizeof(b->checked));
	/* From here on nobody else can map it writable or change its size. */
	if (fcntl(b->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0) {
		munmap(b->shared, b->size);
		goto fail;
	}
	return b;
fail:
	error = errno;
	if (b->fd >= 0)
		close(b->fd);
	free(b);
	errno = error;
	return NULL;
}

/* Does the header describe tables that lie within the mapping? */
static bool header_valid(const struct board_header *h, enum role role, size_t size)
{
	struct board_shape shape;
	struct board_header expected;

	if (h->magic != BOARD_MAGIC || h->layout != BOARD_LAYOUT || h->role != role)
		return false;
	for (unsigned t = 0; t < BOARD_TABLES; t++) {
		shape.record_size[t] = h->tables[t].record_size;
		shape.count[t] = h->tables[t].count;
		if (shape.record_size[t] > 65536 || (uint64_t)shape.record_size[t] * shape.count[t] > size)
			return false;
	}
	lay_out(&expected, role, h->generation, &shape);
	return memcmp(expected.tables, h->tables, sizeof(expected.tables)) == 0 &&
	       expected.ring_offset == h->ring_offset && expected.size == h->size && h->size <= size;
}

struct board *board_open(int fd, enum role role)
{
	struct board *b = calloc(1, sizeof(*b));
	struct stat st;
	int error = EPROTO;
	int seals;

	if (!b) {
		close(fd);
		errno = ENOMEM;
		return NULL;
	}
	b->fd = fd;
	b->shared = MAP_FAILED;
	seals = fcntl(fd, F_GET_SEALS);
	/* A board that can shrink could kill its readers. */
	if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(fd, &st) < 0 || st.st_size < (off_t)sizeof(b->checked))
		goto fail;
	b->size = (size_t)st.st_size;
	b->shared = mmap(NULL, b->size, PROT_READ, MAP_SHARED, fd, 0);
	if (b->shared == MAP_FAILED) {
		error = errno;
		goto fail;
	}
	memcpy(&b->checked, b->shared, sizeof(b->checked));
	if (!header_valid(&b->checked, role, b->size))
		goto fail;
	return b;
fail:
	if (b->shared != MAP_FAILED)
		munmap(b->shared, b->size);
	close(fd);
	free(b);
	errno = error;
	return NULL;
}

void board_close(struct board *b)
{
	if (!b)
		return;
	munmap(b->shared, b->size);
	close(b->fd);
	free(b);
}

int board_fd(const struct board *b)
{
	return b->fd;
}

enum role board_role(const struct board *b)
{
	return (enum role)b->checked.role;
}

uint64_t board_generation(const struct board *b)
{
	return b->checked.generation;
}

uint32_t board_count(const struct board *b, unsigned table)
{
	return table < BOARD_TABLES ? b->checked.tables[table].count : 0;
}

bool board_store(struct board *b, unsigned table, uint32_t index, const void *record, size_t size)
{
	const struct board_table *t = &b->checked.tables[table];
	struct board_lock *lock;
	bool fresh;
	uint32_t seq;

	if (table >= BOARD_TABLES || index >= t->count || size != t->record_size)
		return false;
	fresh = !is_stored(b, t, index);
	lock = record_lock(b, t, index);
	if (fresh ? is_zero(record, size) : memcmp(lock + 1, record, size) == 0)
		return false;
	seq = lock_begin(lock);
	memcpy(lock + 1, record, size);
	lock_end(lock, seq);
	if (fresh)
		atomic_fetch_or_explicit(stored_byte(b, t, index), (uint8_t)(1u << index % 8), memory_order_release);
	return true;
}

int board_load(const struct board *b, unsigned table, uint32_t index, void *record, size_t size)
{
	const struct board_table *t = &b->checked.tables[table];

	if (table >= BOARD_TABLES || index >= t->count || size != t->record_size)
		return -ENOENT;
	if (!is_stored(b, t, index)) {
		memset(record, 0, size);
		return 0;
	}
	return lock_copy(record_lock(b, t, index), record, size) ? 0 : -EAGAIN;
}

uint64_t board_event(struct board *b, const struct event *event)
{
	uint64_t number = atomic_load_explicit(&b->shared->last_event, memory_order_relaxed) + 1;
	struct board_slot *slot = ring_slot(b, number);
	uint32_t seq = lock_begin(&slot->lock);

	slot->event = *event;
	slot->event.seq = number;
	slot->event.real_us = real_now_us();
	lock_end(&slot->lock, seq);
	atomic_store_explicit(&b->shared->last_event, number, memory_order_release);
	return number;
}

uint64_t board_last_event(const struct board *b)
{
	return atomic_load_explicit(&b->shared->last_event, memory_order_acquire);
}

int board_next_event(const struct board *b, uint64_t *seq, struct event *event)
{
	uint64_t last = board_last_event(b);
	uint64_t next = *seq + 1;

	if (*seq >= last)
		return 0;
	if (last - *seq > BOARD_EVENTS) {
		uint64_t missed = last - *seq - BOARD_EVENTS;

		*seq += missed;
		return missed > INT32_MAX ? -INT32_MAX : -(int)missed;
	}
	if (!lock_copy(&ring_slot(b, next)->lock, event, sizeof(*event)) || event->seq != next) {
		*seq = next;
		return -1;
	}
	event->name[sizeof(event->name) - 1] = '\0';
	event->why[sizeof(event->why) - 1] = '\0';
	*seq = next;
	return 1;
}

void board_continue(struct board *b, const struct board *predecessor)
{
	uint64_t last = board_last_event(predecessor);
	uint64_t n = last < BOARD_EVENTS ? last : BOARD_EVENTS;

	/* Counted: a predecessor that ended badly may have left the largest number there is, which no loop comes by. */
	for (uint64_t i = 0; i < n; i++) {
		uint64_t number = last - i;
		struct board_slot *slot = ring_slot(b, number);

		if (!lock_copy(&ring_slot(predecessor, number)->lock, &slot->event, sizeof(slot->event)))
			memset(&slot->event, 0, sizeof(slot->event));
	}
	atomic_store_explicit(&b->shared->last_event, last, memory_order_release);
	atomic_store_explicit(&b->shared->beats, board_beats(predecessor), memory_order_relaxed);
}

void board_renumber(struct board *b, uint64_t generation)
{
	b->checked.generation = generation;
	atomic_store_explicit(&b->shared->generation, generation, memory_order_release);
}

void board_beat(struct board *b)
{
	atomic_fetch_add_explicit(&b->shared->beats, 1, memory_order_relaxed);
}

uint64_t board_beats(const struct board *b)
{
	return atomic_load_explicit(&b->shared->beats, memory_order_relaxed);
}

void board_tell_cpu(struct board *b, uint64_t cpu_us)
{
	atomic_store_explicit(&b->shared->cpu_us, cpu_us, memory_order_relaxed);
}

uint64_t board_cpu_us(const struct board *b)
{
	return atomic_load_explicit(&b->shared->cpu_us, memory_order_relaxed);
}
