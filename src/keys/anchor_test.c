/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/anchor.h"
#include "tests/harness.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct secret32 root = { { 1, 2, 3 } };

static struct store_heads heads_of(uint64_t number)
{
    return (struct store_heads){ { number - 1, { { (uint8_t)(number - 1) } } },
                                 { number, { { (uint8_t)number } } } };
}

static void the_last_heads_are_remembered(void)
{
    struct error error = { 0 };
    struct anchor anchor;
    int file = memfd_create("anchor", MFD_CLOEXEC);
    REQUIRE(file >= 0 && anchor_open(&anchor, file, &root, &error));
    CHECK_NUMBER(anchor.counter, 0);
    for (uint64_t i = 1; i <= 5; i++) {
        struct store_heads heads = heads_of(i);
        REQUIRE(anchor_write(&anchor, &root, &heads, &error));
        REQUIRE(anchor_open(&anchor, file, &root, &error));
        CHECK_NUMBER(anchor.counter, i);
        CHECK_NUMBER(anchor.heads.after.revision, i);
        CHECK_NUMBER(anchor.heads.before.mac.bytes[0], i - 1);
    }
    close(file);
}

/* A write that was cut at any byte leaves the one before; anything else that is changed, too. */
static void a_cut_write_leaves_the_one_before(void)
{
    struct error error = { 0 };
    struct anchor anchor;
    uint8_t before[1024], after[1024], mixed[1024];
    int file = memfd_create("anchor", MFD_CLOEXEC);
    REQUIRE(file >= 0 && anchor_open(&anchor, file, &root, &error));
    for (uint64_t i = 1; i <= 3; i++) {
        struct store_heads heads = heads_of(i);
        REQUIRE(anchor_write(&anchor, &root, &heads, &error));
    }
    REQUIRE(pread(file, before, sizeof(before), 0) == sizeof(before));
    struct store_heads heads = heads_of(4);
    REQUIRE(anchor_write(&anchor, &root, &heads, &error));
    REQUIRE(pread(file, after, sizeof(after), 0) == sizeof(after));
    for (size_t cut = 0; cut <= 512; cut++) {
        memcpy(mixed, before, sizeof(mixed));
        memcpy(mixed, after, cut); /* the fourth stands in the first place */
        REQUIRE(pwrite(file, mixed, sizeof(mixed), 0) == sizeof(mixed));
        REQUIRE(anchor_open(&anchor, file, &root, &error));
        CHECK(anchor.counter == 3 || (anchor.counter == 4 && cut > 100));
        CHECK_NUMBER(anchor.heads.after.revision, anchor.counter);
    }
    for (size_t i = 0; i < 1024; i++) {
        memcpy(mixed, after, sizeof(mixed));
        mixed[i] ^= 1;
        REQUIRE(pwrite(file, mixed, sizeof(mixed), 0) == sizeof(mixed));
        REQUIRE(anchor_open(&anchor, file, &root, &error));
        CHECK(anchor.counter == 4 || anchor.counter == 3);
    }
    memset(mixed, 7, sizeof(mixed));
    REQUIRE(pwrite(file, mixed, sizeof(mixed), 0) == sizeof(mixed));
    CHECK(!anchor_open(&anchor, file, &root, &error));
    CHECK_NUMBER(error.code, ERROR_CORRUPT);
    REQUIRE(pwrite(file, after, sizeof(after), 0) == sizeof(after));
    const struct secret32 other = { { 9 } };
    CHECK(!anchor_open(&anchor, file, &other, &error)); /* of another node */
    close(file);
}

static const struct test tests[] = {
    TEST(the_last_heads_are_remembered),
    TEST(a_cut_write_leaves_the_one_before),
};
TEST_MAIN(tests)
