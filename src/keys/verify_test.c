/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/verify.h"

#include "attest/sim.h"
#include "keys/keys_test_scene.h"
#include "keys/keys_test_support.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static bool holds(struct scene *scene)
{
    scene->error = (struct error){ 0 };
    return verify_bundle(&scene->result, &scene->bundle, &scene->options, &scene->error);
}

/* Refused at this step, with these words, and nothing after it was looked at. */
static bool fails_at(struct scene *scene, enum verify_step step, const char *words)
{
    bool as_expected = !holds(scene) && scene->error.code == ERROR_UNVERIFIED &&
                       scene->result.steps[step].verdict == VERIFY_FAILED &&
                       strstr(scene->error.text, words) != NULL;
    for (int later = (int)step + 1; later < VERIFY_STEP_COUNT; later++)
        as_expected = as_expected && scene->result.steps[later].verdict == VERIFY_NOT_REACHED;
    if (!as_expected)
        test_note("%s", scene->error.text);
    return as_expected;
}

static void a_good_bundle_passes_every_step(void)
{
    struct scene scene;
    if (scene_open(&scene)) {
        bool good = holds(&scene);
        CHECK_NOTE(good, "%s", scene.error.text);
        for (int step = 0; step < VERIFY_STEP_COUNT; step++)
            CHECK(scene.result.steps[step].verdict == VERIFY_PASSED);
        CHECK(scene.result.simulated);
        /* A development root is no hardware, and no RATS tool is told that it were. */
        CHECK(scene.result.has_appraisal);
        CHECK_NUMBER(scene.result.appraisal.status, EAR_TIER_CONTRAINDICATED);
        CHECK_NUMBER(scene.result.appraisal.vector[EAR_HARDWARE], 97);
        CHECK(strstr(scene.result.steps[VERIFY_STEP_ROOT].detail, "SIMULATED") != NULL);
        CHECK_STRING(scene.result.receipt.function, "settle");
        scene.options.input = scene.options.output = scene.options.code = NULL;
        CHECK(holds(&scene));
        CHECK(scene.result.steps[VERIFY_STEP_INPUT].verdict == VERIFY_NOT_COMPARED);
        CHECK(scene.result.steps[VERIFY_STEP_CODE].verdict == VERIFY_PASSED);
        scene.options.nonce = &scene.receipt.nonce;
        CHECK(holds(&scene));
    }
    scene_close(&scene);
}

static void simulated_evidence_needs_to_be_asked_for(void)
{
    struct scene scene;
    if (scene_open(&scene)) {
        scene.options.trust_simulated = false;
        CHECK(fails_at(&scene, VERIFY_STEP_ROOT, "SIMULATED"));
        CHECK(scene.result.simulated);
        /* a pinned development root is still no hardware */
        scene.options.root = sim_root_certificate(scene.root);
        CHECK(!holds(&scene));
        scene.options.trust_simulated = true;
        CHECK(holds(&scene));
        scene.options.root = BYTES_LITERAL("no certificate");
        CHECK(!holds(&scene) && scene.error.code != ERROR_UNVERIFIED);
    }
    scene_close(&scene);
}

static void other_digests_are_named(void)
{
    struct scene scene;
    if (scene_open(&scene)) {
        scene.output.bytes[31] ^= 1;
        CHECK(fails_at(&scene, VERIFY_STEP_OUTPUT, "output digest differs"));
        CHECK(strcmp(scene.error.text, "output digest differs") == 0);
        scene.input.bytes[0] ^= 1;
        CHECK(fails_at(&scene, VERIFY_STEP_INPUT, "input digest differs"));
        scene.code.bytes[7] ^= 1;
        CHECK(fails_at(&scene, VERIFY_STEP_CODE, "code digest differs"));
        scene.code.bytes[7] ^= 1;
        struct nonce32 nonce = { { 1 } };
        scene.options.nonce = &nonce;
        CHECK(fails_at(&scene, VERIFY_STEP_INPUT, "nonce"));
        scene.receipt.has_nonce = false;
        CHECK(scene_issue(&scene));
        CHECK(fails_at(&scene, VERIFY_STEP_INPUT, "nonce"));
    }
    scene_close(&scene);
}

static void receipts_that_do_not_fit_the_keyset_are_refused(void)
{
    struct scene scene;
    if (scene_open(&scene)) {
        struct receipt good = scene.receipt;
        scene.receipt.issued_at_s = scene.keyset.validity.not_after_s + 1;
        CHECK(scene_issue(&scene) && fails_at(&scene, VERIFY_STEP_KEYSET, "validity"));
        scene.receipt = good;
        scene.options.now_s = good.issued_at_s - 301;
        CHECK(scene_issue(&scene) && fails_at(&scene, VERIFY_STEP_KEYSET, "future"));
        scene.options.now_s = good.issued_at_s;
        scene.receipt.node[0] = 'f';
        CHECK(scene_issue(&scene) && fails_at(&scene, VERIFY_STEP_KEYSET, "another node"));
        scene.receipt = good;
        memcpy(scene.receipt.platform, "tdx", 4);
        CHECK(scene_issue(&scene) && fails_at(&scene, VERIFY_STEP_KEYSET, "platform"));
        scene.receipt = good;
        CHECK(scene_issue(&scene));
        memcpy(scene.bundle.attestation.platform, "tdx", 4);
        CHECK(fails_at(&scene, VERIFY_STEP_KEYSET, "platform"));
        /* a keyset that claims hardware over simulated evidence */
        memcpy(scene.keyset.platform, "tdx", 4);
        memcpy(scene.receipt.platform, "tdx", 4);
        CHECK(scene_issue(&scene));
        memcpy(scene.bundle.attestation.platform, "tdx", 4);
        CHECK(fails_at(&scene, VERIFY_STEP_EVIDENCE, "another platform"));
    }
    scene_close(&scene);
}

static void a_receipt_under_another_keyset_is_refused(void)
{
    struct scene scene;
    if (scene_open(&scene)) {
        AUTO(ecdsa_key) struct ecdsa_key *other = test_key(9);
        AUTO_BUFFER struct buffer receipt;
        buffer_init(&receipt, RECEIPT_SIZE_MAX);
        CHECK(receipt_issue(&receipt, &scene.receipt, other, &scene.error));
        buffer_clear(&scene.bundle.receipt);
        buffer_append(&scene.bundle.receipt, buffer_view(&receipt));
        CHECK(fails_at(&scene, VERIFY_STEP_SIGNATURE, "signature"));
        /* the thief brings a keyset of his own: evidence does not vouch for it */
        scene.keyset.receipt_key = *ecdsa_key_public(other);
        struct buffer *text = &scene.bundle.attestation.keyset;
        buffer_clear(text);
        CHECK(keyset_write(text, &scene.keyset, &scene.error));
        scene.receipt.keyset = keyset_digest(buffer_view(text));
        buffer_clear(&scene.bundle.receipt);
        CHECK(receipt_issue(&scene.bundle.receipt, &scene.receipt, other, &scene.error));
        CHECK(fails_at(&scene, VERIFY_STEP_EVIDENCE, "report data"));
    }
    scene_close(&scene);
}

static void flip_each_byte(struct scene *scene, struct buffer *part, const char *name)
{
    for (size_t i = 0; i < part->size; i++) {
        part->data[i] ^= (uint8_t)(1u << (i % 8));
        CHECK_NOTE(!holds(scene), "%s, byte %zu", name, i);
        part->data[i] ^= (uint8_t)(1u << (i % 8));
    }
    CHECK(holds(scene));
}

static void any_changed_byte_is_refused(void)
{
    struct scene scene;
    if (scene_open(&scene)) {
        flip_each_byte(&scene, &scene.bundle.receipt, "receipt");
        flip_each_byte(&scene, &scene.bundle.attestation.keyset, "keyset");
        flip_each_byte(&scene, &scene.bundle.attestation.evidence, "evidence");
        for (size_t i = 0; i < 32; i++) {
            scene.bundle.attestation.nonce.bytes[i] ^= 1;
            CHECK(!holds(&scene));
            scene.bundle.attestation.nonce.bytes[i] ^= 1;
        }
        struct buffer *evidence = &scene.bundle.attestation.evidence;
        size_t size = evidence->size;
        for (evidence->size = 0; evidence->size < size; evidence->size += 7)
            CHECK(!holds(&scene));
    }
    scene_close(&scene);
}

/* The bundle's log in another arrangement of its entries. */
static void arrange(struct scene *scene, const size_t *order, size_t count)
{
    struct buffer *events = &scene->bundle.attestation.events;
    struct bytes entries[16];
    size_t entry_count = 0;
    AUTO_BUFFER struct buffer arranged;
    buffer_init(&arranged, EVENTS_SIZE_MAX);
    for (struct bytes rest = buffer_view(events); rest.size > 0 && entry_count < 16;) {
        size_t size = bytes_find(rest, '\n') + 1;
        entries[entry_count++] = bytes_part(rest, 0, size);
        rest = bytes_part(rest, size, rest.size);
    }
    for (size_t i = 0; i < count; i++)
        buffer_append(&arranged, order[i] < entry_count ? entries[order[i]] : (struct bytes){ 0 });
    buffer_clear(events);
    buffer_append(events, buffer_view(&arranged));
}

static void the_log_of_events_is_replayed(void)
{
    struct scene scene;
    if (scene_open(&scene)) {
        CHECK(holds(&scene));
        CHECK_STRING(scene.result.steps[VERIFY_STEP_EVENTS].detail,
                     "4 entries lead to RTMR3; loaded at entry 4");
        scene.later_count = 2;
        CHECK(scene_issue(&scene) && holds(&scene));
        CHECK_STRING(scene.result.steps[VERIFY_STEP_EVENTS].detail,
                     "4 entries lead to RTMR3; loaded at entry 4; 2 later ones, which it does not "
                     "cover");
        CHECK_NUMBER(scene.result.events.count, 6);
        static const struct {
            size_t order[8];
            size_t count;
            const char *words;
        } rows[] = {
            { { 0 }, 0, "cut: the log is missing" },
            { { 0 }, 1, "cut: the log ends after entry 1, and 2" },
            { { 0, 1 }, 2, "register: no entry" },
            { { 0, 1, 2 }, 3, "register: no entry" },
            { { 0, 1, 3 }, 3, "gap: entry 3" },
            { { 1, 2, 3 }, 3, "gap: entry 1" },
            { { 1, 0, 2, 3 }, 4, "swap: entry 1" },
            { { 0, 2, 1, 3 }, 4, "swap: entry 2" },
            { { 0, 1, 3, 2 }, 4, "swap: entry 3" },
            { { 0, 1, 2, 2, 3 }, 5, "swap: entry 4" },
        };
        for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
            CHECK(scene_issue(&scene));
            arrange(&scene, rows[i].order, rows[i].count);
            CHECK(fails_at(&scene, VERIFY_STEP_EVENTS, rows[i].words));
        }
        scene.later_count = 0;
        CHECK(scene_issue(&scene));
        flip_each_byte(&scene, &scene.bundle.attestation.events, "event log");
        struct buffer *events = &scene.bundle.attestation.events;
        size_t size = events->size;
        for (events->size = 0; events->size < size; events->size++)
            CHECK(!holds(&scene));
    }
    scene_close(&scene);
}

static void what_answered_was_loaded_before(void)
{
    struct scene scene;
    if (scene_open(&scene)) {
        scene.loaded = "unload";
        CHECK(scene_issue(&scene));
        CHECK(fails_at(&scene, VERIFY_STEP_EVENTS, "the load of this version and image is not"));
        scene.loaded = NULL;
        scene.is_disturbed = true; /* somebody else extends the register */
        CHECK(scene_issue(&scene));
        CHECK(fails_at(&scene, VERIFY_STEP_EVENTS, "register: no entry"));
        scene.is_disturbed = false;
        CHECK(scene_issue(&scene));
        struct buffer log = scene.bundle.attestation.events; /* of another image */
        scene.bundle.attestation.events = (struct buffer){ 0 };
        scene.receipt.image.bytes[0] ^= 1;
        CHECK(scene_issue(&scene));
        buffer_done(&scene.bundle.attestation.events);
        scene.bundle.attestation.events = log;
        CHECK(fails_at(&scene, VERIFY_STEP_EVENTS, "register: no entry"));
        scene.has_no_events = true; /* of a node of before */
        CHECK(scene_issue(&scene) && holds(&scene));
        CHECK(scene.result.steps[VERIFY_STEP_EVENTS].verdict == VERIFY_NOT_COMPARED);
    }
    scene_close(&scene);
}

static void attestations_are_for_this_question(void)
{
    struct scene scene;
    if (scene_open(&scene)) {
        struct attestation *attestation = &scene.bundle.attestation;
        struct nonce32 nonce = attestation->nonce;
        scene.options.now_s = scene.keyset.validity.not_before_s + 10;
        scene.options.tls_key = &scene.keyset.tls_key;
        bool good =
            verify_attestation(&scene.result, attestation, &nonce, &scene.options, &scene.error);
        CHECK_NOTE(good, "%s", scene.error.text);
        CHECK(scene.result.steps[VERIFY_STEP_SIGNATURE].verdict == VERIFY_NOT_REACHED);
        nonce.bytes[3] ^= 1;
        CHECK(
            !verify_attestation(&scene.result, attestation, &nonce, &scene.options, &scene.error) &&
            strstr(scene.error.text, "nonce") != NULL);
        nonce.bytes[3] ^= 1;
        scene.options.tls_key = &scene.keyset.receipt_key;
        CHECK(
            !verify_attestation(&scene.result, attestation, &nonce, &scene.options, &scene.error) &&
            strstr(scene.error.text, "TLS key") != NULL);
        scene.options.tls_key = NULL;
        scene.options.now_s = scene.keyset.validity.not_after_s + 301;
        CHECK(
            !verify_attestation(&scene.result, attestation, &nonce, &scene.options, &scene.error) &&
            strstr(scene.error.text, "not valid") != NULL);
    }
    scene_close(&scene);
}

static const struct test tests[] = {
    TEST(a_good_bundle_passes_every_step),
    TEST(simulated_evidence_needs_to_be_asked_for),
    TEST(other_digests_are_named),
    TEST(receipts_that_do_not_fit_the_keyset_are_refused),
    TEST(a_receipt_under_another_keyset_is_refused),
    TEST(any_changed_byte_is_refused),
    TEST(the_log_of_events_is_replayed),
    TEST(what_answered_was_loaded_before),
    TEST(attestations_are_for_this_question),
};
TEST_MAIN(tests)
