/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/hosts.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cell/executor.h"
#include "cell/loader.h"
#include "protocol/cell_link.h"
#include "runtime/task.h"
#include "service/message.h"
#include "service/ready_set.h"
#include "service/registry.h"
#include "service/request.h"

/* --- what the plugin calls --------------------------------------------------------------- */

__attribute__((visibility("default"))) int probe_let_go(void);
__attribute__((visibility("default"))) void probe_note(char letter);

atomic_int let_go;
atomic_int noted[128];

int
probe_let_go(void)
{
	return atomic_load(&let_go);
}

void
probe_note(char letter)
{
	atomic_fetch_add(&noted[(int)letter], 1);
}

/* Kept by the linker for the plugins. */
static const void *volatile used_by_plugins[] = {
	bay_sleep, bay_yield, bay_go, bay_fail, bay_reply_int64, bay_settings, bay_request_instance,
	bay_instance_fail, bay_instance_index, bay_instance_settings, bay_instance_set_state,
	bay_instance_state, bay_instance_scope, bay_scope_go, bay_reply_text, bay_reply_printf, bay_state,
	bay_request_text, bay_now, bay_cancel_reason, bay_send_later, bay_service, bay_message,
	bay_message_free, bay_message_int64, bay_message_printf, bay_send, bay_call_error, bay_message_read_int64, bay_after,
};

/* --- the cell -------------------------------------------------------------------------------- */

struct status_page page;
struct loop control;
struct executor *executor;
static struct loader *loader;
struct host *host;

struct answer answers[5000];
int64_t last_id;

struct failed failed;

static void
on_failed(const char *service, int64_t generation, const char *message, void *arg)
{
	ck_assert_ptr_eq(arg, &failed);
	failed.times++;
	snprintf(failed.service, sizeof failed.service, "%s", service);
	snprintf(failed.message, sizeof failed.message, "%s", message);
	failed.generation = generation;
}

char stages[16];
void (*on_its_stage)(char letter);
struct lingers lingers;

static void
on_stage(const char *service, int64_t generation, enum cell_stage stage, void *arg)
{
	ck_assert_ptr_eq(arg, &failed);
	ck_assert_str_eq(service, "a");
	ck_assert_int_gt(generation, 0);
	if (strlen(stages) + 1 < sizeof stages)
		strncat(stages, &"liho"[stage], 1);
	if (on_its_stage != NULL)
		on_its_stage("liho"[stage]);
}

static void
on_lingers(const struct cell_lingers *told, void *arg)
{
	ck_assert_ptr_eq(arg, &failed);
	ck_assert_str_ne(told->service, "");
	ck_assert_int_gt(told->id, 0);
	lingers.times++;
	lingers.generation = told->generation;
	snprintf(lingers.reason, sizeof lingers.reason, "%s", told->reason != NULL ? told->reason : "");
}

struct health health;

static void
on_health(const struct cell_health *told, void *arg)
{
	ck_assert_ptr_eq(arg, &failed);
	health.times++;
	health.generation = told->generation;
	snprintf(health.reason, sizeof health.reason, "%s", told->reason != NULL ? told->reason : "");
}

struct breaker_told breaker_told;

static void
on_breaker(const struct cell_breaker *told, void *arg)
{
	ck_assert_ptr_eq(arg, &failed);
	breaker_told.times++;
	breaker_told.state = told->state;
	snprintf(breaker_told.service, sizeof breaker_told.service, "%s", told->service);
	snprintf(breaker_told.why, sizeof breaker_told.why, "%s", told->why);
}

static void
on_fault(const struct cell_fault *fault, void *arg)
{
	(void)fault;
	(void)arg;
}

static const struct host_watcher watcher = {on_failed, on_stage, on_lingers, on_health, on_breaker, on_fault};

bool
is_loaded(const char *image)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char path[PATH_MAX], line[PATH_MAX + 128];
	bool found = false;

	ck_assert_ptr_nonnull(maps);
	if (realpath(image, path) == NULL)
		ck_abort_msg("%s: %s", image, strerror(errno));
	while (fgets(line, sizeof line, maps) != NULL)
		found = found || strstr(line, path) != NULL;
	fclose(maps);
	return found;
}

void
on_done(int status, const char *message, int64_t id, void *arg)
{
	struct answer *answer = &answers[id];

	ck_assert_ptr_eq(arg, &failed);
	ck_assert(!answer->came);
	ck_assert((status == BAY_OK) == (message == NULL));
	answer->came = true;
	answer->status = status;
	snprintf(answer->message, sizeof answer->message, "%s", message != NULL ? message : "");
}

void
begin(unsigned loops)
{
	int fd = status_page_create(&page, "test", 16, loops);

	ck_assert_ptr_nonnull(used_by_plugins[0]);
	ck_assert_int_ge(fd, 0);
	close(fd);
	memset(&failed, 0, sizeof failed);
	memset(answers, 0, sizeof answers);
	memset(stages, 0, sizeof stages);
	on_its_stage = NULL;
	memset(&lingers, 0, sizeof lingers);
	memset(noted, 0, sizeof noted);
	atomic_store(&let_go, 0);
	last_id = 0;
	start_from = -1;
	start_image = PROBE;
	start_sha256 = NULL;
	start_generation = 3;
	start_keeps = false;
	start_canary = 0;
	start_drain_ns = 0;
	registry_init(64);
	ck_assert(loop_init(&control, "control"));
	executor = executor_create(loops, &page);
	loader = loader_create();
	ck_assert_ptr_nonnull(executor);
	ck_assert_ptr_nonnull(loader);
	host = host_create(&control, executor, loader, &page, &watcher, &failed);
	host_set_grace(host, 300 * BAY_MS);
}

void
turn(void)
{
	loop_drain_inbox(&control);
}

struct answer
wait_for(int64_t id)
{
	while (!answers[id].came) {
		loop_wait(&control, INT64_MAX);
		turn();
	}
	return answers[id];
}

/* Until nothing is left, whatever it is. */
void
finish(void)
{
	struct answer answer;

	atomic_store(&let_go, 1);
	host_stop_all(host, 0, false, on_done, ++last_id);
	answer = wait_for(last_id);
	ck_assert_msg(answer.status == BAY_OK, "%s", answer.message);
	executor_destroy(executor);
	loader_destroy(loader);
	turn();
	host_destroy(host);
	ready_sets_finish();
	registry_finish();
	request_clear_cache();
	message_clear_cache();
	loop_finish(&control);
	status_page_close(&page);
}

/* --- operations -------------------------------------------------------------------------------- */

int start_from = -1;
const char *start_image = PROBE;
const char *start_sha256;
int64_t start_generation = 3;
bool start_keeps;
int64_t start_canary;
int64_t start_drain_ns;
int64_t start_health_ns;

typedef void host_begin_fn(struct host *host, const struct cell_start *start, int image, host_done_fn *done,
	int64_t id);

static int64_t
tell(host_begin_fn *begin_fn, const char *name, int64_t instances, const char *setting_list)
{
	static int64_t slots;
	struct cell_setting settings[8];
	char *words = strdup(setting_list != NULL ? setting_list : ""), *word, *rest = words;
	struct cell_start start = {
		.service = name,
		.plugin = "probe",
		.image = start_image,
		.sha256 = start_sha256,
		.generation = start_generation,
		.keep = start_keeps,
		.canary = start_canary,
		.slot = slots++ % 16,
		.instances = instances,
		.concurrency = 2,
		.queue = 10,
		.queue_bytes = 1000,
		.overflow = CELL_OVERFLOW_REJECT,
		.stack_bytes = 256 << 10,
		.start_timeout_ns = 100 * BAY_MS,
		.drain_timeout_ns = start_drain_ns,
		.health_interval_ns = start_health_ns,
		.health_timeout_ns = start_health_ns,
		.settings = settings,
	};

	if (registry_get(name) != NULL && registry_get(name)->slot != STATUS_NO_SLOT)
		start.slot = registry_get(name)->slot;
	while ((word = strsep(&rest, " ")) != NULL && *word != '\0') {
		settings[start.setting_count].key = word;
		settings[start.setting_count++].value = strsep(&rest, " ");
	}
	begin_fn(host, &start, start_from, on_done, ++last_id);
	free(words);
	return last_id;
}

int64_t
begin_start(const char *name, int64_t instances, const char *settings)
{
	return tell(host_start, name, instances, settings);
}

int64_t
begin_swap(const char *name, const char *image, int64_t generation)
{
	start_image = image;
	start_generation = generation;
	return tell(host_swap, name, 1, NULL);
}

void
start(const char *name, int64_t instances, const char *settings)
{
	struct answer answer = wait_for(begin_start(name, instances, settings));

	ck_assert_msg(answer.status == BAY_OK, "%s", answer.message);
}

void
start_in_vain(const char *name, int64_t instances, const char *settings, int status, const char *text)
{
	struct answer answer = wait_for(begin_start(name, instances, settings));

	ck_assert_msg(answer.status == status, "%s: %s", bay_status_name(answer.status), answer.message);
	ck_assert_msg(strstr(answer.message, text) != NULL, "'%s' lacks '%s'", answer.message, text);
}

int64_t
begin_stop(const char *name, int64_t drain_ns)
{
	host_stop(host, name, drain_ns, false, on_done, ++last_id);
	return last_id;
}

struct answer
stop(const char *name, int64_t drain_ns)
{
	return wait_for(begin_stop(name, drain_ns));
}


static int
call_main(void *arg)
{
	struct call *call = arg;
	struct bay_message *reply, *order = NULL;

	if (call->order != NULL)
		order = bay_message(call->order, strlen(call->order));
	call->status = bay_call(call->service, order, &reply, BAY_INHERIT);
	bay_message_free(order);
	snprintf(call->text, sizeof call->text, "%s", call->status == BAY_OK ? bay_message_text(reply) : bay_call_error());
	bay_message_free(reply);
	return BAY_OK;
}

void
call_ended(struct task *task, int status)
{
	struct call *call = task->arg;

	(void)status;
	atomic_store(&call->done, true);
	loop_wake(&control);
}

static void
call_begin(struct inbox_item *item)
{
	struct call *call = container_of(item, struct call, item);
	struct task_spec spec = {
		.name = "caller",
		.fn = call_main,
		.arg = call,
		.ended = call_ended,
		.deadline = BAY_INHERIT,
		.slot = STATUS_NO_SLOT,
		.class = scheduler_stack_class(call->scheduler, 256 << 10),
	};
	struct task *task = task_create(call->scheduler, &spec);

	task->handle->detached = true;
	task_start(task);
}

void
begin_call(struct call *call, unsigned loop, const char *name)
{
	call->scheduler = executor_scheduler(executor, loop);
	call->service = registry_get(name);
	call->item.run = call_begin;
	atomic_store(&call->done, false);
	loop_post(&call->scheduler->loop, &call->item);
}

void
join_call(struct call *call)
{
	while (!atomic_load(&call->done)) {
		loop_wait(&control, clock_monotonic_ns() + BAY_MS);
		turn();
	}
}

void
expect(const char *name, int status, const char *text)
{
	expect_order(name, NULL, status, text);
}

void
expect_order(const char *name, const char *order, int status, const char *text)
{
	struct call call = {.order = order};

	begin_call(&call, 0, name);
	join_call(&call);
	ck_assert_msg(call.status == status && strstr(call.text, text) != NULL, "%s: %s",
		bay_status_name(call.status), call.text);
}
