/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/run_outbound.h"

#include "base/spawn.h"

#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    TICK_MS = 100
};

struct run_outbound {
    const char *allowed;
    struct line *line;
    struct http_port port;
};

static bool process_spawn(const struct run_outbound *outbound, int socket, struct error *error)
{
    char path[PATH_MAX];
    const char *arguments[] = { "s3n-outbound",
                                outbound->allowed == NULL ? NULL : "--allow-private",
                                outbound->allowed, NULL };
    struct spawn_options options = { .path = path,
                                     .arguments = arguments,
                                     .descriptors = { { socket, 3 } },
                                     .descriptor_count = 1 };
    pid_t pid; /* it ends with its socket, or with this process */
    return spawn_sibling_path(path, sizeof(path), "s3n-outbound", error) &&
           spawn(&pid, &options, error);
}

static void process_start(void *context, struct line *line)
{
    int pair[2];
    struct error error;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        error_system(&error, "make a socket");
        line_failed(line, &error);
        return;
    }
    if (process_spawn(context, pair[1], &error)) {
        line_attach(line, pair[0]);
    } else {
        close(pair[0]);
        line_failed(line, &error);
    }
    close(pair[1]);
}

static void process_detached(void *context UNUSED, struct line *line UNUSED, bool is_hanging UNUSED)
{
}

static bool fetch(void *context, const struct service_facts *facts UNUSED,
                  const struct outbound_request *request, line_done *done, void *done_context,
                  struct line_ticket **ticket, struct error *error)
{
    const struct run_outbound *outbound = context;
    return line_fetch(ticket, outbound->line, request, done, done_context, error);
}

static void cancel(void *context UNUSED, struct line_ticket *ticket)
{
    line_cancel(ticket);
}

/* Nobody counts here. */
static void ended(void *context UNUSED, const struct service_facts *facts UNUSED,
                  const struct http_ending *ending UNUSED)
{
}

bool run_outbound_new(struct run_outbound **outbound, const char *allowed, struct error *error)
{
    struct run_outbound *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for outbound requests");
    struct line_options options = { .concurrency = 1,
                                    .clock = &clock_system,
                                    .context = made,
                                    .start = process_start,
                                    .detached = process_detached };
    *made = (struct run_outbound){ .allowed = allowed,
                                   .port = { .context = made,
                                             .fetch = fetch,
                                             .cancel = cancel,
                                             .ended = ended,
                                             .clock = &clock_system } };
    if (!line_new(&made->line, &options, error)) {
        free(made);
        return false;
    }
    *outbound = made;
    return true;
}

struct http_port *run_outbound_port(struct run_outbound *outbound)
{
    return &outbound->port;
}

bool run_outbound_wait(struct run_outbound *outbound, int owner)
{
    line_tick(outbound->line);
    struct pollfd waiting[] = { { .fd = owner }, /* its end shows all the same */
                                { .fd = line_socket(outbound->line), .events = POLLIN } };
    if (poll(waiting, ARRAY_COUNT(waiting), TICK_MS) > 0 && (waiting[0].revents & POLLHUP) != 0)
        return false;
    if (waiting[1].revents != 0)
        line_read(outbound->line);
    return true;
}
