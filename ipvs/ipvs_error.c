/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel answers IPVS commands with a bare errno; this table of errno by command and field makes sentences of them
 * for the ipvs role. Pure. */
#include "ipvs_error.h"
#include <errno.h>
#include <linux/ip_vs.h>
#include <stdio.h>
#include <string.h>

#define NO_PERMISSION "no permission: poised needs CAP_NET_ADMIN in this network namespace"

/* The same meaning for every command; NULL when it depends on the command. */
static const char *common_sentence(int error)
{
	switch (error) {
	case EPERM:
	case EACCES:
		return NO_PERMISSION;
	case ENOMEM:
		return "the kernel is out of memory";
	case EAFNOSUPPORT:
		return "the kernel's IPVS has no IPv6: use a kernel built with CONFIG_IP_VS_IPV6";
	case EPROTONOSUPPORT:
		return "the kernel's IPVS does not know this protocol";
	}
	return NULL;
}

static void service_sentence(int error, const struct ipvs_service *service, char *buf)
{
	switch (error) {
	case ENOENT:
		if (service->engine[0])
			snprintf(buf, IPVS_ERROR_TEXT,
				"engine %s or scheduler %s: the running kernel has no ip_vs_pe_%s or ip_vs_%s module; "
				"load or install it",
				service->engine, service->scheduler, service->engine, service->scheduler);
		else
			snprintf(buf, IPVS_ERROR_TEXT,
				"scheduler %s: the running kernel has no ip_vs_%s module; load or install it",
				service->scheduler, service->scheduler);
		return;
	case EINVAL:
		if (service->timeout_s)
			snprintf(buf, IPVS_ERROR_TEXT,
				"the kernel does not accept these settings: check persistence granularity and flags");
		else
			snprintf(buf, IPVS_ERROR_TEXT, "the kernel does not accept these settings: check %s",
				service->key.port || service->key.fwmark ? "address and scheduler flags"
									 : "port 0, which needs persistence");
		return;
	case EEXIST:
		snprintf(buf, IPVS_ERROR_TEXT, "somebody else has just added this service");
		return;
	case ESRCH:
		snprintf(buf, IPVS_ERROR_TEXT, "somebody else has just removed this service");
		return;
	}
	snprintf(buf, IPVS_ERROR_TEXT, "the kernel refuses the service: %s", strerror(error));
}

static const char *invalid_dest(const struct ipvs_service *service, const struct ipvs_dest *dest)
{
	bool tunnel = dest->forward == IP_VS_CONN_F_TUNNEL;

	if (dest->key.addr.family != service->key.family)
		return tunnel ? "a server of the other address family cannot be used while connections are "
				"synchronised: stop the sync daemon"
			      : "a server of the other address family must be reached by TUN";
	if (tunnel && dest->tunnel_type == IP_VS_CONN_F_TUNNEL_TYPE_GUE && !dest->tunnel_port)
		return "a tunnel of type gue needs a port: lvs_method TUN type gue port NUMBER";
	if (dest->key.addr.family == AF_INET6)
		return "its address is not that of one host: multicast and link-local addresses cannot be servers";
	return "its address is not that of one host: broadcast and multicast addresses cannot be servers";
}

static void out_of_range(const struct ipvs_dest *dest, char *buf)
{
	if (dest->lower > dest->upper)
		snprintf(buf, IPVS_ERROR_TEXT, "the lower threshold %u is above the upper one, which is %u",
			dest->lower, dest->upper);
	else
		snprintf(buf, IPVS_ERROR_TEXT, "the kernel does not take the weight %d", dest->weight);
}

static void dest_sentence(int error, const struct ipvs_service *service, const struct ipvs_dest *dest, char *buf)
{
	switch (error) {
	case EINVAL:
		snprintf(buf, IPVS_ERROR_TEXT, "%s", invalid_dest(service, dest));
		return;
	case ERANGE:
		out_of_range(dest, buf);
		return;
	case EEXIST:
		snprintf(buf, IPVS_ERROR_TEXT, "somebody else has just added this server");
		return;
	case ENOENT:
		snprintf(buf, IPVS_ERROR_TEXT, "somebody else has just removed this server");
		return;
	case ESRCH:
		snprintf(buf, IPVS_ERROR_TEXT, "its service is not in the kernel");
		return;
	case EOPNOTSUPP:
		snprintf(buf, IPVS_ERROR_TEXT, "the kernel cannot mix these address families");
		return;
	}
	snprintf(buf, IPVS_ERROR_TEXT, "the kernel refuses the server: %s", strerror(error));
}

const char *ipvs_error_sentence(
	enum ipvs_op_kind kind, int error, const struct ipvs_service *service, const struct ipvs_dest *dest, char *buf)
{
	const char *common = common_sentence(error);

	(void)kind;
	if (common)
		snprintf(buf, IPVS_ERROR_TEXT, "%s", common);
	else if (dest)
		dest_sentence(error, service, dest, buf);
	else
		service_sentence(error, service, buf);
	return buf;
}

bool ipvs_error_is_drift(enum ipvs_op_kind kind, int error, const struct ipvs_dest *dest)
{
	if (error == EEXIST || error == ESRCH)
		return true;
	/* For a service ENOENT means its scheduler. */
	return error == ENOENT && dest && (kind == IPVS_OP_SET_DEST || kind == IPVS_OP_DEL_DEST);
}

bool ipvs_error_is_lasting(int error)
{
	return error == -ENOENT || error == -EPERM || error == -EACCES;
}

const char *ipvs_error_unusable(int error, char *buf)
{
	switch (error) {
	case -ENOENT:
		snprintf(buf, IPVS_ERROR_TEXT,
			"the running kernel has no IPVS: install its ip_vs module or load it (modprobe ip_vs); virtual "
			"services wait until then");
		break;
	case -EPERM:
	case -EACCES:
		snprintf(buf, IPVS_ERROR_TEXT, "%s", NO_PERMISSION);
		break;
	default:
		snprintf(buf, IPVS_ERROR_TEXT, "the kernel's IPVS does not answer: %s", strerror(-error));
	}
	return buf;
}

const char *ipvs_error_daemon(int error, const struct ipvs_daemon *daemon, char *buf)
{
	switch (error) {
	case ENODEV:
		snprintf(buf, IPVS_ERROR_TEXT, "interface %s does not exist (yet)", daemon->interface);
		break;
	case EINVAL:
		if (addr_is_set(&daemon->group) && !addr_is_multicast(&daemon->group))
			snprintf(buf, IPVS_ERROR_TEXT, "its group is no multicast address");
		else
			snprintf(buf, IPVS_ERROR_TEXT,
				"connections of services whose servers have another address family cannot be "
				"synchronised, or the kernel does not take its settings");
		break;
	case EEXIST:
		snprintf(buf, IPVS_ERROR_TEXT, "somebody else has just started one");
		break;
	case ESRCH:
		snprintf(buf, IPVS_ERROR_TEXT, "it does not run any more");
		break;
	default:
		snprintf(buf, IPVS_ERROR_TEXT, "%s", common_sentence(error) ? common_sentence(error) : strerror(error));
	}
	return buf;
}
