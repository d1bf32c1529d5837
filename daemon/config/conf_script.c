/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vrrp_script and vrrp_sync_group. Runs in the config role; members and scripts are looked up at the end. */
#include "conf_track.h"
#include <string.h>

#define LONGEST (4294 * CONF_S) /* keepalived counts microseconds in 32 bits; what is longer it ignores */

static void apply_script(struct conf_load *load, const struct conf_node *node)
{
	struct conf_command command;
	struct conf_script *s;

	if (!conf_command(load, node, 1, true, &command))
		return;
	conf_current_extra_write(load, CONF_TABLE_SCRIPT)->program_missing =
		load->program_missing && load->dialect == CONF_DIALECT_KEEPALIVED;
	s = conf_current(load, CONF_TABLE_SCRIPT);
	command.user = s->command.user;
	command.group = s->command.group;
	s->command = command;
}

static void apply_user(struct conf_load *load, const struct conf_node *node)
{
	struct conf_script *s = conf_current(load, CONF_TABLE_SCRIPT);
	conf_string_t user = conf_text(load, conf_word(node, 1)), group = conf_text(load, conf_word(node, 2));

	if (!user)
		conf_error(load, node, 0, "user needs the name of a user");
	s->command.user = user;
	s->command.group = group;
	conf_current_extra_write(load, CONF_TABLE_SCRIPT)->user_missing =
		!conf_user_exists(load, node, 1, "nothing tracks this script, as keepalived does") &&
		load->dialect == CONF_DIALECT_KEEPALIVED;
	conf_extra_words(load, node, 3);
}

static void apply_weight(struct conf_load *load, const struct conf_node *node)
{
	struct conf_script *s = conf_current(load, CONF_TABLE_SCRIPT);
	int64_t weight = 0;

	/* keepalived takes any number, and a priority has room for no more than this. */
	if (conf_parse_number(conf_word(node, 1), -253, 253, &weight) != CONF_VALUE_OK) {
		if (conf_parse_number(conf_word(node, 1), INT32_MIN, INT32_MAX, &weight) != CONF_VALUE_OK)
			weight = 0;
		weight = weight > 0 ? 253 : weight < 0 ? -253 : 0;
		conf_warn(load, node, 1,
			"weight must be a number from -253 to 253, not \"%s\"" CONF_MEANING "%d is taken",
			conf_word(node, 1), (int)weight);
	}
	s->weight = (int32_t)weight;
	s->weight_reverse = strcmp(conf_word(node, 2), "reverse") == 0;
	conf_extra_words(load, node, s->weight_reverse ? 3 : 2);
}

static void apply_timeout(struct conf_load *load, const struct conf_node *node)
{
	struct conf_script *s = conf_current(load, CONF_TABLE_SCRIPT);
	int64_t timeout;

	if (conf_parse_time(conf_word(node, 1), 0, LONGEST, &timeout) != CONF_VALUE_OK) {
		conf_warn(load, node, 1, "timeout must be a time in seconds, not \"%s\"" CONF_MEANING "it is ignored",
			conf_word(node, 1));
		return;
	}
	if (timeout == 0)
		conf_warn(load, node, 1, "timeout must be more than 0" CONF_MEANING "1 second is taken");
	timeout = conf_cut_seconds(load, node, timeout);
	s->timeout_us = timeout ? timeout : CONF_S;
	conf_extra_words(load, node, 2);
}

static void print_timeout(struct conf_printer *p, uint32_t record)
{
	const struct conf_script *s = conf_print_record(p, CONF_TABLE_SCRIPT, record);
	char text[32];

	if (s->timeout_us)
		conf_print_line(p, "timeout %s", conf_time_text(s->timeout_us, text));
}

static void print_script(struct conf_printer *p, uint32_t record)
{
	const struct conf_script *s = conf_print_record(p, CONF_TABLE_SCRIPT, record);

	if (s->command.argc)
		conf_print_line(p, "script %s", conf_print_argv(p, &s->command));
}

static void print_user(struct conf_printer *p, uint32_t record)
{
	const struct conf_script *s = conf_print_record(p, CONF_TABLE_SCRIPT, record);

	if (s->command.user)
		conf_print_line(p, "user %s%s%s", conf_print_text(p, s->command.user), s->command.group ? " " : "",
			s->command.group ? conf_print_text(p, s->command.group) : "");
}

static void print_weight(struct conf_printer *p, uint32_t record)
{
	const struct conf_script *s = conf_print_record(p, CONF_TABLE_SCRIPT, record);

	if (s->weight || s->weight_reverse)
		conf_print_line(p, "weight %d%s", s->weight, s->weight_reverse ? " reverse" : "");
}

#define S(member) CONF_RECORD(conf_script, member)

/* clang-format off */
static const struct conf_directive script_directives[] = {
	CALL("script", apply_script, print_script, OBJECT, "the program, in double quotes when it has arguments; no shell is involved"),
	SECONDS("interval", S(interval_us), CONF_S, LONGEST, CONF_S, LIVE, "how often it runs"),
	CALL("timeout", apply_timeout, print_timeout, LIVE, "seconds; it has failed when it runs longer; default the interval"),
	CALL("weight", apply_weight, print_weight, LIVE, "added to the priority while it succeeds (positive) or fails (negative); 0 = a failure is a fault; default 0"),
	NUMBER("rise", S(rise), 1, INT32_MAX, 1, LIVE, "successes in a row before it counts as up"),
	NUMBER("fall", S(fall), 1, INT32_MAX, 1, LIVE, "failures in a row before it counts as down"),
	CALL("user", apply_user, print_user, OBJECT, "USER [GROUP] it runs as; default script_user"),
	PLAIN("init_fail", S(init_fail), START, "counts as failed until it has succeeded"),
	END_OF_TABLE,
};
/* clang-format on */

static bool begin_script(struct conf_load *load, const struct conf_node *node)
{
	struct conf_script *s;
	conf_string_t name;

	if (!conf_name_take(load, CONF_TABLE_SCRIPT, node, &name))
		return false;
	s = conf_object_begin(load, &conf_script_block, node);
	s->name = name;
	return true;
}

/* keepalived drops a script without a program, and with it what tracks it. */
static void end_script(struct conf_load *load, const struct conf_node *node)
{
	const struct conf_script *s = conf_current(load, CONF_TABLE_SCRIPT);
	const struct conf_extra *extra = conf_current_extra(load, CONF_TABLE_SCRIPT);

	if (s->command.argc && !extra->program_missing && !extra->user_missing &&
		(s->command.user || !load->user_missing))
		return;
	if (!s->command.argc)
		conf_warn(load, node, 1, "vrrp_script %s has no script" CONF_MEANING "it is left out",
			conf_builder_text(load->builder, s->name));
	conf_object_drop(load, CONF_TABLE_SCRIPT, s->name);
}

static void print_script_block(struct conf_printer *p, uint32_t record)
{
	const struct conf_script *s = conf_print_record(p, CONF_TABLE_SCRIPT, record);

	conf_print_open(p, "vrrp_script %s", conf_print_text(p, s->name));
	conf_print_directives(p, &conf_script_block, record);
	conf_print_close(p);
}

const struct conf_block conf_script_block = {
	.name = "vrrp_script",
	.table = CONF_TABLE_SCRIPT,
	.directives = {script_directives},
	.begin = begin_script,
	.end = end_script,
	.print = print_script_block,
};

/* ---- vrrp_sync_group ---- */

/* The members are looked up when all instances are known. */
static void apply_members(struct conf_load *load, const struct conf_node *node)
{
	(void)load;
	(void)node;
}

static void print_members(struct conf_printer *p, uint32_t record)
{
	const struct conf_group *g = conf_print_record(p, CONF_TABLE_GROUP, record);

	conf_print_open(p, "group");
	for (uint32_t i = 0; i < g->members.count; i++) {
		const conf_index_t *member = conf_print_record(p, CONF_TABLE_GROUP_MEMBER, g->members.first + i);
		const struct conf_instance *instance = conf_print_record(p, CONF_TABLE_INSTANCE, *member);

		conf_print_line(p, "%s", conf_print_text(p, instance->name));
	}
	conf_print_close(p);
}

static void print_group_tracks(struct conf_printer *p, uint32_t record)
{
	const struct conf_group *g = conf_print_record(p, CONF_TABLE_GROUP, record);

	conf_print_tracks(p, &g->tracks);
}

static const struct {
	const char *keyword;
	enum conf_notify_event event;
} group_events[] = {
	{"notify_master", CONF_NOTIFY_MASTER},
	{"notify_backup", CONF_NOTIFY_BACKUP},
	{"notify_fault", CONF_NOTIFY_FAULT},
	{"notify_stop", CONF_NOTIFY_STOP},
	{"notify", CONF_NOTIFY_ANY},
};

#define N_EVENTS (sizeof(group_events) / sizeof(group_events[0]))

static void apply_notify(struct conf_load *load, const struct conf_node *node)
{
	for (unsigned i = 0; i < N_EVENTS; i++)
		if (strcmp(group_events[i].keyword, conf_word(node, 0)) == 0)
			conf_notify_add(load, CONF_OWNER_GROUP, group_events[i].event, node);
}

static void print_notifies(struct conf_printer *p, uint32_t record)
{
	const struct conf_group *g = conf_print_record(p, CONF_TABLE_GROUP, record);

	for (unsigned i = 0; i < N_EVENTS; i++)
		conf_print_notify(p, &g->notifies, group_events[i].event, group_events[i].keyword);
}

#define G(member) CONF_RECORD(conf_group, member)

/* clang-format off */
static const struct conf_directive group_directives[] = {
	LINES("group", apply_members, print_members, LIVE, "the instances, by name"),
	LINES("track_interface", conf_track_interface, print_group_tracks, LIVE, "interfaces whose fall is a fault of all members: NAME [weight NUMBER] [reverse]"),
	LINES("track_script", conf_track_script, print_group_tracks, LIVE, "scripts whose failure is a fault of all members: NAME [weight NUMBER] [reverse]"),
	LINES("track_process", conf_track_process, print_group_tracks, LIVE, "processes (vrrp_track_process) whose absence is a fault of all members, or changes the priority: NAME [weight NUMBER] [reverse]"),
	LINES("track_file", conf_track_file, print_group_tracks, LIVE, "files (track_file) whose number is added to the priority, or with weight 0 is a fault when it is not 0: NAME [weight NUMBER] [reverse]"),
	LINES("track_virtual_server", conf_track_service, print_group_tracks, LIVE, "services whose lost quorum is a fault of all members, or changes the priority: ADDRESS PORT [PROTOCOL] | fwmark MARK | group NAME [weight NUMBER] [reverse]"),
	LINES("track_bfd", conf_track_bfd, print_group_tracks, LIVE, "sessions (bfd_instance) whose loss is a fault of all members, or changes the priority: NAME [weight NUMBER] [reverse]"),
	CALL("notify_master", apply_notify, print_notifies, LIVE, "program that runs when the group becomes master: COMMAND [USER [GROUP]]"),
	CALL("notify_backup", apply_notify, print_notifies, LIVE, "program that runs when the group becomes backup"),
	CALL("notify_fault", apply_notify, print_notifies, LIVE, "program that runs when the group enters fault"),
	CALL("notify_stop", apply_notify, print_notifies, LIVE, "program that runs when VRRP stops"),
	CALL("notify", apply_notify, print_notifies, LIVE, "program that runs at every change, with TYPE NAME STATE PRIORITY behind its arguments"),
	FLAG("smtp_alert", G(smtp_alert), LIVE, "mail an alert at every change"),
	PLAIN("sync_group_tracking_weight", G(track_weights), LIVE, "what members track with a weight changes their priority; else it is not tracked"),
	PLAIN("global_tracking", G(track_weights), LIVE, "old name of sync_group_tracking_weight"),
	IGNORED("notify_priority_changes", "a group has no priority; its instances have"),
	IGNORED("notify_deleted", "nothing is told of a group that is deleted; its instances have a notify_deleted of their own"),
	END_OF_TABLE,
};
/* clang-format on */

static bool begin_group(struct conf_load *load, const struct conf_node *node)
{
	struct conf_group *g;
	conf_string_t name;

	if (!conf_name_take(load, CONF_TABLE_GROUP, node, &name))
		return false;
	g = conf_object_begin(load, &conf_group_block, node);
	g->name = name;
	g->tracks.first = conf_builder_count(load->builder, CONF_TABLE_TRACK);
	return true;
}

static void end_group(struct conf_load *load, const struct conf_node *node)
{
	conf_index_t index = load->current[CONF_TABLE_GROUP];
	struct conf_group *g = conf_current(load, CONF_TABLE_GROUP);

	(void)node;
	g->tracks.count = conf_builder_count(load->builder, CONF_TABLE_TRACK) - g->tracks.first;
	for (uint32_t i = 0; i < g->tracks.count; i++) {
		struct conf_track *t = conf_builder_at(load->builder, CONF_TABLE_TRACK, g->tracks.first + i);

		t->group = index;
	}
	g->notifies = conf_notify_flush(load, CONF_OWNER_GROUP, index);
}

static void print_group_block(struct conf_printer *p, uint32_t record)
{
	const struct conf_group *g = conf_print_record(p, CONF_TABLE_GROUP, record);

	conf_print_open(p, "vrrp_sync_group %s", conf_print_text(p, g->name));
	conf_print_directives(p, &conf_group_block, record);
	conf_print_close(p);
}

const struct conf_block conf_group_block = {
	.name = "vrrp_sync_group",
	.table = CONF_TABLE_GROUP,
	.directives = {group_directives},
	.begin = begin_group,
	.end = end_group,
	.print = print_group_block,
};
