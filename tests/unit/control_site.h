/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A site for the tests of the control role: a generation and the boards of all roles, made here. */
#ifndef POISE_CONTROL_SITE_H
#define POISE_CONTROL_SITE_H

#include "board.h"
#include "conf.h"
#include "status.h"

/* Numbers in the generation that control_site_new() builds. */
enum { SITE_WEB, SITE_WEB6 };                                     /* instances */
enum { SITE_HTTP, SITE_MARK, SITE_GROUP };                        /* services */
enum { SITE_S2, SITE_S3, SITE_SORRY, SITE_M2, SITE_G2, SITE_G6 }; /* servers */

struct control_site {
	struct conf *conf;
	struct board *boards[ROLE_COUNT];
};

/* web (eth0, two addresses and one that is not advertised) and web6 in group both; 192.0.2.100:80/tcp with 10.1.0.2:80,
 * 10.1.0.3:80 and a sorry server 10.1.0.9:80; fwmark 5 with 10.1.0.2:80; group pool with 10.1.0.2:53 and
 * [2001:db8:1::6]:53, udp. Boards of generation 7 are there, empty, except control's and snmp's. */
struct control_site control_site_new(void);
/* Replaces the board of a role by an empty one of another generation. */
void control_site_renew(struct control_site *site, enum role role, uint64_t generation);
void control_site_free(struct control_site *site);

#endif
