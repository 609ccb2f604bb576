/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "loop/link_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "loop/link_ring.h"

/* "BAYL", and the layout: of the rings, and of the records in them (link_record.h). */
#define LINK_MAGIC UINT32_C(0x4C594142)
#define LINK_LAYOUT 1

struct link_head {
	uint32_t magic;
	uint32_t layout;
	uint64_t epoch;
	uint64_t ring_bytes;
	_Atomic uint64_t blamed[2]; /* by side: what it was serving when it crashed; 0: nothing */
	_Atomic uint32_t left[2];   /* by side: 1: it has ended in order */
	char _apart[208];
	struct link_ring rings[2];
};

enum { LINK_BYTES_AT = 4096 };

#define LINK_MEMORY_BYTES (LINK_BYTES_AT + 2 * LINK_RING_BYTES)
#define LINK_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

_Static_assert(sizeof(struct link_head) <= LINK_BYTES_AT, "the head has one page");
_Static_assert(offsetof(struct link_head, rings) % 128 == 0, "the rings begin with a cache line");

static struct link_head *
link_memory_map(int fd)
{
	void *at = mmap(NULL, LINK_MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return NULL;
	madvise(at, LINK_MEMORY_BYTES, MADV_DONTDUMP);
	return at;
}

int
link_memory_create(uint64_t epoch)
{
	int fd = memfd_create("bay-link", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct link_head *head = NULL;

	if (fd < 0)
		return -1;
	if (ftruncate(fd, (off_t)LINK_MEMORY_BYTES) == 0 && fcntl(fd, F_ADD_SEALS, LINK_SEALS) == 0)
		head = link_memory_map(fd);
	if (head == NULL) {
		fd_close(&fd);
		return -1;
	}
	head->magic = LINK_MAGIC;
	head->layout = LINK_LAYOUT;
	head->epoch = epoch;
	head->ring_bytes = LINK_RING_BYTES;
	munmap(head, LINK_MEMORY_BYTES);
	return fd;
}

/* What is wrong with a descriptor that was received, or NULL. */
static const char *
link_memory_wrong(int fd)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || seals < 0)
		return "it is no memory";
	if ((seals & LINK_SEALS) != LINK_SEALS)
		return "it is not sealed";
	if (st.st_size != (off_t)LINK_MEMORY_BYTES)
		return "it has not the size of a link";
	return NULL;
}

/* The same of what is in it. The other side may write there already, to its own ruin: nothing of
 * the head is looked at again. */
static const char *
link_head_wrong(const volatile struct link_head *head, uint64_t epoch)
{
	if (head->magic != LINK_MAGIC)
		return "there is no link in it";
	if (head->layout != LINK_LAYOUT || head->ring_bytes != LINK_RING_BYTES)
		return "it is that of another release";
	if (head->epoch != epoch)
		return "it is that of another link";
	return NULL;
}

bool
link_memory_open(struct link_memory *memory, int fd, uint64_t epoch, const char **why_r)
{
	memory->_at = NULL;
	*why_r = link_memory_wrong(fd);
	if (*why_r != NULL)
		return false;
	memory->_at = link_memory_map(fd);
	*why_r = memory->_at != NULL ? link_head_wrong(memory->_at, epoch) : "it cannot be mapped";
	if (*why_r == NULL)
		return true;
	link_memory_close(memory);
	return false;
}

void
link_memory_close(struct link_memory *memory)
{
	if (memory->_at != NULL)
		munmap(memory->_at, LINK_MEMORY_BYTES);
	memory->_at = NULL;
}

void
link_memory_blame(const struct link_memory *memory, unsigned side, uint64_t id)
{
	struct link_head *head = memory->_at;

	if (head != NULL)
		atomic_store_explicit(&head->blamed[side], id, memory_order_relaxed);
}

uint64_t
link_memory_blamed(const struct link_memory *memory, unsigned side)
{
	struct link_head *head = memory->_at;

	return head != NULL ? atomic_load_explicit(&head->blamed[side], memory_order_relaxed) : 0;
}

void
link_memory_leave(const struct link_memory *memory, unsigned side)
{
	struct link_head *head = memory->_at;

	if (head != NULL)
		atomic_store_explicit(&head->left[side], 1, memory_order_relaxed);
}

bool
link_memory_has_left(const struct link_memory *memory, unsigned side)
{
	struct link_head *head = memory->_at;

	return head != NULL && atomic_load_explicit(&head->left[side], memory_order_relaxed) != 0;
}

void
link_memory_ends(const struct link_memory *memory, unsigned side, struct link_writer *writer_r,
	struct link_reader *reader_r)
{
	struct link_head *head = memory->_at;
	unsigned char *bytes = (unsigned char *)head + LINK_BYTES_AT;

	link_writer_init(writer_r, &head->rings[side], bytes + side * LINK_RING_BYTES, LINK_RING_BYTES);
	link_reader_init(reader_r, &head->rings[1 - side], bytes + (1 - side) * LINK_RING_BYTES, LINK_RING_BYTES);
}
