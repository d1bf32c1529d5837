/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands of scripts and notifications: one word of the file, cut into the words of the command. No shell is involved,
 * as in keepalived. Runs in the config role; it never runs anything. */
#include "conf_load.h"
#include <ctype.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARGUMENTS_MAX 255

struct splitter {
	const char *at;
	char *out; /* room for the whole text; words one after another, each terminated */
	size_t length;
	const char *words[ARGUMENTS_MAX];
	uint32_t n;
	bool unclosed, too_many;
};

/* A number in the base, of at most `most` digits; *at is behind it then. */
static unsigned read_digits(const char **at, unsigned base, unsigned most)
{
	static const char digits[] = "0123456789abcdef";
	unsigned value = 0;

	for (; most-- && **at; ++*at) {
		const char *digit = strchr(digits, tolower((unsigned char)**at));

		if (!digit || (unsigned)(digit - digits) >= base)
			break;
		value = value * base + (unsigned)(digit - digits);
	}
	return value;
}

/* What the backslash at *at stands for; *at is behind it then. As keepalived(5) has it, between quotes too: \n and its
 * like, \cX, \xHH, \OOO, and otherwise the next byte itself. 0 = nothing. */
static char read_escape(const char **at)
{
	static const char names[] = "abEfnrtv", values[] = "\a\b\033\f\n\r\t\v";
	const char *name = strchr(names, (*at)[1]);

	if (!(*at)[1]) {
		++*at;
		return '\\';
	}
	++*at;
	if (name) {
		++*at;
		return values[name - names];
	}
	if (**at >= '0' && **at <= '7')
		return (char)read_digits(at, 8, 3);
	if (**at == 'x' && isxdigit((unsigned char)(*at)[1])) {
		++*at;
		return (char)read_digits(at, 16, 2);
	}
	if (**at == 'c' && (*at)[1]) {
		*at += 2;
		return (char)((*at)[-1] & 0x1f);
	}
	return *(*at)++;
}

/* One word, with its quotes and backslashes worked out. */
static void split_word(struct splitter *s)
{
	char quote = 0;

	if (s->n == ARGUMENTS_MAX) {
		s->too_many = true;
		s->at += strlen(s->at);
		return;
	}
	s->words[s->n++] = s->out + s->length;
	while (*s->at && (quote || (*s->at != ' ' && *s->at != '\t'))) {
		char c = *s->at;

		if (quote ? c == quote : c == '\'' || c == '"') {
			quote = quote ? 0 : c;
			s->at++;
			continue;
		}
		if (c == '\\')
			c = read_escape(&s->at);
		else
			s->at++;
		if (c)
			s->out[s->length++] = c;
	}
	s->out[s->length++] = 0;
	s->unclosed |= quote != 0;
}

static void split(struct splitter *s, const char *text)
{
	s->at = text;
	s->out = conf_realloc(NULL, strlen(text) + 2, 1);
	while (*s->at) {
		if (*s->at == ' ' || *s->at == '\t')
			s->at++;
		else
			split_word(s);
	}
}

/* The word with its backslashes. */
static const char *raw_text(const struct conf_word *word)
{
	const char *raw = conf_word_raw(word);

	return raw ? raw : word->text;
}

/* 'script with arguments' in single quotes arrives as several words; joins them up to the one that ends the quote, with
 * double quotes around what had some. The result has no single quotes. *used is the number of words. */
static char *join_single_quoted(const struct conf_node *node, uint32_t first, uint32_t *used)
{
	size_t room = 1;
	char *text, *at;

	for (uint32_t i = first; i < node->n_words; i++)
		room += strlen(raw_text(&node->words[i])) + 3;
	at = text = conf_realloc(NULL, room, 1);
	*used = 0;
	for (uint32_t i = first; i < node->n_words; i++) {
		const char *word = raw_text(&node->words[i]) + (i == first);
		size_t n = strlen(word);
		bool last = n && word[n - 1] == '\'', quoted = node->words[i].quoted;

		at += sprintf(at, "%s%s%.*s%s", i > first ? " " : "", quoted ? "\"" : "", (int)(n - last), word,
			quoted ? "\"" : "");
		++*used;
		if (last)
			break;
	}
	return text;
}

/* keepalived works out the backslashes of such a word twice: once as a word of the file, once more in its arguments. */
static char *without_backslashes(const char *raw)
{
	char *text = conf_realloc(NULL, strlen(raw) + 1, 1), *out = text;

	while (*raw) {
		*out = *raw == '\\' ? read_escape(&raw) : *raw++;
		out += *out != 0;
	}
	*out = 0;
	return text;
}

static bool found_in_path(const char *name)
{
	static const char *const folders[] = {
		"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", NULL};
	char path[4096];

	for (int i = 0; folders[i]; i++) {
		snprintf(path, sizeof(path), "%s/%s", folders[i], name);
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

bool conf_user_exists(struct conf_load *load, const struct conf_node *node, uint32_t i, const char *then)
{
	const char *user = conf_word(node, i), *group = conf_word(node, i + 1);
	bool user_there = !load->check_files || !*user || getpwnam(user);
	bool group_there = !load->check_files || !*group || getgrnam(group);

	if (!user_there)
		conf_warn(load, node, i, "there is no user %s on this machine" CONF_MEANING "%s", user, then);
	else if (!group_there)
		conf_warn(load, node, i + 1, "there is no group %s on this machine" CONF_MEANING "%s", group, then);
	return user_there && group_there;
}

/* keepalived neither tracks nor checks with a script whose program is missing when it starts. */
static const char *what_then(const struct conf_load *load, const struct conf_node *node)
{
	if (load->dialect == CONF_DIALECT_KEEPALIVED && strcmp(conf_word(node, 0), "script") == 0)
		return "nothing tracks this script, as keepalived does";
	if (load->dialect == CONF_DIALECT_KEEPALIVED && strcmp(conf_word(node, 0), "misc_path") == 0)
		return "this check is left out, as keepalived does";
	return "it fails until this is mended";
}

static void check_program(struct conf_load *load, const struct conf_node *node, uint32_t first, const char *program)
{
	const char *then = what_then(load, node);
	struct stat st;

	load->program_missing = false;
	if (!load->check_files)
		return;
	load->program_missing = true;
	if (!strchr(program, '/') ? !found_in_path(program) : stat(program, &st) < 0)
		conf_warn(load, node, first, "%s cannot be found%s" CONF_MEANING "%s", program,
			strchr(program, '/') ? "" : " in the usual folders", then);
	else if (strchr(program, '/') && (S_ISDIR(st.st_mode) || !(st.st_mode & 0111)))
		conf_warn(load, node, first, "%s is not executable" CONF_MEANING "%s", program, then);
	else
		load->program_missing = false;
}

static void warn_shell(struct conf_load *load, const struct conf_node *node, uint32_t first, const struct splitter *s)
{
	static const char *const operators[] = {"|", "||", "&&", ";", "&", ">", "<", ">>", "2>&1", ">/dev/null", NULL};

	for (uint32_t i = 1; i < s->n; i++) {
		if (conf_parse_choice(s->words[i], operators) < 0)
			continue;
		conf_warn(load, node, first,
			"no shell runs this: %s is passed to %s as an argument; write /bin/sh -c '...'", s->words[i],
			s->words[0]);
		return;
	}
}

bool conf_command(struct conf_load *load, const struct conf_node *node, uint32_t first, bool rest_is_command,
	struct conf_command *out)
{
	struct splitter s = {0};
	char *joined = NULL, *text;
	uint32_t used = 1;

	memset(out, 0, sizeof(*out));
	if (node->n_words <= first) {
		conf_warn(load, node, 0, "%s needs a program to run" CONF_MEANING "it is ignored", conf_word(node, 0));
		return false;
	}
	if (!node->words[first].quoted && conf_word(node, first)[0] == '\'')
		joined = join_single_quoted(node, first, &used);
	text = without_backslashes(joined ? joined : raw_text(&node->words[first]));
	split(&s, text);
	if (s.unclosed || s.too_many)
		conf_error(load, node, first,
			s.unclosed ? "a quote inside this command is not closed"
				   : "this command has too many arguments");
	else if (s.n == 0)
		conf_error(load, node, first, "%s needs a program to run", conf_word(node, 0));
	if (!s.unclosed && !s.too_many && s.n) {
		check_program(load, node, first, s.words[0]);
		warn_shell(load, node, first, &s);
		out->argc = s.n;
		out->argv = conf_builder_words(load->builder, s.words, s.n);
	}
	first += used;
	if (rest_is_command && node->n_words > first)
		conf_warn(load, node, first,
			"only the first word runs; put program and arguments together in double quotes");
	if (!rest_is_command && node->n_words > first) {
		out->user = conf_text(load, conf_word(node, first));
		out->group = conf_text(load, conf_word(node, first + 1));
		conf_user_exists(load, node, first, "it fails until this is mended");
		conf_extra_words(load, node, first + 2);
	}
	free(s.out);
	free(joined);
	free(text);
	return out->argc > 0;
}

void conf_notify_add(
	struct conf_load *load, enum conf_owner owner, enum conf_notify_event event, const struct conf_node *node)
{
	struct conf_pending *p = &load->pending[owner];
	struct conf_notify notify = {.event = event, .owner = owner, .object = CONF_NONE};

	for (uint32_t i = 0; i < p->count; i++) {
		if (p->notifies[i].event != event)
			continue;
		conf_warn(load, node, 0, "%s is given twice" CONF_MEANING "the first one counts", conf_word(node, 0));
		return;
	}
	if (!conf_command(load, node, 1, false, &notify.command))
		return;
	p->notifies = conf_grow(p->notifies, p->count, &p->room, sizeof(*p->notifies));
	p->notifies[p->count++] = notify;
}

struct conf_range conf_notify_flush(struct conf_load *load, enum conf_owner owner, conf_index_t object)
{
	struct conf_pending *p = &load->pending[owner];
	struct conf_range range = {conf_builder_count(load->builder, CONF_TABLE_NOTIFY), p->count};

	for (uint32_t i = 0; i < p->count; i++) {
		conf_index_t index = conf_builder_add(load->builder, CONF_TABLE_NOTIFY);
		struct conf_notify *n = conf_builder_at(load->builder, CONF_TABLE_NOTIFY, index);

		*n = p->notifies[i];
		n->object = object;
	}
	p->count = 0;
	return range;
}
