/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The settings of a plugin: a table that fills the plugin's own struct from the
 * ini before init runs. Checks, help and documents come from the same table.
 *
 *	struct sleeper { int64_t delay_ns; const char *text; };
 *
 *	static const struct bay_setting settings[] = {
 *		BAY_DURATION(struct sleeper, delay_ns, "delay", "1s", "how long to sleep"),
 *		BAY_STRING(struct sleeper, text, "text", "done", "the reply"),
 *		BAY_END
 *	};
 *
 * The struct is zeroed, filled and then never changed while requests see it. A
 * default of NULL means that the ini must give a value.
 *
 * A row that ends in BAY_LIVE, as in
 *
 *	BAY_DURATION(struct sleeper, delay_ns, "delay", "1s", "how long to sleep", BAY_LIVE)
 *
 * can be changed while the service runs. A live change makes a new struct: requests that come
 * then see that one, those that run keep theirs, and what bay_instance_settings() gave stays
 * as it was. Without BAY_LIVE a change makes a new instance of the service.
 */
#ifndef BAY_SETTING_H
#define BAY_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/abi.h>

BAY_BEGIN_DECLS

enum bay_setting_type {
	BAY_SETTING_END = 0,
	BAY_SETTING_INT64 = 1,    /* int64_t within minimum..maximum */
	BAY_SETTING_BOOL = 2,     /* bool: yes no true false on off 1 0 */
	BAY_SETTING_DURATION = 3, /* int64_t nanoseconds: 250ms 5s 2m */
	BAY_SETTING_SIZE = 4,     /* uint64_t bytes: 4096 64k 1M */
	BAY_SETTING_STRING = 5,   /* const char *, never NULL, lives as long as the struct */
	BAY_SETTING_CHOICE = 6    /* int64_t: index into the words of choices ("a|b|c") */
};

enum bay_setting_flag {
	BAY_LIVE = 1 << 0         /* can be changed while the service runs */
};

struct bay_setting {
	uint32_t type;            /* enum bay_setting_type */
	uint32_t struct_size;     /* of the struct to fill; equal in every row */
	uint32_t offset;          /* of the field in it */
	uint32_t field_size;
	const char *name;         /* the key in the ini */
	const char *default_text; /* as it would stand in the ini, or NULL: required */
	int64_t minimum;
	int64_t maximum;
	const char *choices;      /* for BAY_SETTING_CHOICE */
	const char *help;         /* one sentence */
	uint64_t flags;           /* of enum bay_setting_flag; the others are 0 */
};

#define BAY_FIELD_(type_, field_) \
	(uint32_t)sizeof(type_), (uint32_t)offsetof(type_, field_), (uint32_t)sizeof(((type_ *)0)->field_)

/* The help, and the flags if there are any. */
#define BAY_HELP_(help_, flags_, ...) help_, flags_

#define BAY_INT64(type_, field_, name_, default_, minimum_, maximum_, ...) \
	{ BAY_SETTING_INT64, BAY_FIELD_(type_, field_), name_, default_, minimum_, maximum_, NULL, \
	  BAY_HELP_(__VA_ARGS__, 0, 0) }
#define BAY_BOOL(type_, field_, name_, default_, ...) \
	{ BAY_SETTING_BOOL, BAY_FIELD_(type_, field_), name_, default_, 0, 1, NULL, \
	  BAY_HELP_(__VA_ARGS__, 0, 0) }
#define BAY_DURATION(type_, field_, name_, default_, ...) \
	{ BAY_SETTING_DURATION, BAY_FIELD_(type_, field_), name_, default_, 0, INT64_MAX, NULL, \
	  BAY_HELP_(__VA_ARGS__, 0, 0) }
#define BAY_SIZE(type_, field_, name_, default_, minimum_, maximum_, ...) \
	{ BAY_SETTING_SIZE, BAY_FIELD_(type_, field_), name_, default_, minimum_, maximum_, NULL, \
	  BAY_HELP_(__VA_ARGS__, 0, 0) }
#define BAY_STRING(type_, field_, name_, default_, ...) \
	{ BAY_SETTING_STRING, BAY_FIELD_(type_, field_), name_, default_, 0, 0, NULL, \
	  BAY_HELP_(__VA_ARGS__, 0, 0) }
#define BAY_CHOICE(type_, field_, name_, default_, choices_, ...) \
	{ BAY_SETTING_CHOICE, BAY_FIELD_(type_, field_), name_, default_, 0, 0, choices_, \
	  BAY_HELP_(__VA_ARGS__, 0, 0) }
#define BAY_END \
	{ BAY_SETTING_END, 0, 0, 0, NULL, NULL, 0, 0, NULL, NULL, 0 }

BAY_END_DECLS

#endif
