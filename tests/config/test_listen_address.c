/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/listen_address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/check_main.h"

static bool
parse(struct listen_address *address, const char *text, const char **why)
{
	return listen_address_parse(address, text, strlen(text), why);
}

static struct listen_address
address_of(const char *text)
{
	struct listen_address address;
	const char *why = NULL;

	ck_assert_msg(parse(&address, text, &why), "%s: %s", text, why);
	return address;
}

START_TEST(every_form_reads_back_as_it_was_written)
{
	static const char *const texts[] = {"127.0.0.1:8080", "0.0.0.0:0", "255.1.2.3:65535",
		"[::1]:8080", "[::]:0", "[2001:db8::7]:1", "[fe80::1%lo]:22", "unix:web.sock",
		"unix:/run/web.sock", "unix:a=b:c", "unix:@web", "unix:@a/"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct listen_address address = address_of(texts[i]);
		char *text = listen_address_print(&address);

		ck_assert_str_eq(text, texts[i]);
		free(text);
	}
}
END_TEST

START_TEST(what_is_no_address_is_told_why)
{
	static const struct {
		const char *text;
		const char *words;
	} wrong[] = {
		{"localhost:80", "a name is no address"},
		{"127.1:80", "a name is no address"},
		{"127.0.0.1.5:80", "a name is no address"},
		{":80", "the address is missing"},
		{"*:80", "the address is missing"},
		{"::1:80", "in brackets"},
		{"127.0.0.1", "has a port"},
		{"", "has a port"},
		{"127.0.0.1:", "0 to 65535"},
		{"127.0.0.1:65536", "0 to 65535"},
		{"127.0.0.1:+80", "0 to 65535"},
		{"127.0.0.1:http", "0 to 65535"},
		{"127.0.0.1:99999999999999999999", "0 to 65535"},
		{"[::1]", "behind its brackets"},
		{"[::1]80", "behind its brackets"},
		{"[:80", "behind its brackets"},
		{"[]:80", "no IPv6 address"},
		{"[127.0.0.1]:80", "no IPv6 address"},
		{"[::1%nowhere]:80", "no network interface"},
		{"/run/web.sock", "unix: in front"},
		{"unix:", "is missing"},
		{"unix:@", "is missing"},
		{"unix:/run/", "directory"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct listen_address address;
		const char *why = "";

		ck_assert_msg(!parse(&address, wrong[i].text, &why), "%s", wrong[i].text);
		ck_assert_msg(strstr(why, wrong[i].words) != NULL, "%s: %s", wrong[i].text, why);
	}
}
END_TEST

START_TEST(a_path_may_be_as_long_as_others_can_connect_to)
{
	struct listen_address address;
	const char *why;
	char text[200];

	snprintf(text, sizeof(text), "unix:%0107d", 0);
	address = address_of(text);
	ck_assert_uint_eq(strlen(listen_address_path(&address)), 107);
	snprintf(text, sizeof(text), "unix:%0108d", 0);
	ck_assert(!parse(&address, text, &why));
	ck_assert_str_eq(why,
		"the path is longer than the 107 bytes that the path of a socket may have");
}
END_TEST

START_TEST(a_relative_path_gets_its_directory)
{
	struct listen_address address = address_of("unix:web.sock");
	struct listen_address absolute = address_of("unix:/run/bay/web.sock");
	struct listen_address ip = address_of("127.0.0.1:80");
	char dir[100];

	ck_assert(!listen_address_equal(&address, &absolute));
	ck_assert(listen_address_resolve(&address, "/run/bay"));
	ck_assert_str_eq(listen_address_path(&address), "/run/bay/web.sock");
	ck_assert(listen_address_equal(&address, &absolute));
	ck_assert(listen_address_resolve(&absolute, "/elsewhere"));
	ck_assert_str_eq(listen_address_path(&absolute), "/run/bay/web.sock");
	ck_assert(listen_address_resolve(&ip, "/run"));
	ck_assert_ptr_null(listen_address_path(&ip));
	snprintf(dir, sizeof(dir), "/%098d", 0);
	address = address_of("unix:12345678");
	ck_assert(!listen_address_resolve(&address, dir));
	address = address_of("unix:1234567");
	ck_assert(listen_address_resolve(&address, dir));
}
END_TEST

START_TEST(loopback_is_what_only_this_machine_reaches)
{
	static const struct {
		const char *text;
		bool loopback;
	} cases[] = {{"127.0.0.1:1", true}, {"127.255.0.9:1", true}, {"[::1]:1", true},
		{"0.0.0.0:1", false}, {"[::]:1", false}, {"128.0.0.1:1", false}, {"10.0.0.1:1", false},
		{"[::ffff:127.0.0.1]:1", false}, {"unix:a", false}, {"unix:@a", true}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct listen_address address = address_of(cases[i].text);

		ck_assert_msg(listen_address_is_loopback(&address) == cases[i].loopback, "%s",
			cases[i].text);
	}
}
END_TEST

START_TEST(addresses_are_equal_when_all_of_them_is)
{
	static const char *const texts[] = {"127.0.0.1:1", "127.0.0.1:2", "127.0.0.2:1", "[::1]:1",
		"[::1]:2", "unix:a", "unix:ab", "unix:@a", "unix:@ab"};
	enum { COUNT = sizeof(texts) / sizeof(*texts) };

	for (size_t i = 0; i < COUNT; i++) {
		for (size_t j = 0; j < COUNT; j++) {
			struct listen_address a = address_of(texts[i]), b = address_of(texts[j]);

			ck_assert_msg(listen_address_equal(&a, &b) == (i == j), "%s %s", texts[i], texts[j]);
		}
	}
}
END_TEST

static void
bound_is_found(const char *text)
{
	struct listen_address address = address_of(text), found;
	int fd = socket(address.socket.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, &address.socket.any, address.length), 0);
	ck_assert(listen_address_of_socket(&found, fd));
	if (listen_address_path(&address) != NULL) {
		ck_assert(listen_address_equal(&address, &found));
		unlink(listen_address_path(&address));
	} else if (address.socket.any.sa_family == AF_UNIX) {
		ck_assert(listen_address_equal(&address, &found));
	} else {
		ck_assert_uint_ne(listen_address_port(&found), 0);
		ck_assert(listen_address_is_loopback(&found));
	}
	close(fd);
}

START_TEST(a_socket_says_where_it_is_bound)
{
	struct listen_address found;
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "unix:test-listen-address-%d", (int)getpid());
	bound_is_found("127.0.0.1:0");
	bound_is_found(name);
	snprintf(name, sizeof(name), "unix:@test-listen-address-%d", (int)getpid());
	bound_is_found(name);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert(!listen_address_of_socket(&found, fd));
	close(fd);
	ck_assert(!listen_address_of_socket(&found, STDIN_FILENO));
}
END_TEST

CHECK_MAIN("config/listen_address",
	every_form_reads_back_as_it_was_written,
	what_is_no_address_is_told_why,
	a_path_may_be_as_long_as_others_can_connect_to,
	a_relative_path_gets_its_directory,
	loopback_is_what_only_this_machine_reaches,
	addresses_are_equal_when_all_of_them_is,
	a_socket_says_where_it_is_bound)
