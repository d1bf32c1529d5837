/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the blocks of health checks share: tables of keywords, and how such a block begins and ends. */
#ifndef POISE_CONF_PROBE_H
#define POISE_CONF_PROBE_H

#include "conf_print.h"

/* conf_checkers.c: what it connects to, when it runs and how it is judged. */
extern const struct conf_directive conf_check_connect[], conf_check_timing[];
/* conf_tls.c. */
extern const struct conf_directive conf_check_tls[];
/* conf_probe.c: the conversation of TCP_CHECK. */
extern const struct conf_directive conf_check_talk[];

/* Makes the record of a check of this kind. Returns true. */
bool conf_check_begin(struct conf_load *load, const struct conf_block *block, const struct conf_node *node,
	enum conf_check_kind kind);
/* Completes it: what it cannot do without is said. */
void conf_check_end(struct conf_load *load, const struct conf_node *node);
/* Every kind of check by its number. */
const struct conf_block *conf_check_block(enum conf_check_kind kind);

/* The session of a BFD_CHECK has to be there. */
void conf_bfd_check_finish(struct conf_load *load, conf_index_t index);
/* The pass phrase of a key, the second word, as a blob; it stands in no message. */
void conf_tls_password(struct conf_load *load, const struct conf_node *node, struct conf_range *range);
/* Reads the file in PEM format that a line names. */
void conf_tls_file(struct conf_load *load, const struct conf_node *node, conf_string_t *name, struct conf_range *range);
/* Gives a check what the block SSL says, where it has none of its own (conf_ssl.c). */
void conf_ssl_finish(struct conf_load *load, struct conf_check *check);

/* A FILE_CHECK with a track_file gets its path and weight, wherever that stands in the file. */
void conf_file_check_finish(struct conf_load *load, conf_index_t index);

#endif
