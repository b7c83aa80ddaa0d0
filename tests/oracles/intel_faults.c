/* SPDX-License-Identifier: Apache-2.0 */
/* What can go wrong with a quote or its collateral, one thing each.  Some are none: spellings and
 * versions that a verifier has to take. */
#include "tests/oracles/intel_plan.h"

#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

#define below intel_plan_below

static size_t signed_size(const struct intel_plan *plan)
{
    static const size_t sizes[SHAPE_COUNT] = {
        [SHAPE_TDX_4] = 48 + TD_REPORT_10_SIZE,    [SHAPE_TDX_5_10] = 54 + TD_REPORT_10_SIZE,
        [SHAPE_TDX_5_15] = 54 + TD_REPORT_15_SIZE, [SHAPE_SGX_3] = 48 + SGX_REPORT_SIZE,
        [SHAPE_SGX_4] = 48 + SGX_REPORT_SIZE,      [SHAPE_SGX_5] = 54 + SGX_REPORT_SIZE,
    };
    return sizes[plan->shape];
}

static bool is_tdx(const struct intel_plan *plan)
{
    return intel_shape_is_tdx(plan->shape);
}

static uint8_t other_byte(void)
{
    return (uint8_t)(1 + below(255));
}

static void flip(struct intel_plan *plan, size_t first, size_t last)
{
    plan->flip_first = first;
    plan->flip_last = last;
}

static void patch(struct intel_patch *target, size_t offset, uint64_t value)
{
    *target = (struct intel_patch){ offset, (uint8_t)value, true };
}

INTEL_FAULT(none, ;)

/* The quote */
INTEL_FAULT(flip_header, flip(plan, 0, 47);)
INTEL_FAULT(flip_body,
            flip(plan, plan->shape == SHAPE_SGX_3 || plan->shape == SHAPE_TDX_4 ? 48 : 54,
                 signed_size(plan) - 1);)
INTEL_FAULT(flip_lengths, flip(plan, signed_size(plan), signed_size(plan) + 3);)
INTEL_FAULT(flip_signature, flip(plan, signed_size(plan) + 4, signed_size(plan) + 67);)
INTEL_FAULT(flip_key, flip(plan, signed_size(plan) + 68, signed_size(plan) + 131);)
INTEL_FAULT(flip_qe_report,
            size_t at = signed_size(plan) + (plan->shape == SHAPE_SGX_3 ? 132 : 138);
            flip(plan, at, at + SGX_REPORT_SIZE - 1);)
INTEL_FAULT(flip_qe_signature, size_t at = signed_size(plan) +
                                           (plan->shape == SHAPE_SGX_3 ? 132 : 138) +
                                           SGX_REPORT_SIZE;
            flip(plan, at, at + 63);)
INTEL_FAULT(flip_auth_data, size_t at = signed_size(plan) +
                                        (plan->shape == SHAPE_SGX_3 ? 132 : 138) + SGX_REPORT_SIZE +
                                        66;
            flip(plan, at, at + 31);)
INTEL_FAULT(flip_anywhere, flip(plan, 0, 1 << 16);)
INTEL_FAULT(cut, plan->cut = 1 + below(6000);)
INTEL_FAULT(zeros_behind, plan->zeros = 1 + below(64);)
INTEL_FAULT(text_behind, plan->tail = "more";)
INTEL_FAULT(version, patch(&plan->signed_patch, 0, below(2) == 0 ? below(3) : 6 + below(250));)
INTEL_FAULT(other_version, patch(&plan->signed_patch, 0, plan->shape == SHAPE_TDX_4 ? 5 : 4);)
INTEL_FAULT(key_type, patch(&plan->signed_patch, 2, below(2) == 0 ? 3 : 4 + below(250));)
INTEL_FAULT(tee_type, patch(&plan->signed_patch, 4, 1 + below(128));)
INTEL_FAULT(qe_vendor, patch(&plan->signed_patch, 12 + below(16), below(2));)
INTEL_FAULT(sgx_version_4, plan->shape = is_tdx(plan) ? plan->shape : SHAPE_SGX_4;)
INTEL_FAULT(sgx_version_5, plan->shape = is_tdx(plan) ? plan->shape : SHAPE_SGX_5;)
INTEL_FAULT(body_size, if (is_tdx(plan)) plan->shape = SHAPE_TDX_5_10;
            else plan->shape = SHAPE_SGX_5; patch(&plan->signed_patch, 50, other_byte());)
INTEL_FAULT(body_type, if (is_tdx(plan)) plan->shape = SHAPE_TDX_5_10;
            else plan->shape = SHAPE_SGX_5; patch(&plan->signed_patch, 48, 4 + below(250));)
INTEL_FAULT(outer_type, plan->outer_type = (uint16_t)(below(2) == 0 ? 5 : 7 + below(9));)
INTEL_FAULT(inner_type, plan->inner_type = (uint16_t)(1 + below(4));)
INTEL_FAULT(inner_type_unknown, plan->inner_type = (uint16_t)(6 + below(100));)
INTEL_FAULT(inner_size, plan->inner_size_change = (int)below(9) - 4;)
INTEL_FAULT(outer_size, plan->outer_size_change = (int)below(9) - 4;)
INTEL_FAULT(key_not_named, plan->is_key_swapped = true;)
INTEL_FAULT(qe_signed_by_stranger, plan->is_qe_other = true;)
INTEL_FAULT(quote_signed_by_stranger, plan->is_quote_other = true;)
INTEL_FAULT(report_data_high, patch(&plan->qe_patch, 352 + below(32), other_byte());)
INTEL_FAULT(report_data_low, patch(&plan->qe_patch, 320 + below(32), other_byte());)
static const uint8_t zeros[1024];
INTEL_FAULT(auth_data_empty, world->auth_data = (struct bytes){ 0 };)
INTEL_FAULT(auth_data_long, world->auth_data = bytes_of(zeros, 33 + below(500));)
INTEL_FAULT(auth_data_short, world->auth_data = bytes_of(zeros, 1 + below(31));)
/* What Intel's quoting enclave is. */
INTEL_FAULT(qe_signer, world->qe.mr_signer[below(32)] ^= other_byte();)
INTEL_FAULT(qe_product, world->qe.isv_prod_id ^= (uint16_t)other_byte();)
INTEL_FAULT(qe_misc_select, world->qe.misc_select = (uint32_t)other_byte();)
INTEL_FAULT(qe_attributes, world->qe.attributes[below(2) == 0 ? 0 : 5] ^= 0x20;)
INTEL_FAULT(qe_attributes_unmasked, world->qe.attributes[8 + below(8)] = other_byte();)
INTEL_FAULT(qe_debug, world->qe.attributes[0] |= 2;)
INTEL_FAULT(qe_reserved, patch(&plan->qe_patch, 20 + below(12), other_byte());)
INTEL_FAULT(qe_version, world->qe.isv_svn = (uint16_t)below(9);)
/* The domain. */
INTEL_FAULT(td_debug, world->td.td_attributes[0] = 1; plan->sgx.attributes[0] |= 2;)
INTEL_FAULT(td_profiled, world->td.td_attributes[0] = (uint8_t)(0x10 << below(3));)
INTEL_FAULT(td_attribute, world->td.td_attributes[1 + below(7)] ^= (uint8_t)(1U << below(8));)
INTEL_FAULT(td_service, world->td.mr_service_td[below(48)] = other_byte();)
INTEL_FAULT(seam_signer, world->td.mr_signer_seam[below(48)] = other_byte();)
INTEL_FAULT(seam_attributes, world->td.seam_attributes[below(8)] = other_byte();)
INTEL_FAULT(seam_attributes_unmasked,
            world_replace(&world->tcb_info, "\"attributesMask\":\"FFFFFFFFFFFFFFFF\"",
                          "\"attributesMask\":\"00FFFFFFFFFFFFFF\"");
            if (world->td.tee_tcb_svn[1] != 0)
                world_replace(&world->tcb_info, "\"attributesMask\":\"FFFFFFFFFFFFFFFF\"",
                              "\"attributesMask\":\"00FFFFFFFFFFFFFF\"");
            world->td.seam_attributes[0] = other_byte();)
INTEL_FAULT(module_version, world->td.tee_tcb_svn[1] = (uint8_t)(2 + below(250));)
INTEL_FAULT(module_svn, world->td.tee_tcb_svn[1] = 1; world->td.tee_tcb_svn[0] = (uint8_t)below(7);)
INTEL_FAULT(module_id_hexadecimal, world->td.tee_tcb_svn[1] = 0x0a;
            world_replace(&world->tcb_info, "TDX_01", "TDX_0A");)
INTEL_FAULT(module_id_lower, world->td.tee_tcb_svn[1] = 0x0a;
            world_replace(&world->tcb_info, "TDX_01", "TDX_0a");)
INTEL_FAULT(tee_component, world->td.tee_tcb_svn[2 + below(14)] = (uint8_t)below(6);)
INTEL_FAULT(tee_component_0, world->td.tee_tcb_svn[1] = 0;
            world->td.tee_tcb_svn[0] = (uint8_t)below(6);)
INTEL_FAULT(sgx_component, world->pck.tcb_component_svn[below(16)] = (uint8_t)below(8);)
INTEL_FAULT(pce, world->pck.pce_svn = (uint16_t)below(12);)
INTEL_FAULT(later_svn, plan->shape = is_tdx(plan) ? SHAPE_TDX_5_15 : plan->shape;
            world->td.tee_tcb_svn_2[2 + below(14)] = (uint8_t)below(6);)
INTEL_FAULT(relaunch, intel_plan_relaunch(plan);)
INTEL_FAULT(relaunch_level, intel_plan_relaunch_level(plan);)

/* The platform */
INTEL_FAULT(pck_extension_broken, world->pck_extension_size = 0;)
INTEL_FAULT(fmspc, world->pck.fmspc[below(6)] ^= other_byte();)
INTEL_FAULT(cpu_svn, plan->is_cpu_svn_other = true;)
INTEL_FAULT(pce_id, world->pck.pce_id[below(2)] ^= other_byte();)
INTEL_FAULT(sgx_type, world->pck.sgx_type = (enum pck_sgx_type)below(3);)

/* Certificates */
static const struct x509_extra_extension unknown = {
    .oid = { (const uint8_t *)"\x2a\x03\x04", 3 },
    .value = { (const uint8_t *)"\x05\x00", 2 },
};

static void extend(struct fixture_certificate *certificate, bool is_critical)
{
    struct x509_extra_extension extension = unknown;
    extension.is_critical = is_critical;
    certificate->extensions[certificate->extension_count++] = extension;
}

static struct fixture_certificate *some_certificate(struct intel_plan *plan)
{
    struct test_world *world = &plan->world;
    struct fixture_certificate *all[] = { &world->root, &world->ca, &world->leaf, &world->tcb };
    return all[below(4)];
}

INTEL_FAULT(chain_no_root, plan->chain = CHAIN_NO_ROOT;)
INTEL_FAULT(chain_root_first, plan->chain = CHAIN_ROOT_FIRST;)
INTEL_FAULT(chain_doubled, plan->chain = CHAIN_DOUBLED_CA;)
INTEL_FAULT(chain_crlf, plan->chain = CHAIN_CRLF;)
INTEL_FAULT(chain_zero, plan->chain = CHAIN_ZERO;)
INTEL_FAULT(chain_text, plan->chain = CHAIN_TEXT;)
INTEL_FAULT(critical_leaf, extend(&world->leaf, true);)
INTEL_FAULT(critical_ca, extend(&world->ca, true);)
INTEL_FAULT(critical_root, extend(&world->root, true);)
INTEL_FAULT(critical_tcb, extend(&world->tcb, true);)
INTEL_FAULT(harmless_leaf, extend(&world->leaf, false);)
INTEL_FAULT(harmless_ca, extend(&world->ca, false);)
INTEL_FAULT(twice_leaf, world->leaf.extensions[4] = world->leaf.extensions[1];
            world->leaf.extension_count = 5;)
INTEL_FAULT(twice_ca, extend(&world->ca, false); extend(&world->ca, false);)
INTEL_FAULT(twice_tcb, extend(&world->tcb, false); extend(&world->tcb, false);)
INTEL_FAULT(key_ids_left_out, world->leaf.extension_count = 1;)
INTEL_FAULT(ca_no_ca,
            world->ca.constraints = below(2) == 0 ? FIXTURE_NOT_CA : FIXTURE_NO_CONSTRAINTS;)
INTEL_FAULT(root_no_ca,
            world->root.constraints = below(2) == 0 ? FIXTURE_NOT_CA : FIXTURE_NO_CONSTRAINTS;)
INTEL_FAULT(leaf_ca, world->leaf.constraints = FIXTURE_CA;)
INTEL_FAULT(tcb_ca, world->tcb.constraints = FIXTURE_CA;)
INTEL_FAULT(root_path_length, world->root.constraints = FIXTURE_CA_OF_LEAVES;)
INTEL_FAULT(ca_path_free, world->ca.constraints = FIXTURE_CA;)
INTEL_FAULT(ca_usage, world->ca.key_usage = "\x07\x80";)
INTEL_FAULT(root_usage, world->root.key_usage = "\x07\x80";)
INTEL_FAULT(ca_usage_no_lists, world->ca.key_usage = "\x02\x04";)
INTEL_FAULT(leaf_usage, world->leaf.key_usage = "\x05\x20";)
INTEL_FAULT(tcb_usage, world->tcb.key_usage = "\x05\x20";)
INTEL_FAULT(no_usage, some_certificate(plan)->key_usage = NULL;)
INTEL_FAULT(leaf_name, world->leaf.subject = "Intel SGX PCK";)
INTEL_FAULT(ca_name, world->ca.subject = "Intel SGX PCK CA";
            world->leaf.issuer = "Intel SGX PCK CA"; world->pck_crl.issuer = "Intel SGX PCK CA";)
INTEL_FAULT(ca_processor, world->ca.subject = "Intel SGX PCK Processor CA";
            world->leaf.issuer = "Intel SGX PCK Processor CA";
            world->pck_crl.issuer = "Intel SGX PCK Processor CA";)
INTEL_FAULT(root_name, world->root.subject = "Intel SGX Root";
            world->root.issuer = "Intel SGX Root"; world->ca.issuer = "Intel SGX Root";
            world->tcb.issuer = "Intel SGX Root"; world->root_crl.issuer = "Intel SGX Root";)
INTEL_FAULT(tcb_name, world->tcb.subject = "Intel SGX TCB";)
INTEL_FAULT(leaf_issuer, world->leaf.issuer = "Intel SGX PCK Processor CA";)
INTEL_FAULT(ca_issuer, world->ca.issuer = "Intel SGX PCK Processor CA";)
INTEL_FAULT(tcb_issuer, world->tcb.issuer = "Intel SGX PCK Platform CA";)
INTEL_FAULT(leaf_signed_by_stranger, world->leaf_issuer_key = world->stranger_key;)
INTEL_FAULT(ca_signed_by_stranger, world->ca_issuer_key = world->stranger_key;)
INTEL_FAULT(tcb_signed_by_stranger, world->tcb_issuer_key = world->stranger_key;)
INTEL_FAULT(tcb_signed_by_ca, world->tcb_issuer_key = world->ca_key;
            world->tcb.issuer = "Intel SGX PCK Platform CA";)
static const uint8_t ones[24] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
INTEL_FAULT(serial_negative, some_certificate(plan)->serial = BYTES_LITERAL("\x80\x01");)
INTEL_FAULT(serial_padded, some_certificate(plan)->serial = BYTES_LITERAL("\x00\x01");)
INTEL_FAULT(serial_zero, some_certificate(plan)->serial = BYTES_LITERAL("\x00");)
INTEL_FAULT(serial_20, some_certificate(plan)->serial = bytes_of(ones, 20);)
INTEL_FAULT(serial_21, some_certificate(plan)->serial = bytes_of(ones, 21 + below(4));)
INTEL_FAULT(expired, some_certificate(plan)->not_after_s = WORLD_NOW_S - 1 -
                                                           (int64_t)below(900) * WORLD_DAY_S;)
INTEL_FAULT(expires_now, some_certificate(plan)->not_after_s = WORLD_NOW_S;)
INTEL_FAULT(not_yet, some_certificate(plan)->not_before_s = WORLD_NOW_S + 1 +
                                                            (int64_t)below(900) * WORLD_DAY_S;)
INTEL_FAULT(begins_now, some_certificate(plan)->not_before_s = WORLD_NOW_S;)
INTEL_FAULT(far_date, some_certificate(plan)->not_after_s = 253402300799;)
INTEL_FAULT(old_date, some_certificate(plan)->not_before_s = (int64_t)below(1000) * WORLD_DAY_S;)
INTEL_FAULT(ca_p384, fixture_key_free(world->ca_key);
            world->ca_key = fixture_key_new(PUBLIC_KEY_P384, 0);
            world->leaf_issuer_key = world->ca_key; world->pck_crl_key = world->ca_key;)

/* Revocation lists */
static struct fixture_crl *some_list(struct intel_plan *plan)
{
    return below(2) == 0 ? &plan->world.root_crl : &plan->world.pck_crl;
}

static void revoke(struct intel_plan *plan, struct fixture_crl *list, struct bytes serial)
{
    size_t count = 1 + below(3);
    for (size_t i = 0; i < count; i++)
        plan->serials[i] = BYTES_LITERAL("\x77");
    plan->serials[below(count)] = serial;
    list->serials = plan->serials;
    list->serial_count = count;
}

static void extend_list(struct fixture_crl *list, bool is_critical)
{
    struct x509_extra_extension extension = unknown;
    extension.is_critical = is_critical;
    list->extensions[list->extension_count++] = extension;
}

INTEL_FAULT(revoked_leaf, revoke(plan, &world->pck_crl, BYTES_LITERAL("\x13"));)
INTEL_FAULT(revoked_ca, revoke(plan, &world->root_crl, BYTES_LITERAL("\x12"));)
INTEL_FAULT(revoked_tcb, revoke(plan, &world->root_crl, BYTES_LITERAL("\x14"));)
INTEL_FAULT(revoked_root, revoke(plan, &world->root_crl, BYTES_LITERAL("\x11"));)
INTEL_FAULT(revoked_other, revoke(plan, some_list(plan), BYTES_LITERAL("\x55"));)
INTEL_FAULT(revoked_in_other_list, revoke(plan, &world->root_crl, BYTES_LITERAL("\x13"));)
INTEL_FAULT(root_list_signed_by_stranger, world->root_crl_key = world->stranger_key;)
INTEL_FAULT(pck_list_signed_by_stranger, world->pck_crl_key = world->stranger_key;)
INTEL_FAULT(pck_list_signed_by_root, world->pck_crl_key = world->root_key;)
INTEL_FAULT(root_list_of_other, world->root_crl.issuer = "Intel SGX PCK Platform CA";)
INTEL_FAULT(pck_list_of_other, world->pck_crl.issuer = "Intel SGX PCK Processor CA";)
INTEL_FAULT(pck_list_of_root, world->pck_crl.issuer = "Intel SGX Root CA";
            world->pck_crl_key = world->root_key;)
INTEL_FAULT(list_expired,
            some_list(plan)->next_update_s = WORLD_NOW_S - 1 - (int64_t)below(2) * 3600;)
INTEL_FAULT(list_expires_now, some_list(plan)->next_update_s = WORLD_NOW_S;)
INTEL_FAULT(list_not_yet, some_list(plan)->this_update_s = WORLD_NOW_S + 1 + (int64_t)below(3600);)
INTEL_FAULT(list_without_end, some_list(plan)->next_update_s = 0;)
INTEL_FAULT(list_version_1, struct fixture_crl *list = some_list(plan); list->is_v1 = true;
            list->extension_count = 0;)
INTEL_FAULT(list_without_extensions, some_list(plan)->extension_count = 0;)
INTEL_FAULT(list_critical, extend_list(some_list(plan), true);)
INTEL_FAULT(list_harmless, extend_list(some_list(plan), false);)
INTEL_FAULT(list_extension_twice, struct fixture_crl *list = some_list(plan);
            extend_list(list, false); extend_list(list, false);)
INTEL_FAULT(
    list_delta, struct fixture_crl *list = some_list(plan); extend_list(list, true);
    list->extensions[list->extension_count - 1].oid = bytes_of((const uint8_t *)"\x55\x1d\x1b", 3);
    list->extensions[list->extension_count - 1].value = BYTES_LITERAL("\x02\x01\x01");)
INTEL_FAULT(list_entry_critical, revoke(plan, some_list(plan), BYTES_LITERAL("\x55"));
            struct fixture_crl *list = world->root_crl.serial_count > 0 ? &world->root_crl
                                                                        : &world->pck_crl;
            list->entry_extension = unknown; list->entry_extension.is_critical = true;)

const struct intel_fault intel_faults[] = { INTEL_FAULT_ROW(none),
                                            INTEL_FAULT_ROW(flip_header),
                                            INTEL_FAULT_ROW(flip_body),
                                            INTEL_FAULT_ROW(flip_lengths),
                                            INTEL_FAULT_ROW(flip_signature),
                                            INTEL_FAULT_ROW(flip_key),
                                            INTEL_FAULT_ROW(flip_qe_report),
                                            INTEL_FAULT_ROW(flip_qe_signature),
                                            INTEL_FAULT_ROW(flip_auth_data),
                                            INTEL_FAULT_ROW(flip_anywhere),
                                            INTEL_FAULT_ROW(cut),
                                            INTEL_FAULT_ROW(zeros_behind),
                                            INTEL_FAULT_ROW(text_behind),
                                            INTEL_FAULT_ROW(version),
                                            INTEL_FAULT_ROW(other_version),
                                            INTEL_FAULT_ROW(key_type),
                                            INTEL_FAULT_ROW(tee_type),
                                            INTEL_FAULT_ROW(qe_vendor),
                                            INTEL_FAULT_ROW(sgx_version_4),
                                            INTEL_FAULT_ROW(sgx_version_5),
                                            INTEL_FAULT_ROW(body_size),
                                            INTEL_FAULT_ROW(body_type),
                                            INTEL_FAULT_ROW(outer_type),
                                            INTEL_FAULT_ROW(inner_type),
                                            INTEL_FAULT_ROW(inner_type_unknown),
                                            INTEL_FAULT_ROW(inner_size),
                                            INTEL_FAULT_ROW(outer_size),
                                            INTEL_FAULT_ROW(key_not_named),
                                            INTEL_FAULT_ROW(qe_signed_by_stranger),
                                            INTEL_FAULT_ROW(quote_signed_by_stranger),
                                            INTEL_FAULT_ROW(report_data_high),
                                            INTEL_FAULT_ROW(report_data_low),
                                            INTEL_FAULT_ROW(auth_data_empty),
                                            INTEL_FAULT_ROW(auth_data_long),
                                            INTEL_FAULT_ROW(auth_data_short),
                                            INTEL_FAULT_ROW(qe_signer),
                                            INTEL_FAULT_ROW(qe_product),
                                            INTEL_FAULT_ROW(qe_misc_select),
                                            INTEL_FAULT_ROW(qe_attributes),
                                            INTEL_FAULT_ROW(qe_attributes_unmasked),
                                            INTEL_FAULT_ROW(qe_debug),
                                            INTEL_FAULT_ROW(qe_reserved),
                                            INTEL_FAULT_ROW(qe_version),
                                            INTEL_FAULT_ROW(td_debug),
                                            INTEL_FAULT_ROW(td_profiled),
                                            INTEL_FAULT_ROW(td_attribute),
                                            INTEL_FAULT_ROW(td_service),
                                            INTEL_FAULT_ROW(seam_signer),
                                            INTEL_FAULT_ROW(seam_attributes),
                                            INTEL_FAULT_ROW(seam_attributes_unmasked),
                                            INTEL_FAULT_ROW(module_version),
                                            INTEL_FAULT_ROW(module_svn),
                                            INTEL_FAULT_ROW(module_id_hexadecimal),
                                            INTEL_FAULT_ROW(module_id_lower),
                                            INTEL_FAULT_ROW(tee_component),
                                            INTEL_FAULT_ROW(tee_component_0),
                                            INTEL_FAULT_ROW(sgx_component),
                                            INTEL_FAULT_ROW(pce),
                                            INTEL_FAULT_ROW(later_svn),
                                            INTEL_FAULT_ROW(relaunch),
                                            INTEL_FAULT_ROW(relaunch_level),
                                            INTEL_FAULT_ROW(pck_extension_broken),
                                            INTEL_FAULT_ROW(fmspc),
                                            INTEL_FAULT_ROW(cpu_svn),
                                            INTEL_FAULT_ROW(pce_id),
                                            INTEL_FAULT_ROW(sgx_type),
                                            INTEL_FAULT_ROW(chain_no_root),
                                            INTEL_FAULT_ROW(chain_root_first),
                                            INTEL_FAULT_ROW(chain_doubled),
                                            INTEL_FAULT_ROW(chain_crlf),
                                            INTEL_FAULT_ROW(chain_zero),
                                            INTEL_FAULT_ROW(chain_text),
                                            INTEL_FAULT_ROW(critical_leaf),
                                            INTEL_FAULT_ROW(critical_ca),
                                            INTEL_FAULT_ROW(critical_root),
                                            INTEL_FAULT_ROW(critical_tcb),
                                            INTEL_FAULT_ROW(harmless_leaf),
                                            INTEL_FAULT_ROW(harmless_ca),
                                            INTEL_FAULT_ROW(twice_leaf),
                                            INTEL_FAULT_ROW(twice_ca),
                                            INTEL_FAULT_ROW(twice_tcb),
                                            INTEL_FAULT_ROW(key_ids_left_out),
                                            INTEL_FAULT_ROW(ca_no_ca),
                                            INTEL_FAULT_ROW(root_no_ca),
                                            INTEL_FAULT_ROW(leaf_ca),
                                            INTEL_FAULT_ROW(tcb_ca),
                                            INTEL_FAULT_ROW(root_path_length),
                                            INTEL_FAULT_ROW(ca_path_free),
                                            INTEL_FAULT_ROW(ca_usage),
                                            INTEL_FAULT_ROW(root_usage),
                                            INTEL_FAULT_ROW(ca_usage_no_lists),
                                            INTEL_FAULT_ROW(leaf_usage),
                                            INTEL_FAULT_ROW(tcb_usage),
                                            INTEL_FAULT_ROW(no_usage),
                                            INTEL_FAULT_ROW(leaf_name),
                                            INTEL_FAULT_ROW(ca_name),
                                            INTEL_FAULT_ROW(ca_processor),
                                            INTEL_FAULT_ROW(root_name),
                                            INTEL_FAULT_ROW(tcb_name),
                                            INTEL_FAULT_ROW(leaf_issuer),
                                            INTEL_FAULT_ROW(ca_issuer),
                                            INTEL_FAULT_ROW(tcb_issuer),
                                            INTEL_FAULT_ROW(leaf_signed_by_stranger),
                                            INTEL_FAULT_ROW(ca_signed_by_stranger),
                                            INTEL_FAULT_ROW(tcb_signed_by_stranger),
                                            INTEL_FAULT_ROW(tcb_signed_by_ca),
                                            INTEL_FAULT_ROW(serial_negative),
                                            INTEL_FAULT_ROW(serial_padded),
                                            INTEL_FAULT_ROW(serial_zero),
                                            INTEL_FAULT_ROW(serial_20),
                                            INTEL_FAULT_ROW(serial_21),
                                            INTEL_FAULT_ROW(expired),
                                            INTEL_FAULT_ROW(expires_now),
                                            INTEL_FAULT_ROW(not_yet),
                                            INTEL_FAULT_ROW(begins_now),
                                            INTEL_FAULT_ROW(far_date),
                                            INTEL_FAULT_ROW(old_date),
                                            INTEL_FAULT_ROW(ca_p384),
                                            INTEL_FAULT_ROW(revoked_leaf),
                                            INTEL_FAULT_ROW(revoked_ca),
                                            INTEL_FAULT_ROW(revoked_tcb),
                                            INTEL_FAULT_ROW(revoked_root),
                                            INTEL_FAULT_ROW(revoked_other),
                                            INTEL_FAULT_ROW(revoked_in_other_list),
                                            INTEL_FAULT_ROW(root_list_signed_by_stranger),
                                            INTEL_FAULT_ROW(pck_list_signed_by_stranger),
                                            INTEL_FAULT_ROW(pck_list_signed_by_root),
                                            INTEL_FAULT_ROW(root_list_of_other),
                                            INTEL_FAULT_ROW(pck_list_of_other),
                                            INTEL_FAULT_ROW(pck_list_of_root),
                                            INTEL_FAULT_ROW(list_expired),
                                            INTEL_FAULT_ROW(list_expires_now),
                                            INTEL_FAULT_ROW(list_not_yet),
                                            INTEL_FAULT_ROW(list_without_end),
                                            INTEL_FAULT_ROW(list_version_1),
                                            INTEL_FAULT_ROW(list_without_extensions),
                                            INTEL_FAULT_ROW(list_critical),
                                            INTEL_FAULT_ROW(list_harmless),
                                            INTEL_FAULT_ROW(list_extension_twice),
                                            INTEL_FAULT_ROW(list_delta),
                                            INTEL_FAULT_ROW(list_entry_critical) };
const size_t intel_fault_count = ARRAY_COUNT(intel_faults);
