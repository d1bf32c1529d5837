/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routing rules in the words of `ip rule add`: virtual_rules and static_rules. */
#ifndef POISE_CONF_RULE_H
#define POISE_CONF_RULE_H

#include "conf_print.h"

/* Readers of one line: of an instance, outside one. */
conf_apply_fn conf_rule_virtual, conf_rule_static;
/* Prints those of an instance (CONF_NONE: of none) as a block, when there are any; keyword: of the block. */
void conf_print_rules(struct conf_printer *p, conf_index_t instance, const char *keyword);

#endif
