/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of more applications than there are places, with a clock and processes that the test plays.
 */
#include "outbound/lines.h"

#include "base/ipc.h"
#include "tests/harness.h"

#include <stdio.h>
#include <sys/socket.h>

static uint64_t time_ns;

static uint64_t now(const struct clock *clock UNUSED)
{
    return time_ns;
}
static const struct clock clock_test = { .realtime_ns = now, .monotonic_ns = now };

/* The process of a place: the other end of its line. */
static struct desk {
    struct ipc *process;
    unsigned started, detached;
} desks[LINES_COUNT_MAX];

static void start(void *context, struct line *line)
{
    struct desk *desk = context;
    struct error error;
    int pair[2];
    desk->started++;
    ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    ASSERT(ipc_new(&desk->process, pair[1], 64, &error));
    line_attach(line, pair[0]);
}

static void detached(void *context, struct line *line UNUSED, bool is_hanging)
{
    struct desk *desk = context;
    CHECK(!is_hanging);
    desk->detached++;
    ipc_free(TAKE(desk->process));
}

static bool world_open(struct lines **lines)
{
    struct error error;
    struct lines_options options = {
        .line = { .concurrency = 1, .clock = &clock_test, .start = start, .detached = detached }
    };
    for (size_t i = 0; i < ARRAY_COUNT(desks); i++) {
        desks[i] = (struct desk){ 0 };
        options.contexts[i] = &desks[i];
    }
    time_ns = 1000000000000;
    return lines_new(lines, &options, &error);
}

static unsigned detached_count(void)
{
    unsigned count = 0;
    for (size_t i = 0; i < ARRAY_COUNT(desks); i++)
        count += desks[i].detached;
    return count;
}

static const struct digest32 owner = { { 1 } }, other_owner = { { 2 } };

static struct line *line_of(struct lines *lines, unsigned number)
{
    char name[APPLICATION_NAME_SIZE];
    struct line *line = NULL;
    struct error error;
    snprintf(name, sizeof(name), "application-%u", number);
    CHECK_NOTE(lines_get(&line, lines, name, &owner, &error), "%s: %s", name, error.text);
    return line;
}

static void over(void *context, const struct outbound_answer *answer UNUSED,
                 const struct error *error UNUSED, bool is_ours UNUSED)
{
    *(unsigned *)context += 1;
}

static struct line_ticket *ask(struct line *line, unsigned *ended)
{
    struct outbound_request request = { .timeout_ms = 1000, .url = BYTES_LITERAL("https://a/") };
    struct line_ticket *ticket = NULL;
    struct error error;
    CHECK(line_fetch(&ticket, line, &request, over, ended, &error));
    return ticket;
}

/* All places taken, each with its process, a second after the one before. */
static void fill(struct lines *lines, struct line_ticket **tickets, unsigned *ended)
{
    for (unsigned i = 0; i < LINES_COUNT_MAX; i++) {
        tickets[i] = ask(line_of(lines, i), ended);
        time_ns += 1000;
    }
    CHECK_NUMBER(lines_tick(lines), LINES_COUNT_MAX);
    for (unsigned i = 0; i < LINES_COUNT_MAX; i++)
        CHECK_NUMBER(desks[i].started, 1);
}

static void one_for_each_application(void)
{
    AUTO(lines) struct lines *lines = NULL;
    struct line *line = NULL;
    struct error error;
    REQUIRE(world_open(&lines));
    struct line *first = line_of(lines, 1);
    CHECK(line_of(lines, 1) == first && line_of(lines, 2) != first);
    /* The same name in another owner's hands is another application. */
    CHECK(lines_get(&line, lines, "application-1", &other_owner, &error) && line != first);
    CHECK_NUMBER(lines_tick(lines), 0);
}

static void the_longest_idle_gives_way(void)
{
    AUTO(lines) struct lines *lines = NULL;
    struct line_ticket *tickets[LINES_COUNT_MAX];
    unsigned ended = 0;
    REQUIRE(world_open(&lines));
    fill(lines, tickets, &ended);
    /* All but 7 are done; 40 was the first of them. */
    line_cancel(tickets[40]);
    for (unsigned i = 0; i < LINES_COUNT_MAX; i++) {
        time_ns += 1000;
        if (i != 40 && i != 7)
            line_cancel(tickets[i]);
    }
    struct line *new_line = line_of(lines, 1000);
    CHECK(desks[40].detached == 1 && detached_count() == 1);
    ask(new_line, &ended);
    lines_tick(lines);
    CHECK_NUMBER(desks[40].started, 2); /* a process of its own, not the other's */
    /* Who comes back gets a new one, and the next in turn goes: 0. */
    ask(line_of(lines, 40), &ended);
    lines_tick(lines);
    CHECK(desks[0].detached == 1 && desks[0].started == 2 && detached_count() == 2);
    CHECK_NUMBER(ended, 0); /* nothing that was under way was lost */
}

static void while_all_are_at_work_nobody_gives_way(void)
{
    AUTO(lines) struct lines *lines = NULL;
    struct line_ticket *tickets[LINES_COUNT_MAX];
    struct line *line = NULL;
    struct error error;
    unsigned ended = 0;
    REQUIRE(world_open(&lines));
    fill(lines, tickets, &ended);
    CHECK(!lines_get(&line, lines, "one-more", &owner, &error) && error.code == ERROR_BUSY);
    CHECK(detached_count() == 0 && ended == 0);
    line_cancel(tickets[5]);
    CHECK(lines_get(&line, lines, "one-more", &owner, &error));
    CHECK(desks[5].detached == 1 && detached_count() == 1);
}

static void idle_ones_go(void)
{
    AUTO(lines) struct lines *lines = NULL;
    struct line_ticket *tickets[LINES_COUNT_MAX];
    unsigned ended = 0;
    REQUIRE(world_open(&lines));
    fill(lines, tickets, &ended);
    for (unsigned i = 1; i < LINES_COUNT_MAX; i++)
        line_cancel(tickets[i]);
    time_ns += (LINE_IDLE_MS + 1) * UINT64_C(1000000);
    line_cancel(tickets[0]); /* was at work until now */
    CHECK_NUMBER(lines_tick(lines), 1);
    CHECK_NUMBER(detached_count(), LINES_COUNT_MAX - 1);
}

static const struct test tests[] = {
    TEST(one_for_each_application),
    TEST(the_longest_idle_gives_way),
    TEST(while_all_are_at_work_nobody_gives_way),
    TEST(idle_ones_go),
};
TEST_MAIN(tests)
