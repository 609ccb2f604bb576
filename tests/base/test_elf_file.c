/* SPDX-License-Identifier: BSD-2-Clause */
/* Broken files are the business of service/test_plugin_file; here is what a whole one shows. */
#include "config.h"

#include "base/elf_file.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "support/check_main.h"

enum { FILE_MAX = 64 << 20 };

/* The C library, as a shared object that is there for sure. */
static void
parse_libc(struct elf_file *elf, struct buffer *bytes)
{
	struct buffer error = {0};
	Dl_info info;

	ck_assert_int_ne(dladdr(dlsym(RTLD_DEFAULT, "gnu_get_libc_version"), &info), 0);
	ck_assert(fd_read_file(AT_FDCWD, info.dli_fname, 0, FILE_MAX, bytes));
	ck_assert_msg(elf_file_parse(elf, bytes->data, bytes->size, &error), "%s",
		buffer_text(&error));
}

START_TEST(a_library_shows_its_name_and_its_symbols)
{
	struct buffer bytes = {0};
	struct elf_file elf;
	ElfW(Sym) symbol;
	uint64_t soname;
	bool found = false;

	parse_libc(&elf, &bytes);
	ck_assert_uint_eq(elf.header.e_machine, elf_machine_here());
	ck_assert(elf_file_dynamic_value(&elf, DT_SONAME, &soname));
	ck_assert_ptr_nonnull(strstr(elf_file_string(&elf, soname), ".so"));
	for (size_t i = 0; elf_file_symbol(&elf, i, &symbol); i++)
		if (strcmp(elf_file_string(&elf, symbol.st_name), "gnu_get_libc_version") == 0)
			found = symbol.st_shndx != SHN_UNDEF;
	ck_assert(found);
	buffer_finish(&bytes);
}
END_TEST

START_TEST(rows_and_bytes_beyond_the_end_are_not_there)
{
	struct buffer bytes = {0};
	struct elf_file elf;
	struct elf_span span;
	ElfW(Phdr) segment;
	ElfW(Shdr) section;
	ElfW(Dyn) entry;
	ElfW(Sym) symbol;
	char byte;

	parse_libc(&elf, &bytes);
	ck_assert(!elf_file_segment(&elf, elf.header.e_phnum, &segment));
	ck_assert(!elf_file_section(&elf, elf.section_count, &section));
	ck_assert(!elf_file_dynamic(&elf, elf.dynamic.size / sizeof(entry), &entry));
	ck_assert(!elf_file_symbol(&elf, elf.symbol_count, &symbol));
	ck_assert_ptr_null(elf_file_string(&elf, elf.strings.size));
	ck_assert(!elf_file_at(&elf, UINT64_MAX, &span));
	ck_assert(elf_file_copy(&elf, bytes.size - 1, &byte, 1));
	ck_assert(!elf_file_copy(&elf, bytes.size, &byte, 1));
	ck_assert(!elf_file_copy(&elf, UINT64_MAX, &byte, 1));
	ck_assert(!elf_file_copy(&elf, 0, &byte, bytes.size + 1));
	buffer_finish(&bytes);
}
END_TEST

START_TEST(an_address_leads_to_bytes_of_its_segment_only)
{
	struct buffer bytes = {0};
	struct elf_file elf;
	struct elf_span span;
	ElfW(Phdr) segment;

	parse_libc(&elf, &bytes);
	for (size_t i = 0; elf_file_segment(&elf, i, &segment); i++) {
		if (segment.p_type != PT_LOAD || segment.p_filesz == 0)
			continue;
		ck_assert(elf_file_at(&elf, segment.p_vaddr + segment.p_filesz - 1, &span));
		ck_assert_uint_eq(span.offset, segment.p_offset + segment.p_filesz - 1);
		ck_assert_uint_eq(span.size, 1);
	}
	buffer_finish(&bytes);
}
END_TEST

START_TEST(machines_have_names)
{
	char buf[32];

	ck_assert_str_eq(elf_machine_name(EM_X86_64, buf, sizeof(buf)), "x86-64");
	ck_assert_str_eq(elf_machine_name(EM_AARCH64, buf, sizeof(buf)), "aarch64");
	ck_assert_str_eq(elf_machine_name(4242, buf, sizeof(buf)), "machine 4242");
}
END_TEST

CHECK_MAIN("base/elf_file",
	a_library_shows_its_name_and_its_symbols,
	rows_and_bytes_beyond_the_end_are_not_there,
	an_address_leads_to_bytes_of_its_segment_only,
	machines_have_names)
