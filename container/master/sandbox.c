/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/sandbox.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "master/landlock.h"
#include "master/sandbox_calls.h"

const char *
sandbox_hindrance(void)
{
	if (!sandbox_calls_are_there())
		return "this bayd was built without libseccomp: build it with libseccomp-dev, or give the "
			"cell a user of its own instead";
	if (landlock_version() == LANDLOCK_NONE)
		return "this kernel has no Landlock (Linux 5.13, CONFIG_SECURITY_LANDLOCK, and landlock in "
			"lsm= if that is set): give the cell a user of its own instead";
	return NULL;
}

/* --- directories ------------------------------------------------------------------ */

/* Whether path is dir or lies in it; both without links and dots. */
static bool
sandbox_is_within(const char *path, const char *dir)
{
	size_t length = strlen(dir);

	if (length == 1)
		return true;
	return strncmp(path, dir, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

/* Where it will be, when it is not there yet: below what there is. The caller's. */
static char *
sandbox_real_path(const char *path)
{
	char *above = xstrdup(path);
	char *real = realpath(above, NULL);
	char *slash;
	char *whole;

	while (real == NULL && (slash = strrchr(above, '/')) != NULL && slash != above) {
		*slash = '\0';
		real = realpath(above, NULL);
	}
	whole = real != NULL ? xasprintf("%s%s", real, path + strlen(above)) : xstrdup(path);
	free(above);
	free(real);
	return whole;
}

static bool
sandbox_check_directory(const char *path, const char *const *ours, struct buffer *error)
{
	struct stat status;
	bool fits = true;
	char *real;

	if (path[0] != '/')
		return buffer_fail(error, "%s is no absolute path", path);
	if (stat(path, &status) != 0)
		return buffer_fail(error, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(status.st_mode))
		return buffer_fail(error, "%s is no directory", path);
	real = sandbox_real_path(path);
	for (; fits && *ours != NULL; ours++) {
		char *own = sandbox_real_path(*ours);

		if (sandbox_is_within(own, real) || sandbox_is_within(real, own))
			fits = buffer_fail(error, "%s and %s, which is bayd's, lie in one another", path, *ours);
		free(own);
	}
	free(real);
	return fits;
}

bool
sandbox_check_writable(const char *writable, const char *const *ours, struct buffer *error)
{
	char *copy = xstrdup(writable);
	char *rest = NULL;
	bool fits = true;

	for (char *path = strtok_r(copy, " \t", &rest); fits && path != NULL;
	     path = strtok_r(NULL, " \t", &rest))
		fits = sandbox_check_directory(path, ours, error);
	free(copy);
	return fits;
}

/* --- privileges -------------------------------------------------------------------- */

/* Not root, or root without the right to say so: then there is nothing to come back. */
bool
sandbox_begin(const struct sandbox *sandbox, const char **step_r)
{
	*step_r = "give up capabilities for ever";
	if (sandbox->keeps_capabilities)
		return true;
	for (int number = 0; prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; number++)
		if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0 && errno != EPERM)
			return false;
	return prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0) == 0 ||
		errno == EPERM;
}

static bool
sandbox_drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 &&
		syscall(SYS_capset, &header, none) == 0;
}

bool
sandbox_enter(const struct sandbox *sandbox, const char **step_r)
{
	int landlock = landlock_version();

	if (sandbox->landlock > 0 && landlock > sandbox->landlock)
		landlock = sandbox->landlock;
	*step_r = "find Landlock in this kernel, which its sandbox wants";
	errno = ENOSYS;
	if (landlock == LANDLOCK_NONE)
		return false;
	*step_r = "give up its capabilities";
	if (!sandbox->keeps_capabilities && !sandbox_drop_capabilities())
		return false;
	*step_r = "give up new privileges";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return false;
	return landlock_enter(landlock, sandbox->writable, step_r) &&
		sandbox_calls_enter(landlock, step_r);
}
