/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fuzz target is one function that takes any bytes and may not crash, hang or leak. With
 * ./configure CC=clang --enable-fuzzing it is a libFuzzer program:
 *
 *	make -C tests fuzz/fuzz_NAME && tests/fuzz/fuzz_NAME tests/fuzz/corpus-NAME
 *
 * Otherwise make check runs it on the files of its corpus. A file that once broke it stays
 * there.
 */
#ifndef BAY_TESTS_FUZZ_FUZZ_H
#define BAY_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Says what should have held and ends the run, so that the input is kept. */
#define FUZZ_ASSERT(condition) \
	((condition) ? (void)0 : \
		(fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), abort()))

#endif
