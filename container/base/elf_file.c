/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Order of the checks: what the first bytes say (an ELF file at all, for this machine, a
 * shared object), whether the file is whole, then where the dynamic section leads.
 */
#include "config.h"

#include "base/elf_file.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"

/* The linker puts this at our own ELF header, which says what we are. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

enum { ELF_BEGINNING = 12 };

unsigned
elf_machine_here(void)
{
	return __ehdr_start.e_machine;
}

const char *
elf_machine_name(unsigned machine, char *buf, size_t size)
{
	static const struct {
		unsigned machine;
		const char *name;
	} names[] = {
		{EM_386, "i386"},
		{EM_X86_64, "x86-64"},
		{EM_ARM, "arm"},
		{EM_AARCH64, "aarch64"},
		{EM_RISCV, "riscv"},
		{EM_PPC, "powerpc"},
		{EM_PPC64, "powerpc64"},
		{EM_S390, "s390"},
		{EM_MIPS, "mips"},
		{EM_SPARCV9, "sparc64"},
		{EM_IA_64, "ia64"},
		{258, "loongarch"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].machine == machine)
			return names[i].name;
	snprintf(buf, size, "machine %u", machine);
	return buf;
}

/* --- rows and bytes ---------------------------------------------------------- */

bool
elf_file_copy(const struct elf_file *elf, uint64_t offset, void *out, size_t size)
{
	if (size > elf->size || offset > elf->size - size)
		return false;
	memcpy(out, elf->data + offset, size);
	return true;
}

bool
elf_file_segment(const struct elf_file *elf, size_t index, ElfW(Phdr) *segment_r)
{
	return index < elf->header.e_phnum &&
		elf_file_copy(elf, elf->header.e_phoff + index * sizeof(*segment_r), segment_r,
			sizeof(*segment_r));
}

bool
elf_file_section(const struct elf_file *elf, size_t index, ElfW(Shdr) *section_r)
{
	return index < elf->section_count &&
		elf_file_copy(elf, elf->header.e_shoff + index * sizeof(*section_r), section_r,
			sizeof(*section_r));
}

bool
elf_file_dynamic(const struct elf_file *elf, size_t index, ElfW(Dyn) *entry_r)
{
	return index < elf->dynamic.size / sizeof(*entry_r) &&
		elf_file_copy(elf, elf->dynamic.offset + index * sizeof(*entry_r), entry_r,
			sizeof(*entry_r));
}

bool
elf_file_symbol(const struct elf_file *elf, size_t index, ElfW(Sym) *symbol_r)
{
	return index < elf->symbol_count &&
		elf_file_copy(elf, elf->symbols.offset + index * sizeof(*symbol_r), symbol_r,
			sizeof(*symbol_r));
}

bool
elf_file_dynamic_value(const struct elf_file *elf, int64_t tag, uint64_t *value_r)
{
	ElfW(Dyn) entry;
	bool found = false;

	for (size_t i = 0; elf_file_dynamic(elf, i, &entry); i++)
		if (entry.d_tag == tag) {
			*value_r = entry.d_un.d_val;
			found = true;
		}
	return found;
}

const char *
elf_file_string(const struct elf_file *elf, uint64_t index)
{
	if (index >= elf->strings.size)
		return NULL;
	return (const char *)elf->data + elf->strings.offset + index;
}

bool
elf_file_at(const struct elf_file *elf, uint64_t address, struct elf_span *span_r)
{
	ElfW(Phdr) segment;

	for (size_t i = 0; elf_file_segment(elf, i, &segment); i++) {
		if (segment.p_type != PT_LOAD || address < segment.p_vaddr ||
		    address - segment.p_vaddr >= segment.p_filesz)
			continue;
		span_r->offset = segment.p_offset + (address - segment.p_vaddr);
		span_r->size = segment.p_filesz - (address - segment.p_vaddr);
		return true;
	}
	return false;
}

/* --- what the first bytes say ------------------------------------------------- */

static bool
elf_file_not_elf(const struct elf_file *elf, struct buffer *error)
{
	size_t count = elf->size < ELF_BEGINNING ? elf->size : ELF_BEGINNING;
	size_t printable = 0;
	char hex[ELF_BEGINNING * 3 + 1] = "";

	while (printable < count && elf->data[printable] >= ' ' && elf->data[printable] < 0x7f)
		printable++;
	if (printable >= 4)
		return buffer_fail(error, "not a shared object: it begins with '%.*s'",
			(int)printable, (const char *)elf->data);
	for (size_t i = 0; i < count; i++)
		snprintf(hex + 3 * i, sizeof(hex) - 3 * i, " %02x", elf->data[i]);
	return buffer_fail(error, "not a shared object: it begins with the bytes%s", hex);
}

static bool
elf_file_check_machine(const struct elf_file *elf, struct buffer *error)
{
	const uint8_t *ident = elf->data;
	unsigned bits = ident[EI_CLASS] == ELFCLASS32 ? 32 : 64;
	unsigned bits_here = __ehdr_start.e_ident[EI_CLASS] == ELFCLASS32 ? 32 : 64;
	char name[32], name_here[32];
	uint16_t machine;

	if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64)
		return buffer_fail(error, "broken: its ELF header says neither 32 nor 64 bits");
	if (ident[EI_DATA] != __ehdr_start.e_ident[EI_DATA])
		return buffer_fail(error, "built for a machine of the other byte order; this "
			"one is %s: build it here", elf_machine_name(elf_machine_here(), name_here,
			sizeof(name_here)));
	/* At the same place in both classes. */
	memcpy(&machine, elf->data + offsetof(ElfW(Ehdr), e_machine), sizeof(machine));
	if (machine == elf_machine_here() && bits == bits_here)
		return true;
	return buffer_fail(error, "built for %s (%u bits), this container runs on %s (%u bits): "
		"build it for this machine", elf_machine_name(machine, name, sizeof(name)), bits,
		elf_machine_name(elf_machine_here(), name_here, sizeof(name_here)), bits_here);
}

static bool
elf_file_check_type(const struct elf_file *elf, struct buffer *error)
{
	unsigned abi = elf->header.e_ident[EI_OSABI];

	if (elf->header.e_ident[EI_VERSION] != EV_CURRENT || elf->header.e_version != EV_CURRENT)
		return buffer_fail(error, "broken: its ELF header has an unknown version");
	if (abi != ELFOSABI_SYSV && abi != ELFOSABI_GNU)
		return buffer_fail(error, "built for another operating system (OS ABI %u): build "
			"it for Linux", abi);
	switch (elf->header.e_type) {
	case ET_DYN:
		return true;
	case ET_REL:
		return buffer_fail(error, "an object file that is not linked yet: link it with "
			"-shared");
	case ET_EXEC:
		return buffer_fail(error, "a program, not a shared object: link it with -shared");
	case ET_CORE:
		return buffer_fail(error, "a core dump, not a shared object");
	default:
		return buffer_fail(error, "not a shared object: its ELF type is %u",
			elf->header.e_type);
	}
}

static bool
elf_file_read_header(struct elf_file *elf, struct buffer *error)
{
	if (elf->size == 0)
		return buffer_fail(error, "empty");
	if (elf->size < SELFMAG || memcmp(elf->data, ELFMAG, SELFMAG) != 0)
		return elf_file_not_elf(elf, error);
	if (!elf_file_copy(elf, 0, &elf->header, sizeof(elf->header)))
		return buffer_fail(error, "cut short: an ELF header has %zu bytes, the file has "
			"%zu: copy it again", sizeof(elf->header), elf->size);
	return elf_file_check_machine(elf, error) && elf_file_check_type(elf, error);
}

/* --- whether the file is whole ------------------------------------------------ */

static bool
elf_file_cut(const struct elf_file *elf, struct buffer *error, const char *what, uint64_t offset,
	uint64_t size)
{
	uint64_t end;

	if (__builtin_add_overflow(offset, size, &end))
		return buffer_fail(error, "broken: the size of its %s is absurd", what);
	return buffer_fail(error, "cut short: its %s end at byte %llu, the file has %zu: copy it "
		"again", what, (unsigned long long)end, elf->size);
}

static bool
elf_file_holds(const struct elf_file *elf, uint64_t offset, uint64_t size)
{
	return size <= elf->size && offset <= elf->size - size;
}

static bool
elf_file_check_segments(const struct elf_file *elf, struct buffer *error)
{
	const ElfW(Ehdr) *header = &elf->header;
	uint64_t size = (uint64_t)header->e_phnum * sizeof(ElfW(Phdr));
	uint64_t last = 0;
	ElfW(Phdr) segment;
	bool loads = false;

	if (header->e_phnum == 0 || header->e_phnum == PN_XNUM)
		return buffer_fail(error, "broken: it has no usable program headers");
	if (header->e_phentsize != sizeof(ElfW(Phdr)))
		return buffer_fail(error, "broken: its program headers have %u bytes, not %zu",
			header->e_phentsize, sizeof(ElfW(Phdr)));
	if (!elf_file_holds(elf, header->e_phoff, size))
		return elf_file_cut(elf, error, "program headers", header->e_phoff, size);
	for (size_t i = 0; elf_file_segment(elf, i, &segment); i++) {
		if (segment.p_type == PT_NULL)
			continue;
		if (segment.p_filesz > 0 && !elf_file_holds(elf, segment.p_offset, segment.p_filesz))
			return elf_file_cut(elf, error, "segments", segment.p_offset,
				segment.p_filesz);
		if (segment.p_type != PT_LOAD)
			continue;
		if (segment.p_memsz < segment.p_filesz ||
		    segment.p_memsz > (uint64_t)INTPTR_MAX - segment.p_vaddr ||
		    segment.p_vaddr > INTPTR_MAX || (loads && segment.p_vaddr < last))
			return buffer_fail(error, "broken: the addresses of its segments make no "
				"sense");
		last = segment.p_vaddr + segment.p_memsz;
		loads = true;
	}
	if (!loads)
		return buffer_fail(error, "broken: nothing of it is meant to be loaded");
	return true;
}

/* Linkers put the section headers last, so these tell best whether the end is missing. */
static bool
elf_file_check_sections(struct elf_file *elf, struct buffer *error)
{
	const ElfW(Ehdr) *header = &elf->header;
	ElfW(Shdr) section;
	uint64_t count = header->e_shnum;

	if (header->e_shoff == 0)
		return true;
	if (header->e_shentsize != sizeof(ElfW(Shdr)))
		return buffer_fail(error, "broken: its section headers have %u bytes, not %zu",
			header->e_shentsize, sizeof(ElfW(Shdr)));
	if (count == 0 && elf_file_copy(elf, header->e_shoff, &section, sizeof(section)))
		count = section.sh_size;
	if (count > UINT32_MAX)
		return buffer_fail(error, "broken: it has %llu sections", (unsigned long long)count);
	if (!elf_file_holds(elf, header->e_shoff, count * sizeof(section)))
		return elf_file_cut(elf, error, "section headers", header->e_shoff,
			count * sizeof(section));
	elf->section_count = count;
	for (size_t i = 0; elf_file_section(elf, i, &section); i++)
		if (section.sh_type != SHT_NULL && section.sh_type != SHT_NOBITS &&
		    section.sh_size > 0 &&
		    !elf_file_holds(elf, section.sh_offset, section.sh_size))
			return elf_file_cut(elf, error, "sections", section.sh_offset,
				section.sh_size);
	return true;
}

/* --- where the dynamic section leads ------------------------------------------ */

static bool
elf_file_find_dynamic(struct elf_file *elf, struct buffer *error)
{
	ElfW(Phdr) segment;
	ElfW(Dyn) entry;
	size_t count = 0;

	for (size_t i = 0; elf_file_segment(elf, i, &segment); i++) {
		if (segment.p_type != PT_DYNAMIC)
			continue;
		/* The loader goes by the address, not by the offset. */
		if (elf->dynamic.size > 0 || !elf_file_at(elf, segment.p_vaddr, &elf->dynamic) ||
		    elf->dynamic.size < segment.p_filesz)
			return buffer_fail(error, "broken: its dynamic section is not where it says");
		elf->dynamic.size = segment.p_filesz;
	}
	while (elf_file_dynamic(elf, count, &entry) && entry.d_tag != DT_NULL)
		count++;
	if (count == 0)
		return buffer_fail(error, "not a shared object: it has no dynamic section; link "
			"it with -shared");
	elf->dynamic.size = count * sizeof(entry);
	return true;
}

static bool
elf_file_find_strings(struct elf_file *elf, struct buffer *error)
{
	uint64_t address, size;

	if (!elf_file_dynamic_value(elf, DT_STRTAB, &address) ||
	    !elf_file_dynamic_value(elf, DT_STRSZ, &size) ||
	    !elf_file_at(elf, address, &elf->strings) || size == 0 || size > elf->strings.size ||
	    elf->data[elf->strings.offset + size - 1] != '\0')
		return buffer_fail(error, "broken: its dynamic strings are not in it");
	elf->strings.size = size;
	return true;
}

/* The symbols that DT_GNU_HASH covers end where its last chain does. */
static size_t
elf_file_count_gnu_hash(const struct elf_file *elf, uint64_t address)
{
	struct elf_span table;
	uint32_t head[4]; /* buckets, first symbol, words of the filter, shift */
	uint64_t buckets, chains, last = 0;
	uint32_t word;

	if (!elf_file_at(elf, address, &table) || table.size < sizeof(head) ||
	    !elf_file_copy(elf, table.offset, head, sizeof(head)))
		return 0;
	buckets = table.offset + sizeof(head) + (uint64_t)head[2] * sizeof(ElfW(Addr));
	chains = buckets + (uint64_t)head[0] * sizeof(word);
	for (uint32_t i = 0; i < head[0]; i++) {
		if (!elf_file_copy(elf, buckets + (uint64_t)i * sizeof(word), &word, sizeof(word)))
			return 0;
		if (word > last)
			last = word;
	}
	if (last < head[1])
		return head[1];
	do {
		if (!elf_file_copy(elf, chains + (last - head[1]) * sizeof(word), &word,
			sizeof(word)))
			return 0;
		last++;
	} while ((word & 1) == 0);
	return last;
}

/* No table says outright how many symbols there are; what says most is believed. */
static size_t
elf_file_count_symbols(const struct elf_file *elf)
{
	uint64_t address;
	uint32_t head[2]; /* of DT_HASH: buckets, symbols */
	struct elf_span table;
	ElfW(Shdr) section;
	size_t count = 0;

	if (elf_file_dynamic_value(elf, DT_GNU_HASH, &address))
		count = elf_file_count_gnu_hash(elf, address);
	if (elf_file_dynamic_value(elf, DT_HASH, &address) && elf_file_at(elf, address, &table) &&
	    table.size >= sizeof(head) && elf_file_copy(elf, table.offset, head, sizeof(head)) &&
	    head[1] > count)
		count = head[1];
	for (size_t i = 0; elf_file_section(elf, i, &section); i++)
		if (section.sh_type == SHT_DYNSYM && section.sh_offset == elf->symbols.offset &&
		    section.sh_size / sizeof(ElfW(Sym)) > count)
			count = section.sh_size / sizeof(ElfW(Sym));
	return count;
}

static bool
elf_file_find_symbols(struct elf_file *elf, struct buffer *error)
{
	uint64_t address, size;

	if (!elf_file_dynamic_value(elf, DT_SYMTAB, &address) ||
	    !elf_file_dynamic_value(elf, DT_SYMENT, &size) || size != sizeof(ElfW(Sym)) ||
	    !elf_file_at(elf, address, &elf->symbols))
		return buffer_fail(error, "broken: its dynamic symbols are not in it");
	elf->symbol_count = elf_file_count_symbols(elf);
	if (elf->symbol_count > elf->symbols.size / sizeof(ElfW(Sym)))
		return buffer_fail(error, "broken: it has fewer dynamic symbols than it says");
	elf->symbols.size = elf->symbol_count * sizeof(ElfW(Sym));
	return true;
}

bool
elf_file_parse(struct elf_file *elf, const void *data, size_t size, struct buffer *error)
{
	*elf = (struct elf_file){.data = data, .size = size};
	return elf_file_read_header(elf, error) && elf_file_check_segments(elf, error) &&
		elf_file_check_sections(elf, error) && elf_file_find_dynamic(elf, error) &&
		elf_file_find_strings(elf, error) && elf_file_find_symbols(elf, error);
}
