/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/check.h"

static void write_status(struct json_writer *json, const char *name, enum intel_tcb_status status)
{
    json_write_name(json, name);
    json_write_string(json, intel_tcb_status_name(status));
}

void intel_tcb_write(struct json_writer *json, const struct intel_claims *claims)
{
    bool is_known = claims->tcb_level_status != INTEL_TCB_UNKNOWN;
    write_status(json, "tcb_status", claims->tcb_status);
    write_status(json, "tcb_level_status", claims->tcb_level_status);
    json_write_name(json, "tcb_date");
    if (is_known)
        json_write_time(json, claims->tcb_date_s);
    else
        json_write_null(json);
    json_write_name(json, "advisory_ids");
    json_write_array_begin(json);
    for (size_t i = 0; i < claims->advisory_count; i++)
        json_write_string(json, claims->advisory_ids[i]);
    json_write_array_end(json);
    write_status(json, "qe_status", claims->qe_status);
}

static void write_sgx(struct json_writer *json, const struct sgx_report *sgx)
{
    json_write_hex_member(json, "mrenclave", BYTES_OF(sgx->mr_enclave));
    json_write_hex_member(json, "mrsigner", BYTES_OF(sgx->mr_signer));
    json_write_hex_member(json, "attributes", BYTES_OF(sgx->attributes));
    json_write_hex_member(json, "cpusvn", BYTES_OF(sgx->cpu_svn));
    json_write_unsigned_member(json, "miscselect", sgx->misc_select);
    json_write_unsigned_member(json, "isv_prod_id", sgx->isv_prod_id);
    json_write_unsigned_member(json, "isv_svn", sgx->isv_svn);
    json_write_hex_member(json, "isv_ext_prod_id", BYTES_OF(sgx->isv_ext_prod_id));
    json_write_hex_member(json, "isv_family_id", BYTES_OF(sgx->isv_family_id));
    json_write_hex_member(json, "config_id", BYTES_OF(sgx->config_id));
    json_write_unsigned_member(json, "config_svn", sgx->config_svn);
    json_write_hex_member(json, "report_data", BYTES_OF(sgx->report_data));
}

static void write_td(struct json_writer *json, const struct td_report *td)
{
    static const char *const rtmrs[] = { "rtmr0", "rtmr1", "rtmr2", "rtmr3" };
    json_write_hex_member(json, "mrtd", BYTES_OF(td->mr_td));
    for (size_t i = 0; i < ARRAY_COUNT(rtmrs); i++)
        json_write_hex_member(json, rtmrs[i], BYTES_OF(td->rtmr[i]));
    json_write_hex_member(json, "mrconfigid", BYTES_OF(td->mr_config_id));
    json_write_hex_member(json, "mrowner", BYTES_OF(td->mr_owner));
    json_write_hex_member(json, "mrownerconfig", BYTES_OF(td->mr_owner_config));
    json_write_hex_member(json, "mrseam", BYTES_OF(td->mr_seam));
    json_write_hex_member(json, "mrsignerseam", BYTES_OF(td->mr_signer_seam));
    json_write_hex_member(json, "seam_attributes", BYTES_OF(td->seam_attributes));
    json_write_hex_member(json, "td_attributes", BYTES_OF(td->td_attributes));
    json_write_hex_member(json, "xfam", BYTES_OF(td->xfam));
    json_write_hex_member(json, "tee_tcb_svn", BYTES_OF(td->tee_tcb_svn));
    if (td->is_15) {
        json_write_hex_member(json, "tee_tcb_svn_2", BYTES_OF(td->tee_tcb_svn_2));
        json_write_hex_member(json, "mrservicetd", BYTES_OF(td->mr_service_td));
    }
    json_write_hex_member(json, "report_data", BYTES_OF(td->report_data));
}

static void write_pck(struct json_writer *json, const struct pck_info *pck)
{
    json_write_hex_member(json, "fmspc", BYTES_OF(pck->fmspc));
    json_write_hex_member(json, "pce_id", BYTES_OF(pck->pce_id));
    json_write_hex_member(json, "ppid", BYTES_OF(pck->ppid));
    if (pck->has_platform_instance_id)
        json_write_hex_member(json, "platform_instance_id", BYTES_OF(pck->platform_instance_id));
    if (pck->has_configuration) {
        json_write_name(json, "smt_enabled");
        json_write_bool(json, pck->has_smt);
    }
    json_write_name(json, "pck_cpusvn_components");
    json_write_array_begin(json);
    for (size_t i = 0; i < sizeof(pck->tcb_component_svn); i++)
        json_write_unsigned(json, pck->tcb_component_svn[i]);
    json_write_array_end(json);
    json_write_unsigned_member(json, "pck_pcesvn", pck->pce_svn);
}

void intel_claims_write(struct json_writer *json, const struct attest_verdict *verdict)
{
    const struct intel_claims *claims = &verdict->claims.intel;
    /* The bit alone; verdict->claims.is_debug counts other bits that let a host look inside. */
    bool is_debug = claims->tee == QUOTE_TEE_TDX ? (claims->td.td_attributes[0] & 1) != 0
                                                 : verdict->claims.is_debug;
    json_write_unsigned_member(json, "quote_version", claims->quote_version);
    json_write_name(json, "debug");
    json_write_bool(json, is_debug);
    intel_tcb_write(json, claims);
    if (claims->tee == QUOTE_TEE_TDX)
        write_status(json, "tdx_module_status", claims->tdx_module_status);
    if (claims->tcb_level_status != INTEL_TCB_UNKNOWN)
        json_write_unsigned_member(json, "tcb_evaluation_data_number",
                                   claims->tcb_evaluation_data_number);
    if (claims->qe_status != INTEL_TCB_UNKNOWN)
        json_write_unsigned_member(json, "qe_evaluation_data_number",
                                   claims->qe_evaluation_data_number);
    json_write_unsigned_member(json, "qe_isv_svn", claims->qe_isv_svn);
    json_write_hex_member(json, "qe_mrsigner", BYTES_OF(claims->qe_mr_signer));
    write_pck(json, &claims->pck);
    if (claims->tee == QUOTE_TEE_TDX)
        write_td(json, &claims->td);
    else
        write_sgx(json, &claims->sgx);
    json_write_unsigned_member(json, "trailing_bytes", claims->trailing_bytes);
}
