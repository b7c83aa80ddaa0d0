/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/appraisal.h"

#include "attest/eat/cmw.h"
#include "attest/eat/ear.h"
#include "attest/eat/eat.h"
#include "attest/evidence_text.h"
#include "attest/policy/policy_file.h"
#include "attest/trust_anchor.h"
#include "core/hex.h"

#include <stdio.h>
#include <stdlib.h>

struct appraisal *appraisal_new(void)
{
    return calloc(1, sizeof(struct appraisal));
}

void appraisal_free(struct appraisal *appraisal)
{
    if (appraisal == NULL)
        return;
    buffer_done(&appraisal->given);
    buffer_done(&appraisal->text);
    buffer_done(&appraisal->wrapped);
    buffer_done(&appraisal->bundled);
    free(appraisal);
}

static bool read_policy(struct appraisal *appraisal, const struct appraisal_request *request,
                        struct error *error)
{
    struct policy *policy = &appraisal->policy;
    appraisal->has_policy = request->has_policy;
    policy_default(policy);
    const struct appraisal_file *file = &request->policy;
    bool is_given = request->has_policy && file->name != NULL;
    if (is_given && !policy_parse(policy, file->name, file->text, error))
        return false;
    struct digest32 digest = sha256_of(file->text);
    snprintf(appraisal->policy_id, sizeof(appraisal->policy_id), "%s%s",
             is_given ? "sha-256:" : "default", is_given ? hex_of_digest(&digest).text : "");
    policy->allow_simulated = policy->allow_simulated || request->trust_simulated;
    appraisal->options.trust_simulated = policy->allow_simulated;
    /* Who says which kind it is accepts no other. */
    if (request->tee != ATTEST_TEE_ANY)
        policy->tees &= 1u << request->tee;
    return true;
}

/* Room for what a text of this size decodes to. */
static uint8_t *room_for(struct buffer *buffer, size_t size, struct error *error)
{
    buffer_init(buffer, size + 1);
    uint8_t *room = buffer_reserve(buffer, size + 1);
    if (room == NULL)
        error_set(error, ERROR_NO_MEMORY, "no memory to verify");
    return room;
}

/* Certificates and lists as other programs write them, and a certificate that is the evidence. */
static bool read_given(struct appraisal *appraisal, struct error *error)
{
    struct attest_collateral *given = &appraisal->options.collateral;
    struct bytes *const pieces[] = { &given->tcb_chain, &given->pck_chain,   &given->pck_crl,
                                     &given->root_crl,  &given->vek,         &given->intermediate,
                                     &given->crl,       &appraisal->evidence };
    size_t size = 0;
    for (size_t i = 0; i < ARRAY_COUNT(pieces); i++)
        size += collateral_text_is(*pieces[i]) ? 2 * pieces[i]->size : 0;
    uint8_t *space = room_for(&appraisal->given, size, error);
    if (space == NULL)
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(pieces); i++) {
        struct bytes text = *pieces[i];
        if (!collateral_text_is(text))
            continue;
        *pieces[i] = collateral_text_read(space, text);
        space += 2 * text.size;
    }
    return true;
}

static bool read_root(struct appraisal *appraisal, const struct appraisal_request *request,
                      struct error *error)
{
    if (request->root.name == NULL)
        return true;
    if (!trust_anchor_read(&appraisal->root, request->root.text, error))
        return error_within(error, "%s", request->root.name);
    appraisal->options.root = &appraisal->root.certificates[0];
    return true;
}

/* Text is what it stands for. */
static bool read_text(struct appraisal *appraisal, struct error *error)
{
    struct bytes text = appraisal->evidence;
    if (!evidence_text_is(text))
        return true;
    uint8_t *space = room_for(&appraisal->text, 2 * text.size, error);
    if (space == NULL)
        return false;
    (void)!evidence_text_read(&appraisal->evidence, space, text);
    return true;
}

/* What is no wrapper after all is left to the verifier to refuse. */
static bool unwrap(struct appraisal *appraisal, struct error *error)
{
    struct bytes text = appraisal->evidence;
    if (!cmw_is_wrapper(text))
        return true;
    uint8_t *space = room_for(&appraisal->wrapped, text.size, error);
    if (space == NULL)
        return false;
    struct cmw cmw;
    struct error refusal;
    if (cmw_read(&cmw, text, space, text.size, &refusal))
        (void)!cmw_to_evidence(&cmw, &appraisal->evidence, &appraisal->options.collateral,
                               &refusal);
    return true;
}

static bool read_bundle(struct appraisal *appraisal, const struct appraisal_request *request,
                        struct error *error)
{
    struct bytes text = request->bundle.text, kept_evidence = { 0 };
    if (request->bundle.name == NULL)
        return true;
    uint8_t *space = room_for(&appraisal->bundled, text.size, error);
    if (space == NULL)
        return false;
    struct cmw cmw;
    return (cmw_read(&cmw, text, space, text.size, error) &&
            cmw_to_evidence(&cmw, &kept_evidence, &appraisal->options.collateral, error)) ||
           error_within(error, "%s", request->bundle.name);
}

bool appraisal_open(struct appraisal *appraisal, const struct appraisal_request *request,
                    struct error *error)
{
    struct attest_options *options = &appraisal->options;
    *options = (struct attest_options){ .tee = request->tee,
                                        .now_s = request->now_s,
                                        .collateral = request->collateral,
                                        .report_data = request->report_data };
    appraisal->evidence = request->evidence;
    return read_policy(appraisal, request, error) && read_given(appraisal, error) &&
           read_root(appraisal, request, error) && read_text(appraisal, error) &&
           unwrap(appraisal, error) && read_bundle(appraisal, request, error);
}

void appraisal_judge(struct appraisal *appraisal)
{
    const struct attest_options *options = &appraisal->options;
    appraisal->is_accepted =
        attest_verify(&appraisal->verdict, appraisal->evidence, options, &appraisal->refusal) &&
        (!appraisal->has_policy ||
         policy_evaluate(&appraisal->report, &appraisal->policy, &appraisal->verdict,
                         options->now_s, &appraisal->refusal));
}

bool appraise(struct appraisal *appraisal, const struct appraisal_request *request,
              struct error *error)
{
    if (!appraisal_open(appraisal, request, error))
        return false;
    appraisal_judge(appraisal);
    return true;
}

void appraisal_write_members(struct json_writer *json, const struct appraisal *appraisal)
{
    const struct policy_report *report = appraisal->has_policy ? &appraisal->report : NULL;
    attest_verdict_write(json, &appraisal->verdict);
    policy_report_write(json, report);
    /* The same for RATS tools: an attestation result, and the claims as a token names them. */
    struct ear ear;
    ear_of(&ear, &appraisal->verdict, report, appraisal->policy_id, appraisal->options.now_s);
    json_write_name(json, "ear");
    json_write_object_begin(json);
    ear_write_json(json, &ear);
    json_write_object_end(json);
    if (appraisal->verdict.is_valid) {
        struct eat_claims claims;
        eat_claims_of(&claims, &appraisal->verdict, report);
        json_write_name(json, "eat");
        json_write_object_begin(json);
        eat_write_json(json, &claims);
        json_write_object_end(json);
    }
}

void appraisal_write(struct json_writer *json, const struct appraisal *appraisal)
{
    json_write_object_begin(json);
    appraisal_write_members(json, appraisal);
    json_write_object_end(json);
}
