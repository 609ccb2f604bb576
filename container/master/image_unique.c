/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/image_unique.h"

#include <stdint.h>
#include <sys/mman.h>

#include "base/buffer.h"
#include "base/elf_file.h"

/* Weak is what the same symbols are on systems that know no unique ones. */
static int
image_unique_rewrite(const struct elf_file *elf, uint8_t *data)
{
	ElfW(Sym) symbol;
	int count = 0;

	for (size_t i = 0; elf_file_symbol(elf, i, &symbol); i++) {
		size_t offset = elf->symbols.offset + i * sizeof(symbol);

		if (ELF64_ST_BIND(symbol.st_info) != STB_GNU_UNIQUE)
			continue;
		data[offset + offsetof(ElfW(Sym), st_info)] =
			ELF64_ST_INFO(STB_WEAK, ELF64_ST_TYPE(symbol.st_info));
		if (count < INT32_MAX)
			count++;
	}
	return count;
}

int
image_forget_unique(int fd, size_t size)
{
	uint8_t *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	struct buffer ignored = {0};
	struct elf_file elf;
	int count = 0;

	if (data == MAP_FAILED)
		return -1;
	if (elf_file_parse(&elf, data, size, &ignored))
		count = image_unique_rewrite(&elf, data);
	buffer_finish(&ignored);
	munmap(data, size);
	return count;
}
