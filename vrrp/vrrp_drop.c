/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and sentences for the reasons that drop an advertisement. Pure. */
#include "vrrp_packet.h"

struct drop_text {
	const char *name, *text;
};

static const struct drop_text texts[VRRP_DROP_COUNT] = {
	[VRRP_DROP_NONE] = {"none", "accepted"},
	[VRRP_DROP_LENGTH] = {"length", "its length does not fit its contents"},
	[VRRP_DROP_PROTOCOL] = {"protocol", "it is not the IP protocol that is configured (112, or 51 with AH)"},
	[VRRP_DROP_DESTINATION] = {"destination", "it was sent to another address than we listen on"},
	[VRRP_DROP_SOURCE] = {"source", "its source address cannot be a router's"},
	[VRRP_DROP_TTL] = {"ttl", "its TTL says that it was forwarded or forged"},
	[VRRP_DROP_VERSION] = {"version", "it has another VRRP version than this instance"},
	[VRRP_DROP_TYPE] = {"type", "it is no advertisement"},
	[VRRP_DROP_VRID] = {"vrid", "no instance here has its virtual router id"},
	[VRRP_DROP_ADDRESS_LIST] = {"address_list",
		"its address list is empty or does not begin with a link-local one"},
	[VRRP_DROP_HMAC_MISSING] = {"hmac_missing", "it is not signed"},
	[VRRP_DROP_HMAC_MALFORMED] = {"hmac_malformed", "its signature is malformed"},
	[VRRP_DROP_HMAC_UNKNOWN_KEY] = {"hmac_unknown_key", "it is signed with a key that is not configured here"},
	[VRRP_DROP_HMAC_INVALID] = {"hmac_invalid", "its signature is wrong"},
	[VRRP_DROP_HMAC_STALE] = {"hmac_stale", "it was signed too long ago, or the clocks differ"},
	[VRRP_DROP_HMAC_REPLAY] = {"hmac_replay", "it was seen before"},
	[VRRP_DROP_CHECKSUM] = {"checksum", "its checksum is wrong"},
	[VRRP_DROP_AUTH_TYPE] = {"auth_type", "its authentication type does not exist"},
	[VRRP_DROP_AUTH_MISMATCH] = {"auth_mismatch", "it has another authentication type than this instance"},
	[VRRP_DROP_AUTH_FAILURE] = {"auth_failure", "its authentication is wrong"},
	[VRRP_DROP_INTERVAL] = {"interval", "it has another advertisement interval than this instance, or none"},
	[VRRP_DROP_PEER] = {"peer", "its source is not a configured unicast peer"},
};

const char *vrrp_drop_name(enum vrrp_drop drop)
{
	return drop < VRRP_DROP_COUNT ? texts[drop].name : "?";
}

const char *vrrp_drop_text(enum vrrp_drop drop)
{
	return drop < VRRP_DROP_COUNT ? texts[drop].text : "?";
}

uint32_t vrrp_drop_protocol_error(enum vrrp_drop drop)
{
	if (drop == VRRP_DROP_TTL)
		return 1;
	if (drop == VRRP_DROP_VERSION)
		return 2;
	if (drop == VRRP_DROP_CHECKSUM)
		return 3;
	return drop == VRRP_DROP_VRID ? 4 : 0;
}
