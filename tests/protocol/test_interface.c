/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "protocol/interface.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/code.h"
#include "support/check_main.h"

static char text[INTERFACE_TEXT_SIZE];

static bool
check(enum interface_method_id id, const char *json, const char **field_r)
{
	json_t *parameters = json_loads(json, 0, NULL);
	static char field[64];
	bool done;

	ck_assert_ptr_nonnull(parameters);
	done = interface_check(interface_method(id), parameters, field_r, text);
	if (!done) {
		snprintf(field, sizeof(field), "%s", *field_r);
		*field_r = field;
	}
	json_decref(parameters);
	return done;
}

static void
accepted(enum interface_method_id id, const char *json)
{
	const char *field;

	ck_assert_msg(check(id, json, &field), "%s", text);
}

static void
refused(enum interface_method_id id, const char *json, const char *wanted_field,
	const char *why)
{
	const char *field;

	ck_assert(!check(id, json, &field));
	ck_assert_str_eq(field, wanted_field);
	ck_assert_str_eq(text, why);
}

START_TEST(methods_are_found_by_their_full_name)
{
	const char *error;

	for (int i = 0; i < INTERFACE_METHODS; i++) {
		const struct interface_method *method = interface_method((enum interface_method_id)i);
		char name[128];

		ck_assert_int_eq((int)method->id, i);
		snprintf(name, sizeof(name), "%s.%s", method->interface, method->name);
		ck_assert_ptr_eq(interface_find(name, &error), method);
		ck_assert_ptr_null(error);
	}
}
END_TEST

START_TEST(what_is_not_found_says_whether_it_is_the_method_or_the_interface)
{
	static const char *const methods[] = {
		"io.bayd.Container.Nothing", "io.bayd.Container.list", "io.bayd.Container.",
		"org.varlink.service.List"};
	static const char *const interfaces[] = {
		"", "List", ".List", "io.bayd.List", "io.bayd.Container2.List", "io.bayd.Cell.Start",
		"io.bayd.Container"};
	const char *error;

	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		ck_assert_ptr_null(interface_find(methods[i], &error));
		ck_assert_str_eq(error, "org.varlink.service.MethodNotFound");
	}
	for (size_t i = 0; i < sizeof(interfaces) / sizeof(*interfaces); i++) {
		ck_assert_ptr_null(interface_find(interfaces[i], &error));
		ck_assert_str_eq(error, "org.varlink.service.InterfaceNotFound");
	}
}
END_TEST

START_TEST(everything_but_introspection_needs_a_role_and_shutdown_the_highest)
{
	for (int i = 0; i < INTERFACE_METHODS; i++) {
		const struct interface_method *method = interface_method((enum interface_method_id)i);

		/* Of Do, each verb says who may. */
		ck_assert_int_eq(method->role == INTERFACE_ROLE_NONE,
			strcmp(method->interface, INTERFACE_SERVICE_NAME) == 0 || i == INTERFACE_DO);
	}
	ck_assert_int_eq(interface_method(INTERFACE_SHUTDOWN)->role, INTERFACE_ROLE_ADMIN);
	ck_assert_str_eq(interface_role_name(INTERFACE_ROLE_ADMIN), "admin");
	for (int role = INTERFACE_ROLE_NONE; role <= INTERFACE_ROLE_ADMIN; role++)
		ck_assert_int_eq(interface_role_parse(interface_role_name((enum interface_role)role)), role);
	/* Who only looks is asked for that, and who changes something for more. */
	ck_assert_int_eq(interface_method(INTERFACE_STATUS)->role, INTERFACE_ROLE_VIEWER);
	ck_assert_int_eq(interface_method(INTERFACE_EVENTS)->role, INTERFACE_ROLE_VIEWER);
	ck_assert_int_eq(interface_method(INTERFACE_SHOW_CONFIG)->role, INTERFACE_ROLE_VIEWER);
	ck_assert_int_eq(interface_method(INTERFACE_CALL)->role, INTERFACE_ROLE_OPERATOR);
	ck_assert_int_eq(interface_method(INTERFACE_SET_CONFIG)->role, INTERFACE_ROLE_OPERATOR);
	/* What nobody knows is for the fewest. */
	ck_assert_int_eq(interface_role_parse(""), INTERFACE_ROLE_ADMIN);
}
END_TEST

/* Written out once more, so that nobody gives a role away by a slip in the table. */
START_TEST(each_method_has_the_role_that_was_decided_for_it)
{
	static const char *const viewers = " Ping Info List Status Verbs Tasks Queues Stats Log Events DiffConfig "
		"ShowConfig ConfigHistory ";
	static const char *const admins = " Load RollbackConfig Shutdown ";
	char word[80];

	for (int i = 0; i < INTERFACE_METHODS; i++) {
		const struct interface_method *method = interface_method((enum interface_method_id)i);

		if (method->role == INTERFACE_ROLE_NONE)
			continue;
		snprintf(word, sizeof(word), " %s ", method->name);
		/* What is not named changes something, or shows what was said to a service. */
		ck_assert_msg(method->role == (strstr(viewers, word) != NULL ? INTERFACE_ROLE_VIEWER :
			strstr(admins, word) != NULL ? INTERFACE_ROLE_ADMIN : INTERFACE_ROLE_OPERATOR),
			"%s is for the role %s", method->name, interface_role_name(method->role));
	}
}
END_TEST

START_TEST(right_arguments_pass)
{
	const char *field;

	ck_assert(interface_check(interface_method(INTERFACE_PING), NULL, &field, text));
	accepted(INTERFACE_PING, "{}");
	accepted(INTERFACE_STATUS, "{\"service\":\"square\"}");
	accepted(INTERFACE_TASKS, "{}");
	accepted(INTERFACE_TASKS, "{\"service\":null}");
	accepted(INTERFACE_CALL, "{\"service\":\"square\",\"text\":\"5\",\"timeout_ns\":1}");
	accepted(INTERFACE_CALL, "{\"service\":\"square\",\"body_fd\":3,\"content_type\":\"\"}");
	accepted(INTERFACE_STOP, "{\"service\":\"square\",\"now\":true}");
	accepted(INTERFACE_LOG, "{\"lines\":0}");
	accepted(INTERFACE_DO, "{\"service\":\"a\",\"verb\":\"b\",\"arguments\":[\"c\",\"\"]}");
	accepted(INTERFACE_LOG, "{\"lines\":10000,\"service\":\"a\"}");
}
END_TEST

START_TEST(a_wrong_argument_is_named_with_the_reason)
{
	const char *field;

	ck_assert(!interface_check(interface_method(INTERFACE_STATUS), NULL, &field, text));
	ck_assert_str_eq(field, "service");
	refused(INTERFACE_STATUS, "{}", "service", "service: Status wants it");
	refused(INTERFACE_STATUS, "{\"service\":null}", "service", "service: Status wants it");
	refused(INTERFACE_STATUS, "{\"service\":5}", "service", "service: a string is wanted");
	refused(INTERFACE_STATUS, "{\"service\":\"a\",\"servise\":1}", "servise",
		"servise: Status has no such parameter");
	refused(INTERFACE_PING, "{\"a\":1}", "a", "a: Ping has no such parameter");
	refused(INTERFACE_STOP, "{\"service\":\"a\",\"now\":1}", "now", "now: a boolean is wanted");
	refused(INTERFACE_LOG, "{\"lines\":\"5\"}", "lines", "lines: an integer is wanted");
	refused(INTERFACE_DO, "{\"service\":\"a\",\"verb\":\"b\",\"arguments\":\"c\"}", "arguments",
		"arguments: an array of strings is wanted");
	refused(INTERFACE_DO, "{\"service\":\"a\",\"verb\":\"b\",\"arguments\":[\"c\",5]}", "arguments",
		"arguments: an array of strings is wanted");
	refused(INTERFACE_LOG, "{\"lines\":1.0}", "lines", "lines: an integer is wanted");
}
END_TEST

START_TEST(an_argument_out_of_bounds_is_refused)
{
	refused(INTERFACE_LOG, "{\"lines\":-1}", "lines", "lines: -1 is not within 0..10000");
	refused(INTERFACE_LOG, "{\"lines\":10001}", "lines", "lines: 10001 is not within 0..10000");
	refused(INTERFACE_CALL, "{\"service\":\"a\",\"timeout_ns\":0}", "timeout_ns",
		"timeout_ns: 0 is less than 1");
	refused(INTERFACE_CALL, "{\"service\":\"a\",\"body_fd\":4}", "body_fd",
		"body_fd: 4 is not within 0..3");
	accepted(INTERFACE_STATUS,
		"{\"service\":\"123456789012345678901234567890123456789012345678\"}");
	refused(INTERFACE_STATUS,
		"{\"service\":\"1234567890123456789012345678901234567890123456789\"}", "service",
		"service: 49 bytes are more than 48");
}
END_TEST

START_TEST(a_parameter_name_of_any_length_makes_a_bounded_text)
{
	json_t *parameters = json_object();
	const char *field;
	char name[1000];

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	json_object_set_new(parameters, name, json_true());
	ck_assert(!interface_check(interface_method(INTERFACE_PING), parameters, &field, text));
	ck_assert_uint_lt(strlen(text), 150);
	json_decref(parameters);
}
END_TEST

/* --- the description ------------------------------------------------------------------ */

#define NAME "[A-Za-z](_?[A-Za-z0-9])*"
#define TYPE "(\\?)?(\\[\\]|\\[string\\])*(bool|int|float|string|object|[A-Z][A-Za-z0-9]*|\\([a-z, ]+\\))"
#define FIELDS "\\((" NAME ": " TYPE "(, " NAME ": " TYPE ")*)?\\)"

static bool
matches(const char *pattern, const char *line)
{
	regex_t regex;
	int found;

	ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	found = regexec(&regex, line, 0, NULL, 0);
	regfree(&regex);
	return found == 0;
}

START_TEST(the_description_is_written_in_varlinks_grammar)
{
	struct buffer out = {0};
	unsigned methods = 0;
	char *line;

	ck_assert(interface_describe(&out));
	line = strtok(buffer_text(&out), "\n");
	for (; line != NULL; line = strtok(NULL, "\n")) {
		if (strncmp(line, "method ", 7) == 0) {
			ck_assert_msg(matches("^method [A-Z][A-Za-z0-9]*" FIELDS " -> " FIELDS "$", line),
				"%s", line);
			methods++;
		} else if (strncmp(line, "type ", 5) == 0) {
			ck_assert_msg(matches("^type [A-Z][A-Za-z0-9]* " FIELDS "$", line), "%s", line);
		} else if (strncmp(line, "error ", 6) == 0) {
			ck_assert_msg(matches("^error [A-Z][A-Za-z0-9]* " FIELDS "$", line), "%s", line);
		} else {
			ck_assert_msg(matches("^(#.*|interface io\\.bayd\\.Container)$", line), "%s", line);
		}
	}
	ck_assert_uint_eq(methods, INTERFACE_METHODS - 2);
	buffer_finish(&out);
}
END_TEST

/* Every type that a method or another type uses is there. */
START_TEST(the_description_defines_the_types_that_it_uses)
{
	struct buffer out = {0};
	const char *at;

	ck_assert(interface_describe(&out));
	at = buffer_text(&out);
	while ((at = strstr(at, ": ")) != NULL) {
		char wanted[64] = "\ntype ";
		size_t length;

		at += 2;
		at += strspn(at, "[]?");
		if (strncmp(at, "string]", 7) == 0)
			at += 7;
		length = strcspn(at, ",) ");
		if (*at < 'A' || *at > 'Z' || length > 32)
			continue;
		strncat(wanted, at, length);
		strcat(wanted, " (");
		if (strstr(wanted, "type Role") == NULL && memchr(at, '\n', length) == NULL)
			ck_assert_msg(strstr((const char *)out.data, wanted) != NULL, "%s", wanted);
	}
	buffer_finish(&out);
}
END_TEST

START_TEST(the_description_shows_arguments_replies_roles_and_errors)
{
	struct buffer out = {0};
	char *all;

	ck_assert(interface_describe(&out));
	all = buffer_text(&out);
	ck_assert_ptr_nonnull(strstr(all, "method Stop(service: string, now: ?bool) -> "
		"(state: string, also: []string)\n"));
	ck_assert_ptr_nonnull(strstr(all, "method Send(service: string, text: ?string, "
		"body: ?string, body_fd: ?int, content_type: ?string, traceparent: ?string) -> ()\n"));
	ck_assert_ptr_nonnull(strstr(all, "# Role: admin.\nmethod Shutdown("));
	ck_assert_ptr_nonnull(strstr(all, "\nerror NotFound (message: string, status: string, code: string)\n"));
	ck_assert_ptr_nonnull(strstr(all, "\nerror Refused ("));
	buffer_finish(&out);
}
END_TEST

START_TEST(every_error_has_a_code)
{
	for (int i = 1; strcmp(bay_status_name(i), "unknown") != 0; i++) {
		json_t *own = interface_error_parameters((enum bay_status)i, NULL, "why");

		ck_assert_str_eq(json_string_value(json_object_get(own, "code")), bay_status_name(i));
		ck_assert_ptr_nonnull(code_find(bay_status_name(i)));
		json_decref(own);
	}
	for (int i = 0; i < 3; i++) {
		static const char *const messages[] = {"why", "why [plugin-abi]", "why [what]"};
		static const char *const wanted[] = {"handler-failed", "plugin-abi", "handler-failed"};
		json_t *own = interface_error_parameters(BAY_FAILED, "handler-failed", messages[i]);

		ck_assert_str_eq(json_string_value(json_object_get(own, "code")), wanted[i]);
		ck_assert_str_eq(json_string_value(json_object_get(own, "message")),
			i == 1 ? "why" : messages[i]);
		json_decref(own);
	}
}
END_TEST

START_TEST(introspection_is_answered)
{
	json_t *info = interface_info_reply("1.2.3");
	json_t *own = interface_description_reply("io.bayd.Container");
	json_t *standard = interface_description_reply("org.varlink.service");

	ck_assert_str_eq(json_string_value(json_object_get(info, "version")), "1.2.3");
	ck_assert_uint_eq(json_array_size(json_object_get(info, "interfaces")), 2);
	ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(own, "description")),
		"\ninterface io.bayd.Container\n"));
	ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(standard, "description")),
		"\ninterface org.varlink.service\n"));
	ck_assert_ptr_null(interface_description_reply("io.bayd.Cell"));
	json_decref(info);
	json_decref(own);
	json_decref(standard);
}
END_TEST

/* --- errors ------------------------------------------------------------------------------- */

START_TEST(each_status_has_its_error_and_exit_code)
{
	static const struct {
		enum bay_status status;
		const char *error;
		enum interface_exit exit;
	} rows[] = {
		{BAY_FAILED, "Failed", INTERFACE_EXIT_FAILED},
		{BAY_TIMEOUT, "Timeout", INTERFACE_EXIT_TIMEOUT},
		{BAY_CANCELED, "Failed", INTERFACE_EXIT_FAILED},
		{BAY_CLOSED, "Closed", INTERFACE_EXIT_FAILED},
		{BAY_FULL, "Full", INTERFACE_EXIT_FAILED},
		{BAY_NOT_FOUND, "NotFound", INTERFACE_EXIT_NOT_FOUND},
		{BAY_BUSY, "Failed", INTERFACE_EXIT_FAILED},
		{BAY_INVALID, "Failed", INTERFACE_EXIT_FAILED},
		{BAY_NO_MEMORY, "Failed", INTERFACE_EXIT_FAILED},
		{BAY_IO, "Failed", INTERFACE_EXIT_FAILED},
		{BAY_TOO_BIG, "TooBig", INTERFACE_EXIT_FAILED},
		{BAY_LOOP, "Loop", INTERFACE_EXIT_FAILED},
		{BAY_PEER_DIED, "PeerDied", INTERFACE_EXIT_FAILED},
		{BAY_NOT_PERMITTED, "NotPermitted", INTERFACE_EXIT_NOT_PERMITTED},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *error = interface_error_name(rows[i].status);
		json_t *parameters = interface_error_parameters(rows[i].status, NULL, "why");

		ck_assert_str_eq(error + strlen("io.bayd.Container."), rows[i].error);
		ck_assert_int_eq(interface_error_status(error, parameters), rows[i].status);
		ck_assert_int_eq(interface_error_exit(error, parameters), rows[i].exit);
		ck_assert_int_eq(interface_error_exit(error, NULL), rows[i].exit);
		ck_assert_str_eq(json_string_value(json_object_get(parameters, "message")), "why");
		json_decref(parameters);
	}
}
END_TEST

START_TEST(refused_is_5_when_a_plugin_or_configuration_is_invalid)
{
	json_t *invalid = interface_error_parameters(BAY_INVALID, NULL, "bad plugin");
	json_t *busy = interface_error_parameters(BAY_BUSY, NULL, "draining");

	ck_assert_int_eq(interface_error_exit(INTERFACE_REFUSED, invalid), INTERFACE_EXIT_INVALID);
	ck_assert_int_eq(interface_error_exit(INTERFACE_REFUSED, busy), INTERFACE_EXIT_FAILED);
	ck_assert_int_eq(interface_error_exit(INTERFACE_REFUSED, NULL), INTERFACE_EXIT_FAILED);
	json_decref(invalid);
	json_decref(busy);
}
END_TEST

START_TEST(other_errors_have_an_exit_code_too)
{
	ck_assert_int_eq(interface_error_exit(INTERFACE_INVALID_PARAMETER, NULL), INTERFACE_EXIT_USAGE);
	ck_assert_int_eq(interface_error_exit(INTERFACE_METHOD_NOT_FOUND, NULL), INTERFACE_EXIT_FAILED);
	ck_assert_int_eq(interface_error_exit("org.varlink.service.PermissionDenied", NULL),
		INTERFACE_EXIT_NOT_PERMITTED);
	ck_assert_int_eq(interface_error_exit("com.example.Strange", NULL), INTERFACE_EXIT_FAILED);
	ck_assert_int_eq(interface_error_status("com.example.Strange", NULL), BAY_FAILED);
	ck_assert_int_eq(interface_error_status(INTERFACE_INVALID_PARAMETER, NULL), BAY_INVALID);
	ck_assert_int_eq(interface_error_exit("", NULL), INTERFACE_EXIT_FAILED);
}
END_TEST

START_TEST(an_error_reply_that_claims_success_is_a_failure)
{
	json_t *parameters = json_pack("{s:s}", "status", "ok");

	ck_assert_int_eq(interface_error_status(INTERFACE_NAME ".Failed", parameters), BAY_FAILED);
	json_object_set_new(parameters, "status", json_integer(5));
	ck_assert_int_eq(interface_error_status(INTERFACE_NAME ".Full", parameters), BAY_FULL);
	json_decref(parameters);
}
END_TEST

START_TEST(messages_of_any_bytes_can_be_told)
{
	json_t *own = interface_error_parameters(BAY_FAILED, NULL, "bad \xff");
	json_t *standard = interface_standard_error_parameters("parameter", "na\xffme", "bad-parameter", "bad");

	ck_assert_str_eq(json_string_value(json_object_get(own, "message")), "bad \\xff");
	ck_assert_str_eq(json_string_value(json_object_get(own, "status")), "failed");
	ck_assert_str_eq(json_string_value(json_object_get(standard, "parameter")), "na\\xffme");
	json_decref(own);
	json_decref(standard);
}
END_TEST

START_TEST(each_exit_code_has_a_sentence)
{
	for (int i = 0; i <= 10; i++)
		ck_assert_ptr_nonnull(interface_exit_text(i));
	ck_assert_ptr_null(interface_exit_text(-1));
	ck_assert_ptr_null(interface_exit_text(11));
}
END_TEST

CHECK_MAIN("protocol/interface",
	methods_are_found_by_their_full_name,
	what_is_not_found_says_whether_it_is_the_method_or_the_interface,
	everything_but_introspection_needs_a_role_and_shutdown_the_highest,
	each_method_has_the_role_that_was_decided_for_it,
	right_arguments_pass,
	a_wrong_argument_is_named_with_the_reason,
	an_argument_out_of_bounds_is_refused,
	a_parameter_name_of_any_length_makes_a_bounded_text,
	the_description_is_written_in_varlinks_grammar,
	the_description_defines_the_types_that_it_uses,
	the_description_shows_arguments_replies_roles_and_errors,
	every_error_has_a_code,
	introspection_is_answered,
	each_status_has_its_error_and_exit_code,
	refused_is_5_when_a_plugin_or_configuration_is_invalid,
	other_errors_have_an_exit_code_too,
	an_error_reply_that_claims_success_is_a_failure,
	messages_of_any_bytes_can_be_told,
	each_exit_code_has_a_sentence)
