/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which authentic messages are fresh: nothing that was recorded earlier may be played again, and neither clocks nor
 * files are needed for it. A process that starts has a new session and counts its messages. A receiver takes messages
 * of the session it is bound to when their number is higher than the last; another session it binds to only when the
 * message echoes the receiver's present challenge, which is used for one binding. Pure. */
#ifndef POISE_PAIR_SESSION_H
#define POISE_PAIR_SESSION_H

#include <stdbool.h>
#include <stdint.h>

struct pair_session {
	uint64_t own;       /* session, random, not 0 */
	uint64_t sent;      /* number of the last own message */
	uint64_t challenge; /* own, random, not 0 */
	uint64_t peer;      /* session that is bound, 0 = none */
	uint64_t heard;     /* highest number of it */
	uint64_t echo;      /* the other's challenge as last heard */
};

enum pair_freshness {
	PAIR_FRESH,
	PAIR_FRESH_BOUND, /* and the other one has started anew */
	PAIR_STALE,       /* ours to answer: the answer tells our challenge */
	PAIR_REPLAYED,    /* of the bound session, and not newer than the last */
};

/* random: the challenge after the present one, should this message use it up. */
enum pair_freshness pair_session_hear(
	struct pair_session *s, uint64_t session, uint64_t number, uint64_t challenge, uint64_t echo, uint64_t random);

#endif
