/* SPDX-License-Identifier: Apache-2.0 */
/* The server's identity on a platform without a register of run-time events: what is loaded after
 * its keyset was endorsed is vouched for once the keyset is endorsed again, for the same keys. */
#include "attest/sim.h"
#include "cmd/s3nd/identity.h"
#include "core/hex.h"
#include "keys/event_copy.h"
#include "keys/verify.h"
#include "tests/harness.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A keeper in a thread of its own, whose evidence shows no register. */
struct stage {
    struct sim_root *root;
    struct keeper_service service;
    struct keeper *keeper;
    struct event_copy events;
    struct receipt_book *receipts;
    struct identity identity;
    int event_register, socket;
    pthread_t thread;
};

static bool evidence_make(void *context, const struct digest64 *report_data, struct buffer *quote,
                          struct error *error)
{
    return sim_quote(quote, context, report_data->bytes, NULL, error);
}

static void *serve(void *context)
{
    struct stage *stage = context;
    struct error error = { 0 };
    CHECK(keeper_serve(&stage->service, stage->socket, &error));
    return NULL;
}

static bool stage_start(struct stage *stage, struct error *error)
{
    int ends[2];
    *stage = (struct stage){ 0 };
    event_copy_init(&stage->events);
    stage->event_register = memfd_create("register", MFD_CLOEXEC);
    if (!sim_root_new(&stage->root, (int64_t)time(NULL), error))
        return false;
    stage->service.clock = &clock_system;
    stage->service.root = (struct secret32){ { 5, 6, 7 } };
    stage->service.platform =
        (struct platform){ .name = "sim", .evidence = evidence_make, .context = stage->root };
    memcpy(stage->service.platform.node, "00112233445566778899aabbccddeeff", KEYS_NODE_SIZE);
    struct event_book_options events = {
        .target = event_register_of(&stage->service.platform, &stage->event_register),
        .clock = &clock_system,
        .file = -1,
        .node = stage->service.platform.node,
        .platform = "sim",
    };
    if (!event_book_open(&stage->service.events, &events, error) ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    stage->socket = ends[0];
    return pthread_create(&stage->thread, NULL, serve, stage) == 0 &&
           keeper_connect(&stage->keeper, ends[1], error) &&
           receipt_book_new(&stage->receipts, &clock_system, error) &&
           identity_renew(&stage->identity, stage->keeper, stage->receipts, "127.0.0.1:0", error);
}

static void stage_end(struct stage *stage)
{
    keeper_close(stage->keeper);
    pthread_join(stage->thread, NULL);
    identity_done(&stage->identity);
    receipt_book_free(stage->receipts);
    event_copy_done(&stage->events);
    event_book_done(&stage->service.events);
    sim_root_free(stage->root);
    close(stage->event_register);
}

static struct receipt receipt_of(const char *image)
{
    struct receipt receipt = { .code = sha256_of(BYTES_LITERAL("code")),
                               .manifest = sha256_of(BYTES_LITERAL("manifest")),
                               .image = sha256_of(bytes_of_string(image)) };
    snprintf(receipt.id, sizeof(receipt.id), "inv-1");
    snprintf(receipt.application, sizeof(receipt.application), "auction");
    snprintf(receipt.application_version, sizeof(receipt.application_version), "1.0.0");
    snprintf(receipt.function, sizeof(receipt.function), "settle");
    snprintf(receipt.trigger.request_id, sizeof(receipt.trigger.request_id), "req-1");
    return receipt;
}

/* Issues a receipt, asks for evidence and the log, and verifies it all. */
static bool holds(struct stage *stage, const struct receipt *receipt, struct verify_result *result,
                  struct error *error)
{
    AUTO_BUNDLE struct bundle bundle;
    const char *text;
    struct verify_options options = { .trust_simulated = true, .now_s = (int64_t)time(NULL) };
    bundle_init(&bundle);
    memcpy(bundle.attestation.platform, "sim", 4);
    buffer_append(&bundle.attestation.keyset, buffer_view(&stage->identity.keyset));
    if (!receipt_book_issue(stage->receipts, receipt, &text, error) ||
        !keeper_evidence(stage->keeper, &stage->identity.keyset_digest, &bundle.attestation.nonce,
                         &bundle.attestation.evidence, error) ||
        !event_copy_refresh(&stage->events, stage->keeper, error))
        return false;
    buffer_append_string(&bundle.receipt, text);
    buffer_append(&bundle.attestation.events, buffer_view(&stage->events.log));
    return verify_bundle(result, &bundle, &options, error);
}

static void a_load_is_vouched_for_by_the_next_keyset(void)
{
    struct stage stage;
    struct error error = { 0 };
    struct verify_result result;
    struct receipt receipt = receipt_of("image"), other = receipt_of("another");
    struct event_load load = { receipt_version(&receipt), receipt.image };
    bool is_new = false;
    REQUIRE(stage_start(&stage, &error));
    const struct keyset before = stage.identity.parsed;
    const struct tls_context *tls = stage.identity.tls;
    CHECK_STRING(before.events.event_register, "none");
    CHECK_NOTE(event_copy_refresh(&stage.events, stage.keeper, &error) &&
                   event_copy_load(&stage.events, stage.keeper, &load, &is_new, &error) && is_new,
               "%s", error.text);
    CHECK(event_copy_load(&stage.events, stage.keeper, &load, &is_new, &error) && !is_new);
    CHECK(!holds(&stage, &receipt, &result, &error));
    CHECK_NOTE(strstr(error.text, "the load of this version and image is not") != NULL, "%s",
               error.text);
    CHECK(identity_endorse_again(&stage.identity, stage.keeper, stage.receipts, &error));
    bool held = holds(&stage, &receipt, &result, &error);
    CHECK_NOTE(held, "%s", error.text);
    CHECK_STRING(result.steps[VERIFY_STEP_EVENTS].detail,
                 "3 entries lead to the keyset's head; loaded at entry 3");
    CHECK_NUMBER(result.receipt.sequence, 2); /* the key is the same */
    CHECK(ecdsa_public_equal(&before.receipt_key, &stage.identity.parsed.receipt_key));
    CHECK(ecdsa_public_equal(&before.tls_key, &stage.identity.parsed.tls_key));
    CHECK(stage.identity.tls == tls);
    CHECK_NUMBER(stage.events.count, 3); /* no other release */
    CHECK(!holds(&stage, &other, &result, &error));
    stage_end(&stage);
}

static void a_policy_is_recorded_when_it_is_another(void)
{
    struct stage stage;
    struct error error = { 0 };
    static const char one[] = "{\"change\":\"start\",\"x\":1}";
    static const char two[] = "{\"change\":\"start\",\"x\":2}";
    REQUIRE(stage_start(&stage, &error));
    static const struct {
        const char *details;
        uint64_t count;
    } rows[] = { { one, 3 }, { one, 3 }, { two, 4 }, { two, 4 }, { one, 5 } };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CHECK(event_copy_policy(&stage.events, stage.keeper, rows[i].details, &error));
        CHECK_NUMBER(stage.events.count, rows[i].count);
    }
    stage_end(&stage);
}

static const struct test tests[] = {
    TEST(a_load_is_vouched_for_by_the_next_keyset),
    TEST(a_policy_is_recorded_when_it_is_another),
};
TEST_MAIN(tests)
