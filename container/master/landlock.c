/* SPDX-License-Identifier: BSD-2-Clause */
/* The headers of the C library may be older than the kernel, so what is needed of its interface
 * stands here. */
#include "config.h"

#include "master/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

enum {
	LANDLOCK_ASK_VERSION = 1,
	LANDLOCK_PATH_BENEATH = 1
};

/* The rights over files by their bits; those to read and execute are left alone. */
#define RIGHT(bit) (UINT64_C(1) << (bit))
#define RIGHT_WRITE RIGHT(1)
#define RIGHTS_REMOVE (RIGHT(4) | RIGHT(5))
#define RIGHTS_MAKE (RIGHT(6) | RIGHT(7) | RIGHT(8) | RIGHT(9) | RIGHT(10) | RIGHT(11) | RIGHT(12))
#define RIGHT_REFER RIGHT(13)
#define RIGHT_TRUNCATE RIGHT(14)

#define SCOPE_ABSTRACT_SOCKETS (UINT64_C(1) << 0)
#define SCOPE_SIGNALS (UINT64_C(1) << 1)

struct landlock_ruleset {
	uint64_t files;
	uint64_t net;
	uint64_t scoped;
};

struct landlock_beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

static const char *const landlock_devices[] = {"/dev/null", "/dev/zero", "/dev/full"};

int
landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_ASK_VERSION);

	return version > 0 ? (int)version : LANDLOCK_NONE;
}

static uint64_t
landlock_rights(int version)
{
	return RIGHT_WRITE | RIGHTS_REMOVE | RIGHTS_MAKE |
		(version >= LANDLOCK_REFER ? RIGHT_REFER : 0) |
		(version >= LANDLOCK_TRUNCATE ? RIGHT_TRUNCATE : 0);
}

static bool
landlock_allow(int ruleset, const char *path, uint64_t rights)
{
	struct landlock_beneath beneath = {.allowed = rights};
	bool allowed;
	int error;

	beneath.parent = open(path, O_PATH | O_CLOEXEC);
	if (beneath.parent < 0)
		return false;
	allowed = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_PATH_BENEATH, &beneath, 0) == 0;
	error = errno;
	close(beneath.parent);
	errno = error;
	return allowed;
}

/* A device that a container has not is nothing to write to. */
static bool
landlock_allow_devices(int ruleset, int version)
{
	uint64_t rights = landlock_rights(version) & (RIGHT_WRITE | RIGHT_TRUNCATE);

	for (size_t i = 0; i < sizeof(landlock_devices) / sizeof(*landlock_devices); i++)
		if (!landlock_allow(ruleset, landlock_devices[i], rights) && errno != ENOENT)
			return false;
	return true;
}

static bool
landlock_allow_list(int ruleset, int version, const char *list)
{
	static const char blanks[] = " \t";
	char path[PATH_MAX];

	for (list += strspn(list, blanks); *list != '\0'; list += strspn(list, blanks)) {
		size_t length = strcspn(list, blanks);

		if (length >= sizeof(path)) {
			errno = ENAMETOOLONG;
			return false;
		}
		memcpy(path, list, length);
		path[length] = '\0';
		if (!landlock_allow(ruleset, path, landlock_rights(version)))
			return false;
		list += length;
	}
	return true;
}

bool
landlock_enter(int version, const char *writable, const char **step_r)
{
	const struct landlock_ruleset rights = {
		.files = landlock_rights(version),
		.scoped = version >= LANDLOCK_SCOPE ? SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS : 0,
	};
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rights, sizeof(rights), 0);
	bool entered = false;
	int error;

	*step_r = "ask Landlock of the kernel for rules";
	if (ruleset < 0)
		return false;
	*step_r = "allow the devices in its sandbox";
	if (landlock_allow_devices(ruleset, version)) {
		*step_r = "allow the directories that are writable in its sandbox";
		if (landlock_allow_list(ruleset, version, writable)) {
			*step_r = "give up the files and processes of others";
			entered = syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
		}
	}
	error = errno;
	close(ruleset);
	errno = error;
	return entered;
}
