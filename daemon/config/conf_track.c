/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads what instances and groups watch: NAME [weight N] [reverse]. Runs in the config role. Names are looked up at the
 * end, when everything is read. */
#include "conf_track.h"
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* As in keepalived, where a file or a process may take all there is. */
static int64_t weight_limit(uint32_t kind)
{
	return kind == CONF_TRACK_PROCESS || kind == CONF_TRACK_FILE || kind == CONF_TRACK_SERVICE ? 254 : 253;
}

/* The word behind `weight`. As keepalived does it: one beyond the limit is the limit, what is none counts as 0, and
 * with no word at all nothing is tracked. */
static bool read_number(
	struct conf_load *load, const struct conf_node *node, uint32_t i, int64_t limit, int64_t *weight)
{
	if (i >= node->n_words) {
		conf_warn(load, node, i - 1, "weight needs a number from -%d to %d" CONF_MEANING "%s is not tracked",
			(int)limit, (int)limit, conf_word(node, 0));
		return false;
	}
	if (conf_parse_number(conf_word(node, i), -limit, limit, weight) == CONF_VALUE_OK)
		return true;
	if (conf_parse_number(conf_word(node, i), -254, 254, weight) != CONF_VALUE_OK)
		*weight = 0;
	else
		*weight = *weight < 0 ? -limit : limit;
	conf_warn(load, node, i, "weight must be a number from -%d to %d" CONF_MEANING "%d is taken", (int)limit,
		(int)limit, (int)*weight);
	return true;
}

/* The words from `first` on. Returns false (said) when the line is not understood: it is not tracked then. */
static bool read_weight(
	struct conf_load *load, const struct conf_node *node, uint32_t first, struct conf_track *t, int64_t *weight)
{
	int64_t limit = weight_limit(t->kind);

	for (uint32_t i = first; i < node->n_words; i++) {
		const char *word = conf_word(node, i);

		if (strcmp(word, "weight") == 0) {
			if (!read_number(load, node, ++i, limit, weight))
				return false;
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

/* name_words: how many words the name has; it is remembered with blanks between them. */
static void add_track(
	struct conf_load *load, const struct conf_node *node, enum conf_track_kind kind, uint32_t name_words)
{
	struct conf_track track = {.kind = kind};
	char name[3 * (CONF_NAME_MAX + 1)] = "";
	int64_t weight = INT64_MIN;
	uint32_t count;

	for (uint32_t i = 0; i < name_words; i++)
		snprintf(name + strlen(name), sizeof(name) - strlen(name), "%s%.*s", i ? " " : "", CONF_NAME_MAX,
			conf_word(node, i));
	track.name = conf_text(load, name);
	if (is_repeated(load, kind, track.name, &count)) {
		conf_warn(load, node, 0, "%s is already tracked" CONF_MEANING "this line is ignored", name);
		return;
	}
	if (count >= CONF_TRACKS_MAX) {
		conf_error(load, node, 0, "an object tracks at most %d others", CONF_TRACKS_MAX);
		return;
	}
	if (!read_weight(load, node, name_words, &track, &weight))
		return;
	track.script = track.process = track.file = track.service = track.bfd = track.track_group = CONF_NONE;
	track.instance = track.group = CONF_NONE;
	track.weight = weight != INT64_MIN ? (int32_t)weight : 0;
	*(struct conf_track *)conf_record_add(load, CONF_TABLE_TRACK, node) = track;
	conf_last_extra_write(load, CONF_TABLE_TRACK)->has_weight = weight != INT64_MIN;
}

void conf_warn_interface(struct conf_load *load, const struct conf_node *node, uint32_t i)
{
	const char *name = conf_word(node, i);

	if (name[strcspn(name, "',;\"")])
		conf_warn(load, node, i,
			"the %c belongs to the name of the interface, %s: write names bare, several of them one a line",
			name[strcspn(name, "',;\"")], name);
}

void conf_track_interface(struct conf_load *load, const struct conf_node *node)
{
	conf_warn_interface(load, node, 0);
	add_track(load, node, CONF_TRACK_INTERFACE, 1);
}

void conf_track_script(struct conf_load *load, const struct conf_node *node)
{
	add_track(load, node, CONF_TRACK_SCRIPT, 1);
}

void conf_track_process(struct conf_load *load, const struct conf_node *node)
{
	add_track(load, node, CONF_TRACK_PROCESS, 1);
}

void conf_track_file(struct conf_load *load, const struct conf_node *node)
{
	add_track(load, node, CONF_TRACK_FILE, 1);
}

void conf_track_bfd(struct conf_load *load, const struct conf_node *node)
{
	add_track(load, node, CONF_TRACK_BFD, 1);
}

static bool is_number(const char *word)
{
	int64_t value;

	return conf_parse_number(word, 0, UINT32_MAX, &value) == CONF_VALUE_OK;
}

static int protocol_of(const char *word)
{
	static const char *const names[] = {"tcp", "udp", "sctp", "TCP", "UDP", "SCTP", NULL};
	static const int protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};
	int i = conf_parse_choice(word, names);

	return i < 0 ? -1 : protocols[i % 3];
}

/* ADDRESS [PORT] [PROTOCOL], fwmark MARK, group NAME [PROTOCOL]; or the name that the status shows, in one word. */
void conf_track_service(struct conf_load *load, const struct conf_node *node)
{
	uint32_t n = 1;

	if (strcmp(conf_word(node, 0), "fwmark") == 0 || strcmp(conf_word(node, 0), "group") == 0 ||
		is_number(conf_word(node, 1)))
		n = 2;
	if (protocol_of(conf_word(node, n)) > 0)
		n++;
	add_track(load, node, CONF_TRACK_SERVICE, n);
}

/* ---- looked up at the end ---- */

/* keepalived does not know an object that comes after the one that tracks it. */
static bool comes_later(struct conf_load *load, enum conf_table table, conf_index_t index, conf_index_t track)
{
	const struct conf_object *o = conf_object(load, table, index), *t = conf_object(load, CONF_TABLE_TRACK, track);

	return load->dialect == CONF_DIALECT_KEEPALIVED && (o->top > t->top || (o->top == t->top && o->at > t->at));
}

static conf_index_t find_object(
	struct conf_load *load, conf_index_t track, conf_string_t wanted, enum conf_table table, const char *keyword)
{
	const struct conf_node *node = conf_object_node(load, CONF_TABLE_TRACK, track);
	const char *name = conf_builder_text(load->builder, wanted);
	conf_index_t index = conf_name_find(load, table, name);

	if (index != CONF_NONE && !comes_later(load, table, index, track))
		return index;
	if (conf_name_is_dropped(load, table, name))
		return CONF_NONE;
	conf_warn(load, node, 0,
		index == CONF_NONE ? "there is no %s %s" CONF_MEANING "it is not tracked"
				   : "%s %s comes after this line" CONF_MEANING "it is not tracked (put it before)",
		keyword, name);
	return CONF_NONE;
}

static void take_weight(struct conf_load *load, conf_index_t track, int32_t weight, uint32_t reverse)
{
	struct conf_track *t = conf_builder_at(load->builder, CONF_TABLE_TRACK, track);

	if (conf_extra(load, CONF_TABLE_TRACK, track)->has_weight)
		return;
	t->weight = weight;
	t->reverse |= reverse;
}

/* What a line names. */
struct service_key {
	bool is_group, is_mark;
	const char *group;
	int64_t mark;
	struct addr addr;
	uint16_t port;
	int protocol; /* -1 = any */
};

/* Takes the name apart; text is cut into pieces. */
static bool split_name(char *text, struct service_key *key)
{
	char *save, *first = strtok_r(text, " ", &save), *second = strtok_r(NULL, " ", &save);
	char *third = strtok_r(NULL, " ", &save), *slash;
	int64_t port = 0;

	*key = (struct service_key){.protocol = -1};
	if (!first)
		return false;
	key->is_group = strcmp(first, "group") == 0;
	key->is_mark = strcmp(first, "fwmark") == 0;
	slash = strchr(key->is_group || key->is_mark ? (second ? second : first) : first, '/');
	if (slash) {
		*slash = '\0';
		key->protocol = protocol_of(slash + 1);
	}
	if (third)
		key->protocol = protocol_of(third);
	if (key->is_group) {
		key->group = second;
		return second != NULL;
	}
	if (key->is_mark)
		return second && conf_parse_number(second, 1, UINT32_MAX, &key->mark) == CONF_VALUE_OK;
	if (second && is_number(second)) {
		if (conf_parse_number(second, 0, 65535, &port) != CONF_VALUE_OK)
			return false;
		key->port = (uint16_t)port;
		return addr_parse(first, &key->addr) == 0;
	}
	if (second)
		key->protocol = protocol_of(second);
	return addr_parse_port(first, &key->addr, &key->port) == 0;
}

static bool is_service(struct conf_load *load, const struct conf_service *s, const struct service_key *key)
{
	const struct conf_service_group *group;

	if (key->protocol >= 0 && s->protocol != key->protocol)
		return false;
	switch ((enum conf_service_kind)s->kind) {
	case CONF_SERVICE_ADDRESS:
		return !key->is_group && !key->is_mark && s->port == key->port && addr_equal(&s->addr, &key->addr);
	case CONF_SERVICE_FWMARK:
		return key->is_mark && s->fwmark == key->mark;
	case CONF_SERVICE_GROUP:
		if (!key->is_group || s->group == CONF_NONE)
			return false;
		group = conf_builder_at(load->builder, CONF_TABLE_SERVICE_GROUP, s->group);
		return strcmp(conf_builder_text(load->builder, group->name), key->group) == 0;
	}
	return false;
}

static conf_index_t find_service(struct conf_load *load, conf_string_t name, const struct conf_node *node)
{
	const char *whole = conf_builder_text(load->builder, name);
	char *text = conf_strndup(whole, strnlen(whole, CONF_NAME_MAX * 3));
	struct service_key key;
	bool is_name = split_name(text, &key);
	conf_index_t found = CONF_NONE;

	for (conf_index_t i = 0; is_name && i < conf_builder_count(load->builder, CONF_TABLE_SERVICE); i++) {
		if (is_service(load, conf_builder_at(load->builder, CONF_TABLE_SERVICE, i), &key)) {
			found = i;
			break;
		}
	}
	free(text);
	if (found == CONF_NONE)
		conf_error(load, node, 0,
			"there is no virtual_server %s to track; write its ADDRESS PORT [PROTOCOL], fwmark MARK or "
			"group NAME as in its block",
			conf_builder_text(load->builder, name));
	return found;
}

void conf_track_finish(struct conf_load *load, conf_index_t track)
{
	struct conf_track *t = conf_builder_at(load->builder, CONF_TABLE_TRACK, track);
	conf_index_t found = 0;

	switch ((enum conf_track_kind)t->kind) {
	case CONF_TRACK_INTERFACE:
	case CONF_TRACK_STATIC:
		return;
	case CONF_TRACK_SCRIPT:
		found = t->script = find_object(load, track, t->name, CONF_TABLE_SCRIPT, "vrrp_script");
		if (found != CONF_NONE) {
			const struct conf_script *s = conf_builder_at(load->builder, CONF_TABLE_SCRIPT, found);

			take_weight(load, track, s->weight, s->weight_reverse);
		}
		break;
	case CONF_TRACK_PROCESS:
		found = t->process = find_object(load, track, t->name, CONF_TABLE_PROCESS, "vrrp_track_process");
		if (found != CONF_NONE) {
			const struct conf_process *p = conf_builder_at(load->builder, CONF_TABLE_PROCESS, found);

			take_weight(load, track, p->weight, p->weight_reverse);
		}
		break;
	case CONF_TRACK_FILE:
		found = t->file = find_object(load, track, t->name, CONF_TABLE_FILE, "track_file");
		if (found != CONF_NONE) {
			const struct conf_file *f = conf_builder_at(load->builder, CONF_TABLE_FILE, found);

			take_weight(load, track, f->weight, f->weight_reverse);
		}
		break;
	case CONF_TRACK_BFD:
		found = t->bfd = find_object(load, track, t->name, CONF_TABLE_BFD, "bfd_instance");
		if (found != CONF_NONE) {
			const struct conf_bfd *b = conf_builder_at(load->builder, CONF_TABLE_BFD, found);

			take_weight(load, track, b->weight, b->weight_reverse);
		}
		break;
	case CONF_TRACK_SERVICE:
		found = t->service = find_service(load, t->name, conf_object_node(load, CONF_TABLE_TRACK, track));
		break;
	}
	if (found == CONF_NONE)
		t->kind = CONF_TRACK_DEAD;
}

/* ---- canonical print ---- */

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
		conf_print_line(p, "%s weight %d%s",
			kind == CONF_TRACK_SERVICE ? conf_print_string(p, t->name) : conf_print_text(p, t->name),
			t->weight, t->reverse ? " reverse" : "");
	}
	if (open)
		conf_print_close(p);
}

void conf_print_tracks(struct conf_printer *p, const struct conf_range *tracks)
{
	print_tracks_of(p, tracks, CONF_TRACK_INTERFACE, "track_interface");
	print_tracks_of(p, tracks, CONF_TRACK_SCRIPT, "track_script");
	print_tracks_of(p, tracks, CONF_TRACK_PROCESS, "track_process");
	print_tracks_of(p, tracks, CONF_TRACK_FILE, "track_file");
	print_tracks_of(p, tracks, CONF_TRACK_BFD, "track_bfd");
	print_tracks_of(p, tracks, CONF_TRACK_SERVICE, "track_virtual_server");
}
