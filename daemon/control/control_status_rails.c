/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `poisectl show` asks for: kernel settings, and the counters of the guard rails. Runs in the control process. */
#include "control_status.h"
#include "sysctls.h"

#include <stdio.h>

static void write_value(struct writer *w, const char *key, uint32_t number, int64_t value, bool is_there)
{
	char text[SYSCTLS_TEXT];

	if (is_there)
		writer_string(w, key, sysctls_format((int)number, value, text));
	else
		writer_null(w, key);
}

void status_write_sysctls(struct writer *w, const struct status_source *source)
{
	writer_array(w, "sysctls");
	for (uint32_t i = 0; source->conf && i < SYSCTLS; i++) {
		struct status_sysctl s;

		status_load(source, ROLE_IPVS, IPVS_TABLE_SYSCTL, i, &s, sizeof(s));
		writer_object(w, NULL);
		writer_string(w, "name", sysctls_known[i].name);
		writer_string(w, "path", sysctls_known[i].path);
		write_value(w, "value", i, s.value, s.is_known);
		write_value(w, "wanted", i, s.wanted, s.is_wanted);
		write_value(w, "before", i, s.before, s.is_ours);
		writer_string(w, "why", s.why);
		writer_end(w);
	}
	writer_end(w);
}

void status_write_guards(struct writer *w, const struct status_source *source)
{
	writer_array(w, "guards");
	for (conf_index_t i = 0; source->conf && i < source->conf->n_services; i++) {
		char name[CONF_NAME_SIZE];
		struct status_guard g;

		if (!status_load(source, ROLE_IPVS, IPVS_TABLE_GUARD, i, &g, sizeof(g)) || !g.is_wanted)
			continue;
		writer_object(w, NULL);
		writer_string(w, "service", conf_service_name(source->conf, i, name));
		writer_bool(w, "applied", g.is_applied != 0);
		writer_count(w, "denied", g.denied);
		writer_count(w, "not_allowed", g.not_allowed);
		writer_count(w, "client_rate", g.client_rate);
		writer_count(w, "service_rate", g.service_rate);
		writer_count(w, "client_connections", g.client_connections);
		writer_string(w, "why", g.why);
		writer_end(w);
	}
	writer_end(w);
}
