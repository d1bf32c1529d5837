/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VRRP state machine: one virtual router, one event in, a short list of actions out (RFC 9568, 6.4; RFC 3768, 6.4).
 * Pure: no clock (the event carries the time), no socket, no log, no allocation. The timer is state too: after every
 * step the caller arms its timer at vr->deadline (not set: no timer) and delivers VRRP_EVENT_TIMER when that is
 * reached. Advertisements that have arrived are to be delivered before a timer that is due in the same round of the
 * loop when the router is a backup, or a master that vrrp_has_stalled(). */
#ifndef POISE_VRRP_FSM_H
#define POISE_VRRP_FSM_H

#include "addr.h"
#include "conf.h"
#include "mono.h"
#include "status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VRRP_PRIORITY_OWNER 255
#define VRRP_PRIORITY_LEAVING 0

/* Why a virtual router cannot take part: bit numbers of vr->faults, a level and never a count. */
enum vrrp_fault {
	VRRP_FAULT_NO_INTERFACE, /* text: the interface's name, here and in the next four */
	VRRP_FAULT_LINK_DOWN,    /* set down by someone */
	VRRP_FAULT_NO_CARRIER,
	VRRP_FAULT_NO_SOURCE, /* no address to send from */
	VRRP_FAULT_SOCKET,    /* text: "eth0: Operation not permitted" */
	VRRP_FAULT_NO_PEER,   /* unicast without any peer */
	VRRP_FAULT_TRACK,  /* something tracked without weight has failed; text: "script chk_nginx", "interface eth2" */
	VRRP_FAULT_NO_KEY, /* auth_hmac without a key to sign with */
	VRRP_FAULT_GROUP,  /* another member of the sync group; text: "VI_2: interface eth1 has no carrier" */
	VRRP_FAULT_COUNT
};

#define VRRP_FAULT_BIT(fault) (1u << (fault))
/* Faults of the instance itself, which the group passes on to the others. */
#define VRRP_FAULTS_OWN (VRRP_FAULT_BIT(VRRP_FAULT_GROUP) - 1)

/* What brought a virtual router into its state. */
enum vrrp_cause_kind {
	VRRP_CAUSE_NONE,
	VRRP_CAUSE_STARTED,         /* listening first */
	VRRP_CAUSE_OWNER,           /* priority 255 waits for nobody */
	VRRP_CAUSE_NO_ADVERT,       /* who (or nobody ever), span: the silence */
	VRRP_CAUSE_HANDED_OVER,     /* who sent priority 0 */
	VRRP_CAUSE_PREEMPTED,       /* own priority is over that of who */
	VRRP_CAUSE_HIGHER_PRIORITY, /* who, priority, own priority */
	VRRP_CAUSE_HIGHER_ADDRESS,  /* who, same priority */
	VRRP_CAUSE_FAULT,           /* fault, text */
	VRRP_CAUSE_RECOVERED,       /* fault and text of what was wrong before, span: for how long */
	VRRP_CAUSE_GROUP_MASTER,    /* the others of the group are ready; text: the group's name */
	VRRP_CAUSE_GROUP_BACKUP,    /* text: the member that left, and why */
	VRRP_CAUSE_RESUMED,         /* goes on after a crash; span: since the last advertisement */
	VRRP_CAUSE_TOO_LATE,        /* was master before a crash, span too long ago */
	VRRP_CAUSE_STALLED,         /* this process slept for span, and who is master meanwhile */
	VRRP_CAUSE_STOPPED,         /* who took over and span until then, where somebody was waited for */
	VRRP_CAUSE_GAVE_AWAY,       /* handed over on request; who took over, span until then */
	VRRP_CAUSE_TAKEN_BACK,      /* on request, from who */
	VRRP_CAUSE_COUNT
};

#define VRRP_TEXT_SIZE 112
#define VRRP_HOLD_SIZE 80

struct vrrp_cause {
	uint32_t kind;  /* enum vrrp_cause_kind */
	uint32_t fault; /* enum vrrp_fault */
	struct addr who;
	uint32_t priority;     /* of who */
	uint32_t own_priority; /* at that moment */
	int64_t span_us;
	char text[VRRP_TEXT_SIZE];
	char hold[VRRP_HOLD_SIZE]; /* VRRP_CAUSE_PREEMPTED after a hold: what ended it */
};

/* Everything the machine remembers of a virtual router. Zeroed, with priority set, before VRRP_EVENT_START.
 * Only vrrp_fsm() writes it; whoever else wants a change sends an event. */
struct vrrp_vr {
	uint32_t state;    /* enum vrrp_state */
	uint32_t priority; /* effective: 1..254, 255 = owner */
	uint32_t faults;   /* VRRP_FAULT_BIT()s; FAULT exactly while not 0 and started */
	bool is_ready;     /* would be master, waits for the others of its group */
	struct mono
		deadline;   /* next advertisement (MASTER) or the end of patience (BACKUP); not set in INIT and FAULT */
	struct mono since;  /* when state was entered */
	struct addr source; /* own primary address */
	/* the master in force: own address, or the source of the last accepted advertisement; unset = nobody known */
	struct addr master;
	uint32_t master_priority;
	int64_t master_interval_us; /* its interval: own one, or learned (version 3) */
	struct mono last_accepted;  /* advertisement */
	struct mono last_sent;
	int64_t patience_us;        /* how long after last_sent the first successor waits at least */
	struct mono last_reaction;  /* to a master that should not be one: out of turn, and bounded */
	struct mono listening_from; /* not set, or when the present silence began; of a master: its look for another one
				     * after a stall */
	uint32_t doubts;            /* how often being late itself has put the end of the present silence off */
	struct mono startup_until;  /* startup_delay: no claim before */
	struct mono quiet_until;    /* the link may still be deaf: no claim before, unless something is heard */
	struct mono preempt_from;   /* preempt_delay: the first lower advertisement; not set = none heard */
	/* the last lower-priority master that was ignored, and the last router that sent priority 0 */
	struct addr rival, leaver;
	uint32_t rival_priority;
	struct mono rival_seen;
	struct vrrp_cause cause;         /* of the present state */
	char fault_text[VRRP_TEXT_SIZE]; /* of the own faults, of the group's */
	char group_text[VRRP_TEXT_SIZE];
	/* A master that goes on purpose: it has sent priority 0 and serves on until its successor is heard. */
	uint32_t leaving; /* enum vrrp_leaving */
	struct mono leaving_since;
	int64_t successor_after_us; /* it took to be heard */
	struct addr successor;      /* heard; the addresses are let go at the deadline */
	/* gave its mastership away on request: lower routers are let be until it is taken back, or nobody is left */
	bool is_yielding;
	bool is_taking_back; /* asked to, and not master yet */
	/* a lower master is let be until enough of its connections are here; the rest of the machine does not know it
	 */
	bool is_held;
	char hold_text[VRRP_HOLD_SIZE]; /* what ended the hold, "" = there was none */
	uint32_t new_master_reason;     /* RFC 6527: 0 notMaster, 1 priority, 2 preempted, 3 masterNoResponse */
	uint64_t became_master;
};

enum vrrp_leaving { VRRP_STAYING, VRRP_LEAVING_TO_STOP, VRRP_LEAVING_ON_REQUEST };

enum vrrp_event_kind {
	VRRP_EVENT_START,        /* faults, source: from INIT only */
	VRRP_EVENT_RESUME,       /* the same after a crash of the predecessor: also past */
	VRRP_EVENT_TIMER,        /* vr->deadline was reached; an early one does no harm */
	VRRP_EVENT_ADVERT,       /* advert_*: a decoded advertisement that survived every drop rule */
	VRRP_EVENT_FAULTS,       /* faults: the whole set of own ones; text: the object of its lowest bit */
	VRRP_EVENT_PRIORITY,     /* priority: the new effective one */
	VRRP_EVENT_SOURCE,       /* source: the own primary address has changed */
	VRRP_EVENT_RELOAD,       /* conf is another one now: interval, preemption, delays; priority: effective */
	VRRP_EVENT_GROUP_MASTER, /* vrrp_group_decide(): all members together; text: the group's name */
	VRRP_EVENT_GROUP_BACKUP, /* another member has left; text: which and why */
	VRRP_EVENT_GROUP_FAULT,  /* another member has a fault (faults not 0; text: which and why), or none has any more
				  */
	VRRP_EVENT_STOP,         /* at once */
	VRRP_EVENT_LEAVE,    /* stop; a master serves on until its successor is heard or vrrp_leaving_us() is over */
	VRRP_EVENT_HANDOVER, /* a master gives its mastership away in the same manner, or keeps it if nobody wants it */
	VRRP_EVENT_TAKE_BACK, /* the reverse: a backup over a lower master takes over now */
	VRRP_EVENT_DEAF,      /* it could not have heard anything until now, whoever is master */
	VRRP_EVENT_HEARD,     /* the link carries something, whatever it is: it is not deaf */
	VRRP_EVENT_HOLD, /* faults not 0: a lower master is let be; 0: no longer, text: why (at most VRRP_HOLD_SIZE) */
	VRRP_EVENT_KINDS
};

/* What the board of a dead predecessor says, or the file of heartbeats. */
struct vrrp_past {
	uint32_t state; /* enum vrrp_state */
	struct mono last_sent;
	struct addr master;
	uint32_t master_priority;
	int64_t master_interval_us; /* 0 = not known */
	uint32_t ah_sequence;       /* the highest of the virtual router; the machine has no use for it */
	uint32_t zero;
};

struct vrrp_event {
	uint32_t kind; /* enum vrrp_event_kind */
	struct mono now;
	uint32_t faults;
	struct mono
		quiet_until; /* START and FAULTS: the link came up a short time ago and nothing was heard on it yet */
	uint32_t priority;
	struct addr source;
	struct addr advert_source;
	uint32_t advert_priority;
	int64_t advert_interval_us;
	struct vrrp_past past;
	char text[VRRP_TEXT_SIZE];
};

enum vrrp_action_kind {
	VRRP_ACTION_SEND,      /* one advertisement with .priority (0 = leaving) */
	VRRP_ACTION_ACQUIRE,   /* the virtual addresses are to be held from now on (reconcile) */
	VRRP_ACTION_RELEASE,   /* ... not to be held; announcements still planned are off */
	VRRP_ACTION_ANNOUNCE,  /* gratuitous ARP / neighbour advertisements: vrrp_announce_start(.announce) */
	VRRP_ACTION_STATE,     /* .from -> .to because of .cause: log, board, event ring, notification scripts */
	VRRP_ACTION_ASK_GROUP, /* something changed that the sync group has to decide on: vrrp_group_decide() */
};

/* Which plan of announcements (vrrp_announce.h). */
enum vrrp_announce_kind {
	VRRP_ANNOUNCE_MASTER,   /* became master */
	VRRP_ANNOUNCE_CONFLICT, /* another master was seen: caches may point at it */
	VRRP_ANNOUNCE_REFRESH,  /* went on as master after a crash or a stall */
};

struct vrrp_action {
	uint32_t kind; /* enum vrrp_action_kind */
	uint32_t priority;
	uint32_t announce; /* enum vrrp_announce_kind */
	uint32_t from, to; /* enum vrrp_state */
	struct vrrp_cause cause;
};

/* The longest list is a stall noticed at the end of a startup: step down, then up again. */
#define VRRP_ACTIONS_MAX 10

struct vrrp_actions {
	uint32_t n;
	struct vrrp_action list[VRRP_ACTIONS_MAX];
};

/* One step. Actions are to be carried out in order. Never fails: an event that does not fit the state does nothing. */
struct vrrp_actions vrrp_fsm(const struct conf_instance *conf, struct vrrp_vr *vr, const struct vrrp_event *ev);

/* Skew_Time of an effective priority: (256 - p) / 256 of a second (version 2), or of the master's interval. */
int64_t vrrp_skew_us(const struct conf_instance *conf, uint32_t priority, int64_t master_interval_us);
/* Master_Down_Interval / Active_Down_Interval: down_timer_adverts intervals of the master and the skew. */
int64_t vrrp_down_us(const struct conf_instance *conf, uint32_t priority, int64_t master_interval_us);
/* How long after an own advertisement no successor can have lost its patience yet. */
int64_t vrrp_patience_us(const struct conf_instance *conf);

/* How long a leaving master waits for its successor: the longest skew, and a second. */
int64_t vrrp_leaving_us(const struct conf_instance *conf);

/* A master that slept past the first successor's patience: there may be another one. */
bool vrrp_has_stalled(const struct vrrp_vr *vr, struct mono now);

/* Writes the cause as a sentence fragment for people ("no advertisement from 192.0.2.3 for 3609 ms"); returns buf. */
const char *vrrp_why(const struct vrrp_cause *cause, char *buf, size_t size);
/* The same for a fault: "interface eth1 has no carrier". */
const char *vrrp_fault_text(enum vrrp_fault fault, const char *object, char *buf, size_t size);
/* "start", "advert", ... for the log line of a step. */
const char *vrrp_event_name(enum vrrp_event_kind kind);
const char *vrrp_action_name(enum vrrp_action_kind kind);

#endif
