/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_check.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/from_text.h"
#include "support/check_main.h"

/* test.ini is taken to lie in the working directory. */
static void
is_here(const char *path, const char *expected)
{
	char *here = realpath(".", NULL);
	char joined[PATH_MAX + 64];

	snprintf(joined, sizeof(joined), "%s/%s", here, expected);
	ck_assert_str_eq(path, joined);
	free(here);
}

START_TEST(default_paths_lie_beside_the_file)
{
	struct config *config = accepted("");

	is_here(config->path, "test.ini");
	is_here(config->container.plugin_dir, "plugins");
	is_here(config->container.runtime_dir, "run");
	is_here(config->container.image_dir, "run/images");
	is_here(config->container.control, "run/control.sock");
	ck_assert_str_eq(config->container.log, "stderr");
	ck_assert_int_eq(config_log_sink(config), CONFIG_LOG_STDERR);
	config_destroy(config);
}
END_TEST

START_TEST(relative_and_absolute_paths_are_told_apart)
{
	struct config *config = accepted("[container]\nplugin_dir = ./a/b\nruntime_dir = /run/bay\n"
		"image_dir = img\ncontrol = /tmp/c.sock\nlog = bay.log\n");

	is_here(config->container.plugin_dir, "a/b");
	ck_assert_str_eq(config->container.runtime_dir, "/run/bay");
	ck_assert_str_eq(config->container.image_dir, "/run/bay/img");
	ck_assert_str_eq(config->container.control, "/tmp/c.sock");
	is_here(config->container.log, "bay.log");
	ck_assert_int_eq(config_log_sink(config), CONFIG_LOG_FILE);
	config_destroy(config);
}
END_TEST

START_TEST(a_dot_is_the_directory_itself)
{
	char *here = realpath(".", NULL);
	static const char *const dots[] = {".", "./", "././"};

	for (size_t i = 0; i < 3; i++) {
		char text[100];
		struct config *config;

		snprintf(text, sizeof(text), "[container]\nplugin_dir = %s\n", dots[i]);
		config = accepted(text);
		ck_assert_str_eq(config->container.plugin_dir, here);
		config_destroy(config);
	}
	free(here);
}
END_TEST

START_TEST(the_words_for_a_log_are_no_paths)
{
	struct config *config = accepted("[container]\nlog = syslog\n");

	ck_assert_str_eq(config->container.log, "syslog");
	ck_assert_int_eq(config_log_sink(config), CONFIG_LOG_SYSLOG);
	config_destroy(config);
}
END_TEST

START_TEST(a_path_longer_than_the_system_takes_is_refused)
{
	struct buffer text = {0};

	ck_assert(buffer_append_text(&text, "[container]\nplugin_dir = /"));
	for (int i = 0; i < PATH_MAX - 2; i++)
		ck_assert(buffer_append_text(&text, "x"));
	config_destroy(accepted(buffer_text(&text)));
	ck_assert(buffer_append_text(&text, "x"));
	refused(buffer_text(&text), "test.ini:2: plugin_dir: the path is longer than 4095 bytes\n");
	buffer_finish(&text);
}
END_TEST

START_TEST(plugins_and_their_copies_do_not_lie_together)
{
	char here[PATH_MAX];
	char name[] = "linkXXXXXX";
	struct buffer text = {0};
	struct buffer complaint = {0};

	ck_assert_ptr_nonnull(getcwd(here, sizeof(here)));
	ck_assert_ptr_nonnull(mkdtemp(name));
	ck_assert_int_eq(rmdir(name), 0);
	/* By one name, when it is not there yet; and by two, when it is. */
	ck_assert(buffer_printf(&text, "[container]\nplugin_dir = %s\nimage_dir = %s/%s\n", name, here,
		name));
	ck_assert(buffer_printf(&complaint, "test.ini:3: image_dir = %s/%s: this is plugin_dir too; "
		"the copies that cells load want a directory of their own\n", here, name));
	refused(buffer_text(&text), buffer_text(&complaint));
	buffer_clear(&text);
	ck_assert(buffer_printf(&text, "[container]\nplugin_dir = .\nimage_dir = %s/%s\n", here, name));
	ck_assert_int_eq(symlink(here, name), 0);
	refused(buffer_text(&text), buffer_text(&complaint));
	ck_assert_int_eq(unlink(name), 0);
	buffer_finish(&text);
	buffer_finish(&complaint);
}
END_TEST

START_TEST(more_services_than_allowed_are_refused_once)
{
	refused("[container]\nmax_services = 2\n[service a]\n[service b]\n[service c]\n[service d]\n",
		"test.ini:5: there are 4 service sections, more than max_services = 2 allows\n");
}
END_TEST

START_TEST(more_instances_than_loops_are_refused)
{
	struct config *config;

	refused("[service a]\ninstances = 5\n[container]\nloops = 4\n",
		"test.ini:2: instances = 5: there are only loops = 4, and a loop has one instance at"
		" most\n");
	config = accepted("[service a]\ninstances = 4\n[container]\nloops = 4\n");
	config_destroy(config);
	config = accepted("[service a]\ninstances = 5\n");
	config_destroy(config);
}
END_TEST

START_TEST(a_plugin_is_named_without_so)
{
	refused("[service a]\nplugin = square.so\n[service b.so]\n",
		"test.ini:2: plugin = square.so: a plugin is named without .so\n"
		"test.ini:3: plugin = b.so: a plugin is named without .so\n");
}
END_TEST

START_TEST(a_cell_of_its_own_is_nobody_elses)
{
	config_destroy(accepted("[service a]\nisolate = yes\n[service b]\ncell = x\n[service x]\ncell = x\n"));
	refused("[service a]\nisolate = yes\ncell = x\n[service main]\nisolate = yes\n[service b]\ncell = a\n",
		"test.ini:2: isolate = yes: the service has cell = x too, but it is either alone in a cell or "
		"shares one: remove one of the two\n"
		"test.ini:5: isolate = yes: the cell would be called main as the service, but that is the cell of "
		"all who name none: call the service otherwise, or write cell = NAME\n"
		"test.ini:7: cell = a: that is the own cell of service a, which has isolate = yes\n");
}
END_TEST

START_TEST(instances_are_counted_by_the_loops_of_their_cell)
{
	config_destroy(accepted("[container]\nloops = 1\n[cell x]\nloops = 4\n[service a]\ncell = x\n"
		"instances = 4\n"));
	refused("[container]\nloops = 4\n[cell x]\nloops = 1\n[service a]\ncell = x\ninstances = 2\n",
		"test.ini:7: instances = 2: there are only loops = 1, and a loop has one instance at most\n");
}
END_TEST

CHECK_MAIN("config/config_check",
	default_paths_lie_beside_the_file,
	relative_and_absolute_paths_are_told_apart,
	a_dot_is_the_directory_itself,
	the_words_for_a_log_are_no_paths,
	a_path_longer_than_the_system_takes_is_refused,
	plugins_and_their_copies_do_not_lie_together,
	more_services_than_allowed_are_refused_once,
	more_instances_than_loops_are_refused,
	a_plugin_is_named_without_so,
	a_cell_of_its_own_is_nobody_elses,
	instances_are_counted_by_the_loops_of_their_cell)
