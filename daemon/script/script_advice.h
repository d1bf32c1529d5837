/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an operator should know about the scripts of a new generation, in log lines. */
#ifndef POISE_SCRIPT_ADVICE_H
#define POISE_SCRIPT_ADVICE_H

#include "conf.h"

/* Warns of scripts that run as root because nobody said otherwise, and of programs that run as root and could be
 * changed by others (unless enable_script_security refuses those anyway). Looks at files; call it once for a
 * generation. */
void script_advise(const struct conf *conf);

#endif
