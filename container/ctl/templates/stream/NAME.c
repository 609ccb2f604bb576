/*
 * @NAME@: a server. Whoever connects writes lines and gets them back in capitals; "bye" ends
 * the connection. A call tells where it listens and how many are connected.
 *
 *	$ bayctl call @NAME@
 *	127.0.0.1:7007, 0 connections
 */
#include <string.h>

#include <bay/bay.h>

enum {
	LINE_MAX_BYTES = 4096,
	CONNECTIONS_MAX = 1000
};

struct settings {
	const char *address;
	int64_t idle_ns;
};

/* Where each key of the ini goes, its default and its help. The container checks the ini
 * against this table and fills the struct before any of our code runs. */
static const struct bay_setting settings[] = {
	BAY_STRING(struct settings, address, "address", "127.0.0.1:7007",
		"where to listen: HOST:PORT, unix:PATH, or a name of the key listen"),
	BAY_DURATION(struct settings, idle_ns, "idle", "1m",
		"who writes nothing for so long is disconnected"),
	BAY_END
};

/* What the instance knows. Its tasks run on one loop, one at a time, so they share it
 * without locks: others run only while a task waits. */
struct server {
	const struct settings *set;
	struct bay_listener *listener;
	int64_t connections;
};

static void
capitalize(char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] >= 'a' && text[i] <= 'z')
			text[i] = (char)(text[i] - 'a' + 'A');
}

/* Reads and answers one line, whose bytes are the stream's until the next read. */
static int
server_answer(struct server *server, struct bay_stream *stream)
{
	char *line;
	size_t size;
	int status;

	status = bay_stream_read_line(stream, LINE_MAX_BYTES, &line, &size,
		bay_after(server->set->idle_ns));
	if (status != BAY_OK)
		return status;
	if (strcmp(line, "bye") == 0)
		return BAY_CLOSED;
	capitalize(line, size);
	status = bay_stream_write(stream, line, size, BAY_INHERIT);
	return status == BAY_OK ? bay_stream_write(stream, "\n", 1, BAY_INHERIT) : status;
}

/* One connection, in a task of its own; the stream is closed when it returns. */
static int
server_talk(struct bay_stream *stream, void *arg)
{
	struct server *server = arg;
	int status;

	server->connections++;
	do
		status = server_answer(server, stream);
	while (status == BAY_OK);
	server->connections--;
	return status == BAY_CLOSED ? BAY_OK : status;
}

/* Listens before the service counts as ready: an address that is not to be had refuses it. */
static int
server_init(struct bay_instance *instance)
{
	const struct settings *set = bay_instance_settings(instance);
	char error[256] = "";
	const struct bay_listener_options options = {.length = sizeof options, .error = error,
		.error_size = sizeof error};
	struct server *server = bay_alloc(sizeof *server);
	int status;

	if (server == NULL)
		return BAY_NO_MEMORY;
	*server = (struct server){.set = set};
	status = bay_listen(set->address, &options, &server->listener, BAY_INHERIT);
	if (status != BAY_OK) {
		bay_free(server);
		return bay_instance_fail(instance, status, "%s", error);
	}
	bay_instance_set_state(instance, server);
	return BAY_OK;
}

/* Serves until the service is stopped; then every connection has ended. */
static int
server_run(struct bay_instance *instance)
{
	struct server *server = bay_instance_state(instance);

	return bay_serve(server->listener, server_talk, server, CONNECTIONS_MAX, BAY_INHERIT);
}

static int
server_handle(struct bay_request *request)
{
	const struct server *server = bay_state(request);
	struct bay_address address;
	char text[BAY_ADDRESS_TEXT_SIZE];

	bay_listener_address(server->listener, &address);
	return bay_reply_printf(request, "%s, %" PRId64 " connections",
		bay_address_text(&address, text, sizeof text), server->connections);
}

static void
server_fini(struct bay_instance *instance)
{
	struct server *server = bay_instance_state(instance);

	bay_listener_close(server->listener);
	bay_free(server);
}

BAY_PLUGIN(@NAME@, "0.1.0",
	.summary = "answers lines with capitals over TCP",
	.settings = settings,
	.init = server_init,
	.run = server_run,
	.handle = server_handle,
	.fini = server_fini);
