/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keywords of global_defs about the other node: synchronisation of connections, the channel between the two
 * daemons, and what a returning node waits for. Runs in the config role. */
#include "conf_pair.h"
#include "conf_print.h"
#include <string.h>

/* What guessing would need is not what people type: below this a key is refused. */
#define KEY_LEAST 12

static struct conf_global *global(struct conf_load *load)
{
	return conf_builder_at(load->builder, CONF_TABLE_GLOBAL, 0);
}

static void apply_key(struct conf_load *load, const struct conf_node *node)
{
	const char *text = conf_word(node, 1);
	size_t length = strlen(text);
	struct conf_secret *key;

	conf_diag_hide(load->diag, conf_node_place(node));
	if (length < KEY_LEAST || length > sizeof(key->bytes)) {
		conf_error(load, node, 1,
			"pair_key needs %d to %zu bytes, the same on both nodes (openssl rand -hex 32 makes one)",
			KEY_LEAST, sizeof(key->bytes));
		return;
	}
	if (conf_builder_count(load->builder, CONF_TABLE_PAIR_KEY) == 0)
		conf_builder_add(load->builder, CONF_TABLE_PAIR_KEY);
	key = conf_builder_at(load->builder, CONF_TABLE_PAIR_KEY, 0);
	memset(key, 0, sizeof(*key));
	memcpy(key->bytes, text, length);
	key->length = (uint32_t)length;
	conf_extra_words(load, node, 2);
}

static void print_key(struct conf_printer *p, uint32_t record)
{
	const struct conf_secret *key;
	char text[sizeof(key->bytes) + 1] = "";

	(void)record;
	if (conf_builder_count(p->builder, CONF_TABLE_PAIR_KEY) == 0)
		return;
	key = conf_print_record(p, CONF_TABLE_PAIR_KEY, 0);
	memcpy(text, key->bytes, key->length);
	conf_print_line(p, "pair_key %s", conf_print_word(p, text));
}

static void check_peer(struct conf_load *load, const struct conf_global *g)
{
	const struct conf_node *node = conf_statement(load, CONF_TABLE_GLOBAL, 0, "pair_peer");

	if (!addr_is_set(&g->pair_peer) && !addr_is_set(&g->pair_address))
		return;
	if (!addr_is_set(&g->pair_peer) || !addr_is_set(&g->pair_address))
		conf_error(load, node, 1,
			"pair_peer and pair_address go together: the other node's address on the sync network, and "
			"this node's");
	else if (g->pair_peer.family != g->pair_address.family)
		conf_error(load, node, 1, "pair_peer and pair_address must be of one address family");
	else if (addr_equal(&g->pair_peer, &g->pair_address))
		conf_error(load, node, 1, "pair_peer is this node's own pair_address");
	else if (conf_builder_count(load->builder, CONF_TABLE_PAIR_KEY) == 0)
		conf_warn(load, node, 1,
			"pair_peer without pair_key" CONF_MEANING "the two nodes do not talk to each other");
}

void conf_finish_pair(struct conf_load *load)
{
	const struct conf_global *g = global(load);

	if (g->connection_sync == CONF_SYNC_FULL && !g->sync_interface)
		conf_error(load, conf_statement(load, CONF_TABLE_GLOBAL, 0, "connection_sync"), 1,
			"connection_sync full needs the interface of the sync network: write "
			"lvs_sync_daemon INTERFACE [id ID] beside it");
	check_peer(load, g);
}

#define G(member) CONF_RECORD(conf_global, member)
#define DAY (86400 * CONF_S)

static const char *const sync_modes[] = {"kernel", "full", NULL};

/* clang-format off */
const struct conf_directive conf_pair_directives[] = {
	CHOICE("connection_sync", G(connection_sync), sync_modes, CONF_SYNC_KERNEL, LIVE, "full: no connection is lost by a failover or a fail-back; both sync daemons of lvs_sync_daemon run on both nodes, the kernel's net.ipv4.vs.sync_* settings are made for it, and a node that comes back is sent the whole table. kernel: as lvs_sync_daemon says"),
	NUMBER("connection_sync_bandwidth", G(sync_bandwidth), 100, 10000000, 100000, LIVE, "kbit/s that a whole table is sent with at most to a node that asks for it (less when that node takes less); the background sweep takes a tenth"),
	TIME("connection_sync_sweep", G(sync_sweep_us), 0, DAY, CONF_S, LIVE, "the whole table is sent again this often, so that idle connections, lost datagrams and what the kernel holds back for up to two seconds are covered; less often where reading it would cost more than 2 % of a CPU; 0 = only on request"),
	ADDRESS("pair_peer", G(pair_peer), LIVE, "the other node's address on the sync network: the two daemons tell each other what connections they have, in what their configurations differ, and drains"),
	ADDRESS("pair_address", G(pair_address), LIVE, "this node's own address there"),
	NUMBER("pair_port", G(pair_port), 1024, 65535, 8849, LIVE, "UDP port that the two daemons talk on"),
	CALL("pair_key", apply_key, print_key, LIVE, "12 to 64 bytes, the same on both nodes: what the daemons tell each other is authenticated by it; without a key they do not talk"),
	NUMBER("preempt_coverage", G(preempt_coverage), 0, 100, 99, LIVE, "percent of the master's connections that a node of higher priority must hold before it takes over from a living master; needs connection_sync full and the pair's channel"),
	TIME("preempt_coverage_timeout", G(preempt_coverage_timeout_us), 0, DAY, 60 * CONF_S, LIVE, "it takes over after this time in any case; a dead master is never waited for"),
	END_OF_TABLE,
};
/* clang-format on */
