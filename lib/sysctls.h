/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel settings that a configuration may ask for (lvs_sysctl): their names, where they lie, what they may be.
 * Plain data. The config role reads values with it, ipvs sets and restores them, control shows them. */
#ifndef POISE_SYSCTLS_H
#define POISE_SYSCTLS_H

#include <stdbool.h>
#include <stdint.h>

/* Numbers are kept in the ledger: new ones are added at the end. */
enum {
	SYSCTL_AMEMTHRESH,
	SYSCTL_AM_DROPRATE,
	SYSCTL_CACHE_BYPASS,
	SYSCTL_CONN_REUSE_MODE,
	SYSCTL_CONNTRACK,
	SYSCTL_DROP_ENTRY,
	SYSCTL_DROP_PACKET,
	SYSCTL_EXPIRE_NODEST_CONN,
	SYSCTL_EXPIRE_QUIESCENT_TEMPLATE,
	SYSCTL_IGNORE_TUNNELED,
	SYSCTL_NAT_ICMP_SEND,
	SYSCTL_PMTU_DISC,
	SYSCTL_SCHEDULE_ICMP,
	SYSCTL_SECURE_TCP,
	SYSCTL_SLOPPY_SCTP,
	SYSCTL_SLOPPY_TCP,
	SYSCTL_SNAT_REROUTE,
	SYSCTL_SYNC_PERSIST_MODE,
	SYSCTL_SYNC_PORTS,
	SYSCTL_SYNC_QLEN_MAX,
	SYSCTL_SYNC_REFRESH_PERIOD,
	SYSCTL_SYNC_RETRIES,
	SYSCTL_SYNC_SOCK_SIZE,
	SYSCTL_SYNC_THRESHOLD,
	SYSCTL_SYNC_VERSION,
	SYSCTL_RUN_ESTIMATION,
	SYSCTL_IP_FORWARD,
	SYSCTL_IP6_FORWARD,
	SYSCTL_LOCAL_IGMP,
	SYSCTLS
};

struct sysctl_known {
	const char *name; /* in the configuration */
	const char *path; /* below /proc/sys/net */
	int32_t low, high;
	bool is_pair; /* two numbers, as sync_threshold */
	const char *help;
};

extern const struct sysctl_known sysctls_known[SYSCTLS];

/* -1 when there is none of this name. */
int sysctls_find(const char *name);

/* One number, or two packed into one. */
int64_t sysctls_pack(int32_t first, int32_t second);
/* Reads "3" or "3 50" (blanks or tabs, an end of line) as the setting has it, within its range. */
bool sysctls_parse(int number, const char *text, int64_t *value);
/* Returns buf. */
#define SYSCTLS_TEXT 32
const char *sysctls_format(int number, int64_t value, char buf[SYSCTLS_TEXT]);

#endif
