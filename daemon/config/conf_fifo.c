/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notify_fifo and its like: PATH [USER [GROUP]], and the program that reads it. Runs in the config role. */
#include "conf_fifo.h"
#include <string.h>

static const struct {
	const char *keyword, *script;
	size_t at;
} fifos[] = {
	{"notify_fifo", "notify_fifo_script", offsetof(struct conf_global, fifo_all)},
	{"vrrp_notify_fifo", "vrrp_notify_fifo_script", offsetof(struct conf_global, fifo_vrrp)},
	{"lvs_notify_fifo", "lvs_notify_fifo_script", offsetof(struct conf_global, fifo_lvs)},
};

#define N_FIFOS (sizeof(fifos) / sizeof(fifos[0]))

static struct conf_fifo *fifo_at(struct conf_load *load, size_t at)
{
	return (struct conf_fifo *)((char *)conf_builder_at(load->builder, CONF_TABLE_GLOBAL, 0) + at);
}

static void apply_path(struct conf_load *load, const struct conf_node *node, size_t at)
{
	conf_string_t path = conf_text(load, conf_word(node, 1));
	conf_string_t user = conf_text(load, conf_word(node, 2)), group = conf_text(load, conf_word(node, 3));

	if (conf_word(node, 1)[0] != '/') {
		conf_error(load, node, node->n_words > 1, "%s needs an absolute path", conf_word(node, 0));
		return;
	}
	conf_extra_words(load, node, 4);
	for (unsigned i = 0; i < N_FIFOS; i++) {
		if (fifos[i].at != at && fifo_at(load, fifos[i].at)->path == path)
			conf_error(load, node, 1, "%s and %s cannot be the same FIFO", fifos[i].keyword,
				conf_word(node, 0));
	}
	fifo_at(load, at)->path = path;
	fifo_at(load, at)->user = user;
	fifo_at(load, at)->group = group;
}

void conf_fifo_apply(struct conf_load *load, const struct conf_node *node)
{
	struct conf_command command;

	for (unsigned i = 0; i < N_FIFOS; i++) {
		if (strcmp(fifos[i].keyword, conf_word(node, 0)) == 0)
			apply_path(load, node, fifos[i].at);
		if (strcmp(fifos[i].script, conf_word(node, 0)) == 0 && conf_command(load, node, 1, false, &command))
			fifo_at(load, fifos[i].at)->script = command;
	}
}

void conf_fifo_print(struct conf_printer *p, uint32_t record)
{
	const char *global = conf_print_record(p, CONF_TABLE_GLOBAL, record);

	for (unsigned i = 0; i < N_FIFOS; i++) {
		const struct conf_fifo *fifo = (const struct conf_fifo *)(const void *)(global + fifos[i].at);

		if (fifo->path)
			conf_print_line(p, "%s %s%s%s%s%s", fifos[i].keyword, conf_print_text(p, fifo->path),
				fifo->user ? " " : "", fifo->user ? conf_print_text(p, fifo->user) : "",
				fifo->group ? " " : "", fifo->group ? conf_print_text(p, fifo->group) : "");
		if (fifo->script.argc)
			conf_print_line(p, "%s %s", fifos[i].script, conf_print_command(p, &fifo->script));
	}
}
