/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Brings a configuration up to date: walks the statements with the directive tables and collects changes of the text.
 * Runs in the config role for `poised --convert`; it never changes a file. */
#include "conf_convert.h"
#include "conf_lex_internal.h"
#include "conf_source.h"
#include <stdlib.h>
#include <string.h>

/* Same meaning, other word. */
static const struct {
	const char *block, *old, *today;
} spellings[] = {
	{"", "vrrp_track_file", "track_file"},
	{"global_defs", "script_security", "enable_script_security"},
	{"global_defs", "enable_snmp_keepalived", "enable_snmp_vrrp"},
	{"vrrp_sync_group", "global_tracking", "sync_group_tracking_weight"},
	{"virtual_server", "lb_algo", "lvs_sched"},
	{"virtual_server", "lb_kind", "lvs_method"},
	{"real_server", "lb_kind", "lvs_method"},
	{"HTTP_GET", "nb_get_retry", "retry"},
	{"SSL_GET", "nb_get_retry", "retry"},
};

/* Known, or once known, and without any effect on what the file means. */
static const struct {
	const char *block, *keyword;
} without_effect[] = {
	{"global_defs", "garp_master_delay"},
	{"vrrp_instance", "native_ipv6"},
	{"vrrp_instance", "preempt"},
	{"TCP_CHECK", "nb_get_retry"},
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void add_edit(struct conf_edits *e, struct conf_place place, uint32_t removed, const char *text)
{
	if (place.file != 0) {
		e->elsewhere++;
		return;
	}
	e->edits = conf_grow(e->edits, e->count, &e->room, sizeof(*e->edits));
	e->edits[e->count] = (struct conf_edit){place, removed, e->count, conf_strndup(text, strlen(text))};
	e->count++;
}

static const char *line_of(const struct conf_load *load, struct conf_place place, size_t *length)
{
	struct conf_line_hint hint = {0};

	*length = 0;
	return conf_source_line(load->sources, place.file, place.line, &hint, length);
}

/* Whether nothing but the words of this statement stands on its line, which no other line continues. */
static bool is_alone(const struct conf_load *load, const struct conf_node *node)
{
	const struct conf_word *last = &node->words[node->n_words - 1];
	size_t length, end;
	const char *line = line_of(load, conf_node_place(node), &length);

	if (!line || node->block || last->place.line != conf_node_place(node).line ||
		last->place.file != conf_node_place(node).file)
		return false;
	for (size_t i = 0; i + 1 < conf_node_place(node).column; i++)
		if (!conf_is_blank(line[i]))
			return false;
	end = last->place.column - 1 + last->width;
	while (end < length && conf_is_blank(line[end]))
		end++;
	return end == length || line[end] == '#' || line[end] == '!';
}

static void comment_out(struct conf_load *load, struct conf_edits *e, const struct conf_node *node)
{
	if (is_alone(load, node))
		add_edit(e, conf_node_place(node), 0, "# ");
}

static const char *spelling_of_today(const struct conf_block *block, const char *name)
{
	for (size_t i = 0; i < LENGTH(spellings); i++)
		if (strcmp(spellings[i].block, block->name) == 0 && strcmp(spellings[i].old, name) == 0)
			return spellings[i].today;
	return NULL;
}

static bool is_without_effect(const struct conf_block *block, const char *name)
{
	for (size_t i = 0; i < LENGTH(without_effect); i++)
		if (strcmp(without_effect[i].block, block->name) == 0 && strcmp(without_effect[i].keyword, name) == 0)
			return true;
	return false;
}

/* Puts a statement onto a line of its own behind the `{` of a block. */
static void insert(struct conf_load *load, struct conf_edits *e, const struct conf_node *node, const char *statement)
{
	size_t length, indent = 0, end;
	const char *line = line_of(load, conf_node_place(node), &length);
	struct conf_place place = conf_node_place(node);
	char text[256];

	if (!line)
		return;
	while (indent < length && conf_is_blank(line[indent]))
		indent++;
	end = conf_trim_end(line, length);
	if (end == 0 || line[end - 1] != '{' || indent + 1 != conf_node_place(node).column)
		return;
	place.column = (uint32_t)end + 1;
	snprintf(text, sizeof(text), "\n%.*s\t%s", indent < 64 ? (int)indent : 64, line, statement);
	add_edit(e, place, 0, text);
}

static bool has(const struct conf_node *block, const char *keyword, const char *synonym)
{
	for (const struct conf_node *n = conf_node_child(block); n; n = conf_node_next(n))
		if (strcmp(conf_word(n, 0), keyword) == 0 || strcmp(conf_word(n, 0), synonym) == 0)
			return true;
	return false;
}

static void convert_service(struct conf_load *load, struct conf_edits *e, const struct conf_node *node)
{
	if (!has(node, "lvs_method", "lb_kind"))
		insert(load, e, node, "lvs_method NAT");
	if (!has(node, "lvs_sched", "lb_algo"))
		insert(load, e, node, "lvs_sched wlc");
	if (!has(node, "protocol", "protocol") && strcmp(conf_word(node, 1), "fwmark") != 0)
		insert(load, e, node, "protocol UDP");
}

static void convert_value(
	struct conf_load *load, struct conf_edits *e, const struct conf_block *block, const struct conf_node *node)
{
	const char *value = conf_word(node, 1);
	char text[300];

	if (block != &conf_instance_block || node->n_words < 2)
		return;
	if (strcmp(conf_word(node, 0), "state") == 0 && strcmp(value, "MASTER") != 0 && strcmp(value, "BACKUP") != 0)
		add_edit(e, node->words[1].place, node->words[1].width, "BACKUP");
	/* The sync daemon moves into global_defs, of which a file may have several. */
	if (strncmp(conf_word(node, 0), "lvs_sync_daemon_inte", 20) == 0 && load->defaults.sync_by_instance == node &&
		!load->defaults.sync_daemon && is_alone(load, node)) {
		const struct conf_instance *i =
			conf_builder_at(load->builder, CONF_TABLE_INSTANCE, load->defaults.sync_owner);

		snprintf(text, sizeof(text), "global_defs {\n\tlvs_sync_daemon \"%s\" inst \"%s\"\n}\n", value,
			conf_builder_text(load->builder, i->name));
		comment_out(load, e, node);
		add_edit(e, (struct conf_place){0, 1, 1}, 0, text);
	}
}

static void convert_statement(
	struct conf_load *load, struct conf_edits *e, const struct conf_block *block, const struct conf_node *node)
{
	const char *name = conf_word(node, 0), *today = spelling_of_today(block, name);
	const struct conf_directive *d;
	unsigned number;

	if (node->n_words == 0)
		return;
	d = conf_directive_find(block, name, &number);
	if (today)
		add_edit(e, conf_node_place(node), node->words[0].width, today);
	else if (!d || d->kind == CONF_KIND_IGNORED || is_without_effect(block, name))
		comment_out(load, e, node);
	else
		convert_value(load, e, block, node);
	if (d && d->kind == CONF_KIND_BLOCK && d->block == &conf_service_block)
		convert_service(load, e, node);
	/* Some blocks are lists without keywords. */
	if (!d || d->kind != CONF_KIND_BLOCK || !conf_directive_at(d->block, 0))
		return;
	for (const struct conf_node *n = conf_node_child(node); n; n = conf_node_next(n))
		convert_statement(load, e, d->block, n);
}

void conf_convert(struct conf_load *load, struct conf_edits *edits)
{
	for (uint32_t i = 1; i < load->n_tops; i++)
		convert_statement(load, edits, &conf_root_block, conf_top_node(load, i));
}

/* ---- the changed text ---- */

static int compare_edits(const void *left, const void *right)
{
	const struct conf_edit *a = left, *b = right;

	if (a->place.line != b->place.line)
		return a->place.line < b->place.line ? -1 : 1;
	if (a->place.column != b->place.column)
		return a->place.column < b->place.column ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* A definition that is used several times asks for the same change each time. */
static bool is_same(const struct conf_edit *a, const struct conf_edit *b)
{
	return a->place.line == b->place.line && a->place.column == b->place.column && a->removed == b->removed &&
	       strcmp(a->text, b->text) == 0;
}

void conf_convert_print(struct conf_edits *edits, const struct conf_sources *sources, FILE *out)
{
	const struct conf_source *f = &sources->files[0];
	struct conf_line_hint hint = {0};
	size_t done = 0, length;

	if (edits->count)
		qsort(edits->edits, edits->count, sizeof(*edits->edits), compare_edits);
	for (uint32_t i = 0; i < edits->count; i++) {
		const struct conf_edit *e = &edits->edits[i];
		const char *line = conf_source_line(sources, 0, e->place.line, &hint, &length);
		size_t at;

		if (!line || (i && is_same(e, e - 1)))
			continue;
		at = (size_t)(line - f->data) + e->place.column - 1;
		if (at < done || at > f->size)
			continue;
		fwrite(f->data + done, 1, at - done, out);
		fputs(e->text, out);
		done = at + e->removed;
	}
	if (done < f->size)
		fwrite(f->data + done, 1, f->size - done, out);
}

void conf_edits_free(struct conf_edits *edits)
{
	for (uint32_t i = 0; i < edits->count; i++)
		free(edits->edits[i].text);
	free(edits->edits);
	memset(edits, 0, sizeof(*edits));
}
