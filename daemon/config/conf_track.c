/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads what instances and groups watch: NAME [weight N] [reverse]. Runs in the config role. Scripts are looked up at
 * the end, in conf_finish.c. */
#include "conf_track.h"
#include <string.h>

/* The words behind the name. Returns false (said) when the line is not understood: it is not tracked then. */
static bool read_weight(struct conf_load *load, const struct conf_node *node, struct conf_track *t, int64_t *weight)
{
	for (uint32_t i = 1; i < node->n_words; i++) {
		const char *word = conf_word(node, i);

		if (strcmp(word, "weight") == 0) {
			i++;
			if (conf_parse_number(conf_word(node, i), -253, 253, weight) != CONF_VALUE_OK)
				conf_warn(load, node, i,
					"weight must be a number from -253 to 253" CONF_MEANING "it is left out");
		} else if (strcmp(word, "reverse") == 0) {
			t->reverse = 1;
		} else if (strcmp(word, "noreverse") != 0 && strcmp(word, "no_reverse") != 0) {
			conf_warn(load, node, i,
				"only weight NUMBER and reverse may follow a name, not \"%s\"" CONF_MEANING
				"%s is not tracked "
				"(write one name a line)",
				word, conf_word(node, 0));
			return false;
		}
	}
	return true;
}

/* Whether the object that is being read watches this already. *count: how much it watches. */
static bool is_repeated(struct conf_load *load, enum conf_track_kind kind, conf_string_t name, uint32_t *count)
{
	*count = 0;
	for (conf_index_t i = conf_builder_count(load->builder, CONF_TABLE_TRACK); i-- > 0;) {
		const struct conf_track *t = conf_builder_at(load->builder, CONF_TABLE_TRACK, i);

		/* Objects that are complete have put their number into their tracks. */
		if (t->instance != CONF_NONE || t->group != CONF_NONE)
			return false;
		if (t->kind == (uint32_t)kind && t->name == name)
			return true;
		++*count;
	}
	return false;
}

static void add_track(struct conf_load *load, const struct conf_node *node, enum conf_track_kind kind)
{
	struct conf_track track = {.kind = kind, .name = conf_text(load, conf_word(node, 0))};
	struct conf_object *o;
	int64_t weight = INT64_MIN;
	uint32_t count;

	if (is_repeated(load, kind, track.name, &count)) {
		conf_warn(
			load, node, 0, "%s is already tracked" CONF_MEANING "this line is ignored", conf_word(node, 0));
		return;
	}
	if (count >= CONF_TRACKS_MAX) {
		conf_error(load, node, 0, "an object tracks at most %d others", CONF_TRACKS_MAX);
		return;
	}
	if (!read_weight(load, node, &track, &weight))
		return;
	track.script = track.service = track.instance = track.group = CONF_NONE;
	track.weight = weight != INT64_MIN ? (int32_t)weight : 0;
	*(struct conf_track *)conf_record_add(load, CONF_TABLE_TRACK, node) = track;
	o = conf_object(load, CONF_TABLE_TRACK, conf_builder_count(load->builder, CONF_TABLE_TRACK) - 1);
	o->extra.reference = &node->words[0];
	o->extra.has_weight = weight != INT64_MIN;
}

void conf_track_interface(struct conf_load *load, const struct conf_node *node)
{
	add_track(load, node, CONF_TRACK_INTERFACE);
}

void conf_track_script(struct conf_load *load, const struct conf_node *node)
{
	add_track(load, node, CONF_TRACK_SCRIPT);
}

static void print_tracks_of(
	struct conf_printer *p, const struct conf_range *tracks, enum conf_track_kind kind, const char *keyword)
{
	bool open = false;

	for (uint32_t i = 0; i < tracks->count; i++) {
		const struct conf_track *t = conf_print_record(p, CONF_TABLE_TRACK, tracks->first + i);

		if (t->kind != kind)
			continue;
		if (!open)
			conf_print_open(p, "%s", keyword);
		open = true;
		conf_print_line(
			p, "%s weight %d%s", conf_print_text(p, t->name), t->weight, t->reverse ? " reverse" : "");
	}
	if (open)
		conf_print_close(p);
}

void conf_print_tracks(struct conf_printer *p, const struct conf_range *tracks)
{
	print_tracks_of(p, tracks, CONF_TRACK_INTERFACE, "track_interface");
	print_tracks_of(p, tracks, CONF_TRACK_SCRIPT, "track_script");
}
