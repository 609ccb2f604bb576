/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/fake_server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "protocol/interface.h"
#include "support/check_main.h"

enum { LINES = 64 };

struct fake {
	fake_server_fn *answer;
	unsigned count;
	bool exit;
	bool exit_at_next;
	struct pollfd polls[LINES + 1]; /* the last one listens */
	struct varlink_stream streams[LINES];
	unsigned numbers[LINES];
	unsigned accepted;
};

static json_t *
fake_parse(const char *text)
{
	char *copy = xstrdup(text);
	json_t *json;

	for (char *c = copy; *c != '\0'; c++)
		if (*c == '\'')
			*c = '"';
	json = json_loads(copy, 0, NULL);
	if (json == NULL) {
		fprintf(stderr, "fake server: no JSON: %s\n", copy);
		_exit(1);
	}
	free(copy);
	return json;
}

static void
fake_send(struct fake_call *call, const struct varlink_reply *reply, int fd)
{
	struct pollfd wait = {.fd = call->fd, .events = POLLOUT};

	if (!varlink_stream_send_reply(call->stream, reply, &fd, fd >= 0))
		_exit(2);
	while (varlink_stream_flush(call->stream) == VARLINK_STREAM_AGAIN)
		poll(&wait, 1, -1);
}

static void
fake_send_text(struct fake_call *call, const char *error, const char *text, bool continues)
{
	json_t *parameters = fake_parse(text);

	fake_send(call, &(struct varlink_reply){.error = error, .parameters = parameters,
		.continues = continues}, -1);
	json_decref(parameters);
}

void
fake_reply(struct fake_call *call, const char *parameters)
{
	fake_send_text(call, NULL, parameters, false);
}

void
fake_reply_continues(struct fake_call *call, const char *parameters)
{
	fake_send_text(call, NULL, parameters, true);
}

void
fake_reply_json(struct fake_call *call, json_t *parameters, int fd)
{
	fake_send(call, &(struct varlink_reply){.parameters = parameters}, fd);
	json_decref(parameters);
}

void
fake_error(struct fake_call *call, const char *error, const char *parameters)
{
	char name[128];

	snprintf(name, sizeof(name), "%s%s", strchr(error, '.') != NULL ? "" : INTERFACE_NAME ".",
		error);
	fake_send_text(call, name, parameters, false);
}

void
fake_bytes(struct fake_call *call, const void *data, size_t size)
{
	if (!fd_write_all(call->fd, data, size) && errno != EPIPE && errno != ECONNRESET)
		_exit(3);
}

const char *
fake_text(const struct fake_call *call, const char *name)
{
	const char *text = json_string_value(json_object_get(call->parameters, name));

	return text != NULL ? text : "";
}

/* --- the process --------------------------------------------------------------------------- */

static void
fake_close(struct fake *fake, int i)
{
	varlink_stream_finish(&fake->streams[i]);
	fd_close(&fake->polls[i].fd);
}

static void
fake_accept(struct fake *fake)
{
	int fd = accept4(fake->polls[LINES].fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	for (int i = 0; i < LINES && fd >= 0; i++) {
		if (fake->polls[i].fd >= 0)
			continue;
		fake->polls[i].fd = fd;
		fake->polls[i].events = POLLIN;
		fake->numbers[i] = ++fake->accepted;
		varlink_stream_init(&fake->streams[i], fd, &varlink_limits_server);
		return;
	}
	fd_close(&fd);
}

static void
fake_serve(struct fake *fake, int i, const json_t *frame, struct varlink_fds *fds)
{
	struct varlink_call decoded;
	const char *why;
	struct fake_call call = {.fds = fds, .fd = fake->polls[i].fd, .count = ++fake->count,
		.connection = fake->numbers[i], .stream = &fake->streams[i]};

	if (varlink_call_decode(frame, &decoded, &why) != VARLINK_OK) {
		fprintf(stderr, "fake server: %s\n", why);
		_exit(4);
	}
	call.method = strrchr(decoded.method, '.') + 1;
	call.parameters = decoded.parameters;
	call.more = decoded.more;
	fake->answer(&call);
	fake->exit = call.exit;
	fake->exit_at_next = call.exit_at_next;
	if (call.close)
		fake_close(fake, i);
}

static void
fake_on_readable(struct fake *fake, int i)
{
	struct varlink_fds fds;
	json_t *frame;

	if (varlink_stream_receive(&fake->streams[i]) != VARLINK_STREAM_OK) {
		fake_close(fake, i);
		return;
	}
	while (fake->polls[i].fd >= 0 && !fake->exit &&
		varlink_stream_take(&fake->streams[i], &frame, &fds) == VARLINK_OK) {
		fake_serve(fake, i, frame, &fds);
		varlink_fds_close(&fds);
		json_decref(frame);
	}
}

static void
fake_loop(struct fake *fake)
{
	while (!fake->exit) {
		if (poll(fake->polls, LINES + 1, -1) < 0)
			continue;
		if ((fake->polls[LINES].revents & POLLIN) != 0) {
			fake_accept(fake);
			fake->exit = fake->exit_at_next;
		}
		for (int i = 0; i < LINES && !fake->exit; i++)
			if (fake->polls[i].fd >= 0 && fake->polls[i].revents != 0)
				fake_on_readable(fake, i);
	}
}

static int
fake_listen(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 128), 0);
	return fd;
}

void
fake_server_start(struct fake_server *server, fake_server_fn *answer)
{
	static struct fake fake;
	int fd;

	temp_dir_init(&server->dir);
	snprintf(server->path, sizeof(server->path), "%s", temp_dir_path(&server->dir, "sock"));
	fd = fake_listen(server->path);
	server->pid = fork();
	ck_assert_int_ge(server->pid, 0);
	if (server->pid > 0) {
		close(fd);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fake.answer = answer;
	for (int i = 0; i < LINES; i++)
		fake.polls[i].fd = -1;
	fake.polls[LINES].fd = fd;
	fake.polls[LINES].events = POLLIN;
	fake_loop(&fake);
	unlink(server->path);
	_exit(0);
}

void
fake_server_stop(struct fake_server *server)
{
	int status;

	kill(server->pid, SIGKILL);
	ck_assert_int_eq(waitpid(server->pid, &status, 0), server->pid);
	/* One that found its test wrong has said so and exited by itself. */
	ck_assert_msg(WIFSIGNALED(status) || WEXITSTATUS(status) == 0, "the fake server failed");
	temp_dir_finish(&server->dir);
}
