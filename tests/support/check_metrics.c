/* SPDX-License-Identifier: BSD-2-Clause */
/* Says whether standard input is OpenMetrics; with an argument: Prometheus' older format. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/metrics_check.h"

enum { TEXT_MAX = 4 << 20 };

int
main(int argc, char **argv)
{
	char *text = calloc(1, TEXT_MAX);
	const char *complaint;

	(void)argv;
	if (text == NULL || fread(text, 1, TEXT_MAX - 1, stdin) == 0) {
		fprintf(stderr, "nothing to read\n");
		return 2;
	}
	complaint = metrics_check(text, argc > 1);
	if (complaint != NULL)
		fprintf(stderr, "%s\n", complaint);
	free(text);
	return complaint != NULL;
}
