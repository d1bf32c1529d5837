/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way from a file to finished tables: words, tree, records, rules. Runs in the config role and in its tests. */
#include "conf_read.h"
#include "conf_convert.h"
#include "conf_lex.h"
#include "conf_umask.h"
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* The text is still in a file. */
#define NO_SOURCE UINT32_MAX

static enum conf_dialect dialect_of(const char *name, int wanted)
{
	const char *slash = strrchr(name, '/');

	if (wanted >= 0)
		return (enum conf_dialect)wanted;
	return strcmp(slash ? slash + 1 : name, "poise.conf") == 0 ? CONF_DIALECT_POISE : CONF_DIALECT_KEEPALIVED;
}

static void begin(struct conf_result *r, const char *name, const struct conf_read_options *options)
{
	memset(r, 0, sizeof(*r));
	r->dialect = dialect_of(name, options->dialect);
	r->diag = conf_diag_new(r->dialect == CONF_DIALECT_POISE);
	r->builder = conf_builder_new();
	if (!r->builder)
		abort();
}

static void add_origin(struct conf_load *load, const char *path, bool is_file, int64_t mtime_real_us)
{
	struct conf_origin origin = {.path = conf_text(load, path), .is_file = is_file, .mtime_real_us = mtime_real_us};

	*(struct conf_origin *)conf_record_add(load, CONF_TABLE_ORIGIN, conf_top_node(load, 0)) = origin;
}

static void add_origins(struct conf_load *load)
{
	const struct conf_sources *s = load->sources;

	for (uint32_t i = 0; i < s->count; i++)
		if (s->files[i].mtime_real_us)
			add_origin(load, s->files[i].name, i == 0, s->files[i].mtime_real_us);
	for (uint32_t i = 0; i < s->n_folders; i++)
		add_origin(load, s->folders[i].name, false, s->folders[i].mtime_real_us);
}

/* The record of global_defs is there, whether the block is or not. */
static void begin_global(struct conf_load *load, const char *name)
{
	struct conf_global *g;

	memset(&load->defaults, 0xff, sizeof(load->defaults));
	load->defaults.interface = 0;
	load->defaults.sync_daemon = NULL;
	load->defaults.sync_instance = NULL;
	load->defaults.sync_by_instance = NULL;
	g = conf_object_begin(load, &conf_global_block, conf_top_node(load, 0));
	g->dialect = load->dialect;
	g->script_umask = conf_umask_usual(load->dialect);
	g->source_file = conf_text(load, name);
}

/* Reads a statement as soon as it is there. */
static bool take(void *arg, const struct conf_node *node, uint32_t n, const struct conf_start *start)
{
	struct conf_load *load = arg;
	const struct conf_directive *d;

	conf_top_add(load, node, n, start);
	d = conf_statement_apply(load, &conf_root_block, node);
	if (load->keeps_all || !start || !d || d->kind != CONF_KIND_BLOCK || !d->block->is_brief)
		return true;
	load->tops[load->n_tops - 1].node = NULL;
	return false;
}

/* What belongs to the file as a whole. */
static const struct conf_word nothing = {.text = "", .place = {0, 1, 1}};
static const struct conf_node whole = {.words = &nothing, .block = true};

static void read_source(
	struct conf_result *r, const char *name, uint32_t source, const struct conf_read_options *options)
{
	struct conf_load load = {.sources = &r->sources, .diag = r->diag, .builder = r->builder, .dialect = r->dialect};
	struct conf_lex_options lex = {
		.take = take, .arg = &load, .config_id = options->config_id, .no_files = options->no_files};
	struct conf_tree tree = {0};
	struct utsname uts;

	load.check_files = options->check_files;
	load.no_files = options->no_files;
	load.keeps_all = options->edits != NULL;
	if (!lex.config_id && uname(&uts) == 0) {
		uts.nodename[strcspn(uts.nodename, ".")] = 0;
		lex.config_id = uts.nodename;
	}
	conf_top_add(&load, &whole, 1, NULL);
	begin_global(&load, name);
	if (source == NO_SOURCE)
		conf_lex_file(&tree, &r->sources, r->diag, name, &lex);
	else
		conf_lex_source(&tree, &r->sources, r->diag, source, &lex);
	add_origins(&load);
	conf_finish(&load);
	conf_check(&load);
	if (options->edits)
		conf_convert(&load, options->edits);
	conf_load_free(&load);
	conf_tree_free(&tree);
}

void conf_read_file(struct conf_result *r, const char *name, const struct conf_read_options *options)
{
	begin(r, name, options);
	read_source(r, name, NO_SOURCE, options);
}

void conf_read_text(
	struct conf_result *r, const char *name, const char *text, size_t size, const struct conf_read_options *options)
{
	begin(r, name, options);
	read_source(r, name, conf_source_add_text(&r->sources, name, text, size), options);
}

void conf_result_free(struct conf_result *r)
{
	conf_builder_free(r->builder);
	conf_diag_free(r->diag);
	conf_sources_free(&r->sources);
}
