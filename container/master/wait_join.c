/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/wait_join.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/wait_graph.h"
#include "base/wait_text.h"
#include "protocol/varlink.h"

enum {
	JOIN_ROWS_MAX = 4096, /* of a kind, of a cell: an honest one tells half of that at most */
	JOIN_MARKS_MAX = 256, /* tasks whose circles are told, and circles that are */
	JOIN_NAME_MAX = 200   /* bytes of a name of theirs */
};

/* A node of a cell. In the graph its number is its place + 1. */
struct join_node {
	const char *cell; /* a key of cells */
	char *text;       /* for people, or NULL */
	char *service;    /* whose it is, or NULL */
};

/* A node that another leads to, once what is called so is known. */
struct join_end {
	char *key;
	uint64_t node;
};

struct join_ends {
	struct join_end *rows;
	size_t count;
};

struct wait_join {
	wait_owns_fn *owns;
	const void *owns_arg;
	struct map *cells;   /* that have told something; NAME -> its key */
	struct map *places;  /* "CELL/NODE" -> our number of it */
	struct map *sent;    /* "EPOCH/ID/TO" -> that of the request with the sender */
	struct map *queues;  /* SERVICE -> that of its queue */
	struct join_ends served; /* by the keys of sent: the same request over there */
	struct join_ends unsent; /* by those of queues */
	struct join_node *nodes;
	size_t count;
	struct wait_edges first;
	struct wait_edges again;
	bool met; /* the cells' edges have been joined */
};

struct wait_join *
wait_join_create(wait_owns_fn *owns, const void *arg)
{
	struct wait_join *join = xcalloc(1, sizeof(*join));

	join->owns = owns;
	join->owns_arg = arg;
	join->cells = map_create();
	join->places = map_create();
	join->sent = map_create();
	join->queues = map_create();
	return join;
}

static void
join_ends_finish(struct join_ends *ends)
{
	for (size_t i = 0; i < ends->count; i++)
		free(ends->rows[i].key);
	free(ends->rows);
}

void
wait_join_destroy(struct wait_join *join)
{
	if (join == NULL)
		return;
	for (size_t i = 0; i < join->count; i++) {
		free(join->nodes[i].text);
		free(join->nodes[i].service);
	}
	free(join->nodes);
	join_ends_finish(&join->served);
	join_ends_finish(&join->unsent);
	wait_edges_finish(&join->first);
	wait_edges_finish(&join->again);
	map_destroy(join->queues);
	map_destroy(join->sent);
	map_destroy(join->places);
	map_destroy(join->cells);
	free(join);
}

/* --- what a cell says ----------------------------------------------------------------- */

static uint64_t
join_number(const struct map *map, const char *key)
{
	return (uint64_t)(uintptr_t)map_get(map, key);
}

/* Takes the key. */
static void
join_set(struct map *map, char *key, uint64_t node)
{
	map_put(map, key, (void *)(uintptr_t)node);
	free(key);
}

static const char *
join_cell(struct wait_join *join, const char *cell)
{
	const struct map_entry *entry;

	if (map_get(join->cells, cell) == NULL)
		map_put(join->cells, cell, join);
	map_for_each(entry, join->cells) {
		if (strcmp(entry->key, cell) == 0)
			return entry->key;
	}
	return NULL;
}

static uint64_t
join_node(struct wait_join *join, const char *cell, json_int_t node)
{
	char *key = xasprintf("%s/%" JSON_INTEGER_FORMAT, cell, node);
	uint64_t number = join_number(join->places, key);

	if (number == 0) {
		join->nodes = xrealloc(join->nodes, join->count + 1, sizeof(*join->nodes));
		join->nodes[join->count++] = (struct join_node){.cell = cell};
		number = join->count;
		map_put(join->places, key, (void *)(uintptr_t)number);
	}
	free(key);
	return number;
}

static void
join_ends_add(struct join_ends *ends, char *key, uint64_t node)
{
	ends->rows = xrealloc(ends->rows, ends->count + 1, sizeof(*ends->rows));
	ends->rows[ends->count++] = (struct join_end){.key = key, .node = node};
}

static void
join_add_edges(struct wait_join *join, struct wait_edges *edges, const char *cell, const json_t *waits)
{
	const json_t *rows = json_object_get(waits, "edges");

	for (size_t i = 0; i < json_array_size(rows) && i < JOIN_ROWS_MAX; i++) {
		json_int_t from, to, serial;
		int any;

		if (json_unpack(json_array_get(rows, i), "[I, I, I, b]", &from, &to, &serial, &any) != 0)
			continue;
		wait_edges_add(edges, &(struct wait_edge){.from = join_node(join, cell, from),
			.to = join_node(join, cell, to), .serial = (uint32_t)serial, .any = any != 0});
	}
}

static void
join_add_name(struct wait_join *join, const char *cell, const json_t *row)
{
	struct join_node *node;
	const char *text;
	json_int_t of;
	uint64_t number;

	if (json_unpack((json_t *)row, "[I, s]", &of, &text) != 0)
		return;
	/* It may move the nodes. */
	number = join_node(join, cell, of);
	node = &join->nodes[number - 1];
	if (node->text == NULL)
		node->text = xasprintf("%.*s in cell %s", JOIN_NAME_MAX, text, cell);
}

static void
join_add_service(struct wait_join *join, const char *cell, const json_t *row)
{
	struct join_node *node;
	const char *service;
	json_int_t of;
	uint64_t number;

	if (json_unpack((json_t *)row, "[I, s]", &of, &service) != 0)
		return;
	number = join_node(join, cell, of);
	node = &join->nodes[number - 1];
	if (node->service == NULL)
		node->service = xstrdup(service);
}

static void
join_add_queue(struct wait_join *join, const char *cell, const json_t *row)
{
	const char *service;
	json_int_t of;

	if (json_unpack((json_t *)row, "[I, s]", &of, &service) == 0 && join->owns(cell, service, join->owns_arg))
		map_put(join->queues, service, (void *)(uintptr_t)join_node(join, cell, of));
}

static void
join_add_sent(struct wait_join *join, const char *cell, const json_t *row)
{
	json_int_t of, epoch, id;
	const char *to;

	if (json_unpack((json_t *)row, "[I, s, I, I]", &of, &to, &epoch, &id) == 0)
		join_set(join->sent, xasprintf("%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT "/%s", epoch, id, to),
			join_node(join, cell, of));
}

static void
join_add_unsent(struct wait_join *join, const char *cell, const json_t *row)
{
	const char *service;
	json_int_t of;

	if (json_unpack((json_t *)row, "[I, s]", &of, &service) == 0)
		join_ends_add(&join->unsent, xstrdup(service), join_node(join, cell, of));
}

static void
join_add_served(struct wait_join *join, const char *cell, const json_t *row)
{
	json_int_t of, epoch, id;

	if (json_unpack((json_t *)row, "[I, I, I]", &of, &epoch, &id) == 0)
		join_ends_add(&join->served,
			xasprintf("%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT "/%s", epoch, id, cell),
			join_node(join, cell, of));
}

void
wait_join_add(struct wait_join *join, const char *name, const json_t *waits)
{
	static const struct {
		const char *rows;
		void (*add)(struct wait_join *join, const char *cell, const json_t *row);
	} kinds[] = {
		{"names", join_add_name},
		{"services", join_add_service},
		{"queues", join_add_queue},
		{"sent", join_add_sent},
		{"unsent", join_add_unsent},
		{"served", join_add_served},
	};
	const char *cell;

	if (waits == NULL)
		return;
	cell = join_cell(join, name);
	join_add_edges(join, &join->first, cell, waits);
	for (size_t kind = 0; kind < sizeof(kinds) / sizeof(*kinds); kind++) {
		const json_t *rows = json_object_get(waits, kinds[kind].rows);

		for (size_t i = 0; i < json_array_size(rows) && i < JOIN_ROWS_MAX; i++)
			kinds[kind].add(join, cell, json_array_get(rows, i));
	}
}

void
wait_join_add_again(struct wait_join *join, const char *cell, const json_t *waits)
{
	if (waits != NULL)
		join_add_edges(join, &join->again, join_cell(join, cell), waits);
}

bool
wait_join_has(const struct wait_join *join, const char *cell)
{
	return map_get(join->cells, cell) != NULL;
}

/* --- the whole ------------------------------------------------------------------------------ */

/* What was sent waits for the same request over there; what was not, for the queue there. */
static void
join_meet(struct wait_join *join)
{
	if (join->met)
		return;
	join->met = true;
	for (size_t i = 0; i < join->served.count; i++) {
		const struct join_end *end = &join->served.rows[i];
		uint64_t sent = join_number(join->sent, end->key);

		if (sent != 0)
			wait_edges_add(&join->first, &(struct wait_edge){.from = sent, .to = end->node});
	}
	for (size_t i = 0; i < join->unsent.count; i++) {
		const struct join_end *end = &join->unsent.rows[i];
		uint64_t queue = join_number(join->queues, end->key);

		if (queue != 0)
			wait_edges_add(&join->first, &(struct wait_edge){.from = end->node, .to = queue});
	}
}

bool
wait_join_is_stuck(struct wait_join *join)
{
	struct wait_graph *graph;
	bool stuck;

	join_meet(join);
	graph = wait_graph_create(&join->first);
	stuck = wait_graph_dead(graph) > 0;
	wait_graph_destroy(graph);
	return stuck;
}

/* "task 9 a (b) in cell main". */
static char *
join_name(uint64_t node, const void *arg)
{
	const struct wait_join *join = arg;
	const char *text = join->nodes[node - 1].text;

	return text != NULL ? xstrdup(text) : NULL;
}

/* Our number of a task; 0: it waits for nothing that matters here. */
static uint64_t
join_find_task(const struct wait_join *join, const json_t *task)
{
	const char *cell = json_string_value(json_object_get(task, "cell"));
	uint64_t node = wait_task_node((unsigned)json_integer_value(json_object_get(task, "loop")),
		(uint64_t)json_integer_value(json_object_get(task, "id")));
	char *key = xasprintf("%s/%" JSON_INTEGER_FORMAT, cell != NULL ? cell : "", (json_int_t)node);
	uint64_t number = join_number(join->places, key);

	free(key);
	return number;
}

/* Of what was there both times. */
static struct wait_graph *
join_confirmed_graph(struct wait_join *join)
{
	join_meet(join);
	wait_edges_keep(&join->first, &join->again);
	return wait_graph_create(&join->first);
}

void
wait_join_mark(struct wait_join *join, json_t *tasks)
{
	struct wait_graph *graph = join_confirmed_graph(join);
	size_t marks = 0;

	for (size_t i = 0; i < json_array_size(tasks) && marks < JOIN_MARKS_MAX && wait_graph_dead(graph) > 0; i++) {
		json_t *task = json_array_get(tasks, i);
		uint64_t *circle;
		size_t length;
		char *text;

		if (json_object_get(task, "deadlock") != NULL)
			continue;
		circle = wait_graph_circle(graph, join_find_task(join, task), &length);
		if (circle == NULL)
			continue;
		marks++;
		text = wait_text_of_circle(circle, length, join_name, join);
		json_object_set_new(task, "deadlock", varlink_text(text));
		free(text);
		free(circle);
	}
	wait_graph_destroy(graph);
}

static char *
join_member_key(const struct wait_member *member)
{
	return xasprintf("%s/%s", member->cell, member->service);
}

/* Whether there is one that is not in told yet. */
static bool
join_is_news(const struct wait_member *member, const struct map *told)
{
	char *key;
	bool news;

	if (member->service == NULL)
		return false;
	key = join_member_key(member);
	news = map_get(told, key) == NULL;
	free(key);
	return news;
}

/* Tells of a circle, if it goes through several cells. False: it does not. */
static bool
join_tell_circle(struct wait_join *join, const uint64_t *circle, size_t length, struct map *told, wait_circle_fn *fn,
	void *arg)
{
	struct wait_member *members = xcalloc(length, sizeof(*members));
	bool several = false;
	char *text;

	for (size_t i = 0; i < length; i++) {
		const struct join_node *node = &join->nodes[circle[i] - 1];

		members[i] = (struct wait_member){.cell = node->cell, .service = node->service};
		several |= node->cell != members[0].cell;
	}
	for (size_t i = 0; i < length && several; i++) {
		char *key = members[i].service != NULL ? join_member_key(&members[i]) : NULL;

		if (key != NULL)
			map_put(told, key, join);
		free(key);
	}
	if (several) {
		text = wait_text_of_circle(circle, length, join_name, join);
		fn(members, length, text, arg);
		free(text);
	}
	free(members);
	return several;
}

bool
wait_join_circles(struct wait_join *join, wait_circle_fn *fn, void *arg)
{
	struct wait_graph *graph = join_confirmed_graph(join);
	struct map *told = map_create();
	size_t circles = 0;
	bool all;

	for (size_t i = 0; i < join->count && circles < JOIN_MARKS_MAX && wait_graph_dead(graph) > 0; i++) {
		const struct wait_member member = {.cell = join->nodes[i].cell, .service = join->nodes[i].service};
		uint64_t *circle;
		size_t length;

		if (!join_is_news(&member, told))
			continue;
		circle = wait_graph_circle(graph, i + 1, &length);
		if (circle != NULL)
			circles += join_tell_circle(join, circle, length, told, fn, arg);
		free(circle);
	}
	all = circles < JOIN_MARKS_MAX && !wait_graph_gave_up(graph) && !join->first.too_many;
	map_destroy(told);
	wait_graph_destroy(graph);
	return all;
}
