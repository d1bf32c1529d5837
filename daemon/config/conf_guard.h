/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ranges of addresses as text. */
#ifndef POISE_CONF_GUARD_H
#define POISE_CONF_GUARD_H

#include "addr.h"
#include <stdbool.h>

/* ADDRESS, ADDRESS-LAST, ADDRESS-ADDRESS or ADDRESS/PREFIX; false for anything else. */
bool conf_range_read(const char *text, struct addr *first, struct addr *last);

#endif
