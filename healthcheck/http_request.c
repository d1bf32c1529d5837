/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds the GET request of a health check from the configuration. Runs in poise-healthcheck; pure: the same url gives
 * the same bytes every time, so a request that was sent in part can be built again instead of being kept. */
#include "http_request.h"
#include <stdio.h>
#include <string.h>

const char *http_request_virtualhost(
	const struct conf *conf, const struct conf_check *check, const struct conf_url *url)
{
	conf_index_t service;

	if (url->virtualhost)
		return conf_string(conf, url->virtualhost);
	if (check->virtualhost)
		return conf_string(conf, check->virtualhost);
	service = conf->servers[check->server].service;
	if (service == CONF_NONE || service >= conf->n_services)
		return "";
	return conf_string(conf, conf->services[service].virtualhost);
}

/* Nothing in the configuration may smuggle a second line or word into the request line. */
static bool is_clean(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return false;
	return true;
}

/* Methods that servers expect a body with (RFC 9110, section 8.6). */
static bool needs_length(const char *method)
{
	return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
}

bool http_request_is_head(const struct conf *conf, const struct conf_check *check)
{
	return strcmp(conf_string(conf, check->method), "HEAD") == 0;
}

size_t http_request_build(
	const struct conf *conf, const struct conf_check *check, const struct conf_url *url, char *buf, size_t size)
{
	const char *path = conf_string(conf, url->path);
	const char *host = http_request_virtualhost(conf, check, url);
	const char *version = check->http_version == CONF_HTTP_1_1 ? "1.1" : "1.0";
	const char *closing = check->http_version == CONF_HTTP_1_0 ? "" : "Connection: close\r\n";
	const char *method = check->method ? conf_string(conf, check->method) : "GET";
	const char *header = conf_string(conf, check->headers);
	char target[ADDR_TEXT];
	int n;

	if (!*path)
		path = "/";
	if (!*host)
		host = addr_format_port(&check->target, check->port, target);
	if (!is_clean(path) || !is_clean(host) || !is_clean(method))
		return 0;
	/* Access logs and filters of existing sites know the agent name that keepalived sends. */
	n = snprintf(buf, size, "%s %s HTTP/%s\r\nUser-Agent: Poise (KeepAliveClient)\r\n%sHost: %s\r\n", method, path,
		version, closing, host);
	/* One configured line after another; the configuration has none with a control character. */
	while (n > 0 && (size_t)n < size && *header) {
		size_t length = strcspn(header, "\n");

		n += snprintf(buf + n, size - (size_t)n, "%.*s\r\n", (int)length, header);
		header += length + (header[length] == '\n');
	}
	if (n > 0 && (size_t)n < size)
		n += snprintf(buf + n, size - (size_t)n, "%s\r\n", needs_length(method) ? "Content-Length: 0\r\n" : "");
	return n > 0 && (size_t)n < size ? (size_t)n : 0;
}
