/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/sgx.h"

#include "core/hex.h"
#include "core/writer.h"
#include "tests/harness.h"

#include <string.h>

enum {
    STREAM_SIZE_MAX = 16384
};

/* A stream under construction, and what of it must be hashed. */
struct stream {
    uint8_t bytes[STREAM_SIZE_MAX];
    struct writer whole;
    struct hash *hash;
};

static void put(struct stream *stream, struct bytes bytes, bool is_measured)
{
    write_bytes(&stream->whole, bytes);
    if (is_measured)
        hash_update(stream->hash, bytes);
}

static void put_record(struct stream *stream, const char tag[8], uint64_t number, uint32_t first,
                       bool is_measured)
{
    uint8_t record[64];
    struct writer writer = writer_into(record, sizeof(record));
    write_bytes(&writer, bytes_of(tag, 8));
    if (strcmp(tag, "ECREATE") == 0)
        write_u32_le(&writer, first);
    write_u64_le(&writer, number);
    if (strcmp(tag, "EADD") == 0)
        write_u32_le(&writer, first);
    write_zeros(&writer, sizeof(record) - writer.size);
    put(stream, BYTES_OF(record), is_measured);
}

static void put_chunk(struct stream *stream, uint64_t offset, uint8_t fill, bool is_measured)
{
    uint8_t content[256];
    memset(content, fill, sizeof(content));
    put_record(stream, is_measured ? "EEXTEND" : "UNMEASRD", offset, 0, is_measured);
    put(stream, BYTES_OF(content), is_measured);
}

static void stream_make(struct stream *stream)
{
    stream->whole = writer_into(stream->bytes, sizeof(stream->bytes));
    stream->hash = hash_new(HASH_SHA256);
    put_record(stream, "ECREATE", 0x10000, 1, true);
    put_record(stream, "EADD\0\0\0", 0, 0x100, true);
    for (unsigned i = 0; i < 16; i++)
        put_chunk(stream, i * 256, (uint8_t)i, true);
    put_record(stream, "EADD\0\0\0", 0x1000, 0x203, true);
    put_chunk(stream, 0x1000, 7, true);
    put_chunk(stream, 0x1100, 8, false);
}

static void stream_done(struct stream *stream)
{
    hash_free(stream->hash);
}
#define AUTO_STREAM __attribute__((cleanup(stream_done)))

static bool measure(struct sgx_measurement *measurement, struct bytes stream)
{
    struct error error = { 0 };
    bool is_measured = sgx_measure(measurement, stream, &error);
    CHECK(is_measured || (error.code == ERROR_INVALID && error.text[0] != '\0'));
    return is_measured;
}

static void measures_what_is_measured(void)
{
    AUTO_STREAM struct stream stream;
    struct sgx_measurement measurement;
    stream_make(&stream);
    struct digest32 expected = hash_finish32(stream.hash);
    REQUIRE(measure(&measurement, writer_view(&stream.whole)));
    CHECK(digest32_equal(&measurement.mr_enclave, &expected));
    CHECK_NUMBER(measurement.size, 0x10000);
    CHECK_NUMBER(measurement.ssa_frame_size, 1);
    CHECK_NUMBER(measurement.page_count, 2);
    CHECK_NUMBER(measurement.measured_chunk_count, 17);
    CHECK_NUMBER(measurement.unmeasured_chunk_count, 1);
}

static void ignores_only_what_is_not_measured(void)
{
    AUTO_STREAM struct stream stream;
    struct sgx_measurement measurement, changed;
    stream_make(&stream);
    struct bytes whole = writer_view(&stream.whole);
    REQUIRE(measure(&measurement, whole));
    for (size_t at = 0; at < whole.size; at += 5) {
        stream.bytes[at] ^= 4;
        bool is_unmeasured = at >= whole.size - 256;
        if (measure(&changed, whole) && at < whole.size - 320)
            CHECK_NOTE(!digest32_equal(&changed.mr_enclave, &measurement.mr_enclave), "at %zu", at);
        if (is_unmeasured)
            CHECK(digest32_equal(&changed.mr_enclave, &measurement.mr_enclave));
        stream.bytes[at] ^= 4;
    }
}

static void refuses_cut_and_odd_streams(void)
{
    AUTO_STREAM struct stream stream;
    struct sgx_measurement measurement;
    stream_make(&stream);
    struct bytes whole = writer_view(&stream.whole);
    for (size_t size = 0; size < whole.size; size++) {
        bool is_boundary = measure(&measurement, bytes_part(whole, 0, size));
        CHECK_NOTE(!is_boundary || size % 64 == 0, "%zu", size);
    }
    static const struct {
        const char *tag;
        uint64_t number;
        uint64_t page; /* added first; UINT64_MAX: none */
        uint64_t chunk;
    } rows[] = {
        { "ECREATE", 0x3000, 0, 0 },              /* no power of two */
        { "ECREATE", 0x1000, 0, 0 },              /* one page */
        { "UNSIZED", 0x10000, 0, 0 },             /* not fixed yet */
        { "ECREATE", 0x10000, 0x10000, 0x10000 }, /* page outside */
        { "ECREATE", 0x10000, 0x800, 0x800 },     /* page not aligned */
        { "ECREATE", 0x10000, 0, 0x1000 },        /* content of another page */
        { "ECREATE", 0x10000, 0, 0x80 },          /* content not aligned */
        { "ECREATE", 0x10000, 0x2000, 0 },        /* content before its page */
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        stream.whole = writer_into(stream.bytes, sizeof(stream.bytes));
        put_record(&stream, rows[i].tag, rows[i].number, 1, false);
        put_record(&stream, "EADD\0\0\0", rows[i].page, 0x203, false);
        put_chunk(&stream, rows[i].chunk, 1, true);
        CHECK_NOTE(!measure(&measurement, writer_view(&stream.whole)), "row %zu", i);
    }
    stream.whole = writer_into(stream.bytes, sizeof(stream.bytes));
    put_record(&stream, "ECREATE", 0x10000, 1, false);
    put_chunk(&stream, 0, 1, true); /* of no page */
    put_record(&stream, "EADD\0\0\0", 0, 0x203, false);
    CHECK(!measure(&measurement, writer_view(&stream.whole)));
    for (size_t at = 20; at < 64; at++) { /* ECREATE with more than a size */
        stream.whole = writer_into(stream.bytes, sizeof(stream.bytes));
        put_record(&stream, "ECREATE", 0x10000, 1, false);
        put_record(&stream, "EADD\0\0\0", 0, 0x203, false);
        CHECK(measure(&measurement, writer_view(&stream.whole)));
        stream.bytes[at] = 1;
        CHECK(!measure(&measurement, writer_view(&stream.whole)));
    }
    stream.whole = writer_into(stream.bytes, sizeof(stream.bytes));
    put_record(&stream, "ECREATE", 0x10000, 1, false);
    CHECK(!measure(&measurement, writer_view(&stream.whole)));
    put_record(&stream, "ECREATE", 0x10000, 1, false);
    CHECK(!measure(&measurement, writer_view(&stream.whole)));
}

static void says_what_is_wrong_with_a_stream(void)
{
    static const struct {
        const char *tag;    /* of the first record */
        const char *second; /* of a record behind the first page; NULL: none */
        size_t cut;
        const char *words;
    } rows[] = {
        { "UNSIZED", NULL, 0, "not fixed yet" },
        { "CREATE!", NULL, 0, "does not begin with" },
        { "ECREATE", "ETRACK\0", 0, "neither" },
        { "ECREATE", "EADD\1\0\0", 0, "neither" },
        { "ECREATE", "EEXTENDX", 0, "neither" },
        { "ECREATE", NULL, 1, "cut within a record" },
        { "ECREATE", "EEXTEND", 0, "cut within content" },
    };
    AUTO_STREAM struct stream stream = { .hash = hash_new(HASH_SHA256) };
    struct sgx_measurement measurement;
    struct error error;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        stream.whole = writer_into(stream.bytes, sizeof(stream.bytes));
        put_record(&stream, rows[i].tag, 0x10000, 1, false);
        put_record(&stream, "EADD\0\0\0", 0, 0x203, false);
        if (rows[i].second != NULL)
            put_record(&stream, rows[i].second, 0, 0, false);
        struct bytes whole = writer_view(&stream.whole);
        whole.size -= rows[i].cut;
        CHECK(!sgx_measure(&measurement, whole, &error));
        CHECK_NOTE(strstr(error.text, rows[i].words) != NULL, "row %zu: %s", i, error.text);
    }
    /* Its length alone: nothing of it is read. */
    CHECK(!sgx_measure(&measurement, bytes_of(stream.bytes, ENCLAVE_FILE_SIZE_MAX + 1), &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
}

static const struct test tests[] = {
    TEST(measures_what_is_measured),
    TEST(ignores_only_what_is_not_measured),
    TEST(refuses_cut_and_odd_streams),
    TEST(says_what_is_wrong_with_a_stream),
};
TEST_MAIN(tests)
