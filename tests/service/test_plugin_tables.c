/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/plugin_tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "service/plugin.h"
#include "service/settings.h"
#include "service/verb_table.h"
#include "support/check_main.h"

#define PLUGINS TOP_BUILDDIR "/tests/support/plugins/"

static struct buffer bytes, error;

static void
load(const char *path)
{
	buffer_clear(&bytes);
	ck_assert(fd_read_file(-1, path, 0, 64 << 20, &bytes));
}

static void
finish(void)
{
	buffer_finish(&bytes);
	buffer_finish(&error);
}

static void
same_text(const char *a, const char *b)
{
	ck_assert_int_eq(a == NULL, b == NULL);
	if (a != NULL)
		ck_assert_str_eq(a, b);
}

static void
same_settings(const struct bay_setting *read, const struct bay_setting *loaded)
{
	size_t rows = settings_table_rows(loaded);

	ck_assert_uint_eq(settings_table_rows(read), rows);
	for (size_t i = 0; i < rows; i++) {
		ck_assert_uint_eq(read[i].type, loaded[i].type);
		ck_assert_uint_eq(read[i].offset, loaded[i].offset);
		ck_assert_int_eq(read[i].minimum, loaded[i].minimum);
		ck_assert_int_eq(read[i].maximum, loaded[i].maximum);
		same_text(read[i].name, loaded[i].name);
		same_text(read[i].default_text, loaded[i].default_text);
		same_text(read[i].choices, loaded[i].choices);
		same_text(read[i].help, loaded[i].help);
	}
}

static void
same_verbs(const struct bay_verb *read, const struct bay_verb *loaded)
{
	size_t rows = verb_table_rows(loaded);

	ck_assert_uint_eq(verb_table_rows(read), rows);
	for (size_t i = 0; i < rows; i++) {
		same_text(read[i].name, loaded[i].name);
		same_text(read[i].help, loaded[i].help);
		ck_assert_uint_eq(read[i].role, loaded[i].role);
		same_settings(read[i].arguments, loaded[i].arguments);
	}
}

START_TEST(what_is_read_of_the_file_is_what_is_there_when_it_is_loaded)
{
	static const char *const files[] = {PLUGINS "good.so", PLUGINS "toolbox.so",
		PLUGINS "listens.so", PLUGINS "slow.so", PLUGINS "nodelete.so"};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct plugin_tables *tables;
		struct plugin *plugin;

		load(files[i]);
		ck_assert_msg(plugin_tables_read(bytes.data, bytes.size, &tables, &error), "%s: %s",
			files[i], buffer_text(&error));
		if (!plugin_open(files[i], NULL, NULL, &plugin, &error)) {
			/* It calls functions of the container, which are not in this test. */
			ck_assert_ptr_nonnull(strstr(buffer_text(&error), "bay_"));
			buffer_clear(&error);
			plugin_tables_destroy(tables);
			continue;
		}
		same_text(tables->summary, plugin->descriptor.summary);
		ck_assert_int_eq(tables->leaf, (plugin->descriptor.flags & BAY_LEAF) != 0);
		ck_assert_int_eq(tables->handles, plugin->descriptor.handle != NULL);
		same_settings(tables->settings, plugin->descriptor.settings);
		same_verbs(tables->verbs, plugin->descriptor.verbs);
		plugin_tables_destroy(tables);
		(void)plugin_close(plugin, &error);
	}
	finish();
}
END_TEST

START_TEST(verbs_and_their_arguments_are_read)
{
	struct plugin_tables *tables;

	load(PLUGINS "toolbox.so");
	ck_assert(plugin_tables_read(bytes.data, bytes.size, &tables, &error));
	ck_assert_uint_eq(verb_table_rows(tables->verbs), 6);
	ck_assert_str_eq(tables->verbs[0].name, "everything");
	ck_assert_uint_eq(settings_table_rows(tables->verbs[0].arguments), 6);
	ck_assert_ptr_null(tables->verbs[0].arguments[0].default_text);
	ck_assert_str_eq(tables->verbs[0].arguments[5].choices, "fast|safe");
	ck_assert_uint_eq(tables->verbs[4].role, BAY_ROLE_ADMIN);
	ck_assert_int_eq(tables->verbs[4].handle(NULL), BAY_INVALID);
	plugin_tables_destroy(tables);
	finish();
}
END_TEST

START_TEST(a_table_that_makes_no_sense_is_refused)
{
	struct plugin_tables *tables;

	load(PLUGINS "bad_settings.so");
	ck_assert(!plugin_tables_read(bytes.data, bytes.size, &tables, &error));
	ck_assert_ptr_null(tables);
	ck_assert_ptr_nonnull(strstr(buffer_text(&error), "setting"));
	finish();
}
END_TEST

/* Whatever bytes there are, nothing outside of them is looked at: under a sanitizer this shows. */
START_TEST(files_that_are_cut_or_changed_do_no_harm)
{
	uint32_t seed = 1;

	load(PLUGINS "good.so");
	for (int i = 0; i < 4000; i++) {
		size_t size = bytes.size;
		uint8_t *copy;
		struct plugin_tables *tables;

		if (i % 4 == 0)
			size = (size_t)i * bytes.size / 4000;
		copy = malloc(size + 1);
		memcpy(copy, bytes.data, size);
		for (int n = 0; n < 1 + i % 7 && size > 0; n++) {
			seed = seed * 1664525 + 1013904223;
			copy[(seed >> 4) % size] = (uint8_t)(seed >> 24);
		}
		copy = realloc(copy, size > 0 ? size : 1);
		if (plugin_tables_read(copy, size, &tables, &error))
			plugin_tables_destroy(tables);
		free(copy);
		buffer_clear(&error);
	}
	finish();
}
END_TEST

CHECK_MAIN("service/plugin_tables",
	what_is_read_of_the_file_is_what_is_there_when_it_is_loaded,
	verbs_and_their_arguments_are_read,
	a_table_that_makes_no_sense_is_refused,
	files_that_are_cut_or_changed_do_no_harm)
