/* SPDX-License-Identifier: Apache-2.0 */
/* Deployments and invocations with real workers: slipstream processes started here. */
#include "base/file.h"
#include "crypto/hash.h"
#include "functions/test_manifest.h"
#include "functions/test_world.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void answers_with_a_receipt(void)
{
    REQUIRE_KVM();
    REQUIRE(world_open("answers"));
    CHECK_NOTE(world_deploy("app", "echo", 4, 5000), "%s", world.deploy_error.text);
    struct outcome_seen *seen = world_invoke("app", "hello");
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
    seen = world_invoke("app", "again");
    CHECK_STRING(seen->output, "again");
    CHECK_NUMBER(seen->receipt.sequence, 2);
    CHECK_NUMBER(world.worker_count, 1);
    world_close();
}

static void gives_the_environment(void)
{
    REQUIRE_KVM();
    REQUIRE(world_open("environment"));
    CHECK_NOTE(world_deploy("app", "environment", 4, 5000), "%s", world.deploy_error.text);
    struct outcome_seen *seen = world_invoke("app", "");
    CHECK(bytes_equal(bytes_of(seen->output, seen->output_size),
                      BYTES_LITERAL("REQUEST_METHOD=POST\0COLOUR=blue\0")));
    world_close();
}

static void tells_how_a_run_failed(void)
{
    REQUIRE_KVM();
    REQUIRE(world_open("failed"));
    CHECK(world_deploy("trap", "trap", 4, 5000) && world_deploy("exit", "exit", 4, 5000));
    struct outcome_seen *seen = world_invoke("trap", "");
    CHECK_NUMBER(seen->status, RECEIPT_STATUS_TRAP);
    CHECK(strstr(seen->message, "unreachable") != NULL);
    CHECK_STRING(seen->receipt.outcome.trap, "unreachable");
    CHECK(seen->receipt.outcome.has_function_index);
    CHECK_NUMBER(seen->receipt.outcome.function_index, 1);
    seen = world_invoke("exit", "");
    CHECK_NUMBER(seen->status, RECEIPT_STATUS_EXIT);
    CHECK_NUMBER(seen->receipt.outcome.exit_code, 3);
    world_close();
}

static void keeps_limits(void)
{
    REQUIRE_KVM();
    REQUIRE(world_open("limits"));
    CHECK(world_deploy("loop", "loop", 4, 100));
    struct outcome_seen *seen = world_invoke("loop", "");
    CHECK_NUMBER(seen->status, RECEIPT_STATUS_TIMEOUT);
    CHECK(seen->has_receipt);
    CHECK(world_deploy("flood", "flood", 4, 5000));
    seen = world_invoke("flood", "");
    CHECK_NUMBER(seen->status, RECEIPT_STATUS_LIMIT);
    CHECK(seen->output_size <= (64 << 10) + 8192);
    /* A third application: only two may have a worker, so the idle ones give way. */
    CHECK(world_deploy("hog", "hog", 4, 5000));
    seen = world_invoke("hog", "");
    CHECK_NOTE(seen->status == RECEIPT_STATUS_TRAP, "%s", seen->message);
    CHECK_NUMBER(invoker_counts(world.invoker).workers, 2);
    CHECK(world_deploy("bomb", "bomb", 4, 5000));
    seen = world_invoke("bomb", "");
    CHECK_NOTE(seen->status == RECEIPT_STATUS_TRAP, "%s", seen->message);
    world_close();
}

static void a_start_function_holds_nobody_up(void)
{
    REQUIRE_KVM();
    REQUIRE(world_open("start"));
    CHECK(world_deploy("loop", "start-loop", 4, 400) && world_deploy("echo", "echo", 4, 5000));
    struct outcome_seen *stuck = &world.seen[0];
    struct error error;
    CHECK(world_start("loop", (struct bytes){ 0 }, stuck, &error));
    struct outcome_seen *served = &world.seen[1];
    CHECK(world_start("echo", BYTES_LITERAL("served"), served, &error));
    world_run_until(1);
    CHECK_STRING(served->output, "served");
    CHECK(stuck->message[0] == '\0');
    world_run_until(2);
    CHECK_NOTE(!stuck->ran && stuck->refused == ERROR_TIMEOUT, "%s", stuck->message);
    world_close();
}

static void a_start_function_that_traps_is_told(void)
{
    REQUIRE_KVM();
    REQUIRE(world_open("start-trap"));
    CHECK(world_deploy("trap", "start-trap", 4, 1000));
    struct outcome_seen *seen = world_invoke("trap", "");
    CHECK_NOTE(!seen->ran && seen->refused == ERROR_TRAPPED, "%s", seen->message);
    world_close();
}

static void queues_and_then_refuses(void)
{
    REQUIRE_KVM();
    REQUIRE(world_open("queue"));
    CHECK(world_deploy("loop", "loop", 1, 20));
    uint64_t since_ms = test_clock_ms();
    struct error error = { 0 };
    unsigned started = 0;
    while (started < RESULTS_MAX &&
           world_start("loop", (struct bytes){ 0 }, &world.seen[started], &error))
        started++;
    CHECK_NUMBER(started, WAITING_COUNT_MAX);
    CHECK_NUMBER(error.code, ERROR_BUSY);
    world_run_until(started);
    /* Where the machine takes so long for all of them, the last have waited too long. */
    bool is_slow = test_clock_ms() - since_ms > WAITING_MS_MAX;
    for (unsigned i = 0; i < started; i++)
        CHECK_NOTE(world.seen[i].status == RECEIPT_STATUS_TIMEOUT ||
                       (is_slow && world.seen[i].refused == ERROR_BUSY),
                   "%u: %s", i, world.seen[i].message);
    world_close();
}

static void a_killed_worker_is_replaced(void)
{
    REQUIRE_KVM();
    REQUIRE(world_open("killed"));
    CHECK(world_deploy("echo", "echo", 4, 5000) && world_deploy("loop", "loop", 4, 5000));
    CHECK_STRING(world_invoke("echo", "one")->output, "one");
    struct error error;
    struct outcome_seen *seen = &world.seen[world.seen_count];
    CHECK(world_start("loop", (struct bytes){ 0 }, seen, &error));
    while (invoker_counts(world.invoker).running == 0)
        world_turn();
    CHECK_NUMBER(world.worker_count, 2);
    kill(world.workers[1], SIGKILL);
    world_run_until(world.seen_count + 1);
    CHECK_NUMBER(seen->status, RECEIPT_STATUS_CRASHED);
    CHECK(seen->has_receipt);
    kill(world.workers[0], SIGKILL);
    while (invoker_counts(world.invoker).workers_lost < 2)
        world_turn();
    CHECK_STRING(world_invoke("echo", "two")->output, "two");
    world_close();
}

static void a_new_version_takes_over(void)
{
    REQUIRE_KVM();
    REQUIRE(world_open("version"));
    struct error error;
    CHECK(world_deploy("app", "loop", 4, 300));
    struct outcome_seen *old = &world.seen[0];
    CHECK(world_start("app", (struct bytes){ 0 }, old, &error));
    CHECK(world_deploy("app", "echo", 4, 5000));
    struct outcome_seen *fresh = &world.seen[1];
    CHECK(world_start("app", BYTES_LITERAL("new"), fresh, &error));
    world_run_until(2);
    CHECK_NUMBER(old->status, RECEIPT_STATUS_TIMEOUT);
    CHECK_STRING(fresh->output, "new");
    world_close();
}

static void compiles_once_and_reports_refusals(void)
{
    REQUIRE(world_open("compiles"));
    CHECK_NOTE(world_deploy("one", "echo", 4, 5000), "%s", world.deploy_error.text);
    CHECK(world_deploy("two", "echo", 4, 5000));
    CHECK_NUMBER(world.compile_count, 1);
    CHECK(!world_deploy("bad", "import", 4, 5000));
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
    CHECK(world_deploy("app", "echo", 4, 5000));
    struct error error = { 0 };
    bool started = true;
    struct application *served = registry_find(world.registry, "app");
    REQUIRE(served != NULL);
    CHECK(deployment_refresh(world.deployer, served, world_deploy_done, NULL, &started, &error));
    CHECK(!started);
    world.compiler.name = "newer";
    world.deployed = false;
    CHECK_NOTE(
        deployment_refresh(world.deployer, served, world_deploy_done, NULL, &started, &error), "%s",
        error.text);
    CHECK(started);
    AWAIT((world_turn(), world.deployed));
    CHECK_NUMBER(world.compile_count, 2);
    served = registry_find(world.registry, "app");
    CHECK(deployment_refresh(world.deployer, served, world_deploy_done, NULL, &started, &error));
    CHECK(!started);
    world_close();
}

/* The optimised image is in use, the baseline's has been swept: a restart changes nothing. */
static void what_was_optimised_stays(void)
{
    struct error error = { 0 };
    struct function_image image, baseline;
    struct application *changed = NULL;
    bool started = true;
    REQUIRE(world_open("optimised"));
    REQUIRE(world_deploy("app", "echo", 4, 5000) && world_deploy("other", "loop", 4, 5000));
    struct application *served = registry_find(world.registry, "app");
    REQUIRE(served != NULL);
    const struct digest32 code = served->manifest->functions[0].code;
    baseline = served->images[0];
    image = registry_find(world.registry, "other")->images[0]; /* one that is there */
    image.flags |= FUNCTION_IMAGE_OPTIMISED;
    REQUIRE(registry_images_set(world.registry, served, &image, 1000, &changed, &error));
    application_release(changed);
    CHECK(registry_image_get(world.registry, &code, world.compiler.name, &image, NULL, &error));
    CHECK(registry_sweep(world.registry, 1000 + GARBAGE_AGE_S, &error));
    CHECK(!registry_image_get(world.registry, &code, world.compiler.name, &image, NULL, &error));
    served = registry_find(world.registry, "app");
    CHECK(!digest32_equal(&served->images[0].image, &baseline.image));
    CHECK(deployment_refresh(world.deployer, served, world_deploy_done, NULL, &started, &error));
    CHECK(!started);
    world.compiler.name = "newer"; /* whose images are wanted all the same */
    world.deployed = false;
    CHECK(deployment_refresh(world.deployer, served, world_deploy_done, NULL, &started, &error));
    CHECK(started);
    AWAIT((world_turn(), world.deployed));
    world_close();
}

static const struct test tests[] = {
    TEST(what_was_optimised_stays),
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
