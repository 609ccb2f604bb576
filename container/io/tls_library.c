/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/tls_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define TLS_LIBRARY_NAME "libssl.so.3"

/* All their pointers are of one size and kind, so they can be filled in by place. */
static const struct {
	const char *name;
	size_t place;
} tls_library_functions[] = {
#define TLS_LIBRARY_ROW(name) {#name, offsetof(struct tls_library, name)},
	TLS_LIBRARY_FUNCTIONS(TLS_LIBRARY_ROW)
#undef TLS_LIBRARY_ROW
};

static struct {
	pthread_once_t once;
	const char *name;
	bool loaded;
	struct tls_library table;
	char error[256];
} tls = {.once = PTHREAD_ONCE_INIT, .name = TLS_LIBRARY_NAME};

static void
tls_library_fill(void *handle)
{
	size_t i;

	for (i = 0; i < sizeof tls_library_functions / sizeof tls_library_functions[0]; i++) {
		void *function = dlsym(handle, tls_library_functions[i].name);

		if (function == NULL) {
			snprintf(tls.error, sizeof tls.error, "%s has no function %s", tls.name,
				tls_library_functions[i].name);
			return;
		}
		memcpy((char *)&tls.table + tls_library_functions[i].place, &function, sizeof function);
	}
	/* Without its cleaning up at exit: other threads may still use it then. */
	if (tls.table.OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL) != 1)
		snprintf(tls.error, sizeof tls.error, "%s does not start", tls.name);
	else
		tls.loaded = true;
}

/* Never closed: it keeps data of each thread. */
static void
tls_library_open(void)
{
	void *handle = dlopen(tls.name, RTLD_NOW | RTLD_LOCAL);

	if (handle == NULL)
		snprintf(tls.error, sizeof tls.error, "TLS wants OpenSSL 3: %s", dlerror());
	else
		tls_library_fill(handle);
}

const struct tls_library *
tls_library_load(void)
{
	pthread_once(&tls.once, tls_library_open);
	return tls.loaded ? &tls.table : NULL;
}

const char *
tls_library_error(void)
{
	return tls.error;
}

void
tls_library_set_name(const char *name)
{
	tls.name = name;
}

const char *
tls_library_reason(const struct tls_library *library)
{
	unsigned long first = library->ERR_get_error();
	const char *reason = NULL;

	/* What comes after the first is only how far that was felt. */
	library->ERR_clear_error();
	if (first != 0)
		reason = ERR_SYSTEM_ERROR(first) ? strerror((int)ERR_GET_REASON(first))
			: library->ERR_reason_error_string(first);
	return reason != NULL ? reason : "no reason given";
}
