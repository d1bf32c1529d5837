/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Collects findings and prints them for people. Runs in the config role. It never decides what a finding is, and never
 * prints the text of a line that was marked as secret. */
#include "conf_diag.h"
#include "conf_memory.h"
#include "conf_source.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* More than this of one severity nobody reads; the rest is counted. Each severity has a limit of its own, so that many
 * notes and warnings never hide an error, which is why a file is refused. */
#define FINDINGS_MAX 5000
/* A source line longer than this is shown from around the mark. */
#define SHOWN_MAX 200

struct finding {
	struct conf_place place;
	uint32_t width, order;
	enum conf_severity severity;
	char *text;
};

struct conf_diag {
	struct finding *findings;
	struct conf_place *hidden;
	uint32_t count, room, n_hidden, hidden_room;
	uint32_t taken[CONF_HINT], dropped[CONF_HINT]; /* by severity */
	bool strict, sorted, notes;
};

struct conf_diag *conf_diag_new(bool strict)
{
	struct conf_diag *d = conf_realloc(NULL, 1, sizeof(*d));

	memset(d, 0, sizeof(*d));
	d->strict = strict;
	return d;
}

void conf_diag_free(struct conf_diag *d)
{
	if (!d)
		return;
	for (uint32_t i = 0; i < d->count; i++)
		free(d->findings[i].text);
	free(d->findings);
	free(d->hidden);
	free(d);
}

/* The part behind CONF_MEANING is what happens when the file is not refused for it. */
static void settle_meaning(char *text, size_t size, bool refused)
{
	char *mark = strrchr(text, CONF_MEANING[0]), meaning[256];

	if (!mark)
		return;
	snprintf(meaning, sizeof(meaning), "%s", mark + 1);
	if (refused)
		*mark = 0;
	else
		snprintf(mark, size - (size_t)(mark - text), "; %s", meaning);
}

/* Text from the file may hold any bytes: what a terminal would take as a command becomes '?'. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 127)
			*text = '?';
}

/* What it counts as. */
static enum conf_severity settle_severity(const struct conf_diag *d, enum conf_severity severity)
{
	if (severity == CONF_HINT)
		return CONF_WARNING;
	return d->strict ? CONF_ERROR : severity;
}

void conf_diag_add(struct conf_diag *d, enum conf_severity severity, struct conf_place place, uint32_t width,
	const char *format, ...)
{
	struct finding *f;
	char text[1024];
	va_list args;

	severity = settle_severity(d, severity);
	if (d->taken[severity] >= FINDINGS_MAX) {
		d->dropped[severity]++;
		return;
	}
	d->taken[severity]++;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	settle_meaning(text, sizeof(text), severity == CONF_ERROR);
	make_printable(text);
	d->findings = conf_grow(d->findings, d->count, &d->room, sizeof(*d->findings));
	f = &d->findings[d->count];
	*f = (struct finding){place, width ? width : 1, d->count, severity, conf_strndup(text, strlen(text))};
	d->count++;
	d->sorted = false;
}

void conf_diag_show_notes(struct conf_diag *d)
{
	d->notes = true;
}

bool conf_diag_full(const struct conf_diag *d, enum conf_severity severity)
{
	return d->taken[settle_severity(d, severity)] >= FINDINGS_MAX;
}

void conf_diag_hide(struct conf_diag *d, struct conf_place place)
{
	d->hidden = conf_grow(d->hidden, d->n_hidden, &d->hidden_room, sizeof(*d->hidden));
	d->hidden[d->n_hidden++] = place;
}

static int compare_numbers(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int compare_lines(const struct conf_place *a, const struct conf_place *b)
{
	int r = compare_numbers(a->file, b->file);

	return r ? r : compare_numbers(a->line, b->line);
}

static int compare_hidden(const void *a, const void *b)
{
	return compare_lines(a, b);
}

static int compare_findings(const void *left, const void *right)
{
	const struct finding *a = left, *b = right;
	int r = compare_lines(&a->place, &b->place);

	if (r == 0)
		r = compare_numbers(a->place.column, b->place.column);
	return r ? r : compare_numbers(a->order, b->order);
}

static bool same_finding(const struct finding *a, const struct finding *b)
{
	return compare_lines(&a->place, &b->place) == 0 && a->place.column == b->place.column &&
	       strcmp(a->text, b->text) == 0;
}

/* True when an earlier finding in the same place says the same. */
static bool is_repetition(const struct conf_diag *d, uint32_t i)
{
	for (uint32_t k = i; k-- > 0;) {
		if (compare_lines(&d->findings[k].place, &d->findings[i].place) != 0)
			return false;
		if (same_finding(&d->findings[k], &d->findings[i]))
			return true;
	}
	return false;
}

static void sort(struct conf_diag *d)
{
	uint32_t kept = 0;

	if (d->sorted)
		return;
	if (d->n_hidden)
		qsort(d->hidden, d->n_hidden, sizeof(*d->hidden), compare_hidden);
	if (d->count)
		qsort(d->findings, d->count, sizeof(*d->findings), compare_findings);
	for (uint32_t i = 0; i < d->count; i++) {
		struct finding f = d->findings[i];

		d->findings[kept] = f;
		if (!is_repetition(d, kept)) {
			kept++;
			continue;
		}
		d->taken[f.severity]--;
		free(f.text);
	}
	d->count = kept;
	d->sorted = true;
}

static unsigned count(struct conf_diag *d, enum conf_severity severity)
{
	unsigned n = 0;

	sort(d);
	for (uint32_t i = 0; i < d->count; i++)
		n += d->findings[i].severity == severity;
	return n + d->dropped[severity];
}

unsigned conf_diag_errors(struct conf_diag *d)
{
	return count(d, CONF_ERROR);
}

unsigned conf_diag_warnings(struct conf_diag *d)
{
	return count(d, CONF_WARNING);
}

unsigned conf_diag_notes(struct conf_diag *d)
{
	return count(d, CONF_NOTE);
}

/* Prints the line and a mark under the word. The mark line repeats tabs, so that it stands right with any tab width,
 * and skips the continuation bytes of UTF-8. */
static void print_source(const char *line, size_t length, const struct finding *f, FILE *out)
{
	size_t column = f->place.column - 1, from = 0;

	while (length > 0 && (line[length - 1] == '\r' || line[length - 1] == ' ' || line[length - 1] == '\t'))
		length--;
	if (column > length)
		column = length;
	if (column > SHOWN_MAX)
		from = column - SHOWN_MAX / 4;
	if (length > from + SHOWN_MAX)
		length = from + SHOWN_MAX;
	fputs("    ", out);
	for (size_t i = from; i < length; i++) {
		unsigned char c = (unsigned char)line[i];

		fputc((c < ' ' && c != '\t') || c == 127 ? '?' : c, out);
	}
	fputs("\n    ", out);
	for (size_t i = from; i < column; i++)
		if (line[i] == '\t')
			fputc('\t', out);
		else if (((unsigned char)line[i] & 0xc0) != 0x80)
			fputc(' ', out);
	fputc('^', out);
	for (size_t i = column + 1; i < column + f->width && i < length; i++)
		if (((unsigned char)line[i] & 0xc0) != 0x80)
			fputc('~', out);
	fputc('\n', out);
}

static bool is_hidden(const struct conf_diag *d, const struct conf_place *place)
{
	return d->n_hidden && bsearch(place, d->hidden, d->n_hidden, sizeof(*place), compare_hidden);
}

void conf_diag_print(struct conf_diag *d, const struct conf_sources *sources, bool brief, FILE *out)
{
	static const char *const names[] = {
		[CONF_NOTE] = "note",
		[CONF_WARNING] = "warning",
		[CONF_ERROR] = "error",
	};
	struct conf_line_hint hint = {0};

	sort(d);
	for (uint32_t i = 0; i < d->count; i++) {
		const struct finding *f = &d->findings[i];
		const char *name = f->place.file < sources->count ? sources->files[f->place.file].name : "-";
		const char *line;
		size_t length;

		if (f->severity == CONF_NOTE && !d->notes)
			continue;
		fprintf(out, "%s:%u:%u: %s: %s\n", name, f->place.line, f->place.column, names[f->severity], f->text);
		if (brief || f->place.line == 0)
			continue;
		if (is_hidden(d, &f->place)) {
			fputs("    (the line is not shown, because it may hold a secret)\n", out);
			continue;
		}
		line = conf_source_line(sources, f->place.file, f->place.line, &hint, &length);
		if (line)
			print_source(line, length, f, out);
	}
	if (d->dropped[CONF_ERROR] + d->dropped[CONF_WARNING])
		fprintf(out, "and %u more errors, %u more warnings\n", d->dropped[CONF_ERROR],
			d->dropped[CONF_WARNING]);
}

#define WORD_MAX 48

/* Edit distance in which swapping two neighbours is one step (optimal string alignment). */
static unsigned edit_distance(const char *a, const char *b)
{
	unsigned rows[3][WORD_MAX + 1], *before = rows[0], *last = rows[1], *now = rows[2];
	size_t n = strlen(a), m = strlen(b);

	if (n > WORD_MAX || m > WORD_MAX)
		return WORD_MAX;
	for (unsigned k = 0; k <= m; k++)
		last[k] = k;
	for (size_t i = 1; i <= n; i++) {
		unsigned *old = before;

		now[0] = (unsigned)i;
		for (size_t k = 1; k <= m; k++) {
			unsigned best = last[k - 1] + (a[i - 1] != b[k - 1]);

			if (last[k] + 1 < best)
				best = last[k] + 1;
			if (now[k - 1] + 1 < best)
				best = now[k - 1] + 1;
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] && before[k - 2] + 1 < best)
				best = before[k - 2] + 1;
			now[k] = best;
		}
		before = last;
		last = now;
		now = old;
	}
	return last[m];
}

const char *conf_nearest(const char *word, const char *(*next)(const void *list, unsigned i), const void *list)
{
	unsigned best = (unsigned)strlen(word) / 4 + 1;
	const char *candidate, *found = NULL;

	for (unsigned i = 0; (candidate = next(list, i)); i++) {
		unsigned distance = edit_distance(word, candidate);

		if (distance < best || (distance == best && !found)) {
			best = distance;
			found = candidate;
		}
	}
	return found;
}
