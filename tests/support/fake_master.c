/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "support/fake_master.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "config/config_load.h"
#include "loop/signals.h"
#include "master/listener_table.h"
#include "master/plugin_examination.h"
#include "protocol/cell_link.h"
#include "support/log_lines.h"

static const struct program fake_cell = {.path = TOP_BUILDDIR "/tests/support/fake_cell"};
static const int child_signal = SIGCHLD;

/* --- what the supervisor calls ------------------------------------------------------- */

static void
on_started(const char *why, void *arg)
{
	struct fake_master *master = arg;

	ck_assert(!master->started);
	master->started = true;
	snprintf(master->why, sizeof(master->why), "%s", why != NULL ? why : "");
}

static void
on_stopped(void *arg)
{
	struct fake_master *master = arg;

	ck_assert(!master->stopped);
	master->stopped = true;
}

static void
on_signal(int number, void *arg)
{
	struct fake_master *master = arg;

	(void)number;
	/* A test may have ended it. */
	if (master->supervisor != NULL)
		supervisor_reap(master->supervisor);
}

void
fake_master_on_done(struct master_service *service, enum bay_status status,
	const char *message, void *arg)
{
	struct fake_master *master = arg;

	(void)service;
	master->answers++;
	master->status = status;
	snprintf(master->message, sizeof(master->message), "%s", message);
}

void
fake_master_on_reply(const struct cell_reply *reply, void *arg)
{
	fake_master_on_done(NULL, reply->status, reply->message, arg);
}

/* --- life ------------------------------------------------------------------------------ */

static struct plugin_image *
make_image(void)
{
	struct plugin_image *image = xcalloc(1, sizeof(*image));

	image->_refs = 1;
	image->generation = 1;
	image->image.fd = -1;
	image->image._dirfd = -1;
	image->image.path = xstrdup("/nowhere/a.1.so");
	image->image._name = xstrdup("a.1.so");
	image->source = xstrdup("/nowhere/a.so");
	image->version = xstrdup("1.0");
	return image;
}

static void
load_config(struct fake_master *master, const char *keys, const char *keys_of_b)
{
	struct config_report report = {0};
	char *text = xasprintf("[container]\n[service a]\n%s\n[service b]\n%s\n", keys, keys_of_b);

	ck_assert(config_load_memory(temp_dir_path(&master->dir, "bay.ini"), text, strlen(text),
		&master->config, &report));
	config_report_finish(&report);
	free(text);
}

/* Short where one of these words has the cell not do what is waited for: on a busy machine one that does it
 * takes its time, too. */
static int64_t
limit_for(const char *orders, const char *const *words)
{
	while (*words != NULL && strstr(orders, *words) == NULL)
		words++;
	return *words != NULL ? MS(50) : MS(10000);
}

static void
make_base(struct fake_master *master, const char *orders, const char *keys, const char *keys_of_b)
{
	static const char *const no_answer[] = {"silent", "hang", NULL}, *const no_end[] = {"rubbish", "refuse", "close", NULL};

	memset(master, 0, sizeof(*master));
	master->image_dirfd = -1;
	temp_dir_init(&master->dir);
	temp_dir_write(&master->dir, "orders", orders);
	/* A sanitizer would make an exit of what should be a crash. */
	setenv("TSAN_OPTIONS", "handle_segv=0", 1);
	setenv("ASAN_OPTIONS", "handle_segv=0", 1);
	setenv("FAKE_CELL", temp_dir_path(&master->dir, "orders"), 1);
	load_config(master, keys, keys_of_b);
	master->listeners = listener_table_create(master->config->container.runtime_dir);
	master->limits = (struct supervisor_limits){.setup_ns = MS(10000), .broken_ns = limit_for(orders, no_end),
		.grace_ns = limit_for(orders, no_answer), .stop_ns = limit_for(orders, no_answer),
		.stop_now_ns = limit_for(orders, no_answer),
		.backoff = {.at_once = true, .first_ns = MS(20), .max_ns = MS(20),
			.reset_ns = MS(100000)}};
	master->base = event_base_new();
	signals_block(&child_signal, 1);
	master->signals = signals_watch(master->base, &child_signal, 1, on_signal, master);
}

static void
on_cell_ended(const struct master_cell *cell, const struct status_page *page, uint32_t hung_slot, void *arg)
{
	const struct fake_master *master = arg;

	if (master->cell_ended != NULL)
		master->cell_ended(cell, page, hung_slot);
}

static void
make_supervisor(struct fake_master *master)
{
	const struct supervisor_watcher watcher = {.started = on_started, .stopped = on_stopped,
		.cell_ended = on_cell_ended, .arg = master};
	const struct supervisor_options options = {
		.base = master->base,
		.config = master->config,
		.examination = master->examination,
		.listeners = master->listeners,
		.events = master->events,
		.limits = &master->limits,
		.cell = {.name = "main", .mode = "run", .program = &fake_cell, .loops = 2}};

	master->supervisor = supervisor_create(&options, &watcher);
	for (size_t slot = 0; slot < master->config->service_count; slot++)
		supervisor_set_image(master->supervisor, slot, make_image(), NULL);
}

void
fake_master_open(struct fake_master *master, const char *orders, const char *keys)
{
	make_base(master, orders, keys, keys);
	master->events = event_log_create();
	make_supervisor(master);
}

void
fake_master_open_patient(struct fake_master *master, const char *orders, const char *keys,
	const struct backoff *backoff)
{
	make_base(master, orders, keys, keys);
	master->limits.backoff = *backoff;
	master->events = event_log_create();
	make_supervisor(master);
}

static void
make_examination(struct fake_master *master, const struct program *examiner)
{
	temp_dir_write(&master->dir, "plugins/here", "");
	temp_dir_write(&master->dir, "images/here", "");
	master->image_dirfd = open(temp_dir_path(&master->dir, "images"),
		O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(master->image_dirfd, 0);
	master->examination = plugin_examination_create(master->base, master->config, examiner,
		master->image_dirfd, 20 * (int64_t)CLOCK_NS_PER_S);
	ck_assert_ptr_nonnull(master->examination);
}

void
fake_master_open_with_plugins(struct fake_master *master, const char *orders,
	const char *keys, const struct program *examiner)
{
	fake_master_open_pair(master, orders, keys, keys, examiner);
}

void
fake_master_open_pair(struct fake_master *master, const char *orders, const char *keys_of_a,
	const char *keys_of_b, const struct program *examiner)
{
	make_base(master, orders, keys_of_a, keys_of_b);
	if (examiner != NULL)
		make_examination(master, examiner);
	master->events = event_log_create();
	make_supervisor(master);
}

void
fake_master_plugin(struct fake_master *master, const char *plugin, const char *name)
{
	struct buffer bytes = {0};
	uint8_t chunk[4096];
	char path[512];
	size_t got;
	FILE *file;

	snprintf(path, sizeof(path), TOP_BUILDDIR "/tests/support/plugins/%s.so", plugin);
	file = fopen(path, "re");
	ck_assert_msg(file != NULL, "no plugin %s", path);
	while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0)
		ck_assert(buffer_append(&bytes, chunk, got));
	fclose(file);
	snprintf(path, sizeof(path), "plugins/%s.so", name);
	temp_dir_write_bytes(&master->dir, path, bytes.data, bytes.size);
	buffer_finish(&bytes);
}

void
fake_master_close(struct fake_master *master)
{
	supervisor_destroy(master->supervisor);
	event_log_destroy(master->events);
	listener_table_destroy(master->listeners);
	plugin_examination_destroy(master->examination);
	signals_destroy(master->signals);
	event_base_free(master->base);
	config_destroy(master->config);
	if (master->image_dirfd >= 0)
		close(master->image_dirfd);
	temp_dir_finish(&master->dir);
}

/* --- work ------------------------------------------------------------------------------ */

void
fake_master_launch(struct fake_master *master)
{
	struct buffer error = {0};

	ck_assert_msg(supervisor_start(master->supervisor, &error), "%s", buffer_text(&error));
	buffer_finish(&error);
}

void
fake_master_start(struct fake_master *master)
{
	fake_master_launch(master);
	UNTIL(master, master->started);
	ck_assert_str_eq(master->why, "");
}

void
fake_master_crash(struct fake_master *master, int slot)
{
	master->answers = 0;
	cell_process_call(master_cell_process(supervisor_cell(master->supervisor, 0)), CELL_CALL,
		json_pack("{s:i}", "slot", slot), -1, 0, fake_master_on_reply, master);
	UNTIL(master, master->answers > 0);
}

void
fake_master_await_told(struct fake_master *master)
{
	static unsigned turn;
	char mark[32];
	int cells = 0;

	snprintf(mark, sizeof(mark), "mark %u", ++turn);
	for (size_t i = 0; i < supervisor_cell_count(master->supervisor); i++) {
		struct cell_process *process = master_cell_ready(supervisor_cell(master->supervisor, i));
		const struct cell_absent absent = {.service = mark};

		if (process == NULL)
			continue;
		cell_process_call(process, CELL_ABSENT, cell_absent_to_json(&absent), -1, 0, cell_reply_ignore, NULL);
		cells++;
	}
	UNTIL(master, log_lines_with(mark) == cells);
}

struct master_service *
service_of(const struct fake_master *master, const char *name)
{
	return supervisor_find(master->supervisor, name);
}

bool
is_state(const struct fake_master *master, const char *name, enum service_state state)
{
	return service_of(master, name)->state == state;
}
