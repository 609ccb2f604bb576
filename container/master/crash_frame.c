/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/crash_frame.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/elf_symbols.h"
#include "base/text.h"
#include "protocol/varlink.h"

/* A trace goes through few objects. */
enum { CRASH_NAMES_FILES = 16 };

struct crash_file {
	char path[CRASH_PATH_SIZE];
	struct elf_symbols *symbols; /* NULL: it has none that can be read */
};

struct crash_names {
	const struct crash_area *area;
	struct crash_file files[CRASH_NAMES_FILES];
	size_t count;
};

/* All that is known of a place. */
struct crash_spot {
	bool known; /* object is */
	struct crash_object_view object;
	uint64_t in_file;   /* the address as the file has it */
	const char *symbol; /* or NULL */
	uint64_t offset;
};

struct crash_names *
crash_names_create(const struct crash_area *area)
{
	struct crash_names *names = xcalloc(1, sizeof(*names));

	names->area = area;
	return names;
}

void
crash_names_destroy(struct crash_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		elf_symbols_close(names->files[i].symbols);
	free(names);
}

static const struct elf_symbols *
crash_names_symbols(struct crash_names *names, const char *path)
{
	struct crash_file *file;

	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->files[i].path, path) == 0)
			return names->files[i].symbols;
	if (names->count == CRASH_NAMES_FILES || path[0] != '/')
		return NULL;
	file = &names->files[names->count++];
	snprintf(file->path, sizeof(file->path), "%s", path);
	file->symbols = elf_symbols_open(path);
	return file->symbols;
}

static void
crash_names_find(struct crash_names *names, uint64_t address, struct crash_spot *spot)
{
	const struct elf_symbols *symbols;

	memset(spot, 0, sizeof(*spot));
	spot->known = crash_area_find_object(names->area, address, &spot->object);
	if (!spot->known)
		return;
	spot->in_file = address - spot->object.bias;
	symbols = crash_names_symbols(names, spot->object.path);
	if (symbols != NULL)
		spot->symbol = elf_symbols_find(symbols, spot->in_file, &spot->offset);
}

static const char *
crash_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

json_t *
crash_names_report(struct crash_names *names, uint64_t address)
{
	char build_id[2 * CRASH_BUILD_ID_SIZE + 1] = "";
	struct crash_spot spot;
	char number[24];
	json_t *frame;

	crash_names_find(names, address, &spot);
	snprintf(number, sizeof(number), "0x%" PRIx64, address);
	frame = json_pack("{s:s}", "address", number);
	if (!spot.known)
		return frame;
	for (size_t i = 0; i < spot.object.build_id_size; i++)
		snprintf(build_id + 2 * i, 3, "%02x", spot.object.build_id[i]);
	snprintf(number, sizeof(number), "0x%" PRIx64, spot.in_file);
	json_object_set_new(frame, "object", varlink_text(crash_base_name(spot.object.path)));
	json_object_set_new(frame, "path", varlink_text(spot.object.path));
	json_object_set_new(frame, "build_id", json_string(build_id));
	json_object_set_new(frame, "in_object", json_string(number));
	if (spot.symbol != NULL) {
		json_object_set_new(frame, "function", varlink_text(spot.symbol));
		json_object_set_new(frame, "offset", json_integer((json_int_t)spot.offset));
	}
	return frame;
}

bool
crash_names_print(struct crash_names *names, uint64_t address, struct buffer *text)
{
	struct crash_spot spot;
	const char *name;

	crash_names_find(names, address, &spot);
	if (spot.symbol == NULL && !buffer_printf(text, "0x%" PRIx64, spot.known ? spot.in_file : address))
		return false;
	if (spot.symbol != NULL && (!text_escape(text, spot.symbol, strlen(spot.symbol)) ||
	    !buffer_printf(text, "+0x%" PRIx64, spot.offset)))
		return false;
	if (!spot.known)
		return true;
	name = crash_base_name(spot.object.path);
	return buffer_append_text(text, " in ") && text_escape(text, name, strlen(name));
}
