/* SPDX-License-Identifier: Apache-2.0 */
#include "core/writer.h"
#include "tests/harness.h"

static void writes_in_both_orders(void)
{
    uint8_t data[16];
    struct writer writer = writer_into(data, sizeof(data));
    write_u8(&writer, 1);
    write_u16_le(&writer, 0x0203);
    write_u32_be(&writer, 0x04050607);
    write_bytes(&writer, BYTES_LITERAL("hi"));
    write_zeros(&writer, 1);
    CHECK_BYTES(writer_view(&writer), BYTES_LITERAL("\x01\x03\x02\x04\x05\x06\x07hi\0"));
}

static void measures_what_does_not_fit(void)
{
    uint8_t data[3] = { 7, 7, 7 };
    struct writer writer = writer_into(data, sizeof(data));
    write_u64_le(&writer, 1);
    write_u8(&writer, 1);
    CHECK(writer.failed);
    CHECK(writer.size == 9);
    CHECK(writer_view(&writer).size == 0);
    CHECK(data[0] == 7);
}

static const struct test tests[] = { TEST(writes_in_both_orders),
                                     TEST(measures_what_does_not_fit) };
TEST_MAIN(tests)
