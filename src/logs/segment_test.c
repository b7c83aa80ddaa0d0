/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/segment.h"

#include "core/hex.h"
#include "crypto/aead.h"
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

#define RECORDS BYTES_LITERAL("what a function logged")

static struct ecdsa_key *key_of(uint8_t last)
{
    struct secret32 scalar = { { 0 } };
    struct ecdsa_key *key = NULL;
    struct error error;
    scalar.bytes[31] = last;
    CHECK(ecdsa_key_import(&key, &scalar, &error));
    return key;
}

static void seal(struct buffer *target, uint64_t number, const struct digest32 *previous)
{
    AUTO(ecdsa_key) struct ecdsa_key *owner = key_of(1);
    AUTO(ecdsa_key) struct ecdsa_key *member = key_of(2);
    struct ecdsa_public readers[] = { *ecdsa_key_public(owner), *ecdsa_key_public(member) };
    struct log_segment_head head = { .stream = log_stream_of("shop", &(struct digest32){ { 1 } }),
                                     .number = number,
                                     .first_ms = 1000,
                                     .last_ms = 2000 };
    struct error error;
    if (previous != NULL)
        head.previous = *previous;
    CHECK(log_segment_seal(target, &head, readers, ARRAY_COUNT(readers), RECORDS, &error));
}

static void every_reader_opens_it(void)
{
    AUTO_BUFFER struct buffer text, records;
    struct log_segment segment;
    struct error error;
    buffer_init(&text, 1 << 16);
    buffer_init(&records, 1 << 16);
    seal(&text, 7, NULL);
    REQUIRE(log_segment_view(&segment, buffer_view(&text), &error));
    CHECK_NUMBER(segment.head.number, 7);
    CHECK_NUMBER(segment.head.first_ms, 1000);
    CHECK_NUMBER(segment.head.last_ms, 2000);
    CHECK_NUMBER(segment.reader_count, 2);
    for (uint8_t i = 1; i <= 3; i++) {
        AUTO(ecdsa_key) struct ecdsa_key *key = key_of(i);
        buffer_clear(&records);
        bool opened = log_segment_open(&records, &segment, key, &error);
        CHECK(opened == (i < 3));
        if (opened)
            CHECK_BYTES(buffer_view(&records), RECORDS);
        else
            CHECK_NUMBER(error.code, ERROR_DENIED);
    }
    /* what was logged is not in there */
    CHECK(memmem(text.data, text.size, "function", 8) == NULL);
}

static void every_change_is_noticed(void)
{
    AUTO_BUFFER struct buffer text, records;
    AUTO(ecdsa_key) struct ecdsa_key *owner = key_of(1);
    struct log_segment segment;
    struct error error;
    buffer_init(&text, 1 << 16);
    buffer_init(&records, 1 << 16);
    seal(&text, 7, NULL);
    for (size_t i = 0; i < text.size; i++) {
        text.data[i] ^= 1;
        bool opened = log_segment_view(&segment, buffer_view(&text), &error) &&
                      log_segment_open(&records, &segment, owner, &error);
        CHECK(!opened);
        text.data[i] ^= 1;
    }
    for (size_t size = 0; size < text.size; size++) {
        uint8_t *copy = malloc(size + 1);
        memcpy(copy, text.data, size);
        CHECK(!log_segment_view(&segment, bytes_of(copy, size), &error));
        CHECK_NUMBER(error.code, ERROR_CORRUPT);
        free(copy);
    }
    buffer_append(&text, BYTES_LITERAL("x"));
    CHECK(!log_segment_view(&segment, buffer_view(&text), &error));
    CHECK_NUMBER(records.size, 0);
}

static void chains_show_what_is_missing(void)
{
    struct buffer texts[4];
    struct log_segment segments[4];
    struct log_chain chain = { 0 }, at_two;
    struct error error;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        buffer_init(&texts[i], 1 << 16);
        seal(&texts[i], i + 1, i == 0 ? NULL : &chain.digest);
        REQUIRE(log_segment_view(&segments[i], buffer_view(&texts[i]), &error));
        REQUIRE(log_chain_follow(&chain, &segments[i], &error));
        CHECK_NUMBER(chain.number, i + 1);
        if (i == 1)
            at_two = chain;
    }
    chain = at_two;
    CHECK(!log_chain_follow(&chain, &segments[3], &error)); /* cut out */
    CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    CHECK(strstr(error.text, "segment 3 is missing") != NULL);
    CHECK(!log_chain_follow(&chain, &segments[1], &error)); /* again */
    CHECK(!log_chain_follow(&chain, &segments[0], &error)); /* back */
    AUTO_BUFFER struct buffer other;
    buffer_init(&other, 1 << 16);
    seal(&other, 3, &at_two.digest); /* sealed anew by somebody else */
    struct log_segment forged;
    REQUIRE(log_segment_view(&forged, buffer_view(&other), &error));
    REQUIRE(log_chain_follow(&chain, &forged, &error));
    CHECK(!log_chain_follow(&chain, &segments[3], &error)); /* what came behind does not follow */
    chain = at_two;
    chain.stream.bytes[0] ^= 1;
    CHECK(!log_chain_follow(&chain, &segments[2], &error));
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        buffer_done(&texts[i]);
}

static void keeps_its_limits(void)
{
    static uint8_t records[LOG_SEGMENT_PLAIN_MAX + 1];
    AUTO(ecdsa_key) struct ecdsa_key *owner = key_of(1);
    struct ecdsa_public readers[LOG_READER_COUNT_MAX + 1];
    AUTO_BUFFER struct buffer text;
    struct log_segment_head head = { .number = 1 };
    struct log_segment segment;
    struct error error;
    buffer_init(&text, 1 << 20);
    for (size_t i = 0; i < ARRAY_COUNT(readers); i++)
        readers[i] = *ecdsa_key_public(owner);
    CHECK(!log_segment_seal(&text, &head, readers, 0, RECORDS, &error));
    CHECK(!log_segment_seal(&text, &head, readers, ARRAY_COUNT(readers), RECORDS, &error));
    CHECK(!log_segment_seal(&text, &head, readers, 1, BYTES_OF(records), &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    CHECK_NUMBER(text.size, 0);
    REQUIRE(log_segment_seal(&text, &head, readers, LOG_READER_COUNT_MAX,
                             bytes_of(records, LOG_SEGMENT_PLAIN_MAX), &error));
    REQUIRE(log_segment_view(&segment, buffer_view(&text), &error));
    struct ecdsa_public off = { { 1 } };
    CHECK(!log_segment_seal(&text, &head, &off, 1, RECORDS, &error)); /* not a point */
}

/* Already before it is opened, which only its readers can. */
static void what_is_no_segment_is_refused(void)
{
    enum {
        MAGIC = 0,
        VERSION = 4,
        READERS = 6,
        NUMBER = 40,
        SEALED = LOG_SEGMENT_HEAD_SIZE + 2 * LOG_SEGMENT_READER_SIZE
    };
    static const struct {
        size_t at;
        uint16_t value;
    } rows[] = { { MAGIC, 0 },
                 { VERSION, 0 },
                 { VERSION, 2 },
                 { READERS, 0 },
                 { READERS, 1 },
                 { READERS, 3 },
                 { READERS, LOG_READER_COUNT_MAX + 1 },
                 { READERS, UINT16_MAX },
                 { NUMBER, 0 },
                 { SEALED, 0 },
                 { SEALED, AEAD_TAG_SIZE - 1 },
                 { SEALED, UINT16_MAX } };
    AUTO_BUFFER struct buffer text;
    struct log_segment segment;
    struct error error;
    buffer_init(&text, 1 << 16);
    seal(&text, 7, NULL);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        uint8_t kept[2], *at = text.data + rows[i].at;
        memcpy(kept, at, sizeof(kept));
        at[0] = (uint8_t)rows[i].value;
        at[1] = (uint8_t)(rows[i].value >> 8);
        CHECK_NOTE(!log_segment_view(&segment, buffer_view(&text), &error) &&
                       error.code == ERROR_CORRUPT,
                   "row %zu", i);
        memcpy(at, kept, sizeof(kept));
    }
    CHECK(log_segment_view(&segment, buffer_view(&text), &error));
    /* whole in itself, and sealed by nobody */
    text.size = SEALED + 4 + AEAD_TAG_SIZE - 1;
    text.data[SEALED] = AEAD_TAG_SIZE - 1;
    text.data[SEALED + 1] = 0;
    CHECK(!log_segment_view(&segment, buffer_view(&text), &error));
}

static const struct test tests[] = {
    TEST(what_is_no_segment_is_refused), TEST(every_reader_opens_it), TEST(every_change_is_noticed),
    TEST(chains_show_what_is_missing),   TEST(keeps_its_limits),
};
TEST_MAIN(tests)
