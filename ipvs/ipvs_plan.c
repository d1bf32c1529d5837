/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The difference of two IPVS tables as a list of commands; used by the ipvs role for start, reload, repair and stop
 * alike. Pure: images in, operations out. It never flushes. */
#include "ipvs_plan.h"
#include <errno.h>

/* Where operations go; counts also those that do not fit. */
struct plan {
	const struct ipvs_image *desired, *actual;
	struct ipvs_op *ops;
	size_t n, room;
};

/* The steps within a service, in the order they are done. */
enum step { STEP_GROW, STEP_SHRINK, STEP_REMOVE };

static void emit(struct plan *plan, enum ipvs_op_kind kind, uint32_t desired_service, uint32_t actual_service,
	uint32_t desired_dest, uint32_t actual_dest)
{
	if (plan->n < plan->room)
		plan->ops[plan->n] = (struct ipvs_op){kind, desired_service, actual_service, desired_dest, actual_dest};
	plan->n++;
}

static void plan_new_service(struct plan *plan, uint32_t d)
{
	const struct ipvs_service *service = &plan->desired->services[d];

	emit(plan, IPVS_OP_NEW_SERVICE, d, IPVS_NO_INDEX, IPVS_NO_INDEX, IPVS_NO_INDEX);
	for (uint32_t i = 0; i < service->n_dests; i++)
		emit(plan, IPVS_OP_NEW_DEST, d, IPVS_NO_INDEX, i, IPVS_NO_INDEX);
}

/* A server in both images: changed in the step that its weight belongs to. */
static bool changes_in_step(const struct ipvs_dest *want, const struct ipvs_dest *have, enum step step)
{
	if (ipvs_dest_equal(want, have))
		return false;
	return step == (want->weight >= have->weight ? STEP_GROW : STEP_SHRINK);
}

/* One walk over both sorted lists of servers. */
static void plan_dests(struct plan *plan, uint32_t d, uint32_t a, enum step step)
{
	const struct ipvs_service *want = &plan->desired->services[d], *have = &plan->actual->services[a];
	uint32_t i = 0, j = 0;

	while (i < want->n_dests || j < have->n_dests) {
		int order;

		if (i == want->n_dests)
			order = 1;
		else if (j == have->n_dests)
			order = -1;
		else
			order = ipvs_dest_key_compare(&want->dests[i].key, &have->dests[j].key);
		if (order < 0) {
			if (step == STEP_GROW)
				emit(plan, IPVS_OP_NEW_DEST, d, a, i, IPVS_NO_INDEX);
			i++;
		} else if (order > 0) {
			if (step == STEP_REMOVE && have->dests[j].ours)
				emit(plan, IPVS_OP_DEL_DEST, d, a, IPVS_NO_INDEX, j);
			j++;
		} else {
			if (changes_in_step(&want->dests[i], &have->dests[j], step))
				emit(plan, IPVS_OP_SET_DEST, d, a, i, j);
			i++;
			j++;
		}
	}
}

static void plan_existing_service(struct plan *plan, uint32_t d, uint32_t a)
{
	if (!ipvs_service_equal(&plan->desired->services[d], &plan->actual->services[a]))
		emit(plan, IPVS_OP_SET_SERVICE, d, a, IPVS_NO_INDEX, IPVS_NO_INDEX);
	plan_dests(plan, d, a, STEP_GROW);
	plan_dests(plan, d, a, STEP_SHRINK);
	plan_dests(plan, d, a, STEP_REMOVE);
}

static void plan_removals(struct plan *plan)
{
	for (uint32_t a = 0; a < plan->actual->n_services; a++) {
		const struct ipvs_service *have = &plan->actual->services[a];

		if (have->ours && !ipvs_image_find(plan->desired, &have->key))
			emit(plan, IPVS_OP_DEL_SERVICE, IPVS_NO_INDEX, a, IPVS_NO_INDEX, IPVS_NO_INDEX);
	}
}

size_t ipvs_plan(const struct ipvs_image *desired, const struct ipvs_image *actual, struct ipvs_op *ops, size_t room)
{
	struct plan plan = {.desired = desired, .actual = actual, .ops = ops, .room = room};

	for (uint32_t d = 0; d < desired->n_services; d++) {
		const struct ipvs_service *have = ipvs_image_find(actual, &desired->services[d].key);

		if (have)
			plan_existing_service(&plan, d, (uint32_t)(have - actual->services));
		else
			plan_new_service(&plan, d);
	}
	plan_removals(&plan);
	return plan.n;
}

const struct ipvs_service *ipvs_op_service(
	const struct ipvs_op *op, const struct ipvs_image *desired, const struct ipvs_image *actual)
{
	if (op->desired_service != IPVS_NO_INDEX)
		return &desired->services[op->desired_service];
	return &actual->services[op->actual_service];
}

const struct ipvs_dest *ipvs_op_dest(
	const struct ipvs_op *op, const struct ipvs_image *desired, const struct ipvs_image *actual)
{
	if (op->desired_dest != IPVS_NO_INDEX)
		return &desired->services[op->desired_service].dests[op->desired_dest];
	if (op->actual_dest != IPVS_NO_INDEX)
		return &actual->services[op->actual_service].dests[op->actual_dest];
	return NULL;
}

static void take_service(struct ipvs_service *have, const struct ipvs_service *want)
{
	struct ipvs_service old = *have;

	*have = *want;
	have->ours = true;
	have->reported = have->dead = false;
	have->tally = old.tally;
	ipvs_service_take_dests(have, &old);
}

static void take_dest(struct ipvs_dest *have, const struct ipvs_dest *want)
{
	uint32_t tally = have->tally;

	*have = *want;
	have->ours = true;
	have->reported = have->dead = false;
	have->tally = tally;
}

/* Everything that an operation adds. */
static int apply_new_dest(const struct ipvs_dest *want, struct ipvs_service *have)
{
	struct ipvs_dest added = {.key = want->key};

	take_dest(&added, want);
	return ipvs_service_add(have, &added) ? 0 : -ENOMEM;
}

/* Operations of one plan in their order; *added is the image's number of the last new service. */
static int apply(const struct ipvs_image *desired, struct ipvs_image *actual, const struct ipvs_op *op, uint32_t *added)
{
	const struct ipvs_service *want = ipvs_op_service(op, desired, actual);
	uint32_t a = op->actual_service != IPVS_NO_INDEX ? op->actual_service : *added;
	struct ipvs_service fresh = {.key = want->key};

	switch (op->kind) {
	case IPVS_OP_NEW_SERVICE:
		take_service(&fresh, want);
		*added = actual->n_services;
		if (!ipvs_image_add(actual, &fresh))
			return -ENOMEM;
		ipvs_service_reserve(&actual->services[*added], want->n_dests);
		return 0;
	case IPVS_OP_SET_SERVICE:
		take_service(&actual->services[a], want);
		return 0;
	case IPVS_OP_DEL_SERVICE:
		actual->services[a].dead = true;
		return 0;
	case IPVS_OP_NEW_DEST:
		if (a == IPVS_NO_INDEX)
			return 0; /* its service was refused */
		return apply_new_dest(&want->dests[op->desired_dest], &actual->services[a]);
	case IPVS_OP_SET_DEST:
		take_dest(&actual->services[a].dests[op->actual_dest], &want->dests[op->desired_dest]);
		return 0;
	case IPVS_OP_DEL_DEST:
		actual->services[a].dests[op->actual_dest].dead = true;
		return 0;
	}
	return 0;
}

/* Entries that are desired and were found as they should be are ours from now on. */
static void adopt(const struct ipvs_image *desired, struct ipvs_image *actual)
{
	for (uint32_t d = 0; d < desired->n_services; d++) {
		const struct ipvs_service *want = &desired->services[d];
		struct ipvs_service *have = ipvs_image_find(actual, &want->key);

		if (!have)
			continue;
		have->ours = true;
		for (uint32_t i = 0; i < want->n_dests; i++) {
			struct ipvs_dest *dest = ipvs_service_find(have, &want->dests[i].key);

			if (dest)
				dest->ours = true;
		}
	}
}

int ipvs_plan_apply(const struct ipvs_image *desired, struct ipvs_image *actual, const struct ipvs_op *ops, size_t n,
	const bool *refused)
{
	uint32_t added = IPVS_NO_INDEX, fresh = 0;
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		fresh += ops[i].kind == IPVS_OP_NEW_SERVICE;
	ipvs_image_reserve(actual, actual->n_services + fresh);
	for (size_t i = 0; i < n && rc == 0; i++) {
		if (ops[i].kind == IPVS_OP_NEW_SERVICE)
			added = IPVS_NO_INDEX;
		if (!refused || !refused[i])
			rc = apply(desired, actual, &ops[i], &added);
	}
	ipvs_image_sort(actual);
	adopt(desired, actual);
	return rc;
}
