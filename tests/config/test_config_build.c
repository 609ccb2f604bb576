/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_build.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/status_page.h"
#include "config/from_text.h"
#include "support/check_main.h"

START_TEST(an_empty_text_is_all_defaults)
{
	struct config *config = accepted("");

	ck_assert_ptr_null(config->container.origin.file);
	ck_assert_uint_eq(config->service_count, 0);
	ck_assert_int_eq(config->container.log_level, LOG_LEVEL_INFO);
	ck_assert_int_eq(config->container.loops, 0);
	ck_assert_int_eq(config->container.max_depth, 64);
	ck_assert_int_eq(config->container.blocking_threads, 16);
	ck_assert_str_eq(config->container.resolv_conf, "/etc/resolv.conf");
	ck_assert_uint_eq(config->container.control_mode, 0600);
	ck_assert_str_eq(config->container.user, "");
	config_destroy(config);
}
END_TEST

START_TEST(values_are_set_and_know_their_line)
{
	struct config *config = accepted("[container]\nlog_level = debug\nloops = 4\n");

	ck_assert_int_eq(config->container.log_level, LOG_LEVEL_DEBUG);
	ck_assert_int_eq(config->container.loops, 4);
	ck_assert_str_eq(config->container.origin.file, "test.ini");
	ck_assert_uint_eq(config->container.origin.line, 1);
	ck_assert_uint_eq(config_container_origin(config, "loops")->line, 3);
	ck_assert_str_eq(config_container_origin(config, "loops")->file, "test.ini");
	ck_assert_ptr_null(config_container_origin(config, "log_format")->file);
	config_destroy(config);
}
END_TEST

START_TEST(services_have_defaults_and_keep_their_order)
{
	struct config *config = accepted("[service b]\n[container]\n[service a]\nplugin = p\n"
		"timeout = 2s\ninstances = per-loop\n[service  c ]\n");
	const struct config_service *services = config->services;

	ck_assert_uint_eq(config->service_count, 3);
	ck_assert_str_eq(services[0].name, "b");
	ck_assert_str_eq(services[0].plugin, "b");
	ck_assert(services[0].enabled);
	ck_assert_int_eq(services[0].instances, 1);
	ck_assert_int_eq(services[0].concurrency, 256);
	ck_assert_int_eq(services[0].blocking_threads, 8);
	ck_assert_int_eq(services[0].queue, 1024);
	ck_assert_uint_eq(services[0].queue_bytes, 16 << 20);
	ck_assert_int_eq(services[0].overflow, CONFIG_OVERFLOW_REJECT);
	ck_assert_int_eq(services[0].timeout_ns, INT64_C(30) * CLOCK_NS_PER_S);
	ck_assert_uint_eq(services[0].stack_bytes, 256 << 10);
	ck_assert_int_eq(services[0].start_timeout_ns, INT64_C(5) * CLOCK_NS_PER_S);
	ck_assert_int_eq(services[0].drain_timeout_ns, INT64_C(5) * CLOCK_NS_PER_S);
	ck_assert_int_eq(services[0].restart, CONFIG_RESTART_ON_FAILURE);
	ck_assert_int_eq(services[0].restart_delay.first_ns, INT64_C(200) * CLOCK_NS_PER_MS);
	ck_assert_int_eq(services[0].restart_delay.last_ns, INT64_C(60) * CLOCK_NS_PER_S);
	ck_assert_int_eq(services[0].start_limit.count, 5);
	ck_assert_int_eq(services[0].start_limit.period_ns, INT64_C(60) * CLOCK_NS_PER_S);
	ck_assert_uint_eq(services[0].origin.line, 1);
	ck_assert_str_eq(services[1].name, "a");
	ck_assert_str_eq(services[1].plugin, "p");
	ck_assert_int_eq(services[1].timeout_ns, INT64_C(2) * CLOCK_NS_PER_S);
	ck_assert_int_eq(services[1].instances, 0);
	ck_assert_uint_eq(config_service_origin(&services[1], "timeout")->line, 5);
	ck_assert_str_eq(services[2].name, "c");
	config_destroy(config);
}
END_TEST

START_TEST(keys_that_the_plugin_may_know_are_kept_in_order)
{
	struct config *config = accepted("[service a]\ndelay = 1s\nqueue = 5\n"
		"text = \"two ; words\"\nempty =\n");
	const struct config_service *service = &config->services[0];

	ck_assert_uint_eq(service->setting_count, 3);
	ck_assert_str_eq(service->settings[0].name, "delay");
	ck_assert_str_eq(service->settings[0].value, "1s");
	ck_assert_uint_eq(service->settings[0].origin.line, 2);
	ck_assert_str_eq(service->settings[1].value, "two ; words");
	ck_assert_str_eq(service->settings[2].name, "empty");
	ck_assert_str_eq(service->settings[2].value, "");
	ck_assert_int_eq(service->queue, 5);
	config_destroy(config);
}
END_TEST

START_TEST(wrong_values_say_what_is_right)
{
	refused("[container]\nlog_level = loud\nloops = 65\n[service a]\nconcurrency = many\n"
		"timeout = 30\nplugin = ../x\n",
		"test.ini:2: log_level = 'loud': wants error, warn, info or debug\n"
		"test.ini:3: loops = '65': wants auto, or a number from 1 to 64\n"
		"test.ini:5: concurrency = 'many': wants a number from 1 to 1000000\n"
		"test.ini:6: timeout = '30': wants a duration with its unit, such as 250ms, 5s or 2m,"
		" from 0 to 365d; the unit is missing\n"
		"test.ini:7: plugin = '../x': wants a name: a letter, digit or '_', then letters, digits,"
		" '_', '.' or '-', 48 characters at most\n");
}
END_TEST

START_TEST(an_unknown_key_of_the_container_names_the_nearest)
{
	refused("[container]\nlog_levl = info\ncolour = red\nconcurrency = 5\n",
		"test.ini:2: unknown key 'log_levl'; did you mean 'log_level'?\n"
		"test.ini:3: unknown key 'colour' in [container], which has the keys plugin_dir runtime_dir"
		" image_dir state_dir control control_mode control_group viewers operators admins user group log log_level"
		" log_format include loops max_depth max_lingering blocking_threads resolv_conf cgroup drain_timeout"
		" crash_reports max_services"
		" watch autoload\n"
		"test.ini:4: the key 'concurrency' belongs into a [service NAME] section\n");
}
END_TEST

START_TEST(a_second_key_names_the_place_of_the_first)
{
	refused("[container]\nlog = stderr\nlog = syslog\n[service a]\nqueue = 1\ndelay = 1\n"
		"queue = 2\ndelay = 2\n",
		"test.ini:3: the key 'log' is here for the second time; the first is at test.ini:2\n"
		"test.ini:7: the key 'queue' is here for the second time; the first is at test.ini:5\n"
		"test.ini:8: the key 'delay' is here for the second time; the first is at test.ini:6\n");
}
END_TEST

START_TEST(a_second_section_names_the_place_of_the_first_and_is_looked_at)
{
	refused("[container]\nlog = stderr\n[service a]\n[service b]\n[service a]\nqueue = x\n"
		"[container]\nlog = syslog\nloops = x\n",
		"test.ini:5: [service a] is here for the second time; the first is at test.ini:3\n"
		"test.ini:6: queue = 'x': wants a number from 1 to 1000000\n"
		"test.ini:7: [container] is here for the second time; the first is at test.ini:1\n"
		"test.ini:9: loops = 'x': wants auto, or a number from 1 to 64\n");
}
END_TEST

START_TEST(unknown_sections_name_the_nearest_and_hide_their_keys)
{
	refused("[contaner]\nx = 1\n[servce a]\ny = 2\n[http]\n[]\n[container x]\nz = 3\n[service]\n"
		"[a\x1b]\n",
		"test.ini:1: unknown section 'contaner'; did you mean [container]?\n"
		"test.ini:3: unknown section 'servce a'; did you mean [service a]?\n"
		"test.ini:5: unknown section 'http'; there are [container], [service NAME], [cell NAME] and [group NAME]\n"
		"test.ini:6: the section header is empty; there are [container], [service NAME], [cell NAME] and [group NAME]\n"
		"test.ini:7: [container] takes no name\n"
		"test.ini:9: a service has a name: [service NAME]\n"
		"test.ini:10: unknown section 'a\\x1b'; there are [container], [service NAME], [cell NAME] and [group NAME]\n");
}
END_TEST

START_TEST(service_names_are_plain_and_short)
{
	struct config *config;

	refused("[service a b]\n[service -x]\n[service \"x\"]\n"
		"[service n12345678901234567890123456789012345678901234567x]\n",
		"test.ini:1: 'a b' cannot be the name of a service: that is a letter, digit or '_', then"
		" letters, digits, '_', '.' or '-', 48 characters at most\n"
		"test.ini:2: '-x' cannot be the name of a service: that is a letter, digit or '_', then"
		" letters, digits, '_', '.' or '-', 48 characters at most\n"
		"test.ini:3: '\"x\"' cannot be the name of a service: that is a letter, digit or '_', then"
		" letters, digits, '_', '.' or '-', 48 characters at most\n"
		"test.ini:4: 'n12345678901234567890123456789012345678901234567x' cannot be the name of a"
		" service: that is a letter, digit or '_', then letters, digits, '_', '.' or '-', 48"
		" characters at most\n");
	config = accepted("[service n12345678901234567890123456789012345678901234567]\n");
	ck_assert_uint_eq(strlen(config->services[0].name), 48);
	config_destroy(config);
}
END_TEST

START_TEST(a_cell_has_defaults_and_keys_of_its_own)
{
	struct config *config = accepted("[cell risky]\nloops = 3\nuser = nobody\n[cell other]\n"
		"[service a]\ncell = risky\n[service b]\n[service c]\nisolate = yes\n");
	const struct config_cell *cell = config_find_cell(config, "risky");

	ck_assert_uint_eq(config->cell_count, 2);
	ck_assert_int_eq(cell->loops, 3);
	ck_assert_str_eq(cell->user, "nobody");
	ck_assert_uint_eq(cell->origin.line, 1);
	ck_assert_uint_eq(config_cell_origin(cell, "user")->line, 3);
	ck_assert_int_eq(config_find_cell(config, "other")->loops, 0);
	ck_assert_int_eq(config_find_cell(config, "other")->fds_max, 0);
	ck_assert(!config_find_cell(config, "other")->sandbox);
	ck_assert_uint_eq(config_find_cell(config, "other")->memory_max, 0);
	ck_assert_int_eq(config_find_cell(config, "other")->cpu_weight, 100);
	ck_assert_ptr_null(config_find_cell(config, "main"));
	ck_assert_str_eq(config_service_cell(&config->services[0]), "risky");
	ck_assert_str_eq(config_service_cell(&config->services[1]), "main");
	ck_assert_str_eq(config_service_cell(&config->services[2]), "c");
	config_destroy(config);
}
END_TEST

START_TEST(a_group_has_a_strategy_and_services_that_name_it)
{
	struct config *config = accepted("[group g]\n[group h]\nstrategy = rest-for-one\n"
		"[service a]\ngroup = h\n[service b]\n");

	ck_assert_uint_eq(config->group_count, 2);
	ck_assert_int_eq(config_find_group(config, "g")->strategy, CONFIG_ONE_FOR_ONE);
	ck_assert_int_eq(config_find_group(config, "h")->strategy, CONFIG_REST_FOR_ONE);
	ck_assert_uint_eq(config_find_group(config, "h")->origins[0].line, 3);
	ck_assert_ptr_null(config_find_group(config, "i"));
	ck_assert_str_eq(config->services[0].group, "h");
	ck_assert_str_eq(config->services[1].group, "");
	config_destroy(config);
}
END_TEST

START_TEST(what_is_wrong_in_a_group_is_told)
{
	refused("[group]\n[group x]\nstrategie = one-for-all\nstrategy = one-for-none\nqueue = 5\n[group x]\n"
		"log = stderr\ncolour = 1\n[groop y]\n",
		"test.ini:1: a group has a name: [group NAME]\n"
		"test.ini:3: unknown key 'strategie'; did you mean 'strategy'?\n"
		"test.ini:4: strategy = 'one-for-none': wants one-for-one, one-for-all or rest-for-one\n"
		"test.ini:5: the key 'queue' belongs into a [service NAME] section\n"
		"test.ini:6: [group x] is here for the second time; the first is at test.ini:2\n"
		"test.ini:7: the key 'log' belongs into [container]\n"
		"test.ini:8: unknown key 'colour' in [group NAME], which has the keys strategy\n"
		"test.ini:9: unknown section 'groop y'; did you mean [group y]?\n");
}
END_TEST

START_TEST(what_is_wrong_in_a_cell_is_told)
{
	refused("[cell]\n[cell a b]\n[cell x]\nlops = 1\n[cell x]\nqueue = 5\nlog = stderr\ncolour = 1\n"
		"loops = 65\nfds_max = 3\n[cel y]\n",
		"test.ini:1: a cell has a name: [cell NAME]\n"
		"test.ini:2: 'a b' cannot be the name of a cell: that is a letter, digit or '_', then letters, "
		"digits, '_', '.' or '-', 48 characters at most\n"
		"test.ini:4: unknown key 'lops'; did you mean 'loops'?\n"
		"test.ini:5: [cell x] is here for the second time; the first is at test.ini:3\n"
		"test.ini:6: the key 'queue' belongs into a [service NAME] section\n"
		"test.ini:7: the key 'log' belongs into [container]\n"
		"test.ini:8: unknown key 'colour' in [cell NAME], which has the keys loops user group fds_max memory_max "
		"tasks_max cpu_weight sandbox writable\n"
		"test.ini:9: loops = '65': wants container, or a number from 1 to 64\n"
		"test.ini:10: fds_max = '3': wants none, or a number from 64 to 1048576\n"
		"test.ini:11: unknown section 'cel y'; did you mean [cell y]?\n");
}
END_TEST

START_TEST(blanks_in_a_header_do_not_count)
{
	struct config *config = accepted("[\t container ]\n[ service\t a ]\nqueue = 3\n");

	ck_assert_ptr_nonnull(config->container.origin.file);
	ck_assert_uint_eq(config->service_count, 1);
	ck_assert_str_eq(config->services[0].name, "a");
	config_destroy(config);
}
END_TEST

START_TEST(keys_before_the_first_section_are_refused)
{
	refused("plugin_dir = x\n[container]\n",
		"test.ini:1: the key 'plugin_dir' stands before the first section; only 'include' may\n");
}
END_TEST

START_TEST(a_section_of_endless_settings_is_refused)
{
	struct buffer text = {0};

	ck_assert(buffer_append_text(&text, "[service a]\n"));
	for (int i = 0; i < 257; i++)
		ck_assert(buffer_printf(&text, "key%d = %d\n", i, i));
	refused(buffer_text(&text), "test.ini:258: the section has more than 256 settings\n");
	buffer_finish(&text);
}
END_TEST

START_TEST(as_many_services_as_a_cell_takes_are_found_again)
{
	struct buffer text = {0};
	struct config *config;
	char name[16];

	ck_assert(buffer_append_text(&text, "[container]\nmax_services = 1024\n"));
	for (int i = 0; i < STATUS_PAGE_SERVICES_MAX; i++)
		ck_assert(buffer_printf(&text, "[service s%d]\nqueue = %d\n", i, i + 1));
	config = accepted(buffer_text(&text));
	ck_assert_uint_eq(config->service_count, STATUS_PAGE_SERVICES_MAX);
	for (int i = 0; i < STATUS_PAGE_SERVICES_MAX; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		ck_assert_str_eq(config->services[i].name, name);
		ck_assert_int_eq(config->services[i].queue, i + 1);
	}
	config_destroy(config);
	buffer_finish(&text);
}
END_TEST

START_TEST(max_services_cannot_be_more_than_a_cell_takes)
{
	refused("[container]\nmax_services = 1025\n",
		"test.ini:2: max_services = '1025': wants a number from 1 to 1024\n");
}
END_TEST

START_TEST(more_services_than_any_limit_are_refused_where_they_stand)
{
	struct buffer text = {0};

	/* Names of four letters, so that they fit into a file. */
	for (int i = 0; i < 65537; i++)
		ck_assert(buffer_printf(&text, "[service %c%c%c%c]\n", 'a' + i / 17576 % 26,
			'a' + i / 676 % 26, 'a' + i / 26 % 26, 'a' + i % 26));
	refused(buffer_text(&text),
		"test.ini:1025: there are 65536 service sections, more than max_services = 1024 allows\n"
		"test.ini:65537: there are more than 65536 service sections\n");
	buffer_finish(&text);
}
END_TEST

CHECK_MAIN("config/config_build",
	an_empty_text_is_all_defaults,
	values_are_set_and_know_their_line,
	services_have_defaults_and_keep_their_order,
	keys_that_the_plugin_may_know_are_kept_in_order,
	wrong_values_say_what_is_right,
	an_unknown_key_of_the_container_names_the_nearest,
	a_second_key_names_the_place_of_the_first,
	a_second_section_names_the_place_of_the_first_and_is_looked_at,
	unknown_sections_name_the_nearest_and_hide_their_keys,
	service_names_are_plain_and_short,
	a_cell_has_defaults_and_keys_of_its_own,
	a_group_has_a_strategy_and_services_that_name_it,
	what_is_wrong_in_a_group_is_told,
	what_is_wrong_in_a_cell_is_told,
	blanks_in_a_header_do_not_count,
	keys_before_the_first_section_are_refused,
	a_section_of_endless_settings_is_refused,
	as_many_services_as_a_cell_takes_are_found_again,
	max_services_cannot_be_more_than_a_cell_takes,
	more_services_than_any_limit_are_refused_where_they_stand)
