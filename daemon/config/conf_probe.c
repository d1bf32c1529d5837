/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keywords of health checks beyond TCP and HTTP: conversations, and the kinds TLS_CHECK, SMTP_CHECK, DNS_CHECK,
 * UDP_CHECK, PING_CHECK, FILE_CHECK, AGENT_CHECK, GRPC_CHECK. Runs in the config role. */
#include "conf_probe.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static struct conf_check *check(struct conf_load *load)
{
	return conf_current(load, CONF_TABLE_CHECK);
}

/* ---- conversations ---- */

static bool is_hex(const char *text)
{
	size_t n = strspn(text, "0123456789abcdefABCDEF");

	return n > 0 && n % 2 == 0 && !text[n];
}

/* All steps of a check lie together, because nothing else of the file adds any meanwhile. */
static void add_step(struct conf_load *load, enum conf_step_kind kind, conf_string_t text)
{
	struct conf_range *steps = &check(load)->steps;
	conf_index_t index = conf_builder_add(load->builder, CONF_TABLE_STEP);

	*(struct conf_step *)conf_builder_at(load->builder, CONF_TABLE_STEP, index) =
		(struct conf_step){.kind = kind, .text = text};
	if (steps->count == 0)
		steps->first = index;
	steps->count++;
}

static void apply_step(struct conf_load *load, const struct conf_node *node)
{
	static const struct {
		const char *name;
		enum conf_step_kind kind;
	} names[] = {
		{"send", CONF_STEP_SEND},
		{"send_hex", CONF_STEP_SEND_HEX},
		{"expect", CONF_STEP_EXPECT},
		{"expect_hex", CONF_STEP_EXPECT_HEX},
		{"expect_regex", CONF_STEP_EXPECT_REGEX},
	};
	const char *text = conf_word(node, 1);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i].name, conf_word(node, 0)) != 0)
			continue;
		if (!*text)
			conf_error(load, node, 0, "%s needs what is to be %s", names[i].name,
				names[i].kind <= CONF_STEP_SEND_HEX ? "sent" : "found");
		else if ((names[i].kind == CONF_STEP_SEND_HEX || names[i].kind == CONF_STEP_EXPECT_HEX) &&
			 !is_hex(text))
			conf_error(load, node, 1, "%s needs an even number of hexadecimal digits", names[i].name);
		else
			add_step(load, names[i].kind, conf_text(load, text));
	}
	conf_extra_words(load, node, 2);
}

static void print_steps(struct conf_printer *p, uint32_t record)
{
	static const char *const names[] = {
		[CONF_STEP_SEND] = "send",
		[CONF_STEP_SEND_HEX] = "send_hex",
		[CONF_STEP_EXPECT] = "expect",
		[CONF_STEP_EXPECT_HEX] = "expect_hex",
		[CONF_STEP_EXPECT_REGEX] = "expect_regex",
	};
	const struct conf_check *c = conf_print_record(p, CONF_TABLE_CHECK, record);

	for (uint32_t i = 0; i < c->steps.count; i++) {
		const struct conf_step *s = conf_print_record(p, CONF_TABLE_STEP, c->steps.first + i);

		/* The beginning of a reply is told by require_reply. */
		if (s->kind != CONF_STEP_EXPECT_BEGIN)
			conf_print_line(p, "%s %s", names[s->kind], conf_print_text(p, s->text));
	}
}

#define C(member) CONF_RECORD(conf_check, member)

/* clang-format off */
const struct conf_directive conf_check_talk[] = {
	CALL("send", apply_step, print_steps, LIVE, "text to send, with \\r \\n \\t \\xHH; send and expect may be repeated and are done in their order"),
	CALL("send_hex", apply_step, NULL, LIVE, "the same as hexadecimal digits"),
	CALL("expect", apply_step, NULL, LIVE, "text that must come"),
	CALL("expect_hex", apply_step, NULL, LIVE, "bytes that must come, as hexadecimal digits"),
	CALL("expect_regex", apply_step, NULL, LIVE, "expression that what comes must match"),
	END_OF_TABLE,
};
/* clang-format on */

/* ---- UDP_CHECK ---- */

static bool is_digit(char c, bool with_any)
{
	return isxdigit((unsigned char)c) || (with_any && (c == 'x' || c == 'X'));
}

/* keepalived's free form: words of digits, two to a byte, a single one at the end of a word is a byte of its own.
 * with_any: an X stands for any digit. */
static bool read_hex(const struct conf_node *node, uint32_t first, bool with_any, char *out, size_t size)
{
	size_t n = 0;

	for (uint32_t i = first; i < node->n_words; i++) {
		const char *word = conf_word(node, i);

		for (size_t k = 0; word[k];) {
			bool pair = word[k + 1] != 0;

			if (!is_digit(word[k], with_any) || (pair && !is_digit(word[k + 1], with_any)) || n + 3 > size)
				return false;
			out[n++] = pair ? word[k] : '0';
			out[n++] = pair ? word[k + 1] : word[k];
			k += pair ? 2 : 1;
		}
	}
	out[n] = 0;
	return n > 0;
}

#define PAYLOAD_MAX 2048

static void apply_payload(struct conf_load *load, const struct conf_node *node)
{
	char hex[PAYLOAD_MAX + 1];

	if (node->n_words < 2)
		conf_warn(load, node, 0, "payload needs what is to be sent" CONF_MEANING "it is ignored");
	else if (!read_hex(node, 1, false, hex, sizeof(hex)))
		conf_warn(load, node, 1,
			"payload needs hexadecimal digits, of at most %d bytes" CONF_MEANING "it is ignored",
			PAYLOAD_MAX / 2);
	else
		add_step(load, CONF_STEP_SEND_HEX, conf_text(load, hex));
}

static void apply_require_reply(struct conf_load *load, const struct conf_node *node)
{
	char hex[PAYLOAD_MAX + 1];

	check(load)->require_reply = 1;
	if (node->n_words < 2)
		return;
	if (read_hex(node, 1, true, hex, sizeof(hex)))
		add_step(load, CONF_STEP_EXPECT_BEGIN, conf_text(load, hex));
	else
		conf_warn(load, node, 1,
			"require_reply needs hexadecimal digits (X for any digit), of at most %d bytes" CONF_MEANING
			"any reply will do",
			PAYLOAD_MAX / 2);
}

static void print_require_reply(struct conf_printer *p, uint32_t record)
{
	const struct conf_check *c = conf_print_record(p, CONF_TABLE_CHECK, record);
	const char *wanted = "";

	for (uint32_t i = 0; i < c->steps.count; i++) {
		const struct conf_step *s = conf_print_record(p, CONF_TABLE_STEP, c->steps.first + i);

		if (s->kind == CONF_STEP_EXPECT_BEGIN)
			wanted = conf_print_text(p, s->text);
	}
	if (c->require_reply)
		conf_print_line(p, "require_reply%s%s", *wanted ? " " : "", wanted);
}

/* ---- DNS_CHECK ---- */

static const struct {
	const char *name;
	uint32_t type;
} dns_types[] = {{"A", 1}, {"NS", 2}, {"CNAME", 5}, {"SOA", 6}, {"MX", 15}, {"TXT", 16}, {"AAAA", 28}, {"SRV", 33},
	{"RRSIG", 46}, {"DNSKEY", 48}};

#define DNS_TYPES (sizeof(dns_types) / sizeof(dns_types[0]))
#define DNS_SOA 6

static void apply_dns_type(struct conf_load *load, const struct conf_node *node)
{
	for (size_t i = 0; i < DNS_TYPES; i++)
		if (strcasecmp(dns_types[i].name, conf_word(node, 1)) == 0)
			check(load)->dns_type = dns_types[i].type;
	if (!check(load)->dns_type)
		conf_warn(load, node, 1,
			"type must be A, NS, CNAME, SOA, MX, TXT, AAAA, SRV, RRSIG or DNSKEY" CONF_MEANING
			"SOA is taken");
	conf_extra_words(load, node, 2);
}

static void print_dns_type(struct conf_printer *p, uint32_t record)
{
	const struct conf_check *c = conf_print_record(p, CONF_TABLE_CHECK, record);

	for (size_t i = 0; i < DNS_TYPES; i++)
		if (dns_types[i].type == c->dns_type)
			conf_print_line(p, "type %s", dns_types[i].name);
}

/* Labels of 1 to 63 bytes, 253 in all; "." is the root. */
static bool is_domain_name(const char *name)
{
	size_t length = strlen(name);

	if (strcmp(name, ".") == 0)
		return true;
	if (length == 0 || length > 253)
		return false;
	while (*name) {
		size_t n = strcspn(name, ".");

		if (n == 0 || n > 63)
			return false;
		name += n + (name[n] == '.');
	}
	return true;
}

/* ---- old form of SMTP_CHECK ---- */

static const struct conf_block host_block = {
	.name = "host",
	.table = CONF_TABLE_CHECK,
	.directives = {conf_check_connect},
};

static void apply_host(struct conf_load *load, const struct conf_node *node)
{
	conf_block_apply(load, &host_block, node);
}

/* ---- FILE_CHECK as in keepalived ---- */

static void apply_track_file(struct conf_load *load, const struct conf_node *node)
{
	conf_string_t name = conf_text(load, conf_word(node, 1));

	if (!name)
		conf_error(load, node, 0, "track_file needs the name of a track_file");
	check(load)->track_file = name;
	conf_extra_words(load, node, 2);
}

static void apply_file_weight(struct conf_load *load, const struct conf_node *node)
{
	bool reverse = strcmp(conf_word(node, 2), "reverse") == 0;
	int64_t weight;

	if (conf_parse_number(conf_word(node, 1), -INT32_MAX, INT32_MAX, &weight) != CONF_VALUE_OK)
		conf_error(load, node, 1, "weight must be a number from -2147483647 to 2147483647");
	else
		check(load)->file_weight = (int32_t)(reverse ? -weight : weight);
	conf_extra_words(load, node, reverse ? 3 : 2);
}

static void print_track_file(struct conf_printer *p, uint32_t record)
{
	const struct conf_check *c = conf_print_record(p, CONF_TABLE_CHECK, record);

	if (!c->track_file)
		return;
	conf_print_line(p, "track_file %s", conf_print_text(p, c->track_file));
	conf_print_line(p, "weight %d", c->file_weight);
}

void conf_file_check_finish(struct conf_load *load, conf_index_t index)
{
	struct conf_check *c = conf_builder_at(load->builder, CONF_TABLE_CHECK, index);
	const char *name = conf_builder_text(load->builder, c->track_file);
	const struct conf_file *f;
	conf_index_t found;

	if (!c->track_file)
		return;
	found = conf_name_find(load, CONF_TABLE_FILE, name);
	if (found == CONF_NONE) {
		conf_warn(load, conf_statement(load, CONF_TABLE_CHECK, index, "track_file"), 1,
			"there is no track_file %s" CONF_MEANING "this check always passes", name);
		return;
	}
	f = conf_builder_at(load->builder, CONF_TABLE_FILE, found);
	c->name = f->path;
	if (!conf_given(load, &conf_file_block, index, "weight"))
		c->file_weight = f->weight_reverse ? -f->weight : f->weight;
}

static void print_file(struct conf_printer *p, uint32_t record)
{
	const struct conf_check *c = conf_print_record(p, CONF_TABLE_CHECK, record);

	if (!c->track_file && c->name)
		conf_print_line(p, "file %s", conf_print_text(p, c->name));
}

static void apply_file_path(struct conf_load *load, const struct conf_node *node)
{
	check(load)->name = conf_text(load, conf_word(node, 1));
	conf_extra_words(load, node, 2);
}

/* clang-format off */
static const struct conf_directive no_retry_directives[] = {
	IGNORED("nb_get_retry", "write retry"),
	END_OF_TABLE,
};

static const struct conf_directive smtp_directives[] = {
	TEXT("helo_name", C(name), LIVE, "name to say HELO with; default smtpchecker.keepalived.org"),
	CALL("host", apply_host, NULL, LIVE, "connect_ip, connect_port and the like in a block of their own"),
	END_OF_TABLE,
};

static const struct conf_directive dns_directives[] = {
	CALL("type", apply_dns_type, print_dns_type, LIVE, "type of record to ask for; default SOA"),
	TEXT("name", C(name), LIVE, "name to ask for; default . (the root)"),
	END_OF_TABLE,
};

static const struct conf_directive udp_directives[] = {
	CALL("payload", apply_payload, print_steps, LIVE, "what is sent, as hexadecimal digits in one or more words; default: one empty packet"),
	CALL("send", apply_step, NULL, LIVE, "what is sent, as text"),
	CALL("send_hex", apply_step, NULL, LIVE, "the same as payload"),
	CALL("expect", apply_step, NULL, LIVE, "text that the reply must have"),
	CALL("expect_hex", apply_step, NULL, LIVE, "bytes that the reply must have, as hexadecimal digits"),
	CALL("expect_regex", apply_step, NULL, LIVE, "expression that the reply must match"),
	CALL("require_reply", apply_require_reply, print_require_reply, LIVE, "a reply must come [that begins with these bytes, as far as both go; hexadecimal digits, X for any]"),
	NUMBER("min_reply_length", C(min_reply), 0, 65535, 0, LIVE, "shortest right reply"),
	NUMBER("max_reply_length", C(max_reply), 0, 65535, 0, LIVE, "longest right reply; 0 = any"),
	END_OF_TABLE,
};

static const struct conf_directive file_directives[] = {
	CALL("file", apply_file_path, print_file, LIVE, "file to read: a number (percent of the weight) or up, drain, down; a file that is not there counts as up"),
	CALL("track_file", apply_track_file, print_track_file, LIVE, "NAME of a track_file: with weight 0 another number than 0 is a failure"),
	CALL("weight", apply_file_weight, NULL, LIVE, "NUMBER [reverse]: factor for the number of the track_file; default that of the track_file, 1"),
	FLAG("dynamic", C(misc_dynamic), LIVE, "number x weight of the track_file is added to the weight of the server"),
	END_OF_TABLE,
};

static const struct conf_directive agent_directives[] = {
	TEXT("send", C(name), LIVE, "text to send to the agent before it answers, with \\r \\n \\t \\xHH"),
	END_OF_TABLE,
};

static const struct conf_directive grpc_directives[] = {
	TEXT("service", C(name), LIVE, "name of the service whose health is asked for; default: the server as a whole"),
	TEXT("virtualhost", C(virtualhost), LIVE, "authority of the request; default as server and service, else the address"),
	FLAG("tls", C(require_reply), LIVE, "speak TLS with ALPN h2"),
	END_OF_TABLE,
};
/* clang-format on */

static bool begin_tls(struct conf_load *load, const struct conf_node *node)
{
	return conf_check_begin(load, &conf_tls_block, node, CONF_CHECK_TLS);
}

static bool begin_smtp(struct conf_load *load, const struct conf_node *node)
{
	return conf_check_begin(load, &conf_smtp_block, node, CONF_CHECK_SMTP);
}

static bool begin_dns(struct conf_load *load, const struct conf_node *node)
{
	return conf_check_begin(load, &conf_dns_block, node, CONF_CHECK_DNS);
}

static void end_dns(struct conf_load *load, const struct conf_node *node)
{
	struct conf_check *c = check(load);

	if (!c->dns_type)
		c->dns_type = DNS_SOA;
	if (!c->name)
		c->name = conf_text(load, ".");
	if (!is_domain_name(conf_builder_text(load->builder, check(load)->name)))
		conf_error(load, conf_statement(load, CONF_TABLE_CHECK, load->current[CONF_TABLE_CHECK], "name"), 1,
			"name must be a domain name: labels of 1 to 63 bytes, 253 in all");
	conf_check_end(load, node);
}

static bool begin_udp(struct conf_load *load, const struct conf_node *node)
{
	return conf_check_begin(load, &conf_udp_block, node, CONF_CHECK_UDP);
}

static bool begin_ping(struct conf_load *load, const struct conf_node *node)
{
	return conf_check_begin(load, &conf_ping_block, node, CONF_CHECK_PING);
}

static bool begin_file(struct conf_load *load, const struct conf_node *node)
{
	return conf_check_begin(load, &conf_file_block, node, CONF_CHECK_FILE);
}

static void end_file(struct conf_load *load, const struct conf_node *node)
{
	if (!check(load)->name && !check(load)->track_file)
		conf_error(load, node, 0, "FILE_CHECK needs a file or a track_file");
	conf_check_end(load, node);
}

static bool begin_agent(struct conf_load *load, const struct conf_node *node)
{
	return conf_check_begin(load, &conf_agent_block, node, CONF_CHECK_AGENT);
}

static bool begin_grpc(struct conf_load *load, const struct conf_node *node)
{
	return conf_check_begin(load, &conf_grpc_block, node, CONF_CHECK_GRPC);
}

#define BLOCK_OF(variable, word, begin_fn, end_fn, ...)                                                                \
	const struct conf_block variable = {.name = word,                                                              \
		.table = CONF_TABLE_CHECK,                                                                             \
		.directives = {conf_check_connect, conf_check_timing, __VA_ARGS__},                                    \
		.begin = begin_fn,                                                                                     \
		.end = end_fn,                                                                                         \
		.body_optional = true}

BLOCK_OF(conf_tls_block, "TLS_CHECK", begin_tls, conf_check_end, conf_check_tls);
BLOCK_OF(conf_smtp_block, "SMTP_CHECK", begin_smtp, conf_check_end, smtp_directives, no_retry_directives);
BLOCK_OF(conf_dns_block, "DNS_CHECK", begin_dns, end_dns, dns_directives, no_retry_directives);
BLOCK_OF(conf_udp_block, "UDP_CHECK", begin_udp, conf_check_end, udp_directives, no_retry_directives);
BLOCK_OF(conf_ping_block, "PING_CHECK", begin_ping, conf_check_end, no_retry_directives);
BLOCK_OF(conf_file_block, "FILE_CHECK", begin_file, end_file, file_directives);
BLOCK_OF(conf_agent_block, "AGENT_CHECK", begin_agent, conf_check_end, agent_directives);
BLOCK_OF(conf_grpc_block, "GRPC_CHECK", begin_grpc, conf_check_end, conf_check_tls, grpc_directives);
