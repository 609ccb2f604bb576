/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "loop/link.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "loop/loop.h"
#include "support/check_main.h"

enum { EPOCH = 3, PASSED = 4000 };

static int sockets[2], memory_fd;

/* Nobody here waits for room. */
static void
sleep_well(struct link *link)
{
	(void)link;
}

static void
open_side(struct link *link, unsigned side)
{
	const char *why = NULL;

	ck_assert_msg(link_open(link, dup(memory_fd), sockets[side], side, EPOCH, &why), "%s", why);
}

static void
prepare(void)
{
	memory_fd = link_memory_create(EPOCH);
	ck_assert_int_ge(memory_fd, 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets), 0);
}

/* An echo of numbers: each is answered with the next. */
struct player {
	struct link link;
	struct loop loop;
	uint32_t seen;
	uint32_t last;
	int naps;     /* times that nothing was there */
};

static void
say(struct link *link, uint32_t number)
{
	uint32_t *room = link_writer_begin(&link->out, sizeof(number));

	ck_assert_ptr_nonnull(room);
	*room = number;
	link_writer_end(&link->out, 1);
	if (link_writer_publish(&link->out))
		link_wake(link);
}

static bool
play(struct link *link)
{
	struct player *player = container_of(link, struct player, link);
	struct link_view view;
	bool found = false;

	while (link_reader_look(&link->in, &view) == LINK_RECORD) {
		link_view_copy(&view, 0, &player->seen, sizeof(player->seen));
		link_reader_pass(&link->in);
		if (player->seen < player->last)
			say(link, player->seen + 1);
		found = true;
	}
	ck_assert_ptr_null(link->in.broken);
	if (link_reader_release(&link->in))
		link_wake(link);
	player->naps += !found;
	return found;
}

static void
play_on(struct player *player, unsigned side)
{
	ck_assert(loop_init(&player->loop, "player"));
	open_side(&player->link, side);
	ck_assert(link_begin(&player->link, &player->loop, play, sleep_well));
	if (side == 0)
		say(&player->link, 1);
	while (player->seen < PASSED - side) {
		if (!loop_drain_inbox(&player->loop))
			loop_wait(&player->loop, INT64_MAX);
	}
	link_end(&player->link);
	link_close(&player->link);
	loop_finish(&player->loop);
}

static void *
play_other(void *arg)
{
	play_on(arg, 1);
	return NULL;
}

START_TEST(two_loops_play_ping_pong_and_wake_each_other)
{
	static struct player here = {.last = PASSED}, there = {.last = PASSED};
	pthread_t thread;

	prepare();
	ck_assert_int_eq(pthread_create(&thread, NULL, play_other, &there), 0);
	play_on(&here, 0);
	pthread_join(thread, NULL);
	close(memory_fd);
	ck_assert_uint_ge(here.seen, PASSED);
	ck_assert_int_gt(here.naps + there.naps, 0);
}
END_TEST

static int news;

static bool
count_news(struct link *link)
{
	(void)link;
	news++;
	return false;
}

/* Waits until the link has news of this kind. */
static void
await_gone(struct loop *loop, const struct link *link)
{
	while (!link->gone)
		loop_wait(loop, INT64_MAX);
}

START_TEST(the_end_of_the_other_process_is_seen_at_once)
{
	struct link link;
	struct loop loop;

	prepare();
	ck_assert(loop_init(&loop, "here"));
	open_side(&link, 0);
	ck_assert(link_begin(&link, &loop, count_news, sleep_well));
	close(sockets[1]);
	await_gone(&loop, &link);
	ck_assert_int_gt(news, 0);
	/* Nobody is there to be woken, and that is no error. */
	link_wake(&link);
	link_end(&link);
	link_end(&link);
	link_close(&link);
	loop_finish(&loop);
	close(memory_fd);
}
END_TEST

START_TEST(a_flood_of_wakes_for_nothing_breaks_the_link)
{
	static const char wakes[4096];
	struct link link;
	struct loop loop;

	prepare();
	ck_assert(loop_init(&loop, "here"));
	open_side(&link, 0);
	ck_assert(link_begin(&link, &loop, count_news, sleep_well));
	while (link.in.broken == NULL) {
		(void)!send(sockets[1], wakes, sizeof(wakes), MSG_DONTWAIT | MSG_NOSIGNAL);
		loop_poll(&loop);
	}
	ck_assert_str_eq(link.in.broken, "it wakes us for nothing, again and again");
	link_end(&link);
	link_close(&link);
	loop_finish(&loop);
	close(sockets[1]);
	close(memory_fd);
}
END_TEST

START_TEST(a_neighbour_that_reads_no_wakes_does_not_stop_who_sends_them)
{
	struct link link;

	prepare();
	open_side(&link, 0);
	/* Even where the socket would wait. */
	ck_assert_int_eq(fcntl(sockets[0], F_SETFL, 0), 0);
	for (int i = 0; i < 100000; i++)
		link_wake(&link);
	link_close(&link);
	close(sockets[1]);
	close(memory_fd);
}
END_TEST

START_TEST(what_is_not_the_link_that_was_promised_is_closed)
{
	const char *why = NULL;
	struct link link;
	char byte;

	prepare();
	ck_assert(!link_open(&link, dup(memory_fd), sockets[0], 0, EPOCH + 1, &why));
	ck_assert_str_eq(why, "it is that of another link");
	ck_assert_int_eq(recv(sockets[1], &byte, 1, MSG_DONTWAIT), 0);
	close(sockets[1]);
	close(memory_fd);
}
END_TEST

CHECK_MAIN("loop/link",
	two_loops_play_ping_pong_and_wake_each_other,
	the_end_of_the_other_process_is_seen_at_once,
	a_flood_of_wakes_for_nothing_breaks_the_link,
	a_neighbour_that_reads_no_wakes_does_not_stop_who_sends_them,
	what_is_not_the_link_that_was_promised_is_closed)
