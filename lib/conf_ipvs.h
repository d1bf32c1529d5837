/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of a configuration generation: virtual services, their real servers, and what stands around them. */
#ifndef POISE_CONF_IPVS_H
#define POISE_CONF_IPVS_H

#include "conf_base.h"

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

#endif
