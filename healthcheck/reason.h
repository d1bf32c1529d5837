/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a probe ended as it did: an enumerator for machines and a sentence for people.
 * The numbers appear on the board (status_check.last_reason); a successor process of another build refuses the board by
 * its layout number, so the order may change with BOARD_LAYOUT only. */
#ifndef POISE_REASON_H
#define POISE_REASON_H

#include "status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum reason {
	REASON_OK,
	/* the server, or the way to it */
	REASON_CONNECT_TIMEOUT,
	REASON_REFUSED,
	REASON_UNREACHABLE,
	REASON_CONNECT_FAILED,
	REASON_RESET,
	REASON_CLOSED,         /* before the first byte of an answer */
	REASON_TRUNCATED,      /* in the middle of an answer */
	REASON_ANSWER_TIMEOUT, /* no byte came in time */
	REASON_TOTAL_TIMEOUT,  /* bytes came, but the answer did not end in time */
	REASON_TLS_TIMEOUT,
	REASON_TLS_FAILED,
	REASON_TLS_UNTRUSTED,
	REASON_NOT_HTTP,
	REASON_HEADER_TOO_LONG,
	REASON_HEADER_INVALID,
	REASON_CHUNK_INVALID,
	REASON_BODY_TOO_LONG,
	REASON_STATUS,
	REASON_DIGEST,
	REASON_REGEX,
	REASON_TLS_VERSION,  /* the protocol that was agreed is not offered */
	REASON_CERT_EXPIRES, /* has ended, or ends within cert_expiry_failure */
	REASON_UNEXPECTED,   /* not what a conversation expects */
	REASON_SMTP,
	REASON_DNS,
	REASON_NO_REPLY,
	REASON_AGENT,
	REASON_FILE,
	REASON_GRPC,
	REASON_SCRIPT,
	REASON_SCRIPT_TIMEOUT,
	/* our own trouble: says nothing about the server, the verdict stays */
	REASON_NO_SOCKET,
	REASON_BIND,
	REASON_FWMARK,
	REASON_MEMORY,
	REASON_SCRIPT_NOT_RUN, /* the program of a MISC_CHECK could not be started */
	REASON_NOT_RUN,        /* this kind of check is not run, or cannot be */
	REASON_COUNT
};

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

/* Short fixed name: "connect timeout", "status", ... */
const char *reason_name(enum reason reason);
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
