/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `poisectl save`: makes the configuration file say what runs. The new text lies beside the file first; only when the
 * daemon says that it would change nothing does it take the file's place. The former file is kept as FILE.old. */
#include "ctl.h"
#include "edit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LIMIT (64u << 20)

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	struct stat st;

	if (file && fstat(fileno(file), &st) == 0 && st.st_size < FILE_LIMIT)
		text = calloc(1, (size_t)st.st_size + 1);
	if (text && fread(text, 1, (size_t)st.st_size, file) != (size_t)st.st_size) {
		free(text);
		text = NULL;
	}
	if (file)
		fclose(file);
	return text;
}

/* With the owner and the mode of the file that it will replace. Returns 0 or -errno. */
static int write_beside(const char *path, const char *like, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t length = strlen(text);
	struct stat st;
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (stat(like, &st) < 0 || fchown(fd, st.st_uid, st.st_gid) < 0 || fchmod(fd, st.st_mode & 07777) < 0 ||
		write(fd, text, length) != (ssize_t)length || fsync(fd) < 0)
		rc = -(errno ? errno : EIO);
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	return rc;
}

static struct json_object *find_service(struct json_object *status, const char *name)
{
	for (size_t i = 0; i < json_count(status, "services"); i++)
		if (strcmp(json_text(json_element(status, "services", i), "name"), name) == 0)
			return json_element(status, "services", i);
	return NULL;
}

/* "10.1.0.7:80", "[2001:db8::7]:80" into address and port. */
static bool split_server(const char *server, char *address, size_t size, long *port)
{
	const char *colon = strrchr(server, ':');
	size_t length = colon ? (size_t)(colon - server) : strlen(server);

	*port = colon && colon[-1] != ':' ? strtol(colon + 1, NULL, 10) : 0;
	if (*server == '[' && length > 2) {
		server++;
		length -= 2;
	}
	if (length >= size)
		return false;
	memcpy(address, server, length);
	address[length] = '\0';
	return true;
}

/* Applies the pool's changes to the text, the last service first, so that line numbers stay true. */
static char *edit_all(struct json_object *status, char *text, const char *file)
{
	char error[EDIT_ERROR_SIZE], address[64];

	for (long limit = LONG_MAX, line; limit > 0; limit = line) {
		line = 0;
		for (size_t i = 0; i < json_count(status, "pool"); i++) {
			long at = json_number(
				find_service(status, json_text(json_element(status, "pool", i), "service")), "line");

			if (at < limit && at > line)
				line = at;
		}
		for (size_t i = 0; line > 0 && i < json_count(status, "pool"); i++) {
			struct json_object *c = json_element(status, "pool", i);
			struct edit change = {.address = address,
				.is_removed = strcmp(json_text(c, "change"), "removed") == 0,
				.weight = json_has(c, "weight") ? json_number(c, "weight") : -1};
			char *next;

			if (json_number(find_service(status, json_text(c, "service")), "line") != line ||
				!split_server(json_text(c, "server"), address, sizeof(address), &change.port))
				continue;
			next = edit_pool(text, line, &change, error);
			if (!next) {
				ctl_fail(CTL_FAILED,
					"%s:%ld: %s of %s, %s: %s: change the file by hand, then 'poisectl reload'",
					file, line, json_text(c, "server"), json_text(c, "service"),
					json_text(c, "change"), error);
				free(text);
				return NULL;
			}
			free(text);
			text = next;
		}
	}
	return text;
}

/* The daemon reads the new file and says whether it is what runs. */
static int verify(struct client *client, const char *path)
{
	struct json_object *request = ctl_request("plan", NULL, NULL), *result;
	enum client_result rc;
	bool same;

	json_object_object_add(request, "file", json_object_new_string(path));
	rc = client_ask(client, request, CTL_RELOAD_PATIENCE_US, &result);
	same = strcmp(json_text(json_member(result, "plan"), "verdict"), "nothing") == 0;
	json_object_put(request);
	json_object_put(result);
	if (rc != CLIENT_OK)
		return ctl_fail_asked(client, rc);
	if (!same)
		return ctl_fail(CTL_FAILED,
			"%s: is not what runs: nothing was replaced; 'poisectl plan %s' shows the difference", path,
			path);
	return CTL_DONE;
}

static int replace(struct client *client, const char *file, const char *text)
{
	char path[PATH_MAX], old[PATH_MAX];
	int rc;

	if (snprintf(path, sizeof(path), "%s.new", file) >= (int)sizeof(path) ||
		snprintf(old, sizeof(old), "%s.old", file) >= (int)sizeof(old))
		return ctl_fail(CTL_FAILED, "%s: the name is too long", file);
	rc = write_beside(path, file, text);
	if (rc < 0)
		return ctl_fail(CTL_FAILED, "%s: %s", path, strerror(-rc));
	rc = verify(client, path);
	if (rc != CTL_DONE)
		return rc;
	unlink(old);
	if ((link(file, old) < 0 && errno != ENOENT) || rename(path, file) < 0)
		return ctl_fail(CTL_FAILED, "%s: %m", file);
	printf("%s says what runs; the former file is %s\n", file, old);
	return CTL_DONE;
}

/* The daemon takes note that the file says all. */
static int note(struct client *client)
{
	struct json_object *request = ctl_request("reload", NULL, NULL), *result;
	enum client_result rc = client_ask(client, request, CTL_RELOAD_PATIENCE_US, &result);

	json_object_put(request);
	json_object_put(result);
	return rc == CLIENT_OK ? CTL_DONE : ctl_fail_asked(client, rc);
}

int run_save(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	struct json_object *request = ctl_request("status", NULL, NULL), *status, *configuration;
	enum client_result rc = client_ask(client, request, CTL_PATIENCE_US, &status);
	const char *file, *applied;
	char *text;
	int exit_status = CTL_FAILED;

	(void)command;
	(void)options;
	json_object_put(request);
	if (rc != CLIENT_OK)
		return ctl_fail_asked(client, rc);
	configuration = json_member(status, "configuration");
	file = json_text(configuration, "file");
	applied = json_text(configuration, "applied");
	if (strcmp(json_text(configuration, "disk"), "changed") == 0) {
		ctl_fail(CTL_FAILED,
			"%s was written to since it was loaded: 'poisectl plan' shows in what, 'poisectl reload' "
			"takes it",
			file);
	} else if (!*applied && json_number(configuration, "pool_changes") == 0) {
		printf("%s says what runs already\n", file);
		exit_status = CTL_DONE;
	} else {
		text = read_file(*applied ? applied : file);
		if (!text)
			ctl_fail(CTL_FAILED, "%s: %m", *applied ? applied : file);
		else if ((text = edit_all(status, text, *applied ? applied : file)))
			exit_status = replace(client, file, text);
		free(text);
		if (exit_status == CTL_DONE)
			exit_status = note(client);
	}
	json_object_put(status);
	return exit_status;
}
