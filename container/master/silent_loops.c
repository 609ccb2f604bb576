/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/silent_loops.h"

#include <string.h>

#include "base/buffer.h"
#include "base/status_page.h"
#include "base/text.h"
#include "master/master.h"
#include "master/master_cell.h"
#include "master/supervisor.h"
#include "protocol/varlink.h"

struct silent_loop {
	const struct master_cell *cell;
	uint32_t loop;
	const struct master_service *service; /* NULL: it runs nobody's code that we know */
	struct status_loop_view view;
	int64_t held_ns;
};

/* Finds the next one from the loop *next of the cell on, and moves that behind it. False: there
 * is none. */
static bool
silent_loops_next(const struct supervisor *supervisor, const struct master_cell *cell, uint32_t *next,
	struct silent_loop *silent_r)
{
	const struct status_page *page = master_cell_page(cell);

	while (page != NULL && *next < page->loops) {
		silent_r->cell = cell;
		silent_r->loop = (*next)++;
		if (!status_page_loop_is_silent(page, silent_r->loop, &silent_r->view, &silent_r->held_ns))
			continue;
		silent_r->service = supervisor_by_slot(supervisor, silent_r->view.slot);
		return true;
	}
	return false;
}

static bool
silent_loops_add(json_t *loops, const struct silent_loop *silent)
{
	return json_array_append_new(loops, json_pack("{s:s, s:I, s:s?, s:o, s:I}",
		"cell", master_cell_name(silent->cell),
		"loop", (json_int_t)silent->loop,
		"service", silent->service != NULL ? silent->service->config->name : NULL,
		"task", varlink_text(silent->view.task),
		"held_ns", (json_int_t)silent->held_ns)) == 0;
}

bool
silent_loops_report_cell(const struct master *master, const struct master_cell *cell,
	const struct master_service *only, json_t *loops)
{
	struct silent_loop silent;
	uint32_t next = 0;

	while (silent_loops_next(master->supervisor, cell, &next, &silent)) {
		if ((only == NULL || silent.service == only) && !silent_loops_add(loops, &silent))
			return false;
	}
	return true;
}

json_t *
silent_loops_report(const struct master *master, const struct master_service *only)
{
	json_t *loops = json_array();

	for (size_t i = 0; i < supervisor_cell_count(master->supervisor); i++) {
		if (silent_loops_report_cell(master, supervisor_cell(master->supervisor, i), only, loops))
			continue;
		json_decref(loops);
		return NULL;
	}
	return loops;
}

void
silent_loops_append(struct buffer *text, const struct supervisor *supervisor,
	const struct master_cell *cell)
{
	struct silent_loop silent;
	size_t whole = text->size;
	uint32_t next = 0;

	while (silent_loops_next(supervisor, cell, &next, &silent)) {
		if (!buffer_printf(text, " (loop %u hangs in service %s%s", (unsigned)silent.loop,
			silent.service != NULL ? silent.service->config->name : "?",
			silent.view.task[0] != '\0' ? ", task " : "") ||
		    !text_escape(text, silent.view.task, strlen(silent.view.task)) ||
		    !buffer_append_text(text, ")") || buffer_text(text) == NULL) {
			/* Without memory the text goes without this hint, and has room for its end. */
			text->size = whole;
			return;
		}
		whole = text->size;
	}
}
