/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the times of a command line. Functions of their arguments and the time zone. */
#include "when.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND_US 1000000LL
#define DAY_S 86400
#define MOST_S (365LL * DAY_S)

/* Seconds of "5m", or of a bare number; *end stands behind it. -1 when there is none. */
static int64_t take_part(const char *text, const char **end)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_S}};
	char *after;
	long long n;

	if (!isdigit((unsigned char)*text))
		return -1;
	errno = 0;
	n = strtoll(text, &after, 10);
	if (errno || n > MOST_S)
		return -1;
	*end = after;
	if (!*after)
		return n;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (*after == units[i].letter) {
			*end = after + 1;
			return n * units[i].seconds;
		}
	}
	return -1;
}

int64_t when_duration(const char *text)
{
	int64_t seconds = 0;

	do {
		int64_t part = take_part(text, &text);

		if (part < 0 || seconds + part > MOST_S)
			return -1;
		seconds += part;
	} while (*text);
	return seconds > 0 ? seconds * SECOND_US : -1;
}

/* Fills what the format has into *tm; true when all of the text was of that form. */
static bool is_like(const char *text, const char *format, struct tm *tm)
{
	const char *rest = strptime(text, format, tm);

	return rest && !*rest;
}

/* The last time that a clock showed it; 0 when it is no time of day. */
static time_t last_time_of_day(const char *text, time_t now)
{
	struct tm tm;
	time_t then;

	localtime_r(&now, &tm);
	tm.tm_sec = 0;
	if (!is_like(text, "%H:%M", &tm) && !is_like(text, "%H:%M:%S", &tm))
		return 0;
	tm.tm_isdst = -1;
	then = mktime(&tm);
	if (then <= now)
		return then;
	tm.tm_mday--;
	tm.tm_isdst = -1;
	return mktime(&tm);
}

/* 0 when it is none. */
static time_t moment(const char *text)
{
	static const char *const formats[] = {
		"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"};
	struct tm utc = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);

	/* As events are printed: the fraction is cut off, which is earlier, so nothing is missed. */
	if (rest && *rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (rest && strcmp(rest, "Z") == 0)
		return timegm(&utc);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct tm tm = {.tm_isdst = -1};

		if (is_like(text, formats[i], &tm))
			return mktime(&tm);
	}
	return 0;
}

int64_t when_ago(const char *text, int64_t now_us)
{
	int64_t ago_us = when_duration(text);
	time_t then = 0;

	if (ago_us > 0)
		return ago_us;
	then = moment(text);
	if (then <= 0)
		then = last_time_of_day(text, (time_t)(now_us / SECOND_US));
	ago_us = now_us - then * SECOND_US;
	return then > 0 && ago_us > 0 ? ago_us : -1;
}
