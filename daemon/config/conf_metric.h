/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The metrics of a route. */
#ifndef POISE_CONF_METRIC_H
#define POISE_CONF_METRIC_H

#include "conf_phrase.h"

/* The metrics that have a number as their value: word, RTAX_*, how the value is read. Ends with a name of NULL. */
struct conf_metric {
	const char *name;
	uint8_t number, kind;
};
extern const struct conf_metric conf_metrics[];

/* Reads a metric with its value when the phrase stands at one; false when it does not. */
bool conf_metric_read(struct conf_phrase *p, struct conf_route *route);

#endif
