/* SPDX-License-Identifier: Apache-2.0 */
/* The line with a clock and a process that the test plays. */
#include "outbound/line.h"

#include "base/file.h"
#include "base/ipc.h"
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static uint64_t time_ns;

static uint64_t now(const struct clock *clock UNUSED)
{
    return time_ns;
}
static const struct clock clock_test = { .realtime_ns = now, .monotonic_ns = now };

struct world {
    struct line *line;
    struct ipc *process; /* the other end */
    unsigned started, detached, killed;
};

static void start(void *context, struct line *line)
{
    struct world *world = context;
    struct error error;
    int pair[2];
    world->started++;
    ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    ipc_free(world->process);
    ASSERT(ipc_new(&world->process, pair[1], 64, &error));
    line_attach(line, pair[0]);
}

static void detached(void *context, struct line *line UNUSED, bool is_hanging)
{
    struct world *world = context;
    world->detached++;
    world->killed += is_hanging ? 1 : 0;
}

static bool world_open(struct world *world)
{
    struct error error;
    struct line_options options = { .concurrency = 2,
                                    .clock = &clock_test,
                                    .context = world,
                                    .start = start,
                                    .detached = detached };
    *world = (struct world){ 0 };
    time_ns = 1000000000000;
    return line_new(&world->line, &options, &error);
}

static void world_close(struct world *world)
{
    line_free(world->line);
    ipc_free(world->process);
}

struct outcome {
    unsigned over;
    bool is_answered, is_ours;
    enum error_code code;
};

static void over(void *context, const struct outbound_answer *answer, const struct error *error,
                 bool is_ours)
{
    struct outcome *outcome = context;
    outcome->over++;
    outcome->is_answered = answer != NULL;
    outcome->is_ours = is_ours;
    outcome->code = answer == NULL ? error->code : ERROR_NONE;
}

static struct line_ticket *ask(struct world *world, struct outcome *outcome)
{
    struct outbound_request request = { .timeout_ms = 1000, .url = BYTES_LITERAL("https://a/") };
    struct line_ticket *ticket = NULL;
    struct error error;
    *outcome = (struct outcome){ 0 };
    CHECK(line_fetch(&ticket, world->line, &request, over, outcome, &error));
    return ticket;
}

/* The next message of the line; 0: there is none.  Checks that a request is one. */
static uint32_t message_next(struct world *world, uint16_t type)
{
    struct ipc_message message;
    struct error error;
    if (!ipc_receive(world->process, &message, 0, &error))
        return 0;
    CHECK_NUMBER(message.type, type);
    uint32_t id = message.id;
    if (type == OUTBOUND_FETCH && message.descriptor_count == 1) {
        AUTO_BUFFER struct buffer text;
        struct outbound_request request;
        buffer_init(&text, REQUEST_SIZE_MAX);
        CHECK(lseek(message.descriptors[0], 0, SEEK_SET) == 0 &&
              file_read_descriptor(&text, message.descriptors[0], &error) &&
              outbound_request_read(&request, buffer_view(&text), &error));
    }
    CHECK(message.descriptor_count == (type == OUTBOUND_FETCH ? 1 : 0));
    ipc_message_done(&message);
    return id;
}

static void answer(struct world *world, uint32_t id)
{
    AUTO_BUFFER struct buffer text;
    struct error error;
    const struct outbound_answer made = { .status = 200, .url = BYTES_LITERAL("https://a/") };
    buffer_init(&text, 4096);
    outbound_answer_write(&text, &made);
    CHECK(ipc_send(world->process, IPC_ANSWER_OK, id, buffer_view(&text), NULL, 0, &error));
    line_read(world->line);
}

static void starts_when_asked_and_ends_when_idle(void)
{
    struct world world;
    struct outcome outcome;
    REQUIRE(world_open(&world));
    line_tick(world.line);
    CHECK(world.started == 0 && line_is_idle(world.line) && line_socket(world.line) == -1);
    ask(&world, &outcome);
    CHECK(world.started == 0); /* not from within */
    line_tick(world.line);
    CHECK(world.started == 1 && line_socket(world.line) >= 0 && !line_can_rest(world.line));
    answer(&world, message_next(&world, OUTBOUND_FETCH));
    CHECK(outcome.over == 1 && outcome.is_answered);
    time_ns += (LINE_IDLE_MS - 1) * UINT64_C(1000000);
    line_tick(world.line);
    CHECK(world.detached == 0 && line_can_rest(world.line));
    time_ns += 2000000;
    line_tick(world.line);
    CHECK(world.detached == 1 && world.killed == 0 && line_is_idle(world.line));
    world_close(&world);
}

static void keeps_to_its_concurrency(void)
{
    struct world world;
    struct outcome outcomes[3];
    uint32_t ids[3];
    REQUIRE(world_open(&world));
    for (size_t i = 0; i < 3; i++)
        ask(&world, &outcomes[i]);
    line_tick(world.line);
    ids[0] = message_next(&world, OUTBOUND_FETCH);
    ids[1] = message_next(&world, OUTBOUND_FETCH);
    CHECK(ids[0] != 0 && ids[1] != 0 && message_next(&world, OUTBOUND_FETCH) == 0);
    answer(&world, ids[1]); /* in any order */
    CHECK(outcomes[1].is_answered && outcomes[0].over == 0);
    ids[2] = message_next(&world, OUTBOUND_FETCH);
    CHECK(ids[2] != 0);
    answer(&world, ids[0]);
    answer(&world, ids[2]);
    CHECK(outcomes[0].is_answered && outcomes[2].is_answered);
    world_close(&world);
}

static void cancels(void)
{
    struct world world;
    struct outcome sent, waiting, third;
    REQUIRE(world_open(&world));
    struct line_ticket *first = ask(&world, &sent);
    ask(&world, &third);
    struct line_ticket *last = ask(&world, &waiting);
    line_tick(world.line);
    uint32_t id = message_next(&world, OUTBOUND_FETCH);
    uint32_t other = message_next(&world, OUTBOUND_FETCH);
    line_cancel(last); /* the process never hears of it */
    line_cancel(first);
    CHECK_NUMBER(message_next(&world, OUTBOUND_CANCEL), id);
    answer(&world, id); /* was on its way already */
    CHECK(world.killed == 0 && sent.over == 0 && waiting.over == 0);
    answer(&world, other);
    CHECK(third.is_answered);
    world_close(&world);
}

static void replaces_what_hangs(void)
{
    struct world world;
    struct outcome outcome, next;
    REQUIRE(world_open(&world));
    ask(&world, &outcome);
    line_tick(world.line);
    time_ns += 1000 * UINT64_C(1000000) + (LINE_HANG_MS - 1) * UINT64_C(1000000);
    line_tick(world.line);
    CHECK(outcome.over == 0);
    time_ns += 1000000;
    line_tick(world.line);
    CHECK(outcome.over == 1 && outcome.is_ours && outcome.code == ERROR_CRASHED);
    CHECK(world.killed == 1);
    /* Not at once: a pause that grows. */
    ask(&world, &next);
    line_tick(world.line);
    CHECK_NUMBER(world.started, 1);
    time_ns += LINE_RESTART_MS_MIN * UINT64_C(1000000);
    line_tick(world.line);
    CHECK_NUMBER(world.started, 2);
    answer(&world, message_next(&world, OUTBOUND_FETCH));
    CHECK(next.is_answered);
    world_close(&world);
}

static void believes_only_what_it_asked(void)
{
    static const struct {
        uint16_t type;
        uint32_t id;
        struct bytes text;
    } lies[] = {
        { IPC_ANSWER_OK, 1, BYTES_LITERAL("nothing") },
        { IPC_ANSWER_OK, 1, BYTES_LITERAL("") },
        { OUTBOUND_FETCH, 1, BYTES_LITERAL("") },
        { 77, 0, BYTES_LITERAL("") },
    };
    for (size_t i = 0; i < ARRAY_COUNT(lies); i++) {
        struct world world;
        struct outcome outcome;
        struct error error;
        REQUIRE(world_open(&world));
        ask(&world, &outcome);
        line_tick(world.line);
        CHECK(ipc_send(world.process, lies[i].type, lies[i].id, lies[i].text, NULL, 0, &error));
        line_read(world.line);
        CHECK_NOTE(outcome.over == 1 && outcome.is_ours && world.killed == 1, "%zu", i);
        world_close(&world);
    }
    /* An answer to a question of the future. */
    struct world world;
    struct outcome outcome;
    REQUIRE(world_open(&world));
    ask(&world, &outcome);
    line_tick(world.line);
    answer(&world, 9);
    CHECK(outcome.is_ours && world.killed == 1);
    world_close(&world);
}

static const struct test tests[] = {
    TEST(starts_when_asked_and_ends_when_idle),
    TEST(keeps_to_its_concurrency),
    TEST(cancels),
    TEST(replaces_what_hangs),
    TEST(believes_only_what_it_asked),
};
TEST_MAIN(tests)
