/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bfd_instance: sessions with neighbours that instances and checks look at. Runs in the config role. Times are
 * milliseconds here, as in keepalived. */
#include "conf_probe.h"
#include "conf_track.h"
#include <string.h>

#define MS_MAX 4294967LL
#define IDLE_MIN 1000 /* RFC 5880, 6.8.3: not faster than once a second unless the session is up */
#define TTL 255       /* RFC 5881, 5: who sends this is on the same link */
#define LEAST_TTL6 64 /* keepalived sends it over IPv6 */
#define ANY_HOPS 255

static struct conf_bfd *bfd(struct conf_load *load)
{
	return conf_current(load, CONF_TABLE_BFD);
}

/* Milliseconds with decimals, to microseconds: the digits are those of seconds, a thousandth of them. */
static void read_ms(struct conf_load *load, const struct conf_node *node, int64_t low_ms, int64_t *us)
{
	int64_t value;

	if (conf_parse_time(conf_word(node, 1), low_ms * CONF_S, MS_MAX * CONF_S, &value) != CONF_VALUE_OK)
		conf_warn(load, node, 1, "%s must be from %lld to %lld milliseconds" CONF_MEANING "it is left out",
			conf_word(node, 0), (long long)low_ms, MS_MAX);
	else
		*us = value / 1000;
	conf_extra_words(load, node, 2);
}

static void apply_min_rx(struct conf_load *load, const struct conf_node *node)
{
	read_ms(load, node, 1, &bfd(load)->min_rx_us);
}

static void apply_min_tx(struct conf_load *load, const struct conf_node *node)
{
	read_ms(load, node, 1, &bfd(load)->min_tx_us);
}

static void apply_idle_tx(struct conf_load *load, const struct conf_node *node)
{
	read_ms(load, node, IDLE_MIN, &bfd(load)->idle_tx_us);
}

static void print_times(struct conf_printer *p, uint32_t record)
{
	const struct conf_bfd *b = conf_print_record(p, CONF_TABLE_BFD, record);
	char text[32];

	if (b->min_rx_us != 10 * CONF_MS)
		conf_print_line(p, "min_rx %s", conf_time_text(b->min_rx_us * 1000, text));
	if (b->min_tx_us != 10 * CONF_MS)
		conf_print_line(p, "min_tx %s", conf_time_text(b->min_tx_us * 1000, text));
	if (b->idle_tx_us != CONF_S)
		conf_print_line(p, "idle_tx %s", conf_time_text(b->idle_tx_us * 1000, text));
}

/* max_hops is kept as the least TTL that is accepted, when the block is complete. */
static void print_hops(struct conf_printer *p, uint32_t record)
{
	const struct conf_bfd *b = conf_print_record(p, CONF_TABLE_BFD, record);
	bool is_usual6 = b->neighbor.family == AF_INET6 && b->ttl == TTL;
	uint8_t usual = is_usual6 && b->least_ttl <= LEAST_TTL6 ? LEAST_TTL6 : b->ttl;

	if (is_usual6 && b->least_ttl > LEAST_TTL6)
		conf_print_line(p, "hoplimit %u", b->ttl);
	if (b->least_ttl == 0)
		conf_print_line(p, "max_hops %d", ANY_HOPS);
	else if (b->least_ttl < usual)
		conf_print_line(p, "max_hops %u", usual - b->least_ttl);
}

static void apply_weight(struct conf_load *load, const struct conf_node *node)
{
	conf_weight_read(load, node, 253, 0, &bfd(load)->weight, &bfd(load)->weight_reverse);
}

static void print_weight(struct conf_printer *p, uint32_t record)
{
	const struct conf_bfd *b = conf_print_record(p, CONF_TABLE_BFD, record);

	conf_weight_print(p, b->weight, b->weight_reverse, 0);
}

#define B(member) CONF_RECORD(conf_bfd, member)

/* clang-format off */
static const struct conf_directive bfd_directives[] = {
	ADDRESS("neighbor_ip", B(neighbor), OBJECT, "address of the neighbour"),
	ADDRESS("neighbour_ip", B(neighbor), OBJECT, "the same as neighbor_ip"),
	ADDRESS("source_ip", B(source), OBJECT, "own address that the session is held from; default as the route to the neighbour says"),
	CALL("min_rx", apply_min_rx, print_times, LIVE, "milliseconds between packets that are asked of the neighbour at least; default 10"),
	CALL("min_tx", apply_min_tx, print_times, LIVE, "milliseconds between own packets at least, while the session is up; default 10"),
	CALL("idle_tx", apply_idle_tx, print_times, LIVE, "the same while it is not up; 1000 or more, the default"),
	NUMBER("multiplier", B(multiplier), 1, 255, 5, LIVE, "the neighbour takes the session for down when so many packets have not come"),
	PLAIN("passive", B(passive), LIVE, "say nothing until the neighbour is heard"),
	NUMBER("ttl", B(ttl), 1, 255, TTL, OBJECT, "TTL of own packets; less max_hops, also the least that is accepted"),
	NUMBER("hoplimit", B(ttl), 1, 255, TTL, OBJECT, "the same of IPv6; unless it is given, 64 is accepted too, which keepalived sends"),
	NUMBER("max_hops", CONF_EXTRA(max_hops), 0, 255, 0, OBJECT, "routers that a packet may have passed; 255 = any number"),
	CALL("weight", apply_weight, print_weight, LIVE, "NUMBER [reverse]: added to the priority while the session is up (positive) or not (negative); 0 = its loss is a fault; default 0"),
	IGNORED("vrrp", "whoever looks at a session sees it"),
	IGNORED("checker", "whoever looks at a session sees it"),
	END_OF_TABLE,
};
/* clang-format on */

static bool begin_bfd(struct conf_load *load, const struct conf_node *node)
{
	struct conf_bfd *b;
	conf_string_t name;

	if (!conf_name_take(load, CONF_TABLE_BFD, node, &name))
		return false;
	b = conf_object_begin(load, &conf_bfd_block, node);
	b->name = name;
	b->min_rx_us = b->min_tx_us = 10 * CONF_MS;
	b->idle_tx_us = CONF_S;
	return true;
}

/* Over IPv6 keepalived sends 64, so that is enough unless somebody says otherwise. */
static uint8_t least_ttl(struct conf_load *load, const struct conf_bfd *b)
{
	conf_index_t index = load->current[CONF_TABLE_BFD];
	bool is_given =
		conf_given(load, &conf_bfd_block, index, "ttl") || conf_given(load, &conf_bfd_block, index, "hoplimit");
	uint8_t from = b->neighbor.family == AF_INET6 && !is_given ? LEAST_TTL6 : b->ttl;
	int64_t max_hops = conf_current_extra(load, CONF_TABLE_BFD)->max_hops;

	return max_hops == ANY_HOPS || max_hops >= from ? 0 : (uint8_t)(from - max_hops);
}

static bool is_repeated(struct conf_load *load, const struct conf_bfd *b)
{
	for (conf_index_t i = 0; i < load->current[CONF_TABLE_BFD]; i++) {
		const struct conf_bfd *other = conf_builder_at(load->builder, CONF_TABLE_BFD, i);

		if (addr_equal(&other->neighbor, &b->neighbor))
			return true;
	}
	return false;
}

static void end_bfd(struct conf_load *load, const struct conf_node *node)
{
	struct conf_bfd *b = bfd(load);
	const char *name = conf_word(node, 1);

	if (!addr_is_set(&b->neighbor))
		conf_error(load, node, 1, "bfd_instance %s needs a neighbor_ip", name);
	else if (addr_is_multicast(&b->neighbor))
		conf_error(load, node, 1, "bfd_instance %s: its neighbor_ip is a multicast group", name);
	else if (addr_is_link_local(&b->neighbor) && b->neighbor.family == AF_INET6)
		conf_error(load, node, 1,
			"bfd_instance %s: a link-local neighbor_ip says nothing of its interface; write a global "
			"address",
			name);
	else if (is_repeated(load, b))
		conf_error(load, node, 1, "bfd_instance %s: another one has the same neighbor_ip", name);
	if (addr_is_set(&b->source) && addr_is_set(&b->neighbor) && b->source.family != b->neighbor.family)
		conf_error(load, node, 1, "bfd_instance %s: neighbor_ip and source_ip are not of one family", name);
	b->least_ttl = least_ttl(load, b);
}

static void print_block(struct conf_printer *p, uint32_t record)
{
	const struct conf_bfd *b = conf_print_record(p, CONF_TABLE_BFD, record);

	conf_print_open(p, "bfd_instance %s", conf_print_text(p, b->name));
	conf_print_directives(p, &conf_bfd_block, record);
	print_hops(p, record);
	conf_print_close(p);
}

const struct conf_block conf_bfd_block = {
	.name = "bfd_instance",
	.table = CONF_TABLE_BFD,
	.directives = {bfd_directives},
	.begin = begin_bfd,
	.end = end_bfd,
	.print = print_block,
};

/* ---- BFD_CHECK ---- */

/* clang-format off */
static const struct conf_directive check_directives[] = {
	TEXT("name", CONF_RECORD(conf_check, name), LIVE, "name of a bfd_instance"),
	END_OF_TABLE,
};
/* clang-format on */

static bool begin_check(struct conf_load *load, const struct conf_node *node)
{
	return conf_check_begin(load, &conf_bfd_check_block, node, CONF_CHECK_BFD);
}

void conf_bfd_check_finish(struct conf_load *load, conf_index_t index)
{
	const struct conf_check *c = conf_builder_at(load->builder, CONF_TABLE_CHECK, index);
	const char *name = conf_builder_text(load->builder, c->name);

	if (conf_name_find(load, CONF_TABLE_BFD, name) == CONF_NONE &&
		!conf_name_is_dropped(load, CONF_TABLE_BFD, name))
		conf_error(load, conf_object_node(load, CONF_TABLE_CHECK, index), 0,
			"BFD_CHECK needs the name of a bfd_instance%s%s",
			name[0] ? ", and there is none of the name " : "", name);
}

const struct conf_block conf_bfd_check_block = {
	.name = "BFD_CHECK",
	.table = CONF_TABLE_CHECK,
	.directives = {check_directives},
	.begin = begin_check,
	.end = conf_check_end,
	.body_optional = true,
};
