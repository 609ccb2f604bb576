/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of the links of the cell that a plugin is in, for plugins that spoil it. It is mapped
 * once more: the cell takes its own view of a link away as soon as somebody has seen what became of
 * it, and the plugin would die in the middle. Needs _GNU_SOURCE.
 */
#ifndef BAY_TESTS_SUPPORT_PLUGINS_OWN_LINKS_H
#define BAY_TESTS_SUPPORT_PLUGINS_OWN_LINKS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct own_link {
	unsigned char *at;
	size_t size;
};

/* Returns how many there are, of at most max. Ends with own_links_unmap. */
static inline int
own_links_map(struct own_link *links, int max)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	int count = 0;

	while (maps != NULL && count < max && fgets(line, sizeof line, maps) != NULL) {
		unsigned long begin, end;
		void *again;

		if (strstr(line, "memfd:bay-link") == NULL || sscanf(line, "%lx-%lx", &begin, &end) != 2)
			continue;
		/* A size of 0 leaves what is there, if it still is. */
		again = mremap((void *)begin, 0, end - begin, MREMAP_MAYMOVE);
		if (again != MAP_FAILED)
			links[count++] = (struct own_link){again, end - begin};
	}
	if (maps != NULL)
		fclose(maps);
	return count;
}

static inline void
own_links_unmap(struct own_link *links, int count)
{
	for (int i = 0; i < count; i++)
		munmap(links[i].at, links[i].size);
}

/* Writes that byte over all of them, or what chance brings when it is below 0. Returns how many there are. */
static inline int
own_links_fill(int byte)
{
	struct own_link links[16];
	int count = own_links_map(links, 16);

	for (int i = 0; i < count; i++) {
		for (size_t at = 0; at < links[i].size; at++)
			((volatile unsigned char *)links[i].at)[at] = (unsigned char)(byte < 0 ? rand() : byte);
	}
	own_links_unmap(links, count);
	return count;
}

#endif
