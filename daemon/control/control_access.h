/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may do what on the socket of poisectl: everybody who can open it (the parent gives it to group poise) may look;
 * root, and those who are in group poise-admin too, may change things. The kernel says who the peer is (SO_PEERCRED,
 * SO_PEERGROUPS); nothing that a client writes about itself is believed. */
#ifndef POISE_CONTROL_ACCESS_H
#define POISE_CONTROL_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define ACCESS_GROUP "poise-admin"
#define ACCESS_NAME_SIZE 64

/* What was read from the user database before the process lost the right to look there. */
struct access {
	bool has_group;
	gid_t group;
	char *passwd; /* text of /etc/passwd, for names in log lines; NULL when it could not be read */
};

struct access_peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	bool may_change;
	char name[ACCESS_NAME_SIZE]; /* "root", or "uid 4711" when the name is not known */
};

/* Reads group and names. Call it before privileges are dropped; never fails (then only root may change things). */
void access_load(struct access *access);
void access_free(struct access *access);

/* Pure: may this uid with these groups change things? */
bool access_allows(const struct access *access, uid_t uid, gid_t gid, const gid_t *groups, size_t n_groups);
/* Pure: finds the name of a uid in the text of a passwd file. Writes "uid N" when it is not there. */
void access_user_name(const char *passwd, uid_t uid, char name[ACCESS_NAME_SIZE]);

/* Asks the kernel who is at the other end of a connected unix socket. Returns 0 or -errno. */
int access_identify(const struct access *access, int fd, struct access_peer *peer);

#endif
