/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames to calls and replies, and back to bytes. */
#include "config.h"

#include "protocol/varlink.h"

#include <string.h>

#include "base/text.h"

/* --- decoding ---------------------------------------------------------------- */

bool
varlink_is_call(const json_t *frame)
{
	return json_object_get(frame, "method") != NULL;
}

/* An absent or null member is NULL, as varlink has it. */
static const json_t *
varlink_member(const json_t *frame, const char *name)
{
	const json_t *member = json_object_get(frame, name);

	return json_is_null(member) ? NULL : member;
}

static bool
varlink_get_bool(const json_t *frame, const char *name, bool *value_r)
{
	const json_t *member = varlink_member(frame, name);

	*value_r = json_is_true(member);
	return member == NULL || json_is_boolean(member);
}

static bool
varlink_get_text(const json_t *frame, const char *name, const char **value_r)
{
	const json_t *member = varlink_member(frame, name);

	*value_r = json_string_value(member);
	return member == NULL || json_is_string(member);
}

static bool
varlink_get_id(const json_t *frame, bool *has_r, int64_t *id_r)
{
	const json_t *member = varlink_member(frame, "id");

	*has_r = member != NULL;
	*id_r = json_integer_value(member);
	return member == NULL || json_is_integer(member);
}

static bool
varlink_get_parameters(const json_t *frame, const json_t **parameters_r)
{
	*parameters_r = varlink_member(frame, "parameters");
	return *parameters_r == NULL || json_is_object(*parameters_r);
}

enum varlink_result
varlink_call_decode(const json_t *frame, struct varlink_call *call_r, const char **why_r)
{
	*why_r = NULL;
	if (!varlink_get_text(frame, "method", &call_r->method) || call_r->method == NULL)
		*why_r = "a call wants \"method\", a string";
	else if (!varlink_get_parameters(frame, &call_r->parameters))
		*why_r = "\"parameters\" of a call is no object";
	else if (!varlink_get_bool(frame, "more", &call_r->more))
		*why_r = "\"more\" of a call is no boolean";
	else if (!varlink_get_bool(frame, "oneway", &call_r->oneway))
		*why_r = "\"oneway\" of a call is no boolean";
	else if (!varlink_get_bool(frame, "upgrade", &call_r->upgrade))
		*why_r = "\"upgrade\" of a call is no boolean";
	else if (!varlink_get_id(frame, &call_r->has_id, &call_r->id))
		*why_r = "\"id\" of a call is no integer";
	return *why_r == NULL ? VARLINK_OK : VARLINK_BAD_FRAME;
}

enum varlink_result
varlink_reply_decode(const json_t *frame, struct varlink_reply *reply_r, const char **why_r)
{
	*why_r = NULL;
	if (varlink_is_call(frame))
		*why_r = "a reply has no \"method\"";
	else if (!varlink_get_text(frame, "error", &reply_r->error))
		*why_r = "\"error\" of a reply is no string";
	else if (!varlink_get_parameters(frame, &reply_r->parameters))
		*why_r = "\"parameters\" of a reply is no object";
	else if (!varlink_get_bool(frame, "continues", &reply_r->continues))
		*why_r = "\"continues\" of a reply is no boolean";
	else if (!varlink_get_id(frame, &reply_r->has_id, &reply_r->id))
		*why_r = "\"id\" of a reply is no integer";
	return *why_r == NULL ? VARLINK_OK : VARLINK_BAD_FRAME;
}

/* --- encoding ---------------------------------------------------------------- */

static int
varlink_append_chunk(const char *data, size_t size, void *out)
{
	return buffer_append(out, data, size) ? 0 : -1;
}

static bool
varlink_append_json(struct buffer *out, const json_t *json)
{
	return json_dump_callback(json, varlink_append_chunk, out,
		JSON_COMPACT | JSON_ENCODE_ANY) == 0;
}

static bool
varlink_append_text(struct buffer *out, const char *text)
{
	json_t *json = json_string(text);
	bool done = json != NULL && varlink_append_json(out, json);

	json_decref(json);
	return done;
}

static bool
varlink_append_parameters(struct buffer *out, const json_t *parameters)
{
	return buffer_append_text(out, "\"parameters\":") &&
		(parameters != NULL ? varlink_append_json(out, parameters) :
		buffer_append_text(out, "{}"));
}

static bool
varlink_append_flag(struct buffer *out, const char *name, bool value)
{
	return !value || buffer_printf(out, ",\"%s\":true", name);
}

/* The end of a frame: its id, the brace and the NUL. */
static bool
varlink_append_end(struct buffer *out, bool has_id, int64_t id)
{
	return (!has_id || buffer_printf(out, ",\"id\":%lld", (long long)id)) &&
		buffer_append(out, "}", 2);
}

static bool
varlink_append_call(struct buffer *out, const struct varlink_call *call)
{
	return buffer_append_text(out, "{\"method\":") &&
		varlink_append_text(out, call->method) &&
		buffer_append_text(out, ",") &&
		varlink_append_parameters(out, call->parameters) &&
		varlink_append_flag(out, "more", call->more) &&
		varlink_append_flag(out, "oneway", call->oneway) &&
		varlink_append_flag(out, "upgrade", call->upgrade) &&
		varlink_append_end(out, call->has_id, call->id);
}

static bool
varlink_append_error(struct buffer *out, const char *error)
{
	return error == NULL || (buffer_append_text(out, "\"error\":") &&
		varlink_append_text(out, error) && buffer_append_text(out, ","));
}

static bool
varlink_append_reply(struct buffer *out, const struct varlink_reply *reply)
{
	return buffer_append_text(out, "{") &&
		varlink_append_error(out, reply->error) &&
		varlink_append_parameters(out, reply->parameters) &&
		varlink_append_flag(out, "continues", reply->continues) &&
		varlink_append_end(out, reply->has_id, reply->id);
}

bool
varlink_call_encode(struct buffer *out, const struct varlink_call *call)
{
	size_t size = out->size;

	if (varlink_append_call(out, call))
		return true;
	out->size = size;
	return false;
}

bool
varlink_reply_encode(struct buffer *out, const struct varlink_reply *reply)
{
	size_t size = out->size;

	if (varlink_append_reply(out, reply))
		return true;
	out->size = size;
	return false;
}

/* --- text -------------------------------------------------------------------- */

json_t *
varlink_text(const char *text)
{
	struct buffer escaped = {0};
	json_t *json = NULL;

	if (text == NULL)
		return json_null();
	if (text_is_utf8(text, strlen(text)))
		return json_string(text);
	if (text_escape(&escaped, text, strlen(text)))
		json = json_stringn((const char *)escaped.data, escaped.size);
	buffer_finish(&escaped);
	return json;
}
