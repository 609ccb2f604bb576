/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/cell_keeper.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/code.h"
#include "base/log.h"
#include "base/text.h"
#include "master/supervisor.h"
#include "protocol/cell_link.h"

struct cell_keeper {
	struct event_base *base;
	struct cell_options options;
	struct cell_setup setup;
	const struct supervisor_limits *limits;
	struct cell_keeper_watcher watcher;
	char subject[64]; /* "cell main" */

	struct cell_process *cell; /* NULL: there is none */
	pid_t pid; /* of that, or of the last one */
	enum cell_state state;
	bool was_ready;
	bool given_up; /* it was killed, since its connection was over and it went on */
	uint64_t restarts;
	struct backoff backoff;
	struct event *restart_timer;
	int64_t next_try_ns;      /* 0: no restart is waiting */
	struct event *kill_timer; /* ends a cell that should have ended by itself */
};

static void
cell_keeper_set_timer(struct event *timer, int64_t delay_ns)
{
	struct timeval delay = {.tv_sec = delay_ns / CLOCK_NS_PER_S,
		.tv_usec = delay_ns % CLOCK_NS_PER_S / CLOCK_NS_PER_US};

	event_add(timer, &delay);
}

/* --- start ---------------------------------------------------------------------------- */

static void
cell_keeper_on_setup(const struct cell_reply *reply, void *arg)
{
	struct cell_keeper *keeper = arg;

	if (reply->kind == CELL_REPLY_DIED)
		return;
	if (reply->kind != CELL_REPLY_DONE) {
		log_error(keeper->subject, "set it up: %s [cell-start]", reply->message);
		cell_process_kill(keeper->cell);
		return;
	}
	keeper->state = CELL_READY;
	keeper->was_ready = true;
	log_info(keeper->subject, "process %d runs with %u %s",
		(int)cell_process_pid(keeper->cell), keeper->options.loops,
		text_number(keeper->options.loops, "loop", "loops"));
	keeper->watcher.ready(keeper->watcher.arg);
}

/* A cell that ends closes its socket a little before; one that goes on is of no use. */
static void
cell_keeper_on_broken(const char *why, void *arg)
{
	struct cell_keeper *keeper = arg;

	log_debug(keeper->subject, "the connection is over: %s", why);
	cell_keeper_set_timer(keeper->kill_timer, keeper->limits->broken_ns);
}

static void
cell_keeper_on_called(const char *method, const json_t *parameters, struct cell_answer *answer,
	void *arg)
{
	struct cell_keeper *keeper = arg;

	keeper->watcher.called(method, parameters, answer, keeper->watcher.arg);
}

static void
cell_keeper_on_notice(const char *method, const json_t *parameters, void *arg)
{
	struct cell_keeper *keeper = arg;

	keeper->watcher.notice(method, parameters, keeper->watcher.arg);
}

static void
cell_keeper_on_crash(void *arg)
{
	struct cell_keeper *keeper = arg;

	if (keeper->watcher.crashed != NULL)
		keeper->watcher.crashed(keeper->watcher.arg);
}

bool
cell_keeper_start(struct cell_keeper *keeper, struct buffer *error)
{
	const struct cell_channel_watcher watcher = {.called = cell_keeper_on_called,
		.notice = cell_keeper_on_notice, .broken = cell_keeper_on_broken, .arg = keeper};

	keeper->cell = cell_process_start(keeper->base, &keeper->options, &watcher, error);
	if (keeper->cell == NULL)
		return false;
	keeper->state = CELL_SETTING_UP;
	keeper->given_up = false;
	keeper->pid = cell_process_pid(keeper->cell);
	cell_process_watch_crash(keeper->cell, cell_keeper_on_crash, keeper);
	cell_process_call(keeper->cell, CELL_SETUP, cell_setup_to_json(&keeper->setup), -1,
		keeper->limits->setup_ns, cell_keeper_on_setup, keeper);
	return true;
}

/* --- end and start again --------------------------------------------------------------- */

void
cell_keeper_reap(struct cell_keeper *keeper)
{
	struct cell_process *cell = keeper->cell;
	int status;
	char *why;

	if (cell == NULL || !cell_process_has_ended(cell, &status))
		return;
	event_del(keeper->kill_timer);
	keeper->cell = NULL;
	keeper->state = CELL_DOWN;
	why = keeper->watcher.ended(cell_process_page(cell), status, keeper->watcher.arg);
	cell_process_destroy(cell, why);
	keeper->watcher.gone(why, keeper->watcher.arg);
	free(why);
}

void
cell_keeper_start_later(struct cell_keeper *keeper, bool blamed)
{
	char text[CLOCK_TEXT_SIZE];
	int64_t now_ns = clock_monotonic_ns();
	int64_t delay_ns = blamed ? 0 : backoff_next(&keeper->backoff, now_ns, backoff_random());

	keeper->restarts++;
	keeper->next_try_ns = now_ns + delay_ns;
	cell_keeper_set_timer(keeper->restart_timer, delay_ns);
	if (delay_ns > 0)
		log_warn(keeper->subject, "is started again in %s [cell-restart]",
			clock_format_duration(text, sizeof(text), delay_ns));
}

void
cell_keeper_set_patience(struct cell_keeper *keeper, int64_t first_ns, int64_t most_ns)
{
	const struct backoff *limits = &keeper->limits->backoff;

	keeper->backoff.first_ns = first_ns < limits->first_ns ? first_ns : limits->first_ns;
	keeper->backoff.max_ns = most_ns < limits->max_ns ? most_ns : limits->max_ns;
}

void
cell_keeper_demand(struct cell_keeper *keeper)
{
	struct buffer error = {0};

	if (keeper->cell != NULL || keeper->next_try_ns != 0)
		return;
	if (!cell_keeper_start(keeper, &error)) {
		(void)code_fail(&error, "cell-start");
		keeper->watcher.hindered(buffer_text(&error) != NULL ? buffer_text(&error) : "no memory",
			keeper->watcher.arg);
		cell_keeper_start_later(keeper, false);
	}
	buffer_finish(&error);
}

static void
cell_keeper_on_restart_timer(evutil_socket_t fd, short what, void *arg)
{
	struct cell_keeper *keeper = arg;

	(void)fd;
	(void)what;
	keeper->next_try_ns = 0;
	cell_keeper_demand(keeper);
}

void
cell_keeper_give_up(struct cell_keeper *keeper)
{
	event_del(keeper->restart_timer);
	keeper->next_try_ns = 0;
}

void
cell_keeper_set_options(struct cell_keeper *keeper, const struct cell_options *options)
{
	keeper->options = *options;
	keeper->setup.loops = options->loops;
}

/* --- change ------------------------------------------------------------------------------ */

/* A cell that did not hear of it has ended, and the next one is told in its Setup. */
static void
cell_keeper_on_log_level(const struct cell_reply *reply, void *arg)
{
	struct cell_keeper *keeper = arg;

	if (reply->kind == CELL_REPLY_FAILED)
		log_warn(keeper->subject, "set its log_level: %s", reply->message);
}

void
cell_keeper_set_log_level(struct cell_keeper *keeper, enum log_level level)
{
	const struct cell_log_level wanted = {.level = log_level_name(level)};

	if (strcmp(keeper->setup.log_level, wanted.level) == 0)
		return;
	keeper->setup.log_level = wanted.level;
	if (keeper->state == CELL_READY || keeper->state == CELL_SETTING_UP)
		cell_process_call(keeper->cell, CELL_LOG_LEVEL, cell_log_level_to_json(&wanted), -1, 0,
			cell_keeper_on_log_level, keeper);
}

/* --- stop -------------------------------------------------------------------------------- */

static void
cell_keeper_on_shutdown_reply(const struct cell_reply *reply, void *arg)
{
	struct cell_keeper *keeper = arg;

	if (reply->kind == CELL_REPLY_FAILED)
		log_warn(keeper->subject, "end it: %s", reply->message);
}

static void
cell_keeper_end(struct cell_keeper *keeper, int64_t drain_timeout_ns, bool replaced, int64_t grace_ns)
{
	const struct cell_shutdown shutdown = {.drain_timeout_ns = drain_timeout_ns,
		.replaced = replaced};

	keeper->state = CELL_STOPPING;
	cell_keeper_set_timer(keeper->kill_timer, drain_timeout_ns + grace_ns);
	cell_process_call(keeper->cell, CELL_SHUTDOWN, cell_shutdown_to_json(&shutdown), -1, 0,
		cell_keeper_on_shutdown_reply, keeper);
}

void
cell_keeper_kill(struct cell_keeper *keeper)
{
	if (keeper->cell != NULL)
		cell_process_kill(keeper->cell);
}

void
cell_keeper_shut_down(struct cell_keeper *keeper, int64_t drain_timeout_ns, int64_t grace_ns)
{
	cell_keeper_end(keeper, drain_timeout_ns, false, grace_ns);
}

void
cell_keeper_hand_over(struct cell_keeper *keeper, int64_t drain_timeout_ns, int64_t grace_ns)
{
	cell_keeper_end(keeper, drain_timeout_ns, true, grace_ns);
}

static void
cell_keeper_on_kill_timer(evutil_socket_t fd, short what, void *arg)
{
	struct cell_keeper *keeper = arg;

	(void)fd;
	(void)what;
	if (keeper->cell == NULL)
		return;
	log_warn(keeper->subject, "does not end by itself: it is killed [cell-hang]");
	keeper->given_up = keeper->state != CELL_STOPPING;
	cell_process_kill(keeper->cell);
}

/* --- lifecycle ----------------------------------------------------------------------------- */

struct cell_keeper *
cell_keeper_create(struct event_base *base, const struct cell_options *options,
	const struct cell_setup *setup, const struct supervisor_limits *limits,
	const struct cell_keeper_watcher *watcher)
{
	struct cell_keeper *keeper = xcalloc(1, sizeof(*keeper));

	keeper->base = base;
	keeper->options = *options;
	keeper->setup = *setup;
	/* The configuration that it stands in may be replaced. */
	keeper->setup.resolv_conf = setup->resolv_conf != NULL ? xstrdup(setup->resolv_conf) : NULL;
	keeper->limits = limits;
	keeper->watcher = *watcher;
	keeper->backoff = limits->backoff;
	snprintf(keeper->subject, sizeof(keeper->subject), "cell %s", options->name);
	keeper->restart_timer = evtimer_new(base, cell_keeper_on_restart_timer, keeper);
	keeper->kill_timer = evtimer_new(base, cell_keeper_on_kill_timer, keeper);
	return keeper;
}

void
cell_keeper_close(struct cell_keeper *keeper)
{
	struct cell_process *cell = keeper->cell;

	/* Who is answered now finds no cell to ask anything more of. */
	keeper->cell = NULL;
	keeper->state = CELL_DOWN;
	cell_process_destroy(cell, "bayd ends");
	cell_keeper_give_up(keeper);
}

void
cell_keeper_destroy(struct cell_keeper *keeper)
{
	if (keeper == NULL)
		return;
	cell_keeper_close(keeper);
	free((char *)keeper->setup.resolv_conf);
	event_free(keeper->restart_timer);
	event_free(keeper->kill_timer);
	free(keeper);
}

/* --- queries ------------------------------------------------------------------------------- */

const char *
cell_keeper_subject(const struct cell_keeper *keeper)
{
	return keeper->subject;
}

enum cell_state
cell_keeper_state(const struct cell_keeper *keeper)
{
	return keeper->state;
}

struct cell_process *
cell_keeper_process(const struct cell_keeper *keeper)
{
	return keeper->cell;
}

pid_t
cell_keeper_pid(const struct cell_keeper *keeper)
{
	return keeper->pid;
}

uint64_t
cell_keeper_restarts(const struct cell_keeper *keeper)
{
	return keeper->restarts;
}

int64_t
cell_keeper_next_try_ns(const struct cell_keeper *keeper)
{
	return keeper->next_try_ns;
}

bool
cell_keeper_has_given_up(const struct cell_keeper *keeper)
{
	return keeper->given_up;
}

bool
cell_keeper_was_ready(const struct cell_keeper *keeper)
{
	return keeper->was_ready;
}
