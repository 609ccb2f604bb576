/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/host_code.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fd.h"
#include "base/list.h"
#include "base/log.h"
#include "base/status_page.h"
#include "cell/crash.h"
#include "cell/crash_frames.h"
#include "cell/loader.h"
#include "loop/loop.h"
#include "loop/signals.h"
#include "protocol/cell_link.h"
#include "service/plugin.h"
#include "service/settings.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

void
host_code_init(struct host_code *code, const struct cell_start *start, int image, const char *subject,
	struct loop *control, struct loader *loader)
{
	size_t i;

	memset(code, 0, sizeof *code);
	code->_control = control;
	code->_loader = loader;
	code->_subject = subject;
	code->_slot = (uint32_t)start->slot;
	code->_fd = image;
	code->_name = xstrdup(start->image != NULL ? start->image : "");
	code->_image = image >= 0 ? xasprintf("/proc/self/fd/%d", image) : xstrdup(code->_name);
	code->_sha256 = start->sha256 != NULL ? xstrdup(start->sha256) : NULL;
	code->_origin = start->origin != NULL ? xstrdup(start->origin) : NULL;
	code->_values = xcalloc(start->setting_count + 1, sizeof code->_values[0]);
	code->_value_count = start->setting_count;
	for (i = 0; i < start->setting_count; i++) {
		code->_values[i].key = xstrdup(start->settings[i].key);
		code->_values[i].value = xstrdup(start->settings[i].value);
	}
}

void
host_code_adopt(struct host_code *code, const struct bay_plugin *descriptor)
{
	code->_adopted = descriptor;
}

void
host_code_finish(struct host_code *code)
{
	size_t i;

	for (i = 0; i < code->_value_count; i++) {
		free((char *)code->_values[i].key);
		free((char *)code->_values[i].value);
	}
	free(code->_values);
	fd_close(&code->_fd);
	free(code->_name);
	free(code->_image);
	free(code->_sha256);
	free(code->_origin);
	free(code->error);
	free(code->lingers);
}

const char *
host_code_image(const struct host_code *code)
{
	return code->_name;
}

/* --- there and back ------------------------------------------------------------------- */

static void
host_code_on_answer(struct inbox_item *item)
{
	struct host_code *code = container_of(item, struct host_code, _item);

	code->_done(code);
}

/* On the loader thread: the step is done. */
static void
host_code_answer(struct host_code *code)
{
	code->_item.run = host_code_on_answer;
	loop_post(code->_control, &code->_item);
}

static void
host_code_send(struct host_code *code, inbox_fn *step, host_code_done_fn *done)
{
	code->_done = done;
	code->_item.run = step;
	loader_post(code->_loader, &code->_item);
}

/* --- whose code it is -------------------------------------------------------------------- */

/* What a constructor or destructor does to the process, its service has done. */
static uid_t
host_code_enter(const struct host_code *code)
{
	crash_set_loading(code->_slot);
	return geteuid();
}

/* They may have changed what all services share. */
static void
host_code_leave(const struct host_code *code, uid_t user)
{
	int number = crash_handle_again();

	/* The page says whose code did it. */
	if (geteuid() != user) {
		log_error(code->_subject, "its code made the cell user %u instead of %u: it cannot go on so [misuse-container]",
			(unsigned)geteuid(), (unsigned)user);
		_exit(EXIT_FAILURE);
	}
	signals_ignore_sigpipe();
	crash_set_loading(STATUS_NO_SLOT);
	if (number != 0)
		log_warn(code->_subject, "its code took the handler of signal %d (%s), which is the cell's: it "
			"is put back", number, strsignal(number));
}

/* --- load ------------------------------------------------------------------------------- */

char *
host_code_complaint(const struct settings_report *report)
{
	return xasprintf("setting %s: %s [config-setting]", report->items[0].key, report->items[0].text);
}

static bool
host_code_open(struct host_code *code, struct buffer *error)
{
	if (code->_adopted != NULL)
		return plugin_adopt(code->_adopted, &code->plugin, error);
	return plugin_open(code->_image, code->_sha256, code->_origin, &code->plugin, error);
}

static int
host_code_create_memory(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_EXEC);

	/* Linux before 6.3 does not know MFD_EXEC and does not need it. */
	return fd >= 0 || errno != EINVAL ? fd : memfd_create(name, MFD_CLOEXEC);
}

/* The dynamic loader knows a file again by its number, whatever its name is: so a second one is
 * made, and loaded by its descriptor. What it holds is checked as any image is. */
static bool
host_code_copy(struct host_code *code, struct buffer *error)
{
	int from = open(code->_image, O_RDONLY | O_CLOEXEC);
	int to = from >= 0 ? host_code_create_memory(code->_subject) : -1;
	ssize_t n = -1;

	while (to >= 0 && (n = sendfile(to, from, NULL, 1 << 20)) > 0)
		continue;
	if (n < 0)
		(void)buffer_fail(error, "its image cannot be copied into memory: %s", strerror(errno));
	fd_close(&from);
	if (n < 0) {
		fd_close(&to);
		return false;
	}
	fd_close(&code->_fd);
	free(code->_image);
	code->_fd = to;
	code->_image = xasprintf("/proc/self/fd/%d", to);
	return true;
}

/* On the loader thread. */
static void
host_code_on_load(struct inbox_item *item)
{
	struct host_code *code = container_of(item, struct host_code, _item);
	struct settings_report report = {0};
	struct buffer error = {0};
	uid_t user = host_code_enter(code);

	if ((code->_apart && !host_code_copy(code, &error)) || !host_code_open(code, &error))
		code->error = xstrndup((const char *)error.data, error.size);
	else if (!settings_create(code->plugin->descriptor.settings, code->_values, code->_value_count,
			&code->settings, &report))
		code->error = host_code_complaint(&report);
	if (code->plugin != NULL)
		crash_frames_add(code->plugin->descriptor.name, code->_slot);
	crash_see_objects();
	host_code_leave(code, user);
	settings_report_finish(&report);
	buffer_finish(&error);
	host_code_answer(code);
}

/* It shares with nobody. Done here: the names of others are compared with it at any time. */
static void
host_code_set_apart(struct host_code *code)
{
	static uint64_t copies;
	char *name = xasprintf("%s, copy %" PRIu64, code->_name, ++copies);

	free(code->_name);
	code->_name = name;
	code->_apart = true;
}

void
host_code_load(struct host_code *code, bool apart, host_code_done_fn *done)
{
	if (apart)
		host_code_set_apart(code);
	host_code_send(code, host_code_on_load, done);
}

/* --- unload ------------------------------------------------------------------------------- */

/* On the loader thread. */
static void
host_code_on_unload(struct inbox_item *item)
{
	struct host_code *code = container_of(item, struct host_code, _item);
	struct buffer reason = {0};
	uid_t user = host_code_enter(code);
	const char *inside = code->plugin != NULL ? code->plugin->descriptor.name : NULL;

	settings_unref(code->settings);
	if (!plugin_close(code->plugin, &reason)) {
		code->lingers = xstrndup((const char *)reason.data, reason.size);
		log_debug("cell", "the code of %s stays in the process: %s", code->_subject, code->lingers);
	}
	if (inside != NULL)
		crash_frames_remove(inside, code->_slot, code->lingers == NULL);
	crash_see_objects();
	host_code_leave(code, user);
	buffer_finish(&reason);
	code->plugin = NULL;
	code->settings = NULL;
	/* Code that stays is found by its path again: that must never name another one. */
	if (code->_fd >= 0 && plugin_is_loaded(code->_image))
		code->_fd = -1;
	host_code_answer(code);
}

void
host_code_unload(struct host_code *code, host_code_done_fn *done)
{
	host_code_send(code, host_code_on_unload, done);
}
