/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/embedded.h"

#include <string.h>

const char *
embedded_text(const char *name)
{
	const struct embedded *file = embedded_files;

	while (file->name != NULL && strcmp(file->name, name) != 0)
		file++;
	return file->text;
}
