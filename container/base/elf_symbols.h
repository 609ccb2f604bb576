/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of functions in a program or shared object, by address: for backtraces of a process
 * that is gone. Nothing of the file is run or mapped; the bytes may be a stranger's. One thread;
 * never suspends, but reads the file.
 */
#ifndef BAY_BASE_ELF_SYMBOLS_H
#define BAY_BASE_ELF_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

struct elf_symbols;

/* Reads the symbols of the file: all that it has, or those that it exports if it was stripped.
 * NULL: it cannot be read, has none, or has too many. */
struct elf_symbols *elf_symbols_open(const char *path)
	__attribute__((warn_unused_result));

/* NULL is fine. */
void elf_symbols_close(struct elf_symbols *symbols);

/* The function that holds this address of the file, and how far behind its begin that is.
 * Borrowed from symbols; NULL: none. */
const char *elf_symbols_find(const struct elf_symbols *symbols, uint64_t address, uint64_t *offset_r);

#endif
