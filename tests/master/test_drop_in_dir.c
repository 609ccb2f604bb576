/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/drop_in_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/check_main.h"
#include "support/temp_dir.h"

struct world {
	struct temp_dir dir;
	int fd;
	struct drop_in_state *state;
	struct drop_in_dir found;
};

static void
world_open(struct world *world)
{
	memset(world, 0, sizeof(*world));
	temp_dir_init(&world->dir);
	world->fd = open(temp_dir_path(&world->dir, ""), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(world->fd, 0);
	world->state = drop_in_state_create();
}

static void
world_close(struct world *world)
{
	drop_in_dir_finish(&world->found);
	drop_in_state_destroy(world->state);
	close(world->fd);
	temp_dir_finish(&world->dir);
}

static void
look(struct world *world)
{
	drop_in_dir_finish(&world->found);
	ck_assert(drop_in_dir_read(&world->found, world->fd, world->state, true));
}

static const struct drop_in_look *
find(const struct world *world, const char *name)
{
	for (size_t i = 0; i < world->found.count; i++)
		if (strcmp(world->found.looks[i].name, name) == 0)
			return &world->found.looks[i];
	return NULL;
}

static void
make(struct world *world, const char *name, const char *text)
{
	temp_dir_write(&world->dir, name, text);
}

START_TEST(candidates_are_found_with_what_they_look_like)
{
	struct world world;

	world_open(&world);
	make(&world, "a.so", "1234");
	make(&world, ".b.so", "1");
	make(&world, "c.so.tmp", "1");
	ck_assert_int_eq(symlink("a.so", temp_dir_path(&world.dir, "link.so")), 0);
	ck_assert_int_eq(mkdir(temp_dir_path(&world.dir, "dir.so"), 0700), 0);
	look(&world);
	ck_assert_uint_eq(world.found.count, 3);
	ck_assert_int_eq(find(&world, "a.so")->stat.st_size, 4);
	/* What they are is for the examination to complain of. */
	ck_assert(S_ISLNK(find(&world, "link.so")->stat.st_mode));
	ck_assert(S_ISDIR(find(&world, "dir.so")->stat.st_mode));
	world_close(&world);
}
END_TEST

START_TEST(each_reading_begins_anew)
{
	struct world world;

	world_open(&world);
	look(&world);
	ck_assert_uint_eq(world.found.count, 0);
	for (char name[] = "a.so"; name[0] <= 'z'; name[0]++)
		make(&world, name, "1");
	look(&world);
	ck_assert_uint_eq(world.found.count, 26);
	look(&world);
	ck_assert_uint_eq(world.found.count, 26);
	world_close(&world);
}
END_TEST

/* Not all file systems have leases. */
static bool
has_leases(struct world *world)
{
	int fd = open(temp_dir_path(&world->dir, "a.so"), O_RDONLY | O_CLOEXEC);
	bool granted = fcntl(fd, F_SETLEASE, F_RDLCK) == 0;

	close(fd);
	return granted;
}

START_TEST(a_file_that_somebody_writes_is_seen_to_be_written)
{
	struct world world;
	int fd;

	world_open(&world);
	make(&world, "a.so", "1");
	look(&world);
	ck_assert(!find(&world, "a.so")->writing);
	if (!has_leases(&world)) {
		world_close(&world);
		CHECK_SKIP("the file system knows no leases");
	}
	fd = open(temp_dir_path(&world.dir, "a.so"), O_WRONLY | O_APPEND | O_CLOEXEC);
	look(&world);
	ck_assert(find(&world, "a.so")->writing);
	close(fd);
	look(&world);
	ck_assert(!find(&world, "a.so")->writing);
	world_close(&world);
}
END_TEST

/* Files that nobody waits for are not opened again and again. */
START_TEST(a_file_that_is_dealt_with_is_not_asked_for_writers)
{
	struct world world;
	int fd;

	world_open(&world);
	make(&world, "a.so", "1");
	look(&world);
	drop_in_state_know(world.state, find(&world, "a.so"));
	fd = open(temp_dir_path(&world.dir, "a.so"), O_WRONLY | O_APPEND | O_CLOEXEC);
	look(&world);
	ck_assert(!find(&world, "a.so")->writing);
	close(fd);
	world_close(&world);
}
END_TEST

START_TEST(a_file_that_may_not_be_read_is_no_obstacle)
{
	struct world world;

	world_open(&world);
	make(&world, "a.so", "1");
	ck_assert_int_eq(chmod(temp_dir_path(&world.dir, "a.so"), 0), 0);
	ck_assert_int_eq(mkfifo(temp_dir_path(&world.dir, "f.so"), 0600), 0);
	look(&world);
	ck_assert_ptr_nonnull(find(&world, "a.so"));
	ck_assert(!find(&world, "a.so")->writing);
	ck_assert(!find(&world, "f.so")->writing);
	world_close(&world);
}
END_TEST

START_TEST(a_directory_that_is_gone_is_an_error)
{
	struct world world;

	world_open(&world);
	ck_assert(!drop_in_dir_read(&world.found, -1, world.state, true));
	ck_assert_int_eq(errno, EBADF);
	world_close(&world);
}
END_TEST

CHECK_MAIN("master/drop_in_dir",
	candidates_are_found_with_what_they_look_like,
	each_reading_begins_anew,
	a_file_that_somebody_writes_is_seen_to_be_written,
	a_file_that_is_dealt_with_is_not_asked_for_writers,
	a_file_that_may_not_be_read_is_no_obstacle,
	a_directory_that_is_gone_is_an_error)
