/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Varlink frames: one JSON object each, ended by a NUL byte. Pure functions between bytes
 * and json_t; who moves the bytes is varlink_stream.
 *
 *	call    {"method":"io.bayd.Container.Status","parameters":{...},"more":true}
 *	reply   {"parameters":{...},"continues":true}
 *	error   {"error":"io.bayd.Container.NotFound","parameters":{"message":"..."}}
 *
 * Between the master and its cells calls and replies carry an integer "id" too, so that
 * several can be under way; a call without one is a notice and has no reply.
 *
 * Nothing of a frame is decoded before its size, tokens and depth are known to be within
 * the limits: a string, a number or word, and each { and [ is a token. Duplicate keys, bad
 * UTF-8 and NUL in strings are refused.
 *
 * Any thread, one at a time per reader; never suspends.
 */
#ifndef BAY_PROTOCOL_VARLINK_H
#define BAY_PROTOCOL_VARLINK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum varlink_result {
	VARLINK_OK = 0,
	VARLINK_MORE,            /* no complete frame is there yet */
	VARLINK_TOO_BIG,         /* a frame is larger than frame_bytes */
	VARLINK_TOO_MANY_TOKENS,
	VARLINK_TOO_DEEP,
	VARLINK_BAD_JSON,
	VARLINK_NOT_OBJECT,
	VARLINK_BAD_FRAME,       /* an object, but not a call or not a reply */
	VARLINK_NO_MEMORY
};

/* One sentence for people, such as "the frame is larger than the limit". Borrowed for ever. */
const char *varlink_result_text(enum varlink_result result);

/* What one side accepts from the other. */
struct varlink_limits {
	size_t frame_bytes; /* without the NUL */
	size_t tokens;
	unsigned depth; /* of nested { and [ */
};

/* The master, from bayctl: 256 KiB, 10,000 tokens, depth 32. */
extern const struct varlink_limits varlink_limits_server;

/* bayctl, from the master: 16 MiB, 1,000,000, 32. */
extern const struct varlink_limits varlink_limits_client;

/* Master and cells, from each other: 4 MiB, 250,000, 32. */
extern const struct varlink_limits varlink_limits_cell;

/* --- bytes to frames --------------------------------------------------------- */

/*
 * Collects bytes until a frame is whole. After an error nothing more can be read: the rest
 * of the stream has no known start. Initialise, finish; members are private.
 */
struct varlink_reader {
	struct varlink_limits _limits;
	struct buffer _bytes;
	size_t _start;     /* of the next frame in _bytes */
	size_t _scanned;   /* no NUL lies before this */
	uint64_t _offset;  /* of _bytes.data[0] in the whole stream */
	enum varlink_result _failed;
};

void varlink_reader_init(struct varlink_reader *reader, const struct varlink_limits *limits);
void varlink_reader_finish(struct varlink_reader *reader);

/*
 * Adds bytes. VARLINK_OK, VARLINK_TOO_BIG (an unfinished frame has outgrown the limit) or
 * VARLINK_NO_MEMORY. Complete frames pile up until they are taken: who does not take at
 * once must not go on feeding either (varlink_reader_has_frame).
 */
enum varlink_result varlink_reader_feed(struct varlink_reader *reader, const void *data,
	size_t size)
	__attribute__((warn_unused_result));

/* Whether take would give a frame or an error, not VARLINK_MORE. */
bool varlink_reader_has_frame(struct varlink_reader *reader);

/*
 * Decodes the next complete frame. VARLINK_OK: *frame_r is an object and the caller's (to
 * json_decref); VARLINK_MORE: feed first; else an error, again at each further call.
 */
enum varlink_result varlink_reader_take(struct varlink_reader *reader, json_t **frame_r)
	__attribute__((warn_unused_result));

/* The position in the whole stream of the next byte to be fed, and of the one behind the
 * last frame that was taken. */
uint64_t varlink_reader_fed(const struct varlink_reader *reader);
uint64_t varlink_reader_taken(const struct varlink_reader *reader);

/* Decodes one frame without its NUL, checks as above. What the reader uses; for fuzzing. */
enum varlink_result varlink_decode(const void *data, size_t size,
	const struct varlink_limits *limits, json_t **frame_r)
	__attribute__((warn_unused_result));

/* --- frames to calls and replies --------------------------------------------- */

struct varlink_call {
	const char *method;       /* full name */
	const json_t *parameters; /* an object, or NULL for none */
	bool more;
	bool oneway;
	bool upgrade;
	bool has_id;
	int64_t id;
};

struct varlink_reply {
	const char *error;        /* full name, or NULL: it went well */
	const json_t *parameters; /* an object, or NULL for none */
	bool continues;
	bool has_id;
	int64_t id;
};

/* Whether the frame is a call; otherwise it may be a reply. */
bool varlink_is_call(const json_t *frame);

/*
 * Reads a frame: VARLINK_OK, or VARLINK_BAD_FRAME with the reason in *why_r (borrowed for
 * ever). What *call_r points to is borrowed from frame. Unknown members are ignored.
 */
enum varlink_result varlink_call_decode(const json_t *frame, struct varlink_call *call_r,
	const char **why_r)
	__attribute__((warn_unused_result));
enum varlink_result varlink_reply_decode(const json_t *frame, struct varlink_reply *reply_r,
	const char **why_r)
	__attribute__((warn_unused_result));

/* --- calls and replies to bytes ---------------------------------------------- */

/*
 * Append one frame with its NUL. False: no memory, or the parameters cannot be written as
 * JSON; out is then unchanged.
 */
bool varlink_call_encode(struct buffer *out, const struct varlink_call *call)
	__attribute__((warn_unused_result));
bool varlink_reply_encode(struct buffer *out, const struct varlink_reply *reply)
	__attribute__((warn_unused_result));

/* --- text -------------------------------------------------------------------- */

/*
 * A JSON string for text from anywhere: as it is when it is UTF-8 without NUL, otherwise
 * escaped by text_escape. NULL text gives null. The caller's; NULL: no memory.
 */
json_t *varlink_text(const char *text)
	__attribute__((warn_unused_result));

#endif
