/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the vrrp process writes down without acting on it: whose advertisements it hears, and how its interfaces fare.
 * Each change is an event; a steady stream is a count on the board. Never sends, never steps a state machine. */
#include "vrrp_process.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- advertisements ---- */
static uint32_t board_index(const struct vrrp_instance *instance, uint32_t run)
{
	return instance->index * HEARD_SENDERS + run;
}

void vrrp_record_store(const struct vrrp_set *set, struct board *board)
{
	for (uint32_t i = 0; i < set->conf->n_instances; i++)
		for (uint32_t run = 0; run < HEARD_SENDERS; run++)
			board_store(board, VRRP_TABLE_HEARD, board_index(&set->instances[i], run),
				&set->instances[i].heard.runs[run], sizeof(struct status_heard));
}

void vrrp_record_adopt(struct vrrp_instance *instance, const struct board *board)
{
	for (uint32_t run = 0; run < HEARD_SENDERS; run++) {
		struct status_heard *to = &instance->heard.runs[run];

		if (board_load(board, VRRP_TABLE_HEARD, board_index(instance, run), to, sizeof(*to)) < 0)
			*to = (struct status_heard){0};
	}
}

/* "192.0.2.3 advertises priority 100, was 150: 3412 advertisements until 12:56:53" */
static void heard_why(char *why, size_t size, const struct vrrp_heard_advert *advert, enum vrrp_heard_news news,
	const struct status_heard *before)
{
	char buf[ADDR_TEXT], was[80] = "";
	int64_t silence_ms = (advert->real_us - before->last_real_us) / US_PER_MS;

	addr_format(&advert->sender, buf);
	switch (news) {
	case HEARD_SAME:
	case HEARD_NEW:
		break;
	case HEARD_PRIORITY:
		snprintf(was, sizeof(was), ", was %u for %llu advertisements", before->priority,
			(unsigned long long)before->count);
		break;
	case HEARD_JUDGED:
		snprintf(was, sizeof(was), "; %llu before were dropped (%.30s)", (unsigned long long)before->count,
			vrrp_drop_name((enum vrrp_drop)before->drop));
		break;
	case HEARD_AGAIN:
		snprintf(was, sizeof(was), " again after %lld.%03lld s of silence", (long long)(silence_ms / 1000),
			(long long)(silence_ms % 1000));
		break;
	}
	if (advert->priority == VRRP_PRIORITY_LEAVING)
		snprintf(why, size, "%s says that it lets go (priority 0)%s", buf, was);
	else
		snprintf(why, size, "%s advertises priority %u%s", buf, advert->priority, was);
}

void vrrp_record_advert(struct vrrp_instance *instance, const struct addr *sender, const struct vrrp_advert *advert,
	enum vrrp_drop drop)
{
	const struct vrrp_heard_advert heard = {.sender = *sender,
		.priority = advert ? advert->priority : 0,
		.drop = drop,
		.interval_us = advert && advert->interval_us > 0 ? advert->interval_us : instance->conf->advert_us,
		.now = mono_now(),
		.real_us = real_now_us()};
	struct status_heard before;
	enum vrrp_heard_news news;
	char why[WHY_SIZE];
	uint32_t run;

	news = vrrp_heard_take(&instance->heard, &heard, &run, &before);
	role_store_quiet(instance->process->role, VRRP_TABLE_HEARD, board_index(instance, run),
		&instance->heard.runs[run], sizeof(struct status_heard));
	/* Of those that are dropped EVENT_PROTOCOL tells, with the reason. */
	if (news == HEARD_SAME || drop != VRRP_DROP_NONE || !vrrp_heard_may_tell(&instance->heard, heard.now))
		return;
	heard_why(why, sizeof(why), &heard, news, &before);
	vrrp_report_event(
		instance->process, EVENT_ADVERT, instance->index, before.priority, heard.priority, instance->name, why);
}

/* ---- interfaces ---- */
static bool is_listed(const struct vrrp_links_seen *seen, const struct conf *conf, conf_string_t name)
{
	for (uint32_t i = 0; i < seen->n; i++) {
		if (strcmp(conf_string(conf, seen->link[i].name), conf_string(conf, name)) == 0)
			return true;
	}
	return false;
}

int vrrp_record_init(struct vrrp_links_seen *seen, const struct conf *conf)
{
	seen->link = calloc(conf->n_instances + conf->n_tracks + 1, sizeof(*seen->link));
	if (!seen->link)
		return -1;
	for (uint32_t i = 0; i < conf->n_instances + conf->n_tracks; i++) {
		const struct conf_track *track = i < conf->n_instances ? NULL : &conf->tracks[i - conf->n_instances];
		conf_string_t name = track ? track->name : conf->instances[i].interface;

		if ((!track || track->kind == CONF_TRACK_INTERFACE) && !is_listed(seen, conf, name))
			seen->link[seen->n++].name = name;
	}
	return 0;
}

/* The first look has nothing to compare with: how an interface is at the start is in the states of the instances. */
void vrrp_record_links(struct vrrp_process *process)
{
	struct vrrp_set *set = process->set;

	for (uint32_t i = 0; i < set->seen.n; i++) {
		struct vrrp_link_seen *seen = &set->seen.link[i];
		const char *name = conf_string(set->conf, seen->name);
		const struct link *link = links_find_name(&process->monitor.links, name);
		uint32_t state = link && link_is_running(link) ? VRRP_LINK_UP : VRRP_LINK_DOWN, before = seen->state;
		char why[WHY_SIZE];

		if (state == before)
			continue;
		seen->state = state;
		if (before == VRRP_LINK_UNKNOWN)
			continue;
		link_fault(link, name, why, sizeof(why));
		if (state == VRRP_LINK_UP)
			snprintf(why, sizeof(why), "interface %s is up and has carrier", name);
		log_info("vrrp: %s", why);
		vrrp_report_event(process, EVENT_LINK, link ? link->ifindex : 0, before == VRRP_LINK_UP,
			state == VRRP_LINK_UP, name, why);
	}
}

void vrrp_record_take_over(struct vrrp_set *set, const struct vrrp_set *old)
{
	for (uint32_t i = 0; i < set->seen.n; i++) {
		const char *name = conf_string(set->conf, set->seen.link[i].name);

		for (uint32_t j = 0; j < old->seen.n; j++) {
			if (strcmp(conf_string(old->conf, old->seen.link[j].name), name) == 0)
				set->seen.link[i].state = old->seen.link[j].state;
		}
	}
}
