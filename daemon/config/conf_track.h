/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an instance or a sync group watches: track_interface, track_script and their like. */
#ifndef POISE_CONF_TRACK_H
#define POISE_CONF_TRACK_H

#include "conf_print.h"

/* Readers of one line of the blocks; inside an instance or a group. */
conf_apply_fn conf_track_interface, conf_track_script;
/* Prints the blocks for these tracks. */
void conf_print_tracks(struct conf_printer *p, const struct conf_range *tracks);

#endif
