/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the ends of health checks, as status and logs spell them. Pure. */
#include "check_reason.h"

const char *reason_name(enum reason reason)
{
	switch (reason) {
	case REASON_OK:
		return "passed";
	case REASON_CONNECT_TIMEOUT:
		return "connect timeout";
	case REASON_REFUSED:
		return "connection refused";
	case REASON_UNREACHABLE:
		return "unreachable";
	case REASON_CONNECT_FAILED:
		return "connection failed";
	case REASON_RESET:
		return "connection reset";
	case REASON_CLOSED:
		return "closed before the answer";
	case REASON_TRUNCATED:
		return "answer cut short";
	case REASON_ANSWER_TIMEOUT:
		return "answer timeout";
	case REASON_TOTAL_TIMEOUT:
		return "total time limit";
	case REASON_TLS_TIMEOUT:
		return "TLS handshake timeout";
	case REASON_TLS_FAILED:
		return "TLS failure";
	case REASON_TLS_UNTRUSTED:
		return "certificate not trusted";
	case REASON_NOT_HTTP:
		return "not HTTP";
	case REASON_HEADER_TOO_LONG:
		return "header too long";
	case REASON_HEADER_INVALID:
		return "header invalid";
	case REASON_CHUNK_INVALID:
		return "chunk invalid";
	case REASON_BODY_TOO_LONG:
		return "body too long";
	case REASON_STATUS:
		return "status";
	case REASON_DIGEST:
		return "digest";
	case REASON_REGEX:
		return "regex";
	case REASON_TLS_VERSION:
		return "TLS protocol";
	case REASON_CERT_EXPIRES:
		return "certificate expires";
	case REASON_UNEXPECTED:
		return "unexpected answer";
	case REASON_SMTP:
		return "SMTP answer";
	case REASON_DNS:
		return "DNS answer";
	case REASON_NO_REPLY:
		return "no reply";
	case REASON_AGENT:
		return "agent says no";
	case REASON_FILE:
		return "file says no";
	case REASON_GRPC:
		return "gRPC status";
	case REASON_SCRIPT:
		return "exit status";
	case REASON_SCRIPT_TIMEOUT:
		return "program timeout";
	case REASON_BFD:
		return "BFD session";
	case REASON_SCRIPT_NOT_RUN:
		return "program not started";
	case REASON_FILE_SYSTEM:
		return "file system silent";
	case REASON_NO_SOCKET:
		return "no socket";
	case REASON_BIND:
		return "cannot bind";
	case REASON_FWMARK:
		return "cannot mark";
	case REASON_MEMORY:
		return "out of memory";
	case REASON_NOT_RUN:
		return "not run";
	case REASON_COUNT:
		break;
	}
	return "unknown";
}
