/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/hierarchy.h"

#include "base/file.h"
#include "core/hex.h"
#include "keys/sealing.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void root_file_is_made_once_and_kept(void)
{
    char path[4200];
    struct error error = { 0 };
    struct secret32 first, second;
    struct stat status;
    snprintf(path, sizeof(path), "%s/root", test_folder());
    REQUIRE(root_secret_from_file(&first, path, &error));
    CHECK(stat(path, &status) == 0 && (status.st_mode & 07777) == 0600 && status.st_size == 32);
    REQUIRE(root_secret_from_file(&second, path, &error));
    CHECK(secret_equal(first.bytes, second.bytes, 32));
    unlink(path);
    REQUIRE(root_secret_from_file(&second, path, &error));
    CHECK(!secret_equal(first.bytes, second.bytes, 32));
    CHECK(chmod(path, 0640) == 0);
    CHECK(!root_secret_from_file(&second, path, &error) && error.code == ERROR_DENIED);
    CHECK(chmod(path, 0600) == 0 && truncate(path, 31) == 0);
    CHECK(!root_secret_from_file(&second, path, &error) && error.code == ERROR_CORRUPT);
    CHECK(truncate(path, 33) == 0);
    CHECK(!root_secret_from_file(&second, path, &error) && error.code == ERROR_CORRUPT);
    unlink(path);
    CHECK(symlink("/etc/hostname", path) == 0);
    CHECK(!root_secret_from_file(&second, path, &error));
    unlink(path);
    CHECK(mkdir(path, 0700) == 0);
    CHECK(!root_secret_from_file(&second, path, &error));
    CHECK(!root_secret_from_file(&second, "/nonexistent/root", &error));
}

/* Computed apart from this code, with Python's hmac. */
static void labels_are_those_documented(void)
{
    struct secret32 root, key;
    char digits[65];
    memset(root.bytes, 0x0b, sizeof(root.bytes));
    record_key_derive(&key, &root, "app/auction");
    hex_encode(digits, BYTES_OF(key.bytes));
    CHECK_STRING(digits, "83d450c4fd45b770cb0fe2c43650d0a176c59f303a8ad1b39d247a2bb6c398ce");
    encryption_key_derive(&key, &root, "00112233445566778899aabbccddeeff", 1790000000);
    hex_encode(digits, BYTES_OF(key.bytes));
    CHECK_STRING(digits, "a7041e3c0f4f65f848e245b4b6cb0c5e28c1c5be4a73878fc6f8cf238a5d0d1c");
}

static void nodes_of_a_root_have_encryption_keys_of_their_own(void)
{
    struct secret32 root = { { 1 } }, here, there, later;
    encryption_key_derive(&here, &root, "00112233445566778899aabbccddeeff", 1790000000);
    encryption_key_derive(&there, &root, "00112233445566778899aabbccddeefe", 1790000000);
    encryption_key_derive(&later, &root, "00112233445566778899aabbccddeeff", 1790000001);
    CHECK(!secret_equal(&here, &there, sizeof(here)) && !secret_equal(&here, &later, sizeof(here)));
}

static const struct secret32 sealing_root = { { 9, 9, 9 } };

static bool opens(const char *space, const char *associated, struct bytes sealed)
{
    struct error error = { 0 };
    AUTO_BUFFER struct buffer plain;
    buffer_init(&plain, 1000);
    bool opened =
        sealing_open(&sealing_root, space, bytes_of_string(associated), sealed, &plain, &error);
    CHECK(opened || (error.code == ERROR_CORRUPT && plain.size == 0));
    return opened && bytes_equal_string(buffer_view(&plain), "the plain text");
}

static void what_is_sealed_opens_only_as_it_was(void)
{
    struct error error = { 0 };
    AUTO_BUFFER struct buffer sealed, again;
    buffer_init(&sealed, 1000);
    buffer_init(&again, 1000);
    struct bytes plain = BYTES_LITERAL("the plain text");
    REQUIRE(sealing_seal(&sealing_root, "app", BYTES_LITERAL("place"), plain, &sealed, &error));
    REQUIRE(sealing_seal(&sealing_root, "app", BYTES_LITERAL("place"), plain, &again, &error));
    CHECK_NUMBER(sealed.size, plain.size + SEALING_OVERHEAD);
    CHECK(!bytes_equal(buffer_view(&sealed), buffer_view(&again)));
    CHECK(opens("app", "place", buffer_view(&sealed)));
    CHECK(!opens("ap", "place", buffer_view(&sealed)));
    CHECK(!opens("app", "plac", buffer_view(&sealed)));
    CHECK(!opens("app", "", buffer_view(&sealed)));
    for (size_t i = 0; i < sealed.size; i++) {
        CHECK(!opens("app", "place", bytes_of(sealed.data, i)));
        sealed.data[i] ^= 0x10;
        CHECK(!opens("app", "place", buffer_view(&sealed)));
        sealed.data[i] ^= 0x10;
    }
    struct buffer full;
    buffer_init(&full, 20);
    CHECK(!sealing_seal(&sealing_root, "app", plain, plain, &full, &error));
    buffer_done(&full);
}

static const struct test tests[] = {
    TEST(root_file_is_made_once_and_kept),
    TEST(labels_are_those_documented),
    TEST(nodes_of_a_root_have_encryption_keys_of_their_own),
    TEST(what_is_sealed_opens_only_as_it_was),
};
TEST_MAIN(tests)
