/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the result of a run makes of a check: counts, verdict, sentence, phases, history. */
#ifndef POISE_CHECK_RESULT_H
#define POISE_CHECK_RESULT_H

#include "check_set.h"

/* Takes the result of a run that started at c->status.last_start and ended at `now` into the state of the check.
 * Returns false when it says nothing about the server (our own trouble): step is left alone then, the verdict stays. */
bool check_result_take(struct check *c, const struct probe_result *result, struct mono now, struct verdict_step *step);

/* "HTTP_GET /health" (step: probe_result.step), with the target where that is not the server. Returns buf. */
#define CHECK_TEXT_SIZE 96
const char *checker_describe(const struct check *check, uint32_t step, char *buf);

#endif
