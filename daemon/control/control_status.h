/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status document: what the configuration says and the boards say about it, as JSON. A function of its arguments
 * alone: no clock, no socket, nothing kept. Keys are only ever added; the reference is poisectl(1).
 * A board that is missing, or of another generation, makes states "unknown" or INIT with the reason in "why". */
#ifndef POISE_CONTROL_STATUS_H
#define POISE_CONTROL_STATUS_H

#include "control_source.h"
#include "control_writer.h"

/* The whole document, as one object. */
void status_write(struct writer *w, const char *key, const struct status_source *source);

/* ---- parts, one file each ---- */
void status_write_kernel(struct writer *w, const struct status_source *source); /* "kernel" */
void status_write_health(struct writer *w, const struct status_source *source); /* "health_checks" */
/* An object in the array "checks" of a server: conf->checks[index]. */
void status_write_check(struct writer *w, const struct status_source *source, conf_index_t index);
void status_write_vrrp(struct writer *w, const struct status_source *source); /* "vrrp", "groups", "scripts" */
void status_write_bfd(struct writer *w, const struct status_source *source);  /* "bfd" */
/* "heard": the streams of advertisements that each instance heard last; a row for each sender. */
void status_write_heard(struct writer *w, const struct status_source *source);
void status_write_services(struct writer *w, const struct status_source *source); /* "services" */
/* "sysctls": the kernel settings of sysctls.h, each as it is, as it is wanted, as it was. */
void status_write_sysctls(struct writer *w, const struct status_source *source);
/* "guards": what the guard rails of each service dropped; services without any are left out. */
void status_write_guards(struct writer *w, const struct status_source *source);
/* One server as object without a key; with_service adds "service". */
void status_write_server(struct writer *w, const struct status_source *source, conf_index_t server, bool with_service);
void status_write_pair(struct writer *w, const struct status_source *source); /* "pair", "connection_sync" */
void status_write_snmp(struct writer *w, const struct status_source *source); /* "snmp" */
/* "problems": what an operator should look at, each {"object", "text"}, at most STATUS_PROBLEMS of them. */
#define STATUS_PROBLEMS 50
void status_write_problems(struct writer *w, const struct status_source *source);

#endif
