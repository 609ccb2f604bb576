/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/plugin.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "service/plugin_dlerror.h"
#include "service/plugin_file.h"
#include "service/settings.h"
#include "support/check_main.h"
#include "support/plugins/good.h"
#include "support/temp_dir.h"

#define PLUGINS TOP_BUILDDIR "/tests/support/plugins/"

static struct plugin *
open_good(const char *path)
{
	struct buffer error = {0};
	struct plugin *plugin;

	ck_assert_msg(plugin_open(path, NULL, NULL, &plugin, &error), "%s", buffer_text(&error));
	return plugin;
}

static void
assert_refused(const char *path, const char *sha256, const char *wanted)
{
	struct buffer error = {0};
	struct plugin *plugin;

	ck_assert_msg(!plugin_open(path, sha256, NULL, &plugin, &error), "%s was accepted", path);
	ck_assert_ptr_null(plugin);
	ck_assert_msg(strstr(buffer_text(&error), wanted) != NULL, "'%s' lacks '%s'",
		buffer_text(&error), wanted);
	buffer_finish(&error);
}

static bool
is_loaded(const char *path)
{
	void *handle = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);

	if (handle != NULL)
		dlclose(handle);
	return handle != NULL;
}

START_TEST(a_good_plugin_opens_with_its_descriptor_and_leaves_when_closed)
{
	struct plugin *plugin = open_good(PLUGINS "good.so");
	struct buffer reason = {0};

	ck_assert_str_eq(plugin->descriptor.name, "good");
	ck_assert_str_eq(plugin->descriptor.version, "1.2.3");
	ck_assert_str_eq(plugin->descriptor.summary, "does nothing well");
	ck_assert_uint_eq(plugin->descriptor.flags, BAY_LEAF);
	ck_assert_int_eq(plugin->descriptor.handle(NULL), BAY_OK);
	ck_assert(is_loaded(PLUGINS "good.so"));
	ck_assert(plugin_close(plugin, &reason));
	ck_assert_uint_eq(reason.size, 0);
	ck_assert(!is_loaded(PLUGINS "good.so"));
}
END_TEST

START_TEST(its_table_of_settings_can_be_filled)
{
	struct plugin *plugin = open_good(PLUGINS "good.so");
	struct setting_value values[] = {{"mode", "safe"}};
	struct settings_report report = {0};
	struct buffer reason = {0};
	struct settings *settings;

	ck_assert(settings_create(plugin->descriptor.settings, values, 1, &settings, &report));
	ck_assert_int_eq(((const struct good *)settings_struct(settings))->mode, 1);
	settings_unref(settings);
	ck_assert(plugin_close(plugin, &reason));
}
END_TEST

START_TEST(an_image_that_is_not_the_examined_one_is_refused)
{
	struct plugin *plugin = open_good(PLUGINS "good.so");
	struct buffer error = {0};
	char sha256[HASH_TEXT_SIZE];

	memcpy(sha256, plugin->facts->sha256, sizeof(sha256));
	ck_assert(plugin_close(plugin, &error));
	ck_assert(plugin_open(PLUGINS "good.so", sha256, NULL, &plugin, &error));
	ck_assert(plugin_close(plugin, &error));
	sha256[0] ^= 1;
	assert_refused(PLUGINS "good.so", sha256, "has changed since it was examined");
}
END_TEST

START_TEST(bad_plugins_are_refused_with_what_to_do)
{
	static const char *const cases[][2] = {
		{"undefined", "needs the symbol 'bay_no_such_function', which neither"},
		{"needs_library", "needs the library 'libbay-test-missing.so.9', which is not found"},
		{"bad_settings", "setting 'small' is of type integer, whose field has 8 bytes, not 4"},
		{"unknown_flag", "flags that this container does not know (0x10000000000)"},
		{"no_handler", "neither .handle nor .run"},
		{"mismatch", "its descriptor says name 'somebody_else', its note 'mismatch'"},
		{"mismatch_version", "its descriptor says version '2', its note '1'"},
		{"mismatch_abi", "its descriptor says ABI 1.7, its note 1.0"},
		{"mismatch_nameless", "its descriptor has no name"},
		{"mismatch_size", "its descriptor has 8 bytes, its note says"},
		{"mismatch_leaf", "declared BAY_LEAF but has no .handle"},
		/* Its constructor would abort: refused before it runs. */
		{"abi_major", "needs ABI 7.0"},
		{"no_such_file", "cannot be opened: No such file"},
	};
	char path[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(path, sizeof(path), PLUGINS "%s.so", cases[i][0]);
		assert_refused(path, NULL, cases[i][1]);
		ck_assert(!is_loaded(path));
	}
}
END_TEST

/* Puts another number where these bytes are, which lie in the file once. */
static void
patch(struct buffer *bytes, const void *before, size_t size, uint32_t number)
{
	uint8_t *at = memmem(bytes->data, bytes->size, before, size);

	ck_assert_ptr_nonnull(at);
	memcpy(at + size, &number, sizeof(number));
	ck_assert_ptr_null(memmem(at + size, bytes->size - (size_t)(at + size - bytes->data), before, size));
}

/* One of a later ABI, whose descriptor has fields that this container does not know. */
START_TEST(of_a_larger_descriptor_what_is_known_is_read)
{
	static const struct {
		uint32_t magic;
		uint16_t major;
		uint16_t minor;
	} note = {BAY_NOTE_MAGIC, BAY_ABI_MAJOR, 0};
	uint32_t size = sizeof(struct bay_plugin) + 512;
	struct buffer bytes = {0}, reason = {0};
	struct bay_plugin *descriptor;
	struct plugin *plugin;
	struct temp_dir dir;
	uint32_t head[2] = {sizeof(struct bay_plugin), BAY_ABI_MAJOR};

	ck_assert(fd_read_file(AT_FDCWD, PLUGINS "good.so", 0, PLUGIN_FILE_MAX, &bytes));
	patch(&bytes, &note, sizeof(note), size);
	descriptor = memmem(bytes.data, bytes.size, head, sizeof(head));
	ck_assert_ptr_nonnull(descriptor);
	memcpy(descriptor, &size, sizeof(size));
	temp_dir_init(&dir);
	temp_dir_write_bytes(&dir, "large.so", bytes.data, bytes.size);
	plugin = open_good(temp_dir_path(&dir, "large.so"));
	ck_assert_str_eq(plugin->descriptor.name, "good");
	/* What one exports is not to be found by others. */
	ck_assert_ptr_null(dlsym(RTLD_DEFAULT, "bay_plugin_v1"));
	ck_assert_str_eq(plugin->image, temp_dir_path(&dir, "large.so"));
	ck_assert(plugin_close(plugin, &reason));
	temp_dir_finish(&dir);
	buffer_finish(&bytes);
}
END_TEST

START_TEST(what_cannot_leave_lingers_and_says_why)
{
	static const char *const names[] = {"nodelete", "starts_threads", "unique"};
	char path[512];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct buffer reason = {0};

		snprintf(path, sizeof(path), PLUGINS "%s.so", names[i]);
		ck_assert(!plugin_close(open_good(path), &reason));
		ck_assert_uint_gt(reason.size, 0);
		ck_assert(is_loaded(path));
		buffer_finish(&reason);
	}
}
END_TEST

START_TEST(what_somebody_else_holds_lingers)
{
	void *other = dlopen(PLUGINS "good.so", RTLD_NOW | RTLD_LOCAL);
	struct buffer reason = {0};

	ck_assert_ptr_nonnull(other);
	ck_assert(!plugin_close(open_good(PLUGINS "good.so"), &reason));
	ck_assert_ptr_nonnull(strstr(buffer_text(&reason), "still uses it"));
	dlclose(other);
	buffer_finish(&reason);
}
END_TEST

START_TEST(a_library_of_the_plugin_uses_its_own_functions_and_leaves_too)
{
	struct plugin *plugin = open_good(PLUGINS "uses_library.so");
	struct buffer reason = {0};

	ck_assert(is_loaded(PLUGINS "libbay-test-helper.so"));
	ck_assert_int_eq(plugin->descriptor.handle(NULL), 1);
	ck_assert(plugin_close(plugin, &reason));
	ck_assert(!is_loaded(PLUGINS "libbay-test-helper.so"));
}
END_TEST

/* Copies a test plugin or library, makes the folder of the copy. */
static void
copy(const struct temp_dir *dir, const char *name, const char *to)
{
	char command[2048];

	snprintf(command, sizeof(command), "mkdir -p $(dirname %s) && cp %s%s %s", temp_dir_path(dir, to),
		PLUGINS, name, temp_dir_path(dir, to));
	ck_assert_int_eq(system(command), 0);
}

/* The image lies elsewhere than the plugin's file, beside which the library is. */
START_TEST(a_library_beside_the_plugin_is_found_from_its_image)
{
	struct plugin *plugin;
	struct buffer text = {0};
	struct temp_dir dir;
	char origin[1024];

	temp_dir_init(&dir);
	snprintf(origin, sizeof(origin), "%s", temp_dir_path(&dir, "plugins"));
	copy(&dir, "uses_origin.so", "images/uses_origin.1.so");
	ck_assert(!plugin_open(temp_dir_path(&dir, "images/uses_origin.1.so"), NULL, origin, &plugin, &text));
	ck_assert_ptr_nonnull(strstr(buffer_text(&text), "'libbay-test-helper.so', which is not found"));
	ck_assert_ptr_nonnull(strstr(buffer_text(&text), "/plugins/../elsewhere:"));
	ck_assert_ptr_nonnull(strstr(buffer_text(&text), "/plugins/lib, or where ldconfig looks"));
	buffer_finish(&text);
	/* One that is there and is none. */
	copy(&dir, "good.so", "plugins/lib/libbay-test-helper.so");
	ck_assert_int_eq(truncate(temp_dir_path(&dir, "plugins/lib/libbay-test-helper.so"), 100), 0);
	ck_assert(!plugin_open(temp_dir_path(&dir, "images/uses_origin.1.so"), NULL, origin, &plugin, &text));
	ck_assert_msg(strstr(buffer_text(&text), "plugins/lib/libbay-test-helper.so: ") != NULL, "%s",
		buffer_text(&text));
	buffer_finish(&text);
	copy(&dir, "libbay-test-helper.so", "plugins/lib/libbay-test-helper.so");
	ck_assert_msg(plugin_open(temp_dir_path(&dir, "images/uses_origin.1.so"), NULL, origin, &plugin, &text),
		"%s", buffer_text(&text));
	ck_assert_int_eq(plugin->descriptor.handle(NULL), 1);
	ck_assert(is_loaded(temp_dir_path(&dir, "plugins/lib/libbay-test-helper.so")));
	ck_assert(plugin_close(plugin, &text));
	ck_assert(!is_loaded(temp_dir_path(&dir, "plugins/lib/libbay-test-helper.so")));
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(two_copies_of_a_plugin_live_side_by_side)
{
	struct buffer reason = {0};
	struct plugin *a, *b;
	struct temp_dir dir;
	char command[1024];

	temp_dir_init(&dir);
	snprintf(command, sizeof(command), "cp %sgood.so %s", PLUGINS,
		temp_dir_path(&dir, "good.2.so"));
	ck_assert_int_eq(system(command), 0);
	a = open_good(PLUGINS "good.so");
	b = open_good(temp_dir_path(&dir, "good.2.so"));
	ck_assert_ptr_ne(a->descriptor.settings, b->descriptor.settings);
	ck_assert(plugin_close(a, &reason));
	ck_assert_int_eq(b->descriptor.handle(NULL), BAY_OK);
	ck_assert(plugin_close(b, &reason));
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(closing_nothing_is_fine)
{
	ck_assert(plugin_close(NULL, NULL));
}
END_TEST

START_TEST(a_segment_that_no_process_could_have_is_told_as_such)
{
	struct buffer bytes = {0};
	struct temp_dir dir;
	ElfW(Ehdr) header;

	ck_assert(fd_read_file(AT_FDCWD, PLUGINS "good.so", 0, PLUGIN_FILE_MAX, &bytes));
	memcpy(&header, bytes.data, sizeof(header));
	for (size_t i = 0; i < header.e_phnum; i++) {
		uint8_t *at = bytes.data + header.e_phoff + i * sizeof(ElfW(Phdr));
		ElfW(Phdr) segment;

		memcpy(&segment, at, sizeof(segment));
		if (segment.p_type == PT_LOAD && (segment.p_flags & PF_W) != 0)
			segment.p_memsz |= (ElfW(Xword))0xfa << 40;
		memcpy(at, &segment, sizeof(segment));
	}
	temp_dir_init(&dir);
	temp_dir_write_bytes(&dir, "huge.so", bytes.data, bytes.size);
	assert_refused(temp_dir_path(&dir, "huge.so"), NULL, "it does not fit into memory");
	temp_dir_finish(&dir);
	buffer_finish(&bytes);
}
END_TEST

START_TEST(the_words_of_the_loader_are_explained)
{
	static const char *const cases[][2] = {
		{"/i.so: undefined symbol: cos, version GLIBC_9", "the symbol 'cos', which"},
		{"/i.so: undefined symbol: cos", "link the plugin with the library"},
		{"/i.so: undefined symbol: bay_new", "this container offers ABI 1.0"},
		{"/i.so: undefined symbol: __ubsan_handle_x", "-fsanitize=undefined"},
		{"libz.so.9: cannot open shared object file: No such file or directory",
			"the library 'libz.so.9', which is not found"},
		{"/i.so: failed to map segment from shared object", "noexec"},
		{"/i.so: cannot allocate memory in static TLS block", "thread-local"},
		{"/i.so: something new", "the dynamic loader refuses it: something new"},
		{NULL, "cannot be loaded"},
	};
	struct plugin_libraries libraries = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buffer error = {0};

		ck_assert(!plugin_dlerror_explain(cases[i][0], "/i.so", &libraries, &error));
		ck_assert_msg(strstr(buffer_text(&error), cases[i][1]) != NULL, "%s",
			buffer_text(&error));
		buffer_finish(&error);
	}
}
END_TEST

CHECK_MAIN("service/plugin",
	a_good_plugin_opens_with_its_descriptor_and_leaves_when_closed,
	its_table_of_settings_can_be_filled,
	an_image_that_is_not_the_examined_one_is_refused,
	bad_plugins_are_refused_with_what_to_do,
	of_a_larger_descriptor_what_is_known_is_read,
	what_cannot_leave_lingers_and_says_why,
	what_somebody_else_holds_lingers,
	a_library_of_the_plugin_uses_its_own_functions_and_leaves_too,
	a_library_beside_the_plugin_is_found_from_its_image,
	two_copies_of_a_plugin_live_side_by_side,
	closing_nothing_is_fine,
	a_segment_that_no_process_could_have_is_told_as_such,
	the_words_of_the_loader_are_explained)
