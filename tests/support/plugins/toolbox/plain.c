/* SPDX-License-Identifier: BSD-2-Clause */
/* What needs no task: <bay/status.h>, <bay/time.h>, <bay/memory.h>, <bay/log.h> */
#include <string.h>

#include "toolbox.h"

static void
see_statuses(struct bay_request *request, const char *argument, struct seen *seen)
{
	(void)request;
	(void)argument;
	for (int status = BAY_OK; status <= BAY_NOT_PERMITTED + 1; status++)
		saw(seen, "%s", bay_status_name(status));
}

static void
see_clocks(struct bay_request *request, const char *argument, struct seen *seen)
{
	int64_t first_ns = bay_now(), second_ns = bay_now();
	int64_t after_ns = bay_after(BAY_SECOND);

	(void)request;
	(void)argument;
	saw(seen, second_ns >= first_ns ? "goes-on" : "goes-back");
	saw(seen, bay_wall() > INT64_C(1700000000) * BAY_SECOND ? "wall" : "no-wall");
	saw(seen, after_ns >= second_ns + BAY_SECOND ? "after" : "too-early");
	saw(seen, after_ns <= bay_now() + BAY_SECOND ? "in-time" : "too-late");
	saw(seen, bay_after(-BAY_SECOND) < first_ns ? "past" : "not-past");
	saw(seen, bay_after(INT64_MAX) == BAY_INHERIT ? "for-ever" : "not-for-ever");
}

static void
see_sleep(struct bay_request *request, const char *argument, struct seen *seen)
{
	int64_t begin_ns = bay_now(), when_ns;
	int status = bay_sleep(20 * BAY_MS);

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(status));
	saw(seen, bay_now() - begin_ns >= 20 * BAY_MS ? "slept" : "too-short");
	when_ns = bay_after(20 * BAY_MS);
	status = bay_sleep_until(when_ns);
	saw(seen, "%s %s", bay_status_name(status), bay_now() >= when_ns ? "slept" : "too-short");
	saw(seen, "%s", bay_status_name(bay_sleep_until(begin_ns)));
}

/* --- memory ---------------------------------------------------------------------------- */

static bool
is_zero(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

static void
see_memory(struct bay_request *request, const char *argument, struct seen *seen)
{
	char *memory = bay_alloc(1000), *other = bay_resize(NULL, 10);
	const size_t huge = (size_t)1 << 62;

	(void)request;
	(void)argument;
	saw(seen, is_zero(memory, 1000) ? "zero" : "not-zero");
	memset(memory, 'x', 1000);
	memory = bay_resize(memory, 100000);
	saw(seen, memory[0] == 'x' && memory[999] == 'x' ? "kept" : "lost");
	saw(seen, is_zero(memory + 1000, 99000) ? "zero" : "not-zero");
	memory = bay_resize(memory, 10);
	saw(seen, memory[9] == 'x' ? "kept" : "lost");
	saw(seen, bay_resize(memory, huge) == NULL && memory[9] == 'x' ? "refused" : "not-refused");
	saw(seen, is_zero(other, 10) ? "zero" : "not-zero");
	bay_free(other);
	bay_free(memory);
	bay_free(NULL);
}

/* Memory that stays, to be seen from outside. */
static void
hold_memory(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct toolbox_state *state = bay_state(request);

	(void)argument;
	bay_free(state->held);
	state->held = bay_alloc(1000000);
	saw(seen, state->held != NULL ? "held" : "no-memory");
}

static void
drop_memory(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct toolbox_state *state = bay_state(request);

	(void)argument;
	bay_free(state->held);
	state->held = NULL;
	saw(seen, "dropped");
}

/* --- log ------------------------------------------------------------------------------- */

static int
count_evaluation(int *count)
{
	return ++*count;
}

static void
see_log(struct bay_request *request, const char *argument, struct seen *seen)
{
	int evaluated = 0;

	(void)request;
	bay_log_error("toolbox error %s", argument);
	bay_log_warn("toolbox warn %s", argument);
	bay_log_info("toolbox info %s", argument);
	bay_log_debug("toolbox debug %d", count_evaluation(&evaluated));
	bay_log(BAY_LOG_INFO, "toolbox plain %s", argument);
	saw(seen, "%d%d%d%d", bay_log_enabled(BAY_LOG_ERROR), bay_log_enabled(BAY_LOG_WARN),
		bay_log_enabled(BAY_LOG_INFO), bay_log_enabled(BAY_LOG_DEBUG));
	saw(seen, "evaluated %d", evaluated);
}

static void
see_arena(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_arena *arena = bay_arena_create();
	size_t bytes = bay_arena_bytes(arena);
	char *piece = bay_arena_alloc(arena, 5000);

	saw(seen, piece[0] == 0 && piece[4999] == 0 ? "zero" : "not-zero");
	saw(seen, bay_arena_bytes(arena) >= bytes + 5000 ? "grew" : "did-not-grow");
	bay_arena_reset(arena);
	saw(seen, bay_arena_bytes(arena) == bytes ? "shrank" : "did-not-shrink");
	bay_arena_destroy(arena);
	arena = bay_request_arena(request);
	saw(seen, arena == bay_request_arena(request) ? "same" : "another");
	saw(seen, "%s", bay_arena_printf(arena, "<%s>", (char *)bay_arena_copy(arena, argument, 2)));
}

const struct operation plain_operations[] = {
	{"arena", see_arena, NULL},
	{"statuses", see_statuses, NULL},
	{"clocks", see_clocks, NULL},
	{"sleep", see_sleep, NULL},
	{"memory", see_memory, NULL},
	{"hold", hold_memory, NULL},
	{"drop", drop_memory, NULL},
	{"log", see_log, NULL},
	{NULL, NULL, NULL}
};
