/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check and inspect, with a copy of bayctl in a directory where the other programs are small
 * scripts: beside itself is where it looks for them.
 */
#include "config.h"

#include <fcntl.h>
#include <jansson.h>
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

static struct temp_dir dir;
static struct buffer out;

static void
install(const char *name, const char *script)
{
	temp_dir_write(&dir, name, script);
	ck_assert_int_eq(chmod(temp_dir_path(&dir, name), 0755), 0);
}

static void
start(void)
{
	struct buffer program = {0};

	temp_dir_init(&dir);
	/* libtool makes a script of a program that needs libraries of the build tree. */
	if (!fd_read_file(-1, TOP_BUILDDIR "/container/.libs/bayctl", 0, 100 << 20, &program))
		ck_assert(fd_read_file(-1, TOP_BUILDDIR "/container/bayctl", 0, 100 << 20, &program));
	temp_dir_write_bytes(&dir, "bayctl", program.data, program.size);
	ck_assert_int_eq(chmod(temp_dir_path(&dir, "bayctl"), 0755), 0);
	buffer_finish(&program);
}

static void
finish(void)
{
	buffer_finish(&out);
	temp_dir_finish(&dir);
}

/* Runs bayctl with these words; all that it prints is in out. Returns the exit code. */
static int
run(const char *words)
{
	char command[1000];
	int status;
	FILE *pipe;

	snprintf(command, sizeof(command), "%s %s 2>&1", temp_dir_path(&dir, "bayctl"), words);
	buffer_clear(&out);
	pipe = popen(command, "re");
	ck_assert_ptr_nonnull(pipe);
	ck_assert(fd_read_all(fileno(pipe), 1 << 20, &out));
	ck_assert_ptr_nonnull(buffer_text(&out));
	status = pclose(pipe);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static const char *
printed(void)
{
	return (const char *)out.data;
}

START_TEST(check_runs_bayd_with_the_file_and_passes_its_exit_code_on)
{
	start();
	install("bayd", "#!/bin/sh\necho \"bayd $*\"\nexit 5\n");
	ck_assert_int_eq(run("check"), 5);
	ck_assert_str_eq(printed(), "bayd -t\n");
	ck_assert_int_eq(run("check 'a file.ini'"), 5);
	ck_assert_str_eq(printed(), "bayd -t -c a file.ini\n");
	finish();
}
END_TEST

START_TEST(inspect_runs_bay_cell_with_the_file)
{
	start();
	install("bay-cell", "#!/bin/sh\necho \"bay-cell $*\"\n");
	ck_assert_int_eq(run("inspect x.so"), 0);
	ck_assert_str_eq(printed(), "bay-cell inspect x.so\n");
	finish();
}
END_TEST

START_TEST(a_program_that_is_missing_is_named)
{
	start();
	ck_assert_int_eq(run("inspect x.so"), 1);
	ck_assert_ptr_nonnull(strstr(printed(), "bay-cell is neither beside bayctl nor in "));
	finish();
}
END_TEST

START_TEST(a_program_that_cannot_be_run_is_a_failure)
{
	start();
	install("bayd", "#!/nonexistent/interpreter\n");
	ck_assert_int_eq(run("check"), 1);
	ck_assert_ptr_nonnull(strstr(printed(), "bayctl: running "));
	finish();
}
END_TEST

static json_t *
printed_json(void)
{
	json_t *json = json_loadb((const char *)out.data, out.size, 0, NULL);

	ck_assert_msg(json != NULL, "%s", printed());
	ck_assert_int_eq(json_integer_value(json_object_get(json, "schema")), 1);
	return json;
}

START_TEST(with_json_the_object_of_the_program_is_the_data)
{
	json_t *json;

	start();
	install("bay-cell", "#!/bin/sh\necho \"{\\\"words\\\":\\\"$*\\\"}\"\n");
	ck_assert_int_eq(run("--json inspect x.so"), 0);
	json = printed_json();
	ck_assert(json_is_true(json_object_get(json, "ok")));
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(json, "data"), "words")),
		"inspect x.so --json");
	json_decref(json);
	finish();
}
END_TEST

START_TEST(with_json_text_becomes_lines_and_the_first_is_the_message)
{
	json_t *json;
	const json_t *error;

	start();
	install("bayd", "#!/bin/sh\necho 'bay.ini:3: bad key' >&2\necho more\nexit 5\n");
	ck_assert_int_eq(run("--json check"), 5);
	json = printed_json();
	error = json_object_get(json, "error");
	ck_assert(json_is_false(json_object_get(json, "ok")));
	ck_assert_str_eq(json_string_value(json_object_get(error, "code")), "invalid");
	ck_assert_str_eq(json_string_value(json_object_get(error, "message")), "bay.ini:3: bad key");
	ck_assert_uint_eq(json_array_size(json_object_get(json_object_get(json, "data"), "output")), 2);
	json_decref(json);
	finish();
}
END_TEST

START_TEST(with_json_the_reason_of_the_program_is_the_message)
{
	json_t *json;
	const json_t *error;

	start();
	install("bay-cell", "#!/bin/sh\necho '{\"ok\":false,\"reason\":\"it is not there\"}'\nexit 4\n");
	ck_assert_int_eq(run("--json inspect x.so"), 4);
	json = printed_json();
	error = json_object_get(json, "error");
	ck_assert_str_eq(json_string_value(json_object_get(error, "code")), "not-found");
	ck_assert_str_eq(json_string_value(json_object_get(error, "message")), "it is not there");
	json_decref(json);
	finish();
}
END_TEST

START_TEST(with_json_a_crash_is_told)
{
	json_t *json;

	start();
	install("bayd", "#!/bin/sh\nkill -SEGV $$\n");
	ck_assert_int_eq(run("--json check"), 1);
	json = printed_json();
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(json, "error"), "message")),
		"bayd was ended by signal 11");
	json_decref(json);
	finish();
}
END_TEST

START_TEST(with_json_output_without_end_is_refused)
{
	json_t *json;

	start();
	install("bayd", "#!/bin/sh\nexec head -c 17000000 /dev/zero\n");
	ck_assert_int_eq(run("--json check"), 1);
	json = printed_json();
	ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(json_object_get(json, "error"),
		"message")), "File too large"));
	json_decref(json);
	finish();
}
END_TEST

CHECK_MAIN("ctl/verb_program",
	check_runs_bayd_with_the_file_and_passes_its_exit_code_on,
	inspect_runs_bay_cell_with_the_file,
	a_program_that_is_missing_is_named,
	a_program_that_cannot_be_run_is_a_failure,
	with_json_the_object_of_the_program_is_the_data,
	with_json_text_becomes_lines_and_the_first_is_the_message,
	with_json_the_reason_of_the_program_is_the_message,
	with_json_a_crash_is_told,
	with_json_output_without_end_is_refused)
