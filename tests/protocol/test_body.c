/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "protocol/body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "protocol/varlink_stream.h"
#include "support/check_main.h"

static char error[BODY_ERROR_SIZE];

/* Writes the body and reads it back; returns the member that held it. */
static const char *
round_trip(const void *data, size_t size)
{
	json_t *parameters = json_object();
	struct varlink_fds fds = {.count = 1};
	struct buffer out = {0};
	const char *member = "";

	ck_assert_int_eq(body_to_json(data, size, parameters, &fds.fd[0]), BAY_OK);
	ck_assert_uint_le(json_object_size(parameters), 1);
	if (json_object_get(parameters, "text") != NULL)
		member = "text";
	else if (json_object_get(parameters, "body") != NULL)
		member = "body";
	else if (json_object_get(parameters, "body_fd") != NULL)
		member = "body_fd";
	ck_assert_int_eq(fds.fd[0] >= 0, strcmp(member, "body_fd") == 0);
	ck_assert_int_eq(body_from_json(parameters, &fds, &out, error), BAY_OK);
	ck_assert_uint_eq(out.size, size);
	ck_assert(size == 0 || memcmp(out.data, data, size) == 0);
	varlink_fds_close(&fds);
	buffer_finish(&out);
	json_decref(parameters);
	return member;
}

START_TEST(plain_text_goes_as_text)
{
	ck_assert_str_eq(round_trip("5", 1), "text");
	ck_assert_str_eq(round_trip("gr\xc3\xbc\xc3\x9f dich\n\t\"", 14), "text");
}
END_TEST

START_TEST(nothing_goes_as_nothing)
{
	ck_assert_str_eq(round_trip("", 0), "");
	ck_assert_str_eq(round_trip(NULL, 0), "");
}
END_TEST

START_TEST(other_bytes_go_as_base64)
{
	ck_assert_str_eq(round_trip("a\0b", 3), "body");
	ck_assert_str_eq(round_trip("\xff", 1), "body");
	ck_assert_str_eq(round_trip("\xed\xa0\x80", 3), "body");
}
END_TEST

START_TEST(more_than_64_kib_goes_as_a_memfd)
{
	char *data = malloc(BODY_INLINE_MAX + 1);

	memset(data, 'x', BODY_INLINE_MAX + 1);
	ck_assert_str_eq(round_trip(data, BODY_INLINE_MAX), "text");
	ck_assert_str_eq(round_trip(data, BODY_INLINE_MAX + 1), "body_fd");
	free(data);
}
END_TEST

/* 64 KiB of control bytes as text would be 384 KiB of JSON. */
START_TEST(whatever_the_bytes_an_inline_body_fits_into_a_frame)
{
	uint8_t *data = malloc(BODY_INLINE_MAX);

	for (int c = 0; c < 256; c++) {
		json_t *parameters = json_object();
		struct buffer out = {0};
		int fd;

		memset(data, c, BODY_INLINE_MAX);
		ck_assert_int_eq(body_to_json(data, BODY_INLINE_MAX, parameters, &fd), BAY_OK);
		ck_assert(varlink_call_encode(&out, &(struct varlink_call){
			.method = "io.bayd.Container.Call", .parameters = parameters}));
		ck_assert_uint_le(out.size, varlink_limits_server.frame_bytes);
		buffer_finish(&out);
		json_decref(parameters);
	}
	free(data);
}
END_TEST

START_TEST(a_body_over_the_maximum_is_refused_unread)
{
	json_t *parameters = json_object();
	int fd;

	ck_assert_int_eq(body_to_json("", (size_t)BODY_MAX + 1, parameters, &fd), BAY_TOO_BIG);
	ck_assert_int_eq(fd, -1);
	ck_assert_uint_eq(json_object_size(parameters), 0);
	json_decref(parameters);
}
END_TEST

START_TEST(the_memfd_is_sealed_against_everything)
{
	int fd = body_memfd_create("abc", 3);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, "x", 1, 0), -1);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_int_eq(ftruncate(fd, 10), -1);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	close(fd);
}
END_TEST

/* What reading the parameters with these descriptors gives. */
static enum bay_status
read_body(const char *json, const int *fds, size_t count)
{
	json_t *parameters = json_loads(json, 0, NULL);
	struct varlink_fds passed = {.count = count};
	struct buffer out = {0};
	enum bay_status status;
	json_t *to = json_object();
	int fd;

	ck_assert_ptr_nonnull(parameters);
	for (size_t i = 0; i < count; i++)
		passed.fd[i] = fds[i];
	error[0] = '\0';
	status = body_from_json(parameters, &passed, &out, error);
	ck_assert_int_eq(status != BAY_OK, error[0] != '\0');
	if (status != BAY_OK)
		ck_assert_uint_eq(out.size, 0);
	/* Who passes it on looks as closely, but leaves base64 to the reader. */
	if (strstr(error, "base64 (") == NULL)
		ck_assert_int_eq(body_forward(parameters, &passed, to, &fd, error), status);
	json_decref(to);
	json_decref(parameters);
	buffer_finish(&out);
	return status;
}

static int
memfd_with_seals(const char *text, int seals)
{
	int fd = memfd_create("bay-test", MFD_ALLOW_SEALING);

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

START_TEST(a_memfd_that_lacks_any_one_seal_is_refused)
{
	static const int seals[] = {F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE, F_SEAL_SEAL};
	int all = 0;
	int fd;

	for (int i = 0; i < 4; i++)
		all |= seals[i];
	for (int i = 0; i < 4; i++) {
		fd = memfd_with_seals("abc", all & ~seals[i]);
		ck_assert_int_eq(read_body("{\"body_fd\":0}", &fd, 1), BAY_INVALID);
		ck_assert_ptr_nonnull(strstr(error, "seal"));
		close(fd);
	}
	fd = memfd_with_seals("abc", all);
	ck_assert_int_eq(read_body("{\"body_fd\":0}", &fd, 1), BAY_OK);
	close(fd);
}
END_TEST

START_TEST(a_descriptor_that_is_no_memfd_is_refused)
{
	char path[] = "/tmp/bay-test-XXXXXX";
	int pipes[2];
	int file = mkstemp(path);
	int null = open("/dev/null", O_RDONLY);

	unlink(path);
	ck_assert_int_eq(pipe(pipes), 0);
	ck_assert_int_eq(read_body("{\"body_fd\":0}", &file, 1), BAY_INVALID);
	ck_assert_int_eq(read_body("{\"body_fd\":0}", &null, 1), BAY_INVALID);
	ck_assert_int_eq(read_body("{\"body_fd\":0}", &pipes[0], 1), BAY_INVALID);
	ck_assert_str_eq(error, "body_fd: the descriptor is no memfd");
}
END_TEST

START_TEST(a_memfd_over_the_maximum_is_refused)
{
	int fd = memfd_create("bay-test", MFD_ALLOW_SEALING);

	ck_assert_int_eq(ftruncate(fd, (off_t)BODY_MAX + 1), 0);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL), 0);
	ck_assert_int_eq(read_body("{\"body_fd\":0}", &fd, 1), BAY_TOO_BIG);
	close(fd);
}
END_TEST

START_TEST(an_index_without_descriptor_is_refused)
{
	int fd = body_memfd_create("abc", 3);
	int gone = -1;

	ck_assert_int_eq(read_body("{\"body_fd\":0}", NULL, 0), BAY_INVALID);
	ck_assert_int_eq(read_body("{\"body_fd\":1}", &fd, 1), BAY_INVALID);
	ck_assert_str_eq(error, "body_fd: no descriptor 1 came with the frame");
	ck_assert_int_eq(read_body("{\"body_fd\":-1}", &fd, 1), BAY_INVALID);
	ck_assert_str_eq(error, "body_fd: no descriptor -1 came with the frame");
	ck_assert_int_eq(read_body("{\"body_fd\":9223372036854775807}", &fd, 1), BAY_INVALID);
	ck_assert_int_eq(read_body("{\"body_fd\":0}", &gone, 1), BAY_INVALID);
	ck_assert_int_eq(read_body("{\"body_fd\":\"0\"}", &fd, 1), BAY_INVALID);
	ck_assert_str_eq(error, "body_fd: an integer is wanted");
	close(fd);
}
END_TEST

START_TEST(two_bodies_at_once_are_refused)
{
	int fd = body_memfd_create("abc", 3);

	ck_assert_int_eq(read_body("{\"text\":\"a\",\"body\":\"YQ==\"}", NULL, 0), BAY_INVALID);
	ck_assert_int_eq(read_body("{\"text\":\"a\",\"body_fd\":0}", &fd, 1), BAY_INVALID);
	ck_assert_int_eq(read_body("{\"text\":\"a\",\"body\":null}", NULL, 0), BAY_OK);
	close(fd);
}
END_TEST

START_TEST(members_of_the_wrong_kind_are_refused)
{
	ck_assert_int_eq(read_body("{\"text\":5}", NULL, 0), BAY_INVALID);
	ck_assert_str_eq(error, "text: a string is wanted");
	ck_assert_int_eq(read_body("{\"body\":5}", NULL, 0), BAY_INVALID);
	ck_assert_int_eq(read_body("{\"body\":\"YQ=\"}", NULL, 0), BAY_INVALID);
	ck_assert_int_eq(read_body("{\"body\":\"Y Q=\"}", NULL, 0), BAY_INVALID);
	ck_assert_int_eq(read_body("{}", NULL, 0), BAY_OK);
}
END_TEST

START_TEST(a_body_is_passed_on_with_its_descriptor)
{
	json_t *from = json_pack("{s:i, s:s}", "body_fd", 1, "service", "square");
	json_t *to = json_object();
	struct varlink_fds fds = {.count = 2};
	int first = fds.fd[0] = body_memfd_create("abc", 3);
	int second = fds.fd[1] = body_memfd_create("def", 3);
	int fd;

	ck_assert_int_eq(body_forward(from, &fds, to, &fd, error), BAY_OK);
	ck_assert_int_eq(fd, second);
	ck_assert_int_eq(fds.fd[0], first);
	ck_assert_int_eq(fds.fd[1], -1);
	ck_assert_uint_eq(json_object_size(to), 1);
	ck_assert_int_eq(json_integer_value(json_object_get(to, "body_fd")), 0);
	varlink_fds_close(&fds);
	ck_assert_int_eq(fcntl(first, F_GETFD), -1);
	close(fd);
	json_decref(from);
	json_decref(to);
}
END_TEST

START_TEST(an_inline_body_is_passed_on_as_it_is)
{
	json_t *from = json_pack("{s:s, s:s}", "text", "5", "service", "square");
	json_t *to = json_object();
	int fd;

	ck_assert_int_eq(body_forward(from, NULL, to, &fd, error), BAY_OK);
	ck_assert_int_eq(fd, -1);
	ck_assert_uint_eq(json_object_size(to), 1);
	ck_assert_str_eq(json_string_value(json_object_get(to, "text")), "5");
	json_decref(from);
	json_decref(to);
}
END_TEST

CHECK_MAIN("protocol/body",
	plain_text_goes_as_text,
	nothing_goes_as_nothing,
	other_bytes_go_as_base64,
	more_than_64_kib_goes_as_a_memfd,
	whatever_the_bytes_an_inline_body_fits_into_a_frame,
	a_body_over_the_maximum_is_refused_unread,
	the_memfd_is_sealed_against_everything,
	a_memfd_that_lacks_any_one_seal_is_refused,
	a_descriptor_that_is_no_memfd_is_refused,
	a_memfd_over_the_maximum_is_refused,
	an_index_without_descriptor_is_refused,
	two_bodies_at_once_are_refused,
	members_of_the_wrong_kind_are_refused,
	a_body_is_passed_on_with_its_descriptor,
	an_inline_body_is_passed_on_as_it_is)
