/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/obituary.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/buffer.h"
#include "base/code.h"
#include "base/text.h"

char *
obituary_how(int status, char *buf, size_t size)
{
	if (status != -1 && WIFSIGNALED(status)) {
		const char *name = sigabbrev_np(WTERMSIG(status));

		if (WTERMSIG(status) == SIGKILL)
			snprintf(buf, size, "was killed by SIGKILL");
		else if (name != NULL)
			snprintf(buf, size, "crashed: SIG%s", name);
		else
			snprintf(buf, size, "crashed: signal %d", WTERMSIG(status));
	} else if (status != -1 && WIFEXITED(status)) {
		snprintf(buf, size, "ended the process with exit code %d", WEXITSTATUS(status));
	} else {
		snprintf(buf, size, "ended in an unknown way");
	}
	return buf;
}

static bool
obituary_loop_is_in_init(const struct status_page *page, uint32_t loop, uint32_t slot)
{
	struct status_loop_view view;

	if (loop >= page->loops)
		return false;
	status_page_read_loop(page, loop, &view);
	return view.phase == STATUS_PHASE_INIT && (view.slot == slot || view.slot == STATUS_NO_SLOT);
}

/* What the crash handler found out may have a code. */
static void
obituary_set_where(struct obituary *obituary, const char *text)
{
	const struct code *code;
	size_t length = code_split(text, &code);

	snprintf(obituary->where, sizeof(obituary->where), "%.*s", (int)length, text);
	if (code != NULL)
		obituary->code = code->slug;
}

/* The task's name was chosen by a plugin: it is shown escaped. */
static void
obituary_describe_crash(struct obituary *obituary, const struct status_crash_view *crash)
{
	struct buffer text = {0};
	bool told = true;

	if (crash->address != 0 || crash->signal == SIGSEGV || crash->signal == SIGBUS)
		told = buffer_printf(&text, " at address 0x%" PRIx64, crash->address);
	if (crash->task[0] != '\0')
		told = told && buffer_append_text(&text, " in task ") &&
			text_escape(&text, crash->task, strlen(crash->task));
	if (crash->text[0] != '\0')
		told = told && buffer_append_text(&text, ": ") &&
			text_escape(&text, crash->text, strlen(crash->text));
	if (told && text.size > 0)
		obituary_set_where(obituary, buffer_text(&text));
	buffer_finish(&text);
}

static void
obituary_blame_by_crash(struct obituary *obituary, const struct status_page *page,
	const struct status_crash_view *crash)
{
	uint32_t loading = status_page_loading(page);

	/* The crash handler leaves that only if the thread that crashed did the loading. */
	obituary->culprit = crash->slot != STATUS_NO_SLOT ? crash->slot : loading;
	obituary->in_load = crash->slot == STATUS_NO_SLOT && loading != STATUS_NO_SLOT;
	obituary->in_init = crash->slot != STATUS_NO_SLOT &&
		obituary_loop_is_in_init(page, crash->loop, crash->slot);
	obituary_describe_crash(obituary, crash);
}

/* Without a crash record: the one service that ran, or was in its init, at the end. */
static void
obituary_blame_by_loops(struct obituary *obituary, const struct status_page *page)
{
	uint32_t running = STATUS_NO_SLOT;
	uint32_t starting = STATUS_NO_SLOT;
	unsigned running_count = 0;
	unsigned starting_count = 0;
	uint32_t loading = status_page_loading(page);

	if (loading != STATUS_NO_SLOT) {
		starting = loading;
		starting_count++;
	}

	for (uint32_t loop = 0; loop < page->loops; loop++) {
		struct status_loop_view view;

		status_page_read_loop(page, loop, &view);
		if (view.slot == STATUS_NO_SLOT)
			continue;
		if (view.phase == STATUS_PHASE_INIT && view.slot != starting) {
			starting = view.slot;
			starting_count++;
		}
		if (view.phase == STATUS_PHASE_RUN && view.slot != running) {
			running = view.slot;
			running_count++;
		}
	}
	if (starting_count == 1) {
		obituary->culprit = starting;
		obituary->in_load = starting == loading;
		obituary->in_init = !obituary->in_load;
	} else if (starting_count == 0 && running_count == 1) {
		obituary->culprit = running;
	}
}

void
obituary_write(struct obituary *obituary, const struct status_page *page, int status)
{
	struct status_crash_view crash;

	*obituary = (struct obituary){.culprit = STATUS_NO_SLOT,
		.code = status != -1 && WIFEXITED(status) ? "cell-exit" : "cell-crash"};
	obituary_how(status, obituary->how, sizeof(obituary->how));
	if (status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return;
	if (status_page_read_crash(page, &crash))
		obituary_blame_by_crash(obituary, page, &crash);
	else
		obituary_blame_by_loops(obituary, page);
}
