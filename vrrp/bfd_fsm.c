/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BFD sessions: states, intervals, poll sequences, detection. Runs in the vrrp role; pure. It sends nothing itself. */
#include "bfd_fsm.h"
#include <stdio.h>

#define SLOW_US (1 * US_PER_S) /* RFC 5880, 6.8.3 */

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t bfd_detection_us(const struct bfd_session *session)
{
	return session->remote_multiplier * larger(session->rx_us, session->remote_min_tx_us);
}

int64_t bfd_interval_us(const struct bfd_session *session)
{
	if (session->remote_min_rx_us == 0)
		return 0;
	return larger(session->tx_us, session->remote_min_rx_us);
}

/* RFC 5880, 6.8.7: who may not speak, and when the others do. A quarter of the interval is left to chance, so that two
 * routers do not fall into step; with a multiplier of 1 the last tenth is needed. */
static void plan_packet(const struct conf_bfd *conf, struct bfd_session *session)
{
	int64_t interval = bfd_interval_us(session), from = 75, to = conf->multiplier == 1 ? 90 : 100;
	bool is_quiet = session->remote_demand && session->state == BFD_UP && session->remote_state == BFD_UP &&
			!session->is_polling;

	session->send_at = MONO_NEVER;
	if (interval == 0 || is_quiet || (conf->passive && session->remote_discriminator == 0) ||
		session->state == BFD_ADMIN_DOWN)
		return;
	interval = interval * (from * 1000 + (int64_t)(session->chance % ((uint32_t)(to - from) * 1000 + 1))) / 100000;
	session->send_at = mono_add(session->last_sent, interval);
}

/* The session is told of new own intervals. Faster sending and more patience count at once; slower sending and less
 * patience only when the neighbour has confirmed them (RFC 5880, 6.8.3). */
static void set_intervals(struct bfd_session *session, int64_t tx_us, int64_t rx_us)
{
	bool is_new = tx_us != session->desired_tx_us || rx_us != session->required_rx_us;

	session->desired_tx_us = tx_us;
	session->required_rx_us = rx_us;
	if (session->state == BFD_UP && is_new)
		session->is_polling = 1;
	if (!session->is_polling) {
		session->tx_us = tx_us;
		session->rx_us = rx_us;
		return;
	}
	if (tx_us < session->tx_us)
		session->tx_us = tx_us;
	session->rx_us = larger(session->rx_us, rx_us);
}

static void enter(const struct conf_bfd *conf, struct bfd_session *session, enum bfd_state state,
	enum bfd_diagnostic diagnostic, struct bfd_actions *actions)
{
	if (session->state == (uint32_t)state)
		return;
	actions->is_changed = true;
	actions->from = session->state;
	actions->send = true;
	session->state = state;
	session->diagnostic = diagnostic;
	if (state == BFD_INIT)
		return;
	session->is_polling = 0;
	set_intervals(session, state == BFD_UP ? conf->min_tx_us : larger(conf->idle_tx_us, SLOW_US), conf->min_rx_us);
}

/* As if it had never been heard (RFC 5880, 6.8.1). */
static void forget_neighbor(struct bfd_session *session)
{
	session->remote_state = BFD_DOWN;
	session->remote_discriminator = 0;
	session->remote_demand = 0;
	session->remote_min_rx_us = 1;
	session->remote_multiplier = 0;
	session->remote_min_tx_us = 0;
	session->expires_at = MONO_NEVER;
}

static void start(const struct conf_bfd *conf, struct bfd_session *session, const struct bfd_event *event)
{
	*session = (struct bfd_session){.state = BFD_DOWN, .discriminator = event->discriminator};
	forget_neighbor(session);
	set_intervals(session, larger(conf->idle_tx_us, SLOW_US), conf->min_rx_us);
}

/* RFC 5880, 6.2 and 6.8.6 */
static void hear(const struct conf_bfd *conf, struct bfd_session *session, const struct bfd_packet *packet,
	struct bfd_actions *actions)
{
	switch ((enum bfd_state)packet->state) {
	case BFD_ADMIN_DOWN:
		if (session->state != BFD_DOWN)
			enter(conf, session, BFD_DOWN, BFD_DIAG_NEIGHBOR, actions);
		break;
	case BFD_DOWN:
		if (session->state == BFD_DOWN)
			enter(conf, session, BFD_INIT, session->diagnostic, actions);
		else if (session->state == BFD_UP)
			enter(conf, session, BFD_DOWN, BFD_DIAG_NEIGHBOR, actions);
		break;
	case BFD_INIT:
		if (session->state != BFD_UP)
			enter(conf, session, BFD_UP, BFD_DIAG_NONE, actions);
		break;
	case BFD_UP:
		if (session->state == BFD_INIT)
			enter(conf, session, BFD_UP, BFD_DIAG_NONE, actions);
		break;
	}
}

static void take_packet(const struct conf_bfd *conf, struct bfd_session *session, const struct bfd_event *event,
	struct bfd_actions *actions)
{
	const struct bfd_packet *packet = event->packet;

	session->remote_discriminator = packet->my_discriminator;
	session->remote_state = packet->state;
	session->remote_diagnostic = packet->diagnostic;
	session->remote_demand = packet->is_demand;
	session->remote_min_rx_us = packet->min_rx_us;
	session->remote_min_tx_us = packet->min_tx_us;
	session->remote_multiplier = packet->multiplier;
	if (packet->is_final && session->is_polling) {
		session->is_polling = 0;
		session->tx_us = session->desired_tx_us;
		session->rx_us = session->required_rx_us;
	}
	hear(conf, session, packet, actions);
	if (packet->is_poll)
		actions->send = actions->is_final = true;
	session->last_heard = event->now;
	session->expires_at = mono_add(event->now, bfd_detection_us(session));
}

static void look_at_clock(const struct conf_bfd *conf, struct bfd_session *session, const struct bfd_event *event,
	struct bfd_actions *actions)
{
	if (mono_is_set(session->expires_at) && !mono_before(event->now, session->expires_at)) {
		forget_neighbor(session);
		if (session->state != BFD_DOWN)
			enter(conf, session, BFD_DOWN, BFD_DIAG_EXPIRED, actions);
	}
	if (mono_is_set(session->send_at) && !mono_before(event->now, session->send_at))
		actions->send = true;
}

/* The neighbour has noticed nothing if its last packet is not out of date yet. */
static void resume(const struct conf_bfd *conf, struct bfd_session *session, const struct bfd_event *event)
{
	if (session->state != BFD_UP || !mono_is_set(session->expires_at) ||
		!mono_before(event->now, session->expires_at)) {
		start(conf, session, event);
		return;
	}
	set_intervals(session, conf->min_tx_us, conf->min_rx_us);
}

struct bfd_actions bfd_fsm(const struct conf_bfd *conf, struct bfd_session *session, const struct bfd_event *event)
{
	struct bfd_actions actions = {0};

	switch ((enum bfd_event_kind)event->kind) {
	case BFD_EVENT_START:
		start(conf, session, event);
		actions.send = !conf->passive;
		break;
	case BFD_EVENT_RESUME:
		resume(conf, session, event);
		actions.send = session->state == BFD_UP || !conf->passive;
		break;
	case BFD_EVENT_TIMER:
		look_at_clock(conf, session, event, &actions);
		break;
	case BFD_EVENT_PACKET:
		if (session->state == BFD_ADMIN_DOWN)
			return actions;
		take_packet(conf, session, event, &actions);
		break;
	case BFD_EVENT_RELOAD:
		set_intervals(session, session->state == BFD_UP ? conf->min_tx_us : larger(conf->idle_tx_us, SLOW_US),
			conf->min_rx_us);
		/* A multiplier that changed is told with the next packet. */
		break;
	case BFD_EVENT_STOP:
		enter(conf, session, BFD_ADMIN_DOWN, BFD_DIAG_ADMIN, &actions);
		session->expires_at = MONO_NEVER;
		break;
	}
	/* Who is passive, or is asked for silence, still answers a poll. */
	if (actions.send && !actions.is_final && conf->passive && session->remote_discriminator == 0)
		actions.send = false;
	if (actions.send && !actions.is_final && session->remote_min_rx_us == 0)
		actions.send = false;
	if (actions.send || !mono_is_set(session->last_sent)) {
		session->last_sent = event->now;
		session->chance = event->chance;
	}
	plan_packet(conf, session);
	return actions;
}

struct mono bfd_deadline(const struct bfd_session *session)
{
	if (!mono_is_set(session->send_at))
		return session->expires_at;
	if (!mono_is_set(session->expires_at) || mono_before(session->send_at, session->expires_at))
		return session->send_at;
	return session->expires_at;
}

struct bfd_packet bfd_packet_of(const struct conf_bfd *conf, const struct bfd_session *session, bool is_final)
{
	return (struct bfd_packet){.state = session->state,
		.diagnostic = session->diagnostic,
		.is_poll = session->is_polling && !is_final,
		.is_final = is_final,
		.multiplier = conf->multiplier,
		.my_discriminator = session->discriminator,
		.your_discriminator = session->remote_discriminator,
		.min_tx_us = session->desired_tx_us,
		.min_rx_us = session->required_rx_us};
}

const char *bfd_why(const struct conf_bfd *conf, const struct bfd_session *session, char *buf, size_t size)
{
	char who[ADDR_TEXT];

	addr_format(&conf->neighbor, who);
	switch ((enum bfd_state)session->state) {
	case BFD_ADMIN_DOWN:
		snprintf(buf, size, "closed by this node");
		break;
	case BFD_DOWN:
		if (session->diagnostic == BFD_DIAG_EXPIRED)
			snprintf(buf, size, "%s was not heard in time", who);
		else if (session->diagnostic == BFD_DIAG_NEIGHBOR && session->remote_state == BFD_ADMIN_DOWN)
			snprintf(buf, size, "%s closed the session", who);
		else if (session->diagnostic == BFD_DIAG_NEIGHBOR)
			snprintf(buf, size, "%s says that it is down (%s)", who,
				session->remote_diagnostic == BFD_DIAG_EXPIRED ? "it does not hear this node"
									       : "it began anew");
		else
			snprintf(buf, size, "%s was not heard yet", who);
		break;
	case BFD_INIT:
		snprintf(buf, size, "%s is heard, and does not say yet that it hears this node", who);
		break;
	case BFD_UP:
		snprintf(buf, size, "%s is heard, at the latest every %lld ms", who,
			(long long)(bfd_detection_us(session) / US_PER_MS));
		break;
	}
	return buf;
}
