/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole way of a request through the SNMP library and back, inside one process: no master agent, no port. */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include <net-snmp/agent/net-snmp-agent-includes.h>

#include "../../snmp/agent.h"
#include "../../snmp/agent_answer.h"
#include "snmp_site.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct site site;
/* Of the library; its header is not installed. */
extern int callback_master_num;

static netsnmp_session *session;
static bool have_conf = true;

static const struct mib_view *view(void *arg)
{
	(void)arg;
	return have_conf ? &site.view : NULL;
}

static void lost(void *arg)
{
	(void)arg;
}

static void setup(void)
{
	static const struct agent_ops ops = {view, lost};

	site_init(&site, 2);
	/* Nobody listens there: the library says so and goes on without. */
	ck_assert_int_eq(agent_init("unix:/nonexistent/poise-test-master", &ops, NULL), 0);
	ck_assert_int_eq(agent_enable(&mib_keepalived_global, true), 0);
	ck_assert_int_eq(agent_enable(&mib_keepalived_vrrp, true), 0);
	ck_assert_int_eq(agent_enable(&mib_keepalived_check, true), 0);
	ck_assert_int_eq(agent_enable(&mib_vrrp3, true), 0);
	ck_assert_int_eq(agent_open(), -1);
	session = netsnmp_callback_open(callback_master_num, NULL, NULL, NULL);
	ck_assert_ptr_nonnull(session);
	session->version = SNMP_VERSION_2c;
	free(session->community);
	session->community = (u_char *)strdup("any");
	session->community_len = 3;
}

static netsnmp_pdu *ask(int command, const struct mib_oid *name)
{
	netsnmp_pdu *pdu = snmp_pdu_create(command), *answer = NULL;
	oid ids[MIB_OID_MAX];

	for (uint32_t i = 0; i < name->n; i++)
		ids[i] = name->id[i];
	pdu->flags |= UCD_MSG_FLAG_ALWAYS_IN_VIEW;
	if (command == SNMP_MSG_GETBULK) {
		pdu->non_repeaters = 0;
		pdu->max_repetitions = 20;
	}
	snmp_add_null_var(pdu, ids, name->n);
	ck_assert_int_eq(snmp_synch_response(session, pdu, &answer), STAT_SUCCESS);
	ck_assert_ptr_nonnull(answer);
	return answer;
}

#define OID(...) (&(struct mib_oid)MIB_OID(__VA_ARGS__))

START_TEST(test_get)
{
	netsnmp_pdu *answer = ask(SNMP_MSG_GET, OID(MIB_KEEPALIVED, 2, 3, 1, 2, 1));

	ck_assert_int_eq(answer->variables->type, ASN_OCTET_STR);
	ck_assert_mem_eq(answer->variables->val.string, "VI_1", 4);
	snmp_free_pdu(answer);
	answer = ask(SNMP_MSG_GET, OID(MIB_KEEPALIVED, 3, 3, 1, 38, 1));
	ck_assert_int_eq(answer->variables->type, ASN_COUNTER64);
	ck_assert_uint_eq(answer->variables->val.counter64->high, 1);
	ck_assert_uint_eq(answer->variables->val.counter64->low, 5000000000ULL - (1ULL << 32));
	snmp_free_pdu(answer);
	answer = ask(SNMP_MSG_GET, OID(MIB_KEEPALIVED, 2, 3, 1, 4, 3));
	ck_assert_int_eq(answer->variables->type, ASN_INTEGER);
	ck_assert_int_eq(*answer->variables->val.integer, 2);
	snmp_free_pdu(answer);
}
END_TEST

START_TEST(test_get_of_an_absent_cell)
{
	netsnmp_pdu *answer = ask(SNMP_MSG_GET, OID(MIB_KEEPALIVED, 3, 4, 1, 6, 1, 1));

	ck_assert_int_eq(answer->variables->type, SNMP_NOSUCHINSTANCE);
	snmp_free_pdu(answer);
}
END_TEST

START_TEST(test_walk_crosses_subtrees)
{
	struct mib_oid name = MIB_OID(MIB_KEEPALIVED);
	netsnmp_pdu *answer;
	unsigned n = 0;

	for (;; n++) {
		answer = ask(SNMP_MSG_GETNEXT, &name);
		if (answer->variables->type == SNMP_ENDOFMIBVIEW || answer->variables->name[6] != 9586)
			break;
		name.n = 0;
		for (size_t i = 0; i < answer->variables->name_length; i++)
			mib_oid_add(&name, (uint32_t)answer->variables->name[i]);
		snmp_free_pdu(answer);
		ck_assert_uint_lt(n, 1000);
	}
	snmp_free_pdu(answer);
	ck_assert_uint_gt(n, 250);
	/* The last one met lies in the last subtree. */
	ck_assert_uint_eq(name.id[9], 3);
}
END_TEST

START_TEST(test_bulk)
{
	netsnmp_pdu *answer = ask(SNMP_MSG_GETBULK, OID(MIB_KEEPALIVED, 2, 3, 1, 36, 3));
	unsigned n = 0;

	/* Behind the instances come the addresses; rows of the same column first. */
	for (netsnmp_variable_list *v = answer->variables; v; v = v->next_variable, n++)
		ck_assert_uint_eq(v->name[10], 6);
	ck_assert_uint_eq(n, 20);
	snmp_free_pdu(answer);
}
END_TEST

START_TEST(test_set_is_refused)
{
	netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_SET), *answer = NULL;
	const oid name[] = {MIB_KEEPALIVED, 2, 3, 1, 7, 1};
	long value = 5;

	pdu->flags |= UCD_MSG_FLAG_ALWAYS_IN_VIEW;
	snmp_pdu_add_variable(pdu, name, OID_LENGTH(name), ASN_INTEGER, &value, sizeof(value));
	ck_assert_int_eq(snmp_synch_response(session, pdu, &answer), STAT_SUCCESS);
	ck_assert_int_eq(answer->errstat, SNMP_ERR_NOTWRITABLE);
	snmp_free_pdu(answer);
}
END_TEST

START_TEST(test_a_mib_can_be_taken_back)
{
	netsnmp_pdu *answer;

	ck_assert_int_eq(agent_enable(&mib_keepalived_vrrp, true), 0); /* again: no harm */
	ck_assert_int_eq(agent_enable(&mib_keepalived_vrrp, false), 0);
	answer = ask(SNMP_MSG_GET, OID(MIB_KEEPALIVED, 2, 3, 1, 2, 1));
	ck_assert_int_ne(answer->variables->type, ASN_OCTET_STR);
	snmp_free_pdu(answer);
	ck_assert_int_eq(agent_enable(&mib_keepalived_vrrp, true), 0);
	answer = ask(SNMP_MSG_GET, OID(MIB_KEEPALIVED, 2, 3, 1, 2, 1));
	ck_assert_int_eq(answer->variables->type, ASN_OCTET_STR);
	snmp_free_pdu(answer);
}
END_TEST

START_TEST(test_without_configuration_there_is_nothing)
{
	netsnmp_pdu *answer;

	have_conf = false;
	answer = ask(SNMP_MSG_GET, OID(MIB_KEEPALIVED, 2, 3, 1, 2, 1));
	ck_assert_int_eq(answer->variables->type, SNMP_NOSUCHINSTANCE);
	snmp_free_pdu(answer);
}
END_TEST

/* ---- what a master asks: ranges, answered without the library's own agent ---- */
static struct mib_snapshot direct[3];

static netsnmp_pdu *direct_request(int type)
{
	netsnmp_pdu *pdu = snmp_pdu_create(type);

	pdu->sessid = 7;
	pdu->transid = 8;
	pdu->reqid = 9;
	return pdu;
}

static void direct_range(netsnmp_pdu *pdu, const struct mib_oid *start, bool is_inclusive, const struct mib_oid *end)
{
	oid from[MIB_OID_MAX], to[MIB_OID_MAX];
	size_t n = library_oid(from, start), n_end = library_oid(to, end);

	snmp_pdu_add_variable(
		pdu, from, n, is_inclusive ? ASN_PRIV_INCL_RANGE : ASN_PRIV_EXCL_RANGE, to, n_end * sizeof(oid));
}

static netsnmp_pdu *direct_answer(netsnmp_pdu *request, bool with_view)
{
	/* In no particular order, with a hole: as the slots of an agent are. */
	static const struct mib *const mibs[] = {&mib_keepalived_check, &mib_keepalived_global, &mib_keepalived_vrrp};
	struct mib_snapshot *snapshots[4] = {&direct[0], NULL, &direct[1], &direct[2]};
	netsnmp_pdu *answer;

	for (unsigned i = 0; i < 3; i++) {
		if (!direct[i].rows)
			ck_assert_int_eq(mib_snapshot_init(&direct[i], mibs[i]), 0);
		mib_snapshot_refresh(&direct[i], &site.view, 0);
	}
	answer = agent_answer(request, snapshots, 4, with_view ? &site.view : NULL);
	snmp_free_pdu(request);
	return answer;
}

static void check_name(const netsnmp_variable_list *var, const struct mib_oid *name)
{
	struct mib_oid have;

	library_to_oid(&have, var->name, var->name_length);
	ck_assert_int_eq(mib_oid_compare(&have, name), 0);
}

START_TEST(test_ranges_have_ends)
{
	const struct mib_oid *name_1 = OID(MIB_KEEPALIVED, 2, 3, 1, 2, 1);
	struct mib_oid no_end = {0};
	netsnmp_pdu *request = direct_request(AGENTX_GET_NEXT), *answer;
	netsnmp_variable_list *var;

	direct_range(request, name_1, false, &no_end);                                    /* the next one */
	direct_range(request, name_1, true, OID(0, 0));                                   /* itself */
	direct_range(request, name_1, false, OID(MIB_KEEPALIVED, 2, 3, 1, 2, 2));         /* nothing before the end */
	direct_range(request, OID(MIB_KEEPALIVED, 1, 99), false, &no_end);                /* into the next subtree */
	direct_range(request, OID(MIB_KEEPALIVED, 1, 99), false, OID(MIB_KEEPALIVED, 2)); /* but not over its end */
	direct_range(request, OID(MIB_KEEPALIVED, 3, 99), false, &no_end);                /* behind everything */
	answer = direct_answer(request, true);
	ck_assert_ptr_nonnull(answer);
	ck_assert_int_eq(answer->command, AGENTX_RESPONSE);
	ck_assert_int_eq(answer->sessid, 7);
	ck_assert_int_eq(answer->transid, 8);
	ck_assert_int_eq(answer->reqid, 9);
	ck_assert_int_eq(answer->errstat, 0);
	var = answer->variables;
	check_name(var, OID(MIB_KEEPALIVED, 2, 3, 1, 2, 2));
	ck_assert_int_eq(var->type, ASN_OCTET_STR);
	var = var->next_variable;
	check_name(var, name_1);
	ck_assert_mem_eq(var->val.string, "VI_1", 4);
	var = var->next_variable;
	check_name(var, name_1);
	ck_assert_int_eq(var->type, SNMP_ENDOFMIBVIEW);
	var = var->next_variable;
	ck_assert_uint_eq(var->name[9], 2);
	ck_assert_int_ne(var->type, SNMP_ENDOFMIBVIEW);
	var = var->next_variable;
	ck_assert_int_eq(var->type, SNMP_ENDOFMIBVIEW);
	var = var->next_variable;
	ck_assert_int_eq(var->type, SNMP_ENDOFMIBVIEW);
	ck_assert_ptr_null(var->next_variable);
	snmp_free_pdu(answer);
}
END_TEST

START_TEST(test_exact_names_are_answered_at_once)
{
	struct mib_oid no_end = {0};
	netsnmp_pdu *request = direct_request(AGENTX_GET), *answer;

	direct_range(request, OID(MIB_KEEPALIVED, 2, 3, 1, 2, 1), false, &no_end);
	direct_range(request, OID(MIB_KEEPALIVED, 3, 4, 1, 6, 1, 1), false, &no_end);
	answer = direct_answer(request, true);
	ck_assert_mem_eq(answer->variables->val.string, "VI_1", 4);
	ck_assert_int_eq(answer->variables->next_variable->type, SNMP_NOSUCHINSTANCE);
	snmp_free_pdu(answer);
	request = direct_request(AGENTX_GET);
	direct_range(request, OID(MIB_KEEPALIVED, 2, 3, 1, 2, 1), false, &no_end);
	answer = direct_answer(request, false);
	ck_assert_int_eq(answer->variables->type, SNMP_NOSUCHINSTANCE);
	snmp_free_pdu(answer);
}
END_TEST

START_TEST(test_other_requests_are_the_librarys)
{
	netsnmp_pdu *request = direct_request(AGENTX_RESPONSE);

	ck_assert(!agent_can_answer(request));
	ck_assert_ptr_null(agent_answer(request, NULL, 0, &site.view));
	request->command = AGENTX_GET;
	ck_assert(agent_can_answer(request));
	request->community = (u_char *)strdup("context");
	request->community_len = 7;
	ck_assert(!agent_can_answer(request));
	snmp_free_pdu(request);
}
END_TEST

START_TEST(test_nothing_is_sent_without_a_session)
{
	static const struct trap trap = {.oid = MIB_OID(MIB_POISE, 0, 1)};

	ck_assert(!agent_is_open());
	ck_assert(!agent_can_send());
	ck_assert_int_eq(agent_send(&trap), -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("snmp agent");
	TCase *tc = tcase_create("agent");
	SRunner *runner;
	int failed;

	/* The library is made for one agent a process: each test runs in its own (Check forks). */
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, test_get);
	tcase_add_test(tc, test_get_of_an_absent_cell);
	tcase_add_test(tc, test_walk_crosses_subtrees);
	tcase_add_test(tc, test_bulk);
	tcase_add_test(tc, test_set_is_refused);
	tcase_add_test(tc, test_a_mib_can_be_taken_back);
	tcase_add_test(tc, test_without_configuration_there_is_nothing);
	tcase_add_test(tc, test_ranges_have_ends);
	tcase_add_test(tc, test_exact_names_are_answered_at_once);
	tcase_add_test(tc, test_other_requests_are_the_librarys);
	tcase_add_test(tc, test_nothing_is_sent_without_a_session);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
