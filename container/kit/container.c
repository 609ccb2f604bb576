/* SPDX-License-Identifier: BSD-2-Clause */
/* The beginning and end of a test's container, and its services. */
#include "config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kit/kit.h"

enum { KIT_SETTINGS_MAX = 64 };

struct kit kit;

_Noreturn void
kit_die(const char *function, const char *what)
{
	fprintf(stderr, "bay-test: %s: %s\n", function, what);
	fflush(NULL);
	exit(EXIT_FAILURE);
}

struct solo *
kit_solo(const char *function)
{
	if (kit.solo == NULL)
		kit_die(function, "bay_test_begin() comes first");
	return kit.solo;
}

int
kit_tell(int status, const char *error)
{
	snprintf(kit.error, sizeof kit.error, "%s", error != NULL ? error : "");
	return status;
}

const char *
bay_test_error(void)
{
	return kit.error;
}

/* --- begin and end -------------------------------------------------------------- */

/* A number that is not the same in two tests that are started at once. */
static uint64_t
kit_any_seed(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return ((uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 20 ^ (uint64_t)getpid() << 44) % 1000000000 + 1;
}

static uint64_t
kit_choose_seed(uint64_t seed)
{
	const char *text = getenv("BAY_TEST_SEED");
	char *end;

	if (text != NULL && *text != '\0') {
		seed = strtoull(text, &end, 0);
		if (*end != '\0')
			kit_die("bay_test_begin", "BAY_TEST_SEED in the environment is no number");
	}
	if (seed == BAY_TEST_ANY_SEED)
		seed = kit_any_seed();
	/* Before anything fails: who fails may end the process at once. */
	if (seed != 0)
		fprintf(stderr, "bay-test: BAY_TEST_SEED=%" PRIu64 " gives this order again\n", seed);
	return seed;
}

void
bay_test_begin(const struct bay_test_options *options)
{
	static const struct bay_test_options usual;
	const char *shown = getenv("BAY_TEST_LOG");
	const char *level;
	struct solo_options solo;

	if (kit.solo != NULL)
		kit_die("bay_test_begin", "the test before has not ended with bay_test_end()");
	options = options != NULL ? options : &usual;
	kit.table = bay_solo_table();
	if (kit.table->size < sizeof *kit.table)
		kit_die("bay_test_begin", "libbay.so is older than libbay-test.so");
	kit.seed = kit_choose_seed(options->seed);
	level = shown != NULL && *shown != '\0' ? shown : options->log_level != NULL ? options->log_level : "info";
	if (!kit.table->log_begin(level, level == shown))
		kit_die("bay_test_begin", "there is no such log level");
	kit.leaks = kit.table->leaks_begin();
	solo = (struct solo_options){
		.virtual_time = options->virtual_time,
		.wall_ns = options->wall_ns,
		.patience_ns = options->patience_ns,
		.singly = true,
		.seed = kit.seed,
		.calls = (int)options->calls,
	};
	kit.solo = kit.table->create(&solo);
	if (kit.solo == NULL)
		kit_die("bay_test_begin", kit.table->error());
	kit.table->leaks_attach(kit.leaks, kit.solo);
	(void)kit_tell(BAY_OK, NULL);
}

uint64_t
bay_test_seed(void)
{
	return kit.seed;
}

/* Prints what was found, a line each. */
static void
kit_print_leaks(const char *text)
{
	while (*text != '\0') {
		size_t size = strcspn(text, "\n");

		fprintf(stderr, "bay-test: left over: %.*s\n", (int)size, text);
		text += size + (text[size] == '\n');
	}
}

static size_t
kit_look_at_leaks(size_t (*look)(struct solo_leaks *leaks, const char **text_r))
{
	const char *text;
	size_t count = look(kit.leaks, &text);

	kit_print_leaks(text);
	return count;
}

/* What is left when the services have gone. A container that cannot be ended stays. */
static size_t
kit_end_container(void)
{
	const struct solo_table *table = kit.table;
	size_t count;

	table->settle(kit.solo);
	if (table->stop_all(kit.solo, BAY_SECOND) != BAY_OK) {
		fprintf(stderr, "bay-test: left over: %s\n", table->error());
		return 1 + kit_look_at_leaks(table->leaks_look);
	}
	count = kit_look_at_leaks(table->leaks_look);
	if (!table->destroy(kit.solo)) {
		fprintf(stderr, "bay-test: left over: the container, which cannot be ended\n");
		return count + 1;
	}
	table->leaks_attach(kit.leaks, NULL);
	return count + kit_look_at_leaks(table->leaks_look_at_fds);
}

int
bay_test_end(void)
{
	size_t count;

	(void)kit_solo("bay_test_end");
	if (bay_task_current() != NULL)
		kit_die("bay_test_end", "it was called inside a task");
	bay_message_free(kit.reply);
	kit.reply = NULL;
	kit.table->fail_allocation(kit.solo, 0);
	kit.table->cut_at(kit.solo, 0, false);
	count = kit_end_container();
	kit.table->leaks_end(kit.leaks);
	kit.table->log_end();
	kit.leaks = NULL;
	kit.solo = NULL;
	kit.seed = 0;
	return (int)count;
}

/* --- services ------------------------------------------------------------------- */

int
bay_test_add_service(const struct bay_test_service *service)
{
	const struct solo_service wanted = {
		.name = service->name,
		.file = service->file,
		.descriptor = service->plugin,
		.settings = service->settings,
		.concurrency = service->concurrency,
		.queue = service->queue,
		.queue_bytes = service->queue_bytes,
		.overflow = service->overflow,
		.timeout_ns = service->timeout_ns,
		.stack_bytes = service->stack_bytes,
		.start_timeout_ns = service->start_timeout_ns,
	};
	struct solo *solo = kit_solo("bay_test_add");
	int status;

	if ((service->file == NULL) == (service->plugin == NULL))
		kit_die("bay_test_add_service", "a service has a file or a plugin");
	status = kit.table->start(solo, &wanted);
	return kit_tell(status, status != BAY_OK ? kit.table->error() : NULL);
}

/* The settings of a list that NULL ends, into room for KIT_SETTINGS_MAX. */
static void
kit_take_settings(const char **settings, va_list list)
{
	size_t count = 0;

	while ((settings[count] = va_arg(list, const char *)) != NULL)
		if (++count == KIT_SETTINGS_MAX)
			kit_die("bay_test_add", "there are too many settings, or no NULL behind them");
}

int
bay_test_add(const char *name, const char *file, ...)
{
	const char *settings[KIT_SETTINGS_MAX];
	const struct bay_test_service service = {.name = name, .file = file, .settings = settings};
	va_list list;

	va_start(list, file);
	kit_take_settings(settings, list);
	va_end(list);
	return bay_test_add_service(&service);
}

int
bay_test_add_plugin(const char *name, const struct bay_plugin *plugin, ...)
{
	const char *settings[KIT_SETTINGS_MAX];
	const struct bay_test_service service = {.name = name, .plugin = plugin, .settings = settings};
	va_list list;

	va_start(list, plugin);
	kit_take_settings(settings, list);
	va_end(list);
	return bay_test_add_service(&service);
}

int
bay_test_stop(const char *name, int64_t drain_ns)
{
	int status = kit.table->stop(kit_solo("bay_test_stop"), name, drain_ns);

	return kit_tell(status, status != BAY_OK ? kit.table->error() : NULL);
}

const char *
bay_test_failure(const char *name)
{
	return kit.table->failure(kit_solo("bay_test_failure"), name);
}
