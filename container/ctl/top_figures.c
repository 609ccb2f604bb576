/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/top_figures.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ctl/print.h"

const struct top_order top_orders[] = {
	{"cpu", 'c', "cpu_percent"},
	{"calls", 'r', "calls_per_s"},
	{"failed", 'f', "failed_per_s"},
	{"tasks", 't', "tasks"},
	{"queue", 'w', "queue"},
	{"latency", 'l', "latency_p99_ns"},
	{"memory", 'm', "memory_bytes"},
	{"name", 'n', NULL},
	{NULL, 0, NULL}
};

const struct top_order *
top_order_find(const char *word)
{
	for (const struct top_order *order = top_orders; order->word != NULL; order++)
		if (strcmp(order->word, word) == 0)
			return order;
	return NULL;
}

const struct top_order *
top_order_of_key(int key)
{
	for (const struct top_order *order = top_orders; order->word != NULL; order++)
		if (order->key == key)
			return order;
	return NULL;
}

/* --- differences ------------------------------------------------------------------------- */

/* How much it has gone up. */
static int64_t
top_more(const json_t *before, const json_t *now, const char *member)
{
	int64_t more = view_int(now, member) - view_int(before, member);

	return more >= 0 ? more : view_int(now, member);
}

static double
top_per_second(int64_t count, int64_t interval_ns)
{
	return interval_ns > 0 ? (double)count * CLOCK_NS_PER_S / (double)interval_ns : 0;
}

static double
top_percent(int64_t had_ns, int64_t interval_ns)
{
	return interval_ns > 0 ? 100.0 * (double)had_ns / (double)interval_ns : 0;
}

static int64_t
top_bucket(const json_t *durations, size_t i)
{
	return json_integer_value(json_array_get(json_object_get(durations, "buckets"), i));
}

/* What 99 of 100 have not exceeded since, between the bounds of its bucket as if they were spread
 * evenly there: bucket i has what took less than 2^(10 + i) ns. Null: there were none. */
static json_t *
top_p99(const json_t *before, const json_t *now)
{
	size_t count = json_array_size(json_object_get(now, "buckets"));
	int64_t all = view_int(now, "samples") - view_int(before, "samples");
	int64_t below = 0;
	double wanted;

	if (all < 0) {
		before = NULL;
		all = view_int(now, "samples");
	}
	if (all <= 0)
		return json_null();
	wanted = 0.99 * (double)all;
	for (size_t i = 0; i < count && i + 10 < 63; i++) {
		int64_t seen = top_bucket(now, i) - top_bucket(before, i);
		double first = i > 0 ? (double)(INT64_C(1) << (i + 9)) : 0;
		double last = (double)(INT64_C(1) << (i + 10));

		if ((double)seen >= wanted && seen > below)
			return json_integer((json_int_t)(first + (last - first) * (wanted - (double)below) /
				(double)(seen - below)));
		below = seen;
	}
	return json_integer((json_int_t)view_int(now, "max_ns"));
}

/* --- rows ---------------------------------------------------------------------------------- */

/* The one of the array with these members; NULL: there was none. */
static const json_t *
top_find(const json_t *array, const json_t *like, const char *text, const char *number)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *one = json_array_get(array, i);

		if (strcmp(view_text(one, text), view_text(like, text)) == 0 &&
			(number == NULL || view_int(one, number) == view_int(like, number)))
			return one;
	}
	return NULL;
}

static json_t *
top_service(const json_t *before, const json_t *now, int64_t interval_ns)
{
	return json_pack("{s:O?, s:O?, s:O?, s:f, s:f, s:f, s:I, s:I, s:o, s:I}",
		"service", json_object_get(now, "service"),
		"state", json_object_get(now, "state"),
		"cell", json_object_get(now, "cell"),
		"cpu_percent", top_percent(top_more(before, now, "cpu_ns"), interval_ns),
		"calls_per_s", top_per_second(top_more(before, now, "calls"), interval_ns),
		"failed_per_s", top_per_second(top_more(before, now, "failed"), interval_ns),
		"tasks", (json_int_t)view_int(now, "tasks"),
		"queue", (json_int_t)view_int(now, "queue"),
		"latency_p99_ns", top_p99(json_object_get(before, "total"), json_object_get(now, "total")),
		"memory_bytes", (json_int_t)(view_int(now, "memory_bytes") + view_int(now, "queue_bytes")));
}

static json_t *
top_loop(const json_t *before, const json_t *now, int64_t interval_ns)
{
	return json_pack("{s:O?, s:O?, s:f, s:o}",
		"cell", json_object_get(now, "cell"),
		"loop", json_object_get(now, "loop"),
		"cpu_percent", top_percent(top_more(before, now, "cpu_ns"), interval_ns),
		"lag_p99_ns", top_p99(json_object_get(before, "lag"), json_object_get(now, "lag")));
}

/* --- order ---------------------------------------------------------------------------------- */

struct top_row {
	json_t *figures;
	double value;
};

static int
top_compare(const void *a, const void *b)
{
	const struct top_row *left = a;
	const struct top_row *right = b;

	if (left->value != right->value)
		return left->value < right->value ? 1 : -1;
	return strcmp(view_text(left->figures, "service"), view_text(right->figures, "service"));
}

static json_t *
top_sorted(const json_t *before, const json_t *now, int64_t interval_ns, const struct top_order *order)
{
	size_t count = json_array_size(now);
	struct top_row *rows = xcalloc(count + 1, sizeof(*rows));
	json_t *sorted = json_array();

	for (size_t i = 0; i < count; i++) {
		const json_t *service = json_array_get(now, i);

		rows[i].figures = top_service(top_find(before, service, "service", NULL), service, interval_ns);
		if (order->member != NULL)
			rows[i].value = json_number_value(json_object_get(rows[i].figures, order->member));
	}
	qsort(rows, count, sizeof(*rows), top_compare);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(sorted, rows[i].figures);
	free(rows);
	return sorted;
}

json_t *
top_figures(const json_t *before, const json_t *now, int64_t interval_ns, const struct top_order *order)
{
	const json_t *loops = json_object_get(now, "loops");
	const json_t *loops_before = json_object_get(before, "loops");
	json_t *rows = json_array();

	for (size_t i = 0; i < json_array_size(loops); i++) {
		const json_t *loop = json_array_get(loops, i);

		json_array_append_new(rows, top_loop(top_find(loops_before, loop, "cell", "loop"), loop, interval_ns));
	}
	return json_pack("{s:I, s:o, s:o}", "interval_ns", (json_int_t)interval_ns,
		"services", top_sorted(json_object_get(before, "services"), json_object_get(now, "services"),
			interval_ns, order),
		"loops", rows);
}
