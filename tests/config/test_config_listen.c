/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_listen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/from_text.h"
#include "support/check_main.h"

/* The list as it is understood: "name=address " for each entry, "name= " for a bare name. */
static char *
understood(const char *list)
{
	struct buffer out = {0};
	struct config_listen entry;
	enum config_listen_result result;
	const char *why;

	while ((result = config_listen_next(&list, &entry, &why)) == CONFIG_LISTEN_ENTRY) {
		char *address = entry.has_address ? listen_address_print(&entry.address) : strdup("");

		ck_assert(buffer_printf(&out, "%s=%s ", entry.name, address));
		free(address);
	}
	if (result == CONFIG_LISTEN_WRONG)
		ck_assert(buffer_printf(&out, "%.*s: %s", (int)entry.size, entry.text, why));
	ck_assert_ptr_nonnull(buffer_text(&out));
	return (char *)out.data;
}

START_TEST(entries_stand_between_blanks_and_commas)
{
	static const struct {
		const char *list;
		const char *understood;
	} cases[] = {
		{"", ""},
		{" ,\t", ""},
		{"127.0.0.1:80", "=127.0.0.1:80 "},
		{"127.0.0.1:80 [::1]:80", "=127.0.0.1:80 =[::1]:80 "},
		{" a=127.0.0.1:80,b=unix:x.sock\t,web ", "a=127.0.0.1:80 b=unix:x.sock web= "},
		{"unix:/run/a=b", "=unix:/run/a=b "},
		{"a=unix:b=c", "a=unix:b=c "},
		{"a b", "a= b= "},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct config_listen entry;
		const char *why = "";
		char *text = understood(cases[i].list);

		ck_assert_str_eq(text, cases[i].understood);
		ck_assert_msg(config_listen_check(cases[i].list, &entry, &why), "%s", why);
		free(text);
	}
}
END_TEST

START_TEST(the_first_wrong_entry_is_named_and_told_why)
{
	static const struct {
		const char *list;
		const char *entry;
		const char *words;
	} cases[] = {
		{"127.0.0.1:80 localhost:80 *:80", "localhost:80", "a name is no address"},
		{"8080", "8080", "a port alone is no address"},
		{"a=8080", "a=8080", "has a port"},
		{"-a", "-a", "neither an address nor a name"},
		{"-a=127.0.0.1:80", "-a=127.0.0.1:80", "before the '='"},
		{"=127.0.0.1:80", "=127.0.0.1:80", "before the '='"},
		{"a=", "a=", "has a port"},
		{"a=127.0.0.1:1 a=127.0.0.1:2", "a=127.0.0.1:2", "its name is there twice"},
		{"a a", "a", "its name is there twice"},
		{"127.0.0.1:1 a=127.0.0.1:1", "a=127.0.0.1:1", "its address is there twice"},
		{"127.0.0.1:0 a=127.0.0.1:0", "a=127.0.0.1:0", "its address is there twice"},
		{"unix:a unix:a", "unix:a", "its address is there twice"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct config_listen entry;
		const char *why = "";

		ck_assert_msg(!config_listen_check(cases[i].list, &entry, &why), "%s", cases[i].list);
		ck_assert_uint_eq(entry.size, strlen(cases[i].entry));
		ck_assert_mem_eq(entry.text, cases[i].entry, entry.size);
		ck_assert_msg(strstr(why, cases[i].words) != NULL, "%s: %s", cases[i].list, why);
	}
}
END_TEST

START_TEST(a_port_that_is_chosen_may_have_several_names)
{
	struct config_listen entry;
	const char *why = "";

	ck_assert_msg(config_listen_check("a=127.0.0.1:0 b=127.0.0.1:0", &entry, &why), "%s", why);
}
END_TEST

START_TEST(a_list_has_an_end)
{
	struct config_listen entry;
	const char *why = "";
	char list[4096] = "";

	for (int i = 0; i < 64; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "127.0.0.1:%d ", 1000 + i);
	ck_assert_msg(config_listen_check(list, &entry, &why), "%s", why);
	strcat(list, "[::1]:1");
	ck_assert(!config_listen_check(list, &entry, &why));
	ck_assert_str_eq(why, "there are more than 64 of them");
}
END_TEST

START_TEST(the_key_is_checked_with_its_line)
{
	struct config *config = accepted("[service a]\nlisten = http=127.0.0.1:80, unix:a.sock\n");

	ck_assert_str_eq(config->services[0].listen, "http=127.0.0.1:80, unix:a.sock");
	ck_assert_uint_eq(config->services[0].listen_mode, 0600);
	config_destroy(config);
	refused("[service a]\nlisten = 127.0.0.1:80, localhost:81\n",
		"test.ini:2: listen = '127.0.0.1:80, localhost:81': wants addresses such as "
		"127.0.0.1:8080, [::1]:8080 or unix:web.sock, with or without a name in front as in "
		"http=127.0.0.1:8080, or names of sockets that the service manager passes; "
		"'localhost:81': a name is no address: numbers are wanted, as in 127.0.0.1:8080\n");
}
END_TEST

START_TEST(a_path_that_is_too_long_behind_runtime_dir_is_refused)
{
	char text[256], expected[256];

	snprintf(text, sizeof(text), "[container]\nruntime_dir = /%050d\n[service a]\n"
		"listen = 127.0.0.1:80 unix:%060d\n", 0, 0);
	snprintf(expected, sizeof(expected), "test.ini:4: listen = 'unix:%060d': with runtime_dir "
		"= /%050d in front, the path is longer than the 107 bytes that the path of a socket may "
		"have\n", 0, 0);
	refused(text, expected);
}
END_TEST

CHECK_MAIN("config/config_listen",
	entries_stand_between_blanks_and_commas,
	the_first_wrong_entry_is_named_and_told_why,
	a_port_that_is_chosen_may_have_several_names,
	a_list_has_an_end,
	the_key_is_checked_with_its_line,
	a_path_that_is_too_long_behind_runtime_dir_is_refused)
