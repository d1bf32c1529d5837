/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the shell of the vrrp role keeps, and the functions that its files call in each other. Everything that belongs
 * to a configuration generation lies in a struct vrrp_set, allocated before the vote; the rest lives as long as the
 * process.
 *
 *   vrrp_process.c   main, privileges, the round: facts, then addresses, then announcements
 *   vrrp_set.c       a generation's memory, and what it takes over from the one before
 *   vrrp_instance.c  events into the state machine, its actions into calls
 *   vrrp_facts.c     what the kernel and the tracked objects say, into events
 *   vrrp_receive.c   arrivals into events
 *   vrrp_record.c    whose advertisements are heard, how the interfaces fare: written down
 *   vrrp_ledger.c    what signed advertisements leave behind
 *   vrrp_quiet.c     whether a link that came up is deaf
 *   vrrp_handover.c  mastership given away and taken back on request
 *   vrrp_report.c    log lines, board, event ring, notification scripts */
#ifndef POISE_VRRP_PROCESS_H
#define POISE_VRRP_PROCESS_H

#include "bfd_speaker.h"
#include "log.h"
#include "role.h"
#include "status.h"
#include "vrrp_address.h"
#include "vrrp_announce.h"
#include "vrrp_damp.h"
#include "vrrp_firewall.h"
#include "vrrp_fsm.h"
#include "vrrp_group.h"
#include "vrrp_heard.h"
#include "vrrp_heart.h"
#include "vrrp_ledger.h"
#include "vrrp_map.h"
#include "vrrp_monitor.h"
#include "vrrp_packet.h"
#include "vrrp_pave.h"
#include "vrrp_priority.h"
#include "vrrp_quiet.h"
#include "vrrp_socket.h"
#include "vrrp_split.h"
#include "vrrp_track.h"

struct vrrp_process;

/* What is seen besides the state machine and goes onto the board. */
struct vrrp_counters {
	uint64_t sent, received, priority_zero_sent, priority_zero_received;
	uint64_t dropped[VRRP_DROP_COUNT];
	uint32_t last_protocol_error;
	uint64_t checksums[VRRP_CHECKSUM_COUNT];     /* of accepted ones, by form */
	uint64_t signed_received, unsigned_received; /* accepted by an instance with auth_hmac */
};

struct vrrp_instance {
	struct vrrp_process *process;
	const struct conf_instance *conf;
	conf_index_t index;
	const char *name;
	struct vrrp_hmac_policy hmac; /* CONF_AUTH_HMAC */
	int place;                    /* in the ledger of marks; -1 without signatures */
	struct vrrp_vr vr;
	struct vrrp_announcer announcer;
	struct timer deadline, announce;
	struct vrrp_counters counters;
	struct vrrp_split split;
	struct vrrp_heard heard;
	bool is_started;   /* VRRP_EVENT_START was delivered */
	bool holds;        /* the virtual addresses are to be held */
	bool is_deaf;      /* no socket to hear with */
	bool is_joining;   /* the kernel has not let it join its group yet */
	bool was_deaf;     /* ... since it was started: the state machine is to be told when it can hear */
	bool needs_reload; /* was taken over from the generation before */
	bool is_deleted;   /* it is not in the configuration that comes */
	bool has_past;     /* `past` is what a predecessor's board says */
	struct vrrp_past past;
	uint32_t ifindex;        /* of its interface, or of its VRF; 0 = it does not exist */
	uint32_t birth;          /* of the interface */
	struct mono quiet_until; /* its link came up, and was not heard yet */
	uint32_t mtu;
	uint32_t ah_sequence;
	uint32_t handover_from; /* enum vrrp_state when it was asked for */
	uint16_t ip_id;
	struct addr error_source; /* of the last advertisement that was dropped */
	int64_t since_real_us;
	struct mono up_since;
	char hold_text[VRRP_HOLD_SIZE]; /* what it waits for before it takes over from a lower master */
	char waiting[VRRP_TEXT_SIZE];   /* why it has not started */
	struct log_limit drop_limits[VRRP_DROP_COUNT], send_limit, oddity_limit, drift_limit, lower_limit;
};

struct vrrp_group {
	const char *name;
	const struct conf_group *conf;
	uint32_t state; /* enum vrrp_state */
	int64_t since_real_us;
	struct vrrp_instance **members;
	const struct vrrp_vr **vrs; /* of the members, for vrrp_group_decide() */
	uint32_t n;
	struct vrrp_instance *last_mover;
};

/* The interfaces that the configuration names, each once, and how they were when last looked at. */
struct vrrp_links_seen {
	struct vrrp_link_seen {
		conf_string_t name;
		enum { VRRP_LINK_UNKNOWN, VRRP_LINK_DOWN, VRRP_LINK_UP } state;
	} * link;
	uint32_t n;
};

/* Everything that is sized by a generation. */
struct vrrp_set {
	const struct conf *conf;
	struct vrrp_instance *instances; /* conf->n_instances */
	struct vrrp_group *groups;       /* conf->n_groups */
	struct vrrp_instance **member_space;
	const struct vrrp_vr **vr_space;
	struct vrrp_wish *wishes; /* conf->n_addresses */
	uint32_t *last_errors;    /* conf->n_addresses: errno of the last attempt */
	struct vrrp_way *ways;    /* vrrp_pave_count(conf) */
	struct vrrp_tracks tracks;
	struct vrrp_links_seen seen;
	struct vrrp_map map;
	struct bfd_talks bfds;
	struct vrrp_damp *damps; /* conf->n_link_delays */
};

/* What somebody asked for, and waits for. */
struct vrrp_handover {
	bool is_open, back;
	bool is_waiting; /* for the connections to be held by the successor */
	uint64_t request;
	uint32_t instance; /* UINT32_MAX = all */
	struct mono asked;
	char coverage[VRRP_HOLD_SIZE]; /* what the successor holds; "" = nobody asks for that */
};

struct vrrp_process {
	struct role_process *role;
	struct vrrp_set *set;  /* in force, NULL before the first generation */
	struct vrrp_set *next; /* prepared */
	struct vrrp_sockets sockets;
	struct bfd_speaker bfd;
	struct vrrp_monitor monitor;
	struct vrrp_addresses addresses;
	struct vrrp_pave pave;
	struct vrrp_firewall firewall;
	struct vrrp_ledger ledger;
	struct vrrp_heart heart;
	struct vrrp_quiet quiet;
	struct vrrp_handover handover;
	struct loop_io *monitor_io, *courier_io, *paths_io, *firewall_io;
	int paths_fd;       /* notifications of routes and rules; -1 = none configured */
	struct timer round; /* what is left to do in this round of the loop */
	struct timer addresses_due, paths_due;
	struct timer retry;     /* a socket that could not be had */
	struct timer hold_due;  /* the longest wait for coverage is over */
	struct timer links_due; /* the delay of a change of a link is over */
	struct timer firewall_due;
	int firewall_error; /* of the last attempt, told once */
	struct log_limit stall_limit;
	bool facts_changed, addresses_changed;
	bool listeners_changed; /* an interface of an instance came, went or was replaced */
	bool is_leaving;        /* the process ends when the last master has let go */
	bool groups_rest;       /* several members are being changed: ask the groups afterwards */
	int32_t rt_priority;
};

/* ---- vrrp_process.c ---- */
/* The rest of the work of this round is due: facts if they changed, addresses if they changed, announcements. */
void vrrp_process_round_soon(struct vrrp_process *process);
/* Does it now. */
void vrrp_process_round(struct vrrp_process *process);
/* Ends a process that is to stop when no instance is left. */
void vrrp_process_end_if_idle(struct vrrp_process *process);

/* ---- vrrp_set.c ---- */
struct vrrp_set *vrrp_set_new(struct vrrp_process *process, const struct conf *conf); /* NULL when out of memory */
void vrrp_set_free(struct vrrp_set *set);                                             /* NULL is allowed */
/* Moves what goes on from the old set (NULL at first) into the new one, and stops what does not. */
void vrrp_set_take_over(struct vrrp_process *process, struct vrrp_set *set, struct vrrp_set *old);

/* The VRF that an instance without an interface speaks in; 0 = none. */
static inline uint32_t vrrp_instance_vrf(const struct vrrp_instance *instance)
{
	return instance->conf->interface ? 0 : instance->ifindex;
}

/* ---- vrrp_instance.c ---- */
/* One step: the event into the state machine, the actions out, the sync group asked. event->now is set here. */
void vrrp_instance_step(struct vrrp_instance *instance, struct vrrp_event *event);
/* Carries out what the group orders, until it orders nothing. */
void vrrp_instance_settle_group(struct vrrp_process *process, struct vrrp_group *group);
void vrrp_instance_on_deadline(struct timer *timer, void *arg);
void vrrp_instance_on_announce(struct timer *timer, void *arg);
/* An address of a master appeared late, or behind another MAC: the neighbours are to be told. */
void vrrp_instance_announce_again(struct vrrp_instance *instance);

/* ---- vrrp_facts.c ---- */
/* See vrrp_socket.h. */
void vrrp_facts_on_joined(void *arg);
/* Looks at interfaces, addresses, sockets and tracked objects anew and delivers what differs. */
void vrrp_facts_evaluate(struct vrrp_process *process);
/* vrrp_protect.c: brings no_accept in line with the configuration, or what is under way goes on; and once more when an
 * attempt has failed. */
void vrrp_protect(struct vrrp_process *process);
void vrrp_protect_on_due(struct timer *timer, void *arg);
/* The real-time priority of the other threads, by the heartbeat's. */
int32_t vrrp_process_thread_priority(int32_t priority);
/* The first frame on a link that was listened to. */
void vrrp_facts_on_heard(void *process, uint32_t ifindex);

/* ---- vrrp_receive.c ---- */
void vrrp_receive(void *arg, const struct vrrp_arrival *arrival);

/* ---- vrrp_record.c ---- */
/* Writes an advertisement down: `advert` (NULL when it was dropped unread), and how it was judged. */
void vrrp_record_advert(struct vrrp_instance *instance, const struct addr *sender, const struct vrrp_advert *advert,
	enum vrrp_drop drop);
/* All that was heard onto a fresh board; what a predecessor heard from its board. */
void vrrp_record_store(const struct vrrp_set *set, struct board *board);
void vrrp_record_adopt(struct vrrp_instance *instance, const struct board *board);
/* Which interfaces there are to watch. Returns 0, or -1 when out of memory. */
int vrrp_record_init(struct vrrp_links_seen *seen, const struct conf *conf);
void vrrp_record_take_over(struct vrrp_set *set, const struct vrrp_set *old);
/* Looks at the interfaces and tells which came, went, gained or lost their carrier. */
void vrrp_record_links(struct vrrp_process *process);

/* ---- vrrp_report.c ---- */
/* An event into the ring. */
void vrrp_report_event(struct vrrp_process *process, uint32_t kind, uint32_t object, uint32_t from, uint32_t to,
	const char *name, const char *why);
/* A board of the shape of conf, filled from the set. NULL when out of memory. */
struct board *vrrp_report_board(const struct vrrp_set *set);
void vrrp_report_instance(const struct vrrp_instance *instance, bool ring);
void vrrp_report_group(const struct vrrp_process *process, const struct vrrp_group *group);
void vrrp_report_address(void *process, uint32_t index, int error, const char *text);
void vrrp_report_way(void *process, uint32_t way, int error, const char *text);
/* A BFD session changed its state, or only its numbers. */
void vrrp_report_bfd(void *process, uint32_t index, bool is_changed, uint32_t from);
void vrrp_report_track(const struct vrrp_process *process, uint32_t index);
/* Log line, event, notifications, record of a change of state. */
void vrrp_report_transition(struct vrrp_instance *instance, const struct vrrp_action *action);
/* The effective priority changed. */
void vrrp_report_priority(struct vrrp_instance *instance, uint32_t from);
/* A master goes on after it was held up for longer than the others' patience. */
void vrrp_report_stall(struct vrrp_instance *instance, int64_t span_us);
/* A master heard an advertisement of lower priority. */
void vrrp_report_lower(struct vrrp_instance *instance, const struct addr *source, uint32_t priority);
void vrrp_report_group_transition(struct vrrp_process *process, struct vrrp_group *group, uint32_t from);
void vrrp_report_drop(struct vrrp_instance *instance, enum vrrp_drop drop, const struct addr *source);
void vrrp_report_split(struct vrrp_instance *instance, enum vrrp_split_change change);

/* ---- vrrp_handover.c ---- */
void vrrp_handover_on_message(void *ctx, const struct msg_handover *m, int fd);
/* After every step: answers when nothing is under way any more. */
void vrrp_handover_look(struct vrrp_process *process);
/* The other node may hold the connections by now: begins what waited for that, or sets the timer of the hold. */
void vrrp_handover_consider(struct vrrp_process *process);
/* Number of the wish that the connections be sent, for the instance's record; 0 = none. */
uint64_t vrrp_handover_wish(const struct vrrp_process *process, uint32_t instance);
/* What the other node holds as mastership goes away without being waited for is told when it is poor. */
void vrrp_handover_warn(const struct vrrp_process *process);
/* Answers who waits, with why it is not known what came of it. */
void vrrp_handover_abandon(struct vrrp_process *process, const char *why);

/* ---- vrrp_release.c ---- */
/* `poise-vrrp --release --ledger FILE`: removes what the ledger names and exits. Returns the exit status. */
int vrrp_release_main(const char *path);

#endif
