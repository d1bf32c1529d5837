/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `poisectl show`: kernel settings, and what guard rails dropped. It never talks to the daemon. */
#include "view.h"

#include <inttypes.h>
#include <stdio.h>

#define VALUE_AT 30
#define NOTE_AT 46

static void show_why(struct text *t, struct json_object *object)
{
	if (!*json_text(object, "why"))
		return;
	text_tab(t, 4);
	text_styled(t, STYLE_CARE, "%s ", text_sign(t->screen, SIGN_ALERT));
	text_wrap(t, 6, STYLE_CARE, json_text(object, "why"));
	text_newline(t);
}

static void show_sysctl(struct text *t, struct json_object *s)
{
	bool wanted = json_has(s, "wanted"), ours = json_has(s, "before");

	text_add(t, "  %s", json_text(s, "name"));
	text_tab(t, VALUE_AT);
	text_styled(t, wanted ? STYLE_BOLD : STYLE_PLAIN, "%s", json_has(s, "value") ? json_text(s, "value") : "-");
	text_tab(t, NOTE_AT);
	if (ours)
		text_styled(t, STYLE_DIM, "set by Poise, %s before", json_text(s, "before"));
	else if (wanted)
		text_styled(t, STYLE_DIM, "as wanted, and found so");
	text_newline(t);
	show_why(t, s);
}

void view_sysctls(struct text *t, struct json_object *rails)
{
	text_styled(t, STYLE_HEAD, "Kernel settings of IPVS");
	text_newline(t);
	for (size_t i = 0; i < json_count(rails, "sysctls"); i++)
		show_sysctl(t, json_element(rails, "sysctls", i));
}

static void show_count(struct text *t, struct json_object *guard, const char *key, const char *words)
{
	int64_t n = json_number(guard, key);

	text_add(t, "    %s", words);
	text_tab(t, VALUE_AT);
	text_styled(t, n ? STYLE_BOLD : STYLE_DIM, "%" PRId64, n);
	text_newline(t);
}

void view_guards(struct text *t, struct json_object *rails)
{
	if (json_count(rails, "guards") == 0) {
		text_add(t, "No service has guard rails (allow_clients, deny_clients, limits).");
		text_newline(t);
	}
	for (size_t i = 0; i < json_count(rails, "guards"); i++) {
		struct json_object *guard = json_element(rails, "guards", i);

		text_styled(t, STYLE_HEAD, "%s", json_text(guard, "service"));
		text_add(t, "%s", json_flag(guard, "applied") ? ", packets dropped:" : ", not in the kernel");
		text_newline(t);
		show_count(t, guard, "denied", "deny_clients");
		show_count(t, guard, "not_allowed", "allow_clients");
		show_count(t, guard, "client_rate", "client_rate_limit");
		show_count(t, guard, "service_rate", "service_rate_limit");
		show_count(t, guard, "client_connections", "client_connection_limit");
		show_why(t, guard);
	}
}
