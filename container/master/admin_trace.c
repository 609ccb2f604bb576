/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tracer has a place among the hops that were read and is sent, as long as there is room in its
 * connection, the trees of requests that have ended. The cell of a service is told to record what
 * comes to it while there is a tracer of it; whenever that is another process, it is told again.
 */
#include "config.h"

#include "master/admin_trace.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/traceparent.h"
#include "master/admin_commands.h"
#include "master/cell_process.h"
#include "master/hop_reader.h"
#include "master/hop_store.h"
#include "master/master.h"
#include "master/master_cell.h"
#include "master/supervisor.h"
#include "protocol/cell_link.h"
#include "protocol/varlink.h"

/* How often is looked for hops: their rings hold so many for so long. */
static const struct timeval trace_period = {.tv_usec = 50 * 1000};

/* How long a cell may take to record before who traces is told that it is slow. */
#define TRACE_BEGIN_NS INT64_C(1000000000)

struct admin_tracers {
	struct master *master;
	struct event *timer;
	struct list tracers;      /* struct tracer */
	struct list targets;      /* struct trace_target */
	struct hop_store *store;  /* NULL: nobody traces */
	struct hop_reader *reader;
	uint32_t bits;            /* of the tracers */
	int64_t read_ns;          /* hops that ended before are all there */
	bool closing;             /* there are no cells any more */
	struct hop_node nodes[HOP_TREE_MAX];
};

/* A service that is traced. */
struct trace_target {
	struct list link;
	char service[HOP_NAME_SIZE];
	unsigned tracers;
	int64_t asked_ns;         /* the process that was told: when it was started; 0: none */
	bool told;                /* and it has said that it does */
	int64_t wait_until_ns;    /* it is not waited for any longer, since one of its loops may hang */
};

struct tracer {
	struct list link;
	struct admin_tracers *tracers;
	struct admin_request *request;
	struct trace_target *target;
	struct trace_id only;     /* or none: all */
	unsigned bit;
	uint64_t next;            /* the number of the hop to be looked at next */
	uint64_t lost_before;     /* in all, when it began, or was told last */
	uint64_t lost;            /* that it has been told of */
	int64_t for_ns;           /* from when it has begun; 0: until it goes */
	int64_t until_ns;         /* INT64_MAX: not yet, or until it goes */
	int64_t left;             /* requests that it still wants */
	int64_t told;             /* requests */
	bool begun;               /* and it has been told so */
};

/* What is asked of a cell, and of whom; stays until the answer. */
struct trace_ask {
	struct admin_tracers *tracers;
	int64_t asked_ns;
	char service[HOP_NAME_SIZE];
};

/* --- the cells ------------------------------------------------------------------------- */

static struct trace_target *
trace_target_find(struct admin_tracers *tracers, const char *service)
{
	list_for_each(pos, &tracers->targets) {
		struct trace_target *target = container_of(pos, struct trace_target, link);

		if (strcmp(target->service, service) == 0)
			return target;
	}
	return NULL;
}

static void
trace_on_told(const struct cell_reply *reply, void *arg)
{
	struct trace_ask *ask = arg;
	struct trace_target *target = trace_target_find(ask->tracers, ask->service);

	/* Who died is followed by another one. */
	if (target != NULL && target->asked_ns == ask->asked_ns && reply->kind != CELL_REPLY_DIED)
		target->told = true;
	if (!list_empty(&ask->tracers->tracers))
		event_active(ask->tracers->timer, EV_TIMEOUT, 0);
	free(ask);
}

static void
trace_tell_cell(struct admin_tracers *tracers, struct cell_process *process, const char *service, bool on)
{
	struct cell_trace trace = {.service = service, .on = on};
	struct trace_ask *ask;

	if (!on) {
		cell_process_call(process, CELL_TRACE, cell_trace_to_json(&trace), -1, 0, cell_reply_ignore, NULL);
		return;
	}
	ask = xcalloc(1, sizeof(*ask));
	ask->tracers = tracers;
	ask->asked_ns = cell_process_started_ns(process);
	snprintf(ask->service, sizeof(ask->service), "%s", service);
	cell_process_call(process, CELL_TRACE, cell_trace_to_json(&trace), -1, 0, trace_on_told, ask);
}

/* The process that its service is in, or NULL. */
static struct cell_process *
trace_target_process(const struct admin_tracers *tracers, const struct trace_target *target)
{
	const struct master_service *service = supervisor_find(tracers->master->supervisor, target->service);

	return service != NULL ? master_cell_ready(service->cell) : NULL;
}

/* Tells the process that records it to do so no more, if that is still there. */
static void
trace_target_untell(struct admin_tracers *tracers, struct trace_target *target)
{
	for (size_t i = 0; target->asked_ns != 0 && i < supervisor_cell_count(tracers->master->supervisor); i++) {
		struct cell_process *process = master_cell_hears(supervisor_cell(tracers->master->supervisor, i));

		if (process != NULL && cell_process_started_ns(process) == target->asked_ns)
			trace_tell_cell(tracers, process, target->service, false);
	}
	target->asked_ns = 0;
}

static void
trace_target_tell(struct admin_tracers *tracers, struct trace_target *target)
{
	struct cell_process *process = trace_target_process(tracers, target);

	if (process == NULL || target->asked_ns == cell_process_started_ns(process))
		return;
	/* It may have moved. */
	trace_target_untell(tracers, target);
	target->asked_ns = cell_process_started_ns(process);
	target->told = false;
	target->wait_until_ns = clock_monotonic_ns() + TRACE_BEGIN_NS;
	trace_tell_cell(tracers, process, target->service, true);
}

static struct trace_target *
trace_target_take(struct admin_tracers *tracers, const char *service)
{
	struct trace_target *target = trace_target_find(tracers, service);

	if (target == NULL) {
		target = xcalloc(1, sizeof(*target));
		snprintf(target->service, sizeof(target->service), "%s", service);
		list_push_back(&tracers->targets, &target->link);
	}
	target->tracers++;
	trace_target_tell(tracers, target);
	return target;
}

static void
trace_target_leave(struct admin_tracers *tracers, struct trace_target *target)
{
	if (--target->tracers > 0)
		return;
	if (!tracers->closing)
		trace_target_untell(tracers, target);
	list_remove(&target->link);
	free(target);
}

/* --- replies --------------------------------------------------------------------------- */

static const char *
hop_way(const struct hop *hop)
{
	if ((hop->flags & HOP_CAME_OVER) != 0)
		return "cell";
	return (hop->flags & HOP_QUEUED) != 0 ? "queued" : "direct";
}

static json_t *
hop_to_json(const struct hop_node *node, int64_t start_ns)
{
	const struct hop *hop = &node->entry->hop;
	int64_t begun_ns = hop->begun_ns != 0 ? hop->begun_ns : hop->ended_ns;
	char span[SPAN_ID_SIZE];
	json_t *json;

	span_id_print(span, hop->span);
	json = json_pack("{s:i, s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:s, s:s}", "level", (int)node->level,
		"service", node->entry->service, "cell", node->entry->cell, "way", hop_way(hop),
		"one_way", (int)((hop->flags & HOP_ONE_WAY) != 0), "start_ns", (json_int_t)(hop->came_ns - start_ns),
		"wait_ns", (json_int_t)((hop->flags & HOP_QUEUED) != 0 ? begun_ns - hop->came_ns : 0),
		"run_ns", (json_int_t)(hop->ended_ns - begun_ns), "total_ns", (json_int_t)(hop->ended_ns - hop->came_ns),
		"status", bay_status_name(hop->status), "span", span);
	if (json != NULL && hop->parent != 0) {
		span_id_print(span, hop->parent);
		json_object_set_new(json, "parent", json_string(span));
	}
	if (json != NULL && (hop->flags & HOP_CRASHED) != 0)
		json_object_set_new(json, "crashed", json_true());
	return json;
}

/* NULL: no memory. */
static json_t *
trace_tree_to_json(const struct hop_node *nodes, size_t count, size_t left_out, bool continues)
{
	const struct hop *root = &nodes[0].entry->hop;
	char id[TRACE_ID_SIZE];
	json_t *hops = json_array(), *json;

	for (size_t i = 0; i < count; i++)
		json_array_append_new(hops, hop_to_json(&nodes[i], root->came_ns));
	trace_id_print(id, &root->id);
	json = json_pack("{s:s, s:I, s:b, s:o}", "trace", id, "time_wall_ns",
		(json_int_t)(clock_wall_ns() - (clock_monotonic_ns() - root->came_ns)), "continues", (int)continues, "hops", hops);
	if (json != NULL && *root->caller != '\0')
		json_object_set_new(json, "caller", varlink_text(root->caller));
	if (json != NULL && left_out > 0)
		json_object_set_new(json, "left_out", json_integer((json_int_t)left_out));
	return json;
}

/* --- tracers --------------------------------------------------------------------------- */

static void
tracer_end(struct tracer *tracer)
{
	struct admin_tracers *tracers = tracer->tracers;

	list_remove(&tracer->link);
	tracers->bits &= ~(UINT32_C(1) << tracer->bit);
	hop_store_clear(tracers->store, tracer->bit);
	trace_target_leave(tracers, tracer->target);
	admin_reply(tracer->request, json_pack("{s:{s:I, s:I}}", "ended", "requests", (json_int_t)tracer->told,
		"lost", (json_int_t)tracer->lost));
	free(tracer);
	if (!list_empty(&tracers->tracers))
		return;
	event_del(tracers->timer);
	hop_reader_destroy(tracers->reader);
	hop_store_destroy(tracers->store);
	tracers->reader = NULL;
	tracers->store = NULL;
}

/* Whoever comes after it knows that what passes is recorded; of a service that does not run, nothing
 * passes. Loops that hang record as soon as they go on. */
static bool
tracer_tell_begin(struct tracer *tracer)
{
	const struct trace_target *target = tracer->target;
	int64_t now_ns = clock_monotonic_ns();
	bool told = target->told || trace_target_process(tracer->tracers, target) == NULL;
	json_t *begun;

	if (tracer->begun || (!told && now_ns < target->wait_until_ns))
		return tracer->begun;
	begun = json_pack("{s:s}", "begun", target->service);
	if (begun != NULL && !told)
		json_object_set_new(begun, "slow", json_true());
	tracer->begun = admin_reply_part(tracer->request, begun);
	if (tracer->begun && tracer->for_ns != 0 && tracer->for_ns < INT64_MAX - now_ns)
		tracer->until_ns = now_ns + tracer->for_ns;
	return tracer->begun;
}

/* Hops that nobody has read in time, or that this one has not. */
static bool
tracer_tell_lost(struct tracer *tracer)
{
	uint64_t oldest = hop_store_oldest(tracer->tracers->store);
	uint64_t lost = hop_reader_lost(tracer->tracers->reader) - tracer->lost_before;

	if (tracer->next < oldest)
		lost += oldest - tracer->next;
	if (lost == 0)
		return true;
	if (!admin_reply_part(tracer->request, json_pack("{s:I}", "lost", (json_int_t)lost)))
		return false;
	tracer->lost += lost;
	tracer->lost_before = hop_reader_lost(tracer->tracers->reader);
	if (tracer->next < oldest)
		tracer->next = oldest;
	return true;
}

/* False: there is no room now, and it has not been told. */
static bool
tracer_tell_tree(struct tracer *tracer, const struct hop_entry *entry)
{
	struct admin_tracers *tracers = tracer->tracers;
	bool continues = strcmp(entry->service, tracer->target->service) != 0 || (entry->hop.flags & HOP_AGAIN) != 0;
	size_t left_out, count;

	if (!admin_request_has_room(tracer->request))
		return false;
	count = hop_store_tree(tracers->store, entry, tracer->bit, tracers->nodes, &left_out);
	if (!admin_reply_part(tracer->request, json_pack("{s:o}", "request",
		trace_tree_to_json(tracers->nodes, count, left_out, continues))))
		return false;
	if (!continues) {
		tracer->told++;
		tracer->left--;
	}
	return true;
}

static bool
tracer_wants(const struct tracer *tracer, const struct hop_entry *entry)
{
	const struct trace_id *only = &tracer->only, *id = &entry->hop.id;

	return (trace_id_is_none(only) || (only->high == id->high && only->low == id->low)) &&
		hop_store_is_root(tracer->tracers->store, entry, tracer->target->service, tracer->bit);
}

/* Sends what there is room for. What ended while it was read may lack something, and is looked at
 * again. False: there was not room for all. */
static bool
tracer_pump(struct tracer *tracer)
{
	const struct admin_tracers *tracers = tracer->tracers;
	bool all = true;

	if (!tracer_tell_begin(tracer) || !tracer_tell_lost(tracer))
		return false;
	for (uint64_t i = tracer->next; i < hop_store_end(tracers->store) && tracer->left > 0; i++) {
		const struct hop_entry *entry = hop_store_at(tracers->store, i);

		if (entry->hop.ended_ns >= tracers->read_ns) {
			all = false;
			continue;
		}
		if (tracer_wants(tracer, entry) && !tracer_tell_tree(tracer, entry))
			return false;
		if (all)
			tracer->next = i + 1;
	}
	return true;
}

static void
tracer_on_gone(struct admin_request *request, void *arg)
{
	(void)request;
	tracer_end(arg);
}

static void
tracer_on_room(struct admin_request *request, void *arg)
{
	struct tracer *tracer = arg;

	(void)request;
	(void)tracer_pump(tracer);
}

/* --- all of them ----------------------------------------------------------------------- */

static void
tracers_pump(struct admin_tracers *tracers)
{
	int64_t now_ns = clock_monotonic_ns();

	tracers->read_ns = hop_reader_read(tracers->reader);
	list_for_each(pos, &tracers->targets)
		trace_target_tell(tracers, container_of(pos, struct trace_target, link));
	list_for_each_safe(pos, &tracers->tracers) {
		struct tracer *tracer = container_of(pos, struct tracer, link);
		bool over = tracer->until_ns <= now_ns;

		/* Who has not read all by then does not get it. */
		if ((tracer_pump(tracer) && tracer->left <= 0) || over)
			tracer_end(tracer);
	}
}

static void
tracers_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct admin_tracers *tracers = arg;

	(void)fd;
	(void)what;
	if (list_empty(&tracers->tracers))
		return;
	tracers_pump(tracers);
	if (!list_empty(&tracers->tracers))
		event_add(tracers->timer, &trace_period);
}

void
admin_tracers_cell_ended(struct admin_tracers *tracers, const struct master_cell *cell,
	const struct status_page *page, uint32_t hung_slot)
{
	if (tracers->reader != NULL)
		hop_reader_cell_ended(tracers->reader, cell, page, hung_slot);
}

/* --- the command ----------------------------------------------------------------------- */

static int64_t
trace_integer(const json_t *parameters, const char *name, int64_t otherwise)
{
	const json_t *value = json_object_get(parameters, name);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static struct tracer *
tracer_create(struct admin_tracers *tracers, struct admin_request *request, const char *service,
	const struct trace_id *only)
{
	struct tracer *tracer = xcalloc(1, sizeof(*tracer));

	tracer->tracers = tracers;
	tracer->request = request;
	while ((tracers->bits >> tracer->bit & 1) != 0)
		tracer->bit++;
	tracers->bits |= UINT32_C(1) << tracer->bit;
	tracer->next = hop_store_end(tracers->store);
	tracer->lost_before = hop_reader_lost(tracers->reader);
	tracer->for_ns = trace_integer(request->parameters, "for_ns", 0);
	tracer->until_ns = INT64_MAX;
	tracer->left = trace_integer(request->parameters, "limit", INT64_MAX);
	tracer->only = *only;
	tracer->target = trace_target_take(tracers, service);
	list_push_back(&tracers->tracers, &tracer->link);
	return tracer;
}

void
admin_trace(struct admin_request *request, struct master *master)
{
	struct admin_tracers *tracers = master->admin_tracers;
	const char *header = json_string_value(json_object_get(request->parameters, "traceparent"));
	const struct master_service *service = admin_find_service(request, master);
	struct traceparent only = {0};
	struct tracer *tracer;

	if (service == NULL || admin_refused_while_draining(request, master))
		return;
	if (header != NULL && !traceparent_parse(header, strlen(header), &only)) {
		admin_fail(request, BAY_INVALID, "trace service %s: the traceparent is not valid: it has the form of "
			"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", service->config->name);
		return;
	}
	if (tracers->bits == UINT32_MAX) {
		admin_fail(request, BAY_FULL, "trace service %s: %d are tracing already: wait until one of them ends",
			service->config->name, HOP_READERS_MAX);
		return;
	}
	if (tracers->store == NULL) {
		tracers->store = hop_store_create();
		tracers->reader = hop_reader_create(master->supervisor, tracers->store);
	}
	tracer = tracer_create(tracers, request, service->config->name, &only.id);
	admin_request_watch(request, tracer_on_gone, tracer_on_room, tracer);
	if (!evtimer_pending(tracers->timer, NULL))
		event_add(tracers->timer, &trace_period);
	(void)tracer_pump(tracer);
}

/* --- lifecycle ------------------------------------------------------------------------- */

struct admin_tracers *
admin_tracers_create(struct event_base *base, struct master *master)
{
	struct admin_tracers *tracers = xcalloc(1, sizeof(*tracers));

	tracers->master = master;
	list_init(&tracers->tracers);
	list_init(&tracers->targets);
	tracers->timer = evtimer_new(base, tracers_on_timer, tracers);
	if (tracers->timer == NULL) {
		free(tracers);
		return NULL;
	}
	return tracers;
}

void
admin_tracers_destroy(struct admin_tracers *tracers)
{
	if (tracers == NULL)
		return;
	tracers->closing = true;
	list_for_each_safe(pos, &tracers->tracers)
		tracer_end(container_of(pos, struct tracer, link));
	event_free(tracers->timer);
	free(tracers);
}
