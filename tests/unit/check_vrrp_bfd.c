/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BFD (RFC 5880): the packet, every transition of the state machine, intervals, poll sequences, detection, and two
 * machines that talk to each other over a link that loses and delays. */
#include "../../vrrp/bfd_fsm.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define MS US_PER_MS

static const struct conf_bfd usual = {
	.min_rx_us = 10 * MS, .min_tx_us = 20 * MS, .idle_tx_us = US_PER_S, .multiplier = 5, .ttl = 255};

static struct mono at(int64_t us)
{
	return (struct mono){1000 * US_PER_S + us};
}

static struct bfd_session started(const struct conf_bfd *conf)
{
	struct bfd_session s;
	struct bfd_event event = {.kind = BFD_EVENT_START, .now = at(0), .discriminator = 11};
	struct bfd_actions actions = bfd_fsm(conf, &s, &event);

	ck_assert_int_eq(actions.send, !conf->passive);
	ck_assert_int_eq(s.state, BFD_DOWN);
	return s;
}

/* What a usual neighbour says in this state. */
static struct bfd_packet packet(enum bfd_state state)
{
	return (struct bfd_packet){.state = state,
		.multiplier = 3,
		.my_discriminator = 22,
		.your_discriminator = 11,
		.min_tx_us = 50 * MS,
		.min_rx_us = 40 * MS};
}

static struct bfd_actions hear(
	const struct conf_bfd *conf, struct bfd_session *s, const struct bfd_packet *p, int64_t now_us)
{
	struct bfd_event event = {.kind = BFD_EVENT_PACKET, .now = at(now_us), .packet = p};

	return bfd_fsm(conf, s, &event);
}

static struct bfd_actions tick(const struct conf_bfd *conf, struct bfd_session *s, int64_t now_us)
{
	struct bfd_event event = {.kind = BFD_EVENT_TIMER, .now = at(now_us)};

	return bfd_fsm(conf, s, &event);
}

static struct bfd_session up(const struct conf_bfd *conf)
{
	struct bfd_session s = started(conf);
	struct bfd_packet p = packet(BFD_INIT);

	ck_assert(hear(conf, &s, &p, 0).is_changed);
	ck_assert_int_eq(s.state, BFD_UP);
	return s;
}

/* RFC 5880, 6.2, figure: state, what is heard, new state. */
START_TEST(test_every_transition)
{
	static const enum bfd_state expected[3][4] = {
		/* heard: ADMIN_DOWN, DOWN, INIT, UP */
		{BFD_DOWN, BFD_INIT, BFD_UP, BFD_DOWN}, /* DOWN */
		{BFD_DOWN, BFD_INIT, BFD_UP, BFD_UP},   /* INIT */
		{BFD_DOWN, BFD_DOWN, BFD_UP, BFD_UP},   /* UP */
	};

	for (uint32_t from = BFD_DOWN; from <= BFD_UP; from++) {
		for (uint32_t heard = BFD_ADMIN_DOWN; heard <= BFD_UP; heard++) {
			struct bfd_session s = started(&usual);
			struct bfd_packet p = packet(heard);
			struct bfd_actions actions;

			s.state = from;
			actions = hear(&usual, &s, &p, 0);
			ck_assert_msg(s.state == (uint32_t)expected[from - BFD_DOWN][heard], "%u hears %u: %u", from,
				heard, s.state);
			ck_assert_int_eq(actions.is_changed, s.state != from);
			/* A change is told at once (6.8.7). */
			ck_assert_int_eq(actions.send, s.state != from);
			if (actions.is_changed)
				ck_assert_int_eq(actions.from, from);
			if (s.state == BFD_DOWN && from != BFD_DOWN)
				ck_assert_int_eq(s.diagnostic, BFD_DIAG_NEIGHBOR);
		}
	}
}
END_TEST

START_TEST(test_who_is_closed_stays_closed)
{
	struct bfd_session s = up(&usual);
	struct bfd_event stop = {.kind = BFD_EVENT_STOP, .now = at(5)};
	struct bfd_packet p = packet(BFD_UP), own;

	ck_assert(bfd_fsm(&usual, &s, &stop).send);
	own = bfd_packet_of(&usual, &s, false);
	ck_assert(own.state == BFD_ADMIN_DOWN && own.diagnostic == BFD_DIAG_ADMIN);
	ck_assert(!mono_is_set(bfd_deadline(&s)));
	ck_assert(!hear(&usual, &s, &p, 10).is_changed);
	ck_assert_int_eq(s.state, BFD_ADMIN_DOWN);
}
END_TEST

/* 6.8.4: the neighbour's multiplier times the slower of what it sends and what we can take. */
START_TEST(test_detection)
{
	struct bfd_session s = up(&usual);
	struct bfd_packet p = packet(BFD_UP);

	ck_assert_int_eq(bfd_detection_us(&s), 3 * 50 * MS);
	hear(&usual, &s, &p, 1000);
	ck_assert(!tick(&usual, &s, 1000 + 150 * MS - 1).is_changed);
	ck_assert(tick(&usual, &s, 1000 + 150 * MS).is_changed);
	ck_assert_int_eq(s.state, BFD_DOWN);
	ck_assert_int_eq(s.diagnostic, BFD_DIAG_EXPIRED);
	/* It is forgotten, and told of the end without its discriminator. */
	ck_assert_int_eq(bfd_packet_of(&usual, &s, false).your_discriminator, 0);
	ck_assert_int_eq(s.desired_tx_us, US_PER_S);
	p.min_tx_us = 1;
	s = up(&usual);
	hear(&usual, &s, &p, 0);
	ck_assert_int_eq(bfd_detection_us(&s), 3 * 10 * MS);
}
END_TEST

/* 6.8.7: from 75 to 100 % of the slower of what we wish and what the neighbour can take; 90 % with a multiplier of 1.
 */
START_TEST(test_intervals_are_spread)
{
	struct conf_bfd one = usual;
	int64_t least = INT64_MAX, most = 0, most_of_one = 0;

	one.multiplier = 1;
	for (uint32_t chance = 0; chance < 200000; chance += 7) {
		struct bfd_session s = up(&usual), t = up(&one);
		struct bfd_event event = {.kind = BFD_EVENT_TIMER, .now = s.send_at, .chance = chance};
		int64_t gap;

		ck_assert(bfd_fsm(&usual, &s, &event).send);
		gap = mono_diff_us(s.send_at, event.now);
		least = gap < least ? gap : least;
		most = gap > most ? gap : most;
		event.now = t.send_at;
		bfd_fsm(&one, &t, &event);
		gap = mono_diff_us(t.send_at, event.now);
		most_of_one = gap > most_of_one ? gap : most_of_one;
	}
	ck_assert_int_eq(least, 30 * MS);
	ck_assert_int_eq(most, 40 * MS);
	ck_assert(most_of_one <= 36 * MS && most_of_one > 36 * MS - 20);
}
END_TEST

START_TEST(test_slow_until_it_is_up)
{
	struct conf_bfd slow = usual;
	struct bfd_session s = started(&usual);

	ck_assert_int_eq(s.desired_tx_us, US_PER_S);
	ck_assert_int_eq(bfd_interval_us(&s), US_PER_S);
	slow.idle_tx_us = 5 * US_PER_S;
	s = started(&slow);
	ck_assert_int_eq(s.desired_tx_us, 5 * US_PER_S);
	/* Up: fast at once, and confirmed by a poll sequence. */
	s = up(&usual);
	ck_assert_int_eq(bfd_interval_us(&s), 40 * MS);
	ck_assert(bfd_packet_of(&usual, &s, false).is_poll);
	ck_assert_int_eq(bfd_packet_of(&usual, &s, false).min_tx_us, 20 * MS);
}
END_TEST

/* 6.5, 6.8.3 */
START_TEST(test_poll_sequences)
{
	struct bfd_session s = up(&usual);
	struct bfd_packet p = packet(BFD_UP);
	struct conf_bfd changed = usual;
	struct bfd_event reload = {.kind = BFD_EVENT_RELOAD, .now = at(1)};
	struct bfd_actions actions;

	ck_assert(s.is_polling);
	p.is_final = true;
	hear(&usual, &s, &p, 1);
	ck_assert(!s.is_polling);
	/* Slower sending and less patience wait for the answer. */
	changed.min_tx_us = 100 * MS;
	changed.min_rx_us = 5 * MS;
	bfd_fsm(&changed, &s, &reload);
	ck_assert(s.is_polling);
	ck_assert_int_eq(s.tx_us, 20 * MS);
	ck_assert_int_eq(s.rx_us, 10 * MS);
	ck_assert_int_eq(bfd_packet_of(&changed, &s, false).min_tx_us, 100 * MS);
	hear(&changed, &s, &p, 2);
	ck_assert_int_eq(s.tx_us, 100 * MS);
	ck_assert_int_eq(s.rx_us, 5 * MS);
	/* Faster sending and more patience do not. */
	changed.min_tx_us = 1 * MS;
	changed.min_rx_us = 500 * MS;
	bfd_fsm(&changed, &s, &reload);
	ck_assert_int_eq(s.tx_us, 1 * MS);
	ck_assert_int_eq(s.rx_us, 500 * MS);
	/* A poll of the neighbour is answered at once, and not with a poll. */
	p.is_final = false;
	p.is_poll = true;
	actions = hear(&changed, &s, &p, 3);
	ck_assert(actions.send && actions.is_final);
	ck_assert(bfd_packet_of(&changed, &s, true).is_final && !bfd_packet_of(&changed, &s, true).is_poll);
	/* A reload that changes nothing polls nothing. */
	s.is_polling = 0;
	bfd_fsm(&changed, &s, &reload);
	ck_assert(!s.is_polling);
}
END_TEST

START_TEST(test_silence)
{
	struct conf_bfd passive = usual;
	struct bfd_session s;
	struct bfd_packet p = packet(BFD_DOWN);

	/* Passive: until it is heard. */
	passive.passive = 1;
	s = started(&passive);
	ck_assert(!mono_is_set(bfd_deadline(&s)));
	ck_assert(hear(&passive, &s, &p, 1).send);
	ck_assert(mono_is_set(s.send_at));
	/* The neighbour can take nothing: only its polls are answered. */
	s = up(&usual);
	p = packet(BFD_UP);
	p.min_rx_us = 0;
	hear(&usual, &s, &p, 1);
	ck_assert(!mono_is_set(s.send_at) && mono_is_set(s.expires_at));
	p.is_poll = true;
	ck_assert(hear(&usual, &s, &p, 2).is_final);
	/* It asks for demand mode: while both are up and nothing is polled. */
	s = up(&usual);
	p = packet(BFD_UP);
	p.is_demand = true;
	hear(&usual, &s, &p, 1);
	ck_assert(mono_is_set(s.send_at));
	p.is_final = true;
	hear(&usual, &s, &p, 1);
	ck_assert(!mono_is_set(s.send_at));
}
END_TEST

START_TEST(test_resume)
{
	struct bfd_session s = up(&usual), before = s;
	struct bfd_event resume = {.kind = BFD_EVENT_RESUME, .now = at(149 * MS), .discriminator = 99};

	ck_assert(bfd_fsm(&usual, &s, &resume).send);
	ck_assert_int_eq(s.state, BFD_UP);
	ck_assert_int_eq(s.discriminator, 11);
	s = before;
	resume.now = at(150 * MS);
	bfd_fsm(&usual, &s, &resume);
	ck_assert_int_eq(s.state, BFD_DOWN);
	ck_assert_int_eq(s.discriminator, 99);
	/* What was not up begins anew. */
	s = started(&usual);
	resume.now = at(1);
	bfd_fsm(&usual, &s, &resume);
	ck_assert_int_eq(s.discriminator, 99);
}
END_TEST

/* ---- the packet ---- */

START_TEST(test_golden_packet)
{
	/* As tcpdump shows one of Debian's keepalived: down, multiplier 5, 1000 ms and 100 ms. */
	static const uint8_t golden[BFD_PACKET_SIZE] = {0x20, 0x40, 5, 24, 0xb2, 0x8d, 0x90, 0xa0, 0, 0, 0, 0, 0x00,
		0x0f, 0x42, 0x40, 0x00, 0x01, 0x86, 0xa0, 0, 0, 0, 0};
	struct bfd_packet p;
	uint8_t out[BFD_PACKET_SIZE];

	ck_assert_int_eq(bfd_packet_decode(golden, sizeof(golden), &p), BFD_DROP_NONE);
	ck_assert_int_eq(p.state, BFD_DOWN);
	ck_assert_int_eq(p.multiplier, 5);
	ck_assert_uint_eq(p.my_discriminator, 0xb28d90a0u);
	ck_assert_int_eq(p.min_tx_us, US_PER_S);
	ck_assert_int_eq(p.min_rx_us, 100 * MS);
	bfd_packet_encode(&p, out);
	ck_assert_mem_eq(out, golden, sizeof(golden));
}
END_TEST

static enum bfd_drop damaged(size_t byte, uint8_t value, size_t size)
{
	struct bfd_packet p = packet(BFD_UP), out;
	uint8_t data[32] = {0};

	bfd_packet_encode(&p, data);
	data[byte] = value;
	return bfd_packet_decode(data, size, &out);
}

START_TEST(test_damage_is_named)
{
	ck_assert_int_eq(damaged(23, 0, 24), BFD_DROP_NONE);
	ck_assert_int_eq(damaged(23, 0, 32), BFD_DROP_NONE); /* padding behind it */
	ck_assert_int_eq(damaged(23, 0, 23), BFD_DROP_LENGTH);
	ck_assert_int_eq(damaged(3, 23, 24), BFD_DROP_LENGTH);
	ck_assert_int_eq(damaged(3, 25, 24), BFD_DROP_LENGTH);
	ck_assert_int_eq(damaged(0, 0, 24), BFD_DROP_VERSION);
	ck_assert_int_eq(damaged(0, 0x40, 24), BFD_DROP_VERSION);
	ck_assert_int_eq(damaged(2, 0, 24), BFD_DROP_MULTIPLIER);
	ck_assert_int_eq(damaged(1, 0xc1, 24), BFD_DROP_MULTIPOINT);
	ck_assert_int_eq(damaged(7, 0, 24), BFD_DROP_DISCRIMINATOR);
	ck_assert_int_eq(damaged(11, 0, 24), BFD_DROP_STATE);
	ck_assert_int_eq(damaged(1, 0xc4, 24), BFD_DROP_LENGTH); /* authenticated ones are longer */
	for (int drop = BFD_DROP_NONE; drop < BFD_DROP_COUNT; drop++)
		ck_assert_int_gt(strlen(bfd_drop_text(drop)), 5);
}
END_TEST

/* ---- two of them ---- */

#define WIRE 64

struct wire {
	struct bfd_packet packets[WIRE];
	int64_t arrive_us[WIRE];
	int n;
};

static void put(struct wire *wire, const struct bfd_packet *p, int64_t at_us)
{
	uint8_t data[BFD_PACKET_SIZE];

	ck_assert_int_lt(wire->n, WIRE);
	/* A link does not change the order. */
	if (wire->n > 0 && at_us < wire->arrive_us[wire->n - 1])
		at_us = wire->arrive_us[wire->n - 1];
	bfd_packet_encode(p, data);
	ck_assert_int_eq(bfd_packet_decode(data, sizeof(data), &wire->packets[wire->n]), BFD_DROP_NONE);
	wire->arrive_us[wire->n++] = at_us;
}

struct pair {
	struct conf_bfd conf[2];
	struct bfd_session session[2];
	struct wire wire[2]; /* towards each */
	int loss_percent, ups[2], downs[2];
	bool is_cut;
};

static void step(struct pair *p, int i, struct bfd_event *event, int64_t now)
{
	struct bfd_actions actions;
	struct bfd_packet out;

	event->now = at(now);
	event->chance = (uint32_t)rand();
	actions = bfd_fsm(&p->conf[i], &p->session[i], event);
	if (actions.is_changed) {
		p->ups[i] += p->session[i].state == BFD_UP;
		p->downs[i] += actions.from == BFD_UP;
	}
	if (!actions.send || p->is_cut || rand() % 100 < p->loss_percent)
		return;
	out = bfd_packet_of(&p->conf[i], &p->session[i], actions.is_final);
	put(&p->wire[!i], &out, now + rand() % (3 * MS));
}

static void run(struct pair *p, int64_t from_us, int64_t to_us)
{
	for (int64_t now = from_us; now < to_us; now += MS / 2) {
		for (int i = 0; i < 2; i++) {
			struct wire *in = &p->wire[i];
			struct bfd_event timer = {.kind = BFD_EVENT_TIMER};

			while (in->n > 0 && in->arrive_us[0] <= now) {
				struct bfd_packet heard = in->packets[0];
				struct bfd_event event = {.kind = BFD_EVENT_PACKET, .packet = &heard};

				in->n--;
				memmove(in->packets, in->packets + 1, (size_t)in->n * sizeof(in->packets[0]));
				memmove(in->arrive_us, in->arrive_us + 1, (size_t)in->n * sizeof(in->arrive_us[0]));
				step(p, i, &event, now);
			}
			step(p, i, &timer, now);
			/* A deadline never lies in the past when everything that was due has been done. */
			ck_assert(!mono_is_set(bfd_deadline(&p->session[i])) ||
				  mono_before(at(now), bfd_deadline(&p->session[i])));
		}
	}
}

START_TEST(test_two_find_and_lose_each_other)
{
	for (int seed = 0; seed < 40; seed++) {
		struct pair p = {.conf = {usual, usual}, .loss_percent = seed % 4 * 5};

		srand((unsigned)seed);
		p.conf[0].min_tx_us = (1 + seed % 5) * 10 * MS;
		p.conf[1].passive = seed % 2;
		p.conf[1].multiplier = 10;
		p.conf[0].multiplier = 10;
		p.session[0] = started(&p.conf[0]);
		p.session[1] = started(&p.conf[1]);
		p.session[1].discriminator = 12;
		run(&p, 0, 12 * US_PER_S);
		for (int i = 0; i < 2; i++) {
			ck_assert_msg(p.session[i].state == BFD_UP, "seed %d: %d is in state %u", seed, i,
				p.session[i].state);
			ck_assert_msg(p.ups[i] == 1 && p.downs[i] == 0, "seed %d: up %d times", seed, p.ups[i]);
			ck_assert_int_eq(p.session[i].is_polling, 0);
			ck_assert_int_eq(p.session[i].remote_discriminator, p.session[!i].discriminator);
		}
		p.is_cut = true;
		run(&p, 12 * US_PER_S, 14 * US_PER_S);
		ck_assert(p.session[0].state == BFD_DOWN && p.session[1].state == BFD_DOWN);
		p.is_cut = false;
		run(&p, 14 * US_PER_S, 24 * US_PER_S);
		ck_assert(p.session[0].state == BFD_UP && p.session[1].state == BFD_UP);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vrrp_bfd");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_every_transition);
	tcase_add_test(tcase, test_who_is_closed_stays_closed);
	tcase_add_test(tcase, test_detection);
	tcase_add_test(tcase, test_intervals_are_spread);
	tcase_add_test(tcase, test_slow_until_it_is_up);
	tcase_add_test(tcase, test_poll_sequences);
	tcase_add_test(tcase, test_silence);
	tcase_add_test(tcase, test_resume);
	tcase_add_test(tcase, test_golden_packet);
	tcase_add_test(tcase, test_damage_is_named);
	tcase_add_test(tcase, test_two_find_and_lose_each_other);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
