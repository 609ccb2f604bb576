/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/check_main.h"
#include "support/log_lines.h"
#include "support/temp_dir.h"

/* A service manager's socket, at a path or at "@name". */
static int
listen_at(const char *text)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(text);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	memcpy(address.sun_path, text, length);
	if (text[0] == '@')
		address.sun_path[0] = '\0';
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)), 0);
	return fd;
}

static const char *
received(int fd)
{
	static char text[256];
	ssize_t got = recv(fd, text, sizeof(text) - 1, 0);

	ck_assert_int_ge(got, 0);
	text[got] = '\0';
	return text;
}

START_TEST(without_the_variable_there_is_nobody_to_tell)
{
	unsetenv("NOTIFY_SOCKET");
	ck_assert_ptr_null(notify_open());
	ck_assert(notify_send(NULL, "READY=1"));
	notify_close(NULL);
}
END_TEST

START_TEST(assignments_arrive_at_the_socket)
{
	struct temp_dir dir;
	struct notify *notify;
	int fd;

	temp_dir_init(&dir);
	fd = listen_at(temp_dir_path(&dir, "notify"));
	setenv("NOTIFY_SOCKET", temp_dir_path(&dir, "notify"), 1);
	notify = notify_open();
	ck_assert_ptr_nonnull(notify);
	ck_assert(notify_send(notify, "READY=1\nSTATUS=%d services", 3));
	ck_assert_str_eq(received(fd), "READY=1\nSTATUS=3 services");
	ck_assert(notify_send(notify, "STOPPING=1"));
	ck_assert_str_eq(received(fd), "STOPPING=1");
	notify_close(notify);
	close(fd);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(an_abstract_address_begins_with_an_at_sign)
{
	struct notify *notify;
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "@bay-test-notify-%d", (int)getpid());
	fd = listen_at(name);
	setenv("NOTIFY_SOCKET", name, 1);
	notify = notify_open();
	ck_assert(notify_send(notify, "READY=1"));
	ck_assert_str_eq(received(fd), "READY=1");
	notify_close(notify);
	close(fd);
}
END_TEST

START_TEST(children_do_not_inherit_the_variable)
{
	setenv("NOTIFY_SOCKET", "/nowhere", 1);
	notify_close(notify_open());
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
}
END_TEST

START_TEST(the_time_of_the_watchdog_is_ours_if_it_names_us)
{
	struct temp_dir dir;
	const struct {
		const char *us;
		bool ours;
		int64_t ns;
	} cases[] = {{"3000000", true, INT64_C(3000000000)}, {"3000000", false, 0}, {"soon", true, 0},
		{"-1", true, 0}, {"0", true, 0}, {"9223372036854775807", true, 0}};

	temp_dir_init(&dir);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct notify *notify;
		char pid[24];
		int fd = listen_at(temp_dir_path(&dir, "notify"));

		snprintf(pid, sizeof(pid), "%d", (int)getpid() + !cases[i].ours);
		setenv("NOTIFY_SOCKET", temp_dir_path(&dir, "notify"), 1);
		setenv("WATCHDOG_USEC", cases[i].us, 1);
		setenv("WATCHDOG_PID", pid, 1);
		notify = notify_open();
		ck_assert_int_eq(notify_watchdog_ns(notify), cases[i].ns);
		ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
		ck_assert_ptr_null(getenv("WATCHDOG_PID"));
		notify_close(notify);
		close(fd);
		unlink(temp_dir_path(&dir, "notify"));
	}
	ck_assert_int_eq(notify_watchdog_ns(NULL), 0);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(an_address_that_is_none_is_refused)
{
	setenv("NOTIFY_SOCKET", "relative", 1);
	ck_assert_ptr_null(notify_open());
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
}
END_TEST

START_TEST(a_manager_that_has_gone_is_reported_and_does_no_harm)
{
	struct notify *notify;

	setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
	notify = notify_open();
	ck_assert_ptr_nonnull(notify);
	log_lines_keep();
	ck_assert(!notify_send(notify, "READY=1"));
	ck_assert(!notify_send(notify, "STOPPING=1"));
	/* Once is enough. */
	ck_assert_int_eq(log_lines_with("tell the service manager"), 1);
	notify_close(notify);
}
END_TEST

CHECK_MAIN("master/notify",
	without_the_variable_there_is_nobody_to_tell,
	assignments_arrive_at_the_socket,
	an_abstract_address_begins_with_an_at_sign,
	children_do_not_inherit_the_variable,
	the_time_of_the_watchdog_is_ours_if_it_names_us,
	an_address_that_is_none_is_refused,
	a_manager_that_has_gone_is_reported_and_does_no_harm)
