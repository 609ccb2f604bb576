/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_order.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "config/from_text.h"
#include "support/check_main.h"

/* The names in the order of the configuration that this text is, with blanks between them. */
static void
order_is(const char *text, const char *expected)
{
	struct config *config = accepted(text);
	struct config_order *order = config_order_create(config, NULL);
	struct buffer names = {0};

	for (size_t i = 0; i < config->service_count; i++)
		ck_assert(buffer_printf(&names, "%s%s", i > 0 ? " " : "",
			config->services[config_order_sorted(order)[i]].name));
	ck_assert_str_eq(buffer_text(&names), expected);
	buffer_finish(&names);
	config_order_destroy(order);
	config_destroy(config);
}

/* --- the order ------------------------------------------------------------------------ */

START_TEST(without_keys_it_is_the_order_of_the_file)
{
	order_is("[container]\n[service c]\n[service a]\n[service b]\n", "c a b");
}
END_TEST

START_TEST(each_key_puts_what_it_names_first)
{
	order_is("[service a]\nrequires = b\n[service b]\n", "b a");
	order_is("[service a]\nwants = b\n[service b]\n", "b a");
	order_is("[service a]\nafter = b\n[service b]\n", "b a");
}
END_TEST

START_TEST(all_of_a_chain_and_of_a_fork_come_first)
{
	order_is("[service a]\nrequires = b\n[service b]\nafter = c\n[service c]\n", "c b a");
	order_is("[service a]\nrequires = b c\n[service b]\nafter = d\n[service c]\nwants = d\n"
		"[service d]\n[service e]\n", "d b c a e");
}
END_TEST

START_TEST(the_last_first_is_an_order_to_stop_in)
{
	struct config *config = accepted("[service a]\nrequires = b\nwants = c\n[service b]\n"
		"after = c\n[service c]\n[service d]\nafter = a c\n");
	struct config_order *order = config_order_create(config, NULL);
	const size_t *sorted = config_order_sorted(order);

	for (size_t i = 0; i < config->service_count; i++)
		for (size_t n = 0; n <= i; n++)
			ck_assert(!config_service_follows(&config->services[sorted[n]],
				config->services[sorted[i]].name));
	config_order_destroy(order);
	config_destroy(config);
}
END_TEST

START_TEST(a_chain_of_thousands_has_an_order)
{
	enum { COUNT = 5000 };
	struct config_service *services = xcalloc(COUNT, sizeof(*services));
	struct config config = {.services = services, .service_count = COUNT};
	struct config_order *order;

	for (int i = 0; i < COUNT; i++) {
		services[i] = (struct config_service){.name = xasprintf("s%d", i), .requires = xstrdup(""),
			.wants = xstrdup(""), .after = i + 1 < COUNT ? xasprintf("s%d", i + 1) : xstrdup("")};
	}
	order = config_order_create(&config, NULL);
	for (size_t i = 0; i < COUNT; i++)
		ck_assert_uint_eq(config_order_sorted(order)[i], COUNT - 1 - i);
	config_order_destroy(order);
	for (int i = 0; i < COUNT; i++) {
		free(services[i].name);
		free(services[i].requires);
		free(services[i].wants);
		free(services[i].after);
	}
	free(services);
}
END_TEST

/* --- what is wrong -------------------------------------------------------------------- */

START_TEST(a_circle_is_shown_with_its_way_and_line)
{
	refused("[service a]\nrequires = b\n[service b]\nafter = a\n",
		"test.ini:2: requires = b: services wait for each other: a -> b -> a\n");
	refused("[service x]\n[service a]\nafter = x, b\n[service b]\nwants = c\n[service c]\n"
		"requires = x b\n",
		"test.ini:5: wants = c: services wait for each other: b -> c -> b\n");
}
END_TEST

START_TEST(each_circle_is_shown)
{
	refused("[service a]\nafter = b\n[service b]\nafter = a\n[service c]\nafter = d\n"
		"[service d]\nafter = c\n",
		"test.ini:2: after = b: services wait for each other: a -> b -> a\n"
		"test.ini:6: after = d: services wait for each other: c -> d -> c\n");
}
END_TEST

START_TEST(a_long_circle_is_shown_without_its_middle)
{
	struct buffer text = {0};

	for (int i = 0; i < 40; i++)
		ck_assert(buffer_printf(&text, "[service s%d]\nafter = s%d\n", i, (i + 1) % 40));
	refused(buffer_text(&text), "test.ini:2: after = s1: services wait for each other: s0 -> s1 -> "
		"s2 -> s3 -> s4 -> s5 -> s6 -> s7 -> ... -> s32 -> s33 -> s34 -> s35 -> s36 -> s37 -> s38 -> "
		"s39 -> s0\n");
	buffer_finish(&text);
}
END_TEST

START_TEST(an_unknown_name_is_told_with_the_nearest)
{
	refused("[service log]\n[service web]\nwants = lgo\n",
		"test.ini:3: wants = lgo: there is no [service lgo]; did you mean 'log'?\n");
	refused("[service web]\nrequires = database\n",
		"test.ini:2: requires = database: there is no [service database]\n");
	/* Not itself. */
	refused("[service web]\nrequires = wed\n",
		"test.ini:2: requires = wed: there is no [service wed]\n");
}
END_TEST

START_TEST(a_service_does_not_wait_for_itself)
{
	refused("[service a]\nafter = a\n",
		"test.ini:2: after = a: a service does not wait for itself\n");
}
END_TEST

START_TEST(what_is_no_name_is_no_value)
{
	refused("[service a]\nrequires = b/c\n", "test.ini:2: requires = 'b/c': wants names of "
		"services, with blanks or commas between them; 'b/c' is none: a name is a letter, digit or "
		"'_', then letters, digits, '_', '.' or '-', 48 characters at most\n");
}
END_TEST

/* --- marks ---------------------------------------------------------------------------- */

static const char marked[] = "[service a]\nrequires = b\n[service b]\nwants = c\n[service c]\n"
	"after = d\n[service d]\n[service e]\nrequires = a\n[service f]\nwants = a\n";

/* Marks one service, then what fn marks for that: "abc" are the marks. */
static void
marks_are(void (*fn)(const struct config_order *, bool *), size_t first, const char *expected)
{
	struct config *config = accepted(marked);
	struct config_order *order = config_order_create(config, NULL);
	bool marks[6] = {false};
	char text[7] = "";

	marks[first] = true;
	fn(order, marks);
	for (size_t i = 0; i < 6; i++)
		if (marks[i])
			strncat(text, config->services[i].name, 1);
	ck_assert_str_eq(text, expected);
	config_order_destroy(order);
	config_destroy(config);
}

START_TEST(what_is_required_or_wanted_is_needed)
{
	marks_are(config_order_mark_needed, 4, "abce");
	marks_are(config_order_mark_needed, 2, "c");
	marks_are(config_order_mark_needed, 3, "d");
}
END_TEST

START_TEST(only_who_requires_it_depends_on_it)
{
	marks_are(config_order_mark_dependants, 1, "abe");
	marks_are(config_order_mark_dependants, 0, "ae");
	marks_are(config_order_mark_dependants, 2, "c");
	marks_are(config_order_mark_dependants, 3, "d");
}
END_TEST

CHECK_MAIN("config/config_order",
	without_keys_it_is_the_order_of_the_file,
	each_key_puts_what_it_names_first,
	all_of_a_chain_and_of_a_fork_come_first,
	the_last_first_is_an_order_to_stop_in,
	a_chain_of_thousands_has_an_order,
	a_circle_is_shown_with_its_way_and_line,
	each_circle_is_shown,
	a_long_circle_is_shown_without_its_middle,
	an_unknown_name_is_told_with_the_nearest,
	a_service_does_not_wait_for_itself,
	what_is_no_name_is_no_value,
	what_is_required_or_wanted_is_needed,
	only_who_requires_it_depends_on_it)
