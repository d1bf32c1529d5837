/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The second part of conf_finish(). */
#ifndef POISE_CONF_FINISH_H
#define POISE_CONF_FINISH_H

#include "conf_load.h"

/* Completes services, servers and checks. */
void conf_finish_services(struct conf_load *load);

#endif
