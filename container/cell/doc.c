/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/doc.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "cell/description.h"
#include "protocol/varlink.h"
#include "service/plugin_file.h"
#include "service/plugin_tables.h"

/* As those of bayctl. */
enum {
	DOC_FINE = 0,
	DOC_FAILED = 1,
	DOC_USAGE = 2,
	DOC_NO_FILE = 4,
	DOC_REFUSED = 5,
	DOC_NOT_PERMITTED = 6
};

/* --- what is told ----------------------------------------------------------------- */

static bool
doc_add_tables(json_t *plugin, const struct plugin_tables *tables)
{
	json_t *settings = json_array(), *verbs = json_array();
	struct description description;

	description_make(&description, tables->settings, tables->verbs);
	for (size_t i = 0; i < description.setting_count; i++)
		json_array_append_new(settings,
			cell_plugin_setting_to_json(&description.settings[i]));
	for (size_t i = 0; i < description.verb_count; i++)
		json_array_append_new(verbs, cell_plugin_verb_to_json(&description.verbs[i]));
	description_finish(&description);
	return json_object_set_new(plugin, "settings", settings) == 0 &&
		json_object_set_new(plugin, "verbs", verbs) == 0;
}

static json_t *
doc_describe(const struct plugin_facts *facts, const struct plugin_tables *tables)
{
	char abi[16];
	json_t *plugin;

	snprintf(abi, sizeof(abi), "%u.%u", facts->note.abi_major, facts->note.abi_minor);
	plugin = json_pack("{s:s, s:s, s:s, s:o, s:b, s:b, s:b}", "name", facts->note.plugin_name,
		"version", facts->note.plugin_version, "abi", abi,
		"summary", varlink_text(tables->summary != NULL ? tables->summary : ""),
		"leaf", tables->leaf, "handles", tables->handles, "runs", tables->runs);
	if (plugin != NULL && doc_add_tables(plugin, tables))
		return plugin;
	json_decref(plugin);
	return NULL;
}

/* --- the command -------------------------------------------------------------------- */

static bool
doc_read_bytes(int fd, struct buffer *bytes, struct buffer *reason)
{
	if (lseek(fd, 0, SEEK_SET) == 0 && fd_read_all(fd, PLUGIN_FILE_MAX, bytes))
		return true;
	return buffer_fail(reason, "it cannot be read: %s [plugin-file]", strerror(errno));
}

static int
doc_file(const char *path, json_t **plugin_r, struct buffer *reason)
{
	/* Without O_NONBLOCK it would wait at a fifo. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int error = errno;
	struct plugin_tables *tables = NULL;
	struct plugin_facts *facts = NULL;
	struct buffer bytes = {0};

	if (fd < 0) {
		(void)buffer_fail(reason, "it cannot be opened: %s [plugin-file]", strerror(error));
		return error == ENOENT || error == ENOTDIR ? DOC_NO_FILE :
			error == EACCES || error == EPERM ? DOC_NOT_PERMITTED : DOC_FAILED;
	}
	if (plugin_file_read(fd, &facts, reason) && doc_read_bytes(fd, &bytes, reason) &&
	    plugin_tables_read(bytes.data, bytes.size, &tables, reason))
		*plugin_r = doc_describe(facts, tables);
	close(fd);
	buffer_finish(&bytes);
	plugin_tables_destroy(tables);
	plugin_facts_destroy(facts);
	return *plugin_r != NULL ? DOC_FINE : DOC_REFUSED;
}

int
doc_run(int argc, char **argv)
{
	struct buffer reason = {0};
	json_t *plugin = NULL, *json;
	int code;

	if (argc != 2) {
		fprintf(stderr, "usage: doc FILE\n");
		return DOC_USAGE;
	}
	code = doc_file(argv[1], &plugin, &reason);
	json = json_pack("{s:o, s:b}", "file", varlink_text(argv[1]), "ok", plugin != NULL);
	if (plugin != NULL)
		json_object_set_new(json, "plugin", plugin);
	else
		json_object_set_new(json, "reason", varlink_text(buffer_text(&reason)));
	if (json_dumpf(json, stdout, JSON_COMPACT) != 0 || putchar('\n') == EOF || fflush(stdout) != 0)
		code = DOC_FAILED;
	json_decref(json);
	buffer_finish(&reason);
	return code;
}
