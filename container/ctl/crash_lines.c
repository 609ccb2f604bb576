/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/crash_lines.h"

#if defined(HAVE_LIBDW)
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dwarf_library.h"
#include "ctl/show.h"
#include "protocol/varlink.h"

/* A trace goes through few objects. */
enum { CRASH_LINES_FILES = 16, CRASH_LINES_BUILD_ID = 64 };

struct crash_lines_file {
	const char *path; /* borrowed from the report */
	char build_id[2 * CRASH_LINES_BUILD_ID + 1]; /* of what lies there now */
	Dwfl *dwfl;
	Dwfl_Module *module; /* NULL: it cannot be read */
};

struct crash_lines {
	const struct dwarf_library *dw;
	struct crash_lines_file files[CRASH_LINES_FILES];
	size_t count;
};

/* Nothing else is opened than a file of theirs, were it only for a moment. */
static int
crash_lines_open_file(const char *path)
{
	int found = open(path, O_PATH | O_CLOEXEC), fd = -1;
	char again[64];
	struct stat stat;

	if (found < 0)
		return -1;
	snprintf(again, sizeof again, "/proc/self/fd/%d", found);
	if (fstat(found, &stat) == 0 && S_ISREG(stat.st_mode) && (stat.st_mode & S_IWOTH) == 0 &&
		(stat.st_uid == 0 || stat.st_uid == geteuid()))
		fd = open(again, O_RDONLY | O_CLOEXEC);
	close(found);
	return fd;
}

static void
crash_lines_read(const struct dwarf_library *dw, struct crash_lines_file *file)
{
	static char *debug_path; /* as gdb has it */
	static Dwfl_Callbacks callbacks;
	const unsigned char *bits;
	GElf_Addr where;
	int fd = crash_lines_open_file(file->path), size;

	if (fd < 0)
		return;
	callbacks.find_debuginfo = dw->build_id_find_debuginfo;
	callbacks.debuginfo_path = &debug_path;
	file->dwfl = dw->begin(&callbacks);
	if (file->dwfl != NULL) {
		dw->report_begin_add(file->dwfl);
		file->module = dw->report_elf(file->dwfl, file->path, file->path, fd, 0, true);
	}
	/* It has the descriptor when it has the file. */
	if (file->module == NULL)
		close(fd);
	if (file->dwfl != NULL && dw->report_end(file->dwfl, NULL, NULL) != 0)
		file->module = NULL;
	if (file->module == NULL)
		return;
	size = dw->module_build_id(file->module, &bits, &where);
	for (int i = 0; i < size && i < CRASH_LINES_BUILD_ID; i++)
		snprintf(file->build_id + 2 * i, 3, "%02x", bits[i]);
}

/* NULL: what was there then is not there. */
static Dwfl_Module *
crash_lines_module(struct crash_lines *lines, const char *path, const char *build_id)
{
	struct crash_lines_file *file = lines->files;

	if (path[0] != '/' || build_id[0] == '\0')
		return NULL;
	while (file < lines->files + lines->count && strcmp(file->path, path) != 0)
		file++;
	if (file == lines->files + CRASH_LINES_FILES)
		return NULL;
	if (file == lines->files + lines->count) {
		lines->count++;
		file->path = path;
		crash_lines_read(lines->dw, file);
	}
	return strcmp(file->build_id, build_id) == 0 ? file->module : NULL;
}

/* A return address is behind its call, which may be the last of its line. */
static void
crash_lines_add_to(struct crash_lines *lines, json_t *frame, bool returned_to)
{
	Dwfl_Module *module = crash_lines_module(lines, view_text(frame, "path"), view_text(frame, "build_id"));
	uint64_t address = strtoull(view_text(frame, "in_object"), NULL, 16);
	char where[256];

	if (module != NULL && address != 0 &&
		dwarf_library_line(lines->dw, module, address - returned_to, where, sizeof where))
		json_object_set_new(frame, "where", varlink_text(where));
}

void
crash_lines_add(json_t *crash)
{
	struct crash_lines lines = {.dw = dwarf_library_load()};
	json_t *frame;
	size_t i;

	if (lines.dw == NULL)
		return;
	json_array_foreach(json_object_get(crash, "frames"), i, frame)
		crash_lines_add_to(&lines, frame, i > 0);
	json_array_foreach(json_object_get(crash, "awaits"), i, frame)
		crash_lines_add_to(&lines, frame, true);
	for (i = 0; i < lines.count; i++)
		lines.dw->end(lines.files[i].dwfl);
}

#else

void
crash_lines_add(json_t *crash)
{
	(void)crash;
}

#endif
