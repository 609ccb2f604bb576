/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/remedy.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const struct {
	int error;
	const char *text;
} remedies[] = {
	{ENOSPC, "; make room there"},
	{EDQUOT, "; make room there, or raise the quota"},
	{EROFS, "; mount it so that it can be written"},
	{EMFILE, "; raise the limit of open files (LimitNOFILE= or ulimit -n)"},
	{ENFILE, "; raise fs.file-max"},
	{ENOMEM, "; give the machine, or bayd's control group, more memory"},
	{EIO, ""},
	{EAGAIN, ""},
};

const char *
remedy_of(int error)
{
	for (size_t i = 0; i < sizeof(remedies) / sizeof(*remedies); i++)
		if (remedies[i].error == error)
			return remedies[i].text;
	return "";
}

bool
remedy_is_of(const char *text)
{
	for (size_t i = 0; i < sizeof(remedies) / sizeof(*remedies); i++)
		if (strstr(text, strerror(remedies[i].error)) != NULL)
			return true;
	return false;
}
