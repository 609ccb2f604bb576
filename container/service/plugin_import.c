/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/plugin_import.h"

#include <stddef.h>
#include <string.h>

static const struct plugin_import plugin_imports[] = {
	/* Something of the process points into the plugin afterwards, or runs in it. */
	{"__cxa_thread_atexit", PLUGIN_IMPORT_LINGERS,
		"it has thread-local objects with destructors"},
	{"__cxa_thread_atexit_impl", PLUGIN_IMPORT_LINGERS,
		"it has thread-local objects with destructors"},
	{"pthread_create", PLUGIN_IMPORT_LINGERS, PLUGIN_STARTS_THREADS},
	{"thrd_create", PLUGIN_IMPORT_LINGERS, PLUGIN_STARTS_THREADS},
	{"_ZNSt6thread15_M_start_thread*", PLUGIN_IMPORT_LINGERS, PLUGIN_STARTS_THREADS},
	{"pthread_key_create", PLUGIN_IMPORT_LINGERS,
		"it has destructors of thread-specific data"},
	{"tss_create", PLUGIN_IMPORT_LINGERS, "it has destructors of thread-specific data"},
	{"sigaction", PLUGIN_IMPORT_LINGERS, "it sets signal handlers"},
	{"signal", PLUGIN_IMPORT_LINGERS, "it sets signal handlers"},
	{"__sysv_signal", PLUGIN_IMPORT_LINGERS, "it sets signal handlers"},
	{"bsd_signal", PLUGIN_IMPORT_LINGERS, "it sets signal handlers"},
	{"sigset", PLUGIN_IMPORT_LINGERS, "it sets signal handlers"},
	{"on_exit", PLUGIN_IMPORT_LINGERS, "it runs code at the end of the process"},

	/* A cell is one process for many services. */
	{"exit", PLUGIN_IMPORT_WARNS, "it may end the whole cell; fail the request instead"},
	{"_exit", PLUGIN_IMPORT_WARNS, "it may end the whole cell; fail the request instead"},
	{"_Exit", PLUGIN_IMPORT_WARNS, "it may end the whole cell; fail the request instead"},
	{"quick_exit", PLUGIN_IMPORT_WARNS,
		"it may end the whole cell; fail the request instead"},
	{"fork", PLUGIN_IMPORT_WARNS, "it copies the whole cell, which has threads"},
	{"vfork", PLUGIN_IMPORT_WARNS, "it stops its loop until the child executes"},
	{"daemon", PLUGIN_IMPORT_WARNS, "it copies the whole cell, which has threads"},
	{"system", PLUGIN_IMPORT_WARNS, "it stops its loop until the command ends"},
	{"setuid", PLUGIN_IMPORT_WARNS, "it changes the user of the whole cell"},
	{"setreuid", PLUGIN_IMPORT_WARNS, "it changes the user of the whole cell"},
	{"setresuid", PLUGIN_IMPORT_WARNS, "it changes the user of the whole cell"},
	{"chdir", PLUGIN_IMPORT_WARNS, "it changes the directory of the whole cell"},
	{"fchdir", PLUGIN_IMPORT_WARNS, "it changes the directory of the whole cell"},
	{"umask", PLUGIN_IMPORT_WARNS, "it changes the file mode mask of the whole cell"},
	{"setlocale", PLUGIN_IMPORT_WARNS, "it changes the locale of the whole cell"},
	{"dlopen", PLUGIN_IMPORT_WARNS, "it loads code that the container does not know of"},

	/* A task has a stack of its own, and its loop only goes on while a task awaits. */
	{"longjmp", PLUGIN_IMPORT_WARNS, "a jump must not leave the task that it starts in"},
	{"_longjmp", PLUGIN_IMPORT_WARNS, "a jump must not leave the task that it starts in"},
	{"siglongjmp", PLUGIN_IMPORT_WARNS, "a jump must not leave the task that it starts in"},
	{"__longjmp_chk", PLUGIN_IMPORT_WARNS,
		"a jump must not leave the task that it starts in"},
	{"swapcontext", PLUGIN_IMPORT_WARNS,
		"other coroutines must not leave the task that they start in"},
	{"setcontext", PLUGIN_IMPORT_WARNS,
		"other coroutines must not leave the task that they start in"},
	{"sleep", PLUGIN_IMPORT_WARNS, "it stops its loop; bay_sleep() does not"},
	{"usleep", PLUGIN_IMPORT_WARNS, "it stops its loop; bay_sleep() does not"},
	{"nanosleep", PLUGIN_IMPORT_WARNS, "it stops its loop; bay_sleep() does not"},
	{"clock_nanosleep", PLUGIN_IMPORT_WARNS, "it stops its loop; bay_sleep() does not"},
	{"thrd_sleep", PLUGIN_IMPORT_WARNS, "it stops its loop; bay_sleep() does not"},

/* The runtime of a sanitizer ends a process in which it is not the first library. */
#if !defined(BAY_ASAN)
	{"__asan_init", PLUGIN_IMPORT_REFUSES,
		"it was built with AddressSanitizer and this container was not: build it without "
		"-fsanitize=address, or the container with --enable-sanitizer=address"},
#endif
#if !defined(BAY_TSAN)
	{"__tsan_init", PLUGIN_IMPORT_REFUSES,
		"it was built with ThreadSanitizer and this container was not: build it without "
		"-fsanitize=thread, or the container with --enable-sanitizer=thread"},
#endif
	{"__msan_init", PLUGIN_IMPORT_REFUSES,
		"it was built with MemorySanitizer, with which there is no container: build it "
		"without -fsanitize=memory"},
	{"__hwasan_init", PLUGIN_IMPORT_REFUSES,
		"it was built with HWAddressSanitizer, with which there is no container: build "
		"it without -fsanitize=hwaddress"},
};

const struct plugin_import *
plugin_import_find(const char *symbol)
{
	for (size_t i = 0; i < sizeof(plugin_imports) / sizeof(*plugin_imports); i++) {
		const struct plugin_import *row = &plugin_imports[i];
		size_t length = strlen(row->symbol);

		if (row->symbol[length - 1] == '*' ? strncmp(symbol, row->symbol, length - 1) == 0 :
			strcmp(symbol, row->symbol) == 0)
			return row;
	}
	return NULL;
}
