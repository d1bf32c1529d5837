/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel means by a bare error number, and what can be done about it. Pure. */
#ifndef POISE_IPVS_ERROR_H
#define POISE_IPVS_ERROR_H

#include "ipvs_codec.h"
#include "ipvs_image.h"
#include "ipvs_plan.h"

#define IPVS_ERROR_TEXT 160

/* The sentence for a refused operation on `service` (and `dest`, NULL for an operation on the service itself).
 * Returns buf (IPVS_ERROR_TEXT). */
const char *ipvs_error_sentence(
	enum ipvs_op_kind kind, int error, const struct ipvs_service *service, const struct ipvs_dest *dest, char *buf);

/* Does the error say that the kernel's table is not what we think it is? Then a fresh dump helps. */
bool ipvs_error_is_drift(enum ipvs_op_kind kind, int error, const struct ipvs_dest *dest);

/* Does it (-errno) stay as it is until somebody does something about it? */
bool ipvs_error_is_lasting(int error);

/* Why IPVS cannot be used at all, for -errno of ipvs_kernel_resolve(). Returns buf (IPVS_ERROR_TEXT). */
const char *ipvs_error_unusable(int error, char *buf);

/* The sentence for a synchronisation daemon that did not start or stop. Returns buf (IPVS_ERROR_TEXT). */
const char *ipvs_error_daemon(int error, const struct ipvs_daemon *daemon, char *buf);

#endif
