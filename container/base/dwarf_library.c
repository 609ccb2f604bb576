/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/dwarf_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static struct dwarf_library dwarf_library;
static bool dwarf_library_is_there;

static void
dwarf_library_open(void)
{
	const struct {
		const char *name;
		void **function;
	} wanted[] = {
		{"dwfl_begin", (void **)&dwarf_library.begin},
		{"dwfl_end", (void **)&dwarf_library.end},
		{"dwfl_linux_proc_report", (void **)&dwarf_library.linux_proc_report},
		{"dwfl_linux_proc_find_elf", (void **)&dwarf_library.linux_proc_find_elf},
		{"dwfl_report_begin_add", (void **)&dwarf_library.report_begin_add},
		{"dwfl_report_elf", (void **)&dwarf_library.report_elf},
		{"dwfl_report_end", (void **)&dwarf_library.report_end},
		{"dwfl_build_id_find_debuginfo", (void **)&dwarf_library.build_id_find_debuginfo},
		{"dwfl_addrmodule", (void **)&dwarf_library.addrmodule},
		{"dwfl_module_build_id", (void **)&dwarf_library.module_build_id},
		{"dwfl_module_getsrc", (void **)&dwarf_library.module_getsrc},
		{"dwfl_module_nextcu", (void **)&dwarf_library.module_nextcu},
		{"dwfl_lineinfo", (void **)&dwarf_library.lineinfo},
		{"dwarf_haspc", (void **)&dwarf_library.haspc},
		{"dwarf_getsrc_die", (void **)&dwarf_library.getsrc_die},
		{"dwarf_linesrc", (void **)&dwarf_library.linesrc},
		{"dwarf_lineno", (void **)&dwarf_library.lineno},
	};
	void *library = dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; library != NULL && i < sizeof wanted / sizeof *wanted; i++) {
		*wanted[i].function = dlsym(library, wanted[i].name);
		if (*wanted[i].function == NULL)
			return;
	}
	dwarf_library_is_there = library != NULL;
}

const struct dwarf_library *
dwarf_library_load(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, dwarf_library_open);
	return dwarf_library_is_there ? &dwarf_library : NULL;
}

/* What clang has compiled has no table of which addresses belong to which unit, and older
 * versions of libdw look nowhere else: then each unit is asked. */
static const char *
dwarf_library_line_in_units(const struct dwarf_library *dw, Dwfl_Module *module, uintptr_t address, int *number_r)
{
	Dwarf_Die *unit = NULL;
	Dwarf_Addr bias;

	while ((unit = dw->module_nextcu(module, unit, &bias)) != NULL) {
		Dwarf_Line *line;

		if (dw->haspc(unit, address - bias) != 1)
			continue;
		line = dw->getsrc_die(unit, address - bias);
		if (line == NULL || dw->lineno(line, number_r) != 0)
			return NULL;
		return dw->linesrc(line, NULL, NULL);
	}
	return NULL;
}

bool
dwarf_library_line(const struct dwarf_library *dw, Dwfl_Module *module, uintptr_t address, char *text, size_t size)
{
	Dwfl_Line *line = dw->module_getsrc(module, address);
	const char *file, *slash;
	int number = 0;

	if (line != NULL)
		file = dw->lineinfo(line, NULL, &number, NULL, NULL, NULL);
	else
		file = dwarf_library_line_in_units(dw, module, address, &number);
	if (file == NULL)
		return false;
	slash = strrchr(file, '/');
	snprintf(text, size, "%s:%d", slash != NULL ? slash + 1 : file, number);
	return true;
}
