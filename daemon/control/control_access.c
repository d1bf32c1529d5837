/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decides which local user may change things; runs in the control process. It never trusts what a client says about
 * itself and never opens a file after start: the user database is read before privileges are dropped. */
#include "control_access.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASSWD_LIMIT (4 << 20)
#define GROUPS_LIMIT 1024

static char *read_text(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && st.st_size < PASSWD_LIMIT) {
		text = malloc((size_t)st.st_size + 1);
		if (text)
			n = read(fd, text, (size_t)st.st_size);
	}
	close(fd);
	if (n < 0) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

void access_load(struct access *access)
{
	struct group *group = getgrnam(ACCESS_GROUP);

	access->has_group = group != NULL;
	access->group = group ? group->gr_gid : 0;
	access->passwd = read_text("/etc/passwd");
}

void access_free(struct access *access)
{
	free(access->passwd);
	access->passwd = NULL;
}

bool access_allows(const struct access *access, uid_t uid, gid_t gid, const gid_t *groups, size_t n_groups)
{
	if (uid == 0)
		return true;
	if (!access->has_group)
		return false;
	if (gid == access->group)
		return true;
	for (size_t i = 0; i < n_groups; i++) {
		if (groups[i] == access->group)
			return true;
	}
	return false;
}

void access_user_name(const char *passwd, uid_t uid, char name[ACCESS_NAME_SIZE])
{
	const char *line = passwd;

	snprintf(name, ACCESS_NAME_SIZE, "uid %u", uid);
	while (line && *line) {
		/* name:password:uid:... */
		size_t length = strcspn(line, ":\n"), second = length;
		const char *end = line + strcspn(line, "\n");
		unsigned number;

		if (line[length] == ':')
			second += 1 + strcspn(line + length + 1, ":\n");
		if (line[second] == ':' && length > 0 && length < ACCESS_NAME_SIZE &&
			sscanf(line + second, ":%u:", &number) == 1 && number == uid) {
			memcpy(name, line, length);
			name[length] = '\0';
			return;
		}
		line = *end ? end + 1 : end;
	}
}

int access_identify(const struct access *access, int fd, struct access_peer *peer)
{
	gid_t groups[GROUPS_LIMIT];
	socklen_t groups_length = sizeof(groups);
	struct ucred cred;
	socklen_t length = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &length) < 0)
		return -errno;
	/* A process in more groups than that is judged by its first group alone. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &groups_length) < 0)
		groups_length = 0;
	peer->uid = cred.uid;
	peer->gid = cred.gid;
	peer->pid = cred.pid;
	peer->may_change = access_allows(access, cred.uid, cred.gid, groups, groups_length / sizeof(groups[0]));
	access_user_name(access->passwd, cred.uid, peer->name);
	return 0;
}
