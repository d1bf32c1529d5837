/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The health checks of a server: TCP_CHECK, HTTP_GET, SSL_GET, MISC_CHECK, and the keywords that all checks have (the
 * other kinds are in conf_probe.c). Runs in the config role; values that are not given come from server and service in
 * conf_finish_service.c. */
#include "conf_probe.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static struct conf_check *check(struct conf_load *load)
{
	return conf_current(load, CONF_TABLE_CHECK);
}

static struct conf_url *url(struct conf_load *load)
{
	return conf_current(load, CONF_TABLE_URL);
}

/* ---- url ---- */

static void apply_path(struct conf_load *load, const struct conf_node *node)
{
	url(load)->path = conf_text(load, conf_word(node, 1));
	conf_extra_words(load, node, 2);
}

static void print_path(struct conf_printer *p, uint32_t record)
{
	const struct conf_url *u = conf_print_record(p, CONF_TABLE_URL, record);

	if (u->path)
		conf_print_line(p, "path %s", conf_print_text(p, u->path));
}

static void apply_digest(struct conf_load *load, const struct conf_node *node)
{
	const char *digest = conf_word(node, 1);
	size_t n = 0;
	char lower[33];

	while (n < 32 && isxdigit((unsigned char)digest[n])) {
		lower[n] = (char)tolower((unsigned char)digest[n]);
		n++;
	}
	lower[n] = 0;
	if (n != 32 || digest[32])
		conf_warn(load, node, 1,
			"digest must be the MD5 of the body, 32 hexadecimal digits" CONF_MEANING "it is ignored");
	else
		url(load)->digest = conf_text(load, lower);
	conf_extra_words(load, node, 2);
}

static void print_digest(struct conf_printer *p, uint32_t record)
{
	const struct conf_url *u = conf_print_record(p, CONF_TABLE_URL, record);

	if (u->digest)
		conf_print_line(p, "digest %s", conf_print_text(p, u->digest));
}

/* 200 or 200-299 */
static bool read_status(const char *text, struct conf_status_range *range)
{
	char low[8];
	const char *dash = strchr(text, '-');
	int64_t first, last;

	if (!dash || (size_t)(dash - text) >= sizeof(low)) {
		if (conf_parse_number(text, 100, 999, &first) != CONF_VALUE_OK)
			return false;
		*range = (struct conf_status_range){(uint16_t)first, (uint16_t)first};
		return true;
	}
	memcpy(low, text, (size_t)(dash - text));
	low[dash - text] = 0;
	if (conf_parse_number(low, 100, 999, &first) != CONF_VALUE_OK ||
		conf_parse_number(dash + 1, first, 999, &last) != CONF_VALUE_OK)
		return false;
	*range = (struct conf_status_range){(uint16_t)first, (uint16_t)last};
	return true;
}

static void apply_status(struct conf_load *load, const struct conf_node *node)
{
	if (node->n_words < 2)
		conf_warn(load, node, 0,
			"status_code needs a status such as 200 or 200-299" CONF_MEANING "it is ignored");
	for (uint32_t i = 1; i < node->n_words; i++) {
		struct conf_status_range range;
		conf_index_t index;

		if (!read_status(conf_word(node, i), &range)) {
			conf_warn(load, node, i,
				"\"%s\" is no HTTP status (100 to 999) or range" CONF_MEANING "it is left out",
				conf_word(node, i));
			continue;
		}
		index = conf_builder_add(load->builder, CONF_TABLE_STATUS_RANGE);
		*(struct conf_status_range *)conf_builder_at(load->builder, CONF_TABLE_STATUS_RANGE, index) = range;
		url(load)->status.count++;
	}
}

static void print_status(struct conf_printer *p, uint32_t record)
{
	const struct conf_url *u = conf_print_record(p, CONF_TABLE_URL, record);

	for (uint32_t i = 0; i < u->status.count; i++) {
		const struct conf_status_range *r = conf_print_record(p, CONF_TABLE_STATUS_RANGE, u->status.first + i);

		conf_print_line(p, "status_code %u-%u", r->low, r->high);
	}
}

static const char *const regex_options[] = {
	[CONF_REGEX_ALLOW_EMPTY_CLASS] = "allow_empty_class",
	[CONF_REGEX_ALT_BSUX] = "alt_bsux",
	[CONF_REGEX_AUTO_CALLOUT] = "auto_callout",
	[CONF_REGEX_CASELESS] = "caseless",
	[CONF_REGEX_DOLLAR_ENDONLY] = "dollar_endonly",
	[CONF_REGEX_DOTALL] = "dotall",
	[CONF_REGEX_DUPNAMES] = "dupnames",
	[CONF_REGEX_EXTENDED] = "extended",
	[CONF_REGEX_FIRSTLINE] = "firstline",
	[CONF_REGEX_MATCH_UNSET_BACKREF] = "match_unset_backref",
	[CONF_REGEX_MULTILINE] = "multiline",
	[CONF_REGEX_NEVER_UCP] = "never_ucp",
	[CONF_REGEX_NEVER_UTF] = "never_utf",
	[CONF_REGEX_NO_AUTO_CAPTURE] = "no_auto_capture",
	[CONF_REGEX_NO_AUTO_POSSESS] = "no_auto_possess",
	[CONF_REGEX_NO_DOTSTAR_ANCHOR] = "no_dotstar_anchor",
	[CONF_REGEX_NO_START_OPTIMIZE] = "no_start_optimize",
	[CONF_REGEX_UCP] = "ucp",
	[CONF_REGEX_UNGREEDY] = "ungreedy",
	[CONF_REGEX_UTF] = "utf",
	[CONF_REGEX_NEVER_BACKSLASH_C] = "never_backslash_c",
	[CONF_REGEX_ALT_CIRCUMFLEX] = "alt_circumflex",
	[CONF_REGEX_ALT_VERBNAMES] = "alt_verbnames",
	[CONF_REGEX_USE_OFFSET_LIMIT] = "use_offset_limit",
};

static void apply_regex_options(struct conf_load *load, const struct conf_node *node)
{
	for (uint32_t i = 1; i < node->n_words; i++) {
		uint32_t k = 0;

		while (k < CONF_REGEX_OPTIONS && strcmp(regex_options[k], conf_word(node, i)) != 0)
			k++;
		if (k < CONF_REGEX_OPTIONS)
			url(load)->regex_options |= 1u << k;
		else
			conf_warn(load, node, i, "%s is no option of an expression" CONF_MEANING "it is ignored",
				conf_word(node, i));
	}
}

static void print_regex_options(struct conf_printer *p, uint32_t record)
{
	const struct conf_url *u = conf_print_record(p, CONF_TABLE_URL, record);
	char text[512];
	size_t used = 0;

	for (uint32_t k = 0; k < CONF_REGEX_OPTIONS; k++)
		if (u->regex_options & 1u << k)
			used += (size_t)snprintf(text + used, sizeof(text) - used, " %s", regex_options[k]);
	if (used)
		conf_print_line(p, "regex_options%s", text);
}

static bool begin_url(struct conf_load *load, const struct conf_node *node);
static void end_url(struct conf_load *load, const struct conf_node *node);

#define U(member) CONF_RECORD(conf_url, member)
#define NO_JIT "the body is searched without a stack of its own"

/* clang-format off */
static const struct conf_directive url_directives[] = {
	CALL("path", apply_path, print_path, LIVE, "what is asked for, such as /health"),
	CALL("status_code", apply_status, print_status, LIVE, "statuses that are right: 200, 200-299 ...; default 200-299"),
	CALL("digest", apply_digest, print_digest, LIVE, "MD5 of the right body; while it differs, \"poisectl why\" shows the one that the server has"),
	TEXT("regex", U(regex), LIVE, "regular expression that must be found in the body"),
	TEXT("virtualhost", U(virtualhost), LIVE, "Host header of this request"),
	CALL("regex_options", apply_regex_options, print_regex_options, LIVE, "options of PCRE2 for the regex, such as caseless, dotall, multiline"),
	IGNORED("regex_stack", NO_JIT),
	NUMBER("regex_min_offset", U(regex_min), 0, INT32_MAX, 0, LIVE, "a match must begin at this byte of the body or behind it"),
	NUMBER("regex_max_offset", U(regex_max), 0, INT32_MAX, 0, LIVE, "a match must begin before this byte of the body; 0 = anywhere"),
	PLAIN("regex_no_match", U(regex_no_match), LIVE, "the right body does not match the regex"),
	IGNORED("tls_compliant", "TLS connections that end without a close message are accepted"),
	END_OF_TABLE,
};
/* clang-format on */

static void print_urls(struct conf_printer *p, uint32_t record);

static const struct conf_block url_block = {
	.name = "url",
	.table = CONF_TABLE_URL,
	.directives = {url_directives},
	.begin = begin_url,
	.end = end_url,
	.print = print_urls,
};

static bool begin_url(struct conf_load *load, const struct conf_node *node)
{
	struct conf_url *u = conf_object_begin(load, &url_block, node);

	u->status.first = conf_builder_count(load->builder, CONF_TABLE_STATUS_RANGE);
	conf_extra_words(load, node, 1);
	return true;
}

/* Without a path there is nothing to ask for. */
static void end_url(struct conf_load *load, const struct conf_node *node)
{
	const struct conf_url *u = url(load);

	if (u->path)
		return;
	conf_warn(load, node, 0, "this url has no path (write path /)" CONF_MEANING "it is left out");
	conf_builder_truncate(load->builder, CONF_TABLE_STATUS_RANGE, u->status.first);
	conf_object_drop(load, CONF_TABLE_URL, 0);
}

static void print_urls(struct conf_printer *p, uint32_t record)
{
	const struct conf_check *c = conf_print_record(p, CONF_TABLE_CHECK, record);

	for (uint32_t i = 0; i < c->urls.count; i++) {
		conf_print_open(p, "url");
		conf_print_directives(p, &url_block, c->urls.first + i);
		conf_print_close(p);
	}
}

/* ---- keywords of all checks ---- */

static void apply_bind_port(struct conf_load *load, const struct conf_node *node)
{
	int64_t port = 0;

	if (conf_parse_number(conf_word(node, 1), 1, 65535, &port) != CONF_VALUE_OK)
		conf_warn(load, node, 1, "bind_port must be a number from 1 to 65535" CONF_MEANING "any port is taken");
	check(load)->bind_port = (uint16_t)port;
	conf_extra_words(load, node, 2);
}

static void print_bind_port(struct conf_printer *p, uint32_t record)
{
	const struct conf_check *c = conf_print_record(p, CONF_TABLE_CHECK, record);

	if (c->bind_port)
		conf_print_line(p, "bind_port %u", c->bind_port);
}

static void apply_misc_path(struct conf_load *load, const struct conf_node *node)
{
	struct conf_command command;

	if (!conf_command(load, node, 1, true, &command))
		return;
	command.user = check(load)->command.user;
	command.group = check(load)->command.group;
	check(load)->command = command;
	conf_current_extra_write(load, CONF_TABLE_CHECK)->program_missing = load->program_missing;
}

static void apply_misc_user(struct conf_load *load, const struct conf_node *node)
{
	conf_string_t user = conf_text(load, conf_word(node, 1)), group = conf_text(load, conf_word(node, 2));

	if (!user)
		conf_error(load, node, 0, "user needs the name of a user");
	check(load)->command.user = user;
	check(load)->command.group = group;
	conf_current_extra_write(load, CONF_TABLE_CHECK)->user_missing =
		!conf_user_exists(load, node, 1, "this check is left out, as keepalived does");
	conf_extra_words(load, node, 3);
}

static void print_misc(struct conf_printer *p, uint32_t record)
{
	const struct conf_check *c = conf_print_record(p, CONF_TABLE_CHECK, record);

	conf_print_line(p, "misc_path %s", conf_print_argv(p, &c->command));
	if (c->command.user)
		conf_print_line(p, "user %s%s%s", conf_print_text(p, c->command.user), c->command.group ? " " : "",
			c->command.group ? conf_print_text(p, c->command.group) : "");
}

/* "Name: value", nothing that could end the line. */
static bool is_header(const char *text)
{
	size_t name = strcspn(text, ":");

	if (name == 0 || text[name] != ':')
		return false;
	for (size_t i = 0; text[i]; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f || (i < name && text[i] == ' '))
			return false;
	return true;
}

static void apply_header(struct conf_load *load, const struct conf_node *node)
{
	const char *text = conf_word(node, 1), *before;
	char lines[2048];

	if (!is_header(text)) {
		conf_error(load, node, 1, "a header is written \"Name: value\"");
		return;
	}
	before = conf_builder_text(load->builder, check(load)->headers);
	if (snprintf(lines, sizeof(lines), "%s%s\n", before, text) >= (int)sizeof(lines))
		conf_error(load, node, 1, "the headers of a check may have 2000 bytes in all");
	else
		check(load)->headers = conf_text(load, lines);
	conf_extra_words(load, node, 2);
}

static void print_headers(struct conf_printer *p, uint32_t record)
{
	const struct conf_check *c = conf_print_record(p, CONF_TABLE_CHECK, record);
	const char *line = conf_print_string(p, c->headers);
	char text[2048];

	while (*line) {
		size_t n = strcspn(line, "\n");

		snprintf(text, sizeof(text), "%.*s", (int)n, line);
		conf_print_line(p, "header %s", conf_print_word(p, text));
		line += n + 1;
	}
}

#define C(member) CONF_RECORD(conf_check, member)
#define DAY (86400 * CONF_S)

static const char *const initial_states[] = {"unknown", "up", "down", "last_known", NULL};
static const char *const http_versions[] = {"1.0", "1.0C", "1.1", NULL};

/* clang-format off */
/* When it runs. */
const struct conf_directive conf_check_timing[] = {
	TIME("delay_loop", C(interval_us), CONF_MS, DAY, -1, LIVE, "interval; default as server and service, 60"),
	NUMBER("retry", C(retry), 0, INT32_MAX, -1, LIVE, "further failures before the server is down; default as server and service, 1 (MISC_CHECK 0)"),
	NUMBER("rise", C(rise), 1, INT32_MAX, 1, LIVE, "successes in a row before the server is up"),
	TIME("delay_before_retry", C(delay_before_retry_us), 0, DAY, -1, LIVE, "time between failed tries; default as server and service, 1, HTTP_GET and SSL_GET 3"),
	TIME("warmup", C(warmup_us), 0, DAY, -1, LIVE, "longest random wait before the first run; default as server and service, delay_loop"),
	NUMBER("fall", C(fall), 0, INT32_MAX, 0, LIVE, "failures in a row before the server is down, instead of retry; 0 = by retry"),
	CHOICE("initial_state", C(initial), initial_states, CONF_CHECK_INITIAL_UNKNOWN, LIVE, "what is assumed before the first result; unknown follows the first result at once, last_known is what was known before the daemon was stopped"),
	TIME("fast_interval", C(fast_interval_us), 0, DAY, 0, LIVE, "time between tries while in doubt or recovering; 0 = delay_before_retry and delay_loop"),
	TIME("down_interval", C(down_interval_us), 0, DAY, 0, LIVE, "interval while down; 0 = delay_loop"),
	TIME("flap_backoff", C(flap_backoff_us), 0, DAY, 0, LIVE, "longest time that a check which falls again and again is kept down; 0 = not at all"),
	FLAG("alpha", C(alpha), LIVE, "the server counts as down until this check succeeds"),
	IGNORED("log_all_failures", "every change of a verdict is logged with its cause"),
	IGNORED("fast_recovery", "all urls of a check are asked in one run"),
	END_OF_TABLE,
};

/* What it connects to. */
const struct conf_directive conf_check_connect[] = {
	ADDRESS("connect_ip", C(target), LIVE, "address to connect to; default: the server's"),
	NUMBER("connect_port", C(port), 1, 65535, 0, LIVE, "port to connect to; default: the server's"),
	ADDRESS("bindto", C(bind), LIVE, "source address"),
	CALL("bind_port", apply_bind_port, print_bind_port, LIVE, "source port"),
	TEXT("bind_if", C(bind_interface), LIVE, "interface to use"),
	NUMBER("fwmark", C(fwmark), 0, UINT32_MAX, 0, LIVE, "firewall mark on the packets of the probe"),
	TIME("connect_timeout", C(connect_timeout_us), CONF_MS, DAY, -1, LIVE, "time a probe may take; default as server and service, 5"),
	END_OF_TABLE,
};

static const struct conf_directive tcp_directives[] = {
	INACTIVE("nb_get_retry", "TCP_CHECK does not know it; write retry"),
	END_OF_TABLE,
};

static const struct conf_directive http_directives[] = {
	BLOCK("url", &url_block, LIVE, "a request and its right answer"),
	TEXT("virtualhost", C(virtualhost), LIVE, "Host header of requests; default as server and service, else the address"),
	CHOICE("http_protocol", C(http_version), http_versions, CONF_HTTP_1_0, LIVE, "version of HTTP in requests"),
	TEXT("method", C(method), LIVE, "method of requests: GET, HEAD, OPTIONS, POST ...; default GET"),
	CALL("header", apply_header, print_headers, LIVE, "a further header line of requests, \"Name: value\"; may be repeated"),
	NUMBER("drain_status", C(drain_status), 0, 999, 0, LIVE, "status by which the server asks to be drained, such as 503; 0 = none"),
	TEXT("drain_header", C(drain_header), LIVE, "header line, \"Name: value\" or a name, that an answer with drain_status must have to drain"),
	TEXT("drain_body", C(drain_body), LIVE, "expression that the body of an answer with drain_status must match to drain"),
	NUMBER("nb_get_retry", C(retry), 0, INT32_MAX, -1, LIVE, "old name of retry"),
	END_OF_TABLE,
};

static const struct conf_directive misc_directives[] = {
	CALL("misc_path", apply_misc_path, print_misc, LIVE, "the program, in double quotes when it has arguments; status 0 = up"),
	TIME("misc_timeout", C(misc_timeout_us), 0, DAY, 0, LIVE, "the check has failed when it runs longer; 0 = delay_loop"),
	PLAIN("misc_dynamic", C(misc_dynamic), LIVE, "a status from 2 to 255 sets the weight to status - 2"),
	CALL("user", apply_misc_user, NULL, LIVE, "USER [GROUP] it runs as; default script_user"),
	IGNORED("connect_timeout", "use misc_timeout"),
	END_OF_TABLE,
};
/* clang-format on */

bool conf_check_begin(
	struct conf_load *load, const struct conf_block *block, const struct conf_node *node, enum conf_check_kind kind)
{
	struct conf_check *c = conf_object_begin(load, block, node);

	c->kind = kind;
	c->server = load->current[CONF_TABLE_SERVER];
	c->line = conf_node_place(node).line;
	c->urls.first = conf_builder_count(load->builder, CONF_TABLE_URL);
	conf_extra_words(load, node, 1);
	return true;
}

static bool begin_tcp(struct conf_load *load, const struct conf_node *node)
{
	return conf_check_begin(load, &conf_tcp_block, node, CONF_CHECK_TCP);
}

static bool begin_http(struct conf_load *load, const struct conf_node *node)
{
	return conf_check_begin(load, &conf_http_block, node, CONF_CHECK_HTTP);
}

static bool begin_ssl(struct conf_load *load, const struct conf_node *node)
{
	return conf_check_begin(load, &conf_ssl_block, node, CONF_CHECK_SSL);
}

static bool begin_misc(struct conf_load *load, const struct conf_node *node)
{
	return conf_check_begin(load, &conf_misc_block, node, CONF_CHECK_MISC);
}

void conf_check_end(struct conf_load *load, const struct conf_node *node)
{
	struct conf_check *c = check(load);
	const struct conf_extra *extra = conf_current_extra(load, CONF_TABLE_CHECK);
	bool http = c->kind == CONF_CHECK_HTTP || c->kind == CONF_CHECK_SSL;

	c->urls.count = conf_builder_count(load->builder, CONF_TABLE_URL) - c->urls.first;
	if (http && c->urls.count == 0)
		conf_error(load, node, 0, "%s needs a url { path / }", conf_word(node, 0));
	if (c->kind == CONF_CHECK_MISC && c->command.argc == 0)
		conf_error(load, node, 0, "MISC_CHECK needs a misc_path");
	if (!c->tls_cert != !c->tls_key)
		conf_error(load, node, 0, "tls_cert and tls_key go together");
	/* Said already. A server without any other check is taken as up. */
	if (load->dialect == CONF_DIALECT_KEEPALIVED && (extra->program_missing || extra->user_missing))
		conf_object_drop(load, CONF_TABLE_CHECK, 0);
}

const struct conf_block conf_tcp_block = {
	.name = "TCP_CHECK",
	.table = CONF_TABLE_CHECK,
	.directives = {conf_check_connect, conf_check_timing, tcp_directives, conf_check_talk},
	.begin = begin_tcp,
	.end = conf_check_end,
	.body_optional = true,
};

const struct conf_block conf_http_block = {
	.name = "HTTP_GET",
	.table = CONF_TABLE_CHECK,
	.directives = {conf_check_connect, conf_check_timing, http_directives, conf_check_tls},
	.begin = begin_http,
	.end = conf_check_end,
	.body_optional = true,
};

const struct conf_block conf_ssl_block = {
	.name = "SSL_GET",
	.table = CONF_TABLE_CHECK,
	.directives = {conf_check_connect, conf_check_timing, http_directives, conf_check_tls},
	.begin = begin_ssl,
	.end = conf_check_end,
	.body_optional = true,
};

const struct conf_block conf_misc_block = {
	.name = "MISC_CHECK",
	.table = CONF_TABLE_CHECK,
	.directives = {misc_directives, conf_check_timing},
	.begin = begin_misc,
	.end = conf_check_end,
	.body_optional = true,
};

const struct conf_block *conf_check_block(enum conf_check_kind kind)
{
	static const struct conf_block *const blocks[CONF_CHECK_KINDS] = {
		[CONF_CHECK_TCP] = &conf_tcp_block,
		[CONF_CHECK_HTTP] = &conf_http_block,
		[CONF_CHECK_SSL] = &conf_ssl_block,
		[CONF_CHECK_MISC] = &conf_misc_block,
		[CONF_CHECK_TLS] = &conf_tls_block,
		[CONF_CHECK_SMTP] = &conf_smtp_block,
		[CONF_CHECK_DNS] = &conf_dns_block,
		[CONF_CHECK_UDP] = &conf_udp_block,
		[CONF_CHECK_PING] = &conf_ping_block,
		[CONF_CHECK_FILE] = &conf_file_block,
		[CONF_CHECK_AGENT] = &conf_agent_block,
		[CONF_CHECK_GRPC] = &conf_grpc_block,
		[CONF_CHECK_BFD] = &conf_bfd_check_block,
	};

	return blocks[kind];
}
