/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BFD packets of a hostile neighbour, one after the other, with time between them. The first byte of each piece says
 * how much time; what is accepted is encoded to what it was, and no deadline is left in the past for ever. */
#include "../../vrrp/bfd_fsm.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PIECE (1 + BFD_PACKET_SIZE)

static void check_codec(const uint8_t *data, const struct bfd_packet *packet)
{
	uint8_t out[BFD_PACKET_SIZE];

	bfd_packet_encode(packet, out);
	/* But for the control plane bit, the length, and the echo interval, of which nothing is kept. */
	if (out[0] != data[0] || out[1] != (data[1] & ~8) || out[2] != data[2] || memcmp(out + 4, data + 4, 16) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_bfd conf = {
		.min_rx_us = 10000, .min_tx_us = 10000, .idle_tx_us = US_PER_S, .multiplier = 5, .passive = size & 1};
	struct bfd_session session;
	struct bfd_event event = {.kind = BFD_EVENT_START, .now = {US_PER_S}, .discriminator = 7};

	bfd_fsm(&conf, &session, &event);
	while (size > 0) {
		size_t piece = size < PIECE ? size : PIECE;
		uint8_t *exact = malloc(piece);
		struct bfd_packet packet;

		memcpy(exact, data, piece);
		event.now = mono_add(event.now, (int64_t)exact[0] * exact[0] * 1000);
		event.chance = exact[0] * 2654435761u;
		event.kind = BFD_EVENT_TIMER;
		bfd_fsm(&conf, &session, &event);
		if (mono_is_set(session.expires_at) && !mono_before(event.now, session.expires_at))
			abort();
		event.kind = BFD_EVENT_PACKET;
		event.packet = &packet;
		if (bfd_packet_decode(exact + 1, piece - 1, &packet) == BFD_DROP_NONE) {
			check_codec(exact + 1, &packet);
			bfd_fsm(&conf, &session, &event);
			if (session.state > BFD_UP || session.state == BFD_ADMIN_DOWN ||
				bfd_detection_us(&session) <= 0)
				abort();
		}
		free(exact);
		data += piece;
		size -= piece;
	}
	return 0;
}
