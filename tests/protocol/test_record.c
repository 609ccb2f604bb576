/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "protocol/record.h"

#include <string.h>

#include "support/check_main.h"

enum colour {
	COLOUR_RED = 0,
	COLOUR_BLUE
};

struct dot {
	int64_t x;
	const char *name;
};

struct drawing {
	int64_t scale;
	const char *title;
	const char *remark;
	bool dashed;
	enum colour colour;
	struct dot *dots;
	size_t dot_count;
};

static const char *const colour_words[] = {"red", "blue"};

static const struct record_field dot_fields[] = {
	RECORD_INT(struct dot, x, "x", -5, 5),
	RECORD_TEXT(struct dot, name, "name"),
};
static const struct record dot_record = RECORD(struct dot, dot_fields);

static const struct record_field drawing_fields[] = {
	RECORD_INT(struct drawing, scale, "scale", 1, 100),
	RECORD_TEXT(struct drawing, title, "title"),
	RECORD_PROSE_OPTIONAL(struct drawing, remark, "remark"),
	RECORD_BOOL(struct drawing, dashed, "dashed"),
	RECORD_WORD(struct drawing, colour, "colour", colour_words),
	RECORD_LIST(struct drawing, dots, dot_count, "dots", &dot_record),
};
static const struct record drawing_record = RECORD(struct drawing, drawing_fields);

static char error[192];

static bool
read_drawing(const char *text, struct drawing *drawing)
{
	json_t *json = json_loads(text, 0, NULL);
	bool done;

	ck_assert_ptr_nonnull(json);
	done = record_from_json(&drawing_record, json, drawing, error, sizeof(error));
	if (done)
		record_finish(&drawing_record, drawing);
	json_decref(json);
	return done;
}

static void
refused(const char *text, const char *why)
{
	struct drawing drawing;

	ck_assert(!read_drawing(text, &drawing));
	ck_assert_str_eq(error, why);
	ck_assert_ptr_null(drawing.dots);
}

START_TEST(a_struct_is_written_and_read_back)
{
	struct dot dots[] = {{-5, "a"}, {5, "b"}};
	struct drawing from = {.scale = 7, .title = "t", .remark = "r", .dashed = true,
		.colour = COLOUR_BLUE, .dots = dots, .dot_count = 2};
	struct drawing to;
	json_t *json = record_to_json(&drawing_record, &from);

	ck_assert(record_from_json(&drawing_record, json, &to, error, sizeof(error)));
	ck_assert_int_eq(to.scale, 7);
	ck_assert_str_eq(to.title, "t");
	ck_assert_str_eq(to.remark, "r");
	ck_assert(to.dashed);
	ck_assert_int_eq(to.colour, COLOUR_BLUE);
	ck_assert_uint_eq(to.dot_count, 2);
	ck_assert_int_eq(to.dots[0].x, -5);
	ck_assert_str_eq(to.dots[1].name, "b");
	record_finish(&drawing_record, &to);
	ck_assert_ptr_null(to.dots);
	ck_assert_str_eq(json_string_value(json_object_get(json, "colour")), "blue");
	json_decref(json);
}
END_TEST

START_TEST(what_is_optional_may_be_absent_or_null)
{
	struct drawing from = {.scale = 1, .title = "t"};
	struct drawing to;
	json_t *json = record_to_json(&drawing_record, &from);

	ck_assert_ptr_null(json_object_get(json, "remark"));
	json_decref(json);
	json = json_loads("{\"scale\":1,\"title\":\"t\",\"remark\":null,\"colour\":\"red\","
		"\"unknown\":[]}", 0, NULL);
	memset(&to, 0xff, sizeof(to));
	ck_assert(record_from_json(&drawing_record, json, &to, error, sizeof(error)));
	ck_assert_ptr_null(to.remark);
	ck_assert(!to.dashed);
	ck_assert_ptr_null(to.dots);
	ck_assert_uint_eq(to.dot_count, 0);
	json_decref(json);
}
END_TEST

START_TEST(prose_that_is_no_utf8_is_escaped_and_other_text_is_refused)
{
	struct drawing drawing = {.scale = 1, .title = "t", .remark = "\xff"};
	json_t *json = record_to_json(&drawing_record, &drawing);

	ck_assert_str_eq(json_string_value(json_object_get(json, "remark")), "\\xff");
	json_decref(json);
	drawing.title = "\xff";
	ck_assert_ptr_null(record_to_json(&drawing_record, &drawing));
	drawing.title = NULL;
	ck_assert_ptr_null(record_to_json(&drawing_record, &drawing));
}
END_TEST

START_TEST(a_list_with_a_bad_element_is_not_written)
{
	struct dot dots[] = {{0, "a"}, {0, NULL}};
	struct drawing drawing = {.scale = 1, .title = "t", .dots = dots, .dot_count = 2};

	ck_assert_ptr_null(record_to_json(&drawing_record, &drawing));
}
END_TEST

START_TEST(a_complaint_names_the_member)
{
	refused("{}", "scale: missing");
	refused("[]", "scale: missing");
	refused("{\"scale\":\"1\"}", "scale: an integer is wanted");
	refused("{\"scale\":0}", "scale: 0 is not within 1..100");
	refused("{\"scale\":101}", "scale: 101 is not within 1..100");
	refused("{\"scale\":1,\"title\":1}", "title: a string is wanted");
	refused("{\"scale\":1,\"title\":null}", "title: missing");
	refused("{\"scale\":1,\"title\":\"\",\"remark\":[]}", "remark: a string is wanted");
	refused("{\"scale\":1,\"title\":\"\",\"dashed\":1}", "dashed: a boolean is wanted");
	refused("{\"scale\":1,\"title\":\"\",\"colour\":\"pink\"}",
		"colour: one of red, ... is wanted");
	refused("{\"scale\":1,\"title\":\"\",\"colour\":1}", "colour: one of red, ... is wanted");
}
END_TEST

START_TEST(a_complaint_about_an_element_says_which)
{
	refused("{\"scale\":1,\"title\":\"\",\"colour\":\"red\",\"dots\":{}}",
		"dots: an array is wanted");
	refused("{\"scale\":1,\"title\":\"\",\"colour\":\"red\",\"dots\":[{\"x\":1,\"name\":\"\"},{}]}",
		"dots[1].x: missing");
	refused("{\"scale\":1,\"title\":\"\",\"colour\":\"red\",\"dots\":[5]}",
		"dots[0].x: missing");
}
END_TEST

CHECK_MAIN("protocol/record",
	a_struct_is_written_and_read_back,
	what_is_optional_may_be_absent_or_null,
	prose_that_is_no_utf8_is_escaped_and_other_text_is_refused,
	a_list_with_a_bad_element_is_not_written,
	a_complaint_names_the_member,
	a_complaint_about_an_element_says_which)
