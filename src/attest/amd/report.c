/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/amd/snp.h"

#include <string.h>

enum {
    NUMBER_SIZE = 72,
    SIGNATURE_REST_SIZE = 512 - 2 * NUMBER_SIZE,
    KEY_INFO_AUTHOR_KEY = 1 << 0,
    KEY_INFO_MASK_CHIP_KEY = 1 << 1,
    KEY_INFO_SIGNING_KEY_SHIFT = 2,
    POLICY_BIT_COUNT = 26,
    KEY_INFO_BIT_COUNT = 5
};

bool snp_read_number(struct reader *reader, uint8_t *number)
{
    struct bytes little = read_bytes(reader, NUMBER_SIZE);
    memset(number, 0, ECDSA384_NUMBER_SIZE);
    if (little.size == 0)
        return false;
    for (size_t i = 0; i < ECDSA384_NUMBER_SIZE; i++)
        number[i] = little.data[ECDSA384_NUMBER_SIZE - 1 - i];
    uint8_t beyond = 0;
    for (size_t i = ECDSA384_NUMBER_SIZE; i < NUMBER_SIZE; i++)
        beyond |= little.data[i];
    return beyond == 0;
}

/* Reads what this layout has no field for. */
static bool read_zeros(struct reader *reader, size_t size)
{
    struct bytes zeros = read_bytes(reader, size);
    uint8_t any = 0;
    for (size_t i = 0; i < zeros.size; i++)
        any |= zeros.data[i];
    return any == 0;
}

static struct snp_firmware read_firmware(struct reader *reader)
{
    struct snp_firmware firmware;
    firmware.build = read_u8(reader);
    firmware.minor = read_u8(reader);
    firmware.major = read_u8(reader);
    return firmware;
}

static void read_signature(struct snp_report *report, struct reader *reader)
{
    bool is_r_sound = snp_read_number(reader, report->signature.bytes);
    bool is_s_sound = snp_read_number(reader, report->signature.bytes + ECDSA384_NUMBER_SIZE);
    report->is_signature_sound =
        read_zeros(reader, SIGNATURE_REST_SIZE) && is_r_sound && is_s_sound;
}

static void read_first_half(struct snp_report *report, struct reader *reader)
{
    report->version = read_u32_le(reader);
    report->guest_svn = read_u32_le(reader);
    report->policy = read_u64_le(reader);
    read_into(reader, report->family_id, sizeof(report->family_id));
    read_into(reader, report->image_id, sizeof(report->image_id));
    report->vmpl = read_u32_le(reader);
    report->signature_algorithm = read_u32_le(reader);
    read_into(reader, report->current_tcb, sizeof(report->current_tcb));
    report->platform_info = read_u64_le(reader);
    report->key_info = read_u32_le(reader);
    report->has_unknown = !read_zeros(reader, 4);
    read_into(reader, report->report_data, sizeof(report->report_data));
    read_into(reader, report->measurement, sizeof(report->measurement));
    read_into(reader, report->host_data, sizeof(report->host_data));
    read_into(reader, report->id_key_digest, sizeof(report->id_key_digest));
    read_into(reader, report->author_key_digest, sizeof(report->author_key_digest));
    read_into(reader, report->report_id, sizeof(report->report_id));
    read_into(reader, report->report_id_ma, sizeof(report->report_id_ma));
    read_into(reader, report->reported_tcb, sizeof(report->reported_tcb));
}

static void read_second_half(struct snp_report *report, struct reader *reader)
{
    report->cpuid_family = read_u8(reader);
    report->cpuid_model = read_u8(reader);
    report->cpuid_stepping = read_u8(reader);
    bool is_known = read_zeros(reader, 21);
    read_into(reader, report->chip_id, sizeof(report->chip_id));
    read_into(reader, report->committed_tcb, sizeof(report->committed_tcb));
    report->current = read_firmware(reader);
    is_known = read_zeros(reader, 1) && is_known;
    report->committed = read_firmware(reader);
    is_known = read_zeros(reader, 1) && is_known;
    read_into(reader, report->launch_tcb, sizeof(report->launch_tcb));
    report->launch_mit_vector = read_u64_le(reader);
    report->current_mit_vector = read_u64_le(reader);
    is_known = read_zeros(reader, 152) && is_known;
    report->has_unknown = report->has_unknown || !is_known;
}

/* Fields that came with later versions, and bits that no version gives a meaning.  Unknown bits of
 * PLATFORM_INFO occur on real machines. */
static bool has_unknown_values(const struct snp_report *report)
{
    bool has_cpuid =
        report->cpuid_family != 0 || report->cpuid_model != 0 || report->cpuid_stepping != 0;
    bool has_vectors = report->launch_mit_vector != 0 || report->current_mit_vector != 0;
    return (report->version < 3 && has_cpuid) || (report->version < 5 && has_vectors) ||
           report->policy >> POLICY_BIT_COUNT != 0 || report->key_info >> KEY_INFO_BIT_COUNT != 0;
}

bool snp_report_read(struct snp_report *report, struct bytes evidence)
{
    struct reader reader = reader_of(bytes_part(evidence, 0, SNP_REPORT_SIZE));
    struct snp_report read = { .signed_part = bytes_part(evidence, 0, SNP_SIGNED_SIZE) };
    read_first_half(&read, &reader);
    read_second_half(&read, &reader);
    ASSERT(reader.failed || reader_offset(&reader) == SNP_SIGNED_SIZE);
    read_signature(&read, &reader);
    if (!read_end(&reader))
        return false;
    read.has_unknown = read.has_unknown || has_unknown_values(&read);
    *report = read;
    return true;
}

enum snp_signing_key snp_report_signing_key(const struct snp_report *report)
{
    unsigned key = report->key_info >> KEY_INFO_SIGNING_KEY_SHIFT & 7;
    return key == SNP_SIGNING_KEY_VCEK   ? SNP_SIGNING_KEY_VCEK
           : key == SNP_SIGNING_KEY_VLEK ? SNP_SIGNING_KEY_VLEK
                                         : SNP_SIGNING_KEY_NONE;
}

bool snp_report_is_author_key_enabled(const struct snp_report *report)
{
    return (report->key_info & KEY_INFO_AUTHOR_KEY) != 0;
}

bool snp_report_is_chip_key_masked(const struct snp_report *report)
{
    return (report->key_info & KEY_INFO_MASK_CHIP_KEY) != 0;
}

enum snp_product snp_report_product(const struct snp_report *report)
{
    uint8_t model = report->cpuid_model;
    if (report->version < 3)
        return SNP_PRODUCT_NONE;
    if (report->cpuid_family == 0x19 && model <= 0x0f)
        return SNP_PRODUCT_MILAN;
    if (report->cpuid_family == 0x19 && (model >> 4 == 0x1 || model >> 4 == 0xa))
        return SNP_PRODUCT_GENOA;
    if (report->cpuid_family == 0x1a && model <= 0x11)
        return SNP_PRODUCT_TURIN;
    return SNP_PRODUCT_NONE;
}

static const struct {
    const char *name;
    const char *certified_name;
} products[] = {
    [SNP_PRODUCT_NONE] = { "none", "" },
    [SNP_PRODUCT_MILAN] = { "milan", "Milan" },
    [SNP_PRODUCT_GENOA] = { "genoa", "Genoa" },
    [SNP_PRODUCT_TURIN] = { "turin", "Turin" },
};

const char *snp_product_name(enum snp_product product)
{
    return products[product].name;
}

enum snp_product snp_product_find(struct bytes name)
{
    struct bytes line = bytes_part(name, 0, bytes_find(name, '-'));
    for (size_t i = SNP_PRODUCT_MILAN; i < ARRAY_COUNT(products); i++)
        if (bytes_equal_string(line, products[i].certified_name))
            return (enum snp_product)i;
    return SNP_PRODUCT_NONE;
}

struct snp_tcb snp_tcb_of(const uint8_t *raw, enum snp_product product)
{
    struct snp_tcb tcb = { .microcode = raw[7] };
    memcpy(tcb.raw, raw, sizeof(tcb.raw));
    if (product == SNP_PRODUCT_TURIN) {
        tcb.fmc = raw[0];
        tcb.boot_loader = raw[1];
        tcb.tee = raw[2];
        tcb.snp = raw[3];
    } else {
        tcb.boot_loader = raw[0];
        tcb.tee = raw[1];
        tcb.snp = raw[6];
    }
    return tcb;
}

bool snp_tcb_at_most(const struct snp_tcb *a, const struct snp_tcb *b)
{
    return a->fmc <= b->fmc && a->boot_loader <= b->boot_loader && a->tee <= b->tee &&
           a->snp <= b->snp && a->microcode <= b->microcode;
}
