/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attributes of lightweight tunnels: labels (RFC 3032), IP in IP, identifier locator addressing, segment routing
 * (RFC 8754). Pure; part of the vrrp process, used by vrrp_route.c alone. */
#include "vrrp_encap.h"
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/ila.h>
#include <linux/lwtunnel.h>
#include <linux/mpls_iptunnel.h>
#include <linux/rtnetlink.h>
#include <linux/seg6_iptunnel.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#define LABEL_SHIFT 12
#define LABEL_BOTTOM 0x100 /* of the stack */
#define SEG6_TYPE 4        /* of the routing header, RFC 8754 section 2 */

static int put_mpls(struct nl_msg *msg, const struct conf_encap *e)
{
	uint32_t stack[CONF_ENCAP_LABELS];
	int error;

	for (uint32_t i = 0; i < e->n_labels; i++)
		stack[i] = htonl(e->labels[i] << LABEL_SHIFT | (i + 1u == e->n_labels ? LABEL_BOTTOM : 0));
	error = nla_put(msg, MPLS_IPTUNNEL_DST, (int)(e->n_labels * sizeof(stack[0])), stack);
	if (e->ttl)
		error |= nla_put_u8(msg, MPLS_IPTUNNEL_TTL, e->ttl);
	return error;
}

/* Both families number their attributes alike. */
static int put_tunnel(struct nl_msg *msg, const struct conf_encap *e)
{
	static const uint8_t none[16];
	int length = e->type == LWTUNNEL_ENCAP_IP6 ? 16 : 4;
	int error = nla_put_u64(msg, LWTUNNEL_IP_ID, htobe64(e->id));

	error |= nla_put(msg, LWTUNNEL_IP_DST, length, addr_is_set(&e->to) ? e->to.bytes : none);
	error |= nla_put(msg, LWTUNNEL_IP_SRC, length, addr_is_set(&e->from) ? e->from.bytes : none);
	error |= nla_put_u8(msg, LWTUNNEL_IP_TTL, e->ttl);
	error |= nla_put_u8(msg, LWTUNNEL_IP_TOS, e->tos);
	error |= nla_put_u16(msg, LWTUNNEL_IP_FLAGS, htons(e->flags));
	return error;
}

static int put_ila(struct nl_msg *msg, const struct conf_encap *e)
{
	int error = nla_put_u64(msg, ILA_ATTR_LOCATOR, e->id);

	if (e->mode != CONF_ENCAP_CSUM_NONE)
		error |= nla_put_u8(msg, ILA_ATTR_CSUM_MODE, e->mode);
	return error;
}

/* The list runs backwards. Where the header goes into the packet itself, its destination becomes the last segment: the
 * kernel writes it into the first place. */
static int put_seg6(struct nl_msg *msg, const struct conf_encap *e)
{
	uint32_t own = e->mode == SEG6_IPTUN_MODE_INLINE, n = e->n_segments + own;
	struct {
		int32_t mode;
		uint8_t next, length, type, left, first, flags; /* struct ipv6_sr_hdr */
		uint16_t tag;
		uint8_t list[CONF_ENCAP_SEGMENTS + 1][16];
	} srh = {.mode = e->mode,
		.length = (uint8_t)(2 * n),
		.type = SEG6_TYPE,
		.left = (uint8_t)(n - 1),
		.first = (uint8_t)(n - 1)};

	for (uint32_t i = 0; i < e->n_segments; i++)
		memcpy(srh.list[n - 1 - i], e->segments[i], sizeof(srh.list[0]));
	return nla_put(
		msg, SEG6_IPTUNNEL_SRH, (int)(sizeof(srh) - (CONF_ENCAP_SEGMENTS + 1 - n) * sizeof(srh.list[0])), &srh);
}

int vrrp_encap_put(struct nl_msg *msg, const struct conf_encap *encap)
{
	int error = nla_put_u16(msg, RTA_ENCAP_TYPE, encap->type);
	struct nlattr *list = nla_nest_start(msg, RTA_ENCAP);

	if (!list || error)
		return -EMSGSIZE;
	switch (encap->type) {
	case LWTUNNEL_ENCAP_MPLS:
		error = put_mpls(msg, encap);
		break;
	case LWTUNNEL_ENCAP_ILA:
		error = put_ila(msg, encap);
		break;
	case LWTUNNEL_ENCAP_SEG6:
		error = put_seg6(msg, encap);
		break;
	default:
		error = put_tunnel(msg, encap);
	}
	nla_nest_end(msg, list);
	return error ? -EMSGSIZE : 0;
}
