/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests of what a configuration says: from text, as the file test.ini. */
#ifndef BAY_TESTS_CONFIG_FROM_TEXT_H
#define BAY_TESTS_CONFIG_FROM_TEXT_H

#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/buffer.h"
#include "config/config_load.h"
#include "support/codes.h"

/* The complaints as printed; the caller frees. */
static inline char *
printed(struct config_report *report)
{
	struct buffer out = {0};

	ck_assert(config_report_print(report, &out));
	config_report_finish(report);
	ck_assert_ptr_nonnull(buffer_text(&out));
	return (char *)out.data;
}

/* The configuration that this text is; the test fails if it is none. */
static inline struct config *
accepted(const char *text)
{
	struct config_report report = {0};
	struct config *config;
	bool done = config_load_memory("test.ini", text, strlen(text), &config, &report);
	char *complaints = printed(&report);

	ck_assert_msg(done, "%s", complaints);
	ck_assert_str_eq(complaints, "");
	free(complaints);
	return config;
}

/* The test fails unless this text gives exactly these complaints. */
static inline void
refused(const char *text, const char *expected)
{
	struct config_report report = {0};
	struct config *config;
	bool done = config_load_memory("test.ini", text, strlen(text), &config, &report);
	char *complaints = printed(&report);

	take_codes_off(complaints);
	ck_assert_str_eq(complaints, expected);
	ck_assert(!done);
	ck_assert_ptr_null(config);
	free(complaints);
}

#endif
