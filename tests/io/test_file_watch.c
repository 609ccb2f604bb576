/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <bay/watch.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bay/channel.h>
#include <bay/select.h>
#include <bay/task.h>

#include "runtime/task.h"
#include "support/run_tasks.h"
#include "support/temp_dir.h"

#define SOON bay_after(60 * BAY_SECOND)

enum { NAMES_KEPT = 1024 };

static struct temp_dir dir;

/* In a directory of its own. */
#define WATCH_TEST(name)                   \
	static int name##_body(void);          \
	TASK_TEST(name)                        \
	{                                      \
		int status;                        \
		temp_dir_init(&dir);               \
		status = name##_body();            \
		temp_dir_finish(&dir);             \
		return status;                     \
	}                                      \
	static int name##_body(void)

static const char *
at(const char *name)
{
	return temp_dir_path(&dir, name);
}

static struct bay_watch *
watch(const char *path, unsigned what)
{
	struct bay_watch *made;

	ck_assert_int_eq(bay_watch_open(path, what, &made), BAY_OK);
	ck_assert_ptr_nonnull(made);
	return made;
}

static void
write_to(const char *name, const char *text)
{
	int fd = open(at(name), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
	close(fd);
}

/* The kernel has everything at once; what has come to the loop may be told apart. So: until all
 * of what has been seen of the name, and nothing of another. */
static void
expect(struct bay_watch *made, unsigned what, const char *name)
{
	unsigned seen = 0;

	while (seen != what) {
		struct bay_watch_event event = {0, ""};

		ck_assert_int_eq(bay_watch_next(made, &event, SOON), BAY_OK);
		ck_assert_str_eq(event.name, name);
		ck_assert_uint_ne(event.what, 0);
		seen |= event.what;
		ck_assert_msg((seen & ~what) == 0, "%s: %x, not %x", name, seen, what);
	}
}

static void
expect_nothing(struct bay_watch *made)
{
	struct bay_watch_event event;

	ck_assert_int_eq(bay_watch_next(made, &event, bay_after(2 * BAY_MS)), BAY_TIMEOUT);
}

/* The loop has read all that the kernel had: each sleep is a look, and a look reads hundreds. */
static void
let_all_come(void)
{
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
}

static unsigned
count_fds(void)
{
	DIR *fds = opendir("/proc/self/fd");
	unsigned count = 0;

	ck_assert_ptr_nonnull(fds);
	while (readdir(fds) != NULL)
		count++;
	closedir(fds);
	return count;
}

/* What the kernel watches for us. */
static unsigned
count_kernel_watches(void)
{
	DIR *fds = opendir("/proc/self/fdinfo");
	const struct dirent *entry;
	char path[300], line[256];
	unsigned count = 0;

	ck_assert_ptr_nonnull(fds);
	while ((entry = readdir(fds)) != NULL) {
		FILE *file;

		snprintf(path, sizeof path, "/proc/self/fdinfo/%s", entry->d_name);
		file = fopen(path, "re");
		while (file != NULL && fgets(line, sizeof line, file) != NULL)
			count += strncmp(line, "inotify wd:", 11) == 0;
		if (file != NULL)
			fclose(file);
	}
	closedir(fds);
	return count;
}

WATCH_TEST(what_happens_in_a_directory_is_told)
{
	struct bay_watch *made = watch(dir.path, 0);

	expect_nothing(made);
	write_to("a", "text");
	expect(made, BAY_WATCH_CREATED | BAY_WATCH_CHANGED | BAY_WATCH_WRITTEN, "a");
	ck_assert_int_eq(chmod(at("a"), 0600), 0);
	expect(made, BAY_WATCH_ATTRIBUTES, "a");
	ck_assert_int_eq(rename(at("a"), at("b")), 0);
	expect(made, BAY_WATCH_MOVED_OUT, "a");
	expect(made, BAY_WATCH_MOVED_IN, "b");
	ck_assert_int_eq(unlink(at("b")), 0);
	expect(made, BAY_WATCH_DELETED, "b");
	ck_assert_int_eq(mkdir(at("c"), 0755), 0);
	expect(made, BAY_WATCH_CREATED, "c");
	ck_assert_int_eq(chmod(dir.path, 0700), 0);
	expect(made, BAY_WATCH_ATTRIBUTES, "");
	expect_nothing(made);
	bay_watch_close(made);
	bay_watch_close(NULL);
	return BAY_OK;
}

WATCH_TEST(only_what_was_asked_for_is_told)
{
	struct bay_watch *deleted = watch(dir.path, BAY_WATCH_DELETED), *written = watch(dir.path, BAY_WATCH_WRITTEN),
		*nothing = watch(dir.path, BAY_WATCH_GONE);

	write_to("a", "text");
	ck_assert_int_eq(unlink(at("a")), 0);
	expect(deleted, BAY_WATCH_DELETED, "a");
	expect(written, BAY_WATCH_WRITTEN, "a");
	expect_nothing(deleted);
	expect_nothing(written);
	expect_nothing(nothing);
	bay_watch_close(deleted);
	/* The directory is still watched for the others. */
	write_to("b", "text");
	expect(written, BAY_WATCH_WRITTEN, "b");
	bay_watch_close(written);
	bay_watch_close(nothing);
	return BAY_OK;
}

/* As editors and careful programs write. */
WATCH_TEST(a_file_is_watched_through_replacement_and_deletion)
{
	struct bay_watch *made = watch(at("conf"), BAY_WATCH_WRITTEN | BAY_WATCH_MOVED_IN | BAY_WATCH_DELETED);

	for (int i = 0; i < 3; i++) {
		write_to("conf.new", "text");
		expect_nothing(made);
		ck_assert_int_eq(rename(at("conf.new"), at("conf")), 0);
		expect(made, BAY_WATCH_MOVED_IN, "conf");
	}
	write_to("conf", "other");
	expect(made, BAY_WATCH_WRITTEN, "conf");
	ck_assert_int_eq(unlink(at("conf")), 0);
	expect(made, BAY_WATCH_DELETED, "conf");
	write_to("conf", "again");
	expect(made, BAY_WATCH_WRITTEN, "conf");
	write_to("conf2", "another");
	expect_nothing(made);
	bay_watch_close(made);
	return BAY_OK;
}

WATCH_TEST(a_path_may_be_relative)
{
	struct bay_watch *made;

	ck_assert_int_eq(chdir(dir.path), 0);
	made = watch("conf", BAY_WATCH_WRITTEN);
	write_to("conf", "text");
	expect(made, BAY_WATCH_WRITTEN, "conf");
	bay_watch_close(made);
	made = watch(".", BAY_WATCH_DELETED);
	ck_assert_int_eq(unlink(at("conf")), 0);
	expect(made, BAY_WATCH_DELETED, "conf");
	bay_watch_close(made);
	ck_assert_int_eq(chdir("/"), 0);
	return BAY_OK;
}

WATCH_TEST(many_events_of_a_name_are_one)
{
	struct bay_watch *made = watch(dir.path, BAY_WATCH_CREATED | BAY_WATCH_DELETED);
	struct bay_watch_event event;

	for (int i = 0; i < 100; i++) {
		write_to("a", "text");
		write_to("b", "text");
		ck_assert_int_eq(unlink(at("a")), 0);
		ck_assert_int_eq(unlink(at("b")), 0);
	}
	let_all_come();
	ck_assert_int_eq(bay_watch_next(made, &event, SOON), BAY_OK);
	ck_assert_str_eq(event.name, "a");
	ck_assert_uint_eq(event.what, BAY_WATCH_CREATED | BAY_WATCH_DELETED);
	ck_assert_int_eq(bay_watch_next(made, NULL, SOON), BAY_OK);
	expect_nothing(made);
	bay_watch_close(made);
	return BAY_OK;
}

static void
make_many(int count)
{
	char name[32];

	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof name, "n%d", i);
		write_to(name, "");
	}
}

WATCH_TEST(when_too_much_comes_all_has_to_be_looked_at)
{
	struct bay_watch *made = watch(dir.path, BAY_WATCH_CREATED), *other = watch(at("n7"), BAY_WATCH_CREATED);
	struct bay_watch_event event = {0, ""};

	make_many(NAMES_KEPT + 1);
	let_all_come();
	ck_assert_int_eq(bay_watch_next(made, &event, SOON), BAY_OK);
	ck_assert_uint_eq(event.what, BAY_WATCH_OVERFLOW);
	ck_assert_str_eq(event.name, "");
	expect(other, BAY_WATCH_CREATED, "n7");
	expect_nothing(made);
	/* And then it goes on. */
	write_to("after", "text");
	expect(made, BAY_WATCH_CREATED, "after");
	bay_watch_close(made);
	bay_watch_close(other);
	return BAY_OK;
}

WATCH_TEST(as_many_names_as_promised_are_kept)
{
	struct bay_watch *made = watch(dir.path, BAY_WATCH_CREATED);
	struct bay_watch_event event;
	char name[32];

	make_many(NAMES_KEPT);
	let_all_come();
	for (int i = 0; i < NAMES_KEPT; i++) {
		snprintf(name, sizeof name, "n%d", i);
		ck_assert_int_eq(bay_watch_next(made, &event, SOON), BAY_OK);
		ck_assert_str_eq(event.name, name);
	}
	expect_nothing(made);
	bay_watch_close(made);
	return BAY_OK;
}

WATCH_TEST(the_end_of_the_directory_is_told)
{
	const char *path = at("sub");
	struct bay_watch_event event;

	for (int i = 0; i < 2; i++) {
		struct bay_watch *made, *file;

		ck_assert_int_eq(mkdir(path, 0755), 0);
		made = watch(path, BAY_WATCH_CREATED);
		file = watch(at("sub/file"), 0);
		write_to("sub/other", "text");
		ck_assert_int_eq(unlink(at("sub/other")), 0);
		if (i == 0)
			ck_assert_int_eq(rmdir(path), 0);
		else
			ck_assert_int_eq(rename(path, at("elsewhere")), 0);
		expect(made, BAY_WATCH_CREATED, "other");
		ck_assert_uint_le(count_kernel_watches(), 1);
		expect(made, BAY_WATCH_GONE, "");
		ck_assert_uint_eq(count_kernel_watches(), 0);
		expect(file, BAY_WATCH_GONE, "");
		ck_assert_int_eq(bay_watch_next(made, &event, SOON), BAY_CLOSED);
		ck_assert_int_eq(bay_watch_next(made, &event, SOON), BAY_CLOSED);
		bay_watch_close(made);
		bay_watch_close(file);
	}
	return BAY_OK;
}

static int
take_one(void *arg)
{
	struct bay_watch_event event;
	int status = bay_watch_next(arg, &event, BAY_INHERIT);

	if (status == BAY_OK)
		ck_assert_uint_ne(event.what, 0);
	return status;
}

WATCH_TEST(who_came_first_gets_it)
{
	struct bay_watch *made = watch(dir.path, BAY_WATCH_CREATED);
	struct bay_task *tasks[4];

	for (int i = 0; i < 4; i++) {
		tasks[i] = bay_spawn("waits", take_one, made);
		ck_assert_int_eq(bay_yield(), BAY_OK);
	}
	bay_task_cancel(tasks[0], "enough");
	write_to("a", "text");
	ck_assert_int_eq(bay_join(tasks[1], SOON), BAY_OK);
	ck_assert_int_eq(bay_join(tasks[0], SOON), BAY_CANCELED);
	ck_assert(!bay_task_done(tasks[2]));
	write_to("b", "text");
	ck_assert_int_eq(bay_join(tasks[2], SOON), BAY_OK);
	bay_watch_close(made);
	ck_assert_int_eq(bay_join(tasks[3], SOON), BAY_CLOSED);
	return BAY_OK;
}

WATCH_TEST(all_who_wait_hear_of_the_end)
{
	const char *path = at("sub");
	struct bay_task *tasks[3];
	struct bay_watch *made;
	int told = 0;

	ck_assert_int_eq(mkdir(path, 0755), 0);
	made = watch(path, 0);
	for (int i = 0; i < 3; i++)
		tasks[i] = bay_spawn("waits", take_one, made);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(rmdir(path), 0);
	for (int i = 0; i < 3; i++) {
		int status = bay_join(tasks[i], SOON);

		ck_assert(status == BAY_OK || status == BAY_CLOSED);
		told += status == BAY_OK;
	}
	ck_assert_int_eq(told, 1);
	bay_watch_close(made);
	return BAY_OK;
}

WATCH_TEST(a_change_is_a_case_of_a_select)
{
	struct bay_watch *made = watch(dir.path, BAY_WATCH_CREATED);
	struct bay_channel *channel = bay_channel_create(0);
	struct bay_watch_event event = {0, ""};
	struct bay_case cases[] = {bay_case_get(channel), bay_case_watch(NULL, NULL), bay_case_watch(made, &event)};
	struct bay_task *task;
	size_t index = 9;

	ck_assert_int_eq(bay_select(cases, 3, &index, bay_after(BAY_MS)), BAY_TIMEOUT);
	write_to("a", "text");
	ck_assert_int_eq(bay_select(cases, 3, &index, SOON), BAY_OK);
	ck_assert_uint_eq(index, 2);
	ck_assert_int_eq(cases[2].status, BAY_OK);
	ck_assert_str_eq(event.name, "a");
	ck_assert_uint_eq(event.what, BAY_WATCH_CREATED);
	/* One that is cut short takes nothing. */
	ck_assert_int_eq(bay_select(cases, 3, &index, bay_after(BAY_MS)), BAY_TIMEOUT);
	task = bay_spawn("waits", take_one, made);
	write_to("b", "text");
	ck_assert_int_eq(bay_join(task, SOON), BAY_OK);
	bay_watch_close(made);
	bay_channel_destroy(channel);
	return BAY_OK;
}

WATCH_TEST(what_cannot_be_watched_says_why)
{
	struct bay_watch *made = (struct bay_watch *)&made;
	struct rlimit before, limit;
	char path[5000];
	int highest;

	ck_assert_int_eq(bay_watch_open(at("no/such/directory"), 0, &made), BAY_NOT_FOUND);
	ck_assert_ptr_null(made);
	write_to("file", "text");
	ck_assert_int_eq(bay_watch_open(at("file/name"), 0, &made), BAY_NOT_FOUND);
	ck_assert_int_eq(bay_watch_open("", 0, &made), BAY_INVALID);
	ck_assert_int_eq(bay_watch_open(NULL, 0, &made), BAY_INVALID);
	ck_assert_int_eq(bay_watch_open(dir.path, 1u << 20, &made), BAY_INVALID);
	memset(path, 'a', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	ck_assert_int_eq(bay_watch_open(path, 0, &made), BAY_TOO_BIG);
	path[300] = '\0';
	ck_assert_int_eq(bay_watch_open(path, 0, &made), BAY_TOO_BIG);
	ck_assert_int_eq(bay_watch_next(NULL, NULL, SOON), BAY_INVALID);
	highest = dup(STDIN_FILENO);
	close(highest);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = (struct rlimit){(rlim_t)highest, before.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(bay_watch_open(dir.path, 0, &made), BAY_FULL);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	return BAY_OK;
}

WATCH_TEST(the_descriptor_goes_with_the_last_watch)
{
	unsigned fds = count_fds();

	for (int i = 0; i < 3; i++) {
		struct bay_watch *watches[] = {watch(dir.path, 0), watch(dir.path, 0), watch("/", 0), watch(at("x"), 0)};
		struct bay_watch *made;

		ck_assert_uint_eq(count_fds(), fds + 1);
		ck_assert_int_eq(bay_watch_open(at("no/such/directory"), 0, &made), BAY_NOT_FOUND);
		for (int k = 0; k < 4; k++) {
			ck_assert_uint_eq(count_fds(), fds + 1);
			bay_watch_close(watches[(k + i) % 4]);
		}
		ck_assert_uint_eq(count_fds(), fds);
	}
	return BAY_OK;
}

CHECK_MAIN("io/file_watch",
	what_happens_in_a_directory_is_told,
	only_what_was_asked_for_is_told,
	a_file_is_watched_through_replacement_and_deletion,
	a_path_may_be_relative,
	many_events_of_a_name_are_one,
	when_too_much_comes_all_has_to_be_looked_at,
	as_many_names_as_promised_are_kept,
	the_end_of_the_directory_is_told,
	who_came_first_gets_it,
	all_who_wait_hear_of_the_end,
	a_change_is_a_case_of_a_select,
	what_cannot_be_watched_says_why,
	the_descriptor_goes_with_the_last_watch)
