/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client that may misbehave: it sends any bytes, and waits for nothing by itself. When it
 * has to wait it calls turn, which lets a server in the same process work, or time pass.
 * Failures fail the test that calls.
 */
#ifndef BAY_TESTS_SUPPORT_VARLINK_CLIENT_H
#define BAY_TESTS_SUPPORT_VARLINK_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct varlink_client {
	int fd; /* connected and non-blocking; the test's to close */
	void (*turn)(void *arg);
	void *arg;
};

/* Sends all of it; false: the server has closed. */
bool client_send_bytes(const struct varlink_client *client, const void *data, size_t size)
	__attribute__((warn_unused_result));

/* Sends the text and its NUL. */
void client_send(const struct varlink_client *client, const char *frame);

/* The next frame, for the caller to json_decref; NULL: the server has closed. */
json_t *client_receive(const struct varlink_client *client);

/* The next frame is an error of this name whose message holds the words. */
void client_expect_error(const struct varlink_client *client, const char *error,
	const char *words);

/* The server has closed, and sent nothing before. */
void client_expect_closed(const struct varlink_client *client);

#endif
