/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of libdw (elfutils) turns addresses into lines of the source. It is loaded at first use: who
 * is not asked does not carry it and its four libraries. Only where config.h has HAVE_LIBDW.
 */
#ifndef BAY_BASE_DWARF_LIBRARY_H
#define BAY_BASE_DWARF_LIBRARY_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Named as in libdwfl.h and libdw.h, without their dwfl_ and dwarf_. */
struct dwarf_library {
	__typeof__(&dwfl_begin) begin;
	__typeof__(&dwfl_end) end;
	__typeof__(&dwfl_linux_proc_report) linux_proc_report;
	__typeof__(&dwfl_linux_proc_find_elf) linux_proc_find_elf;
	__typeof__(&dwfl_report_begin_add) report_begin_add;
	__typeof__(&dwfl_report_elf) report_elf;
	__typeof__(&dwfl_report_end) report_end;
	__typeof__(&dwfl_build_id_find_debuginfo) build_id_find_debuginfo;
	__typeof__(&dwfl_addrmodule) addrmodule;
	__typeof__(&dwfl_module_build_id) module_build_id;
	__typeof__(&dwfl_module_getsrc) module_getsrc;
	__typeof__(&dwfl_module_nextcu) module_nextcu;
	__typeof__(&dwfl_lineinfo) lineinfo;
	__typeof__(&dwarf_haspc) haspc;
	__typeof__(&dwarf_getsrc_die) getsrc_die;
	__typeof__(&dwarf_linesrc) linesrc;
	__typeof__(&dwarf_lineno) lineno;
};

/* For ever, the same each time; NULL: it is not there. Takes some milliseconds at first. Any thread. */
const struct dwarf_library *dwarf_library_load(void);

/* "sleeper.c:23", which the instruction at address is of. False: the module has no lines there. */
bool dwarf_library_line(const struct dwarf_library *dw, Dwfl_Module *module, uintptr_t address, char *text,
	size_t size);

#endif
