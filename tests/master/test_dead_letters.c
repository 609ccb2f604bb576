/* SPDX-License-Identifier: BSD-2-Clause */
/* Letters are added as a cell would, and asked for as bayctl dlq does. */
#include "config.h"

#include "master/dead_letters.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "config/config_data.h"
#include "protocol/cell_link.h"
#include "support/admin_world.h"
#include "support/check_main.h"
#include "support/log_lines.h"

#define LIST "\"io.bayd.Container.DeadLetters\",\"parameters\":{\"service\":\"a\""
#define DROP "\"io.bayd.Container.DropDeadLetters\",\"parameters\":{\"service\":\"a\""

static struct world world;
static struct varlink_client client;

static void
open_world(const char *keys)
{
	struct config_container *container;

	world_open(&world, "", keys);
	container = &world.fake.config->container;
	free(container->state_dir);
	container->state_dir = xstrdup(temp_dir_path(&world.fake.dir, "state"));
	client = client_connect(&world);
	log_lines_keep();
}

static void
close_world(void)
{
	close(client.fd);
	world_close(&world);
}

static void
add(const char *body)
{
	const struct cell_dead_letter letter = {.service = "a", .crashes = 2,
		.size = body != NULL ? (int64_t)strlen(body) : 1 << 20, .body = body};

	dead_letters_add(service_of(&world.fake, "a"), "risky", &letter, world.fake.config->container.state_dir);
}

/* The array that a request is answered with; the caller's. */
static json_t *
letters(const char *request)
{
	json_t *reply, *list;

	ask(&client, request);
	reply = answer(&client);
	list = json_incref(json_object_get(reply, "letters"));
	ck_assert(json_is_array(list));
	json_decref(reply);
	return list;
}

/* The numbers of all letters: "3 2 ". */
static const char *
numbers(void)
{
	static char text[200];
	json_t *list = letters(LIST);
	const json_t *letter;
	size_t index;

	text[0] = '\0';
	json_array_foreach(list, index, letter)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%lld ",
			(long long)json_integer_value(json_object_get(letter, "number")));
	json_decref(list);
	return text;
}

static void
expect_dropped(const char *request, json_int_t count)
{
	json_t *reply;

	ask(&client, request);
	reply = answer(&client);
	ck_assert_int_eq(json_integer_value(json_object_get(reply, "dropped")), count);
	json_decref(reply);
}

static unsigned
events(void)
{
	const struct event_record *record;
	uint64_t number = 1;
	unsigned count = 0;

	while (event_log_next(world.fake.events, &number, NULL, &record))
		count += record->kind == EVENT_DEAD_LETTER;
	return count;
}

START_TEST(a_letter_is_listed_without_its_body_and_shown_with_it)
{
	json_t *list;
	const json_t *letter;

	open_world("");
	ck_assert_str_eq(numbers(), "");
	add("AAEC");
	list = letters(LIST);
	ck_assert_uint_eq(json_array_size(list), 1);
	letter = json_array_get(list, 0);
	ck_assert_str_eq(json_string_value(json_object_get(letter, "service")), "a");
	ck_assert_str_eq(json_string_value(json_object_get(letter, "sender")), "risky");
	ck_assert_int_eq(json_integer_value(json_object_get(letter, "crashes")), 2);
	ck_assert_int_eq(json_integer_value(json_object_get(letter, "size")), 4);
	ck_assert_ptr_null(json_object_get(letter, "body"));
	json_decref(list);
	list = letters(LIST ",\"number\":1");
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(list, 0), "body")), "AAEC");
	json_decref(list);
	/* Of another service. */
	list = letters("\"io.bayd.Container.DeadLetters\",\"parameters\":{\"service\":\"b\"");
	ck_assert_uint_eq(json_array_size(list), 0);
	json_decref(list);
	ck_assert_uint_eq(events(), 1);
	close_world();
}
END_TEST

START_TEST(one_that_is_too_large_is_kept_without_its_body)
{
	json_t *list;

	open_world("");
	add(NULL);
	list = letters(LIST ",\"number\":1");
	ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(list, 0), "size")), 1 << 20);
	ck_assert_ptr_null(json_object_get(json_array_get(list, 0), "body"));
	json_decref(list);
	close_world();
}
END_TEST

START_TEST(the_oldest_go_when_there_are_too_many_or_too_much)
{
	char body[4000];

	open_world("dead_letters = 2");
	for (int i = 0; i < 4; i++)
		add("AAEC");
	ck_assert_str_eq(numbers(), "4 3 ");
	close_world();
	memset(body, 'A', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	open_world("dead_letter_bytes = 10k");
	for (int i = 0; i < 5; i++)
		add(body);
	ck_assert_str_eq(numbers(), "5 4 ");
	close_world();
}
END_TEST

START_TEST(where_none_are_kept_none_is_told)
{
	open_world("dead_letters = 0");
	add("AAEC");
	ck_assert_str_eq(numbers(), "");
	ck_assert_uint_eq(events(), 0);
	ck_assert_int_eq(log_lines_with("a dead letter is lost"), 0);
	close_world();
}
END_TEST

START_TEST(one_or_all_are_dropped_and_one_that_is_not_there_is_not_found)
{
	open_world("");
	for (int i = 0; i < 3; i++)
		add("AAEC");
	expect_dropped(DROP ",\"number\":2", 1);
	ck_assert_str_eq(numbers(), "3 1 ");
	ask(&client, DROP ",\"number\":2");
	client_expect_error(&client, "io.bayd.Container.NotFound",
		"service a has no dead letter 2; bayctl dlq ls a lists them");
	ask(&client, LIST ",\"number\":2");
	client_expect_error(&client, "io.bayd.Container.NotFound", "service a has no dead letter 2");
	expect_dropped(DROP, 2);
	expect_dropped(DROP, 0);
	ck_assert_str_eq(numbers(), "");
	ask(&client, "\"io.bayd.Container.DropDeadLetters\",\"parameters\":{\"service\":\"x\"");
	client_expect_error(&client, "io.bayd.Container.NotFound", "");
	close_world();
}
END_TEST

START_TEST(what_is_cut_or_wrong_on_disk_is_passed_over_and_can_be_dropped)
{
	open_world("");
	add("AAEC");
	add("AAEC");
	temp_dir_write(&world.fake.dir, "state/dead-letters/a/1.json", "{\"number\":1,\"serv");
	temp_dir_write(&world.fake.dir, "state/dead-letters/a/7.json", "");
	temp_dir_write(&world.fake.dir, "state/dead-letters/a/8.json", "[1, 2]");
	temp_dir_write(&world.fake.dir, "state/dead-letters/a/note.txt", "not ours");
	ck_assert_str_eq(numbers(), "2 ");
	ask(&client, LIST ",\"number\":1");
	client_expect_error(&client, "io.bayd.Container.NotFound", "service a has no dead letter 1");
	/* Never a number twice. */
	add("AAEC");
	ck_assert_str_eq(numbers(), "9 2 ");
	expect_dropped(DROP ",\"number\":7", 1);
	expect_dropped(DROP, 4);
	ck_assert_int_eq(access(temp_dir_path(&world.fake.dir, "state/dead-letters/a/note.txt"), F_OK), 0);
	close_world();
}
END_TEST

START_TEST(a_letter_that_cannot_be_written_is_lost_and_logged)
{
	open_world("");
	temp_dir_write(&world.fake.dir, "state", "a file");
	add("AAEC");
	ck_assert_int_eq(log_lines_with("service a: a dead letter is lost: "), 1);
	ck_assert_uint_eq(events(), 0);
	ck_assert_str_eq(numbers(), "");
	expect_dropped(DROP, 0);
	close_world();
}
END_TEST

static unsigned
files(const char *path)
{
	DIR *directory = opendir(path);
	unsigned count = 0;

	while (directory != NULL && readdir(directory) != NULL)
		count++;
	if (directory != NULL)
		closedir(directory);
	return count;
}

START_TEST(a_disk_that_is_full_loses_one_and_leaves_no_part_of_it)
{
	const char *path;
	struct rlimit limit, full;
	unsigned before;

	open_world("");
	add("AAEC");
	path = temp_dir_path(&world.fake.dir, "state/dead-letters/a");
	before = files(path);
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	full = limit;
	full.rlim_cur = 10;
	/* Nothing of the test itself may be written meanwhile. */
	(void)setrlimit(RLIMIT_FSIZE, &full);
	add("AAEC");
	(void)setrlimit(RLIMIT_FSIZE, &limit);
	ck_assert_int_eq(log_lines_with("service a: a dead letter is lost: "), 1);
	ck_assert_uint_eq(files(path), before);
	ck_assert_str_eq(numbers(), "1 ");
	add("AAEC");
	ck_assert_uint_eq(files(path), before + 1);
	ck_assert_uint_eq(events(), 2);
	close_world();
}
END_TEST

CHECK_MAIN("master/dead_letters",
	a_letter_is_listed_without_its_body_and_shown_with_it,
	one_that_is_too_large_is_kept_without_its_body,
	the_oldest_go_when_there_are_too_many_or_too_much,
	where_none_are_kept_none_is_told,
	one_or_all_are_dropped_and_one_that_is_not_there_is_not_found,
	what_is_cut_or_wrong_on_disk_is_passed_over_and_can_be_dropped,
	a_letter_that_cannot_be_written_is_lost_and_logged,
	a_disk_that_is_full_loses_one_and_leaves_no_part_of_it)
