/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an instance or a sync group watches: track_interface, track_script and their like. */
#ifndef POISE_CONF_TRACK_H
#define POISE_CONF_TRACK_H

#include "conf_print.h"

/* Readers of one line of the blocks; inside an instance or a group. */
conf_apply_fn conf_track_interface, conf_track_script, conf_track_process, conf_track_file, conf_track_service;
/* Looks up what the track names, when everything is read; marks it dead (said) when there is no such thing. */
void conf_track_finish(struct conf_load *load, conf_index_t track);
/* Prints the blocks for these tracks. */
void conf_print_tracks(struct conf_printer *p, const struct conf_range *tracks);

#endif
