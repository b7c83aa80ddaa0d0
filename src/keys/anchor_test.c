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
    CHECK_NUMBER(anchor.stores[ANCHOR_STATES].counter, 0);
    for (uint64_t i = 1; i <= 5; i++) {
        struct store_heads heads = heads_of(i);
        REQUIRE(anchor_write(&anchor, &root, ANCHOR_STATES, &heads, &error));
        REQUIRE(anchor_open(&anchor, file, &root, &error));
        CHECK_NUMBER(anchor.stores[ANCHOR_STATES].counter, i);
        CHECK_NUMBER(anchor.stores[ANCHOR_STATES].heads.after.revision, i);
        CHECK_NUMBER(anchor.stores[ANCHOR_STATES].heads.before.mac.bytes[0], i - 1);
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
        REQUIRE(anchor_write(&anchor, &root, ANCHOR_STATES, &heads, &error));
    }
    REQUIRE(pread(file, before, sizeof(before), 0) == sizeof(before));
    struct store_heads heads = heads_of(4);
    REQUIRE(anchor_write(&anchor, &root, ANCHOR_STATES, &heads, &error));
    REQUIRE(pread(file, after, sizeof(after), 0) == sizeof(after));
    for (size_t cut = 0; cut <= 512; cut++) {
        memcpy(mixed, before, sizeof(mixed));
        memcpy(mixed, after, cut); /* the fourth stands in the first place */
        REQUIRE(pwrite(file, mixed, sizeof(mixed), 0) == sizeof(mixed));
        REQUIRE(anchor_open(&anchor, file, &root, &error));
        CHECK(anchor.stores[ANCHOR_STATES].counter == 3 ||
              (anchor.stores[ANCHOR_STATES].counter == 4 && cut > 100));
        CHECK_NUMBER(anchor.stores[ANCHOR_STATES].heads.after.revision,
                     anchor.stores[ANCHOR_STATES].counter);
    }
    for (size_t i = 0; i < 1024; i++) {
        memcpy(mixed, after, sizeof(mixed));
        mixed[i] ^= 1;
        REQUIRE(pwrite(file, mixed, sizeof(mixed), 0) == sizeof(mixed));
        REQUIRE(anchor_open(&anchor, file, &root, &error));
        CHECK(anchor.stores[ANCHOR_STATES].counter == 4 ||
              anchor.stores[ANCHOR_STATES].counter == 3);
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

/* Each store has places of its own, also in a file of before there were two. */
static void stores_do_not_mix(void)
{
    struct error error = { 0 };
    struct anchor anchor;
    uint8_t places[4 * 512], swapped[sizeof(places)];
    int file = memfd_create("anchor", MFD_CLOEXEC);
    REQUIRE(file >= 0 && anchor_open(&anchor, file, &root, &error));
    struct store_heads node = heads_of(7), states = heads_of(3);
    REQUIRE(anchor_write(&anchor, &root, ANCHOR_NODE, &node, &error)); /* zeros before it */
    REQUIRE(anchor_open(&anchor, file, &root, &error));
    CHECK_NUMBER(anchor.stores[ANCHOR_STATES].counter, 0);
    for (int i = 0; i < 2; i++) {
        REQUIRE(anchor_write(&anchor, &root, ANCHOR_STATES, &states, &error));
        REQUIRE(anchor_write(&anchor, &root, ANCHOR_NODE, &node, &error));
    }
    REQUIRE(anchor_open(&anchor, file, &root, &error));
    CHECK_NUMBER(anchor.stores[ANCHOR_STATES].heads.after.revision, 3);
    CHECK_NUMBER(anchor.stores[ANCHOR_NODE].heads.after.revision, 7);
    REQUIRE(pread(file, places, sizeof(places), 0) == sizeof(places));
    memcpy(swapped, places + sizeof(places) / 2, sizeof(places) / 2);
    memcpy(swapped + sizeof(places) / 2, places, sizeof(places) / 2);
    REQUIRE(pwrite(file, swapped, sizeof(swapped), 0) == sizeof(swapped));
    CHECK(!anchor_open(&anchor, file, &root, &error));
    CHECK_NUMBER(error.code, ERROR_CORRUPT);
    REQUIRE(ftruncate(file, 0) == 0 && pwrite(file, places, 1024, 0) == 1024);
    REQUIRE(anchor_open(&anchor, file, &root, &error));
    CHECK_NUMBER(anchor.stores[ANCHOR_STATES].heads.after.revision, 3);
    CHECK_NUMBER(anchor.stores[ANCHOR_NODE].counter, 0);
    close(file);
}

static const struct test tests[] = {
    TEST(the_last_heads_are_remembered),
    TEST(a_cut_write_leaves_the_one_before),
    TEST(stores_do_not_mix),
};
TEST_MAIN(tests)
