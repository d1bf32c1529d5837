/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's messages about interfaces and addresses, taken into an image that is then asked everything. */
#include "../../vrrp/vrrp_link.h"
#include <netlink/msg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_virtual(void *arg, const struct link *link, const struct link_address *address)
{
	(void)arg;
	return link->ifindex & address->prefix & 1;
}

static void ask(const struct links *links)
{
	const struct link_source_query queries[] = {{.family = AF_INET, .is_virtual = is_virtual},
		{.family = AF_INET6, .link_local = true, .allows_virtual = true, .is_virtual = is_virtual}};
	char why[64];

	for (uint32_t i = 0; i < links->count; i++) {
		const struct link *link = &links->all[i];
		struct addr source;

		if (links_find_name(links, link->name) == NULL || links_find(links, link->ifindex) != link)
			abort();
		link_fault(link, link->name, why, sizeof(why));
		for (size_t q = 0; q < sizeof(queries) / sizeof(queries[0]); q++)
			link_source(link, &queries[q], &source);
		for (uint32_t a = 0; a < link->n_addresses; a++) {
			uint32_t near = link->ifindex; /* anywhere */

			if (!link_find_address(link, &link->addresses[a].addr, link->addresses[a].prefix, &near))
				abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct links links = {0};
	struct nlmsghdr *nlh;
	int left = (int)size;
	uint8_t *copy = malloc(size ? size : 1); /* aligned, as a receive buffer is */

	if (!copy)
		return 0;
	if (size)
		memcpy(copy, data, size);
	nlh = (struct nlmsghdr *)copy;
	for (; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left))
		links_take(&links, nlh);
	ask(&links);
	links_clear(&links);
	free(copy);
	return 0;
}
