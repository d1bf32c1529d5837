/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What outlives the daemon: how each server was, by its name, in a small file (ledger.h) that the parent opened, for
 * checks with `initial_state last_known`. Without such a check nothing is read or written. */
#ifndef POISE_CHECK_MEMORY_H
#define POISE_CHECK_MEMORY_H

#include "check_set.h"

struct known_server {
	uint64_t key; /* of the names of service and server */
	uint32_t health;
	uint32_t zero;
};

struct check_memory {
	int fd; /* -1 = none */
	struct known_server *known, *stored;
	uint32_t n; /* servers; 0 = nobody asks */
};

void check_memory_init(struct check_memory *memory);
void check_memory_free(struct check_memory *memory);
/* The file; owned from now on. */
void check_memory_set_file(struct check_memory *memory, int fd);
/* Another set: makes room for its servers. Returns 0 or -ENOMEM; nothing is written until it has succeeded. */
int check_memory_reserve(struct check_memory *memory, const struct conf *conf);
/* Gives the checks that ask for it, and know nothing yet, the state that their server had. Returns how many. */
uint32_t check_memory_recall(const struct check_memory *memory, struct check_set *set);
/* Writes how the servers are, if that has changed. Of several checkers the first writes for all, from the boards (by
 * role, may be NULL) of the others. */
void check_memory_store(struct check_memory *memory, const struct check_set *set, struct board *const *boards);

#endif
