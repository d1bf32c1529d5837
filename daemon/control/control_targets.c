/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a job is about: the servers, the service or the instance that a person's words name in the generation in use.
 * Runs in the control process; it reads the configuration and boards, and changes nothing. */
#include "control_job.h"
#include "control_match.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool job_is_about_servers(const struct admin_job *job)
{
	return job->verb == MSG_VERB_DRAIN || job->verb == MSG_VERB_UNDRAIN || job->verb == MSG_VERB_MAINT ||
	       job->verb == MSG_VERB_WEIGHT;
}

void job_free_targets(struct admin_job *job)
{
	for (size_t i = 0; i < job->count; i++)
		free(job->targets[i].text);
	free(job->targets);
	job->targets = NULL;
	job->count = job->sent = job->answered = 0;
}

/* The one service that the words name. Returns 0 or -1. */
static int find_service(struct admin_job *job, char *error)
{
	const struct conf *conf = job->admin->conf;
	const char *words = job->request.service;

	job->service = CONF_NONE;
	for (conf_index_t i = 0; i < conf->n_services; i++) {
		if (!match_service_is(conf, i, words))
			continue;
		if (job->service != CONF_NONE) {
			snprintf(error, MATCH_ERROR_SIZE,
				"%s: several services are called that: name one as 'poisectl status' does, for example "
				"192.0.2.1:80/tcp",
				words);
			return -1;
		}
		job->service = i;
	}
	if (job->service != CONF_NONE)
		return 0;
	snprintf(error, MATCH_ERROR_SIZE, "%s: no such service: 'poisectl status' lists them",
		words[0] ? words : "(no name)");
	return -1;
}

static int choose_addition(struct admin_job *job, char *error)
{
	struct addr addr;
	uint16_t port;

	if (addr_parse_port(job->request.server, &addr, &port) < 0 ||
		strlen(job->request.server) >= sizeof(job->server_name)) {
		snprintf(error, MATCH_ERROR_SIZE, "%s: not an ADDRESS:PORT, for example 10.1.0.7:80",
			job->request.server);
		return -1;
	}
	if (find_service(job, error) < 0)
		return -1;
	if (port == 0)
		port = job->admin->conf->services[job->service].port;
	addr_format_port(&addr, port, job->server_name);
	return 0;
}

static int choose_removal(struct admin_job *job, char *error)
{
	const struct conf *conf = job->admin->conf;
	struct status_source now = {.conf = conf, .boards = job->admin->process->boards};
	char name[CONF_NAME_SIZE];
	struct match match;
	uint64_t n;

	if (match_servers(conf, job->request.server, job->request.service, &match, error) < 0)
		return -1;
	if (match.count > 1) {
		snprintf(error, MATCH_ERROR_SIZE, "%s: %zu servers are called that: name the service, too",
			job->request.server, match.count);
		match_free(&match);
		return -1;
	}
	job->service = conf->servers[match.servers[0]].service;
	snprintf(job->server_name, sizeof(job->server_name), "%.63s", conf_server_name(conf, match.servers[0], name));
	n = plan_connections(&now, match.servers[0]);
	match_free(&match);
	if (n == 0 || job->request.allow || !conf_removal_cuts(conf, job->service))
		return 0;
	snprintf(error, MATCH_ERROR_SIZE,
		"%s: its %llu connection%s would be cut, because its service gives servers that leave no time: "
		"'poisectl drain %s --wait' first, or use --allow",
		job->server_name, (unsigned long long)n, n == 1 ? "" : "s", job->server_name);
	return -1;
}

/* Returns 0 with the instance that the client named (CONF_NONE: all), or -1. */
static int find_instance(struct admin_job *job, char *error)
{
	const struct conf *conf = job->admin->conf;

	job->instance = CONF_NONE;
	if (!job->request.instance[0])
		return 0;
	for (uint32_t i = 0; i < conf->n_instances; i++) {
		if (strcmp(conf_string(conf, conf->instances[i].name), job->request.instance) == 0) {
			job->instance = i;
			return 0;
		}
	}
	snprintf(error, MATCH_ERROR_SIZE, "there is no vrrp_instance %s: see poisectl status", job->request.instance);
	return -1;
}

int job_set_targets(struct admin_job *job, char *error)
{
	const struct request *request = &job->request;
	struct match match = {0};
	size_t count = 1;

	if (find_instance(job, error) < 0)
		return -1;
	if (job->verb == MSG_VERB_SERVER_ADD && choose_addition(job, error) < 0)
		return -1;
	if (job->verb == MSG_VERB_SERVER_REMOVE && choose_removal(job, error) < 0)
		return -1;
	if (job_is_about_servers(job)) {
		if (match_servers(job->admin->conf, request->server, request->service, &match, error) < 0)
			return -1;
		count = match.count;
	}
	job_free_targets(job);
	job->targets = count < 1u << JOB_POSITION_BITS ? calloc(count, sizeof(*job->targets)) : NULL;
	if (!job->targets) {
		snprintf(error, MATCH_ERROR_SIZE, "out of memory");
		match_free(&match);
		return -1;
	}
	job->count = count;
	for (size_t i = 0; i < count; i++)
		job->targets[i].server = job_is_about_servers(job) ? match.servers[i] : CONF_NONE;
	match_free(&match);
	return 0;
}
