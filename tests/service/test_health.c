/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bay/bay.h>

#include "support/services.h"

/* What the plugin is to say. */
static const char *say;
static unsigned asked;
static bool let_go;

/* What was heard. */
static unsigned told;
static char text[200];

static void
on_health(struct bay_instance *instance, const char *why)
{
	ck_assert_str_eq(bay_instance_name(instance), "s");
	told++;
	snprintf(text, sizeof text, "%s", why != NULL ? why : "well");
}

static int
ask(struct bay_instance *instance)
{
	asked++;
	ck_assert_ptr_eq(bay_instance_current(), instance);
	if (strcmp(say, "well") == 0)
		return BAY_OK;
	if (strcmp(say, "mute") == 0)
		return BAY_NO_MEMORY;
	if (strcmp(say, "wait") == 0)
		return bay_sleep(BAY_INHERIT);
	while (strcmp(say, "stay") == 0 && !let_go)
		(void)!bay_yield();
	return bay_instance_fail(instance, BAY_FAILED, "%s", say);
}

static int
echo(struct bay_request *request)
{
	return bay_reply(request, bay_request_data(request), bay_request_size(request));
}

static const struct bay_plugin plugin = {.size = sizeof(struct bay_plugin), .abi_major = BAY_ABI_MAJOR,
	.name = "test", .version = "1", .handle = echo, .health = ask};

static struct bay_service *
start(const char *first, int64_t timeout_ns)
{
	say = first;
	asked = told = 0;
	let_go = false;
	snprintf(text, sizeof text, "well");
	services_begin(0);
	return services_start(&(struct service_options){.name = "s", .plugin = &plugin,
		.health_interval_ns = BAY_MS, .health_timeout_ns = timeout_ns, .on_health = on_health});
}

/* Until it has been told so often, or asked; both 0: does not matter. */
struct until {
	unsigned told;
	unsigned asked;
};

static int
wait_until(void *arg)
{
	const struct until *until = arg;

	while (told < until->told || asked < until->asked)
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	return BAY_OK;
}

static int
wait_a_while(void *arg)
{
	(void)arg;
	return bay_sleep(10 * BAY_MS);
}

static void
await(unsigned times_told, unsigned times_asked)
{
	ck_assert_int_eq(services_run(wait_until, &(struct until){times_told, times_asked}), BAY_OK);
}

START_TEST(it_is_asked_again_and_again_and_told_only_what_changes)
{
	start("well", BAY_SECOND);
	await(0, 3);
	ck_assert_uint_eq(told, 0);
	say = "my disk is full";
	await(1, 0);
	ck_assert_str_eq(text, "my disk is full");
	await(0, asked + 3);
	ck_assert_uint_eq(told, 1);
	say = "my disk is gone";
	await(2, 0);
	ck_assert_str_eq(text, "my disk is gone");
	say = "mute";
	await(3, 0);
	ck_assert_str_eq(text, "health answers: no-memory");
	say = "well";
	await(4, 0);
	ck_assert_str_eq(text, "well");
	services_end();
}
END_TEST

START_TEST(one_that_waits_for_ever_is_cut_at_its_time)
{
	start("wait", 2 * BAY_MS);
	await(1, 3);
	ck_assert_uint_eq(told, 1);
	ck_assert_str_eq(text, "health did not end within health_timeout = 2ms");
	say = "well";
	await(2, 0);
	ck_assert_str_eq(text, "well");
	services_end();
}
END_TEST

START_TEST(one_that_does_not_come_back_is_told_and_not_asked_beside_that)
{
	start("stay", 2 * BAY_MS);
	await(1, 0);
	ck_assert_str_eq(text, "health did not end within health_timeout = 2ms");
	ck_assert_uint_eq(asked, 1);
	say = "well";
	await(2, 2);
	ck_assert_str_eq(text, "well");
	services_end();
}
END_TEST

START_TEST(an_instance_ends_while_it_is_asked)
{
	start("wait", 1000 * BAY_SECOND);
	await(0, 1);
	services_end();
	ck_assert_uint_eq(told, 0);
}
END_TEST

START_TEST(an_instance_does_not_end_before_it_is_back)
{
	struct bay_service *service = start("stay", 1000 * BAY_SECOND);
	char *refusal = NULL;

	await(0, 1);
	ck_assert(!services_stop(service, 0, BAY_MS, &refusal));
	ck_assert_str_eq(refusal, "its health function does not come back (bayctl tasks s)");
	free(refusal);
	let_go = true;
	ck_assert(services_stop(service, 0, 5 * BAY_SECOND, NULL));
	services_end();
	ck_assert_uint_eq(told, 0);
}
END_TEST

START_TEST(what_another_has_the_route_for_is_not_asked_and_then_told_anew)
{
	struct bay_service *service = start("ill", BAY_SECOND);
	struct bay_instance *instance = service->instances[0];
	unsigned before;

	await(1, 0);
	instance_hold(instance);
	before = asked;
	/* Ten times as long as it waits between two questions. */
	ck_assert_int_eq(services_run(wait_a_while, NULL), BAY_OK);
	ck_assert_uint_eq(asked, before);
	instance_take_route(instance);
	await(2, before + 1);
	ck_assert_str_eq(text, "ill");
	services_end();
}
END_TEST

START_TEST(without_an_interval_nothing_is_asked)
{
	say = "ill";
	asked = told = 0;
	services_begin(0);
	services_start(&(struct service_options){.name = "s", .plugin = &plugin,
		.on_health = on_health});
	ck_assert_int_eq(services_run(wait_until, &(struct until){0, 0}), BAY_OK);
	ck_assert_uint_eq(asked, 0);
	services_end();
}
END_TEST

CHECK_MAIN("service/health",
	it_is_asked_again_and_again_and_told_only_what_changes,
	one_that_waits_for_ever_is_cut_at_its_time,
	one_that_does_not_come_back_is_told_and_not_asked_beside_that,
	an_instance_ends_while_it_is_asked,
	an_instance_does_not_end_before_it_is_back,
	what_another_has_the_route_for_is_not_asked_and_then_told_anew,
	without_an_interval_nothing_is_asked)
