/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "support/services.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cell/executor.h"
#include "runtime/task.h"
#include "service/dispatch.h"
#include "service/message.h"
#include "service/ready_set.h"
#include "service/registry.h"
#include "service/request.h"
#include "service/service_queue.h"
#include "support/run_tasks.h"

enum { SERVICES_MAX = 32, STACK_BYTES = 256 << 10 };

static struct {
	unsigned loops;
	bool threads;
	struct executor *executor;
	struct scheduler *single[1];
	struct status_page page;
	struct bay_service *services[SERVICES_MAX];
	unsigned count;
	pthread_mutex_t lock;
	char failed_text[256];
	int failed_times;
} cell = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* --- jobs: tasks of a loop that the test waits for -------------------------------------- */

struct services_job {
	struct inbox_item item;
	struct scheduler *scheduler;
	bay_task_fn *fn;
	void *arg;
	struct bay_instance *instance;
	struct task *task;
	int status;
	bool ended;
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

static int
job_main(void *arg)
{
	struct services_job *job = arg;

	return job->fn(job->arg);
}

static void
job_ended(struct task *task, int status)
{
	struct services_job *job = task->arg;

	pthread_mutex_lock(&job->lock);
	job->status = status;
	job->ended = true;
	pthread_cond_signal(&job->changed);
	pthread_mutex_unlock(&job->lock);
}

static void
job_begin(struct inbox_item *item)
{
	struct services_job *job = container_of(item, struct services_job, item);
	struct task_spec spec = {
		.name = "job",
		.fn = job_main,
		.arg = job,
		.ended = job_ended,
		.instance = job->instance,
		.deadline = BAY_INHERIT,
		.slot = STATUS_NO_SLOT,
		.phase = STATUS_PHASE_RUN,
		.class = scheduler_stack_class(job->scheduler, STACK_BYTES),
	};

	job->task = task_create(job->scheduler, &spec);
	ck_assert_ptr_nonnull(job->task);
	job->task->handle->detached = true;
	task_start(job->task);
}

static struct services_job *
job_go(unsigned loop, bay_task_fn *fn, void *arg, struct bay_instance *instance)
{
	struct services_job *job = xcalloc(1, sizeof *job);

	ck_assert(cell.threads);
	job->scheduler = services_scheduler(loop);
	job->fn = fn;
	job->arg = arg;
	job->instance = instance;
	pthread_mutex_init(&job->lock, NULL);
	pthread_cond_init(&job->changed, NULL);
	job->item.run = job_begin;
	loop_post(&job->scheduler->loop, &job->item);
	return job;
}

struct services_job *
services_go(unsigned loop, bay_task_fn *fn, void *arg)
{
	return job_go(loop, fn, arg, NULL);
}

int
services_join(struct services_job *job)
{
	int status;

	pthread_mutex_lock(&job->lock);
	while (!job->ended)
		pthread_cond_wait(&job->changed, &job->lock);
	pthread_mutex_unlock(&job->lock);
	status = job->status;
	pthread_cond_destroy(&job->changed);
	pthread_mutex_destroy(&job->lock);
	free(job);
	return status;
}

/* For an instance's own tasks: as run_tasks, with the instance set. */
struct as_instance {
	struct bay_instance *instance;
	bay_task_fn *fn;
	void *arg;
};

static int
as_instance_main(void *arg)
{
	struct as_instance *as = arg;

	task_current()->instance = as->instance;
	return as->fn(as->arg);
}

static int
run_on(unsigned loop, bay_task_fn *fn, void *arg, struct bay_instance *instance)
{
	struct as_instance as = {instance, fn, arg};

	if (cell.threads)
		return services_join(job_go(loop, fn, arg, instance));
	return instance != NULL ? run_tasks(as_instance_main, &as) : run_tasks(fn, arg);
}

int
services_run_on(unsigned loop, bay_task_fn *fn, void *arg)
{
	return run_on(loop, fn, arg, NULL);
}

int
services_run(bay_task_fn *fn, void *arg)
{
	return run_on(0, fn, arg, NULL);
}

/* --- the cell ------------------------------------------------------------------------------ */

struct scheduler *
services_scheduler(unsigned loop)
{
	ck_assert_uint_lt(loop, cell.loops);
	return cell.threads ? executor_scheduler(cell.executor, loop) : &run_tasks_scheduler;
}

struct executor *
services_executor(void)
{
	return cell.executor;
}

const struct status_page *
services_page(void)
{
	return &cell.page;
}

void
services_begin_with_depth(unsigned loops, unsigned max_depth)
{
	int fd;

	cell.threads = loops > 0;
	cell.loops = cell.threads ? loops : 1;
	cell.count = 0;
	cell.failed_times = 0;
	cell.failed_text[0] = '\0';
	fd = status_page_create(&cell.page, "test", SERVICES_MAX, cell.loops);
	ck_assert_int_ge(fd, 0);
	close(fd);
	registry_init(max_depth);
	if (cell.threads) {
		cell.executor = executor_create(loops, &cell.page);
		ck_assert_ptr_nonnull(cell.executor);
		return;
	}
	run_tasks_begin();
	cell.single[0] = &run_tasks_scheduler;
	ready_sets_init(cell.single, 1);
	run_tasks_scheduler.hops = status_page_hops(&cell.page, 0);
	run_tasks_scheduler.find_work = dispatch_find_work;
	run_tasks_scheduler.subject = instance_subject;
	run_tasks_scheduler.leaf_deadline = request_deadline;
}

void
services_begin(unsigned loops)
{
	services_begin_with_depth(loops, 64);
}

struct status_service_view
services_figures(const struct bay_service *service)
{
	struct status_service_view view;

	status_page_read_service(&cell.page, service->slot, &view);
	return view;
}

static void
check_service(struct bay_service *service)
{
	struct status_service_view view = services_figures(service);

	pthread_mutex_lock(&service->lock);
	ck_assert_msg(list_empty(&service->queue) && service->queued == 0 && service->queued_bytes == 0,
		"service %s: %zu messages (%zu bytes) are left in the queue", service->name, service->queued,
		service->queued_bytes);
	ck_assert_msg(list_empty(&service->waiting) && service->waiting_count == 0,
		"service %s: %zu senders are left waiting", service->name, service->waiting_count);
	pthread_mutex_unlock(&service->lock);
	ck_assert_msg(view.in_flight == 0 && view.queue_length == 0 && view.queue_bytes == 0 &&
		view.waiting_senders == 0, "service %s: figures of what is not there", service->name);
}

/* Tasks that live as long as their service. */
static size_t
kept_tasks(unsigned loop)
{
	size_t kept = 0;
	unsigned i;

	for (i = 0; i < cell.count; i++) {
		const struct bay_instance *instance = cell.services[i]->instances[loop];

		kept += instance != NULL ? instance->scope.live : 0;
	}
	return kept;
}

/* On its loop, as a task: it and those that are kept are all. */
static int
check_loop(void *arg)
{
	struct scheduler *scheduler = task_current()->scheduler;
	unsigned loop = scheduler->index;

	(void)arg;
	task_current()->deadline = bay_after(10 * BAY_SECOND);
	/* What was told to end needs its turns. */
	while (scheduler->task_count > kept_tasks(loop) + 1 && bay_sleep(BAY_MS) == BAY_OK)
		;
	list_for_each(pos, &scheduler->tasks) {
		struct task *task = container_of(pos, struct task, in_scheduler);

		ck_assert_msg(scheduler->task_count == kept_tasks(loop) + 1, "loop %u: the task %s is left, in %s",
			loop, task->name, task->awaiting != NULL ? task->awaiting : "nothing");
	}
	if (kept_tasks(loop) == 0)
		ck_assert_int_eq(wheel_next_ns(&scheduler->loop.wheel), INT64_MAX);
	return BAY_OK;
}

void
services_check_nothing_left(void)
{
	unsigned i;

	for (i = 0; i < cell.loops; i++)
		ck_assert_int_eq(services_run_on(i, check_loop, NULL), BAY_OK);
	for (i = 0; i < cell.count; i++)
		check_service(cell.services[i]);
}

void
services_end(void)
{
	unsigned i;

	for (i = 0; i < cell.count; i++) {
		if (service_state(cell.services[i]) == SERVICE_READY)
			ck_assert(services_stop(cell.services[i], BAY_SECOND, 5 * BAY_SECOND, NULL));
	}
	services_check_nothing_left();
	if (cell.threads) {
		executor_destroy(cell.executor);
	} else {
		run_tasks_end();
		dispatch_forget();
		request_clear_cache();
		message_clear_cache();
	}
	ready_sets_finish();
	registry_finish();
	status_page_close(&cell.page);
}

/* --- services -------------------------------------------------------------------------------- */

static void
service_on_failed(struct bay_instance *instance, const char *text)
{
	(void)instance;
	pthread_mutex_lock(&cell.lock);
	cell.failed_times++;
	snprintf(cell.failed_text, sizeof cell.failed_text, "%s", text != NULL ? text : "(null)");
	pthread_mutex_unlock(&cell.lock);
}

const char *
services_failed_text(void)
{
	static char text[256];

	pthread_mutex_lock(&cell.lock);
	memcpy(text, cell.failed_text, sizeof text);
	pthread_mutex_unlock(&cell.lock);
	return text;
}

int
services_failed_times(void)
{
	int times;

	pthread_mutex_lock(&cell.lock);
	times = cell.failed_times;
	pthread_mutex_unlock(&cell.lock);
	return times;
}

/* What a step does on its loop, with what it brings back. */
struct step {
	struct bay_service *service;
	const struct service_options *options;
	struct bay_instance *instance;
	unsigned index;
	int64_t drain_ns;
	int64_t grace_ns;
	char *text;
};

static int
step_make(void *arg)
{
	struct step *step = arg;

	step->instance = instance_create(step->service, step->options->plugin, step->options->settings,
		task_current()->scheduler, step->index);
	return step->instance != NULL ? BAY_OK : BAY_NO_MEMORY;
}

static int
step_init(void *arg)
{
	struct step *step = arg;
	int status = instance_init(step->instance);

	if (status != BAY_OK && step->instance->error != NULL)
		step->text = xstrdup(step->instance->error);
	return status;
}

static int
step_serve(void *arg)
{
	struct step *step = arg;

	return instance_serve(step->instance) ? BAY_OK : BAY_NO_MEMORY;
}

static int
step_stop(void *arg)
{
	struct step *step = arg;

	instance_drain_until(step->instance, bay_after(step->drain_ns));
	if (!instance_stop(step->instance, step->grace_ns, &step->text))
		return BAY_BUSY;
	return BAY_OK;
}

static int
step_destroy(void *arg)
{
	struct step *step = arg;

	instance_destroy(step->instance);
	return BAY_OK;
}

static struct bay_service *
prepare(const struct service_options *options)
{
	struct bay_service *service = registry_get(options->name);
	struct service_limits limits = {
		.concurrency = options->concurrency != 0 ? options->concurrency : 256,
		.queue = options->queue != 0 ? options->queue : 1024,
		.queue_bytes = options->queue_bytes != 0 ? options->queue_bytes : 1 << 20,
		.overflow = options->overflow,
		.timeout_ns = options->timeout_ns,
		.stack_bytes = options->stack_bytes != 0 ? options->stack_bytes : STACK_BYTES,
		.health_interval_ns = options->health_interval_ns,
		.health_timeout_ns = options->health_timeout_ns,
	};

	ck_assert_ptr_nonnull(service);
	if (service->slot == STATUS_NO_SLOT) {
		ck_assert_uint_lt(cell.count, SERVICES_MAX);
		service_set_slot(service, &cell.page, cell.count);
		cell.services[cell.count++] = service;
	}
	service_set_limits(service, &limits);
	service->on_failed = service_on_failed;
	service->on_health = options->on_health;
	service_set_state(service, SERVICE_STARTING, NULL);
	return service;
}

int
services_try_start(const struct service_options *options, char **text_r)
{
	uint64_t all = cell.loops == 64 ? UINT64_MAX : (UINT64_C(1) << cell.loops) - 1;
	uint64_t mask = options->loops == 0 ? 1 : options->loops & all;
	struct bay_service *service = prepare(options);
	struct step steps[STATUS_PAGE_LOOPS_MAX] = {{.service = NULL}};
	int status = BAY_OK;
	unsigned i, n = 0;

	service_set_route(service, options->plugin, ready_set_for(mask),
		(unsigned)__builtin_popcountll(mask));
	if (text_r != NULL)
		*text_r = NULL;
	for (i = 0; i < cell.loops && status == BAY_OK; i++) {
		if ((mask >> i & 1) == 0)
			continue;
		steps[i] = (struct step){.service = service, .options = options, .index = n++};
		ck_assert_int_eq(run_on(i, step_make, &steps[i], NULL), BAY_OK);
		status = run_on(i, step_init, &steps[i], steps[i].instance);
	}
	for (i = 0; i < cell.loops && status == BAY_OK; i++) {
		if (steps[i].instance != NULL)
			status = run_on(i, step_serve, &steps[i], NULL);
	}
	if (status == BAY_OK) {
		service_set_state(service, SERVICE_READY, NULL);
		return BAY_OK;
	}
	for (i = 0; i < cell.loops; i++) {
		if (steps[i].instance == NULL)
			continue;
		if (text_r != NULL && steps[i].text != NULL) {
			free(*text_r);
			*text_r = steps[i].text;
			steps[i].text = NULL;
		}
		free(steps[i].text);
		steps[i].grace_ns = BAY_SECOND;
		ck_assert_int_eq(run_on(i, step_stop, &steps[i], steps[i].instance), BAY_OK);
		ck_assert_int_eq(run_on(i, step_destroy, &steps[i], NULL), BAY_OK);
	}
	service_set_state(service, SERVICE_STOPPED, NULL);
	return status;
}

struct bay_service *
services_start(const struct service_options *options)
{
	char *text;
	int status = services_try_start(options, &text);

	ck_assert_msg(status == BAY_OK, "start %s: %s: %s", options->name, bay_status_name(status),
		text != NULL ? text : "");
	return registry_get(options->name);
}

bool
services_stop(struct bay_service *service, int64_t drain_ns, int64_t grace_ns, char **refusal_r)
{
	struct services_job *jobs[STATUS_PAGE_LOOPS_MAX] = {NULL};
	struct step steps[STATUS_PAGE_LOOPS_MAX];
	bool stopped = true;
	unsigned i;

	if (refusal_r != NULL)
		*refusal_r = NULL;
	service_set_state(service, SERVICE_STOPPING, NULL);
	for (i = 0; i < cell.loops; i++) {
		if (service->instances[i] == NULL)
			continue;
		steps[i] = (struct step){.service = service, .instance = service->instances[i],
			.drain_ns = drain_ns, .grace_ns = grace_ns};
		if (cell.threads)
			jobs[i] = job_go(i, step_stop, &steps[i], steps[i].instance);
		else if (run_on(i, step_stop, &steps[i], steps[i].instance) != BAY_OK)
			stopped = false;
		else
			ck_assert_int_eq(run_on(i, step_destroy, &steps[i], NULL), BAY_OK);
		if (!cell.threads && refusal_r != NULL)
			*refusal_r = steps[i].text;
		else if (!cell.threads)
			free(steps[i].text);
	}
	for (i = 0; i < cell.loops; i++) {
		if (jobs[i] == NULL)
			continue;
		if (services_join(jobs[i]) != BAY_OK)
			stopped = false;
		else
			ck_assert_int_eq(run_on(i, step_destroy, &steps[i], NULL), BAY_OK);
		if (refusal_r != NULL && *refusal_r == NULL)
			*refusal_r = steps[i].text;
		else
			free(steps[i].text);
	}
	service_queue_flush(service, "it has stopped");
	if (!stopped)
		return false;
	service_queue_unlist(service);
	service_set_route(service, NULL, NULL, 0);
	service_set_state(service, SERVICE_STOPPED, NULL);
	return true;
}

/* --- inside tasks ------------------------------------------------------------------------------ */

void
services_expect_text(struct bay_service *service, const char *text, int status, const char *reply)
{
	struct bay_message *request = bay_message(text, strlen(text)), *answer;
	int got = bay_call(service, request, &answer, BAY_INHERIT);

	bay_message_free(request);
	ck_assert_msg(got == status, "%s(%s) is %s: %s", bay_service_name(service), text, bay_status_name(got),
		bay_call_error());
	if (status != BAY_OK) {
		ck_assert_ptr_null(answer);
		ck_assert_str_ne(bay_call_error(), "");
	} else {
		ck_assert_str_eq(bay_call_error(), "");
		if (reply != NULL)
			ck_assert_str_eq(bay_message_text(answer), reply);
	}
	bay_message_free(answer);
}

struct bay_message *
services_pointer(const void *pointer)
{
	struct bay_message *message = bay_message(&pointer, sizeof pointer);

	ck_assert_ptr_nonnull(message);
	return message;
}

void *
services_request_pointer(const struct bay_request *request)
{
	void *pointer;

	ck_assert_uint_eq(bay_request_size(request), sizeof pointer);
	memcpy(&pointer, bay_request_data(request), sizeof pointer);
	return pointer;
}

int
services_call(struct bay_service *service, const void *pointer, int64_t deadline)
{
	struct bay_message *message = services_pointer(pointer);
	int status = bay_call(service, message, NULL, deadline);

	bay_message_free(message);
	return status;
}
