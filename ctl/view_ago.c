/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long ago a time in a document was. */
#include "view.h"

const char *view_ago(struct json_object *object, const char *key, int64_t now_us, char buf[TEXT_DURATION])
{
	int64_t then_us = json_time_us(object, key);

	if (!then_us)
		return "";
	return text_duration(now_us - then_us, buf);
}
