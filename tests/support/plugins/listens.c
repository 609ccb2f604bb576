/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin that listens where its setting says, and serves one connection after the other: it
 * reads a line and answers with its process and what it read. A connection that sends nothing
 * keeps all others waiting. Its requests are orders:
 *
 *	accepted      replies how many connections it has accepted
 *	try ADDRESS   tries to listen there too, for as long as the service runs: replies "ok",
 *	              or the status and why not
 */
#include <bay/bay.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct listens {
	const char *address;
};

static const struct bay_setting settings[] = {
	BAY_STRING(struct listens, address, "address", "", "where it listens; empty: nowhere"),
	BAY_END
};

struct state {
	int64_t accepted;
};

static int
listens_init(struct bay_instance *instance)
{
	struct state *state = calloc(1, sizeof *state);

	if (state == NULL)
		return BAY_NO_MEMORY;
	bay_instance_set_state(instance, state);
	return BAY_OK;
}

static int
listen_at(const char *address, struct bay_listener **listener_r, char *error, size_t size)
{
	const struct bay_listener_options options = {.length = sizeof options, .backlog = 16,
		.error = error, .error_size = size};

	return bay_listen(address, &options, listener_r, BAY_INHERIT);
}

static int
serve(struct bay_stream *stream)
{
	char *line, reply[200];
	int status = bay_stream_read_line(stream, 100, &line, NULL, BAY_INHERIT);

	if (status != BAY_OK)
		return status;
	snprintf(reply, sizeof reply, "%d %s\n", (int)getpid(), line);
	return bay_stream_write(stream, reply, strlen(reply), BAY_INHERIT);
}

static int
listens_run(struct bay_instance *instance)
{
	const struct listens *set = bay_instance_settings(instance);
	struct state *state = bay_instance_state(instance);
	struct bay_listener *listener;
	struct bay_stream *stream;
	char error[512];
	int status;

	if (*set->address == '\0')
		return BAY_OK;
	status = listen_at(set->address, &listener, error, sizeof error);
	if (status != BAY_OK)
		return bay_instance_fail(instance, status, "%s", error);
	while ((status = bay_accept(listener, &stream, BAY_INHERIT)) == BAY_OK) {
		state->accepted++;
		/* What becomes of one connection is nothing to the next. */
		(void)serve(stream);
		(void)bay_stream_close(stream, bay_after(BAY_SECOND));
	}
	bay_listener_close(listener);
	return status;
}

static int
listens_handle(struct bay_request *request)
{
	const struct state *state = bay_state(request);
	const char *order = bay_request_text(request);
	struct bay_listener *listener;
	char error[512];
	int status;

	if (strcmp(order, "accepted") == 0)
		return bay_reply_printf(request, "%" PRId64, state->accepted);
	if (strncmp(order, "try ", 4) != 0)
		return bay_fail(request, BAY_INVALID, "no such order: %s", order);
	status = listen_at(order + 4, &listener, error, sizeof error);
	if (status == BAY_OK)
		return bay_reply_text(request, "ok");
	return bay_reply_printf(request, "%s: %s", bay_status_name(status), error);
}

static void
listens_fini(struct bay_instance *instance)
{
	free(bay_instance_state(instance));
}

BAY_PLUGIN(listens, "1.0.0",
	.summary = "listens for the tests",
	.settings = settings,
	.init = listens_init,
	.run = listens_run,
	.handle = listens_handle,
	.fini = listens_fini);
