/* SPDX-License-Identifier: BSD-2-Clause */
/* As root and as somebody else, which the test only says it is. */
#include "config.h"

#include "master/run_user.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "config/config_load.h"
#include "support/check_main.h"
#include "support/log_lines.h"

static uid_t told_uid;

uid_t
geteuid(void)
{
	return told_uid;
}

/* Resolves a configuration of one section, and logs what there is to say. */
static struct run_user
resolve(uid_t uid, const char *text)
{
	struct config_report report = {0};
	struct config *config;
	struct run_user user;

	told_uid = uid;
	ck_assert(config_load_memory("test.ini", text, strlen(text), &config, &report));
	ck_assert(run_user_resolve(config, &user, &report));
	ck_assert_uint_eq(report.count, 0);
	log_lines_keep();
	run_user_log(&user, config);
	run_user_finish(&user);
	config_report_finish(&report);
	config_destroy(config);
	return user;
}

START_TEST(root_without_a_user_is_warned_of_once_and_loudly)
{
	struct run_user user = resolve(0, "[container]\n");

	ck_assert(!user.change || getegid() != user.gid);
	ck_assert_uint_eq(user.uid, 0);
	ck_assert_int_eq(log_lines_with("PLUGINS RUN AS ROOT"), 1);
}
END_TEST

START_TEST(root_with_another_user_changes_to_it_without_a_word)
{
	const struct passwd *nobody = getpwnam("nobody");
	struct run_user user;

	if (nobody == NULL)
		CHECK_SKIP("there is no user nobody");
	user = resolve(0, "[container]\nuser = nobody\n");
	ck_assert(user.change);
	ck_assert_uint_eq(user.uid, nobody->pw_uid);
	ck_assert_uint_eq(user.gid, nobody->pw_gid);
	ck_assert_int_eq(log_lines_with(""), 0);
}
END_TEST

START_TEST(root_that_names_root_is_warned_of_too)
{
	resolve(0, "[container]\nuser = root\n");
	ck_assert_int_eq(log_lines_with("PLUGINS RUN AS ROOT"), 1);
}
END_TEST

START_TEST(who_is_not_root_changes_to_nobody_and_says_so)
{
	struct run_user user;

	if (getpwnam("nobody") == NULL)
		CHECK_SKIP("there is no user nobody");
	user = resolve(12345, "[container]\nuser = nobody\n");
	ck_assert(!user.change);
	ck_assert_int_eq(log_lines_with("cells run as user 12345 and not as nobody"), 1);
	user = resolve(12345, "[container]\n");
	ck_assert(!user.change);
	ck_assert_int_eq(log_lines_with(""), 0);
}
END_TEST

START_TEST(a_group_goes_before_that_of_the_user)
{
	const struct group *daemon = getgrnam("daemon");
	struct run_user user;

	if (daemon == NULL || getpwnam("nobody") == NULL)
		CHECK_SKIP("there is no user nobody or no group daemon");
	user = resolve(0, "[container]\nuser = nobody\ngroup = daemon\n"
		"control_group = daemon\n");
	ck_assert_uint_eq(user.gid, daemon->gr_gid);
	ck_assert_uint_eq(user.control_group, daemon->gr_gid);
	user = resolve(0, "[container]\n");
	ck_assert_uint_eq(user.control_group, (gid_t)-1);
}
END_TEST

START_TEST(names_that_do_not_exist_are_all_complained_of_with_their_lines)
{
	static const char text[] = "[container]\nuser = no-such-name\ngroup = no-such-name\n"
		"control_group = no-such-name\n";
	struct config_report report = {0};
	struct config *config;
	struct run_user user;

	ck_assert(config_load_memory("test.ini", text, strlen(text), &config, &report));
	ck_assert(!run_user_resolve(config, &user, &report));
	ck_assert_uint_eq(report.count, 3);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(report.complaints[i].line, i + 2);
	config_report_finish(&report);
	config_destroy(config);
}
END_TEST

CHECK_MAIN("master/run_user",
	root_without_a_user_is_warned_of_once_and_loudly,
	root_with_another_user_changes_to_it_without_a_word,
	root_that_names_root_is_warned_of_too,
	who_is_not_root_changes_to_nobody_and_says_so,
	a_group_goes_before_that_of_the_user,
	names_that_do_not_exist_are_all_complained_of_with_their_lines)
