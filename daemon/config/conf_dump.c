/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints finished tables as a configuration. Runs in the config role. */
#include "conf_address.h"
#include "conf_print.h"
#include "conf_route.h"
#include "conf_rule.h"

/* Two names of the same block outside all others. */
static bool is_synonym(unsigned i, const struct conf_directive *d)
{
	for (unsigned k = 0; k < i; k++)
		if (conf_directive_at(&conf_root_block, k)->block == d->block)
			return true;
	return false;
}

void conf_print(struct conf_builder *builder, FILE *out)
{
	struct conf_printer p = {.builder = builder, .out = out};
	const struct conf_directive *d;

	conf_print_open(&p, "global_defs");
	conf_print_directives(&p, &conf_global_block, 0);
	conf_print_close(&p);
	/* In the order of the lines, which puts scripts before what tracks them. */
	for (unsigned i = 0; (d = conf_directive_at(&conf_root_block, i)); i++) {
		if ((d->kind == CONF_KIND_CALL || d->kind == CONF_KIND_LINES) && d->print)
			d->print(&p, 0);
		if (d->kind != CONF_KIND_BLOCK || !d->block->print || is_synonym(i, d))
			continue;
		for (conf_index_t k = 0; k < conf_builder_count(builder, (enum conf_table)d->block->table); k++)
			d->block->print(&p, k);
	}
	conf_print_static_addresses(&p);
	conf_print_routes(&p, CONF_NONE, "static_routes");
	conf_print_rules(&p, CONF_NONE, "static_rules");
	conf_arena_free(&p.arena);
}
