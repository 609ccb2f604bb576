/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/elf_symbols.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/stat.h>

#include "support/check_main.h"
#include "support/temp_dir.h"

/* A function whose name is only in the table of all symbols. */
static __attribute__((noinline)) int
here_it_is(int number)
{
	return number * 3 + 1;
}

START_TEST(a_static_function_of_a_program_is_named)
{
	struct elf_symbols *symbols = elf_symbols_open("/proc/self/exe");
	uint64_t offset = 0;
	const char *name;
	Dl_info info;

	ck_assert_int_eq(here_it_is(1), 4);
	ck_assert_int_ne(dladdr((void *)(uintptr_t)here_it_is, &info), 0);
	ck_assert_ptr_nonnull(symbols);
	name = elf_symbols_find(symbols, (uint64_t)((uintptr_t)here_it_is - (uintptr_t)info.dli_fbase) + 1,
		&offset);
	ck_assert_ptr_nonnull(name);
	ck_assert_str_eq(name, "here_it_is");
	ck_assert_uint_eq(offset, 1);
	elf_symbols_close(symbols);
}
END_TEST

START_TEST(a_library_names_what_it_exports)
{
	void *function = dlsym(RTLD_DEFAULT, "gnu_get_libc_version");
	struct elf_symbols *symbols;
	uint64_t offset;
	const char *name;
	Dl_info info;

	ck_assert_int_ne(dladdr(function, &info), 0);
	symbols = elf_symbols_open(info.dli_fname);
	ck_assert_ptr_nonnull(symbols);
	name = elf_symbols_find(symbols, (uintptr_t)function - (uintptr_t)info.dli_fbase, &offset);
	ck_assert_ptr_nonnull(name);
	ck_assert_str_eq(name, "gnu_get_libc_version");
	ck_assert_ptr_null(elf_symbols_find(symbols, UINT64_MAX, &offset));
	elf_symbols_close(symbols);
}
END_TEST

START_TEST(what_is_no_object_has_no_symbols)
{
	struct temp_dir dir;
	char broken[4096];

	temp_dir_init(&dir);
	temp_dir_write(&dir, "text", "no object");
	ck_assert_ptr_null(elf_symbols_open(temp_dir_path(&dir, "text")));
	ck_assert_ptr_null(elf_symbols_open(temp_dir_path(&dir, "missing")));
	ck_assert_ptr_null(elf_symbols_open("/"));
	/* Not one that waits for somebody who writes. */
	ck_assert_int_eq(mkfifo(temp_dir_path(&dir, "fifo"), 0600), 0);
	ck_assert_ptr_null(elf_symbols_open(temp_dir_path(&dir, "fifo")));
	memset(broken, 'x', sizeof broken - 1);
	broken[sizeof broken - 1] = '\0';
	memcpy(broken, "\177ELF\2\1\1", 7);
	temp_dir_write(&dir, "broken", broken);
	ck_assert_ptr_null(elf_symbols_open(temp_dir_path(&dir, "broken")));
	temp_dir_finish(&dir);
}
END_TEST

CHECK_MAIN("base/elf_symbols",
	a_static_function_of_a_program_is_named,
	a_library_names_what_it_exports,
	what_is_no_object_has_no_symbols)
