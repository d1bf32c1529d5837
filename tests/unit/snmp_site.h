/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small site for the tests of the snmp role: a configuration like the one whose notifications were recorded from
 * keepalived (two instances in a group, one for IPv6; services by address, mark and group), and the boards to it. */
#ifndef POISE_TEST_SNMP_SITE_H
#define POISE_TEST_SNMP_SITE_H

#include "../../snmp/mib.h"

enum { VI_1, VI_2, VI_6 };                    /* instances */
enum { WEB, MARK, POOL };                     /* services */
enum { SORRY, RS_A, RS_B, RS_MARK, RS_POOL }; /* servers */

struct site {
	struct conf *conf;
	struct board *boards[ROLE_COUNT];
	struct mib_view view; /* of the two above */
};

/* Everything is up, this node is master; all MIBs and notifications are enabled. */
void site_init(struct site *site, uint64_t generation);
void site_free(struct site *site);

struct status_instance site_instance(const struct site *site, unsigned i);
void site_set_instance(struct site *site, unsigned i, const struct status_instance *st);
void site_set_health(struct site *site, unsigned server, enum health health);

#endif
