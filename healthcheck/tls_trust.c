/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Says what is wrong with a certificate, with the names and days that an operator has to compare. Runs in
 * poise-healthcheck, in OpenSSL's verification; it decides nothing. */
#include "tls_trust.h"
#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAMES_SIZE 64

static char untrusted[128];

/* ---- days ---- */

const char *tls_day(const ASN1_TIME *time, char *buf)
{
	int days = 0, seconds = 0;
	char date[16] = "";
	struct tm tm;

	if (!time || ASN1_TIME_to_tm(time, &tm) != 1 || ASN1_TIME_diff(&days, &seconds, NULL, time) != 1 ||
		strftime(date, sizeof(date), "%Y-%m-%d", &tm) == 0) {
		snprintf(buf, TLS_DAY_SIZE, "a time that is none");
		return buf;
	}
	if (days == 0)
		snprintf(
			buf, TLS_DAY_SIZE, "%s (%d h %s)", date, abs(seconds) / 3600, seconds < 0 ? "ago" : "from now");
	else
		snprintf(buf, TLS_DAY_SIZE, "%s (%d day%s %s)", date, abs(days), abs(days) == 1 ? "" : "s",
			days < 0 ? "ago" : "from now");
	return buf;
}

/* ---- names ---- */

static void add_name(char *names, const char *text, size_t length)
{
	size_t used = strlen(names);

	if (used > 0 && used + 2 < NAMES_SIZE) {
		memcpy(names + used, ", ", 3);
		used += 2;
	}
	for (size_t i = 0; i < length && used + 1 < NAMES_SIZE; i++)
		names[used++] = text[i] > ' ' && text[i] <= '~' ? text[i] : '.';
	names[used] = '\0';
}

static void add_address(char *names, const ASN1_OCTET_STRING *address)
{
	char text[INET6_ADDRSTRLEN] = "?";
	int length = ASN1_STRING_length(address);

	if (length == 4 || length == 16)
		inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text, sizeof(text));
	add_name(names, text, strlen(text));
}

static void add_common_name(char *names, const X509_NAME *of)
{
	int at = of ? X509_NAME_get_index_by_NID(of, NID_commonName, -1) : -1;
	const ASN1_STRING *name = at < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(of, at));

	if (name)
		add_name(names, (const char *)ASN1_STRING_get0_data(name), (size_t)ASN1_STRING_length(name));
	else
		add_name(names, "nobody", strlen("nobody"));
}

/* Whom it is for: its alternative names, and only without any its common name (RFC 6125, section 6.4.4). */
static void list_names(X509 *x, char *names)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);

	names[0] = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);

		if (name->type == GEN_DNS)
			add_name(names, (const char *)ASN1_STRING_get0_data(name->d.dNSName),
				(size_t)ASN1_STRING_length(name->d.dNSName));
		else if (name->type == GEN_IPADD)
			add_address(names, name->d.iPAddress);
	}
	GENERAL_NAMES_free(all);
	if (!names[0])
		add_common_name(names, X509_get_subject_name(x));
}

/* ---- verification ---- */

static void note_mismatch(X509_STORE_CTX *store, X509 *x, const char *what)
{
	X509_VERIFY_PARAM *wishes = X509_STORE_CTX_get0_param(store);
	const char *host = X509_VERIFY_PARAM_get0_host(wishes, 0);
	char *address = host ? NULL : X509_VERIFY_PARAM_get1_ip_asc(wishes);
	char names[NAMES_SIZE];

	list_names(x, names);
	snprintf(untrusted, sizeof(untrusted), "%s: it is for %s, wanted %s", what, names,
		host      ? host
		: address ? address
			  : "?");
	OPENSSL_free(address);
}

static void note_chain(X509 *x, const char *what)
{
	char subject[NAMES_SIZE] = "", issuer[NAMES_SIZE] = "";

	add_common_name(subject, X509_get_subject_name(x));
	add_common_name(issuer, X509_get_issuer_name(x));
	snprintf(untrusted, sizeof(untrusted), "%s: %.30s, issued by %.30s", what, subject, issuer);
}

int tls_note_untrusted(int ok, X509_STORE_CTX *store)
{
	int error = X509_STORE_CTX_get_error(store);
	const char *what = X509_verify_cert_error_string(error);
	X509 *x = X509_STORE_CTX_get_current_cert(store);
	char day[TLS_DAY_SIZE];

	if (ok)
		return ok;
	if (!x)
		snprintf(untrusted, sizeof(untrusted), "%s", what);
	else if (error == X509_V_ERR_CERT_HAS_EXPIRED)
		snprintf(untrusted, sizeof(untrusted), "%s: on %s", what, tls_day(X509_get0_notAfter(x), day));
	else if (error == X509_V_ERR_CERT_NOT_YET_VALID)
		snprintf(untrusted, sizeof(untrusted), "%s: good from %s", what, tls_day(X509_get0_notBefore(x), day));
	else if (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH)
		note_mismatch(store, x, what);
	else
		note_chain(x, what);
	return ok;
}

const char *tls_untrusted(void)
{
	return untrusted;
}
