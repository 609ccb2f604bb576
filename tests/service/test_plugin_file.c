/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Refusals are tested by what a person would look for in the sentence. Broken files are made
 * from a good one, in memory.
 */
#include "config.h"

#include "service/plugin_file.h"

#include <elf.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "support/check_main.h"

#define PLUGINS TOP_BUILDDIR "/tests/support/plugins/"

static void
read_bytes(const char *name, struct buffer *bytes)
{
	char path[512];

	snprintf(path, sizeof(path), PLUGINS "%s.so", name);
	ck_assert_msg(fd_read_file(AT_FDCWD, path, 0, PLUGIN_FILE_MAX, bytes), "%s", path);
}

static struct plugin_facts *
facts_of(const char *name)
{
	struct buffer bytes = {0}, error = {0};
	struct plugin_facts *facts;

	read_bytes(name, &bytes);
	ck_assert_msg(plugin_file_parse(bytes.data, bytes.size, &facts, &error), "%s: %s", name,
		buffer_text(&error));
	ck_assert_uint_eq(error.size, 0);
	buffer_finish(&bytes);
	return facts;
}

static void
assert_bytes_refused(const struct buffer *bytes, const char *what, const char *wanted)
{
	struct buffer error = {0};
	struct plugin_facts *facts;

	ck_assert_msg(!plugin_file_parse(bytes->data, bytes->size, &facts, &error),
		"%s was accepted", what);
	ck_assert_ptr_null(facts);
	ck_assert_msg(strstr(buffer_text(&error), wanted) != NULL, "%s: '%s' lacks '%s'", what,
		buffer_text(&error), wanted);
	buffer_finish(&error);
}

static void
assert_refused(const char *name, const char *wanted)
{
	struct buffer bytes = {0};

	read_bytes(name, &bytes);
	assert_bytes_refused(&bytes, name, wanted);
	buffer_finish(&bytes);
}

static void
assert_fd_refused(int fd, const char *wanted)
{
	struct buffer error = {0};
	struct plugin_facts *facts;

	ck_assert_int_ge(fd, 0);
	ck_assert(!plugin_file_read(fd, &facts, &error));
	ck_assert_msg(strstr(buffer_text(&error), wanted) != NULL, "'%s' lacks '%s'",
		buffer_text(&error), wanted);
	buffer_finish(&error);
	close(fd);
}

static bool
has_name(const struct plugin_names *names, const char *part)
{
	for (size_t i = 0; i < names->count; i++)
		if (strstr(names->items[i], part) != NULL)
			return true;
	return false;
}

/* --- good files ------------------------------------------------------------------- */

START_TEST(a_good_plugin_is_described_without_running_it)
{
	struct plugin_facts *facts = facts_of("good");

	ck_assert_str_eq(facts->note.plugin_name, "good");
	ck_assert_str_eq(facts->note.plugin_version, "1.2.3");
	ck_assert_uint_eq(facts->note.abi_major, BAY_ABI_MAJOR);
	ck_assert_uint_eq(facts->note.abi_minor, BAY_ABI_MINOR);
	ck_assert_uint_eq(facts->note.descriptor_size, sizeof(struct bay_plugin));
	ck_assert_uint_gt(facts->size, 1000);
	ck_assert_uint_eq(strlen(facts->sha256), 64);
	ck_assert_uint_gt(strlen(facts->machine), 0);
	ck_assert_ptr_null(facts->lingers);
	ck_assert_uint_eq(facts->warnings.count, 0);
	plugin_facts_destroy(facts);
}
END_TEST

START_TEST(reading_from_a_descriptor_gives_the_same_facts)
{
	struct plugin_facts *from_bytes = facts_of("good"), *from_fd;
	int fd = open(PLUGINS "good.so", O_RDONLY);
	struct buffer error = {0};

	ck_assert(plugin_file_read(fd, &from_fd, &error));
	ck_assert_str_eq(from_fd->sha256, from_bytes->sha256);
	ck_assert_uint_eq(from_fd->size, from_bytes->size);
	plugin_facts_destroy(from_fd);
	plugin_facts_destroy(from_bytes);
	close(fd);
}
END_TEST

START_TEST(libraries_and_undefined_symbols_are_listed)
{
	struct plugin_facts *facts = facts_of("needs_library");

	ck_assert(has_name(&facts->libraries, "libbay-test-missing.so.9"));
	ck_assert(has_name(&facts->undefined, "bay_test_missing"));
	plugin_facts_destroy(facts);
}
END_TEST

START_TEST(the_needed_glibc_is_not_newer_than_the_one_it_was_linked_with)
{
	struct plugin_facts *facts = facts_of("starts_threads");

	ck_assert_int_eq(strncmp(facts->glibc, "2.", 2), 0);
	plugin_facts_destroy(facts);
}
END_TEST

START_TEST(what_keeps_a_plugin_in_the_process_is_said)
{
	static const char *const cases[][2] = {
		{"nodelete", "nodelete"},
		{"starts_threads", "starts threads (pthread_create)"},
		{"unique", "bay_test_unique"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct plugin_facts *facts = facts_of(cases[i][0]);

		ck_assert_ptr_nonnull(facts->lingers);
		ck_assert_msg(strstr(facts->lingers, cases[i][1]) != NULL, "%s", facts->lingers);
		plugin_facts_destroy(facts);
	}
}
END_TEST

START_TEST(calls_that_harm_a_whole_cell_are_warned_of)
{
	struct plugin_facts *facts = facts_of("starts_threads");

	ck_assert(has_name(&facts->warnings, "(exit)"));
	plugin_facts_destroy(facts);
	facts = facts_of("origin");
	ck_assert(has_name(&facts->warnings, "$ORIGIN/lib"));
	ck_assert_str_eq(facts->search_path, "$ORIGIN/lib");
	plugin_facts_destroy(facts);
}
END_TEST

START_TEST(bytes_behind_the_end_do_not_matter)
{
	struct buffer bytes = {0}, error = {0};
	struct plugin_facts *facts;

	read_bytes("good", &bytes);
	ck_assert(buffer_append(&bytes, "a signature, perhaps", 20));
	ck_assert(plugin_file_parse(bytes.data, bytes.size, &facts, &error));
	plugin_facts_destroy(facts);
	buffer_finish(&bytes);
}
END_TEST

/* --- things that are no plugins ------------------------------------------------------ */

START_TEST(what_is_no_shared_object_is_shown_by_its_beginning)
{
	struct buffer bytes = {0};

	ck_assert(buffer_append_text(&bytes, "#!/bin/sh\necho hello\n"));
	assert_bytes_refused(&bytes, "a script", "begins with '#!/bin/sh'");
	buffer_clear(&bytes);
	ck_assert(buffer_append(&bytes, "\x1f\x8b\x08\x00", 4));
	assert_bytes_refused(&bytes, "an archive", "begins with the bytes 1f 8b 08 00");
	buffer_clear(&bytes);
	assert_bytes_refused(&bytes, "nothing", "empty");
	buffer_finish(&bytes);
}
END_TEST

START_TEST(directories_devices_and_empty_files_are_called_what_they_are)
{
	assert_fd_refused(open("/", O_RDONLY | O_DIRECTORY), "a directory");
	assert_fd_refused(open("/dev/null", O_RDONLY), "not a regular file");
	assert_fd_refused(memfd_create("empty", MFD_CLOEXEC), "empty");
}
END_TEST

START_TEST(a_file_beyond_the_limit_is_not_even_read)
{
	int fd = memfd_create("huge", MFD_CLOEXEC);

	ck_assert_int_eq(ftruncate(fd, (off_t)PLUGIN_FILE_MAX + 1), 0);
	assert_fd_refused(fd, "too big");
}
END_TEST

START_TEST(other_kinds_of_elf_files_are_named)
{
	static const struct {
		uint16_t type;
		const char *wanted;
	} cases[] = {
		{ET_REL, "not linked yet"},
		{ET_EXEC, "a program"},
		{ET_CORE, "core dump"},
		{77, "ELF type is 77"},
	};
	struct buffer bytes = {0};

	read_bytes("good", &bytes);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		memcpy(bytes.data + offsetof(ElfW(Ehdr), e_type), &cases[i].type, 2);
		assert_bytes_refused(&bytes, "another type", cases[i].wanted);
	}
	buffer_finish(&bytes);
}
END_TEST

START_TEST(another_machine_is_named_together_with_this_one)
{
	struct buffer bytes = {0};
	uint16_t machine = EM_S390;

	read_bytes("good", &bytes);
	memcpy(bytes.data + offsetof(ElfW(Ehdr), e_machine), &machine, sizeof(machine));
	assert_bytes_refused(&bytes, "s390", "built for s390 (64 bits)");
	assert_bytes_refused(&bytes, "s390", "this container runs on");
	machine = 4242;
	memcpy(bytes.data + offsetof(ElfW(Ehdr), e_machine), &machine, sizeof(machine));
	assert_bytes_refused(&bytes, "unheard of", "machine 4242");
	buffer_finish(&bytes);
}
END_TEST

START_TEST(another_class_byte_order_or_system_is_named)
{
	struct buffer bytes = {0};
	uint8_t *ident;

	read_bytes("good", &bytes);
	ident = bytes.data;
	ident[EI_CLASS] ^= ELFCLASS32 ^ ELFCLASS64;
	assert_bytes_refused(&bytes, "class", sizeof(void *) == 8 ? "(32 bits)" : "(64 bits)");
	ident[EI_CLASS] = 9;
	assert_bytes_refused(&bytes, "no class", "neither 32 nor 64 bits");
	ident[EI_CLASS] = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
	ident[EI_DATA] ^= ELFDATA2LSB ^ ELFDATA2MSB;
	assert_bytes_refused(&bytes, "byte order", "other byte order");
	ident[EI_DATA] ^= ELFDATA2LSB ^ ELFDATA2MSB;
	ident[EI_OSABI] = ELFOSABI_FREEBSD;
	assert_bytes_refused(&bytes, "system", "another operating system");
	buffer_finish(&bytes);
}
END_TEST

START_TEST(a_program_is_not_taken_for_a_plugin)
{
	assert_fd_refused(open("/proc/self/exe", O_RDONLY), "no Bay note");
}
END_TEST

/* --- plugins that do not fit ------------------------------------------------------------ */

START_TEST(bad_plugins_are_refused_with_what_to_do)
{
	static const char *const cases[][2] = {
		{"no_note", "no Bay note in it: is it a Bay plugin?"},
		{"abi_major", "needs ABI 7.0, this container offers 1.0"},
		{"abi_minor", "needs ABI 1.999, this container offers 1.0: upgrade"},
		{"execstack", "executable stack"},
#if !defined(BAY_ASAN)
		{"asan", "-fsanitize=address"},
#endif
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_refused(cases[i][0], cases[i][1]);
}
END_TEST

/* Finds bytes in the file and puts others there. */
static void
patch(struct buffer *bytes, const void *from, const void *to, size_t size)
{
	uint8_t *at = memmem(bytes->data, bytes->size, from, size);

	ck_assert_ptr_nonnull(at);
	memcpy(at, to, size);
}

static uint8_t *
find_note(struct buffer *bytes)
{
	static const char magic[] = "BAYP";
	uint8_t *at = memmem(bytes->data, bytes->size, magic, 4);

	ck_assert_ptr_nonnull(at);
	return at - offsetof(struct bay_plugin_note, magic);
}

START_TEST(a_note_that_makes_no_sense_is_refused)
{
	static const struct {
		size_t offset;
		uint8_t value;
		size_t count;
		const char *wanted;
	} cases[] = {
		{offsetof(struct bay_plugin_note, magic), 0, 1, "does not begin as one does"},
		{offsetof(struct bay_plugin_note, desc_size), 4, 1, "does not begin as one does"},
		{offsetof(struct bay_plugin_note, desc_size), 80, 1, "has 80 bytes"},
		{offsetof(struct bay_plugin_note, descriptor_size), 8, 1, "descriptor has 8 bytes"},
		{offsetof(struct bay_plugin_note, plugin_name), 'x', 48, "plugin name"},
		{offsetof(struct bay_plugin_note, plugin_name), '/', 1, "plugin name"},
		{offsetof(struct bay_plugin_note, plugin_name), 0, 1, "plugin name"},
		{offsetof(struct bay_plugin_note, plugin_version), '1', 24, "version"},
		{offsetof(struct bay_plugin_note, plugin_version), 0x1b, 1, "version"},
		{offsetof(struct bay_plugin_note, owner), 'b', 1, "no Bay note"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buffer bytes = {0};

		read_bytes("good", &bytes);
		memset(find_note(&bytes) + cases[i].offset, cases[i].value, cases[i].count);
		assert_bytes_refused(&bytes, "a patched note", cases[i].wanted);
		buffer_finish(&bytes);
	}
}
END_TEST

START_TEST(a_newer_glibc_is_named_together_with_the_one_here)
{
	struct plugin_facts *facts = facts_of("starts_threads");
	struct buffer bytes = {0};
	char from[PLUGIN_FILE_GLIBC_SIZE + 8], to[PLUGIN_FILE_GLIBC_SIZE + 8];

	/* 2.34 becomes 9.34, of the same length. */
	snprintf(from, sizeof(from), "GLIBC_%s", facts->glibc);
	snprintf(to, sizeof(to), "GLIBC_9%s", facts->glibc + 1);
	read_bytes("starts_threads", &bytes);
	patch(&bytes, from, to, strlen(from) + 1);
	assert_bytes_refused(&bytes, "from the future", to + 6);
	assert_bytes_refused(&bytes, "from the future", gnu_get_libc_version());
	buffer_finish(&bytes);
	plugin_facts_destroy(facts);
}
END_TEST

START_TEST(a_hidden_descriptor_is_missed)
{
	struct buffer bytes = {0};

	read_bytes("good", &bytes);
	patch(&bytes, "bay_plugin_v1", "bay_plugin_v9", 13);
	assert_bytes_refused(&bytes, "without descriptor", "does not export bay_plugin_v1");
	buffer_finish(&bytes);
}
END_TEST

/* --- what the linker may have written ---------------------------------------------------- */

static ElfW(Phdr) *
find_segment(const struct buffer *bytes, uint32_t type)
{
	const ElfW(Ehdr) *header = (const void *)bytes->data;
	ElfW(Phdr) *segments = (void *)(bytes->data + header->e_phoff);

	for (size_t i = 0; i < header->e_phnum; i++)
		if (segments[i].p_type == type)
			return &segments[i];
	ck_abort_msg("no segment of type 0x%x", type);
	return NULL;
}

static ElfW(Shdr) *
find_section(const struct buffer *bytes, uint32_t type)
{
	const ElfW(Ehdr) *header = (const void *)bytes->data;
	ElfW(Shdr) *sections = (void *)(bytes->data + header->e_shoff);

	for (size_t i = 0; i < header->e_shnum; i++)
		if (sections[i].sh_type == type)
			return &sections[i];
	ck_abort_msg("no section of type 0x%x", type);
	return NULL;
}

static ElfW(Shdr) *
find_section_at(const struct buffer *bytes, uint64_t offset)
{
	const ElfW(Ehdr) *header = (const void *)bytes->data;
	ElfW(Shdr) *sections = (void *)(bytes->data + header->e_shoff);

	for (size_t i = 0; i < header->e_shnum; i++)
		if (sections[i].sh_offset == offset)
			return &sections[i];
	ck_abort_msg("no section there");
	return NULL;
}

/* Sets an entry of the dynamic table, which has some that are free at its end. */
static void
set_dynamic(const struct buffer *bytes, int64_t tag, uint64_t value)
{
	const ElfW(Phdr) *segment = find_segment(bytes, PT_DYNAMIC);
	ElfW(Dyn) *entries = (void *)(bytes->data + segment->p_offset);
	size_t i, count = segment->p_filesz / sizeof(*entries);

	for (i = 0; i < count && entries[i].d_tag != tag && entries[i].d_tag != DT_NULL; i++)
		continue;
	ck_assert_uint_lt(i + 1, count);
	entries[i].d_tag = tag;
	entries[i].d_un.d_val = value;
}

static ElfW(Sym) *
find_symbol(const struct buffer *bytes, const char *name)
{
	const ElfW(Shdr) *section = find_section(bytes, SHT_DYNSYM);
	const ElfW(Ehdr) *header = (const void *)bytes->data;
	const ElfW(Shdr) *sections = (const void *)(bytes->data + header->e_shoff);
	const char *names = (const char *)bytes->data + sections[section->sh_link].sh_offset;
	ElfW(Sym) *symbols = (void *)(bytes->data + section->sh_offset);

	for (size_t i = 1; i < section->sh_size / sizeof(*symbols); i++)
		if (strcmp(names + symbols[i].st_name, name) == 0)
			return &symbols[i];
	ck_abort_msg("no symbol %s", name);
	return NULL;
}

static struct plugin_facts *
facts_of_bytes(const struct buffer *bytes)
{
	struct buffer error = {0};
	struct plugin_facts *facts;

	ck_assert_msg(plugin_file_parse(bytes->data, bytes->size, &facts, &error), "%s",
		buffer_text(&error));
	return facts;
}

START_TEST(flags_that_forbid_loading_are_heeded)
{
	static const struct {
		int64_t tag;
		uint64_t value;
		const char *wanted;
	} cases[] = {
		{DT_FLAGS_1, 0x08000000, "a program (position independent)"},
		{DT_FLAGS_1, DF_1_NOOPEN, "must not be loaded into a running process"},
		{DT_FLAGS, DF_TEXTREL, "text relocations"},
		{DT_TEXTREL, 0, "text relocations"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buffer bytes = {0};

		read_bytes("good", &bytes);
		set_dynamic(&bytes, cases[i].tag, cases[i].value);
		assert_bytes_refused(&bytes, cases[i].wanted, cases[i].wanted);
		buffer_finish(&bytes);
	}
}
END_TEST

START_TEST(flags_that_harm_others_are_warned_of)
{
	static const struct {
		int64_t tag;
		uint64_t value;
		const char *wanted;
	} cases[] = {
		{DT_FLAGS_1, DF_1_GLOBAL, "its symbols show in every other plugin"},
		{DT_FLAGS, DF_STATIC_TLS, "static thread-local storage"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buffer bytes = {0};
		struct plugin_facts *facts;

		read_bytes("good", &bytes);
		set_dynamic(&bytes, cases[i].tag, cases[i].value);
		facts = facts_of_bytes(&bytes);
		ck_assert_msg(has_name(&facts->warnings, cases[i].wanted), "%s", cases[i].wanted);
		plugin_facts_destroy(facts);
		buffer_finish(&bytes);
	}
}
END_TEST

START_TEST(memory_that_code_could_be_written_to_is_told)
{
	struct buffer bytes = {0};
	struct plugin_facts *facts;

	read_bytes("good", &bytes);
	find_segment(&bytes, PT_LOAD)->p_flags = PF_R | PF_W | PF_X;
	facts = facts_of_bytes(&bytes);
	ck_assert(has_name(&facts->warnings, "writable and executable"));
	plugin_facts_destroy(facts);
	/* Without a word about the stack the kernel makes it executable. */
	find_segment(&bytes, PT_GNU_STACK)->p_type = PT_NULL;
	assert_bytes_refused(&bytes, "a silent one", "does not say that its stack need not be");
	buffer_finish(&bytes);
}
END_TEST

START_TEST(only_a_descriptor_that_others_can_find_is_one)
{
	struct buffer bytes = {0};
	ElfW(Sym) *symbol, good;

	read_bytes("good", &bytes);
	symbol = find_symbol(&bytes, "bay_plugin_v1");
	good = *symbol;
	symbol->st_info = ELF64_ST_INFO(STB_LOCAL, STT_OBJECT);
	assert_bytes_refused(&bytes, "local", "does not export bay_plugin_v1");
	symbol->st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
	assert_bytes_refused(&bytes, "a function", "does not export bay_plugin_v1");
	*symbol = good;
	symbol->st_other = STV_HIDDEN;
	assert_bytes_refused(&bytes, "hidden", "does not export bay_plugin_v1");
	symbol->st_other = STV_INTERNAL;
	assert_bytes_refused(&bytes, "internal", "does not export bay_plugin_v1");
	symbol->st_other = STV_PROTECTED;
	plugin_facts_destroy(facts_of_bytes(&bytes));
	symbol->st_shndx = SHN_UNDEF;
	assert_bytes_refused(&bytes, "needed", "does not export bay_plugin_v1");
	symbol->st_name = UINT32_MAX;
	assert_bytes_refused(&bytes, "nameless", "the name of a symbol is not in it");
	buffer_finish(&bytes);
}
END_TEST

START_TEST(a_library_must_have_a_name)
{
	struct buffer bytes = {0};

	read_bytes("good", &bytes);
	set_dynamic(&bytes, DT_SONAME, UINT32_MAX);
	assert_bytes_refused(&bytes, "nameless", "the name of a library is not in it");
	buffer_finish(&bytes);
}
END_TEST

/* The first entry that names a version of another library. */
static ElfW(Vernaux) *
find_version(const struct buffer *bytes)
{
	const ElfW(Shdr) *section = find_section(bytes, SHT_GNU_verneed);
	const ElfW(Verneed) *library = (const void *)(bytes->data + section->sh_offset);

	return (void *)((uint8_t *)library + library->vn_aux);
}

START_TEST(versions_that_do_not_matter_do_not)
{
	struct plugin_facts *facts = facts_of("starts_threads");
	char from[PLUGIN_FILE_GLIBC_SIZE + 8], to[PLUGIN_FILE_GLIBC_SIZE + 8];
	struct buffer bytes = {0};
	ElfW(Vernaux) *version;

	snprintf(from, sizeof(from), "GLIBC_%s", facts->glibc);
	snprintf(to, sizeof(to), "GLIBC_9%s", facts->glibc + 1);
	plugin_facts_destroy(facts);
	read_bytes("starts_threads", &bytes);
	patch(&bytes, from, to, strlen(from) + 1);
	version = find_version(&bytes);
	/* What is weak may be missing. */
	for (;;) {
		version->vna_flags |= VER_FLG_WEAK;
		if (version->vna_next == 0)
			break;
		version = (void *)((uint8_t *)version + version->vna_next);
	}
	facts = facts_of_bytes(&bytes);
	ck_assert_str_eq(facts->glibc, "");
	plugin_facts_destroy(facts);
	/* A name that is nowhere is no name. */
	version->vna_name = UINT32_MAX;
	assert_bytes_refused(&bytes, "nameless", "table of needed versions leads nowhere");
	buffer_finish(&bytes);
}
END_TEST

/* Puts a version's name where a longer one was that nobody misses. */
static void
name_version(const struct buffer *bytes, const char *name)
{
	static const char unused[] = "_ITM_deregisterTMCloneTable";
	const ElfW(Shdr) *dynsym = find_section(bytes, SHT_DYNSYM);
	const ElfW(Ehdr) *header = (const void *)bytes->data;
	const ElfW(Shdr) *sections = (const void *)(bytes->data + header->e_shoff);
	uint64_t names = sections[dynsym->sh_link].sh_offset;
	uint32_t at = find_symbol(bytes, unused)->st_name;

	ck_assert_uint_lt(strlen(name), sizeof(unused));
	strcpy((char *)bytes->data + names + at, name);
	find_version(bytes)->vna_name = at;
}

START_TEST(special_versions_of_glibc_are_understood)
{
	struct buffer bytes = {0};
	struct plugin_facts *facts;

	read_bytes("starts_threads", &bytes);
	if (memmem(bytes.data, bytes.size, "_ITM_deregisterTMCloneTable", 27) == NULL) {
		buffer_finish(&bytes);
		CHECK_SKIP("the compiler leaves no name to overwrite");
	}
	name_version(&bytes, "GLIBC_PRIVATE");
	facts = facts_of_bytes(&bytes);
	ck_assert(has_name(&facts->warnings, "private parts of glibc"));
	plugin_facts_destroy(facts);
	buffer_finish(&bytes);

	/* Such relocations came with that release. */
	read_bytes("starts_threads", &bytes);
	find_version(&bytes)->vna_next = 0;
	name_version(&bytes, "GLIBC_ABI_DT_RELR");
	facts = facts_of_bytes(&bytes);
	ck_assert_str_eq(facts->glibc, "2.36");
	plugin_facts_destroy(facts);
	buffer_finish(&bytes);
}
END_TEST

/* Puts entries behind the end, where the last segment says that the table is. */
static void
append_versions(struct buffer *bytes, unsigned libraries, unsigned needs)
{
	ElfW(Verneed) library = {.vn_version = 1};
	ElfW(Vernaux) need = {.vna_next = sizeof(need)};
	ElfW(Phdr) *segment = NULL;
	uint64_t at;

	while (bytes->size % 8 != 0)
		ck_assert(buffer_append(bytes, "", 1));
	at = bytes->size;
	library.vn_cnt = (ElfW(Half))needs;
	for (unsigned i = 0; i < libraries; i++) {
		library.vn_aux = (libraries - i) * (unsigned)sizeof(library);
		library.vn_next = i + 1 < libraries ? sizeof(library) : 0;
		ck_assert(buffer_append(bytes, &library, sizeof(library)));
	}
	for (unsigned i = 0; i < needs; i++) {
		need.vna_next = i + 1 < needs ? sizeof(need) : 0;
		ck_assert(buffer_append(bytes, &need, sizeof(need)));
	}
	for (size_t i = 0; i < ((const ElfW(Ehdr) *)(void *)bytes->data)->e_phnum; i++) {
		ElfW(Phdr) *one = (ElfW(Phdr) *)(void *)(bytes->data +
			((const ElfW(Ehdr) *)(void *)bytes->data)->e_phoff) + i;

		if (one->p_type == PT_LOAD)
			segment = one;
	}
	segment->p_filesz = segment->p_memsz = bytes->size - segment->p_offset;
	set_dynamic(bytes, DT_VERNEED, segment->p_vaddr + at - segment->p_offset);
}

START_TEST(a_table_of_versions_without_end_is_not_read_for_ever)
{
	struct buffer bytes = {0};

	read_bytes("starts_threads", &bytes);
	append_versions(&bytes, 1000, 0);
	plugin_facts_destroy(facts_of_bytes(&bytes));
	buffer_finish(&bytes);
	read_bytes("starts_threads", &bytes);
	append_versions(&bytes, 100001, 0);
	assert_bytes_refused(&bytes, "very many libraries", "leads nowhere");
	buffer_finish(&bytes);
	/* All of them have the same ones. */
	read_bytes("starts_threads", &bytes);
	append_versions(&bytes, 2, 60000);
	assert_bytes_refused(&bytes, "very many versions", "leads nowhere");
	buffer_finish(&bytes);
}
END_TEST

START_TEST(what_may_be_missing_does_not_count)
{
	struct plugin_facts *facts;
	struct buffer bytes = {0};

	read_bytes("starts_threads", &bytes);
	find_symbol(&bytes, "exit")->st_info = ELF64_ST_INFO(STB_WEAK, STT_FUNC);
	facts = facts_of_bytes(&bytes);
	ck_assert(!has_name(&facts->warnings, "(exit)"));
	plugin_facts_destroy(facts);
	buffer_finish(&bytes);
}
END_TEST

/* Such files say that they have a page, and then have less. */
START_TEST(a_file_that_became_shorter_is_refused)
{
	int fd = open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0 || st.st_size == 0)
		CHECK_SKIP("there is no such file here");
	assert_fd_refused(fd, "became shorter while it was read");
}
END_TEST

START_TEST(a_table_of_versions_that_leads_nowhere_is_refused)
{
	struct buffer bytes = {0};

	read_bytes("starts_threads", &bytes);
	set_dynamic(&bytes, DT_VERNEED, (uint64_t)1 << 40);
	assert_bytes_refused(&bytes, "nowhere", "table of needed versions leads nowhere");
	buffer_finish(&bytes);
	/* It says how long it is, and would go on for ever. */
	read_bytes("starts_threads", &bytes);
	find_version(&bytes)->vna_next = UINT32_MAX;
	assert_bytes_refused(&bytes, "outside", "table of needed versions leads nowhere");
	buffer_finish(&bytes);
}
END_TEST

/* Puts bytes behind the end, where one of the sections says that there are notes. */
static void
append_notes(struct buffer *bytes, const void *notes, size_t size, uint64_t alignment)
{
	ElfW(Shdr) *section;

	while (bytes->size % 8 != 0)
		ck_assert(buffer_append(bytes, "", 1));
	ck_assert(buffer_append(bytes, notes, size));
	section = find_section(bytes, SHT_STRTAB);
	section->sh_type = SHT_NOTE;
	section->sh_offset = bytes->size - size;
	section->sh_size = size;
	section->sh_addralign = alignment;
}

START_TEST(one_note_is_enough_and_two_are_too_many)
{
	struct bay_plugin_note copy;
	struct buffer bytes = {0};

	/* In a segment and in a section it is the same one. */
	read_bytes("good", &bytes);
	find_segment(&bytes, PT_NOTE)->p_type = PT_NULL;
	plugin_facts_destroy(facts_of_bytes(&bytes));
	memcpy(&copy, find_note(&bytes), sizeof(copy));
	append_notes(&bytes, &copy, sizeof(copy), 4);
	assert_bytes_refused(&bytes, "with two", "2 Bay notes in it");
	buffer_finish(&bytes);
}
END_TEST

START_TEST(a_note_that_goes_beyond_its_section_is_none)
{
	struct bay_plugin_note copy;
	struct buffer bytes = {0};

	read_bytes("good", &bytes);
	memcpy(&copy, find_note(&bytes), sizeof(copy));
	find_note(&bytes)[offsetof(struct bay_plugin_note, owner)] = 'X';
	append_notes(&bytes, &copy, sizeof(copy), 4);
	plugin_facts_destroy(facts_of_bytes(&bytes));
	find_section_at(&bytes, bytes.size - sizeof(copy))->sh_size -= 4;
	assert_bytes_refused(&bytes, "cut by its section", "no Bay note");
	buffer_finish(&bytes);
}
END_TEST

START_TEST(a_note_is_found_behind_others)
{
	struct {
		ElfW(Nhdr) header;
		char owner[4];
		uint32_t value;
		uint32_t padding;
		struct bay_plugin_note note;
		uint32_t tail;
	} notes = {.header = {4, 4, 1}, .owner = "GNU"};
	struct buffer bytes = {0};

	read_bytes("good", &bytes);
	memcpy(&notes.note, find_note(&bytes), sizeof(notes.note));
	/* The one that was there becomes somebody else's. */
	find_note(&bytes)[offsetof(struct bay_plugin_note, owner)] = 'X';
	find_note(&bytes)[offsetof(struct bay_plugin_note, magic)] = 'X';
	append_notes(&bytes, &notes, sizeof(notes), 8);
	plugin_facts_destroy(facts_of_bytes(&bytes));
	/* Of another type it is another note. */
	find_note(&bytes)[offsetof(struct bay_plugin_note, type)]++;
	assert_bytes_refused(&bytes, "of another type", "no Bay note");
	buffer_finish(&bytes);
}
END_TEST

/* --- enemies ------------------------------------------------------------------------------ */

/* The bytes lie at the very end of their memory, so that reading past them is a crash. */
struct fenced {
	uint8_t *map;
	size_t map_size;
	uint8_t *end;
};

static void
fence(struct fenced *fenced, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t pages = (size + page - 1) / page * page;

	fenced->map_size = pages + page;
	fenced->map = mmap(NULL, fenced->map_size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(fenced->map, MAP_FAILED);
	fenced->end = fenced->map + pages;
	ck_assert_int_eq(mprotect(fenced->end, page, PROT_NONE), 0);
}

START_TEST(a_plugin_cut_anywhere_is_refused)
{
	struct buffer bytes = {0}, error = {0};
	struct fenced fenced;
	struct plugin_facts *facts;

	read_bytes("good", &bytes);
	fence(&fenced, bytes.size);
	for (size_t size = 0; size < bytes.size; size++) {
		memcpy(fenced.end - size, bytes.data, size);
		ck_assert_msg(!plugin_file_parse(fenced.end - size, size, &facts, &error),
			"accepted with %zu of %zu bytes", size, bytes.size);
		ck_assert_uint_gt(error.size, 0);
		if (size >= 64)
			ck_assert_ptr_nonnull(strstr(buffer_text(&error), "cut short"));
		buffer_clear(&error);
	}
	munmap(fenced.map, fenced.map_size);
	buffer_finish(&bytes);
	buffer_finish(&error);
}
END_TEST

START_TEST(a_plugin_cut_anywhere_that_hides_its_section_headers_does_no_harm)
{
	struct buffer bytes = {0}, error = {0};
	struct fenced fenced;
	struct plugin_facts *facts;
	size_t accepted = 0;

	read_bytes("good", &bytes);
	memset(bytes.data + offsetof(ElfW(Ehdr), e_shoff), 0, sizeof(ElfW(Off)));
	memset(bytes.data + offsetof(ElfW(Ehdr), e_shnum), 0, 2);
	fence(&fenced, bytes.size);
	for (size_t size = 64; size <= bytes.size; size++) {
		memcpy(fenced.end - size, bytes.data, size);
		if (plugin_file_parse(fenced.end - size, size, &facts, &error)) {
			accepted++;
			plugin_facts_destroy(facts);
		}
		buffer_clear(&error);
	}
	/* Everything that is loaded is there long before the end. */
	ck_assert_uint_gt(accepted, 0);
	munmap(fenced.map, fenced.map_size);
	buffer_finish(&bytes);
	buffer_finish(&error);
}
END_TEST

static void
flip_each_byte(const uint8_t *values, size_t count)
{
	struct buffer bytes = {0}, error = {0};
	struct fenced fenced;
	struct plugin_facts *facts;
	uint8_t *start;

	read_bytes("good", &bytes);
	fence(&fenced, bytes.size);
	start = fenced.end - bytes.size;
	memcpy(start, bytes.data, bytes.size);
	for (size_t i = 0; i < bytes.size; i++)
		for (size_t v = 0; v < count; v++) {
			start[i] = bytes.data[i] ^ values[v];
			if (plugin_file_parse(start, bytes.size, &facts, &error))
				plugin_facts_destroy(facts);
			else
				ck_assert_uint_gt(error.size, 0);
			buffer_clear(&error);
			start[i] = bytes.data[i];
		}
	munmap(fenced.map, fenced.map_size);
	buffer_finish(&bytes);
	buffer_finish(&error);
}

START_TEST(a_plugin_with_any_byte_changed_does_no_harm)
{
	static const uint8_t values[] = {0xff, 0x80, 0x01};

	flip_each_byte(values, sizeof(values));
}
END_TEST

START_TEST(random_nonsense_behind_a_good_header_does_no_harm)
{
	struct buffer bytes = {0}, error = {0};
	struct plugin_facts *facts;
	uint8_t *copy;

	srandom(1);
	read_bytes("good", &bytes);
	copy = malloc(bytes.size);
	for (unsigned round = 0; round < 2000; round++) {
		memcpy(copy, bytes.data, bytes.size);
		for (unsigned i = 0; i < 32; i++)
			copy[64 + (size_t)random() % (bytes.size - 64)] = (uint8_t)random();
		if (plugin_file_parse(copy, bytes.size, &facts, &error))
			plugin_facts_destroy(facts);
		buffer_clear(&error);
	}
	free(copy);
	buffer_finish(&bytes);
	buffer_finish(&error);
}
END_TEST

CHECK_MAIN("service/plugin_file",
	a_good_plugin_is_described_without_running_it,
	reading_from_a_descriptor_gives_the_same_facts,
	libraries_and_undefined_symbols_are_listed,
	the_needed_glibc_is_not_newer_than_the_one_it_was_linked_with,
	what_keeps_a_plugin_in_the_process_is_said,
	calls_that_harm_a_whole_cell_are_warned_of,
	bytes_behind_the_end_do_not_matter,
	what_is_no_shared_object_is_shown_by_its_beginning,
	directories_devices_and_empty_files_are_called_what_they_are,
	a_file_beyond_the_limit_is_not_even_read,
	other_kinds_of_elf_files_are_named,
	another_machine_is_named_together_with_this_one,
	another_class_byte_order_or_system_is_named,
	a_program_is_not_taken_for_a_plugin,
	bad_plugins_are_refused_with_what_to_do,
	a_note_that_makes_no_sense_is_refused,
	a_newer_glibc_is_named_together_with_the_one_here,
	a_hidden_descriptor_is_missed,
	flags_that_forbid_loading_are_heeded,
	flags_that_harm_others_are_warned_of,
	memory_that_code_could_be_written_to_is_told,
	only_a_descriptor_that_others_can_find_is_one,
	a_library_must_have_a_name,
	versions_that_do_not_matter_do_not,
	special_versions_of_glibc_are_understood,
	a_table_of_versions_without_end_is_not_read_for_ever,
	what_may_be_missing_does_not_count,
	a_file_that_became_shorter_is_refused,
	a_table_of_versions_that_leads_nowhere_is_refused,
	one_note_is_enough_and_two_are_too_many,
	a_note_that_goes_beyond_its_section_is_none,
	a_note_is_found_behind_others,
	a_plugin_cut_anywhere_is_refused,
	a_plugin_cut_anywhere_that_hides_its_section_headers_does_no_harm,
	a_plugin_with_any_byte_changed_does_no_harm,
	random_nonsense_behind_a_good_header_does_no_harm)
