/* SPDX-License-Identifier: BSD-2-Clause */
/* What name servers say, and strangers in their place. */
#include "config.h"

#include "io/dns.h"

#include "io/resolving.h"

RESOLVE_TEST(names_have_addresses_of_both_families)
{
	expect("v4.test", BAY_OK, "10.1.1.1:0");
	expect("v6.test", BAY_OK, "[2001:db8::1]:0");
	expect("alias.test", BAY_OK, "10.1.1.1:0");
	ck_assert_uint_eq(fake_dns_asked(dns, "v4", FAKE_DNS_A), 1);
	ck_assert_uint_eq(fake_dns_asked(dns, "v4", FAKE_DNS_AAAA), 1);
	return BAY_OK;
}

RESOLVE_TEST(what_is_not_there_is_told_apart_from_what_failed)
{
	expect("nx.test", BAY_NOT_FOUND, "look up nx.test: there is no such name");
	expect("empty.test", BAY_NOT_FOUND, "the name has no address");
	expect("circle.test", BAY_NOT_FOUND, "the name has no address");
	expect("servfail.test", BAY_IO, "look up servfail.test: the name server");
	expect("refused.test", BAY_IO, "look up refused.test: the name server");
	/* Not again and again. */
	ck_assert_uint_le(fake_dns_asked(dns, "servfail", FAKE_DNS_A), 2);
	return BAY_OK;
}

/* One of the two answers is enough; but that there is none takes both. */
RESOLVE_TEST(half_an_answer_is_one_and_half_a_failure_is_a_failure)
{
	expect("half.test", BAY_OK, "10.1.1.1:0");
	expect("halffail.test", BAY_IO, "the name server");
	return BAY_OK;
}

RESOLVE_TEST(what_a_datagram_cannot_hold_comes_over_tcp)
{
	char text[4096];
	int i, count = 1;

	ck_assert_int_eq(resolve("many.test", "80", 0, bay_after(SOON), text, sizeof text), BAY_OK);
	for (i = 0; text[i] != '\0'; i++)
		count += text[i] == ' ';
	ck_assert_int_eq(count, 40);
	ck_assert_ptr_nonnull(strstr(text, "10.1.1.40:80"));
	return BAY_OK;
}

RESOLVE_TEST(what_was_not_asked_for_is_no_answer)
{
	expect("wrongid.test", BAY_OK, "10.1.1.1:0");
	expect("wrongname.test", BAY_OK, "10.1.1.1:0");
	expect("garbage.test", BAY_OK, "10.1.1.1:0");
	return BAY_OK;
}

RESOLVE_TEST(each_question_comes_from_another_port)
{
	char name[32];

	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof name, "v4.n%d.test", i);
		expect(name, BAY_OK, "10.1.1.1:0");
	}
	/* A port may come twice by chance. */
	ck_assert_uint_ge(fake_dns_ports(dns), 6);
	return BAY_OK;
}

RESOLVE_TEST(nobody_there_is_told)
{
	temp_dir_write(&dir, "resolv.conf", "nameserver 127.0.0.3\noptions timeout:1 attempts:1\n");
	expect("v4.test", BAY_IO, "could not be reached");
	return BAY_OK;
}

/* The time is that of resolv.conf: without a deadline it ends too. */
RESOLVE_TEST(name_servers_that_never_answer_are_given_up)
{
	struct bay_address address;
	size_t count;

	temp_dir_write(&dir, "resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
	ck_assert_int_eq(bay_resolve("silent.test", NULL, 0, &address, 1, &count, BAY_INHERIT), BAY_TIMEOUT);
	ck_assert_str_eq(bay_resolve_error(), "look up silent.test: no name server answered");
	return BAY_OK;
}

RESOLVE_TEST(the_next_name_server_is_asked)
{
	temp_dir_write(&dir, "resolv.conf", "nameserver 127.0.0.3\nnameserver 127.0.0.1\noptions timeout:1\n");
	expect("v4.test", BAY_OK, "10.1.1.1:0");
	return BAY_OK;
}

RESOLVE_TEST(the_next_name_server_is_asked_when_one_fails)
{
	struct fake_dns *other = fake_dns_start("127.0.0.2", fake_dns_port(dns), 2);

	temp_dir_write(&dir, "resolv.conf", "nameserver 127.0.0.1\nnameserver 127.0.0.2\n");
	expect("servfail.test", BAY_OK, "10.2.1.1:0");
	fake_dns_stop(other);
	return BAY_OK;
}

RESOLVE_TEST(names_are_searched_for)
{
	temp_dir_write(&dir, "resolv.conf", "nameserver 127.0.0.1\nsearch a.test b.test\noptions ndots:2\n");
	expect("only", BAY_OK, "10.1.1.1:0");
	ck_assert_uint_eq(fake_dns_asked(dns, "only", FAKE_DNS_A), 2);
	/* Too few dots: elsewhere first, then as it is. */
	expect("only.x", BAY_OK, "10.1.1.1:0");
	ck_assert_uint_eq(fake_dns_asked(dns, "only", FAKE_DNS_A), 4);
	expect("nx.test", BAY_NOT_FOUND, "there is no such name");
	ck_assert_uint_eq(fake_dns_asked(dns, "nx", FAKE_DNS_A), 3);
	/* Enough: as it is first. */
	expect("only.b.test", BAY_OK, "10.1.1.1:0");
	ck_assert_uint_eq(fake_dns_asked(dns, "only", FAKE_DNS_A), 5);
	/* The dot says that it is the whole name. */
	expect("only.", BAY_NOT_FOUND, "there is no such name");
	ck_assert_uint_eq(fake_dns_asked(dns, "only", FAKE_DNS_A), 6);
	return BAY_OK;
}

RESOLVE_TEST(addresses_have_names)
{
	expect_name("10.3.2.1:80", BAY_OK, "host.test");
	expect_name("[::ffff:10.3.2.1]:80", BAY_OK, "host.test");
	ck_assert_uint_eq(fake_dns_asked(dns, "1", FAKE_DNS_PTR), 1);
	expect_name("10.3.2.9:80", BAY_NOT_FOUND, "look up 10.3.2.9:80: the address has no name");
	expect_name("[2001:db8::9]:80", BAY_NOT_FOUND, "the address has no name");
	ck_assert_uint_eq(fake_dns_asked(dns, "9", FAKE_DNS_PTR), 2);
	return BAY_OK;
}

RESOLVE_TEST(what_is_no_name_of_a_host_is_not_passed_on)
{
	expect_name("10.3.2.2:80", BAY_IO, "look up 10.3.2.2:80: ");
	return BAY_OK;
}

CHECK_MAIN("io/dns",
	names_have_addresses_of_both_families,
	what_is_not_there_is_told_apart_from_what_failed,
	half_an_answer_is_one_and_half_a_failure_is_a_failure,
	what_a_datagram_cannot_hold_comes_over_tcp,
	what_was_not_asked_for_is_no_answer,
	each_question_comes_from_another_port,
	nobody_there_is_told,
	name_servers_that_never_answer_are_given_up,
	the_next_name_server_is_asked,
	the_next_name_server_is_asked_when_one_fails,
	names_are_searched_for,
	addresses_have_names,
	what_is_no_name_of_a_host_is_not_passed_on)
