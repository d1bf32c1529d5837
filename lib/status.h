/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The records on the boards: what every process tells the others about its objects.
 * Record i of a table belongs to object i of the configuration table of the board's generation.
 * since_* is when the state was entered; why is a sentence fragment for people, never empty once a state was entered.
 * All records are plain data with explicit padding, zeroed before use. */
#ifndef POISE_STATUS_H
#define POISE_STATUS_H

#include "addr.h"
#include "board.h"
#include "mono.h"
#include <stdint.h>

#define WHY_SIZE 160

enum event_kind {
	EVENT_INSTANCE = 1, /* object: conf->instances; from, to: enum vrrp_state */
	EVENT_GROUP,        /* object: conf->groups; from, to: enum vrrp_state */
	EVENT_SERVER,       /* object: conf->servers; from, to: enum health */
	EVENT_QUORUM,       /* object: conf->services; to: 1 met, 0 lost */
	EVENT_ADMIN,        /* object: conf->servers; from, to: enum admin */
	EVENT_DRAINED,      /* object: conf->servers; the last connection is gone */
	EVENT_ROLE,         /* object: enum role; to: enum role_state */
	EVENT_CONFIG,       /* to: 1 loaded, 0 refused */
	EVENT_PROTOCOL,     /* object: conf->instances; a dropped advertisement worth a trap; to: enum vrrp_drop */
	EVENT_PROGRAM,      /* ipvs: the kernel refused something; object: conf->services */
	EVENT_PANIC,        /* object: conf->services; to: 1 too many servers are down, all serve on; 0 over */
	EVENT_CHECKS,       /* health checks run late: a problem of our own; to: 1 late, 0 on time again */
	EVENT_COMMAND,  /* an operator's command; to: 1 done, 0 refused; name: the command, why: who and how it went */
	EVENT_SPLIT,    /* object: conf->instances; to: 1 another master stays one: split brain suspected; 0 over */
	EVENT_COVERAGE, /* pair: to: 1 this node holds enough of the other one's connections (again), 0 no longer */
	EVENT_PRIORITY, /* object: conf->instances; its effective priority changed; to: enum vrrp_state */
	EVENT_LOWER,    /* object: conf->instances; a master heard an advertisement of lower priority */
	EVENT_BFD,      /* object: conf->bfds; from, to: enum bfd_state */
	EVENT_ADVERT,   /* object: conf->instances; advertisements of a new kind are heard; from, to: their priority */
	EVENT_LINK,     /* vrrp: name: an interface of the configuration; from, to: 1 up with carrier, 0 not */
	EVENT_STALL,    /* object: conf->instances; a master that was held up goes on */
	EVENT_KINDS
};

/* ---- vrrp (table numbers, then records) ---- */
/* VRRP_TABLE_ROUTE, VRRP_TABLE_RULE: a struct status_address for each (without an ifindex). */
enum vrrp_board_table {
	VRRP_TABLE_INSTANCE,
	VRRP_TABLE_GROUP,
	VRRP_TABLE_ADDRESS,
	VRRP_TABLE_TRACK,
	VRRP_TABLE_ROUTE,
	VRRP_TABLE_RULE,
	VRRP_TABLE_BFD,
	VRRP_TABLE_HEARD /* HEARD_SENDERS for each instance */
};

enum vrrp_state { VRRP_INIT, VRRP_BACKUP, VRRP_MASTER, VRRP_FAULT };
/* "INIT", "BACKUP", "MASTER", "FAULT" */
const char *vrrp_state_name(enum vrrp_state state);

/* Why an advertisement was dropped, in the order of the rules that drop it; index of status_instance.dropped.
 * the vrrp folder has sentences for them, the snmp role counts by them. */
enum vrrp_drop {
	VRRP_DROP_NONE, /* accepted */
	VRRP_DROP_LENGTH,
	VRRP_DROP_PROTOCOL,
	VRRP_DROP_DESTINATION,
	VRRP_DROP_SOURCE,
	VRRP_DROP_TTL,
	VRRP_DROP_VERSION,
	VRRP_DROP_TYPE,
	VRRP_DROP_VRID,
	VRRP_DROP_ADDRESS_LIST, /* no address (erratum 8299), or the first one of IPv6 not link-local (8300) */
	VRRP_DROP_HMAC_MISSING,
	VRRP_DROP_HMAC_MALFORMED,
	VRRP_DROP_HMAC_UNKNOWN_KEY,
	VRRP_DROP_HMAC_INVALID,
	VRRP_DROP_HMAC_STALE,
	VRRP_DROP_HMAC_REPLAY,
	VRRP_DROP_CHECKSUM,
	VRRP_DROP_AUTH_TYPE,     /* not one that exists */
	VRRP_DROP_AUTH_MISMATCH, /* not the configured one */
	VRRP_DROP_AUTH_FAILURE,  /* password, ICV, SPI or sequence */
	VRRP_DROP_INTERVAL,      /* version 2: not ours; version 3: zero (erratum 8301) */
	VRRP_DROP_PEER,          /* unicast: from nobody we know */
	VRRP_DROP_COUNT
};
/* "checksum", "ttl", ... for status and metrics */
const char *vrrp_drop_name(enum vrrp_drop drop);

struct status_instance {
	uint32_t state; /* enum vrrp_state */
	uint32_t effective_priority;
	int64_t since_real_us;
	struct mono since;
	struct mono up_since;       /* when it last left INIT or FAULT; not set while it is there */
	struct mono last_sent;      /* own last advertisement */
	struct mono last_received;  /* last accepted one */
	struct mono deadline;       /* next advertisement (master) or master-down (backup) */
	int64_t master_interval_us; /* interval in force (own, or learned) */
	struct addr source;         /* own primary address */
	struct addr master;         /* who is master: own address, or the source of the last accepted advertisement */
	uint32_t master_priority;
	uint32_t ifindex;
	uint64_t adverts_sent, adverts_received, became_master, priority_zero_sent, priority_zero_received;
	uint64_t dropped[24];  /* by enum vrrp_drop */
	uint64_t checksums[3]; /* accepted ones: message only, with pseudo-header, with the group's address */
	uint64_t signed_received, unsigned_received; /* accepted ones of an instance with auth_hmac */
	uint32_t new_master_reason;   /* RFC 6527: 0 notMaster 1 priority 2 preempted 3 masterNoResponse */
	uint32_t last_protocol_error; /* RFC 6527 vrrpv3StatisticsProtoErrReason */
	uint32_t ah_sequence;         /* AH: the last one sent or accepted; a successor has to go on from there */
	struct addr error_source;     /* of the last advertisement that was dropped */
	struct addr rival;            /* another master who stays one (split brain suspected), else not set */
	uint32_t is_leaving;          /* a master that has told the others to take over, and serves on until one has */
	uint32_t rival_drop;          /* enum vrrp_drop: why the rival's advertisements do not count here */
	uint64_t resync_wish; /* a handover waits for the connections: number of the wish that they be sent; 0 = none */
	char why[WHY_SIZE];
};
_Static_assert(VRRP_DROP_COUNT <= 24, "status_instance.dropped has 24 elements");

struct status_group {
	uint32_t state;
	uint32_t zero;
	int64_t since_real_us;
	char why[WHY_SIZE];
};

struct status_address {
	uint32_t is_set; /* the kernel holds it, on ifindex */
	uint32_t ifindex;
	uint32_t last_error; /* errno of the last attempt, 0 = none */
	uint32_t zero;
};

/* A run of advertisements: of one sender, with one priority, judged alike, without a pause. */
#define HEARD_SENDERS 4
struct status_heard {
	struct addr sender; /* not set: nobody */
	uint32_t priority;  /* of accepted ones */
	uint32_t drop;      /* enum vrrp_drop; VRRP_DROP_NONE: they are accepted */
	uint64_t count;
	int64_t interval_us;
	struct mono last;
	int64_t first_real_us, last_real_us;
};

struct status_track {
	uint32_t is_up;
	int32_t weight_now; /* what it adds to the priority at the moment */
	int64_t since_real_us;
	char why[WHY_SIZE];
};

/* The numbers of the wire (RFC 5880, 4.1). */
enum bfd_state { BFD_ADMIN_DOWN, BFD_DOWN, BFD_INIT, BFD_UP };
/* "admin down", "down", "init", "up" */
const char *bfd_state_name(enum bfd_state state);

/* All that there is to know of a session: a successor goes on with it. "Remote" is what the neighbour told last. */
struct bfd_session {
	uint32_t state, remote_state; /* enum bfd_state */
	uint32_t diagnostic, remote_diagnostic;
	uint32_t discriminator, remote_discriminator; /* 0 = not heard */
	uint32_t remote_multiplier;
	uint32_t remote_demand;                /* asks for silence while both are up */
	uint32_t is_polling;                   /* new intervals wait for an answer */
	uint32_t chance;                       /* spreads the present interval */
	int64_t desired_tx_us, required_rx_us; /* as told to the neighbour */
	int64_t tx_us, rx_us;                  /* in force; differs from the above while polling */
	int64_t remote_min_rx_us, remote_min_tx_us;
	struct mono last_sent, last_heard;
	struct mono send_at, expires_at; /* not set = never */
};

struct status_bfd {
	struct bfd_session session;
	uint32_t local_port; /* source port of the session, 0 = none yet */
	uint32_t ups;        /* how often it came up */
	int64_t since_real_us;
	uint64_t sent, received, dropped;
	char why[WHY_SIZE];
};

/* ---- healthcheck ---- */
enum health_board_table { HEALTH_TABLE_CHECK, HEALTH_TABLE_SERVER, HEALTH_TABLE_ROLE };

enum health { HEALTH_UNKNOWN, HEALTH_UP, HEALTH_DOWN };
const char *health_name(enum health health); /* "unknown", "up", "down" */

struct status_check {
	uint32_t health;
	uint32_t failures;    /* in a row */
	uint32_t successes;   /* in a row */
	uint32_t last_reason; /* enum of the healthcheck folder, 0 = success */
	int64_t since_real_us;
	struct mono last_start, next_start;
	int64_t last_duration_us;
	uint64_t runs, failed_runs;
	int32_t weight_percent; /* from the answer of an agent or a file; 100 = as configured */
	int32_t weight;         /* set by a dynamic MISC_CHECK; -1 = as configured */
	uint32_t is_draining;   /* the server asks for no new connections */
	uint32_t is_late;       /* has not run for three intervals */
	uint32_t connect_us, handshake_us, first_byte_us; /* phases of the last run, from its start; 0 = not reached */
	uint32_t cert_days;                               /* until the certificate ends + 1; 0 = not known */
	uint32_t history;   /* results of the last 32 runs, bit 0 = the last; 1 = failed */
	uint32_t is_shared; /* another check's run serves this one, too */
	char why[WHY_SIZE];
};

/* Verdict over all checks of a server; a server without checks is up. */
struct status_health {
	uint32_t health;
	int32_t weight_percent;
	int64_t since_real_us;
	int32_t weight;       /* instead of the configured one (dynamic check); -1 = as configured */
	uint32_t is_held;     /* down, but serves on: too many of its pool are (panic_threshold) */
	uint32_t is_draining; /* asks for no new connections itself; weight_percent is 0 */
	uint32_t response_us; /* smoothed time of its checks; 0 = not known */
	char why[WHY_SIZE];
};

/* Of a server without checks, where no health checker says it. */
struct status_health status_unchecked(void);

/* One record: how the process itself is doing. Lateness is of starts, over the last minute or so. */
struct status_checks {
	uint32_t checks, probes; /* configured; after identical ones were joined */
	uint32_t late;           /* have not run for three intervals */
	uint32_t pools_in_panic;
	uint64_t runs;
	int64_t lateness_p50_us, lateness_p99_us, lateness_max_us;
	char why[WHY_SIZE];
};
/* Several health checkers as one: numbers are added up, times and sentence are those of the worst. Begin with zeros. */
void status_add_checks(struct status_checks *sum, const struct status_checks *one);

/* ---- ipvs ---- */
enum ipvs_board_table {
	IPVS_TABLE_SERVICE,
	/* a struct status_server lies in three parts, of which most servers need only the first */
	IPVS_TABLE_SERVER,
	IPVS_TABLE_TRAFFIC,
	IPVS_TABLE_CAUSE,
	IPVS_TABLE_ROLE,
	IPVS_TABLE_SYNC,
	/* of the last scan of either kind: DIGEST_RECORDS records of what this node is master for, then as many of what
	   it holds for others */
	IPVS_TABLE_DIGEST,
	IPVS_TABLE_GUARD,  /* a record for each service */
	IPVS_TABLE_SYSCTL, /* a record for each setting of sysctls.h */
	IPVS_TABLE_MEMBER, /* a record for each conf->group_entries */
};

/* A second, the kernel's mean of the last moments. */
struct status_rates {
	uint64_t connections, packets_in, packets_out, bytes_in, bytes_out;
};

struct status_service {
	uint32_t is_programmed; /* every kernel service of this configured service is in place */
	uint32_t quorum_met;
	uint32_t servers_up;
	uint32_t sorry_active;
	uint32_t is_absent; /* stands only on the other router now (master_only, backup_only) */
	uint32_t zero;
	uint64_t connections, packets_in, packets_out, bytes_in, bytes_out;
	struct status_rates rates;
	int64_t since_real_us;
	char why[WHY_SIZE];
};

/* Read and written by status_load_server() and status_store_server(). */
struct status_server {
	uint32_t is_programmed;
	int32_t effective_weight;
	uint32_t health; /* as ipvs knows it */
	uint32_t admin;  /* as ipvs acts on it */
	uint32_t active, inactive, persistent;
	uint32_t zero;
	int64_t since_real_us;
	/* IPVS_TABLE_TRAFFIC */
	uint64_t connections, packets_in, packets_out, bytes_in, bytes_out;
	struct status_rates rates;
	/* IPVS_TABLE_CAUSE */
	uint32_t is_drained;         /* admin is drain and no connection is left */
	uint32_t drain_over;         /* its time is over */
	uint64_t drain_cut;          /* connections that were cut when it was */
	int64_t drain_until_real_us; /* the end that this is about, as it was asked for; 0 = none */
	char why[WHY_SIZE];
};
#define STATUS_SERVER_SIZE offsetof(struct status_server, connections)
#define STATUS_TRAFFIC_SIZE (offsetof(struct status_server, is_drained) - STATUS_SERVER_SIZE)
#define STATUS_CAUSE_SIZE (sizeof(struct status_server) - STATUS_SERVER_SIZE - STATUS_TRAFFIC_SIZE)
/* The cause that is not stored, because it is that of nearly all. */
#define STATUS_AS_CONFIGURED "as configured"

/* As board_load(). */
int status_load_server(const struct board *board, uint32_t server, struct status_server *status);
/* As board_store(). */
bool status_store_server(struct board *board, uint32_t server, const struct status_server *status);
/* The parts of a record: the table, where each begins and how long it is. */
struct status_part {
	unsigned table;
	size_t offset, size;
};
#define STATUS_SERVER_PARTS 3
extern const struct status_part status_server_parts[STATUS_SERVER_PARTS];
/* What is stored for it: without the cause that goes without saying. */
struct status_server status_server_stored(const struct status_server *status);

/* What the guard rails of a service dropped, in packets. */
struct status_guard {
	uint32_t is_wanted;  /* the service has guard rails */
	uint32_t is_applied; /* they stand in the kernel */
	uint64_t denied, not_allowed, client_rate, service_rate, client_connections;
	char why[WHY_SIZE]; /* they do not stand because; else empty */
};

/* Established connections of a member of a service group, by the protocol of the services that use it. */
struct status_member {
	uint64_t tcp, udp, sctp;
};
/* The one of a protocol (IPPROTO_TCP, ...); NULL for another. */
uint64_t *status_member_of(struct status_member *member, uint16_t protocol);

/* A kernel setting; values as packed by sysctls.h. */
struct status_sysctl {
	uint32_t is_known;  /* the kernel has it: value */
	uint32_t is_wanted; /* the configuration asks for `wanted` */
	uint32_t is_ours;   /* it was set by us: `before` comes back at the end */
	uint32_t zero;
	int64_t value, wanted, before;
	char why[WHY_SIZE]; /* a contradiction, or why it could not be set; else empty */
};

/* One record: what the kernel offers and what the role last did. */
struct status_ipvs {
	uint32_t kernel_ok; /* ip_vs is there and we may use it */
	uint32_t kernel_version;
	int64_t last_audit_real_us;
	uint32_t is_settled; /* the first table was programmed */
	uint32_t zero;
	uint64_t drift_total, operations_total, errors_total;
	char why[WHY_SIZE];
};

/* What a walk through the table of connections is for. */
enum sync_scan {
	SYNC_SCAN_NONE,
	SYNC_SCAN_SEND, /* entries that this node is master for, to the other node; counted on the way */
	SYNC_SCAN_COUNT /* entries that it is not master for: what it could go on with */
};

/* One record: connection_sync full. */
struct status_sync {
	uint32_t is_full;           /* configured */
	uint32_t is_ready;          /* both kernel daemons run, and the services stand in the table */
	uint32_t running;           /* enum sync_scan */
	uint32_t settings_error;    /* errno of a sysctl that could not be set, 0 = none */
	uint64_t sends, counts;     /* walks finished; each is the number of the digest that it left */
	uint64_t answered, counted; /* the last request of the pair role that was dealt with, of either kind */
	uint32_t own, foreign;      /* entries in the two digests */
	uint32_t unsendable;        /* entries that the kernel's format has no room for, in the last walk */
	uint32_t last_sent;         /* entries, in the last walk that sent */
	uint32_t last_taken;        /* of these the other node's kernel has taken, as it says; 0 = it says nothing */
	uint32_t remembered;        /* entries of the last walk, which a node that asks is sent first */
	uint64_t repeated;          /* datagrams that went out again because they were not taken, of this process */
	uint64_t entries_sent, datagrams_sent, bytes_sent, send_errors; /* of this process */
	int64_t last_send_us, last_cpu_us; /* the last walk that sent: how long, and CPU time */
	int64_t last_send_real_us;
	struct mono last_send; /* the same moment */
	struct mono
		receiving_since; /* when the kernel's receiver was last started; what was told before is not there */
	char why[WHY_SIZE];      /* what was done last, or what is in the way */
};

/* Of the last walk that sent: what the other node has taken, 1/1000, rounded down. */
uint32_t status_sync_taken(const struct status_sync *sync);

/* Connections that fall into one bucket by their hash; two equal tables have equal buckets. */
struct status_bucket {
	uint32_t count;
	uint32_t zero;
	uint64_t sum; /* of the hashes */
};
#define DIGEST_BUCKETS 1024
#define DIGEST_RECORD_BUCKETS 64
#define DIGEST_RECORDS (DIGEST_BUCKETS / DIGEST_RECORD_BUCKETS)
struct status_digest {
	uint64_t number; /* of the walk */
	struct status_bucket buckets[DIGEST_RECORD_BUCKETS];
};

/* ---- pair ---- */
enum pair_board_table { PAIR_TABLE_PEER, PAIR_TABLE_DIFFERENCE };

enum pair_state_kind {
	PAIR_OFF,    /* no other node is configured */
	PAIR_NO_KEY, /* nothing is said without one */
	PAIR_SILENT, /* the other node is not heard */
	PAIR_UP
};
const char *pair_state_name(enum pair_state_kind state); /* "off", "no key", "silent", "up" */

/* One record: the other node. */
struct status_pair {
	uint32_t state;       /* enum pair_state_kind */
	uint32_t peer_active; /* is master of an instance */
	uint32_t peer_ready;  /* connection_sync full is in force there */
	uint32_t coverage_known;
	uint32_t coverage;                           /* 1/1000 of the other node's connections that this node holds */
	uint32_t coverage_total;                     /* how many those are */
	struct mono coverage_at;                     /* when it was compared */
	uint32_t peer_coverage_known, peer_coverage; /* the same the other way round, as the other node says */
	uint64_t send_request;                       /* for ipvs: the other node asks for the table */
	uint64_t count_request;                      /* for ipvs: count what is held for others */
	uint32_t config_known;                       /* the two configurations were compared */
	uint32_t config_differs;                     /* objects that are not the same on both nodes */
	uint64_t sent, received, forged, stale;
	struct mono last_heard;
	uint32_t clock_known, zero;
	int64_t clock_ahead_us; /* how much later it is by the other node's clock; 0 = the same, or nearly */
	int64_t since_real_us;
	char peer_node[64], peer_version[32];
	char why[WHY_SIZE];
};

/* The first differences of the configurations. */
#define PAIR_DIFFERENCES 32
enum pair_difference { PAIR_ONLY_HERE, PAIR_ONLY_THERE, PAIR_DIFFERENT };
struct status_difference {
	uint32_t is_used;
	uint32_t kind; /* enum pair_difference */
	char name[192];
};

/* ---- script ---- */
/* SCRIPT_TABLE_MISC: a struct status_script for each check of kind MISC, in the order of conf->checks; result is that
 * of the last run alone. */
enum script_board_table {
	SCRIPT_TABLE_SCRIPT,
	SCRIPT_TABLE_MISC,
	SCRIPT_TABLE_PROCESS,
	SCRIPT_TABLE_FILE,
	SCRIPT_TABLE_TOLD,
	SCRIPT_TABLE_SCHEDULE
};

enum script_result { SCRIPT_UNKNOWN, SCRIPT_GOOD, SCRIPT_BAD };
struct status_script {
	uint32_t result;   /* after rise and fall */
	int32_t last_exit; /* exit status; -signal; -1000 = could not run; -1001 = timeout */
	int64_t since_real_us;
	struct mono last_end;
	uint64_t runs;
	struct mono last_start, next_start; /* MISC only */
	char why[WHY_SIZE];
};

/* One record: how far FIFOs and mail have come. */
struct status_told {
	uint64_t last_seq[ROLE_COUNT]; /* events up to here were dealt with; a successor goes on from there */
	uint64_t mails_sent, mails_lost, events_lost;
};

/* One record: when a reload is due. */
struct status_schedule {
	int64_t reload_real_us; /* as reload_time_file says; 0 = none is */
};

/* A tracked process or file. */
struct status_watch {
	uint32_t is_known; /* it was looked at */
	uint32_t is_up;    /* process: the quorum is there; file: it can be read (a file that is missing counts as 0) */
	int32_t value;     /* process: how many run; file: the number in it */
	uint32_t zero;
	int64_t since_real_us;
	char why[WHY_SIZE];
};

/* ---- snmp ---- */
enum snmp_board_table { SNMP_TABLE_AGENT, SNMP_TABLE_TARGET };

/* One record: how it stands with the AgentX master, and with notifications as a whole. */
struct status_snmp {
	uint32_t is_enabled;
	uint32_t is_connected;
	uint64_t traps_sent;             /* through the AgentX master */
	uint64_t events_dropped;         /* overwritten in a ring before a trap could be sent */
	uint64_t traps_held;             /* had to wait for the rate limit */
	uint64_t traps_rolled;           /* events told in a list with others instead of alone */
	uint64_t traps_left_out;         /* too many of one server each were waiting; the lists have them */
	uint64_t last_seq[ROLE_COUNT];   /* events up to here were dealt with; a successor goes on from there */
	uint64_t direct_seq[ROLE_COUNT]; /* the same for the receivers without an AgentX master */
	int64_t since_real_us;
	uint32_t engine_boots; /* snmpEngineBoots of this start, 0 = not needed yet */
	uint32_t zero;
	char why[WHY_SIZE];
};

/* For each of conf->trap_targets. */
enum trap_target_state { TRAP_TARGET_UNKNOWN, TRAP_TARGET_SENDING, TRAP_TARGET_ANSWERING, TRAP_TARGET_SILENT };
const char *trap_target_state_name(enum trap_target_state state); /* "unknown", "sending", "answering", "silent" */

struct status_trap_target {
	uint32_t state;   /* enum trap_target_state; without informs nobody answers */
	uint32_t waiting; /* informs on their way */
	uint64_t sent, acknowledged, failed;
	int64_t since_real_us;
	char why[WHY_SIZE];
};

/* ---- parent ---- */
enum parent_board_table { PARENT_TABLE_ROLE, PARENT_TABLE_ADMIN, PARENT_TABLE_DAEMON, PARENT_TABLE_POOL };

enum role_state { ROLE_ABSENT, ROLE_STARTING, ROLE_RUNNING, ROLE_BACKOFF };
const char *role_state_name(enum role_state state); /* "absent", "starting", "running", "waiting" */

/* From so many percent of a core on a role does nothing else any more: it has too much to do, or runs in a circle. */
#define STATUS_BUSY_PERCENT 90

struct status_role {
	uint32_t state;
	int32_t pid;
	uint32_t restarts;
	uint32_t cpu_percent; /* of a core, over the last whole minute */
	int64_t since_real_us;
	char why[WHY_SIZE];
};

/* What the operator wants of a server; the parent is the writer, ipvs acts on it. */
enum admin { ADMIN_NORMAL, ADMIN_DRAIN, ADMIN_MAINT };
const char *admin_name(enum admin admin); /* "normal", "drain", "maint" */

/* What becomes of the connections that are left when the time of a drain is over. */
enum drain_end {
	DRAIN_KEEP,   /* they go on, and so does the drain */
	DRAIN_RESET,  /* they are cut */
	DRAIN_REMOVE, /* they are cut; and once no connection is left the server leaves the kernel's table in any case
		       */
};
const char *drain_end_name(enum drain_end end); /* "keep", "reset", "remove" */

struct status_admin {
	uint32_t admin;
	int32_t weight; /* -1 = as configured */
	int64_t since_real_us;
	int64_t asked_real_us; /* of the last command of any kind: of two nodes' wishes the later one counts */
	int64_t until_real_us; /* when the time of a drain is over, 0 = never */
	uint32_t drain_end;    /* enum drain_end */
	uint32_t keep_known;   /* clients that a persistent service knows still come to the drained server */
	char why[WHY_SIZE];    /* "drained by root (pid 812)" */
};

/* Loads the record of a server as board_load(); one that was never stored says that nothing is wished. */
int status_load_admin(const struct board *board, uint32_t server, struct status_admin *admin);

/* A server that was added or removed at run time. */
struct status_pool {
	char service[192];
	char server[64]; /* ADDRESS:PORT */
	uint32_t is_removed;
	uint32_t is_settled; /* it is as the file says by now: kept for the other node, which may not know yet */
	int32_t weight;      /* -1 = as its like */
	uint32_t zero;
	int64_t since_real_us;
	char why[WHY_SIZE];
};

struct status_daemon {
	uint64_t generation;
	int64_t started_real_us;
	struct mono started; /* the same moment */
	int64_t loaded_real_us;
	uint32_t last_reload_ok;
	uint32_t reloads;
	char version[32];
	char node[64];
	char config_file[256];
	char applied_file[256];        /* what runs is of this file instead ("": of config_file) */
	int64_t file_mtime_real_us;    /* of the file that runs, when it was read */
	int64_t confirm_until_real_us; /* an applied file goes away by itself then, unless confirmed; 0 = it stays */
	uint32_t pool_changes;         /* servers added and removed at run time */
	uint32_t zero;
	char why[WHY_SIZE]; /* of the last reload */
};

#endif
