/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/intel/quote.h"

#include "core/reader.h"

enum {
    HEADER_SIZE = 48,
    KEY_TYPE_ECDSA_P256 = 2,
    TEE_TYPE_SGX = 0,
    TEE_TYPE_TDX = 0x81
};

enum body_type {
    BODY_SGX = 1,
    BODY_TD_10 = 2,
    BODY_TD_15 = 3
};

enum certification_type {
    CERTIFICATION_PLAIN_PPID = 1,
    CERTIFICATION_PPID_RSA2048 = 2,
    CERTIFICATION_PPID_RSA3072 = 3,
    CERTIFICATION_PCK_LEAF = 4,
    CERTIFICATION_PCK_CHAIN = 5,
    CERTIFICATION_QE_REPORT = 6
};

static const uint8_t intel_vendor[16] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                          0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07 };

static bool refuse(enum attest_reason *reason, enum attest_reason what, struct error *error,
                   const char *text)
{
    *reason = what;
    return error_set(error, what == ATTEST_REASON_FORMAT ? ERROR_INVALID : ERROR_UNSUPPORTED, "%s",
                     text);
}

#define READ_FIELD(reader, field)  read_into((reader), (field), sizeof(field))
#define WRITE_FIELD(writer, field) write_bytes((writer), BYTES_OF(field))

static void sgx_report_read(struct reader *reader, struct sgx_report *report)
{
    READ_FIELD(reader, report->cpu_svn);
    report->misc_select = read_u32_le(reader);
    read_skip(reader, 12);
    READ_FIELD(reader, report->isv_ext_prod_id);
    READ_FIELD(reader, report->attributes);
    READ_FIELD(reader, report->mr_enclave);
    read_skip(reader, 32);
    READ_FIELD(reader, report->mr_signer);
    read_skip(reader, 32);
    READ_FIELD(reader, report->config_id);
    report->isv_prod_id = read_u16_le(reader);
    report->isv_svn = read_u16_le(reader);
    report->config_svn = read_u16_le(reader);
    read_skip(reader, 42);
    READ_FIELD(reader, report->isv_family_id);
    READ_FIELD(reader, report->report_data);
}

void sgx_report_write(struct writer *writer, const struct sgx_report *report)
{
    WRITE_FIELD(writer, report->cpu_svn);
    write_u32_le(writer, report->misc_select);
    write_zeros(writer, 12);
    WRITE_FIELD(writer, report->isv_ext_prod_id);
    WRITE_FIELD(writer, report->attributes);
    WRITE_FIELD(writer, report->mr_enclave);
    write_zeros(writer, 32);
    WRITE_FIELD(writer, report->mr_signer);
    write_zeros(writer, 32);
    WRITE_FIELD(writer, report->config_id);
    write_u16_le(writer, report->isv_prod_id);
    write_u16_le(writer, report->isv_svn);
    write_u16_le(writer, report->config_svn);
    write_zeros(writer, 42);
    WRITE_FIELD(writer, report->isv_family_id);
    WRITE_FIELD(writer, report->report_data);
}

static void td_report_read(struct reader *reader, struct td_report *report, bool is_15)
{
    READ_FIELD(reader, report->tee_tcb_svn);
    READ_FIELD(reader, report->mr_seam);
    READ_FIELD(reader, report->mr_signer_seam);
    READ_FIELD(reader, report->seam_attributes);
    READ_FIELD(reader, report->td_attributes);
    READ_FIELD(reader, report->xfam);
    READ_FIELD(reader, report->mr_td);
    READ_FIELD(reader, report->mr_config_id);
    READ_FIELD(reader, report->mr_owner);
    READ_FIELD(reader, report->mr_owner_config);
    READ_FIELD(reader, report->rtmr);
    READ_FIELD(reader, report->report_data);
    report->is_15 = is_15;
    if (is_15) {
        READ_FIELD(reader, report->tee_tcb_svn_2);
        READ_FIELD(reader, report->mr_service_td);
    }
}

void td_report_write(struct writer *writer, const struct td_report *report)
{
    WRITE_FIELD(writer, report->tee_tcb_svn);
    WRITE_FIELD(writer, report->mr_seam);
    WRITE_FIELD(writer, report->mr_signer_seam);
    WRITE_FIELD(writer, report->seam_attributes);
    WRITE_FIELD(writer, report->td_attributes);
    WRITE_FIELD(writer, report->xfam);
    WRITE_FIELD(writer, report->mr_td);
    WRITE_FIELD(writer, report->mr_config_id);
    WRITE_FIELD(writer, report->mr_owner);
    WRITE_FIELD(writer, report->mr_owner_config);
    WRITE_FIELD(writer, report->rtmr);
    WRITE_FIELD(writer, report->report_data);
    if (report->is_15) {
        WRITE_FIELD(writer, report->tee_tcb_svn_2);
        WRITE_FIELD(writer, report->mr_service_td);
    }
}

/* The 48 bytes whose layout all versions share; *tee_type is reserved bytes in version 3. */
static bool header_read(struct quote *quote, struct reader *reader, uint32_t *tee_type,
                        enum attest_reason *reason, struct error *error)
{
    if (reader_left(reader) < HEADER_SIZE)
        return refuse(reason, ATTEST_REASON_FORMAT, error, "quote is cut off in its header");
    quote->version = read_u16_le(reader);
    if (quote->version < 3 || quote->version > 5)
        return refuse(reason, ATTEST_REASON_UNSUPPORTED_VERSION, error,
                      "version of the quote is not 3, 4 or 5");
    if (read_u16_le(reader) != KEY_TYPE_ECDSA_P256)
        return refuse(reason, ATTEST_REASON_UNSUPPORTED_KEY_TYPE, error,
                      "attestation key is not for ECDSA on P-256");
    *tee_type = read_u32_le(reader);
    quote->qe_svn = read_u16_le(reader);
    quote->pce_svn = read_u16_le(reader);
    struct bytes vendor = read_bytes(reader, sizeof(intel_vendor));
    READ_FIELD(reader, quote->user_data);
    if (quote->version > 3 && *tee_type != TEE_TYPE_SGX && *tee_type != TEE_TYPE_TDX)
        return refuse(reason, ATTEST_REASON_UNSUPPORTED_TEE, error,
                      "quote is neither of SGX nor of TDX");
    if (!bytes_equal(vendor, BYTES_OF(intel_vendor)))
        return refuse(reason, ATTEST_REASON_UNKNOWN_QE_VENDOR, error,
                      "quoting enclave is not Intel's");
    return true;
}

static bool body_read(struct quote *quote, struct reader *reader, uint32_t tee_type,
                      enum attest_reason *reason, struct error *error)
{
    bool is_tdx = quote->version > 3 && tee_type == TEE_TYPE_TDX;
    uint16_t type = is_tdx ? BODY_TD_10 : BODY_SGX;
    size_t size = is_tdx ? TD_REPORT_10_SIZE : SGX_REPORT_SIZE;
    if (quote->version == 5) {
        type = read_u16_le(reader);
        size = read_u32_le(reader);
    }
    static const size_t sizes[] = { [BODY_SGX] = SGX_REPORT_SIZE,
                                    [BODY_TD_10] = TD_REPORT_10_SIZE,
                                    [BODY_TD_15] = TD_REPORT_15_SIZE };
    if (type < BODY_SGX || type > BODY_TD_15 || size != sizes[type] || is_tdx != (type != BODY_SGX))
        return refuse(reason, ATTEST_REASON_FORMAT, error,
                      "type, size and TEE of the quote's body do not fit each other");
    quote->tee = is_tdx ? QUOTE_TEE_TDX : QUOTE_TEE_SGX;
    if (is_tdx)
        td_report_read(reader, &quote->td, type == BODY_TD_15);
    else
        sgx_report_read(reader, &quote->sgx);
    return true;
}

/* QE report to certification data: the tail of version 3, the content of item 6 later. */
static bool certification_read(struct quote *quote, struct reader *reader,
                               enum attest_reason *reason, struct error *error)
{
    quote->qe_report_part = read_bytes(reader, SGX_REPORT_SIZE);
    struct reader qe_report = reader_of(quote->qe_report_part);
    sgx_report_read(&qe_report, &quote->qe_report);
    READ_FIELD(reader, quote->qe_report_signature.bytes);
    quote->auth_data = read_bytes(reader, read_u16_le(reader));
    uint16_t type = read_u16_le(reader);
    uint32_t size = read_u32_le(reader);
    if (!reader->failed && (type < CERTIFICATION_PLAIN_PPID || type > CERTIFICATION_PCK_CHAIN))
        return refuse(reason, ATTEST_REASON_UNSUPPORTED_CERT_DATA, error,
                      "certification data is of an unknown type");
    struct bytes data = read_bytes(reader, size);
    if (!read_end(reader))
        return refuse(reason, ATTEST_REASON_FORMAT, error,
                      "lengths in the signature data do not add up");
    /* Types 1 to 4 only name the PCK certificate or lack its chain. */
    if (type == CERTIFICATION_PCK_CHAIN)
        quote->pck_chain = data;
    if ((type == CERTIFICATION_PPID_RSA2048 && size == 256 + 20) ||
        (type == CERTIFICATION_PPID_RSA3072 && size == 384 + 20))
        quote->pck_name = data;
    return true;
}

static bool signature_data_read(struct quote *quote, struct bytes data, enum attest_reason *reason,
                                struct error *error)
{
    struct reader reader = reader_of(data);
    READ_FIELD(&reader, quote->signature.bytes);
    READ_FIELD(&reader, quote->attestation_key.bytes);
    if (quote->version == 3)
        return certification_read(quote, &reader, reason, error);
    uint16_t type = read_u16_le(&reader);
    uint32_t size = read_u32_le(&reader);
    if (!reader.failed && type != CERTIFICATION_QE_REPORT)
        return refuse(reason, ATTEST_REASON_UNSUPPORTED_CERT_DATA, error,
                      "signature data holds no QE report");
    struct reader item = reader_of(read_bytes(&reader, size));
    if (!read_end(&reader))
        return refuse(reason, ATTEST_REASON_FORMAT, error,
                      "lengths in the signature data do not add up");
    return certification_read(quote, &item, reason, error);
}

bool quote_parse(struct quote *quote, struct bytes source, enum attest_reason *reason,
                 struct error *error)
{
    if (source.size > QUOTE_SIZE_MAX)
        return refuse(reason, ATTEST_REASON_FORMAT, error, "quote is too long");
    struct quote parsed = { 0 };
    struct reader reader = reader_of(source);
    uint32_t tee_type = TEE_TYPE_SGX;
    if (!header_read(&parsed, &reader, &tee_type, reason, error) ||
        !body_read(&parsed, &reader, tee_type, reason, error))
        return false;
    parsed.signed_part = bytes_part(source, 0, reader_offset(&reader));
    struct bytes signature_data = read_bytes(&reader, read_u32_le(&reader));
    if (reader.failed)
        return refuse(reason, ATTEST_REASON_FORMAT, error, "quote is cut off");
    struct bytes padding = read_rest(&reader);
    for (size_t i = 0; i < padding.size; i++) {
        if (padding.data[i] != 0)
            return refuse(reason, ATTEST_REASON_FORMAT, error, "data follows the quote");
    }
    parsed.padding_size = padding.size;
    if (!signature_data_read(&parsed, signature_data, reason, error))
        return false;
    *quote = parsed;
    return true;
}

void quote_write_signed_part(struct writer *writer, const struct quote *quote)
{
    write_u16_le(writer, 4);
    write_u16_le(writer, KEY_TYPE_ECDSA_P256);
    write_u32_le(writer, TEE_TYPE_TDX);
    write_u16_le(writer, 0);
    write_u16_le(writer, 0);
    write_bytes(writer, BYTES_OF(intel_vendor));
    WRITE_FIELD(writer, quote->user_data);
    td_report_write(writer, &quote->td);
}

void quote_write_signature_data(struct writer *writer, const struct quote *quote)
{
    size_t item_size = quote->qe_report_part.size + sizeof(quote->qe_report_signature.bytes) + 2 +
                       quote->auth_data.size + 6 + quote->pck_chain.size;
    size_t size =
        sizeof(quote->signature.bytes) + sizeof(quote->attestation_key.bytes) + 6 + item_size;
    write_u32_le(writer, (uint32_t)size);
    WRITE_FIELD(writer, quote->signature.bytes);
    WRITE_FIELD(writer, quote->attestation_key.bytes);
    write_u16_le(writer, CERTIFICATION_QE_REPORT);
    write_u32_le(writer, (uint32_t)item_size);
    write_bytes(writer, quote->qe_report_part);
    WRITE_FIELD(writer, quote->qe_report_signature.bytes);
    write_u16_le(writer, (uint16_t)quote->auth_data.size);
    write_bytes(writer, quote->auth_data);
    write_u16_le(writer, CERTIFICATION_PCK_CHAIN);
    write_u32_le(writer, (uint32_t)quote->pck_chain.size);
    write_bytes(writer, quote->pck_chain);
}
