/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/cgroup_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum {
	CGROUP_ROOM = 16 << 20, /* above a limit that is small, in any case: the kernel counts in batches */
	CGROUP_FIELD = 4096     /* of a line of mountinfo that is looked at */
};

static const struct {
	const char *name;
	unsigned bit;
} cgroup_names[] = {
	{"memory", CGROUP_MEMORY},
	{"pids", CGROUP_PIDS},
	{"cpu", CGROUP_CPU},
};

/* --- where ------------------------------------------------------------------------------- */

/* "\040" and its like stand for blanks, in place. */
static void
cgroup_unescape(char *text)
{
	char *to = text;

	for (; *text != '\0'; text++) {
		if (text[0] == '\\' && strspn(text + 1, "01234567") >= 3) {
			*to++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

/* Where a line of mountinfo has mounted which part of cgroup v2. False: it is no such line. */
static bool
cgroup_read_mount(const char *line, size_t length, char *root, char *point)
{
	char text[CGROUP_FIELD];
	const char *type;

	if (length >= sizeof(text))
		return false;
	memcpy(text, line, length);
	text[length] = '\0';
	type = strstr(text, " - ");
	if (type == NULL || strncmp(type + 3, "cgroup2 ", 8) != 0 ||
	    sscanf(text, "%*d %*d %*s %4095s %4095s", root, point) != 2)
		return false;
	cgroup_unescape(root);
	cgroup_unescape(point);
	return true;
}

/* The rest of path below root, "" for the same; NULL: it is not below. */
static const char *
cgroup_below(const char *path, const char *root)
{
	size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);

	if (strncmp(path, root, length) != 0 || (path[length] != '/' && path[length] != '\0'))
		return NULL;
	return strcmp(path + length, "/") == 0 ? "" : path + length;
}

char *
cgroup_own_directory(const char *mountinfo, const char *cgroup)
{
	char root[CGROUP_FIELD], point[CGROUP_FIELD];
	const char *own = strncmp(cgroup, "0::", 3) == 0 ? cgroup : strstr(cgroup, "\n0::");
	char *path, *directory = NULL;
	const char *line, *next;

	if (own == NULL)
		return NULL;
	own = strchr(own, '/');
	if (own == NULL)
		return NULL;
	path = xasprintf("%.*s", (int)strcspn(own, "\n"), own);
	for (line = mountinfo; *line != '\0' && directory == NULL; line = *next != '\0' ? next + 1 : next) {
		const char *below;

		next = line + strcspn(line, "\n");
		if (!cgroup_read_mount(line, (size_t)(next - line), root, point))
			continue;
		below = cgroup_below(path, root);
		if (below != NULL)
			directory = xasprintf("%s%s", point, below);
	}
	free(path);
	return directory;
}

/* --- what is in them ------------------------------------------------------------------------ */

unsigned
cgroup_controllers(const char *list)
{
	unsigned found = 0;
	size_t length;

	for (list += strspn(list, " \n"); (length = strcspn(list, " \n")) > 0; list += strspn(list, " \n")) {
		for (size_t i = 0; i < sizeof(cgroup_names) / sizeof(*cgroup_names); i++) {
			if (strlen(cgroup_names[i].name) == length && memcmp(cgroup_names[i].name, list, length) == 0)
				found |= cgroup_names[i].bit;
		}
		list += length;
	}
	return found;
}

char *
cgroup_controllers_text(char *buf, size_t size, unsigned controllers)
{
	size_t length = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < sizeof(cgroup_names) / sizeof(*cgroup_names); i++) {
		if ((controllers & cgroup_names[i].bit) && length < size)
			length += (size_t)snprintf(buf + length, size - length, "%s%s", length > 0 ? ", " : "",
				cgroup_names[i].name);
	}
	return buf;
}

bool
cgroup_field(const char *text, const char *name, uint64_t *value_r)
{
	size_t length = strlen(name);

	for (; *text != '\0'; text += strcspn(text, "\n"), text += *text == '\n') {
		char *end;

		if (strncmp(text, name, length) != 0 || text[length] != ' ')
			continue;
		errno = 0;
		*value_r = strtoull(text + length + 1, &end, 10);
		return errno == 0 && end != text + length + 1 && (*end == '\n' || *end == '\0');
	}
	return false;
}

static uint64_t
cgroup_more(uint64_t value, uint64_t room)
{
	return value > UINT64_MAX - room ? UINT64_MAX : value + room;
}

struct cgroup_values
cgroup_values(uint64_t memory_max, uint32_t tasks_max)
{
	struct cgroup_values values = {.pids_max = 2 * (uint64_t)tasks_max};

	if (memory_max > 0) {
		values.memory_high = cgroup_more(memory_max, memory_max / 4 + memory_max / 16);
		values.memory_max = cgroup_more(memory_max, memory_max / 2 > CGROUP_ROOM ? memory_max / 2 : CGROUP_ROOM);
	}
	return values;
}
