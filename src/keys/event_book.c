/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/event_book.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- a register in an anonymous file --- */

static bool file_register_read(void *context, struct digest48 *value, struct error *error)
{
    const int *descriptor = context;
    struct digest48 found = { 0 };
    ssize_t size = pread(*descriptor, found.bytes, sizeof(found.bytes), 0);
    if (size < 0)
        return error_system(error, "read the log's register");
    if (size != 0 && size != (ssize_t)sizeof(found.bytes))
        return error_set(error, ERROR_CORRUPT, "the log's register has %zd bytes", size);
    *value = found;
    return true;
}

static bool file_register_extend(void *context, const struct digest48 *digest, struct error *error)
{
    const int *descriptor = context;
    struct digest48 value;
    if (!file_register_read(context, &value, error))
        return false;
    events_extend(&value, digest);
    ssize_t size = pwrite(*descriptor, value.bytes, sizeof(value.bytes), 0);
    return size == (ssize_t)sizeof(value.bytes) || error_system(error, "extend the log's register");
}

struct event_register event_register_of(struct platform *platform, int *descriptor)
{
    if (platform->event_register != NULL)
        return (struct event_register){ platform->event_register, platform->context,
                                        platform->extend, platform->read_register };
    return (struct event_register){ "none", descriptor, file_register_extend, file_register_read };
}

/* --- the file --- */

static bool file_write_at(const struct event_book *book, size_t offset, struct bytes content,
                          struct error *error)
{
    for (size_t done = 0; book->file >= 0 && done < content.size;) {
        ssize_t size =
            pwrite(book->file, content.data + done, content.size - done, (off_t)(offset + done));
        if (size <= 0)
            return error_system(error, "write the event log");
        done += (size_t)size;
    }
    return true;
}

/* What is longer is found at the next start, and dropped by what the register says. */
static void file_cut(const struct event_book *book)
{
    if (book->file >= 0)
        (void)!ftruncate(book->file, (off_t)book->log.size);
}

static bool file_load(struct event_book *book, struct error *error)
{
    uint8_t piece[4096];
    for (ssize_t got = 1; book->file >= 0 && got > 0;) {
        got = pread(book->file, piece, sizeof(piece), (off_t)book->log.size);
        if (got < 0)
            return error_system(error, "read the event log");
        buffer_append(&book->log, bytes_of(piece, (size_t)got));
        if (book->log.failed)
            return error_set(error, ERROR_CORRUPT, "the event log has more than %d bytes",
                             EVENTS_SIZE_MAX);
    }
    return true;
}

/* --- entries --- */

static bool digest48_equal(const struct digest48 *a, const struct digest48 *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* The entries of the file that lead to the register. */
static bool log_take(struct event_book *book, struct error *error)
{
    struct digest48 value;
    struct events_replay replay;
    struct event event;
    struct error end = { 0 };
    bool is_over = false;
    if (!book->target.read(book->target.context, &value, error))
        return false;
    events_begin(&replay, buffer_view(&book->log));
    while (!digest48_equal(&replay.head, &value)) {
        if (!events_next(&replay, &event, &is_over, &end) || is_over)
            return error_set(error, ERROR_CORRUPT,
                             "the event log does not explain register %s: it was cut or changed "
                             "(%s), or somebody else extends it; a restart of the machine begins "
                             "a new one",
                             book->target.name, is_over ? "all entries are whole" : end.text);
    }
    book->count = replay.count;
    book->head = replay.head;
    book->log.size = replay.size;
    file_cut(book);
    return true;
}

static void pending_accept(struct event_book *book, const struct digest48 *head)
{
    book->log.size += book->pending_size;
    book->pending_size = 0;
    book->head = *head;
    book->count++;
}

static void pending_drop(struct event_book *book)
{
    book->pending_size = 0;
    file_cut(book);
}

static struct digest48 pending_head(const struct event_book *book)
{
    struct digest48 head = book->head;
    struct digest48 digest =
        event_digest(bytes_of(book->log.data + book->log.size, book->pending_size - 1));
    events_extend(&head, &digest);
    return head;
}

/* Asks the register whether the entry behind the log was extended after all: *is_in. */
static bool pending_settle(struct event_book *book, bool *is_in, struct error *error)
{
    struct digest48 value, next = pending_head(book);
    if (!book->target.read(book->target.context, &value, error))
        return false;
    *is_in = digest48_equal(&value, &next);
    if (*is_in)
        pending_accept(book, &next);
    else if (digest48_equal(&value, &book->head))
        pending_drop(book);
    else
        return error_set(error, ERROR_CORRUPT, "somebody else extends register %s",
                         book->target.name);
    return true;
}

/* Behind the log, not in it yet. */
static bool pending_write(struct event_book *book, const char *kind, const char *details,
                          struct error *error)
{
    uint8_t record[EVENT_SIZE_MAX + 1];
    struct writer writer = writer_into(record, sizeof(record));
    struct event event = {
        .sequence = book->count + 1,
        .time_s = (int64_t)(clock_realtime_ns(book->clock) / 1000000000u),
        .kind = bytes_of_string(kind),
        .details = bytes_of_string(details),
    };
    if (!event_write(&writer, &event, error))
        return false;
    struct bytes text = writer_view(&writer);
    uint8_t *room = buffer_reserve(&book->log, text.size);
    if (room == NULL || book->count == EVENTS_COUNT_MAX) {
        book->log.failed = false;
        return error_set(error, ERROR_LIMIT,
                         "the event log is full; a restart of the machine begins a new one");
    }
    memcpy(room, text.data, text.size);
    if (!file_write_at(book, book->log.size, text, error)) {
        file_cut(book);
        return false;
    }
    book->pending_size = text.size;
    return true;
}

bool event_book_append(struct event_book *book, const char *kind, const char *details,
                       struct error *error)
{
    bool is_in = false;
    struct error unknown = { 0 };
    if (book->pending_size != 0 && !pending_settle(book, &is_in, error))
        return error_within(error, "event log");
    if (!pending_write(book, kind, details, error))
        return error_within(error, "event log");
    struct digest48 digest =
        event_digest(bytes_of(book->log.data + book->log.size, book->pending_size - 1));
    if (book->target.extend(book->target.context, &digest, error)) {
        struct digest48 head = pending_head(book);
        pending_accept(book, &head);
        return true;
    }
    /* It may have been extended all the same. */
    if (pending_settle(book, &is_in, &unknown) && is_in)
        return true;
    return error_within(error, "event log");
}

static bool begin(struct event_book *book, const struct event_book_options *options,
                  struct error *error)
{
    char details[512];
    snprintf(details, sizeof(details),
             "{\"boot\":\"%s\",\"format\":%d,\"node\":\"%s\",\"platform\":\"%s\",\"register\":"
             "\"%s\",\"version\":\"" S3N_VERSION "\"}",
             options->boot, EVENT_LOG_FORMAT, options->node, options->platform,
             options->target.name);
    return event_book_append(book, EVENT_KIND_START, details, error);
}

bool event_book_open(struct event_book *book, const struct event_book_options *options,
                     struct error *error)
{
    *book = (struct event_book){ .target = options->target,
                                 .clock = options->clock,
                                 .file = options->file };
    buffer_init(&book->log, EVENTS_SIZE_MAX);
    bool opened =
        file_load(book, error) && log_take(book, error) &&
        (book->count == 0
             ? begin(book, options, error)
             : event_book_append(book, "restart", "{\"version\":\"" S3N_VERSION "\"}", error));
    if (!opened)
        event_book_done(book);
    return opened;
}

void event_book_done(struct event_book *book)
{
    buffer_done(&book->log);
    book->file = -1;
}

struct bytes event_book_view(const struct event_book *book)
{
    return buffer_view(&book->log);
}
