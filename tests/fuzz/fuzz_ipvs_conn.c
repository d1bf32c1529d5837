/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of the kernel's list of IPVS connections, and what is sent of them. */
#include "ipvs_sync_message.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ipvs_key service = {.family = AF_INET};
	struct ipvs_dest_key dest = {0};
	struct ipvs_sync_message message;
	struct ipvs_conn conn;
	char *text = malloc(size + 1);
	char *rest = text, *line;

	if (!text)
		return 0;
	ipvs_sync_message_begin(&message, 0, 0);
	memcpy(text, data, size);
	text[size] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (ipvs_conn_parse(line, &conn) < 0)
			continue;
		dest.addr = conn.dest;
		ipvs_conn_belongs(&conn, &service, &dest);
		if (ipvs_sync_is_sendable(&conn) && !ipvs_sync_message_add(&message, &conn, 0))
			ipvs_sync_message_begin(&message, 0, 0);
	}
	free(text);
	return 0;
}
