/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the states on the boards, as logs, status and traps spell them. Pure. */
#include "status.h"

const char *vrrp_state_name(enum vrrp_state state)
{
	switch (state) {
	case VRRP_INIT:
		return "INIT";
	case VRRP_BACKUP:
		return "BACKUP";
	case VRRP_MASTER:
		return "MASTER";
	case VRRP_FAULT:
		return "FAULT";
	}
	return "?";
}

const char *vrrp_drop_name(enum vrrp_drop drop)
{
	static const char *const names[VRRP_DROP_COUNT] = {
		[VRRP_DROP_NONE] = "none",
		[VRRP_DROP_LENGTH] = "length",
		[VRRP_DROP_PROTOCOL] = "protocol",
		[VRRP_DROP_DESTINATION] = "destination",
		[VRRP_DROP_SOURCE] = "source",
		[VRRP_DROP_TTL] = "ttl",
		[VRRP_DROP_VERSION] = "version",
		[VRRP_DROP_TYPE] = "type",
		[VRRP_DROP_VRID] = "vrid",
		[VRRP_DROP_ADDRESS_LIST] = "address_list",
		[VRRP_DROP_HMAC_MISSING] = "hmac_missing",
		[VRRP_DROP_HMAC_MALFORMED] = "hmac_malformed",
		[VRRP_DROP_HMAC_UNKNOWN_KEY] = "hmac_unknown_key",
		[VRRP_DROP_HMAC_INVALID] = "hmac_invalid",
		[VRRP_DROP_HMAC_STALE] = "hmac_stale",
		[VRRP_DROP_HMAC_REPLAY] = "hmac_replay",
		[VRRP_DROP_CHECKSUM] = "checksum",
		[VRRP_DROP_AUTH_TYPE] = "auth_type",
		[VRRP_DROP_AUTH_MISMATCH] = "auth_mismatch",
		[VRRP_DROP_AUTH_FAILURE] = "auth_failure",
		[VRRP_DROP_INTERVAL] = "interval",
		[VRRP_DROP_PEER] = "peer",
	};

	return drop < VRRP_DROP_COUNT ? names[drop] : "?";
}

const char *bfd_state_name(enum bfd_state state)
{
	switch (state) {
	case BFD_ADMIN_DOWN:
		return "admin down";
	case BFD_DOWN:
		return "down";
	case BFD_INIT:
		return "init";
	case BFD_UP:
		return "up";
	}
	return "?";
}

const char *pair_state_name(enum pair_state_kind state)
{
	switch (state) {
	case PAIR_OFF:
		return "off";
	case PAIR_NO_KEY:
		return "no key";
	case PAIR_SILENT:
		return "silent";
	case PAIR_UP:
		return "up";
	}
	return "?";
}

const char *health_name(enum health health)
{
	switch (health) {
	case HEALTH_UNKNOWN:
		return "unknown";
	case HEALTH_UP:
		return "up";
	case HEALTH_DOWN:
		return "down";
	}
	return "?";
}

struct status_health status_unchecked(void)
{
	return (struct status_health){
		.health = HEALTH_UP, .weight_percent = 100, .weight = -1, .why = "no check is configured"};
}

const char *role_state_name(enum role_state state)
{
	switch (state) {
	case ROLE_ABSENT:
		return "absent";
	case ROLE_STARTING:
		return "starting";
	case ROLE_RUNNING:
		return "running";
	case ROLE_BACKOFF:
		return "waiting";
	}
	return "?";
}

const char *admin_name(enum admin admin)
{
	switch (admin) {
	case ADMIN_NORMAL:
		return "normal";
	case ADMIN_DRAIN:
		return "drain";
	case ADMIN_MAINT:
		return "maint";
	}
	return "?";
}

const char *drain_end_name(enum drain_end end)
{
	switch (end) {
	case DRAIN_KEEP:
		return "keep";
	case DRAIN_RESET:
		return "reset";
	case DRAIN_REMOVE:
		return "remove";
	}
	return "?";
}

const char *trap_target_state_name(enum trap_target_state state)
{
	static const char *const names[] = {"unknown", "sending", "answering", "silent"};

	return (unsigned)state < sizeof(names) / sizeof(names[0]) ? names[state] : "?";
}
