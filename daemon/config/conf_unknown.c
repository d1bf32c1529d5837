/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said of a statement that its block does not know: where it belongs, what it may be a misspelling of, and
 * whether the file can do without it. Runs in the config role. */
#include "conf_load.h"
#include <string.h>

static const char *directive_name(const void *block, unsigned i)
{
	const struct conf_directive *d = conf_directive_at(block, i);

	return d ? d->name : NULL;
}

/* The block that knows this keyword, searched from the outside to the inside; NULL when none does. */
static const char *home_within(const struct conf_block *block, const char *name)
{
	const struct conf_directive *d;
	const char *found;
	unsigned number;

	if (conf_directive_find(block, name, &number))
		return block->name[0] ? block->name : "no block at all";
	for (unsigned i = 0; (d = conf_directive_at(block, i)); i++) {
		found = d->kind == CONF_KIND_BLOCK ? home_within(d->block, name) : NULL;
		if (found)
			return found;
	}
	return NULL;
}

static bool is_object(const char *name)
{
	static const char *const objects[] = {"vrrp_instance", "virtual_server", "real_server", "vrrp_sync_group",
		"vrrp_script", "virtual_server_group", "virtual_ipaddress", "virtual_ipaddress_excluded", NULL};

	return conf_parse_choice(name, objects) >= 0;
}

static bool may_hold_secret(const struct conf_block *block, const char *near)
{
	return strcmp(block->name, "authentication") == 0 || strcmp(block->name, "auth_hmac") == 0 ||
	       block == &conf_trap_target_block || block == &conf_ssl_global_block ||
	       (near && strcmp(near, "tls_key_password") == 0);
}

/* An object in the wrong block, which is said. */
static bool is_misplaced(
	struct conf_load *load, const struct conf_block *block, const struct conf_node *node, const char *home)
{
	const char *name = conf_word(node, 0);
	unsigned number;

	if (block == &conf_root_block && is_object(name))
		conf_error(load, node, 0, "%s cannot stand outside of %s; is there a `}` too many before it?", name,
			home ? home : "its block");
	else if (block != &conf_root_block && (conf_directive_find(&conf_root_block, name, &number) || is_object(name)))
		conf_error(load, node, 0, "%s cannot stand in %s; is a `}` missing before it?", name, block->name);
	else
		return false;
	return true;
}

void conf_unknown(struct conf_load *load, const struct conf_block *block, const struct conf_node *node)
{
	/* Then nobody reads the hints. Those about a block also decide whether it is an error. */
	bool full = conf_diag_full(load->diag, node->block ? CONF_ERROR : CONF_WARNING);
	const char *name = conf_word(node, 0), *near = full ? NULL : conf_nearest(name, directive_name, block);
	const char *where = block->name[0] ? " in " : "";
	const char *what = node->block ? "block" : "keyword";
	const char *home = full ? NULL : home_within(&conf_root_block, name);

	/* What is left of a block whose `{` is missing, which was said. */
	if (block == &conf_root_block && home && load->unopened && strcmp(home, load->unopened) == 0)
		return;
	if (may_hold_secret(block, near))
		conf_diag_hide(load->diag, conf_node_place(node));
	if (node->block && is_misplaced(load, block, node, home))
		return;
	if (strncmp(name, "\xc2\xa0", 2) == 0) {
		(node->block ? conf_error : conf_warn)(load, node, 0,
			"a no-break space stands before this keyword; replace it by a plain blank" CONF_MEANING
			"the line is ignored");
		return;
	}
	/* Leaving out a whole object would serve less than the file says. */
	if (node->block && near && is_object(near))
		conf_error(load, node, 0, "unknown block \"%s\"%s%s; did you mean %s?", name, where, block->name, near);
	else if (node->block && strncmp(name, "virtual_server", 14) == 0)
		conf_error(load, node, 0, "unknown block \"%s\"; is a blank missing after virtual_server?", name);
	else if (home && !node->block && strcmp(home, block->name) != 0)
		conf_warn(load, node, 0, "%s does not belong here but in %s" CONF_MEANING "it is ignored", name, home);
	else if (node->block && block != &conf_root_block)
		conf_warn(load, node, 0,
			"unknown block \"%s\" in %s is ignored, it alone (keepalived would misread the rest of "
			"%s)%s%s%s",
			name, block->name, block->name, near ? "; did you mean " : "", near ? near : "",
			near ? "?" : "");
	else if (!node->block && strchr(name, '='))
		conf_warn(load, node, 0, "unknown keyword \"%s\"%s%s is ignored; write a blank instead of the =", name,
			where, block->name);
	else if (near)
		conf_warn(load, node, 0, "unknown %s \"%s\"%s%s is ignored; did you mean %s?", what, name, where,
			block->name, near);
	else
		conf_warn(load, node, 0, "unknown %s \"%s\"%s%s is ignored", what, name, where, block->name);
}
