/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images of an IPVS table as sorted arrays; used by the ipvs role. It stores and finds, and decides nothing. */
#include "ipvs_image.h"
#include <linux/ip_vs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ipvs_service_clear(struct ipvs_service *service)
{
	free(service->dests);
	service->dests = NULL;
	service->n_dests = service->room = 0;
	ipvs_tallies_clear(&service->tallies);
}

void ipvs_image_clear(struct ipvs_image *image)
{
	for (uint32_t i = 0; i < image->kept; i++)
		ipvs_service_clear(&image->services[i]);
	free(image->services);
	ipvs_tallies_clear(&image->tallies);
	*image = (struct ipvs_image){0};
}

void ipvs_image_empty(struct ipvs_image *image)
{
	image->n_services = 0;
	image->tallies.n = 0;
}

void ipvs_image_trim(struct ipvs_image *image)
{
	while (image->kept > image->n_services)
		ipvs_service_clear(&image->services[--image->kept]);
}

/* Makes room for one more element; returns the array, or NULL when out of memory (the old one stays valid). */
static void *grow(void *array, uint32_t used, uint32_t *room, size_t size)
{
	uint32_t wanted = *room ? *room + *room / 2 + 1 : 4;
	void *grown;

	if (used < *room)
		return array;
	grown = reallocarray(array, wanted, size);
	if (grown)
		*room = wanted;
	return grown;
}

void ipvs_image_reserve(struct ipvs_image *image, uint32_t n)
{
	struct ipvs_service *services;

	if (n <= image->room)
		return;
	services = reallocarray(image->services, n, sizeof(*services));
	if (!services)
		return; /* the next add grows it, or says so */
	image->services = services;
	image->room = n;
}

struct ipvs_service *ipvs_image_add(struct ipvs_image *image, const struct ipvs_service *service)
{
	struct ipvs_service *services =
		grow(image->services, image->n_services, &image->room, sizeof(*image->services));
	struct ipvs_service *added, kept = {0};

	if (!services)
		return NULL;
	image->services = services;
	added = &services[image->n_services];
	if (image->n_services++ < image->kept)
		kept = *added;
	else
		image->kept = image->n_services;
	*added = *service;
	added->dests = kept.dests;
	added->n_dests = 0;
	added->room = kept.room;
	added->tallies = (struct ipvs_tallies){.list = kept.tallies.list, .room = kept.tallies.room};
	return added;
}

void ipvs_service_reserve(struct ipvs_service *service, uint32_t n)
{
	struct ipvs_dest *dests;

	if (n <= service->room)
		return;
	dests = reallocarray(service->dests, n, sizeof(*dests));
	if (!dests)
		return; /* the next add grows it, or says so */
	service->dests = dests;
	service->room = n;
}

struct ipvs_dest *ipvs_service_add(struct ipvs_service *service, const struct ipvs_dest *dest)
{
	struct ipvs_dest *dests = grow(service->dests, service->n_dests, &service->room, sizeof(*service->dests));

	if (!dests)
		return NULL;
	service->dests = dests;
	dests[service->n_dests] = *dest;
	return &dests[service->n_dests++];
}

void ipvs_service_take_dests(struct ipvs_service *service, struct ipvs_service *from)
{
	service->dests = from->dests;
	service->n_dests = from->n_dests;
	service->room = from->room;
	service->tallies = from->tallies;
	from->dests = NULL;
	from->n_dests = from->room = 0;
	from->tallies = (struct ipvs_tallies){0};
}

int ipvs_key_compare(const struct ipvs_key *a, const struct ipvs_key *b)
{
	return memcmp(a, b, sizeof(*a));
}

int ipvs_dest_key_compare(const struct ipvs_dest_key *a, const struct ipvs_dest_key *b)
{
	return memcmp(a, b, sizeof(*a));
}

static int compare_services(const void *a, const void *b)
{
	const struct ipvs_service *x = a, *y = b;

	return ipvs_key_compare(&x->key, &y->key);
}

static int compare_dests(const void *a, const void *b)
{
	const struct ipvs_dest *x = a, *y = b;

	return ipvs_dest_key_compare(&x->key, &y->key);
}

/* Of equal keys the one that stands first in the configuration comes first, and stays. */
static int order_services(const void *a, const void *b)
{
	const struct ipvs_service *x = a, *y = b;
	int order = compare_services(a, b);

	return order ? order : (x->service > y->service) - (x->service < y->service);
}

/* A sorry server may be one of the real ones, which have weight 0 while it works: the one that takes connections stays.
 */
static int order_dests(const void *a, const void *b)
{
	const struct ipvs_dest *x = a, *y = b;
	int order = compare_dests(a, b);

	if (order == 0)
		order = (x->weight < y->weight) - (x->weight > y->weight);
	return order ? order : (x->server > y->server) - (x->server < y->server);
}

uint32_t ipvs_service_sort(struct ipvs_service *service)
{
	struct ipvs_dest *dests = service->dests;
	uint32_t n = 0, doubles = 0;
	bool sorted = true;

	for (uint32_t i = 0; i < service->n_dests; i++)
		if (!dests[i].dead)
			dests[n++] = dests[i];
	service->n_dests = n;
	for (uint32_t i = 1; i < n && sorted; i++)
		sorted = compare_dests(&dests[i - 1], &dests[i]) < 0;
	if (sorted)
		return 0;
	qsort(dests, n, sizeof(*dests), order_dests);
	n = 1;
	for (uint32_t i = 1; i < service->n_dests; i++) {
		if (compare_dests(&dests[n - 1], &dests[i]) == 0)
			doubles++;
		else
			dests[n++] = dests[i];
	}
	service->n_dests = n;
	return doubles;
}

/* Each keeps its memory, which one of them may have lost. */
static void swap_services(struct ipvs_service *a, struct ipvs_service *b)
{
	struct ipvs_service kept = *a;

	*a = *b;
	*b = kept;
}

static void drop_dead_services(struct ipvs_image *image)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < image->n_services; i++) {
		if (image->services[i].dead)
			ipvs_service_clear(&image->services[i]);
		else if (n++ < i)
			swap_services(&image->services[n - 1], &image->services[i]);
	}
	image->n_services = n;
}

uint32_t ipvs_image_sort(struct ipvs_image *image)
{
	struct ipvs_service *services;
	uint32_t n = 1, doubles = 0;
	bool sorted = true;

	drop_dead_services(image);
	services = image->services;
	for (uint32_t i = 0; i < image->n_services; i++)
		doubles += ipvs_service_sort(&services[i]);
	for (uint32_t i = 1; i < image->n_services && sorted; i++)
		sorted = compare_services(&services[i - 1], &services[i]) < 0;
	if (sorted)
		return doubles;
	qsort(services, image->n_services, sizeof(*services), order_services);
	for (uint32_t i = 1; i < image->n_services; i++) {
		if (compare_services(&services[n - 1], &services[i]) == 0) {
			ipvs_service_clear(&services[i]);
			doubles++;
		} else if (n++ < i) {
			swap_services(&services[n - 1], &services[i]);
		}
	}
	image->n_services = n;
	return doubles;
}

struct ipvs_service *ipvs_image_find(const struct ipvs_image *image, const struct ipvs_key *key)
{
	struct ipvs_service wanted = {.key = *key};

	if (image->n_services == 0)
		return NULL;
	return bsearch(&wanted, image->services, image->n_services, sizeof(wanted), compare_services);
}

struct ipvs_dest *ipvs_service_find(const struct ipvs_service *service, const struct ipvs_dest_key *key)
{
	struct ipvs_dest wanted = {.key = *key};

	if (service->n_dests == 0)
		return NULL;
	return bsearch(&wanted, service->dests, service->n_dests, sizeof(wanted), compare_dests);
}

bool ipvs_service_equal(const struct ipvs_service *a, const struct ipvs_service *b)
{
	return ((a->flags ^ b->flags) & IPVS_SERVICE_FLAGS) == 0 && a->timeout_s == b->timeout_s &&
	       a->netmask == b->netmask && strncmp(a->scheduler, b->scheduler, IPVS_NAME_SIZE) == 0 &&
	       strncmp(a->engine, b->engine, IPVS_NAME_SIZE) == 0;
}

bool ipvs_dest_equal(const struct ipvs_dest *a, const struct ipvs_dest *b)
{
	if (a->forward != b->forward || a->weight != b->weight || a->upper != b->upper || a->lower != b->lower)
		return false;
	/* The kernel keeps tunnel settings of any server and uses them only for tunnels. */
	return a->forward != IP_VS_CONN_F_TUNNEL ||
	       (a->tunnel_type == b->tunnel_type && a->tunnel_port == b->tunnel_port &&
		       a->tunnel_flags == b->tunnel_flags);
}

const struct ipvs_tally *ipvs_service_tally(const struct ipvs_image *image, const struct ipvs_service *service)
{
	return ipvs_tallies_get(&image->tallies, service->tally);
}

const struct ipvs_tally *ipvs_dest_tally(const struct ipvs_service *service, const struct ipvs_dest *dest)
{
	return ipvs_tallies_get(&service->tallies, dest->tally);
}

static const char *protocol_name(uint16_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	}
	return "?";
}

const char *ipvs_key_format(const struct ipvs_key *key, char *buf)
{
	char text[ADDR_TEXT];

	if (key->fwmark)
		snprintf(buf, IPVS_KEY_TEXT, "fwmark %u%s", key->fwmark, key->family == AF_INET6 ? "/ipv6" : "");
	else
		snprintf(buf, IPVS_KEY_TEXT, "%s/%s", addr_format_port(&key->addr, key->port, text),
			protocol_name(key->protocol));
	return buf;
}

const char *ipvs_dest_format(const struct ipvs_dest_key *key, char *buf)
{
	return addr_format_port(&key->addr, key->port, buf);
}
