/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of last heartbeats. Runs in the vrrp process; after it is mapped it makes no system call. */
#include "vrrp_heart.h"
#include "boot_id.h"
#include "vrrp_file.h"
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAGIC 0x74726148 /* "Hart" */
#define LAYOUT 3

struct record {
	uint64_t key; /* 0 = unused */
	struct vrrp_past past;
	uint64_t number; /* of the writing: of two records of an instance the later one is true */
	uint64_t sum;    /* over all before: a half-written record is none */
};

struct vrrp_heart_file {
	uint32_t magic, layout;
	char boot[BOOT_ID_SIZE]; /* the kernel's boot id */
	struct record records[VRRP_HEART_INSTANCES];
};

static uint64_t mix(uint64_t h, const void *data, size_t size)
{
	const uint8_t *p = data;

	while (size--)
		h = (h ^ *p++) * 1099511628211ull;
	return h;
}

static uint64_t sum_of(const struct record *r)
{
	return mix(14695981039346656037ull, r, offsetof(struct record, sum));
}

int vrrp_heart_open(struct vrrp_heart *heart, int fd)
{
	struct vrrp_heart_file *file;
	char boot[BOOT_ID_SIZE];
	int error = vrrp_file_make_room(fd, sizeof(*file));

	file = error ? MAP_FAILED : mmap(NULL, sizeof(*file), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (!error && file == MAP_FAILED)
		error = -errno;
	close(fd);
	if (error)
		return error;
	boot_id_read(boot);
	if (file->magic != MAGIC || file->layout != LAYOUT || memcmp(file->boot, boot, sizeof(boot)) != 0) {
		memset(file, 0, sizeof(*file));
		memcpy(file->boot, boot, sizeof(boot));
		file->layout = LAYOUT;
		file->magic = MAGIC;
	}
	heart->file = file;
	heart->written = 0;
	for (uint32_t i = 0; i < VRRP_HEART_INSTANCES; i++) {
		const struct record *r = &file->records[i];

		if (r->number > heart->written && r->sum == sum_of(r))
			heart->written = r->number;
	}
	return 0;
}

uint64_t vrrp_heart_key(const struct conf *conf, uint32_t instance)
{
	const struct conf_instance *i = &conf->instances[instance];
	const char *name = conf_string(conf, i->name), *interface = conf_string(conf, i->interface);
	uint64_t h = mix(14695981039346656037ull, name, strlen(name) + 1);

	h = mix(h, interface, strlen(interface) + 1);
	h = mix(h, &i->family, sizeof(i->family));
	h = mix(h, &i->vrid, sizeof(i->vrid));
	return h ? h : 1;
}

void vrrp_heart_store(struct vrrp_heart *heart, uint32_t number, uint64_t key, const struct vrrp_past *now)
{
	struct record r;

	if (!heart->file || number >= VRRP_HEART_INSTANCES)
		return;
	memset(&r, 0, sizeof(r));
	r.key = key;
	r.past = *now;
	r.number = ++heart->written;
	r.sum = sum_of(&r);
	memcpy(&heart->file->records[number], &r, sizeof(r));
}

bool vrrp_heart_find(const struct vrrp_heart *heart, uint64_t key, struct vrrp_past *past)
{
	uint64_t latest = 0;

	/* A reload may have left the instance in two places. */
	for (uint32_t i = 0; heart->file && i < VRRP_HEART_INSTANCES; i++) {
		struct record r;

		memcpy(&r, &heart->file->records[i], sizeof(r));
		if (r.key != key || r.number <= latest || r.sum != sum_of(&r))
			continue;
		*past = r.past;
		latest = r.number;
	}
	return latest > 0;
}
