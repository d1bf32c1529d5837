/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file that remembers which kernel objects are ours; used by the vrrp and ipvs roles on a descriptor that the
 * parent opened. A store goes into the slot that does not hold the newest valid contents, so a death in the middle of a
 * write leaves those readable. It never asks the disk to flush: what it describes does not survive the machine either.
 */
#include "ledger.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define LEDGER_MAGIC 0x7265676465736f50ULL /* "Posedger" */
/* Slots lie so far apart that none grows into the other; the gap takes no room in the file system. */
#define SLOT_SIZE (64LL << 20)
#define SLOTS 2
/* What is read, or written, at once: a multiple of 8, because the checksum goes by words. */
#define PIECE_SIZE ((size_t)16384)
#define PIECE ((size_t)512) /* records */

struct slot_header {
	uint64_t magic;
	uint64_t seq;
	uint64_t checksum; /* of this header with checksum = 0, then the records */
	uint64_t count;
	uint64_t record_size;
	uint32_t kind;
	uint32_t zero;
};

/* FNV-1a over 64-bit words: guards against torn writes, not against malice (the file is root's). */
static uint64_t checksum_add(uint64_t sum, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	while (size > 0) {
		uint64_t word = 0;
		size_t n = size < sizeof(word) ? size : sizeof(word);

		memcpy(&word, bytes, n);
		sum = (sum ^ word) * 0x100000001b3ULL;
		sum ^= sum >> 29;
		bytes += n;
		size -= n;
	}
	return sum;
}

/* Of the header alone; the records are added to it. */
static uint64_t header_checksum(const struct slot_header *header)
{
	struct slot_header h = *header;

	h.checksum = 0;
	return checksum_add(0xcbf29ce484222325ULL, &h, sizeof(h));
}

/* Reads until size bytes are there or the file ends; returns the number read or -errno. */
static ssize_t read_at(int fd, void *buf, size_t size, off_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, (char *)buf + done, size - done, offset + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static int write_at(int fd, const void *buf, size_t size, off_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pwrite(fd, (const char *)buf + done, size - done, offset + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

/* Records of an older version, which were shorter: what they lack is zero. Frees them; NULL when there is no memory. */
static void *lengthen(void *records, size_t count, size_t old_size, size_t size)
{
	uint8_t *longer = calloc(count, size);

	for (size_t i = 0; longer && i < count; i++)
		memcpy(longer + i * size, (const uint8_t *)records + i * old_size, old_size);
	free(records);
	return longer;
}

/* Is the slot one of the kind, and whole? Returns 1 and its header, 0, or -errno. */
static int check_slot(int fd, off_t at, uint32_t kind, size_t record_size, struct slot_header *header, uint8_t *piece)
{
	ssize_t n = read_at(fd, header, sizeof(*header), at);
	uint64_t sum;
	size_t left;

	if (n < 0)
		return (int)n;
	if (n < (ssize_t)sizeof(*header) || header->magic != LEDGER_MAGIC || header->kind != kind ||
		header->record_size == 0 || header->record_size > record_size ||
		header->count > (SLOT_SIZE - sizeof(*header)) / record_size)
		return 0;
	sum = header_checksum(header);
	at += (off_t)sizeof(*header);
	for (left = (size_t)(header->count * header->record_size); left > 0; left -= (size_t)n) {
		size_t size = left < PIECE_SIZE ? left : PIECE_SIZE;

		n = read_at(fd, piece, size, at);
		if (n < 0)
			return (int)n;
		if ((size_t)n < size)
			return 0;
		sum = checksum_add(sum, piece, size);
		at += n;
	}
	return sum == header->checksum;
}

/* Finds the newest valid slot. Returns 1 with its header and place, 0 when there is none, or -errno. */
static int find_newest(int fd, uint32_t kind, size_t record_size, struct slot_header *header, off_t *at)
{
	uint8_t *piece = malloc(PIECE_SIZE);
	int found = 0, rc = piece ? 0 : -ENOMEM;

	for (unsigned slot = 0; slot < SLOTS && rc >= 0; slot++) {
		struct slot_header h;

		rc = check_slot(fd, (off_t)slot * SLOT_SIZE, kind, record_size, &h, piece);
		if (rc <= 0 || (found && h.seq < header->seq))
			continue;
		*header = h;
		*at = (off_t)slot * SLOT_SIZE;
		found = 1;
	}
	free(piece);
	return rc < 0 ? rc : found;
}

int ledger_load(int fd, uint32_t kind, size_t record_size, void **records, size_t *count)
{
	struct slot_header header;
	size_t size;
	ssize_t n;
	off_t at;
	int rc;

	*count = 0;
	*records = NULL;
	if (record_size == 0)
		return -EINVAL;
	rc = find_newest(fd, kind, record_size, &header, &at);
	if (rc <= 0 || header.count == 0)
		return rc < 0 ? rc : 0;
	size = (size_t)(header.count * header.record_size);
	*records = malloc(size);
	if (!*records)
		return -ENOMEM;
	n = read_at(fd, *records, size, at + (off_t)sizeof(header));
	if (n != (ssize_t)size) {
		free(*records);
		*records = NULL;
		return n < 0 ? (int)n : -EIO;
	}
	if (header.record_size < record_size)
		*records = lengthen(*records, (size_t)header.count, (size_t)header.record_size, record_size);
	if (!*records)
		return -ENOMEM;
	*count = (size_t)header.count;
	return 0;
}

/* Fills in the sequence number and chooses the slot: the older one. Returns 0 or -errno. */
static int choose_slot(int fd, struct slot_header *header, off_t *at)
{
	struct slot_header newest;
	off_t newest_at = 0;
	int rc = find_newest(fd, header->kind, header->record_size, &newest, &newest_at);

	header->seq = rc > 0 ? newest.seq + 1 : 1;
	*at = rc > 0 && newest_at == 0 ? SLOT_SIZE : 0;
	return rc < 0 ? rc : 0;
}

/* Writes the records piece by piece, then the header. */
static int write_slot(int fd, struct slot_header *header, off_t at, ledger_next_fn *next, void *arg, uint8_t *piece)
{
	off_t end = at + (off_t)sizeof(*header);
	size_t n;
	int error = 0;

	header->checksum = header_checksum(header);
	for (size_t done = 0; done < header->count && !error; done += n) {
		size_t size;

		n = header->count - done < PIECE ? header->count - done : PIECE;
		for (size_t i = 0; i < n; i++)
			next(arg, piece + i * header->record_size);
		size = n * header->record_size;
		header->checksum = checksum_add(header->checksum, piece, size);
		error = write_at(fd, piece, size, end);
		end += (off_t)size;
	}
	return error ? error : write_at(fd, header, sizeof(*header), at);
}

int ledger_store_each(int fd, uint32_t kind, size_t record_size, size_t count, ledger_next_fn *next, void *arg)
{
	struct slot_header header = {.magic = LEDGER_MAGIC, .count = count, .record_size = record_size, .kind = kind};
	uint8_t *piece;
	off_t at;
	int error;

	if (record_size == 0)
		return -EINVAL;
	if (count > (SLOT_SIZE - sizeof(header)) / record_size)
		return -EFBIG;
	error = choose_slot(fd, &header, &at);
	if (error)
		return error;
	piece = malloc((count < PIECE ? count : PIECE) * record_size + 1); /* never an allocation of 0 */
	if (!piece)
		return -ENOMEM;
	error = write_slot(fd, &header, at, next, arg, piece);
	free(piece);
	return error;
}

struct array {
	const uint8_t *at;
	size_t record_size;
};

static void next_of_array(void *arg, void *record)
{
	struct array *array = arg;

	memcpy(record, array->at, array->record_size);
	array->at += array->record_size;
}

int ledger_store(int fd, uint32_t kind, size_t record_size, const void *records, size_t count)
{
	struct array array = {records, record_size};

	return ledger_store_each(fd, kind, record_size, count, next_of_array, &array);
}
