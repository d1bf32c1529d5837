/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates in words: until when one is good, and why one is not trusted. What stands in them is foreign: it is cut
 * to size, and what cannot be printed is a dot. */
#ifndef POISE_TLS_TRUST_H
#define POISE_TLS_TRUST_H

#include <stddef.h>
#include <stdint.h>

struct asn1_string_st;
struct x509_store_ctx_st;

#define TLS_DAY_SIZE 48

/* "2026-12-08 (in 9 days)", "2026-11-28 (1 day ago)", "a time that is none". Returns buf (TLS_DAY_SIZE bytes). */
const char *tls_day(const struct asn1_string_st *time, char *buf);

/* For SSL_CTX_set_verify(): lets OpenSSL decide, and remembers in words what it did not like. */
int tls_note_untrusted(int ok, struct x509_store_ctx_st *store);
/* Of the last certificate that was not trusted: "hostname mismatch: it is for a.example.org, wanted b.example.org". */
const char *tls_untrusted(void);

#endif
