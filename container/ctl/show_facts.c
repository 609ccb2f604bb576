/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/show.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/alloc.h"

enum { SHOW_NAME_COLUMN = 11 };

void
show_fact(struct print *print, const char *name, const char *text)
{
	if (*text == '\0')
		return;
	/* Without a name it goes on with the fact above. */
	fprintf(print->file, "%*s%c ", SHOW_NAME_COLUMN, name, *name != '\0' ? ':' : ' ');
	print_text(print, text);
	fputc('\n', print->file);
}

void
show_fact_printf(struct print *print, const char *name, const char *format, ...)
{
	va_list args;

	fprintf(print->file, "%*s: ", SHOW_NAME_COLUMN, name);
	va_start(args, format);
	vfprintf(print->file, format, args);
	va_end(args);
	fputc('\n', print->file);
}
