/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "loop/link.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "loop/loop.h"

bool
link_open(struct link *link, int memory_fd, int socket_fd, unsigned side, uint64_t epoch,
	const char **why_r)
{
	bool ok;

	memset(link, 0, sizeof(*link));
	link->_fd = socket_fd;
	link->_side = side & 1;
	ok = link_memory_open(&link->_memory, memory_fd, epoch, why_r);
	fd_close(&memory_fd);
	if (!ok) {
		fd_close(&link->_fd);
		return false;
	}
	link_memory_ends(&link->_memory, side, &link->out, &link->in);
	return true;
}

void
link_blame(const struct link *link, uint64_t id)
{
	link_memory_blame(&link->_memory, link->_side, id);
}

uint64_t
link_blamed(const struct link *link)
{
	return link_memory_blamed(&link->_memory, 1 - link->_side);
}

void
link_leave(const struct link *link)
{
	link_memory_leave(&link->_memory, link->_side);
}

bool
link_has_left(const struct link *link)
{
	return link_memory_has_left(&link->_memory, 1 - link->_side);
}

void
link_close(struct link *link)
{
	link_memory_close(&link->_memory);
	fd_close(&link->_fd);
}

/* Wakes in a row that brought nothing: a neighbour in order wakes only who sleeps, for something. */
#define LINK_IDLE_WAKES_MAX (1 << 20)

static bool
link_tell(struct link *link)
{
	bool found = link->_on_news(link);

	if (found)
		link->_idle_wakes = 0;
	return found;
}

/* Takes the wakes, however many, and sees the end. Each call says that it must not wait, whatever
 * the socket is set to. */
static void
link_on_socket(evutil_socket_t fd, short events, void *arg)
{
	struct link *link = arg;
	char wakes[64];
	ssize_t got = recv(fd, wakes, sizeof(wakes), MSG_DONTWAIT);

	(void)events;
	if (got > 0)
		link->_idle_wakes += (unsigned)got;
	if (link->_idle_wakes > LINK_IDLE_WAKES_MAX && link->in.broken == NULL)
		link->in.broken = "it wakes us for nothing, again and again";
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
		link->gone = true;
		event_del(link->_event);
	}
	(void)link_tell(link);
}

static bool
link_on_glance(struct glance *glance)
{
	struct link *link = container_of(glance, struct link, _glance);

	return link_tell(link);
}

static void
link_on_sleep(struct glance *glance, bool sleeps)
{
	struct link *link = container_of(glance, struct link, _glance);

	if (!sleeps) {
		link_reader_wakes(&link->in);
		return;
	}
	link_reader_sleeps(&link->in);
	link->_on_sleep(link);
}

bool
link_begin(struct link *link, struct loop *loop, link_news_fn *on_news, link_sleep_fn *on_sleep)
{
	link->_on_sleep = on_sleep;
	link->_on_news = on_news;
	link->_event = event_new(loop->base, link->_fd, EV_READ | EV_PERSIST, link_on_socket, link);
	if (link->_event == NULL)
		return false;
	if (event_add(link->_event, NULL) != 0) {
		event_free(link->_event);
		link->_event = NULL;
		return false;
	}
	glance_begin(&link->_glance, loop, link_on_glance, link_on_sleep);
	return true;
}

void
link_end(struct link *link)
{
	if (link->_event == NULL)
		return;
	event_free(link->_event);
	link->_event = NULL;
	glance_end(&link->_glance);
}

void
link_wake(struct link *link)
{
	ssize_t ignored = send(link->_fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);

	/* Where there is no room, the other side has enough to wake it already. */
	(void)ignored;
}
