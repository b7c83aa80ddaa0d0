/* SPDX-License-Identifier: Apache-2.0 */
/* What deployments find out about functions, and the answers of reactors and CGI programs. */
#include "base/file.h"
#include "crypto/hash.h"
#include "functions/test_world.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Everything that a deployment's trial finds. */
static void trials_find_what_fails(void)
{
    static const struct {
        const char *module, *abi, *text;
    } cases[] = {
        { "start-trap", "command",
          "function f: initialisation: trap: unreachable in wasm function" },
        { "start-loop", "command",
          "function f: initialisation: the function ran out of time (limits.timeout_ms)" },
        { "init-exit", "reactor", "function f: initialisation: trap: exit during initialisation" },
        { "init-print", "reactor", "function f: initialisation: it printed \"ready\\x0a\"" },
        { "echo", "reactor",
          "function f is of abi reactor, but the module does not export s3n_alloc" },
        { "reactor", "command",
          "function f is of abi command, but the module has no function _start" },
        { "reactor", "cgi", "function f is of abi cgi, but the module has no function _start" },
    };
    REQUIRE_KVM();
    REQUIRE(world_open("trials"));
    deployer_free(world.deployer);
    struct deployer_options options = { world.registry,  world.store,   world.blobs,
                                        &world.compiler, &clock_system, &world.trier };
    struct error error;
    REQUIRE(deployer_new(&world.deployer, &options, &error));
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        world.abi = cases[i].abi;
        uint32_t timeout_ms = strcmp(cases[i].module, "start-loop") == 0 ? 300 : 5000;
        CHECK(!world_deploy("a", cases[i].module, 4, timeout_ms));
        CHECK_NOTE(strstr(world.deploy_error.text, cases[i].text) != NULL, "%s",
                   world.deploy_error.text);
        CHECK(registry_find(world.registry, "a") == NULL);
    }
    world.abi = "reactor";
    CHECK_NOTE(world_deploy("a", "reactor", 4, 5000), "%s", world.deploy_error.text);
    CHECK(registry_find(world.registry, "a") != NULL);
    world_close();
}

static void reactors_answer(void)
{
    REQUIRE_KVM();
    REQUIRE(world_open("reactor"));
    world.abi = "reactor";
    REQUIRE(world_deploy("r", "reactor", 4, 5000));
    struct outcome_seen *seen = world_invoke("r", "a body");
    CHECK_NOTE(seen->status == RECEIPT_STATUS_DONE, "%s", seen->message);
    CHECK_STRING(seen->output, "a body");
    CHECK_NUMBER(seen->answer_status, 200);
    struct digest32 request = sha256_of(BYTES_LITERAL("a body"));
    CHECK(digest32_equal(&request, &seen->receipt.request));
    world.path = "/show";
    seen = world_invoke("r", "b");
    CHECK_NUMBER(seen->answer_status, 201);
    CHECK_NUMBER(seen->header_count, 2);
    CHECK(strstr(seen->output, "/show? trigger 1") != NULL);
    CHECK(strstr(seen->output, "\nfact COLOUR=blue\n") != NULL);
    CHECK(strstr(seen->output, seen->id) != NULL);
    CHECK(strstr(seen->output, "\nbody b") != NULL);
    char first[sizeof(world.seen[0].output)];
    world.path = "/count";
    snprintf(first, sizeof(first), "%s", world_invoke("r", "")->output);
    seen = world_invoke("r", "");
    /* prepared, requests and what was drawn in the setup are the same, the fresh number is not */
    CHECK_NUMBER(strncmp(first, "prepared 500500 requests 1 setup ", 33), 0);
    CHECK_NUMBER(strncmp(seen->output, first, 55), 0);
    CHECK(strcmp(seen->output, first) != 0);
    world.path = "/exit";
    seen = world_invoke("r", "");
    CHECK_NUMBER(seen->status, RECEIPT_STATUS_EXIT);
    CHECK_NUMBER(seen->answer_status, 0);
    world.path = "/flood";
    CHECK_NUMBER(world_invoke("r", "")->status, RECEIPT_STATUS_LIMIT);
    world.path = "/trap";
    CHECK_STRING(world_invoke("r", "")->receipt.outcome.trap, "unreachable");
    world_close();
}

/* The answer's bytes are the request's: see raw.wat. */
static void malformed_answers_are_told(void)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *message, *trap;
    } cases[] = {
        { "", 0, "malformed answer: it is shorter than an answer's head", "malformed-answer" },
        { "S3NA\1\0\310\0\40\0\0\0\40\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0", 32,
          "malformed answer: headers reach beyond the answer", "malformed-answer" },
        { "!.......\377\377\377\377\0\0\0\0", 16, "trap: malformed answer", "malformed-answer" },
        { "!.......\0\0\1\0\377\377\1\0", 16, "trap: malformed answer", "malformed-answer" },
    };
    REQUIRE_KVM();
    REQUIRE(world_open("malformed"));
    world.abi = "reactor";
    REQUIRE(world_deploy("raw", "raw", 4, 5000));
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct outcome_seen *seen = &world.seen[world.seen_count];
        struct error error;
        REQUIRE(world_start("raw", bytes_of(cases[i].bytes, cases[i].size), seen, &error));
        world_run_until(world.seen_count + 1);
        CHECK_NUMBER(seen->status, RECEIPT_STATUS_TRAP);
        CHECK_STRING(seen->message, cases[i].message);
        CHECK_STRING(seen->receipt.outcome.trap, cases[i].trap);
        CHECK_NUMBER(seen->answer_status, 0);
    }
    world_close();
}

static void cgi_is_strict_when_asked(void)
{
    REQUIRE_KVM();
    REQUIRE(world_open("cgi"));
    REQUIRE(world_deploy("plain", "echo", 4, 5000));
    CHECK_STRING(world_invoke("plain", "Status: 404\n\n")->output, "Status: 404\n\n");
    world.abi = "cgi";
    REQUIRE(world_deploy("cgi", "echo", 4, 5000));
    struct outcome_seen *seen =
        world_invoke("cgi", "Status: 404\nContent-Type: a/b\n\nno such thing");
    CHECK_NUMBER(seen->status, RECEIPT_STATUS_DONE);
    CHECK_NUMBER(seen->answer_status, 404);
    CHECK_NUMBER(seen->header_count, 1);
    CHECK_STRING(seen->output, "no such thing");
    seen = world_invoke("cgi", "hello");
    CHECK_NUMBER(seen->status, RECEIPT_STATUS_TRAP);
    CHECK_STRING(seen->message, "malformed answer: its header lines do not end with an empty line");
    CHECK_STRING(seen->receipt.outcome.trap, "malformed-answer");
    world_close();
}

static const struct test tests[] = {
    TEST(trials_find_what_fails),
    TEST(reactors_answer),
    TEST(malformed_answers_are_told),
    TEST(cgi_is_strict_when_asked),
};

int main(int argc, char **argv)
{
    /* What libuv opens once for all loops is not a case's leak. */
    uv_loop_t first;
    uv_loop_init(&first);
    uv_loop_close(&first);
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
