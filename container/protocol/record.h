/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A struct described by a table, one row a member, so that writing it as JSON and reading
 * it back cannot disagree.
 *
 *	struct point { int64_t x; const char *name; };
 *
 *	static const struct record_field point_fields[] = {
 *		RECORD_INT(struct point, x, "x", 0, 100),
 *		RECORD_TEXT(struct point, name, "name"),
 *	};
 *	static const struct record point = RECORD(struct point, point_fields);
 *
 * Any thread; never suspends.
 */
#ifndef BAY_PROTOCOL_RECORD_H
#define BAY_PROTOCOL_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum record_type {
	RECORD_TYPE_INT,  /* int64_t within min..max */
	RECORD_TYPE_TEXT, /* const char *, borrowed from the JSON; must be UTF-8 */
	RECORD_TYPE_PROSE, /* the same for people to read: escaped when it is no UTF-8 */
	RECORD_TYPE_BOOL, /* bool; absent is false */
	RECORD_TYPE_WORD, /* an enum counted from 0, written as one of max words */
	RECORD_TYPE_LIST  /* a pointer to structs and a size_t; the memory is the struct's */
};

struct record {
	const struct record_field *fields;
	size_t count;
	size_t size; /* of the struct */
};

struct record_field {
	const char *name;
	enum record_type type;
	bool optional; /* absent or null is allowed: NULL, 0, false, or no elements */
	size_t offset;
	int64_t min;
	int64_t max;
	const char *const *words;
	const struct record *element;
	size_t count_offset;
};

#define RECORD(type_, fields_) \
	{(fields_), sizeof(fields_) / sizeof(*(fields_)), sizeof(type_)}
#define RECORD_INT(type_, member_, name_, min_, max_) \
	{.name = (name_), .type = RECORD_TYPE_INT, .offset = offsetof(type_, member_), \
		.min = (min_), .max = (max_)}
#define RECORD_INT_OPTIONAL(type_, member_, name_, min_, max_) \
	{.name = (name_), .type = RECORD_TYPE_INT, .offset = offsetof(type_, member_), \
		.min = (min_), .max = (max_), .optional = true}
#define RECORD_TEXT(type_, member_, name_) \
	{.name = (name_), .type = RECORD_TYPE_TEXT, .offset = offsetof(type_, member_)}
#define RECORD_TEXT_OPTIONAL(type_, member_, name_) \
	{.name = (name_), .type = RECORD_TYPE_TEXT, .offset = offsetof(type_, member_), \
		.optional = true}
#define RECORD_PROSE(type_, member_, name_) \
	{.name = (name_), .type = RECORD_TYPE_PROSE, .offset = offsetof(type_, member_)}
#define RECORD_PROSE_OPTIONAL(type_, member_, name_) \
	{.name = (name_), .type = RECORD_TYPE_PROSE, .offset = offsetof(type_, member_), \
		.optional = true}
#define RECORD_BOOL(type_, member_, name_) \
	{.name = (name_), .type = RECORD_TYPE_BOOL, .offset = offsetof(type_, member_), \
		.optional = true}
#define RECORD_WORD(type_, member_, name_, words_) \
	{.name = (name_), .type = RECORD_TYPE_WORD, .offset = offsetof(type_, member_), \
		.words = (words_), .max = sizeof(words_) / sizeof(*(words_))}
#define RECORD_LIST(type_, member_, count_member_, name_, element_) \
	{.name = (name_), .type = RECORD_TYPE_LIST, .offset = offsetof(type_, member_), \
		.count_offset = offsetof(type_, count_member_), .element = (element_), \
		.optional = true}

/* A new object, the caller's. NULL: no memory, or a text that is missing or, where it matters,
 * no UTF-8. */
json_t *record_to_json(const struct record *record, const void *from)
	__attribute__((warn_unused_result));

/*
 * Fills the struct at "to". False: error_r (size bytes) names the member and says what is
 * wrong; nothing is left to be freed. Members of json that the table does not know are
 * ignored.
 */
bool record_from_json(const struct record *record, const json_t *json, void *to, char *error_r,
	size_t size)
	__attribute__((warn_unused_result));

/* Frees the lists that record_from_json made and zeroes the struct. */
void record_finish(const struct record *record, void *of);

#endif
