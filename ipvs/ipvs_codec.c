/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes of the generic netlink family IPVS; used by the ipvs role. Pure: libnl's attribute functions check every
 * length against the message, policies check every attribute against its type. It sends and decides nothing. */
#include "ipvs_codec.h"
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <netinet/in.h>
#include <string.h>

#define ADDRESS_SIZE 16 /* the kernel's union nf_inet_addr, also for IPv4 */

/* ---- to bytes ---- */

int ipvs_codec_put_command(struct nl_msg *msg, uint8_t cmd)
{
	struct genlmsghdr genl = {.cmd = cmd, .version = IPVS_GENL_VERSION};

	return nlmsg_append(msg, &genl, sizeof(genl), NLMSG_ALIGNTO) < 0 ? -EMSGSIZE : 0;
}

static int put_address(struct nl_msg *msg, int type, const struct addr *addr)
{
	uint8_t bytes[ADDRESS_SIZE] = {0};

	memcpy(bytes, addr->bytes, addr_len(addr));
	return nla_put(msg, type, sizeof(bytes), bytes);
}

static int put_key(struct nl_msg *msg, const struct ipvs_key *key)
{
	int rc = nla_put_u16(msg, IPVS_SVC_ATTR_AF, key->family);

	if (key->fwmark)
		return rc | nla_put_u32(msg, IPVS_SVC_ATTR_FWMARK, key->fwmark);
	rc |= nla_put_u16(msg, IPVS_SVC_ATTR_PROTOCOL, key->protocol);
	rc |= put_address(msg, IPVS_SVC_ATTR_ADDR, &key->addr);
	return rc | nla_put_u16(msg, IPVS_SVC_ATTR_PORT, htons(key->port));
}

static int put_service_settings(struct nl_msg *msg, const struct ipvs_service *service)
{
	struct ip_vs_flags flags = {.flags = service->flags, .mask = IPVS_SERVICE_FLAGS};
	int rc = nla_put_string(msg, IPVS_SVC_ATTR_SCHED_NAME, service->scheduler);

	if (service->engine[0])
		rc |= nla_put_string(msg, IPVS_SVC_ATTR_PE_NAME, service->engine);
	rc |= nla_put(msg, IPVS_SVC_ATTR_FLAGS, sizeof(flags), &flags);
	rc |= nla_put_u32(msg, IPVS_SVC_ATTR_TIMEOUT, service->timeout_s);
	return rc | nla_put_u32(msg, IPVS_SVC_ATTR_NETMASK, service->netmask);
}

/* Appends the nested attribute of a service; settings = NULL for the key alone. */
static int put_service(struct nl_msg *msg, const struct ipvs_key *key, const struct ipvs_service *settings)
{
	struct nlattr *nest = nla_nest_start(msg, IPVS_CMD_ATTR_SERVICE);

	if (!nest || put_key(msg, key) < 0)
		return -EMSGSIZE;
	if (settings && put_service_settings(msg, settings) < 0)
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

int ipvs_codec_put_service(struct nl_msg *msg, uint8_t cmd, const struct ipvs_service *service)
{
	bool full = cmd == IPVS_CMD_NEW_SERVICE || cmd == IPVS_CMD_SET_SERVICE;
	int rc = ipvs_codec_put_command(msg, cmd);

	return rc < 0 ? rc : put_service(msg, &service->key, full ? service : NULL);
}

static int put_dest_settings(struct nl_msg *msg, const struct ipvs_dest *dest)
{
	int rc = nla_put_u32(msg, IPVS_DEST_ATTR_FWD_METHOD, dest->forward);

	rc |= nla_put_u32(msg, IPVS_DEST_ATTR_WEIGHT, (uint32_t)dest->weight);
	rc |= nla_put_u32(msg, IPVS_DEST_ATTR_U_THRESH, dest->upper);
	rc |= nla_put_u32(msg, IPVS_DEST_ATTR_L_THRESH, dest->lower);
	if (dest->forward != IP_VS_CONN_F_TUNNEL)
		return rc;
	rc |= nla_put_u8(msg, IPVS_DEST_ATTR_TUN_TYPE, dest->tunnel_type);
	rc |= nla_put_u16(msg, IPVS_DEST_ATTR_TUN_PORT, htons(dest->tunnel_port));
	return rc | nla_put_u16(msg, IPVS_DEST_ATTR_TUN_FLAGS, dest->tunnel_flags);
}

int ipvs_codec_put_dest(struct nl_msg *msg, uint8_t cmd, const struct ipvs_key *service, const struct ipvs_dest *dest)
{
	struct nlattr *nest;
	int rc = ipvs_codec_put_command(msg, cmd);

	if (rc < 0 || put_service(msg, service, NULL) < 0)
		return -EMSGSIZE;
	nest = nla_nest_start(msg, IPVS_CMD_ATTR_DEST);
	if (!nest)
		return -EMSGSIZE;
	rc = nla_put_u16(msg, IPVS_DEST_ATTR_ADDR_FAMILY, dest->key.addr.family);
	rc |= put_address(msg, IPVS_DEST_ATTR_ADDR, &dest->key.addr);
	rc |= nla_put_u16(msg, IPVS_DEST_ATTR_PORT, htons(dest->key.port));
	if (cmd != IPVS_CMD_DEL_DEST)
		rc |= put_dest_settings(msg, dest);
	if (rc < 0)
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

/* What is not configured is not mentioned. */
static int put_daemon_settings(struct nl_msg *msg, const struct ipvs_daemon *daemon)
{
	int rc = nla_put_string(msg, IPVS_DAEMON_ATTR_MCAST_IFN, daemon->interface);

	rc |= nla_put_u32(msg, IPVS_DAEMON_ATTR_SYNC_ID, daemon->sync_id);
	if (daemon->maxlen)
		rc |= nla_put_u16(msg, IPVS_DAEMON_ATTR_SYNC_MAXLEN, daemon->maxlen);
	if (daemon->port)
		rc |= nla_put_u16(msg, IPVS_DAEMON_ATTR_MCAST_PORT, daemon->port);
	if (daemon->ttl)
		rc |= nla_put_u8(msg, IPVS_DAEMON_ATTR_MCAST_TTL, daemon->ttl);
	if (daemon->group.family == AF_INET)
		rc |= nla_put(msg, IPVS_DAEMON_ATTR_MCAST_GROUP, 4, daemon->group.bytes);
	if (daemon->group.family == AF_INET6)
		rc |= nla_put(msg, IPVS_DAEMON_ATTR_MCAST_GROUP6, 16, daemon->group.bytes);
	return rc;
}

int ipvs_codec_put_daemon(struct nl_msg *msg, uint8_t cmd, const struct ipvs_daemon *daemon)
{
	struct nlattr *nest;
	int rc = ipvs_codec_put_command(msg, cmd);

	if (rc < 0)
		return rc;
	nest = nla_nest_start(msg, IPVS_CMD_ATTR_DAEMON);
	if (!nest)
		return -EMSGSIZE;
	rc = nla_put_u32(msg, IPVS_DAEMON_ATTR_STATE, daemon->state);
	if (cmd != IPVS_CMD_DEL_DAEMON)
		rc |= put_daemon_settings(msg, daemon);
	if (rc < 0)
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

int ipvs_codec_put_timeouts(struct nl_msg *msg, const struct ipvs_timeouts *timeouts)
{
	int rc = ipvs_codec_put_command(msg, IPVS_CMD_SET_CONFIG);

	rc |= nla_put_u32(msg, IPVS_CMD_ATTR_TIMEOUT_TCP, timeouts->tcp);
	rc |= nla_put_u32(msg, IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, timeouts->tcp_fin);
	rc |= nla_put_u32(msg, IPVS_CMD_ATTR_TIMEOUT_UDP, timeouts->udp);
	return rc < 0 ? -EMSGSIZE : 0;
}

/* ---- from bytes ---- */

#define U8                                                                                                             \
	{                                                                                                              \
		.type = NLA_U8                                                                                         \
	}
#define U16                                                                                                            \
	{                                                                                                              \
		.type = NLA_U16                                                                                        \
	}
#define U32                                                                                                            \
	{                                                                                                              \
		.type = NLA_U32                                                                                        \
	}
#define U64                                                                                                            \
	{                                                                                                              \
		.type = NLA_U64                                                                                        \
	}
#define NEST                                                                                                           \
	{                                                                                                              \
		.type = NLA_NESTED                                                                                     \
	}
#define NAME                                                                                                           \
	{                                                                                                              \
		.type = NLA_STRING                                                                                     \
	}

static const struct nla_policy service_policy[IPVS_SVC_ATTR_MAX + 1] = {
	[IPVS_SVC_ATTR_AF] = U16,
	[IPVS_SVC_ATTR_PROTOCOL] = U16,
	[IPVS_SVC_ATTR_ADDR] = {.minlen = 4},
	[IPVS_SVC_ATTR_PORT] = U16,
	[IPVS_SVC_ATTR_FWMARK] = U32,
	[IPVS_SVC_ATTR_SCHED_NAME] = NAME,
	[IPVS_SVC_ATTR_FLAGS] = {.minlen = sizeof(struct ip_vs_flags)},
	[IPVS_SVC_ATTR_TIMEOUT] = U32,
	[IPVS_SVC_ATTR_NETMASK] = U32,
	[IPVS_SVC_ATTR_STATS] = NEST,
	[IPVS_SVC_ATTR_PE_NAME] = NAME,
	[IPVS_SVC_ATTR_STATS64] = NEST,
};

static const struct nla_policy dest_policy[IPVS_DEST_ATTR_MAX + 1] = {
	[IPVS_DEST_ATTR_ADDR] = {.minlen = 4},
	[IPVS_DEST_ATTR_PORT] = U16,
	[IPVS_DEST_ATTR_FWD_METHOD] = U32,
	[IPVS_DEST_ATTR_WEIGHT] = U32,
	[IPVS_DEST_ATTR_U_THRESH] = U32,
	[IPVS_DEST_ATTR_L_THRESH] = U32,
	[IPVS_DEST_ATTR_ACTIVE_CONNS] = U32,
	[IPVS_DEST_ATTR_INACT_CONNS] = U32,
	[IPVS_DEST_ATTR_PERSIST_CONNS] = U32,
	[IPVS_DEST_ATTR_STATS] = NEST,
	[IPVS_DEST_ATTR_ADDR_FAMILY] = U16,
	[IPVS_DEST_ATTR_STATS64] = NEST,
	[IPVS_DEST_ATTR_TUN_TYPE] = U8,
	[IPVS_DEST_ATTR_TUN_PORT] = U16,
	[IPVS_DEST_ATTR_TUN_FLAGS] = U16,
};

static const struct nla_policy stats64_policy[IPVS_STATS_ATTR_MAX + 1] = {
	[IPVS_STATS_ATTR_CONNS] = U64,
	[IPVS_STATS_ATTR_INPKTS] = U64,
	[IPVS_STATS_ATTR_OUTPKTS] = U64,
	[IPVS_STATS_ATTR_INBYTES] = U64,
	[IPVS_STATS_ATTR_OUTBYTES] = U64,
	[IPVS_STATS_ATTR_CPS] = U64,
	[IPVS_STATS_ATTR_INPPS] = U64,
	[IPVS_STATS_ATTR_OUTPPS] = U64,
	[IPVS_STATS_ATTR_INBPS] = U64,
	[IPVS_STATS_ATTR_OUTBPS] = U64,
};

static const struct nla_policy daemon_policy[IPVS_DAEMON_ATTR_MAX + 1] = {
	[IPVS_DAEMON_ATTR_STATE] = U32,
	[IPVS_DAEMON_ATTR_MCAST_IFN] = NAME,
	[IPVS_DAEMON_ATTR_SYNC_ID] = U32,
	[IPVS_DAEMON_ATTR_SYNC_MAXLEN] = U16,
	[IPVS_DAEMON_ATTR_MCAST_PORT] = U16,
	[IPVS_DAEMON_ATTR_MCAST_TTL] = U8,
	[IPVS_DAEMON_ATTR_MCAST_GROUP] = {.minlen = 4},
	[IPVS_DAEMON_ATTR_MCAST_GROUP6] = {.minlen = 16},
};

static const struct nla_policy command_policy[IPVS_CMD_ATTR_MAX + 1] = {
	[IPVS_CMD_ATTR_SERVICE] = NEST,
	[IPVS_CMD_ATTR_DEST] = NEST,
	[IPVS_CMD_ATTR_DAEMON] = NEST,
	[IPVS_CMD_ATTR_TIMEOUT_TCP] = U32,
	[IPVS_CMD_ATTR_TIMEOUT_TCP_FIN] = U32,
	[IPVS_CMD_ATTR_TIMEOUT_UDP] = U32,
};

static uint32_t get_u32(struct nlattr *attr)
{
	return attr ? nla_get_u32(attr) : 0;
}

static uint16_t get_u16(struct nlattr *attr)
{
	return attr ? nla_get_u16(attr) : 0;
}

static uint64_t get_u64(struct nlattr *attr)
{
	return attr ? nla_get_u64(attr) : 0;
}

/* A name that does not fit is not one of the kernel's. */
static int get_name(struct nlattr *attr, char *out)
{
	memset(out, 0, IPVS_NAME_SIZE);
	if (!attr)
		return 0;
	if (strlen(nla_get_string(attr)) >= IPVS_NAME_SIZE)
		return -EPROTO;
	strcpy(out, nla_get_string(attr));
	return 0;
}

static int get_address(struct nlattr *attr, uint16_t family, struct addr *out)
{
	int size = family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;

	if (size == 0 || !attr || nla_len(attr) < size)
		return -EPROTO;
	*out = addr_from_bytes((uint8_t)family, nla_data(attr));
	return 0;
}

/* A kernel without 64-bit statistics is older than any we run on: no counters then. */
static void get_counters(struct nlattr *nest, struct ipvs_counters *out)
{
	struct nlattr *attr[IPVS_STATS_ATTR_MAX + 1];

	memset(out, 0, sizeof(*out));
	if (!nest || nla_parse_nested(attr, IPVS_STATS_ATTR_MAX, nest, stats64_policy) < 0)
		return;
	out->connections = get_u64(attr[IPVS_STATS_ATTR_CONNS]);
	out->packets_in = get_u64(attr[IPVS_STATS_ATTR_INPKTS]);
	out->packets_out = get_u64(attr[IPVS_STATS_ATTR_OUTPKTS]);
	out->bytes_in = get_u64(attr[IPVS_STATS_ATTR_INBYTES]);
	out->bytes_out = get_u64(attr[IPVS_STATS_ATTR_OUTBYTES]);
	out->connections_rate = get_u64(attr[IPVS_STATS_ATTR_CPS]);
	out->packets_in_rate = get_u64(attr[IPVS_STATS_ATTR_INPPS]);
	out->packets_out_rate = get_u64(attr[IPVS_STATS_ATTR_OUTPPS]);
	out->bytes_in_rate = get_u64(attr[IPVS_STATS_ATTR_INBPS]);
	out->bytes_out_rate = get_u64(attr[IPVS_STATS_ATTR_OUTBPS]);
}

/* Checks the headers and splits the first level; the nested attribute `wanted` must be there (0 = none). */
static int get_command(struct nlmsghdr *nlh, struct nlattr **attr, int wanted)
{
	if (nlh->nlmsg_len < (uint32_t)NLMSG_HDRLEN + GENL_HDRLEN)
		return -EPROTO;
	if (nlmsg_parse(nlh, GENL_HDRLEN, attr, IPVS_CMD_ATTR_MAX, command_policy) < 0)
		return -EPROTO;
	return wanted == 0 || attr[wanted] ? 0 : -EPROTO;
}

static int get_key(struct nlattr **attr, struct ipvs_key *key)
{
	memset(key, 0, sizeof(*key));
	key->family = get_u16(attr[IPVS_SVC_ATTR_AF]);
	if (key->family != AF_INET && key->family != AF_INET6)
		return -EPROTO;
	key->fwmark = get_u32(attr[IPVS_SVC_ATTR_FWMARK]);
	if (key->fwmark)
		return 0;
	if (!attr[IPVS_SVC_ATTR_PROTOCOL] || !attr[IPVS_SVC_ATTR_PORT])
		return -EPROTO;
	key->protocol = get_u16(attr[IPVS_SVC_ATTR_PROTOCOL]);
	key->port = ntohs(get_u16(attr[IPVS_SVC_ATTR_PORT]));
	return get_address(attr[IPVS_SVC_ATTR_ADDR], key->family, &key->addr);
}

int ipvs_codec_get_service(struct nlmsghdr *nlh, struct ipvs_service *out, struct ipvs_tally *tally)
{
	struct nlattr *cmd[IPVS_CMD_ATTR_MAX + 1], *attr[IPVS_SVC_ATTR_MAX + 1];
	struct ip_vs_flags flags;

	memset(out, 0, sizeof(*out));
	memset(tally, 0, sizeof(*tally));
	if (get_command(nlh, cmd, IPVS_CMD_ATTR_SERVICE) < 0 ||
		nla_parse_nested(attr, IPVS_SVC_ATTR_MAX, cmd[IPVS_CMD_ATTR_SERVICE], service_policy) < 0 ||
		get_key(attr, &out->key) < 0 || !attr[IPVS_SVC_ATTR_SCHED_NAME] || !attr[IPVS_SVC_ATTR_FLAGS])
		return -EPROTO;
	if (get_name(attr[IPVS_SVC_ATTR_SCHED_NAME], out->scheduler) < 0 ||
		get_name(attr[IPVS_SVC_ATTR_PE_NAME], out->engine) < 0)
		return -EPROTO;
	memcpy(&flags, nla_data(attr[IPVS_SVC_ATTR_FLAGS]), sizeof(flags));
	out->flags = flags.flags & IPVS_SERVICE_FLAGS;
	out->timeout_s = get_u32(attr[IPVS_SVC_ATTR_TIMEOUT]);
	out->netmask = get_u32(attr[IPVS_SVC_ATTR_NETMASK]);
	get_counters(attr[IPVS_SVC_ATTR_STATS64], &tally->counters);
	return 0;
}

int ipvs_codec_get_dest(struct nlmsghdr *nlh, uint16_t service_family, struct ipvs_dest *out, struct ipvs_tally *tally)
{
	struct nlattr *cmd[IPVS_CMD_ATTR_MAX + 1], *attr[IPVS_DEST_ATTR_MAX + 1];
	uint16_t family;

	memset(out, 0, sizeof(*out));
	memset(tally, 0, sizeof(*tally));
	if (get_command(nlh, cmd, IPVS_CMD_ATTR_DEST) < 0 ||
		nla_parse_nested(attr, IPVS_DEST_ATTR_MAX, cmd[IPVS_CMD_ATTR_DEST], dest_policy) < 0)
		return -EPROTO;
	family = attr[IPVS_DEST_ATTR_ADDR_FAMILY] ? get_u16(attr[IPVS_DEST_ATTR_ADDR_FAMILY]) : service_family;
	if (get_address(attr[IPVS_DEST_ATTR_ADDR], family, &out->key.addr) < 0 || !attr[IPVS_DEST_ATTR_PORT] ||
		!attr[IPVS_DEST_ATTR_FWD_METHOD] || !attr[IPVS_DEST_ATTR_WEIGHT])
		return -EPROTO;
	out->key.port = ntohs(get_u16(attr[IPVS_DEST_ATTR_PORT]));
	out->forward = (uint8_t)(get_u32(attr[IPVS_DEST_ATTR_FWD_METHOD]) & IP_VS_CONN_F_FWD_MASK);
	out->weight = (int32_t)get_u32(attr[IPVS_DEST_ATTR_WEIGHT]);
	out->upper = get_u32(attr[IPVS_DEST_ATTR_U_THRESH]);
	out->lower = get_u32(attr[IPVS_DEST_ATTR_L_THRESH]);
	if (attr[IPVS_DEST_ATTR_TUN_TYPE])
		out->tunnel_type = nla_get_u8(attr[IPVS_DEST_ATTR_TUN_TYPE]);
	out->tunnel_port = ntohs(get_u16(attr[IPVS_DEST_ATTR_TUN_PORT]));
	out->tunnel_flags = get_u16(attr[IPVS_DEST_ATTR_TUN_FLAGS]);
	tally->active = get_u32(attr[IPVS_DEST_ATTR_ACTIVE_CONNS]);
	tally->inactive = get_u32(attr[IPVS_DEST_ATTR_INACT_CONNS]);
	tally->persistent = get_u32(attr[IPVS_DEST_ATTR_PERSIST_CONNS]);
	get_counters(attr[IPVS_DEST_ATTR_STATS64], &tally->counters);
	return 0;
}

int ipvs_codec_get_daemon(struct nlmsghdr *nlh, struct ipvs_daemon *out)
{
	struct nlattr *cmd[IPVS_CMD_ATTR_MAX + 1], *attr[IPVS_DAEMON_ATTR_MAX + 1];

	memset(out, 0, sizeof(*out));
	if (get_command(nlh, cmd, IPVS_CMD_ATTR_DAEMON) < 0 ||
		nla_parse_nested(attr, IPVS_DAEMON_ATTR_MAX, cmd[IPVS_CMD_ATTR_DAEMON], daemon_policy) < 0 ||
		!attr[IPVS_DAEMON_ATTR_STATE])
		return -EPROTO;
	out->state = get_u32(attr[IPVS_DAEMON_ATTR_STATE]);
	out->sync_id = get_u32(attr[IPVS_DAEMON_ATTR_SYNC_ID]);
	out->maxlen = get_u16(attr[IPVS_DAEMON_ATTR_SYNC_MAXLEN]);
	out->port = get_u16(attr[IPVS_DAEMON_ATTR_MCAST_PORT]);
	if (attr[IPVS_DAEMON_ATTR_MCAST_TTL])
		out->ttl = nla_get_u8(attr[IPVS_DAEMON_ATTR_MCAST_TTL]);
	if (attr[IPVS_DAEMON_ATTR_MCAST_GROUP6])
		out->group = addr_from_bytes(AF_INET6, nla_data(attr[IPVS_DAEMON_ATTR_MCAST_GROUP6]));
	else if (attr[IPVS_DAEMON_ATTR_MCAST_GROUP])
		out->group = addr_from_bytes(AF_INET, nla_data(attr[IPVS_DAEMON_ATTR_MCAST_GROUP]));
	return get_name(attr[IPVS_DAEMON_ATTR_MCAST_IFN], out->interface);
}

bool ipvs_daemon_matches(const struct ipvs_daemon *wanted, const struct ipvs_daemon *running)
{
	return wanted->state == running->state && wanted->sync_id == running->sync_id &&
	       strcmp(wanted->interface, running->interface) == 0 &&
	       (!wanted->maxlen || wanted->maxlen == running->maxlen) &&
	       (!wanted->port || wanted->port == running->port) && (!wanted->ttl || wanted->ttl == running->ttl) &&
	       (!addr_is_set(&wanted->group) || addr_equal(&wanted->group, &running->group));
}

int ipvs_codec_get_timeouts(struct nlmsghdr *nlh, struct ipvs_timeouts *out)
{
	struct nlattr *cmd[IPVS_CMD_ATTR_MAX + 1];

	memset(out, 0, sizeof(*out));
	if (get_command(nlh, cmd, IPVS_CMD_ATTR_TIMEOUT_TCP) < 0)
		return -EPROTO;
	out->tcp = get_u32(cmd[IPVS_CMD_ATTR_TIMEOUT_TCP]);
	out->tcp_fin = get_u32(cmd[IPVS_CMD_ATTR_TIMEOUT_TCP_FIN]);
	out->udp = get_u32(cmd[IPVS_CMD_ATTR_TIMEOUT_UDP]);
	return 0;
}

int ipvs_codec_get_version(struct nlmsghdr *nlh, uint32_t *version)
{
	static const struct nla_policy policy[IPVS_INFO_ATTR_MAX + 1] = {[IPVS_INFO_ATTR_VERSION] = U32};
	struct nlattr *attr[IPVS_INFO_ATTR_MAX + 1];

	*version = 0;
	if (nlh->nlmsg_len < (uint32_t)NLMSG_HDRLEN + GENL_HDRLEN ||
		nlmsg_parse(nlh, GENL_HDRLEN, attr, IPVS_INFO_ATTR_MAX, policy) < 0 || !attr[IPVS_INFO_ATTR_VERSION])
		return -EPROTO;
	*version = get_u32(attr[IPVS_INFO_ATTR_VERSION]);
	return 0;
}
