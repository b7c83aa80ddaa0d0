/* SPDX-License-Identifier: Apache-2.0 */
#include "outbound/test_world.h"

#include "base/file.h"
#include "base/ipc.h"
#include "core/reader.h"
#include "outbound/serve.h"
#include "tests/harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int port_open(int type, uint16_t *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    int made = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    ASSERT(made >= 0 && bind(made, (const void *)&address, size) == 0);
    ASSERT(type == SOCK_DGRAM || listen(made, 64) == 0);
    ASSERT(getsockname(made, (void *)&address, &size) == 0);
    *port = ntohs(address.sin_port);
    return made;
}

/* --- the server --- */

static bool text_send(int connection, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(connection, text, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        text += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* Head and body, as far as Content-Length says. */
static bool request_receive(struct test_world *world, int connection)
{
    size_t size = 0;
    for (;;) {
        ssize_t got = recv(connection, world->request + size, sizeof(world->request) - size - 1, 0);
        if (got <= 0)
            return false;
        size += (size_t)got;
        world->request[size] = '\0';
        const char *end = strstr(world->request, "\r\n\r\n");
        const char *length = strstr(world->request, "Content-Length: ");
        size_t body = length == NULL ? 0 : strtoul(length + 16, NULL, 10);
        if (end != NULL && size >= (size_t)(end - world->request) + 4 + body)
            return true;
    }
}

static void nap(void)
{
    (void)poll(NULL, 0, 5);
}

static void page_serve(const struct test_world *world, int connection)
{
    static const struct page absent = { .text = BYTES_LITERAL("HTTP/1.1 404 Not Found\r\n"
                                                              "Content-Length: 0\r\n\r\n") };
    char path[512] = "";
    (void)sscanf(world->request, "%*s %500s", path);
    const struct page *page = &absent;
    for (size_t i = 0; i < world->page_count; i++)
        if (strcmp(world->pages[i].path, path) == 0)
            page = &world->pages[i];
    bool is_open = text_send(connection, (const char *)page->text.data, page->text.size);
    size_t size = page->again == NULL ? 0 : strlen(page->again);
    struct pollfd polled = { .fd = connection, .events = POLLIN };
    for (size_t i = 0; is_open && !world->is_over && page->end != PAGE_CLOSE; i++) {
        if (page->end == PAGE_FOREVER)
            is_open = text_send(connection, page->again, size);
        else if (page->end == PAGE_DRIP)
            is_open = text_send(connection, page->again + i % size, 1);
        if (page->end != PAGE_FOREVER)
            nap();
        char byte;
        if (poll(&polled, 1, 0) == 1 && recv(connection, &byte, 1, 0) <= 0)
            is_open = false;
    }
}

static void *web_run(void *context)
{
    struct test_world *world = context;
    for (;;) {
        AUTO_CLOSE int connection = accept4(world->web, NULL, NULL, SOCK_CLOEXEC);
        if (connection < 0 || world->is_over)
            return NULL;
        if (!request_receive(world, connection))
            continue;
        world->request_count++;
        page_serve(world, connection);
        shutdown(connection, SHUT_WR);
    }
}

/* --- the name server --- */

static const char *zone_find(struct test_world *world, const char *name, bool is_v6)
{
    for (size_t i = 0; i < world->zone_count; i++) {
        struct zone *zone = &world->zones[i];
        if (strcmp(zone->name, name) != 0)
            continue;
        zone->asked += is_v6 ? 0 : 1;
        return zone->second != NULL && zone->asked > 1 ? zone->second : zone->first;
    }
    return NULL;
}

static void dns_answer(struct test_world *world, uint8_t *message, size_t size,
                       const struct sockaddr_in *from)
{
    char name[256] = "", list[256];
    size_t at = 12, length = 0;
    uint8_t answer[512];
    for (; at < size && message[at] != 0; at += message[at] + 1u)
        length +=
            (size_t)snprintf(name + length, sizeof(name) - length, "%s%.*s", length > 0 ? "." : "",
                             message[at], (const char *)message + at + 1);
    bool is_v6 = message[at + 2] == DNS_TYPE_AAAA;
    const char *addresses = zone_find(world, name, is_v6);
    unsigned count = 0;
    struct writer writer = writer_into(answer, sizeof(answer));
    write_bytes(&writer, bytes_of(message, at + 5));
    snprintf(list, sizeof(list), "%s", addresses == NULL ? "" : addresses);
    char *rest = list;
    for (char *text; (text = strsep(&rest, " ")) != NULL;) {
        struct address address;
        if (!address_parse(&address, bytes_of_string(text)) || address.is_v6 != is_v6)
            continue;
        write_bytes(&writer, BYTES_LITERAL("\xc0\x0c\0"));
        write_u8(&writer, is_v6 ? DNS_TYPE_AAAA : DNS_TYPE_A);
        write_bytes(&writer, BYTES_LITERAL("\0\1\0\0\0\0"));
        write_u16_be(&writer, is_v6 ? 16 : 4);
        write_bytes(&writer, bytes_of(address.bytes, is_v6 ? 16 : 4));
        count++;
    }
    answer[2] = 0x81;
    answer[3] = addresses == NULL ? 0x83 : 0x80;
    answer[7] = (uint8_t)count;
    answer[11] = 0;
    (void)!sendto(world->dns, answer, writer.size, 0, (const void *)from, sizeof(*from));
}

static void *dns_run(void *context)
{
    struct test_world *world = context;
    for (;;) {
        uint8_t message[512];
        struct sockaddr_in from;
        socklen_t from_size = sizeof(from);
        ssize_t size = recvfrom(world->dns, message, sizeof(message), 0, (void *)&from, &from_size);
        if (size <= 16 || world->is_over)
            return NULL;
        dns_answer(world, message, (size_t)size, &from);
    }
}

/* --- the process --- */

static void process_run(const struct test_world *world, int socket)
{
    struct error error;
    struct resolver *resolver;
    struct transfers *transfers;
    struct tls_trust *trust;
    static struct prefixes allowed = { .count = 1 };
    struct resolver_options names = { .server_count = 1,
                                      .hosts = BYTES_LITERAL("# none\n127.0.0.1 hosts.test\n") };
    names.servers[0] = (struct name_server){ { { 127, 0, 0, 1 }, false }, world->dns_port };
    struct transfers_options options = { .is_allowed = journey_address_is_allowed,
                                         .context = &allowed };
    struct bytes roots = test_file("tests/data/attest/sample_root_ca.pem");
    signal(SIGPIPE, SIG_IGN);
    ASSERT(prefix_parse(&allowed.list[0], BYTES_LITERAL("127.0.0.1"), &error));
    ASSERT(tls_trust_new(&trust, roots, &error) && resolver_new(&resolver, &names, &error));
    options.trust = trust;
    ASSERT(transfers_new(&transfers, &options, &error));
    struct journey_world journeys = { transfers, resolver, &allowed };
    bool is_served = outbound_serve(socket, &journeys, &error);
    transfers_free(transfers);
    resolver_free(resolver);
    tls_trust_free(trust);
    _exit(is_served ? 0 : 1);
}

/* A process that was taken over. */
static void lies_run(int socket)
{
    struct ipc *ipc;
    struct ipc_message message;
    struct error error;
    ASSERT(ipc_new(&ipc, socket, 64, &error));
    while (ipc_receive(ipc, &message, -1, &error)) {
        (void)!ipc_send(ipc, IPC_ANSWER_OK, message.id, BYTES_LITERAL("SHA1 and nothing else"),
                        NULL, 0, &error);
        ipc_message_done(&message);
    }
    _exit(0);
}

static void process_start(void *context, struct line *line)
{
    struct test_world *world = context;
    int pair[2];
    struct error error;
    if (world->is_refusing) {
        error_set(&error, ERROR_SYSTEM, "none today");
        line_failed(line, &error);
        return;
    }
    ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    world->process = fork();
    ASSERT(world->process >= 0);
    if (world->process == 0) {
        close(pair[0]);
        if (world->is_dying)
            _exit(3);
        if (world->is_lying)
            lies_run(pair[1]);
        process_run(world, pair[1]);
    }
    close(pair[1]);
    world->started++;
    line_attach(line, pair[0]);
}

static void process_detached(void *context, struct line *line, bool is_hanging)
{
    struct test_world *world = context;
    (void)line;
    if (is_hanging) {
        kill(world->process, SIGKILL);
        world->killed++;
    }
}

void world_open(struct test_world *world, const struct page *pages, size_t page_count,
                struct zone *zones, size_t zone_count)
{
    struct error error;
    *world = (struct test_world){
        .pages = pages, .page_count = page_count, .zones = zones, .zone_count = zone_count
    };
    struct line_options options = { .concurrency = 4,
                                    .clock = &clock_system,
                                    .context = world,
                                    .start = process_start,
                                    .detached = process_detached };
    world->web = port_open(SOCK_STREAM, &world->web_port);
    world->dns = port_open(SOCK_DGRAM, &world->dns_port);
    ASSERT(line_new(&world->line, &options, &error));
    ASSERT(pthread_create(&world->web_thread, NULL, web_run, world) == 0);
    ASSERT(pthread_create(&world->dns_thread, NULL, dns_run, world) == 0);
}

void world_close(struct test_world *world)
{
    world->is_over = true;
    shutdown(world->web, SHUT_RDWR);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(world->dns_port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    (void)!sendto(world->dns, "", 0, 0, (const void *)&address, sizeof(address));
    pthread_join(world->web_thread, NULL);
    pthread_join(world->dns_thread, NULL);
    line_free(world->line);
    while (waitpid(-1, NULL, 0) > 0)
        ;
    file_close(&world->web);
    file_close(&world->dns);
}

/* --- requests --- */

static void over(void *context, const struct outbound_answer *answer, const struct error *error,
                 bool is_ours)
{
    struct outcome *outcome = context;
    outcome->is_over = true;
    outcome->is_answered = answer != NULL;
    outcome->is_ours = is_ours;
    outcome->ticket = NULL;
    if (answer == NULL) {
        outcome->error = *error;
        return;
    }
    outcome->status = answer->status;
    snprintf(outcome->url, sizeof(outcome->url), "%.*s", (int)answer->url.size,
             (const char *)answer->url.data);
    size_t size = 0;
    for (size_t i = 0; i < answer->field_count && size < sizeof(outcome->fields); i++)
        size += (size_t)snprintf(
            outcome->fields + size, sizeof(outcome->fields) - size, "%.*s: %.*s\n",
            (int)answer->fields[i].name.size, (const char *)answer->fields[i].name.data,
            (int)answer->fields[i].value.size, (const char *)answer->fields[i].value.data);
    outcome->body_size = answer->body.size;
    snprintf(outcome->body, sizeof(outcome->body), "%.*s", (int)MIN(answer->body.size, 8000u),
             (const char *)answer->body.data);
}

static struct bytes with_port(char text[512], struct bytes pattern, uint16_t port)
{
    size_t mark = bytes_find(pattern, '~');
    struct bytes rest = bytes_part(pattern, mark + 1, SIZE_MAX);
    int size = mark == pattern.size
                   ? snprintf(text, 512, "%.*s", (int)pattern.size, (const char *)pattern.data)
                   : snprintf(text, 512, "%.*s%u%.*s", (int)mark, (const char *)pattern.data, port,
                              (int)rest.size, (const char *)rest.data);
    return bytes_of(text, (size_t)size);
}

void world_begin(struct test_world *world, struct outcome *outcome, const char *url,
                 const struct outbound_request *request)
{
    char text[512], rules[8][512];
    struct outbound_request made = *request;
    *outcome = (struct outcome){ 0 };
    made.url = with_port(text, bytes_of_string(url), world->web_port);
    for (size_t i = 0; i < made.rule_count; i++)
        made.rules[i] = with_port(rules[i], made.rules[i], world->web_port);
    if (made.timeout_ms == 0)
        made.timeout_ms = TEST_PATIENCE_MS;
    if (made.body_size_max == 0)
        made.body_size_max = 1 << 20;
    if (!line_fetch(&outcome->ticket, world->line, &made, over, outcome, &outcome->error))
        outcome->is_over = true;
}

void world_turn(struct test_world *world, int timeout_ms)
{
    line_tick(world->line);
    struct pollfd polled = { .fd = line_socket(world->line), .events = POLLIN };
    if (poll(&polled, 1, timeout_ms) > 0 && polled.revents != 0)
        line_read(world->line);
}

void world_fetch(struct test_world *world, struct outcome *outcome, const char *url,
                 const struct outbound_request *request)
{
    world_begin(world, outcome, url, request);
    while (!outcome->is_over)
        world_turn(world, 20);
}
