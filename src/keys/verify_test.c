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
    TEST(attestations_are_for_this_question),
};
TEST_MAIN(tests)
