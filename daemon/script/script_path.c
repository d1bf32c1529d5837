/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the program of a command and looks at who may change it; runs in the script process before a fork. It opens and
 * runs nothing. */
#include "script_path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40

int script_path_find(const char *word, char *path, char *why)
{
	const char *dir = SCRIPT_PATH;
	struct stat st;

	if (strchr(word, '/')) {
		snprintf(path, PATH_MAX, "%s", word);
		if (stat(path, &st) == 0)
			return 0;
		snprintf(why, PATH_WHY_SIZE, "%.100s: %s", word, strerror(errno));
		return -1;
	}
	while (*dir) {
		int length = (int)strcspn(dir, ":");

		snprintf(path, PATH_MAX, "%.*s/%s", length, dir, word);
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0)
			return 0;
		dir += length + (dir[length] == ':');
	}
	snprintf(why, PATH_WHY_SIZE, "%.60s: no such program in " SCRIPT_PATH, word);
	return -1;
}

/* Replaces the link that path[0..end) is by what it points to; the rest of the path stays behind it. */
static int follow(char *path, size_t start, size_t end)
{
	char target[PATH_MAX], rest[PATH_MAX], whole[PATH_MAX];
	char saved = path[end];
	ssize_t n;
	int length;

	path[end] = '\0';
	n = readlink(path, target, sizeof(target) - 1);
	path[end] = saved;
	if (n < 0)
		return -1;
	target[n] = '\0';
	snprintf(rest, sizeof(rest), "%s", path + end);
	/* A relative target counts from the folder that the link is in. */
	if (target[0] == '/')
		start = 0;
	length = snprintf(whole, sizeof(whole), "%.*s%s%s", (int)start, path, target, rest);
	if (length < 0 || length >= PATH_MAX)
		return -1;
	memcpy(path, whole, (size_t)length + 1);
	return 0;
}

static int judge(const char *part, const struct stat *st, char *why)
{
	/* Nobody can write into a link; who owns its folder decides, and that is looked at too. */
	mode_t others = S_ISLNK(st->st_mode) ? 0 : st->st_mode & (st->st_gid ? S_IWGRP | S_IWOTH : S_IWOTH);

	if (st->st_uid == 0 && !others)
		return 0;
	if (st->st_uid != 0)
		snprintf(why, PATH_WHY_SIZE, "%.100s belongs to uid %u, not to root", part, st->st_uid);
	else
		snprintf(why, PATH_WHY_SIZE, "%.100s can be written by others than root", part);
	return -1;
}

/* Looks at the file or folder that path[0..end) names. */
static int look(char *path, size_t end, struct stat *st, char *why)
{
	char saved = path[end];
	int rc;

	path[end] = '\0';
	rc = lstat(path, st);
	if (rc < 0)
		snprintf(why, PATH_WHY_SIZE, "%.100s: %s", path, strerror(errno));
	else
		rc = judge(path, st, why);
	path[end] = saved;
	return rc;
}

int script_path_check(const char *given, char *why)
{
	char path[PATH_MAX];
	size_t start = 1; /* of the part that is looked at */
	struct stat st;
	int links = 0;

	if (given[0] != '/' || strlen(given) >= sizeof(path)) {
		snprintf(why, PATH_WHY_SIZE, "%.100s is not an absolute path", given);
		return -1;
	}
	memcpy(path, given, strlen(given) + 1);
	if (look(path, 1, &st, why) < 0)
		return -1;
	while (path[start]) {
		size_t end = start + strcspn(path + start, "/");

		if (end == start) {
			start++;
			continue;
		}
		if (look(path, end, &st, why) < 0)
			return -1;
		if (!S_ISLNK(st.st_mode)) {
			start = end;
			continue;
		}
		if (++links > LINKS_MAX || follow(path, start, end) < 0) {
			snprintf(why, PATH_WHY_SIZE, "%.100s: a link that leads nowhere", given);
			return -1;
		}
		start = 1;
	}
	return 0;
}
