/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/foretold.h"

#include "guest/memory.h"

static struct {
    bool is_over;           /* a call has left */
    uint64_t answered_size; /* of all answers */
} foretold;

void foretold_begin(void)
{
    foretold.is_over = false;
    foretold.answered_size = 0;
}

void foretold_end(void)
{
    foretold.is_over = true;
}

/* Notes the request as made; false: there is no room. */
static bool made_add(struct bytes record)
{
    struct mailbox_area *made = &guest.mailbox->made;
    uint8_t *list = (uint8_t *)guest.mailbox + made->offset;
    uint64_t size = MAX(made->size, (uint32_t)CALL_LIST_HEAD_SIZE);
    if (size > made->capacity || record.size > made->capacity - size ||
        made->count >= CALL_COUNT_MAX)
        return false;
    copy_bytes(list + size, record.data, record.size);
    made->size = (uint32_t)(size + record.size);
    made->count++;
    store_u32(list, CALL_REQUESTS_MAGIC);
    store_u32(list + 4, made->size);
    store_u32(list + 8, made->count);
    store_u32(list + 12, 0);
    return true;
}

/* One of what was foretold. */
struct pair {
    struct call_request request;
    struct call_answer answer;
};

static struct reader pairs_begin(void)
{
    struct mailbox_area area = guest.mailbox->foretold;
    return reader_of(bytes_of((const uint8_t *)guest.mailbox + area.offset, area.size));
}

static bool pair_next(struct reader *reader, struct pair *pair)
{
    return reader_left(reader) > 0 && call_request_next(reader, &pair->request) &&
           call_answer_next(reader, &pair->answer);
}

/* Empty: nothing was. */
static struct bytes answer_of(struct bytes record)
{
    struct reader reader = pairs_begin();
    struct pair pair;
    while (pair_next(&reader, &pair))
        if (bytes_equal(pair.request.record, record))
            return pair.answer.record;
    return (struct bytes){ 0 };
}

/* What was foretold of this key holds no longer: no request has the number 0. */
static void key_forget(const struct call_request *set)
{
    struct reader reader = pairs_begin();
    struct pair pair;
    while (pair_next(&reader, &pair)) {
        if (pair.request.string_count >= 2 &&
            bytes_equal(pair.request.strings[0], set->strings[0]) &&
            bytes_equal(pair.request.strings[1], set->strings[1]))
            store_u16((uint8_t *)(uint64_t)pair.request.record.data + 4, 0);
    }
}

static bool is_set(const struct call_request *request)
{
    const struct call_row *row = call_row_find(CALL_KV_SET);
    return request->call == CALL_KV_SET && call_request_fits(request, row);
}

uint64_t foretold_answer(uint8_t *area, uint64_t size)
{
    static const uint8_t done[CALL_ANSWER_HEAD_SIZE] = { CALL_ANSWER_HEAD_SIZE };
    struct bytes list = bytes_of(area, size), answer;
    struct call_request request;
    uint32_t count;
    if (foretold.is_over || guest.mailbox->made.capacity == 0 ||
        !call_requests_check(list, &count) || count != 1)
        return 0;
    struct reader reader = call_requests_begin(list);
    if (!call_request_next(&reader, &request))
        return 0;
    bool sets = is_set(&request);
    answer = sets ? BYTES_OF(done) : answer_of(request.record);
    /* The host's answers to all that was made in here have to fit one list. */
    if (answer.size == 0 || answer.size > CALL_AREA_SIZE / 2 - foretold.answered_size ||
        !made_add(request.record))
        return 0;
    foretold.answered_size += answer.size;
    if (sets)
        key_forget(&request);
    store_u32(area, CALL_ANSWERS_MAGIC);
    store_u32(area + 4, (uint32_t)(CALL_LIST_HEAD_SIZE + answer.size));
    copy_bytes(area + CALL_LIST_HEAD_SIZE, answer.data, answer.size);
    return CALL_LIST_HEAD_SIZE + answer.size;
}
