/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The block SSL: what every SSL_GET shows of itself that has no certificate of its own. */
#include "conf_probe.h"

static bool begin(struct conf_load *load, const struct conf_node *node)
{
	(void)node;
	load->ssl = (struct conf_ssl){0};
	return true;
}

static void end(struct conf_load *load, const struct conf_node *node)
{
	if (!load->ssl.cert != !load->ssl.key) {
		conf_error(load, node, 0, "SSL: certificate and key go together");
		load->ssl = (struct conf_ssl){0};
	}
}

static void apply_certificate(struct conf_load *load, const struct conf_node *node)
{
	conf_tls_file(load, node, &load->ssl.cert, &load->ssl.cert_blobs);
}

static void apply_key(struct conf_load *load, const struct conf_node *node)
{
	conf_tls_file(load, node, &load->ssl.key, &load->ssl.key_blobs);
}

static void apply_password(struct conf_load *load, const struct conf_node *node)
{
	conf_tls_password(load, node, &load->ssl.password);
}

void conf_ssl_finish(struct conf_load *load, struct conf_check *check)
{
	if (check->kind != CONF_CHECK_SSL || check->tls_cert)
		return;
	check->tls_cert = load->ssl.cert;
	check->tls_key = load->ssl.key;
	check->cert_blobs = load->ssl.cert_blobs;
	check->key_blobs = load->ssl.key_blobs;
	check->key_password = load->ssl.password;
}

/* clang-format off */
static const struct conf_directive directives[] = {
	CALL("certificate", apply_certificate, NULL, LIVE, "PEM file of the client certificate that every SSL_GET without a tls_cert shows"),
	CALL("key", apply_key, NULL, LIVE, "PEM file of its key"),
	CALL("password", apply_password, NULL, LIVE, "pass phrase of the key, when it has one"),
	IGNORED("ca", "it makes nothing be verified, as in keepalived; tls_verify and tls_ca of a check do"),
	END_OF_TABLE,
};
/* clang-format on */

const struct conf_block conf_ssl_global_block = {
	.name = "SSL", .table = -1, .directives = {directives}, .begin = begin, .end = end};
