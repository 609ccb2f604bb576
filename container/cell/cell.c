/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control thread of a cell: takes the master's calls and hands them to the rooms that
 * do the work. It runs no plugin code, so it answers while every loop hangs.
 */
#include "config.h"

#include "cell/cell.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bay/status.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/status_page.h"
#include "cell/control.h"
#include "cell/crash.h"
#include "cell/deadlock_watch.h"
#include "cell/executor.h"
#include "cell/fd_watch.h"
#include "cell/host.h"
#include "cell/listener_source.h"
#include "cell/loader.h"
#include "cell/outside_call.h"
#include "cell/peers.h"
#include "cell/task_list.h"
#include "cell/topics.h"
#include "cell/verb_call.h"
#include "io/blocking_pool.h"
#include "io/listener.h"
#include "io/process_keeper.h"
#include "io/resolver.h"
#include "io/signal_hub.h"
#include "loop/loop.h"
#include "loop/signals.h"
#include "protocol/cell_link.h"
#include "protocol/varlink.h"
#include "protocol/varlink_stream.h"
#include "service/hop.h"
#include "service/message.h"
#include "service/ready_set.h"
#include "service/registry.h"
#include "service/request.h"
#include "service/service.h"
#include "service/trace.h"

struct cell {
	char *name;
	struct loop loop;             /* the control thread's */
	struct status_page page;
	struct control *control;
	struct executor *executor;    /* from Setup on */
	struct loader *loader;
	struct host *host;
	struct deadlock_watch *deadlocks;
	struct fd_watch *fds;
	int64_t shutdown_id;          /* of the call that is answered at the end */
	int64_t drained_ns;           /* when the time to drain is over */
	bool settling;
	bool ending;
	bool refused_to_stop;         /* threads cannot be joined: leave without them */
	int exit_code;
};

/* --- answers that come later ------------------------------------------------------------- */

static void
cell_on_done(int status, const char *message, int64_t id, void *arg)
{
	struct cell *cell = arg;

	if (message == NULL)
		control_answer(cell->control, id, NULL, -1);
	else
		control_refuse(cell->control, id, status, message);
}

static void
cell_on_failed(const char *service, int64_t generation, const char *message, void *arg)
{
	struct cell *cell = arg;
	struct cell_failed failed = {.service = service, .generation = generation, .message = message};

	control_notify(cell->control, CELL_FAILED, cell_failed_to_json(&failed));
}

/* What its services published last has got to other cells, or the time to drain is over. */
static void
cell_on_settled(void *arg)
{
	struct cell *cell = arg;

	cell->ending = true;
	cell_on_done(BAY_OK, NULL, cell->shutdown_id, arg);
	control_flush(cell->control);
}

static void
cell_on_all_stopped(int status, const char *message, int64_t id, void *arg)
{
	struct cell *cell = arg;

	if (message == NULL && !cell->settling) {
		cell->settling = true;
		cell->shutdown_id = id;
		cell_topics_settle(cell->drained_ns, cell_on_settled, cell);
		return;
	}
	/* Whoever asks again is in a hurry. */
	if (cell->settling)
		cell_on_done(BAY_OK, NULL, cell->shutdown_id, arg);
	cell->refused_to_stop = message != NULL;
	cell->ending = true;
	cell_on_done(status, message, id, arg);
	control_flush(cell->control);
}

static void
cell_on_stage(const char *service, int64_t generation, enum cell_stage stage, void *arg)
{
	struct cell *cell = arg;
	struct cell_stage_reached reached = {.service = service, .generation = generation, .stage = stage};

	control_notify(cell->control, CELL_STAGE, cell_stage_reached_to_json(&reached));
}

static void
cell_on_lingers(const struct cell_lingers *lingers, void *arg)
{
	struct cell *cell = arg;

	control_notify(cell->control, CELL_LINGERS, cell_lingers_to_json(lingers));
}

static void
cell_on_health(const struct cell_health *health, void *arg)
{
	struct cell *cell = arg;

	control_notify(cell->control, CELL_HEALTH, cell_health_to_json(health));
}

static void
cell_on_breaker(const struct cell_breaker *breaker, void *arg)
{
	struct cell *cell = arg;

	control_notify(cell->control, CELL_BREAKER, cell_breaker_to_json(breaker));
}

static void
cell_on_fault(const struct cell_fault *fault, void *arg)
{
	struct cell *cell = arg;

	control_notify(cell->control, CELL_FAULT, cell_fault_to_json(fault));
}

static void
cell_on_deadlock(const char *service, const char *circle, void *arg)
{
	cell_on_fault(&(struct cell_fault){.service = service, .kind = CELL_FAULT_DEADLOCK, .text = circle}, arg);
}

static void
cell_on_standstill(bool stands, void *arg)
{
	struct cell *cell = arg;

	control_notify(cell->control, CELL_STANDSTILL,
		cell_standstill_to_json(&(struct cell_standstill){.stands = stands}));
}

static const struct host_watcher cell_host_watcher = {cell_on_failed, cell_on_stage, cell_on_lingers,
	cell_on_health, cell_on_breaker, cell_on_fault};

static bool
cell_has_generation(const char *service, int64_t generation, void *arg)
{
	return host_has(arg, service, generation);
}

/* --- the master's calls -------------------------------------------------------------------- */

static void
cell_setup(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	struct cell_setup setup;
	char error[CELL_ERROR_SIZE];
	enum log_level level;
	char process[64];

	(void)fds;
	if (!cell_setup_from_json(call->parameters, &setup, error)) {
		control_refuse(cell->control, call->id, BAY_INVALID, error);
		return;
	}
	if (cell->executor != NULL) {
		control_refuse(cell->control, call->id, BAY_BUSY, "this cell is set up already");
		return;
	}
	free(cell->name);
	cell->name = xstrdup(setup.cell);
	snprintf(process, sizeof process, "cell %s", cell->name);
	log_set_process(process);
	if (log_level_parse(setup.log_level, &level))
		log_set_level(level);
	registry_init((unsigned)setup.max_depth);
	blocking_pool_set_limits((unsigned)setup.blocking_threads, 0);
	resolver_set_files(setup.resolv_conf, NULL);
	cell->executor = executor_create((unsigned)setup.loops, &cell->page);
	cell->loader = loader_create();
	if (cell->executor == NULL || cell->loader == NULL) {
		control_refuse(cell->control, call->id, BAY_IO, "the threads of the loops could not be started");
		return;
	}
	cell->host = host_create(&cell->loop, cell->executor, cell->loader, &cell->page, &cell_host_watcher,
		cell);
	cell->deadlocks = deadlock_watch_create(&cell->loop, cell->executor, &cell->page, cell_on_deadlock,
		cell_on_standstill, cell);
	cell->fds = fd_watch_create(&cell->loop, cell_on_fault, cell);
	listener_source_begin(cell->control, &cell->loop, cell_has_generation, cell->host);
	listener_set_source(listener_source_ask);
	hop_set_page(&cell->page);
	cell_peers_begin(cell->control, &cell->loop, cell->executor);
	if (!cell_topics_begin(cell->control, &cell->loop)) {
		control_refuse(cell->control, call->id, BAY_NO_MEMORY, "no memory for the services of its own");
		return;
	}
	control_answer(cell->control, call->id, NULL, -1);
}

static void
cell_absent(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	struct cell_absent absent;
	char error[CELL_ERROR_SIZE];

	(void)fds;
	if (!cell_absent_from_json(call->parameters, &absent, error)) {
		control_refuse(cell->control, call->id, BAY_INVALID, error);
		return;
	}
	host_absent(cell->host, &absent);
	control_answer(cell->control, call->id, NULL, -1);
}

/* Start and Swap are told the same. */
static void
cell_begin(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds,
	void (*begin)(struct host *, const struct cell_start *, int, host_done_fn *, int64_t))
{
	struct cell_start start;
	char error[CELL_ERROR_SIZE];
	int image = -1;

	if (!cell_start_from_json(call->parameters, &start, error)) {
		control_refuse(cell->control, call->id, BAY_INVALID, error);
		return;
	}
	if (fds->count > 0) {
		image = fds->fd[0];
		fds->fd[0] = -1;
	}
	begin(cell->host, &start, image, cell_on_done, call->id);
	cell_start_finish(&start);
}

static void
cell_on_gate_seen(const struct cell_gate_seen *seen, int64_t id, void *arg)
{
	struct cell *cell = arg;

	control_answer(cell->control, id, cell_gate_seen_to_json(seen), -1);
}

static void
cell_gate(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	struct cell_gate gate;
	char error[CELL_ERROR_SIZE];

	(void)fds;
	if (!cell_gate_from_json(call->parameters, &gate, error))
		control_refuse(cell->control, call->id, BAY_INVALID, error);
	else if (!host_gate(cell->host, &gate, cell_on_gate_seen, call->id))
		control_refuse(cell->control, call->id, BAY_INVALID, "the name of the service is not valid");
}

static void
cell_guard(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	struct cell_guard guard;
	char error[CELL_ERROR_SIZE];

	(void)fds;
	if (cell_guard_from_json(call->parameters, &guard, error))
		host_guard(cell->host, &guard, cell_on_done, call->id);
	else
		control_refuse(cell->control, call->id, BAY_INVALID, error);
}

static void
cell_on_trace_seen(const struct cell_gate_seen *seen, int64_t id, void *arg)
{
	struct cell *cell = arg;

	(void)seen;
	control_answer(cell->control, id, NULL, -1);
}

static void
cell_trace(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	struct cell_trace trace;
	char error[CELL_ERROR_SIZE];

	(void)fds;
	if (!cell_trace_from_json(call->parameters, &trace, error))
		control_refuse(cell->control, call->id, BAY_INVALID, error);
	else if (!host_trace(cell->host, &trace, cell_on_trace_seen, call->id))
		control_refuse(cell->control, call->id, BAY_INVALID, "the name of the service is not valid");
}

static void
cell_change(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	struct cell_change change;
	char error[CELL_ERROR_SIZE];

	(void)fds;
	if (!cell_change_from_json(call->parameters, &change, error)) {
		control_refuse(cell->control, call->id, BAY_INVALID, error);
		return;
	}
	host_change(cell->host, &change, cell_on_done, call->id);
	cell_change_finish(&change);
}

static void
cell_start(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	cell_begin(cell, call, fds, host_start);
}

static void
cell_swap(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	cell_begin(cell, call, fds, host_swap);
}

static void
cell_stop(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	struct cell_stop stop;
	char error[CELL_ERROR_SIZE];

	(void)fds;
	if (cell_stop_from_json(call->parameters, &stop, error))
		host_stop(cell->host, stop.service, stop.drain_timeout_ns, stop.hold, cell_on_done,
			call->id);
	else
		control_refuse(cell->control, call->id, BAY_INVALID, error);
}

static void
cell_retire(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	struct cell_stop stop;
	char error[CELL_ERROR_SIZE];

	(void)fds;
	if (!cell_stop_from_json(call->parameters, &stop, error)) {
		control_refuse(cell->control, call->id, BAY_INVALID, error);
		return;
	}
	host_retire(cell->host, stop.service, stop.drain_timeout_ns);
	control_answer(cell->control, call->id, NULL, -1);
}

static void
cell_revert(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	struct cell_stop stop;
	char error[CELL_ERROR_SIZE];

	(void)fds;
	if (cell_stop_from_json(call->parameters, &stop, error))
		host_revert(cell->host, stop.service, stop.drain_timeout_ns, cell_on_done, call->id);
	else
		control_refuse(cell->control, call->id, BAY_INVALID, error);
}

static void
cell_promote(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	struct cell_promote promote;
	char error[CELL_ERROR_SIZE];

	(void)fds;
	if (cell_promote_from_json(call->parameters, &promote, error))
		host_promote(cell->host, &promote, cell_on_done, call->id);
	else
		control_refuse(cell->control, call->id, BAY_INVALID, error);
}

static void
cell_abort(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	struct cell_stop stop;
	char error[CELL_ERROR_SIZE];

	(void)fds;
	if (cell_stop_from_json(call->parameters, &stop, error))
		host_abort(cell->host, stop.service, stop.drain_timeout_ns, cell_on_done, call->id);
	else
		control_refuse(cell->control, call->id, BAY_INVALID, error);
}

static void
cell_link(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	struct cell_linked linked;
	char error[CELL_ERROR_SIZE];

	if (!cell_linked_from_json(call->parameters, &linked, error)) {
		control_refuse(cell->control, call->id, BAY_INVALID, error);
		return;
	}
	cell_peers_link(&linked, fds);
	control_answer(cell->control, call->id, NULL, -1);
}

static void
cell_peer(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	struct cell_peer peer;
	char error[CELL_ERROR_SIZE];

	(void)fds;
	if (!cell_peer_from_json(call->parameters, &peer, error)) {
		control_refuse(cell->control, call->id, BAY_INVALID, error);
		return;
	}
	cell_peers_tell(&peer);
	control_answer(cell->control, call->id, NULL, -1);
}

static void
cell_interest(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	struct cell_interest interest;
	char error[CELL_ERROR_SIZE];

	(void)fds;
	if (!cell_interest_from_json(call->parameters, &interest, error)) {
		control_refuse(cell->control, call->id, BAY_INVALID, error);
		return;
	}
	cell_topics_tell(&interest);
	cell_interest_finish(&interest);
	control_answer(cell->control, call->id, NULL, -1);
}

static void
cell_call(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	outside_call_begin(cell->control, &cell->loop, call, fds);
}

static void
cell_do(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	(void)fds;
	verb_call_begin(cell->control, &cell->loop, cell->host, call);
}

static void
cell_cancel(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	struct cell_cancel cancel;
	char error[CELL_ERROR_SIZE];

	(void)fds;
	if (!cell_cancel_from_json(call->parameters, &cancel, error)) {
		control_refuse(cell->control, call->id, BAY_INVALID, error);
		return;
	}
	control_cancel(cell->control, cancel.call);
	control_answer(cell->control, call->id, NULL, -1);
}

static void
cell_tasks(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	struct cell_tasks tasks;
	char error[CELL_ERROR_SIZE];

	(void)fds;
	if (cell_tasks_from_json(call->parameters, &tasks, error))
		task_list_begin(cell->control, &cell->loop, cell->executor, &cell->page, call->id, &tasks);
	else
		control_refuse(cell->control, call->id, BAY_INVALID, error);
}

static json_t *
cell_describe_queue(const struct cell *cell, const struct bay_service *service)
{
	struct status_service_view view;
	struct cell_queue queue;

	status_page_read_service(&cell->page, service->slot, &view);
	queue = (struct cell_queue){
		.service = service->name,
		.queued = (int64_t)view.queue_length,
		.bytes = (int64_t)view.queue_bytes,
		.limit = (int64_t)service->limits.queue,
		.limit_bytes = (int64_t)service->limits.queue_bytes,
		.oldest_ns = view.queue_oldest_ns != 0 ? clock_monotonic_ns() - (int64_t)view.queue_oldest_ns : 0,
		.overflow = overflow_policy_name(service->limits.overflow),
		.waiting_senders = (int64_t)view.waiting_senders,
		.dropped = (int64_t)view.dropped,
		.rejected = (int64_t)view.rejected,
		.topic_waiting = (int64_t)view.topic_waiting,
		.topic_lost = (int64_t)view.topic_lost,
	};
	return cell_queue_to_json(&queue);
}

static void
cell_queues(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	unsigned id, count = registry_count();
	json_t *queues = json_array();

	(void)fds;
	for (id = 0; id < count; id++) {
		const struct bay_service *service = registry_at((uint16_t)id);

		if (service->slot != STATUS_NO_SLOT)
			json_array_append_new(queues, cell_describe_queue(cell, service));
	}
	control_answer(cell->control, call->id, json_pack("{s:o}", "queues", queues), -1);
}

static void
cell_loops(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	unsigned i, count = executor_count(cell->executor);
	json_t *loops = json_array();

	(void)fds;
	for (i = 0; i < count; i++) {
		struct status_loop_view view;
		struct cell_loop loop;

		status_page_read_loop(&cell->page, i, &view);
		loop = (struct cell_loop){i, (int64_t)view.passes, (int64_t)view.switches, (int64_t)view.tasks,
			(int64_t)view.stacks, (int64_t)view.wakes, (int64_t)view.polls};
		json_array_append_new(loops, cell_loop_to_json(&loop));
	}
	control_answer(cell->control, call->id, json_pack("{s:o}", "loops", loops), -1);
}

static void
cell_log_level(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	struct cell_log_level wanted;
	char error[CELL_ERROR_SIZE] = "there is no such level";
	enum log_level level;

	(void)fds;
	if (!cell_log_level_from_json(call->parameters, &wanted, error) ||
		!log_level_parse(wanted.level, &level)) {
		control_refuse(cell->control, call->id, BAY_INVALID, error);
		return;
	}
	log_set_level(level);
	control_answer(cell->control, call->id, NULL, -1);
}

static void
cell_shutdown(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds)
{
	struct cell_shutdown shutdown;
	char error[CELL_ERROR_SIZE];

	(void)fds;
	if (!cell_shutdown_from_json(call->parameters, &shutdown, error)) {
		control_refuse(cell->control, call->id, BAY_INVALID, error);
		return;
	}
	cell->drained_ns = loop_now(&cell->loop) + shutdown.drain_timeout_ns;
	host_stop_all(cell->host, shutdown.drain_timeout_ns, shutdown.replaced, cell_on_all_stopped, call->id);
}

typedef void cell_method_fn(struct cell *cell, const struct varlink_call *call, struct varlink_fds *fds);

static const struct cell_method {
	const char *name;
	cell_method_fn *fn;
} cell_methods[] = {
	{CELL_SETUP, cell_setup},
	{CELL_ABSENT, cell_absent},
	{CELL_START, cell_start},
	{CELL_GATE, cell_gate},
	{CELL_GUARD, cell_guard},
	{CELL_CHANGE, cell_change},
	{CELL_STOP, cell_stop},
	{CELL_SWAP, cell_swap},
	{CELL_RETIRE, cell_retire},
	{CELL_REVERT, cell_revert},
	{CELL_PROMOTE, cell_promote},
	{CELL_ABORT, cell_abort},
	{CELL_LINK, cell_link},
	{CELL_PEER, cell_peer},
	{CELL_INTEREST, cell_interest},
	{CELL_CALL, cell_call},
	{CELL_DO, cell_do},
	{CELL_CANCEL, cell_cancel},
	{CELL_TRACE, cell_trace},
	{CELL_TASKS, cell_tasks},
	{CELL_QUEUES, cell_queues},
	{CELL_LOOPS, cell_loops},
	{CELL_LOG_LEVEL, cell_log_level},
	{CELL_SHUTDOWN, cell_shutdown},
};

static void
cell_on_call(const struct varlink_call *call, struct varlink_fds *fds, void *arg)
{
	struct cell *cell = arg;
	size_t i;

	for (i = 0; i < sizeof cell_methods / sizeof cell_methods[0]; i++) {
		if (strcmp(call->method, cell_methods[i].name) != 0)
			continue;
		if (i > 0 && cell->host == NULL)
			control_refuse(cell->control, call->id, BAY_INVALID, "Setup comes first");
		else
			cell_methods[i].fn(cell, call, fds);
		return;
	}
	control_refuse(cell->control, call->id, BAY_INVALID, "a cell does not know this call");
}

/* The master has gone: nobody is left to serve, and nobody would hear us. */
static void
cell_on_closed(void *arg)
{
	(void)arg;
	_exit(EXIT_FAILURE);
}

/* --- life ------------------------------------------------------------------------------------ */

/* Dies with the master, leaves no core unless somebody wants one, keeps signals to bayd. */
static void
cell_settle_in(void)
{
	static const int masters[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
	const char *master = getenv(CELL_ENV_MASTER);
	struct rlimit none = {0, 0};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (master != NULL && atol(master) != (long)getppid())
		_exit(EXIT_FAILURE);
	setrlimit(RLIMIT_CORE, &none);
	/* No other process of this user looks into it either. */
	if (getenv(CELL_ENV_SANDBOX) != NULL)
		prctl(PR_SET_DUMPABLE, 0);
	signals_block(masters, sizeof masters / sizeof masters[0]);
	signals_ignore_sigpipe();
}

static bool
cell_open(struct cell *cell)
{
	const char *name = getenv(CELL_ENV_NAME);
	char process[64];

	snprintf(process, sizeof process, "cell %s", name != NULL ? name : "?");
	log_set_process(process);
	if (!status_page_open(&cell->page, CELL_PAGE_FD)) {
		log_error_errno(NULL, "map the status page from descriptor %d: a cell is started by bayd, not by hand",
			CELL_PAGE_FD);
		return false;
	}
	close(CELL_PAGE_FD);
	log_to_pipe(CELL_LOG_FD);
	log_set_trace(trace_for_log);
	/* One without works as well: the master sees its end then. */
	if (fd_set_cloexec(CELL_CRASH_FD, true))
		crash_tell(CELL_CRASH_FD);
	crash_install(&cell->page);
	crash_use_thread();
	if (!loop_init(&cell->loop, "control")) {
		log_error_errno("cell", "make the control loop");
		return false;
	}
	cell->control = control_create(cell->loop.base, cell_on_call, cell_on_closed, cell);
	return cell->control != NULL;
}

static void
cell_close(struct cell *cell)
{
	cell_topics_stop();
	cell_peers_stop();
	blocking_pool_finish();
	keeper_finish();
	signal_hub_finish();
	executor_destroy(cell->executor);
	listener_source_end();
	cell_topics_end();
	cell_peers_finish();
	loader_destroy(cell->loader);
	while (loop_drain_inbox(&cell->loop))
		;
	fd_watch_destroy(cell->fds);
	deadlock_watch_destroy(cell->deadlocks);
	host_destroy(cell->host);
	control_destroy(cell->control);
	ready_sets_finish();
	registry_finish();
	request_clear_cache();
	message_clear_cache();
	loop_finish(&cell->loop);
	crash_leave_thread();
	free(cell->name);
}

int
cell_run(int argc, char **argv)
{
	struct cell cell = {.exit_code = EXIT_SUCCESS};

	(void)argc;
	(void)argv;
	cell_settle_in();
	if (!cell_open(&cell))
		return EXIT_FAILURE;
	while (!cell.ending) {
		loop_drain_inbox(&cell.loop);
		if (!cell.ending)
			loop_wait(&cell.loop, INT64_MAX);
	}
	if (cell.refused_to_stop)
		_exit(EXIT_SUCCESS);
	cell_close(&cell);
	return cell.exit_code;
}
