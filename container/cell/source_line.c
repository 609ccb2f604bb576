/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libdw is loaded at first use: a cell that nobody asks does not carry it and its four
 * libraries.
 */
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
#include <elfutils/libdwfl.h>
#endif

struct source_lines {
#if defined(HAVE_LIBDW)
	Dwfl *dwfl;   /* NULL: cannot tell lines */
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

static struct {
	bool tried;
	void *library;
	__typeof__(&dwfl_begin) begin;
	__typeof__(&dwfl_end) end;
	__typeof__(&dwfl_linux_proc_report) report;
	__typeof__(&dwfl_report_end) report_end;
	__typeof__(&dwfl_linux_proc_find_elf) find_elf;
	__typeof__(&dwfl_addrmodule) module;
	__typeof__(&dwfl_module_getsrc) line;
	__typeof__(&dwfl_lineinfo) info;
	__typeof__(&dwfl_module_nextcu) next_unit;
	__typeof__(&dwarf_haspc) unit_has;
	__typeof__(&dwarf_getsrc_die) unit_line;
	__typeof__(&dwarf_linesrc) line_file;
	__typeof__(&dwarf_lineno) line_number;
} dw;

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
source_line_load_libdw(void)
{
	if (!dw.tried) {
		dw.tried = true;
		dw.library = dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);
	}
	if (dw.library == NULL)
		return false;
	dw.begin = (__typeof__(dw.begin))dlsym(dw.library, "dwfl_begin");
	dw.end = (__typeof__(dw.end))dlsym(dw.library, "dwfl_end");
	dw.report = (__typeof__(dw.report))dlsym(dw.library, "dwfl_linux_proc_report");
	dw.report_end = (__typeof__(dw.report_end))dlsym(dw.library, "dwfl_report_end");
	dw.find_elf = (__typeof__(dw.find_elf))dlsym(dw.library, "dwfl_linux_proc_find_elf");
	dw.module = (__typeof__(dw.module))dlsym(dw.library, "dwfl_addrmodule");
	dw.line = (__typeof__(dw.line))dlsym(dw.library, "dwfl_module_getsrc");
	dw.info = (__typeof__(dw.info))dlsym(dw.library, "dwfl_lineinfo");
	dw.next_unit = (__typeof__(dw.next_unit))dlsym(dw.library, "dwfl_module_nextcu");
	dw.unit_has = (__typeof__(dw.unit_has))dlsym(dw.library, "dwarf_haspc");
	dw.unit_line = (__typeof__(dw.unit_line))dlsym(dw.library, "dwarf_getsrc_die");
	dw.line_file = (__typeof__(dw.line_file))dlsym(dw.library, "dwarf_linesrc");
	dw.line_number = (__typeof__(dw.line_number))dlsym(dw.library, "dwarf_lineno");
	return dw.begin != NULL && dw.end != NULL && dw.report != NULL && dw.report_end != NULL &&
		dw.find_elf != NULL && dw.module != NULL && dw.line != NULL && dw.info != NULL &&
		dw.next_unit != NULL && dw.unit_has != NULL && dw.unit_line != NULL &&
		dw.line_file != NULL && dw.line_number != NULL;
}

/* What clang has compiled has no table of which addresses belong to which unit, and older
 * versions of libdw look nowhere else: then each unit is asked. */
static const char *
source_line_in_units(Dwfl_Module *module, uintptr_t address, int *number_r)
{
	Dwarf_Die *unit = NULL;
	Dwarf_Addr bias;

	while ((unit = dw.next_unit(module, unit, &bias)) != NULL) {
		Dwarf_Line *line;

		if (dw.unit_has(unit, address - bias) != 1)
			continue;
		line = dw.unit_line(unit, address - bias);
		if (line == NULL || dw.line_number(line, number_r) != 0)
			return NULL;
		return dw.line_file(line, NULL, NULL);
	}
	return NULL;
}

static bool
source_line_from_dwarf(struct source_lines *lines, uintptr_t address, char *text, size_t size)
{
	Dwfl_Module *module = lines->dwfl != NULL ? dw.module(lines->dwfl, address) : NULL;
	Dwfl_Line *line = module != NULL ? dw.line(module, address) : NULL;
	const char *file = NULL;
	int number = 0;

	if (line != NULL)
		file = dw.info(line, NULL, &number, NULL, NULL, NULL);
	else if (module != NULL)
		file = source_line_in_units(module, address, &number);
	if (file == NULL)
		return false;
	snprintf(text, size, "%s:%d", source_line_base_name(file), number);
	return true;
}

#endif

struct source_lines *
source_lines_open(void)
{
	struct source_lines *lines = xcalloc(1, sizeof *lines);

#if defined(HAVE_LIBDW)
	static Dwfl_Callbacks callbacks;

	if (source_line_load_libdw()) {
		callbacks.find_elf = dw.find_elf;
		callbacks.find_debuginfo = source_line_find_debuginfo;
		lines->dwfl = dw.begin(&callbacks);
	}
	if (lines->dwfl != NULL &&
		(dw.report(lines->dwfl, getpid()) != 0 || dw.report_end(lines->dwfl, NULL, NULL) != 0)) {
		dw.end(lines->dwfl);
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
		dw.end(lines->dwfl);
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
