/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way from a file to finished tables: words, tree, records, rules. Runs in the config role and in its tests. */
#include "conf_read.h"
#include "conf_convert.h"
#include "conf_lex.h"
#include "conf_umask.h"
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

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

static struct conf_lex_options lex_options(const struct conf_read_options *options, struct utsname *uts)
{
	struct conf_lex_options o = {.config_id = options->config_id, .no_files = options->no_files};

	if (!o.config_id && uname(uts) == 0) {
		uts->nodename[strcspn(uts->nodename, ".")] = 0;
		o.config_id = uts->nodename;
	}
	return o;
}

static void add_origin(struct conf_load *load, const char *path, bool is_file, int64_t mtime_real_us)
{
	struct conf_origin origin = {.path = conf_text(load, path), .is_file = is_file, .mtime_real_us = mtime_real_us};

	*(struct conf_origin *)conf_record_add(load, CONF_TABLE_ORIGIN, &load->tree->nodes[0]) = origin;
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
static void begin_global(struct conf_load *load)
{
	struct conf_global *g;

	memset(&load->defaults, 0xff, sizeof(load->defaults));
	load->defaults.interface = 0;
	load->defaults.sync_daemon = NULL;
	load->defaults.sync_instance = NULL;
	load->defaults.sync_by_instance = NULL;
	g = conf_object_begin(load, &conf_global_block, &load->tree->nodes[0]);
	g->dialect = load->dialect;
	g->script_umask = conf_umask_usual(load->dialect);
	g->source_file = conf_text(load, load->sources->count ? load->sources->files[0].name : "");
}

static void build(struct conf_result *r, struct conf_tree *tree, const struct conf_read_options *options)
{
	struct conf_load load = {.tree = tree, .sources = &r->sources, .diag = r->diag, .builder = r->builder};

	load.dialect = r->dialect;
	load.check_files = options->check_files;
	load.no_files = options->no_files;
	add_origins(&load);
	begin_global(&load);
	conf_block_apply(&load, &conf_root_block, &tree->nodes[0]);
	conf_finish(&load);
	conf_check(&load);
	if (options->edits)
		conf_convert(&load, options->edits);
	conf_load_free(&load);
	conf_tree_free(tree);
}

void conf_read_file(struct conf_result *r, const char *name, const struct conf_read_options *options)
{
	struct conf_lex_options lex;
	struct conf_tree tree;
	struct utsname uts;

	begin(r, name, options);
	lex = lex_options(options, &uts);
	conf_lex_file(&tree, &r->sources, r->diag, name, &lex);
	build(r, &tree, options);
}

void conf_read_text(
	struct conf_result *r, const char *name, const char *text, size_t size, const struct conf_read_options *options)
{
	struct conf_lex_options lex;
	struct conf_tree tree;
	struct utsname uts;

	begin(r, name, options);
	lex = lex_options(options, &uts);
	conf_lex_source(&tree, &r->sources, r->diag, conf_source_add_text(&r->sources, name, text, size), &lex);
	build(r, &tree, options);
}

void conf_result_free(struct conf_result *r)
{
	conf_builder_free(r->builder);
	conf_diag_free(r->diag);
	conf_sources_free(&r->sources);
}
