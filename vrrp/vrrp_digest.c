/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HMAC-MD5 and HMAC-SHA-256 over a few hundred bytes, after RFC 2104, 1321 and 6234. Runs in the vrrp role; allocates
 * nothing and opens nothing. Not for bulk data. */
#include "vrrp_digest.h"
#include <stdbool.h>
#include <string.h>

#define BLOCK 64

/* Both digests work on blocks of 64 bytes over at most eight 32-bit words and differ in byte order. */
struct digest {
	uint32_t state[8];
	uint8_t block[BLOCK];
	uint64_t size;
	void (*compress)(uint32_t *state, const uint8_t *block);
	bool is_big_endian;
	size_t words;
};

static uint32_t rotate_left(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static uint32_t rotate_right(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static uint32_t load_le(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static uint32_t load_be(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* floor(2^32 * |sin(i + 1)|), RFC 1321, 3.4 */
static const uint32_t md5_table[64] = {0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a,
	0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e,
	0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
	0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942,
	0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
	0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244, 0x432aff97, 0xab9423a7,
	0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1,
	0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

static void md5_compress(uint32_t *state, const uint8_t *block)
{
	static const uint8_t shifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];

	for (unsigned i = 0; i < 64; i++) {
		uint32_t f, swap;
		unsigned g;

		if (i < 16) {
			f = (b & c) | (~b & d);
			g = i;
		} else if (i < 32) {
			f = (d & b) | (~d & c);
			g = (5 * i + 1) % 16;
		} else if (i < 48) {
			f = b ^ c ^ d;
			g = (3 * i + 5) % 16;
		} else {
			f = c ^ (b | ~d);
			g = 7 * i % 16;
		}
		swap = d;
		d = c;
		c = b;
		b += rotate_left(a + f + md5_table[i] + load_le(block + (size_t)g * 4), shifts[i / 16][i % 4]);
		a = swap;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

/* First 32 bits of the fractional parts of the cube roots of the first 64 primes, RFC 6234, 5.1 */
static const uint32_t sha256_table[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7,
	0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
	0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c,
	0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static void sha256_compress(uint32_t *state, const uint8_t *block)
{
	uint32_t w[64], v[8];

	for (unsigned i = 0; i < 16; i++)
		w[i] = load_be(block + (size_t)i * 4);
	for (unsigned i = 16; i < 64; i++) {
		uint32_t s0 = rotate_right(w[i - 15], 7) ^ rotate_right(w[i - 15], 18) ^ w[i - 15] >> 3;
		uint32_t s1 = rotate_right(w[i - 2], 17) ^ rotate_right(w[i - 2], 19) ^ w[i - 2] >> 10;

		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
	memcpy(v, state, sizeof(v));
	for (unsigned i = 0; i < 64; i++) {
		uint32_t s1 = rotate_right(v[4], 6) ^ rotate_right(v[4], 11) ^ rotate_right(v[4], 25);
		uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
		uint32_t t1 = v[7] + s1 + choice + sha256_table[i] + w[i];
		uint32_t s0 = rotate_right(v[0], 2) ^ rotate_right(v[0], 13) ^ rotate_right(v[0], 22);
		uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);

		memmove(v + 1, v, 7 * sizeof(*v));
		v[4] += t1;
		v[0] = t1 + s0 + majority;
	}
	for (unsigned i = 0; i < 8; i++)
		state[i] += v[i];
}

static const struct digest md5 = {
	.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476},
	.compress = md5_compress,
	.words = 4,
};

static const struct digest sha256 = {
	.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19},
	.compress = sha256_compress,
	.is_big_endian = true,
	.words = 8,
};

static void update(struct digest *d, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		d->block[d->size++ % BLOCK] = data[i];
		if (d->size % BLOCK == 0)
			d->compress(d->state, d->block);
	}
}

static void finish(struct digest *d, uint8_t *out)
{
	static const uint8_t one = 0x80, zero = 0;
	uint64_t bits = d->size * 8;
	uint8_t length[8];

	update(d, &one, 1);
	while (d->size % BLOCK != BLOCK - 8)
		update(d, &zero, 1);
	for (unsigned i = 0; i < 8; i++)
		length[i] = (uint8_t)(bits >> 8 * (d->is_big_endian ? 7 - i : i));
	update(d, length, sizeof(length));
	for (unsigned i = 0; i < d->words * 4; i++)
		out[i] = (uint8_t)(d->state[i / 4] >> 8 * (d->is_big_endian ? 3 - i % 4 : i % 4));
}

static void hmac(const struct digest *kind, const uint8_t *key, size_t key_size, const struct vrrp_piece *pieces,
	size_t n, uint8_t *out)
{
	struct digest inner = *kind, outer = *kind;
	uint8_t pad[BLOCK];

	for (unsigned i = 0; i < BLOCK; i++)
		pad[i] = (uint8_t)((i < key_size ? key[i] : 0) ^ 0x36);
	update(&inner, pad, BLOCK);
	for (size_t i = 0; i < n; i++)
		update(&inner, pieces[i].data, pieces[i].size);
	finish(&inner, out);
	for (unsigned i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	update(&outer, pad, BLOCK);
	update(&outer, out, kind->words * 4);
	finish(&outer, out);
}

void vrrp_hmac_md5(
	const uint8_t *key, size_t key_size, const struct vrrp_piece *pieces, size_t n, uint8_t out[VRRP_MD5_SIZE])
{
	hmac(&md5, key, key_size, pieces, n, out);
}

void vrrp_hmac_sha256(
	const uint8_t *key, size_t key_size, const struct vrrp_piece *pieces, size_t n, uint8_t out[VRRP_SHA256_SIZE])
{
	hmac(&sha256, key, key_size, pieces, n, out);
}
