/* SPDX-License-Identifier: BSD-2-Clause */
/* <bay/address.h>, <bay/stream.h>, <bay/listener.h>, <bay/tls.h> */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "toolbox.h"

static void
see_addresses(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_address address, other;
	char text[BAY_ADDRESS_TEXT_SIZE];

	(void)request;
	saw(seen, "%s", bay_status_name(bay_address_parse(argument, &address)));
	saw(seen, "%s", bay_address_text(&address, text, sizeof text));
	saw(seen, "%d %u", bay_address_family(&address) == BAY_ADDRESS_IPV6, bay_address_port(&address));
	other = address;
	saw(seen, "%d", bay_address_equal(&address, &other));
	saw(seen, "%s", bay_status_name(bay_address_set_port(&other, 8080)));
	saw(seen, "%d %s", bay_address_equal(&address, &other), bay_address_text(&other, text, sizeof text));
	saw(seen, "%s", bay_status_name(bay_address_parse("no address", &address)));
}

/* All the ways to read, over a pair. */
static void
see_reads(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_stream *from, *to;
	char *text, bytes[8] = "";
	size_t size;

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(bay_stream_pair(&from, &to)));
	bay_stream_write(from, "line\r\nuntil--drop++fourrest", 27, BAY_INHERIT);
	saw(seen, "%s", bay_status_name(bay_stream_read_line(to, 100, &text, &size, BAY_INHERIT)));
	saw(seen, "%s %zu %zu", text, size, bay_stream_unread(to));
	saw(seen, "%s", bay_status_name(bay_stream_read_until(to, "--", 2, 3, &text, NULL, BAY_INHERIT)));
	saw(seen, "%s", bay_status_name(bay_stream_read_until(to, "--", 2, 100, &text, NULL, BAY_INHERIT)));
	saw(seen, "%s", text);
	saw(seen, "%s", bay_status_name(bay_stream_skip_until(to, "++", 2, BAY_INHERIT)));
	saw(seen, "%s", bay_status_name(bay_stream_read_exactly(to, bytes, 4, NULL, BAY_INHERIT)));
	saw(seen, "%s", bytes);
	saw(seen, "%s", bay_status_name(bay_stream_read(to, bytes, 2, &size, BAY_INHERIT)));
	saw(seen, "%.2s", bytes);
	saw(seen, "%s", bay_status_name(bay_stream_write_eof(from)));
	saw(seen, "%s", bay_status_name(bay_stream_read_all(to, 100, &text, &size, BAY_INHERIT)));
	saw(seen, "%s %d", text, bay_stream_at_eof(to));
	saw(seen, "%s", bay_status_name(bay_stream_close(from, BAY_INHERIT)));
	bay_stream_abort(to);
}

static int
read_all(void *arg)
{
	char *data;
	size_t size;
	int status = bay_stream_read_all(arg, SIZE_MAX, &data, &size, BAY_INHERIT);

	bay_stream_abort(arg);
	return status == BAY_OK && size == 1000011 ? BAY_OK : BAY_FAILED;
}

static void
see_writes(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_stream_options options = {.length = sizeof options, .high_water = 1000};
	char one[] = "one", two[] = "two";
	const struct iovec pieces[] = {{one, 3}, {two, 3}};
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct bay_stream *from, *to;
	char *block = bay_alloc(1000000);
	struct bay_task *task;
	size_t sent;

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(bay_pipe(&to, &from)));
	saw(seen, "%s", bay_status_name(bay_stream_configure(from, &options)));
	task = bay_spawn("reads", read_all, to);
	saw(seen, "%s", bay_status_name(bay_stream_write(from, block, 1000000, BAY_INHERIT)));
	saw(seen, "%s", bay_status_name(bay_stream_writev(from, pieces, 2, BAY_INHERIT)));
	saw(seen, "%s", bay_status_name(bay_stream_drain(from, BAY_INHERIT)));
	saw(seen, "%zu", bay_stream_unsent(from));
	saw(seen, "%s", bay_status_name(bay_stream_sendfile(from, file, 0, 5, &sent, BAY_INHERIT)));
	saw(seen, "%zu", sent);
	saw(seen, "%s", bay_status_name(bay_stream_close(from, BAY_INHERIT)));
	saw(seen, "%s", bay_status_name(bay_join(task, BAY_INHERIT)));
	close(file);
	bay_free(block);
}

static int
greet(struct bay_stream *stream, void *arg)
{
	char *line;
	int status = bay_stream_read_line(stream, 100, &line, NULL, BAY_INHERIT);

	(void)arg;
	return status == BAY_OK ? bay_stream_write(stream, line, strlen(line), BAY_INHERIT) : status;
}

static int
serve(void *listener)
{
	return bay_serve(listener, greet, NULL, 2, BAY_INHERIT);
}

/* To the address of a listener and back. */
static void
see_connection(const struct bay_listener *listener, struct seen *seen)
{
	struct bay_address address, other;
	char text[BAY_ADDRESS_TEXT_SIZE], *data;
	struct bay_stream *stream;

	bay_listener_address(listener, &address);
	bay_address_text(&address, text, sizeof text);
	saw(seen, "%s", bay_status_name(bay_connect(text, NULL, &stream, BAY_INHERIT)));
	saw(seen, "%s", bay_status_name(bay_stream_peer(stream, &other)));
	saw(seen, "%d", bay_address_equal(&address, &other));
	saw(seen, "%s", bay_status_name(bay_stream_local(stream, &other)));
	saw(seen, "%d", bay_stream_fd(stream) >= 0);
	bay_stream_write(stream, "hello\n", 6, BAY_INHERIT);
	saw(seen, "%s", bay_status_name(bay_stream_read_all(stream, 100, &data, NULL, BAY_INHERIT)));
	saw(seen, "%s", data);
	bay_stream_abort(stream);
}

static void
see_serving(struct bay_request *request, const char *argument, struct seen *seen)
{
	char error[100] = "";
	struct bay_stream_options options = {.length = sizeof options, .error = error, .error_size = sizeof error};
	struct bay_listener *listener;
	struct bay_address address;
	struct bay_stream *stream;
	struct bay_task *task;

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(bay_listen("127.0.0.1:0", NULL, &listener, BAY_INHERIT)));
	bay_listener_address(listener, &address);
	task = bay_spawn("serve", serve, listener);
	see_connection(listener, seen);
	bay_listener_close(listener);
	saw(seen, "%s", bay_status_name(bay_join(task, BAY_INHERIT)));
	/* Where it listened, who connects waits for the service to listen again: the master's. */
	saw(seen, "%s", bay_status_name(bay_connect_to(&address, NULL, &stream, BAY_INHERIT)));
	bay_stream_abort(stream);
	saw(seen, "%s", bay_status_name(bay_connect("127.0.0.1:1", &options, &stream, BAY_INHERIT)));
	saw(seen, strstr(error, "Connection refused") != NULL ? "refused" : "without-words");
}

static int
connect_to(void *address)
{
	struct bay_stream_credentials peer;
	struct bay_stream *stream;
	int status = bay_connect_to(address, NULL, &stream, BAY_INHERIT);

	if (status != BAY_OK)
		return status;
	status = bay_stream_credentials(stream, &peer);
	bay_stream_write(stream, "x", 1, BAY_INHERIT);
	bay_stream_close(stream, BAY_INHERIT);
	return status == BAY_OK && peer.uid == getuid() ? BAY_OK : BAY_FAILED;
}

static void
see_accept(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_listener *listener;
	struct bay_address address;
	struct bay_case cases[2];
	struct bay_stream *stream;
	struct bay_task *task;
	size_t index;
	int status;

	(void)request;
	status = bay_listen(argument, NULL, &listener, BAY_INHERIT);
	saw(seen, "%s", bay_status_name(status));
	if (status != BAY_OK)
		return;
	bay_listener_address(listener, &address);
	saw(seen, "%s", bay_status_name(bay_accept(listener, &stream, bay_after(0))));
	task = bay_spawn("connects", connect_to, &address);
	cases[0] = bay_case_accept(listener);
	saw(seen, "%s", bay_status_name(bay_select(cases, 1, &index, BAY_INHERIT)));
	cases[1] = bay_case_read(cases[0].stream);
	saw(seen, "%s", bay_status_name(bay_select(cases, 2, &index, BAY_INHERIT)));
	saw(seen, "%zu", index);
	saw(seen, "'%s'", bay_stream_error(cases[1].stream));
	bay_stream_abort(cases[1].stream);
	saw(seen, "%s", bay_status_name(bay_join(task, BAY_INHERIT)));
	bay_listener_close(listener);
}

/* A descriptor of one's own, as a stream. */
static void
see_open_fd(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_stream *stream;
	int ends[2], status;
	char *text;

	(void)request;
	(void)argument;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return;
	status = bay_stream_open_fd(ends[0], NULL, &stream);
	saw(seen, "%s", bay_status_name(status));
	if (write(ends[1], "from a pipe\n", 12) != 12)
		saw(seen, "not-written");
	saw(seen, "%s", bay_status_name(bay_stream_read_line(stream, 100, &text, NULL, BAY_INHERIT)));
	saw(seen, "%s", text);
	bay_stream_close(stream, BAY_INHERIT);
	close(ends[1]);
}

/* What a service leaves open must not outlive it. */
static void
forget_streams(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_listener *listener;
	struct bay_stream *a, *b;

	(void)request;
	saw(seen, "%s", bay_status_name(bay_stream_pair(&a, &b)));
	saw(seen, "%s", bay_status_name(bay_listen(argument, NULL, &listener, BAY_INHERIT)));
}

/* Waits for a line from a FIFO. */
static void
wait_for_stream(struct bay_request *request, const char *argument, struct seen *seen)
{
	int fd = open(argument, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	struct bay_stream *stream;
	char *line;

	(void)request;
	if (bay_stream_open_fd(fd, NULL, &stream) != BAY_OK)
		return;
	saw(seen, "%s", bay_status_name(bay_stream_read_line(stream, 100, &line, NULL, BAY_INHERIT)));
	saw(seen, "%s", line);
	bay_stream_abort(stream);
}

struct secret {
	struct bay_stream *stream;
	struct bay_tls *tls;
};

static int
keep_secret(void *arg)
{
	struct secret *secret = arg;
	int status = bay_stream_start_tls(secret->stream, secret->tls, NULL, BAY_INHERIT);

	if (status == BAY_OK)
		status = bay_stream_write(secret->stream, "in secret", 9, BAY_INHERIT);
	bay_stream_close(secret->stream, BAY_INHERIT);
	return status;
}

/* With a file of both certificate and key, for localhost. */
static void
see_tls(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_tls_options server = {.length = sizeof server, .server = true, .certificate = argument};
	struct bay_tls_options client = {.length = sizeof client, .ca = argument};
	struct bay_stream_tls facts;
	struct secret secret;
	struct bay_stream *stream;
	struct bay_task *task;
	struct bay_tls *tls;
	char *data;

	(void)request;
	saw(seen, "%s", bay_status_name(bay_tls_create(&server, &secret.tls, BAY_INHERIT)));
	saw(seen, "%s", bay_status_name(bay_tls_create(&client, &tls, BAY_INHERIT)));
	if (secret.tls == NULL || tls == NULL)
		return;
	saw(seen, "%s '%s'", bay_status_name(bay_tls_reload(secret.tls, BAY_INHERIT)), bay_tls_error(secret.tls));
	bay_stream_pair(&secret.stream, &stream);
	task = bay_spawn("keeps", keep_secret, &secret);
	saw(seen, "%s", bay_status_name(bay_stream_start_tls(stream, tls, "localhost", BAY_INHERIT)));
	saw(seen, "%s", bay_status_name(bay_stream_tls(stream, &facts)));
	saw(seen, "%s %s", facts.version, facts.peer);
	saw(seen, "%s", bay_status_name(bay_stream_read_all(stream, 100, &data, NULL, BAY_INHERIT)));
	saw(seen, "%s", data);
	saw(seen, "%s", bay_status_name(bay_join(task, BAY_INHERIT)));
	bay_stream_abort(stream);
	bay_tls_destroy(secret.tls);
	bay_tls_destroy(tls);
}

const struct operation stream_operations[] = {
	{"addresses", see_addresses, NULL},
	{"stream-reads", see_reads, NULL},
	{"stream-writes", see_writes, NULL},
	{"stream-serve", see_serving, NULL},
	{"stream-accept", see_accept, NULL},
	{"stream-open", see_open_fd, NULL},
	{"stream-forget", forget_streams, NULL},
	{"stream-wait", wait_for_stream, NULL},
	{"tls", see_tls, NULL},
	{NULL, NULL, NULL}
};
