/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the logbook: what the loop's side (logbook.c), the thread (writer.c) and its store
 * (stream.c) share. */
#ifndef LOGS_LOGBOOK_PARTS_H
#define LOGS_LOGBOOK_PARTS_H

#include "logs/logbook.h"

#include <pthread.h>

enum {
    STREAM_BUCKET_COUNT = 256,
    STREAM_KEY_SIZE = 96,
    BATCH_WRITES_MAX = 512,
    BATCH_ROOM_MIN = 256 /* writes that one stream may need */
};
#define LOG_SPACE "logs"

/* What one invocation logged, or (is_marker) what was dropped of an application's log. */
struct log_input {
    struct log_input *next;
    struct log_source *source; /* the loop's, of a marker */
    struct digest32 stream;
    uint64_t order;
    int64_t time_ms;
    bool is_marker;
    uint64_t dropped_count[LOG_DROP_COUNT], dropped_size[LOG_DROP_COUNT];
    struct redactions *redactions;
    struct log_record record; /* its texts */
    struct bytes failure;
    struct buffer written; /* in `memory`, never grows */
    size_t cost;
    size_t reader_count;
    struct ecdsa_public *readers;
    uint8_t memory[];
};
void log_input_free(struct log_input *input);

/* An application as the loop knows it. */
struct log_source {
    struct log_source *next;
    char application[LOG_NAME_SIZE_MAX + 1];
    struct digest32 owner, stream;
    uint64_t tokens, filled_ns;
    struct log_input *marker; /* waiting, for what is dropped now; under the mutex */
};

struct log_read {
    struct log_read *next;
    struct digest32 stream;
    struct log_query query;
    logbook_read_done *done;
    void *context;
    /* The answer. */
    bool has_failed;
    struct error error;
    struct logbook_page page;
    struct buffer text;
    struct bytes *segments;
};
void log_read_free(struct log_read *read);

/* logbook_copy, which waits. */
struct log_copy {
    const char *path;        /* NULL: none is asked for */
    struct store_copy *copy; /* the thread's; NULL: not begun */
    bool is_over, is_good;   /* under the mutex */
    struct error error;
};

/* A stream in the store; the thread's. */
struct log_head {
    uint64_t first, next; /* segments first to next - 1 are kept */
    struct digest32 digest;
    uint64_t size;
};
struct log_stream {
    struct log_stream *next;
    struct digest32 id;
    struct log_head kept;   /* on the disk */
    struct log_head staged; /* when the batch is written */
    bool is_staged;
};

struct log_batch {
    struct store_write writes[BATCH_WRITES_MAX];
    struct buffer values[BATCH_WRITES_MAX];
    char keys[BATCH_WRITES_MAX][STREAM_KEY_SIZE];
    size_t count;
    uint64_t written_count, written_size, expired_count;
};

struct logbook {
    struct logbook_options options;
    struct log_source *sources[STREAM_BUCKET_COUNT]; /* the loop's */
    unsigned source_count;
    uint64_t order;
    pthread_t thread;
    bool has_thread;
    int wakeup; /* eventfd */
    pthread_mutex_t mutex;
    pthread_cond_t work, copied;
    /* Under the mutex. */
    struct log_input *queue, **queue_last;
    size_t queue_size;
    uint64_t queued_ns; /* the first of the queue */
    struct log_read *reads, **reads_last, *answered;
    struct log_copy copy;
    bool stops, has_failed;
    struct error failure;
    struct logbook_counts counts;
    /* The thread's. */
    struct store *store;
    struct log_stream *streams[STREAM_BUCKET_COUNT];
    unsigned stream_count; /* with segments */
    struct log_batch *batch;
    struct log_input *held, **held_last; /* taken, not written yet */
    uint64_t retry_ns, sweep_ns;
};

/* stream.c */
MUST_CHECK bool log_streams_load(struct logbook *book, struct error *error);
void log_streams_free(struct logbook *book);
struct log_stream *log_stream_find(struct logbook *book, const struct digest32 *id, bool makes);
/* Seals records as the stream's next segment, into the batch. */
MUST_CHECK bool log_stream_append(struct logbook *book, struct log_stream *stream,
                                  const struct log_segment_head *times,
                                  const struct log_input *readers, struct bytes records,
                                  struct error *error);
/* Takes away what is too old and too much, and writes the head. */
MUST_CHECK bool log_stream_trim(struct logbook *book, struct log_stream *stream, int64_t now_ms,
                                struct error *error);
MUST_CHECK bool log_batch_write(struct logbook *book, struct error *error);
void log_batch_drop(struct logbook *book);
void log_stream_read(struct logbook *book, struct log_read *read);

/* writer.c */
void *log_writer_run(void *context);

#endif
