/* SPDX-License-Identifier: BSD-2-Clause */
/* What bayctl new writes and refuses; tests/system/test_new.sh builds it. */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "ctl/run.h"
#include "support/check_main.h"
#include "support/temp_dir.h"

static struct temp_dir dir;
static struct run run;

/* Each test is a process of its own, which works in a directory of its own. */
static void
start(void)
{
	temp_dir_init(&dir);
	ck_assert_int_eq(chdir(dir.path), 0);
}

static void
finish(void)
{
	run_finish(&run);
	ck_assert_int_eq(chdir("/"), 0);
	temp_dir_finish(&dir);
}

static bool
is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

START_TEST(a_project_is_written_with_its_name_everywhere)
{
	static const char *const files[] = {"square2.c", "test_square2.c", "square2.ini", "README.md",
		"Makefile", "Makefile.am", "configure.ac", ".gitignore", "try-it.ini"};
	const json_t *named;

	start();
	run_json(&run, "new", "square2", NULL);
	ck_assert_int_eq(run.exit, 0);
	named = json_object_get(json_object_get(run.json, "data"), "files");
	ck_assert_uint_eq(json_array_size(named), sizeof(files) / sizeof(*files));
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct buffer text = {0};
		char path[64];

		snprintf(path, sizeof(path), "square2/%s", files[i]);
		ck_assert_msg(fd_read_file(AT_FDCWD, path, 0, 1 << 20, &text), "%s", path);
		ck_assert_msg(strstr(buffer_text(&text), "square2") != NULL, "%s", path);
		ck_assert_msg(strstr(buffer_text(&text), "@NAME@") == NULL, "%s", path);
		buffer_finish(&text);
	}
	finish();
}
END_TEST

START_TEST(each_kind_is_another_plugin)
{
	static const char *const kinds[][2] = {
		{"call", ".handle = greet"},
		{"run", "bay_ticker_next"},
		{"stream", "bay_serve"},
	};

	start();
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct buffer text = {0};
		char name[64];
		char path[200];

		snprintf(name, sizeof(name), "my_%s", kinds[i][0]);
		run_words(&run, "new", name, "--kind", kinds[i][0], NULL);
		ck_assert_int_eq(run.exit, 0);
		snprintf(path, sizeof(path), "%s/%s.c", name, name);
		ck_assert(fd_read_file(AT_FDCWD, path, 0, 1 << 20, &text));
		ck_assert_msg(strstr(buffer_text(&text), kinds[i][1]) != NULL, "%s", path);
		buffer_finish(&text);
	}
	run_words(&run, "new", "other", "--kind", "flow", NULL);
	ck_assert_int_eq(run.exit, 2);
	ck_assert_ptr_nonnull(strstr(run.err, "--kind wants call, run or stream, not \"flow\""));
	ck_assert(!is_there("other"));
	finish();
}
END_TEST

START_TEST(a_name_is_that_of_an_identifier)
{
	static const char *const wrong[] = {"", "7up", "my-plugin", "a/b", "..", ".", "a b", "\xc3\xa4",
		"a123456789012345678901234567890123456789012345678", "a.so"};

	start();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		run_words(&run, "new", "--", wrong[i], NULL);
		ck_assert_msg(run.exit == 2, "%s", wrong[i]);
		ck_assert_ptr_nonnull(strstr(run.err, "is no name for a plugin"));
		ck_assert_int_ne(rmdir("."), 0);
	}
	run_words(&run, "new", "my-plugin", NULL);
	ck_assert_ptr_nonnull(strstr(run.err, "how about my_plugin?"));
	ck_assert(!is_there("my_plugin"));
	run_words(&run, "new", "_a1", NULL);
	ck_assert_int_eq(run.exit, 0);
	run_words(&run, "new", "a12345678901234567890123456789012345678901234567", NULL);
	ck_assert_int_eq(run.exit, 2);
	run_words(&run, "new", "a1234567890123456789012345678901234567890123456", NULL);
	ck_assert_int_eq(run.exit, 0);
	finish();
}
END_TEST

START_TEST(what_is_there_already_is_not_touched)
{
	struct buffer text = {0};

	start();
	temp_dir_write(&dir, "file", "mine");
	ck_assert_int_eq(mkdir("empty", 0700), 0);
	ck_assert_int_eq(symlink("nowhere", "link"), 0);
	run_words(&run, "new", "file", NULL);
	ck_assert_int_eq(run.exit, 1);
	ck_assert_ptr_nonnull(strstr(run.err, "file is there already; nothing was written"));
	ck_assert(fd_read_file(AT_FDCWD, "file", 0, 100, &text));
	ck_assert_str_eq(buffer_text(&text), "mine");
	run_words(&run, "new", "empty", NULL);
	ck_assert_int_eq(run.exit, 1);
	ck_assert_int_eq(rmdir("empty"), 0);
	run_words(&run, "new", "link", NULL);
	ck_assert_int_eq(run.exit, 1);
	ck_assert(!is_there("nowhere"));
	buffer_finish(&text);
	finish();
}
END_TEST

/* A full disk, as it looks to whoever writes. */
START_TEST(what_could_not_be_finished_is_taken_away)
{
	struct rlimit limit = {.rlim_cur = 1000, .rlim_max = RLIM_INFINITY};

	start();
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	run_words(&run, "new", "large", NULL);
	limit.rlim_cur = RLIM_INFINITY;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(run.exit, 1);
	ck_assert_ptr_nonnull(strstr(run.err, "writing large: File too large"));
	ck_assert(!is_there("large"));
	finish();
}
END_TEST

CHECK_MAIN("ctl/verb_new",
	a_project_is_written_with_its_name_everywhere,
	each_kind_is_another_plugin,
	a_name_is_that_of_an_identifier,
	what_is_there_already_is_not_touched,
	what_could_not_be_finished_is_taken_away)
