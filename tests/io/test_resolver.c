/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/resolver.h"

#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bay/stream.h>

#include "io/address.h"
#include "io/resolving.h"

enum { CROWD = 1000 };

/* The loop's clock is of its last look. */
static void
let_time_pass(int64_t span_ns)
{
	loop_now(&scheduler_here->loop);
	resolver_shift_time(span_ns);
}

static const char *
either_order(const char *ipv6_first, const char *ipv4_first)
{
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	struct bay_address to;
	bool way;

	ck_assert_int_eq(bay_address_parse("[::1]:9", &to), BAY_OK);
	way = connect(fd, (const struct sockaddr *)(const void *)to._storage, to._length) == 0;
	close(fd);
	return way ? ipv6_first : ipv4_first;
}

RESOLVE_TEST(the_families_come_in_turn)
{
	expect_with("both.test", "80", 0, BAY_OK, either_order(
		"[::1]:80 10.1.1.1:80 [2001:db8::2]:80 10.1.1.2:80",
		"10.1.1.1:80 [::1]:80 10.1.1.2:80 [2001:db8::2]:80"));
	expect_with("both.test", "80", BAY_RESOLVE_IPV4, BAY_OK, "10.1.1.1:80 10.1.1.2:80");
	expect_with("both.test", "80", BAY_RESOLVE_IPV6, BAY_OK, "[::1]:80 [2001:db8::2]:80");
	expect_with("v4.test", "80", BAY_RESOLVE_IPV6, BAY_NOT_FOUND, "it has no address of that family");
	ck_assert_uint_eq(fake_dns_asked(dns, "both", FAKE_DNS_A), 1);
	return BAY_OK;
}

RESOLVE_TEST(there_are_never_more_than_there_is_room_for)
{
	struct bay_address addresses[2];
	size_t count;

	memset(addresses, 0x55, sizeof addresses);
	ck_assert_int_eq(bay_resolve("both.test", NULL, 0, addresses, 1, &count, bay_after(SOON)), BAY_OK);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(((unsigned char *)&addresses[1])[0], 0x55);
	ck_assert_int_eq(bay_resolve("both.test", NULL, 0, addresses, 0, &count, bay_after(SOON)), BAY_INVALID);
	return BAY_OK;
}

/* Not even a name server is needed. */
RESOLVE_TEST(numbers_are_read_and_nobody_is_asked)
{
	temp_dir_write(&dir, "resolv.conf", "nameserver 127.0.0.3\n");
	expect_with("127.0.0.1", "80", 0, BAY_OK, "127.0.0.1:80");
	expect_with("::1", "80", BAY_RESOLVE_NUMERIC, BAY_OK, "[::1]:80");
	expect_with("fe80::1%1", NULL, 0, BAY_OK, "[fe80::1%1]:0");
	expect_with("127.0.0.1", NULL, BAY_RESOLVE_IPV6, BAY_NOT_FOUND, "look up 127.0.0.1: it is an address of the other family");
	expect_with("::1", NULL, BAY_RESOLVE_IPV4, BAY_NOT_FOUND, "other family");
	expect_with("v4.test", NULL, BAY_RESOLVE_NUMERIC, BAY_INVALID, "that is no address");
	expect("1.2.3", BAY_INVALID, "that is neither a name nor an address");
	expect("1.2.3.256", BAY_INVALID, "that is neither a name nor an address");
	return BAY_OK;
}

RESOLVE_TEST(what_can_be_no_name_is_refused)
{
	char host[300];

	expect("", BAY_INVALID, "look up : the name is empty");
	expect("a..b", BAY_INVALID, "a part of the name is empty");
	expect(".a", BAY_INVALID, "a part of the name is empty");
	expect(".", BAY_INVALID, "a part of the name is empty");
	expect("a b", BAY_INVALID, "names of hosts have letters");
	expect("b\xc3\xbc" "cher.example", BAY_INVALID, "xn--");
	expect("a\\000b", BAY_INVALID, "names of hosts have letters");
	memset(host, 'a', sizeof host);
	host[64] = '\0';
	expect(host, BAY_INVALID, "more than 63 bytes");
	for (int i = 1; i < 300; i += 2)
		host[i] = '.';
	host[64] = 'a';
	host[255] = '\0';
	expect(host, BAY_INVALID, "more than 253 bytes");
	expect_with("v4.test", "70000", 0, BAY_INVALID, "look up 70000: there is no such port or service");
	expect_with("v4.test", "80x", 0, BAY_INVALID, "no such port");
	expect_with("v4.test", "-1", 0, BAY_INVALID, "no such port");
	expect_with("v4.test", "no-such-service", 0, BAY_INVALID, "no such port");
	expect_with("v4.test", NULL, 1u << 20, BAY_INVALID, "makes no sense");
	ck_assert_uint_eq(fake_dns_asked(dns, "v4", FAKE_DNS_A), 0);
	return BAY_OK;
}

RESOLVE_TEST(the_hosts_file_comes_first)
{
	temp_dir_write(&dir, "hosts", "# ours\n10.9.9.9\tV4.test v4  # by hand\n10.9.9.8 other v4.test\nnonsense v6.test\n"
		"::2 six.test");
	expect("v4.TEST", BAY_OK, "10.9.9.9:0 10.9.9.8:0");
	expect("six.test", BAY_OK, "[::2]:0");
	expect("v6.test", BAY_OK, "[2001:db8::1]:0");
	expect_name("10.9.9.8:80", BAY_OK, "other");
	expect_name("10.9.9.9:80", BAY_OK, "v4.test");
	ck_assert_uint_eq(fake_dns_asked(dns, "v4", FAKE_DNS_A), 0);
	return BAY_OK;
}

RESOLVE_TEST(this_machine_is_not_asked_for)
{
	const char *both = either_order("[::1]:0 127.0.0.1:0", "127.0.0.1:0 [::1]:0");

	expect("localhost", BAY_OK, both);
	expect("LocalHost.", BAY_OK, both);
	expect("a.localhost", BAY_OK, both);
	ck_assert_uint_eq(fake_dns_asked(dns, "localhost", FAKE_DNS_A), 0);
	temp_dir_write(&dir, "hosts", "127.0.0.7 localhost\n");
	let_time_pass(2 * BAY_SECOND);
	expect("localhost", BAY_OK, "127.0.0.7:0");
	/* Only the whole word. */
	expect("notlocalhost", BAY_NOT_FOUND, "there is no such name");
	return BAY_OK;
}

/* --- the cache ------------------------------------------------------------------------------- */

RESOLVE_TEST(answers_are_kept_for_their_time)
{
	expect("v4.test", BAY_OK, "10.1.1.1:0");
	expect("V4.Test", BAY_OK, "10.1.1.1:0");
	let_time_pass(59 * BAY_SECOND - SOON);
	expect("v4.test", BAY_OK, "10.1.1.1:0");
	ck_assert_uint_eq(fake_dns_asked(dns, "v4", FAKE_DNS_A), 1);
	let_time_pass(SOON + BAY_SECOND);
	expect("v4.test", BAY_OK, "10.1.1.1:0");
	ck_assert_uint_eq(fake_dns_asked(dns, "v4", FAKE_DNS_A), 2);
	/* The alias is true for less long than what it stands for. */
	expect("alias.test", BAY_OK, "10.1.1.1:0");
	let_time_pass(6 * BAY_SECOND);
	expect("alias.test", BAY_OK, "10.1.1.1:0");
	ck_assert_uint_eq(fake_dns_asked(dns, "alias", FAKE_DNS_A), 2);
	return BAY_OK;
}

RESOLVE_TEST(that_there_is_nothing_is_kept_for_a_moment)
{
	expect("nx.test", BAY_NOT_FOUND, "there is no such name");
	expect("nx.test", BAY_NOT_FOUND, "there is no such name");
	ck_assert_uint_eq(fake_dns_asked(dns, "nx", FAKE_DNS_A), 1);
	let_time_pass(6 * BAY_SECOND);
	expect("nx.test", BAY_NOT_FOUND, "there is no such name");
	ck_assert_uint_eq(fake_dns_asked(dns, "nx", FAKE_DNS_A), 2);
	return BAY_OK;
}

static int
want_held(void *arg)
{
	char text[256];
	int status = resolve("held.test", NULL, 0, BAY_INHERIT, text, sizeof text);

	(void)arg;
	if (status == BAY_OK)
		ck_assert_str_eq(text, "10.1.1.1:0");
	return status;
}

RESOLVE_TEST(many_who_want_one_name_share_one_question)
{
	static struct bay_task *tasks[CROWD];

	for (int i = 0; i < CROWD; i++)
		tasks[i] = bay_spawn("wants", want_held, NULL);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	fake_dns_await(dns, "held", FAKE_DNS_AAAA, 1);
	/* What becomes of one is nothing to the others. */
	bay_task_cancel(tasks[0], "not wanted");
	bay_task_cancel(tasks[500], "not wanted");
	fake_dns_release(dns);
	ck_assert_int_eq(bay_gather_all(tasks, CROWD, bay_after(SOON)), BAY_OK);
	for (int i = 0; i < CROWD; i++) {
		ck_assert_int_eq(bay_task_status(tasks[i]), i == 0 || i == 500 ? BAY_CANCELED : BAY_OK);
		bay_task_free(tasks[i]);
	}
	ck_assert_uint_eq(fake_dns_asked(dns, "held", FAKE_DNS_A), 1);
	ck_assert_uint_eq(fake_dns_asked(dns, "held", FAKE_DNS_AAAA), 1);
	return BAY_OK;
}

RESOLVE_TEST(an_answer_that_nobody_waits_for_any_more_is_kept)
{
	struct bay_task *task = bay_spawn("wants", want_held, NULL);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	fake_dns_await(dns, "held", FAKE_DNS_AAAA, 1);
	bay_task_cancel(task, "not wanted");
	ck_assert_int_eq(bay_join(task, bay_after(SOON)), BAY_CANCELED);
	fake_dns_release(dns);
	expect("held.test", BAY_OK, "10.1.1.1:0");
	ck_assert_uint_eq(fake_dns_asked(dns, "held", FAKE_DNS_A), 1);
	return BAY_OK;
}

/* --- waiting ----------------------------------------------------------------------------------- */

RESOLVE_TEST(a_deadline_ends_the_wait_and_the_loop_goes_on)
{
	char text[256];
	struct bay_task *task;

	ck_assert_int_eq(resolve("silent.test", NULL, 0, bay_after(5 * BAY_MS), text, sizeof text), BAY_TIMEOUT);
	ck_assert_str_eq(bay_resolve_error(), "look up silent.test: there was no answer in time");
	ck_assert_int_eq(resolve("junk.test", NULL, 0, bay_after(5 * BAY_MS), text, sizeof text), BAY_TIMEOUT);
	expect("v4.test", BAY_OK, "10.1.1.1:0");
	/* One that has passed asks nobody, but tells what is known. */
	ck_assert_int_eq(resolve("v6.test", NULL, 0, 0, text, sizeof text), BAY_TIMEOUT);
	ck_assert_int_eq(resolve("v4.test", NULL, 0, 0, text, sizeof text), BAY_OK);
	ck_assert_uint_eq(fake_dns_asked(dns, "v6", FAKE_DNS_A), 0);
	task = bay_spawn("wants", want_held, NULL);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_task_cancel(task, "enough");
	ck_assert_int_eq(bay_join(task, bay_after(SOON)), BAY_CANCELED);
	return BAY_OK;
}

RESOLVE_TEST(so_many_names_are_asked_for_at_once)
{
	static struct bay_address address;
	char name[64];
	size_t count;
	int status;

	for (int i = 0; i < 1024; i++) {
		snprintf(name, sizeof name, "silent.n%d.test", i);
		status = bay_resolve(name, NULL, 0, &address, 1, &count, bay_after(1));
		ck_assert_int_eq(status, BAY_TIMEOUT);
	}
	ck_assert_int_eq(bay_resolve("v4.test", NULL, 0, &address, 1, &count, bay_after(SOON)), BAY_FULL);
	ck_assert_str_eq(bay_resolve_error(), "look up v4.test: too many names are being asked for");
	return BAY_OK;
}

static int
count_turns(void *turns)
{
	while (bay_yield() == BAY_OK)
		++*(int *)turns;
	return BAY_OK;
}

RESOLVE_TEST(who_looks_up_without_end_lets_others_run)
{
	int turns = 0;
	struct bay_task *task = bay_spawn("counts", count_turns, &turns);

	for (int i = 0; i < 5000; i++) {
		expect("localhost", BAY_OK, either_order("[::1]:0 127.0.0.1:0", "127.0.0.1:0 [::1]:0"));
		expect("127.0.0.1", BAY_OK, "127.0.0.1:0");
	}
	ck_assert_int_gt(turns, 5);
	bay_task_cancel(task, "enough");
	ck_assert_int_eq(bay_join(task, bay_after(SOON)), BAY_OK);
	return BAY_OK;
}

/* --- files that change ---------------------------------------------------------------------------- */

RESOLVE_TEST(another_resolv_conf_is_noticed)
{
	struct fake_dns *other = fake_dns_start("127.0.0.2", fake_dns_port(dns), 2);

	expect("v4.test", BAY_OK, "10.1.1.1:0");
	temp_dir_write(&dir, "resolv.conf", "nameserver 127.0.0.2\n# another\n");
	/* Not before the second is over, however long this takes. */
	let_time_pass(-SOON);
	expect("v4.test", BAY_OK, "10.1.1.1:0");
	let_time_pass(SOON + 2 * BAY_SECOND);
	expect("v4.test", BAY_OK, "10.2.1.1:0");
	ck_assert_uint_eq(fake_dns_asked(dns, "v4", FAKE_DNS_A), 1);
	fake_dns_stop(other);
	return BAY_OK;
}

/* Who waits is asked for again, of the new ones. */
RESOLVE_TEST(what_is_on_its_way_is_asked_again_of_the_new_name_servers)
{
	struct fake_dns *other = fake_dns_start("127.0.0.2", fake_dns_port(dns), 1);
	struct bay_task *task = bay_spawn("wants", want_held, NULL);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	fake_dns_await(dns, "held", FAKE_DNS_AAAA, 1);
	fake_dns_release(other);
	temp_dir_write(&dir, "resolv.conf", "nameserver 127.0.0.2\n# another\n");
	let_time_pass(2 * BAY_SECOND);
	expect("v4.test", BAY_OK, "10.1.1.1:0");
	ck_assert_int_eq(bay_join(task, bay_after(SOON)), BAY_OK);
	ck_assert_uint_eq(fake_dns_asked(other, "held", FAKE_DNS_A), 1);
	fake_dns_stop(other);
	return BAY_OK;
}

RESOLVE_TEST(another_hosts_file_is_noticed)
{
	temp_dir_write(&dir, "hosts", "10.9.9.9 a.test\n");
	expect("a.test", BAY_OK, "10.9.9.9:0");
	temp_dir_write(&dir, "hosts", "10.9.9.10 a.test\n");
	let_time_pass(2 * BAY_SECOND);
	expect("a.test", BAY_OK, "10.9.9.10:0");
	ck_assert_int_eq(unlink(temp_dir_path(&dir, "hosts")), 0);
	let_time_pass(2 * BAY_SECOND);
	expect("a.test", BAY_NOT_FOUND, "there is no such name");
	return BAY_OK;
}

/* --- the rest ---------------------------------------------------------------------------------------- */

RESOLVE_TEST(a_name_wants_room)
{
	struct bay_address of;
	char name[9];

	ck_assert_int_eq(bay_address_parse("10.3.2.1:80", &of), BAY_OK);
	ck_assert_int_eq(bay_resolve_name(&of, name, sizeof name, bay_after(SOON)), BAY_TOO_BIG);
	ck_assert_str_eq(name, "");
	expect_name("unix:@a", BAY_INVALID, "look up unix:@a: that is no IP address");
	return BAY_OK;
}

/* The container's own way in. */
RESOLVE_TEST(the_container_can_look_up_too)
{
	struct bay_address address;
	char text[BAY_ADDRESS_TEXT_SIZE];
	size_t count;

	ck_assert_int_eq(resolver_lookup("v4.test", "80", &address, 1, &count, bay_after(SOON)), BAY_OK);
	ck_assert_str_eq(bay_address_text(&address, text, sizeof text), "10.1.1.1:80");
	return BAY_OK;
}

static int
use_a_port_by_name(void *arg)
{
	(void)arg;
	expect_with("::1", "http", BAY_RESOLVE_NUMERIC, BAY_OK, "[::1]:80");
	expect_with("v4.test", "http", 0, BAY_OK, "10.1.1.1:80");
	return BAY_OK;
}

START_TEST(ports_have_the_names_that_the_system_knows)
{
	if (getservbyname("http", "tcp") == NULL)
		CHECK_SKIP("this system knows no port of http: there is no /etc/services (package netbase)");
	resolving_run(use_a_port_by_name);
}
END_TEST

/* All addresses are tried: nobody listens at the first. */
RESOLVE_TEST(connections_find_their_host)
{
	char where[64], error[128];
	struct bay_stream_options options = {.length = sizeof options, .error = error, .error_size = sizeof error};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct bay_address at;
	struct bay_stream *stream;

	temp_dir_write(&dir, "hosts", "127.0.0.7 two.test\n127.0.0.1 two.test\n");
	ck_assert_int_eq(bay_address_parse("127.0.0.1:0", &at), BAY_OK);
	ck_assert_int_eq(bind(listener, (const struct sockaddr *)(const void *)at._storage, at._length), 0);
	ck_assert_int_eq(listen(listener, 5), 0);
	address_local(&at, listener);
	snprintf(where, sizeof where, "two.test:%u", bay_address_port(&at));
	ck_assert_int_eq(bay_connect(where, &options, &stream, bay_after(SOON)), BAY_OK);
	bay_stream_abort(stream);
	close(listener);
	ck_assert_int_eq(bay_connect("nx.test:80", &options, &stream, bay_after(SOON)), BAY_NOT_FOUND);
	ck_assert_str_eq(error, "look up nx.test: there is no such name");
	ck_assert_int_eq(bay_connect("a..b:80", &options, &stream, bay_after(SOON)), BAY_INVALID);
	ck_assert_int_eq(bay_connect("nx.test", &options, &stream, bay_after(SOON)), BAY_INVALID);
	ck_assert_str_eq(error, "'nx.test' is no address");
	ck_assert_int_eq(bay_connect("unix:", &options, &stream, bay_after(SOON)), BAY_INVALID);
	return BAY_OK;
}

START_TEST(only_tasks_may_look_up)
{
	struct bay_address address;
	char name[16];
	size_t count;

	ck_assert_int_eq(bay_address_parse("127.0.0.1:1", &address), BAY_OK);
	ck_assert_int_eq(bay_resolve("v4.test", NULL, 0, &address, 1, &count, BAY_INHERIT), BAY_INVALID);
	ck_assert_int_eq(bay_resolve_name(&address, name, sizeof name, BAY_INHERIT), BAY_INVALID);
	ck_assert_str_eq(bay_resolve_error(), "");
}
END_TEST

CHECK_MAIN("io/resolver",
	the_families_come_in_turn,
	there_are_never_more_than_there_is_room_for,
	numbers_are_read_and_nobody_is_asked,
	what_can_be_no_name_is_refused,
	the_hosts_file_comes_first,
	this_machine_is_not_asked_for,
	answers_are_kept_for_their_time,
	that_there_is_nothing_is_kept_for_a_moment,
	many_who_want_one_name_share_one_question,
	an_answer_that_nobody_waits_for_any_more_is_kept,
	a_deadline_ends_the_wait_and_the_loop_goes_on,
	so_many_names_are_asked_for_at_once,
	who_looks_up_without_end_lets_others_run,
	another_resolv_conf_is_noticed,
	what_is_on_its_way_is_asked_again_of_the_new_name_servers,
	another_hosts_file_is_noticed,
	a_name_wants_room,
	the_container_can_look_up_too,
	ports_have_the_names_that_the_system_knows,
	connections_find_their_host,
	only_tasks_may_look_up)
