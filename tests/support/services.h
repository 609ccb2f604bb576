/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cell without a master: loops, and services made of descriptors in the test.
 *
 *	services_begin(0);                                 the test's own thread is loop 0
 *	echo = services_start(&(struct service_options){
 *		.name = "echo", .plugin = PLUGIN(.handle = echo_handle)});
 *	ck_assert_int_eq(services_run(body, NULL), BAY_OK);  body is a task of loop 0
 *	services_end();                                    stops all; nothing may be left
 *
 * With a number of loops, each is a thread and the test's own is none of them.
 */
#ifndef BAY_TESTS_SUPPORT_SERVICES_H
#define BAY_TESTS_SUPPORT_SERVICES_H

#include <stdint.h>

#include <bay/bay.h>

#include "base/status_page.h"
#include "runtime/scheduler.h"
#include "service/instance.h"
#include "service/service.h"
#include "support/check_main.h"

struct executor;

#define PLUGIN(...)                                                                       \
	&(const struct bay_plugin) {                                                          \
		.size = sizeof(struct bay_plugin), .abi_major = BAY_ABI_MAJOR, .name = "test",    \
		.version = "1", __VA_ARGS__                                                       \
	}

/* Zero stands for the usual. */
struct service_options {
	const char *name;
	const struct bay_plugin *plugin; /* borrowed until the service is stopped */
	const void *settings;
	uint64_t loops;                  /* mask; usually loop 0 only */
	unsigned concurrency;            /* 256 */
	size_t queue;                    /* 1,024 */
	size_t queue_bytes;              /* 1 MiB */
	enum overflow_policy overflow;   /* OVERFLOW_REJECT */
	int64_t timeout_ns;              /* none */
	size_t stack_bytes;              /* 256 KiB */
	int64_t health_interval_ns;      /* it is not asked how it is */
	int64_t health_timeout_ns;
	void (*on_health)(struct bay_instance *instance, const char *text); /* nobody hears it */
};

enum { SERVICES_ALL_LOOPS = -1 };

/* loops 0: the test's thread is loop 0. Calls may go through at most max_depth services,
 * usually 64. */
void services_begin(unsigned loops);
void services_begin_with_depth(unsigned loops, unsigned max_depth);

/* Stops what runs and fails the test when something is left: a task, a timer, a request in
 * a queue or in flight. */
void services_end(void);

/* Starts a service and fails the test if it does not start. */
struct bay_service *services_start(const struct service_options *options);

/* The same, giving the status and text of init or run; text_r is malloc'd, or NULL. */
int services_try_start(const struct service_options *options, char **text_r);

/* Stops one, as a cell does it. False: it refuses; *refusal_r is malloc'd (or NULL is given). */
bool services_stop(struct bay_service *service, int64_t drain_ns, int64_t grace_ns, char **refusal_r);

/* Fails the test when tasks, timers or requests are left. Services may run. */
void services_check_nothing_left(void);

/* Runs fn(arg) as a task of a loop until it has ended; returns its result. */
int services_run(bay_task_fn *fn, void *arg);
int services_run_on(unsigned loop, bay_task_fn *fn, void *arg);

/* The same, going on at once; with threads only. */
struct services_job;
struct services_job *services_go(unsigned loop, bay_task_fn *fn, void *arg);
int services_join(struct services_job *job);

struct scheduler *services_scheduler(unsigned loop);

/* With threads only. */
struct executor *services_executor(void);

const struct status_page *services_page(void);

/* What the master would read of it. */
struct status_service_view services_figures(const struct bay_service *service);

/* Text of the last on_failed of any service, "" if none. Borrowed. Any thread. */
const char *services_failed_text(void);
int services_failed_times(void);

/* --- inside tasks ------------------------------------------------------------------- */

/* Calls with a text and compares status and reply (NULL: whatever). */
void services_expect_text(struct bay_service *service, const char *text, int status, const char *reply);

/* A message that carries a pointer, and the pointer that a request carries. */
struct bay_message *services_pointer(const void *pointer);
void *services_request_pointer(const struct bay_request *request);

/* Calls with a pointer. */
int services_call(struct bay_service *service, const void *pointer, int64_t deadline);

#endif
