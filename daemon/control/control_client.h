/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One connection of a local client: lines in, lines out, both bounded, neither ever blocking. One request is answered
 * at a time; while an answer is owed or not yet read by the client, nothing more is taken from it. */
#ifndef POISE_CONTROL_CLIENT_H
#define POISE_CONTROL_CLIENT_H

#include "control_access.h"
#include "control_request.h"
#include "loop.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;

struct client_ops {
	/* A line came (without newline, not terminated). The callee answers with client_answer(), now or later; until
	 * then no other line of this client is delivered. */
	void (*line)(struct client *client, const char *line, size_t length, void *arg);
	/* The connection has ended; the client is freed after this. */
	void (*closed)(struct client *client, void *arg);
};

struct client {
	uint64_t id; /* never used again */
	struct access_peer peer;
	struct request request;      /* the one being answered */
	struct timer retry;          /* the owner's, cancelled when the client goes */
	struct mono asked;           /* when the line came */
	struct client *next, **link; /* the owner's list */

	/* private */
	struct loop *loop;
	struct loop_io *io;
	int fd;
	const struct client_ops *ops;
	void *arg;
	struct timer idle;
	struct mono answered; /* when the answer was there */
	bool is_busy, is_ending, is_pumping, at_end;
	char in[REQUEST_MAX + 1];
	size_t in_length;
	char *out;
	size_t out_length, out_sent;
};

/* Takes over fd (in any case). Returns NULL with errno. Nothing is delivered before the loop runs. */
struct client *client_new(struct loop *loop, int fd, const struct client_ops *ops, void *arg);
/* Answers the line: takes over text (malloc'ed, a line with its newline; NULL ends the connection). Inside the line
 * callback the client stays valid; anywhere else it may be gone when this returns. */
void client_answer(struct client *client, char *text, size_t length);
/* As client_answer(), and the connection ends when the client has read it. */
void client_answer_and_close(struct client *client, char *text, size_t length);
/* Bytes of an answer that the client has not read yet. */
size_t client_owed(const struct client *client);
/* Ends the connection at once. Not allowed inside the line callback. */
void client_close(struct client *client);

#endif
