/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What checks wish of TLS, as contexts of OpenSSL: one for all checks with the same wishes. Runs in poise-healthcheck;
 * it reads no file but the system's authorities: the others come with the configuration. */
#include "tls_profile.h"
#include "tls_trust.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int versions[] = {0, TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};

static const char *openssl_error(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text ? text : "no reason given";
}

static void add_blobs(EVP_MD_CTX *digest, const struct conf *conf, const struct conf_range *range)
{
	EVP_DigestUpdate(digest, &range->count, sizeof(range->count));
	for (uint32_t i = range->first; i < range->first + range->count; i++)
		EVP_DigestUpdate(digest, &conf->blobs[i], sizeof(conf->blobs[i]));
}

/* The same wishes, the same digest. */
static bool make_key(const struct conf *conf, const struct conf_check *check, uint8_t key[32])
{
	const char *alpn = conf_string(conf, check->tls_alpn);
	uint32_t numbers[2] = {check->tls_verify, check->tls_min_version};
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	bool ok = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1;

	if (ok) {
		EVP_DigestUpdate(digest, numbers, sizeof(numbers));
		EVP_DigestUpdate(digest, alpn, strlen(alpn) + 1);
		EVP_DigestUpdate(digest, &check->kind, check->kind == CONF_CHECK_GRPC ? sizeof(check->kind) : 0);
		add_blobs(digest, conf, &check->ca_blobs);
		add_blobs(digest, conf, &check->cert_blobs);
		add_blobs(digest, conf, &check->key_blobs);
		add_blobs(digest, conf, &check->key_password);
		ok = EVP_DigestFinal_ex(digest, key, NULL) == 1;
	}
	EVP_MD_CTX_free(digest);
	return ok;
}

/* A file as memory to read from; NULL when out of memory. */
static BIO *open_blobs(const struct conf *conf, const struct conf_range *range)
{
	BIO *bio = BIO_new(BIO_s_mem());

	for (uint32_t i = range->first; bio && i < range->first + range->count; i++)
		BIO_write(bio, conf->blobs[i].bytes, (int)conf->blobs[i].length);
	return bio;
}

static int trust(SSL_CTX *context, const struct conf *conf, const struct conf_check *check, char *why)
{
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	BIO *bio;
	X509 *x;
	int n = 0;

	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, tls_note_untrusted);
	if (!check->tls_ca) {
		if (SSL_CTX_set_default_verify_paths(context) == 1)
			return 0;
		snprintf(why, WHY_SIZE, "the system's certificate authorities cannot be read");
		return -1;
	}
	bio = open_blobs(conf, &check->ca_blobs);
	while (bio && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		n += X509_STORE_add_cert(store, x) == 1;
		X509_free(x);
	}
	BIO_free(bio);
	if (n > 0)
		return 0;
	snprintf(why, WHY_SIZE, "tls_ca %.80s has no certificate in PEM format", conf_string(conf, check->tls_ca));
	return -1;
}

/* Without a pass phrase it is empty: nobody is there to be asked. */
static EVP_PKEY *read_key(const struct conf *conf, const struct conf_check *check)
{
	BIO *keys = open_blobs(conf, &check->key_blobs);
	char password[CONF_BLOB_SIZE + 1] = "";
	EVP_PKEY *key;

	if (check->key_password.count) {
		const struct conf_blob *blob = &conf->blobs[check->key_password.first];

		memcpy(password, blob->bytes, blob->length < CONF_BLOB_SIZE ? blob->length : CONF_BLOB_SIZE);
	}
	key = keys ? PEM_read_bio_PrivateKey(keys, NULL, NULL, password) : NULL;
	OPENSSL_cleanse(password, sizeof(password));
	BIO_free(keys);
	return key;
}

static int show_certificate(SSL_CTX *context, const struct conf *conf, const struct conf_check *check, char *why)
{
	BIO *certs = open_blobs(conf, &check->cert_blobs);
	X509 *x = certs ? PEM_read_bio_X509(certs, NULL, NULL, NULL) : NULL;
	EVP_PKEY *key = read_key(conf, check);
	bool ok = x && key && SSL_CTX_use_certificate(context, x) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1;

	X509_free(x);
	EVP_PKEY_free(key);
	while (ok && (x = PEM_read_bio_X509(certs, NULL, NULL, NULL)))
		if (SSL_CTX_add0_chain_cert(context, x) != 1)
			X509_free(x);
	BIO_free(certs);
	if (ok)
		return 0;
	snprintf(why, WHY_SIZE, "tls_cert and tls_key cannot be used: %s", openssl_error());
	return -1;
}

/* "h2 http/1.1" as the lengths and bytes of the wire. */
static int offer_protocols(SSL_CTX *context, const char *text, char *why)
{
	unsigned char wire[256];
	size_t used = 0;

	while (*text) {
		size_t n = strcspn(text, " ,");

		if (n > 0 && used + 1 + n <= sizeof(wire)) {
			wire[used] = (unsigned char)n;
			memcpy(wire + used + 1, text, n);
			used += n + 1;
		} else if (n > 0) {
			snprintf(why, WHY_SIZE, "tls_alpn is longer than %zu bytes", sizeof(wire));
			return -1;
		}
		text += n + (text[n] != 0);
	}
	if (SSL_CTX_set_alpn_protos(context, wire, (unsigned)used) == 0)
		return 0;
	snprintf(why, WHY_SIZE, "tls_alpn cannot be used: out of memory");
	return -1;
}

static int set_up(struct tls_profile *p, const struct conf *conf, const struct conf_check *check, char *why)
{
	const char *alpn = check->kind == CONF_CHECK_GRPC ? "h2" : conf_string(conf, check->tls_alpn);

	SSL_CTX_set_mode(p->context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	/* Many servers end without close_notify; a cut answer is seen by its length. */
	SSL_CTX_set_options(p->context, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_verify(p->context, SSL_VERIFY_NONE, NULL);
	if (tls_resume_prepare(p) < 0) {
		snprintf(why, WHY_SIZE, "out of memory");
		return -1;
	}
	if (check->tls_min_version &&
		SSL_CTX_set_min_proto_version(p->context, versions[check->tls_min_version]) != 1) {
		snprintf(why, WHY_SIZE, "tls_min_version is not known to this OpenSSL");
		return -1;
	}
	p->is_verified = check->tls_verify;
	p->has_alpn = *alpn != '\0';
	if (p->is_verified && trust(p->context, conf, check, why) < 0)
		return -1;
	if (check->tls_cert && show_certificate(p->context, conf, check, why) < 0)
		return -1;
	return p->has_alpn ? offer_protocols(p->context, alpn, why) : 0;
}

struct tls_profile *tls_profile_get(
	struct tls_world *world, const struct conf *conf, const struct conf_check *check, char *why)
{
	struct tls_profile **first = tls_world_profiles(world), *p;
	uint8_t key[32];

	snprintf(why, WHY_SIZE, "out of memory");
	if (!make_key(conf, check, key))
		return NULL;
	for (p = *first; p; p = p->next) {
		if (memcmp(p->key, key, sizeof(key)) == 0) {
			p->users++;
			return p;
		}
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->users = 1;
	memcpy(p->key, key, sizeof(key));
	p->next = *first;
	p->link = first;
	if (p->next)
		p->next->link = &p->next;
	*first = p;
	p->context = SSL_CTX_new(TLS_client_method());
	if (p->context && set_up(p, conf, check, why) == 0) {
		ERR_clear_error();
		return p;
	}
	tls_profile_put(p);
	ERR_clear_error();
	return NULL;
}

void tls_profile_put(struct tls_profile *p)
{
	if (!p || --p->users > 0)
		return;
	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
	while (p->n_idle > 0)
		SSL_free(p->idle[--p->n_idle]);
	SSL_CTX_free(p->context);
	free(p);
}
