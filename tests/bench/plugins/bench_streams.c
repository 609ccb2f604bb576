/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs on the other end of a connection are measured against. "echo" and "lines" begin
 * to serve and answer with the port; "idle N" says what each of that many quiet streams costs.
 */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include <bay/bay.h>

enum { BLOCK = 4 << 10, CONNECTIONS = 1000, LINE_MAX_BYTES = 1 << 20 };

/* Sends back what comes. */
static int
echo(struct bay_stream *stream, void *arg)
{
	char block[BLOCK];
	size_t size;
	int status;

	(void)arg;
	while ((status = bay_stream_read(stream, block, sizeof block, &size, BAY_INHERIT)) == BAY_OK) {
		status = bay_stream_write(stream, block, size, BAY_INHERIT);
		if (status != BAY_OK)
			return status;
	}
	return status == BAY_CLOSED ? BAY_OK : status;
}

/* Counts lines and their bytes, and says so at the end. */
static int
count_lines(struct bay_stream *stream, void *arg)
{
	int64_t lines = 0, bytes = 0;
	char *line, text[64];
	size_t size;
	int status;

	(void)arg;
	while ((status = bay_stream_read_line(stream, LINE_MAX_BYTES, &line, &size, BAY_INHERIT)) == BAY_OK) {
		lines++;
		bytes += (int64_t)size;
	}
	if (status != BAY_CLOSED)
		return status;
	snprintf(text, sizeof text, "%" PRId64 " %" PRId64 "\n", lines, bytes);
	return bay_stream_write(stream, text, strlen(text), BAY_INHERIT);
}

struct service {
	bay_serve_fn *fn;
	struct bay_listener *listener;
};

static struct service services[] = {{echo, NULL}, {count_lines, NULL}};

static int
serve(void *arg)
{
	struct service *service = arg;

	return bay_serve(service->listener, service->fn, NULL, CONNECTIONS, BAY_INHERIT);
}

static int
begin(struct bay_request *request, struct service *service)
{
	struct bay_address address;
	char error[128];
	struct bay_listener_options options = {.length = sizeof options, .error = error,
		.error_size = sizeof error};
	int status = BAY_OK;

	if (service->listener == NULL) {
		status = bay_listen("127.0.0.1:0", &options, &service->listener, BAY_INHERIT);
		if (status != BAY_OK)
			return bay_fail(request, status, "%s", error);
		status = bay_scope_go(bay_instance_scope(bay_request_instance(request)), "serve", serve, service);
	}
	if (status != BAY_OK)
		return status;
	bay_listener_address(service->listener, &address);
	return bay_reply_int64(request, bay_address_port(&address));
}

/* A line through each, so that they have had buffers. */
static int
idle(struct bay_request *request, int64_t count)
{
	struct bay_stream **streams = bay_alloc((size_t)count * 2 * sizeof *streams);
	size_t before = mallinfo2().uordblks, after;
	int status = BAY_OK;
	char *line;

	for (int64_t i = 0; i < count && status == BAY_OK; i++) {
		status = bay_stream_pair(&streams[2 * i], &streams[2 * i + 1]);
		if (status == BAY_OK)
			status = bay_stream_write(streams[2 * i], "a\n", 2, BAY_INHERIT);
		if (status == BAY_OK)
			status = bay_stream_read_line(streams[2 * i + 1], 100, &line, NULL, BAY_INHERIT);
		if (status == BAY_OK && bay_stream_read_line(streams[2 * i + 1], 100, &line, NULL, bay_after(0)) != BAY_TIMEOUT)
			status = BAY_FAILED;
	}
	after = mallinfo2().uordblks;
	for (int64_t i = 0; i < 2 * count; i++)
		bay_stream_abort(streams[i]);
	bay_free(streams);
	return status == BAY_OK ? bay_reply_int64(request, (int64_t)(after - before) / (2 * count)) : status;
}

static int
bench_streams(struct bay_request *request)
{
	const char *text = bay_request_text(request);
	int64_t count;

	if (strcmp(text, "echo") == 0)
		return begin(request, &services[0]);
	if (strcmp(text, "lines") == 0)
		return begin(request, &services[1]);
	if (sscanf(text, "idle %" SCNd64, &count) == 1 && count > 0)
		return idle(request, count);
	return bay_fail(request, BAY_INVALID, "bench_streams wants echo, lines or idle COUNT");
}

BAY_PLUGIN(bench_streams, "1.0.0",
	.summary = "is at the other end of a connection",
	.handle = bench_streams);
