/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the files of a configuration into memory. Runs in the config role; it never looks at what they say. */
#include "conf_source.h"
#include "conf_memory.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct conf_source *add(struct conf_sources *s, const char *name)
{
	struct conf_source *f;

	s->files = conf_grow(s->files, s->count, &s->room, sizeof(*s->files));
	f = &s->files[s->count++];
	memset(f, 0, sizeof(*f));
	f->name = conf_strndup(name, strlen(name));
	return f;
}

uint32_t conf_source_add_text(struct conf_sources *s, const char *name, const char *text, size_t size)
{
	struct conf_source *f = add(s, name);

	f->data = conf_strndup(text, size);
	f->size = size;
	s->total += size;
	return s->count - 1;
}

/* The file may shrink or grow while it is read: what was there within its first size bytes counts. */
static int read_all(int fd, size_t size, char **data, size_t *length)
{
	char *buffer = conf_realloc(NULL, size + 1, 1);
	size_t got = 0;

	while (got < size) {
		ssize_t n = read(fd, buffer + got, size - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int error = -errno;

			free(buffer);
			return error;
		}
		if (n == 0)
			break;
		got += (size_t)n;
	}
	buffer[got] = 0;
	*data = buffer;
	*length = got;
	return 0;
}

static int64_t mtime_of(const struct stat *st)
{
	return st->st_mtim.tv_sec * INT64_C(1000000) + st->st_mtim.tv_nsec / 1000;
}

void conf_source_add_folder(struct conf_sources *s, const char *name)
{
	struct stat st;

	if (s->n_folders >= CONF_FILES_MAX || stat(name, &st) < 0)
		return;
	s->folders = conf_grow(s->folders, s->n_folders, &s->folders_room, sizeof(*s->folders));
	s->folders[s->n_folders++] =
		(struct conf_folder){.name = conf_strndup(name, strlen(name)), .mtime_real_us = mtime_of(&st)};
}

int conf_source_read(struct conf_sources *s, const char *name, uint32_t *number)
{
	struct conf_source *f;
	struct stat st;
	char *data = NULL;
	size_t size = 0;
	int fd, r;

	if (s->count >= CONF_FILES_MAX)
		return -ENFILE;
	/* O_NONBLOCK: a FIFO must not hold up a load. */
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (S_ISDIR(st.st_mode))
		r = -EISDIR;
	else if (!S_ISREG(st.st_mode))
		r = -ENXIO;
	else if ((uint64_t)st.st_size > CONF_FILE_SIZE_MAX - s->total)
		r = -EFBIG;
	else
		r = read_all(fd, (size_t)st.st_size, &data, &size);
	close(fd);
	if (r < 0)
		return r;
	f = add(s, name);
	f->data = data;
	f->size = size;
	f->device = st.st_dev;
	f->inode = st.st_ino;
	f->mtime_real_us = mtime_of(&st);
	s->total += size;
	*number = s->count - 1;
	return 0;
}

void conf_sources_free(struct conf_sources *s)
{
	for (uint32_t i = 0; i < s->count; i++) {
		free(s->files[i].name);
		free(s->files[i].data);
	}
	free(s->files);
	for (uint32_t i = 0; i < s->n_folders; i++)
		free(s->folders[i].name);
	free(s->folders);
	memset(s, 0, sizeof(*s));
}

char *conf_source_folder(const char *name)
{
	const char *slash = strrchr(name, '/');

	if (!slash)
		return conf_strndup(".", 1);
	return conf_strndup(name, slash == name ? 1 : (size_t)(slash - name));
}

const char *conf_source_line(
	const struct conf_sources *s, uint32_t file, uint32_t line, struct conf_line_hint *hint, size_t *length)
{
	const struct conf_source *f;
	const char *at, *end;

	if (file >= s->count || line == 0)
		return NULL;
	f = &s->files[file];
	if (hint->file != file || hint->line == 0 || hint->line > line)
		*hint = (struct conf_line_hint){file, 1, 0};
	at = f->data + hint->offset;
	while (hint->line < line) {
		at = memchr(at, '\n', (size_t)(f->data + f->size - at));
		if (!at)
			return NULL;
		at++;
		hint->line++;
		hint->offset = (size_t)(at - f->data);
	}
	end = memchr(at, '\n', (size_t)(f->data + f->size - at));
	*length = (size_t)((end ? end : f->data + f->size) - at);
	return at;
}
