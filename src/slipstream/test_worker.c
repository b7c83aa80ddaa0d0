/* SPDX-License-Identifier: Apache-2.0 */
#include "slipstream/test_worker.h"

#include "base/file.h"
#include "base/spawn.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

void bench_done(struct bench *bench)
{
    struct spawn_end end = { 0 };
    bool was_alive = bench->worker != NULL && worker_is_alive(bench->worker);
    worker_close(bench->worker);
    if (bench->pid <= 0)
        return;
    if (!spawn_wait(&end, bench->pid, TEST_PATIENCE_MS, &bench->error))
        test_note("%s", bench->error.text);
    if (was_alive)
        CHECK(!end.was_killed && end.code == 0);
}

bool bench_open_with(struct bench *bench, uint32_t lane_count, uint32_t station_count)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    const char *const arguments[] = { "slipstream",   "--worker", "--control-fd", "3", "--backend",
                                      test_backend(), NULL };
    struct spawn_options options = { .path = test_program("slipstream"),
                                     .arguments = arguments,
                                     .descriptors = { { pair[1], 3 } },
                                     .descriptor_count = 1 };
    struct worker_options channel = { .lane_count = lane_count,
                                      .station_count = station_count,
                                      .core_count = 1,
                                      .mailbox_size = MAILBOX_SIZE };
    bool opened = spawn(&bench->pid, &options, &bench->error);
    close(pair[1]);
    opened = opened && worker_open(&bench->worker, pair[0], &channel, &bench->error);
    if (!opened)
        test_note("%s", bench->error.text);
    return opened;
}

bool bench_open(struct bench *bench, uint32_t lane_count)
{
    return bench_open_with(bench, lane_count, 1);
}

bool load(struct bench *bench, uint32_t function, enum test_function command, uint32_t timeout_ms)
{
    struct test_image image = {
        .memory_size = 65536, .memory_size_max = 1 << 20, .command = command, .start = TEST_NONE
    };
    struct settings limits = { .timeout_ms = timeout_ms };
    AUTO_CLOSE int descriptor = test_image_make(&image);
    bool loaded = worker_load(bench->worker, function, descriptor, -1, &limits, &bench->error);
    if (!loaded)
        test_note("%s", bench->error.text);
    return loaded;
}

bool submit(struct bench *bench, uint32_t function, const char *input, uint64_t token,
            uint32_t *slot)
{
    size_t size;
    struct mailbox_request request = { .input = bytes_of_string(input),
                                       .errors_capacity = 4096,
                                       .calls_capacity = CALL_AREA_SIZE };
    if (!worker_acquire(bench->worker, function, CHANNEL_LANES_MAX, slot))
        return false;
    void *mailbox = worker_mailbox(bench->worker, *slot, &size);
    if (!mailbox_prepare(mailbox, size, &request, &bench->error))
        return false;
    worker_submit(bench->worker, *slot, function, token);
    return true;
}

bool wait_completion(struct bench *bench, struct worker_completion *completion)
{
    struct pollfd waiting[2] = { { .fd = worker_event(bench->worker), .events = POLLIN },
                                 { .fd = worker_socket(bench->worker), .events = POLLIN } };
    while (!worker_take(bench->worker, completion)) {
        if (!worker_is_alive(bench->worker) || poll(waiting, 2, 60000) <= 0)
            return false;
        if (waiting[1].revents != 0 &&
            worker_answer(bench->worker, &bench->error) == WORKER_ANSWER_LOST)
            worker_lost(bench->worker);
    }
    return true;
}
