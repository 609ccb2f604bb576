/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/listener_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fd.h"
#include "config/config_load.h"
#include "config/listen_address.h"
#include "master/activation.h"
#include "support/check_main.h"
#include "support/log_lines.h"
#include "support/temp_dir.h"

/* --- the world ----------------------------------------------------------------------- */

/* Services a and b, of what a test says, and a directory for their sockets. */
struct world {
	struct temp_dir dir;
	struct config *config;
	struct listener_table *table;
	enum bay_status status; /* of the last open that failed */
	char error[512];
};

static void
world_open(struct world *world, const char *keys_of_a, const char *keys_of_b)
{
	struct config_report report = {0};
	char *text;

	memset(world, 0, sizeof(*world));
	temp_dir_init(&world->dir);
	text = xasprintf("[container]\nruntime_dir = %s\n[service a]\n%s\n[service b]\n%s\n",
		world->dir.path, keys_of_a, keys_of_b);
	ck_assert(config_load_memory("bay.ini", text, strlen(text), &world->config, &report));
	config_report_finish(&report);
	world->table = listener_table_create(world->config->container.runtime_dir);
	free(text);
}

/* No socket file is left in the directory. */
static void
world_close(struct world *world)
{
	listener_table_destroy(world->table);
	config_destroy(world->config);
	ck_assert_int_eq(rmdir(world->dir.path), 0);
}

/* What the service gets, or -1; 0 is service a, 1 is b. */
static int
ask_with(struct world *world, unsigned service, const char *asked, int backlog)
{
	struct buffer error = {0};
	int fd;

	world->status = listener_table_open(world->table, &world->config->services[service], asked,
		backlog, &fd, &error);
	ck_assert_int_eq(fd >= 0, world->status == BAY_OK);
	snprintf(world->error, sizeof(world->error), "%s", error.size > 0 ? buffer_text(&error) : "");
	buffer_finish(&error);
	return fd;
}

static int
ask(struct world *world, unsigned service, const char *asked)
{
	return ask_with(world, service, asked, 0);
}

static int
must_get(struct world *world, unsigned service, const char *asked)
{
	int fd = ask(world, service, asked);

	ck_assert_msg(fd >= 0, "%s: %s", asked, world->error);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	return fd;
}

/* It is refused with this status and words; those of what to do about it, too. */
static void
refused(struct world *world, unsigned service, const char *asked, enum bay_status status,
	const char *what, const char *advice)
{
	ck_assert_msg(ask(world, service, asked) < 0, "%s", asked);
	ck_assert_msg(world->status == status && strstr(world->error, what) != NULL &&
		strstr(world->error, advice) != NULL, "%s: %s: %s", asked,
		bay_status_name(world->status), world->error);
}

/* --- both ends of a socket ------------------------------------------------------------ */

static struct listen_address
bound_to(int fd)
{
	struct listen_address address;

	ck_assert(listen_address_of_socket(&address, fd));
	return address;
}

/* Of the socket file a.sock. */
static struct listen_address
file_address(const struct world *world)
{
	struct listen_address address;
	const char *why;

	ck_assert(listen_address_parse(&address, "unix:a.sock", 11, &why));
	ck_assert(listen_address_resolve(&address, world->dir.path));
	return address;
}

static int
try_connect(const struct listen_address *address)
{
	int fd = socket(address->socket.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, &address->socket.any, address->length) != 0)
		fd_close(&fd);
	return fd;
}

static int
must_connect(const struct listen_address *address)
{
	int fd = try_connect(address);

	ck_assert_msg(fd >= 0, "%s", strerror(errno));
	return fd;
}

static int
bind_elsewhere(struct listen_address *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	memset(address, 0, sizeof(*address));
	address->socket.ipv4.sin_family = AF_INET;
	address->socket.ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address->length = sizeof(address->socket.ipv4);
	ck_assert_int_eq(bind(fd, &address->socket.any, address->length), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	*address = bound_to(fd);
	return fd;
}

/* --- ownership ------------------------------------------------------------------------- */

START_TEST(who_has_connected_waits_for_the_next_cell)
{
	struct world world;
	struct listen_address address;
	int cell, client, served;
	char byte = 0;

	world_open(&world, "", "");
	cell = must_get(&world, 0, "127.0.0.1:0");
	address = bound_to(cell);
	client = must_connect(&address);
	ck_assert_int_eq(write(client, "x", 1), 1);
	/* The cell dies; another one asks again. */
	fd_close(&cell);
	cell = must_get(&world, 0, "127.0.0.1:0");
	ck_assert_uint_eq(listen_address_port(&address), ntohs(bound_to(cell).socket.ipv4.sin_port));
	served = accept(cell, NULL, NULL);
	ck_assert_int_ge(served, 0);
	ck_assert_int_eq(read(served, &byte, 1), 1);
	ck_assert_int_eq(byte, 'x');
	fd_close(&served);
	fd_close(&client);
	fd_close(&cell);
	world_close(&world);
}
END_TEST

START_TEST(what_is_closed_takes_nobody_in_whoever_has_duplicates)
{
	static const char *const asked[] = {"127.0.0.1:0", "unix:a.sock"};
	struct world world;

	world_open(&world, "", "");
	for (size_t i = 0; i < 2; i++) {
		int cell = must_get(&world, 0, asked[i]);
		struct listen_address address = i == 0 ? bound_to(cell) : file_address(&world);
		int client;

		client = must_connect(&address);
		fd_close(&client);
		listener_table_close(world.table, "b");
		client = must_connect(&address);
		fd_close(&client);
		listener_table_close(world.table, "a");
		ck_assert_int_lt(try_connect(&address), 0);
		fd_close(&cell);
	}
	world_close(&world);
}
END_TEST

START_TEST(one_address_is_one_services_and_the_other_is_told_whose)
{
	struct world world;
	int first, second;

	world_open(&world, "", "");
	first = must_get(&world, 0, "unix:a.sock");
	refused(&world, 1, "unix:a.sock", BAY_BUSY, "listen on unix:a.sock: service a has it",
		"stop that service, or name another address");
	second = must_get(&world, 0, "unix:a.sock");
	listener_table_close(world.table, "a");
	fd_close(&first);
	fd_close(&second);
	first = must_get(&world, 1, "unix:a.sock");
	refused(&world, 0, "unix:a.sock", BAY_BUSY, "service b has it", "");
	fd_close(&first);
	world_close(&world);
}
END_TEST

START_TEST(an_address_written_in_two_ways_is_one)
{
	struct world world;
	char *absolute;
	int fd;

	world_open(&world, "listen = unix:a.sock", "");
	absolute = xasprintf("unix:%s/a.sock", world.dir.path);
	fd = must_get(&world, 0, absolute);
	fd_close(&fd);
	refused(&world, 1, "unix:a.sock", BAY_BUSY, "service a has it", "");
	free(absolute);
	world_close(&world);
}
END_TEST

START_TEST(any_port_is_another_one_for_each_service_and_name)
{
	struct world world;
	struct listen_address bound[4];
	int fds[4];

	world_open(&world, "listen = x=127.0.0.1:0 y=127.0.0.1:0", "");
	fds[0] = must_get(&world, 0, "x");
	fds[1] = must_get(&world, 0, "y");
	fds[2] = must_get(&world, 1, "127.0.0.1:0");
	fds[3] = must_get(&world, 0, "x");
	for (int i = 0; i < 4; i++)
		bound[i] = bound_to(fds[i]);
	ck_assert(!listen_address_equal(&bound[0], &bound[1]));
	ck_assert(!listen_address_equal(&bound[0], &bound[2]));
	ck_assert(!listen_address_equal(&bound[1], &bound[2]));
	ck_assert(listen_address_equal(&bound[0], &bound[3]));
	for (int i = 0; i < 4; i++)
		fd_close(&fds[i]);
	world_close(&world);
}
END_TEST

START_TEST(the_largest_backlog_counts)
{
	struct world world;
	struct listen_address address;
	int clients[8];
	int small, large;

	world_open(&world, "", "");
	/* Connecting to a full socket file fails at once, so that it can be counted. */
	small = ask_with(&world, 0, "unix:a.sock", 1);
	large = ask_with(&world, 0, "unix:a.sock", 7);
	fd_close(&small);
	small = ask_with(&world, 0, "unix:a.sock", 1);
	address = file_address(&world);
	for (int i = 0; i < 8; i++) {
		clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		ck_assert_msg(connect(clients[i], &address.socket.any, address.length) == 0, "%d", i);
	}
	for (int i = 0; i < 8; i++)
		fd_close(&clients[i]);
	fd_close(&small);
	fd_close(&large);
	world_close(&world);
}
END_TEST

struct seen {
	char text[512];
	int left; /* stops when it is 0 */
};

static bool
on_listener(const struct listener_view *view, void *arg)
{
	struct seen *seen = arg;
	size_t length = strlen(seen->text);

	snprintf(seen->text + length, sizeof(seen->text) - length, "%s=%s%s ", view->name,
		view->address, view->passed ? "!" : "");
	return --seen->left > 0;
}

START_TEST(what_a_service_listens_on_is_told_with_the_real_port)
{
	struct world world;
	struct seen seen = {.left = 10};
	char expected[512];
	int fds[2];

	world_open(&world, "listen = x=127.0.0.1:0 unix:a.sock", "");
	ck_assert(listener_table_each(world.table, "a", on_listener, &seen));
	ck_assert_str_eq(seen.text, "");
	log_lines_keep();
	fds[0] = must_get(&world, 0, "127.0.0.1:0");
	fds[1] = must_get(&world, 0, "unix:a.sock");
	ck_assert(listener_table_each(world.table, "b", on_listener, &seen));
	ck_assert_str_eq(seen.text, "");
	ck_assert(listener_table_each(world.table, "a", on_listener, &seen));
	snprintf(expected, sizeof(expected), "x=127.0.0.1:%u =unix:%s/a.sock ",
		ntohs(bound_to(fds[0]).socket.ipv4.sin_port),
		world.dir.path);
	ck_assert_str_eq(seen.text, expected);
	snprintf(expected, sizeof(expected), "service a: listens on 127.0.0.1:%u (x)",
		ntohs(bound_to(fds[0]).socket.ipv4.sin_port));
	ck_assert_int_eq(log_lines_with(expected), 1);
	seen = (struct seen){.left = 1};
	ck_assert(!listener_table_each(world.table, "a", on_listener, &seen));
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	world_close(&world);
}
END_TEST

/* --- what is allowed ------------------------------------------------------------------- */

START_TEST(without_the_key_only_what_this_machine_alone_reaches_is_allowed)
{
	char abstract[48];
	const char *const allowed[] = {"127.0.0.1:0", "127.9.8.7:0", "unix:a.sock", abstract};
	static const char *const others[] = {"0.0.0.0:0", "[::]:0", "10.0.0.1:8080", "127.0.0.1:1023",
		"127.0.0.1:80", "[::1]:22", "unix:/tmp/a.sock", "unix:sub/a.sock", "unix:../a.sock",
		"unix:..", "[::ffff:127.0.0.1]:8080"};
	struct world world;

	snprintf(abstract, sizeof(abstract), "unix:@test-listener-table-%d", (int)getpid());
	world_open(&world, "", "");
	for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++) {
		int fd = must_get(&world, 0, allowed[i]);

		fd_close(&fd);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		char *advice = xasprintf("set listen = %s to allow it (bay.ini:3)", others[i]);

		refused(&world, 0, others[i], BAY_NOT_PERMITTED, "service a has no key listen", advice);
		free(advice);
	}
	refused(&world, 0, "web", BAY_NOT_PERMITTED, "service a has no key listen that says what this "
		"name stands for", "set listen = web=ADDRESS (bay.ini:3)");
	world_close(&world);
}
END_TEST

START_TEST(with_the_key_only_what_it_names_is_allowed)
{
	struct world world;
	int by_name, by_address;
	struct listen_address a, b;

	world_open(&world, "listen = web=0.0.0.0:0 unix:a.sock", "");
	by_name = must_get(&world, 0, "web");
	by_address = must_get(&world, 0, "0.0.0.0:0");
	a = bound_to(by_name);
	b = bound_to(by_address);
	ck_assert(listen_address_equal(&a, &b));
	refused(&world, 0, "127.0.0.1:0", BAY_NOT_PERMITTED, "service a may not, since it is not in its "
		"key listen", "add 127.0.0.1:0 there (bay.ini:4)");
	refused(&world, 0, "unix:b.sock", BAY_NOT_PERMITTED, "not in its key listen", "add unix:b.sock");
	refused(&world, 0, "api", BAY_NOT_PERMITTED, "not in its key listen", "add api=ADDRESS there");
	refused(&world, 0, "WEB", BAY_NOT_PERMITTED, "not in its key listen", "");
	fd_close(&by_name);
	fd_close(&by_address);
	world_close(&world);
}
END_TEST

/* --- what goes wrong --------------------------------------------------------------------- */

START_TEST(what_is_no_address_is_told_why)
{
	struct world world;
	char long_path[400];

	world_open(&world, "", "");
	refused(&world, 0, "", BAY_INVALID, "the address is empty", "");
	refused(&world, 0, "localhost:80", BAY_INVALID, "listen on localhost:80: a name is no address",
		"numbers are wanted");
	refused(&world, 0, "127.0.0.1:99999", BAY_INVALID, "0 to 65535", "");
	memset(long_path, 'x', sizeof(long_path));
	memcpy(long_path, "unix:", 5);
	long_path[112] = '\0';
	refused(&world, 0, long_path, BAY_INVALID, "with runtime_dir in front, the path is longer than the "
		"107 bytes", "");
	long_path[112] = 'x';
	long_path[120] = '\0';
	refused(&world, 0, long_path, BAY_INVALID, "the path is longer than the 107 bytes", "");
	long_path[120] = 'x';
	long_path[399] = '\0';
	refused(&world, 0, long_path, BAY_INVALID, "longer than any can be", "");
	world_close(&world);
}
END_TEST

START_TEST(an_address_that_another_process_has_is_busy)
{
	struct world world;
	struct listen_address address;
	int other = bind_elsewhere(&address);
	char *text = listen_address_print(&address);

	world_open(&world, "", "");
	refused(&world, 0, text, BAY_BUSY, "another socket has this address or port", "ss -ltnp");
	ck_assert_ptr_nonnull(strstr(world.error, "Address already in use"));
	/* And it is not remembered as anybody's. */
	close(other);
	other = must_get(&world, 1, text);
	close(other);
	free(text);
	world_close(&world);
}
END_TEST

START_TEST(an_address_that_another_service_has_in_part_is_told_whose)
{
	struct world world;
	struct listen_address address;
	char everywhere[32];
	char *loopback;
	int fd = bind_elsewhere(&address);

	snprintf(everywhere, sizeof(everywhere), "0.0.0.0:%u", listen_address_port(&address));
	loopback = xasprintf("listen = %s", everywhere);
	close(fd);
	world_open(&world, loopback, "");
	fd = must_get(&world, 0, everywhere);
	free(loopback);
	loopback = listen_address_print(&address);
	refused(&world, 1, loopback, BAY_BUSY, "service a listens on 0.0.0.0:", "name another port");
	close(fd);
	free(loopback);
	world_close(&world);
}
END_TEST

START_TEST(an_address_that_no_interface_has_is_told)
{
	struct world world;

	/* A network for documentation, which nobody has. */
	world_open(&world, "listen = 192.0.2.1:8080", "");
	refused(&world, 0, "192.0.2.1:8080", BAY_IO, "no network interface of this machine has this "
		"address", "ip address");
	world_close(&world);
}
END_TEST

START_TEST(a_port_for_the_privileged_is_told)
{
	bool was_root = geteuid() == 0;
	struct world world;
	int fd;

	world_open(&world, "listen = 127.0.0.1:1", "");
	if (was_root)
		ck_assert_int_eq(seteuid(65534), 0);
	fd = ask(&world, 0, "127.0.0.1:1");
	if (was_root)
		ck_assert_int_eq(seteuid(0), 0);
	/* Unless everybody may open any port here. */
	if (fd >= 0)
		close(fd);
	else
		ck_assert_msg(world.status == BAY_NOT_PERMITTED &&
			strstr(world.error, "the system keeps this port for privileged processes") != NULL &&
			strstr(world.error, "CAP_NET_BIND_SERVICE") != NULL, "%s", world.error);
	world_close(&world);
}
END_TEST

START_TEST(a_place_for_a_socket_file_that_will_not_do_is_told)
{
	struct world world;

	world_open(&world, "listen = unix:file unix:nowhere/a.sock", "");
	temp_dir_write(&world.dir, "file", "mine");
	refused(&world, 0, "unix:file", BAY_BUSY, "listen on unix:file: it exists and is no socket",
		"remove it or name another path");
	refused(&world, 0, "unix:nowhere/a.sock", BAY_IO, "No such file or directory",
		"make the directory");
	ck_assert_int_eq(unlink(temp_dir_path(&world.dir, "file")), 0);
	world_close(&world);
}
END_TEST

START_TEST(a_socket_file_has_its_mode_and_an_old_one_is_replaced)
{
	struct world world;
	struct listen_address address;
	struct stat st;
	int old = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd;

	world_open(&world, "listen_mode = 0660", "");
	address = file_address(&world);
	ck_assert_int_eq(bind(old, &address.socket.any, address.length), 0);
	ck_assert_int_eq(listen(old, 1), 0);
	refused(&world, 0, "unix:a.sock", BAY_BUSY, "listens on it already", "stop it");
	close(old);
	fd = must_get(&world, 0, "unix:a.sock");
	ck_assert_int_eq(stat(listen_address_path(&address), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0660);
	close(fd);
	world_close(&world);
}
END_TEST

/* --- what the service manager passes ------------------------------------------------------ */

/* Passes a socket under each of the names, as activation_take does. Returns the first's address. */
static struct listen_address
pass(struct world *world, const char *first, const char *second)
{
	struct activation activation = {.count = second != NULL ? 2 : 1};
	struct listen_address address, other;

	activation.sockets = xcalloc(2, sizeof(*activation.sockets));
	activation.sockets[0] = (struct activation_socket){bind_elsewhere(&address), xstrdup(first)};
	if (second != NULL)
		activation.sockets[1] =
			(struct activation_socket){bind_elsewhere(&other), xstrdup(second)};
	listener_table_adopt(world->table, &activation, world->config);
	activation_finish(&activation);
	return address;
}

START_TEST(what_was_passed_is_taken_by_its_name)
{
	struct world world;
	struct listen_address passed, taken;
	struct seen seen = {.left = 10};
	int fd, client;

	world_open(&world, "listen = web", "listen = web");
	log_lines_keep();
	passed = pass(&world, "web", NULL);
	ck_assert_int_eq(log_lines_with("is for no service"), 0);
	fd = ask(&world, 0, "web");
	ck_assert_msg(fd >= 0, "%s", world.error);
	taken = bound_to(fd);
	ck_assert(listen_address_equal(&passed, &taken));
	refused(&world, 1, "web", BAY_BUSY, "service a has it", "");
	ck_assert(listener_table_each(world.table, "a", on_listener, &seen));
	ck_assert_int_eq(strncmp(seen.text, "web=127.0.0.1:", 14), 0);
	ck_assert_ptr_nonnull(strchr(seen.text, '!'));
	/* It stays open, for the next who asks. */
	listener_table_close(world.table, "a");
	close(fd);
	client = must_connect(&passed);
	fd = ask(&world, 1, "web");
	ck_assert_msg(fd >= 0, "%s", world.error);
	ck_assert_int_ge(accept(fd, NULL, NULL), 0);
	close(client);
	close(fd);
	world_close(&world);
}
END_TEST

START_TEST(what_was_passed_serves_its_address_too)
{
	struct world world;
	struct listen_address passed;
	struct config_report report = {0};
	char *text, *address;
	int fd;

	world_open(&world, "", "");
	passed = pass(&world, "unknown", "unknown");
	address = listen_address_print(&passed);
	fd = ask(&world, 0, address);
	ck_assert_msg(fd >= 0, "%s", world.error);
	close(fd);
	/* Under a name of the configuration, too. */
	config_destroy(world.config);
	text = xasprintf("[service a]\nlisten = http=%s\n", address);
	ck_assert(config_load_memory("bay.ini", text, strlen(text), &world.config, &report));
	config_report_finish(&report);
	fd = ask(&world, 0, "http");
	ck_assert_msg(fd >= 0, "%s", world.error);
	close(fd);
	free(text);
	free(address);
	world_close(&world);
}
END_TEST

START_TEST(what_was_passed_for_nobody_or_twice_or_not_at_all_is_told)
{
	struct world world;

	world_open(&world, "listen = web api", "");
	log_lines_keep();
	pass(&world, "web", "web");
	pass(&world, "stray", NULL);
	ck_assert_int_eq(log_lines_with("passed as stray, is for no service"), 1);
	ck_assert_int_eq(log_lines_with("passed as web, is for no service"), 0);
	refused(&world, 0, "web", BAY_INVALID, "has passed 2 sockets of this name",
		"FileDescriptorName=");
	refused(&world, 0, "api", BAY_IO, "has passed no socket of this name", "FileDescriptorName=api");
	/* That it is there does not mean that it is allowed. */
	refused(&world, 1, "stray", BAY_NOT_PERMITTED, "has no key listen", "");
	refused(&world, 0, "stray", BAY_NOT_PERMITTED, "not in its key listen", "");
	world_close(&world);
}
END_TEST

CHECK_MAIN("master/listener_table",
	who_has_connected_waits_for_the_next_cell,
	what_is_closed_takes_nobody_in_whoever_has_duplicates,
	one_address_is_one_services_and_the_other_is_told_whose,
	an_address_written_in_two_ways_is_one,
	any_port_is_another_one_for_each_service_and_name,
	the_largest_backlog_counts,
	what_a_service_listens_on_is_told_with_the_real_port,
	without_the_key_only_what_this_machine_alone_reaches_is_allowed,
	with_the_key_only_what_it_names_is_allowed,
	what_is_no_address_is_told_why,
	an_address_that_another_process_has_is_busy,
	an_address_that_another_service_has_in_part_is_told_whose,
	an_address_that_no_interface_has_is_told,
	a_port_for_the_privileged_is_told,
	a_place_for_a_socket_file_that_will_not_do_is_told,
	a_socket_file_has_its_mode_and_an_old_one_is_replaced,
	what_was_passed_is_taken_by_its_name,
	what_was_passed_serves_its_address_too,
	what_was_passed_for_nobody_or_twice_or_not_at_all_is_told)
