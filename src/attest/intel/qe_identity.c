/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/intel/qe_identity.h"

#include <string.h>

enum member {
    MEMBER_ID,
    MEMBER_VERSION,
    MEMBER_ISSUED,
    MEMBER_NEXT_UPDATE,
    MEMBER_NUMBER,
    MEMBER_MISC_SELECT,
    MEMBER_MISC_SELECT_MASK,
    MEMBER_ATTRIBUTES,
    MEMBER_ATTRIBUTES_MASK,
    MEMBER_MR_SIGNER,
    MEMBER_PROD_ID,
    MEMBER_LEVELS
};

/* All must be there. */
static const char *const members[] = {
    [MEMBER_ID] = "id",
    [MEMBER_VERSION] = "version",
    [MEMBER_ISSUED] = "issueDate",
    [MEMBER_NEXT_UPDATE] = "nextUpdate",
    [MEMBER_NUMBER] = "tcbEvaluationDataNumber",
    [MEMBER_MISC_SELECT] = "miscselect",
    [MEMBER_MISC_SELECT_MASK] = "miscselectMask",
    [MEMBER_ATTRIBUTES] = "attributes",
    [MEMBER_ATTRIBUTES_MASK] = "attributesMask",
    [MEMBER_MR_SIGNER] = "mrsigner",
    [MEMBER_PROD_ID] = "isvprodid",
    [MEMBER_LEVELS] = "tcbLevels",
};

static enum qe_kind read_kind(struct json_reader *json)
{
    struct json_text id = json_read_string(json);
    if (json_text_equal(id, "QE"))
        return QE_KIND_SGX;
    return json_text_equal(id, "TD_QE") ? QE_KIND_TDX : QE_KIND_OTHER;
}

static void read_version(struct json_reader *json)
{
    if (json_read_unsigned(json, 2) != 2)
        json_reader_fail(json);
}

#define READ_HEX(json, field) json_read_hex((json), (field), sizeof(field))

static void read_member(struct qe_identity *identity, struct json_reader *json, size_t member)
{
    switch (member) {
    case MEMBER_ID:
        identity->kind = read_kind(json);
        break;
    case MEMBER_VERSION:
        read_version(json);
        break;
    case MEMBER_ISSUED:
        identity->issued_s = tcb_read_time(json);
        break;
    case MEMBER_NEXT_UPDATE:
        identity->next_update_s = tcb_read_time(json);
        break;
    case MEMBER_NUMBER:
        identity->evaluation_data_number = (uint32_t)json_read_unsigned(json, UINT32_MAX);
        break;
    case MEMBER_MISC_SELECT:
        READ_HEX(json, identity->misc_select);
        break;
    case MEMBER_MISC_SELECT_MASK:
        READ_HEX(json, identity->misc_select_mask);
        break;
    case MEMBER_ATTRIBUTES:
        READ_HEX(json, identity->attributes);
        break;
    case MEMBER_ATTRIBUTES_MASK:
        READ_HEX(json, identity->attributes_mask);
        break;
    case MEMBER_MR_SIGNER:
        READ_HEX(json, identity->mr_signer);
        break;
    case MEMBER_PROD_ID:
        identity->isv_prod_id = (uint16_t)json_read_unsigned(json, UINT16_MAX);
        break;
    case MEMBER_LEVELS:
        isv_levels_read(&identity->levels, json);
        break;
    default:
        json_skip(json);
        break;
    }
}

static void read_body(struct qe_identity *identity, struct json_reader *json)
{
    unsigned seen = 0;
    const unsigned all = (1U << ARRAY_COUNT(members)) - 1;
    struct json_text name;
    json_enter_object(json);
    while (json_next_member(json, &name)) {
        size_t member = tcb_member_find(members, ARRAY_COUNT(members), name);
        read_member(identity, json, member);
        seen |= 1U << member;
    }
    if ((seen & all) != all || identity->levels.count == 0)
        json_reader_fail(json);
}

bool qe_identity_parse(struct qe_identity *identity, struct bytes source, struct error *error)
{
    bool has_signature = false;
    struct json_reader json;
    struct json_text name;
    if (source.size > TCB_JSON_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "QE identity is above %d bytes", TCB_JSON_SIZE_MAX);
    memset(identity, 0, sizeof(*identity));
    struct tcb_envelope *envelope = &identity->envelope;
    json_reader_init(&json, source);
    json_enter_object(&json);
    while (json_next_member(&json, &name)) {
        if (json_text_equal(name, "enclaveIdentity")) {
            const uint8_t *start = json_value_start(&json);
            read_body(identity, &json);
            envelope->body = bytes_of(start, (size_t)(json_value_end(&json) - start));
        } else if (json_text_equal(name, "signature")) {
            tcb_read_signature(&json, &envelope->signature);
            has_signature = true;
        } else {
            json_reader_fail(&json);
        }
    }
    if (!json_read_end(&json) || envelope->body.size == 0 || !has_signature)
        return error_set(error, ERROR_INVALID, "QE identity is not what Intel publishes");
    return true;
}

static bool equal_under_mask(const uint8_t *value, const uint8_t *mask, const uint8_t *expected,
                             size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((value[i] & mask[i]) != expected[i])
            return false;
    }
    return true;
}

bool qe_identity_match(const struct qe_identity *identity, const struct sgx_report *report,
                       struct error *error)
{
    uint8_t misc_select[4];
    struct writer writer = writer_into(misc_select, sizeof(misc_select));
    write_u32_le(&writer, report->misc_select);
    const char *what = NULL;
    if (!equal_under_mask(misc_select, identity->misc_select_mask, identity->misc_select,
                          sizeof(misc_select)))
        what = "MISCSELECT";
    else if (!equal_under_mask(report->attributes, identity->attributes_mask, identity->attributes,
                               sizeof(report->attributes)))
        what = "ATTRIBUTES";
    else if (memcmp(report->mr_signer, identity->mr_signer, sizeof(report->mr_signer)) != 0)
        what = "MRSIGNER";
    else if (report->isv_prod_id != identity->isv_prod_id)
        what = "ISVPRODID";
    if (what != NULL)
        return error_set(error, ERROR_UNVERIFIED, "%s of the quoting enclave is not Intel's", what);
    return true;
}
