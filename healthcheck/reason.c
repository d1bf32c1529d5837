/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and sentences for the ends of probes. Runs in poise-healthcheck; pure: it never logs and never asks a clock. */
#include "reason.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool reason_is_own(enum reason reason)
{
	return reason >= REASON_NO_SOCKET;
}

enum reason reason_of_errno(int error)
{
	switch (error) {
	case 0:
		return REASON_OK;
	case ECONNREFUSED:
		return REASON_REFUSED;
	case ETIMEDOUT:
		return REASON_CONNECT_TIMEOUT;
	case ECONNRESET:
	case EPIPE:
		return REASON_RESET;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
		return REASON_UNREACHABLE;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
	case EACCES:
	case EPERM:
		return REASON_NO_SOCKET;
	case ENOMEM:
		return REASON_MEMORY;
	default:
		return REASON_CONNECT_FAILED;
	}
}

void result_set(struct probe_result *result, enum reason reason, const char *fmt, ...)
{
	va_list ap;

	result->reason = reason;
	va_start(ap, fmt);
	vsnprintf(result->why, sizeof(result->why), fmt, ap);
	va_end(ap);
}

void result_set_errno(struct probe_result *result, int error)
{
	enum reason reason = reason_of_errno(error);
	char text[64];
	const char *said = strerror_r(error, text, sizeof(text));

	switch (error) {
	case ECONNREFUSED:
		result_set(result, reason, "connection refused");
		return;
	case ECONNRESET:
	case EPIPE:
		result_set(result, reason, "connection reset by the server");
		return;
	case ENETUNREACH:
		result_set(result, reason, "no route to its network");
		return;
	case EHOSTUNREACH:
		result_set(result, reason, "host unreachable");
		return;
	case ETIMEDOUT:
		result_set(result, reason, "connection timed out");
		return;
	default:
		if (reason_is_own(reason))
			result_set(result, reason, "our own trouble, not the server's: %s", said);
		else
			result_set(result, reason, "connection failed: %s", said);
	}
}

/* Rounded, in integers: this is said of every run. */
static const char *tenths(int64_t duration_us, int64_t unit_us, const char *unit, char *buf)
{
	int64_t n = (duration_us * 10 + unit_us / 2) / unit_us;

	snprintf(buf, REASON_TIME_SIZE, "%lld.%lld %s", (long long)(n / 10), (long long)(n % 10), unit);
	return buf;
}

const char *reason_time(int64_t duration_us, char *buf)
{
	if (duration_us < 0)
		duration_us = 0;
	if (duration_us < 10 * US_PER_MS)
		return tenths(duration_us, US_PER_MS, "ms", buf);
	if (duration_us >= US_PER_S)
		return tenths(duration_us, US_PER_S, "s", buf);
	snprintf(buf, REASON_TIME_SIZE, "%lld ms", (long long)(duration_us / US_PER_MS));
	return buf;
}
