/* SPDX-License-Identifier: BSD-2-Clause */
/* The scripts for shells, which bayctl carries with it. */
#include "config.h"

#include <string.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "ctl/embedded.h"
#include "ctl/run.h"
#include "support/check_main.h"

START_TEST(every_file_is_carried_as_it_is)
{
	for (const struct embedded *file = embedded_files; file->name != NULL; file++) {
		struct buffer text = {0};
		char path[4096];

		snprintf(path, sizeof(path), TOP_SRCDIR "/container/%s", file->name);
		ck_assert(fd_read_file(-1, path, 0, 1 << 20, &text));
		ck_assert_str_eq(file->text, buffer_text(&text));
		ck_assert_ptr_eq(embedded_text(file->name), file->text);
		buffer_finish(&text);
	}
	ck_assert_ptr_null(embedded_text("nothing"));
}
END_TEST

START_TEST(the_script_of_a_shell_is_printed)
{
	static const char *const shells[][2] = {
		{"bash", "complete -F _bayctl bayctl\n"},
		{"zsh", "#compdef bayctl\n"},
		{"fish", "complete -c bayctl -f -a '(__bayctl_complete)'\n"},
	};
	struct run run = {0};

	for (size_t i = 0; i < sizeof(shells) / sizeof(*shells); i++) {
		run_words(&run, "completion", shells[i][0], NULL);
		ck_assert_int_eq(run.exit, 0);
		ck_assert_ptr_nonnull(strstr(run.out, shells[i][1]));
	}
	run_json(&run, "completion", "bash", NULL);
	ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(
		json_object_get(run.json, "data"), "script")), shells[0][1]));
	run_finish(&run);
}
END_TEST

START_TEST(for_another_shell_the_known_ones_are_named)
{
	struct run run = {0};

	run_words(&run, "completion", "tcsh", NULL);
	ck_assert_int_eq(run.exit, 2);
	ck_assert_ptr_nonnull(strstr(run.err, "there is no completion for \"tcsh\""));
	ck_assert_ptr_nonnull(strstr(run.err, "bash, zsh and fish"));
	run_finish(&run);
}
END_TEST

CHECK_MAIN("ctl/verb_completion",
	every_file_is_carried_as_it_is,
	the_script_of_a_shell_is_printed,
	for_another_shell_the_known_ones_are_named)
