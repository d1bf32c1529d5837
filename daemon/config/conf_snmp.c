/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SNMP keywords of global_defs: which MIBs are served, and who gets notifications without an snmpd between. Runs
 * in the config role. Communities and passphrases go into a table that only the snmp role sees. */
#include "conf_snmp.h"
#include "conf_print.h"
#include <string.h>

#define TRAP_PORT 162
#define PASSPHRASE_MIN 8 /* RFC 3414, 11.2 */
#define ENGINE_ID_MIN 5
#define ENGINE_ID_MAX 32 /* octets; RFC 3411 */

static const char *const auth_names[] = {"none", "MD5", "SHA", "SHA-224", "SHA-256", "SHA-384", "SHA-512", NULL};
static const char *const priv_names[] = {"none", "AES", NULL};

static struct conf_global *global(struct conf_load *load)
{
	return conf_builder_at(load->builder, CONF_TABLE_GLOBAL, 0);
}

static struct conf_trap_target *target(struct conf_load *load)
{
	return conf_current(load, CONF_TABLE_TRAP_TARGET);
}

/* ---- what is served ---- */

static void apply_snmp_rfc(struct conf_load *load, const struct conf_node *node)
{
	(void)node;
	global(load)->snmp_rfcv2 = global(load)->snmp_rfcv3 = 1;
}

static void apply_keepalived_mib(struct conf_load *load, const struct conf_node *node)
{
	bool on = true;

	if (node->n_words > 1 && !conf_parse_bool(conf_word(node, 1), &on)) {
		conf_warn(load, node, 1,
			"snmp_keepalived_mib may be followed by on or off, not by \"%s\"" CONF_MEANING
			"the line is ignored",
			conf_word(node, 1));
		return;
	}
	load->defaults.snmp_keepalived = on;
	conf_extra_words(load, node, 2);
}

static void print_keepalived_mib(struct conf_printer *p, uint32_t record)
{
	const struct conf_global *g = conf_print_record(p, CONF_TABLE_GLOBAL, record);

	if (!g->snmp_keepalived && (g->snmp_vrrp || g->snmp_checker))
		conf_print_line(p, "snmp_keepalived_mib off");
}

static bool same_secret(struct conf_load *load, conf_index_t a, conf_index_t b)
{
	if (a == CONF_NONE || b == CONF_NONE)
		return a == b;
	return memcmp(conf_builder_at(load->builder, CONF_TABLE_TRAP_SECRET, a),
		       conf_builder_at(load->builder, CONF_TABLE_TRAP_SECRET, b), sizeof(struct conf_secret)) == 0;
}

/* A user of our own engine is one user, whoever receives. */
static void check_user(struct conf_load *load, conf_index_t i)
{
	const struct conf_trap_target *t = conf_builder_at(load->builder, CONF_TABLE_TRAP_TARGET, i), *other;

	for (conf_index_t k = 0; t->user && !t->inform && k < i; k++) {
		other = conf_builder_at(load->builder, CONF_TABLE_TRAP_TARGET, k);
		if (other->user != t->user || other->inform)
			continue;
		if (other->auth != t->auth || other->priv != t->priv ||
			!same_secret(load, other->auth_secret, t->auth_secret) ||
			!same_secret(load, other->priv_secret, t->priv_secret))
			conf_error(load, conf_object_node(load, CONF_TABLE_TRAP_TARGET, i), 1,
				"user %s has another auth or priv above; for traps a user has the same everywhere",
				conf_builder_text(load->builder, t->user));
	}
}

void conf_finish_snmp(struct conf_load *load)
{
	struct conf_global *g = global(load);

	/* keepalived's keywords ask for keepalived's MIB unless it is turned off; asked for by name alone, all of it
	 * is meant. */
	if (load->defaults.snmp_keepalived > 0 && !g->snmp_vrrp && !g->snmp_checker)
		g->snmp_vrrp = g->snmp_checker = 1;
	g->snmp_keepalived = load->defaults.snmp_keepalived != 0 && (g->snmp_vrrp || g->snmp_checker);
	for (conf_index_t i = 0; i < conf_builder_count(load->builder, CONF_TABLE_TRAP_TARGET); i++)
		check_user(load, i);
}

/* 0x and an even number of digits. The first bit must be set: the other form has a fixed length and is history. */
static void apply_engine_id(struct conf_load *load, const struct conf_node *node)
{
	const char *text = conf_word(node, 1);
	size_t digits;

	if (strncmp(text, "0x", 2) == 0)
		text += 2;
	digits = strspn(text, "0123456789abcdefABCDEF");
	if (text[digits] || digits % 2 || digits < 2 * ENGINE_ID_MIN || digits > 2 * ENGINE_ID_MAX ||
		!strchr("89abcdefABCDEF", text[0])) {
		conf_error(load, node, 1,
			"snmp_engine_id needs %d to %d octets in hexadecimal that begin with 8 or more (such as "
			"0x80001f88046c6231), not \"%s\"",
			ENGINE_ID_MIN, ENGINE_ID_MAX, conf_word(node, 1));
		return;
	}
	global(load)->snmp_engine_id = conf_text(load, text);
	conf_extra_words(load, node, 2);
}

static void print_engine_id(struct conf_printer *p, uint32_t record)
{
	const struct conf_global *g = conf_print_record(p, CONF_TABLE_GLOBAL, record);

	if (g->snmp_engine_id)
		conf_print_line(p, "snmp_engine_id 0x%s", conf_print_string(p, g->snmp_engine_id));
}

/* ---- receivers ---- */

/* Stores a secret of the current receiver. `index` is where its number is kept. */
static bool take_secret(
	struct conf_load *load, const struct conf_node *node, uint32_t word, size_t shortest, conf_index_t *index)
{
	const char *text = conf_word(node, word);
	size_t length = strlen(text);
	struct conf_secret *secret;

	conf_diag_hide(load->diag, conf_node_place(node));
	if (length < shortest || length >= sizeof(secret->bytes)) {
		conf_error(load, node, word, "%s needs %zu to %zu characters here", conf_word(node, 0), shortest,
			sizeof(secret->bytes) - 1);
		return false;
	}
	*index = conf_builder_add(load->builder, CONF_TABLE_TRAP_SECRET);
	secret = conf_builder_at(load->builder, CONF_TABLE_TRAP_SECRET, *index);
	memcpy(secret->bytes, text, length);
	secret->length = (uint32_t)length;
	conf_extra_words(load, node, word + 1);
	return true;
}

static void apply_community(struct conf_load *load, const struct conf_node *node)
{
	conf_index_t index;

	if (take_secret(load, node, 1, 1, &index))
		target(load)->community = index;
}

static int take_protocol(struct conf_load *load, const struct conf_node *node, const char *const *names)
{
	int choice = conf_parse_choice(conf_word(node, 1), names);

	conf_diag_hide(load->diag, conf_node_place(node));
	if (choice <= 0)
		conf_error(load, node, 1, "%s PROTOCOL PASSPHRASE: the protocol is %s", conf_word(node, 0),
			names == priv_names ? "AES" : "MD5, SHA, SHA-224, SHA-256, SHA-384 or SHA-512");
	return choice;
}

static void apply_auth(struct conf_load *load, const struct conf_node *node)
{
	int protocol = take_protocol(load, node, auth_names);
	conf_index_t index;

	if (protocol <= 0 || !take_secret(load, node, 2, PASSPHRASE_MIN, &index))
		return;
	target(load)->auth = (uint8_t)protocol;
	target(load)->auth_secret = index;
}

static void apply_priv(struct conf_load *load, const struct conf_node *node)
{
	conf_index_t index;

	if (take_protocol(load, node, priv_names) <= 0 || !take_secret(load, node, 2, PASSPHRASE_MIN, &index))
		return;
	target(load)->priv = 1;
	target(load)->priv_secret = index;
}

static bool begin_target(struct conf_load *load, const struct conf_node *node)
{
	struct conf_trap_target *t;
	uint16_t port = TRAP_PORT;
	struct addr addr;
	uint32_t used = conf_endpoint(load, node, 1, &addr, &port);

	if (used == 0)
		return false;
	conf_extra_words(load, node, 1 + used);
	t = conf_object_begin(load, &conf_trap_target_block, node);
	t->addr = addr;
	t->port = port ? port : TRAP_PORT;
	t->community = t->auth_secret = t->priv_secret = CONF_NONE;
	return true;
}

static void end_target(struct conf_load *load, const struct conf_node *node)
{
	const struct conf_trap_target *t = target(load);

	if (!t->user && t->auth)
		conf_error(load, node, 1, "auth belongs to a user (SNMP version 3): add `user NAME`");
	else if (t->priv && !t->auth)
		conf_error(load, node, 1, "priv needs auth as well");
	if (t->user && t->community != CONF_NONE)
		conf_warn(load, node, 1, "a user (version 3) needs no community" CONF_MEANING "version 3 is used");
}

static void print_secret(struct conf_printer *p, const char *keyword, conf_index_t index)
{
	const struct conf_secret *secret;
	char text[sizeof(secret->bytes) + 1] = "";

	if (index == CONF_NONE)
		return;
	secret = conf_print_record(p, CONF_TABLE_TRAP_SECRET, index);
	memcpy(text, secret->bytes, secret->length);
	conf_print_line(p, "%s %s", keyword, conf_print_word(p, text));
}

static void print_target(struct conf_printer *p, const struct conf_trap_target *t, conf_index_t i)
{
	char text[ADDR_TEXT], keyword[32];

	conf_print_open(p, "snmp_trap_to %s %u", addr_format(&t->addr, text), t->port);
	print_secret(p, "community", t->community);
	conf_print_directives(p, &conf_trap_target_block, i);
	snprintf(keyword, sizeof(keyword), "auth %s", auth_names[t->auth]);
	print_secret(p, keyword, t->auth_secret);
	print_secret(p, "priv AES", t->priv_secret);
	conf_print_close(p);
}

/* Receivers belong to global_defs, which has one record: this prints them all. */
static void print_targets(struct conf_printer *p, uint32_t record)
{
	(void)record;
	for (conf_index_t i = 0; i < conf_builder_count(p->builder, CONF_TABLE_TRAP_TARGET); i++)
		print_target(p, conf_print_record(p, CONF_TABLE_TRAP_TARGET, i), i);
}

#define G(member) CONF_RECORD(conf_global, member)
#define T(member) CONF_RECORD(conf_trap_target, member)

/* clang-format off */
static const struct conf_directive target_directives[] = {
	CALL("community", apply_community, NULL, LIVE, "the community of version 2c; default public"),
	TEXT("user", T(user), LIVE, "NAME: version 3 as this user"),
	CALL("auth", apply_auth, NULL, LIVE, "PROTOCOL PASSPHRASE of the user: MD5, SHA, SHA-224, SHA-256, SHA-384 or SHA-512; at least 8 characters"),
	CALL("priv", apply_priv, NULL, LIVE, "AES PASSPHRASE: encrypts, with auth; at least 8 characters"),
	FLAG("inform", T(inform), LIVE, "ask for an acknowledgement and send again without one"),
	TIME("timeout", T(timeout_us), 100 * CONF_MS, 60 * CONF_S, 2 * CONF_S, LIVE, "how long to wait for the acknowledgement of an inform"),
	NUMBER("retries", T(retries), 0, 100, 9, LIVE, "how often an inform is sent again before it is given up and logged"),
	END_OF_TABLE,
};

const struct conf_directive conf_snmp_directives[] = {
	PLAIN("enable_traps", G(snmp_traps), LIVE, "send SNMP notifications through the AgentX master"),
	PLAIN("enable_snmp_vrrp", G(snmp_vrrp), LIVE, "serve the VRRP part of KEEPALIVED-MIB, and POISE-MIB"),
	PLAIN("enable_snmp_keepalived", G(snmp_vrrp), LIVE, "old name of enable_snmp_vrrp"),
	PLAIN("enable_snmp_checker", G(snmp_checker), LIVE, "serve the virtual server part of KEEPALIVED-MIB, and POISE-MIB"),
	PLAIN("enable_snmp_rfcv2", G(snmp_rfcv2), LIVE, "serve the MIB of RFC 2787, and POISE-MIB"),
	PLAIN("enable_snmp_rfcv3", G(snmp_rfcv3), LIVE, "serve the MIB of RFC 6527, and POISE-MIB"),
	CALL("enable_snmp_rfc", apply_snmp_rfc, NULL, LIVE, "both enable_snmp_rfcv2 and enable_snmp_rfcv3"),
	FLAG("enable_snmp_poise", G(snmp_poise), LIVE, "serve POISE-MIB, which all other enable_snmp keywords do, too"),
	CALL("snmp_keepalived_mib", apply_keepalived_mib, print_keepalived_mib, LIVE, "tables and traps of KEEPALIVED-MIB; on with enable_snmp_vrrp and enable_snmp_checker, unless followed by off"),
	TEXT("snmp_socket", G(snmp_socket), START, "AgentX master to connect to, such as unix:/var/agentx/master or tcp:127.0.0.1:705"),
	BLOCK("snmp_trap_to", &conf_trap_target_block, LIVE, "ADDRESS [PORT]: send notifications there directly, without any snmpd; more than one may be given"),
	NUMBER("snmp_trap_rate", G(snmp_trap_rate), 1, 1000, 20, LIVE, "notifications a second to each receiver, at most; what is more waits, and bursts are told in lists"),
	CALL("snmp_engine_id", apply_engine_id, print_engine_id, LIVE, "engine ID of version 3 traps, in hexadecimal; default 0x80001f8804 and router_id"),
	END_OF_TABLE,
};
/* clang-format on */

const struct conf_block conf_trap_target_block = {
	.name = "snmp_trap_to",
	.table = CONF_TABLE_TRAP_TARGET,
	.directives = {target_directives},
	.begin = begin_target,
	.end = end_target,
	.print = print_targets,
	.body_optional = true,
};
