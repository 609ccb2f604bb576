/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/plugin_note.h"

#include <stddef.h>
#include <string.h>

#include "base/buffer.h"
#include "base/code.h"
#include "base/elf_file.h"

/* What has been found so far. */
struct plugin_note_search {
	const struct elf_file *elf;
	uint64_t offset; /* of the note */
	unsigned count;  /* of different Bay notes */
	unsigned budget; /* of notes of any kind still to be looked at */
};

enum {
	PLUGIN_NOTE_BUDGET = 100000,
	/* Up to here a note of any ABI, past and future, is the same. */
	PLUGIN_NOTE_FROZEN = offsetof(struct bay_plugin_note, descriptor_size)
};

/* --- finding it ----------------------------------------------------------------- */

static void
plugin_note_found(struct plugin_note_search *search, uint64_t offset)
{
	if (search->count > 0 && search->offset == offset)
		return;
	search->offset = offset;
	search->count++;
}

/* Walks the notes of one segment or section. */
static void
plugin_note_walk(struct plugin_note_search *search, uint64_t offset, uint64_t size,
	uint64_t alignment)
{
	uint64_t step = alignment == 8 ? 8 : 4;
	uint64_t end = offset + size;
	ElfW(Nhdr) header;
	char owner[sizeof(BAY_NOTE_OWNER)];

	while (offset < end && end - offset >= sizeof(header) && search->budget > 0) {
		uint64_t length = sizeof(header);

		search->budget--;
		if (!elf_file_copy(search->elf, offset, &header, sizeof(header)))
			return;
		length = (length + header.n_namesz + step - 1) / step * step;
		length = (length + header.n_descsz + step - 1) / step * step;
		if (length > end - offset)
			return;
		if (header.n_type == BAY_NOTE_TYPE && header.n_namesz == sizeof(owner) &&
		    elf_file_copy(search->elf, offset + sizeof(header), owner, sizeof(owner)) &&
		    memcmp(owner, BAY_NOTE_OWNER, sizeof(owner)) == 0)
			plugin_note_found(search, offset);
		offset += length;
	}
}

/* Linkers put a note section into a note segment, a linker script may forget to. */
static bool
plugin_note_find(struct plugin_note_search *search, struct buffer *error)
{
	ElfW(Phdr) segment;
	ElfW(Shdr) section;

	for (size_t i = 0; elf_file_segment(search->elf, i, &segment); i++)
		if (segment.p_type == PT_NOTE)
			plugin_note_walk(search, segment.p_offset, segment.p_filesz,
				segment.p_align);
	for (size_t i = 0; elf_file_section(search->elf, i, &section); i++)
		if (section.sh_type == SHT_NOTE)
			plugin_note_walk(search, section.sh_offset, section.sh_size,
				section.sh_addralign);
	if (search->count == 0)
		return buffer_fail(error, "no Bay note in it: is it a Bay plugin? "
			"BAY_PLUGIN(...) writes the note");
	if (search->count > 1)
		return buffer_fail(error, "%u Bay notes in it: a plugin has one BAY_PLUGIN(...)",
			search->count);
	return true;
}

/* --- believing it --------------------------------------------------------------- */

/* What bay_service() takes for a name too. */
static bool
plugin_note_is_name(const char *name, size_t size)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz0123456789_.-";
	size_t length = strnlen(name, size);

	return length > 0 && length < size && strspn(name, allowed) == length;
}

static bool
plugin_note_is_version(const char *version, size_t size)
{
	size_t length = strnlen(version, size);

	for (size_t i = 0; i < length; i++)
		if (version[i] <= ' ' || version[i] > '~')
			return false;
	return length > 0 && length < size;
}

static bool
plugin_note_check_abi(const struct bay_plugin_note *note, struct buffer *error)
{
	if (note->abi_major != BAY_ABI_MAJOR)
		return buffer_fail(error, "it needs ABI %u.%u, this container offers %u.%u: "
			"compile it with the headers of this container", note->abi_major,
			note->abi_minor, BAY_ABI_MAJOR, BAY_ABI_MINOR);
	if (note->abi_minor > BAY_ABI_MINOR)
		return buffer_fail(error, "it needs ABI %u.%u, this container offers %u.%u: "
			"upgrade the container, or compile the plugin with the headers of %u.%u",
			note->abi_major, note->abi_minor, BAY_ABI_MAJOR, BAY_ABI_MINOR,
			BAY_ABI_MAJOR, BAY_ABI_MINOR);
	return true;
}

static bool
plugin_note_check(const struct bay_plugin_note *note, struct buffer *error)
{
	if (note->desc_size < BAY_NOTE_DESC_SIZE)
		return buffer_fail(error, "broken: its Bay note has %u bytes, fewer than the %u "
			"of ABI %u.%u", note->desc_size, BAY_NOTE_DESC_SIZE, note->abi_major,
			note->abi_minor);
	if (!plugin_note_is_name(note->plugin_name, sizeof(note->plugin_name)))
		return buffer_fail(error, "broken: the plugin name in its Bay note is not made "
			"of letters, digits, '_', '.' and '-' (at most 47)");
	if (!plugin_note_is_version(note->plugin_version, sizeof(note->plugin_version)))
		return buffer_fail(error, "broken: the version of plugin %s in its Bay note is "
			"not printable text (at most 23 characters without blanks)",
			note->plugin_name);
	if (note->descriptor_size < sizeof(struct bay_plugin))
		return buffer_fail(error, "broken: its descriptor has %u bytes, fewer than the "
			"%zu of ABI %u.%u", note->descriptor_size, sizeof(struct bay_plugin),
			BAY_ABI_MAJOR, 0u);
	return true;
}

bool
plugin_note_read(const struct elf_file *elf, struct bay_plugin_note *note_r,
	struct buffer *error)
{
	struct plugin_note_search search = {.elf = elf, .budget = PLUGIN_NOTE_BUDGET};
	size_t size = sizeof(*note_r);

	memset(note_r, 0, sizeof(*note_r));
	if (!plugin_note_find(&search, error))
		return false;
	if (!elf_file_copy(elf, search.offset, note_r, PLUGIN_NOTE_FROZEN) ||
	    note_r->desc_size < PLUGIN_NOTE_FROZEN - offsetof(struct bay_plugin_note, magic) ||
	    note_r->magic != BAY_NOTE_MAGIC)
		return buffer_fail(error, "broken: its Bay note does not begin as one does");
	if (!plugin_note_check_abi(note_r, error))
		return code_fail(error, "plugin-abi");
	if (note_r->desc_size >= BAY_NOTE_DESC_SIZE &&
	    !elf_file_copy(elf, search.offset, note_r, size))
		return buffer_fail(error, "broken: its Bay note is cut");
	return plugin_note_check(note_r, error);
}
