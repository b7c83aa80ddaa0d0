/* SPDX-License-Identifier: Apache-2.0 */
/* Ten thousand clients that hold on to their connections, in a process of their own. */
#include "net/fixture.h"
#include "tests/harness.h"

#include <arpa/inet.h>
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
    PER_ADDRESS = 100,
    OWN_DESCRIPTORS = 200
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
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor >= 0 && bind(descriptor, (const struct sockaddr *)&from, sizeof(from)) == 0 &&
        connect(descriptor, (const struct sockaddr *)&to, sizeof(to)) == 0)
        return descriptor;
    if (descriptor >= 0)
        close(descriptor);
    return -1;
}

/* Has `count` clients send `text`, each waits for `answer` bytes; then holds them. */
static int crowd_run(int orders, int reports, unsigned count, const char *text, size_t answer)
{
    uint16_t port;
    char byte;
    if (read(orders, &port, sizeof(port)) != sizeof(port))
        return 1;
    for (unsigned i = 0; i < count; i++) {
        char got[256];
        int client = client_open(port, i);
        if (client < 0 || write(client, text, strlen(text)) != (ssize_t)strlen(text))
            return 2;
        for (size_t have = 0; have < answer;) {
            ssize_t more = read(client, got, sizeof(got));
            if (more <= 0)
                return 3;
            have += (size_t)more;
        }
    }
    if (write(reports, "r", 1) != 1)
        return 4;
    return read(orders, &byte, 1) == 0 ? 0 : 5; /* until the test is over */
}

static struct crowd crowd_start(unsigned count, const char *text, size_t answer)
{
    int orders[2], reports[2];
    struct crowd crowd = { -1, -1, -1 };
    ASSERT(pipe(orders) == 0 && pipe(reports) == 0);
    fflush(NULL);
    crowd.process = fork();
    if (crowd.process == 0) {
        close(orders[1]);
        close(reports[0]);
        _exit(crowd_run(orders[0], reports[1], count, text, answer));
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

static void holds_ten_thousand(void)
{
    if (!allow_descriptors(CLIENT_COUNT + OWN_DESCRIPTORS))
        SKIP("fewer than %d descriptors may be open here", CLIENT_COUNT + OWN_DESCRIPTORS);
    struct crowd crowd = crowd_start(CLIENT_COUNT, GET, 69);
    struct http_server_limits limits = { .connection_count_max = CLIENT_COUNT + 1 };
    struct fixture *fixture = fixture_start(&limits);
    size_t before = resident_size();
    CHECK(crowd_gather(&crowd, fixture_plain_port(fixture)));
    CHECK_NUMBER(fixture_counts(fixture).connections_now, CLIENT_COUNT);
    CHECK_NUMBER(fixture_counts(fixture).requests_now, 0);
    size_t each = (resident_size() - before) / CLIENT_COUNT;
    CHECK_NOTE(each < 4096, "an idle connection takes %zu bytes", each);
    /* there is room for one more, who is answered, and no more */
    struct wire *wire = wire_open(fixture, NULL), *other = wire_open(fixture, NULL);
    CHECK(wire_send_text(wire, GET));
    CHECK(bytes_starts_with(wire_read(wire, 69, 3000), BYTES_LITERAL("HTTP/1.1 200")));
    wire_read(other, 1, 3000);
    CHECK(wire_is_closed(other));
    wire_close(other);
    wire_close(wire);
    crowd_end(&crowd);
    for (int i = 0; i < 2000 && fixture_counts(fixture).connections_now > 0; i++)
        poll(NULL, 0, 1);
    CHECK_NUMBER(fixture_counts(fixture).connections_now, 0);
    fixture_stop(fixture, 1000);
}

/* Fields that never end: each is told so and closed, and nobody else waits for them. */
static void ends_a_thousand_slow_heads(void)
{
    if (!allow_descriptors(SLOW_COUNT + OWN_DESCRIPTORS))
        SKIP("fewer than %d descriptors may be open here", SLOW_COUNT + OWN_DESCRIPTORS);
    struct crowd crowd = crowd_start(SLOW_COUNT, "GET /hello HTTP/1.1\r\nHost: a\r\nX: ", 0);
    struct http_server_limits limits = { .head_timeout_ms = 1500 };
    struct fixture *fixture = fixture_start(&limits);
    CHECK(crowd_gather(&crowd, fixture_plain_port(fixture)));
    struct wire *wire = wire_open(fixture, NULL);
    CHECK(wire_send_text(wire, GET));
    CHECK(bytes_starts_with(wire_read(wire, 69, 1000), BYTES_LITERAL("HTTP/1.1 200")));
    wire_close(wire);
    for (int i = 0; i < 8000 && fixture_counts(fixture).requests_refused < SLOW_COUNT; i++)
        poll(NULL, 0, 1);
    CHECK_NUMBER(fixture_counts(fixture).requests_refused, SLOW_COUNT);
    CHECK_NUMBER(fixture_counts(fixture).requests_now, 0);
    crowd_end(&crowd);
    fixture_stop(fixture, 1000);
}

static const struct test tests[] = {
    TEST(holds_ten_thousand),
    TEST(ends_a_thousand_slow_heads),
};

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    fixture_init();
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
