/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mapped file of anti-replay marks and of the signing clock. Runs in the vrrp role on a descriptor that the parent
 * opened; what is in the file is bounded before it is used, and a damaged one is begun anew. It decides nothing. */
#include "vrrp_ledger.h"
#include "log.h"
#include "vrrp_file.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LEDGER_MAGIC 0x317072206573696fULL
#define ROOM_STEP 32 /* places made at once */
#define ROOM_MAX 65536

struct place {
	char interface[16];
	uint8_t family, vrid, unicast, zero;
	uint8_t group[4]; /* the last bytes of a multicast group that is not the usual one, else 0 */
	struct vrrp_hmac_marks marks;
};

struct vrrp_ledger_file {
	uint64_t magic;
	uint64_t place_size;
	char boot_id[BOOT_ID_SIZE];
	int64_t offset_us; /* of the clock; of this boot only */
	uint32_t is_clock_set;
	uint32_t n;
	struct place places[];
};

static size_t size_for(uint32_t room)
{
	return sizeof(struct vrrp_ledger_file) + room * sizeof(struct place);
}

static uint32_t room_of(const struct vrrp_ledger *ledger)
{
	return (uint32_t)((ledger->size - sizeof(struct vrrp_ledger_file)) / sizeof(struct place));
}

static int64_t boot_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

/* ---- the mapping ---- */

static void begin_anew(struct vrrp_ledger *ledger)
{
	memset(ledger->map, 0, ledger->size);
	ledger->map->place_size = sizeof(struct place);
	memcpy(ledger->map->boot_id, ledger->boot_id, sizeof(ledger->boot_id));
	ledger->map->magic = LEDGER_MAGIC;
}

int vrrp_ledger_init(struct vrrp_ledger *ledger)
{
	void *map = mmap(NULL, size_for(ROOM_STEP), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	*ledger = (struct vrrp_ledger){.fd = -1};
	if (map == MAP_FAILED)
		return -errno;
	ledger->map = map;
	ledger->size = size_for(ROOM_STEP);
	boot_id_read(ledger->boot_id);
	begin_anew(ledger);
	return 0;
}

static bool is_sound(const struct vrrp_ledger *ledger)
{
	const struct vrrp_ledger_file *f = ledger->map;

	if (f->magic != LEDGER_MAGIC || f->place_size != sizeof(struct place) || f->n > room_of(ledger))
		return false;
	for (uint32_t i = 0; i < f->n; i++)
		if (f->places[i].marks.n > VRRP_HMAC_SENDERS)
			return false;
	return true;
}

int vrrp_ledger_set_file(struct vrrp_ledger *ledger, int fd)
{
	off_t end = lseek(fd, 0, SEEK_END);
	size_t size = size_for(ROOM_STEP);
	void *map;
	int error;

	if (end > (off_t)size && end <= (off_t)size_for(ROOM_MAX))
		size = (size_t)end;
	error = vrrp_file_make_room(fd, size);
	map = error ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		error = error ? error : -errno;
		close(fd);
		return error;
	}
	munmap(ledger->map, ledger->size);
	ledger->map = map;
	ledger->size = size;
	ledger->fd = fd;
	if (!is_sound(ledger))
		begin_anew(ledger);
	/* What nobody can set begins anew with each boot, and so does the clock that goes by it. */
	if (memcmp(ledger->map->boot_id, ledger->boot_id, sizeof(ledger->boot_id)) != 0)
		ledger->map->is_clock_set = 0;
	memcpy(ledger->map->boot_id, ledger->boot_id, sizeof(ledger->boot_id));
	ledger->clock =
		(struct vrrp_hmac_clock){.offset_us = ledger->map->offset_us, .is_set = ledger->map->is_clock_set == 1};
	if (!ledger->clock.is_set)
		ledger->clock.offset_us = 0;
	return 0;
}

void vrrp_ledger_close(struct vrrp_ledger *ledger)
{
	if (ledger->map)
		munmap(ledger->map, ledger->size);
	if (ledger->fd >= 0)
		close(ledger->fd);
	*ledger = (struct vrrp_ledger){.fd = -1};
}

void vrrp_ledger_end(struct vrrp_ledger *ledger)
{
	if (ledger->map)
		ledger->map->is_clock_set = 0;
}

static int grow(struct vrrp_ledger *ledger)
{
	size_t size = size_for(room_of(ledger) + ROOM_STEP);
	void *map;

	if (size > size_for(ROOM_MAX) || (ledger->fd >= 0 && vrrp_file_make_room(ledger->fd, size) < 0))
		return -ENOMEM;
	if (ledger->fd >= 0) {
		map = mremap(ledger->map, ledger->size, size, MREMAP_MAYMOVE);
	} else {
		/* Memory without a file does not grow with its mapping. */
		map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (map != MAP_FAILED) {
			memcpy(map, ledger->map, ledger->size);
			munmap(ledger->map, ledger->size);
		}
	}
	if (map == MAP_FAILED)
		return -ENOMEM;
	ledger->map = map;
	ledger->size = size;
	return 0;
}

int vrrp_ledger_find(struct vrrp_ledger *ledger, const struct conf *conf, const struct conf_instance *instance)
{
	struct place key = {.family = instance->family, .vrid = instance->vrid, .unicast = instance->unicast};
	const size_t head = offsetof(struct place, marks);
	const struct addr *usual =
		instance->family == AF_INET6 ? &conf->global->mcast_group6 : &conf->global->mcast_group4;

	if (!instance->unicast && !addr_equal(&instance->group_address, usual))
		memcpy(key.group, instance->group_address.bytes + (instance->family == AF_INET6 ? 12 : 0), 4);
	strncpy(key.interface, conf_string(conf, instance->interface), sizeof(key.interface) - 1);
	for (uint32_t i = 0; i < ledger->map->n; i++)
		if (memcmp(&ledger->map->places[i], &key, head) == 0)
			return (int)i;
	if (ledger->map->n == room_of(ledger) && grow(ledger) < 0)
		return -ENOMEM;
	ledger->map->places[ledger->map->n] = key;
	return (int)ledger->map->n++;
}

struct vrrp_hmac_marks *vrrp_ledger_marks(struct vrrp_ledger *ledger, int number)
{
	return &ledger->map->places[number].marks;
}

/* ---- the clock ---- */

static void keep_clock(struct vrrp_ledger *ledger)
{
	ledger->map->offset_us = ledger->clock.offset_us;
	ledger->map->is_clock_set = 1;
}

struct vrrp_hmac_time vrrp_ledger_time(struct vrrp_ledger *ledger)
{
	struct vrrp_hmac_time time = vrrp_hmac_clock_read(&ledger->clock, boot_now_us(), real_now_us());
	bool is_apart = time.kept_us != time.wall_us;

	if (is_apart && !ledger->is_apart)
		log_warning(
			"vrrp: the wall clock was set by %+lld ms: advertisements are signed by the time before, until "
			"a neighbour goes by the new one",
			(long long)((time.wall_us - time.kept_us) / US_PER_MS));
	if (!is_apart && ledger->is_apart)
		log_info("vrrp: the wall clock is back where it was before it was set");
	ledger->is_apart = is_apart;
	if (!is_apart)
		keep_clock(ledger);
	return time;
}

void vrrp_ledger_adopt(struct vrrp_ledger *ledger, const struct vrrp_hmac_time *time, const char *who)
{
	int64_t step_us = vrrp_hmac_clock_adopt(&ledger->clock, time);

	keep_clock(ledger);
	ledger->is_apart = false;
	log_info("vrrp: %s goes by the wall clock: advertisements are signed by it from now on (%+lld ms)", who,
		(long long)(step_us / US_PER_MS));
}
