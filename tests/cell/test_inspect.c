/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/inspect.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check_main.h"
#include "support/temp_dir.h"

#define PLUGINS TOP_BUILDDIR "/tests/support/plugins/"
#define BAY_CELL TOP_BUILDDIR "/container/bay-cell"

/* Runs "bay-cell ARGUMENTS" and gives its output; returns the exit code. */
static int
run(const char *arguments, char *output, size_t size)
{
	char command[2048];
	size_t got;
	FILE *from;
	int status;

	snprintf(command, sizeof(command), BAY_CELL " %s 2>&1", arguments);
	from = popen(command, "r");
	ck_assert_ptr_nonnull(from);
	got = fread(output, 1, size - 1, from);
	output[got] = '\0';
	status = pclose(from);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
assert_says(const char *arguments, int code, const char *wanted)
{
	char output[8192];
	int got = run(arguments, output, sizeof(output));

	ck_assert_msg(got == code && strstr(output, wanted) != NULL,
		"bay-cell %s: exit code %d, not %d, or '%s' lacks '%s'", arguments, got, code, output,
		wanted);
}

START_TEST(a_good_plugin_is_fine_and_described)
{
	assert_says("inspect " PLUGINS "good.so", 0, "good.so: fine\n  name        good\n");
	assert_says("inspect " PLUGINS "good.so", 0, "  abi         1.0 (this container offers 1.0)");
	assert_says("inspect " PLUGINS "good.so", 0, "  unloadable  yes\n  warnings    none\n");
	assert_says("inspect " PLUGINS "nodelete.so", 0, "  unloadable  no: it is linked with");
	assert_says("inspect " PLUGINS "nodelete.so", 0, "good (services go by the file's name)");
	assert_says("inspect " PLUGINS "needs_library.so", 0, "libbay-test-missing.so.9");
}
END_TEST

START_TEST(a_bad_one_is_refused_with_exit_code_5)
{
	assert_says("inspect " PLUGINS "no_note.so", 5, "no_note.so: refused: no Bay note");
	assert_says("inspect /", 5, "a directory");
	assert_says("inspect /dev/null", 5, "not a regular file");
}
END_TEST

START_TEST(a_symbol_that_nobody_has_is_a_refusal)
{
	assert_says("inspect " PLUGINS "undefined.so", 5, "undefined.so: refused: it needs the symbol "
		"'bay_no_such_function', which neither");
}
END_TEST

/* What bayd would say of a file that is fine by itself. */
START_TEST(where_it_lies_is_looked_at_too)
{
	struct temp_dir dir;
	char command[2048], arguments[1024];
	json_t *json;
	char output[8192];

	temp_dir_init(&dir);
	snprintf(command, sizeof(command), "cp " PLUGINS "good.so %s/good.so && ln -s good.so %s/link.so",
		dir.path, dir.path);
	ck_assert_int_eq(system(command), 0);
	snprintf(arguments, sizeof(arguments), "inspect %s/link.so", dir.path);
	assert_says(arguments, 0, "  place       bayd refuses it here: it is a symbolic link: put");
	snprintf(arguments, sizeof(arguments), "inspect %s/good.so", dir.path);
	ck_assert_int_eq(chmod(temp_dir_path(&dir, "good.so"), 0755), 0);
	ck_assert_int_eq(run(arguments, output, sizeof(output)), 0);
	ck_assert_ptr_null(strstr(output, "place"));
	ck_assert_int_eq(chmod(temp_dir_path(&dir, "good.so"), 0666), 0);
	assert_says(arguments, 0, "others than its owner may write it (mode 0666): chmod go-w");
	snprintf(arguments, sizeof(arguments), "inspect --json %s/good.so", dir.path);
	ck_assert_int_eq(run(arguments, output, sizeof(output)), 0);
	json = json_loads(output, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_ptr_nonnull(json_string_value(json_object_get(json, "place")));
	json_decref(json);
	if (geteuid() == 0) {
		ck_assert_int_eq(chmod(temp_dir_path(&dir, "good.so"), 0755), 0);
		ck_assert_int_eq(chown(temp_dir_path(&dir, "good.so"), 65534, 0), 0);
		assert_says(arguments, 0, "belongs to user 65534");
	}
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(no_code_of_the_file_is_run)
{
	assert_says("inspect " PLUGINS "exits.so", 0, "exits.so: fine");
	assert_says("inspect " PLUGINS "crashes.so", 0, "crashes.so: fine");
	assert_says("inspect " PLUGINS "hangs.so", 0, "hangs.so: fine");
}
END_TEST

START_TEST(json_holds_the_same)
{
	char output[8192];
	json_t *json, *plugin;

	ck_assert_int_eq(run("inspect --json " PLUGINS "starts_threads.so", output,
		sizeof(output)), 0);
	json = json_loads(output, JSON_REJECT_DUPLICATES, NULL);
	ck_assert(json_is_true(json_object_get(json, "ok")));
	plugin = json_object_get(json, "plugin");
	ck_assert_str_eq(json_string_value(json_object_get(plugin, "name")), "starts_threads");
	ck_assert(json_is_false(json_object_get(plugin, "unloadable")));
	ck_assert_uint_eq(json_array_size(json_object_get(plugin, "warnings")), 1);
	json_decref(json);

	ck_assert_int_eq(run("inspect " PLUGINS "no_note.so --json", output, sizeof(output)), 5);
	json = json_loads(output, JSON_REJECT_DUPLICATES, NULL);
	ck_assert(json_is_false(json_object_get(json, "ok")));
	ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(json, "reason")), "note"));
	json_decref(json);
}
END_TEST

START_TEST(names_from_a_stranger_do_not_reach_the_terminal_as_they_are)
{
	struct temp_dir dir;
	char arguments[1024];

	temp_dir_init(&dir);
	temp_dir_write(&dir, "a\033[31m.so", "\177ELF");
	snprintf(arguments, sizeof(arguments), "inspect %s/a*", dir.path);
	assert_says(arguments, 5, "a\\x1b[31m.so: refused: cut short");
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_file_that_cannot_be_opened_has_a_code_of_its_own)
{
	assert_says("inspect /no/such.so", 4, "No such file");
}
END_TEST

START_TEST(wrong_usage_is_exit_code_2)
{
	assert_says("inspect", 2, "usage");
	assert_says("inspect a b", 2, "usage");
	assert_says("inspect --yaml a", 2, "usage");
	assert_says("", 2, "usage: bay-cell MODE");
	assert_says("dance", 2, "usage: bay-cell MODE");
}
END_TEST

CHECK_MAIN("cell/inspect",
	a_good_plugin_is_fine_and_described,
	a_bad_one_is_refused_with_exit_code_5,
	a_symbol_that_nobody_has_is_a_refusal,
	where_it_lies_is_looked_at_too,
	no_code_of_the_file_is_run,
	json_holds_the_same,
	names_from_a_stranger_do_not_reach_the_terminal_as_they_are,
	a_file_that_cannot_be_opened_has_a_code_of_its_own,
	wrong_usage_is_exit_code_2)
