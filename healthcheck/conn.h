/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A TCP connection of a probe: opened without waiting, read and written without waiting. Edge-triggered use: read and
 * write until -EAGAIN. */
#ifndef POISE_CONN_H
#define POISE_CONN_H

#include "conf.h"
#include "reason.h"
#include <sys/types.h>

/* Starts to connect a socket (see check_socket.h) to a check's target. UDP: it then hears only its target, and learns
 * when the port is closed. Returns 0 (connected, or on its way), or -1 with the sentence in result. */
int conn_connect(int fd, const struct conf *conf, const struct conf_check *check, struct probe_result *result);
/* The pending error of a socket (0 = none). */
int conn_error(int fd);
/* > 0 bytes, 0 the peer has closed, -EAGAIN, or another -errno. Never raises a signal. */
ssize_t conn_read(int fd, void *buf, size_t size);
ssize_t conn_write(int fd, const void *data, size_t size);
/* Lets close() end the connection with a reset. */
void conn_abort(int fd);
/* Sends our FIN; reading goes on. */
void conn_shutdown(int fd);
/* Throws away what has arrived, at most `budget` bytes. CONN_SILENT: closed by the peer, and nothing had come. */
enum conn_drained { CONN_OPEN, CONN_CLOSED, CONN_SILENT, CONN_OVER_BUDGET };
enum conn_drained conn_drain(int fd, size_t budget);

#endif
