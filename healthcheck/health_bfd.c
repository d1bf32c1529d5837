/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns the states of BFD sessions on the board of the vrrp process into results of BFD_CHECKs. Runs in
 * poise-healthcheck; it speaks to nobody itself. */
#include "health_bfd.h"
#include <string.h>

static conf_index_t find_session(const struct conf *conf, const struct conf_check *check)
{
	for (conf_index_t i = 0; i < conf->n_bfds; i++) {
		if (strcmp(conf_string(conf, conf->bfds[i].name), conf_string(conf, check->name)) == 0)
			return i;
	}
	return CONF_NONE;
}

static void look_at(struct check *c, const struct board *board, conf_index_t bfd)
{
	struct status_bfd session;
	struct probe_result result = {.reason = REASON_OK};
	struct mono now = mono_now();
	uint64_t seen;

	if (board_load(board, VRRP_TABLE_BFD, bfd, &session, sizeof(session)) < 0)
		return;
	/* Steps on the way up are no news. */
	seen = session.session.state == BFD_UP ? BFD_UP + 1 : BFD_DOWN + 1;
	if (seen == c->script_runs)
		return;
	c->script_runs = seen;
	session.why[WHY_SIZE - 1] = '\0';
	result_set(&result, session.session.state == BFD_UP ? REASON_OK : REASON_BFD, "%s", session.why);
	checker_take(c, &result, now, now, MONO_NEVER);
}

void health_bfd_look(struct check_set *set, const struct board *board)
{
	if (!set || !board || board_generation(board) != set->conf->generation)
		return;
	for (uint32_t i = 0; i < set->n_checks; i++) {
		const struct conf_check *conf = &set->conf->checks[i];

		if (set->checks[i] && conf->kind == CONF_CHECK_BFD)
			look_at(set->checks[i], board, find_session(set->conf, conf));
	}
}
