/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every method of a real daemon, asked over its socket: the reply has the members that the
 * interface description promises, of the types that it promises. What the members say is
 * tested through bayctl in system/.
 */
#include "config.h"

#include "protocol/interface.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "support/check_main.h"
#include "support/temp_dir.h"
#include "support/varlink_client.h"

struct daemon {
	struct temp_dir dir;
	pid_t pid;
	struct varlink_client client;
};

/* Lets time pass until the server has something to say, 10 ms at most. */
static void
turn(void *arg)
{
	struct daemon *daemon = arg;
	struct pollfd readable = {.fd = daemon->client.fd, .events = POLLIN};

	poll(&readable, 1, 10);
}

static bool
try_to_connect(struct daemon *daemon)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		temp_dir_path(&daemon->dir, "run/control.sock"));
	if (connect(daemon->client.fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return true;
	turn(daemon);
	return false;
}

static void
daemon_start_with(struct daemon *daemon, const char *keys)
{
	char ini[600];

	snprintf(ini, sizeof(ini), "[container]\n%splugin_dir = " TOP_BUILDDIR
		"/tests/support/plugins\n[service actor]\ntext = hello\n[service missing]\n", keys);
	temp_dir_init(&daemon->dir);
	temp_dir_write(&daemon->dir, "bay.ini", ini);
	daemon->pid = fork();
	ck_assert_int_ge(daemon->pid, 0);
	if (daemon->pid == 0) {
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		execl(TOP_BUILDDIR "/container/bayd", "bayd", "-c",
			temp_dir_path(&daemon->dir, "bay.ini"), (char *)NULL);
		_exit(127);
	}
	daemon->client = (struct varlink_client){.turn = turn, .arg = daemon,
		.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
	while (!try_to_connect(daemon))
		ck_assert_int_eq(waitpid(daemon->pid, NULL, WNOHANG), 0);
}

static void
daemon_start(struct daemon *daemon)
{
	daemon_start_with(daemon, "");
}

static void
daemon_stop(struct daemon *daemon)
{
	int status;

	kill(daemon->pid, SIGTERM);
	ck_assert_int_eq(waitpid(daemon->pid, &status, 0), daemon->pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(daemon->client.fd);
	temp_dir_finish(&daemon->dir);
}

/* Asks, and gives the whole reply. */
static json_t *
ask(struct daemon *daemon, const char *method, const char *parameters)
{
	char frame[512];
	json_t *reply;

	snprintf(frame, sizeof(frame), "{\"method\":\"%s\",\"parameters\":%s}", method, parameters);
	client_send(&daemon->client, frame);
	reply = client_receive(&daemon->client);
	ck_assert_msg(reply != NULL, "%s: closed", method);
	return reply;
}

static void
wait_until_ready(struct daemon *daemon)
{
	bool ready = false;

	while (!ready) {
		json_t *reply = ask(daemon, "io.bayd.Container.Info", "{}");

		ready = strcmp(json_string_value(json_object_get(json_object_get(reply, "parameters"),
			"state")), "ready") == 0;
		json_decref(reply);
	}
}

/* --- the description ------------------------------------------------------------------ */

static char description[64 * 1024];

static void check_fields(const char *what, const char *fields, const json_t *value);

/* The text behind "type NAME (", which ends at the matching bracket. */
static const char *
find_type(const char *name, size_t length)
{
	char line[80];
	const char *found;

	snprintf(line, sizeof(line), "\ntype %.*s (", (int)length, name);
	found = strstr(description, line);
	ck_assert_msg(found != NULL, "no type %.*s", (int)length, name);
	return found + strlen(line);
}

/* Skips an enumeration "(a, b)" and whether value is one of its words. */
static const char *
check_enumeration(const char *what, const char *type, const json_t *value)
{
	const char *end = strchr(type, ')');
	const char *word = json_string_value(value);
	const char *found;

	ck_assert_msg(word != NULL, "%s: is no string", what);
	found = strstr(type, word);
	ck_assert_msg(found != NULL && found < end, "%s: %s is not allowed", what, word);
	return end + 1;
}

/* Checks value against the type that begins here, and returns what is behind that. NULL
 * value: just skips it. */
static const char *
check_type(const char *what, const char *type, const json_t *value)
{
	size_t length;

	if (strncmp(type, "[]", 2) == 0) {
		const char *end = check_type(what, type + 2, NULL);

		ck_assert_msg(value == NULL || json_is_array(value), "%s: is no array", what);
		for (size_t i = 0; i < json_array_size(value); i++)
			check_type(what, type + 2, json_array_get(value, i));
		return end;
	}
	if (strncmp(type, "[string]", 8) == 0) {
		ck_assert_msg(value == NULL || json_is_object(value), "%s: is no map", what);
		return check_type(what, type + 8, NULL);
	}
	if (type[0] == '(')
		return value != NULL ? check_enumeration(what, type, value) : strchr(type, ')') + 1;
	for (length = 0; isalnum((unsigned char)type[length]);)
		length++;
	if (value == NULL)
		return type + length;
	if (strncmp(type, "int", length) == 0)
		ck_assert_msg(json_is_integer(value), "%s: is no int", what);
	else if (strncmp(type, "string", length) == 0)
		ck_assert_msg(json_is_string(value), "%s: is no string", what);
	else if (strncmp(type, "bool", length) == 0)
		ck_assert_msg(json_is_boolean(value), "%s: is no bool", what);
	else
		check_fields(what, find_type(type, length), value);
	return type + length;
}

/* fields: "a: int, b: ?string)". All that must be there is, and nothing else. */
static void
check_fields(const char *what, const char *fields, const json_t *value)
{
	size_t known = 0;
	char name[160];

	ck_assert_msg(json_is_object(value), "%s: is no object", what);
	while (*fields != ')' && *fields != '\0') {
		size_t length = strcspn(fields, ":");
		const json_t *member;
		bool optional;
		char key[64];

		snprintf(key, sizeof(key), "%.*s", (int)length, fields);
		snprintf(name, sizeof(name), "%s.%s", what, key);
		fields += length + 1;
		fields += strspn(fields, " ");
		optional = *fields == '?';
		fields += optional;
		member = json_object_get(value, key);
		ck_assert_msg(member != NULL || optional, "%s: is missing", name);
		known += member != NULL;
		fields = check_type(name, fields, member);
		fields += strspn(fields, ", \n\t");
	}
	ck_assert_msg(known == json_object_size(value), "%s: has %zu members, %zu are described",
		what, json_object_size(value), known);
}

static void
check_reply(enum interface_method_id id, const json_t *reply)
{
	const struct interface_method *method = interface_method(id);

	ck_assert_msg(json_object_get(reply, "error") == NULL, "%s: %s", method->name,
		json_string_value(json_object_get(reply, "error")));
	check_fields(method->name, method->reply, json_object_get(reply, "parameters"));
}

static void
load_description(struct daemon *daemon)
{
	json_t *reply = ask(daemon, "org.varlink.service.GetInterfaceDescription",
		"{\"interface\":\"io.bayd.Container\"}");
	const char *text = json_string_value(json_object_get(json_object_get(reply, "parameters"),
		"description"));

	ck_assert_ptr_nonnull(text);
	snprintf(description, sizeof(description), "%s", text);
	json_decref(reply);
}

/* Each of many replies, and how many there were. */
static unsigned
check_stream(struct daemon *daemon, enum interface_method_id id, const char *parameters)
{
	const struct interface_method *method = interface_method(id);
	bool goes_on = true;
	unsigned count = 0;
	char frame[256];

	snprintf(frame, sizeof(frame), "{\"method\":\"%s.%s\",\"more\":true,\"parameters\":%s}",
		method->interface, method->name, parameters);
	client_send(&daemon->client, frame);
	while (goes_on) {
		json_t *reply = client_receive(&daemon->client);

		ck_assert_ptr_nonnull(reply);
		check_reply(id, reply);
		goes_on = json_is_true(json_object_get(reply, "continues"));
		count++;
		json_decref(reply);
	}
	return count;
}

/* --- the tests --------------------------------------------------------------------------- */

START_TEST(every_reply_is_as_the_interface_describes_it)
{
	static const struct {
		enum interface_method_id id;
		const char *parameters;
	} calls[] = {
		{INTERFACE_PING, "{}"},
		{INTERFACE_INFO, "{}"},
		{INTERFACE_LIST, "{}"},
		{INTERFACE_STATUS, "{\"service\":\"actor\"}"},
		{INTERFACE_STATUS, "{\"service\":\"missing\"}"},
		{INTERFACE_CALL, "{\"service\":\"actor\",\"text\":\"text\"}"},
		{INTERFACE_SEND, "{\"service\":\"actor\",\"text\":\"text\"}"},
		{INTERFACE_TASKS, "{}"},
		{INTERFACE_TASKS, "{\"service\":\"actor\"}"},
		{INTERFACE_QUEUES, "{}"},
		{INTERFACE_STATS, "{}"},
		{INTERFACE_STATS, "{\"service\":\"actor\"}"},
		{INTERFACE_RESTART, "{\"service\":\"actor\"}"},
		{INTERFACE_RESET, "{\"service\":\"actor\"}"},
		{INTERFACE_STOP, "{\"service\":\"actor\"}"},
		{INTERFACE_STATUS, "{\"service\":\"actor\"}"},
		{INTERFACE_START, "{\"service\":\"actor\"}"},
	};
	struct daemon daemon;

	daemon_start(&daemon);
	load_description(&daemon);
	wait_until_ready(&daemon);
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		const struct interface_method *method = interface_method(calls[i].id);
		char name[80];
		json_t *reply;

		snprintf(name, sizeof(name), "%s.%s", method->interface, method->name);
		reply = ask(&daemon, name, calls[i].parameters);
		check_reply(calls[i].id, reply);
		json_decref(reply);
	}
	ck_assert_uint_gt(check_stream(&daemon, INTERFACE_LOG, "{}"), 1);
	ck_assert_uint_gt(check_stream(&daemon, INTERFACE_EVENTS, "{\"since\":0}"), 5);
	ck_assert_uint_gt(check_stream(&daemon, INTERFACE_EVENTS, "{\"since\":1000000}"), 6);
	daemon_stop(&daemon);
}
END_TEST

START_TEST(what_is_not_in_the_interface_is_refused_by_the_standard_errors)
{
	struct daemon daemon;

	daemon_start(&daemon);
	client_send(&daemon.client, "{\"method\":\"io.bayd.Container.Nothing\"}");
	client_expect_error(&daemon.client, "org.varlink.service.MethodNotFound", "");
	client_send(&daemon.client, "{\"method\":\"io.nobody.Nothing.Nothing\"}");
	client_expect_error(&daemon.client, "org.varlink.service.InterfaceNotFound", "");
	client_send(&daemon.client, "{\"method\":\"io.bayd.Container.Call\"}");
	client_expect_error(&daemon.client, "org.varlink.service.InvalidParameter", "");
	client_send(&daemon.client,
		"{\"method\":\"io.bayd.Container.Ping\",\"parameters\":{\"x\":1}}");
	client_expect_error(&daemon.client, "org.varlink.service.InvalidParameter", "");
	client_send(&daemon.client, "{\"method\":\"org.varlink.service.GetInterfaceDescription\","
		"\"parameters\":{\"interface\":\"io.nobody\"}}");
	client_expect_error(&daemon.client, "org.varlink.service.InterfaceNotFound", "no such interface");
	daemon_stop(&daemon);
}
END_TEST

START_TEST(a_body_in_more_than_one_form_is_refused)
{
	struct daemon daemon;

	daemon_start(&daemon);
	wait_until_ready(&daemon);
	client_send(&daemon.client, "{\"method\":\"io.bayd.Container.Call\",\"parameters\":"
		"{\"service\":\"actor\",\"text\":\"text\",\"body\":\"dGV4dA==\"}}");
	client_expect_error(&daemon.client, "io.bayd.Container.Failed", "take the message");
	client_send(&daemon.client, "{\"method\":\"io.bayd.Container.Call\",\"parameters\":"
		"{\"service\":\"actor\",\"body_fd\":0}}");
	client_expect_error(&daemon.client, "io.bayd.Container.Failed", "take the message");
	daemon_stop(&daemon);
}
END_TEST

/* The same daemon, as another user sees it. */
static struct daemon
connect_as(const struct daemon *daemon, uid_t uid)
{
	struct daemon other = *daemon;

	other.client.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(seteuid(uid), 0);
	while (!try_to_connect(&other))
		continue;
	ck_assert_int_eq(seteuid(0), 0);
	return other;
}

START_TEST(each_method_is_refused_to_whoever_has_not_its_role_and_to_nobody_else)
{
	static const struct {
		uid_t uid;
		enum interface_role role;
	} users[] = {{12344, INTERFACE_ROLE_NONE}, {12345, INTERFACE_ROLE_VIEWER}, {12346, INTERFACE_ROLE_OPERATOR}};
	struct daemon daemon;

	if (geteuid() != 0) {
		puts("SKIP: test_admin_commands: roles: only root can connect as another user");
		return;
	}
	daemon_start_with(&daemon, "control_mode = 0666\nviewers = 12345\noperators = 12346\n");
	ck_assert_int_eq(chmod(daemon.dir.path, 0755), 0);
	wait_until_ready(&daemon);
	for (size_t n = 0; n < sizeof(users) / sizeof(users[0]); n++) {
		struct daemon other = connect_as(&daemon, users[n].uid);

		other.client.arg = &other;
		for (int i = 0; i < INTERFACE_METHODS; i++) {
			const struct interface_method *method = interface_method((enum interface_method_id)i);
			char name[100];
			json_t *reply;
			const char *error;

			/* Of Do, each verb says who may. */
			if (i == INTERFACE_DO)
				continue;
			snprintf(name, sizeof(name), "%s.%s", method->interface, method->name);
			reply = ask(&other, name, "{}");
			error = json_string_value(json_object_get(reply, "error"));
			ck_assert_msg((error != NULL && strcmp(error, interface_error_name(BAY_NOT_PERMITTED)) == 0) ==
				(method->role > users[n].role), "%s: user %u: %s", name, (unsigned)users[n].uid,
				error != NULL ? error : "done");
			json_decref(reply);
		}
		close(other.client.fd);
	}
	daemon_stop(&daemon);
}
END_TEST

CHECK_MAIN("master/admin_commands",
	every_reply_is_as_the_interface_describes_it,
	what_is_not_in_the_interface_is_refused_by_the_standard_errors,
	a_body_in_more_than_one_form_is_refused,
	each_method_is_refused_to_whoever_has_not_its_role_and_to_nobody_else)
