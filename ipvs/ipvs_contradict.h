/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which values kernel settings shall have for the configuration, and which contradict it. Pure. */
#ifndef POISE_IPVS_CONTRADICT_H
#define POISE_IPVS_CONTRADICT_H

#include "conf.h"
#include "status.h"

/* What the configuration asks for: lvs_sysctl, or else what connection_sync full needs. False when it asks for nothing.
 */
bool ipvs_setting_wanted(const struct conf *conf, uint32_t number, int64_t *value);
/* Is it one that connection_sync full needs? */
bool ipvs_setting_of_sync(uint32_t number, int64_t *value);

/* The sentence with the remedy for a setting (number and packed value of sysctls.h), or "". why has WHY_SIZE bytes. */
void ipvs_contradict(const struct conf *conf, uint32_t number, int64_t value, char *why);

#endif
