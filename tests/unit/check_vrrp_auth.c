/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Digests against the vectors of their RFCs, and comparisons. */
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
	tcase_add_test(tcase, test_equal);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
