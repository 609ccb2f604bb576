/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ctl/table.h"

enum { SHOW_DEPTH_MAX = 64 };

void
show_silent_loops(struct print *print, const json_t *loops)
{
	char held[CLOCK_TEXT_SIZE];

	for (size_t i = 0; i < json_array_size(loops); i++) {
		const json_t *loop = json_array_get(loops, i);
		const char *service = view_text(loop, "service");
		const char *cell = view_text(loop, "cell");

		fprintf(print->file, "loop %" PRId64 " ", view_int(loop, "loop"));
		if (*cell != '\0' && strcmp(cell, "main") != 0) {
			fputs("of cell ", print->file);
			print_text(print, cell);
			fputc(' ', print->file);
		}
		fputs("does not answer", print->file);
		if (*service != '\0') {
			fputs(": it is busy in service ", print->file);
			print_styled(print, PRINT_BAD, service);
			if (*view_text(loop, "task") != '\0') {
				fputs(", task ", print->file);
				print_text(print, view_text(loop, "task"));
			}
		}
		if (view_int(loop, "held_ns") > 0) {
			clock_format_duration(held, sizeof(held), view_int(loop, "held_ns"));
			fprintf(print->file, ", for %s", held);
		}
		fputc('\n', print->file);
	}
}

static void
show_untold(struct print *print, const json_t *reply)
{
	size_t told = json_array_size(json_object_get(reply, "tasks"));
	int64_t total = view_int(reply, "total");

	if (total > (int64_t)told)
		fprintf(print->file, "... and %" PRId64 " more\n", total - (int64_t)told);
}

/* "canceled: deadline", "deadlock": who reads this asks why it is there. */
static char *
show_task_note(const json_t *task)
{
	const char *canceled = view_text(task, "canceled");
	bool dead = *view_text(task, "deadlock") != '\0';

	if (*canceled == '\0')
		return xstrdup(dead ? "deadlock" : "");
	return xasprintf("canceled: %s%s", canceled, dead ? ", deadlock" : "");
}

/* Whether one of the first tasks tells of the same circle, which begins with each of its own in
 * turn: "a -> b -> a" is "b -> a -> b". */
static bool
show_circle_is_told(const json_t *tasks, size_t first, const char *circle)
{
	for (size_t i = 0; i < first; i++) {
		const char *other = view_text(json_array_get(tasks, i), "deadlock");
		char *twice;
		bool same;

		if (strstr(other, " -> ") == NULL)
			continue;
		/* Twice around, all begins are in it. */
		twice = xasprintf("%s%s", other, strstr(other, " -> "));
		same = strstr(twice, circle) != NULL;
		free(twice);
		if (same)
			return true;
	}
	return false;
}

/* Each circle once. */
static void
show_deadlocks(struct print *print, const json_t *reply)
{
	const json_t *tasks = json_object_get(reply, "tasks");

	for (size_t i = 0; i < json_array_size(tasks); i++) {
		const char *circle = view_text(json_array_get(tasks, i), "deadlock");

		if (*circle == '\0' || show_circle_is_told(tasks, i, circle))
			continue;
		print_styled(print, PRINT_BAD, "deadlock");
		fputs(": ", print->file);
		print_text(print, circle);
		fputc('\n', print->file);
	}
}

static void
show_task_row(struct table *table, const json_t *task)
{
	char *note = show_task_note(task);

	table_int(table, view_int(task, "id"));
	table_text(table, PRINT_PLAIN, view_text(task, "service"));
	table_text(table, PRINT_PLAIN, view_text(task, "name"));
	table_int(table, view_int(task, "loop"));
	table_text(table, PRINT_PLAIN, view_text(task, "state"));
	table_text(table, PRINT_PLAIN, view_text(task, "waiting_on"));
	table_text(table, PRINT_PLAIN, view_text(task, "where"));
	table_duration(table, view_int(task, "age_ns"));
	table_size(table, view_int(task, "stack_used"));
	table_text(table, PRINT_BAD, note);
	free(note);
}

void
show_tasks(struct print *print, const json_t *reply, bool heading)
{
	static const struct table_column columns[] = {
		{"ID", TABLE_RIGHT}, {"SERVICE", TABLE_LEFT}, {"TASK", TABLE_LEFT},
		{"LOOP", TABLE_RIGHT | TABLE_USEFUL}, {"STATE", TABLE_LEFT | TABLE_USEFUL},
		{"WAITS-FOR", TABLE_LEFT}, {"WHERE", TABLE_LEFT}, {"AGE", TABLE_RIGHT},
		{"STACK", TABLE_RIGHT | TABLE_SPARE},
		{"NOTE", TABLE_LAST}};
	const json_t *tasks = json_object_get(reply, "tasks");
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));

	for (size_t i = 0; i < json_array_size(tasks); i++)
		show_task_row(table, json_array_get(tasks, i));
	table_print(table, print, heading);
	table_destroy(table);
	show_untold(print, reply);
	show_deadlocks(print, reply);
	show_silent_loops(print, json_object_get(reply, "silent_loops"));
}

/* --- the tree ---------------------------------------------------------------- */

/* All tasks, sorted by service, then parent, so that children lie side by side. */
struct show_node {
	const json_t *task;
	const char *service;
	int64_t id;
	int64_t parent;
	bool shown;
};

struct show_tree {
	struct print *print;
	struct show_node *nodes;
	size_t count;
	char prefix[SHOW_DEPTH_MAX * 8]; /* what stands before a line: bars of the levels above */
};

static int
show_compare(const void *a, const void *b)
{
	const struct show_node *x = a;
	const struct show_node *y = b;
	int order = strcmp(x->service, y->service);

	if (order != 0)
		return order;
	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* The first node of this service whose parent is not less. */
static size_t
show_find_children(const struct show_tree *tree, const char *service, int64_t parent)
{
	struct show_node wanted = {.service = service, .parent = parent, .id = INT64_MIN};
	size_t low = 0;
	size_t high = tree->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (show_compare(&tree->nodes[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
show_is_child(const struct show_tree *tree, size_t i, const char *service, int64_t parent)
{
	return i < tree->count && tree->nodes[i].parent == parent &&
		strcmp(tree->nodes[i].service, service) == 0;
}

static void
show_node_line(struct show_tree *tree, const struct show_node *node, const char *branch)
{
	struct print *print = tree->print;
	const char *waiting_on = view_text(node->task, "waiting_on");
	const char *where = view_text(node->task, "where");
	char age[CLOCK_TEXT_SIZE];
	char *note = show_task_note(node->task);

	fprintf(print->file, "%s%s%" PRId64 " ", tree->prefix, branch, node->id);
	print_text(print, view_text(node->task, "name"));
	fputs("  ", print->file);
	print_text(print, view_text(node->task, "state"));
	if (*waiting_on != '\0') {
		fputs(" for ", print->file);
		print_text(print, waiting_on);
	}
	if (*where != '\0') {
		fputs(" at ", print->file);
		print_text(print, where);
	}
	clock_format_duration(age, sizeof(age), view_int(node->task, "age_ns"));
	fprintf(print->file, ", %s%s", age, *note != '\0' ? ", " : "");
	print_styled(print, PRINT_BAD, note);
	fputc('\n', print->file);
	free(note);
}

static void show_children(struct show_tree *tree, const char *service, int64_t parent,
	unsigned depth);

static void
show_node(struct show_tree *tree, struct show_node *node, bool last, unsigned depth)
{
	bool utf8 = tree->print->utf8;
	size_t length = strlen(tree->prefix);
	const char *branch = last ? (utf8 ? "\xe2\x94\x94\xe2\x94\x80 " : "`- ") :
		(utf8 ? "\xe2\x94\x9c\xe2\x94\x80 " : "|- ");
	const char *bar = last ? "   " : utf8 ? "\xe2\x94\x82  " : "|  ";

	node->shown = true;
	show_node_line(tree, node, branch);
	/* A parent of 0 is none, and a task that is its own parent is a lie. */
	if (depth + 1 >= SHOW_DEPTH_MAX || node->id == 0)
		return;
	snprintf(tree->prefix + length, sizeof(tree->prefix) - length, "%s", bar);
	show_children(tree, node->service, node->id, depth + 1);
	tree->prefix[length] = '\0';
}

static void
show_children(struct show_tree *tree, const char *service, int64_t parent, unsigned depth)
{
	for (size_t i = show_find_children(tree, service, parent);
		show_is_child(tree, i, service, parent); i++)
		if (!tree->nodes[i].shown)
			show_node(tree, &tree->nodes[i], !show_is_child(tree, i + 1, service, parent),
				depth);
}

static void
show_service_tree(struct show_tree *tree, const char *service)
{
	print_text(tree->print, service);
	fputc('\n', tree->print->file);
	show_children(tree, service, 0, 0);
	/* What is left has a parent that was not told, or is nested too deeply. */
	for (size_t i = 0; i < tree->count; i++)
		if (!tree->nodes[i].shown && strcmp(tree->nodes[i].service, service) == 0)
			show_node(tree, &tree->nodes[i], true, 0);
}

void
show_task_tree(struct print *print, const json_t *reply)
{
	const json_t *tasks = json_object_get(reply, "tasks");
	struct show_tree tree = {.print = print, .count = json_array_size(tasks)};

	tree.nodes = xcalloc(tree.count, sizeof(*tree.nodes));
	for (size_t i = 0; i < tree.count; i++) {
		const json_t *task = json_array_get(tasks, i);

		tree.nodes[i] = (struct show_node){.task = task,
			.service = view_text(task, "service"), .id = view_int(task, "id"),
			.parent = view_int(task, "parent")};
	}
	qsort(tree.nodes, tree.count, sizeof(*tree.nodes), show_compare);
	for (size_t i = 0; i < tree.count; i++)
		if (i == 0 || strcmp(tree.nodes[i].service, tree.nodes[i - 1].service) != 0)
			show_service_tree(&tree, tree.nodes[i].service);
	free(tree.nodes);
	show_untold(print, reply);
	show_deadlocks(print, reply);
	show_silent_loops(print, json_object_get(reply, "silent_loops"));
}
