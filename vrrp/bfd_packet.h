/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control packet of Bidirectional Forwarding Detection (RFC 5880, 4.1), without authentication. Pure. */
#ifndef POISE_BFD_PACKET_H
#define POISE_BFD_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BFD_PORT 3784 /* RFC 5881, 4 */
#define BFD_PACKET_SIZE 24

struct bfd_packet {
	uint32_t state; /* enum bfd_state */
	uint32_t diagnostic;
	bool is_poll, is_final, is_demand;
	uint32_t multiplier;
	uint32_t my_discriminator, your_discriminator;
	int64_t min_tx_us, min_rx_us; /* what the sender wishes to send, and can take */
};

/* Why a packet is discarded, in the order of RFC 5880, 6.8.6 (and 5881, 5 for the first one). */
enum bfd_drop {
	BFD_DROP_NONE,
	BFD_DROP_TTL,
	BFD_DROP_VERSION,
	BFD_DROP_LENGTH,
	BFD_DROP_MULTIPLIER,
	BFD_DROP_MULTIPOINT,
	BFD_DROP_DISCRIMINATOR, /* of the sender: zero */
	BFD_DROP_STATE,         /* knows no session of ours and yet is not down */
	BFD_DROP_AUTHENTICATION,
	BFD_DROP_SESSION, /* of nobody that is configured */
	BFD_DROP_COUNT
};
/* "it was sent from another link (TTL)": for people. */
const char *bfd_drop_text(enum bfd_drop drop);

/* Takes a datagram apart. Returns BFD_DROP_NONE with *out filled, or why it is none. */
enum bfd_drop bfd_packet_decode(const uint8_t *data, size_t size, struct bfd_packet *out);
void bfd_packet_encode(const struct bfd_packet *packet, uint8_t out[BFD_PACKET_SIZE]);

#endif
