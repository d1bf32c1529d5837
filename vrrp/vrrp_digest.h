/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HMAC with MD5 (RFC 2104, 1321: what AH of version 2 demands) and SHA-256 (RFC 6234). The heartbeat process locks its
 * memory and forbids itself to open files; a general library would bring megabytes and a configuration file into it. */
#ifndef POISE_VRRP_DIGEST_H
#define POISE_VRRP_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define VRRP_MD5_SIZE 16
#define VRRP_SHA256_SIZE 32

/* One piece of the input; pieces are hashed as if they were one. */
struct vrrp_piece {
	const uint8_t *data;
	size_t size;
};

/* Keys of at most 64 bytes. */
void vrrp_hmac_md5(
	const uint8_t *key, size_t key_size, const struct vrrp_piece *pieces, size_t n, uint8_t out[VRRP_MD5_SIZE]);
void vrrp_hmac_sha256(
	const uint8_t *key, size_t key_size, const struct vrrp_piece *pieces, size_t n, uint8_t out[VRRP_SHA256_SIZE]);

#endif
