/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon: reads its options and its configuration, then leaves the rest to master/. */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/fd_limit.h"
#include "config/config_load.h"
#include "config/config_report.h"
#include "master/master.h"
#include "master/master_check.h"

struct bayd_options {
	const char *config;
	bool test;
};

static void
bayd_print_usage(FILE *to)
{
	fprintf(to,
		"usage: bayd [-c FILE] [-t]\n"
		"\n"
		"  -c, --config FILE  the configuration (" SYSCONFDIR "/bay/bay.ini)\n"
		"  -t, --test         check it, with all plugins and their settings, and exit\n"
		"  -V, --version      print the version and exit\n"
		"  -h, --help         print this and exit\n"
		"\n"
		"Exit codes: 0 done, 1 the start failed, 2 usage, 5 the configuration is invalid.\n"
		"Signals: TERM stops after the requests under way, a second TERM or INT at once;\n"
		"HUP reloads the configuration, USR1 opens the log file again.\n");
}

/* What was to be said has to have been: a script may go by the exit code alone. */
static enum master_exit
bayd_end(enum master_exit code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fprintf(stderr, "bayd: writing the answer: %s\n", strerror(errno));
	return code == MASTER_EXIT_DONE ? MASTER_EXIT_FAILED : code;
}

/* Exits for what is answered at once and for what is wrong. */
static void
bayd_read_options(int argc, char **argv, struct bayd_options *options)
{
	static const struct option long_options[] = {
		{"config", required_argument, NULL, 'c'},
		{"test", no_argument, NULL, 't'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:tVh", long_options, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config = optarg;
			break;
		case 't':
			options->test = true;
			break;
		case 'V':
			printf("bayd %s\n", PACKAGE_VERSION);
			exit(bayd_end(MASTER_EXIT_DONE));
		case 'h':
			bayd_print_usage(stdout);
			exit(bayd_end(MASTER_EXIT_DONE));
		default:
			bayd_print_usage(stderr);
			exit(MASTER_EXIT_USAGE);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "bayd: unexpected argument %s\n", argv[optind]);
		bayd_print_usage(stderr);
		exit(MASTER_EXIT_USAGE);
	}
}

/* Nothing could be read: says why. */
static enum master_exit
bayd_refuse(const struct config_report *report)
{
	struct buffer text = {0};

	if (config_report_print(report, &text))
		fprintf(stderr, "%s", buffer_text(&text));
	buffer_finish(&text);
	return MASTER_EXIT_INVALID;
}

int
main(int argc, char **argv)
{
	struct bayd_options options = {.config = SYSCONFDIR "/bay/bay.ini"};
	struct config_report report = {0};
	struct config *config;
	enum master_exit code;

	bayd_read_options(argc, argv, &options);
	master_block_signals();
	fd_limit_raise();
	config = config_load_partly(options.config, &report);
	if (config == NULL)
		code = bayd_refuse(&report);
	else if (options.test || report.count > 0)
		/* A wrong file never starts; all that is wrong with it is said at once. */
		code = master_check(config, &report);
	else
		code = master_run(config);
	config_report_finish(&report);
	config_unref(config);
	return bayd_end(code);
}
