/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel says of sockets that were opened; what goes through them is in test_datagram. */
#include "config.h"

#include "io/datagram_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/address.h"
#include "support/check_main.h"
#include "support/streams.h"
#include "support/temp_dir.h"

static struct datagram_file file;

static struct bay_address
address(const char *text)
{
	struct bay_address made;

	ck_assert_int_eq(bay_address_parse(text, &made), BAY_OK);
	return made;
}

static struct bay_address
unix_address(const struct temp_dir *dir, const char *name)
{
	char text[BAY_ADDRESS_TEXT_SIZE];

	snprintf(text, sizeof text, "unix:%s", temp_dir_path(dir, name));
	return address(text);
}

/* local may be NULL. */
static int
open_at(const char *local, struct bay_datagram_options options)
{
	struct bay_address at;

	options.length = sizeof options;
	if (local != NULL)
		at = address(local);
	return datagram_socket_open(local != NULL ? &at : NULL, &options, &file);
}

static int
open_unix(const struct temp_dir *dir, const char *name)
{
	const struct bay_datagram_options options = {.length = sizeof options};
	struct bay_address at = unix_address(dir, name);

	return datagram_socket_open(&at, &options, &file);
}

/* Nothing is opened, for this reason, and nothing is left. */
static void
refused(const char *local, struct bay_datagram_options options, int error)
{
	unsigned fds = streams_open_fds();

	memset(&file, 1, sizeof file);
	ck_assert_int_eq(open_at(local, options), -1);
	ck_assert_int_eq(errno, error);
	ck_assert_str_eq(file.path, "");
	ck_assert_uint_eq(streams_open_fds(), fds);
}

static int
option_of(int fd, int level, int name)
{
	socklen_t size = sizeof(int);
	int value = 0;

	ck_assert_int_eq(getsockopt(fd, level, name, &value, &size), 0);
	return value;
}

static bool
has_ipv6(void)
{
	int fd = open_at("[::1]:0", (struct bay_datagram_options){0});

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* --- options ----------------------------------------------------------------------------------------- */

START_TEST(without_an_address_it_is_an_ipv4_socket_that_never_waits_and_that_no_program_inherits)
{
	int fd = open_at(NULL, (struct bay_datagram_options){0});
	struct bay_address local, peer;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(option_of(fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
	ck_assert_int_eq(option_of(fd, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
	ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	address_local(&local, fd);
	address_peer(&peer, fd);
	ck_assert_uint_eq(bay_address_port(&local), 0);
	ck_assert_int_eq(bay_address_family(&peer), BAY_ADDRESS_NONE);
	ck_assert_str_eq(file.path, "");
	close(fd);
}
END_TEST

START_TEST(each_option_is_asked_for_and_no_other)
{
	static const struct {
		const char *local;
		struct bay_datagram_options options;
		int level, name, with, without;
	} rows[] = {
		{"127.0.0.1:0", {.flags = BAY_DATAGRAM_BROADCAST}, SOL_SOCKET, SO_BROADCAST, 1, 0},
		{"127.0.0.1:0", {.flags = BAY_DATAGRAM_REUSE}, SOL_SOCKET, SO_REUSEADDR, 1, 0},
		{"127.0.0.1:0", {.flags = BAY_DATAGRAM_SPREAD}, SOL_SOCKET, SO_REUSEPORT, 1, 0},
		{"127.0.0.1:0", {.flags = BAY_DATAGRAM_NO_LOOP}, IPPROTO_IP, IP_MULTICAST_LOOP, 0, 1},
		{"127.0.0.1:0", {.hops = 2}, IPPROTO_IP, IP_MULTICAST_TTL, 2, 1},
		{"127.0.0.1:0", {.hops = 255}, IPPROTO_IP, IP_MULTICAST_TTL, 255, 1},
		{"[::]:0", {.flags = BAY_DATAGRAM_BROADCAST}, SOL_SOCKET, SO_BROADCAST, 1, 0},
		{"[::]:0", {.flags = BAY_DATAGRAM_IPV6_ONLY}, IPPROTO_IPV6, IPV6_V6ONLY, 1, 0},
		{"[::]:0", {.flags = BAY_DATAGRAM_NO_LOOP}, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0, 1},
		{"[::]:0", {.hops = 2}, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 2, 1},
	};
	const struct bay_datagram_options none = {0};
	bool ipv6 = has_ipv6();

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int fd;

		if (rows[i].local[0] == '[' && !ipv6)
			continue;
		fd = open_at(rows[i].local, rows[i].options);
		ck_assert_msg(fd >= 0, "row %zu: %s", i, strerror(errno));
		ck_assert_msg(option_of(fd, rows[i].level, rows[i].name) == rows[i].with, "row %zu", i);
		close(fd);
		for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
			bool same = rows[k].level == rows[i].level && rows[k].name == rows[i].name;

			if (rows[k].local[0] != rows[i].local[0])
				continue;
			fd = open_at(rows[k].local, same ? none : rows[k].options);
			ck_assert_int_ge(fd, 0);
			ck_assert_msg(option_of(fd, rows[i].level, rows[i].name) == rows[i].without, "row %zu, %zu", i, k);
			close(fd);
		}
	}
}
END_TEST

START_TEST(buffers_are_as_large_as_they_may_be)
{
	static const struct {
		size_t asked;
		int at_least;
	} rows[] = {{16384, 16384}, {32768, 32768}, {SIZE_MAX, 32768}, {(size_t)1 << 31, 32768}, {(size_t)1 << 32, 32768}};
	int usual = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int in = open_at(NULL, (struct bay_datagram_options){.receive_bytes = rows[i].asked});
		int out = open_at(NULL, (struct bay_datagram_options){.send_bytes = rows[i].asked});

		ck_assert_int_ge(in, 0);
		ck_assert_int_ge(out, 0);
		/* The kernel doubles it, for itself. */
		ck_assert_int_ge(option_of(in, SOL_SOCKET, SO_RCVBUF), 2 * rows[i].at_least);
		ck_assert_int_ge(option_of(out, SOL_SOCKET, SO_SNDBUF), 2 * rows[i].at_least);
		if (rows[i].asked < 1 << 20) {
			ck_assert_int_eq(option_of(in, SOL_SOCKET, SO_RCVBUF), 2 * rows[i].at_least);
			ck_assert_int_eq(option_of(out, SOL_SOCKET, SO_SNDBUF), 2 * rows[i].at_least);
		}
		ck_assert_int_eq(option_of(in, SOL_SOCKET, SO_SNDBUF), option_of(usual, SOL_SOCKET, SO_SNDBUF));
		ck_assert_int_eq(option_of(out, SOL_SOCKET, SO_RCVBUF), option_of(usual, SOL_SOCKET, SO_RCVBUF));
		close(in);
		close(out);
	}
	close(usual);
}
END_TEST

START_TEST(groups_are_sent_to_through_the_interface)
{
	int fd;

	if (!has_ipv6())
		CHECK_SKIP("there is no IPv6 here, and of IPv4 the kernel does not tell it");
	fd = open_at("[::1]:0", (struct bay_datagram_options){.interface = "lo"});
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(option_of(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF), (int)if_nametoindex("lo"));
	close(fd);
}
END_TEST

START_TEST(what_makes_no_sense_is_refused_before_there_is_a_socket)
{
	const struct bay_address none = {._length = 0};
	struct bay_datagram_options options = {.length = sizeof options - 1};

	refused("127.0.0.1:0", (struct bay_datagram_options){.hops = 256}, EINVAL);
	for (unsigned bit = 5; bit < 32; bit++)
		refused("127.0.0.1:0", (struct bay_datagram_options){.flags = 1u << bit}, EINVAL);
	refused(NULL, (struct bay_datagram_options){.peer = &none}, EINVAL);
	ck_assert_int_eq(datagram_socket_open(NULL, &options, &file), -1);
	ck_assert_int_eq(errno, EINVAL);
	options.length = sizeof options;
	ck_assert_int_eq(datagram_socket_open(&none, &options, &file), -1);
	ck_assert_int_eq(errno, EINVAL);
	refused("127.0.0.1:0", (struct bay_datagram_options){.interface = "nowhere0"}, ENODEV);
}
END_TEST

/* --- addresses ----------------------------------------------------------------------------------------- */

START_TEST(it_has_the_local_address_and_talks_to_the_peer)
{
	int server = open_at("127.0.0.1:0", (struct bay_datagram_options){0}), fd;
	struct bay_address at, local, peer;

	address_local(&at, server);
	ck_assert_uint_ne(bay_address_port(&at), 0);
	fd = open_at("127.0.0.1:0", (struct bay_datagram_options){.peer = &at});
	ck_assert_int_ge(fd, 0);
	address_local(&local, fd);
	address_peer(&peer, fd);
	ck_assert(bay_address_equal(&peer, &at));
	ck_assert(!bay_address_equal(&local, &at));
	close(fd);
	fd = open_at(NULL, (struct bay_datagram_options){.peer = &at});
	address_peer(&peer, fd);
	ck_assert(bay_address_equal(&peer, &at));
	close(fd);
	close(server);
}
END_TEST

START_TEST(a_peer_alone_says_of_which_family_it_is)
{
	const struct bay_address peer = address("[::1]:9");
	int fd;

	if (!has_ipv6())
		CHECK_SKIP("there is no IPv6 here");
	fd = open_at(NULL, (struct bay_datagram_options){.peer = &peer});
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(option_of(fd, SOL_SOCKET, SO_DOMAIN), AF_INET6);
	close(fd);
	refused("127.0.0.1:0", (struct bay_datagram_options){.peer = &peer}, EAFNOSUPPORT);
}
END_TEST

START_TEST(a_unix_socket_without_a_name_gets_one_to_be_answered_at)
{
	struct temp_dir dir;
	struct bay_address at, local;
	int server, fd;

	temp_dir_init(&dir);
	server = open_unix(&dir, "a.sock");
	ck_assert_int_ge(server, 0);
	at = unix_address(&dir, "a.sock");
	fd = open_at(NULL, (struct bay_datagram_options){.peer = &at});
	ck_assert_int_ge(fd, 0);
	address_local(&local, fd);
	ck_assert_int_eq(bay_address_family(&local), BAY_ADDRESS_UNIX);
	ck_assert_uint_gt(local._length, sizeof(sa_family_t));
	ck_assert_str_eq(file.path, "");
	close(fd);
	close(server);
	temp_dir_finish(&dir);
}
END_TEST

/* --- files ----------------------------------------------------------------------------------------------- */

START_TEST(the_file_of_a_unix_socket_is_told_and_removed_once)
{
	struct temp_dir dir;
	struct stat found;
	int fd;

	temp_dir_init(&dir);
	fd = open_unix(&dir, "a.sock");
	ck_assert_int_ge(fd, 0);
	ck_assert_str_eq(file.path, temp_dir_path(&dir, "a.sock"));
	ck_assert_int_eq(lstat(file.path, &found), 0);
	ck_assert(S_ISSOCK(found.st_mode));
	ck_assert(found.st_dev == file.device && found.st_ino == file.inode);
	datagram_file_remove(&file);
	ck_assert_int_ne(lstat(file.path, &found), 0);
	datagram_file_remove(&file);
	close(fd);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_file_of_the_same_name_that_is_another_one_is_left)
{
	struct datagram_file other_device, other_inode;
	struct temp_dir dir;
	struct stat found;
	int fd;

	temp_dir_init(&dir);
	fd = open_unix(&dir, "a.sock");
	ck_assert_int_ge(fd, 0);
	other_device = other_inode = file;
	other_device.device++;
	other_inode.inode++;
	datagram_file_remove(&other_device);
	datagram_file_remove(&other_inode);
	ck_assert_int_eq(lstat(file.path, &found), 0);
	close(fd);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(the_longest_path_of_all_is_one)
{
	enum { LONGEST = 107 };
	struct temp_dir dir;
	char name[LONGEST + 1];
	int fd;

	temp_dir_init(&dir);
	memset(name, 'x', sizeof name);
	name[LONGEST - strlen(temp_dir_path(&dir, ""))] = '\0';
	fd = open_unix(&dir, name);
	ck_assert_int_ge(fd, 0);
	ck_assert_str_eq(file.path, temp_dir_path(&dir, name));
	ck_assert_uint_eq(strlen(file.path), LONGEST);
	datagram_file_remove(&file);
	close(fd);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(only_the_socket_that_nobody_has_is_replaced)
{
	struct temp_dir dir;
	struct stat found, former;
	unsigned fds;
	int fd;

	temp_dir_init(&dir);
	fd = open_unix(&dir, "a.sock");
	fds = streams_open_fds();
	ck_assert_int_eq(lstat(temp_dir_path(&dir, "a.sock"), &former), 0);
	/* Somebody has it. */
	ck_assert_int_eq(open_unix(&dir, "a.sock"), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert_str_eq(file.path, "");
	ck_assert_int_eq(lstat(temp_dir_path(&dir, "a.sock"), &found), 0);
	ck_assert(found.st_ino == former.st_ino);
	/* Nobody, but by way of a link. */
	close(fd);
	ck_assert_int_eq(symlink("a.sock", temp_dir_path(&dir, "link")), 0);
	ck_assert_int_eq(open_unix(&dir, "link"), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert_int_eq(lstat(temp_dir_path(&dir, "link"), &found), 0);
	/* No socket at all. */
	temp_dir_write(&dir, "text", "precious");
	ck_assert_int_eq(open_unix(&dir, "text"), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert_int_eq(lstat(temp_dir_path(&dir, "text"), &found), 0);
	ck_assert(S_ISREG(found.st_mode));
	/* Nobody. */
	fd = open_unix(&dir, "a.sock");
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(lstat(temp_dir_path(&dir, "a.sock"), &found), 0);
	ck_assert(found.st_ino == file.inode);
	ck_assert_uint_eq(streams_open_fds(), fds);
	close(fd);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_socket_of_another_kind_that_is_in_use_is_not_replaced)
{
	struct temp_dir dir;
	struct bay_address at;
	const struct sockaddr *of;
	socklen_t length;
	struct stat found;
	int stream = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	temp_dir_init(&dir);
	at = unix_address(&dir, "a.sock");
	of = address_sockaddr(&at, &length);
	ck_assert_int_eq(bind(stream, of, length), 0);
	ck_assert_int_eq(listen(stream, 1), 0);
	ck_assert_int_eq(open_unix(&dir, "a.sock"), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert_int_eq(lstat(temp_dir_path(&dir, "a.sock"), &found), 0);
	close(stream);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(what_cannot_be_connected_leaves_no_file_and_says_why)
{
	struct bay_datagram_options options = {.length = sizeof options};
	struct bay_address at, nobody;
	struct temp_dir dir;
	struct stat found;
	unsigned fds;

	temp_dir_init(&dir);
	at = unix_address(&dir, "a.sock");
	nobody = unix_address(&dir, "nobody.sock");
	options.peer = &nobody;
	fds = streams_open_fds();
	ck_assert_int_eq(datagram_socket_open(&at, &options, &file), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_uint_eq(streams_open_fds(), fds);
	ck_assert_int_ne(lstat(temp_dir_path(&dir, "a.sock"), &found), 0);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_name_of_the_kernel_has_no_file)
{
	char name[64];
	int fd;

	snprintf(name, sizeof name, "unix:@bay-test-%d", (int)getpid());
	fd = open_at(name, (struct bay_datagram_options){0});
	ck_assert_int_ge(fd, 0);
	ck_assert_str_eq(file.path, "");
	datagram_file_remove(&file);
	refused(name, (struct bay_datagram_options){0}, EADDRINUSE);
	close(fd);
}
END_TEST

/* --- groups ------------------------------------------------------------------------------------------------ */

/* The errno of it; 0: it went well. */
static int
group(int fd, const char *text, const char *interface, bool join)
{
	const struct bay_address of = address(text);

	return datagram_socket_group(fd, &of, interface, join) ? 0 : errno;
}

/* Leaves it by hand, on the loopback interface and no other. */
static bool
leave_loopback(int fd, const char *text)
{
	const struct bay_address of = address(text);
	struct group_req wish = {.gr_interface = if_nametoindex("lo")};
	socklen_t length;
	const struct sockaddr *group_of = address_sockaddr(&of, &length);

	memcpy(&wish.gr_group, group_of, length);
	return setsockopt(fd, group_of->sa_family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, MCAST_LEAVE_GROUP, &wish,
		sizeof wish) == 0;
}

START_TEST(a_group_is_joined_once_and_left_once)
{
	static const struct {
		const char *local, *group, *other, *no_group;
	} rows[] = {
		{"0.0.0.0:0", "239.255.77.2:0", "239.255.77.3:0", "127.0.0.1:0"},
		{"[::]:0", "[ff02::77:2]:0", "[ff02::77:3]:0", "[::1]:0"},
	};

	for (size_t i = 0; i < (has_ipv6() ? 2 : 1); i++) {
		int fd = open_at(rows[i].local, (struct bay_datagram_options){0});

		ck_assert_int_eq(group(fd, rows[i].group, "lo", false), EADDRNOTAVAIL);
		ck_assert_int_eq(group(fd, rows[i].group, "lo", true), 0);
		ck_assert_int_eq(group(fd, rows[i].group, "lo", true), EADDRINUSE);
		ck_assert_int_eq(group(fd, rows[i].other, "lo", false), EADDRNOTAVAIL);
		ck_assert_int_eq(group(fd, rows[i].group, "lo", false), 0);
		ck_assert_int_eq(group(fd, rows[i].group, "lo", false), EADDRNOTAVAIL);
		ck_assert_int_eq(group(fd, rows[i].group, "lo", true), 0);
		ck_assert(leave_loopback(fd, rows[i].group));
		ck_assert_int_eq(group(fd, rows[i].no_group, "lo", true), EINVAL);
		ck_assert_int_eq(group(fd, rows[i].group, "nowhere0", true), ENODEV);
		ck_assert_int_eq(group(fd, "unix:/nowhere", "lo", true), EAFNOSUPPORT);
		close(fd);
	}
}
END_TEST

/* --- words of plugins ---------------------------------------------------------------------------------------- */

START_TEST(each_errno_has_its_status)
{
	static const struct {
		int error, status;
	} rows[] = {
		{EMSGSIZE, BAY_TOO_BIG}, {EACCES, BAY_NOT_PERMITTED}, {EPERM, BAY_NOT_PERMITTED}, {EADDRINUSE, BAY_BUSY},
		{EMFILE, BAY_FULL}, {ENFILE, BAY_FULL}, {ENOMEM, BAY_NO_MEMORY}, {EINVAL, BAY_INVALID},
		{EAFNOSUPPORT, BAY_INVALID}, {EDESTADDRREQ, BAY_INVALID}, {ENOTCONN, BAY_INVALID}, {ENODEV, BAY_INVALID},
		{ENAMETOOLONG, BAY_INVALID}, {ECONNREFUSED, BAY_IO}, {ENETUNREACH, BAY_IO}, {EADDRNOTAVAIL, BAY_IO},
		{ENOENT, BAY_IO},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		ck_assert_msg(datagram_status(rows[i].error) == rows[i].status, "%s", strerror(rows[i].error));
}
END_TEST

CHECK_MAIN("io/datagram_socket",
	without_an_address_it_is_an_ipv4_socket_that_never_waits_and_that_no_program_inherits,
	each_option_is_asked_for_and_no_other,
	buffers_are_as_large_as_they_may_be,
	groups_are_sent_to_through_the_interface,
	what_makes_no_sense_is_refused_before_there_is_a_socket,
	it_has_the_local_address_and_talks_to_the_peer,
	a_peer_alone_says_of_which_family_it_is,
	a_unix_socket_without_a_name_gets_one_to_be_answered_at,
	the_file_of_a_unix_socket_is_told_and_removed_once,
	a_file_of_the_same_name_that_is_another_one_is_left,
	the_longest_path_of_all_is_one,
	only_the_socket_that_nobody_has_is_replaced,
	a_socket_of_another_kind_that_is_in_use_is_not_replaced,
	what_cannot_be_connected_leaves_no_file_and_says_why,
	a_name_of_the_kernel_has_no_file,
	a_group_is_joined_once_and_left_once,
	each_errno_has_its_status)
