/* SPDX-License-Identifier: BSD-2-Clause */
/* With the real examiner; what it says of a file is tested by test_examiner. */
#include "config.h"

#include "master/plugin_examination.h"

#include <dirent.h>
#include <event2/event.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "master/examiner.h"
#include "support/check_main.h"
#include "support/fake_master.h"
#include "support/log_lines.h"

/* The last result. */
struct heard {
	unsigned count;
	struct plugin_image *image; /* a reference */
	char reason[256];
	size_t complaints;
	char complaint[160];
	unsigned line;
};

static void
hear(const struct plugin_result *result, void *arg)
{
	struct heard *heard = arg;

	heard->count++;
	heard->image = result->image != NULL ? plugin_image_ref(result->image) : NULL;
	snprintf(heard->reason, sizeof(heard->reason), "%s",
		result->image == NULL ? result->reason : "");
	heard->complaints = result->complaints->count;
	if (heard->complaints > 0) {
		snprintf(heard->complaint, sizeof(heard->complaint), "%s",
			result->complaints->complaints[0].text);
		heard->line = result->complaints->complaints[0].line;
	}
}

static const struct program bay_cell = {
	.path = TOP_BUILDDIR "/container/.libs/bay-cell",
	.library_dir = TOP_BUILDDIR "/container/.libs",
};

static void
world_open(struct fake_master *master, const char *keys)
{
	fake_master_open_with_plugins(master, "", keys, &bay_cell);
}

/* Begins with the services from first to last, 0 or 1. */
static void
begin(struct fake_master *master, size_t first, size_t last, struct heard *heard)
{
	const struct config_service *services[] = {&master->config->services[first],
		&master->config->services[last]};
	unsigned before = heard->count;

	plugin_examination_begin(master->examination, services, last - first + 1, hear, heard);
	ck_assert_uint_eq(heard->count, before);
}

static void
examine(struct fake_master *master, size_t first, size_t last, struct heard *heard)
{
	unsigned before = heard->count;

	begin(master, first, last, heard);
	UNTIL(master, heard->count > before);
	ck_assert_uint_eq(heard->count, before + 1);
}

/* The images in the directory. */
static unsigned
count_images(const struct fake_master *master)
{
	DIR *dir = opendir(temp_dir_path(&master->dir, "images"));
	const struct dirent *entry;
	unsigned count = 0;

	while ((entry = readdir(dir)) != NULL)
		count += strstr(entry->d_name, ".so") != NULL;
	closedir(dir);
	return count;
}

START_TEST(a_plugin_that_passes_is_an_image_for_as_long_as_somebody_has_it)
{
	struct fake_master master;
	struct heard heard = {0};

	world_open(&master, "plugin = good");
	fake_master_plugin(&master, "good", "good");
	examine(&master, 0, 0, &heard);
	ck_assert_msg(heard.image != NULL, "%s", heard.reason);
	ck_assert_int_eq(heard.image->generation, 1);
	ck_assert_str_ne(heard.image->version, "");
	ck_assert_int_eq(access(heard.image->image.path, R_OK), 0);
	ck_assert_uint_eq(count_images(&master), 1);
	plugin_image_unref(heard.image);
	ck_assert_uint_eq(count_images(&master), 0);
	fake_master_close(&master);
}
END_TEST

START_TEST(each_copy_of_a_plugin_is_a_generation_of_its_own)
{
	struct fake_master master;
	struct heard first = {0}, second = {0};

	world_open(&master, "plugin = good");
	fake_master_plugin(&master, "good", "good");
	begin(&master, 0, 0, &first);
	begin(&master, 1, 1, &second);
	UNTIL(&master, first.count == 1 && second.count == 1);
	ck_assert_int_eq(first.image->generation, 1);
	ck_assert_int_eq(second.image->generation, 2);
	ck_assert_str_ne(first.image->image.path, second.image->image.path);
	ck_assert_uint_eq(count_images(&master), 2);
	plugin_image_unref(first.image);
	ck_assert_uint_eq(count_images(&master), 1);
	plugin_image_unref(second.image);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_refused_with_its_path)
{
	struct fake_master master;
	struct heard heard = {0};

	world_open(&master, "plugin = good");
	examine(&master, 0, 0, &heard);
	ck_assert_ptr_null(heard.image);
	ck_assert_ptr_nonnull(strstr(heard.reason, "plugins/good.so: it cannot be opened: "));
	ck_assert_uint_eq(count_images(&master), 0);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_plugin_that_is_refused_leaves_no_image)
{
	struct fake_master master;
	struct heard heard = {0};

	world_open(&master, "plugin = crashes");
	fake_master_plugin(&master, "crashes", "crashes");
	examine(&master, 0, 0, &heard);
	ck_assert_ptr_null(heard.image);
	ck_assert_ptr_nonnull(strstr(heard.reason, "plugin crashes: it crashed: SIGSEGV"));
	ck_assert_uint_eq(count_images(&master), 0);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_setting_that_the_plugin_does_not_know_is_told_with_its_line_and_the_nearest)
{
	struct fake_master master;
	struct heard heard = {0};

	world_open(&master, "plugin = actor\ntxet = hello");
	fake_master_plugin(&master, "actor", "actor");
	/* [container] is line 1, so b begins at 5 and names it at 7. */
	examine(&master, 1, 1, &heard);
	ck_assert_ptr_nonnull(heard.image);
	ck_assert_uint_eq(heard.complaints, 1);
	ck_assert_uint_eq(heard.line, 7);
	ck_assert_ptr_nonnull(strstr(heard.complaint, "unknown key 'txet'; did you mean 'text'?"));
	plugin_image_unref(heard.image);
	fake_master_close(&master);
}
END_TEST

START_TEST(services_that_share_a_plugin_have_each_their_own_complaints)
{
	struct fake_master master;
	struct heard heard = {0};

	world_open(&master, "plugin = actor\nlevel = 10");
	fake_master_plugin(&master, "actor", "actor");
	examine(&master, 0, 1, &heard);
	ck_assert_uint_eq(heard.complaints, 2);
	ck_assert_uint_eq(heard.line, 4);
	ck_assert_ptr_nonnull(strstr(heard.complaint, "level: "));
	plugin_image_unref(heard.image);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_plugin_that_calls_itself_otherwise_is_warned_of)
{
	struct fake_master master;
	struct heard heard = {0};

	world_open(&master, "plugin = other");
	fake_master_plugin(&master, "good", "other");
	log_lines_keep();
	examine(&master, 0, 0, &heard);
	ck_assert_ptr_nonnull(heard.image);
	ck_assert_int_eq(log_lines_with("plugin other: its file calls itself good"), 1);
	plugin_image_unref(heard.image);
	fake_master_close(&master);
}
END_TEST

/* Something else that the loop has to do, all the time. */
static unsigned passes;

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	passes++;
}

START_TEST(while_large_files_are_copied_the_loop_does_other_work_after_each_slice)
{
	enum { SLICES = 40 };
	struct heard first = {0}, second = {0};
	struct fake_master master;
	struct event *other;
	int pipe_fds[2];

	world_open(&master, "plugin = good");
	fake_master_plugin(&master, "good", "good");
	ck_assert_int_eq(truncate(temp_dir_path(&master.dir, "plugins/good.so"),
		SLICES * (off_t)IMAGE_SLICE), 0);
	ck_assert_int_eq(pipe(pipe_fds), 0);
	other = event_new(master.base, pipe_fds[1], EV_WRITE | EV_PERSIST, on_writable, NULL);
	event_add(other, NULL);
	begin(&master, 0, 0, &first);
	begin(&master, 1, 1, &second);
	/* Of the second nothing is there before the first has been copied. */
	while (access(temp_dir_path(&master.dir, "images/good.2.so"), F_OK) != 0)
		event_base_loop(master.base, EVLOOP_ONCE);
	ck_assert_uint_ge(passes, SLICES);
	event_del(other);
	UNTIL(&master, first.count == 1 && second.count == 1);
	ck_assert_msg(first.image != NULL && second.image != NULL, "%s", first.reason);
	ck_assert_uint_eq(first.image->image.size, SLICES * IMAGE_SLICE);
	plugin_image_unref(first.image);
	plugin_image_unref(second.image);
	event_free(other);
	fake_master_close(&master);
}
END_TEST

START_TEST(half_a_copy_at_the_end_leaves_nothing)
{
	struct heard heard = {0};
	struct fake_master master;

	world_open(&master, "plugin = good");
	fake_master_plugin(&master, "good", "good");
	ck_assert_int_eq(truncate(temp_dir_path(&master.dir, "plugins/good.so"),
		40 * (off_t)IMAGE_SLICE), 0);
	begin(&master, 0, 0, &heard);
	UNTIL(&master, count_images(&master) == 1);
	plugin_examination_destroy(master.examination);
	master.examination = NULL;
	ck_assert_uint_eq(heard.count, 0);
	ck_assert_uint_eq(count_images(&master), 0);
	fake_master_close(&master);
}
END_TEST

START_TEST(what_is_under_way_at_the_end_is_given_up_and_leaves_nothing)
{
	struct fake_master master;
	struct heard heard = {0};

	world_open(&master, "plugin = hangs");
	fake_master_plugin(&master, "hangs", "hangs");
	begin(&master, 0, 0, &heard);
	begin(&master, 1, 1, &heard);
	event_base_loop(master.base, EVLOOP_ONCE);
	plugin_examination_destroy(master.examination);
	master.examination = NULL;
	ck_assert_uint_eq(heard.count, 0);
	ck_assert_uint_eq(count_images(&master), 0);
	fake_master_close(&master);
}
END_TEST

CHECK_MAIN("master/plugin_examination",
	a_plugin_that_passes_is_an_image_for_as_long_as_somebody_has_it,
	each_copy_of_a_plugin_is_a_generation_of_its_own,
	a_file_that_is_not_there_is_refused_with_its_path,
	a_plugin_that_is_refused_leaves_no_image,
	a_setting_that_the_plugin_does_not_know_is_told_with_its_line_and_the_nearest,
	services_that_share_a_plugin_have_each_their_own_complaints,
	a_plugin_that_calls_itself_otherwise_is_warned_of,
	while_large_files_are_copied_the_loop_does_other_work_after_each_slice,
	half_a_copy_at_the_end_leaves_nothing,
	what_is_under_way_at_the_end_is_given_up_and_leaves_nothing)
