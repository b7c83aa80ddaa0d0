/* SPDX-License-Identifier: Apache-2.0 */
/* The thread: takes the queue, makes segments of it and writes them, answers reads. */
#include "logs/logbook_parts.h"

#include "base/secret.h"
#include "core/sort.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    RETRY_MS = 1000,
    SWEEP_MS = 60000,
    SWEEP_FIRST_MS = 2000,
    COPY_PAGES = 64 /* in one turn */
};

static uint64_t now_ns_of(const struct logbook *book)
{
    return clock_monotonic_ns(book->options.clock);
}

static int64_t now_ms_of(const struct logbook *book)
{
    return (int64_t)(clock_realtime_ns(book->options.clock) / 1000000);
}

/* --- one stream's records --- */

struct building {
    struct logbook *book;
    struct log_stream *stream;
    const struct log_input *readers; /* whose readers the segment is for; NULL: it is empty */
    struct buffer records;
    struct log_segment_head times;
    struct error *error;
    bool has_failed;
};

static void segment_end(struct building *building)
{
    if (building->readers != NULL && !building->has_failed)
        building->has_failed =
            !log_stream_append(building->book, building->stream, &building->times,
                               building->readers, buffer_view(&building->records), building->error);
    secret_wipe(building->records.data, building->records.size);
    buffer_clear(&building->records);
    building->readers = NULL;
}

static bool same_readers(const struct log_input *a, const struct log_input *b)
{
    return a->reader_count == b->reader_count &&
           memcmp(a->readers, b->readers, a->reader_count * sizeof(*a->readers)) == 0;
}

/* Has room for `size` more bytes in a segment for this input's readers. */
static void segment_prepare(struct building *building, const struct log_input *input, size_t size)
{
    if (building->readers != NULL && (!same_readers(building->readers, input) ||
                                      building->records.size + size > LOG_SEGMENT_PLAIN_MAX))
        segment_end(building);
    if (building->readers == NULL) {
        building->readers = input;
        building->times = (struct log_segment_head){ .first_ms = input->time_ms };
    }
    building->times.last_ms = input->time_ms;
}

static void add_marker(struct building *building, const struct log_input *input)
{
    for (unsigned why = 0; why < LOG_DROP_COUNT; why++) {
        if (input->dropped_count[why] == 0)
            continue;
        struct log_record record = { .time_ms = input->time_ms,
                                     .drop = (enum log_drop)why,
                                     .dropped_count = input->dropped_count[why],
                                     .dropped_size = input->dropped_size[why] };
        segment_prepare(building, input, 64);
        log_record_write_dropped(&building->records, &record);
    }
}

static void add_line(struct building *building, const struct log_input *input, size_t *begun,
                     const struct log_line *line)
{
    size_t size = LOG_LINE_OVERHEAD + line->text.size;
    if (building->records.size + size > LOG_SEGMENT_PLAIN_MAX) {
        log_record_end(&building->records, *begun);
        segment_prepare(building, input, size + log_record_overhead(&input->record));
        *begun = log_record_begin(&building->records, &input->record);
    }
    log_record_add(&building->records, line);
}

static void add_invocation(struct building *building, struct log_input *input)
{
    struct log_line line = { 0 };
    redact(&input->written, input->redactions);
    struct bytes left = buffer_view(&input->written);
    segment_prepare(building, input, log_record_overhead(&input->record) + 1024);
    size_t begun = log_record_begin(&building->records, &input->record);
    while (logs_split(&left, &line))
        add_line(building, input, &begun, &line);
    if (input->failure.size > 0) {
        struct log_line last = { .level = LOG_LEVEL_NUMBER_ERROR,
                                 .flags = LOG_LINE_BY_NODE,
                                 .text = bytes_part(input->failure, 0, LOG_LINE_SIZE_MAX) };
        add_line(building, input, &begun, &last);
    }
    log_record_end(&building->records, begun);
}

/* --- a round --- */

static int input_order(const void *left, const void *right)
{
    const struct log_input *a = *(const struct log_input *const *)left;
    const struct log_input *b = *(const struct log_input *const *)right;
    int order = memcmp(a->stream.bytes, b->stream.bytes, sizeof(a->stream.bytes));
    if (order != 0)
        return order;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* One application's inputs, into the batch. */
static bool stream_build(struct logbook *book, struct log_input **inputs, size_t count,
                         struct error *error)
{
    struct building building = { .book = book, .error = error };
    building.stream = log_stream_find(book, &inputs[0]->stream, true);
    if (building.stream == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for logs");
    buffer_init(&building.records, 2 * (size_t)LOG_SEGMENT_PLAIN_MAX);
    for (size_t i = 0; i < count && !building.has_failed; i++) {
        if (inputs[i]->is_marker)
            add_marker(&building, inputs[i]);
        else
            add_invocation(&building, inputs[i]);
    }
    bool failed = building.records.failed;
    segment_end(&building);
    buffer_done(&building.records);
    if (failed)
        return error_set(error, ERROR_NO_MEMORY, "no memory for logs");
    return !building.has_failed && log_stream_trim(book, building.stream, now_ms_of(book), error);
}

/* What may stand in one batch: as many as have room for all that the stream needs besides. */
static size_t part_of(struct log_input **inputs, size_t count)
{
    size_t size = 0, at = 0;
    while (at < count && digest32_equal(&inputs[at]->stream, &inputs[0]->stream) &&
           (at == 0 || size + inputs[at]->cost < LOG_ROUND_SIZE_MAX)) {
        /* Each change of readers may begin a segment. */
        size += at > 0 && !same_readers(inputs[at], inputs[at - 1]) ? (size_t)LOG_SEGMENT_PLAIN_MAX
                                                                    : inputs[at]->cost;
        at++;
    }
    return at;
}

static void inputs_release(struct logbook *book, struct log_input **inputs, size_t count)
{
    uint64_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += inputs[i]->cost;
        log_input_free(TAKE(inputs[i]));
    }
    pthread_mutex_lock(&book->mutex);
    book->counts.pending_size -= size;
    pthread_mutex_unlock(&book->mutex);
}

/* Writes inputs in batches; *written of them are on the disk when it fails. */
static bool inputs_write(struct logbook *book, struct log_input **inputs, size_t count,
                         size_t *written, struct error *error)
{
    size_t at = 0;
    *written = 0;
    while (at < count) {
        size_t part = part_of(inputs + at, count - at);
        if (!stream_build(book, inputs + at, part, error)) {
            log_batch_drop(book);
            return false;
        }
        at += part;
        bool same_next = at < count && digest32_equal(&inputs[at]->stream, &inputs[at - 1]->stream);
        if (at == count || same_next || book->batch->count > BATCH_WRITES_MAX - BATCH_ROOM_MIN) {
            if (!log_batch_write(book, error))
                return false;
            *written = at;
        }
    }
    return true;
}

static void failure_note(struct logbook *book, const struct error *error)
{
    pthread_mutex_lock(&book->mutex);
    book->counts.failure_count++;
    book->has_failed = true;
    book->failure = *error;
    pthread_mutex_unlock(&book->mutex);
}

static void hold_again(struct logbook *book, struct log_input **inputs, size_t count)
{
    book->held = NULL;
    book->held_last = &book->held;
    for (size_t i = 0; i < count; i++) {
        inputs[i]->next = NULL;
        *book->held_last = inputs[i];
        book->held_last = &inputs[i]->next;
    }
}

/* All that is held: written, or held on. */
static void round_run(struct logbook *book)
{
    size_t count = 0, written = 0;
    struct error error = { 0 };
    for (const struct log_input *at = book->held; at != NULL; at = at->next)
        count++;
    struct log_input **inputs = count == 0 ? NULL : calloc(count, sizeof(struct log_input *));
    if (inputs == NULL) {
        if (count > 0)
            book->retry_ns = now_ns_of(book) + RETRY_MS * UINT64_C(1000000);
        return;
    }
    size_t i = 0;
    for (struct log_input *at = book->held; at != NULL; at = at->next)
        inputs[i++] = at;
    sort_items(inputs, count, sizeof(struct log_input *), input_order);
    bool is_done = inputs_write(book, inputs, count, &written, &error);
    inputs_release(book, inputs, written);
    hold_again(book, inputs + written, count - written);
    book->retry_ns = 0;
    if (!is_done) {
        failure_note(book, &error);
        book->retry_ns = now_ns_of(book) + RETRY_MS * UINT64_C(1000000);
    }
    free(inputs);
}

/* Takes what is too old of all streams. */
static void sweep(struct logbook *book)
{
    struct error error;
    bool is_good = true;
    for (size_t i = 0; i < ARRAY_COUNT(book->streams) && is_good; i++) {
        for (struct log_stream *at = book->streams[i]; at != NULL && is_good; at = at->next) {
            if (at->kept.first == at->kept.next)
                continue;
            is_good = log_stream_trim(book, at, now_ms_of(book), &error);
            if (is_good && book->batch->count > BATCH_WRITES_MAX - BATCH_ROOM_MIN)
                is_good = log_batch_write(book, &error);
        }
    }
    is_good = is_good && log_batch_write(book, &error);
    if (!is_good) {
        log_batch_drop(book);
        failure_note(book, &error);
    }
    book->sweep_ns = now_ns_of(book) + SWEEP_MS * UINT64_C(1000000);
}

/* --- the thread --- */

static bool is_retry_due(const struct logbook *book, uint64_t now_ns)
{
    return book->retry_ns == 0 || now_ns >= book->retry_ns;
}

/* When there is something to do, if nobody says anything before. */
static uint64_t due_ns(const struct logbook *book)
{
    uint64_t due = book->sweep_ns;
    if (book->queue != NULL || book->held != NULL) {
        uint64_t gathered_ns = book->queued_ns + LOG_GATHER_MS * UINT64_C(1000000);
        due = MIN(due, MAX(gathered_ns, book->retry_ns));
    }
    return due;
}

/* Under the mutex. */
static bool copy_is_due(const struct logbook *book)
{
    return book->copy.path != NULL && !book->copy.is_over;
}

/* Under the mutex, which is given up meanwhile. */
static void wait_for_work(struct logbook *book)
{
    for (;;) {
        uint64_t now_ns = now_ns_of(book), due = due_ns(book);
        bool is_full = book->queue_size >= LOG_GATHER_SIZE && is_retry_due(book, now_ns);
        if (book->stops || book->reads != NULL || copy_is_due(book) || is_full || now_ns >= due)
            return;
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        uint64_t left_ns = due - now_ns + (uint64_t)until.tv_nsec;
        until.tv_sec += (time_t)(left_ns / 1000000000);
        until.tv_nsec = (long)(left_ns % 1000000000);
        pthread_cond_timedwait(&book->work, &book->mutex, &until);
    }
}

/* Under the mutex: the queue becomes held, markers are closed. */
static void queue_take(struct logbook *book)
{
    for (struct log_input *at = book->queue; at != NULL; at = at->next) {
        if (at->source != NULL)
            at->source->marker = NULL;
        at->source = NULL;
    }
    if (book->queue != NULL) {
        *book->held_last = book->queue;
        book->held_last = book->queue_last;
    }
    book->queue = NULL;
    book->queue_last = &book->queue;
    book->queue_size = 0;
}

static void reads_answer(struct logbook *book, struct log_read *first)
{
    struct log_read *last = NULL;
    for (struct log_read *at = first; at != NULL; at = at->next) {
        log_stream_read(book, at);
        last = at;
    }
    pthread_mutex_lock(&book->mutex);
    if (last != NULL) {
        struct log_read **end = &book->answered;
        while (*end != NULL)
            end = &(*end)->next;
        *end = first;
    }
    bool has_news = book->answered != NULL || book->has_failed;
    pthread_mutex_unlock(&book->mutex);
    uint64_t one = 1;
    if (has_news)
        (void)!write(book->wakeup, &one, sizeof(one));
}

/* Some pages; what is logged meanwhile comes first. */
static void copy_go_on(struct logbook *book)
{
    struct log_copy *copy = &book->copy;
    uint64_t left = 0, all;
    bool is_good = (copy->copy != NULL ||
                    store_copy_new(&copy->copy, book->store, copy->path, &copy->error)) &&
                   store_copy_step(copy->copy, COPY_PAGES, &left, &all, &copy->error);
    if (is_good && left > 0)
        return;
    store_copy_free(TAKE(copy->copy));
    pthread_mutex_lock(&book->mutex);
    copy->is_good = is_good;
    copy->is_over = true;
    pthread_cond_broadcast(&book->copied);
    pthread_mutex_unlock(&book->mutex);
}

void *log_writer_run(void *context)
{
    struct logbook *book = context;
    bool stops = false;
    book->sweep_ns = now_ns_of(book) + SWEEP_FIRST_MS * UINT64_C(1000000);
    while (!stops) {
        pthread_mutex_lock(&book->mutex);
        wait_for_work(book);
        stops = book->stops;
        uint64_t now_ns = now_ns_of(book);
        struct log_read *reads = TAKE(book->reads);
        bool has_copy = copy_is_due(book);
        book->reads_last = &book->reads;
        bool is_due = stops || is_retry_due(book, now_ns);
        if (is_due)
            queue_take(book);
        pthread_mutex_unlock(&book->mutex);
        if (is_due)
            round_run(book);
        reads_answer(book, reads);
        if (has_copy)
            copy_go_on(book);
        if (now_ns >= book->sweep_ns)
            sweep(book);
    }
    return NULL;
}
