/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions of the SNMP library to receivers of notifications. Opening one never asks the network anything. */
#ifndef POISE_SNMP_SENDER_USM_H
#define POISE_SNMP_SENDER_USM_H

#include "library.h"
#include "sender.h"

struct sender_engine {
	uint8_t id[SENDER_ENGINE_ID_MAX];
	size_t length; /* 0 = not known */
};

/* A session to the receiver. Version 3 needs the engine: ours for traps, the receiver's for informs. callback: of
 * nothing but replies. Returns the library's handle, or NULL with *why set. */
void *sender_session_open(const struct conf *conf, const struct conf_trap_target *t, const struct sender_engine *engine,
	const char **why);
/* A session that can only ask a receiver for its engine. */
void *sender_session_open_probe(const struct conf_trap_target *t, const char **why);
/* Asks. *answer (which outlives the session) is filled when the answer is read. Returns false when it cannot be sent.
 */
bool sender_session_ask(void *handle, struct sender_engine *answer);
/* Forgets the keys of the target's user with this engine, so that a new passphrase counts. */
void sender_session_forget(
	const struct conf *conf, const struct conf_trap_target *t, const struct sender_engine *engine);
/* The descriptor of the session. */
int sender_session_fd(void *handle);

#endif
