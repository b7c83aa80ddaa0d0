/* SPDX-License-Identifier: Apache-2.0 */
#include "outbound/serve.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/ipc.h"

#include <string.h>
#include <unistd.h>

enum {
    IDLE_WAIT_MS = 60000,
    MESSAGE_PAYLOAD_MAX = 64 /* requests come in files */
};

struct desk;

/* A request under way. */
struct slot {
    struct desk *desk;
    struct journey *journey; /* NULL: free */
    uint32_t id;
};

struct desk {
    struct ipc *ipc;
    const struct journey_world *world;
    struct slot slots[JOURNEY_COUNT_MAX];
    bool is_lost;
};

static void answer_send(struct desk *desk, uint32_t id, const struct outbound_answer *answer,
                        const struct error *failure)
{
    AUTO_BUFFER struct buffer text;
    struct error error = { 0 };
    buffer_init(&text, ANSWER_SIZE_MAX);
    if (answer != NULL)
        outbound_answer_write(&text, answer);
    else
        error = *failure;
    if (text.failed)
        error_set(&error, ERROR_LIMIT, "the answer is too large");
    bool is_sent = answer != NULL && !text.failed
                       ? ipc_send(desk->ipc, IPC_ANSWER_OK, id, buffer_view(&text), NULL, 0, &error)
                       : ipc_send_error(desk->ipc, id, &error, &error);
    desk->is_lost = desk->is_lost || !is_sent;
}

static void slot_done(void *context, const struct outbound_answer *answer,
                      const struct error *error)
{
    struct slot *slot = context;
    slot->journey = NULL; /* it frees itself */
    answer_send(slot->desk, slot->id, answer, error);
}

static bool request_load(struct buffer *text, int file, struct error *error)
{
    if (lseek(file, 0, SEEK_SET) != 0)
        return error_system(error, "read a request");
    return file_read_descriptor(text, file, error);
}

static struct slot *slot_find(struct desk *desk, bool is_used, uint32_t id)
{
    for (size_t i = 0; i < ARRAY_COUNT(desk->slots); i++) {
        struct slot *slot = &desk->slots[i];
        if ((slot->journey != NULL) == is_used && (!is_used || slot->id == id))
            return slot;
    }
    return NULL;
}

static void fetch_begin(struct desk *desk, const struct ipc_message *message)
{
    struct error error;
    struct buffer text;
    struct slot *slot = slot_find(desk, false, 0);
    buffer_init(&text, REQUEST_SIZE_MAX);
    bool is_begun = slot != NULL || error_set(&error, ERROR_BUSY, "too many requests at a time");
    is_begun = is_begun && request_load(&text, message->descriptors[0], &error) &&
               journey_start(&slot->journey, desk->world, &text, slot_done, slot, &error);
    if (is_begun)
        slot->id = message->id;
    else
        answer_send(desk, message->id, NULL, &error);
    buffer_done(&text);
}

static bool message_take(struct desk *desk, const struct ipc_message *message, struct error *error)
{
    if (message->type == OUTBOUND_FETCH && message->descriptor_count == 1 &&
        message->payload.size == 0) {
        fetch_begin(desk, message);
        return true;
    }
    if (message->type != OUTBOUND_CANCEL || message->descriptor_count != 0)
        return error_set(error, ERROR_INVALID, "the server asked for what is not in the table");
    struct slot *slot = slot_find(desk, true, message->id);
    if (slot != NULL)
        journey_cancel(TAKE(slot->journey));
    return true;
}

/* Until nothing is there; false: the connection is over. */
static bool messages_take(struct desk *desk, struct error *error)
{
    struct ipc_message message;
    while (ipc_receive(desk->ipc, &message, 0, error)) {
        bool is_taken = message_take(desk, &message, error);
        ipc_message_done(&message);
        if (!is_taken)
            return false;
    }
    return error->code == ERROR_TIMEOUT;
}

static int wait_ms(const struct journey_world *world)
{
    uint64_t now_ns = clock_monotonic_ns(&clock_system), due_ns = resolver_due_ns(world->resolver);
    if (due_ns <= now_ns)
        return 0;
    return (int)MIN((due_ns - now_ns) / 1000000 + 1, (uint64_t)IDLE_WAIT_MS);
}

bool outbound_serve(int socket, const struct journey_world *world, struct error *error)
{
    struct desk desk = { .world = world };
    struct transfers_watch watches[1 + 2 * LOOKUP_COUNT_MAX];
    bool is_good = true;
    if (!ipc_new(&desk.ipc, socket, MESSAGE_PAYLOAD_MAX, error))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(desk.slots); i++)
        desk.slots[i].desk = &desk;
    while (is_good && !desk.is_lost) {
        watches[0] = (struct transfers_watch){ .descriptor = socket };
        unsigned count = 1 + resolver_watches(world->resolver, watches + 1);
        transfers_wait(world->transfers, watches, count, wait_ms(world));
        resolver_work(world->resolver, clock_monotonic_ns(&clock_system));
        is_good = !watches[0].is_ready || messages_take(&desk, error);
    }
    for (size_t i = 0; i < ARRAY_COUNT(desk.slots); i++)
        journey_cancel(TAKE(desk.slots[i].journey));
    ipc_free(desk.ipc);
    return is_good || error->code == ERROR_UNAVAILABLE;
}
