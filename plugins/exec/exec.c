/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any program is a service: a request is what it reads from its standard input, the reply what
 * it writes to its standard output. What it writes to its standard error goes to the log.
 *
 *	[service upper]
 *	plugin  = exec
 *	command = tr a-z A-Z
 *
 *	[service dice]
 *	plugin      = exec
 *	mode        = line
 *	command     = python3 dice.py
 *	max_workers = 4
 *
 *	$ bayctl call upper hello
 *	HELLO
 *
 * With mode = once, each request has a process of its own; otherwise workers answer one request
 * after the other, see framing.h. Processes wait in the kernel and requests in tasks, so the loop
 * is free for others meanwhile.
 */
#include "exec.h"

#include <inttypes.h>

#include <bay/bay.h>

#include "errors.h"
#include "once.h"
#include "talk.h"

static const struct bay_setting settings[] = {
	BAY_STRING(struct exec_settings, program.command, "command", NULL,
		"the program and its arguments, with quotes as in a shell; there is no shell"),
	BAY_CHOICE(struct exec_settings, mode, "mode", "once", "once|line|length",
		"a process for each request, or workers that read and write lines, or lengths and bytes"),
	BAY_STRING(struct exec_settings, program.directory, "directory", "",
		"the working directory of the program; empty: that of bayd"),
	BAY_STRING(struct exec_settings, program.environment, "environment", "",
		"NAME=value adds to the environment, NAME takes away; with quotes as in command"),
	BAY_BOOL(struct exec_settings, program.empty_environment, "empty_environment", "no",
		"begin with no environment, not with bayd's"),
	BAY_INT64(struct exec_settings, pool.min_workers, "min_workers", "1", 0, 1000,
		"workers that are there without a request; not for mode = once"),
	BAY_INT64(struct exec_settings, pool.max_workers, "max_workers", "4", 1, 1000,
		"processes at work at once; other requests wait"),
	BAY_DURATION(struct exec_settings, pool.idle_time_ns, "idle_time", "1m",
		"a worker above min_workers that was idle for so long ends; 0s: never"),
	BAY_INT64(struct exec_settings, pool.max_requests, "max_requests", "0", 0, INT64_MAX,
		"a worker that has answered so many is replaced; 0: never"),
	BAY_DURATION(struct exec_settings, pool.grace_ns, "grace", "2s",
		"a worker whose input is closed and that has not ended by then is killed"),
	BAY_DURATION(struct exec_settings, reply_time_ns, "reply_time", "0s",
		"a program that takes longer for a request is killed; 0s: the deadline of the call counts"),
	BAY_SIZE(struct exec_settings, reply_max, "reply_max", "1M", 1, 1 << 30,
		"a program that answers with more is killed"),
	BAY_SIZE(struct exec_settings, program.memory_max, "process_memory_max", "0", 0, INT64_MAX,
		"address space of a process; 0: as much as bayd's"),
	BAY_DURATION(struct exec_settings, program.cpu_max_ns, "cpu_max", "0s",
		"processor time of a process, in whole seconds; 0s: as much as bayd's"),
	BAY_INT64(struct exec_settings, program.files_max, "files_max", "0", 0, INT32_MAX,
		"open files of a process; 0: as many as bayd's"),
	BAY_SIZE(struct exec_settings, program.file_bytes_max, "file_bytes_max", "0", 0, INT64_MAX,
		"size of files that a process writes; 0: as much as bayd's"),
	BAY_CHOICE(struct exec_settings, errors, "errors", "info", "error|warn|info|debug|off",
		"level at which the standard error of the program is logged"),
	BAY_STRING(struct exec_settings, failure, "failure", "",
		"with mode = line, a reply that begins so is a failure, and the rest its text"),
	BAY_END
};

int64_t
exec_deadline(const struct exec *exec)
{
	return exec->set->reply_time_ns > 0 ? bay_after(exec->set->reply_time_ns) : BAY_INHERIT;
}

static void
exec_free(struct exec *exec)
{
	pool_finish(&exec->pool);
	program_finish(&exec->program);
	bay_semaphore_destroy(exec->slots);
	bay_free(exec);
}

static int
exec_init(struct bay_instance *instance)
{
	const struct exec_settings *set = bay_instance_settings(instance);
	struct exec *exec = bay_alloc(sizeof *exec);
	int status;

	if (exec == NULL)
		return BAY_NO_MEMORY;
	exec->set = set;
	exec->instance = instance;
	exec->slots = bay_semaphore_create_bounded("processes", (size_t)set->pool.max_workers);
	status = exec->slots != NULL ? program_init(&exec->program, &set->program, instance) : BAY_NO_MEMORY;
	if (status == BAY_OK && set->mode != EXEC_ONCE)
		status = pool_init(&exec->pool, exec);
	if (status != BAY_OK) {
		exec_free(exec);
		return status;
	}
	bay_instance_set_state(instance, exec);
	return BAY_OK;
}

static int
exec_run(struct bay_instance *instance)
{
	struct exec *exec = bay_instance_state(instance);

	return exec->set->mode != EXEC_ONCE ? pool_run(&exec->pool) : BAY_OK;
}

static int
exec_handle(struct bay_request *request)
{
	struct exec *exec = bay_state(request);
	int status = bay_semaphore_acquire(exec->slots, 1, BAY_INHERIT);

	if (status != BAY_OK)
		return bay_fail(request, status, "all %" PRId64 " processes (max_workers) are busy: %s",
			exec->set->pool.max_workers, bay_status_name(status));
	status = exec->set->mode == EXEC_ONCE ? once_handle(exec, request) : talk_handle(exec, request);
	(void)bay_semaphore_release(exec->slots, 1);
	return status;
}

static void
exec_stop(struct bay_instance *instance)
{
	struct exec *exec = bay_instance_state(instance);

	if (exec->set->mode != EXEC_ONCE)
		pool_stop(&exec->pool);
}

static void
exec_fini(struct bay_instance *instance)
{
	exec_free(bay_instance_state(instance));
}

BAY_PLUGIN(exec, "1.0.0",
	.summary = "any program is a service: requests on its input, replies on its output",
	.settings = settings,
	.init = exec_init,
	.handle = exec_handle,
	.run = exec_run,
	.stop = exec_stop,
	.fini = exec_fini);
