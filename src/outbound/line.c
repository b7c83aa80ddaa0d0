/* SPDX-License-Identifier: Apache-2.0 */
#include "outbound/line.h"

#include "base/file.h"
#include "base/ipc.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const uint64_t ms_ns = 1000000;

struct line_ticket {
    struct line *line;
    struct line_ticket *next;
    uint32_t id;
    bool is_sent;
    uint64_t hangs_ns; /* when the process has to have answered */
    uint32_t timeout_ms;
    int file; /* the request, until it is sent */
    line_done *done;
    void *context;
};

struct line {
    struct line_options options;
    struct ipc *ipc;
    struct line_ticket *first; /* in the order they came */
    unsigned count, sent_count;
    uint32_t last_id;
    bool is_starting;
    bool is_stuck;     /* its socket took nothing */
    unsigned deaths;   /* without an answer between */
    uint64_t start_ns; /* not before */
    uint64_t idle_ns;  /* since */
};

static uint64_t now_ns(const struct line *line)
{
    return clock_monotonic_ns(line->options.clock);
}

bool line_new(struct line **line, const struct line_options *options, struct error *error)
{
    struct line *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for outbound requests");
    made->options = *options;
    made->idle_ns = now_ns(made);
    *line = made;
    return true;
}

static void ticket_free(struct line_ticket *ticket)
{
    struct line *line = ticket->line;
    struct line_ticket **at = &line->first;
    while (*at != ticket)
        at = &(*at)->next;
    *at = ticket->next;
    line->count--;
    line->sent_count -= ticket->is_sent ? 1 : 0;
    line->idle_ns = now_ns(line);
    file_close(&ticket->file);
    free(ticket);
}

static void ticket_end(struct line_ticket *ticket, const struct outbound_answer *answer,
                       const struct error *error, bool is_ours)
{
    line_done *done = ticket->done;
    void *context = ticket->context;
    ticket_free(ticket);
    done(context, answer, error, is_ours);
}

/* --- the process --- */

static void detach(struct line *line, bool is_hanging)
{
    if (line->ipc == NULL)
        return;
    line->options.detached(line->options.context, line, is_hanging);
    ipc_free(TAKE(line->ipc));
}

void line_free(struct line *line)
{
    if (line == NULL)
        return;
    while (line->first != NULL)
        ticket_free(line->first);
    detach(line, false);
    free(line);
}

/* Those whose request may have reached somebody fail; those that wait still wait. */
static void process_lost(struct line *line, bool is_hanging)
{
    struct error error;
    uint64_t delay_ms = LINE_RESTART_MS_MIN;
    line->is_stuck = false;
    detach(line, is_hanging);
    for (unsigned i = 0; i < line->deaths && delay_ms < LINE_RESTART_MS_MAX; i++)
        delay_ms *= 2;
    line->deaths++;
    line->start_ns = now_ns(line) + MIN(delay_ms, (uint64_t)LINE_RESTART_MS_MAX) * ms_ns;
    error_set(&error, ERROR_CRASHED,
              is_hanging ? "the process for outbound requests did not answer"
                         : "the process for outbound requests ended");
    /* Callbacks may ask for more, or cancel. */
    for (struct line_ticket *at = line->first; at != NULL;) {
        if (!at->is_sent && line->deaths <= LINE_DEATHS_MAX) {
            at = at->next;
            continue;
        }
        ticket_end(at, NULL, &error, true);
        at = line->first;
    }
}

static void start_if_due(struct line *line)
{
    if (line->ipc != NULL || line->is_starting || line->count == 0 || now_ns(line) < line->start_ns)
        return;
    line->is_starting = true;
    line->options.start(line->options.context, line);
}

static bool is_writable(const struct line *line)
{
    struct pollfd polled = { .fd = ipc_descriptor(line->ipc), .events = POLLOUT };
    return poll(&polled, 1, 0) == 1 && (polled.revents & POLLOUT) != 0;
}

/* A frame without a payload: it fits where anything does. */
static bool frame_send(struct line *line, enum outbound_message type, uint32_t id, const int *file)
{
    struct error error;
    return is_writable(line) && ipc_send(line->ipc, (uint16_t)type, id, BYTES_LITERAL(""), file,
                                         file == NULL ? 0 : 1, &error);
}

static void send_waiting(struct line *line)
{
    if (line->ipc == NULL)
        return;
    for (struct line_ticket *at = line->first;
         at != NULL && line->sent_count < line->options.concurrency; at = at->next) {
        if (at->is_sent)
            continue;
        if (!frame_send(line, OUTBOUND_FETCH, at->id, &at->file)) {
            process_lost(line, true);
            return;
        }
        file_close(&at->file);
        at->is_sent = true;
        at->hangs_ns = now_ns(line) + (at->timeout_ms + (uint64_t)LINE_HANG_MS) * ms_ns;
        line->sent_count++;
    }
}

void line_attach(struct line *line, int socket)
{
    struct error error;
    line->is_starting = false;
    if (!ipc_new(&line->ipc, socket, ANSWER_SIZE_MAX, &error)) {
        file_close(&socket);
        line_failed(line, &error);
        return;
    }
    line->idle_ns = now_ns(line);
    send_waiting(line);
}

void line_failed(struct line *line, const struct error *error)
{
    struct error failure;
    line->is_starting = false;
    line->start_ns = now_ns(line) + LINE_RESTART_MS_MAX / 10 * ms_ns;
    error_set(&failure, ERROR_UNAVAILABLE, "no process for outbound requests: %s", error->text);
    for (unsigned left = line->count; left > 0 && line->first != NULL; left--)
        ticket_end(line->first, NULL, &failure, true);
}

int line_socket(const struct line *line)
{
    return line->ipc == NULL ? -1 : ipc_descriptor(line->ipc);
}

/* --- requests --- */

static bool request_store(int *file, const struct outbound_request *request, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, REQUEST_SIZE_MAX);
    outbound_request_write(&text, request);
    if (text.failed)
        return error_set(error, ERROR_LIMIT, "the request is too large");
    int made = memfd_create("request", MFD_CLOEXEC);
    bool is_written = made >= 0 ? file_write_all(made, buffer_view(&text), error)
                                : error_system(error, "file for a request");
    explicit_bzero(text.data, text.size); /* a function's credentials */
    if (is_written)
        *file = made;
    else
        file_close(&made);
    return is_written;
}

bool line_fetch(struct line_ticket **ticket, struct line *line,
                const struct outbound_request *request, line_done *done, void *context,
                struct error *error)
{
    if (line->count - line->sent_count >= LINE_QUEUE_COUNT_MAX)
        return error_set(error, ERROR_BUSY, "%u outbound requests of this application wait already",
                         line->count - line->sent_count);
    struct line_ticket *made = calloc(1, sizeof(*made)), **at = &line->first;
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for an outbound request");
    if (!request_store(&made->file, request, error)) {
        free(made);
        return false;
    }
    made->line = line;
    made->id = ++line->last_id;
    made->timeout_ms = request->timeout_ms;
    made->done = done;
    made->context = context;
    while (*at != NULL)
        at = &(*at)->next;
    *at = made;
    line->count++;
    *ticket = made;
    return true;
}

void line_cancel(struct line_ticket *ticket)
{
    struct line *line = ticket->line;
    bool is_told = !ticket->is_sent || line->ipc == NULL ||
                   frame_send(line, OUTBOUND_CANCEL, ticket->id, NULL);
    ticket_free(ticket);
    line->is_stuck = line->is_stuck || !is_told; /* for line_tick: nobody is called from here */
}

/* --- answers --- */

static struct line_ticket *ticket_find(struct line *line, uint32_t id)
{
    struct line_ticket *at = line->first;
    while (at != NULL && (at->id != id || !at->is_sent))
        at = at->next;
    return at;
}

/* False: a process that says what it can't say is none. */
static bool message_take(struct line *line, const struct ipc_message *message)
{
    struct outbound_answer answer;
    struct error error;
    struct line_ticket *ticket = ticket_find(line, message->id);
    bool is_answer = message->type == IPC_ANSWER_OK;
    if (message->descriptor_count != 0 || (!is_answer && message->type != IPC_ANSWER_ERROR))
        return false;
    if (is_answer && !outbound_answer_read(&answer, message->payload, &error))
        return false;
    line->deaths = 0;
    if (ticket == NULL)
        return message->id != 0 && message->id <= line->last_id; /* it was cancelled meanwhile */
    if (!is_answer)
        (void)ipc_answer_error(message, &error);
    ticket_end(ticket, is_answer ? &answer : NULL, &error, false);
    return true;
}

void line_read(struct line *line)
{
    struct ipc_message message;
    struct error error;
    bool is_good = true;
    while (is_good && line->ipc != NULL && ipc_receive(line->ipc, &message, 0, &error)) {
        is_good = message_take(line, &message);
        ipc_message_done(&message);
    }
    if (line->ipc != NULL && (!is_good || error.code != ERROR_TIMEOUT))
        process_lost(line, !is_good);
    send_waiting(line);
    start_if_due(line);
}

void line_tick(struct line *line)
{
    uint64_t now = now_ns(line);
    bool is_hanging = line->is_stuck && line->ipc != NULL;
    for (const struct line_ticket *at = line->first; at != NULL; at = at->next)
        is_hanging = is_hanging || (at->is_sent && now >= at->hangs_ns);
    if (is_hanging)
        process_lost(line, true);
    if (line->ipc != NULL && line->count == 0 && now >= line->idle_ns + LINE_IDLE_MS * ms_ns)
        detach(line, false);
    send_waiting(line);
    start_if_due(line);
}

bool line_is_idle(const struct line *line)
{
    return line->count == 0 && line->ipc == NULL && !line->is_starting;
}

bool line_can_rest(const struct line *line)
{
    return line->count == 0 && !line->is_starting;
}

uint64_t line_idle_ns(const struct line *line)
{
    return line->idle_ns;
}
