/* SPDX-License-Identifier: BSD-2-Clause */
/* Only the tables are read, by pread: debug information makes files of gigabytes, and a file that
 * is cut while it is mapped would end us. */
#include "config.h"

#include "base/elf_symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"

enum {
	ELF_SYMBOLS_SECTIONS_MAX = 4096,
	ELF_SYMBOLS_BYTES_MAX = 64 << 20 /* of each table */
};

struct elf_symbols {
	ElfW(Sym) *rows;
	size_t count;
	char *strings; /* its last byte is NUL */
	size_t strings_size;
};

/* The bytes there, malloc'd, with a NUL behind them; NULL: they are not all there. */
static void *
elf_symbols_read(int fd, uint64_t offset, uint64_t size)
{
	char *data;

	if (size == 0 || size > ELF_SYMBOLS_BYTES_MAX || offset > INT64_MAX - size)
		return NULL;
	data = alloc_try((size_t)size + 1);
	if (data == NULL)
		return NULL;
	if (pread(fd, data, (size_t)size, (off_t)offset) != (ssize_t)size) {
		free(data);
		return NULL;
	}
	data[size] = '\0';
	return data;
}

static bool
elf_symbols_read_header(int fd, ElfW(Ehdr) *header)
{
	return pread(fd, header, sizeof(*header), 0) == (ssize_t)sizeof(*header) &&
		memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
		header->e_ident[EI_CLASS] == (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) &&
		header->e_shentsize == sizeof(ElfW(Shdr)) && header->e_shnum > 0 &&
		header->e_shnum <= ELF_SYMBOLS_SECTIONS_MAX;
}

/* The one with all symbols, or else that of the exported ones. */
static const ElfW(Shdr) *
elf_symbols_choose(const ElfW(Shdr) *sections, size_t count)
{
	const ElfW(Shdr) *chosen = NULL;

	for (size_t i = 0; i < count; i++) {
		if (sections[i].sh_entsize != sizeof(ElfW(Sym)) || sections[i].sh_link >= count)
			continue;
		if (sections[i].sh_type == SHT_SYMTAB)
			return &sections[i];
		if (sections[i].sh_type == SHT_DYNSYM)
			chosen = &sections[i];
	}
	return chosen;
}

static struct elf_symbols *
elf_symbols_load(int fd)
{
	struct elf_symbols *symbols = xcalloc(1, sizeof(*symbols));
	ElfW(Shdr) *sections = NULL;
	const ElfW(Shdr) *table = NULL;
	ElfW(Ehdr) header;

	if (elf_symbols_read_header(fd, &header))
		sections = elf_symbols_read(fd, header.e_shoff, (uint64_t)header.e_shnum * sizeof(*sections));
	if (sections != NULL)
		table = elf_symbols_choose(sections, header.e_shnum);
	if (table != NULL) {
		const ElfW(Shdr) *strings = &sections[table->sh_link];

		symbols->count = table->sh_size / sizeof(ElfW(Sym));
		symbols->rows = elf_symbols_read(fd, table->sh_offset, symbols->count * sizeof(ElfW(Sym)));
		symbols->strings = elf_symbols_read(fd, strings->sh_offset, strings->sh_size);
		symbols->strings_size = strings->sh_size;
	}
	free(sections);
	if (symbols->rows != NULL && symbols->strings != NULL)
		return symbols;
	elf_symbols_close(symbols);
	return NULL;
}

struct elf_symbols *
elf_symbols_open(const char *path)
{
	/* Not one that would wait: a pipe. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct elf_symbols *symbols = NULL;
	struct stat st;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		symbols = elf_symbols_load(fd);
	fd_close(&fd);
	return symbols;
}

void
elf_symbols_close(struct elf_symbols *symbols)
{
	if (symbols == NULL)
		return;
	free(symbols->rows);
	free(symbols->strings);
	free(symbols);
}

const char *
elf_symbols_find(const struct elf_symbols *symbols, uint64_t address, uint64_t *offset_r)
{
	const ElfW(Sym) *best = NULL;

	for (size_t i = 0; i < symbols->count; i++) {
		const ElfW(Sym) *row = &symbols->rows[i];
		unsigned type = ELF64_ST_TYPE(row->st_info);

		if ((type != STT_FUNC && type != STT_GNU_IFUNC) || row->st_shndx == SHN_UNDEF ||
		    row->st_name == 0 || row->st_name >= symbols->strings_size || row->st_value > address)
			continue;
		/* One written in assembler may not say how long it is. */
		if (row->st_size == 0 ? address - row->st_value >= 256 : address - row->st_value >= row->st_size)
			continue;
		if (best == NULL || row->st_value > best->st_value)
			best = row;
	}
	if (best == NULL)
		return NULL;
	*offset_r = address - best->st_value;
	return symbols->strings + best->st_name;
}
