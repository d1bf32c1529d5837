/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The layout of a configuration generation: where each table lies in the file, and the list of all members that refer
 * to something else. Used by every process through conf_open(), and by the parent to cut a generation down. It knows
 * nothing of what the records mean. */
#include "conf_layout.h"
#include "sysctls.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define STRING(table, type, member)                                                                                    \
	{                                                                                                              \
		CONF_TABLE_##table, CONF_FIELD_STRING, offsetof(struct type, member), 0                                \
	}
#define INDEX(table, type, member, to)                                                                                 \
	{                                                                                                              \
		CONF_TABLE_##table, CONF_FIELD_INDEX, offsetof(struct type, member), CONF_TABLE_##to                   \
	}
#define RANGE(table, type, member, to)                                                                                 \
	{                                                                                                              \
		CONF_TABLE_##table, CONF_FIELD_RANGE, offsetof(struct type, member), CONF_TABLE_##to                   \
	}
#define COMMAND(table, type, member)                                                                                   \
	{                                                                                                              \
		CONF_TABLE_##table, CONF_FIELD_COMMAND, offsetof(struct type, member), 0                               \
	}
#define ADDR(table, type, member)                                                                                      \
	{                                                                                                              \
		CONF_TABLE_##table, CONF_FIELD_ADDR, offsetof(struct type, member), 0                                  \
	}
#define ENUM8(table, type, member, below)                                                                              \
	{                                                                                                              \
		CONF_TABLE_##table, CONF_FIELD_ENUM8, offsetof(struct type, member), below                             \
	}
#define ENUM32(table, type, member, below)                                                                             \
	{                                                                                                              \
		CONF_TABLE_##table, CONF_FIELD_ENUM32, offsetof(struct type, member), below                            \
	}

/* One line for each member of conf.h that is a reference, an enum or an address. A new member of that kind needs its
 * line here: without it a damaged table could lead a role outside its mapping. */
const struct conf_field conf_fields[] = {
	STRING(GLOBAL, conf_global, node),
	ENUM32(GLOBAL, conf_global, dialect, CONF_DIALECT_POISE + 1),
	STRING(GLOBAL, conf_global, source_file),
	STRING(GLOBAL, conf_global, net_namespace),
	STRING(GLOBAL, conf_global, net_namespace_ipvs),
	STRING(GLOBAL, conf_global, vmac_prefix),
	STRING(GLOBAL, conf_global, vmac_addr_prefix),
	STRING(GLOBAL, conf_global, snmp_socket),
	STRING(GLOBAL, conf_global, snmp_engine_id),
	STRING(GLOBAL, conf_global, smtp_server),
	STRING(GLOBAL, conf_global, notification_email_from),
	STRING(GLOBAL, conf_global, notification_emails),
	STRING(GLOBAL, conf_global, smtp_helo_name),
	STRING(GLOBAL, conf_global, fifo_all.path),
	STRING(GLOBAL, conf_global, fifo_all.user),
	STRING(GLOBAL, conf_global, fifo_all.group),
	COMMAND(GLOBAL, conf_global, fifo_all.script),
	STRING(GLOBAL, conf_global, reload_time_file),
	STRING(GLOBAL, conf_global, reload_file),
	COMMAND(GLOBAL, conf_global, startup),
	COMMAND(GLOBAL, conf_global, shutdown),
	STRING(GLOBAL, conf_global, fifo_vrrp.path),
	STRING(GLOBAL, conf_global, fifo_vrrp.user),
	STRING(GLOBAL, conf_global, fifo_vrrp.group),
	COMMAND(GLOBAL, conf_global, fifo_vrrp.script),
	STRING(GLOBAL, conf_global, fifo_lvs.path),
	STRING(GLOBAL, conf_global, fifo_lvs.user),
	STRING(GLOBAL, conf_global, fifo_lvs.group),
	COMMAND(GLOBAL, conf_global, fifo_lvs.script),
	STRING(GLOBAL, conf_global, script_user),
	STRING(GLOBAL, conf_global, script_group),
	STRING(GLOBAL, conf_global, sync_interface),
	INDEX(GLOBAL, conf_global, sync_instance, INSTANCE),
	ENUM32(GLOBAL, conf_global, connection_sync, CONF_SYNC_FULL + 1),
	ADDR(GLOBAL, conf_global, pair_peer),
	ADDR(GLOBAL, conf_global, pair_address),
	ADDR(GLOBAL, conf_global, sync_group),
	ADDR(GLOBAL, conf_global, mcast_group4),
	ADDR(GLOBAL, conf_global, mcast_group6),

	STRING(INSTANCE, conf_instance, name),
	STRING(INSTANCE, conf_instance, interface),
	ENUM8(INSTANCE, conf_instance, initial, CONF_INITIAL_MASTER + 1),
	ENUM8(INSTANCE, conf_instance, auth, CONF_AUTH_HMAC + 1),
	INDEX(INSTANCE, conf_instance, secret, SECRET),
	INDEX(INSTANCE, conf_instance, group, GROUP),
	ADDR(INSTANCE, conf_instance, source),
	ADDR(INSTANCE, conf_instance, group_address),
	RANGE(INSTANCE, conf_instance, addresses, ADDRESS),
	STRING(INSTANCE, conf_instance, vrf),
	INDEX(INSTANCE, conf_instance, link, LINK),
	RANGE(INSTANCE, conf_instance, links, LINK),
	RANGE(INSTANCE, conf_instance, routes, ROUTE),
	RANGE(INSTANCE, conf_instance, rules, RULE),
	RANGE(INSTANCE, conf_instance, peers, PEER),
	RANGE(INSTANCE, conf_instance, tracks, TRACK),
	RANGE(INSTANCE, conf_instance, notifies, NOTIFY),
	RANGE(INSTANCE, conf_instance, hmac_keys, HMAC_KEY),
	ENUM8(INSTANCE, conf_instance, hmac_mode, CONF_HMAC_RECEIVE_ONLY + 1),
	ENUM8(INSTANCE, conf_instance, hmac_replay, CONF_HMAC_MONOTONIC + 1),

	ADDR(ADDRESS, conf_address, addr),
	ENUM8(ADDRESS, conf_address, prefix, 129),
	STRING(ADDRESS, conf_address, interface),
	STRING(ADDRESS, conf_address, label),
	ADDR(ADDRESS, conf_address, broadcast),
	ADDR(ADDRESS, conf_address, peer),
	INDEX(ADDRESS, conf_address, instance, INSTANCE),
	INDEX(ADDRESS, conf_address, link, LINK),
	INDEX(ADDRESS, conf_address, track_group, TRACK_GROUP),

	STRING(LINK, conf_link, name),
	STRING(LINK, conf_link, base),
	ENUM8(LINK, conf_link, kind, CONF_LINK_IPVLAN + 1),
	INDEX(LINK, conf_link, instance, INSTANCE),
	ADDR(LINK, conf_link, own),

	ADDR(ROUTE, conf_route, to),
	ADDR(ROUTE, conf_route, from),
	ADDR(ROUTE, conf_route, source),
	ENUM8(ROUTE, conf_route, to_prefix, 129),
	ENUM8(ROUTE, conf_route, from_prefix, 129),
	ENUM8(ROUTE, conf_route, place, CONF_ROUTE_APPEND + 1),
	STRING(ROUTE, conf_route, congctl),
	STRING(ROUTE, conf_route, vrf),
	RANGE(ROUTE, conf_route, nexthops, NEXTHOP),
	INDEX(ROUTE, conf_route, instance, INSTANCE),
	INDEX(ROUTE, conf_route, track_group, TRACK_GROUP),
	ADDR(NEXTHOP, conf_nexthop, via),
	STRING(NEXTHOP, conf_nexthop, interface),
	INDEX(NEXTHOP, conf_nexthop, encap, ENCAP),
	ADDR(ENCAP, conf_encap, to),
	ADDR(ENCAP, conf_encap, from),
	ENUM8(ENCAP, conf_encap, n_labels, CONF_ENCAP_LABELS + 1),
	ENUM8(ENCAP, conf_encap, n_segments, CONF_ENCAP_SEGMENTS + 1),
	ADDR(RULE, conf_rule, from),
	ADDR(RULE, conf_rule, to),
	ENUM8(RULE, conf_rule, to_prefix, 129),
	ENUM8(RULE, conf_rule, from_prefix, 129),
	STRING(RULE, conf_rule, iif),
	STRING(RULE, conf_rule, oif),
	INDEX(RULE, conf_rule, instance, INSTANCE),
	INDEX(RULE, conf_rule, track_group, TRACK_GROUP),

	ADDR(PEER, conf_peer, addr),

	ENUM32(TRACK, conf_track, kind, CONF_TRACK_STATIC + 1),
	STRING(TRACK, conf_track, name),
	INDEX(TRACK, conf_track, script, SCRIPT),
	INDEX(TRACK, conf_track, process, PROCESS),
	INDEX(TRACK, conf_track, file, FILE),
	INDEX(TRACK, conf_track, service, SERVICE),
	INDEX(TRACK, conf_track, bfd, BFD),
	INDEX(TRACK, conf_track, track_group, TRACK_GROUP),
	INDEX(TRACK, conf_track, instance, INSTANCE),
	INDEX(TRACK, conf_track, group, GROUP),

	STRING(TRACK_GROUP, conf_track_group, name),
	STRING(GROUP, conf_group, name),
	RANGE(GROUP, conf_group, members, GROUP_MEMBER),
	RANGE(GROUP, conf_group, tracks, TRACK),
	RANGE(GROUP, conf_group, notifies, NOTIFY),
	{CONF_TABLE_GROUP_MEMBER, CONF_FIELD_INDEX, 0, CONF_TABLE_INSTANCE},

	STRING(SCRIPT, conf_script, name),
	COMMAND(SCRIPT, conf_script, command),

	STRING(PROCESS, conf_process, name),
	COMMAND(PROCESS, conf_process, command),
	ENUM32(PROCESS, conf_process, param_match, CONF_PARAM_PARTIAL + 1),
	STRING(FILE, conf_file, name),
	STRING(FILE, conf_file, path),
	ENUM32(FILE, conf_file, init, CONF_FILE_OVERWRITE + 1),

	STRING(LINK_DELAY, conf_link_delay, interface),
	STRING(ORIGIN, conf_origin, path),
	STRING(BFD, conf_bfd, name),
	ADDR(BFD, conf_bfd, neighbor),
	ADDR(BFD, conf_bfd, source),

	ENUM32(NOTIFY, conf_notify, event, CONF_NOTIFY_LOWER_PRI + 1),
	ENUM32(NOTIFY, conf_notify, owner, CONF_OWNER_SERVICE + 1),
	{CONF_TABLE_NOTIFY, CONF_FIELD_OBJECT, offsetof(struct conf_notify, object), 0},
	COMMAND(NOTIFY, conf_notify, command),

	ENUM32(SECRET, conf_secret, length, sizeof(((struct conf_secret *)0)->bytes) + 1),
	ENUM32(PAIR_KEY, conf_secret, length, sizeof(((struct conf_secret *)0)->bytes) + 1),

	ENUM8(HMAC_KEY, conf_hmac_key, length, sizeof(((struct conf_hmac_key *)0)->bytes) + 1),

	ADDR(TRAP_TARGET, conf_trap_target, addr),
	ENUM8(TRAP_TARGET, conf_trap_target, auth, CONF_USM_AUTHS),
	STRING(TRAP_TARGET, conf_trap_target, user),
	INDEX(TRAP_TARGET, conf_trap_target, community, TRAP_SECRET),
	INDEX(TRAP_TARGET, conf_trap_target, auth_secret, TRAP_SECRET),
	INDEX(TRAP_TARGET, conf_trap_target, priv_secret, TRAP_SECRET),
	ENUM32(TRAP_SECRET, conf_secret, length, sizeof(((struct conf_secret *)0)->bytes) + 1),

	STRING(SERVICE_GROUP, conf_service_group, name),
	RANGE(SERVICE_GROUP, conf_service_group, entries, GROUP_ENTRY),
	ADDR(GROUP_ENTRY, conf_group_entry, first),
	ADDR(GROUP_ENTRY, conf_group_entry, last),

	ENUM32(SERVICE, conf_service, kind, CONF_SERVICE_GROUP + 1),
	ADDR(SERVICE, conf_service, addr),
	{CONF_TABLE_SERVICE, CONF_FIELD_ENUM16, offsetof(struct conf_service, protocol), 256},
	INDEX(SERVICE, conf_service, group, SERVICE_GROUP),
	STRING(SERVICE, conf_service, scheduler),
	ENUM32(SERVICE, conf_service, forward, CONF_FORWARD_INHERIT + 1),
	ENUM32(SERVICE, conf_service, persistence_prefix6, 129),
	STRING(SERVICE, conf_service, persistence_engine),
	INDEX(SERVICE, conf_service, sorry, SERVER),
	RANGE(SERVICE, conf_service, servers, SERVER),
	RANGE(SERVICE, conf_service, notifies, NOTIFY),
	STRING(SERVICE, conf_service, virtualhost),
	ENUM32(SERVICE, conf_service, placement, CONF_PLACE_BACKUP + 1),
	STRING(SERVICE, conf_service, place_instance),
	RANGE(SERVICE, conf_service, allow, CLIENTS),
	RANGE(SERVICE, conf_service, deny, CLIENTS),
	ADDR(CLIENTS, conf_clients, first),
	ADDR(CLIENTS, conf_clients, last),
	ENUM32(SYSCTL, conf_sysctl, number, SYSCTLS),

	ADDR(SERVER, conf_server, addr),
	ENUM32(SERVER, conf_server, forward, CONF_FORWARD_INHERIT),
	INDEX(SERVER, conf_server, service, SERVICE),
	STRING(SERVER, conf_server, name),
	RANGE(SERVER, conf_server, checks, CHECK),
	RANGE(SERVER, conf_server, notifies, NOTIFY),

	ENUM32(CHECK, conf_check, kind, CONF_CHECK_KINDS),
	INDEX(CHECK, conf_check, server, SERVER),
	ADDR(CHECK, conf_check, target),
	ADDR(CHECK, conf_check, bind),
	STRING(CHECK, conf_check, bind_interface),
	ENUM32(CHECK, conf_check, http_version, CONF_HTTP_1_1 + 1),
	STRING(CHECK, conf_check, virtualhost),
	RANGE(CHECK, conf_check, urls, URL),
	COMMAND(CHECK, conf_check, command),
	ENUM32(CHECK, conf_check, initial, CONF_CHECK_INITIAL_LAST + 1),
	STRING(CHECK, conf_check, tls_name),
	STRING(CHECK, conf_check, tls_ca),
	STRING(CHECK, conf_check, tls_cert),
	STRING(CHECK, conf_check, tls_key),
	STRING(CHECK, conf_check, tls_alpn),
	RANGE(CHECK, conf_check, ca_blobs, BLOB),
	RANGE(CHECK, conf_check, cert_blobs, BLOB),
	RANGE(CHECK, conf_check, key_blobs, BLOB),
	RANGE(CHECK, conf_check, key_password, BLOB),
	ENUM32(CHECK, conf_check, tls_min_version, 5),
	STRING(CHECK, conf_check, method),
	STRING(CHECK, conf_check, headers),
	STRING(CHECK, conf_check, drain_header),
	STRING(CHECK, conf_check, drain_body),
	RANGE(CHECK, conf_check, steps, STEP),
	STRING(CHECK, conf_check, name),
	STRING(CHECK, conf_check, track_file),
	ENUM32(CHECK, conf_check, dns_type, 65536),

	ENUM32(STEP, conf_step, kind, CONF_STEP_KINDS),
	STRING(STEP, conf_step, text),
	ENUM32(BLOB, conf_blob, length, CONF_BLOB_SIZE + 1),

	STRING(URL, conf_url, path),
	STRING(URL, conf_url, digest),
	STRING(URL, conf_url, regex),
	STRING(URL, conf_url, virtualhost),
	RANGE(URL, conf_url, status, STATUS_RANGE),
};

const unsigned conf_field_count = sizeof(conf_fields) / sizeof(conf_fields[0]);

size_t conf_record_size(enum conf_table table)
{
	static const size_t sizes[CONF_TABLE_COUNT] = {
#define X(id, member, type) [CONF_TABLE_##id] = sizeof(type),
		CONF_TABLE_LIST(X)
#undef X
	};

	return sizes[table];
}

enum conf_table conf_owner_table(uint32_t owner)
{
	static const enum conf_table tables[] = {
		[CONF_OWNER_INSTANCE] = CONF_TABLE_INSTANCE,
		[CONF_OWNER_GROUP] = CONF_TABLE_GROUP,
		[CONF_OWNER_SERVER] = CONF_TABLE_SERVER,
		[CONF_OWNER_SERVICE] = CONF_TABLE_SERVICE,
	};

	return owner <= CONF_OWNER_SERVICE ? tables[owner] : CONF_TABLE_COUNT;
}

void conf_header_fill(struct conf_header *h, uint64_t generation, const uint32_t counts[CONF_TABLE_COUNT])
{
	uint64_t offset = sizeof(*h);

	memset(h, 0, sizeof(*h));
	h->magic = CONF_MAGIC;
	h->layout = CONF_LAYOUT;
	h->generation = generation;
	h->table_count = CONF_TABLE_COUNT;
	for (unsigned t = 0; t < CONF_TABLE_COUNT; t++) {
		h->tables[t].offset = offset;
		h->tables[t].count = counts[t];
		h->tables[t].record_size = conf_record_size(t);
		offset += (uint64_t)counts[t] * conf_record_size(t);
		offset = (offset + 7) & ~(uint64_t)7;
	}
	h->size = offset;
}

static int write_at(int fd, const void *data, size_t size, uint64_t offset)
{
	const char *p = data;

	while (size > 0) {
		ssize_t n = pwrite(fd, p, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

int conf_header_write(int fd, const struct conf_header *h, const void *const tables[CONF_TABLE_COUNT])
{
	int r;

	/* Also fills the gaps between tables with zeros. */
	if (ftruncate(fd, 0) < 0 || ftruncate(fd, (off_t)h->size) < 0)
		return -errno;
	r = write_at(fd, h, sizeof(*h), 0);
	for (unsigned t = 0; t < CONF_TABLE_COUNT && r == 0; t++)
		r = write_at(fd, tables[t], (size_t)h->tables[t].count * h->tables[t].record_size, h->tables[t].offset);
	return r;
}
