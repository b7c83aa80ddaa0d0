/* SPDX-License-Identifier: Apache-2.0 */
/* A list of calls made inside as any guest may leave it, against something foretold, and answers
 * that are anything: two bytes say where the list ends. */
#include "functions/made.h"
#include "fuzz/fuzz.h"

static struct bytes pairs_make(uint8_t *area, size_t size)
{
    const struct call_request request = { .call = CALL_KV_GET,
                                          .string_count = 2,
                                          .strings = { BYTES_LITERAL("a"), BYTES_LITERAL("k") } };
    struct writer writer = writer_into(area, size);
    call_request_write(&writer, &request);
    call_answer_write(&writer, 1, BYTES_LITERAL("5"), 1);
    return writer_view(&writer);
}

void fuzz_one(struct bytes input)
{
    uint8_t area[256];
    struct bytes pairs = pairs_make(area, sizeof(area));
    struct reader reader = reader_of(input);
    size_t size = read_u16_le(&reader);
    struct bytes list = read_bytes(&reader, MIN(size, reader_left(&reader)));
    struct bytes answers = read_rest(&reader);
    uint32_t count = 0, listed;
    bool is_ours = made_check(list, pairs, &count);
    if (is_ours)
        ASSERT(call_requests_check(list, &listed) && listed == count);
    if (is_ours && made_was_right(list, pairs, answers))
        ASSERT(call_answers_check(answers, &listed) && listed == count);
    /* Pairs are our own; but that they are must not matter either. */
    (void)!made_check(list, answers, &count);
    (void)!made_was_right(list, list, answers);
}
