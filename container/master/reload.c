/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/reload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/code.h"
#include "base/list.h"
#include "base/log.h"
#include "config/config_copy.h"
#include "config/config_edit.h"
#include "config/config_keys.h"
#include "config/config_order.h"
#include "master/admin_roles.h"
#include "master/cell_section.h"
#include "master/cgroup.h"
#include "master/config_saver.h"
#include "master/log_sink.h"
#include "master/master_service.h"
#include "master/plugin_examination.h"
#include "master/plugin_survey.h"
#include "master/reload_commit.h"
#include "master/reload_plan.h"
#include "master/reload_read.h"
#include "master/supervisor.h"

/* Who waits for the end of a run. */
struct reload_asker {
	struct list link;
	reload_done_fn *done;
	void *arg;
};

struct reload_run {
	struct list link;
	struct reload *reload;
	enum reload_kind kind;
	bool dry_run;
	bool save;
	int64_t number;
	char *service; /* or NULL */
	char *key;
	char *value;
	struct event_by by; /* the first who asked */
	char *who; /* all who ask for it, the first ones by name */
	struct list askers;

	/* from here on: of the one that is under way */
	struct config *to; /* a reference */
	struct config_diff diff;
	bool changes; /* something that runs, or will */
	struct plugin_survey survey;
	size_t looking; /* at settings: results that have not come; and one for the survey */
	struct config_report complaints;
	struct reload_commit *commit;
	struct config_saver *saver; /* at work, or NULL */
	char *saved_in; /* the file */
};

struct reload {
	struct reload_options options;
	struct reload_watcher watcher;
	struct config_history history;
	struct list waiting;        /* struct reload_run, oldest first */
	struct reload_run *running; /* or NULL */
	bool open;
	bool closed;
	bool turning; /* a run is being begun: the next one waits until it has been */
};

static void reload_turn(struct reload *reload);

static struct config *
reload_in_force(const struct reload *reload)
{
	return reload->history.entries[reload->history.count - 1].config;
}

/* --- runs ------------------------------------------------------------------------------ */

static char *
reload_copy_text(const char *text)
{
	return text != NULL ? xstrdup(text) : NULL;
}

static struct reload_run *
reload_run_create(struct reload *reload, const struct reload_wish *wish)
{
	struct reload_run *run = xcalloc(1, sizeof(*run));

	run->reload = reload;
	run->kind = wish->kind;
	run->dry_run = wish->dry_run;
	run->save = wish->save;
	run->number = wish->number;
	run->service = reload_copy_text(wish->service);
	run->key = reload_copy_text(wish->key);
	run->value = reload_copy_text(wish->value);
	run->by = wish->by;
	run->who = xstrdup(wish->who);
	list_init(&run->askers);
	return run;
}

static void
reload_run_destroy(struct reload_run *run)
{
	config_saver_destroy(run->saver);
	/* After the commit and the survey, which point into them. */
	reload_commit_destroy(run->commit);
	plugin_survey_finish(&run->survey);
	config_report_finish(&run->complaints);
	config_diff_finish(&run->diff);
	config_unref(run->to);
	list_for_each_safe(pos, &run->askers)
		free(container_of(pos, struct reload_asker, link));
	free(run->service);
	free(run->key);
	free(run->value);
	free(run->who);
	free(run->saved_in);
	free(run);
}

/* What it was, for the history and the log; the caller's. */
static char *
reload_run_text(const struct reload_run *run)
{
	switch (run->kind) {
	case RELOAD_SET:
		return xasprintf("set %s.%s = %s by %s%s",
			run->service != NULL ? run->service : "container", run->key, run->value, run->who,
			run->save ? ", saved" : "");
	case RELOAD_ROLLBACK:
		return xasprintf("rollback to %" PRId64 " by %s", run->number, run->who);
	case RELOAD_FILE:
		break;
	}
	return xasprintf("reload by %s", run->who);
}

/* Nobody points to it any more when it returns. */
static void
reload_run_answer(struct reload_run *run, const struct reload_result *result)
{
	while (!list_empty(&run->askers)) {
		struct reload_asker *asker = container_of(list_pop_front(&run->askers),
			struct reload_asker, link);
		reload_done_fn *done = asker->done;
		void *arg = asker->arg;

		free(asker);
		done(result, arg);
	}
}

static void
reload_run_note(const struct reload_run *run, enum event_kind kind, const char *why)
{
	const struct event_facts facts = {.service = run->service, .by = run->by};

	event_log_add(run->reload->options.events, kind, &facts, "%s", why);
}

/* An event is one line, and complaints are several. */
static void
reload_run_note_refusal(const struct reload_run *run, const char *message)
{
	char *text = xstrdup("");

	while (*message != '\0') {
		int length = (int)strcspn(message, "\n");
		char *before = text;

		text = xasprintf("%s%s%.*s", before, *before != '\0' ? "; " : "", length, message);
		free(before);
		message += length;
		message += *message == '\n';
	}
	reload_run_note(run, EVENT_REFUSED, text);
	free(text);
}

/* Complaints are several lines. */
static void
reload_run_log(const struct reload_run *run, const char *prefix, const char *message)
{
	char *what = reload_run_text(run);

	while (*message != '\0') {
		int length = (int)strcspn(message, "\n");

		log_warn(NULL, "%s: %s%.*s", what, prefix, length, message);
		message += length;
		message += *message == '\n';
	}
	free(what);
}

static void
reload_run_end(struct reload_run *run, enum bay_status status, bool changed, const char *message)
{
	struct reload *reload = run->reload;
	const struct reload_result result = {.status = status, .message = message,
		.number = reload->history.last_number, .changed = changed, .diff = &run->diff};

	if (status != BAY_OK && !run->dry_run)
		reload_run_note_refusal(run, message);
	if (status != BAY_OK)
		reload_run_log(run, status == BAY_IO ? "it is in force, and not saved: " :
			"nothing has changed: ", message);
	if (!run->dry_run)
		reload->watcher.ended(reload->watcher.arg);
	reload->running = NULL;
	reload_run_answer(run, &result);
	reload_run_destroy(run);
	reload_turn(reload);
}

/* All that is wrong, one a line. */
static void
reload_run_refuse(struct reload_run *run)
{
	struct buffer text = {0};
	const char *said = config_report_print(&run->complaints, &text) ? buffer_text(&text) : NULL;

	reload_run_end(run, BAY_INVALID, false, said != NULL ? said : "no memory");
	buffer_finish(&text);
}

/* --- parse ----------------------------------------------------------------------------- */

static bool
reload_load(const struct reload *reload, struct config **config_r, struct config_report *report)
{
	if (reload_read(reload_in_force(reload), config_r, report))
		return true;
	config_unref(*config_r);
	*config_r = NULL;
	return false;
}

static bool
reload_setting_is_live(const struct config_service *service, const char *setting, void *arg)
{
	const struct reload *reload = arg;
	const struct master_service *running = supervisor_find(reload->options.supervisor,
		service->name);
	const struct plugin_setting *row = running != NULL && running->image != NULL ?
		plugin_image_setting(running->image, setting) : NULL;

	return row != NULL && row->live;
}

bool
reload_is_live(const struct reload *reload, const struct config_service *service, const char *key)
{
	const struct config_key *row = config_keys_find(&config_service_keys, key);

	return row != NULL ? row->live :
		reload_setting_is_live(service, key, (void *)(uintptr_t)reload);
}

bool
reload_compare(const struct reload *reload, struct config **file_r, struct config_diff *diff,
	struct config_report *report)
{
	*diff = (struct config_diff){0};
	if (!reload_load(reload, file_r, report))
		return false;
	config_diff_make(diff, reload_in_force(reload), *file_r, reload_setting_is_live,
		(void *)(uintptr_t)reload);
	return true;
}

/* --- in force --------------------------------------------------------------------------- */

static void
reload_put_in_force(struct reload_run *run)
{
	struct reload *reload = run->reload;
	char *what = reload_run_text(run);

	if (run->changes)
		config_history_add(&reload->history, run->to, what);
	else
		config_history_renew(&reload->history, run->to);
	supervisor_set_config(reload->options.supervisor, run->to);
	reload->watcher.in_force(run->to, reload->watcher.arg);
	if (run->changes) {
		static const enum event_kind kinds[] = {[RELOAD_FILE] = EVENT_RELOADED,
			[RELOAD_SET] = EVENT_SET, [RELOAD_ROLLBACK] = EVENT_ROLLED_BACK};

		log_info(NULL, "configuration %" PRId64 " is in force: %s", reload->history.last_number,
			what);
		reload_run_note(run, kinds[run->kind], what);
	} else {
		log_info(NULL, "configuration %" PRId64 " is still in force, nothing is different: %s",
			reload->history.last_number, what);
	}
	free(what);
}

/* --- save ------------------------------------------------------------------------------- */

/* Where the key stands in the file as it is now. False: report, or error, says why nowhere. */
static bool
reload_find_place(const struct reload_run *run, const struct config *file,
	const struct config_origin **section_r, const struct config_origin **key_r,
	struct buffer *error)
{
	const struct config_service *service = run->service != NULL ?
		config_find_service(file, run->service) : NULL;

	*key_r = NULL;
	if (run->service == NULL) {
		*section_r = &file->container.origin;
		*key_r = config_container_origin(file, run->key);
		return (*section_r)->file != NULL || buffer_fail(error, "the file has no [container]");
	}
	if (service == NULL)
		return buffer_fail(error, "the file has no [service %s]", run->service);
	*section_r = &service->origin;
	if (config_keys_find(&config_service_keys, run->key) != NULL)
		*key_r = config_service_origin(service, run->key);
	for (size_t i = 0; i < service->setting_count; i++)
		if (strcmp(service->settings[i].name, run->key) == 0)
			*key_r = &service->settings[i].origin;
	return true;
}

/* After it, what is in force says that it stands there. */
static void
reload_note_place(struct reload_run *run)
{
	struct config_report report = {0};
	struct config *file;

	if (reload_load(run->reload, &file, &report)) {
		config_copy_origins(run->to, file);
		config_unref(file);
	}
	config_report_finish(&report);
}

/* It is in force. why: it is not saved, though it was to be; or NULL. */
static void
reload_run_succeed(struct reload_run *run, const char *why)
{
	reload_put_in_force(run);
	reload_run_end(run, why != NULL ? BAY_IO : BAY_OK, run->changes, why != NULL ? why : "");
}

static void
reload_on_saved(unsigned line, const char *why, void *arg)
{
	struct reload_run *run = arg;
	const struct reload_watcher *watcher = &run->reload->watcher;

	run->saver = NULL;
	if (why == NULL) {
		log_info(NULL, "%s.%s is saved in %s:%u", run->service != NULL ? run->service : "container",
			run->key, run->saved_in, line);
		watcher->written(watcher->arg);
		reload_note_place(run);
	}
	reload_run_succeed(run, why);
}

/* False: error says why it is not even begun. */
static bool
reload_begin_save(struct reload_run *run, struct buffer *error)
{
	struct reload *reload = run->reload;
	const struct config_origin *section = NULL, *key = NULL;
	struct config_report report = {0};
	struct config_place place = {0};
	struct config *file = NULL;
	bool found = false;

	if (!reload_load(reload, &file, &report)) {
		(void)!config_report_print(&report, error);
	} else if (reload_find_place(run, file, &section, &key, error)) {
		found = true;
		place.section = section->line;
		place.key = key != NULL && key->file != NULL ? key->line : 0;
		reload->watcher.writing(reload->watcher.arg);
		run->saved_in = xstrdup(section->file);
		run->saver = config_saver_begin(supervisor_base(reload->options.supervisor), run->saved_in,
			&place, run->key, run->value, reload_on_saved, run);
	}
	config_report_finish(&report);
	config_unref(file);
	return found;
}

/* --- commit ------------------------------------------------------------------------------ */

static void
reload_on_committed(const char *why, void *arg)
{
	struct reload_run *run = arg;
	struct reload *reload = run->reload;
	struct buffer error = {0};

	if (why != NULL) {
		/* What it went to before it goes to again: that is still open, or was when it began. */
		if (!log_sink_set(reload_in_force(reload), run->to, &error))
			log_error(NULL, "%s", buffer_text(&error));
		reload_run_end(run, supervisor_is_stopping(reload->options.supervisor) ? BAY_CLOSED :
			BAY_FAILED, false, why);
	} else if (!run->save) {
		reload_run_succeed(run, NULL);
	} else if (!reload_begin_save(run, &error)) {
		reload_run_succeed(run, buffer_text(&error) != NULL ? buffer_text(&error) : "no memory");
	}
	buffer_finish(&error);
}

static void
reload_run_commit(struct reload_run *run)
{
	struct reload *reload = run->reload;
	struct buffer error = {0};

	if (!log_sink_set(run->to, reload_in_force(reload), &error)) {
		reload_run_end(run, BAY_INVALID, false, buffer_text(&error) != NULL ?
			(const char *)error.data : "no memory");
		buffer_finish(&error);
		return;
	}
	run->commit = reload_commit_create(reload->options.supervisor, reload->options.listeners,
		run->to, &run->diff, run->kind != RELOAD_SET, &run->survey, reload_on_committed, run);
	reload_commit_begin(run->commit);
}

/* --- validate ---------------------------------------------------------------------------- */

/* The last one who looks has looked. */
static void
reload_run_looked(struct reload_run *run)
{
	if (--run->looking > 0)
		return;
	if (run->reload->closed)
		reload_run_end(run, BAY_CLOSED, false, "bayd stops");
	else if (run->complaints.count > 0)
		reload_run_refuse(run);
	else if (run->dry_run)
		reload_run_end(run, BAY_OK, false, "");
	else
		reload_run_commit(run);
}

static void
reload_add_complaints(struct reload_run *run, const struct config_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		config_report_add(&run->complaints, report->complaints[i].file,
			report->complaints[i].line, "%s", report->complaints[i].text);
}

static void
reload_on_settings(const struct plugin_result *result, void *arg)
{
	struct reload_run *run = arg;

	if (result->image == NULL)
		config_report_add(&run->complaints, run->to->path, 0, "%s", result->reason);
	else
		reload_add_complaints(run, result->complaints);
	reload_run_looked(run);
}

static void
reload_on_surveyed(void *arg)
{
	struct reload_run *run = arg;

	plugin_survey_complain_of_refusals(&run->survey);
	reload_add_complaints(run, &run->survey.complaints);
	reload_run_looked(run);
}

/* Plugins look at what is different and no more: what is kept was looked at before. */
static void
reload_run_validate(struct reload_run *run)
{
	struct plugin_examination *examination = run->reload->options.examination;
	bool *fresh = xcalloc(run->to->service_count + 1, sizeof(*fresh));
	bool *needed = reload_plan_needed(run->reload->options.supervisor, run->to, &run->diff,
		run->kind != RELOAD_SET);

	for (size_t i = 0; i < run->to->file_count; i++)
		config_report_file(&run->complaints, run->to->files[i]);
	cell_section_check(run->to, (cgroup_tree_controllers(supervisor_cgroups(run->reload->options.supervisor)) &
		CGROUP_CPU) != 0, &run->complaints);
	admin_roles_check(run->to, &run->complaints);
	run->looking = 1;
	for (size_t i = 0; i < run->to->service_count; i++) {
		const struct config_service *wanted = &run->to->services[i];
		struct master_service *service = supervisor_find(run->reload->options.supervisor,
			wanted->name);
		enum reload_action action = reload_plan(service, wanted, &run->diff,
			run->kind != RELOAD_SET, needed[i]);

		/* Who is only needed by others is looked at when it is started. */
		fresh[i] = reload_plan_examines(action, wanted, &run->diff) &&
			!(needed[i] && action == RELOAD_START);
		if (action != RELOAD_LIVE || !reload_plan_has_settings(wanted, &run->diff))
			continue;
		/* By the code that runs, whatever its file is by now. */
		run->looking++;
		plugin_examination_again(examination, service->image, &wanted, 1, reload_on_settings, run);
	}
	plugin_survey_begin_with(&run->survey, run->to, fresh, examination, reload_on_surveyed, run);
	free(needed);
	free(fresh);
}

/* --- begin -------------------------------------------------------------------------------- */

static bool
reload_is_effective(const struct config_diff *diff)
{
	for (size_t i = 0; i < diff->count; i++)
		if (diff->changes[i].effect != CONFIG_EFFECT_RESTART)
			return true;
	return false;
}

/* run->to is there. */
static void
reload_run_compare(struct reload_run *run)
{
	struct config *in_force = reload_in_force(run->reload);

	config_diff_make(&run->diff, in_force, run->to, reload_setting_is_live, run->reload);
	run->changes = reload_is_effective(&run->diff);
	config_copy_keep(run->to, in_force);
	reload_run_validate(run);
}

static void
reload_begin_file(struct reload_run *run)
{
	struct reload *reload = run->reload;

	bool read;

	if (!run->dry_run)
		reload->watcher.reading(reload->watcher.arg);
	read = reload_read(reload_in_force(reload), &run->to, &run->complaints);
	if (run->to != NULL && !run->dry_run)
		reload->watcher.read(run->to, reload->watcher.arg);
	if (read)
		reload_run_compare(run);
	else
		reload_run_refuse(run);
}

static void
reload_begin_rollback(struct reload_run *run)
{
	struct config *before = config_history_find(&run->reload->history, run->number);
	char *why;

	if (before != NULL) {
		run->to = config_copy(before);
		reload_run_compare(run);
		return;
	}
	why = xasprintf("there is no configuration %" PRId64 ", or no more; bayctl reload --history "
		"lists them [config-history]", run->number);
	reload_run_end(run, BAY_NOT_FOUND, false, why);
	free(why);
}

/* Why the key cannot be set while it runs, or NULL; the caller's. */
static char *
reload_why_not_live(const struct reload_run *run)
{
	const struct reload *reload = run->reload;
	const struct config_key *row = run->service == NULL ?
		config_keys_find(&config_container_keys, run->key) : NULL;
	const struct config_service *service = run->service != NULL ?
		config_find_service(reload_in_force(reload), run->service) : NULL;

	if (row != NULL && !row->reloadable)
		return xasprintf("container.%s waits for bayd's next start: write it into the file "
			"[config-live]", run->key);
	if (row != NULL && row->type == CONFIG_TYPE_PATTERNS)
		return xasprintf("container.%s is not set by hand: write it into the file, and bayctl "
			"reload [config-live]", run->key);
	if (service == NULL || reload_is_live(reload, service, run->key))
		return NULL;
	return xasprintf("%s.%s cannot be changed in what runs: write it into the file, and bayctl "
		"reload makes a new generation of the service [config-live]", run->service, run->key);
}

/* A relative path would have nothing to be relative to. */
static bool
reload_is_relative(const struct reload_run *run)
{
	const struct config_key *row = run->service == NULL ?
		config_keys_find(&config_container_keys, run->key) : NULL;

	return row != NULL && row->type == CONFIG_TYPE_LOG && *run->value != '/' &&
		strcmp(run->value, "stderr") != 0 && strcmp(run->value, "syslog") != 0;
}

static void
reload_begin_set(struct reload_run *run)
{
	struct config *in_force = reload_in_force(run->reload);
	char *origin = xasprintf("set by %s", run->who);
	char *why = NULL;

	run->to = config_copy(in_force);
	if (!config_copy_set(run->to, run->service, run->key, run->value, origin, &why) ||
	    (why = reload_why_not_live(run)) != NULL)
		;
	else if (reload_is_relative(run))
		why = xstrdup("a path that is set by hand is absolute");
	why = code_text(why, "config-value");
	free(origin);
	if (why == NULL) {
		config_order_destroy(config_order_create(run->to, &run->complaints));
		if (run->complaints.count > 0)
			reload_run_refuse(run);
		else
			reload_run_compare(run);
		return;
	}
	reload_run_end(run, run->service != NULL && config_find_service(in_force, run->service) == NULL ?
		BAY_NOT_FOUND : BAY_INVALID, false, why);
	free(why);
}

static void
reload_run_begin(struct reload_run *run)
{
	struct reload *reload = run->reload;

	if (!run->dry_run)
		reload->watcher.begun(reload->watcher.arg);
	switch (run->kind) {
	case RELOAD_FILE:
		reload_begin_file(run);
		break;
	case RELOAD_SET:
		reload_begin_set(run);
		break;
	case RELOAD_ROLLBACK:
		reload_begin_rollback(run);
		break;
	}
}

/* Begins the next one, if none is under way. A run may end while it is begun. */
static void
reload_turn(struct reload *reload)
{
	if (reload->turning)
		return;
	reload->turning = true;
	while (reload->open && !reload->closed && reload->running == NULL &&
	       !list_empty(&reload->waiting)) {
		reload->running = container_of(list_pop_front(&reload->waiting), struct reload_run, link);
		reload_run_begin(reload->running);
	}
	reload->turning = false;
}

/* --- asking -------------------------------------------------------------------------------- */

/* A run that has not begun and serves this wish as well, or NULL. Only the last one: what was
 * asked for in between is to be done in between. */
static struct reload_run *
reload_find_run(const struct reload *reload, const struct reload_wish *wish)
{
	struct reload_run *last;

	if (list_empty(&reload->waiting) || wish->kind != RELOAD_FILE)
		return NULL;
	last = container_of(list_last(&reload->waiting), struct reload_run, link);
	return last->kind == RELOAD_FILE && last->dry_run == wish->dry_run ? last : NULL;
}

void
reload_ask(struct reload *reload, const struct reload_wish *wish, reload_done_fn *done, void *arg)
{
	const struct reload_result closed = {.status = BAY_CLOSED, .message = "bayd is stopping",
		.number = reload->history.last_number};
	struct reload_run *run = reload_find_run(reload, wish);
	struct reload_asker *asker;

	if (reload->closed) {
		if (done != NULL)
			done(&closed, arg);
		return;
	}
	if (run == NULL) {
		run = reload_run_create(reload, wish);
		list_push_back(&reload->waiting, &run->link);
	} else {
		log_info(NULL, "%s asks for a reload too: it is part of the next one", wish->who);
	}
	if (done != NULL) {
		asker = xcalloc(1, sizeof(*asker));
		asker->done = done;
		asker->arg = arg;
		list_push_back(&run->askers, &asker->link);
	}
	reload_turn(reload);
}

/* --- lifecycle ------------------------------------------------------------------------------ */

struct reload *
reload_create(const struct reload_options *options, const struct reload_watcher *watcher)
{
	struct reload *reload = xcalloc(1, sizeof(*reload));

	reload->options = *options;
	reload->watcher = *watcher;
	list_init(&reload->waiting);
	config_history_add(&reload->history, options->config, "start");
	return reload;
}

void
reload_open(struct reload *reload)
{
	reload->open = true;
	reload_turn(reload);
}

void
reload_close(struct reload *reload)
{
	const struct reload_result closed = {.status = BAY_CLOSED, .message = "bayd is stopping",
		.number = reload->history.last_number};

	reload->closed = true;
	if (reload->running != NULL)
		reload_run_answer(reload->running, &closed);
	while (!list_empty(&reload->waiting)) {
		struct reload_run *run = container_of(list_pop_front(&reload->waiting), struct reload_run,
			link);

		reload_run_answer(run, &closed);
		reload_run_destroy(run);
	}
}

void
reload_destroy(struct reload *reload)
{
	if (reload == NULL)
		return;
	reload_close(reload);
	if (reload->running != NULL)
		reload_run_destroy(reload->running);
	config_history_finish(&reload->history);
	free(reload);
}

const struct config_history *
reload_history(const struct reload *reload)
{
	return &reload->history;
}
