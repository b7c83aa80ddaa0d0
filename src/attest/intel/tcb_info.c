/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/intel/tcb_info.h"

#include <stdio.h>
#include <string.h>

enum member {
    MEMBER_ID,
    MEMBER_VERSION,
    MEMBER_ISSUED,
    MEMBER_NEXT_UPDATE,
    MEMBER_FMSPC,
    MEMBER_PCE_ID,
    MEMBER_TYPE,
    MEMBER_NUMBER,
    MEMBER_LEVELS,
    MEMBER_MODULE,
    MEMBER_MODULES
};

static const char *const members[] = {
    [MEMBER_ID] = "id",
    [MEMBER_VERSION] = "version",
    [MEMBER_ISSUED] = "issueDate",
    [MEMBER_NEXT_UPDATE] = "nextUpdate",
    [MEMBER_FMSPC] = "fmspc",
    [MEMBER_PCE_ID] = "pceId",
    [MEMBER_TYPE] = "tcbType",
    [MEMBER_NUMBER] = "tcbEvaluationDataNumber",
    [MEMBER_LEVELS] = "tcbLevels",
    [MEMBER_MODULE] = "tdxModule",
    [MEMBER_MODULES] = "tdxModuleIdentities",
};

#define SEEN(member) (1U << (member))

/* Which parts of a level were there. */
struct parts {
    unsigned state;
    unsigned flat_count; /* of version 2's sgxtcbcompNNsvn */
    bool has_sgx;
    bool has_tdx;
    bool has_pce_svn;
    bool has_tcb;
};

/* [{"svn": N, ...} x 16] */
static void read_components(uint8_t *svn, struct json_reader *json)
{
    size_t count = 0;
    json_enter_array(json);
    while (json_next_item(json)) {
        struct json_text name;
        bool has_svn = false;
        json_enter_object(json);
        while (json_next_member(json, &name)) {
            if (!json_text_equal(name, "svn")) {
                json_skip(json);
                continue;
            }
            uint8_t value = (uint8_t)json_read_unsigned(json, UINT8_MAX);
            if (count < TCB_COMPONENT_COUNT)
                svn[count] = value;
            has_svn = true;
        }
        if (!has_svn || ++count > TCB_COMPONENT_COUNT)
            json_reader_fail(json);
    }
    if (count != TCB_COMPONENT_COUNT)
        json_reader_fail(json);
}

/* N of "sgxtcbcompNNsvn", or 0. */
static unsigned flat_component(struct json_text name)
{
    struct bytes raw = name.raw;
    if (name.has_escapes || raw.size != 15 ||
        !bytes_starts_with(raw, BYTES_LITERAL("sgxtcbcomp")) ||
        !bytes_equal(bytes_part(raw, 12, 3), BYTES_LITERAL("svn")) || raw.data[10] < '0' ||
        raw.data[10] > '1' || raw.data[11] < '0' || raw.data[11] > '9')
        return 0;
    unsigned number = (unsigned)(raw.data[10] - '0') * 10 + (unsigned)(raw.data[11] - '0');
    return number <= TCB_COMPONENT_COUNT ? number : 0;
}

static void read_tcb(struct tcb_level *level, struct json_reader *json, struct parts *parts)
{
    struct json_text name;
    parts->has_tcb = true;
    json_enter_object(json);
    while (json_next_member(json, &name)) {
        unsigned flat = flat_component(name);
        if (json_text_equal(name, "sgxtcbcomponents")) {
            read_components(level->sgx_svn, json);
            parts->has_sgx = true;
        } else if (json_text_equal(name, "tdxtcbcomponents")) {
            read_components(level->tdx_svn, json);
            parts->has_tdx = true;
        } else if (json_text_equal(name, "pcesvn")) {
            level->pce_svn = (uint16_t)json_read_unsigned(json, UINT16_MAX);
            parts->has_pce_svn = true;
        } else if (flat > 0) {
            /* No member comes twice, so sixteen are all of them. */
            level->sgx_svn[flat - 1] = (uint8_t)json_read_unsigned(json, UINT8_MAX);
            parts->flat_count++;
        } else {
            json_skip(json);
        }
    }
}

/* What a level must hold depends on version and id, which may come later in the file: `shape`
 * says what all the levels hold. */
struct shape {
    bool is_flat;
    bool is_nested;
    bool lacks_tdx;
};

static void read_level(struct tcb_level *level, struct json_reader *json, struct shape *shape)
{
    struct parts parts = { 0 };
    struct json_text name;
    json_enter_object(json);
    while (json_next_member(json, &name)) {
        if (json_text_equal(name, "tcb"))
            read_tcb(level, json, &parts);
        else if (!tcb_state_read_member(&level->state, json, name, &parts.state))
            json_skip(json);
    }
    bool is_flat = !parts.has_sgx && !parts.has_tdx && parts.flat_count == TCB_COMPONENT_COUNT;
    bool is_nested = parts.has_sgx && parts.flat_count == 0;
    if (!tcb_state_is_complete(parts.state) || !parts.has_tcb || !parts.has_pce_svn ||
        is_flat == is_nested)
        json_reader_fail(json);
    shape->is_flat = shape->is_flat || is_flat;
    shape->is_nested = shape->is_nested || is_nested;
    shape->lacks_tdx = shape->lacks_tdx || !parts.has_tdx;
}

static void read_levels(struct tcb_info *info, struct json_reader *json, struct shape *shape)
{
    json_enter_array(json);
    while (json_next_item(json)) {
        if (info->level_count == TCB_LEVEL_COUNT_MAX) {
            json_reader_fail(json);
            return;
        }
        read_level(&info->levels[info->level_count++], json, shape);
    }
}

static void read_module(struct tdx_module *module, struct json_reader *json, bool has_id)
{
    enum {
        MR_SIGNER = 1,
        ATTRIBUTES = 2,
        MASK = 4,
        ID = 8,
        LEVELS = 16
    };
    unsigned seen = 0;
    struct json_text name;
    json_enter_object(json);
    while (json_next_member(json, &name)) {
        if (json_text_equal(name, "mrsigner")) {
            json_read_hex(json, module->mr_signer, sizeof(module->mr_signer));
            seen |= MR_SIGNER;
        } else if (json_text_equal(name, "attributes")) {
            json_read_hex(json, module->attributes, sizeof(module->attributes));
            seen |= ATTRIBUTES;
        } else if (json_text_equal(name, "attributesMask")) {
            json_read_hex(json, module->attributes_mask, sizeof(module->attributes_mask));
            seen |= MASK;
        } else if (has_id && json_text_equal(name, "id")) {
            module->id = json_read_string(json).raw;
            seen |= ID;
        } else if (has_id && json_text_equal(name, "tcbLevels")) {
            isv_levels_read(&module->levels, json);
            seen |= LEVELS;
        } else {
            json_skip(json);
        }
    }
    if (seen !=
        (has_id ? MR_SIGNER | ATTRIBUTES | MASK | ID | LEVELS : MR_SIGNER | ATTRIBUTES | MASK))
        json_reader_fail(json);
}

static void read_modules(struct tcb_info *info, struct json_reader *json)
{
    json_enter_array(json);
    while (json_next_item(json)) {
        if (info->module_count == TCB_MODULE_COUNT_MAX) {
            json_reader_fail(json);
            return;
        }
        struct tdx_module *module = &info->modules[info->module_count];
        read_module(module, json, true);
        for (size_t i = 0; i < info->module_count; i++) {
            if (bytes_equal(info->modules[i].id, module->id))
                json_reader_fail(json);
        }
        info->module_count++;
    }
}

static void read_id(struct tcb_info *info, struct json_reader *json)
{
    struct json_text id = json_read_string(json);
    info->is_tdx = json_text_equal(id, "TDX");
    if (!info->is_tdx && !json_text_equal(id, "SGX"))
        json_reader_fail(json);
}

static void read_member(struct tcb_info *info, struct json_reader *json, size_t member,
                        struct shape *shape)
{
    switch (member) {
    case MEMBER_ID:
        read_id(info, json);
        break;
    case MEMBER_VERSION:
        info->version = (unsigned)json_read_unsigned(json, 3);
        break;
    case MEMBER_ISSUED:
        info->issued_s = tcb_read_time(json);
        break;
    case MEMBER_NEXT_UPDATE:
        info->next_update_s = tcb_read_time(json);
        break;
    case MEMBER_FMSPC:
        json_read_hex(json, info->fmspc, sizeof(info->fmspc));
        break;
    case MEMBER_PCE_ID:
        json_read_hex(json, info->pce_id, sizeof(info->pce_id));
        break;
    case MEMBER_TYPE:
        /* Another type would compare its components in another way. */
        (void)json_read_unsigned(json, 0);
        break;
    case MEMBER_NUMBER:
        info->evaluation_data_number = (uint32_t)json_read_unsigned(json, UINT32_MAX);
        break;
    case MEMBER_LEVELS:
        read_levels(info, json, shape);
        break;
    case MEMBER_MODULE:
        read_module(&info->module, json, false);
        break;
    case MEMBER_MODULES:
        read_modules(info, json);
        break;
    default:
        json_skip(json);
        break;
    }
}

static void read_body(struct tcb_info *info, struct json_reader *json)
{
    unsigned seen = 0;
    struct shape shape = { 0 };
    struct json_text name;
    json_enter_object(json);
    while (json_next_member(json, &name)) {
        size_t member = tcb_member_find(members, ARRAY_COUNT(members), name);
        read_member(info, json, member, &shape);
        seen |= SEEN(member);
    }
    const unsigned always = SEEN(MEMBER_MODULE) - 1 - SEEN(MEMBER_ID);
    bool is_sound = (seen & always) == always && info->level_count > 0;
    if (info->version == 3)
        is_sound = is_sound && (seen & SEEN(MEMBER_ID)) != 0 && !shape.is_flat &&
                   (!info->is_tdx || ((seen & SEEN(MEMBER_MODULE)) != 0 && !shape.lacks_tdx));
    else
        is_sound = is_sound && info->version == 2 && !info->is_tdx && !shape.is_nested;
    if (!is_sound)
        json_reader_fail(json);
}

bool tcb_info_parse(struct tcb_info *info, struct bytes source, struct error *error)
{
    bool has_signature = false;
    struct json_reader json;
    struct json_text name;
    if (source.size > TCB_JSON_SIZE_MAX)
        return error_set(error, ERROR_LIMIT, "TCB info is above %d bytes", TCB_JSON_SIZE_MAX);
    memset(info, 0, sizeof(*info));
    json_reader_init(&json, source);
    json_enter_object(&json);
    while (json_next_member(&json, &name)) {
        if (json_text_equal(name, "tcbInfo")) {
            const uint8_t *start = json_value_start(&json);
            read_body(info, &json);
            info->envelope.body = bytes_of(start, (size_t)(json_value_end(&json) - start));
        } else if (json_text_equal(name, "signature")) {
            tcb_read_signature(&json, &info->envelope.signature);
            has_signature = true;
        } else {
            json_reader_fail(&json);
        }
    }
    if (!json_read_end(&json) || info->envelope.body.size == 0 || !has_signature)
        return error_set(error, ERROR_INVALID, "TCB info is not what Intel publishes");
    return true;
}

/* Orders levels by SGX components, PCE, TDX components: the order in which they are tried. */
static int compare_levels(const struct tcb_level *left, const struct tcb_level *right)
{
    int order = memcmp(left->sgx_svn, right->sgx_svn, sizeof(left->sgx_svn));
    if (order == 0)
        order = (int)left->pce_svn - (int)right->pce_svn;
    return order != 0 ? order : memcmp(left->tdx_svn, right->tdx_svn, sizeof(left->tdx_svn));
}

static bool reaches(const struct tcb_level *level, const struct tcb_versions *versions)
{
    for (size_t i = 0; i < TCB_COMPONENT_COUNT; i++) {
        if (versions->sgx_svn[i] < level->sgx_svn[i])
            return false;
    }
    if (versions->pce_svn < level->pce_svn)
        return false;
    const uint8_t *tdx_svn = versions->tee_tcb_svn;
    for (size_t i = tdx_svn != NULL && tdx_svn[1] > 0 ? 2 : 0;
         tdx_svn != NULL && i < TCB_COMPONENT_COUNT; i++) {
        if (tdx_svn[i] < level->tdx_svn[i])
            return false;
    }
    return true;
}

const struct tcb_level *tcb_info_find_level(const struct tcb_info *info,
                                            const struct tcb_versions *versions)
{
    const struct tcb_level *best = NULL;
    for (size_t i = 0; i < info->level_count; i++) {
        const struct tcb_level *level = &info->levels[i];
        if (reaches(level, versions) && (best == NULL || compare_levels(level, best) > 0))
            best = level;
    }
    return best;
}

const struct tcb_level *tcb_info_top_level(const struct tcb_info *info)
{
    const struct tcb_level *top = &info->levels[0];
    for (size_t i = 1; i < info->level_count; i++) {
        if (compare_levels(&info->levels[i], top) > 0)
            top = &info->levels[i];
    }
    return top;
}

const struct tdx_module *tcb_info_find_module(const struct tcb_info *info, uint8_t major)
{
    char id[8];
    snprintf(id, sizeof(id), "TDX_%02X", major);
    for (size_t i = 0; i < info->module_count; i++) {
        if (bytes_equal_string(info->modules[i].id, id))
            return &info->modules[i];
    }
    return NULL;
}
