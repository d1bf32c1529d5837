/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DNS questions and the judgement of answers (RFC 1035, section 4). Pure. */
#ifndef POISE_DNS_PACKET_H
#define POISE_DNS_PACKET_H

#include "reason.h"

#define DNS_QUERY_MAX 300

/* Builds a question for a domain name ("." = the root). Returns its length, 0 when the name is none. */
size_t dns_build(uint16_t id, const char *name, uint32_t type, uint8_t *buf);
/* Judges a packet that came. Returns false when it is no answer to the question (somebody else's, or damaged): wait on.
 * Else fills the result: NOERROR passes. */
bool dns_judge(
	const uint8_t *query, size_t query_length, const uint8_t *data, size_t length, struct probe_result *result);

#endif
