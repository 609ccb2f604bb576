/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "loop/link_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "loop/link_ring.h"
#include "support/check_main.h"

enum { EPOCH = 7 };

/* Why a descriptor is refused; takes it. */
static const char *
refusal(int fd, uint64_t epoch)
{
	struct link_memory memory;
	const char *why = NULL;

	ck_assert_int_ge(fd, 0);
	ck_assert(!link_memory_open(&memory, fd, epoch, &why));
	ck_assert_ptr_null(memory._at);
	close(fd);
	return why;
}

static off_t
size_of(int fd)
{
	return lseek(fd, 0, SEEK_END);
}

/* As a link, but with these seals and this size. */
static int
imitation(int seals, off_t more)
{
	int real = link_memory_create(EPOCH);
	int fd = memfd_create("imitation", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char head[4096];

	ck_assert_int_eq(ftruncate(fd, size_of(real) + more), 0);
	ck_assert_int_eq(pread(real, head, sizeof(head), 0), sizeof(head));
	ck_assert_int_eq(pwrite(fd, head, sizeof(head), 0), sizeof(head));
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
	close(real);
	return fd;
}

START_TEST(the_two_sides_hear_each_other)
{
	int fd = link_memory_create(EPOCH);
	struct link_memory memory[2];
	struct link_writer out[2];
	struct link_reader in[2];
	struct link_view view;
	const char *why = NULL;
	char word[6];

	for (unsigned side = 0; side < 2; side++) {
		ck_assert(link_memory_open(&memory[side], fd, EPOCH, &why));
		ck_assert_ptr_null(why);
		link_memory_ends(&memory[side], side, &out[side], &in[side]);
	}
	close(fd);
	for (unsigned side = 0; side < 2; side++) {
		memcpy(link_writer_begin(&out[side], 6), side == 0 ? "hither" : "thence", 6);
		link_writer_end(&out[side], side + 1);
		ck_assert(!link_writer_publish(&out[side]));
	}
	for (unsigned side = 0; side < 2; side++) {
		ck_assert_int_eq(link_reader_look(&in[side], &view), LINK_RECORD);
		ck_assert_uint_eq(view.kind, 2 - side);
		ck_assert_uint_eq(view.size, 6);
		link_view_copy(&view, 0, word, 6);
		ck_assert_mem_eq(word, side == 0 ? "thence" : "hither", 6);
		link_reader_pass(&in[side]);
		ck_assert_int_eq(link_reader_look(&in[side], &view), LINK_NOTHING);
		link_memory_close(&memory[side]);
		link_memory_close(&memory[side]);
	}
}
END_TEST

START_TEST(nobody_can_change_its_size)
{
	int fd = link_memory_create(EPOCH);

	ck_assert_int_eq(ftruncate(fd, 4096), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(ftruncate(fd, 1 << 24), -1);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	close(fd);
}
END_TEST

START_TEST(what_is_no_link_is_refused_with_the_reason)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	close(ends[1]);
	ck_assert_str_eq(refusal(ends[0], EPOCH), "it is no memory");
	ck_assert_str_eq(refusal(open("/dev/zero", O_RDWR | O_CLOEXEC), EPOCH), "it is no memory");
	ck_assert_str_eq(refusal(imitation(F_SEAL_GROW | F_SEAL_SEAL, 0), EPOCH), "it is not sealed");
	ck_assert_str_eq(refusal(imitation(F_SEAL_SHRINK | F_SEAL_GROW, 0), EPOCH), "it is not sealed");
	ck_assert_str_eq(refusal(imitation(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, -4096), EPOCH),
		"it has not the size of a link");
	ck_assert_str_eq(refusal(imitation(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, 4096), EPOCH),
		"it has not the size of a link");
	ck_assert_str_eq(refusal(imitation(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | F_SEAL_WRITE, 0), EPOCH),
		"it cannot be mapped");
}
END_TEST

START_TEST(the_head_must_be_that_of_this_link_and_release)
{
	static const struct {
		off_t at;
		const char *why;
	} words[] = {{0, "there is no link in it"}, {4, "it is that of another release"},
		{8, "it is that of another link"}, {16, "it is that of another release"}};

	ck_assert_str_eq(refusal(link_memory_create(EPOCH), EPOCH - 1), "it is that of another link");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		int fd = link_memory_create(EPOCH);

		ck_assert_int_eq(pwrite(fd, "\xee", 1, words[i].at), 1);
		ck_assert_str_eq(refusal(fd, EPOCH), words[i].why);
	}
}
END_TEST

START_TEST(a_side_leaves_word_of_what_it_crashes_over)
{
	int fd = link_memory_create(EPOCH);
	struct link_memory memory[2];
	const char *why;

	for (unsigned side = 0; side < 2; side++)
		ck_assert(link_memory_open(&memory[side], fd, EPOCH, &why));
	close(fd);
	ck_assert_uint_eq(link_memory_blamed(&memory[0], 1), 0);
	link_memory_blame(&memory[1], 1, 77);
	ck_assert_uint_eq(link_memory_blamed(&memory[0], 1), 77);
	ck_assert_uint_eq(link_memory_blamed(&memory[0], 0), 0);
	ck_assert(!link_memory_has_left(&memory[0], 1));
	link_memory_leave(&memory[1], 1);
	ck_assert(link_memory_has_left(&memory[0], 1));
	ck_assert(!link_memory_has_left(&memory[0], 0));
	/* One that is closed takes none and has none. */
	link_memory_close(&memory[1]);
	link_memory_blame(&memory[1], 1, 78);
	ck_assert_uint_eq(link_memory_blamed(&memory[1], 1), 0);
	ck_assert_uint_eq(link_memory_blamed(&memory[0], 1), 77);
	link_memory_close(&memory[0]);
}
END_TEST

CHECK_MAIN("loop/link_memory",
	the_two_sides_hear_each_other,
	a_side_leaves_word_of_what_it_crashes_over,
	nobody_can_change_its_size,
	what_is_no_link_is_refused_with_the_reason,
	the_head_must_be_that_of_this_link_and_release)
