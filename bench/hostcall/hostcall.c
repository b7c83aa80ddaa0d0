/* SPDX-License-Identifier: Apache-2.0 */
/* bench-hostcall CALLS.WASM SLIPSTREAM-PROGRAM: what a function pays for a call to its node
 * (tests/data/functions/calls.wat), against one bare entry and exit of the micro-VM.
 *
 * Foretold: the answer came with the invocation, nobody leaves, and the call is made when the
 * invocation has ended.  In the cell: the answer is there when the guest has left.  By the server:
 * through the lane's call slot to this process, which watches for calls, and back.  64 in one exit:
 * per call, by the server. All include what the guest's runtime does to ask and to read the answer.
 */
#include "abi/call.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/spawn.h"
#include "bench/bench.h"
#include "slipstream/calls.h"
#include "slipstream/deadline.h"
#include "slipstream/shell.h"
#include "slipstream/worker.h"
#include "wasm/wasm.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    RUNS = 150,
    CALLS = 25,
    FEW = 5, /* the difference is what CALLS - FEW calls take: less than a turn of a busy core */
    ENGINES = 5,
    STATION_SIZE = 1 << 20
};

static uint8_t requests[CALL_AREA_SIZE], answers[CALL_AREA_SIZE];

static int image_make(struct bytes module)
{
    struct wasm_options options = { 0 };
    AUTO_BUFFER struct buffer image;
    int descriptor = -1;
    buffer_init(&image, 16 << 20);
    check(wasm_compile(&image, module, &options, &error), "compile");
    check(file_sealed(&descriptor, "calls", buffer_view(&image), &error), "image");
    return descriptor;
}

static const char text[] = "{\"application\":\"guard\",\"function\":\"quote\"}";

/* One answer for each request. */
static size_t answer_all(struct bytes list, uint8_t *target)
{
    struct writer writer = writer_into(target, CALL_AREA_SIZE);
    uint32_t count = 0;
    check(call_requests_check(list, &count), "requests");
    call_answers_write_begin(&writer);
    for (uint32_t i = 0; i < count; i++)
        call_answer_write(&writer, sizeof(text) - 1, bytes_of(text, sizeof(text) - 1),
                          sizeof(text) - 1);
    call_list_write_end(&writer, count);
    return writer.size;
}

static enum desk_end here_ask(struct call_desk *desk, uint32_t size,
                              const struct desk_wait *wait UNUSED, uint32_t *answered)
{
    *answered = (uint32_t)answer_all(bytes_of(desk->requests, size), desk->answers);
    return DESK_ANSWERED;
}

static struct bytes ask_often(uint8_t input[5], uint32_t count)
{
    input[0] = 'M';
    memcpy(input + 1, &count, sizeof(count));
    return bytes_of(input, 5);
}

/* `pairs`: what is foretold; empty: nothing. */
static void fill(void *mailbox, size_t size, struct bytes input, struct bytes pairs)
{
    const struct mailbox_request request = { .input = input,
                                             .errors_capacity = 4096,
                                             .calls_capacity = CALL_AREA_SIZE,
                                             .foretold = pairs,
                                             .made_capacity = pairs.size > 0 ? CALL_MADE_SIZE : 0 };
    check(mailbox_prepare(mailbox, size, &request, &error), "mailbox");
}

static void row(const char *name, double ours, double yardstick, double goal)
{
    printf(
        "{\"name\": \"%s\", \"ours\": %.3f, \"yardstick\": %.3f, \"unit\": \"us\", \"runs\": %d, "
        "\"goal\": ",
        name, ours, yardstick, RUNS);
    if (goal > 0)
        printf("%g}\n", goal);
    else
        printf("null}\n");
    fflush(stdout);
}

/* Of runs that nobody interrupted. */
static double least_us(const uint64_t *times)
{
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < RUNS; i++)
        least = MIN(least, times[i]);
    return (double)least / 1000;
}

/* --- in this process --- */

/* The least of what engines measured when they were opened. */
static double bare_us(void)
{
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < ENGINES; i++) {
        struct engine *engine = NULL;
        struct shell *shell = NULL;
        check(engine_open(&engine, "kvm", &error) && shell_open(&shell, engine, NULL, 0, &error),
              "shell");
        least = MIN(least, shell->backend->machine_round_trip_ns(shell->machine));
        shell_close(shell);
        engine_close(engine);
    }
    return (double)least / 1000;
}

static uint64_t run_here(struct shell *shell, struct bytes input)
{
    struct outcome outcome;
    fill(shell_mailbox(shell), STATION_SIZE, input, (struct bytes){ 0 });
    check(shell_run(shell, NULL, &outcome, &error) && outcome.kind == OUTCOME_DONE, "run");
    check(shell_reset(shell, &error), "reset");
    return outcome.duration_ns;
}

/* With what comes after it: the calls are made, and their answers compared. */
static uint64_t run_foretold(struct shell *shell, struct bytes input)
{
    static uint8_t area[512];
    struct mailbox *mailbox = shell_mailbox(shell);
    struct outcome outcome;
    struct bytes list;
    struct call_answer answer;
    struct writer writer = writer_into(area, sizeof(area));
    const struct call_request about = { .call = CALL_ABOUT };
    call_request_write(&writer, &about);
    call_answer_write(&writer, sizeof(text) - 1, bytes_of(text, sizeof(text) - 1),
                      sizeof(text) - 1);
    fill(mailbox, STATION_SIZE, input, writer_view(&writer));
    check(shell_run(shell, NULL, &outcome, &error) && outcome.kind == OUTCOME_DONE, "run");
    uint64_t start_ns = deadline_now_ns();
    check(mailbox_area_view(mailbox, STATION_SIZE, &mailbox->made, &list), "list");
    memcpy(requests, list.data, list.size);
    size_t size = answer_all(bytes_of(requests, list.size), answers);
    struct reader reader = call_answers_begin(bytes_of(answers, size));
    uint32_t right_count = 0;
    while (reader_left(&reader) > 0 && call_answer_next(&reader, &answer))
        right_count += bytes_equal(answer.data, bytes_of(text, sizeof(text) - 1));
    uint64_t after_ns = deadline_now_ns() - start_ns;
    check(right_count == mailbox->made.count && right_count >= FEW, "foretold");
    check(shell_reset(shell, &error), "reset");
    mailbox->made = (struct mailbox_area){ 0 };
    return outcome.duration_ns + after_ns;
}

/* Microseconds of a bare round trip. */
static double measure_here(int image)
{
    static uint64_t few[RUNS], many[RUNS], told_few[RUNS], told_many[RUNS];
    struct engine *engine = NULL;
    struct program *program = NULL;
    struct shell *shell = NULL;
    struct outcome outcome;
    const struct settings settings = { .timeout_ms = 60000 };
    struct call_desk desk = { .requests = requests, .answers = answers, .ask = here_ask };
    uint8_t input[5];
    check(engine_open(&engine, "kvm", &error) && program_open(&program, image, &error) &&
              shell_open(&shell, engine, NULL, 0, &error) &&
              shell_load(shell, program, &settings, &outcome, &error),
          "shell");
    shell_use_desk(shell, &desk);
    for (unsigned i = 0; i < RUNS; i++) {
        few[i] = run_here(shell, ask_often(input, FEW));
        many[i] = run_here(shell, ask_often(input, CALLS));
    }
    double bare = bare_us();
    for (unsigned i = 0; i < RUNS; i++) {
        told_few[i] = run_foretold(shell, ask_often(input, FEW));
        told_many[i] = run_foretold(shell, ask_often(input, CALLS));
    }
    row("host call foretold, made afterwards vs a bare round trip",
        (least_us(told_many) - least_us(told_few)) / (CALLS - FEW), bare, 1.3);
    row("host call answered in the cell vs a bare round trip",
        (least_us(many) - least_us(few)) / (CALLS - FEW), bare, 1.3);
    shell_close(shell);
    program_close(program);
    engine_close(engine);
    return bare;
}

/* --- through a worker --- */

static uint64_t run_there(struct worker *worker, struct bytes input, bool waits)
{
    struct pollfd waiting = { .fd = worker_event(worker), .events = POLLIN };
    struct worker_completion completion;
    struct worker_call call;
    uint32_t slot;
    size_t size;
    check(worker_acquire(worker, 1, 1, &slot), "slot");
    fill(worker_mailbox(worker, slot, &size), STATION_SIZE, input, (struct bytes){ 0 });
    worker_submit(worker, slot, 1, 0);
    while (!worker_take(worker, &completion)) {
        if (worker_take_call(worker, &call))
            worker_answer_call(worker, call.lane, call.number,
                               bytes_of(answers, answer_all(call.requests, answers)));
        else if (waits)
            check(poll(&waiting, 1, 10000) == 1, "wait");
    }
    check(completion.outcome.kind == OUTCOME_DONE, "outcome");
    worker_release(worker, completion.slot);
    return completion.outcome.duration_ns;
}

static struct bytes ask_list(uint8_t *input, uint32_t count)
{
    const struct call_request request = { .call = CALL_ABOUT };
    struct writer writer = writer_into(input + 1, 4096);
    input[0] = 'L';
    call_requests_write_begin(&writer);
    for (uint32_t i = 0; i < count; i++)
        call_request_write(&writer, &request);
    call_list_write_end(&writer, count);
    return bytes_of(input, writer.size + 1);
}

static void measure_there(const char *path, int image, double bare)
{
    static uint64_t few[RUNS], many[RUNS];
    static uint8_t input[8192];
    int pair[2];
    pid_t pid;
    struct worker *worker = NULL;
    struct spawn_end end;
    const struct settings settings = { .timeout_ms = 60000 };
    const struct worker_options options = {
        .lane_count = 1, .station_count = 1, .core_count = 2, .mailbox_size = STATION_SIZE
    };
    const char *const arguments[] = { "slipstream", "--worker", "--control-fd", "3", NULL };
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "socket");
    const struct spawn_options spawned = { .path = path,
                                           .arguments = arguments,
                                           .descriptors = { { pair[1], 3 } },
                                           .descriptor_count = 1 };
    check(spawn(&pid, &spawned, &error), "slipstream");
    close(pair[1]);
    check(worker_open(&worker, pair[0], &options, &error) &&
              worker_load(worker, 1, image, -1, &settings, &error),
          "worker");
    worker_set_polling(worker, true);
    for (unsigned i = 0; i < RUNS; i++) {
        few[i] = run_there(worker, ask_often(input, FEW), false);
        many[i] = run_there(worker, ask_often(input, CALLS), false);
    }
    row("host call answered by the server vs a bare round trip",
        (least_us(many) - least_us(few)) / (CALLS - FEW), bare, 1.3);
    for (unsigned i = 0; i < RUNS; i++) {
        few[i] = run_there(worker, ask_list(input, 1), false);
        many[i] = run_there(worker, ask_list(input, CALL_COUNT_MAX), false);
    }
    row("each of 64 more in one exit vs a bare round trip",
        (least_us(many) - least_us(few)) / (CALL_COUNT_MAX - 1), bare, 1.3);
    worker_set_polling(worker, false);
    for (unsigned i = 0; i < RUNS; i++) {
        few[i] = run_there(worker, ask_often(input, FEW), true);
        many[i] = run_there(worker, ask_often(input, CALLS), true);
    }
    row("host call answered by a server that waits vs a bare round trip",
        (least_us(many) - least_us(few)) / (CALLS - FEW), bare, 2);
    worker_close(worker);
    check(spawn_wait(&end, pid, 10000, &error), "end");
}

int main(int argc, char **argv)
{
    struct bytes module = { 0 };
    int file = argc == 3 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
    check(file >= 0 && file_map(&module, file, &error), "module");
    int image = image_make(module);
    measure_there(argv[2], image, measure_here(image));
    close(image);
    return 0;
}
