/* SPDX-License-Identifier: BSD-2-Clause */
/* The object of the frames is a copy of this program, which is built with lines and a build-id. */
#include "config.h"

#include "ctl/crash_lines.h"

#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/check_main.h"
#include "support/temp_dir.h"

#if defined(HAVE_LIBDW)

#include "base/dwarf_library.h"

static struct temp_dir dir;
static char *program;
static size_t program_size;
static uint64_t bias;
static char build_id[129];
static uint64_t first, second;
static char first_line[64], second_line[64];

/* Where a call of it returns to. */
static __attribute__((noinline)) void
note_return(uint64_t *address_r)
{
	*address_r = (uintptr_t)__builtin_return_address(0);
	__asm__ volatile("");
}

static void
note_build_id(const struct dl_phdr_info *info, const ElfW(Phdr) *segment)
{
	const char *note = (const char *)(info->dlpi_addr + segment->p_vaddr), *end = note + segment->p_memsz;

	while (note < end) {
		ElfW(Nhdr) head;
		const unsigned char *bytes;

		memcpy(&head, note, sizeof head);
		bytes = (const unsigned char *)note + sizeof head + ((head.n_namesz + 3) & ~3u);
		for (unsigned i = 0; head.n_type == NT_GNU_BUILD_ID && i < head.n_descsz; i++)
			snprintf(build_id + 2 * i, 3, "%02x", bytes[i]);
		note = (const char *)bytes + ((head.n_descsz + 3) & ~3u);
	}
}

/* The first that is told is the program. */
static int
note_program(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	(void)data;
	bias = info->dlpi_addr;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type == PT_NOTE)
			note_build_id(info, &info->dlpi_phdr[i]);
	}
	return 1;
}

static void
read_program(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat stat;

	ck_assert_int_eq(fstat(fd, &stat), 0);
	program_size = (size_t)stat.st_size;
	program = malloc(program_size);
	ck_assert_int_eq(read(fd, program, program_size), stat.st_size);
	close(fd);
}

/* False: there is no libdw here. */
static bool
begin(void)
{
	int line;

	if (dwarf_library_load() == NULL)
		return false;
	dl_iterate_phdr(note_program, NULL);
	ck_assert_str_ne(build_id, "");
	/* The first returns to what is another line already. */
	line = __LINE__ + 1;
	note_return(&first);
	note_return(&second);
	first -= bias;
	second -= bias;
	snprintf(first_line, sizeof first_line, "test_crash_lines.c:%d", line);
	snprintf(second_line, sizeof second_line, "test_crash_lines.c:%d", line + 1);
	temp_dir_init(&dir);
	read_program();
	temp_dir_write_bytes(&dir, "object.so", program, program_size);
	ck_assert_int_eq(chmod(temp_dir_path(&dir, "object.so"), 0644), 0);
	return true;
}

static void
end(void)
{
	free(program);
	temp_dir_finish(&dir);
}

static json_t *
frame(const char *path, const char *id, uint64_t address)
{
	char number[24];

	snprintf(number, sizeof number, "0x%" PRIx64, address);
	return json_pack("{s:s, s:s, s:s}", "path", path, "build_id", id, "in_object", number);
}

static json_t *
crash(json_t *innermost, json_t *caller, json_t *await)
{
	return json_pack("{s:[o, o], s:[o]}", "frames", innermost, caller, "awaits", await);
}

static const char *
where(const json_t *of, const char *list, size_t i)
{
	const char *text = json_string_value(json_object_get(json_array_get(json_object_get(of, list), i), "where"));

	return text != NULL ? text : "";
}

/* Three frames of that file, of which none has a line then. */
static void
nothing_is_known_of(const char *path, const char *id)
{
	json_t *report = crash(frame(path, id, first - 1), frame(path, id, first), frame(path, id, second));

	crash_lines_add(report);
	ck_assert_str_eq(where(report, "frames", 0), "");
	ck_assert_str_eq(where(report, "frames", 1), "");
	ck_assert_str_eq(where(report, "awaits", 0), "");
	json_decref(report);
}

static void
lines_are_known_of(const char *path)
{
	json_t *report = crash(frame(path, build_id, first - 1), frame(path, build_id, first),
		frame(path, build_id, second));

	crash_lines_add(report);
	ck_assert_str_eq(where(report, "frames", 0), first_line);
	ck_assert_str_eq(where(report, "frames", 1), first_line);
	ck_assert_str_eq(where(report, "awaits", 0), second_line);
	json_decref(report);
}

#define BEGIN() \
	if (!begin()) \
		CHECK_SKIP("there is no libdw here")

START_TEST(frames_and_awaits_have_the_lines_of_their_calls)
{
	BEGIN();
	lines_are_known_of(temp_dir_path(&dir, "object.so"));
	end();
}
END_TEST

START_TEST(the_innermost_frame_is_where_it_was_and_the_others_where_they_return_to)
{
	const char *path;
	json_t *report;

	BEGIN();
	path = temp_dir_path(&dir, "object.so");
	report = crash(frame(path, build_id, first), frame(path, build_id, second), frame(path, build_id, first));
	crash_lines_add(report);
	ck_assert_str_eq(where(report, "frames", 0), second_line);
	ck_assert_str_eq(where(report, "frames", 1), second_line);
	ck_assert_str_eq(where(report, "awaits", 0), first_line);
	json_decref(report);
	end();
}
END_TEST

START_TEST(an_object_that_was_built_anew_says_nothing)
{
	const char *path;

	BEGIN();
	path = temp_dir_path(&dir, "object.so");
	build_id[0] = build_id[0] == '0' ? '1' : '0';
	nothing_is_known_of(path, build_id);
	nothing_is_known_of(path, "");
	build_id[strlen(build_id) - 1] = '\0';
	nothing_is_known_of(path, build_id);
	end();
}
END_TEST

START_TEST(an_object_without_a_build_id_is_not_taken_for_another_one_without)
{
	static const char note[] = "\3\0\0\0GNU";
	const char *path;
	char *found;

	BEGIN();
	found = memmem(program, program_size, note, sizeof note);
	ck_assert_ptr_nonnull(found);
	*found = 1;
	temp_dir_write_bytes(&dir, "object.so", program, program_size);
	path = temp_dir_path(&dir, "object.so");
	nothing_is_known_of(path, build_id);
	nothing_is_known_of(path, "");
	end();
}
END_TEST

START_TEST(what_everybody_may_write_is_not_read)
{
	const char *path;

	BEGIN();
	path = temp_dir_path(&dir, "object.so");
	ck_assert_int_eq(chmod(path, 0646), 0);
	nothing_is_known_of(path, build_id);
	ck_assert_int_eq(chmod(path, 0664), 0);
	lines_are_known_of(path);
	end();
}
END_TEST

START_TEST(what_a_stranger_has_is_not_read)
{
	const char *path;

	BEGIN();
	if (geteuid() != 0) {
		end();
		CHECK_SKIP("only root may give files away");
	}
	path = temp_dir_path(&dir, "object.so");
	ck_assert_int_eq(chown(path, 65534, (gid_t)-1), 0);
	nothing_is_known_of(path, build_id);
	ck_assert_int_eq(chown(path, 0, (gid_t)-1), 0);
	lines_are_known_of(path);
	end();
}
END_TEST

START_TEST(what_is_no_file_or_none_of_ours_is_not_waited_for)
{
	BEGIN();
	ck_assert_int_eq(mkfifo(temp_dir_path(&dir, "fifo"), 0644), 0);
	nothing_is_known_of(temp_dir_path(&dir, "fifo"), build_id);
	nothing_is_known_of(temp_dir_path(&dir, "missing.so"), build_id);
	nothing_is_known_of(dir.path, build_id);
	nothing_is_known_of("/dev/zero", build_id);
	/* From where we are it would be there. */
	ck_assert_int_eq(chdir(dir.path), 0);
	nothing_is_known_of("object.so", build_id);
	nothing_is_known_of("", build_id);
	end();
}
END_TEST

static int
open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

START_TEST(a_file_that_is_cut_anywhere_does_no_harm)
{
	const char *path;
	int before;

	BEGIN();
	path = temp_dir_path(&dir, "object.so");
	before = open_descriptors();
	for (size_t i = 0; i < 64; i++) {
		json_t *report = crash(frame(path, build_id, first), frame(path, build_id, first),
			frame(path, build_id, second));

		temp_dir_write_bytes(&dir, "object.so", program, program_size / 64 * i);
		crash_lines_add(report);
		json_decref(report);
	}
	/* What could not be read was closed all the same. */
	ck_assert_int_eq(open_descriptors(), before);
	end();
}
END_TEST

START_TEST(a_report_that_has_no_frames_stays_as_it_is)
{
	json_t *report, *same;

	BEGIN();
	report = json_pack("{s:[n, i, {}], s:{}}", "frames", 1, "awaits");
	same = json_deep_copy(report);
	crash_lines_add(report);
	ck_assert(json_equal(report, same));
	json_decref(report);
	json_decref(same);
	end();
}
END_TEST

START_TEST(many_objects_are_too_many_and_do_no_harm)
{
	json_t *report, *frames = json_array();
	char name[32];

	BEGIN();
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "missing%d.so", i);
		json_array_append_new(frames, frame(temp_dir_path(&dir, name), build_id, first));
	}
	json_array_insert_new(frames, 1, frame(temp_dir_path(&dir, "object.so"), build_id, first));
	json_array_append_new(frames, frame(temp_dir_path(&dir, "object.so"), build_id, second));
	report = json_pack("{s:o}", "frames", frames);
	crash_lines_add(report);
	ck_assert_str_eq(where(report, "frames", 1), first_line);
	ck_assert_str_eq(where(report, "frames", 41), second_line);
	json_decref(report);
	end();
}
END_TEST

CHECK_MAIN("ctl/crash_lines",
	frames_and_awaits_have_the_lines_of_their_calls,
	the_innermost_frame_is_where_it_was_and_the_others_where_they_return_to,
	an_object_that_was_built_anew_says_nothing,
	an_object_without_a_build_id_is_not_taken_for_another_one_without,
	what_everybody_may_write_is_not_read,
	what_a_stranger_has_is_not_read,
	what_is_no_file_or_none_of_ours_is_not_waited_for,
	a_file_that_is_cut_anywhere_does_no_harm,
	a_report_that_has_no_frames_stays_as_it_is,
	many_objects_are_too_many_and_do_no_harm)

#else

START_TEST(a_report_stays_as_it_is)
{
	json_t *report = json_pack("{s:[{s:s}]}", "frames", "path", "/proc/self/exe"), *same = json_deep_copy(report);

	crash_lines_add(report);
	ck_assert(json_equal(report, same));
	json_decref(report);
	json_decref(same);
}
END_TEST

CHECK_MAIN("ctl/crash_lines",
	a_report_stays_as_it_is)

#endif
