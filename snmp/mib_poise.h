/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of POISE-MIB that lie in files of their own. */
#ifndef POISE_SNMP_MIB_POISE_H
#define POISE_SNMP_MIB_POISE_H

#include "mib.h"

#define POISE_TABLE(name)                                                                                              \
	extern const uint16_t poise_##name##_columns[];                                                                \
	bool poise_##name##_value(                                                                                     \
		const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v)
#define POISE_ROWS(name) void poise_##name##_rows(const struct mib_view *view, struct mib_rows *rows)

/* mib_poise_service.c */
POISE_TABLE(service);
POISE_ROWS(service);
POISE_TABLE(server);
POISE_ROWS(server);
POISE_TABLE(check);
POISE_ROWS(check);
POISE_TABLE(drain);
POISE_ROWS(drain);

/* mib_poise_work.c; all but the last are scalars */
POISE_TABLE(sync);
POISE_TABLE(kernel);
POISE_TABLE(checking);
POISE_TABLE(traps);
POISE_TABLE(receiver);
POISE_ROWS(receiver);

#endif
