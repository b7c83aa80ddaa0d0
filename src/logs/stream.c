/* SPDX-License-Identifier: Apache-2.0 */
/* Streams in the store: `head/STREAM` says which segments there are, `segment/STREAM/NUMBER` has
 * them.  Changes are gathered in a batch and count when it is written. */
#include "logs/logbook_parts.h"

#include "core/hex.h"
#include "core/writer.h"
#include "crypto/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEAD_SIZE = 8 + 8 + 32 + 8,
    TRIM_COUNT_MAX = 64 /* segments of one stream in one batch */
};

/* --- names --- */

static void head_key(char key[STREAM_KEY_SIZE], const struct digest32 *id)
{
    snprintf(key, STREAM_KEY_SIZE, "head/%s", hex_of_digest(id).text);
}

static void segment_key(char key[STREAM_KEY_SIZE], const struct digest32 *id, uint64_t number)
{
    snprintf(key, STREAM_KEY_SIZE, "segment/%s/%016" PRIx64, hex_of_digest(id).text, number);
}

/* --- the table --- */

struct log_stream *log_stream_find(struct logbook *book, const struct digest32 *id, bool makes)
{
    struct log_stream **bucket = &book->streams[id->bytes[0]];
    for (struct log_stream *at = *bucket; at != NULL; at = at->next) {
        if (digest32_equal(&at->id, id))
            return at;
    }
    struct log_stream *made = makes ? calloc(1, sizeof(*made)) : NULL;
    if (made == NULL)
        return NULL;
    made->id = *id;
    made->kept = made->staged = (struct log_head){ .first = 1, .next = 1 };
    made->next = *bucket;
    *bucket = made;
    return made;
}

void log_streams_free(struct logbook *book)
{
    for (size_t i = 0; i < ARRAY_COUNT(book->streams); i++) {
        while (book->streams[i] != NULL) {
            struct log_stream *stream = book->streams[i];
            book->streams[i] = stream->next;
            free(stream);
        }
    }
}

static bool head_load(struct logbook *book, const char *key, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    struct digest32 id;
    uint64_t revision;
    buffer_init(&text, HEAD_SIZE + 1);
    if (!hex_decode(id.bytes, sizeof(id.bytes), bytes_of_string(key + strlen("head/"))))
        return error_set(error, ERROR_CORRUPT, "not a log's name");
    if (!store_get(book->store, (struct store_key){ LOG_SPACE, key }, &text, &revision, error))
        return false;
    struct reader reader = reader_of(buffer_view(&text));
    struct log_head head = { .first = read_u64_le(&reader), .next = read_u64_le(&reader) };
    read_into(&reader, head.digest.bytes, sizeof(head.digest.bytes));
    head.size = read_u64_le(&reader);
    if (!read_end(&reader) || head.first == 0 || head.first > head.next)
        return error_set(error, ERROR_CORRUPT, "not the head of a log");
    struct log_stream *stream = log_stream_find(book, &id, true);
    if (stream == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for logs");
    stream->kept = stream->staged = head;
    book->stream_count += head.first < head.next;
    book->counts.kept_size += head.size;
    return true;
}

bool log_streams_load(struct logbook *book, struct error *error)
{
    char after[STORE_KEY_SIZE_MAX + 1] = "";
    for (bool more = true; more;) {
        AUTO_STORE_PAGE struct store_page page = { 0 };
        if (!store_list(book->store, (struct store_key){ LOG_SPACE, "head/" },
                        after[0] == '\0' ? NULL : after, STORE_LIST_MAX, &page, error))
            return false;
        for (size_t i = 0; i < page.count; i++) {
            if (!head_load(book, page.entries[i].key, error))
                return false;
            snprintf(after, sizeof(after), "%s", page.entries[i].key);
        }
        more = page.more && page.count > 0;
    }
    return true;
}

/* --- the batch --- */

static struct buffer *batch_add(struct log_batch *batch, enum store_write_kind kind,
                                const char *key)
{
    ASSERT(batch->count < BATCH_WRITES_MAX);
    size_t at = batch->count++;
    snprintf(batch->keys[at], STREAM_KEY_SIZE, "%s", key);
    buffer_init(&batch->values[at], STORE_VALUE_SIZE_MAX);
    batch->writes[at] = (struct store_write){ .kind = kind,
                                              .key = { LOG_SPACE, batch->keys[at] },
                                              .if_revision = STORE_REVISION_ANY };
    return &batch->values[at];
}

static void batch_clear(struct log_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        buffer_done(&batch->values[i]);
    batch->count = 0;
    batch->written_count = batch->written_size = batch->expired_count = 0;
}

/* All streams of the batch: as they are on the disk now, or as they were. */
static void streams_settle(struct logbook *book, bool is_written)
{
    for (size_t i = 0; i < ARRAY_COUNT(book->streams); i++) {
        for (struct log_stream *at = book->streams[i]; at != NULL; at = at->next) {
            if (!at->is_staged)
                continue;
            if (is_written) {
                book->stream_count -= at->kept.first < at->kept.next;
                book->stream_count += at->staged.first < at->staged.next;
                pthread_mutex_lock(&book->mutex);
                book->counts.kept_size += at->staged.size - at->kept.size;
                pthread_mutex_unlock(&book->mutex);
                at->kept = at->staged;
            }
            at->staged = at->kept;
            at->is_staged = false;
        }
    }
}

void log_batch_drop(struct logbook *book)
{
    batch_clear(book->batch);
    streams_settle(book, false);
}

bool log_batch_write(struct logbook *book, struct error *error)
{
    struct log_batch *batch = book->batch;
    bool is_good = true;
    for (size_t i = 0; i < batch->count; i++) {
        batch->writes[i].value = buffer_view(&batch->values[i]);
        is_good = is_good && !batch->values[i].failed;
    }
    if (!is_good)
        error_set(error, ERROR_NO_MEMORY, "no memory for logs");
    if (!is_good ||
        (batch->count > 0 && !store_apply(book->store, batch->writes, batch->count, error))) {
        log_batch_drop(book);
        return false;
    }
    pthread_mutex_lock(&book->mutex);
    book->counts.written_count += batch->written_count;
    book->counts.written_size += batch->written_size;
    book->counts.expired_count += batch->expired_count;
    pthread_mutex_unlock(&book->mutex);
    batch_clear(batch);
    streams_settle(book, true);
    return true;
}

/* --- segments --- */

bool log_stream_append(struct logbook *book, struct log_stream *stream,
                       const struct log_segment_head *times, const struct log_input *readers,
                       struct bytes records, struct error *error)
{
    char key[STREAM_KEY_SIZE];
    struct log_segment_head head = { .stream = stream->id,
                                     .number = stream->staged.next,
                                     .previous = stream->staged.digest,
                                     .first_ms = times->first_ms,
                                     .last_ms = times->last_ms };
    segment_key(key, &stream->id, head.number);
    struct buffer *value = batch_add(book->batch, STORE_WRITE_PUT, key);
    stream->is_staged = true;
    if (!log_segment_seal(value, &head, readers->readers, readers->reader_count, records, error))
        return false;
    stream->staged.next++;
    stream->staged.digest = sha256_of(buffer_view(value));
    stream->staged.size += value->size;
    book->batch->written_count++;
    book->batch->written_size += value->size;
    return true;
}

static bool segment_get(struct logbook *book, const struct log_stream *stream, uint64_t number,
                        struct buffer *text, struct log_segment *segment, struct error *error)
{
    char key[STREAM_KEY_SIZE];
    uint64_t revision;
    segment_key(key, &stream->id, number);
    size_t before = text->size;
    return store_get(book->store, (struct store_key){ LOG_SPACE, key }, text, &revision, error) &&
           log_segment_view(segment, bytes_part(buffer_view(text), before, text->size), error);
}

static uint64_t stream_size_max(const struct logbook *book)
{
    unsigned count = MAX(book->stream_count, 1u);
    return MIN(book->options.stream_size_max, book->options.total_size_max / count);
}

/* Whether the oldest segment on the disk has to go. */
static bool is_expired(struct logbook *book, const struct log_stream *stream, int64_t now_ms,
                       uint64_t *size, bool *expired, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    struct log_segment segment;
    struct error failure;
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    *size = 0;
    *expired = true;
    if (!segment_get(book, stream, stream->staged.first, &text, &segment, &failure)) {
        /* What can't be read is of no use to anybody. */
        if (failure.code == ERROR_CORRUPT || failure.code == ERROR_NOT_FOUND)
            return true;
        *error = failure;
        return false;
    }
    *size = text.size;
    *expired = stream->staged.size > stream_size_max(book) ||
               segment.head.last_ms < now_ms - (int64_t)book->options.retention_ms;
    return true;
}

bool log_stream_trim(struct logbook *book, struct log_stream *stream, int64_t now_ms,
                     struct error *error)
{
    char key[STREAM_KEY_SIZE];
    struct log_head *head = &stream->staged;
    uint64_t size = 0;
    bool expired = true;
    for (unsigned i = 0; i < TRIM_COUNT_MAX && expired && head->first < stream->kept.next; i++) {
        if (!is_expired(book, stream, now_ms, &size, &expired, error))
            return false;
        if (!expired)
            break;
        segment_key(key, &stream->id, head->first);
        batch_add(book->batch, STORE_WRITE_DELETE, key);
        stream->is_staged = true;
        head->first++;
        head->size -= MIN(size, head->size);
        book->batch->expired_count++;
    }
    if (!stream->is_staged)
        return true;
    head_key(key, &stream->id);
    struct buffer *value = batch_add(book->batch, STORE_WRITE_PUT, key);
    uint8_t text[HEAD_SIZE];
    struct writer writer = writer_into(text, sizeof(text));
    write_u64_le(&writer, head->first);
    write_u64_le(&writer, head->next);
    write_bytes(&writer, BYTES_OF(head->digest.bytes));
    write_u64_le(&writer, head->size);
    buffer_append(value, writer_view(&writer));
    return true;
}

/* --- proving --- */

static bool chain_check(struct logbook *book, const struct log_stream *stream, uint64_t *count,
                        struct error *error)
{
    struct log_chain chain = { 0 };
    for (uint64_t at = stream->kept.first; at < stream->kept.next; at++) {
        AUTO_BUFFER struct buffer text;
        struct log_segment segment;
        buffer_init(&text, STORE_VALUE_SIZE_MAX);
        if (!segment_get(book, stream, at, &text, &segment, error) ||
            !log_chain_follow(&chain, &segment, error))
            return false;
        if (segment.head.number != at || !digest32_equal(&segment.head.stream, &stream->id))
            return error_set(error, ERROR_CORRUPT, "log segment %" PRIu64 " is another one", at);
        (*count)++;
    }
    return !chain.is_begun || digest32_equal(&chain.digest, &stream->kept.digest) ||
           error_set(error, ERROR_CORRUPT, "log segment %" PRIu64 " is not what the head says",
                     chain.number);
}

bool logbook_check(struct store *store, void (*found)(void *context, const struct error *problem),
                   void *context, uint64_t *count, struct error *error)
{
    struct logbook book = { .store = store };
    struct error problem;
    bool loaded = log_streams_load(&book, error);
    for (size_t i = 0; loaded && i < ARRAY_COUNT(book.streams); i++) {
        for (const struct log_stream *at = book.streams[i]; at != NULL; at = at->next) {
            if (!chain_check(&book, at, count, &problem))
                found(context, &problem);
        }
    }
    log_streams_free(&book);
    return loaded;
}

/* --- reading --- */

/* The first segment from `from` on with records of this time or later.  Their times ascend but for
 * a clock that was set back. */
static bool since_find(struct logbook *book, const struct log_stream *stream, int64_t since_ms,
                       uint64_t *from, struct error *error)
{
    uint64_t low = *from, high = stream->kept.next;
    while (low < high) {
        AUTO_BUFFER struct buffer text;
        struct log_segment segment;
        uint64_t middle = low + (high - low) / 2;
        buffer_init(&text, STORE_VALUE_SIZE_MAX);
        if (!segment_get(book, stream, middle, &text, &segment, error))
            return false;
        if (segment.head.last_ms < since_ms)
            low = middle + 1;
        else
            high = middle;
    }
    *from = low;
    return true;
}

static bool page_fill(struct logbook *book, const struct log_stream *stream, struct log_read *read,
                      struct error *error)
{
    uint64_t at = MAX(read->query.after, stream->kept.first - 1);
    uint64_t size_max = read->query.size_max == 0
                            ? (uint64_t)LOG_PAGE_SIZE_MAX
                            : MIN(read->query.size_max, (uint64_t)LOG_PAGE_SIZE_MAX);
    size_t offsets[LOG_PAGE_COUNT_MAX + 1] = { 0 };
    struct logbook_page *page = &read->page;
    page->first = stream->kept.first < stream->kept.next ? stream->kept.first : 0;
    page->head = (struct log_chain){ stream->kept.next > 1, stream->id, stream->kept.next - 1,
                                     stream->kept.digest };
    at = MIN(at, stream->kept.next - 1) + 1;
    if (read->query.since_ms > 0 && !since_find(book, stream, read->query.since_ms, &at, error))
        return false;
    while (at < stream->kept.next && page->count < LOG_PAGE_COUNT_MAX &&
           (page->count == 0 || read->text.size < size_max)) {
        struct log_segment segment;
        if (!segment_get(book, stream, at++, &read->text, &segment, error))
            return false;
        offsets[++page->count] = read->text.size;
    }
    page->more = at < stream->kept.next;
    read->segments = calloc(page->count + 1, sizeof(*read->segments));
    if (read->segments == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for logs");
    for (size_t i = 0; i < page->count; i++)
        read->segments[i] =
            bytes_part(buffer_view(&read->text), offsets[i], offsets[i + 1] - offsets[i]);
    page->segments = read->segments;
    return true;
}

void log_stream_read(struct logbook *book, struct log_read *read)
{
    const struct log_stream *stream = log_stream_find(book, &read->stream, false);
    buffer_init(&read->text, LOG_PAGE_SIZE_MAX + STORE_VALUE_SIZE_MAX);
    if (stream == NULL)
        read->page.head.stream = read->stream;
    else
        read->has_failed = !page_fill(book, stream, read, &read->error);
}
