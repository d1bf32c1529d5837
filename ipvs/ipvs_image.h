/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An image of an IPVS table: what the kernel holds, or what it shall hold. Services sorted by key, each with its
 * servers sorted by address and port. Plain containers: no decision, no system call. */
#ifndef POISE_IPVS_IMAGE_H
#define POISE_IPVS_IMAGE_H

#include "addr.h"
#include "ipvs_tally.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Flags of a service that a user sets; the kernel adds others of its own. */
#define IPVS_SERVICE_FLAGS 0x3du
/* Names have the size of the kernel's (IP_VS_SCHEDNAME_MAXLEN, IP_VS_PENAME_MAXLEN). */
#define IPVS_NAME_SIZE 16

/* What the kernel knows a service by. With a mark, protocol, port and address are zero. No padding: memcmp() works. */
struct ipvs_key {
	uint16_t family;
	uint16_t protocol;
	uint16_t port; /* host order */
	uint16_t zero;
	uint32_t fwmark;
	struct addr addr;
};

/* What the kernel knows a server of a service by. */
struct ipvs_dest_key {
	struct addr addr;
	uint16_t port; /* host order */
	uint16_t zero;
};

/* There are tens of thousands of these, twice: what is not needed of each does not stand here. */
struct ipvs_dest {
	struct ipvs_dest_key key;
	int32_t weight;
	uint32_t upper, lower;
	uint32_t server; /* in a desired image: index into conf->servers, UINT32_MAX for one that is no longer there */
	uint32_t tally;  /* in an image of the kernel: number in its service's tallies */
	uint16_t tunnel_port; /* host order */
	uint16_t tunnel_flags;
	uint8_t forward;     /* IP_VS_CONN_F_MASQ, _LOCALNODE, _TUNNEL, _DROUTE, _BYPASS */
	uint8_t tunnel_type; /* with _TUNNEL: IP_VS_CONN_F_TUNNEL_TYPE_* */
	bool ours : 1;       /* in an image of the kernel: entered by us */
	bool reported : 1;   /* a foreign entry is mentioned once */
	bool dead : 1;       /* removed, until the image is tidied */
};

struct ipvs_service {
	struct ipvs_key key;
	char scheduler[IPVS_NAME_SIZE];
	char engine[IPVS_NAME_SIZE]; /* of persistence, "" = none */
	uint32_t flags;              /* IP_VS_SVC_F_*, of IPVS_SERVICE_FLAGS */
	uint32_t timeout_s;          /* of persistence */
	uint32_t netmask;            /* IPv4: network order; IPv6: prefix length */
	uint32_t service;            /* in a desired image: index into conf->services */
	bool ours, reported, dead;
	uint32_t tally; /* in an image of the kernel: number in the image's tallies */
	struct ipvs_dest *dests;
	uint32_t n_dests, room;
	struct ipvs_tallies tallies; /* of the servers */
};

struct ipvs_image {
	struct ipvs_service *services;
	uint32_t n_services, room;
	uint32_t kept; /* services whose memory for servers is there, in use or not; at least n_services */
	struct ipvs_tallies tallies; /* of the services */
};

/* Frees what the image holds and makes it empty. */
void ipvs_image_clear(struct ipvs_image *image);
/* Makes it empty and keeps its memory for what is added next; what is not needed for that goes with a trim. */
void ipvs_image_empty(struct ipvs_image *image);
void ipvs_image_trim(struct ipvs_image *image);
void ipvs_service_clear(struct ipvs_service *service);

/* Makes room for so many services in all, so that adding them takes no more memory than they need. Best effort. */
void ipvs_image_reserve(struct ipvs_image *image, uint32_t n);
/* Appends a copy without its servers; NULL when out of memory. Pointers to services are valid until the next add.
 * Sort before finding. */
struct ipvs_service *ipvs_image_add(struct ipvs_image *image, const struct ipvs_service *service);
/* Likewise, of servers. */
void ipvs_service_reserve(struct ipvs_service *service, uint32_t n);
struct ipvs_dest *ipvs_service_add(struct ipvs_service *service, const struct ipvs_dest *dest);
/* Gives a service that has none the servers of another one, with their tallies; that one has none then. */
void ipvs_service_take_dests(struct ipvs_service *service, struct ipvs_service *from);

/* Drops what is dead, sorts, and drops all but one of equal keys (returns how many): the first service, the server with
 * most weight. */
uint32_t ipvs_image_sort(struct ipvs_image *image);
uint32_t ipvs_service_sort(struct ipvs_service *service);

/* NULL when there is none. */
struct ipvs_service *ipvs_image_find(const struct ipvs_image *image, const struct ipvs_key *key);
struct ipvs_dest *ipvs_service_find(const struct ipvs_service *service, const struct ipvs_dest_key *key);

int ipvs_key_compare(const struct ipvs_key *a, const struct ipvs_key *b);
int ipvs_dest_key_compare(const struct ipvs_dest_key *a, const struct ipvs_dest_key *b);

/* Do the kernel's settings agree (not counters, nor the marks of this process)? */
bool ipvs_service_equal(const struct ipvs_service *a, const struct ipvs_service *b);
bool ipvs_dest_equal(const struct ipvs_dest *a, const struct ipvs_dest *b);

/* What the kernel has counted. Never NULL. */
const struct ipvs_tally *ipvs_service_tally(const struct ipvs_image *image, const struct ipvs_service *service);
const struct ipvs_tally *ipvs_dest_tally(const struct ipvs_service *service, const struct ipvs_dest *dest);

/* "10.0.0.1:80/tcp", "fwmark 5", "fwmark 5/ipv6". Returns buf. */
#define IPVS_KEY_TEXT 96
const char *ipvs_key_format(const struct ipvs_key *key, char *buf);
/* "10.1.0.2:80". Returns buf (ADDR_TEXT). */
const char *ipvs_dest_format(const struct ipvs_dest_key *key, char *buf);

#endif
