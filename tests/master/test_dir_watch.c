/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/dir_watch.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/check_main.h"
#include "support/temp_dir.h"

struct world {
	struct temp_dir dir;
	struct event_base *base;
	struct dir_watch *watch;
	unsigned changes;
	unsigned turns;
	enum dir_watch_state state;
	char why[200];
};

static void
on_changed(void *arg)
{
	((struct world *)arg)->changes++;
}

static void
on_turned(enum dir_watch_state state, const char *why, void *arg)
{
	struct world *world = arg;

	world->turns++;
	world->state = state;
	snprintf(world->why, sizeof(world->why), "%s", why);
}

/* Runs events until it holds; the test's own time limit ends what never does. */
#define UNTIL(world, condition) \
	while (!(condition)) \
		event_base_loop((world)->base, EVLOOP_ONCE)

static const char *
path(struct world *world, const char *name)
{
	return temp_dir_path(&world->dir, name);
}

static void
world_open(struct world *world)
{
	memset(world, 0, sizeof(*world));
	temp_dir_init(&world->dir);
	world->base = event_base_new();
	ck_assert_int_eq(mkdir(path(world, "plugins"), 0755), 0);
}

static void
watch(struct world *world, bool only_poll)
{
	const struct dir_watch_watcher watcher = {on_changed, on_turned, world};

	world->watch = dir_watch_create(world->base, path(world, "plugins"), only_poll, &watcher);
	ck_assert_ptr_nonnull(world->watch);
	ck_assert_uint_eq(world->turns, 0);
	UNTIL(world, world->turns == 1);
}

static void
world_close(struct world *world)
{
	dir_watch_destroy(world->watch);
	event_base_free(world->base);
	temp_dir_finish(&world->dir);
}

/* Each way to change something is told, whether by inotify or by looking. */
static void
expect_all_changes(struct world *world)
{
	unsigned before = world->changes;
	unsigned turns = world->turns;
	int fd = open(path(world, "plugins/a.so"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	UNTIL(world, world->changes > before);
	before = world->changes;
	ck_assert_int_eq(write(fd, "x", 1), 1);
	close(fd);
	UNTIL(world, world->changes > before);
	before = world->changes;
	ck_assert_int_eq(chmod(path(world, "plugins/a.so"), 0600), 0);
	UNTIL(world, world->changes > before);
	before = world->changes;
	ck_assert_int_eq(link(path(world, "plugins/a.so"), path(world, "plugins/b.so")), 0);
	UNTIL(world, world->changes > before);
	before = world->changes;
	ck_assert_int_eq(rename(path(world, "plugins/a.so"), path(world, "plugins/c.so")), 0);
	UNTIL(world, world->changes > before);
	before = world->changes;
	ck_assert_int_eq(unlink(path(world, "plugins/b.so")), 0);
	UNTIL(world, world->changes > before);
	ck_assert_uint_eq(world->turns, turns);
}

START_TEST(each_change_is_told_by_inotify_where_that_works)
{
	struct world world;

	world_open(&world);
	watch(&world, false);
	ck_assert_int_ne(world.state, DIR_WATCH_GONE);
	ck_assert_int_ge(dir_watch_fd(world.watch), 0);
	expect_all_changes(&world);
	world_close(&world);
}
END_TEST

START_TEST(each_change_is_told_by_looking_where_it_does_not)
{
	struct world world;

	world_open(&world);
	watch(&world, true);
	ck_assert_int_eq(world.state, DIR_WATCH_POLLING);
	ck_assert_ptr_nonnull(strstr(world.why, "watch = poll"));
	expect_all_changes(&world);
	world_close(&world);
}
END_TEST

START_TEST(a_directory_that_is_not_there_is_taken_when_it_comes)
{
	struct world world;

	world_open(&world);
	ck_assert_int_eq(rmdir(path(&world, "plugins")), 0);
	watch(&world, false);
	ck_assert_int_eq(world.state, DIR_WATCH_GONE);
	ck_assert_str_eq(world.why, "No such file or directory");
	ck_assert_int_eq(dir_watch_fd(world.watch), -1);
	ck_assert_int_eq(mkdir(path(&world, "plugins"), 0755), 0);
	UNTIL(&world, world.state != DIR_WATCH_GONE);
	ck_assert_uint_eq(world.turns, 2);
	world_close(&world);
}
END_TEST

static void
rename_to(struct world *world, const char *from, const char *to)
{
	ck_assert_int_eq(rename(path(world, from), path(world, to)), 0);
}

START_TEST(a_directory_that_is_renamed_is_gone_and_found_again)
{
	struct world world;

	world_open(&world);
	watch(&world, false);
	rename_to(&world, "plugins", "elsewhere");
	UNTIL(&world, world.state == DIR_WATCH_GONE);
	rename_to(&world, "elsewhere", "plugins");
	UNTIL(&world, world.state != DIR_WATCH_GONE);
	expect_all_changes(&world);
	world_close(&world);
}
END_TEST

/* No event of the watched directory tells of this one. */
START_TEST(another_directory_in_the_place_of_the_first_is_watched_instead)
{
	struct world world;
	struct stat here, there;

	world_open(&world);
	watch(&world, false);
	ck_assert_int_eq(mkdir(path(&world, "new"), 0755), 0);
	rename_to(&world, "plugins", "old");
	rename_to(&world, "new", "plugins");
	UNTIL(&world, world.turns > 1 && world.state != DIR_WATCH_GONE);
	ck_assert_int_eq(fstat(dir_watch_fd(world.watch), &here), 0);
	ck_assert_int_eq(stat(path(&world, "plugins"), &there), 0);
	ck_assert_uint_eq(here.st_ino, there.st_ino);
	world_close(&world);
}
END_TEST

START_TEST(what_is_no_directory_is_not_there)
{
	struct world world;

	world_open(&world);
	ck_assert_int_eq(rmdir(path(&world, "plugins")), 0);
	temp_dir_write(&world.dir, "plugins", "x");
	watch(&world, false);
	ck_assert_int_eq(world.state, DIR_WATCH_GONE);
	ck_assert_str_eq(world.why, "Not a directory");
	world_close(&world);
}
END_TEST

CHECK_MAIN("master/dir_watch",
	each_change_is_told_by_inotify_where_that_works,
	each_change_is_told_by_looking_where_it_does_not,
	a_directory_that_is_not_there_is_taken_when_it_comes,
	a_directory_that_is_renamed_is_gone_and_found_again,
	another_directory_in_the_place_of_the_first_is_watched_instead,
	what_is_no_directory_is_not_there)
