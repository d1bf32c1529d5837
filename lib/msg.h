/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Typed messages over SOCK_SEQPACKET, generated from msg.def: payload structs, numbers, names, send functions and a
 * dispatcher that checks type, size, direction and descriptors before a handler sees anything. */
#ifndef POISE_MSG_H
#define POISE_MSG_H

#include "roles.h"
#include <stddef.h>
#include <stdint.h>

enum msg_type {
#define MSG(name, from, to, fds, ...) MSG_##name,
#include "msg.def"
#undef MSG
	MSG_COUNT
};

#define MSG(name, from, to, fds, ...) struct msg_##name __VA_ARGS__;
#include "msg.def"
#undef MSG

/* What a passed descriptor is for (msg_file.purpose). */
enum msg_purpose {
	MSG_PURPOSE_LEDGER,   /* vrrp, ipvs: the role's ledger, read-write (ledger.h) */
	MSG_PURPOSE_PATHS,    /* vrrp: the ledger of routes and rules, read-write */
	MSG_PURPOSE_LISTENER, /* control: the listening unix stream socket of poisectl */
	MSG_PURPOSE_PEER,     /* healthcheck, ipvs: one end of their own socket pair; index: the checker's number */
	MSG_PURPOSE_MARKS,    /* vrrp: what signed advertisements leave behind, read-write (vrrp_ledger.h) */
	MSG_PURPOSE_HEART,    /* vrrp: the last heartbeats, mapped (vrrp_heart.h) */
	MSG_PURPOSE_CHECK,    /* healthcheck: what msg_want_file asked for; index: conf->checks */
	MSG_PURPOSE_COUNT
};

enum msg_verb {
	MSG_VERB_DRAIN, /* administration of servers: record index in service/server */
	MSG_VERB_UNDRAIN,
	MSG_VERB_MAINT,
	MSG_VERB_WEIGHT, /* value = weight, -1 = the configured one */
	MSG_VERB_RELOAD, /* allow: also when it cuts connections */
	MSG_VERB_STOP,
	MSG_VERB_PLAN,          /* reads `file` ("" = the usual one) and answers with a candidate; nothing changes */
	MSG_VERB_APPLY,         /* loads `file`; time_us: goes back then unless confirmed; allow as for reload */
	MSG_VERB_CONFIRM,       /* an applied file stays */
	MSG_VERB_SERVER_ADD,    /* server_name (ADDRESS:PORT) to `service`, weight `value` (-1 = as its like) */
	MSG_VERB_SERVER_REMOVE, /* the server leaves the configuration in use, drained first */
	MSG_VERB_HANDOVER,      /* `instance` (UINT32_MAX = all) gives its mastership away */
	MSG_VERB_TAKE_BACK,     /* the reverse */
	MSG_VERB_COUNT
};

/* Answers of the parent (msg_answer.status). */
enum msg_status {
	MSG_STATUS_OK,
	MSG_STATUS_REFUSED, /* text says why */
	MSG_STATUS_BUSY,    /* try again */
	MSG_STATUS_STALE,   /* the generation has changed meanwhile: look up again */
};

/* One end of a connection to another process. */
struct channel {
	int fd;
	enum role self;
	enum role peer;
	uint64_t lost; /* messages that did not fit (doorbells: harmless, the next one covers them) */
};

/* Makes both ends; non-blocking, close-on-exec. Returns 0 or -errno. */
int channel_pair(int fds[2]);
/* Makes room in the queue of what is sent on fd for a burst of five thousand messages (a thousand instances
 * move at once, each with a few notifications), as far as the kernel lets us. */
void channel_enlarge(int fd);

/* Sends one message without blocking. fd is duplicated into the message (-1 for none) and stays the caller's.
 * Returns 0, -EAGAIN when it does not fit, -EPIPE when the peer is gone, or another -errno. */
int channel_send(struct channel *ch, enum msg_type type, const void *payload, size_t size, int fd);

#define MSG(name, from, to, fds, ...)                                                                                  \
	static inline int msg_send_##name(struct channel *ch, const struct msg_##name *m, int fd)                      \
	{                                                                                                              \
		return channel_send(ch, MSG_##name, m, sizeof(*m), fd);                                                \
	}
#include "msg.def"
#undef MSG

/* One function a message; NULL = this process does not take it. A received descriptor belongs to the handler
 * (-1 when the message carries none). */
struct msg_handlers {
#define MSG(name, from, to, fds, ...) void (*name)(void *ctx, const struct msg_##name *m, int fd);
#include "msg.def"
#undef MSG
};

/* Reads and dispatches what is there, at most `budget` messages. Returns the number dispatched, 0 when nothing was
 * there, -EPIPE when the peer has gone, -EPROTO on a message that is not allowed (the peer is broken or hostile). */
int channel_dispatch(struct channel *ch, const struct msg_handlers *handlers, void *ctx, int budget);

const char *msg_name(enum msg_type type);

#endif
