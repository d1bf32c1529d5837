/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A notification FIFO: lines in order, never waiting for whoever reads it, and the program that does. */
#ifndef POISE_SCRIPT_FIFO_H
#define POISE_SCRIPT_FIFO_H

#include "role.h"

struct script_fifo_pipe;

/* Opens (and makes, as its user, where it does not exist) the FIFO of the configuration and starts its program. NULL
 * when none is configured or it cannot be had (said). conf has to stay until it is closed. */
struct script_fifo_pipe *script_fifo_open(
	struct role_process *p, const struct conf *conf, const struct conf_fifo *fifo);
/* Closes it, ends its program, and removes the FIFO if it made it. NULL is allowed. */
void script_fifo_close(struct script_fifo_pipe *pipe);
/* Takes the pipe over into another generation when both describe the same FIFO; returns false when they do not. */
bool script_fifo_keep(struct script_fifo_pipe *pipe, const struct conf *conf, const struct conf_fifo *fifo);
/* Queues a line; what has waited longest is dropped (and counted) when too many do. NULL is allowed. */
void script_fifo_write(struct script_fifo_pipe *pipe, const char *line);

#endif
