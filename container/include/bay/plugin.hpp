/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plugins in C++17 or later: a descriptor without designated initialisers, and exceptions that
 * become failures.
 *
 *	static int
 *	reverse(bay_request *request)
 *	{
 *		std::string text(bay_request_text(request), bay_request_size(request));
 *
 *		if (text.empty())
 *			throw std::invalid_argument("nothing to reverse");
 *		std::reverse(text.begin(), text.end());
 *		return bay_reply(request, text.data(), text.size());
 *	}
 *
 *	BAY_PLUGIN_CXX(reverse, "1.0.0",
 *		.summary("a text from its end")
 *		.handle(bay::guarded<reverse>));
 *
 * What the container calls is noexcept, and the compiler sees to it: an exception that came
 * through would be the end of the cell, with a report that names the service. bay::guarded makes
 * such a function of one that throws. The table of verbs has plain functions of C: guard them too.
 *
 * Let no task wait in a catch block: what the C++ library knows of exceptions that are being
 * handled belongs to the thread, and so to all tasks of a loop.
 */
#ifndef BAY_PLUGIN_HPP
#define BAY_PLUGIN_HPP

#if __cplusplus < 201703L
#error "<bay/plugin.hpp> wants C++17: compile with -std=c++17"
#endif

#include <exception>
#include <new>

#include <bay/instance.h>
#include <bay/plugin.h>
#include <bay/request.h>
#include <bay/status.h>

namespace bay {

/* A descriptor under construction: one function for each of its fields, in any order. What they
 * take is borrowed for the life of the plugin. All of it happens when the plugin is compiled.
 * Since 1.0. */
struct descriptor : bay_plugin {
	using starts = int (*)(bay_instance *) noexcept;
	using answers = int (*)(bay_request *) noexcept;
	using ends = void (*)(bay_instance *) noexcept;
	using exports = int (*)(bay_instance *, struct bay_message **) noexcept;
	using imports = int (*)(bay_instance *, uint32_t, const struct bay_message *) noexcept;

	constexpr descriptor(const char *name_, const char *version_) : bay_plugin{}
	{
		bay_plugin::size = sizeof(bay_plugin);
		bay_plugin::abi_major = BAY_ABI_MAJOR;
		bay_plugin::abi_minor = BAY_ABI_MINOR_NEEDED;
		bay_plugin::name = name_;
		bay_plugin::version = version_;
	}

	constexpr descriptor summary(const char *text) const
	{
		descriptor made = *this;
		made.bay_plugin::summary = text;
		return made;
	}

	constexpr descriptor flags(uint64_t bits) const
	{
		descriptor made = *this;
		made.bay_plugin::flags = bits;
		return made;
	}

	constexpr descriptor settings(const bay_setting *table) const
	{
		descriptor made = *this;
		made.bay_plugin::settings = table;
		return made;
	}

	constexpr descriptor init(starts fn) const
	{
		descriptor made = *this;
		made.bay_plugin::init = fn;
		return made;
	}

	constexpr descriptor handle(answers fn) const
	{
		descriptor made = *this;
		made.bay_plugin::handle = fn;
		return made;
	}

	constexpr descriptor run(starts fn) const
	{
		descriptor made = *this;
		made.bay_plugin::run = fn;
		return made;
	}

	constexpr descriptor stop(ends fn) const
	{
		descriptor made = *this;
		made.bay_plugin::stop = fn;
		return made;
	}

	constexpr descriptor fini(ends fn) const
	{
		descriptor made = *this;
		made.bay_plugin::fini = fn;
		return made;
	}

	constexpr descriptor verbs(const bay_verb *table) const
	{
		descriptor made = *this;
		made.bay_plugin::verbs = table;
		return made;
	}

	constexpr descriptor state_version(uint32_t form) const
	{
		descriptor made = *this;
		made.bay_plugin::state_version = form;
		return made;
	}

	constexpr descriptor export_state(exports fn) const
	{
		descriptor made = *this;
		made.bay_plugin::export_state = fn;
		return made;
	}

	constexpr descriptor import_state(imports fn) const
	{
		descriptor made = *this;
		made.bay_plugin::import_state = fn;
		return made;
	}

	constexpr descriptor health(starts fn) const
	{
		descriptor made = *this;
		made.bay_plugin::health = fn;
		return made;
	}
};

#if defined(__cpp_exceptions)

/* Either fails the request, or the function of the instance, with the words of the exception that
 * is being handled, and returns the status to return: BAY_NO_MEMORY for std::bad_alloc, else
 * BAY_FAILED. On the loop of the request; does not suspend. Since 1.0. */
inline int
fail_with_exception(bay_request *request) noexcept
{
	try {
		throw;
	} catch (const std::bad_alloc &) {
		return bay_fail(request, BAY_NO_MEMORY, "no memory");
	} catch (const std::exception &exception) {
		return bay_fail(request, BAY_FAILED, "%s", exception.what());
	} catch (...) {
		return bay_fail(request, BAY_FAILED, "an exception of an unknown kind");
	}
}

inline int
fail_with_exception(bay_instance *instance) noexcept
{
	try {
		throw;
	} catch (const std::bad_alloc &) {
		return bay_instance_fail(instance, BAY_NO_MEMORY, "no memory");
	} catch (const std::exception &exception) {
		return bay_instance_fail(instance, BAY_FAILED, "%s", exception.what());
	} catch (...) {
		return bay_instance_fail(instance, BAY_FAILED, "an exception of an unknown kind");
	}
}

/* For the two below. */
template <typename Subject, int (*function)(Subject *)>
inline int
call_guarded(Subject *subject) noexcept
{
	try {
		return function(subject);
	} catch (...) {
		return fail_with_exception(subject);
	}
}

/* handle, init or run of a function that throws: its exception ends the call, or fails the
 * service, with the words of the exception. Called as the function itself would be, and suspends if
 * that does. Since 1.0. */
template <int (*function)(bay_request *)>
inline int
guarded(bay_request *request) noexcept
{
	return call_guarded<bay_request, function>(request);
}

template <int (*function)(bay_instance *)>
inline int
guarded(bay_instance *instance) noexcept
{
	return call_guarded<bay_instance, function>(instance);
}

#endif

} /* namespace bay */

/* BAY_PLUGIN for C++17. The descriptor is made when it is compiled: no code runs for it. */
#define BAY_PLUGIN_CXX(plugin_name_, version_, ...)                                 \
	BAY_PLUGIN_NOTE_(plugin_name_, version_);                                       \
	__attribute__((used)) constexpr struct bay_plugin bay_plugin_v1 =               \
		bay::descriptor(#plugin_name_, version_) __VA_ARGS__

#endif
