/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The moment that stands in a reload_time_file. Pure, but for the time zone of the process. */
#ifndef POISE_SCRIPT_TIME_H
#define POISE_SCRIPT_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum script_time {
	SCRIPT_TIME_NONE,  /* the first line is none of the forms */
	SCRIPT_TIME_PAST,  /* it has a date, and is not later than now */
	SCRIPT_TIME_DAILY, /* a time alone: the next one after now */
	SCRIPT_TIME_ONCE,  /* with a date */
};

/* Reads the first line: HH:MM:SS, YY-MM-DD HH:MM:SS or YYYY-MM-DD HH:MM:SS, local time or, with Z behind it, UTC;
 * nothing before, between or behind. *at receives the moment, unless there is none. */
enum script_time script_time_parse(const char *text, size_t size, time_t now, time_t *at);

#endif
