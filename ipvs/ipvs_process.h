/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the ipvs process share: its state, and the steps that they do for each other.
 *   ipvs_process.c   the role: generations, boards, doorbells, timers, start and stop
 *   ipvs_state.c     inputs (health, administration) -> weights and quorum, with log lines, events and notifications
 *   ipvs_reconcile.c weights -> desired image -> plan -> kernel; refusals; ledger
 *   ipvs_leftover.c  servers that left the configuration with connections
 *   ipvs_audit.c     the kernel's table compared, counters read
 *   ipvs_follow.c    drains and leftovers until their last connection
 *   ipvs_cut.c       kernel settings while a drain cuts connections or forgets clients
 *   ipvs_report.c    the role's board
 *   ipvs_sync.c      connection synchronisation and timeouts
 *   ipvs_resync.c    the whole table of connections sent to the other node, or counted (ipvs_scan.c does it)
 *   ipvs_remember.c  what is known of the last walk, which is sent first when the other node asks
 *   ipvs_place.c     services that stand only on the master or the backup, or wait for their rails
 *   ipvs_protect.c   guard rails and marks in nftables (ipvs_firewall.c makes them)
 *   ipvs_sysctl.c    kernel settings */
#ifndef POISE_IPVS_PROCESS_H
#define POISE_IPVS_PROCESS_H

#include "ipvs_desired.h"
#include "ipvs_drain.h"
#include "ipvs_firewall.h"
#include "ipvs_netlink.h"
#include "ipvs_owned.h"
#include "ipvs_quorum.h"
#include "ipvs_scan.h"
#include "ipvs_weight.h"
#include "log.h"
#include "role.h"
#include "status.h"
#include "sysctls.h"

/* What the process knows of a configured server beside its weight. */
struct ipvs_server_state {
	uint8_t health;         /* enum health, as last read */
	uint8_t admin;          /* enum admin, as last read */
	uint8_t decided_health; /* when last decided */
	uint8_t old_admin;      /* for an event that is due */
	bool tell_admin : 1;    /* it is due when the kernel has acknowledged */
	bool known : 1;         /* decided before: changes are told */
	bool up : 1;            /* as last decided */
	bool failed : 1;        /* the kernel refused it when last reported */
	bool has_drain : 1;     /* the generation's drains say more */
	int32_t override;       /* weight set by an operator, -1 = none */
	int32_t percent;
	int32_t dynamic;                                      /* weight set by a check, -1 = none */
	int32_t configured, decided_percent, decided_dynamic; /* when last decided */
	int64_t since_real_us;
};

/* The end of a drain, of a server that has one. */
struct ipvs_server_drain {
	struct ipvs_drain drain;
	struct ipvs_drain_end until;
	uint8_t end;     /* enum drain_end */
	bool keep_known; /* clients that persistence knows still come to it */
};

struct ipvs_service_state {
	struct ipvs_quorum quorum;
	uint32_t n_up; /* servers that take new connections, the sorry server excepted */
	bool sorry_active;
	bool place_known;      /* the instance of master_only or backup_only was seen */
	bool misplaced;        /* stands on the other router now */
	bool awaits_rails;     /* is new, and its guard rails are not in the kernel yet */
	int64_t since_real_us; /* of the quorum's state */
};

/* State that belongs to one generation; arrays run parallel to its tables. */
struct ipvs_generation {
	const struct conf *conf; /* the role skeleton's */
	struct ipvs_service_state *services;
	struct ipvs_server_state *servers;
	struct ipvs_server_drain *drains;         /* of servers; where nobody drains they are never touched */
	struct ipvs_weight *weights;              /* of servers, as decided */
	bool *absent;                             /* of services: does not stand here now */
	conf_index_t *old_services, *old_servers; /* until the switch: the same objects in the previous generation */
	struct ipvs_owned configured;
	struct board *board;
	/* It has the same services and servers under the same numbers as the one before: it takes over that one's
	 * arrays and board when it is brought into use, and has none until then. */
	bool takes_over;
};

/* A kernel setting. */
struct ipvs_setting {
	bool is_ours;   /* set by us: `before` comes back at the end */
	bool for_drain; /* a drain needs it on */
	int64_t before; /* as it was found */
	int error;      /* errno of the last attempt, told once */
	char warned[WHY_SIZE];
};

/* A refused operation, to tell it once. */
struct ipvs_failure {
	struct ipvs_key service;
	struct ipvs_dest_key dest; /* AF_UNSPEC: the service itself */
	enum ipvs_op_kind kind;
	int error;
};

/* connection_sync full. */
struct ipvs_resync {
	struct ipvs_scan scan;
	struct loop_io *io;
	struct ipvs_line line;
	struct timer due;
	struct mono next_sweep, last_end;
	uint64_t request;            /* that the running walk answers */
	uint64_t own_wish, own_done; /* before a handover: of the walk under way, of the last one that was complete */
	bool is_sweep, is_leaving;   /* nobody asked for it; mastership is given away */
	struct ipvs_recall_count counted; /* when the walk under way began */
	struct mono begun;
	/* of the walk that is remembered */
	struct {
		struct ipvs_recall_count counted;
		struct mono begun;
		uint32_t lasting;
		int64_t took_us;
	} recall;
	uint64_t recalled; /* the last request that was sent it */
	bool owes_walk;    /* a request was answered with it alone: a sweep brings the rest */
	struct log_limit trouble, slow;
	struct status_sync status;
};

/* Guard rails and marks. */
struct ipvs_protect {
	struct ipvs_firewall firewall;
	struct loop_io *io;
	struct timer due;      /* the thread is out for long */
	struct mono lead_ends; /* of the present change */
	bool has_table;        /* there may be a table of ours: it stands in the ledger */
	bool is_stale;         /* the configuration has changed while the thread is out */
	bool is_busy, is_ending;
	int error; /* of the last attempt, told once */
};

struct ipvs {
	struct role_process *p;
	struct ipvs_kernel *kernel;
	bool usable;             /* the kernel's IPVS is there */
	int unusable;            /* else -errno, told once */
	bool settled;            /* the first table was programmed: from now on every change is told */
	bool image_valid;        /* actual is what the kernel acknowledged */
	bool flush_at_first;     /* lvs_flush, and no predecessor */
	bool switched;           /* the generation is new: look for what it left behind */
	bool unread;             /* the inputs of this generation were not looked at yet */
	struct mono memory_ends; /* so long the first look waits for what health checkers remember */
	struct ipvs_generation *now, *next;
	struct ipvs_image desired, actual;
	struct ipvs_owned ledger; /* as stored */
	bool ledger_stale;        /* what is ours has changed since */
	struct log_limit ledger_limit;
	int ledger_fd;
	struct ipvs_leftover *leftovers;
	size_t n_leftovers;
	struct ipvs_failure *failures; /* sorted by service and dest */
	size_t n_failures;
	struct ipvs_peer {
		struct ipvs *v;
		struct channel channel; /* fd < 0: none */
		struct loop_io *io;
	} peers[CHECKERS_MAX]; /* the health checkers */
	struct timer reconcile, audit, poll, retry;
	uint32_t audit_at; /* number of the kernel's service whose turn it is */
	struct mono audit_begun;
	struct ipvs_daemon daemons[2]; /* that we started */
	int n_daemons, daemon_error;
	struct mono receiving_since; /* the kernel's receiver was started by this process; not set: it ran already */
	struct ipvs_resync resync;
	struct ipvs_protect protect;
	struct ipvs_setting settings[SYSCTLS];
	struct status_ipvs status;
};

/* ---- ipvs_state.c ---- */
/* NULL when out of memory. */
struct ipvs_generation *ipvs_generation_new(const struct conf *conf, const struct ipvs_generation *old);
void ipvs_generation_free(struct ipvs_generation *g);
/* Carries over what is known from the previous generation, or from the board of a predecessor process. */
void ipvs_generation_carry(struct ipvs_generation *g, struct ipvs_generation *old);
void ipvs_generation_restore(struct ipvs_generation *g, const struct board *predecessor);
/* Frees what only the carrying needed. */
void ipvs_generation_forget_old(struct ipvs_generation *g);
/* What there is to know of a server's drain, never NULL; valid until it is set. */
const struct ipvs_server_drain *ipvs_generation_drain(const struct ipvs_generation *g, conf_index_t server);
void ipvs_generation_set_drain(struct ipvs_generation *g, conf_index_t server, const struct ipvs_server_drain *drain);
/* Reads health and administration: of one server, or of all (UINT32_MAX). False when the board is of another
 * generation: the one of this generation comes soon, or this one is about to be replaced. */
bool ipvs_state_read_health(struct ipvs *v, conf_index_t server);
bool ipvs_state_read_admin(struct ipvs *v, conf_index_t server);
/* Is there a server that begins as it was last known (initial_state last_known), and whose health checker has not yet
 * said how that was? */
bool ipvs_state_awaits_memory(const struct ipvs *v);
/* Decides all weights and quorums, and tells what changed. */
void ipvs_state_decide(struct ipvs *v);

/* ---- ipvs_reconcile.c ---- */
/* The whole way from inputs to the kernel and the board. */
void ipvs_reconcile(struct ipvs *v);
/* In the next round of the loop. */
void ipvs_reconcile_soon(struct ipvs *v);
/* Writes what is ours into the ledger, when it has changed: before the kernel is asked. */
void ipvs_reconcile_store_ledger(struct ipvs *v);
/* Removes what is ours (all services when `all`), and empties the ledger of what is removed. */
void ipvs_reconcile_remove(struct ipvs *v, bool all);
/* At the end: the ledger keeps what may still stand in the kernel. */
void ipvs_reconcile_store_rest(struct ipvs *v);
/* Is the kernel's IPVS there? Looks for it when it was not, tells once. */
bool ipvs_reconcile_usable(struct ipvs *v);
/* The sentence of a refusal that concerns a service or its server (CONF_NONE: the service itself), "" for none. */
const char *ipvs_reconcile_failure(
	const struct ipvs *v, const struct ipvs_key *service, const struct ipvs_dest_key *dest, char *buf);

/* ---- ipvs_leftover.c ---- */
/* With a valid image: drops leftovers that are configured again, and after a switch looks for new ones. *changed is set
 * when there are others than before. Returns 0, or -errno when the connections of a server that left could not be
 * counted, or it could not be noted: it must not be removed then, and the next call looks again. */
int ipvs_leftover_update(struct ipvs *v, bool *changed);

/* ---- ipvs_audit.c ---- */
/* With each generation. A round that is under way goes on: reloads in quick succession must not keep it from its end.
 */
void ipvs_audit_start(struct ipvs *v);
/* Begins the next round as late as its interval allows: when the kernel has just acknowledged the whole table there is
 * nothing to find, and a start has enough to do. */
void ipvs_audit_put_off(struct ipvs *v);
/* Reads the whole table, marks what is ours. Returns 0 or -errno. */
int ipvs_audit_dump(struct ipvs *v);
void ipvs_audit_on_timer(struct timer *timer, void *arg);
/* Reads the servers of the kernel's service number i anew. Returns the number of differences from the image, or -errno.
 */
int ipvs_audit_refresh(struct ipvs *v, uint32_t i);
/* Something is not as it was acknowledged (a number of differences, or -errno): tells it and repairs. */
void ipvs_audit_on_drift(struct ipvs *v, int drift);

/* ---- ipvs_follow.c ---- */
void ipvs_follow_on_poll(struct timer *timer, void *arg);
/* Arms the poll when a drain or a leftover needs it. */
void ipvs_follow_drains(struct ipvs *v);

/* ---- ipvs_report.c ---- */
/* NULL with errno. */
struct board *ipvs_report_new_board(const struct conf *conf);
/* Fills the new generation's board from an old one: by the matches of the generation, or number by number. */
void ipvs_report_carry(struct ipvs_generation *g, const struct board *old, bool same_numbers);
/* Brings every record up to date; quiet = no doorbell (counters). */
void ipvs_report(struct ipvs *v, bool quiet);
/* Sets the cause on a server's record; it stays until the next one. */
void ipvs_report_server_why(struct ipvs *v, conf_index_t server, const char *why);
/* An event of a service, or of one of its servers (CONF_NONE: of the service). */
void ipvs_report_event(struct ipvs *v, enum event_kind kind, conf_index_t service, conf_index_t server, uint32_t from,
	uint32_t to, const char *why);

/* ---- ipvs_cut.c ---- */
/* Sets what the kernel needs to end connections of servers that are not there any more, and to forget known clients
 * of drained ones, while a drain asks for it; puts it back afterwards. */
void ipvs_cut_step(struct ipvs *v);

/* ---- ipvs_sync.c ---- */
void ipvs_sync_step(struct ipvs *v);
void ipvs_sync_stop(struct ipvs *v);

/* ---- ipvs_resync.c ---- */
/* Once, at the start. */
void ipvs_resync_init(struct ipvs *v);
/* Looks whether a walk through the table is due, and arms the timer for the next one. */
void ipvs_resync_step(struct ipvs *v);
/* Takes what stands on an old board (NULL: nothing) into the board of a new generation. */
void ipvs_resync_carry(struct ipvs *v, struct board *board, const struct board *old);
void ipvs_resync_stop(struct ipvs *v);

/* ---- ipvs_remember.c ---- */
/* A walk begins. */
void ipvs_remember_begin(struct ipvs *v, const struct ipvs_scan_view *view);
/* It came to its end, and what it has read is remembered. */
void ipvs_remember_keep(struct ipvs *v);
/* Tells, once an hour, when a walk takes longer than the other node waits. */
void ipvs_remember_warn(struct ipvs *v);
/* What is remembered was sent: the part of the table that the other node has at least, 1/1000. 0: nobody knows.
 * master_since: of the youngest mastership. */
uint32_t ipvs_remember_held(struct ipvs *v, struct mono master_since);
/* Not while a walk goes on. */
void ipvs_remember_forget(struct ipvs *v);

/* ---- ipvs_place.c ---- */
/* Decides which services stand here. True when that changed. */
bool ipvs_place_step(struct ipvs *v);
/* Why an absent service is absent (WHY_SIZE). */
void ipvs_place_why(const struct ipvs *v, conf_index_t service, char *why);

/* ---- ipvs_sysctl.c ---- */
/* What a former run has set, from the ledger. */
void ipvs_sysctl_load(struct ipvs *v);
/* Sets what the configuration asks for, puts back what it no longer does, warns of what contradicts it, reports. */
void ipvs_sysctl_step(struct ipvs *v);
/* A drain needs the setting on, or no longer. */
void ipvs_sysctl_for_drain(struct ipvs *v, uint32_t number, bool on);
/* Puts everything back. */
void ipvs_sysctl_stop(struct ipvs *v);
/* Puts back what a ledger says; without a process. Returns how many. */
size_t ipvs_sysctl_release(const struct ipvs_owned *owned);

/* ---- ipvs_protect.c ---- */
/* Once, at the start; and when the ledger is there. */
void ipvs_protect_init(struct ipvs *v);
void ipvs_protect_load(struct ipvs *v);
/* Has our nftables table made what the generation wants. */
void ipvs_protect_step(struct ipvs *v);
/* True while rails that the generation has changed are on their way, for a short time: services come behind them. */
bool ipvs_protect_leads(const struct ipvs *v);
/* Are rails of the service on their way, neither in the kernel nor refused by it? Then why says what they wait for
 * (WHY_SIZE, or NULL). */
bool ipvs_protect_is_awaited(const struct ipvs *v, conf_index_t service, char *why);
/* Has counters read, and repaired what others changed. */
void ipvs_protect_audit(struct ipvs *v);
/* NULL when nftables can do what the configuration asks for, or it asks for nothing, or that is not known in time; else
 * why not (buf: WHY_SIZE). */
const char *ipvs_protect_check(struct ipvs *v, const struct conf *next, char *buf);
/* Removes our table, unless `keep` or there was no generation yet, and ends the role. */
void ipvs_protect_stop(struct ipvs *v, bool keep);

/* ---- ipvs_release.c ---- */
/* poise-ipvs --release --ledger FILE: removes the services of the ledger. Returns an exit status. */
int ipvs_release_main(int argc, char **argv);

#endif
