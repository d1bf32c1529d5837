/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of kernel settings that a configuration may ask for; used by the config, ipvs and control roles. It opens
 * nothing. */
#include "sysctls.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
const struct sysctl_known sysctls_known[SYSCTLS] = {
	[SYSCTL_AMEMTHRESH] = {"amemthresh", "ipv4/vs/amemthresh", 0, INT32_MAX, false, "pages of free memory below which the drop defences work"},
	[SYSCTL_AM_DROPRATE] = {"am_droprate", "ipv4/vs/am_droprate", 1, INT32_MAX, false, "one packet of so many is dropped in mode 3 of drop_packet"},
	[SYSCTL_CACHE_BYPASS] = {"cache_bypass", "ipv4/vs/cache_bypass", 0, 1, false, "forward to the destination itself when no server is there"},
	[SYSCTL_CONN_REUSE_MODE] = {"conn_reuse_mode", "ipv4/vs/conn_reuse_mode", 0, 3, false, "what a new connection from a known port does: 1 schedules it anew"},
	[SYSCTL_CONNTRACK] = {"conntrack", "ipv4/vs/conntrack", 0, 1, false, "track the connections of IPVS in netfilter, too"},
	[SYSCTL_DROP_ENTRY] = {"drop_entry", "ipv4/vs/drop_entry", 0, 3, false, "drop entries at random when memory is short"},
	[SYSCTL_DROP_PACKET] = {"drop_packet", "ipv4/vs/drop_packet", 0, 3, false, "drop packets when memory is short"},
	[SYSCTL_EXPIRE_NODEST_CONN] = {"expire_nodest_conn", "ipv4/vs/expire_nodest_conn", 0, 1, false, "end connections whose server has left the table"},
	[SYSCTL_EXPIRE_QUIESCENT_TEMPLATE] = {"expire_quiescent_template", "ipv4/vs/expire_quiescent_template", 0, 1, false, "persistence does not hold clients at a server of weight 0"},
	[SYSCTL_IGNORE_TUNNELED] = {"ignore_tunneled", "ipv4/vs/ignore_tunneled", 0, 1, false, "leave packets that came out of a tunnel alone"},
	[SYSCTL_NAT_ICMP_SEND] = {"nat_icmp_send", "ipv4/vs/nat_icmp_send", 0, 1, false, "NAT: answer packets of ended connections with an ICMP error"},
	[SYSCTL_PMTU_DISC] = {"pmtu_disc", "ipv4/vs/pmtu_disc", 0, 1, false, "DR and TUN: tell clients when packets are too large"},
	[SYSCTL_SCHEDULE_ICMP] = {"schedule_icmp", "ipv4/vs/schedule_icmp", 0, 1, false, "ICMP errors without a connection are scheduled, too"},
	[SYSCTL_SECURE_TCP] = {"secure_tcp", "ipv4/vs/secure_tcp", 0, 3, false, "stricter TCP states when memory is short"},
	[SYSCTL_SLOPPY_SCTP] = {"sloppy_sctp", "ipv4/vs/sloppy_sctp", 0, 1, false, "any SCTP packet may begin a connection"},
	[SYSCTL_SLOPPY_TCP] = {"sloppy_tcp", "ipv4/vs/sloppy_tcp", 0, 1, false, "any TCP packet may begin a connection, not only SYN"},
	[SYSCTL_SNAT_REROUTE] = {"snat_reroute", "ipv4/vs/snat_reroute", 0, 1, false, "NAT: answers are routed by their new source"},
	[SYSCTL_SYNC_PERSIST_MODE] = {"sync_persist_mode", "ipv4/vs/sync_persist_mode", 0, 1, false, "persistent services: only the templates are synchronised"},
	[SYSCTL_SYNC_PORTS] = {"sync_ports", "ipv4/vs/sync_ports", 1, 64, false, "ports and threads of the synchronisation"},
	[SYSCTL_SYNC_QLEN_MAX] = {"sync_qlen_max", "ipv4/vs/sync_qlen_max", 1, INT32_MAX, false, "messages that may wait to be sent"},
	[SYSCTL_SYNC_REFRESH_PERIOD] = {"sync_refresh_period", "ipv4/vs/sync_refresh_period", 0, INT32_MAX, false, "seconds of a timer's difference that are worth a message"},
	[SYSCTL_SYNC_RETRIES] = {"sync_retries", "ipv4/vs/sync_retries", 0, 3, false, "repetitions of a message"},
	[SYSCTL_SYNC_SOCK_SIZE] = {"sync_sock_size", "ipv4/vs/sync_sock_size", 0, INT32_MAX, false, "bytes of the socket's buffer; 0 = the system's"},
	[SYSCTL_SYNC_THRESHOLD] = {"sync_threshold", "ipv4/vs/sync_threshold", 0, INT32_MAX, true, "PACKETS PERIOD: a connection is told from its packet number PACKETS on, and every PERIOD packets"},
	[SYSCTL_SYNC_VERSION] = {"sync_version", "ipv4/vs/sync_version", 0, 1, false, "format of the messages"},
	[SYSCTL_RUN_ESTIMATION] = {"run_estimation", "ipv4/vs/run_estimation", 0, 1, false, "compute rates"},
	[SYSCTL_IP_FORWARD] = {"ip_forward", "ipv4/ip_forward", 0, 1, false, "forward IPv4 packets; NAT needs it"},
	[SYSCTL_IP6_FORWARD] = {"ip6_forward", "ipv6/conf/all/forwarding", 0, 1, false, "forward IPv6 packets; NAT needs it"},
	[SYSCTL_LOCAL_IGMP] = {"igmp_link_local_mcast_reports", "ipv4/igmp_link_local_mcast_reports", 0, 1, false, "tell routers of groups in 224.0.0.0/24, which every switch forwards anyway"},
};
/* clang-format on */

int sysctls_find(const char *name)
{
	for (int i = 0; i < SYSCTLS; i++)
		if (strcmp(sysctls_known[i].name, name) == 0)
			return i;
	return -1;
}

int64_t sysctls_pack(int32_t first, int32_t second)
{
	return (int64_t)((uint64_t)(uint32_t)second << 32 | (uint32_t)first);
}

static bool read_number(const char **text, const struct sysctl_known *known, int32_t *out)
{
	char *end;
	long long number;

	*text += strspn(*text, " \t");
	errno = 0;
	number = strtoll(*text, &end, 10);
	if (end == *text || errno || number < known->low || number > known->high)
		return false;
	*text = end;
	*out = (int32_t)number;
	return true;
}

bool sysctls_parse(int number, const char *text, int64_t *value)
{
	const struct sysctl_known *known = &sysctls_known[number];
	int32_t first, second = 0;

	if (!read_number(&text, known, &first) || (known->is_pair && !read_number(&text, known, &second)))
		return false;
	*value = sysctls_pack(first, second);
	return text[strspn(text, " \t\n")] == '\0';
}

const char *sysctls_format(int number, int64_t value, char buf[SYSCTLS_TEXT])
{
	int32_t first = (int32_t)(value & 0xffffffff), second = (int32_t)(value >> 32);

	if (sysctls_known[number].is_pair)
		snprintf(buf, SYSCTLS_TEXT, "%d %d", first, second);
	else
		snprintf(buf, SYSCTLS_TEXT, "%d", first);
	return buf;
}
