/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading values that people write, and making bytes fit to be shown. The parsers take the
 * whole string or nothing: no blanks around it, nothing behind it, no overflow; on failure
 * the result is untouched. Any thread.
 */
#ifndef BAY_BASE_TEXT_H
#define BAY_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;

/* "100us", "250ms", "5s", "2m", "1h", "1d", "1.5s", and "0" alone needs no unit. */
bool text_parse_duration_ns(const char *text, int64_t *ns_r)
	__attribute__((warn_unused_result));

/* "4096", "64k", "1M", "2G": factors of 1024, in either case. */
bool text_parse_size(const char *text, uint64_t *bytes_r)
	__attribute__((warn_unused_result));

/* Decimal, with an optional sign. */
bool text_parse_int64(const char *text, int64_t *value_r)
	__attribute__((warn_unused_result));

/* yes/no, true/false, on/off, 1/0, in either case. */
bool text_parse_bool(const char *text, bool *value_r)
	__attribute__((warn_unused_result));

/* Prints a size in the largest unit that loses nothing: "64k", "1M", "1000". Returns buf. */
char *text_format_size(char *buf, size_t size, uint64_t bytes);

/*
 * Returns the known name that name is most likely a slip of the pen for, or NULL when none
 * is near. Near is one letter wrong, missing, too many or swapped; two in a name of six letters
 * or more, three from nine on. Case does not count. The first of several equally near wins.
 */
const char *text_nearest(const char *name, const char *const *names, size_t count);

/*
 * Appends data fit for one line of a log or a terminal: printable UTF-8 stays; control
 * bytes, broken UTF-8 and the backslash become \n, \t, \r, \\ or \xHH. False: no memory.
 */
bool text_escape(struct buffer *out, const void *data, size_t size)
	__attribute__((warn_unused_result));

/* The same for text that may have been escaped before: a backslash stays. False: no memory. */
bool text_make_printable(struct buffer *out, const void *data, size_t size)
	__attribute__((warn_unused_result));

/* The bytes of the well-formed UTF-8 character at data, 1 to 4, or 0. size is at least 1. */
size_t text_utf8_length(const void *data, size_t size);

/* one for 1, else many: "task refuses", "tasks refuse". */
static inline const char *
text_number(uint64_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

/* Whether data is well-formed UTF-8 (no overlong forms, no surrogates). */
bool text_is_utf8(const void *data, size_t size);

/* Appends the RFC 4648 base64 of data, padded, without line breaks. False: no memory. */
bool text_base64_encode(struct buffer *out, const void *data, size_t size)
	__attribute__((warn_unused_result));

/*
 * Appends what the base64 text says. Takes the one canonical form only: padded, no blanks,
 * no stray bits. False: not that, or no memory; out is then unchanged.
 */
bool text_base64_decode(struct buffer *out, const char *text, size_t size)
	__attribute__((warn_unused_result));

#endif
