/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All checks of one generation with their state, and the verdicts over servers that follow from them. */
#ifndef POISE_CHECK_SET_H
#define POISE_CHECK_SET_H

#include "board.h"
#include "check_flap.h"
#include "check_match.h"
#include "check_passive.h"
#include "check_pool.h"
#include "check_verdict.h"
#include "log.h"
#include "probe.h"
#include "status.h"

struct checker;

/* One check. Lives as long as it is configured, through any number of generations. */
struct check {
	struct checker *checker;
	struct check_spec spec;
	struct verdict verdict;
	struct flap flap;
	struct check *leader, *users, *next_user; /* see check_share.h */
	bool was_user;
	uint64_t script_runs; /* MISC_CHECK: runs of the script process that were taken in; BFD_CHECK: the state + 1 */
	struct timer timer;
	struct mono planned;      /* the start that the timer stands for; not set = to be spread */
	int64_t first_span_us;    /* the first start lies within this time */
	struct probe *probe;      /* while it runs */
	struct check *queue_next; /* while it waits for a descriptor */
	bool is_queued, is_dead;  /* dead: will not run in this generation (status.why says why) */
	struct status_check status;
	char *broken;           /* what spec.broken points to */
	struct log_limit limit; /* of lines about our own trouble */
	struct log_limit expiry_limit;
};

/* What is known of a server beside its record on the board. */
struct server_state {
	struct mono ramp_began; /* slow start; not set = over */
	struct pool_member member;
	struct passive passive;
};

struct check_set {
	const struct conf *conf;
	enum role checker; /* this process; other health checkers have the servers that it does not own */
	uint32_t n_checks, n_servers, n_own; /* configured; n_own: checks of this process */
	struct check **checks;               /* NULL: of a server that is not ours */
	struct status_health *servers;
	struct server_state *states; /* of servers */
	bool *panics;                /* of services */
	/* between check_set_new() and check_set_take_over() */
	struct check_origin *origins;
	conf_index_t *server_from;
	/* the health that each server was known to have before this set was judged; HEALTH_UNKNOWN for a new one */
	uint8_t *before;
};

/* Prepares the checks of `next` that are this checker's; those that go on unchanged are left empty until the take-over.
 * old may be NULL and is not changed. NULL when out of memory. */
struct check_set *check_set_new(
	const struct conf *next, enum role checker, const struct check_set *old, struct tls_world *tls);
bool check_set_owns(const struct check_set *set, conf_index_t server);
/* Moves what goes on from old (may be NULL) and starts the rest from what is known: of servers that come from another
 * checker, by its board (boards: by role, may be NULL). Servers that leave us keep their last record, which is for
 * their next checker to learn from. Afterwards old holds only checks that are gone. No memory is needed. */
void check_set_take_over(struct check_set *set, struct check_set *old, struct board *const *boards);
/* A server of which nothing is known: looks whether another checker had it before, and waits with initial_state until
 * all of them have switched to this generation. True when it is decided how the server begins. */
bool check_set_learn(struct check_set *set, conf_index_t server, struct board *const *boards);
/* Takes counts and verdicts from the board that a crashed predecessor kept for the same generation. Returns how many.
 */
uint32_t check_set_adopt(struct check_set *set, const struct board *board);
/* Frees the checks that it still holds (they must be at rest). NULL is allowed. */
void check_set_free(struct check_set *set);

/* Computes the verdict over a server: health, weight, sentence. Returns true when the health differs from what
 * set->servers has. */
bool check_set_judge_server(struct check_set *set, conf_index_t server, struct mono now);
/* Computes whether the pool of a service is in panic, and which of its servers serve on though they are down. Returns
 * true when the panic has begun or ended. */
bool check_set_judge_pool(struct check_set *set, conf_index_t service);
/* How many servers of a service are down. */
uint32_t check_set_count_down(const struct check_set *set, conf_index_t service);

#endif
