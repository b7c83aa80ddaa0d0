/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/binding.h"
#include "abi/call.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t room[4096];

static struct bytes sample(void)
{
    static const struct call_request requests[] = {
        { .call = CALL_KV_SET,
          .number_count = 1,
          .string_count = 3,
          .numbers = { 0x1122334455667788 },
          .strings = { { (const uint8_t *)"prices", 6 },
                       { (const uint8_t *)"neo", 3 },
                       { (const uint8_t *)"12.5", 4 } } },
        { .call = CALL_ABOUT },
    };
    struct writer writer = writer_into(room, sizeof(room));
    call_requests_write_begin(&writer);
    call_request_write(&writer, &requests[0]);
    call_request_write(&writer, &requests[1]);
    call_list_write_end(&writer, 2);
    return writer_view(&writer);
}

static void a_list_is_read_as_written(void)
{
    struct bytes list = sample();
    uint32_t count;
    struct call_request request;
    REQUIRE(call_requests_check(list, &count));
    CHECK_NUMBER(count, 2);
    CHECK_NUMBER(list.size, 16 + 8 + 8 + 12 + 13 + 7 + 8);
    struct reader reader = call_requests_begin(list);
    REQUIRE(call_request_next(&reader, &request));
    CHECK(request.call == CALL_KV_SET && request.numbers[0] == 0x1122334455667788);
    CHECK_BYTES(request.strings[0], BYTES_LITERAL("prices"));
    CHECK_BYTES(request.strings[2], BYTES_LITERAL("12.5"));
    CHECK(call_request_fits(&request, call_row_find(CALL_KV_SET)));
    CHECK(!call_request_fits(&request, call_row_find(CALL_KV_GET)));
    REQUIRE(call_request_next(&reader, &request));
    CHECK(request.call == CALL_ABOUT && request.record.size == 8);
    CHECK(!call_request_next(&reader, &request));
}

/* docs/abi.md's example, byte for byte. */
static void bytes_are_the_documented_ones(void)
{
    static const uint8_t expected[] = {
        'S', 'C', 'Q', '1', 48,  0,   0,   0,   1,   0, 0, 0, 0, 0, 0, 0,
        32,  0,   0,   0,   1,   0,   0,   2,   6,   0, 0, 0, 3, 0, 0, 0,
        'p', 'r', 'i', 'c', 'e', 's', 'n', 'e', 'o', 0, 0, 0, 0, 0, 0, 0,
    };
    const struct call_request request = { .call = CALL_KV_GET,
                                          .string_count = 2,
                                          .strings = { BYTES_LITERAL("prices"),
                                                       BYTES_LITERAL("neo") } };
    struct writer writer = writer_into(room, sizeof(room));
    call_requests_write_begin(&writer);
    call_request_write(&writer, &request);
    call_list_write_end(&writer, 1);
    CHECK_BYTES(writer_view(&writer), BYTES_OF(expected));
}

static void every_truncation_is_refused(void)
{
    struct bytes list = sample();
    uint32_t count;
    for (size_t size = 0; size < list.size; size++) {
        uint8_t *exact = malloc(size + 1);
        memcpy(exact, list.data, size);
        CHECK(!call_requests_check(bytes_of(exact, size), &count));
        if (size >= 8) { /* the size in the head changed too */
            exact[4] = (uint8_t)size;
            CHECK(!call_requests_check(bytes_of(exact, size), &count));
        }
        free(exact);
    }
}

static void flips_are_refused_or_harmless(void)
{
    struct bytes list = sample();
    for (size_t at = 0; at < list.size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            uint8_t copy[256];
            uint32_t count = 0;
            memcpy(copy, list.data, list.size);
            copy[at] ^= (uint8_t)(1u << bit);
            if (!call_requests_check(bytes_of(copy, list.size), &count))
                continue;
            CHECK(count == 2);
            struct reader reader = call_requests_begin(bytes_of(copy, list.size));
            struct call_request request;
            CHECK(call_request_next(&reader, &request) && call_request_next(&reader, &request));
        }
    }
}

static void counts_have_limits(void)
{
    uint32_t count;
    struct writer writer = writer_into(room, sizeof(room));
    const struct call_request request = { .call = CALL_ABOUT };
    call_requests_write_begin(&writer);
    call_list_write_end(&writer, 0);
    CHECK(!call_requests_check(writer_view(&writer), &count));
    writer = writer_into(room, sizeof(room));
    call_requests_write_begin(&writer);
    for (unsigned i = 0; i < CALL_COUNT_MAX; i++)
        call_request_write(&writer, &request);
    call_list_write_end(&writer, CALL_COUNT_MAX);
    CHECK(call_requests_check(writer_view(&writer), &count) && count == CALL_COUNT_MAX);
    call_request_write(&writer, &request);
    call_list_write_end(&writer, CALL_COUNT_MAX + 1);
    CHECK(!call_requests_check(writer_view(&writer), &count));
}

static void answers_are_read_as_written(void)
{
    struct writer writer = writer_into(room, sizeof(room));
    uint32_t count;
    struct call_answer answer;
    call_answers_write_begin(&writer);
    call_answer_write(&writer, 5, BYTES_LITERAL("hello"), 5);
    call_answer_write(&writer, CALL_ERROR_DENIED, BYTES_LITERAL("no"), 1000);
    call_list_write_end(&writer, 2);
    struct bytes list = writer_view(&writer);
    REQUIRE(call_answers_check(list, &count));
    CHECK_NUMBER(count, 2);
    struct reader reader = call_answers_begin(list);
    REQUIRE(call_answer_next(&reader, &answer));
    CHECK(answer.value == 5 && answer.total_size == 5);
    CHECK_BYTES(answer.data, BYTES_LITERAL("hello"));
    REQUIRE(call_answer_next(&reader, &answer));
    CHECK(answer.value == CALL_ERROR_DENIED && answer.total_size == 1000);
    CHECK(!call_requests_check(list, &count));
    for (size_t size = 0; size < list.size; size++)
        CHECK(!call_answers_check(bytes_part(list, 0, size), &count));
}

/* What the shape says, as BINDINGS would spell it. */
static void types_follow_from_shapes(void)
{
    static const struct {
        const char *name, *type, *shape;
    } rows[] = {
#define TYPE_ROW(number, name, field, type, shape, permission, scope, idempotent)                  \
    { field, type, shape },
        CALLS(TYPE_ROW)
#undef TYPE_ROW
    };
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        char type[32] = "";
        size_t size = 0;
        const char *at = rows[i].shape;
        for (; *at != '>'; at++) {
            type[size++] = *at == 'N' ? 'I' : 'i';
            if (*at == 's')
                type[size++] = 'i';
        }
        snprintf(type + size, sizeof(type) - size, "%s", at[1] == 's' ? "ii>I" : ">I");
        CHECK_STRING(type, rows[i].type);
        CHECK(call_row_of_name(bytes_of_string(rows[i].name)) == &call_rows[i]);
    }
}

/* Whether the text holds the row "| `name` | " somewhere. */
static bool has_row(struct bytes text, const char *name)
{
    char wanted[64];
    int size = snprintf(wanted, sizeof(wanted), "\n| `%s` | `(", name);
    for (size_t i = 0; i + (size_t)size <= text.size; i++)
        if (memcmp(text.data + i, wanted, (size_t)size) == 0)
            return true;
    return false;
}

/* What the table has is an import, and explained. */
static void imports_are_bound_and_documented(void)
{
    static const struct {
        const char *module, *field, *type;
    } bindings[] = {
#define BINDING_ROW(name, module, field, type) { module, field, type },
        BINDINGS(BINDING_ROW)
#undef BINDING_ROW
    };
    static const char *const types[] = {
#define TYPE_OF(number, name, field, type, shape, permission, scope, idempotent) type,
        CALLS(TYPE_OF)
#undef TYPE_OF
    };
    struct bytes text = test_file("docs/abi.md");
    for (unsigned i = 0; i < ARRAY_COUNT(types); i++) {
        bool is_bound = false;
        for (unsigned j = 0; j < ARRAY_COUNT(bindings); j++)
            is_bound = is_bound || (strcmp(bindings[j].module, BINDING_S3N) == 0 &&
                                    strcmp(bindings[j].field, call_rows[i].name) == 0 &&
                                    strcmp(bindings[j].type, types[i]) == 0);
        CHECK_NOTE(is_bound, "%s", call_rows[i].name);
    }
    for (unsigned j = 0; j < ARRAY_COUNT(bindings); j++)
        if (strcmp(bindings[j].module, BINDING_S3N) == 0)
            CHECK_NOTE(has_row(text, bindings[j].field), "%s", bindings[j].field);
}

static void errors_have_texts(void)
{
    for (int64_t value = CALL_ERROR_LEAST; value < 0; value++)
        CHECK(strcmp(call_error_text(value), "unknown error") != 0);
    CHECK_STRING(call_error_text(CALL_ERROR_LEAST - 1), "unknown error");
    CHECK_STRING(call_error_text(0), "unknown error");
}

static const struct test tests[] = {
    TEST(a_list_is_read_as_written),   TEST(bytes_are_the_documented_ones),
    TEST(every_truncation_is_refused), TEST(flips_are_refused_or_harmless),
    TEST(counts_have_limits),          TEST(answers_are_read_as_written),
    TEST(types_follow_from_shapes),    TEST(imports_are_bound_and_documented),
    TEST(errors_have_texts),
};
TEST_MAIN(tests)
