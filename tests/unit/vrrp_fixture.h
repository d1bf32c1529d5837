/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration in plain arrays for the tests of the vrrp cores: one instance, changed by each test as it likes. */
#ifndef POISE_TEST_VRRP_FIXTURE_H
#define POISE_TEST_VRRP_FIXTURE_H

#include "conf.h"
#include "mono.h"
#include <string.h>

struct fixture {
	struct conf conf;
	struct conf_global global;
	struct conf_instance instance;
	struct conf_address addresses[3];
	struct conf_peer peers[2];
	struct conf_secret secret;
};

static inline struct addr fixture_addr(const char *text)
{
	struct addr a = {0};

	addr_parse(text, &a);
	return a;
}

static inline void fixture_address(struct fixture *f, uint32_t i, const char *text)
{
	f->addresses[i].addr = fixture_addr(text);
	f->instance.addresses.count = f->instance.n_advertised = i + 1;
}

/* Virtual router 51 with priority 100 and 192.0.2.100 or fe80::100, one second, preempting. */
static inline void fixture_init(struct fixture *f, uint8_t version, uint8_t family)
{
	memset(f, 0, sizeof(*f));
	f->conf.global = &f->global;
	f->conf.instances = &f->instance;
	f->conf.n_instances = 1;
	f->conf.addresses = f->addresses;
	f->conf.peers = f->peers;
	f->conf.secrets = &f->secret;
	f->global.mcast_group4 = fixture_addr("224.0.0.18");
	f->global.mcast_group6 = fixture_addr("ff02::12");
	f->instance.version = version;
	f->instance.family = family;
	f->instance.vrid = 51;
	f->instance.priority = 100;
	f->instance.preempt = 1;
	f->instance.advert_us = US_PER_S;
	f->instance.down_timer_adverts = 3;
	f->instance.secret = f->instance.group = CONF_NONE;
	f->instance.garp_repeat = 5;
	f->instance.garp_delay_us = 5 * US_PER_S;
	f->instance.garp_refresh_repeat = 1;
	f->instance.garp_lower_prio_repeat = 5;
	f->instance.garp_lower_prio_delay_us = 5 * US_PER_S;
	fixture_address(f, 0, family == AF_INET ? "192.0.2.100" : "fe80::100");
}

static inline void fixture_secret(struct fixture *f, uint8_t auth, const char *text)
{
	f->instance.auth = auth;
	f->instance.secret = 0;
	f->secret.length = (uint32_t)strlen(text);
	memcpy(f->secret.bytes, text, f->secret.length);
}

static inline void fixture_unicast(struct fixture *f, const char *peer)
{
	f->instance.unicast = 1;
	f->instance.peers.count = 1;
	f->peers[0].addr = fixture_addr(peer);
}

#endif
