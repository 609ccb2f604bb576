/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/remedy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/check_main.h"

START_TEST(what_is_said_goes_behind_the_text_of_the_error)
{
	static const int errors[] = {ENOSPC, EDQUOT, EROFS, EMFILE, ENFILE, ENOMEM};

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		ck_assert_int_eq(strncmp(remedy_of(errors[i]), "; ", 2), 0);
	ck_assert_str_eq(remedy_of(ENOSPC), "; make room there");
}
END_TEST

START_TEST(of_others_nothing_is_said)
{
	ck_assert_str_eq(remedy_of(0), "");
	ck_assert_str_eq(remedy_of(EINVAL), "");
	ck_assert_str_eq(remedy_of(-1), "");
}
END_TEST

START_TEST(a_text_of_such_an_error_is_known_again)
{
	char text[200];

	snprintf(text, sizeof(text), "plugin a: it cannot be copied: %s [plugin-copy]", strerror(EMFILE));
	ck_assert(remedy_is_of(text));
	ck_assert(remedy_is_of(strerror(EIO)));
	ck_assert(!remedy_is_of("plugin a: it has no Bay note"));
	ck_assert(!remedy_is_of(strerror(ENOENT)));
}
END_TEST

CHECK_MAIN("base/remedy",
	what_is_said_goes_behind_the_text_of_the_error,
	of_others_nothing_is_said,
	a_text_of_such_an_error_is_known_again)
