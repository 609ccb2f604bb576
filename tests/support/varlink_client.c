/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "support/varlink_client.h"

#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buffer.h"

bool
client_send_bytes(const struct varlink_client *client, const void *data, size_t size)
{
	const char *bytes = data;

	while (size > 0) {
		ssize_t sent = send(client->fd, bytes, size, MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN)
			return false;
		if (sent > 0) {
			bytes += sent;
			size -= (size_t)sent;
		}
		client->turn(client->arg);
	}
	return true;
}

void
client_send(const struct varlink_client *client, const char *frame)
{
	ck_assert(client_send_bytes(client, frame, strlen(frame) + 1));
}

/* Appends the next bytes up to a NUL; what is behind stays where it is. 1: there was the NUL,
 * 0: not yet, -1: the server has closed. */
static int
client_receive_some(const struct varlink_client *client, struct buffer *frame)
{
	char chunk[16 * 1024];
	ssize_t got = recv(client->fd, chunk, sizeof(chunk), MSG_PEEK);
	const char *end;

	if (got == 0 || (got < 0 && errno != EAGAIN))
		return -1;
	if (got < 0) {
		client->turn(client->arg);
		return 0;
	}
	end = memchr(chunk, '\0', (size_t)got);
	got = recv(client->fd, chunk, end != NULL ? (size_t)(end - chunk) + 1 : (size_t)got, 0);
	ck_assert(buffer_append(frame, chunk, (size_t)got - (end != NULL)));
	return end != NULL;
}

json_t *
client_receive(const struct varlink_client *client)
{
	struct buffer frame = {0};
	json_t *json = NULL;
	int result;

	while ((result = client_receive_some(client, &frame)) == 0)
		continue;
	if (result > 0) {
		json = json_loadb((const char *)frame.data, frame.size, 0, NULL);
		ck_assert_ptr_nonnull(json);
	}
	buffer_finish(&frame);
	return json;
}

void
client_expect_error(const struct varlink_client *client, const char *error, const char *words)
{
	json_t *reply = client_receive(client);
	const char *message;

	ck_assert_msg(reply != NULL, "closed without an error");
	ck_assert_str_eq(json_string_value(json_object_get(reply, "error")), error);
	message = json_string_value(json_object_get(json_object_get(reply, "parameters"),
		"message"));
	ck_assert_msg(message != NULL && strstr(message, words) != NULL, "\"%s\" is not in: %s",
		words, message);
	json_decref(reply);
}

void
client_expect_closed(const struct varlink_client *client)
{
	ck_assert_ptr_null(client_receive(client));
}
