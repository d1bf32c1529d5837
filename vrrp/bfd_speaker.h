/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shell around BFD sessions (bfd_fsm.h): sockets, timers, and who is told. One socket a family hears for all
 * sessions on port 3784; each session sends from a port of its own. */
#ifndef POISE_BFD_SPEAKER_H
#define POISE_BFD_SPEAKER_H

#include "bfd_fsm.h"
#include "log.h"
#include "loop.h"

struct bfd_speaker;

struct bfd_talk {
	struct bfd_speaker *speaker;
	const struct conf_bfd *conf;
	const char *name;
	struct status_bfd status;
	struct timer timer;
	int fd; /* to send with; -1 = none */
	struct log_limit send_limit;
};

/* The sessions of a generation. */
struct bfd_talks {
	struct bfd_talk *all; /* conf->n_bfds */
	uint32_t n;
};

/* Session `index` has another state (from: the one before), or, without a change, other numbers. Not called for the
 * beginning of a session. */
typedef void bfd_report_fn(void *arg, uint32_t index, bool is_changed, uint32_t from);

/* Zeroed, with loop, report and arg set, before anything else. */
struct bfd_speaker {
	struct loop *loop;
	bfd_report_fn *report;
	void *arg;
	struct bfd_talks *talks; /* in force; NULL = none yet */
	struct loop_io *ears[2]; /* IPv4, IPv6 */
	int ear_fds[2];
	bool is_deaf[2]; /* its port could not be had: said, and tried again */
	struct timer retry;
	struct log_limit drop_limits[BFD_DROP_COUNT];
};

/* Takes the memory for the sessions of a generation. Returns 0 or -ENOMEM. */
int bfd_talks_init(struct bfd_talks *talks, const struct conf *conf);
void bfd_talks_free(struct bfd_talks *talks);

/* Makes `talks` the ones in force. A session with the same neighbour and addresses goes on; others begin, or end and
 * tell their neighbour. past: what a predecessor that died left (talks->n records), used when nothing was in force;
 * NULL = none. */
void bfd_speaker_switch(struct bfd_speaker *speaker, struct bfd_talks *talks, const struct status_bfd *past);
/* Tells every neighbour that the session is closed. */
void bfd_speaker_close(struct bfd_speaker *speaker);

#endif
