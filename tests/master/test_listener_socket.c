/* SPDX-License-Identifier: BSD-2-Clause */
/* The socket itself; what else there is to say of one that fails is in test_listener_table.c. */
#include "config.h"

#include "master/listener_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "support/check_main.h"
#include "support/temp_dir.h"

static struct listen_address
address_of(const char *text)
{
	struct listen_address address;
	const char *why = "";

	ck_assert_msg(listen_address_parse(&address, text, strlen(text), &why), "%s", why);
	return address;
}

/* The text must be that of the error, or "" with BAY_OK. */
static enum bay_status
open_on(struct listener_socket *listener, const struct listen_address *address, char text[512])
{
	struct buffer error = {0};
	enum bay_status status = listener_socket_open(listener, address, 0600, 4, &error);

	snprintf(text, 512, "%s", error.size > 0 ? buffer_text(&error) : "");
	buffer_finish(&error);
	ck_assert_int_eq(status == BAY_OK, *text == '\0');
	ck_assert_int_eq(status == BAY_OK, listener->fd >= 0);
	return status;
}

START_TEST(a_port_can_be_opened_again_while_old_connections_linger)
{
	struct listener_socket listener;
	struct listen_address address = address_of("127.0.0.1:0");
	char error[512];
	int client, served;

	ck_assert_int_eq(open_on(&listener, &address, error), BAY_OK);
	ck_assert(listen_address_of_socket(&address, listener.fd));
	client = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(client, &address.socket.any, address.length), 0);
	served = accept(listener.fd, NULL, NULL);
	ck_assert_int_ge(served, 0);
	/* We close first, so it is our side that lingers. */
	close(served);
	close(client);
	listener_socket_close(&listener);
	ck_assert_int_eq(listener.fd, -1);
	ck_assert_msg(open_on(&listener, &address, error) == BAY_OK, "%s", error);
	listener_socket_close(&listener);
}
END_TEST

START_TEST(ipv4_and_ipv6_of_one_port_do_not_meet)
{
	struct listener_socket six, four;
	struct listen_address address = address_of("[::]:0");
	struct listen_address other = address_of("0.0.0.0:0");
	char error[512];

	if (open_on(&six, &address, error) != BAY_OK)
		CHECK_SKIP("there is no IPv6 here");
	ck_assert(listen_address_of_socket(&address, six.fd));
	other.socket.ipv4.sin_port = address.socket.ipv6.sin6_port;
	ck_assert_msg(open_on(&four, &other, error) == BAY_OK, "%s", error);
	listener_socket_close(&four);
	listener_socket_close(&six);
}
END_TEST

START_TEST(a_socket_file_is_gone_when_it_is_closed)
{
	struct listener_socket listener;
	struct listen_address address = address_of("unix:a.sock");
	struct temp_dir dir;
	struct stat st;
	char error[512];

	temp_dir_init(&dir);
	ck_assert(listen_address_resolve(&address, dir.path));
	ck_assert_msg(open_on(&listener, &address, error) == BAY_OK, "%s", error);
	ck_assert_int_eq(stat(listen_address_path(&address), &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	listener_socket_close(&listener);
	ck_assert_int_eq(rmdir(dir.path), 0);
}
END_TEST

START_TEST(without_a_descriptor_it_is_told_what_to_raise)
{
	struct listener_socket listener;
	struct listen_address address = address_of("127.0.0.1:0");
	struct rlimit limit, none;
	enum bay_status status;
	char error[512];

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	status = open_on(&listener, &address, error);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(status, BAY_IO);
	ck_assert_msg(strstr(error, "LimitNOFILE=") != NULL, "%s", error);
}
END_TEST

CHECK_MAIN("master/listener_socket",
	a_port_can_be_opened_again_while_old_connections_linger,
	ipv4_and_ipv6_of_one_port_do_not_meet,
	a_socket_file_is_gone_when_it_is_closed,
	without_a_descriptor_it_is_told_what_to_raise)
