/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Protection against replay for the pair role. Pure: randomness comes in as a number. */
#include "pair_session.h"

enum pair_freshness pair_session_hear(
	struct pair_session *s, uint64_t session, uint64_t number, uint64_t challenge, uint64_t echo, uint64_t random)
{
	/* Our own message, thrown back. */
	if (session == s->own || session == 0)
		return PAIR_REPLAYED;
	if (session == s->peer) {
		if (number <= s->heard)
			return PAIR_REPLAYED;
		s->heard = number;
		s->echo = challenge;
		return PAIR_FRESH;
	}
	if (echo == s->challenge) {
		s->peer = session;
		s->heard = number;
		s->echo = challenge;
		s->challenge = random ? random : 1;
		return PAIR_FRESH_BOUND;
	}
	/* It may be old, so it is believed nothing but this: what we answer has to echo its challenge. An old challenge
	 * makes our answer useless, nothing more. */
	s->echo = challenge;
	return PAIR_STALE;
}
