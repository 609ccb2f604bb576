/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pointers in the data of a shared object that nobody has loaded: where they will point is in
 * its relocations. With them the tables of a plugin can be read while not an instruction of it
 * runs.
 *
 * Pure functions over bytes that somebody else holds. Any thread; never suspends.
 */
#ifndef BAY_BASE_ELF_POINTER_H
#define BAY_BASE_ELF_POINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/elf_file.h"

/* Zeroed but for elf, which is borrowed. */
struct elf_pointers {
	const struct elf_file *elf;
	struct elf_span relocations;
	uint64_t steps; /* relocations looked at so far: a file may have any number */
};

/* Finds the relocations. False: the file names some that it does not hold. */
bool elf_pointers_init(struct elf_pointers *pointers, const struct elf_file *elf)
	__attribute__((warn_unused_result));

/* What the pointer at this address of the loaded object points to, as such an address; 0: it is
 * NULL. False: that is not in the file, or is another object's, or took too long to find. */
bool elf_pointer_at(struct elf_pointers *pointers, uint64_t address, uint64_t *target_r)
	__attribute__((warn_unused_result));

/* Copies size bytes from an address of the loaded object, its pointers not yet set. */
bool elf_copy_at(const struct elf_file *elf, uint64_t address, void *out, size_t size)
	__attribute__((warn_unused_result));

/* The text at an address, borrowed; NULL: it does not end within max bytes and the file. */
const char *elf_text_at(const struct elf_file *elf, uint64_t address, size_t max);

#endif
