/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A service manager for the system tests: pass_sockets NAME=ADDRESS... -- PROGRAM ARGUMENT...
 *
 * Opens the sockets, prints the address of each on a line of its own on standard output, and
 * executes the program with them, as systemd does for a unit with sockets. A NAME=none passes
 * /dev/null.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/listen_address.h"

enum { FIRST_FD = 3 };

static void
fail(const char *what)
{
	perror(what);
	exit(64);
}

static int
open_socket(const char *text)
{
	struct listen_address address;
	char *bound;
	const char *why;
	int fd;

	if (strcmp(text, "none") == 0)
		return open("/dev/null", O_RDWR);
	if (!listen_address_parse(&address, text, strlen(text), &why)) {
		fprintf(stderr, "%s: %s\n", text, why);
		exit(64);
	}
	fd = socket(address.socket.any.sa_family, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, &address.socket.any, address.length) != 0 || listen(fd, 16) != 0 ||
	    !listen_address_of_socket(&address, fd))
		fail(text);
	bound = listen_address_print(&address);
	printf("%s\n", bound);
	free(bound);
	return fd;
}

/* Opens what the arguments say, at the numbers from 3 on. Returns how many; names get colons. */
static int
open_all(int argc, char **argv, char *names, size_t size)
{
	int count = 0;

	for (; count < argc && strcmp(argv[count], "--") != 0; count++) {
		char *equals = strchr(argv[count], '=');
		int fd;

		if (equals == NULL)
			fail("NAME=ADDRESS is wanted");
		*equals = '\0';
		snprintf(names + strlen(names), size - strlen(names), "%s%s", count > 0 ? ":" : "",
			argv[count]);
		fd = open_socket(equals + 1);
		if (fd != FIRST_FD + count && dup2(fd, FIRST_FD + count) < 0)
			fail("dup2");
		if (fd > FIRST_FD + count)
			close(fd);
	}
	return count;
}

int
main(int argc, char **argv)
{
	char names[512] = "";
	char number[16];
	int count = open_all(argc - 1, argv + 1, names, sizeof(names));

	fflush(stdout);
	snprintf(number, sizeof(number), "%d", count);
	setenv("LISTEN_FDS", number, 1);
	setenv("LISTEN_FDNAMES", names, 1);
	snprintf(number, sizeof(number), "%d", (int)getpid());
	setenv("LISTEN_PID", number, 1);
	if (1 + count + 1 >= argc)
		fail("PROGRAM is wanted");
	execvp(argv[1 + count + 1], argv + 1 + count + 1);
	fail(argv[1 + count + 1]);
}
