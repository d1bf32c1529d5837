/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads virtual addresses (the words of `ip address add`) and unicast peers. Runs in the config role. */
#include "conf_address.h"
#include "conf_iproute.h"
#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	uint8_t scope;
} scopes[] = {
	{"global", RT_SCOPE_UNIVERSE},
	{"site", RT_SCOPE_SITE},
	{"link", RT_SCOPE_LINK},
	{"host", RT_SCOPE_HOST},
	{"nowhere", RT_SCOPE_NOWHERE},
};

#define N_SCOPES (sizeof(scopes) / sizeof(scopes[0]))

static void read_scope(struct conf_load *load, const struct conf_node *node, uint32_t i, struct conf_address *a)
{
	int64_t number;

	for (unsigned k = 0; k < N_SCOPES; k++) {
		if (strcmp(scopes[k].name, conf_word(node, i)) == 0) {
			a->scope = scopes[k].scope;
			return;
		}
	}
	if (conf_parse_number(conf_word(node, i), 0, 255, &number) == CONF_VALUE_OK)
		a->scope = (uint8_t)number;
	else
		conf_warn(load, node, i,
			"scope must be global, site, link, host or nowhere" CONF_MEANING "global is taken");
}

static void read_other_address(
	struct conf_load *load, const struct conf_node *node, uint32_t i, const char *what, struct addr *out)
{
	if (addr_parse(conf_word(node, i), out) < 0) {
		memset(out, 0, sizeof(*out));
		conf_warn(load, node, i,
			"%s must be followed by an IP address, not \"%s\"" CONF_MEANING "it is left out", what,
			conf_word(node, i));
	}
}

/* brd + and brd -: the address with its host bits set, or cleared. */
static bool read_made_broadcast(const char *word, struct conf_address *a)
{
	bool set = strcmp(word, "+") == 0;

	if (!set && strcmp(word, "-") != 0)
		return false;
	a->broadcast = a->addr;
	for (unsigned bit = a->prefix; bit < addr_len(&a->addr) * 8; bit++) {
		if (set)
			a->broadcast.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
		else
			a->broadcast.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	}
	return true;
}

static const struct {
	const char *name;
	uint32_t flag;
} flags[] = {
	{"home", IFA_F_HOMEADDRESS},
	{"mngtmpaddr", IFA_F_MANAGETEMPADDR},
	{"noprefixroute", IFA_F_NOPREFIXROUTE},
	{"autojoin", IFA_F_MCAUTOJOIN},
	/* Virtual addresses are never checked for duplicates: the former master may still answer. */
	{"-nodad", IFA_F_NODAD},
};

#define N_FLAGS (sizeof(flags) / sizeof(flags[0]))

static void read_flag(struct conf_load *load, const struct conf_node *node, uint32_t i, struct conf_address *a)
{
	const char *word = conf_word(node, i);
	struct addr other;
	uint8_t prefix;

	if (strcmp(word, "no_track") == 0) {
		a->no_track = 1;
		return;
	}
	for (unsigned k = 0; k < N_FLAGS; k++) {
		if (strcmp(flags[k].name, word) == 0) {
			a->flags |= flags[k].flag;
			return;
		}
	}
	if (strcmp(word, "nodad") == 0) {
		conf_warn(load, node, i, "keepalived spells this -nodad" CONF_MEANING "it is taken for that");
		a->flags |= IFA_F_NODAD;
		return;
	}
	if (strcmp(word, "use_vmac") == 0 && a->instance != CONF_NONE)
		a->use_vmac = 1;
	else if (addr_parse_prefix(word, &other, &prefix) == 0)
		conf_warn(load, node, i, "\"%s\" is another address" CONF_MEANING "it is ignored (write one a line)",
			word);
	else
		conf_warn(load, node, i,
			"\"%s\" means nothing behind an address (dev, label, scope, brd, peer and their like "
			"do)" CONF_MEANING "it is ignored",
			word);
}

static void read_preferred(struct conf_load *load, const struct conf_node *node, uint32_t i, struct conf_address *a)
{
	if (strcmp(conf_word(node, i), "forever") == 0)
		a->preferred_s = UINT32_MAX;
	else if (!conf_iproute_plain(conf_word(node, i), UINT32_MAX - 1, &a->preferred_s))
		conf_warn(load, node, i,
			"preferred_lft must be a number of seconds or forever" CONF_MEANING "it is left out");
}

/* One option at words[i]; returns the words used. */
static uint32_t read_option(struct conf_load *load, const struct conf_node *node, uint32_t i, struct conf_address *a)
{
	const char *word = conf_word(node, i), *value = conf_word(node, i + 1);

	if (strcmp(word, "dev") == 0)
		a->interface = conf_text(load, value);
	else if (strcmp(word, "label") == 0)
		a->label = conf_text(load, value);
	else if (strcmp(word, "scope") == 0)
		read_scope(load, node, i + 1, a);
	else if (strcmp(word, "brd") == 0 || strcmp(word, "broadcast") == 0) {
		if (!read_made_broadcast(value, a))
			read_other_address(load, node, i + 1, word, &a->broadcast);
	} else if (strcmp(word, "peer") == 0)
		read_other_address(load, node, i + 1, word, &a->peer);
	else if (strcmp(word, "preferred_lft") == 0)
		read_preferred(load, node, i + 1, a);
	else if (strcmp(word, "track_group") == 0) {
		/* Looked up at the end. */
	} else {
		read_flag(load, node, i, a);
		return 1;
	}
	if (!*value)
		conf_warn(load, node, i, "%s needs a value" CONF_MEANING "it is ignored", word);
	return 2;
}

/* A netmask is not what belongs there, but it is clear what was meant. */
static void warn_prefix(struct conf_load *load, const struct conf_node *node, const char *text, uint8_t taken)
{
	char hint[80] = "";
	struct in_addr mask;
	uint32_t bits = inet_pton(AF_INET, text, &mask) == 1 ? ntohl(mask.s_addr) : 1;

	if (text[0] && text[strlen(text) - 1] == ',')
		snprintf(hint, sizeof(hint), " (write one address a line, without commas)");
	else if ((~bits & (~bits + 1)) == 0)
		snprintf(hint, sizeof(hint), " (write /%d if that is meant)", __builtin_popcount(bits));
	conf_warn(load, node, 0, "\"%s\" is no length of a prefix" CONF_MEANING "/%u is taken%s", text, taken, hint);
}

/* ADDRESS[/PREFIX]; with a wrong prefix the whole address counts, as in keepalived. */
static bool read_address(struct conf_load *load, const struct conf_node *node, struct addr *addr, uint8_t *prefix)
{
	const char *text = conf_word(node, 0), *slash = strchr(text, '/');
	char bare[ADDR_TEXT];

	if (addr_parse_prefix(text, addr, prefix) == 0)
		return true;
	if (slash && (size_t)(slash - text) < sizeof(bare)) {
		memcpy(bare, text, (size_t)(slash - text));
		bare[slash - text] = 0;
		if (addr_parse_prefix(bare, addr, prefix) == 0) {
			warn_prefix(load, node, slash + 1, *prefix);
			return true;
		}
	}
	conf_error(load, node, 0, "\"%s\" is no IP address (ADDRESS[/PREFIX]%s)", text,
		strchr(text, ',') ? "; write one address a line, without commas" : "; names are not resolved");
	return false;
}

static const struct conf_word *track_group_of(const struct conf_node *node)
{
	for (uint32_t i = 1; i + 1 < node->n_words; i++) {
		if (strcmp(conf_word(node, i), "track_group") == 0)
			return &node->words[i + 1];
	}
	return NULL;
}

static void add_address(struct conf_load *load, const struct conf_node *node, bool excluded, conf_index_t instance)
{
	struct conf_address a = {.excluded = excluded, .instance = instance, .link = CONF_NONE};
	uint32_t i = 1;

	if (!read_address(load, node, &a.addr, &a.prefix))
		return;
	/* A host address of IPv6 is deprecated, so that this host's own connections do not come from it. */
	a.preferred_s = a.addr.family == AF_INET6 && a.prefix == 128 ? 0 : UINT32_MAX;
	while (i < node->n_words)
		i += read_option(load, node, i, &a);
	*(struct conf_address *)conf_record_add(load, CONF_TABLE_ADDRESS, node) = a;
	if (track_group_of(node))
		conf_last_extra_write(load, CONF_TABLE_ADDRESS)->reference = track_group_of(node);
}

void conf_address_virtual(struct conf_load *load, const struct conf_node *node)
{
	add_address(load, node, false, load->current[CONF_TABLE_INSTANCE]);
}

void conf_address_excluded(struct conf_load *load, const struct conf_node *node)
{
	add_address(load, node, true, load->current[CONF_TABLE_INSTANCE]);
}

void conf_address_static(struct conf_load *load, const struct conf_node *node)
{
	add_address(load, node, false, CONF_NONE);
}

/* A TTL behind min_ttl or max_ttl. */
static uint8_t read_ttl(struct conf_load *load, const struct conf_node *node, uint32_t i, uint8_t otherwise)
{
	int64_t ttl;

	if (conf_parse_number(conf_word(node, i + 1), 0, 255, &ttl) == CONF_VALUE_OK)
		return (uint8_t)ttl;
	conf_warn(load, node, i, "%s must be followed by a number from 0 to 255" CONF_MEANING "it is left out",
		conf_word(node, i));
	return otherwise;
}

void conf_address_peer(struct conf_load *load, const struct conf_node *node)
{
	struct conf_peer peer = {0};
	uint8_t prefix;

	if (!read_address(load, node, &peer.addr, &prefix))
		return;
	if (strchr(conf_word(node, 0), '/'))
		conf_warn(load, node, 0, "a peer has no prefix" CONF_MEANING "it is ignored");
	for (uint32_t i = 1; i < node->n_words; i++) {
		if (strcmp(conf_word(node, i), "min_ttl") == 0) {
			peer.min_ttl = read_ttl(load, node, i++, 0);
			peer.max_ttl = peer.max_ttl ? peer.max_ttl : 255;
		} else if (strcmp(conf_word(node, i), "max_ttl") == 0) {
			peer.max_ttl = read_ttl(load, node, i++, 255);
		} else {
			conf_extra_words(load, node, i);
			break;
		}
	}
	*(struct conf_peer *)conf_record_add(load, CONF_TABLE_PEER, node) = peer;
}

/* Stable: both kinds stay in the order written. */
static uint32_t advertised_first(struct conf_load *load, uint32_t first, uint32_t count)
{
	struct conf_object *objects, *sorted_objects;
	struct conf_address *a, *sorted;
	uint32_t n = 0, at = 0;

	if (count == 0)
		return 0;
	objects = conf_object(load, CONF_TABLE_ADDRESS, first);
	a = conf_builder_at(load->builder, CONF_TABLE_ADDRESS, first);
	sorted = conf_realloc(NULL, count, sizeof(*sorted));
	sorted_objects = conf_realloc(NULL, count, sizeof(*sorted_objects));
	for (unsigned excluded = 0; excluded < 2; excluded++) {
		for (uint32_t i = 0; i < count; i++) {
			if (a[i].excluded != excluded)
				continue;
			sorted[at] = a[i];
			sorted_objects[at++] = objects[i];
			n += !excluded;
		}
	}
	memcpy(a, sorted, count * sizeof(*a));
	memcpy(objects, sorted_objects, count * sizeof(*objects));
	free(sorted);
	free(sorted_objects);
	return n;
}

void conf_address_end(struct conf_load *load, uint32_t first_address, uint32_t first_peer)
{
	struct conf_instance *i = conf_current(load, CONF_TABLE_INSTANCE);

	i->addresses.first = first_address;
	i->addresses.count = conf_builder_count(load->builder, CONF_TABLE_ADDRESS) - first_address;
	i->n_advertised = advertised_first(load, first_address, i->addresses.count);
	i->peers.first = first_peer;
	i->peers.count = conf_builder_count(load->builder, CONF_TABLE_PEER) - first_peer;
}

static void print_address(struct conf_printer *p, const struct conf_address *a)
{
	char text[ADDR_TEXT], *line = NULL;
	const char *scope = "global";
	size_t size = 0;
	FILE *out = open_memstream(&line, &size);

	if (!out)
		abort();
	for (unsigned k = 0; k < N_SCOPES; k++)
		if (scopes[k].scope == a->scope)
			scope = scopes[k].name;
	fprintf(out, "%s/%u", addr_format(&a->addr, text), a->prefix);
	if (addr_is_set(&a->broadcast))
		fprintf(out, " brd %s", addr_format(&a->broadcast, text));
	if (a->interface)
		fprintf(out, " dev %s", conf_print_text(p, a->interface));
	if (a->use_vmac)
		fprintf(out, " use_vmac");
	if (a->scope)
		fprintf(out, " scope %s", scope);
	if (a->label)
		fprintf(out, " label %s", conf_print_text(p, a->label));
	if (addr_is_set(&a->peer))
		fprintf(out, " peer %s", addr_format(&a->peer, text));
	for (unsigned k = 0; k < N_FLAGS; k++)
		if (a->flags & flags[k].flag)
			fprintf(out, " %s", flags[k].name);
	if (a->preferred_s != UINT32_MAX)
		fprintf(out, " preferred_lft %u", a->preferred_s);
	else if (a->addr.family == AF_INET6 && a->prefix == 128)
		fprintf(out, " preferred_lft forever");
	conf_print_track_group(p, out, a->track_group);
	fclose(out);
	conf_print_line(p, "%s%s", line, a->no_track ? " no_track" : "");
	free(line);
}

void conf_print_static_addresses(struct conf_printer *p)
{
	bool is_open = false;

	for (uint32_t i = 0; i < conf_builder_count(p->builder, CONF_TABLE_ADDRESS); i++) {
		const struct conf_address *a = conf_print_record(p, CONF_TABLE_ADDRESS, i);

		if (a->instance != CONF_NONE || a->link != CONF_NONE)
			continue;
		if (!is_open)
			conf_print_open(p, "static_ipaddress");
		is_open = true;
		print_address(p, a);
	}
	if (is_open)
		conf_print_close(p);
}

void conf_print_addresses(struct conf_printer *p, const struct conf_instance *i)
{
	for (uint32_t k = 0; k < i->addresses.count; k++) {
		if (k == 0 && i->n_advertised)
			conf_print_open(p, "virtual_ipaddress");
		if (k == i->n_advertised)
			conf_print_open(p, "virtual_ipaddress_excluded");
		print_address(p, conf_print_record(p, CONF_TABLE_ADDRESS, i->addresses.first + k));
		if (k + 1 == i->n_advertised || k + 1 == i->addresses.count)
			conf_print_close(p);
	}
}

void conf_print_peers(struct conf_printer *p, const struct conf_instance *i)
{
	char text[ADDR_TEXT], ttl[64];

	if (!i->peers.count)
		return;
	conf_print_open(p, "unicast_peer");
	for (uint32_t k = 0; k < i->peers.count; k++) {
		const struct conf_peer *peer = conf_print_record(p, CONF_TABLE_PEER, i->peers.first + k);

		ttl[0] = 0;
		if (peer->min_ttl || peer->max_ttl)
			snprintf(ttl, sizeof(ttl), " min_ttl %u max_ttl %u", peer->min_ttl, peer->max_ttl);
		conf_print_line(p, "%s%s", addr_format(&peer->addr, text), ttl);
	}
	conf_print_close(p);
}
