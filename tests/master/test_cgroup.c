/* SPDX-License-Identifier: BSD-2-Clause */
/* In a directory that looks like one of control groups: what is written into its files stands there afterwards. */
#include "config.h"

#include "master/cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "support/check_main.h"
#include "support/temp_dir.h"

static struct temp_dir dir;
static char *why;

/* With a group "master", as the kernel would fill it. */
static void
open_dir(const char *controllers, const char *procs)
{
	why = NULL;
	temp_dir_init(&dir);
	temp_dir_write(&dir, "cgroup.controllers", controllers);
	temp_dir_write(&dir, "cgroup.procs", procs);
	temp_dir_write(&dir, "cgroup.subtree_control", "");
	temp_dir_write(&dir, "master/cgroup.procs", "");
}

/* The kernel fills what is made; here this does, in the place of the C library's. */
static bool fills;

int
mkdirat(int parent, const char *name, mode_t mode)
{
	static const char *const files[] = {"cgroup.procs", "memory.max", "memory.high", "memory.oom.group",
		"pids.max", "cpu.weight"};
	char path[64];
	int result = (int)syscall(SYS_mkdirat, parent, name, mode);

	for (size_t i = 0; fills && result == 0 && i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "%s/%s", name, files[i]);
		temp_dir_write(&dir, path, "");
	}
	return result;
}

static void
close_dir(void)
{
	fills = false;
	free(why);
	temp_dir_finish(&dir);
}

static struct cgroup_tree *
open_tree(void)
{
	return cgroup_tree_open(temp_dir_path(&dir, "."), &why);
}

/* Begins with this. */
static void
holds(const char *file, const char *expected)
{
	char text[64] = "";
	FILE *opened = fopen(temp_dir_path(&dir, file), "re");

	ck_assert_msg(opened != NULL, "no %s", file);
	(void)!fread(text, 1, sizeof(text) - 1, opened);
	fclose(opened);
	ck_assert_msg(strncmp(text, expected, strlen(expected)) == 0, "%s: %s", file, text);
}

static void
refuses(const char *expected)
{
	struct cgroup_tree *tree = open_tree();

	ck_assert_ptr_null(tree);
	ck_assert_msg(strstr(why, expected) != NULL, "%s", why);
}

START_TEST(bayd_goes_into_a_group_of_its_own_and_switches_on_what_there_is)
{
	struct cgroup_tree *tree;
	char pid[16];

	open_dir("cpuset cpu io pids\n", "");
	tree = open_tree();
	ck_assert_msg(tree != NULL, "%s", why);
	ck_assert_uint_eq(cgroup_tree_controllers(tree), CGROUP_PIDS | CGROUP_CPU);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	holds("master/cgroup.procs", pid);
	/* The last word written over the first. */
	holds("cgroup.subtree_control", "+cpus");
	cgroup_tree_close(tree);
	close_dir();
}
END_TEST

START_TEST(what_is_not_for_bayd_is_left_alone_with_the_reason)
{
	char self[16];

	open_dir("memory pids cpu\n", "1\n");
	refuses("process 1 is in it, too");
	close_dir();
	open_dir("hugetlb\n", "");
	refuses("it has none of the controllers memory, pids and cpu");
	close_dir();
	open_dir("memory pids cpu\n", "");
	temp_dir_write(&dir, "master/cgroup.procs", "1\n");
	refuses("process 1 is in it, too");
	close_dir();
	/* Those that we cannot see, and ourselves. */
	snprintf(self, sizeof(self), "%d\n0\n", (int)getpid());
	open_dir("memory pids cpu\n", self);
	refuses("a process of another pid namespace is in it, too");
	close_dir();
	snprintf(self, sizeof(self), "%d\n", (int)getpid());
	open_dir("memory pids cpu\n", self);
	cgroup_tree_close(open_tree());
	ck_assert_ptr_null(why);
	close_dir();
	ck_assert_ptr_null(cgroup_tree_open("/nowhere/at/all", &why));
	ck_assert_str_eq(why, "/nowhere/at/all: open it: No such file or directory");
	free(why);
	ck_assert_ptr_null(cgroup_tree_open("no", &why));
	ck_assert_str_eq(why, "cgroup = no");
	free(why);
	ck_assert_uint_eq(cgroup_tree_probe("no"), 0);
}
END_TEST

START_TEST(a_cell_has_its_limits_in_the_files_of_its_group)
{
	struct cgroup_tree *tree;
	struct cgroup_group *group;
	uint64_t memory = 5;
	uint32_t tasks = 6;

	open_dir("memory pids cpu\n", "");
	tree = open_tree();
	ck_assert_msg(tree != NULL, "%s", why);
	fills = true;
	group = cgroup_group_create(tree, "a");
	ck_assert_ptr_nonnull(group);
	ck_assert_int_ge(cgroup_group_procs(group), 0);
	temp_dir_write(&dir, "cell-a.1/cpu.weight", "unset");
	ck_assert(cgroup_group_set(group, 64 << 20, 40, 0));
	holds("cell-a.1/memory.high", "88080384");
	holds("cell-a.1/memory.max", "100663296");
	holds("cell-a.1/memory.oom.group", "1");
	holds("cell-a.1/pids.max", "80");
	holds("cell-a.1/cpu.weight", "unset");
	/* What stands there is not written again. */
	temp_dir_write(&dir, "cell-a.1/memory.max", "untouched");
	temp_dir_write(&dir, "cell-a.1/pids.max", "untouched");
	ck_assert(cgroup_group_set(group, 64 << 20, 40, 0));
	holds("cell-a.1/memory.max", "untouched");
	holds("cell-a.1/pids.max", "untouched");
	/* Nor is it lowered below what there is, but raised at any time. */
	temp_dir_write(&dir, "cell-a.1/memory.current", "60000000\n");
	ck_assert(cgroup_group_set(group, 32 << 20, 40, 0));
	holds("cell-a.1/memory.high", "88080384");
	ck_assert(cgroup_group_set(group, 128 << 20, 40, 0));
	holds("cell-a.1/memory.high", "176160768");
	ck_assert(cgroup_group_set(group, 64 << 20, 40, 0));
	holds("cell-a.1/memory.high", "88080384");
	ck_assert(cgroup_group_set(group, 0, 0, 300));
	holds("cell-a.1/memory.high", "max");
	holds("cell-a.1/memory.oom.group", "0");
	holds("cell-a.1/pids.max", "max");
	holds("cell-a.1/cpu.weight", "300");
	/* What cannot be read stays as it was. */
	cgroup_group_read(group, &memory, &tasks);
	ck_assert_uint_eq(memory, 5);
	ck_assert_uint_eq(tasks, 6);
	ck_assert_uint_eq(cgroup_group_killed(group), 0);
	temp_dir_write(&dir, "cell-a.1/memory.stat", "anon 1000\nfile 500000\nkernel 7\nshmem 200\n");
	temp_dir_write(&dir, "cell-a.1/pids.current", "12\n");
	temp_dir_write(&dir, "cell-a.1/memory.events", "low 0\nhigh 9\nmax 2\noom 1\noom_kill 3\noom_group_kill 1\n");
	cgroup_group_read(group, &memory, &tasks);
	ck_assert_uint_eq(memory, 1200);
	ck_assert_uint_eq(tasks, 12);
	ck_assert_uint_eq(cgroup_group_killed(group), 3);
	/* By somebody else's limit. */
	temp_dir_write(&dir, "cell-a.1/memory.events", "low 0\nhigh 9\nmax 2\noom 0\noom_kill 3\noom_group_kill 0\n");
	ck_assert_uint_eq(cgroup_group_killed(group), 0);
	temp_dir_write(&dir, "cell-a.1/memory.swap.current", "30\n");
	cgroup_group_read(group, &memory, &tasks);
	ck_assert_uint_eq(memory, 1230);
	cgroup_group_destroy(group);
	cgroup_tree_close(tree);
	close_dir();
}
END_TEST

START_TEST(groups_that_are_left_are_removed_and_others_are_not)
{
	struct cgroup_tree *tree;

	open_dir("memory pids cpu\n", "");
	temp_dir_write(&dir, "cell-old.3/a/b/c", "");
	ck_assert_int_eq(unlink(temp_dir_path(&dir, "cell-old.3/a/b/c")), 0);
	ck_assert_int_eq(mkdir(temp_dir_path(&dir, "cell-old.3/other"), 0700), 0);
	ck_assert_int_eq(mkdir(temp_dir_path(&dir, "someone"), 0700), 0);
	tree = open_tree();
	ck_assert_msg(tree != NULL, "%s", why);
	ck_assert_int_ne(access(temp_dir_path(&dir, "cell-old.3"), F_OK), 0);
	ck_assert_int_eq(access(temp_dir_path(&dir, "someone"), F_OK), 0);
	/* Without its files it is of no use. */
	ck_assert_ptr_null(cgroup_group_create(tree, "b"));
	ck_assert_int_ne(access(temp_dir_path(&dir, "cell-b.1"), F_OK), 0);
	cgroup_tree_close(tree);
	close_dir();
}
END_TEST

START_TEST(a_group_that_could_not_be_removed_yet_is_not_taken_for_the_next)
{
	struct cgroup_tree *tree;
	struct cgroup_group *group;

	open_dir("memory pids cpu\n", "");
	tree = open_tree();
	ck_assert_msg(tree != NULL, "%s", why);
	temp_dir_write(&dir, "cell-a.1/cgroup.procs", "");
	temp_dir_write(&dir, "cell-a.2/cgroup.procs", "");
	fills = true;
	group = cgroup_group_create(tree, "a");
	ck_assert_ptr_nonnull(group);
	ck_assert_int_eq(access(temp_dir_path(&dir, "cell-a.3/cgroup.procs"), F_OK), 0);
	cgroup_group_destroy(group);
	cgroup_tree_close(tree);
	close_dir();
}
END_TEST

CHECK_MAIN("master/cgroup",
	bayd_goes_into_a_group_of_its_own_and_switches_on_what_there_is,
	what_is_not_for_bayd_is_left_alone_with_the_reason,
	a_cell_has_its_limits_in_the_files_of_its_group,
	groups_that_are_left_are_removed_and_others_are_not,
	a_group_that_could_not_be_removed_yet_is_not_taken_for_the_next)
