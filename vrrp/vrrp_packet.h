/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Advertisements as bytes (RFC 9568, 5; RFC 3768, 5). Pure: encoding, and decoding with every rule that drops a packet,
 * in the order of enum vrrp_drop (status.h); nothing is remembered before the last rule. */
#ifndef POISE_VRRP_PACKET_H
#define POISE_VRRP_PACKET_H

#include "addr.h"
#include "conf.h"
#include "status.h"
#include "vrrp_auth.h"
#include "vrrp_hmac.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VRRP_PROTOCOL 112
#define VRRP_PROTOCOL_AH 51
#define VRRP_PACKET_MAX 4352 /* room for any packet that is encoded: headers, 255 IPv6 addresses, trailer */

/* A sentence fragment that says what was wrong. */
const char *vrrp_drop_text(enum vrrp_drop drop);
/* RFC 6527 vrrpv3StatisticsProtoErrReason: 0 noError, 1 ipTtlError, 2 versionError, 3 checksumError, 4 vrIdError. */
uint32_t vrrp_drop_protocol_error(enum vrrp_drop drop);

/* Which sum an accepted packet carried. Version 3 over IPv4 exists in two forms; both are taken, ours is configured. */
enum vrrp_checksum {
	VRRP_CHECKSUM_PLAIN,        /* message only: version 2, and RFC 9568 for version 3 over IPv4 */
	VRRP_CHECKSUM_PSEUDO,       /* with pseudo-header: IPv6; over IPv4 the older reading of RFC 5798 */
	VRRP_CHECKSUM_PSEUDO_GROUP, /* unicast, but summed with the group's address: an old implementation */
	VRRP_CHECKSUM_COUNT
};

/* A packet as it came out of a socket. */
struct vrrp_received {
	uint8_t family;      /* of the socket */
	uint8_t protocol;    /* of the socket: 112, or 51 for AH (IPv4 reads it from the header as well) */
	const uint8_t *data; /* IPv4: from the IP header on; IPv6: the payload */
	size_t size;
	/* IPv6 only, from the ancillary data; IPv4 reads them from the header */
	struct addr source, destination;
	int hop_limit; /* -1 = not told */
};

struct vrrp_advert {
	struct addr source;
	uint8_t version, vrid, priority, n_addresses;
	uint8_t ttl;
	uint8_t checksum; /* enum vrrp_checksum */
	/* not a reason to drop, but worth a (rate-limited) word: */
	bool is_interval_different; /* version 3 only */
	bool is_list_different;
	bool is_trailed; /* carried a valid HMAC trailer */
	bool is_by_wall; /* ... that is fresh by the wall clock only */
	int64_t interval_us;
	uint32_t ah_sequence;     /* AH: to be stored once accepted */
	uint64_t hmac_sequence;   /* trailer: to be stored once accepted */
	const uint8_t *addresses; /* n_addresses * (4 or 16) bytes inside the received data */
};

/* What a receiver remembers for authentication, and who it is. All that it points to stays the caller's. */
struct vrrp_receiver {
	const struct conf *conf;
	const struct conf_instance *instance;
	struct addr self;                    /* own source address: from itself = dropped */
	uint32_t ah_sequence;                /* highest seen or sent, 0 = none yet */
	const struct vrrp_hmac_policy *hmac; /* NULL = no trailer allowed, and none can be judged */
	const struct vrrp_hmac_marks *marks; /* NULL = nothing remembered */
	struct vrrp_hmac_time time;          /* for the trailer's freshness only */
};

/* Finds the VRID so that the caller can find the instance, which counts whatever else is wrong. Returns VRRP_DROP_NONE
 * and sets *vrid, or VRRP_DROP_LENGTH. */
enum vrrp_drop vrrp_packet_vrid(const struct vrrp_received *rx, uint8_t *vrid);

/* Applies every rule in order. advert is written only when VRRP_DROP_NONE is returned. */
enum vrrp_drop vrrp_packet_decode(
	const struct vrrp_receiver *receiver, const struct vrrp_received *rx, struct vrrp_advert *advert);

/* What is to be sent besides the configuration. */
struct vrrp_sending {
	struct addr source, destination;
	uint8_t priority;
	uint8_t ttl;                         /* of the IPv4 header; 0 = 255 */
	uint16_t ip_id;                      /* IPv4; AH signs it: with AH never 0 */
	uint32_t ah_sequence;                /* AH: the one this packet carries */
	uint32_t mtu;                        /* of the interface; 0 = 1500: addresses that do not fit are left out */
	const struct vrrp_hmac_policy *hmac; /* NULL = no trailer */
	uint64_t hmac_sequence;
};

/* Writes IP header (IPv4: for a raw socket with IP_HDRINCL), AH, message, trailer; over IPv6 the payload with its
 * checksum (leave IPV6_CHECKSUM off). Returns the length, or 0 when size is too small, source and destination do not
 * fit, or the instance demands a signature that cannot be made. */
size_t vrrp_packet_encode(const struct conf *conf, const struct conf_instance *instance, const struct vrrp_sending *tx,
	uint8_t *out, size_t size);

/* How many addresses one advertisement can carry; at most 255. */
uint32_t vrrp_packet_capacity(const struct conf_instance *instance, bool has_trailer, uint32_t mtu);

#endif
