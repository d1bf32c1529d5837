/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every child role has in common: its channel to the parent, generations by two-phase reload, its own board, the
 * boards of others, the beat, the end. A role's main() fills a struct role_ops and calls role_main(). */
#ifndef POISE_ROLE_H
#define POISE_ROLE_H

#include "board.h"
#include "conf.h"
#include "loop.h"
#include "msg.h"

struct role_process {
	enum role role;
	struct loop *loop;
	struct channel parent;
	struct conf *conf;                /* the committed generation, NULL before the first */
	struct board *board;              /* own, of conf's generation */
	struct board *boards[ROLE_COUNT]; /* of others; NULL while there is none */
	const struct role_ops *ops;
	void *ctx;
	bool stopping;
};

struct role_ops {
	enum role role;
	/* Before privileges are dropped: open raw sockets, lock memory ... conf is not there yet. 0 or -errno (ends).
	 */
	int (*open)(struct role_process *p);
	/* Prepare to run `next` (allocate everything; change nothing). why (240 bytes) says the reason of a refusal.
	 * Returns 0 or -1. */
	int (*prepare)(struct role_process *p, const struct conf *next, char *why);
	/* Switch. p->conf is still the old one (NULL at first); on return p->conf becomes next and the old is closed.
	 * Create the board of the new generation with role_publish_board() here, or let the old one go on with
	 * role_renumber_board() (predecessor: p->board or
	 * p->boards[own role] at the first start after a crash; NULL when there is none). */
	void (*commit)(struct role_process *p, const struct conf *next);
	/* The parent decided against what was prepared. */
	void (*abort)(struct role_process *p);
	/* Another role's board was replaced or has changed (table/record as in msg.def; UINT32_MAX = look at all). */
	void (*changed)(struct role_process *p, enum role role, uint32_t table, uint32_t record);
	/* New events in another role's ring. */
	void (*events)(struct role_process *p, enum role role);
	/* A descriptor from the parent; owned by the callee. */
	void (*file)(struct role_process *p, enum msg_purpose purpose, uint32_t index, int fd);
	/* Further messages (script: notify; control: answer). NULL members are refused. */
	const struct msg_handlers *handlers;
	/* Release everything (keep = leave kernel state in place) and call role_exit(), soon. Also called when the
	 * parent has died. */
	void (*stop)(struct role_process *p, bool keep);
};

/* Runs a role: parses the arguments that the parent gives (--channel FD --log FD --user NAME --level N --beat-us N
 * --role N, of the kind ops->role; default that one),
 * opens, drops privileges by the role's line in sandbox.c, loops. Returns the exit status for main(). */
int role_main(const struct role_ops *ops, void *ctx, int argc, char **argv);

/* Ends the loop; role_main() returns code. */
void role_exit(struct role_process *p, int code);

/* Makes `board` the role's own one: adopts the event ring of the predecessor, closes that, sends the new one to the
 * parent. The board must have been filled before. */
void role_publish_board(struct role_process *p, struct board *board);
/* The board that is in use goes on under the number of another generation: board_renumber(). */
void role_renumber_board(struct role_process *p, uint64_t generation);
/* Store a record and ring the doorbell when it changed. */
void role_store(struct role_process *p, unsigned table, uint32_t index, const void *record, size_t size);
/* Store without a doorbell (counters that nobody waits for). */
void role_store_quiet(struct role_process *p, unsigned table, uint32_t index, const void *record, size_t size);
/* Record an event and ring. generation is set here. */
void role_event(struct role_process *p, struct event *event);
/* Ask for a notification script to be run. */
void role_notify(struct role_process *p, conf_index_t notify, enum conf_notify_event event, uint32_t priority);

#endif
