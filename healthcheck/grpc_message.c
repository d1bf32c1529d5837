/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of gRPC's health service: a length prefix and a protocol buffer with one field. Runs in poise-healthcheck;
 * pure. */
#include "grpc_message.h"
#include <string.h>

enum { PREFIX = 5, FIELD_SERVICE = 1 << 3 | 2, WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

size_t grpc_build(const char *service, uint8_t *buf)
{
	size_t n = strlen(service), message = n ? n + 2 : 0;

	if (n > GRPC_SERVICE_MAX)
		return 0;
	memset(buf, 0, PREFIX);
	buf[4] = (uint8_t)message;
	if (n) {
		buf[PREFIX] = FIELD_SERVICE;
		buf[PREFIX + 1] = (uint8_t)n;
		memcpy(buf + PREFIX + 2, service, n);
	}
	return PREFIX + message;
}

/* Returns the number of bytes used, 0 when it does not end in time. */
static size_t take_varint(const uint8_t *data, size_t length, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < length && i < 10; i++) {
		*value |= (uint64_t)(data[i] & 0x7f) << (7 * i);
		if (!(data[i] & 0x80))
			return i + 1;
	}
	return 0;
}

/* Steps over the contents of a field. Returns the bytes used, 0 when it is damaged. */
static size_t skip_field(unsigned wire, const uint8_t *data, size_t length)
{
	uint64_t value;
	size_t used;

	switch (wire) {
	case WIRE_VARINT:
		return take_varint(data, length, &value);
	case WIRE_64:
		return length >= 8 ? 8 : 0;
	case WIRE_BYTES:
		used = take_varint(data, length, &value);
		return used && value <= length - used ? used + (size_t)value : 0;
	case WIRE_32:
		return length >= 4 ? 4 : 0;
	}
	return 0;
}

enum grpc_status grpc_parse(const uint8_t *data, size_t length)
{
	uint64_t key, status = GRPC_UNKNOWN;
	size_t message, used;

	if (length < PREFIX || data[0] != 0)
		return GRPC_INVALID;
	message = (size_t)data[1] << 24 | (size_t)data[2] << 16 | (size_t)data[3] << 8 | data[4];
	data += PREFIX;
	if (message > length - PREFIX)
		return GRPC_INVALID;
	while (message > 0) {
		used = take_varint(data, message, &key);
		if (!used)
			return GRPC_INVALID;
		data += used;
		message -= used;
		used = key == (1 << 3 | WIRE_VARINT) ? take_varint(data, message, &status)
						     : skip_field(key & 7, data, message);
		if (!used)
			return GRPC_INVALID;
		data += used;
		message -= used;
	}
	return status <= GRPC_SERVICE_UNKNOWN ? (enum grpc_status)status : GRPC_INVALID;
}

const char *grpc_status_name(enum grpc_status status)
{
	switch (status) {
	case GRPC_UNKNOWN:
		return "UNKNOWN";
	case GRPC_SERVING:
		return "SERVING";
	case GRPC_NOT_SERVING:
		return "NOT_SERVING";
	case GRPC_SERVICE_UNKNOWN:
		return "SERVICE_UNKNOWN";
	case GRPC_INVALID:
		break;
	}
	return "no health message";
}
