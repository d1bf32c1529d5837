/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keywords of checks that speak TLS. Runs in the config role, which reads certificates and keys for a checker that may
 * not. */
#include "conf_probe.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TLS_FILE_MAX (1024 * 1024)

static struct conf_check *check(struct conf_load *load)
{
	return conf_current(load, CONF_TABLE_CHECK);
}

/* Copies an open file into blobs. Returns 0 or -errno. */
static int read_blobs(struct conf_load *load, int fd, struct conf_range *range)
{
	size_t total = 0;
	ssize_t n;

	*range = (struct conf_range){conf_builder_count(load->builder, CONF_TABLE_BLOB), 0};
	do {
		struct conf_blob blob = {0};

		n = read(fd, blob.bytes, sizeof(blob.bytes));
		if (n <= 0)
			break;
		blob.length = (uint32_t)n;
		total += (size_t)n;
		*(struct conf_blob *)conf_builder_at(
			load->builder, CONF_TABLE_BLOB, conf_builder_add(load->builder, CONF_TABLE_BLOB)) = blob;
		range->count++;
	} while (total <= TLS_FILE_MAX);
	if (n < 0)
		return -errno;
	return total > TLS_FILE_MAX ? -EFBIG : 0;
}

/* The same file for many checks is kept once. */
static bool find_read(struct conf_load *load, conf_string_t name, struct conf_range *range)
{
	for (conf_index_t i = 0; i + 1 < conf_builder_count(load->builder, CONF_TABLE_CHECK); i++) {
		const struct conf_check *c = conf_builder_at(load->builder, CONF_TABLE_CHECK, i);

		*range = c->tls_ca == name ? c->ca_blobs : c->tls_cert == name ? c->cert_blobs : c->key_blobs;
		if (c->tls_ca == name || c->tls_cert == name || c->tls_key == name)
			return true;
	}
	return false;
}

void conf_tls_file(struct conf_load *load, const struct conf_node *node, conf_string_t *name, struct conf_range *range)
{
	const char *path = conf_word(node, 1);
	struct stat st;
	int fd, rc;

	*name = conf_text(load, path);
	conf_extra_words(load, node, 2);
	if (!*name) {
		conf_error(load, node, 0, "%s needs the path of a file in PEM format", conf_word(node, 0));
		return;
	}
	if (load->no_files || find_read(load, *name, range))
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		/* Like a script that is missing: looked for only where the daemon will run. */
		if (load->check_files)
			conf_error(load, node, 1, "%s cannot be read: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	rc = S_ISREG(st.st_mode) ? read_blobs(load, fd, range) : -EINVAL;
	close(fd);
	if (rc < 0)
		conf_error(load, node, 1, "%s cannot be used: %s", path,
			rc == -EINVAL ? "it is no regular file" : strerror(-rc));
}

static void apply_ca(struct conf_load *load, const struct conf_node *node)
{
	struct conf_range range = {0, 0};
	conf_string_t name;

	conf_tls_file(load, node, &name, &range);
	check(load)->tls_ca = name;
	check(load)->ca_blobs = range;
}

static void apply_cert(struct conf_load *load, const struct conf_node *node)
{
	struct conf_range range = {0, 0};
	conf_string_t name;

	conf_tls_file(load, node, &name, &range);
	check(load)->tls_cert = name;
	check(load)->cert_blobs = range;
}

static void apply_key(struct conf_load *load, const struct conf_node *node)
{
	struct conf_range range = {0, 0};
	conf_string_t name;

	conf_tls_file(load, node, &name, &range);
	check(load)->tls_key = name;
	check(load)->key_blobs = range;
}

void conf_tls_password(struct conf_load *load, const struct conf_node *node, struct conf_range *range)
{
	const char *text = conf_word(node, 1);
	struct conf_blob blob = {.length = (uint32_t)strlen(text)};

	conf_diag_hide(load->diag, conf_node_place(node));
	conf_extra_words(load, node, 2);
	if (blob.length == 0 || blob.length > CONF_BLOB_SIZE) {
		conf_error(
			load, node, 0, "%s needs a pass phrase of 1 to %d bytes", conf_word(node, 0), CONF_BLOB_SIZE);
		return;
	}
	memcpy(blob.bytes, text, blob.length);
	*range = (struct conf_range){conf_builder_add(load->builder, CONF_TABLE_BLOB), 1};
	*(struct conf_blob *)conf_builder_at(load->builder, CONF_TABLE_BLOB, range->first) = blob;
}

static void apply_password(struct conf_load *load, const struct conf_node *node)
{
	struct conf_range range = {0, 0};

	conf_tls_password(load, node, &range);
	check(load)->key_password = range;
}

static void print_password(struct conf_printer *p, const struct conf_range *range)
{
	const struct conf_blob *blob = conf_print_record(p, CONF_TABLE_BLOB, range->first);
	char text[CONF_BLOB_SIZE + 1] = "";

	memcpy(text, blob->bytes, blob->length);
	conf_print_line(p, "tls_key_password %s", conf_print_word(p, text));
}

static void print_files(struct conf_printer *p, uint32_t record)
{
	const struct conf_check *c = conf_print_record(p, CONF_TABLE_CHECK, record);

	if (c->tls_ca)
		conf_print_line(p, "tls_ca %s", conf_print_text(p, c->tls_ca));
	if (c->tls_cert)
		conf_print_line(p, "tls_cert %s", conf_print_text(p, c->tls_cert));
	if (c->tls_key)
		conf_print_line(p, "tls_key %s", conf_print_text(p, c->tls_key));
	if (c->key_password.count)
		print_password(p, &c->key_password);
}

#define C(member) CONF_RECORD(conf_check, member)
#define DAYS_MAX 3650

static const char *const tls_versions[] = {"any", "1.0", "1.1", "1.2", "1.3", NULL};

/* clang-format off */
const struct conf_directive conf_check_tls[] = {
	FLAG("enable_sni", C(enable_sni), LIVE, "send virtualhost as server name in the TLS handshake"),
	TEXT("tls_name", C(tls_name), LIVE, "server name to send and, with tls_verify, to find in the certificate; default: the virtualhost"),
	FLAG("tls_verify", C(tls_verify), LIVE, "the certificate must be valid and name the server"),
	CALL("tls_ca", apply_ca, print_files, LIVE, "PEM file of authorities to trust with tls_verify; default: those of the system"),
	CALL("tls_cert", apply_cert, NULL, LIVE, "PEM file of the client certificate to show"),
	CALL("tls_key", apply_key, NULL, LIVE, "PEM file of its key"),
	CALL("tls_key_password", apply_password, NULL, LIVE, "pass phrase of the key, when it has one"),
	TEXT("tls_alpn", C(tls_alpn), LIVE, "protocols to offer, such as http/1.1 or \"h2 http/1.1\"; the server must take one"),
	CHOICE("tls_min_version", C(tls_min_version), tls_versions, 0, LIVE, "oldest version of TLS that is accepted"),
	NUMBER("cert_expiry_warning", C(cert_expiry_warning), 0, DAYS_MAX, 0, LIVE, "days before the end of the certificate when a warning is due; 0 = never"),
	NUMBER("cert_expiry_failure", C(cert_expiry_failure), 0, DAYS_MAX, 0, LIVE, "days before the end of the certificate when the check fails; 0 = never"),
	END_OF_TABLE,
};
/* clang-format on */
