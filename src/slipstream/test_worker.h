/* SPDX-License-Identifier: Apache-2.0 */
/* A real slipstream process behind struct worker, for tests. */
#ifndef SLIPSTREAM_TEST_WORKER_H
#define SLIPSTREAM_TEST_WORKER_H

#include "slipstream/channel.h"
#include "slipstream/test_image.h"
#include "slipstream/worker.h"
#include "tests/harness.h"

#include <sys/types.h>

#define REQUIRE_KVM()                                                                              \
    if (!test_has_backend())                                                                       \
    SKIP("the backend can't be used here")

enum {
    MAILBOX_SIZE = 512 << 10
};

struct bench {
    struct worker *worker;
    pid_t pid;
    struct error error;
};

void bench_done(struct bench *bench);
#define BENCH __attribute__((cleanup(bench_done))) struct bench

bool bench_open_with(struct bench *bench, uint32_t lane_count, uint32_t station_count);
bool bench_open(struct bench *bench, uint32_t lane_count);
bool load(struct bench *bench, uint32_t function, enum test_function command, uint32_t timeout_ms);
bool submit(struct bench *bench, uint32_t function, const char *input, uint64_t token,
            uint32_t *slot);
bool wait_completion(struct bench *bench, struct worker_completion *completion);

#endif
