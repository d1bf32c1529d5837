/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of a config role that was started before there was anything to read: the arguments that it would have been
 * started with, in one message, and the two descriptors that it would have inherited. */
#ifndef POISE_CONF_ORDER_H
#define POISE_CONF_ORDER_H

#include <stdbool.h>

#define CONF_ORDER_WORDS 32
#define CONF_ORDER_SIZE 16384

struct conf_order {
	char text[CONF_ORDER_SIZE + 1];
	int argc;
	char *argv[CONF_ORDER_WORDS + 1];
	int table;    /* for the table */
	int findings; /* for what is found: standard output and error of the run */
};

/* Waits for the order on a SOCK_SEQPACKET socket. False when nobody wants one any more, or it is none. */
bool conf_order_wait(int socket, struct conf_order *order);

#endif
