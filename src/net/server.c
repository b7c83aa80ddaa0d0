/* SPDX-License-Identifier: Apache-2.0 */
#include "net/connection.h"

#include "core/checked.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void on_tick(uv_timer_t *timer)
{
    struct http_server *server = timer->data;
    uint64_t now_ms = uv_now(server->loop);
    struct connection *next;
    server->is_crowded =
        server->counts.requests_now > (uint64_t)HTTP_REQUEST_COUNT_MAX * HTTP_CROWDED_EIGHTHS / 8;
    connections_thin(server, now_ms);
    for (struct connection *at = server->connections; at != NULL; at = next) {
        next = at->next; /* connections are freed in close callbacks only */
        if (server->stopping && now_ms >= server->stop_deadline_ms)
            connection_close(at);
        else
            connection_expire(at, now_ms);
    }
    for (size_t i = 0; i < server->listener_count && !server->stopping; i++) {
        if (server->listeners[i].starved)
            connection_accept(server, &server->listeners[i]);
    }
    if (server->handler.on_tick != NULL)
        server->handler.on_tick(server->handler.context);
    server_check_stopped(server);
}

static void use_default(uint32_t *limit, uint32_t otherwise)
{
    if (*limit == 0)
        *limit = otherwise;
}

static void use_defaults(struct http_server_limits *limits)
{
    use_default(&limits->connection_count_max, HTTP_CONNECTION_COUNT_MAX);
    use_default(&limits->peer_connection_count_max, HTTP_PEER_CONNECTION_COUNT_MAX);
    use_default(&limits->handshake_timeout_ms, HTTP_HANDSHAKE_TIMEOUT_MS);
    use_default(&limits->head_timeout_ms, HTTP_HEAD_TIMEOUT_MS);
    use_default(&limits->idle_timeout_ms, HTTP_IDLE_TIMEOUT_MS);
    use_default(&limits->body_timeout_ms, HTTP_BODY_TIMEOUT_MS);
    use_default(&limits->body_rate_min, HTTP_BODY_RATE_MIN);
    use_default(&limits->write_timeout_ms, HTTP_WRITE_TIMEOUT_MS);
    use_default(&limits->answer_timeout_ms, HTTP_ANSWER_TIMEOUT_MS);
    if (limits->memory_max == 0)
        limits->memory_max = HTTP_MEMORY_MAX;
    if (limits->peer_memory_max == 0)
        limits->peer_memory_max = HTTP_PEER_MEMORY_MAX;
}

bool http_server_new(struct http_server **server, const struct http_server_options *options,
                     struct error *error)
{
    struct http_server *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the HTTP server");
    made->loop = options->loop;
    made->handler = options->handler;
    made->limits = options->limits;
    made->tls = options->tls;
    use_defaults(&made->limits);
    made->peers = peer_table_new(made->limits.connection_count_max);
    made->exchanges = calloc(HTTP_REQUEST_COUNT_MAX, sizeof(struct exchange *));
    if (made->peers == NULL || made->exchanges == NULL) {
        peer_table_free(made->peers);
        free(made->exchanges);
        free(made);
        return error_set(error, ERROR_NO_MEMORY, "no memory for the HTTP server");
    }
    made->tick.data = made;
    uv_timer_init(made->loop, &made->tick);
    made->handle_count = 1;
    uv_timer_start(&made->tick, on_tick, HTTP_TICK_MS, HTTP_TICK_MS);
    *server = made;
    return true;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct http_server *server = handle->data;
    server->handle_count--;
}

static void close_listeners_of(struct http_server *server, enum http_listener_kind kind)
{
    for (size_t i = 0; i < server->listener_count; i++) {
        uv_handle_t *handle = (uv_handle_t *)&server->listeners[i].socket;
        if (server->listeners[i].kind == kind && !uv_is_closing(handle))
            uv_close(handle, on_handle_closed);
    }
}

static void close_listeners(struct http_server *server)
{
    close_listeners_of(server, HTTP_LISTENER_TLS);
    close_listeners_of(server, HTTP_LISTENER_PLAIN);
}

void http_server_free(struct http_server *server)
{
    if (server == NULL)
        return;
    close_listeners(server);
    uv_close((uv_handle_t *)&server->tick, on_handle_closed);
    server->stopped_told = true;
    for (struct connection *at = server->connections; at != NULL; at = at->next)
        connection_close(at);
    while (server->handle_count > 0)
        uv_run(server->loop, UV_RUN_ONCE);
    for (uint32_t i = 0; i < server->exchange_count; i++)
        free(server->exchanges[i]);
    free(server->exchanges);
    peer_table_free(server->peers);
    free(server);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct http_server *server = stream->data;
    if (status == 0)
        connection_accept(server, (struct listener *)(void *)stream);
}

static uint16_t port_of(const struct sockaddr_storage *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (address->ss_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        return ntohs(v4.sin_port);
    }
    memcpy(&v6, address, sizeof(v6));
    return ntohs(v6.sin6_port);
}

static bool is_loopback(const struct sockaddr_storage *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (address->ss_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
    }
    memcpy(&v6, address, sizeof(v6));
    return address->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

static bool failed(int status, const char *what, struct error *error)
{
    return error_set(error, status == UV_EADDRINUSE ? ERROR_EXISTS : ERROR_SYSTEM, "%s: %s", what,
                     uv_strerror(status));
}

/* The socket is bound; starts listening. */
static bool start_listening(struct http_server *server, struct listener *listener,
                            struct error *error)
{
    struct sockaddr_storage address = { 0 };
    int size = sizeof(address);
    int status = uv_tcp_getsockname(&listener->socket, (struct sockaddr *)&address, &size);
    if (status < 0)
        return failed(status, "listening socket has no address", error);
    if (listener->kind == HTTP_LISTENER_PLAIN && !is_loopback(&address))
        return error_set(error, ERROR_DENIED,
                         "plain HTTP is for loopback addresses only (127.0.0.0/8, ::1)");
    if (listener->kind == HTTP_LISTENER_TLS && server->tls == NULL)
        return error_set(error, ERROR_INTERNAL, "TLS listener without a certificate");
    status = uv_listen((uv_stream_t *)&listener->socket, SOMAXCONN, on_connection);
    if (status < 0)
        return failed(status, "cannot listen", error);
    listener->port = port_of(&address);
    return true;
}

static struct listener *add_listener(struct http_server *server, enum http_listener_kind kind,
                                     struct error *error)
{
    if (server->listener_count == HTTP_LISTENER_COUNT_MAX || server->stopping) {
        error_set(error, ERROR_LIMIT, "at most %d listeners", HTTP_LISTENER_COUNT_MAX);
        return NULL;
    }
    struct listener *listener = &server->listeners[server->listener_count];
    if (uv_tcp_init(server->loop, &listener->socket) < 0) {
        error_set(error, ERROR_SYSTEM, "no socket to listen on");
        return NULL;
    }
    server->listener_count++;
    server->handle_count++;
    listener->socket.data = server;
    listener->kind = kind;
    listener->port = 0;
    return listener;
}

/* The slot of a listener that failed stays used: at start a failure ends the program anyway. */
static bool give_up(struct listener *listener)
{
    uv_close((uv_handle_t *)&listener->socket, on_handle_closed);
    return false;
}

/* "host:port" with a literal address. */
static bool parse_address(struct sockaddr_storage *address, const char *text, struct error *error)
{
    struct bytes whole = bytes_of_string(text);
    size_t colon = whole.size;
    while (colon > 0 && whole.data[colon - 1] != ':')
        colon--;
    uint64_t port;
    char host[INET6_ADDRSTRLEN + 1];
    struct bytes name = bytes_part(whole, 0, colon == 0 ? 0 : colon - 1);
    bool is_v6 = name.size > 2 && name.data[0] == '[' && name.data[name.size - 1] == ']';
    if (is_v6)
        name = bytes_part(name, 1, name.size - 2);
    bool good = name.size > 0 && name.size < sizeof(host) &&
                http_decimal_parse(&port, bytes_part(whole, colon, whole.size)) && port <= 65535;
    if (good) {
        memcpy(host, name.data, name.size);
        host[name.size] = '\0';
        good = is_v6 ? uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)(void *)address) == 0
                     : uv_ip4_addr(host, (int)port, (struct sockaddr_in *)(void *)address) == 0;
    }
    if (!good)
        return error_set(error, ERROR_INVALID,
                         "\"%s\" is not an address and port, like 127.0.0.1:8443 or [::1]:8443",
                         error_quote(whole).text);
    return true;
}

bool http_server_listen(struct http_server *server, enum http_listener_kind kind,
                        const char *address, struct error *error)
{
    struct sockaddr_storage parsed = { 0 };
    if (!parse_address(&parsed, address, error))
        return false;
    struct listener *listener = add_listener(server, kind, error);
    if (listener == NULL)
        return false;
    int status = uv_tcp_bind(&listener->socket, (struct sockaddr *)&parsed, 0);
    if (status < 0)
        failed(status, address, error);
    if (status < 0 || !start_listening(server, listener, error))
        return give_up(listener);
    return true;
}

bool http_server_listen_socket(struct http_server *server, enum http_listener_kind kind, int socket,
                               struct error *error)
{
    struct listener *listener = add_listener(server, kind, error);
    if (listener == NULL) {
        close(socket);
        return false;
    }
    int status = uv_tcp_open(&listener->socket, socket);
    if (status < 0) {
        close(socket);
        failed(status, "not a socket to listen on", error);
    }
    if (status < 0 || !start_listening(server, listener, error))
        return give_up(listener);
    return true;
}

uint16_t http_server_port(const struct http_server *server, size_t index)
{
    return index < server->listener_count ? server->listeners[index].port : 0;
}

void http_server_set_tls(struct http_server *server, struct tls_context *tls)
{
    server->tls = tls;
}

/* The unanswered exchange of that handle, or NULL. */
static struct exchange *find(struct http_server *server, struct http_handle handle)
{
    if (handle.number == 0 || handle.slot >= server->exchange_count)
        return NULL;
    struct exchange *exchange = server->exchanges[handle.slot];
    bool there = exchange->number == handle.number && exchange->state != EXCHANGE_ANSWERED &&
                 !exchange->connection->closing;
    return there ? exchange : NULL;
}

bool http_server_answer(struct http_server *server, struct http_handle handle,
                        const struct http_answer *answer)
{
    struct exchange *exchange = find(server, handle);
    if (exchange == NULL)
        return false;
    struct connection *connection = exchange->connection;
    bool answered = exchange_answer(exchange, answer);
    connection_process(connection);
    return answered;
}

const struct http_request *http_server_request(struct http_server *server,
                                               struct http_handle handle)
{
    struct exchange *exchange = find(server, handle);
    return exchange == NULL ? NULL : &exchange->head.request;
}

void *http_server_tag(struct http_server *server, struct http_handle handle)
{
    struct exchange *exchange = find(server, handle);
    return exchange == NULL ? NULL : exchange->tag;
}

/* Whoever asks how the node is, is answered until nobody else is served any more. */
static void close_plain(struct http_server *server)
{
    close_listeners(server);
    for (struct connection *at = server->connections; at != NULL; at = at->next)
        connection_drain(at);
}

void server_check_stopped(struct http_server *server)
{
    if (!server->stopping || server->stopped_told)
        return;
    if (server->plain_count == server->counts.connections_now)
        close_plain(server);
    if (server->connections != NULL)
        return;
    server->stopped_told = true;
    if (server->stopped != NULL)
        server->stopped(server->stopped_context);
}

void http_server_announce_end(struct http_server *server)
{
    server->announcing = true;
    uv_timer_set_repeat(&server->tick, HTTP_TICK_MS / 4);
    for (struct connection *at = server->connections; at != NULL; at = at->next) {
        if (at->protocol == &protocol_http2)
            connection_drain(at);
    }
}

void http_server_stop_accepting(struct http_server *server)
{
    close_listeners(server);
}

bool http_server_is_expecting(const struct http_server *server, uint64_t age_ms,
                              uint64_t handshake_ms)
{
    uint64_t now_ms = uv_now(server->loop);
    for (const struct connection *at = server->connections; at != NULL; at = at->next) {
        if (at->closing || at->draining || at->lingering || at->close_when_sent)
            continue;
        bool in_handshake = at->protocol == NULL && at->has_spoken;
        if (at->exchanges == NULL && now_ms - at->since_ms < (in_handshake ? handshake_ms : age_ms))
            return true;
    }
    return false;
}

uint64_t http_server_oldest_ms(const struct http_server *server)
{
    uint64_t now_ms = uv_now(server->loop), oldest_ms = 0;
    for (uint32_t i = 0; i < server->exchange_count; i++) {
        const struct exchange *at = server->exchanges[i];
        if (at->number != 0 && at->state != EXCHANGE_ANSWERED && at->connection != NULL)
            oldest_ms = MAX(oldest_ms, now_ms - MIN(at->since_ms, now_ms) + 1);
    }
    return oldest_ms;
}

void http_server_stop(struct http_server *server, uint32_t drain_ms, void (*stopped)(void *context),
                      void *context)
{
    if (server->stopping)
        return;
    server->stopping = true;
    server->stopped = stopped;
    server->stopped_context = context;
    server->stop_deadline_ms = uv_now(server->loop) + drain_ms;
    close_listeners_of(server, HTTP_LISTENER_TLS);
    for (struct connection *at = server->connections; at != NULL; at = at->next) {
        if (!at->is_plain)
            connection_drain(at);
    }
}

struct http_server_counts http_server_counts(const struct http_server *server)
{
    return server->counts;
}
