/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values: text to numbers and back. Runs in the config role; pure functions without findings. */
#include "conf_load.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum conf_value conf_parse_number(const char *text, int64_t low, int64_t high, int64_t *out)
{
	const char *p = text;
	bool negative = *p == '-';
	int64_t value = 0;

	if (*p == '-' || *p == '+')
		p++;
	if (!isdigit((unsigned char)*p))
		return CONF_VALUE_BAD;
	for (; isdigit((unsigned char)*p); p++) {
		if (value > (INT64_MAX - 9) / 10)
			return CONF_VALUE_RANGE;
		value = value * 10 + (*p - '0');
	}
	if (*p)
		return CONF_VALUE_BAD;
	if (negative)
		value = -value;
	if (value < low || value > high)
		return CONF_VALUE_RANGE;
	*out = value;
	return CONF_VALUE_OK;
}

enum conf_value conf_parse_time(const char *text, int64_t low_us, int64_t high_us, int64_t *out)
{
	const char *p = text;
	int64_t value = 0, unit = CONF_S / 10;
	bool digits = false;

	if (*p == '+')
		p++;
	for (; isdigit((unsigned char)*p); p++, digits = true) {
		if (value > INT64_MAX / 10 / CONF_S / 10)
			return CONF_VALUE_RANGE;
		value = value * 10 + (*p - '0');
	}
	value *= CONF_S;
	if (*p == '.')
		for (p++; isdigit((unsigned char)*p); p++, digits = true, unit /= 10)
			value += (*p - '0') * unit;
	if (*p || !digits)
		return *text == '-' && isdigit((unsigned char)text[1]) ? CONF_VALUE_RANGE : CONF_VALUE_BAD;
	if (value < low_us || value > high_us)
		return CONF_VALUE_RANGE;
	*out = value;
	return CONF_VALUE_OK;
}

bool conf_parse_bool(const char *text, bool *out)
{
	static const char *const yes[] = {"on", "true", "yes", NULL}, *const no[] = {"off", "false", "no", NULL};

	for (int i = 0; yes[i]; i++) {
		if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
			*out = strcasecmp(text, yes[i]) == 0;
			return true;
		}
	}
	return false;
}

int conf_parse_choice(const char *text, const char *const *choices)
{
	for (int i = 0; choices[i]; i++)
		if (strcmp(choices[i], text) == 0)
			return i;
	return -1;
}

const char *conf_time_text(int64_t us, char *buf)
{
	int n = snprintf(buf, 32, "%lld.%06lld", us / CONF_S, us % CONF_S);

	while (n > 0 && buf[n - 1] == '0')
		buf[--n] = 0;
	if (n > 0 && buf[n - 1] == '.')
		buf[--n] = 0;
	return buf;
}

const char *conf_range_text(const struct conf_directive *d, char *buf)
{
	char low[32], high[32];
	size_t n = 0;

	buf[0] = 0;
	if (d->kind == CONF_KIND_NUMBER)
		snprintf(buf, 96, "%" PRId64 " to %" PRId64, d->low, d->high);
	else if (d->kind == CONF_KIND_TIME)
		snprintf(buf, 96, "%s to %s", conf_time_text(d->low, low), conf_time_text(d->high, high));
	else if (d->kind == CONF_KIND_CHOICE)
		for (int i = 0; d->choices[i] && n < 80; i++)
			n += (size_t)snprintf(buf + n, 96 - n, "%s%s", i ? "|" : "", d->choices[i]);
	else if (d->kind == CONF_KIND_FLAG)
		snprintf(buf, 96, "on|off");
	return buf;
}
