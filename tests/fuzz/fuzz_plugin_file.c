/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a plugin file: facts or a reason, never both or neither. What is accepted has
 * a name and a version that can be shown to anybody.
 */
#include "config.h"

#include "fuzz/fuzz.h"

#include <string.h>

#include "base/buffer.h"
#include "base/elf_file.h"
#include "service/plugin_file.h"
#include "service/plugin_tables.h"

static void
check_span(const struct elf_file *elf, const struct elf_span *span)
{
	FUZZ_ASSERT(span->size <= elf->size && span->offset <= elf->size - span->size);
}

static void
check_parts(const struct elf_file *elf)
{
	ElfW(Sym) symbol;

	check_span(elf, &elf->dynamic);
	check_span(elf, &elf->strings);
	check_span(elf, &elf->symbols);
	FUZZ_ASSERT(elf_file_string(elf, 0) != NULL);
	FUZZ_ASSERT(elf->symbol_count == 0 ||
		elf_file_symbol(elf, elf->symbol_count - 1, &symbol));
	FUZZ_ASSERT(!elf_file_symbol(elf, elf->symbol_count, &symbol));
}

static void
check_facts(const struct plugin_facts *facts, size_t size)
{
	FUZZ_ASSERT(facts->size == size);
	FUZZ_ASSERT(strlen(facts->sha256) == HASH_TEXT_SIZE - 1);
	FUZZ_ASSERT(*facts->note.plugin_name != '\0');
	FUZZ_ASSERT(strlen(facts->note.plugin_name) < sizeof(facts->note.plugin_name));
	FUZZ_ASSERT(*facts->note.plugin_version != '\0');
	FUZZ_ASSERT(strlen(facts->note.plugin_version) < sizeof(facts->note.plugin_version));
	FUZZ_ASSERT(facts->note.abi_major == BAY_ABI_MAJOR);
	FUZZ_ASSERT(facts->note.abi_minor <= BAY_ABI_MINOR);
	FUZZ_ASSERT(facts->undefined.count <= PLUGIN_FILE_NAMES_MAX);
	FUZZ_ASSERT(facts->lingers == NULL || *facts->lingers != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer error = {0};
	struct plugin_tables *tables;
	struct plugin_facts *facts;
	struct elf_file elf;
	bool whole = elf_file_parse(&elf, data, size, &error);

	FUZZ_ASSERT(whole == (error.size == 0));
	if (whole)
		check_parts(&elf);
	buffer_clear(&error);
	if (plugin_file_parse(data, size, &facts, &error)) {
		FUZZ_ASSERT(whole && error.size == 0);
		check_facts(facts, size);
		plugin_facts_destroy(facts);
	} else {
		FUZZ_ASSERT(facts == NULL && error.size > 0);
	}
	buffer_clear(&error);
	if (plugin_tables_read(data, size, &tables, &error))
		plugin_tables_destroy(tables);
	else
		FUZZ_ASSERT(tables == NULL && error.size > 0);
	buffer_finish(&error);
	return 0;
}
