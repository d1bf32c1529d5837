/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns the ends of programs on the board of the script process into results of MISC_CHECKs. Runs in
 * poise-healthcheck; it starts nothing itself. */
#include "health_misc.h"
#include <string.h>

/* See status_script.last_exit. */
enum { EXIT_NOT_RUN = -1000, EXIT_TIMEOUT = -1001 };

void health_misc_result(const struct status_script *run, bool is_dynamic, struct probe_result *result)
{
	int32_t status = run->last_exit;
	char why[WHY_SIZE];

	memcpy(why, run->why, WHY_SIZE);
	why[WHY_SIZE - 1] = '\0';
	*result = (struct probe_result){.reason = REASON_OK};
	if (status == EXIT_NOT_RUN)
		result_set(result, REASON_SCRIPT_NOT_RUN, "our own trouble, not the server's: %s", why);
	else if (status == EXIT_TIMEOUT)
		result_set(result, REASON_SCRIPT_TIMEOUT, "%s", why);
	else if (status == 0)
		result_set(result, REASON_OK, "%s", why);
	else if (is_dynamic && status >= 2 && status <= 255) {
		result->has_weight = true;
		result->weight = status - 2;
		result_set(result, REASON_OK, "exit status %d sets the weight to %d", status, status - 2);
	} else
		result_set(result, REASON_SCRIPT, "%s", why);
}

static void look_at(struct check *c, const struct board *board, uint32_t record)
{
	const struct conf_check *conf = check_spec_conf(&c->spec);
	struct status_script run;
	struct probe_result result;

	if (board_load(board, SCRIPT_TABLE_MISC, record, &run, sizeof(run)) < 0)
		return;
	if (run.runs == c->script_runs) {
		/* Since when it is due is what its lateness is seen by. */
		c->planned = run.next_start;
		c->status.next_start = run.next_start;
		return;
	}
	/* A new script process counts from the beginning. */
	c->script_runs = run.runs;
	if (run.runs == 0)
		return;
	health_misc_result(&run, conf->misc_dynamic, &result);
	checker_take(c, &result, run.last_start, run.last_end, run.next_start);
}

void health_misc_look(struct check_set *set, const struct board *board, uint32_t record)
{
	uint32_t number = 0;

	if (!set || !board || board_generation(board) != set->conf->generation)
		return;
	for (uint32_t i = 0; i < set->n_checks; i++) {
		if (set->conf->checks[i].kind != CONF_CHECK_MISC)
			continue;
		if (set->checks[i] && (record == UINT32_MAX || record == number))
			look_at(set->checks[i], board, number);
		number++;
	}
}
