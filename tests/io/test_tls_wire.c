/* SPDX-License-Identifier: BSD-2-Clause */
/* What TLS puts on the wire and what it keeps off it, seen from a descriptor at the other end. */
#include "config.h"

#include "io/tls.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bay/task.h>

#include "io/blocking_pool.h"
#include "io/stream.h"
#include "support/certificates.h"
#include "support/run_tasks.h"
#include "support/streams.h"
#include "support/temp_dir.h"

static struct temp_dir dir;
static struct certificate authority, good, some, all;

static void
make(struct certificate *certificate, const char *name, const struct certificate *issuer, const char *file)
{
	*certificate = (struct certificate){.name = name, .issuer = issuer};
	certificate_make(certificate);
	certificate_write(certificate, temp_dir_path(&dir, file), true, true);
}

static void
make_all(void)
{
	temp_dir_init(&dir);
	make(&authority, "authority", NULL, "ca.pem");
	make(&good, "localhost", &authority, "good.pem");
	make(&some, "l*.example.org", &authority, "some.pem");
	make(&all, "*.example.org", &authority, "all.pem");
}

static void
finish_all(void)
{
	certificate_finish(&authority);
	certificate_finish(&good);
	certificate_finish(&some);
	certificate_finish(&all);
	temp_dir_finish(&dir);
	blocking_pool_finish();
}

#define WIRE_TEST(name)                                         \
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
	return bay_after(30 * BAY_SECOND);
}

static struct bay_tls *
server_with(const char *file)
{
	char path[300];
	struct bay_tls_options options = {.length = sizeof options, .server = true, .certificate = path};
	struct bay_tls *tls;

	snprintf(path, sizeof path, "%s", temp_dir_path(&dir, file));
	ck_assert_int_eq(bay_tls_create(&options, &tls, soon()), BAY_OK);
	return tls;
}

static struct bay_tls *
customer(void)
{
	char path[300];
	struct bay_tls_options options = {.length = sizeof options, .ca = path};
	struct bay_tls *tls;

	snprintf(path, sizeof path, "%s", temp_dir_path(&dir, "ca.pem"));
	ck_assert_int_eq(bay_tls_create(&options, &tls, soon()), BAY_OK);
	return tls;
}

struct side {
	struct bay_stream *stream;
	struct bay_tls *tls;
	const char *name;
	int status;
};

static int
shake(void *arg)
{
	struct side *side = arg;

	side->status = bay_stream_start_tls(side->stream, side->tls, side->name, soon());
	return BAY_OK;
}

/* --- the first word --------------------------------------------------------------------- */

/* Whether what a client says first has the name of whom it wants in it. */
static bool
client_tells(const char *name)
{
	struct side side = {.tls = customer(), .name = name};
	struct bay_task *task;
	char hello[4096];
	ssize_t size;
	int fd;

	side.stream = streams_pair(&fd, NULL);
	task = bay_spawn("client", shake, &side);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	size = read(fd, hello, sizeof hello);
	ck_assert_int_gt(size, 100);
	bay_stream_abort(side.stream);
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	ck_assert_int_eq(side.status, BAY_CLOSED);
	bay_tls_destroy(side.tls);
	close(fd);
	return memmem(hello, (size_t)size, name, strlen(name)) != NULL;
}

/* As RFC 6066 has it. */
WIRE_TEST(a_server_is_told_its_name_but_not_its_address)
{
	ck_assert(client_tells("www.example.org"));
	ck_assert(!client_tells("127.0.0.1"));
	ck_assert(!client_tells("::1"));
	return BAY_OK;
}

static int
status_of(const char *file, const char *name)
{
	struct side server = {.tls = server_with(file)}, client = {.tls = customer(), .name = name};
	struct bay_task *task;

	ck_assert_int_eq(bay_stream_pair(&server.stream, &client.stream), BAY_OK);
	task = bay_spawn("server", shake, &server);
	shake(&client);
	bay_stream_abort(client.stream);
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	bay_stream_abort(server.stream);
	bay_tls_destroy(server.tls);
	bay_tls_destroy(client.tls);
	return client.status;
}

WIRE_TEST(a_wildcard_stands_for_a_whole_label)
{
	ck_assert_int_eq(status_of("all.pem", "lo.example.org"), BAY_OK);
	ck_assert_int_eq(status_of("all.pem", "a.lo.example.org"), BAY_NOT_PERMITTED);
	ck_assert_int_eq(status_of("some.pem", "lo.example.org"), BAY_NOT_PERMITTED);
	return BAY_OK;
}

/* --- while they agree ------------------------------------------------------------------------ */

/* What it writes would go out in clear. */
WIRE_TEST(nobody_writes_before_both_have_agreed)
{
	struct side side = {.tls = customer(), .name = "localhost"};
	struct bay_task *task;
	char bytes[4096];
	ssize_t size;
	int fd;

	side.stream = streams_pair(&fd, NULL);
	task = bay_spawn("client", shake, &side);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_stream_write(side.stream, "secret", 6, bay_after(20 * BAY_MS)), BAY_TIMEOUT);
	size = read(fd, bytes, sizeof bytes);
	ck_assert_int_gt(size, 0);
	ck_assert_ptr_null(memmem(bytes, (size_t)size, "secret", 6));
	ck_assert_int_lt(read(fd, bytes, sizeof bytes), 0);
	bay_stream_abort(side.stream);
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	bay_tls_destroy(side.tls);
	close(fd);
	return BAY_OK;
}

static int
read_a_line(void *stream)
{
	char *line;

	return bay_stream_read_line(stream, 100, &line, NULL, BAY_INHERIT);
}

WIRE_TEST(it_does_not_begin_while_somebody_reads)
{
	struct bay_tls *tls = customer();
	struct bay_task *task;
	int fd;
	struct bay_stream *stream = streams_pair(&fd, NULL);

	task = bay_spawn("reads", read_a_line, stream);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_stream_start_tls(stream, tls, "localhost", soon()), BAY_BUSY);
	streams_say(fd, "in clear\n");
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	bay_stream_abort(stream);
	bay_tls_destroy(tls);
	close(fd);
	return BAY_OK;
}

/* --- later ---------------------------------------------------------------------------------------- */

/* A client that speaks TLS by itself, on a thread. It gets a word and says something broken. */
struct client {
	int fd;
	bool answered; /* the server has something to say to that, although nobody there writes */
};

static void *
client_main(void *arg)
{
	struct client *client = arg;
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);
	struct pollfd readable = {.fd = client->fd, .events = POLLIN};
	/* A record of application data that nobody can decrypt. */
	static const char broken[5 + 32] = {0x17, 3, 3, 0, 32};
	char word[8];

	SSL_set_fd(ssl, client->fd);
	if (SSL_connect(ssl) == 1 && SSL_read(ssl, word, sizeof word) == 3 &&
		write(client->fd, broken, sizeof broken) == sizeof broken)
		client->answered = poll(&readable, 1, 20000) == 1;
	SSL_free(ssl);
	SSL_CTX_free(context);
	/* Whoever waits to read goes on. */
	close(client->fd);
	return NULL;
}

WIRE_TEST(what_breaks_a_read_is_told_to_the_other_end)
{
	struct side server = {.tls = server_with("good.pem")};
	struct client client = {.answered = false};
	pthread_t thread;
	size_t size;
	char byte;

	server.stream = streams_pair(&client.fd, NULL);
	ck_assert_int_eq(fcntl(client.fd, F_SETFL, 0), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, client_main, &client), 0);
	shake(&server);
	ck_assert_int_eq(server.status, BAY_OK);
	ck_assert_int_eq(bay_stream_write(server.stream, "one", 3, soon()), BAY_OK);
	ck_assert_int_eq(bay_stream_read(server.stream, &byte, 1, &size, soon()), BAY_IO);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert(client.answered);
	bay_stream_abort(server.stream);
	bay_tls_destroy(server.tls);
	return BAY_OK;
}

/* What breaks the reading is not a failure to write, for one that has ended its writing. */
WIRE_TEST(a_read_that_breaks_after_the_end_of_writing_is_no_failure_to_write)
{
	struct side server = {.tls = server_with("good.pem")}, client = {.tls = customer(), .name = "localhost"};
	struct bay_task *task;
	char byte;
	size_t size;

	ck_assert_int_eq(bay_stream_pair(&server.stream, &client.stream), BAY_OK);
	task = bay_spawn("server", shake, &server);
	shake(&client);
	ck_assert_int_eq(client.status, BAY_OK);
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	ck_assert_int_eq(bay_stream_write_eof(client.stream), BAY_OK);
	streams_say(server.stream->fd, "no record at all, and longer than the head of one");
	ck_assert_int_eq(bay_stream_read(client.stream, &byte, 1, &size, soon()), BAY_IO);
	ck_assert_ptr_nonnull(strstr(bay_stream_error(client.stream), "read: TLS"));
	ck_assert_int_eq(client.stream->write_status, BAY_OK);
	bay_stream_abort(server.stream);
	bay_stream_abort(client.stream);
	bay_tls_destroy(server.tls);
	bay_tls_destroy(client.tls);
	return BAY_OK;
}

/* --- files ---------------------------------------------------------------------------------------- */

/* Nobody is there to be asked for a password, and the standard input is not for that. */
WIRE_TEST(a_key_with_a_password_is_refused)
{
	char certificate[300], key[300], error[256] = "";
	struct bay_tls_options options = {.length = sizeof options, .server = true, .certificate = certificate,
		.key = key, .error = error, .error_size = sizeof error};
	struct bay_tls *tls;
	int input[2];
	FILE *file;

	snprintf(certificate, sizeof certificate, "%s", temp_dir_path(&dir, "good.pem"));
	snprintf(key, sizeof key, "%s", temp_dir_path(&dir, "locked.pem"));
	file = fopen(key, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(PEM_write_PKCS8PrivateKey(file, good.key, EVP_aes_128_cbc(), "open", 4, NULL, NULL), 1);
	fclose(file);
	/* Without a terminal, OpenSSL would ask this. */
	(void)setsid();
	ck_assert_int_eq(pipe(input), 0);
	ck_assert_int_eq(write(input[1], "open\n", 5), 5);
	ck_assert_int_eq(dup2(input[0], STDIN_FILENO), STDIN_FILENO);
	close(input[0]);
	close(input[1]);
	ck_assert_int_eq(bay_tls_create(&options, &tls, soon()), BAY_INVALID);
	ck_assert_ptr_nonnull(strstr(error, "locked.pem"));
	return BAY_OK;
}

static int
reload(void *arg)
{
	return bay_tls_reload(arg, soon());
}

WIRE_TEST(a_reload_hears_that_it_was_destroyed)
{
	struct bay_tls *tls = server_with("good.pem");
	struct bay_task *task = bay_spawn("reloads", reload, tls);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_tls_destroy(tls);
	ck_assert_int_eq(bay_join(task, soon()), BAY_CLOSED);
	return BAY_OK;
}

CHECK_MAIN("io/tls_wire",
	a_server_is_told_its_name_but_not_its_address,
	a_wildcard_stands_for_a_whole_label,
	nobody_writes_before_both_have_agreed,
	it_does_not_begin_while_somebody_reads,
	what_breaks_a_read_is_told_to_the_other_end,
	a_read_that_breaks_after_the_end_of_writing_is_no_failure_to_write,
	a_key_with_a_password_is_refused,
	a_reload_hears_that_it_was_destroyed)
