/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/events/events.h"

#include <string.h>

#define NUMBER_MAX ((UINT64_C(1) << 53) - 1)

const char *events_reason_name(enum events_reason reason)
{
    static const char *const names[] = {
#define EVENTS_REASON_NAME(code, name) [EVENTS_REASON_##code] = name,
        EVENTS_REASONS(EVENTS_REASON_NAME)
#undef EVENTS_REASON_NAME
    };
    return names[reason];
}

struct digest48 event_digest(struct bytes text)
{
    return sha384_of(text);
}

void events_extend(struct digest48 *head, const struct digest48 *digest)
{
    uint8_t both[2 * sizeof(head->bytes)];
    memcpy(both, head->bytes, sizeof(head->bytes));
    memcpy(both + sizeof(head->bytes), digest->bytes, sizeof(digest->bytes));
    *head = sha384_of(BYTES_OF(both));
}

/* --- the one form --- */

static void read_literal(struct reader *reader, const char *text)
{
    if (!bytes_equal_string(read_bytes(reader, strlen(text)), text))
        reader_fail(reader);
}

static bool is_name_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_';
}

static bool is_kind_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || byte == '-';
}

static bool is_text_byte(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* As many of these bytes as there are. */
static struct bytes read_while(struct reader *reader, bool (*is_one)(uint8_t byte), size_t size_max)
{
    size_t size = 0, left = reader_left(reader);
    while (size < left && is_one(reader->at[size]))
        size++;
    if (size > size_max)
        reader_fail(reader);
    return read_bytes(reader, reader->failed ? 0 : size);
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static uint64_t read_number(struct reader *reader, struct bytes *digits)
{
    uint64_t number = 0;
    *digits = read_while(reader, is_digit, 16);
    for (size_t i = 0; i < digits->size; i++)
        number = number * 10 + (uint64_t)(digits->data[i] - '0');
    if (digits->size == 0 || (digits->size > 1 && digits->data[0] == '0') || number > NUMBER_MAX)
        reader_fail(reader);
    return number;
}

static int name_compare(struct bytes a, struct bytes b)
{
    size_t size = MIN(a.size, b.size);
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

struct detail {
    struct bytes name;
    struct bytes value;
};

/* A member; its name comes after `before`. */
static struct detail read_detail(struct reader *reader, struct bytes before)
{
    struct detail detail;
    read_literal(reader, "\"");
    detail.name = read_while(reader, is_name_byte, EVENT_NAME_SIZE_MAX);
    read_literal(reader, "\":");
    if (detail.name.size == 0 || name_compare(before, detail.name) >= 0)
        reader_fail(reader);
    if (reader_left(reader) > 0 && *reader->at == '"') {
        read_literal(reader, "\"");
        detail.value = read_while(reader, is_text_byte, EVENT_TEXT_SIZE_MAX);
        read_literal(reader, "\"");
    } else {
        read_number(reader, &detail.value);
    }
    return detail;
}

/* The object; what `name` stands for, if there is such a member. */
static struct bytes read_details(struct reader *reader, const char *name, struct bytes *value,
                                 bool *has_value)
{
    const uint8_t *start = reader->at;
    struct bytes before = { 0 };
    read_literal(reader, "{");
    for (size_t i = 0; reader_left(reader) > 0 && *reader->at != '}' && !reader->failed; i++) {
        if (i > 0)
            read_literal(reader, ",");
        struct detail detail = read_detail(reader, before);
        before = detail.name;
        if (i == EVENT_DETAIL_COUNT_MAX)
            reader_fail(reader);
        if (name != NULL && bytes_equal_string(detail.name, name)) {
            *value = detail.value;
            *has_value = true;
        }
    }
    read_literal(reader, "}");
    return bytes_of(start, reader->failed ? 0 : (size_t)(reader->at - start));
}

bool event_detail(struct bytes details, const char *name, struct bytes *value)
{
    struct reader reader = reader_of(details);
    bool has_value = false;
    struct bytes found = { 0 };
    (void)read_details(&reader, name, &found, &has_value);
    if (!read_end(&reader) || !has_value)
        return false;
    *value = found;
    return true;
}

bool event_is(const struct event *event, const char *kind)
{
    return bytes_equal_string(event->kind, kind);
}

bool event_parse(struct event *event, struct bytes line)
{
    struct reader reader = reader_of(line);
    struct bytes digits;
    if (line.size > EVENT_SIZE_MAX)
        return false;
    read_literal(&reader, "{\"details\":");
    event->details = read_details(&reader, NULL, NULL, NULL);
    read_literal(&reader, ",\"kind\":\"");
    event->kind = read_while(&reader, is_kind_byte, EVENT_KIND_SIZE_MAX);
    read_literal(&reader, "\",\"sequence\":");
    event->sequence = read_number(&reader, &digits);
    read_literal(&reader, ",\"time\":");
    event->time_s = (int64_t)read_number(&reader, &digits);
    read_literal(&reader, "}");
    event->text = line;
    return read_end(&reader) && event->kind.size > 0;
}

static void write_number(struct writer *writer, uint64_t number)
{
    char digits[24];
    size_t size = sizeof(digits);
    do {
        digits[--size] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    write_bytes(writer, bytes_of(digits + size, sizeof(digits) - size));
}

bool event_write(struct writer *writer, const struct event *event, struct error *error)
{
    size_t before = writer->size;
    struct event parsed;
    write_bytes(writer, BYTES_LITERAL("{\"details\":"));
    write_bytes(writer, event->details);
    write_bytes(writer, BYTES_LITERAL(",\"kind\":\""));
    write_bytes(writer, event->kind);
    write_bytes(writer, BYTES_LITERAL("\",\"sequence\":"));
    write_number(writer, event->sequence);
    write_bytes(writer, BYTES_LITERAL(",\"time\":"));
    write_number(writer, (uint64_t)MAX(event->time_s, INT64_C(0)));
    write_bytes(writer, BYTES_LITERAL("}"));
    if (writer->failed)
        return error_set(error, ERROR_LIMIT, "an event has no room");
    /* What a reader would refuse is never written. */
    if (!event_parse(&parsed, bytes_part(writer_view(writer), before, writer->size))) {
        writer->size = before;
        return error_set(error, ERROR_INVALID, "not an event: kind, details or size");
    }
    write_bytes(writer, BYTES_LITERAL("\n"));
    return !writer->failed || error_set(error, ERROR_LIMIT, "an event has no room");
}

/* --- replay --- */

void events_begin(struct events_replay *replay, struct bytes log)
{
    *replay = (struct events_replay){ .reader = reader_of(log) };
}

static bool refuse(struct events_replay *replay, enum events_reason reason, struct error *error)
{
    static const char *const words[] = {
        [EVENTS_REASON_NONE] = "",
        [EVENTS_REASON_FORM] = "is not in its form",
        [EVENTS_REASON_START] = "does not begin a log of format 1",
        [EVENTS_REASON_GAP] = "is missing",
        [EVENTS_REASON_SWAP] = "is not where it belongs",
        [EVENTS_REASON_CUT] = "is cut",
        [EVENTS_REASON_CHANGED] = "says something else",
        [EVENTS_REASON_REGISTER] = "",
        [EVENTS_REASON_LIMIT] = "is more than a log holds",
    };
    replay->reason = reason;
    return error_set(error, ERROR_INVALID, "%s: entry %llu %s", events_reason_name(reason),
                     (unsigned long long)replay->count + 1, words[reason]);
}

/* The next line without its end, which is taken too; false: it has none. */
static bool line_take(struct reader *reader, struct bytes *line)
{
    struct bytes rest = bytes_of(reader->at, reader_left(reader));
    size_t size = bytes_find(rest, '\n');
    if (size >= rest.size)
        return false;
    *line = read_bytes(reader, size);
    read_skip(reader, 1);
    return true;
}

/* Two entries that changed places, or one that is not there? */
static enum events_reason disorder(const struct events_replay *replay, uint64_t sequence)
{
    struct reader ahead = replay->reader;
    struct bytes line;
    struct event next;
    if (sequence < replay->count + 1)
        return EVENTS_REASON_SWAP;
    if (line_take(&ahead, &line) && event_parse(&next, line) && next.sequence < sequence)
        return EVENTS_REASON_SWAP;
    return EVENTS_REASON_GAP;
}

static bool is_start(const struct event *event)
{
    struct bytes format;
    return event_is(event, EVENT_KIND_START) && event_detail(event->details, "format", &format) &&
           bytes_equal_string(format, "1");
}

bool events_next(struct events_replay *replay, struct event *event, bool *is_over,
                 struct error *error)
{
    struct bytes line;
    struct event parsed;
    *is_over = reader_left(&replay->reader) == 0;
    if (*is_over)
        return true;
    if (replay->count == EVENTS_COUNT_MAX)
        return refuse(replay, EVENTS_REASON_LIMIT, error);
    bool is_whole = *replay->reader.at == '{';
    if (!line_take(&replay->reader, &line))
        return refuse(replay, is_whole ? EVENTS_REASON_CUT : EVENTS_REASON_FORM, error);
    if (!event_parse(&parsed, line))
        return refuse(replay, EVENTS_REASON_FORM, error);
    if (parsed.sequence != replay->count + 1)
        return refuse(replay, disorder(replay, parsed.sequence), error);
    if (is_start(&parsed) != (replay->count == 0) ||
        (replay->count > 0 && event_is(&parsed, EVENT_KIND_START)))
        return refuse(replay, EVENTS_REASON_START, error);
    struct digest48 digest = event_digest(line);
    events_extend(&replay->head, &digest);
    replay->count++;
    replay->size = reader_offset(&replay->reader);
    *event = parsed;
    return true;
}

static bool digest48_equal(const struct digest48 *a, const struct digest48 *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static bool judge(struct events_verdict *verdict, const struct events_expected *expected,
                  bool is_followed, struct error *error)
{
    if (verdict->count < expected->count) {
        verdict->reason = EVENTS_REASON_CUT;
        return error_set(error, ERROR_UNVERIFIED,
                         "cut: the log ends after entry %llu, and %llu are vouched for",
                         (unsigned long long)verdict->count, (unsigned long long)expected->count);
    }
    if (expected->has_register && !is_followed) {
        verdict->reason = EVENTS_REASON_REGISTER;
        return error_set(error, ERROR_UNVERIFIED,
                         "register: no entry of the log leads to the register in the evidence; it "
                         "is cut or changed after entry %llu",
                         (unsigned long long)expected->count);
    }
    return true;
}

bool events_verify(struct events_verdict *verdict, struct bytes log,
                   const struct events_expected *expected, struct error *error)
{
    struct events_replay replay;
    struct event event;
    bool is_over = false, is_followed = false;
    *verdict = (struct events_verdict){ .covered = expected->has_register ? 0 : expected->count };
    events_begin(&replay, log);
    while (!is_over) {
        if (replay.count == expected->count && !digest48_equal(&replay.head, &expected->head)) {
            verdict->reason = EVENTS_REASON_CHANGED;
            return error_set(error, ERROR_UNVERIFIED,
                             "changed: entries 1 to %llu do not lead to the keyset's head",
                             (unsigned long long)expected->count);
        }
        if (expected->has_register && replay.count >= expected->count &&
            digest48_equal(&replay.head, &expected->value)) {
            is_followed = true;
            verdict->covered = replay.count;
        }
        if (!events_next(&replay, &event, &is_over, error)) {
            verdict->reason = replay.reason;
            error->code = ERROR_UNVERIFIED;
            return false;
        }
        verdict->count = replay.count;
    }
    return judge(verdict, expected, is_followed, error);
}
