/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The image of interfaces and addresses that the vrrp process decides on, built from rtnetlink messages. Pure: it opens
 * no socket and logs nothing, so it is tested on bytes. What it holds is what the kernel said last, never a guess. */
#include "vrrp_link.h"
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Newer than the headers of the oldest supported system. */
#define POISE_IFA_PROTO 11

static struct link *find(const struct links *links, uint32_t ifindex)
{
	for (uint32_t i = 0; i < links->count; i++) {
		if (links->all[i].ifindex == ifindex)
			return &links->all[i];
	}
	return NULL;
}

const struct link *links_find(const struct links *links, uint32_t ifindex)
{
	return find(links, ifindex);
}

const struct link *links_find_name(const struct links *links, const char *name)
{
	for (uint32_t i = 0; i < links->count; i++) {
		if (strcmp(links->all[i].name, name) == 0)
			return &links->all[i];
	}
	return NULL;
}

static void free_addresses(struct link *link)
{
	free(link->addresses);
	free(link->counts);
}

void links_clear(struct links *links)
{
	for (uint32_t i = 0; i < links->count; i++)
		free_addresses(&links->all[i]);
	free(links->all);
	*links = (struct links){.births = links->births};
}

static struct link *add(struct links *links, uint32_t ifindex)
{
	struct link *link;

	if (links->count == links->room) {
		uint32_t room = links->room ? 2 * links->room : 16;
		struct link *all = reallocarray(links->all, room, sizeof(*all));

		if (!all)
			return NULL;
		links->all = all;
		links->room = room;
	}
	link = &links->all[links->count++];
	links->births++;
	*link = (struct link){.ifindex = ifindex, .birth = links->births, .line = links->births};
	return link;
}

/* Most stand where they stood. */
void links_go_on(struct links *fresh, const struct links *old)
{
	for (uint32_t i = 0; i < fresh->count; i++) {
		struct link *link = &fresh->all[i];
		bool is_in_place = i < old->count && old->all[i].ifindex == link->ifindex;
		const struct link *before = is_in_place ? &old->all[i] : find(old, link->ifindex);

		if (before && strcmp(before->name, link->name) == 0)
			link->line = before->line;
	}
}

static int take_gone_link(struct links *links, uint32_t ifindex)
{
	struct link *link = find(links, ifindex);

	if (!link)
		return LINK_UNCHANGED;
	free_addresses(link);
	*link = links->all[--links->count];
	return LINK_STATE;
}

static bool is_kind(struct nlattr *attr, const char *kind)
{
	size_t size = strlen(kind) + 1;

	return attr && nla_len(attr) >= (int)size && memcmp(nla_data(attr), kind, size) == 0;
}

/* What kind of interface it is, as far as that matters. */
static void take_info(struct link *link, struct nlattr *info)
{
	struct nlattr *tb[IFLA_INFO_MAX + 1], *data[IFLA_VRF_MAX + 1];

	link->is_veth = false;
	link->vrf_table = 0;
	if (!info || nla_parse_nested(tb, IFLA_INFO_MAX, info, NULL) < 0)
		return;
	link->is_veth = is_kind(tb[IFLA_INFO_KIND], "veth");
	if (is_kind(tb[IFLA_INFO_KIND], "vrf") && tb[IFLA_INFO_DATA] &&
		nla_parse_nested(data, IFLA_VRF_MAX, tb[IFLA_INFO_DATA], NULL) >= 0 && data[IFLA_VRF_TABLE] &&
		nla_len(data[IFLA_VRF_TABLE]) >= (int)sizeof(uint32_t))
		link->vrf_table = nla_get_u32(data[IFLA_VRF_TABLE]);
}

static int take_link(struct links *links, const struct nlmsghdr *nlh)
{
	struct nlattr *tb[IFLA_MAX + 1];
	const struct ifinfomsg *ifi = nlmsg_data(nlh);
	struct link before = {0}, *link;

	if (!nlmsg_valid_hdr(nlh, sizeof(*ifi)) || ifi->ifi_index <= 0)
		return LINK_UNCHANGED;
	/* Bridges and others send messages of their own family about ports; those are not about the link's life. */
	if (ifi->ifi_family != AF_UNSPEC)
		return LINK_UNCHANGED;
	if (nlh->nlmsg_type == RTM_DELLINK)
		return take_gone_link(links, (uint32_t)ifi->ifi_index);
	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*ifi), tb, IFLA_MAX, NULL) < 0 || !tb[IFLA_IFNAME])
		return LINK_UNCHANGED;
	link = find(links, (uint32_t)ifi->ifi_index);
	if (!link)
		link = add(links, (uint32_t)ifi->ifi_index);
	if (!link)
		return -ENOMEM;
	before = *link;
	link->flags = link->counted = ifi->ifi_flags;
	link->type = ifi->ifi_type;
	memset(link->name, 0, sizeof(link->name));
	nla_strlcpy(link->name, tb[IFLA_IFNAME], sizeof(link->name));
	if (tb[IFLA_MTU] && nla_len(tb[IFLA_MTU]) >= (int)sizeof(uint32_t))
		link->mtu = nla_get_u32(tb[IFLA_MTU]);
	take_info(link, tb[IFLA_LINKINFO]);
	link->mac_length = 0;
	if (tb[IFLA_ADDRESS] && nla_len(tb[IFLA_ADDRESS]) == (int)sizeof(link->mac)) {
		link->mac_length = sizeof(link->mac);
		memcpy(link->mac, nla_data(tb[IFLA_ADDRESS]), sizeof(link->mac));
	}
	return before.flags == link->flags && strcmp(before.name, link->name) == 0 && before.mtu == link->mtu &&
			       memcmp(before.mac, link->mac, sizeof(link->mac)) == 0
		       ? LINK_UNCHANGED
		       : LINK_STATE;
}

/* FNV-1a of what tells addresses apart. */
static uint32_t hash_of(const struct addr *addr, uint8_t prefix)
{
	uint32_t sum = (2166136261u ^ prefix) * 16777619u;

	for (size_t i = 0; i < addr_len(addr); i++)
		sum = (sum ^ addr->bytes[i]) * 16777619u;
	return sum ^ sum >> 15;
}

/* A count that is full stays full: it says "perhaps" for ever, which is true. */
static void count(struct link *link, const struct link_address *address, int change)
{
	uint8_t *at =
		link->counts ? &link->counts[hash_of(&address->addr, address->prefix) & (link->n_counts - 1)] : NULL;

	if (at && *at < UINT8_MAX)
		*at = (uint8_t)(*at + change);
}

/* Without memory for them every search looks at all addresses. */
static void count_anew(struct link *link)
{
	free(link->counts);
	link->n_counts = 8 * link->room;
	link->counts = calloc(link->n_counts, 1);
	for (uint32_t i = 0; i < link->n_addresses; i++)
		count(link, &link->addresses[i], 1);
}

static struct link_address *find_near(const struct link *link, const struct addr *addr, uint8_t prefix, uint32_t *near)
{
	uint32_t i = *near < link->n_addresses ? *near : 0;

	if (link->counts && link->counts[hash_of(addr, prefix) & (link->n_counts - 1)] == 0)
		return NULL;
	for (uint32_t k = 0; k < link->n_addresses; k++, i = i + 1 < link->n_addresses ? i + 1 : 0) {
		if (link->addresses[i].prefix != prefix || !addr_equal(&link->addresses[i].addr, addr))
			continue;
		*near = i;
		return &link->addresses[i];
	}
	return NULL;
}

static struct link_address *find_address(struct link *link, const struct addr *addr, uint8_t prefix)
{
	struct link_address *found = find_near(link, addr, prefix, &link->near);

	link->near += found != NULL;
	return found;
}

const struct link_address *link_find_address(
	const struct link *link, const struct addr *addr, uint8_t prefix, uint32_t *near)
{
	return find_near(link, addr, prefix, near);
}

static int add_address(struct link *link, const struct link_address *address)
{
	if (link->n_addresses == link->room) {
		uint32_t room = link->room ? 2 * link->room : 8;
		struct link_address *all = reallocarray(link->addresses, room, sizeof(*all));

		if (!all)
			return -ENOMEM;
		link->addresses = all;
		link->room = room;
		count_anew(link);
	}
	link->addresses[link->n_addresses++] = *address;
	count(link, address, 1);
	return LINK_ADDRESS_SET;
}

/* Takes the order of the others along: the kernel's order decides which address is the primary one. */
static int remove_address(struct link *link, struct link_address *address)
{
	uint32_t after = link->n_addresses - 1 - (uint32_t)(address - link->addresses);

	count(link, address, -1);
	link->near = (uint32_t)(address - link->addresses);
	memmove(address, address + 1, after * sizeof(*address));
	link->n_addresses--;
	return LINK_ADDRESS_GONE;
}

/* Reads the address out of a message; false when the message is not one we can use. */
static bool parse_address(const struct nlmsghdr *nlh, struct link_address *out)
{
	const struct ifaddrmsg *ifa = nlmsg_data(nlh);
	struct nlattr *tb[POISE_IFA_PROTO + 1], *local;

	if (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6)
		return false;
	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*ifa), tb, POISE_IFA_PROTO, NULL) < 0)
		return false;
	/* On a point-to-point interface IFA_ADDRESS is the other end. */
	local = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	if (!local || nla_len(local) != (ifa->ifa_family == AF_INET ? 4 : 16))
		return false;
	*out = (struct link_address){.prefix = ifa->ifa_prefixlen, .scope = ifa->ifa_scope, .flags = ifa->ifa_flags};
	out->addr = addr_from_bytes(ifa->ifa_family, nla_data(local));
	if (tb[IFA_FLAGS] && nla_len(tb[IFA_FLAGS]) >= (int)sizeof(uint32_t))
		out->flags = nla_get_u32(tb[IFA_FLAGS]);
	if (tb[POISE_IFA_PROTO] && nla_len(tb[POISE_IFA_PROTO]) >= 1)
		out->proto = nla_get_u8(tb[POISE_IFA_PROTO]);
	return true;
}

static int take_address(struct links *links, const struct nlmsghdr *nlh)
{
	const struct ifaddrmsg *ifa = nlmsg_data(nlh);
	struct link_address address, *known;
	struct link *link;

	if (!nlmsg_valid_hdr(nlh, sizeof(*ifa)) || !parse_address(nlh, &address))
		return LINK_UNCHANGED;
	link = find(links, ifa->ifa_index);
	/* The last addresses of a deleted interface are reported after it, in some kernels. */
	if (!link)
		return LINK_UNCHANGED;
	known = find_address(link, &address.addr, address.prefix);
	if (nlh->nlmsg_type == RTM_DELADDR && known)
		link->remover = nlh->nlmsg_pid;
	if (nlh->nlmsg_type == RTM_DELADDR)
		return known ? remove_address(link, known) : LINK_UNCHANGED;
	if (!known)
		return add_address(link, &address);
	*known = address;
	return LINK_ADDRESS_SET;
}

int links_note_address(struct links *links, uint32_t ifindex, const struct link_address *address)
{
	struct link *link = find(links, ifindex);
	int change;

	if (!link || find_address(link, &address->addr, address->prefix))
		return 0;
	change = add_address(link, address);
	return change < 0 ? change : 0;
}

int links_take(struct links *links, const struct nlmsghdr *nlh)
{
	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return take_link(links, nlh);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return take_address(links, nlh);
	}
	return LINK_UNCHANGED;
}

bool link_is_running(const struct link *link)
{
	return (link->counted & IFF_UP) && (link->counted & IFF_RUNNING);
}

const char *link_fault(const struct link *link, const char *name, char *why, size_t size)
{
	if (!link)
		snprintf(why, size, "interface %s does not exist", name);
	else if (!(link->counted & IFF_UP))
		snprintf(why, size, "interface %s is down", name);
	else if (!(link->counted & IFF_RUNNING))
		snprintf(why, size, "interface %s has no carrier", name);
	else
		why[0] = '\0';
	return why;
}

#define RANK_OWN 4 /* of an address that is not virtual */

/* How good an address is to speak from, when it is not a virtual one; 0 = not at all. */
static int rank_source(const struct link_source_query *query, const struct link_address *a)
{
	bool is_local = addr_is_link_local(&a->addr);
	int rank = 1 + RANK_OWN;

	if (a->addr.family != query->family)
		return 0;
	if (query->family == AF_INET6 && query->link_local != is_local)
		return 0;
	if (!(a->flags & IFA_F_SECONDARY) || query->family == AF_INET6)
		rank += 2;
	if (a->scope < RT_SCOPE_LINK || query->link_local)
		rank += 1;
	return rank;
}

enum link_source_result link_source(const struct link *link, const struct link_source_query *query, struct addr *out)
{
	enum link_source_result waiting = LINK_SOURCE_NONE;
	int best = 0;

	for (uint32_t i = 0; i < link->n_addresses; i++) {
		const struct link_address *a = &link->addresses[i];
		int rank = rank_source(query, a);

		/* Asked only where it matters: a link may hold a thousand, and every instance looks at all of them. */
		if (rank > best && query->is_virtual(query->arg, link, a))
			rank = query->allows_virtual ? rank - RANK_OWN : 0;
		if (rank <= best)
			continue;
		if (a->flags & IFA_F_DADFAILED) {
			waiting = LINK_SOURCE_DUPLICATE;
		} else if (a->flags & IFA_F_TENTATIVE && !(a->flags & IFA_F_OPTIMISTIC)) {
			waiting = LINK_SOURCE_TENTATIVE;
		} else {
			best = rank;
			*out = a->addr;
		}
	}
	return best ? LINK_SOURCE_FOUND : waiting;
}
