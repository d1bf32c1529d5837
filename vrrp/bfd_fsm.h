/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state machine of a BFD session in asynchronous mode (RFC 5880, 6.2 and 6.8), one event in, what is to be done
 * out. Pure: the event carries the time and the chance. The timers are state, too: after every step the caller arms one
 * at bfd_deadline() and delivers BFD_EVENT_TIMER; what has arrived is to be delivered before a timer that is due. */
#ifndef POISE_BFD_FSM_H
#define POISE_BFD_FSM_H

#include "bfd_packet.h"
#include "conf.h"
#include "mono.h"
#include "status.h"

/* Diagnostics (RFC 5880, 4.1) that this implementation gives. */
enum bfd_diagnostic { BFD_DIAG_NONE = 0, BFD_DIAG_EXPIRED = 1, BFD_DIAG_NEIGHBOR = 3, BFD_DIAG_ADMIN = 7 };

enum bfd_event_kind {
	BFD_EVENT_START,  /* discriminator: of this session, unique on this machine and not 0 */
	BFD_EVENT_RESUME, /* the session is what a predecessor left; goes on with it, or starts when it is too late */
	BFD_EVENT_TIMER,
	BFD_EVENT_PACKET, /* packet, of this session by its discriminator or its source */
	BFD_EVENT_RELOAD, /* conf has other intervals */
	BFD_EVENT_STOP,   /* for good: the neighbour is told */
};

struct bfd_event {
	uint32_t kind; /* enum bfd_event_kind */
	struct mono now;
	uint32_t chance; /* any number: intervals are spread by it */
	uint32_t discriminator;
	const struct bfd_packet *packet;
};

struct bfd_actions {
	bool send;     /* a packet as bfd_packet_of() makes it */
	bool is_final; /* it answers a poll */
	bool is_changed;
	uint32_t from; /* enum bfd_state, when is_changed */
};

/* One step. Never fails; a packet that does not fit the state does nothing. */
struct bfd_actions bfd_fsm(const struct conf_bfd *conf, struct bfd_session *session, const struct bfd_event *event);

/* The next moment at which BFD_EVENT_TIMER is due; not set = none. */
struct mono bfd_deadline(const struct bfd_session *session);
/* What the session has to say now. */
struct bfd_packet bfd_packet_of(const struct conf_bfd *conf, const struct bfd_session *session, bool is_final);
/* How long the neighbour may be silent (RFC 5880, 6.8.4); 0 = it was not heard yet. */
int64_t bfd_detection_us(const struct bfd_session *session);
/* The interval of own packets before it is spread (RFC 5880, 6.8.7); 0 = none are sent. */
int64_t bfd_interval_us(const struct bfd_session *session);
/* Why the session is in its state, for people: "nothing heard for 500 ms". Returns buf. */
const char *bfd_why(const struct conf_bfd *conf, const struct bfd_session *session, char *buf, size_t size);

#endif
