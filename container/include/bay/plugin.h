/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a plugin is to the container: one ELF note, read before any code of it
 * runs, and one descriptor. BAY_PLUGIN writes both from one list.
 *
 *	BAY_PLUGIN(square, "1.0.0",
 *		.summary = "the square of an integer",
 *		.flags = BAY_LEAF,
 *		.handle = square);
 *
 * In C++ the macro needs C++20 (designated initialisers, in the order of the struct);
 * <bay/plugin.hpp> has another one for C++17.
 */
#ifndef BAY_PLUGIN_H
#define BAY_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/status.h>

BAY_BEGIN_DECLS

struct bay_instance;
struct bay_message;
struct bay_request;
struct bay_setting;
struct bay_verb;

/* Flags of a plugin. Unknown bits are refused. */
enum bay_plugin_flags {
	/* handle never suspends and needs at most 64 KiB of stack (or 'stack' of the
	 * ini, if that is less): it then runs as a plain function on its caller's
	 * stack. A function that would suspend inside it fails the call with
	 * BAY_INVALID. */
	BAY_LEAF = 1
};

/*
 * The descriptor. Fields are only ever appended; the container reads a field
 * only when it lies within size. Every function may be NULL except handle, which
 * may be NULL only when run is there. All run on the instance's own loop, inside
 * a task: they may suspend, except handle of a BAY_LEAF plugin.
 *
 * One instance's life: init, then handle (many at once) beside run, then stop,
 * then everything that is still going is cancelled, then fini. When the code of a
 * service is swapped, the new instances have had their init, and perhaps
 * import_state, before the old ones get no more requests; run begins when they do.
 * Those that are tried with a share of the requests first (a canary) have begun run and
 * have served when import_state comes; then none of their requests is in flight.
 */
struct bay_plugin {
	uint32_t size;          /* sizeof as the plugin was compiled */
	uint16_t abi_major;
	uint16_t abi_minor;     /* the least minor of the container */
	const char *name;
	const char *version;
	const char *summary;    /* one line for people, or NULL */
	uint64_t flags;         /* enum bay_plugin_flags */
	const struct bay_setting *settings; /* ended by BAY_END, or NULL */

	/* Makes the instance ready to serve. Anything but BAY_OK (best through
	 * bay_instance_fail, with a reason) refuses the service. */
	int (*init)(struct bay_instance *instance);

	/* Answers one request with bay_reply...() or bay_fail(). */
	int (*handle)(struct bay_request *request);

	/* A task of the instance's own, started after init, for as long as it
	 * likes. Returning anything but BAY_OK fails the service, except when it
	 * was cancelled. */
	int (*run)(struct bay_instance *instance);

	/* The instance is going to end: no more requests come. */
	void (*stop)(struct bay_instance *instance);

	/* Frees what init made; called when init succeeded and nothing of the
	 * instance runs any more. */
	void (*fini)(struct bay_instance *instance);

	/* What operators can have it do (<bay/verb.h>), ended by BAY_VERBS_END, or NULL. */
	const struct bay_verb *verbs;

	/* For a swap, where the state of an instance goes over to the one that takes its
	 * place, on the same loop: of what form export_state writes it. Where one of the
	 * two plugins lacks its function, the new instance begins as init made it. */
	uint32_t state_version;

	/* Writes the state into a message, which is the container's then; NULL: there is
	 * none. None of the instance's requests is in flight, and none begins until the
	 * other serves; run and other tasks go on. The instance keeps its state: it goes
	 * on with that if the other does not come to serve. Anything but BAY_OK (best
	 * through bay_instance_fail) ends the swap. */
	int (*export_state)(struct bay_instance *instance, struct bay_message **state_r);

	/* After init: takes over what another generation has exported in the form
	 * state_version; state is borrowed for the call, or NULL. Anything but BAY_OK
	 * (best through bay_instance_fail, with a reason) refuses it: then the old
	 * generation goes on. */
	int (*import_state)(struct bay_instance *instance, uint32_t state_version,
		const struct bay_message *state);

	/* Says whether the instance is well: BAY_OK, or anything else (best through
	 * bay_instance_fail, with a reason), which operators are shown and nothing else follows
	 * from. Called once it serves, and then at every health_interval of the ini, one call at a
	 * time, beside the requests, with health_timeout as its deadline; not while it is a
	 * canary. One that is not back by then is not well either. */
	int (*health)(struct bay_instance *instance);
};

/* What the note holds, after the usual ELF note header with owner "Bay". */
#define BAY_NOTE_MAGIC UINT32_C(0x50594142) /* "BAYP" */
#define BAY_NOTE_TYPE 1
#define BAY_NOTE_OWNER "Bay"

struct bay_plugin_note {
	uint32_t name_size;     /* 4: "Bay" and its NUL */
	uint32_t desc_size;     /* what follows owner */
	uint32_t type;          /* BAY_NOTE_TYPE */
	char owner[4];
	uint32_t magic;         /* BAY_NOTE_MAGIC */
	uint16_t abi_major;
	uint16_t abi_minor;
	uint32_t descriptor_size;
	char plugin_name[48];   /* both end with NUL */
	char plugin_version[24];
};

#define BAY_NOTE_DESC_SIZE ((uint32_t)(sizeof(struct bay_plugin_note) - 16))

#if defined(__has_attribute)
#if __has_attribute(retain)
#define BAY_RETAIN_ retain,
#endif
#endif
#ifndef BAY_RETAIN_
#define BAY_RETAIN_
#endif

/* Of a struct that is filled in part, g++ names the rest, and gcc does not. */
#ifdef __cplusplus
#define BAY_EXTERN_ extern "C"
#define BAY_ASSERT_ static_assert
#define BAY_PARTLY_BEGIN_                                                           \
	_Pragma("GCC diagnostic push")                                                  \
	_Pragma("GCC diagnostic ignored \"-Wmissing-field-initializers\"")
#define BAY_PARTLY_END_                                                             \
	; _Pragma("GCC diagnostic pop")                                                 \
	extern "C" const struct bay_plugin bay_plugin_v1
#else
#define BAY_EXTERN_ extern
#define BAY_ASSERT_ _Static_assert
#define BAY_PARTLY_BEGIN_
#define BAY_PARTLY_END_
#endif

/* The note, and the declaration of the descriptor. */
#define BAY_PLUGIN_NOTE_(plugin_name_, version_)                                    \
	BAY_ASSERT_(sizeof(#plugin_name_) <= 48, "a plugin name has 47 bytes at most"); \
	BAY_ASSERT_(sizeof(version_) <= 24, "a plugin version has 23 bytes at most");   \
	__attribute__((section(".note.bay.plugin"), aligned(4), BAY_RETAIN_ used))      \
	static const struct bay_plugin_note bay_plugin_note_ = {                        \
		4, BAY_NOTE_DESC_SIZE, BAY_NOTE_TYPE, BAY_NOTE_OWNER,                       \
		BAY_NOTE_MAGIC, BAY_ABI_MAJOR, BAY_ABI_MINOR_NEEDED,                        \
		sizeof(struct bay_plugin), #plugin_name_, version_                          \
	};                                                                              \
	BAY_EXTERN_ BAY_API const struct bay_plugin bay_plugin_v1

#define BAY_PLUGIN(plugin_name_, version_, ...)                                     \
	BAY_PLUGIN_NOTE_(plugin_name_, version_);                                       \
	BAY_PARTLY_BEGIN_                                                               \
	__attribute__((used)) const struct bay_plugin bay_plugin_v1 = {                 \
		.size = sizeof(struct bay_plugin),                                          \
		.abi_major = BAY_ABI_MAJOR,                                                 \
		.abi_minor = BAY_ABI_MINOR_NEEDED,                                          \
		.name = #plugin_name_,                                                      \
		.version = version_,                                                        \
		__VA_ARGS__                                                                 \
	}                                                                               \
	BAY_PARTLY_END_

BAY_END_DECLS

#endif
