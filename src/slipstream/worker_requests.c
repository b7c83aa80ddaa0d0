/* SPDX-License-Identifier: Apache-2.0 */
/* The server's side of a slipstream process: its beginning and end, and what it is asked over its
 * control socket. */
#include "slipstream/worker_state.h"

#include "base/file.h"
#include "core/reader.h"
#include "core/writer.h"
#include "slipstream/deadline.h"
#include "slipstream/requests.h"
#include "slipstream/seed.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    ANSWER_TIMEOUT_MS = 10000
};

struct worker_function *worker_function_find(struct worker *worker, uint32_t function)
{
    for (uint32_t i = 0; i < worker->function_count; i++)
        if (worker->functions[i].function == function)
            return &worker->functions[i];
    return NULL;
}

static bool function_note(struct worker *worker, uint32_t function, const struct settings *settings)
{
    struct worker_function *row = worker_function_find(worker, function);
    if (row == NULL && worker->function_count == LIBRARY_FUNCTIONS_MAX)
        return false;
    if (row == NULL)
        row = &worker->functions[worker->function_count++];
    *row = (struct worker_function){
        .function = function,
        .is_direct = lane_is_direct(settings),
        .is_isolated = settings->entry == SETTINGS_ENTRY_NATIVE ||
                       (settings->flags & SETTINGS_ISOLATE_INVOCATION) != 0,
    };
    return true;
}

static bool worker_ask(struct worker *worker, uint16_t type, struct bytes payload,
                       const int *descriptors, unsigned descriptor_count, struct error *error)
{
    if (worker->is_lost)
        return error_set(error, ERROR_CRASHED, "the slipstream process is gone");
    if (worker->asked_count == WORKER_ASKED_MAX)
        return error_set(error, ERROR_BUSY, "the slipstream process has not answered yet");
    if (!ipc_send(worker->ipc, type, 0, payload, descriptors, descriptor_count, error))
        return false;
    worker->asked[worker->asked_count++] = type;
    return true;
}

/* The oldest request, which has its answer now; 0: there was none. */
static uint16_t asked_take(struct worker *worker)
{
    uint16_t type = worker->asked_count > 0 ? worker->asked[0] : 0;
    if (type != 0)
        memmove(worker->asked, worker->asked + 1, --worker->asked_count * sizeof(worker->asked[0]));
    return type;
}

/* One at a time, and never before a request that somebody waits for. */
static void ready_tell(struct worker *worker)
{
    uint8_t payload[WORKER_POOL_SIZE];
    struct writer writer = writer_into(payload, sizeof(payload));
    struct error error;
    if (worker->asked_count > 0 || worker->ready_told == worker->ready_count)
        return;
    write_u32_le(&writer, worker->ready_count);
    if (worker_ask(worker, WORKER_REQUEST_POOL, writer_view(&writer), NULL, 0, &error))
        worker->ready_told = worker->ready_count;
}

void worker_set_ready(struct worker *worker, uint32_t lane_count)
{
    worker->ready_count = MIN(lane_count, worker->channel.shape.lane_count);
    for (uint32_t i = worker->ready_count; i < worker->channel.shape.lane_count; i++)
        worker->lanes[i].is_used = worker->lanes[i].is_used && worker->lanes[i].load > 0;
    ready_tell(worker);
}

/* What a process says that may be hostile. */
static void profile_take(struct worker *worker, struct bytes payload)
{
    struct worker_profile *profile = &worker->profile;
    struct reader reader = reader_of(payload);
    profile->total = read_u32_le(&reader);
    profile->count = MIN(read_u32_le(&reader), (uint32_t)PROFILE_ROWS_MAX);
    for (uint32_t i = 0; i < profile->count; i++) {
        profile->rows[i].function = read_u32_le(&reader);
        profile->rows[i].samples = read_u32_le(&reader);
    }
    if (!read_end(&reader))
        *profile = (struct worker_profile){ 0 };
}

static enum worker_answer answer_take(struct worker *worker, int timeout_ms, struct error *error)
{
    struct ipc_message message;
    uint16_t asked = WORKER_REQUEST_POOL;
    for (;;) {
        if (!ipc_receive(worker->ipc, &message, timeout_ms, error))
            return error->code == ERROR_TIMEOUT ? WORKER_ANSWER_NONE : WORKER_ANSWER_LOST;
        asked = asked_take(worker);
        if (asked != WORKER_REQUEST_POOL)
            break;
        ipc_message_done(&message);
        ready_tell(worker);
    }
    bool is_done = message.type == IPC_ANSWER_OK;
    if (message.type == IPC_ANSWER_ERROR)
        ipc_answer_error(&message, error);
    else if (!is_done || asked == 0)
        error_set(error, ERROR_INVALID, "the slipstream process answered out of turn");
    if (is_done && asked == WORKER_REQUEST_PROFILE)
        profile_take(worker, message.payload);
    ipc_message_done(&message);
    ready_tell(worker);
    if (asked == 0)
        return WORKER_ANSWER_LOST;
    return is_done ? WORKER_ANSWER_DONE : WORKER_ANSWER_REFUSED;
}

enum worker_answer worker_answer(struct worker *worker, struct error *error)
{
    return answer_take(worker, 0, error);
}

static bool worker_wait(struct worker *worker, struct error *error)
{
    return answer_take(worker, worker->answer_timeout_ms, error) == WORKER_ANSWER_DONE;
}

static bool worker_handshake(struct worker *worker, const struct worker_options *options,
                             struct error *error)
{
    AUTO_CLOSE int memory = -1;
    uint32_t stations = MIN(MAX(options->station_count, 1u),
                            MAX(channel_station_count_max(options->mailbox_size), 1u));
    struct channel_shape shape = { options->lane_count, stations, options->mailbox_size };
    if (!channel_make(&worker->channel, &memory, &shape, error))
        return false;
    worker->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (worker->event < 0)
        return error_system(error, "make an eventfd");
    int descriptors[] = { memory, worker->event };
    return worker_ask(worker, WORKER_REQUEST_OPEN, (struct bytes){ 0 }, descriptors, 2, error);
}

bool worker_open(struct worker **made, int socket, const struct worker_options *options,
                 struct error *error)
{
    AUTO(worker) struct worker *worker = NULL;
    if (!worker_open_begin(&worker, socket, options, error))
        return false;
    if (!worker_wait(worker, error))
        return error_within(error, "start a slipstream process");
    *made = TAKE(worker);
    return true;
}

bool worker_open_begin(struct worker **made, int socket, const struct worker_options *options,
                       struct error *error)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL) {
        file_close(&socket);
        return error_set(error, ERROR_NO_MEMORY, "no memory for a worker");
    }
    worker->event = -1;
    worker->core_count = MAX(options->core_count, 1u);
    worker->answer_timeout_ms =
        options->answer_timeout_ms != 0 ? options->answer_timeout_ms : ANSWER_TIMEOUT_MS;
    if (!ipc_new(&worker->ipc, socket, WORKER_PAYLOAD_MAX, error)) {
        file_close(&socket);
        worker_close(worker);
        return false;
    }
    if (!worker_handshake(worker, options, error)) {
        worker_close(worker);
        return error_within(error, "start a slipstream process");
    }
    *made = worker;
    return true;
}

void worker_close(struct worker *worker)
{
    if (worker == NULL)
        return;
    ipc_free(worker->ipc);
    channel_done(&worker->channel);
    file_close(&worker->event);
    if (worker->requests != NULL)
        explicit_bzero(worker->requests, CALL_AREA_SIZE);
    free(worker->requests);
    free(worker);
}

bool worker_load(struct worker *worker, uint32_t function, int image, int files,
                 const struct settings *settings, struct error *error)
{
    return worker_load_begin(worker, function, image, files, settings, error) &&
           worker_wait(worker, error);
}

bool worker_load_begin(struct worker *worker, uint32_t function, int image, int files,
                       const struct settings *settings, struct error *error)
{
    uint8_t payload[WORKER_LOAD_SIZE];
    struct writer writer = writer_into(payload, sizeof(payload));
    write_u32_le(&writer, function);
    settings_write(&writer, settings);
    if (!function_note(worker, function, settings))
        return error_set(error, ERROR_LIMIT, "at most %d functions", LIBRARY_FUNCTIONS_MAX);
    const int descriptors[] = { image, files };
    bool has_files = files >= 0;
    return worker_ask(worker, has_files ? WORKER_REQUEST_LOAD_FILES : WORKER_REQUEST_LOAD,
                      writer_view(&writer), descriptors, has_files ? 2 : 1, error);
}

bool worker_profile_begin(struct worker *worker, uint32_t function, struct error *error)
{
    uint8_t payload[WORKER_PROFILE_SIZE];
    struct writer writer = writer_into(payload, sizeof(payload));
    write_u32_le(&writer, function);
    return worker_ask(worker, WORKER_REQUEST_PROFILE, writer_view(&writer), NULL, 0, error);
}

const struct worker_profile *worker_profile(const struct worker *worker)
{
    return &worker->profile;
}

bool worker_unload(struct worker *worker, uint32_t function, struct error *error)
{
    uint8_t payload[WORKER_UNLOAD_SIZE];
    struct writer writer = writer_into(payload, sizeof(payload));
    write_u32_le(&writer, function);
    struct worker_function *row = worker_function_find(worker, function);
    if (row != NULL)
        *row = worker->functions[--worker->function_count];
    return worker_ask(worker, WORKER_REQUEST_UNLOAD, writer_view(&writer), NULL, 0, error) &&
           worker_wait(worker, error);
}
