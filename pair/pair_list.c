/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells and takes lists of configured objects for the pair role. Touches nothing but its arguments. */
#include "pair_list.h"
#include <stdlib.h>
#include <string.h>

void pair_list_next(struct pair_list_teller *t, const struct pair_object *objects, uint32_t n, uint64_t config,
	struct pair_objects *out)
{
	if (t->config != config || t->at >= n)
		t->at = 0;
	t->config = config;
	out->config = config;
	out->first = t->at;
	out->n = n - t->at < PAIR_OBJECTS_MAX ? n - t->at : PAIR_OBJECTS_MAX;
	memcpy(out->list, objects + t->at, out->n * sizeof(*out->list));
}

bool pair_list_told(struct pair_list_teller *t, uint32_t n, const struct pair_objects *out)
{
	t->at = out->first + out->n;
	if (out->n > 0 && t->at < n)
		return true;
	t->at = 0;
	return false;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct pair_object *)a)->name, ((const struct pair_object *)b)->name);
}

static bool make_room(struct pair_list *list, uint32_t objects)
{
	struct pair_object *more;

	if (list->room >= objects)
		return true;
	more = reallocarray(list->objects, objects, sizeof(*more));
	if (!more)
		return false;
	list->objects = more;
	list->room = objects;
	return true;
}

bool pair_list_take(struct pair_list *list, const struct pair_objects *part, uint64_t config, uint32_t objects)
{
	if (part->config != config || objects > PAIR_LIST_LIMIT || (list->is_complete && list->config == config))
		return false;
	if (part->first == 0) {
		list->n = 0;
		list->config = config;
		list->is_complete = false;
	}
	if (part->first != list->n || list->config != config || list->n > objects || part->n > objects - list->n ||
		!make_room(list, objects))
		return false;
	memcpy(list->objects + list->n, part->list, part->n * sizeof(*part->list));
	list->n += part->n;
	if (list->n < objects)
		return false;
	qsort(list->objects, list->n, sizeof(*list->objects), compare_names);
	list->is_complete = true;
	return true;
}
