/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The MIB tables: finding cells and walking, row order, sparse columns, and the columns that monitoring made for
 * keepalived and the standards rely on, by number. */
#include "snmp_site.h"
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct site site;

static void setup(void)
{
	site_init(&site, 9);
}

static void teardown(void)
{
	site_free(&site);
}

static struct mib_snapshot snapshot_of(const struct mib *mib)
{
	struct mib_snapshot s;

	ck_assert_int_eq(mib_snapshot_init(&s, mib), 0);
	mib_snapshot_refresh(&s, &site.view, 0);
	return s;
}

#define OID(...) (&(struct mib_oid)MIB_OID(__VA_ARGS__))

/* One cell as text; "-" when there is none. */
static const char *cell(const struct mib *mib, const struct mib_oid *name)
{
	static char text[600];
	struct mib_snapshot s = snapshot_of(mib);
	struct mib_value v;
	int n = 0;

	if (!mib_get(&s, &site.view, name, &v)) {
		strcpy(text, "-");
	} else if (v.type == MIB_INTEGER) {
		snprintf(text, sizeof(text), "i %d", v.integer);
	} else if (v.type == MIB_OCTETS || v.type == MIB_IPADDRESS) {
		n = snprintf(text, sizeof(text), v.type == MIB_OCTETS ? "x " : "a ");
		for (uint32_t i = 0; i < v.length; i++)
			n += snprintf(text + n, sizeof(text) - (size_t)n, "%02X", v.octets[i]);
	} else {
		snprintf(text, sizeof(text), "%c %llu",
			v.type == MIB_UNSIGNED    ? 'u'
			: v.type == MIB_COUNTER32 ? 'c'
			: v.type == MIB_COUNTER64 ? 'C'
						  : 't',
			(unsigned long long)v.number);
	}
	mib_snapshot_free(&s);
	return text;
}

static const char *text_cell(const struct mib *mib, const struct mib_oid *name)
{
	static char text[MIB_OCTETS_MAX + 1];
	struct mib_snapshot s = snapshot_of(mib);
	struct mib_value v;

	ck_assert(mib_get(&s, &site.view, name, &v));
	ck_assert_int_eq(v.type, MIB_OCTETS);
	snprintf(text, sizeof(text), "%.*s", (int)v.length, (const char *)v.octets);
	mib_snapshot_free(&s);
	return text;
}

/* ---- finding and walking ---- */

/* Every cell that GET knows is met by the walk, once, in ascending order; and the other way round. */
static uint32_t walk(const struct mib *mib)
{
	struct mib_snapshot s = snapshot_of(mib);
	struct mib_oid name = mib->root, before;
	struct mib_value v, again;
	uint32_t n = 0, cells = 0;

	for (;; n++) {
		before = name;
		if (!mib_next(&s, &site.view, &name, false, &v))
			break;
		ck_assert_int_gt(mib_oid_compare(&name, &before), 0);
		ck_assert(mib_get(&s, &site.view, &name, &again));
		ck_assert_int_eq(v.type, again.type);
		ck_assert_uint_lt(n, 10000);
	}
	for (uint32_t t = 0; t < mib->n_tables; t++) {
		const struct mib_table *table = &mib->tables[t];

		for (const uint16_t *c = table->columns; *c; c++)
			for (uint32_t r = 0; r < s.rows[t].n; r++)
				cells += table->value(&site.view, &s.rows[t].row[r], *c, &v);
	}
	ck_assert_uint_eq(n, cells);
	mib_snapshot_free(&s);
	return n;
}

START_TEST(test_walks_meet_every_cell_once)
{
	ck_assert_uint_ge(walk(&mib_keepalived_global), 9);
	ck_assert_uint_ge(walk(&mib_keepalived_vrrp), 100);
	ck_assert_uint_ge(walk(&mib_keepalived_check), 120);
	ck_assert_uint_ge(walk(&mib_vrrp2), 30);
	ck_assert_uint_ge(walk(&mib_vrrp3), 70);
	ck_assert_uint_ge(walk(&mib_poise), 60);
}
END_TEST

START_TEST(test_walks_without_boards)
{
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		site.view.boards[r] = NULL;
	ck_assert_uint_ge(walk(&mib_keepalived_vrrp), 90);
	ck_assert_uint_ge(walk(&mib_keepalived_check), 100);
	ck_assert_uint_ge(walk(&mib_vrrp2), 2);
	ck_assert_uint_eq(walk(&mib_vrrp3), 4);
	ck_assert_uint_ge(walk(&mib_poise), 20);
}
END_TEST

START_TEST(test_next_from_anywhere)
{
	struct mib_snapshot s = snapshot_of(&mib_keepalived_vrrp);
	struct mib_oid name = MIB_OID(MIB_KEEPALIVED, 2, 3, 1, 4, 1);
	struct mib_value v;

	/* Inclusive: the name itself; exclusive: the next row; from a row that is not there: the one behind. */
	ck_assert(mib_next(&s, &site.view, &name, true, &v));
	ck_assert_int_eq(mib_oid_compare(&name, OID(MIB_KEEPALIVED, 2, 3, 1, 4, 1)), 0);
	ck_assert(mib_next(&s, &site.view, &name, false, &v));
	ck_assert_int_eq(mib_oid_compare(&name, OID(MIB_KEEPALIVED, 2, 3, 1, 4, 2)), 0);
	name = *OID(MIB_KEEPALIVED, 2, 3, 1, 4, 2, 7);
	ck_assert(mib_next(&s, &site.view, &name, false, &v));
	ck_assert_int_eq(mib_oid_compare(&name, OID(MIB_KEEPALIVED, 2, 3, 1, 4, 3)), 0);
	/* Behind the last row: the next column that has a value; before the first table: its first cell. */
	ck_assert(mib_next(&s, &site.view, &name, false, &v));
	ck_assert_int_eq(mib_oid_compare(&name, OID(MIB_KEEPALIVED, 2, 3, 1, 5, 1)), 0);
	name = *OID(MIB_KEEPALIVED, 2);
	ck_assert(mib_next(&s, &site.view, &name, false, &v));
	ck_assert_int_eq(mib_oid_compare(&name, OID(MIB_KEEPALIVED, 2, 1, 1, 2, 1)), 0);
	name = *OID(MIB_KEEPALIVED, 2, 99);
	ck_assert(!mib_next(&s, &site.view, &name, false, &v));
	mib_snapshot_free(&s);
}
END_TEST

START_TEST(test_get_wants_the_exact_name)
{
	ck_assert_str_eq(cell(&mib_keepalived_vrrp, OID(MIB_KEEPALIVED, 2, 3, 1, 4)), "-");
	ck_assert_str_eq(cell(&mib_keepalived_vrrp, OID(MIB_KEEPALIVED, 2, 3, 1, 4, 4)), "-");
	ck_assert_str_eq(cell(&mib_keepalived_vrrp, OID(MIB_KEEPALIVED, 2, 3, 1, 4, 1, 0)), "-");
	ck_assert_str_eq(cell(&mib_keepalived_vrrp, OID(MIB_KEEPALIVED, 2, 3, 1, 1, 1)), "-");
	ck_assert_str_eq(cell(&mib_keepalived_vrrp, OID(MIB_KEEPALIVED, 2, 3, 1)), "-");
}
END_TEST

START_TEST(test_a_snapshot_is_kept_for_its_time_and_generation)
{
	struct mib_snapshot s = snapshot_of(&mib_vrrp3);
	struct status_instance st = site_instance(&site, VI_1);
	struct mib_value v;

	st.ifindex = 77;
	site_set_instance(&site, VI_1, &st);
	site.view.now = mono_add(site.view.now, US_PER_S / 2);
	mib_snapshot_refresh(&s, &site.view, US_PER_S);
	ck_assert(!mib_get(&s, &site.view, OID(MIB_VRRP3, 1, 1, 1, 1, 6, 77, 51, 1), &v));
	site.view.now = mono_add(site.view.now, US_PER_S);
	mib_snapshot_refresh(&s, &site.view, US_PER_S);
	ck_assert(mib_get(&s, &site.view, OID(MIB_VRRP3, 1, 1, 1, 1, 6, 77, 51, 1), &v));
	mib_snapshot_free(&s);
}
END_TEST

/* ---- KEEPALIVED-MIB ---- */
#define KV(...) cell(&mib_keepalived_vrrp, OID(MIB_KEEPALIVED, __VA_ARGS__))
#define KC(...) cell(&mib_keepalived_check, OID(MIB_KEEPALIVED, __VA_ARGS__))

START_TEST(test_keepalived_instances)
{
	struct status_instance st = site_instance(&site, VI_2);

	ck_assert_str_eq(text_cell(&mib_keepalived_vrrp, OID(MIB_KEEPALIVED, 2, 3, 1, 2, 2)), "VI_2");
	ck_assert_str_eq(KV(2, 3, 1, 3, 1), "u 51");
	ck_assert_str_eq(KV(2, 3, 1, 4, 1), "i 2");
	ck_assert_str_eq(KV(2, 3, 1, 5, 1), "i 1");
	ck_assert_str_eq(KV(2, 3, 1, 6, 1), "i 2");
	ck_assert_str_eq(KV(2, 3, 1, 7, 3), "i 100");
	ck_assert_str_eq(KV(2, 3, 1, 8, 3), "i 102");
	ck_assert_str_eq(KV(2, 3, 1, 9, 1), "i 1");
	ck_assert_str_eq(text_cell(&mib_keepalived_vrrp, OID(MIB_KEEPALIVED, 2, 3, 1, 10, 1)), "eth0");
	ck_assert_str_eq(KV(2, 3, 1, 12, 1), "u 1");  /* seconds */
	ck_assert_str_eq(KV(2, 3, 1, 12, 2), "u 50"); /* centiseconds */
	ck_assert_str_eq(KV(2, 3, 1, 13, 1), "i 1");
	ck_assert_str_eq(KV(2, 3, 1, 15, 1), "i 1");
	ck_assert_str_eq(KV(2, 3, 1, 18, 3), "-"); /* in no group */
	ck_assert_str_eq(text_cell(&mib_keepalived_vrrp, OID(MIB_KEEPALIVED, 2, 3, 1, 18, 1)), "SG1");
	ck_assert_str_eq(KV(2, 3, 1, 22, 1), "-"); /* no script */
	ck_assert_str_eq(KV(2, 3, 1, 27, 1), "i 0");
	ck_assert_str_eq(KV(2, 3, 1, 27, 2), "i 1");
	ck_assert_str_eq(KV(2, 3, 1, 30, 1), "i 2");
	ck_assert_str_eq(KV(2, 3, 1, 35, 3), "x FF020000000000000000000000000012");
	/* A fault differs from what is wanted: templates alarm on that. */
	st.state = VRRP_FAULT;
	site_set_instance(&site, VI_2, &st);
	ck_assert_str_eq(KV(2, 3, 1, 4, 2), "i 3");
	ck_assert_str_eq(KV(2, 3, 1, 6, 2), "i 1");
}
END_TEST

START_TEST(test_keepalived_addresses_and_groups)
{
	struct status_address st = {.is_set = 0};

	ck_assert_str_eq(KV(2, 6, 1, 3, 1, 1), "x 0A4D0033");
	ck_assert_str_eq(KV(2, 6, 1, 3, 1, 2), "x 0A4D0032");
	ck_assert_str_eq(KV(2, 6, 1, 2, 3, 1), "i 2");
	ck_assert_str_eq(KV(2, 6, 1, 4, 1, 1), "x 00000000");
	ck_assert_str_eq(KV(2, 6, 1, 4, 3, 1), "-");
	ck_assert_str_eq(KV(2, 6, 1, 5, 1, 1), "u 24");
	ck_assert_str_eq(KV(2, 6, 1, 6, 1, 1), "i 14");
	ck_assert_str_eq(KV(2, 6, 1, 7, 1, 1), "i 10");
	ck_assert_str_eq(KV(2, 6, 1, 10, 1, 1), "i 1");
	ck_assert_str_eq(KV(2, 6, 1, 11, 3, 1), "i 1");
	ck_assert_str_eq(KV(2, 6, 1, 11, 3, 2), "i 2"); /* excluded */
	board_store(site.boards[ROLE_VRRP], VRRP_TABLE_ADDRESS, 1, &st, sizeof(st));
	ck_assert_str_eq(KV(2, 6, 1, 10, 1, 2), "i 2");
	ck_assert_str_eq(KV(2, 3, 1, 9, 1), "i 2"); /* not all are set */
	ck_assert_str_eq(KV(2, 1, 1, 3, 1), "i 2");
	ck_assert_str_eq(text_cell(&mib_keepalived_vrrp, OID(MIB_KEEPALIVED, 2, 2, 1, 2, 1, 2)), "VI_2");
}
END_TEST

START_TEST(test_keepalived_services)
{
	ck_assert_str_eq(KC(3, 3, 1, 2, 1), "i 2");
	ck_assert_str_eq(KC(3, 3, 1, 2, 2), "i 1");
	ck_assert_str_eq(KC(3, 3, 1, 2, 3), "i 3");
	ck_assert_str_eq(text_cell(&mib_keepalived_check, OID(MIB_KEEPALIVED, 3, 3, 1, 3, 3)), "pool");
	ck_assert_str_eq(KC(3, 3, 1, 4, 1), "-");
	ck_assert_str_eq(KC(3, 3, 1, 4, 2), "u 5");
	ck_assert_str_eq(KC(3, 3, 1, 6, 1), "x 0A4D0033");
	ck_assert_str_eq(KC(3, 3, 1, 6, 2), "-");
	ck_assert_str_eq(KC(3, 3, 1, 7, 1), "u 80");
	ck_assert_str_eq(KC(3, 3, 1, 8, 1), "i 1");
	ck_assert_str_eq(KC(3, 3, 1, 8, 2), "-");
	ck_assert_str_eq(KC(3, 3, 1, 8, 3), "i 2");
	ck_assert_str_eq(KC(3, 3, 1, 9, 1), "i 4");
	ck_assert_str_eq(KC(3, 3, 1, 10, 1), "i 2");
	ck_assert_str_eq(KC(3, 3, 1, 11, 1), "i 1");
	ck_assert_str_eq(KC(3, 3, 1, 20, 1), "u 2"); /* without the sorry server */
	ck_assert_str_eq(KC(3, 3, 1, 21, 1), "u 2");
	ck_assert_str_eq(KC(3, 3, 1, 23, 1), "i 1");
	ck_assert_str_eq(KC(3, 3, 1, 28, 1), "c 2");
	ck_assert_str_eq(KC(3, 3, 1, 31, 1), "C 6000000000");
	ck_assert_str_eq(KC(3, 3, 1, 27, 1), "u 4294967295"); /* sticks: it is a gauge */
	ck_assert_str_eq(KC(3, 3, 1, 38, 1), "C 5000000000");
	ck_assert_str_eq(KC(3, 3, 1, 40, 1), "C 3");
	/* 6,000,000,007 connections a second, in three forms */
	ck_assert_str_eq(KC(3, 3, 1, 32, 1), "u 4294967295");
	ck_assert_str_eq(KC(3, 3, 1, 41, 1), "u 1705032711");
	ck_assert_str_eq(KC(3, 3, 1, 42, 1), "u 1");
	ck_assert_str_eq(KC(3, 3, 1, 74, 1), "C 6000000007");
	ck_assert_str_eq(KC(3, 3, 1, 36, 1), "u 4");
	ck_assert_str_eq(KC(3, 3, 1, 50, 1), "u 0");
	ck_assert_str_eq(KC(3, 3, 1, 16, 1), "u 6"); /* of the first server's first check */
	ck_assert_str_eq(KC(3, 3, 1, 16, 2), "-");
	ck_assert_str_eq(KC(3, 6, 1, 0), "i 1");
	ck_assert_str_eq(KC(3, 6, 4, 0), "i 7");
	site_set_health(&site, RS_B, HEALTH_DOWN);
	ck_assert_str_eq(KC(3, 3, 1, 21, 1), "u 1");
	ck_assert_str_eq(KC(3, 2, 1, 2, 1, 1), "i 3");
	ck_assert_str_eq(KC(3, 2, 1, 5, 1, 1), "-");
	ck_assert_str_eq(KC(3, 2, 1, 7, 1, 1), "x 0A4D003F");
	ck_assert_str_eq(KC(3, 2, 1, 8, 1, 1), "u 53");
}
END_TEST

/* The sorry server is row 1 and has no state: readers skip it by that. */
START_TEST(test_keepalived_servers)
{
	site_set_health(&site, RS_A, HEALTH_DOWN);
	ck_assert_str_eq(KC(3, 4, 1, 2, 1, 1), "i 2");
	ck_assert_str_eq(KC(3, 4, 1, 4, 1, 1), "x 0A580063");
	ck_assert_str_eq(KC(3, 4, 1, 6, 1, 1), "-");
	ck_assert_str_eq(KC(3, 4, 1, 7, 1, 1), "-");
	ck_assert_str_eq(KC(3, 4, 1, 13, 1, 1), "-");
	ck_assert_str_eq(KC(3, 4, 1, 2, 1, 2), "i 1");
	ck_assert_str_eq(KC(3, 4, 1, 4, 1, 2), "x 0A58000B");
	ck_assert_str_eq(KC(3, 4, 1, 5, 1, 2), "u 80");
	ck_assert_str_eq(KC(3, 4, 1, 6, 1, 2), "i 2");
	ck_assert_str_eq(KC(3, 4, 1, 6, 1, 3), "i 1");
	ck_assert_str_eq(KC(3, 4, 1, 7, 1, 3), "i 2"); /* the effective weight */
	ck_assert_str_eq(KC(3, 4, 1, 10, 1, 3), "i 1");
	ck_assert_str_eq(KC(3, 4, 1, 15, 1, 3), "u 12");
	ck_assert_str_eq(KC(3, 4, 1, 16, 1, 3), "u 20");
	ck_assert_str_eq(KC(3, 4, 1, 23, 1, 3), "u 9");
	ck_assert_str_eq(KC(3, 4, 1, 32, 1, 3), "u 9");
	ck_assert_str_eq(KC(3, 4, 1, 59, 1, 3), "C 9");
	ck_assert_str_eq(KC(3, 4, 1, 46, 1, 2), "u 6");
	ck_assert_str_eq(KC(3, 4, 1, 50, 1, 2), "u 6000000");
	ck_assert_str_eq(KC(3, 4, 1, 46, 1, 3), "-");         /* without checks */
	ck_assert_str_eq(KC(3, 4, 1, 4, 2, 1), "x 0A58000D"); /* no sorry server: regular ones from 1 */
	site.view.boards[ROLE_IPVS] = NULL;
	ck_assert_str_eq(KC(3, 4, 1, 7, 1, 3), "i 3"); /* not in the kernel yet: as configured */
}
END_TEST

/* ---- the standards ---- */
#define V2C(...) cell(&mib_vrrp2, OID(MIB_VRRP2, __VA_ARGS__))
#define V3C(...) cell(&mib_vrrp3, OID(MIB_VRRP3, __VA_ARGS__))

START_TEST(test_vrrp_mib_2)
{
	ck_assert_str_eq(V2C(1, 1, 0), "i 2");
	ck_assert_str_eq(V2C(1, 3, 1, 2, 10, 51), "x 00005E000133");
	ck_assert_str_eq(V2C(1, 3, 1, 3, 10, 51), "i 3");
	ck_assert_str_eq(V2C(1, 3, 1, 5, 10, 51), "i 100");
	ck_assert_str_eq(V2C(1, 3, 1, 7, 10, 51), "a 0A4D0001");
	ck_assert_str_eq(V2C(1, 3, 1, 9, 10, 51), "i 2");
	ck_assert_str_eq(V2C(1, 3, 1, 13, 10, 51), "t 98300"); /* up for 17 s of the agent's 1000 s */
	ck_assert_str_eq(V2C(1, 3, 1, 3, 10, 52), "-");        /* version 3 */
	ck_assert_str_eq(V2C(1, 4, 1, 2, 10, 51, 10, 77, 0, 50), "i 1");
	ck_assert_str_eq(V2C(2, 1, 0), "c 6"); /* checksum errors of all instances */
	ck_assert_str_eq(V2C(2, 4, 1, 2, 10, 51), "c 7");
}
END_TEST

START_TEST(test_vrrp_mib_3)
{
	struct status_instance st = site_instance(&site, VI_1);

	ck_assert_str_eq(V3C(1, 1, 1, 1, 3, 10, 52, 1), "x 0A4D0001");
	ck_assert_str_eq(V3C(1, 1, 1, 1, 5, 10, 61, 2), "x 00005E00023D");
	ck_assert_str_eq(V3C(1, 1, 1, 1, 6, 10, 51, 1), "i 3");
	ck_assert_str_eq(V3C(1, 1, 1, 1, 7, 10, 61, 2), "u 102");
	ck_assert_str_eq(V3C(1, 1, 1, 1, 8, 10, 61, 2), "i 1");
	ck_assert_str_eq(V3C(1, 1, 1, 1, 9, 10, 52, 1), "i 50");
	ck_assert_str_eq(V3C(1, 1, 1, 1, 12, 10, 52, 1), "t 1700");
	/* The length stands before an address in an index. */
	ck_assert_str_eq(V3C(1, 1, 2, 1, 2, 10, 51, 1, 4, 10, 77, 0, 50), "i 1");
	ck_assert_str_eq(V3C(1, 1, 2, 1, 2, 10, 61, 2, 16, 254, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 97), "i 1");
	ck_assert_str_eq(V3C(1, 2, 1, 0), "C 6");
	ck_assert_str_eq(V3C(1, 2, 5, 1, 1, 10, 51, 1), "c 1");
	ck_assert_str_eq(V3C(1, 2, 5, 1, 2, 10, 51, 1), "i 3");
	ck_assert_str_eq(V3C(1, 2, 5, 1, 3, 10, 61, 2), "C 9");
	ck_assert_str_eq(V3C(1, 2, 5, 1, 13, 10, 52, 1), "u 500");
	st.state = VRRP_FAULT; /* unknown there: initialize */
	site_set_instance(&site, VI_1, &st);
	ck_assert_str_eq(V3C(1, 1, 1, 1, 6, 10, 51, 1), "i 1");
	ck_assert_str_eq(V3C(1, 1, 1, 1, 12, 10, 51, 1), "t 0");
}
END_TEST

START_TEST(test_poise_mib)
{
	ck_assert_str_eq(text_cell(&mib_poise, OID(MIB_POISE, 1, 3, 1, 9, 1)), "nobody else");
	ck_assert_str_eq(cell(&mib_poise, OID(MIB_POISE, 1, 3, 1, 5, 1)), "i 3");
	ck_assert_str_eq(text_cell(&mib_poise, OID(MIB_POISE, 1, 5, 1, 2, 2)), "fwmark 5");
	ck_assert_str_eq(cell(&mib_poise, OID(MIB_POISE, 1, 6, 1, 6, 1, 2)), "i 2");
	ck_assert_str_eq(cell(&mib_poise, OID(MIB_POISE, 1, 6, 1, 9, 1, 2)), "i 2");
}
END_TEST

#define PC(...) cell(&mib_poise, OID(MIB_POISE, __VA_ARGS__))
#define PT(...) text_cell(&mib_poise, OID(MIB_POISE, __VA_ARGS__))

START_TEST(test_counters_of_64_bits)
{
	char connections[32];

	ck_assert_str_eq(PC(1, 5, 1, 10, 1), "C 5000000000");
	ck_assert_str_eq(PC(1, 5, 1, 12, 1), "C 6000000000");
	snprintf(connections, sizeof(connections), "C %llu", 7000000001ULL + RS_A);
	ck_assert_str_eq(PC(1, 6, 1, 14, 1, 1), connections);
	ck_assert_str_eq(PC(1, 6, 1, 17, 1, 1), "C 7000000004");
	ck_assert_str_eq(PC(1, 6, 1, 18, 1, 1), "C 7000000005");
	ck_assert_str_eq(KC(3, 4, 1, 27, 1, 2), connections);
	ck_assert_str_eq(KC(3, 4, 1, 28, 1, 2), "C 7000000002");
	ck_assert_str_eq(KC(3, 4, 1, 29, 1, 2), "C 7000000003");
	ck_assert_str_eq(KC(3, 4, 1, 20, 1, 2), "C 7000000004");
	ck_assert_str_eq(KC(3, 4, 1, 21, 1, 2), "C 7000000005");
	ck_assert_str_eq(KC(3, 4, 1, 18, 1, 2), "c 2705032706"); /* wraps, as a counter of 32 bits does */
}
END_TEST

START_TEST(test_poise_checks_and_drains)
{
	ck_assert_str_eq(PC(1, 8, 1, 4, 1, 1, 1), "i 1");
	ck_assert_str_eq(PC(1, 8, 1, 4, 1, 1, 2), "i 2");
	ck_assert_str_eq(PC(1, 8, 1, 5, 1, 1, 1), "i 1"); /* never ran */
	ck_assert_str_eq(PC(1, 8, 1, 5, 1, 1, 2), "i 2");
	ck_assert_str_eq(PC(1, 8, 1, 8, 1, 1, 2), "C 9");
	ck_assert_str_eq(PC(1, 8, 1, 11, 1, 1, 1), "-");
	ck_assert_str_eq(PC(1, 8, 1, 11, 1, 1, 2), "u 30");
	ck_assert_str_eq(PT(1, 8, 1, 14, 1, 1, 2), "connected");
	ck_assert_str_eq(PC(1, 8, 1, 4, 1, 2, 1), "-"); /* RS_B has no checks */
	/* Only who is drained has a row. */
	ck_assert_str_eq(PC(1, 9, 1, 1, 1, 1), "-");
	ck_assert_str_eq(PC(1, 9, 1, 1, 1, 2), "i 2");
	ck_assert_str_eq(PC(1, 9, 1, 3, 1, 2), "-"); /* without an end */
	ck_assert_str_eq(PC(1, 9, 1, 4, 1, 2), "i 2");
	ck_assert_str_eq(PC(1, 9, 1, 5, 1, 2), "u 32");
	ck_assert_str_eq(PT(1, 9, 1, 9, 1, 2), "drained by root");
}
END_TEST

START_TEST(test_poise_work)
{
	ck_assert_str_eq(PT(1, 10, 1, 0), "eth1");
	ck_assert_str_eq(PC(1, 10, 2, 0), "u 7");
	ck_assert_str_eq(PC(1, 10, 4, 0), "i 1");
	ck_assert_str_eq(PC(1, 10, 5, 0), "u 40");
	ck_assert_str_eq(PC(1, 10, 11, 0), "-"); /* never sent */
	ck_assert_str_eq(PC(1, 13, 2, 0), "C 1000");
	ck_assert_str_eq(PC(1, 14, 1, 3, 1), "x C0000209");
	ck_assert_str_eq(PC(1, 14, 1, 5, 1), "i 1");
	ck_assert_str_eq(PC(1, 14, 1, 7, 1), "i 3");
	ck_assert_str_eq(PC(1, 14, 1, 9, 1), "C 4");
}
END_TEST

/* ---- values ---- */
START_TEST(test_values_stay_in_their_type)
{
	struct mib_value v;
	char text[400];

	mib_integer(&v, INT64_MAX);
	ck_assert_int_eq(v.integer, INT32_MAX);
	mib_counter32(&v, 0x100000007ULL);
	ck_assert_uint_eq(v.number, 7);
	mib_timeticks(&v, -5);
	ck_assert_uint_eq(v.number, 0);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	mib_text(&v, text);
	ck_assert_uint_eq(v.length, MIB_OCTETS_MAX);
	ck_assert(!mib_date(&v, 0));
	ck_assert(!mib_inet_address(&v, &(struct addr){0}));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("snmp tables");
	TCase *tc = tcase_create("tables");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_walks_meet_every_cell_once);
	tcase_add_test(tc, test_walks_without_boards);
	tcase_add_test(tc, test_next_from_anywhere);
	tcase_add_test(tc, test_get_wants_the_exact_name);
	tcase_add_test(tc, test_a_snapshot_is_kept_for_its_time_and_generation);
	tcase_add_test(tc, test_keepalived_instances);
	tcase_add_test(tc, test_keepalived_addresses_and_groups);
	tcase_add_test(tc, test_keepalived_services);
	tcase_add_test(tc, test_keepalived_servers);
	tcase_add_test(tc, test_vrrp_mib_2);
	tcase_add_test(tc, test_vrrp_mib_3);
	tcase_add_test(tc, test_poise_mib);
	tcase_add_test(tc, test_counters_of_64_bits);
	tcase_add_test(tc, test_poise_checks_and_drains);
	tcase_add_test(tc, test_poise_work);
	tcase_add_test(tc, test_values_stay_in_their_type);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
