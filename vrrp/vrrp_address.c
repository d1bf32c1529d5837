/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs virtual addresses over rtnetlink for the vrrp process. Everything of one moment goes out in one exchange,
 * the ledger is written before. It does not decide which addresses are to be there (vrrp_plan.c does) and never
 * flushes. */
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

#define EXCHANGE_TIMEOUT_US (1 * US_PER_S)
#define RETRY_US (1 * US_PER_S)
#define IFA_PROTO_ATTRIBUTE 11 /* Linux 5.18; not in every header */
#define FOREVER UINT32_MAX

int vrrp_addresses_init(struct vrrp_addresses *addresses, struct vrrp_monitor *monitor)
{
	*addresses = (struct vrrp_addresses){.monitor = monitor, .ledger_fd = -1};
	addresses->batch = netlink_batch_new();
	return addresses->batch ? 0 : -ENOMEM;
}

void vrrp_addresses_free(struct vrrp_addresses *addresses)
{
	netlink_batch_free(addresses->batch);
	free(addresses->leases);
	free(addresses->items);
	if (addresses->ledger_fd >= 0)
		close(addresses->ledger_fd);
	*addresses = (struct vrrp_addresses){.ledger_fd = -1};
}

int vrrp_addresses_reserve(struct vrrp_addresses *addresses, uint32_t n)
{
	uint32_t room = addresses->n_leases + n;
	struct vrrp_lease *leases;
	struct vrrp_plan_item *items;

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
	bool is_host6 = address->addr.family == AF_INET6 && address->prefix == 128;
	struct ifa_cacheinfo life = {.ifa_valid = lifetime_seconds(lifetime_us)};
	int error = 0;

	life.ifa_prefered = is_host6 ? 0 : life.ifa_valid;
	if (nlmsg_append(msg, &ifa, sizeof(ifa), NLMSG_ALIGNTO) < 0)
		return -EMSGSIZE;
	error |= put_addr(msg, IFA_LOCAL, &address->addr);
	error |= put_addr(msg, IFA_ADDRESS, addr_is_set(&address->peer) ? &address->peer : &address->addr);
	if (address->addr.family == AF_INET && address->broadcast.family == AF_INET)
		error |= put_addr(msg, IFA_BROADCAST, &address->broadcast);
	if (address->addr.family == AF_INET && label[0])
		error |= nla_put_string(msg, IFA_LABEL, label);
	if (address->addr.family == AF_INET6)
		error |= nla_put_u32(msg, IFA_FLAGS, IFA_F_NODAD);
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
	return vrrp_address_encode(msg, address, ifindex, conf_string(conf, address->label), addresses->lifetime_us);
}

static int add_removal(struct vrrp_addresses *addresses, const struct vrrp_lease *lease)
{
	struct nl_msg *msg = netlink_batch_add(addresses->batch, RTM_DELADDR, 0);

	return msg ? vrrp_address_encode_removal(msg, lease) : -ENOMEM;
}

/* ---- carrying a plan out ---- */

/* What the answers of one exchange are matched with. */
struct exchange {
	struct vrrp_addresses *addresses;
	struct vrrp_wish *wishes;
	struct vrrp_plan_item *items;
	struct mono now;
	vrrp_address_report_fn *report;
	void *arg;
};

static void forget_lease(struct vrrp_addresses *addresses, const struct vrrp_wish *wish)
{
	for (uint32_t i = 0; i < addresses->n_leases; i++) {
		if (vrrp_lease_is(&addresses->leases[i], &wish->addr, wish->prefix, wish->ifindex)) {
			addresses->leases[i] = addresses->leases[--addresses->n_leases];
			return;
		}
	}
}

static void on_refused(void *arg, size_t number, int error, const char *text)
{
	struct exchange *x = arg;
	struct vrrp_plan_item *item = &x->items[number];

	item->error = error;
	/* An address that is gone already, or whose interface is, needs no removal. */
	if (item->kind == VRRP_PLAN_REMOVE)
		return;
	vrrp_plan_setback(&x->wishes[item->number], x->now);
	forget_lease(x->addresses, &x->wishes[item->number]);
	x->report(x->arg, item->number, error, text);
}

static void note_lease(struct vrrp_addresses *addresses, const struct vrrp_wish *wish)
{
	const struct link *link = links_find(&addresses->monitor->links, wish->ifindex);
	struct vrrp_lease lease = {
		.addr = wish->addr, .prefix = wish->prefix, .ifindex = wish->ifindex, .form = wish->form};

	for (uint32_t i = 0; i < addresses->n_leases; i++) {
		if (!vrrp_lease_is(&addresses->leases[i], &wish->addr, wish->prefix, wish->ifindex))
			continue;
		addresses->leases[i].form = wish->form;
		return;
	}
	if (link)
		memcpy(lease.interface, link->name, sizeof(lease.interface));
	if (addresses->n_leases < addresses->room)
		addresses->leases[addresses->n_leases++] = lease;
}

/* What the kernel acknowledged is there, whether its notification has come or not; what it refused is not ours. */
static void note_additions(struct vrrp_addresses *addresses, const struct vrrp_wish *wishes, uint32_t n_items)
{
	bool is_any_refused = false;

	for (uint32_t i = 0; i < n_items; i++) {
		const struct vrrp_plan_item *item = &addresses->items[i];
		struct link_address address = {.proto = VRRP_ADDRESS_PROTO};

		if (item->kind != VRRP_PLAN_ADD)
			continue;
		if (item->error) {
			is_any_refused = true;
			continue;
		}
		address.addr = wishes[item->number].addr;
		address.prefix = wishes[item->number].prefix;
		links_note_address(&addresses->monitor->links, wishes[item->number].ifindex, &address);
	}
	if (is_any_refused)
		store_ledger(addresses);
}

/* Leases whose address is neither in the kernel nor wanted describe nothing any more. */
static bool prune_leases(struct vrrp_addresses *addresses, const struct vrrp_wish *wishes, uint32_t n_wishes)
{
	uint32_t kept = 0, before = addresses->n_leases;

	for (uint32_t i = 0; i < before; i++) {
		const struct vrrp_lease *lease = &addresses->leases[i];
		const struct link *link = links_find(&addresses->monitor->links, lease->ifindex);
		bool is_needed = link && link_find_address(link, &lease->addr, lease->prefix);

		for (uint32_t w = 0; w < n_wishes && !is_needed; w++)
			is_needed = wishes[w].is_wanted &&
				    vrrp_lease_is(lease, &wishes[w].addr, wishes[w].prefix, wishes[w].ifindex);
		if (is_needed)
			addresses->leases[kept++] = *lease;
	}
	addresses->n_leases = kept;
	return kept != before;
}

/* Also after an error in composing it: a batch that is not sent would be part of the next one. */
static int send_batch(struct vrrp_addresses *addresses, netlink_refused_fn *refused, void *arg)
{
	return netlink_batch_send(addresses->monitor->request, addresses->batch, EXCHANGE_TIMEOUT_US, refused, arg);
}

static int carry_out(
	struct vrrp_addresses *addresses, const struct conf *conf, uint32_t n_items, struct exchange *exchange)
{
	int error = 0, sent;

	for (uint32_t i = 0; i < n_items && !error; i++) {
		const struct vrrp_plan_item *item = &addresses->items[i];

		if (item->kind == VRRP_PLAN_REMOVE) {
			error = add_removal(addresses, &addresses->leases[item->number]);
			continue;
		}
		/* Somebody else's address of the same name is not to be taken over: NLM_F_EXCL. */
		error = add_addition(addresses, conf, item->number, exchange->wishes[item->number].ifindex, NLM_F_EXCL);
	}
	for (uint32_t i = 0; i < n_items; i++) {
		if (addresses->items[i].kind == VRRP_PLAN_ADD)
			note_lease(addresses, &exchange->wishes[addresses->items[i].number]);
	}
	store_ledger(addresses);
	sent = send_batch(addresses, on_refused, exchange);
	if (error || sent)
		return error ? error : sent;
	note_additions(addresses, exchange->wishes, n_items);
	return 0;
}

/* One exchange for all addresses of all instances. */
static int refresh(struct vrrp_addresses *addresses, const struct conf *conf, const struct vrrp_wish *wishes)
{
	int error = 0, sent;

	for (uint32_t i = 0; i < conf->n_addresses && !error; i++) {
		if (wishes[i].is_wanted && wishes[i].is_set && !wishes[i].is_foreign)
			error = add_addition(addresses, conf, i, wishes[i].ifindex, NLM_F_REPLACE);
	}
	/* A refusal means that the address went away meanwhile; the notification of that follows. */
	sent = send_batch(addresses, NULL, NULL);
	return error ? error : sent;
}

/* The outcome is not known: look at what is there, and come back soon. */
static struct mono recover(struct vrrp_addresses *addresses, int error, struct mono now)
{
	static struct log_limit limit;
	uint32_t held_back;

	if (log_limit_pass(&limit, 10 * US_PER_S, &held_back))
		log_error("vrrp: virtual addresses could not be programmed: %s; trying again", strerror(-error));
	if (vrrp_monitor_resync(addresses->monitor) < 0)
		addresses->monitor->is_stale = true;
	return mono_add(now, RETRY_US);
}

static struct mono earlier(struct mono a, struct mono b)
{
	if (!mono_is_set(a))
		return b;
	return mono_is_set(b) && mono_before(b, a) ? b : a;
}

/* Compares the wishes with the image, after the notifications of an exchange have been taken. */
static void look_again(struct vrrp_addresses *addresses, struct vrrp_wish *wishes, uint32_t n,
	vrrp_address_report_fn *report, void *arg)
{
	vrrp_monitor_read(addresses->monitor);
	for (uint32_t i = 0; i < n; i++) {
		const struct link *link = links_find(&addresses->monitor->links, wishes[i].ifindex);

		wishes[i].is_set = link && link_find_address(link, &wishes[i].addr, wishes[i].prefix);
		if (wishes[i].is_set == wishes[i].is_reported)
			continue;
		wishes[i].is_reported = wishes[i].is_set;
		report(arg, i, 0, NULL);
	}
}

/* Refreshes when it is time; returns when it is time again, or -errno in *error. */
static struct mono keep_alive(struct vrrp_addresses *addresses, const struct conf *conf, const struct vrrp_wish *wishes,
	struct mono now, int *error)
{
	bool holds_any = false;

	for (uint32_t i = 0; i < conf->n_addresses && !holds_any; i++)
		holds_any = wishes[i].is_wanted && wishes[i].is_set && !wishes[i].is_foreign;
	if (!holds_any) {
		addresses->next_refresh = MONO_NEVER;
		return MONO_NEVER;
	}
	if (addresses->refresh_now ||
		(mono_is_set(addresses->next_refresh) && !mono_before(now, addresses->next_refresh))) {
		*error = refresh(addresses, conf, wishes);
		addresses->refresh_now = false;
		addresses->next_refresh = MONO_NEVER;
	}
	if (addresses->lifetime_us > 0 && !mono_is_set(addresses->next_refresh))
		addresses->next_refresh = mono_add(now, addresses->lifetime_us / 2);
	return addresses->next_refresh;
}

struct mono vrrp_addresses_apply(struct vrrp_addresses *addresses, const struct conf *conf, struct vrrp_wish *wishes,
	struct mono now, vrrp_address_report_fn *report, void *arg)
{
	struct exchange exchange = {.addresses = addresses,
		.wishes = wishes,
		.items = addresses->items,
		.now = now,
		.report = report,
		.arg = arg};
	struct mono next = MONO_NEVER, alive;
	uint32_t n = vrrp_plan(wishes, conf->n_addresses, addresses->leases, addresses->n_leases,
		&addresses->monitor->links, now, addresses->items, &next);
	int error = n ? carry_out(addresses, conf, n, &exchange) : 0;

	if (error)
		return recover(addresses, error, now);
	look_again(addresses, wishes, conf->n_addresses, report, arg);
	if (prune_leases(addresses, wishes, conf->n_addresses))
		store_ledger(addresses);
	alive = keep_alive(addresses, conf, wishes, now, &error);
	if (error)
		return recover(addresses, error, now);
	/* A refused address has its pause noted by now. */
	for (uint32_t i = 0; i < conf->n_addresses; i++) {
		if (wishes[i].is_wanted && !wishes[i].is_set && wishes[i].ifindex)
			next = earlier(next, wishes[i].not_before);
	}
	return earlier(next, alive);
}

int vrrp_addresses_release(struct vrrp_addresses *addresses)
{
	int n = (int)addresses->n_leases, error = 0, sent;

	for (uint32_t i = 0; i < addresses->n_leases && !error; i++)
		error = add_removal(addresses, &addresses->leases[i]);
	sent = send_batch(addresses, NULL, NULL);
	if (error || sent)
		return error ? error : sent;
	addresses->n_leases = 0;
	store_ledger(addresses);
	return n;
}
