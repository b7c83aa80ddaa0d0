/* SPDX-License-Identifier: Apache-2.0 */
/* Deployments and invocations with real workers: slipstream processes started here. */
#include "base/file.h"
#include "base/spawn.h"
#include "core/hex.h"
#include "crypto/hash.h"
#include "functions/deployment.h"
#include "functions/invocation.h"
#include "functions/test_manifest.h"
#include "tests/harness.h"
#include "wasm/wasm.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum {
    WORKERS_MAX = 16,
    RESULTS_MAX = 80
};

/* --- what a node supplies --- */

static bool pass(void *context, const char *space, struct bytes associated, struct bytes in,
                 struct buffer *out, struct error *error)
{
    (void)context, (void)space, (void)associated, (void)error;
    buffer_append(out, in);
    return true;
}
static const struct sealer plain = { NULL, pass, pass };

struct outcome_seen {
    bool ran;
    enum receipt_status status;
    enum error_code refused;
    char message[232];
    char output[256];
    size_t output_size;
    bool has_receipt;
    struct receipt receipt;
    char id[40];
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
    bool deployed, deploy_failed;
    struct error deploy_error;
    struct outcome_seen seen[RESULTS_MAX];
    unsigned seen_count;
    struct {
        worker_done *done;
        void *context;
    } wishes[WORKERS_MAX]; /* for workers */
    unsigned wish_count;
};

static struct world world;

static int compile_here(int module, struct error *error)
{
    struct bytes content = { 0 };
    AUTO_BUFFER struct buffer image;
    buffer_init(&image, 64 << 20);
    struct wasm_options options = { 0 };
    int descriptor = -1;
    if (!file_map(&content, module, error))
        return -1;
    if (wasm_compile(&image, content, &options, error) &&
        !file_sealed(&descriptor, "image", buffer_view(&image), error))
        descriptor = -1;
    file_unmap(&content);
    return descriptor;
}

static void worker_give(worker_done *done, void *context)
{
    int pair[2];
    pid_t pid = 0;
    struct error error;
    static const char *const arguments[] = { "slipstream", "--worker", "--control-fd", "3", NULL };
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return;
    struct spawn_options options = { .path = test_program("slipstream"),
                                     .arguments = arguments,
                                     .descriptors = { { pair[1], 3 } },
                                     .descriptor_count = 1 };
    if (world.worker_count == WORKERS_MAX || !spawn(&pid, &options, &error))
        file_close(&pair[0]);
    else
        world.workers[world.worker_count++] = pid;
    close(pair[1]);
    done(context, pair[0], (int)pid, &error);
}

/* Answers of compiler and worker source come from the loop, as on a node. */
static void idle_turn(uv_idle_t *idle)
{
    (void)idle;
    if (world.compile_done != NULL) {
        compiler_done *done = TAKE(world.compile_done);
        done(world.compile_context, world.compile_image, &world.compile_error);
    }
    while (world.wish_count > 0) {
        world.wish_count--;
        worker_give(world.wishes[world.wish_count].done, world.wishes[world.wish_count].context);
    }
}

static bool compile_start(void *context, int module, const struct artefact *artefact,
                          compiler_done *done, void *done_context, struct error *error)
{
    (void)context, (void)artefact, (void)error;
    world.compile_count++;
    world.compile_image = compile_here(module, &world.compile_error);
    close(module);
    world.compile_done = done;
    world.compile_context = done_context;
    return true;
}

static bool worker_wanted(void *context, worker_done *done, void *done_context, struct error *error)
{
    (void)context;
    if (world.wish_count == WORKERS_MAX)
        return error_set(error, ERROR_BUSY, "too many wishes");
    world.wishes[world.wish_count].done = done;
    world.wishes[world.wish_count++].context = done_context;
    return true;
}

static void worker_end(void *context, int process)
{
    (void)context, (void)process;
}

static bool receipts_open(struct error *error)
{
    AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
    struct digest32 digest = { { 7 } };
    struct keyset keyset = { .node = "00112233445566778899aabbccddeeff",
                             .platform = "sim",
                             .validity = { 0, INT64_MAX >> 12 } };
    if (!ecdsa_key_generate(&key, error) ||
        !receipt_book_new(&world.receipts, &clock_system, error))
        return false;
    world.receipt_key = *ecdsa_key_public(key);
    receipt_book_use_key(world.receipts, TAKE(key), &keyset, &digest);
    return true;
}

static bool world_open(const char *name)
{
    char path[4096];
    struct error error = { 0 };
    world = (struct world){ 0 };
    snprintf(path, sizeof(path), "%s/%s", test_folder(), name);
    uv_loop_init(&world.loop);
    uv_idle_init(&world.loop, &world.idle);
    uv_idle_start(&world.idle, idle_turn);
    world.compiler = (struct compiler){ .name = "test", .start = compile_start };
    bool opened = store_open_sqlite(&world.store, path, &plain, &error) &&
                  registry_open(&world.registry, world.store, &error) &&
                  blobs_new(&world.blobs, world.store, 1 << 20, &error) && receipts_open(&error);
    struct deployer_options deployer = { world.registry, world.store, world.blobs, &world.compiler,
                                         &clock_system };
    struct invoker_options invoker = { .loop = &world.loop,
                                       .blobs = world.blobs,
                                       .workers = { NULL, worker_wanted, worker_end },
                                       .receipts = world.receipts,
                                       .clock = &clock_system,
                                       .input_size_max = 1 << 20,
                                       .worker_count_max = 2 };
    opened = opened && deployer_new(&world.deployer, &deployer, &error) &&
             invoker_new(&world.invoker, &invoker, &error);
    CHECK_NOTE(opened, "%s", error.text);
    return opened;
}

static void world_close(void)
{
    struct error error;
    struct spawn_end end;
    invoker_free(world.invoker);
    deployer_free(world.deployer);
    receipt_book_free(world.receipts);
    registry_free(world.registry);
    blobs_free(world.blobs);
    store_close(world.store);
    uv_close((uv_handle_t *)&world.idle, NULL);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    uv_loop_close(&world.loop);
    for (unsigned i = 0; i < world.worker_count; i++)
        CHECK_NOTE(spawn_wait(&end, world.workers[i], 10000, &error), "%s", error.text);
}

/* --- deploying --- */

static void deploy_done(void *context, const struct deployment_result *result,
                        const struct error *error)
{
    (void)context;
    world.deployed = result != NULL;
    world.deploy_failed = result == NULL;
    if (result == NULL)
        world.deploy_error = *error;
    else
        invoker_application_changed(world.invoker, result->application->manifest->application,
                                    result->application);
}

static bool deploy(const char *name, const char *module, uint32_t concurrency, uint32_t timeout_ms)
{
    char path[256];
    struct error error = { 0 };
    struct digest32 owner = { { 1 } };
    snprintf(path, sizeof(path), "tests/data/functions/%s.wasm", module);
    struct bytes content = test_file(path);
    struct digest32 code = sha256_of(content);
    AUTO_BUFFER struct buffer text;
    char lines[256];
    snprintf(lines, sizeof(lines),
             "environment = { COLOUR = \"blue\" }\n"
             "limits = { concurrency = %u, memory_mib = 16, output_kib = 64, timeout_ms = %u }\n",
             concurrency, timeout_ms);
    test_manifest(&text, name, &code, lines);
    world.deployed = world.deploy_failed = false;
    if (!store_blob_put(world.store, &code, content, &error) ||
        !deployment_start(world.deployer, name, buffer_view(&text), &owner, deploy_done, NULL,
                          &error)) {
        world.deploy_error = error;
        return false;
    }
    while (!world.deployed && !world.deploy_failed)
        uv_run(&world.loop, UV_RUN_NOWAIT);
    return world.deployed;
}

/* --- invoking --- */

static void invoke_done(void *context, const struct invocation_result *result,
                        const struct error *error)
{
    struct outcome_seen *seen = context;
    world.seen_count++;
    seen->ran = result != NULL;
    if (result == NULL) {
        seen->refused = error->code;
        snprintf(seen->message, sizeof(seen->message), "%s", error->text);
        return;
    }
    struct error wrong = { 0 };
    seen->status = result->status;
    snprintf(seen->message, sizeof(seen->message), "%s", result->message);
    snprintf(seen->id, sizeof(seen->id), "%s", result->id);
    seen->output_size = result->output.size;
    if (result->output.size > 0)
        memcpy(seen->output, result->output.data,
               MIN(result->output.size, sizeof(seen->output) - 1));
    if (result->receipt == NULL)
        return;
    seen->has_receipt = receipt_verify(&seen->receipt, bytes_of_string(result->receipt),
                                       &world.receipt_key, &wrong);
    CHECK_NOTE(seen->has_receipt, "%s", wrong.text);
    struct digest32 response = sha256_of(result->output);
    CHECK(digest32_equal(&response, &seen->receipt.response));
}

static bool start(const char *name, struct bytes input, struct outcome_seen *seen,
                  struct error *error)
{
    static const char *const environment[] = { "REQUEST_METHOD=POST", NULL };
    struct invocation_request request = {
        .application = registry_find(world.registry, name),
        .input = input,
        .environment = environment,
        .trigger = RECEIPT_TRIGGER_CALL,
        .request_id = "0123456789abcdef0123456789abcdef",
        .has_nonce = true,
        .nonce = { { 9 } },
    };
    if (request.application == NULL)
        return error_set(error, ERROR_NOT_FOUND, "no application %s", name);
    return invocation_start(world.invoker, &request, invoke_done, seen, error);
}

static void run_until(unsigned count)
{
    uint64_t start_ns = clock_monotonic_ns(&clock_system);
    while (world.seen_count < count &&
           clock_monotonic_ns(&clock_system) - start_ns < UINT64_C(30000000000))
        uv_run(&world.loop, UV_RUN_NOWAIT);
    CHECK_NUMBER(world.seen_count, count);
}

static struct outcome_seen *invoke(const char *name, const char *input)
{
    struct outcome_seen *seen = &world.seen[world.seen_count];
    struct error error = { 0 };
    if (start(name, bytes_of_string(input), seen, &error))
        run_until(world.seen_count + 1);
    else
        CHECK_NOTE(false, "%s", error.text);
    return seen;
}

#define REQUIRE_KVM()                                                                              \
    do {                                                                                           \
        AUTO_CLOSE int kvm_ = open("/dev/kvm", O_RDWR | O_CLOEXEC);                                \
        if (kvm_ < 0)                                                                              \
            SKIP("/dev/kvm can't be opened here");                                                 \
    } while (0)

/* --- cases --- */

static void answers_with_a_receipt(void)
{
    REQUIRE_KVM();
    REQUIRE(world_open("answers"));
    CHECK_NOTE(deploy("app", "echo", 4, 5000), "%s", world.deploy_error.text);
    struct outcome_seen *seen = invoke("app", "hello");
    CHECK_NOTE(seen->ran && seen->status == RECEIPT_STATUS_DONE, "%s", seen->message);
    CHECK_STRING(seen->output, "hello");
    CHECK(seen->has_receipt);
    CHECK_STRING(seen->receipt.application, "app");
    CHECK_STRING(seen->receipt.function, "f");
    CHECK_NUMBER(seen->receipt.sequence, 1);
    CHECK_NUMBER(seen->receipt.nonce.bytes[0], 9);
    struct digest32 input = sha256_of(BYTES_LITERAL("hello"));
    CHECK(digest32_equal(&seen->receipt.request, &input));
    CHECK(receipt_book_find(world.receipts, bytes_of_string(seen->id)) != NULL);
    CHECK(receipt_book_find(world.receipts, BYTES_LITERAL("none")) == NULL);
    seen = invoke("app", "again");
    CHECK_STRING(seen->output, "again");
    CHECK_NUMBER(seen->receipt.sequence, 2);
    CHECK_NUMBER(world.worker_count, 1);
    world_close();
}

static void gives_the_environment(void)
{
    REQUIRE_KVM();
    REQUIRE(world_open("environment"));
    CHECK_NOTE(deploy("app", "environment", 4, 5000), "%s", world.deploy_error.text);
    struct outcome_seen *seen = invoke("app", "");
    CHECK(bytes_equal(bytes_of(seen->output, seen->output_size),
                      BYTES_LITERAL("REQUEST_METHOD=POST\0COLOUR=blue\0")));
    world_close();
}

static void tells_how_a_run_failed(void)
{
    REQUIRE_KVM();
    REQUIRE(world_open("failed"));
    CHECK(deploy("trap", "trap", 4, 5000) && deploy("exit", "exit", 4, 5000));
    struct outcome_seen *seen = invoke("trap", "");
    CHECK_NUMBER(seen->status, RECEIPT_STATUS_TRAP);
    CHECK(strstr(seen->message, "unreachable") != NULL);
    CHECK_STRING(seen->receipt.outcome.trap, "unreachable");
    CHECK(seen->receipt.outcome.has_function_index);
    CHECK_NUMBER(seen->receipt.outcome.function_index, 1);
    seen = invoke("exit", "");
    CHECK_NUMBER(seen->status, RECEIPT_STATUS_EXIT);
    CHECK_NUMBER(seen->receipt.outcome.exit_code, 3);
    world_close();
}

static void keeps_limits(void)
{
    REQUIRE_KVM();
    REQUIRE(world_open("limits"));
    CHECK(deploy("loop", "loop", 4, 100));
    struct outcome_seen *seen = invoke("loop", "");
    CHECK_NUMBER(seen->status, RECEIPT_STATUS_TIMEOUT);
    CHECK(seen->has_receipt);
    CHECK(deploy("flood", "flood", 4, 5000));
    seen = invoke("flood", "");
    CHECK_NUMBER(seen->status, RECEIPT_STATUS_LIMIT);
    CHECK(seen->output_size <= (64 << 10) + 8192);
    /* A third application: only two may have a worker, so the idle ones give way. */
    CHECK(deploy("hog", "hog", 4, 5000));
    seen = invoke("hog", "");
    CHECK_NOTE(seen->status == RECEIPT_STATUS_TRAP, "%s", seen->message);
    CHECK_NUMBER(invoker_counts(world.invoker).workers, 2);
    CHECK(deploy("bomb", "bomb", 4, 5000));
    seen = invoke("bomb", "");
    CHECK_NOTE(seen->status == RECEIPT_STATUS_TRAP, "%s", seen->message);
    world_close();
}

static void a_start_function_holds_nobody_up(void)
{
    REQUIRE_KVM();
    REQUIRE(world_open("start"));
    CHECK(deploy("loop", "start-loop", 4, 400) && deploy("echo", "echo", 4, 5000));
    struct outcome_seen *stuck = &world.seen[0];
    struct error error;
    CHECK(start("loop", (struct bytes){ 0 }, stuck, &error));
    struct outcome_seen *served = &world.seen[1];
    CHECK(start("echo", BYTES_LITERAL("served"), served, &error));
    run_until(1);
    CHECK_STRING(served->output, "served");
    CHECK(stuck->message[0] == '\0');
    run_until(2);
    CHECK_NOTE(!stuck->ran && stuck->refused == ERROR_TIMEOUT, "%s", stuck->message);
    world_close();
}

static void a_start_function_that_traps_is_told(void)
{
    REQUIRE_KVM();
    REQUIRE(world_open("start-trap"));
    CHECK(deploy("trap", "start-trap", 4, 1000));
    struct outcome_seen *seen = invoke("trap", "");
    CHECK_NOTE(!seen->ran && seen->refused == ERROR_TRAPPED, "%s", seen->message);
    world_close();
}

static void queues_and_then_refuses(void)
{
    REQUIRE_KVM();
    REQUIRE(world_open("queue"));
    CHECK(deploy("loop", "loop", 1, 50));
    struct error error = { 0 };
    unsigned started = 0;
    while (started < RESULTS_MAX &&
           start("loop", (struct bytes){ 0 }, &world.seen[started], &error))
        started++;
    CHECK_NUMBER(started, WAITING_COUNT_MAX);
    CHECK_NUMBER(error.code, ERROR_BUSY);
    run_until(started);
    for (unsigned i = 0; i < started; i++)
        CHECK_NUMBER(world.seen[i].status, RECEIPT_STATUS_TIMEOUT);
    world_close();
}

static void a_killed_worker_is_replaced(void)
{
    REQUIRE_KVM();
    REQUIRE(world_open("killed"));
    CHECK(deploy("echo", "echo", 4, 5000) && deploy("loop", "loop", 4, 5000));
    CHECK_STRING(invoke("echo", "one")->output, "one");
    struct error error;
    struct outcome_seen *seen = &world.seen[world.seen_count];
    CHECK(start("loop", (struct bytes){ 0 }, seen, &error));
    while (invoker_counts(world.invoker).running == 0)
        uv_run(&world.loop, UV_RUN_NOWAIT);
    CHECK_NUMBER(world.worker_count, 2);
    kill(world.workers[1], SIGKILL);
    run_until(world.seen_count + 1);
    CHECK_NUMBER(seen->status, RECEIPT_STATUS_CRASHED);
    CHECK(seen->has_receipt);
    kill(world.workers[0], SIGKILL);
    while (invoker_counts(world.invoker).workers_lost < 2)
        uv_run(&world.loop, UV_RUN_NOWAIT);
    CHECK_STRING(invoke("echo", "two")->output, "two");
    world_close();
}

static void a_new_version_takes_over(void)
{
    REQUIRE_KVM();
    REQUIRE(world_open("version"));
    struct error error;
    CHECK(deploy("app", "loop", 4, 300));
    struct outcome_seen *old = &world.seen[0];
    CHECK(start("app", (struct bytes){ 0 }, old, &error));
    CHECK(deploy("app", "echo", 4, 5000));
    struct outcome_seen *fresh = &world.seen[1];
    CHECK(start("app", BYTES_LITERAL("new"), fresh, &error));
    run_until(2);
    CHECK_NUMBER(old->status, RECEIPT_STATUS_TIMEOUT);
    CHECK_STRING(fresh->output, "new");
    world_close();
}

static void compiles_once_and_reports_refusals(void)
{
    REQUIRE(world_open("compiles"));
    CHECK_NOTE(deploy("one", "echo", 4, 5000), "%s", world.deploy_error.text);
    CHECK(deploy("two", "echo", 4, 5000));
    CHECK_NUMBER(world.compile_count, 1);
    CHECK(!deploy("bad", "import", 4, 5000));
    CHECK_NUMBER(world.deploy_error.code, ERROR_UNSUPPORTED);
    CHECK_NOTE(strstr(world.deploy_error.text, "launch_rocket") != NULL, "%s",
               world.deploy_error.text);
    CHECK(registry_find(world.registry, "bad") == NULL);
    CHECK_NUMBER(deployer_count(world.deployer), 0);
    world_close();
}

static void another_compiler_makes_new_images(void)
{
    REQUIRE(world_open("refresh"));
    CHECK(deploy("app", "echo", 4, 5000));
    struct error error = { 0 };
    bool started = true;
    struct application *served = registry_find(world.registry, "app");
    REQUIRE(served != NULL);
    CHECK(deployment_refresh(world.deployer, served, deploy_done, NULL, &started, &error));
    CHECK(!started);
    world.compiler.name = "newer";
    world.deployed = false;
    CHECK_NOTE(deployment_refresh(world.deployer, served, deploy_done, NULL, &started, &error),
               "%s", error.text);
    CHECK(started);
    for (unsigned i = 0; i < 1000 && !world.deployed; i++)
        uv_run(&world.loop, UV_RUN_NOWAIT);
    CHECK(world.deployed);
    CHECK_NUMBER(world.compile_count, 2);
    served = registry_find(world.registry, "app");
    CHECK(deployment_refresh(world.deployer, served, deploy_done, NULL, &started, &error));
    CHECK(!started);
    world_close();
}

static const struct test tests[] = {
    TEST(compiles_once_and_reports_refusals),
    TEST(another_compiler_makes_new_images),
    TEST(answers_with_a_receipt),
    TEST(gives_the_environment),
    TEST(tells_how_a_run_failed),
    TEST(keeps_limits),
    TEST(a_start_function_holds_nobody_up),
    TEST(a_start_function_that_traps_is_told),
    TEST(queues_and_then_refuses),
    TEST(a_killed_worker_is_replaced),
    TEST(a_new_version_takes_over),
};

int main(int argc, char **argv)
{
    /* What libuv opens once for all loops is not a case's leak. */
    uv_loop_t first;
    uv_loop_init(&first);
    uv_loop_close(&first);
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
