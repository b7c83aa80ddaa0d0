/* SPDX-License-Identifier: Apache-2.0 */
/* The loop's side: rates, the queue, answers to reads. */
#include "logs/logbook_parts.h"

#include "base/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

void log_input_free(struct log_input *input)
{
    if (input == NULL)
        return;
    redactions_release(input->redactions);
    secret_wipe(input->written.data, input->written.capacity);
    free(input);
}

void log_read_free(struct log_read *read)
{
    if (read == NULL)
        return;
    buffer_done(&read->text);
    free(read->segments);
    free(read);
}

/* --- opening and closing --- */

bool logbook_open(struct logbook **book, const struct logbook_options *options, struct error *error)
{
    AUTO(logbook) struct logbook *made = calloc(1, sizeof(*made));
    pthread_condattr_t attributes;
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for logs");
    made->options = *options;
    made->queue_last = &made->queue;
    made->reads_last = &made->reads;
    made->held_last = &made->held;
    pthread_mutex_init(&made->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&made->work, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_cond_init(&made->copied, NULL);
    made->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (made->wakeup < 0)
        return error_system(error, "eventfd");
    made->batch = calloc(1, sizeof(*made->batch));
    if (made->batch == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for logs");
    if (!store_open_sqlite(&made->store, options->path, &options->sealer, error) ||
        !log_streams_load(made, error))
        return error_within(error, "logs");
    int failure = pthread_create(&made->thread, NULL, log_writer_run, made);
    if (failure != 0) {
        errno = failure;
        return error_system(error, "start the logs' thread");
    }
    made->has_thread = true;
    *book = TAKE(made);
    return true;
}

static void inputs_free(struct log_input *first)
{
    while (first != NULL) {
        struct log_input *input = first;
        first = input->next;
        log_input_free(input);
    }
}

static void reads_free(struct log_read *first)
{
    while (first != NULL) {
        struct log_read *read = first;
        first = read->next;
        log_read_free(read);
    }
}

void logbook_keep_log(struct logbook *book)
{
    store_keep_log(book->store);
}

void logbook_close(struct logbook *book)
{
    if (book == NULL)
        return;
    if (book->has_thread) {
        pthread_mutex_lock(&book->mutex);
        book->stops = true;
        pthread_cond_signal(&book->work);
        pthread_mutex_unlock(&book->mutex);
        pthread_join(book->thread, NULL);
    }
    inputs_free(book->queue);
    inputs_free(book->held);
    reads_free(book->reads);
    reads_free(book->answered);
    for (size_t i = 0; i < ARRAY_COUNT(book->sources); i++) {
        while (book->sources[i] != NULL) {
            struct log_source *source = book->sources[i];
            book->sources[i] = source->next;
            free(source);
        }
    }
    log_streams_free(book);
    free(book->batch);
    store_close(book->store);
    if (book->wakeup >= 0)
        close(book->wakeup);
    pthread_mutex_destroy(&book->mutex);
    pthread_cond_destroy(&book->work);
    pthread_cond_destroy(&book->copied);
    free(book);
}

int logbook_descriptor(const struct logbook *book)
{
    return book->wakeup;
}

struct logbook_counts logbook_counts(struct logbook *book)
{
    pthread_mutex_lock(&book->mutex);
    struct logbook_counts counts = book->counts;
    pthread_mutex_unlock(&book->mutex);
    return counts;
}

/* --- applications --- */

static size_t source_hash(const char *application, const struct digest32 *owner)
{
    uint32_t hash = 2166136261u ^ owner->bytes[0];
    for (; *application != '\0'; application++)
        hash = (hash ^ (uint8_t)*application) * 16777619u;
    return (hash ^ hash >> 16) % STREAM_BUCKET_COUNT;
}

/* Forgets whoever has nothing waiting: they begin with a full burst again. */
static void sources_trim(struct logbook *book)
{
    pthread_mutex_lock(&book->mutex);
    for (size_t i = 0; i < ARRAY_COUNT(book->sources); i++) {
        for (struct log_source **at = &book->sources[i]; *at != NULL;) {
            struct log_source *source = *at;
            if (source->marker != NULL) {
                at = &source->next;
                continue;
            }
            *at = source->next;
            free(source);
            book->source_count--;
        }
    }
    pthread_mutex_unlock(&book->mutex);
}

/* NULL: no memory. */
static struct log_source *source_find(struct logbook *book, const struct logbook_entry *entry)
{
    struct log_source **bucket = &book->sources[source_hash(entry->application, &entry->owner)];
    for (struct log_source *at = *bucket; at != NULL; at = at->next) {
        if (strcmp(at->application, entry->application) == 0 &&
            digest32_equal(&at->owner, &entry->owner))
            return at;
    }
    if (book->source_count >= LOG_SOURCE_COUNT_MAX)
        sources_trim(book);
    struct log_source *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return NULL;
    snprintf(made->application, sizeof(made->application), "%s", entry->application);
    made->owner = entry->owner;
    made->stream = log_stream_of(entry->application, &entry->owner);
    made->tokens = book->options.burst_size;
    made->filled_ns = clock_monotonic_ns(book->options.clock);
    made->next = *bucket;
    *bucket = made;
    book->source_count++;
    return made;
}

static bool tokens_take(const struct logbook *book, struct log_source *source, uint64_t size)
{
    const struct logbook_options *options = &book->options;
    uint64_t now_ns = clock_monotonic_ns(options->clock);
    uint64_t passed_ms = (now_ns - source->filled_ns) / 1000000;
    uint64_t needed_ms = options->burst_size * 1000 / MAX(options->rate_size, UINT64_C(1)) + 1;
    uint64_t gained = MIN(passed_ms, needed_ms) * options->rate_size / 1000;
    if (gained > 0) {
        source->tokens = MIN(source->tokens + gained, options->burst_size);
        source->filled_ns = now_ns;
    }
    if (source->tokens < size)
        return false;
    source->tokens -= size;
    return true;
}

/* --- adding --- */

static struct bytes keep(uint8_t **at, const void *data, size_t size)
{
    struct bytes kept = bytes_of(*at, size);
    if (size > 0)
        memcpy(*at, data, size);
    *at += size;
    return kept;
}

static struct bytes keep_text(uint8_t **at, const char *text)
{
    return keep(at, text, strlen(text));
}

static int64_t now_ms_of(const struct logbook *book)
{
    return (int64_t)(clock_realtime_ns(book->options.clock) / 1000000);
}

/* NULL: no memory.  A marker has no texts. */
static struct log_input *input_new(struct logbook *book, const struct log_source *source,
                                   const struct logbook_entry *entry, bool is_marker)
{
    static const struct logbook_entry nothing = {
        .invocation = "", .request = "", .function = "", .version = "", .outcome = ""
    };
    const struct logbook_entry *texts = is_marker ? &nothing : entry;
    const char *failure = texts->failure == NULL ? "" : texts->failure;
    size_t readers_size = entry->reader_count * sizeof(*entry->readers);
    size_t size = sizeof(struct log_input) + readers_size + strlen(texts->invocation) +
                  strlen(texts->request) + strlen(texts->function) + strlen(texts->version) +
                  strlen(texts->outcome) + strlen(failure) + texts->written.size;
    struct log_input *made = malloc(size);
    if (made == NULL)
        return NULL;
    *made = (struct log_input){ .stream = source->stream,
                                .order = book->order++,
                                .time_ms = now_ms_of(book),
                                .is_marker = is_marker,
                                .cost = size,
                                .reader_count = entry->reader_count };
    uint8_t *at = made->memory;
    made->readers = (struct ecdsa_public *)at;
    (void)keep(&at, entry->readers, readers_size);
    made->record = (struct log_record){ .time_ms = made->time_ms,
                                        .invocation = keep_text(&at, texts->invocation),
                                        .request = keep_text(&at, texts->request),
                                        .function = keep_text(&at, texts->function),
                                        .version = keep_text(&at, texts->version),
                                        .outcome = keep_text(&at, texts->outcome) };
    made->failure = keep_text(&at, failure);
    made->written = (struct buffer){ .data = at,
                                     .size = texts->written.size,
                                     .capacity = texts->written.size,
                                     .size_max = texts->written.size };
    (void)keep(&at, texts->written.data, texts->written.size);
    made->redactions = redactions_hold(texts->redactions);
    return made;
}

/* Under the mutex. */
static void queue_add(struct logbook *book, struct log_input *input)
{
    bool was_empty = book->queue == NULL;
    *book->queue_last = input;
    book->queue_last = &input->next;
    if (was_empty)
        book->queued_ns = clock_monotonic_ns(book->options.clock);
    size_t before = book->queue_size;
    book->queue_size += input->cost;
    book->counts.pending_size += input->cost;
    if (was_empty || (before < LOG_GATHER_SIZE && book->queue_size >= LOG_GATHER_SIZE))
        pthread_cond_signal(&book->work);
}

/* One marker per application and round of the thread counts what is missing. */
static void drop(struct logbook *book, struct log_source *source, const struct logbook_entry *entry,
                 enum log_drop why)
{
    struct log_input *fresh = NULL;
    pthread_mutex_lock(&book->mutex);
    book->counts.dropped_count[why]++;
    if (source != NULL && source->marker == NULL) {
        fresh = input_new(book, source, entry, true);
        if (fresh != NULL) {
            fresh->source = source;
            source->marker = fresh;
            queue_add(book, fresh);
        }
    }
    if (source != NULL && source->marker != NULL) {
        source->marker->dropped_count[why]++;
        source->marker->dropped_size[why] += entry->written.size;
    }
    pthread_mutex_unlock(&book->mutex);
}

void logbook_add(struct logbook *book, const struct logbook_entry *entry)
{
    ASSERT(entry->reader_count > 0 && entry->reader_count <= LOG_READER_COUNT_MAX);
    struct log_source *source = source_find(book, entry);
    if (source == NULL) {
        drop(book, NULL, entry, LOG_DROP_MEMORY);
        return;
    }
    if (!tokens_take(book, source, entry->written.size + LOG_ENTRY_COST)) {
        drop(book, source, entry, LOG_DROP_RATE);
        return;
    }
    pthread_mutex_lock(&book->mutex);
    bool has_room = book->counts.pending_size + entry->written.size < LOG_PENDING_SIZE_MAX;
    pthread_mutex_unlock(&book->mutex);
    struct log_input *input = has_room ? input_new(book, source, entry, false) : NULL;
    if (input == NULL) {
        drop(book, source, entry, LOG_DROP_MEMORY);
        return;
    }
    pthread_mutex_lock(&book->mutex);
    book->counts.added_count++;
    book->counts.added_size += entry->written.size;
    queue_add(book, input);
    pthread_mutex_unlock(&book->mutex);
}

/* --- reading --- */

bool logbook_read(struct logbook *book, const struct digest32 *stream,
                  const struct log_query *query, logbook_read_done *done, void *context,
                  struct error *error)
{
    struct log_read *read = calloc(1, sizeof(*read));
    if (read == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to read logs");
    *read =
        (struct log_read){ .stream = *stream, .query = *query, .done = done, .context = context };
    unsigned waiting = 0;
    pthread_mutex_lock(&book->mutex);
    for (const struct log_read *at = book->reads; at != NULL; at = at->next)
        waiting++;
    bool has_room = waiting < LOG_READ_COUNT_MAX;
    if (has_room) {
        *book->reads_last = read;
        book->reads_last = &read->next;
        pthread_cond_signal(&book->work);
    }
    pthread_mutex_unlock(&book->mutex);
    if (!has_room)
        free(read);
    return has_room ||
           error_set(error, ERROR_BUSY, "%d reads of logs wait already", LOG_READ_COUNT_MAX);
}

bool logbook_take(struct logbook *book, struct error *error)
{
    uint64_t ignored;
    (void)!read(book->wakeup, &ignored, sizeof(ignored));
    pthread_mutex_lock(&book->mutex);
    struct log_read *first = TAKE(book->answered);
    bool has_failed = book->has_failed;
    if (has_failed)
        *error = book->failure;
    book->has_failed = false;
    pthread_mutex_unlock(&book->mutex);
    while (first != NULL) {
        struct log_read *answered = first;
        first = answered->next;
        answered->done(answered->context, answered->has_failed ? NULL : &answered->page,
                       answered->has_failed ? &answered->error : NULL);
        log_read_free(answered);
    }
    return !has_failed;
}

bool logbook_copy(struct logbook *book, const char *path, struct error *error)
{
    pthread_mutex_lock(&book->mutex);
    ASSERT(book->copy.path == NULL);
    book->copy = (struct log_copy){ .path = path };
    pthread_cond_signal(&book->work);
    while (!book->copy.is_over)
        pthread_cond_wait(&book->copied, &book->mutex);
    bool is_good = book->copy.is_good;
    if (!is_good)
        *error = book->copy.error;
    book->copy.path = NULL;
    pthread_mutex_unlock(&book->mutex);
    return is_good;
}
