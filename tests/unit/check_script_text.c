/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events as lines of a FIFO and as mail. */
#include "../../daemon/script/script_text.h"
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT "\0one\0G\0lb1\0a@example.org\nb@example.org\0lb@example.org\0ev\nil"
#define ONE 1
#define G 5
#define LB1 7
#define EMAILS 11
#define FROM 39
#define EVIL 54

static struct conf_global global;
static struct conf_instance instance;
static struct conf_group group;
static struct conf_service services[3];
static struct conf_service_group service_group;
static struct conf_server server;
static struct conf conf;
static char line[SCRIPT_LINE_SIZE];

static void setup(void)
{
	global = (struct conf_global){.node = LB1, .notification_emails = EMAILS, .notification_email_from = FROM};
	instance = (struct conf_instance){.name = ONE, .smtp_alert = 1, .group = CONF_NONE};
	group = (struct conf_group){.name = G, .smtp_alert = 1};
	memset(services, 0, sizeof(services));
	ck_assert_int_eq(addr_parse("192.0.2.10", &services[0].addr), 0);
	services[0].port = 80;
	services[0].protocol = IPPROTO_TCP;
	services[0].smtp_alert = 1;
	services[1].kind = CONF_SERVICE_FWMARK;
	services[1].fwmark = 7;
	services[2].kind = CONF_SERVICE_GROUP;
	services[2].protocol = IPPROTO_UDP;
	service_group.name = G;
	memset(&server, 0, sizeof(server));
	ck_assert_int_eq(addr_parse("2001:db8::5", &server.addr), 0);
	server.port = 8080;
	server.smtp_alert = 1;
	conf = (struct conf){.strings = TEXT,
		.n_strings = sizeof(TEXT),
		.global = &global,
		.instances = &instance,
		.n_instances = 1,
		.groups = &group,
		.n_groups = 1,
		.services = services,
		.n_services = 3,
		.service_groups = &service_group,
		.n_service_groups = 1,
		.servers = &server,
		.n_servers = 1};
}

static enum script_fifo tell(struct event event)
{
	line[0] = '\0';
	return script_text_line(&conf, &event, line);
}

START_TEST(lines_are_those_of_keepalived)
{
	ck_assert_int_eq(
		tell((struct event){.kind = EVENT_INSTANCE, .to = VRRP_MASTER, .priority = 100}), SCRIPT_FIFO_VRRP);
	ck_assert_str_eq(line, "INSTANCE \"one\" MASTER 100\n");
	tell((struct event){.kind = EVENT_INSTANCE, .to = VRRP_INIT, .priority = 100});
	ck_assert_str_eq(line, "INSTANCE \"one\" STOP 100\n");
	tell((struct event){.kind = EVENT_INSTANCE, .to = VRRP_INIT, .priority = 100, .is_deleted = 1});
	ck_assert_str_eq(line, "INSTANCE \"one\" DELETED 100\n");
	tell((struct event){.kind = EVENT_GROUP, .to = VRRP_FAULT, .priority = 100});
	ck_assert_str_eq(line, "GROUP \"G\" FAULT 0\n");
	tell((struct event){.kind = EVENT_LOWER, .to = VRRP_MASTER, .priority = 100});
	ck_assert_str_eq(line, "INSTANCE \"one\" MASTER_RX_LOWER_PRI 100\n");
	ck_assert_int_eq(tell((struct event){.kind = EVENT_QUORUM, .to = 1}), SCRIPT_FIFO_LVS);
	ck_assert_str_eq(line, "VS [192.0.2.10]:tcp:80 UP\n");
	tell((struct event){.kind = EVENT_QUORUM, .object = 1});
	ck_assert_str_eq(line, "VS FWM 7 DOWN\n");
	tell((struct event){.kind = EVENT_QUORUM, .object = 2});
	ck_assert_str_eq(line, "VS [G]:udp DOWN\n");
	ck_assert_int_eq(tell((struct event){.kind = EVENT_SERVER, .to = HEALTH_DOWN}), SCRIPT_FIFO_LVS);
	ck_assert_str_eq(line, "RS [2001:db8::5]:tcp:8080 [192.0.2.10]:tcp:80 DOWN\n");
	ck_assert_int_eq(tell((struct event){.kind = EVENT_CONFIG}), SCRIPT_FIFO_NONE);
	ck_assert_int_eq(tell((struct event){.kind = EVENT_SERVER, .object = 9}), SCRIPT_FIFO_NONE);
}
END_TEST

START_TEST(priorities_are_told_where_asked_for)
{
	const struct event event = {.kind = EVENT_PRIORITY, .to = VRRP_BACKUP, .priority = 90};

	ck_assert_int_eq(tell(event), SCRIPT_FIFO_NONE);
	instance.notify_priority = 1;
	ck_assert_int_eq(tell(event), SCRIPT_FIFO_VRRP);
	ck_assert_str_eq(line, "INSTANCE \"one\" BACKUP_PRIORITY 90\n");
	ck_assert_int_eq(tell((struct event){.kind = EVENT_PRIORITY, .to = VRRP_FAULT}), SCRIPT_FIFO_NONE);
}
END_TEST

START_TEST(a_generation_that_is_gone_is_told_by_the_event_alone)
{
	const struct event event = {.kind = EVENT_INSTANCE, .to = VRRP_BACKUP, .priority = 7, .name = "old\nname"};

	ck_assert_int_eq(script_text_line(NULL, &event, line), SCRIPT_FIFO_VRRP);
	ck_assert_str_eq(line, "INSTANCE \"old?name\" BACKUP 7\n");
	ck_assert_int_eq(script_text_line(NULL, &(struct event){.kind = EVENT_SERVER}, line), SCRIPT_FIFO_NONE);
}
END_TEST

static bool mail(struct event event, char **text)
{
	*text = NULL;
	snprintf(event.why, sizeof(event.why), "no advertisement");
	event.real_us = 86400LL * 1000000;
	return script_text_mail(&conf, &event, 2 * 86400, text);
}

START_TEST(a_mail_is_whole)
{
	char *text;

	ck_assert(mail((struct event){.kind = EVENT_INSTANCE, .to = VRRP_MASTER}, &text));
	ck_assert_str_eq(text, "Date: Sat, 03 Jan 1970 00:00:00 +0000\r\nFrom: <lb@example.org>\r\n"
			       "To: <a@example.org>,\r\n <b@example.org>\r\n"
			       "Subject: [lb1] VRRP Instance one - Entering MASTER state\r\n"
			       "X-Mailer: Poise\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
			       "=> VRRP Instance one - Entering MASTER state <=\r\n\r\nReason: no advertisement\r\n"
			       "When:   1970-01-02 00:00:00 UTC\r\nNode:   lb1\r\n");
	free(text);
	/* A name cannot add headers. */
	instance.name = EVIL;
	ck_assert(mail((struct event){.kind = EVENT_INSTANCE, .to = VRRP_MASTER}, &text));
	ck_assert_ptr_nonnull(strstr(text, "Subject: [lb1] VRRP Instance ev?il - Entering MASTER state\r\n"));
	free(text);
}
END_TEST

START_TEST(mail_is_for_who_asks)
{
	char *text;

	instance.smtp_alert = 0;
	ck_assert(!mail((struct event){.kind = EVENT_INSTANCE, .to = VRRP_MASTER}, &text));
	ck_assert(mail((struct event){.kind = EVENT_GROUP, .to = VRRP_FAULT}, &text));
	free(text);
	global.no_email_faults = 1;
	ck_assert(!mail((struct event){.kind = EVENT_GROUP, .to = VRRP_FAULT}, &text));
	/* That a server answers at the first look is no news; that it does not is. */
	ck_assert(!mail((struct event){.kind = EVENT_SERVER, .from = HEALTH_UNKNOWN, .to = HEALTH_UP}, &text));
	ck_assert(mail((struct event){.kind = EVENT_SERVER, .from = HEALTH_UNKNOWN, .to = HEALTH_DOWN}, &text));
	free(text);
	ck_assert(mail((struct event){.kind = EVENT_QUORUM, .to = 0}, &text));
	free(text);
	ck_assert(!mail((struct event){.kind = EVENT_QUORUM, .object = 1, .to = 0}, &text));
	ck_assert(!mail((struct event){.kind = EVENT_CONFIG}, &text));
	global.notification_emails = 0;
	ck_assert(!mail((struct event){.kind = EVENT_QUORUM, .to = 0}, &text));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("script_text");
	TCase *tc = tcase_create("text");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, lines_are_those_of_keepalived);
	tcase_add_test(tc, priorities_are_told_where_asked_for);
	tcase_add_test(tc, a_generation_that_is_gone_is_told_by_the_event_alone);
	tcase_add_test(tc, a_mail_is_whole);
	tcase_add_test(tc, mail_is_for_who_asks);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
