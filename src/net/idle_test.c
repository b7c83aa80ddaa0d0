/* SPDX-License-Identifier: Apache-2.0 */
/* Ten thousand clients that hold on to their connections, and floods of such, in a process of their
 * own. */
#include "crypto/tls.h"
#include "net/fixture.h"
#include "tests/harness.h"

#include <arpa/inet.h>
#include <malloc.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CLIENT_COUNT = 10000,
    SLOW_COUNT = 1000,
    TLS_COUNT = 1500,
    PER_ADDRESS = 100,
    OWN_DESCRIPTORS = 200,
    TLS_SIZE_MAX = 24 << 10
};

struct crowd {
    pid_t process;
    int orders, reports;
};

static bool allow_descriptors(rlim_t count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max < count)
        return false;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

/* One client of its own address; -1 when it can't be one. */
static int client_open(uint16_t port, unsigned number)
{
    struct sockaddr_in from = { .sin_family = AF_INET }, to = from;
    unsigned address = number / PER_ADDRESS;
    from.sin_addr.s_addr = htonl(0x7f010001u + address);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    if (descriptor >= 0 &&
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) == 0 &&
        bind(descriptor, (const struct sockaddr *)&from, sizeof(from)) == 0 &&
        connect(descriptor, (const struct sockaddr *)&to, sizeof(to)) == 0)
        return descriptor;
    if (descriptor >= 0)
        close(descriptor);
    return -1;
}

/* What each of the clients does. */
struct role {
    unsigned count;
    bool is_secure;
    const char *text; /* is sent; */
    size_t answer;    /* so many bytes are waited for, */
};

static bool greet(int client, const struct role *role)
{
    char got[4096];
    if (write(client, role->text, strlen(role->text)) != (ssize_t)strlen(role->text))
        return false;
    for (size_t have = 0; have < role->answer;) {
        ssize_t more = read(client, got, sizeof(got));
        if (more <= 0)
            return false;
        have += (size_t)more;
    }
    return true;
}

/* Carries ciphertext: all that is to be sent, then what comes unless enough is there. */
static bool carry(int client, struct tls_connection *tls, bool wants_more)
{
    static uint8_t area[1 << 16];
    struct error error;
    size_t size = tls_take(tls, area, sizeof(area));
    if (size > 0 && write(client, area, size) != (ssize_t)size)
        return false;
    ssize_t got = wants_more ? read(client, area, sizeof(area)) : 0;
    return got >= 0 && (got > 0 || !wants_more) &&
           tls_feed(tls, bytes_of(area, (size_t)got), &error);
}

static bool greet_securely(int client, const struct role *role, struct tls_context *context)
{
    static uint8_t plain[1 << 16];
    AUTO(tls_connection) struct tls_connection *tls = NULL;
    struct error error;
    size_t have = 0, size = 0;
    if (!tls_connection_new(&tls, context, NULL, &error))
        return false;
    while (tls_state(tls) == TLS_STATE_HANDSHAKE) {
        if (!tls_handshake(tls, &error) ||
            !carry(client, tls, tls_state(tls) == TLS_STATE_HANDSHAKE))
            return false;
    }
    if (!tls_write(tls, bytes_of_string(role->text), &error) || !carry(client, tls, false))
        return false;
    while (have < role->answer) {
        if (!tls_read(tls, plain, sizeof(plain), &size, &error) ||
            (size == 0 && !carry(client, tls, true)))
            return false;
        have += size;
    }
    return true; /* the connection stays, what the client knew of it goes */
}

/* Plays the role, so that the clients are there; then holds them. */
static int crowd_run(int orders, int reports, const struct role *role)
{
    uint16_t port;
    char byte;
    struct error error;
    AUTO(tls_context) struct tls_context *context = NULL;
    if (!tls_client_new(&context, NULL, NULL, &error) ||
        read(orders, &port, sizeof(port)) != sizeof(port))
        return 1;
    for (unsigned i = 0; i < role->count; i++) {
        int client = client_open(port, i);
        if (client < 0)
            return 2;
        if (!(role->is_secure ? greet_securely(client, role, context) : greet(client, role)))
            return 3;
    }
    if (write(reports, "r", 1) != 1)
        return 4;
    return read(orders, &byte, 1) == 0 ? 0 : 5; /* until the test is over */
}

static struct crowd crowd_start(const struct role *role)
{
    int orders[2], reports[2];
    struct crowd crowd = { -1, -1, -1 };
    ASSERT(pipe(orders) == 0 && pipe(reports) == 0);
    fflush(NULL);
    crowd.process = fork();
    if (crowd.process == 0) {
        close(orders[1]);
        close(reports[0]);
        _exit(crowd_run(orders[0], reports[1], role));
    }
    close(orders[0]);
    close(reports[1]);
    crowd.orders = orders[1];
    crowd.reports = reports[0];
    return crowd;
}

static bool crowd_gather(const struct crowd *crowd, uint16_t port)
{
    char byte = 0;
    return write(crowd->orders, &port, sizeof(port)) == sizeof(port) &&
           read(crowd->reports, &byte, 1) == 1 && byte == 'r';
}

static void crowd_end(struct crowd *crowd)
{
    int status = 0;
    close(crowd->orders);
    close(crowd->reports);
    CHECK(waitpid(crowd->process, &status, 0) == crowd->process);
    CHECK_NUMBER(status, 0);
}

static size_t resident_size(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long total = 0, resident = 0;
    if (file == NULL)
        return 0;
    int count = fscanf(file, "%lu %lu", &total, &resident);
    fclose(file);
    return count == 2 ? resident * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

#define GET "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"

/* All of them stay and another one is served; what memory each takes. */
static size_t hold_all(const struct role *role, const char *protocol)
{
    struct crowd crowd = crowd_start(role);
    struct http_server_limits limits = { .idle_timeout_ms = 3600000 };
    struct fixture *fixture = fixture_start(&limits);
    size_t before = resident_size();
    uint16_t port = protocol == NULL ? fixture_plain_port(fixture) : fixture_port(fixture);
    CHECK(crowd_gather(&crowd, port));
    CHECK_NUMBER(fixture_counts(fixture).connections_now, CLIENT_COUNT);
    CHECK_NUMBER(fixture_counts(fixture).requests_now, 0);
    size_t each = (resident_size() - before) / CLIENT_COUNT;
    struct wire *wire = wire_open(fixture, protocol);
    CHECK(wire_send_text(wire, GET));
    CHECK(bytes_starts_with(wire_read(wire, 69), BYTES_LITERAL("HTTP/1.1 200")));
    wire_close(wire);
    CHECK_NUMBER(fixture_counts(fixture).connections_given_up, 0);
    crowd_end(&crowd);
    AWAIT(fixture_counts(fixture).connections_now == 0);
    fixture_stop(fixture, 1000);
    return each;
}

static void holds_ten_thousand(void)
{
    static const struct role role = { CLIENT_COUNT, false, GET, 69 };
    if (!allow_descriptors(CLIENT_COUNT + OWN_DESCRIPTORS))
        SKIP("fewer than %d descriptors may be open here", CLIENT_COUNT + OWN_DESCRIPTORS);
    size_t each = hold_all(&role, NULL);
    CHECK_NOTE(each < 4096, "an idle connection takes %zu bytes", each);
}

/* Each has had an answer that filled its buffers; what is idle gives them back. */
static void holds_secure_ones_in_little_memory(void)
{
    static const struct role role = { TLS_COUNT, true,
                                      "GET /size/60000 HTTP/1.1\r\nHost: a\r\n\r\n", 60000 };
    if (!allow_descriptors(TLS_COUNT + OWN_DESCRIPTORS))
        SKIP("fewer than %d descriptors may be open here", TLS_COUNT + OWN_DESCRIPTORS);
    struct crowd crowd = crowd_start(&role);
    struct http_server_limits limits = { .idle_timeout_ms = 3600000 };
    struct fixture *fixture = fixture_start(&limits);
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd, each = 0;
    CHECK(crowd_gather(&crowd, fixture_port(fixture)));
    CHECK_NUMBER(fixture_counts(fixture).connections_now, TLS_COUNT);
    for (int i = 0; i < 1000; i++) {
        each = (mallinfo2().uordblks + mallinfo2().hblkhd - before) / TLS_COUNT;
        if (each < TLS_SIZE_MAX)
            break;
        poll(NULL, 0, 10);
    }
    CHECK_NOTE(each < TLS_SIZE_MAX, "an idle TLS connection takes %zu bytes", each);
    if (getenv("S3N_IDLE_FIGURES") != NULL)
        printf("  an idle TLS connection: %zu bytes allocated\n", each);
    crowd_end(&crowd);
    fixture_stop(fixture, 1000);
}

/* The same with handshakes, which cost some 15 s of processor time: when it is asked for. */
static void holds_ten_thousand_secure_ones(void)
{
    static const struct role role = { CLIENT_COUNT, true, GET, 69 };
    if (getenv("S3N_IDLE_FIGURES") == NULL)
        SKIP("S3N_IDLE_FIGURES asks for it");
    if (!allow_descriptors(CLIENT_COUNT + OWN_DESCRIPTORS))
        SKIP("fewer than %d descriptors may be open here", CLIENT_COUNT + OWN_DESCRIPTORS);
    printf("  %d TLS connections: %zu bytes resident each\n", CLIENT_COUNT,
           hold_all(&role, "http/1.1"));
}

static struct http_server_counts when_below(struct fixture *fixture, uint64_t connections,
                                            uint64_t requests)
{
    uint64_t since_ms = test_clock_ms();
    struct http_server_counts counts = fixture_counts(fixture);
    while ((counts.connections_now > connections || counts.requests_now > requests) &&
           test_waits(since_ms))
        counts = fixture_counts(fixture);
    return counts;
}

/* Connections that ask for nothing, nearly as many as there can be: others get in all the same, and
 * who asked before stays. */
static void gives_up_idle_ones_for_others(void)
{
    static const struct role role = { 60, false, "", 0 };
    struct crowd crowd = crowd_start(&role);
    struct http_server_limits limits = { .connection_count_max = 64 };
    struct fixture *fixture = fixture_start(&limits);
    struct wire *before = wire_open(fixture, NULL);
    CHECK(wire_send_text(before, GET));
    CHECK(bytes_starts_with(wire_read(before, 69), BYTES_LITERAL("HTTP/1.1 200")));
    CHECK(crowd_gather(&crowd, fixture_plain_port(fixture)));
    struct http_server_counts counts = when_below(fixture, 56, 0);
    CHECK_NUMBER(counts.connections_now, 56);
    CHECK_NUMBER(counts.connections_given_up, 5);
    struct wire *wire = wire_open(fixture, NULL);
    CHECK(wire_send_text(wire, GET) && wire_send_text(before, GET));
    CHECK(bytes_starts_with(wire_read(wire, 69), BYTES_LITERAL("HTTP/1.1 200")));
    wire_forget(before);
    CHECK(bytes_starts_with(wire_read(before, 69), BYTES_LITERAL("HTTP/1.1 200")));
    wire_close(wire);
    wire_close(before);
    crowd_end(&crowd);
    fixture_stop(fixture, 1000);
}

/* Whoever is waited on keeps their place: then there is none for others.  False when a client of
 * the crowd was so slow to ask that the server did not wait for it. */
static bool keeps_the_busy(void)
{
    static const struct role role = { 64, false, "GET /never HTTP/1.1\r\nHost: a\r\n\r\n", 0 };
    struct crowd crowd = crowd_start(&role);
    struct http_server_limits limits = { .connection_count_max = 64 };
    struct fixture *fixture = fixture_start(&limits);
    CHECK(crowd_gather(&crowd, fixture_plain_port(fixture)));
    struct http_server_counts counts = fixture_counts(fixture);
    uint64_t since_ms = test_clock_ms();
    while (counts.requests_now < 64 && counts.connections_given_up == 0 && test_waits(since_ms))
        counts = fixture_counts(fixture);
    bool all_asked = counts.connections_given_up == 0;
    if (all_asked) {
        struct wire *wire = wire_open(fixture, NULL);
        CHECK(wire_ends(wire));
        wire_close(wire);
        CHECK_NUMBER(fixture_counts(fixture).requests_now, 64);
        CHECK_NUMBER(fixture_counts(fixture).connections_given_up, 0);
    }
    crowd_end(&crowd);
    fixture_stop(fixture, 0);
    return all_asked;
}

static void gives_up_none_that_is_busy(void)
{
    bool all_asked = false;
    for (int tries = 0; tries < 20 && !all_asked; tries++)
        all_asked = keeps_the_busy();
    CHECK(all_asked);
}

static bool is_served(struct fixture *fixture)
{
    struct wire *wire = wire_open(fixture, NULL);
    bool is_answered = wire_send_text(wire, GET) &&
                       bytes_starts_with(wire_read(wire, 69), BYTES_LITERAL("HTTP/1.1 200"));
    wire_close(wire);
    return is_answered;
}

/* As many requests that never get complete as there can be at once. */
static void loses_patience_in_a_crowd(void)
{
    static const char *const texts[] = {
        "GET /hello HTTP/1.1\r\nHost: a\r\nX: ",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx",
    };
    if (!allow_descriptors(HTTP_REQUEST_COUNT_MAX + OWN_DESCRIPTORS))
        SKIP("fewer than %d descriptors may be open here",
             HTTP_REQUEST_COUNT_MAX + OWN_DESCRIPTORS);
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        const struct role role = { HTTP_REQUEST_COUNT_MAX, false, texts[i], 0 };
        struct crowd crowd = crowd_start(&role);
        struct http_server_limits limits = { .head_timeout_ms = 3600000,
                                             .body_timeout_ms = 3600000 };
        struct fixture *fixture = fixture_start(&limits);
        CHECK(crowd_gather(&crowd, fixture_plain_port(fixture)));
        AWAIT(fixture_counts(fixture).requests_refused > 0);
        const uint64_t kept = HTTP_REQUEST_COUNT_MAX * HTTP_CROWDED_EIGHTHS / 8;
        CHECK(when_below(fixture, HTTP_CONNECTION_COUNT_MAX, kept).requests_now <= kept);
        /* Beside other tests the server may lose patience with this one, too: it asks again. */
        AWAIT(is_served(fixture));
        crowd_end(&crowd);
        fixture_stop(fixture, 0);
    }
}

/* How many of a thousand whose fields never end are told so; each that has begun them is, one that
 * could not for so long is closed only. */
static uint64_t slow_heads_ended(uint32_t limit_ms)
{
    static const struct role role = { SLOW_COUNT, false,
                                      "GET /hello HTTP/1.1\r\nHost: a\r\nX: ", 0 };
    struct crowd crowd = crowd_start(&role);
    struct http_server_limits limits = { .head_timeout_ms = limit_ms };
    struct fixture *fixture = fixture_start(&limits);
    CHECK(crowd_gather(&crowd, fixture_plain_port(fixture)));
    AWAIT(is_served(fixture)); /* within limits that a loaded machine may miss once */
    struct http_server_counts counts = when_below(fixture, 0, 0);
    CHECK_NUMBER(counts.connections_now, 0);
    CHECK_NUMBER(counts.requests_now, 0);
    crowd_end(&crowd);
    fixture_stop(fixture, 1000);
    return counts.requests_refused;
}

/* Fields that never end: each is told so and closed, and nobody else waits for them. */
static void ends_a_thousand_slow_heads(void)
{
    if (!allow_descriptors(SLOW_COUNT + OWN_DESCRIPTORS))
        SKIP("fewer than %d descriptors may be open here", SLOW_COUNT + OWN_DESCRIPTORS);
    uint64_t ended = 0;
    for (uint32_t limit_ms = 1500; limit_ms < 15000 && ended != SLOW_COUNT; limit_ms *= 2)
        ended = slow_heads_ended(limit_ms);
    CHECK_NUMBER(ended, SLOW_COUNT);
}

/* Whoever waits for the requests that are on their way waits for no silent connection, and not for
 * ever for a handshake. */
static void knows_which_requests_are_coming(void)
{
    enum {
        EVER_MS = 3600000
    };
    struct fixture *fixture = fixture_start(NULL);
    CHECK(!fixture_is_expecting(fixture, EVER_MS, EVER_MS));
    struct wire *silent = wire_open_raw(fixture);
    AWAIT(fixture_counts(fixture).connections_now == 1);
    CHECK(fixture_is_expecting(fixture, EVER_MS, 0));
    AWAIT(!fixture_is_expecting(fixture, 1, EVER_MS));
    /* Its first bytes begin a handshake. */
    CHECK(wire_send(silent, BYTES_LITERAL("\x16\x03\x01")));
    AWAIT(fixture_is_expecting(fixture, 1, EVER_MS));
    AWAIT(!fixture_is_expecting(fixture, EVER_MS, 1));
    wire_close(silent);
    AWAIT(fixture_counts(fixture).connections_now == 0);
    /* One that was answered asks again. */
    struct wire *wire = wire_open(fixture, "http/1.1");
    AWAIT(fixture_counts(fixture).connections_now == 1);
    CHECK(fixture_is_expecting(fixture, EVER_MS, EVER_MS));
    CHECK(wire_send_text(wire, GET) && wire_read(wire, 69).size >= 69);
    CHECK(fixture_is_expecting(fixture, EVER_MS, 0));
    AWAIT(!fixture_is_expecting(fixture, 1, EVER_MS));
    CHECK(wire_send_text(wire, "GET /never HTTP/1.1\r\nHost: a\r\n\r\n"));
    AWAIT(fixture_requests(fixture) == 2);
    CHECK(!fixture_is_expecting(fixture, EVER_MS, EVER_MS));
    wire_close(wire);
    AWAIT(fixture_counts(fixture).connections_now == 0);
    fixture_stop(fixture, 1000);
}

static const struct test tests[] = {
    TEST(knows_which_requests_are_coming), TEST(holds_ten_thousand),
    TEST(holds_ten_thousand_secure_ones),  TEST(holds_secure_ones_in_little_memory),
    TEST(gives_up_idle_ones_for_others),   TEST(gives_up_none_that_is_busy),
    TEST(ends_a_thousand_slow_heads),      TEST(loses_patience_in_a_crowd),
};

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    fixture_init();
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
