/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The request that HTTP_GET and SSL_GET send. Pure. */
#ifndef POISE_HTTP_REQUEST_H
#define POISE_HTTP_REQUEST_H

#include "conf.h"
#include <stddef.h>

#define HTTP_REQUEST_MAX 4096

/* Writes the request for a url of a check into buf. The host is the virtual host of the url, the check, or the service,
 * else the address and port that are asked. Returns the length, or 0 when it does not fit or when path or host have
 * characters that would end the line. */
size_t http_request_build(
	const struct conf *conf, const struct conf_check *check, const struct conf_url *url, char *buf, size_t size);
/* A HEAD request gets an answer without a body. */
bool http_request_is_head(const struct conf *conf, const struct conf_check *check);
/* The virtual host of a url, "" when there is none. */
const char *http_request_virtualhost(
	const struct conf *conf, const struct conf_check *check, const struct conf_url *url);

#endif
