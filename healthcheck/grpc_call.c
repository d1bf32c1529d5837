/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A gRPC health call on top of nghttp2. Runs in poise-healthcheck; it never touches a socket, and keeps no more than
 * one small message of the answer. */
#include "grpc_call.h"
#include <nghttp2/nghttp2.h>
#include <string.h>

/* Bytes of frames in one call: more than any health service sends. */
#define BYTES_MAX (256 * 1024)
#define PATH "/grpc.health.v1.Health/Check"

/* ---- what nghttp2 tells ---- */

static int to_number(const uint8_t *text, size_t length)
{
	int value = 0;

	if (length == 0 || length > 3)
		return -1;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
	const uint8_t *value, size_t value_length, uint8_t flags, void *arg)
{
	struct grpc_call *call = arg;

	(void)session;
	(void)frame;
	(void)flags;
	if (name_length == 7 && memcmp(name, ":status", 7) == 0)
		call->status = to_number(value, value_length);
	else if (name_length == 11 && memcmp(name, "grpc-status", 11) == 0)
		call->grpc_status = to_number(value, value_length);
	return 0;
}

static int on_data(
	nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t length, void *arg)
{
	struct grpc_call *call = arg;

	(void)session;
	(void)flags;
	(void)stream;
	if (length > GRPC_ANSWER_MAX - call->answer_length)
		length = GRPC_ANSWER_MAX - call->answer_length;
	memcpy(call->answer + call->answer_length, data, length);
	call->answer_length += length;
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t error, void *arg)
{
	struct grpc_call *call = arg;

	(void)session;
	(void)stream;
	(void)error;
	call->is_answered = true;
	return 0;
}

static ssize_t give_body(nghttp2_session *session, int32_t stream, uint8_t *buf, size_t length, uint32_t *flags,
	nghttp2_data_source *source, void *arg)
{
	struct grpc_call *call = arg;
	size_t n = call->request_length - call->request_sent;

	(void)session;
	(void)stream;
	(void)source;
	if (n > length)
		n = length;
	memcpy(buf, call->request + call->request_sent, n);
	call->request_sent += n;
	if (call->request_sent == call->request_length)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

/* ---- the call ---- */

static nghttp2_nv header(const char *name, const char *value)
{
	return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value),
		NGHTTP2_NV_FLAG_NONE};
}

static bool submit(struct grpc_call *call, const char *authority, bool is_tls)
{
	const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
	nghttp2_data_provider body = {.read_callback = give_body};
	nghttp2_nv headers[] = {header(":method", "POST"), header(":scheme", is_tls ? "https" : "http"),
		header(":path", PATH), header(":authority", authority), header("content-type", "application/grpc"),
		header("te", "trailers"), header("user-agent", "Poise")};

	return nghttp2_submit_settings(call->session, NGHTTP2_FLAG_NONE, settings, 1) == 0 &&
	       nghttp2_submit_request(
		       call->session, NULL, headers, sizeof(headers) / sizeof(headers[0]), &body, NULL) >= 0;
}

int grpc_call_begin(struct grpc_call *call, const char *service, const char *authority, bool is_tls)
{
	nghttp2_session_callbacks *callbacks = NULL;
	bool ok;

	*call = (struct grpc_call){.status = -1, .grpc_status = -1};
	call->request_length = grpc_build(service, call->request);
	if (call->request_length == 0 || nghttp2_session_callbacks_new(&callbacks) != 0)
		return -1;
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	ok = nghttp2_session_client_new(&call->session, callbacks, call) == 0 && submit(call, authority, is_tls);
	nghttp2_session_callbacks_del(callbacks);
	return ok ? 0 : -1;
}

void grpc_call_end(struct grpc_call *call)
{
	nghttp2_session_del(call->session);
	call->session = NULL;
}

ssize_t grpc_call_output(struct grpc_call *call, const uint8_t **data)
{
	ssize_t n = nghttp2_session_mem_send(call->session, data);

	return n < 0 ? -1 : n;
}

int grpc_call_input(struct grpc_call *call, const uint8_t *data, size_t length, struct probe_result *result)
{
	call->bytes += length;
	if (nghttp2_session_mem_recv(call->session, data, length) < 0) {
		result_set(result, REASON_GRPC, "not HTTP/2");
		return -1;
	}
	if (call->bytes <= BYTES_MAX)
		return 0;
	result_set(result, REASON_GRPC, "more frames than a health service sends");
	return -1;
}

/* As gRPC's own documents spell them. */
static const char *status_name(int status)
{
	static const char *const names[] = {"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED",
		"the service is not known", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
		"FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "no health service", "INTERNAL", "UNAVAILABLE",
		"DATA_LOSS", "UNAUTHENTICATED"};

	return (size_t)status < sizeof(names) / sizeof(names[0]) ? names[status] : "no status of gRPC";
}

void grpc_call_judge(const struct grpc_call *call, struct probe_result *result)
{
	enum grpc_status status = grpc_parse(call->answer, call->answer_length);

	if (call->status < 0)
		result_set(result, REASON_GRPC, "the stream ended without an answer");
	else if (call->status != 200)
		result_set(result, REASON_GRPC, "HTTP status %d, wanted 200", call->status);
	else if (call->grpc_status > 0)
		result_set(
			result, REASON_GRPC, "gRPC status %d (%s)", call->grpc_status, status_name(call->grpc_status));
	else if (status == GRPC_SERVING)
		result_set(result, REASON_OK, "SERVING");
	else
		result_set(result, REASON_GRPC, "health is %s, wanted SERVING", grpc_status_name(status));
}
