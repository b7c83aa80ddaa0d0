/* SPDX-License-Identifier: Apache-2.0 */
/* A backup comes back as it was written; one that was cut, changed, mixed or made under another
 * root does not, and says why. */
#include "operations/backup.h"

#include "base/file.h"
#include "base/secret.h"
#include "keys/sealing.h"
#include "tests/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct secret32 root = { { 7, 7, 7 } };
static struct secret32 other_root = { { 8 } };

static int file_of(struct bytes content)
{
    int file = memfd_create("backup", MFD_CLOEXEC);
    struct error error;
    CHECK(file >= 0 && file_write_all(file, content, &error) && lseek(file, 0, SEEK_SET) == 0);
    return file;
}

/* Two parts, the first of several pieces. */
static void make(struct buffer *made, size_t size)
{
    static uint8_t content[3 * BACKUP_PIECE_SIZE_MAX];
    struct sealer sealer = sealing_local(&root);
    struct backup_writer writer;
    struct backup_header header = { .node = "n0", .platform = "sim", .software = "1", .time_s = 9 };
    struct error error = { 0 };
    AUTO_CLOSE int file = memfd_create("backup", MFD_CLOEXEC);
    for (size_t i = 0; i < sizeof(content); i++)
        content[i] = (uint8_t)(i * 7 + (i >> 9));
    bool done = backup_begin(&writer, file, &sealer, &header, &error) &&
                backup_part_begin(&writer, "store/store.db", &error);
    for (size_t at = 0; done && at < size; at += BACKUP_PIECE_SIZE_MAX)
        done = backup_part_write(
            &writer, bytes_of(content + at, MIN(size - at, (size_t)BACKUP_PIECE_SIZE_MAX)), &error);
    done = done && backup_part_end(&writer, &error) &&
           backup_part_begin(&writer, "store/state.db", &error) &&
           backup_part_write(&writer, BYTES_LITERAL("state"), &error) &&
           backup_part_end(&writer, &error) && backup_end(&writer, &error);
    CHECK_NOTE(done, "%s", error.text);
    backup_writer_done(&writer);
    CHECK(lseek(file, 0, SEEK_SET) == 0 && file_read_descriptor(made, file, &error));
}

struct outcome {
    bool done;
    size_t size, parts;
    struct digest32 digest;
    struct error error;
};

static struct outcome read_back(struct bytes backup, struct secret32 *key)
{
    struct sealer sealer = sealing_local(key);
    struct backup_reader reader;
    struct backup_piece piece = { 0 };
    struct outcome outcome = { 0 };
    AUTO_CLOSE int file = file_of(backup);
    AUTO(hash) struct hash *hash = hash_new(HASH_SHA256);
    outcome.done = backup_open(&reader, file, &sealer, &outcome.error);
    while (outcome.done && piece.kind != BACKUP_END) {
        outcome.done = backup_next(&reader, &piece, &outcome.error);
        outcome.parts += outcome.done && piece.kind == BACKUP_PART;
        outcome.size += piece.content.size;
        hash_update(hash, piece.content);
    }
    outcome.digest = hash_finish32(hash);
    backup_reader_done(&reader);
    return outcome;
}

static void comes_back_as_it_was(void)
{
    static const size_t sizes[] = { 0, 1, BACKUP_PIECE_SIZE_MAX, BACKUP_PIECE_SIZE_MAX + 1,
                                    3 * BACKUP_PIECE_SIZE_MAX };
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        AUTO_BUFFER struct buffer backup;
        buffer_init(&backup, 1 << 20);
        make(&backup, sizes[i]);
        struct outcome outcome = read_back(buffer_view(&backup), &root);
        CHECK_NOTE(outcome.done, "%s", outcome.error.text);
        CHECK_NUMBER(outcome.parts, 2);
        CHECK_NUMBER(outcome.size, sizes[i] + 5);
    }
}

static void nothing_of_it_is_in_the_clear(void)
{
    AUTO_BUFFER struct buffer backup;
    buffer_init(&backup, 1 << 20);
    make(&backup, 100);
    CHECK(memmem(backup.data, backup.size, "state", 5) == NULL);
    CHECK(memmem(backup.data, backup.size, "store.db", 8) == NULL);
}

static void another_root_is_refused(void)
{
    AUTO_BUFFER struct buffer backup;
    buffer_init(&backup, 1 << 20);
    make(&backup, 100);
    struct outcome outcome = read_back(buffer_view(&backup), &other_root);
    CHECK(!outcome.done && outcome.error.code == ERROR_UNVERIFIED);
    CHECK(strstr(outcome.error.text, "another root") != NULL);
}

static void every_cut_is_noticed(void)
{
    AUTO_BUFFER struct buffer backup;
    buffer_init(&backup, 1 << 20);
    make(&backup, 50);
    for (size_t size = 0; size < backup.size; size++) {
        struct outcome outcome = read_back(bytes_of(backup.data, size), &root);
        enum error_code code = size < 14 ? ERROR_INVALID : ERROR_UNVERIFIED;
        CHECK_NOTE(!outcome.done && outcome.error.code == code, "%zu: %s", size,
                   outcome.error.text);
        CHECK(size < 14 || strstr(outcome.error.text, "cut") != NULL);
    }
    buffer_append(&backup, BYTES_LITERAL("x"));
    CHECK(!read_back(buffer_view(&backup), &root).done);
}

static void every_change_is_noticed(void)
{
    AUTO_BUFFER struct buffer backup;
    buffer_init(&backup, 1 << 20);
    make(&backup, 50);
    for (size_t bit = 0; bit < backup.size * 8; bit += test_bit_step()) {
        backup.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct outcome outcome = read_back(buffer_view(&backup), &root);
        CHECK_NOTE(!outcome.done, "bit %zu", bit);
        CHECK(outcome.error.code == ERROR_UNVERIFIED || outcome.error.code == ERROR_INVALID ||
              outcome.error.code == ERROR_UNSUPPORTED);
        backup.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* Where piece n begins, and behind it. */
static struct bytes piece_of(struct bytes backup, unsigned number)
{
    size_t at = 14 + (size_t)(backup.data[10] | backup.data[11] << 8) + 32;
    for (;; number--) {
        size_t size =
            4 + (size_t)(backup.data[at] | backup.data[at + 1] << 8 | backup.data[at + 2] << 16);
        if (number == 0)
            return bytes_part(backup, at, size);
        at += size;
    }
}

static void pieces_do_not_move(void)
{
    AUTO_BUFFER struct buffer one, two, mixed;
    buffer_init(&one, 1 << 20);
    buffer_init(&two, 1 << 20);
    buffer_init(&mixed, 1 << 20);
    make(&one, 50);
    make(&two, 50);
    REQUIRE(one.size == two.size);
    for (unsigned i = 0; i < 7; i++) {
        struct bytes piece = piece_of(buffer_view(&one), i);
        size_t at = (size_t)(piece.data - one.data);
        buffer_clear(&mixed);
        buffer_append(&mixed, buffer_view(&one));
        memcpy(mixed.data + at, two.data + at, piece.size);
        CHECK(!read_back(buffer_view(&mixed), &root).done); /* another backup's piece */
        buffer_clear(&mixed);
        buffer_append(&mixed, bytes_of(one.data, at));
        buffer_append(&mixed, bytes_part(buffer_view(&one), at + piece.size, one.size));
        CHECK(!read_back(buffer_view(&mixed), &root).done); /* left out */
        buffer_clear(&mixed);
        buffer_append(&mixed, bytes_of(one.data, at + piece.size));
        buffer_append(&mixed, bytes_part(buffer_view(&one), at, one.size));
        CHECK(!read_back(buffer_view(&mixed), &root).done); /* twice */
    }
}

static void others_files_are_no_backups(void)
{
    CHECK_NUMBER(read_back(BYTES_LITERAL(""), &root).error.code, ERROR_INVALID);
    CHECK_NUMBER(read_back(BYTES_LITERAL("SQLite format 3"), &root).error.code, ERROR_INVALID);
    CHECK_NUMBER(read_back(BYTES_LITERAL("S3NBACKUP\002\001\0\0\0{"), &root).error.code,
                 ERROR_UNSUPPORTED);
    CHECK_NUMBER(read_back(BYTES_LITERAL("S3NBACKUP\001\377\377\377\377"), &root).error.code,
                 ERROR_UNVERIFIED);
}

static const struct test tests[] = {
    TEST(comes_back_as_it_was),       TEST(nothing_of_it_is_in_the_clear),
    TEST(another_root_is_refused),    TEST(every_cut_is_noticed),
    TEST(every_change_is_noticed),    TEST(pieces_do_not_move),
    TEST(others_files_are_no_backups)
};
TEST_MAIN(tests)
