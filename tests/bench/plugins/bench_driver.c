/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Measures from where users stand: inside a loaded plugin. A request names a scenario and how
 * often to do it, "call square 1000000"; the reply is the nanoseconds that all of it took,
 * and for sleepers what they cost beside.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bay/bay.h>

enum { BATCH = 10000, CAPACITY = 1024, WORD = 32 };

struct job {
	char scenario[WORD];
	char service[WORD];   /* of a call */
	int64_t count;
	int64_t width;        /* tasks at a time, or milliseconds */
};

/* What one of several equal tasks does. */
struct share {
	struct bay_service *service;
	struct bay_channel *channel;
	struct bay_lock *lock;
	int64_t count;
	size_t size;          /* of a request; 0: a number */
};

static int
in_parallel(bay_task_fn *fn, struct share *share, int64_t width)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	int status = BAY_OK;

	for (int64_t i = 0; i < width && status == BAY_OK; i++)
		status = bay_scope_go(scope, "share", fn, share);
	return status == BAY_OK ? bay_scope_close(scope) : status;
}

/* --- calls ---------------------------------------------------------------------------- */

static int
call_often(void *arg)
{
	static const char bytes[64];
	const struct share *share = arg;
	struct bay_message *request = share->size > 0 ? bay_message(bytes, share->size) : bay_message_int64(12);
	int status = BAY_OK;

	for (int64_t i = 0; i < share->count && status == BAY_OK; i++) {
		struct bay_message *reply = NULL;

		status = bay_call(share->service, request, &reply, BAY_INHERIT);
		bay_message_free(reply);
	}
	bay_message_free(request);
	return status;
}

static int
call_alone(const struct job *job)
{
	struct share share = {.service = bay_service(job->service), .count = job->count};

	return call_often(&share);
}

static int
call_together(const struct job *job)
{
	struct share share = {.service = bay_service(job->service), .count = job->count / job->width};

	return in_parallel(call_often, &share, job->width);
}

static int
call_64_bytes_together(const struct job *job)
{
	struct share share = {.service = bay_service(job->service), .count = job->count / job->width, .size = 64};

	return in_parallel(call_often, &share, job->width);
}

/* Each call brings width bytes there and back. */
static int
call_bytes(const struct job *job)
{
	struct bay_service *service = bay_service(job->service);
	char *bytes = calloc(1, (size_t)job->width);
	struct bay_message *request = bytes != NULL ? bay_message(bytes, (size_t)job->width) : NULL;
	int status = request != NULL ? BAY_OK : BAY_NO_MEMORY;

	free(bytes);
	for (int64_t i = 0; i < job->count && status == BAY_OK; i++) {
		struct bay_message *reply = NULL;

		status = bay_call(service, request, &reply, BAY_INHERIT);
		if (status == BAY_OK && bay_message_size(reply) != (size_t)job->width)
			status = BAY_FAILED;
		bay_message_free(reply);
	}
	bay_message_free(request);
	return status;
}

static int
send_often(void *arg)
{
	const struct share *share = arg;
	struct bay_message *request = bay_message_int64(12);
	int status = BAY_OK;

	for (int64_t i = 0; i < share->count && status == BAY_OK; i++)
		status = bay_send(share->service, request, BAY_INHERIT);
	bay_message_free(request);
	return status;
}

static int
sink_total(struct bay_service *service, int64_t *total_r)
{
	struct bay_message *reply;
	int status = bay_call(service, NULL, &reply, BAY_INHERIT);

	if (status != BAY_OK)
		return status;
	status = bay_message_read_int64(reply, total_r);
	bay_message_free(reply);
	return status;
}

/* Sends one way from several tasks, until all has been handled. */
static int
send_together(const struct job *job)
{
	struct share share = {.service = bay_service(job->service), .count = job->count / job->width};
	int64_t before, now = 0;
	int status = sink_total(share.service, &before);

	if (status == BAY_OK)
		status = in_parallel(send_often, &share, job->width);
	while (status == BAY_OK && now - before < share.count * job->width) {
		status = bay_yield();
		if (status == BAY_OK)
			status = sink_total(share.service, &now);
	}
	return status;
}

/* --- tasks ---------------------------------------------------------------------------- */

static int
nothing(void *arg)
{
	(void)arg;
	return BAY_OK;
}

static int
spawn_and_join(const struct job *job)
{
	int status = BAY_OK;

	for (int64_t i = 0; i < job->count && status == BAY_OK; i++)
		status = bay_join(bay_spawn(NULL, nothing, NULL), BAY_INHERIT);
	return status;
}

static int
spawn_and_gather(const struct job *job)
{
	static struct bay_task *tasks[BATCH];
	int status = BAY_OK;

	for (int64_t done = 0; done < job->count && status == BAY_OK; done += BATCH) {
		for (int i = 0; i < BATCH; i++)
			tasks[i] = bay_spawn(NULL, nothing, NULL);
		status = bay_gather(tasks, BATCH, BAY_INHERIT);
		for (int i = 0; i < BATCH; i++)
			bay_task_free(tasks[i]);
	}
	return status;
}

static int
yield_often(void *arg)
{
	const struct share *share = arg;
	int status = BAY_OK;

	for (int64_t i = 0; i < share->count && status == BAY_OK; i++)
		status = bay_yield();
	return status;
}

static int
yield_together(const struct job *job)
{
	struct share share = {.count = job->count / job->width};

	return in_parallel(yield_often, &share, job->width);
}

/* --- channels ------------------------------------------------------------------------- */

static int
put_often(void *arg)
{
	const struct share *share = arg;
	int status = BAY_OK;

	for (int64_t i = 0; i < share->count && status == BAY_OK; i++)
		status = bay_channel_put(share->channel, arg, BAY_INHERIT);
	return status;
}

static int
get_often(void *arg)
{
	const struct share *share = arg;
	int status = BAY_OK;
	void *item;

	for (int64_t i = 0; i < share->count && status == BAY_OK; i++)
		status = bay_channel_get(share->channel, &item, BAY_INHERIT);
	return status;
}

static int
channel_together(const struct job *job, size_t capacity)
{
	struct share share = {.channel = bay_channel_create(capacity), .count = job->count / job->width};
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	int status = BAY_OK;

	for (int64_t i = 0; i < job->width && status == BAY_OK; i++) {
		status = bay_scope_go(scope, "put", put_often, &share);
		if (status == BAY_OK)
			status = bay_scope_go(scope, "get", get_often, &share);
	}
	if (status == BAY_OK)
		status = bay_scope_close(scope);
	bay_channel_destroy(share.channel);
	return status;
}

static int
channel_buffered(const struct job *job)
{
	return channel_together(job, CAPACITY);
}

static int
channel_rendezvous(const struct job *job)
{
	return channel_together(job, 0);
}

/* --- topics --------------------------------------------------------------------------- */

enum { SUBSCRIBERS_MAX = 64 };

/* Subscribed before anybody publishes. */
struct reader {
	struct bay_subscription *subscription;
	int64_t count;
};

static int
publish_often(void *arg)
{
	const struct share *share = arg;
	struct bay_message *message = bay_message_int64(12);
	int status = BAY_OK;

	for (int64_t i = 0; i < share->count && status == BAY_OK; i++)
		status = bay_publish("bench.topic", message, BAY_INHERIT);
	bay_message_free(message);
	return status;
}

/* For whoever has subscribed elsewhere. */
static int
publish_alone(const struct job *job)
{
	struct share share = {.count = job->count};

	return publish_often(&share);
}

static int
read_often(void *arg)
{
	const struct reader *reader = arg;
	int status = BAY_OK;

	for (int64_t i = 0; i < reader->count && status == BAY_OK; i++) {
		struct bay_message *message = NULL;

		status = bay_subscription_next(reader->subscription, &message, NULL, BAY_INHERIT);
		bay_message_free(message);
	}
	return status;
}

/* Count are the messages that are read, by as many readers as the job is wide. */
static int
topic_together(const struct job *job)
{
	struct bay_subscription_options options = {.length = sizeof options, .messages = CAPACITY,
		.slow = BAY_SLOW_WAIT};
	struct share share = {.count = job->count / job->width};
	struct reader readers[SUBSCRIBERS_MAX];
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	int status = job->width <= SUBSCRIBERS_MAX ? BAY_OK : BAY_INVALID;

	for (int64_t i = 0; i < job->width && status == BAY_OK; i++) {
		readers[i].count = share.count;
		status = bay_subscribe("bench.*", &options, &readers[i].subscription);
		if (status == BAY_OK)
			status = bay_scope_go(scope, "read", read_often, &readers[i]);
	}
	if (status == BAY_OK)
		status = bay_scope_go(scope, "publish", publish_often, &share);
	if (status == BAY_OK)
		status = bay_scope_close(scope);
	for (int64_t i = 0; i < job->width && status == BAY_OK; i++)
		bay_unsubscribe(readers[i].subscription);
	return status;
}

/* --- locks ---------------------------------------------------------------------------- */

static int
lock_often(void *arg)
{
	const struct share *share = arg;
	int status = BAY_OK;

	for (int64_t i = 0; i < share->count && status == BAY_OK; i++) {
		status = bay_lock_acquire(share->lock, BAY_INHERIT);
		if (status == BAY_OK)
			status = bay_lock_release(share->lock);
	}
	return status;
}

/* With a yield while it is held: the others line up meanwhile. */
static int
lock_in_turn(void *arg)
{
	const struct share *share = arg;
	int status = BAY_OK;

	for (int64_t i = 0; i < share->count && status == BAY_OK; i++) {
		status = bay_lock_acquire(share->lock, BAY_INHERIT);
		if (status == BAY_OK)
			status = bay_yield();
		bay_lock_release(share->lock);
	}
	return status;
}

static int
lock_together(const struct job *job, bay_task_fn *fn)
{
	struct share share = {.lock = bay_lock_create("bench"), .count = job->count / job->width};
	int status = in_parallel(fn, &share, job->width);

	bay_lock_destroy(share.lock);
	return status;
}

static int
lock_uncontended(const struct job *job)
{
	return lock_together(job, lock_often);
}

static int
lock_handed_on(const struct job *job)
{
	return lock_together(job, lock_in_turn);
}

static int
semaphore_uncontended(const struct job *job)
{
	struct bay_semaphore *semaphore = bay_semaphore_create_bounded("bench", 2);
	int status = BAY_OK;

	for (int64_t i = 0; i < job->count && status == BAY_OK; i++) {
		status = bay_semaphore_acquire(semaphore, 1, BAY_INHERIT);
		if (status == BAY_OK)
			status = bay_semaphore_release(semaphore, 1);
	}
	bay_semaphore_destroy(semaphore);
	return status;
}

/* --- sleepers ------------------------------------------------------------------------- */

struct sleepers {
	int64_t span_ns;
	int64_t latest_ns;  /* the most that one woke after its time */
	int64_t early;      /* how many woke before it */
	long rss_kb;        /* while all slept, beyond what there was before */
	long pte_kb;
};

static long
vm_kb(const char *field)
{
	FILE *file = fopen("/proc/self/status", "r");
	size_t length = strlen(field);
	char line[128];
	long kb = 0;

	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		if (strncmp(line, field, length) == 0 && line[length] == ':')
			kb = strtol(line + length + 1, NULL, 10);
	if (file != NULL)
		fclose(file);
	return kb;
}

static int
sleeper(void *arg)
{
	struct sleepers *sleepers = arg;
	int64_t when_ns = bay_after(sleepers->span_ns);
	int status = bay_sleep_until(when_ns);
	int64_t late_ns = bay_now() - when_ns;

	sleepers->early += late_ns < 0;
	if (late_ns > sleepers->latest_ns)
		sleepers->latest_ns = late_ns;
	return status;
}

static int
sleep_together(const struct job *job, struct sleepers *sleepers)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	long rss_kb = vm_kb("VmRSS"), pte_kb = vm_kb("VmPTE");
	int status = BAY_OK;

	*sleepers = (struct sleepers){.span_ns = job->width * BAY_MS};
	for (int64_t i = 0; i < job->count && status == BAY_OK; i++)
		status = bay_scope_go(scope, "sleeper", sleeper, sleepers);
	if (status == BAY_OK)
		status = bay_yield();
	sleepers->rss_kb = vm_kb("VmRSS") - rss_kb;
	sleepers->pte_kb = vm_kb("VmPTE") - pte_kb;
	return status == BAY_OK ? bay_scope_close(scope) : status;
}

/* "NS RSS PTE LATEST EARLY": ns beyond the sleep, bytes of each task, ns, tasks. */
static int
reply_sleepers(struct bay_request *request, const struct job *job)
{
	int64_t begin_ns = bay_now();
	struct sleepers sleepers;
	int status = sleep_together(job, &sleepers);

	if (status != BAY_OK)
		return bay_fail(request, status, "sleepers: %s", bay_status_name(status));
	return bay_reply_printf(request, "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64,
		bay_now() - begin_ns - job->width * BAY_MS, sleepers.rss_kb * 1024 / job->count,
		sleepers.pte_kb * 1024 / job->count, sleepers.latest_ns, sleepers.early);
}

/* --- the handler ---------------------------------------------------------------------- */

static const struct scenario {
	const char *name;
	int (*run)(const struct job *job);
} scenarios[] = {
	{"call", call_alone},
	{"call_bytes", call_bytes},
	{"call_together", call_together},
	{"call_64_bytes_together", call_64_bytes_together},
	{"send", send_together},
	{"spawn", spawn_and_join},
	{"spawn_gather", spawn_and_gather},
	{"yield", yield_together},
	{"channel", channel_buffered},
	{"rendezvous", channel_rendezvous},
	{"publish", publish_alone},
	{"topic", topic_together},
	{"lock", lock_uncontended},
	{"lock_handed_on", lock_handed_on},
	{"semaphore", semaphore_uncontended},
};

static int
bench_driver(struct bay_request *request)
{
	struct job job = {.width = 1};

	/* SCENARIO SERVICE COUNT [WIDTH]; service is - where there is none. */
	if (sscanf(bay_request_text(request), "%31s %31s %" SCNd64 " %" SCNd64, job.scenario, job.service,
			&job.count, &job.width) < 3)
		return bay_fail(request, BAY_INVALID, "bench_driver wants SCENARIO SERVICE COUNT [WIDTH]");
	if (strcmp(job.scenario, "sleepers") == 0)
		return reply_sleepers(request, &job);
	for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
		int64_t begin_ns = bay_now();
		int status;

		if (strcmp(job.scenario, scenarios[i].name) != 0)
			continue;
		status = scenarios[i].run(&job);
		if (status != BAY_OK)
			return bay_fail(request, status, "%s: %s %s", job.scenario, bay_status_name(status),
				bay_call_error());
		return bay_reply_int64(request, bay_now() - begin_ns);
	}
	return bay_fail(request, BAY_INVALID, "there is no scenario %s", job.scenario);
}

BAY_PLUGIN(bench_driver, "1.0.0",
	.summary = "measures from inside a cell",
	.handle = bench_driver);
