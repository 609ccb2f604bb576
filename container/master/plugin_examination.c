/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/plugin_examination.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fd.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "master/examiner.h"

struct plugin_examination {
	struct event_base *base;
	char *config_path;
	char *plugin_dir;
	struct examiner *examiner;
	int dirfd;
	struct map *generations; /* plugin -> struct plugin_generation */
	struct list copying;  /* struct plugin_job; the first has its turn */
	struct list examined; /* struct plugin_job, the examiner has them */
	struct event *copy_event; /* added while some are copying */
};

/* The last number that a copy of a plugin was given. */
struct plugin_generation {
	int64_t last;
};

/* One plugin being examined. */
struct plugin_job {
	struct list link; /* of copying or examined */
	struct plugin_examination *examination;
	const struct config_service **services;
	size_t count;
	struct plugin_image *image; /* NULL: its turn is still to come, or it was refused */
	bool again;                 /* image has passed before */
	struct buffer reason;
	plugin_result_fn *done;
	void *arg;
};

/* --- images -------------------------------------------------------------------------- */

struct plugin_image *
plugin_image_ref(struct plugin_image *image)
{
	image->_refs++;
	return image;
}

const struct plugin_setting *
plugin_image_setting(const struct plugin_image *image, const char *name)
{
	for (size_t i = 0; i < image->setting_count; i++)
		if (strcmp(image->settings[i].name, name) == 0)
			return &image->settings[i];
	return NULL;
}

static void
plugin_image_forget_settings(struct plugin_image *image)
{
	for (size_t i = 0; i < image->setting_count; i++) {
		free(image->settings[i].name);
		free(image->settings[i].default_value);
		free(image->settings[i].help);
	}
	free(image->settings);
	image->settings = NULL;
	image->setting_count = 0;
}

void
plugin_image_unref(struct plugin_image *image)
{
	if (image == NULL || --image->_refs > 0)
		return;
	plugin_image_forget_settings(image);
	image_finish(&image->image);
	free(image->source);
	free(image->version);
	json_decref(image->verbs);
	free(image);
}

static int64_t
plugin_next_generation(struct plugin_examination *examination, const char *plugin)
{
	struct plugin_generation *generation = map_get(examination->generations, plugin);

	if (generation == NULL) {
		generation = xcalloc(1, sizeof(*generation));
		map_put(examination->generations, plugin, generation);
	}
	return ++generation->last;
}

/* Where the file of a service's plugin is; the caller's. */
static char *
plugin_path(const struct plugin_examination *examination, const struct config_service *service)
{
	return service->plugin_file != NULL ? xstrdup(service->plugin_file) :
		xasprintf("%s/%s.so", examination->plugin_dir, service->plugin);
}

/* Begins to copy the plugin file. NULL: the reason is appended to error. */
static struct plugin_image *
plugin_image_begin(struct plugin_examination *examination, const struct config_service *service,
	struct buffer *error)
{
	struct plugin_image *image = xcalloc(1, sizeof(*image));
	const char *plugin = service->plugin;

	image->_refs = 1;
	image->generation = plugin_next_generation(examination, plugin);
	image->source = plugin_path(examination, service);
	image->version = xstrdup("");
	image->verbs = json_array();
	if (!image_begin(&image->image, image->source, examination->dirfd, plugin,
		(uint64_t)image->generation, error)) {
		plugin_image_unref(image);
		return NULL;
	}
	return image;
}

/* --- jobs ------------------------------------------------------------------------------- */

static void
plugin_job_destroy(struct plugin_job *job)
{
	list_remove(&job->link);
	plugin_image_unref(job->image);
	buffer_finish(&job->reason);
	free(job->services);
	free(job);
}

/* Ends the job before it calls back: that may begin others. */
static void
plugin_job_finish(struct plugin_job *job, const struct config_report *complaints)
{
	const struct config_report none = {0};
	struct plugin_image *image = job->image;
	struct buffer reason = job->reason;
	struct plugin_result result = {.image = image,
		.complaints = complaints != NULL ? complaints : &none};
	plugin_result_fn *done = job->done;
	void *arg = job->arg;

	if (image == NULL)
		result.reason = buffer_text(&reason) != NULL ? buffer_text(&reason) : "no memory";
	job->image = NULL;
	job->reason = (struct buffer){0};
	plugin_job_destroy(job);
	done(&result, arg);
	plugin_image_unref(image);
	buffer_finish(&reason);
}

static void
plugin_job_refuse(struct plugin_job *job)
{
	plugin_image_unref(job->image);
	job->image = NULL;
	plugin_job_finish(job, NULL);
}

/* --- complaints --------------------------------------------------------------------------- */

static const struct config_service *
plugin_job_service(const struct plugin_job *job, const char *name)
{
	for (size_t i = 0; i < job->count; i++) {
		if (strcmp(job->services[i]->name, name) == 0)
			return job->services[i];
	}
	return NULL;
}

static bool
verdict_has_setting(const struct cell_verdict *verdict, const char *name)
{
	for (size_t i = 0; i < verdict->setting_count; i++) {
		if (strcmp(verdict->settings[i].name, name) == 0)
			return true;
	}
	return false;
}

/* The configuration knows more near names for an unknown key than the plugin does. */
static char *
plugin_unknown_setting_text(const struct config_service *service, size_t index,
	const struct cell_verdict *verdict)
{
	const char **names = xcalloc(verdict->setting_count + 1, sizeof(*names));
	char *text;

	for (size_t i = 0; i < verdict->setting_count; i++)
		names[i] = verdict->settings[i].name;
	text = config_unknown_setting_text(service, index, names, verdict->setting_count);
	free(names);
	return text;
}

/* Finds the line that a complaint is about: that of the setting, or of the section. */
static void
plugin_job_add_complaint(const struct plugin_job *job, const struct cell_verdict *verdict,
	const struct cell_complaint *complaint, struct config_report *report)
{
	const struct config_service *service = plugin_job_service(job, complaint->service);
	size_t index = (size_t)complaint->index;
	const struct config_origin *origin;
	char *text;

	if (service == NULL)
		return;
	if (complaint->index < 0 || index >= service->setting_count) {
		origin = &service->origin;
		text = xasprintf("service %s: %s: %s [config-setting]", service->name, complaint->key,
			complaint->message);
	} else if (!verdict_has_setting(verdict, service->settings[index].name)) {
		origin = &service->settings[index].origin;
		text = plugin_unknown_setting_text(service, index, verdict);
	} else {
		origin = &service->settings[index].origin;
		text = xasprintf("%s: %s [config-setting]", service->settings[index].name, complaint->message);
	}
	config_report_add(report, origin->file != NULL ? origin->file : job->examination->config_path,
		origin->line, "%s", text);
	free(text);
}

/* --- verdicts --------------------------------------------------------------------------------- */

static void
plugin_job_log_verdict(const struct plugin_job *job, const struct cell_verdict *verdict)
{
	const char *plugin = job->services[0]->plugin;
	char subject[CONFIG_NAME_MAX + 16];

	snprintf(subject, sizeof(subject), "plugin %s", plugin);
	if (verdict->plugin != NULL && strcmp(verdict->plugin, plugin) != 0)
		log_warn(subject, "its file calls itself %s", verdict->plugin);
	if (!verdict->unloadable)
		log_info(subject, "generation %lld will stay in memory after its end: %s",
			(long long)job->image->generation,
			verdict->lingers != NULL ? verdict->lingers : "it cannot be unloaded");
}

static void
plugin_image_describe(struct plugin_image *image, const struct cell_verdict *verdict)
{
	if (verdict->version != NULL) {
		free(image->version);
		image->version = xstrdup(verdict->version);
	}
	for (size_t i = 0; i < verdict->verb_count; i++)
		(void)json_array_append_new(image->verbs, cell_plugin_verb_to_json(&verdict->verbs[i]));
	image->settings = xcalloc(verdict->setting_count + 1, sizeof(*image->settings));
	image->setting_count = verdict->setting_count;
	for (size_t i = 0; i < verdict->setting_count; i++) {
		const struct cell_plugin_setting *from = &verdict->settings[i];

		image->settings[i] = (struct plugin_setting){
			.name = xstrdup(from->name),
			.default_value = from->default_value != NULL ? xstrdup(from->default_value) : NULL,
			.help = xstrdup(from->help != NULL ? from->help : ""),
			.live = from->live,
		};
	}
}

static void
plugin_job_on_verdict(const struct cell_verdict *verdict, void *arg)
{
	struct plugin_job *job = arg;
	struct config_report report = {0};

	if (!verdict->ok) {
		(void)buffer_fail(&job->reason, "plugin %s: %s", job->services[0]->plugin,
			verdict->reason != NULL ? verdict->reason : "refused");
		plugin_job_refuse(job);
		return;
	}
	if (!job->again) {
		plugin_image_describe(job->image, verdict);
		plugin_job_log_verdict(job, verdict);
	}
	for (size_t i = 0; i < verdict->complaint_count; i++)
		plugin_job_add_complaint(job, verdict, &verdict->complaints[i], &report);
	plugin_job_finish(job, &report);
	config_report_finish(&report);
}

/* Tells the examiner of the services. False: it cannot be told, and the reason is noted. */
static bool
plugin_job_submit(struct plugin_job *job)
{
	struct cell_examine_service *services = xcalloc(job->count, sizeof(*services));
	struct examination *submitted;

	for (size_t i = 0; i < job->count; i++) {
		const struct config_service *service = job->services[i];
		struct cell_setting *settings =
			xcalloc(service->setting_count + 1, sizeof(*settings));

		for (size_t n = 0; n < service->setting_count; n++)
			settings[n] = (struct cell_setting){.key = service->settings[n].name,
				.value = service->settings[n].value};
		services[i] = (struct cell_examine_service){.name = service->name,
			.settings = settings, .setting_count = service->setting_count};
	}
	submitted = examiner_submit(job->examination->examiner, &job->image->image, services,
		job->count, plugin_job_on_verdict, job);
	for (size_t i = 0; i < job->count; i++)
		free(services[i].settings);
	free(services);
	return submitted != NULL || buffer_fail(&job->reason, "plugin %s: ask the examiner: "
		"a setting is no UTF-8 text, or no descriptor is left [examiner]", job->services[0]->plugin);
}

/* --- copying -------------------------------------------------------------------------- */

/* One slice of one file a turn: whatever else the event loop has to do comes in between. */
static void
plugin_examination_turn_later(struct plugin_examination *examination)
{
	const struct timeval at_once = {0};

	/* A timer, since an event that is made active now would have its turn before the loop
	 * looks for others. */
	if (!list_empty(&examination->copying))
		event_add(examination->copy_event, &at_once);
}

/* Its next slice. IMAGE_FAILED: the reason is noted. */
static enum image_progress
plugin_job_copy(struct plugin_job *job)
{
	enum image_progress progress = IMAGE_MORE;
	struct buffer why = {0};
	char *path;

	if (job->again)
		progress = IMAGE_DONE;
	else if (job->image != NULL)
		progress = image_continue(&job->image->image, &why);
	else if ((job->image = plugin_image_begin(job->examination, job->services[0], &why)) == NULL)
		progress = IMAGE_FAILED;
	if (progress == IMAGE_FAILED) {
		path = plugin_path(job->examination, job->services[0]);
		(void)buffer_fail(&job->reason, "plugin %s: %s", path, buffer_text(&why));
		free(path);
	}
	buffer_finish(&why);
	return progress;
}

static void
plugin_examination_on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct plugin_examination *examination = arg;
	struct plugin_job *job = container_of(list_first(&examination->copying),
		struct plugin_job, link);
	enum image_progress progress = plugin_job_copy(job);

	(void)fd;
	(void)what;
	if (progress != IMAGE_MORE) {
		list_remove(&job->link);
		list_push_back(&examination->examined, &job->link);
	}
	plugin_examination_turn_later(examination);
	if (progress == IMAGE_FAILED ||
	    (progress == IMAGE_DONE && !plugin_job_submit(job)))
		plugin_job_refuse(job);
}

static void
plugin_job_begin(struct plugin_examination *examination, struct plugin_image *again,
	const struct config_service *const *services, size_t count, plugin_result_fn *done,
	void *arg)
{
	struct plugin_job *job = xcalloc(1, sizeof(*job));

	job->examination = examination;
	job->services = xcalloc(count, sizeof(*job->services));
	memcpy(job->services, services, count * sizeof(*services));
	job->count = count;
	job->image = again != NULL ? plugin_image_ref(again) : NULL;
	job->again = again != NULL;
	job->done = done;
	job->arg = arg;
	list_push_back(&examination->copying, &job->link);
	plugin_examination_turn_later(examination);
}

void
plugin_examination_begin(struct plugin_examination *examination,
	const struct config_service *const *services, size_t count, plugin_result_fn *done,
	void *arg)
{
	plugin_job_begin(examination, NULL, services, count, done, arg);
}

void
plugin_examination_again(struct plugin_examination *examination,
	struct plugin_image *image, const struct config_service *const *services, size_t count,
	plugin_result_fn *done, void *arg)
{
	plugin_job_begin(examination, image, services, count, done, arg);
}

/* --- lifecycle ------------------------------------------------------------------------------------ */

struct plugin_examination *
plugin_examination_create(struct event_base *base, const struct config *config,
	const struct program *program, int dirfd, int64_t timeout_ns)
{
	struct plugin_examination *examination = xcalloc(1, sizeof(*examination));

	examination->base = base;
	examination->config_path = xstrdup(config->path);
	examination->plugin_dir = xstrdup(config->container.plugin_dir);
	examination->generations = map_create();
	list_init(&examination->copying);
	list_init(&examination->examined);
	examination->copy_event = evtimer_new(base, plugin_examination_on_turn, examination);
	examination->dirfd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
	examination->examiner = examiner_create(base, program, timeout_ns);
	if (examination->dirfd < 0 || examination->examiner == NULL ||
	    examination->copy_event == NULL) {
		plugin_examination_destroy(examination);
		return NULL;
	}
	return examination;
}

void
plugin_examination_destroy(struct plugin_examination *examination)
{
	struct map_entry *entry;

	if (examination == NULL)
		return;
	examiner_destroy(examination->examiner);
	if (examination->copy_event != NULL)
		event_free(examination->copy_event);
	list_for_each_safe(pos, &examination->copying)
		plugin_job_destroy(container_of(pos, struct plugin_job, link));
	list_for_each_safe(pos, &examination->examined)
		plugin_job_destroy(container_of(pos, struct plugin_job, link));
	map_for_each(entry, examination->generations)
		free(entry->value);
	map_destroy(examination->generations);
	fd_close(&examination->dirfd);
	free(examination->config_path);
	free(examination->plugin_dir);
	free(examination);
}
