/* SPDX-License-Identifier: Apache-2.0 */
#include "outbound/dns.h"
#include "tests/harness.h"

#include <string.h>

static const struct dns_question asked = { 0x1234, DNS_TYPE_A, "a.example" };

static struct writer head_into(void *space, size_t size, uint16_t flags, uint16_t count)
{
    struct writer writer = writer_into(space, size);
    write_u16_be(&writer, 0x1234);
    write_u16_be(&writer, flags);
    write_u16_be(&writer, 1);
    write_u16_be(&writer, count);
    write_u32_be(&writer, 0);
    write_bytes(&writer, BYTES_LITERAL("\1A\7example\0\0\1\0\1")); /* case does not matter */
    return writer;
}

static void record_write(struct writer *writer, struct bytes owner, uint16_t type,
                         struct bytes data)
{
    write_bytes(writer, owner);
    write_u16_be(writer, type);
    write_u16_be(writer, 1);
    write_u32_be(writer, 60);
    write_u16_be(writer, (uint16_t)data.size);
    write_bytes(writer, data);
}

#define OWNER     BYTES_LITERAL("\xc0\x0c")
#define ADDRESS_1 BYTES_LITERAL("\1\2\3\4")

static void asks_as_the_rfc_says(void)
{
    uint8_t space[64];
    struct writer writer = writer_into(space, sizeof(space));
    dns_question_write(&writer, &asked);
    CHECK_BYTES(writer_view(&writer),
                BYTES_LITERAL("\x12\x34\1\0\0\1\0\0\0\0\0\1\1a\7example\0\0\1\0\1"
                              "\0\0\x29\x04\xd0\0\0\0\0\0\0"));
}

static void reads_addresses(void)
{
    uint8_t space[256];
    struct dns_answer answer;
    struct writer writer = head_into(space, sizeof(space), 0x8180, 3);
    record_write(&writer, OWNER, DNS_TYPE_A, ADDRESS_1);
    record_write(&writer, BYTES_LITERAL("\1b\xc0\x0e"), DNS_TYPE_A, BYTES_LITERAL("\5\5\5\5"));
    record_write(&writer, OWNER, DNS_TYPE_A, BYTES_LITERAL("\5\6\7\x8"));
    REQUIRE(dns_answer_read(&answer, &asked, writer_view(&writer)) == DNS_ANSWERED);
    CHECK_NUMBER(answer.count, 2);
    CHECK_BYTES(bytes_of(answer.addresses[1].bytes, 4), BYTES_LITERAL("\5\6\7\x8"));
    /* Another type's address is none. */
    writer = head_into(space, sizeof(space), 0x8180, 1);
    record_write(&writer, OWNER, DNS_TYPE_AAAA, BYTES_LITERAL("0123456789abcdef"));
    REQUIRE(dns_answer_read(&answer, &asked, writer_view(&writer)) == DNS_ANSWERED);
    CHECK_NUMBER(answer.count, 0);
}

static void follows_aliases(void)
{
    uint8_t space[512];
    struct dns_answer answer;
    /* In whatever order they come. */
    struct writer writer = head_into(space, sizeof(space), 0x8180, 3);
    record_write(&writer, BYTES_LITERAL("\1c\xc0\x0e"), DNS_TYPE_A, ADDRESS_1);
    record_write(&writer, BYTES_LITERAL("\1b\xc0\x0e"), 5, BYTES_LITERAL("\1C\xc0\x0e"));
    record_write(&writer, OWNER, 5, BYTES_LITERAL("\1b\xc0\x0e"));
    REQUIRE(dns_answer_read(&answer, &asked, writer_view(&writer)) == DNS_ANSWERED);
    CHECK_NUMBER(answer.count, 1);
    /* Round in circles. */
    writer = head_into(space, sizeof(space), 0x8180, 2);
    record_write(&writer, BYTES_LITERAL("\1b\xc0\x0e"), 5, OWNER);
    record_write(&writer, OWNER, 5, BYTES_LITERAL("\1b\xc0\x0e"));
    CHECK(dns_answer_read(&answer, &asked, writer_view(&writer)) == DNS_FAILED);
}

static void knows_what_is_no_answer(void)
{
    uint8_t space[256];
    struct dns_answer answer;
    struct writer writer = head_into(space, sizeof(space), 0x8180, 1);
    record_write(&writer, OWNER, DNS_TYPE_A, ADDRESS_1);
    struct bytes good = writer_view(&writer);
    struct dns_question other = asked;
    other.id = 1;
    CHECK(dns_answer_read(&answer, &other, good) == DNS_FOREIGN);
    other = asked;
    other.type = DNS_TYPE_AAAA;
    CHECK(dns_answer_read(&answer, &other, good) == DNS_FOREIGN);
    other = asked;
    other.name[0] = 'b';
    CHECK(dns_answer_read(&answer, &other, good) == DNS_FOREIGN);
    space[2] = 1; /* a question */
    CHECK(dns_answer_read(&answer, &asked, good) == DNS_FOREIGN);
    space[2] = 0x83; /* cut */
    CHECK(dns_answer_read(&answer, &asked, good) == DNS_CUT);
    space[2] = 0x81;
    space[3] = 0x83;
    CHECK(dns_answer_read(&answer, &asked, good) == DNS_NO_NAME);
    space[3] = 0x82;
    CHECK(dns_answer_read(&answer, &asked, good) == DNS_FAILED);
    space[3] = 0x80;
    CHECK(dns_answer_read(&answer, &asked, good) == DNS_ANSWERED);
}

static void refuses_pointers_forward(void)
{
    uint8_t space[256];
    struct dns_answer answer;
    struct writer writer = head_into(space, sizeof(space), 0x8180, 1);
    record_write(&writer, BYTES_LITERAL("\xc0\x1b"), DNS_TYPE_A, ADDRESS_1); /* itself */
    CHECK(dns_answer_read(&answer, &asked, writer_view(&writer)) == DNS_FAILED);
    writer = head_into(space, sizeof(space), 0x8180, 1);
    record_write(&writer, BYTES_LITERAL("\xc0\x30"), DNS_TYPE_A, ADDRESS_1);
    CHECK(dns_answer_read(&answer, &asked, writer_view(&writer)) == DNS_FAILED);
    writer = head_into(space, sizeof(space), 0x8180, 1);
    record_write(&writer, BYTES_LITERAL("\x40x"), DNS_TYPE_A, ADDRESS_1);
    CHECK(dns_answer_read(&answer, &asked, writer_view(&writer)) == DNS_FAILED);
    writer = head_into(space, sizeof(space), 0x8180, 1);
    record_write(&writer, OWNER, DNS_TYPE_A, BYTES_LITERAL("\1\2\3"));
    CHECK(dns_answer_read(&answer, &asked, writer_view(&writer)) == DNS_FAILED);
}

static void truncations_and_flips_never_crash(void)
{
    uint8_t space[512], copy[512];
    struct dns_answer answer;
    struct writer writer = head_into(space, sizeof(space), 0x8180, 3);
    record_write(&writer, OWNER, 5, BYTES_LITERAL("\1b\xc0\x0e"));
    record_write(&writer, BYTES_LITERAL("\1b\xc0\x0e"), DNS_TYPE_A, ADDRESS_1);
    record_write(&writer, BYTES_LITERAL("\1b\xc0\x0e"), DNS_TYPE_A, ADDRESS_1);
    struct bytes good = writer_view(&writer);
    for (size_t size = 0; size < good.size; size++)
        CHECK(dns_answer_read(&answer, &asked, bytes_part(good, 0, size)) != DNS_ANSWERED);
    for (size_t bit = 0; bit < 8 * good.size; bit++) {
        memcpy(copy, good.data, good.size);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (dns_answer_read(&answer, &asked, bytes_of(copy, good.size)) == DNS_ANSWERED)
            CHECK(answer.count <= 2);
    }
}

static const struct test tests[] = {
    TEST(asks_as_the_rfc_says),     TEST(reads_addresses),
    TEST(follows_aliases),          TEST(knows_what_is_no_answer),
    TEST(refuses_pointers_forward), TEST(truncations_and_flips_never_crash),
};
TEST_MAIN(tests)
