/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an instance or a sync group watches: track_interface, track_script and their like. */
#ifndef POISE_CONF_TRACK_H
#define POISE_CONF_TRACK_H

#include "conf_print.h"

/* Readers of one line of the blocks; inside an instance or a group. */
conf_apply_fn conf_track_interface, conf_track_script, conf_track_process, conf_track_file, conf_track_service, conf_track_bfd;
/* Warns when word i, the name of an interface, has a quote, a comma or a semicolon in it. */
void conf_warn_interface(struct conf_load *load, const struct conf_node *node, uint32_t i);
/* Looks up what the track names, when everything is read; marks it dead (said) when there is no such thing. */
void conf_track_finish(struct conf_load *load, conf_index_t track);
/* weight NUMBER [reverse] of an object that is tracked, and its print unless it is the usual one. */
void conf_weight_read(struct conf_load *load, const struct conf_node *node, int64_t limit, int32_t usual,
	int32_t *weight, uint32_t *reverse);
void conf_weight_print(struct conf_printer *p, int32_t weight, uint32_t reverse, int32_t usual);
/* Prints the blocks for these tracks. */
void conf_print_tracks(struct conf_printer *p, const struct conf_range *tracks);

#endif
