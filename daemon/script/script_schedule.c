/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks for a reload at the time that a file says; part of the script process, which may read and remove what only root
 * may. What a reload does, and whether it does it, is decided elsewhere. */
#include "script_schedule.h"

#include "log.h"
#include "script_time.h"
#include "script_watch.h"
#include "status.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <unistd.h>

/* A time with its date and what may follow it in the line. */
#define CONTENTS_SIZE 64
/* The parent takes no message just now. */
#define AGAIN_S 1

struct script_schedule {
	struct role_process *role;
	const struct conf *conf;
	struct script_watch *watch;
	sd_event_source *timer; /* NULL = nothing is due */
	time_t at;
	enum script_time kind; /* of what was read last; NONE before */
};

static const char *path_of(const struct script_schedule *s)
{
	return conf_string(s->conf, s->conf->global->reload_time_file);
}

/* Not time(), whose clock lags: by it a moment that has come would still be ahead. */
static time_t now_s(void)
{
	return (time_t)(real_now_us() / US_PER_S);
}

/* For `poisectl status`. */
static void show(const struct script_schedule *s)
{
	struct status_schedule due = {.reload_real_us = s->timer ? s->at * US_PER_S : 0};

	role_store(s->role, SCRIPT_TABLE_SCHEDULE, 0, &due, sizeof(due));
}

static void cancel(struct script_schedule *s)
{
	s->timer = sd_event_source_disable_unref(s->timer);
}

static int on_due(sd_event_source *source, uint64_t at_us, void *arg);

/* By the wall clock, which may be set meanwhile: the kernel looks after that. */
static void arm(struct script_schedule *s, time_t at)
{
	int rc;

	cancel(s);
	rc = sd_event_add_time(
		loop_sd_event(s->role->loop), &s->timer, CLOCK_REALTIME, (uint64_t)at * US_PER_S, 1, on_due, s);
	if (rc < 0)
		log_error("reload_time_file: no reload is scheduled: %s", strerror(-rc));
}

/* The file is there or not, and says when. */
static void look(struct script_schedule *s, bool is_news)
{
	char contents[CONTENTS_SIZE], text[40];
	ssize_t n = script_watch_read(path_of(s), contents, sizeof(contents));
	time_t before = s->timer ? s->at : 0;
	struct tm tm;

	s->kind = n > 0 ? script_time_parse(contents, (size_t)n, now_s(), &s->at) : SCRIPT_TIME_NONE;
	if (s->kind == SCRIPT_TIME_DAILY || s->kind == SCRIPT_TIME_ONCE) {
		arm(s, s->at);
		strftime(text, sizeof(text), "%F %T %Z", localtime_r(&s->at, &tm));
		if (s->timer && s->at != before)
			log_info("reload: scheduled for %s by %s", text, path_of(s));
		show(s);
		return;
	}
	cancel(s);
	show(s);
	if (before)
		log_info("reload: the one that was scheduled is cancelled by %s", path_of(s));
	if (n == -ENOENT || n == 0)
		return;
	if (n < 0)
		log_warning("reload_time_file %s: %s: no reload is scheduled", path_of(s),
			n == -ENOTSUP ? "it is not a file" : strerror((int)-n));
	else if (s->kind == SCRIPT_TIME_NONE)
		log_warning("reload_time_file %s: its first line must be HH:MM:SS, YY-MM-DD HH:MM:SS or "
			    "YYYY-MM-DD HH:MM:SS, and Z behind it for UTC: no reload is scheduled",
			path_of(s));
	else if (is_news)
		log_warning("reload_time_file %s: that time is past: no reload is scheduled", path_of(s));
}

static int on_due(sd_event_source *source, uint64_t at_us, void *arg)
{
	struct script_schedule *s = arg;
	struct msg_reload_due m = {.generation = s->conf->generation};
	bool repeats = s->conf->global->reload_repeat;

	(void)source;
	(void)at_us;
	cancel(s);
	show(s);
	if (msg_send_reload_due(&s->role->parent, &m, -1) < 0) {
		arm(s, now_s() + AGAIN_S);
		return 0;
	}
	/* A time without a date would be due tomorrow again. */
	if (!repeats && unlink(path_of(s)) < 0 && errno != ENOENT)
		log_warning("reload_time_file %s: cannot be removed: %s%s", path_of(s), strerror(errno),
			s->kind == SCRIPT_TIME_DAILY ? ": the next reload is due in a day" : "");
	if (repeats || s->kind == SCRIPT_TIME_DAILY)
		look(s, false);
	return 0;
}

static const char *watched_path(void *arg, uint32_t index)
{
	(void)index;
	return path_of(arg);
}

static void on_change(void *arg, uint32_t index)
{
	(void)index;
	look(arg, true);
}

struct script_schedule *script_schedule_begin(struct role_process *p, const struct conf *conf)
{
	struct script_schedule *s;
	struct script_watch_owner owner = {.path = watched_path, .changed = on_change};

	if (!conf->global->reload_time_file)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (s) {
		s->role = p;
		s->conf = conf;
		owner.arg = s;
		s->watch = script_watch_new(p->loop, 1, &owner);
	}
	if (!s || !s->watch) {
		log_error("reload_time_file: cannot be watched: %s", strerror(errno));
		free(s);
		return NULL;
	}
	look(s, false);
	return s;
}

void script_schedule_free(struct script_schedule *s)
{
	if (!s)
		return;
	cancel(s);
	script_watch_free(s->watch);
	free(s);
}
