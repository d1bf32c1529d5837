/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that is about to be filled, with fewer page faults. */
#ifndef POISE_PAGES_H
#define POISE_PAGES_H

#include <stddef.h>
#include <stdint.h>

/* How many elements of this size a growing array should have room for next. */
uint32_t pages_more_room(uint32_t room, size_t size);

/* Has the kernel provide the pages of fresh memory at once: each by itself, when it is touched, costs several times as
 * much, and a hundred times under some hypervisors. Little memory is left alone. It promises nothing. */
void pages_ready(void *from, size_t size);

#endif
