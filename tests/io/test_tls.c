/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/tls.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bay/listener.h>
#include <bay/select.h>
#include <bay/task.h>

#include "base/log.h"
#include "io/blocking_pool.h"
#include "io/stream.h"
#include "runtime/task.h"
#include "support/certificates.h"
#include "support/run_tasks.h"
#include "support/streams.h"
#include "support/temp_dir.h"

enum { LONG = 1 << 20 };

static struct temp_dir dir;
static struct certificate authority, good, expired, stranger, client;

/* A path in the directory: kept for the test's life. */
static const char *
path_of(const char *name)
{
	static char paths[16][300];
	static unsigned next;
	char *path = paths[next++ % 16];

	snprintf(path, sizeof paths[0], "%s", temp_dir_path(&dir, name));
	return path;
}

static void
make(struct certificate *certificate, const char *name, const struct certificate *issuer, bool is_expired,
	const char *file)
{
	*certificate = (struct certificate){.name = name, .ip = "127.0.0.1", .issuer = issuer,
		.expired = is_expired};
	certificate_make(certificate);
	certificate_write(certificate, path_of(file), true, true);
}

static void
make_all(void)
{
	temp_dir_init(&dir);
	make(&authority, "authority", NULL, false, "ca.pem");
	make(&good, "localhost", &authority, false, "good.pem");
	make(&expired, "localhost", &authority, true, "expired.pem");
	make(&stranger, "localhost", NULL, false, "stranger.pem");
	make(&client, "client", &authority, false, "client.pem");
}

static void
finish_all(void)
{
	certificate_finish(&authority);
	certificate_finish(&good);
	certificate_finish(&expired);
	certificate_finish(&stranger);
	certificate_finish(&client);
	temp_dir_finish(&dir);
	blocking_pool_finish();
}

/* A test with all the certificates. */
#define TLS_TEST(name)                                          \
	static int name##_main(void *arg);                          \
	START_TEST(name)                                            \
	{                                                           \
		make_all();                                             \
		ck_assert_int_eq(run_task(name##_main, NULL), BAY_OK);  \
		finish_all();                                           \
	}                                                           \
	END_TEST                                                    \
	static int name##_main(void *arg __attribute__((unused)))

static int64_t
soon(void)
{
	return bay_after(60 * BAY_SECOND);
}

static struct bay_tls *
create(const struct bay_tls_options *what)
{
	struct bay_tls_options options = *what;
	char error[256] = "";
	struct bay_tls *tls;

	options.length = sizeof options;
	options.error = error;
	options.error_size = sizeof error;
	ck_assert_msg(bay_tls_create(&options, &tls, soon()) == BAY_OK, "%s", error);
	return tls;
}

static struct bay_tls *
server_with(const char *file)
{
	return create(&(struct bay_tls_options){.server = true, .certificate = path_of(file)});
}

static struct bay_tls *
plain_client(void)
{
	return create(&(struct bay_tls_options){.ca = path_of("ca.pem")});
}

/* Both ends of a connection, one of them in a task. */
struct side {
	struct bay_stream *stream;
	struct bay_tls *tls;
	const char *name;
	int64_t deadline;
	int status;
};

static int
shake(void *arg)
{
	struct side *side = arg;

	side->status = bay_stream_start_tls(side->stream, side->tls, side->name, side->deadline);
	return BAY_OK;
}

/* Lets both begin; says how it ended for each. */
static void
shake_both(struct side *server, struct side *customer)
{
	struct bay_task *task;

	server->deadline = customer->deadline = soon();
	ck_assert_int_eq(bay_stream_pair(&server->stream, &customer->stream), BAY_OK);
	task = bay_spawn("server", shake, server);
	shake(customer);
	if (customer->status != BAY_OK)
		ck_assert_int_ge(bay_stream_close(customer->stream, soon()), BAY_OK);
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
}

static void
assert_echo(struct bay_stream *from, struct bay_stream *to)
{
	char *line;

	ck_assert_int_eq(bay_stream_write(from, "hello\n", 6, soon()), BAY_OK);
	ck_assert_int_eq(bay_stream_read_line(to, 100, &line, NULL, soon()), BAY_OK);
	ck_assert_str_eq(line, "hello");
}

/* A pair that has agreed. */
static void
begin(struct side *server, struct side *customer)
{
	*server = (struct side){.tls = server_with("good.pem")};
	*customer = (struct side){.tls = plain_client(), .name = "localhost"};
	shake_both(server, customer);
	ck_assert_int_eq(server->status, BAY_OK);
	ck_assert_int_eq(customer->status, BAY_OK);
}

static void
finish(struct side *server, struct side *customer)
{
	bay_stream_abort(server->stream);
	bay_stream_abort(customer->stream);
	bay_tls_destroy(server->tls);
	bay_tls_destroy(customer->tls);
}

TLS_TEST(both_ends_speak_in_secret)
{
	struct bay_stream_tls facts;
	struct side server, customer;

	begin(&server, &customer);
	assert_echo(customer.stream, server.stream);
	assert_echo(server.stream, customer.stream);
	ck_assert_int_eq(bay_stream_tls(customer.stream, &facts), BAY_OK);
	ck_assert_str_eq(facts.version, "TLSv1.3");
	ck_assert_str_ne(facts.cipher, "");
	ck_assert_str_eq(facts.alpn, "");
	ck_assert_str_eq(facts.peer, "/CN=localhost");
	ck_assert_int_eq(bay_stream_tls(server.stream, &facts), BAY_OK);
	ck_assert_str_eq(facts.peer, "");
	ck_assert_int_eq(bay_stream_start_tls(customer.stream, customer.tls, "localhost", soon()), BAY_INVALID);
	finish(&server, &customer);
	return BAY_OK;
}

TLS_TEST(the_end_is_told_from_a_cut)
{
	struct side server, customer;
	char *data;
	int fd;

	begin(&server, &customer);
	ck_assert_int_eq(bay_stream_write(server.stream, "all", 3, soon()), BAY_OK);
	ck_assert_int_eq(bay_stream_close(server.stream, soon()), BAY_OK);
	ck_assert_int_eq(bay_stream_read_all(customer.stream, 100, &data, NULL, soon()), BAY_OK);
	ck_assert_str_eq(data, "all");
	bay_stream_abort(customer.stream);
	bay_tls_destroy(server.tls);
	bay_tls_destroy(customer.tls);
	begin(&server, &customer);
	ck_assert_int_eq(bay_stream_write(server.stream, "half", 4, soon()), BAY_OK);
	/* What lies below is closed without a word of TLS. */
	fd = dup(bay_stream_fd(server.stream));
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	close(fd);
	ck_assert_int_eq(bay_stream_read_all(customer.stream, 100, &data, NULL, soon()), BAY_IO);
	ck_assert_ptr_nonnull(strstr(bay_stream_error(customer.stream), "without the end of TLS"));
	finish(&server, &customer);
	return BAY_OK;
}

TLS_TEST(one_direction_can_be_ended)
{
	struct side server, customer;
	char *data;

	begin(&server, &customer);
	ck_assert_int_eq(bay_stream_write(customer.stream, "question", 8, soon()), BAY_OK);
	ck_assert_int_eq(bay_stream_write_eof(customer.stream), BAY_OK);
	ck_assert_int_eq(bay_stream_read_all(server.stream, 100, &data, NULL, soon()), BAY_OK);
	ck_assert_str_eq(data, "question");
	ck_assert_int_eq(bay_stream_write(server.stream, "answer", 6, soon()), BAY_OK);
	ck_assert_int_eq(bay_stream_close(server.stream, soon()), BAY_OK);
	ck_assert_int_eq(bay_stream_read_all(customer.stream, 100, &data, NULL, soon()), BAY_OK);
	ck_assert_str_eq(data, "answer");
	bay_stream_abort(customer.stream);
	bay_tls_destroy(server.tls);
	bay_tls_destroy(customer.tls);
	return BAY_OK;
}

static char block[LONG];

static int
write_long(void *arg)
{
	struct side *side = arg;
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	size_t sent;
	int status = bay_stream_write(side->stream, block, LONG, BAY_INHERIT);

	if (status == BAY_OK)
		status = bay_stream_sendfile(side->stream, file, 0, 20000, &sent, BAY_INHERIT);
	if (status == BAY_OK)
		status = bay_stream_write_eof(side->stream);
	close(file);
	return status;
}

TLS_TEST(much_comes_through_whole_and_in_order)
{
	struct side server, customer;
	struct bay_task *task;
	char *data;
	size_t size;

	for (int i = 0; i < LONG; i++)
		block[i] = (char)(i * 7 + i / 256);
	begin(&server, &customer);
	task = bay_spawn("writes", write_long, &server);
	ck_assert_int_eq(bay_stream_read_all(customer.stream, SIZE_MAX, &data, &size, soon()), BAY_OK);
	ck_assert_uint_eq(size, LONG + 20000);
	ck_assert_int_eq(memcmp(data, block, LONG), 0);
	ck_assert_int_eq(memcmp(data + LONG, "\x7f" "ELF", 4), 0);
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	finish(&server, &customer);
	return BAY_OK;
}

TLS_TEST(a_select_sees_what_has_been_decrypted)
{
	struct side server, customer;
	struct bay_case one;
	size_t index, size;
	char byte;

	begin(&server, &customer);
	ck_assert_int_eq(bay_stream_write(server.stream, "ab", 2, soon()), BAY_OK);
	one = bay_case_read(customer.stream);
	for (int i = 0; i < 2; i++) {
		/* Tickets of the server's come first, and are nothing to read. */
		ck_assert_int_eq(bay_select(&one, 1, &index, soon()), BAY_OK);
		ck_assert_int_eq(bay_stream_read(customer.stream, &byte, 1, &size, bay_after(0)), BAY_OK);
		ck_assert_int_eq(byte, "ab"[i]);
	}
	ck_assert_int_eq(bay_select(&one, 1, &index, bay_after(0)), BAY_TIMEOUT);
	finish(&server, &customer);
	return BAY_OK;
}

/* --- who is not trusted ----------------------------------------------------------------------- */

static void
assert_refused(const char *file, const char *name, const char *why)
{
	struct side server = {.tls = server_with(file)};
	struct side customer = {.tls = plain_client(), .name = name};
	struct bay_task *task;

	server.deadline = customer.deadline = soon();
	ck_assert_int_eq(bay_stream_pair(&server.stream, &customer.stream), BAY_OK);
	task = bay_spawn("server", shake, &server);
	shake(&customer);
	ck_assert_int_eq(customer.status, BAY_NOT_PERMITTED);
	ck_assert_msg(strstr(bay_stream_error(customer.stream), why) != NULL, "%s",
		bay_stream_error(customer.stream));
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	/* The server is told. */
	ck_assert_int_ne(server.status, BAY_OK);
	finish(&server, &customer);
}

TLS_TEST(who_is_not_to_be_trusted_is_refused)
{
	assert_refused("good.pem", "example.org", "hostname mismatch");
	assert_refused("good.pem", "127.0.0.2", "IP address mismatch");
	assert_refused("expired.pem", "localhost", "expired");
	assert_refused("stranger.pem", "localhost", "self-signed");
	return BAY_OK;
}

TLS_TEST(addresses_are_checked_too)
{
	struct side server = {.tls = server_with("good.pem")};
	struct side customer = {.tls = plain_client(), .name = "127.0.0.1"};

	shake_both(&server, &customer);
	ck_assert_int_eq(customer.status, BAY_OK);
	finish(&server, &customer);
	return BAY_OK;
}

TLS_TEST(a_client_names_whom_it_wants_unless_anybody_will_do)
{
	struct side server = {.tls = server_with("stranger.pem")};
	struct side customer = {.tls = plain_client()};
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	ck_assert_int_eq(bay_stream_start_tls(stream, customer.tls, NULL, soon()), BAY_INVALID);
	bay_stream_abort(stream);
	close(fd);
	bay_tls_destroy(customer.tls);
	customer.tls = create(&(struct bay_tls_options){.trust_anybody = true});
	shake_both(&server, &customer);
	ck_assert_int_eq(customer.status, BAY_OK);
	assert_echo(server.stream, customer.stream);
	finish(&server, &customer);
	return BAY_OK;
}

TLS_TEST(a_server_may_want_to_know_its_clients)
{
	struct bay_tls_options options = {.server = true, .certificate = path_of("good.pem"),
		.verify_client = true, .ca = path_of("ca.pem")};
	struct side server = {.tls = create(&options)};
	struct side customer = {.tls = create(&(struct bay_tls_options){.ca = path_of("ca.pem"),
		.certificate = path_of("client.pem")}), .name = "localhost"};
	struct bay_stream_tls facts;
	char *line;

	shake_both(&server, &customer);
	ck_assert_int_eq(server.status, BAY_OK);
	ck_assert_int_eq(bay_stream_tls(server.stream, &facts), BAY_OK);
	ck_assert_str_eq(facts.peer, "/CN=client");
	finish(&server, &customer);
	/* One without a certificate. In TLS 1.3 it hears of that when it first reads. */
	server = (struct side){.tls = create(&options)};
	customer = (struct side){.tls = plain_client(), .name = "localhost"};
	shake_both(&server, &customer);
	ck_assert_int_eq(server.status, BAY_IO);
	ck_assert_ptr_nonnull(strstr(bay_stream_error(server.stream), "peer did not return a certificate"));
	ck_assert_int_eq(bay_stream_read_line(customer.stream, 10, &line, NULL, soon()), BAY_IO);
	ck_assert_ptr_nonnull(strstr(bay_stream_error(customer.stream), "certificate required"));
	finish(&server, &customer);
	return BAY_OK;
}

TLS_TEST(they_agree_on_a_protocol_or_not_at_all)
{
	struct side server = {.tls = create(&(struct bay_tls_options){.server = true,
		.certificate = path_of("good.pem"), .alpn = "h2,http/1.1"})};
	struct side customer = {.tls = create(&(struct bay_tls_options){.ca = path_of("ca.pem"),
		.alpn = "http/1.1,h3"}), .name = "localhost"};
	struct bay_stream_tls facts;

	shake_both(&server, &customer);
	ck_assert_int_eq(bay_stream_tls(customer.stream, &facts), BAY_OK);
	ck_assert_str_eq(facts.alpn, "http/1.1");
	ck_assert_int_eq(bay_stream_tls(server.stream, &facts), BAY_OK);
	ck_assert_str_eq(facts.alpn, "http/1.1");
	bay_stream_abort(server.stream);
	bay_stream_abort(customer.stream);
	bay_tls_destroy(customer.tls);
	customer = (struct side){.tls = create(&(struct bay_tls_options){.ca = path_of("ca.pem"),
		.alpn = "h3"}), .name = "localhost"};
	shake_both(&server, &customer);
	ck_assert_int_eq(server.status, BAY_IO);
	ck_assert_int_eq(customer.status, BAY_IO);
	bay_stream_abort(server.stream);
	bay_tls_destroy(server.tls);
	bay_tls_destroy(customer.tls);
	return BAY_OK;
}

/* --- peers that do not play along ------------------------------------------------------------- */

TLS_TEST(who_speaks_no_tls_is_an_error_with_words)
{
	struct bay_tls *tls = server_with("good.pem");
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	streams_say(fd, "GET / HTTP/1.1\r\n\r\n");
	ck_assert_int_eq(bay_stream_start_tls(stream, tls, NULL, soon()), BAY_IO);
	ck_assert_str_eq(bay_stream_error(stream), "TLS handshake: http request");
	ck_assert_int_eq(bay_stream_write(stream, "x", 1, soon()), BAY_INVALID);
	bay_stream_abort(stream);
	close(fd);
	stream = streams_pair(&fd, NULL);
	close(fd);
	ck_assert_int_eq(bay_stream_start_tls(stream, tls, NULL, soon()), BAY_IO);
	ck_assert_str_eq(bay_stream_error(stream), "TLS handshake: the other end went away");
	bay_stream_abort(stream);
	bay_tls_destroy(tls);
	return BAY_OK;
}

TLS_TEST(who_stalls_is_given_up_at_the_deadline)
{
	struct bay_tls *tls = server_with("good.pem");
	struct side side = {.tls = tls, .deadline = BAY_INHERIT};
	struct bay_task *task;
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	streams_say(fd, "\x16\x03\x01");
	ck_assert_int_eq(bay_stream_start_tls(stream, tls, NULL, bay_after(20 * BAY_MS)), BAY_TIMEOUT);
	ck_assert_str_eq(bay_stream_error(stream), "TLS handshake: no answer in time");
	bay_stream_abort(stream);
	close(fd);
	/* One that is closed meanwhile. */
	side.stream = streams_pair(&fd, NULL);
	task = bay_spawn("server", shake, &side);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_stream_abort(side.stream);
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	ck_assert_int_eq(side.status, BAY_CLOSED);
	close(fd);
	bay_tls_destroy(tls);
	return BAY_OK;
}

TLS_TEST(bytes_before_it_begins_are_refused)
{
	struct bay_tls *tls = server_with("good.pem");
	char *line;
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	streams_say(fd, "STARTTLS\ninjected\n");
	ck_assert_int_eq(bay_stream_read_line(stream, 100, &line, NULL, soon()), BAY_OK);
	ck_assert_int_eq(bay_stream_start_tls(stream, tls, NULL, soon()), BAY_INVALID);
	bay_stream_abort(stream);
	close(fd);
	bay_tls_destroy(tls);
	return BAY_OK;
}

TLS_TEST(broken_records_are_an_error)
{
	struct side server, customer;
	char *line;

	begin(&server, &customer);
	ck_assert_int_eq(write(bay_stream_fd(server.stream), "\x17\x03\x03\x00\x05rubbish", 12), 12);
	ck_assert_int_eq(bay_stream_read_line(customer.stream, 10, &line, NULL, soon()), BAY_IO);
	ck_assert_int_eq(strncmp(bay_stream_error(customer.stream), "read: TLS: ", 11), 0);
	finish(&server, &customer);
	return BAY_OK;
}

/* --- files ------------------------------------------------------------------------------------- */

static void
assert_no_tls(const struct bay_tls_options *what, int status, const char *why)
{
	struct bay_tls_options options = *what;
	char error[256] = "";
	struct bay_tls *tls;

	options.length = sizeof options;
	options.error = error;
	options.error_size = sizeof error;
	ck_assert_int_eq(bay_tls_create(&options, &tls, soon()), status);
	ck_assert_ptr_null(tls);
	ck_assert_msg(strstr(error, why) != NULL, "%s", error);
}

TLS_TEST(files_of_no_use_are_refused_with_words)
{
	struct bay_tls_options wrong = {.length = 1};
	struct bay_tls *tls;

	certificate_write(&good, path_of("only.pem"), true, false);
	certificate_write(&expired, path_of("other.key"), false, true);
	temp_dir_write(&dir, "junk.pem", "junk");
	assert_no_tls(&(struct bay_tls_options){.server = true}, BAY_INVALID, "a server needs a certificate");
	assert_no_tls(&(struct bay_tls_options){.server = true, .certificate = path_of("none.pem")}, BAY_INVALID,
		"none.pem: No such file");
	assert_no_tls(&(struct bay_tls_options){.server = true, .certificate = path_of("junk.pem")}, BAY_INVALID,
		"junk.pem: no start line");
	assert_no_tls(&(struct bay_tls_options){.server = true, .certificate = path_of("only.pem")}, BAY_INVALID,
		"key ");
	assert_no_tls(&(struct bay_tls_options){.server = true, .certificate = path_of("only.pem"),
		.key = path_of("other.key")}, BAY_INVALID, "key");
	assert_no_tls(&(struct bay_tls_options){.ca = path_of("junk.pem")}, BAY_INVALID, "ca ");
	assert_no_tls(&(struct bay_tls_options){.alpn = "a,,b"}, BAY_INVALID, "no list of protocols");
	assert_no_tls(&(struct bay_tls_options){.server = true, .certificate = path_of("good.pem"),
		.verify_client = true}, BAY_INVALID, "wants ca");
	ck_assert_int_eq(bay_tls_create(&wrong, &tls, soon()), BAY_INVALID);
	ck_assert_int_eq(bay_tls_create(&(struct bay_tls_options){.length = sizeof wrong, .server = true,
		.trust_anybody = true}, &tls, soon()), BAY_INVALID);
	ck_assert_int_eq(bay_tls_create(&(struct bay_tls_options){.length = sizeof wrong, .verify_client = true},
		&tls, soon()), BAY_INVALID);
	return BAY_OK;
}

TLS_TEST(the_system_knows_whom_to_trust)
{
	struct bay_tls *tls = create(&(struct bay_tls_options){.alpn = NULL});

	bay_tls_destroy(tls);
	bay_tls_destroy(NULL);
	return BAY_OK;
}

TLS_TEST(a_reload_is_for_new_streams_only)
{
	struct side server = {.tls = server_with("good.pem")};
	struct side customer = {.tls = plain_client(), .name = "localhost"}, later = customer;
	struct side server_later = server;
	struct certificate renewed;
	struct bay_stream_tls facts;

	shake_both(&server, &customer);
	/* One of no use changes nothing. */
	temp_dir_write(&dir, "good.pem", "junk");
	ck_assert_int_eq(bay_tls_reload(server.tls, soon()), BAY_INVALID);
	ck_assert_msg(strstr(bay_tls_error(server.tls), "good.pem: no start line") != NULL, "%s", bay_tls_error(server.tls));
	shake_both(&server_later, &later);
	ck_assert_int_eq(later.status, BAY_OK);
	bay_stream_abort(server_later.stream);
	bay_stream_abort(later.stream);
	/* A better one is for who comes from now on. */
	make(&renewed, "renewed", &authority, false, "good.pem");
	ck_assert_int_eq(bay_tls_reload(server.tls, soon()), BAY_OK);
	ck_assert_str_eq(bay_tls_error(server.tls), "");
	later.name = "renewed";
	shake_both(&server_later, &later);
	ck_assert_int_eq(later.status, BAY_OK);
	ck_assert_int_eq(bay_stream_tls(later.stream, &facts), BAY_OK);
	ck_assert_str_eq(facts.peer, "/CN=renewed");
	/* And those that there are go on, even without the thing that they were made with. */
	bay_tls_destroy(server.tls);
	assert_echo(customer.stream, server.stream);
	assert_echo(later.stream, server_later.stream);
	bay_stream_abort(server.stream);
	bay_stream_abort(server_later.stream);
	bay_stream_abort(customer.stream);
	bay_stream_abort(later.stream);
	bay_tls_destroy(customer.tls);
	certificate_finish(&renewed);
	return BAY_OK;
}

/* --- connect and serve ------------------------------------------------------------------------- */

static int
greet(struct bay_stream *stream, void *arg)
{
	struct bay_stream_tls facts;

	(void)arg;
	ck_assert_int_eq(bay_stream_tls(stream, &facts), BAY_OK);
	return bay_stream_write(stream, "welcome", 7, BAY_INHERIT);
}

static int
serve(void *listener)
{
	return bay_serve(listener, greet, NULL, 10, BAY_INHERIT);
}

TLS_TEST(connections_are_made_and_served)
{
	struct bay_listener_options listening = {.length = sizeof listening, .tls = server_with("good.pem")};
	char error[256], text[BAY_ADDRESS_TEXT_SIZE], *data;
	struct bay_stream_options secure = {.length = sizeof secure, .tls = plain_client(), .error = error,
		.error_size = sizeof error};
	struct bay_listener *listener;
	struct bay_address address;
	struct bay_stream *stream;
	struct bay_task *task;

	ck_assert_int_eq(bay_listen("127.0.0.1:0", &listening, &listener, soon()), BAY_OK);
	task = bay_spawn("serve", serve, listener);
	bay_listener_address(listener, &address);
	bay_address_text(&address, text, sizeof text);
	ck_assert_msg(bay_connect(text, &secure, &stream, soon()) == BAY_OK, "%s", error);
	ck_assert_int_eq(bay_stream_read_all(stream, 100, &data, NULL, soon()), BAY_OK);
	ck_assert_str_eq(data, "welcome");
	bay_stream_abort(stream);
	secure.server_name = "example.org";
	ck_assert_int_eq(bay_connect_to(&address, &secure, &stream, soon()), BAY_NOT_PERMITTED);
	ck_assert_ptr_null(stream);
	ck_assert_ptr_nonnull(strstr(error, "hostname mismatch"));
	/* One who speaks no TLS is no harm to others. */
	ck_assert_int_eq(bay_connect_to(&address, NULL, &stream, soon()), BAY_OK);
	ck_assert_int_eq(bay_stream_write(stream, "plain\n", 6, soon()), BAY_OK);
	(void)bay_stream_read_all(stream, 100, &data, NULL, soon());
	bay_stream_abort(stream);
	secure.server_name = "localhost";
	ck_assert_int_eq(bay_connect_to(&address, &secure, &stream, soon()), BAY_OK);
	bay_stream_abort(stream);
	bay_listener_close(listener);
	ck_assert_int_eq(bay_join(task, soon()), BAY_CLOSED);
	bay_tls_destroy(listening.tls);
	bay_tls_destroy(secure.tls);
	return BAY_OK;
}

/* --- what is left ------------------------------------------------------------------------------ */

static int
forget(void *arg)
{
	struct bay_tls_options options = {.length = sizeof options};
	struct bay_tls *tls;

	(void)arg;
	/* Cut while the files are being read, and never freed. */
	ck_assert_int_eq(bay_tls_create(&options, &tls, bay_after(1)), BAY_TIMEOUT);
	(void)server_with("good.pem");
	ck_assert_int_eq(bay_tls_create(&options, &tls, bay_after(1)), BAY_TIMEOUT);
	return BAY_OK;
}

START_TEST(what_was_forgotten_ends_with_its_loop)
{
	make_all();
	ck_assert_int_eq(run_task(forget, NULL), BAY_OK);
	finish_all();
}
END_TEST

CHECK_MAIN("io/tls",
	both_ends_speak_in_secret,
	the_end_is_told_from_a_cut,
	one_direction_can_be_ended,
	much_comes_through_whole_and_in_order,
	a_select_sees_what_has_been_decrypted,
	who_is_not_to_be_trusted_is_refused,
	addresses_are_checked_too,
	a_client_names_whom_it_wants_unless_anybody_will_do,
	a_server_may_want_to_know_its_clients,
	they_agree_on_a_protocol_or_not_at_all,
	who_speaks_no_tls_is_an_error_with_words,
	who_stalls_is_given_up_at_the_deadline,
	bytes_before_it_begins_are_refused,
	broken_records_are_an_error,
	files_of_no_use_are_refused_with_words,
	the_system_knows_whom_to_trust,
	a_reload_is_for_new_streams_only,
	connections_are_made_and_served,
	what_was_forgotten_ends_with_its_loop)
