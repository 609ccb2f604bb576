/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/silent_loops.h"

#include <string.h>

#include "base/buffer.h"
#include "base/status_page.h"
#include "base/text.h"
#include "master/master.h"
#include "master/supervisor.h"
#include "protocol/varlink.h"

/* NULL: it runs nobody's code that we know. */
static const struct master_service *
silent_loops_service(const struct master *master, uint32_t slot)
{
	return supervisor_by_slot(master->supervisor, slot);
}

json_t *
silent_loops_report(const struct master *master, const struct master_service *only)
{
	const struct status_page *page = supervisor_page(master->supervisor);
	json_t *loops = json_array();

	for (uint32_t loop = 0; page != NULL && loop < page->loops; loop++) {
		const struct master_service *service;
		struct status_loop_view view;
		int64_t held_ns;

		if (!status_page_loop_is_silent(page, loop, &view, &held_ns))
			continue;
		service = silent_loops_service(master, view.slot);
		if (only != NULL && service != only)
			continue;
		if (json_array_append_new(loops, json_pack("{s:I, s:s?, s:o, s:I}",
			"loop", (json_int_t)loop,
			"service", service != NULL ? service->config->name : NULL,
			"task", varlink_text(view.task),
			"held_ns", (json_int_t)held_ns)) != 0) {
			json_decref(loops);
			return NULL;
		}
	}
	return loops;
}

void
silent_loops_append(struct buffer *text, const struct master *master)
{
	const struct status_page *page = supervisor_page(master->supervisor);

	for (uint32_t loop = 0; page != NULL && loop < page->loops; loop++) {
		const struct master_service *service;
		struct status_loop_view view;
		int64_t held_ns;

		if (!status_page_loop_is_silent(page, loop, &view, &held_ns))
			continue;
		service = silent_loops_service(master, view.slot);
		/* Without memory the text goes without this hint. */
		if (!buffer_printf(text, " (loop %u hangs in service %s%s", (unsigned)loop,
			service != NULL ? service->config->name : "?",
			view.task[0] != '\0' ? ", task " : "") ||
		    !text_escape(text, view.task, strlen(view.task)) || !buffer_append_text(text, ")"))
			buffer_clear(text);
	}
}
