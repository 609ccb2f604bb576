/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/deadlock_watch.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/status_page.h"
#include "base/wait_graph.h"
#include "cell/executor.h"
#include "cell/wait_edges.h"
#include "cell/wait_outside.h"
#include "loop/loop.h"
#include "runtime/scheduler.h"
#include "service/registry.h"
#include "service/service.h"

/* Between two looks at the least, and how long the loops have for an answer. */
#define DEADLOCK_TICK_NS (500 * CLOCK_NS_PER_MS)

/* Of a loop's time, a look takes one part in so many. */
#define DEADLOCK_COST_SHARE 1000

/* So many looks in a row have to show waits for other cells that were there in the look before. */
#define DEADLOCK_STILL_LOOKS 2

/* What one loop is asked for, twice if need be, as in task_list.c: a wait that was there before the
 * first was asked again, and is the same after that, was there together with all such. */
struct deadlock_part {
	struct inbox_item item;
	struct deadlock_watch *watch;
	struct scheduler *scheduler;
	struct wait_edges waits;
	int64_t took_ns;  /* of the loop's thread */
	uint64_t round;   /* in which it was asked last; rounds are never counted anew */
	bool back;
};

struct deadlock_watch {
	struct loop *loop;
	const struct status_page *page;
	deadlock_told_fn *told;
	deadlock_still_fn *still;
	void *arg;
	struct timer timer;
	uint64_t round;
	bool looking;
	bool confirming;        /* it is the second round of this look */
	unsigned missing;       /* answers of this round */
	bool incomplete;        /* a loop did not answer in the last look */
	uint64_t switches;      /* of all loops, before the last look */
	int64_t next_ns;        /* no look before that */
	struct wait_edges waits; /* of the first round */
	char **circles;         /* of services, by id, as they were told; or NULL */
	unsigned circle_count;
	struct wait_edges before; /* those of the look before this one that still are, then those of this one */
	bool before_all;        /* no loop was missing in the look before */
	bool again;             /* none is now, and one was before: only the next look knows what is over */
	unsigned still_looks;   /* that have shown waits for other cells, up to DEADLOCK_STILL_LOOKS */
	unsigned count;
	struct deadlock_part parts[];
};

/* --- asking ------------------------------------------------------------------------------ */

static void deadlock_on_answer(struct inbox_item *item);

static void
deadlock_on_loop(struct inbox_item *item)
{
	struct deadlock_part *part = container_of(item, struct deadlock_part, item);
	int64_t began_ns = clock_thread_cpu_ns();

	wait_edges_of_loop(&part->waits, part->scheduler);
	part->took_ns = clock_thread_cpu_ns() - began_ns;
	item->run = deadlock_on_answer;
	loop_post(part->watch->loop, item);
}

/* Those that have not come back from an earlier look are asked no more. */
static void
deadlock_ask(struct deadlock_watch *watch)
{
	unsigned i;

	watch->round++;
	watch->missing = 0;
	for (i = 0; i < watch->count; i++) {
		struct deadlock_part *part = &watch->parts[i];

		if (!part->back || (watch->confirming && part->round != watch->round - 1)) {
			watch->incomplete = true;
			continue;
		}
		wait_edges_finish(&part->waits);
		part->back = false;
		part->round = watch->round;
		part->item.run = deadlock_on_loop;
		watch->missing++;
		loop_post(&part->scheduler->loop, &part->item);
	}
}

static void
deadlock_gather(const struct deadlock_watch *watch, struct wait_edges *waits)
{
	unsigned i;

	for (i = 0; i < watch->count; i++) {
		if (watch->parts[i].back && watch->parts[i].round == watch->round)
			wait_edges_append(waits, &watch->parts[i].waits);
	}
}

/* --- telling ------------------------------------------------------------------------------- */

/* One circle is enough of each service. */
static void
deadlock_note_circle(const struct wait_graph *graph, const uint64_t *circle, size_t length, char **found)
{
	char *text = wait_circle_text(graph, circle, length);
	size_t i;

	for (i = 0; i < length; i++) {
		const struct wait_edge *edge = wait_graph_edge(graph, circle[i]);

		if (edge != NULL && edge->service != NULL && found[edge->service->id] == NULL)
			found[edge->service->id] = xstrdup(text);
	}
	free(text);
}

/* Each circle is one of a service of which there was none yet. */
static void
deadlock_find_circles(struct wait_graph *graph, const struct wait_edges *edges, char **found)
{
	size_t i, length;

	for (i = 0; i < edges->count && wait_graph_dead(graph) > 0; i++) {
		const struct wait_edge *edge = &edges->rows[i];
		uint64_t *circle;

		if (edge->service == NULL || found[edge->service->id] != NULL || (i > 0 && edge->from == edges->rows[i - 1].from))
			continue;
		circle = wait_graph_circle(graph, edge->from, &length);
		if (circle != NULL)
			deadlock_note_circle(graph, circle, length, found);
		free(circle);
	}
}

/* Takes what was found. Another circle than before is no news, while there is one. Where not all was seen,
 * one that was not found may stand as before. */
static void
deadlock_tell(struct deadlock_watch *watch, char **found, unsigned count, bool all_seen)
{
	unsigned id;

	if (count > watch->circle_count) {
		watch->circles = xrealloc(watch->circles, count, sizeof *watch->circles);
		while (watch->circle_count < count)
			watch->circles[watch->circle_count++] = NULL;
	}
	for (id = 0; id < count; id++) {
		bool was = watch->circles[id] != NULL, is = found[id] != NULL;

		if (was && !is && !all_seen && service_state(registry_at((uint16_t)id)) == SERVICE_READY)
			continue;
		free(watch->circles[id]);
		watch->circles[id] = found[id];
		if (is != was)
			watch->told(registry_at((uint16_t)id)->name, found[id], watch->arg);
	}
}

/* --- waits for other cells ------------------------------------------------------------------ */

/* Looks what is with other cells, or is to go there; *took_ns_r is the time that others may have waited for that.
 * False: there is too much of it to say anything. */
static bool
deadlock_stands(const struct deadlock_watch *watch, bool *stands_r, int64_t *took_ns_r)
{
	struct wait_crossings sent = {.count = 0};
	int64_t began_ns = clock_thread_cpu_ns();
	bool too_many;

	wait_crossings_of_routes(&sent);
	*took_ns_r = clock_thread_cpu_ns() - began_ns;
	too_many = sent.too_many || watch->before.too_many;
	*stands_r = !too_many && wait_outside_stands(&watch->before, &sent);
	wait_crossings_finish(&sent);
	return !too_many;
}

static void
deadlock_note_still(struct deadlock_watch *watch, bool stands)
{
	bool was = watch->still_looks == DEADLOCK_STILL_LOOKS;

	if (!stands)
		watch->still_looks = 0;
	else if (!was)
		watch->still_looks++;
	if ((watch->still_looks == DEADLOCK_STILL_LOOKS) != was)
		watch->still(!was, watch->arg);
}

/* Takes the waits of a look. What was not seen, in this one or the one before, may be as it was. Returns how
 * long that took. */
static int64_t
deadlock_look_outside(struct deadlock_watch *watch, bool all_seen)
{
	int64_t took_ns;
	bool stands;

	wait_edges_keep(&watch->before, &watch->waits);
	if (deadlock_stands(watch, &stands, &took_ns) && (stands || (all_seen && watch->before_all)))
		deadlock_note_still(watch, stands);
	wait_edges_finish(&watch->before);
	watch->before = watch->waits;
	watch->again = all_seen && !watch->before_all;
	watch->before_all = all_seen;
	watch->waits = (struct wait_edges){.count = 0};
	return took_ns;
}

/* Whether waits that no task ends may have changed since the last look, and that matters. */
static bool
deadlock_moves(const struct deadlock_watch *watch)
{
	return watch->before.moves && watch->still_looks < DEADLOCK_STILL_LOOKS;
}

/* Nothing has run since the last look, so that all waits are what they were, but what was to be sent may
 * have gone meanwhile. */
static void
deadlock_look_again(struct deadlock_watch *watch)
{
	int64_t took_ns;
	bool stands;

	if (watch->still_looks < DEADLOCK_STILL_LOOKS && deadlock_stands(watch, &stands, &took_ns))
		deadlock_note_still(watch, stands);
}

/* --- a look --------------------------------------------------------------------------------- */

static void
deadlock_end(struct deadlock_watch *watch, struct wait_graph *graph)
{
	unsigned i, count = registry_count();
	char **found = xcalloc(count + 1, sizeof *found);
	bool all_seen = !watch->incomplete && !watch->waits.too_many;
	int64_t most_ns;

	watch->looking = false;
	deadlock_find_circles(graph, &watch->waits, found);
	deadlock_tell(watch, found, count, all_seen && !wait_graph_gave_up(graph));
	free(found);
	most_ns = deadlock_look_outside(watch, all_seen);
	for (i = 0; i < watch->count; i++)
		most_ns = watch->parts[i].back && watch->parts[i].took_ns > most_ns ? watch->parts[i].took_ns : most_ns;
	watch->next_ns = loop_now(watch->loop) + most_ns * DEADLOCK_COST_SHARE;
}

static void
deadlock_round_is_over(struct deadlock_watch *watch)
{
	struct wait_edges later = {.count = 0};
	struct wait_graph *graph;

	if (!watch->confirming) {
		deadlock_gather(watch, &watch->waits);
		wait_edges_of_queues(&watch->waits);
	} else {
		deadlock_gather(watch, &later);
		wait_edges_keep(&watch->waits, &later);
		wait_edges_finish(&later);
	}
	watch->incomplete |= watch->missing > 0;
	graph = wait_graph_create(&watch->waits);
	if (wait_graph_dead(graph) > 0 && !watch->confirming) {
		watch->confirming = true;
		deadlock_ask(watch);
	} else {
		deadlock_end(watch, graph);
	}
	wait_graph_destroy(graph);
}

static void
deadlock_on_answer(struct inbox_item *item)
{
	struct deadlock_part *part = container_of(item, struct deadlock_part, item);
	struct deadlock_watch *watch = part->watch;

	part->back = true;
	if (watch->looking && part->round == watch->round && --watch->missing == 0)
		deadlock_round_is_over(watch);
}

static uint64_t
deadlock_count_switches(const struct deadlock_watch *watch)
{
	uint64_t switches = 0;
	unsigned i;

	for (i = 0; i < watch->count; i++)
		switches += atomic_load_explicit(&status_page_loop(watch->page, i)->switches, memory_order_relaxed);
	return switches;
}

static void
deadlock_begin(struct deadlock_watch *watch)
{
	uint64_t switches = deadlock_count_switches(watch);

	if (loop_now(watch->loop) < watch->next_ns)
		return;
	if (switches == watch->switches && !watch->incomplete && !watch->again && !deadlock_moves(watch)) {
		deadlock_look_again(watch);
		return;
	}
	watch->switches = switches;
	watch->incomplete = false;
	watch->looking = true;
	watch->confirming = false;
	wait_edges_finish(&watch->waits);
	deadlock_ask(watch);
	if (watch->missing == 0)
		watch->looking = false;
}

static void
deadlock_on_tick(struct timer *timer)
{
	struct deadlock_watch *watch = container_of(timer, struct deadlock_watch, timer);

	if (watch->looking)
		deadlock_round_is_over(watch);
	else
		deadlock_begin(watch);
	wheel_add(&watch->loop->wheel, &watch->timer, loop_now(watch->loop) + DEADLOCK_TICK_NS);
}

/* --- life ------------------------------------------------------------------------------------- */

struct deadlock_watch *
deadlock_watch_create(struct loop *loop, struct executor *executor, const struct status_page *page,
	deadlock_told_fn *told, deadlock_still_fn *still, void *arg)
{
	unsigned i, count = executor_count(executor);
	struct deadlock_watch *watch = xcalloc(1, sizeof *watch + count * sizeof watch->parts[0]);

	watch->loop = loop;
	watch->page = page;
	watch->told = told;
	watch->still = still;
	watch->arg = arg;
	watch->count = count;
	for (i = 0; i < count; i++) {
		watch->parts[i].watch = watch;
		watch->parts[i].scheduler = executor_scheduler(executor, i);
		watch->parts[i].back = true;
	}
	timer_init(&watch->timer, deadlock_on_tick);
	wheel_add(&loop->wheel, &watch->timer, loop_now(loop) + DEADLOCK_TICK_NS);
	return watch;
}

void
deadlock_watch_destroy(struct deadlock_watch *watch)
{
	unsigned i;

	if (watch == NULL)
		return;
	wheel_remove(&watch->loop->wheel, &watch->timer);
	for (i = 0; i < watch->count; i++)
		wait_edges_finish(&watch->parts[i].waits);
	for (i = 0; i < watch->circle_count; i++)
		free(watch->circles[i]);
	free(watch->circles);
	wait_edges_finish(&watch->waits);
	wait_edges_finish(&watch->before);
	free(watch);
}
