/* SPDX-License-Identifier: BSD-2-Clause */
/* What is printed for canned replies, to the letter. */
#include "config.h"

#include "ctl/show.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ctl/canned.h"
#include "support/check_main.h"

static char *text;
static size_t size;
static struct print print;

static void
start(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	print_init(&print, open_memstream(&text, &size));
}

static void
finish(void)
{
	fclose(print.file);
	free(text);
}

static void
check(const char *wanted)
{
	fflush(print.file);
	ck_assert_str_eq(text, wanted);
	finish();
}

START_TEST(services_are_a_table)
{
	json_t *reply = canned(CANNED_LIST);

	start();
	show_services(&print, json_object_get(reply, "services"), true);
	json_decref(reply);
	check("SERVICE STATE  PLUGIN  VERSION INST     IN-FLIGHT QUEUED SERVED FAILED UPTIME NOTE\n"
		"square  ready  square  1.0.0   one              1      2     25      3  2m30s\n"
		"broken  failed sleeper 2.1     per-loop         0      0      0      0      - "
		"init said no; next try in 2s\n");
}
END_TEST

START_TEST(a_table_of_healthy_services_fits_80_columns)
{
	json_t *reply = canned("{'services':[" CANNED_SQUARE "]}");
	char *rest;

	start();
	show_services(&print, json_object_get(reply, "services"), true);
	fflush(print.file);
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
		line = strtok_r(NULL, "\n", &rest))
		ck_assert_uint_le(strlen(line), 80);
	json_decref(reply);
	finish();
}
END_TEST

START_TEST(a_service_is_shown_with_all_there_is)
{
	json_t *reply = canned(CANNED_STATUS);

	start();
	show_service(&print, json_object_get(reply, "service"), json_object_get(reply, "log"));
	json_decref(reply);
	check("square: ready since 2026-01-01T00:00:00.000Z (2m30s)\n"
		"     plugin: square 1.0.0\n"
		"       file: /srv/plugins/square.so\n"
		"      image: /run/bay/images/square.1.so\n"
		"     sha256: 00ff\n"
		"     config: /etc/bay.ini:12\n"
		"  instances: one\n"
		"  in flight: 1 of 256 at once\n"
		"      queue: 2 of 1024 messages, 2k of 1M bytes\n"
		"  when full: reject\n"
		"     served: 25, failed 3 (timeouts 1)\n"
		"    refused: 5 rejected, 4 dropped\n"
		"   restarts: 0\n"
		" listens on: 127.0.0.1:80 (http), from the service manager\n"
		"             unix:/run/a.sock\n"
		"   settings: delay = 1s\n"
		"last lines of its log:\n"
		"  line one\n"
		"  line two\n");
}
END_TEST

START_TEST(a_failed_service_says_why_and_when_it_is_tried_again)
{
	json_t *reply = canned(CANNED_BROKEN);

	start();
	show_service(&print, reply, NULL);
	json_decref(reply);
	fflush(print.file);
	ck_assert(strncmp(text, "broken: failed\n     reason: init said no; next try in 2s\n", 50) == 0);
	ck_assert_ptr_null(strstr(text, "image:"));
	ck_assert_ptr_null(strstr(text, "log"));
	finish();
}
END_TEST

START_TEST(which_cell_is_told_when_there_are_several)
{
	json_t *services = canned("[{'name':'a','state':'ready','cell':'main'},"
		"{'name':'b','state':'ready','cell':'risky'}]");
	json_t *stats = canned("{'loops':[{'cell':'main','loop':0},{'cell':'risky','loop':0}]}");
	json_t *silent = canned("[{'cell':'risky','loop':0},{'cell':'main','loop':1}]");

	start();
	show_services(&print, services, true);
	show_stats(&print, stats, true);
	show_silent_loops(&print, silent);
	fflush(print.file);
	ck_assert_ptr_nonnull(strstr(text, "SERVICE STATE CELL  PLUGIN"));
	ck_assert_ptr_nonnull(strstr(text, "b       ready risky "));
	ck_assert_ptr_nonnull(strstr(text, "CELL  LOOP CPU LAG-P99"));
	ck_assert_ptr_nonnull(strstr(text, "risky    0 "));
	ck_assert_ptr_nonnull(strstr(text, "loop 0 of cell risky does not answer\nloop 1 does not"));
	json_decref(services);
	json_decref(stats);
	json_decref(silent);
	finish();
}
END_TEST

START_TEST(a_container_is_shown_with_its_cells)
{
	json_t *info = canned(CANNED_INFO);

	start();
	show_info(&print, info);
	json_decref(info);
	check("bayd 0.1.0: ready, up 1h, pid 77\n"
		"    started: 2026-01-01T00:00:00.000Z\n"
		"     config: /etc/bay.ini\n"
		"runtime dir: /run/bay\n"
		" plugin ABI: 1.0\n"
		"   libevent: 2.1.12-stable, epoll\n"
		"      loops: 2\n"
		"   services: 2\n"
		"CELL  PID  STATE  RESTARTS  LOOPS  MEMORY\n"
		"main   78  ready         0      2      8M\n");
}
END_TEST

START_TEST(a_summary_counts_states_and_lists_what_is_not_ready)
{
	json_t *info = canned(CANNED_INFO);
	json_t *list = canned(CANNED_LIST);

	start();
	show_summary(&print, info, json_object_get(list, "services"));
	json_decref(info);
	json_decref(list);
	check("bayd 0.1.0: ready, up 1h, pid 77\n"
		"     config: /etc/bay.ini\n"
		"      loops: 2 (cells: 1)\n"
		"   services: 2 (1 ready, 1 failed)\n"
		"   messages: 25 served, 3 failed, 1 in flight, 2 queued\n"
		"    refused: 5 rejected, 4 dropped\n"
		"not ready:\n"
		"SERVICE STATE  PLUGIN  VERSION INST     IN-FLIGHT QUEUED SERVED FAILED UPTIME NOTE\n"
		"broken  failed sleeper 2.1     per-loop         0      0      0      0      - "
		"init said no; next try in 2s\n");
}
END_TEST

START_TEST(tasks_are_a_table_and_silent_loops_are_named)
{
	json_t *reply = canned(CANNED_TASKS);

	start();
	show_tasks(&print, reply, true);
	json_decref(reply);
	check("ID SERVICE TASK       LOOP STATE   WAITS-FOR WHERE        AGE STACK NOTE\n"
		" 1 square  run           0 waiting timer     square.c:12   5s    4k\n"
		" 2 square  child         0 ready   -         -            1ms    8k canceled: deadline\n"
		" 3 square  grandchild    0 running -         -            1us     0\n"
		" 4 square  second        1 waiting channel   square.c:40   2s    4k\n"
		" 5 other   handle        1 waiting call      other.c:7   10ns   100\n"
		"loop 1 does not answer: it is busy in service spin, task handle, for 12s\n");
}
END_TEST

START_TEST(a_deadlock_is_marked_and_each_circle_told_once)
{
	static const char tasks[] = "{'tasks':["
		"{'id':1,'service':'a','name':'x','state':'waiting','deadlock':'task 1 x (a) -> task 2 y (a) -> task 1 x (a)'},"
		"{'id':2,'service':'a','name':'y','state':'waiting','deadlock':'task 2 y (a) -> task 1 x (a) -> task 2 y (a)'},"
		"{'id':3,'service':'a','name':'z','state':'waiting','canceled':'enough','deadlock':'task 3 z (a) -> task 3 z (a)'}"
		"]}";
	json_t *reply = canned(tasks);

	start();
	print.utf8 = false;
	show_task_tree(&print, reply);
	json_decref(reply);
	check("a\n"
		"|- 1 x  waiting, 0, deadlock\n"
		"|- 2 y  waiting, 0, deadlock\n"
		"`- 3 z  waiting, 0, canceled: enough, deadlock\n"
		"deadlock: task 1 x (a) -> task 2 y (a) -> task 1 x (a)\n"
		"deadlock: task 3 z (a) -> task 3 z (a)\n");
}
END_TEST

START_TEST(the_tree_shows_who_started_whom)
{
	json_t *reply = canned(CANNED_TASKS);

	start();
	print.utf8 = false;
	show_task_tree(&print, reply);
	json_decref(reply);
	check("other\n"
		"`- 5 handle  waiting for call at other.c:7, 10ns\n"
		"square\n"
		"`- 1 run  waiting for timer at square.c:12, 5s\n"
		"   |- 2 child  ready, 1ms, canceled: deadline\n"
		"   |  `- 3 grandchild  running, 1us\n"
		"   `- 4 second  waiting for channel at square.c:40, 2s\n"
		"loop 1 does not answer: it is busy in service spin, task handle, for 12s\n");
}
END_TEST

START_TEST(the_tree_has_lines_where_the_locale_has_them)
{
	json_t *reply = canned("{'tasks':[{'id':1,'service':'a','name':'x','state':'ready'}]}");

	start();
	show_task_tree(&print, reply);
	json_decref(reply);
	check("a\n\xe2\x94\x94\xe2\x94\x80 1 x  ready, 0\n");
}
END_TEST

/* Circles, parents that are not there, ids twice, chains without end: each task comes once. */
START_TEST(a_tree_made_of_lies_ends)
{
	json_t *reply = canned("{'tasks':["
		"{'id':1,'parent':2,'service':'a'},{'id':2,'parent':1,'service':'a'},"
		"{'id':3,'parent':3,'service':'a'},{'id':4,'parent':99,'service':'a'},"
		"{'id':0,'parent':0,'service':'a'},{'id':5,'service':'a'},{'id':5,'service':'a'},"
		"{'id':'x','parent':[],'service':7},5,null]}");
	json_t *tasks = json_object_get(reply, "tasks");
	size_t lines = 0;

	for (json_int_t i = 1000; i < 3000; i++)
		json_array_append_new(tasks, json_pack("{s:s, s:I, s:I}", "service", "deep",
			"id", i, "parent", i == 1000 ? (json_int_t)0 : i - 1));
	start();
	show_task_tree(&print, reply);
	fflush(print.file);
	for (const char *c = text; *c != '\0'; c += strcspn(c, "\n") + 1, lines++)
		ck_assert_uint_le(strcspn(c, "\n"), 64 * 5 + 40);
	/* one line a task, and one a service: "", "a", "deep" */
	ck_assert_uint_eq(lines, json_array_size(tasks) + 3);
	json_decref(reply);
	finish();
}
END_TEST

START_TEST(tasks_that_were_not_told_are_counted)
{
	json_t *reply = canned("{'tasks':[],'total':5}");

	start();
	show_tasks(&print, reply, false);
	json_decref(reply);
	check("... and 5 more\n");
}
END_TEST

START_TEST(queues_are_a_table)
{
	json_t *reply = canned(CANNED_QUEUES);

	start();
	show_queues(&print, reply, true);
	json_decref(reply);
	check("SERVICE QUEUED LIMIT BYTES LIMIT OLDEST WHEN-FULL WAITING DROPPED REJECTED TOPICS LOST\n"
		"square       2  1024    2k    1M   1.5s reject          0       4        5      3   12\n"
		"other        0    16     0   64k      - wait            1       0        0      0    0\n");
}
END_TEST

START_TEST(stats_are_a_table_of_services_and_one_of_loops)
{
	json_t *reply = canned(CANNED_STATS);

	start();
	show_stats(&print, reply, true);
	json_decref(reply);
	check("SERVICE CALLS DIRECT SERVED FAILED  CPU TASKS P50 P99 MAX WAIT-P99 MEMORY STACK\n"
		"square   1000    900    990      5 1.5s     4 1us 5us 9ms        -  65636    8k\n"
		"\n"
		"LOOP   CPU  LAG-P99  LAG-MAX  PASSES  SWITCHES  TASKS  STACKS  WAKES  POLLS\n"
		"   0  2.5s     30ns     40ns      10        20      3       8      4      5\n");
}
END_TEST

START_TEST(stats_of_one_service_are_told_in_full)
{
	json_t *reply = canned(CANNED_STATS);

	start();
	show_service_stats(&print, reply);
	json_decref(reply);
	check("square\n"
		"      calls: 1000: 900 direct, 95 queued\n"
		"     served: 990\n"
		"     failed: 5 (timeouts 1, canceled 2)\n"
		"    refused: 5 rejected, 0 dropped\n"
		"        cpu: 1.5s\n"
		"      tasks: 4, of them 2 handling requests\n"
		"     memory: 64k bytes, and 100 in the queue\n"
		"      stack: 8k bytes used at most, of 256k\n"
		"    latency: p50 1us, p90 2us, p99 5us, max 9ms (60 samples)\n");
}
END_TEST

/* Whatever the daemon says, bayctl prints something and does not fall over. */
START_TEST(replies_of_the_wrong_shape_are_shown_as_nothing)
{
	static const char *const replies[] = {"{}", "{'services':5,'tasks':'x','queues':{},'loops':1}",
		"{'services':[5,null,[],{}],'tasks':[null],'queues':[[]],'loops':[7],'cells':[5]}",
		"{'services':[{'name':5,'state':{},'reason':7,'next_try_ns':'x','latency':5}]}"};

	for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
		json_t *reply = canned(replies[i]);

		start();
		show_services(&print, json_object_get(reply, "services"), true);
		show_service(&print, json_array_get(json_object_get(reply, "services"), 0), reply);
		show_summary(&print, reply, json_object_get(reply, "services"));
		show_info(&print, reply);
		show_tasks(&print, reply, true);
		show_task_tree(&print, reply);
		show_queues(&print, reply, true);
		show_stats(&print, reply, true);
		show_service_stats(&print, reply);
		fflush(print.file);
		ck_assert_uint_gt(size, 0);
		finish();
		json_decref(reply);
	}
}
END_TEST

START_TEST(names_from_the_daemon_are_escaped)
{
	json_t *reply = canned("{'services':[{'name':'a\\u001b[2J','state':'ready','plugin':'p\\u009b'}],"
		"'log':['x\\u0007']}");

	start();
	show_services(&print, json_object_get(reply, "services"), false);
	show_service(&print, json_array_get(json_object_get(reply, "services"), 0),
		json_object_get(reply, "log"));
	fflush(print.file);
	for (size_t i = 0; i < size; i++)
		ck_assert(text[i] == '\n' || (unsigned char)text[i] >= 0x20);
	ck_assert_ptr_null(strstr(text, "\xc2\x9b"));
	json_decref(reply);
	finish();
}
END_TEST

CHECK_MAIN("ctl/show",
	services_are_a_table,
	a_table_of_healthy_services_fits_80_columns,
	a_service_is_shown_with_all_there_is,
	a_failed_service_says_why_and_when_it_is_tried_again,
	which_cell_is_told_when_there_are_several,
	a_container_is_shown_with_its_cells,
	a_summary_counts_states_and_lists_what_is_not_ready,
	tasks_are_a_table_and_silent_loops_are_named,
	a_deadlock_is_marked_and_each_circle_told_once,
	the_tree_shows_who_started_whom,
	the_tree_has_lines_where_the_locale_has_them,
	a_tree_made_of_lies_ends,
	tasks_that_were_not_told_are_counted,
	queues_are_a_table,
	stats_are_a_table_of_services_and_one_of_loops,
	stats_of_one_service_are_told_in_full,
	replies_of_the_wrong_shape_are_shown_as_nothing,
	names_from_the_daemon_are_escaped)
