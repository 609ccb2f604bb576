/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The main function of a fuzz target that is built without libFuzzer: runs it on every file
 * of its corpus, which for fuzz_NAME is corpus-NAME, or on the files named as arguments.
 */
#include "config.h"

#include "fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fd.h"

enum { REPLAY_FILE_MAX = 16 << 20 };

/* The target may not look behind the bytes: they end where the allocation does. */
static bool
replay_file(const char *path)
{
	struct buffer in = {0};
	uint8_t *exact;

	if (!fd_read_file(AT_FDCWD, path, 0, REPLAY_FILE_MAX, &in)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	exact = malloc(in.size > 0 ? in.size : 1);
	if (exact == NULL)
		abort();
	if (in.size > 0)
		memcpy(exact, in.data, in.size);
	printf("%s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(exact, in.size);
	free(exact);
	buffer_finish(&in);
	return true;
}

static int
replay_corpus(const char *corpus)
{
	struct dirent *entry;
	unsigned count = 0;
	bool done = true;
	DIR *dir = opendir(corpus);

	if (dir == NULL) {
		fprintf(stderr, "%s: %s\n", corpus, strerror(errno));
		return EXIT_FAILURE;
	}
	while ((entry = readdir(dir)) != NULL) {
		char *path;

		if (*entry->d_name == '.')
			continue;
		path = xasprintf("%s/%s", corpus, entry->d_name);
		done = replay_file(path) && done;
		free(path);
		count++;
	}
	closedir(dir);
	if (count == 0)
		fprintf(stderr, "%s: no files\n", corpus);
	return done && count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	const char *name = strstr(program_invocation_short_name, "fuzz_");
	char corpus[4096];
	bool done = true;

	if (argc > 1) {
		for (int i = 1; i < argc; i++)
			done = replay_file(argv[i]) && done;
		return done ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	if (name == NULL) {
		fprintf(stderr, "usage: fuzz_NAME [FILE...]\n");
		return EXIT_FAILURE;
	}
	snprintf(corpus, sizeof(corpus), "%s/tests/fuzz/corpus-%s", TOP_SRCDIR,
		name + strlen("fuzz_"));
	return replay_corpus(corpus);
}
