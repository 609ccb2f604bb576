/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker.h"

#include <signal.h>

#include <bay/channel.h>
#include <bay/event.h>
#include <bay/fd.h>
#include <bay/instance.h>
#include <bay/log.h>
#include <bay/memory.h>
#include <bay/scope.h>
#include <bay/select.h>
#include <bay/stream.h>
#include <bay/time.h>

#include "exec.h"

/* A request is written without waiting, whatever its size: a program may begin to answer before
 * it has read all, and would wait for us to read that. */
enum { WORKER_UNSENT = 1 << 30 };

/* --- made --------------------------------------------------------------------------- */

static int
worker_open(struct worker *worker, int which, struct bay_stream **stream_r)
{
	struct bay_stream_options options = {.length = sizeof options, .high_water = WORKER_UNSENT};
	int fd = bay_process_take_fd(worker->process, which);
	int status = bay_stream_open_fd(fd, &options, stream_r);

	if (status != BAY_OK)
		(void)bay_fd_close(fd);
	return status;
}

int
worker_start(struct exec *exec, struct worker **worker_r, int64_t deadline)
{
	struct worker *worker = bay_alloc(sizeof *worker);
	int status;

	*worker_r = NULL;
	if (worker == NULL)
		return BAY_NO_MEMORY;
	worker->exec = exec;
	worker->kill_ns = BAY_INHERIT;
	worker->errors.fd = -1;
	worker->orders = bay_channel_create(1);
	worker->gone = bay_event_create("end of a worker");
	worker->let_go = bay_event_create("request of a worker");
	status = worker->orders == NULL || worker->gone == NULL || worker->let_go == NULL ? BAY_NO_MEMORY
		: program_start(&exec->program, &worker->process, deadline);
	if (status == BAY_OK)
		status = worker_open(worker, BAY_STDIN, &worker->input);
	if (status == BAY_OK)
		status = worker_open(worker, BAY_STDOUT, &worker->output);
	if (status != BAY_OK) {
		worker_discard(worker);
		return status;
	}
	worker->pid = bay_process_pid(worker->process);
	errors_open(&worker->errors, bay_process_take_fd(worker->process, BAY_STDERR), worker->pid,
		(int)exec->set->errors);
	worker->idle_since_ns = bay_now();
	*worker_r = worker;
	return BAY_OK;
}

void
worker_discard(struct worker *worker)
{
	if (worker == NULL)
		return;
	errors_close(&worker->errors);
	bay_stream_abort(worker->input);
	bay_stream_abort(worker->output);
	bay_process_close(worker->process);
	bay_channel_destroy(worker->orders);
	bay_event_destroy(worker->gone);
	bay_event_destroy(worker->let_go);
	bay_free(worker);
}

/* --- attended ----------------------------------------------------------------------- */

static int64_t
worker_grace(const struct worker *worker)
{
	return bay_after(worker->exec->set->pool.grace_ns);
}

/* When the attendant is to look again: to kill one that does not end, or to let one go that is idle. */
static int64_t
worker_look_at(const struct worker *worker)
{
	int64_t idle_ns = worker->exec->set->pool.idle_time_ns;

	if (worker->state == WORKER_ENDING)
		return worker->kill_ns;
	if (idle_ns == 0)
		return BAY_INHERIT;
	return worker->state == WORKER_IDLE && worker->idle_since_ns < BAY_INHERIT - idle_ns
		? worker->idle_since_ns + idle_ns : bay_after(idle_ns);
}

/* The moment has come. */
static void
worker_look(struct worker *worker)
{
	const struct pool_settings *set = &worker->exec->set->pool;

	if (worker->state == WORKER_ENDING) {
		bay_log_warn("worker %d does not end by itself: it is killed", (int)worker->pid);
		(void)bay_process_kill(worker->process, SIGKILL);
		worker->kill_ns = BAY_INHERIT;
	} else if (worker->state == WORKER_IDLE && bay_now() - worker->idle_since_ns >= set->idle_time_ns) {
		if (pool_may_shrink(&worker->exec->pool))
			worker_dismiss(worker);
		else
			worker->idle_since_ns = bay_now();
	}
}

/* Until it has ended, or we are to end with it. */
static void
worker_watch(struct worker *worker)
{
	struct bay_case cases[3];
	size_t which;
	int status;

	for (;;) {
		cases[0] = bay_case_process(worker->process);
		cases[1] = worker->errors.fd >= 0 ? bay_case_fd(worker->errors.fd, BAY_READABLE)
			: bay_case_of(BAY_CASE_NONE);
		cases[2] = worker->state != WORKER_ENDING ? bay_case_get(worker->orders) : bay_case_of(BAY_CASE_NONE);
		status = bay_select(cases, 3, &which, worker_look_at(worker));
		/* Not the time to look, but the end of all of ours: it would come again at once. */
		if (status == BAY_TIMEOUT && bay_now() >= bay_deadline())
			return;
		if (status == BAY_TIMEOUT)
			worker_look(worker);
		else if (status != BAY_OK || which == 0)
			return;
		else if (which == 1)
			(void)errors_take(&worker->errors);
	}
}

/* It has ended, or has to without more ado, since its attendant has. What it started and left behind
 * ends with it. */
static void
worker_bury(struct worker *worker)
{
	worker->end = (struct bay_process_exit){.code = -1};
	if (bay_process_poll(worker->process, &worker->end) == BAY_BUSY) {
		worker->end.signal = SIGKILL;
		worker->dismissed = true;
	}
	(void)errors_take(&worker->errors);
	errors_close(&worker->errors);
	bay_process_close(worker->process);
	worker->process = NULL;
}

/* The request that has it reads what lies in the pipe, and then its end: unless something that has left
 * the worker's process group holds the pipe open. */
static void
worker_end_request(struct worker *worker)
{
	if (worker->held && bay_event_wait(worker->let_go, worker_grace(worker)) != BAY_OK && worker->held) {
		bay_stream_abort(worker->output);
		worker->output = NULL;
	}
}

static int
worker_attendant(void *arg)
{
	struct worker *worker = arg;

	worker_watch(worker);
	worker_bury(worker);
	pool_remove(&worker->exec->pool, worker);
	worker->state = WORKER_ENDING;
	bay_event_set(worker->gone);
	worker_end_request(worker);
	worker->attended = false;
	if (!worker->held)
		worker_discard(worker);
	return BAY_OK;
}

bool
worker_attend(struct worker *worker)
{
	if (bay_scope_go(bay_instance_scope(worker->exec->instance), "worker", worker_attendant, worker) != BAY_OK) {
		worker_discard(worker);
		return false;
	}
	worker->attended = true;
	return true;
}

/* --- asked to end ------------------------------------------------------------------- */

void
worker_dismiss(struct worker *worker)
{
	/* The attendant may not have begun yet, or be the one who asks: it finds the time here. */
	if (worker->state != WORKER_ENDING)
		worker->kill_ns = worker_grace(worker);
	worker->state = WORKER_ENDING;
	worker->dismissed = true;
	pool_forget(&worker->exec->pool, worker);
	bay_stream_abort(worker->input);
	worker->input = NULL;
	bay_channel_close(worker->orders);
}

void
worker_kill(struct worker *worker)
{
	worker_dismiss(worker);
	if (worker->process != NULL)
		(void)bay_process_kill(worker->process, SIGKILL);
}

/* --- looked at by the request that has it --------------------------------------------- */

bool
worker_babbles(const struct worker *worker)
{
	return bay_stream_unread(worker->output) > 0 ||
		bay_fd_ready(bay_stream_fd(worker->output), BAY_READABLE) != 0;
}

void
worker_await_end(struct worker *worker)
{
	if (bay_event_wait(worker->gone, worker_grace(worker)) == BAY_TIMEOUT) {
		worker_kill(worker);
		(void)bay_event_wait(worker->gone, worker_grace(worker));
	}
}

const char *
worker_end_text(const struct worker *worker, char text[PROGRAM_END_SIZE])
{
	return worker->process == NULL && !worker->dismissed ? program_end_text(&worker->end, text)
		: "closed its output and was killed";
}

void
worker_let_go(struct worker *worker)
{
	worker->held = false;
	bay_event_set(worker->let_go);
	if (!worker->attended)
		worker_discard(worker);
}
