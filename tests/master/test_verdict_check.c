/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/verdict_check.h"

#include "protocol/cell_link.h"
#include "support/check_main.h"

static bool
fits(const char *service, int64_t index)
{
	struct cell_setting settings[] = {{"a", "1"}, {"b", "2"}};
	struct cell_examine_service services[] = {{"one", settings, 2}, {"two", NULL, 0}};
	struct cell_examine request = {
		.nonce = "once", .image = "/image", .services = services, .service_count = 2,
	};
	struct cell_complaint complaint = {.service = service, .index = index};
	struct cell_verdict verdict = {.complaints = &complaint, .complaint_count = 1};
	json_t *json = cell_examine_to_json(&request);
	bool fits = verdict_fits_request(&verdict, json);

	json_decref(json);
	return fits;
}

START_TEST(complaints_are_about_what_was_asked)
{
	ck_assert(fits("one", 0));
	ck_assert(fits("one", 1));
	ck_assert(fits("one", -1));
	ck_assert(fits("two", -1));
	ck_assert(!fits("one", 2));
	ck_assert(!fits("two", 0));
	ck_assert(!fits("three", -1));
}
END_TEST

START_TEST(a_verdict_without_complaints_always_fits)
{
	struct cell_verdict verdict = {.ok = true};
	json_t *json = json_object();

	ck_assert(verdict_fits_request(&verdict, json));
	json_decref(json);
}
END_TEST

START_TEST(a_setting_named_like_a_key_of_bay_is_found)
{
	struct cell_plugin_setting settings[] = {{.name = "delay"}, {.name = "concurrency"}};
	struct cell_verdict verdict = {.settings = settings, .setting_count = 1};

	ck_assert_ptr_null(verdict_reserved_setting(&verdict));
	verdict.setting_count = 2;
	ck_assert_str_eq(verdict_reserved_setting(&verdict), "concurrency");
}
END_TEST

CHECK_MAIN("master/verdict_check",
	complaints_are_about_what_was_asked,
	a_verdict_without_complaints_always_fits,
	a_setting_named_like_a_key_of_bay_is_found)
