/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of the status document about SNMP: the AgentX master, what a rate limit held back, and the receivers of
 * notifications. Runs in the control process, which sees no community and no passphrase. */
#include "control_status.h"

static void write_receiver(struct writer *w, const struct status_source *source, uint32_t i)
{
	const struct conf_trap_target *t = &source->conf->trap_targets[i];
	struct status_trap_target st;
	char text[ADDR_TEXT], absence[WHY_SIZE];
	bool known = status_load(source, ROLE_SNMP, SNMP_TABLE_TARGET, i, &st, sizeof(st));

	writer_object(w, NULL);
	writer_string(w, "address", addr_format(&t->addr, text));
	writer_count(w, "port", t->port);
	writer_string(w, "version", t->user ? "3" : "2c");
	writer_bool(w, "inform", t->inform != 0);
	writer_string(w, "state", trap_target_state_name((enum trap_target_state)st.state));
	writer_count(w, "sent", st.sent);
	writer_count(w, "acknowledged", st.acknowledged);
	writer_count(w, "given_up", st.failed);
	writer_count(w, "waiting", st.waiting);
	writer_time(w, "since", st.since_real_us);
	writer_string(w, "why", known ? st.why : status_absence(source, ROLE_SNMP, absence));
	writer_end(w);
}

void status_write_snmp(struct writer *w, const struct status_source *source)
{
	struct status_snmp st;
	char absence[WHY_SIZE];
	bool known = status_load(source, ROLE_SNMP, SNMP_TABLE_AGENT, 0, &st, sizeof(st));

	writer_object(w, "snmp");
	writer_bool(w, "agentx", st.is_enabled != 0);
	writer_bool(w, "connected", st.is_connected != 0);
	writer_time(w, "since", st.since_real_us);
	writer_count(w, "sent", st.traps_sent);
	writer_count(w, "in_lists", st.traps_rolled);
	writer_count(w, "held_back", st.traps_held);
	writer_count(w, "left_out", st.traps_left_out);
	writer_count(w, "overwritten", st.events_dropped);
	writer_array(w, "receivers");
	for (uint32_t i = 0; i < source->conf->n_trap_targets; i++)
		write_receiver(w, source, i);
	writer_end(w);
	writer_string(w, "why", known ? st.why : status_absence(source, ROLE_SNMP, absence));
	writer_end(w);
}
