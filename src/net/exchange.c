/* SPDX-License-Identifier: Apache-2.0 */
#include "net/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct exchange *take_slot(struct http_server *server)
{
    struct exchange *exchange = server->free_exchanges;
    if (exchange != NULL) {
        server->free_exchanges = exchange->next_free;
        return exchange;
    }
    if (server->exchange_count == HTTP_REQUEST_COUNT_MAX)
        return NULL;
    exchange = malloc(sizeof(*exchange));
    if (exchange == NULL)
        return NULL;
    exchange->slot = server->exchange_count++;
    server->exchanges[exchange->slot] = exchange;
    return exchange;
}

static void start_state(struct exchange *exchange, enum exchange_state state)
{
    exchange->state = state;
    exchange->since_ms = exchange->mark_ms = uv_now(exchange->connection->server->loop);
    exchange->mark_size = 0;
}

struct exchange *exchange_new(struct connection *connection, int32_t stream)
{
    struct http_server *server = connection->server;
    struct exchange *exchange = take_slot(server);
    if (exchange == NULL)
        return NULL;
    uint32_t slot = exchange->slot;
    memset(exchange, 0, offsetof(struct exchange, head));
    exchange->slot = slot;
    exchange->connection = connection;
    exchange->number = ++server->next_number;
    exchange->stream = stream;
    exchange->since_ms = uv_now(server->loop);
    exchange->head.request = (struct http_request){ .fields = exchange->head.fields };
    exchange->head.is_chunked = exchange->head.close = exchange->head.expect_continue = false;
    exchange->text_size = 0;
    exchange->refuse_status = 0;
    buffer_init(&exchange->body, SIZE_MAX / 2);
    buffer_init(&exchange->answer, SIZE_MAX / 2);
    exchange->next = connection->exchanges;
    if (exchange->next != NULL)
        exchange->next->previous = exchange;
    connection->exchanges = exchange;
    connection->exchange_count++;
    connection->served = true;
    server->counts.requests++;
    server->counts.requests_now++;
    return exchange;
}

static struct http_handle handle_of(const struct exchange *exchange)
{
    return (struct http_handle){ .number = exchange->number, .slot = exchange->slot };
}

/* Memory for a body or an answer, within the server's limit and the peer's. */
static bool charge(struct exchange *exchange, size_t *charged, size_t size)
{
    struct connection *connection = exchange->connection;
    struct http_server *server = connection->server;
    if (size > server->limits.memory_max - server->counts.memory_now ||
        !peer_charge(server->peers, connection->peer, size, server->limits.peer_memory_max))
        return false;
    server->counts.memory_now += size;
    *charged += size;
    return true;
}

static void refund(struct exchange *exchange, size_t *charged)
{
    struct connection *connection = exchange->connection;
    if (*charged > 0)
        peer_refund(connection->server->peers, connection->peer, *charged);
    connection->server->counts.memory_now -= *charged;
    *charged = 0;
}

static void drop_body(struct exchange *exchange)
{
    refund(exchange, &exchange->body_charged);
    buffer_done(&exchange->body);
    buffer_init(&exchange->body, SIZE_MAX / 2);
    exchange->body_buffer = NULL;
}

static void tell_gone(struct exchange *exchange)
{
    const struct http_server_handler *handler = &exchange->connection->server->handler;
    bool announced = exchange->announced;
    void *tag = TAKE(exchange->tag);
    exchange->announced = false;
    if (announced && handler->on_gone != NULL)
        handler->on_gone(handler->context, handle_of(exchange), tag);
}

void exchange_release(struct exchange *exchange)
{
    struct connection *connection = exchange->connection;
    struct http_server *server = connection->server;
    uint64_t number = exchange->number;
    exchange->state = EXCHANGE_ANSWERED; /* nothing that on_gone does can answer it */
    tell_gone(exchange);
    ASSERT(exchange->number == number);
    if (exchange->is_padded)
        padding_end(&connection->padding);
    drop_body(exchange);
    refund(exchange, &exchange->answer_charged);
    buffer_done(&exchange->answer);
    if (exchange->previous != NULL)
        exchange->previous->next = exchange->next;
    else
        connection->exchanges = exchange->next;
    if (exchange->next != NULL)
        exchange->next->previous = exchange->previous;
    connection->exchange_count--;
    connection->since_ms = uv_now(server->loop);
    server->counts.requests_now--;
    exchange->number = 0;
    exchange->connection = NULL;
    exchange->next_free = server->free_exchanges;
    server->free_exchanges = exchange;
}

void exchange_admit(struct exchange *exchange)
{
    struct http_server *server = exchange->connection->server;
    const struct http_request *request = &exchange->head.request;
    struct http_admission admission = { 0 };
    start_state(exchange, EXCHANGE_BODY);
    if (server->handler.on_fields != NULL) {
        exchange->announced = true;
        server->handler.on_fields(server->handler.context, handle_of(exchange), request,
                                  &admission);
        if (exchange->state == EXCHANGE_ANSWERED)
            return;
    }
    exchange->tag = admission.tag;
    exchange->body_buffer = admission.buffer;
    exchange->body_size_max = admission.body_size_max;
    if (request->content_size > (uint64_t)admission.body_size_max)
        exchange_refuse(exchange, 413);
}

bool exchange_add_body(struct exchange *exchange, struct bytes part)
{
    if (exchange->state != EXCHANGE_BODY)
        return false;
    if (part.size == 0)
        return true;
    if (part.size > exchange->body_size_max - exchange->body_size) {
        exchange_refuse(exchange, 413);
        return false;
    }
    if (exchange->body_buffer != NULL) {
        memcpy(exchange->body_buffer + exchange->body_size, part.data, part.size);
    } else {
        if (!charge(exchange, &exchange->body_charged, part.size)) {
            exchange_refuse(exchange, 503);
            return false;
        }
        buffer_append(&exchange->body, part);
        if (exchange->body.failed) {
            exchange_refuse(exchange, 503);
            return false;
        }
    }
    exchange->body_size += part.size;
    return true;
}

void exchange_dispatch(struct exchange *exchange)
{
    struct http_server *server = exchange->connection->server;
    struct http_request *request = &exchange->head.request;
    exchange->request_over = true;
    if (exchange->state != EXCHANGE_BODY)
        return;
    start_state(exchange, EXCHANGE_WAITING);
    request->body = exchange->body_buffer != NULL
                        ? bytes_of(exchange->body_buffer, exchange->body_size)
                        : buffer_view(&exchange->body);
    exchange->announced = true;
    server->handler.on_request(server->handler.context, handle_of(exchange), request,
                               exchange->tag);
}

bool exchange_answer(struct exchange *exchange, const struct http_answer *answer)
{
    struct connection *connection = exchange->connection;
    static const struct http_answer bare = { .status = 500 }, full = { .status = 503 };
    if (exchange->state == EXCHANGE_ANSWERED || connection->closing)
        return false;
    if (!charge(exchange, &exchange->answer_charged, answer->body.size))
        answer = &full;
    if (!connection->protocol->compose(exchange, answer) &&
        !connection->protocol->compose(exchange, &bare)) {
        connection_close(connection);
        return false;
    }
    start_state(exchange, EXCHANGE_ANSWERED);
    exchange->is_padded = answer->pad_size != HTTP_PAD_NONE;
    if (exchange->is_padded)
        padding_begin(&connection->padding, answer->pad_size, exchange->answer.size);
    exchange->announced = false;
    exchange->tag = NULL;
    drop_body(exchange); /* not earlier: the answer may borrow it */
    connection->protocol->answered(connection, exchange);
    return true;
}

/* What is refused before anybody has looked at what is asked for. */
static const struct refusal_row {
    int status;
    const char *code, *message;
} refusals[] = {
    { 400, "invalid", "a line, field, length or chunk is malformed, or could be read in two ways" },
    { 408, "timeout", "the request came too slowly" },
    { 413, "limit", "the body is larger than is taken here" },
    { 414, "limit", "path and query are longer than is taken here" },
    { 417, "unsupported", "nothing but 100-continue can be expected" },
    { 431, "limit", "more or longer fields than are taken here" },
    { 501, "unsupported", "a method or transfer coding that is not served" },
    { 503, "busy", "too many requests, or too much memory for them, at the moment" },
    { 504, "timeout", "the answer took too long" },
    { 505, "unsupported", "a version of HTTP that is not spoken here (1.1 and 2 are)" },
};

static const struct refusal_row *refusal_of(int status)
{
    for (size_t i = 1; i < ARRAY_COUNT(refusals); i++) {
        if (refusals[i].status == status)
            return &refusals[i];
    }
    return &refusals[0];
}

void exchange_refuse(struct exchange *exchange, int status)
{
    char text[200];
    const struct refusal_row *row = refusal_of(status);
    snprintf(text, sizeof(text), "{\"error\":{\"code\":\"%s\",\"message\":\"%s\",\"hint\":null}}",
             row->code, row->message);
    struct http_field type = HTTP_FIELD("content-type", BYTES_LITERAL("application/json"));
    struct http_answer answer = {
        .status = status, .fields = &type, .field_count = 1, .body = bytes_of_string(text)
    };
    exchange->connection->server->counts.requests_refused++;
    if (exchange->state == EXCHANGE_ANSWERED)
        return;
    enum exchange_state state = exchange->state;
    exchange->state = EXCHANGE_ANSWERED; /* on_gone can't answer it */
    tell_gone(exchange);
    exchange->state = state;
    exchange_answer(exchange, &answer);
}

/* Looks at the progress of every stretch of grace_ms, so that a fast start buys no patience later.
 */
static bool is_too_slow(struct exchange *exchange, uint64_t now_ms, uint64_t grace_ms, size_t size)
{
    uint32_t rate_min = exchange->connection->server->limits.body_rate_min;
    uint64_t elapsed_ms = now_ms - exchange->mark_ms;
    if (elapsed_ms <= grace_ms)
        return false;
    uint64_t progress = size - exchange->mark_size;
    exchange->mark_ms = now_ms;
    exchange->mark_size = size;
    return progress < rate_min * elapsed_ms / 1000;
}

static uint64_t patience_ms(const struct http_server *server, uint32_t usual_ms)
{
    return server->is_crowded ? MIN(usual_ms, (uint32_t)HTTP_CROWDED_TIMEOUT_MS) : usual_ms;
}

bool exchange_expire(struct exchange *exchange, uint64_t now_ms)
{
    struct connection *connection = exchange->connection;
    const struct http_server_limits *limits = &connection->server->limits;
    uint64_t elapsed_ms = now_ms - exchange->since_ms;
    switch (exchange->state) {
    case EXCHANGE_FIELDS:
        if (elapsed_ms <= patience_ms(connection->server, limits->head_timeout_ms))
            return false;
        exchange_refuse(exchange, 408);
        return true;
    case EXCHANGE_BODY:
        if (!is_too_slow(exchange, now_ms, patience_ms(connection->server, limits->body_timeout_ms),
                         exchange->body_size))
            return false;
        exchange_refuse(exchange, 408);
        return true;
    case EXCHANGE_WAITING:
        if (elapsed_ms <= limits->answer_timeout_ms)
            return false;
        exchange_refuse(exchange, 504);
        return true;
    case EXCHANGE_ANSWERED:
        if (is_too_slow(exchange, now_ms, limits->write_timeout_ms, exchange->answer_sent))
            connection->protocol->abandon(connection, exchange);
        return false;
    }
    return false;
}
