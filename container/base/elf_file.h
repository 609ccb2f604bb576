/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of a shared object, found the way the dynamic loader finds them: by program
 * headers and the dynamic section, so that a file cannot show one thing here and another
 * one there. The bytes may come from an enemy or be cut anywhere: nothing outside of them
 * is ever looked at, and every loop is bounded by their number.
 *
 *	| header | program headers | segments ... dynamic, symbols, strings ... | section headers |
 *
 * Pure functions over bytes that somebody else holds. Any thread; never suspends.
 */
#ifndef BAY_BASE_ELF_FILE_H
#define BAY_BASE_ELF_FILE_H

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;

/* Part of the file; always inside of it. */
struct elf_span {
	size_t offset;
	size_t size;
};

/* Read only for users. */
struct elf_file {
	const uint8_t *data; /* borrowed as long as the struct is used */
	size_t size;
	ElfW(Ehdr) header;
	size_t section_count;
	struct elf_span dynamic; /* up to its DT_NULL */
	struct elf_span strings; /* at least one byte, the last one NUL */
	struct elf_span symbols;
	size_t symbol_count;
};

/*
 * Finds the parts. False: not a whole shared object that this machine could load; a
 * sentence that says why is appended to error.
 */
bool elf_file_parse(struct elf_file *elf, const void *data, size_t size, struct buffer *error)
	__attribute__((warn_unused_result));

/* Copies bytes out. False: they are not all in the file. */
bool elf_file_copy(const struct elf_file *elf, uint64_t offset, void *out, size_t size)
	__attribute__((warn_unused_result));

/* The file's bytes from this address of the loaded object to the end of its segment. */
bool elf_file_at(const struct elf_file *elf, uint64_t address, struct elf_span *span_r)
	__attribute__((warn_unused_result));

/* Each gives one of a table's rows. False: there is none with this index. */
bool elf_file_segment(const struct elf_file *elf, size_t index, ElfW(Phdr) *segment_r)
	__attribute__((warn_unused_result));
bool elf_file_section(const struct elf_file *elf, size_t index, ElfW(Shdr) *section_r)
	__attribute__((warn_unused_result));
bool elf_file_dynamic(const struct elf_file *elf, size_t index, ElfW(Dyn) *entry_r)
	__attribute__((warn_unused_result));
bool elf_file_symbol(const struct elf_file *elf, size_t index, ElfW(Sym) *symbol_r)
	__attribute__((warn_unused_result));

/* The value of the dynamic entry that counts: the last one with this tag. */
bool elf_file_dynamic_value(const struct elf_file *elf, int64_t tag, uint64_t *value_r)
	__attribute__((warn_unused_result));

/* The dynamic string at this index, borrowed from data; NULL when there is none. */
const char *elf_file_string(const struct elf_file *elf, uint64_t index);

/* "x86-64", "aarch64"; "machine 4242" is written to buf when it has no name here. */
const char *elf_machine_name(unsigned machine, char *buf, size_t size);

/* The machine that this program runs on, as in header.e_machine. */
unsigned elf_machine_here(void);

#endif
