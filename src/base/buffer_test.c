/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"
#include "tests/harness.h"

#include <string.h>

static void grows(void)
{
    AUTO_BUFFER struct buffer buffer;
    buffer_init(&buffer, 1 << 20);
    for (unsigned i = 0; i < 10000; i++)
        buffer_format(&buffer, "%u,", i % 10);
    CHECK(!buffer.failed);
    CHECK_NUMBER(buffer.size, 20000);
    CHECK(memcmp(buffer.data, "0,1,2,3,", 8) == 0);
    buffer_consume(&buffer, 19996);
    CHECK_BYTES(buffer_view(&buffer), BYTES_LITERAL("8,9,"));
}

static void limit_holds_and_sticks(void)
{
    AUTO_BUFFER struct buffer buffer;
    buffer_init(&buffer, 5);
    buffer_append_string(&buffer, "abc");
    buffer_append_string(&buffer, "def");
    CHECK(buffer.failed);
    buffer_append_string(&buffer, "d");
    CHECK_BYTES(buffer_view(&buffer), BYTES_LITERAL("abc"));
    CHECK(buffer_reserve(&buffer, 1) == NULL);
    buffer_clear(&buffer);
    buffer_append_string(&buffer, "12345");
    CHECK(!buffer.failed);
    CHECK_BYTES(buffer_view(&buffer), BYTES_LITERAL("12345"));
}

static void formats_long_text(void)
{
    AUTO_BUFFER struct buffer buffer;
    char text[1000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    buffer_init(&buffer, 999);
    buffer_format(&buffer, "%s", text);
    CHECK(!buffer.failed);
    CHECK_BYTES(buffer_view(&buffer), bytes_of_string(text));
    buffer_format(&buffer, "%s", text);
    CHECK(buffer.failed);
}

static void reserve_does_not_change_size(void)
{
    AUTO_BUFFER struct buffer buffer;
    buffer_init(&buffer, 100);
    uint8_t *room = buffer_reserve(&buffer, 100);
    REQUIRE(room != NULL);
    memset(room, 7, 100);
    CHECK(buffer.size == 0);
    buffer.size = 100;
    CHECK(buffer_reserve(&buffer, SIZE_MAX) == NULL);
}

static void empty_buffers_work(void)
{
    AUTO_BUFFER struct buffer buffer;
    buffer_init(&buffer, 0);
    buffer_append(&buffer, (struct bytes){ 0 });
    buffer_consume(&buffer, 0);
    CHECK(!buffer.failed);
    buffer_append_string(&buffer, "a");
    CHECK(buffer.failed);
    buffer_done(NULL);
}

static const struct test tests[] = { TEST(grows), TEST(limit_holds_and_sticks),
                                     TEST(formats_long_text), TEST(reserve_does_not_change_size),
                                     TEST(empty_buffers_work) };
TEST_MAIN(tests)
