/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and prints what a route wraps its packets in: the words of ip-route(8). Runs in the config role. As in ip(8), a
 * word that both the wrapping and the route know (src, tos, ttl) belongs to the wrapping. */
#include "conf_encap_read.h"
#include "conf_phrase.h"
#include <arpa/inet.h>
#include <linux/ila.h>
#include <linux/lwtunnel.h>
#include <linux/seg6_iptunnel.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_MAX 0xfffff /* 20 bits, RFC 3032 */
/* Bits of a tunnel's flags, in host order. */
#define TUNNEL_CSUM 0x01
#define TUNNEL_KEY 0x04
#define TUNNEL_SEQ 0x08

static const char *const types[] = {[LWTUNNEL_ENCAP_NONE] = "",
	[LWTUNNEL_ENCAP_MPLS] = "mpls",
	[LWTUNNEL_ENCAP_IP] = "ip",
	[LWTUNNEL_ENCAP_ILA] = "ila",
	[LWTUNNEL_ENCAP_IP6] = "ip6",
	[LWTUNNEL_ENCAP_SEG6] = "seg6",
	NULL};
static const char *const csum_modes[] = {[ILA_CSUM_ADJUST_TRANSPORT] = "adj-transport",
	[ILA_CSUM_NEUTRAL_MAP] = "neutral-map",
	[ILA_CSUM_NO_ACTION] = "no-action",
	[ILA_CSUM_NEUTRAL_MAP_AUTO] = "neutral-map-auto",
	NULL};
static const char *const seg6_modes[] = {[SEG6_IPTUN_MODE_INLINE] = "inline",
	[SEG6_IPTUN_MODE_ENCAP] = "encap",
	[SEG6_IPTUN_MODE_L2ENCAP] = "l2encap",
	[SEG6_IPTUN_MODE_ENCAP_RED] = "encap.red",
	[SEG6_IPTUN_MODE_L2ENCAP_RED] = "l2encap.red",
	NULL};

struct reader {
	struct conf_phrase in;
	struct conf_encap *encap;
};

/* Whether the next word is this one; then the reader stands at the value behind it. */
static bool takes(struct reader *r, const char *keyword)
{
	if (r->in.is_wrong || strcmp(conf_word(r->in.node, r->in.at + 1), keyword) != 0)
		return false;
	r->in.at += 2;
	return true;
}

static bool takes_flag(struct reader *r, const char *keyword)
{
	if (r->in.is_wrong || strcmp(conf_word(r->in.node, r->in.at + 1), keyword) != 0)
		return false;
	r->in.at++;
	return true;
}

/* ---- mpls LABEL[/LABEL...] [ttl N] ---- */

static void read_labels(struct reader *r)
{
	char *copy = strdup(phrase_word(&r->in)), *rest = copy, *label;

	if (!copy)
		abort();
	for (label = strsep(&rest, "/"); label && !r->in.is_wrong; label = strsep(&rest, "/")) {
		if (r->encap->n_labels == CONF_ENCAP_LABELS)
			phrase_fail(&r->in, "encap mpls takes at most 16 labels");
		else if (!conf_iproute_plain(label, LABEL_MAX, &r->encap->labels[r->encap->n_labels++]))
			phrase_fail(&r->in, "encap mpls must be followed by labels up to 1048575: LABEL[/LABEL...]");
	}
	free(copy);
}

static void read_mpls(struct reader *r)
{
	r->in.at++;
	read_labels(r);
	if (takes(r, "ttl"))
		r->encap->ttl = (uint8_t)phrase_number(&r->in, 1, 255, "ttl must be a number from 1 to 255");
}

/* ---- ip and ip6: [id N] [dst ADDRESS] [src ADDRESS] [tos N] [ttl N] [csum] [key] [seq] [flags N] ---- */

static void read_outer_address(struct reader *r, uint8_t family, struct addr *out)
{
	if (addr_parse(phrase_word(&r->in), out) < 0 || out->family != family)
		phrase_fail(&r->in, family == AF_INET ? "the outer addresses of encap ip are IPv4 addresses"
						      : "the outer addresses of encap ip6 are IPv6 addresses");
}

static uint64_t read_id(struct reader *r)
{
	unsigned long long id;
	char *end;

	id = strtoull(phrase_word(&r->in), &end, 0);
	if (end == phrase_word(&r->in) || *end || phrase_word(&r->in)[0] == '-')
		phrase_fail(&r->in, "id must be a number");
	return id;
}

static void read_tunnel(struct reader *r, uint8_t family)
{
	struct conf_encap *e = r->encap;
	bool has_id = false;
	uint32_t before;

	do {
		before = r->in.at;
		if (takes(r, "id")) {
			e->id = read_id(r);
			has_id = true;
		} else if (takes(r, "dst"))
			read_outer_address(r, family, &e->to);
		else if (takes(r, "src"))
			read_outer_address(r, family, &e->from);
		else if (takes(r, "tos") || takes(r, "dsfield") || takes(r, "tc"))
			e->tos = phrase_tos(&r->in);
		else if (takes(r, "ttl") || takes(r, "hoplimit"))
			e->ttl = (uint8_t)phrase_number(&r->in, 0, 255, "ttl and hoplimit must be a number up to 255");
		else if (takes(r, "flags"))
			e->flags |=
				(uint16_t)phrase_number(&r->in, 0, UINT16_MAX, "flags must be a number up to 65535");
		else if (takes_flag(r, "csum"))
			e->flags |= TUNNEL_CSUM;
		else if (takes_flag(r, "key"))
			e->flags |= TUNNEL_KEY;
		else if (takes_flag(r, "seq"))
			e->flags |= TUNNEL_SEQ;
	} while (r->in.at != before && !r->in.is_wrong);
	if (!has_id && !addr_is_set(&e->to))
		phrase_fail(&r->in, "encap ip and encap ip6 need id NUMBER or dst ADDRESS");
}

/* ---- ila LOCATOR [csum-mode MODE] ---- */

/* Four groups of an IPv6 address: the upper half of it. */
static void read_ila(struct reader *r)
{
	char text[64];
	uint8_t bytes[16];
	int mode;

	r->in.at++;
	snprintf(text, sizeof(text), "%s::", phrase_word(&r->in));
	r->encap->mode = CONF_ENCAP_CSUM_NONE;
	if (strstr(phrase_word(&r->in), "::") || inet_pton(AF_INET6, text, bytes) != 1)
		phrase_fail(&r->in, "encap ila must be followed by a locator of four groups (2001:db8:1:2)");
	else
		memcpy(&r->encap->id, bytes, sizeof(r->encap->id));
	if (!takes(r, "csum-mode"))
		return;
	mode = conf_parse_choice(phrase_word(&r->in), csum_modes);
	if (mode < 0)
		phrase_fail(&r->in, "csum-mode must be adj-transport, neutral-map, no-action or neutral-map-auto");
	r->encap->mode = (uint8_t)mode;
}

/* ---- seg6 mode MODE segs ADDRESS[,ADDRESS...] ---- */

static void read_segments(struct reader *r)
{
	char *copy = strdup(phrase_word(&r->in)), *rest = copy, *segment;

	if (!copy)
		abort();
	for (segment = strsep(&rest, ","); segment && !r->in.is_wrong; segment = strsep(&rest, ",")) {
		if (r->encap->n_segments == CONF_ENCAP_SEGMENTS)
			phrase_fail(&r->in, "encap seg6 takes at most 8 segments");
		else if (inet_pton(AF_INET6, segment, r->encap->segments[r->encap->n_segments++]) != 1)
			phrase_fail(&r->in, "segs must be followed by IPv6 addresses: ADDRESS[,ADDRESS...]");
	}
	free(copy);
}

static void read_seg6(struct reader *r)
{
	int mode = SEG6_IPTUN_MODE_ENCAP;

	if (takes(r, "mode"))
		mode = conf_parse_choice(phrase_word(&r->in), seg6_modes);
	if (mode < 0)
		phrase_fail(&r->in, "mode must be encap, encap.red, inline, l2encap or l2encap.red");
	else
		r->encap->mode = (uint8_t)mode;
	if (takes(r, "segs"))
		read_segments(r);
	else
		phrase_fail(&r->in, "encap seg6 needs segs ADDRESS[,ADDRESS...]");
}

bool conf_encap_read(struct conf_load *load, const struct conf_node *node, uint32_t *at, struct conf_encap *encap)
{
	struct reader r = {.in = {.load = load, .node = node, .at = *at}, .encap = encap};
	int type = conf_parse_choice(phrase_word(&r.in), types);

	*encap = (struct conf_encap){.type = type > 0 ? (uint8_t)type : 0};
	switch (type) {
	case LWTUNNEL_ENCAP_MPLS:
		read_mpls(&r);
		break;
	case LWTUNNEL_ENCAP_IP:
		read_tunnel(&r, AF_INET);
		break;
	case LWTUNNEL_ENCAP_IP6:
		read_tunnel(&r, AF_INET6);
		break;
	case LWTUNNEL_ENCAP_ILA:
		read_ila(&r);
		break;
	case LWTUNNEL_ENCAP_SEG6:
		read_seg6(&r);
		break;
	default:
		phrase_fail(&r.in, "encap must be followed by mpls, ip, ip6, ila or seg6");
	}
	*at = r.in.at;
	return !r.in.is_wrong;
}

/* ---- canonical print ---- */

static void print_labels(FILE *out, const struct conf_encap *e)
{
	for (uint32_t i = 0; i < e->n_labels; i++)
		fprintf(out, "%c%u", i ? '/' : ' ', e->labels[i]);
	if (e->ttl)
		fprintf(out, " ttl %u", e->ttl);
}

static void print_tunnel(FILE *out, const struct conf_encap *e)
{
	char text[ADDR_TEXT];

	fprintf(out, " id %llu", (unsigned long long)e->id);
	if (addr_is_set(&e->to))
		fprintf(out, " dst %s", addr_format(&e->to, text));
	if (addr_is_set(&e->from))
		fprintf(out, " src %s", addr_format(&e->from, text));
	if (e->tos)
		fprintf(out, " tos %u", e->tos);
	if (e->ttl)
		fprintf(out, " ttl %u", e->ttl);
	if (e->flags)
		fprintf(out, " flags %u", e->flags);
}

static void print_locator(FILE *out, const struct conf_encap *e)
{
	uint8_t b[8];

	memcpy(b, &e->id, sizeof(b));
	fprintf(out, " %x:%x:%x:%x", b[0] << 8 | b[1], b[2] << 8 | b[3], b[4] << 8 | b[5], b[6] << 8 | b[7]);
	if (e->mode != CONF_ENCAP_CSUM_NONE)
		fprintf(out, " csum-mode %s", csum_modes[e->mode]);
}

static void print_segments(FILE *out, const struct conf_encap *e)
{
	char text[INET6_ADDRSTRLEN];

	fprintf(out, " mode %s segs", seg6_modes[e->mode]);
	for (uint32_t i = 0; i < e->n_segments; i++)
		fprintf(out, "%c%s", i ? ',' : ' ', inet_ntop(AF_INET6, e->segments[i], text, sizeof(text)));
}

void conf_encap_print(FILE *out, const struct conf_encap *encap)
{
	fprintf(out, " encap %s", types[encap->type]);
	if (encap->type == LWTUNNEL_ENCAP_MPLS)
		print_labels(out, encap);
	else if (encap->type == LWTUNNEL_ENCAP_ILA)
		print_locator(out, encap);
	else if (encap->type == LWTUNNEL_ENCAP_SEG6)
		print_segments(out, encap);
	else
		print_tunnel(out, encap);
}

uint32_t conf_encap_size(const struct conf_encap *encap)
{
	/* Both attributes and the heads of those inside. */
	uint32_t frame = 8 + 4;

	if (encap->type == LWTUNNEL_ENCAP_MPLS)
		return frame + 4 + 4 * encap->n_labels + 8;
	if (encap->type == LWTUNNEL_ENCAP_SEG6)
		return frame + 4 + 4 + 8 + 16 * (encap->n_segments + 1u);
	if (encap->type == LWTUNNEL_ENCAP_ILA)
		return frame + 12 + 8;
	return frame + 12 + 2 * (4 + 16) + 3 * 8;
}
