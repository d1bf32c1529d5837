/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libnetsnmp as the snmp role uses it: quiet, without files of its own, and our plain types turned into its types. */
#include "library.h"
#include "log.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static int callback_log(int major, int minor, void *server, void *client)
{
	const struct snmp_log_message *message = server;
	int length = (int)strcspn(message->msg, "\n");

	(void)major;
	(void)minor;
	(void)client;
	/* What matters to an operator the role says itself, once and with its cause. */
	log_debug("snmp: library: %.*s", length, message->msg);
	return 0;
}

void library_start(void)
{
	static bool is_started;

	if (is_started)
		return;
	is_started = true;
	signal(SIGPIPE, SIG_IGN); /* the library sends to a master that may have just died */
	snmp_disable_log();
	snmp_enable_calllog();
	snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, callback_log, NULL);
	/* No MIB text, no configuration and no state of the library's own: all of that is for its own daemons. */
	setenv("MIBS", "", 1);
	setenv("MIBDIRS", "/nonexistent", 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_ALARM_DONT_USE_SIG, 1);
	/* Before the subagent is prepared: else this would connect to its master. */
	init_snmp(LIBRARY_NAME);
}

/* ---- our types and the library's ---- */
size_t library_oid(oid to[MIB_OID_MAX], const struct mib_oid *from)
{
	for (uint32_t i = 0; i < from->n; i++)
		to[i] = from->id[i];
	return from->n;
}

void library_to_oid(struct mib_oid *to, const oid *from, size_t n)
{
	to->n = 0;
	for (size_t i = 0; i < n; i++)
		mib_oid_add(to, (uint32_t)from[i]);
}

void library_value(struct library_value *to, const struct mib_value *v)
{
	*to = (struct library_value){.data = &to->room, .size = sizeof(to->room.number)};
	switch (v->type) {
	case MIB_INTEGER:
		to->type = ASN_INTEGER;
		to->room.integer = v->integer;
		return;
	case MIB_UNSIGNED:
		to->type = ASN_UNSIGNED;
		to->room.number = (u_long)v->number;
		return;
	case MIB_COUNTER32:
		to->type = ASN_COUNTER;
		to->room.number = (u_long)v->number;
		return;
	case MIB_TIMETICKS:
		to->type = ASN_TIMETICKS;
		to->room.number = (u_long)v->number;
		return;
	case MIB_COUNTER64:
		to->type = ASN_COUNTER64;
		to->room.counter64.high = (u_long)(v->number >> 32);
		to->room.counter64.low = (u_long)(v->number & UINT32_MAX);
		to->size = sizeof(to->room.counter64);
		return;
	case MIB_IPADDRESS:
	case MIB_OCTETS:
		to->type = v->type == MIB_OCTETS ? ASN_OCTET_STR : ASN_IPADDRESS;
		to->data = v->octets;
		to->size = v->length;
		return;
	}
}

netsnmp_variable_list *library_variables(const struct trap *trap)
{
	static const oid trap_oid_name[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};    /* snmpTrapOID.0 */
	static const struct mib_oid list_name = MIB_OID(MIB_POISE, 1, 7, 14, 0); /* poiseNotifyList.0 */
	netsnmp_variable_list *list = NULL;
	struct library_value value;
	oid ids[MIB_OID_MAX];
	size_t n = library_oid(ids, &trap->oid);

	if (!snmp_varlist_add_variable(
		    &list, trap_oid_name, OID_LENGTH(trap_oid_name), ASN_OBJECT_ID, ids, n * sizeof(oid)))
		return NULL;
	for (uint32_t i = 0; i < trap->n; i++) {
		n = library_oid(ids, &trap->bind[i].name);
		library_value(&value, &trap->bind[i].value);
		snmp_varlist_add_variable(&list, ids, n, value.type, value.data, value.size);
	}
	if (trap->list_length > 0) {
		n = library_oid(ids, &list_name);
		snmp_varlist_add_variable(&list, ids, n, ASN_OCTET_STR, trap->list, trap->list_length);
	}
	return list;
}
