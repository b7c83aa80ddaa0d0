/* SPDX-License-Identifier: Apache-2.0 */
/* Makers that do wrong, one thing each: what a verifier must answer. */
#include "attest/intel/test_world.h"
#include "crypto/pem.h"
#include "tests/harness.h"

#include <string.h>

#define NONE ATTEST_REASON_NONE

struct fault {
    const char *name;
    void (*spoil)(struct test_world *world);
    enum attest_reason reason;
};

/* A row of a table: spoils `world` by the statements. */
#define FAULT(label, statements)                                                                   \
    static void label(struct test_world *world)                                                    \
    {                                                                                              \
        statements                                                                                 \
    }
#define ROW(label, code)                                                                           \
    {                                                                                              \
#label, label, ATTEST_REASON_##code                                                        \
    }

static enum attest_reason judge(struct test_world *world, struct attest_verdict *verdict)
{
    struct error error;
    bool is_valid = attest_verify(verdict, buffer_view(&world->quote), &world->options, &error);
    CHECK(is_valid == (verdict->reason == NONE));
    return verdict->reason;
}

static void try_faults(const struct fault *faults, size_t count)
{
    static struct test_world worlds[1];
    struct attest_verdict verdict;
    for (size_t i = 0; i < count; i++) {
        struct test_world *world = &worlds[0];
        world_init(world);
        faults[i].spoil(world);
        world_build(world);
        enum attest_reason reason = judge(world, &verdict);
        CHECK_NOTE(reason == faults[i].reason, "%s: %s", faults[i].name,
                   attest_reason_name(reason));
        world_done(world);
    }
}

static const struct x509_extra_extension unknown_critical = {
    .oid = { (const uint8_t *)"\x2a\x03\x04", 3 },
    .value = { (const uint8_t *)"\x05\x00", 2 },
    .is_critical = true
};

static void add_extension(struct fixture_certificate *certificate,
                          struct x509_extra_extension extension)
{
    certificate->extensions[certificate->extension_count++] = extension;
}

/* The first extension of the leaf is the PCK's own. */
static void add_to_leaf(struct test_world *world, struct x509_extra_extension extension)
{
    world->leaf.extension_count = 1;
    add_extension(&world->leaf, extension);
}

FAULT(nothing, (void)world;)
FAULT(leaf_unknown_critical, add_to_leaf(world, unknown_critical);)
FAULT(ca_unknown_critical, add_extension(&world->ca, unknown_critical);)
FAULT(leaf_unknown_harmless, struct x509_extra_extension extension = unknown_critical;
      extension.is_critical = false; add_to_leaf(world, extension);)
FAULT(leaf_extension_twice, struct x509_extra_extension extension = unknown_critical;
      extension.is_critical = false; add_to_leaf(world, extension);
      add_extension(&world->leaf, extension);)
FAULT(pck_extension_twice,
      add_to_leaf(world, (struct x509_extra_extension){
                             .oid = pck_extension_oid,
                             .value = bytes_of(world->pck_extension, world->pck_extension_size) });)
FAULT(leaf_signs_certificates, world->leaf.key_usage = "\x02\x04";)
FAULT(leaf_is_ca, world->leaf.constraints = FIXTURE_CA;)
FAULT(leaf_without_usage, world->leaf.key_usage = NULL;)
FAULT(ca_signs_data_only, world->ca.key_usage = "\x06\xc0";)
FAULT(ca_is_none, world->ca.constraints = FIXTURE_NOT_CA;)
FAULT(ca_without_constraints, world->ca.constraints = FIXTURE_NO_CONSTRAINTS;)
FAULT(root_path_too_short, world->root.constraints = FIXTURE_CA_OF_LEAVES;)
FAULT(root_may_not_sign, world->root.key_usage = "\x06\xc0";)
FAULT(leaf_other_name, world->leaf.subject = "Intel SGX PCK Certificat";)
FAULT(leaf_longer_name, world->leaf.subject = "Intel SGX PCK Certificate 2";)
FAULT(ca_other_name, world->ca.subject = "Intel SGX PCK CA"; world->leaf.issuer = world->ca.subject;
      world->pck_crl.issuer = world->ca.subject;)
FAULT(leaf_of_other_issuer, world->leaf.issuer = "Intel SGX PCK Processor CA";)
FAULT(ca_of_other_issuer, world->ca.issuer = "Intel SGX Root CB";)
FAULT(processor_ca, world->ca.subject = "Intel SGX PCK Processor CA";
      world->leaf.issuer = world->ca.subject; world->pck_crl.issuer = world->ca.subject;)
FAULT(leaf_by_stranger, world->leaf_issuer_key = world->stranger_key;)
FAULT(leaf_by_root, world->leaf_issuer_key = world->root_key;)
FAULT(ca_by_stranger, world->ca_issuer_key = world->stranger_key;)
FAULT(leaf_negative_serial, world->leaf.serial = BYTES_LITERAL("\x80");)
FAULT(leaf_padded_serial, world->leaf.serial = BYTES_LITERAL("\x00\x01");)
FAULT(leaf_huge_serial,
      world->leaf.serial = BYTES_LITERAL("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d"
                                         "\x0e\x0f\x10\x11\x12\x13\x14\x15");)
FAULT(leaf_expired, world->leaf.not_after_s = WORLD_NOW_S - 1;)
FAULT(leaf_last_second, world->leaf.not_after_s = WORLD_NOW_S;)
FAULT(leaf_first_second, world->leaf.not_before_s = WORLD_NOW_S;)
FAULT(leaf_not_yet, world->leaf.not_before_s = WORLD_NOW_S + 1;)
FAULT(leaf_dates_crossed, world->leaf.not_before_s = WORLD_NOW_S + 1;
      world->leaf.not_after_s = WORLD_NOW_S - 1;)
FAULT(leaf_until_9999, world->leaf.not_after_s = INT64_C(253402300799);)
FAULT(leaf_from_1970, world->leaf.not_before_s = 0;)
FAULT(ca_expired, world->ca.not_after_s = WORLD_NOW_S - 1;)
FAULT(root_expired, world->root.not_after_s = WORLD_NOW_S - 1;)
FAULT(leaf_extension_cut, world->pck_extension_size--;)
FAULT(leaf_extension_of_nothing, memcpy(world->pck_extension, "\x30\x00", 2);
      world->pck_extension_size = 2;)

static void judges_certificates(void)
{
    static const struct fault faults[] = {
        ROW(nothing, NONE),
        ROW(leaf_unknown_critical, PCK_CHAIN_INVALID),
        ROW(ca_unknown_critical, PCK_CHAIN_INVALID),
        ROW(leaf_unknown_harmless, NONE),
        ROW(leaf_extension_twice, PCK_CHAIN_INVALID),
        ROW(pck_extension_twice, PCK_CHAIN_INVALID),
        ROW(leaf_signs_certificates, PCK_CHAIN_INVALID),
        ROW(leaf_is_ca, PCK_CHAIN_INVALID),
        ROW(leaf_without_usage, NONE),
        ROW(ca_signs_data_only, PCK_CHAIN_INVALID),
        ROW(ca_is_none, PCK_CHAIN_INVALID),
        ROW(ca_without_constraints, PCK_CHAIN_INVALID),
        ROW(root_path_too_short, PCK_CHAIN_INVALID),
        ROW(root_may_not_sign, PCK_CHAIN_INVALID),
        ROW(leaf_other_name, PCK_CHAIN_INVALID),
        ROW(leaf_longer_name, PCK_CHAIN_INVALID),
        ROW(ca_other_name, PCK_CHAIN_INVALID),
        ROW(leaf_of_other_issuer, PCK_CHAIN_INVALID),
        ROW(ca_of_other_issuer, PCK_CHAIN_INVALID),
        ROW(processor_ca, NONE),
        ROW(leaf_by_stranger, PCK_CHAIN_INVALID),
        ROW(leaf_by_root, PCK_CHAIN_INVALID),
        ROW(ca_by_stranger, PCK_CHAIN_INVALID),
        ROW(leaf_negative_serial, PCK_CHAIN_INVALID),
        ROW(leaf_padded_serial, PCK_CHAIN_INVALID),
        ROW(leaf_huge_serial, PCK_CHAIN_INVALID),
        ROW(leaf_expired, PCK_CHAIN_EXPIRED),
        ROW(leaf_last_second, NONE),
        ROW(leaf_first_second, NONE),
        ROW(leaf_not_yet, PCK_CHAIN_NOT_YET_VALID),
        ROW(leaf_dates_crossed, PCK_CHAIN_NOT_YET_VALID),
        ROW(leaf_until_9999, NONE),
        ROW(leaf_from_1970, NONE),
        ROW(ca_expired, PCK_CHAIN_EXPIRED),
        ROW(root_expired, PCK_CHAIN_EXPIRED),
        ROW(leaf_extension_cut, PCK_EXTENSION_MISSING),
        ROW(leaf_extension_of_nothing, PCK_EXTENSION_MISSING),
    };
    try_faults(faults, ARRAY_COUNT(faults));
}

static void revoke(struct test_world *world, struct fixture_crl *crl, struct bytes serial)
{
    world->serials[0] = BYTES_LITERAL("\x7f\x01");
    world->serials[1] = serial;
    crl->serials = world->serials;
    crl->serial_count = 2;
}

FAULT(root_list_by_stranger, world->root_crl_key = world->stranger_key;)
FAULT(root_list_by_ca, world->root_crl_key = world->ca_key;)
FAULT(root_list_of_other_issuer, world->root_crl.issuer = "Intel SGX PCK Platform CA";)
FAULT(root_list_expired, world->root_crl.next_update_s = WORLD_NOW_S - 1;)
FAULT(root_list_last_second, world->root_crl.next_update_s = WORLD_NOW_S;)
FAULT(root_list_not_yet, world->root_crl.this_update_s = WORLD_NOW_S + 1;)
FAULT(root_list_endless, world->root_crl.next_update_s = 0;)
FAULT(root_list_version_1, world->root_crl.is_v1 = true;)
FAULT(root_list_unknown_critical, world->root_crl.extensions[0] = unknown_critical;
      world->root_crl.extension_count = 1;)
FAULT(root_list_has_ca, revoke(world, &world->root_crl, world->ca.serial);)
FAULT(root_list_has_tcb_signing, revoke(world, &world->root_crl, world->tcb.serial);)
FAULT(root_list_has_leaf, revoke(world, &world->root_crl, world->leaf.serial);)
FAULT(root_list_negative_serial, revoke(world, &world->root_crl, BYTES_LITERAL("\x92"));)
FAULT(pck_list_by_stranger, world->pck_crl_key = world->stranger_key;)
FAULT(pck_list_by_root, world->pck_crl_key = world->root_key;)
FAULT(pck_list_of_processor_ca, world->pck_crl.issuer = "Intel SGX PCK Processor CA";)
FAULT(pck_list_of_root, world->pck_crl.issuer = "Intel SGX Root CA";
      world->pck_crl_key = world->root_key;)
FAULT(pck_list_expired, world->pck_crl.next_update_s = WORLD_NOW_S - 1;)
FAULT(pck_list_not_yet, world->pck_crl.this_update_s = WORLD_NOW_S + 1;)
FAULT(pck_list_endless, world->pck_crl.next_update_s = 0;)
FAULT(pck_list_has_leaf, revoke(world, &world->pck_crl, world->leaf.serial);)
FAULT(pck_list_has_ca, revoke(world, &world->pck_crl, world->ca.serial);)
FAULT(ca_may_not_sign_lists, world->ca.key_usage = "\x02\x04";)

static void judges_lists(void)
{
    static const struct fault faults[] = {
        ROW(root_list_by_stranger, PCK_CA_CRL_SIG_INVALID),
        ROW(root_list_by_ca, PCK_CA_CRL_SIG_INVALID),
        ROW(root_list_of_other_issuer, PCK_CA_CRL_WRONG_ISSUER),
        ROW(root_list_expired, PCK_CA_CRL_EXPIRED),
        ROW(root_list_last_second, NONE),
        ROW(root_list_not_yet, PCK_CA_CRL_NOT_YET_VALID),
        ROW(root_list_endless, PCK_CA_CRL_FORMAT),
        ROW(root_list_version_1, PCK_CA_CRL_FORMAT),
        ROW(root_list_unknown_critical, PCK_CA_CRL_FORMAT),
        ROW(root_list_has_ca, PCK_CA_REVOKED),
        ROW(root_list_has_tcb_signing, TCB_SIGNING_REVOKED),
        ROW(root_list_has_leaf, NONE),
        ROW(root_list_negative_serial, PCK_CA_CRL_FORMAT),
        ROW(pck_list_by_stranger, PCK_CRL_SIG_INVALID),
        ROW(pck_list_by_root, PCK_CRL_SIG_INVALID),
        ROW(pck_list_of_processor_ca, PCK_CRL_WRONG_ISSUER),
        ROW(pck_list_of_root, PCK_CRL_WRONG_ISSUER),
        ROW(pck_list_expired, PCK_CRL_EXPIRED),
        ROW(pck_list_not_yet, PCK_CRL_NOT_YET_VALID),
        ROW(pck_list_endless, PCK_CRL_FORMAT),
        ROW(pck_list_has_leaf, PCK_REVOKED),
        ROW(pck_list_has_ca, NONE),
        ROW(ca_may_not_sign_lists, PCK_CRL_WRONG_ISSUER),
    };
    try_faults(faults, ARRAY_COUNT(faults));
}

FAULT(signing_by_stranger, world->tcb_issuer_key = world->stranger_key;)
FAULT(signing_by_ca, world->tcb_issuer_key = world->ca_key;
      world->tcb.issuer = "Intel SGX PCK Platform CA";)
FAULT(signing_other_name, world->tcb.subject = "Intel SGX PCK Certificate";)
FAULT(signing_expired, world->tcb.not_after_s = WORLD_NOW_S - 1;)
FAULT(signing_not_yet, world->tcb.not_before_s = WORLD_NOW_S + 1;)
FAULT(signing_is_ca, world->tcb.constraints = FIXTURE_CA;)
FAULT(signing_may_not_sign, world->tcb.key_usage = "\x02\x04";)
FAULT(signing_unknown_critical, add_extension(&world->tcb, unknown_critical);)
FAULT(signing_negative_serial, world->tcb.serial = BYTES_LITERAL("\xff");)
FAULT(info_by_stranger, world->tcb_info.signer = world->stranger_key;)
FAULT(info_by_leaf, world->tcb_info.signer = world->leaf_key;)
FAULT(identity_by_stranger, world->qe_identity.signer = world->stranger_key;)

static void judges_signers_of_documents(void)
{
    static const struct fault faults[] = {
        ROW(signing_by_stranger, TCB_CHAIN_INVALID),
        ROW(signing_by_ca, TCB_CHAIN_INVALID),
        ROW(signing_other_name, TCB_CHAIN_INVALID),
        ROW(signing_expired, TCB_CHAIN_EXPIRED),
        ROW(signing_not_yet, TCB_CHAIN_NOT_YET_VALID),
        ROW(signing_is_ca, TCB_CHAIN_INVALID),
        ROW(signing_may_not_sign, TCB_CHAIN_INVALID),
        ROW(signing_unknown_critical, TCB_CHAIN_INVALID),
        ROW(signing_negative_serial, TCB_CHAIN_INVALID),
        ROW(info_by_stranger, TCB_INFO_SIG_INVALID),
        ROW(info_by_leaf, TCB_INFO_SIG_INVALID),
        ROW(identity_by_stranger, QE_IDENTITY_SIG_INVALID),
    };
    try_faults(faults, ARRAY_COUNT(faults));
}

/* Changes of a document that its signer made, and what follows. */
struct change {
    const char *what;
    const char *with;
    enum attest_reason reason;
};

static void try_changes(const struct change *changes, size_t count, bool is_identity)
{
    static struct test_world worlds[1];
    struct test_world *world = &worlds[0];
    struct attest_verdict verdict;
    for (size_t i = 0; i < count; i++) {
        world_init(world);
        world_replace(is_identity ? &world->qe_identity : &world->tcb_info, changes[i].what,
                      changes[i].with);
        world_build(world);
        enum attest_reason reason = judge(world, &verdict);
        CHECK_NOTE(reason == changes[i].reason, "%s -> %s: %s", changes[i].what, changes[i].with,
                   attest_reason_name(reason));
        world_done(world);
    }
}

#define ENTRY(what, with, code)                                                                    \
    {                                                                                              \
        what, with, ATTEST_REASON_##code                                                           \
    }

static void judges_tcb_info(void)
{
    static const struct change changes[] = {
        ENTRY("\"TDX\"", "\"SGX\"", TCB_INFO_TEE_MISMATCH),
        ENTRY("\"TDX\"", "\"tdx\"", TCB_INFO_FORMAT),
        ENTRY("\"TDX\"", "7", TCB_INFO_FORMAT),
        ENTRY("\"id\":\"TDX\",", "", TCB_INFO_FORMAT),
        ENTRY("\"version\":3", "\"version\":4", TCB_INFO_FORMAT),
        ENTRY("\"version\":3", "\"version\":2", TCB_INFO_FORMAT),
        ENTRY("\"version\":3", "\"version\":\"3\"", TCB_INFO_FORMAT),
        ENTRY("\"version\":3", "\"version\":3.0", TCB_INFO_FORMAT),
        ENTRY("\"version\":3", "\"version\":3,\"version\":3", TCB_INFO_FORMAT),
        ENTRY("\"version\":3", "\"version\":3,\"vers\\u0069on\":3", TCB_INFO_FORMAT),
        ENTRY("\"version\":3", "\"version\":3,\"new\":[{\"a\":null}]", NONE),
        ENTRY("\"version\":3",
              "\"version\":3,\"new\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]"
              "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
              TCB_INFO_FORMAT),
        ENTRY("2026-05-01T00:00:00Z", "2026-06-30T00:00:00Z", TCB_INFO_NOT_YET_VALID),
        ENTRY("2026-07-01T00:00:00Z", "2026-05-02T00:00:00Z", TCB_INFO_EXPIRED),
        ENTRY("2026-05-01T00:00:00Z", "2026-02-30T00:00:00Z", TCB_INFO_FORMAT),
        ENTRY("2026-07-01T00:00:00Z", "99999-01-01T00:00:00Z", TCB_INFO_FORMAT),
        ENTRY("2026-07-01T00:00:00Z", "9999-12-31T23:59:59Z", NONE),
        ENTRY("\"2026-07-01T00:00:00Z\"", "1782864000", TCB_INFO_FORMAT),
        ENTRY("0A0B0c0d0e0f", "0A0B0c0d0e0e", FMSPC_MISMATCH),
        ENTRY("0A0B0c0d0e0f", "0A0B0c0d0e", TCB_INFO_FORMAT),
        ENTRY("0A0B0c0d0e0f", "0A0B0c0d0e0f00", TCB_INFO_FORMAT),
        ENTRY("0A0B0c0d0e0f", "0A0B0c0d0e0g", TCB_INFO_FORMAT),
        ENTRY("\"pceId\":\"0000\"", "\"pceId\":\"0001\"", FMSPC_MISMATCH),
        ENTRY("\"tcbType\":0", "\"tcbType\":1", TCB_INFO_FORMAT),
        ENTRY("\"tcbType\":0,", "", TCB_INFO_FORMAT),
        ENTRY("Number\":20", "Number\":4294967295", NONE),
        ENTRY("Number\":20", "Number\":4294967296", TCB_INFO_FORMAT),
        ENTRY("Number\":20", "Number\":-1", TCB_INFO_FORMAT),
        ENTRY("\"tdxModule\":{", "\"other\":{", TCB_INFO_FORMAT),
        ENTRY("TDX_01", "TDX_02", TDX_MODULE_MISMATCH),
        ENTRY("\"attributesMask\":\"FFFFFFFFFFFFFFFF\"},", "\"attributesMask\":\"FF\"},",
              TCB_INFO_FORMAT),
        ENTRY("{\"tcb\":{\"isvsvn\":5}", "{\"tcb\":{\"isvsvn\":65536}", TCB_INFO_FORMAT),
        ENTRY("{\"tcb\":{\"isvsvn\":5}", "{\"tcb\":{}", TCB_INFO_FORMAT),
        ENTRY("{\"tcb\":{\"isvsvn\":5},\"tcbDate\":\"2026-01-01T00:00:00Z\",\"tcbStatus\":"
              "\"UpToDate\"",
              "{\"tcb\":{\"isvsvn\":5},\"tcbDate\":\"2026-01-01T00:00:00Z\",\"tcbStatus\":"
              "\"Revoked\"",
              TCB_REVOKED),
        ENTRY("\"pcesvn\":11", "\"pcesvn\":12", NONE),
        ENTRY("\"pcesvn\":11,", "", TCB_INFO_FORMAT),
        ENTRY("{\"svn\":7}", "{\"svn\":256}", TCB_INFO_FORMAT),
        ENTRY("{\"svn\":7}", "{\"svn\":-1}", TCB_INFO_FORMAT),
        ENTRY("{\"svn\":7}", "{\"svn\":18446744073709551623}", TCB_INFO_FORMAT),
        ENTRY("{\"svn\":7}", "{\"svn\":7},{\"svn\":7}", TCB_INFO_FORMAT),
        ENTRY("{\"svn\":7},", "", TCB_INFO_FORMAT),
        ENTRY("{\"svn\":7}", "{}", TCB_INFO_FORMAT),
        ENTRY("{\"svn\":7}", "7", TCB_INFO_FORMAT),
        ENTRY("\"tdxtcbcomponents\"", "\"other\"", TCB_INFO_FORMAT),
        ENTRY("\"tcbStatus\":\"OutOfDate\",\"advisoryIDs\":[\"INTEL-SA-00001\"",
              "\"tcbStatus\":\"Fine\",\"advisoryIDs\":[\"INTEL-SA-00001\"", TCB_INFO_FORMAT),
        ENTRY("\"tcbStatus\":\"OutOfDate\",\"advisoryIDs\":[\"INTEL-SA-00001\"",
              "\"tcbStatus\":\"TDRelaunchAdvised\",\"advisoryIDs\":[\"INTEL-SA-00001\"",
              TCB_INFO_FORMAT),
        ENTRY("\"INTEL-SA-00001\"", "1", TCB_INFO_FORMAT),
        ENTRY("\"INTEL-SA-00001\"", "\"INTEL\\u002dSA\"", TCB_INFO_FORMAT),
        ENTRY("\"INTEL-SA-00001\"", "\"a <script>\"", TCB_INFO_FORMAT),
        ENTRY("\"tcbLevels\":[{\"tcb\":{\"sgx", "\"tcbLevels\":[],\"old\":[{\"tcb\":{\"sgx",
              TCB_INFO_FORMAT),
    };
    try_changes(changes, ARRAY_COUNT(changes), false);
}

static void judges_qe_identity(void)
{
    static const struct change changes[] = {
        ENTRY("TD_QE", "QE", QE_IDENTITY_MISMATCH),
        ENTRY("TD_QE", "QVE", QE_IDENTITY_MISMATCH),
        ENTRY("\"version\":2", "\"version\":1", QE_IDENTITY_FORMAT),
        ENTRY("\"version\":2", "\"version\":3", QE_IDENTITY_FORMAT),
        ENTRY("\"version\":2", "\"version\":2,\"version\":2", QE_IDENTITY_FORMAT),
        ENTRY("2026-05-01T00:00:00Z", "2026-06-30T00:00:00Z", QE_IDENTITY_NOT_YET_VALID),
        ENTRY("2026-07-01T00:00:00Z", "2026-05-02T00:00:00Z", QE_IDENTITY_EXPIRED),
        ENTRY("\"miscselect\":\"00000000\"", "\"miscselect\":\"00000001\"", QE_IDENTITY_MISMATCH),
        ENTRY("\"miscselect\":\"00000000\"", "\"miscselect\":0", QE_IDENTITY_FORMAT),
        ENTRY("1100000000", "1500000000", QE_IDENTITY_MISMATCH),
        ENTRY("FBFF", "FFFF", QE_IDENTITY_MISMATCH),
        ENTRY("5151", "5150", QE_IDENTITY_MISMATCH),
        ENTRY("\"isvprodid\":2", "\"isvprodid\":1", QE_IDENTITY_MISMATCH),
        ENTRY("\"isvprodid\":2,", "", QE_IDENTITY_FORMAT),
        ENTRY("\"isvsvn\":6}", "\"isvsvn\":7}", NONE),
        ENTRY("{\"tcb\":{\"isvsvn\":6},\"tcbDate\":\"2026-01-01T00:00:00Z\",\"tcbStatus\":"
              "\"UpToDate\"},",
              "", NONE),
        ENTRY("\"tcbStatus\":\"UpToDate\"", "\"tcbStatus\":\"Revoked\"", TCB_REVOKED),
        ENTRY("\"tcbLevels\":[", "\"tcbLevels\":[],\"x\":[", QE_IDENTITY_FORMAT),
        ENTRY("\"tcbLevels\":[", "\"tcbLevels\":[7,", QE_IDENTITY_FORMAT),
        ENTRY("\"tcbEvaluationDataNumber\":20", "\"tcbEvaluationDataNumber\":20,\"more\":{}", NONE),
    };
    try_changes(changes, ARRAY_COUNT(changes), true);
}

FAULT(info_trailing_text, world->tcb_info.suffix = "x";)
FAULT(info_trailing_value, world->tcb_info.suffix = "{}";)
FAULT(info_trailing_space, world->tcb_info.suffix = " \r\n\t";)
FAULT(info_unsigned_member, world->tcb_info.extra = "\"tcbLevels\":[],";)
FAULT(info_second_body, world->tcb_info.extra = "\"tcbInfo\":{},";)
FAULT(info_is_identity, world->tcb_info.name = "enclaveIdentity";)
FAULT(identity_trailing_text, world->qe_identity.suffix = "]";)
FAULT(qe_below_levels, world->qe.isv_svn = 3;)
FAULT(qe_debug, world->qe.attributes[0] |= 2;)
FAULT(qe_misc_select, world->qe.misc_select = 1;)
FAULT(module_attributes, world->td.seam_attributes[7] = 1;)
FAULT(module_signer, world->td.mr_signer_seam[47] = 1;)
FAULT(module_below_levels, world->td.tee_tcb_svn[0] = 2;)
FAULT(module_without_version, world->td.tee_tcb_svn[1] = 0;)
FAULT(platform_below_levels, world->td.tee_tcb_svn[15] = 2;)

static void judges_documents_and_platforms(void)
{
    static const struct fault faults[] = {
        ROW(info_trailing_text, TCB_INFO_FORMAT),
        ROW(info_trailing_value, TCB_INFO_FORMAT),
        ROW(info_trailing_space, NONE),
        ROW(info_unsigned_member, TCB_INFO_FORMAT),
        ROW(info_second_body, TCB_INFO_FORMAT),
        ROW(info_is_identity, TCB_INFO_FORMAT),
        ROW(identity_trailing_text, QE_IDENTITY_FORMAT),
        ROW(qe_below_levels, QE_TCB_NOT_SUPPORTED),
        ROW(qe_debug, QE_IDENTITY_MISMATCH),
        ROW(qe_misc_select, QE_IDENTITY_MISMATCH),
        ROW(module_attributes, TDX_MODULE_MISMATCH),
        ROW(module_signer, TDX_MODULE_MISMATCH),
        ROW(module_below_levels, TCB_NOT_SUPPORTED),
        ROW(module_without_version, TCB_NOT_SUPPORTED),
        ROW(platform_below_levels, TCB_NOT_SUPPORTED),
    };
    try_faults(faults, ARRAY_COUNT(faults));
}

/* A whole quote where the quoting enclave may put anything is just bytes. */
static void takes_no_quote_inside_a_quote_for_one(void)
{
    AUTO_WORLD struct test_world inner;
    AUTO_WORLD struct test_world outer;
    struct attest_verdict verdict;
    world_init(&inner);
    world_build(&inner);
    world_init(&outer);
    outer.td.mr_td[0] = 0x77;
    outer.auth_data = bytes_part(buffer_view(&inner.quote), 0, 4000);
    world_build(&outer);
    REQUIRE(judge(&outer, &verdict) == NONE);
    CHECK_NUMBER(verdict.claims.intel.td.mr_td[0], 0x77);
    /* Behind a quote it is trailing data. */
    buffer_append(&outer.quote, buffer_view(&inner.quote));
    CHECK(judge(&outer, &verdict) == ATTEST_REASON_FORMAT);
}

/* Each piece left out is a step left out, and never "UpToDate". */
static void knows_no_status_without_all_collateral(void)
{
    AUTO_WORLD struct test_world world;
    struct attest_verdict verdict;
    world_init(&world);
    world_build(&world);
    REQUIRE(judge(&world, &verdict) == NONE);
    CHECK_NUMBER(verdict.claims.intel.tcb_status, INTEL_TCB_UP_TO_DATE);
    CHECK_NUMBER(verdict.claims.intel.tcb_evaluation_data_number, 20);
    CHECK(verdict.claims.intel.collateral_expires_s == WORLD_NOW_S + WORLD_DAY_S);
    struct bytes *pieces[] = { &world.options.collateral.tcb_info,
                               &world.options.collateral.qe_identity,
                               &world.options.collateral.pck_crl,
                               &world.options.collateral.root_crl };
    for (size_t i = 0; i < ARRAY_COUNT(pieces); i++) {
        struct bytes kept = *pieces[i];
        size_t left_out = 0;
        *pieces[i] = (struct bytes){ 0 };
        CHECK(judge(&world, &verdict) == NONE);
        CHECK_NUMBER(verdict.claims.intel.tcb_status, INTEL_TCB_UNKNOWN);
        for (size_t step = 0; step < verdict.step_count; step++)
            left_out += verdict.steps[step].state == ATTEST_STEP_LEFT_OUT;
        CHECK_NOTE(left_out > 0, "%zu", i);
        *pieces[i] = kept;
    }
    world.options.collateral.tcb_chain = (struct bytes){ 0 };
    CHECK(judge(&world, &verdict) == ATTEST_REASON_TCB_CHAIN_INVALID);
}

static void refuses_collateral_that_is_none(void)
{
    static const struct bytes texts[] = {
        { (const uint8_t *)"x", 1 },        { (const uint8_t *)"{}", 2 },
        { (const uint8_t *)"[]", 2 },       { (const uint8_t *)"\x30\x00", 2 },
        { (const uint8_t *)"\x00", 1 },     { (const uint8_t *)"\x30\x84\xff\xff\xff\xff", 6 },
        { (const uint8_t *)"\xff\xff", 2 },
    };
    static const enum attest_reason reasons[] = { ATTEST_REASON_TCB_INFO_FORMAT,
                                                  ATTEST_REASON_QE_IDENTITY_FORMAT,
                                                  ATTEST_REASON_PCK_CRL_FORMAT,
                                                  ATTEST_REASON_PCK_CA_CRL_FORMAT,
                                                  ATTEST_REASON_TCB_CHAIN_INVALID };
    AUTO_WORLD struct test_world world;
    struct attest_verdict verdict;
    world_init(&world);
    world_build(&world);
    struct bytes *pieces[] = { &world.options.collateral.tcb_info,
                               &world.options.collateral.qe_identity,
                               &world.options.collateral.pck_crl,
                               &world.options.collateral.root_crl,
                               &world.options.collateral.tcb_chain };
    for (size_t i = 0; i < ARRAY_COUNT(pieces); i++) {
        struct bytes kept = *pieces[i];
        for (size_t text = 0; text < ARRAY_COUNT(texts); text++) {
            *pieces[i] = texts[text];
            enum attest_reason reason = judge(&world, &verdict);
            CHECK_NOTE(reason == reasons[i], "%zu %zu: %s", i, text, attest_reason_name(reason));
        }
        *pieces[i] = kept;
    }
}

static void takes_lists_in_pem(void)
{
    AUTO_WORLD struct test_world world;
    struct buffer pems[2];
    struct attest_verdict verdict;
    world_init(&world);
    world_build(&world);
    for (size_t i = 0; i < 2; i++) {
        buffer_init(&pems[i], 1 << 16);
        pem_append(&pems[i], "X509 CRL", buffer_view(&world.lists[i]));
    }
    world.options.collateral.root_crl = buffer_view(&pems[0]);
    world.options.collateral.pck_crl = buffer_view(&pems[1]);
    CHECK(judge(&world, &verdict) == NONE);
    CHECK_NUMBER(verdict.claims.intel.tcb_status, INTEL_TCB_UP_TO_DATE);
    world.options.collateral.pck_crl = buffer_view(&pems[0]);
    CHECK(judge(&world, &verdict) == ATTEST_REASON_PCK_CRL_WRONG_ISSUER);
    buffer_append_string(&pems[0], "x");
    world.options.collateral.root_crl = buffer_view(&pems[0]);
    CHECK(judge(&world, &verdict) == ATTEST_REASON_PCK_CA_CRL_FORMAT);
    buffer_done(&pems[0]);
    buffer_done(&pems[1]);
}

/* Leaf and root, as Intel sends it: not the leaf alone, and nothing more. */
static void takes_the_whole_signing_chain_only(void)
{
    AUTO_WORLD struct test_world world;
    struct attest_verdict verdict;
    world_init(&world);
    world_build(&world);
    world.options.collateral.tcb_chain = buffer_view(&world.ders[3]);
    CHECK(judge(&world, &verdict) == ATTEST_REASON_TCB_CHAIN_INVALID);
    pem_append(&world.tcb_pem, "CERTIFICATE", buffer_view(&world.ders[0]));
    world.options.collateral.tcb_chain = buffer_view(&world.tcb_pem);
    CHECK(judge(&world, &verdict) == ATTEST_REASON_TCB_CHAIN_INVALID);
}

/* What the memo knows is arithmetic only: dates, lists and names are judged every time. */
static void judges_the_same_with_a_memo(void)
{
    static struct signature_memo memo;
    AUTO_WORLD struct test_world world;
    struct attest_verdict verdict;
    world_init(&world);
    world_build(&world);
    world.options.memo = &memo;
    for (int i = 0; i < 3; i++)
        CHECK(judge(&world, &verdict) == NONE);
    CHECK_NUMBER(memo.next, 7);
    world.options.now_s = WORLD_NOW_S + 2 * WORLD_DAY_S;
    CHECK(judge(&world, &verdict) == ATTEST_REASON_PCK_CA_CRL_EXPIRED);
    world.options.now_s = WORLD_NOW_S;
    world.tcb_info.signer = world.stranger_key;
    world_build(&world);
    CHECK(judge(&world, &verdict) == ATTEST_REASON_TCB_INFO_SIG_INVALID);
    world.tcb_info.signer = world.tcb_key;
    world_replace(&world.tcb_info, "UpToDate", "OutOfDate");
    world_build(&world);
    CHECK(judge(&world, &verdict) == NONE);
    CHECK_NUMBER(verdict.claims.intel.tcb_status, INTEL_TCB_OUT_OF_DATE);
    revoke(&world, &world.pck_crl, world.leaf.serial);
    world_build(&world);
    CHECK(judge(&world, &verdict) == ATTEST_REASON_PCK_REVOKED);
    world.pck_crl.serial_count = 0;
    world.ca_issuer_key = world.stranger_key;
    world_build(&world);
    CHECK(judge(&world, &verdict) == ATTEST_REASON_PCK_CHAIN_INVALID);
}

static const struct test tests[] = {
    TEST(judges_certificates),
    TEST(judges_lists),
    TEST(judges_signers_of_documents),
    TEST(judges_tcb_info),
    TEST(judges_qe_identity),
    TEST(judges_documents_and_platforms),
    TEST(takes_no_quote_inside_a_quote_for_one),
    TEST(knows_no_status_without_all_collateral),
    TEST(refuses_collateral_that_is_none),
    TEST(takes_lists_in_pem),
    TEST(takes_the_whole_signing_chain_only),
    TEST(judges_the_same_with_a_memo),
};
TEST_MAIN(tests)
