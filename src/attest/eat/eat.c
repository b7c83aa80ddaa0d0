/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/eat/eat.h"

#include "core/cbor.h"
#include "crypto/base64.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    UEID_RAND = 1, /* section 4.2.1.1 */
    NONCE_SIZE_MIN = 8,
    PEN_INTEL = 343,
    PEN_AMD = 3704,
    NAMED_SHA256 = 1,
    NAMED_SHA384 = 7,
    NAMED_SHA512 = 8,
    /* CoAP content formats of measured components */
    FORMAT_COMPONENT_CBOR = 295,
    FORMAT_COMPONENT_JSON = 296,
    /* RFC 9711 section 10.3 */
    CLAIM_NONCE = 10,
    CLAIM_UEID = 256,
    CLAIM_OEMID = 258,
    CLAIM_HWMODEL = 259,
    CLAIM_DBGSTAT = 263,
    CLAIM_PROFILE = 265,
    CLAIM_SWNAME = 270,
    CLAIM_MEASUREMENTS = 273,
    CLAIM_MEASRES = 274,
    COMPONENT_ID = 1,
    COMPONENT_DIGEST = 2,
    COMPONENT_SIZE_MAX = 256
};

/* The one system whose results are reported, and its one objective. */
static const char result_system[] = "s3n-policy";
static const char result_name[] = "measurement";

static bool is_zero(struct bytes value)
{
    uint8_t any = 0;
    for (size_t i = 0; i < value.size; i++)
        any |= value.data[i];
    return any == 0;
}

static void set_nonce(struct eat_claims *claims, struct bytes nonce)
{
    if (nonce.size < NONCE_SIZE_MIN || nonce.size > sizeof(claims->nonce) || is_zero(nonce))
        return;
    memcpy(claims->nonce, nonce.data, nonce.size);
    claims->nonce_size = nonce.size;
}

/* An id that is random itself is taken as it is, others by their digest. */
static void set_ueid(struct eat_claims *claims, struct bytes id, bool is_random)
{
    struct digest32 digest = sha256_of(id);
    struct bytes value = is_random ? id : BYTES_OF(digest.bytes);
    if (id.size == 0 || is_zero(id))
        return;
    claims->ueid[0] = UEID_RAND;
    memcpy(claims->ueid + 1, value.data, value.size);
    claims->ueid_size = 1 + value.size;
}

static void set_model(struct eat_claims *claims, struct bytes model)
{
    claims->hardware_model_size = MIN(model.size, sizeof(claims->hardware_model));
    memcpy(claims->hardware_model, model.data, claims->hardware_model_size);
}

static void PRINTF_LIKE(3, 4)
    add_measurement(struct eat_claims *claims, struct bytes value, const char *format, ...)
{
    ASSERT(claims->measurement_count < EAT_MEASUREMENT_COUNT_MAX);
    struct eat_measurement *measurement = &claims->measurements[claims->measurement_count++];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(measurement->name, sizeof(measurement->name), format, arguments);
    va_end(arguments);
    measurement->algorithm = value.size == 32   ? NAMED_SHA256
                             : value.size == 48 ? NAMED_SHA384
                                                : NAMED_SHA512;
    memcpy(measurement->value, value.data, value.size);
    measurement->size = value.size;
}

static void fill_intel(struct eat_claims *claims, const struct attest_verdict *verdict)
{
    const struct intel_claims *intel = &verdict->claims.intel;
    claims->oem = PEN_INTEL;
    set_ueid(claims, BYTES_OF(intel->pck.ppid), true);
    set_model(claims, BYTES_OF(intel->pck.fmspc));
    set_nonce(claims, BYTES_OF(verdict->claims.report_data));
    if (verdict->tee == ATTEST_TEE_SGX) {
        add_measurement(claims, BYTES_OF(intel->sgx.mr_enclave), "mrenclave");
        add_measurement(claims, BYTES_OF(intel->sgx.mr_signer), "mrsigner");
        return;
    }
    add_measurement(claims, BYTES_OF(intel->td.mr_td), "mrtd");
    for (unsigned i = 0; i < ARRAY_COUNT(intel->td.rtmr); i++)
        add_measurement(claims, BYTES_OF(intel->td.rtmr[i]), "rtmr%u", i);
    add_measurement(claims, BYTES_OF(intel->td.mr_seam), "mrseam");
}

static void fill_snp(struct eat_claims *claims, const struct attest_verdict *verdict)
{
    const struct snp_claims *snp = &verdict->claims.snp;
    claims->oem = PEN_AMD;
    if (!snp->is_chip_id_masked)
        set_ueid(claims, BYTES_OF(snp->report.chip_id), false);
    else
        set_ueid(claims, bytes_of(snp->hwid, snp->hwid_size), false);
    set_model(claims, bytes_of_string(snp_product_name(snp->product)));
    set_nonce(claims, BYTES_OF(snp->report.report_data));
    add_measurement(claims, BYTES_OF(snp->report.measurement), "measurement");
}

static void fill_nitro(struct eat_claims *claims, const struct attest_verdict *verdict)
{
    const struct nitro_claims *nitro = &verdict->claims.nitro;
    set_ueid(claims, bytes_of_string(nitro->module_id), false);
    set_model(claims, BYTES_LITERAL("nitro"));
    set_nonce(claims, nitro->nonce.size > 0 ? nitro->nonce : nitro->user_data);
    for (unsigned i = 0; i < NITRO_PCR_COUNT; i++) {
        struct bytes pcr = bytes_of(nitro->pcrs[i], nitro->pcr_sizes[i]);
        if (pcr.size > 0 && !is_zero(pcr))
            add_measurement(claims, pcr, "pcr%u", i);
    }
}

static void fill_results(struct eat_claims *claims, const struct policy_report *report)
{
    claims->software_name = report->measurement;
    claims->has_results = true;
    claims->result = EAT_RESULT_NOT_RUN;
    for (size_t i = 0; i < report->rule_count; i++) {
        if (strcmp(report->rules[i].name, "measurement") == 0 && !report->rules[i].is_met)
            claims->result = EAT_RESULT_FAIL;
    }
    if (report->measurement != NULL)
        claims->result = EAT_RESULT_SUCCESS;
}

void eat_claims_of(struct eat_claims *claims, const struct attest_verdict *verdict,
                   const struct policy_report *report)
{
    ASSERT(verdict->is_valid);
    *claims =
        (struct eat_claims){ .debug = verdict->claims.is_debug ? EAT_DEBUG_ENABLED
                                                               : EAT_DEBUG_DISABLED_SINCE_BOOT };
    switch (verdict->tee) {
    case ATTEST_TEE_TDX:
    case ATTEST_TEE_SGX:
        fill_intel(claims, verdict);
        break;
    case ATTEST_TEE_SNP:
        fill_snp(claims, verdict);
        break;
    case ATTEST_TEE_NITRO:
        fill_nitro(claims, verdict);
        break;
    case ATTEST_TEE_ANY:
        UNREACHABLE("valid evidence of no kind");
    }
    if (report != NULL)
        fill_results(claims, report);
}

/* Binary data in JSON is base64url. */
static void write_binary(struct json_writer *json, const char *name, struct bytes value)
{
    char text[2 * 64];
    ASSERT(base64url_text_size(value.size) < sizeof(text));
    if (value.size == 0)
        return;
    base64url_encode(text, value);
    json_write_name(json, name);
    json_write_string(json, text);
}

static const char *algorithm_name(unsigned algorithm)
{
    return algorithm == NAMED_SHA256   ? "sha-256"
           : algorithm == NAMED_SHA384 ? "sha-384"
                                       : "sha-512";
}

/* A measured component is JSON inside a string. */
static void write_component_json(struct json_writer *json,
                                 const struct eat_measurement *measurement)
{
    char space[COMPONENT_SIZE_MAX], value[2 * 64];
    struct writer text = writer_into(space, sizeof(space));
    struct json_writer component = json_writer_into(&text);
    base64url_encode(value, bytes_of(measurement->value, measurement->size));
    json_write_object_begin(&component);
    json_write_name(&component, "id");
    json_write_array_begin(&component);
    json_write_string(&component, measurement->name);
    json_write_array_end(&component);
    json_write_name(&component, "digested-measurement");
    json_write_array_begin(&component);
    json_write_string(&component, algorithm_name(measurement->algorithm));
    json_write_string(&component, value);
    json_write_array_end(&component);
    json_write_object_end(&component);
    ASSERT(!text.failed);
    json_write_array_begin(json);
    json_write_unsigned(json, FORMAT_COMPONENT_JSON);
    json_write_text(json, writer_view(&text));
    json_write_array_end(json);
}

static void write_results_json(struct json_writer *json, enum eat_result result)
{
    static const char *const names[] = { [EAT_RESULT_SUCCESS] = "success",
                                         [EAT_RESULT_FAIL] = "fail",
                                         [EAT_RESULT_NOT_RUN] = "not-run" };
    json_write_name(json, "measres");
    json_write_array_begin(json);
    json_write_array_begin(json);
    json_write_string(json, result_system);
    json_write_array_begin(json);
    json_write_array_begin(json);
    json_write_string(json, result_name);
    json_write_string(json, names[result]);
    json_write_array_end(json);
    json_write_array_end(json);
    json_write_array_end(json);
    json_write_array_end(json);
}

void eat_write_json(struct json_writer *json, const struct eat_claims *claims)
{
    write_binary(json, "eat_nonce", bytes_of(claims->nonce, claims->nonce_size));
    write_binary(json, "ueid", bytes_of(claims->ueid, claims->ueid_size));
    if (claims->oem != 0) {
        json_write_name(json, "oemid");
        json_write_unsigned(json, claims->oem);
    }
    write_binary(json, "hwmodel", bytes_of(claims->hardware_model, claims->hardware_model_size));
    json_write_name(json, "dbgstat");
    json_write_string(json, claims->debug == EAT_DEBUG_ENABLED ? "enabled" : "disabled-since-boot");
    json_write_name(json, "eat_profile");
    json_write_string(json, EAT_PROFILE);
    if (claims->software_name != NULL) {
        json_write_name(json, "swname");
        json_write_string(json, claims->software_name);
    }
    if (claims->measurement_count > 0) {
        json_write_name(json, "measurements");
        json_write_array_begin(json);
        for (size_t i = 0; i < claims->measurement_count; i++)
            write_component_json(json, &claims->measurements[i]);
        json_write_array_end(json);
    }
    if (claims->has_results)
        write_results_json(json, claims->result);
}

static void write_component_cbor(struct writer *writer, const struct eat_measurement *measurement)
{
    uint8_t space[COMPONENT_SIZE_MAX];
    struct writer component = writer_into(space, sizeof(space));
    cbor_write_map(&component, 2);
    cbor_write_unsigned(&component, COMPONENT_ID);
    cbor_write_array(&component, 1);
    cbor_write_text(&component, bytes_of_string(measurement->name));
    cbor_write_unsigned(&component, COMPONENT_DIGEST);
    cbor_write_array(&component, 2);
    cbor_write_unsigned(&component, measurement->algorithm);
    cbor_write_bytes(&component, bytes_of(measurement->value, measurement->size));
    ASSERT(!component.failed);
    cbor_write_array(writer, 2);
    cbor_write_unsigned(writer, FORMAT_COMPONENT_CBOR);
    cbor_write_bytes(writer, writer_view(&component));
}

static void write_bytes_claim(struct writer *writer, unsigned claim, struct bytes value)
{
    if (value.size == 0)
        return;
    cbor_write_unsigned(writer, claim);
    cbor_write_bytes(writer, value);
}

/* Keys in ascending order: all are unsigned, and their heads sort like them. */
void eat_write_cbor(struct writer *writer, const struct eat_claims *claims)
{
    const bool optional[] = { claims->nonce_size > 0,
                              claims->ueid_size > 0,
                              claims->oem != 0,
                              claims->hardware_model_size > 0,
                              claims->software_name != NULL,
                              claims->measurement_count > 0,
                              claims->has_results };
    size_t count = 2; /* dbgstat and eat_profile */
    for (size_t i = 0; i < ARRAY_COUNT(optional); i++)
        count += optional[i] ? 1 : 0;
    cbor_write_map(writer, count);
    write_bytes_claim(writer, CLAIM_NONCE, bytes_of(claims->nonce, claims->nonce_size));
    write_bytes_claim(writer, CLAIM_UEID, bytes_of(claims->ueid, claims->ueid_size));
    if (claims->oem != 0) {
        cbor_write_unsigned(writer, CLAIM_OEMID);
        cbor_write_unsigned(writer, claims->oem);
    }
    write_bytes_claim(writer, CLAIM_HWMODEL,
                      bytes_of(claims->hardware_model, claims->hardware_model_size));
    cbor_write_unsigned(writer, CLAIM_DBGSTAT);
    cbor_write_unsigned(writer, claims->debug);
    cbor_write_unsigned(writer, CLAIM_PROFILE);
    cbor_write_text(writer, BYTES_LITERAL(EAT_PROFILE));
    if (claims->software_name != NULL) {
        cbor_write_unsigned(writer, CLAIM_SWNAME);
        cbor_write_text(writer, bytes_of_string(claims->software_name));
    }
    if (claims->measurement_count > 0) {
        cbor_write_unsigned(writer, CLAIM_MEASUREMENTS);
        cbor_write_array(writer, claims->measurement_count);
        for (size_t i = 0; i < claims->measurement_count; i++)
            write_component_cbor(writer, &claims->measurements[i]);
    }
    if (claims->has_results) {
        cbor_write_unsigned(writer, CLAIM_MEASRES);
        cbor_write_array(writer, 1);
        cbor_write_array(writer, 2);
        cbor_write_text(writer, bytes_of_string(result_system));
        cbor_write_array(writer, 1);
        cbor_write_array(writer, 2);
        cbor_write_text(writer, bytes_of_string(result_name));
        cbor_write_unsigned(writer, claims->result);
    }
}
