/* SPDX-License-Identifier: BSD-2-Clause */
/* The sockets of <bay/datagram.h>. */
#include "config.h"

#include <bay/datagram.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "io/address.h"
#include "io/datagram_socket.h"
#include "io/descriptor.h"
#include "io/readiness.h"
#include "runtime/await.h"
#include "runtime/belonging.h"
#include "runtime/task.h"
#include "runtime/waitable.h"

/* How long to wait for room that the kernel will not tell of, at first and at most. */
#define DATAGRAM_PAUSE_NS CLOCK_NS_PER_MS
#define DATAGRAM_PAUSE_MAX_NS (16 * CLOCK_NS_PER_MS)

struct bay_datagram {
	struct waitable waitable;      /* first; its name is the address */
	struct belonging belonging;
	struct readiness readiness;
	int fd;                        /* -1: closed */
	int watched;                   /* the duplicate for bay_datagram_fd(), or -1 */
	struct datagram_file file;
};

/* What is to be sent or has been received. */
struct datagram {
	void *data;
	size_t size;                   /* of data */
	const struct bay_address *to;  /* or NULL: the peer */
	struct bay_address *from_r;    /* or NULL */
	size_t got;
	int error;                     /* of the system call that failed, else 0 */
	bool blind;                    /* it would block, and nobody will tell when not */
};

/* BAY_BUSY: it would block. */
typedef int datagram_try_fn(struct bay_datagram *socket, struct datagram *datagram);

/* --- texts ------------------------------------------------------------------------------------ */

const char *
bay_datagram_error(void)
{
	const struct task *self = task_current();

	return self != NULL && self->call_error != NULL ? self->call_error : "";
}

/* Only a failure has a text; it is about an address, or none. */
static int
datagram_end(const char *what, const struct bay_address *about, int status, int error)
{
	struct task *self = task_current();
	char text[BAY_ADDRESS_TEXT_SIZE];

	if (self == NULL || (error == 0 && self->call_error == NULL))
		return status;
	task_set_error(self, error == 0 ? NULL : xasprintf("%s%s%s: %s", what, about != NULL ? " " : "",
		about != NULL ? bay_address_text(about, text, sizeof text) : "", strerrordesc_np(error)));
	return status;
}

/* --- open and close ---------------------------------------------------------------------------- */

/* Out of the kernel's hands. Who waits is told. */
static void
datagram_shut(struct bay_datagram *socket)
{
	readiness_finish(&socket->readiness, BAY_CLOSED);
	if (socket->watched >= 0)
		(void)bay_fd_close(socket->watched);
	socket->watched = -1;
	fd_close(&socket->fd);
	datagram_file_remove(&socket->file);
	waitable_close(&socket->waitable);
}

static void
datagram_on_end(struct belonging *belonging)
{
	datagram_shut(container_of(belonging, struct bay_datagram, belonging));
}

void
bay_datagram_close(struct bay_datagram *socket)
{
	if (socket == NULL || !waitable_is_here(socket, "bay_datagram_close"))
		return;
	belonging_remove(&socket->belonging);
	datagram_shut(socket);
}

/* Around a descriptor, which it takes. NULL without memory. */
static struct bay_datagram *
datagram_create(int fd, const struct datagram_file *file)
{
	struct bay_datagram *socket = waitable_create(sizeof *socket, "socket", NULL);
	struct bay_address address;
	char text[BAY_ADDRESS_TEXT_SIZE];

	if (socket == NULL)
		return NULL;
	if (!readiness_init(&socket->readiness, &scheduler_here->loop, fd)) {
		waitable_close(&socket->waitable);
		return NULL;
	}
	socket->fd = fd;
	socket->watched = -1;
	socket->file = *file;
	address_local(&address, fd);
	snprintf(socket->waitable.name, sizeof socket->waitable.name, "%.*s",
		(int)sizeof socket->waitable.name - 1, bay_address_text(&address, text, sizeof text));
	belonging_add(&socket->belonging, "socket", datagram_on_end);
	return socket;
}

int
bay_datagram_open(const struct bay_address *local, const struct bay_datagram_options *options,
	struct bay_datagram **socket_r)
{
	static const struct bay_datagram_options usual = {.length = sizeof usual};
	const struct bay_address *about = local;
	struct datagram_file file;
	int fd, error;

	*socket_r = NULL;
	if (options == NULL)
		options = &usual;
	if (about == NULL)
		about = options->peer;
	if (scheduler_here == NULL) {
		log_error(NULL, "bay_datagram_open was called on a thread that is no loop: only tasks can use a socket [misuse-thread]");
		return BAY_INVALID;
	}
	fd = datagram_socket_open(local, options, &file);
	if (fd < 0) {
		error = errno;
		return datagram_end("open a socket", about, datagram_status(error), error);
	}
	*socket_r = datagram_create(fd, &file);
	if (*socket_r != NULL)
		return datagram_end("", NULL, BAY_OK, 0);
	close(fd);
	datagram_file_remove(&file);
	return datagram_end("open a socket", about, BAY_NO_MEMORY, ENOMEM);
}

/* --- send and receive -------------------------------------------------------------------------- */

/* After a failed system call. */
static int
datagram_failed(struct datagram *datagram)
{
	datagram->error = errno;
	return datagram_status(datagram->error);
}

/* Whether there is room by what the kernel tells, which is not what it does: when its queues
 * are full, and when another Unix socket's is and that is not the peer. */
static bool
datagram_is_blind(const struct bay_datagram *socket)
{
	unsigned ready;

	return errno == ENOBUFS || descriptor_poll(socket->fd, BAY_WRITABLE, &ready) == BAY_OK;
}

static int
datagram_try_send(struct bay_datagram *socket, struct datagram *datagram)
{
	const struct sockaddr *to = NULL;
	socklen_t length = 0;
	ssize_t sent;

	if (datagram->to != NULL)
		to = address_sockaddr(datagram->to, &length);
	do {
		sent = sendto(socket->fd, datagram->data, datagram->size, MSG_NOSIGNAL, to, length);
	} while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return BAY_OK;
	if (errno != EAGAIN && errno != ENOBUFS)
		return datagram_failed(datagram);
	datagram->blind = datagram_is_blind(socket);
	return BAY_BUSY;
}

static int
datagram_try_receive(struct bay_datagram *socket, struct datagram *datagram)
{
	struct sockaddr_storage from;
	socklen_t length = sizeof from;
	ssize_t got;

	do {
		got = recvfrom(socket->fd, datagram->data, datagram->size, MSG_TRUNC,
			(struct sockaddr *)&from, &length);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? BAY_BUSY : datagram_failed(datagram);
	datagram->got = (size_t)got;
	if (datagram->from_r != NULL)
		(void)address_from_sockaddr(datagram->from_r, (const struct sockaddr *)&from, length);
	return datagram->got > datagram->size ? BAY_TOO_BIG : BAY_OK;
}

/* Waits for a while, longer each time, without standing in anybody's way. */
static int
datagram_pause(struct bay_datagram *socket, struct task *self, int64_t *pause_ns, int64_t deadline)
{
	int64_t until_ns = self->scheduler->loop.now_ns + *pause_ns;
	struct waiter waiter;
	int status;

	waiter_init(&waiter, AWAIT_CANCELABLE);
	waiter.waitable = &socket->waitable;
	deadline = task_deadline(self, deadline);
	status = task_await(&waiter, until_ns < deadline ? until_ns : deadline);
	if (*pause_ns < DATAGRAM_PAUSE_MAX_NS)
		*pause_ns *= 2;
	return status == BAY_TIMEOUT && until_ns < deadline ? BAY_OK : status;
}

/* Tries, in turn with others, until it does not block. */
static int
datagram_exchange(struct bay_datagram *socket, struct readiness_line *line, datagram_try_fn *try,
	struct datagram *datagram, int64_t deadline)
{
	struct task *self = task_current();
	bool turn = readiness_take(line);
	int64_t pause_ns = DATAGRAM_PAUSE_NS;
	int status = BAY_OK;

	/* What was found earlier may not be so any more, and the deadline may have passed. */
	line->maybe |= turn;
	waitable_enter(&socket->waitable);
	while (status == BAY_OK) {
		datagram->blind = false;
		if (turn && line->maybe) {
			status = try(socket, datagram);
			if (status != BAY_BUSY)
				break;
			line->maybe = datagram->blind;
		}
		if (datagram->blind) {
			readiness_pass(line);
			turn = false;
			status = datagram_pause(socket, self, &pause_ns, deadline);
			turn = status == BAY_OK && socket->fd >= 0 && readiness_take(line);
		} else {
			status = readiness_await(line, &turn, &socket->waitable, deadline);
		}
		if (status == BAY_OK && socket->fd < 0)
			status = BAY_CLOSED;
	}
	if (turn && socket->fd >= 0)
		readiness_pass(line);
	waitable_leave(&socket->waitable);
	return status;
}

/* Whoever always finds it ready would otherwise never let anybody else run. */
static int
datagram_done(int status)
{
	return status == BAY_TIMEOUT || status == BAY_CANCELED ? status : await_refused(task_current(), status);
}

int
bay_datagram_send(struct bay_datagram *socket, const void *data, size_t size, const struct bay_address *to,
	int64_t deadline)
{
	struct datagram datagram = {.data = (void *)(uintptr_t)data, .size = size, .to = to};
	int status;

	if (!WAITABLE_BEGIN(socket, "bay_datagram_send"))
		return BAY_INVALID;
	if (await_is_over(task_current()))
		return await_over(task_current());
	status = datagram_exchange(socket, &socket->readiness.writing, datagram_try_send, &datagram, deadline);
	return datagram_done(datagram_end(to != NULL ? "send to" : "send", to, status, datagram.error));
}

int
bay_datagram_receive(struct bay_datagram *socket, void *buffer, size_t size, struct bay_address *from_r,
	size_t *got_r, int64_t deadline)
{
	struct datagram datagram = {.data = buffer, .size = size, .from_r = from_r};
	int status;

	*got_r = 0;
	if (!WAITABLE_BEGIN(socket, "bay_datagram_receive"))
		return BAY_INVALID;
	if (await_is_over(task_current()))
		return await_over(task_current());
	status = datagram_exchange(socket, &socket->readiness.reading, datagram_try_receive, &datagram, deadline);
	*got_r = datagram.got;
	return datagram_done(datagram_end("receive", NULL, status, datagram.error));
}

/* --- the rest ----------------------------------------------------------------------------------- */

static int
datagram_membership(struct bay_datagram *socket, const struct bay_address *group, const char *interface,
	bool join)
{
	int error = datagram_socket_group(socket->fd, group, interface, join) ? 0 : errno;

	return datagram_end(join ? "join" : "leave", group, error == 0 ? BAY_OK : datagram_status(error), error);
}

int
bay_datagram_join(struct bay_datagram *socket, const struct bay_address *group, const char *interface)
{
	if (!waitable_is_here(socket, "bay_datagram_join"))
		return BAY_INVALID;
	return datagram_membership(socket, group, interface, true);
}

int
bay_datagram_leave(struct bay_datagram *socket, const struct bay_address *group, const char *interface)
{
	int status;

	if (!waitable_is_here(socket, "bay_datagram_leave"))
		return BAY_INVALID;
	status = datagram_membership(socket, group, interface, false);
	/* The kernel has one word for both: no such address here. */
	return status == BAY_IO ? BAY_NOT_FOUND : status;
}

struct bay_address
bay_datagram_address(const struct bay_datagram *socket)
{
	struct bay_address address;

	address_local(&address, socket->fd);
	return address;
}

int
bay_datagram_fd(struct bay_datagram *socket)
{
	if (!waitable_is_here(socket, "bay_datagram_fd"))
		return -1;
	if (socket->watched < 0)
		socket->watched = fcntl(socket->fd, F_DUPFD_CLOEXEC, 0);
	return socket->watched;
}
