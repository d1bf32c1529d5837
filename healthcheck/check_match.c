/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compares the checks of two generations by content, so that a reload disturbs only what it changes. Runs in
 * poise-healthcheck; it never looks at a check's state. */
#include "check_match.h"
#include "http_request.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool same_text(const struct conf *a, conf_string_t s, const struct conf *b, conf_string_t t)
{
	return strcmp(conf_string(a, s), conf_string(b, t)) == 0;
}

static bool same_url(const struct conf *a, const struct conf_check *ca, const struct conf_url *ua, const struct conf *b,
	const struct conf_check *cb, const struct conf_url *ub)
{
	if (!same_text(a, ua->path, b, ub->path) || !same_text(a, ua->digest, b, ub->digest) ||
		!same_text(a, ua->regex, b, ub->regex) || ua->status.count != ub->status.count ||
		ua->regex_min != ub->regex_min || ua->regex_max != ub->regex_max ||
		ua->regex_no_match != ub->regex_no_match || ua->regex_options != ub->regex_options)
		return false;
	/* The virtual host may come from the check, the server or the service: what is sent counts. */
	if (strcmp(http_request_virtualhost(a, ca, ua), http_request_virtualhost(b, cb, ub)) != 0)
		return false;
	for (uint32_t i = 0; i < ua->status.count; i++) {
		const struct conf_status_range *ra = &a->status_ranges[ua->status.first + i];
		const struct conf_status_range *rb = &b->status_ranges[ub->status.first + i];

		if (ra->low != rb->low || ra->high != rb->high)
			return false;
	}
	return true;
}

static bool same_target(const struct conf_check *a, const struct conf_check *b)
{
	return a->kind == b->kind && a->port == b->port && addr_equal(&a->target, &b->target);
}

static bool same_judgement(const struct conf_check *a, const struct conf_check *b)
{
	return a->initial == b->initial && a->fast_interval_us == b->fast_interval_us &&
	       a->down_interval_us == b->down_interval_us && a->flap_backoff_us == b->flap_backoff_us &&
	       a->tls_min_version == b->tls_min_version && a->cert_expiry_warning == b->cert_expiry_warning &&
	       a->cert_expiry_failure == b->cert_expiry_failure && a->drain_status == b->drain_status &&
	       a->require_reply == b->require_reply && a->min_reply == b->min_reply && a->max_reply == b->max_reply &&
	       a->dns_type == b->dns_type && a->file_weight == b->file_weight && !a->track_file == !b->track_file &&
	       a->steps.count == b->steps.count;
}

/* Contents of files: a renewed certificate is another one under the same name. */
static bool same_blobs(const struct conf *a, struct conf_range ra, const struct conf *b, struct conf_range rb)
{
	return ra.count == rb.count && (ra.count == 0 || memcmp(&a->blobs[ra.first], &b->blobs[rb.first],
								 ra.count * sizeof(struct conf_blob)) == 0);
}

static bool same_words(
	const struct conf *a, const struct conf_check *ca, const struct conf *b, const struct conf_check *cb)
{
	for (uint32_t i = 0; i < ca->steps.count; i++) {
		const struct conf_step *sa = &a->steps[ca->steps.first + i], *sb = &b->steps[cb->steps.first + i];

		if (sa->kind != sb->kind || !same_text(a, sa->text, b, sb->text))
			return false;
	}
	/* With urls their hosts are compared. */
	if (ca->urls.count == 0 && !same_text(a, ca->virtualhost, b, cb->virtualhost))
		return false;
	return same_text(a, ca->bind_interface, b, cb->bind_interface) && same_text(a, ca->name, b, cb->name) &&
	       same_text(a, ca->tls_name, b, cb->tls_name) && same_text(a, ca->tls_alpn, b, cb->tls_alpn) &&
	       same_text(a, ca->method, b, cb->method) && same_text(a, ca->headers, b, cb->headers) &&
	       same_text(a, ca->drain_header, b, cb->drain_header) && same_text(a, ca->drain_body, b, cb->drain_body) &&
	       same_blobs(a, ca->ca_blobs, b, cb->ca_blobs) && same_blobs(a, ca->cert_blobs, b, cb->cert_blobs) &&
	       same_blobs(a, ca->key_blobs, b, cb->key_blobs) && same_blobs(a, ca->key_password, b, cb->key_password);
}

static bool same_numbers(const struct conf_check *a, const struct conf_check *b)
{
	return a->bind_port == b->bind_port && addr_equal(&a->bind, &b->bind) && a->fwmark == b->fwmark &&
	       a->connect_timeout_us == b->connect_timeout_us && a->interval_us == b->interval_us &&
	       a->retry == b->retry && a->rise == b->rise && a->delay_before_retry_us == b->delay_before_retry_us &&
	       a->http_version == b->http_version && a->enable_sni == b->enable_sni && a->tls_verify == b->tls_verify &&
	       a->urls.count == b->urls.count && same_judgement(a, b);
}

static bool same_command(
	const struct conf *a, const struct conf_check *ca, const struct conf *b, const struct conf_check *cb)
{
	const char *wa = conf_string(a, ca->command.argv), *wb = conf_string(b, cb->command.argv);

	if (ca->command.argc != cb->command.argc || ca->misc_timeout_us != cb->misc_timeout_us ||
		ca->misc_dynamic != cb->misc_dynamic || !same_text(a, ca->command.user, b, cb->command.user) ||
		!same_text(a, ca->command.group, b, cb->command.group))
		return false;
	for (uint32_t i = 0; i < ca->command.argc; i++) {
		if (strcmp(wa, wb) != 0)
			return false;
		wa += strlen(wa) + 1;
		wb += strlen(wb) + 1;
	}
	return true;
}

bool check_is_same(const struct conf *a, conf_index_t i, const struct conf *b, conf_index_t j)
{
	const struct conf_check *ca = &a->checks[i], *cb = &b->checks[j];

	if (!same_target(ca, cb) || !same_numbers(ca, cb) || !same_command(a, ca, b, cb) || !same_words(a, ca, b, cb))
		return false;
	for (uint32_t u = 0; u < ca->urls.count; u++)
		if (!same_url(a, ca, &a->urls[ca->urls.first + u], b, cb, &b->urls[cb->urls.first + u]))
			return false;
	return true;
}

/* A server has a handful of checks: comparing each with each is the cheapest. */
static void match_server(const struct conf *next, conf_index_t server, const struct conf *old, conf_index_t old_server,
	struct check_origin *out, bool *taken)
{
	const struct conf_range *now = &next->servers[server].checks;
	const struct conf_range *was = &old->servers[old_server].checks;

	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = now->first; i < now->first + now->count; i++) {
			for (uint32_t j = was->first; j < was->first + was->count; j++) {
				bool fits = pass == 0 ? check_is_same(next, i, old, j)
						      : same_target(&next->checks[i], &old->checks[j]);

				if (taken[j] || out[i].kind != CHECK_IS_NEW || !fits)
					continue;
				taken[j] = true;
				out[i].kind = pass == 0 ? CHECK_IS_SAME : CHECK_IS_AKIN;
				out[i].check = j;
			}
		}
	}
}

int check_match(const struct conf *next, const struct conf *old, struct check_origin *out, conf_index_t *server_from)
{
	bool *taken;

	for (uint32_t i = 0; i < next->n_checks; i++)
		out[i] = (struct check_origin){CHECK_IS_NEW, CONF_NONE, CONF_NONE};
	for (uint32_t i = 0; i < next->n_servers; i++)
		server_from[i] = CONF_NONE;
	if (!old)
		return 0;
	taken = calloc(old->n_checks + 1, sizeof(*taken));
	if (!taken || conf_match_servers(next, old, server_from) < 0) {
		free(taken);
		return -ENOMEM;
	}
	for (uint32_t s = 0; s < next->n_servers; s++)
		if (server_from[s] != CONF_NONE)
			match_server(next, s, old, server_from[s], out, taken);
	free(taken);
	for (uint32_t i = 0; i < next->n_checks; i++)
		if (next->checks[i].server < next->n_servers)
			out[i].server = server_from[next->checks[i].server];
	return 0;
}
