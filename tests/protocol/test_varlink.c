/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "protocol/varlink.h"

#include <string.h>

#include "support/check_main.h"

static json_t *
parse(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	ck_assert_ptr_nonnull(json);
	return json;
}

static struct varlink_call
call_of(json_t *frame)
{
	struct varlink_call call;
	const char *why;

	ck_assert_int_eq(varlink_call_decode(frame, &call, &why), VARLINK_OK);
	ck_assert_ptr_null(why);
	return call;
}

/* The bytes are one frame with its NUL. */
static void
check_bytes(const struct buffer *out, const char *text)
{
	ck_assert_uint_eq(out->size, strlen(text) + 1);
	ck_assert_str_eq((const char *)out->data, text);
}

START_TEST(a_call_is_read)
{
	json_t *frame = parse("{\"method\":\"io.bayd.Container.Log\",\"parameters\":{\"lines\":5},"
		"\"more\":true,\"id\":-7,\"extra\":1}");
	struct varlink_call call = call_of(frame);

	ck_assert(varlink_is_call(frame));
	ck_assert_str_eq(call.method, "io.bayd.Container.Log");
	ck_assert_int_eq(json_integer_value(json_object_get(call.parameters, "lines")), 5);
	ck_assert(call.more);
	ck_assert(!call.oneway);
	ck_assert(!call.upgrade);
	ck_assert(call.has_id);
	ck_assert_int_eq(call.id, -7);
	json_decref(frame);
}
END_TEST

START_TEST(what_is_absent_or_null_in_a_call_has_its_default)
{
	json_t *frame = parse("{\"method\":\"a.B\",\"parameters\":null,\"more\":null}");
	struct varlink_call call = call_of(frame);

	ck_assert_ptr_null(call.parameters);
	ck_assert(!call.more);
	ck_assert(!call.has_id);
	ck_assert_int_eq(call.id, 0);
	json_decref(frame);
}
END_TEST

START_TEST(a_member_of_the_wrong_type_is_named)
{
	static const char *const bad[][2] = {
		{"{}", "\"method\""},
		{"{\"method\":5}", "\"method\""},
		{"{\"method\":null}", "\"method\""},
		{"{\"method\":\"a\",\"parameters\":[]}", "\"parameters\""},
		{"{\"method\":\"a\",\"more\":1}", "\"more\""},
		{"{\"method\":\"a\",\"oneway\":\"yes\"}", "\"oneway\""},
		{"{\"method\":\"a\",\"upgrade\":{}}", "\"upgrade\""},
		{"{\"method\":\"a\",\"id\":1.5}", "\"id\""},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		json_t *frame = parse(bad[i][0]);
		struct varlink_call call;
		const char *why;

		ck_assert_int_eq(varlink_call_decode(frame, &call, &why), VARLINK_BAD_FRAME);
		ck_assert_ptr_nonnull(strstr(why, bad[i][1]));
		json_decref(frame);
	}
}
END_TEST

START_TEST(a_reply_is_read)
{
	json_t *frame = parse("{\"error\":\"a.No\",\"parameters\":{\"message\":\"m\"},"
		"\"continues\":true,\"id\":3}");
	struct varlink_reply reply;
	const char *why;

	ck_assert(!varlink_is_call(frame));
	ck_assert_int_eq(varlink_reply_decode(frame, &reply, &why), VARLINK_OK);
	ck_assert_str_eq(reply.error, "a.No");
	ck_assert_str_eq(json_string_value(json_object_get(reply.parameters, "message")), "m");
	ck_assert(reply.continues);
	ck_assert(reply.has_id);
	ck_assert_int_eq(reply.id, 3);
	json_decref(frame);
}
END_TEST

START_TEST(a_reply_of_the_wrong_shape_is_refused)
{
	static const char *const bad[] = {
		"{\"method\":\"a.B\"}",
		"{\"error\":5}",
		"{\"parameters\":5}",
		"{\"continues\":5}",
		"{\"id\":\"5\"}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		json_t *frame = parse(bad[i]);
		struct varlink_reply reply;
		const char *why;

		ck_assert_int_eq(varlink_reply_decode(frame, &reply, &why), VARLINK_BAD_FRAME);
		ck_assert_ptr_nonnull(why);
		json_decref(frame);
	}
}
END_TEST

START_TEST(a_call_is_written)
{
	json_t *parameters = parse("{\"service\":\"square\"}");
	struct buffer out = {0};

	ck_assert(varlink_call_encode(&out, &(struct varlink_call){.method = "a.B"}));
	check_bytes(&out, "{\"method\":\"a.B\",\"parameters\":{}}");
	buffer_clear(&out);
	ck_assert(varlink_call_encode(&out, &(struct varlink_call){.method = "a.B",
		.parameters = parameters, .more = true, .oneway = true, .upgrade = true,
		.has_id = true, .id = INT64_MIN}));
	check_bytes(&out, "{\"method\":\"a.B\",\"parameters\":{\"service\":\"square\"},"
		"\"more\":true,\"oneway\":true,\"upgrade\":true,\"id\":-9223372036854775808}");
	buffer_finish(&out);
	json_decref(parameters);
}
END_TEST

START_TEST(replies_are_written_one_behind_the_other)
{
	json_t *parameters = parse("{\"line\":\"a\\u0001\"}");
	struct buffer out = {0};

	ck_assert(varlink_reply_encode(&out, &(struct varlink_reply){0}));
	check_bytes(&out, "{\"parameters\":{}}");
	ck_assert(varlink_reply_encode(&out, &(struct varlink_reply){
		.parameters = parameters, .continues = true, .has_id = true, .id = 4}));
	buffer_consume(&out, strlen("{\"parameters\":{}}") + 1);
	check_bytes(&out, "{\"parameters\":{\"line\":\"a\\u0001\"},\"continues\":true,\"id\":4}");
	buffer_clear(&out);
	ck_assert(varlink_reply_encode(&out, &(struct varlink_reply){
		.error = "a.No", .parameters = parameters}));
	check_bytes(&out, "{\"error\":\"a.No\",\"parameters\":{\"line\":\"a\\u0001\"}}");
	buffer_finish(&out);
	json_decref(parameters);
}
END_TEST

START_TEST(a_frame_that_cannot_be_written_leaves_nothing_behind)
{
	struct buffer out = {0};

	ck_assert(buffer_append_text(&out, "before"));
	ck_assert(!varlink_call_encode(&out, &(struct varlink_call){.method = "bad \xff"}));
	ck_assert_uint_eq(out.size, 6);
	ck_assert(!varlink_reply_encode(&out, &(struct varlink_reply){.error = "bad \xff"}));
	ck_assert_uint_eq(out.size, 6);
	buffer_finish(&out);
}
END_TEST

START_TEST(text_from_anywhere_becomes_a_string)
{
	json_t *plain = varlink_text("gr\xc3\xbc\xc3\x9f dich\n");
	json_t *broken = varlink_text("a\xff z");
	json_t *none = varlink_text(NULL);

	ck_assert_str_eq(json_string_value(plain), "gr\xc3\xbc\xc3\x9f dich\n");
	ck_assert_str_eq(json_string_value(broken), "a\\xff z");
	ck_assert(json_is_null(none));
	json_decref(plain);
	json_decref(broken);
}
END_TEST

CHECK_MAIN("protocol/varlink",
	a_call_is_read,
	what_is_absent_or_null_in_a_call_has_its_default,
	a_member_of_the_wrong_type_is_named,
	a_reply_is_read,
	a_reply_of_the_wrong_shape_is_refused,
	a_call_is_written,
	replies_are_written_one_behind_the_other,
	a_frame_that_cannot_be_written_leaves_nothing_behind,
	text_from_anywhere_becomes_a_string)
