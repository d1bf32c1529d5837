/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipvs_plan: hand-made cases for the order of commands, and a property test: random desired and actual tables, the plan
 * carried out command by command on a model of the kernel. Afterwards the model holds what is desired and what is
 * foreign, nothing more; each object was touched at most once and only where it had to be; a second plan is empty. */
#include "ipvs_plan.h"
#include <check.h>
#include <linux/ip_vs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 1500
#define OPS 4096

static unsigned random_below(unsigned n)
{
	return (unsigned)rand() % n;
}

static struct ipvs_key service_key(unsigned n)
{
	struct ipvs_key key = {.family = AF_INET, .protocol = IPPROTO_TCP, .port = (uint16_t)(80 + n)};

	if (n % 5 == 4)
		return (struct ipvs_key){.family = AF_INET6, .fwmark = n + 1};
	key.addr.family = AF_INET;
	key.addr.bytes[3] = 1;
	return key;
}

static struct ipvs_dest_key dest_key(unsigned n)
{
	struct ipvs_dest_key key = {.addr = {.family = AF_INET, .bytes = {10, 1, 0, (uint8_t)n}}, .port = 80};

	return key;
}

static struct ipvs_service *add_service(struct ipvs_image *image, unsigned n)
{
	struct ipvs_service service = {
		.key = service_key(n), .scheduler = "wlc", .netmask = 0xffffffff, .service = n, .ours = true};

	return ipvs_image_add(image, &service);
}

static struct ipvs_dest *add_dest(struct ipvs_service *service, unsigned n, int32_t weight)
{
	struct ipvs_dest dest = {.key = dest_key(n), .weight = weight, .server = n, .ours = true};

	return ipvs_service_add(service, &dest);
}

/* What the kernel has counted by the time that it is read. */
static void count(struct ipvs_tallies *tallies, uint64_t connections, uint32_t *number)
{
	const struct ipvs_tally tally = {.counters = {.connections = connections}};

	ck_assert_int_eq(ipvs_tallies_add(tallies, &tally, number), 0);
}

/* Different for all of them, so that it is seen when one gets the count of another; 0 for a few. */
static uint64_t counted(const struct ipvs_service *service, const struct ipvs_dest *dest)
{
	unsigned n = service->key.fwmark ? service->key.fwmark - 1 : service->key.port - 80u;

	return dest ? (10 * n + dest->key.addr.bytes[3]) % 7 * 100 + 10 * n + dest->key.addr.bytes[3] : n * 1000;
}

static uint64_t connections_of(const struct ipvs_service *service, const struct ipvs_dest *dest)
{
	return ipvs_dest_tally(service, dest)->counters.connections;
}

static void random_image(struct ipvs_image *image, bool is_actual)
{
	for (unsigned s = 0; s < 8; s++) {
		struct ipvs_service *service;

		if (random_below(3) == 0)
			continue;
		service = add_service(image, s);
		if (random_below(4) == 0)
			strcpy(service->scheduler, "rr");
		if (random_below(4) == 0) {
			service->flags = IP_VS_SVC_F_PERSISTENT;
			service->timeout_s = 50 + random_below(2);
		}
		if (is_actual) {
			service->flags |= IP_VS_SVC_F_HASHED;
			service->ours = random_below(4) != 0;
			count(&image->tallies, counted(service, NULL), &service->tally);
		}
		for (unsigned d = 0; d < 6; d++) {
			struct ipvs_dest *dest;

			if (random_below(3) == 0)
				continue;
			dest = add_dest(service, d, (int32_t)random_below(3));
			dest->forward = random_below(4) == 0 ? IP_VS_CONN_F_TUNNEL : IP_VS_CONN_F_DROUTE;
			dest->tunnel_type = random_below(4) == 0;
			if (!is_actual)
				continue;
			dest->ours = service->ours && random_below(4) != 0;
			count(&service->tallies, counted(service, dest), &dest->tally);
		}
	}
	/* Not in order, as a configuration may be. */
	if (image->n_services > 1) {
		struct ipvs_service first = image->services[0];

		image->services[0] = image->services[image->n_services - 1];
		image->services[image->n_services - 1] = first;
	}
	ipvs_image_sort(image);
}

static void copy_image(struct ipvs_image *to, const struct ipvs_image *from)
{
	for (uint32_t t = 0; t < from->tallies.n; t++)
		count(&to->tallies, from->tallies.list[t].counters.connections, &(uint32_t){0});
	for (uint32_t i = 0; i < from->n_services; i++) {
		struct ipvs_service *service = ipvs_image_add(to, &from->services[i]);

		for (uint32_t d = 0; d < from->services[i].n_dests; d++)
			ipvs_service_add(service, &from->services[i].dests[d]);
		for (uint32_t t = 0; t < from->services[i].tallies.n; t++)
			count(&service->tallies, from->services[i].tallies.list[t].counters.connections,
				&(uint32_t){0});
	}
}

/* ---- a model of the kernel: refuses what the kernel refuses ---- */

static void kernel_service(struct ipvs_image *kernel, enum ipvs_op_kind kind, const struct ipvs_service *want)
{
	struct ipvs_service *have = ipvs_image_find(kernel, &want->key);

	ck_assert_msg((have != NULL) == (kind != IPVS_OP_NEW_SERVICE), "the kernel would refuse the service");
	if (kind == IPVS_OP_DEL_SERVICE) {
		have->dead = true;
	} else if (kind == IPVS_OP_SET_SERVICE) {
		memcpy(have->scheduler, want->scheduler, sizeof(have->scheduler));
		have->flags = want->flags;
		have->timeout_s = want->timeout_s;
		have->netmask = want->netmask;
	} else {
		ipvs_image_add(kernel, want);
	}
	ipvs_image_sort(kernel);
}

static void kernel_dest(
	struct ipvs_image *kernel, enum ipvs_op_kind kind, const struct ipvs_key *key, const struct ipvs_dest *want)
{
	struct ipvs_service *service = ipvs_image_find(kernel, key);
	struct ipvs_dest *have;

	ck_assert_msg(service != NULL, "a server of a service that is not there");
	have = ipvs_service_find(service, &want->key);
	ck_assert_msg((have != NULL) == (kind != IPVS_OP_NEW_DEST), "the kernel would refuse the server");
	if (kind == IPVS_OP_DEL_DEST) {
		have->dead = true;
	} else if (kind == IPVS_OP_SET_DEST) {
		have->forward = want->forward;
		have->weight = want->weight;
		have->tunnel_type = want->tunnel_type;
	} else {
		ipvs_service_add(service, want);
	}
	ipvs_service_sort(service);
}

static bool takes_connections(const struct ipvs_service *service)
{
	for (uint32_t d = 0; d < service->n_dests; d++)
		if (service->dests[d].weight > 0)
			return true;
	return false;
}

/* A service that took connections before and shall take them afterwards takes them all the time. */
static void assert_never_empty(
	const struct ipvs_image *before, const struct ipvs_image *desired, const struct ipvs_image *kernel)
{
	for (uint32_t i = 0; i < before->n_services; i++) {
		const struct ipvs_service *was = &before->services[i];
		const struct ipvs_service *want = ipvs_image_find(desired, &was->key);
		const struct ipvs_service *now = ipvs_image_find(kernel, &was->key);

		if (want && takes_connections(was) && takes_connections(want))
			ck_assert_msg(now && takes_connections(now), "a service stands without servers in between");
	}
}

static void run_on_kernel(const struct ipvs_image *desired, const struct ipvs_image *actual, const struct ipvs_op *ops,
	size_t n, struct ipvs_image *kernel)
{
	for (size_t i = 0; i < n; i++) {
		const struct ipvs_service *service = ipvs_op_service(&ops[i], desired, actual);
		const struct ipvs_dest *dest = ipvs_op_dest(&ops[i], desired, actual);

		if (dest)
			kernel_dest(kernel, ops[i].kind, &service->key, dest);
		else
			kernel_service(kernel, ops[i].kind, service);
		assert_never_empty(actual, desired, kernel);
	}
}

/* ---- what must hold ---- */

/* Counts independently of the plan how many objects have to be touched. */
static size_t needed(const struct ipvs_image *desired, const struct ipvs_image *actual)
{
	size_t n = 0;

	for (uint32_t s = 0; s < desired->n_services; s++) {
		const struct ipvs_service *want = &desired->services[s];
		const struct ipvs_service *have = ipvs_image_find(actual, &want->key);

		n += !have || !ipvs_service_equal(want, have);
		for (uint32_t d = 0; d < want->n_dests; d++) {
			const struct ipvs_dest *dest = have ? ipvs_service_find(have, &want->dests[d].key) : NULL;

			n += !dest || !ipvs_dest_equal(&want->dests[d], dest);
		}
		for (uint32_t d = 0; have && d < have->n_dests; d++)
			n += have->dests[d].ours && !ipvs_service_find(want, &have->dests[d].key);
	}
	for (uint32_t s = 0; s < actual->n_services; s++)
		n += actual->services[s].ours && !ipvs_image_find(desired, &actual->services[s].key);
	return n;
}

/* Every entry that stands in the kernel now is desired as it is, or foreign and as it was before. */
static void assert_entry(
	const struct ipvs_image *desired, const struct ipvs_image *before, const struct ipvs_service *now)
{
	const struct ipvs_service *want = ipvs_image_find(desired, &now->key);
	const struct ipvs_service *was = ipvs_image_find(before, &now->key);

	if (want)
		ck_assert(ipvs_service_equal(want, now));
	else
		ck_assert(was && !was->ours && ipvs_service_equal(was, now) && was->n_dests == now->n_dests);
	for (uint32_t d = 0; d < now->n_dests; d++) {
		const struct ipvs_dest *dest = &now->dests[d];
		const struct ipvs_dest *wanted = want ? ipvs_service_find(want, &dest->key) : NULL;
		const struct ipvs_dest *old = was ? ipvs_service_find(was, &dest->key) : NULL;

		if (wanted)
			ck_assert(ipvs_dest_equal(wanted, dest));
		else
			ck_assert(old && ipvs_dest_equal(old, dest) && (!want || !old->ours));
		/* In place: its counters go on. */
		ck_assert_uint_eq(connections_of(now, dest), old ? counted(now, dest) : 0);
	}
}

static void assert_reached(
	const struct ipvs_image *desired, const struct ipvs_image *before, const struct ipvs_image *kernel)
{
	for (uint32_t i = 0; i < kernel->n_services; i++)
		assert_entry(desired, before, &kernel->services[i]);
	for (uint32_t i = 0; i < desired->n_services; i++) {
		const struct ipvs_service *now = ipvs_image_find(kernel, &desired->services[i].key);

		ck_assert_ptr_nonnull(now);
		for (uint32_t d = 0; d < desired->services[i].n_dests; d++)
			ck_assert_ptr_nonnull(ipvs_service_find(now, &desired->services[i].dests[d].key));
	}
	for (uint32_t i = 0; i < before->n_services; i++)
		if (!before->services[i].ours)
			ck_assert_ptr_nonnull(ipvs_image_find(kernel, &before->services[i].key));
}

/* The image that the process keeps follows the kernel exactly. */
static void assert_same(const struct ipvs_image *a, const struct ipvs_image *b)
{
	ck_assert_uint_eq(a->n_services, b->n_services);
	for (uint32_t i = 0; i < a->n_services; i++) {
		const struct ipvs_service *x = &a->services[i], *y = &b->services[i];

		ck_assert_int_eq(ipvs_key_compare(&x->key, &y->key), 0);
		ck_assert(ipvs_service_equal(x, y));
		ck_assert_uint_eq(
			ipvs_service_tally(a, x)->counters.connections, ipvs_service_tally(b, y)->counters.connections);
		ck_assert_uint_eq(x->n_dests, y->n_dests);
		for (uint32_t d = 0; d < x->n_dests; d++) {
			ck_assert_int_eq(ipvs_dest_key_compare(&x->dests[d].key, &y->dests[d].key), 0);
			ck_assert(ipvs_dest_equal(&x->dests[d], &y->dests[d]));
			ck_assert_uint_eq(connections_of(x, &x->dests[d]), connections_of(y, &y->dests[d]));
		}
	}
}

START_TEST(test_random_tables)
{
	static struct ipvs_op ops[OPS];

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct ipvs_image desired = {0}, actual = {0}, before = {0}, kernel = {0};
		size_t n;

		srand(round);
		random_image(&desired, false);
		random_image(&actual, true);
		copy_image(&before, &actual);
		copy_image(&kernel, &actual);
		n = ipvs_plan(&desired, &actual, ops, OPS);
		ck_assert_uint_eq(n, needed(&desired, &before));
		ck_assert_uint_eq(ipvs_plan(&desired, &actual, NULL, 0), n);
		run_on_kernel(&desired, &actual, ops, n, &kernel);
		assert_reached(&desired, &before, &kernel);
		ck_assert_int_eq(ipvs_plan_apply(&desired, &actual, ops, n, NULL), 0);
		assert_same(&actual, &kernel);
		ck_assert_uint_eq(ipvs_plan(&desired, &actual, ops, OPS), 0);
		ck_assert_uint_eq(ipvs_plan(&desired, &desired, ops, OPS), 0);
		ipvs_image_clear(&desired);
		ipvs_image_clear(&actual);
		ipvs_image_clear(&before);
		ipvs_image_clear(&kernel);
	}
}
END_TEST

/* What was refused is planned again, and nothing else. */
START_TEST(test_refusals_are_planned_again)
{
	static struct ipvs_op ops[OPS];
	static bool refused[OPS];

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct ipvs_image desired = {0}, actual = {0};
		size_t n, missing = 0;
		uint32_t refused_service = IPVS_NO_INDEX;

		srand(round);
		random_image(&desired, false);
		random_image(&actual, true);
		n = ipvs_plan(&desired, &actual, ops, OPS);
		for (size_t i = 0; i < n; i++) {
			/* The kernel refuses the servers of a service that it refused. */
			refused[i] = random_below(3) == 0;
			if (ops[i].kind == IPVS_OP_NEW_SERVICE)
				refused_service = refused[i] ? ops[i].desired_service : IPVS_NO_INDEX;
			else if (ops[i].desired_service == refused_service)
				refused[i] = true;
			missing += refused[i];
		}
		ck_assert_int_eq(ipvs_plan_apply(&desired, &actual, ops, n, refused), 0);
		ck_assert_uint_eq(ipvs_plan(&desired, &actual, ops, OPS), missing);
		ipvs_image_clear(&desired);
		ipvs_image_clear(&actual);
	}
}
END_TEST

START_TEST(test_order_within_a_service)
{
	struct ipvs_image desired = {0}, actual = {0};
	struct ipvs_service *service;
	struct ipvs_op ops[8];
	const enum ipvs_op_kind expected[] = {
		IPVS_OP_SET_SERVICE, IPVS_OP_SET_DEST, IPVS_OP_NEW_DEST, IPVS_OP_SET_DEST, IPVS_OP_DEL_DEST};

	service = add_service(&actual, 1);
	add_dest(service, 1, 5); /* goes */
	add_dest(service, 2, 5); /* falls */
	add_dest(service, 3, 0); /* rises */
	service = add_service(&desired, 1);
	strcpy(service->scheduler, "mh");
	add_dest(service, 2, 0);
	add_dest(service, 3, 5);
	add_dest(service, 4, 5); /* comes */
	ck_assert_uint_eq(ipvs_plan(&desired, &actual, ops, 8), 5);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(ops[i].kind, expected[i]);
	ck_assert_uint_eq(ipvs_op_dest(&ops[1], &desired, &actual)->server, 3);
	ck_assert_uint_eq(ipvs_op_dest(&ops[3], &desired, &actual)->server, 2);
	ipvs_image_clear(&desired);
	ipvs_image_clear(&actual);
}
END_TEST

START_TEST(test_changed_settings_are_set_in_place)
{
	struct ipvs_image desired = {0}, actual = {0};
	struct ipvs_op ops[4];

	add_dest(add_service(&actual, 1), 1, 1);
	add_dest(add_service(&desired, 1), 1, 1);
	desired.services[0].dests[0].forward = IP_VS_CONN_F_TUNNEL;
	ck_assert_uint_eq(ipvs_plan(&desired, &actual, ops, 4), 1);
	ck_assert_int_eq(ops[0].kind, IPVS_OP_SET_DEST);
	desired.services[0].dests[0].forward = IP_VS_CONN_F_MASQ;
	strcpy(desired.services[0].scheduler, "sh");
	ck_assert_uint_eq(ipvs_plan(&desired, &actual, ops, 4), 1);
	ck_assert_int_eq(ops[0].kind, IPVS_OP_SET_SERVICE);
	ipvs_image_clear(&desired);
	ipvs_image_clear(&actual);
}
END_TEST

/* An entry that someone else made and that is now configured: nothing to send, but from now on it is ours. */
START_TEST(test_desired_foreign_entry_is_taken_over)
{
	struct ipvs_image desired = {0}, actual = {0}, nothing = {0};
	struct ipvs_op ops[4];

	add_dest(add_service(&actual, 1), 1, 1);
	actual.services[0].ours = actual.services[0].dests[0].ours = false;
	add_dest(add_service(&desired, 1), 1, 1);
	ck_assert_uint_eq(ipvs_plan(&nothing, &actual, ops, 4), 0);
	ck_assert_uint_eq(ipvs_plan(&desired, &actual, ops, 4), 0);
	ck_assert_int_eq(ipvs_plan_apply(&desired, &actual, ops, 0, NULL), 0);
	ck_assert(actual.services[0].ours && actual.services[0].dests[0].ours);
	ck_assert_uint_eq(ipvs_plan(&nothing, &actual, ops, 4), 1);
	ck_assert_int_eq(ops[0].kind, IPVS_OP_DEL_SERVICE);
	ipvs_image_clear(&desired);
	ipvs_image_clear(&actual);
}
END_TEST

/* A table is read again into the memory of the one before: nothing of that is left in it. */
START_TEST(test_an_emptied_image_is_as_good_as_a_new_one)
{
	struct ipvs_image image = {0};
	struct ipvs_service *service;

	for (unsigned round = 0; round < 3; round++) {
		ipvs_image_empty(&image);
		for (unsigned s = 0; s < 3 - round; s++) {
			service = add_service(&image, s);
			ck_assert_uint_eq(service->n_dests + service->tallies.n, 0);
			count(&image.tallies, 100 * round + s, &service->tally);
			for (unsigned d = 0; d < 2 + round; d++)
				count(&service->tallies, round + d, &add_dest(service, d, 1)->tally);
		}
		ipvs_image_sort(&image);
		ipvs_image_trim(&image);
		ck_assert_uint_eq(image.n_services, 3 - round);
		ck_assert_uint_le(image.tallies.n, image.n_services);
		for (unsigned s = 0; s < image.n_services; s++) {
			service = &image.services[s];
			ck_assert_uint_eq(ipvs_service_tally(&image, service)->counters.connections, 100 * round + s);
			ck_assert_uint_eq(service->n_dests, 2 + round);
			for (unsigned d = 0; d < service->n_dests; d++)
				ck_assert_uint_eq(connections_of(service, &service->dests[d]), round + d);
		}
	}
	ipvs_image_clear(&image);
}
END_TEST

/* Each setting of the kernel counts, each number of our own does not. */
START_TEST(test_what_is_equal)
{
	const struct ipvs_service service = {.scheduler = "wlc", .flags = IP_VS_SVC_F_PERSISTENT};
	const struct ipvs_dest dest = {.forward = IP_VS_CONN_F_TUNNEL, .weight = 1};
	struct ipvs_service s[] = {service, service, service, service, service};
	struct ipvs_dest d[] = {dest, dest, dest, dest, dest, dest, dest};

	strcpy(s[0].scheduler, "wl");
	strcpy(s[1].engine, "sip");
	s[2].flags |= IP_VS_SVC_F_ONEPACKET;
	s[3].timeout_s = 1;
	s[4].netmask = 1;
	for (int i = 0; i < 5; i++)
		ck_assert_msg(!ipvs_service_equal(&service, &s[i]), "service %d", i);
	s[0] = service;
	s[0].flags |= IP_VS_SVC_F_HASHED; /* the kernel's own */
	s[0].ours = s[0].reported = true;
	s[0].tally = 5;
	ck_assert(ipvs_service_equal(&service, &s[0]));
	d[0].forward = IP_VS_CONN_F_DROUTE;
	d[1].weight = 2;
	d[2].upper = 1;
	d[3].lower = 1;
	d[4].tunnel_type = IP_VS_CONN_F_TUNNEL_TYPE_GRE;
	d[5].tunnel_port = 1;
	d[6].tunnel_flags = 1;
	for (int i = 0; i < 7; i++)
		ck_assert_msg(!ipvs_dest_equal(&dest, &d[i]), "server %d", i);
	d[1] = d[0];
	d[1].tunnel_port = 1; /* of no meaning without a tunnel */
	d[1].tally = 9;
	d[1].ours = true;
	ck_assert(ipvs_dest_equal(&d[0], &d[1]));
}
END_TEST

START_TEST(test_first_of_equal_keys_stays)
{
	struct ipvs_image image = {0};
	struct ipvs_service *service = add_service(&image, 1);

	add_dest(service, 1, 3)->server = 9;
	add_dest(service, 2, 1);
	add_dest(service, 1, 4)->server = 2;
	/* A real server without weight, and the sorry server that it is as well. */
	add_dest(service, 3, 0)->server = 1;
	add_dest(service, 3, 1)->server = 7;
	ck_assert_uint_eq(ipvs_service_sort(service), 2);
	ck_assert_uint_eq(service->n_dests, 3);
	ck_assert_uint_eq(service->dests[0].server, 2);
	ck_assert_uint_eq(service->dests[2].server, 7);
	add_service(&image, 1)->service = 0;
	ck_assert_uint_eq(ipvs_image_sort(&image), 1);
	ck_assert_uint_eq(image.n_services, 1);
	ck_assert_uint_eq(image.services[0].service, 0);
	ipvs_image_clear(&image);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ipvs_plan");
	TCase *tc = tcase_create("plan");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, test_random_tables);
	tcase_add_test(tc, test_refusals_are_planned_again);
	tcase_add_test(tc, test_order_within_a_service);
	tcase_add_test(tc, test_changed_settings_are_set_in_place);
	tcase_add_test(tc, test_desired_foreign_entry_is_taken_over);
	tcase_add_test(tc, test_an_emptied_image_is_as_good_as_a_new_one);
	tcase_add_test(tc, test_what_is_equal);
	tcase_add_test(tc, test_first_of_equal_keys_stays);
	tcase_set_timeout(tc, 30);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
