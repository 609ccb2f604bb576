/* SPDX-License-Identifier: BSD-2-Clause */
/* Also tests image_copy, image_source and image_unique, which are there for image only. */
#include "config.h"

#include "master/image.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/elf_file.h"
#include "base/fd.h"
#include "support/check_main.h"
#include "support/temp_dir.h"

#define PLUGINS TOP_BUILDDIR "/tests/support/plugins/"

/* A directory with a plugin and one for its images. */
struct place {
	struct temp_dir dir;
	int images;
	char plugin[400];
};

static void
place_init(struct place *place, const char *from)
{
	struct buffer bytes = {0};
	char path[512];

	umask(022);
	temp_dir_init(&place->dir);
	snprintf(place->plugin, sizeof(place->plugin), "%s",
		temp_dir_path(&place->dir, "square.so"));
	if (from != NULL) {
		snprintf(path, sizeof(path), PLUGINS "%s.so", from);
		ck_assert(fd_read_file(AT_FDCWD, path, 0, IMAGE_MAX, &bytes));
		temp_dir_write_bytes(&place->dir, "square.so", bytes.data, bytes.size);
		buffer_finish(&bytes);
	}
	ck_assert_int_eq(mkdir(temp_dir_path(&place->dir, "images"), 0700), 0);
	place->images = open(temp_dir_path(&place->dir, "images"), O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(place->images, 0);
}

static void
place_finish(struct place *place)
{
	close(place->images);
	temp_dir_finish(&place->dir);
}

static size_t
count_entries(const char *path)
{
	DIR *dir = opendir(path);
	size_t count = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count - 2;
}

static size_t
count_images(const struct place *place)
{
	return count_entries(temp_dir_path(&place->dir, "images"));
}

static struct image
make(const struct place *place, uint64_t generation)
{
	struct buffer error = {0};
	struct image image;

	ck_assert_msg(image_make(&image, place->plugin, place->images, "square", generation,
		&error), "%s", buffer_text(&error));
	ck_assert_uint_eq(error.size, 0);
	return image;
}

static void
assert_refused(const struct place *place, const char *wanted)
{
	struct buffer error = {0};
	struct image image;

	ck_assert_msg(!image_make(&image, place->plugin, place->images, "square", 1, &error),
		"accepted, not '%s'", wanted);
	ck_assert_msg(strstr(buffer_text(&error), wanted) != NULL, "'%s' lacks '%s'",
		buffer_text(&error), wanted);
	ck_assert_uint_eq(count_images(place), 0);
	image_finish(&image);
	buffer_finish(&error);
}

/* --- good ones ---------------------------------------------------------------------- */

START_TEST(a_plugin_is_copied_and_hashed_and_its_copy_closed_to_writers)
{
	char sha256[HASH_TEXT_SIZE];
	struct image image;
	struct place place;
	struct stat st;
	int fd;

	place_init(&place, "good");
	image = make(&place, 3);
	ck_assert_ptr_nonnull(strstr(image.path, "/images/square.3.so"));
	ck_assert_int_eq(stat(image.path, &st), 0);
	ck_assert_uint_eq(st.st_size, image.size);
	ck_assert_uint_eq(st.st_mode & 0777, geteuid() == 0 ? 0555 : 0500);
	fd = open(place.plugin, O_RDONLY);
	ck_assert(hash_fd(fd, sha256));
	close(fd);
	ck_assert_str_eq(image.sha256, sha256);
	ck_assert_str_eq(image.source_sha256, sha256);
	ck_assert(hash_fd(image.fd, sha256));
	ck_assert_str_eq(image.sha256, sha256);
	ck_assert_int_eq(write(image.fd, "x", 1), -1);
	image_finish(&image);
	ck_assert_uint_eq(count_images(&place), 0);
	place_finish(&place);
}
END_TEST

START_TEST(overwriting_the_file_does_not_touch_the_image)
{
	char sha256[HASH_TEXT_SIZE];
	struct image image;
	struct place place;

	place_init(&place, "good");
	image = make(&place, 1);
	temp_dir_write(&place.dir, "square.so", "something else");
	ck_assert(hash_fd(image.fd, sha256));
	ck_assert_str_eq(image.sha256, sha256);
	image_finish(&image);
	place_finish(&place);
}
END_TEST

START_TEST(generations_lie_side_by_side_and_files_of_others_stay)
{
	struct image one, two;
	struct place place;

	place_init(&place, "good");
	temp_dir_write(&place.dir, "images/square.2.so", "of somebody else");
	one = make(&place, 1);
	two = make(&place, 2);
	ck_assert_uint_eq(count_images(&place), 3);
	ck_assert_ptr_nonnull(strstr(two.path, "/square.2.1.so"));
	ck_assert_str_eq(one.sha256, two.sha256);
	image_finish(&one);
	ck_assert_int_eq(access(two.path, R_OK), 0);
	image_finish(&two);
	ck_assert_uint_eq(count_images(&place), 1);
	ck_assert_int_eq(access(temp_dir_path(&place.dir, "images/square.2.so"), R_OK), 0);
	place_finish(&place);
}
END_TEST

START_TEST(an_image_knows_whether_its_file_is_still_the_same)
{
	struct image image;
	struct place place;

	place_init(&place, "good");
	image = make(&place, 1);
	ck_assert(image_is_current(&image, place.plugin));
	temp_dir_write(&place.dir, "square.so", "something else");
	ck_assert(!image_is_current(&image, place.plugin));
	unlink(place.plugin);
	ck_assert(!image_is_current(&image, place.plugin));
	image_finish(&image);
	place_finish(&place);
}
END_TEST

static unsigned
count_binding(int fd, unsigned binding, const char *name)
{
	struct buffer bytes = {0}, error = {0};
	struct elf_file elf;
	ElfW(Sym) symbol;
	unsigned count = 0;

	ck_assert(lseek(fd, 0, SEEK_SET) == 0 && fd_read_all(fd, IMAGE_MAX, &bytes));
	ck_assert(elf_file_parse(&elf, bytes.data, bytes.size, &error));
	for (size_t i = 0; elf_file_symbol(&elf, i, &symbol); i++)
		if (ELF64_ST_BIND(symbol.st_info) == binding &&
		    strcmp(elf_file_string(&elf, symbol.st_name), name) == 0)
			count++;
	buffer_finish(&bytes);
	return count;
}

START_TEST(symbols_that_a_process_would_keep_for_ever_become_ordinary)
{
	struct image image;
	struct place place;
	int fd;

	place_init(&place, "unique");
	image = make(&place, 1);
	fd = open(place.plugin, O_RDONLY);
	ck_assert_uint_eq(count_binding(fd, STB_GNU_UNIQUE, "bay_test_unique"), 1);
	ck_assert_uint_eq(count_binding(image.fd, STB_GNU_UNIQUE, "bay_test_unique"), 0);
	ck_assert_uint_eq(count_binding(image.fd, STB_WEAK, "bay_test_unique"), 1);
	ck_assert_str_ne(image.sha256, image.source_sha256);
	close(fd);
	image_finish(&image);
	place_finish(&place);
}
END_TEST

START_TEST(what_is_no_plugin_is_copied_for_the_examiner_to_refuse)
{
	struct image image;
	struct place place;

	place_init(&place, NULL);
	temp_dir_write(&place.dir, "square.so", "\177ELF, or not");
	image = make(&place, 1);
	ck_assert_uint_eq(image.size, 12);
	image_finish(&image);
	place_finish(&place);
}
END_TEST

/* --- not a file to be trusted ---------------------------------------------------------- */

START_TEST(what_is_no_regular_file_is_called_what_it_is)
{
	struct place place;

	place_init(&place, NULL);
	assert_refused(&place, "cannot be opened: No such file");
	ck_assert_int_eq(symlink("/bin/sh", place.plugin), 0);
	assert_refused(&place, "symbolic link");
	unlink(place.plugin);
	ck_assert_int_eq(mkdir(place.plugin, 0755), 0);
	assert_refused(&place, "is a directory");
	rmdir(place.plugin);
	ck_assert_int_eq(mkfifo(place.plugin, 0644), 0);
	assert_refused(&place, "not a regular file");
	unlink(place.plugin);
	temp_dir_write(&place.dir, "square.so", "");
	assert_refused(&place, "is empty");
	ck_assert_int_eq(truncate(place.plugin, (off_t)IMAGE_MAX + 1), 0);
	assert_refused(&place, "too big");
	snprintf(place.plugin, sizeof(place.plugin), "/no/such/place/square.so");
	assert_refused(&place, "its directory /no/such/place cannot be opened");
	place_finish(&place);
}
END_TEST

START_TEST(what_others_could_have_written_is_refused)
{
	struct buffer error = {0};
	struct place place;
	struct image image;

	place_init(&place, "good");
	ck_assert_int_eq(chmod(place.plugin, 0646), 0);
	assert_refused(&place, "can be written by everybody: chmod o-w it");
	/* The bit that keeps others from replacing files is a directory's. */
	ck_assert_int_eq(chmod(place.plugin, 01666), 0);
	assert_refused(&place, "can be written by everybody: chmod o-w it");
	/* Among ordinary users the group may be one's own. */
	if (geteuid() == 0) {
		ck_assert_int_eq(chmod(place.plugin, 0664), 0);
		assert_refused(&place, "can be written by group 0: chmod g-w it");
		ck_assert_int_eq(chmod(place.plugin, 01660), 0);
		assert_refused(&place, "can be written by group 0: chmod g-w it");
		ck_assert_int_eq(chmod(place.plugin, 0644), 0);
		ck_assert_int_eq(chown(place.plugin, 12345, 0), 0);
		ck_assert(!image_make(&image, place.plugin, place.images, "square", 1, &error));
		ck_assert_str_eq(buffer_text(&error), "it belongs to user 12345, who could put other "
			"code there: chown it to root [plugin-place]");
		buffer_finish(&error);
	}
	place_finish(&place);
}
END_TEST

START_TEST(what_others_could_replace_is_refused)
{
	struct place place;
	struct image image;

	place_init(&place, "good");
	ck_assert_int_eq(chmod(place.dir.path, 0777), 0);
	assert_refused(&place, "the directory ");
	assert_refused(&place, place.dir.path);
	ck_assert_int_eq(chmod(place.dir.path, 01777), 0);
	image = make(&place, 1);
	image_finish(&image);
	place_finish(&place);
}
END_TEST

START_TEST(a_directory_further_up_counts_too)
{
	struct place place;

	place_init(&place, NULL);
	temp_dir_write(&place.dir, "open/closed/square.so", "x");
	ck_assert_int_eq(chmod(temp_dir_path(&place.dir, "open"), 0777), 0);
	snprintf(place.plugin, sizeof(place.plugin), "%s",
		temp_dir_path(&place.dir, "open/closed/square.so"));
	assert_refused(&place, "/open can be written by everybody");
	/* Nor does a link to it lead past the check. */
	ck_assert_int_eq(symlink("open/closed", temp_dir_path(&place.dir, "link")), 0);
	snprintf(place.plugin, sizeof(place.plugin), "%s",
		temp_dir_path(&place.dir, "link/square.so"));
	assert_refused(&place, "/open can be written by everybody");
	place_finish(&place);
}
END_TEST

START_TEST(a_file_is_copied_a_slice_at_a_time)
{
	struct buffer error = {0};
	struct place place;
	struct image image;
	char sha256[HASH_TEXT_SIZE];
	unsigned slices = 0;

	place_init(&place, "good");
	ck_assert_int_eq(truncate(place.plugin, 10 * IMAGE_SLICE), 0);
	ck_assert(image_begin(&image, place.plugin, place.images, "square", 1, &error));
	while (image_continue(&image, &error) == IMAGE_MORE) {
		struct stat st;

		slices++;
		ck_assert_int_eq(fstatat(place.images, "square.1.so", &st, 0), 0);
		ck_assert_int_eq(st.st_size, slices * IMAGE_SLICE);
	}
	ck_assert_uint_eq(slices, 10);
	ck_assert_uint_eq(image.size, 10 * IMAGE_SLICE);
	ck_assert(hash_fd(image.fd, sha256));
	ck_assert_str_eq(image.sha256, sha256);
	image_finish(&image);
	place_finish(&place);
}
END_TEST

START_TEST(a_file_that_changes_between_two_slices_is_refused)
{
	static const off_t sizes[] = {9 * IMAGE_SLICE, 10 * IMAGE_SLICE, 11 * IMAGE_SLICE};

	for (size_t i = 0; i < 3; i++) {
		struct buffer error = {0};
		enum image_progress progress;
		struct place place;
		struct image image;
		int fd;

		place_init(&place, "good");
		ck_assert_int_eq(truncate(place.plugin, 10 * IMAGE_SLICE), 0);
		ck_assert(image_begin(&image, place.plugin, place.images, "square", 1, &error));
		ck_assert_int_eq(image_continue(&image, &error), IMAGE_MORE);
		fd = open(place.plugin, O_WRONLY);
		ck_assert_int_eq(ftruncate(fd, sizes[i]), 0);
		ck_assert_int_eq(futimens(fd, (const struct timespec[]){{.tv_sec = 1},
			{.tv_sec = 1}}), 0);
		close(fd);
		while ((progress = image_continue(&image, &error)) == IMAGE_MORE)
			continue;
		ck_assert_int_eq(progress, IMAGE_FAILED);
		ck_assert_ptr_nonnull(strstr(buffer_text(&error), "changed while it was copied"));
		ck_assert_uint_eq(count_images(&place), 0);
		buffer_finish(&error);
		place_finish(&place);
	}
}
END_TEST

/* Its size is the same, and its time is made so: only when that was done cannot be hidden. */
START_TEST(a_file_that_changes_behind_its_times_is_refused)
{
	struct buffer error = {0};
	enum image_progress progress;
	struct place place;
	struct image image;
	struct stat st;
	int fd;

	place_init(&place, "good");
	ck_assert_int_eq(truncate(place.plugin, 10 * IMAGE_SLICE), 0);
	ck_assert_int_eq(stat(place.plugin, &st), 0);
	ck_assert(image_begin(&image, place.plugin, place.images, "square", 1, &error));
	ck_assert_int_eq(image_continue(&image, &error), IMAGE_MORE);
	/* The kernel's clock for such times ticks every few milliseconds. */
	usleep(50000);
	fd = open(place.plugin, O_WRONLY);
	ck_assert_int_eq(pwrite(fd, "x", 1, 9 * IMAGE_SLICE), 1);
	ck_assert_int_eq(futimens(fd, (const struct timespec[]){st.st_atim, st.st_mtim}), 0);
	close(fd);
	while ((progress = image_continue(&image, &error)) == IMAGE_MORE)
		continue;
	ck_assert_int_eq(progress, IMAGE_FAILED);
	ck_assert_ptr_nonnull(strstr(buffer_text(&error), "changed while it was copied"));
	buffer_finish(&error);
	place_finish(&place);
}
END_TEST

START_TEST(half_an_image_leaves_nothing)
{
	struct buffer error = {0};
	struct place place;
	struct image image;
	size_t before;

	place_init(&place, "good");
	ck_assert_int_eq(truncate(place.plugin, 10 * IMAGE_SLICE), 0);
	before = count_entries("/proc/self/fd");
	ck_assert(image_begin(&image, place.plugin, place.images, "square", 1, &error));
	ck_assert_int_eq(image_continue(&image, &error), IMAGE_MORE);
	ck_assert_uint_eq(count_images(&place), 1);
	image_finish(&image);
	ck_assert_uint_eq(count_entries("/proc/self/fd"), before);
	ck_assert_uint_eq(count_images(&place), 0);
	place_finish(&place);
}
END_TEST

START_TEST(a_leftover_that_is_a_name_of_another_file_does_not_change_that)
{
	struct place place;
	struct image image;
	struct stat st;

	place_init(&place, "good");
	temp_dir_write(&place.dir, "precious", "gold");
	ck_assert_int_eq(linkat(AT_FDCWD, temp_dir_path(&place.dir, "precious"), place.images,
		"square.1.so", 0), 0);
	image = make(&place, 1);
	ck_assert_int_eq(stat(temp_dir_path(&place.dir, "precious"), &st), 0);
	ck_assert_int_eq(st.st_size, 4);
	image_finish(&image);
	place_finish(&place);
}
END_TEST

START_TEST(a_file_that_is_being_written_is_refused)
{
	struct buffer error = {0};
	struct place place;
	struct image image;
	bool noticed = false;
	pid_t writer;

	place_init(&place, "good");
	ck_assert_int_eq(truncate(place.plugin, 8 << 20), 0);
	writer = fork();
	if (writer == 0) {
		int fd = open(place.plugin, O_WRONLY);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			(void)!pwrite(fd, "x", 1, 4 << 20);
	}
	while (!noticed) {
		if (image_make(&image, place.plugin, place.images, "square", 1, &error))
			image_finish(&image);
		else
			noticed = strstr(buffer_text(&error), "changed while it was copied") != NULL;
		buffer_clear(&error);
	}
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	ck_assert_uint_eq(count_images(&place), 0);
	buffer_finish(&error);
	place_finish(&place);
}
END_TEST

/* --- where code may not run --------------------------------------------------------------- */

START_TEST(without_exec_the_image_is_sealed_memory)
{
	char sha256[HASH_TEXT_SIZE];
	struct place place;
	struct image image;
	void *map;
	int fd;

	place_init(&place, "good");
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", temp_dir_path(&place.dir, "images"), "tmpfs", MS_NOEXEC, NULL) != 0) {
		int error = errno;

		place_finish(&place);
		CHECK_SKIP("no file system can be mounted: %s", strerror(error));
	}
	close(place.images);
	place.images = open(temp_dir_path(&place.dir, "images"), O_RDONLY | O_DIRECTORY);
	image = make(&place, 1);
	ck_assert(image.in_memory);
	ck_assert(hash_fd(image.fd, sha256));
	ck_assert_str_eq(image.sha256, sha256);
	/* By its name it is found in memory too. */
	fd = open(image.path, O_RDONLY | O_CLOEXEC);
	ck_assert(hash_fd(fd, sha256));
	ck_assert_str_eq(image.sha256, sha256);
	ck_assert_int_ne(fcntl(fd, F_GET_SEALS) & F_SEAL_WRITE, 0);
	close(fd);
	ck_assert_int_ne(fcntl(image.fd, F_GET_SEALS) & F_SEAL_WRITE, 0);
	map = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, image.fd, 0);
	ck_assert_ptr_ne(map, MAP_FAILED);
	munmap(map, 4096);
	image_finish(&image);
	ck_assert_uint_eq(count_images(&place), 0);
	ck_assert_int_eq(umount2(temp_dir_path(&place.dir, "images"), MNT_DETACH), 0);
	place_finish(&place);
}
END_TEST

CHECK_MAIN("master/image",
	a_plugin_is_copied_and_hashed_and_its_copy_closed_to_writers,
	overwriting_the_file_does_not_touch_the_image,
	generations_lie_side_by_side_and_files_of_others_stay,
	an_image_knows_whether_its_file_is_still_the_same,
	symbols_that_a_process_would_keep_for_ever_become_ordinary,
	what_is_no_plugin_is_copied_for_the_examiner_to_refuse,
	what_is_no_regular_file_is_called_what_it_is,
	what_others_could_have_written_is_refused,
	what_others_could_replace_is_refused,
	a_directory_further_up_counts_too,
	a_file_is_copied_a_slice_at_a_time,
	a_file_that_changes_between_two_slices_is_refused,
	a_file_that_changes_behind_its_times_is_refused,
	half_an_image_leaves_nothing,
	a_leftover_that_is_a_name_of_another_file_does_not_change_that,
	a_file_that_is_being_written_is_refused,
	without_exec_the_image_is_sealed_memory)
