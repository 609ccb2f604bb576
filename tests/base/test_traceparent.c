/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/traceparent.h"

#include <string.h>

#include "support/check_main.h"

#define ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

static bool
parse(const char *text, struct traceparent *header_r)
{
	return traceparent_parse(text, strlen(text), header_r);
}

START_TEST(a_header_is_read_and_printed)
{
	struct traceparent header;
	char text[TRACEPARENT_SIZE], id[TRACE_ID_SIZE], span[SPAN_ID_SIZE];

	ck_assert(parse("00-" ID "-" SPAN "-01", &header));
	ck_assert_uint_eq(header.id.high, UINT64_C(0x4bf92f3577b34da6));
	ck_assert_uint_eq(header.id.low, UINT64_C(0xa3ce929d0e0e4736));
	ck_assert_uint_eq(header.parent, UINT64_C(0x00f067aa0ba902b7));
	ck_assert_uint_eq(header.flags, TRACE_SAMPLED);
	traceparent_print(text, &header);
	ck_assert_str_eq(text, "00-" ID "-" SPAN "-01");
	trace_id_print(id, &header.id);
	ck_assert_str_eq(id, ID);
	span_id_print(span, header.parent);
	ck_assert_str_eq(span, SPAN);
}
END_TEST

START_TEST(the_bytes_need_no_end)
{
	struct traceparent header;
	char text[] = "00-" ID "-" SPAN "-00and something else";

	ck_assert(traceparent_parse(text, TRACEPARENT_SIZE - 1, &header));
	ck_assert(!traceparent_parse(text, TRACEPARENT_SIZE, &header));
	ck_assert(!traceparent_parse(text, TRACEPARENT_SIZE - 2, &header));
	ck_assert(!traceparent_parse(text, 0, &header));
}
END_TEST

/* Those of the test suite of the recommendation, and some more. */
static const char *const wrong[] = {
	"",
	"00",
	"00-" ID "-" SPAN,                                /* without flags */
	"00-" ID "-" SPAN "-",
	"00-" ID "-" SPAN "-1",
	"00-" ID "-" SPAN "-001",
	"00-" ID "-" SPAN "-01-",                         /* more than version 00 has */
	"00-" ID "-" SPAN "-01-what-the-future-will-be-like",
	"00-" ID "-" SPAN "-01.",
	"ff-" ID "-" SPAN "-01",                          /* no version */
	".0-" ID "-" SPAN "-01",
	"0.-" ID "-" SPAN "-01",
	"0-" ID "-" SPAN "-01",
	"000-" ID "-" SPAN "-01",
	"CC-" ID "-" SPAN "-01",
	"cc-" ID "-" SPAN "-01.what-the-future-will-be-like", /* no dash */
	"cc-" ID "-" SPAN "-01what",
	"00-00000000000000000000000000000000-" SPAN "-01", /* no trace */
	"00-" ID "-0000000000000000-01",                  /* no span */
	"00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01",
	"00-" ID "-00F067AA0BA902B7-01",
	"00-.bf92f3577b34da6a3ce929d0e0e4736-" SPAN "-01",
	"00-4bf92f3577b34da6a3ce929d0e0e473.-" SPAN "-01",
	"00-4bf92f3577b34da6a3ce929d0e0e473-" SPAN "-01",
	"00-4bf92f3577b34da6a3ce929d0e0e47361-" SPAN "-01",
	"00-" ID "-.0f067aa0ba902b7-01",
	"00-" ID "-00f067aa0ba902b.-01",
	"00-" ID "-00f067aa0ba902b-01",
	"00-" ID "-00f067aa0ba902b71-01",
	"00-" ID "-" SPAN "-.1",
	"00-" ID "-" SPAN "-0.",
	"00-" ID "-" SPAN "-0G",
	"00_" ID "-" SPAN "-01",
	"00-" ID "_" SPAN "-01",
	"00-" ID "-" SPAN "_01",
	" 00-" ID "-" SPAN "-01",
	"00-" ID "-" SPAN "-01 ",
};

START_TEST(what_is_no_header_is_refused_and_changes_nothing)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct traceparent header = {.parent = 7};

		ck_assert_msg(!parse(wrong[i], &header), "'%s'", wrong[i]);
		ck_assert(trace_id_is_none(&header.id) && header.parent == 7 && header.flags == 0);
	}
}
END_TEST

START_TEST(later_versions_are_read_as_far_as_they_are_known)
{
	struct traceparent header;
	char text[TRACEPARENT_SIZE];

	ck_assert(parse("cc-" ID "-" SPAN "-01", &header));
	ck_assert(parse("01-" ID "-" SPAN "-01-", &header));
	ck_assert(parse("cc-" ID "-" SPAN "-01-what-the-future-will-be-like", &header));
	traceparent_print(text, &header);
	ck_assert_str_eq(text, "00-" ID "-" SPAN "-01");
}
END_TEST

START_TEST(flags_that_nobody_knows_are_not_passed_on)
{
	struct traceparent header;
	char text[TRACEPARENT_SIZE];

	ck_assert(parse("00-" ID "-" SPAN "-ff", &header));
	ck_assert_uint_eq(header.flags, TRACE_SAMPLED);
	ck_assert(parse("00-" ID "-" SPAN "-fe", &header));
	ck_assert_uint_eq(header.flags, 0);
	header.flags = 0xff;
	traceparent_print(text, &header);
	ck_assert_str_eq(text + 53, "01");
}
END_TEST

START_TEST(half_of_an_id_may_be_zero)
{
	struct traceparent header;

	ck_assert(parse("00-0000000000000000a3ce929d0e0e4736-" SPAN "-01", &header));
	ck_assert(!trace_id_is_none(&header.id));
	ck_assert(parse("00-4bf92f3577b34da60000000000000000-" SPAN "-01", &header));
	ck_assert(!trace_id_is_none(&header.id));
}
END_TEST

START_TEST(an_id_is_read_as_it_is_printed)
{
	static const char *const bad[] = {"", "4bf92f3577b34da6a3ce929d0e0e473", "4bf92f3577b34da6a3ce929d0e0e47366",
		"4BF92F3577B34DA6A3CE929D0E0E4736", "00000000000000000000000000000000", "4bf92f3577b34da6-3ce929d0e0e4736"};
	struct trace_id id = {1, 2};
	char text[TRACE_ID_SIZE];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert(!trace_id_parse(bad[i], &id));
	ck_assert(id.high == 1 && id.low == 2);
	ck_assert(trace_id_parse("4bf92f3577b34da6a3ce929d0e0e4736", &id));
	trace_id_print(text, &id);
	ck_assert_str_eq(text, "4bf92f3577b34da6a3ce929d0e0e4736");
}
END_TEST

CHECK_MAIN("base/traceparent",
	a_header_is_read_and_printed,
	the_bytes_need_no_end,
	what_is_no_header_is_refused_and_changes_nothing,
	later_versions_are_read_as_far_as_they_are_known,
	flags_that_nobody_knows_are_not_passed_on,
	half_of_an_id_may_be_zero,
	an_id_is_read_as_it_is_printed)
