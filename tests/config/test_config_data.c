/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_data.h"

#include <stdlib.h>
#include <string.h>

#include "config/from_text.h"
#include "support/check_main.h"
#include "support/codes.h"

START_TEST(services_are_found_by_name)
{
	struct config *config = accepted("[service a]\n[service b]\n");

	ck_assert_ptr_eq(config_find_service(config, "b"), &config->services[1]);
	ck_assert_ptr_null(config_find_service(config, "c"));
	config_destroy(config);
	config_destroy(NULL);
}
END_TEST

static bool
equal(const char *a, const char *b)
{
	struct config *first = accepted(a);
	struct config *second = accepted(b);
	bool same = config_service_equal(&first->services[0], &second->services[0]);

	config_destroy(first);
	config_destroy(second);
	return same;
}

START_TEST(sections_that_ask_for_the_same_are_equal)
{
	ck_assert(equal("[service a]\n", "\n\n[service a]\nplugin = a\nqueue = 1024\n"));
	ck_assert(equal("[service a]\nx = 1\ny = 2\n", "[service a]\ny = 2\nx = 1\n"));
	ck_assert(equal("[service a]\ntimeout = 60s\n", "[service a]\ntimeout = 1m\n"));
}
END_TEST

START_TEST(sections_that_differ_anywhere_are_not_equal)
{
	ck_assert(!equal("[service a]\n", "[service b]\nplugin = a\n"));
	ck_assert(!equal("[service a]\n", "[service a]\nplugin = b\n"));
	ck_assert(!equal("[service a]\n", "[service a]\nenabled = no\n"));
	ck_assert(!equal("[service a]\n", "[service a]\nstart_limit = 5/2m\n"));
	ck_assert(!equal("[service a]\nx = 1\n", "[service a]\nx = 2\n"));
	ck_assert(!equal("[service a]\nx = 1\n", "[service a]\ny = 1\n"));
	ck_assert(!equal("[service a]\nx = 1\n", "[service a]\n"));
}
END_TEST

/* What is said about the setting `name` of a service whose plugin has these settings. */
static void
unknown(const char *name, const char *const *settings, size_t count, const char *expected)
{
	struct buffer text = {0};
	struct config *config;
	char *said;

	ck_assert(buffer_printf(&text, "[service a]\nplugin = p\n%s = 1\n", name));
	config = accepted(buffer_text(&text));
	said = config_unknown_setting_text(&config->services[0], 0, settings, count);
	take_codes_off(said);
	ck_assert_str_eq(said, expected);
	free(said);
	config_destroy(config);
	buffer_finish(&text);
}

START_TEST(an_unknown_setting_names_the_nearest_key_or_setting)
{
	static const char *const settings[] = {"delay", "text"};

	unknown("concurency", settings, 2, "unknown key 'concurency'; did you mean 'concurrency'?");
	unknown("dealy", settings, 2, "unknown key 'dealy'; did you mean 'delay'?");
	unknown("colour", settings, 2,
		"unknown key 'colour': plugin 'p' has no such setting; it has delay, text");
	unknown("max_depth", settings, 2, "unknown key 'max_depth': it belongs into [container]");
	unknown("colour", NULL, 0,
		"unknown key 'colour': plugin 'p' has no such setting; it has no settings");
}
END_TEST

CHECK_MAIN("config/config_data",
	services_are_found_by_name,
	sections_that_ask_for_the_same_are_equal,
	sections_that_differ_anywhere_are_not_equal,
	an_unknown_setting_names_the_nearest_key_or_setting)
