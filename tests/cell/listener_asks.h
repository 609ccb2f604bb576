/* SPDX-License-Identifier: BSD-2-Clause */
/* A service whose handler asks for listening sockets, on a loop of its own; the test's thread is
 * the control thread, and the master. */
#ifndef BAY_TESTS_CELL_LISTENER_ASKS_H
#define BAY_TESTS_CELL_LISTENER_ASKS_H

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>

#include "cell/listener_source.h"
#include "service/instance.h"
#include "support/cell_control.h"
#include "support/services.h"

/* What a handler asks for, and gets. */
struct want {
	const char *address;
	int backlog;
	int64_t timeout_ns; /* 0: no deadline of its own */
	int status;
	int fd;
	char error[128];
};

static atomic_int asking; /* handlers that have begun to ask and not ended */
static struct bay_service *asker;
static int64_t generation;

static int
ask_handler(struct bay_request *request)
{
	struct want *want = services_request_pointer(request);
	int status;

	atomic_fetch_add(&asking, 1);
	status = listener_source_ask(want->address, want->backlog, &want->fd, want->error,
		sizeof want->error, want->timeout_ns != 0 ? bay_after(want->timeout_ns) : BAY_INHERIT);
	want->status = status;
	if (status == BAY_OK)
		status = bay_reply_text(request, "");
	atomic_fetch_sub(&asking, 1);
	return status;
}

/* Lives as long as the service. */
static const struct bay_plugin *const ask_plugin = PLUGIN(.handle = ask_handler);

static bool
has_generation(const char *service, int64_t asked, void *arg)
{
	ck_assert_str_eq(service, "asker");
	ck_assert_ptr_eq(arg, &generation);
	return asked == generation;
}

static void
asks_begin(void)
{
	generation = 3;
	services_begin(1);
	cell_control_begin();
	listener_source_begin(cell_control, &cell_control_loop, has_generation, &generation);
	asker = services_start(&(struct service_options){.name = "asker", .plugin = ask_plugin});
	asker->instances[0]->generation = generation;
}

static int
nothing(void *arg)
{
	(void)arg;
	return BAY_OK;
}

/* What was sent home has come home after this. */
static void
asks_settle(void)
{
	cell_control_turn();
	cell_control_turn();
	ck_assert_int_eq(services_run_on(0, nothing, NULL), BAY_OK);
	ck_assert_int_eq(services_run_on(0, nothing, NULL), BAY_OK);
}

static void
asks_end(void)
{
	asks_settle();
	services_end();
	listener_source_end();
	cell_control_end();
}

static int
make_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static unsigned
open_descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

#endif
