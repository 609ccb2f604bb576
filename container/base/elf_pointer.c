/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/elf_pointer.h"

#include <string.h>

/* Far more than the tables of a sane plugin take, and some tenths of a second. */
#define ELF_POINTER_STEPS_MAX UINT64_C(100000000)

bool
elf_pointers_init(struct elf_pointers *pointers, const struct elf_file *elf)
{
	uint64_t address, size;

	*pointers = (struct elf_pointers){.elf = elf};
	if (!elf_file_dynamic_value(elf, DT_RELA, &address) ||
	    !elf_file_dynamic_value(elf, DT_RELASZ, &size))
		return true;
	if (!elf_file_at(elf, address, &pointers->relocations) || pointers->relocations.size < size)
		return false;
	pointers->relocations.size = size;
	return true;
}

/* Without a symbol, the addend is the address; the kind of relocation makes no difference. */
static bool
elf_pointer_relocate(const struct elf_file *elf, const ElfW(Rela) *relocation, uint64_t *target_r)
{
	size_t index = sizeof(ElfW(Addr)) == 8 ? ELF64_R_SYM(relocation->r_info) :
		ELF32_R_SYM(relocation->r_info);
	ElfW(Sym) symbol = {0};

	if (index != 0 && (!elf_file_symbol(elf, index, &symbol) || symbol.st_shndx == SHN_UNDEF))
		return false;
	*target_r = symbol.st_value + (uint64_t)relocation->r_addend;
	return true;
}

/* What has no relocation with an addend has its address in place: packed ones, or none. */
bool
elf_pointer_at(struct elf_pointers *pointers, uint64_t address, uint64_t *target_r)
{
	const struct elf_span *span = &pointers->relocations;
	size_t count = span->size / sizeof(ElfW(Rela));
	ElfW(Rela) relocation;
	ElfW(Addr) in_place;

	for (size_t i = 0; i < count; i++) {
		if (++pointers->steps > ELF_POINTER_STEPS_MAX ||
		    !elf_file_copy(pointers->elf, span->offset + i * sizeof(relocation), &relocation,
			sizeof(relocation)))
			return false;
		if (relocation.r_offset == address)
			return elf_pointer_relocate(pointers->elf, &relocation, target_r);
	}
	if (!elf_copy_at(pointers->elf, address, &in_place, sizeof(in_place)))
		return false;
	*target_r = in_place;
	return true;
}

bool
elf_copy_at(const struct elf_file *elf, uint64_t address, void *out, size_t size)
{
	struct elf_span span;

	return elf_file_at(elf, address, &span) && span.size >= size &&
		elf_file_copy(elf, span.offset, out, size);
}

const char *
elf_text_at(const struct elf_file *elf, uint64_t address, size_t max)
{
	struct elf_span span;
	size_t room;

	/* A segment may claim more than the file has. */
	if (!elf_file_at(elf, address, &span) || span.offset >= elf->size)
		return NULL;
	room = span.size < elf->size - span.offset ? span.size : elf->size - span.offset;
	if (room > max)
		room = max;
	if (memchr(elf->data + span.offset, '\0', room) == NULL)
		return NULL;
	return (const char *)elf->data + span.offset;
}
