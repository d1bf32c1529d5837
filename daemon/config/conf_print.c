/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes records as statements. Runs in the config role; prints secrets only into --dump, which an operator asked for.
 */
#include "conf_print.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void indent(struct conf_printer *p)
{
	for (unsigned i = 0; i < p->depth; i++)
		fputc('\t', p->out);
}

void conf_print_line(struct conf_printer *p, const char *format, ...)
{
	va_list args;

	indent(p);
	va_start(args, format);
	vfprintf(p->out, format, args);
	va_end(args);
	fputc('\n', p->out);
}

void conf_print_open(struct conf_printer *p, const char *format, ...)
{
	va_list args;

	indent(p);
	va_start(args, format);
	vfprintf(p->out, format, args);
	va_end(args);
	fputs(" {\n", p->out);
	p->depth++;
}

void conf_print_close(struct conf_printer *p)
{
	p->depth--;
	conf_print_line(p, "}");
}

void *conf_print_record(struct conf_printer *p, enum conf_table table, conf_index_t index)
{
	return conf_builder_at(p->builder, table, index);
}

const char *conf_print_string(struct conf_printer *p, conf_string_t s)
{
	return conf_builder_text(p->builder, s);
}

static const char *arena_take(struct conf_printer *p, char *text)
{
	const char *kept = conf_arena_text(&p->arena, text, strlen(text));

	free(text);
	return kept;
}

static bool needs_quotes(const char *text)
{
	if (!*text || strpbrk(text, " \t\r\v\f\n#!{}\"\\$"))
		return true;
	return text[0] == '@' || text[0] == '~' || text[0] == '\'';
}

const char *conf_print_word(struct conf_printer *p, const char *text)
{
	char *quoted, *at;

	if (!needs_quotes(text))
		return text;
	at = quoted = conf_realloc(NULL, strlen(text) * 2 + 3, 1);
	*at++ = '"';
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			*at++ = '\\';
		*at++ = *text;
	}
	*at++ = '"';
	*at = 0;
	return arena_take(p, quoted);
}

const char *conf_print_text(struct conf_printer *p, conf_string_t s)
{
	return conf_print_word(p, conf_print_string(p, s));
}

/* One argument as conf_command() would read it back. */
static char *put_argument(char *at, const char *word)
{
	const char *odd = word;

	while (*odd && *odd != ' ' && *odd != '\'' && *odd != '"' && *odd != '\\' && !iscntrl((unsigned char)*odd))
		odd++;
	if (*word && !*odd)
		return stpcpy(at, word);
	*at++ = '\'';
	for (; *word; word++) {
		if (iscntrl((unsigned char)*word))
			at += sprintf(at, "\\%03o", (unsigned char)*word);
		else if (*word == '\'' || *word == '\\')
			at += sprintf(at, "\\%c", *word);
		else
			*at++ = *word;
	}
	*at++ = '\'';
	*at = 0;
	return at;
}

const char *conf_print_argv(struct conf_printer *p, const struct conf_command *c)
{
	const char *word = conf_print_string(p, c->argv), *last = word;
	char *text, *at;
	const char *quoted;

	for (uint32_t i = 0; i < c->argc; i++)
		last += strlen(last) + 1;
	at = text = conf_realloc(NULL, (size_t)(last - word) * 4 + 3 * (size_t)c->argc + 1, 1);
	*at = 0;
	for (uint32_t i = 0; i < c->argc; i++) {
		if (i)
			*at++ = ' ';
		at = put_argument(at, word);
		word += strlen(word) + 1;
	}
	quoted = conf_print_word(p, arena_take(p, text));
	return quoted;
}

const char *conf_print_command(struct conf_printer *p, const struct conf_command *c)
{
	const char *command = conf_print_argv(p, c), *user = conf_print_text(p, c->user);
	const char *group = conf_print_text(p, c->group);
	size_t room = strlen(command) + strlen(user) + strlen(group) + 3;
	char *text;

	if (!c->user)
		return command;
	text = conf_realloc(NULL, room, 1);
	snprintf(text, room, "%s %s%s%s", command, user, c->group ? " " : "", c->group ? group : "");
	return arena_take(p, text);
}

void conf_print_notify(
	struct conf_printer *p, const struct conf_range *notifies, enum conf_notify_event event, const char *keyword)
{
	for (uint32_t i = 0; i < notifies->count; i++) {
		const struct conf_notify *n = conf_print_record(p, CONF_TABLE_NOTIFY, notifies->first + i);

		if (n->event == event)
			conf_print_line(p, "%s %s", keyword, conf_print_command(p, &n->command));
	}
}

/* ---- keywords that their line alone describes ---- */

static int64_t load_field(const void *field, unsigned size, bool is_signed)
{
	if (size == 1)
		return *(const uint8_t *)field;
	if (size == 2)
		return *(const uint16_t *)field;
	if (size == 4)
		return is_signed ? *(const int32_t *)field : (int64_t) * (const uint32_t *)field;
	return *(const int64_t *)field;
}

static void print_address(struct conf_printer *p, const struct conf_directive *d, const struct addr *a)
{
	char text[ADDR_TEXT];

	if (addr_is_set(a))
		conf_print_line(p, "%s %s", d->name, addr_format(a, text));
}

static void print_scalar(struct conf_printer *p, const struct conf_directive *d, int64_t value)
{
	char text[32];

	if (value == d->fallback)
		return;
	if (d->kind == CONF_KIND_FLAG)
		conf_print_line(p, value ? "%s" : "%s off", d->name);
	else if (d->kind == CONF_KIND_UNFLAG)
		conf_print_line(p, "%s", d->name);
	else if (d->kind == CONF_KIND_CHOICE)
		conf_print_line(p, "%s %s", d->name, d->choices[value]);
	else if (d->kind == CONF_KIND_TIME)
		conf_print_line(p, "%s %s", d->name, conf_time_text(value, text));
	else
		conf_print_line(p, "%s %" PRId64, d->name, value);
}

static void print_directive(
	struct conf_printer *p, const struct conf_block *block, const struct conf_directive *d, conf_index_t record)
{
	const char *field;

	if (d->print)
		d->print(p, record);
	if (d->kind == CONF_KIND_BLOCK && d->block->print)
		d->block->print(p, record);
	if (d->home != CONF_HOME_RECORD)
		return;
	field = (const char *)conf_print_record(p, block->table, record) + d->offset;
	if (d->kind == CONF_KIND_ADDRESS)
		print_address(p, d, (const struct addr *)field);
	else if (d->kind != CONF_KIND_TEXT)
		print_scalar(p, d, load_field(field, d->size, d->low < 0));
	else if (*(const conf_string_t *)(const void *)field)
		conf_print_line(p, "%s %s", d->name, conf_print_text(p, *(const conf_string_t *)(const void *)field));
}

/* Two keywords for the same field (synonyms): the first prints. */
static bool printed_before(const struct conf_block *block, unsigned i, const struct conf_directive *d)
{
	for (unsigned k = 0; k < i; k++) {
		const struct conf_directive *other = conf_directive_at(block, k);

		if (d->home == CONF_HOME_RECORD && other->home == CONF_HOME_RECORD && other->offset == d->offset)
			return true;
		if (d->print && other->print == d->print)
			return true;
	}
	return false;
}

void conf_print_directives(struct conf_printer *p, const struct conf_block *block, conf_index_t record)
{
	const struct conf_directive *d;

	for (unsigned i = 0; (d = conf_directive_at(block, i)); i++)
		if (!printed_before(block, i, d))
			print_directive(p, block, d, record);
}

void conf_print_owned(struct conf_printer *p, enum conf_table table, const char *keyword, conf_index_t instance,
	bool (*owns)(const void *record, conf_index_t instance),
	void (*print)(struct conf_printer *p, FILE *out, const void *record))
{
	bool is_open = false;

	for (uint32_t i = 0; i < conf_builder_count(p->builder, table); i++) {
		const void *record = conf_print_record(p, table, i);
		char *text = NULL;
		size_t size = 0;
		FILE *out;

		if (!owns(record, instance))
			continue;
		if (!is_open)
			conf_print_open(p, "%s", keyword);
		is_open = true;
		out = open_memstream(&text, &size);
		if (!out)
			abort();
		print(p, out, record);
		fclose(out);
		conf_print_line(p, "%s", text);
		free(text);
	}
	if (is_open)
		conf_print_close(p);
}
