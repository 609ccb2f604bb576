/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/admin_roles.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "config/config_load.h"
#include "support/check_main.h"

static struct config *
configured(const char *text)
{
	struct config_report report = {0};
	struct config *config;

	ck_assert(config_load_memory("test.ini", text, strlen(text), &config, &report));
	config_report_finish(&report);
	return config;
}

/* The role that the lists of the container give a user with these groups. */
static enum interface_role
role_of(const char *text, uid_t uid, const gid_t *groups, size_t count)
{
	struct config *config = configured(text);
	struct config_report report = {0};
	struct admin_roles *roles = admin_roles_create(config, &report);
	enum interface_role role = admin_roles_of(roles, uid, groups, count);

	ck_assert_uint_eq(report.count, 0);
	config_report_finish(&report);
	admin_roles_destroy(roles);
	config_destroy(config);
	return role;
}

START_TEST(nobody_has_a_role_who_is_not_named)
{
	const gid_t groups[] = {7};

	ck_assert_int_eq(role_of("[container]\n", 12345, groups, 1), INTERFACE_ROLE_NONE);
	ck_assert_int_eq(role_of("[container]\nadmins = 1 @2\n", 12345, groups, 1), INTERFACE_ROLE_NONE);
	ck_assert_int_eq(admin_roles_of(NULL, 0, NULL, 0), INTERFACE_ROLE_NONE);
}
END_TEST

START_TEST(users_and_groups_are_told_apart)
{
	const gid_t groups[] = {7, 8};

	ck_assert_int_eq(role_of("[container]\noperators = 12345\n", 12345, groups, 2), INTERFACE_ROLE_OPERATOR);
	ck_assert_int_eq(role_of("[container]\noperators = @12345\n", 12345, groups, 2), INTERFACE_ROLE_NONE);
	ck_assert_int_eq(role_of("[container]\nviewers = @9, @8\n", 12345, groups, 2), INTERFACE_ROLE_VIEWER);
	ck_assert_int_eq(role_of("[container]\nviewers = 8\n", 12345, groups, 2), INTERFACE_ROLE_NONE);
	ck_assert_int_eq(role_of("[container]\nadmins = 3,12345\n", 12345, NULL, 0), INTERFACE_ROLE_ADMIN);
}
END_TEST

START_TEST(names_are_those_of_the_system)
{
	const struct passwd *user = getpwnam("daemon");
	const struct group *group = getgrnam("daemon");
	gid_t groups[1];

	if (user == NULL || group == NULL)
		CHECK_SKIP("there is no daemon here");
	groups[0] = group->gr_gid;
	ck_assert_int_eq(role_of("[container]\nadmins = daemon\n", user->pw_uid, NULL, 0), INTERFACE_ROLE_ADMIN);
	ck_assert_int_eq(role_of("[container]\nadmins = @daemon\n", 12345, groups, 1), INTERFACE_ROLE_ADMIN);
	ck_assert_int_eq(role_of("[container]\nadmins = @daemon\n", 12345, NULL, 0), INTERFACE_ROLE_NONE);
}
END_TEST

START_TEST(the_highest_role_counts_and_everybody_may_be_meant)
{
	static const char text[] = "[container]\nviewers = *\noperators = 5 6\nadmins = 6\n";

	ck_assert_int_eq(role_of(text, 4, NULL, 0), INTERFACE_ROLE_VIEWER);
	ck_assert_int_eq(role_of(text, 5, NULL, 0), INTERFACE_ROLE_OPERATOR);
	ck_assert_int_eq(role_of(text, 6, NULL, 0), INTERFACE_ROLE_ADMIN);
}
END_TEST

START_TEST(what_cannot_be_is_told_with_its_place)
{
	static const struct {
		const char *text;
		const char *said; /* NULL: nothing */
		unsigned line;
	} cases[] = {
		{"[container]\ncontrol_mode = 0666\nviewers = *\nadmins = 4294967294 @7\n", NULL, 0},
		{"[container]\ncontrol_mode = 0620\nviewers = 4\n", NULL, 0},
		{"[container]\ncontrol_mode = 0666\nviewers = nobody-at-all\n", "no user of this name: 'nobody-at-all'", 3},
		{"[container]\ncontrol_mode = 0666\nadmins = @none-at-all\n", "no group of this name: 'none-at-all'", 3},
		{"[container]\ncontrol_mode = 0666\nadmins = 4294967295\n", "no user of this name", 3},
		{"[container]\ncontrol_mode = 0666\nadmins = @*\n", "no group of this name", 3},
		{"[container]\noperators = 4\n", "control_mode = 0600 lets nobody connect", 2},
		{"[container]\ncontrol_mode = 0644\noperators = 4\n", "control_mode = 0644 lets nobody connect", 3},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct config *config = configured(cases[i].text);
		struct config_report report = {0};

		admin_roles_check(config, &report);
		ck_assert_msg(report.count == (cases[i].said != NULL), "%s: %zu", cases[i].text, report.count);
		if (cases[i].said != NULL) {
			ck_assert_msg(strstr(report.complaints[0].text, cases[i].said) != NULL, "%s",
				report.complaints[0].text);
			ck_assert_uint_eq(report.complaints[0].line, cases[i].line);
		}
		config_report_finish(&report);
		config_destroy(config);
	}
}
END_TEST

CHECK_MAIN("master/admin_roles",
	nobody_has_a_role_who_is_not_named,
	users_and_groups_are_told_apart,
	names_are_those_of_the_system,
	the_highest_role_counts_and_everybody_may_be_meant,
	what_cannot_be_is_told_with_its_place)
