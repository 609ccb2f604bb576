/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS, cut short at each await in turn. */
#include "config.h"

#include <malloc.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <bay/stream.h>
#include <bay/tls.h>

#include "io/blocking_pool.h"
#include "support/cancel_everywhere.h"
#include "support/certificates.h"
#include "support/streams.h"
#include "support/temp_dir.h"

static struct temp_dir dir;
static unsigned fds_before;

/* Files that nobody waits for any more may still be open for a moment. */
static void
check_fds(void)
{
	const struct timespec moment = {.tv_nsec = 1000000};

	run_tasks_check_nothing_left();
	for (int i = 0; i < 10000; i++) {
		/* Once is enough: a helper may go on to the next of them. */
		if (streams_open_fds() == fds_before)
			return;
		nanosleep(&moment, NULL);
	}
	ck_abort_msg("%u descriptors are open, not %u", streams_open_fds(), fds_before);
}

static void
make_certificate(void)
{
	struct certificate own = {.name = "localhost"};

	temp_dir_init(&dir);
	certificate_make(&own);
	certificate_write(&own, temp_dir_path(&dir, "own.pem"), true, true);
	certificate_finish(&own);
}

/* One end. */
struct side {
	struct bay_stream *stream;
	struct bay_tls *tls;
};

static int
answer(void *arg)
{
	struct side *side = arg;
	char *line;
	size_t size;

	TRY(bay_stream_start_tls(side->stream, side->tls, NULL, BAY_INHERIT));
	TRY(bay_stream_read_line(side->stream, 100, &line, &size, BAY_INHERIT));
	TRY(bay_stream_write(side->stream, line, size, BAY_INHERIT));
	return bay_stream_write_eof(side->stream);
}

static int
ask(void *arg)
{
	struct side *side = arg;
	char *data;

	TRY(bay_stream_start_tls(side->stream, side->tls, "localhost", BAY_INHERIT));
	TRY(bay_stream_write(side->stream, "question\n", 9, BAY_INHERIT));
	TRY(bay_stream_read_all(side->stream, 100, &data, NULL, BAY_INHERIT));
	ck_assert_str_eq(data, "question");
	return BAY_OK;
}

/* With both made. */
static int
talk(struct bay_tls *server, struct bay_tls *client)
{
	struct side sides[2] = {{NULL, server}, {NULL, client}};
	struct bay_task *tasks[2];
	int status;

	ck_assert_int_eq(bay_stream_pair(&sides[0].stream, &sides[1].stream), BAY_OK);
	tasks[0] = bay_spawn("answers", answer, &sides[0]);
	tasks[1] = bay_spawn("asks", ask, &sides[1]);
	status = points_expect(bay_gather(tasks, 2, BAY_INHERIT));
	for (int i = 0; i < 2; i++) {
		bay_task_free(tasks[i]);
		(void)bay_stream_close(sides[i].stream, BAY_INHERIT);
	}
	return status;
}

static int
live_and_die(void *arg)
{
	const char *own = temp_dir_path(&dir, "own.pem");
	struct bay_tls_options server_options = {.length = sizeof server_options, .server = true,
		.certificate = own};
	struct bay_tls_options client_options = {.length = sizeof client_options, .ca = own};
	struct bay_tls *server = NULL, *client = NULL;
	int status;

	(void)arg;
	status = points_expect(bay_tls_create(&server_options, &server, BAY_INHERIT));
	if (status == BAY_OK)
		status = points_expect(bay_tls_create(&client_options, &client, BAY_INHERIT));
	if (status == BAY_OK)
		status = points_expect(bay_tls_reload(client, BAY_INHERIT));
	if (status == BAY_OK)
		status = talk(server, client);
	bay_tls_destroy(server);
	bay_tls_destroy(client);
	return status;
}

START_TEST(tls_leaves_nothing)
{
	const struct points_scenario scenario = {.run = run_tasks, .body = live_and_die, .check = check_fds,
		.one_loop = true};

	/* Each thread has memory of its own, malloc's and the library's: not more and more of them. */
	(void)mallopt(M_ARENA_MAX, 1);
	blocking_pool_set_limits(1, 3600 * BAY_SECOND);
	make_certificate();
	ck_assert(log_to_file("/dev/null"));
	run_tasks_begin();
	/* What is opened once, for good, is open after this. */
	ck_assert_int_eq(run_tasks(live_and_die, NULL), BAY_OK);
	fds_before = streams_open_fds();
	ck_assert_uint_ge(points_everywhere(&scenario), 5);
	run_tasks_end();
	blocking_pool_finish();
	temp_dir_finish(&dir);
}
END_TEST

/* The library allocates in so many sizes that what malloc keeps of each for a thread, and counts as
 * in use, goes on growing for longer than the test does. */
int
main(int argc, char **argv)
{
	const TTest *const tests[] = {tls_leaves_nothing};

	(void)argc;
	if (getenv("GLIBC_TUNABLES") == NULL && setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1) == 0)
		execv("/proc/self/exe", argv);
	return check_main("io/tls, everywhere", tests, 1);
}
