/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/amd/vek.h"

#include "crypto/der.h"

enum {
    DER_IA5_STRING = 0x16,
    STRUCTURE_VERSION_MAX = 1,
    HWID_SIZE = 64,
    HWID_SIZE_TURIN = 8,
    SPARE_FIRST = 4,
    COMPONENT_COUNT = 9
};

/* Content of the OBJECT IDENTIFIER 1.3.6.1.4.1.3704.1 and what follows. */
#define OID_PREFIX "\x2b\x06\x01\x04\x01\x9c\x78\x01"

static bool find(const struct x509_certificate *certificate, struct bytes oid, struct bytes *value)
{
    bool is_critical;
    return x509_extension_find(certificate, oid, value, &is_critical);
}

/* 1.3.6.1.4.1.3704.1.3.N, an INTEGER of one byte.  True when it is there; *is_sound turns false
 * when it is malformed. */
static bool find_component(const struct x509_certificate *certificate, unsigned number,
                           uint8_t *component, bool *is_sound)
{
    uint8_t oid[] = OID_PREFIX "\x03\x00";
    oid[9] = (uint8_t)number;
    struct bytes value;
    *component = 0;
    if (!find(certificate, bytes_of(oid, 10), &value))
        return false;
    struct reader reader = reader_of(value);
    *component = (uint8_t)der_read_unsigned(&reader, UINT8_MAX);
    *is_sound = *is_sound && read_end(&reader);
    return true;
}

static bool read_tcb(struct vek_info *info, const struct x509_certificate *certificate)
{
    bool is_sound = true;
    bool has[COMPONENT_COUNT + 1] = { false };
    uint8_t components[COMPONENT_COUNT + 1] = { 0 };
    for (unsigned i = 1; i <= COMPONENT_COUNT; i++)
        has[i] = find_component(certificate, i, &components[i], &is_sound);
    info->has_tcb = has[1] && has[2] && has[3] && has[8];
    info->has_fmc = has[9];
    info->tcb = (struct snp_tcb){ .boot_loader = components[1],
                                  .tee = components[2],
                                  .snp = components[3],
                                  .microcode = components[8],
                                  .fmc = components[9] };
    for (unsigned i = 0; i < sizeof(info->spare); i++)
        info->spare[i] = components[SPARE_FIRST + i];
    return is_sound;
}

/* An IA5String; empty when the extension is not there. */
static bool read_text(const struct x509_certificate *certificate, struct bytes oid,
                      struct bytes *text)
{
    struct bytes value;
    if (!find(certificate, oid, &value))
        return true;
    struct reader reader = reader_of(value);
    *text = der_read(&reader, DER_IA5_STRING);
    for (size_t i = 0; i < text->size; i++) {
        if (text->data[i] < 0x20 || text->data[i] > 0x7e)
            return false;
    }
    return read_end(&reader);
}

/* The bytes themselves, as AMD writes them, or in an OCTET STRING, as one certificate has them. */
static bool read_hwid(struct vek_info *info, const struct x509_certificate *certificate)
{
    struct bytes value;
    if (!find(certificate, BYTES_LITERAL(OID_PREFIX "\x04"), &value))
        return true;
    if (value.size != HWID_SIZE && value.size != HWID_SIZE_TURIN) {
        struct reader reader = reader_of(value);
        value = der_read(&reader, DER_OCTET_STRING);
        if (!read_end(&reader))
            return false;
    }
    info->hwid = value;
    return value.size == HWID_SIZE || value.size == HWID_SIZE_TURIN;
}

bool vek_read(struct vek_info *info, const struct x509_certificate *certificate,
              struct error *error)
{
    struct vek_info read = { .product = SNP_PRODUCT_NONE };
    struct bytes name = { 0 };
    struct bytes version = { 0 };
    bool is_sound = read_text(certificate, BYTES_LITERAL(OID_PREFIX "\x02"), &name) &&
                    read_text(certificate, BYTES_LITERAL(OID_PREFIX "\x05"), &read.csp_id) &&
                    read_hwid(&read, certificate) && read_tcb(&read, certificate) &&
                    find(certificate, BYTES_LITERAL(OID_PREFIX "\x01"), &version);
    struct reader reader = reader_of(version);
    read.structure_version = (unsigned)der_read_unsigned(&reader, STRUCTURE_VERSION_MAX);
    if (!is_sound || !read_end(&reader))
        return error_set(error, ERROR_INVALID, "AMD's extensions are malformed");
    read.product = snp_product_find(name);
    *info = read;
    return true;
}
