/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Digests against the vectors of their RFCs, the HMAC trailer against those of its draft, and its sequence rules. */
#include "../../vrrp/vrrp_auth.h"
#include "../../vrrp/vrrp_digest.h"
#include "vrrp_fixture.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static const char *hex(const uint8_t *bytes, size_t size)
{
	static char text[512];

	for (size_t i = 0; i < size; i++)
		snprintf(text + 2 * i, sizeof(text) - 2 * i, "%02x", bytes[i]);
	return text;
}

static size_t from_hex(const char *text, uint8_t *out)
{
	size_t n = strlen(text) / 2;
	unsigned x;

	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(sscanf(text + 2 * i, "%2x", &x), 1);
		out[i] = (uint8_t)x;
	}
	return n;
}

/* RFC 2202 and RFC 4231, the cases whose keys fit one block */
static const struct {
	const char *key, *data, *md5, *sha256;
} vectors[] = {
	{"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265", "9294727a3638bb1c13f48ef8158bfc9d", NULL},
	{"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265", NULL,
		"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
	{"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f", "750c783e6ab0b503eaa86e310a5db738",
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
	{"0102030405060708090a0b0c0d0e0f10111213141516171819",
		"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
		"697eaf0aca3a3aea3a75164746ffaa79", "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
};

START_TEST(test_hmac_vectors)
{
	uint8_t key[64], data[64], out[32];

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		size_t key_size = from_hex(vectors[i].key, key), size = from_hex(vectors[i].data, data);

		/* cut anywhere: pieces are one input */
		for (size_t cut = 0; cut <= size; cut++) {
			struct vrrp_piece pieces[] = {{data, cut}, {data + cut, size - cut}};

			if (vectors[i].md5) {
				vrrp_hmac_md5(key, key_size, pieces, 2, out);
				ck_assert_str_eq(hex(out, 16), vectors[i].md5);
			}
			if (vectors[i].sha256) {
				vrrp_hmac_sha256(key, key_size, pieces, 2, out);
				ck_assert_str_eq(hex(out, 32), vectors[i].sha256);
			}
		}
	}
}
END_TEST

/* Each input length has another padding: the results of a well known implementation, folded into one digest. */
START_TEST(test_every_length)
{
	uint8_t data[300] = {0}, sum5[16] = {0}, sum256[32] = {0}, out[32];

	for (size_t size = 0; size < sizeof(data); size++) {
		struct vrrp_piece piece = {data, size};

		vrrp_hmac_md5(data, 0, &piece, 1, out);
		for (int i = 0; i < 16; i++)
			sum5[i] ^= out[i];
		vrrp_hmac_sha256(data, 0, &piece, 1, out);
		for (int i = 0; i < 32; i++)
			sum256[i] ^= out[i];
		data[size] = (uint8_t)(size * 7);
	}
	ck_assert_str_eq(hex(sum5, 16), "9d0840be62f8497cbeee833be725e016");
	ck_assert_str_eq(hex(sum256, 32), "8499aa4daf6d4271a116f0a8e60aa3dfb634ff289015128c5e769a21e6c258d3");
}
END_TEST

static struct vrrp_hmac_policy policy_of(enum vrrp_hmac_replay replay)
{
	struct vrrp_hmac_policy policy = {.window_s = 5, .replay = replay, .keys = {{.id = 1, .length = 32}}};

	for (uint8_t i = 0; i < 32; i++)
		policy.keys[0].bytes[i] = i;
	return policy;
}

START_TEST(test_trailer_vectors)
{
	struct vrrp_hmac_policy policy = policy_of(VRRP_HMAC_TIME);
	struct addr v4 = fixture_addr("198.51.100.10"), v6 = fixture_addr("fe80::10");
	uint8_t message[64], trailer[VRRP_HMAC_SIZE];
	uint64_t sequence = 0;
	size_t size;

	size = from_hex("3133c80100644402c0000264", message);
	vrrp_hmac_sign(&policy, &v4, 0x6800000080000000ULL, message, size, trailer);
	ck_assert_str_eq(hex(trailer, sizeof(trailer)), "0101000068000000800000001b84bc4e8e43892dc6d98448f8ee2265");
	ck_assert_int_eq(
		vrrp_hmac_verify(&policy, &v4, message, size, trailer, NULL, 0x68000000LL * US_PER_S, &sequence),
		VRRP_HMAC_OK);
	ck_assert_uint_eq(sequence, 0x6800000080000000ULL);
	size = from_hex("3133c8010064a2e9fe800000000000000000000000000100", message);
	vrrp_hmac_sign(&policy, &v6, 0x6800000080000000ULL, message, size, trailer);
	ck_assert_str_eq(hex(trailer, sizeof(trailer)), "010100006800000080000000c8c56146ebfd66ee10ec4d8186461b78");
}
END_TEST

#define SECONDS(s) ((uint64_t)(s) << 32)

START_TEST(test_sender_clock_steps)
{
	struct vrrp_hmac_policy time = policy_of(VRRP_HMAC_TIME), monotonic = policy_of(VRRP_HMAC_MONOTONIC);
	int64_t now = 1000000 * US_PER_S;

	ck_assert_uint_eq(vrrp_hmac_next_sequence(&time, 0, now + 500000), SECONDS(1000000) | 0x8000ULL << 16);
	/* the same moment twice: the counter, carried into fraction and seconds */
	ck_assert_uint_eq(vrrp_hmac_next_sequence(&time, SECONDS(1000000), now), SECONDS(1000000) + 1);
	ck_assert_uint_eq(vrrp_hmac_next_sequence(&time, SECONDS(1000000) | 0xffffffff, now), SECONDS(1000001));
	/* forward: followed; back within the window: kept, one step each; beyond: the clock again */
	ck_assert_uint_eq(vrrp_hmac_next_sequence(&time, SECONDS(996400), now), SECONDS(1000000));
	ck_assert_uint_eq(vrrp_hmac_next_sequence(&time, SECONDS(1000005), now), SECONDS(1000005) + 1);
	ck_assert_uint_eq(vrrp_hmac_next_sequence(&time, SECONDS(1000006), now), SECONDS(1000000));
	ck_assert_uint_eq(vrrp_hmac_next_sequence(&monotonic, SECONDS(1003600), now), SECONDS(1003600) + 1);
}
END_TEST

START_TEST(test_marks_after_a_clock_step)
{
	struct vrrp_hmac_policy policy = policy_of(VRRP_HMAC_TIME);
	struct vrrp_hmac_mark mark = {.is_set = true};
	struct addr v4 = fixture_addr("198.51.100.10");
	uint8_t message[16], trailer[VRRP_HMAC_SIZE];
	int64_t now = 1000000 * US_PER_S;
	uint64_t sequence;
	size_t size = from_hex("3133c80100644402c0000264", message);

	vrrp_hmac_sign(&policy, &v4, SECONDS(1000000), message, size, trailer);
	mark.sequence = SECONDS(1000004);
	ck_assert_int_eq(
		vrrp_hmac_verify(&policy, &v4, message, size, trailer, &mark, now, &sequence), VRRP_HMAC_REPLAYED);
	/* one from a clock that ran far ahead and was corrected is forgotten, in time mode */
	mark.sequence = SECONDS(1000100);
	ck_assert_int_eq(vrrp_hmac_verify(&policy, &v4, message, size, trailer, &mark, now, &sequence), VRRP_HMAC_OK);
	policy.replay = VRRP_HMAC_MONOTONIC;
	ck_assert_int_eq(
		vrrp_hmac_verify(&policy, &v4, message, size, trailer, &mark, now, &sequence), VRRP_HMAC_REPLAYED);
	/* rotation: any configured key verifies */
	policy.keys[3] = policy.keys[0];
	policy.keys[3].id = 9;
	policy.active = 3;
	mark.is_set = false;
	vrrp_hmac_sign(&policy, &v4, SECONDS(1000000), message, size, trailer);
	ck_assert_uint_eq(trailer[1], 9);
	policy.active = 0;
	ck_assert_int_eq(vrrp_hmac_verify(&policy, &v4, message, size, trailer, &mark, now, &sequence), VRRP_HMAC_OK);
	policy.keys[3].id = 0;
	trailer[1] = 0;
	ck_assert_int_eq(
		vrrp_hmac_verify(&policy, &v4, message, size, trailer, &mark, now, &sequence), VRRP_HMAC_MALFORMED);
}
END_TEST

START_TEST(test_equal)
{
	uint8_t a[12] = {0}, b[12] = {0};

	ck_assert(vrrp_auth_equal(a, b, 12));
	for (int bit = 0; bit < 96; bit++) {
		b[bit / 8] = (uint8_t)(1 << bit % 8);
		ck_assert(!vrrp_auth_equal(a, b, 12));
		b[bit / 8] = 0;
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vrrp_auth");
	TCase *tcase = tcase_create("vrrp_auth");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, test_hmac_vectors);
	tcase_add_test(tcase, test_every_length);
	tcase_add_test(tcase, test_trailer_vectors);
	tcase_add_test(tcase, test_sender_clock_steps);
	tcase_add_test(tcase, test_marks_after_a_clock_step);
	tcase_add_test(tcase, test_equal);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
