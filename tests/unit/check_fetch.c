/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are fetched by threads: what comes of them, and that a file system which does not answer holds up nobody
 * but those who ask for the same folder. */
#include "fetch.h"
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#define MANY 20

static char folder[] = "/tmp/check_fetch.XXXXXX";
static struct loop *loop;
static struct fetcher *fetcher;

struct seen {
	int done, error;
	bool had_descriptor;
	char text[FETCH_TEXT_SIZE + 1];
};

static const char *in_folder(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(in_folder(name), "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static void setup(void)
{
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	loop = loop_new();
	fetcher = fetcher_new(loop);
	ck_assert_ptr_nonnull(fetcher);
}

static void teardown(void)
{
	char command[300];

	fetcher_free(fetcher);
	loop_free(loop);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static void on_done(void *arg, const struct fetched *file)
{
	struct seen *seen = arg;
	struct stat st;

	seen->done++;
	seen->error = file->error;
	seen->had_descriptor = file->fd >= 0 && fstat(file->fd, &st) == 0 && S_ISREG(st.st_mode);
	memcpy(seen->text, file->text, file->length);
	seen->text[file->length] = '\0';
}

/* Until it is done. */
static void wait_for(const struct seen *seen)
{
	for (int i = 0; i < 300 && !seen->done; i++)
		ck_assert_int_ge(sd_event_run(loop_sd_event(loop), 100000), 0);
	ck_assert_int_eq(seen->done, 1);
}

static void fetch_one(enum fetch_kind kind, const char *path, int fd, struct seen *seen)
{
	*seen = (struct seen){0};
	ck_assert_ptr_nonnull(fetch_begin(fetcher, kind, path, fd, on_done, seen));
	ck_assert_int_eq(seen->done, 0);
	wait_for(seen);
}

START_TEST(a_file_is_read)
{
	struct seen seen;

	write_file("state", "50 percent\n");
	fetch_one(FETCH_READ, in_folder("state"), -1, &seen);
	ck_assert_int_eq(seen.error, 0);
	ck_assert_str_eq(seen.text, "50 percent\n");
	ck_assert(!seen.had_descriptor);
}
END_TEST

START_TEST(a_descriptor_is_read)
{
	struct seen seen;

	write_file("state", "lent\n");
	fetch_one(FETCH_READ, in_folder("state"), open(in_folder("state"), O_RDONLY | O_CLOEXEC), &seen);
	ck_assert_int_eq(seen.error, 0);
	ck_assert_str_eq(seen.text, "lent\n");
}
END_TEST

START_TEST(a_file_is_opened)
{
	struct seen seen;

	write_file("state", "x");
	fetch_one(FETCH_OPEN, in_folder("state"), -1, &seen);
	ck_assert_int_eq(seen.error, 0);
	ck_assert(seen.had_descriptor);
	ck_assert_str_eq(seen.text, "");
}
END_TEST

START_TEST(what_is_no_file_is_not_read)
{
	struct seen seen;

	fetch_one(FETCH_READ, in_folder("none"), -1, &seen);
	ck_assert_int_eq(seen.error, -ENOENT);
}
END_TEST

START_TEST(a_pipe_is_not_waited_for)
{
	struct seen seen;

	ck_assert_int_eq(mkfifo(in_folder("pipe"), 0600), 0);
	fetch_one(FETCH_OPEN, in_folder("pipe"), -1, &seen);
	ck_assert_int_eq(seen.error, -ENOTSUP);
	ck_assert(!seen.had_descriptor);
}
END_TEST

START_TEST(folders_are_compared_by_name)
{
	ck_assert(fetch_is_same_folder("/mnt/a/one", "/mnt/a/two"));
	ck_assert(!fetch_is_same_folder("/mnt/a/one", "/mnt/ab/one"));
	ck_assert(!fetch_is_same_folder("/mnt/a/one", "/mnt/a/b/one"));
	ck_assert(!fetch_is_same_folder("/mnt/one", "/mnt/a/one"));
	ck_assert(!fetch_is_same_folder("one", "two"));
	ck_assert(fetch_is_same_folder("/one", "/two"));
}
END_TEST

/* A file system of user space whose server never answers: the descriptor, -1 where that cannot be had. */
static int mount_dead(const char *where)
{
	char options[80];
	int fd;

	if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return -1;
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -1;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=%d,group_id=%d", fd, (int)getuid(),
		(int)getgid());
	mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	if (mount("dead", where, "fuse", MS_NODEV | MS_NOSUID, options) == 0)
		return fd;
	close(fd);
	return -1;
}

START_TEST(a_file_system_that_does_not_answer)
{
	struct seen stuck[MANY] = {{0}}, seen = {0};
	struct fetch *waiting[MANY];
	char path[300];
	int server;

	write_file("state", "here\n");
	ck_assert_int_eq(mkdir(in_folder("dead"), 0700), 0);
	snprintf(path, sizeof(path), "%s/dead/state", folder);
	server = mount_dead(in_folder("dead"));
	if (server < 0)
		return; /* no such file system here, or not for us: the lab has one */
	for (int i = 0; i < MANY; i++) {
		waiting[i] = fetch_begin(fetcher, i % 2 ? FETCH_OPEN : FETCH_READ, path, -1, on_done, &stuck[i]);
		ck_assert_ptr_nonnull(waiting[i]);
	}
	fetch_one(FETCH_READ, in_folder("state"), -1, &seen);
	ck_assert_str_eq(seen.text, "here\n");
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(stuck[i].done, 0);
	/* One that is out and many that wait are of no interest any more; the one that is comes to its end. */
	for (int i = 0; i < MANY; i++) {
		if (i != 2)
			fetch_cancel(waiting[i]);
	}
	close(server);
	wait_for(&stuck[2]);
	ck_assert_int_lt(stuck[2].error, 0);
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(stuck[i].done, i == 2);
	ck_assert_int_eq(umount2(in_folder("dead"), MNT_DETACH), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fetch");
	TCase *tc = tcase_create("fetch");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_file_is_read);
	tcase_add_test(tc, a_descriptor_is_read);
	tcase_add_test(tc, a_file_is_opened);
	tcase_add_test(tc, what_is_no_file_is_not_read);
	tcase_add_test(tc, a_pipe_is_not_waited_for);
	tcase_add_test(tc, folders_are_compared_by_name);
	tcase_add_test(tc, a_file_system_that_does_not_answer);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
