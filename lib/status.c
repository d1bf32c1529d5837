/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the states on the boards, as logs, status and traps spell them. Pure. */
#include "status.h"
#include <netinet/in.h>
#include <string.h>

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

static void take_longer(int64_t *us, int64_t other_us)
{
	if (other_us > *us)
		*us = other_us;
}

void status_add_checks(struct status_checks *sum, const struct status_checks *one)
{
	/* The sentence is that of the worst. */
	if (!sum->why[0] || one->late > sum->late ||
		(one->late == sum->late && one->lateness_p99_us > sum->lateness_p99_us))
		memcpy(sum->why, one->why, WHY_SIZE);
	sum->checks += one->checks;
	sum->probes += one->probes;
	sum->late += one->late;
	sum->pools_in_panic += one->pools_in_panic;
	sum->runs += one->runs;
	take_longer(&sum->lateness_p50_us, one->lateness_p50_us);
	take_longer(&sum->lateness_p99_us, one->lateness_p99_us);
	take_longer(&sum->lateness_max_us, one->lateness_max_us);
}

const struct status_part status_server_parts[STATUS_SERVER_PARTS] = {{IPVS_TABLE_SERVER, 0, STATUS_SERVER_SIZE},
	{IPVS_TABLE_TRAFFIC, STATUS_SERVER_SIZE, STATUS_TRAFFIC_SIZE},
	{IPVS_TABLE_CAUSE, offsetof(struct status_server, is_drained), STATUS_CAUSE_SIZE}};

struct status_server status_server_stored(const struct status_server *status)
{
	struct status_server stored = *status;

	if (strcmp(stored.why, STATUS_AS_CONFIGURED) == 0)
		memset(stored.why, 0, sizeof(stored.why));
	return stored;
}

int status_load_server(const struct board *board, uint32_t server, struct status_server *status)
{
	int rc = 0;

	for (unsigned i = 0; i < STATUS_SERVER_PARTS && rc == 0; i++)
		rc = board_load(board, status_server_parts[i].table, server,
			(char *)status + status_server_parts[i].offset, status_server_parts[i].size);
	if (rc == 0 && !status->why[0] && status->since_real_us)
		strcpy(status->why, STATUS_AS_CONFIGURED);
	return rc;
}

bool status_store_server(struct board *board, uint32_t server, const struct status_server *status)
{
	const struct status_server stored = status_server_stored(status);
	bool changed = false;

	for (unsigned i = 0; i < STATUS_SERVER_PARTS; i++)
		changed |= board_store(board, status_server_parts[i].table, server,
			(const char *)&stored + status_server_parts[i].offset, status_server_parts[i].size);
	return changed;
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

int status_load_admin(const struct board *board, uint32_t server, struct status_admin *admin)
{
	int rc = board_load(board, PARENT_TABLE_ADMIN, server, admin, sizeof(*admin));

	if (rc == 0 && !admin->why[0] && admin->since_real_us == 0)
		*admin = (struct status_admin){.admin = ADMIN_NORMAL, .weight = -1};
	return rc;
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

uint32_t status_sync_taken(const struct status_sync *sync)
{
	uint64_t taken = sync->last_taken;

	return taken >= sync->last_sent ? 1000 : (uint32_t)(taken * 1000 / sync->last_sent);
}

uint64_t *status_member_of(struct status_member *member, uint16_t protocol)
{
	if (protocol == IPPROTO_TCP)
		return &member->tcp;
	if (protocol == IPPROTO_UDP)
		return &member->udp;
	return protocol == IPPROTO_SCTP ? &member->sctp : NULL;
}
