/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/node_outbound.h"

#include "base/log.h"
#include "cmd/s3nd/node.h"
#include "core/reader.h"
#include "outbound/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

enum {
    TICK_MS = 500
};

/* What belongs to a line: its process. */
struct desk {
    struct node_outbound *outbound;
    struct line *line; /* since it has asked for a process */
    uv_poll_t *watch;
    pid_t pid;
};

struct node_outbound {
    struct node *node;
    struct http_port port;
    uv_timer_t *tick; /* every now and then while there are lines */
    uv_timer_t *kick; /* soon: a request came */
    struct lines *lines;
    struct desk desks[LINES_COUNT_MAX];
};

static void closed(uv_handle_t *handle)
{
    free(handle);
}

/* --- the process of one --- */

static void watch_end(struct desk *desk)
{
    if (desk->watch == NULL)
        return;
    uv_poll_stop(desk->watch);
    uv_close((uv_handle_t *)desk->watch, closed);
    desk->watch = NULL;
}

static void readable(uv_poll_t *watch, int status, int events)
{
    struct desk *desk = watch->data;
    (void)status, (void)events;
    line_read(desk->line);
}

static void watch_begin(struct desk *desk)
{
    int socket = line_socket(desk->line);
    uv_poll_t *watch = calloc(1, sizeof(*watch));
    if (socket < 0 || watch == NULL ||
        uv_poll_init(&desk->outbound->node->loop, watch, socket) != 0) {
        free(watch);
        return; /* it will seem to hang, and be replaced */
    }
    watch->data = desk;
    desk->watch = watch;
    uv_poll_start(watch, UV_READABLE, readable);
}

static void arrived(void *context, struct ipc_message *answer, const struct error *failure)
{
    struct desk *desk = context;
    struct error error;
    if (answer == NULL) {
        log_error("outbound", failure);
        line_failed(desk->line, failure);
        return;
    }
    struct reader reader = reader_of(answer->payload);
    uint32_t pid = read_u32_le(&reader);
    if (!read_end(&reader) || answer->descriptor_count != 1) {
        error_set(&error, ERROR_INTERNAL, "the supervisor's answer is malformed");
        line_failed(desk->line, &error);
        return;
    }
    int socket = answer->descriptors[0];
    answer->descriptors[0] = -1;
    desk->pid = (pid_t)pid;
    line_attach(desk->line, socket);
    watch_begin(desk);
}

static void process_start(void *context, struct line *line)
{
    struct desk *desk = context;
    struct error error;
    desk->line = line;
    if (!supervisor_request(desk->outbound->node->supervisor, SUPERVISOR_OUTBOUND,
                            (struct bytes){ 0 }, NULL, 0, arrived, desk, &error))
        line_failed(line, &error);
}

static void end_told(void *context UNUSED, struct ipc_message *answer UNUSED,
                     const struct error *failure UNUSED)
{
}

/* An idle process ends by itself when its socket closes; another is made to. */
static void process_detached(void *context, struct line *line UNUSED, bool is_hanging)
{
    struct desk *desk = context;
    struct error error;
    uint8_t number[4];
    struct writer writer = writer_into(number, sizeof(number));
    watch_end(desk);
    if (!is_hanging)
        return;
    char pid[16];
    snprintf(pid, sizeof(pid), "%d", (int)desk->pid);
    log_line(LOG_LEVEL_WARN, "outbound process hangs", "pid", pid, NULL);
    write_u32_le(&writer, (uint32_t)desk->pid);
    if (!supervisor_request(desk->outbound->node->supervisor, SUPERVISOR_WORKER_END,
                            writer_view(&writer), NULL, 0, end_told, NULL, &error))
        log_error("end an outbound process", &error);
}

/* --- all of them --- */

static void on_time(uv_timer_t *timer)
{
    struct node_outbound *outbound = timer->data;
    if (lines_tick(outbound->lines) == 0)
        uv_timer_stop(outbound->tick);
}

static bool fetch(void *context, const struct service_facts *facts,
                  const struct outbound_request *request, line_done *done, void *done_context,
                  struct line_ticket **ticket, struct error *error)
{
    struct node_outbound *outbound = context;
    struct line *line;
    if (!lines_get(&line, outbound->lines, facts->application, &facts->owner, error) ||
        !line_fetch(ticket, line, request, done, done_context, error))
        return false;
    /* Not from here: what fails at once must not answer before this returns. */
    uv_timer_start(outbound->kick, on_time, 0, 0);
    if (!uv_is_active((const uv_handle_t *)outbound->tick))
        uv_timer_start(outbound->tick, on_time, TICK_MS, TICK_MS);
    return true;
}

static void cancel(void *context UNUSED, struct line_ticket *ticket)
{
    line_cancel(ticket);
}

static void ended(void *context, const struct service_facts *facts,
                  const struct http_ending *ending)
{
    struct node_outbound *outbound = context;
    node_metrics_fetched(outbound->node->metrics, facts, ending);
}

static uv_timer_t *timer_new(struct node_outbound *outbound)
{
    uv_timer_t *timer = calloc(1, sizeof(*timer));
    if (timer == NULL || uv_timer_init(&outbound->node->loop, timer) != 0) {
        free(timer);
        return NULL;
    }
    timer->data = outbound;
    return timer;
}

bool node_outbound_open(struct node *node, struct error *error)
{
    struct node_outbound *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for outbound requests");
    made->node = node;
    node->outbound = made;
    made->port = (struct http_port){ made, fetch, cancel, ended, &clock_system };
    struct lines_options options = { .line = { .concurrency = node->config->outbound.concurrency,
                                               .clock = &clock_system,
                                               .start = process_start,
                                               .detached = process_detached } };
    for (size_t i = 0; i < ARRAY_COUNT(made->desks); i++) {
        made->desks[i].outbound = made;
        options.contexts[i] = &made->desks[i];
    }
    if (!lines_new(&made->lines, &options, error))
        return false;
    made->tick = timer_new(made);
    made->kick = timer_new(made);
    return (made->tick != NULL && made->kick != NULL) ||
           error_set(error, ERROR_NO_MEMORY, "no memory for outbound requests");
}

void node_outbound_close(struct node *node)
{
    struct node_outbound *outbound = TAKE(node->outbound);
    if (outbound == NULL)
        return;
    lines_free(outbound->lines);
    if (outbound->tick != NULL)
        uv_close((uv_handle_t *)outbound->tick, closed);
    if (outbound->kick != NULL)
        uv_close((uv_handle_t *)outbound->kick, closed);
    free(outbound);
}

struct http_port *node_outbound_port(struct node_outbound *outbound)
{
    return &outbound->port;
}
