/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between tls.c and tls_profile.c. */
#ifndef POISE_TLS_PROFILE_H
#define POISE_TLS_PROFILE_H

#include "tls.h"

#define TLS_IDLE_MAX 16

struct ssl_ctx_st;

struct tls_profile {
	struct tls_profile *next, **link;
	struct ssl_ctx_st *context;
	uint32_t users;
	bool is_verified, has_alpn;
	/* Objects for the next connections: one costs as much to make as a resumed handshake. */
	struct ssl_st *idle[TLS_IDLE_MAX];
	uint32_t n_idle;
	uint8_t key[32]; /* digest of all wishes */
};

struct tls_profile **tls_world_profiles(struct tls_world *world);
/* Lets connections of this context be resumed, and finds the profile again. Returns 0, or -1 when out of memory. */
int tls_resume_prepare(struct tls_profile *profile);

#endif
