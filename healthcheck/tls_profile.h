/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between tls.c and tls_profile.c. */
#ifndef POISE_TLS_PROFILE_H
#define POISE_TLS_PROFILE_H

#include "tls.h"

struct ssl_ctx_st;

struct tls_profile {
	struct tls_profile *next, **link;
	struct ssl_ctx_st *context;
	uint32_t users;
	bool is_verified, has_alpn;
	uint8_t key[32]; /* digest of all wishes */
};

struct tls_profile **tls_world_profiles(struct tls_world *world);

#endif
