/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Callers that go on while something is done to the service that they call, and count: what
 * failed, what was not the answer, how long each call took.
 *
 *	begin N SERVICE   N tasks call it with the integer 12, each once more when it is answered
 *	halt              ends them; replies "CALLS FAILED P50 P99 MAX", in nanoseconds
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bay/bay.h>

/* 16 buckets to each power of two. */
enum { BUCKETS = 64 * 16, PAUSE_EVERY = 64 };

struct callers {
	struct bay_service *service;
	bool halt;
	int64_t live;
	int64_t calls;
	int64_t failed;
	int64_t slowest_ns;
	int64_t counts[BUCKETS];
	char failure[200];
};

static unsigned
bucket(uint64_t ns)
{
	unsigned exponent;

	if (ns < 16)
		return (unsigned)ns;
	exponent = 63 - (unsigned)__builtin_clzll(ns);
	return (exponent - 3) * 16 + (unsigned)(ns >> (exponent - 4)) - 16;
}

/* The least that the bucket of this percentile holds. */
static int64_t
percentile(const struct callers *callers, int percent)
{
	int64_t left = callers->calls * percent / 100;

	for (unsigned i = 0; i < BUCKETS; i++) {
		left -= callers->counts[i];
		if (left < 0)
			return i < 16 ? (int64_t)i : (int64_t)(16 + i % 16) << (i / 16 - 1);
	}
	return callers->slowest_ns;
}

static void
call_once(struct callers *callers, const struct bay_message *request)
{
	struct bay_message *reply = NULL;
	int64_t begin = bay_now(), number = 0, took;
	int status = bay_call(callers->service, request, &reply, bay_after(30 * BAY_SECOND));

	took = bay_now() - begin;
	callers->calls++;
	callers->counts[bucket((uint64_t)took)]++;
	if (took > callers->slowest_ns)
		callers->slowest_ns = took;
	if (status != BAY_OK || bay_message_read_int64(reply, &number) != BAY_OK || number != 144) {
		if (callers->failed++ == 0)
			snprintf(callers->failure, sizeof callers->failure, "%s: %s", bay_status_name(status),
				status != BAY_OK ? bay_call_error() : "another answer");
	}
	bay_message_free(reply);
}

static int
caller(void *arg)
{
	struct callers *callers = arg;
	struct bay_message *request = bay_message_int64(12);

	for (int n = 0; !callers->halt; n++) {
		call_once(callers, request);
		if (n % PAUSE_EVERY == 0)
			(void)!bay_yield();
	}
	bay_message_free(request);
	callers->live--;
	return BAY_OK;
}

static int
begin(struct bay_request *request, const char *how)
{
	struct callers *callers = bay_state(request);
	char *name;
	long count = strtol(how, &name, 10);

	memset(callers, 0, sizeof *callers);
	callers->service = bay_service(name + strspn(name, " "));
	for (; callers->live < count; callers->live++)
		if (bay_scope_go(bay_instance_scope(bay_request_instance(request)), "caller", caller,
			callers) != BAY_OK)
			return bay_fail(request, BAY_NO_MEMORY, "no task");
	return bay_reply_text(request, "");
}

static int
halt(struct bay_request *request)
{
	struct callers *callers = bay_state(request);

	callers->halt = true;
	while (callers->live > 0)
		(void)!bay_sleep(BAY_MS);
	return bay_reply_printf(request, "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %s",
		callers->calls, callers->failed, percentile(callers, 50), percentile(callers, 99),
		callers->slowest_ns, callers->failure);
}

static int
bench_callers(struct bay_request *request)
{
	const char *order = bay_request_text(request);

	if (strncmp(order, "begin ", 6) == 0)
		return begin(request, order + 6);
	if (strcmp(order, "halt") == 0)
		return halt(request);
	return bay_fail(request, BAY_INVALID, "no such order: %s", order);
}

static int
bench_callers_init(struct bay_instance *instance)
{
	struct callers *callers = calloc(1, sizeof *callers);

	bay_instance_set_state(instance, callers);
	return callers != NULL ? BAY_OK : BAY_NO_MEMORY;
}

static void
bench_callers_fini(struct bay_instance *instance)
{
	free(bay_instance_state(instance));
}

BAY_PLUGIN(bench_callers, "1.0.0",
	.summary = "calls and counts for the benchmarks",
	.init = bench_callers_init,
	.handle = bench_callers,
	.fini = bench_callers_fini);
