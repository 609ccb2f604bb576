/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "support/admin_world.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "master/admin_commands.h"
#include "master/plugin_examination.h"
#include "support/check_main.h"

void
world_turn(void *arg)
{
	struct world *world = arg;
	struct timeval soon = {.tv_usec = 10 * 1000};

	event_base_loopexit(world->fake.base, &soon);
	event_base_loop(world->fake.base, EVLOOP_ONCE);
}

static void
world_listen(struct world *world)
{
	const struct admin_policy policy = {.admin_uid = geteuid(), .operator_group = (gid_t)-1};
	socklen_t size = sizeof(world->address);

	world->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	world->address.sun_family = AF_UNIX;
	ck_assert_int_eq(bind(world->listener, (struct sockaddr *)&world->address,
		sizeof(sa_family_t)), 0);
	ck_assert_int_eq(getsockname(world->listener, (struct sockaddr *)&world->address, &size),
		0);
	ck_assert_int_eq(listen(world->listener, 200), 0);
	world->server = admin_server_create(world->fake.base, world->listener, &policy,
		&admin_limits_default, admin_commands_handle, &world->master);
}

static void
world_begin(struct world *world)
{
	world->master = (struct master){.base = world->fake.base, .config = world->fake.config,
		.state = MASTER_READY, .listeners = world->fake.listeners,
		.supervisor = world->fake.supervisor, .events = world->fake.events};
	world_listen(world);
	fake_master_start(&world->fake);
}

void
world_open(struct world *world, const char *orders, const char *keys)
{
	memset(world, 0, sizeof(*world));
	fake_master_open(&world->fake, orders, keys);
	world_begin(world);
}

void
world_open_pair(struct world *world, const char *orders, const char *keys_of_a, const char *keys_of_b,
	const struct program *examiner)
{
	memset(world, 0, sizeof(*world));
	fake_master_open_pair(&world->fake, orders, keys_of_a, keys_of_b, examiner);
	world_begin(world);
}

void
world_open_with_plugins(struct world *world, const char *orders, const char *keys,
	const struct program *examiner)
{
	world_open_pair(world, orders, keys, keys, examiner);
}

void
world_close_services(struct world *world)
{
	supervisor_destroy(world->fake.supervisor);
	world->fake.supervisor = NULL;
	plugin_examination_destroy(world->fake.examination);
	world->fake.examination = NULL;
}

void
world_close(struct world *world)
{
	/* What waits for the cell is answered before its connection goes, as in master.c. */
	world_close_services(world);
	admin_server_destroy(world->server);
	fake_master_close(&world->fake);
	close(world->listener);
}

struct varlink_client
client_connect(struct world *world)
{
	struct varlink_client client = {.turn = world_turn, .arg = world,
		.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};

	ck_assert_int_eq(connect(client.fd, (struct sockaddr *)&world->address,
		(socklen_t)(sizeof(sa_family_t) + 6)), 0);
	return client;
}

void
ask(const struct varlink_client *client, const char *request)
{
	char frame[512];

	snprintf(frame, sizeof(frame), "{\"method\":%s}}", request);
	client_send(client, frame);
}

json_t *
answer(const struct varlink_client *client)
{
	json_t *reply = client_receive(client);
	json_t *parameters;

	ck_assert_msg(reply != NULL, "closed");
	ck_assert_msg(json_object_get(reply, "error") == NULL, "%s",
		json_string_value(json_object_get(reply, "error")));
	parameters = json_incref(json_object_get(reply, "parameters"));
	json_decref(reply);
	return parameters;
}
