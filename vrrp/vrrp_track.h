/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is tracked and how it is: interfaces from the kernel's image, scripts, processes and files from the board of the
 * script role, services from the board of the ipvs role, BFD sessions from the own board. What follows from it is decided in vrrp_priority.c. */
#ifndef POISE_VRRP_TRACK_H
#define POISE_VRRP_TRACK_H

#include "conf.h"
#include "status.h"
#include "vrrp_link.h"
#include "vrrp_priority.h"

struct vrrp_tracks {
	struct vrrp_seen *seen;         /* conf->n_tracks */
	struct status_track *status;    /* conf->n_tracks */
	struct status_script *scripts;  /* conf->n_scripts: the last known results; result SCRIPT_UNKNOWN = none yet */
	struct status_watch *processes; /* conf->n_processes: the same, is_known = 0 */
	struct status_watch *files;     /* conf->n_files */
};

/* Takes the memory. Returns 0 or -ENOMEM. */
int vrrp_tracks_init(struct vrrp_tracks *tracks, const struct conf *conf);
void vrrp_tracks_free(struct vrrp_tracks *tracks);
/* What was known under the old generation goes on, by name, until the boards of the new one are there. */
void vrrp_tracks_take_over(struct vrrp_tracks *tracks, const struct conf *conf, const struct vrrp_tracks *old,
	const struct conf *old_conf);

/* What there is to look at; boards may be NULL. */
struct vrrp_sight {
	const struct conf *conf;
	const struct links *links;
	const struct board *script;
	const struct board *ipvs;
	const struct board *vrrp; /* the own one: BFD sessions */
	int64_t real_now_us;
};
/* Looks at everything; report is called for each track whose record changed. */
typedef void vrrp_track_report_fn(void *arg, uint32_t index);
void vrrp_tracks_look(
	struct vrrp_tracks *tracks, const struct vrrp_sight *sight, vrrp_track_report_fn *report, void *arg);

/* "script chk_nginx", "interface eth2", "service 10.0.0.1:80/tcp" */
const char *vrrp_track_name(const struct conf *conf, conf_index_t track, char *buf, size_t size);

#endif
