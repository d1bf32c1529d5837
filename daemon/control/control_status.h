/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status document: what the configuration says and the boards say about it, as JSON. A function of its arguments
 * alone: no clock, no socket, nothing kept. Keys are only ever added; the reference is poisectl(1).
 * A board that is missing, or of another generation, makes states "unknown" or INIT with the reason in "why". */
#ifndef POISE_CONTROL_STATUS_H
#define POISE_CONTROL_STATUS_H

#include "board.h"
#include "conf.h"
#include "control_writer.h"
#include "status.h"

struct status_source {
	const struct conf *conf;     /* NULL before the first generation */
	struct board *const *boards; /* ROLE_COUNT of them, NULL while there is none */
	int64_t disk_mtime_real_us;  /* of the configuration file now; 0 = not known */
	bool origins_changed;        /* a file that it includes is not the one that was read */
};

/* True when every board that is there speaks of the configuration's generation. It is false for some milliseconds in
 * the middle of a reload; a caller that can wait should. */
bool status_is_settled(const struct status_source *source);

/* The whole document, as one object. */
void status_write(struct writer *w, const char *key, const struct status_source *source);

/* ---- parts, one file each ---- */
/* Copies a record of a role's board. False when there is none of this generation; *record is zeroed then. */
bool status_load(
	const struct status_source *source, enum role role, unsigned table, uint32_t index, void *record, size_t size);
/* The same for what lies in parts, or has another meaning than zeros when it was never stored. */
bool status_find_server(const struct status_source *source, conf_index_t server, struct status_server *status);
void status_find_admin(const struct status_source *source, conf_index_t server, struct status_admin *admin);
/* Why status_load() said false: "ipvs is not running", "healthcheck has not switched to generation 4 yet". */
const char *status_absence(const struct status_source *source, enum role role, char why[WHY_SIZE]);

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
