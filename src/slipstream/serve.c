/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/serve.h"

#include "base/file.h"
#include "base/ipc.h"
#include "core/reader.h"
#include "core/writer.h"
#include "slipstream/blank.h"
#include "slipstream/cell.h"
#include "slipstream/lane.h"
#include "slipstream/limits.h"
#include "slipstream/profile.h"
#include "slipstream/program.h"
#include "slipstream/requests.h"
#include "slipstream/shell.h"
#include "slipstream/worker.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum {
    TRIAL_ERRORS_SIZE = 64 << 10
};

struct serve {
    struct engine *engine;
    struct blank blank;
    struct channel channel;
    int channel_memory; /* while there is a blank */
    int event;
    struct library library;
    uint32_t lane_count;
    struct lane lanes[CHANNEL_LANES_MAX];
};

static bool serve_open(void *context, const struct ipc_message *message, struct buffer *answer,
                       int *descriptors, unsigned *descriptor_count, struct error *error)
{
    struct serve *serve = context;
    (void)answer;
    (void)descriptors;
    *descriptor_count = 0;
    if (serve->lane_count != 0)
        return error_set(error, ERROR_CONFLICT, "the channel is open already");
    if (!channel_map(&serve->channel, message->descriptors[0], error))
        return false;
    serve->event = fcntl(message->descriptors[1], F_DUPFD_CLOEXEC, 3);
    if (serve->event < 0)
        return error_system(error, "keep the eventfd");
    if (serve->blank.pid > 0)
        serve->channel_memory = fcntl(message->descriptors[0], F_DUPFD_CLOEXEC, 3);
    serve->lane_count = serve->channel.shape.lane_count;
    for (uint32_t i = 0; i < serve->lane_count; i++)
        serve->lanes[i] =
            (struct lane){ .engine = serve->engine,
                           .library = &serve->library,
                           .event = serve->event,
                           .ring = { .channel = &serve->channel, .lane = i },
                           .next = i + 1 < serve->lane_count ? &serve->lanes[i + 1] : NULL };
    serve->lanes[0].share = serve->blank.share;
    return lane_start(&serve->lanes[0], error);
}

/* Instantiates once, on a mailbox of its own: freezes the snapshot and finds out what can't run.
 * The process ends with it. */
static bool trial_run(void *context, struct program *program, const struct settings *settings,
                      struct error *error)
{
    struct serve *serve = context;
    struct shell *shell = NULL;
    struct outcome outcome;
    struct mailbox_request request = { .errors_capacity = TRIAL_ERRORS_SIZE };
    if (!shell_open(&shell, serve->engine, NULL, 0, error) ||
        !mailbox_prepare(shell_mailbox(shell), MAILBOX_DEFAULT_SIZE, &request, error) ||
        !shell_load(shell, program, settings, &outcome, error))
        return false;
    bool ended_well = outcome_check(&outcome, error) &&
                      mailbox_check_quiet(shell_mailbox(shell), MAILBOX_DEFAULT_SIZE, error);
    return ended_well || error_within(error, "initialisation");
}

/* No guest code runs in this process. */
static bool program_try(struct serve *serve, struct program *program,
                        const struct settings *settings, bool *runs, struct error *error)
{
    const struct cell_trial trial = { trial_run, serve, serve->engine, &serve->channel,
                                      serve->blank.room };
    return program_check(program, serve->engine, settings, runs, error) &&
           (!*runs || cell_try(program, settings, &trial, error));
}

static void lanes_prune(struct serve *serve)
{
    for (uint32_t i = 0; i < serve->lane_count; i++)
        lane_prune(&serve->lanes[i]);
}

/* Something may be asked of it at once: the blank takes it when this is the first. */
static void program_expect(struct serve *serve, uint32_t function, bool has_snapshot,
                           const struct ipc_message *message)
{
    struct library_row row;
    bool is_taken = false;
    if (serve->lane_count == 0)
        return;
    if (serve->blank.pid > 0 && library_find(&serve->library, function, &row)) {
        const struct blank_orders orders = {
            .row = &row,
            .channel = serve->channel_memory,
            .image = message->descriptors[0],
            .files = message->descriptor_count > 1 ? message->descriptors[1] : -1,
            .has_snapshot = has_snapshot,
        };
        is_taken = blank_suits(&serve->blank, row.program) &&
                   blank_bind(&serve->blank, &serve->lanes[0], &orders);
        program_close(row.program);
        file_close(&serve->channel_memory);
    }
    blank_drop(&serve->blank);
    if (!is_taken)
        lane_expect(&serve->lanes[0]);
}

static bool serve_load(void *context, const struct ipc_message *message, struct buffer *answer,
                       int *descriptors, unsigned *descriptor_count, struct error *error)
{
    struct serve *serve = context;
    struct reader reader = reader_of(message->payload);
    AUTO(program) struct program *program = NULL;
    uint32_t function = read_u32_le(&reader);
    struct settings settings;
    bool runs;
    (void)answer;
    (void)descriptors;
    *descriptor_count = 0;
    if (!settings_read(&reader, &settings) || !read_end(&reader))
        return error_set(error, ERROR_INVALID, "load request has a wrong size or content");
    if (!program_open(&program, message->descriptors[0], error) ||
        (message->descriptor_count > 1 &&
         !program_add_files(program, message->descriptors[1], error)))
        return false;
    if (!program_try(serve, program, &settings, &runs, error)) {
        /* Its room is not for a second one. */
        blank_drop(&serve->blank);
        return false;
    }
    if (blank_suits(&serve->blank, program))
        program_share_samples(program, serve->blank.samples);
    if (!library_put(&serve->library, function, program, &settings, error))
        return false;
    lanes_prune(serve);
    program_expect(serve, function, runs, message);
    return true;
}

static bool serve_unload(void *context, const struct ipc_message *message, struct buffer *answer,
                         int *descriptors, unsigned *descriptor_count, struct error *error)
{
    struct serve *serve = context;
    struct reader reader = reader_of(message->payload);
    uint32_t function = read_u32_le(&reader);
    (void)answer;
    (void)descriptors;
    *descriptor_count = 0;
    if (!read_end(&reader))
        return error_set(error, ERROR_INVALID, "unload request has a wrong size");
    if (!library_remove(&serve->library, function, error))
        return false;
    lanes_prune(serve);
    return true;
}

static bool serve_profile(void *context, const struct ipc_message *message, struct buffer *answer,
                          int *descriptors, unsigned *descriptor_count, struct error *error)
{
    struct serve *serve = context;
    struct reader reader = reader_of(message->payload);
    uint32_t function = read_u32_le(&reader), count;
    static struct profile_row rows[PROFILE_ROWS_MAX];
    uint8_t text[WORKER_PAYLOAD_MAX];
    struct writer writer = writer_into(text, sizeof(text));
    struct library_row row;
    (void)descriptors;
    *descriptor_count = 0;
    if (!read_end(&reader))
        return error_set(error, ERROR_INVALID, "profile request has a wrong size");
    if (!library_find(&serve->library, function, &row))
        return error_set(error, ERROR_NOT_FOUND, "function %u is not loaded", function);
    write_u32_le(&writer, profile_rows(row.program->profile, rows, &count));
    program_close(row.program);
    write_u32_le(&writer, count);
    for (uint32_t i = 0; i < count; i++) {
        write_u32_le(&writer, rows[i].function);
        write_u32_le(&writer, rows[i].samples);
    }
    ASSERT(!writer.failed);
    buffer_append(answer, writer_view(&writer));
    return true;
}

static bool serve_pool(void *context, const struct ipc_message *message, struct buffer *answer,
                       int *descriptors, unsigned *descriptor_count, struct error *error)
{
    struct serve *serve = context;
    struct reader reader = reader_of(message->payload);
    uint32_t count = read_u32_le(&reader);
    (void)answer;
    (void)descriptors;
    *descriptor_count = 0;
    if (!read_end(&reader))
        return error_set(error, ERROR_INVALID, "pool request has a wrong size");
    for (uint32_t i = 0; i < serve->lane_count; i++)
        lane_keep(&serve->lanes[i], i < count ? LANE_KEEPS : LANE_KEEPS_NOTHING);
    return true;
}

static const struct ipc_request requests[] = {
    { WORKER_REQUEST_OPEN, "open", 0, 2, serve_open },
    { WORKER_REQUEST_LOAD, "load", WORKER_LOAD_SIZE, 1, serve_load },
    { WORKER_REQUEST_LOAD_FILES, "load", WORKER_LOAD_SIZE, 2, serve_load },
    { WORKER_REQUEST_UNLOAD, "unload", WORKER_UNLOAD_SIZE, 0, serve_unload },
    { WORKER_REQUEST_PROFILE, "profile", WORKER_PROFILE_SIZE, 0, serve_profile },
    { WORKER_REQUEST_POOL, "pool", WORKER_POOL_SIZE, 0, serve_pool },
};

bool worker_serve(struct engine *engine, int socket, bool makes_blank, struct error *error)
{
    /* Once per process, and large: its pages are the system's until they are used. */
    static struct serve the_serve;
    struct serve *serve = &the_serve;
    struct ipc *ipc = NULL;
    if (!ipc_new(&ipc, socket, WORKER_PAYLOAD_MAX, error))
        return error_set(error, ERROR_NO_MEMORY, "no memory to serve");
    serve->engine = engine;
    serve->event = serve->channel_memory = -1;
    if (makes_blank)
        blank_make(&serve->blank, engine);
    library_init(&serve->library);
    while (ipc_serve_one(ipc, requests, ARRAY_COUNT(requests), serve, -1, error))
        ;
    /* Threads may be in the middle of anything: the process ends now, and the kernel cleans up. */
    return error->code == ERROR_UNAVAILABLE;
}
