/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing log lines: to the terminal, to syslog, or without ever blocking into the queue that the parent's scribe
 * empties. Every process. */
#include "log.h"
#include "mono.h"
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum log_target { LOG_TARGET_CONSOLE, LOG_TARGET_SYSLOG, LOG_TARGET_WRITER };

static struct {
	enum log_target target;
	enum log_level level;
	const char *who;
	void (*write)(enum log_level level, const char *text);
	int colours;
	int queue; /* -1 = lines are written at once */
	uint32_t lost;
} sink = {.target = LOG_TARGET_CONSOLE, .level = LOG_LEVEL_INFO, .who = "poise", .queue = -1};

void log_to_console(const char *who)
{
	sink.target = LOG_TARGET_CONSOLE;
	sink.who = who;
	sink.colours = isatty(STDERR_FILENO);
}

void log_to_syslog(const char *who)
{
	sink.target = LOG_TARGET_SYSLOG;
	sink.who = who;
	openlog(who, LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void log_to_writer(const char *who, void (*write)(enum log_level level, const char *text))
{
	sink.target = LOG_TARGET_WRITER;
	sink.who = who;
	sink.write = write;
}

void log_to_parent(const char *who, int fd)
{
	sink.who = who;
	sink.queue = fd;
}

void log_to_queue(int fd)
{
	sink.queue = fd;
}

void log_set_level(enum log_level level)
{
	sink.level = level;
}

enum log_level log_get_level(void)
{
	return sink.level;
}

static const char *level_colour(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "\033[31m";
	case LOG_LEVEL_WARNING:
		return "\033[33m";
	case LOG_LEVEL_DEBUG:
		return "\033[2m";
	case LOG_LEVEL_INFO:
		break;
	}
	return "";
}

static void write_console(enum log_level level, const char *text)
{
	char line[700];
	char when[32];
	struct timespec now;
	struct tm tm;
	const char *colour = sink.colours ? level_colour(level) : "";
	int n;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(when, sizeof(when), "%H:%M:%S", &tm);
	n = snprintf(line, sizeof(line), "%s%s.%03ld %s%s%s\n", colour, when, now.tv_nsec / 1000000,
		level == LOG_LEVEL_ERROR     ? "error: "
		: level == LOG_LEVEL_WARNING ? "warning: "
					     : "",
		text, *colour ? "\033[0m" : "");
	if (n >= (int)sizeof(line))
		n = sizeof(line) - 1;
	/* A terminal that is gone is no reason to stop. */
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

static int send_record(enum log_level level, const char *text)
{
	struct log_record record = {.level = (uint8_t)level};
	size_t length = strnlen(text, sizeof(record.text));

	memcpy(record.text, text, length);
	return send(sink.queue, &record, offsetof(struct log_record, text) + length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0
		       ? -1
		       : 0;
}

static void write_queue(enum log_level level, const char *text)
{
	char lost[64];

	if (sink.lost > 0) {
		snprintf(lost, sizeof(lost), "%s: %u log lines lost: the log was not taken fast enough", sink.who,
			sink.lost);
		if (send_record(LOG_LEVEL_WARNING, lost) == 0)
			sink.lost = 0;
	}
	if (send_record(level, text) < 0)
		sink.lost++;
}

void log_deliver(enum log_level level, const char *text)
{
	switch (sink.target) {
	case LOG_TARGET_CONSOLE:
		write_console(level, text);
		break;
	case LOG_TARGET_SYSLOG:
		syslog((int)level, "%s", text);
		break;
	case LOG_TARGET_WRITER:
		sink.write(level, text);
		break;
	}
}

void log_write(enum log_level level, const char *fmt, ...)
{
	int saved = errno;
	char text[508];
	va_list args;

	if (level > sink.level)
		return;
	va_start(args, fmt);
	errno = saved;
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (sink.queue >= 0)
		write_queue(level, text);
	else
		log_deliver(level, text);
	errno = saved;
}

bool log_limit_pass(struct log_limit *limit, int64_t interval_us, uint32_t *held_back)
{
	int64_t now = mono_now().us;

	if (now < limit->next_us) {
		limit->held_back++;
		return false;
	}
	*held_back = limit->held_back;
	limit->held_back = 0;
	limit->next_us = now + interval_us;
	return true;
}
