/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "protocol/report_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fd.h"
#include "base/remedy.h"

enum { REPORT_NAME_SIZE = 32 };

static void
report_name(char name[REPORT_NAME_SIZE], uint64_t number)
{
	snprintf(name, REPORT_NAME_SIZE, "%" PRIu64 ".json", number);
}

/* 0: it is no report's. */
static uint64_t
report_number(const char *name)
{
	char same[REPORT_NAME_SIZE];
	uint64_t number = strtoull(name, NULL, 10);

	report_name(same, number);
	return strcmp(name, same) == 0 ? number : 0;
}

static int
report_open_directory(const char *directory)
{
	return open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* --- listing ---------------------------------------------------------------------- */

static int
report_compare(const void *a, const void *b)
{
	uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;

	return first < second ? 1 : first > second ? -1 : 0;
}

bool
report_store_list(const char *directory, uint64_t **numbers_r, size_t *count_r)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	uint64_t *numbers = NULL;
	size_t count = 0;

	*numbers_r = NULL;
	*count_r = 0;
	if (dir == NULL)
		return errno == ENOENT;
	while ((entry = readdir(dir)) != NULL) {
		uint64_t number = report_number(entry->d_name);

		if (number == 0)
			continue;
		numbers = xrealloc(numbers, count + 1, sizeof(*numbers));
		numbers[count++] = number;
	}
	closedir(dir);
	if (count > 0)
		qsort(numbers, count, sizeof(*numbers), report_compare);
	*numbers_r = numbers;
	*count_r = count;
	return true;
}

/* --- reading ----------------------------------------------------------------------- */

static json_t *
report_read_fd(int fd)
{
	json_t *object = NULL;
	struct stat st;
	char *text;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > REPORT_STORE_FILE_MAX)
		return NULL;
	text = alloc_try((size_t)st.st_size + 1);
	if (text != NULL && read(fd, text, (size_t)st.st_size) == st.st_size)
		object = json_loadb(text, (size_t)st.st_size, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	if (object != NULL && !json_is_object(object)) {
		json_decref(object);
		return NULL;
	}
	return object;
}

json_t *
report_store_read(const char *directory, uint64_t number)
{
	int dir = report_open_directory(directory);
	char name[REPORT_NAME_SIZE];
	json_t *object = NULL;
	int fd;

	if (dir < 0)
		return NULL;
	report_name(name, number);
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		object = report_read_fd(fd);
	fd_close(&fd);
	fd_close(&dir);
	return object;
}

static bool
report_is_of(const json_t *report, const char *service)
{
	const char *name = json_string_value(json_object_get(report, "service"));

	return report != NULL && (service == NULL || (name != NULL && strcmp(name, service) == 0));
}

json_t *
report_store_select(const char *directory, const char *service, uint64_t number,
	const char *const *details)
{
	json_t *list = json_array();
	uint64_t *numbers;
	size_t count;

	if (!report_store_list(directory, &numbers, &count))
		return list;
	for (size_t i = 0; i < count; i++) {
		json_t *report = number == 0 || number == numbers[i] ?
			report_store_read(directory, numbers[i]) : NULL;

		if (!report_is_of(report, service)) {
			json_decref(report);
			continue;
		}
		for (const char *const *detail = details; number == 0 && *detail != NULL; detail++)
			json_object_del(report, *detail);
		json_array_append_new(list, report);
	}
	free(numbers);
	return list;
}

/* --- writing ------------------------------------------------------------------------ */

/* The directory above it is made, too; those above that must be there. */
static bool
report_make_directory(const char *directory, struct buffer *error)
{
	char *above = xstrdup(directory);
	char *slash = strrchr(above, '/');
	bool made;

	if (slash != NULL && slash != above) {
		*slash = '\0';
		(void)mkdir(above, 0700);
	}
	free(above);
	made = mkdir(directory, 0700) == 0 || errno == EEXIST;
	return made || buffer_fail(error, "make the directory %s: %s%s", directory, strerror(errno),
		remedy_of(errno));
}

static bool
report_write_all(int fd, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t done = write(fd, text, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		text += done;
		size -= (size_t)done;
	}
	return true;
}

static bool
report_write(int dir, uint64_t number, const char *text)
{
	static const char temporary[] = ".new";
	char name[REPORT_NAME_SIZE];
	int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool written;

	if (fd < 0)
		return false;
	report_name(name, number);
	written = report_write_all(fd, text, strlen(text));
	fd_close(&fd);
	if (written && renameat(dir, temporary, dir, name) == 0)
		return true;
	unlinkat(dir, temporary, 0);
	return false;
}

/* The oldest go. */
static void
report_make_room(int dir, const uint64_t *numbers, size_t count, const struct report_store_limits *limits)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < count; i++) {
		char name[REPORT_NAME_SIZE];
		struct stat st;

		report_name(name, numbers[i]);
		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			bytes += (uint64_t)st.st_size;
		if (i > 0 && (i >= limits->count || (limits->bytes > 0 && bytes > limits->bytes)))
			unlinkat(dir, name, 0);
	}
}

bool
report_store_add(const char *directory, const struct report_store_limits *limits, json_t *object,
	uint64_t *number_r, struct buffer *error)
{
	uint64_t *numbers;
	size_t count;
	char *text;
	bool added;
	int dir;

	*number_r = 0;
	if (limits->count == 0)
		return true;
	if (!report_make_directory(directory, error))
		return false;
	dir = report_open_directory(directory);
	if (dir < 0 || !report_store_list(directory, &numbers, &count)) {
		buffer_fail(error, "open the directory %s: %s", directory, strerror(errno));
		fd_close(&dir);
		return false;
	}
	*number_r = count > 0 ? numbers[0] + 1 : 1;
	free(numbers);
	json_object_set_new(object, "number", json_integer((json_int_t)*number_r));
	text = json_dumps(object, JSON_INDENT(1));
	added = text != NULL && strlen(text) <= REPORT_STORE_FILE_MAX && report_write(dir, *number_r, text);
	if (!added)
		buffer_fail(error, "write a file in %s: %s%s", directory, strerror(errno), remedy_of(errno));
	free(text);
	if (added && report_store_list(directory, &numbers, &count)) {
		report_make_room(dir, numbers, count, limits);
		free(numbers);
	}
	fd_close(&dir);
	return added;
}

bool
report_store_remove(const char *directory, uint64_t number)
{
	int dir = report_open_directory(directory);
	char name[REPORT_NAME_SIZE];
	bool removed;

	if (dir < 0)
		return false;
	report_name(name, number);
	removed = unlinkat(dir, name, 0) == 0;
	fd_close(&dir);
	return removed;
}
