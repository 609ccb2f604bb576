/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/hand_loads.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fd.h"
#include "base/list.h"
#include "base/text.h"
#include "config/config_copy.h"
#include "config/config_data.h"
#include "config/config_keys.h"
#include "config/config_report.h"
#include "config/config_value.h"
#include "master/drop_in_leaving.h"
#include "master/drop_in_services.h"
#include "master/image_source.h"
#include "master/master.h"
#include "master/master_cell.h"
#include "master/plugin_examination.h"
#include "master/supervisor.h"

struct hand_loads {
	struct master *master;
	struct list loads;    /* struct hand_load */
	struct list unloads;  /* struct hand_unload */
	struct drop_in_leaving *leaving;
	bool stopped;
};

/* --- a load ------------------------------------------------------------------------- */

struct hand_load {
	struct list link;
	struct hand_loads *loads;
	struct config *config; /* of the service that it is to become */
	struct event_by by;
	hand_loaded_fn *done;
	void *arg;
};

/* Ends it before it calls back. */
static void
hand_load_end(struct hand_load *load, struct master_service *service, enum bay_status status,
	const char *message)
{
	hand_loaded_fn *done = load->done;
	void *arg = load->arg;
	struct config *config = load->config;

	list_remove(&load->link);
	free(load);
	done(service, status, message, arg);
	config_unref(config);
}

static void
hand_load_refuse(struct hand_load *load, enum bay_status status, const char *message)
{
	struct hand_loads *loads = load->loads;
	const struct config_service *config = &load->config->services[0];

	event_log_add(loads->master->events, EVENT_REFUSED, &(struct event_facts){.plugin = config->plugin,
		.by = load->by}, "%s", message);
	hand_load_end(load, NULL, status, message);
}

/* --- a load: the start -------------------------------------------------------------- */

/* One that cannot even start is not left to try again and again. */
static void
hand_load_on_started(struct master_service *service, enum bay_status status, const char *message,
	void *arg)
{
	struct hand_load *load = arg;
	struct hand_loads *loads = load->loads;

	if (status != BAY_OK && status != BAY_CANCELED && !loads->stopped)
		drop_in_leaving_begin(loads->leaving, service, &load->by, "it could not be started", NULL, NULL);
	hand_load_end(load, service, status, message);
}

static void
hand_load_take(struct hand_load *load, struct plugin_image *image)
{
	struct hand_loads *loads = load->loads;
	char *refusal = drop_in_name_refusal(loads->master, load->config->services[0].name);

	if (refusal != NULL)
		hand_load_refuse(load, BAY_BUSY, refusal);
	else if (!drop_in_add_service(loads->master, load->config, image, &load->by, "by hand, from",
		hand_load_on_started, load))
		hand_load_refuse(load, BAY_FULL, DROP_IN_TOO_MANY);
	free(refusal);
}

static void
hand_load_on_examined(const struct plugin_result *result, void *arg)
{
	struct hand_load *load = arg;

	if (load->loads->stopped)
		hand_load_end(load, NULL, BAY_CLOSED, "bayd is stopping");
	else if (result->image == NULL)
		hand_load_refuse(load, BAY_INVALID, result->reason);
	else if (result->complaints->count > 0)
		hand_load_refuse(load, BAY_INVALID, result->complaints->complaints[0].text);
	else
		hand_load_take(load, result->image);
}

/* --- a load: what it is to be ------------------------------------------------------- */

/* "square" of "/srv/square.so", malloc'd; NULL: *why_r says what is wrong with it. */
static char *
hand_load_plugin(const char *file, const char **why_r)
{
	const char *base = strrchr(file, '/');
	size_t length;

	if (*file != '/') {
		*why_r = "the path of a plugin file has to be absolute";
		return NULL;
	}
	base++;
	length = strlen(base);
	if (length <= strlen(".so") || strcmp(base + length - strlen(".so"), ".so") != 0) {
		*why_r = "the name of a plugin file ends with .so";
		return NULL;
	}
	length -= strlen(".so");
	if (!config_name_is_valid(base, length)) {
		*why_r = "no plugin can be called as this file is: rename it";
		return NULL;
	}
	return xstrndup(base, length);
}

/* Keys that make no sense for it. */
static const char *
hand_load_odd_key(const char *key)
{
	static const struct {
		const char *key;
		const char *why;
	} rows[] = {
		{"plugin", "plugin: the file says which"},
		{"enabled", "enabled: what is loaded by hand is to run"},
		{"requires", "requires: what is loaded by hand has no place in the order of the configuration"},
		{"wants", "wants: what is loaded by hand has no place in the order of the configuration"},
		{"after", "after: what is loaded by hand has no place in the order of the configuration"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].key, key) == 0)
			return rows[i].why;
	return NULL;
}

/* NULL, or what is wrong with it, malloc'd. */
static char *
hand_load_set(struct config *config, const char *word, const char *who)
{
	const char *equals = strchr(word, '=');
	const char *odd;
	char *wrong = NULL;
	char *why = NULL;
	char *key;

	if (equals == NULL || equals == word)
		return xasprintf("a setting is given as KEY=VALUE");
	key = xstrndup(word, (size_t)(equals - word));
	odd = hand_load_odd_key(key);
	if (odd != NULL)
		why = xstrdup(odd);
	else if (config_copy_set(config, config->services[0].name, key, equals + 1, who, &wrong))
		why = NULL;
	else
		why = xasprintf("%s = %s: %s", key, equals + 1, wrong);
	free(wrong);
	free(key);
	return why;
}

/* The file, as far as that can be said at once. NULL, or what is wrong with it, malloc'd. */
static char *
hand_load_look(const char *file)
{
	struct buffer error = {0};
	struct stat st;
	char *why = NULL;
	int fd = image_source_open(file, &st, &error);

	if (fd < 0)
		why = xasprintf("plugin %s: %s", file, buffer_text(&error) != NULL ? buffer_text(&error) : "?");
	fd_close(&fd);
	buffer_finish(&error);
	return why;
}

/* Nothing else says that the service is there. */
static void
hand_load_set_file(struct config_service *service, const char *file)
{
	const struct config_key *plugin = config_keys_find(&config_service_keys, "plugin");

	service->plugin_file = xstrdup(file);
	service->origin = (struct config_origin){.file = service->plugin_file};
	service->origins[plugin - config_service_keys.rows] = service->origin;
}

/* NULL: *why_r says what is wrong, malloc'd. */
static struct config *
hand_load_config(const struct hand_loads *loads, const struct hand_load_wish *wish, const char *plugin,
	char **why_r)
{
	const char *name = wish->name != NULL ? wish->name : plugin;
	struct config_report report = {0};
	struct config *config;
	char who[64];

	event_by_print(who, sizeof(who), &wish->by);
	config = drop_in_make_config(loads->master->config->path, name, plugin, &report);
	if (config == NULL)
		*why_r = xstrdup(report.count > 0 ? report.complaints[0].text : "?");
	for (size_t i = 0; config != NULL && i < wish->setting_count; i++) {
		*why_r = hand_load_set(config, wish->settings[i], who);
		if (*why_r != NULL) {
			config_unref(config);
			config = NULL;
		}
	}
	if (config != NULL)
		hand_load_set_file(&config->services[0], wish->file);
	config_report_finish(&report);
	return config;
}

/* NULL: *status_r and *why_r, malloc'd, say why not. */
static struct config *
hand_load_prepare(const struct hand_loads *loads, const struct hand_load_wish *wish,
	enum bay_status *status_r, char **why_r)
{
	const char *wrong;
	char *plugin = hand_load_plugin(wish->file, &wrong);
	struct config *config = NULL;

	*status_r = BAY_INVALID;
	if (plugin == NULL)
		*why_r = xasprintf("%s: %s", wish->file, wrong);
	else if (wish->name != NULL && !config_name_is_valid(wish->name, strlen(wish->name)))
		*why_r = xasprintf("no service can have the name '%s'", wish->name);
	else if ((*why_r = drop_in_name_refusal(loads->master, wish->name != NULL ? wish->name : plugin)) != NULL)
		*status_r = BAY_BUSY;
	else if ((*why_r = hand_load_look(wish->file)) == NULL)
		config = hand_load_config(loads, wish, plugin, why_r);
	free(plugin);
	return config;
}

void
hand_loads_begin(struct hand_loads *loads, const struct hand_load_wish *wish)
{
	enum bay_status status = BAY_CLOSED;
	struct config *config = NULL;
	const struct config_service *service;
	struct hand_load *load;
	char *why = NULL;

	if (!loads->stopped)
		config = hand_load_prepare(loads, wish, &status, &why);
	if (config == NULL) {
		wish->done(NULL, status, why != NULL ? why : "bayd is stopping", wish->arg);
		free(why);
		return;
	}
	load = xcalloc(1, sizeof(*load));
	*load = (struct hand_load){.loads = loads, .config = config, .by = wish->by, .done = wish->done,
		.arg = wish->arg};
	list_push_back(&loads->loads, &load->link);
	service = &config->services[0];
	plugin_examination_begin(supervisor_examination(loads->master->supervisor), &service, 1,
		hand_load_on_examined, load);
}

/* --- an unload ------------------------------------------------------------------------ */

struct hand_unload {
	struct list link;
	size_t pending;
	struct master_service **ended;
	size_t count;
	enum bay_status status; /* of the first that did not end */
	char *message;          /* or NULL */
	hand_unloaded_fn *done;
	void *arg;
};

static void
hand_unload_release(struct hand_unload *unload)
{
	if (--unload->pending > 0)
		return;
	list_remove(&unload->link);
	unload->done(unload->ended, unload->count, unload->status, unload->message != NULL ? unload->message : "",
		unload->arg);
	free(unload->ended);
	free(unload->message);
	free(unload);
}

static void
hand_unload_on_left(struct master_service *service, enum bay_status status, const char *message, void *arg)
{
	struct hand_unload *unload = arg;

	if (status == BAY_OK) {
		if (service != NULL)
			unload->ended[unload->count++] = service;
	} else if (unload->message == NULL) {
		unload->status = status;
		unload->message = xasprintf("service %s: %s", service->config->name, message);
	}
	hand_unload_release(unload);
}

/* Appends who holds the plugin and what there is of it still. */
static bool
hand_unload_tell_holder(const struct master_service *service, struct buffer *text)
{
	const struct config_service *config = service->config;
	const struct status_page *page = master_cell_page(service->cell);
	struct status_service_view view = {0};

	if (page != NULL)
		status_page_read_service(page, service->slot, &view);
	if (!buffer_printf(text, "%s service %s (%s:%u; %s, %" PRIu64 " running, %" PRIu64 " queued)",
		text->size == 0 ? "" : ",", config->name, config->origin.file, config->origin.line,
		service_gate_state_name(service), view.in_flight, view.queue_length))
		return false;
	for (size_t i = 0; i < service->lingering_count; i++)
		if (!buffer_printf(text, ", of which generation %lld lingers: %s",
			(long long)service->lingering[i].generation, service->lingering[i].reason))
			return false;
	return true;
}

/* Nobody runs it, or those who do are of the configuration: says so. */
static void
hand_unload_refuse(const struct hand_loads *loads, const char *plugin, hand_unloaded_fn *done, void *arg)
{
	const struct master *master = loads->master;
	const struct master_service *first = NULL;
	struct buffer holders = {0};
	char *message;

	for (size_t i = 0; i < supervisor_count(master->supervisor); i++) {
		const struct master_service *service = supervisor_service(master->supervisor, i);

		if (strcmp(service->config->plugin, plugin) != 0)
			continue;
		first = first != NULL ? first : service;
		(void)hand_unload_tell_holder(service, &holders);
	}
	message = first == NULL ? xasprintf("no service runs a plugin %s; bayctl list shows who runs what", plugin) :
		xasprintf("plugin %s is held by the configuration:%s; bayctl disable %s ends a service and keeps it "
			"stopped, or remove its section and bayctl reload", plugin,
			buffer_text(&holders) != NULL ? buffer_text(&holders) : "?", first->config->name);
	done(NULL, 0, first == NULL ? BAY_NOT_FOUND : BAY_BUSY, message, arg);
	free(message);
	buffer_finish(&holders);
}

void
hand_loads_unload(struct hand_loads *loads, const char *plugin, const struct event_by *by,
	hand_unloaded_fn *done, void *arg)
{
	struct supervisor *supervisor = loads->master->supervisor;
	struct hand_unload *unload;

	if (loads->stopped) {
		done(NULL, 0, BAY_CLOSED, "bayd is stopping", arg);
		return;
	}
	unload = xcalloc(1, sizeof(*unload));
	*unload = (struct hand_unload){.done = done, .arg = arg,
		.ended = xcalloc(supervisor_count(supervisor) + 1, sizeof(*unload->ended))};
	list_push_back(&loads->unloads, &unload->link);
	for (size_t i = 0; i < supervisor_count(supervisor); i++) {
		struct master_service *service = supervisor_service(supervisor, i);

		if (strcmp(service->config->plugin, plugin) != 0 || !service->source->dropped_in)
			continue;
		unload->pending++;
		master_service_ask(service, by, "to unload it");
		drop_in_leaving_begin(loads->leaving, service, by, "it was unloaded by hand", hand_unload_on_left, unload);
	}
	if (unload->pending > 0)
		return;
	list_remove(&unload->link);
	free(unload->ended);
	free(unload);
	hand_unload_refuse(loads, plugin, done, arg);
}

/* --- lifecycle ------------------------------------------------------------------------ */

struct hand_loads *
hand_loads_create(struct master *master)
{
	struct hand_loads *loads = xcalloc(1, sizeof(*loads));

	loads->master = master;
	list_init(&loads->loads);
	list_init(&loads->unloads);
	loads->leaving = drop_in_leaving_create(master);
	if (loads->leaving == NULL) {
		hand_loads_destroy(loads);
		return NULL;
	}
	return loads;
}

void
hand_loads_stop(struct hand_loads *loads)
{
	if (loads == NULL || loads->stopped)
		return;
	loads->stopped = true;
	drop_in_leaving_stop(loads->leaving);
	list_for_each_safe(pos, &loads->unloads) {
		struct hand_unload *unload = container_of(pos, struct hand_unload, link);

		unload->pending = 1;
		unload->status = BAY_CLOSED;
		free(unload->message);
		unload->message = xstrdup("bayd is stopping");
		hand_unload_release(unload);
	}
}

void
hand_loads_destroy(struct hand_loads *loads)
{
	if (loads == NULL)
		return;
	/* Who waits for an examination is not called any more. */
	list_for_each_safe(pos, &loads->loads)
		hand_load_end(container_of(pos, struct hand_load, link), NULL, BAY_CLOSED, "bayd is stopping");
	drop_in_leaving_destroy(loads->leaving);
	free(loads);
}
