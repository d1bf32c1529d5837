/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a health check ended as it did, for machines: status_check.last_reason. The numbers appear on the board; a
 * process of another build refuses the board by its layout number, so the order may change with BOARD_LAYOUT only. */
#ifndef POISE_CHECK_REASON_H
#define POISE_CHECK_REASON_H

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
	REASON_BFD,
	/* our own trouble: says nothing about the server, the verdict stays */
	REASON_NO_SOCKET,
	REASON_BIND,
	REASON_FWMARK,
	REASON_MEMORY,
	REASON_SCRIPT_NOT_RUN, /* the program of a MISC_CHECK could not be started */
	REASON_FILE_SYSTEM,    /* has not answered */
	REASON_NOT_RUN,        /* this kind of check is not run, or cannot be */
	REASON_COUNT
};

/* Short fixed name: "connect timeout", "status", ... */
const char *reason_name(enum reason reason);

#endif
