/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces that are made (macvlans with virtual MAC addresses, ipvlans) as rtnetlink messages, frames that come from
 * them, and the settings they need. Part of the vrrp process; vrrp_pave.c makes and removes them. */
#include "vrrp_vmac.h"
#include "vrrp_checksum.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const kinds[] = {
	[CONF_LINK_NONE] = "", [CONF_LINK_MACVLAN] = "macvlan", [CONF_LINK_IPVLAN] = "ipvlan"};

/* ---- messages ---- */

static int put_kind(struct nl_msg *msg, const struct conf_link *link)
{
	struct nlattr *info = nla_nest_start(msg, IFLA_LINKINFO), *data;
	int error;

	if (!info)
		return -EMSGSIZE;
	error = nla_put_string(msg, IFLA_INFO_KIND, kinds[link->kind]);
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	if (!data)
		return -EMSGSIZE;
	/* In any other mode the interface below would not see what the other router sends: it has the same source. */
	if (link->kind == CONF_LINK_MACVLAN)
		error |= nla_put_u32(msg, IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE);
	else
		error |= nla_put_u16(msg, IFLA_IPVLAN_MODE, IPVLAN_MODE_L2) |
			 nla_put_u16(msg, IFLA_IPVLAN_FLAGS, link->mode);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return error ? -EMSGSIZE : 0;
}

int vrrp_vmac_path(const struct conf *conf, conf_index_t number, const struct links *links, struct vrrp_path *path)
{
	const struct conf_link *link = &conf->links[number];
	const struct link *base = links_find_name(links, conf_string(conf, link->base));
	struct ifinfomsg head = {.ifi_family = AF_UNSPEC};
	struct nl_msg *msg;
	int error;

	*path = (struct vrrp_path){.kind = VRRP_PATH_LINK};
	if (!base)
		return -ENODEV;
	msg = nlmsg_alloc_simple(RTM_NEWLINK, 0);
	if (!msg)
		return -ENOMEM;
	error = nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO);
	error |= nla_put_string(msg, IFLA_IFNAME, conf_string(conf, link->name));
	error |= nla_put_u32(msg, IFLA_LINK, base->ifindex);
	if (link->kind == CONF_LINK_MACVLAN)
		error |= nla_put(msg, IFLA_ADDRESS, sizeof(link->mac), link->mac);
	error |= put_kind(msg, link);
	path->length = (uint16_t)nlmsg_datalen(nlmsg_hdr(msg));
	if (!error && path->length <= VRRP_PATH_SIZE)
		memcpy(path->bytes, nlmsg_data(nlmsg_hdr(msg)), path->length);
	else
		error = -EMSGSIZE;
	nlmsg_free(msg);
	return error ? -EMSGSIZE : 0;
}

/* By a message, because the setting in /proc is worse than slow: while somebody holds the kernel's lock for interfaces,
 * who writes it goes round and round in the kernel until the lock is free. */
int vrrp_vmac_no_link_local(uint32_t ifindex, struct vrrp_path *path)
{
	struct ifinfomsg head = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, 0);
	struct nlattr *families, *inet6;
	int error;

	*path = (struct vrrp_path){.kind = VRRP_PATH_LINK};
	if (!msg)
		return -ENOMEM;
	error = nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO);
	families = nla_nest_start(msg, IFLA_AF_SPEC);
	inet6 = families ? nla_nest_start(msg, AF_INET6) : NULL;
	error |= inet6 ? nla_put_u8(msg, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE) : -EMSGSIZE;
	if (!error) {
		nla_nest_end(msg, inet6);
		nla_nest_end(msg, families);
		path->length = (uint16_t)nlmsg_datalen(nlmsg_hdr(msg));
		memcpy(path->bytes, nlmsg_data(nlmsg_hdr(msg)), path->length);
	}
	nlmsg_free(msg);
	return error ? -EMSGSIZE : 0;
}

void vrrp_vmac_raise(uint32_t ifindex, struct vrrp_path *path)
{
	const struct ifinfomsg head = {
		.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};

	*path = (struct vrrp_path){.kind = VRRP_PATH_LINK, .length = sizeof(head)};
	memcpy(path->bytes, &head, sizeof(head));
}

/* ---- comparison ---- */

/* The attribute of this type behind a head, NULL when there is none. */
static const struct nlattr *find(const uint8_t *bytes, size_t length, size_t at, int type)
{
	while (at + NLA_HDRLEN <= length) {
		const struct nlattr *attr = (const struct nlattr *)(const void *)(bytes + at);

		if (attr->nla_len < NLA_HDRLEN || at + attr->nla_len > length)
			return NULL;
		if ((attr->nla_type & NLA_TYPE_MASK) == type)
			return attr;
		at += NLA_ALIGN(attr->nla_len);
	}
	return NULL;
}

static bool is_equal(const struct nlattr *a, const struct nlattr *b)
{
	return a && b && a->nla_len == b->nla_len && memcmp(a, b, a->nla_len) == 0;
}

/* The attribute inside another one; NULL when there is none. */
static const struct nlattr *find_inside(const struct nlattr *outer, int type)
{
	return outer ? find((const uint8_t *)outer, outer->nla_len, NLA_HDRLEN, type) : NULL;
}

/* Of the same kind, and in the same mode. */
static bool is_alike(const struct nlattr *wanted, const struct nlattr *seen)
{
	const int modes[] = {IFLA_MACVLAN_MODE, IFLA_IPVLAN_FLAGS};
	_Static_assert((int)IFLA_MACVLAN_MODE == (int)IFLA_IPVLAN_MODE, "both kinds have the mode in one place");
	const struct nlattr *want = find_inside(wanted, IFLA_INFO_DATA), *have = find_inside(seen, IFLA_INFO_DATA);

	if (!is_equal(find_inside(wanted, IFLA_INFO_KIND), find_inside(seen, IFLA_INFO_KIND)))
		return false;
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		const struct nlattr *mode = find_inside(want, modes[i]);

		if (mode && !is_equal(mode, find_inside(have, modes[i])))
			return false;
	}
	return true;
}

bool vrrp_vmac_is(const struct vrrp_path *path, const uint8_t *bytes, size_t length)
{
	static const int exact[] = {IFLA_IFNAME, IFLA_LINK, IFLA_ADDRESS};
	const size_t head = sizeof(struct ifinfomsg);

	if (path->length > VRRP_PATH_SIZE || length < head ||
		!is_alike(
			find(path->bytes, path->length, head, IFLA_LINKINFO), find(bytes, length, head, IFLA_LINKINFO)))
		return false;
	for (size_t i = 0; i < sizeof(exact) / sizeof(*exact); i++) {
		const struct nlattr *wanted = find(path->bytes, path->length, head, exact[i]);

		/* An ipvlan has the MAC address of the interface below. */
		if (exact[i] == IFLA_ADDRESS && !wanted)
			continue;
		if (!is_equal(wanted, find(bytes, length, head, exact[i])))
			return false;
	}
	return true;
}

bool vrrp_vmac_has_mac(const struct vrrp_path *path)
{
	return path->length <= VRRP_PATH_SIZE &&
	       find(path->bytes, path->length, sizeof(struct ifinfomsg), IFLA_ADDRESS);
}

uint32_t vrrp_vmac_base(const struct vrrp_path *path)
{
	const struct nlattr *base;
	uint32_t number = 0;

	if (path->length > VRRP_PATH_SIZE)
		return 0;
	base = find(path->bytes, path->length, sizeof(struct ifinfomsg), IFLA_LINK);
	if (base && base->nla_len == NLA_HDRLEN + sizeof(number))
		memcpy(&number, (const uint8_t *)base + NLA_HDRLEN, sizeof(number));
	return number;
}

/* ---- frames ---- */

static size_t put_ipv4(const uint8_t *packet, size_t size, uint8_t *out)
{
	uint16_t length = htons((uint16_t)size), sum;
	size_t head = size ? (size_t)(packet[0] & 15) * 4 : 0;

	if (head < sizeof(struct iphdr) || size < head || size < sizeof(struct iphdr))
		return 0;
	memcpy(out, packet, size);
	memcpy(out + offsetof(struct iphdr, tot_len), &length, sizeof(length));
	memset(out + offsetof(struct iphdr, check), 0, sizeof(sum));
	sum = htons(vrrp_sum_finish(vrrp_sum_bytes(0, out, head)));
	memcpy(out + offsetof(struct iphdr, check), &sum, sizeof(sum));
	return size;
}

static size_t put_ipv6(const struct vrrp_vmac_frame *head, const uint8_t *packet, size_t size, uint8_t *out)
{
	struct ip6_hdr ip = {.ip6_ctlun.ip6_un1 = {
				     .ip6_un1_flow = htonl(6u << 28 | 0xc0u << 20),
				     .ip6_un1_plen = htons((uint16_t)size),
				     .ip6_un1_nxt = head->protocol,
				     .ip6_un1_hlim = head->ttl,
			     }};

	memcpy(&ip.ip6_src, head->source.bytes, sizeof(ip.ip6_src));
	memcpy(&ip.ip6_dst, head->destination.bytes, sizeof(ip.ip6_dst));
	memcpy(out, &ip, sizeof(ip));
	memcpy(out + sizeof(ip), packet, size);
	return sizeof(ip) + size;
}

size_t vrrp_vmac_frame(
	const struct vrrp_vmac_frame *head, const uint8_t *packet, size_t size, uint8_t *frame, size_t room)
{
	bool is_six = head->destination.family == AF_INET6;
	const uint8_t *to = head->destination.bytes;
	const uint8_t group4[] = {0x01, 0x00, 0x5e, to[1] & 0x7f, to[2], to[3]};
	const uint8_t group6[] = {0x33, 0x33, to[12], to[13], to[14], to[15]};
	uint16_t type = htons(is_six ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	size_t n;

	if (ETHER_HDR_LEN + sizeof(struct ip6_hdr) + size > room)
		return 0;
	memcpy(frame, is_six ? group6 : group4, ETHER_ADDR_LEN);
	memcpy(frame + ETHER_ADDR_LEN, head->mac, ETHER_ADDR_LEN);
	memcpy(frame + 2 * ETHER_ADDR_LEN, &type, sizeof(type));
	n = is_six ? put_ipv6(head, packet, size, frame + ETHER_HDR_LEN)
		   : put_ipv4(packet, size, frame + ETHER_HDR_LEN);
	return n ? ETHER_HDR_LEN + n : 0;
}

/* ---- settings ---- */

static void write_setting(const char *family, const char *interface, const char *setting, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, interface, setting);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return; /* a kernel without IPv6 */
	if (write(fd, value, strlen(value)) < 0) {
		/* The kernel's own default then. */
	}
	close(fd);
}

void vrrp_vmac_prepare(const char *name)
{
	write_setting("ipv6", name, "accept_ra", "0");
	write_setting("ipv6", name, "autoconf", "0");
	write_setting("ipv4", name, "arp_ignore", "1");
	/* What comes in here may be answered through the interface below: the way back is looser than a strict check.
	 */
	write_setting("ipv4", name, "rp_filter", "2");
	write_setting("ipv4", name, "promote_secondaries", "1");
}

int vrrp_vmac_arp_ignore(const char *base, int wanted)
{
	char path[128], text[16] = "", value[16];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/arp_ignore", base);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -1;
	if (wanted >= 0 && wanted != atoi(text)) {
		snprintf(value, sizeof(value), "%d", wanted);
		write_setting("ipv4", base, "arp_ignore", value);
	}
	return atoi(text);
}
