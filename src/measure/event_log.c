/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/event_log.h"

#include "attest/events/events.h"
#include "base/json.h"
#include "core/hex.h"
#include "core/reader.h"
#include "core/writer.h"
#include "measure/event_text.h"

#include <stdio.h>
#include <string.h>

enum {
    ALGORITHM_COUNT_MAX = 16,
    ALGORITHM_SHA384 = 0x000c,
    EVENT_NO_ACTION = 3,
    MR_INDEX_END = 0xffffffff,
    RUNTIME_RTMR = 3 /* of dstack and S3N */
};

/* Sizes of the digests that a log's first event declares. */
struct algorithms {
    struct {
        uint16_t id;
        uint16_t size;
    } items[ALGORITHM_COUNT_MAX];
    size_t count;
};

void rtmr_extend(struct digest48 *rtmr, const struct digest48 *digest)
{
    AUTO(hash) struct hash *hash = hash_new(HASH_SHA384);
    hash_update(hash, BYTES_OF(rtmr->bytes));
    hash_update(hash, BYTES_OF(digest->bytes));
    *rtmr = hash_finish48(hash);
}

const char *event_digest_name(enum event_digest digest_of)
{
    static const char *const names[] = { "something outside the log", "its data",
                                         "part of its data" };
    return names[digest_of];
}

static void event_take(struct event_replay *replay, const struct measured_event *event)
{
    rtmr_extend(&replay->rtmr[event->rtmr], &event->digest);
    replay->event_count++;
    if (replay->on_event != NULL)
        replay->on_event(replay->context, event);
}

static void replay_begin(struct event_replay *replay)
{
    memset(replay->rtmr, 0, sizeof(replay->rtmr));
    replay->event_count = 0;
    replay->size_used = 0;
}

/* The first event, in the format of TPM 1.2: register, type, a SHA-1 digest, and "Spec ID Event03"
 * with the algorithms of all others. */
static bool header_read(struct algorithms *algorithms, struct reader *reader, struct error *error)
{
    read_skip(reader, 4);
    uint32_t type = read_u32_le(reader);
    read_skip(reader, 20);
    struct bytes data = read_bytes(reader, read_u32_le(reader));
    struct reader event = reader_of(data);
    bool is_spec = bytes_equal(read_bytes(&event, 16), BYTES_LITERAL("Spec ID Event03\0"));
    read_skip(&event, 8);
    uint32_t count = read_u32_le(&event);
    algorithms->count = read_count(&event, count, ALGORITHM_COUNT_MAX, 4);
    bool has_sha384 = false;
    for (size_t i = 0; i < algorithms->count; i++) {
        algorithms->items[i].id = read_u16_le(&event);
        algorithms->items[i].size = read_u16_le(&event);
        if (algorithms->items[i].id == ALGORITHM_SHA384)
            has_sha384 = algorithms->items[i].size == sizeof(struct digest48);
    }
    if (reader->failed || event.failed || type != EVENT_NO_ACTION || !is_spec)
        return error_set(error, ERROR_INVALID, "log does not begin with a Spec ID event");
    return has_sha384 || error_set(error, ERROR_INVALID, "log has no SHA-384 digests");
}

/* All digests of an event; the one by SHA-384 must be among them. */
static bool digests_read(struct digest48 *digest, const struct algorithms *algorithms,
                         struct reader *reader)
{
    uint32_t stated = read_u32_le(reader);
    size_t count = read_count(reader, stated, ALGORITHM_COUNT_MAX, 2);
    bool is_found = false;
    for (size_t i = 0; i < count && !reader->failed; i++) {
        uint16_t id = read_u16_le(reader);
        size_t known = 0;
        while (known < algorithms->count && algorithms->items[known].id != id)
            known++;
        if (known == algorithms->count || (id == ALGORITHM_SHA384 && is_found)) {
            reader_fail(reader);
            return false;
        }
        struct bytes value = read_bytes(reader, algorithms->items[known].size);
        if (id == ALGORITHM_SHA384 && value.size == sizeof(digest->bytes)) {
            memcpy(digest->bytes, value.data, value.size);
            is_found = true;
        }
    }
    return is_found && !reader->failed;
}

static bool is_padding(const struct reader *reader)
{
    struct reader ahead = *reader;
    uint32_t index = read_u32_le(&ahead);
    uint32_t type = read_u32_le(&ahead);
    uint32_t count = read_u32_le(&ahead);
    return reader_left(reader) == 0 || index == MR_INDEX_END ||
           (index == 0 && type == 0 && count == 0);
}

static bool ccel_event(struct event_replay *replay, const struct algorithms *algorithms,
                       struct reader *reader, struct error *error)
{
    uint32_t index = read_u32_le(reader);
    struct measured_event event = { .type = read_u32_le(reader) };
    bool has_digest = digests_read(&event.digest, algorithms, reader);
    struct bytes data = read_bytes(reader, read_u32_le(reader));
    if (reader->failed)
        return error_set(error, ERROR_INVALID, "event %zu of the log is cut or malformed",
                         replay->event_count);
    if (event.type == EVENT_NO_ACTION)
        return true;
    if (!has_digest)
        return error_set(error, ERROR_INVALID, "event %zu has no SHA-384 digest",
                         replay->event_count);
    if (index < 1 || index > RTMR_COUNT)
        return error_set(error, ERROR_INVALID, "event %zu is for register %u, which is no RTMR",
                         replay->event_count, index);
    event.rtmr = index - 1;
    event.type_name = event_type_name(event.type);
    event.digest_of = event_text(event.text, event.type, data, &event.digest);
    event_take(replay, &event);
    return true;
}

bool event_log_replay_ccel(struct event_replay *replay, struct bytes log, struct error *error)
{
    struct algorithms algorithms = { 0 };
    struct reader reader = reader_of(log);
    replay_begin(replay);
    if (log.size > EVENT_LOG_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "a log has at most %d bytes", EVENT_LOG_SIZE_MAX);
    if (!header_read(&algorithms, &reader, error))
        return false;
    while (!is_padding(&reader)) {
        if (replay->event_count == EVENT_COUNT_MAX)
            return error_set(error, ERROR_LIMIT, "a log has at most %d events", EVENT_COUNT_MAX);
        if (!ccel_event(replay, &algorithms, &reader, error))
            return false;
    }
    replay->size_used = reader_offset(&reader);
    return true;
}

/* SHA-384(type, 32 bits little-endian || ":" || name || ":" || payload) */
static bool dstack_check(const struct measured_event *event, const char *name, const char *payload)
{
    uint8_t type[4], byte;
    struct writer writer = writer_into(type, sizeof(type));
    write_u32_le(&writer, event->type);
    AUTO(hash) struct hash *hash = hash_new(HASH_SHA384);
    hash_update(hash, BYTES_OF(type));
    hash_update(hash, BYTES_LITERAL(":"));
    hash_update(hash, bytes_of_string(name));
    hash_update(hash, BYTES_LITERAL(":"));
    size_t size = strlen(payload);
    for (size_t i = 0; i < size; i += 2) {
        if (!hex_decode(&byte, 1, bytes_part(bytes_of_string(payload), i, 2)))
            return false;
        hash_update(hash, bytes_of(&byte, 1));
    }
    struct digest48 digest = hash_finish48(hash);
    return bytes_equal(BYTES_OF(digest.bytes), BYTES_OF(event->digest.bytes));
}

static bool dstack_event(struct event_replay *replay, const json_t *json, struct error *error)
{
    int64_t imr, type;
    const char *name, *payload;
    struct measured_event event = { 0 };
    if (!json_get_integer(json, "imr", 0, RTMR_COUNT - 1, &imr, error) ||
        !json_get_integer(json, "event_type", 0, UINT32_MAX, &type, error) ||
        !json_get_hex(json, "digest", event.digest.bytes, sizeof(event.digest.bytes), error) ||
        !json_get_string(json, "event", &name, error) ||
        !json_get_string(json, "event_payload", &payload, error))
        return error_within(error, "event %zu", replay->event_count);
    event.rtmr = (unsigned)imr;
    event.type = (uint32_t)type;
    event.type_name = event_type_name(event.type);
    snprintf(event.text, sizeof(event.text), "%.60s %.90s", error_quote(bytes_of_string(name)).text,
             error_quote(bytes_of_string(payload)).text);
    if (event.rtmr == RUNTIME_RTMR) {
        if (!dstack_check(&event, name, payload))
            return error_set(error, ERROR_INVALID,
                             "event %zu says something else than was measured",
                             replay->event_count);
        event.digest_of = EVENT_DIGEST_DATA;
        event.type_name = "runtime event";
    }
    event_take(replay, &event);
    return true;
}

bool event_log_replay_dstack(struct event_replay *replay, struct bytes log, struct error *error)
{
    AUTO_JSON json_t *events = NULL;
    replay_begin(replay);
    if (!json_parse(&events, log, error))
        return false;
    if (!json_is_array(events))
        return error_set(error, ERROR_INVALID, "log is no array of events");
    for (size_t i = 0; i < json_array_size(events); i++)
        if (!dstack_event(replay, json_array_get(events, i), error))
            return false;
    replay->size_used = log.size;
    return true;
}

bool event_log_replay_s3n(struct event_replay *replay, struct bytes log, struct error *error)
{
    struct events_replay events;
    struct event record;
    bool is_over;
    replay_begin(replay);
    if (log.size > EVENT_LOG_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "a log has at most %d bytes", EVENT_LOG_SIZE_MAX);
    events_begin(&events, log);
    while (events_next(&events, &record, &is_over, error)) {
        if (is_over) {
            replay->size_used = log.size;
            return true;
        }
        struct measured_event event = { .rtmr = RUNTIME_RTMR,
                                        .type_name = "s3n event",
                                        .digest = event_digest(record.text),
                                        .digest_of = EVENT_DIGEST_DATA };
        snprintf(event.text, sizeof(event.text), "%.*s %.*s", (int)record.kind.size,
                 (const char *)record.kind.data, (int)record.details.size,
                 (const char *)record.details.data);
        event_take(replay, &event);
    }
    return false;
}
