/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/hash.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/check_main.h"
#include "support/temp_dir.h"

#define HASH_OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define HASH_OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

START_TEST(memory_hashes_to_the_published_values)
{
	char text[HASH_TEXT_SIZE];

	hash_memory("abc", 3, text);
	ck_assert_str_eq(text, HASH_OF_ABC);
	hash_memory("", 0, text);
	ck_assert_str_eq(text, HASH_OF_NOTHING);
}
END_TEST

START_TEST(a_file_hashes_as_its_contents_wherever_it_is_read)
{
	struct temp_dir dir;
	char text[HASH_TEXT_SIZE];
	char expected[HASH_TEXT_SIZE];
	size_t size = 100000;
	char *data = calloc(1, size);
	int fd;

	temp_dir_init(&dir);
	temp_dir_write(&dir, "abc", "abc");
	fd = open(temp_dir_path(&dir, "abc"), O_RDONLY);
	ck_assert_int_eq(lseek(fd, 2, SEEK_SET), 2);
	ck_assert(hash_fd(fd, text));
	ck_assert_str_eq(text, HASH_OF_ABC);
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 2);
	close(fd);

	memset(data, 'x', size);
	temp_dir_write_bytes(&dir, "big", data, size);
	hash_memory(data, size, expected);
	fd = open(temp_dir_path(&dir, "big"), O_RDONLY);
	ck_assert(hash_fd(fd, text));
	ck_assert_str_eq(text, expected);
	close(fd);
	free(data);
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(what_cannot_be_read_has_no_hash)
{
	char text[HASH_TEXT_SIZE];
	int fd = open("/", O_RDONLY);

	ck_assert_int_ge(fd, 0);
	ck_assert(!hash_fd(fd, text));
	close(fd);
	ck_assert(!hash_fd(-1, text));
}
END_TEST

START_TEST(pieces_have_the_hash_of_the_whole)
{
	char whole[HASH_TEXT_SIZE], pieces[HASH_TEXT_SIZE];
	struct hash hash;

	hash_memory("one and two", 11, whole);
	hash_begin(&hash);
	hash_add(&hash, "one ", 4);
	hash_add(&hash, "", 0);
	hash_add(&hash, "and two", 7);
	hash_end(&hash, pieces);
	ck_assert_str_eq(whole, pieces);
}
END_TEST

CHECK_MAIN("base/hash",
	memory_hashes_to_the_published_values,
	a_file_hashes_as_its_contents_wherever_it_is_read,
	what_cannot_be_read_has_no_hash,
	pieces_have_the_hash_of_the_whole)
