/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The task-local values of <bay/local.h>. The set of a task's values is shared with the
 * tasks that inherited it, and copied by whoever sets one; the values themselves are shared
 * by all sets that hold them.
 *
 *	task a --> set {user: ada, trace: 7} <-- task b
 *	                      |        |
 *	task c --> set {user: bob, trace: 7}
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <bay/local.h>

#include "base/alloc.h"
#include "base/log.h"
#include "runtime/await.h"
#include "runtime/task.h"
#include "runtime/task_extra.h"

struct bay_local {
	struct scheduler *scheduler;
	bay_local_destroy_fn *destroy;  /* or NULL */
	unsigned refs;                  /* the plugin, and each value */
	char name[32];
};

struct local_value {
	unsigned refs;                  /* sets that hold it */
	struct bay_local *local;
	void *value;
};

struct locals {
	unsigned refs;                  /* tasks */
	unsigned count;
	struct local_value *values[];   /* one of each local at most */
};

static void
local_unref(struct bay_local *local)
{
	if (--local->refs == 0)
		free(local);
}

static void
local_value_unref(struct local_value *value)
{
	struct bay_local *local = value->local;

	if (--value->refs > 0)
		return;
	if (local->destroy != NULL) {
		struct scheduler *here = local->scheduler;
		struct task_hush hush = task_hush_begin(here,
			here->current != NULL ? here->current->instance : here->hushed_for);

		local->destroy(value->value);
		task_hush_end(here, hush);
	}
	free(value);
	local_unref(local);
}

void
locals_unref(struct locals *locals)
{
	unsigned i;

	if (locals == NULL || --locals->refs > 0)
		return;
	for (i = 0; i < locals->count; i++)
		local_value_unref(locals->values[i]);
	free(locals);
}

struct locals *
locals_share(const struct task_extra *extra)
{
	if (extra->locals != NULL)
		extra->locals->refs++;
	return extra->locals;
}

static struct local_value *
locals_find(const struct task *task, const struct bay_local *local)
{
	struct locals *locals = task->extra != NULL ? task->extra->locals : NULL;
	unsigned i;

	for (i = 0; locals != NULL && i < locals->count; i++) {
		if (locals->values[i]->local == local)
			return locals->values[i];
	}
	return NULL;
}

/* A set with all values of the old one (or NULL) but this local's, and room for one more. */
static struct locals *
locals_copy_without(const struct locals *old, const struct bay_local *local)
{
	unsigned i, count = old != NULL ? old->count : 0;
	struct locals *copy = alloc_try(sizeof *copy + (count + 1) * sizeof copy->values[0]);

	if (copy == NULL)
		return NULL;
	copy->refs = 1;
	copy->count = 0;
	for (i = 0; i < count; i++) {
		if (old->values[i]->local == local)
			continue;
		old->values[i]->refs++;
		copy->values[copy->count++] = old->values[i];
	}
	return copy;
}

static struct local_value *
local_value_create(struct bay_local *local, void *value)
{
	struct local_value *made = alloc_try(sizeof *made);

	if (made == NULL)
		return NULL;
	made->refs = 1;
	made->local = local;
	made->value = value;
	local->refs++;
	return made;
}

/* --- public ------------------------------------------------------------------- */

struct bay_local *
bay_local_create(const char *name, bay_local_destroy_fn *destroy)
{
	struct bay_local *local;

	if (scheduler_here == NULL) {
		log_error(NULL, "bay_local_create was called on a thread that is no loop [misuse-thread]");
		return NULL;
	}
	local = alloc_try_zeroed(1, sizeof *local);
	if (local == NULL)
		return NULL;
	local->scheduler = scheduler_here;
	local->destroy = destroy;
	local->refs = 1;
	if (name != NULL)
		strncpy(local->name, name, sizeof local->name - 1);
	return local;
}

void
bay_local_destroy(struct bay_local *local)
{
	if (local != NULL)
		local_unref(local);
}

int
bay_local_set(struct bay_local *local, void *value)
{
	struct local_value *made = NULL;
	struct task_extra *extra;
	struct locals *locals, *old;

	if (!AWAIT_BEGIN("bay_local_set"))
		return BAY_INVALID;
	if (local == NULL || local->scheduler != scheduler_here) {
		log_error(task_subject(task_current()), "bay_local_set: %s [misuse-argument]",
			local == NULL ? "NULL was given" : "that local belongs to another loop");
		return BAY_INVALID;
	}
	extra = task_extra(task_current());
	old = extra->locals;
	locals = locals_copy_without(old, local);
	if (locals == NULL)
		return BAY_NO_MEMORY;
	if (value != NULL) {
		made = local_value_create(local, value);
		if (made == NULL) {
			locals_unref(locals);
			return BAY_NO_MEMORY;
		}
		locals->values[locals->count++] = made;
	}
	extra->locals = locals;
	locals_unref(old);
	return BAY_OK;
}

void *
bay_local_get(const struct bay_local *local)
{
	const struct scheduler *here = scheduler_here;
	const struct local_value *value;

	if (local == NULL || here == NULL || here->current == NULL || here->leaf != NULL)
		return NULL;
	value = locals_find(here->current, local);
	return value != NULL ? value->value : NULL;
}

const char *
bay_local_name(const struct bay_local *local)
{
	return local->name;
}
