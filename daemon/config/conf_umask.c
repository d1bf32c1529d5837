/* SPDX-License-Identifier: GPL-2.0-or-later */
/* umask: what the files that scripts make are not allowed. Runs in the config role. */
#include "conf_umask.h"
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	uint32_t bit;
} bits[] = {{"IRUSR", 0400}, {"IWUSR", 0200}, {"IXUSR", 0100}, {"IRGRP", 040}, {"IWGRP", 020}, {"IXGRP", 010},
	{"IROTH", 04}, {"IWOTH", 02}, {"IXOTH", 01}};

uint32_t conf_umask_usual(enum conf_dialect dialect)
{
	return dialect == CONF_DIALECT_KEEPALIVED ? 0177 : 022;
}

static bool add_bit(const char *name, size_t length, uint32_t *mask)
{
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		if (strlen(bits[i].name) == length && strncmp(name, bits[i].name, length) == 0) {
			*mask |= bits[i].bit;
			return true;
		}
	}
	return false;
}

/* A number as C writes it, or names of bits with | between them, in one word or several. */
static bool add_word(const char *text, uint32_t *mask)
{
	char *end;
	unsigned long number;

	if (text[0] >= '0' && text[0] <= '9') {
		number = strtoul(text, &end, 0);
		*mask |= (uint32_t)number;
		return *end == '\0' && number <= 0777;
	}
	while (*text) {
		size_t length = strcspn(text, "|");

		if (length && !add_bit(text, length, mask))
			return false;
		text += length + (text[length] == '|');
	}
	return true;
}

void conf_umask_apply(struct conf_load *load, const struct conf_node *node)
{
	struct conf_global *g = conf_current(load, CONF_TABLE_GLOBAL);
	uint32_t mask = 0;

	for (uint32_t i = 1; i < node->n_words; i++) {
		if (add_word(conf_word(node, i), &mask))
			continue;
		conf_warn(load, node, i,
			"umask is a number from 0 to 0777, or bits such as IWGRP|IWOTH, not \"%s\"" CONF_MEANING
			"0%o is taken",
			conf_word(node, i), g->script_umask);
		return;
	}
	if (node->n_words < 2)
		conf_error(load, node, 0, "umask needs a number from 0 to 0777, or bits such as IWGRP|IWOTH");
	else
		g->script_umask = mask;
}

void conf_umask_print(struct conf_printer *p, uint32_t record)
{
	const struct conf_global *g = conf_print_record(p, CONF_TABLE_GLOBAL, record);

	if (g->script_umask != conf_umask_usual((enum conf_dialect)g->dialect))
		conf_print_line(p, "umask 0%o", g->script_umask);
}
