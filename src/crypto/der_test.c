/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/der.h"

#include "tests/harness.h"

#include <string.h>

/* Reads one value with a function and says whether all of it was well-formed. */
#define READS(bytes, call)                                                                         \
    __extension__({                                                                                \
        struct reader reader = reader_of(bytes);                                                   \
        (void)(call);                                                                              \
        read_end(&reader);                                                                         \
    })
#define DER(text) BYTES_LITERAL(text)

static void reads_lengths_in_their_shortest_form_only(void)
{
    uint8_t long_value[3 + 0x80] = { 0x04, 0x81, 0x80 };
    CHECK(READS(BYTES_OF(long_value), der_read(&reader, DER_OCTET_STRING)));
    CHECK(READS(DER("\x04\x01\x55"), der_read(&reader, DER_OCTET_STRING)));
    CHECK(READS(DER("\x04\x00"), der_read(&reader, DER_OCTET_STRING)));
    CHECK(!READS(DER("\x04\x81\x01\x55"), der_read(&reader, DER_OCTET_STRING)));
    CHECK(!READS(DER("\x04\x82\x00\x01\x55"), der_read(&reader, DER_OCTET_STRING)));
    CHECK(!READS(DER("\x04\x80\x55\x00\x00"), der_read(&reader, DER_OCTET_STRING)));
    CHECK(!READS(DER("\x04\x84\x00\x00\x00\x01\x55"), der_read(&reader, DER_OCTET_STRING)));
    CHECK(!READS(DER("\x04\xff\x55"), der_read(&reader, DER_OCTET_STRING)));
    CHECK(!READS(DER("\x04\x02\x55"), der_read(&reader, DER_OCTET_STRING)));
    CHECK(!READS(DER("\x04\x01\x55\x00"), der_read(&reader, DER_OCTET_STRING)));
    CHECK(!READS(DER("\x05\x01\x55"), der_read(&reader, DER_OCTET_STRING)));
    CHECK(!READS(DER("\x1f\x81\x01\x01\x55"), der_read(&reader, 0x1f)));
    CHECK(!READS(DER(""), der_read(&reader, DER_OCTET_STRING)));
}

static void reads_numbers_in_their_shortest_form_only(void)
{
    struct reader numbers =
        reader_of(DER("\x02\x01\x00\x02\x01\x7f\x02\x02\x00\xff\x02\x02\x01\x00"));
    CHECK_NUMBER(der_read_unsigned(&numbers, 1000), 0);
    CHECK_NUMBER(der_read_unsigned(&numbers, 1000), 127);
    CHECK_NUMBER(der_read_unsigned(&numbers, 255), 255);
    CHECK_NUMBER(der_read_unsigned(&numbers, 256), 256);
    CHECK(read_end(&numbers));
    CHECK(!READS(DER("\x02\x00"), der_read_unsigned(&reader, UINT64_MAX)));
    CHECK(!READS(DER("\x02\x01\x80"), der_read_unsigned(&reader, UINT64_MAX)));
    CHECK(!READS(DER("\x02\x02\x00\x7f"), der_read_unsigned(&reader, UINT64_MAX)));
    CHECK(!READS(DER("\x02\x01\x08"), der_read_unsigned(&reader, 7)));
    CHECK(READS(DER("\x02\x09\x00\xff\xff\xff\xff\xff\xff\xff\xff"),
                der_read_unsigned(&reader, UINT64_MAX)));
    CHECK(!READS(DER("\x02\x09\x01\xff\xff\xff\xff\xff\xff\xff\xff"),
                 der_read_unsigned(&reader, UINT64_MAX)));
    CHECK(READS(DER("\x0a\x01\x02"), der_read_enumerated(&reader, 2)));
    CHECK(!READS(DER("\x0a\x01\x02"), der_read_unsigned(&reader, 2)));
    CHECK(READS(DER("\x01\x01\xff"), der_read_boolean(&reader)));
    CHECK(READS(DER("\x01\x01\x00"), der_read_boolean(&reader)));
    CHECK(!READS(DER("\x01\x01\x01"), der_read_boolean(&reader)));
    CHECK(!READS(DER("\x01\x02\xff\xff"), der_read_boolean(&reader)));
    CHECK(READS(DER("\x03\x02\x00\x55"), der_read_bits(&reader)));
    CHECK(!READS(DER("\x03\x02\x01\x54"), der_read_bits(&reader)));
    CHECK(!READS(DER("\x03\x00"), der_read_bits(&reader)));
}

static int64_t time_of(uint8_t tag, const char *text, bool *is_good)
{
    struct bytes content = bytes_of_string(text);
    uint8_t space[32] = { tag, (uint8_t)content.size };
    memcpy(space + 2, content.data, content.size);
    struct reader reader = reader_of(bytes_of(space, 2 + content.size));
    int64_t time_s = der_read_time(&reader);
    *is_good = read_end(&reader);
    return time_s;
}

static void reads_times(void)
{
    static const struct {
        uint8_t tag;
        const char *text;
        int64_t time_s;
    } good[] = {
        { DER_UTC_TIME, "700101000000Z", 0 },
        { DER_UTC_TIME, "491231235959Z", 2524607999 },
        { DER_UTC_TIME, "500101000000Z", -631152000 },
        { DER_UTC_TIME, "000229120000Z", 951825600 },
        { DER_GENERALIZED_TIME, "20500101000000Z", 2524608000 },
        { DER_GENERALIZED_TIME, "99991231235959Z", INT64_C(253402300799) },
    };
    static const struct {
        uint8_t tag;
        const char *text;
    } wrong[] = {
        { DER_UTC_TIME, "7001010000Z" },
        { DER_UTC_TIME, "700101000000" },
        { DER_UTC_TIME, "700101000000+0000" },
        { DER_UTC_TIME, "700001000000Z" },
        { DER_UTC_TIME, "701301000000Z" },
        { DER_UTC_TIME, "700100000000Z" },
        { DER_UTC_TIME, "700132000000Z" },
        { DER_UTC_TIME, "010229000000Z" },
        { DER_UTC_TIME, "700101240000Z" },
        { DER_UTC_TIME, "700101006000Z" },
        { DER_UTC_TIME, "700101000060Z" },
        { DER_UTC_TIME, "70010100000 Z" },
        { DER_GENERALIZED_TIME, "700101000000Z" },
        { DER_GENERALIZED_TIME, "20500101000000.5Z" },
        { DER_GENERALIZED_TIME, "21000229000000Z" },
        { DER_OCTET_STRING, "700101000000Z" },
    };
    bool is_good;
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        CHECK_NUMBER(time_of(good[i].tag, good[i].text, &is_good), good[i].time_s);
        CHECK(is_good);
    }
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        time_of(wrong[i].tag, wrong[i].text, &is_good);
        CHECK_NOTE(!is_good, "%s", wrong[i].text);
    }
}

static void writes_what_it_reads(void)
{
    static const size_t sizes[] = { 0, 1, 0x7f, 0x80, 0xff, 0x100, 0x1000 };
    static uint8_t content[0x1000];
    static uint8_t space[0x2000];
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        struct bytes value = bytes_of(content, sizes[i]);
        struct der_writer writer = der_writer_into(space, sizeof(space));
        der_open(&writer, DER_SEQUENCE);
        der_write(&writer, DER_OCTET_STRING, value);
        der_write_unsigned(&writer, sizes[i]);
        der_write_time(&writer, (int64_t)sizes[i] * 1000000);
        der_write_boolean(&writer, true);
        der_write_enumerated(&writer, 2);
        der_write_bits(&writer, bytes_of(content, 3));
        der_close(&writer);
        struct reader outer = reader_of(der_writer_view(&writer));
        struct reader reader = der_enter(&outer, DER_SEQUENCE);
        CHECK_BYTES(der_read(&reader, DER_OCTET_STRING), value);
        CHECK_NUMBER(der_read_unsigned(&reader, UINT64_MAX), sizes[i]);
        CHECK_NUMBER(der_read_time(&reader), (int64_t)sizes[i] * 1000000);
        CHECK(der_read_boolean(&reader));
        CHECK_NUMBER(der_read_enumerated(&reader, 2), 2);
        CHECK_NUMBER(der_read_bits(&reader).size, 3);
        CHECK(read_end(&reader) && read_end(&outer));
    }
    for (int64_t day = 0; day < 200000; day += 17) {
        struct der_writer writer = der_writer_into(space, sizeof(space));
        der_write_time(&writer, day * 86400 + 86399);
        struct reader reader = reader_of(der_writer_view(&writer));
        CHECK_NUMBER(der_read_time(&reader), day * 86400 + 86399);
    }
}

static void writes_nothing_when_it_does_not_fit(void)
{
    uint8_t space[8];
    for (size_t capacity = 0; capacity < sizeof(space); capacity++) {
        struct der_writer writer = der_writer_into(space, capacity);
        der_open(&writer, DER_SEQUENCE);
        der_write(&writer, DER_OCTET_STRING, DER("\x01\x02\x03"));
        der_close(&writer);
        CHECK_NUMBER(der_writer_view(&writer).size, capacity < 7 ? 0 : 7);
    }
}

static const struct test tests[] = {
    TEST(reads_lengths_in_their_shortest_form_only),
    TEST(reads_numbers_in_their_shortest_form_only),
    TEST(reads_times),
    TEST(writes_what_it_reads),
    TEST(writes_nothing_when_it_does_not_fit),
};
TEST_MAIN(tests)
