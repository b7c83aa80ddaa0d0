/* SPDX-License-Identifier: Apache-2.0 */
#include "net/connection.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

bool token_take(struct token_bucket *bucket, uint64_t now_ms, uint32_t burst, uint32_t rate)
{
    if (bucket->filled_ms == 0) {
        bucket->filled_ms = now_ms;
        bucket->tokens = burst;
    }
    uint64_t gained = (now_ms - bucket->filled_ms) * rate / 1000;
    if (gained > 0) {
        bucket->filled_ms = now_ms;
        bucket->tokens = (uint32_t)MIN((uint64_t)burst, bucket->tokens + gained);
    }
    if (bucket->tokens == 0)
        return false;
    bucket->tokens--;
    return true;
}

static struct connection *connection_of(void *handle)
{
    return ((uv_handle_t *)handle)->data;
}

static uint64_t now_of(const struct connection *connection)
{
    return uv_now(connection->server->loop);
}

bool connection_has_unread(const struct connection *connection)
{
    int descriptor = -1, size = 0;
    return uv_fileno((const uv_handle_t *)&connection->socket, &descriptor) == 0 &&
           ioctl(descriptor, FIONREAD, &size) == 0 && size > 0;
}

static void connection_unlink(struct connection *connection)
{
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        connection->server->connections = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    connection->server->plain_count -= connection->is_plain;
}

/* libuv is done with the socket: nothing points here any more. */
static void on_closed(uv_handle_t *handle)
{
    struct connection *connection = connection_of(handle);
    struct http_server *server = connection->server;
    while (connection->exchanges != NULL)
        exchange_release(connection->exchanges);
    if (connection->protocol != NULL)
        connection->protocol->done(connection);
    tls_connection_free(connection->tls);
    buffer_done(&connection->input);
    buffer_done(&connection->output);
    connection_unlink(connection);
    peer_leave(server->peers, connection->peer);
    free(connection);
    server->counts.connections_now--;
    server->handle_count--;
    server_check_stopped(server);
}

void connection_close(struct connection *connection)
{
    if (connection->closing)
        return;
    connection->closing = true;
    uv_close((uv_handle_t *)&connection->socket, on_closed);
}

static bool start_protocol(struct connection *connection)
{
    connection->protocol = &protocol_http1;
    if (connection->tls != NULL && bytes_equal_string(tls_protocol(connection->tls), "h2"))
        connection->protocol = &protocol_http2;
    connection->since_ms = now_of(connection);
    if (!connection->protocol->start(connection))
        return false;
    if (connection->draining)
        connection->protocol->drain(connection);
    return true;
}

/* Hands plaintext to the protocol; what it leaves is kept, in order. */
static void hand_over(struct connection *connection, struct bytes plain)
{
    size_t used = 0;
    if (connection->input.size == 0)
        used = connection->protocol->input(connection, plain);
    buffer_append(&connection->input, bytes_part(plain, used, plain.size));
}

/* A failed connection may still owe the peer an alert or GOAWAY. */
static void fail(struct connection *connection)
{
    connection->close_when_sent = true;
    connection->linger = false;
    if (connection->protocol == NULL && connection->tls == NULL)
        connection_close(connection);
}

/* Reads what TLS has; true when the protocol took something. */
static bool pump_tls(struct connection *connection)
{
    struct error error;
    size_t size = 0;
    if (tls_state(connection->tls) == TLS_STATE_HANDSHAKE &&
        !tls_handshake(connection->tls, &error)) {
        fail(connection);
        return false;
    }
    if (tls_state(connection->tls) != TLS_STATE_OPEN &&
        tls_state(connection->tls) != TLS_STATE_CLOSED)
        return false;
    if (connection->protocol == NULL &&
        (!tls_exporter(connection->tls, HTTP_EXPORTER_LABEL, (struct bytes){ 0 },
                       connection->exporter, sizeof(connection->exporter), &error) ||
         !start_protocol(connection))) {
        fail(connection);
        return false;
    }
    uint8_t *area = connection->server->plain_in;
    if (!tls_read(connection->tls, area, HTTP_IO_SIZE, &size, &error)) {
        fail(connection);
        return false;
    }
    if (size == 0 && tls_state(connection->tls) == TLS_STATE_CLOSED)
        connection->close_when_sent = true;
    if (size > 0)
        hand_over(connection, bytes_of(area, size));
    return size > 0;
}

static bool pump_input(struct connection *connection)
{
    if (connection->close_when_sent || connection->closing)
        return false;
    if (connection->protocol != NULL && connection->input.size > 0) {
        size_t used = connection->protocol->input(connection, buffer_view(&connection->input));
        buffer_consume(&connection->input, used);
        if (used > 0)
            return true;
    }
    if (connection->tls != NULL)
        return connection->input.size < HTTP_PIPELINE_SIZE_MAX && pump_tls(connection);
    if (connection->protocol == NULL && !start_protocol(connection))
        connection_close(connection);
    return false;
}

static void on_written(uv_write_t *write, int status)
{
    struct connection *connection = write->data;
    connection->writing = false;
    buffer_clear(&connection->output);
    if (status < 0)
        connection_close(connection);
    else
        connection_process(connection);
}

static void send_bytes(struct connection *connection, struct bytes bytes)
{
    uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)bytes.data, (unsigned)bytes.size);
    int sent = uv_try_write((uv_stream_t *)&connection->socket, &buffer, 1);
    if (sent == UV_EAGAIN)
        sent = 0;
    if (sent < 0) {
        connection_close(connection);
        return;
    }
    if ((size_t)sent == bytes.size)
        return;
    buffer_append(&connection->output, bytes_part(bytes, (size_t)sent, bytes.size));
    buffer = uv_buf_init((char *)connection->output.data, (unsigned)connection->output.size);
    connection->write.data = connection;
    if (connection->output.failed ||
        uv_write(&connection->write, (uv_stream_t *)&connection->socket, &buffer, 1, on_written) <
            0) {
        connection_close(connection);
        return;
    }
    connection->writing = true;
    connection->write_since_ms = now_of(connection);
}

/* Full records of padded answers, so that these come out even. */
enum {
    PLAIN_OUT_SIZE = HTTP_IO_SIZE / TLS_PADDED_RECORD_SIZE * TLS_PADDED_RECORD_SIZE
};

static bool encrypt(struct connection *connection, struct bytes plain)
{
    struct error error;
    if (!connection->padding.is_active)
        return tls_write(connection->tls, plain, &error);
    uint64_t padding = padding_take(&connection->padding, plain.size);
    return tls_write_padded(connection->tls, plain, padding, &error);
}

/* Produces and sends one area's worth; true when there was something. */
static bool pump_output(struct connection *connection)
{
    struct http_server *server = connection->server;
    if (connection->writing || connection->closing || connection->lingering)
        return false;
    struct writer writer = writer_into(server->plain_out, PLAIN_OUT_SIZE);
    bool open = connection->tls == NULL || tls_state(connection->tls) == TLS_STATE_OPEN ||
                tls_state(connection->tls) == TLS_STATE_CLOSED;
    if (connection->protocol != NULL && open)
        connection->protocol->output(connection, &writer);
    struct bytes out = writer_view(&writer);
    if (connection->tls != NULL) {
        if (out.size > 0 && !encrypt(connection, out)) {
            connection_close(connection);
            return false;
        }
        size_t size = tls_take(connection->tls, server->cipher_out, sizeof(server->cipher_out));
        out = bytes_of(server->cipher_out, size);
    }
    if (out.size > 0)
        send_bytes(connection, out);
    return out.size > 0;
}

/* Where http:// was asked for https:// an alert would tell nobody why. */
static void refuse_plain(struct connection *connection)
{
    static char answer[] =
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
        "{\"error\":{\"code\":\"invalid\",\"message\":\"this port speaks HTTPS\","
        "\"hint\":\"ask https:// instead of http://\"}}\n";
    uv_buf_t buffer = uv_buf_init(answer, sizeof(answer) - 1);
    (void)uv_try_write((uv_stream_t *)&connection->socket, &buffer, 1);
    connection->close_when_sent = true;
    connection->lingering = true;
    connection->since_ms = now_of(connection);
    (void)uv_shutdown(&connection->shutdown, (uv_stream_t *)&connection->socket, NULL);
}

static void alloc_area(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct http_server *server = connection_of(handle)->server;
    (void)suggested;
    *buffer = uv_buf_init(server->read_area, sizeof(server->read_area));
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *area)
{
    struct connection *connection = connection_of(stream);
    struct error error;
    connection->is_slim = false;
    if (connection->closing || size == 0)
        return;
    if (size < 0) {
        connection_close(connection);
        return;
    }
    bool is_first = !connection->has_spoken;
    connection->has_spoken = true;
    if (connection->lingering)
        return; /* read and thrown away */
    struct bytes bytes = bytes_of(area->base, (size_t)size);
    /* No record of TLS begins with the letter of a method. */
    if (connection->tls != NULL && is_first && bytes.data[0] >= 'A' && bytes.data[0] <= 'Z') {
        refuse_plain(connection);
        return;
    }
    if (connection->tls == NULL)
        buffer_append(&connection->input, bytes);
    else if (!tls_feed(connection->tls, bytes, &error))
        connection->input.failed = true;
    if (connection->input.failed) {
        connection_close(connection);
        return;
    }
    connection_process(connection);
    /* What came before it was told to end was no request after all. */
    if (connection->draining && !connection->closing && connection->protocol == &protocol_http1) {
        connection->protocol->drain(connection);
        connection_process(connection);
    }
}

static void update_reading(struct connection *connection)
{
    bool wanted = connection->lingering || connection->input.size < HTTP_PIPELINE_SIZE_MAX;
    if (wanted == connection->reading)
        return;
    connection->reading = wanted;
    if (!wanted)
        uv_read_stop((uv_stream_t *)&connection->socket);
    else if (uv_read_start((uv_stream_t *)&connection->socket, alloc_area, on_read) < 0)
        connection_close(connection);
}

/* Everything is sent.  Closing a socket that still receives resets it, and the peer may lose the
 * answer: with `linger` it is read on for a while. */
static void finish(struct connection *connection)
{
    if (connection->tls != NULL && tls_state(connection->tls) != TLS_STATE_FAILED) {
        tls_close(connection->tls);
        struct http_server *server = connection->server;
        size_t size = tls_take(connection->tls, server->cipher_out, sizeof(server->cipher_out));
        uv_buf_t buffer = uv_buf_init((char *)server->cipher_out, (unsigned)size);
        if (size > 0) /* best effort: the peer has its answer already */
            (void)uv_try_write((uv_stream_t *)&connection->socket, &buffer, 1);
    }
    if (!connection->linger) {
        connection_close(connection);
        return;
    }
    connection->lingering = true;
    connection->since_ms = now_of(connection);
    (void)uv_shutdown(&connection->shutdown, (uv_stream_t *)&connection->socket, NULL);
    buffer_clear(&connection->input);
}

static void process_one(struct connection *connection)
{
    connection->processing = true;
    bool moved = true;
    while (moved && !connection->closing) {
        moved = pump_input(connection);
        moved = pump_output(connection) || moved;
    }
    connection->processing = false;
    if (connection->closing)
        return;
    if (connection->close_when_sent && !connection->writing && !connection->lingering)
        finish(connection);
    if (!connection->closing)
        update_reading(connection);
}

/* The areas of the server hold one connection's bytes while its callbacks run.  Whatever these
 * cause on others, by an answer to them, waits in the list of due connections until then. */
static void process_due(struct http_server *server)
{
    if (server->processing)
        return;
    server->processing = true;
    while (server->due != NULL) {
        struct connection *connection = server->due;
        server->due = connection->next_due;
        connection->is_due = false;
        if (!connection->closing)
            process_one(connection);
    }
    server->processing = false;
}

void connection_process(struct connection *connection)
{
    struct http_server *server = connection->server;
    if (connection->processing || connection->closing)
        return;
    if (!connection->is_due) {
        connection->is_due = true;
        connection->next_due = server->due;
        server->due = connection;
    }
    process_due(server);
}

void connection_drain(struct connection *connection)
{
    if (connection->draining || connection->closing)
        return;
    connection->draining = true;
    if (connection->protocol != NULL)
        connection->protocol->drain(connection);
    else if (connection->tls == NULL)
        connection->close_when_sent = true;
    connection_process(connection);
}

static bool is_over_time(const struct connection *connection, uint64_t now_ms)
{
    const struct http_server_limits *limits = &connection->server->limits;
    uint64_t idle_ms = now_ms - connection->since_ms;
    if (connection->lingering)
        return idle_ms > HTTP_LINGER_TIMEOUT_MS;
    if (connection->writing)
        return now_ms - connection->write_since_ms > limits->write_timeout_ms;
    return connection->protocol == NULL && idle_ms > limits->handshake_timeout_ms;
}

/* Without anything that would be lost by its end. */
static bool is_idle(const struct connection *connection)
{
    return !connection->closing && connection->exchanges == NULL && !connection->writing &&
           !connection->close_when_sent;
}

/* Buffers have grown with what passed. */
static void slim(struct connection *connection)
{
    struct buffer *buffers[] = { &connection->input, &connection->output };
    for (size_t i = 0; i < ARRAY_COUNT(buffers); i++) {
        size_t size_max = buffers[i]->size_max;
        if (buffers[i]->size > 0)
            continue;
        buffer_done(buffers[i]);
        buffer_init(buffers[i], size_max);
    }
    if (connection->tls != NULL)
        tls_slim(connection->tls);
    connection->is_slim = true;
}

/* Ends it as its idle time does. */
static void end_idle(struct connection *connection)
{
    if (connection->protocol == NULL) {
        connection_close(connection);
        return;
    }
    connection->draining = true;
    connection->protocol->drain(connection);
    connection->close_when_sent = true;
    connection_process(connection);
}

/* How readily a connection is given up, by how long it has been idle: those that never asked for
 * anything before all that did; 0: not at all. */
enum {
    STEP_COUNT = 32
};

static unsigned readiness_of(const struct connection *connection, uint64_t now_ms)
{
    uint64_t idle_ms = now_ms - connection->since_ms;
    uint64_t step_ms = connection->served ? HTTP_CROWDED_IDLE_MS : HTTP_CROWDED_UNSERVED_MS;
    if (!is_idle(connection) || idle_ms < step_ms)
        return 0;
    unsigned steps = (unsigned)MIN(idle_ms / step_ms, STEP_COUNT - 1u);
    return connection->served ? steps : steps + STEP_COUNT;
}

void connections_thin(struct http_server *server, uint64_t now_ms)
{
    uint64_t kept = (uint64_t)server->limits.connection_count_max * HTTP_CROWDED_EIGHTHS / 8;
    uint64_t counts[2 * STEP_COUNT] = { 0 };
    if (server->counts.connections_now <= kept)
        return;
    for (const struct connection *at = server->connections; at != NULL; at = at->next)
        counts[readiness_of(at, now_ms)]++;
    uint64_t left = server->counts.connections_now - kept;
    unsigned least = ARRAY_COUNT(counts);
    for (uint64_t sum = 0; least > 1 && sum < left;)
        sum += counts[--least];
    struct connection *next;
    for (struct connection *at = server->connections; at != NULL && left > 0; at = next) {
        next = at->next; /* connections are freed in close callbacks only */
        if (readiness_of(at, now_ms) < least)
            continue;
        end_idle(at);
        server->counts.connections_given_up++;
        left--;
    }
}

void connection_expire(struct connection *connection, uint64_t now_ms)
{
    struct http_server *server = connection->server;
    const struct http_server_limits *limits = &server->limits;
    uint64_t idle_ms = now_ms - connection->since_ms;
    if (connection->closing)
        return;
    if (is_over_time(connection, now_ms)) {
        connection_close(connection);
        return;
    }
    if (connection->protocol != NULL && connection->exchanges == NULL &&
        idle_ms > (connection->served ? limits->idle_timeout_ms : limits->head_timeout_ms) &&
        !connection_has_unread(connection))
        end_idle(connection);
    if (connection->closing)
        return;
    if (!connection->is_slim && connection->protocol != NULL && is_idle(connection) &&
        idle_ms > HTTP_SLIM_AFTER_MS)
        slim(connection);
    if (connection->protocol != NULL) {
        server->processing = true; /* expire walks the exchanges: none may be released meanwhile */
        connection->protocol->expire(connection, now_ms);
        server->processing = false;
    }
    connection_process(connection);
}

static struct connection *connection_new(struct http_server *server, struct listener *listener)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL || uv_tcp_init(server->loop, &connection->socket) < 0) {
        free(connection);
        return NULL;
    }
    connection->socket.data = connection;
    connection->server = server;
    connection->since_ms = uv_now(server->loop);
    buffer_init(&connection->input, HTTP_IO_SIZE + HTTP_PIPELINE_SIZE_MAX);
    buffer_init(&connection->output, sizeof(server->cipher_out));
    connection->next = server->connections;
    if (connection->next != NULL)
        connection->next->previous = connection;
    server->connections = connection;
    connection->is_plain = listener->kind == HTTP_LISTENER_PLAIN;
    server->plain_count += connection->is_plain;
    server->handle_count++;
    server->counts.connections_now++;
    connection->closing =
        uv_accept((uv_stream_t *)&listener->socket, (uv_stream_t *)&connection->socket) < 0;
    return connection;
}

/* Where it comes from, and whether it may stay. */
static bool admit(struct connection *connection, enum http_listener_kind kind)
{
    struct http_server *server = connection->server;
    struct sockaddr_storage address;
    struct error error;
    int size = sizeof(address);
    if (uv_tcp_getpeername(&connection->socket, (struct sockaddr *)&address, &size) < 0)
        return false;
    connection->peer = peer_of((struct sockaddr *)&address);
    uv_ip_name((struct sockaddr *)&address, connection->peer_text, sizeof(connection->peer_text));
    if (!peer_enter(server->peers, connection->peer, server->limits.peer_connection_count_max))
        return false;
    uv_tcp_nodelay(&connection->socket, 1);
    if (kind == HTTP_LISTENER_PLAIN ||
        (server->tls != NULL && tls_connection_new(&connection->tls, server->tls, NULL, &error)))
        return true;
    peer_leave(server->peers, connection->peer);
    return false;
}

/* A connection that was never admitted. */
static void on_turned_away(uv_handle_t *handle)
{
    struct connection *connection = connection_of(handle);
    struct http_server *server = connection->server;
    connection_unlink(connection);
    server->counts.connections_now--;
    server->counts.connections_refused++;
    server->handle_count--;
    free(connection);
    server_check_stopped(server);
}

void connection_accept(struct http_server *server, struct listener *listener)
{
    struct connection *connection = connection_new(server, listener);
    listener->starved = connection == NULL;
    if (connection == NULL)
        return;
    bool full = server->counts.connections_now > server->limits.connection_count_max;
    bool is_late = server->stopping && !connection->is_plain;
    if (connection->closing || full || is_late || !admit(connection, listener->kind)) {
        connection->closing = true;
        uv_close((uv_handle_t *)&connection->socket, on_turned_away);
        return;
    }
    server->counts.connections_accepted++;
    connection_process(connection);
}
