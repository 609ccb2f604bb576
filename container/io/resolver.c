/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A look-up goes through
 *
 *	number --> hosts file --> localhost --> cache --> question on its way --> name servers
 *
 * and ends at the first that knows. A question belongs to the resolver, not to those who wait for
 * it: when all of them have left, its answer still goes into the cache.
 */
#include "config.h"

#include "io/resolver.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "io/address.h"
#include "io/dns.h"
#include "io/resolver_answer.h"
#include "io/resolver_cache.h"
#include "io/resolver_hosts.h"
#include "io/resolver_name.h"
#include "runtime/await.h"
#include "runtime/belonging.h"
#include "runtime/task.h"
#include "runtime/wait.h"

enum {
	RESOLVER_CACHE_MAX = 1024,    /* names whose answers are kept */
	RESOLVER_QUESTIONS_MAX = 1024 /* names that are asked for at once */
};

/* How often it is looked whether the files have changed. */
#define RESOLVER_LOOK_NS CLOCK_NS_PER_S

#define RESOLVER_FLAGS (BAY_RESOLVE_IPV4 | BAY_RESOLVE_IPV6 | BAY_RESOLVE_NUMERIC)

/* What tells one state of a file from another; all zeroes: there is none. */
struct resolver_file {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct resolver {
	struct belonging belonging;
	struct loop *loop;
	struct dns *dns;               /* NULL: nobody has been asked yet */
	struct resolver_hosts *hosts;  /* NULL: has not been read */
	struct resolver_cache *cache;
	struct resolver_answer *local; /* of localhost */
	struct map *asked;             /* struct resolver_question by name */
	struct resolver_file conf_file;
	struct resolver_file hosts_file;
	int64_t look_ns;               /* when to look at the files again */
};

struct resolver_question {
	struct dns_question dns;
	struct resolver *resolver;
	struct list waiters;           /* struct waiter.link; .item: the answer, which it then holds */
};

static struct {
	char resolv_conf[PATH_MAX];
	char hosts[PATH_MAX];
	uint16_t port;
	int64_t shift_ns;
} resolver_setting = {.resolv_conf = "/etc/resolv.conf", .hosts = "/etc/hosts"};

static __thread struct resolver *resolver_here;

void
resolver_set_files(const char *resolv_conf, const char *hosts)
{
	if (resolv_conf != NULL)
		snprintf(resolver_setting.resolv_conf, sizeof resolver_setting.resolv_conf, "%s", resolv_conf);
	if (hosts != NULL)
		snprintf(resolver_setting.hosts, sizeof resolver_setting.hosts, "%s", hosts);
}

void
resolver_set_port(uint16_t port)
{
	resolver_setting.port = port;
}

void
resolver_shift_time(int64_t span_ns)
{
	resolver_setting.shift_ns += span_ns;
}

/* --- the resolver of a loop ------------------------------------------------------------------- */

static int64_t
resolver_now(const struct resolver *resolver)
{
	return resolver->loop->now_ns + resolver_setting.shift_ns;
}

/* The loop ends: what is still on its way has nobody left who waits. */
static void
resolver_on_end(struct belonging *belonging)
{
	struct resolver *resolver = container_of(belonging, struct resolver, belonging);

	dns_destroy(resolver->dns);
	resolver_cache_destroy(resolver->cache);
	resolver_hosts_destroy(resolver->hosts);
	resolver_answer_unref(resolver->local);
	map_destroy(resolver->asked);
	free(resolver);
	resolver_here = NULL;
}

/* Made at first use; NULL without memory. */
static struct resolver *
resolver_get(void)
{
	struct resolver *resolver = resolver_here;

	if (resolver != NULL)
		return resolver;
	resolver = xcalloc(1, sizeof *resolver);
	resolver->loop = &scheduler_here->loop;
	resolver->cache = resolver_cache_create(RESOLVER_CACHE_MAX);
	if (resolver->cache == NULL) {
		free(resolver);
		return NULL;
	}
	resolver->asked = map_create();
	belonging_add_to_scheduler(&resolver->belonging, "resolver", resolver_on_end);
	resolver_here = resolver;
	return resolver;
}

/* Whether the file is another than that of the last time. */
static bool
resolver_file_changed(struct resolver_file *file, const char *path)
{
	struct resolver_file now;
	struct stat found;

	memset(&now, 0, sizeof now);
	if (stat(path, &found) == 0) {
		now.device = found.st_dev;
		now.inode = found.st_ino;
		now.size = found.st_size;
		now.changed = found.st_mtim;
	}
	if (memcmp(&now, file, sizeof now) == 0)
		return false;
	*file = now;
	return true;
}

/* Other name servers may know other things. */
static void
resolver_look_at_files(struct resolver *resolver)
{
	int64_t now_ns = resolver_now(resolver);

	if (now_ns < resolver->look_ns)
		return;
	resolver->look_ns = now_ns + RESOLVER_LOOK_NS;
	if (resolver_file_changed(&resolver->conf_file, resolver_setting.resolv_conf) && resolver->dns != NULL) {
		resolver_cache_clear(resolver->cache);
		dns_reload(resolver->dns);
	}
	if (resolver_file_changed(&resolver->hosts_file, resolver_setting.hosts) || resolver->hosts == NULL) {
		resolver_hosts_destroy(resolver->hosts);
		resolver->hosts = resolver_hosts_read(resolver_setting.hosts);
	}
}

/* --- questions ------------------------------------------------------------------------------------ */

static void
resolver_on_answered(struct dns_question *dns, struct resolver_answer *answer)
{
	struct resolver_question *question = container_of(dns, struct resolver_question, dns);
	struct resolver *resolver = question->resolver;
	struct list *link;

	(void)map_remove(resolver->asked, dns->name);
	if (answer != NULL)
		resolver_cache_keep(resolver->cache, dns->name, answer, resolver_now(resolver));
	while ((link = list_first(&question->waiters)) != NULL) {
		struct waiter *waiter = container_of(link, struct waiter, link);

		waiter->item = answer != NULL ? resolver_answer_ref(answer) : NULL;
		waiter_wake(waiter, BAY_OK);
	}
	resolver_answer_unref(answer);
	free(question);
}

/* That of the name, or a new one that has not been asked; NULL: not now. */
static struct resolver_question *
resolver_question_get(struct resolver *resolver, const char *name, bool reverse, bool *is_new_r)
{
	struct resolver_question *question = map_get(resolver->asked, name);

	*is_new_r = question == NULL;
	if (question != NULL || map_size(resolver->asked) >= RESOLVER_QUESTIONS_MAX)
		return question;
	question = xcalloc(1, sizeof *question);
	question->resolver = resolver;
	list_init(&question->waiters);
	snprintf(question->dns.name, sizeof question->dns.name, "%s", name);
	question->dns.reverse = reverse;
	question->dns.answered = resolver_on_answered;
	(void)map_put(resolver->asked, name, question);
	return question;
}

/* Why the name servers cannot be asked, or BAY_OK. */
static int
resolver_begin(struct resolver *resolver, struct task *self, int64_t deadline)
{
	if (task_deadline(self, deadline) <= resolver->loop->now_ns)
		return await_refused(self, BAY_TIMEOUT);
	if (resolver->dns == NULL)
		resolver->dns = dns_create(resolver->loop, resolver_setting.resolv_conf, resolver_setting.port);
	return resolver->dns != NULL ? BAY_OK : BAY_IO;
}

/* BAY_OK: *answer_r is the caller's, or NULL without memory. */
static int
resolver_ask(struct resolver *resolver, const char *name, bool reverse, struct resolver_answer **answer_r,
	int64_t deadline)
{
	struct task *self = task_current();
	struct resolver_question *question;
	struct waiter waiter;
	bool is_new;
	int status = resolver_begin(resolver, self, deadline);

	if (status != BAY_OK)
		return status;
	question = resolver_question_get(resolver, name, reverse, &is_new);
	if (question == NULL)
		return BAY_FULL;
	waiter_init(&waiter, AWAIT_CANCELABLE);
	waiter.on = name;
	list_push_back(&question->waiters, &waiter.link);
	/* It may be answered, and gone, at once. */
	if (is_new)
		dns_ask(resolver->dns, &question->dns);
	status = task_await(&waiter, deadline);
	if (status == BAY_OK)
		*answer_r = waiter.item;
	return status;
}

/* --- names ------------------------------------------------------------------------------------------ */

/* 127.0.0.1 and ::1. NULL without memory. */
static struct resolver_answer *
resolver_local(struct resolver *resolver)
{
	struct resolver_record ipv4 = {.family = AF_INET}, ipv6 = {.family = AF_INET6};
	struct resolver_answer *answer = resolver->local;

	if (answer != NULL)
		return answer;
	ipv4.ipv4.s_addr = htonl(INADDR_LOOPBACK);
	ipv6.ipv6 = in6addr_loopback;
	answer = resolver_answer_create(BAY_OK, NULL);
	if (answer == NULL || !resolver_answer_add(answer, &ipv4) || !resolver_answer_add(answer, &ipv6)) {
		resolver_answer_unref(answer);
		return NULL;
	}
	resolver_answer_settle(answer);
	resolver->local = answer;
	return answer;
}

/* What is known without a question, borrowed; NULL: nothing. */
static struct resolver_answer *
resolver_known(struct resolver *resolver, const char *name)
{
	struct resolver_answer *answer = NULL;

	if (resolver->hosts != NULL)
		answer = resolver_hosts_find(resolver->hosts, name);
	if (answer == NULL && resolver_name_is_local(name))
		answer = resolver_local(resolver);
	if (answer == NULL)
		answer = resolver_cache_find(resolver->cache, name, resolver_now(resolver));
	return answer;
}

/* BAY_OK: *answer_r is the caller's. */
static int
resolver_find(struct resolver *resolver, const char *name, bool reverse, struct resolver_answer **answer_r,
	int64_t deadline)
{
	struct resolver_answer *answer = resolver_known(resolver, name);
	int status;

	*answer_r = NULL;
	if (answer != NULL) {
		*answer_r = resolver_answer_ref(answer);
		/* Whoever always asks for the same would otherwise never let anybody else run. */
		return await_refused(task_current(), BAY_OK);
	}
	status = resolver_ask(resolver, name, reverse, answer_r, deadline);
	return status == BAY_OK && *answer_r == NULL ? BAY_NO_MEMORY : status;
}

/* --- results ------------------------------------------------------------------------------------------ */

const char *
bay_resolve_error(void)
{
	const struct task *self = task_current();

	return self != NULL && self->call_error != NULL ? self->call_error : "";
}

/* Only a failure has a text. */
static int
resolver_end(int status, const char *what, const char *why)
{
	struct task *self = task_current();

	if (status != BAY_OK && why == NULL)
		why = status == BAY_TIMEOUT ? "there was no answer in time" : status == BAY_CANCELED ?
			"the task was cancelled" : status == BAY_FULL ? "too many names are being asked for" :
			status == BAY_IO ? "the name servers are not known" : bay_status_name(status);
	if (status != BAY_OK)
		task_set_error(self, xasprintf("look up %s: %s", what, why));
	else if (self->call_error != NULL)
		task_set_error(self, NULL);
	return status;
}

static void
resolver_make_address(struct bay_address *address, const struct resolver_record *record, in_port_t port)
{
	struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = port};
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = port};

	if (record->family == AF_INET) {
		ipv4.sin_addr = record->ipv4;
		(void)address_from_sockaddr(address, (const struct sockaddr *)&ipv4, sizeof ipv4);
	} else {
		ipv6.sin6_addr = record->ipv6;
		(void)address_from_sockaddr(address, (const struct sockaddr *)&ipv6, sizeof ipv6);
	}
}

/* AF_UNSPEC: both. */
static int
resolver_family(unsigned flags)
{
	switch (flags & (BAY_RESOLVE_IPV4 | BAY_RESOLVE_IPV6)) {
	case BAY_RESOLVE_IPV4:
		return AF_INET;
	case BAY_RESOLVE_IPV6:
		return AF_INET6;
	default:
		return AF_UNSPEC;
	}
}

/* As many of them as there is room for. */
static int
resolver_pick(const char *host, const struct resolver_answer *answer, unsigned flags, in_port_t port,
	struct bay_address *addresses, size_t max, size_t *count_r)
{
	const struct resolver_record *records[64];
	size_t i, count = sizeof records / sizeof records[0];

	if (answer->status != BAY_OK)
		return resolver_end(answer->status, host, answer->error);
	count = resolver_answer_pick(answer, resolver_family(flags), records, max < count ? max : count);
	for (i = 0; i < count; i++)
		resolver_make_address(&addresses[i], records[i], port);
	*count_r = count;
	if (count > 0)
		return resolver_end(BAY_OK, host, NULL);
	return resolver_end(BAY_NOT_FOUND, host, "it has no address of that family");
}

/* --- what was asked for -------------------------------------------------------------------------------- */

/* A number or the name of a service; NULL is 0. */
static bool
resolver_read_port(const char *text, in_port_t *port_r)
{
	struct servent found, *service = NULL;
	char room[1024];
	char *end;
	long port;

	*port_r = 0;
	if (text == NULL)
		return true;
	if (text[0] >= '0' && text[0] <= '9') {
		port = strtol(text, &end, 10);
		*port_r = htons((uint16_t)port);
		return *end == '\0' && port <= UINT16_MAX;
	}
	if (getservbyname_r(text, NULL, &found, room, sizeof room, &service) != 0 || service == NULL)
		return false;
	*port_r = (in_port_t)service->s_port;
	return true;
}

/* False: it is no number. */
static bool
resolver_read_number(const char *host, in_port_t port, struct bay_address *address)
{
	char text[RESOLVER_NAME_SIZE + 16];
	bool ipv6 = strchr(host, ':') != NULL;
	int length = snprintf(text, sizeof text, "%s%s%s:%u", ipv6 ? "[" : "", host, ipv6 ? "]" : "", ntohs(port));

	return length > 0 && (size_t)length < sizeof text && bay_address_parse(text, address) == BAY_OK;
}

static int
resolver_lookup_flags(const char *host, const char *service, unsigned flags, struct bay_address *addresses,
	size_t max, size_t *count_r, int64_t deadline)
{
	struct resolver *resolver = resolver_get();
	struct resolver_answer *answer;
	char name[RESOLVER_NAME_SIZE];
	const char *fault;
	in_port_t port;
	int status;

	*count_r = 0;
	if (resolver == NULL)
		return BAY_NO_MEMORY;
	if (host == NULL || max == 0 || (flags & ~RESOLVER_FLAGS) != 0)
		return resolver_end(BAY_INVALID, host != NULL ? host : "NULL", "that makes no sense");
	if (!resolver_read_port(service, &port))
		return resolver_end(BAY_INVALID, service, "there is no such port or service");
	if (resolver_read_number(host, port, &addresses[0])) {
		int family = resolver_family(flags);

		if (family != AF_UNSPEC && (family == AF_INET) != (bay_address_family(addresses) == BAY_ADDRESS_IPV4))
			return resolver_end(BAY_NOT_FOUND, host, "it is an address of the other family");
		*count_r = 1;
		return await_refused(task_current(), resolver_end(BAY_OK, host, NULL));
	}
	fault = flags & BAY_RESOLVE_NUMERIC ? "that is no address" : resolver_name_read(host, name);
	if (fault != NULL)
		return resolver_end(BAY_INVALID, host, fault);
	resolver_look_at_files(resolver);
	status = resolver_find(resolver, name, false, &answer, deadline);
	if (status != BAY_OK)
		return resolver_end(status, host, NULL);
	status = resolver_pick(host, answer, flags, port, addresses, max, count_r);
	resolver_answer_unref(answer);
	return status;
}

int
resolver_lookup(const char *host, const char *port, struct bay_address *addresses, size_t max, size_t *count_r,
	int64_t deadline)
{
	return resolver_lookup_flags(host, port, 0, addresses, max, count_r, deadline);
}

int
bay_resolve(const char *host, const char *port, unsigned flags, struct bay_address *addresses, size_t max,
	size_t *count_r, int64_t deadline)
{
	*count_r = 0;
	if (!AWAIT_BEGIN("bay_resolve"))
		return BAY_INVALID;
	if (await_is_over(task_current()))
		return await_over(task_current());
	return resolver_lookup_flags(host, port, flags, addresses, max, count_r, deadline);
}

/* --- the way back --------------------------------------------------------------------------------------- */

/* False: it is no IP address. One of IPv4 in the clothes of IPv6 is one of IPv4. */
static bool
resolver_read_record(const struct bay_address *address, struct resolver_record *record)
{
	socklen_t length;
	const struct sockaddr *from = address_sockaddr(address, &length);
	const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)(const void *)from;

	memset(record, 0, sizeof *record);
	if (bay_address_family(address) == BAY_ADDRESS_IPV4) {
		record->family = AF_INET;
		record->ipv4 = ((const struct sockaddr_in *)(const void *)from)->sin_addr;
	} else if (bay_address_family(address) != BAY_ADDRESS_IPV6) {
		return false;
	} else if (IN6_IS_ADDR_V4MAPPED(&ipv6->sin6_addr)) {
		record->family = AF_INET;
		memcpy(&record->ipv4, &ipv6->sin6_addr.s6_addr[12], sizeof record->ipv4);
	} else {
		record->family = AF_INET6;
		record->ipv6 = ipv6->sin6_addr;
	}
	return true;
}

static int
resolver_write_name(const char *found, const char *what, char *name, size_t size)
{
	if (strlen(found) >= size)
		return resolver_end(BAY_TOO_BIG, what, "there is no room for its name");
	memcpy(name, found, strlen(found) + 1);
	return resolver_end(BAY_OK, what, NULL);
}

static int
resolver_lookup_name(const struct bay_address *address, char *name, size_t size, int64_t deadline)
{
	struct resolver *resolver = resolver_get();
	char text[BAY_ADDRESS_TEXT_SIZE], question[RESOLVER_NAME_SIZE];
	struct resolver_answer *answer;
	struct resolver_record record;
	const char *known = NULL;
	int status;

	(void)bay_address_text(address, text, sizeof text);
	if (resolver == NULL)
		return BAY_NO_MEMORY;
	if (!resolver_read_record(address, &record))
		return resolver_end(BAY_INVALID, text, "that is no IP address");
	resolver_look_at_files(resolver);
	if (resolver->hosts != NULL)
		known = resolver_hosts_name(resolver->hosts, &record);
	if (known != NULL)
		return await_refused(task_current(), resolver_write_name(known, text, name, size));
	resolver_name_of_address(&record, question);
	status = resolver_find(resolver, question, true, &answer, deadline);
	if (status != BAY_OK)
		return resolver_end(status, text, NULL);
	if (answer->status == BAY_OK)
		status = resolver_write_name(answer->name, text, name, size);
	else
		status = resolver_end(answer->status, text, answer->status == BAY_NOT_FOUND ?
			"the address has no name" : answer->error);
	resolver_answer_unref(answer);
	return status;
}

int
bay_resolve_name(const struct bay_address *address, char *name, size_t size, int64_t deadline)
{
	if (size > 0)
		name[0] = '\0';
	if (!AWAIT_BEGIN("bay_resolve_name"))
		return BAY_INVALID;
	if (await_is_over(task_current()))
		return await_over(task_current());
	return resolver_lookup_name(address, name, size, deadline);
}
