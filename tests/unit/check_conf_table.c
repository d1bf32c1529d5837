/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of configuration generations: building, mapping, refusing damaged ones, cutting, finding the same object. */
#include "conf.h"
#include "conf_layout.h"
#include "mono.h"
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct addr addr(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(text, &a), 0);
	return a;
}

static conf_index_t add_server(struct conf_builder *b, conf_index_t service, const char *ip, uint16_t port, bool sorry)
{
	conf_index_t i = conf_builder_add(b, CONF_TABLE_SERVER);
	struct conf_server *s = conf_builder_at(b, CONF_TABLE_SERVER, i);

	s->addr = addr(ip);
	s->port = port;
	s->is_sorry = sorry;
	s->service = service;
	return i;
}

static conf_index_t add_service(struct conf_builder *b, const char *ip, uint16_t port, uint16_t protocol)
{
	conf_index_t i = conf_builder_add(b, CONF_TABLE_SERVICE);
	struct conf_service *s = conf_builder_at(b, CONF_TABLE_SERVICE, i);

	s->kind = CONF_SERVICE_ADDRESS;
	s->addr = addr(ip);
	s->port = port;
	s->protocol = protocol;
	s->family = s->addr.family;
	s->group = s->sorry = CONF_NONE;
	return i;
}

static void fill_vrrp(struct conf_builder *b)
{
	static const char *const words[] = {"/bin/sh", "-c", "exit 0"};
	struct conf_script *script;
	struct conf_instance *in;
	struct conf_notify *notify;
	struct conf_secret *secret;
	struct conf_track *track;
	struct conf_group *group;
	conf_string_t name;

	conf_builder_add(b, CONF_TABLE_SCRIPT);
	name = conf_builder_string(b, "check");
	script = conf_builder_at(b, CONF_TABLE_SCRIPT, 0);
	script->name = name;
	script->command.argv = conf_builder_words(b, words, 3);
	script->command.argc = 3;
	conf_builder_add(b, CONF_TABLE_INSTANCE);
	conf_builder_add(b, CONF_TABLE_ADDRESS);
	conf_builder_add(b, CONF_TABLE_PEER);
	conf_builder_add(b, CONF_TABLE_ROUTE);
	conf_builder_add(b, CONF_TABLE_NEXTHOP);
	conf_builder_add(b, CONF_TABLE_ENCAP);
	conf_builder_add(b, CONF_TABLE_LINK);
	conf_builder_add(b, CONF_TABLE_TRACK_GROUP);
	conf_builder_add(b, CONF_TABLE_RULE);
	conf_builder_add(b, CONF_TABLE_TRACK);
	conf_builder_add(b, CONF_TABLE_PROCESS);
	conf_builder_add(b, CONF_TABLE_FILE);
	conf_builder_add(b, CONF_TABLE_BFD);
	conf_builder_add(b, CONF_TABLE_LINK_DELAY);
	conf_builder_add(b, CONF_TABLE_ORIGIN);
	conf_builder_add(b, CONF_TABLE_GROUP);
	conf_builder_add(b, CONF_TABLE_GROUP_MEMBER);
	conf_builder_add(b, CONF_TABLE_NOTIFY);
	conf_builder_add(b, CONF_TABLE_SECRET);
	conf_builder_add(b, CONF_TABLE_HMAC_KEY);
	conf_builder_add(b, CONF_TABLE_TRAP_TARGET);
	conf_builder_add(b, CONF_TABLE_PAIR_KEY);
	conf_builder_add(b, CONF_TABLE_TRAP_SECRET);
	conf_builder_add(b, CONF_TABLE_STEP);
	conf_builder_add(b, CONF_TABLE_BLOB);
	in = conf_builder_at(b, CONF_TABLE_INSTANCE, 0);
	in->name = conf_builder_string(b, "web");
	in->interface = conf_builder_string(b, "eth0");
	in->addresses = in->peers = in->tracks = in->notifies = (struct conf_range){0, 1};
	in->n_advertised = 1;
	track = conf_builder_at(b, CONF_TABLE_TRACK, 0);
	track->kind = CONF_TRACK_SCRIPT;
	track->name = name;
	track->process = track->file = track->service = track->bfd = track->group = CONF_NONE;
	track->track_group = CONF_NONE;
	group = conf_builder_at(b, CONF_TABLE_GROUP, 0);
	group->name = conf_builder_string(b, "both");
	group->members = (struct conf_range){0, 1};
	notify = conf_builder_at(b, CONF_TABLE_NOTIFY, 0);
	notify->event = CONF_NOTIFY_ANY;
	notify->command = script->command;
	secret = conf_builder_at(b, CONF_TABLE_SECRET, 0);
	memcpy(secret->bytes, "topsecret", 9);
	secret->length = 9;
}

/* One record of every table. */
static struct conf_builder *full(void)
{
	struct conf_builder *b = conf_builder_new();
	struct conf_service_group *sg;
	struct conf_server *server;
	struct conf_service *s;
	struct conf_check *check;
	struct conf_url *url;

	ck_assert_ptr_nonnull(b);
	fill_vrrp(b);
	add_service(b, "10.0.0.1", 80, IPPROTO_TCP);
	add_server(b, 0, "10.1.0.2", 8080, false);
	conf_builder_add(b, CONF_TABLE_CHECK);
	conf_builder_add(b, CONF_TABLE_URL);
	conf_builder_add(b, CONF_TABLE_STATUS_RANGE);
	conf_builder_add(b, CONF_TABLE_SERVICE_GROUP);
	conf_builder_add(b, CONF_TABLE_GROUP_ENTRY);
	conf_builder_add(b, CONF_TABLE_CLIENTS);
	conf_builder_add(b, CONF_TABLE_SYSCTL);
	s = conf_builder_at(b, CONF_TABLE_SERVICE, 0);
	s->scheduler = conf_builder_string(b, "wlc");
	s->servers = s->notifies = (struct conf_range){0, 1};
	server = conf_builder_at(b, CONF_TABLE_SERVER, 0);
	server->checks = (struct conf_range){0, 1};
	check = conf_builder_at(b, CONF_TABLE_CHECK, 0);
	check->kind = CONF_CHECK_HTTP;
	check->urls = (struct conf_range){0, 1};
	url = conf_builder_at(b, CONF_TABLE_URL, 0);
	url->path = conf_builder_string(b, "/health");
	url->status = (struct conf_range){0, 1};
	sg = conf_builder_at(b, CONF_TABLE_SERVICE_GROUP, 0);
	sg->name = conf_builder_string(b, "pool");
	sg->entries = (struct conf_range){0, 1};
	return b;
}

static int memfd(void)
{
	int fd = memfd_create("check", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static struct conf *open_builder(struct conf_builder *b, uint64_t generation)
{
	int fd = memfd();
	struct conf *conf;

	ck_assert_int_eq(conf_builder_write(b, generation, fd), 0);
	conf_builder_free(b);
	conf = conf_open(fd);
	ck_assert_ptr_nonnull(conf);
	return conf;
}

/* The bytes of a full table; the caller frees them. */
static char *image(size_t *size)
{
	struct conf_builder *b = full();
	int fd = memfd();
	struct stat st;
	char *bytes;

	ck_assert_int_eq(conf_builder_write(b, 7, fd), 0);
	conf_builder_free(b);
	ck_assert_int_eq(fstat(fd, &st), 0);
	*size = (size_t)st.st_size;
	bytes = malloc(*size);
	ck_assert_int_eq(pread(fd, bytes, *size, 0), st.st_size);
	close(fd);
	return bytes;
}

static struct conf *open_bytes(const char *bytes, size_t size)
{
	int fd = memfd();

	ck_assert_int_eq(pwrite(fd, bytes, size, 0), (ssize_t)size);
	return conf_open(fd);
}

START_TEST(test_round_trip)
{
	struct conf *conf = open_builder(full(), 42);
	const char *argv[8];

	ck_assert_uint_eq(conf->generation, 42);
	ck_assert_uint_eq(conf->n_global, 1);
	ck_assert_uint_eq(conf->n_instances, 1);
	ck_assert_str_eq(conf_string(conf, conf->instances[0].name), "web");
	ck_assert_str_eq(conf_string(conf, conf->instances[0].interface), "eth0");
	ck_assert_str_eq(conf_string(conf, 0), "");
	ck_assert_str_eq(conf_string(conf, UINT32_MAX), "");
	ck_assert_int_eq(conf_argv(conf, &conf->scripts[0].command, argv, 8), 3);
	ck_assert_str_eq(argv[0], "/bin/sh");
	ck_assert_str_eq(argv[2], "exit 0");
	ck_assert_ptr_null(argv[3]);
	ck_assert_int_eq(conf_argv(conf, &conf->scripts[0].command, argv, 3), -1);
	ck_assert_mem_eq(conf->secrets[0].bytes, "topsecret", 9);
	conf_close(conf);
	conf_close(NULL);
}
END_TEST

START_TEST(test_strings_are_interned)
{
	struct conf_builder *b = conf_builder_new();
	conf_string_t first = conf_builder_string(b, "eth0");
	char name[32];

	ck_assert_uint_eq(conf_builder_string(b, ""), 0);
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "name-%d", i);
		conf_builder_string(b, name);
	}
	ck_assert_uint_eq(conf_builder_string(b, "eth0"), first);
	ck_assert_str_eq(conf_builder_text(b, conf_builder_string(b, "name-4321")), "name-4321");
	conf_builder_free(b);
}
END_TEST

static void expect_refused(const char *bytes, size_t size, const char *what, unsigned number)
{
	struct conf *conf;

	errno = 0;
	conf = open_bytes(bytes, size);
	if (conf)
		ck_abort_msg("%s %u was accepted", what, number);
	ck_assert_int_eq(errno, EPROTO);
}

START_TEST(test_refuses_every_other_length)
{
	size_t size;
	char *bytes = image(&size);

	for (size_t length = 0; length < size; length += length < 600 ? 1 : 37)
		expect_refused(bytes, length, "length", (unsigned)length);
	bytes = realloc(bytes, size + 8);
	memset(bytes + size, 0, 8);
	expect_refused(bytes, size + 8, "length", (unsigned)size + 8);
	free(bytes);
}
END_TEST

START_TEST(test_refuses_a_damaged_header)
{
	size_t size;
	char *bytes = image(&size);

	for (size_t i = 0; i < sizeof(struct conf_header); i++) {
		if (i >= offsetof(struct conf_header, generation) &&
			i < offsetof(struct conf_header, generation) + sizeof(uint64_t))
			continue;
		bytes[i] ^= 0x41;
		expect_refused(bytes, size, "header byte", (unsigned)i);
		bytes[i] ^= 0x41;
	}
	conf_close(open_bytes(bytes, size));
	free(bytes);
}
END_TEST

/* Puts value into the field and expects the table to be refused. */
static void poke(char *bytes, size_t size, const struct conf_field *field, size_t width, const void *value)
{
	const struct conf_header *h = (const void *)bytes;
	char *at = bytes + h->tables[field->table].offset + field->offset, saved[64];

	ck_assert_uint_le(width, sizeof(saved));
	memcpy(saved, at, width);
	memcpy(at, value, width);
	expect_refused(bytes, size, "field", (unsigned)(field - conf_fields));
	memcpy(at, saved, width);
}

static void poke_number(char *bytes, size_t size, const struct conf_field *field, uint32_t value)
{
	poke(bytes, size, field, sizeof(value), &value);
}

static void poke_range(char *bytes, size_t size, const struct conf_field *field, uint32_t first, uint32_t count)
{
	struct conf_range range = {first, count};

	poke(bytes, size, field, sizeof(range), &range);
}

static void poke_command(char *bytes, size_t size, const struct conf_field *field, uint32_t n_strings)
{
	const struct conf_command bad[] = {
		{n_strings, 1, 0, 0},
		{UINT32_MAX, 1, 0, 0},
		{0, 1, 0, 0},
		{1, CONF_ARGC_MAX + 1, 0, 0},
		{n_strings - 1, 2, 0, 0},
		{1, 1, n_strings, 0},
		{1, 1, 0, n_strings},
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		poke(bytes, size, field, sizeof(bad[i]), &bad[i]);
}

START_TEST(test_refuses_every_bad_reference)
{
	size_t size;
	char *bytes = image(&size);
	const struct conf_header *h = (const void *)bytes;
	uint32_t n_strings = h->tables[CONF_TABLE_STRINGS].count;

	for (unsigned i = 0; i < conf_field_count; i++) {
		const struct conf_field *f = &conf_fields[i];
		uint32_t limit = f->limit;
		uint16_t wide = (uint16_t)limit;
		uint8_t narrow = (uint8_t)limit;
		struct addr wrong = {.family = 99};

		ck_assert_uint_ge(h->tables[f->table].count, 1);
		switch ((enum conf_field_kind)f->kind) {
		case CONF_FIELD_STRING:
			poke_number(bytes, size, f, n_strings);
			poke_number(bytes, size, f, UINT32_MAX);
			break;
		case CONF_FIELD_INDEX:
			poke_number(bytes, size, f, h->tables[limit].count);
			poke_number(bytes, size, f, UINT32_MAX - 1);
			break;
		case CONF_FIELD_RANGE:
			poke_range(bytes, size, f, 0, h->tables[limit].count + 1);
			poke_range(bytes, size, f, h->tables[limit].count, 1);
			poke_range(bytes, size, f, UINT32_MAX, 2);
			poke_range(bytes, size, f, 1, UINT32_MAX);
			break;
		case CONF_FIELD_COMMAND:
			poke_command(bytes, size, f, n_strings);
			break;
		case CONF_FIELD_ENUM8:
			poke(bytes, size, f, 1, &narrow);
			break;
		case CONF_FIELD_ENUM16:
			poke(bytes, size, f, 2, &wide);
			break;
		case CONF_FIELD_ENUM32:
			poke_number(bytes, size, f, limit);
			break;
		case CONF_FIELD_ADDR:
			poke(bytes, size, f, sizeof(wrong), &wrong);
			break;
		case CONF_FIELD_OBJECT:
			poke_number(bytes, size, f, 1);
			break;
		}
	}
	conf_close(open_bytes(bytes, size));
	free(bytes);
}
END_TEST

START_TEST(test_refuses_unterminated_strings)
{
	size_t size;
	char *bytes = image(&size);
	const struct conf_header *h = (const void *)bytes;
	char *strings = bytes + h->tables[CONF_TABLE_STRINGS].offset;

	strings[h->tables[CONF_TABLE_STRINGS].count - 1] = 'x';
	expect_refused(bytes, size, "last byte", 0);
	strings[h->tables[CONF_TABLE_STRINGS].count - 1] = 0;
	strings[0] = 'x';
	expect_refused(bytes, size, "first byte", 0);
	free(bytes);
}
END_TEST

START_TEST(test_refuses_what_is_no_file)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_ptr_null(conf_open(fds[0]));
	ck_assert_int_eq(errno, EPROTO);
	/* The descriptor was taken over. */
	ck_assert_int_eq(fcntl(fds[0], F_GETFD), -1);
	close(fds[1]);
	ck_assert_ptr_null(conf_open(-1));
}
END_TEST

/* Only what nobody can have changed since it was checked is taken without a look. */
START_TEST(test_seals_stand_for_the_check)
{
	int fd = memfd();
	struct conf_builder *b = full();
	struct conf *conf;

	ck_assert_int_eq(conf_builder_write(b, 3, fd), 0);
	conf_builder_free(b);
	ck_assert_ptr_null(conf_open_checked(dup(fd)));
	ck_assert_int_eq(errno, EPROTO);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	ck_assert_ptr_null(conf_open_checked(dup(fd)));
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	conf = conf_open_checked(fd);
	ck_assert_ptr_nonnull(conf);
	ck_assert_uint_eq(conf->generation, 3);
	ck_assert_str_eq(conf_string(conf, conf->instances[0].name), "web");
	conf_close(conf);
	ck_assert_ptr_null(conf_open_checked(-1));
}
END_TEST

START_TEST(test_cut_keeps_only_what_was_asked_for)
{
	struct conf *conf = open_builder(full(), 1), *cut;
	int fd = conf_cut(conf, 2,
		CONF_BIT(CONF_TABLE_INSTANCE) | CONF_BIT(CONF_TABLE_TRACK) | CONF_BIT(CONF_TABLE_NOTIFY) |
			CONF_BIT(CONF_TABLE_SERVER));

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GET_SEALS), F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	ck_assert_int_eq(pwrite(fd, "x", 1, 0), -1);
	cut = conf_open(fd);
	ck_assert_ptr_nonnull(cut);
	ck_assert_uint_eq(cut->generation, 2);
	ck_assert_uint_eq(cut->n_global, 1);
	ck_assert_uint_eq(cut->n_instances, 1);
	ck_assert_str_eq(conf_string(cut, cut->instances[0].name), "web");
	ck_assert_uint_eq(cut->n_secrets, 0);
	ck_assert_uint_eq(cut->instances[0].secret, CONF_NONE);
	ck_assert_uint_eq(cut->instances[0].addresses.count, 0);
	ck_assert_uint_eq(cut->instances[0].n_advertised, 0);
	ck_assert_uint_eq(cut->instances[0].tracks.count, 1);
	ck_assert_uint_eq(cut->tracks[0].script, CONF_NONE);
	ck_assert_uint_eq(cut->tracks[0].instance, 0);
	ck_assert_uint_eq(cut->notifies[0].object, 0);
	ck_assert_uint_eq(cut->servers[0].service, CONF_NONE);
	/* The password is nowhere in the copy. */
	ck_assert_ptr_null(memmem(cut->map, cut->size, "topsecret", 9));
	ck_assert_ptr_nonnull(memmem(conf->map, conf->size, "topsecret", 9));
	conf_close(cut);
	conf_close(conf);
}
END_TEST

START_TEST(test_names)
{
	struct conf_builder *b = conf_builder_new();
	struct conf_service_group *group;
	struct conf_service *s;
	struct conf *conf;
	char name[CONF_NAME_SIZE];

	conf_builder_add(b, CONF_TABLE_SERVICE_GROUP);
	group = conf_builder_at(b, CONF_TABLE_SERVICE_GROUP, 0);
	group->name = conf_builder_string(b, "web");
	add_service(b, "10.0.0.1", 80, IPPROTO_TCP);
	add_service(b, "2001:db8::1", 53, IPPROTO_UDP);
	add_service(b, "10.0.0.1", 0, IPPROTO_SCTP);
	for (int i = 0; i < 3; i++)
		add_service(b, "10.0.0.1", 0, 0);
	s = conf_builder_at(b, CONF_TABLE_SERVICE, 3);
	s->kind = CONF_SERVICE_FWMARK;
	s->fwmark = 5;
	s = conf_builder_at(b, CONF_TABLE_SERVICE, 4);
	s->kind = CONF_SERVICE_FWMARK;
	s->fwmark = 5;
	s->family = AF_INET6;
	s = conf_builder_at(b, CONF_TABLE_SERVICE, 5);
	s->kind = CONF_SERVICE_GROUP;
	s->group = 0;
	s->protocol = IPPROTO_TCP;
	add_server(b, 0, "10.1.0.2", 80, false);
	add_server(b, 1, "2001:db8::2", 8080, false);
	conf = open_builder(b, 1);
	ck_assert_str_eq(conf_service_name(conf, 0, name), "10.0.0.1:80/tcp");
	ck_assert_str_eq(conf_service_name(conf, 1, name), "[2001:db8::1]:53/udp");
	ck_assert_str_eq(conf_service_name(conf, 2, name), "10.0.0.1/sctp");
	ck_assert_str_eq(conf_service_name(conf, 3, name), "fwmark 5");
	ck_assert_str_eq(conf_service_name(conf, 4, name), "fwmark 5/inet6");
	ck_assert_str_eq(conf_service_name(conf, 5, name), "group web/tcp");
	ck_assert_str_eq(conf_service_name(conf, 6, name), "");
	ck_assert_str_eq(conf_server_name(conf, 0, name), "10.1.0.2:80");
	ck_assert_str_eq(conf_server_name(conf, 1, name), "[2001:db8::2]:8080");
	ck_assert_str_eq(conf_server_name(conf, CONF_NONE, name), "");
	conf_close(conf);
}
END_TEST

/* Services in the given order, each with servers .1 to .n, the first of which is there a second time as sorry server.
 */
static struct conf *generation(const int *order, int n_services, int n_servers)
{
	struct conf_builder *b = conf_builder_new();
	char ip[ADDR_TEXT];

	for (int i = 0; i < n_services; i++) {
		conf_index_t service;

		snprintf(ip, sizeof(ip), "10.0.%d.%d", order[i] / 250, order[i] % 250 + 1);
		service = add_service(b, ip, 80, IPPROTO_TCP);
		for (int k = 0; k < n_servers; k++) {
			snprintf(ip, sizeof(ip), "10.1.%d.%d", k / 250, k % 250 + 1);
			add_server(b, service, ip, 80, false);
		}
		add_server(b, service, "10.1.0.1", 80, true);
	}
	return open_builder(b, 1);
}

START_TEST(test_match_after_a_change)
{
	const int before[] = {1, 2, 3}, after[] = {3, 4, 1};
	struct conf *from = generation(before, 3, 3), *to = generation(after, 3, 2);
	conf_index_t services[3], servers[9];

	ck_assert_int_eq(conf_match_services(to, from, services), 0);
	ck_assert_uint_eq(services[0], 2);
	ck_assert_uint_eq(services[1], CONF_NONE);
	ck_assert_uint_eq(services[2], 0);
	ck_assert_int_eq(conf_match_servers(to, from, servers), 0);
	/* Service 3: two servers and the sorry server, which has the address of the first. */
	ck_assert_uint_eq(servers[0], 8);
	ck_assert_uint_eq(servers[1], 9);
	ck_assert_uint_eq(servers[2], 11);
	for (int i = 3; i < 6; i++)
		ck_assert_uint_eq(servers[i], CONF_NONE);
	ck_assert_uint_eq(servers[6], 0);
	for (conf_index_t i = 0; i < to->n_servers; i++)
		if (servers[i] != CONF_NONE)
			ck_assert_uint_eq(conf_find_server(to, from, servers[i]), i);
	ck_assert_uint_eq(conf_find_server(to, from, 2), CONF_NONE);
	ck_assert_uint_eq(conf_find_service(to, from, 1), CONF_NONE);
	ck_assert_uint_eq(conf_find_service(to, from, 2), 0);
	ck_assert_uint_eq(conf_find_service(to, from, CONF_NONE), CONF_NONE);
	conf_close(from);
	conf_close(to);
}
END_TEST

static void shuffle(int *order, int n)
{
	for (int i = n - 1; i > 0; i--) {
		int k = rand() % (i + 1), kept = order[i];

		order[i] = order[k];
		order[k] = kept;
	}
}

/* The guess that most stand where they stood must not change what is found. */
START_TEST(test_any_order_matches_as_a_search_would)
{
	srand(1);
	for (int round = 0; round < 200; round++) {
		int before[8] = {0, 1, 2, 3, 4, 5, 6, 7}, after[8] = {0, 1, 2, 3, 4, 5, 6, 7};
		conf_index_t services[8], servers[8 * 5];
		struct conf *from, *to;

		if (round % 3) {
			shuffle(before, 8);
			shuffle(after, 8);
		}
		from = generation(before, 8 - rand() % 3, 1 + rand() % 4);
		to = generation(after, 8 - rand() % 3, 1 + rand() % 4);
		ck_assert_int_eq(conf_match_services(to, from, services), 0);
		ck_assert_int_eq(conf_match_servers(to, from, servers), 0);
		for (conf_index_t i = 0; i < to->n_services; i++)
			ck_assert_uint_eq(services[i], conf_find_service(from, to, i));
		for (conf_index_t i = 0; i < to->n_servers; i++)
			ck_assert_uint_eq(servers[i], conf_find_server(from, to, i));
		conf_close(from);
		conf_close(to);
	}
}
END_TEST

static void set_drain(struct conf_builder *b, int64_t us, const char *scheduler)
{
	for (conf_index_t i = 0; i < conf_builder_count(b, CONF_TABLE_SERVICE); i++) {
		struct conf_service *s = conf_builder_at(b, CONF_TABLE_SERVICE, i);

		s->drain_timeout_us = us;
		s->scheduler = conf_builder_string(b, scheduler);
	}
}

/* A service with so many servers, and how long a server that leaves it is given. */
static struct conf *drained(int n_servers, int64_t us, const char *scheduler)
{
	struct conf_builder *b = conf_builder_new();
	conf_index_t service = add_service(b, "10.0.0.1", 80, IPPROTO_TCP);
	char ip[ADDR_TEXT];

	for (int i = 0; i < n_servers; i++) {
		snprintf(ip, sizeof(ip), "10.1.0.%d", i + 1);
		add_server(b, service, ip, 80, false);
	}
	set_drain(b, us, scheduler);
	return open_builder(b, 1);
}

START_TEST(test_what_is_given_time_is_not_cut)
{
	static const struct {
		int before, after;
		int64_t us;
		const char *scheduler;
		bool cuts;
	} cases[] = {{3, 4, 0, "wlc", false}, {3, 2, 0, "wlc", true}, {3, 2, 1, "wlc", false}, {3, 2, 1, "dh", true},
		{3, 2, 1, "sh", true}, {3, 0, 1, "rr", false}, {0, 3, 0, "rr", false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct conf *from = drained(cases[i].before, 0, "wlc");
		struct conf *to = drained(cases[i].after, cases[i].us, cases[i].scheduler);

		ck_assert_msg(conf_cuts_nothing(from, to) != cases[i].cuts, "case %zu", i);
		conf_close(from);
		conf_close(to);
	}
}
END_TEST

START_TEST(test_the_same_services_and_what_cuts_nothing)
{
	const int order[] = {1, 2, 3}, other[] = {1, 3, 2};
	struct conf *a = generation(order, 3, 2), *b = generation(order, 3, 2);
	struct conf *fewer = generation(order, 2, 2), *more = generation(order, 3, 3), *moved = generation(other, 3, 2);
	struct conf *with = open_builder(full(), 1), *without;
	struct conf_builder *builder = full();
	struct conf_address *address;

	ck_assert(conf_same_services(a, b) && conf_cuts_nothing(a, b));
	ck_assert(!conf_same_services(a, fewer) && !conf_cuts_nothing(a, fewer));
	ck_assert(conf_cuts_nothing(fewer, a) && conf_cuts_nothing(a, more) && !conf_cuts_nothing(more, a));
	ck_assert(conf_cuts_nothing(a, moved) && conf_cuts_nothing(moved, a));
	ck_assert(!conf_same_services(a, more) && !conf_same_services(a, moved));
	ck_assert(conf_cuts_nothing(with, with));
	address = conf_builder_at(builder, CONF_TABLE_ADDRESS, 0);
	address->prefix = 25;
	without = open_builder(builder, 2);
	ck_assert(conf_same_services(with, without) && !conf_cuts_nothing(with, without));
	conf_close(a);
	conf_close(b);
	conf_close(fewer);
	conf_close(more);
	conf_close(moved);
	conf_close(with);
	conf_close(without);
}
END_TEST

/* Records are compared by a stretch of this list. */
START_TEST(test_references_of_a_table_stand_together)
{
	bool seen[CONF_TABLE_COUNT] = {false};

	for (unsigned f = 0; f < conf_field_count; f++) {
		if (f > 0 && conf_fields[f].table == conf_fields[f - 1].table)
			continue;
		ck_assert_msg(!seen[conf_fields[f].table], "table %u comes twice", conf_fields[f].table);
		seen[conf_fields[f].table] = true;
	}
}
END_TEST

START_TEST(test_match_finds_instances_and_groups)
{
	struct conf *from = open_builder(full(), 1), *to;
	struct conf_builder *b = full();
	struct conf_instance *in;

	conf_builder_add(b, CONF_TABLE_INSTANCE);
	in = conf_builder_at(b, CONF_TABLE_INSTANCE, 1);
	in->name = conf_builder_string(b, "web");
	in = conf_builder_at(b, CONF_TABLE_INSTANCE, 0);
	in->name = conf_builder_string(b, "other");
	to = open_builder(b, 2);
	ck_assert_uint_eq(conf_find_instance(to, from, 0), 1);
	ck_assert_uint_eq(conf_find_instance(from, to, 0), CONF_NONE);
	ck_assert_uint_eq(conf_find_instance(to, from, 99), CONF_NONE);
	ck_assert_uint_eq(conf_find_group(to, from, 0), 0);
	conf_close(from);
	conf_close(to);
}
END_TEST

START_TEST(test_match_is_linear)
{
	struct mono start = mono_now();
	conf_index_t *servers;
	struct conf *from;
	int order[100];

	for (int i = 0; i < 100; i++)
		order[i] = i;
	from = generation(order, 100, 400);
	servers = malloc(from->n_servers * sizeof(*servers));
	ck_assert_int_eq(conf_match_servers(from, from, servers), 0);
	for (conf_index_t i = 0; i < from->n_servers; i++)
		ck_assert_uint_eq(servers[i], i);
	/* 40,100 servers; a quadratic search takes minutes. */
	ck_assert_int_lt(mono_diff_us(mono_now(), start), 10 * US_PER_S);
	free(servers);
	conf_close(from);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("conf_table");
	TCase *tables = tcase_create("tables"), *hostile = tcase_create("hostile"), *match = tcase_create("match");
	SRunner *runner;
	int failed;

	tcase_add_test(tables, test_round_trip);
	tcase_add_test(tables, test_strings_are_interned);
	tcase_add_test(tables, test_cut_keeps_only_what_was_asked_for);
	tcase_add_test(tables, test_names);
	tcase_add_test(hostile, test_refuses_every_other_length);
	tcase_add_test(hostile, test_refuses_a_damaged_header);
	tcase_add_test(hostile, test_refuses_every_bad_reference);
	tcase_add_test(hostile, test_refuses_unterminated_strings);
	tcase_add_test(hostile, test_refuses_what_is_no_file);
	tcase_add_test(hostile, test_seals_stand_for_the_check);
	tcase_add_test(match, test_match_after_a_change);
	tcase_add_test(match, test_match_finds_instances_and_groups);
	tcase_add_test(match, test_match_is_linear);
	tcase_add_test(match, test_any_order_matches_as_a_search_would);
	tcase_add_test(match, test_the_same_services_and_what_cuts_nothing);
	tcase_add_test(match, test_what_is_given_time_is_not_cut);
	tcase_add_test(match, test_references_of_a_table_stand_together);
	tcase_set_timeout(match, 60);
	tcase_set_timeout(hostile, 60);
	suite_add_tcase(suite, tables);
	suite_add_tcase(suite, hostile);
	suite_add_tcase(suite, match);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
