/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "solo/solo.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bay/status.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "cell/executor.h"
#include "cell/host.h"
#include "cell/loader.h"
#include "io/blocking_pool.h"
#include "io/process_keeper.h"
#include "io/signal_hub.h"
#include "loop/loop.h"
#include "loop/signals.h"
#include "protocol/cell_link.h"
#include "runtime/scheduler.h"
#include "service/message.h"
#include "service/ready_set.h"
#include "service/registry.h"
#include "service/request.h"
#include "service/service.h"
#include "solo/solo_inside.h"

enum {
	SOLO_MAX_DEPTH = 64,
	SOLO_SETTINGS_MAX = 256
};

/* Where a clock that stands still begins: always the same, so that a run can be had again. */
#define SOLO_START_NS (1000 * INT64_C(1000000000))
#define SOLO_WALL_NS (INT64_C(1767225600) * 1000000000) /* 2026-01-01T00:00:00Z */
#define SOLO_PATIENCE_NS (10 * INT64_C(1000000))
#define SOLO_START_TIMEOUT_NS (60 * INT64_C(1000000000))

static char *solo_error_text;
static struct solo *solo_here;   /* there is one; or one that could not be ended */

void
solo_set_error(const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	free(solo_error_text);
	solo_error_text = text;
}

const char *
solo_error(void)
{
	return solo_error_text != NULL ? solo_error_text : "";
}

/* --- life ----------------------------------------------------------------------- */

static bool
solo_open_page(struct solo *solo)
{
	int fd;

	solo->page = solo->options.page;
	if (solo->page != NULL)
		return true;
	fd = status_page_create(&solo->own_page, "solo", SOLO_SERVICES, 1);
	if (fd < 0)
		return false;
	close(fd);
	solo->page = &solo->own_page;
	return true;
}

static void
solo_on_failed(const char *name, int64_t generation, const char *message, void *arg)
{
	struct bay_service *service = registry_get(name);
	struct solo *solo = arg;

	(void)generation;
	log_error(service->subject, "it has failed: %s", message);
	free(solo->failures[service->slot]);
	solo->failures[service->slot] = xstrdup(message);
	service_set_state(service, SERVICE_FAILED, message);
}

static void
solo_on_stage(const char *name, int64_t generation, enum cell_stage stage, void *arg)
{
	(void)name;
	(void)generation;
	(void)stage;
	(void)arg;
}

static void
solo_on_lingers(const struct cell_lingers *lingers, void *arg)
{
	(void)lingers;
	(void)arg;
}

/* Nothing is asked here how it is. */
static void
solo_on_health(const struct cell_health *health, void *arg)
{
	(void)health;
	(void)arg;
}

static void
solo_on_fault(const struct cell_fault *fault, void *arg)
{
	(void)arg;
	log_warn(fault->service, "%s: %s", cell_fault_name(fault->kind), fault->text);
}

static const struct host_watcher solo_watcher = {solo_on_failed, solo_on_stage, solo_on_lingers,
	solo_on_health, NULL, solo_on_fault};

/* With a page; false: solo_error() says why. */
static bool
solo_open(struct solo *solo)
{
	solo->executor = executor_create_here(solo->page);
	if (solo->executor == NULL)
		return false;
	solo->scheduler = executor_scheduler(solo->executor, 0);
	solo->scheduler->find_work = solo_find_work;
	solo->scheduler->find_work_arg = solo;
	if (solo->options.singly)
		scheduler_run_singly(solo->scheduler, solo->options.seed);
	loop_set_idle(&solo->scheduler->loop, solo_on_idle, solo);
	solo_idle_begin(solo);
	solo->loader = loader_create_here();
	solo->host = host_create(&solo->scheduler->loop, solo->executor, solo->loader, solo->page,
		&solo_watcher, solo);
	host_set_calls(solo->host, solo->options.calls);
	return true;
}

static void
solo_free(struct solo *solo)
{
	size_t i;

	status_page_close(&solo->own_page);
	for (i = 0; i < SOLO_SERVICES; i++)
		free(solo->failures[i]);
	free(solo);
	clock_go_on();
	solo_here = NULL;
}

struct solo *
solo_create(const struct solo_options *options)
{
	struct solo *solo;

	if (solo_here != NULL) {
		solo_set_error("there is a container in this process already, or one that could not be ended");
		return NULL;
	}
	solo = solo_here = xcalloc(1, sizeof *solo);
	solo->options = *options;
	if (solo->options.patience_ns == 0)
		solo->options.patience_ns = SOLO_PATIENCE_NS;
	if (options->virtual_time)
		clock_stand_still(SOLO_START_NS, options->wall_ns != 0 ? options->wall_ns : SOLO_WALL_NS);
	registry_init(SOLO_MAX_DEPTH);
	signals_ignore_sigpipe();
	if (solo_open_page(solo) && solo_open(solo))
		return solo;
	solo_set_error("no memory or descriptors for a container");
	registry_finish();
	solo_free(solo);
	return NULL;
}

bool
solo_destroy(struct solo *solo)
{
	if (solo == NULL)
		return true;
	if (solo_stop_all(solo, 0) != BAY_OK || solo->scheduler->task_count > 0)
		return false;
	blocking_pool_finish();
	keeper_finish();
	signal_hub_finish();
	signals_destroy(solo->signals);
	loop_drain_inbox(&solo->scheduler->loop);
	executor_destroy(solo->executor);
	loader_destroy(solo->loader);
	host_destroy(solo->host);
	ready_sets_finish();
	registry_finish();
	request_clear_cache();
	message_clear_cache();
	solo_free(solo);
	return true;
}

struct scheduler *
solo_scheduler(struct solo *solo)
{
	return solo->scheduler;
}

bool
solo_watch_signals(struct solo *solo, const int *numbers, size_t count, void (*fn)(int number, void *arg),
	void *arg)
{
	solo->signals = signals_watch(solo->scheduler->loop.base, numbers, count, fn, arg);
	solo_idle_begin(solo);
	if (solo->signals == NULL)
		solo_set_error("no memory to watch signals");
	return solo->signals != NULL;
}

void
solo_fail_allocation(struct solo *solo, uint64_t nth)
{
	(void)solo;
	request_clear_cache();
	message_clear_cache();
	alloc_fail_at(nth);
}


/* --- asking the host ------------------------------------------------------------ */

static void
solo_on_answer(int status, const char *message, int64_t id, void *arg)
{
	struct solo *solo = arg;

	(void)id;
	solo->answered = true;
	solo->status = status;
	if (message != NULL)
		solo_set_error("%s", message);
	scheduler_stop(solo->scheduler);
}

static int
solo_await_answer(struct solo *solo)
{
	while (!solo->answered)
		solo_go_on(solo);
	return solo->status;
}

/* --- starting ------------------------------------------------------------------- */

static int64_t
solo_usual(int64_t given, int64_t usual)
{
	return given != 0 ? given : usual;
}

/* Splits "key=value"; the keys are the caller's. False: there is no '='. */
static bool
solo_read_settings(const struct solo_service *service, struct cell_start *start)
{
	const char *const *text;

	for (text = service->settings; text != NULL && *text != NULL; text++) {
		const char *equals = strchr(*text, '=');

		if (equals == NULL || equals == *text) {
			solo_set_error("a setting is written key=value, not \"%s\"", *text);
			return false;
		}
		if (start->setting_count == SOLO_SETTINGS_MAX) {
			solo_set_error("there are more than %d settings", SOLO_SETTINGS_MAX);
			return false;
		}
		start->settings[start->setting_count++] = (struct cell_setting){
			xstrndup(*text, (size_t)(equals - *text)), equals + 1};
	}
	return true;
}

static bool
solo_read_overflow(const char *name, enum cell_overflow *overflow_r)
{
	int i;

	*overflow_r = CELL_OVERFLOW_REJECT;
	for (i = CELL_OVERFLOW_WAIT; name != NULL && i <= CELL_OVERFLOW_DROP_NEWEST; i++) {
		*overflow_r = (enum cell_overflow)i;
		if (strcmp(cell_overflow_name(*overflow_r), name) == 0)
			return true;
	}
	if (name == NULL)
		return true;
	solo_set_error("there is no overflow policy \"%s\"", name);
	return false;
}

/* The slot is that of the service for ever: a name that comes again has it already. */
static bool
solo_find_slot(struct solo *solo, const char *name, int64_t *slot_r)
{
	const struct bay_service *service = registry_get(name);

	if (service == NULL) {
		solo_set_error("\"%s\" is no name for a service", name);
		return false;
	}
	if (service->slot != STATUS_NO_SLOT) {
		*slot_r = service->slot;
		return true;
	}
	if (solo->slots == SOLO_SERVICES) {
		solo_set_error("there are %d services already", SOLO_SERVICES);
		return false;
	}
	*slot_r = solo->slots++;
	return true;
}

static void
solo_ask_start(struct solo *solo, const struct solo_service *service, const struct cell_start *start)
{
	free(solo->failures[start->slot]);
	solo->failures[start->slot] = NULL;
	solo->answered = false;
	if (service->descriptor != NULL)
		host_start_adopted(solo->host, start, service->descriptor, solo_on_answer, 0);
	else
		host_start(solo->host, start, -1, solo_on_answer, 0);
}

/* Beside its file a plugin looks for its libraries. */
static bool
solo_find_file(const char *file, char *path, char *origin)
{
	char *slash;

	if (realpath(file, path) == NULL) {
		solo_set_error("%s: %m", file);
		return false;
	}
	snprintf(origin, PATH_MAX, "%s", path);
	slash = strrchr(origin, '/');
	slash[slash == origin] = '\0';
	return true;
}

int
solo_start(struct solo *solo, const struct solo_service *service)
{
	struct cell_setting settings[SOLO_SETTINGS_MAX];
	char path[PATH_MAX], origin[PATH_MAX];
	struct cell_start start = {
		.service = service->name,
		.generation = 1,
		.instances = 1,
		.concurrency = solo_usual(service->concurrency, 256),
		.queue = solo_usual(service->queue, 1024),
		.queue_bytes = solo_usual(service->queue_bytes, 16 * 1024 * 1024),
		.timeout_ns = service->timeout_ns,
		.stack_bytes = solo_usual(service->stack_bytes, 256 * 1024),
		.start_timeout_ns = solo_usual(service->start_timeout_ns, SOLO_START_TIMEOUT_NS),
		.settings = settings,
	};
	int status = BAY_INVALID;

	if (!solo_may_wait(solo, "starting a service"))
		return BAY_INVALID;
	if (service->file != NULL) {
		if (!solo_find_file(service->file, path, origin))
			return BAY_NOT_FOUND;
		start.image = path;
		start.origin = origin;
	}
	if (solo_read_settings(service, &start) && solo_read_overflow(service->overflow, &start.overflow) &&
		solo_find_slot(solo, service->name, &start.slot)) {
		solo_ask_start(solo, service, &start);
		status = solo_await_answer(solo);
	}
	while (start.setting_count > 0)
		free((char *)settings[--start.setting_count].key);
	return status;
}

/* --- stopping ------------------------------------------------------------------- */

int
solo_stop(struct solo *solo, const char *name, int64_t drain_ns)
{
	if (!solo_may_wait(solo, "stopping a service"))
		return BAY_INVALID;
	solo->answered = false;
	host_stop(solo->host, name, drain_ns, false, solo_on_answer, 0);
	return solo_await_answer(solo);
}

int
solo_stop_all(struct solo *solo, int64_t drain_ns)
{
	if (!solo_may_wait(solo, "stopping the container"))
		return BAY_INVALID;
	solo->answered = false;
	host_stop_all(solo->host, drain_ns, false, solo_on_answer, 0);
	return solo_await_answer(solo);
}

const char *
solo_failure(const struct solo *solo, const char *name)
{
	const struct bay_service *service = registry_get(name);

	return service != NULL && service->slot < SOLO_SERVICES ? solo->failures[service->slot] : NULL;
}
