/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One call of gRPC's health service over HTTP/2, without a socket: bytes of the server go in, bytes for it come out,
 * and at the end there is a result. Frames are nghttp2's business. */
#ifndef POISE_GRPC_CALL_H
#define POISE_GRPC_CALL_H

#include "grpc_message.h"
#include "reason.h"
#include <stddef.h>

#define GRPC_ANSWER_MAX 256

struct nghttp2_session;

struct grpc_call {
	struct nghttp2_session *session;
	uint8_t request[GRPC_REQUEST_MAX];
	size_t request_length, request_sent;
	uint8_t answer[GRPC_ANSWER_MAX];
	size_t answer_length, bytes;
	int status, grpc_status; /* -1 = not seen */
	bool is_answered;
};

/* Prepares the request. service may be "". Returns 0, or -1 when out of memory or the service's name is too long; to be
 * ended in either case. */
int grpc_call_begin(struct grpc_call *call, const char *service, const char *authority, bool is_tls);
void grpc_call_end(struct grpc_call *call);
/* What is to be sent next; valid until the next call of any function here, and not returned again. 0 = nothing at the
 * moment. Returns -1 when out of memory. */
ssize_t grpc_call_output(struct grpc_call *call, const uint8_t **data);
/* Takes bytes of the server. Returns 0, or -1 with the sentence in result. call->is_answered when the call is over. */
int grpc_call_input(struct grpc_call *call, const uint8_t *data, size_t length, struct probe_result *result);
/* The sentence over a call that is over, but for how long it took. */
void grpc_call_judge(const struct grpc_call *call, struct probe_result *result);

#endif
