/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose code it is. What was loaded before is never asked about, so here this program itself is
 * the plugin: nothing was noted before it. */
#include "config.h"

#include "cell/crash_frames.h"

#include "base/status_page.h"
#include "support/check_main.h"

static const char inside[] = "in this program";

static uint32_t
whose(void)
{
	struct crash_place place;

	crash_frames_find(&place);
	return place.slot;
}

START_TEST(code_that_is_used_is_somebodys)
{
	ck_assert_uint_eq(whose(), STATUS_NO_SLOT);
	crash_frames_add(inside, 3);
	ck_assert_uint_eq(whose(), 3);
	crash_frames_remove(inside, 3, true);
	ck_assert_uint_eq(whose(), STATUS_NO_SLOT);
}
END_TEST

START_TEST(code_that_two_use_is_that_of_who_is_left)
{
	crash_frames_add(inside, 1);
	crash_frames_add(inside, 2);
	crash_frames_remove(inside, 1, false);
	ck_assert_uint_eq(whose(), 2);
	crash_frames_remove(inside, 2, true);
	ck_assert_uint_eq(whose(), STATUS_NO_SLOT);
}
END_TEST

START_TEST(code_that_stays_when_nobody_uses_it_is_that_of_the_last)
{
	crash_frames_add(inside, 1);
	crash_frames_add(inside, 2);
	crash_frames_remove(inside, 2, false);
	ck_assert_uint_eq(whose(), 1);
	crash_frames_remove(inside, 1, false);
	ck_assert_uint_eq(whose(), 1);
}
END_TEST

START_TEST(code_that_has_gone_is_nobodys_whoever_had_left_it)
{
	crash_frames_add(inside, 1);
	crash_frames_remove(inside, 1, false);
	crash_frames_add(inside, 2);
	crash_frames_remove(inside, 2, true);
	ck_assert_uint_eq(whose(), STATUS_NO_SLOT);
}
END_TEST

CHECK_MAIN("cell/crash_frames",
	code_that_is_used_is_somebodys,
	code_that_two_use_is_that_of_who_is_left,
	code_that_stays_when_nobody_uses_it_is_that_of_the_last,
	code_that_has_gone_is_nobodys_whoever_had_left_it)
