/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"

/* The other page, without cursor; and back. */
#define SCREEN_TAKE "\033[?1049h\033[?25l\033[H\033[2J"
#define SCREEN_GIVE_BACK "\033[?25h\033[?1049l"

static struct {
	int in;                /* -1: no keys come from there any more */
	int out;
	struct termios before; /* of in */
	struct termios during;
	bool has_keys;         /* in is a terminal, so these are set */
	volatile sig_atomic_t is_taken;
	volatile sig_atomic_t must_draw;
} screen;

/* What ends a process, unless it says otherwise. */
static const int screen_ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGABRT, SIGSEGV, SIGBUS};

/* --- in signal handlers too ---------------------------------------------------------- */

static void
screen_write(const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = write(screen.out, bytes, size);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			bytes += n;
			size -= (size_t)n;
		}
	}
}

static void
screen_take(void)
{
	if (screen.has_keys)
		(void)tcsetattr(screen.in, TCSADRAIN, &screen.during);
	screen_write(SCREEN_TAKE, sizeof(SCREEN_TAKE) - 1);
	screen.is_taken = 1;
	screen.must_draw = 1;
}

static void
screen_give_back(void)
{
	if (!screen.is_taken)
		return;
	screen.is_taken = 0;
	screen_write(SCREEN_GIVE_BACK, sizeof(SCREEN_GIVE_BACK) - 1);
	if (screen.has_keys)
		(void)tcsetattr(screen.in, TCSADRAIN, &screen.before);
}

/* Does to the process what the signal does to one that does not catch it. */
static void
screen_obey(int number)
{
	sigset_t one;

	signal(number, SIG_DFL);
	raise(number);
	sigemptyset(&one);
	sigaddset(&one, number);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
}

static void
screen_on_end(int number)
{
	screen_give_back();
	screen_obey(number);
}

static void screen_catch(int number, void (*fn)(int));

static void
screen_on_stop(int number)
{
	int saved = errno;

	screen_give_back();
	screen_obey(number);
	/* Here it goes on. */
	screen_catch(number, screen_on_stop);
	screen_take();
	errno = saved;
}

static void
screen_on_resize(int number)
{
	(void)number;
	screen.must_draw = 1;
}

static void
screen_catch(int number, void (*fn)(int))
{
	struct sigaction action = {.sa_handler = fn};

	sigemptyset(&action.sa_mask);
	(void)sigaction(number, &action, NULL);
}

/* ------------------------------------------------------------------------------------- */

void
screen_open(int in, int out)
{
	screen.in = in;
	screen.out = out;
	screen.has_keys = tcgetattr(in, &screen.before) == 0;
	if (screen.has_keys) {
		screen.during = screen.before;
		screen.during.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		screen.during.c_cc[VMIN] = 1;
		screen.during.c_cc[VTIME] = 0;
	}
	for (size_t i = 0; i < sizeof(screen_ends) / sizeof(*screen_ends); i++)
		screen_catch(screen_ends[i], screen_on_end);
	screen_catch(SIGTSTP, screen_on_stop);
	screen_catch(SIGWINCH, screen_on_resize);
	screen_take();
}

void
screen_close(void)
{
	screen_give_back();
	for (size_t i = 0; i < sizeof(screen_ends) / sizeof(*screen_ends); i++)
		signal(screen_ends[i], SIG_DFL);
	signal(SIGTSTP, SIG_DFL);
	signal(SIGWINCH, SIG_DFL);
}

struct screen_size
screen_size(void)
{
	struct winsize size;

	if (ioctl(screen.out, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
		return (struct screen_size){.rows = 24, .columns = 80};
	return (struct screen_size){.rows = size.ws_row, .columns = size.ws_col};
}

void
screen_draw(const char *text)
{
	unsigned rows = screen_size().rows;
	char *bytes = NULL;
	size_t size = 0;
	FILE *frame = open_memstream(&bytes, &size);

	if (frame == NULL)
		return;
	screen.must_draw = 0;
	fputs("\033[H", frame);
	for (unsigned row = 0; row < rows && *text != '\0'; row++) {
		int length = (int)strcspn(text, "\n");

		/* A newline behind the last row would push the first one away. */
		fprintf(frame, "%s%.*s\033[K", row > 0 ? "\n" : "", length, text);
		text += length + (text[length] == '\n');
	}
	fputs("\033[J", frame);
	if (fclose(frame) == 0)
		screen_write(bytes, size);
	free(bytes);
}

static int
screen_read_key(void)
{
	unsigned char key;

	if (read(screen.in, &key, 1) == 1)
		return key;
	screen.in = -1;
	return SCREEN_DRAW;
}

int
screen_wait(int64_t until_ns)
{
	struct pollfd poll_in = {.fd = screen.in, .events = POLLIN};
	int64_t left_ns;

	while ((left_ns = until_ns - clock_monotonic_ns()) > 0) {
		if (screen.must_draw)
			return SCREEN_DRAW;
		if (poll(&poll_in, 1, (int)(left_ns / CLOCK_NS_PER_MS + 1)) > 0)
			return screen_read_key();
	}
	return SCREEN_TIME;
}
