/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which servers of a generation a person means. Pure: configuration and words in, indices out. */
#ifndef POISE_CONTROL_MATCH_H
#define POISE_CONTROL_MATCH_H

#include "conf.h"

#define MATCH_ERROR_SIZE 512

struct match {
	conf_index_t *servers; /* malloc'ed, in the order of the configuration */
	size_t count;
};

/* Finds the real servers that `server` (ADDRESS, ADDRESS:PORT, [ADDRESS6]:PORT or the server's own name, or one of them
 * after SERVICE/) stands for, in every service or in the one that `service` names: ADDRESS, ADDRESS:PORT, either with
 * /tcp, /udp or /sctp, "fwmark N", "group NAME". Sorry servers are never meant. Returns 0 (then at least one was found;
 * match_free() it), or -1 and a sentence in error that says what to do. */
int match_servers(const struct conf *conf, const char *server, const char *service, struct match *match, char *error);
void match_free(struct match *match);

/* Is `service` of the table the one that the words name? */
bool match_service_is(const struct conf *conf, conf_index_t service, const char *words);

#endif
