/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds what poisectl shows. It knows widths, colours and wrapping, and nothing of what is shown; control characters
 * in foreign text never reach the terminal. */
#include "text.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_DEFAULT 80
#define WIDTH_LEAST 40
#define WIDTH_MOST 120
#define HEIGHT_DEFAULT 24

struct screen screen_look(void)
{
	struct screen s = {.width = WIDTH_DEFAULT, .height = HEIGHT_DEFAULT};
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
	struct winsize size;

	setlocale(LC_CTYPE, "");
	s.has_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	s.is_terminal = isatty(STDOUT_FILENO);
	s.has_colour = s.is_terminal && !(no_colour && *no_colour) && term && strcmp(term, "dumb") != 0;
	if (s.is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
		s.width = size.ws_col;
		s.height = size.ws_row;
	}
	if (s.width < WIDTH_LEAST)
		s.width = WIDTH_LEAST;
	if (s.width > WIDTH_MOST)
		s.width = WIDTH_MOST;
	return s;
}

void text_begin(struct text *t, const struct screen *screen)
{
	*t = (struct text){.screen = screen};
}

void text_free(struct text *t)
{
	free(t->bytes);
	*t = (struct text){.screen = t->screen};
}

int text_show(struct text *t)
{
	size_t done = 0;

	while (done < t->length) {
		ssize_t n = write(STDOUT_FILENO, t->bytes + done, t->length - done);

		if (n < 0 && errno != EINTR) {
			int error = errno;

			text_free(t);
			return -error;
		}
		if (n > 0)
			done += (size_t)n;
	}
	text_free(t);
	return 0;
}

static void append(struct text *t, const char *s, size_t n)
{
	if (t->size - t->length <= n) {
		size_t size = (t->size ? t->size : 4096);

		while (size - t->length <= n)
			size *= 2;
		t->bytes = realloc(t->bytes, size);
		if (!t->bytes) {
			fputs("poisectl: out of memory\n", stderr);
			exit(1);
		}
		t->size = size;
	}
	memcpy(t->bytes + t->length, s, n);
	t->length += n;
	t->bytes[t->length] = '\0';
}

static void put_sgr(struct text *t, enum style style)
{
	static const char *const codes[] = {
		[STYLE_PLAIN] = "\033[0m",
		[STYLE_BOLD] = "\033[1m",
		[STYLE_DIM] = "\033[2m",
		[STYLE_GOOD] = "\033[32m",
		[STYLE_BAD] = "\033[1;31m",
		[STYLE_CARE] = "\033[33m",
		[STYLE_HEAD] = "\033[2m",
	};

	if (t->screen->has_colour)
		append(t, codes[style], strlen(codes[style]));
}

/* U+0080 to U+009F: some terminals take these two bytes for the beginning of a command as well. */
static bool is_c1(const char *s)
{
	return (unsigned char)s[0] == 0xc2 && (unsigned char)s[1] >= 0x80 && (unsigned char)s[1] < 0xa0;
}

/* Adds foreign text: control characters become '?', and the column moves on. */
static void put(struct text *t, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		bool two = is_c1(s);

		if (c < 0x20 || c == 0x7f || two)
			append(t, "?", 1);
		else
			append(t, s, 1);
		if ((c & 0xc0) != 0x80)
			t->column++;
		s += two;
	}
}

static void put_styled(struct text *t, enum style style, const char *s)
{
	if (style != STYLE_PLAIN)
		put_sgr(t, style);
	put(t, s);
	if (style != STYLE_PLAIN)
		put_sgr(t, STYLE_PLAIN);
}

void text_add(struct text *t, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	put_styled(t, STYLE_PLAIN, line);
}

void text_styled(struct text *t, enum style style, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	put_styled(t, style, line);
}

void text_newline(struct text *t)
{
	/* No blanks at line ends. */
	while (t->length > 0 && t->bytes[t->length - 1] == ' ')
		t->length--;
	append(t, "\n", 1);
	t->column = 0;
}

void text_tab(struct text *t, int column)
{
	if (t->column >= column && t->column > 0)
		column = t->column + 1;
	while (t->column < column)
		put(t, " ");
}

void text_right(struct text *t, int column, enum style style, const char *value)
{
	text_tab(t, column - text_width(value));
	put_styled(t, style, value);
}

void text_wrap(struct text *t, int indent, enum style style, const char *words)
{
	bool is_first = true;

	if (style != STYLE_PLAIN)
		put_sgr(t, style);
	while (*words) {
		int length = (int)strcspn(words, " ");
		char *word = strndup(words, (size_t)length);

		if (!word)
			break;
		if (!is_first && t->column + 1 + text_width(word) > t->screen->width) {
			text_newline(t);
			text_tab(t, indent);
		} else if (!is_first) {
			put(t, " ");
		}
		put(t, word);
		free(word);
		words += length;
		words += strspn(words, " ");
		is_first = false;
	}
	if (style != STYLE_PLAIN)
		put_sgr(t, STYLE_PLAIN);
}

int text_width(const char *s)
{
	int width = 0;

	for (; *s; s++)
		width += ((unsigned char)*s & 0xc0) != 0x80;
	return width;
}

const char *text_duration(int64_t us, char buf[TEXT_DURATION])
{
	int64_t s = us / 1000000;

	if (s < 0)
		s = 0;
	if (s < 60)
		snprintf(buf, TEXT_DURATION, "%d s", (int)s);
	else if (s < 3600)
		snprintf(buf, TEXT_DURATION, "%d m %d s", (int)(s / 60), (int)(s % 60));
	else if (s < 86400)
		snprintf(buf, TEXT_DURATION, "%d h %d m", (int)(s / 3600), (int)(s / 60 % 60));
	else
		snprintf(buf, TEXT_DURATION, "%d d %d h", (int)(s / 86400), (int)(s / 3600 % 24));
	return buf;
}

const char *text_time(int64_t us, char buf[TEXT_DURATION])
{
	if (us < 10000)
		snprintf(buf, TEXT_DURATION, "%.1f ms", (double)us / 1000);
	else if (us < 1000000)
		snprintf(buf, TEXT_DURATION, "%d ms", (int)(us / 1000));
	else if (us < 60 * 1000000LL)
		snprintf(buf, TEXT_DURATION, "%.1f s", (double)us / 1000000);
	else
		text_duration(us, buf);
	return buf;
}

const char *text_sign(const struct screen *screen, enum sign sign)
{
	static const char *const signs[][2] = {
		[SIGN_FULL] = {"+", "●"},
		[SIGN_EMPTY] = {"-", "○"},
		[SIGN_HALF] = {"~", "◐"},
		[SIGN_DOT] = {"-", "·"},
		[SIGN_ARROW] = {"->", "→"},
		[SIGN_CAUSE] = {"<-", "↳"},
		[SIGN_BAR] = {"#", "━"},
		[SIGN_BAR_EMPTY] = {".", "─"},
		[SIGN_ALERT] = {"!", "▲"},
	};

	return signs[sign][screen->has_utf8];
}
