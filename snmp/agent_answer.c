/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a Get or GetNext request as the library has parsed it to the response that it is to encode. Runs in the snmp
 * role; sends nothing. */
#include "agent_answer.h"

/* A search range (RFC 2741, section 5.2): from `start`, which may be included, to before `end`; no end when it is
 * empty. */
struct range {
	struct mib_oid start, end;
	bool is_inclusive;
};

static void range_read(struct range *range, const netsnmp_variable_list *var)
{
	library_to_oid(&range->start, var->name, var->name_length);
	range->end.n = 0;
	range->is_inclusive = var->type == ASN_PRIV_INCL_RANGE;
	if (range->is_inclusive || var->type == ASN_PRIV_EXCL_RANGE)
		library_to_oid(&range->end, var->val.objid, var->val_len / sizeof(oid));
	if (range->end.n == 2 && range->end.id[0] == 0 && range->end.id[1] == 0)
		range->end.n = 0; /* how the library reads the null identifier */
}

/* The first cell of the range in any MIB; *name becomes its name. */
static bool range_first(const struct range *range, struct mib_snapshot *const *snapshots, unsigned n,
	const struct mib_view *view, struct mib_oid *name, struct mib_value *v)
{
	struct mib_value candidate_value;
	bool is_found = false;

	for (unsigned i = 0; view && i < n; i++) {
		struct mib_oid candidate = range->start;

		if (!snapshots[i] || (range->end.n > 0 && mib_oid_compare(&snapshots[i]->mib->root, &range->end) >= 0))
			continue;
		if (!mib_next(snapshots[i], view, &candidate, range->is_inclusive, &candidate_value))
			continue;
		if ((range->end.n > 0 && mib_oid_compare(&candidate, &range->end) >= 0) ||
			(is_found && mib_oid_compare(&candidate, name) > 0))
			continue;
		*name = candidate;
		*v = candidate_value;
		is_found = true;
	}
	return is_found;
}

static bool exactly(const struct range *range, struct mib_snapshot *const *snapshots, unsigned n,
	const struct mib_view *view, struct mib_value *v)
{
	for (unsigned i = 0; view && i < n; i++) {
		if (snapshots[i] && mib_get(snapshots[i], view, &range->start, v))
			return true;
	}
	return false;
}

static bool answer_add(netsnmp_pdu *answer, const struct mib_oid *name, const struct mib_value *v)
{
	struct library_value value;
	oid ids[MIB_OID_MAX];
	size_t length = library_oid(ids, name);

	library_value(&value, v);
	return snmp_pdu_add_variable(answer, ids, length, value.type, value.data, value.size);
}

bool agent_can_answer(const netsnmp_pdu *request)
{
	return (request->command == AGENTX_GET || request->command == AGENTX_GET_NEXT) && request->community_len == 0;
}

netsnmp_pdu *agent_answer(
	const netsnmp_pdu *request, struct mib_snapshot *const *snapshots, unsigned n, const struct mib_view *view)
{
	netsnmp_pdu *answer = agent_can_answer(request) ? snmp_pdu_create(AGENTX_RESPONSE) : NULL;
	bool is_next = request->command == AGENTX_GET_NEXT;

	if (!answer)
		return NULL;
	answer->version = request->version;
	answer->sessid = request->sessid;
	answer->transid = request->transid;
	answer->reqid = request->reqid;
	answer->flags = request->flags; /* the byte order */
	answer->errstat = answer->errindex = 0;
	for (const netsnmp_variable_list *var = request->variables; var; var = var->next_variable) {
		struct range range;
		struct mib_value v;
		struct mib_oid name;
		bool is_there, is_added;

		range_read(&range, var);
		name = range.start;
		is_there = is_next ? range_first(&range, snapshots, n, view, &name, &v)
				   : exactly(&range, snapshots, n, view, &v);
		is_added = is_there ? answer_add(answer, &name, &v)
				    : !!snmp_pdu_add_variable(answer, var->name, var->name_length,
					      is_next ? SNMP_ENDOFMIBVIEW : SNMP_NOSUCHINSTANCE, NULL, 0);
		if (!is_added) {
			snmp_free_pdu(answer);
			return NULL;
		}
	}
	return answer;
}
