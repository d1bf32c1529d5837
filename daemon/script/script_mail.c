/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends mail for the script role by running poise-mail, which speaks SMTP, once for each mail. The queue is bounded and
 * a mail is given up after a quarter of an hour: an alert that comes a day late alarms the wrong people. */
#include "script_mail.h"

#include "log.h"
#include "script_spawn.h"
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAILS_MAX 256
#define RECIPIENTS_MAX 24
/* Pauses before the second, third ... try. */
static const int64_t pauses_us[] = {10 * US_PER_S, 60 * US_PER_S, 240 * US_PER_S, 600 * US_PER_S};
#define TRIES (1 + sizeof(pauses_us) / sizeof(*pauses_us))

struct mail {
	struct mail *next;
	char *text, *to; /* addresses, one a line */
	char url[512], from[256], timeout[16];
	unsigned tries;
};

struct script_mails {
	struct role_process *role;
	uint64_t *sent, *lost;
	struct mail *first, **last;
	unsigned n;
	struct spawn spawn;
	struct timer again;
};

static void free_mail(struct mail *mail)
{
	free(mail->text);
	free(mail->to);
	free(mail);
}

static struct mail *take_first(struct script_mails *mails)
{
	struct mail *mail = mails->first;

	mails->first = mail->next;
	if (!mails->first)
		mails->last = &mails->first;
	mails->n--;
	return mail;
}

/* poise-mail lies beside this program. */
static int find_program(char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 16);
	char *slash;

	if (n < 0)
		return -1;
	path[n] = '\0';
	slash = strrchr(path, '/');
	strcpy(slash ? slash + 1 : path, "poise-mail");
	return access(path, X_OK);
}

static int text_file(const char *text)
{
	int fd = memfd_create("mail", MFD_CLOEXEC);
	size_t length = strlen(text), done = 0;

	while (fd >= 0 && done < length) {
		ssize_t n = write(fd, text + done, length - done);

		if (n <= 0) {
			close(fd);
			return -1;
		}
		done += (size_t)n;
	}
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

static void start_next(struct script_mails *mails);

static void on_again(struct timer *timer, void *arg)
{
	(void)timer;
	start_next(arg);
}

static void failed(struct script_mails *mails, const char *why)
{
	struct mail *mail = mails->first;

	if (mail->tries < TRIES) {
		log_warning("mail: not taken by %s: %s: trying again in %lld s, %u mails wait", mail->url, why,
			(long long)(pauses_us[mail->tries - 1] / US_PER_S), mails->n);
		loop_timer_set(mails->role->loop, &mails->again, mono_add(mono_now(), pauses_us[mail->tries - 1]));
		return;
	}
	++*mails->lost;
	log_error("mail: given up after %u tries: %s: %s (check smtp_server)", mail->tries, mail->url, why);
	free_mail(take_first(mails));
	start_next(mails);
}

static void on_end(pid_t pid, const siginfo_t *info, void *arg)
{
	struct script_mails *mails = arg;
	char why[SPAWN_WHY_SIZE];

	(void)pid;
	if (spawn_finish(&mails->spawn, info, why) != 0) {
		failed(mails, why);
		return;
	}
	++*mails->sent;
	log_debug("mail: sent to %s", mails->first->url);
	free_mail(take_first(mails));
	start_next(mails);
}

static int run(struct script_mails *mails, struct mail *mail, char *why)
{
	const char *argv[10 + 2 * RECIPIENTS_MAX] = {"poise-mail", "--url", mail->url, "--from", mail->from,
		"--timeout", mail->timeout, "--user", getpwnam("poise") ? "poise" : "nobody"};
	char path[PATH_MAX], *copy = strdup(mail->to), *save, *to;
	int n = 9, input = text_file(mail->text), result = -1;

	snprintf(why, SPAWN_WHY_SIZE, "poise-mail is not installed beside poise-script");
	for (to = copy ? strtok_r(copy, "\n", &save) : NULL; to && n < 9 + 2 * RECIPIENTS_MAX;
		to = strtok_r(NULL, "\n", &save)) {
		argv[n++] = "--to";
		argv[n++] = to;
	}
	argv[n] = NULL;
	if (copy && input >= 0 && find_program(path) == 0)
		result = spawn_own(&mails->spawn, path, argv, input, why);
	if (input >= 0)
		close(input);
	free(copy);
	return result;
}

static void start_next(struct script_mails *mails)
{
	char why[SPAWN_WHY_SIZE];

	if (!mails->first || mails->spawn.pid > 0 || mails->again.slot)
		return;
	mails->first->tries++;
	if (run(mails, mails->first, why) < 0) {
		failed(mails, why);
		return;
	}
	if (loop_child_add(mails->role->loop, mails->spawn.pid, on_end, mails) == 0)
		return;
	spawn_abandon(&mails->spawn);
	failed(mails, "out of descriptors");
}

/* Of `smtp_server ADDRESS [PORT]`. An IPv6 address stands in brackets in a URL. */
static void make_url(struct mail *mail, const struct conf *conf)
{
	char host[256] = "127.0.0.1";
	const char *helo = conf_string(conf, conf->global->smtp_helo_name);
	unsigned port = 25;
	char own[65] = "localhost";
	bool is_six;

	sscanf(conf_string(conf, conf->global->smtp_server), "%255s %u", host, &port);
	is_six = strchr(host, ':') != NULL && host[0] != '[';
	gethostname(own, sizeof(own) - 1);
	snprintf(mail->url, sizeof(mail->url), "smtp://%s%s%s:%u/%.200s", is_six ? "[" : "", host, is_six ? "]" : "",
		port, *helo ? helo : own);
}

void script_mails_send(struct script_mails *mails, const struct conf *conf, char *text)
{
	struct mail *mail = calloc(1, sizeof(*mail));

	if (mail)
		mail->to = strdup(conf_string(conf, conf->global->notification_emails));
	if (!mail || !mail->to || mails->n == MAILS_MAX) {
		++*mails->lost;
		log_error("mail: one is not sent: %s", mail && mail->to ? "too many wait already" : "out of memory");
		if (mail)
			free(mail->to);
		free(mail);
		free(text);
		return;
	}
	mail->text = text;
	make_url(mail, conf);
	snprintf(mail->from, sizeof(mail->from), "%s", conf_string(conf, conf->global->notification_email_from));
	snprintf(mail->timeout, sizeof(mail->timeout), "%lld",
		(long long)(conf->global->smtp_timeout_us / US_PER_S > 0 ? conf->global->smtp_timeout_us / US_PER_S
									 : 1));
	*mails->last = mail;
	mails->last = &mail->next;
	mails->n++;
	start_next(mails);
}

struct script_mails *script_mails_new(struct role_process *p, uint64_t *sent, uint64_t *lost)
{
	struct script_mails *mails = calloc(1, sizeof(*mails));

	if (!mails)
		return NULL;
	mails->role = p;
	mails->sent = sent;
	mails->lost = lost;
	mails->last = &mails->first;
	mails->again = (struct timer){.fire = on_again, .arg = mails};
	return mails;
}
