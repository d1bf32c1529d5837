/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of `poisectl top`: two status documents in, figures per second out. */
#ifndef POISECTL_VIEW_TOP_H
#define POISECTL_VIEW_TOP_H

#include "view.h"

enum top_order { TOP_BY_NAME, TOP_BY_RATE, TOP_BY_ACTIVE, TOP_BY_BYTES, TOP_ORDERS };

struct top_row {
	bool is_service;
	char name[80];
	const char *state; /* of the document, or a constant */
	enum style style;
	double connections_s, bytes_in_s, bytes_out_s; /* per second */
	int64_t active, inactive, weight;
};

struct top_rows {
	struct top_row *list;
	size_t count;
};

/* The services of `now`, each followed by its servers, in an order: services among themselves, servers within their
 * service. before may be NULL (rates are 0 then, and for what was not there); dt_us is the time between the two.
 * Strings point into `now`. Free with top_rows_free(). */
struct top_rows top_rows_make(struct json_object *now, struct json_object *before, int64_t dt_us, enum top_order order);
void top_rows_free(struct top_rows *rows);
/* "950", "12.3k", "4.0M", "1.2G". Returns buf. */
#define TOP_NUMBER 16
const char *top_number(double value, char buf[TOP_NUMBER]);

#endif
