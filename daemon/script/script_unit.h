/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The script role in a unit of its own: systemd starts it for a connection to a socket, outside of the daemon's
 * confinement, so that operators' scripts may do what they always could. In its place among the parent's children
 * stands a relay, which hands over what the parent gave it and then only holds the connection: the end of either is the
 * end of the other. */
#ifndef POISE_SCRIPT_UNIT_H
#define POISE_SCRIPT_UNIT_H

/* In the relay: argv as the parent gave it (--through PATH first, then what role_main() takes). Connects to PATH, hands
 * over, waits for the end. Returns the exit status. */
int script_unit_relay(int argc, char **argv);

/* In the unit, with the connection as descriptor `fd`: takes what the relay hands over and fills args with the
 * arguments for role_main(), which stay valid until the process ends. From then on the kernel ends this process when
 * the relay is gone, even when it hangs. Returns the number of arguments or -errno (logged). */
#define SCRIPT_UNIT_ARGS 11
int script_unit_take(int fd, char *args[SCRIPT_UNIT_ARGS + 1]);

#endif
