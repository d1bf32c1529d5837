/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests of local clients: any bytes. What is accepted must be printable and within its bounds. */
#include "../../daemon/control/control_request.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t size)
{
	if (strnlen(text, size) == size)
		abort();
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[REQUEST_ERROR_SIZE] = "";
	struct request request;

	if (request_parse((const char *)data, size, &request, error) < 0) {
		if (!error[0] || strnlen(error, sizeof(error)) == sizeof(error))
			abort();
		return 0;
	}
	if (request.command >= REQUEST_COMMAND_COUNT)
		abort();
	check_text(request.server, sizeof(request.server));
	check_text(request.service, sizeof(request.service));
	if (request.command == REQUEST_WEIGHT && (request.weight < -1 || request.weight > REQUEST_WEIGHT_MAX))
		abort();
	return 0;
}
