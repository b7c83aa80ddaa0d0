/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/check.h"

#include <inttypes.h>
#include <stdio.h>

static void write_bool(struct json_writer *json, const char *name, bool value)
{
    json_write_name(json, name);
    json_write_bool(json, value);
}

static void write_string(struct json_writer *json, const char *name, const char *text)
{
    json_write_name(json, name);
    json_write_string(json, text);
}

/* Sets of bits: "0x3001f". */
static void write_bits(struct json_writer *json, const char *name, uint64_t bits)
{
    char text[19];
    snprintf(text, sizeof(text), "0x%" PRIx64, bits);
    write_string(json, name, text);
}

static void write_tcb(struct json_writer *json, const char *name, const struct snp_tcb *tcb,
                      enum snp_product product)
{
    json_write_name(json, name);
    json_write_object_begin(json);
    if (product == SNP_PRODUCT_TURIN)
        json_write_unsigned_member(json, "fmc", tcb->fmc);
    json_write_unsigned_member(json, "boot_loader", tcb->boot_loader);
    json_write_unsigned_member(json, "tee", tcb->tee);
    json_write_unsigned_member(json, "snp", tcb->snp);
    json_write_unsigned_member(json, "microcode", tcb->microcode);
    json_write_hex_member(json, "raw", BYTES_OF(tcb->raw));
    json_write_object_end(json);
}

static void write_firmware(struct json_writer *json, const char *name,
                           const struct snp_firmware *firmware)
{
    char text[12];
    snprintf(text, sizeof(text), "%u.%u.%u", firmware->major, firmware->minor, firmware->build);
    write_string(json, name, text);
}

static void write_report(struct json_writer *json, const struct snp_report *report)
{
    json_write_hex_member(json, "measurement", BYTES_OF(report->measurement));
    json_write_hex_member(json, "report_data", BYTES_OF(report->report_data));
    json_write_hex_member(json, "host_data", BYTES_OF(report->host_data));
    write_bits(json, "policy", report->policy);
    json_write_unsigned_member(json, "vmpl", report->vmpl);
    json_write_unsigned_member(json, "guest_svn", report->guest_svn);
    json_write_hex_member(json, "family_id", BYTES_OF(report->family_id));
    json_write_hex_member(json, "image_id", BYTES_OF(report->image_id));
    json_write_unsigned_member(json, "sig_algo", report->signature_algorithm);
    write_bits(json, "platform_info", report->platform_info);
    write_bits(json, "key_info", report->key_info);
    json_write_hex_member(json, "id_key_digest", BYTES_OF(report->id_key_digest));
    json_write_hex_member(json, "author_key_digest", BYTES_OF(report->author_key_digest));
    json_write_hex_member(json, "report_id", BYTES_OF(report->report_id));
    json_write_hex_member(json, "report_id_ma", BYTES_OF(report->report_id_ma));
    json_write_hex_member(json, "chip_id", BYTES_OF(report->chip_id));
    write_firmware(json, "current_ver", &report->current);
    write_firmware(json, "committed_ver", &report->committed);
    if (report->version >= 3) {
        char text[40];
        snprintf(text, sizeof(text), "fam=0x%x mod=0x%x step=%u", report->cpuid_family,
                 report->cpuid_model, report->cpuid_stepping);
        write_string(json, "cpuid", text);
    }
    if (report->version >= 5) {
        write_bits(json, "launch_mit_vector", report->launch_mit_vector);
        write_bits(json, "current_mit_vector", report->current_mit_vector);
    }
}

static void write_runtime_data(struct json_writer *json, const struct snp_claims *claims)
{
    json_write_name(json, "runtime_data");
    json_write_object_begin(json);
    json_write_hex_member(json, "sha256", BYTES_OF(claims->runtime_data_digest.bytes));
    if (claims->vtpm_ak_size > 0) {
        json_write_hex_member(json, "vtpm_ak_modulus",
                              bytes_of(claims->vtpm_ak, claims->vtpm_ak_size));
        json_write_unsigned_member(json, "vtpm_ak_exponent", claims->vtpm_ak_exponent);
    }
    json_write_object_end(json);
}

void snp_claims_write(struct json_writer *json, const struct attest_verdict *verdict)
{
    const struct snp_claims *claims = &verdict->claims.snp;
    bool is_vcek = claims->signing_key == SNP_SIGNING_KEY_VCEK;
    json_write_unsigned_member(json, "version", claims->report.version);
    write_string(json, "product", snp_product_name(claims->product));
    write_string(json, "signing_key", is_vcek ? "VCEK" : "VLEK");
    write_report(json, &claims->report);
    write_tcb(json, "reported_tcb", &claims->reported_tcb, claims->product);
    write_tcb(json, "current_tcb", &claims->current_tcb, claims->product);
    write_tcb(json, "committed_tcb", &claims->committed_tcb, claims->product);
    write_tcb(json, "launch_tcb", &claims->launch_tcb, claims->product);
    write_bool(json, "tcb_consistent", claims->is_tcb_consistent);
    write_bool(json, "debug", claims->is_debug);
    write_bool(json, "migrate_ma", claims->is_migratable);
    write_bool(json, "smt_allowed", claims->is_smt_allowed);
    write_bool(json, "author_key_en", claims->is_author_key_enabled);
    write_bool(json, "mask_chip_key", claims->is_chip_key_masked);
    write_bool(json, "chip_id_masked", claims->is_chip_id_masked);
    if (is_vcek)
        json_write_hex_member(json, "hwid", bytes_of(claims->hwid, claims->hwid_size));
    else
        write_string(json, "csp_id", claims->csp_id);
    if (claims->has_crl) {
        json_write_name(json, "crl_this_update");
        json_write_time(json, claims->crl_this_update_s);
        json_write_name(json, "crl_next_update");
        json_write_time(json, claims->crl_next_update_s);
    }
    if (claims->has_runtime_data)
        write_runtime_data(json, claims);
}
