/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/page.h"

#include "crypto/base64.h"

#include <inttypes.h>
#include <string.h>

enum {
    SEGMENT_SIZE_MAX = LOG_SEGMENT_HEAD_SIZE + LOG_READER_COUNT_MAX * LOG_SEGMENT_READER_SIZE + 4 +
                       LOG_SEGMENT_PLAIN_MAX + 16
};

/* What the node sends, its clients can read. */
_Static_assert((LOG_PAGE_SIZE_MAX + SEGMENT_SIZE_MAX) / 3 * 4 + LOG_PAGE_COUNT_MAX * 8 + 1024 <=
                   JSON_SIZE_MAX,
               "a page in Base64 is JSON that is read");

bool log_page_parse(struct log_page *page, const json_t *root, struct error *error)
{
    struct log_page parsed = { 0 };
    json_t *head;
    int64_t number, first;
    if (!json_get_hex(root, "stream", parsed.head.stream.bytes, sizeof(parsed.head.stream.bytes),
                      error) ||
        !json_get_object(root, "head", &head, error) ||
        !json_get_integer(head, "number", 0, INT64_MAX, &number, error) ||
        !json_get_hex(head, "digest", parsed.head.digest.bytes, sizeof(parsed.head.digest.bytes),
                      error) ||
        !json_get_integer(root, "first", 0, INT64_MAX, &first, error))
        return error_within(error, "the node's answer");
    parsed.head.number = (uint64_t)number;
    parsed.head.is_begun = number > 0;
    parsed.first = (uint64_t)first;
    parsed.more = json_is_true(json_object_get(root, "more"));
    parsed.segments = json_object_get(root, "segments");
    if (!json_is_array(parsed.segments))
        return error_set(error, ERROR_INVALID, "the node's answer has no segments");
    *page = parsed;
    return true;
}

static bool seen_check(const struct log_chain *seen, const struct log_chain *at,
                       struct error *error)
{
    return !seen->is_begun || at->number != seen->number ||
           digest32_equal(&at->digest, &seen->digest) ||
           error_set(error, ERROR_UNVERIFIED,
                     "log segment %" PRIu64 " is another one than when it was seen before",
                     seen->number);
}

static bool head_check(const struct log_reading *reading, const struct log_page *page,
                       struct error *error)
{
    uint64_t known = reading->seen.is_begun ? reading->seen.number : 0;
    if (reading->chain.is_begun)
        known = MAX(known, reading->chain.number);
    if (page->head.number < known)
        return error_set(error, ERROR_UNVERIFIED,
                         "the log ends with segment %" PRIu64 ", but segment %" PRIu64
                         " was seen before: the node shows an older state",
                         page->head.number, known);
    return seen_check(&reading->seen, &page->head, error);
}

static bool segment_decode(struct buffer *target, const json_t *item, struct error *error)
{
    const char *text = json_string_value(item);
    size_t capacity = text == NULL ? 0 : strlen(text), size = 0;
    uint8_t *room = buffer_reserve(target, MIN(capacity, (size_t)SEGMENT_SIZE_MAX) + 1);
    if (text == NULL || room == NULL ||
        !base64_decode(room, SEGMENT_SIZE_MAX, &size, bytes_of_string(text)))
        return error_set(error, ERROR_INVALID, "the node's answer has a segment that is no base64");
    target->size += size;
    return true;
}

static bool segment_take(struct log_reading *reading, const json_t *item,
                         const struct log_page *page, log_segment_take *take, void *context,
                         struct error *error)
{
    AUTO_BUFFER struct buffer text;
    struct log_segment segment;
    buffer_init(&text, SEGMENT_SIZE_MAX + 1);
    if (!segment_decode(&text, item, error) ||
        !log_segment_view(&segment, buffer_view(&text), error))
        return false;
    if (!digest32_equal(&segment.head.stream, &page->head.stream))
        return error_set(error, ERROR_UNVERIFIED, "a log segment is another application's");
    return log_chain_follow(&reading->chain, &segment, error) &&
           seen_check(&reading->seen, &reading->chain, error) && take(context, &segment, error);
}

/* The last page ends where the node says that the log ends. */
static bool end_check(const struct log_chain *chain, const struct log_page *page,
                      struct error *error)
{
    if (!page->head.is_begun || !chain->is_begun)
        return true;
    if (chain->number != page->head.number)
        return error_set(error, ERROR_UNVERIFIED, "log segment %" PRIu64 " is missing",
                         chain->number + 1);
    return digest32_equal(&chain->digest, &page->head.digest) ||
           error_set(error, ERROR_UNVERIFIED,
                     "log segment %" PRIu64 " is not the one that the node says it is",
                     chain->number);
}

bool log_page_take(struct log_reading *reading, const struct log_page *page, log_segment_take *take,
                   void *context, struct error *error)
{
    size_t index;
    const json_t *item;
    reading->expired = 0;
    if (!head_check(reading, page, error))
        return false;
    if (reading->chain.is_begun && page->first > reading->chain.number + 1) {
        reading->expired = page->first - 1 - reading->chain.number;
        reading->chain.is_begun = false;
    }
    json_array_foreach(page->segments, index, item)
    {
        if (!segment_take(reading, item, page, take, context, error))
            return false;
    }
    if (page->more)
        return json_array_size(page->segments) > 0 ||
               error_set(error, ERROR_INVALID, "the node's answer has no segments, but more");
    if (!end_check(&reading->chain, page, error))
        return false;
    if (page->head.is_begun)
        reading->seen = page->head;
    return true;
}
