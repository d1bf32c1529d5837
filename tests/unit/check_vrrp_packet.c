/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Advertisements as bytes: real frames decoded and written again byte for byte, every rule that drops a packet, and
 * packets that are cut or damaged everywhere. */
#include "../../vrrp/vrrp_checksum.h"
#include "../../vrrp/vrrp_packet.h"
#include "vrrp_fixture.h"
#include "vrrp_frames.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define REAL_NOW_US(seconds) ((seconds)*US_PER_S)
#define IP4 20

struct frame {
	uint8_t bytes[2048];
	size_t size;
};

static struct frame from_hex(const char *hex)
{
	struct frame frame = {.size = strlen(hex) / 2};
	unsigned x;

	for (size_t i = 0; i < frame.size; i++) {
		ck_assert_int_eq(sscanf(hex + 2 * i, "%2x", &x), 1);
		frame.bytes[i] = (uint8_t)x;
	}
	return frame;
}

/* What a socket would give of a frame: IPv4 with its header, IPv6 as payload with ancillary data. */
static struct vrrp_received received(const struct frame *frame)
{
	const uint8_t *ip = frame->bytes + 14;
	struct vrrp_received rx = {.family = frame->bytes[12] == 0x08 ? AF_INET : AF_INET6, .protocol = VRRP_PROTOCOL};

	rx.data = ip;
	rx.size = frame->size - 14;
	rx.hop_limit = -1;
	if (rx.family == AF_INET)
		return rx;
	rx.hop_limit = ip[7];
	rx.source = addr_from_bytes(AF_INET6, ip + 8);
	rx.destination = addr_from_bytes(AF_INET6, ip + 24);
	rx.data += 40;
	rx.size -= 40;
	return rx;
}

struct rig {
	struct fixture f;
	struct conf_hmac_key key;
	struct vrrp_hmac_policy policy;
	struct vrrp_hmac_marks marks;
	struct vrrp_receiver receiver;
	struct frame frame;
	struct vrrp_received rx;
	struct vrrp_advert advert;
};

static void rig_policy(struct rig *r)
{
	r->key = (struct conf_hmac_key){.id = 1, .length = 32};
	for (uint8_t i = 0; i < 32; i++)
		r->key.bytes[i] = i;
	r->policy = (struct vrrp_hmac_policy){.window_s = 5, .active = &r->key, .keys = &r->key, .n_keys = 1};
}

static void rig_time(struct rig *r, int64_t seconds)
{
	r->receiver.time.kept_us = r->receiver.time.wall_us = REAL_NOW_US(seconds);
}

static void rig_init(struct rig *r, uint8_t version, const char *hex)
{
	memset(r, 0, sizeof(*r));
	r->frame = from_hex(hex);
	r->rx = received(&r->frame);
	fixture_init(&r->f, version, r->rx.family);
	rig_policy(r);
	r->receiver.conf = &r->f.conf;
	r->receiver.instance = &r->f.instance;
	r->receiver.self = fixture_addr(r->rx.family == AF_INET ? "192.0.2.2" : "fe80::2");
	rig_time(r, 0x6affec8eLL);
}

static enum vrrp_drop rig_decode(struct rig *r)
{
	return vrrp_packet_decode(&r->receiver, &r->rx, &r->advert);
}

static uint8_t *rig_message(struct rig *r)
{
	return r->rx.family == AF_INET ? r->frame.bytes + 14 + IP4 : r->frame.bytes + 54;
}

/* After a change that is not what the test is about. */
static void rig_sum(struct rig *r)
{
	uint8_t *m = rig_message(r);
	size_t size = r->rx.family == AF_INET ? r->rx.size - IP4 : r->rx.size;
	uint32_t sum = r->rx.family == AF_INET
			       ? 0
			       : vrrp_sum_pseudo(0, &r->rx.source, &r->rx.destination, VRRP_PROTOCOL, size);
	uint16_t checksum;

	m[6] = m[7] = 0;
	checksum = vrrp_sum_finish(vrrp_sum_bytes(sum, m, size));
	m[6] = (uint8_t)(checksum >> 8);
	m[7] = (uint8_t)checksum;
}

#define assert_drop(r, drop) ck_assert_str_eq(vrrp_drop_name(rig_decode(r)), vrrp_drop_name(drop))

/* ---- real frames ---- */

struct golden {
	const char *name, *hex;
	uint8_t version, priority, checksum;
	int64_t advert_us;
	uint8_t auth;
	const char *password, *peer;
	bool is_signed, is_other; /* is_other: another implementation's header, so not written again */
	const char *address[3];
	uint8_t ttl, message_only;
	const char *source; /* default the multicast one */
};

static const struct golden goldens[] = {
	{.name = "v2", .hex = FRAME_V2_NONE_IP4, .version = 2, .priority = 100},
	{.name = "v2 leaving", .hex = FRAME_V2_NONE_IP4_PRIO0, .version = 2},
	{.name = "v2 pass",
		.hex = FRAME_V2_PASS_IP4,
		.version = 2,
		.priority = 100,
		.auth = CONF_AUTH_PASS,
		.password = "s3cret"},
	{.name = "v2 pass 8",
		.hex = FRAME_V2_PASS_IP4_8,
		.version = 2,
		.priority = 100,
		.auth = CONF_AUTH_PASS,
		.password = "s3cretpw"},
	{.name = "v2 ah",
		.hex = FRAME_V2_AH_IP4,
		.version = 2,
		.priority = 100,
		.auth = CONF_AUTH_AH,
		.password = "s3cret"},
	{.name = "v2 ah leaving",
		.hex = FRAME_V2_AH_IP4_PRIO0,
		.version = 2,
		.auth = CONF_AUTH_AH,
		.password = "s3cret"},
	{.name = "v2 ah unicast",
		.hex = FRAME_V2_AH_UNICAST,
		.version = 2,
		.priority = 100,
		.auth = CONF_AUTH_AH,
		.password = "s3cret",
		.peer = "192.0.2.1"},
	{.name = "v2 three",
		.hex = FRAME_V2_MULTI_IP4,
		.version = 2,
		.priority = 100,
		.address = {"192.0.2.100", "192.0.2.101", "192.0.2.102"}},
	{.name = "v2 ip6", .hex = FRAME_V2_IP6, .version = 2, .priority = 100, .checksum = VRRP_CHECKSUM_PSEUDO},
	{.name = "v3", .hex = FRAME_V3_IP4, .version = 3, .priority = 100, .checksum = VRRP_CHECKSUM_PSEUDO},
	{.name = "v3 leaving", .hex = FRAME_V3_IP4_PRIO0, .version = 3, .checksum = VRRP_CHECKSUM_PSEUDO},
	{.name = "v3 rfc 9568", .hex = FRAME_V3_IP4_MSGSUM, .version = 3, .priority = 100, .message_only = 1},
	{.name = "v3 25 cs",
		.hex = FRAME_V3_IP4_25CS,
		.version = 3,
		.priority = 100,
		.advert_us = 250000,
		.checksum = VRRP_CHECKSUM_PSEUDO},
	{.name = "v3 owner",
		.hex = FRAME_V3_IP4_OWNER,
		.version = 3,
		.priority = 255,
		.checksum = VRRP_CHECKSUM_PSEUDO},
	{.name = "v3 three",
		.hex = FRAME_V3_MULTI_IP4,
		.version = 3,
		.priority = 100,
		.checksum = VRRP_CHECKSUM_PSEUDO,
		.address = {"192.0.2.100", "192.0.2.101", "192.0.2.102"}},
	{.name = "v3 ip6", .hex = FRAME_V3_IP6, .version = 3, .priority = 100, .checksum = VRRP_CHECKSUM_PSEUDO},
	{.name = "v3 ip6 leaving", .hex = FRAME_V3_IP6_PRIO0, .version = 3, .checksum = VRRP_CHECKSUM_PSEUDO},
	{.name = "v3 ip6 two",
		.hex = FRAME_V3_IP6_TWO,
		.version = 3,
		.priority = 100,
		.checksum = VRRP_CHECKSUM_PSEUDO,
		.address = {"fe80::100", "2001:db8::100"}},
	{.name = "v3 unicast",
		.hex = FRAME_V3_UNICAST_IP4,
		.version = 3,
		.priority = 100,
		.checksum = VRRP_CHECKSUM_PSEUDO,
		.peer = "192.0.2.1"},
	{.name = "v3 unicast ttl 64",
		.hex = FRAME_V3_UNICAST_IP4_TTL64,
		.version = 3,
		.priority = 100,
		.checksum = VRRP_CHECKSUM_PSEUDO,
		.peer = "192.0.2.1",
		.ttl = 64},
	{.name = "v3 unicast old sum",
		.hex = FRAME_V3_UNICAST_IP4_OLDSUM,
		.version = 3,
		.priority = 100,
		.checksum = VRRP_CHECKSUM_PSEUDO_GROUP,
		.peer = "192.0.2.1",
		.is_other = true},
	{.name = "v3 unicast ip6",
		.hex = FRAME_V3_UNICAST_IP6,
		.version = 3,
		.priority = 100,
		.checksum = VRRP_CHECKSUM_PSEUDO,
		.peer = "2001:db8::1",
		.address = {"2001:db8::100"}},
	{.name = "v2 signed", .hex = FRAME_V2_HMAC_IP4, .version = 2, .priority = 100, .is_signed = true},
	{.name = "v3 signed",
		.hex = FRAME_V3_HMAC_IP4,
		.version = 3,
		.priority = 100,
		.checksum = VRRP_CHECKSUM_PSEUDO,
		.is_signed = true},
	{.name = "v3 signed leaving",
		.hex = FRAME_V3_HMAC_IP4_PRIO0,
		.version = 3,
		.checksum = VRRP_CHECKSUM_PSEUDO,
		.is_signed = true},
	{.name = "v3 signed rfc 9568",
		.hex = FRAME_V3_HMAC_IP4_MSGSUM,
		.version = 3,
		.priority = 100,
		.is_signed = true,
		.message_only = 1},
	{.name = "v3 signed ip6",
		.hex = FRAME_V3_HMAC_IP6,
		.version = 3,
		.priority = 100,
		.checksum = VRRP_CHECKSUM_PSEUDO,
		.is_signed = true},
	{.name = "v3 signed to .2",
		.hex = FRAME_V3_HMAC_UNICAST_PEER1,
		.version = 3,
		.priority = 100,
		.checksum = VRRP_CHECKSUM_PSEUDO,
		.is_signed = true,
		.peer = "192.0.2.1"},
	{.name = "v3 signed to .3",
		.hex = FRAME_V3_HMAC_UNICAST_PEER2,
		.version = 3,
		.priority = 100,
		.checksum = VRRP_CHECKSUM_PSEUDO,
		.is_signed = true,
		.peer = "192.0.2.1"},
	{.name = "v3 vmac", .hex = FRAME_V3_VMAC_IP4, .version = 3, .priority = 100, .checksum = VRRP_CHECKSUM_PSEUDO},
	{.name = "v3 vmac ip6",
		.hex = FRAME_V3_VMAC_IP6,
		.version = 3,
		.priority = 100,
		.checksum = VRRP_CHECKSUM_PSEUDO},
	{.name = "frr v3",
		.hex = FRAME_FRR_V3_IP4,
		.version = 3,
		.priority = 100,
		.checksum = VRRP_CHECKSUM_PSEUDO,
		.is_other = true},
	{.name = "frr v3 leaving",
		.hex = FRAME_FRR_V3_IP4_PRIO0,
		.version = 3,
		.checksum = VRRP_CHECKSUM_PSEUDO,
		.is_other = true},
	{.name = "frr v2", .hex = FRAME_FRR_V2_IP4, .version = 2, .priority = 100, .is_other = true},
};

static void golden_rig(struct rig *r, const struct golden *g)
{
	rig_init(r, g->version, g->hex);
	if (g->advert_us)
		r->f.instance.advert_us = g->advert_us;
	if (g->password)
		fixture_secret(&r->f, g->auth, g->password);
	if (g->peer)
		fixture_unicast(&r->f, g->peer);
	for (uint32_t i = 0; i < 3 && g->address[i]; i++)
		fixture_address(&r->f, i, g->address[i]);
	r->f.instance.checksum_message_only = g->message_only;
	if (g->is_signed) {
		size_t at = r->rx.size - VRRP_HMAC_SIZE + 4;
		const uint8_t *p = r->rx.data + at;

		r->receiver.hmac = &r->policy;
		rig_time(r, (int64_t)p[0] << 24 | (int64_t)p[1] << 16 | (int64_t)p[2] << 8 | p[3]);
	}
}

START_TEST(test_real_frames_are_understood)
{
	const struct golden *g = &goldens[_i];
	uint8_t vrid = 0;
	struct rig r;

	golden_rig(&r, g);
	ck_assert_int_eq(vrrp_packet_vrid(&r.rx, &vrid), VRRP_DROP_NONE);
	ck_assert_uint_eq(vrid, 51);
	ck_assert_msg(rig_decode(&r) == VRRP_DROP_NONE, "%s: %s", g->name, vrrp_drop_name(rig_decode(&r)));
	ck_assert_uint_eq(r.advert.priority, g->priority);
	ck_assert_uint_eq(r.advert.checksum, g->checksum);
	ck_assert_uint_eq(r.advert.is_trailed, g->is_signed);
	ck_assert_uint_eq(r.advert.version, g->version);
	ck_assert_int_eq(r.advert.interval_us, r.f.instance.advert_us);
	ck_assert(!r.advert.is_interval_different);
	ck_assert_msg(!r.advert.is_list_different, "%s", g->name);
	ck_assert_uint_eq(r.advert.ttl, g->ttl ? g->ttl : r.rx.family == AF_INET ? 255 : r.rx.hop_limit);
}
END_TEST

START_TEST(test_real_frames_are_written_again)
{
	const struct golden *g = &goldens[_i];
	uint8_t out[VRRP_PACKET_MAX];
	struct vrrp_sending tx = {0};
	struct rig r;
	size_t size;

	if (g->is_other)
		return;
	golden_rig(&r, g);
	ck_assert_int_eq(rig_decode(&r), VRRP_DROP_NONE);
	tx.source = r.advert.source;
	tx.destination = r.rx.family == AF_INET ? addr_from_bytes(AF_INET, r.rx.data + 16) : r.rx.destination;
	tx.priority = g->priority;
	tx.ttl = g->ttl;
	tx.ip_id = r.rx.family == AF_INET ? (uint16_t)(r.rx.data[4] << 8 | r.rx.data[5]) : 0;
	tx.ah_sequence = r.advert.ah_sequence;
	tx.hmac = r.receiver.hmac;
	tx.hmac_sequence = r.advert.hmac_sequence;
	size = vrrp_packet_encode(&r.f.conf, &r.f.instance, &tx, out, sizeof(out));
	ck_assert_uint_eq(size, r.rx.size);
	ck_assert_msg(memcmp(out, r.rx.data, size) == 0, "%s", g->name);
}
END_TEST

/* ---- rule by rule ---- */

START_TEST(test_length)
{
	struct rig r;

	rig_init(&r, 3, FRAME_V3_IP4);
	r.frame.bytes[14] = 0x44; /* header of 16 bytes */
	assert_drop(&r, VRRP_DROP_LENGTH);
	rig_init(&r, 3, FRAME_V3_IP4);
	r.frame.bytes[14] = 0x65; /* not IPv4 */
	assert_drop(&r, VRRP_DROP_LENGTH);
	rig_init(&r, 3, FRAME_V3_IP4);
	r.frame.bytes[14 + 3] = 33; /* total length beyond what was received */
	assert_drop(&r, VRRP_DROP_LENGTH);
	rig_init(&r, 3, FRAME_V3_IP4);
	r.frame.bytes[14 + 6] = 0x20; /* more fragments */
	assert_drop(&r, VRRP_DROP_LENGTH);
	rig_init(&r, 3, FRAME_V3_IP4);
	r.frame.bytes[14 + 7] = 1; /* a later fragment */
	assert_drop(&r, VRRP_DROP_LENGTH);
	rig_init(&r, 3, FRAME_V3_IP4);
	r.frame.bytes[14 + 6] = 0x40; /* don't fragment is no fragment */
	assert_drop(&r, VRRP_DROP_NONE);
}
END_TEST

START_TEST(test_length_must_match_the_count)
{
	struct rig r;

	rig_init(&r, 3, FRAME_V3_IP4);
	rig_message(&r)[3] = 2;
	rig_sum(&r);
	assert_drop(&r, VRRP_DROP_LENGTH);
	/* surplus behind the last address */
	for (uint8_t surplus = 1; surplus <= 40; surplus++) {
		rig_init(&r, 3, FRAME_V3_IP4);
		r.rx.size += surplus;
		r.frame.bytes[14 + 3] += surplus;
		rig_sum(&r);
		assert_drop(&r, VRRP_DROP_LENGTH);
	}
	/* surplus behind the total length is link padding */
	rig_init(&r, 3, FRAME_V3_IP4);
	r.rx.size += 14;
	assert_drop(&r, VRRP_DROP_NONE);
	rig_init(&r, 3, FRAME_V3_IP6);
	r.rx.size += 4;
	rig_sum(&r);
	assert_drop(&r, VRRP_DROP_LENGTH);
	/* version 2 without its authentication bytes */
	rig_init(&r, 2, FRAME_V2_NONE_IP4);
	r.rx.size -= 8;
	r.frame.bytes[14 + 3] -= 8;
	rig_sum(&r);
	assert_drop(&r, VRRP_DROP_LENGTH);
	/* a trailer that nobody asked for */
	rig_init(&r, 3, FRAME_V3_HMAC_IP4);
	assert_drop(&r, VRRP_DROP_LENGTH);
}
END_TEST

START_TEST(test_options_in_the_ip_header)
{
	struct rig r;

	/* 4 bytes of no-operation between header and message */
	rig_init(&r, 3, FRAME_V3_IP4);
	memmove(r.frame.bytes + 14 + 24, r.frame.bytes + 14 + 20, 12);
	memset(r.frame.bytes + 14 + 20, 1, 4);
	r.frame.bytes[14] = 0x46;
	r.frame.bytes[14 + 3] += 4;
	r.rx.size += 4;
	assert_drop(&r, VRRP_DROP_NONE);
	r.frame.bytes[14] = 0x4f; /* header of 60 bytes in a packet of 36 */
	assert_drop(&r, VRRP_DROP_LENGTH);
}
END_TEST

START_TEST(test_protocol)
{
	struct rig r;

	rig_init(&r, 2, FRAME_V2_AH_IP4);
	assert_drop(&r, VRRP_DROP_PROTOCOL);
	rig_init(&r, 2, FRAME_V2_NONE_IP4);
	fixture_secret(&r.f, CONF_AUTH_AH, "s3cret");
	assert_drop(&r, VRRP_DROP_PROTOCOL);
	rig_init(&r, 3, FRAME_V3_IP4);
	r.frame.bytes[14 + 9] = 17;
	assert_drop(&r, VRRP_DROP_PROTOCOL);
	rig_init(&r, 3, FRAME_V3_IP4);
	r.f.instance.family = AF_INET6;
	assert_drop(&r, VRRP_DROP_PROTOCOL);
}
END_TEST

START_TEST(test_destination)
{
	struct rig r;

	rig_init(&r, 3, FRAME_V3_UNICAST_IP4); /* sent to us alone, but we are multicast */
	assert_drop(&r, VRRP_DROP_DESTINATION);
	rig_init(&r, 3, FRAME_V3_IP4);
	fixture_unicast(&r.f, "192.0.2.1");
	assert_drop(&r, VRRP_DROP_DESTINATION);
	rig_init(&r, 3, FRAME_V3_IP6);
	r.rx.destination = fixture_addr("ff02::1");
	assert_drop(&r, VRRP_DROP_DESTINATION);
	rig_init(&r, 3, FRAME_V3_IP4);
	r.f.instance.group_address = fixture_addr("224.0.0.99");
	assert_drop(&r, VRRP_DROP_DESTINATION);
	/* a configuration without a group means the standard one */
	rig_init(&r, 3, FRAME_V3_IP4);
	memset(&r.f.global, 0, sizeof(r.f.global));
	assert_drop(&r, VRRP_DROP_NONE);
	rig_init(&r, 3, FRAME_V3_IP6);
	memset(&r.f.global, 0, sizeof(r.f.global));
	assert_drop(&r, VRRP_DROP_NONE);
}
END_TEST

START_TEST(test_source)
{
	static const char *const bad4[] = {"0.0.0.0", "192.0.2.2", "224.0.0.18", "239.1.1.1", "255.255.255.255"};
	static const char *const bad6[] = {"::", "fe80::2", "ff02::12", "2001:db8::1"};
	struct addr source;
	struct rig r;

	for (size_t i = 0; i < sizeof(bad4) / sizeof(*bad4); i++) {
		rig_init(&r, 3, FRAME_V3_IP4_MSGSUM);
		source = fixture_addr(bad4[i]);
		memcpy(r.frame.bytes + 14 + 12, source.bytes, 4);
		assert_drop(&r, VRRP_DROP_SOURCE);
	}
	for (size_t i = 0; i < sizeof(bad6) / sizeof(*bad6); i++) {
		rig_init(&r, 3, FRAME_V3_IP6);
		r.rx.source = fixture_addr(bad6[i]);
		rig_sum(&r);
		assert_drop(&r, VRRP_DROP_SOURCE);
	}
}
END_TEST

START_TEST(test_ttl)
{
	struct rig r;

	rig_init(&r, 3, FRAME_V3_IP4);
	r.frame.bytes[14 + 8] = 254;
	assert_drop(&r, VRRP_DROP_TTL);
	rig_init(&r, 3, FRAME_V3_IP6);
	r.rx.hop_limit = 254;
	assert_drop(&r, VRRP_DROP_TTL);
	r.rx.hop_limit = -1;
	assert_drop(&r, VRRP_DROP_TTL);
	/* unicast: as far as the peer's limits say */
	rig_init(&r, 3, FRAME_V3_UNICAST_IP4_TTL64);
	fixture_unicast(&r.f, "192.0.2.1");
	assert_drop(&r, VRRP_DROP_NONE);
	r.f.peers[0].min_ttl = 65;
	r.f.peers[0].max_ttl = 255;
	assert_drop(&r, VRRP_DROP_TTL);
	r.f.peers[0].min_ttl = 64;
	assert_drop(&r, VRRP_DROP_NONE);
	r.f.peers[0].min_ttl = 0;
	r.f.peers[0].max_ttl = 63;
	assert_drop(&r, VRRP_DROP_TTL);
	r.f.peers[0].max_ttl = 64;
	assert_drop(&r, VRRP_DROP_NONE);
}
END_TEST

START_TEST(test_version_type_and_vrid)
{
	uint8_t vrid;
	struct rig r;

	rig_init(&r, 2, FRAME_V3_IP4_MSGSUM);
	assert_drop(&r, VRRP_DROP_VERSION);
	rig_init(&r, 3, FRAME_V2_NONE_IP4);
	assert_drop(&r, VRRP_DROP_VERSION);
	ck_assert_int_eq(vrrp_packet_vrid(&r.rx, &vrid), VRRP_DROP_NONE);
	rig_init(&r, 3, FRAME_V3_IP4);
	rig_message(&r)[0] = 0x41;
	rig_sum(&r);
	assert_drop(&r, VRRP_DROP_VERSION);
	/* the instance is found all the same, and counts it */
	ck_assert_int_eq(vrrp_packet_vrid(&r.rx, &vrid), VRRP_DROP_NONE);
	rig_message(&r)[0] = 0x32;
	rig_sum(&r);
	assert_drop(&r, VRRP_DROP_TYPE);
	ck_assert_int_eq(vrrp_packet_vrid(&r.rx, &vrid), VRRP_DROP_NONE);
	rig_init(&r, 3, FRAME_V3_IP4);
	r.f.instance.vrid = 52;
	assert_drop(&r, VRRP_DROP_VRID);
}
END_TEST

START_TEST(test_address_list)
{
	struct rig r;

	rig_init(&r, 3, FRAME_V3_IP4);
	rig_message(&r)[3] = 0;
	r.rx.size -= 4;
	r.frame.bytes[14 + 3] -= 4;
	rig_sum(&r);
	assert_drop(&r, VRRP_DROP_ADDRESS_LIST);
	/* erratum 8300, on the frame of a router that does not care */
	rig_init(&r, 3, FRAME_FRR_V3_IP6);
	assert_drop(&r, VRRP_DROP_ADDRESS_LIST);
	/* in unicast there is no link-local address to begin with */
	rig_init(&r, 3, FRAME_V3_UNICAST_IP6);
	fixture_unicast(&r.f, "2001:db8::1");
	assert_drop(&r, VRRP_DROP_NONE);
}
END_TEST

START_TEST(test_another_address_list_is_told_and_accepted)
{
	struct rig r;

	rig_init(&r, 3, FRAME_V3_IP4);
	fixture_address(&r.f, 0, "192.0.2.101");
	assert_drop(&r, VRRP_DROP_NONE);
	ck_assert(r.advert.is_list_different);
	rig_init(&r, 2, FRAME_V2_NONE_IP4);
	fixture_address(&r.f, 1, "192.0.2.101");
	assert_drop(&r, VRRP_DROP_NONE);
	ck_assert(r.advert.is_list_different);
	/* another order is the same list */
	rig_init(&r, 3, FRAME_V3_MULTI_IP4);
	fixture_address(&r.f, 0, "192.0.2.102");
	fixture_address(&r.f, 1, "192.0.2.100");
	fixture_address(&r.f, 2, "192.0.2.101");
	assert_drop(&r, VRRP_DROP_NONE);
	ck_assert(!r.advert.is_list_different);
}
END_TEST

START_TEST(test_checksum)
{
	struct rig r;

	rig_init(&r, 2, FRAME_V2_NONE_IP4);
	rig_message(&r)[7] ^= 1;
	assert_drop(&r, VRRP_DROP_CHECKSUM);
	rig_init(&r, 3, FRAME_V3_IP4);
	rig_message(&r)[7] ^= 1;
	assert_drop(&r, VRRP_DROP_CHECKSUM);
	rig_init(&r, 3, FRAME_V3_IP6);
	rig_message(&r)[7] ^= 1;
	assert_drop(&r, VRRP_DROP_CHECKSUM);
	/* the old form only in unicast, where it was made */
	rig_init(&r, 3, FRAME_V3_IP4_MSGSUM);
	ck_assert_int_eq(rig_decode(&r), VRRP_DROP_NONE);
	ck_assert_uint_eq(r.advert.checksum, VRRP_CHECKSUM_PLAIN);
	/* version 2 never has a pseudo-header over IPv4 */
	rig_init(&r, 2, FRAME_V2_NONE_IP4);
	rig_message(&r)[6] = rig_message(&r)[7] = 0;
	{
		struct addr s = fixture_addr("192.0.2.1"), d = fixture_addr("224.0.0.18");
		uint16_t sum = vrrp_sum_finish(
			vrrp_sum_bytes(vrrp_sum_pseudo(0, &s, &d, VRRP_PROTOCOL, 20), rig_message(&r), 20));

		rig_message(&r)[6] = (uint8_t)(sum >> 8);
		rig_message(&r)[7] = (uint8_t)sum;
	}
	assert_drop(&r, VRRP_DROP_CHECKSUM);
}
END_TEST

START_TEST(test_an_old_checksum_does_not_latch)
{
	struct rig r;

	rig_init(&r, 3, FRAME_V3_UNICAST_IP4_OLDSUM);
	fixture_unicast(&r.f, "192.0.2.1");
	assert_drop(&r, VRRP_DROP_NONE);
	r.frame = from_hex(FRAME_V3_UNICAST_IP4);
	assert_drop(&r, VRRP_DROP_NONE);
	ck_assert_uint_eq(r.advert.checksum, VRRP_CHECKSUM_PSEUDO);
}
END_TEST

START_TEST(test_authentication)
{
	struct rig r;

	rig_init(&r, 2, FRAME_V2_NONE_IP4);
	rig_message(&r)[4] = 3;
	rig_sum(&r);
	assert_drop(&r, VRRP_DROP_AUTH_TYPE);
	rig_init(&r, 2, FRAME_V2_PASS_IP4);
	assert_drop(&r, VRRP_DROP_AUTH_MISMATCH);
	rig_init(&r, 2, FRAME_V2_NONE_IP4);
	fixture_secret(&r.f, CONF_AUTH_PASS, "s3cret");
	assert_drop(&r, VRRP_DROP_AUTH_MISMATCH);
	rig_init(&r, 2, FRAME_V2_PASS_IP4);
	fixture_secret(&r.f, CONF_AUTH_PASS, "s3creT");
	assert_drop(&r, VRRP_DROP_AUTH_FAILURE);
	/* all eight bytes count */
	rig_init(&r, 2, FRAME_V2_PASS_IP4_8);
	fixture_secret(&r.f, CONF_AUTH_PASS, "s3cret");
	assert_drop(&r, VRRP_DROP_AUTH_FAILURE);
	/* junk behind a terminating zero, too */
	rig_init(&r, 2, FRAME_V2_PASS_IP4);
	fixture_secret(&r.f, CONF_AUTH_PASS, "s3cret");
	rig_message(&r)[19] = 'x';
	rig_sum(&r);
	assert_drop(&r, VRRP_DROP_AUTH_FAILURE);
	/* longer ones are cut */
	rig_init(&r, 2, FRAME_V2_PASS_IP4_8);
	fixture_secret(&r.f, CONF_AUTH_PASS, "s3cretpw-and-more");
	assert_drop(&r, VRRP_DROP_NONE);
	/* without authentication the bytes may be anything */
	rig_init(&r, 2, FRAME_V2_NONE_IP4);
	rig_message(&r)[12] = 'x';
	rig_sum(&r);
	assert_drop(&r, VRRP_DROP_NONE);
	/* version 2 over IPv6 has no room for a password */
	rig_init(&r, 2, FRAME_V2_IP6);
	fixture_secret(&r.f, CONF_AUTH_PASS, "s3cret");
	rig_message(&r)[4] = 1;
	rig_sum(&r);
	assert_drop(&r, VRRP_DROP_AUTH_FAILURE);
}
END_TEST

static void rig_ah(struct rig *r)
{
	rig_init(r, 2, FRAME_V2_AH_IP4);
	fixture_secret(&r->f, CONF_AUTH_AH, "s3cret");
}

START_TEST(test_ah)
{
	struct rig r;

	rig_ah(&r);
	assert_drop(&r, VRRP_DROP_NONE);
	ck_assert_uint_eq(r.advert.ah_sequence, 1);
	/* the same one again, and an older one */
	r.receiver.ah_sequence = 1;
	assert_drop(&r, VRRP_DROP_AUTH_FAILURE);
	/* made with TTL zero, as the RFC says and nobody does */
	rig_ah(&r);
	fixture_unicast(&r.f, "192.0.2.1");
	r.frame = from_hex(FRAME_V2_AH_UNICAST);
	assert_drop(&r, VRRP_DROP_NONE);
	r.frame.bytes[14 + 8] = 64; /* not signed in unicast */
	assert_drop(&r, VRRP_DROP_NONE);
	/* mutable fields are not signed */
	rig_ah(&r);
	r.frame.bytes[14 + 1] = 0;
	r.frame.bytes[14 + 6] = 0x40;
	r.frame.bytes[14 + 10] ^= 1;
	assert_drop(&r, VRRP_DROP_NONE);
	/* the rest is: id, source, SPI, next header, check value */
	for (int at = 4; at < 20 + 24; at++) {
		if ((at >= 6 && at <= 11) || (at >= 16 && at < 20))
			continue;
		rig_ah(&r);
		r.frame.bytes[14 + at] ^= 0x10;
		ck_assert_msg(
			rig_decode(&r) == VRRP_DROP_AUTH_FAILURE, "byte %d: %s", at, vrrp_drop_name(rig_decode(&r)));
	}
	rig_ah(&r);
	fixture_secret(&r.f, CONF_AUTH_AH, "s3creT");
	assert_drop(&r, VRRP_DROP_AUTH_FAILURE);
	rig_ah(&r);
	r.frame.bytes[14 + 20 + 24 + 4] = 0; /* AH around a message that says none */
	{
		uint8_t *m = r.frame.bytes + 14 + 20 + 24;
		uint16_t sum;

		m[6] = m[7] = 0;
		sum = vrrp_sum_finish(vrrp_sum_bytes(0, m, 20));
		m[6] = (uint8_t)(sum >> 8);
		m[7] = (uint8_t)sum;
	}
	assert_drop(&r, VRRP_DROP_AUTH_MISMATCH);
}
END_TEST

START_TEST(test_interval)
{
	struct rig r;

	rig_init(&r, 2, FRAME_V2_NONE_IP4);
	r.f.instance.advert_us = 2 * US_PER_S;
	assert_drop(&r, VRRP_DROP_INTERVAL);
	rig_init(&r, 2, FRAME_V2_NONE_IP4);
	rig_message(&r)[5] = 0;
	rig_sum(&r);
	assert_drop(&r, VRRP_DROP_INTERVAL);
	rig_init(&r, 3, FRAME_V3_IP4_25CS);
	assert_drop(&r, VRRP_DROP_NONE);
	ck_assert(r.advert.is_interval_different);
	ck_assert_int_eq(r.advert.interval_us, 250000);
	/* erratum 8301; reserved bits are no part of the interval */
	rig_init(&r, 3, FRAME_V3_IP4);
	rig_message(&r)[4] = 0xf0;
	rig_message(&r)[5] = 0;
	rig_sum(&r);
	assert_drop(&r, VRRP_DROP_INTERVAL);
	rig_message(&r)[4] = 0xff;
	rig_message(&r)[5] = 0xff;
	rig_sum(&r);
	assert_drop(&r, VRRP_DROP_NONE);
	ck_assert_int_eq(r.advert.interval_us, 40950000);
}
END_TEST

START_TEST(test_strangers)
{
	struct rig r;

	rig_init(&r, 3, FRAME_V3_UNICAST_IP4);
	fixture_unicast(&r.f, "192.0.2.7");
	assert_drop(&r, VRRP_DROP_PEER);
	r.f.instance.peers.count = 0;
	assert_drop(&r, VRRP_DROP_PEER);
	r.f.instance.peers.count = 2;
	r.f.peers[1].addr = fixture_addr("192.0.2.1");
	assert_drop(&r, VRRP_DROP_NONE);
}
END_TEST

static void rig_hmac(struct rig *r)
{
	rig_init(r, 3, FRAME_V3_HMAC_IP4);
	r->receiver.hmac = &r->policy;
}

START_TEST(test_signatures)
{
	const int64_t now = 0x6affec8eLL;
	struct rig r;

	rig_hmac(&r);
	assert_drop(&r, VRRP_DROP_NONE);
	r.receiver.marks = &r.marks;
	vrrp_hmac_marks_store(&r.marks, &r.advert.source, r.advert.hmac_sequence);
	assert_drop(&r, VRRP_DROP_HMAC_REPLAY);
	r.marks.list[0].sequence--;
	assert_drop(&r, VRRP_DROP_NONE);
	r.marks.list[0].sequence = r.advert.hmac_sequence + (1ULL << 63);
	r.policy.replay = CONF_HMAC_MONOTONIC;
	assert_drop(&r, VRRP_DROP_HMAC_REPLAY);
	rig_hmac(&r);
	rig_time(&r, now + 5);
	assert_drop(&r, VRRP_DROP_NONE); /* exactly the window */
	rig_time(&r, now + 6);
	assert_drop(&r, VRRP_DROP_HMAC_STALE);
	rig_time(&r, now - 5);
	assert_drop(&r, VRRP_DROP_NONE);
	rig_time(&r, now - 6);
	assert_drop(&r, VRRP_DROP_HMAC_STALE); /* from the future */
	r.policy.replay = CONF_HMAC_MONOTONIC;
	assert_drop(&r, VRRP_DROP_NONE);
	rig_hmac(&r);
	r.key.id = 2;
	assert_drop(&r, VRRP_DROP_HMAC_UNKNOWN_KEY);
	rig_hmac(&r);
	r.key.bytes[31] ^= 1;
	assert_drop(&r, VRRP_DROP_HMAC_INVALID);
	rig_hmac(&r);
	rig_message(&r)[12 + 2] = 1; /* reserved */
	assert_drop(&r, VRRP_DROP_HMAC_MALFORMED);
	rig_hmac(&r);
	rig_message(&r)[12] = 2; /* extension type */
	assert_drop(&r, VRRP_DROP_HMAC_MALFORMED);
	/* what is signed is the message, its source, and not its checksum, which comes later */
	rig_hmac(&r);
	rig_message(&r)[2] = 101;
	assert_drop(&r, VRRP_DROP_HMAC_INVALID);
	rig_hmac(&r);
	r.frame.bytes[14 + 15] = 9;
	assert_drop(&r, VRRP_DROP_HMAC_INVALID);
	rig_hmac(&r);
	rig_message(&r)[7] ^= 1;
	assert_drop(&r, VRRP_DROP_CHECKSUM);
}
END_TEST

START_TEST(test_signatures_while_migrating)
{
	struct rig r;

	rig_init(&r, 3, FRAME_V3_IP4);
	r.receiver.hmac = &r.policy;
	assert_drop(&r, VRRP_DROP_HMAC_MISSING);
	r.policy.mode = CONF_HMAC_PERMISSIVE;
	assert_drop(&r, VRRP_DROP_NONE);
	r.policy.mode = CONF_HMAC_RECEIVE_ONLY;
	assert_drop(&r, VRRP_DROP_NONE);
	rig_hmac(&r);
	r.policy.mode = CONF_HMAC_PERMISSIVE;
	r.key.bytes[0] ^= 1;
	assert_drop(&r, VRRP_DROP_HMAC_INVALID);
}
END_TEST

/* An instance that demands signatures and has lost its keys neither takes nor sends anything. */
START_TEST(test_signing_never_fails_open)
{
	uint8_t out[VRRP_PACKET_MAX];
	struct vrrp_sending tx = {.source = fixture_addr("192.0.2.1"),
		.destination = fixture_addr("224.0.0.18"),
		.priority = 100,
		.hmac_sequence = 1};
	struct rig r;

	rig_init(&r, 3, FRAME_V3_IP4);
	r.f.instance.auth = CONF_AUTH_HMAC;
	assert_drop(&r, VRRP_DROP_HMAC_MISSING);
	ck_assert_uint_eq(vrrp_packet_encode(&r.f.conf, &r.f.instance, &tx, out, sizeof(out)), 0);
	tx.hmac = &r.policy;
	ck_assert_uint_eq(vrrp_packet_encode(&r.f.conf, &r.f.instance, &tx, out, sizeof(out)), IP4 + 12 + 28);
	r.policy.active = NULL;
	ck_assert_uint_eq(vrrp_packet_encode(&r.f.conf, &r.f.instance, &tx, out, sizeof(out)), 0);
	r.policy.mode = CONF_HMAC_RECEIVE_ONLY;
	ck_assert_uint_eq(vrrp_packet_encode(&r.f.conf, &r.f.instance, &tx, out, sizeof(out)), IP4 + 12);
}
END_TEST

/* Each byte of message and trailer but the checksum is signed, and no key, sequence or source slips through. */
START_TEST(test_every_flipped_byte_of_a_signed_frame_is_dropped)
{
	static const char *const frames[] = {
		FRAME_V2_HMAC_IP4, FRAME_V3_HMAC_IP4, FRAME_V3_HMAC_IP4_PRIO0, FRAME_V3_HMAC_IP6};
	static const uint8_t versions[] = {2, 3, 3, 3};
	struct rig r;

	for (size_t k = 0; k < 4; k++) {
		rig_init(&r, versions[k], frames[k]);
		for (size_t i = 0; i < r.rx.size; i++) {
			for (int bit = 0; bit < 8; bit++) {
				enum vrrp_drop drop;

				rig_init(&r, versions[k], frames[k]);
				r.receiver.hmac = &r.policy;
				r.policy.window_s = 300;
				ck_assert_int_eq(rig_decode(&r), VRRP_DROP_NONE);
				*(uint8_t *)(uintptr_t)(r.rx.data + i) ^= (uint8_t)(1 << bit);
				drop = rig_decode(&r);
				/* What the IP header says besides is not signed. */
				if (r.rx.family == AF_INET && i < IP4 && i != 12 && i != 13 && i != 14 && i != 15)
					continue;
				ck_assert_msg(drop != VRRP_DROP_NONE, "frame %zu byte %zu bit %d", k, i, bit);
			}
		}
	}
}
END_TEST

/* ---- everything cut, everything damaged ---- */

/* The packet in memory of exactly its size, so that the sanitizers see a byte read beyond. */
static enum vrrp_drop decode_exact(struct rig *r, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	const uint8_t *whole = r->rx.data;
	enum vrrp_drop drop;
	uint8_t vrid;

	memcpy(copy, whole, size);
	r->rx.data = copy;
	r->rx.size = size;
	vrrp_packet_vrid(&r->rx, &vrid);
	drop = rig_decode(r);
	r->rx.data = whole;
	free(copy);
	return drop;
}

START_TEST(test_truncated_everywhere)
{
	struct rig r;

	golden_rig(&r, &goldens[_i]);
	for (size_t size = 0; size < from_hex(goldens[_i].hex).size - (r.rx.family == AF_INET ? 14 : 54); size++)
		ck_assert_msg(decode_exact(&r, size) != VRRP_DROP_NONE, "%s cut to %zu bytes was taken",
			goldens[_i].name, size);
}
END_TEST

/* No single changed bit of a message passes, but where the standard says that it does not matter. */
START_TEST(test_flipped_everywhere)
{
	const struct golden *g = &goldens[_i];
	size_t header, size;
	struct rig r;

	golden_rig(&r, g);
	size = r.rx.size;
	header = r.rx.family == AF_INET ? IP4 : 0;
	for (size_t bit = 0; bit < size * 8; bit++) {
		enum vrrp_drop drop;

		r.frame.bytes[14 + (r.rx.family == AF_INET ? 0 : 40) + bit / 8] ^= (uint8_t)(1 << bit % 8);
		drop = decode_exact(&r, size);
		if (bit / 8 >= header && !(g->auth == CONF_AUTH_AH && bit / 8 == header + 1))
			ck_assert_msg(drop != VRRP_DROP_NONE, "%s: bit %zu of byte %zu", g->name, bit % 8, bit / 8);
		r.frame.bytes[14 + (r.rx.family == AF_INET ? 0 : 40) + bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}
END_TEST

/* ---- encoding ---- */

START_TEST(test_capacity)
{
	struct fixture f;

	fixture_init(&f, 2, AF_INET);
	ck_assert_uint_eq(vrrp_packet_capacity(&f.instance, false, 68), (68 - 14 - 20 - 16) / 4);
	ck_assert_uint_eq(vrrp_packet_capacity(&f.instance, false, 9000), 255);
	ck_assert_uint_eq(vrrp_packet_capacity(&f.instance, false, 30), 0);
	fixture_init(&f, 3, AF_INET6);
	ck_assert_uint_eq(vrrp_packet_capacity(&f.instance, false, 0), (1500 - 14 - 40 - 8) / 16);
	ck_assert_uint_eq(vrrp_packet_capacity(&f.instance, true, 0), (1500 - 14 - 40 - 8 - 28) / 16);
}
END_TEST

START_TEST(test_encode_refuses_what_does_not_fit)
{
	struct vrrp_sending tx = {.source = fixture_addr("192.0.2.1"), .destination = fixture_addr("224.0.0.18")};
	uint8_t out[VRRP_PACKET_MAX];
	struct fixture f;

	fixture_init(&f, 3, AF_INET);
	ck_assert_uint_eq(vrrp_packet_encode(&f.conf, &f.instance, &tx, out, sizeof(out)), 32);
	ck_assert_uint_eq(vrrp_packet_encode(&f.conf, &f.instance, &tx, out, sizeof(out) - 1), 0);
	tx.source = fixture_addr("fe80::1");
	ck_assert_uint_eq(vrrp_packet_encode(&f.conf, &f.instance, &tx, out, sizeof(out)), 0);
	tx.source = (struct addr){0};
	ck_assert_uint_eq(vrrp_packet_encode(&f.conf, &f.instance, &tx, out, sizeof(out)), 0);
	/* AH without a key is not sent unsigned */
	fixture_init(&f, 2, AF_INET);
	f.instance.auth = CONF_AUTH_AH;
	tx.source = fixture_addr("192.0.2.1");
	ck_assert_uint_eq(vrrp_packet_encode(&f.conf, &f.instance, &tx, out, sizeof(out)), 0);
}
END_TEST

START_TEST(test_as_many_addresses_as_fit)
{
	static struct conf_address many[400];
	struct vrrp_sending tx = {.source = fixture_addr("fe80::1"), .destination = fixture_addr("ff02::12")};
	uint8_t out[VRRP_PACKET_MAX];
	struct fixture f;

	fixture_init(&f, 3, AF_INET6);
	for (size_t i = 0; i < 400; i++)
		many[i].addr = fixture_addr("fe80::100");
	f.conf.addresses = many;
	f.instance.n_advertised = f.instance.addresses.count = 400;
	tx.mtu = 65535;
	ck_assert_uint_eq(vrrp_packet_encode(&f.conf, &f.instance, &tx, out, sizeof(out)), 8 + 255 * 16);
	ck_assert_uint_eq(out[3], 255);
	tx.mtu = 1500;
	ck_assert_uint_eq(vrrp_packet_encode(&f.conf, &f.instance, &tx, out, sizeof(out)), 8 + 89 * 16);
	/* addresses of the other family are held, not advertised */
	many[0].addr = fixture_addr("192.0.2.1");
	f.instance.n_advertised = 2;
	ck_assert_uint_eq(vrrp_packet_encode(&f.conf, &f.instance, &tx, out, sizeof(out)), 8 + 16);
}
END_TEST

START_TEST(test_names)
{
	for (enum vrrp_drop d = 0; d < VRRP_DROP_COUNT; d++) {
		ck_assert_ptr_nonnull(vrrp_drop_name(d));
		ck_assert_uint_gt(strlen(vrrp_drop_text(d)), 5);
		for (enum vrrp_drop e = 0; e < d; e++)
			ck_assert_str_ne(vrrp_drop_name(d), vrrp_drop_name(e));
	}
	ck_assert_uint_eq(vrrp_drop_protocol_error(VRRP_DROP_TTL), 1);
	ck_assert_uint_eq(vrrp_drop_protocol_error(VRRP_DROP_VERSION), 2);
	ck_assert_uint_eq(vrrp_drop_protocol_error(VRRP_DROP_CHECKSUM), 3);
	ck_assert_uint_eq(vrrp_drop_protocol_error(VRRP_DROP_VRID), 4);
	ck_assert_uint_eq(vrrp_drop_protocol_error(VRRP_DROP_PEER), 0);
}
END_TEST

int main(void)
{
	int n = sizeof(goldens) / sizeof(*goldens), failed;
	Suite *suite = suite_create("vrrp_packet");
	TCase *tcase = tcase_create("vrrp_packet");
	SRunner *runner;

	tcase_add_loop_test(tcase, test_real_frames_are_understood, 0, n);
	tcase_add_loop_test(tcase, test_real_frames_are_written_again, 0, n);
	tcase_add_loop_test(tcase, test_truncated_everywhere, 0, n);
	tcase_add_loop_test(tcase, test_flipped_everywhere, 0, n);
	tcase_add_test(tcase, test_length);
	tcase_add_test(tcase, test_length_must_match_the_count);
	tcase_add_test(tcase, test_options_in_the_ip_header);
	tcase_add_test(tcase, test_protocol);
	tcase_add_test(tcase, test_destination);
	tcase_add_test(tcase, test_source);
	tcase_add_test(tcase, test_ttl);
	tcase_add_test(tcase, test_version_type_and_vrid);
	tcase_add_test(tcase, test_address_list);
	tcase_add_test(tcase, test_another_address_list_is_told_and_accepted);
	tcase_add_test(tcase, test_checksum);
	tcase_add_test(tcase, test_an_old_checksum_does_not_latch);
	tcase_add_test(tcase, test_authentication);
	tcase_add_test(tcase, test_ah);
	tcase_add_test(tcase, test_interval);
	tcase_add_test(tcase, test_strangers);
	tcase_add_test(tcase, test_signatures);
	tcase_add_test(tcase, test_signatures_while_migrating);
	tcase_add_test(tcase, test_signing_never_fails_open);
	tcase_add_test(tcase, test_every_flipped_byte_of_a_signed_frame_is_dropped);
	tcase_add_test(tcase, test_capacity);
	tcase_add_test(tcase, test_encode_refuses_what_does_not_fit);
	tcase_add_test(tcase, test_as_many_addresses_as_fit);
	tcase_add_test(tcase, test_names);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
