/* SPDX-License-Identifier: Apache-2.0 */
#include "net/fixture.h"

#include "base/buffer.h"
#include "crypto/crypto.h"
#include "crypto/x509.h"
#include "tests/harness.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

enum {
    LATER_COUNT_MAX = 4096,
    LATER_MS = 30
};

struct later {
    uint64_t due_ms;
    struct http_handle handle;
};

struct fixture {
    pthread_t thread;
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t timer;
    struct http_server *server;
    struct tls_context *tls;
    struct ecdsa_key *key;
    struct later later[LATER_COUNT_MAX]; /* a ring: due in order */
    size_t later_from, later_to;
    struct http_handle held[64];
    size_t held_count;
    uint16_t port, plain_port;
    atomic_uint gone, requests, drain_ms;
    atomic_bool stop_wanted, stopped, paused;
    uint64_t timed_ms; /* when the timer last ran */
    atomic_uint_fast64_t stall_ms;
    pthread_mutex_t lock;
    pthread_cond_t answered;
    unsigned asked, told; /* how often for counts */
    struct http_server_counts counts;
    uint64_t age_ms, handshake_ms; /* for whether it is expecting a request */
    bool is_expecting;
    uint8_t body[FIXTURE_BODY_SIZE_MAX];
};

static bool path_starts(const struct http_request *request, const char *prefix)
{
    return bytes_starts_with(request->path, bytes_of_string(prefix));
}

static void on_fields(void *context, struct http_handle handle, const struct http_request *request,
                      struct http_admission *admission)
{
    struct fixture *fixture = context;
    admission->body_size_max = FIXTURE_BODY_SIZE_MAX;
    if (path_starts(request, "/buffer"))
        admission->buffer = fixture->body;
    if (path_starts(request, "/early")) {
        struct http_answer answer = { .status = 401, .body = BYTES_LITERAL("early") };
        CHECK(http_server_answer(fixture->server, handle, &answer));
    }
    admission->tag = fixture;
}

static void answer_sized(struct fixture *fixture, struct http_handle handle, struct bytes digits)
{
    uint64_t size = 0;
    if (!http_decimal_parse(&size, digits) || size > 64 << 20)
        size = 0;
    uint8_t *body = malloc(size + 1);
    ASSERT(body != NULL);
    for (uint64_t i = 0; i < size; i++)
        body[i] = (uint8_t)('a' + i % 26);
    struct http_answer answer = { .status = 200, .body = bytes_of(body, size) };
    http_server_answer(fixture->server, handle, &answer);
    free(body);
}

/* Answers from inside another request's callback. */
static void answer_held(struct fixture *fixture)
{
    struct http_answer answer = { .status = 200, .body = BYTES_LITERAL("held\n") };
    while (fixture->held_count > 0)
        http_server_answer(fixture->server, fixture->held[--fixture->held_count], &answer);
}

static void on_request(void *context, struct http_handle handle, const struct http_request *request,
                       void *tag)
{
    struct fixture *fixture = context;
    struct http_field type = HTTP_FIELD("content-type", BYTES_LITERAL("text/plain"));
    struct http_answer answer = {
        .status = 200, .fields = &type, .field_count = 1, .body = BYTES_LITERAL("hello\n")
    };
    ASSERT(tag == fixture && http_server_tag(fixture->server, handle) == fixture);
    ASSERT(http_server_request(fixture->server, handle) == request);
    fixture->requests++;
    if (path_starts(request, "/never"))
        return;
    if (path_starts(request, "/held") && fixture->held_count < ARRAY_COUNT(fixture->held)) {
        fixture->held[fixture->held_count++] = handle;
        return;
    }
    if (path_starts(request, "/pause")) {
        fixture->paused = true;
        while (fixture->paused)
            usleep(1000);
    }
    answer_held(fixture);
    if (path_starts(request, "/later")) {
        fixture->later[fixture->later_to++ % LATER_COUNT_MAX] =
            (struct later){ uv_now(&fixture->loop) + LATER_MS, handle };
        return;
    }
    if (path_starts(request, "/size/")) {
        answer_sized(fixture, handle, bytes_part(request->path, 6, 20));
        return;
    }
    if (path_starts(request, "/echo") || path_starts(request, "/buffer"))
        answer.body = request->body;
    else if (!path_starts(request, "/hello") && !path_starts(request, "/twice") &&
             !path_starts(request, "/pause"))
        answer.status = 404;
    CHECK(http_server_answer(fixture->server, handle, &answer));
    if (path_starts(request, "/twice"))
        CHECK(!http_server_answer(fixture->server, handle, &answer));
}

static void on_gone(void *context, struct http_handle handle, void *tag)
{
    struct fixture *fixture = context;
    struct http_answer answer = { .status = 200 };
    (void)tag;
    fixture->gone++;
    answer_held(fixture);
    CHECK(!http_server_answer(fixture->server, handle, &answer));
}

static void on_timer(uv_timer_t *timer)
{
    struct fixture *fixture = timer->data;
    uint64_t now_ms = test_clock_ms(), gap_ms = now_ms - fixture->timed_ms;
    fixture->timed_ms = now_ms;
    if (gap_ms > fixture->stall_ms)
        fixture->stall_ms = gap_ms;
    while (fixture->later_from < fixture->later_to) {
        struct later *later = &fixture->later[fixture->later_from % LATER_COUNT_MAX];
        if (later->due_ms > uv_now(&fixture->loop))
            break;
        fixture->later_from++;
        struct http_answer answer = { .status = 200, .body = BYTES_LITERAL("later\n") };
        http_server_answer(fixture->server, later->handle, &answer);
    }
}

static void tell_counts(struct fixture *fixture)
{
    pthread_mutex_lock(&fixture->lock);
    fixture->counts = http_server_counts(fixture->server);
    fixture->is_expecting =
        http_server_is_expecting(fixture->server, fixture->age_ms, fixture->handshake_ms);
    fixture->told = fixture->asked;
    pthread_cond_broadcast(&fixture->answered);
    pthread_mutex_unlock(&fixture->lock);
}

static void on_stopped(void *context)
{
    struct fixture *fixture = context;
    fixture->stopped = true;
    tell_counts(fixture);
    uv_stop(&fixture->loop);
}

static void on_wake(uv_async_t *wake)
{
    struct fixture *fixture = wake->data;
    if (fixture->stop_wanted)
        http_server_stop(fixture->server, fixture->drain_ms, on_stopped, fixture);
    tell_counts(fixture);
}

static void *run(void *context)
{
    struct fixture *fixture = context;
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    return NULL;
}

static void make_tls(struct fixture *fixture)
{
    struct error error;
    AUTO_BUFFER struct buffer der;
    buffer_init(&der, 8192);
    struct x509_request request = { .common_name = "s3n test",
                                    .not_before_s = time(NULL) - 60,
                                    .not_after_s = time(NULL) + 3600,
                                    .path_length = -1,
                                    .is_tls_server = true };
    ASSERT(ecdsa_key_generate(&fixture->key, &error));
    ASSERT(x509_issue(&der, &request, ecdsa_key_public(fixture->key), NULL, fixture->key, &error));
    struct bytes chain = buffer_view(&der);
    ASSERT(tls_server_new(&fixture->tls, &chain, 1, fixture->key, &error));
}

void fixture_init(void)
{
    uv_loop_t loop;
    ASSERT(uv_loop_init(&loop) == 0);
    uv_loop_close(&loop);
    crypto_init();
    signal(SIGPIPE, SIG_IGN);
}

struct fixture *fixture_start(const struct http_server_limits *limits)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct error error;
    ASSERT(fixture != NULL);
    pthread_mutex_init(&fixture->lock, NULL);
    pthread_cond_init(&fixture->answered, NULL);
    make_tls(fixture);
    uv_loop_init(&fixture->loop);
    uv_async_init(&fixture->loop, &fixture->wake, on_wake);
    uv_timer_init(&fixture->loop, &fixture->timer);
    fixture->wake.data = fixture->timer.data = fixture;
    fixture->timed_ms = test_clock_ms();
    uv_timer_start(&fixture->timer, on_timer, 5, 5);
    struct http_server_options options = {
        .loop = &fixture->loop,
        .handler = { fixture, on_fields, on_request, on_gone },
        .tls = fixture->tls,
    };
    if (limits != NULL)
        options.limits = *limits;
    ASSERT(http_server_new(&fixture->server, &options, &error));
    ASSERT(http_server_listen(fixture->server, HTTP_LISTENER_TLS, "127.0.0.1:0", &error));
    ASSERT(http_server_listen(fixture->server, HTTP_LISTENER_PLAIN, "127.0.0.1:0", &error));
    fixture->port = http_server_port(fixture->server, 0);
    fixture->plain_port = http_server_port(fixture->server, 1);
    ASSERT(pthread_create(&fixture->thread, NULL, run, fixture) == 0);
    return fixture;
}

void fixture_drain_soon(struct fixture *fixture, uint32_t drain_ms)
{
    fixture->drain_ms = drain_ms;
    fixture->stop_wanted = true;
    uv_async_send(&fixture->wake);
}

void fixture_drain(struct fixture *fixture, uint32_t drain_ms)
{
    fixture_drain_soon(fixture, drain_ms);
    (void)fixture_counts(fixture);
}

bool fixture_is_paused(const struct fixture *fixture)
{
    return fixture->paused;
}

void fixture_resume(struct fixture *fixture)
{
    fixture->paused = false;
}

struct http_server_counts fixture_stop(struct fixture *fixture, uint32_t drain_ms)
{
    if (!fixture->stop_wanted)
        fixture_drain(fixture, drain_ms);
    pthread_join(fixture->thread, NULL);
    CHECK(fixture->stopped);
    struct http_server_counts counts = http_server_counts(fixture->server);
    http_server_free(fixture->server);
    uv_close((uv_handle_t *)&fixture->wake, NULL);
    uv_close((uv_handle_t *)&fixture->timer, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&fixture->loop) == 0);
    tls_context_free(fixture->tls);
    ecdsa_key_free(fixture->key);
    free(fixture);
    return counts;
}

uint16_t fixture_port(const struct fixture *fixture)
{
    return fixture->port;
}

uint16_t fixture_plain_port(const struct fixture *fixture)
{
    return fixture->plain_port;
}

const struct ecdsa_public *fixture_key(const struct fixture *fixture)
{
    return ecdsa_key_public(fixture->key);
}

struct http_server_counts fixture_counts(struct fixture *fixture)
{
    pthread_mutex_lock(&fixture->lock);
    unsigned number = ++fixture->asked;
    if (!fixture->stopped)
        uv_async_send(&fixture->wake);
    while (!fixture->stopped && (int)(fixture->told - number) < 0)
        pthread_cond_wait(&fixture->answered, &fixture->lock);
    struct http_server_counts counts = fixture->counts;
    pthread_mutex_unlock(&fixture->lock);
    return counts;
}

bool fixture_is_expecting(struct fixture *fixture, uint64_t age_ms, uint64_t handshake_ms)
{
    pthread_mutex_lock(&fixture->lock);
    fixture->age_ms = age_ms;
    fixture->handshake_ms = handshake_ms;
    pthread_mutex_unlock(&fixture->lock);
    (void)fixture_counts(fixture);
    return fixture->is_expecting;
}

uint64_t fixture_stall_ms(const struct fixture *fixture)
{
    return fixture->stall_ms;
}

unsigned fixture_gone(const struct fixture *fixture)
{
    return fixture->gone;
}

unsigned fixture_requests(const struct fixture *fixture)
{
    return fixture->requests;
}

struct wire {
    int socket;
    bool closed;
    struct tls_context *context;
    struct tls_connection *tls;
    struct buffer received;
};

static void take_in(struct wire *wire, const uint8_t *data, size_t size)
{
    struct error error;
    uint8_t plain[16384];
    if (wire->tls == NULL) {
        buffer_append(&wire->received, bytes_of(data, size));
        return;
    }
    if (!tls_feed(wire->tls, bytes_of(data, size), &error))
        wire->closed = true;
    do {
        if (!tls_read(wire->tls, plain, sizeof(plain), &size, &error)) {
            wire->closed = true;
            return;
        }
        buffer_append(&wire->received, bytes_of(plain, size));
    } while (size > 0);
    if (tls_state(wire->tls) == TLS_STATE_CLOSED)
        wire->closed = true;
}

/* Reads once; false after timeout_ms without a byte. */
static bool read_some(struct wire *wire, int timeout_ms)
{
    uint8_t data[65536];
    struct pollfd wait = { .fd = wire->socket, .events = POLLIN };
    if (wire->closed || poll(&wait, 1, timeout_ms) <= 0)
        return false;
    ssize_t size = recv(wire->socket, data, sizeof(data), 0);
    if (size <= 0)
        wire->closed = true;
    else
        take_in(wire, data, (size_t)size);
    return size > 0;
}

static bool send_raw(struct wire *wire, const uint8_t *data, size_t size)
{
    while (size > 0) {
        struct pollfd wait = { .fd = wire->socket, .events = POLLOUT };
        if (poll(&wait, 1, TEST_PATIENCE_MS) <= 0)
            return false;
        ssize_t sent = send(wire->socket, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0)
            return false;
        data += sent;
        size -= (size_t)sent;
    }
    return true;
}

static bool flush_tls(struct wire *wire)
{
    static uint8_t data[1 << 20];
    size_t size = tls_take(wire->tls, data, sizeof(data));
    return size == 0 || send_raw(wire, data, size);
}

static struct wire *connect_to(uint16_t port)
{
    struct wire *wire = calloc(1, sizeof(*wire));
    ASSERT(wire != NULL);
    buffer_init(&wire->received, 128 << 20);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    wire->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT(wire->socket >= 0);
    wire->closed = connect(wire->socket, (struct sockaddr *)&address, sizeof(address)) != 0;
    return wire;
}

struct wire *wire_open_raw(const struct fixture *fixture)
{
    return connect_to(fixture->port);
}

struct wire *wire_open(const struct fixture *fixture, const char *protocol)
{
    struct error error;
    struct wire *wire = connect_to(protocol != NULL ? fixture->port : fixture->plain_port);
    if (protocol == NULL || wire->closed)
        return wire;
    const char *const protocols[] = { protocol, NULL };
    ASSERT(tls_client_new(&wire->context, fixture_key(fixture), protocols, &error));
    ASSERT(tls_connection_new(&wire->tls, wire->context, NULL, &error));
    while (!wire->closed && tls_state(wire->tls) == TLS_STATE_HANDSHAKE) {
        if (!tls_handshake(wire->tls, &error) || !flush_tls(wire))
            wire->closed = true;
        else if (tls_state(wire->tls) == TLS_STATE_HANDSHAKE && !read_some(wire, TEST_PATIENCE_MS))
            wire->closed = true;
    }
    return wire;
}

void wire_close(struct wire *wire)
{
    tls_connection_free(wire->tls);
    tls_context_free(wire->context);
    buffer_done(&wire->received);
    close(wire->socket);
    free(wire);
}

bool wire_send(struct wire *wire, struct bytes bytes)
{
    struct error error;
    if (wire->tls == NULL)
        return send_raw(wire, bytes.data, bytes.size);
    return tls_state(wire->tls) == TLS_STATE_OPEN && tls_write(wire->tls, bytes, &error) &&
           flush_tls(wire);
}

bool wire_send_text(struct wire *wire, const char *text)
{
    return wire_send(wire, bytes_of_string(text));
}

struct bytes wire_glance(struct wire *wire, size_t enough, int timeout_ms)
{
    while (wire->received.size < enough && read_some(wire, timeout_ms))
        continue;
    return buffer_view(&wire->received);
}

struct bytes wire_read(struct wire *wire, size_t enough)
{
    return wire_glance(wire, enough, TEST_PATIENCE_MS);
}

bool wire_read_more(struct wire *wire)
{
    return read_some(wire, TEST_PATIENCE_MS);
}

bool wire_ends(struct wire *wire)
{
    wire_read(wire, SIZE_MAX);
    return wire->closed;
}

void wire_forget(struct wire *wire)
{
    buffer_clear(&wire->received);
}

bool wire_is_closed(const struct wire *wire)
{
    return wire->closed;
}
