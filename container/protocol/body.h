/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The body of a request or reply inside the parameters of a frame. One of:
 *
 *	"text": "..."     UTF-8 without NUL
 *	"body": "..."     base64 of any bytes
 *	"body_fd": 0      the index of a descriptor sent with the frame: a memfd sealed against
 *	                  every change, for more than 64 KiB
 *	none of them      no bytes
 *
 * Any thread; never suspends.
 */
#ifndef BAY_PROTOCOL_BODY_H
#define BAY_PROTOCOL_BODY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include <bay/status.h>

struct buffer;
struct varlink_fds;

enum {
	BODY_INLINE_MAX = 64 * 1024,   /* a larger body goes as a memfd */
	BODY_MAX = 64 * 1024 * 1024,   /* no body is larger */
	BODY_ERROR_SIZE = 160          /* room for every reason that these functions give */
};

/*
 * Writes the body into parameters (an object). *memfd_r is the memfd to send as the frame's
 * first descriptor, the caller's, or -1. BAY_OK, BAY_NO_MEMORY, BAY_TOO_BIG, or BAY_IO (errno).
 */
enum bay_status body_to_json(const void *data, size_t size, json_t *parameters, int *memfd_r)
	__attribute__((warn_unused_result));

/*
 * Appends the body that parameters hold to out; fds are those of the frame and stay the
 * caller's. On BAY_INVALID, BAY_TOO_BIG, BAY_NO_MEMORY and BAY_IO error_r (BODY_ERROR_SIZE)
 * says why, and out is unchanged.
 */
enum bay_status body_from_json(const json_t *parameters, const struct varlink_fds *fds,
	struct buffer *out, char *error_r)
	__attribute__((warn_unused_result));

/*
 * For passing a body on unread: checks it as body_from_json does, without reading it, and
 * copies its member to parameters "to", where a descriptor has index 0. *fd_r is the
 * descriptor of fds that goes with it, taken out of fds (-1 is left there), or -1.
 */
enum bay_status body_forward(const json_t *from, struct varlink_fds *fds, json_t *to, int *fd_r,
	char *error_r)
	__attribute__((warn_unused_result));

/* A sealed memfd with a copy of the bytes, close-on-exec and the caller's; -1 with errno. */
int body_memfd_create(const void *data, size_t size)
	__attribute__((warn_unused_result));

#endif
