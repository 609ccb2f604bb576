/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests that compare the words of errors: every line has a code, which is taken off. */
#ifndef BAY_TESTS_SUPPORT_CODES_H
#define BAY_TESTS_SUPPORT_CODES_H

#include <string.h>

#include "base/code.h"
#include "support/check_main.h"

/* Works in place. */
static inline void
take_codes_off(char *text)
{
	char *out = text;

	while (*text != '\0') {
		size_t length = strcspn(text, "\n"), words;
		const struct code *code;
		bool more = text[length] == '\n';

		text[length] = '\0';
		words = code_split(text, &code);
		ck_assert_msg(code != NULL, "without a code: %s", text);
		memmove(out, text, words);
		out += words;
		if (more)
			*out++ = '\n';
		text += length + more;
	}
	*out = '\0';
}

#endif
