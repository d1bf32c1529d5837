/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log lines: object first, cause always, what to do if something is to be done.
 *   error = an operator must act, warning = unexpected but handled, info = a state changed, debug = free.
 * In the daemon a line goes into a queue without blocking (a stuck terminal or journal must delay neither a heartbeat
 * nor the parent); lines that do not fit are counted and the count is reported with the next line that does. */
#ifndef POISE_LOG_H
#define POISE_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* The numbers are those of syslog(3). */
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/* What is sent into the queue; text is not terminated, its length is the datagram's. */
struct log_record {
	uint8_t level;
	uint8_t zero[3];
	char text[508];
};

/* Where this process's lines go. Call one of them first thing in main(). */
void log_to_console(const char *who); /* standard error, with time; readable colours on a terminal */
void log_to_syslog(const char *who);  /* syslog(3), facility daemon */
/* systemd's journal, with the fields POISE_OBJECT ("vrrp web", "server 192.0.2.11:80 ...") and POISE_PART ("vrrp"). */
void log_to_journal(const char *who);
/* Each line goes to `write`. */
void log_to_writer(const char *who, void (*write)(enum log_level level, const char *text));
void log_to_parent(const char *who, int fd); /* into the parent's queue: datagrams of struct log_record */
/* The parent's own lines go into the queue, too; -1: they are written at once again. */
void log_to_queue(int fd);
/* Writes a line from the queue where log_to_...() has said, and waits for that as long as it takes. */
void log_deliver(enum log_level level, const char *text);

/* Lines above this level are dropped; default LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
/* The arguments are not evaluated unless debug is on. */
#define log_debug(...)                                                                                                 \
	do {                                                                                                           \
		if (log_get_level() >= LOG_LEVEL_DEBUG)                                                                \
			log_write(LOG_LEVEL_DEBUG, __VA_ARGS__);                                                       \
	} while (0)

/* One bucket an object: allows burst lines, then one line each interval; counts what it held back. */
struct log_limit {
	int64_t next_us;
	uint32_t held_back;
};
/* True when a line may be written now; *held_back then tells how many were suppressed before it. */
bool log_limit_pass(struct log_limit *limit, int64_t interval_us, uint32_t *held_back);

#endif
