/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "support/check_main.h"
#include "support/temp_dir.h"

static int
open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

START_TEST(flags_are_set_and_taken_back)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert(fd_set_nonblocking(fds[0]));
	ck_assert(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	ck_assert(fd_set_cloexec(fds[0], true));
	ck_assert_int_eq(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	ck_assert(fd_set_cloexec(fds[0], false));
	ck_assert_int_eq(fcntl(fds[0], F_GETFD), 0);
	ck_assert(!fd_set_nonblocking(-1));
	fd_close(&fds[0]);
	ck_assert_int_eq(fds[0], -1);
	errno = 7;
	fd_close(&fds[0]);
	ck_assert_int_eq(errno, 7);
	fd_close(&fds[1]);
}
END_TEST

static void *
drain(void *arg)
{
	size_t total = 0;
	char block[4096];
	ssize_t got;

	while ((got = read(*(int *)arg, block, sizeof(block))) > 0)
		total += (size_t)got;
	return (void *)(uintptr_t)total;
}

START_TEST(everything_is_written_even_when_the_pipe_is_full_in_between)
{
	size_t size = 3 << 20;
	char *data = calloc(1, size);
	pthread_t reader;
	void *total;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert(fd_set_nonblocking(fds[1]));
	ck_assert_int_eq(pthread_create(&reader, NULL, drain, &fds[0]), 0);
	ck_assert(fd_write_all(fds[1], data, size));
	fd_close(&fds[1]);
	pthread_join(reader, &total);
	ck_assert_uint_eq((uintptr_t)total, size);
	fd_close(&fds[0]);
	free(data);
}
END_TEST

START_TEST(writing_to_a_closed_socket_is_an_error_and_no_signal)
{
	int fds[2];

	signal(SIGPIPE, SIG_DFL);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	fd_close(&fds[0]);
	ck_assert(!fd_write_all(fds[1], "x", 1));
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_int_eq(fd_send_with(fds[1], "x", 1, NULL, 0), -1);
	fd_close(&fds[1]);
}
END_TEST

/* --- passing descriptors ------------------------------------------------------ */

START_TEST(bytes_and_descriptors_arrive_and_are_close_on_exec)
{
	int pair[2], passed[2], got[4];
	size_t count = 4;
	char text[16] = "";

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(pipe(passed), 0);
	ck_assert_int_eq(fd_send_with(pair[0], "hello", 5, passed, 2), 5);
	fd_close(&passed[0]);
	ck_assert_int_eq(fd_receive_with(pair[1], text, sizeof(text), got, &count), 5);
	ck_assert_str_eq(text, "hello");
	ck_assert_uint_eq(count, 2);
	ck_assert_int_eq(fcntl(got[0], F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(write(passed[1], "via", 3), 3);
	ck_assert_int_eq(read(got[0], text, 3), 3);
	ck_assert_mem_eq(text, "via", 3);
}
END_TEST

START_TEST(bytes_alone_bring_no_descriptors_and_the_end_is_0)
{
	int pair[2], got[1];
	size_t count = 1;
	char text[16];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(fd_send_with(pair[0], "x", 1, NULL, 0), 1);
	ck_assert_int_eq(fd_receive_with(pair[1], text, sizeof(text), got, &count), 1);
	ck_assert_uint_eq(count, 0);
	fd_close(&pair[0]);
	count = 1;
	ck_assert_int_eq(fd_receive_with(pair[1], text, sizeof(text), got, &count), 0);
	ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(descriptors_that_nobody_has_room_for_are_all_closed)
{
	int pair[2], many[FD_PASS_MAX], got[2];
	size_t count = 2;
	char text[16];
	int before;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	for (int i = 0; i < FD_PASS_MAX; i++)
		many[i] = pair[0];
	ck_assert_int_eq(fd_send_with(pair[0], "x", 1, many, FD_PASS_MAX), 1);
	before = open_descriptors();
	ck_assert_int_eq(fd_receive_with(pair[1], text, sizeof(text), got, &count), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	ck_assert_uint_eq(count, 0);
	ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

START_TEST(a_message_that_is_cut_takes_its_descriptors_with_it)
{
	int pair[2], got[2];
	size_t count = 2;
	char text[4];
	int before;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	ck_assert_int_eq(fd_send_with(pair[0], "longer", 6, pair, 1), 6);
	before = open_descriptors();
	ck_assert_int_eq(fd_receive_with(pair[1], text, sizeof(text), got, &count), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

START_TEST(the_bytes_come_also_when_no_descriptor_is_left_for_what_comes_with_them)
{
	struct rlimit limit, none;
	int pair[2], two[2], got[4];
	size_t count = 4;
	char text[16] = "";
	int before;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	two[0] = two[1] = pair[0];
	ck_assert_int_eq(fd_send_with(pair[0], "hello", 5, two, 2), 5);
	before = open_descriptors();
	/* The next number is still free, and no other. */
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)pair[1] + 2;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(fd_receive_with(pair[1], text, sizeof(text), got, &count), 5);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_str_eq(text, "hello");
	ck_assert_uint_eq(count, 2);
	ck_assert_int_ge(got[0], 0);
	ck_assert_int_eq(got[1], -1);
	fd_close(&got[0]);
	ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

START_TEST(too_many_descriptors_or_no_bytes_are_not_sent)
{
	int pair[2], many[FD_PASS_MAX + 1] = {0};

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(fd_send_with(pair[0], "x", 1, many, FD_PASS_MAX + 1), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(fd_send_with(pair[0], "", 0, many, 1), -1);
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

/* --- reading files ------------------------------------------------------------- */

START_TEST(a_file_is_appended_whole)
{
	struct temp_dir dir;
	struct buffer out = {0};
	int dirfd;

	temp_dir_init(&dir);
	temp_dir_write(&dir, "f", "contents");
	temp_dir_write(&dir, "empty", "");
	dirfd = open(dir.path, O_RDONLY | O_DIRECTORY);
	ck_assert(fd_read_file(dirfd, "f", 0, 100, &out));
	ck_assert(fd_read_file(dirfd, "f", 0, 8, &out));
	ck_assert(fd_read_file(dirfd, "empty", 0, 0, &out));
	ck_assert_str_eq(buffer_text(&out), "contentscontents");
	buffer_finish(&out);
	close(dirfd);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_large_file_is_read_whole)
{
	struct temp_dir dir;
	struct buffer out = {0};
	size_t size = 200000;
	char *data = calloc(1, size);

	temp_dir_init(&dir);
	temp_dir_write_bytes(&dir, "f", data, size);
	ck_assert(fd_read_file(AT_FDCWD, temp_dir_path(&dir, "f"), 0, size, &out));
	ck_assert_uint_eq(out.size, size);
	buffer_finish(&out);
	free(data);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(what_is_no_file_or_too_large_is_refused_with_a_reason)
{
	struct temp_dir dir;
	struct buffer out = {0};
	static const struct {
		const char *name;
		int flags;
		int reason;
	} bad[] = {
		{"f", 0, EFBIG},
		{"absent", 0, ENOENT},
		{"link", O_NOFOLLOW, ELOOP},
		{"fifo", 0, EINVAL},
		{".", 0, EISDIR},
	};

	temp_dir_init(&dir);
	temp_dir_write(&dir, "f", "contents");
	ck_assert_int_eq(symlink("f", temp_dir_path(&dir, "link")), 0);
	ck_assert_int_eq(mkfifo(temp_dir_path(&dir, "fifo"), 0600), 0);
	ck_assert(buffer_append_text(&out, "kept"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ck_assert(!fd_read_file(AT_FDCWD, temp_dir_path(&dir, bad[i].name), bad[i].flags, 7,
			&out));
		ck_assert_msg(errno == bad[i].reason, "%s: %s", bad[i].name, strerror(errno));
		ck_assert_str_eq(buffer_text(&out), "kept");
	}
	buffer_finish(&out);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_stream_longer_than_allowed_is_refused)
{
	struct buffer out = {0};
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(write(fds[1], "12345", 5), 5);
	fd_close(&fds[1]);
	ck_assert(!fd_read_all(fds[0], 4, &out));
	ck_assert_int_eq(errno, EFBIG);
	ck_assert_uint_eq(out.size, 0);
	buffer_finish(&out);
	fd_close(&fds[0]);
}
END_TEST

START_TEST(bytes_are_sent_and_received_without_a_signal)
{
	char bytes[4];
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	ck_assert_int_eq(fd_recv(ends[0], bytes, sizeof bytes), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(fd_send(ends[1], "abc", 3), 3);
	ck_assert_int_eq(fd_recv(ends[0], bytes, sizeof bytes), 3);
	ck_assert_int_eq(memcmp(bytes, "abc", 3), 0);
	fd_close(&ends[0]);
	ck_assert_int_eq(fd_send(ends[1], "abc", 3), -1);
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_int_eq(fd_recv(ends[1], bytes, sizeof bytes), 0);
	fd_close(&ends[1]);
}
END_TEST

CHECK_MAIN("base/fd",
	flags_are_set_and_taken_back,
	everything_is_written_even_when_the_pipe_is_full_in_between,
	writing_to_a_closed_socket_is_an_error_and_no_signal,
	bytes_and_descriptors_arrive_and_are_close_on_exec,
	bytes_alone_bring_no_descriptors_and_the_end_is_0,
	descriptors_that_nobody_has_room_for_are_all_closed,
	a_message_that_is_cut_takes_its_descriptors_with_it,
	the_bytes_come_also_when_no_descriptor_is_left_for_what_comes_with_them,
	too_many_descriptors_or_no_bytes_are_not_sent,
	a_file_is_appended_whole,
	a_large_file_is_read_whole,
	what_is_no_file_or_too_large_is_refused_with_a_reason,
	a_stream_longer_than_allowed_is_refused,
	bytes_are_sent_and_received_without_a_signal)
