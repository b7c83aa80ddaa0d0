/* SPDX-License-Identifier: Apache-2.0 */
/* What can go wrong with TCB info and QE identity, and what their levels can say. */
#include "tests/oracles/intel_plan.h"

#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

#define below intel_plan_below

static bool is_tdx(const struct intel_plan *plan)
{
    return intel_shape_is_tdx(plan->shape);
}

static struct world_document *some_document(struct intel_plan *plan)
{
    return below(2) == 0 ? &plan->world.tcb_info : &plan->world.qe_identity;
}

INTEL_FAULT(document_other_signer, some_document(plan)->signer = world->stranger_key;)
INTEL_FAULT(document_signed_by_leaf, some_document(plan)->signer = world->leaf_key;)
INTEL_FAULT(document_tail, some_document(plan)->suffix = "}";)
INTEL_FAULT(document_spaces, some_document(plan)->suffix = " \r\n\t ";)
INTEL_FAULT(document_extra, some_document(plan)->extra = "\"more\":1,";)
INTEL_FAULT(document_extra_member,
            world_replace(some_document(plan), "\"version\":", "\"more\":[1,{}],\"version\":");)
INTEL_FAULT(document_space_inside,
            world_replace(some_document(plan), "\"version\":", " \"version\" : ");)
INTEL_FAULT(document_escaped,
            world_replace(some_document(plan), "\"version\":", "\"\\u0076ersion\":");)
INTEL_FAULT(document_expired, world_replace(some_document(plan), "2026-07-01", "2026-05-20");)
INTEL_FAULT(document_not_yet, world_replace(some_document(plan), "2026-05-01", "2026-06-20");)
INTEL_FAULT(document_date_impossible,
            world_replace(some_document(plan), "2026-05-01", "2026-02-30");)
INTEL_FAULT(document_date_fraction,
            world_replace(some_document(plan), "2026-05-01T00:00:00Z", "2026-05-01T00:00:00.5Z");)
INTEL_FAULT(document_date_zone, world_replace(some_document(plan), "2026-05-01T00:00:00Z",
                                              "2026-05-01T00:00:00+00:00");)
INTEL_FAULT(document_date_space,
            world_replace(some_document(plan), "2026-05-01T00:00:00Z", "2026-05-01 00:00:00Z");)
INTEL_FAULT(document_date_far, world_replace(some_document(plan), "2026-07-01", "9999-12-31");)
INTEL_FAULT(document_twice, world_replace(some_document(plan), "\"version\":",
                                          "\"tcbEvaluationDataNumber\":20,\"version\":");)
INTEL_FAULT(document_version_text, struct world_document *document = some_document(plan);
            world_replace(document, "\"version\":", "\"version\":\"3\",\"was\":");)
INTEL_FAULT(document_number_text,
            world_replace(some_document(plan), "DataNumber\":20", "DataNumber\":\"20\"");)
INTEL_FAULT(document_number_fraction,
            world_replace(some_document(plan), "DataNumber\":20", "DataNumber\":20.0");)
INTEL_FAULT(document_number_exponent,
            world_replace(some_document(plan), "DataNumber\":20", "DataNumber\":2e1");)
INTEL_FAULT(document_number_negative,
            world_replace(some_document(plan), "DataNumber\":20", "DataNumber\":-20");)
INTEL_FAULT(document_number_huge, world_replace(some_document(plan), "DataNumber\":20",
                                                "DataNumber\":99999999999999999999");)
INTEL_FAULT(document_number_zeros,
            world_replace(some_document(plan), "DataNumber\":20", "DataNumber\":020");)
INTEL_FAULT(document_number_absent,
            world_replace(some_document(plan), "\"tcbEvaluationDataNumber\":20",
                          "\"tcbEvaluation\":20");)
INTEL_FAULT(document_null,
            world_replace(some_document(plan), "DataNumber\":20", "DataNumber\":null");)
INTEL_FAULT(document_no_levels,
            world_replace(some_document(plan), "\"tcbLevels\":[", "\"tcbLevels\":[],\"was\":[");)
INTEL_FAULT(document_comma, world_replace(some_document(plan), "\"version\":", ",\"version\":");)
INTEL_FAULT(document_zero_byte,
            world_replace(some_document(plan), "\"version\":", "\"\x01\":1,\"version\":");)
INTEL_FAULT(document_deep,
            world_replace(
                some_document(plan), "\"version\":",
                "\"more\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]"
                "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]],\"version\":");)
INTEL_FAULT(tcb_version, world_replace(&world->tcb_info, "\"version\":3",
                                       below(2) == 0 ? "\"version\":2" : "\"version\":4");)
INTEL_FAULT(qe_identity_version, world_replace(&world->qe_identity, "\"version\":2",
                                               below(2) == 0 ? "\"version\":1" : "\"version\":3");)
INTEL_FAULT(tcb_other_tee,
            if (is_tdx(plan)) world_replace(&world->tcb_info, "\"id\":\"TDX\"", "\"id\":\"SGX\"");
            else world_replace(&world->tcb_info, "\"id\":\"SGX\"", "\"id\":\"TDX\"");)
INTEL_FAULT(qe_other_tee, if (is_tdx(plan)) world_replace(&world->qe_identity, "\"id\":\"TD_QE\"",
                                                          "\"id\":\"QE\"");
            else world_replace(&world->qe_identity, "\"id\":\"QE\"", "\"id\":\"TD_QE\"");)
INTEL_FAULT(qe_verification_enclave,
            world_replace(&world->qe_identity, is_tdx(plan) ? "\"TD_QE\"" : "\"QE\"", "\"QVE\"");)
INTEL_FAULT(tcb_type, world_replace(&world->tcb_info, "\"tcbType\":0", "\"tcbType\":1");)
INTEL_FAULT(tcb_fmspc, world_replace(&world->tcb_info, "0a0b0c0d0e0f", "0a0b0c0d0e0e");)
INTEL_FAULT(tcb_fmspc_upper, world_replace(&world->tcb_info, "0a0b0c0d0e0f", "0A0B0C0D0E0F");)
INTEL_FAULT(tcb_fmspc_short, world_replace(&world->tcb_info, "0a0b0c0d0e0f", "0a0b0c0d0e");)
INTEL_FAULT(tcb_pce_id,
            world_replace(&world->tcb_info, "\"pceId\":\"0000\"", "\"pceId\":\"0001\"");)
INTEL_FAULT(tcb_component_large, world_replace(&world->tcb_info, "{\"svn\":7}", "{\"svn\":256}");)
INTEL_FAULT(tcb_component_missing, world_replace(&world->tcb_info, "{\"svn\":7},", "");)
INTEL_FAULT(tcb_component_more,
            world_replace(&world->tcb_info, "{\"svn\":7},", "{\"svn\":7},{\"svn\":7},");)
INTEL_FAULT(tcb_component_named,
            world_replace(&world->tcb_info, "{\"svn\":7}",
                          "{\"svn\":7,\"category\":\"BIOS\",\"type\":\"Early\"}");)
INTEL_FAULT(tcb_no_module, world_replace(&world->tcb_info, "\"tdxModule\":", "\"tdxModul\":");)
INTEL_FAULT(tcb_no_modules,
            world_replace(&world->tcb_info, "\"tdxModuleIdentities\":", "\"tdxModuleIdentitie\":");)
INTEL_FAULT(qe_mask_short, world_replace(&world->qe_identity, "\"miscselectMask\":\"FFFFFFFF\"",
                                         "\"miscselectMask\":\"FFFFFF\"");)
INTEL_FAULT(qe_signer_lower, world_replace(&world->qe_identity, "\"miscselectMask\":\"FFFFFFFF\"",
                                           "\"miscselectMask\":\"ffffffff\"");)
INTEL_FAULT(advisory_odd, world_replace(&world->tcb_info, "INTEL-SA-00001", "INTEL SA 00001");)

/* Levels */
static const char *const statuses[] = { "UpToDate",
                                        "SWHardeningNeeded",
                                        "ConfigurationNeeded",
                                        "ConfigurationAndSWHardeningNeeded",
                                        "OutOfDate",
                                        "OutOfDateConfigurationNeeded",
                                        "Revoked" };

/* Of the first level behind `mark`. */
static void set_status(struct world_document *document, const char *mark, const char *status)
{
    static const char key[] = "\"tcbStatus\":\"";
    char old[256], new[256];
    char *at = strstr(document->body, mark);
    ASSERT(at != NULL);
    at = strstr(at, key);
    ASSERT(at != NULL);
    /* world_replace takes the first occurrence: make this one differ from all others. */
    size_t prefix = (size_t)(at - document->body);
    snprintf(old, sizeof(old), "%.*s", (int)(strcspn(at + strlen(key), "\"") + strlen(key)), at);
    snprintf(new, sizeof(new), "%s%s", key, status);
    char tail[sizeof(document->body)];
    snprintf(tail, sizeof(tail), "%s", at + strlen(old));
    snprintf(document->body + prefix, sizeof(document->body) - prefix, "%s%s", new, tail);
}

static const char *some_status(void)
{
    return statuses[below(ARRAY_COUNT(statuses))];
}

#define PLATFORM "\"sgxtcbcomponents\":[{\"svn\":7}"
#define MODULE   "\"isvsvn\":5}"
#define QE       "\"isvsvn\":6}"

INTEL_FAULT(status_platform, set_status(&world->tcb_info, PLATFORM, some_status());)
INTEL_FAULT(status_module, world->td.tee_tcb_svn[1] = 1;
            set_status(&world->tcb_info, MODULE, some_status());)
INTEL_FAULT(status_qe, set_status(&world->qe_identity, QE, some_status());)
INTEL_FAULT(status_platform_module, world->td.tee_tcb_svn[1] = 1;
            set_status(&world->tcb_info, PLATFORM, some_status());
            set_status(&world->tcb_info, MODULE, below(2) == 0 ? "OutOfDate" : "Revoked");)
INTEL_FAULT(status_platform_qe, set_status(&world->tcb_info, PLATFORM, some_status());
            set_status(&world->qe_identity, QE, below(3) == 0 ? "Revoked" : "OutOfDate");)
INTEL_FAULT(status_relaunch, intel_plan_relaunch(plan);
            set_status(&world->tcb_info, PLATFORM, some_status());)
INTEL_FAULT(status_relaunch_low, intel_plan_relaunch_level(plan);
            set_status(&world->tcb_info, "\"sgxtcbcomponents\":[{\"svn\":4}", some_status());)
INTEL_FAULT(status_unknown,
            set_status(some_document(plan), "{", below(2) == 0 ? "Fine" : "TDRelaunchAdvised");)
INTEL_FAULT(levels_reversed, ;
            /* The lower one first: the highest that is reached still counts. */
            char *low = strstr(world->tcb_info.body,
                               ",{\"tcb\":{\"sgxtcbcomponents\":[{\"svn\":4}");
            char *list = strstr(world->tcb_info.body,
                                "{\"tcb\":{\"sgxtcbcomponents\":[{\"svn\":7}");
            ASSERT(low != NULL && list != NULL); char copy[4096];
            snprintf(copy, sizeof(copy), "%.*s,%.*s]}", (int)strlen(low) - 3, low + 1,
                     (int)(low - list), list);
            memcpy(list, copy, strlen(copy));)

const struct intel_fault intel_document_faults[] = { INTEL_FAULT_ROW(document_other_signer),
                                                     INTEL_FAULT_ROW(document_signed_by_leaf),
                                                     INTEL_FAULT_ROW(document_tail),
                                                     INTEL_FAULT_ROW(document_spaces),
                                                     INTEL_FAULT_ROW(document_extra),
                                                     INTEL_FAULT_ROW(document_extra_member),
                                                     INTEL_FAULT_ROW(document_space_inside),
                                                     INTEL_FAULT_ROW(document_escaped),
                                                     INTEL_FAULT_ROW(document_expired),
                                                     INTEL_FAULT_ROW(document_not_yet),
                                                     INTEL_FAULT_ROW(document_date_impossible),
                                                     INTEL_FAULT_ROW(document_date_fraction),
                                                     INTEL_FAULT_ROW(document_date_zone),
                                                     INTEL_FAULT_ROW(document_date_space),
                                                     INTEL_FAULT_ROW(document_date_far),
                                                     INTEL_FAULT_ROW(document_twice),
                                                     INTEL_FAULT_ROW(document_version_text),
                                                     INTEL_FAULT_ROW(document_number_text),
                                                     INTEL_FAULT_ROW(document_number_fraction),
                                                     INTEL_FAULT_ROW(document_number_exponent),
                                                     INTEL_FAULT_ROW(document_number_negative),
                                                     INTEL_FAULT_ROW(document_number_huge),
                                                     INTEL_FAULT_ROW(document_number_zeros),
                                                     INTEL_FAULT_ROW(document_number_absent),
                                                     INTEL_FAULT_ROW(document_null),
                                                     INTEL_FAULT_ROW(document_no_levels),
                                                     INTEL_FAULT_ROW(document_comma),
                                                     INTEL_FAULT_ROW(document_zero_byte),
                                                     INTEL_FAULT_ROW(document_deep),
                                                     INTEL_FAULT_ROW(tcb_version),
                                                     INTEL_FAULT_ROW(qe_identity_version),
                                                     INTEL_FAULT_ROW(tcb_other_tee),
                                                     INTEL_FAULT_ROW(qe_other_tee),
                                                     INTEL_FAULT_ROW(qe_verification_enclave),
                                                     INTEL_FAULT_ROW(tcb_type),
                                                     INTEL_FAULT_ROW(tcb_fmspc),
                                                     INTEL_FAULT_ROW(tcb_fmspc_upper),
                                                     INTEL_FAULT_ROW(tcb_fmspc_short),
                                                     INTEL_FAULT_ROW(tcb_pce_id),
                                                     INTEL_FAULT_ROW(tcb_component_large),
                                                     INTEL_FAULT_ROW(tcb_component_missing),
                                                     INTEL_FAULT_ROW(tcb_component_more),
                                                     INTEL_FAULT_ROW(tcb_component_named),
                                                     INTEL_FAULT_ROW(tcb_no_module),
                                                     INTEL_FAULT_ROW(tcb_no_modules),
                                                     INTEL_FAULT_ROW(qe_mask_short),
                                                     INTEL_FAULT_ROW(qe_signer_lower),
                                                     INTEL_FAULT_ROW(advisory_odd),
                                                     INTEL_FAULT_ROW(status_platform),
                                                     INTEL_FAULT_ROW(status_module),
                                                     INTEL_FAULT_ROW(status_qe),
                                                     INTEL_FAULT_ROW(status_platform_module),
                                                     INTEL_FAULT_ROW(status_platform_qe),
                                                     INTEL_FAULT_ROW(status_relaunch),
                                                     INTEL_FAULT_ROW(status_relaunch_low),
                                                     INTEL_FAULT_ROW(status_unknown),
                                                     INTEL_FAULT_ROW(levels_reversed) };
const size_t intel_document_fault_count = ARRAY_COUNT(intel_document_faults);
