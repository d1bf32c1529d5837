/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which boot of the machine this is: what counts by a clock that begins anew with each is worth nothing after another.
 */
#ifndef POISE_BOOT_ID_H
#define POISE_BOOT_ID_H

#define BOOT_ID_SIZE 40 /* in files, too */

/* The kernel's boot id, 36 characters and zeros; all zeros when /proc does not tell. */
void boot_id_read(char id[BOOT_ID_SIZE]);

#endif
