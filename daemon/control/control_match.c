/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns the words of a person into server numbers of one generation; runs in the control process. It never changes
 * anything and never guesses: words that fit nothing are refused with a hint. */
#include "control_match.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *suffix;
	uint16_t protocol;
} protocols[] = {{"/tcp", IPPROTO_TCP}, {"/udp", IPPROTO_UDP}, {"/sctp", IPPROTO_SCTP}};

/* Cuts a protocol suffix off; returns the protocol, 0 when there is none. */
static uint16_t cut_protocol(char *words)
{
	char *slash = strrchr(words, '/');

	if (!slash)
		return 0;
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		if (strcmp(slash, protocols[i].suffix) == 0) {
			*slash = '\0';
			return protocols[i].protocol;
		}
	}
	return 0;
}

/* "fwmark 5", "fwmark:5" and "fwmark=5" are the same to us. Returns what follows the word, or NULL. */
static const char *after_word(const char *words, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(words, word, length) != 0 || !words[length] || !strchr(" :=", words[length]))
		return NULL;
	return words + length + 1;
}

bool match_service_is(const struct conf *conf, conf_index_t index, const char *words)
{
	const struct conf_service *s = &conf->services[index];
	char copy[CONF_NAME_SIZE], name[CONF_NAME_SIZE];
	const char *rest;
	uint16_t protocol, port;
	struct addr addr;

	if (strcmp(words, conf_service_name(conf, index, name)) == 0)
		return true;
	snprintf(copy, sizeof(copy), "%s", words);
	protocol = cut_protocol(copy);
	if (protocol && protocol != s->protocol)
		return false;
	switch ((enum conf_service_kind)s->kind) {
	case CONF_SERVICE_ADDRESS:
		return addr_parse_port(copy, &addr, &port) == 0 && addr_equal(&addr, &s->addr) &&
		       (port == 0 || port == s->port);
	case CONF_SERVICE_FWMARK:
		rest = after_word(copy, "fwmark");
		return rest && strtoul(rest, NULL, 0) == s->fwmark;
	case CONF_SERVICE_GROUP:
		rest = after_word(copy, "group");
		return rest && s->group != CONF_NONE &&
		       strcmp(rest, conf_string(conf, conf->service_groups[s->group].name)) == 0;
	}
	return false;
}

struct wanted {
	const char *words;
	bool is_address;
	struct addr addr;
	uint16_t port;
};

static bool server_is(const struct conf *conf, const struct conf_server *s, const struct wanted *wanted)
{
	if (wanted->is_address)
		return addr_equal(&s->addr, &wanted->addr) && (wanted->port == 0 || wanted->port == s->port);
	return s->name && strcmp(conf_string(conf, s->name), wanted->words) == 0;
}

static int add(struct match *match, conf_index_t server)
{
	/* Doubles at every power of two. */
	if ((match->count & (match->count - 1)) == 0) {
		conf_index_t *more = realloc(match->servers, (match->count ? match->count * 2 : 1) * sizeof(*more));

		if (!more)
			return -1;
		match->servers = more;
	}
	match->servers[match->count++] = server;
	return 0;
}

static int refuse_server(const char *server, const char *service, char *error)
{
	if (service[0])
		snprintf(error, MATCH_ERROR_SIZE,
			"%s: no such server in service %s: 'poisectl status' lists what is configured", server,
			service);
	else
		snprintf(error, MATCH_ERROR_SIZE, "%s: no service has this server: 'poisectl status' lists them",
			server);
	return -1;
}

static int match_plain(
	const struct conf *conf, const char *server, const char *service, struct match *match, char *error)
{
	struct wanted wanted = {.words = server};
	bool service_seen = false;

	*match = (struct match){0};
	wanted.is_address = addr_parse_port(server, &wanted.addr, &wanted.port) == 0;
	for (conf_index_t i = 0; i < conf->n_services; i++) {
		const struct conf_range *range = &conf->services[i].servers;

		if (service[0] && !match_service_is(conf, i, service))
			continue;
		service_seen = true;
		for (conf_index_t k = range->first; k < range->first + range->count; k++) {
			if (server_is(conf, &conf->servers[k], &wanted) && add(match, k) < 0) {
				match_free(match);
				snprintf(error, MATCH_ERROR_SIZE, "out of memory");
				return -1;
			}
		}
	}
	if (match->count)
		return 0;
	if (service[0] && !service_seen) {
		snprintf(error, MATCH_ERROR_SIZE,
			"%s: no such service: name it as 'poisectl status' does, for example 192.0.2.1:80", service);
		return -1;
	}
	return refuse_server(server, service, error);
}

int match_servers(const struct conf *conf, const char *server, const char *service, struct match *match, char *error)
{
	const char *slash = strrchr(server, '/');
	char before[CONF_NAME_SIZE], ignored[MATCH_ERROR_SIZE];
	int rc = match_plain(conf, server, service, match, error);

	/* "192.0.2.1:80/10.1.0.2", as a person writes it; a name with a slash in it was found already. */
	if (rc == 0 || service[0] || !slash || slash == server || (size_t)(slash - server) >= sizeof(before))
		return rc;
	memcpy(before, server, (size_t)(slash - server));
	before[slash - server] = '\0';
	return match_plain(conf, slash + 1, before, match, ignored) == 0 ? 0 : rc;
}

void match_free(struct match *match)
{
	free(match->servers);
	*match = (struct match){0};
}
