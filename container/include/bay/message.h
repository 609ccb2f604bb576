/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message: bytes that do not change once it is made, so that it may be sent
 * to many. It has one owner, who frees it; functions that take a message only
 * borrow it unless they say otherwise. The bytes are always followed by a NUL
 * that does not count.
 */
#ifndef BAY_MESSAGE_H
#define BAY_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/status.h>

BAY_BEGIN_DECLS

struct bay_message;

/* A new message with a copy of size bytes, or NULL when there is no memory.
 * Owned by the caller. Any thread; never suspends. Since 1.0. */
BAY_API struct bay_message *bay_message(const void *data, size_t size) BAY_MUST_CHECK;

/* The same from a format or a decimal integer: owned by the caller, NULL when there is no
 * memory. Any thread; never suspend. Since 1.0. */
BAY_API struct bay_message *bay_message_printf(const char *format, ...) BAY_PRINTF(1, 2) BAY_MUST_CHECK;
BAY_API struct bay_message *bay_message_int64(int64_t number) BAY_MUST_CHECK;

/* Frees; NULL is allowed. Any thread; never suspends. Since 1.0. */
BAY_API void bay_message_free(struct bay_message *message);

/* The bytes and their number; NULL is an empty message. Borrowed until the
 * message is freed. Any thread; never suspends. Since 1.0. */
BAY_API const void *bay_message_data(const struct bay_message *message);
BAY_API size_t bay_message_size(const struct bay_message *message);

/* The bytes as text; always ends with NUL, and is "" for NULL. Borrowed until the message is
 * freed. Any thread; never suspends. Since 1.0. */
BAY_API const char *bay_message_text(const struct bay_message *message);

/* Reads the whole message as one decimal integer, spaces around it allowed:
 * BAY_OK, else BAY_INVALID and *number_r untouched. Any thread; never suspends.
 * Since 1.0. */
BAY_API int bay_message_read_int64(const struct bay_message *message, int64_t *number_r);

BAY_END_DECLS

#endif
