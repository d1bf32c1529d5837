/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lab tool: from any IPVS table to any other, in the real kernel of this network namespace. Usage: ipvs_pairs COUNT.
 * Each round plans from the last acknowledged image to a random one, carries the plan out and compares a fresh dump:
 * the kernel holds exactly what is desired plus the foreign entries, refuses nothing, and counters of untouched entries
 * are those of before. With `bench SERVICES SERVERS` it programs that many and prints the time. */
#include "ipvs_netlink.h"
#include "mono.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/ip_vs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPS 20000

static struct ipvs_op ops[OPS];
static unsigned refusals;

static void fail(const char *what, long detail)
{
	fprintf(stderr, "ipvs_pairs: %s (%ld)\n", what, detail);
	exit(1);
}

static unsigned random_below(unsigned n)
{
	return (unsigned)rand() % n;
}

static void on_refused(void *arg, size_t op, int error)
{
	(void)arg;
	if (refusals++ < 5)
		fprintf(stderr, "ipvs_pairs: operation %zu refused: %s\n", op, strerror(error));
}

/* Eight possible services of all kinds; number 7 is somebody else's. */
static struct ipvs_key service_key(unsigned n)
{
	struct ipvs_key key = {.family = AF_INET, .protocol = IPPROTO_TCP, .port = (uint16_t)(80 + n)};

	if (n == 1)
		key.protocol = IPPROTO_UDP;
	if (n == 2)
		key.protocol = IPPROTO_SCTP;
	if (n == 3)
		return (struct ipvs_key){.family = AF_INET, .fwmark = 7};
	if (n == 4)
		return (struct ipvs_key){.family = AF_INET6, .fwmark = 7};
	if (n >= 5 && n < 7) {
		key.family = AF_INET6;
		addr_parse("2001:db8::1", &key.addr);
		return key;
	}
	addr_parse("192.0.2.1", &key.addr);
	return key;
}

static void random_service(struct ipvs_image *image, unsigned n)
{
	static const char *const schedulers[] = {
		"wlc", "rr", "wrr", "lc", "sh", "dh", "mh", "sed", "nq", "fo", "ovf", "lblc", "lblcr"};
	struct ipvs_service service = {.key = service_key(n)};
	bool v6 = service.key.family == AF_INET6;
	struct ipvs_service *added;

	strcpy(service.scheduler, schedulers[random_below(13)]);
	service.netmask = v6 ? 128 : htonl(INADDR_NONE);
	if (random_below(2)) {
		service.flags |= IP_VS_SVC_F_PERSISTENT;
		service.timeout_s = 60 + random_below(60);
		service.netmask = v6 ? 64 : htonl(0xffffff00);
	}
	if (service.key.protocol == IPPROTO_UDP && random_below(2))
		service.flags |= IP_VS_SVC_F_ONEPACKET;
	if (strcmp(service.scheduler, "sh") == 0 || strcmp(service.scheduler, "mh") == 0)
		service.flags |= random_below(2) * IP_VS_SVC_F_SCHED1 + random_below(2) * IP_VS_SVC_F_SCHED2;
	added = ipvs_image_add(image, &service);
	for (unsigned d = 0; d < 6; d++) {
		static const uint32_t forwards[] = {IP_VS_CONN_F_MASQ, IP_VS_CONN_F_DROUTE, IP_VS_CONN_F_TUNNEL};
		struct ipvs_dest dest = {.key.port = 8080, .weight = (int32_t)random_below(4), .server = d};
		char text[ADDR_TEXT];

		if (random_below(3) == 0)
			continue;
		snprintf(text, sizeof(text), v6 ? "2001:db8:1::%u" : "10.1.0.%u", d + 1);
		addr_parse(text, &dest.key.addr);
		dest.forward = forwards[random_below(3)];
		if (random_below(4) == 0) {
			dest.upper = 100;
			dest.lower = random_below(50);
		}
		if (dest.forward == IP_VS_CONN_F_TUNNEL && random_below(2)) {
			dest.tunnel_type = (uint8_t)(1 + random_below(2));
			dest.tunnel_port = dest.tunnel_type == IP_VS_CONN_F_TUNNEL_TYPE_GUE ? 6080 : 0;
			dest.tunnel_flags = IP_VS_TUNNEL_ENCAP_FLAG_CSUM;
		}
		ipvs_service_add(added, &dest);
	}
}

static void random_image(struct ipvs_image *image)
{
	for (unsigned n = 0; n < 7; n++)
		if (random_below(3))
			random_service(image, n);
	ipvs_image_sort(image);
}

static void apply(struct ipvs_kernel *kernel, const struct ipvs_image *desired, struct ipvs_image *actual)
{
	size_t n = ipvs_plan(desired, actual, ops, OPS);
	int rc = ipvs_kernel_apply(kernel, desired, actual, ops, n, on_refused, NULL);

	if (n > OPS || rc < 0)
		fail("the plan was not carried out", rc);
	if (ipvs_plan_apply(desired, actual, ops, n, NULL) < 0)
		fail("out of memory", 0);
}

static void compare(const struct ipvs_image *expected, const struct ipvs_image *kernel)
{
	if (expected->n_services != kernel->n_services)
		fail("number of services differs", (long)kernel->n_services);
	for (uint32_t i = 0; i < kernel->n_services; i++) {
		const struct ipvs_service *a = &expected->services[i], *b = &kernel->services[i];

		if (ipvs_key_compare(&a->key, &b->key) != 0 || !ipvs_service_equal(a, b))
			fail("a service differs, number", (long)i);
		if (a->n_dests != b->n_dests)
			fail("number of servers differs in service", (long)i);
		for (uint32_t d = 0; d < a->n_dests; d++)
			if (ipvs_dest_key_compare(&a->dests[d].key, &b->dests[d].key) != 0 ||
				!ipvs_dest_equal(&a->dests[d], &b->dests[d]))
				fail("a server differs, number", (long)d);
	}
}

static void pairs(struct ipvs_kernel *kernel, unsigned count)
{
	struct ipvs_image actual = {0}, foreign = {0};

	random_service(&foreign, 7);
	apply(kernel, &foreign, &actual);
	actual.services[0].ours = false;
	for (uint32_t d = 0; d < actual.services[0].n_dests; d++)
		actual.services[0].dests[d].ours = false;
	for (unsigned round = 0; round < count; round++) {
		struct ipvs_image desired = {0}, dump = {0};

		srand(round);
		random_image(&desired);
		apply(kernel, &desired, &actual);
		if (ipvs_kernel_dump(kernel, &dump) < 0)
			fail("no dump", round);
		compare(&actual, &dump);
		if (dump.n_services != desired.n_services + 1)
			fail("the kernel holds something else in round", round);
		if (ipvs_plan(&desired, &actual, ops, OPS) != 0)
			fail("a second plan is not empty in round", round);
		ipvs_image_clear(&desired);
		ipvs_image_clear(&dump);
	}
	ipvs_image_clear(&actual);
	ipvs_image_clear(&foreign);
	printf("%u tables reached, %u refusals\n", count, refusals);
}

static void bench(struct ipvs_kernel *kernel, unsigned services, unsigned servers)
{
	struct ipvs_image desired = {0}, actual = {0};
	struct mono begin, planned, sent, dumped;
	size_t room, n;
	struct ipvs_op *all;

	for (unsigned s = 0; s < services; s++) {
		struct ipvs_service service = {.key = {.family = AF_INET, .protocol = IPPROTO_TCP, .port = 80},
			.scheduler = "wlc",
			.netmask = htonl(INADDR_NONE)};
		struct ipvs_service *added;

		service.key.addr = (struct addr){.family = AF_INET, .bytes = {10, 0, (uint8_t)(s >> 8), (uint8_t)s}};
		added = ipvs_image_add(&desired, &service);
		for (unsigned d = 0; d < servers; d++) {
			struct ipvs_dest dest = {.key.port = 80, .weight = 1, .server = d};

			dest.key.addr =
				(struct addr){.family = AF_INET, .bytes = {10, 1, (uint8_t)(d >> 8), (uint8_t)d}};
			ipvs_service_add(added, &dest);
		}
	}
	begin = mono_now();
	ipvs_image_sort(&desired);
	room = ipvs_plan(&desired, &actual, NULL, 0);
	all = calloc(room, sizeof(*all));
	n = ipvs_plan(&desired, &actual, all, room);
	planned = mono_now();
	if (ipvs_kernel_apply(kernel, &desired, &actual, all, n, on_refused, NULL) < 0)
		fail("not programmed", 0);
	sent = mono_now();
	if (ipvs_kernel_dump(kernel, &actual) < 0)
		fail("no dump", 0);
	dumped = mono_now();
	printf("%zu commands: plan %lld us, programmed in %lld us, dumped in %lld us, second plan %zu\n", n,
		(long long)mono_diff_us(planned, begin), (long long)mono_diff_us(sent, planned),
		(long long)mono_diff_us(dumped, sent), ipvs_plan(&desired, &actual, NULL, 0));
	free(all);
}

int main(int argc, char **argv)
{
	struct ipvs_kernel *kernel = ipvs_kernel_open();
	int rc;

	if (argc < 2 || !kernel)
		fail("usage: ipvs_pairs COUNT | bench SERVICES SERVERS", errno);
	rc = ipvs_kernel_resolve(kernel);
	if (rc < 0)
		fail("this kernel has no IPVS for us", rc);
	if (strcmp(argv[1], "bench") == 0 && argc == 4)
		bench(kernel, (unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]));
	else
		pairs(kernel, (unsigned)atoi(argv[1]));
	ipvs_kernel_close(kernel);
	return refusals != 0;
}
