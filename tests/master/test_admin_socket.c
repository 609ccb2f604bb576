/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/admin_socket.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buffer.h"
#include "support/check_main.h"
#include "support/temp_dir.h"

/* The mode that the file had when it was made, before it was given the wanted one. */
static mode_t first_mode;

int
fchmodat(int dirfd, const char *name, mode_t mode, int flags)
{
	struct stat st;

	ck_assert_int_eq(flags, 0);
	ck_assert_int_eq(fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	first_mode = st.st_mode & 07777;
	return (int)syscall(SYS_fchmodat, dirfd, name, mode);
}

static void
must_open(struct admin_socket *admin, const char *path, mode_t mode, gid_t gid)
{
	struct buffer error = {0};

	ck_assert_msg(admin_socket_open(admin, path, mode, gid, &error), "%s",
		buffer_text(&error));
	buffer_finish(&error);
}

static void
expect_refused(const char *path, const char *words)
{
	struct buffer error = {0};
	struct admin_socket admin;

	ck_assert(!admin_socket_open(&admin, path, 0600, (gid_t)-1, &error));
	ck_assert_msg(strstr(buffer_text(&error), words) != NULL, "\"%s\" is not in: %s", words,
		buffer_text(&error));
	buffer_finish(&error);
}

/* Connects by a path relative to the socket's directory, which may be a long one. */
static bool
can_connect(const struct temp_dir *dir, const char *directory, const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int dirfd = open(temp_dir_path(dir, directory), O_PATH);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	bool connected;

	ck_assert_int_ge(dirfd, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dirfd, name);
	connected = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	close(dirfd);
	return connected;
}

START_TEST(nobody_else_can_connect_while_it_is_made)
{
	struct admin_socket admin;
	struct temp_dir dir;

	temp_dir_init(&dir);
	umask(0);
	must_open(&admin, temp_dir_path(&dir, "control.sock"), 0666, (gid_t)-1);
	ck_assert_uint_eq(first_mode, 0600);
	admin_socket_close(&admin);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(it_listens_with_the_wanted_mode_whatever_the_umask)
{
	struct admin_socket admin;
	struct temp_dir dir;
	struct stat st;

	temp_dir_init(&dir);
	umask(0777);
	must_open(&admin, temp_dir_path(&dir, "control.sock"), 0660, (gid_t)-1);
	ck_assert_int_eq(stat(temp_dir_path(&dir, "control.sock"), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0660);
	ck_assert(can_connect(&dir, ".", "control.sock"));
	admin_socket_close(&admin);
	ck_assert_int_ne(stat(temp_dir_path(&dir, "control.sock"), &st), 0);
	umask(022);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(it_belongs_to_the_wanted_group)
{
	struct admin_socket admin;
	struct temp_dir dir;
	struct stat st;

	if (geteuid() != 0)
		CHECK_SKIP("only root can give a file to any group");
	temp_dir_init(&dir);
	must_open(&admin, temp_dir_path(&dir, "control.sock"), 0660, 4321);
	ck_assert_int_eq(stat(temp_dir_path(&dir, "control.sock"), &st), 0);
	ck_assert_int_eq(st.st_gid, 4321);
	admin_socket_close(&admin);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_path_longer_than_an_address_works)
{
	struct admin_socket admin;
	struct temp_dir dir;
	char name[200];

	temp_dir_init(&dir);
	memset(name, 'd', sizeof(name));
	strcpy(name + 150, "/x");
	temp_dir_write(&dir, name, "");
	strcpy(name + 150, "/control.sock");
	must_open(&admin, temp_dir_path(&dir, name), 0600, (gid_t)-1);
	name[150] = '\0';
	ck_assert(can_connect(&dir, name, "control.sock"));
	admin_socket_close(&admin);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(nothing_but_the_socket_is_left_in_the_directory)
{
	struct admin_socket admin;
	struct temp_dir dir;

	temp_dir_init(&dir);
	must_open(&admin, temp_dir_path(&dir, "control.sock"), 0600, (gid_t)-1);
	admin_socket_close(&admin);
	ck_assert_int_eq(rmdir(dir.path), 0);
}
END_TEST

START_TEST(a_socket_that_nobody_listens_on_is_replaced)
{
	struct admin_socket first;
	struct admin_socket second;
	struct temp_dir dir;

	temp_dir_init(&dir);
	must_open(&first, temp_dir_path(&dir, "control.sock"), 0600, (gid_t)-1);
	close(first.fd);
	first.fd = -1;
	must_open(&second, temp_dir_path(&dir, "control.sock"), 0600, (gid_t)-1);
	/* It has gone from its place, and takes nothing with it. */
	admin_socket_close(&first);
	ck_assert(can_connect(&dir, ".", "control.sock"));
	admin_socket_close(&second);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_socket_that_somebody_listens_on_is_refused_with_his_process)
{
	struct admin_socket admin;
	struct temp_dir dir;
	char words[64];

	temp_dir_init(&dir);
	must_open(&admin, temp_dir_path(&dir, "control.sock"), 0600, (gid_t)-1);
	snprintf(words, sizeof(words), "process %d listens", (int)getpid());
	expect_refused(temp_dir_path(&dir, "control.sock"), words);
	ck_assert(can_connect(&dir, ".", "control.sock"));
	admin_socket_close(&admin);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_file_that_is_no_socket_is_refused_and_stays)
{
	struct temp_dir dir;
	struct stat st;

	temp_dir_init(&dir);
	temp_dir_write(&dir, "control.sock", "mine");
	expect_refused(temp_dir_path(&dir, "control.sock"), "is no socket");
	ck_assert_int_eq(stat(temp_dir_path(&dir, "control.sock"), &st), 0);
	ck_assert_int_eq(st.st_size, 4);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_missing_directory_is_refused)
{
	struct temp_dir dir;

	temp_dir_init(&dir);
	expect_refused(temp_dir_path(&dir, "nowhere/control.sock"), "No such file or directory");
	temp_dir_finish(&dir);
}
END_TEST

CHECK_MAIN("master/admin_socket",
	nobody_else_can_connect_while_it_is_made,
	it_listens_with_the_wanted_mode_whatever_the_umask,
	it_belongs_to_the_wanted_group,
	a_path_longer_than_an_address_works,
	nothing_but_the_socket_is_left_in_the_directory,
	a_socket_that_nobody_listens_on_is_replaced,
	a_socket_that_somebody_listens_on_is_refused_with_his_process,
	a_file_that_is_no_socket_is_refused_and_stays,
	a_missing_directory_is_refused)
