/* SPDX-License-Identifier: BSD-2-Clause */
/* <bay/datagram.h>, <bay/resolve.h> */
#include <string.h>

#include "toolbox.h"

static const char *
name_of(int status)
{
	return bay_status_name(status);
}

/* What a datagram said, or why there is none. */
static void
see_received(struct seen *seen, struct bay_datagram *socket, size_t size, struct bay_address *from_r,
	int64_t deadline)
{
	char data[16] = "";
	size_t got;
	int status = bay_datagram_receive(socket, data, size, from_r, &got, deadline);

	if (status == BAY_OK)
		saw(seen, "%s", data);
	else if (status == BAY_TOO_BIG)
		saw(seen, "%s-of-%zu", data, got);
	else
		saw(seen, "%s", name_of(status));
}

static int
receive_one(void *socket)
{
	char data[16];
	size_t got;

	return bay_datagram_receive(socket, data, sizeof data, NULL, &got, BAY_INHERIT);
}

static void
see_datagrams(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_datagram_options options = {.length = sizeof options};
	struct bay_datagram *server, *client;
	struct bay_address at, client_at;
	struct bay_task *task;
	struct bay_case one;
	size_t which;

	(void)request;
	(void)argument;
	if (bay_address_parse("127.0.0.1:0", &at) != BAY_OK || bay_datagram_open(&at, NULL, &server) != BAY_OK)
		return;
	at = bay_datagram_address(server);
	options.peer = &at;
	if (bay_datagram_open(NULL, &options, &client) != BAY_OK)
		return;
	client_at = bay_datagram_address(client);
	saw(seen, "%s", name_of(bay_datagram_send(client, "ping", 5, NULL, BAY_INHERIT)));
	one = bay_case_fd(bay_datagram_fd(server), BAY_READABLE);
	saw(seen, "%s", name_of(bay_select(&one, 1, &which, bay_after(10 * BAY_SECOND))));
	see_received(seen, server, 16, &at, BAY_INHERIT);
	saw(seen, bay_address_equal(&at, &client_at) ? "from-client" : "from-whom");
	saw(seen, "%s", name_of(bay_datagram_send(server, "longer-pong", 12, &at, BAY_INHERIT)));
	see_received(seen, client, 6, NULL, BAY_INHERIT);
	see_received(seen, client, 16, NULL, bay_after(BAY_MS));
	task = bay_spawn("receives", receive_one, server);
	bay_yield();
	bay_datagram_close(server);
	saw(seen, "%s", name_of(bay_join(task, BAY_INHERIT)));
	saw(seen, "%s", name_of(bay_datagram_send(client, "x", 1, NULL, BAY_INHERIT)));
	see_received(seen, client, 16, NULL, bay_after(10 * BAY_SECOND));
	saw(seen, "%s", strstr(bay_datagram_error(), "refused") != NULL ? "refused" : bay_datagram_error());
	bay_datagram_close(client);
}

static void
see_groups(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_address any, group;
	struct bay_datagram *socket;

	(void)request;
	(void)argument;
	if (bay_address_parse("0.0.0.0:0", &any) != BAY_OK || bay_address_parse("239.255.77.2:1", &group) != BAY_OK ||
		bay_datagram_open(&any, NULL, &socket) != BAY_OK)
		return;
	saw(seen, "%s", name_of(bay_datagram_join(socket, &group, "lo")));
	saw(seen, "%s", name_of(bay_datagram_join(socket, &group, "lo")));
	saw(seen, "%s", name_of(bay_datagram_leave(socket, &group, "lo")));
	saw(seen, "%s", name_of(bay_datagram_leave(socket, &group, "lo")));
	bay_datagram_close(socket);
}

/* Opens one at the given address and forgets it: the end of the instance closes it. */
static void
see_left_open(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_address at;
	struct bay_datagram *socket;
	char text[BAY_ADDRESS_TEXT_SIZE];
	int status = bay_address_parse(argument, &at);

	(void)request;
	if (status == BAY_OK)
		status = bay_datagram_open(&at, NULL, &socket);
	if (status == BAY_OK)
		at = bay_datagram_address(socket);
	saw(seen, "%s %s", name_of(status), status == BAY_OK ? bay_address_text(&at, text, sizeof text) :
		bay_datagram_error());
}

static void
see_names(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_address addresses[4];
	char text[BAY_ADDRESS_TEXT_SIZE], name[BAY_RESOLVE_NAME_SIZE];
	size_t count;

	(void)request;
	(void)argument;
	saw(seen, "%s", name_of(bay_resolve("localhost", "80", BAY_RESOLVE_IPV4, addresses, 4, &count, BAY_INHERIT)));
	saw(seen, "%s", count > 0 ? bay_address_text(&addresses[0], text, sizeof text) : "none");
	saw(seen, "%s", name_of(bay_resolve("::1", "80", BAY_RESOLVE_NUMERIC, addresses, 4, &count, BAY_INHERIT)));
	saw(seen, "%s", count > 0 ? bay_address_text(&addresses[0], text, sizeof text) : "none");
	saw(seen, "%s", name_of(bay_resolve("a..b", NULL, 0, addresses, 4, &count, BAY_INHERIT)));
	saw(seen, "'%s'", bay_resolve_error());
	if (bay_address_parse("unix:@a", &addresses[0]) == BAY_OK)
		saw(seen, "%s", name_of(bay_resolve_name(&addresses[0], name, sizeof name, BAY_INHERIT)));
}

const struct operation network_operations[] = {
	{"datagrams", see_datagrams, NULL},
	{"groups", see_groups, NULL},
	{"left-open", see_left_open, NULL},
	{"names", see_names, NULL},
	{NULL, NULL, NULL}
};
