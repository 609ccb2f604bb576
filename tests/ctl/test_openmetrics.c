/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/openmetrics.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/canned.h"
#include "support/check_main.h"
#include "support/metrics_check.h"

static char *text;

static void
print(const json_t *reply, enum metrics_form form)
{
	size_t size;
	FILE *file = open_memstream(&text, &size);

	openmetrics_print(file, reply, form);
	fclose(file);
}

static void
expect_well(enum metrics_form form)
{
	const char *complaint = metrics_check(text, form == METRICS_PROMETHEUS);

	ck_assert_msg(complaint == NULL, "%s", complaint);
}

static bool
has(const char *line)
{
	return strstr(text, line) != NULL;
}

START_TEST(all_figures_are_told_in_both_forms)
{
	json_t *reply = canned(CANNED_STATS);

	print(reply, METRICS_OPENMETRICS);
	expect_well(METRICS_OPENMETRICS);
	ck_assert(has("bay_service_ready{service=\"square\"} 1\n"));
	ck_assert(has("\nbay_service_calls_total{service=\"square\"} 1000\n"));
	ck_assert(has("\nbay_service_cpu_seconds_total{service=\"square\"} 1.500000000\n"));
	ck_assert(has("# UNIT bay_service_memory_bytes bytes\nbay_service_memory_bytes{service=\"square\"} 65536\n"));
	ck_assert(has("\nbay_loop_cpu_seconds_total{cell=\"main\",loop=\"0\"} 2.500000000\n"));
	ck_assert(!has("counter"));
	free(text);
	print(reply, METRICS_PROMETHEUS);
	expect_well(METRICS_PROMETHEUS);
	ck_assert(has("# TYPE bay_service_calls_total counter\nbay_service_calls_total{service=\"square\"} 1000\n"));
	ck_assert(!has("# EOF") && !has("# UNIT"));
	free(text);
	json_decref(reply);
}
END_TEST

START_TEST(a_histogram_has_exact_bounds_and_ends_with_all)
{
	json_t *reply = canned(CANNED_STATS);

	print(reply, METRICS_OPENMETRICS);
	ck_assert(has("bay_service_handler_seconds_bucket{service=\"square\",le=\"0.000001023\"} 40\n"
		"bay_service_handler_seconds_bucket{service=\"square\",le=\"0.000002047\"} 60\n"));
	ck_assert(has("bay_service_handler_seconds_bucket{service=\"square\",le=\"+Inf\"} 60\n"
		"bay_service_handler_seconds_sum{service=\"square\"} 0.000090000\n"
		"bay_service_handler_seconds_count{service=\"square\"} 60\n"));
	free(text);
	json_decref(reply);
}
END_TEST

/* Nobody stands still while they are read; a cell may write anything. */
START_TEST(buckets_add_up_whatever_the_reply_says)
{
	json_t *reply = canned("{'services':[{'service':'a','total':{'buckets':[5,3,900,-7],'samples':9,"
		"'sum_ns':-4}}]}");

	print(reply, METRICS_OPENMETRICS);
	expect_well(METRICS_OPENMETRICS);
	ck_assert(has("bay_service_latency_seconds_count{service=\"a\"} 9\n"));
	free(text);
	json_decref(reply);
}
END_TEST

START_TEST(names_are_escaped)
{
	json_t *reply = json_pack("{s:[{s:s, s:i}]}", "services", "service", "a\"b\\c\nd", "calls", 3);

	print(reply, METRICS_OPENMETRICS);
	expect_well(METRICS_OPENMETRICS);
	ck_assert(has("bay_service_calls_total{service=\"a\\\"b\\\\c\\nd\"} 3\n"));
	free(text);
	json_decref(reply);
}
END_TEST

START_TEST(a_container_without_services_is_told_too)
{
	json_t *reply = json_object();

	print(reply, METRICS_OPENMETRICS);
	expect_well(METRICS_OPENMETRICS);
	free(text);
	json_decref(reply);
}
END_TEST

/* The check is worth something. */
START_TEST(what_is_wrong_is_found)
{
	static const char *const texts[] = {
		"", "# EOF", "a 1\n# EOF\n",
		"# HELP a x\n# TYPE a gauge\na 1\n",
		"# HELP a x\n# TYPE a gauge\na 1\na 1\n# EOF\n",
		"# HELP a x\n# TYPE a counter\na 1\n# EOF\n",
		"# HELP a_total x\n# TYPE a_total gauge\na_total 1\n# EOF\n",
		"# HELP a x\n# TYPE a gauge\nb 1\n# EOF\n",
		"# TYPE a gauge\n# HELP a x\na 1\n# EOF\n",
		"# HELP a x\n# TYPE a gauge\n# UNIT a bytes\na 1\n# EOF\n",
		"# HELP a x\n# TYPE a gauge\na{b=\"\\x\"} 1\n# EOF\n",
		"# HELP a x\n# TYPE a gauge\na{b=\"c} 1\n# EOF\n",
		"# HELP a x\n# TYPE a gauge\na nothing\n# EOF\n",
		"# HELP a x\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n# EOF\n",
		"# HELP a x\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_sum 1\na_count 2\n# EOF\n",
		"# HELP a x\n# TYPE a histogram\na_bucket{le=\"+Inf\"} 2\na_sum 1\na_count 1\n# EOF\n",
		"# HELP a x\na 1\n# EOF\nmore 1\n",
	};

	for (size_t i = 1; i < sizeof(texts) / sizeof(*texts); i++)
		ck_assert_msg(metrics_check(texts[i], false) != NULL, "%s", texts[i]);
	ck_assert_ptr_nonnull(metrics_check("# HELP a_total x\na_total 1\n", true));
	ck_assert_ptr_null(metrics_check("# HELP a_total x\n# TYPE a_total counter\na_total 1\n", true));
}
END_TEST

CHECK_MAIN("ctl/openmetrics",
	all_figures_are_told_in_both_forms,
	a_histogram_has_exact_bounds_and_ends_with_all,
	buckets_add_up_whatever_the_reply_says,
	names_are_escaped,
	a_container_without_services_is_told_too,
	what_is_wrong_is_found)
