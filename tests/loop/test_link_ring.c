/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "loop/link_ring.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop/loop.h"
#include "support/check_main.h"

enum { SIZE = 256 * 1024, SMALL = 1024 };

/* Both ends in one process. */
static struct {
	struct link_ring ring;
	_Alignas(8) unsigned char bytes[SIZE];
	struct link_writer writer;
	struct link_reader reader;
} both;

static void
both_init(size_t size)
{
	memset(&both.ring, 0, sizeof(both.ring));
	memset(both.bytes, 0xa5, sizeof(both.bytes));
	link_writer_init(&both.writer, &both.ring, both.bytes, size);
	link_reader_init(&both.reader, &both.ring, both.bytes, size);
}

/* Writes a record of size bytes with this value. False: there is no room. */
static bool
put(size_t size, unsigned char value)
{
	void *room = link_writer_begin(&both.writer, size);

	if (room == NULL)
		return false;
	ck_assert_uint_eq((uintptr_t)room % 8, 0);
	memset(room, value, size);
	link_writer_end(&both.writer, (uint32_t)value + 1);
	return true;
}

/* The next record is of this size and value. */
static void
expect(size_t size, unsigned char value)
{
	static unsigned char copy[LINK_RECORD_MAX];
	struct link_view view;
	size_t wrong = 0;

	ck_assert_int_eq(link_reader_look(&both.reader, &view), LINK_RECORD);
	ck_assert_uint_eq(view.size, size);
	ck_assert_uint_eq(view.kind, (uint32_t)value + 1);
	link_view_copy(&view, 0, copy, size);
	for (size_t i = 0; i < size; i++)
		wrong += copy[i] != value;
	ck_assert_uint_eq(wrong, 0);
	link_reader_pass(&both.reader);
}

static void
expect_nothing(void)
{
	struct link_view view;

	ck_assert_int_eq(link_reader_look(&both.reader, &view), LINK_NOTHING);
}

static unsigned
draw(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 8;
}

START_TEST(records_of_all_sizes_come_out_as_they_went_in)
{
	unsigned seed = 1, ahead = 1;
	size_t written = 0, read = 0;

	both_init(SIZE);
	while (written < 4000) {
		size_t size = draw(&seed) % 8 == 0 ? draw(&seed) % (LINK_RECORD_MAX + 1) : draw(&seed) % 100;

		if (put(size, (unsigned char)size)) {
			written++;
			(void)link_writer_publish(&both.writer);
			continue;
		}
		/* It is full: the same draws again give the sizes that are in it. */
		while (read < written) {
			size_t in_it = draw(&ahead) % 8 == 0 ? draw(&ahead) % (LINK_RECORD_MAX + 1) : draw(&ahead) % 100;

			expect(in_it, (unsigned char)in_it);
			read++;
		}
		expect_nothing();
		(void)link_reader_release(&both.reader);
		/* Both go on from the one that found no room. */
		ahead = seed;
	}
	ck_assert_uint_gt(both.writer._written, SIZE * 2);
}
END_TEST

START_TEST(what_was_not_published_is_not_seen)
{
	both_init(SMALL);
	ck_assert(put(10, 1));
	expect_nothing();
	ck_assert(!link_reader_sees(&both.reader));
	(void)link_writer_publish(&both.writer);
	ck_assert(link_reader_sees(&both.reader));
	expect(10, 1);
	ck_assert(!link_reader_sees(&both.reader));
}
END_TEST

START_TEST(a_full_ring_has_room_again_when_the_reader_gives_it_back)
{
	unsigned char count = 0;

	both_init(SMALL);
	while (put(100, count))
		count++;
	ck_assert_uint_eq(count, SMALL / 112);
	(void)link_writer_publish(&both.writer);
	expect(100, 0);
	ck_assert(!put(100, count));
	(void)link_reader_release(&both.reader);
	ck_assert(put(100, count));
	ck_assert(!put(100, count));
	ck_assert_ptr_null(both.writer.broken);
}
END_TEST

START_TEST(a_record_that_is_too_long_is_not_begun)
{
	both_init(SIZE);
	ck_assert_ptr_null(link_writer_begin(&both.writer, LINK_RECORD_MAX + 1));
	ck_assert(put(LINK_RECORD_MAX, 3));
	(void)link_writer_publish(&both.writer);
	expect(LINK_RECORD_MAX, 3);
}
END_TEST

START_TEST(a_reader_that_sleeps_is_to_be_woken_once)
{
	both_init(SMALL);
	ck_assert(put(1, 1));
	ck_assert(!link_writer_publish(&both.writer));
	expect(1, 1);
	link_reader_sleeps(&both.reader);
	ck_assert(!link_writer_publish(&both.writer));
	ck_assert(put(1, 2));
	ck_assert(link_writer_publish(&both.writer));
	ck_assert(put(1, 3));
	ck_assert(!link_writer_publish(&both.writer));
	link_reader_sleeps(&both.reader);
	link_reader_wakes(&both.reader);
	ck_assert(put(1, 4));
	ck_assert(!link_writer_publish(&both.writer));
}
END_TEST

START_TEST(a_writer_that_waits_for_room_is_to_be_woken_once)
{
	both_init(SMALL);
	while (put(100, 1))
		;
	(void)link_writer_publish(&both.writer);
	expect(100, 1);
	ck_assert(!link_reader_release(&both.reader));
	ck_assert(!link_writer_await_room(&both.writer));
	while (put(100, 1))
		;
	(void)link_writer_publish(&both.writer);
	ck_assert(link_writer_await_room(&both.writer));
	ck_assert(!link_reader_release(&both.reader));
	expect(100, 1);
	ck_assert(link_reader_release(&both.reader));
	expect(100, 1);
	ck_assert(!link_reader_release(&both.reader));
}
END_TEST

/* --- garbage ------------------------------------------------------------------------- */

START_TEST(an_index_that_cannot_be_breaks_the_reader)
{
	static const uint64_t written[] = {SMALL + 8, 15, 17, UINT64_MAX, UINT64_MAX - 7, 0, 8,
		UINT64_C(1) << 63};
	struct link_view view;

	for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
		both_init(SMALL);
		ck_assert(put(8, 1) && put(8, 2));
		(void)link_writer_publish(&both.writer);
		expect(8, 1);
		expect(8, 2);
		both.ring.written = written[i];
		if (written[i] == 15 || written[i] == 17 || written[i] == SMALL + 8)
			both.ring.written += 32;
		ck_assert_int_eq(link_reader_look(&both.reader, &view), LINK_BROKEN);
		ck_assert_ptr_nonnull(both.reader.broken);
		/* For good. */
		both.ring.written = 32;
		ck_assert_int_eq(link_reader_look(&both.reader, &view), LINK_BROKEN);
		ck_assert(!link_reader_sees(&both.reader));
	}
}
END_TEST

START_TEST(an_index_that_cannot_be_breaks_the_writer)
{
	static const uint64_t read[] = {24, UINT64_MAX, UINT64_C(1) << 63};

	for (size_t i = 0; i < sizeof(read) / sizeof(read[0]); i++) {
		both_init(SMALL);
		ck_assert(put(8, 1));
		(void)link_writer_publish(&both.writer);
		both.ring.read = read[i];
		while (put(8, 1))
			;
		ck_assert_ptr_nonnull(both.writer.broken);
		ck_assert(!link_writer_await_room(&both.writer));
		both.ring.read = 16;
		ck_assert_ptr_null(link_writer_begin(&both.writer, 8));
	}
}
END_TEST

START_TEST(a_record_that_cannot_be_breaks_the_reader)
{
	static const struct {
		uint32_t size, kind;
		uint64_t written;
		const char *why;
	} heads[] = {
		{9, 1, 16, "a record is longer than what was written"},
		{UINT32_MAX, 1, 16, "a record is longer than what was written"},
		{SIZE, 1, SIZE, "a record is longer than what was written"},
		{LINK_RECORD_MAX + 1, 1, SIZE, "a record is longer than any may be"},
		{8, 0, 16, "a gap is not at the end"},
		{LINK_RECORD_MAX, 0, SIZE, "a gap is not at the end"},
		{SIZE - 8, 0, SIZE, "a record is longer than any may be"},
	};

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		uint32_t head[2] = {heads[i].size, heads[i].kind};
		struct link_view view;

		both_init(SIZE);
		memcpy(both.bytes, head, sizeof(head));
		both.ring.written = heads[i].written;
		ck_assert_int_eq(link_reader_look(&both.reader, &view), LINK_BROKEN);
		ck_assert_str_eq(both.reader.broken, heads[i].why);
	}
}
END_TEST

START_TEST(a_gap_without_a_record_after_it_breaks_the_reader)
{
	const uint32_t gap[2] = {SMALL - 24, 0}, word[2] = {0, 1};
	struct link_view view;

	for (int again = 0; again < 2; again++) {
		both_init(SMALL);
		memcpy(both.bytes, word, sizeof(word));
		memcpy(both.bytes + 8, word, sizeof(word));
		memcpy(both.bytes + 16, (uint32_t[]){SMALL - 24, 0}, sizeof(gap));
		both.ring.written = SMALL;
		for (int i = 0; i < 2; i++) {
			ck_assert_int_eq(link_reader_look(&both.reader, &view), LINK_RECORD);
			link_reader_pass(&both.reader);
		}
		(void)link_reader_release(&both.reader);
		/* Once round, it is a gap again. */
		memcpy(both.bytes, (uint32_t[]){SMALL - 8, 0}, sizeof(gap));
		both.ring.written += again ? 8 : 0;
		ck_assert_int_eq(link_reader_look(&both.reader, &view), LINK_BROKEN);
	}
}
END_TEST

/* --- two threads ------------------------------------------------------------------------ */

enum { PASSED = 20000, WIDER = 8 * SMALL };

static sem_t reader_wakes, writer_wakes;

static void
wait_for(sem_t *wakes)
{
	while (sem_wait(wakes) != 0)
		;
}

static void *
write_all(void *arg)
{
	unsigned seed = 7;

	(void)arg;
	for (uint32_t i = 0; i < PASSED; i++) {
		size_t words = 1 + draw(&seed) % 40;
		uint32_t *room = link_writer_begin(&both.writer, words * sizeof(*room));

		while (room == NULL) {
			if (link_writer_publish(&both.writer))
				sem_post(&reader_wakes);
			if (link_writer_await_room(&both.writer))
				wait_for(&writer_wakes);
			room = link_writer_begin(&both.writer, words * sizeof(*room));
		}
		for (size_t w = 0; w < words; w++)
			room[w] = i;
		link_writer_end(&both.writer, i + 1);
		if (i % 3 == 0 && link_writer_publish(&both.writer))
			sem_post(&reader_wakes);
	}
	if (link_writer_publish(&both.writer))
		sem_post(&reader_wakes);
	return NULL;
}

static void
await_record(struct link_view *view_r)
{
	while (link_reader_look(&both.reader, view_r) != LINK_RECORD) {
		ck_assert_ptr_null(both.reader.broken);
		if (link_reader_release(&both.reader))
			sem_post(&writer_wakes);
		link_reader_sleeps(&both.reader);
		loop_fence();
		if (link_reader_sees(&both.reader))
			link_reader_wakes(&both.reader);
		else
			wait_for(&reader_wakes);
	}
}

START_TEST(two_threads_that_sleep_pass_all_records_in_order)
{
	pthread_t thread;
	struct link_view view;
	unsigned seed = 7;

	both_init(WIDER);
	sem_init(&reader_wakes, 0, 0);
	sem_init(&writer_wakes, 0, 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, write_all, NULL), 0);
	for (uint32_t i = 0; i < PASSED; i++) {
		size_t words = 1 + draw(&seed) % 40;
		uint32_t copy[40], wrong = 0;

		await_record(&view);
		ck_assert_uint_eq(view.kind, i + 1);
		ck_assert_uint_eq(view.size, words * sizeof(copy[0]));
		link_view_copy(&view, 0, copy, view.size);
		for (size_t w = 0; w < words; w++)
			wrong += copy[w] != i;
		ck_assert_uint_eq(wrong, 0);
		link_reader_pass(&both.reader);
		if (i % 5 == 0 && link_reader_release(&both.reader))
			sem_post(&writer_wakes);
	}
	pthread_join(thread, NULL);
}
END_TEST

/* --- another process that has gone wild ---------------------------------------------------- */

struct shared {
	struct link_ring ring;
	unsigned char bytes[SIZE];
};

/* Words that might be taken for something. */
static uint64_t
wild_word(unsigned *seed, uint64_t before)
{
	static const uint64_t words[] = {0, 8, 16, 24, SIZE, SIZE - 8, SIZE + 8, UINT64_MAX, UINT32_MAX,
		UINT64_C(1) << 32 | 8, UINT64_C(1) << 32 | 64, UINT64_C(3) << 32};

	switch (draw(seed) % 4) {
	case 0:
		return words[draw(seed) % (sizeof(words) / sizeof(words[0]))];
	case 1:
		return before + 8 * (uint64_t)(draw(seed) % 64);
	default:
		return (uint64_t)(1 + draw(seed) % 3) << 32 | draw(seed) % 256;
	}
}

static _Noreturn void
write_wildly(struct shared *shared)
{
	volatile uint64_t *words = (volatile uint64_t *)shared;
	unsigned seed = 99;

	for (;;) {
		for (unsigned i = 0; i < 64; i++)
			words[sizeof(struct link_ring) / 8 + draw(&seed) % (SIZE / 8)] = wild_word(&seed, 0);
		shared->ring.written = wild_word(&seed, shared->ring.read);
		shared->ring.read = wild_word(&seed, shared->ring.written);
		shared->ring.asleep = draw(&seed) % 2;
		shared->ring.wants_room = draw(&seed) % 2;
	}
}

/* Reads and writes until it breaks or enough has been seen; touches all that it is given. */
static bool
survive(struct shared *shared)
{
	struct link_reader reader;
	struct link_writer writer;
	unsigned char copy[LINK_RECORD_MAX];
	bool broke;

	link_reader_init(&reader, &shared->ring, shared->bytes, SIZE);
	link_writer_init(&writer, &shared->ring, shared->bytes, SIZE);
	for (int i = 0; i < 2000 && reader.broken == NULL; i++) {
		struct link_view view;
		void *room;

		if (link_reader_look(&reader, &view) == LINK_RECORD) {
			if (view.size > LINK_RECORD_MAX || view._at < shared->bytes || view._at + view.size > shared->bytes + SIZE)
				ck_abort_msg("a record of %u bytes is not within the ring", view.size);
			link_view_copy(&view, 0, copy, view.size);
			link_reader_pass(&reader);
			(void)link_reader_release(&reader);
		}
		room = link_writer_begin(&writer, 100);
		if (room == NULL) {
			(void)link_writer_await_room(&writer);
			continue;
		}
		memset(room, 0, 100);
		link_writer_end(&writer, 1);
		(void)link_writer_publish(&writer);
	}
	broke = reader.broken != NULL;
	return broke;
}

START_TEST(a_wild_process_breaks_the_ring_and_nothing_else)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int broke = 0;
	pid_t pid;

	ck_assert_ptr_ne(shared, MAP_FAILED);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		write_wildly(shared);
	for (int i = 0; i < 300; i++) {
		broke += survive(shared);
		if (i % 10 == 0)
			sched_yield();
	}
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_gt(broke, 0);
	munmap(shared, sizeof(*shared));
}
END_TEST

CHECK_MAIN("loop/link_ring",
	records_of_all_sizes_come_out_as_they_went_in,
	what_was_not_published_is_not_seen,
	a_full_ring_has_room_again_when_the_reader_gives_it_back,
	a_record_that_is_too_long_is_not_begun,
	a_reader_that_sleeps_is_to_be_woken_once,
	a_writer_that_waits_for_room_is_to_be_woken_once,
	an_index_that_cannot_be_breaks_the_reader,
	an_index_that_cannot_be_breaks_the_writer,
	a_record_that_cannot_be_breaks_the_reader,
	a_gap_without_a_record_after_it_breaks_the_reader,
	two_threads_that_sleep_pass_all_records_in_order,
	a_wild_process_breaks_the_ring_and_nothing_else)
