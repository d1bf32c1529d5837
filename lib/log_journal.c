/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log lines to systemd's journal, with fields to search by. Runs in the parent under systemd; a file of its own so that
 * programs without the journal need not link it. */
#include "log.h"
#include <stddef.h>
#include <string.h>
#include <systemd/sd-journal.h>

static const char *identifier;

/* Lines begin with their object: "vrrp web: backup -> master: ...". */
static void write_journal(enum log_level level, const char *text)
{
	const char *colon = strstr(text, ": ");
	int object = colon ? (int)(colon - text) : 0;
	int part = object ? (int)strcspn(text, " :") : 0;

	/* Where it was said in our source helps nobody: the object and the cause are in the line. */
	sd_journal_send("MESSAGE=%s", text, "PRIORITY=%d", (int)level, "SYSLOG_IDENTIFIER=%s", identifier,
		"POISE_OBJECT=%.*s", object, text, "POISE_PART=%.*s", part, text, NULL);
}

void log_to_journal(const char *who)
{
	identifier = who;
	log_to_writer(who, write_journal);
}
