/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/made.h"

/* The record of the answer that the guest had; false: none that we know of. */
static bool given_find(struct bytes pairs, const struct call_request *request, struct bytes *given)
{
    static const uint8_t done[CALL_ANSWER_HEAD_SIZE] = { CALL_ANSWER_HEAD_SIZE };
    struct reader reader = reader_of(pairs);
    struct call_request foretold;
    struct call_answer answer;
    if (request->call == CALL_KV_SET) {
        *given = BYTES_OF(done);
        return true;
    }
    while (reader_left(&reader) > 0 && call_request_next(&reader, &foretold) &&
           call_answer_next(&reader, &answer)) {
        if (!bytes_equal(foretold.record, request->record))
            continue;
        *given = answer.record;
        return true;
    }
    return false;
}

bool made_check(struct bytes list, struct bytes pairs, uint32_t *count)
{
    struct call_request request;
    struct bytes given;
    uint32_t found;
    if (!call_requests_check(list, &found))
        return false;
    struct reader reader = call_requests_begin(list);
    for (uint32_t i = 0; i < found; i++)
        if (!call_request_next(&reader, &request) || !given_find(pairs, &request, &given))
            return false;
    *count = found;
    return true;
}

bool made_was_right(struct bytes list, struct bytes pairs, struct bytes answers)
{
    struct reader requests = call_requests_begin(list), reader = call_answers_begin(answers);
    struct call_request request;
    struct call_answer answer;
    struct bytes given;
    uint32_t made_count, count;
    if (!call_requests_check(list, &made_count) || !call_answers_check(answers, &count) ||
        count != made_count)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!call_request_next(&requests, &request) || !call_answer_next(&reader, &answer) ||
            !given_find(pairs, &request, &given) || !bytes_equal(answer.record, given))
            return false;
    return true;
}
