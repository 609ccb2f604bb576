/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client for the system tests: connect_to ADDRESS [LINE]
 *
 * Connects (127.0.0.1:80, [::1]:80 or unix:/path) and prints "connected"; sends LINE, if there is
 * one; then prints what comes, until the other end closes. Exit code 0: it did; 1: it was reset;
 * 2: nobody listens there.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/listen_address.h"

static int
connect_to(const char *text)
{
	struct listen_address address;
	const char *why;
	int fd;

	if (!listen_address_parse(&address, text, strlen(text), &why)) {
		fprintf(stderr, "%s: %s\n", text, why);
		exit(64);
	}
	fd = socket(address.socket.any.sa_family, SOCK_STREAM, 0);
	if (connect(fd, &address.socket.any, address.length) == 0)
		return fd;
	perror(text);
	exit(2);
}

int
main(int argc, char **argv)
{
	char data[4096];
	ssize_t got;
	int fd;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: connect_to ADDRESS [LINE]\n");
		return 64;
	}
	fd = connect_to(argv[1]);
	printf("connected\n");
	fflush(stdout);
	if (argc > 2 && dprintf(fd, "%s\n", argv[2]) < 0)
		return 1;
	while ((got = read(fd, data, sizeof(data))) > 0) {
		fwrite(data, 1, (size_t)got, stdout);
		fflush(stdout);
	}
	return got == 0 ? 0 : 1;
}
