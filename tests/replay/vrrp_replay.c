/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replays recorded events of one virtual router and compares what the state machine answers with what is written below
 * each of them. A recording (tests/replay/NAME.replay) has lines of three kinds:
 *   # for people
 *   conf priority=100 advert=1000          the configuration so far, times in milliseconds; may change on the way
 *   3609.375 advert from=192.0.2.3 priority=0 interval=1000     a moment in milliseconds, an event and what it carries
 *   > send 100                             what must come of it, in order, and at last the timer
 * With the argument -w it prints the recording as it comes out now. */
#include "../../vrrp/vrrp_fsm.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE 256
#define EXPECTED 4096

struct replay {
	struct conf_instance conf;
	struct vrrp_vr vr;
	char out[EXPECTED]; /* of the last event */
	size_t length;
	bool is_writing;
	int failures, events;
	const char *file;
	char event[LINE];
};

static struct mono moment(const char *text)
{
	/* recordings begin at 0, which is no moment on our clock */
	return (struct mono){1000 * US_PER_S + (int64_t)(strtod(text, NULL) * US_PER_MS + 0.5)};
}

static const char *value_of(const char *line, const char *key, char *buf)
{
	const char *at = strstr(line, key);
	size_t n;

	if (!at)
		return NULL;
	at += strlen(key);
	n = strcspn(at, " \n");
	if (*at == '"')
		n = strcspn(++at, "\"");
	snprintf(buf, LINE, "%.*s", (int)n, at);
	return buf;
}

static int64_t number_of(const char *line, const char *key, int64_t otherwise)
{
	char buf[LINE];

	return value_of(line, key, buf) ? strtoll(buf, NULL, 0) : otherwise;
}

static struct addr addr_of(const char *line, const char *key)
{
	struct addr a = {0};
	char buf[LINE];

	if (value_of(line, key, buf))
		addr_parse(buf, &a);
	return a;
}

static void configure(struct replay *r, const char *line)
{
	struct conf_instance *c = &r->conf;

	c->version = (uint8_t)number_of(line, "version=", c->version);
	c->priority = (uint8_t)number_of(line, "priority=", c->priority);
	c->preempt = (uint8_t)number_of(line, "preempt=", c->preempt);
	c->advert_us = number_of(line, "advert=", c->advert_us / US_PER_MS) * US_PER_MS;
	c->preempt_delay_us = number_of(line, "preempt_delay=", c->preempt_delay_us / US_PER_MS) * US_PER_MS;
	c->startup_delay_us = number_of(line, "startup_delay=", c->startup_delay_us / US_PER_MS) * US_PER_MS;
	c->group = (uint32_t)number_of(line, "group=", c->group);
	if (r->vr.state == VRRP_INIT)
		r->vr.priority = c->priority;
}

static void add(struct replay *r, const char *text)
{
	int n = snprintf(r->out + r->length, sizeof(r->out) - r->length, "> %s\n", text);

	if (n > 0 && r->length + (size_t)n < sizeof(r->out))
		r->length += (size_t)n;
}

static void add_action(struct replay *r, const struct vrrp_action *a)
{
	static const char *const plans[] = {"master", "conflict", "refresh"};
	char text[LINE * 2], why[WHY_SIZE];

	snprintf(text, sizeof(text), "%s", vrrp_action_name(a->kind));
	if (a->kind == VRRP_ACTION_SEND)
		snprintf(text, sizeof(text), "send %u", a->priority);
	if (a->kind == VRRP_ACTION_ANNOUNCE)
		snprintf(text, sizeof(text), "announce %s", plans[a->announce]);
	if (a->kind == VRRP_ACTION_STATE)
		snprintf(text, sizeof(text), "%s -> %s: %s", vrrp_state_name(a->from), vrrp_state_name(a->to),
			vrrp_why(&a->cause, why, sizeof(why)));
	add(r, text);
}

static void play(struct replay *r, const char *line)
{
	struct vrrp_event ev = {.kind = VRRP_EVENT_KINDS, .now = moment(line)};
	struct vrrp_actions actions;
	char name[32] = "", text[64];

	sscanf(line, "%*s %31s", name);
	for (uint32_t kind = 0; kind < VRRP_EVENT_KINDS; kind++)
		if (strcmp(name, vrrp_event_name(kind)) == 0)
			ev.kind = kind;
	if (ev.kind == VRRP_EVENT_KINDS)
		r->failures++;
	ev.source = addr_of(line, "source=");
	ev.advert_source = addr_of(line, "from=");
	ev.advert_priority = ev.priority = (uint32_t)number_of(line, "priority=", 0);
	ev.advert_interval_us = number_of(line, "interval=", 0) * US_PER_MS;
	ev.faults = (uint32_t)number_of(line, "faults=", 0);
	value_of(line, "text=", ev.text);
	if (strstr(line, "quiet="))
		ev.quiet_until = mono_add(ev.now, number_of(line, "quiet=", 0) * US_PER_MS);
	ev.past.state = (uint32_t)number_of(line, "past_state=", VRRP_INIT);
	ev.past.master_interval_us = number_of(line, "past_interval=", 0) * US_PER_MS;
	if (strstr(line, "past_sent="))
		ev.past.last_sent = mono_add(moment("0"), number_of(line, "past_sent=", 0) * US_PER_MS);
	actions = vrrp_fsm(&r->conf, &r->vr, &ev);
	r->length = 0;
	r->out[0] = 0;
	for (uint32_t i = 0; i < actions.n; i++)
		add_action(r, &actions.list[i]);
	snprintf(text, sizeof(text), "timer %+.3f", (double)mono_diff_us(r->vr.deadline, ev.now) / US_PER_MS);
	add(r, mono_is_set(r->vr.deadline) ? text : "no timer");
	r->events++;
	snprintf(r->event, sizeof(r->event), "%s", line);
}

/* What the recording says must come of the last event, against what came. */
static void compare(struct replay *r, const char *expected)
{
	if (!r->event[0] || r->is_writing || strcmp(expected, r->out) == 0)
		return;
	printf("%s: at %sexpected\n%scame\n%s", r->file, r->event, expected, r->out);
	r->failures++;
}

static void run(struct replay *r, FILE *in)
{
	char line[LINE], expected[EXPECTED] = "";

	while (fgets(line, sizeof(line), in)) {
		if (line[0] == '>') {
			strncat(expected, line, sizeof(expected) - strlen(expected) - 1);
			continue;
		}
		compare(r, expected);
		expected[0] = r->event[0] = 0;
		if (r->is_writing)
			fputs(line, stdout);
		if (strncmp(line, "conf ", 5) == 0) {
			configure(r, line);
		} else if (line[0] >= '0' && line[0] <= '9') {
			play(r, line);
			if (r->is_writing)
				fputs(r->out, stdout);
		}
	}
	compare(r, expected);
}

static int replay_file(const char *path, bool is_writing, int *events)
{
	struct replay r = {.is_writing = is_writing, .file = path};
	FILE *in = fopen(path, "r");

	if (!in) {
		perror(path);
		return 1;
	}
	r.conf = (struct conf_instance){.version = 3,
		.family = AF_INET,
		.vrid = 51,
		.priority = 100,
		.preempt = 1,
		.advert_us = US_PER_S,
		.down_timer_adverts = 3,
		.group = CONF_NONE};
	r.vr.priority = 100;
	run(&r, in);
	fclose(in);
	*events += r.events;
	return r.failures;
}

int main(int argc, char **argv)
{
	const char *source = getenv("srcdir");
	int failures = 0, files = 0, events = 0;
	const struct dirent *entry;
	char folder[1024], path[2048];
	DIR *dir;

	if (argc > 2 && strcmp(argv[1], "-w") == 0)
		return replay_file(argv[2], true, &events);
	snprintf(folder, sizeof(folder), "%s/tests/replay", source ? source : ".");
	dir = opendir(folder);
	while (dir && (entry = readdir(dir))) {
		if (!strstr(entry->d_name, ".replay"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		failures += replay_file(path, false, &events);
		files++;
	}
	if (dir)
		closedir(dir);
	printf("%d recordings, %d events, %d failures\n", files, events, failures);
	return failures || files == 0 || events == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
