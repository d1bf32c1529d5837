/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One request of a local client: a line with one JSON object.
 *
 *   {"command": "status"}
 *   {"command": "drain", "server": "10.1.0.2:80", "service": "10.0.0.1:80"}
 *   {"command": "events", "after": {"vrrp": 17, "ipvs": 4}}
 *
 * The answer is one line too: {"ok": true, "result": ...} or {"ok": false, "reason": "refused", "error": "..."}. */
#ifndef POISE_CONTROL_REQUEST_H
#define POISE_CONTROL_REQUEST_H

#include "roles.h"
#include "status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer lines are refused and the connection is closed. */
#define REQUEST_MAX 4096
#define REQUEST_ERROR_SIZE 256

#define REQUEST_WEIGHT_CONFIGURED (-1)
#define REQUEST_WEIGHT_MAX 65535

/* command, whether it changes something, whether it names a server */
#define REQUEST_COMMANDS(X)                                                                                            \
	X(STATUS, "status", 0, 0)                                                                                      \
	X(SERVERS, "servers", 0, 1)                                                                                    \
	X(EVENTS, "events", 0, 0)                                                                                      \
	X(VERSION, "version", 0, 0)                                                                                    \
	X(SHOW, "show", 0, 0)                                                                                          \
	X(DRAIN, "drain", 1, 1)                                                                                        \
	X(UNDRAIN, "undrain", 1, 1)                                                                                    \
	X(MAINT, "maint", 1, 1)                                                                                        \
	X(READY, "ready", 1, 1)                                                                                        \
	X(WEIGHT, "weight", 1, 1)                                                                                      \
	X(RELOAD, "reload", 1, 0)                                                                                      \
	X(PLAN, "plan", 1, 0)                                                                                          \
	X(APPLY, "apply", 1, 0)                                                                                        \
	X(CONFIRM, "confirm", 1, 0)                                                                                    \
	X(SERVER_ADD, "server-add", 1, 1)                                                                              \
	X(SERVER_REMOVE, "server-remove", 1, 1)                                                                        \
	X(HANDOVER, "handover", 1, 0)

enum request_command {
#define X(id, name, changes, server) REQUEST_##id,
	REQUEST_COMMANDS(X)
#undef X
		REQUEST_COMMAND_COUNT
};

struct request {
	enum request_command command;
	char server[128];  /* as the client wrote it; "" when the command names none */
	char service[192]; /* "" = every service */
	char instance[64]; /* handover; "" = all */
	bool back;         /* handover: take it back */
	int32_t weight;
	int64_t time_us;            /* drain: "timeout" in seconds; 0 = it has no end */
	enum drain_end drain_end;   /* drain: "then" */
	bool keep_known;            /* drain: known clients of a persistent service still come */
	char file[256];             /* plan, apply: "" = the configuration file */
	int64_t confirm_us;         /* apply: "confirm" in seconds; 0 = it stays */
	bool allow;                 /* reload, apply, server-remove: also when connections are cut */
	bool dry_run;               /* apply: only say what it would do */
	uint64_t after[ROLE_COUNT]; /* events: the last number seen of each role's ring */
};

/* Decodes a line (without its newline, not terminated). Returns 0, or -1 and a sentence in error
 * (REQUEST_ERROR_SIZE bytes). Whatever the bytes are, *request is then not to be used. */
int request_parse(const char *line, size_t length, struct request *request, char *error);

const char *request_name(enum request_command command);
bool request_changes(enum request_command command);

#endif
