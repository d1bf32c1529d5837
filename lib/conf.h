/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration generation: flat tables in one sealed memfd. Records refer to each other by index into the tables of
 * the same generation (CONF_NONE = absent), strings are offsets into one string table (0 = absent; conf_string()).
 * The config role builds it, the parent cuts it down for each role, every role maps it read-only.
 * A list that belongs to a record is a range {first, count} of another table. All times are microseconds. */
#ifndef POISE_CONF_H
#define POISE_CONF_H

#include "addr.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bumped with every change of a layout below. */
#define CONF_LAYOUT 16
#define CONF_MAGIC 0x65736f50 /* "Pose" */

#define CONF_NONE UINT32_MAX

typedef uint32_t conf_string_t; /* offset into the string table, 0 = absent */
typedef uint32_t conf_index_t;  /* record number, CONF_NONE = absent */

struct conf_range {
	uint32_t first, count;
};

/* table number, member of struct conf, record */
#define CONF_TABLE_LIST(X)                                                                                             \
	X(GLOBAL, global, struct conf_global) /* exactly one record */                                                 \
	X(INSTANCE, instances, struct conf_instance)                                                                   \
	X(ADDRESS, addresses, struct conf_address)                                                                     \
	X(ROUTE, routes, struct conf_route)                                                                            \
	X(NEXTHOP, nexthops, struct conf_nexthop)                                                                      \
	X(RULE, rules, struct conf_rule)                                                                               \
	X(PEER, peers, struct conf_peer)                                                                               \
	X(TRACK, tracks, struct conf_track)                                                                            \
	X(GROUP, groups, struct conf_group)                                                                            \
	X(GROUP_MEMBER, group_members, conf_index_t) /* conf->instances */                                             \
	X(SCRIPT, scripts, struct conf_script)                                                                         \
	X(PROCESS, processes, struct conf_process)                                                                     \
	X(FILE, files, struct conf_file)                                                                               \
	X(BFD, bfds, struct conf_bfd)                                                                                  \
	X(LINK_DELAY, link_delays, struct conf_link_delay)                                                             \
	X(NOTIFY, notifies, struct conf_notify)                                                                        \
	X(SECRET, secrets, struct conf_secret) /* only the vrrp role sees it */                                        \
	X(HMAC_KEY, hmac_keys, struct conf_hmac_key) /* so is this */                                                  \
	X(SERVICE_GROUP, service_groups, struct conf_service_group)                                                    \
	X(GROUP_ENTRY, group_entries, struct conf_group_entry)                                                         \
	X(SERVICE, services, struct conf_service)                                                                      \
	X(CLIENTS, clients, struct conf_clients)                                                                       \
	X(SYSCTL, sysctls, struct conf_sysctl)                                                                         \
	X(SERVER, servers, struct conf_server)                                                                         \
	X(CHECK, checks, struct conf_check)                                                                            \
	X(URL, urls, struct conf_url)                                                                                  \
	X(STATUS_RANGE, status_ranges, struct conf_status_range)                                                       \
	X(STEP, steps, struct conf_step)                                                                               \
	X(PAIR_KEY, pair_keys, struct conf_secret) /* at most one; only the pair role sees it */                         \
	X(BLOB, blobs, struct conf_blob) /* contents of TLS files: only the healthcheck role sees it */                \
	X(TRAP_TARGET, trap_targets, struct conf_trap_target)                                                          \
	X(TRAP_SECRET, trap_secrets, struct conf_secret) /* only the snmp role sees it */                              \
	X(ORIGIN, origins, struct conf_origin)                                                                         \
	X(STRINGS, strings, char)        /* always present, begins with \0 */

enum conf_table {
#define X(id, member, type) CONF_TABLE_##id,
	CONF_TABLE_LIST(X)
#undef X
		CONF_TABLE_COUNT
};

#define CONF_BIT(table) (UINT64_C(1) << (table))

/* A command: words in the string table, each terminated by \0, argc of them, from `argv` on. */
struct conf_command {
	conf_string_t argv;
	uint32_t argc;
	conf_string_t user, group; /* 0: see script_user_choose() of the script role */
};

/* What was read beside the configuration file: an included file, or a folder that an include looks through. */
struct conf_origin {
	conf_string_t path;
	uint32_t zero;
	int64_t mtime_real_us; /* when it was last written, as it was read */
};

/* ---- global ---- */
enum conf_dialect { CONF_DIALECT_KEEPALIVED, CONF_DIALECT_POISE };
/* What the nodes tell each other of their connections: what the kernel does by itself where sync_interface is set, or
 * everything, with the kernel's settings made for it. */
enum conf_sync { CONF_SYNC_KERNEL, CONF_SYNC_FULL };

/* A notification FIFO; path 0 = none. */
struct conf_fifo {
	conf_string_t path, user, group;
	struct conf_command script; /* argc 0 = none */
};

struct conf_global {
	conf_string_t node; /* router_id, else the host's name */
	uint32_t dialect;
	int64_t address_lifetime_us; /* 0 = permanent */
	conf_string_t source_file;
	conf_string_t snmp_socket; /* AgentX master, 0 = the library's default */
	uint8_t snmp_vrrp, snmp_checker, snmp_rfcv2, snmp_rfcv3, snmp_traps;
	uint8_t snmp_keepalived; /* tables and notifications of KEEPALIVED-MIB, where snmp_vrrp and snmp_checker ask */
	uint8_t snmp_poise;      /* serve POISE-MIB even if nothing else is served */
	uint8_t zero1;
	uint32_t snmp_trap_rate; /* notifications a second to each receiver, at most */
	conf_string_t snmp_engine_id; /* hexadecimal digits; 0 = made from `node` */
	conf_string_t smtp_server;
	conf_string_t notification_email_from;
	conf_string_t notification_emails; /* addresses, one a line */
	conf_string_t smtp_helo_name;      /* 0 = the host's name */
	int64_t smtp_timeout_us;
	uint32_t reload_may_cut; /* connections, without --allow */
	uint32_t no_email_faults;
	uint32_t fifo_states_on_reload;
	struct conf_fifo fifo_all, fifo_vrrp, fifo_lvs;
	uint32_t script_security;
	conf_string_t script_user, script_group;
	struct conf_command startup, shutdown; /* argc 0 = none */
	int64_t startup_timeout_us, shutdown_timeout_us;
	/* IPVS sync daemon (keepalived: lvs_sync_daemon INTERFACE INSTANCE ...) */
	conf_string_t sync_interface;
	conf_index_t sync_instance;
	uint32_t sync_id;
	uint16_t sync_port, sync_maxlen; /* 0 = the kernel's */
	uint32_t sync_ttl;               /* 0 = the kernel's */
	struct addr sync_group;          /* not set = the kernel's */
	uint32_t connection_sync;  /* enum conf_sync */
	uint32_t sync_bandwidth;   /* kbit/s of a resync */
	int64_t sync_sweep_us;     /* the whole table is sent again this often, 0 = only on request */
	/* the other node, and what a node of higher priority waits for before it takes over from a lower one */
	struct addr pair_peer, pair_address; /* both set, or none */
	uint32_t pair_port;
	uint32_t preempt_coverage; /* percent of the connections */
	int64_t preempt_coverage_timeout_us;
	int64_t audit_interval_us; /* how often the kernel's IPVS table is compared */
	uint32_t lvs_flush, lvs_flush_on_stop;
	int64_t lvs_timeout_tcp_us, lvs_timeout_tcpfin_us, lvs_timeout_udp_us; /* 0 = leave */
	struct addr mcast_group4, mcast_group6;                                /* default 224.0.0.18, ff02::12 */
	int32_t vrrp_rt_priority; /* SCHED_RR priority of the vrrp role, 0 = off */
	uint32_t ipvs_namespace_given;
	conf_string_t net_namespace, net_namespace_ipvs; /* names as of `ip netns`; 0 = that poised was started in */
	uint32_t fold_groups;                            /* nftables_ipvs: each group becomes one firewall mark */
	uint32_t fold_first_mark;                        /* marks are chosen from this one on */
	int32_t fold_priority;                           /* of the chain that sets the mark */
};

/* ---- VRRP ---- */
enum conf_auth { CONF_AUTH_NONE, CONF_AUTH_PASS, CONF_AUTH_AH, CONF_AUTH_HMAC };
enum conf_hmac_mode { CONF_HMAC_ENFORCE, CONF_HMAC_PERMISSIVE, CONF_HMAC_RECEIVE_ONLY };
enum conf_hmac_replay { CONF_HMAC_TIME, CONF_HMAC_MONOTONIC };
enum conf_initial { CONF_INITIAL_BACKUP, CONF_INITIAL_MASTER };

struct conf_instance {
	conf_string_t name;
	conf_string_t interface;
	uint8_t version; /* 2 or 3 */
	uint8_t family;  /* AF_INET or AF_INET6: of the advertisements */
	uint8_t vrid;
	uint8_t priority;      /* 1..255, 255 = address owner */
	uint8_t initial;       /* enum conf_initial */
	uint8_t auth;          /* enum conf_auth */
	uint8_t preempt;       /* 1 unless nopreempt */
	uint8_t strict;        /* vrrp_strict / strict_mode */
	uint8_t no_accept;     /* drop packets to the virtual addresses that are not for IPVS or ND */
	uint8_t track_primary; /* 0 = dont_track_primary */
	uint8_t smtp_alert;
	uint8_t notify_priority; /* changes of the effective priority go to the FIFO */
	uint8_t unicast;               /* 1: send to peers instead of the group */
	uint8_t checksum_message_only; /* v3/IPv4: RFC 9568 form when sending (v3_checksum_as_v2) */
	uint8_t use_vmac;
	uint8_t lower_prio_no_advert; /* do not answer a lower-priority advertisement */
	uint8_t skip_check_adv_addr;
	uint8_t higher_prio_send_advert; /* advertise once more before yielding to a higher priority */
	uint8_t track_source;            /* a source that the interface does not have is a fault; unicast: always */
	uint8_t zero3[6];
	int64_t advert_us;
	int64_t preempt_delay_us;
	int64_t startup_delay_us;
	uint32_t down_timer_adverts; /* default 3 */
	conf_index_t secret;         /* PASS or AH key */
	conf_index_t group;          /* sync group */
	struct addr source;          /* mcast_src_ip / unicast_src_ip; AF_UNSPEC = the interface's primary address */
	struct addr group_address;   /* of advertisements by multicast */
	uint8_t unicast_ttl;
	uint8_t vmac_mac[6]; /* use_vmac */
	struct conf_range addresses; /* advertised first (n_advertised of them), then excluded ones */
	uint32_t n_advertised;
	struct conf_range routes, rules;
	conf_string_t vmac;      /* use_vmac: name of the interface that holds the addresses */
	uint32_t vmac_xmit_base; /* advertisements leave from the interface below all the same */
	struct conf_range peers;
	struct conf_range tracks;
	struct conf_range notifies;
	/* announcements: gratuitous ARP and unsolicited neighbour advertisements */
	int64_t garp_delay_us;                     /* second burst after becoming master, default 5 s */
	uint32_t garp_repeat;                      /* per burst, default 5 */
	uint32_t garp_refresh_repeat;              /* default 1 */
	int64_t garp_refresh_us;                   /* 0 = never */
	int64_t garp_interval_us, gna_interval_us; /* gap between packets on an interface */
	int64_t garp_lower_prio_delay_us;
	uint32_t garp_lower_prio_repeat;
	/* CONF_AUTH_HMAC: a signed trailer behind every advertisement */
	struct conf_range hmac_keys;
	uint8_t hmac_active; /* id of the key that signs, one of hmac_keys */
	uint8_t hmac_mode;   /* enum conf_hmac_mode */
	uint8_t hmac_replay; /* enum conf_hmac_replay */
	uint8_t zero2;
	uint32_t hmac_window_s;
	uint32_t line; /* where the block begins, for messages */
};

struct conf_address {
	struct addr addr;
	uint8_t prefix;
	uint8_t excluded; /* held but not advertised */
	uint8_t no_track;
	uint8_t scope;           /* RT_SCOPE_* */
	conf_string_t interface; /* dev; 0 = the instance's */
	conf_string_t label;
	struct addr broadcast;
	struct addr peer;
	conf_index_t instance; /* CONF_NONE: it is always held */
	uint32_t flags;        /* IFA_F_* of the kernel */
	uint32_t preferred_s;  /* seconds, as long as the address lasts at most; UINT32_MAX = as long */
	uint32_t zero;
};

/* ---- routes and rules, in the words of ip(8) ---- */
#define CONF_ROUTE_METRICS 18 /* RTAX_* */
enum conf_route_place { CONF_ROUTE_PREPEND, CONF_ROUTE_ADD, CONF_ROUTE_APPEND };

struct conf_route {
	struct addr to, from; /* prefix 0 = any; the family is that of the route */
	struct addr source;   /* AF_UNSPEC = none */
	uint8_t family, to_prefix, from_prefix;
	uint8_t type; /* RTN_* */
	uint8_t scope, tos, protocol, no_track;
	uint8_t place; /* enum conf_route_place: among routes to the same destination */
	uint8_t has_preference, preference, has_ttl_propagate, ttl_propagate, zero1[3];
	uint32_t table, metric; /* metric 0 = the kernel's default */
	uint32_t realms, expires_s;
	uint32_t metrics_given, metrics_locked; /* bits by RTAX_* */
	uint32_t metrics[CONF_ROUTE_METRICS];
	conf_string_t congctl;
	struct conf_range nexthops; /* one: of the route itself */
	conf_index_t instance;      /* CONF_NONE: it is always there */
};

struct conf_nexthop {
	struct addr via; /* AF_UNSPEC = none */
	conf_string_t interface;
	uint32_t weight, flags, realms; /* 1..256; RTNH_F_* */
};

struct conf_rule {
	struct addr from, to; /* prefix 0 = any */
	uint8_t family, from_prefix, to_prefix;
	uint8_t action; /* FR_ACT_* */
	uint8_t tos, protocol, is_inverted, no_track;
	uint8_t has_mark, has_uids, l3mdev, ip_protocol;
	uint32_t priority, table, target; /* target: of goto */
	uint32_t mark, mask, realms;
	int32_t suppress_prefix, suppress_group; /* -1 = not */
	uint32_t uid_first, uid_last;
	uint32_t zero;
	uint64_t tunnel;
	uint16_t sport[2], dport[2]; /* first and last; 0 = any */
	conf_string_t iif, oif;
	conf_index_t instance; /* CONF_NONE: it is always there */
	uint32_t zero2;
};

struct conf_peer {
	struct addr addr;
	uint8_t min_ttl, max_ttl, zero[2]; /* 0,0 = not checked */
};

enum conf_track_kind {
	CONF_TRACK_INTERFACE,
	CONF_TRACK_SCRIPT,
	CONF_TRACK_PROCESS,
	CONF_TRACK_FILE,
	CONF_TRACK_SERVICE,
	CONF_TRACK_BFD
};

struct conf_track {
	uint32_t kind;
	conf_string_t name;   /* interface name, or the script's name */
	conf_index_t script;  /* CONF_TRACK_SCRIPT */
	conf_index_t process; /* CONF_TRACK_PROCESS */
	conf_index_t file;    /* CONF_TRACK_FILE */
	conf_index_t service; /* CONF_TRACK_SERVICE */
	conf_index_t bfd;     /* CONF_TRACK_BFD */
	/* 0 = a failure is FAULT; else added while up (>0) or while down (<0); of a file: times the number in it */
	int32_t weight;
	uint32_t reverse;
	conf_index_t instance; /* or CONF_NONE when it belongs to a group */
	conf_index_t group;
};

struct conf_group {
	conf_string_t name;
	uint32_t track_weights; /* global_tracking / sync_group_tracking_weight */
	uint32_t smtp_alert;
	struct conf_range members; /* into conf->group_members: instances in the order written */
	struct conf_range tracks;
	struct conf_range notifies;
};

struct conf_script {
	conf_string_t name;
	struct conf_command command;
	int64_t interval_us; /* default 1 s */
	int64_t timeout_us;  /* 0 = the interval */
	int32_t weight;      /* default of the tracks that name none */
	uint32_t weight_reverse;
	uint32_t rise, fall; /* default 1, 1 */
	uint32_t init_fail;
};

/* How the arguments of a process are compared. */
enum conf_param_match {
	CONF_PARAM_NONE,    /* they are not looked at, unless some are configured: then all must be equal */
	CONF_PARAM_EXACT,   /* all of them: none configured, none there */
	CONF_PARAM_INITIAL, /* the last one may go on */
	CONF_PARAM_PARTIAL, /* more may follow */
};

/* Running processes of a name: at least quorum, at most quorum_max of them. */
struct conf_process {
	conf_string_t name;
	struct conf_command command; /* the name of the process, its arguments; no user */
	uint32_t param_match;        /* enum conf_param_match */
	uint32_t full_command;       /* compare the command line, not the kernel's name */
	int32_t weight;              /* default of the tracks that name none */
	uint32_t weight_reverse;
	uint32_t quorum, quorum_max;               /* default 1, UINT32_MAX */
	int64_t fork_delay_us, terminate_delay_us; /* before it counts as up, as down */
};

/* A file with a number in it. */
enum conf_file_init { CONF_FILE_LEAVE, CONF_FILE_CREATE, CONF_FILE_OVERWRITE };
struct conf_file {
	conf_string_t name, path;
	int32_t weight; /* default of the tracks that name none */
	uint32_t weight_reverse;
	uint32_t init; /* enum conf_file_init: what is done at the start */
	int32_t init_value;
};

/* A change of this link counts when it has lasted. */
struct conf_link_delay {
	conf_string_t interface;
	uint32_t zero;
	int64_t down_us, up_us;
};

/* A session of Bidirectional Forwarding Detection (RFC 5880) with a neighbour. */
struct conf_bfd {
	conf_string_t name;
	int32_t weight;     /* default of the tracks that name none */
	struct addr neighbor;
	struct addr source; /* AF_UNSPEC: as the route to the neighbour says */
	int64_t min_rx_us, min_tx_us;
	int64_t idle_tx_us; /* while the session is not up; at least a second */
	uint8_t multiplier; /* default 5 */
	uint8_t passive;    /* say nothing until the neighbour was heard */
	uint8_t ttl;        /* or hop limit of what is sent, default 255 */
	uint8_t least_ttl;  /* what is received has this at least; 0 = any */
	uint32_t weight_reverse;
};

enum conf_notify_event {
	CONF_NOTIFY_MASTER,
	CONF_NOTIFY_BACKUP,
	CONF_NOTIFY_FAULT,
	CONF_NOTIFY_STOP,
	CONF_NOTIFY_ANY, /* `notify`: called with TYPE NAME STATE PRIORITY after the specific one */
	CONF_NOTIFY_UP,
	CONF_NOTIFY_DOWN, /* servers */
	CONF_NOTIFY_QUORUM_UP,
	CONF_NOTIFY_QUORUM_DOWN,
	CONF_NOTIFY_DELETED,   /* an instance that is not in the new configuration */
	CONF_NOTIFY_LOWER_PRI, /* a master heard an advertisement of lower priority */
};

enum conf_owner { CONF_OWNER_INSTANCE, CONF_OWNER_GROUP, CONF_OWNER_SERVER, CONF_OWNER_SERVICE };

struct conf_notify {
	uint32_t event; /* enum conf_notify_event */
	uint32_t owner; /* enum conf_owner */
	conf_index_t object;
	struct conf_command command;
};

struct conf_secret {
	uint8_t bytes[64];
	uint32_t length;
};

struct conf_hmac_key {
	uint8_t id;     /* 1..255 */
	uint8_t length; /* 32..64 */
	uint8_t bytes[64];
};

/* ---- SNMP: receivers of notifications that need no snmpd ---- */
enum conf_usm_auth {
	CONF_USM_NO_AUTH,
	CONF_USM_MD5,
	CONF_USM_SHA1,
	CONF_USM_SHA224,
	CONF_USM_SHA256,
	CONF_USM_SHA384,
	CONF_USM_SHA512,
	CONF_USM_AUTHS
};

struct conf_trap_target {
	struct addr addr;
	uint16_t port;
	uint8_t inform; /* wait for an acknowledgement, and send again without one */
	uint8_t auth;   /* enum conf_usm_auth; with a user */
	uint8_t priv;   /* AES; with auth */
	uint8_t zero[3];
	conf_string_t user;     /* version 3; 0 = version 2c with a community */
	conf_index_t community; /* conf->trap_secrets, as auth_secret and priv_secret */
	conf_index_t auth_secret, priv_secret;
	uint32_t retries;   /* of an inform */
	int64_t timeout_us; /* of each try */
};

/* ---- IPVS ---- */
enum conf_service_kind { CONF_SERVICE_ADDRESS, CONF_SERVICE_FWMARK, CONF_SERVICE_GROUP };
enum conf_forward { CONF_FORWARD_NAT, CONF_FORWARD_DR, CONF_FORWARD_TUN, CONF_FORWARD_INHERIT };

/* On which router the service stands in the kernel. */
enum conf_placement { CONF_PLACE_BOTH, CONF_PLACE_MASTER, CONF_PLACE_BACKUP };

/* How packets are wrapped for a server that is reached by TUN; the numbers are the kernel's. */
struct conf_tunnel {
	uint8_t type;  /* IP_VS_CONN_F_TUNNEL_TYPE_*: 0 ipip, 1 gue, 2 gre */
	uint8_t flags; /* IP_VS_TUNNEL_ENCAP_FLAG_*: 1 csum, 2 remcsum */
	uint16_t port; /* gue: host order */
};

struct conf_service_group {
	conf_string_t name;
	struct conf_range entries;
};

/* first..last are inclusive and equal for a single address; fwmark != 0: a mark instead of an address. */
struct conf_group_entry {
	struct addr first, last;
	uint16_t port;
	uint16_t zero;
	uint32_t fwmark;
};

struct conf_service {
	uint32_t kind; /* enum conf_service_kind */
	struct addr addr;
	uint16_t port;           /* 0 = all ports (persistent) */
	uint16_t protocol;       /* IPPROTO_TCP, _UDP, _SCTP; 0 with a mark */
	uint32_t fwmark;         /* of a group: the mark that its addresses are folded into, 0 = they are not */
	uint32_t family;         /* of the service: AF_INET or AF_INET6 (a mark or a group has no address of its own) */
	conf_index_t group;      /* conf->service_groups */
	conf_string_t scheduler; /* "wlc", ... */
	uint32_t scheduler_flags;   /* IP_VS_SVC_F_SCHED1.. bits of the kernel */
	uint32_t forward;           /* enum conf_forward: the default of its servers */
	int64_t persistence_us;     /* 0 = none */
	uint32_t persistence_mask4; /* network order, 0xffffffff = per client */
	uint32_t persistence_prefix6;
	conf_string_t persistence_engine;
	uint8_t one_packet, alpha, omega, ha_suspend, inhibit_on_failure, sorry_inhibit, smtp_alert, zero1;
	uint32_t quorum, hysteresis; /* quorum default 1 */
	conf_index_t sorry;          /* conf->servers; not part of the range below */
	struct conf_range servers;
	struct conf_range notifies;
	conf_string_t virtualhost;
	int64_t drain_timeout_us;
	int64_t slow_start_us;    /* the weight of a server that came back rises over this time, 0 = at once */
	uint32_t panic_threshold; /* percent of the servers; when more are down, all serve on; 0 = off */
	uint32_t adaptive_weight; /* percent of its weight that a slow server may lose, 0 = off */
	uint32_t line;
	struct conf_tunnel tunnel;    /* the default of its servers */
	uint32_t placement;           /* enum conf_placement */
	conf_string_t place_instance; /* name of the instance whose state decides */
	/* guard rails: who may come, and how often. New connections a second and at once; 0 = no limit. */
	struct conf_range allow, deny; /* conf->clients */
	uint32_t client_rate, client_burst, service_rate, service_burst;
	uint32_t client_connections; /* at the same time */
	uint32_t zero2;
};

/* Addresses of clients, first..last inclusive. */
struct conf_clients {
	struct addr first, last;
};

/* A kernel setting that the configuration asks for: number of lib/sysctls.h, and its value as packed there. */
struct conf_sysctl {
	uint32_t number;
	uint32_t line;
	int64_t value;
};

struct conf_server {
	struct addr addr;
	uint16_t port;
	uint8_t inhibit_on_failure;
	uint8_t is_sorry;
	int32_t weight;   /* default 1 */
	uint32_t forward; /* enum conf_forward, never INHERIT in a finished table */
	uint32_t upper_threshold, lower_threshold;
	conf_index_t service;
	conf_string_t name; /* for people; 0 = none */
	struct conf_range checks;
	struct conf_range notifies;
	uint8_t alpha, smtp_alert, zero1[2];
	struct conf_tunnel tunnel;
	uint32_t line;
	uint32_t zero2;
};

/* ---- health checks ---- */
enum conf_check_kind {
	CONF_CHECK_TCP,
	CONF_CHECK_HTTP,
	CONF_CHECK_SSL,
	CONF_CHECK_MISC,
	CONF_CHECK_TLS,
	CONF_CHECK_SMTP,
	CONF_CHECK_DNS,
	CONF_CHECK_UDP,
	CONF_CHECK_PING,
	CONF_CHECK_FILE,
	CONF_CHECK_AGENT,
	CONF_CHECK_GRPC,
	CONF_CHECK_BFD,
	CONF_CHECK_KINDS
};
/* What a check is taken for before its first result. */
enum conf_check_initial {
	CONF_CHECK_INITIAL_UNKNOWN,
	CONF_CHECK_INITIAL_UP,
	CONF_CHECK_INITIAL_DOWN,
	CONF_CHECK_INITIAL_LAST
};
enum conf_http_version { CONF_HTTP_1_0, CONF_HTTP_1_0_CLOSE, CONF_HTTP_1_1 };

struct conf_check {
	uint32_t kind;
	conf_index_t server;
	struct addr target; /* connect_ip, default the server's address */
	uint16_t port;      /* connect_port, default the server's port */
	uint16_t bind_port;
	struct addr bind; /* bindto */
	conf_string_t bind_interface;
	uint32_t fwmark;
	int64_t connect_timeout_us; /* default 5 s; the time for the whole probe where keepalived means it so */
	int64_t interval_us;        /* delay_loop of check, server, service; default 60 s */
	int64_t warmup_us;          /* longest random delay before the first run; default = interval */
	uint32_t retry; /* failures beyond the first before down; 1 for HTTP/SSL/TCP as in keepalived: see conf(5) */
	uint32_t rise;  /* successes before up, default 1 */
	int64_t delay_before_retry_us;
	uint32_t http_version;
	uint32_t enable_sni;
	uint32_t tls_verify;
	uint32_t alpha;
	conf_string_t virtualhost;
	struct conf_range urls;
	struct conf_command command; /* MISC_CHECK */
	int64_t misc_timeout_us;
	uint32_t misc_dynamic;
	uint32_t line;
	/* judgement */
	uint32_t fall;            /* failures in a row before down, then retry is fall - 1; 0 = by retry */
	uint32_t initial;         /* enum conf_check_initial */
	int64_t fast_interval_us; /* while in doubt or recovering; 0 = delay_before_retry, interval */
	int64_t down_interval_us; /* while down; 0 = interval */
	int64_t flap_backoff_us;  /* longest time that a check which falls again and again is kept down; 0 = off */
	/* TLS: HTTP over TLS, TLS_CHECK, gRPC. Files are named and their contents lie in blobs. */
	conf_string_t tls_name; /* server name to send and to verify; 0 = from virtualhost */
	conf_string_t tls_ca, tls_cert, tls_key, tls_alpn;
	struct conf_range ca_blobs, cert_blobs, key_blobs;
	uint32_t tls_min_version;                          /* position in { any, 1.0, 1.1, 1.2, 1.3 } */
	uint32_t cert_expiry_warning, cert_expiry_failure; /* days before the end of the certificate; 0 = off */
	/* HTTP */
	conf_string_t method;                   /* 0 = GET */
	conf_string_t headers;                  /* "Name: value" lines, each ended by \n */
	uint32_t drain_status;                  /* the status by which a server asks to be drained, 0 = none */
	conf_string_t drain_header, drain_body; /* and what else the answer must have: a header line, an expression */
	/* TCP_CHECK, UDP_CHECK: the conversation */
	struct conf_range steps;
	uint32_t require_reply;
	uint32_t min_reply, max_reply; /* bytes; max 0 = any */
	/* DNS_CHECK: name; SMTP_CHECK: name for HELO; FILE_CHECK: path; GRPC_CHECK: service; AGENT_CHECK: text to send;
	 * BFD_CHECK: the session
	 */
	conf_string_t name;
	uint32_t dns_type; /* as on the wire */
	/* FILE_CHECK as in keepalived: name is the path of that track_file; misc_dynamic: value x weight is added to the
	 * server's. 0 = no track_file, and the file speaks for itself. */
	conf_string_t track_file;
	int32_t file_weight;
};

enum conf_step_kind {
	CONF_STEP_SEND,
	CONF_STEP_SEND_HEX,
	CONF_STEP_EXPECT,
	CONF_STEP_EXPECT_HEX,
	CONF_STEP_EXPECT_REGEX,
	CONF_STEP_EXPECT_BEGIN, /* as far as both go; hexadecimal digits, x for any */
	CONF_STEP_KINDS
};

/* text: with escapes \r \n \t \\ \xHH, or hexadecimal digits, or an expression. */
struct conf_step {
	uint32_t kind;
	conf_string_t text;
};

/* A piece of a file. */
#define CONF_BLOB_SIZE 508
struct conf_blob {
	uint32_t length;
	uint8_t bytes[CONF_BLOB_SIZE];
};

/* keepalived's names for options of PCRE2, in lower case. */
enum conf_regex_option {
	CONF_REGEX_ALLOW_EMPTY_CLASS,
	CONF_REGEX_ALT_BSUX,
	CONF_REGEX_AUTO_CALLOUT,
	CONF_REGEX_CASELESS,
	CONF_REGEX_DOLLAR_ENDONLY,
	CONF_REGEX_DOTALL,
	CONF_REGEX_DUPNAMES,
	CONF_REGEX_EXTENDED,
	CONF_REGEX_FIRSTLINE,
	CONF_REGEX_MATCH_UNSET_BACKREF,
	CONF_REGEX_MULTILINE,
	CONF_REGEX_NEVER_UCP,
	CONF_REGEX_NEVER_UTF,
	CONF_REGEX_NO_AUTO_CAPTURE,
	CONF_REGEX_NO_AUTO_POSSESS,
	CONF_REGEX_NO_DOTSTAR_ANCHOR,
	CONF_REGEX_NO_START_OPTIMIZE,
	CONF_REGEX_UCP,
	CONF_REGEX_UNGREEDY,
	CONF_REGEX_UTF,
	CONF_REGEX_NEVER_BACKSLASH_C,
	CONF_REGEX_ALT_CIRCUMFLEX,
	CONF_REGEX_ALT_VERBNAMES,
	CONF_REGEX_USE_OFFSET_LIMIT,
	CONF_REGEX_OPTIONS
};

struct conf_url {
	conf_string_t path;
	conf_string_t digest; /* 32 hex digits: MD5 of the body */
	conf_string_t regex;
	conf_string_t virtualhost;     /* 0 = the check's, the server's, the service's */
	struct conf_range status;      /* empty: 200-299 */
	uint32_t regex_min, regex_max; /* offsets in the body between which a match must begin; max 0 = any */
	uint32_t regex_no_match;       /* the body must not match */
	uint32_t regex_options;        /* bits by enum conf_regex_option */
};

struct conf_status_range {
	uint16_t low, high;
};

/* A mapped generation. Members are pointers into the mapping; counts are beside them. A table that the role may not see
 * has count 0 (strings and global are always there). */
struct conf {
	uint64_t generation;
	unsigned references;
	int fd;
	void *map;
	size_t size;
#define X(id, member, type)                                                                                            \
	const type *member;                                                                                            \
	uint32_t n_##member;
	CONF_TABLE_LIST(X)
#undef X
};

/* Maps and validates a table (magic, layout, sizes, every index and range within bounds, strings terminated). Takes
 * over fd in any case. Returns NULL with errno (EPROTO = not a valid table of this layout). */
struct conf *conf_open(int fd);
/* Another owner of the same mapping, who closes it too. Returns conf. */
struct conf *conf_share(struct conf *conf);
void conf_close(struct conf *conf); /* NULL is allowed */

/* "" for 0, never NULL. */
const char *conf_string(const struct conf *conf, conf_string_t s);
/* Fills argv (terminated by NULL; at most max - 1 words) with pointers into the mapping; returns argc or -1. */
int conf_argv(const struct conf *conf, const struct conf_command *command, const char **argv, int max);

/* The tables of mask (CONF_BIT) that hold anything: two masks with the same answer make the same cut. */
uint64_t conf_filled(const struct conf *conf, uint64_t mask);
/* A sealed table of this generation that keeps only the tables of mask (CONF_BIT): a copy, or the same memory when
 * there is nothing to change. Returns a descriptor or -errno. */
int conf_cut(const struct conf *conf, uint64_t generation, uint64_t mask);

/* ---- names of objects, and finding the same object in another generation ---- */
#define CONF_NAME_SIZE 192
/* "10.0.0.1:80/tcp", "fwmark 5", "group web/tcp". Unique within a generation. Returns buf. */
const char *conf_service_name(const struct conf *conf, conf_index_t service, char *buf);
/* "route 10.0.0.0/8 via 192.0.2.1 dev eth0 table 100", "rule 100: from 10.0.0.0/8 table 7": in short, for people.
 * Return buf. */
const char *conf_route_name(const struct conf *conf, conf_index_t route, char *buf);
const char *conf_rule_name(const struct conf *conf, conf_index_t rule, char *buf);
/* "10.1.0.2:80" (the sorry server too). Unique within its service. Returns buf. */
const char *conf_server_name(const struct conf *conf, conf_index_t server, char *buf);
/* Index in `to` of the object that is the same one as `index` of `from` (instance and group by name; service by name;
 * server by service and address:port and is_sorry), or CONF_NONE. */
conf_index_t conf_find_instance(const struct conf *to, const struct conf *from, conf_index_t index);
conf_index_t conf_find_group(const struct conf *to, const struct conf *from, conf_index_t index);
conf_index_t conf_find_service(const struct conf *to, const struct conf *from, conf_index_t index);
conf_index_t conf_find_server(const struct conf *to, const struct conf *from, conf_index_t index);
/* Maps every record of a table at once (hashing: linear time for 40,000 servers). out has one element for each record
 * of `to` and receives the index in `from`, or CONF_NONE. Returns 0 or -ENOMEM. */
int conf_match_services(const struct conf *to, const struct conf *from, conf_index_t *out);
int conf_match_servers(const struct conf *to, const struct conf *from, conf_index_t *out);

/* Do record i of a and record k of b say the same, or all records of a table one by one? Texts are compared as texts,
 * lists by their length; references to other records, and the line a record was written on, are not compared. */
bool conf_same_record(
	const struct conf *a, conf_index_t i, const struct conf *b, conf_index_t k, enum conf_table table);
bool conf_same_table(const struct conf *a, const struct conf *b, enum conf_table table);

/* ---- building (config role only) ---- */
struct conf_builder;
struct conf_builder *conf_builder_new(void); /* NULL when out of memory */
void conf_builder_free(struct conf_builder *b);
/* Adds one zeroed record; returns its index. The pointer from conf_builder_at() is valid until the next add to the same
 * table. Memory failure ends the process (the config role runs once). */
conf_index_t conf_builder_add(struct conf_builder *b, enum conf_table table);
void *conf_builder_at(struct conf_builder *b, enum conf_table table, conf_index_t index);
uint32_t conf_builder_count(const struct conf_builder *b, enum conf_table table);
/* Drops the records of a table from `count` on. */
void conf_builder_truncate(struct conf_builder *b, enum conf_table table, uint32_t count);
/* Interns text; "" gives 0. */
conf_string_t conf_builder_string(struct conf_builder *b, const char *text);
/* Appends raw words, each with its terminating zero, contiguous; returns the offset of the first. */
conf_string_t conf_builder_words(struct conf_builder *b, const char *const *words, uint32_t n);
const char *conf_builder_text(const struct conf_builder *b, conf_string_t s);
/* Writes the finished table into fd (an empty memfd); the parent seals it. Returns 0 or -errno. */
int conf_builder_write(const struct conf_builder *b, uint64_t generation, int fd);

#endif
