/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fake master (fake_master.h) with an admin socket, which clients of the test call as bayctl does:
 *
 *	struct varlink_client client;
 *	struct world world;
 *
 *	world_open(&world, "gate=busy\n", "");
 *	client = client_connect(&world);
 *	ask(&client, "\"io.bayd.Container.Pause\",\"parameters\":{\"service\":\"a\"");
 *	json_decref(answer(&client));
 *	close(client.fd);
 *	world_close(&world);
 */
#ifndef BAY_TESTS_SUPPORT_ADMIN_WORLD_H
#define BAY_TESTS_SUPPORT_ADMIN_WORLD_H

#include <jansson.h>
#include <sys/un.h>

#include "master/admin_server.h"
#include "master/master.h"
#include "support/fake_master.h"
#include "support/varlink_client.h"

struct world {
	struct fake_master fake;
	struct master master;
	struct admin_server *server;
	int listener;
	struct sockaddr_un address;
};

/* Both services are ready. */
void world_open(struct world *world, const char *orders, const char *keys);

/* The same with an examination of what fake_master_plugin puts there; the services run already. */
void world_open_with_plugins(struct world *world, const char *orders, const char *keys,
	const struct program *examiner);

/* The same with keys of each; examiner NULL: without an examination. */
void world_open_pair(struct world *world, const char *orders, const char *keys_of_a, const char *keys_of_b,
	const struct program *examiner);

/* Ends the services and the examination, and answers who waits for them; world_close does that, too. */
void world_close_services(struct world *world);

void world_close(struct world *world);

/* Runs events for a moment. */
void world_turn(void *world);

struct varlink_client client_connect(struct world *world);

/* Sends {"method":REQUEST}}, of which request leaves the last two brackets out. */
void ask(const struct varlink_client *client, const char *request);

/* The parameters of the next reply, which is no error; the caller's. */
json_t *answer(const struct varlink_client *client);

#endif
