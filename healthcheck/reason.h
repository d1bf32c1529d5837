/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How probes end, as sentences for people; lib/check_reason.h has the enumerators. */
#ifndef POISE_REASON_H
#define POISE_REASON_H

#include "check_reason.h"
#include "status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a probe ended. why is never empty after result_set(). */
struct probe_result {
	enum reason reason;
	uint32_t step; /* number of the url (HTTP) that decided */
	/* phases, from the start of the run; 0 = not reached */
	uint32_t connect_us, handshake_us, first_byte_us;
	uint32_t cert_days; /* until the certificate ends, + 1; 0 = not known */
	/* what the server says of itself beside being well */
	bool is_draining, has_weight, has_percent;
	int32_t weight, percent;
	char why[WHY_SIZE];
};

/* True when the failure is our own and must not be held against the server. */
bool reason_is_own(enum reason reason);
/* What an errno of connect() or of a read or write says about the server. */
enum reason reason_of_errno(int error);
/* Stores a reason and its sentence; a sentence that does not fit is cut. */
void result_set(struct probe_result *result, enum reason reason, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The sentence for an errno of connect(), send() or recv() ("connection refused"). */
void result_set_errno(struct probe_result *result, int error);
/* "3.0 s", "250 ms", "0.4 ms". Returns buf (REASON_TIME_SIZE bytes). */
#define REASON_TIME_SIZE 32
const char *reason_time(int64_t duration_us, char *buf);

#endif
