/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that the vrrp role maps have in common. */
#ifndef POISE_VRRP_FILE_H
#define POISE_VRRP_FILE_H

#include <stddef.h>

/* Makes the file this long, with every page of it there: in a full file system a missing one would be a SIGBUS when it
 * is written. Returns 0 or -errno. */
int vrrp_file_make_room(int fd, size_t size);

#endif
