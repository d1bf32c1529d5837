/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Services that stand only on the master (or the backup) of a VRRP instance: follows the instances' states. And new
 * ones that wait for their guard rails: an open door is worse than a closed one for as long as another program holds
 * the kernel's lock, while one that stands already has clients. Runs in the ipvs process; what follows from a state is
 * decided in ipvs_desired.c. */
#include "ipvs_process.h"
#include <stdio.h>
#include <string.h>

/* Looks for the instance by name; false when its state is not known at the moment, or not decided yet. */
static bool read_state(const struct ipvs *v, const struct conf_service *s, uint32_t *state)
{
	const struct conf *conf = v->now->conf;
	const struct board *board = v->p->boards[ROLE_VRRP];
	struct status_instance instance;

	if (!board || board_generation(board) != conf->generation)
		return false;
	for (uint32_t i = 0; i < conf->n_instances; i++) {
		if (strcmp(conf_string(conf, conf->instances[i].name), conf_string(conf, s->place_instance)) != 0)
			continue;
		if (board_load(board, VRRP_TABLE_INSTANCE, i, &instance, sizeof(instance)) < 0)
			return false;
		*state = instance.state;
		return *state != VRRP_INIT;
	}
	return false;
}

struct standing {
	const struct ipvs *v;
	bool found;
};

static int look_for_key(void *arg, const struct ipvs_key *key)
{
	struct standing *standing = arg;
	const struct ipvs_service *have = ipvs_image_find(&standing->v->actual, key);

	standing->found |= have && have->ours;
	return standing->found;
}

/* While nothing is known of the instance, what a predecessor has put into the kernel stays as it is. */
static bool stands_now(const struct ipvs *v, conf_index_t service)
{
	struct standing standing = {.v = v};

	ipvs_desired_each_key(v->now->conf, service, look_for_key, &standing);
	return standing.found;
}

static void tell(const struct ipvs *v, conf_index_t service, uint32_t state, bool absent)
{
	const struct conf_service *s = &v->now->conf->services[service];
	char name[CONF_NAME_SIZE];

	log_info("ipvs %s: %s the kernel: %s is %s (%s_only)", conf_service_name(v->now->conf, service, name),
		absent ? "taken out of" : "put into", conf_string(v->now->conf, s->place_instance),
		vrrp_state_name((enum vrrp_state)state), s->placement == CONF_PLACE_MASTER ? "master" : "backup");
}

/* Does the service belong on the other router? */
static void look_at_place(struct ipvs *v, conf_index_t i)
{
	const struct conf_service *s = &v->now->conf->services[i];
	struct ipvs_service_state *service = &v->now->services[i];
	uint32_t state = VRRP_INIT;
	bool misplaced;

	if (!s->placement) {
		service->place_known = service->misplaced = false;
		return;
	}
	if (!read_state(v, s, &state)) {
		if (!service->place_known)
			service->misplaced = !stands_now(v, i);
		return;
	}
	misplaced = !ipvs_desired_is_placed(s, state);
	if (!service->place_known || misplaced != service->misplaced)
		tell(v, i, state, misplaced);
	service->misplaced = misplaced;
	service->place_known = true;
}

bool ipvs_place_step(struct ipvs *v)
{
	bool changed = false;

	for (uint32_t i = 0; i < v->now->conf->n_services; i++) {
		struct ipvs_service_state *service = &v->now->services[i];
		bool absent;

		look_at_place(v, i);
		service->awaits_rails = ipvs_protect_is_awaited(v, i, NULL) && !stands_now(v, i);
		absent = service->misplaced || service->awaits_rails;
		changed |= absent != v->now->absent[i];
		v->now->absent[i] = absent;
	}
	return changed;
}

void ipvs_place_why(const struct ipvs *v, conf_index_t service, char *why)
{
	const struct conf_service *s = &v->now->conf->services[service];
	const char *instance = conf_string(v->now->conf, s->place_instance);
	char rails[WHY_SIZE];

	if (!v->now->services[service].misplaced && ipvs_protect_is_awaited(v, service, rails))
		snprintf(why, WHY_SIZE, "waits for its guard rails: %.120s", rails);
	else if (s->placement == CONF_PLACE_MASTER)
		snprintf(why, WHY_SIZE, "stands only where %.60s is master, which it is not here", instance);
	else
		snprintf(why, WHY_SIZE, "stands only where %.60s is not master, and here it is", instance);
}
