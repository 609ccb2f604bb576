/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line, checked. Options may stand anywhere; "--" ends them; "-" alone is an
 * argument. Of a verb that takes a message, the word behind the service is that message
 * whatever it looks like, unless it is "--".
 */
#ifndef BAY_CTL_OPTIONS_H
#define BAY_CTL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/error.h"

struct verb;

enum {
	OPTIONS_REPEAT_MAX = 1000 * 1000 * 1000,
	OPTIONS_CONCURRENCY_MAX = 60, /* the daemon takes 64 connections of one user */
	OPTIONS_LINES_MAX = 10000
};

struct ctl_options {
	const struct verb *verb; /* NULL with help or version only */
	char **arguments;        /* the words behind the verb that are no options, then NULL */
	size_t argument_count;
	uint64_t seen; /* OPTION_BIT of those that were given */
	const char *socket; /* or NULL */
	bool json;
	bool quiet;
	bool help;
	bool version;
	bool tree;
	bool now;
	bool no_wait;
	bool probation;
	int64_t canary; /* percent; 0: not given */
	bool follow;
	bool dry_run;
	bool history;
	bool offline;
	bool save;
	int64_t config; /* 0: not given */
	int64_t timeout_ns; /* the verb's own unless given; 0: none */
	bool timeout_given;
	int64_t lines;
	int64_t since;  /* -1: not given */
	int64_t repeat; /* 0: not given */
	int64_t concurrency;
	const char *content_type; /* or NULL */
	const char *traceparent;  /* or NULL */
	const char *trace;        /* or NULL */
	int64_t for_ns; /* 0: not given */
	int64_t limit;  /* 0: not given */
	const char *as;   /* or NULL */
	const char *kind; /* or NULL */
	const char *call;         /* or NULL */
	bool openmetrics;
	bool prometheus;
	bool once;
	const char *sort;     /* or NULL */
	int64_t interval_ns;
	bool repl;
	bool virtual_time;
	const char **repeated;    /* --set and --with: "--set", its value, "--with", its value, ... */
	size_t repeated_count;    /* words */
};

/*
 * Reads the words behind the program's name. False: error says what is wrong; json is right
 * even then. Strings are borrowed from argv. Finish in either case.
 */
bool options_parse(struct ctl_options *options, int argc, char **argv, struct ctl_error *error)
	__attribute__((warn_unused_result));

void options_finish(struct ctl_options *options);

#endif
