/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "support/streams.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/check_main.h"

enum { SMALL = 4096 };

static struct bay_stream *
stream_of(int fd, const struct bay_stream_options *options)
{
	struct bay_stream *stream = NULL;

	ck_assert_int_eq(bay_stream_open_fd(fd, options, &stream), BAY_OK);
	return stream;
}

struct bay_stream *
streams_pair(int *fd_r, const struct bay_stream_options *options)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	*fd_r = ends[1];
	return stream_of(ends[0], options);
}

struct bay_stream *
streams_tcp(int *fd_r, const struct bay_stream_options *options)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	socklen_t length = sizeof address;
	const int small = SMALL;

	ck_assert_int_eq(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	*fd_r = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	ck_assert_int_ge(*fd_r, 0);
	close(listener);
	return stream_of(fd, options);
}

unsigned
streams_open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

void
streams_say(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (int)strlen(text));
}

size_t
streams_hear(int fd)
{
	char block[16384];
	size_t total = 0;
	ssize_t n;

	while ((n = read(fd, block, sizeof block)) > 0)
		total += (size_t)n;
	return total;
}

void
streams_reset(int fd)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
	close(fd);
}
