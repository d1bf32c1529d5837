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
				"scheduler or engine: the running kernel has no ip_vs_%s or ip_vs_pe_%s module; load "
				"or "
				"install it",
				service->scheduler, service->engine);
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

static void dest_sentence(int error, const struct ipvs_service *service, const struct ipvs_dest *dest, char *buf)
{
	bool mixed = dest->key.addr.family != service->key.family;
	bool tunnel = dest->forward == IP_VS_CONN_F_TUNNEL;

	switch (error) {
	case EINVAL:
		snprintf(buf, IPVS_ERROR_TEXT, "%s",
			mixed && !tunnel ? "a server of the other address family must be reached by TUN"
			: mixed          ? "a server of the other address family cannot be used while connections are "
					   "synchronised: stop the sync daemon"
			: tunnel         ? "the kernel does not accept address or tunnel settings"
				 : "the address is not one of a host here: the kernel sees broadcast, multicast or no "
				   "route");
		return;
	case ERANGE:
		snprintf(buf, IPVS_ERROR_TEXT,
			"weight or thresholds are out of the kernel's range (lower above upper?)");
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

const char *ipvs_error_daemon(int error, const char *interface, char *buf)
{
	switch (error) {
	case ENODEV:
		snprintf(buf, IPVS_ERROR_TEXT, "interface %s does not exist (yet)", interface);
		break;
	case EINVAL:
		snprintf(buf, IPVS_ERROR_TEXT,
			"connections of services whose servers have another address family cannot be synchronised");
		break;
	default:
		snprintf(buf, IPVS_ERROR_TEXT, "%s", common_sentence(error) ? common_sentence(error) : strerror(error));
	}
	return buf;
}
