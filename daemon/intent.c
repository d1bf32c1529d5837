/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of administration and its file. Runs in the parent; never touches the kernel's tables itself. */
#include "intent.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Several times what every server of the largest table would need; a larger file is not ours. */
#define FILE_LIMIT (64u << 20)

void intents_free(struct intents *all)
{
	free(all->list);
	free(all->pool);
	*all = (struct intents){0};
}

static int compare(const struct intent *i, const char *service, const char *server)
{
	int order = strcmp(i->service, service);

	return order ? order : strcmp(i->server, server);
}

/* Where it is, or where it would be inserted. */
static size_t position(const struct intents *all, const char *service, const char *server)
{
	size_t low = 0;
	size_t high = all->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&all->list[middle], service, server) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct intent *intents_find(const struct intents *all, const char *service, const char *server)
{
	size_t at = position(all, service, server);

	if (at < all->count && compare(&all->list[at], service, server) == 0)
		return &all->list[at];
	return NULL;
}

static bool is_nothing(const struct status_admin *admin)
{
	return admin->admin == ADMIN_NORMAL && admin->weight < 0;
}

static void remove_at(struct intents *all, size_t at)
{
	memmove(&all->list[at], &all->list[at + 1], (all->count - at - 1) * sizeof(*all->list));
	all->count--;
}

/* The list, with room behind its end; it is doubled whenever its length is a power of two. NULL: no memory, and the
 * list is as it was. */
static struct intent *room_for_one(struct intents *all)
{
	size_t n = all->count;
	struct intent *list = all->list;

	if ((n & (n - 1)) == 0) {
		list = reallocarray(all->list, n ? 2 * n : 1, sizeof(*list));
		if (list)
			all->list = list;
	}
	return list;
}

int intents_set(struct intents *all, const char *service, const char *server, const struct status_admin *admin)
{
	size_t at = position(all, service, server);
	bool found = at < all->count && compare(&all->list[at], service, server) == 0;

	if (is_nothing(admin) && admin->asked_real_us == 0) {
		if (found)
			remove_at(all, at);
		return 0;
	}
	if (!found) {
		struct intent *list = room_for_one(all);

		if (!list)
			return -ENOMEM;
		memmove(&list[at + 1], &list[at], (all->count - at) * sizeof(*list));
		all->count++;
		memset(&list[at], 0, sizeof(list[at]));
		snprintf(list[at].service, sizeof(list[at].service), "%s", service);
		snprintf(list[at].server, sizeof(list[at].server), "%s", server);
	}
	all->list[at].admin = *admin;
	return 0;
}

static bool parse_admin(const char *word, uint32_t *admin)
{
	for (enum admin a = ADMIN_NORMAL; a <= ADMIN_MAINT; a++) {
		if (strcmp(word, admin_name(a)) == 0) {
			*admin = a;
			return true;
		}
	}
	return false;
}

static void forget_pool(struct intents *all, size_t at)
{
	memmove(&all->pool[at], &all->pool[at + 1], (all->n_pool - at - 1) * sizeof(*all->pool));
	all->n_pool--;
}

const struct pool_intent *intents_find_pool(const struct intents *all, const char *service, const char *server)
{
	for (size_t i = 0; i < all->n_pool; i++)
		if (strcmp(all->pool[i].service, service) == 0 && strcmp(all->pool[i].server, server) == 0)
			return &all->pool[i];
	return NULL;
}

int intents_change_pool(struct intents *all, const struct pool_intent *change)
{
	const struct pool_intent *have = intents_find_pool(all, change->service, change->server);
	struct pool_intent *pool;
	bool is_undone = have && !have->is_settled && have->is_removed != change->is_removed;

	/* A server that was added and goes again leaves nothing to do, and neither does one that was removed and comes
	 * again. */
	if (have) {
		forget_pool(all, (size_t)(have - all->pool));
	} else {
		pool = reallocarray(all->pool, all->n_pool + 1, sizeof(*pool));
		if (!pool)
			return -ENOMEM;
		all->pool = pool;
	}
	all->pool[all->n_pool] = *change;
	all->pool[all->n_pool++].is_settled |= is_undone;
	return 0;
}

size_t intents_count_pool(const struct intents *all)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n_pool; i++)
		n += !all->pool[i].is_settled;
	return n;
}

void intents_prune(struct intents *all, int64_t before_real_us)
{
	for (size_t i = all->count; i > 0; i--)
		if (is_nothing(&all->list[i - 1].admin) && all->list[i - 1].admin.asked_real_us < before_real_us)
			remove_at(all, i - 1);
	for (size_t i = all->n_pool; i > 0; i--)
		if (all->pool[i - 1].is_settled && all->pool[i - 1].since_real_us < before_real_us)
			forget_pool(all, i - 1);
}

static bool parse_integer(const char *text, int64_t low, int64_t high, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	return end != text && *end == '\0' && !errno && *out >= low && *out <= high;
}

static bool parse_end(const char *word, uint32_t *end)
{
	for (enum drain_end e = DRAIN_KEEP; e <= DRAIN_REMOVE; e++) {
		if (strcmp(word, drain_end_name(e)) == 0) {
			*end = e;
			return true;
		}
	}
	return false;
}

/* The fields of a line; returns how many there are (more than `max` too). */
static int split(char *line, char *fields[], int max)
{
	int n = 0;

	for (char *word = strtok_r(line, "\t", &line); word; word = strtok_r(NULL, "\t", &line)) {
		if (n < max)
			fields[n] = word;
		n++;
	}
	return n;
}

static const char *const pool_words[2][2] = {{"added", "removed"}, {"was-added", "was-removed"}};

static bool parse_pool_word(const char *word, struct pool_intent *change)
{
	for (int settled = 0; settled < 2; settled++) {
		for (int removed = 0; removed < 2; removed++) {
			if (strcmp(word, pool_words[settled][removed]) != 0)
				continue;
			change->is_settled = settled;
			change->is_removed = removed;
			return true;
		}
	}
	return false;
}

/* Service, server, what (see above), weight, since, by. */
static bool parse_pool_line(struct intents *all, char *f[], struct pool_intent change)
{
	int64_t weight;

	if (!parse_integer(f[3], -1, 65535, &weight) || !parse_integer(f[4], 0, INT64_MAX, &change.since_real_us))
		return false;
	change.weight = (int32_t)weight;
	snprintf(change.service, sizeof(change.service), "%s", f[0]);
	snprintf(change.server, sizeof(change.server), "%s", f[1]);
	snprintf(change.why, sizeof(change.why), "%s", f[5]);
	return intents_change_pool(all, &change) == 0;
}

/* Service, server, state, weight, since, by; later versions write between the last two what the end of a drain is like
 * (until, end, whether known clients are kept), and then when the last command came. */
static bool parse_line(struct intents *all, char *line)
{
	enum {
		SERVICE,
		SERVER,
		STATE,
		WEIGHT,
		SINCE,
		WHY_OF_OLD,
		UNTIL = WHY_OF_OLD,
		END,
		KEEP_KNOWN,
		ASKED,
		WHY,
		FIELDS
	};
	char *f[FIELDS];
	int n = split(line, f, FIELDS);
	struct pool_intent change = {0};
	struct status_admin admin = {0};
	int64_t weight, keep_known;

	if ((n != FIELDS && n != FIELDS - 1 && n != WHY_OF_OLD + 1) || strlen(f[SERVICE]) >= CONF_NAME_SIZE ||
		strlen(f[SERVER]) >= CONF_NAME_SIZE)
		return false;
	if (parse_pool_word(f[STATE], &change))
		return n == WHY_OF_OLD + 1 && parse_pool_line(all, f, change);
	if (!parse_admin(f[STATE], &admin.admin) || !parse_integer(f[WEIGHT], -1, 65535, &weight) ||
		!parse_integer(f[SINCE], 0, INT64_MAX, &admin.since_real_us))
		return false;
	admin.weight = (int32_t)weight;
	admin.asked_real_us = admin.since_real_us;
	if (n > WHY_OF_OLD + 1) {
		if (!parse_integer(f[UNTIL], 0, INT64_MAX, &admin.until_real_us) ||
			!parse_end(f[END], &admin.drain_end) || !parse_integer(f[KEEP_KNOWN], 0, 1, &keep_known))
			return false;
		admin.keep_known = (uint32_t)keep_known;
	}
	if (n == FIELDS && !parse_integer(f[ASKED], 0, INT64_MAX, &admin.asked_real_us))
		return false;
	snprintf(admin.why, sizeof(admin.why), "%s", f[n - 1]);
	return intents_set(all, f[SERVICE], f[SERVER], &admin) == 0;
}

void intents_parse(struct intents *all, char *text, unsigned *bad_lines)
{
	char *rest = text;
	char *line;

	while ((line = strtok_r(rest, "\n", &rest)))
		if (*line != '#' && !parse_line(all, line))
			(*bad_lines)++;
}

/* Returns 0 or -errno; a file that shrinks meanwhile is what is left of it. */
static int read_text(FILE *file, char *text, size_t size)
{
	size_t length = fread(text, 1, size, file);

	text[length] = '\0';
	return ferror(file) ? -EIO : 0;
}

int intents_read(struct intents *all, const char *path, unsigned *bad_lines)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	struct stat st;
	int error = 0;

	*bad_lines = 0;
	if (!file)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fileno(file), &st) < 0)
		error = -errno;
	else if (st.st_size > FILE_LIMIT)
		error = -EFBIG;
	else if (!(text = malloc((size_t)st.st_size + 1)))
		error = -ENOMEM;
	else
		error = read_text(file, text, (size_t)st.st_size);
	fclose(file);
	if (!error)
		intents_parse(all, text, bad_lines);
	free(text);
	return error;
}

int intents_keep_file(const char *path, char *kept, size_t size)
{
	if (snprintf(kept, size, "%s.kept", path) >= (int)size)
		return -ENAMETOOLONG;
	if (unlink(kept) < 0 && errno != ENOENT)
		return -errno;
	return link(path, kept) < 0 ? -errno : 0;
}

int intents_write(const struct intents *all, const char *path)
{
	char temporary[4096];
	FILE *file;
	int error = 0;

	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	file = fopen(temporary, "we");
	if (!file)
		return -errno;
	fprintf(file,
		"# what poisectl was told of servers: service, server, state, weight (-1: as configured), since,\n"
		"# of a drain until (0: no end), what then, whether known clients are kept; last command; by\n");
	for (size_t i = 0; i < all->count; i++) {
		const struct intent *in = &all->list[i];

		fprintf(file, "%s\t%s\t%s\t%d\t%" PRId64 "\t%" PRId64 "\t%s\t%u\t%" PRId64 "\t%s\n", in->service,
			in->server, admin_name((enum admin)in->admin.admin), in->admin.weight, in->admin.since_real_us,
			in->admin.until_real_us, drain_end_name((enum drain_end)in->admin.drain_end),
			in->admin.keep_known, in->admin.asked_real_us, in->admin.why[0] ? in->admin.why : "-");
	}
	for (size_t i = 0; i < all->n_pool; i++) {
		const struct pool_intent *c = &all->pool[i];

		fprintf(file, "%s\t%s\t%s\t%d\t%" PRId64 "\t%s\n", c->service, c->server,
			pool_words[c->is_settled][c->is_removed], c->weight, c->since_real_us,
			c->why[0] ? c->why : "-");
	}
	if (fflush(file) != 0 || fsync(fileno(file)) < 0)
		error = -errno;
	if (fclose(file) != 0 && error == 0)
		error = -errno;
	if (error == 0 && rename(temporary, path) < 0)
		error = -errno;
	return error;
}
