/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A role that has nothing to do is not started: a router that only balances carries no VRRP, and one without SNMP none
 * of its libraries. Pure; used by the parent, who starts roles, and by control, who says why one is not there. */
#include "needed.h"
#include <stdbool.h>
#include <sys/socket.h>

static bool is_any_snmp(const struct conf *conf)
{
	const struct conf_global *g = conf->global;

	return g->snmp_vrrp || g->snmp_checker || g->snmp_rfcv2 || g->snmp_rfcv3 || g->snmp_poise ||
	       conf->n_trap_targets > 0;
}

/* Scripts, what they are told by, and what is watched on behalf of others. */
static bool is_any_script(const struct conf *conf)
{
	const struct conf_global *g = conf->global;
	bool any = conf->n_scripts > 0 || conf->n_notifies > 0 || conf->n_processes > 0 || conf->n_files > 0;

	any |= g->fifo_all.path || g->fifo_vrrp.path || g->fifo_lvs.path || g->notification_emails || g->startup.argc ||
	       g->shutdown.argc || g->reload_time_file;
	for (uint32_t i = 0; i < conf->n_checks && !any; i++)
		any = conf->checks[i].kind == CONF_CHECK_MISC || conf->checks[i].kind == CONF_CHECK_FILE;
	return any;
}

static const char *why_no_checker(const struct conf *conf, enum role role)
{
	if (!conf->n_checks)
		return "no check is configured";
	return role_checker_number(role) < conf_checkers(conf) ? NULL : "check_processes asks for fewer";
}

const char *needed_why_not(const struct conf *conf, enum role role)
{
	switch (role) {
	case ROLE_PARENT:
	case ROLE_CONTROL:
	case ROLE_IPVS: /* what a former life left in the kernel is its affair, too */
	case ROLE_COUNT:
		return NULL;
	case ROLE_VRRP:
		return conf->n_instances || conf->n_addresses || conf->n_routes || conf->n_rules || conf->n_bfds
			       ? NULL
			       : "no instance is configured";
	case ROLE_HEALTHCHECK:
	case ROLE_HEALTHCHECK_2 ... ROLE_HEALTHCHECK_8:
		return why_no_checker(conf, role);
	case ROLE_SNMP:
		return is_any_snmp(conf) ? NULL : "neither SNMP nor a receiver of notifications is configured";
	case ROLE_SCRIPT:
		return is_any_script(conf) ? NULL : "no script, FIFO or mail is configured";
	case ROLE_PAIR:
		return conf->global->pair_peer.family != AF_UNSPEC ? NULL : "no other node is configured";
	}
	return NULL;
}
