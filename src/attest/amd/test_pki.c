/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/amd/test_pki.h"

#include "core/writer.h"
#include "crypto/der.h"

#include <stdio.h>
#include <string.h>

/* OU=Engineering, C=US, L=Santa Clara, ST=CA, O=Advanced Micro Devices, as AMD's names begin. */
static const uint8_t name_parts[] = "\x31\x14\x30\x12\x06\x03\x55\x04\x0b\x0c\x0b"
                                    "Engineering"
                                    "\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02"
                                    "US"
                                    "\x31\x14\x30\x12\x06\x03\x55\x04\x07\x0c\x0b"
                                    "Santa Clara"
                                    "\x31\x0b\x30\x09\x06\x03\x55\x04\x08\x0c\x02"
                                    "CA"
                                    "\x31\x1f\x30\x1d\x06\x03\x55\x04\x0a\x0c\x16"
                                    "Advanced Micro Devices";

#define AMD_OID "\x2b\x06\x01\x04\x01\x9c\x78\x01"

enum {
    NAME_SIZE_MAX = 40,
    VALUE_SIZE_MAX = 80,
    CERTIFICATE_SIZE_MAX = 4096
};

static struct {
    struct fixture_key *root;
    struct fixture_key *intermediate;
    struct fixture_key *vek;
    struct fixture_key *p256;
    struct fixture_key *other;
} keys;

void snp_pki_init(void)
{
    keys.root = fixture_key_new(PUBLIC_KEY_RSA, 2048);
    keys.intermediate = fixture_key_new(PUBLIC_KEY_RSA, 2048);
    keys.other = fixture_key_new(PUBLIC_KEY_RSA, 2048);
    keys.vek = fixture_key_new(PUBLIC_KEY_P384, 0);
    keys.p256 = fixture_key_new(PUBLIC_KEY_P256, 0);
}

void snp_pki_done(void)
{
    fixture_key_free(keys.root);
    fixture_key_free(keys.intermediate);
    fixture_key_free(keys.other);
    fixture_key_free(keys.vek);
    fixture_key_free(keys.p256);
}

const struct fixture_key *snp_pki_root_key(void)
{
    return keys.root;
}

const struct fixture_key *snp_pki_vek_key(void)
{
    return keys.vek;
}

const struct fixture_key *snp_pki_other_key(void)
{
    return keys.other;
}

struct snp_plan snp_plan_of(const char *product, uint32_t version)
{
    bool is_turin = strcmp(product, "Turin") == 0;
    bool is_genoa = strcmp(product, "Genoa") == 0;
    return (struct snp_plan){
        .product = product,
        .version = version,
        .cpuid_family = version < 3 ? 0
                        : is_turin  ? 0x1a
                                    : 0x19,
        .cpuid_model = version < 3 ? 0
                       : is_turin  ? 0x02
                       : is_genoa  ? 0x11
                                   : 0x01,
        .components = { is_turin ? 1 : 0, 3, 2, 24, 0, 0, 0, 0, 219, is_turin ? 7 : 0 },
        .vek_product = product,
        .hwid_size = is_turin ? 8 : 64,
        .left_out = is_turin ? 0 : 1 << 9,
        .component_tag = DER_INTEGER,
        .vek_signing = FIXTURE_PSS,
        .intermediate_signing = FIXTURE_PSS,
        .intermediate_constraints = FIXTURE_CA_OF_LEAVES,
        .root_constraints = FIXTURE_CA,
        .intermediate_usage = "\x01\x04", /* as AMD writes it: keyCertSign */
        .root_usage = "\x01\x06",         /* and cRLSign */
    };
}

void snp_plan_patch(struct snp_plan *plan, size_t offset, uint8_t value)
{
    ASSERT(plan->patch_count < SNP_PATCH_COUNT_MAX);
    plan->patches[plan->patch_count++] = (struct snp_patch){ offset, value };
}

void snp_plan_patch_later(struct snp_plan *plan, size_t offset, uint8_t value)
{
    ASSERT(plan->later_count < SNP_PATCH_COUNT_MAX);
    plan->later[plan->later_count++] = (struct snp_patch){ offset, value };
}

/* Extensions with the memory of their values. */
struct extensions {
    struct fixture_certificate *target;
    uint8_t oids[FIXTURE_EXTENSION_COUNT_MAX][12];
    uint8_t values[FIXTURE_EXTENSION_COUNT_MAX][VALUE_SIZE_MAX];
};

static void add(struct extensions *extensions, struct bytes suffix, uint8_t tag,
                struct bytes content)
{
    size_t index = extensions->target->extension_count++;
    ASSERT(index < FIXTURE_EXTENSION_COUNT_MAX);
    struct writer oid = writer_into(extensions->oids[index], sizeof(extensions->oids[index]));
    write_bytes(&oid, BYTES_LITERAL(AMD_OID));
    write_bytes(&oid, suffix);
    struct der_writer value =
        der_writer_into(extensions->values[index], sizeof(extensions->values[index]));
    if (tag == 0)
        der_write_raw(&value, content);
    else
        der_write(&value, tag, content);
    extensions->target->extensions[index] = (struct x509_extra_extension){
        .oid = writer_view(&oid),
        .value = der_writer_view(&value),
    };
}

/* A zero byte behind the value of the last one. */
static void add_tail(struct extensions *extensions)
{
    struct bytes *value =
        &extensions->target->extensions[extensions->target->extension_count - 1].value;
    ASSERT(value->size < VALUE_SIZE_MAX);
    value->size++;
}

static void add_unknown(struct fixture_certificate *content, bool is_critical)
{
    content->extensions[content->extension_count++] =
        (struct x509_extra_extension){ .oid = BYTES_LITERAL("\x2a\x03\x04"),
                                       .value = BYTES_LITERAL("\x05\x00"),
                                       .is_critical = is_critical };
}

static void fill_hwid(uint8_t *hwid, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hwid[i] = (uint8_t)(0x41 + i);
}

static void add_amd(struct extensions *extensions, const struct snp_plan *plan)
{
    uint8_t hwid[VALUE_SIZE_MAX];
    uint8_t structure = plan->components[0];
    fill_hwid(hwid, plan->hwid_size);
    uint8_t text_tag = plan->text_tag == 0 ? 0x16 : plan->text_tag;
    if ((plan->left_out & 1) == 0) {
        add(extensions, BYTES_LITERAL("\x01"), DER_INTEGER, bytes_of(&structure, 1));
        if ((plan->tailed & 1) != 0)
            add_tail(extensions);
    }
    if (!plan->is_product_left_out) {
        add(extensions, BYTES_LITERAL("\x02"), text_tag, bytes_of_string(plan->vek_product));
        if ((plan->tailed & SNP_TAIL_PRODUCT) != 0)
            add_tail(extensions);
    }
    for (unsigned i = 1; i < 10; i++) {
        uint8_t suffix[] = { 3, (uint8_t)i };
        uint8_t value[] = { 0, plan->components[i] };
        bool is_long = value[1] >= 0x80 && plan->component_tag == DER_INTEGER;
        if ((plan->left_out & 1 << i) != 0)
            continue;
        add(extensions, BYTES_OF(suffix), plan->component_tag,
            is_long ? BYTES_OF(value) : bytes_of(value + 1, 1));
        if ((plan->tailed & 1 << i) != 0)
            add_tail(extensions);
    }
    if (plan->is_vlek != plan->has_no_provider) {
        const char *provider = plan->provider == NULL ? "CN=cc-here.cloud.example" : plan->provider;
        add(extensions, BYTES_LITERAL("\x05"), text_tag, bytes_of_string(provider));
        if ((plan->tailed & SNP_TAIL_PROVIDER) != 0)
            add_tail(extensions);
    }
    if ((!plan->is_vlek || plan->has_hwid_too) && !plan->is_hwid_left_out) {
        add(extensions, BYTES_LITERAL("\x04"), plan->is_hwid_wrapped ? DER_OCTET_STRING : 0,
            bytes_of(hwid, plan->hwid_size));
        if ((plan->tailed & SNP_TAIL_HWID) != 0)
            add_tail(extensions);
    }
}

struct names {
    char root[NAME_SIZE_MAX];
    char intermediate[NAME_SIZE_MAX];
    char vek[NAME_SIZE_MAX];
};

static struct names names_of(const struct snp_plan *plan)
{
    struct names names;
    snprintf(names.root, sizeof(names.root), "ARK-%s", plan->product);
    snprintf(names.intermediate, sizeof(names.intermediate), "SEV-%s%s",
             plan->is_vlek ? "VLEK-" : "", plan->product);
    snprintf(names.vek, sizeof(names.vek), "%s", plan->is_vlek ? "SEV-VLEK" : "SEV-VCEK");
    if (plan->root_name != NULL)
        snprintf(names.root, sizeof(names.root), "%s", plan->root_name);
    if (plan->intermediate_name != NULL)
        snprintf(names.intermediate, sizeof(names.intermediate), "%s", plan->intermediate_name);
    if (plan->vek_name != NULL)
        snprintf(names.vek, sizeof(names.vek), "%s", plan->vek_name);
    return names;
}

static struct fixture_certificate content_of(const struct snp_plan *plan, enum snp_level level,
                                             const char *issuer, const char *subject)
{
    int64_t now_s = SNP_MADE_NOW_S;
    return (struct fixture_certificate){
        .issuer = issuer,
        .subject = subject,
        .name_parts =
            plan->has_place ? bytes_of(name_parts, sizeof(name_parts) - 1) : (struct bytes){ 0 },
        .not_before_s = plan->not_yet == level ? now_s + 1 : now_s - SNP_MADE_DAY_S,
        .not_after_s = plan->expired == level ? now_s - 1 : now_s + SNP_MADE_DAY_S,
    };
}

static void make_certificates(struct snp_made *made, const struct snp_plan *plan)
{
    struct names names = names_of(plan);
    const struct fixture_key *root = plan->is_root_p384 ? keys.vek : keys.root;
    const struct fixture_key *intermediate =
        plan->is_intermediate_p384 ? keys.vek : keys.intermediate;
    struct fixture_certificate content = content_of(plan, SNP_LEVEL_ROOT, names.root, names.root);
    content.constraints = plan->root_constraints;
    content.key_usage = plan->root_usage;
    add_unknown(&content, plan->critical == SNP_LEVEL_ROOT);
    fixture_certificate(&made->root_der, &content, root,
                        plan->other_key == SNP_LEVEL_ROOT ? keys.other : root,
                        plan->is_root_p384 ? FIXTURE_ECDSA : FIXTURE_PSS);

    content = content_of(plan, SNP_LEVEL_INTERMEDIATE, names.root, names.intermediate);
    content.constraints = plan->intermediate_constraints;
    content.key_usage = plan->intermediate_usage;
    add_unknown(&content, plan->critical == SNP_LEVEL_INTERMEDIATE);
    fixture_certificate(&made->intermediate_der, &content, intermediate,
                        plan->other_key == SNP_LEVEL_INTERMEDIATE ? keys.other : root,
                        plan->is_root_p384 ? FIXTURE_ECDSA : plan->intermediate_signing);

    struct extensions extensions = { .target = &content };
    content = content_of(plan, SNP_LEVEL_VEK,
                         plan->vek_issuer_name == NULL ? names.intermediate : plan->vek_issuer_name,
                         names.vek);
    content.serial = plan->is_serial_negative ? BYTES_LITERAL("\x80") : BYTES_LITERAL("\x00");
    content.constraints = plan->vek_constraints;
    /* AMD's own have nothing but AMD's extensions. */
    if (!plan->has_place || plan->critical == SNP_LEVEL_VEK)
        add_unknown(&content, plan->critical == SNP_LEVEL_VEK);
    add_amd(&extensions, plan);
    fixture_certificate(&made->vek_der, &content, plan->is_vek_p256 ? keys.p256 : keys.vek,
                        plan->other_key == SNP_LEVEL_VEK ? keys.other : intermediate,
                        plan->is_intermediate_p384 ? FIXTURE_ECDSA : plan->vek_signing);
}

static void write_tcb(struct writer *writer, const struct snp_plan *plan)
{
    const uint8_t *components = plan->components;
    bool is_turin = strcmp(plan->product, "Turin") == 0;
    const uint8_t turin[8] = { components[9], components[1], components[2], components[3], 0, 0, 0,
                               components[8] };
    const uint8_t others[8] = { components[1], components[2], 0, 0, 0, 0,
                                components[3], components[8] };
    write_bytes(writer, is_turin ? BYTES_OF(turin) : BYTES_OF(others));
}

static void write_filled(struct writer *writer, uint8_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        write_u8(writer, value);
}

static void make_report(uint8_t *report, const struct snp_plan *plan)
{
    uint8_t hwid[64] = { 0 };
    if (!plan->is_vlek)
        fill_hwid(hwid, plan->hwid_size);
    struct writer writer = writer_into(report, SNP_REPORT_SIZE);
    write_u32_le(&writer, plan->version);
    write_u32_le(&writer, 5);
    write_u64_le(&writer, 0x30000);
    write_filled(&writer, 0x11, 16); /* family, image */
    write_filled(&writer, 0x12, 16);
    write_u32_le(&writer, 0);
    write_u32_le(&writer, 1);
    write_tcb(&writer, plan);
    write_u64_le(&writer, 0x25);
    write_u32_le(&writer, plan->is_vlek ? 1 << 2 : 0);
    write_zeros(&writer, 4);
    write_filled(&writer, 0x13, 64); /* report data */
    write_filled(&writer, 0x14, 48); /* measurement */
    write_filled(&writer, 0x15, 32); /* host data */
    write_zeros(&writer, 96);
    write_filled(&writer, 0x16, 32); /* report id */
    write_filled(&writer, 0xff, 32);
    write_tcb(&writer, plan);
    write_u8(&writer, plan->cpuid_family);
    write_u8(&writer, plan->cpuid_model);
    write_u8(&writer, plan->version < 3 ? 0 : 1);
    write_zeros(&writer, 21);
    write_bytes(&writer, BYTES_OF(hwid));
    write_tcb(&writer, plan);
    write_bytes(&writer, BYTES_LITERAL("\x31\x37\x01\x00\x31\x37\x01\x00"));
    write_tcb(&writer, plan);
    write_u64_le(&writer, plan->version < 5 ? 0 : 0x3f);
    write_u64_le(&writer, plan->version < 5 ? 0 : 0x3f);
    write_zeros(&writer, SNP_REPORT_SIZE - 0x208);
    ASSERT(writer_view(&writer).size == SNP_REPORT_SIZE);
}

static void write_number(uint8_t *target, const uint8_t *big_endian)
{
    for (size_t i = 0; i < ECDSA384_NUMBER_SIZE; i++)
        target[i] = big_endian[ECDSA384_NUMBER_SIZE - 1 - i];
}

void snp_made_sign(struct snp_made *made)
{
    struct ecdsa384_signature signature =
        fixture_sign384(keys.vek, bytes_of(made->report, SNP_SIGNED_SIZE));
    write_number(made->report + SNP_SIGNED_SIZE, signature.bytes);
    write_number(made->report + SNP_SIGNED_SIZE + 72, signature.bytes + ECDSA384_NUMBER_SIZE);
}

bool snp_made_init(struct snp_made *made, const struct snp_plan *plan)
{
    struct error error;
    buffer_init(&made->root_der, CERTIFICATE_SIZE_MAX);
    buffer_init(&made->intermediate_der, CERTIFICATE_SIZE_MAX);
    buffer_init(&made->vek_der, CERTIFICATE_SIZE_MAX);
    make_certificates(made, plan);
    make_report(made->report, plan);
    for (size_t i = 0; i < plan->patch_count; i++)
        made->report[plan->patches[i].offset] = plan->patches[i].value;
    snp_made_sign(made);
    for (size_t i = 0; i < plan->later_count; i++)
        made->report[plan->later[i].offset] = plan->later[i].value;
    return x509_parse(&made->root, buffer_view(&made->root_der), &error);
}

void snp_made_done(struct snp_made *made)
{
    buffer_done(&made->root_der);
    buffer_done(&made->intermediate_der);
    buffer_done(&made->vek_der);
}

struct attest_options snp_made_options(const struct snp_made *made)
{
    return (struct attest_options){
        .tee = ATTEST_TEE_SNP,
        .now_s = SNP_MADE_NOW_S,
        .root = &made->root,
        .collateral = { .vek = buffer_view(&made->vek_der),
                        .intermediate = buffer_view(&made->intermediate_der) },
    };
}
