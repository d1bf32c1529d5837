/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How packets reach a server: NAT, DR, or TUN with the kind of tunnel. Of services, servers and sorry servers. Runs in
 * the config role. */
#include "conf_service.h"
#include <linux/ip_vs.h>
#include <string.h>

static const char *const types[] = {"ipip", "gue", "gre", NULL}; /* in the kernel's order */
static const char *const checksums[] = {"nocsum", "csum", "remcsum", NULL};

/* One option behind TUN; returns the number of words it takes, 0 (said) when it is none. */
static uint32_t read_option(
	struct conf_load *load, const struct conf_node *node, uint32_t i, struct conf_tunnel *tunnel)
{
	const char *word = conf_word(node, i), *value = conf_word(node, i + 1);
	int choice = conf_parse_choice(word, checksums);
	int64_t port;

	if (choice >= 0) {
		tunnel->flags = (uint8_t)choice; /* the kernel's bits: 1 csum, 2 remcsum */
		return 1;
	}
	if (strcmp(word, "type") == 0 && conf_parse_choice(value, types) >= 0) {
		tunnel->type = (uint8_t)conf_parse_choice(value, types);
		return 2;
	}
	if (strcmp(word, "port") == 0 && conf_parse_number(value, 1, 65535, &port) == CONF_VALUE_OK) {
		tunnel->port = (uint16_t)port;
		return 2;
	}
	conf_error(load, node, i, "TUN takes [type ipip|gre|gue] [port NUMBER] [nocsum|csum|remcsum], not \"%s %s\"",
		word, value);
	return 0;
}

static void read_tunnel(struct conf_load *load, const struct conf_node *node, struct conf_tunnel *tunnel)
{
	uint32_t used = 1;

	for (uint32_t i = 2; i < node->n_words && used; i += used)
		used = read_option(load, node, i, tunnel);
	if (!used)
		return;
	if (tunnel->type == IP_VS_CONN_F_TUNNEL_TYPE_GUE && !tunnel->port)
		conf_error(load, node, 2,
			"a gue tunnel needs the UDP port that the servers listen on: type gue port NUMBER");
	else if (tunnel->type != IP_VS_CONN_F_TUNNEL_TYPE_GUE && tunnel->port)
		conf_warn(load, node, 2, "only gue tunnels have a port" CONF_MEANING "it is ignored");
	else if (tunnel->type == IP_VS_CONN_F_TUNNEL_TYPE_IPIP && tunnel->flags)
		conf_warn(load, node, 2, "ipip tunnels have no checksum" CONF_MEANING "the option is ignored");
	else if (tunnel->type == IP_VS_CONN_F_TUNNEL_TYPE_GRE && tunnel->flags == IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM)
		conf_error(load, node, 2, "remcsum is for gue tunnels; gre knows csum and nocsum");
	if (tunnel->type == IP_VS_CONN_F_TUNNEL_TYPE_IPIP)
		tunnel->flags = 0;
	if (tunnel->type != IP_VS_CONN_F_TUNNEL_TYPE_GUE)
		tunnel->port = 0;
}

int conf_forward_read(struct conf_load *load, const struct conf_node *node, int otherwise, struct conf_tunnel *tunnel)
{
	static const char *const methods[] = {"NAT", "DR", "TUN", NULL};
	int method = conf_parse_choice(conf_word(node, 1), methods);

	*tunnel = (struct conf_tunnel){0};
	if (method < 0) {
		conf_warn(load, node, 1, "%s must be NAT, DR or TUN, not \"%s\"" CONF_MEANING "%s is taken",
			conf_word(node, 0), conf_word(node, 1),
			otherwise == CONF_FORWARD_NAT ? "NAT" : "that of the service");
		return otherwise;
	}
	if (method == CONF_FORWARD_TUN)
		read_tunnel(load, node, tunnel);
	else
		conf_extra_words(load, node, 2);
	return method;
}

void conf_forward_print(struct conf_printer *p, const char *keyword, uint32_t forward, const struct conf_tunnel *tunnel)
{
	static const char *const names[] = {"NAT", "DR", "TUN", "NAT"};
	char port[16] = "";

	if (forward != CONF_FORWARD_TUN || (!tunnel->type && !tunnel->flags)) {
		conf_print_line(p, "%s %s", keyword, names[forward <= CONF_FORWARD_INHERIT ? forward : 0]);
		return;
	}
	if (tunnel->port)
		snprintf(port, sizeof(port), " port %u", tunnel->port);
	conf_print_line(p, "%s TUN type %s%s %s", keyword, types[tunnel->type], port, checksums[tunnel->flags]);
}
