/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs virtual addresses over rtnetlink for the vrrp process. Everything of one moment goes out in one errand of
 * the courier, the ledger is written before. It does not decide which addresses are to be there (vrrp_plan.c does),
 * never flushes, and in a process whose courier has a thread it never waits. */
#include "vrrp_address.h"
#include "ledger.h"
#include "log.h"
#include "netlink.h"
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RETRY_US (1 * US_PER_S)
#define READ_PAUSE_US (100 * US_PER_MS)
#define IFA_PROTO_ATTRIBUTE 11 /* Linux 5.18; not in every header */
#define FOREVER UINT32_MAX

int vrrp_addresses_init(struct vrrp_addresses *addresses, struct vrrp_monitor *monitor)
{
	*addresses = (struct vrrp_addresses){.monitor = monitor, .ledger_fd = -1};
	addresses->batch = netlink_batch_new();
	if (!addresses->batch)
		return -ENOMEM;
	vrrp_courier_init(&addresses->courier, monitor->request, addresses->batch);
	return 0;
}

void vrrp_addresses_free(struct vrrp_addresses *addresses)
{
	vrrp_courier_free(&addresses->courier);
	netlink_batch_free(addresses->batch);
	free(addresses->leases);
	free(addresses->items);
	free(addresses->jobs);
	if (addresses->ledger_fd >= 0)
		close(addresses->ledger_fd);
	*addresses = (struct vrrp_addresses){.ledger_fd = -1};
}

int vrrp_addresses_reserve(struct vrrp_addresses *addresses, uint32_t n)
{
	uint32_t room = addresses->n_leases + n;
	struct vrrp_lease *leases;
	struct vrrp_plan_item *items;
	struct vrrp_job *jobs;

	if (room > addresses->room) {
		leases = reallocarray(addresses->leases, room, sizeof(*leases));
		if (!leases)
			return -ENOMEM;
		addresses->leases = leases;
		addresses->room = room;
	}
	/* Every lease may have to go and every wish to come. */
	if (addresses->room + n > addresses->items_room) {
		items = reallocarray(addresses->items, addresses->room + n, sizeof(*items));
		if (!items)
			return -ENOMEM;
		addresses->items = items;
		jobs = reallocarray(addresses->jobs, addresses->room + n, sizeof(*jobs));
		if (!jobs)
			return -ENOMEM;
		addresses->jobs = jobs;
		addresses->items_room = addresses->room + n;
	}
	return 0;
}

int vrrp_addresses_set_ledger(struct vrrp_addresses *addresses, int fd)
{
	void *records;
	size_t count;
	int error = ledger_load(fd, LEDGER_ADDRESSES, sizeof(struct vrrp_lease), &records, &count);

	if (addresses->ledger_fd >= 0)
		close(addresses->ledger_fd);
	addresses->ledger_fd = fd;
	if (error)
		return error;
	error = count > 65536 ? -EOVERFLOW : vrrp_addresses_reserve(addresses, (uint32_t)count);
	if (!error && count > 0 && addresses->n_leases == 0) {
		memcpy(addresses->leases, records, count * sizeof(struct vrrp_lease));
		addresses->n_leases = (uint32_t)count;
		/* What a predecessor left may be about to expire. */
		addresses->refresh_now = true;
	}
	free(records);
	return error;
}

static void store_ledger(const struct vrrp_addresses *addresses)
{
	int error;

	if (addresses->ledger_fd < 0)
		return;
	error = ledger_store(addresses->ledger_fd, LEDGER_ADDRESSES, sizeof(struct vrrp_lease), addresses->leases,
		addresses->n_leases);
	if (error)
		log_error("vrrp: the ledger of virtual addresses cannot be written: %s (after a crash they stay until "
			  "their lifetime is over)",
			strerror(-error));
}

/* ---- messages ---- */

static uint32_t lifetime_seconds(int64_t lifetime_us)
{
	return lifetime_us <= 0 ? FOREVER : (uint32_t)((lifetime_us + US_PER_S - 1) / US_PER_S);
}

static int put_addr(struct nl_msg *msg, int attribute, const struct addr *addr)
{
	return nla_put(msg, attribute, (int)addr_len(addr), addr->bytes) < 0 ? -EMSGSIZE : 0;
}

int vrrp_address_encode(struct nl_msg *msg, const struct conf_address *address, uint32_t ifindex, const char *label,
	int64_t lifetime_us)
{
	struct ifaddrmsg ifa = {.ifa_family = address->addr.family,
		.ifa_prefixlen = address->prefix,
		.ifa_scope = address->scope,
		.ifa_index = ifindex};
	uint32_t flags = address->flags | (address->addr.family == AF_INET6 ? IFA_F_NODAD : 0);
	struct ifa_cacheinfo life = {.ifa_valid = lifetime_seconds(lifetime_us)};
	int error = 0;

	life.ifa_prefered = address->preferred_s < life.ifa_valid ? address->preferred_s : life.ifa_valid;
	if (nlmsg_append(msg, &ifa, sizeof(ifa), NLMSG_ALIGNTO) < 0)
		return -EMSGSIZE;
	error |= put_addr(msg, IFA_LOCAL, &address->addr);
	error |= put_addr(msg, IFA_ADDRESS, addr_is_set(&address->peer) ? &address->peer : &address->addr);
	if (address->addr.family == AF_INET && address->broadcast.family == AF_INET)
		error |= put_addr(msg, IFA_BROADCAST, &address->broadcast);
	if (address->addr.family == AF_INET && label[0])
		error |= nla_put_string(msg, IFA_LABEL, label);
	if (flags)
		error |= nla_put_u32(msg, IFA_FLAGS, flags);
	error |= nla_put(msg, IFA_CACHEINFO, sizeof(life), &life);
	error |= nla_put_u8(msg, IFA_PROTO_ATTRIBUTE, VRRP_ADDRESS_PROTO);
	return error ? -EMSGSIZE : 0;
}

int vrrp_address_encode_removal(struct nl_msg *msg, const struct vrrp_lease *lease)
{
	struct ifaddrmsg ifa = {
		.ifa_family = lease->addr.family, .ifa_prefixlen = lease->prefix, .ifa_index = lease->ifindex};

	if (nlmsg_append(msg, &ifa, sizeof(ifa), NLMSG_ALIGNTO) < 0)
		return -EMSGSIZE;
	return put_addr(msg, IFA_LOCAL, &lease->addr);
}

static int add_addition(
	struct vrrp_addresses *addresses, const struct conf *conf, uint32_t number, uint32_t ifindex, int flags)
{
	const struct conf_address *address = &conf->addresses[number];
	struct nl_msg *msg = netlink_batch_add(addresses->batch, RTM_NEWADDR, NLM_F_CREATE | flags);

	if (!msg)
		return -ENOMEM;
	/* What is held whoever is master stays when everything has died, too. */
	return vrrp_address_encode(msg, address, ifindex, conf_string(conf, address->label),
		address->instance == CONF_NONE ? 0 : addresses->lifetime_us);
}

static int add_removal(struct vrrp_addresses *addresses, const struct vrrp_lease *lease)
{
	struct nl_msg *msg = netlink_batch_add(addresses->batch, RTM_DELADDR, 0);

	return msg ? vrrp_address_encode_removal(msg, lease) : -ENOMEM;
}

/* ---- errands ---- */

static void forget_lease(struct vrrp_addresses *addresses, const struct vrrp_lease *lease)
{
	for (uint32_t i = 0; i < addresses->n_leases; i++) {
		if (vrrp_lease_is(&addresses->leases[i], &lease->addr, lease->prefix, lease->ifindex)) {
			addresses->leases[i] = addresses->leases[--addresses->n_leases];
			return;
		}
	}
}

static struct vrrp_lease lease_for(const struct vrrp_addresses *addresses, const struct vrrp_wish *wish)
{
	const struct link *link = links_find(&addresses->monitor->links, wish->ifindex);
	struct vrrp_lease lease = {
		.addr = wish->addr, .prefix = wish->prefix, .ifindex = wish->ifindex, .form = wish->form};

	if (link)
		memcpy(lease.interface, link->name, sizeof(lease.interface));
	return lease;
}

/* known: all that have a lease. */
static void note_lease(struct vrrp_addresses *addresses, const struct vrrp_lease *lease, struct vrrp_crowd *known)
{
	bool may_have_one = vrrp_crowd_add(known, &lease->addr, lease->prefix, lease->ifindex);

	for (uint32_t i = 0; may_have_one && i < addresses->n_leases; i++) {
		if (!vrrp_lease_is(&addresses->leases[i], &lease->addr, lease->prefix, lease->ifindex))
			continue;
		addresses->leases[i].form = lease->form;
		return;
	}
	if (addresses->n_leases < addresses->room)
		addresses->leases[addresses->n_leases++] = *lease;
}

static int send_off(struct vrrp_addresses *addresses, enum vrrp_errand errand, int composed, struct mono now)
{
	addresses->sent_at = now;
	/* Also after an error in composing it: a batch that is not sent would be part of the next one. */
	if (vrrp_courier_send(&addresses->courier, errand) < 0)
		return -ENOMEM;
	return composed;
}

/* One errand for all addresses of all instances. */
static int send_plan(struct vrrp_addresses *addresses, const struct conf *conf, const struct vrrp_wish *wishes,
	uint32_t n_items, struct mono now)
{
	struct vrrp_crowd known = {0};
	int error = 0;

	addresses->n_jobs = 0;
	for (uint32_t i = 0; i < n_items && !error; i++) {
		const struct vrrp_plan_item *item = &addresses->items[i];
		struct vrrp_job *job = &addresses->jobs[addresses->n_jobs++];

		*job = (struct vrrp_job){.kind = item->kind, .wish = UINT32_MAX};
		if (item->kind == VRRP_PLAN_REMOVE) {
			job->lease = addresses->leases[item->number];
			error = add_removal(addresses, &job->lease);
			continue;
		}
		job->wish = item->number;
		job->lease = lease_for(addresses, &wishes[item->number]);
		/* Somebody else's address of the same name is not to be taken over: NLM_F_EXCL. */
		error = add_addition(addresses, conf, item->number, job->lease.ifindex, NLM_F_EXCL);
	}
	for (uint32_t i = 0; i < addresses->n_leases; i++) {
		const struct vrrp_lease *lease = &addresses->leases[i];

		vrrp_crowd_add(&known, &lease->addr, lease->prefix, lease->ifindex);
	}
	for (uint32_t i = 0; i < addresses->n_jobs; i++) {
		if (addresses->jobs[i].kind == VRRP_PLAN_ADD)
			note_lease(addresses, &addresses->jobs[i].lease, &known);
	}
	store_ledger(addresses);
	return send_off(addresses, VRRP_ERRAND_PLAN, error, now);
}

static int send_refresh(
	struct vrrp_addresses *addresses, const struct conf *conf, const struct vrrp_wish *wishes, struct mono now)
{
	int error = 0;

	for (uint32_t i = 0; i < conf->n_addresses && !error; i++) {
		if (wishes[i].is_wanted && wishes[i].is_set && !wishes[i].is_foreign)
			error = add_addition(addresses, conf, i, wishes[i].ifindex, NLM_F_REPLACE);
	}
	return send_off(addresses, VRRP_ERRAND_REFRESH, error, now);
}

int vrrp_addresses_read_anew(struct vrrp_addresses *addresses)
{
	int error;

	addresses->courier.links = (struct links){.births = addresses->monitor->links.births};
	vrrp_monitor_hold(addresses->monitor);
	error = vrrp_courier_send(&addresses->courier, VRRP_ERRAND_READ);
	if (error)
		vrrp_monitor_go_on(addresses->monitor);
	return error;
}

/* ---- their return ---- */

static void take_refusals(struct vrrp_addresses *addresses, struct vrrp_wish *wishes, struct mono now,
	vrrp_address_report_fn *report, void *arg)
{
	const struct vrrp_courier *courier = &addresses->courier;

	for (uint32_t i = 0; i < courier->n_refusals; i++) {
		const struct vrrp_refusal *refusal = &courier->refusals[i];
		struct vrrp_job *job;

		if (refusal->number >= addresses->n_jobs)
			continue;
		job = &addresses->jobs[refusal->number];
		job->is_refused = true;
		/* An address that is gone already, or whose interface is, needs no removal. */
		if (job->kind == VRRP_PLAN_REMOVE)
			continue;
		forget_lease(addresses, &job->lease);
		if (job->wish == UINT32_MAX)
			continue;
		vrrp_setback(&wishes[job->wish].setbacks, now);
		report(arg, job->wish, refusal->error, refusal->text[0] ? refusal->text : NULL);
	}
	if (courier->n_refusals > 0)
		store_ledger(addresses);
}

/* What the kernel acknowledged is there, whether its notification has come or not. */
static void note_additions(struct vrrp_addresses *addresses)
{
	for (uint32_t i = 0; i < addresses->n_jobs; i++) {
		const struct vrrp_job *job = &addresses->jobs[i];
		struct link_address address = {
			.addr = job->lease.addr, .prefix = job->lease.prefix, .proto = VRRP_ADDRESS_PROTO};

		if (job->kind == VRRP_PLAN_ADD && !job->is_refused)
			links_note_address(&addresses->monitor->links, job->lease.ifindex, &address);
	}
}

static void take_refresh(struct vrrp_addresses *addresses, struct mono now)
{
	static struct log_limit limit;
	uint32_t held_back;

	if (addresses->courier.n_refusals == 0) {
		addresses->next_refresh = addresses->lifetime_us > 0
						  ? mono_add(addresses->sent_at, addresses->lifetime_us / 2)
						  : MONO_NEVER;
		return;
	}
	/* Gone meanwhile, which its notification tells; or short of memory, and then there is still half a life. */
	if (log_limit_pass(&limit, 10 * US_PER_S, &held_back))
		log_warning("vrrp: the lifetime of %u virtual addresses was not refreshed: %s; trying again",
			addresses->courier.n_refusals, strerror(addresses->courier.refusals[0].error));
	addresses->next_refresh = mono_add(now, RETRY_US);
}

/* The outcome is not known: look at what is there, and come back soon. */
static void recover(struct vrrp_addresses *addresses, int error, struct mono now)
{
	static struct log_limit limit;
	uint32_t held_back;

	if (log_limit_pass(&limit, 10 * US_PER_S, &held_back))
		log_error("vrrp: virtual addresses could not be programmed: %s; trying again", strerror(-error));
	addresses->monitor->is_stale = true;
	addresses->refresh_now = true;
	addresses->not_before = mono_add(now, RETRY_US);
}

static void take_image(struct vrrp_addresses *addresses, struct mono now)
{
	static struct log_limit limit;
	uint32_t held_back;

	if (!addresses->courier.result) {
		vrrp_monitor_adopt(addresses->monitor, &addresses->courier.links);
		/* Addresses have their turn before the next look. */
		addresses->read_not_before = mono_add(now, READ_PAUSE_US);
		return;
	}
	vrrp_monitor_go_on(addresses->monitor);
	if (log_limit_pass(&limit, 10 * US_PER_S, &held_back))
		log_error("vrrp: interfaces cannot be read from the kernel: %s; trying again",
			strerror(-addresses->courier.result));
	addresses->not_before = mono_add(now, RETRY_US);
}

bool vrrp_addresses_back(struct vrrp_addresses *addresses, struct vrrp_wish *wishes, struct mono now,
	vrrp_address_report_fn *report, void *arg)
{
	enum vrrp_errand errand = vrrp_courier_take(&addresses->courier);

	switch (errand) {
	case VRRP_ERRAND_NONE:
		return false;
	case VRRP_ERRAND_READ:
		take_image(addresses, now);
		return true;
	case VRRP_ERRAND_PLAN:
		take_refusals(addresses, wishes, now, report, arg);
		break;
	case VRRP_ERRAND_REFRESH:
		break;
	case VRRP_ERRAND_PATHS:
	case VRRP_ERRAND_LOOK:
		return true; /* vrrp_pave_back()'s */
	}
	if (addresses->courier.result) {
		recover(addresses, addresses->courier.result, now);
		return true;
	}
	if (errand == VRRP_ERRAND_PLAN)
		note_additions(addresses);
	else
		take_refresh(addresses, now);
	return true;
}

void vrrp_addresses_forget_wishes(struct vrrp_addresses *addresses)
{
	for (uint32_t i = 0; i < addresses->n_jobs; i++)
		addresses->jobs[i].wish = UINT32_MAX;
}

bool vrrp_addresses_are_coming(const struct vrrp_addresses *addresses)
{
	return addresses->courier.errand == VRRP_ERRAND_PLAN;
}

/* ---- what is to be done ---- */

/* Leases whose address is neither in the kernel nor wanted describe nothing any more. */
static bool prune_leases(struct vrrp_addresses *addresses, const struct vrrp_wish *wishes, uint32_t n_wishes)
{
	uint32_t kept = 0, before = addresses->n_leases, near = 0;

	for (uint32_t i = 0; i < before; i++) {
		const struct vrrp_lease *lease = &addresses->leases[i];
		const struct link *link = links_find(&addresses->monitor->links, lease->ifindex);
		bool is_needed = link && link_find_address(link, &lease->addr, lease->prefix, &near);

		for (uint32_t w = 0; w < n_wishes && !is_needed; w++)
			is_needed = wishes[w].is_wanted &&
				    vrrp_lease_is(lease, &wishes[w].addr, wishes[w].prefix, wishes[w].ifindex);
		if (is_needed)
			addresses->leases[kept++] = *lease;
	}
	addresses->n_leases = kept;
	return kept != before;
}

static struct mono earlier(struct mono a, struct mono b)
{
	if (!mono_is_set(a))
		return b;
	return mono_is_set(b) && mono_before(b, a) ? b : a;
}

static void tell(struct vrrp_wish *wishes, uint32_t number, vrrp_address_report_fn *report, void *arg)
{
	wishes[number].is_reported = wishes[number].is_set;
	report(arg, number, 0, NULL);
	wishes[number].is_lost = false;
}

/* Before they are put back: afterwards nobody could see that they were away. */
static void tell_losses(struct vrrp_wish *wishes, uint32_t n, vrrp_address_report_fn *report, void *arg)
{
	for (uint32_t i = 0; i < n; i++) {
		if (wishes[i].is_lost)
			tell(wishes, i, report, arg);
	}
}

/* Compares the wishes with the image, after the notifications of an errand have been taken. */
static void look_again(struct vrrp_addresses *addresses, struct vrrp_wish *wishes, uint32_t n, struct mono now,
	vrrp_address_report_fn *report, void *arg)
{
	uint32_t near = 0;

	vrrp_monitor_read(addresses->monitor);
	for (uint32_t i = 0; i < n; i++) {
		struct vrrp_wish *wish = &wishes[i];
		const struct link *link = links_find(&addresses->monitor->links, wish->ifindex);
		bool is_here = link && link_find_address(link, &wish->addr, wish->prefix, &near);

		if (wish->is_set && !is_here && wish->is_wanted && wish->ifindex) {
			vrrp_setback(&wish->setbacks, now);
			wish->is_lost = true;
		}
		wish->is_set = is_here;
		if (wish->is_set != wish->is_reported)
			tell(wishes, i, report, arg);
	}
}

/* Whether lifetimes are to be refreshed now; plans the next time. */
static bool is_refresh_due(
	struct vrrp_addresses *addresses, const struct conf *conf, const struct vrrp_wish *wishes, struct mono now)
{
	bool holds_any = false;

	for (uint32_t i = 0; i < conf->n_addresses && !holds_any; i++)
		holds_any = wishes[i].is_wanted && wishes[i].is_set && !wishes[i].is_foreign;
	if (!holds_any) {
		addresses->next_refresh = MONO_NEVER;
		return false;
	}
	if (addresses->refresh_now ||
		(mono_is_set(addresses->next_refresh) && !mono_before(now, addresses->next_refresh)))
		return true;
	if (addresses->lifetime_us > 0 && !mono_is_set(addresses->next_refresh))
		addresses->next_refresh = mono_add(now, addresses->lifetime_us / 2);
	return false;
}

/* Returns true when there is nothing to wait for: without a thread the errand is back already. */
static bool is_back(struct vrrp_addresses *addresses, int error, struct vrrp_wish *wishes, struct mono now,
	vrrp_address_report_fn *report, void *arg)
{
	if (error)
		recover(addresses, error, now);
	if (addresses->courier.worker.has_thread)
		return !vrrp_courier_is_out(&addresses->courier);
	vrrp_addresses_back(addresses, wishes, now, report, arg);
	return true;
}

struct mono vrrp_addresses_apply(struct vrrp_addresses *addresses, const struct conf *conf, struct vrrp_wish *wishes,
	struct mono now, vrrp_address_report_fn *report, void *arg)
{
	struct mono next = MONO_NEVER;
	uint32_t n;
	int error;

	if (vrrp_courier_is_out(&addresses->courier))
		return MONO_NEVER;
	if (mono_is_set(addresses->not_before) && mono_before(now, addresses->not_before))
		return addresses->not_before;
	n = vrrp_plan(wishes, conf->n_addresses, addresses->leases, addresses->n_leases, &addresses->monitor->links,
		now, addresses->items, &next);
	tell_losses(wishes, conf->n_addresses, report, arg);
	if (n > 0) {
		error = send_plan(addresses, conf, wishes, n, now);
		if (!is_back(addresses, error, wishes, now, report, arg))
			return MONO_NEVER;
	}
	look_again(addresses, wishes, conf->n_addresses, now, report, arg);
	if (prune_leases(addresses, wishes, conf->n_addresses))
		store_ledger(addresses);
	if (is_refresh_due(addresses, conf, wishes, now)) {
		addresses->refresh_now = false;
		error = send_refresh(addresses, conf, wishes, now);
		if (!is_back(addresses, error, wishes, now, report, arg))
			return MONO_NEVER;
	}
	/* A refused address has its pause noted by now. */
	for (uint32_t i = 0; i < conf->n_addresses; i++) {
		if (wishes[i].is_wanted && !wishes[i].is_set && wishes[i].ifindex)
			next = earlier(next, wishes[i].setbacks.not_before);
	}
	return earlier(next, addresses->next_refresh);
}

int vrrp_addresses_release(struct vrrp_addresses *addresses)
{
	int n = (int)addresses->n_leases, error = 0;

	vrrp_courier_wait(&addresses->courier);
	vrrp_courier_take(&addresses->courier);
	for (uint32_t i = 0; i < addresses->n_leases && !error; i++)
		error = add_removal(addresses, &addresses->leases[i]);
	if (vrrp_courier_send(&addresses->courier, VRRP_ERRAND_REFRESH) < 0)
		return -ENOMEM;
	vrrp_courier_wait(&addresses->courier);
	vrrp_courier_take(&addresses->courier);
	if (error || addresses->courier.result)
		return error ? error : addresses->courier.result;
	addresses->n_leases = 0;
	store_ledger(addresses);
	return n;
}
