/* SPDX-License-Identifier: Apache-2.0 */
/* The resolver against name servers that the test itself plays, on the same thread. */
#include "outbound/resolver.h"

#include "base/clock.h"
#include "base/file.h"
#include "tests/harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum way {
    WAY_ANSWER,   /* with 1.2.3.4 for A, nothing for AAAA */
    WAY_SILENT,   /* never */
    WAY_FAIL,     /* SERVFAIL */
    WAY_CUT,      /* over UDP; over TCP the answer */
    WAY_FORGED,   /* another id first, then the answer */
    WAY_ONLY_ONE, /* A alone is answered */
};

/* A server: UDP and TCP on one port. */
struct server {
    int udp, tcp, connection;
    uint16_t port;
    enum way way;
    unsigned asked, asked_tcp;
};

static void server_open(struct server *server, enum way way)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    *server = (struct server){ .way = way, .connection = -1 };
    server->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    server->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ASSERT(bind(server->tcp, (const void *)&address, size) == 0 && listen(server->tcp, 8) == 0);
    ASSERT(getsockname(server->tcp, (void *)&address, &size) == 0);
    ASSERT(bind(server->udp, (const void *)&address, size) == 0);
    server->port = ntohs(address.sin_port);
}

static void server_close(struct server *server)
{
    file_close(&server->tcp);
    file_close(&server->udp);
    file_close(&server->connection);
}

/* The answer to a question, in its place; the size. */
static size_t answer_make(uint8_t *message, size_t size, enum way way)
{
    bool is_a = message[size - 11 - 3] == DNS_TYPE_A; /* before the OPT record */
    size_t end = size - 11;
    message[2] = way == WAY_CUT ? 0x83 : 0x81;
    message[3] = way == WAY_FAIL ? 0x82 : 0x80;
    message[7] = 0;
    message[11] = 0;
    if (!is_a || way == WAY_FAIL || way == WAY_CUT)
        return end;
    static const uint8_t record[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4 };
    memcpy(message + end, record, sizeof(record));
    message[7] = 1;
    return end + sizeof(record);
}

static void udp_serve(struct server *server)
{
    uint8_t message[512];
    struct sockaddr_in from;
    socklen_t from_size = sizeof(from);
    ssize_t got = recvfrom(server->udp, message, 400, 0, (void *)&from, &from_size);
    if (got < 17) /* a head and the shortest question */
        return;
    server->asked++;
    bool is_a = message[got - 11 - 3] == DNS_TYPE_A;
    if (server->way == WAY_SILENT || (server->way == WAY_ONLY_ONE && !is_a))
        return;
    size_t size = answer_make(message, (size_t)got, server->way);
    if (server->way == WAY_FORGED) {
        message[0] ^= 0xff;
        message[size - 1] = 99;
        (void)!sendto(server->udp, message, size, 0, (const void *)&from, from_size);
        message[0] ^= 0xff;
        message[size - 1] = 4;
    }
    (void)!sendto(server->udp, message, size, 0, (const void *)&from, from_size);
}

/* The question may come later than the connection: nobody waits for it here. */
static void tcp_serve(struct server *server)
{
    uint8_t message[512];
    if (server->connection < 0)
        server->connection = accept4(server->tcp, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (server->connection < 0)
        return;
    ssize_t got = recv(server->connection, message, 400, 0);
    if (got < 14)
        return;
    server->asked_tcp++;
    size_t size = answer_make(message + 2, (size_t)got - 2, WAY_ANSWER);
    message[0] = 0;
    message[1] = (uint8_t)size;
    (void)!send(server->connection, message, 7, MSG_NOSIGNAL); /* in two parts */
    (void)!poll(NULL, 0, 5);
    (void)!send(server->connection, message + 7, size + 2 - 7, MSG_NOSIGNAL);
    file_close(&server->connection);
}

struct result {
    bool is_over;
    struct dns_answer answer;
    struct error error;
};

static void looked_up(void *context, const struct dns_answer *answer, const struct error *error)
{
    struct result *result = context;
    result->is_over = true;
    if (answer != NULL)
        result->answer = *answer;
    else
        result->error = *error;
}

static void turn(struct resolver *resolver, struct server *servers, size_t count)
{
    struct transfers_watch watches[2 * LOOKUP_COUNT_MAX];
    struct pollfd polled[8];
    unsigned watched = resolver_watches(resolver, watches);
    unsigned used = 0;
    for (unsigned i = 0; i < watched && used < 4; i++)
        polled[used++] = (struct pollfd){ .fd = watches[i].descriptor, .events = POLLIN };
    for (size_t i = 0; i < count; i++) {
        polled[used++] = (struct pollfd){ .fd = servers[i].udp, .events = POLLIN };
        polled[used++] = (struct pollfd){ .fd = servers[i].tcp, .events = POLLIN };
    }
    (void)poll(polled, used, 10);
    for (size_t i = 0; i < count; i++) {
        udp_serve(&servers[i]);
        udp_serve(&servers[i]);
        tcp_serve(&servers[i]);
    }
    resolver_work(resolver, clock_monotonic_ns(&clock_system));
}

static uint64_t limit_ns; /* of lookups; 0: none */

static void look_up(struct result *result, struct server *servers, size_t count, const char *name)
{
    struct resolver_options options = { .server_count = count,
                                        .hosts = BYTES_LITERAL("10.0.0.9\tPrinter printer.lan\n"
                                                               "# 10.0.0.1 comment\n"
                                                               "bad line\n"
                                                               "::9 printer.lan # six\n") };
    struct resolver *resolver;
    struct lookup *lookup;
    struct error error;
    for (size_t i = 0; i < count; i++)
        options.servers[i] = (struct name_server){ { { 127, 0, 0, 1 }, false }, servers[i].port };
    *result = (struct result){ 0 };
    REQUIRE(resolver_new(&resolver, &options, &error) &&
            lookup_start(&lookup, resolver, name, looked_up, result, &error));
    if (limit_ns != 0)
        lookup_limit(lookup, clock_monotonic_ns(&clock_system) + limit_ns);
    while (!result->is_over)
        turn(resolver, servers, count);
    resolver_free(resolver);
}

static const struct address expected = { { 1, 2, 3, 4 }, false };

static void asks_servers(void)
{
    static const enum way good[] = { WAY_ANSWER, WAY_CUT, WAY_FORGED, WAY_ONLY_ONE };
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        struct server server;
        struct result result;
        server_open(&server, good[i]);
        look_up(&result, &server, 1, "a.example");
        CHECK_NOTE(result.answer.count == 1 &&
                       address_equal(&result.answer.addresses[0], &expected),
                   "way %u: %s", good[i], result.error.text);
        CHECK((server.asked_tcp > 0) == (good[i] == WAY_CUT));
        server_close(&server);
    }
}

static void asks_the_next_server(void)
{
    static const enum way bad[] = { WAY_FAIL, WAY_SILENT };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct server servers[2];
        struct result result;
        server_open(&servers[0], bad[i]);
        server_open(&servers[1], WAY_ANSWER);
        look_up(&result, servers, 2, "a.example");
        CHECK_NOTE(result.answer.count == 1, "%s", result.error.text);
        CHECK(servers[0].asked > 0 && servers[1].asked > 0);
        server_close(&servers[0]);
        server_close(&servers[1]);
    }
}

static void has_no_more_time_than_it_is_given(void)
{
    struct server server;
    struct result result;
    server_open(&server, WAY_SILENT);
    limit_ns = 1000000;
    look_up(&result, &server, 1, "a.example");
    CHECK(result.answer.count == 0 && result.error.code == ERROR_TIMEOUT);
    CHECK_NOTE(server.asked < 2 * LOOKUP_TRY_COUNT_MAX, "%u", server.asked);
    server_close(&server);
    server_open(&server, WAY_ANSWER);
    limit_ns = UINT64_C(1) << 50;
    look_up(&result, &server, 1, "a.example");
    CHECK_NOTE(result.answer.count == 1, "%s", result.error.text);
    limit_ns = 0;
    server_close(&server);
}

static void gives_up(void)
{
    struct server server;
    struct result result;
    server_open(&server, WAY_FAIL);
    look_up(&result, &server, 1, "a.example");
    CHECK(result.answer.count == 0 && result.error.code == ERROR_UNAVAILABLE);
    CHECK_NUMBER(server.asked, 2 * LOOKUP_TRY_COUNT_MAX);
    server_close(&server); /* nobody listens any more */
    uint16_t port = server.port;
    server_open(&server, WAY_FAIL);
    uint16_t kept = server.port;
    server.port = port;
    look_up(&result, &server, 1, "a.example");
    CHECK(result.answer.count == 0 && result.error.code == ERROR_UNAVAILABLE);
    server.port = kept;
    server_close(&server);
}

static void knows_hosts(void)
{
    struct server server;
    struct result result;
    struct address address;
    server_open(&server, WAY_SILENT);
    look_up(&result, &server, 1, "printer");
    REQUIRE(address_parse(&address, BYTES_LITERAL("10.0.0.9")));
    CHECK(result.answer.count == 1 && address_equal(&result.answer.addresses[0], &address));
    look_up(&result, &server, 1, "printer.lan");
    CHECK_NUMBER(result.answer.count, 2);
    look_up(&result, &server, 1, "a.localhost");
    CHECK(result.answer.count == 2 &&
          address_classify(&result.answer.addresses[0]) == ADDRESS_LOOPBACK &&
          address_classify(&result.answer.addresses[1]) == ADDRESS_LOOPBACK);
    CHECK_NUMBER(server.asked, 0);
    server_close(&server);
}

static void reads_the_systems_files(void)
{
    struct resolver_options options = { .server_count = 0 };
    struct name_server server;
    struct error error;
    resolver_read_servers(&options, BYTES_LITERAL("# nameserver 9.9.9.9\nsearch a.example\n"
                                                  "nameserver 10.0.0.1\n nameserver\t::1 ; x\n"
                                                  "nameserver fe80::1%eth0\nnameserver 1.1.1.1\n"
                                                  "nameserver 8.8.8.8\n"));
    REQUIRE(options.server_count == 3);
    CHECK(options.servers[1].address.is_v6 && options.servers[2].address.bytes[0] == 1);
    resolver_read_servers(&options, BYTES_LITERAL("options edns0\n"));
    CHECK(options.server_count == 1 && options.servers[0].address.bytes[0] == 127);
    CHECK(name_server_parse(&server, BYTES_LITERAL("10.0.0.1:5353"), &error) &&
          server.port == 5353);
    CHECK(name_server_parse(&server, BYTES_LITERAL("[::1]:54"), &error) && server.port == 54);
    CHECK(name_server_parse(&server, BYTES_LITERAL("::1"), &error) && server.port == 53);
    static const char *const bad[] = {
        "", "a.example", "10.0.0.1:", "[::1", "[::1]53", "1.1.1.1:x"
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        CHECK_NOTE(!name_server_parse(&server, bytes_of_string(bad[i]), &error), "%s", bad[i]);
}

static const struct test tests[] = {
    TEST(asks_servers), TEST(asks_the_next_server), TEST(has_no_more_time_than_it_is_given),
    TEST(gives_up),     TEST(knows_hosts),          TEST(reads_the_systems_files),
};
TEST_MAIN(tests)
