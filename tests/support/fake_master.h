/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a supervisor needs of the master, with fake_cell for its cells: two services, a and
 * b, whose images exist by name only. Everything runs in the test's own event loop. Failures
 * fail the test that calls.
 *
 *	struct fake_master master;
 *
 *	fake_master_open(&master, "call=crash\n", "restart = no");
 *	fake_master_start(&master);
 *	fake_master_crash(&master, 0);
 *	...
 *	fake_master_close(&master);
 */
#ifndef BAY_TESTS_SUPPORT_FAKE_MASTER_H
#define BAY_TESTS_SUPPORT_FAKE_MASTER_H

#include <event2/event.h>
#include <stdbool.h>

#include <bay/status.h>

#include "base/clock.h"
#include "base/program.h"
#include "master/event_log.h"
#include "master/master_cell.h"
#include "master/service_control.h"
#include "master/supervisor.h"
#include "support/temp_dir.h"

#define MS(n) ((n) * (int64_t)CLOCK_NS_PER_MS)

struct plugin_examination;
struct signals;

struct fake_master {
	struct temp_dir dir;
	struct event_base *base;
	struct signals *signals;
	struct event_log *events;
	struct config *config;
	struct supervisor_limits limits; /* read until the end: a test may change them */
	struct listener_table *listeners;
	struct supervisor *supervisor;
	struct plugin_examination *examination; /* NULL: none was asked for */
	int image_dirfd;
	bool started;
	char why[160];
	bool stopped;
	/* Is told when the process of a cell has ended; NULL: nobody. */
	void (*cell_ended)(const struct master_cell *cell, const struct status_page *page, uint32_t hung_slot);
	/* of the last wish and the last call */
	unsigned answers;
	enum bay_status status;
	char message[400];
};

/* orders: one line for each cell. keys: of both services. Nothing is started. */
void fake_master_open(struct fake_master *master, const char *orders, const char *keys);

/* The same with other waits between cells. */
void fake_master_open_patient(struct fake_master *master, const char *orders, const char *keys,
	const struct backoff *backoff);

/* The same as fake_master_open, with an examination of what fake_master_plugin puts there,
 * by this program. */
void fake_master_open_with_plugins(struct fake_master *master, const char *orders,
	const char *keys, const struct program *examiner);

/* The same with keys of each; examiner NULL: without an examination. */
void fake_master_open_pair(struct fake_master *master, const char *orders,
	const char *keys_of_a, const char *keys_of_b, const struct program *examiner);

/* Puts a test plugin there under this name, instead of what was there. */
void fake_master_plugin(struct fake_master *master, const char *plugin, const char *name);

void fake_master_close(struct fake_master *master);

/* Begins the start; and the same and waits until it has succeeded. */
void fake_master_launch(struct fake_master *master);
void fake_master_start(struct fake_master *master);

/* Makes the cell crash in the service of this slot, and waits for that; needs call=crash. */
void fake_master_crash(struct fake_master *master, int slot);

/* All that ready cells have been told is in the log, of those with the order tell=Absent or tell=all;
 * all others would be waited for without end. After log_lines_keep(). */
void fake_master_await_told(struct fake_master *master);

/* For service_control_...: notes the answer in arg, a struct fake_master. */
service_done_fn fake_master_on_done;

/* The same for calls of a cell. */
cell_reply_fn fake_master_on_reply;

struct master_service *service_of(const struct fake_master *master, const char *name);
bool is_state(const struct fake_master *master, const char *name,
	enum service_state state);

/* Runs events until condition holds; the test's own time limit ends what never does. */
#define UNTIL(master, condition) \
	while (!(condition)) \
		event_base_loop((master)->base, EVLOOP_ONCE)

#endif
