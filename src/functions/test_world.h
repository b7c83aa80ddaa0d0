/* SPDX-License-Identifier: Apache-2.0 */
/* A node in small for tests: store, deployer, invoker and real workers (slipstream processes
 * started here), driven by a loop that the caller turns. */
#ifndef FUNCTIONS_TEST_WORLD_H
#define FUNCTIONS_TEST_WORLD_H

#include "functions/deployment.h"
#include "functions/invocation.h"
#include "functions/trial.h"
#include "tests/harness.h"

#include <uv.h>

enum {
    WORKERS_MAX = 128,
    RESULTS_MAX = 80,
    MOMENT_MS = 20
};

struct outcome_seen {
    bool ran;
    enum receipt_status status;
    enum error_code refused;
    char message[232];
    char output[8192];
    size_t output_size;
    bool has_receipt;
    struct receipt receipt;
    char id[40];
    unsigned answer_status; /* 0: it has no head */
    size_t header_count;
};

struct world {
    uv_loop_t loop;
    struct store *store;
    struct blobs *blobs;
    struct registry *registry;
    struct deployer *deployer;
    struct receipt_book *receipts;
    struct invoker *invoker;
    struct compiler compiler;
    struct ecdsa_public receipt_key;
    pid_t workers[WORKERS_MAX];
    unsigned worker_count;
    unsigned compile_count;
    compiler_done *compile_done;
    void *compile_context;
    int compile_image;
    struct error compile_error;
    uv_idle_t idle;
    uv_timer_t moments;
    bool deployed, deploy_failed;
    struct error deploy_error;
    struct outcome_seen seen[RESULTS_MAX];
    unsigned seen_count;
    struct {
        worker_done *done;
        void *context;
    } wishes[WORKERS_MAX]; /* for workers */
    unsigned wish_count;
    const char *abi;    /* of the next deployments; NULL: command */
    const char *path;   /* of the next requests */
    const char *limits; /* more of their limits: ", fuel = 5"; NULL: none */
    const char *lines;  /* more of the next deployments' function; NULL: none */
    struct trier trier;
};

extern struct world world;

/* How the next world's invoker is made; zero but for the count. */
struct world_options {
    unsigned worker_count_max;
    uint64_t memory_size_max;
    uint64_t idle_ms;
    uint64_t idle_ms_min;
    unsigned lane_count_min, lane_count_max;
    bool watches;
    struct services *services; /* NULL: none */
};
extern struct world_options world_options;

bool world_open(const char *name);
void world_close(void);
void world_deploy_done(void *context, const struct deployment_result *result,
                       const struct error *error);
/* Deploys tests/data/functions/MODULE.wasm as function f; false: world.deploy_error. */
bool world_deploy(const char *name, const char *module, uint32_t concurrency, uint32_t timeout_ms);
/* Starts one; `seen` has the result when world.seen_count has grown. */
bool world_start(const char *name, struct bytes input, struct outcome_seen *seen,
                 struct error *error);
/* Runs the loop until something happens or a moment has passed.  Nobody waits in it by turning
 * round and round: on one processor that would keep those from running who are waited for. */
void world_turn(void);
void world_run_until(unsigned count);
struct outcome_seen *world_invoke(const char *name, const char *input);

#define REQUIRE_KVM()                                                                              \
    do {                                                                                           \
        AUTO_CLOSE int kvm_ = open("/dev/kvm", O_RDWR | O_CLOEXEC);                                \
        if (kvm_ < 0)                                                                              \
            SKIP("/dev/kvm can't be opened here");                                                 \
    } while (0)

#endif
