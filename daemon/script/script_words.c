/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words about notifications; pure, used by the script process and its tests. It starts nothing. */
#include "script_words.h"

#include <stdio.h>
#include <string.h>

const char *script_words_event(enum conf_notify_event event)
{
	switch (event) {
	case CONF_NOTIFY_MASTER:
		return "MASTER";
	case CONF_NOTIFY_BACKUP:
		return "BACKUP";
	case CONF_NOTIFY_FAULT:
		return "FAULT";
	case CONF_NOTIFY_STOP:
		return "STOP";
	case CONF_NOTIFY_UP:
		return "UP";
	case CONF_NOTIFY_DOWN:
		return "DOWN";
	case CONF_NOTIFY_QUORUM_UP:
		return "QUORUM_UP";
	case CONF_NOTIFY_QUORUM_DOWN:
		return "QUORUM_DOWN";
	case CONF_NOTIFY_DELETED:
		return "DELETED";
	case CONF_NOTIFY_LOWER_PRI:
		return "MASTER_RX_LOWER_PRI";
	case CONF_NOTIFY_ANY:
		break;
	}
	return "UNKNOWN";
}

static const char *vrrp_name(const struct conf *conf, const struct conf_notify *notify)
{
	if (notify->owner == CONF_OWNER_INSTANCE && notify->object < conf->n_instances)
		return conf_string(conf, conf->instances[notify->object].name);
	if (notify->owner == CONF_OWNER_GROUP && notify->object < conf->n_groups)
		return conf_string(conf, conf->groups[notify->object].name);
	return "";
}

int script_words_arguments(const struct conf *conf, const struct conf_notify *notify, enum conf_notify_event event,
	uint32_t priority, char priority_text[WORDS_PRIORITY_SIZE], const char *out[5])
{
	out[0] = NULL;
	if (notify->event != CONF_NOTIFY_ANY)
		return 0;
	if (notify->owner != CONF_OWNER_INSTANCE && notify->owner != CONF_OWNER_GROUP)
		return 0;
	snprintf(priority_text, WORDS_PRIORITY_SIZE, "%u", priority);
	out[0] = notify->owner == CONF_OWNER_GROUP ? "GROUP" : "INSTANCE";
	out[1] = vrrp_name(conf, notify);
	out[2] = script_words_event(event);
	out[3] = priority_text;
	out[4] = NULL;
	return 4;
}

const char *script_words_owner(const struct conf *conf, const struct conf_notify *notify, char *buf)
{
	char name[CONF_NAME_SIZE];

	switch ((enum conf_owner)notify->owner) {
	case CONF_OWNER_INSTANCE:
		snprintf(buf, WORDS_OWNER_SIZE, "instance %.190s", vrrp_name(conf, notify));
		return buf;
	case CONF_OWNER_GROUP:
		snprintf(buf, WORDS_OWNER_SIZE, "group %.190s", vrrp_name(conf, notify));
		return buf;
	case CONF_OWNER_SERVER:
		if (notify->object < conf->n_servers) {
			snprintf(buf, WORDS_OWNER_SIZE, "server %s", conf_server_name(conf, notify->object, name));
			return buf;
		}
		break;
	case CONF_OWNER_SERVICE:
		if (notify->object < conf->n_services) {
			snprintf(buf, WORDS_OWNER_SIZE, "service %s", conf_service_name(conf, notify->object, name));
			return buf;
		}
		break;
	}
	snprintf(buf, WORDS_OWNER_SIZE, "object %u", notify->object);
	return buf;
}

static uint64_t hash(uint64_t sum, const char *text)
{
	/* FNV-1a, the final zero included. */
	do {
		sum = (sum ^ (unsigned char)*text) * 0x100000001b3ULL;
	} while (*text++);
	return sum;
}

uint64_t script_words_key(const struct conf *conf, const struct conf_notify *notify)
{
	char owner[WORDS_OWNER_SIZE], service[CONF_NAME_SIZE];
	uint64_t sum = hash(0xcbf29ce484222325ULL, script_words_owner(conf, notify, owner));

	/* The same server may be in several services. */
	if (notify->owner == CONF_OWNER_SERVER && notify->object < conf->n_servers)
		sum = hash(sum, conf_service_name(conf, conf->servers[notify->object].service, service));
	return sum;
}
