/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A board: state in a shared memfd with one writer and many readers.
 * It has a beat counter (a hung writer is seen by it), tables of records guarded by a sequence lock each, and a ring
 * of numbered events. A reader never waits for a writer: a record that cannot be read consistently in a bounded number
 * of tries (the writer may have died in between) is reported as such. Record layouts are in status.h. */
#ifndef POISE_BOARD_H
#define POISE_BOARD_H

#include "mono.h"
#include "roles.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bumped whenever status.h or this header changes a layout; readers refuse another one. */
#define BOARD_LAYOUT 22

#define BOARD_TABLES 10
#define BOARD_EVENTS 1024 /* events kept; a power of two */

struct board;

/* Sizes of the tables of a new board; unused tables have count 0. */
struct board_shape {
	uint32_t record_size[BOARD_TABLES];
	uint32_t count[BOARD_TABLES];
};

/* What happened, for traps, `events`, and people. Filled by the writer; seq and real_us are set by board_event(). */
struct event {
	uint64_t seq;
	int64_t real_us;
	uint64_t generation;
	uint32_t kind;   /* enum event_kind (status.h) */
	uint32_t object; /* index of the instance, group, server ... in that generation's tables; role number for roles
			  */
	uint32_t from, to;
	uint32_t priority;   /* of VRRP events: of the instance at that moment */
	uint32_t is_deleted; /* EVENT_INSTANCE: it is not in the next configuration */
	char name[64];       /* the object as a person names it: "VI_1", "10.0.0.1:80/tcp 10.1.0.2:80" */
	char why[160];
};

/* Writer: a new board (sealed against resizing and against other writers once mapped). NULL with errno. */
struct board *board_create(enum role role, uint64_t generation, const struct board_shape *shape);
/* Reader: maps a board that came as a descriptor, checking magic, layout, role and sizes. Takes over fd in any case.
 * NULL with errno (EPROTO: not a board of this layout). */
struct board *board_open(int fd, enum role role);
void board_close(struct board *board); /* NULL is allowed */

int board_fd(const struct board *board);
enum role board_role(const struct board *board);
uint64_t board_generation(const struct board *board);
uint32_t board_count(const struct board *board, unsigned table);

/* Writer: stores a record; returns true when it differs from what was there. size must be the table's record size. A
 * record that was never stored reads as zeros, and costs no memory on either side. */
bool board_store(struct board *board, unsigned table, uint32_t index, const void *record, size_t size);
/* Anyone: copies a record. Returns 0, -ENOENT (no such record, or a record of another size), -EAGAIN (not consistent).
 */
int board_load(const struct board *board, unsigned table, uint32_t index, void *record, size_t size);

/* Writer: appends an event, sets its number and time, returns the number (first is 1). */
uint64_t board_event(struct board *board, const struct event *event);
/* Reader: *seq is the last number seen (0 at first). Returns 1 and the next event, 0 when there is none yet,
 * or -n when n events were overwritten before they were read (then *seq has moved past them; call again). */
int board_next_event(const struct board *board, uint64_t *seq, struct event *event);
uint64_t board_last_event(const struct board *board);
/* Writer: goes on in a fresh board where a predecessor ended: the ring's numbers and contents, and the count of beats.
 * (A count that began anew would look to a reader as if it stood still, when boards follow each other faster than the
 * beats.) */
void board_continue(struct board *board, const struct board *predecessor);

/* Writer: the same records speak of another generation from now on, whose objects are the same. Who has opened the
 * board before takes it for one of the former generation still. */
void board_renumber(struct board *board, uint64_t generation);

/* Writer: "I am alive", at least as often as role.h says. Reader: the counter. */
void board_beat(struct board *board);
uint64_t board_beats(const struct board *board);
/* Writer: the processor time that it has used since its start, in microseconds. Reader: what it said last. */
void board_tell_cpu(struct board *board, uint64_t cpu_us);
uint64_t board_cpu_us(const struct board *board);

#endif
