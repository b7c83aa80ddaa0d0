/* SPDX-License-Identifier: Apache-2.0 */
/* The claims that a policy can name. */
#include "attest/policy/policy.h"

#include <string.h>

#define TDX   (1u << ATTEST_TEE_TDX)
#define SGX   (1u << ATTEST_TEE_SGX)
#define SNP   (1u << ATTEST_TEE_SNP)
#define NITRO (1u << ATTEST_TEE_NITRO)

#define FIELD(name, tees, member)                                                                  \
    {                                                                                              \
        name, tees, sizeof(((struct attest_claims *)0)->member),                                   \
            offsetof(struct attest_claims, member), false                                          \
    }
#define PIN(name, tees, member)                                                                    \
    {                                                                                              \
        name, tees, sizeof(((struct attest_claims *)0)->member),                                   \
            offsetof(struct attest_claims, member), true                                           \
    }

/* SHA-384 values; what a document does not have counts as zeros. */
#define NITRO_PCR(index)                                                                           \
    {                                                                                              \
        "pcr" #index, NITRO, 48, offsetof(struct attest_claims, nitro.pcrs[index]), false          \
    }
#define TEXT_PIN(name, tees, member)                                                               \
    {                                                                                              \
        name, tees, 0, offsetof(struct attest_claims, member), true                                \
    }

static const struct policy_field_kind kinds[] = {
    FIELD("mrtd", TDX, intel.td.mr_td),
    FIELD("rtmr0", TDX, intel.td.rtmr[0]),
    FIELD("rtmr1", TDX, intel.td.rtmr[1]),
    FIELD("rtmr2", TDX, intel.td.rtmr[2]),
    FIELD("rtmr3", TDX, intel.td.rtmr[3]),
    FIELD("mrseam", TDX, intel.td.mr_seam),
    FIELD("mrsignerseam", TDX, intel.td.mr_signer_seam),
    FIELD("mrconfigid", TDX, intel.td.mr_config_id),
    FIELD("mrowner", TDX, intel.td.mr_owner),
    FIELD("mrownerconfig", TDX, intel.td.mr_owner_config),
    FIELD("mrservicetd", TDX, intel.td.mr_service_td),
    FIELD("xfam", TDX, intel.td.xfam),
    FIELD("td_attributes", TDX, intel.td.td_attributes),
    FIELD("mrenclave", SGX, intel.sgx.mr_enclave),
    FIELD("mrsigner", SGX, intel.sgx.mr_signer),
    FIELD("attributes", SGX, intel.sgx.attributes),
    FIELD("config_id", SGX, intel.sgx.config_id),
    FIELD("isv_family_id", SGX, intel.sgx.isv_family_id),
    FIELD("isv_ext_prod_id", SGX, intel.sgx.isv_ext_prod_id),
    /* clang-format off */
    NITRO_PCR(0), NITRO_PCR(1), NITRO_PCR(2), NITRO_PCR(3), NITRO_PCR(4), NITRO_PCR(5), NITRO_PCR(6), NITRO_PCR(7),
    NITRO_PCR(8), NITRO_PCR(9), NITRO_PCR(10), NITRO_PCR(11), NITRO_PCR(12), NITRO_PCR(13), NITRO_PCR(14), NITRO_PCR(15),
    NITRO_PCR(16), NITRO_PCR(17), NITRO_PCR(18), NITRO_PCR(19), NITRO_PCR(20), NITRO_PCR(21), NITRO_PCR(22), NITRO_PCR(23),
    NITRO_PCR(24), NITRO_PCR(25), NITRO_PCR(26), NITRO_PCR(27), NITRO_PCR(28), NITRO_PCR(29), NITRO_PCR(30), NITRO_PCR(31),
    /* clang-format on */
    FIELD("measurement", SNP, snp.report.measurement),
    FIELD("host_data", SNP, snp.report.host_data),
    FIELD("family_id", SNP, snp.report.family_id),
    FIELD("image_id", SNP, snp.report.image_id),
    FIELD("id_key_digest", SNP, snp.report.id_key_digest),
    FIELD("author_key_digest", SNP, snp.report.author_key_digest),
    PIN("chip_id", SNP, snp.report.chip_id),
    TEXT_PIN("module_id", NITRO, nitro.module_id),
    PIN("ppid", TDX | SGX, intel.pck.ppid),
    PIN("platform_instance_id", TDX | SGX, intel.pck.platform_instance_id),
};

const struct policy_field_kind *policy_field_find(const char *name, bool is_pin)
{
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
        if (kinds[i].is_pin == is_pin && strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

struct bytes policy_field_of(const struct policy_field_kind *kind,
                             const struct attest_claims *claims)
{
    const uint8_t *at = (const uint8_t *)claims + kind->offset;
    return kind->size == 0 ? bytes_of_string((const char *)at) : bytes_of(at, kind->size);
}
