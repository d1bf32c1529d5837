/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes to the text of a configuration file that leave everything else in it as it is: a real_server block more or
 * less. Functions of their arguments. The text is looked at as words, comments, quotes and braces; what it means is for
 * the daemon to say, which reads the result before it is put in place. */
#ifndef POISECTL_EDIT_H
#define POISECTL_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#define EDIT_ERROR_SIZE 256

struct edit {
	const char *address;
	long port;
	bool is_removed;
	long weight; /* of an added one; -1 = that of its like */
};

/* The text with the change in the virtual_server block that begins on a line (from 1): a new block is the first
 * real_server of the service with another address, port and weight, behind the last one. Returns a new text (free it),
 * or NULL and a sentence in error. */
char *edit_pool(const char *text, long line, const struct edit *change, char error[EDIT_ERROR_SIZE]);

#endif
