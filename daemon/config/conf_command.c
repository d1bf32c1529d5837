/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands of scripts and notifications: one word of the file, cut into the words of the command. No shell is involved,
 * as in keepalived. Runs in the config role; it never runs anything. */
#include "conf_load.h"
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

/* One word: pieces in '...' stay as they are, in "..." and outside a backslash takes the next byte as it is. */
static void split_word(struct splitter *s)
{
	char quote = 0;

	if (s->n == ARGUMENTS_MAX) {
		s->too_many = true;
		s->at += strlen(s->at);
		return;
	}
	s->words[s->n++] = s->out + s->length;
	for (; *s->at && (quote || (*s->at != ' ' && *s->at != '\t')); s->at++) {
		if (quote ? *s->at == quote : *s->at == '\'' || *s->at == '"') {
			quote = quote ? 0 : *s->at;
			continue;
		}
		if (*s->at == '\\' && quote != '\'' && s->at[1] && strchr("\\'\" \t", s->at[1]))
			s->at++;
		s->out[s->length++] = *s->at;
	}
	s->out[s->length++] = 0;
	s->unclosed |= quote != 0;
}

static void split(struct splitter *s, const char *text)
{
	s->at = text;
	s->out = malloc(strlen(text) + 2);
	if (!s->out)
		abort();
	while (*s->at) {
		if (*s->at == ' ' || *s->at == '\t')
			s->at++;
		else
			split_word(s);
	}
}

/* 'script with arguments' in single quotes arrives as several words; joins them up to the one that ends the quote. The
 * result has no quotes. *used is the number of words. */
static char *join_single_quoted(const struct conf_node *node, uint32_t first, uint32_t *used)
{
	size_t room = 1, length = 0;
	char *text;

	for (uint32_t i = first; i < node->n_words; i++)
		room += strlen(node->words[i].text) + 1;
	text = malloc(room);
	if (!text)
		abort();
	text[0] = 0;
	*used = 0;
	for (uint32_t i = first; i < node->n_words; i++) {
		const char *word = node->words[i].text;
		size_t n = strlen(word);

		if (i > first)
			text[length++] = ' ';
		memcpy(text + length, word, n + 1);
		length += n;
		(*used)++;
		if (length > 1 && n && word[n - 1] == '\'')
			break;
	}
	if (length > 1 && text[length - 1] == '\'')
		text[length - 1] = 0;
	memmove(text, text + 1, strlen(text));
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

/* keepalived does not track with a script whose program is missing when it starts. */
static bool is_left_out(const struct conf_load *load, const struct conf_node *node)
{
	return load->dialect == CONF_DIALECT_KEEPALIVED && strcmp(conf_word(node, 0), "script") == 0;
}

static void check_program(struct conf_load *load, const struct conf_node *node, uint32_t first, const char *program)
{
	const char *then = is_left_out(load, node) ? "nothing tracks this script, as keepalived does"
						   : "it fails until this is mended";
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
	char *joined = NULL;
	uint32_t used = 1;

	memset(out, 0, sizeof(*out));
	if (node->n_words <= first) {
		conf_warn(load, node, 0, "%s needs a program to run" CONF_MEANING "it is ignored", conf_word(node, 0));
		return false;
	}
	if (!node->words[first].quoted && conf_word(node, first)[0] == '\'')
		joined = join_single_quoted(node, first, &used);
	split(&s, joined ? joined : conf_word(node, first));
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
		conf_extra_words(load, node, first + 2);
	}
	free(s.out);
	free(joined);
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
