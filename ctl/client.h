/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection of poisectl to the daemon: one line out, one line in. Errors are sentences for people. */
#ifndef POISECTL_CLIENT_H
#define POISECTL_CLIENT_H

#include "json.h"
#include <stdbool.h>
#include <stdint.h>

#define CLIENT_ERROR_SIZE 512

enum client_result {
	CLIENT_OK,
	CLIENT_REFUSED,     /* the daemon said no; the connection goes on */
	CLIENT_UNREACHABLE, /* no daemon, or it has gone; the connection is closed */
	CLIENT_INTERRUPTED, /* a signal came (interrupt_catch()) */
};

struct client {
	char path[108]; /* of the socket */
	int fd;         /* -1 while there is no connection */
	char *in;
	size_t in_length, in_size;
	char error[CLIENT_ERROR_SIZE];
};

/* Remembers where the daemon's socket is; connects with the first question. False when the name is too long. */
bool client_init(struct client *client, const char *rundir);
void client_close(struct client *client);
/* Sends a request (not consumed) and waits for the answer, at most patience_us. *result is a new reference
 * (json_object_put()) to the "result" of the answer, or NULL. On anything but CLIENT_OK client->error says why. */
enum client_result client_ask(
	struct client *client, struct json_object *request, int64_t patience_us, struct json_object **result);

/* As client_ask(), but the result is not looked into: *text (within the client, until the next question) is the JSON of
 * "result" in one line. Ten thousand servers are some megabytes, and taking them apart takes longer than asking. */
enum client_result client_ask_text(
	struct client *client, struct json_object *request, int64_t patience_us, const char **text);

/* From now on SIGINT and SIGTERM do not end the program but what it waits for. */
void interrupt_catch(void);
bool interrupt_came(void);
/* Sleeps; returns early, and true, when a signal came. */
bool interrupt_sleep(int64_t us);
/* As poll(2) for one descriptor: 1 ready, 0 time is up, -1 a signal came. */
int interrupt_poll(int fd, short events, int64_t patience_us);

#endif
