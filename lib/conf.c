/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maps a configuration generation and checks it before anybody reads a record: after conf_open() every index, range and
 * string of the tables lies inside them. The parent does that once, for what it seals and hands on; the roles go by the
 * seal. It never changes a generation: conf_cut() makes a new
 * one. */
#include "conf.h"
#include "conf_layout.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool valid_header(const struct conf_header *h, size_t size)
{
	uint32_t counts[CONF_TABLE_COUNT];
	struct conf_header expected;

	if (size < sizeof(*h) || h->magic != CONF_MAGIC || h->layout != CONF_LAYOUT ||
		h->table_count != CONF_TABLE_COUNT)
		return false;
	for (unsigned t = 0; t < CONF_TABLE_COUNT; t++)
		counts[t] = h->tables[t].count;
	/* Offsets and sizes follow from the counts: there is one right header for them. */
	conf_header_fill(&expected, h->generation, counts);
	return memcmp(&expected, h, sizeof(expected)) == 0 && expected.size == size;
}

static void bind_tables(struct conf *conf, const struct conf_header *h)
{
#define X(id, member, type)                                                                                            \
	conf->member = (const type *)(const void *)((const char *)h + h->tables[CONF_TABLE_##id].offset);              \
	conf->n_##member = h->tables[CONF_TABLE_##id].count;
	CONF_TABLE_LIST(X)
#undef X
}

static bool valid_command(const struct conf *conf, const struct conf_command *c)
{
	uint64_t at = c->argv;

	if (c->user >= conf->n_strings || c->group >= conf->n_strings || c->argc > CONF_ARGC_MAX)
		return false;
	for (uint32_t i = 0; i < c->argc; i++) {
		if (at == 0 || at >= conf->n_strings)
			return false;
		/* The table ends with a zero, so this stays inside. */
		at += strlen(conf->strings + at) + 1;
	}
	return true;
}

static bool valid_index(uint32_t index, uint32_t count)
{
	return index == CONF_NONE || index < count;
}

static bool valid_field(const struct conf *conf, const uint32_t *counts, const struct conf_field *field, const void *at)
{
	const struct conf_range *range = at;
	const uint32_t *number = at;
	const struct addr *addr = at;
	enum conf_table table;

	switch ((enum conf_field_kind)field->kind) {
	case CONF_FIELD_STRING:
		return *number < conf->n_strings;
	case CONF_FIELD_INDEX:
		return valid_index(*number, counts[field->limit]);
	case CONF_FIELD_RANGE:
		return range->first <= counts[field->limit] && range->count <= counts[field->limit] - range->first;
	case CONF_FIELD_COMMAND:
		return valid_command(conf, at);
	case CONF_FIELD_ENUM8:
		return *(const uint8_t *)at < field->limit;
	case CONF_FIELD_ENUM16:
		return *(const uint16_t *)at < field->limit;
	case CONF_FIELD_ENUM32:
		return *number < field->limit;
	case CONF_FIELD_ADDR:
		return addr->family == AF_UNSPEC || addr->family == AF_INET || addr->family == AF_INET6;
	case CONF_FIELD_OBJECT:
		table = conf_owner_table(number[-1]);
		return table != CONF_TABLE_COUNT && valid_index(*number, counts[table]);
	}
	return false;
}

static bool valid_records(const struct conf *conf, const struct conf_header *h)
{
	uint32_t counts[CONF_TABLE_COUNT];

	for (unsigned t = 0; t < CONF_TABLE_COUNT; t++)
		counts[t] = h->tables[t].count;
	for (unsigned f = 0; f < conf_field_count; f++) {
		const struct conf_field *field = &conf_fields[f];
		const struct conf_section *s = &h->tables[field->table];
		const char *record = (const char *)h + s->offset;

		for (uint32_t i = 0; i < s->count; i++, record += s->record_size)
			if (!valid_field(conf, counts, field, record + field->offset))
				return false;
	}
	for (uint32_t i = 0; i < conf->n_instances; i++)
		if (conf->instances[i].n_advertised > conf->instances[i].addresses.count)
			return false;
	return true;
}

static bool valid_tables(struct conf *conf, bool is_checked)
{
	const struct conf_header *h = conf->map;

	if (!valid_header(h, conf->size))
		return false;
	bind_tables(conf, h);
	conf->generation = h->generation;
	if (conf->n_global != 1 || conf->n_strings == 0 || conf->strings[0] || conf->strings[conf->n_strings - 1])
		return false;
	return is_checked || valid_records(conf, h);
}

static struct conf *open_failed(struct conf *conf, int fd, int error)
{
	if (conf && conf->map)
		munmap(conf->map, conf->size);
	free(conf);
	close(fd);
	errno = error;
	return NULL;
}

static struct conf *open_table(int fd, bool is_checked)
{
	struct conf *conf = calloc(1, sizeof(*conf));
	struct stat st;

	if (!conf)
		return open_failed(NULL, fd, ENOMEM);
	if (fstat(fd, &st) < 0)
		return open_failed(conf, fd, errno);
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(struct conf_header))
		return open_failed(conf, fd, EPROTO);
	conf->size = (size_t)st.st_size;
	/* Private, because early Linux 6.1 refuses a shared map of a write-sealed file. All of it is read at once. */
	conf->map = mmap(NULL, conf->size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (conf->map == MAP_FAILED) {
		conf->map = NULL;
		return open_failed(conf, fd, errno);
	}
	if (!valid_tables(conf, is_checked))
		return open_failed(conf, fd, EPROTO);
	conf->fd = fd;
	conf->references = 1;
	return conf;
}

struct conf *conf_open(int fd)
{
	return open_table(fd, false);
}

struct conf *conf_open_checked(int fd)
{
	const int needed = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & needed) != needed)
		return open_failed(NULL, fd, EPROTO);
	return open_table(fd, true);
}

struct conf *conf_share(struct conf *conf)
{
	conf->references++;
	return conf;
}

void conf_close(struct conf *conf)
{
	if (!conf || --conf->references > 0)
		return;
	munmap(conf->map, conf->size);
	close(conf->fd);
	free(conf->checkers);
	free(conf);
}

const char *conf_string(const struct conf *conf, conf_string_t s)
{
	return s < conf->n_strings ? conf->strings + s : "";
}

int conf_argv(const struct conf *conf, const struct conf_command *command, const char **argv, int max)
{
	const char *word = conf_string(conf, command->argv);

	if (max < 1 || command->argc > (uint32_t)max - 1)
		return -1;
	for (uint32_t i = 0; i < command->argc; i++) {
		argv[i] = word;
		word += strlen(word) + 1;
	}
	argv[command->argc] = NULL;
	return (int)command->argc;
}

/* References into tables that were left out become "none", so that the copy is valid by itself. */
static void cut_references(char *copy, const struct conf_header *h)
{
	for (unsigned f = 0; f < conf_field_count; f++) {
		const struct conf_field *field = &conf_fields[f];
		const struct conf_section *s = &h->tables[field->table];
		char *at = copy + s->offset + field->offset;

		for (uint32_t i = 0; i < s->count; i++, at += s->record_size) {
			uint32_t *number = (uint32_t *)(void *)at;

			if (field->kind == CONF_FIELD_INDEX && h->tables[field->limit].count == 0)
				*number = CONF_NONE;
			else if (field->kind == CONF_FIELD_RANGE && h->tables[field->limit].count == 0)
				memset(at, 0, sizeof(struct conf_range));
			else if (field->kind == CONF_FIELD_OBJECT && h->tables[conf_owner_table(number[-1])].count == 0)
				*number = CONF_NONE;
		}
	}
	if (h->tables[CONF_TABLE_ADDRESS].count == 0) {
		struct conf_instance *instance = (void *)(copy + h->tables[CONF_TABLE_INSTANCE].offset);

		for (uint32_t i = 0; i < h->tables[CONF_TABLE_INSTANCE].count; i++)
			instance[i].n_advertised = 0;
	}
}

int conf_write_sealed(const char *copy, const struct conf_header *h)
{
	const void *tables[CONF_TABLE_COUNT];
	int fd, r;

	fd = memfd_create("poise-conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	for (unsigned t = 0; t < CONF_TABLE_COUNT; t++)
		tables[t] = copy + h->tables[t].offset;
	r = conf_header_write(fd, h, tables);
	if (r == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

uint64_t conf_filled(const struct conf *conf, uint64_t mask)
{
	const struct conf_header *h = conf->map;
	uint64_t filled = 0;

	mask |= CONF_BIT(CONF_TABLE_GLOBAL) | CONF_BIT(CONF_TABLE_STRINGS);
	for (unsigned t = 0; t < CONF_TABLE_COUNT; t++)
		if ((mask & CONF_BIT(t)) && h->tables[t].count > 0)
			filled |= CONF_BIT(t);
	return filled;
}

/* Nobody can change it, and nothing would be left out of a copy. */
static bool can_be_shared(const struct conf *conf, uint64_t generation, uint64_t mask)
{
	int seals = fcntl(conf->fd, F_GET_SEALS);

	return conf->generation == generation && seals >= 0 && (seals & F_SEAL_WRITE) &&
	       conf_filled(conf, mask) == conf_filled(conf, UINT64_MAX);
}

int conf_cut(const struct conf *conf, uint64_t generation, uint64_t mask)
{
	const struct conf_header *from = conf->map;
	uint32_t counts[CONF_TABLE_COUNT];
	struct conf_header h;
	char *copy;
	int r;

	if (can_be_shared(conf, generation, mask)) {
		r = fcntl(conf->fd, F_DUPFD_CLOEXEC, 3);
		return r < 0 ? -errno : r;
	}
	mask |= CONF_BIT(CONF_TABLE_GLOBAL) | CONF_BIT(CONF_TABLE_STRINGS);
	for (unsigned t = 0; t < CONF_TABLE_COUNT; t++)
		counts[t] = mask & CONF_BIT(t) ? from->tables[t].count : 0;
	conf_header_fill(&h, generation, counts);
	copy = malloc(h.size);
	if (!copy)
		return -ENOMEM;
	for (unsigned t = 0; t < CONF_TABLE_COUNT; t++)
		memcpy(copy + h.tables[t].offset, (const char *)from + from->tables[t].offset,
			(size_t)counts[t] * h.tables[t].record_size);
	cut_references(copy, &h);
	r = conf_write_sealed(copy, &h);
	explicit_bzero(copy, h.size);
	free(copy);
	return r;
}

static const char *protocol_name(uint16_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "/tcp";
	case IPPROTO_UDP:
		return "/udp";
	case IPPROTO_SCTP:
		return "/sctp";
	}
	return "";
}

const char *conf_service_name(const struct conf *conf, conf_index_t service, char *buf)
{
	const struct conf_service *s;
	char text[ADDR_TEXT];

	buf[0] = 0;
	if (service >= conf->n_services)
		return buf;
	s = &conf->services[service];
	switch ((enum conf_service_kind)s->kind) {
	case CONF_SERVICE_ADDRESS:
		snprintf(buf, CONF_NAME_SIZE, "%s%s", addr_format_port(&s->addr, s->port, text),
			protocol_name(s->protocol));
		break;
	case CONF_SERVICE_FWMARK:
		/* The kernel keeps a mark's services of the two families apart. */
		snprintf(buf, CONF_NAME_SIZE, "fwmark %u%s", s->fwmark, s->family == AF_INET6 ? "/inet6" : "");
		break;
	case CONF_SERVICE_GROUP:
		snprintf(buf, CONF_NAME_SIZE, "group %.160s%s",
			s->group < conf->n_service_groups ? conf_string(conf, conf->service_groups[s->group].name)
							  : "?",
			protocol_name(s->protocol));
		break;
	}
	return buf;
}

const char *conf_server_name(const struct conf *conf, conf_index_t server, char *buf)
{
	buf[0] = 0;
	if (server < conf->n_servers)
		addr_format_port(&conf->servers[server].addr, conf->servers[server].port, buf);
	return buf;
}
