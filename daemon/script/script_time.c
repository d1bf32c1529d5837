/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the moment in a reload_time_file. Runs in the script process; it opens nothing and knows no clock. */
#include "script_time.h"

#include <ctype.h>
#include <string.h>

/* d = a digit; the rest stands for itself. */
static bool is_like(const char *text, size_t size, const char *form)
{
	if (size != strlen(form))
		return false;
	for (size_t i = 0; i < size; i++)
		if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i])
			return false;
	return true;
}

static int two(const char *digits)
{
	return (digits[0] - '0') * 10 + (digits[1] - '0');
}

/* Whether there is such a day and time: what timegm() makes of it is the same again. */
static bool exists(const struct tm *tm)
{
	struct tm copy = *tm;

	return timegm(&copy) != (time_t)-1 && copy.tm_mday == tm->tm_mday && copy.tm_mon == tm->tm_mon &&
	       copy.tm_hour == tm->tm_hour && copy.tm_min == tm->tm_min && copy.tm_sec == tm->tm_sec;
}

static time_t moment(struct tm tm, bool is_utc)
{
	tm.tm_isdst = -1;
	return is_utc ? timegm(&tm) : mktime(&tm);
}

enum script_time script_time_parse(const char *text, size_t size, time_t now, time_t *at)
{
	size_t length = memchr(text, '\n', size) ? (size_t)((const char *)memchr(text, '\n', size) - text) : size;
	bool is_utc = length > 0 && text[length - 1] == 'Z', has_date = true;
	struct tm tm;

	length -= is_utc;
	(is_utc ? gmtime_r : localtime_r)(&now, &tm);
	if (is_like(text, length, "dddd-dd-dd dd:dd:dd")) {
		tm.tm_year = two(text) * 100 + two(text + 2) - 1900;
		text += 2;
	} else if (is_like(text, length, "dd-dd-dd dd:dd:dd")) {
		tm.tm_year = two(text) + 100;
	} else if (is_like(text, length, "dd:dd:dd")) {
		has_date = false;
	} else {
		return SCRIPT_TIME_NONE;
	}
	if (has_date) {
		tm.tm_mon = two(text + 3) - 1;
		tm.tm_mday = two(text + 6);
		text += 9;
	}
	tm.tm_hour = two(text);
	tm.tm_min = two(text + 3);
	tm.tm_sec = two(text + 6);
	if (!exists(&tm))
		return SCRIPT_TIME_NONE;
	*at = moment(tm, is_utc);
	if (has_date)
		return *at > now ? SCRIPT_TIME_ONCE : SCRIPT_TIME_PAST;
	if (*at <= now) {
		tm.tm_mday++;
		*at = moment(tm, is_utc);
	}
	return SCRIPT_TIME_DAILY;
}
