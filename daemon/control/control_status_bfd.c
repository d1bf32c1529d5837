/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of the status document about BFD sessions; runs in the control process. */
#include "control_status.h"

/* What the neighbour tells: nothing of it is known before it was heard. */
static void write_remote(struct writer *w, const struct bfd_session *session)
{
	if (!session->remote_discriminator) {
		writer_null(w, "remote");
		return;
	}
	writer_object(w, "remote");
	writer_string(w, "state", bfd_state_name((enum bfd_state)session->remote_state));
	writer_count(w, "discriminator", session->remote_discriminator);
	writer_count(w, "multiplier", session->remote_multiplier);
	writer_number(w, "min_rx_us", session->remote_min_rx_us);
	writer_number(w, "min_tx_us", session->remote_min_tx_us);
	writer_end(w);
}

static void write_session(struct writer *w, const struct status_source *source, conf_index_t index)
{
	const struct conf_bfd *bfd = &source->conf->bfds[index];
	struct status_bfd status;
	char text[ADDR_TEXT], absence[WHY_SIZE];
	bool known = status_load(source, ROLE_VRRP, VRRP_TABLE_BFD, index, &status, sizeof(status));
	const struct bfd_session *session = &status.session;

	writer_object(w, NULL);
	writer_string(w, "name", conf_string(source->conf, bfd->name));
	writer_string(w, "neighbor", addr_format(&bfd->neighbor, text));
	writer_string(w, "state", known ? bfd_state_name((enum bfd_state)session->state) : "unknown");
	writer_time(w, "since", status.since_real_us);
	writer_string(w, "why", known ? status.why : status_absence(source, ROLE_VRRP, absence));
	writer_number(w, "interval_us",
		session->tx_us > session->remote_min_rx_us ? session->tx_us : session->remote_min_rx_us);
	writer_number(w, "detection_us",
		session->remote_multiplier *
			(session->rx_us > session->remote_min_tx_us ? session->rx_us : session->remote_min_tx_us));
	writer_count(w, "discriminator", session->discriminator);
	write_remote(w, session);
	writer_count(w, "ups", status.ups);
	writer_count(w, "sent", status.sent);
	writer_count(w, "received", status.received);
	writer_count(w, "dropped", status.dropped);
	writer_end(w);
}

void status_write_bfd(struct writer *w, const struct status_source *source)
{
	writer_array(w, "bfd");
	for (conf_index_t i = 0; i < source->conf->n_bfds; i++)
		write_session(w, source, i);
	writer_end(w);
}
