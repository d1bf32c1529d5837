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
