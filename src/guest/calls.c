/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/calls.h"

#include "guest/foretold.h"
#include "guest/memory.h"

static struct {
    bool has_list;          /* answers stand in the area */
    bool has_more;          /* some of them were cut: the host has the rest */
    bool has_left;          /* the host answered the last list */
    enum call_error failed; /* of a call that did not get out, or whose list was one; 0: none */
    const char *text;       /* its text; NULL: the first answer's data */
} calls;

void calls_rewind(void)
{
    calls.has_list = calls.has_more = false;
    calls.failed = 0;
    calls.text = NULL;
}

int64_t calls_fail(enum call_error error, const char *text)
{
    calls.failed = error;
    calls.text = text != NULL ? text : call_error_text(error);
    return error;
}

/* NULL: the host gave no room for calls, as before the snapshot. */
static uint8_t *area_get(void)
{
    struct mailbox_area area = guest.mailbox->calls;
    return area.capacity >= CALL_AREA_SIZE ? (uint8_t *)guest.mailbox + area.offset : NULL;
}

/* A place that nothing is behind is allowed to be anywhere; an empty copy touches nothing. */
static void copy_some(void *to, const void *from, uint64_t size)
{
    if (size > 0)
        copy_bytes(to, from, size);
}

/* Leaves with `size` bytes of requests, unless the answer is here; size of the answers, 0: refused.
 */
static uint64_t area_call(uint8_t *area, uint64_t size)
{
    struct mailbox_area *used = &guest.mailbox->calls;
    if (used->size < size)
        used->size = (uint32_t)size;
    uint64_t answered = foretold_answer(area, size);
    calls.has_left = answered == 0;
    if (calls.has_left) {
        foretold_end();
        answered = guest_leave(GUEST_EXIT_CALL, (uint64_t)area, size);
    }
    if (used->size < answered)
        used->size = (uint32_t)MIN(answered, (uint64_t)CALL_AREA_SIZE);
    return answered <= CALL_AREA_SIZE ? answered : 0;
}

/* Answer `index` of the list in the area; false: there is none. */
static bool answer_at(const uint8_t *area, uint32_t index, struct call_answer *answer)
{
    uint32_t size = load_u32(area + 4), count = load_u32(area + 8);
    if (!calls.has_list || size > CALL_AREA_SIZE || index >= count)
        return false;
    struct reader reader = call_answers_begin(bytes_of(area, size));
    for (uint32_t i = 0; i <= index; i++)
        if (!call_answer_next(&reader, answer))
            return false;
    return true;
}

/* --- one call of an import --- */

/* Two slots: address and size. */
static bool string_at(const struct instance *instance, const uint64_t *slots, struct bytes *string)
{
    uint8_t *at;
    string->size = (uint32_t)slots[1];
    if (!memory_range(instance, (uint32_t)slots[0], string->size, &at))
        return false;
    string->data = at;
    return true;
}

struct marshal {
    struct bytes strings[CALL_STRINGS_MAX];
    uint64_t numbers[CALL_NUMBERS_MAX];
    uint32_t string_count, number_count;
    uint8_t *target; /* where bytes go */
    uint64_t capacity;
    bool gives_bytes;
};

/* Everything is checked before anything is called. */
static int64_t marshal_read(struct marshal *marshal, const struct instance *instance,
                            const char *shape, const uint64_t *slots)
{
    for (; *shape != '>'; shape++) {
        if (*shape != 's') {
            uint64_t number = *slots++;
            marshal->numbers[marshal->number_count++] = *shape == 'n' ? (uint32_t)number : number;
            continue;
        }
        if (!string_at(instance, slots, &marshal->strings[marshal->string_count++]))
            return calls_fail(CALL_ERROR_MEMORY, NULL);
        slots += 2;
    }
    marshal->gives_bytes = shape[1] == 's';
    if (!marshal->gives_bytes)
        return 0;
    marshal->capacity = (uint32_t)slots[1];
    if (!memory_range(instance, (uint32_t)slots[0], marshal->capacity, &marshal->target))
        return calls_fail(CALL_ERROR_MEMORY, NULL);
    return 0;
}

/* The list of this one request; 0: it has no room. */
static uint64_t marshal_write(const struct marshal *marshal, uint16_t number, uint8_t *area)
{
    uint64_t size =
        CALL_REQUEST_HEAD_SIZE + 8ull * marshal->number_count + 4ull * marshal->string_count;
    for (uint32_t i = 0; i < marshal->string_count; i++)
        size += marshal->strings[i].size;
    uint64_t padded = (size + 7) & ~7ull, whole = CALL_LIST_HEAD_SIZE + padded;
    if (whole > CALL_AREA_SIZE)
        return 0;
    store_u32(area, CALL_REQUESTS_MAGIC);
    store_u32(area + 4, (uint32_t)whole);
    store_u32(area + 8, 1);
    store_u32(area + 12, 0);
    uint8_t *at = area + CALL_LIST_HEAD_SIZE;
    store_u32(at, (uint32_t)padded);
    store_u16(at + 4, number);
    at[6] = (uint8_t)marshal->number_count;
    at[7] = (uint8_t)marshal->string_count;
    at += CALL_REQUEST_HEAD_SIZE;
    for (uint32_t i = 0; i < marshal->number_count; i++, at += 8)
        store_u64(at, marshal->numbers[i]);
    for (uint32_t i = 0; i < marshal->string_count; i++, at += 4)
        store_u32(at, (uint32_t)marshal->strings[i].size);
    for (uint32_t i = 0; i < marshal->string_count; i++) {
        copy_some(at, marshal->strings[i].data, marshal->strings[i].size);
        at += marshal->strings[i].size;
    }
    for (; size < padded; size++)
        *at++ = 0;
    return whole;
}

static int64_t call_make(uint16_t number, const char *shape, const struct instance *instance,
                         const uint64_t *slots)
{
    struct marshal marshal = { 0 };
    struct call_answer answer;
    uint8_t *area = area_get();
    calls_rewind();
    int64_t failed = marshal_read(&marshal, instance, shape, slots);
    if (failed < 0)
        return failed;
    if (area == NULL)
        return calls_fail(CALL_ERROR_UNAVAILABLE, NULL);
    uint64_t size = marshal_write(&marshal, number, area);
    if (size == 0)
        return calls_fail(CALL_ERROR_LIMIT, NULL);
    calls.has_list = area_call(area, size) != 0;
    if (!answer_at(area, 0, &answer))
        return calls_fail(CALL_ERROR_INTERNAL, NULL);
    calls.has_more = answer.total_size > answer.data.size;
    if (answer.value < 0) {
        calls.failed = (enum call_error)answer.value;
        return answer.value;
    }
    uint64_t done = 0;
    while (marshal.gives_bytes && done < MIN(marshal.capacity, answer.total_size)) {
        int64_t part = calls_rest(0, done, marshal.target + done, marshal.capacity - done);
        if (part <= 0)
            return part < 0 ? part : calls_fail(CALL_ERROR_INTERNAL, NULL);
        done += (uint64_t)part;
    }
    return answer.value;
}

#define CALL_FUNCTION(number, name, field, type, shape, permission, scope, idempotent)             \
    void s3n_##name(struct instance *instance, uint64_t *slots)                                    \
    {                                                                                              \
        slots[0] = (uint64_t)call_make(number, shape, instance, slots);                            \
    }
CALLS(CALL_FUNCTION)
#undef CALL_FUNCTION

/* --- lists, and the rest of answers --- */

int64_t calls_batch(const void *requests, uint64_t size, void *answers, uint64_t capacity)
{
    uint8_t *area = area_get();
    calls_rewind();
    if (area == NULL)
        return calls_fail(CALL_ERROR_UNAVAILABLE, NULL);
    if (size > CALL_AREA_SIZE)
        return calls_fail(CALL_ERROR_LIMIT, NULL);
    copy_some(area, requests, size);
    uint64_t answered = area_call(area, size);
    if (answered == 0)
        return calls_fail(CALL_ERROR_INVALID, NULL);
    calls.has_list = true;
    calls.has_more = calls.has_left;
    /* What asks for one thing at a time finds its error's text as imports do. */
    struct call_answer only;
    if (load_u32(area + 8) == 1 && answer_at(area, 0, &only) && only.value < 0)
        calls.failed = (enum call_error)only.value;
    copy_some(answers, area, MIN(answered, capacity));
    return (int64_t)answered;
}

/* From the host, which keeps what was cut. */
static int64_t rest_fetch(uint8_t *area, uint32_t index, uint64_t offset, void *target,
                          uint64_t capacity)
{
    struct marshal marshal = { .numbers = { index, offset }, .number_count = 2 };
    struct call_answer answer;
    uint64_t size = marshal_write(&marshal, CALL_REST, area);
    calls.has_list = area_call(area, size) != 0;
    bool is_there = answer_at(area, 0, &answer);
    calls.has_list = false; /* what stands there now is a piece */
    if (!is_there)
        return calls_fail(CALL_ERROR_INTERNAL, NULL);
    if (answer.value < 0)
        return calls_fail((enum call_error)answer.value, NULL);
    uint64_t part = MIN(answer.data.size, capacity);
    copy_some(target, answer.data.data, part);
    return (int64_t)part;
}

int64_t calls_rest(uint32_t index, uint64_t offset, void *target, uint64_t capacity)
{
    struct call_answer answer;
    uint8_t *area = area_get();
    if (area == NULL)
        return 0;
    if (index == UINT32_MAX) {
        uint64_t size = calls.has_list ? MIN(load_u32(area + 4), CALL_AREA_SIZE) : 0;
        uint64_t part = offset < size ? MIN(size - offset, capacity) : 0;
        copy_some(target, area + offset, part);
        return (int64_t)part;
    }
    if (answer_at(area, index, &answer)) {
        if (offset < answer.data.size) {
            uint64_t part = MIN(answer.data.size - offset, capacity);
            copy_some(target, answer.data.data + offset, part);
            return (int64_t)part;
        }
        if (offset >= answer.total_size)
            return 0;
    }
    return calls.has_more ? rest_fetch(area, index, offset, target, capacity) : 0;
}

void s3n_rest(struct instance *instance, uint64_t *slots)
{
    uint8_t *target;
    uint64_t capacity = (uint32_t)slots[3];
    int64_t result;
    if (memory_range(instance, (uint32_t)slots[2], capacity, &target))
        result = calls_rest((uint32_t)slots[0], (uint32_t)slots[1], target, capacity);
    else
        result = calls_fail(CALL_ERROR_MEMORY, NULL);
    slots[0] = (uint64_t)result;
}

void s3n_batch(struct instance *instance, uint64_t *slots)
{
    struct bytes requests;
    uint8_t *answers;
    uint64_t capacity = (uint32_t)slots[3];
    int64_t result;
    if (string_at(instance, slots, &requests) &&
        memory_range(instance, (uint32_t)slots[2], capacity, &answers))
        result = calls_batch(requests.data, requests.size, answers, capacity);
    else
        result = calls_fail(CALL_ERROR_MEMORY, NULL);
    slots[0] = (uint64_t)result;
}

/* Empty when the last one did not fail. */
int64_t calls_error_message(void *target, uint64_t capacity)
{
    struct call_answer answer;
    struct bytes text = { 0 };
    const uint8_t *area = area_get();
    if (calls.failed != 0 && calls.text != NULL)
        text = bytes_of_string(calls.text);
    else if (calls.failed != 0 && area != NULL && answer_at(area, 0, &answer))
        text = answer.data;
    copy_some(target, text.data, MIN(text.size, capacity));
    return (int64_t)text.size;
}

void s3n_error_message(struct instance *instance, uint64_t *slots)
{
    uint8_t *target;
    uint64_t capacity = (uint32_t)slots[1];
    int64_t result = CALL_ERROR_MEMORY;
    if (memory_range(instance, (uint32_t)slots[0], capacity, &target))
        result = calls_error_message(target, capacity);
    slots[0] = (uint64_t)result;
}
