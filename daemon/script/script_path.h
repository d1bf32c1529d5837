/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a command's program is, and whether somebody other than root could have put another one there. */
#ifndef POISE_SCRIPT_PATH_H
#define POISE_SCRIPT_PATH_H

#include <limits.h>

#define SCRIPT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define PATH_WHY_SIZE 160

/* Writes the file that `word` stands for into path (PATH_MAX bytes): itself when it has a slash, else the first
 * executable of that name in SCRIPT_PATH. Returns 0, or -1 and the reason in why (PATH_WHY_SIZE bytes). */
int script_path_find(const char *word, char *path, char *why);
/* Is the file, every folder on the way to it, and every link followed, in the hands of root alone? Returns 0, or -1
 * and the reason, naming the part that is not. */
int script_path_check(const char *path, char *why);

#endif
