/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's answers about IPVS: a buffer of netlink messages, each offered to every parser of the codec. */
#include "ipvs_codec.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void offer(struct nlmsghdr *nlh)
{
	char text[IPVS_KEY_TEXT];
	struct ipvs_service service;
	struct ipvs_dest dest;
	struct ipvs_tally tally;
	struct ipvs_daemon daemon;
	struct ipvs_timeouts timeouts;
	uint32_t version;

	if (ipvs_codec_get_service(nlh, &service, &tally) == 0)
		ipvs_key_format(&service.key, text);
	if (ipvs_codec_get_dest(nlh, AF_INET, &dest, &tally) == 0)
		ipvs_dest_format(&dest.key, text);
	ipvs_codec_get_daemon(nlh, &daemon);
	ipvs_codec_get_timeouts(nlh, &timeouts);
	ipvs_codec_get_version(nlh, &version);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nlmsghdr *nlh;
	int left = (int)size;
	uint8_t *copy = malloc(size ? size : 1); /* aligned, as a receive buffer is */

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	nlh = (struct nlmsghdr *)copy;
	for (; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left))
		offer(nlh);
	free(copy);
	return 0;
}
