/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/activation.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "support/check_main.h"

/* Sockets are passed by number. Before main, so that nobody else gets these: Check would. */
static void __attribute__((constructor))
reserve_descriptors(void)
{
	while (open("/dev/null", O_RDWR | O_CLOEXEC) < 5)
		continue;
}

static struct activation activation;
static char why[512];

/* Sets the variables (NULL: not set; "me" is our process) and takes what they say. */
static bool
take(const char *pid, const char *fds, const char *names)
{
	struct buffer error = {0};
	char own[16];
	bool taken;

	snprintf(own, sizeof(own), "%d", (int)getpid());
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (pid != NULL)
		setenv("LISTEN_PID", strcmp(pid, "me") == 0 ? own : pid, 1);
	if (fds != NULL)
		setenv("LISTEN_FDS", fds, 1);
	if (names != NULL)
		setenv("LISTEN_FDNAMES", names, 1);
	taken = activation_take(&activation, &error);
	snprintf(why, sizeof(why), "%s", error.size > 0 ? buffer_text(&error) : "");
	buffer_finish(&error);
	ck_assert_ptr_null(getenv("LISTEN_PID"));
	ck_assert_ptr_null(getenv("LISTEN_FDS"));
	ck_assert_ptr_null(getenv("LISTEN_FDNAMES"));
	ck_assert_msg(taken == (*why == '\0'), "%s", why);
	return taken;
}

static void
put_listener(int at)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in any = {.sin_family = AF_INET,
		.sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	if (fd != at) {
		ck_assert_int_eq(dup2(fd, at), at);
		close(fd);
	}
}

static void
refuse(const char *pid, const char *fds, const char *names, const char *words)
{
	ck_assert(!take(pid, fds, names));
	ck_assert_msg(strstr(why, words) != NULL, "\"%s\" is not in: %s", words, why);
	activation_finish(&activation);
}

START_TEST(without_the_variables_there_is_nothing)
{
	ck_assert(take(NULL, NULL, NULL));
	ck_assert_uint_eq(activation.count, 0);
	ck_assert(take("me", NULL, NULL));
	ck_assert(take(NULL, "1", "a"));
	ck_assert(take("me", "0", NULL));
	ck_assert_uint_eq(activation.count, 0);
	activation_finish(&activation);
}
END_TEST

START_TEST(what_is_for_another_process_is_left_alone)
{
	put_listener(3);
	ck_assert(take("1", "1", "web"));
	ck_assert_uint_eq(activation.count, 0);
	activation_finish(&activation);
	ck_assert_int_eq(fcntl(3, F_GETFD), 0);
}
END_TEST

START_TEST(sockets_come_with_their_names_and_stay_here)
{
	put_listener(3);
	put_listener(4);
	ck_assert_msg(take("me", "2", "web:api"), "%s", why);
	ck_assert_uint_eq(activation.count, 2);
	ck_assert_int_eq(activation.sockets[0].fd, 3);
	ck_assert_str_eq(activation.sockets[0].name, "web");
	ck_assert_int_eq(activation.sockets[1].fd, 4);
	ck_assert_str_eq(activation.sockets[1].name, "api");
	ck_assert_int_eq(fcntl(3, F_GETFD), FD_CLOEXEC);
	ck_assert_int_ne(fcntl(3, F_GETFL) & O_NONBLOCK, 0);
	activation.sockets[0].fd = -1;
	activation_finish(&activation);
	ck_assert_int_ge(fcntl(3, F_GETFD), 0);
	ck_assert_int_lt(fcntl(4, F_GETFD), 0);
}
END_TEST

START_TEST(without_names_they_are_unknown)
{
	put_listener(3);
	put_listener(4);
	ck_assert_msg(take("me", "2", NULL), "%s", why);
	ck_assert_str_eq(activation.sockets[0].name, "unknown");
	ck_assert_str_eq(activation.sockets[1].name, "unknown");
	activation_finish(&activation);
}
END_TEST

START_TEST(what_is_no_number_is_refused)
{
	refuse("x", "1", NULL, "LISTEN_PID is \"x\", which is no number from 1");
	refuse("0", "1", NULL, "LISTEN_PID is \"0\"");
	refuse("", "1", NULL, "LISTEN_PID is \"\"");
	refuse("me", "two", NULL, "LISTEN_FDS is \"two\", which is no number from 0 to 1024");
	refuse("me", "-1", NULL, "LISTEN_FDS is \"-1\"");
	refuse("me", "1025", NULL, "LISTEN_FDS is \"1025\"");
}
END_TEST

START_TEST(as_many_names_as_sockets_are_wanted)
{
	put_listener(3);
	put_listener(4);
	refuse("me", "2", "web", "LISTEN_FDNAMES has 1 name for 2 descriptors");
	put_listener(3);
	put_listener(4);
	refuse("me", "2", "web:api:third", "LISTEN_FDNAMES has more names");
}
END_TEST

START_TEST(a_descriptor_that_is_no_listening_socket_is_refused_and_not_touched)
{
	int pair[2];

	close(3);
	refuse("me", "1", "web", "descriptor 3 (web), which is not open");
	ck_assert_int_eq(dup2(STDERR_FILENO, 3), 3);
	refuse("me", "1", "web", "descriptor 3 (web), passed by the service manager, is no socket");
	ck_assert_int_ge(fcntl(3, F_GETFD), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(dup2(pair[0], 3), 3);
	refuse("me", "1", "web", "ListenStream=");
	ck_assert_int_eq(dup2(socket(AF_INET, SOCK_DGRAM, 0), 3), 3);
	refuse("me", "1", "web", "no socket that listens");
}
END_TEST

CHECK_MAIN("master/activation",
	without_the_variables_there_is_nothing,
	what_is_for_another_process_is_left_alone,
	sockets_come_with_their_names_and_stay_here,
	without_names_they_are_unknown,
	what_is_no_number_is_refused,
	as_many_names_as_sockets_are_wanted,
	a_descriptor_that_is_no_listening_socket_is_refused_and_not_touched)
