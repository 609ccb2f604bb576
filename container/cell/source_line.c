/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/source_line.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

#if defined(HAVE_LIBDW)
#include "base/dwarf_library.h"
#endif

struct source_lines {
#if defined(HAVE_LIBDW)
	const struct dwarf_library *dw;
	Dwfl *dwfl; /* NULL: cannot tell lines */
#else
	int nothing;
#endif
};

static const char *
source_line_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

#if defined(HAVE_LIBDW)

/* The default may ask servers on the network; what is in the file has to do. */
static int
source_line_find_debuginfo(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
	const char *file, const char *link, GElf_Word crc, char **found)
{
	(void)module;
	(void)data;
	(void)name;
	(void)base;
	(void)file;
	(void)link;
	(void)crc;
	(void)found;
	return -1;
}

static bool
source_line_from_dwarf(const struct source_lines *lines, uintptr_t address, char *text, size_t size)
{
	const struct dwarf_library *dw = lines->dw;
	Dwfl_Module *module = lines->dwfl != NULL ? dw->addrmodule(lines->dwfl, address) : NULL;

	return module != NULL && dwarf_library_line(dw, module, address, text, size);
}

#endif

struct source_lines *
source_lines_open(void)
{
	struct source_lines *lines = xcalloc(1, sizeof *lines);

#if defined(HAVE_LIBDW)
	static Dwfl_Callbacks callbacks;

	lines->dw = dwarf_library_load();
	if (lines->dw != NULL) {
		callbacks.find_elf = lines->dw->linux_proc_find_elf;
		callbacks.find_debuginfo = source_line_find_debuginfo;
		lines->dwfl = lines->dw->begin(&callbacks);
	}
	if (lines->dwfl != NULL && (lines->dw->linux_proc_report(lines->dwfl, getpid()) != 0 ||
		lines->dw->report_end(lines->dwfl, NULL, NULL) != 0)) {
		lines->dw->end(lines->dwfl);
		lines->dwfl = NULL;
	}
#endif
	return lines;
}

void
source_lines_close(struct source_lines *lines)
{
#if defined(HAVE_LIBDW)
	if (lines->dwfl != NULL)
		lines->dw->end(lines->dwfl);
#endif
	free(lines);
}

void
source_lines_find(struct source_lines *lines, uintptr_t address, char *text, size_t size)
{
	Dl_info info;

	text[0] = '\0';
	if (address == 0)
		return;
	/* A return address is behind its call, which may be the last of its line. */
	address--;
#if defined(HAVE_LIBDW)
	if (source_line_from_dwarf(lines, address, text, size))
		return;
#else
	(void)lines;
#endif
	if (dladdr((void *)address, &info) != 0 && info.dli_fname != NULL)
		snprintf(text, size, "%s+0x%tx", source_line_base_name(info.dli_fname),
			(const char *)address - (const char *)info.dli_fbase);
}
