/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sentences for the reasons that drop an advertisement. Pure. */
#include "vrrp_packet.h"

static const char *const texts[VRRP_DROP_COUNT] = {
	[VRRP_DROP_NONE] = "accepted",
	[VRRP_DROP_LENGTH] = "its length does not fit its contents",
	[VRRP_DROP_PROTOCOL] = "it is not the IP protocol that is configured (112, or 51 with AH)",
	[VRRP_DROP_DESTINATION] = "it was sent to another address than we listen on",
	[VRRP_DROP_SOURCE] = "its source address cannot be a router's",
	[VRRP_DROP_TTL] = "its TTL says that it was forwarded or forged",
	[VRRP_DROP_VERSION] = "it has another VRRP version than this instance",
	[VRRP_DROP_TYPE] = "it is no advertisement",
	[VRRP_DROP_VRID] = "no instance here has its virtual router id",
	[VRRP_DROP_ADDRESS_LIST] = "its address list is empty or does not begin with a link-local one",
	[VRRP_DROP_HMAC_MISSING] = "it is not signed",
	[VRRP_DROP_HMAC_MALFORMED] = "its signature is malformed",
	[VRRP_DROP_HMAC_UNKNOWN_KEY] = "it is signed with a key that is not configured here",
	[VRRP_DROP_HMAC_INVALID] = "its signature is wrong",
	[VRRP_DROP_HMAC_STALE] = "it was signed too long ago, or the clocks differ",
	[VRRP_DROP_HMAC_REPLAY] = "it was seen before",
	[VRRP_DROP_CHECKSUM] = "its checksum is wrong",
	[VRRP_DROP_AUTH_TYPE] = "its authentication type does not exist",
	[VRRP_DROP_AUTH_MISMATCH] = "it has another authentication type than this instance",
	[VRRP_DROP_AUTH_FAILURE] = "its authentication is wrong",
	[VRRP_DROP_INTERVAL] = "it has another advertisement interval than this instance, or none",
	[VRRP_DROP_PEER] = "its source is not a configured unicast peer",
};

const char *vrrp_drop_text(enum vrrp_drop drop)
{
	return drop < VRRP_DROP_COUNT ? texts[drop] : "?";
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
