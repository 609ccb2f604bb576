/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Services for a storm of crashes: one that breaks in every way, one that does not, and one that
 * calls both all the time and counts what becomes of it. They are in cells of their own.
 *
 *	echo TEXT    replies TEXT
 *	null, abort, overflow, double-free, exit, spin, rings
 *	             dies of that, keeps its loop for ever, or writes garbage over its ends of all links
 *
 * With a file: what was counted is in there, so it outlives the cell. From its start on it calls:
 *
 *	storm N      breaks the fragile one N times more, one way after the other
 *	phase N      counts latencies as those of phase 0 or 1
 *	figures      replies what was counted, one "NAME NUMBER" a line
 */
#define _GNU_SOURCE

#include "support/plugins/own_links.h"

#include <bay/bay.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* 16 buckets to each power of two. */
enum { BUCKETS = 64 * 16, PHASES = 2, TARGETS = 2 };

#define CALL_NS (5 * BAY_SECOND)
/* A thread may have to wait for its processor. */
#define LATE_NS (2 * BAY_SECOND)

static const char *const target_names[TARGETS] = {"healthy", "fragile"};
static const char *const faults[] = {"null", "abort", "overflow", "double-free", "exit", "rings", "spin"};

enum { FAULTS = sizeof faults / sizeof faults[0] };

struct target {
	int64_t begun;
	int64_t ok;
	int64_t died;
	int64_t timeout;
	int64_t other;
	int64_t wrong;          /* another answer */
	int64_t late;           /* that ended long after their deadlines */
	int64_t latest_ns;
	int64_t slowest_ns[PHASES];
	int64_t phase_calls[PHASES];
	int64_t counts[PHASES][BUCKETS];
	char failure[160];      /* the last one */
};

struct figures {
	int64_t phase;
	int64_t left;           /* crashes to come */
	int64_t next;           /* fault */
	int64_t crashes[FAULTS];
	struct target targets[TARGETS];
};

struct storm {
	const char *file;
	int64_t callers;
	int64_t pause;
	bool spins;
};

static const struct bay_setting settings[] = {
	BAY_STRING(struct storm, file, "file", "", "where the figures are"),
	BAY_INT64(struct storm, callers, "callers", "4", 1, 1000, "of each of the two"),
	BAY_DURATION(struct storm, pause, "pause", "1ms", "between two calls of a caller"),
	BAY_BOOL(struct storm, spins, "spins", "no", "whether to keep its loop is one of the ways"),
	BAY_END
};

/* --- ways to break ------------------------------------------------------------------------- */

/* The compiler must not see through any of these. */

static int
break_null(void)
{
	volatile int *volatile nowhere = NULL;

	*nowhere = 1;
	return 0;
}

static int
break_abort(void)
{
	abort();
}

static int (*volatile again)(void);

static int
break_overflow(void)
{
	volatile char frame[512];

	frame[0] = 1;
	again = break_overflow;
	return again() + frame[0];
}

static int
break_double_free(void)
{
	char *volatile twice = malloc(100);

	free(twice);
	free(twice);
	abort();
}

static int
break_exit(void)
{
	exit(3);
}

static int
break_spin(void)
{
	volatile bool never = false;

	while (!never)
		continue;
	return 0;
}

static int
break_rings(void)
{
	own_links_fill(-1);
	return 0;
}

static int (*const ways[FAULTS])(void) = {break_null, break_abort, break_overflow, break_double_free, break_exit,
	break_rings, break_spin};

/* --- calls --------------------------------------------------------------------------------- */

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
percentile(const struct target *target, int64_t phase, int percent)
{
	int64_t left = target->phase_calls[phase] * percent / 100;

	for (unsigned i = 0; i < BUCKETS; i++) {
		left -= target->counts[phase][i];
		if (left < 0)
			return i < 16 ? (int64_t)i : (int64_t)(16 + i % 16) << (i / 16 - 1);
	}
	return target->slowest_ns[phase];
}

static void
count(struct target *target, int64_t phase, int status, int64_t took_ns)
{
	target->phase_calls[phase]++;
	target->counts[phase][bucket((uint64_t)took_ns)]++;
	if (took_ns > target->slowest_ns[phase])
		target->slowest_ns[phase] = took_ns;
	if (took_ns - CALL_NS > target->latest_ns)
		target->latest_ns = took_ns - CALL_NS;
	target->late += took_ns > CALL_NS + LATE_NS;
	if (status == BAY_OK)
		target->ok++;
	else if (status == BAY_PEER_DIED)
		target->died++;
	else if (status == BAY_TIMEOUT)
		target->timeout++;
	else
		target->other++;
	if (status != BAY_OK && status != BAY_PEER_DIED)
		snprintf(target->failure, sizeof target->failure, "%s: %s", bay_status_name(status), bay_call_error());
}

static int
call(struct figures *figures, int which, const char *order)
{
	struct target *target = &figures->targets[which];
	struct bay_message *message = bay_message(order, strlen(order)), *reply = NULL;
	int64_t begin = bay_now(), phase = figures->phase;
	int status;

	target->begun++;
	status = bay_call(bay_service(target_names[which]), message, &reply, begin + CALL_NS);
	/* This cell ends. */
	if (status == BAY_CANCELED)
		target->begun--;
	else
		count(target, phase, status, bay_now() - begin);
	if (status == BAY_OK && strcmp(bay_message_text(reply), order) != 0)
		target->wrong++;
	bay_message_free(message);
	bay_message_free(reply);
	return status;
}

static void
call_on(struct bay_instance *instance, int which)
{
	const struct storm *set = bay_instance_settings(instance);

	do
		(void)!call(bay_instance_state(instance), which, "echo");
	while (bay_sleep(set->pause) == BAY_OK);
}

static int
call_healthy(void *arg)
{
	call_on(arg, 0);
	return BAY_OK;
}

static int
call_fragile(void *arg)
{
	call_on(arg, 1);
	return BAY_OK;
}

/* Breaks it as often as is wanted. What is called next waits for the next cell. */
static int
blow(struct bay_instance *instance)
{
	struct figures *figures = bay_instance_state(instance);
	const struct storm *set = bay_instance_settings(instance);
	int status = BAY_OK;

	while (status == BAY_OK) {
		int64_t fault = figures->next % FAULTS;
		char order[64];

		if (figures->left == 0) {
			status = bay_sleep(10 * BAY_MS);
			continue;
		}
		figures->next++;
		if (ways[fault] == break_spin && !set->spins)
			continue;
		/* No two are the same, or the second might be refused for the first. */
		snprintf(order, sizeof order, "%s %" PRId64, faults[fault], figures->next);
		(void)!call(figures, 1, order);
		figures->crashes[fault]++;
		figures->left--;
		status = bay_yield();
	}
	return status;
}

/* --- the services --------------------------------------------------------------------------- */

static int
storm_init(struct bay_instance *instance)
{
	const struct storm *set = bay_instance_settings(instance);
	struct figures *figures;
	int fd;

	srand((unsigned)getpid());
	if (set->file[0] == '\0')
		return BAY_OK;
	fd = open(set->file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof *figures) != 0)
		return bay_instance_fail(instance, BAY_IO, "cannot open %s", set->file);
	figures = mmap(NULL, sizeof *figures, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (figures == MAP_FAILED)
		return bay_instance_fail(instance, BAY_IO, "cannot map %s", set->file);
	bay_instance_set_state(instance, figures);
	return BAY_OK;
}

static int
storm_run(struct bay_instance *instance)
{
	const struct storm *set = bay_instance_settings(instance);

	if (bay_instance_state(instance) == NULL)
		return bay_sleep(BAY_INHERIT);
	for (int64_t i = 0; i < set->callers; i++) {
		if (bay_scope_go(bay_instance_scope(instance), "caller", call_healthy, instance) != BAY_OK ||
			bay_scope_go(bay_instance_scope(instance), "caller", call_fragile, instance) != BAY_OK)
			return bay_instance_fail(instance, BAY_NO_MEMORY, "no task");
	}
	return blow(instance);
}

static void
storm_fini(struct bay_instance *instance)
{
	if (bay_instance_state(instance) != NULL)
		munmap(bay_instance_state(instance), sizeof(struct figures));
}

static int
reply_figures(struct bay_request *request)
{
	const struct figures *figures = bay_state(request);
	char text[4096];
	int size = snprintf(text, sizeof text, "left %" PRId64 "\n", figures->left);

	for (int i = 0; i < (int)FAULTS; i++)
		size += snprintf(text + size, sizeof text - (size_t)size, "%s %" PRId64 "\n", faults[i], figures->crashes[i]);
	for (int i = 0; i < TARGETS; i++) {
		const struct target *target = &figures->targets[i];
		const char *name = target_names[i];
		const struct {
			const char *name;
			int64_t number;
		} rows[] = {
			{"begun", target->begun}, {"ok", target->ok}, {"died", target->died}, {"timeout", target->timeout},
			{"other", target->other}, {"wrong", target->wrong}, {"late", target->late},
			{"latest_ns", target->latest_ns},
			{"quiet_calls", target->phase_calls[0]}, {"quiet_p50_ns", percentile(target, 0, 50)},
			{"quiet_p99_ns", percentile(target, 0, 99)}, {"quiet_max_ns", target->slowest_ns[0]},
			{"storm_calls", target->phase_calls[1]}, {"storm_p50_ns", percentile(target, 1, 50)},
			{"storm_p99_ns", percentile(target, 1, 99)}, {"storm_max_ns", target->slowest_ns[1]},
		};

		for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++)
			size += snprintf(text + size, sizeof text - (size_t)size, "%s_%s %" PRId64 "\n", name, rows[row].name,
				rows[row].number);
		size += snprintf(text + size, sizeof text - (size_t)size, "%s_failure %s\n", name, target->failure);
	}
	return bay_reply(request, text, (size_t)size);
}

static int
steer(struct bay_request *request, const char *text)
{
	struct figures *figures = bay_state(request);

	if (figures == NULL)
		return bay_fail(request, BAY_INVALID, "there is no order %s", text);
	if (strcmp(text, "figures") == 0)
		return reply_figures(request);
	if (strncmp(text, "storm ", 6) == 0)
		figures->left += strtoll(text + 6, NULL, 10);
	else if (strcmp(text, "phase 0") == 0 || strcmp(text, "phase 1") == 0)
		figures->phase = text[6] - '0';
	else
		return bay_fail(request, BAY_INVALID, "there is no order %s", text);
	return bay_reply_text(request, "so be it");
}

static int
storm(struct bay_request *request)
{
	const char *text = bay_request_text(request);
	size_t length = strcspn(text, " ");

	if (strncmp(text, "echo", 4) == 0)
		return bay_reply_text(request, text);
	for (size_t i = 0; i < FAULTS; i++) {
		if (strncmp(text, faults[i], length) == 0 && faults[i][length] == '\0') {
			(void)ways[i]();
			return bay_reply_text(request, text);
		}
	}
	return steer(request, text);
}

BAY_PLUGIN(storm, "1.0.0",
	.summary = "breaks in every way, or calls what does and counts",
	.settings = settings,
	.init = storm_init,
	.handle = storm,
	.run = storm_run,
	.fini = storm_fini);
