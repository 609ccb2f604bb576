/* SPDX-License-Identifier: BSD-2-Clause */
/* Each test copies this program to where it pretends to be installed and runs it there. */
#include "config.h"

#include "base/program.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "support/check_main.h"
#include "support/temp_dir.h"

enum { PROGRAM_MAX = 64 << 20 };

static void
make_executable(struct temp_dir *dir, const char *name)
{
	temp_dir_write(dir, name, "#!/bin/sh\n");
	ck_assert_int_eq(chmod(temp_dir_path(dir, name), 0755), 0);
}

/* In the child that has become the copy: prints what it finds. */
__attribute__((constructor)) static void
answer_when_asked(void)
{
	const char *libexec_dir = getenv("TEST_PROGRAM_LIBEXEC");
	struct program program;

	if (libexec_dir == NULL)
		return;
	if (program_sibling("bay-cell", libexec_dir, &program))
		printf("%s|%s\n", program.path, program.library_dir);
	else
		printf("none, last %s\n", program.path);
	fflush(NULL);
	_exit(0);
}

/* Runs a copy of this program as dir/name; what it found is answer, below dir. */
static void
found_from(struct temp_dir *dir, const char *name, const char *libexec, char *answer,
	size_t size)
{
	struct buffer image = {0};
	char command[1200];
	FILE *from;

	ck_assert(fd_read_file(AT_FDCWD, "/proc/self/exe", 0, PROGRAM_MAX, &image));
	temp_dir_write_bytes(dir, name, image.data, image.size);
	buffer_finish(&image);
	ck_assert_int_eq(chmod(temp_dir_path(dir, name), 0755), 0);
	snprintf(command, sizeof(command), "TEST_PROGRAM_LIBEXEC=%s %s | sed 's,%s/,,g'",
		temp_dir_path(dir, libexec), temp_dir_path(dir, name), dir->path);
	from = popen(command, "r");
	ck_assert_ptr_nonnull(from);
	ck_assert_ptr_nonnull(fgets(answer, (int)size, from));
	pclose(from);
}

START_TEST(a_program_beside_us_is_found_first)
{
	struct temp_dir dir;
	char answer[1024];

	temp_dir_init(&dir);
	make_executable(&dir, "bin/bay-cell");
	make_executable(&dir, "libexec/bay-cell");
	found_from(&dir, "bin/self", "libexec", answer, sizeof(answer));
	ck_assert_str_eq(answer, "bin/bay-cell|\n");
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_build_tree_gives_the_real_program_and_its_library_directory)
{
	struct temp_dir dir;
	char answer[1024];

	temp_dir_init(&dir);
	make_executable(&dir, "container/bay-cell");
	make_executable(&dir, "container/.libs/bay-cell");
	found_from(&dir, "container/self", "libexec", answer, sizeof(answer));
	ck_assert_str_eq(answer, "container/.libs/bay-cell|container/.libs\n");
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(from_inside_libs_its_own_directory_and_the_one_above_are_searched)
{
	struct temp_dir dir;
	char answer[1024];

	temp_dir_init(&dir);
	make_executable(&dir, "container/bay-cell");
	found_from(&dir, "container/.libs/self", "libexec", answer, sizeof(answer));
	ck_assert_str_eq(answer, "container/.libs/../bay-cell|\n");
	make_executable(&dir, "container/.libs/bay-cell");
	found_from(&dir, "container/.libs/self", "libexec", answer, sizeof(answer));
	ck_assert_str_eq(answer, "container/.libs/bay-cell|container/.libs\n");
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(the_configured_directory_is_the_last_resort)
{
	struct temp_dir dir;
	char answer[1024];

	temp_dir_init(&dir);
	make_executable(&dir, "libexec/bay-cell");
	found_from(&dir, "bin/self", "libexec", answer, sizeof(answer));
	ck_assert_str_eq(answer, "libexec/bay-cell|\n");
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(what_is_nowhere_or_not_executable_is_not_found)
{
	struct temp_dir dir;
	char answer[1024];

	temp_dir_init(&dir);
	temp_dir_write(&dir, "bin/bay-cell", "not executable");
	temp_dir_write(&dir, "libexec/bay-cell/in", "a directory");
	found_from(&dir, "bin/self", "libexec", answer, sizeof(answer));
	ck_assert_str_eq(answer, "none, last libexec/bay-cell\n");
	temp_dir_finish(&dir);
}
END_TEST

CHECK_MAIN("base/program",
	a_program_beside_us_is_found_first,
	a_build_tree_gives_the_real_program_and_its_library_directory,
	from_inside_libs_its_own_directory_and_the_one_above_are_searched,
	the_configured_directory_is_the_last_resort,
	what_is_nowhere_or_not_executable_is_not_found)
