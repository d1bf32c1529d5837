/* SPDX-License-Identifier: GPL-2.0-or-later */
/* poise-mail: hands one mail, read from standard input, to a mail server by SMTP, and ends. The script role runs it as
 * an ordinary user, so that neither a slow server nor what it answers can touch anything else. */
#include <curl/curl.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct mail {
	const char *url, *from, *user;
	struct curl_slist *to;
	long timeout_s;
};

static int parse(struct mail *mail, int argc, char **argv)
{
	static const struct option options[] = {{"url", required_argument, NULL, 'u'},
		{"from", required_argument, NULL, 'f'}, {"to", required_argument, NULL, 't'},
		{"timeout", required_argument, NULL, 's'}, {"user", required_argument, NULL, 'n'}, {NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'u')
			mail->url = optarg;
		else if (option == 'f')
			mail->from = optarg;
		else if (option == 't')
			mail->to = curl_slist_append(mail->to, optarg);
		else if (option == 's')
			mail->timeout_s = atol(optarg);
		else if (option == 'n')
			mail->user = optarg;
		else
			return -1;
	}
	return mail->url && mail->from && mail->to && mail->timeout_s > 0 && optind == argc ? 0 : -1;
}

/* Done here and not by who starts this program: that user need not be able to reach the file it is in. */
static int become(const char *user)
{
	const struct passwd *pw = user && geteuid() == 0 ? getpwnam(user) : NULL;

	if (!user || geteuid() != 0)
		return 0;
	return pw && setgroups(0, NULL) == 0 && setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == 0 &&
			       setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == 0
		       ? 0
		       : -1;
}

static CURLcode send_mail(const struct mail *mail, char *why)
{
	CURL *curl = curl_easy_init();
	CURLcode result;

	if (!curl)
		return CURLE_OUT_OF_MEMORY;
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(curl, CURLOPT_URL, mail->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp");
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, mail->from);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, mail->to);
	/* One address that the server does not know keeps the mail from nobody else. */
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
	curl_easy_setopt(curl, CURLOPT_READDATA, stdin);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, mail->timeout_s);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 2 * mail->timeout_s);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	result = curl_easy_perform(curl);
	curl_easy_cleanup(curl);
	return result;
}

int main(int argc, char **argv)
{
	struct mail mail = {.timeout_s = 30};
	char why[CURL_ERROR_SIZE] = "";
	CURLcode result;

	if (parse(&mail, argc, argv) < 0 || become(mail.user) < 0 ||
		curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		fprintf(stderr, "usage: poise-mail --url smtp://HOST:PORT/NAME --from ADDRESS --to ADDRESS... "
				"[--timeout SECONDS] [--user NAME] < MAIL\n");
		return 2;
	}
	result = send_mail(&mail, why);
	if (result != CURLE_OK)
		fprintf(stderr, "%s\n", why[0] ? why : curl_easy_strerror(result));
	curl_slist_free_all(mail.to);
	curl_global_cleanup();
	return result == CURLE_OK ? 0 : 1;
}
