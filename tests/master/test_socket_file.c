/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/socket_file.h"

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

#define OPTIONS(path_, mode_, gid_) \
	(struct socket_file_options){.name = "the socket", .path = (path_), .mode = (mode_), \
		.gid = (gid_), .backlog = 16}

static void
must_open(struct socket_file *file, const char *path, mode_t mode, gid_t gid)
{
	struct buffer error = {0};

	ck_assert_msg(socket_file_open(file, &OPTIONS(path, mode, gid), &error) == BAY_OK, "%s",
		buffer_text(&error));
	buffer_finish(&error);
}

static void
expect_refused(const char *path, enum bay_status status, const char *words)
{
	struct buffer error = {0};
	struct socket_file file;

	ck_assert_int_eq(socket_file_open(&file, &OPTIONS(path, 0600, (gid_t)-1), &error), status);
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
	struct socket_file file;
	struct temp_dir dir;

	temp_dir_init(&dir);
	umask(0);
	must_open(&file, temp_dir_path(&dir, "control.sock"), 0666, (gid_t)-1);
	ck_assert_uint_eq(first_mode, 0600);
	socket_file_close(&file);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(it_listens_with_the_wanted_mode_whatever_the_umask)
{
	struct socket_file file;
	struct temp_dir dir;
	struct stat st;

	temp_dir_init(&dir);
	umask(0777);
	must_open(&file, temp_dir_path(&dir, "control.sock"), 0660, (gid_t)-1);
	ck_assert_int_eq(stat(temp_dir_path(&dir, "control.sock"), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0660);
	ck_assert(can_connect(&dir, ".", "control.sock"));
	socket_file_close(&file);
	ck_assert_int_ne(stat(temp_dir_path(&dir, "control.sock"), &st), 0);
	umask(022);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(it_belongs_to_the_wanted_group)
{
	struct socket_file file;
	struct temp_dir dir;
	struct stat st;

	if (geteuid() != 0)
		CHECK_SKIP("only root can give a file to any group");
	temp_dir_init(&dir);
	must_open(&file, temp_dir_path(&dir, "control.sock"), 0660, 4321);
	ck_assert_int_eq(stat(temp_dir_path(&dir, "control.sock"), &st), 0);
	ck_assert_int_eq(st.st_gid, 4321);
	socket_file_close(&file);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_path_longer_than_an_address_works)
{
	struct socket_file file;
	struct temp_dir dir;
	char name[200];

	temp_dir_init(&dir);
	memset(name, 'd', sizeof(name));
	strcpy(name + 150, "/x");
	temp_dir_write(&dir, name, "");
	strcpy(name + 150, "/control.sock");
	must_open(&file, temp_dir_path(&dir, name), 0600, (gid_t)-1);
	name[150] = '\0';
	ck_assert(can_connect(&dir, name, "control.sock"));
	socket_file_close(&file);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(nothing_but_the_socket_is_left_in_the_directory)
{
	struct socket_file file;
	struct temp_dir dir;

	temp_dir_init(&dir);
	must_open(&file, temp_dir_path(&dir, "control.sock"), 0600, (gid_t)-1);
	socket_file_close(&file);
	ck_assert_int_eq(rmdir(dir.path), 0);
}
END_TEST

START_TEST(a_socket_that_nobody_listens_on_is_replaced)
{
	struct socket_file first;
	struct socket_file second;
	struct temp_dir dir;

	temp_dir_init(&dir);
	must_open(&first, temp_dir_path(&dir, "control.sock"), 0600, (gid_t)-1);
	close(first.fd);
	first.fd = -1;
	must_open(&second, temp_dir_path(&dir, "control.sock"), 0600, (gid_t)-1);
	/* It has gone from its place, and takes nothing with it. */
	socket_file_close(&first);
	ck_assert(can_connect(&dir, ".", "control.sock"));
	socket_file_close(&second);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_socket_that_somebody_listens_on_is_refused_with_his_process)
{
	struct socket_file file;
	struct temp_dir dir;
	char words[64];

	temp_dir_init(&dir);
	must_open(&file, temp_dir_path(&dir, "control.sock"), 0600, (gid_t)-1);
	snprintf(words, sizeof(words), "process %d listens", (int)getpid());
	expect_refused(temp_dir_path(&dir, "control.sock"), BAY_BUSY, words);
	ck_assert(can_connect(&dir, ".", "control.sock"));
	socket_file_close(&file);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_name_longer_than_an_address_is_looked_at_too)
{
	struct socket_file file;
	struct temp_dir dir;
	char name[121];
	char words[64];

	temp_dir_init(&dir);
	memset(name, 'n', 120);
	name[120] = '\0';
	must_open(&file, temp_dir_path(&dir, name), 0600, (gid_t)-1);
	snprintf(words, sizeof(words), "process %d listens", (int)getpid());
	expect_refused(temp_dir_path(&dir, name), BAY_BUSY, words);
	socket_file_close(&file);
	ck_assert_int_eq(rmdir(dir.path), 0);
}
END_TEST

/* It does not take a stream, but that does not mean that nobody wants it. */
START_TEST(a_socket_of_another_type_is_refused)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct temp_dir dir;
	struct stat st;

	temp_dir_init(&dir);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		temp_dir_path(&dir, "control.sock"));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	expect_refused(temp_dir_path(&dir, "control.sock"), BAY_BUSY, "another process listens");
	ck_assert_int_eq(stat(temp_dir_path(&dir, "control.sock"), &st), 0);
	close(fd);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_directory_that_may_not_be_written_is_refused_with_advice)
{
	struct temp_dir dir;
	char words[96];

	temp_dir_init(&dir);
	ck_assert_int_eq(chmod(dir.path, 0555), 0);
	if (geteuid() == 0 && seteuid(65534) != 0)
		CHECK_SKIP("root may write everywhere");
	snprintf(words, sizeof(words), "make the socket the socket: Permission denied: let user %u",
		(unsigned)geteuid());
	expect_refused(temp_dir_path(&dir, "control.sock"), BAY_NOT_PERMITTED, words);
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(chmod(dir.path, 0755), 0);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_file_that_is_no_socket_is_refused_and_stays)
{
	struct temp_dir dir;
	struct stat st;

	temp_dir_init(&dir);
	temp_dir_write(&dir, "control.sock", "mine");
	expect_refused(temp_dir_path(&dir, "control.sock"), BAY_BUSY, "is no socket");
	ck_assert_int_eq(stat(temp_dir_path(&dir, "control.sock"), &st), 0);
	ck_assert_int_eq(st.st_size, 4);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_missing_directory_is_refused)
{
	struct temp_dir dir;

	temp_dir_init(&dir);
	expect_refused(temp_dir_path(&dir, "nowhere/control.sock"), BAY_IO,
		"open the directory of the socket: No such file or directory: make the directory");
	temp_dir_finish(&dir);
}
END_TEST

CHECK_MAIN("master/socket_file",
	nobody_else_can_connect_while_it_is_made,
	it_listens_with_the_wanted_mode_whatever_the_umask,
	it_belongs_to_the_wanted_group,
	a_path_longer_than_an_address_works,
	nothing_but_the_socket_is_left_in_the_directory,
	a_socket_that_nobody_listens_on_is_replaced,
	a_socket_that_somebody_listens_on_is_refused_with_his_process,
	a_name_longer_than_an_address_is_looked_at_too,
	a_socket_of_another_type_is_refused,
	a_directory_that_may_not_be_written_is_refused_with_advice,
	a_file_that_is_no_socket_is_refused_and_stays,
	a_missing_directory_is_refused)
