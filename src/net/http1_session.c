/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.1 on a connection: one request at a time, pipelined ones in order. */
#include "net/connection.h"

#include <string.h>

static bool http1_start(struct connection *connection)
{
    connection->http1.current = NULL;
    return true;
}

/* The head is complete in exchange->text. */
static void head_over(struct connection *connection, struct exchange *exchange)
{
    struct http_request *request = &exchange->head.request;
    int status = http1_head_parse(&exchange->head, exchange->text, exchange->text_size);
    if (status != 0) {
        exchange_refuse(exchange, status);
        return;
    }
    request->is_secure = connection->tls != NULL;
    request->peer = bytes_of_string(connection->peer_text);
    request->exporter = connection->tls != NULL ? connection->exporter : NULL;
    exchange->request_over = !request->has_body;
    exchange_admit(exchange);
    if (!request->has_body)
        exchange_dispatch(exchange);
    else if (exchange->head.expect_continue && exchange->state == EXCHANGE_BODY)
        connection->http1.aside = "HTTP/1.1 100 Continue\r\n\r\n";
}

static size_t take_head(struct connection *connection, struct exchange *exchange,
                        struct bytes bytes)
{
    size_t used;
    enum http1_step step = http1_scan(&connection->http1.scan, bytes, &used);
    if (step == HTTP1_BAD) {
        exchange_refuse(exchange, connection->http1.scan.status);
        return used;
    }
    memcpy(exchange->text + exchange->text_size, bytes.data, used);
    exchange->text_size += used;
    if (step == HTTP1_DONE)
        head_over(connection, exchange);
    return used;
}

static size_t take_body(struct connection *connection, struct exchange *exchange,
                        struct bytes bytes)
{
    struct bytes part;
    size_t used;
    bool over;
    if (exchange->head.is_chunked) {
        enum http1_step step = http1_chunked_read(&connection->http1.chunked, bytes, &used, &part);
        if (step == HTTP1_BAD) {
            exchange_refuse(exchange, 400);
            return used;
        }
        /* one that announces more than may come need not be waited for */
        if (step == HTTP1_MORE &&
            connection->http1.chunked.left > exchange->body_size_max - exchange->body_size) {
            exchange_refuse(exchange, 413);
            return used;
        }
        over = step == HTTP1_DONE;
    } else {
        uint64_t left = exchange->head.request.content_size - exchange->body_size;
        used = (size_t)MIN(left, (uint64_t)bytes.size);
        part = bytes_part(bytes, 0, used);
        over = used == left;
    }
    if (exchange_add_body(exchange, part) && over)
        exchange_dispatch(exchange);
    return used;
}

static size_t http1_input(struct connection *connection, struct bytes bytes)
{
    size_t used = 0;
    while (used < bytes.size && !connection->closing && !connection->close_when_sent) {
        struct exchange *exchange = connection->http1.current;
        struct bytes rest = bytes_part(bytes, used, bytes.size);
        if (exchange == NULL) {
            exchange = exchange_new(connection, 0);
            if (exchange == NULL) {
                connection->http1.aside =
                    "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n"
                    "content-length: 0\r\nretry-after: 1\r\n\r\n";
                connection->close_when_sent = connection->linger = true;
                break;
            }
            connection->http1.current = exchange;
            connection->http1.scan = (struct http1_scan){ 0 };
            connection->http1.chunked = (struct http1_chunked){ 0 };
            connection->http1.close = false;
        }
        if (exchange->state == EXCHANGE_FIELDS)
            used += take_head(connection, exchange, rest);
        else if (exchange->state == EXCHANGE_BODY)
            used += take_body(connection, exchange, rest);
        else
            break;
    }
    return used;
}

static bool http1_compose(struct exchange *exchange, const struct http_answer *answer)
{
    struct connection *connection = exchange->connection;
    char text[HTTP_ANSWER_HEAD_SIZE_MAX];
    struct writer writer = writer_into(text, sizeof(text));
    bool close = answer->close || exchange->head.close || connection->draining ||
                 connection->server->stopping ||
                 (connection->server->announcing && connection->answer_count > 0) ||
                 !exchange->request_over;
    if (!http1_answer_write(&writer, answer, close))
        return false;
    bool bare = exchange->request_over && exchange->head.request.method == HTTP_METHOD_HEAD;
    bool bodiless = bare || answer->status == 204 || answer->status == 304;
    struct bytes body = bodiless ? (struct bytes){ 0 } : answer->body;
    buffer_clear(&exchange->answer);
    (void)buffer_reserve(&exchange->answer, writer.size + body.size);
    buffer_append(&exchange->answer, writer_view(&writer));
    buffer_append(&exchange->answer, body);
    connection->http1.close = close;
    return !exchange->answer.failed;
}

static void http1_answered(struct connection *connection, struct exchange *exchange)
{
    (void)connection;
    (void)exchange; /* output finds it */
}

static void http1_output(struct connection *connection, struct writer *writer)
{
    struct exchange *exchange = connection->http1.current;
    if (connection->http1.aside != NULL && (exchange == NULL || exchange->answer_sent == 0)) {
        bool is_late = exchange != NULL && exchange->state == EXCHANGE_ANSWERED;
        if (!is_late)
            write_bytes(writer, bytes_of_string(connection->http1.aside));
        connection->http1.aside = NULL;
    }
    if (exchange == NULL || exchange->state != EXCHANGE_ANSWERED)
        return;
    struct bytes part = bytes_part(buffer_view(&exchange->answer), exchange->answer_sent,
                                   writer->capacity - writer->size);
    write_bytes(writer, part);
    exchange->answer_sent += part.size;
    if (exchange->answer_sent < exchange->answer.size)
        return;
    if (connection->http1.close || connection->draining) {
        connection->close_when_sent = true;
        connection->linger = !exchange->request_over;
    }
    connection->http1.current = NULL;
    connection->answer_count++;
    exchange_release(exchange);
}

static void http1_abandon(struct connection *connection, struct exchange *exchange)
{
    (void)exchange;
    connection_close(connection);
}

static void http1_expire(struct connection *connection, uint64_t now_ms)
{
    if (connection->http1.current != NULL)
        exchange_expire(connection->http1.current, now_ms);
}

static void http1_drain(struct connection *connection)
{
    if (connection->http1.current == NULL && connection->input.size == 0 &&
        !connection_has_unread(connection))
        connection->close_when_sent = true;
}

static void http1_done(struct connection *connection)
{
    connection->http1.current = NULL;
}

const struct protocol protocol_http1 = {
    .start = http1_start,
    .input = http1_input,
    .output = http1_output,
    .answered = http1_answered,
    .compose = http1_compose,
    .abandon = http1_abandon,
    .expire = http1_expire,
    .drain = http1_drain,
    .done = http1_done,
};
