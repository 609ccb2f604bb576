/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "protocol/body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "base/text.h"
#include "protocol/varlink_stream.h"

enum {
	BODY_SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL,
	BODY_SHORT = 1024 /* is never base64 because of a few escapes */
};

/* --- writing ----------------------------------------------------------------- */

int
body_memfd_create(const void *data, size_t size)
{
	int fd = memfd_create("bay-body", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	if (!fd_write_all(fd, data, size) || fcntl(fd, F_ADD_SEALS, BODY_SEALS) != 0) {
		fd_close(&fd);
		return -1;
	}
	return fd;
}

/* Bytes that the JSON writer turns into more than one. */
static size_t
body_escaped_size(const uint8_t *data, size_t size)
{
	size_t escaped = size;

	for (size_t i = 0; i < size; i++) {
		if (data[i] < 0x20)
			escaped += 5;
		else if (data[i] == '"' || data[i] == '\\')
			escaped += 1;
	}
	return escaped;
}

/* Text full of control bytes would outgrow the frame; base64 does not. */
static bool
body_fits_text(const void *data, size_t size)
{
	if (memchr(data, '\0', size) != NULL || !text_is_utf8(data, size))
		return false;
	return size <= BODY_SHORT || body_escaped_size(data, size) <= size / 3 * 4;
}

static json_t *
body_base64(const void *data, size_t size)
{
	struct buffer encoded = {0};
	json_t *json = NULL;

	if (text_base64_encode(&encoded, data, size))
		json = json_stringn((const char *)encoded.data, encoded.size);
	buffer_finish(&encoded);
	return json;
}

static enum bay_status
body_inline_to_json(const void *data, size_t size, json_t *parameters)
{
	int failed;

	if (body_fits_text(data, size))
		failed = json_object_set_new(parameters, "text", json_stringn(data, size));
	else
		failed = json_object_set_new(parameters, "body", body_base64(data, size));
	return failed ? BAY_NO_MEMORY : BAY_OK;
}

enum bay_status
body_to_json(const void *data, size_t size, json_t *parameters, int *memfd_r)
{
	*memfd_r = -1;
	if (size == 0)
		return BAY_OK;
	if (size <= BODY_INLINE_MAX)
		return body_inline_to_json(data, size, parameters);
	if (size > BODY_MAX)
		return BAY_TOO_BIG;
	*memfd_r = body_memfd_create(data, size);
	if (*memfd_r < 0)
		return BAY_IO;
	if (json_object_set_new(parameters, "body_fd", json_integer(0)) != 0) {
		fd_close(memfd_r);
		return BAY_NO_MEMORY;
	}
	return BAY_OK;
}

/* --- reading ----------------------------------------------------------------- */

/* The member that holds the body; all NULL when there is none. */
struct body_member {
	const char *name;
	json_t *text;
	json_t *base64;
	int fd; /* borrowed from fds; -1: none */
	size_t index;
	size_t size; /* of what fd holds */
};

__attribute__((format(printf, 3, 4)))
static enum bay_status
body_error(char *error_r, enum bay_status status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error_r, BODY_ERROR_SIZE, format, args);
	va_end(args);
	return status;
}

static json_t *
body_get(const json_t *parameters, const char *name, struct body_member *member, int *count)
{
	json_t *value = json_object_get(parameters, name);

	if (value == NULL || json_is_null(value))
		return NULL;
	member->name = name;
	++*count;
	return value;
}

/*
 * Only a memfd with all seals stays as it is: a file or an unsealed memfd could change, or
 * shrink and turn reading a mapping of it into SIGBUS.
 */
static enum bay_status
body_check_memfd(struct body_member *member, char *error_r)
{
	struct stat st;
	int seals = fcntl(member->fd, F_GET_SEALS);

	if (seals < 0 || fstat(member->fd, &st) != 0 || !S_ISREG(st.st_mode))
		return body_error(error_r, BAY_INVALID, "body_fd: the descriptor is no memfd");
	if ((seals & BODY_SEALS) != BODY_SEALS)
		return body_error(error_r, BAY_INVALID,
			"body_fd: the memfd is not sealed; seal SHRINK, GROW, WRITE and SEAL first");
	if (st.st_size > BODY_MAX)
		return body_error(error_r, BAY_TOO_BIG, "body_fd: %lld bytes are more than %d",
			(long long)st.st_size, BODY_MAX);
	member->size = (size_t)st.st_size;
	return BAY_OK;
}

static enum bay_status
body_find_memfd(const json_t *index, const struct varlink_fds *fds, struct body_member *member,
	char *error_r)
{
	json_int_t at = json_integer_value(index);

	if (!json_is_integer(index))
		return body_error(error_r, BAY_INVALID, "body_fd: an integer is wanted");
	if (fds == NULL || (uint64_t)at >= fds->count || fds->fd[at] < 0)
		return body_error(error_r, BAY_INVALID,
			"body_fd: no descriptor %lld came with the frame", (long long)at);
	member->index = (size_t)at;
	member->fd = fds->fd[at];
	return body_check_memfd(member, error_r);
}

static enum bay_status
body_find(const json_t *parameters, const struct varlink_fds *fds, struct body_member *member,
	char *error_r)
{
	int count = 0;
	json_t *index;

	*member = (struct body_member){.fd = -1};
	member->text = body_get(parameters, "text", member, &count);
	member->base64 = body_get(parameters, "body", member, &count);
	index = body_get(parameters, "body_fd", member, &count);
	if (count > 1)
		return body_error(error_r, BAY_INVALID,
			"%s: only one of text, body and body_fd may be there", member->name);
	if (member->text != NULL && !json_is_string(member->text))
		return body_error(error_r, BAY_INVALID, "text: a string is wanted");
	if (member->base64 != NULL && !json_is_string(member->base64))
		return body_error(error_r, BAY_INVALID, "body: a string of base64 is wanted");
	return index != NULL ? body_find_memfd(index, fds, member, error_r) : BAY_OK;
}

static enum bay_status
body_read_memfd(const struct body_member *member, struct buffer *out, char *error_r)
{
	size_t got = 0;

	if (!buffer_reserve(out, member->size))
		return body_error(error_r, BAY_NO_MEMORY, "body_fd: no memory for %zu bytes",
			member->size);
	while (got < member->size) {
		ssize_t n = pread(member->fd, out->data + out->size + got, member->size - got,
			(off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return body_error(error_r, BAY_IO, "body_fd: reading the memfd: %s",
				n < 0 ? strerror(errno) : "it is shorter than it says");
		got += (size_t)n;
	}
	out->size += got;
	return BAY_OK;
}

static enum bay_status
body_read_base64(const json_t *base64, struct buffer *out, char *error_r)
{
	size_t size = json_string_length(base64);

	/* Reserved first, so that a failure below can only be bad base64. */
	if (!buffer_reserve(out, size / 4 * 3 + 3))
		return body_error(error_r, BAY_NO_MEMORY, "body: no memory for %zu bytes", size);
	if (!text_base64_decode(out, json_string_value(base64), size))
		return body_error(error_r, BAY_INVALID,
			"body: this is no base64 (padded, without blanks)");
	return BAY_OK;
}

enum bay_status
body_from_json(const json_t *parameters, const struct varlink_fds *fds, struct buffer *out,
	char *error_r)
{
	struct body_member member;
	enum bay_status status = body_find(parameters, fds, &member, error_r);

	if (status != BAY_OK)
		return status;
	if (member.fd >= 0)
		return body_read_memfd(&member, out, error_r);
	if (member.base64 != NULL)
		return body_read_base64(member.base64, out, error_r);
	if (member.text != NULL && !buffer_append(out, json_string_value(member.text),
		json_string_length(member.text)))
		return body_error(error_r, BAY_NO_MEMORY, "text: no memory for %zu bytes",
			json_string_length(member.text));
	return BAY_OK;
}

/* --- passing on -------------------------------------------------------------- */

enum bay_status
body_forward(const json_t *from, struct varlink_fds *fds, json_t *to, int *fd_r, char *error_r)
{
	struct body_member member;
	enum bay_status status = body_find(from, fds, &member, error_r);
	int failed = 0;

	*fd_r = -1;
	if (status != BAY_OK)
		return status;
	if (member.text != NULL)
		failed = json_object_set(to, "text", member.text);
	else if (member.base64 != NULL)
		failed = json_object_set(to, "body", member.base64);
	else if (member.fd >= 0)
		failed = json_object_set_new(to, "body_fd", json_integer(0));
	if (failed)
		return body_error(error_r, BAY_NO_MEMORY, "%s: no memory", member.name);
	if (member.fd >= 0) {
		*fd_r = member.fd;
		fds->fd[member.index] = -1;
	}
	return BAY_OK;
}
