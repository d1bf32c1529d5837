/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of conf_finish() and conf_check() that lie in files of their own. */
#ifndef POISE_CONF_FINISH_H
#define POISE_CONF_FINISH_H

#include "conf_load.h"

/* Completes services, servers and checks. */
void conf_finish_services(struct conf_load *load);

/* The rules about records that say the same as another one. */
void conf_check_repeated(struct conf_load *load);
void conf_check_shared(struct conf_load *load);

/* garp_group (conf_garp.c): reads one; gives an instance what the groups say of its interface. */
conf_apply_fn conf_garp_group;
void conf_finish_garp(struct conf_load *load, struct conf_instance *i, bool garp_given, bool gna_given);

/* garp_extra_if, of an instance and of global_defs: reads it; makes announcements of it. */
conf_apply_fn conf_garp_extra, conf_garp_extra_global;
void conf_finish_garp_extra(struct conf_load *load, conf_index_t index);

/* track_group (conf_track_group.c): what the blocks and the words behind static objects mean together. */
void conf_finish_track_groups(struct conf_load *load);

#endif
