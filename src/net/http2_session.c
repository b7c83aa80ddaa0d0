/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2 (RFC 9113) on a connection, through libnghttp2, which keeps the protocol's rules; here are
 * the limits, the way from streams to exchanges, and back.
 *
 * nghttp2 must not be entered again from its callbacks: they only submit; sending happens in
 * http2_output. */
#include "net/connection.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>

enum {
    FRAME_SIZE_MAX = 17 << 10 /* more than nghttp2 ever gives at once */
};

static uint64_t now_of(const struct connection *connection)
{
    return uv_now(connection->server->loop);
}

static void calm_down(struct connection *connection)
{
    nghttp2_session_terminate_session(connection->http2.session, NGHTTP2_ENHANCE_YOUR_CALM);
}

static struct exchange *exchange_of(struct connection *connection, int32_t stream)
{
    return nghttp2_session_get_stream_user_data(connection->http2.session, stream);
}

/* Frames that cost us work and the peer nothing. */
static bool is_idle_talk(const struct connection *connection, const nghttp2_frame_hd *frame)
{
    switch (frame->type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
    case NGHTTP2_RST_STREAM:
        return false;
    case NGHTTP2_DATA:
        return frame->length == 0 && (frame->flags & NGHTTP2_FLAG_END_STREAM) == 0;
    case NGHTTP2_WINDOW_UPDATE:
        return connection->exchanges == NULL;
    default:
        return true;
    }
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *frame, void *user)
{
    struct connection *connection = user;
    (void)session;
    if (is_idle_talk(connection, frame) &&
        !token_take(&connection->http2.controls, now_of(connection), HTTP_CONTROL_BURST,
                    HTTP_CONTROL_RATE))
        calm_down(connection);
    return 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct connection *connection = user;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    int32_t stream = frame->hd.stream_id;
    struct exchange *exchange = connection->closing ? NULL : exchange_new(connection, stream);
    if (exchange == NULL) {
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_REFUSED_STREAM);
        return 0;
    }
    nghttp2_session_set_stream_user_data(session, stream, exchange);
    return 0;
}

/* A copy in the exchange; empty when there is no room, with the refusal noted. */
static struct bytes keep(struct exchange *exchange, const uint8_t *data, size_t size)
{
    if (size > sizeof(exchange->text) - exchange->text_size) {
        exchange->refuse_status = 431;
        return (struct bytes){ 0 };
    }
    uint8_t *to = exchange->text + exchange->text_size;
    memcpy(to, data, size);
    exchange->text_size += size;
    return bytes_of(to, size);
}

static void refuse_with(struct exchange *exchange, int status)
{
    if (exchange->refuse_status == 0)
        exchange->refuse_status = status;
}

static void note_pseudo(struct exchange *exchange, struct bytes name, struct bytes value)
{
    struct http_request *request = &exchange->head.request;
    if (bytes_equal_string(name, ":method")) {
        if (!http_method_parse(&request->method, value))
            refuse_with(exchange, 501);
    } else if (bytes_equal_string(name, ":path")) {
        request->target = value;
        if (value.size > HTTP_TARGET_SIZE_MAX)
            refuse_with(exchange, 414);
        else if (!http_is_target(value))
            refuse_with(exchange, 400);
    } else if (bytes_equal_string(name, ":authority")) {
        request->authority = value;
    }
}

static void note_field(struct exchange *exchange, struct bytes name, struct bytes value)
{
    struct http_request *request = &exchange->head.request;
    if (request->field_count == HTTP_FIELD_COUNT_MAX) {
        refuse_with(exchange, 431);
        return;
    }
    if (!http_is_token(name) || !http_is_field_value(value))
        refuse_with(exchange, 400);
    exchange->head.fields[request->field_count++] = (struct http_field){ name, value };
    if (bytes_equal_string(name, "content-length")) {
        request->has_content_size = true;
        if (!http_decimal_parse(&request->content_size, value))
            refuse_with(exchange, 400);
    } else if (bytes_equal_string(name, "expect")) {
        exchange->head.expect_continue = http_equal_fold(value, BYTES_LITERAL("100-continue"));
        if (!exchange->head.expect_continue)
            refuse_with(exchange, 417);
    }
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *user)
{
    struct connection *connection = user;
    (void)session;
    (void)flags;
    struct exchange *exchange = exchange_of(connection, frame->hd.stream_id);
    if (exchange == NULL || exchange->state != EXCHANGE_FIELDS)
        return 0; /* refused, or trailers, which are dropped */
    size_t before = exchange->text_size;
    struct bytes kept_name = keep(exchange, name, name_size);
    struct bytes kept_value = keep(exchange, value, value_size);
    if (exchange->refuse_status == 431) {
        exchange->text_size = before;
        return 0;
    }
    if (name_size > 0 && name[0] == ':')
        note_pseudo(exchange, kept_name, kept_value);
    else
        note_field(exchange, kept_name, kept_value);
    return 0;
}

static void fields_over(struct connection *connection, struct exchange *exchange, bool last)
{
    struct http_request *request = &exchange->head.request;
    struct bytes host = http_request_value(request, "host");
    bool has_host = http_request_field(request, "host") != NULL;
    if (request->authority.size == 0)
        request->authority = host;
    if (!http_is_authority(request->authority) ||
        (has_host && !bytes_equal(host, request->authority)))
        refuse_with(exchange, 400);
    request->is_secure = true;
    request->peer = bytes_of_string(connection->peer_text);
    request->exporter = connection->exporter;
    request->has_body = !last;
    exchange->request_over = last;
    if (exchange->refuse_status != 0) {
        exchange_refuse(exchange, exchange->refuse_status);
        return;
    }
    http_request_split_target(request);
    exchange_admit(exchange);
    if (!last && exchange->head.expect_continue && exchange->state == EXCHANGE_BODY) {
        nghttp2_nv status = { (uint8_t *)(uintptr_t) ":status", (uint8_t *)(uintptr_t) "100", 7, 3,
                              NGHTTP2_NV_FLAG_NONE };
        nghttp2_submit_headers(connection->http2.session, NGHTTP2_FLAG_NONE, exchange->stream, NULL,
                               &status, 1, NULL);
    }
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct connection *connection = user;
    (void)session;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    struct exchange *exchange = exchange_of(connection, frame->hd.stream_id);
    bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (exchange == NULL)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        fields_over(connection, exchange, last);
    if (last)
        exchange_dispatch(exchange);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data,
                   size_t size, void *user)
{
    struct connection *connection = user;
    struct exchange *exchange = exchange_of(connection, stream);
    (void)flags;
    if (exchange != NULL && exchange->state == EXCHANGE_BODY)
        exchange_add_body(exchange, bytes_of(data, size)); /* a refusal is an answer */
    nghttp2_session_consume(session, stream, size);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t code, void *user)
{
    struct connection *connection = user;
    struct exchange *exchange = exchange_of(connection, stream);
    (void)code;
    if (exchange == NULL)
        return 0;
    nghttp2_session_set_stream_user_data(session, stream, NULL);
    exchange_release(exchange);
    return 0;
}

/* What we reset because of the peer's errors counts like what the peer resets (CVE-2025-8671). */
static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct connection *connection = user;
    (void)session;
    if (frame->hd.type == NGHTTP2_RST_STREAM && frame->rst_stream.error_code != NGHTTP2_NO_ERROR &&
        !token_take(&connection->http2.resets, now_of(connection), HTTP_RESET_BURST,
                    HTTP_RESET_RATE))
        calm_down(connection);
    return 0;
}

static ssize_t read_answer(nghttp2_session *session, int32_t stream, uint8_t *target,
                           size_t capacity, uint32_t *flags, nghttp2_data_source *source,
                           void *user)
{
    struct exchange *exchange = source->ptr;
    (void)session;
    (void)stream;
    (void)user;
    struct bytes part = bytes_part(buffer_view(&exchange->answer), exchange->answer_sent, capacity);
    if (part.size > 0)
        memcpy(target, part.data, part.size);
    exchange->answer_sent += part.size;
    if (exchange->answer_sent == exchange->answer.size)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)part.size;
}

static nghttp2_nv nv_of(struct bytes name, struct bytes value)
{
    return (nghttp2_nv){ (uint8_t *)(uintptr_t)name.data, (uint8_t *)(uintptr_t)value.data,
                         name.size, value.size, NGHTTP2_NV_FLAG_NONE };
}

static bool http2_compose(struct exchange *exchange, const struct http_answer *answer)
{
    nghttp2_nv fields[HTTP_ANSWER_FIELD_COUNT_MAX + 2];
    char status[16], size[24];
    size_t count = 0;
    if (!http_answer_is_fit(answer))
        return false;
    snprintf(status, sizeof(status), "%d", answer->status);
    snprintf(size, sizeof(size), "%zu", answer->body.size);
    bool bodiless = answer->status == 204 || answer->status == 304;
    fields[count++] = nv_of(BYTES_LITERAL(":status"), bytes_of_string(status));
    if (!bodiless)
        fields[count++] = nv_of(BYTES_LITERAL("content-length"), bytes_of_string(size));
    for (size_t i = 0; i < answer->field_count; i++)
        fields[count++] = nv_of(answer->fields[i].name, answer->fields[i].value);
    bodiless =
        bodiless || answer->body.size == 0 || exchange->head.request.method == HTTP_METHOD_HEAD;
    buffer_clear(&exchange->answer);
    if (!bodiless)
        buffer_append(&exchange->answer, answer->body);
    nghttp2_data_provider provider = { .source.ptr = exchange, .read_callback = read_answer };
    return !exchange->answer.failed &&
           nghttp2_submit_response(exchange->connection->http2.session, exchange->stream, fields,
                                   count, bodiless ? NULL : &provider) == 0;
}

static void http2_answered(struct connection *connection, struct exchange *exchange)
{
    (void)connection;
    (void)exchange; /* submitted when composed */
}

static bool submit_settings(nghttp2_session *session)
{
    const nghttp2_settings_entry settings[] = {
        { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, HTTP_STREAM_COUNT_MAX },
        { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, HTTP_STREAM_WINDOW },
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP_HEAD_SIZE_MAX },
        { NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, HTTP_HPACK_TABLE_SIZE_MAX },
        { NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1 },
    };
    return nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, ARRAY_COUNT(settings)) ==
               0 &&
           nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
                                                 HTTP_CONNECTION_WINDOW) == 0;
}

static void set_options(nghttp2_option *option)
{
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_peer_max_concurrent_streams(option, HTTP_STREAM_COUNT_MAX);
    nghttp2_option_set_stream_reset_rate_limit(option, HTTP_RESET_BURST, HTTP_RESET_RATE);
    nghttp2_option_set_max_continuations(option, HTTP_CONTINUATION_COUNT_MAX);
    nghttp2_option_set_max_settings(option, HTTP_SETTINGS_COUNT_MAX);
    nghttp2_option_set_max_outbound_ack(option, HTTP_ACKNOWLEDGEMENT_COUNT_MAX);
    nghttp2_option_set_max_send_header_block_length(option, HTTP_ANSWER_HEAD_SIZE_MAX * 2);
    nghttp2_option_set_no_closed_streams(option, 1);
}

static bool http2_start(struct connection *connection)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    bool made = nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0;
    if (made) {
        nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
        set_options(option);
        made = nghttp2_session_server_new2(&connection->http2.session, callbacks, connection,
                                           option) == 0 &&
               submit_settings(connection->http2.session);
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return made;
}

static size_t http2_input(struct connection *connection, struct bytes bytes)
{
    nghttp2_session *session = connection->http2.session;
    if (connection->close_when_sent)
        return bytes.size;
    if (nghttp2_session_mem_recv(session, bytes.data, bytes.size) < 0)
        connection->close_when_sent = connection->linger = true;
    return bytes.size;
}

static void http2_output(struct connection *connection, struct writer *writer)
{
    nghttp2_session *session = connection->http2.session;
    while (writer->capacity - writer->size >= FRAME_SIZE_MAX) {
        const uint8_t *data;
        ssize_t size = nghttp2_session_mem_send(session, &data);
        if (size < 0) {
            connection_close(connection);
            return;
        }
        if (size == 0)
            break;
        write_bytes(writer, bytes_of(data, (size_t)size));
    }
    if (!nghttp2_session_want_read(session) && !nghttp2_session_want_write(session))
        connection->close_when_sent = connection->linger = true;
}

static void http2_abandon(struct connection *connection, struct exchange *exchange)
{
    nghttp2_submit_rst_stream(connection->http2.session, NGHTTP2_FLAG_NONE, exchange->stream,
                              NGHTTP2_CANCEL);
}

/* Answered before its body was there.  Clients (curl 7.88) lose the answer when a reset follows at
 * once, so the body is read and dropped for a while first. */
static bool is_left_over(const struct exchange *exchange, uint64_t now_ms)
{
    return exchange->state == EXCHANGE_ANSWERED && !exchange->request_over &&
           exchange->answer_sent == exchange->answer.size &&
           now_ms - exchange->since_ms > HTTP_LINGER_TIMEOUT_MS;
}

static void http2_expire(struct connection *connection, uint64_t now_ms)
{
    nghttp2_session *session = connection->http2.session;
    struct exchange *next;
    for (struct exchange *exchange = connection->exchanges; exchange != NULL; exchange = next) {
        next = exchange->next; /* nothing is released before the next output */
        if (is_left_over(exchange, now_ms))
            nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, exchange->stream,
                                      NGHTTP2_NO_ERROR);
        else if (exchange->state != EXCHANGE_FIELDS)
            exchange_expire(exchange, now_ms);
        else if (now_ms - exchange->since_ms > connection->server->limits.head_timeout_ms)
            calm_down(connection); /* in the middle of a header block nothing can be answered */
    }
    if (!connection->draining)
        return;
    if (!connection->http2.goaway_sent) {
        nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE,
                              nghttp2_session_get_last_proc_stream_id(session), NGHTTP2_NO_ERROR,
                              NULL, 0);
        connection->http2.goaway_sent = true;
    } else if (connection->exchanges == NULL) {
        connection->close_when_sent = true;
    }
}

static void http2_drain(struct connection *connection)
{
    nghttp2_submit_shutdown_notice(connection->http2.session);
}

static void http2_done(struct connection *connection)
{
    nghttp2_session_del(connection->http2.session);
    connection->http2.session = NULL;
}

const struct protocol protocol_http2 = {
    .start = http2_start,
    .input = http2_input,
    .output = http2_output,
    .answered = http2_answered,
    .compose = http2_compose,
    .abandon = http2_abandon,
    .expire = http2_expire,
    .drain = http2_drain,
    .done = http2_done,
};
