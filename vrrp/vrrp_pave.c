/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs routes and rules over rtnetlink for the vrrp process: looks at what is there, adds what is missing, removes
 * what is ours and not wanted; the ledger is written before. The looking is a dump of those tables and protocols alone
 * that are in use, and runs in the courier's thread. It never flushes and never touches what is not ours. */
#include "vrrp_pave.h"
#include "ledger.h"
#include "log.h"
#include "netlink.h"
#include "vrrp_vmac.h"
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DUMP_TIMEOUT_US (2 * US_PER_S)
#define RETRY_US (1 * US_PER_S)
/* A route that is replaced by one of another protocol is not told of. */
#define AUDIT_US (30 * US_PER_S)

struct vrrp_pave_target {
	struct vrrp_path path;
	uint32_t way; /* UINT32_MAX = a lease */
	bool is_seen;
};

/* What is looked for: the thread's own while the courier is out. */
struct vrrp_pave_look {
	uint32_t n;
	struct vrrp_pave_target targets[];
};

struct vrrp_pave_job {
	struct vrrp_path path;
	uint32_t way; /* UINT32_MAX = a removal */
	bool is_refused;
};

void vrrp_pave_init(
	struct vrrp_pave *pave, struct vrrp_courier *courier, struct netlink_batch *batch, const struct links *links)
{
	*pave = (struct vrrp_pave){
		.courier = courier, .batch = batch, .links = links, .ledger_fd = -1, .must_look = true};
}

void vrrp_pave_free(struct vrrp_pave *pave)
{
	if (pave->ledger_fd >= 0)
		close(pave->ledger_fd);
	free(pave->leases);
	free(pave->look);
	free(pave->jobs);
	*pave = (struct vrrp_pave){.ledger_fd = -1};
}

int vrrp_pave_reserve(struct vrrp_pave *pave, uint32_t n)
{
	/* Every lease may have to go and every way to come; each way that comes is a lease; an interface is changed
	 * twice. */
	uint32_t room = 2 * (pave->n_leases + n) + 2 * n;
	void *leases, *jobs;

	if (room <= pave->room)
		return 0;
	leases = reallocarray(pave->leases, room, sizeof(*pave->leases));
	if (leases)
		pave->leases = leases;
	jobs = reallocarray(pave->jobs, room, sizeof(*pave->jobs));
	if (jobs)
		pave->jobs = jobs;
	if (!leases || !jobs)
		return -ENOMEM;
	pave->room = room;
	return 0;
}

/* ---- ledger ---- */

int vrrp_pave_set_ledger(struct vrrp_pave *pave, int fd)
{
	void *records;
	size_t count;
	int error = ledger_load(fd, LEDGER_PATHS, sizeof(struct vrrp_path), &records, &count);

	if (pave->ledger_fd >= 0)
		close(pave->ledger_fd);
	pave->ledger_fd = fd;
	if (error)
		return error;
	error = count > 65536 ? -EOVERFLOW : vrrp_pave_reserve(pave, (uint32_t)count);
	if (error || pave->n_leases > 0)
		count = 0;
	for (size_t i = 0; i < count; i++) {
		const struct vrrp_path *path = (const struct vrrp_path *)records + i;

		if (path->kind <= VRRP_PATH_LINK && path->length <= VRRP_PATH_SIZE)
			pave->leases[pave->n_leases++] = *path;
	}
	free(records);
	pave->must_look = true;
	return error;
}

static void store_ledger(const struct vrrp_pave *pave)
{
	int error;

	if (pave->ledger_fd < 0)
		return;
	error = ledger_store(pave->ledger_fd, LEDGER_PATHS, sizeof(struct vrrp_path), pave->leases, pave->n_leases);
	if (error)
		log_error("vrrp: the ledger of routes and rules cannot be written: %s (after a crash they stay)",
			strerror(-error));
}

static bool is_same(const struct vrrp_path *a, const struct vrrp_path *b)
{
	return a->kind == b->kind && a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static void note_lease(struct vrrp_pave *pave, const struct vrrp_path *path)
{
	for (uint32_t i = 0; i < pave->n_leases; i++) {
		if (is_same(&pave->leases[i], path))
			return;
	}
	if (pave->n_leases < pave->room)
		pave->leases[pave->n_leases++] = *path;
}

static void forget_lease(struct vrrp_pave *pave, const struct vrrp_path *path)
{
	for (uint32_t i = 0; i < pave->n_leases; i++) {
		if (is_same(&pave->leases[i], path)) {
			pave->leases[i] = pave->leases[--pave->n_leases];
			return;
		}
	}
}

/* ---- looking; in the courier's thread ---- */

static void compare(void *arg, struct nlmsghdr *nlh)
{
	struct vrrp_pave_look *look = arg;

	for (uint32_t i = 0; i < look->n; i++) {
		if (!look->targets[i].is_seen && vrrp_path_is(&look->targets[i].path, nlh))
			look->targets[i].is_seen = true;
	}
}

static int request_type(uint8_t kind)
{
	return kind == VRRP_PATH_LINK ? RTM_GETLINK : kind == VRRP_PATH_ROUTE ? RTM_GETROUTE : RTM_GETRULE;
}

static int dump(struct nl_sock *sock, struct vrrp_pave_look *look, const struct vrrp_path_where *where)
{
	const struct ifinfomsg link = {.ifi_family = AF_UNSPEC};
	struct rtmsg rtm = {.rtm_family = where->family, .rtm_protocol = where->protocol};
	struct fib_rule_hdr rule = {.family = where->family};
	bool is_route = where->kind == VRRP_PATH_ROUTE;
	struct nl_msg *request = nlmsg_alloc_simple(request_type(where->kind), 0);
	int error;

	if (!request)
		return -ENOMEM;
	if (where->kind == VRRP_PATH_LINK)
		error = nlmsg_append(request, (void *)(uintptr_t)&link, sizeof(link), NLMSG_ALIGNTO);
	else
		error = is_route ? nlmsg_append(request, &rtm, sizeof(rtm), NLMSG_ALIGNTO)
				 : nlmsg_append(request, &rule, sizeof(rule), NLMSG_ALIGNTO);
	if (!error && is_route)
		error = nla_put_u32(request, RTA_TABLE, where->table);
	error = error ? -ENOMEM : netlink_dump(sock, request, DUMP_TIMEOUT_US, compare, look);
	nlmsg_free(request);
	/* A table that does not exist holds nothing; a kernel without rules has none. */
	return error == -ENOENT || error == -EOPNOTSUPP || error == -EAFNOSUPPORT ? 0 : error;
}

static bool is_asked_before(const struct vrrp_pave_look *look, uint32_t n, const struct vrrp_path_where *where)
{
	for (uint32_t i = 0; i < n; i++) {
		struct vrrp_path_where other = vrrp_path_where(&look->targets[i].path);

		if (other.kind == where->kind && other.family == where->family && other.protocol == where->protocol &&
			other.table == where->table)
			return true;
	}
	return false;
}

static int run_look(struct nl_sock *sock, void *arg)
{
	struct vrrp_pave_look *look = arg;
	int error = 0;

	for (uint32_t i = 0; i < look->n && !error; i++) {
		struct vrrp_path_where where = vrrp_path_where(&look->targets[i].path);

		if (!is_asked_before(look, i, &where))
			error = dump(sock, look, &where);
	}
	return error;
}

/* ---- errands ---- */

static bool is_way(const struct vrrp_way *way, const struct vrrp_path *path)
{
	return way->is_wanted && way->is_ready && is_same(&way->path, path);
}

/* *near is where the last one was, and the search goes both ways from there: all leases are looked for in every round,
 * and stand mostly in the order of the ways, or, when some were taken out, in the reverse. */
static bool is_wanted(const struct vrrp_way *ways, uint32_t n, const struct vrrp_path *path, uint32_t *near)
{
	uint32_t from = *near;

	for (uint32_t k = 0; k <= n; k++) {
		if (from + k < n && is_way(&ways[from + k], path)) {
			*near = from + k;
			return true;
		}
		if (k <= from && from - k < n && is_way(&ways[from - k], path)) {
			*near = from - k;
			return true;
		}
	}
	return false;
}

static int send_look(struct vrrp_pave *pave, const struct vrrp_way *ways, uint32_t n)
{
	struct vrrp_pave_look *look = malloc(sizeof(*look) + (n + pave->n_leases) * sizeof(look->targets[0]));
	uint32_t near = 0;

	if (!look)
		return -ENOMEM;
	free(pave->look);
	pave->look = look;
	look->n = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (ways[i].is_wanted && ways[i].is_ready)
			look->targets[look->n++] = (struct vrrp_pave_target){ways[i].path, i, false};
	}
	for (uint32_t i = 0; i < pave->n_leases; i++) {
		if (!is_wanted(ways, n, &pave->leases[i], &near))
			look->targets[look->n++] = (struct vrrp_pave_target){pave->leases[i], UINT32_MAX, false};
	}
	pave->must_look = false;
	pave->is_outdated = false;
	if (look->n == 0)
		return 0;
	pave->courier->look = run_look;
	pave->courier->look_arg = look;
	return vrrp_courier_send(pave->courier, VRRP_ERRAND_LOOK);
}

static int add_job(struct vrrp_pave *pave, const struct vrrp_path *path, uint32_t way, int type, int flags)
{
	struct nl_msg *msg = netlink_batch_add(pave->batch, type, flags);

	if (!msg)
		return -ENOMEM;
	pave->jobs[pave->n_jobs++] = (struct vrrp_pave_job){*path, way, false};
	return vrrp_path_put(path, msg);
}

/* ---- interfaces that are made ---- */

/* The interface below must not answer for addresses that are not its own; what it was set to stays with the lease.
 * Where both have one MAC address, either may answer. */
static void quiet_base(struct vrrp_pave *pave, struct vrrp_path *path)
{
	const struct link *base = links_find(pave->links, vrrp_vmac_base(path));
	int before;

	if (!vrrp_vmac_has_mac(path))
		return;
	for (uint32_t i = 0; i < pave->n_leases && !path->kept; i++) {
		if (pave->leases[i].kind == VRRP_PATH_LINK && vrrp_vmac_base(&pave->leases[i]) == vrrp_vmac_base(path))
			path->kept = pave->leases[i].kept;
	}
	if (!base)
		return;
	before = vrrp_vmac_arp_ignore(base->name, 1);
	if (!path->kept && before >= 0 && before < UINT8_MAX)
		path->kept = (uint8_t)(before + 1);
}

/* The last one on it is gone. */
static void restore_base(const struct vrrp_pave *pave, const struct vrrp_path *path)
{
	const struct link *base = links_find(pave->links, vrrp_vmac_base(path));

	if (path->kind != VRRP_PATH_LINK || !path->kept || !base)
		return;
	for (uint32_t i = 0; i < pave->n_leases; i++) {
		if (pave->leases[i].kind == VRRP_PATH_LINK && vrrp_vmac_base(&pave->leases[i]) == base->ifindex)
			return;
	}
	vrrp_vmac_arp_ignore(base->name, path->kept - 1);
}

/* An interface that was made is set up before it goes up. */
static int raise_links(struct vrrp_pave *pave, const struct conf *conf, const struct vrrp_way *ways)
{
	uint32_t first = conf->n_routes + conf->n_rules;
	int error = 0;

	for (uint32_t i = 0; i < conf->n_links && !error; i++) {
		const struct link *link = links_find_name(pave->links, conf_string(conf, conf->links[i].name));
		struct vrrp_path still, up;

		if (!ways[first + i].is_wanted || !ways[first + i].is_set || !link || link->flags & IFF_UP)
			continue;
		vrrp_vmac_prepare(link->name);
		vrrp_vmac_raise(link->ifindex, &up);
		error = vrrp_vmac_no_link_local(link->ifindex, &still);
		error = error ? error : add_job(pave, &still, UINT32_MAX, RTM_NEWLINK, 0);
		error = error ? error : add_job(pave, &up, UINT32_MAX, RTM_NEWLINK, 0);
	}
	return error;
}

static int place_of(const struct conf *conf, uint32_t way)
{
	return way < conf->n_routes ? vrrp_path_flags((enum vrrp_path_place)conf->routes[way].place)
				    : vrrp_path_flags(VRRP_PATH_ADD);
}

/* Whether it is to be added now. */
static bool is_due(struct vrrp_way *way, struct mono now, struct mono *next)
{
	if (!way->is_wanted || !way->is_ready || way->is_set || way->is_let_go)
		return false;
	if (!mono_before(now, way->setbacks.not_before))
		return true;
	if (!mono_is_set(*next) || mono_before(way->setbacks.not_before, *next))
		*next = way->setbacks.not_before;
	return false;
}

/* Removals first: a rule may come back with another look. Returns how many messages, or -errno. */
static int compose(
	struct vrrp_pave *pave, const struct conf *conf, struct vrrp_way *ways, struct mono now, struct mono *next)
{
	uint32_t n = vrrp_pave_count(conf), near = 0;
	int error = 0;

	pave->n_jobs = 0;
	for (uint32_t i = 0; i < pave->n_leases && !error; i++) {
		if (!is_wanted(ways, n, &pave->leases[i], &near))
			error = add_job(pave, &pave->leases[i], UINT32_MAX, vrrp_path_type(&pave->leases[i], false), 0);
	}
	if (!error)
		error = raise_links(pave, conf, ways);
	for (uint32_t i = 0; i < n && !error; i++) {
		if (!is_due(&ways[i], now, next))
			continue;
		if (ways[i].path.kind == VRRP_PATH_LINK)
			quiet_base(pave, &ways[i].path);
		error = add_job(pave, &ways[i].path, i, vrrp_path_type(&ways[i].path, true), place_of(conf, i));
	}
	return error ? error : (int)pave->n_jobs;
}

static void recover(struct vrrp_pave *pave, int error, struct mono now)
{
	static struct log_limit limit;
	uint32_t held_back;

	if (log_limit_pass(&limit, 10 * US_PER_S, &held_back))
		log_error("vrrp: routes and rules could not be programmed: %s; trying again", strerror(-error));
	pave->must_look = true;
	pave->not_before = mono_add(now, RETRY_US);
}

/* ---- their return ---- */

static void take_look(
	struct vrrp_pave *pave, struct vrrp_way *ways, struct mono now, vrrp_pave_report_fn *report, void *arg)
{
	bool is_ledger_old = false;

	for (uint32_t i = 0; i < pave->look->n; i++) {
		const struct vrrp_pave_target *target = &pave->look->targets[i];
		struct vrrp_way *way;

		if (target->way == UINT32_MAX) {
			if (target->is_seen)
				continue;
			forget_lease(pave, &target->path);
			is_ledger_old = true;
			continue;
		}
		way = &ways[target->way];
		if (way->is_set == target->is_seen)
			continue;
		/* Only what was there can have been taken away. */
		if (way->is_set) {
			vrrp_setback(&way->setbacks, now);
			way->is_let_go = way->no_track;
		}
		way->is_set = target->is_seen;
		report(arg, target->way, 0, NULL);
	}
	if (is_ledger_old)
		store_ledger(pave);
	/* What goes with a link goes without a word, and is not to be laid to the last one that was heard. */
	pave->remover = 0;
}

static void take_answers(
	struct vrrp_pave *pave, struct vrrp_way *ways, struct mono now, vrrp_pave_report_fn *report, void *arg)
{
	const struct vrrp_courier *courier = pave->courier;

	for (uint32_t i = 0; i < courier->n_refusals; i++) {
		const struct vrrp_refusal *refusal = &courier->refusals[i];
		struct vrrp_pave_job *job;

		if (refusal->number >= pave->n_jobs)
			continue;
		job = &pave->jobs[refusal->number];
		/* What cannot be removed is gone already, or went with its interface. */
		if (job->way == UINT32_MAX)
			continue;
		job->is_refused = true;
		forget_lease(pave, &job->path);
		if (pave->is_outdated)
			continue;
		vrrp_setback(&ways[job->way].setbacks, now);
		report(arg, job->way, refusal->error, refusal->text[0] ? refusal->text : NULL);
		ways[job->way].last_error = refusal->error;
	}
	for (uint32_t i = 0; i < pave->n_jobs; i++) {
		struct vrrp_pave_job *job = &pave->jobs[i];

		if (job->way == UINT32_MAX) {
			forget_lease(pave, &job->path);
			restore_base(pave, &job->path);
		} else if (!job->is_refused && !pave->is_outdated) {
			ways[job->way].is_set = true;
			ways[job->way].last_error = 0;
			report(arg, job->way, 0, NULL);
		}
	}
	store_ledger(pave);
}

bool vrrp_pave_is_out(const struct vrrp_pave *pave)
{
	return pave->courier->errand == VRRP_ERRAND_LOOK || pave->courier->errand == VRRP_ERRAND_PATHS;
}

bool vrrp_pave_back(
	struct vrrp_pave *pave, struct vrrp_way *ways, struct mono now, vrrp_pave_report_fn *report, void *arg)
{
	enum vrrp_errand errand = vrrp_courier_take(pave->courier);

	if (errand == VRRP_ERRAND_NONE)
		return false;
	if (pave->courier->result)
		recover(pave, pave->courier->result, now);
	else if (errand == VRRP_ERRAND_PATHS)
		take_answers(pave, ways, now, report, arg);
	else if (!pave->is_outdated)
		take_look(pave, ways, now, report, arg);
	if (pave->is_outdated)
		pave->must_look = true;
	return true;
}

void vrrp_pave_heard(struct vrrp_pave *pave, uint32_t remover)
{
	pave->must_look = true;
	if (remover)
		pave->remover = remover;
}

void vrrp_pave_forget(struct vrrp_pave *pave)
{
	pave->is_outdated = true;
	pave->must_look = true;
}

/* ---- what is to be done ---- */

static int encode(const struct vrrp_pave *pave, const struct conf *conf, uint32_t way, struct vrrp_path *path)
{
	if (way < conf->n_routes)
		return vrrp_path_of_route(conf, way, pave->links, path);
	way -= conf->n_routes;
	if (way < conf->n_rules)
		return vrrp_path_of_rule(conf, way, path);
	return vrrp_vmac_path(conf, way - conf->n_rules, pave->links, path);
}

/* Encodes what may look different now: an interface may have another number, or have come. */
static void prepare(struct vrrp_pave *pave, const struct conf *conf, struct vrrp_way *ways)
{
	for (uint32_t i = 0; i < vrrp_pave_count(conf); i++) {
		struct vrrp_way *way = &ways[i];
		struct vrrp_path path;
		int error;

		if (!way->is_wanted) {
			way->is_let_go = false;
			way->is_set = false;
			continue;
		}
		error = encode(pave, conf, i, &path);
		way->is_ready = error == 0;
		if (error) {
			way->is_set = false;
			continue;
		}
		if (!is_same(&path, &way->path))
			way->is_set = false;
		way->path = path;
	}
}

static bool is_any_wanted(const struct vrrp_way *ways, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (ways[i].is_wanted)
			return true;
	}
	return false;
}

static struct mono earlier(struct mono a, struct mono b)
{
	if (!mono_is_set(a))
		return b;
	return mono_is_set(b) && mono_before(b, a) ? b : a;
}

struct mono vrrp_pave_apply(struct vrrp_pave *pave, const struct conf *conf, struct vrrp_way *ways, struct mono now,
	vrrp_pave_report_fn *report, void *arg)
{
	uint32_t n = vrrp_pave_count(conf);
	struct mono next = MONO_NEVER;
	int count;

	if (vrrp_courier_is_out(pave->courier) || (!is_any_wanted(ways, n) && pave->n_leases == 0))
		return MONO_NEVER;
	if (mono_is_set(pave->not_before) && mono_before(now, pave->not_before))
		return pave->not_before;
	prepare(pave, conf, ways);
	if (mono_is_set(pave->audit) && !mono_before(now, pave->audit))
		pave->must_look = true;
	if (pave->must_look) {
		pave->audit = is_any_wanted(ways, n) ? mono_add(now, AUDIT_US) : MONO_NEVER;
		if (send_look(pave, ways, n) < 0)
			recover(pave, -ENOMEM, now);
		if (vrrp_courier_is_out(pave->courier) && pave->courier->worker.has_thread)
			return MONO_NEVER;
		if (vrrp_courier_is_out(pave->courier))
			vrrp_pave_back(pave, ways, now, report, arg);
	}
	count = compose(pave, conf, ways, now, &next);
	for (uint32_t i = 0; i < pave->n_jobs; i++) {
		if (pave->jobs[i].way != UINT32_MAX)
			note_lease(pave, &pave->jobs[i].path);
	}
	if (count != 0) {
		pave->is_outdated = false;
		store_ledger(pave);
		/* Also after an error in composing it: a batch that is not sent would be part of the next one. */
		if (vrrp_courier_send(pave->courier, VRRP_ERRAND_PATHS) < 0 || count < 0)
			recover(pave, count < 0 ? count : -ENOMEM, now);
		if (pave->courier->worker.has_thread)
			return MONO_NEVER;
		vrrp_pave_back(pave, ways, now, report, arg);
	}
	return earlier(next, pave->audit);
}

int vrrp_pave_release(struct vrrp_pave *pave)
{
	int n = (int)pave->n_leases, error = 0;

	vrrp_courier_wait(pave->courier);
	vrrp_courier_take(pave->courier);
	pave->n_jobs = 0;
	for (uint32_t i = 0; i < pave->n_leases && !error; i++)
		error = add_job(pave, &pave->leases[i], UINT32_MAX, vrrp_path_type(&pave->leases[i], false), 0);
	if (n == 0)
		return 0;
	if (vrrp_courier_send(pave->courier, VRRP_ERRAND_PATHS) < 0)
		return -ENOMEM;
	vrrp_courier_wait(pave->courier);
	vrrp_courier_take(pave->courier);
	if (error || pave->courier->result)
		return error ? error : pave->courier->result;
	pave->n_leases = 0;
	store_ledger(pave);
	for (uint32_t i = 0; i < pave->n_jobs; i++)
		restore_base(pave, &pave->jobs[i].path);
	return n;
}
