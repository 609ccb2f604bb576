/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/dns.h"

/* What newer versions would rather see used, Debian 12's does not have. */
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <arpa/nameser.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <bay/status.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "io/resolver_name.h"
#include "loop/loop.h"
#include "loop/timer.h"

enum {
	/* Addresses of one name and family. */
	DNS_RECORDS_MAX = 64,
	/* What name servers may send in one datagram and no way will break up. */
	DNS_DATAGRAM_BYTES = 1232
};

/* What resolv.conf(5) gives name servers, and the most that it can. */
enum { DNS_TIMEOUT_S = 5, DNS_TIMEOUT_MAX_S = 30, DNS_ATTEMPTS = 2, DNS_ATTEMPTS_MAX = 5 };

#define DNS_CONF_MAX ((size_t)1 << 20)

/* How long the name of an address is true: c-ares does not say. */
#define DNS_NAME_TTL_NS ((int64_t)60 * CLOCK_NS_PER_S)

/* A descriptor of c-ares. */
struct dns_socket {
	struct list link;
	struct dns *dns;
	int fd;
	short events;
	struct event *event;
};

struct dns {
	struct loop *loop;
	ares_channel channel;
	struct timer timer;          /* armed while something has been asked */
	struct list sockets;         /* struct dns_socket.link */
	struct list again;           /* struct dns_question._link: to be asked again */
	char **domains;              /* the search list */
	int domain_count;
	int dots;                    /* a name with so many is tried as it is first */
	bool reloading;
	uint16_t port;
	char resolv_conf[];
};

/* --- on the loop ---------------------------------------------------------------------------- */

static void
dns_arm(struct dns *dns)
{
	struct timeval span;

	if (dns->channel == NULL || ares_timeout(dns->channel, NULL, &span) == NULL)
		wheel_remove(&dns->loop->wheel, &dns->timer);
	else
		wheel_add(&dns->loop->wheel, &dns->timer, dns->loop->now_ns + span.tv_sec * CLOCK_NS_PER_S +
			(int64_t)span.tv_usec * CLOCK_NS_PER_US);
}

static void
dns_on_timer(struct timer *timer)
{
	struct dns *dns = container_of(timer, struct dns, timer);

	ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	dns_arm(dns);
}

static void
dns_on_event(evutil_socket_t fd, short events, void *arg)
{
	struct dns *dns = ((struct dns_socket *)arg)->dns;

	/* The socket may be gone after this. */
	ares_process_fd(dns->channel, events & EV_READ ? fd : ARES_SOCKET_BAD,
		events & EV_WRITE ? fd : ARES_SOCKET_BAD);
	dns_arm(dns);
}

static void
dns_socket_leave(struct dns_socket *socket)
{
	list_remove(&socket->link);
	if (socket->event != NULL)
		event_free(socket->event);
	free(socket);
}

static struct dns_socket *
dns_socket_find(struct dns *dns, int fd)
{
	struct dns_socket *socket;

	list_for_each(pos, &dns->sockets) {
		socket = container_of(pos, struct dns_socket, link);
		if (socket->fd == fd)
			return socket;
	}
	socket = xcalloc(1, sizeof *socket);
	socket->dns = dns;
	socket->fd = fd;
	list_init(&socket->link);
	list_push_back(&dns->sockets, &socket->link);
	return socket;
}

/* What c-ares waits for on a socket of its own; for nothing: it is about to close it. */
static void
dns_on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct dns *dns = arg;
	struct dns_socket *socket = dns_socket_find(dns, fd);
	short events = (short)((readable ? EV_READ : 0) | (writable ? EV_WRITE : 0));

	if (events == 0) {
		dns_socket_leave(socket);
		return;
	}
	if (socket->event != NULL && socket->events == events)
		return;
	if (socket->event != NULL)
		event_free(socket->event);
	socket->events = events;
	socket->event = event_new(dns->loop->base, fd, (short)(events | EV_PERSIST), dns_on_event, socket);
	/* Without it, the time-out of c-ares is what ends its wait. */
	if (socket->event == NULL || event_add(socket->event, NULL) != 0)
		log_error("resolver", "there is no memory to wait for a name server");
}

/* --- the channel ------------------------------------------------------------------------------ */

static void
dns_library_init(void)
{
	(void)ares_library_init(ARES_LIB_INIT_ALL);
}

/* The number of "timeout:5", 1 to max. False: it is something else. */
static bool
dns_read_option(const char *word, const char *name, int max, int *value_r)
{
	size_t length = strlen(name);
	long value;

	if (strncmp(word, name, length) != 0)
		return false;
	value = strtol(word + length, NULL, 10);
	*value_r = value < 1 ? 1 : value > max ? max : (int)value;
	return true;
}

/* c-ares has other names for these (retrans, retry), and more patience. */
static void
dns_read_options(const char *path, int *timeout_s_r, int *attempts_r)
{
	struct buffer text = {0};
	char *line, *rest = NULL;

	*timeout_s_r = DNS_TIMEOUT_S;
	*attempts_r = DNS_ATTEMPTS;
	if (!fd_read_file(AT_FDCWD, path, 0, DNS_CONF_MAX, &text) || buffer_text(&text) == NULL) {
		buffer_finish(&text);
		return;
	}
	for (line = strtok_r(buffer_text(&text), "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		char *next = NULL, *word = strtok_r(line, " \t", &next);

		if (word == NULL || strcmp(word, "options") != 0)
			continue;
		while ((word = strtok_r(NULL, " \t", &next)) != NULL) {
			if (!dns_read_option(word, "timeout:", DNS_TIMEOUT_MAX_S, timeout_s_r))
				(void)dns_read_option(word, "attempts:", DNS_ATTEMPTS_MAX, attempts_r);
		}
	}
	buffer_finish(&text);
}

/* NULL: what is wrong is in the log. */
static ares_channel
dns_channel_open(struct dns *dns)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	static char lookups[] = "b";
	struct ares_options options = {
		.flags = ARES_FLAG_EDNS,
		.ednspsz = DNS_DATAGRAM_BYTES,
		.lookups = lookups,
		.resolvconf_path = dns->resolv_conf,
		.sock_state_cb = dns_on_socket,
		.sock_state_cb_data = dns,
		.udp_port = dns->port,
		.tcp_port = dns->port,
	};
	int which = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF |
		ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
	ares_channel channel;
	int status;

	dns_read_options(dns->resolv_conf, &options.timeout, &options.tries);
	options.timeout *= 1000;
	if (dns->port != 0)
		which |= ARES_OPT_UDP_PORT | ARES_OPT_TCP_PORT;
	pthread_once(&once, dns_library_init);
	status = ares_init_options(&channel, &options, which);
	if (status == ARES_SUCCESS)
		return channel;
	log_error("resolver", "%s: %s", dns->resolv_conf, ares_strerror(status));
	return NULL;
}

static void
dns_forget_domains(struct dns *dns)
{
	for (int i = 0; i < dns->domain_count; i++)
		free(dns->domains[i]);
	free(dns->domains);
	dns->domains = NULL;
	dns->domain_count = 0;
}

/* The channel knows what the file said about searching. */
static void
dns_learn_domains(struct dns *dns)
{
	struct ares_options options;
	int which;

	dns_forget_domains(dns);
	dns->dots = 1;
	memset(&options, 0, sizeof options);
	if (ares_save_options(dns->channel, &options, &which) == ARES_SUCCESS) {
		dns->dots = options.ndots;
		dns->domains = xcalloc((size_t)options.ndomains + 1, sizeof dns->domains[0]);
		for (int i = 0; i < options.ndomains; i++)
			dns->domains[dns->domain_count++] = xstrdup(options.domains[i]);
	}
	ares_destroy_options(&options);
}

struct dns *
dns_create(struct loop *loop, const char *resolv_conf, uint16_t port)
{
	struct dns *dns = xcalloc(1, sizeof *dns + strlen(resolv_conf) + 1);

	memcpy(dns->resolv_conf, resolv_conf, strlen(resolv_conf));
	dns->loop = loop;
	dns->port = port;
	timer_init(&dns->timer, dns_on_timer);
	list_init(&dns->sockets);
	list_init(&dns->again);
	dns->channel = dns_channel_open(dns);
	if (dns->channel == NULL) {
		free(dns);
		return NULL;
	}
	dns_learn_domains(dns);
	return dns;
}

void
dns_destroy(struct dns *dns)
{
	if (dns == NULL)
		return;
	ares_destroy(dns->channel);
	wheel_remove(&dns->loop->wheel, &dns->timer);
	dns_forget_domains(dns);
	free(dns);
}

static void dns_begin(struct dns *dns, struct dns_question *question);

/* --- names to try ------------------------------------------------------------------------------- */

static int
dns_count_dots(const char *name)
{
	int dots = 0;

	for (; *name != '\0'; name++)
		dots += *name == '.';
	return dots;
}

/* Whether the name is tried as it is only. */
static bool
dns_is_whole(const struct dns_question *question)
{
	return question->reverse || question->name[strlen(question->name) - 1] == '.';
}

/* With a domain of the search list. False: it would be too long. */
static bool
dns_in_domain(const char *name, const char *domain, char text[RESOLVER_NAME_SIZE])
{
	size_t length = strlen(name), more = strlen(domain);

	if (more == 0 || strcmp(domain, ".") == 0 || length + 1 + more >= RESOLVER_NAME_SIZE)
		return false;
	memcpy(text, name, length);
	text[length] = '.';
	memcpy(text + length + 1, domain, more + 1);
	return true;
}

/* The next name to try: as it is, before the search list when it has dots enough, else behind it.
 * False: there is none. */
static bool
dns_next_name(const struct dns *dns, struct dns_question *question, char text[RESOLVER_NAME_SIZE])
{
	bool whole = dns_is_whole(question);
	int plain = whole || dns_count_dots(question->name) >= dns->dots ? 0 : dns->domain_count;
	int last = whole ? 0 : dns->domain_count;

	while (question->_next <= last) {
		int turn = question->_next++;

		if (turn == plain) {
			memcpy(text, question->name, RESOLVER_NAME_SIZE);
			return true;
		}
		if (dns_in_domain(question->name, dns->domains[turn < plain ? turn : turn - 1], text))
			return true;
	}
	return false;
}

/* --- questions ------------------------------------------------------------------------------------ */

/* What people and plugins are told. */
static int
dns_status(int failure, const char **error_r)
{
	*error_r = ares_strerror(failure);
	switch (failure) {
	case ARES_ENOTFOUND:
		*error_r = "there is no such name";
		return BAY_NOT_FOUND;
	case ARES_ENODATA:
		*error_r = "the name has no address";
		return BAY_NOT_FOUND;
	case ARES_ESERVFAIL:
		*error_r = "the name server failed (SERVFAIL)";
		return BAY_IO;
	case ARES_EREFUSED:
		*error_r = "the name server refused";
		return BAY_IO;
	case ARES_ETIMEOUT:
		*error_r = "no name server answered";
		return BAY_TIMEOUT;
	case ARES_ECONNREFUSED:
		/* Before 1.20 also what is left when all of them failed or refused. */
		*error_r = "the name servers failed or could not be reached";
		return BAY_IO;
	case ARES_EBADNAME:
		*error_r = "that is no name";
		return BAY_INVALID;
	case ARES_ENOMEM:
		*error_r = "no memory";
		return BAY_NO_MEMORY;
	case ARES_EDESTRUCTION:
	case ARES_ECANCELLED:
		*error_r = "the loop ends";
		return BAY_CLOSED;
	default:
		return BAY_IO;
	}
}

/* How much a failure says: that nobody is there more than that somebody failed, and that more than
 * that there is nothing. */
static int
dns_rank(int failure)
{
	static const int order[] = {ARES_SUCCESS, ARES_ENOTFOUND, ARES_ENODATA, ARES_ESERVFAIL, ARES_ETIMEOUT,
		ARES_ECONNREFUSED, ARES_ENOMEM, ARES_EDESTRUCTION};
	enum { DNS_RANK_OTHERS = 3 };

	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		if (order[i] == failure)
			return (int)i;
	}
	return DNS_RANK_OTHERS;
}

static int
dns_worse(int failure, int other)
{
	return dns_rank(failure) >= dns_rank(other) ? failure : other;
}

static void
dns_answer(struct dns_question *question, int failure)
{
	struct resolver_answer *answer = question->_answer;

	question->_answer = NULL;
	if (answer != NULL && failure != ARES_SUCCESS)
		answer->status = dns_status(failure, &answer->error);
	if (answer != NULL)
		resolver_answer_settle(answer);
	question->answered(question, answer);
}

static bool
dns_has_found(const struct dns_question *question)
{
	return question->_answer != NULL && (question->_answer->count > 0 || question->_answer->name != NULL);
}

/* Whether to go on with the next name: this one does not exist, or its servers are broken. */
static bool
dns_may_go_on(int failure)
{
	return failure == ARES_ENOTFOUND || failure == ARES_ENODATA || failure == ARES_ESERVFAIL ||
		failure == ARES_EREFUSED;
}

/* All queries of one name have come back. */
static void
dns_settle(struct dns *dns, struct dns_question *question)
{
	int failure = question->_failure;

	if (failure == ARES_EDESTRUCTION && dns->reloading) {
		list_push_back(&dns->again, &question->_link);
	} else if (dns_has_found(question)) {
		dns_answer(question, ARES_SUCCESS);
	} else {
		question->_worst = dns_worse(failure, question->_worst);
		if (dns_may_go_on(failure))
			dns_begin(dns, question);
		else
			dns_answer(question, question->_worst);
	}
}

/* --- answers --------------------------------------------------------------------------------------- */

static bool
dns_add(struct resolver_answer *answer, int family, const void *address, int ttl_s)
{
	struct resolver_record record = {.family = family};
	int64_t ttl_ns = (ttl_s > 0 ? ttl_s : 0) * (int64_t)CLOCK_NS_PER_S;

	if (family == AF_INET)
		memcpy(&record.ipv4, address, sizeof record.ipv4);
	else
		memcpy(&record.ipv6, address, sizeof record.ipv6);
	if (answer->count == 0 || ttl_ns < answer->ttl_ns)
		answer->ttl_ns = ttl_ns;
	return resolver_answer_add(answer, &record);
}

static int
dns_read_ipv4(struct resolver_answer *answer, const unsigned char *data, int size)
{
	struct ares_addrttl records[DNS_RECORDS_MAX];
	int i, count = DNS_RECORDS_MAX;
	int status = ares_parse_a_reply(data, size, NULL, records, &count);

	if (status != ARES_SUCCESS)
		return status;
	for (i = 0; i < count; i++) {
		if (!dns_add(answer, AF_INET, &records[i].ipaddr, records[i].ttl))
			return ARES_ENOMEM;
	}
	return count > 0 ? ARES_SUCCESS : ARES_ENODATA;
}

static int
dns_read_ipv6(struct resolver_answer *answer, const unsigned char *data, int size)
{
	struct ares_addr6ttl records[DNS_RECORDS_MAX];
	int i, count = DNS_RECORDS_MAX;
	int status = ares_parse_aaaa_reply(data, size, NULL, records, &count);

	if (status != ARES_SUCCESS)
		return status;
	for (i = 0; i < count; i++) {
		if (!dns_add(answer, AF_INET6, &records[i].ip6addr, records[i].ttl))
			return ARES_ENOMEM;
	}
	return count > 0 ? ARES_SUCCESS : ARES_ENODATA;
}

/* Whoever owns the address chooses the name, and may choose anything. */
static int
dns_read_name(struct resolver_answer *answer, const unsigned char *data, int size)
{
	char name[RESOLVER_NAME_SIZE];
	struct hostent *host = NULL;
	int status = ares_parse_ptr_reply(data, size, NULL, 0, AF_INET, &host);

	if (status != ARES_SUCCESS)
		return status;
	if (resolver_name_read(host->h_name, name) == NULL)
		answer->name = strdup(name);
	else
		status = ARES_EBADRESP;
	ares_free_hostent(host);
	answer->ttl_ns = DNS_NAME_TTL_NS;
	return status != ARES_SUCCESS || answer->name != NULL ? status : ARES_ENOMEM;
}

static int
dns_read(const struct dns_query *query, const unsigned char *data, int size)
{
	struct resolver_answer *answer = query->_question->_answer;

	if (answer == NULL)
		return ARES_ENOMEM;
	switch (query->_type) {
	case ns_t_a:
		return dns_read_ipv4(answer, data, size);
	case ns_t_aaaa:
		return dns_read_ipv6(answer, data, size);
	default:
		return dns_read_name(answer, data, size);
	}
}

static void
dns_on_reply(void *arg, int status, int timeouts, unsigned char *data, int size)
{
	struct dns_query *query = arg;
	struct dns_question *question = query->_question;

	(void)timeouts;
	if (status == ARES_SUCCESS)
		status = dns_read(query, data, size);
	question->_failure = dns_worse(status, question->_failure);
	if (--question->_waiting == 0)
		dns_settle(question->_dns, question);
}

/* --- asking ----------------------------------------------------------------------------------------- */

/* Asks for the next name, or says that there is none. The question may be gone after the last of
 * its queries. */
static void
dns_begin(struct dns *dns, struct dns_question *question)
{
	static const int types[] = {ns_t_a, ns_t_aaaa};
	unsigned i, count = question->reverse ? 1 : 2;
	char name[RESOLVER_NAME_SIZE];

	if (!dns_next_name(dns, question, name)) {
		dns_answer(question, question->_worst);
		return;
	}
	question->_failure = ARES_SUCCESS;
	question->_waiting = count;
	for (i = 0; i < count; i++) {
		question->_queries[i]._question = question;
		question->_queries[i]._type = question->reverse ? ns_t_ptr : types[i];
	}
	for (i = 0; i < count; i++)
		ares_query(dns->channel, name, ns_c_in, question->_queries[i]._type, dns_on_reply,
			&question->_queries[i]);
}

/* From the first name on, with nothing known yet. */
static void
dns_begin_anew(struct dns *dns, struct dns_question *question)
{
	resolver_answer_unref(question->_answer);
	question->_answer = resolver_answer_create(BAY_OK, NULL);
	question->_next = 0;
	question->_worst = ARES_SUCCESS;
	dns_begin(dns, question);
}

void
dns_ask(struct dns *dns, struct dns_question *question)
{
	question->_dns = dns;
	question->_answer = NULL;
	list_init(&question->_link);
	dns_begin_anew(dns, question);
	dns_arm(dns);
}

void
dns_reload(struct dns *dns)
{
	ares_channel channel = dns_channel_open(dns);
	struct list *link;

	if (channel == NULL)
		return;
	dns->reloading = true;
	ares_destroy(dns->channel);
	dns->reloading = false;
	dns->channel = channel;
	dns_learn_domains(dns);
	while ((link = list_pop_front(&dns->again)) != NULL)
		dns_begin_anew(dns, container_of(link, struct dns_question, _link));
	dns_arm(dns);
}
