/* SPDX-License-Identifier: Apache-2.0 */
/* The server's side of a slipstream process. */
#include "slipstream/worker.h"

#include "base/file.h"
#include "base/ipc.h"
#include "core/writer.h"
#include "slipstream/channel.h"
#include "slipstream/requests.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    ANSWER_TIMEOUT_MS = 10000
};

enum slot_state {
    SLOT_FREE,
    SLOT_ACQUIRED,
    SLOT_RUNNING,
    SLOT_DONE
};

struct worker_slot {
    enum slot_state state;
    bool has_function;
    uint32_t function;     /* that it ran last */
    uint32_t request_size; /* strings and input end here in the mailbox */
    uint64_t token;
};

struct worker {
    struct ipc *ipc;
    struct channel channel;
    int event;
    int answer_timeout_ms;
    bool is_lost;
    uint32_t taken;
    uint32_t running_count;
    struct worker_slot slots[CHANNEL_SLOTS_MAX];
};

static bool worker_ask(struct worker *worker, uint16_t type, struct bytes payload,
                       const int *descriptors, unsigned descriptor_count, struct error *error)
{
    if (worker->is_lost)
        return error_set(error, ERROR_CRASHED, "the slipstream process is gone");
    return ipc_send(worker->ipc, type, 0, payload, descriptors, descriptor_count, error);
}

static enum worker_answer answer_take(struct worker *worker, int timeout_ms, struct error *error)
{
    struct ipc_message message;
    if (!ipc_receive(worker->ipc, &message, timeout_ms, error))
        return error->code == ERROR_TIMEOUT ? WORKER_ANSWER_NONE : WORKER_ANSWER_LOST;
    bool is_done = message.type == IPC_ANSWER_OK;
    if (message.type == IPC_ANSWER_ERROR)
        ipc_answer_error(&message, error);
    else if (!is_done)
        error_set(error, ERROR_INVALID, "the slipstream process answered out of turn");
    ipc_message_done(&message);
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
    if (!channel_make(&worker->channel, &memory, options->slot_count, options->mailbox_size, error))
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
    const int descriptors[] = { image, files };
    bool has_files = files >= 0;
    return worker_ask(worker, has_files ? WORKER_REQUEST_LOAD_FILES : WORKER_REQUEST_LOAD,
                      writer_view(&writer), descriptors, has_files ? 2 : 1, error);
}

bool worker_unload(struct worker *worker, uint32_t function, struct error *error)
{
    uint8_t payload[WORKER_UNLOAD_SIZE];
    struct writer writer = writer_into(payload, sizeof(payload));
    write_u32_le(&writer, function);
    return worker_ask(worker, WORKER_REQUEST_UNLOAD, writer_view(&writer), NULL, 0, error) &&
           worker_wait(worker, error);
}

bool worker_acquire(struct worker *worker, uint32_t function, uint32_t *slot)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < worker->channel.slot_count && !worker->is_lost; i++) {
        const struct worker_slot *each = &worker->slots[i];
        if (each->state != SLOT_FREE)
            continue;
        if (each->has_function && each->function == function) {
            best = i;
            break;
        }
        /* A slot that ran nothing yet keeps what others have warm. */
        if (best == UINT32_MAX || (!each->has_function && worker->slots[best].has_function))
            best = i;
    }
    if (best == UINT32_MAX)
        return false;
    worker->slots[best].state = SLOT_ACQUIRED;
    *slot = best;
    return true;
}

void *worker_mailbox(const struct worker *worker, uint32_t slot, size_t *size)
{
    *size = worker->channel.mailbox_size;
    return channel_mailbox(&worker->channel, slot);
}

void worker_submit(struct worker *worker, uint32_t slot, uint32_t function, uint64_t token)
{
    struct worker_slot *running = &worker->slots[slot];
    ASSERT(slot < worker->channel.slot_count && running->state == SLOT_ACQUIRED);
    struct mailbox header;
    memcpy(&header, channel_mailbox(&worker->channel, slot), sizeof(header));
    *running = (struct worker_slot){ .state = SLOT_RUNNING,
                                     .has_function = true,
                                     .function = function,
                                     .token = token,
                                     .request_size = header.errors.offset };
    worker->running_count++;
    if (!worker->is_lost)
        channel_submit(&worker->channel, slot, function, token);
}

/* Zeroes an area as far as it was used, by what the guest says, checked like all it says. */
static void wipe_area(uint8_t *mailbox, size_t size, const struct mailbox_area *area)
{
    struct bytes view;
    if (mailbox_area_view(mailbox, size, area, &view))
        memset(mailbox + (view.data - mailbox), 0, view.size);
    else
        memset(mailbox, 0, size);
}

void worker_release(struct worker *worker, uint32_t slot)
{
    size_t size;
    uint8_t *memory = worker_mailbox(worker, slot, &size);
    struct worker_slot *held = &worker->slots[slot];
    ASSERT(held->state == SLOT_ACQUIRED || held->state == SLOT_DONE);
    struct mailbox header;
    memcpy(&header, memory, sizeof(header));
    wipe_area(memory, size, &header.output);
    wipe_area(memory, size, &header.errors);
    /* The request by what we laid out ourselves; one never submitted by its header. */
    size_t request_size = held->state == SLOT_ACQUIRED ? header.errors.offset : held->request_size;
    memset(memory, 0, MIN(MAX(request_size, sizeof(header)), size));
    held->state = SLOT_FREE;
}

/* Slots whose process died. */
static bool take_lost(struct worker *worker, struct worker_completion *completion)
{
    for (uint32_t i = 0; i < worker->channel.slot_count; i++) {
        struct worker_slot *slot = &worker->slots[i];
        if (slot->state != SLOT_RUNNING)
            continue;
        slot->state = SLOT_DONE;
        worker->running_count--;
        *completion = (struct worker_completion){ .token = slot->token,
                                                  .slot = i,
                                                  .outcome = { .kind = OUTCOME_CRASHED } };
        return true;
    }
    return false;
}

bool worker_take(struct worker *worker, struct worker_completion *completion)
{
    uint64_t count, token;
    uint32_t index;
    struct outcome outcome;
    /* Before looking: whatever is posted after this raises the event again. */
    if (read(worker->event, &count, sizeof(count)) < 0)
        count = 0;
    while (channel_take(&worker->channel, &worker->taken, &index, &token, &outcome)) {
        struct worker_slot *slot = index == UINT32_MAX ? NULL : &worker->slots[index];
        /* A process that answers what nobody asked is not trusted any further. */
        if (slot == NULL || slot->state != SLOT_RUNNING || slot->token != token) {
            worker_lost(worker);
            break;
        }
        slot->state = SLOT_DONE;
        worker->running_count--;
        *completion =
            (struct worker_completion){ .token = token, .slot = index, .outcome = outcome };
        return true;
    }
    return worker->is_lost && take_lost(worker, completion);
}

int worker_event(const struct worker *worker)
{
    return worker->event;
}

int worker_socket(const struct worker *worker)
{
    return ipc_descriptor(worker->ipc);
}

void worker_lost(struct worker *worker)
{
    worker->is_lost = true;
}

bool worker_is_alive(const struct worker *worker)
{
    return !worker->is_lost;
}

uint32_t worker_running_count(const struct worker *worker)
{
    return worker->running_count;
}
