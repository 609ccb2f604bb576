/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes as text: UTF-8, escapes, base64. */
#include "config.h"

#include <string.h>

#include "base/buffer.h"
#include "base/text.h"

/* --- UTF-8 ------------------------------------------------------------------ */

/*
 * The length of the character at data (size > 0), or 0 when it is not well formed. The
 * second byte alone excludes overlong forms, surrogates and what is above U+10FFFF.
 */
size_t
text_utf8_length(const void *data, size_t size)
{
	const uint8_t *p = data;
	uint8_t low = 0x80, high = 0xbf;
	size_t length;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	length = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (length > size)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return length;
}

bool
text_is_utf8(const void *data, size_t size)
{
	const uint8_t *p = data;

	while (size > 0) {
		size_t length = text_utf8_length(p, size);

		if (length == 0)
			return false;
		p += length;
		size -= length;
	}
	return true;
}

/* --- escapes ---------------------------------------------------------------- */

/* Besides the C0 controls, U+0080 to U+009F steer terminals too. */
static bool
text_is_control(const uint8_t *p, size_t length)
{
	return (length == 1 && (p[0] < 0x20 || p[0] == 0x7f)) ||
		(length == 2 && p[0] == 0xc2 && p[1] < 0xa0);
}

static bool
text_escape_byte(struct buffer *out, uint8_t byte)
{
	switch (byte) {
	case '\n':
		return buffer_append(out, "\\n", 2);
	case '\t':
		return buffer_append(out, "\\t", 2);
	case '\r':
		return buffer_append(out, "\\r", 2);
	case '\\':
		return buffer_append(out, "\\\\", 2);
	default:
		return buffer_printf(out, "\\x%02x", byte);
	}
}

/* apart: the character that is escaped besides what cannot be shown; 0: none. */
static bool
text_escape_apart(struct buffer *out, const uint8_t *p, size_t size, uint8_t apart)
{
	while (size > 0) {
		size_t length = text_utf8_length(p, size);
		bool plain = length > 0 && (*p != apart || apart == 0) && !text_is_control(p, length);

		if (!(plain ? buffer_append(out, p, length) : text_escape_byte(out, *p)))
			return false;
		/* Of what is not plain, only the first byte has been written. */
		p += plain ? length : 1;
		size -= plain ? length : 1;
	}
	return true;
}

bool
text_escape(struct buffer *out, const void *data, size_t size)
{
	return text_escape_apart(out, data, size, '\\');
}

bool
text_make_printable(struct buffer *out, const void *data, size_t size)
{
	return text_escape_apart(out, data, size, 0);
}

/* --- base64 ----------------------------------------------------------------- */

static const char text_base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool
text_base64_encode(struct buffer *out, const void *data, size_t size)
{
	const uint8_t *p = data;
	uint8_t *to;

	if (size == 0)
		return true;
	if (size > SIZE_MAX / 2 || !buffer_reserve(out, (size + 2) / 3 * 4))
		return false;
	to = out->data + out->size;
	for (; size > 0; p += 3) {
		uint32_t bits = (uint32_t)p[0] << 16;

		if (size > 1)
			bits |= (uint32_t)p[1] << 8;
		if (size > 2)
			bits |= p[2];
		*to++ = (uint8_t)text_base64_digits[bits >> 18];
		*to++ = (uint8_t)text_base64_digits[bits >> 12 & 63];
		*to++ = size > 1 ? (uint8_t)text_base64_digits[bits >> 6 & 63] : '=';
		*to++ = size > 2 ? (uint8_t)text_base64_digits[bits & 63] : '=';
		size -= size > 3 ? 3 : size;
	}
	out->size = (size_t)(to - out->data);
	return true;
}

/* The six bits of a digit, or -1. */
static int
text_base64_value(char digit)
{
	if (digit >= 'A' && digit <= 'Z')
		return digit - 'A';
	if (digit >= 'a' && digit <= 'z')
		return digit - 'a' + 26;
	if (digit >= '0' && digit <= '9')
		return digit - '0' + 52;
	return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

/* Decodes four digits, the last `padding` of which are '='. */
static bool
text_base64_group(const char *digits, size_t padding, uint8_t bytes[3])
{
	uint32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		int value = i < 4 - padding ? text_base64_value(digits[i]) : 0;

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
	}
	bytes[0] = (uint8_t)(bits >> 16);
	bytes[1] = (uint8_t)(bits >> 8);
	bytes[2] = (uint8_t)bits;
	/* Bits that no byte takes must be zero, else one value would have several texts. */
	return (padding < 1 || bytes[2] == 0) && (padding < 2 || bytes[1] == 0);
}

bool
text_base64_decode(struct buffer *out, const char *text, size_t size)
{
	size_t start = out->size;
	uint8_t bytes[3];

	if (size % 4 != 0 || !buffer_reserve(out, size / 4 * 3))
		return false;
	for (size_t i = 0; i < size; i += 4) {
		size_t padding = 0;

		if (i + 4 == size && text[i + 3] == '=')
			padding = text[i + 2] == '=' ? 2 : 1;
		if (!text_base64_group(text + i, padding, bytes)) {
			out->size = start;
			return false;
		}
		memcpy(out->data + out->size, bytes, 3 - padding);
		out->size += 3 - padding;
	}
	return true;
}
