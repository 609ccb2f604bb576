/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin that does to the links of its cell what it can, for the tests of what that does to others.
 * Its requests are orders:
 *
 *	echo TEXT    replies TEXT
 *	garbage      writes that over all of the memory of its links
 *	zeros, ones  the same with one byte
 *	run          moves all that may be an index ahead, again and again
 *	truncate     tries to change the size of the memory, and makes a hole of it; replies what it could
 *	wakes        wakes who is at the other ends for nothing, until they have none of it any more
 *	shut         closes its ends
 *	send N NAME  sends N messages of 16 KiB to the service one way, with no time to wait; replies how
 *	             many were taken
 *
 * All but echo and send reply the number of links, after that what else there is.
 */
#define _GNU_SOURCE

#include "support/plugins/own_links.h"

#include <bay/bay.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Below are the descriptors that each cell is started with. */
enum { FIRST_FD = 6, LAST_FD = 200, LINKS_MAX = 16, HEAD_BYTES = 4096 };

/* The sockets by which it wakes others, and is woken. */
static int
find_sockets(int *found)
{
	int count = 0;

	for (int fd = FIRST_FD; fd < LAST_FD && count < LINKS_MAX; fd++) {
		struct sockaddr_un name;
		socklen_t length = sizeof name;

		if (getpeername(fd, (struct sockaddr *)&name, &length) == 0 && name.sun_family == AF_UNIX)
			found[count++] = fd;
	}
	return count;
}

/* --- what it does ------------------------------------------------------------------------- */

static int
do_garbage(struct bay_request *request, const char *text)
{
	(void)text;
	return bay_reply_int64(request, own_links_fill(-1));
}

static int
do_zeros(struct bay_request *request, const char *text)
{
	(void)text;
	return bay_reply_int64(request, own_links_fill(0));
}

static int
do_ones(struct bay_request *request, const char *text)
{
	(void)text;
	return bay_reply_int64(request, own_links_fill(0xff));
}

static int
do_run(struct bay_request *request, const char *text)
{
	struct own_link links[LINKS_MAX];
	int count = own_links_map(links, LINKS_MAX);

	(void)text;
	for (int round = 0; round < 1000; round++) {
		for (int i = 0; i < count; i++) {
			volatile uint64_t *words = (volatile uint64_t *)links[i].at;

			for (size_t word = 0; word < HEAD_BYTES / sizeof *words; word++)
				words[word] += 64;
		}
	}
	own_links_unmap(links, count);
	return bay_reply_int64(request, count);
}

static int
do_truncate(struct bay_request *request, const char *text)
{
	struct own_link links[LINKS_MAX];
	int count = own_links_map(links, LINKS_MAX), opened = 0, shrank = 0, grew = 0, holes = 0;

	(void)text;
	for (int i = 0; i < count; i++) {
		char path[128];
		int fd;

		snprintf(path, sizeof path, "/proc/self/map_files/%lx-%lx", (unsigned long)links[i].at,
			(unsigned long)links[i].at + links[i].size);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		opened++;
		shrank += ftruncate(fd, 0) == 0;
		grew += ftruncate(fd, (off_t)(2 * links[i].size)) == 0;
		holes += fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)links[i].size) == 0;
		close(fd);
	}
	own_links_unmap(links, count);
	return bay_reply_printf(request, "%d opened %d shrank %d grew %d holes %d", count, opened, shrank, grew, holes);
}

static int
do_wakes(struct bay_request *request, const char *text)
{
	static const char bytes[4096];
	int64_t until = bay_now() + 20 * BAY_SECOND;
	int sockets[LINKS_MAX];
	int count = find_sockets(sockets), open = count;

	(void)text;
	while (open > 0 && bay_now() < until) {
		open = 0;
		for (int i = 0; i < count; i++)
			open += send(sockets[i], bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || errno == EAGAIN;
	}
	return bay_reply_int64(request, count);
}

static int
do_shut(struct bay_request *request, const char *text)
{
	int sockets[LINKS_MAX];
	int count = find_sockets(sockets);

	(void)text;
	for (int i = 0; i < count; i++)
		shutdown(sockets[i], SHUT_RDWR);
	return bay_reply_int64(request, count);
}

static int
do_send(struct bay_request *request, const char *text)
{
	static const char bytes[16384];
	struct bay_message *message = bay_message(bytes, sizeof bytes);
	char *name;
	int64_t taken = 0;

	for (int64_t left = strtoll(text, &name, 10); left > 0; left--)
		taken += bay_send(bay_service(name + strspn(name, " ")), message, bay_after(BAY_MS)) == BAY_OK;
	bay_message_free(message);
	return bay_reply_int64(request, taken);
}

static int
do_echo(struct bay_request *request, const char *text)
{
	return bay_reply_text(request, text);
}

/* --- the handler ---------------------------------------------------------------------------- */

static const struct order {
	const char *word;
	int (*run)(struct bay_request *request, const char *text);
} orders[] = {
	{"echo", do_echo}, {"garbage", do_garbage}, {"zeros", do_zeros}, {"ones", do_ones}, {"run", do_run},
	{"truncate", do_truncate}, {"wakes", do_wakes}, {"shut", do_shut}, {"send", do_send},
};

static int
hostile(struct bay_request *request)
{
	const char *text = bay_request_text(request);
	size_t length = strcspn(text, " ");

	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
		if (strncmp(text, orders[i].word, length) == 0 && orders[i].word[length] == '\0')
			return orders[i].run(request, text + length + strspn(text + length, " "));
	}
	return bay_fail(request, BAY_INVALID, "there is no order %s", text);
}

BAY_PLUGIN(hostile, "1.0.0",
	.summary = "does to its neighbours what it can",
	.handle = hostile);
