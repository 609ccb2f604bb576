/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/reload_plan.h"

#include <string.h>

#include "config/config_load.h"
#include "master/master_service.h"
#include "support/check_main.h"

struct world {
	struct config *before;
	struct config *after;
	struct config_diff diff;
	struct master_service service;
	const struct config_service *wanted;
};

static struct config *
make_config(const char *text)
{
	struct config_report report = {0};
	struct config *config;

	ck_assert(config_load_memory("bay.ini", text, strlen(text), &config, &report));
	config_report_finish(&report);
	return config;
}

static bool
is_live(const struct config_service *service, const char *setting, void *arg)
{
	(void)service;
	(void)arg;
	return strcmp(setting, "live") == 0;
}

static void
open_world(struct world *world, const char *before, const char *after)
{
	memset(world, 0, sizeof(*world));
	world->before = make_config(before);
	world->after = make_config(after);
	config_diff_make(&world->diff, world->before, world->after, is_live, NULL);
	world->service = (struct master_service){.config = config_find_service(world->before, "a"),
		.state = SERVICE_READY, .wanted = true};
	world->wanted = config_find_service(world->after, "a");
}

static void
close_world(struct world *world)
{
	config_diff_finish(&world->diff);
	config_unref(world->before);
	config_unref(world->after);
}

/* What is planned for service a of these texts, in this state. */
static void
plans(const char *before, const char *after, enum service_state state, bool wanted,
	enum reload_action expected, bool examines)
{
	struct world world;
	enum reload_action action;

	open_world(&world, before, after);
	world.service.state = state;
	world.service.wanted = wanted;
	action = reload_plan(world.service.config != NULL ? &world.service : NULL, world.wanted,
		&world.diff, true, false);
	ck_assert_msg(action == expected, "%d, not %d", action, expected);
	ck_assert_int_eq(reload_plan_examines(action, world.wanted, &world.diff), examines);
	close_world(&world);
}

#define A "[service a]\n"

START_TEST(what_is_the_same_is_kept_whatever_its_state)
{
	plans(A, "\n" A "queue = 1024\n", SERVICE_READY, true, RELOAD_KEEP, false);
	plans(A, A, SERVICE_FAILED, true, RELOAD_KEEP, false);
	plans(A, A "[service b]\n", SERVICE_STOPPED, false, RELOAD_KEEP, false);
}
END_TEST

START_TEST(services_come_and_go)
{
	plans("[service b]\n", A, SERVICE_READY, true, RELOAD_ADD, true);
	plans("[service b]\n", A "enabled = no\n", SERVICE_READY, true, RELOAD_ADD, false);
	plans(A, "[service b]\n", SERVICE_READY, true, RELOAD_REMOVE, false);
}
END_TEST

START_TEST(what_runs_is_changed_as_its_keys_say)
{
	plans(A, A "timeout = 1s\n", SERVICE_READY, true, RELOAD_LIVE, false);
	plans(A, A "live = 1\n", SERVICE_READY, true, RELOAD_LIVE, false);
	plans(A, A "timeout = 1s\nstack = 64k\n", SERVICE_READY, true, RELOAD_GENERATION, true);
	plans(A, A "other = 1\n", SERVICE_READY, true, RELOAD_GENERATION, true);
}
END_TEST

START_TEST(who_stopped_it_meant_it)
{
	plans(A, A "timeout = 1s\n", SERVICE_STOPPED, false, RELOAD_CONFIGURE, false);
	plans(A, A "other = 1\n", SERVICE_STOPPED, false, RELOAD_CONFIGURE, true);
}
END_TEST

START_TEST(a_key_enables_and_disables)
{
	plans(A, A "enabled = no\nstack = 64k\n", SERVICE_READY, true, RELOAD_STOP, false);
	plans(A "enabled = no\n", A, SERVICE_STOPPED, false, RELOAD_START, true);
	/* Started by hand already. */
	plans(A "enabled = no\n", A, SERVICE_READY, true, RELOAD_LIVE, false);
}
END_TEST

START_TEST(what_has_failed_is_tried_again_only_if_it_is_to_be)
{
	struct world world;

	plans(A, A "timeout = 1s\n", SERVICE_FAILED, true, RELOAD_START, true);
	open_world(&world, A, A "timeout = 1s\n");
	world.service.state = SERVICE_FAILED;
	ck_assert_int_eq(reload_plan(&world.service, world.wanted, &world.diff, false,
		false), RELOAD_CONFIGURE);
	close_world(&world);
}
END_TEST

/* The same for one that others need. */
static void
needed_plans(const char *before, const char *after, enum service_state state, bool wanted,
	enum reload_action expected)
{
	struct world world;

	open_world(&world, before, after);
	world.service.state = state;
	world.service.wanted = wanted;
	ck_assert_int_eq(reload_plan(&world.service, world.wanted, &world.diff, false, true), expected);
	close_world(&world);
}

START_TEST(what_others_need_runs)
{
	needed_plans(A, A, SERVICE_STOPPED, false, RELOAD_START);
	needed_plans(A, A, SERVICE_FAILED, true, RELOAD_START);
	needed_plans(A, A, SERVICE_READY, true, RELOAD_KEEP);
	needed_plans(A, A "timeout = 1s\n", SERVICE_STOPPED, false, RELOAD_START);
	needed_plans(A, A "timeout = 1s\n", SERVICE_FAILED, true, RELOAD_START);
	/* It is disabled, and goes on for the others. */
	needed_plans(A, A "enabled = no\n", SERVICE_READY, true, RELOAD_LIVE);
}
END_TEST

CHECK_MAIN("master/reload_plan",
	what_is_the_same_is_kept_whatever_its_state,
	services_come_and_go,
	what_runs_is_changed_as_its_keys_say,
	who_stopped_it_meant_it,
	a_key_enables_and_disables,
	what_has_failed_is_tried_again_only_if_it_is_to_be,
	what_others_need_runs)
