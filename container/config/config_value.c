/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_value.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/text.h"
#include "config/config_data.h"
#include "config/config_listen.h"
#include "config/config_names.h"
#include "config/config_report.h"

_Static_assert(sizeof(enum config_overflow) == sizeof(int), "choices are stored as int");

const char config_name_rule[] =
	"a letter, digit or '_', then letters, digits, '_', '.' or '-', 48 characters at most";

bool
config_name_is_valid(const char *name, size_t length)
{
	if (length == 0 || length > CONFIG_NAME_MAX || *name == '.' || *name == '-')
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)name[i];

		/* Not isalnum: what is a letter must not depend on the locale. */
		if (!(c < 0x80 && (isalnum(c) || c == '_' || c == '.' || c == '-')))
			return false;
	}
	return true;
}

/* How far a span goes that has one end. */
#define CONFIG_SPAN_NS (60 * (int64_t)CLOCK_NS_PER_S)

static void *
config_value_field(const struct config_key *key, const void *section)
{
	return (char *)section + key->offset;
}

static bool
config_value_is_text(const struct config_key *key)
{
	return key->type <= CONFIG_TYPE_PATTERNS;
}

/* --- what would be right ------------------------------------------------------ */

/* Reasons are short texts of known parts: without memory for one, the process is done for. */
static void
config_value_say(struct buffer *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void
config_value_say(struct buffer *out, const char *format, ...)
{
	va_list args;
	bool done;

	va_start(args, format);
	done = buffer_vprintf(out, format, args);
	va_end(args);
	if (!done)
		abort();
}

/* "a, b or c" */
static void
config_value_say_words(struct buffer *out, const struct config_word *words)
{
	for (const struct config_word *word = words; word->word != NULL; word++) {
		if (word > words)
			config_value_say(out, "%s", word[1].word != NULL ? ", " : " or ");
		config_value_say(out, "%s", word->word);
	}
}

static void
config_value_say_duration(struct buffer *out, const struct config_key *key)
{
	char low[CLOCK_TEXT_SIZE], high[CLOCK_TEXT_SIZE];

	config_value_say(out, "a duration with its unit, such as 250ms, 5s or 2m, from %s to %s",
		clock_format_duration(low, sizeof(low), key->min),
		clock_format_duration(high, sizeof(high), key->max));
}

static void
config_value_say_size(struct buffer *out, const struct config_key *key)
{
	char low[32], high[32];

	if (key->words != NULL) {
		config_value_say_words(out, key->words);
		config_value_say(out, ", or ");
	}
	config_value_say(out, "a size such as 4096, 64k or 1M, from %s to %s",
		text_format_size(low, sizeof(low), (uint64_t)key->min),
		text_format_size(high, sizeof(high), (uint64_t)key->max));
	if (key->type == CONFIG_TYPE_PAGES)
		config_value_say(out, ", a multiple of the page size %ld", sysconf(_SC_PAGESIZE));
}

static void
config_value_say_right(struct buffer *out, const struct config_key *key)
{
	switch (key->type) {
	case CONFIG_TYPE_STRING:
	case CONFIG_TYPE_PATTERNS:
		config_value_say(out, "text");
		break;
	case CONFIG_TYPE_NAME:
		config_value_say(out, "a name: %s", config_name_rule);
		break;
	case CONFIG_TYPE_PATH:
	case CONFIG_TYPE_RUNTIME_PATH:
		config_value_say(out, "a path");
		break;
	case CONFIG_TYPE_LOG:
		config_value_say_words(out, key->words);
		config_value_say(out, ", or the path of a file");
		break;
	case CONFIG_TYPE_LISTEN:
		config_value_say(out, "addresses such as 127.0.0.1:8080, [::1]:8080 or unix:web.sock, with "
			"or without a name in front as in http=127.0.0.1:8080, or names of sockets that the "
			"service manager passes");
		break;
	case CONFIG_TYPE_NAMES:
		config_value_say(out, "names of services, with blanks or commas between them");
		break;
	case CONFIG_TYPE_BOOL:
		config_value_say(out, "yes or no");
		break;
	case CONFIG_TYPE_INT:
		if (key->words != NULL) {
			config_value_say_words(out, key->words);
			config_value_say(out, ", or ");
		}
		config_value_say(out, "a number from %" PRId64 " to %" PRId64, key->min, key->max);
		break;
	case CONFIG_TYPE_SIZE:
	case CONFIG_TYPE_PAGES:
		config_value_say_size(out, key);
		break;
	case CONFIG_TYPE_DURATION:
		config_value_say_duration(out, key);
		break;
	case CONFIG_TYPE_SPAN:
		config_value_say_duration(out, key);
		config_value_say(out, ", or two such as 200ms..30s, the longer one last");
		break;
	case CONFIG_TYPE_RATE:
		config_value_say(out, "a number from %" PRId64 " to %" PRId64
			", a slash and a duration, such as 5/1m", key->min, key->max);
		break;
	case CONFIG_TYPE_PERCENT:
		if (key->words != NULL) {
			config_value_say_words(out, key->words);
			config_value_say(out, ", or ");
		}
		config_value_say(out, "a percentage from %" PRId64 "%% to %" PRId64 "%%", key->min, key->max);
		break;
	case CONFIG_TYPE_MODE:
		config_value_say(out, "an octal file mode from 0000 to 0777, such as 0660");
		break;
	case CONFIG_TYPE_CHOICE:
		config_value_say_words(out, key->words);
		break;
	}
}

/* --- reading ------------------------------------------------------------------ */

static bool
config_value_in_range(const struct config_key *key, int64_t value)
{
	return value >= key->min && value <= key->max;
}

static bool
config_value_find_word(const struct config_key *key, const char *text, int *value_r)
{
	for (const struct config_word *word = key->words; word != NULL && word->word != NULL; word++) {
		if (strcmp(word->word, text) == 0) {
			*value_r = word->value;
			return true;
		}
	}
	return false;
}

/* One line of text, or several where the type takes them. */
static bool
config_value_parse_text(const struct config_key *key, const char *text, char **field)
{
	bool lines = key->type == CONFIG_TYPE_PATTERNS;
	bool may_be_empty = lines || key->type == CONFIG_TYPE_STRING ||
		key->type == CONFIG_TYPE_LISTEN;
	struct config_listen entry;
	const char *why;

	if ((*text == '\0' && !may_be_empty) || (!lines && strchr(text, '\n') != NULL))
		return false;
	if (key->type == CONFIG_TYPE_NAME && !config_name_is_valid(text, strlen(text)))
		return false;
	if (key->type == CONFIG_TYPE_LISTEN && !config_listen_check(text, &entry, &why))
		return false;
	free(*field);
	*field = xstrdup(text);
	return true;
}

static bool
config_value_parse_names(const char *text, char **field)
{
	char *wrong;
	char *tidy = config_names_tidy(text, &wrong);

	if (tidy == NULL) {
		free(wrong);
		return false;
	}
	free(*field);
	*field = tidy;
	return true;
}

static bool
config_value_parse_int(const struct config_key *key, const char *text, int64_t *field)
{
	int64_t number;
	int word;

	if (config_value_find_word(key, text, &word))
		number = word;
	else if (!text_parse_int64(text, &number) || !config_value_in_range(key, number))
		return false;
	*field = number;
	return true;
}

static bool
config_value_parse_size(const struct config_key *key, const char *text, uint64_t *field)
{
	uint64_t bytes;
	int word;

	if (config_value_find_word(key, text, &word)) {
		*field = (uint64_t)word;
		return true;
	}
	if (!text_parse_size(text, &bytes) || bytes > INT64_MAX ||
			!config_value_in_range(key, (int64_t)bytes))
		return false;
	if (key->type == CONFIG_TYPE_PAGES && bytes % (uint64_t)sysconf(_SC_PAGESIZE) != 0)
		return false;
	*field = bytes;
	return true;
}

static bool
config_value_parse_duration(const struct config_key *key, const char *text, int64_t *field)
{
	int64_t ns;

	if (!text_parse_duration_ns(text, &ns) || !config_value_in_range(key, ns))
		return false;
	*field = ns;
	return true;
}

/* The first one alone goes as far as CONFIG_SPAN_NS, or nowhere. */
static bool
config_value_parse_span(const struct config_key *key, const char *text, struct config_span *field)
{
	const char *dots = strstr(text, "..");
	struct config_span span;
	char first[32] = "";

	if (dots == NULL) {
		if (!config_value_parse_duration(key, text, &span.first_ns))
			return false;
		span.last_ns = span.first_ns > CONFIG_SPAN_NS ? span.first_ns : CONFIG_SPAN_NS;
		*field = span;
		return true;
	}
	if ((size_t)(dots - text) >= sizeof(first))
		return false;
	memcpy(first, text, (size_t)(dots - text));
	if (!config_value_parse_duration(key, first, &span.first_ns) ||
			!config_value_parse_duration(key, dots + 2, &span.last_ns) ||
			span.last_ns < span.first_ns)
		return false;
	*field = span;
	return true;
}

static bool
config_value_parse_rate(const struct config_key *key, const char *text,
	struct config_rate *field)
{
	const char *slash = strchr(text, '/');
	struct config_rate rate;
	char number[24] = "";

	if (slash == NULL || (size_t)(slash - text) >= sizeof(number))
		return false;
	memcpy(number, text, (size_t)(slash - text));
	if (!text_parse_int64(number, &rate.count) || !config_value_in_range(key, rate.count) ||
			!text_parse_duration_ns(slash + 1, &rate.period_ns) || rate.period_ns <= 0)
		return false;
	*field = rate;
	return true;
}

static bool
config_value_parse_percent(const struct config_key *key, const char *text, int64_t *field)
{
	size_t length = strlen(text);
	char number[24] = "";
	int64_t percent;
	int word;

	if (config_value_find_word(key, text, &word)) {
		*field = word;
		return true;
	}
	if (length < 2 || length > sizeof(number) || text[length - 1] != '%')
		return false;
	memcpy(number, text, length - 1);
	if (!text_parse_int64(number, &percent) || !config_value_in_range(key, percent))
		return false;
	*field = percent;
	return true;
}

static bool
config_value_parse_mode(const struct config_key *key, const char *text, uint32_t *field)
{
	size_t length = strlen(text);
	unsigned long mode;

	if (length == 0 || length > 6 || strspn(text, "01234567") != length)
		return false;
	mode = strtoul(text, NULL, 8);
	if (!config_value_in_range(key, (int64_t)mode))
		return false;
	*field = (uint32_t)mode;
	return true;
}

static bool
config_value_set(const struct config_key *key, const char *text, void *field)
{
	switch (key->type) {
	case CONFIG_TYPE_STRING:
	case CONFIG_TYPE_NAME:
	case CONFIG_TYPE_PATH:
	case CONFIG_TYPE_RUNTIME_PATH:
	case CONFIG_TYPE_LOG:
	case CONFIG_TYPE_LISTEN:
	case CONFIG_TYPE_PATTERNS:
		return config_value_parse_text(key, text, field);
	case CONFIG_TYPE_NAMES:
		return config_value_parse_names(text, field);
	case CONFIG_TYPE_BOOL:
		return text_parse_bool(text, field);
	case CONFIG_TYPE_INT:
		return config_value_parse_int(key, text, field);
	case CONFIG_TYPE_SIZE:
	case CONFIG_TYPE_PAGES:
		return config_value_parse_size(key, text, field);
	case CONFIG_TYPE_DURATION:
		return config_value_parse_duration(key, text, field);
	case CONFIG_TYPE_SPAN:
		return config_value_parse_span(key, text, field);
	case CONFIG_TYPE_RATE:
		return config_value_parse_rate(key, text, field);
	case CONFIG_TYPE_PERCENT:
		return config_value_parse_percent(key, text, field);
	case CONFIG_TYPE_MODE:
		return config_value_parse_mode(key, text, field);
	case CONFIG_TYPE_CHOICE:
		return config_value_find_word(key, text, field);
	}
	return false;
}

/* What people most often mean by a value that is none. */
static const char *
config_value_hint(const struct config_key *key, const char *text)
{
	size_t length = strlen(text);

	if (strchr(text, '\n') != NULL)
		return "; the indented lines below it belong to it";
	if (!config_value_is_text(key) && strstr(text, " #") != NULL)
		return "; a comment behind a value starts with ';'";
	if ((key->type == CONFIG_TYPE_DURATION || key->type == CONFIG_TYPE_SPAN) && length > 0 &&
			strspn(text, "0123456789") == length)
		return "; the unit is missing";
	if (key->type == CONFIG_TYPE_PERCENT && length > 0 && strspn(text, "0123456789") == length)
		return "; the % is missing";
	return "";
}

/* Which entry of the list it is, and what is wrong with that. */
static void
config_value_say_wrong_listen(struct buffer *out, const char *text)
{
	struct config_listen entry;
	const char *why;
	char *copy, *quoted;

	if (config_listen_check(text, &entry, &why))
		return;
	copy = xstrndup(entry.text, entry.size);
	quoted = config_report_quote(copy);
	config_value_say(out, "; %s: %s", quoted, why);
	free(quoted);
	free(copy);
}

/* The first of the list that is no name. */
static void
config_value_say_wrong_name(struct buffer *out, const char *text)
{
	char *wrong;
	char *tidy = config_names_tidy(text, &wrong);
	char *quoted;

	if (tidy != NULL) {
		free(tidy);
		return;
	}
	quoted = config_report_quote(wrong);
	config_value_say(out, "; %s is none: a name is %s", quoted, config_name_rule);
	free(quoted);
	free(wrong);
}

bool
config_value_parse(const struct config_key *key, const char *text, void *section,
	char **why_r)
{
	struct buffer why = {0};

	if (config_value_set(key, text, config_value_field(key, section)))
		return true;
	config_value_say(&why, "wants ");
	config_value_say_right(&why, key);
	config_value_say(&why, "%s", config_value_hint(key, text));
	if (key->type == CONFIG_TYPE_LISTEN)
		config_value_say_wrong_listen(&why, text);
	if (key->type == CONFIG_TYPE_NAMES)
		config_value_say_wrong_name(&why, text);
	*why_r = buffer_text(&why);
	if (*why_r == NULL)
		abort();
	return false;
}

/* --- printing, comparing, copying, freeing ---------------------------------------------- */

static const char *
config_value_word(const struct config_key *key, int64_t value)
{
	for (const struct config_word *word = key->words; word != NULL && word->word != NULL; word++)
		if (word->value == value)
			return word->word;
	return NULL;
}

/* The shortest form that reads back as exactly this. */
static bool
config_value_print_duration(struct buffer *out, int64_t ns)
{
	static const struct {
		int64_t ns;
		const char *unit;
	} units[] = {
		{INT64_C(3600) * CLOCK_NS_PER_S, "h"},
		{INT64_C(60) * CLOCK_NS_PER_S, "m"},
		{CLOCK_NS_PER_S, "s"},
		{CLOCK_NS_PER_MS, "ms"},
		{CLOCK_NS_PER_US, "us"},
	};

	if (ns == 0)
		return buffer_append_text(out, "0");
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (ns % units[i].ns == 0)
			return buffer_printf(out, "%" PRId64 "%s", ns / units[i].ns, units[i].unit);
	return buffer_printf(out, "%" PRId64 "ns", ns);
}

static bool
config_value_print_int(const struct config_key *key, int64_t value, struct buffer *out)
{
	const char *word = config_value_word(key, value);

	return word != NULL ? buffer_append_text(out, word) : buffer_printf(out, "%" PRId64, value);
}

static bool
config_value_print_percent(const struct config_key *key, int64_t value, struct buffer *out)
{
	const char *word = config_value_word(key, value);

	return word != NULL ? buffer_append_text(out, word) : buffer_printf(out, "%" PRId64 "%%", value);
}

static bool
config_value_print_span(const struct config_span *span, struct buffer *out)
{
	return config_value_print_duration(out, span->first_ns) && buffer_append_text(out, "..") &&
		config_value_print_duration(out, span->last_ns);
}

static bool
config_value_print_size(const struct config_key *key, uint64_t bytes, struct buffer *out)
{
	const char *word = bytes <= INT64_MAX ? config_value_word(key, (int64_t)bytes) : NULL;
	char size[32];

	return buffer_append_text(out, word != NULL ? word : text_format_size(size, sizeof(size), bytes));
}

static bool
config_value_print_rate(const struct config_rate *rate, struct buffer *out)
{
	return buffer_printf(out, "%" PRId64 "/", rate->count) &&
		config_value_print_duration(out, rate->period_ns);
}

bool
config_value_print(const struct config_key *key, const void *section, struct buffer *out)
{
	const void *field = config_value_field(key, section);

	switch (key->type) {
	case CONFIG_TYPE_STRING:
	case CONFIG_TYPE_NAME:
	case CONFIG_TYPE_PATH:
	case CONFIG_TYPE_RUNTIME_PATH:
	case CONFIG_TYPE_LOG:
	case CONFIG_TYPE_LISTEN:
	case CONFIG_TYPE_NAMES:
	case CONFIG_TYPE_PATTERNS:
		return buffer_append_text(out, *(char *const *)field);
	case CONFIG_TYPE_BOOL:
		return buffer_append_text(out, *(const bool *)field ? "yes" : "no");
	case CONFIG_TYPE_INT:
		return config_value_print_int(key, *(const int64_t *)field, out);
	case CONFIG_TYPE_SIZE:
	case CONFIG_TYPE_PAGES:
		return config_value_print_size(key, *(const uint64_t *)field, out);
	case CONFIG_TYPE_DURATION:
		return config_value_print_duration(out, *(const int64_t *)field);
	case CONFIG_TYPE_SPAN:
		return config_value_print_span(field, out);
	case CONFIG_TYPE_RATE:
		return config_value_print_rate(field, out);
	case CONFIG_TYPE_PERCENT:
		return config_value_print_percent(key, *(const int64_t *)field, out);
	case CONFIG_TYPE_MODE:
		return buffer_printf(out, "%04o", *(const uint32_t *)field);
	case CONFIG_TYPE_CHOICE:
		return config_value_print_int(key, *(const int *)field, out);
	}
	return false;
}

bool
config_value_equal(const struct config_key *key, const void *a, const void *b)
{
	struct buffer text_a = {0};
	struct buffer text_b = {0};
	bool equal = config_value_print(key, a, &text_a) && config_value_print(key, b, &text_b) &&
		text_a.size == text_b.size &&
		(text_a.size == 0 || memcmp(text_a.data, text_b.data, text_a.size) == 0);

	buffer_finish(&text_a);
	buffer_finish(&text_b);
	return equal;
}

/* The bytes of a field that is no text. */
static size_t
config_value_size(const struct config_key *key)
{
	switch (key->type) {
	case CONFIG_TYPE_BOOL:
		return sizeof(bool);
	case CONFIG_TYPE_SPAN:
		return sizeof(struct config_span);
	case CONFIG_TYPE_RATE:
		return sizeof(struct config_rate);
	case CONFIG_TYPE_MODE:
		return sizeof(uint32_t);
	case CONFIG_TYPE_CHOICE:
		return sizeof(int);
	default:
		return sizeof(int64_t);
	}
}

void
config_value_copy(const struct config_key *key, void *to, const void *from)
{
	void *target = config_value_field(key, to);
	const void *source = config_value_field(key, from);
	char *copy;

	if (!config_value_is_text(key)) {
		memcpy(target, source, config_value_size(key));
		return;
	}
	copy = xstrdup(*(char *const *)source);
	free(*(char **)target);
	*(char **)target = copy;
}

void
config_value_finish(const struct config_key *key, void *section)
{
	char **field = config_value_field(key, section);

	if (config_value_is_text(key)) {
		free(*field);
		*field = NULL;
	}
}
