/* SPDX-License-Identifier: GPL-2.0-or-later */
/* auth_hmac of an instance, after the whole file was read. */
#ifndef POISE_CONF_HMAC_H
#define POISE_CONF_HMAC_H

#include "conf_directive.h"
#include "conf_load.h"

extern const struct conf_block conf_hmac_block;

/* Makes CONF_AUTH_HMAC of an instance that has an auth_hmac block (an authentication block gives way), sets what was
 * left to its default, and refuses one that could not sign. Interval and strictness are settled before. */
void conf_hmac_finish(struct conf_load *load, conf_index_t instance);

#endif
