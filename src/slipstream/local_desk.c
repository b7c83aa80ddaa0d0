/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/local_desk.h"

#include "base/clock.h"
#include "base/file.h"
#include "slipstream/local_services.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LIST_COUNT_MAX = 1000,
    LIST_COUNT_MASK = 0xffff,
    LIST_HAS_VALUES = 1 << 16,
    ANSWER_SIZE_MAX = 4 << 20,
    TTL_MS_MAX_DAYS = 10 * 366
};

/* One answer of the last list: kept, for what had no room. */
struct kept {
    int64_t value;
    struct buffer data;
};

/* One process runs one program. */
static struct {
    uint8_t requests[CALL_AREA_SIZE], answers[CALL_AREA_SIZE];
    struct local_state store;
    int file;
    int services; /* -1: nobody */
    bool is_late;
    struct kept kept[CALL_COUNT_MAX];
    unsigned kept_count;
} run;

static int64_t now_ms(void)
{
    return (int64_t)(clock_realtime_ns(&clock_system) / 1000000);
}

/* --- answers --- */

static void answer(struct kept *kept, int64_t value, struct bytes data)
{
    buffer_append(&kept->data, data);
    kept->value = kept->data.failed ? CALL_ERROR_UNAVAILABLE : value;
}

static void refuse(struct kept *kept, enum call_error code, const char *text)
{
    buffer_clear(&kept->data);
    answer(kept, code, bytes_of_string(text));
}

static void refuse_error(struct kept *kept, const struct error *error)
{
    refuse(kept,
           error->code == ERROR_INVALID ? CALL_ERROR_INVALID
           : error->code == ERROR_LIMIT ? CALL_ERROR_LIMIT
                                        : CALL_ERROR_UNAVAILABLE,
           error->text);
}

static struct local_name name_of(const struct call_request *request)
{
    return (struct local_name){ request->strings[0], request->strings[1] };
}

/* --- state --- */

static void get_answer(struct kept *kept, const struct call_request *request)
{
    struct local_name name = name_of(request);
    struct error error;
    const struct local_entry *entry = local_state_find(&run.store, &name, now_ms());
    if (!local_state_check(&name, &error))
        refuse_error(kept, &error);
    else if (entry == NULL)
        refuse(kept, CALL_ERROR_NOT_FOUND, "there is no such key");
    else
        answer(kept, (int64_t)entry->value.size, entry->value);
}

static bool store_set(const struct local_name *name, struct bytes value, uint64_t ttl_ms,
                      struct error *error)
{
    if (ttl_ms > TTL_MS_MAX_DAYS * UINT64_C(86400000))
        return error_set(error, ERROR_INVALID, "a time to live has at most ten years");
    return local_state_set(&run.store, name, value, ttl_ms == 0 ? 0 : now_ms() + (int64_t)ttl_ms,
                           error);
}

static void set_answer(struct kept *kept, const struct call_request *request)
{
    struct local_name name = name_of(request);
    struct error error;
    if (store_set(&name, request->strings[2], request->numbers[0], &error))
        answer(kept, 0, (struct bytes){ 0 });
    else
        refuse_error(kept, &error);
}

static void delete_answer(struct kept *kept, const struct call_request *request)
{
    struct local_name name = name_of(request);
    struct error error;
    if (!local_state_check(&name, &error)) {
        refuse_error(kept, &error);
        return;
    }
    bool is_there = local_state_find(&run.store, &name, now_ms()) != NULL;
    local_state_remove(&run.store, &name);
    answer(kept, is_there, (struct bytes){ 0 });
}

static void compare_and_set_answer(struct kept *kept, const struct call_request *request)
{
    struct local_name name = name_of(request);
    struct error error;
    const struct local_entry *entry = local_state_find(&run.store, &name, now_ms());
    bool is_same = request->numbers[0] == 0
                       ? entry == NULL
                       : entry != NULL && bytes_equal(entry->value, request->strings[2]);
    if (request->numbers[0] > 1)
        refuse(kept, CALL_ERROR_INVALID, "whether a value is expected is 0 or 1");
    else if (!local_state_check(&name, &error) ||
             (is_same && !store_set(&name, request->strings[3], request->numbers[1], &error)))
        refuse_error(kept, &error);
    else
        answer(kept, is_same, (struct bytes){ 0 });
}

static void list_add(struct kept *kept, const struct local_entry *entry, bool has_values)
{
    uint8_t head[16];
    struct writer writer = writer_into(head, sizeof(head));
    write_u32_le(&writer, (uint32_t)entry->name.key.size);
    write_u32_le(&writer, (uint32_t)entry->value.size);
    write_u64_le(&writer, (uint64_t)entry->expires_ms);
    buffer_append(&kept->data, writer_view(&writer));
    buffer_append(&kept->data, entry->name.key);
    if (has_values)
        buffer_append(&kept->data, entry->value);
}

static bool is_listed(const struct local_entry *entry, const struct call_request *request,
                      int64_t time_ms)
{
    struct bytes after = request->strings[2];
    return (entry->expires_ms == 0 || entry->expires_ms > time_ms) &&
           bytes_starts_with(entry->name.key, request->strings[1]) &&
           (after.size == 0 || !bytes_equal(entry->name.key, after));
}

static void list_answer(struct kept *kept, const struct call_request *request)
{
    uint64_t number = request->numbers[0], limit = number & LIST_COUNT_MASK;
    bool has_values = (number & LIST_HAS_VALUES) != 0, has_more = false;
    struct bytes prefix = request->strings[1], after = request->strings[2];
    uint32_t count = 0;
    int64_t time_ms = now_ms();
    if ((number & ~(uint64_t)(LIST_COUNT_MASK | LIST_HAS_VALUES)) != 0 || limit == 0 ||
        limit > LIST_COUNT_MAX) {
        refuse(kept, CALL_ERROR_INVALID, "a list has 1 to 1000 entries");
        return;
    }
    /* Where both lead: keys before the prefix or before `after` are not looked at. */
    struct local_name behind = { request->strings[0], after },
                      first = { request->strings[0], prefix };
    size_t at = MAX(local_state_from(&run.store, &behind), local_state_from(&run.store, &first));
    answer(kept, 0, bytes_of("\0\0\0\0\0\0\0", 8));
    for (; at < run.store.count && !has_more; at++) {
        const struct local_entry *entry = &run.store.entries[at];
        if (!bytes_equal(entry->name.space, request->strings[0]))
            break;
        if (!is_listed(entry, request, time_ms))
            continue;
        has_more = count == limit || kept->data.size + entry->value.size > ANSWER_SIZE_MAX - 1024;
        if (!has_more)
            list_add(kept, entry, has_values);
        count += !has_more;
    }
    if (kept->data.failed)
        return;
    struct writer writer = writer_into(kept->data.data, 8);
    write_u32_le(&writer, count);
    write_u32_le(&writer, has_more);
    kept->value = (int64_t)kept->data.size;
}

/* --- lists of calls --- */

/* What takes a node: somebody else's to answer, if there is somebody. */
static void services_answer(struct kept *kept, const struct call_request *request,
                            const struct call_row *row, const struct desk_wait *wait)
{
    static const char no_permission[] = "no permission for";
    const char *hint = local_services_hint(request->call);
    char text[160];
    int64_t value;
    if (run.services < 0) {
        snprintf(text, sizeof(text), "%s is not available in `s3n run`: %s", row->name, hint);
        refuse(kept, CALL_ERROR_UNAVAILABLE, text);
        return;
    }
    enum local_services_end end =
        local_services_ask(run.services, request, wait->deadline_ns, &value, &kept->data);
    if (end != LOCAL_SERVICES_ANSWERED) {
        run.services = -1;
        run.is_late = end == LOCAL_SERVICES_TIMEOUT;
        refuse(kept, CALL_ERROR_INTERNAL, "the process of `s3n run` for services has ended");
        return;
    }
    /* It says what a manifest lacks, as a node does; here it is an option. */
    if (value == CALL_ERROR_DENIED &&
        bytes_starts_with(buffer_view(&kept->data), bytes_of_string(no_permission)))
        buffer_format(&kept->data, "; `s3n run`: %s", hint);
    kept->value = kept->data.failed ? CALL_ERROR_UNAVAILABLE : value;
}

static void call_answer(struct kept *kept, const struct call_request *request,
                        const struct desk_wait *wait)
{
    static const char about[] =
        "{\"application\":\"run\",\"function\":\"run\","
        "\"invocation\":\"00000000000000000000000000000000\",\"version\":\"\"}";
    const struct call_row *row = call_row_find(request->call);
    char text[160];
    if (row == NULL || !call_request_fits(request, row)) {
        snprintf(text, sizeof(text), "there is no call %u with these arguments", request->call);
        refuse(kept, row == NULL ? CALL_ERROR_UNSUPPORTED : CALL_ERROR_INVALID, text);
        return;
    }
    switch ((enum call)request->call) {
    case CALL_KV_GET:
        get_answer(kept, request);
        return;
    case CALL_KV_SET:
        set_answer(kept, request);
        return;
    case CALL_KV_DELETE:
        delete_answer(kept, request);
        return;
    case CALL_KV_LIST:
        list_answer(kept, request);
        return;
    case CALL_KV_COMPARE_AND_SET:
        compare_and_set_answer(kept, request);
        return;
    case CALL_ABOUT:
        answer(kept, (int64_t)sizeof(about) - 1, bytes_of(about, sizeof(about) - 1));
        return;
    case CALL_SECRET_GET:
    case CALL_KEY_PUBLIC:
    case CALL_KEY_SIGN:
    case CALL_KEY_DERIVE:
    case CALL_HPKE_OPEN:
    case CALL_HTTP_FETCH:
    case CALL_ATTEST:
    case CALL_REST:
        services_answer(kept, request, row, wait);
        return;
    }
    ASSERT(false);
}

/* As many as were kept; what has no room is cut, and fetched with CALL_REST. */
static uint32_t kept_write(void)
{
    struct writer writer = writer_into(run.answers, sizeof(run.answers));
    call_answers_write_begin(&writer);
    for (unsigned i = 0; i < run.kept_count; i++) {
        const struct buffer *data = &run.kept[i].data;
        size_t heads = (run.kept_count - i) * (size_t)(CALL_ANSWER_HEAD_SIZE + 8);
        size_t room = sizeof(run.answers) - writer.size - heads;
        call_answer_write(&writer, run.kept[i].value,
                          bytes_part(buffer_view(data), 0, MIN(data->size, room)), data->size);
    }
    call_list_write_end(&writer, run.kept_count);
    ASSERT(!writer.failed);
    return (uint32_t)writer.size;
}

static uint32_t rest_write(const struct call_request *request)
{
    struct writer writer = writer_into(run.answers, sizeof(run.answers));
    uint64_t index = request->numbers[0], offset = request->numbers[1];
    struct bytes whole = { 0 };
    if (index < run.kept_count)
        whole = buffer_view(&run.kept[index].data);
    size_t room = sizeof(run.answers) - CALL_LIST_HEAD_SIZE - CALL_ANSWER_HEAD_SIZE - 8;
    struct bytes part = bytes_part(whole, MIN(offset, (uint64_t)whole.size), room);
    call_answers_write_begin(&writer);
    call_answer_write(&writer, (int64_t)whole.size, part, part.size);
    call_list_write_end(&writer, 1);
    ASSERT(!writer.failed);
    return (uint32_t)writer.size;
}

static enum desk_end run_ask(struct call_desk *desk, uint32_t size, const struct desk_wait *wait,
                             uint32_t *answered)
{
    struct bytes list = bytes_of(desk->requests, size);
    struct call_request request;
    uint32_t count;
    if (!call_requests_check(list, &count))
        return DESK_REFUSED;
    struct reader reader = call_requests_begin(list);
    if (count == 1 && call_request_next(&reader, &request) && request.call == CALL_REST) {
        if (request.number_count != 2 || request.string_count != 0)
            return DESK_REFUSED;
        *answered = rest_write(&request);
        return DESK_ANSWERED;
    }
    for (unsigned i = 0; i < run.kept_count; i++)
        buffer_done(&run.kept[i].data);
    run.kept_count = 0;
    reader = call_requests_begin(list);
    while (run.kept_count < count && call_request_next(&reader, &request)) {
        struct kept *kept = &run.kept[run.kept_count++];
        buffer_init(&kept->data, ANSWER_SIZE_MAX);
        call_answer(kept, &request, wait);
    }
    if (run.is_late)
        return DESK_TIMEOUT;
    *answered = kept_write();
    return DESK_ANSWERED;
}

/* --- beginning and end --- */

bool local_desk_open(struct call_desk *desk, int file, int services, struct error *error)
{
    AUTO_BUFFER struct buffer content;
    buffer_init(&content, LOCAL_STATE_FILE_SIZE_MAX);
    run.file = file;
    run.services = services;
    *desk = (struct call_desk){ .requests = run.requests, .answers = run.answers, .ask = run_ask };
    if (file < 0)
        return true;
    return (file_read_descriptor(&content, file, error) &&
            local_state_read(&run.store, buffer_view(&content), error)) ||
           error_within(error, "--kv");
}

bool local_desk_commit(struct error *error)
{
    AUTO_BUFFER struct buffer snapshot;
    buffer_init(&snapshot, 2 * (size_t)LOCAL_STATE_SIZE_MAX);
    if (run.file < 0 || !run.store.is_changed)
        return true;
    local_state_write(&run.store, &snapshot, now_ms());
    if (snapshot.failed)
        return error_set(error, ERROR_NO_MEMORY, "no memory to keep the state");
    return file_write_all(run.file, buffer_view(&snapshot), error) || error_within(error, "--kv");
}
