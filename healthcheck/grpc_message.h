/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two messages of gRPC's health service (grpc.health.v1.Health/Check) in their frames. Pure. */
#ifndef POISE_GRPC_MESSAGE_H
#define POISE_GRPC_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#define GRPC_SERVICE_MAX 120 /* so that its length fits one byte */
#define GRPC_REQUEST_MAX (5 + 2 + GRPC_SERVICE_MAX)

/* Builds the request for a service ("" = the server as a whole). Returns its length, 0 when the name is too long. */
size_t grpc_build(const char *service, uint8_t *buf);

enum grpc_status {
	GRPC_UNKNOWN,
	GRPC_SERVING,
	GRPC_NOT_SERVING,
	GRPC_SERVICE_UNKNOWN,
	GRPC_INVALID /* not an answer of the health service */
};
enum grpc_status grpc_parse(const uint8_t *data, size_t length);
const char *grpc_status_name(enum grpc_status status);

#endif
