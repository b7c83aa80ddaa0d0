/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/engine.h"
#include "tests/harness.h"

#include <string.h>

enum {
    SIZE = 16384
};

static _Alignas(4096) uint8_t memory[SIZE];
static struct error error;

static void lays_out_a_request(void)
{
    static const char *const arguments[] = { "name", "-v", NULL };
    static const char *const environment[] = { "A=1", NULL };
    struct mailbox_request request = { .arguments = arguments,
                                       .environment = environment,
                                       .input = BYTES_LITERAL("body"),
                                       .input_capacity = 100,
                                       .errors_capacity = 1000 };
    const struct mailbox *mailbox = (const struct mailbox *)(const void *)memory;
    REQUIRE(mailbox_prepare(memory, SIZE, &request, &error));
    CHECK_NUMBER(mailbox->magic, MAILBOX_MAGIC);
    CHECK_NUMBER(mailbox->arguments.count, 2);
    CHECK_BYTES(bytes_of(memory + mailbox->arguments.offset, mailbox->arguments.size),
                BYTES_LITERAL("name\0-v\0"));
    CHECK_BYTES(bytes_of(memory + mailbox->environment.offset, mailbox->environment.size),
                BYTES_LITERAL("A=1\0"));
    CHECK_BYTES(bytes_of(memory + mailbox->input.offset, mailbox->input.size),
                BYTES_LITERAL("body"));
    CHECK_NUMBER(mailbox->input.capacity, 100);
    CHECK_NUMBER(mailbox->errors.capacity, 1000);
    CHECK_NUMBER(mailbox->output.size, 0);
    CHECK_NUMBER(mailbox->output.offset, mailbox->input.offset + mailbox->input.capacity);
    CHECK_NUMBER(mailbox->output.offset + mailbox->output.capacity, mailbox->errors.offset);
    CHECK_NUMBER(mailbox->errors.offset + mailbox->errors.capacity, SIZE);
}

/* What is foretold lies with the request, which is moved and wiped as one; what is made, last. */
static void makes_room_for_calls_inside(void)
{
    struct mailbox_request request = { .input = BYTES_LITERAL("odd"),
                                       .errors_capacity = 1000,
                                       .calls_capacity = 2000,
                                       .foretold = BYTES_LITERAL("12345678"),
                                       .made_capacity = 3000 };
    const struct mailbox *mailbox = (const struct mailbox *)(const void *)memory;
    REQUIRE(mailbox_prepare(memory, SIZE, &request, &error));
    CHECK(mailbox->foretold.offset >= mailbox->input.offset + mailbox->input.capacity);
    CHECK_NUMBER(mailbox->foretold.offset % 8, 0);
    CHECK_BYTES(bytes_of(memory + mailbox->foretold.offset, mailbox->foretold.size),
                BYTES_LITERAL("12345678"));
    CHECK_NUMBER(mailbox->output.offset, mailbox->foretold.offset + 8);
    CHECK(mailbox->made.capacity == 3000 && mailbox->made.size == 0);
    CHECK_NUMBER(mailbox->errors.offset + mailbox->errors.capacity, mailbox->made.offset);
    CHECK_NUMBER(mailbox->made.offset + mailbox->made.capacity, mailbox->calls.offset);
    CHECK_NUMBER(mailbox->calls.offset + mailbox->calls.capacity, SIZE);
    request.made_capacity = SIZE - 3000;
    CHECK(!mailbox_prepare(memory, SIZE, &request, &error));
    request.made_capacity = UINT32_MAX;
    CHECK(!mailbox_prepare(memory, SIZE, &request, &error));
}

static void refuses_what_does_not_fit(void)
{
    static uint8_t body[SIZE];
    struct mailbox_request request = { .input = BYTES_OF(body) };
    memset(memory, 7, sizeof(memory));
    CHECK(!mailbox_prepare(memory, SIZE, &request, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    CHECK_NUMBER(memory[0], 7); /* the header is written last */
    request.input.size = SIZE - sizeof(struct mailbox);
    CHECK(mailbox_prepare(memory, SIZE, &request, &error));
    request.errors_capacity = 1;
    CHECK(!mailbox_prepare(memory, SIZE, &request, &error));
}

static void views_stay_inside(void)
{
    struct bytes view;
    struct mailbox_area area = { .offset = SIZE - 10, .size = 10 };
    CHECK(mailbox_area_view(memory, SIZE, &area, &view));
    CHECK_NUMBER(view.size, 10);
    area.size = 11;
    CHECK(!mailbox_area_view(memory, SIZE, &area, &view));
    area = (struct mailbox_area){ .offset = SIZE + 1, .size = 0 };
    CHECK(!mailbox_area_view(memory, SIZE, &area, &view));
    area = (struct mailbox_area){ .offset = 0, .size = 4 };
    CHECK(!mailbox_area_view(memory, SIZE, &area, &view));
    area = (struct mailbox_area){ .offset = UINT32_MAX, .size = UINT32_MAX };
    CHECK(!mailbox_area_view(memory, SIZE, &area, &view));
}

static const struct test tests[] = { TEST(lays_out_a_request), TEST(makes_room_for_calls_inside),
                                     TEST(refuses_what_does_not_fit), TEST(views_stay_inside) };
TEST_MAIN(tests)
