/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells FIFOs and people of what happens: reads the event rings of vrrp and ipvs in order. */
#ifndef POISE_SCRIPT_TELL_H
#define POISE_SCRIPT_TELL_H

#include "role.h"

struct script_teller;

struct script_teller *script_teller_new(struct role_process *p); /* NULL when out of memory */
/* A new generation is in force (p->conf still the old one): opens and closes FIFOs. Fills the record of `fresh`. */
void script_teller_switch(struct script_teller *teller, const struct conf *next, struct board *fresh);
/* There are events on the board of this role. */
void script_teller_events(struct script_teller *teller, enum role role);
/* The process ends: tells what is there, and closes. */
void script_teller_end(struct script_teller *teller);

#endif
