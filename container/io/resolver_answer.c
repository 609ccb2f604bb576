/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/resolver_answer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"

struct resolver_answer *
resolver_answer_create(int status, const char *error)
{
	struct resolver_answer *answer = alloc_try_zeroed(1, sizeof *answer);

	if (answer == NULL)
		return NULL;
	answer->refs = 1;
	answer->status = status;
	answer->error = error;
	return answer;
}

void
resolver_answer_unref(struct resolver_answer *answer)
{
	if (answer == NULL || --answer->refs > 0)
		return;
	free(answer->name);
	free(answer->records);
	free(answer);
}

bool
resolver_answer_add(struct resolver_answer *answer, const struct resolver_record *record)
{
	if (answer->count == answer->capacity) {
		size_t capacity = answer->capacity != 0 ? 2 * answer->capacity : 2;
		struct resolver_record *records = alloc_try_again(answer->records, capacity * sizeof records[0]);

		if (records == NULL)
			return false;
		answer->records = records;
		answer->capacity = capacity;
	}
	answer->records[answer->count++] = *record;
	return true;
}

/* The index of the next record of the family, or count. */
static size_t
resolver_answer_next(const struct resolver_answer *answer, size_t index, int family)
{
	while (index < answer->count && answer->records[index].family != family)
		index++;
	return index;
}

/* Whether the kernel knows a way there. Nothing is sent. */
static bool
resolver_has_way(const struct in6_addr *address)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_addr = *address};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool has;

	if (fd < 0)
		return false;
	has = connect(fd, (const struct sockaddr *)&to, sizeof to) == 0;
	close(fd);
	return has;
}

void
resolver_answer_settle(struct resolver_answer *answer)
{
	size_t ipv6 = resolver_answer_next(answer, 0, AF_INET6);

	if (answer->settled)
		return;
	answer->settled = true;
	/* Of one family there is no order. */
	if (ipv6 < answer->count && resolver_answer_next(answer, 0, AF_INET) < answer->count)
		answer->ipv6_first = resolver_has_way(&answer->records[ipv6].ipv6);
}

size_t
resolver_answer_pick(const struct resolver_answer *answer, int family,
	const struct resolver_record **records_r, size_t max)
{
	size_t ipv4 = family == AF_INET6 ? answer->count : resolver_answer_next(answer, 0, AF_INET);
	size_t ipv6 = family == AF_INET ? answer->count : resolver_answer_next(answer, 0, AF_INET6);
	bool turn = answer->ipv6_first;
	size_t count = 0;

	while (count < max && (ipv4 < answer->count || ipv6 < answer->count)) {
		if (turn && ipv6 < answer->count) {
			records_r[count++] = &answer->records[ipv6];
			ipv6 = resolver_answer_next(answer, ipv6 + 1, AF_INET6);
		} else if (!turn && ipv4 < answer->count) {
			records_r[count++] = &answer->records[ipv4];
			ipv4 = resolver_answer_next(answer, ipv4 + 1, AF_INET);
		}
		turn = !turn;
	}
	return count;
}
