/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/plugin_tables.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/code.h"
#include "base/elf_file.h"
#include "base/elf_pointer.h"
#include "service/settings.h"
#include "service/verb_table.h"

/* What is being read, and what has been read of it. */
struct plugin_tables_reader {
	struct elf_file elf;
	struct elf_pointers pointers;
	struct plugin_tables *tables;
	struct buffer *error;
};

static bool
plugin_tables_unreadable(struct plugin_tables_reader *reader, const char *what)
{
	return buffer_fail(reader->error, "%s cannot be read from the file: is it made, or moved, when "
		"the plugin is loaded? [plugin-descriptor]", what);
}

/* Copies a text that a pointer at this address points to. NULL pointers give NULL. */
static bool
plugin_tables_text(struct plugin_tables_reader *reader, uint64_t address, const char *what,
	const char **text_r)
{
	struct plugin_tables *tables = reader->tables;
	uint64_t target;
	const char *text;

	*text_r = NULL;
	if (!elf_pointer_at(&reader->pointers, address, &target))
		return plugin_tables_unreadable(reader, what);
	if (target == 0)
		return true;
	text = elf_text_at(&reader->elf, target, SETTINGS_TEXT_MAX + 1);
	if (text == NULL)
		return plugin_tables_unreadable(reader, what);
	/* A power of two is full. */
	if ((tables->_text_count & (tables->_text_count - 1)) == 0)
		tables->_texts = xrealloc(tables->_texts,
			tables->_text_count > 0 ? 2 * tables->_text_count : 1, sizeof(*tables->_texts));
	*text_r = tables->_texts[tables->_text_count++] = xstrdup(text);
	return true;
}

/* --- tables of settings, which those of arguments are too ---------------------------- */

static bool
plugin_tables_setting(struct plugin_tables_reader *reader, uint64_t address, const char *what,
	struct bay_setting *row_r)
{
	if (!elf_copy_at(&reader->elf, address, row_r, sizeof(*row_r)))
		return plugin_tables_unreadable(reader, what);
	return plugin_tables_text(reader, address + offsetof(struct bay_setting, name), what,
			&row_r->name) &&
		plugin_tables_text(reader, address + offsetof(struct bay_setting, default_text), what,
			&row_r->default_text) &&
		plugin_tables_text(reader, address + offsetof(struct bay_setting, choices), what,
			&row_r->choices) &&
		plugin_tables_text(reader, address + offsetof(struct bay_setting, help), what,
			&row_r->help);
}

/* The table that the pointer at this address points to, checked; of NULL an empty one. */
static bool
plugin_tables_settings(struct plugin_tables_reader *reader, uint64_t address, const char *what,
	struct bay_setting **table_r)
{
	struct bay_setting *table = xcalloc(1, sizeof(*table));
	uint64_t target;

	*table_r = table;
	if (!elf_pointer_at(&reader->pointers, address, &target))
		return plugin_tables_unreadable(reader, what);
	for (size_t i = 0; target != 0; i++, target += sizeof(*table)) {
		if (!plugin_tables_setting(reader, target, what, &table[i])) {
			table[i] = (struct bay_setting)BAY_END;
			return false;
		}
		if (table[i].type == BAY_SETTING_END)
			break;
		*table_r = table = xrealloc(table, i + 2, sizeof(*table));
		table[i + 1] = (struct bay_setting)BAY_END;
		/* The check sees that there are too many. */
		if (i == SETTINGS_ROWS_MAX)
			break;
	}
	return true;
}

/* --- the table of verbs -------------------------------------------------------------- */

/* Stands for every handler: there is one, and nobody may call it. */
static int
plugin_tables_no_handler(struct bay_request *request)
{
	(void)request;
	return BAY_INVALID;
}

static bool
plugin_tables_verb(struct plugin_tables_reader *reader, uint64_t address, struct bay_verb *row_r)
{
	static const char what[] = "its table of verbs";
	struct bay_setting *arguments;
	uint64_t handle;

	if (!elf_copy_at(&reader->elf, address, row_r, sizeof(*row_r)))
		return plugin_tables_unreadable(reader, what);
	row_r->arguments = NULL;
	if (!plugin_tables_text(reader, address + offsetof(struct bay_verb, name), what, &row_r->name))
		return false;
	if (row_r->name == NULL)
		return true;
	if (!elf_pointer_at(&reader->pointers, address + offsetof(struct bay_verb, handle), &handle))
		return plugin_tables_unreadable(reader, what);
	row_r->handle = handle != 0 ? plugin_tables_no_handler : NULL;
	if (!plugin_tables_text(reader, address + offsetof(struct bay_verb, help), what, &row_r->help))
		return false;
	if (plugin_tables_settings(reader, address + offsetof(struct bay_verb, arguments), what,
		&arguments)) {
		row_r->arguments = arguments;
		return true;
	}
	free(arguments);
	return false;
}

static bool
plugin_tables_verbs(struct plugin_tables_reader *reader, uint64_t address)
{
	struct plugin_tables *tables = reader->tables;
	uint64_t target;

	tables->verbs = xcalloc(1, sizeof(*tables->verbs));
	if (!elf_pointer_at(&reader->pointers, address, &target))
		return plugin_tables_unreadable(reader, "its table of verbs");
	for (size_t i = 0; target != 0; i++, target += sizeof(*tables->verbs)) {
		if (!plugin_tables_verb(reader, target, &tables->verbs[i])) {
			tables->verbs[i] = (struct bay_verb)BAY_VERBS_END;
			return false;
		}
		if (tables->verbs[i].name == NULL)
			break;
		tables->verbs = xrealloc(tables->verbs, i + 2, sizeof(*tables->verbs));
		tables->verbs[i + 1] = (struct bay_verb)BAY_VERBS_END;
		if (i == VERB_TABLE_ROWS_MAX)
			break;
	}
	return true;
}

/* --- the descriptor ------------------------------------------------------------------ */

static bool
plugin_tables_find_descriptor(const struct elf_file *elf, uint64_t *address_r)
{
	ElfW(Sym) symbol;

	for (size_t i = 1; elf_file_symbol(elf, i, &symbol); i++) {
		const char *name = elf_file_string(elf, symbol.st_name);

		if (symbol.st_shndx != SHN_UNDEF && name != NULL && strcmp(name, "bay_plugin_v1") == 0) {
			*address_r = symbol.st_value;
			return true;
		}
	}
	return false;
}

static bool
plugin_tables_descriptor(struct plugin_tables_reader *reader)
{
	struct plugin_tables *tables = reader->tables;
	struct bay_plugin descriptor;
	uint64_t address, handle, run;

	if (!plugin_tables_find_descriptor(&reader->elf, &address) ||
	    !elf_copy_at(&reader->elf, address, &descriptor, sizeof(descriptor)) ||
	    !elf_pointer_at(&reader->pointers, address + offsetof(struct bay_plugin, handle), &handle) ||
	    !elf_pointer_at(&reader->pointers, address + offsetof(struct bay_plugin, run), &run))
		return plugin_tables_unreadable(reader, "its descriptor");
	tables->leaf = (descriptor.flags & BAY_LEAF) != 0;
	tables->handles = handle != 0;
	tables->runs = run != 0;
	if (!plugin_tables_text(reader, address + offsetof(struct bay_plugin, summary), "its summary",
		&tables->summary))
		return false;
	if (!plugin_tables_settings(reader, address + offsetof(struct bay_plugin, settings),
		"its table of settings", &tables->settings) ||
	    !settings_table_check(tables->settings, reader->error))
		return code_fail(reader->error, "plugin-settings");
	return (plugin_tables_verbs(reader, address + offsetof(struct bay_plugin, verbs)) &&
			verb_table_check(tables->verbs, reader->error)) ||
		code_fail(reader->error, "plugin-verbs");
}

bool
plugin_tables_read(const void *data, size_t size, struct plugin_tables **tables_r,
	struct buffer *error)
{
	struct plugin_tables_reader reader = {.error = error};

	*tables_r = NULL;
	if (!elf_file_parse(&reader.elf, data, size, error))
		return code_fail(error, "plugin-elf");
	if (!elf_pointers_init(&reader.pointers, &reader.elf))
		return buffer_fail(error, "broken: its relocations are not in it [plugin-elf]");
	reader.tables = xcalloc(1, sizeof(*reader.tables));
	if (!plugin_tables_descriptor(&reader)) {
		plugin_tables_destroy(reader.tables);
		return false;
	}
	*tables_r = reader.tables;
	return true;
}

void
plugin_tables_destroy(struct plugin_tables *tables)
{
	if (tables == NULL)
		return;
	for (size_t i = 0; tables->verbs != NULL && tables->verbs[i].name != NULL; i++)
		free((void *)(uintptr_t)tables->verbs[i].arguments);
	free(tables->verbs);
	free(tables->settings);
	for (size_t i = 0; i < tables->_text_count; i++)
		free(tables->_texts[i]);
	free(tables->_texts);
	free(tables);
}
