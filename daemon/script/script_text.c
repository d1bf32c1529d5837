/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of notifications: one line for a FIFO, a mail for people. Pure; part of the script process. Names come from the
 * configuration and may hold anything but a line break by the time they are printed. */
#include "script_text.h"

#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *state_word(uint32_t state)
{
	static const char *const words[] = {
		[VRRP_INIT] = "STOP", [VRRP_BACKUP] = "BACKUP", [VRRP_MASTER] = "MASTER", [VRRP_FAULT] = "FAULT"};

	return state <= VRRP_FAULT ? words[state] : "UNKNOWN";
}

/* A name that cannot end its line, or its header, early. */
static const char *safe(const char *text, char *buf, size_t size)
{
	snprintf(buf, size, "%s", text);
	for (char *p = buf; *p; p++) {
		if (iscntrl((unsigned char)*p))
			*p = '?';
	}
	return buf;
}

static const char *protocol_word(uint32_t protocol)
{
	return protocol == IPPROTO_UDP ? "udp" : protocol == IPPROTO_SCTP ? "sctp" : "tcp";
}

/* "[192.0.2.1]:tcp:80", "FWM 5", "[GROUP]:tcp" */
static void service_text(const struct conf *conf, conf_index_t service, char *buf, size_t size)
{
	const struct conf_service *s = &conf->services[service];
	char text[ADDR_TEXT];

	switch ((enum conf_service_kind)s->kind) {
	case CONF_SERVICE_ADDRESS:
		snprintf(buf, size, "[%s]:%s:%u", addr_format(&s->addr, text), protocol_word(s->protocol), s->port);
		return;
	case CONF_SERVICE_FWMARK:
		snprintf(buf, size, "FWM %u", s->fwmark);
		return;
	case CONF_SERVICE_GROUP:
		snprintf(buf, size, "[%.120s]:%s",
			s->group < conf->n_service_groups ? conf_string(conf, conf->service_groups[s->group].name) : "",
			protocol_word(s->protocol));
		return;
	}
}

static void server_text(const struct conf *conf, conf_index_t server, char *buf, size_t size)
{
	const struct conf_server *r = &conf->servers[server];
	const struct conf_service *s = &conf->services[r->service];
	char text[ADDR_TEXT];

	snprintf(buf, size, "[%s]:%s:%u", addr_format(&r->addr, text), protocol_word(s->protocol), r->port);
}

void script_text_state(bool is_group, const char *name, uint32_t state, uint32_t priority, char line[SCRIPT_LINE_SIZE])
{
	char buf[CONF_NAME_SIZE];

	snprintf(line, SCRIPT_LINE_SIZE, "%s \"%s\" %s %u\n", is_group ? "GROUP" : "INSTANCE",
		safe(name, buf, sizeof(buf)), state_word(state), is_group ? 0 : priority);
}

/* The longest name is longer than what an event has room for. */
static const char *object_name(const struct conf *conf, const struct event *event)
{
	if (conf && event->kind == EVENT_GROUP && event->object < conf->n_groups)
		return conf_string(conf, conf->groups[event->object].name);
	if (conf && event->kind != EVENT_GROUP && event->object < conf->n_instances)
		return conf_string(conf, conf->instances[event->object].name);
	return event->name;
}

static enum script_fifo vrrp_line(const struct conf *conf, const struct event *event, char *line)
{
	char buf[CONF_NAME_SIZE];
	const char *name = safe(object_name(conf, event), buf, sizeof(buf));

	switch (event->kind) {
	case EVENT_INSTANCE:
	case EVENT_GROUP:
		script_text_state(event->kind == EVENT_GROUP, name, event->to, event->priority, line);
		if (event->is_deleted)
			snprintf(line, SCRIPT_LINE_SIZE, "INSTANCE \"%s\" DELETED %u\n", name, event->priority);
		return SCRIPT_FIFO_VRRP;
	case EVENT_PRIORITY:
		if (!conf || event->object >= conf->n_instances || !conf->instances[event->object].notify_priority ||
			(event->to != VRRP_MASTER && event->to != VRRP_BACKUP))
			return SCRIPT_FIFO_NONE;
		snprintf(line, SCRIPT_LINE_SIZE, "INSTANCE \"%s\" %s_PRIORITY %u\n", name, state_word(event->to),
			event->priority);
		return SCRIPT_FIFO_VRRP;
	case EVENT_LOWER:
		snprintf(line, SCRIPT_LINE_SIZE, "INSTANCE \"%s\" MASTER_RX_LOWER_PRI %u\n", name, event->priority);
		return SCRIPT_FIFO_VRRP;
	}
	return SCRIPT_FIFO_NONE;
}

enum script_fifo script_text_line(const struct conf *conf, const struct event *event, char line[SCRIPT_LINE_SIZE])
{
	char service[CONF_NAME_SIZE], server[CONF_NAME_SIZE];

	if (event->kind == EVENT_QUORUM && conf && event->object < conf->n_services) {
		service_text(conf, event->object, service, sizeof(service));
		snprintf(line, SCRIPT_LINE_SIZE, "VS %s %s\n", service, event->to ? "UP" : "DOWN");
		return SCRIPT_FIFO_LVS;
	}
	if (event->kind == EVENT_SERVER && conf && event->object < conf->n_servers) {
		server_text(conf, event->object, server, sizeof(server));
		service_text(conf, conf->servers[event->object].service, service, sizeof(service));
		snprintf(line, SCRIPT_LINE_SIZE, "RS %s %s %s\n", server, service,
			event->to == HEALTH_UP ? "UP" : "DOWN");
		return SCRIPT_FIFO_LVS;
	}
	return vrrp_line(conf, event, line);
}

/* ---- mail ---- */

/* The subject; false when the object wants no mail. */
static bool subject_of(const struct conf *conf, const struct event *event, char *out, size_t size)
{
	char service[CONF_NAME_SIZE], server[CONF_NAME_SIZE];
	bool is_fault = (event->kind == EVENT_INSTANCE || event->kind == EVENT_GROUP) && event->to == VRRP_FAULT;

	if (is_fault && conf->global->no_email_faults)
		return false;
	if (event->kind == EVENT_INSTANCE && event->object < conf->n_instances) {
		snprintf(out, size, "VRRP Instance %s - %s %s state", object_name(conf, event),
			event->is_deleted ? "deleted, entering" : "Entering", state_word(event->to));
		return conf->instances[event->object].smtp_alert;
	}
	if (event->kind == EVENT_GROUP && event->object < conf->n_groups) {
		snprintf(out, size, "VRRP Group %s - Entering %s state", object_name(conf, event),
			state_word(event->to));
		return conf->groups[event->object].smtp_alert;
	}
	if (event->kind == EVENT_SERVER && event->object < conf->n_servers) {
		/* The first look at a server that answers is no news. */
		if (event->from == HEALTH_UNKNOWN && event->to == HEALTH_UP)
			return false;
		server_text(conf, event->object, server, sizeof(server));
		service_text(conf, conf->servers[event->object].service, service, sizeof(service));
		snprintf(out, size, "Realserver %s of virtual server %s - %s", server, service,
			event->to == HEALTH_UP ? "UP" : "DOWN");
		return conf->servers[event->object].smtp_alert;
	}
	if (event->kind == EVENT_QUORUM && event->object < conf->n_services) {
		service_text(conf, event->object, service, sizeof(service));
		snprintf(out, size, "Virtual server %s - %s", service, event->to ? "UP" : "DOWN");
		return conf->services[event->object].smtp_alert;
	}
	return false;
}

static void put_recipients(FILE *f, const char *emails)
{
	const char *between = "To: ";

	while (*emails) {
		size_t n = strcspn(emails, "\n");

		fprintf(f, "%s<%.*s>", between, (int)n, emails);
		between = ",\r\n ";
		emails += n + (emails[n] != '\0');
	}
	fprintf(f, "\r\n");
}

bool script_text_mail(const struct conf *conf, const struct event *event, int64_t now, char **out)
{
	char subject[2 * CONF_NAME_SIZE + 64], clean[2 * CONF_NAME_SIZE + 64], node[CONF_NAME_SIZE], date[64] = "";
	const char *emails = conf_string(conf, conf->global->notification_emails);
	time_t when = (time_t)now, happened = (time_t)(event->real_us / 1000000);
	char happened_at[64] = "";
	struct tm tm;
	size_t size;
	FILE *f;

	if (!*emails || !subject_of(conf, event, subject, sizeof(subject)))
		return false;
	f = open_memstream(out, &size);
	if (!f)
		return false;
	/* The names of days and months are those of the C locale: nothing here sets another. */
	if (gmtime_r(&when, &tm))
		strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &tm);
	if (gmtime_r(&happened, &tm))
		strftime(happened_at, sizeof(happened_at), "%Y-%m-%d %H:%M:%S UTC", &tm);
	fprintf(f, "Date: %s\r\nFrom: <%s>\r\n", date, conf_string(conf, conf->global->notification_email_from));
	put_recipients(f, emails);
	fprintf(f, "Subject: [%s] %s\r\n", safe(conf_string(conf, conf->global->node), node, sizeof(node)),
		safe(subject, clean, sizeof(clean)));
	fprintf(f, "X-Mailer: Poise\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
	fprintf(f, "=> %s <=\r\n\r\nReason: %s\r\nWhen:   %s\r\nNode:   %s\r\n", clean,
		safe(event->why, subject, sizeof(subject)), happened_at, node);
	if (fclose(f) == 0)
		return true;
	free(*out);
	return false;
}
