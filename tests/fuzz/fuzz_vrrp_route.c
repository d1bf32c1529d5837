/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's messages about routes and rules, compared with a path that may be as damaged (it may come from the
 * ledger): kind, length (2 bytes, low first), the body of the path, then messages. */
#include "../../vrrp/vrrp_route.h"
#include <netlink/msg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vrrp_path path = {0};
	struct nlmsghdr *nlh;
	uint8_t *copy;
	size_t length;
	int left;

	if (size < 3)
		return 0;
	path.kind = data[0] & 1;
	length = (size_t)data[1] | (size_t)data[2] << 8;
	data += 3;
	size -= 3;
	if (length > VRRP_PATH_SIZE)
		length = VRRP_PATH_SIZE;
	if (length > size)
		length = size;
	path.length = (uint16_t)length;
	memcpy(path.bytes, data, length);
	vrrp_path_where(&path);
	left = (int)(size - length);
	copy = malloc(left ? (size_t)left : 1); /* aligned, as a receive buffer is */
	if (!copy)
		return 0;
	memcpy(copy, data + length, (size_t)left);
	nlh = (struct nlmsghdr *)copy;
	for (; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left))
		vrrp_path_is(&path, nlh);
	free(copy);
	return 0;
}
