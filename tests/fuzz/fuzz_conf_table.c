/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Damaged configuration generations: conf_open() refuses them, or every reference can be followed. The input is a list
 * of changes to a good generation, four bytes of place and four bytes of value each, so that seeds survive a change of
 * the layout. */
#include "conf_read.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t follow_command(const struct conf *conf, const struct conf_command *c)
{
	const char *argv[64];
	size_t sum = strlen(conf_string(conf, c->user)) + strlen(conf_string(conf, c->group));
	int n = conf_argv(conf, c, argv, 64);

	for (int i = 0; i < n; i++)
		sum += strlen(argv[i]);
	return sum;
}

static size_t follow_instances(const struct conf *conf)
{
	size_t sum = 0;

	for (uint32_t i = 0; i < conf->n_instances; i++) {
		const struct conf_instance *in = &conf->instances[i];

		sum += strlen(conf_string(conf, in->name)) +
		       (in->secret == CONF_NONE ? 0 : conf->secrets[in->secret].length);
		for (uint32_t k = 0; k < in->addresses.count; k++)
			sum += conf->addresses[in->addresses.first + k].prefix;
		for (uint32_t k = 0; k < in->notifies.count; k++)
			sum += follow_command(conf, &conf->notifies[in->notifies.first + k].command);
	}
	return sum;
}

static size_t follow_services(const struct conf *conf)
{
	char name[CONF_NAME_SIZE];
	size_t sum = 0;

	for (uint32_t i = 0; i < conf->n_services; i++) {
		const struct conf_service *s = &conf->services[i];

		sum += strlen(conf_service_name(conf, i, name));
		for (uint32_t k = 0; k < s->servers.count; k++)
			sum += conf->servers[s->servers.first + k].port;
	}
	for (uint32_t i = 0; i < conf->n_urls; i++)
		for (uint32_t k = 0; k < conf->urls[i].status.count; k++)
			sum += conf->status_ranges[conf->urls[i].status.first + k].low;
	return sum;
}

static const char base_text[] =
	"vrrp_script s {\n script \"/bin/a b\"\n}\n"
	"vrrp_sync_group G {\n group {\n A\n B\n }\n track_interface { e }\n}\n"
	"vrrp_instance A {\n interface e\n virtual_router_id 1\n virtual_ipaddress { 10.0.0.1 }\n unicast_peer { "
	"10.0.0.9 }\n"
	" authentication {\n auth_type PASS\n auth_pass x\n }\n notify /bin/n\n track_script { s }\n}\n"
	"vrrp_instance B {\n interface f\n virtual_router_id 1\n virtual_ipaddress { 10.0.0.2 }\n}\n"
	"virtual_server_group P {\n 10.0.1.1-9 80\n}\n"
	"virtual_server group P {\n protocol TCP\n real_server 10.1.0.1 80 {\n HTTP_GET {\n url {\n path /\n "
	"status_code 200\n"
	" }\n }\n MISC_CHECK {\n misc_path /bin/m\n }\n }\n sorry_server 10.1.0.2 80\n}\n";

static uint8_t *base;
static size_t base_size;

static void make_base(void)
{
	const struct conf_read_options options = {.config_id = "node", .no_files = true};
	int fd = memfd_create("base", MFD_CLOEXEC);
	struct conf_result r;

	conf_read_text(&r, "keepalived.conf", base_text, sizeof(base_text) - 1, &options);
	if (fd < 0 || conf_diag_errors(r.diag) || conf_builder_write(r.builder, 1, fd) < 0)
		abort();
	conf_result_free(&r);
	base_size = (size_t)lseek(fd, 0, SEEK_END);
	base = malloc(base_size);
	if (!base || pread(fd, base, base_size, 0) != (ssize_t)base_size)
		abort();
	close(fd);
}

static void check(const uint8_t *bytes, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct conf *conf, *cut;
	volatile size_t sum;

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		abort();
	conf = conf_open(fd);
	if (!conf)
		return;
	sum = follow_instances(conf) + follow_services(conf);
	(void)sum;
	/* What was accepted must also be acceptable when it is cut. */
	fd = conf_cut(conf, 1, ~CONF_BIT(CONF_TABLE_SECRET));
	cut = fd < 0 ? NULL : conf_open(fd);
	if (!cut)
		abort();
	conf_close(cut);
	conf_close(conf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes;

	if (!base)
		make_base();
	check(data, size);
	bytes = malloc(base_size);
	if (!bytes)
		abort();
	memcpy(bytes, base, base_size);
	for (; size >= 8; data += 8, size -= 8) {
		uint32_t place;

		memcpy(&place, data, sizeof(place));
		memcpy(bytes + place % (base_size / 4) * 4, data + 4, 4);
	}
	check(bytes, base_size);
	free(bytes);
	return 0;
}
