/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/test_world.h"

#include "base/file.h"
#include "base/spawn.h"
#include "core/hex.h"
#include "crypto/hash.h"
#include "functions/test_manifest.h"
#include "wasm/wasm.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- what a node supplies --- */

static bool pass(void *context, const char *space, struct bytes associated, struct bytes in,
                 struct buffer *out, struct error *error)
{
    (void)context, (void)space, (void)associated, (void)error;
    buffer_append(out, in);
    return true;
}
static const struct sealer plain = { NULL, pass, pass };

struct world world;

static int compile_here(int module, const struct artefact *artefact, struct error *error)
{
    struct bytes content = { 0 };
    AUTO_BUFFER struct buffer image;
    buffer_init(&image, 64 << 20);
    struct wasm_options options = { .module_digest = &artefact->code };
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
    uv_idle_stop(idle);
    if (world.compile_done != NULL) {
        compiler_done *done = TAKE(world.compile_done);
        done(world.compile_context, world.compile_image, (struct bytes){ 0 }, &world.compile_error);
    }
    while (world.wish_count > 0) {
        world.wish_count--;
        worker_give(world.wishes[world.wish_count].done, world.wishes[world.wish_count].context);
    }
}

static bool compile_start(void *context, int module, const struct artefact *artefact,
                          compiler_done *done, void *done_context, struct error *error)
{
    (void)context, (void)error;
    world.compile_count++;
    world.compile_image = compile_here(module, artefact, &world.compile_error);
    close(module);
    world.compile_done = done;
    world.compile_context = done_context;
    uv_idle_start(&world.idle, idle_turn);
    return true;
}

static bool worker_wanted(void *context, worker_done *done, void *done_context, struct error *error)
{
    (void)context;
    if (world.wish_count == WORKERS_MAX)
        return error_set(error, ERROR_BUSY, "too many wishes");
    world.wishes[world.wish_count].done = done;
    world.wishes[world.wish_count++].context = done_context;
    uv_idle_start(&world.idle, idle_turn);
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

/* Only wakes the loop, so that who waits in it looks again. */
static void moment_passed(uv_timer_t *timer)
{
    (void)timer;
}

void world_turn(void)
{
    uv_run(&world.loop, UV_RUN_ONCE);
}

struct world_options world_options = { .worker_count_max = 2 };

bool world_open(const char *name)
{
    char path[4096];
    struct error error = { 0 };
    world = (struct world){ 0 };
    snprintf(path, sizeof(path), "%s/%s", test_folder(), name);
    uv_loop_init(&world.loop);
    uv_idle_init(&world.loop, &world.idle);
    uv_timer_init(&world.loop, &world.moments);
    uv_timer_start(&world.moments, moment_passed, MOMENT_MS, MOMENT_MS);
    world.compiler = (struct compiler){ .name = "test", .start = compile_start };
    bool opened = store_open_sqlite(&world.store, path, &plain, &error) &&
                  registry_open(&world.registry, &(struct registry_options){ .store = world.store },
                                &error) &&
                  blobs_new(&world.blobs, world.store, 1 << 20, &error) && receipts_open(&error);
    world.trier = (struct trier){ &world.loop, world.blobs, { NULL, worker_wanted, worker_end } };
    struct deployer_options deployer = { world.registry,  world.store,   world.blobs,
                                         &world.compiler, &clock_system, NULL };
    struct invoker_options invoker = { .loop = &world.loop,
                                       .blobs = world.blobs,
                                       .workers = { NULL, worker_wanted, worker_end },
                                       .receipts = world.receipts,
                                       .services = world_options.services,
                                       .clock = &clock_system,
                                       .input_size_max = 1 << 20,
                                       .worker_count_max = world_options.worker_count_max,
                                       .memory_size_max = world_options.memory_size_max,
                                       .idle_ms = world_options.idle_ms,
                                       .idle_ms_min = world_options.idle_ms_min,
                                       .lane_count_min = world_options.lane_count_min,
                                       .lane_count_max = world_options.lane_count_max,
                                       .core_count = 2,
                                       .watches = world_options.watches };
    opened = opened && deployer_new(&world.deployer, &deployer, &error) &&
             invoker_new(&world.invoker, &invoker, &error);
    CHECK_NOTE(opened, "%s", error.text);
    return opened;
}

void world_close(void)
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
    uv_close((uv_handle_t *)&world.moments, NULL);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    uv_loop_close(&world.loop);
    for (unsigned i = 0; i < world.worker_count; i++)
        CHECK_NOTE(spawn_wait(&end, world.workers[i], TEST_PATIENCE_MS, &error), "%s", error.text);
}

/* --- deploying --- */

void world_deploy_done(void *context, const struct deployment_result *result,
                       const struct error *error)
{
    (void)context;
    world.deployed = result != NULL;
    world.deploy_failed = result == NULL;
    if (result == NULL)
        world.deploy_error = *error;
    else
        invoker_application_changed(world.invoker, result->application->manifest->application,
                                    result->is_served ? result->application : NULL, NULL);
}

bool world_deploy(const char *name, const char *module, uint32_t concurrency, uint32_t timeout_ms)
{
    char path[256];
    struct error error = { 0 };
    struct digest32 owner = { { 1 } };
    snprintf(path, sizeof(path), "tests/data/functions/%s.wasm", module);
    struct bytes content = test_file(path);
    struct digest32 code = sha256_of(content);
    AUTO_BUFFER struct buffer text;
    char lines[1024];
    snprintf(
        lines, sizeof(lines),
        "abi = \"%s\"\nenvironment = { COLOUR = \"blue\" }\n"
        "limits = { concurrency = %u, memory_mib = 16, output_kib = 64, timeout_ms = %u%s }\n%s",
        world.abi != NULL ? world.abi : "command", concurrency, timeout_ms,
        world.limits != NULL ? world.limits : "", world.lines != NULL ? world.lines : "");
    test_manifest(&text, name, &code, lines);
    world.deployed = world.deploy_failed = false;
    struct version_signer signer = test_signer(buffer_view(&text));
    struct deployment_request request = { .name = name,
                                          .canonical = buffer_view(&text),
                                          .change = { owner, "key:test", 0 },
                                          .signers = &signer,
                                          .signer_count = 1,
                                          .weight = 100 };
    if (!store_blob_put(world.store, &code, content, &error) ||
        !deployment_start(world.deployer, &request, world_deploy_done, NULL, &error)) {
        world.deploy_error = error;
        return false;
    }
    while (!world.deployed && !world.deploy_failed)
        world_turn();
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
    if (result->answer != NULL) {
        seen->answer_status = result->answer->status;
        seen->header_count = result->answer->header_count;
    }
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

bool world_start(const char *name, struct bytes input, struct outcome_seen *seen,
                 struct error *error)
{
    char path[64];
    const char *const environment[] = { "REQUEST_METHOD=POST", world.path != NULL ? path : NULL,
                                        NULL };
    snprintf(path, sizeof(path), "PATH_INFO=%s", world.path != NULL ? world.path : "");
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

void world_run_until(unsigned count)
{
    uint64_t start_ns = clock_monotonic_ns(&clock_system);
    while (world.seen_count < count &&
           clock_monotonic_ns(&clock_system) - start_ns < UINT64_C(1000000) * TEST_PATIENCE_MS)
        world_turn();
    CHECK_NUMBER(world.seen_count, count);
}

struct outcome_seen *world_invoke(const char *name, const char *input)
{
    struct outcome_seen *seen = &world.seen[world.seen_count];
    struct error error = { 0 };
    if (world_start(name, bytes_of_string(input), seen, &error))
        world_run_until(world.seen_count + 1);
    else
        CHECK_NOTE(false, "%s", error.text);
    return seen;
}
