/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables themselves, and what is written by hand from them: the sample ini, bay.ini(5). */
#include "config.h"

#include "config/config_keys.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "config/config_value.h"
#include "config/from_text.h"
#include "support/check_main.h"

union section {
	struct config_container container;
	struct config_service service;
	struct config_cell cell;
	struct config_group group;
};

/* Calls fn for each row of all tables. */
static void
each_row(void (*fn)(const struct config_keys *keys, const struct config_key *key))
{
	for (size_t i = 0; i < config_container_keys.count; i++)
		fn(&config_container_keys, &config_container_keys.rows[i]);
	for (size_t i = 0; i < config_service_keys.count; i++)
		fn(&config_service_keys, &config_service_keys.rows[i]);
	for (size_t i = 0; i < config_cell_keys.count; i++)
		fn(&config_cell_keys, &config_cell_keys.rows[i]);
	for (size_t i = 0; i < config_group_keys.count; i++)
		fn(&config_group_keys, &config_group_keys.rows[i]);
}

/* --- the rows ------------------------------------------------------------------ */

static void
default_reads_back(const struct config_keys *keys, const struct config_key *key)
{
	const char *fallback = key->fallback != NULL ? key->fallback : "square";
	union section section;
	struct buffer out = {0};
	char *why = NULL;

	(void)keys;
	memset(&section, 0, sizeof(section));
	ck_assert_msg(config_value_parse(key, fallback, &section, &why), "%s: %s", key->name, why);
	ck_assert(config_value_print(key, &section, &out));
	ck_assert_str_eq(buffer_text(&out), fallback);
	buffer_finish(&out);
	config_value_finish(key, &section);
}

START_TEST(every_default_is_allowed_and_written_in_its_shortest_form)
{
	each_row(default_reads_back);
}
END_TEST

static void
row_is_whole(const struct config_keys *keys, const struct config_key *key)
{
	ck_assert_ptr_eq(config_keys_find(keys, key->name), key);
	ck_assert_uint_gt(strlen(key->help), 10);
	ck_assert_int_le(key->min, key->max);
	ck_assert_msg(key->type != CONFIG_TYPE_CHOICE || key->words != NULL, "%s", key->name);
}

START_TEST(every_row_is_whole_and_its_name_unique)
{
	each_row(row_is_whole);
}
END_TEST

START_TEST(fields_do_not_overlap)
{
	for (size_t i = 1; i < config_container_keys.count; i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_uint_ne(config_container_keys.rows[i].offset,
				config_container_keys.rows[j].offset);
	for (size_t i = 1; i < config_service_keys.count; i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_uint_ne(config_service_keys.rows[i].offset,
				config_service_keys.rows[j].offset);
	for (size_t i = 1; i < config_cell_keys.count; i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_uint_ne(config_cell_keys.rows[i].offset, config_cell_keys.rows[j].offset);
}
END_TEST

START_TEST(keys_are_found_by_name_or_nearly)
{
	ck_assert_ptr_null(config_keys_find(&config_service_keys, "log"));
	ck_assert_ptr_null(config_keys_find(&config_container_keys, ""));
	ck_assert_str_eq(config_keys_nearest(&config_service_keys, "concurency"), "concurrency");
	ck_assert_ptr_null(config_keys_nearest(&config_service_keys, "colour"));
}
END_TEST

/* --- the sample ini -------------------------------------------------------------- */

/* A file of the source tree; the caller frees. */
static char *
source_file(const char *name)
{
	struct buffer out = {0};
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", TOP_SRCDIR, name);
	ck_assert_msg(fd_read_file(AT_FDCWD, path, 0, 1 << 20, &out), "%s", path);
	ck_assert_ptr_nonnull(buffer_text(&out));
	return (char *)out.data;
}

/* The sample with the ';' taken from the keys and the service's header. */
static void
uncomment(char *sample)
{
	char *to = sample;

	for (const char *from = sample; *from != '\0'; from++) {
		bool line_starts = from == sample || from[-1] == '\n';

		if (line_starts && *from == ';' && strchr(" -\n", from[1]) == NULL)
			continue;
		*to++ = *from;
	}
	*to = '\0';
}

START_TEST(the_sample_as_it_stands_is_all_defaults)
{
	char *sample = source_file("etc/bay.ini");
	struct config *config = accepted(sample);
	struct config *defaults = accepted("[container]\n");

	for (size_t i = 0; i < config_container_keys.count; i++) {
		ck_assert_ptr_null(config->container.origins[i].file);
		ck_assert(config_value_equal(&config_container_keys.rows[i], &config->container,
			&defaults->container));
	}
	ck_assert_uint_eq(config->service_count, 0);
	config_destroy(config);
	config_destroy(defaults);
	free(sample);
}
END_TEST

START_TEST(the_sample_shows_every_key_with_its_default)
{
	char *sample = source_file("etc/bay.ini");
	struct config *config;
	struct config *defaults = accepted("[container]\n[service square]\n[cell risky]\n[group web]\n");

	uncomment(sample);
	config = accepted(sample);
	ck_assert_uint_eq(config->service_count, 1);
	ck_assert_uint_eq(config->services[0].setting_count, 0);
	ck_assert_uint_eq(config->cell_count, 1);
	for (size_t i = 0; i < config_container_keys.count; i++) {
		const struct config_key *key = &config_container_keys.rows[i];

		ck_assert_msg(config->container.origins[i].file != NULL, "%s is missing", key->name);
		ck_assert_msg(config_value_equal(key, &config->container, &defaults->container),
			"%s has another default", key->name);
	}
	for (size_t i = 0; i < config_service_keys.count; i++) {
		const struct config_key *key = &config_service_keys.rows[i];

		ck_assert_msg(config->services[0].origins[i].file != NULL, "%s is missing", key->name);
		ck_assert_msg(config_value_equal(key, &config->services[0], &defaults->services[0]),
			"%s has another default", key->name);
	}
	for (size_t i = 0; i < config_cell_keys.count; i++) {
		const struct config_key *key = &config_cell_keys.rows[i];

		ck_assert_msg(config->cells[0].origins[i].file != NULL, "%s is missing", key->name);
		ck_assert_msg(config_value_equal(key, &config->cells[0], &defaults->cells[0]),
			"%s has another default", key->name);
	}
	for (size_t i = 0; i < config_group_keys.count; i++) {
		const struct config_key *key = &config_group_keys.rows[i];

		ck_assert_msg(config->groups[0].origins[i].file != NULL, "%s is missing", key->name);
		ck_assert_msg(config_value_equal(key, &config->groups[0], &defaults->groups[0]),
			"%s has another default", key->name);
	}
	config_destroy(config);
	config_destroy(defaults);
	free(sample);
}
END_TEST

START_TEST(the_minimal_ini_is_one_service)
{
	char *minimal = source_file("etc/minimal.ini");
	struct config *config = accepted(minimal);

	ck_assert_uint_eq(config->service_count, 1);
	ck_assert_ptr_nonnull(config->container.origin.file);
	config_destroy(config);
	free(minimal);
}
END_TEST

/* --- the manual page --------------------------------------------------------------- */

static char *manual;

/* The part of the page about a table, cut off at its end; the caller frees. */
static char *
manual_part(const struct config_keys *keys)
{
	const char *title = keys == &config_container_keys ? ".Ss The container\n" :
		keys == &config_cell_keys ? ".Ss A cell\n" :
		keys == &config_group_keys ? ".Ss A group\n" : ".Ss A service\n";
	const char *start = strstr(manual, title);
	const char *end;

	ck_assert_ptr_nonnull(start);
	end = strstr(start, "\n.El\n");
	ck_assert_ptr_nonnull(end);
	return strndup(start, (size_t)(end - start) + 1);
}

static void
manual_has(const struct config_keys *keys, const struct config_key *key)
{
	char *part = manual_part(keys);
	char tag[64], default_text[128];
	char *item;
	char *next;

	snprintf(tag, sizeof(tag), "\n.It Ic %s No = ", key->name);
	item = strstr(part, tag);
	ck_assert_msg(item != NULL, "%s is missing", key->name);
	next = strstr(item + 1, "\n.It ");
	if (next != NULL)
		next[1] = '\0';
	if (key->fallback == NULL)
		snprintf(default_text, sizeof(default_text), "\nDefault: the name of the service.\n");
	else if (*key->fallback == '\0')
		snprintf(default_text, sizeof(default_text), "\nDefault: empty");
	else
		snprintf(default_text, sizeof(default_text), "\nDefault:\n.Li %s .\n", key->fallback);
	ck_assert_msg(strstr(item, default_text) != NULL, "%s has another default", key->name);
	for (const struct config_word *word = key->words; word != NULL && word->word != NULL; word++)
		ck_assert_msg(strstr(item, word->word) != NULL, "%s: %s is missing", key->name,
			word->word);
	free(part);
}

START_TEST(the_manual_has_every_key_with_its_default_and_words)
{
	manual = source_file("docs/bay.ini.5");
	each_row(manual_has);
	free(manual);
}
END_TEST

CHECK_MAIN("config/config_keys",
	every_default_is_allowed_and_written_in_its_shortest_form,
	every_row_is_whole_and_its_name_unique,
	fields_do_not_overlap,
	keys_are_found_by_name_or_nearly,
	the_sample_as_it_stands_is_all_defaults,
	the_sample_shows_every_key_with_its_default,
	the_minimal_ini_is_one_service,
	the_manual_has_every_key_with_its_default_and_words)
