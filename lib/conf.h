/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration generation: flat tables in one sealed memfd. Records refer to each other by index into the tables of
 * the same generation (CONF_NONE = absent), strings are offsets into one string table (0 = absent; conf_string()).
 * The config role builds it, the parent cuts it down for each role, every role maps it read-only.
 * A list that belongs to a record is a range {first, count} of another table. All times are microseconds. */
#ifndef POISE_CONF_H
#define POISE_CONF_H

#include "addr.h"
#include "conf_base.h"
#include "conf_healthcheck.h"
#include "conf_ipvs.h"
#include "conf_routing.h"
#include "conf_vrrp.h"
#include "roles.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bumped with every change of a layout, here or in the headers of the records. */
#define CONF_LAYOUT 20
#define CONF_MAGIC 0x65736f50 /* "Pose" */

/* table number, member of struct conf, record */
#define CONF_TABLE_LIST(X)                                                                                             \
	X(GLOBAL, global, struct conf_global) /* exactly one record */                                                 \
	X(INSTANCE, instances, struct conf_instance)                                                                   \
	X(ADDRESS, addresses, struct conf_address)                                                                     \
	X(ROUTE, routes, struct conf_route)                                                                            \
	X(NEXTHOP, nexthops, struct conf_nexthop)                                                                      \
	X(ENCAP, encaps, struct conf_encap)                                                                            \
	X(RULE, rules, struct conf_rule)                                                                               \
	X(LINK, links, struct conf_link)                                                                               \
	X(PEER, peers, struct conf_peer)                                                                               \
	X(TRACK, tracks, struct conf_track)                                                                            \
	X(TRACK_GROUP, track_groups, struct conf_track_group)                                                          \
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

/* What was read: the configuration file (is_file; first, where it is one), included files, and folders that an include
 * looks through. */
struct conf_origin {
	conf_string_t path;
	uint32_t is_file;
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
	conf_string_t reload_time_file; /* a time of day in it is that of the next reload */
	uint32_t reload_repeat;         /* and it stays there for the day after */
	conf_string_t reload_file;      /* it is there while files are read */
	uint32_t rs_init_notifies;      /* the start of a server that is up is told by its notify_up */
	uint32_t script_umask;
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
	uint32_t check_processes;                        /* health checkers, 1..CHECKERS_MAX */
	uint32_t zero2;
	conf_string_t vmac_prefix, vmac_addr_prefix;     /* of names of interfaces that are made; 0 = vrrp */
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
	uint8_t *checkers; /* by conf_spread(): of each server, the number of the process that checks it */
};

/* Maps and validates a table (magic, layout, sizes, every index and range within bounds, strings terminated). Takes
 * over fd in any case. Returns NULL with errno (EPROTO = not a valid table of this layout). */
struct conf *conf_open(int fd);
/* The same for a table that the parent has checked: it is sealed, so nobody can have changed it since, and only its
 * header is looked at. */
struct conf *conf_open_checked(int fd);
/* Another owner of the same mapping, who closes it too. Returns conf. */
struct conf *conf_share(struct conf *conf);
void conf_close(struct conf *conf); /* NULL is allowed */

/* ---- several health checkers (conf_spread.c) ---- */
/* How many health checkers share the servers: 1..CHECKERS_MAX. */
unsigned conf_checkers(const struct conf *conf);
/* Decides which of them checks each server; everybody who reads their boards does it for every generation, and comes to
 * the same. What belongs together stays together: servers whose checks have the same target (one probe serves them
 * all), and the pool of a service that is judged as a whole (panic_threshold, adaptive_weight). A set that stays as it
 * is stays where it is, and another number of processes moves no more servers than it must. Returns 0 or -ENOMEM. */
int conf_spread(struct conf *conf);
/* The one that checks this server. */
enum role conf_checker(const struct conf *conf, conf_index_t server);

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
/* Do both have the same services (members of their groups and all) with the same servers, each under the same number?
 * Then the kernel knows them by the same keys. */
bool conf_same_services(const struct conf *a, const struct conf *b);
/* Are connections of a server that leaves this service cut, instead of being given time? */
bool conf_removal_cuts(const struct conf *conf, conf_index_t service);
/* True when going from one to the other can cut nothing, whatever is connected: everything of `from` that connections
 * can hang on (services, servers, virtual addresses) is in `to` as well, or is given time. (False says nothing.) */
bool conf_cuts_nothing(const struct conf *from, const struct conf *to);

/* True when `from` has work and `to` has none: a file that is just being written may be read while it is empty, which is
 * no mistake that the reader could find. CONF_EMPTIES is what who asked is told. */
bool conf_empties(const struct conf *from, const struct conf *to);
#define CONF_EMPTIES "no virtual router and no virtual server is left in the file (is it being written?)"

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
