/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/from_text.h"
#include "support/check_main.h"
#include "support/codes.h"
#include "support/temp_dir.h"

/* All names of files in complaints are relative: the test runs inside its directory. */
static void
enter(struct temp_dir *dir)
{
	temp_dir_init(dir);
	ck_assert_int_eq(chdir(dir->path), 0);
}

static struct config *
loads(const char *path)
{
	struct config_report report = {0};
	struct config *config;
	bool done = config_load(path, &config, &report);
	char *complaints = printed(&report);

	ck_assert_msg(done, "%s", complaints);
	free(complaints);
	return config;
}

static void
fails(const char *path, const char *expected)
{
	struct config_report report = {0};
	struct config *config;
	bool done = config_load(path, &config, &report);
	char *complaints = printed(&report);

	take_codes_off(complaints);
	ck_assert_str_eq(complaints, expected);
	ck_assert(!done);
	ck_assert_ptr_null(config);
	free(complaints);
}

START_TEST(a_file_is_loaded_with_its_paths_absolute)
{
	struct temp_dir dir;
	struct config *config;

	enter(&dir);
	temp_dir_write(&dir, "etc/bay.ini", "[container]\nplugin_dir = ../plugins\n[service a]\n");
	config = loads("etc/bay.ini");
	ck_assert_str_eq(config->path, temp_dir_path(&dir, "etc/bay.ini"));
	ck_assert_str_eq(config->container.plugin_dir, temp_dir_path(&dir, "plugins"));
	ck_assert_uint_eq(config->file_count, 1);
	ck_assert_str_eq(config->files[0], "etc/bay.ini");
	ck_assert_str_eq(config->services[0].origin.file, "etc/bay.ini");
	config_destroy(config);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_linked_file_belongs_to_the_directory_of_the_link)
{
	struct temp_dir dir;
	struct config *config;

	enter(&dir);
	temp_dir_write(&dir, "store/v1.ini", "[container]\n");
	temp_dir_write(&dir, "etc/other.ini", "");
	ck_assert_int_eq(symlink("../store/v1.ini", "etc/bay.ini"), 0);
	config = loads("etc/bay.ini");
	ck_assert_str_eq(config->path, temp_dir_path(&dir, "etc/bay.ini"));
	ck_assert_str_eq(config->container.plugin_dir, temp_dir_path(&dir, "etc/plugins"));
	config_destroy(config);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(what_is_no_readable_file_is_refused)
{
	struct temp_dir dir;
	char *big = malloc((1 << 20) + 1);

	enter(&dir);
	fails("absent.ini", "absent.ini: cannot read 'absent.ini': No such file or directory\n");
	fails("absent/bay.ini", "absent/bay.ini: cannot read its directory: No such file or"
		" directory\n");
	ck_assert_int_eq(mkdir("dir.ini", 0755), 0);
	fails("dir.ini", "dir.ini: cannot read 'dir.ini': it is a directory\n");
	ck_assert_int_eq(mkfifo("fifo.ini", 0600), 0);
	fails("fifo.ini", "fifo.ini: cannot read 'fifo.ini': it is no regular file\n");
	memset(big, '\n', (1 << 20) + 1);
	temp_dir_write_bytes(&dir, "big.ini", big, (1 << 20) + 1);
	fails("big.ini", "big.ini: cannot read 'big.ini': it is larger than 1M, and a configuration"
		" file may not be\n");
	temp_dir_write_bytes(&dir, "full.ini", big, 1 << 20);
	config_destroy(loads("full.ini"));
	free(big);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_read_error_is_not_taken_for_the_end)
{
	fails("/proc/self/mem",
		"/proc/self/mem: cannot read '/proc/self/mem': Input/output error\n");
}
END_TEST

START_TEST(includes_are_read_after_their_file_in_order)
{
	struct temp_dir dir;
	struct config *config;
	char order[64] = "";

	enter(&dir);
	temp_dir_write(&dir, "etc/bay.ini", "[container]\ninclude = conf.d/*.ini\n  last.ini\n"
		"[service main]\n");
	temp_dir_write(&dir, "etc/conf.d/b.ini", "[service b]\nx = 1\n");
	temp_dir_write(&dir, "etc/conf.d/a.ini", "include = more/*.ini\n[service a]\n");
	temp_dir_write(&dir, "etc/conf.d/more/c.ini", "[service c]\n");
	temp_dir_write(&dir, "etc/last.ini", "[service last]\n");
	config = loads("etc/bay.ini");
	for (size_t i = 0; i < config->service_count; i++) {
		strcat(order, config->services[i].name);
		strcat(order, " ");
	}
	ck_assert_str_eq(order, "main a c b last ");
	ck_assert_uint_eq(config->file_count, 5);
	ck_assert_str_eq(config->files[2], "etc/conf.d/more/c.ini");
	ck_assert_str_eq(config->services[3].settings[0].origin.file, "etc/conf.d/b.ini");
	ck_assert_uint_eq(config->services[3].settings[0].origin.line, 2);
	config_destroy(config);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_container_in_an_included_file_has_its_paths_beside_that_file)
{
	struct temp_dir dir;
	struct config *config;

	enter(&dir);
	temp_dir_write(&dir, "bay.ini", "include = site/c.ini\n");
	temp_dir_write(&dir, "site/c.ini", "[container]\nplugin_dir = p\n");
	config = loads("bay.ini");
	ck_assert_str_eq(config->container.plugin_dir, temp_dir_path(&dir, "site/p"));
	ck_assert_str_eq(config->container.runtime_dir, temp_dir_path(&dir, "run"));
	config_destroy(config);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_missing_match_is_fine_and_a_missing_file_is_not)
{
	struct temp_dir dir;

	enter(&dir);
	temp_dir_write(&dir, "bay.ini", "[container]\ninclude = conf.d/*.ini\n");
	config_destroy(loads("bay.ini"));
	temp_dir_write(&dir, "bay.ini", "[container]\ninclude = conf.d/a.ini\n  other.ini\n");
	fails("bay.ini", "bay.ini:2: cannot read 'conf.d/a.ini': No such file or directory\n"
		"bay.ini:2: cannot read 'other.ini': No such file or directory\n");
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_file_that_includes_itself_is_refused)
{
	struct temp_dir dir;

	enter(&dir);
	temp_dir_write(&dir, "bay.ini", "include = d/a.ini\n");
	temp_dir_write(&dir, "d/a.ini", "\n\ninclude = ../bay.ini\n");
	fails("bay.ini", "d/a.ini:3: cannot include 'd/../bay.ini': a file that includes itself:"
		" bay.ini -> d/a.ini -> d/../bay.ini\n");
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_file_that_is_included_twice_is_refused)
{
	struct temp_dir dir;

	enter(&dir);
	temp_dir_write(&dir, "bay.ini", "[container]\ninclude = d/*.ini\n  ./d/a.ini\n");
	temp_dir_write(&dir, "d/a.ini", "[service a]\n");
	fails("bay.ini", "bay.ini:2: cannot include './d/a.ini': it has been read already, as"
		" 'd/a.ini'\n");
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(includes_that_are_nested_too_deep_are_refused)
{
	struct temp_dir dir;
	char name[32], text[48];

	enter(&dir);
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "%d.ini", i);
		snprintf(text, sizeof(text), "include = %d.ini\n", i + 1);
		temp_dir_write(&dir, name, i < 9 ? text : "");
	}
	fails("0.ini", "8.ini:1: cannot include '9.ini': includes are nested more than 8 deep\n");
	config_destroy(loads("1.ini"));
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(more_files_than_anybody_needs_are_refused)
{
	struct temp_dir dir;
	char name[32];

	enter(&dir);
	temp_dir_write(&dir, "bay.ini", "include = d/*.ini\n");
	for (int i = 0; i < 1024; i++) {
		snprintf(name, sizeof(name), "d/%04d.ini", i);
		temp_dir_write(&dir, name, "");
	}
	fails("bay.ini", "bay.ini:1: cannot include 'd/1023.ini': there are more than 1024 files\n");
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(faults_of_all_files_are_told_in_the_order_of_reading)
{
	struct temp_dir dir;

	enter(&dir);
	temp_dir_write(&dir, "bay.ini", "[container]\ninclude = z.ini\n  a.ini\nloops = x\n"
		"[service s]\n");
	temp_dir_write(&dir, "a.ini", "[service s]\nqueue = x\n");
	temp_dir_write(&dir, "z.ini", "[container]\n[servic t]\n");
	fails("bay.ini",
		"bay.ini:4: loops = 'x': wants auto, or a number from 1 to 64\n"
		"z.ini:1: [container] is here for the second time; the first is at bay.ini:1\n"
		"z.ini:2: unknown section 'servic t'; did you mean [service t]?\n"
		"a.ini:1: [service s] is here for the second time; the first is at bay.ini:5\n"
		"a.ini:2: queue = 'x': wants a number from 1 to 1000000\n");
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(text_in_memory_may_not_include_files)
{
	refused("include = a.ini\n[container]\ninclude = *.ini\n",
		"test.ini:1: this may not include others\n"
		"test.ini:3: this may not include others\n");
}
END_TEST

START_TEST(text_in_memory_has_the_limits_of_a_file)
{
	struct config_report report = {0};
	struct config *config;
	char *big = malloc((1 << 20) + 1);
	char *complaints;

	memset(big, '\n', (1 << 20) + 1);
	ck_assert(config_load_memory("x.ini", big, 1 << 20, &config, &report));
	config_destroy(config);
	ck_assert(!config_load_memory("x.ini", big, (1 << 20) + 1, &config, &report));
	complaints = printed(&report);
	take_codes_off(complaints);
	ck_assert_str_eq(complaints,
		"x.ini: it is larger than 1M, and a configuration file may not be\n");
	free(complaints);
	ck_assert(!config_load_memory("absent/x.ini", big, 1, &config, &report));
	complaints = printed(&report);
	take_codes_off(complaints);
	ck_assert_str_eq(complaints,
		"absent/x.ini: cannot read its directory: No such file or directory\n");
	free(complaints);
	free(big);
}
END_TEST

CHECK_MAIN("config/config_load",
	a_file_is_loaded_with_its_paths_absolute,
	a_linked_file_belongs_to_the_directory_of_the_link,
	what_is_no_readable_file_is_refused,
	a_read_error_is_not_taken_for_the_end,
	includes_are_read_after_their_file_in_order,
	a_container_in_an_included_file_has_its_paths_beside_that_file,
	a_missing_match_is_fine_and_a_missing_file_is_not,
	a_file_that_includes_itself_is_refused,
	a_file_that_is_included_twice_is_refused,
	includes_that_are_nested_too_deep_are_refused,
	more_files_than_anybody_needs_are_refused,
	faults_of_all_files_are_told_in_the_order_of_reading,
	text_in_memory_may_not_include_files,
	text_in_memory_has_the_limits_of_a_file)
