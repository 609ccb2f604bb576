/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/log_ring.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* The strings of a record lie behind one another in one piece of memory. */
struct log_ring_line {
	struct log_record record;
	char *strings; /* NULL: never used, or there was no memory */
};

struct log_ring {
	size_t capacity;
	uint64_t end; /* line seq is in lines[seq % capacity] */
	struct log_ring_line lines[];
};

struct log_ring *
log_ring_create(size_t capacity)
{
	struct log_ring *ring = xcalloc(1, sizeof(*ring) + capacity * sizeof(ring->lines[0]));

	ring->capacity = capacity;
	return ring;
}

void
log_ring_destroy(struct log_ring *ring)
{
	if (ring == NULL)
		return;
	for (size_t i = 0; i < ring->capacity; i++)
		free(ring->lines[i].strings);
	free(ring);
}

static const char *
log_ring_copy_string(char **position, const char *text)
{
	char *copy = *position;
	size_t size = strlen(text) + 1;

	memcpy(copy, text, size);
	*position += size;
	return copy;
}

void
log_ring_push(struct log_ring *ring, const struct log_record *record)
{
	struct log_ring_line *line = &ring->lines[ring->end % ring->capacity];
	const char *subject = record->subject != NULL ? record->subject : "";
	size_t size = strlen(record->process) + strlen(subject) + strlen(record->text) + 3;
	char *position;

	free(line->strings);
	line->strings = position = malloc(size);
	ring->end++;
	if (position == NULL)
		return;
	line->record = *record;
	line->record.process = log_ring_copy_string(&position, record->process);
	line->record.subject = log_ring_copy_string(&position, subject);
	line->record.text = log_ring_copy_string(&position, record->text);
	if (record->subject == NULL)
		line->record.subject = NULL;
}

uint64_t
log_ring_end(const struct log_ring *ring)
{
	return ring->end;
}

uint64_t
log_ring_oldest(const struct log_ring *ring)
{
	return ring->end > ring->capacity ? ring->end - ring->capacity : 0;
}

/* The subject of a service's lines is "service NAME", in a cell perhaps with more behind it.
 * strchr finds the terminating NUL too. */
static bool
log_ring_is_about(const struct log_ring_line *line, const char *service)
{
	static const char word[] = "service ";
	size_t length;

	if (service == NULL)
		return true;
	if (line->record.subject == NULL ||
	    strncmp(line->record.subject, word, sizeof(word) - 1) != 0)
		return false;
	length = strlen(service);
	return strncmp(line->record.subject + sizeof(word) - 1, service, length) == 0 &&
		strchr(" ,:", line->record.subject[sizeof(word) - 1 + length]) != NULL;
}

static bool
log_ring_passes(const struct log_ring_line *line, const struct log_filter *filter)
{
	const struct trace_id *trace = &line->record.trace;

	return line->strings != NULL && log_ring_is_about(line, filter->service) &&
		(trace_id_is_none(&filter->trace) ||
		(trace->high == filter->trace.high && trace->low == filter->trace.low));
}

uint64_t
log_ring_start(const struct log_ring *ring, const struct log_filter *filter, size_t count)
{
	uint64_t seq = ring->end;

	for (size_t found = 0; found < count && seq > log_ring_oldest(ring);) {
		seq--;
		if (log_ring_passes(&ring->lines[seq % ring->capacity], filter))
			found++;
	}
	return seq;
}

bool
log_ring_next(const struct log_ring *ring, uint64_t *seq, const struct log_filter *filter,
	struct log_record *record_r)
{
	if (*seq < log_ring_oldest(ring))
		*seq = log_ring_oldest(ring);
	while (*seq < ring->end) {
		const struct log_ring_line *line = &ring->lines[*seq % ring->capacity];

		++*seq;
		if (log_ring_passes(line, filter)) {
			*record_r = line->record;
			return true;
		}
	}
	return false;
}
