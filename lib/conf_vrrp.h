/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of a configuration generation: virtual routers, their addresses, what they track and whom they notify. */
#ifndef POISE_CONF_VRRP_H
#define POISE_CONF_VRRP_H

#include "conf_base.h"

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
	uint8_t use_vmac; /* `link` has the virtual MAC address */
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
	uint8_t zero4[3];
	conf_index_t link;       /* that of use_vmac or use_ipvlan, CONF_NONE = none */
	struct conf_range links; /* all that are made for it */
	struct conf_range addresses; /* advertised first (n_advertised of them), then excluded ones */
	uint32_t n_advertised;
	struct conf_range routes, rules;
	uint32_t vmac_xmit_base; /* advertisements leave from the interface below all the same */
	conf_string_t vrf;       /* of unicast without an interface */
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
	conf_index_t link;     /* the interface that is made for it; CONF_NONE: one that is there */
	uint32_t use_vmac;
	conf_index_t track_group; /* of a static one; CONF_NONE: nothing depends on it */
};

/* An interface that is made on another one, and lives as long as the configuration says so. */
enum conf_link_kind { CONF_LINK_NONE, CONF_LINK_MACVLAN, CONF_LINK_IPVLAN };
struct conf_link {
	conf_string_t name, base;
	uint8_t kind;   /* enum conf_link_kind */
	uint8_t mode;   /* ipvlan: IPVLAN_F_*, 0 = bridge */
	uint8_t mac[6]; /* macvlan */
	conf_index_t instance;
	struct addr own; /* ipvlan: an address that it always has */
	uint8_t own_prefix, zero[3];
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
	CONF_TRACK_BFD,
	CONF_TRACK_STATIC
};

struct conf_track {
	uint32_t kind;
	conf_string_t name;   /* interface name, or the script's name */
	conf_index_t script;  /* CONF_TRACK_SCRIPT */
	conf_index_t process; /* CONF_TRACK_PROCESS */
	conf_index_t file;    /* CONF_TRACK_FILE */
	conf_index_t service; /* CONF_TRACK_SERVICE */
	conf_index_t bfd;     /* CONF_TRACK_BFD */
	conf_index_t track_group; /* CONF_TRACK_STATIC */
	/* 0 = a failure is FAULT; else added while up (>0) or while down (<0); of a file: times the number in it */
	int32_t weight;
	uint32_t reverse;
	conf_index_t instance; /* or CONF_NONE when it belongs to a group */
	conf_index_t group;
};

/* Static addresses, routes and rules name it, tracks of instances watch it. */
struct conf_track_group {
	conf_string_t name;
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

struct conf_hmac_key {
	uint8_t id;     /* 1..255 */
	uint8_t length; /* 32..64 */
	uint8_t bytes[64];
};

#endif
