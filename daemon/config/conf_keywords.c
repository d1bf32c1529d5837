/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists the keywords, for the manual page. Runs in the config role. */
#include "conf_print.h"
#include <inttypes.h>

static const char *kind_name(enum conf_kind kind)
{
	switch (kind) {
	case CONF_KIND_FLAG:
	case CONF_KIND_UNFLAG:
		return "flag";
	case CONF_KIND_NUMBER:
		return "number";
	case CONF_KIND_TIME:
		return "seconds";
	case CONF_KIND_TEXT:
		return "word";
	case CONF_KIND_ADDRESS:
		return "address";
	case CONF_KIND_CHOICE:
		return "choice";
	case CONF_KIND_CALL:
		return "words";
	case CONF_KIND_BLOCK:
		return "block";
	case CONF_KIND_LINES:
		return "list";
	case CONF_KIND_IGNORED:
		return "ignored";
	case CONF_KIND_INACTIVE:
		return "inactive";
	case CONF_KIND_REFUSED:
		return "refused";
	}
	return "";
}

static const char *reload_text(enum conf_reload reload)
{
	switch (reload) {
	case CONF_RELOAD_LIVE:
		return "live";
	case CONF_RELOAD_OBJECT:
		return "object";
	case CONF_RELOAD_START:
		return "start";
	case CONF_RELOAD_NONE:
		return "none";
	}
	return "";
}

static const char *default_text(const struct conf_directive *d, char *buf)
{
	buf[0] = 0;
	if (d->fallback == CONF_REQUIRED)
		return "required";
	if (d->fallback < 0 && d->low >= 0)
		return "";
	if (d->kind == CONF_KIND_NUMBER)
		snprintf(buf, 32, "%" PRId64, d->fallback);
	else if (d->kind == CONF_KIND_TIME)
		conf_time_text(d->fallback, buf);
	else if (d->kind == CONF_KIND_CHOICE)
		snprintf(buf, 32, "%s", d->choices[d->fallback]);
	else if (d->kind == CONF_KIND_FLAG)
		snprintf(buf, 32, "%s", d->fallback ? "on" : "off");
	return buf;
}

static void print_block_keywords(FILE *out, const struct conf_block *block, const char *path)
{
	const struct conf_directive *d;

	for (unsigned i = 0; (d = conf_directive_at(block, i)); i++) {
		char range[96], fallback[32], inner[256];

		snprintf(inner, sizeof(inner), "%s%s%s", path, path[0] ? "/" : "", d->name);
		fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", inner, kind_name(d->kind), conf_range_text(d, range),
			default_text(d, fallback), reload_text(d->reload), d->help);
		if (d->kind == CONF_KIND_BLOCK)
			print_block_keywords(out, d->block, inner);
	}
}

void conf_print_keywords(FILE *out)
{
	print_block_keywords(out, &conf_root_block, "");
}
