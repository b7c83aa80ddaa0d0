/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/call.h"
#include "fuzz/fuzz.h"

/* What was accepted lies inside, and writing it again gives the same bytes. */
static void requests_check(struct bytes input, uint32_t count)
{
    static uint8_t again[1 << 20];
    struct reader reader = call_requests_begin(input);
    struct call_request request;
    struct writer writer = writer_into(again, sizeof(again));
    call_requests_write_begin(&writer);
    for (uint32_t i = 0; i < count; i++) {
        bool is_read = call_request_next(&reader, &request);
        ASSERT(is_read);
        call_request_write(&writer, &request);
    }
    call_list_write_end(&writer, count);
    ASSERT(bytes_equal(writer_view(&writer), input));
}

void fuzz_one(struct bytes input)
{
    uint32_t count;
    if (call_requests_check(input, &count))
        requests_check(input, count);
    if (!call_answers_check(input, &count))
        return;
    struct reader reader = call_answers_begin(input);
    struct call_answer answer;
    for (uint32_t i = 0; i < count; i++) {
        bool is_read = call_answer_next(&reader, &answer);
        ASSERT(is_read && answer.data.size <= answer.total_size);
    }
}
