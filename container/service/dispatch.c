/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/dispatch.h"

#include <sys/resource.h>

#include "base/clock.h"
#include "runtime/scheduler.h"
#include "service/bounds.h"
#include "service/canary.h"
#include "service/hop.h"
#include "service/instance.h"
#include "service/ready_set.h"
#include "service/service_queue.h"

/*
 * A pass takes messages of one service, and so many that the others have their turn soon: at most these
 * and for so long, both for the usual weight. What a message costs is known from the passes before: the
 * time from one to the next, by the number that was taken. Who has taken longer than it was to has a
 * debt, and lets the others pass until that is paid.
 */
#define DISPATCH_BATCH 64
#define DISPATCH_NS (200 * CLOCK_NS_PER_US)
/* The greatest debt, in turns. */
#define DISPATCH_DEBT 16

/* How much of the processor the thread has had, and how often it has slept. */
struct dispatch_usage {
	bool known;
	int64_t cpu_ns;
	long sleeps;
};

/* What the latest pass of this thread has taken. */
static __thread struct {
	const struct bay_service *service;
	size_t count;
	int64_t at_ns;
	struct dispatch_usage usage; /* then; known only of turns that are long as it seems */
	uint64_t pass;
	uint64_t waits;
} dispatched __attribute__((tls_model("initial-exec")));

/* One that never began. */
static void
dispatch_send_home(struct bay_request *request)
{
	if (request->counted)
		service_queue_ended(request);
	request_go_home(request);
}

static void
dispatch_start(struct bay_instance *instance, struct bay_request *request, int64_t now_ns)
{
	if (request->deadline <= now_ns) {
		request_fail(request, BAY_TIMEOUT, "service %s: the deadline passed in the queue", instance->service->name);
		service_count(instance->service, SERVICE_EVENT_TIMEOUT);
		dispatch_send_home(request);
		return;
	}
	instance = canary_or_self(instance);
	request->taken_ns = now_ns;
	if (__builtin_expect(request->recorded != 0, 0))
		hop_begin_handler(request);
	histogram_record(&instance->counters->wait, (uint64_t)(now_ns - request->queued_ns));
	if (instance_run_later(instance, request))
		return;
	request_fail(request, BAY_NO_MEMORY, "service %s: no stack for the handler", instance->service->name);
	service_count(instance->service, SERVICE_EVENT_FAILED);
	dispatch_send_home(request);
}

static uint64_t
dispatch_waits(const struct scheduler *scheduler)
{
	return scheduler->loop.sleeps + scheduler->loop.spins;
}

static struct dispatch_usage
dispatch_use(void)
{
	struct rusage times;

	if (getrusage(RUSAGE_THREAD, &times) != 0)
		return (struct dispatch_usage){.known = false};
	/* Its times are as old as the latest tick. */
	return (struct dispatch_usage){.known = true, .cpu_ns = clock_thread_cpu_ns(), .sleeps = times.ru_nvcsw};
}

/* What the latest turn took of the loop. On a machine that is short of processors the thread waits
 * for one now and then: that is nobody's fault, and a service that was charged with it would wait for
 * many turns of others. What sleeps in a system call keeps the loop, though. */
static int64_t
dispatch_took(int64_t now_ns)
{
	int64_t took_ns = now_ns - dispatched.at_ns;
	struct dispatch_usage usage;

	/* It was to be short: more is believed when it is looked at. */
	if (!dispatched.usage.known)
		return took_ns < DISPATCH_NS ? took_ns : DISPATCH_NS;
	usage = dispatch_use();
	if (!usage.known || usage.sleeps != dispatched.usage.sleeps || usage.cpu_ns - dispatched.usage.cpu_ns > took_ns)
		return took_ns;
	return usage.cpu_ns - dispatched.usage.cpu_ns;
}

/* Only when the next pass follows at once, its time is that of what was taken. */
static void
dispatch_learn(const struct scheduler *scheduler, int64_t now_ns)
{
	struct bay_instance *instance;
	int64_t sample_ns;

	if (dispatched.count == 0 || scheduler->passes != dispatched.pass + 1 ||
		dispatch_waits(scheduler) != dispatched.waits)
		return;
	instance = dispatched.service->instances[scheduler->index];
	if (instance == NULL)
		return;
	sample_ns = dispatch_took(now_ns) / (int64_t)dispatched.count;
	if (sample_ns < 1)
		sample_ns = 1;
	if (instance->message_ns == 0)
		instance->message_ns = sample_ns;
	else
		instance->message_ns += (sample_ns - instance->message_ns) / 2;
}

static int64_t
dispatch_share(const struct bay_instance *instance, int64_t of_usual)
{
	return of_usual * instance->weight / SERVICE_WEIGHT;
}

/* How many messages it may begin in this turn. */
static size_t
dispatch_count(const struct scheduler *scheduler, struct bay_instance *instance, int64_t now_ns)
{
	int64_t batch = dispatch_share(instance, DISPATCH_BATCH);
	int64_t turn_ns = dispatch_share(instance, DISPATCH_NS);
	int64_t count;
	unsigned others;

	/* Whose messages may take any time begins with one. */
	if (batch < 1 || instance->message_ns == 0)
		batch = 1;
	if (instance->credit_ns >= 0 && instance->message_ns * batch <= turn_ns)
		return (size_t)batch;
	others = ready_set_count(scheduler);
	/* Nobody has waited for what it owes. */
	if (others == 0 && instance->credit_ns < 0)
		instance->credit_ns = 0;
	/* While it had nothing to do, the others had its part of the loop. */
	if (instance->left_ns != 0 && now_ns > instance->left_ns)
		instance->credit_ns += (now_ns - instance->left_ns) / (int64_t)(others > 0 ? others : 1);
	instance->credit_ns += turn_ns;
	/* What was left of the last turn did not suffice for one more. */
	if (instance->credit_ns > turn_ns + instance->message_ns)
		instance->credit_ns = turn_ns + instance->message_ns;
	if (instance->credit_ns <= 0 && others > 0)
		return 0;
	count = instance->message_ns > 0 ? instance->credit_ns / instance->message_ns : batch;
	if (count < 1)
		count = 1;
	return (size_t)(count < batch ? count : batch);
}

static void
dispatch_note(const struct scheduler *scheduler, struct bay_instance *instance, size_t count, int64_t now_ns)
{
	int64_t debt_ns = -DISPATCH_DEBT * dispatch_share(instance, DISPATCH_NS);

	dispatched.service = instance->service;
	dispatched.count = count;
	dispatched.at_ns = now_ns;
	dispatched.pass = scheduler->passes;
	dispatched.waits = dispatch_waits(scheduler);
	/* When it ends, if it is to come anew after that. */
	instance->left_ns = atomic_load_explicit(&instance->service->queued, memory_order_relaxed) == 0 ?
		now_ns + (int64_t)count * instance->message_ns : 0;
	dispatched.usage.known = false;
	if ((int64_t)count * instance->message_ns >= DISPATCH_NS / 4)
		dispatched.usage = dispatch_use();
	instance->credit_ns -= (int64_t)count * instance->message_ns;
	if (instance->credit_ns < debt_ns)
		instance->credit_ns = debt_ns;
}

bool
dispatch_find_work(struct scheduler *scheduler, void *arg)
{
	struct list taken = LIST_INIT(taken);
	struct bay_service *service;
	struct bay_instance *instance;
	struct list *link;
	int64_t now_ns, again_ns;
	size_t room, count;

	(void)arg;
	service = ready_set_pop(scheduler);
	if (service == NULL)
		return false;
	instance = service->instances[scheduler->index];
	room = instance_room(instance);
	now_ns = clock_monotonic_ns();
	dispatch_learn(scheduler, now_ns);
	count = dispatch_count(scheduler, instance, now_ns);
	again_ns = service_queue_take(service, room < count ? room : count, now_ns, scheduler, &taken);
	if (__builtin_expect(again_ns != 0, 0))
		bounds_timer_set(instance, again_ns);
	for (count = 0; (link = list_pop_front(&taken)) != NULL; count++)
		dispatch_start(instance, container_of(link, struct bay_request, link), now_ns);
	dispatch_note(scheduler, instance, count, now_ns);
	return true;
}

void
dispatch_forget(void)
{
	dispatched.count = 0;
}
