/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/cgroup_files.h"

#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"

#define V1 "30 23 0:26 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
#define V2 "31 23 0:27 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw\n"

static void
is_in(const char *mountinfo, const char *cgroup, const char *expected)
{
	char *directory = cgroup_own_directory(mountinfo, cgroup);

	if (expected == NULL)
		ck_assert_msg(directory == NULL, "%s: %s", cgroup, directory);
	else
		ck_assert_msg(directory != NULL && strcmp(directory, expected) == 0, "%s: %s", cgroup,
			directory != NULL ? directory : "none");
	free(directory);
}

START_TEST(the_own_group_is_found_where_it_is_mounted)
{
	is_in(V1 V2, "4:memory:/x\n0::/system.slice/bay.service\n", "/sys/fs/cgroup/unified/system.slice/bay.service");
	is_in(V2, "0::/\n", "/sys/fs/cgroup/unified");
	is_in(V2, "0::/a b", "/sys/fs/cgroup/unified/a b");
	/* Of a container: a part of the tree. */
	is_in("31 23 0:27 /docker/1 /my\\040groups rw - cgroup2 none rw\n", "0::/docker/1/x\n", "/my groups/x");
	is_in("31 23 0:27 /docker/1 /g rw - cgroup2 none rw\n", "0::/docker/1\n", "/g");
	is_in("31 23 0:27 /docker/1 /g rw shared:1 - cgroup2 none rw\n", "0::/docker/12\n", NULL);
	is_in("31 23 0:27 /docker/1 /g rw - cgroup2 none rw\n", "0::/other\n", NULL);
}
END_TEST

START_TEST(where_there_is_none_there_is_no_group)
{
	is_in(V1, "4:memory:/x\n0::/system.slice\n", NULL);
	is_in(V2, "4:memory:/x\n", NULL);
	is_in(V2, "", NULL);
	is_in("", "0::/\n", NULL);
	is_in("31 23\n - cgroup2 \ncgroup2\n", "0::/\n", NULL);
	is_in(V2, "0::", NULL);
}
END_TEST

START_TEST(controllers_are_whole_words)
{
	char text[32];

	ck_assert_uint_eq(cgroup_controllers("cpuset cpu io memory hugetlb pids rdma\n"),
		CGROUP_CPU | CGROUP_MEMORY | CGROUP_PIDS);
	ck_assert_uint_eq(cgroup_controllers("cpuset hugetlb"), 0);
	ck_assert_uint_eq(cgroup_controllers(""), 0);
	ck_assert_uint_eq(cgroup_controllers("\n pids \n"), CGROUP_PIDS);
	ck_assert_str_eq(cgroup_controllers_text(text, sizeof(text), CGROUP_CPU | CGROUP_MEMORY | CGROUP_PIDS),
		"memory, pids, cpu");
	ck_assert_str_eq(cgroup_controllers_text(text, sizeof(text), CGROUP_CPU), "cpu");
	ck_assert_str_eq(cgroup_controllers_text(text, sizeof(text), 0), "");
}
END_TEST

START_TEST(a_field_is_found_by_its_whole_name)
{
	static const char text[] = "low 0\nhigh 17\nmax 3\noom 1\noom_kill 2\nodd x\nhuge 99999999999999999999\n";
	uint64_t value = 0;

	ck_assert(cgroup_field(text, "high", &value));
	ck_assert_uint_eq(value, 17);
	ck_assert(cgroup_field(text, "oom", &value));
	ck_assert_uint_eq(value, 1);
	ck_assert(cgroup_field(text, "oom_kill", &value));
	ck_assert_uint_eq(value, 2);
	ck_assert(cgroup_field("anon 5", "anon", &value));
	ck_assert(!cgroup_field(text, "hig", &value));
	ck_assert(!cgroup_field(text, "17", &value));
	ck_assert(!cgroup_field(text, "odd", &value));
	ck_assert(!cgroup_field(text, "huge", &value));
	ck_assert(!cgroup_field("", "low", &value));
}
END_TEST

START_TEST(the_kernel_slows_down_what_bayd_is_to_end_and_ends_it_far_above)
{
	const uint64_t sizes[] = {1 << 20, 64 << 20, UINT64_C(1) << 40};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct cgroup_values values = cgroup_values(sizes[i], 40);

		ck_assert_uint_gt(values.memory_high, sizes[i] + sizes[i] / 4);
		ck_assert_uint_lt(values.memory_high, sizes[i] + sizes[i] / 2);
		ck_assert_uint_ge(values.memory_max, sizes[i] + sizes[i] / 2);
		ck_assert_uint_ge(values.memory_max, sizes[i] + (16 << 20));
		ck_assert_uint_eq(values.pids_max, 80);
	}
	ck_assert_uint_eq(cgroup_values(0, 0).memory_high, 0);
	ck_assert_uint_eq(cgroup_values(0, 0).memory_max, 0);
	ck_assert_uint_eq(cgroup_values(0, 0).pids_max, 0);
	ck_assert_uint_eq(cgroup_values(UINT64_MAX, UINT32_MAX).memory_max, UINT64_MAX);
}
END_TEST

CHECK_MAIN("master/cgroup_files",
	the_own_group_is_found_where_it_is_mounted,
	where_there_is_none_there_is_no_group,
	controllers_are_whole_words,
	a_field_is_found_by_its_whole_name,
	the_kernel_slows_down_what_bayd_is_to_end_and_ends_it_far_above)
