/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole way from a file to finished tables, in one call. */
#ifndef POISE_CONF_READ_H
#define POISE_CONF_READ_H

#include "conf_load.h"

struct conf_read_options {
	const char *config_id;    /* NULL: the host's name up to the first dot */
	int dialect;              /* enum conf_dialect, or -1: by the file's name */
	bool check_files;         /* warn of scripts that are not there */
	bool no_files;            /* refuse includes, read no other file either */
	struct conf_edits *edits; /* NULL, or receives what brings the text up to date */
};

/* What came of it. Everything in it lives until conf_result_free(). */
struct conf_result {
	struct conf_sources sources;
	struct conf_diag *diag;
	struct conf_builder *builder;
	enum conf_dialect dialect;
};

void conf_read_file(struct conf_result *r, const char *name, const struct conf_read_options *options);
/* The same for text in memory; name decides the dialect and stands in findings. */
void conf_read_text(struct conf_result *r, const char *name, const char *text, size_t size,
	const struct conf_read_options *options);
void conf_result_free(struct conf_result *r);

#endif
