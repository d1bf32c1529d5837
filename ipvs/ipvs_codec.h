/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of the generic netlink family IPVS, to and from bytes. Pure: it knows no socket. The message passed to a
 * put function is one that netlink_batch_add() or nlmsg_alloc_simple() started. */
#ifndef POISE_IPVS_CODEC_H
#define POISE_IPVS_CODEC_H

#include "ipvs_image.h"
#include <netlink/msg.h>

/* One direction of the connection synchronisation. */
struct ipvs_daemon {
	uint32_t state; /* IP_VS_STATE_MASTER or IP_VS_STATE_BACKUP */
	uint32_t sync_id;
	char interface[IPVS_NAME_SIZE];
	/* 0 and not set: the kernel's default when it is started; the kernel's answers always have them. */
	uint16_t maxlen, port; /* port in host order */
	uint8_t ttl;
	struct addr group;
};

/* Is the running daemon the wanted one? What `wanted` leaves to the kernel is not compared. */
bool ipvs_daemon_matches(const struct ipvs_daemon *wanted, const struct ipvs_daemon *running);

/* Timeouts of the connection table in seconds. */
struct ipvs_timeouts {
	uint32_t tcp, tcp_fin, udp;
};

/* Commands (IPVS_CMD_*). Each returns 0, or -EMSGSIZE when the message has no room. */
int ipvs_codec_put_command(struct nl_msg *msg, uint8_t cmd);
/* NEW and SET carry all settings, DEL and the dump of its servers (GET_DEST) only the key. */
int ipvs_codec_put_service(struct nl_msg *msg, uint8_t cmd, const struct ipvs_service *service);
int ipvs_codec_put_dest(struct nl_msg *msg, uint8_t cmd, const struct ipvs_key *service, const struct ipvs_dest *dest);
int ipvs_codec_put_daemon(struct nl_msg *msg, uint8_t cmd, const struct ipvs_daemon *daemon);
int ipvs_codec_put_timeouts(struct nl_msg *msg, const struct ipvs_timeouts *timeouts);

/* Answers. Each returns 0 and fills all of *out (and *tally), or -EPROTO when the message is not one of its kind or
 * lacks what it must have. nlh must lie completely in memory (nlmsg_len says how much). */
int ipvs_codec_get_service(struct nlmsghdr *nlh, struct ipvs_service *out, struct ipvs_tally *tally);
int ipvs_codec_get_dest(struct nlmsghdr *nlh, uint16_t service_family, struct ipvs_dest *out, struct ipvs_tally *tally);
int ipvs_codec_get_daemon(struct nlmsghdr *nlh, struct ipvs_daemon *out);
int ipvs_codec_get_timeouts(struct nlmsghdr *nlh, struct ipvs_timeouts *out);
int ipvs_codec_get_version(struct nlmsghdr *nlh, uint32_t *version);

#endif
