/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/attest.h"

#include "attest/check.h"
#include "attest/intel/open_enclave.h"
#include "attest/sim.h"
#include "core/reader.h"

#include <string.h>

/* Per kind of evidence. */
static const struct kind {
    const char *name;
    bool (*verify)(struct attest_run *run, struct error *error);
    void (*write)(struct json_writer *json, const struct attest_verdict *verdict);
} kinds[] = {
    [ATTEST_TEE_ANY] = { "any", NULL, NULL },
    [ATTEST_TEE_TDX] = { "tdx", intel_verify, intel_claims_write },
    [ATTEST_TEE_SGX] = { "sgx", intel_verify, intel_claims_write },
    [ATTEST_TEE_SNP] = { "snp", snp_verify, snp_claims_write },
    [ATTEST_TEE_NITRO] = { "nitro", nitro_verify, nitro_claims_write },
};

const char *attest_tee_name(enum attest_tee tee)
{
    return kinds[tee].name;
}

bool attest_tee_find(enum attest_tee *tee, const char *name)
{
    for (size_t i = ATTEST_TEE_TDX; i < ARRAY_COUNT(kinds); i++)
        if (strcmp(name, kinds[i].name) == 0) {
            *tee = (enum attest_tee)i;
            return true;
        }
    return false;
}

bool attest_root_is_simulated(const struct x509_certificate *root)
{
    return bytes_starts_with(root->common_name, BYTES_LITERAL(SIM_NAME_PREFIX));
}

/* Azure's wrapper of a report begins with "HCLA", a Nitro document with an array of four (or the
 * tag of COSE_Sign1), a report with its version as 32 bits, a quote with its version, its key type
 * (never zero) and its TEE type, or with Open Enclave's header.  A certificate is Intel evidence,
 * of which kind its quote tells.  Versions and key types are small numbers: text and noise are
 * nothing.
 */
enum attest_tee attest_tee_of(struct bytes evidence)
{
    enum {
        QUOTE_TEE_TYPE_TDX = 0x81,
        SMALL = 32
    };
    struct reader reader = reader_of(evidence);
    uint8_t first = read_u8(&reader);
    uint8_t second = read_u8(&reader);
    uint16_t key_type = read_u16_le(&reader);
    uint32_t tee_type = read_u32_le(&reader);
    if (reader.failed)
        return ATTEST_TEE_ANY;
    if (bytes_starts_with(evidence, BYTES_LITERAL("HCLA")))
        return ATTEST_TEE_SNP;
    if (ratls_is_certificate(evidence) || open_enclave_is(evidence))
        return ATTEST_TEE_SGX;
    if (first == 0x84 || first == 0xd2)
        return ATTEST_TEE_NITRO;
    if (first == 0 || first >= SMALL || second != 0 || key_type >= SMALL)
        return ATTEST_TEE_ANY;
    if (key_type == 0)
        return ATTEST_TEE_SNP;
    return tee_type == QUOTE_TEE_TYPE_TDX ? ATTEST_TEE_TDX : ATTEST_TEE_SGX;
}

static bool refuse_unknown(void *context, struct error *error)
{
    struct attest_run *run = context;
    return attest_refuse(run, ATTEST_REASON_FORMAT, error, "%s",
                         run->evidence.size == 0
                             ? "evidence is empty"
                             : "evidence of no kind that is known: no TDX or SGX "
                               "quote, SEV-SNP report, Nitro document or "
                               "certificate with a quote");
}

bool attest_verify(struct attest_verdict *verdict, struct bytes evidence,
                   const struct attest_options *options, struct error *error)
{
    *verdict = (struct attest_verdict){ .tee = options->tee };
    if (verdict->tee == ATTEST_TEE_ANY)
        verdict->tee = attest_tee_of(evidence);
    struct attest_run run = { .verdict = verdict, .options = options, .evidence = evidence };
    static const struct attest_check unknown = { "format", refuse_unknown };
    bool is_intel = verdict->tee == ATTEST_TEE_TDX || verdict->tee == ATTEST_TEE_SGX;
    if (verdict->tee == ATTEST_TEE_ANY)
        verdict->is_valid = attest_run_checks(&run, &unknown, 1, &run, error);
    else if (is_intel && ratls_is_certificate(evidence))
        verdict->is_valid = ratls_verify(&run, error);
    else if (is_intel && open_enclave_is(evidence))
        verdict->is_valid = open_enclave_verify(&run, error);
    else
        verdict->is_valid = kinds[verdict->tee].verify(&run, error);
    return verdict->is_valid;
}

static void write_steps(struct json_writer *json, const struct attest_verdict *verdict,
                        bool is_left_out)
{
    json_write_array_begin(json);
    for (size_t i = 0; i < verdict->step_count; i++) {
        const struct attest_step *step = &verdict->steps[i];
        if ((step->state == ATTEST_STEP_LEFT_OUT) != is_left_out)
            continue;
        json_write_object_begin(json);
        json_write_name(json, "name");
        json_write_string(json, step->name);
        if (!is_left_out) {
            json_write_name(json, "ok");
            json_write_bool(json, step->state == ATTEST_STEP_PASSED);
        }
        json_write_name(json, "detail");
        json_write_string(json, step->detail);
        json_write_object_end(json);
    }
    json_write_array_end(json);
}

void attest_verdict_write(struct json_writer *json, const struct attest_verdict *verdict)
{
    json_write_name(json, "result");
    json_write_string(json, verdict->is_valid ? "valid" : "invalid");
    json_write_name(json, "reason");
    if (verdict->is_valid)
        json_write_null(json);
    else
        json_write_string(json, attest_reason_name(verdict->reason));
    json_write_name(json, "tee");
    json_write_string(json, attest_tee_name(verdict->tee));
    if (verdict->is_valid) {
        json_write_name(json, "simulated");
        json_write_bool(json, verdict->claims.is_simulated);
    }
    bool is_intel = verdict->tee == ATTEST_TEE_TDX || verdict->tee == ATTEST_TEE_SGX;
    if (verdict->is_valid && is_intel)
        intel_tcb_write(json, &verdict->claims.intel);
    json_write_name(json, "claims");
    json_write_object_begin(json);
    if (verdict->is_valid)
        kinds[verdict->tee].write(json, verdict);
    if (verdict->is_valid && verdict->claims.ratls.layout != RATLS_NONE)
        ratls_claims_write(json, &verdict->claims.ratls);
    json_write_object_end(json);
    json_write_name(json, "steps");
    write_steps(json, verdict, false);
    json_write_name(json, "left_out");
    write_steps(json, verdict, true);
}
