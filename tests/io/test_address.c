/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/address.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/check_main.h"
#include "support/temp_dir.h"

static struct bay_address
parsed(const char *text)
{
	struct bay_address address;

	ck_assert_msg(bay_address_parse(text, &address) == BAY_OK, "'%s' is refused", text);
	return address;
}

static void
assert_text(const struct bay_address *address, const char *wanted)
{
	char text[BAY_ADDRESS_TEXT_SIZE];

	ck_assert_str_eq(bay_address_text(address, text, sizeof text), wanted);
}

START_TEST(what_is_read_is_written_again)
{
	static const char *const texts[] = {"127.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:80",
		"[::]:0", "[2001:db8::7]:443", "[fe80::1%7]:80", "unix:/run/a.sock", "unix:a", "unix:@abstract"};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct bay_address address = parsed(texts[i]);

		assert_text(&address, texts[i]);
	}
}
END_TEST

START_TEST(what_is_no_address_is_refused_and_changes_nothing)
{
	static const char *const texts[] = {"", ":", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
		"127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1: 1", "127.0.0.1:80 ", "127.0.0.1:http", "127.0.0:80",
		"127.0.0.256:80", "localhost:80", "::1:80", "[::1]", "[::1]80", "[::1:80", "[]:80", "[::1%]:80",
		"[::1%-1]:80", "[127.0.0.1]:80", "unix:", "unix:@", "127.0.0.1:18446744073709551617"};
	struct bay_address before = parsed("127.0.0.1:7"), address = before;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		ck_assert_msg(bay_address_parse(texts[i], &address) == BAY_INVALID, "'%s' is taken", texts[i]);
		ck_assert_int_eq(memcmp(&address, &before, sizeof address), 0);
	}
	ck_assert_int_eq(bay_address_parse(NULL, &address), BAY_INVALID);
}
END_TEST

START_TEST(a_path_that_is_too_long_is_too_big)
{
	char text[200] = "unix:", written[BAY_ADDRESS_TEXT_SIZE];
	struct bay_address address;

	memset(text + 5, 'x', 108);
	ck_assert_int_eq(bay_address_parse(text, &address), BAY_TOO_BIG);
	text[5] = '@';
	ck_assert_int_eq(bay_address_parse(text, &address), BAY_TOO_BIG);
	text[5 + 107] = '\0';
	address = parsed(text);
	ck_assert_str_eq(bay_address_text(&address, written, sizeof written), text);
	text[5] = 'x';
	address = parsed(text);
	ck_assert_str_eq(bay_address_text(&address, written, sizeof written), text);
	ck_assert_str_eq(bay_address_text(&address, written, 8), "unix:xx");
}
END_TEST

START_TEST(families_and_ports_are_told)
{
	struct bay_address none = {._length = 0}, address = parsed("[::1]:80");

	ck_assert_int_eq(bay_address_family(&none), BAY_ADDRESS_NONE);
	assert_text(&none, "none");
	ck_assert_int_eq(bay_address_set_port(&none, 1), BAY_INVALID);
	ck_assert_int_eq(bay_address_family(&address), BAY_ADDRESS_IPV6);
	ck_assert_uint_eq(bay_address_port(&address), 80);
	ck_assert_int_eq(bay_address_set_port(&address, 65535), BAY_OK);
	assert_text(&address, "[::1]:65535");
	ck_assert_int_eq(bay_address_set_port(&address, 65536), BAY_INVALID);
	address = parsed("127.0.0.1:80");
	ck_assert_int_eq(bay_address_family(&address), BAY_ADDRESS_IPV4);
	ck_assert_int_eq(bay_address_set_port(&address, 81), BAY_OK);
	ck_assert_uint_eq(bay_address_port(&address), 81);
	address = parsed("unix:/a");
	ck_assert_int_eq(bay_address_family(&address), BAY_ADDRESS_UNIX);
	ck_assert_uint_eq(bay_address_port(&address), 0);
	ck_assert_int_eq(bay_address_set_port(&address, 81), BAY_INVALID);
}
END_TEST

START_TEST(equal_addresses_have_equal_bytes)
{
	struct bay_address a = parsed("127.0.0.1:80"), b = parsed("127.0.0.1:81"), v6 = parsed("[::1]:80");
	struct sockaddr_in6 noisy = {.sin6_family = AF_INET6, .sin6_port = htons(80), .sin6_flowinfo = 7,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct bay_address told;

	ck_assert(!bay_address_equal(&a, &b));
	ck_assert(!bay_address_equal(&a, &v6));
	ck_assert_int_eq(bay_address_set_port(&b, 80), BAY_OK);
	ck_assert(bay_address_equal(&a, &b));
	ck_assert_int_eq(memcmp(&a, &b, sizeof a), 0);
	ck_assert(address_from_sockaddr(&told, (struct sockaddr *)&noisy, sizeof noisy));
	ck_assert_int_eq(memcmp(&told, &v6, sizeof told), 0);
}
END_TEST

/* Binds a Unix socket to what text says and compares with what the kernel tells of it. */
static void
assert_bound(const char *text)
{
	struct bay_address address = parsed(text), told;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct sockaddr *name;
	socklen_t length;

	name = address_sockaddr(&address, &length);
	ck_assert_int_eq(bind(fd, name, length), 0);
	address_local(&told, fd);
	ck_assert(bay_address_equal(&told, &address));
	address_peer(&told, fd);
	ck_assert_int_eq(bay_address_family(&told), BAY_ADDRESS_NONE);
	close(fd);
}

START_TEST(the_kernel_tells_the_address_that_it_was_given)
{
	struct temp_dir dir;
	char text[64];

	temp_dir_init(&dir);
	snprintf(text, sizeof text, "unix:%s", temp_dir_path(&dir, "s"));
	assert_bound(text);
	temp_dir_finish(&dir);
	snprintf(text, sizeof text, "unix:@bay-address-%d", (int)getpid());
	assert_bound(text);
}
END_TEST

START_TEST(what_the_kernel_tells_is_no_trap)
{
	struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = {'\0', 'a', '\0', '\n'}};
	struct sockaddr odd = {.sa_family = AF_APPLETALK};
	struct bay_address address;
	int ends[2];

	ck_assert(address_from_sockaddr(&address, (struct sockaddr *)&local,
		offsetof(struct sockaddr_un, sun_path) + 4));
	assert_text(&address, "unix:@a??");
	/* A path that fills all of it has no NUL. */
	memset(local.sun_path, 'x', sizeof local.sun_path);
	ck_assert(address_from_sockaddr(&address, (struct sockaddr *)&local, sizeof local));
	ck_assert_int_eq(bay_address_family(&address), BAY_ADDRESS_UNIX);
	ck_assert(!address_from_sockaddr(&address, &odd, sizeof odd));
	ck_assert(!address_from_sockaddr(&address, &odd, 1));
	odd.sa_family = AF_INET6;
	ck_assert(!address_from_sockaddr(&address, &odd, sizeof odd));
	ck_assert_int_eq(bay_address_family(&address), BAY_ADDRESS_NONE);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	address_peer(&address, ends[0]);
	assert_text(&address, "unix:");
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(hosts_and_ports_are_taken_apart)
{
	char host[ADDRESS_HOST_SIZE], text[400];
	const char *port;

	ck_assert_int_eq(address_split("example.org:https", host, &port), BAY_OK);
	ck_assert_str_eq(host, "example.org");
	ck_assert_str_eq(port, "https");
	ck_assert_int_eq(address_split("[::1]:80", host, &port), BAY_OK);
	ck_assert_str_eq(host, "::1");
	ck_assert_str_eq(port, "80");
	ck_assert_int_eq(address_split("example.org", host, &port), BAY_INVALID);
	ck_assert_int_eq(address_split("example.org:", host, &port), BAY_INVALID);
	memset(text, 'a', 300);
	strcpy(text + 300, ":80");
	ck_assert_int_eq(address_split(text, host, &port), BAY_TOO_BIG);
}
END_TEST

CHECK_MAIN("io/address",
	what_is_read_is_written_again,
	what_is_no_address_is_refused_and_changes_nothing,
	a_path_that_is_too_long_is_too_big,
	families_and_ports_are_told,
	equal_addresses_have_equal_bytes,
	the_kernel_tells_the_address_that_it_was_given,
	what_the_kernel_tells_is_no_trap,
	hosts_and_ports_are_taken_apart)
