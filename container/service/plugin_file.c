/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/plugin_file.h"

#include <errno.h>
#include <gnu/libc-version.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/code.h"
#include "base/elf_file.h"
#include "service/plugin_import.h"
#include "service/plugin_note.h"

/* A file may say that it has more versions than it has bytes. */
enum { PLUGIN_FILE_VERSIONS_MAX = 100000, PLUGIN_FILE_NAME_MAX = 4096 };

static const char plugin_file_descriptor[] = "bay_plugin_v1";

/* The flags of <elf.h> that are younger than some of its releases. */
#ifndef DF_1_PIE
#define DF_1_PIE 0x08000000
#endif

/* --- lists and clauses ------------------------------------------------------------ */

static void
plugin_names_add(struct plugin_names *names, const char *name)
{
	if (names->count >= PLUGIN_FILE_NAMES_MAX)
		return;
	/* A power of two is full. */
	if ((names->count & (names->count - 1)) == 0)
		names->items = xrealloc(names->items, names->count > 0 ? 2 * names->count : 1,
			sizeof(*names->items));
	names->items[names->count++] = xstrndup(name, PLUGIN_FILE_NAME_MAX);
}

static void
plugin_names_finish(struct plugin_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
}

static void __attribute__((format(printf, 2, 3)))
plugin_facts_warn(struct plugin_facts *facts, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	plugin_names_add(&facts->warnings, text);
}

static void __attribute__((format(printf, 2, 3)))
plugin_facts_linger(struct plugin_facts *facts, const char *format, ...)
{
	char text[512];
	va_list args;
	char *joined;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (facts->lingers == NULL) {
		facts->lingers = xstrdup(text);
	} else if (strlen(facts->lingers) < sizeof(text)) {
		joined = xasprintf("%s; %s", facts->lingers, text);
		free(facts->lingers);
		facts->lingers = joined;
	}
}

/* --- what the loader is told --------------------------------------------------------- */

/* False: this would make every stack of the process executable, or change code in memory. */
static bool
plugin_file_check_stack(const struct elf_file *elf, struct plugin_facts *facts,
	struct buffer *error)
{
	ElfW(Phdr) segment;
	bool stated = false;

	for (size_t i = 0; elf_file_segment(elf, i, &segment); i++) {
		if (segment.p_type == PT_LOAD && (segment.p_flags & PF_W) != 0 &&
		    (segment.p_flags & PF_X) != 0)
			plugin_facts_warn(facts, "it has memory that is writable and executable");
		if (segment.p_type != PT_GNU_STACK)
			continue;
		stated = true;
		if ((segment.p_flags & PF_X) != 0)
			return buffer_fail(error, "it asks for an executable stack: link it with "
				"-z noexecstack, and do without pointers to nested functions");
	}
	if (!stated)
		return buffer_fail(error, "it does not say that its stack need not be executable: "
			"link it with -z noexecstack");
	return true;
}

static bool
plugin_file_check_flags(const struct elf_file *elf, struct plugin_facts *facts,
	struct buffer *error)
{
	uint64_t flags = 0, flags_1 = 0, ignored;

	(void)!elf_file_dynamic_value(elf, DT_FLAGS, &flags);
	(void)!elf_file_dynamic_value(elf, DT_FLAGS_1, &flags_1);
	if ((flags_1 & DF_1_PIE) != 0)
		return buffer_fail(error, "a program (position independent), not a shared object: "
			"link it with -shared");
	if ((flags_1 & DF_1_NOOPEN) != 0)
		return buffer_fail(error, "it must not be loaded into a running process: link it "
			"without -z nodlopen");
	if ((flags & DF_TEXTREL) != 0 || elf_file_dynamic_value(elf, DT_TEXTREL, &ignored))
		return buffer_fail(error, "it has text relocations: compile all of it with -fPIC");
	if ((flags_1 & DF_1_NODELETE) != 0)
		plugin_facts_linger(facts, "it is linked with -z nodelete");
	if ((flags_1 & DF_1_GLOBAL) != 0)
		plugin_facts_warn(facts, "its symbols show in every other plugin (-z global)");
	if ((flags & DF_STATIC_TLS) != 0)
		plugin_facts_warn(facts, "it uses static thread-local storage, of which a process "
			"has little (compile it without -ftls-model=initial-exec)");
	return true;
}

/* The libraries that it needs, and where it looks for them. */
static bool
plugin_file_read_libraries(const struct elf_file *elf, struct plugin_facts *facts,
	struct buffer *error)
{
	ElfW(Dyn) entry;

	for (size_t i = 0; elf_file_dynamic(elf, i, &entry); i++) {
		bool path = entry.d_tag == DT_RUNPATH || entry.d_tag == DT_RPATH;
		const char *text;

		if (entry.d_tag != DT_NEEDED && entry.d_tag != DT_SONAME && !path)
			continue;
		text = elf_file_string(elf, entry.d_un.d_val);
		if (text == NULL)
			return buffer_fail(error, "broken: the name of a library is not in it");
		if (entry.d_tag == DT_NEEDED)
			plugin_names_add(&facts->libraries, text);
		else if (path && facts->search_path == NULL)
			facts->search_path = xstrndup(text, PLUGIN_FILE_NAME_MAX);
		else if (!path && facts->soname == NULL)
			facts->soname = xstrndup(text, PLUGIN_FILE_NAME_MAX);
	}
	if (facts->search_path != NULL && strstr(facts->search_path, "ORIGIN") != NULL)
		plugin_facts_warn(facts, "it looks for libraries beside itself (%s): they are not "
			"copied with it, so replace them by renaming, and only a new cell has the "
			"new ones", facts->search_path);
	return true;
}

/* --- versions of glibc ------------------------------------------------------------------ */

static bool
plugin_file_read_version(const char *text, unsigned version_r[3])
{
	version_r[0] = version_r[1] = version_r[2] = 0;
	return sscanf(text, "%u.%u.%u", &version_r[0], &version_r[1], &version_r[2]) >= 2;
}

static bool
plugin_file_is_newer(const unsigned a[3], const unsigned b[3])
{
	for (size_t i = 0; i < 3; i++)
		if (a[i] != b[i])
			return a[i] > b[i];
	return false;
}

static void
plugin_file_need_glibc(struct plugin_facts *facts, const char *name)
{
	unsigned version[3], highest[3] = {0};

	if (strncmp(name, "GLIBC_", 6) != 0)
		return;
	name += 6;
	if (strcmp(name, "PRIVATE") == 0)
		plugin_facts_warn(facts, "it uses private parts of glibc, which change without notice");
	if (strcmp(name, "ABI_DT_RELR") == 0)
		name = "2.36";
	if (!plugin_file_read_version(name, version))
		return;
	(void)!plugin_file_read_version(facts->glibc, highest);
	if (plugin_file_is_newer(version, highest))
		snprintf(facts->glibc, sizeof(facts->glibc), "%.*s",
			(int)sizeof(facts->glibc) - 1, name);
}

/* The versions that are needed of one library. */
static bool
plugin_file_read_needs(const struct elf_file *elf, struct plugin_facts *facts, uint64_t offset,
	unsigned count, unsigned *budget)
{
	ElfW(Vernaux) need;
	const char *name;

	for (; count > 0; count--) {
		if (*budget == 0 || !elf_file_copy(elf, offset, &need, sizeof(need)))
			return false;
		--*budget;
		name = elf_file_string(elf, need.vna_name);
		if (name == NULL)
			return false;
		if ((need.vna_flags & VER_FLG_WEAK) == 0)
			plugin_file_need_glibc(facts, name);
		if (need.vna_next == 0)
			return true;
		offset += need.vna_next;
	}
	return true;
}

static bool
plugin_file_read_versions(const struct elf_file *elf, struct plugin_facts *facts,
	struct buffer *error)
{
	unsigned budget = PLUGIN_FILE_VERSIONS_MAX, needed[3], here[3];
	struct elf_span span;
	uint64_t address, offset;
	ElfW(Verneed) library;

	if (!elf_file_dynamic_value(elf, DT_VERNEED, &address))
		return true;
	if (!elf_file_at(elf, address, &span))
		goto broken;
	for (offset = span.offset;; offset += library.vn_next) {
		if (budget-- == 0 || !elf_file_copy(elf, offset, &library, sizeof(library)) ||
		    !plugin_file_read_needs(elf, facts, offset + library.vn_aux, library.vn_cnt,
			&budget))
			goto broken;
		if (library.vn_next == 0)
			break;
	}
	if (plugin_file_read_version(facts->glibc, needed) &&
	    plugin_file_read_version(gnu_get_libc_version(), here) &&
	    plugin_file_is_newer(needed, here))
		return buffer_fail(error, "it needs glibc %s, this machine has %s: build it on this "
			"machine or on an older one", facts->glibc, gnu_get_libc_version());
	return true;

broken:
	return buffer_fail(error, "broken: its table of needed versions leads nowhere [plugin-elf]");
}

/* --- symbols ------------------------------------------------------------------------------- */

static bool
plugin_file_read_import(struct plugin_facts *facts, const char *name, struct buffer *error)
{
	const struct plugin_import *import = plugin_import_find(name);

	plugin_names_add(&facts->undefined, name);
	if (import == NULL)
		return true;
	switch (import->effect) {
	case PLUGIN_IMPORT_REFUSES:
		return buffer_fail(error, "%s [plugin-import]", import->meaning);
	case PLUGIN_IMPORT_LINGERS:
		plugin_facts_linger(facts, "%s (%.64s)", import->meaning, name);
		return true;
	case PLUGIN_IMPORT_WARNS:
		break;
	}
	plugin_facts_warn(facts, "%s (%.64s)", import->meaning, name);
	return true;
}

/* A symbol that it defines itself. True: it is the descriptor. */
static bool
plugin_file_read_export(struct plugin_facts *facts, const ElfW(Sym) *symbol, const char *name,
	char first_unique[64])
{
	unsigned binding = ELF64_ST_BIND(symbol->st_info);

	if (binding == STB_GNU_UNIQUE && facts->unique_symbols++ == 0)
		snprintf(first_unique, 64, "%s", name);
	return binding == STB_GLOBAL && ELF64_ST_TYPE(symbol->st_info) == STT_OBJECT &&
		ELF64_ST_VISIBILITY(symbol->st_other) != STV_HIDDEN &&
		ELF64_ST_VISIBILITY(symbol->st_other) != STV_INTERNAL &&
		strcmp(name, plugin_file_descriptor) == 0;
}

static bool
plugin_file_read_symbols(const struct elf_file *elf, struct plugin_facts *facts,
	struct buffer *error)
{
	char first_unique[64] = "";
	bool described = false;
	ElfW(Sym) symbol;

	/* The first one is nobody's. */
	for (size_t i = 1; elf_file_symbol(elf, i, &symbol); i++) {
		const char *name = elf_file_string(elf, symbol.st_name);

		if (name == NULL)
			return buffer_fail(error, "broken: the name of a symbol is not in it");
		if (symbol.st_shndx != SHN_UNDEF) {
			if (plugin_file_read_export(facts, &symbol, name, first_unique))
				described = true;
		} else if (ELF64_ST_BIND(symbol.st_info) != STB_WEAK && name[0] != '\0' &&
		    !plugin_file_read_import(facts, name, error)) {
			return false;
		}
	}
	if (!described)
		return buffer_fail(error, "it has a Bay note, but does not export %s: does a "
			"version script or strip hide it? [plugin-note]", plugin_file_descriptor);
	if (facts->unique_symbols > 0)
		plugin_facts_linger(facts, "it has %zu symbols of which a process keeps one for "
			"ever, such as %s (compile it with -fno-gnu-unique)",
			facts->unique_symbols, first_unique);
	return true;
}

/* --- the whole ----------------------------------------------------------------------------- */

static bool
plugin_file_judge(const struct elf_file *elf, struct plugin_facts *facts, struct buffer *error)
{
	if (!plugin_note_read(elf, &facts->note, error))
		return code_fail(error, "plugin-note");
	if (!plugin_file_check_flags(elf, facts, error) ||
	    !plugin_file_check_stack(elf, facts, error))
		return code_fail(error, "plugin-link");
	if (!plugin_file_read_versions(elf, facts, error))
		return code_fail(error, "plugin-glibc");
	return (plugin_file_read_libraries(elf, facts, error) &&
			plugin_file_read_symbols(elf, facts, error)) ||
		code_fail(error, "plugin-elf");
}

bool
plugin_file_parse(const void *data, size_t size, struct plugin_facts **facts_r,
	struct buffer *error)
{
	struct plugin_facts *facts;
	struct elf_file elf;
	char name[sizeof(facts->machine)];

	*facts_r = NULL;
	if (!elf_file_parse(&elf, data, size, error))
		return code_fail(error, "plugin-elf");
	facts = xcalloc(1, sizeof(*facts));
	facts->size = size;
	snprintf(facts->machine, sizeof(facts->machine), "%s",
		elf_machine_name(elf.header.e_machine, name, sizeof(name)));
	if (!plugin_file_judge(&elf, facts, error)) {
		plugin_facts_destroy(facts);
		return false;
	}
	hash_memory(data, size, facts->sha256);
	*facts_r = facts;
	return true;
}

static bool
plugin_file_check_kind(int fd, size_t *size_r, struct buffer *error)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return buffer_fail(error, "it cannot be looked at: %s", strerror(errno));
	if (S_ISDIR(st.st_mode))
		return buffer_fail(error, "a directory, not a plugin");
	if (!S_ISREG(st.st_mode))
		return buffer_fail(error, "not a regular file");
	if (st.st_size == 0)
		return buffer_fail(error, "empty: is it still being written?");
	if (st.st_size > PLUGIN_FILE_MAX)
		return buffer_fail(error, "too big: it has %lld bytes, a plugin has %d at most",
			(long long)st.st_size, PLUGIN_FILE_MAX);
	*size_r = (size_t)st.st_size;
	return true;
}

static bool
plugin_file_load(int fd, uint8_t *data, size_t size, struct buffer *error)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(fd, data + done, size - done, (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return buffer_fail(error, "it cannot be read: %s", strerror(errno));
		if (got == 0)
			return buffer_fail(error, "it became shorter while it was read: try again "
				"when it is written");
		done += (size_t)got;
	}
	return true;
}

bool
plugin_file_read(int fd, struct plugin_facts **facts_r, struct buffer *error)
{
	uint8_t *data;
	size_t size = 0;
	bool done;

	*facts_r = NULL;
	if (!plugin_file_check_kind(fd, &size, error))
		return code_fail(error, "plugin-file");
	data = malloc(size);
	if (data == NULL)
		return buffer_fail(error, "no memory for its %zu bytes [no-memory]", size);
	done = (plugin_file_load(fd, data, size, error) || code_fail(error, "plugin-file")) &&
		plugin_file_parse(data, size, facts_r, error);
	free(data);
	return done;
}

void
plugin_facts_destroy(struct plugin_facts *facts)
{
	if (facts == NULL)
		return;
	plugin_names_finish(&facts->libraries);
	plugin_names_finish(&facts->undefined);
	plugin_names_finish(&facts->warnings);
	free(facts->soname);
	free(facts->search_path);
	free(facts->lingers);
	free(facts);
}
